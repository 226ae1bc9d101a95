//! Captures: making, stopping and clearing them.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::{Captures, No, Row};
use dataplane::{
    AddressRange, AddressRange6, CaptureAddresses, CaptureKind, CaptureMatch, CaptureSettings,
    DropReason, PROTOCOL_TCP, PROTOCOL_UDP, PortMatch, prefix_mask,
};

use crate::console::declare::{EXEC, Exec, PRIVILEGED, Rows, answer, talk};
use crate::policy::port_named;
use crate::print::capture::settings::{DEFAULT_BUFFER_LEN, ETHERTYPES};
use crate::print::put_line;
use crate::state::Core;

mod export;
mod listing;

/// A description of packets, as `capture` and `no capture` take it.
macro_rules! match_syntax {
    () => {
        "match { ip | tcp | udp | icmp | <protocol> } \
         { any | any4 | any6 | host <host-address:ip> | <address:ip> <mask:mask> }@from [$ports@from-port] \
         { any | any4 | any6 | host <host-address:ip> | <address:ip> <mask:mask> }@to [$ports@to-port]"
    };
}

pub(super) const ROWS: Rows = &[
    Row::new(
        EXEC,
        PRIVILEGED,
        concat!(
            "capture <name:word(63)> { \
             type { raw-data | asp-drop [{ all | <reason> }] | tls-proxy } \
             | access-list <list> | interface <nameif> | buffer <buffer:1534-33554432> \
             | circular-buffer | ethernet-type <ethertype> | packet-length <length:64-65535> \
             | headers-only | ",
            match_syntax!(),
            " }*"
        ),
        &[
            ("capture", "Copy packets into memory, to look at them"),
            ("name", "Name of the capture"),
            ("type", "What is copied"),
            ("raw-data", "Packets that interfaces receive and send"),
            ("asp-drop", "Packets that are dropped"),
            ("all", "Whatever the reason"),
            ("reason", "Only this reason, as show asp drop names it"),
            (
                "tls-proxy",
                "Decrypted data of the TLS proxy (not supported)",
            ),
            ("access-list", "Only packets that an access list permits"),
            ("list", "Name of the access list"),
            ("interface", "Packets of this interface"),
            ("nameif", "Interface name"),
            ("buffer", "Size of the buffer"),
            ("<buffer>", "Bytes"),
            (
                "circular-buffer",
                "Overwrite the oldest packets of a full buffer",
            ),
            ("ethernet-type", "Only frames of this type"),
            (
                "ethertype",
                "Type by number or as 802.1Q, arp, ip, ip6, lacp, pppoed, pppoes, rarp",
            ),
            ("packet-length", "Most that is kept of a packet"),
            ("length", "Bytes"),
            ("headers-only", "Keep nothing behind the headers"),
            (
                "match",
                "Only packets between two addresses, in both directions",
            ),
            ("ip", "Every protocol"),
            ("tcp", "TCP"),
            ("udp", "UDP"),
            ("icmp", "ICMP"),
            ("protocol", "IP protocol by number or name"),
            ("any", "Any address"),
            ("any4", "Any IPv4 address"),
            ("any6", "Any IPv6 address"),
            ("host", "One host"),
            ("host-address", "Address of the host"),
            ("address", "Network address"),
            ("mask", "Network mask"),
        ],
        Exec::Answer(make),
    )
    .no(No::Syntax(concat!(
        "capture <name:word(63)> [{ interface <nameif> | access-list <list> | ",
        match_syntax!(),
        " }]"
    )))
    .example("capture in interface inside match tcp any host 198.51.100.20 eq 5061"),
    answer!(
        PRIVILEGED,
        "capture <name:word(63)> stop",
        stop,
        &[("stop", "Hold what there is; no capture NAME stop goes on")]
    )
    .no(No::Same)
    .example("capture in stop"),
    answer!(
        PRIVILEGED,
        "clear capture { /all | <name:word(63)> }",
        clear,
        &[
            ("capture", "Empty captures"),
            ("/all", "Every capture"),
            ("name", "Name of the capture"),
        ]
    )
    .example("clear capture in"),
    talk!(
        EXEC,
        PRIVILEGED,
        "show capture [<name:word(63)> { access-list <list> | count <count:1-4294967295> | decode \
         | detail | dump | packet-number <first:1-4294967295> }*] $filter@filter",
        listing::show,
        &[
            ("capture", "Captures and what they hold"),
            ("name", "Name of a capture"),
            ("access-list", "Only packets that an access list permits"),
            ("list", "Name of the access list"),
            ("count", "At most so many"),
            ("<count>", "Packets"),
            ("decode", "Every field of every header"),
            ("detail", "With Ethernet addresses, TTL and identification"),
            ("dump", "With the bytes"),
            ("packet-number", "Begin at this packet"),
            ("first", "Number of the packet"),
        ]
    )
    .example("show capture in detail"),
    talk!(
        EXEC,
        PRIVILEGED,
        "copy [/noconfirm] /pcap <capture> <destination>",
        export::copy,
        &[
            ("/pcap", "Copy a capture as a pcapng file"),
            ("capture", "Copy a capture as a pcapng file"),
            ("<capture>", "capture:NAME"),
            ("destination", "disk0:/NAME or xmodem:"),
        ]
    )
    .example("copy /pcap capture:in disk0:/in.pcapng"),
];

fn make(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let changed = match words.negated() {
        true => unmake(core, words),
        false => make_or_change(core, words),
    };
    if let Err(error) = changed {
        put_line!(out, "ERROR: {error}");
    }
}

/// Makes a capture, or adds to the one there is.
fn make_or_change(core: &mut Core, words: &Captures<'_>) -> Result<(), String> {
    let name = words.word("name").unwrap_or_default();
    let present = core.dataplane.capture(name);
    let is_new = present.is_none();
    let mut settings = present.map_or_else(CaptureSettings::default, |capture| {
        capture.settings().clone()
    });
    if let Some(kind) = kind(words)? {
        if !is_new && kind != settings.kind {
            return Err("the type of a capture stays as it is; remove it first".into());
        }
        settings.kind = kind;
    }
    if words.has("nameif") {
        let port = port(core, words)?;
        if !settings.ports.contains(&port) {
            settings.ports.push(port);
        }
    }
    if let Some(list) = words.word("list") {
        if !core.config.access_lists.contains_key(list) {
            return Err(alloc::format!("access-list <{list}> does not exist"));
        }
        settings.access_list = Some(list.into());
    }
    if let Some(text) = words.word("ethertype") {
        let ethertype = ethertype(text);
        settings.ethertype =
            Some(ethertype.ok_or_else(|| alloc::format!("there is no Ethernet type {text}"))?);
    }
    if let Some(length) = words.number("length") {
        // Its range fits.
        settings.packet_len = u16::try_from(length).unwrap_or(u16::MAX);
    }
    settings.headers_only |= words.has("headers-only");
    settings.is_circular |= words.has("circular-buffer");
    if words.has("match") {
        let wanted = condition(words)?;
        if !settings.matches.contains(&wanted) {
            settings.matches.push(wanted);
        }
    }
    let buffer = words.number("buffer").map(|bytes| bytes as usize);
    let done = if is_new {
        let buffer = buffer.unwrap_or(DEFAULT_BUFFER_LEN);
        core.dataplane.add_capture(name, buffer, settings)
    } else if buffer.is_some() {
        return Err("the buffer of a capture is claimed when it is made; remove it first".into());
    } else {
        core.dataplane.change_capture(name, settings)
    };
    done.map_err(|error| alloc::format!("{error}"))
}

/// Removes a capture, or one condition of it.
fn unmake(core: &mut Core, words: &Captures<'_>) -> Result<(), String> {
    let name = words.word("name").unwrap_or_default();
    let missing = || alloc::format!("capture <{name}> does not exist");
    let mut settings = core
        .dataplane
        .capture(name)
        .ok_or_else(missing)?
        .settings()
        .clone();
    let before = settings.clone();
    if words.has("nameif") {
        let port = port(core, words)?;
        settings.ports.retain(|&used| used != port);
    } else if let Some(list) = words.word("list") {
        settings.access_list.take_if(|used| used == list);
    } else if words.has("match") {
        let unwanted = condition(words)?;
        settings.matches.retain(|wanted| *wanted != unwanted);
    } else {
        return core
            .dataplane
            .remove_capture(name)
            .map_err(|error| alloc::format!("{error}"));
    }
    if settings == before {
        return Err(alloc::format!("capture <{name}> has no such condition"));
    }
    core.dataplane
        .change_capture(name, settings)
        .map_err(|error| alloc::format!("{error}"))
}

/// What is to be captured, if the line says so.
fn kind(words: &Captures<'_>) -> Result<Option<CaptureKind>, String> {
    if words.has("tls-proxy") {
        return Err("decrypted data is not captured; take raw-data of both interfaces".into());
    }
    if words.has("raw-data") {
        return Ok(Some(CaptureKind::RawData));
    }
    if !words.has("asp-drop") {
        return Ok(None);
    }
    let Some(name) = words.word("reason") else {
        return Ok(Some(CaptureKind::AspDrop(None)));
    };
    let mut reasons = DropReason::ALL.iter();
    match reasons.find(|reason| reason.name().eq_ignore_ascii_case(name)) {
        Some(&reason) => Ok(Some(CaptureKind::AspDrop(Some(reason)))),
        None => Err(alloc::format!(
            "there is no reason {name}; show asp drop names those that have counted"
        )),
    }
}

fn port(core: &Core, words: &Captures<'_>) -> Result<dataplane::PortId, String> {
    let name = words.word("nameif").unwrap_or_default();
    port_named(&core.config, name)
        .ok_or_else(|| alloc::format!("there is no interface named {name}"))
}

fn ethertype(text: &str) -> Option<u16> {
    let known = ETHERTYPES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text));
    match (known, text.strip_prefix("0x")) {
        (Some(&(_, number)), _) => Some(number),
        (None, Some(digits)) => u16::from_str_radix(digits, 16).ok(),
        (None, None) => text.parse().ok(),
    }
}

/// The packets that a line describes.
fn condition(words: &Captures<'_>) -> Result<CaptureMatch, String> {
    let name = words
        .word("protocol")
        .or_else(|| words.one_of(&["ip", "tcp", "udp", "icmp"]))
        .unwrap_or_default();
    let number = config::names::parse_protocol(name)
        .ok_or_else(|| alloc::format!("there is no protocol {name}"))?;
    let wanted = CaptureMatch {
        // IP is every protocol.
        protocol: (number != 0).then_some(number),
        source: addresses(&words.group("from"))?,
        source_ports: ports(&words.group("from-port"))?,
        destination: addresses(&words.group("to"))?,
        destination_ports: ports(&words.group("to-port"))?,
    };
    let has_ports = [wanted.source_ports, wanted.destination_ports]
        .iter()
        .any(|ports| *ports != PortMatch::ANY);
    if has_ports && !matches!(number, PROTOCOL_TCP | PROTOCOL_UDP) {
        return Err("only tcp and udp have ports".into());
    }
    Ok(wanted)
}

fn addresses(words: &Captures<'_>) -> Result<CaptureAddresses, String> {
    if let Some(host) = words.ip("host-address") {
        return Ok(CaptureAddresses::V4(AddressRange::host(host)));
    }
    let (Some(address), Some(mask)) = (words.ip("address"), words.mask("mask")) else {
        return Ok(match words.one_of(&["any4", "any6"]) {
            Some("any4") => CaptureAddresses::V4(AddressRange::ANY),
            Some(_) => CaptureAddresses::V6(AddressRange6::ANY),
            None => CaptureAddresses::Any,
        });
    };
    let len = mask.to_bits().leading_ones();
    let prefix_len = u8::try_from(len).unwrap_or(32);
    if prefix_mask(prefix_len) != mask.to_bits() {
        return Err(alloc::format!("{mask} is no network mask"));
    }
    let range = AddressRange::network(address, prefix_len);
    Ok(CaptureAddresses::V4(range))
}

fn ports(words: &Captures<'_>) -> Result<PortMatch, String> {
    if let (Some(first), Some(last)) = (words.port("first"), words.port("last")) {
        return match first <= last {
            true => Ok(PortMatch::range(first, last)),
            false => Err("the first port of a range is above the last".into()),
        };
    }
    let Some(port) = words.port("port") else {
        return Ok(PortMatch::ANY);
    };
    let none = || alloc::format!("no port is beyond {port}");
    match words.one_of(&["neq", "lt", "gt"]) {
        Some("neq") => Ok(PortMatch {
            is_negated: true,
            ..PortMatch::eq(port)
        }),
        Some("lt") => Ok(PortMatch::range(0, port.checked_sub(1).ok_or_else(none)?)),
        Some(_) => Ok(PortMatch::range(
            port.checked_add(1).ok_or_else(none)?,
            u16::MAX,
        )),
        None => Ok(PortMatch::eq(port)),
    }
}

fn stop(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let name = words.word("name").unwrap_or_default();
    if core.dataplane.stop_capture(name, !words.negated()).is_err() {
        put_line!(out, "ERROR: capture <{name}> does not exist");
    }
}

fn clear(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let Some(name) = words.word("name") else {
        core.dataplane.clear_captures();
        return;
    };
    if core.dataplane.clear_capture(name).is_err() {
        put_line!(out, "ERROR: capture <{name}> does not exist");
    }
}

/// What a name that follows `capture:` names.
fn named(place: &str) -> Option<&str> {
    let (device, name) = place.split_once(':')?;
    let name = name.trim_start_matches('/');
    (device.eq_ignore_ascii_case("capture") && !name.is_empty()).then_some(name)
}

/// The interfaces there are, by port, and the box itself.
fn interfaces(core: &Core) -> Vec<(Option<dataplane::PortId>, String)> {
    let policy = core.dataplane.policy();
    let ports = (0..core.dataplane.limits().ports).map(dataplane::PortId);
    ports
        .chain(policy.vlans.iter().map(|vlan| vlan.port))
        .map(Some)
        .chain([None])
        .map(|port| {
            let name = crate::print::capture::settings::interface(policy, port);
            (port, name)
        })
        .collect()
}

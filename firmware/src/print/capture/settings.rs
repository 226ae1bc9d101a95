//! `show capture`: which captures there are, and what each takes.

use alloc::string::String;

use dataplane::{
    AddressRange, AddressRange6, Capture, CaptureAddresses, CaptureKind, CaptureMatch,
    CaptureState, Policy, PortId, PortMatch,
};

use crate::print::{nameif, prefix_len, put, put_line};

/// A capture: what was asked for, what it is doing, and the packets it is for.
pub(crate) fn capture(out: &mut String, policy: &Policy, capture: &Capture) {
    let settings = capture.settings();
    put!(out, "capture {} type ", capture.name());
    match settings.kind {
        CaptureKind::RawData => put!(out, "raw-data"),
        CaptureKind::AspDrop(None) => put!(out, "asp-drop all"),
        CaptureKind::AspDrop(Some(reason)) => put!(out, "asp-drop {}", reason.name()),
    }
    if let Some(list) = &settings.access_list {
        put!(out, " access-list {list}");
    }
    if let Some(ethertype) = settings.ethertype {
        put!(out, " ethernet-type {}", ethertype_name(ethertype));
    }
    let plain = dataplane::CaptureSettings::default();
    if capture.buffer_len() != DEFAULT_BUFFER_LEN {
        put!(out, " buffer {}", capture.buffer_len());
    }
    if settings.packet_len != plain.packet_len {
        put!(out, " packet-length {}", settings.packet_len);
    }
    if settings.is_circular {
        put!(out, " circular-buffer");
    }
    if settings.headers_only {
        put!(out, " headers-only");
    }
    for &port in &settings.ports {
        put!(out, " interface {}", interface(policy, Some(port)));
    }
    let used = capture.used();
    match capture.state() {
        CaptureState::Capturing => put_line!(out, " [Capturing - {used} bytes]"),
        CaptureState::Stopped => put_line!(out, " [Stopped - {used} bytes]"),
        CaptureState::Full => put_line!(out, " [Buffer Full - {used} bytes]"),
    }
    for wanted in &settings.matches {
        put!(out, "  ");
        condition(out, wanted);
        put_line!(out);
    }
}

/// Bytes of a buffer nobody chose the length of.
pub(crate) const DEFAULT_BUFFER_LEN: usize = 512 << 10;

/// Names of EtherTypes.
pub(crate) const ETHERTYPES: &[(&str, u16)] = &[
    ("802.1Q", 0x8100),
    ("arp", 0x0806),
    ("ip", 0x0800),
    ("ip6", 0x86dd),
    ("lacp", 0x8809),
    ("pppoed", 0x8863),
    ("pppoes", 0x8864),
    ("rarp", 0x8035),
];

fn ethertype_name(ethertype: u16) -> String {
    let known = ETHERTYPES.iter().find(|(_, number)| *number == ethertype);
    match known {
        Some((name, _)) => (*name).into(),
        None => alloc::format!("0x{ethertype:04x}"),
    }
}

/// The name of the interface at a port; the port's number if it has none now, `box` without a port.
pub(crate) fn interface(policy: &Policy, port: Option<PortId>) -> String {
    let Some(port) = port else {
        return "box".into();
    };
    let is_named = policy.interfaces.iter().any(|used| used.port == port);
    match is_named {
        true => nameif(policy, Some(port)).into(),
        false => alloc::format!("port-{}", port.0),
    }
}

/// `match tcp any host 198.51.100.20 eq 5061`.
fn condition(out: &mut String, wanted: &CaptureMatch) {
    let protocol = config::names::protocol(wanted.protocol.unwrap_or(0));
    put!(out, "match {protocol}");
    address(out, wanted.source);
    ports(out, wanted.source_ports);
    address(out, wanted.destination);
    ports(out, wanted.destination_ports);
}

fn address(out: &mut String, addresses: CaptureAddresses) {
    match addresses {
        CaptureAddresses::Any => put!(out, " any"),
        CaptureAddresses::V4(AddressRange::ANY) => put!(out, " any4"),
        CaptureAddresses::V4(range) if range.first == range.last => {
            put!(out, " host {}", range.first);
        }
        CaptureAddresses::V4(range) => {
            // Ranges come from an address and a mask.
            let len = prefix_len(range).unwrap_or(32);
            let mask = dataplane::prefix_mask(u8::try_from(len).unwrap_or(32));
            let mask = core::net::Ipv4Addr::from_bits(mask);
            put!(out, " {} {mask}", range.first);
        }
        CaptureAddresses::V6(AddressRange6::ANY) => put!(out, " any6"),
        CaptureAddresses::V6(range) if range.first == range.last => {
            put!(out, " host {}", range.first);
        }
        CaptureAddresses::V6(range) => put!(out, " {}-{}", range.first, range.last),
    }
}

fn ports(out: &mut String, wanted: PortMatch) {
    match wanted {
        PortMatch::ANY => {}
        PortMatch {
            first,
            last,
            is_negated,
        } if first == last => {
            put!(out, " {} {first}", if is_negated { "neq" } else { "eq" });
        }
        PortMatch { first: 0, last, .. } => put!(out, " lt {}", u32::from(last) + 1),
        PortMatch {
            first,
            last: u16::MAX,
            ..
        } => put!(out, " gt {}", first - 1),
        PortMatch { first, last, .. } => put!(out, " range {first} {last}"),
    }
}

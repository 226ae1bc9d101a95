//! Translation: its rules, what they have given to whom, and taking it back.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use cli::grammar::Captures;
use config::Config;
use dataplane::{AddressRange, NatRule, PortId, SourceNat, XlateView};

use crate::console::declare::{PRIVILEGED, Rows, answer, show};
use crate::print as printers;
use crate::print::put_line;
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show xlate { global <addresses> [netmask <mask:mask>] }*@global \
         { local <addresses> [netmask <mask:mask>] }*@local \
         { gport <global-ports> | lport <local-ports> | interface <nameif> \
         | state { static | portmap | identity }@state \
         | type { static | dynamic | portmap | twice-nat }@type }* [{ count | detail }]",
        xlates,
        &[
            ("xlate", "Translations in use"),
            ("count", "Only how many there are"),
            ("detail", "All there is to tell"),
            ("global", "Only those seen as these addresses"),
            ("local", "Only those of these addresses"),
            ("addresses", "An address, or FIRST-LAST"),
            ("netmask", "The address is that of a network"),
            ("mask", "Network mask"),
            ("gport", "Only those seen as these ports"),
            ("lport", "Only those of these ports"),
            ("global-ports", "A port, or FIRST-LAST"),
            ("local-ports", "A port, or FIRST-LAST"),
            ("interface", "Only those of an interface"),
            ("nameif", "Name of the interface"),
            ("state", "Only those of a kind"),
            ("type", "Only those of a kind"),
            ("static", "Of a static rule"),
            ("dynamic", "Of a dynamic rule"),
            ("portmap", "By port"),
            ("identity", "That change nothing"),
            ("twice-nat", "Of a manual rule"),
        ]
    )
    .example("show xlate local 10.20.0.40 lport 5060-5070"),
    show!(
        PRIVILEGED,
        "show nat [interface <nameif>] \
         [{ object <object> | object-group <group> | <address:ip> [<mask:mask>] }@real] \
         [translated [interface <mapped-nameif>] \
         [{ object <object> | object-group <group> | <address:ip> [<mask:mask>] }@mapped]] [detail]",
        nat,
        &[
            ("nat", "Translation rules and how often they were used"),
            ("interface", "Only those of an interface"),
            ("nameif", "Where the real addresses are"),
            ("mapped-nameif", "Where the mapped addresses are seen"),
            ("object", "Only those about the addresses of a network object"),
            ("<object>", "Name of the object"),
            ("object-group", "Only those about the addresses of a group"),
            ("group", "Name of the group"),
            ("address", "Only those about this address"),
            ("mask", "Network mask"),
            ("translated", "By what addresses are translated to"),
            ("detail", "With addresses and ports"),
        ]
    )
    .example("show nat translated interface outside detail"),
    show!(
        PRIVILEGED,
        "show nat pool",
        pools,
        &[("pool", "Use of addresses that are handed out")]
    ),
    show!(
        PRIVILEGED,
        "show nat proxy-arp",
        proxy_arp,
        &[("proxy-arp", "Mapped addresses that ARP is answered for")]
    ),
    show!(
        PRIVILEGED,
        "show nat divert-table",
        divert_table,
        &[(
            "divert-table",
            "Where rules, not routes, decide the interface"
        )]
    ),
    answer!(
        PRIVILEGED,
        "clear xlate { global <addresses> [netmask <mask:mask>] }*@global \
         { local <addresses> [netmask <mask:mask>] }*@local \
         { gport <global-ports> | lport <local-ports> | interface <nameif> \
         | state { static | portmap | identity }@state \
         | type { static | dynamic | portmap | twice-nat }@type }*",
        clear_xlate,
        &[("xlate", "Remove translations and end their connections"),]
    )
    .example("clear xlate global 203.0.113.10-203.0.113.20"),
    answer!(
        PRIVILEGED,
        "clear nat counters",
        clear_nat_counters,
        &[
            ("nat", "Translation rules"),
            ("counters", "Zero the counters"),
        ]
    ),
];

fn nat(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let policy = core.dataplane.policy();
    let real = addresses(&core.config, &words.group("real"));
    let mapped = addresses(&core.config, &words.group("mapped"));
    let is_at = |name: Option<&str>, port: Option<PortId>| {
        name.is_none_or(|name| printers::nameif(policy, port) == name)
    };
    let is_wanted = |rule: &NatRule| {
        is_at(words.word("nameif"), rule.real_interface)
            && is_at(words.word("mapped-nameif"), rule.mapped_interface)
            && is_about(real.as_deref(), rule.source.real())
            && is_about(mapped.as_deref(), rule.source.mapped())
    };
    let rules = core
        .dataplane
        .nat_rules()
        .filter(|view| is_wanted(view.rule));
    printers::nat::rules(out, policy, rules, words.has("detail"));
}

/// The addresses that a part of `show nat` names; `None` if it names none.
fn addresses(config: &Config, words: &Captures<'_>) -> Option<Vec<AddressRange>> {
    if let Some(address) = words.ip("address") {
        let prefix = words
            .ip("mask")
            .map_or(32, |mask| mask.to_bits().leading_ones() as u8);
        return Some(alloc::vec![AddressRange::network(address, prefix)]);
    }
    let name = words.word("object").or_else(|| words.word("group"))?;
    let ranges = config.addresses_of(name).into_iter();
    Some(
        ranges
            .map(|range| AddressRange {
                first: range.first,
                last: range.last,
            })
            .collect(),
    )
}

/// Whether the two lists have an address in common; nothing asked for is in everything.
fn is_about(wanted: Option<&[AddressRange]>, of_rule: impl Iterator<Item = AddressRange>) -> bool {
    let Some(wanted) = wanted else {
        return true;
    };
    let mut of_rule = of_rule;
    of_rule.any(|range| {
        wanted
            .iter()
            .any(|wanted| wanted.first <= range.last && range.first <= wanted.last)
    })
}

fn pools(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let policy = core.dataplane.policy();
    let rules: Vec<_> = core.dataplane.nat_rules().collect();
    for pool in core.dataplane.pools() {
        printers::nat::pool(out, policy, &rules, &pool);
    }
    for view in rules.iter().filter(|view| view.exhausted > 0) {
        printers::nat::exhausted(out, policy, view);
    }
}

fn proxy_arp(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    put_line!(out, "Nat Proxy-arp Table");
    for interface in &core.dataplane.policy().interfaces {
        for &range in core.dataplane.proxied(interface.port) {
            printers::nat::proxy_arp(out, interface, range);
        }
    }
}

fn divert_table(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    put_line!(out, "Divert Table");
    let policy = core.dataplane.policy();
    for view in core.dataplane.nat_rules() {
        if matches!(view.rule.source, SourceNat::Static { .. }) && !view.rule.inactive {
            printers::nat::divert(out, policy, &view);
        }
    }
}

/// Which translations are asked for.
struct Filter {
    global: Option<AddressRange>,
    local: Option<AddressRange>,
    global_ports: Option<(u16, u16)>,
    local_ports: Option<(u16, u16)>,
    interface: Option<PortId>,
    kinds: Vec<&'static str>,
}

impl Filter {
    /// What `words` say, or the word that means nothing.
    fn new<'w>(core: &Core, words: &Captures<'w>) -> Result<Self, &'w str> {
        let range = |label: &str| -> Result<Option<AddressRange>, &'w str> {
            let words = words.group(label);
            words
                .word("addresses")
                .map(|word| parse_addresses(word, words.ip("mask")).ok_or(word))
                .transpose()
        };
        let ports = |name: &str| {
            words
                .word(name)
                .map(|word| parse_ports(word).ok_or(word))
                .transpose()
        };
        let interface = words.word("nameif").map(|name| {
            let mut interfaces = core.dataplane.policy().interfaces.iter();
            interfaces
                .find(|interface| interface.name == name)
                .map(|interface| interface.port)
                .ok_or(name)
        });
        let (state, kind) = (words.group("state"), words.group("type"));
        let kinds = ["static", "dynamic", "portmap", "identity", "twice-nat"];
        Ok(Self {
            global: range("global")?,
            local: range("local")?,
            global_ports: ports("global-ports")?,
            local_ports: ports("local-ports")?,
            interface: interface.transpose()?,
            kinds: kinds
                .into_iter()
                .filter(|word| state.has(word) || kind.has(word))
                .collect(),
        })
    }

    fn is_everything(&self) -> bool {
        self.global.is_none()
            && self.local.is_none()
            && self.global_ports.is_none()
            && self.local_ports.is_none()
            && self.interface.is_none()
            && self.kinds.is_empty()
    }

    fn takes(&self, xlate: &XlateView) -> bool {
        let overlaps = |wanted: Option<AddressRange>, range: AddressRange| {
            wanted.is_none_or(|wanted| wanted.first <= range.last && range.first <= wanted.last)
        };
        let meets = |wanted: Option<(u16, u16)>, port: Option<u16>| {
            wanted.is_none_or(|(first, last)| {
                port.is_some_and(|port| first <= port.saturating_add(xlate.more) && port <= last)
            })
        };
        let is_of = |kind: &&str| match *kind {
            "static" => xlate.is_static,
            "dynamic" => !xlate.is_static,
            "portmap" => xlate.protocol.is_some(),
            "identity" => xlate.is_identity,
            _ => xlate.is_twice,
        };
        let at = |port: Option<PortId>| port.is_none() || port == self.interface;
        overlaps(self.global, xlate.mapped)
            && overlaps(self.local, xlate.real)
            && meets(self.global_ports, xlate.mapped_service)
            && meets(self.local_ports, xlate.real_service)
            && (self.interface.is_none() || at(xlate.real_port) || at(xlate.mapped_port))
            && self.kinds.iter().all(is_of)
    }
}

/// `A`, `A-B`, or the network of `A` under `mask`.
fn parse_addresses(word: &str, mask: Option<Ipv4Addr>) -> Option<AddressRange> {
    match (word.split_once('-'), mask) {
        (Some((first, last)), None) => {
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some(AddressRange { first, last })
        }
        (Some(_), Some(_)) => None,
        (None, mask) => {
            let ones = mask.map_or(32, |mask| mask.to_bits().leading_ones());
            Some(AddressRange::network(word.parse().ok()?, ones as u8))
        }
    }
}

/// `P` or `P-Q`.
fn parse_ports(word: &str) -> Option<(u16, u16)> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

fn xlates(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let filter = match Filter::new(core, words) {
        Ok(filter) => filter,
        Err(word) => {
            put_line!(out, "ERROR: {word} is not what may stand there");
            return;
        }
    };
    let mut usage = core.dataplane.xlate_usage();
    let chosen: Vec<XlateView> = core
        .dataplane
        .xlates(core.now())
        .filter(|xlate| filter.takes(xlate))
        .collect();
    if !filter.is_everything() {
        usage.in_use = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
    }
    printers::conn::usage(out, usage);
    if words.has("count") {
        return;
    }
    printers::xlate::legend(out);
    let policy = core.dataplane.policy();
    let mut was_static = false;
    for xlate in &chosen {
        // Static entries end with an empty line where dynamic ones begin.
        if was_static && !xlate.is_static {
            put_line!(out);
        }
        was_static = xlate.is_static;
        printers::xlate::xlate(out, policy, xlate);
    }
}

fn clear_xlate(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let now = core.now();
    match Filter::new(core, words) {
        Ok(filter) => {
            let count = core
                .dataplane
                .clear_xlates(|xlate| filter.takes(xlate), now);
            put_line!(out, "INFO: {count} connection(s) ended");
        }
        Err(word) => put_line!(out, "ERROR: {word} is not what may stand there"),
    }
}

fn clear_nat_counters(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    core.dataplane.clear_nat_hits();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_ports_are_single_or_from_to() {
        let range = |first: [u8; 4], last: [u8; 4]| AddressRange {
            first: first.into(),
            last: last.into(),
        };
        assert_eq!(
            parse_addresses("10.0.0.1-10.0.0.9", None),
            Some(range([10, 0, 0, 1], [10, 0, 0, 9]))
        );
        assert_eq!(
            parse_addresses("10.0.0.7", Some(Ipv4Addr::new(255, 255, 255, 0))),
            Some(range([10, 0, 0, 0], [10, 0, 0, 255]))
        );
        assert_eq!(
            parse_addresses("10.0.0.7", None),
            Some(range([10, 0, 0, 7], [10, 0, 0, 7]))
        );
        for bad in ["10.0.0.9-10.0.0.1", "10.0.0", "-", "10.0.0.1-"] {
            assert_eq!(parse_addresses(bad, None), None, "{bad}");
        }
        assert_eq!(
            parse_addresses("10.0.0.1-10.0.0.2", Some(Ipv4Addr::BROADCAST)),
            None
        );
        assert_eq!(parse_ports("5060"), Some((5060, 5060)));
        assert_eq!(parse_ports("0-65535"), Some((0, 65_535)));
        for bad in ["9-8", "65536", "", "a-b"] {
            assert_eq!(parse_ports(bad), None, "{bad}");
        }
    }
}

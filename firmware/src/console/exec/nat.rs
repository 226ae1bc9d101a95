//! Translation rules and the addresses they hand out.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::Captures;
use config::Config;
use dataplane::{AddressRange, NatRule, PortId, SourceNat};

use crate::console::declare::{PRIVILEGED, Rows, answer, show};
use crate::print as printers;
use crate::print::put_line;
use crate::state::Core;

pub(super) const ROWS: Rows = &[
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

fn clear_nat_counters(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    core.dataplane.clear_nat_hits();
}

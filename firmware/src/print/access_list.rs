//! `show access-list`.

use alloc::string::String;

use config::model::{AccessLine, AccessList, AccessRule, AddressMatch, PortSelect, RuleService};
use dataplane::{Ace, Ace6, AclId, AddressRange, AddressRange6, Policy, PortMatch, Service};

use super::{prefix_len, prefix_len6, put, put_line};

/// The lines above all lists: flows whose hits the log option counts, and how many are refused.
pub(crate) fn header(out: &mut String, (total, denied): (u32, u32)) {
    put_line!(
        out,
        "access-list cached ACL log flows: total {total}, denied {denied} (deny-flow-max 4096)\n            \
         alert-interval 300"
    );
}

/// What to say about a list that did not fit.
pub(crate) fn cut(out: &mut String, name: &str, line: usize) {
    put_line!(
        out,
        "WARNING: access-list {name} has more elements than there is memory for: from line {line} \
         on it denies everything"
    );
}

/// An element, how often it decided, and when it last did (UTC seconds since 1970).
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) element: &'a Ace,
    /// Its IPv6 side, if it has one.
    pub(crate) side: Option<&'a Ace6>,
    pub(crate) hits: u64,
    pub(crate) last_hit: Option<u64>,
}

/// One list: heading, then each line with the hits of its elements. A line that names objects or
/// groups, or stands for several elements, is followed by each of them.
///
/// `elements_of` gives the elements of a configured line.
pub(crate) fn list<'a, I>(
    out: &mut String,
    name: &str,
    list: &AccessList,
    elements_of: impl Fn(usize) -> I,
) where
    I: Iterator<Item = Shown<'a>> + Clone,
{
    heading(out, name, list, &elements_of);
    for (index, line) in list.lines().iter().enumerate() {
        let number = index + 1;
        let rule = match line {
            AccessLine::Remark(text) => {
                put_line!(out, "access-list {name} line {number} remark {text}");
                continue;
            }
            AccessLine::Rule(rule) => rule,
        };
        let text = config::print::access_rule_in_full(rule);
        let elements = elements_of(index);
        let hits: u64 = elements.clone().map(|shown| shown.hits).sum();
        put!(
            out,
            "access-list {name} line {number} {text} (hitcnt={hits})"
        );
        let mut of_line = elements.clone().map(|shown| shown.element.is_active);
        let is_out_of_time = of_line.next() == Some(false) && !of_line.any(|is_active| is_active);
        if rule.inactive || is_out_of_time {
            put!(out, " (inactive)");
        }
        put_line!(out, " {:#010x}", rule_hash(name, rule));
        if !is_expanded(rule, elements.clone().count()) {
            continue;
        }
        for Shown {
            element,
            side,
            hits,
            ..
        } in elements
        {
            let text = expanded(element, side);
            let log = config::print::log_in_full(rule.log);
            put!(
                out,
                "  access-list {name} line {number} {text}{log} (hitcnt={hits})"
            );
            if !element.is_active {
                put!(out, " (inactive)");
            }
            put_line!(out, " {:#010x}", element_hash(name, element, side));
        }
    }
}

/// `show access-list NAME brief`: a row for each element that decided, of eight hexadecimal digits
/// each: its hash, that of its line if the line stands for more, its hits, when it last decided.
pub(crate) fn brief<'a, I>(
    out: &mut String,
    name: &str,
    list: &AccessList,
    elements_of: impl Fn(usize) -> I,
) where
    I: Iterator<Item = Shown<'a>> + Clone,
{
    heading(out, name, list, &elements_of);
    for (index, line) in list.lines().iter().enumerate() {
        let AccessLine::Rule(rule) = line else {
            continue;
        };
        let elements = elements_of(index);
        let is_expanded = is_expanded(rule, elements.clone().count());
        for shown in elements {
            let Some(last_hit) = shown.last_hit else {
                continue;
            };
            let of_line = rule_hash(name, rule);
            let (hash, parent) = match is_expanded {
                true => (element_hash(name, shown.element, shown.side), of_line),
                false => (of_line, 0),
            };
            // Times have 32 bits until 2106.
            put_line!(
                out,
                "{hash:08x} {parent:08x} {:08x} {:08x}",
                shown.hits,
                last_hit & 0xffff_ffff
            );
        }
    }
}

fn heading<'a, I: Iterator<Item = Shown<'a>>>(
    out: &mut String,
    name: &str,
    list: &AccessList,
    elements_of: &impl Fn(usize) -> I,
) {
    let total: usize = (0..list.lines().len())
        .map(|line| elements_of(line).count())
        .sum();
    put_line!(
        out,
        "access-list {name}; {total} elements; name hash: {:#x}",
        hash(name.as_bytes())
    );
}

/// Whether the elements of a rule are shown below it.
fn is_expanded(rule: &AccessRule, elements: usize) -> bool {
    let has_name = |address: &AddressMatch| {
        matches!(address, AddressMatch::Object(_) | AddressMatch::Group(_))
    };
    let is_group = |ports: &Option<PortSelect>| matches!(ports, Some(PortSelect::Group(_)));
    let names_service = match &rule.service {
        RuleService::Object(_)
        | RuleService::Group(_)
        | RuleService::IcmpGroup(_)
        | RuleService::Icmp6Group(_)
        | RuleService::ProtocolGroup { .. } => true,
        RuleService::Ports {
            source,
            destination,
            ..
        } => is_group(source) || is_group(destination),
        RuleService::Ip
        | RuleService::Protocol(_)
        | RuleService::Icmp(_)
        | RuleService::Icmp6(_) => false,
    };
    elements > 1 || names_service || has_name(&rule.source) || has_name(&rule.destination)
}

/// The number by which a configured rule is known in messages: of its list and its words, not of
/// its place.
pub(crate) fn rule_hash(name: &str, rule: &AccessRule) -> u32 {
    let text = config::print::access_rule_in_full(rule);
    hash(alloc::format!("access-list {name} {text}").as_bytes())
}

/// The number by which one of its elements is known.
fn element_hash(name: &str, element: &Ace, side: Option<&Ace6>) -> u32 {
    hash(alloc::format!("access-list {name} {}", expanded(element, side)).as_bytes())
}

/// The hashes of line `index` as messages carry them: of the line, and of `element` if the line is
/// shown with its elements (of which it has `count`), else 0. Both are 0 if there is no such line.
pub(crate) fn hashes(
    name: &str,
    list: &AccessList,
    index: usize,
    count: usize,
    (element, side): (&Ace, Option<&Ace6>),
) -> (u32, u32) {
    let Some(AccessLine::Rule(rule)) = list.lines().get(index) else {
        return (0, 0);
    };
    let element = match is_expanded(rule, count) {
        true => element_hash(name, element, side),
        false => 0,
    };
    (rule_hash(name, rule), element)
}

/// The IPv6 side of element `index` of list `acl`.
pub(crate) fn side(policy: &Policy, acl: AclId, index: usize) -> Option<&Ace6> {
    let sides = policy.v6.access.get(usize::from(acl.0))?;
    let at = sides.binary_search_by_key(&index, |side| side.element);
    sides.get(at.ok()?)
}

/// An element as a rule with plain addresses.
fn expanded(element: &Ace, side: Option<&Ace6>) -> String {
    let out = &mut String::new();
    let action = match element.action {
        dataplane::Action::Permit => "permit",
        dataplane::Action::Deny => "deny",
    };
    put!(out, "extended {action} ");
    let (mut source_ports, mut destination_ports, mut icmp) = (None, None, None);
    match element.service {
        Service::Any => put!(out, "ip"),
        Service::Protocol(number) => match side.map(|side| side.icmp) {
            Some(Some((kind, code))) => {
                put!(out, "icmp6");
                icmp = kind.map(|kind| (kind, code));
            }
            _ => put!(out, "{number}"),
        },
        Service::Icmp { kind, code } => {
            put!(out, "icmp");
            icmp = kind.map(|kind| (kind, code));
        }
        Service::Ports {
            transport,
            source,
            destination,
        } => {
            put!(
                out,
                "{}",
                match transport {
                    dataplane::Transport::Tcp => "tcp",
                    dataplane::Transport::Udp => "udp",
                }
            );
            (source_ports, destination_ports) = (Some(source), Some(destination));
        }
    }
    // An element with both sides is from anybody to anybody.
    let side = side.filter(|_| element.source == AddressRange::NONE);
    for (addresses, addresses6, matched) in [
        (element.source, side.map(|side| side.source), source_ports),
        (
            element.destination,
            side.map(|side| side.destination),
            destination_ports,
        ),
    ] {
        match addresses6 {
            Some(addresses) => address6(out, addresses),
            None => address(out, addresses),
        }
        ports(out, matched);
    }
    if let Some((kind, code)) = icmp {
        put!(out, " {kind}");
        if let Some(code) = code {
            put!(out, " {code}");
        }
    }
    core::mem::take(out)
}

fn address(out: &mut String, range: AddressRange) {
    match prefix_len(range) {
        Some(0) => put!(out, " any"),
        Some(32) => put!(out, " host {}", range.first),
        Some(len) => {
            let mask = core::net::Ipv4Addr::from_bits(u32::MAX << (32 - len));
            put!(out, " {} {mask}", range.first);
        }
        None => put!(out, " range {} {}", range.first, range.last),
    }
}

fn address6(out: &mut String, range: AddressRange6) {
    match prefix_len6(range) {
        Some(0) => put!(out, " any6"),
        Some(128) => put!(out, " host {}", range.first),
        Some(len) => put!(out, " {}/{len}", range.first),
        None => put!(out, " range {} {}", range.first, range.last),
    }
}

fn ports(out: &mut String, matched: Option<PortMatch>) {
    let Some(matched) = matched else { return };
    match (matched.first, matched.last, matched.is_negated) {
        (0, u16::MAX, false) => {}
        (first, last, true) if first == last => put!(out, " neq {first}"),
        (first, last, _) if first == last => put!(out, " eq {first}"),
        (first, last, _) => put!(out, " range {first} {last}"),
    }
}

/// FNV-1a, 32 bit: the display wants a stable number, not a secret one.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

//! `show access-list`.

use alloc::string::String;

use config::model::{AccessLine, AccessList};
use dataplane::{Ace, AddressRange, PortMatch, Service};

use super::{prefix_len, put, put_line};

/// The line above all lists.
pub(crate) const HEADER: &str = "\
access-list cached ACL log flows: total 0, denied 0 (deny-flow-max 4096)
            alert-interval 300
";

/// One list: heading, then each line with the hits of its elements. A line that stands for several
/// elements is followed by each of them.
///
/// `elements_of` gives the elements of a configured line with their hit counts.
pub(crate) fn list<'a, I>(
    out: &mut String,
    name: &str,
    list: &AccessList,
    elements_of: impl Fn(usize) -> I,
) where
    I: Iterator<Item = (&'a Ace, u64)> + Clone,
{
    let total: usize = (0..list.lines().len())
        .map(|line| elements_of(line).count())
        .sum();
    put_line!(
        out,
        "access-list {name}; {total} elements; name hash: {:#x}",
        hash(name.as_bytes())
    );
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
        let heading = alloc::format!("access-list {name} line {number} {text}");
        let elements = elements_of(index);
        let hits: u64 = elements.clone().map(|(_, hits)| hits).sum();
        put!(out, "{heading} (hitcnt={hits})");
        if rule.inactive {
            put!(out, " (inactive)");
        }
        put_line!(out, " {:#010x}", hash(heading.as_bytes()));
        if elements.clone().count() > 1 {
            for (element, hits) in elements {
                let mut text = alloc::format!("access-list {name} line {number} ");
                expanded(&mut text, element);
                text.push_str(&config::print::log_in_full(rule.log));
                put_line!(
                    out,
                    "  {text} (hitcnt={hits}) {:#010x}",
                    hash(text.as_bytes())
                );
            }
        }
    }
}

/// An element as a rule with plain addresses.
fn expanded(out: &mut String, element: &Ace) {
    let action = match element.action {
        dataplane::Action::Permit => "permit",
        dataplane::Action::Deny => "deny",
    };
    put!(out, "extended {action} ");
    let (mut source_ports, mut destination_ports, mut icmp) = (None, None, None);
    match element.service {
        Service::Any => put!(out, "ip"),
        Service::Protocol(number) => put!(out, "{number}"),
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
    for (addresses, matched) in [
        (element.source, source_ports),
        (element.destination, destination_ports),
    ] {
        address(out, addresses);
        ports(out, matched);
    }
    if let Some((kind, code)) = icmp {
        put!(out, " {kind}");
        if let Some(code) = code {
            put!(out, " {code}");
        }
    }
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

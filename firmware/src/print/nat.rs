//! `show nat` in its forms (reference: NAT displays).

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv4Addr;

use dataplane::{
    AddressRange, AddressRange6, Interface, MappedAddress, NatRuleView, NatSection, Policy,
    PoolView, PortId, PortTranslation, SourceNat,
};

use super::xlate::range;
use super::{nameif, prefix_len, prefix_len6, protocol_name, put, put_line};

/// All rules, section by section; empty sections are left out.
pub(crate) fn rules<'a>(
    out: &mut String,
    policy: &Policy,
    rules: impl Iterator<Item = NatRuleView<'a>>,
    is_detailed: bool,
) {
    let mut section = None;
    for view in rules {
        if section != Some(view.rule.section) {
            if section.is_some() {
                put_line!(out);
            }
            section = Some(view.rule.section);
            let heading = match view.rule.section {
                NatSection::Manual => "Manual NAT Policies (Section 1)",
                NatSection::Auto => "Auto NAT Policies (Section 2)",
                NatSection::AfterAuto => "Manual NAT Policies (Section 3)",
            };
            put_line!(out, "{heading}");
        }
        rule(out, policy, &view, is_detailed);
    }
}

fn rule(out: &mut String, policy: &Policy, view: &NatRuleView<'_>, is_detailed: bool) {
    let rule = view.rule;
    let real = nameif(policy, rule.real_interface);
    let mapped = nameif(policy, rule.mapped_interface);
    put_line!(out, "{} ({real}) to ({mapped}) {}", view.number, rule.text);
    put_line!(
        out,
        "    translate_hits = {}, untranslate_hits = {}",
        view.translate_hits,
        view.untranslate_hits
    );
    if !is_detailed {
        return;
    }
    put!(out, "    Source - Origin: ");
    if !view.v6.is_empty() {
        list6(out, view.v6.iter().map(|side| side.real));
        put!(out, ", Translated: ");
        list6(out, view.v6.iter().map(|side| side.mapped));
        put_line!(out);
        return;
    }
    match &rule.source {
        SourceNat::Static { real, mapped } => {
            list(out, real);
            put!(out, ", Translated: ");
            mapped_address(out, policy, mapped, rule.mapped_interface);
        }
        SourceNat::Dynamic { real, pool } => {
            list(out, real);
            if !pool.one_to_one.is_empty() {
                put!(out, ", Translated: ");
                list(out, &pool.one_to_one);
            }
            if pool.interface || !pool.addresses.is_empty() {
                put!(out, ", Translated (PAT): ");
                list(out, &pool.addresses);
            }
            if pool.interface {
                let separator = if pool.addresses.is_empty() { "" } else { ", " };
                put!(out, "{separator}");
                let interface = MappedAddress::Interface;
                mapped_address(out, policy, &interface, rule.mapped_interface);
            }
        }
    }
    put_line!(out);
    if let Some(destination) = &rule.destination {
        put!(out, "    Destination - Origin: ");
        mapped_address(out, policy, &destination.mapped, rule.real_interface);
        put!(out, ", Translated: ");
        list(out, &destination.real);
        put_line!(out);
    }
    let words = [
        (rule.service, "source"),
        (rule.destination_service, "destination"),
    ];
    for (service, direction) in words.into_iter().filter_map(|(s, word)| Some((s?, word))) {
        translated_ports(out, rule.section, service, direction);
    }
}

fn translated_ports(out: &mut String, section: NatSection, service: PortTranslation, word: &str) {
    let name = match service.transport {
        dataplane::Transport::Tcp => "tcp",
        dataplane::Transport::Udp => "udp",
    };
    let (real, mapped) = (
        Ports(service.real, service.more),
        Ports(service.mapped, service.more),
    );
    match section {
        NatSection::Auto => {
            put_line!(
                out,
                "    Service - Protocol: {name} Real: {} Mapped: {}",
                service.real,
                service.mapped
            );
        }
        // A rule is written as seen from its real side: there a source is real, a destination mapped.
        _ if word == "source" => put_line!(
            out,
            "    Service - Origin: {name} {word} {real} , Translated: {name} {word} {mapped}"
        ),
        _ => put_line!(
            out,
            "    Service - Origin: {name} {word} {mapped} , Translated: {name} {word} {real}"
        ),
    }
}

/// A port, or a run of ports: the first, and how many follow.
struct Ports(u16, u16);

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self(port, 0) => write!(f, "eq {port}"),
            Self(first, more) => write!(f, "range {first} {}", first.saturating_add(more)),
        }
    }
}

/// A line of `show nat pool`.
pub(crate) fn pool(out: &mut String, policy: &Policy, rules: &[NatRuleView<'_>], pool: &PoolView) {
    match pool.protocol {
        Some(protocol) => put!(out, "{} PAT pool ", protocol_name(protocol)),
        None => put!(out, "NAT pool "),
    }
    if let Some(view) = rules.get(pool.rule) {
        pool_name(out, policy, view);
    }
    let address = pool.first_address;
    match pool.protocol {
        Some(_) => put!(
            out,
            ", address {address}, {}range {}-{}",
            if pool.is_flat { "flat " } else { "" },
            pool.first,
            pool.last
        ),
        None => put!(out, ", range {address}-{}", pool.last_address),
    }
    put_line!(out, ", allocated {}", pool.allocated);
}

/// How often the pool of a rule had nothing left, below the pools.
pub(crate) fn exhausted(out: &mut String, policy: &Policy, view: &NatRuleView<'_>) {
    put!(out, "Pool ");
    pool_name(out, policy, view);
    let section = section(view.rule.section);
    put_line!(
        out,
        " exhausted for rule {} of section {section}, refused {}",
        view.number,
        view.exhausted
    );
}

/// `outside:POOL`; the interface alone where the pool has no name.
fn pool_name(out: &mut String, policy: &Policy, view: &NatRuleView<'_>) {
    put!(out, "{}", nameif(policy, view.rule.mapped_interface));
    if let SourceNat::Dynamic { pool, .. } = &view.rule.source
        && !pool.name.is_empty()
    {
        put!(out, ":{}", pool.name);
    }
}

const fn section(section: NatSection) -> u8 {
    match section {
        NatSection::Manual => 1,
        NatSection::Auto => 2,
        NatSection::AfterAuto => 3,
    }
}

/// An entry of `show nat proxy-arp`.
pub(crate) fn proxy_arp(out: &mut String, interface: &Interface, addresses: AddressRange) {
    put!(out, "ip/id=");
    address_and_mask(out, addresses);
    put_line!(out, " ifc={}", interface.name);
}

/// An entry of `show nat divert-table`: which packets a rule sends to which interface.
pub(crate) fn divert(out: &mut String, policy: &Policy, view: &NatRuleView<'_>) {
    let rule = view.rule;
    let domain = match rule.section {
        NatSection::Auto => "object-nat",
        NatSection::Manual | NatSection::AfterAuto => "twice-nat",
    };
    let is_ignored = rule.route_lookup || rule.real_interface.is_none();
    put_line!(
        out,
        "domain={domain} section={} rule={} ignore={}",
        section(rule.section),
        view.number,
        if is_ignored { "yes" } else { "no" }
    );
    let protocol = rule
        .service
        .map_or(0, |service| service.transport.protocol());
    put_line!(
        out,
        "        hits={}, protocol={protocol}",
        view.untranslate_hits
    );
    put!(out, "        src ip/id=");
    match &rule.destination {
        Some(destination) => each(out, &destination.real),
        None => address_and_mask(out, AddressRange::ANY),
    }
    ports(out, rule.destination_service.map(|to| (to.real, to.more)));
    put!(out, "        dst ip/id=");
    match &rule.source {
        SourceNat::Static {
            mapped: MappedAddress::Interface,
            ..
        } => {
            let own = own_address(policy, rule.mapped_interface);
            address_and_mask(out, AddressRange::host(own));
        }
        source => each(out, &source.mapped().collect::<Vec<_>>()),
    }
    ports(out, rule.service.map(|from| (from.mapped, from.more)));
    put_line!(
        out,
        "        input_ifc={}, output_ifc={}",
        nameif(policy, rule.mapped_interface),
        nameif(policy, rule.real_interface)
    );
}

fn each(out: &mut String, ranges: &[AddressRange]) {
    for (index, range) in ranges.iter().enumerate() {
        put!(out, "{}", if index > 0 { "; " } else { "" });
        address_and_mask(out, *range);
    }
}

fn ports(out: &mut String, ports: Option<(u16, u16)>) {
    match ports {
        Some((first, more)) => {
            put_line!(out, ", port={first}-{}", first.saturating_add(more));
        }
        None => put_line!(out, ", port=0-0"),
    }
}

/// A network by its mask; a range that is none by its ends.
fn address_and_mask(out: &mut String, addresses: AddressRange) {
    match prefix_len(addresses) {
        // At most 32.
        Some(len) => put!(
            out,
            "{}, mask={}",
            addresses.first,
            Ipv4Addr::from_bits(dataplane::prefix_mask(len as u8))
        ),
        None => put!(out, "{}-{}", addresses.first, addresses.last),
    }
}

fn mapped_address(out: &mut String, policy: &Policy, mapped: &MappedAddress, port: Option<PortId>) {
    match mapped {
        MappedAddress::Ranges(ranges) => list(out, ranges),
        MappedAddress::Interface => put!(out, "{}/32", own_address(policy, port)),
    }
}

fn own_address(policy: &Policy, port: Option<PortId>) -> Ipv4Addr {
    policy
        .interfaces
        .iter()
        .find(|interface| Some(interface.port) == port)
        .map_or(Ipv4Addr::UNSPECIFIED, |interface| interface.address)
}

fn list(out: &mut String, ranges: &[AddressRange]) {
    for (index, range) in ranges.iter().enumerate() {
        put!(out, "{}", if index > 0 { ", " } else { "" });
        prefixed(out, *range);
    }
}

fn list6(out: &mut String, ranges: impl Iterator<Item = AddressRange6>) {
    for (index, range) in ranges.enumerate() {
        put!(out, "{}", if index > 0 { ", " } else { "" });
        match prefix_len6(range) {
            Some(len) => put!(out, "{}/{len}", range.first),
            None => put!(out, "{}-{}", range.first, range.last),
        }
    }
}

/// A single address with `/32`, everything else as `show xlate` prints it.
fn prefixed(out: &mut String, addresses: AddressRange) {
    range(out, addresses);
    if addresses.size() == 1 {
        out.push_str("/32");
    }
}

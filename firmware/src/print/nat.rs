//! `show nat [detail]` (reference: NAT displays).

use alloc::string::String;
use core::net::Ipv4Addr;

use dataplane::{
    AddressRange, MappedAddress, NatRuleView, NatSection, Policy, PortId, PortTranslation,
    SourceNat,
};

use super::xlate::range;
use super::{nameif, put, put_line};

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
    match &rule.source {
        SourceNat::Static { real, mapped } => {
            prefixed(out, *real);
            put!(out, ", Translated: ");
            mapped_address(out, policy, *mapped, rule.mapped_interface);
        }
        SourceNat::Dynamic { real, pool } => {
            list(out, real);
            put!(out, ", Translated (PAT): ");
            list(out, &pool.addresses);
            if pool.interface {
                let separator = if pool.addresses.is_empty() { "" } else { ", " };
                put!(out, "{separator}");
                mapped_address(out, policy, MappedAddress::Interface, rule.mapped_interface);
            }
        }
    }
    put_line!(out);
    if let Some(destination) = &rule.destination {
        put!(out, "    Destination - Origin: ");
        mapped_address(out, policy, destination.mapped, rule.real_interface);
        put!(out, ", Translated: ");
        prefixed(out, destination.real);
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
    let (real, mapped) = (service.real, service.mapped);
    match section {
        NatSection::Auto => {
            put_line!(
                out,
                "    Service - Protocol: {name} Real: {real} Mapped: {mapped}"
            );
        }
        // A rule is written as seen from its real side: there a source is real, a destination mapped.
        _ if word == "source" => put_line!(
            out,
            "    Service - Origin: {name} {word} eq {real} , Translated: {name} {word} eq {mapped}"
        ),
        _ => put_line!(
            out,
            "    Service - Origin: {name} {word} eq {mapped} , Translated: {name} {word} eq {real}"
        ),
    }
}

fn mapped_address(out: &mut String, policy: &Policy, mapped: MappedAddress, port: Option<PortId>) {
    match mapped {
        MappedAddress::Range(range) => prefixed(out, range),
        MappedAddress::Interface => {
            let address = policy
                .interfaces
                .iter()
                .find(|interface| Some(interface.port) == port)
                .map_or(Ipv4Addr::UNSPECIFIED, |interface| interface.address);
            put!(out, "{address}/32");
        }
    }
}

fn list(out: &mut String, ranges: &[AddressRange]) {
    for (index, range) in ranges.iter().enumerate() {
        put!(out, "{}", if index > 0 { ", " } else { "" });
        prefixed(out, *range);
    }
}

/// A single address with `/32`, everything else as `show xlate` prints it.
fn prefixed(out: &mut String, addresses: AddressRange) {
    range(out, addresses);
    if addresses.size() == 1 {
        out.push_str("/32");
    }
}

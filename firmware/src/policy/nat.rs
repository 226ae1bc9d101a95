//! Translation rules: objects resolved, and the text that `show nat` prints.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use config::Config;
use config::model::{
    AutoNat, AutoNatKind, DynamicMapping, ManualMapped, ManualNat, ManualSource, MappedAddress,
    NatInterfaces, ObjectAddress, PortMatch, RealAddress, Service,
};
use dataplane::{
    AddressRange, DestinationNat, NatRule, NatSection, PatPool, PerSessionRule, PoolOptions,
    PortId, PortTranslation, SourceNat, StaticNat6,
};

use super::{nat6, port_named, range, transport};

mod source;

pub(crate) use source::statement;

/// All rules, section by section, and their IPv6 sides.
pub(super) fn compile(config: &Config) -> (Vec<NatRule>, Vec<StaticNat6>) {
    let (mut rules, mut sides) = (Vec::new(), Vec::new());
    let mut add = |rule: Option<NatRule>, pairs: nat6::Pairs| {
        if let Some(rule) = rule {
            sides.extend(nat6::sides(rules.len(), &rule, pairs));
            rules.push(rule);
        }
    };
    for rule in &config.nat_before {
        let compiled = manual_rule(config, rule, NatSection::Manual);
        add(compiled, nat6::of_manual(config, rule));
    }
    for (name, object, rule) in config.auto_nat() {
        // An object with an IPv6 address has none of IPv4.
        let real = object.address.and_then(ObjectAddress::range);
        let real = real.map(range).into_iter().collect();
        let compiled = auto_rule(config, name, real, rule);
        add(compiled, nat6::of_object(config, object, rule));
    }
    for rule in &config.nat_after {
        let compiled = manual_rule(config, rule, NatSection::AfterAuto);
        add(compiled, nat6::of_manual(config, rule));
    }
    (rules, sides)
}

fn auto_rule(
    config: &Config,
    object: &str,
    real: Vec<AddressRange>,
    rule: &AutoNat,
) -> Option<NatRule> {
    let interfaces = ports(config, &rule.interfaces)?;
    let (source, service, mut text) = match &rule.kind {
        AutoNatKind::Static { mapped, service } => {
            let (mapped, mapped_text) = match mapped {
                MappedAddress::Address(first) => (span(*first, &real), first.to_string()),
                MappedAddress::Address6(first) => (span(NOWHERE, &real), first.to_string()),
                MappedAddress::Object(name) => (
                    dataplane::MappedAddress::Ranges(ranges(config, name)),
                    name.clone(),
                ),
                MappedAddress::Interface => (
                    dataplane::MappedAddress::Interface,
                    String::from("interface"),
                ),
            };
            let mut text = format!("source static {object} {mapped_text}  ");
            let service = service.map(|service| {
                let name = service.transport.keyword();
                let [real, mapped] = [service.real, service.mapped]
                    .map(|port| config::names::port(service.transport, port));
                text.push_str(&format!(" service {name} {real} {mapped}"));
                PortTranslation {
                    transport: transport(service.transport),
                    real: service.real,
                    mapped: service.mapped,
                    more: 0,
                }
            });
            (SourceNat::Static { real, mapped }, service, text)
        }
        AutoNatKind::Dynamic(mapping) => {
            let (pool, mapped_text) = pool(config, mapping);
            let source = SourceNat::Dynamic { real, pool };
            (
                source,
                None,
                format!("source dynamic {object} {mapped_text}  "),
            )
        }
    };
    for (is_set, word) in [
        (rule.net_to_net, " net-to-net"),
        (rule.dns, " dns"),
        (rule.no_proxy_arp, " no-proxy-arp"),
        (rule.route_lookup, " route-lookup"),
    ] {
        if is_set {
            text.push_str(word);
        }
    }
    Some(NatRule {
        section: NatSection::Auto,
        real_interface: interfaces.0,
        mapped_interface: interfaces.1,
        source,
        service,
        destination: None,
        destination_service: None,
        unidirectional: false,
        no_proxy_arp: rule.no_proxy_arp,
        route_lookup: rule.route_lookup,
        inactive: false,
        dns: rule.dns,
        net_to_net: rule.net_to_net,
        object: object.into(),
        text: String::from(text.trim_end()),
    })
}

fn manual_rule(config: &Config, rule: &ManualNat, section: NatSection) -> Option<NatRule> {
    let interfaces = ports(config, &rule.interfaces)?;
    let (service, destination_service) = services(config, rule);
    let destination = rule.destination.as_ref().map(|destination| {
        let real = real_ranges(config, &destination.real);
        DestinationNat {
            mapped: mapped_ranges(config, &destination.mapped, &real),
            real,
        }
    });
    let source = match &rule.source {
        ManualSource::Static { real, mapped } => {
            let real = real_ranges(config, real);
            SourceNat::Static {
                mapped: mapped_ranges(config, mapped, &real),
                real,
            }
        }
        ManualSource::Dynamic { real, mapped } => SourceNat::Dynamic {
            real: real_ranges(config, real),
            pool: pool(config, mapped).0,
        },
    };
    Some(NatRule {
        section,
        real_interface: interfaces.0,
        mapped_interface: interfaces.1,
        source,
        service,
        destination,
        destination_service,
        unidirectional: rule.unidirectional,
        no_proxy_arp: rule.no_proxy_arp,
        route_lookup: rule.route_lookup,
        inactive: rule.inactive,
        dns: rule.dns,
        net_to_net: rule.net_to_net,
        object: String::new(),
        text: manual_text(config, rule),
    })
}

/// Which translations end with their connection.
pub(super) fn per_session(config: &Config) -> Vec<PerSessionRule> {
    config
        .per_session
        .iter()
        .filter_map(|rule| {
            Some(PerSessionRule {
                action: super::access::action(rule.action),
                transport: transport(rule.transport),
                source: range(rule.source.range()?),
                source_port: super::access::ports(rule.source_port)?,
                destination: range(rule.destination.range()?),
                destination_port: super::access::ports(rule.destination_port)?,
            })
        })
        .collect()
}

/// The ports of `(real,mapped)`; `None` if a named interface is gone.
pub(super) fn ports(
    config: &Config,
    pair: &NatInterfaces,
) -> Option<(Option<PortId>, Option<PortId>)> {
    let port = |name: &Option<String>| match name {
        None => Some(None),
        Some(name) => port_named(config, name).map(Some),
    };
    Some((port(&pair.real)?, port(&pair.mapped)?))
}

fn real_ranges(config: &Config, real: &RealAddress) -> Vec<AddressRange> {
    match real {
        RealAddress::Any => vec![AddressRange::ANY],
        RealAddress::Object(name) => ranges(config, name),
    }
}

/// The mapped side of a static translation of `real`.
fn mapped_ranges(
    config: &Config,
    mapped: &ManualMapped,
    real: &[AddressRange],
) -> dataplane::MappedAddress {
    match mapped {
        ManualMapped::Any => dataplane::MappedAddress::Ranges(real.to_vec()),
        ManualMapped::Interface => dataplane::MappedAddress::Interface,
        ManualMapped::Object(name) => dataplane::MappedAddress::Ranges(ranges(config, name)),
    }
}

fn ranges(config: &Config, name: &str) -> Vec<AddressRange> {
    config.addresses_of(name).into_iter().map(range).collect()
}

/// The addresses from `first` on, as many as `real` has.
fn span(first: Ipv4Addr, real: &[AddressRange]) -> dataplane::MappedAddress {
    let ranges = real.iter().map(|real| {
        let more = real.last.to_bits().saturating_sub(real.first.to_bits());
        let last = Ipv4Addr::from_bits(first.to_bits().saturating_add(more));
        AddressRange { first, last }
    });
    dataplane::MappedAddress::Ranges(ranges.collect())
}

/// Where no address is translated to.
const NOWHERE: Ipv4Addr = Ipv4Addr::UNSPECIFIED;

/// A dynamic mapping with the words that print it.
fn pool(config: &Config, mapping: &DynamicMapping) -> (PatPool, String) {
    match mapping {
        DynamicMapping::Address(address) => (
            PatPool {
                addresses: vec![AddressRange::host(*address)],
                ..PatPool::default()
            },
            address.to_string(),
        ),
        DynamicMapping::Interface => (
            PatPool {
                interface: true,
                ..PatPool::default()
            },
            String::from("interface"),
        ),
        DynamicMapping::Object {
            name,
            interface_fallback,
        } => {
            let mut text = name.clone();
            if *interface_fallback {
                text.push_str(" interface");
            }
            // Ranges are given address by address, hosts are shared when those are gone.
            let (one_to_one, addresses) = ranges(config, name)
                .into_iter()
                .partition(|range| range.size() > 1);
            let pool = PatPool {
                one_to_one,
                addresses,
                interface: *interface_fallback,
                options: PoolOptions::default(),
                name: name.clone(),
            };
            (pool, text)
        }
        DynamicMapping::PatPool(pool) => {
            let mut text = format!("pat-pool {}", pool.name);
            for (is_set, word) in [
                (pool.interface_fallback, " interface"),
                (pool.extended, " extended"),
                (pool.flat, " flat"),
                (pool.include_reserve, " include-reserve"),
                (pool.round_robin, " round-robin"),
            ] {
                if is_set {
                    text.push_str(word);
                }
            }
            let pool = PatPool {
                one_to_one: Vec::new(),
                addresses: ranges(config, &pool.name),
                interface: pool.interface_fallback,
                options: PoolOptions {
                    round_robin: pool.round_robin,
                    extended: pool.extended,
                    flat: pool.flat,
                    include_reserve: pool.include_reserve,
                },
                name: pool.name.clone(),
            };
            (pool, text)
        }
    }
}

/// The source and destination ports that a pair of service objects translates.
fn services(
    config: &Config,
    rule: &ManualNat,
) -> (Option<PortTranslation>, Option<PortTranslation>) {
    let Some(service) = &rule.service else {
        return (None, None);
    };
    let object = |name: &str| match config.services_of(name).first() {
        Some(Service::Ports {
            transport,
            source,
            destination,
        }) => Some((*transport, *source, *destination)),
        _ => None,
    };
    let (Some(first), Some(second)) = (object(&service.real), object(&service.mapped)) else {
        return (None, None);
    };
    let pair = |first: Option<PortMatch>, second: Option<PortMatch>, of| {
        let run = |port| match port {
            Some(PortMatch::Equal(port)) => Some((port, 0)),
            Some(PortMatch::Range(first, last)) => Some((first, last.saturating_sub(first))),
            _ => None,
        };
        let ((real, more), (mapped, others)) = (run(first)?, run(second)?);
        (more == others).then_some(PortTranslation {
            transport: transport(of),
            real,
            mapped,
            more,
        })
    };
    let source = pair(first.1, second.1, first.0);
    // Of destinations the mapped port stands first: it is what arrives on the real interface.
    let destination = pair(second.2, first.2, first.0);
    (source, destination)
}

fn manual_text(config: &Config, rule: &ManualNat) -> String {
    let real_name = |real: &RealAddress| match real {
        RealAddress::Any => String::from("any"),
        RealAddress::Object(name) => name.clone(),
    };
    let mapped_name = |mapped: &ManualMapped| match mapped {
        ManualMapped::Any => String::from("any"),
        ManualMapped::Object(name) => name.clone(),
        ManualMapped::Interface => String::from("interface"),
    };
    let mut text = match &rule.source {
        ManualSource::Static { real, mapped } => {
            format!(
                "source static {} {}  ",
                real_name(real),
                mapped_name(mapped)
            )
        }
        ManualSource::Dynamic { real, mapped } => {
            format!(
                "source dynamic {} {}  ",
                real_name(real),
                pool(config, mapped).1
            )
        }
    };
    if let Some(destination) = &rule.destination {
        let (mapped, real) = (
            mapped_name(&destination.mapped),
            real_name(&destination.real),
        );
        text.push_str(&format!(" destination static {mapped} {real}"));
    }
    if let Some(service) = &rule.service {
        text.push_str(&format!(" service {} {}", service.real, service.mapped));
    }
    for (is_set, word) in [
        (rule.net_to_net, " net-to-net"),
        (rule.dns, " dns"),
        (rule.unidirectional, " unidirectional"),
        (rule.no_proxy_arp, " no-proxy-arp"),
        (rule.route_lookup, " route-lookup"),
        (rule.inactive, " inactive"),
    ] {
        if is_set {
            text.push_str(word);
        }
    }
    if let Some(description) = &rule.description {
        text.push_str(" description ");
        text.push_str(description);
    }
    String::from(text.trim_end())
}

//! Translation rules: objects resolved, and the text that `show nat` prints.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use config::Config;
use config::model::{
    AutoNat, AutoNatKind, DynamicMapping, ManualMapped, ManualNat, ManualSource, MappedAddress,
    NatInterfaces, PortMatch, RealAddress, Service,
};
use dataplane::{
    AddressRange, DestinationNat, NatRule, NatSection, PatPool, PortId, PortTranslation, SourceNat,
};

use super::{port_id, range, transport};

mod source;

pub(crate) use source::statement;

/// All rules, section by section.
pub(super) fn compile(config: &Config) -> Vec<NatRule> {
    let manual = |rules: &[ManualNat], section| -> Vec<NatRule> {
        rules
            .iter()
            .flat_map(|rule| manual_rules(config, rule, section))
            .collect()
    };
    let mut all = manual(&config.nat_before, NatSection::Manual);
    for (name, object, rule) in config.auto_nat() {
        let real = object.address.map(config::model::ObjectAddress::range);
        all.extend(real.and_then(|real| auto_rule(config, name, range(real), rule)));
    }
    all.extend(manual(&config.nat_after, NatSection::AfterAuto));
    all
}

fn auto_rule(config: &Config, object: &str, real: AddressRange, rule: &AutoNat) -> Option<NatRule> {
    let interfaces = ports(config, &rule.interfaces)?;
    let (source, service, mut text) = match &rule.kind {
        AutoNatKind::Static { mapped, service } => {
            let (mapped, mapped_text) = match mapped {
                MappedAddress::Address(first) => (span(*first, real), first.to_string()),
                MappedAddress::Object(name) => {
                    let range = *config.addresses_of(name).first()?;
                    (
                        dataplane::MappedAddress::Range(super::range(range)),
                        name.clone(),
                    )
                }
                MappedAddress::Interface => (
                    dataplane::MappedAddress::Interface,
                    String::from("interface"),
                ),
            };
            let mut text = format!("source static {object} {mapped_text}  ");
            let service = service.map(|service| {
                let name = service.transport.keyword();
                text.push_str(&format!(
                    " service {name} {} {}",
                    service.real, service.mapped
                ));
                PortTranslation {
                    transport: transport(service.transport),
                    real: service.real,
                    mapped: service.mapped,
                }
            });
            (SourceNat::Static { real, mapped }, service, text)
        }
        AutoNatKind::Dynamic(mapping) => {
            let (pool, mapped_text) = pool(config, mapping);
            let source = SourceNat::Dynamic {
                real: vec![real],
                pool,
            };
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

/// A manual rule; one with groups becomes a rule for each pair of members.
fn manual_rules(config: &Config, rule: &ManualNat, section: NatSection) -> Vec<NatRule> {
    let Some(interfaces) = ports(config, &rule.interfaces) else {
        return Vec::new();
    };
    let (service, destination_service) = services(config, rule);
    let destinations: Vec<Option<DestinationNat>> = match &rule.destination {
        None => vec![None],
        Some(destination) => {
            let real = real_ranges(config, &destination.real);
            let mapped = mapped_ranges(config, &destination.mapped, &real);
            real.into_iter()
                .zip(mapped)
                .map(|(real, mapped)| Some(DestinationNat { mapped, real }))
                .collect()
        }
    };
    let sources: Vec<SourceNat> = match &rule.source {
        ManualSource::Static { real, mapped } => {
            let real = real_ranges(config, real);
            let mapped = mapped_ranges(config, mapped, &real);
            real.into_iter()
                .zip(mapped)
                .map(|(real, mapped)| SourceNat::Static { real, mapped })
                .collect()
        }
        ManualSource::Dynamic { real, mapped } => {
            let pool = pool(config, mapped).0;
            vec![SourceNat::Dynamic {
                real: real_ranges(config, real),
                pool,
            }]
        }
    };
    let text = manual_text(config, rule);
    let mut rules = Vec::new();
    for source in sources {
        for &destination in &destinations {
            rules.push(NatRule {
                section,
                real_interface: interfaces.0,
                mapped_interface: interfaces.1,
                source: source.clone(),
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
                text: text.clone(),
            });
        }
    }
    rules
}

/// The ports of `(real,mapped)`; `None` if a named interface is gone.
fn ports(config: &Config, pair: &NatInterfaces) -> Option<(Option<PortId>, Option<PortId>)> {
    let port = |name: &Option<String>| match name {
        None => Some(None),
        Some(name) => config
            .interface_named(name)
            .map(|(number, _)| Some(port_id(number))),
    };
    Some((port(&pair.real)?, port(&pair.mapped)?))
}

fn real_ranges(config: &Config, real: &RealAddress) -> Vec<AddressRange> {
    match real {
        RealAddress::Any => vec![AddressRange::ANY],
        RealAddress::Object(name) => config.addresses_of(name).into_iter().map(range).collect(),
    }
}

/// The mapped side of a static translation, one entry for each of the `real` ranges.
fn mapped_ranges(
    config: &Config,
    mapped: &ManualMapped,
    real: &[AddressRange],
) -> Vec<dataplane::MappedAddress> {
    match mapped {
        ManualMapped::Any => real
            .iter()
            .map(|range| dataplane::MappedAddress::Range(*range))
            .collect(),
        ManualMapped::Interface => vec![dataplane::MappedAddress::Interface; real.len()],
        ManualMapped::Object(name) => config
            .addresses_of(name)
            .into_iter()
            .map(|mapped| dataplane::MappedAddress::Range(range(mapped)))
            .collect(),
    }
}

/// The addresses from `first` on, as many as `real` has.
fn span(first: Ipv4Addr, real: AddressRange) -> dataplane::MappedAddress {
    let more = real.last.to_bits().saturating_sub(real.first.to_bits());
    let last = Ipv4Addr::from_bits(first.to_bits().saturating_add(more));
    dataplane::MappedAddress::Range(AddressRange { first, last })
}

/// A dynamic mapping with the words that print it.
fn pool(config: &Config, mapping: &DynamicMapping) -> (PatPool, String) {
    let named = |name: &str| config.addresses_of(name).into_iter().map(range).collect();
    match mapping {
        DynamicMapping::Address(address) => (
            PatPool {
                addresses: vec![AddressRange::host(*address)],
                interface: false,
            },
            address.to_string(),
        ),
        DynamicMapping::Interface => (
            PatPool {
                addresses: Vec::new(),
                interface: true,
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
            (
                PatPool {
                    addresses: named(name),
                    interface: *interface_fallback,
                },
                text,
            )
        }
        DynamicMapping::PatPool(pool) => {
            let mut text = format!("pat-pool {}", pool.name);
            for (is_set, word) in [
                (pool.extended, " extended"),
                (pool.flat, " flat"),
                (pool.include_reserve, " include-reserve"),
                (pool.round_robin, " round-robin"),
                (pool.interface_fallback, " interface"),
            ] {
                if is_set {
                    text.push_str(word);
                }
            }
            (
                PatPool {
                    addresses: named(&pool.name),
                    interface: pool.interface_fallback,
                },
                text,
            )
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
    let pair = |first: Option<PortMatch>, second: Option<PortMatch>, of| match (first, second) {
        (Some(PortMatch::Equal(one)), Some(PortMatch::Equal(other))) => Some(PortTranslation {
            transport: transport(of),
            real: one,
            mapped: other,
        }),
        _ => None,
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

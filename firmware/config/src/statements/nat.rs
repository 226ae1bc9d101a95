//! Translation rules. Their restrictions are checked again whenever an address, an object or a group
//! they depend on changes, so that a configuration that prints can always be read back.

use super::family::Family;
use super::object::current;
use super::{Change, invalid, refusing, row, usage, word};
use crate::mode::{GLOBAL, Mode, NETWORK_OBJECT};
use crate::model::{
    AddressRange, AutoNat, AutoNatKind, Config, DynamicMapping, ManualDestination, ManualMapped,
    ManualNat, ManualService, ManualSource, MappedAddress, NatInterfaces, NetworkMember,
    NetworkObject, ObjectAddress, PatPool, PortMatch, PortTranslation, RealAddress, Service,
    Transport,
};
use crate::print;
use crate::refusal::{Notice, Refusal, Thing};
use alloc::vec::Vec;
use cli::grammar::{Captures, No};
use core::net::Ipv4Addr;

pub(super) const NAT: Family = Family {
    keyword: "nat",
    help: "Translation rules",
    rows: &[
        row(
        NETWORK_OBJECT,
        "nat [<interfaces:pair>] { static { interface | <mapped> } [net-to-net] [dns] \
         [service { tcp | udp } <real-port:port> <mapped-port:port>] [no-proxy-arp] [route-lookup] \
         | dynamic { interface | pat-pool <pool> { round-robin | extended | flat [include-reserve] \
         | interface }*@pool | <mapped> [interface]@fallback } [dns] }",
        No::Syntax("nat [<interfaces:pair>] [{ static | dynamic } <rest:text>]"),
        &[
            ("nat", "Translate the addresses of the object"),
            ("interfaces", "Real and mapped interface"),
            ("static", "One to one, both ways"),
            ("dynamic", "Many to few, opened from the real side"),
            ("interface", "The address of the mapped interface"),
            ("mapped", "Mapped address or object"),
            ("net-to-net", "Network to network"),
            ("dns", "Rewrite DNS answers as well"),
            ("service", "Translate one port only"),
            ("tcp", "TCP"),
            ("udp", "UDP"),
            ("real-port", "Port the host listens on"),
            ("mapped-port", "Port seen on the mapped side"),
            ("no-proxy-arp", "Do not answer ARP for the mapped address"),
            (
                "route-lookup",
                "Find the egress interface by the route table",
            ),
            ("pat-pool", "A pool of addresses shared by port"),
            ("pool", "Object or group of the pool"),
            ("round-robin", "Take the addresses in turn"),
            ("extended", "Ports are unique per destination"),
            ("flat", "Use the port range 1024-65535 as a whole"),
            ("include-reserve", "Use ports below 1024 as well"),
            ("rest", "The rule to remove"),
        ],
        auto,
    ).example("nat (inside,outside) static 203.0.113.10"),
        row(
        GLOBAL,
        "nat [<interfaces:pair>] [{ after-auto [<line:1-2147483647>] | <line:1-2147483647> }] source \
         { static <real> { interface | <mapped> } \
         | dynamic <real> { interface | pat-pool <pool> { round-robin | extended \
         | flat [include-reserve] | interface }*@pool | <mapped> [interface]@fallback } } \
         [destination static { interface | <mapped> }@to <to-real>] \
         [service <service-real> <service-mapped>] \
         { net-to-net | dns | unidirectional | no-proxy-arp | route-lookup | inactive }* \
         [description <description:text>]",
        No::Same,
        &[
            ("nat", "Translate source and destination together"),
            ("after-auto", "After the rules of the objects"),
            ("line", "Insert at this place of the section"),
            ("source", "Source translation"),
            ("real", "Real object or group, or any"),
            ("destination", "Destination translation"),
            ("to-real", "Real object or group"),
            ("service", "Port translation by service objects"),
            ("service-real", "Real source or mapped destination service"),
            (
                "service-mapped",
                "Mapped source or real destination service",
            ),
            (
                "unidirectional",
                "Translate flows opened from the real side only",
            ),
            ("inactive", "Switch the rule off"),
            ("description", "Description of the rule"),
        ],
        manual,
    ).example("nat (inside,outside) source static IMP IMP-PUBLIC service SIP5062 SIPS"),
        refusing(
        GLOBAL,
        "nat <brackets> <id:0-2147483647> <old-rule:text>",
        &[
            ("brackets", "The old form names one interface"),
            ("id", "Number of the old form"),
            ("old-rule", "Rule of the old form"),
        ],
        old_nat,
    ).example("nat (inside) 1 10.20.0.0 255.255.255.0"),
        refusing(
        GLOBAL,
        "global <brackets> <old-rule:text>",
        &[("global", "Old form of a mapped address (not supported)")],
        old_global,
    ).example("global (outside) 1 203.0.113.10"),
        refusing(
        GLOBAL,
        "static <interfaces:pair> <old-rule:text>",
        &[("static", "Old form of a static translation (not supported)")],
        old_static,
    ).example("static (inside,outside) 203.0.113.10 10.20.0.11"),
    ],
    print: print::access::nat,
    clear: Some(clear_nat),
    ..Family::EMPTY
};

fn auto(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    if captures.negated() {
        let (_, object) = current!(change, NetworkObject, network_objects);
        return change.outcome.removed(object.nat.take());
    }
    let kind = if captures.has("static") {
        let mapped = match captures.word("mapped") {
            None => MappedAddress::Interface,
            Some(name) => match name.parse::<Ipv4Addr>() {
                Ok(address) => MappedAddress::Address(address),
                Err(_) => MappedAddress::Object(name.into()),
            },
        };
        let service = match (captures.port("real-port"), captures.port("mapped-port")) {
            (Some(real), Some(mapped)) => {
                let transport = if captures.has("tcp") {
                    Transport::Tcp
                } else {
                    Transport::Udp
                };
                Some(PortTranslation {
                    transport,
                    real,
                    mapped,
                })
            }
            _ => None,
        };
        AutoNatKind::Static { mapped, service }
    } else {
        AutoNatKind::Dynamic(dynamic(captures, true)?)
    };
    let rule = AutoNat {
        interfaces: interfaces(captures),
        kind,
        net_to_net: captures.has("net-to-net"),
        dns: captures.has("dns"),
        no_proxy_arp: captures.has("no-proxy-arp"),
        route_lookup: captures.has("route-lookup"),
    };
    let (name, object) = current!(change, NetworkObject, network_objects);
    let object: NetworkObject = object.clone();
    check_auto(change.config, &name, &object, &rule)?;
    if let Some(object) = change.config.network_objects.get_mut(&name) {
        change.outcome.set(&mut object.nat, Some(rule));
    }
    Ok(())
}

fn manual(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let real = real_address(word(captures, "real")?);
    let source = if captures.has("static") && !captures.has("dynamic") {
        ManualSource::Static {
            real,
            mapped: mapped_address(captures),
        }
    } else {
        ManualSource::Dynamic {
            real,
            mapped: dynamic(captures, false)?,
        }
    };
    let to = captures.group("to");
    let destination = (!to.is_empty())
        .then(|| -> Result<_, Refusal> {
            let real = real_address(word(captures, "to-real")?);
            Ok(ManualDestination {
                mapped: mapped_address(&to),
                real,
            })
        })
        .transpose()?;
    let service = match (
        captures.word("service-real"),
        captures.word("service-mapped"),
    ) {
        (Some(real), Some(mapped)) => Some(ManualService {
            real: real.into(),
            mapped: mapped.into(),
        }),
        _ => None,
    };
    let rule = ManualNat {
        interfaces: interfaces(captures),
        source,
        destination,
        service,
        net_to_net: captures.has("net-to-net"),
        dns: captures.has("dns"),
        unidirectional: captures.has("unidirectional"),
        no_proxy_arp: captures.has("no-proxy-arp"),
        route_lookup: captures.has("route-lookup"),
        inactive: captures.has("inactive"),
        description: captures.text("description").map(Into::into),
    };
    if !captures.negated() {
        check_manual(change.config, &rule)?;
    }
    let after_auto = captures.has("after-auto");
    let section = if after_auto {
        &mut change.config.nat_after
    } else {
        &mut change.config.nat_before
    };
    let present = section
        .iter()
        .position(|present| same_translation(present, &rule));
    if captures.negated() {
        section.remove(present.ok_or(Refusal::NothingToRemove)?);
        change.outcome.changed = true;
        return Ok(());
    }
    if let Some(present) = present.and_then(|at| section.get_mut(at)) {
        // The same translation again may still change its activity or description.
        change.outcome.set(present, rule);
        if !change.outcome.changed {
            change.notice(Notice::Duplicate("nat".into()));
        }
        return Ok(());
    }
    let at = captures
        .number("line")
        .map_or(usize::MAX, |line| line.saturating_sub(1) as usize);
    section.insert(at.min(section.len()), rule);
    change.outcome.changed = true;
    Ok(())
}

fn same_translation(first: &ManualNat, second: &ManualNat) -> bool {
    let core = |rule: &ManualNat| ManualNat {
        inactive: false,
        description: None,
        ..rule.clone()
    };
    // What differs most often is looked at first: a section may hold thousands of rules.
    first.source == second.source
        && first.interfaces == second.interfaces
        && core(first) == core(second)
}

fn old_nat(captures: &Captures<'_>) -> Refusal {
    match captures.word("brackets") {
        Some(brackets) if brackets.contains(',') => invalid(captures, "old-rule"),
        _ => old_global(captures),
    }
}

fn old_global(_: &Captures<'_>) -> Refusal {
    Refusal::OldNat("object network NAME / nat (real,mapped) dynamic ADDRESS")
}

fn old_static(_: &Captures<'_>) -> Refusal {
    Refusal::OldNat("nat (real,mapped) source static REAL MAPPED service REAL MAPPED")
}

fn clear_nat(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let (config, outcome) = (&mut *change.config, &mut change.outcome);
    outcome.set(&mut config.nat_before, Vec::new());
    outcome.set(&mut config.nat_after, Vec::new());
    for object in config.network_objects.values_mut() {
        outcome.set(&mut object.nat, None);
    }
    Ok(())
}

fn interfaces(captures: &Captures<'_>) -> NatInterfaces {
    let name = |name: &str| (name != "any").then(|| name.into());
    match captures.pair("interfaces") {
        Some((real, mapped)) => NatInterfaces {
            real: name(real),
            mapped: name(mapped),
        },
        None => NatInterfaces::default(),
    }
}

fn real_address(name: &str) -> RealAddress {
    if name == "any" {
        RealAddress::Any
    } else {
        RealAddress::Object(name.into())
    }
}

fn mapped_address(captures: &Captures<'_>) -> ManualMapped {
    match captures.word("mapped") {
        None => ManualMapped::Interface,
        Some("any") => ManualMapped::Any,
        Some(name) => ManualMapped::Object(name.into()),
    }
}

fn dynamic(captures: &Captures<'_>, address_allowed: bool) -> Result<DynamicMapping, Refusal> {
    if let Some(name) = captures.word("pool") {
        let options = captures.group("pool");
        return Ok(DynamicMapping::PatPool(PatPool {
            name: name.into(),
            round_robin: options.has("round-robin"),
            extended: options.has("extended"),
            flat: options.has("flat"),
            include_reserve: options.has("include-reserve"),
            interface_fallback: options.has("interface"),
        }));
    }
    let Some(name) = captures.word("mapped") else {
        return Ok(DynamicMapping::Interface);
    };
    let interface_fallback = captures.has("fallback.interface");
    match name.parse::<Ipv4Addr>() {
        Ok(_) if interface_fallback => Err(Refusal::Combination("an address", "interface")),
        Ok(address) if address_allowed => Ok(DynamicMapping::Address(address)),
        _ => Ok(DynamicMapping::Object {
            name: name.into(),
            interface_fallback,
        }),
    }
}

/// Checks the translations that depend on the network object or group `name`.
pub(super) fn check_network(config: &Config, name: &str) -> Result<(), Refusal> {
    let names = usage::with_holders(config, name);
    let is_name = |used: &str| names.contains(used);
    for (object_name, object) in &config.network_objects {
        if let Some(rule) = &object.nat
            && (object_name == name || usage::auto_uses(rule, &is_name))
        {
            check_auto(config, object_name, object, rule)?;
        }
    }
    usage::manual_rules(config)
        .filter(|rule| usage::manual_uses(rule, &is_name))
        .try_for_each(|rule| check_manual(config, rule))
}

/// Checks the translations that depend on the service object `name`.
pub(super) fn check_service(config: &Config, name: &str) -> Result<(), Refusal> {
    usage::manual_rules(config)
        .filter(|rule| usage::service_used(rule, name))
        .try_for_each(|rule| check_manual(config, rule))
}

/// Checks every translation against the rest of the configuration.
pub(super) fn check_all(config: &Config) -> Result<(), Refusal> {
    for (name, object) in &config.network_objects {
        if let Some(rule) = &object.nat {
            check_auto(config, name, object, rule)?;
        }
    }
    config
        .nat_before
        .iter()
        .chain(&config.nat_after)
        .try_for_each(|rule| check_manual(config, rule))
}

fn check_auto(
    config: &Config,
    name: &str,
    object: &NetworkObject,
    rule: &AutoNat,
) -> Result<(), Refusal> {
    let Some(real) = object.address else {
        return Err(Refusal::NoAddress(name.into()));
    };
    check_interfaces(config, &rule.interfaces)?;
    match &rule.kind {
        AutoNatKind::Static { mapped, service } => {
            if rule.dns && service.is_some() {
                return Err(Refusal::Combination("dns", "service"));
            }
            match mapped {
                MappedAddress::Interface => check_mapped_interface(&rule.interfaces.mapped),
                MappedAddress::Address(address) => {
                    let range = AddressRange::host(*address);
                    let identity = real.range() == range;
                    check_static_mapped(config, &rule.interfaces, &[range], identity)
                }
                MappedAddress::Object(name) => {
                    let ranges = addresses(config, name)?;
                    let identity = ranges.as_slice() == [real.range()];
                    check_static_mapped(config, &rule.interfaces, &ranges, identity)
                }
            }
        }
        AutoNatKind::Dynamic(mapping) => check_dynamic(config, &rule.interfaces, mapping),
    }
}

fn check_manual(config: &Config, rule: &ManualNat) -> Result<(), Refusal> {
    check_interfaces(config, &rule.interfaces)?;
    match &rule.source {
        ManualSource::Static { real, mapped } => {
            let real_ranges = real_ranges(config, real)?;
            match mapped {
                ManualMapped::Any => {}
                ManualMapped::Interface => check_mapped_interface(&rule.interfaces.mapped)?,
                ManualMapped::Object(name) => {
                    let ranges = addresses(config, name)?;
                    let identity = ranges == real_ranges;
                    check_static_mapped(config, &rule.interfaces, &ranges, identity)?;
                }
            }
        }
        ManualSource::Dynamic { real, mapped } => {
            real_ranges(config, real)?;
            check_dynamic(config, &rule.interfaces, mapped)?;
        }
    }
    if let Some(destination) = &rule.destination {
        real_ranges(config, &destination.real)?;
        match &destination.mapped {
            ManualMapped::Any => {}
            ManualMapped::Interface => check_mapped_interface(&rule.interfaces.real)?,
            ManualMapped::Object(name) => {
                addresses(config, name)?;
            }
        }
    }
    if let Some(service) = &rule.service {
        let real = nat_service(config, &service.real)?;
        let mapped = nat_service(config, &service.mapped)?;
        if real != mapped {
            return Err(Refusal::NatServiceMismatch);
        }
    }
    Ok(())
}

fn check_interfaces(config: &Config, interfaces: &NatInterfaces) -> Result<(), Refusal> {
    for name in [&interfaces.real, &interfaces.mapped].into_iter().flatten() {
        if config.interface_named(name).is_none() {
            return Err(Refusal::Missing(Thing::Interface, name.clone()));
        }
    }
    Ok(())
}

fn check_mapped_interface(mapped: &Option<alloc::string::String>) -> Result<(), Refusal> {
    if mapped.is_some() {
        Ok(())
    } else {
        Err(Refusal::MappedInterfaceUnnamed)
    }
}

/// Addresses of the interfaces a rule maps to, with their names.
fn interface_addresses<'a>(
    config: &'a Config,
    interfaces: &'a NatInterfaces,
) -> impl Iterator<Item = (&'a str, Ipv4Addr)> {
    config.interfaces.values().filter_map(|interface| {
        let nameif = interface.nameif.as_deref()?;
        let wanted = interfaces
            .mapped
            .as_deref()
            .is_none_or(|mapped| mapped == nameif);
        wanted.then_some((nameif, interface.address?.address()))
    })
}

/// A single mapped host must not be the interface itself, which would then lose its own traffic.
/// Identity rules and whole networks may contain it.
fn check_static_mapped(
    config: &Config,
    interfaces: &NatInterfaces,
    ranges: &[AddressRange],
    identity: bool,
) -> Result<(), Refusal> {
    if identity {
        return Ok(());
    }
    let hosts = ranges.iter().filter(|range| range.size() == 1).copied();
    avoid_interface(config, interfaces, hosts)
}

fn avoid_interface(
    config: &Config,
    interfaces: &NatInterfaces,
    ranges: impl Iterator<Item = AddressRange>,
) -> Result<(), Refusal> {
    for range in ranges {
        let hit =
            interface_addresses(config, interfaces).find(|(_, address)| range.contains(*address));
        if let Some((nameif, address)) = hit {
            return Err(Refusal::MappedIsInterface {
                address,
                nameif: nameif.into(),
            });
        }
    }
    Ok(())
}

fn check_dynamic(
    config: &Config,
    interfaces: &NatInterfaces,
    mapping: &DynamicMapping,
) -> Result<(), Refusal> {
    let (name, interface_used) = match mapping {
        DynamicMapping::Interface => return check_mapped_interface(&interfaces.mapped),
        DynamicMapping::Address(address) => {
            let range = AddressRange::host(*address);
            return avoid_interface(config, interfaces, [range].into_iter());
        }
        DynamicMapping::Object {
            name,
            interface_fallback,
        } => (name, *interface_fallback),
        DynamicMapping::PatPool(pool) => (&pool.name, pool.interface_fallback),
    };
    let ranges = addresses(config, name)?;
    if holds_subnet(config, name) {
        return Err(Refusal::MappedSubnet(name.clone()));
    }
    if ranges.contains(&AddressRange::EVERYTHING) {
        return Err(Refusal::MappedNotHost(name.clone()));
    }
    if interface_used {
        check_mapped_interface(&interfaces.mapped)?;
    }
    avoid_interface(config, interfaces, ranges.into_iter())
}

fn real_ranges(config: &Config, real: &RealAddress) -> Result<Vec<AddressRange>, Refusal> {
    match real {
        RealAddress::Any => Ok(Vec::from([AddressRange::EVERYTHING])),
        RealAddress::Object(name) => addresses(config, name),
    }
}

/// The addresses of an object or group that must have some.
fn addresses(config: &Config, name: &str) -> Result<Vec<AddressRange>, Refusal> {
    let exists =
        config.network_objects.contains_key(name) || config.network_groups.contains_key(name);
    if !exists {
        return Err(Refusal::Missing(Thing::Object, name.into()));
    }
    let ranges = config.addresses_of(name);
    if ranges.is_empty() {
        Err(Refusal::NoAddress(name.into()))
    } else {
        Ok(ranges)
    }
}

fn holds_subnet(config: &Config, name: &str) -> bool {
    if let Some(object) = config.network_objects.get(name) {
        return matches!(object.address, Some(ObjectAddress::Subnet(_)));
    }
    config.network_groups.get(name).is_some_and(|group| {
        group.members.iter().any(|member| match member {
            NetworkMember::Subnet(_) => true,
            NetworkMember::Host(_) => false,
            NetworkMember::Object(name) | NetworkMember::Group(name) => holds_subnet(config, name),
        })
    })
}

/// Protocol, side and number of ports of a service object, which the two of a rule must share.
fn nat_service(config: &Config, name: &str) -> Result<(Transport, bool, u16), Refusal> {
    let object = config.service_objects.get(name);
    let object = object.ok_or_else(|| Refusal::Missing(Thing::Object, name.into()))?;
    let bad = || Refusal::BadNatService(name.into());
    let (transport, is_source, port) = match object.service {
        Some(Service::Ports {
            transport,
            source: Some(port),
            destination: None,
        }) => (transport, true, port),
        Some(Service::Ports {
            transport,
            source: None,
            destination: Some(port),
        }) => (transport, false, port),
        _ => return Err(bad()),
    };
    match port {
        PortMatch::Equal(_) => Ok((transport, is_source, 1)),
        PortMatch::Range(first, last) => {
            Ok((transport, is_source, (last - first).saturating_add(1)))
        }
        PortMatch::NotEqual(_) | PortMatch::Less(_) | PortMatch::Greater(_) => Err(bad()),
    }
}

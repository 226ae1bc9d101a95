//! What translation rules must not say. It is checked again whenever an address, an object or a group
//! they depend on changes, so that a configuration that prints can always be read back.

use super::{nat6_check, usage};
use crate::model::{
    AddressRange, AutoNat, AutoNatKind, Config, DynamicMapping, ManualMapped, ManualNat,
    ManualSource, MappedAddress, NatInterfaces, NetworkMember, NetworkObject, ObjectAddress,
    PatPool, PortMatch, RealAddress, Service, Transport,
};
use crate::refusal::{Refusal, Thing};
use alloc::vec::Vec;
use core::net::Ipv4Addr;

/// The most addresses of one pool that are shared by port; each takes memory for its ports.
const POOL_ADDRESSES_MAX: u64 = 256;

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

pub(super) fn check_auto(
    config: &Config,
    name: &str,
    object: &NetworkObject,
    rule: &AutoNat,
) -> Result<(), Refusal> {
    let Some(real) = object.address else {
        return Err(Refusal::NoAddress(name.into()));
    };
    check_interfaces(config, &rule.interfaces)?;
    let Some(real) = real.range() else {
        return nat6_check::check_auto(config, real, rule);
    };
    match &rule.kind {
        AutoNatKind::Static { mapped, service } => {
            if rule.dns && service.is_some() {
                return Err(Refusal::Combination("dns", "service"));
            }
            let identity = match mapped {
                MappedAddress::Interface => {
                    check_mapped_interface(&rule.interfaces.mapped)?;
                    false
                }
                MappedAddress::Address6(_) => return Err(nat6_check::OTHER_FAMILY),
                MappedAddress::Address(address) => {
                    // Of a network the address is the first of as many.
                    let identity = real.first == *address;
                    let range = AddressRange::host(*address);
                    check_static_mapped(config, &rule.interfaces, &[range], identity)?;
                    identity
                }
                MappedAddress::Object(name) => {
                    let ranges = addresses(config, name)?;
                    let identity = ranges.as_slice() == [real];
                    check_static_mapped(config, &rule.interfaces, &ranges, identity)?;
                    identity
                }
            };
            check_route_lookup(rule.route_lookup, identity)
        }
        AutoNatKind::Dynamic(mapping) => {
            check_dynamic(config, &rule.interfaces, mapping)?;
            check_pool_options(config, mapping, Some(name))
        }
    }
}

pub(super) fn check_manual(config: &Config, rule: &ManualNat) -> Result<(), Refusal> {
    check_interfaces(config, &rule.interfaces)?;
    if config.is_of_ipv6(rule) {
        return nat6_check::check_manual(config, rule);
    }
    let identity = match &rule.source {
        ManualSource::Static { real, mapped } => {
            let real_ranges = real_ranges(config, real)?;
            match mapped {
                ManualMapped::Any => true,
                ManualMapped::Interface => {
                    check_mapped_interface(&rule.interfaces.mapped)?;
                    false
                }
                ManualMapped::Object(name) => {
                    let ranges = addresses(config, name)?;
                    let identity = ranges == real_ranges;
                    check_static_mapped(config, &rule.interfaces, &ranges, identity)?;
                    identity
                }
            }
        }
        ManualSource::Dynamic { real, mapped } => {
            real_ranges(config, real)?;
            check_dynamic(config, &rule.interfaces, mapped)?;
            check_pool_options(config, mapped, None)?;
            false
        }
    };
    check_route_lookup(rule.route_lookup, identity)?;
    for (is_set, word) in [
        (rule.destination.is_some(), "destination"),
        (rule.service.is_some(), "service"),
    ] {
        if rule.dns && is_set {
            return Err(Refusal::Combination("dns", word));
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
        let (_, is_source, _) = real;
        if is_source && matches!(rule.source, ManualSource::Dynamic { .. }) {
            return Err(Refusal::Combination(
                "dynamic",
                "a service by its source port",
            ));
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

/// Where an address does not change, the rule need not say where it is.
pub(super) fn check_route_lookup(is_set: bool, identity: bool) -> Result<(), Refusal> {
    if is_set && !identity {
        Err(Refusal::OnlyIdentity("route-lookup"))
    } else {
        Ok(())
    }
}

/// The pool of a rule must be shared as other rules share it: a port is taken for everybody, or
/// it is not. `own` is the object whose rule is being replaced.
fn check_pool_options(
    config: &Config,
    mapping: &DynamicMapping,
    own: Option<&str>,
) -> Result<(), Refusal> {
    let DynamicMapping::PatPool(pool) = mapping else {
        return Ok(());
    };
    let options = |pool: &PatPool| {
        (
            pool.round_robin,
            pool.extended,
            pool.flat,
            pool.include_reserve,
        )
    };
    let of_objects = config
        .network_objects
        .iter()
        .filter(|(name, _)| Some(name.as_str()) != own)
        .filter_map(|(_, object)| match &object.nat.as_ref()?.kind {
            AutoNatKind::Dynamic(mapping) => Some(mapping),
            AutoNatKind::Static { .. } => None,
        });
    let of_rules = usage::manual_rules(config).filter_map(|rule| match &rule.source {
        ManualSource::Dynamic { mapped, .. } => Some(mapped),
        ManualSource::Static { .. } => None,
    });
    let differs = of_objects.chain(of_rules).any(|other| {
        matches!(other, DynamicMapping::PatPool(other)
            if other.name == pool.name && options(other) != options(pool))
    });
    if differs {
        Err(Refusal::PoolOptionsDiffer(pool.name.clone()))
    } else {
        Ok(())
    }
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
                address: address.into(),
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
        DynamicMapping::PatPool(pool) => {
            if pool.extended && pool.interface_fallback {
                return Err(Refusal::Combination("extended", "interface"));
            }
            (&pool.name, pool.interface_fallback)
        }
    };
    let ranges = addresses(config, name)?;
    let is_shared =
        |range: &&AddressRange| matches!(mapping, DynamicMapping::PatPool(_)) || range.size() == 1;
    let shared: u64 = ranges
        .iter()
        .filter(is_shared)
        .map(|range| range.size())
        .sum();
    if holds_subnet(config, name) {
        return Err(Refusal::MappedSubnet(name.clone()));
    }
    if ranges.contains(&AddressRange::EVERYTHING) {
        return Err(Refusal::MappedNotHost(name.clone()));
    }
    if shared > POOL_ADDRESSES_MAX {
        return Err(Refusal::PoolTooLarge(name.clone(), POOL_ADDRESSES_MAX));
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
    if !config.addresses6_of(name).is_empty() {
        Err(nat6_check::OTHER_FAMILY)
    } else if ranges.is_empty() {
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
            NetworkMember::Subnet(_) | NetworkMember::Subnet6(_) => true,
            NetworkMember::Host(_) | NetworkMember::Host6(_) => false,
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

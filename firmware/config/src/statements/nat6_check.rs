//! What translation rules of IPv6 addresses must not say: they are static, one to one, and change
//! nothing but the source.

use super::nat_check::check_route_lookup;
use crate::model::{
    AddressRange6, AutoNat, AutoNatKind, Config, ManualMapped, ManualNat, ManualSource,
    MappedAddress, NatInterfaces, ObjectAddress, RealAddress,
};
use crate::refusal::{Refusal, Thing};
use alloc::vec;
use alloc::vec::Vec;

/// For a rule that would share IPv6 addresses.
pub(super) const DYNAMIC: Refusal = Refusal::Unsupported("A dynamic translation of IPv6 addresses");
/// For a rule between the families.
pub(super) const OTHER_FAMILY: Refusal =
    Refusal::Unsupported("A translation between IPv4 and IPv6 addresses");
const MORE_THAN_SOURCE: Refusal = Refusal::Unsupported(
    "A translation of IPv6 addresses with destination, service, dns or unidirectional",
);
const INTERFACE: Refusal =
    Refusal::Unsupported("A translation of IPv6 addresses to that of the interface");
const SIZES: Refusal =
    Refusal::Unsupported("A translation of IPv6 addresses to more or fewer of them");

/// Checks the rule of an object with the IPv6 address `real`.
pub(super) fn check_auto(
    config: &Config,
    real: ObjectAddress,
    rule: &AutoNat,
) -> Result<(), Refusal> {
    let Some(real) = real.range6() else {
        return Err(OTHER_FAMILY);
    };
    let AutoNatKind::Static { mapped, service } = &rule.kind else {
        return Err(DYNAMIC);
    };
    if service.is_some() || rule.dns {
        return Err(MORE_THAN_SOURCE);
    }
    let mapped = match mapped {
        MappedAddress::Interface => return Err(INTERFACE),
        MappedAddress::Address(_) => return Err(OTHER_FAMILY),
        MappedAddress::Address6(first) => vec![real.moved_to(*first).ok_or(SIZES)?],
        MappedAddress::Object(name) => addresses(config, name)?,
    };
    check_route_lookup(rule.route_lookup, mapped == [real])?;
    check_pairs(config, &rule.interfaces, &[real], &mapped)
}

/// Checks a manual rule of which some real addresses are of IPv6.
pub(super) fn check_manual(config: &Config, rule: &ManualNat) -> Result<(), Refusal> {
    let ManualSource::Static { real, mapped } = &rule.source else {
        return Err(DYNAMIC);
    };
    let is_more = rule.destination.is_some() || rule.service.is_some() || rule.dns;
    if is_more || rule.unidirectional {
        return Err(MORE_THAN_SOURCE);
    }
    let RealAddress::Object(name) = real else {
        return Err(OTHER_FAMILY);
    };
    let real = addresses(config, name)?;
    let mapped = match mapped {
        ManualMapped::Any => real.clone(),
        ManualMapped::Interface => return Err(INTERFACE),
        ManualMapped::Object(name) => addresses(config, name)?,
    };
    check_route_lookup(rule.route_lookup, mapped == real)?;
    check_pairs(config, &rule.interfaces, &real, &mapped)
}

/// Range by range as many addresses, and none of them that of the interface itself.
fn check_pairs(
    config: &Config,
    interfaces: &NatInterfaces,
    real: &[AddressRange6],
    mapped: &[AddressRange6],
) -> Result<(), Refusal> {
    let is_even = real.len() == mapped.len()
        && real
            .iter()
            .zip(mapped)
            .all(|(real, mapped)| real.more() == mapped.more());
    if !is_even {
        return Err(SIZES);
    }
    if real == mapped {
        return Ok(());
    }
    let wanted = interfaces.mapped.as_deref();
    for interface in config.interfaces.values() {
        let Some(nameif) = interface.nameif.as_deref() else {
            continue;
        };
        if wanted.is_some_and(|wanted| wanted != nameif) {
            continue;
        }
        let own = interface.ipv6.addresses.iter();
        let mut own = own.map(|own| own.prefix.address);
        let hosts = || mapped.iter().filter(|range| range.more() == 0);
        if let Some(address) = own.find(|own| hosts().any(|range| range.first == *own)) {
            return Err(Refusal::MappedIsInterface {
                address: address.into(),
                nameif: nameif.into(),
            });
        }
    }
    Ok(())
}

/// The addresses of an object or group that must have some, all of IPv6.
fn addresses(config: &Config, name: &str) -> Result<Vec<AddressRange6>, Refusal> {
    let exists =
        config.network_objects.contains_key(name) || config.network_groups.contains_key(name);
    if !exists {
        return Err(Refusal::Missing(Thing::Object, name.into()));
    }
    if !config.addresses_of(name).is_empty() {
        return Err(OTHER_FAMILY);
    }
    let ranges = config.addresses6_of(name);
    if ranges.is_empty() {
        return Err(Refusal::NoAddress(name.into()));
    }
    Ok(ranges)
}

//! Translation rules of IPv6 addresses: static ones, paired range by range.
//!
//! Such a rule is among the others without IPv4 addresses, which gives it its place, its number and its
//! counters; here stand the addresses it is about.

use alloc::vec::Vec;

use config::Config;
use config::model::{
    AddressRange6, AutoNat, AutoNatKind, ManualMapped, ManualNat, ManualSource, MappedAddress,
    NetworkObject, ObjectAddress, RealAddress,
};
use dataplane::{NatRule, StaticNat6};

use super::access::range6;

/// The IPv6 sides of the rule that stands at `number`.
pub(super) fn sides(
    number: usize,
    rule: &NatRule,
    pairs: Pairs,
) -> impl Iterator<Item = StaticNat6> {
    let (real, mapped) = match rule.inactive {
        true => Pairs::default(),
        false => pairs,
    };
    let interfaces = (rule.real_interface, rule.mapped_interface);
    let no_proxy = rule.no_proxy_arp;
    real.into_iter()
        .zip(mapped)
        .map(move |(real, mapped)| StaticNat6 {
            rule: number,
            real_interface: interfaces.0,
            mapped_interface: interfaces.1,
            real: range6(real),
            mapped: range6(mapped),
            no_proxy,
        })
}

/// Real and mapped ranges, one beside the other; none of a rule of IPv4.
pub(super) type Pairs = (Vec<AddressRange6>, Vec<AddressRange6>);

/// Those of a manual rule.
pub(super) fn of_manual(config: &Config, rule: &ManualNat) -> Pairs {
    let ManualSource::Static {
        real: RealAddress::Object(real),
        mapped,
    } = &rule.source
    else {
        return Pairs::default();
    };
    let real = config.addresses6_of(real);
    let mapped = match mapped {
        ManualMapped::Any => real.clone(),
        ManualMapped::Object(name) => config.addresses6_of(name),
        ManualMapped::Interface => Vec::new(),
    };
    (real, mapped)
}

/// Those of the rule of an object.
pub(super) fn of_object(config: &Config, object: &NetworkObject, rule: &AutoNat) -> Pairs {
    let real = object.address.and_then(ObjectAddress::range6);
    let (Some(real), AutoNatKind::Static { mapped, .. }) = (real, &rule.kind) else {
        return Pairs::default();
    };
    let mapped = match mapped {
        MappedAddress::Address6(first) => real.moved_to(*first).into_iter().collect(),
        MappedAddress::Object(name) => config.addresses6_of(name),
        MappedAddress::Address(_) | MappedAddress::Interface => Vec::new(),
    };
    (Vec::from([real]), mapped)
}

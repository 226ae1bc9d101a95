//! Translation rules of IPv6 addresses: static ones, paired range by range.
//!
//! Such a rule is among the others without IPv4 addresses, which gives it its place, its number and its
//! counters; here stand the addresses it is about.

use alloc::vec::Vec;

use config::Config;
use config::model::{
    AddressRange6, AutoNatKind, ManualMapped, ManualNat, ManualSource, MappedAddress, RealAddress,
};
use dataplane::{NatRule, NatSection, StaticNat6};

use super::access::range6;

/// The IPv6 sides of `rules`, which were compiled from `config`, in the order they are tried.
pub(super) fn compile(config: &Config, rules: &[NatRule]) -> Vec<StaticNat6> {
    let mut manual = config.nat_before.iter().filter(is_compiled(config));
    let mut after = config.nat_after.iter().filter(is_compiled(config));
    let mut sides = Vec::new();
    for (number, rule) in rules.iter().enumerate() {
        let pairs = match rule.section {
            NatSection::Manual => manual.next().map(|rule| of_manual(config, rule)),
            NatSection::AfterAuto => after.next().map(|rule| of_manual(config, rule)),
            NatSection::Auto => of_object(config, &rule.object),
        };
        if rule.inactive {
            continue;
        }
        let (real, mapped) = pairs.unwrap_or_default();
        sides.extend(
            real.into_iter()
                .zip(mapped)
                .map(|(real, mapped)| StaticNat6 {
                    rule: number,
                    real_interface: rule.real_interface,
                    mapped_interface: rule.mapped_interface,
                    real: range6(real),
                    mapped: range6(mapped),
                    no_proxy: rule.no_proxy_arp,
                }),
        );
    }
    sides
}

/// Whether a manual rule is among the compiled ones: its interfaces are there.
fn is_compiled(config: &Config) -> impl Fn(&&ManualNat) -> bool {
    |rule| super::nat::ports(config, &rule.interfaces).is_some()
}

/// Real and mapped ranges, one beside the other; none of a rule of IPv4.
type Pairs = (Vec<AddressRange6>, Vec<AddressRange6>);

fn of_manual(config: &Config, rule: &ManualNat) -> Pairs {
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

fn of_object(config: &Config, name: &str) -> Option<Pairs> {
    let object = config.network_objects.get(name)?;
    let real = object.address?.range6()?;
    let AutoNatKind::Static { mapped, .. } = &object.nat.as_ref()?.kind else {
        return None;
    };
    let mapped = match mapped {
        MappedAddress::Address6(first) => real.moved_to(*first).into_iter().collect(),
        MappedAddress::Object(name) => config.addresses6_of(name),
        MappedAddress::Address(_) | MappedAddress::Interface => Vec::new(),
    };
    Some((Vec::from([real]), mapped))
}

//! The order of rules, and what they do, against a model that tries them one after the other.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use proptest::prelude::*;

/// A rule in short: section, interfaces (0 is `any`), first real address and how many, whether it
/// is dynamic, the port it is about, whether it is active.
type Short = (u8, u8, u8, u8, u8, bool, Option<u16>, bool);

fn shorts() -> impl Strategy<Value = Vec<Short>> {
    let rule = (
        0u8..3,
        0u8..4,
        0u8..4,
        10u8..20,
        1u8..12,
        any::<bool>(),
        prop::option::weighted(0.3, 80u16..83),
        prop::bool::weighted(0.9),
    );
    prop::collection::vec(rule, 0..12)
}

fn rule(index: usize, short: Short) -> NatRule {
    let (section, real, mapped, first, count, is_dynamic, port, is_active) = short;
    let real_range = AddressRange {
        first: Ipv4Addr::new(192, 0, 2, first),
        last: Ipv4Addr::new(192, 0, 2, first + count - 1),
    };
    let port_of = |number: u8| number.checked_sub(1).map(PortId);
    // Each rule maps to addresses of its own, so that an address tells the rule.
    let mapped_first = Ipv4Addr::new(100, 64, index as u8, 0);
    let mapped_range = AddressRange {
        first: mapped_first,
        last: Ipv4Addr::from_bits(mapped_first.to_bits() + u32::from(count) - 1),
    };
    let source = if is_dynamic {
        SourceNat::Dynamic {
            real: vec![real_range],
            pool: PatPool {
                addresses: vec![AddressRange::host(mapped_first)],
                ..PatPool::default()
            },
        }
    } else {
        SourceNat::Static {
            real: vec![real_range],
            mapped: MappedAddress::range(mapped_range),
        }
    };
    NatRule {
        section: [NatSection::Manual, NatSection::Auto, NatSection::AfterAuto]
            [usize::from(section)],
        real_interface: port_of(real),
        mapped_interface: port_of(mapped),
        source,
        service: port.filter(|_| !is_dynamic).map(|port| PortTranslation {
            transport: Transport::Udp,
            real: port,
            mapped: port + 1000,
            more: 0,
        }),
        inactive: !is_active,
        object: format!("object{index:02}"),
        ..static_rule(NODE, PUBLIC, None)
    }
}

/// The rules as the reference orders them: by section; within that of objects static first, then
/// fewer addresses, the lower address, the name.
fn ordered(rules: &[NatRule]) -> Vec<NatRule> {
    let of = |section| {
        rules
            .iter()
            .filter(move |rule| rule.section == section)
            .cloned()
    };
    let mut auto: Vec<NatRule> = of(NatSection::Auto).collect();
    auto.sort_by_key(|rule| {
        let range = rule.source.real().next().expect("one range");
        let is_dynamic = matches!(rule.source, SourceNat::Dynamic { .. });
        (is_dynamic, range.size(), range.first, rule.object.clone())
    });
    of(NatSection::Manual)
        .chain(auto)
        .chain(of(NatSection::AfterAuto))
        .collect()
}

/// What the first rule that fits makes of a source: the address, and for static rules the port.
fn translated(
    rules: &[NatRule],
    (from, to): (PortId, PortId),
    (address, port): (Ipv4Addr, u16),
) -> Option<(Ipv4Addr, Option<u16>)> {
    for rule in rules {
        let is_at = |wanted: Option<PortId>, port| wanted.is_none() || wanted == Some(port);
        let real = rule.source.real().next().expect("one range");
        let is_port = rule.service.is_none_or(|service| service.real == port);
        if rule.inactive
            || !is_at(rule.real_interface, from)
            || !is_at(rule.mapped_interface, to)
            || !real.contains(address)
            || !is_port
        {
            continue;
        }
        let mapped = rule.source.mapped().next().expect("one range");
        return Some(match rule.source {
            SourceNat::Dynamic { .. } => (mapped.first, None),
            SourceNat::Static { .. } => {
                let place = address.to_bits() - real.first.to_bits();
                let port = rule.service.map_or(port, |service| service.mapped);
                (
                    Ipv4Addr::from_bits(mapped.first.to_bits() + place),
                    Some(port),
                )
            }
        });
    }
    None
}

/// Every level equal, so that nothing but translation decides.
fn level(nat: Vec<NatRule>) -> Policy {
    let mut policy = federation();
    policy.nat = nat;
    policy.inspections.clear();
    for interface in &mut policy.interfaces {
        interface.access_in = None;
        interface.security_level = 50;
    }
    policy.same_security_inter = true;
    policy
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_first_rule_of_the_order_decides(
        shorts in shorts(),
        packets in prop::collection::vec((10u8..32, 79u16..84, any::<bool>()), 1..20),
    ) {
        let rules: Vec<NatRule> = shorts
            .into_iter()
            .enumerate()
            .map(|(index, short)| rule(index, short))
            .collect();
        let model = ordered(&rules);
        let mut lab = Lab::new(level(rules));
        let shown: Vec<NatRule> = lab.box_.nat_rules().map(|view| view.rule.clone()).collect();
        prop_assert_eq!(&shown, &model);
        for last in 10..32 {
            lab.introduce(INSIDE, Ipv4Addr::new(192, 0, 2, last));
        }
        for (last, port, is_to_dmz) in packets {
            let from = (Ipv4Addr::new(192, 0, 2, last), port);
            let (egress, to) = if is_to_dmz { (DMZ, SERVER) } else { (OUTSIDE, EDGE) };
            let packet = ethernet(INSIDE, &udp(from, (to, 9), b"x"));
            let seen = lab.pass(INSIDE, &packet, egress);
            match translated(&model, (INSIDE, egress), from) {
                None => prop_assert_eq!(seen.from(), from),
                Some((address, Some(port))) => prop_assert_eq!(seen.from(), (address, port)),
                Some((address, None)) => prop_assert_eq!(seen.source, address),
            }
            // And the answer is for who asked.
            let back = ethernet(egress, &udp((to, 9), seen.from(), b"y"));
            prop_assert_eq!(lab.pass(egress, &back, INSIDE).to(), from);
        }
    }

    /// Out and back through pools of every kind, flows coming and going: no two flows of different
    /// endpoints are ever the same to their destination, and every answer finds its way.
    #[test]
    fn flows_through_any_pool_stay_apart(
        options in any::<[bool; 4]>(),
        has_whole in any::<bool>(),
        steps in prop::collection::vec((20u8..26, 508u16..514, 1u8..4, 0u8..10), 1..80),
    ) {
        let [round_robin, extended, flat, include_reserve] = options;
        let pool = |first: u8, last: u8| AddressRange {
            first: Ipv4Addr::new(203, 0, 113, first),
            last: Ipv4Addr::new(203, 0, 113, last),
        };
        let pool = PatPool {
            one_to_one: if has_whole { vec![pool(5, 6)] } else { vec![] },
            addresses: vec![pool(7, 8)],
            interface: !extended,
            options: PoolOptions { round_robin, extended, flat, include_reserve },
            name: String::new(),
        };
        let mut lab = Lab::new(level(vec![dynamic_rule(AddressRange::ANY, pool)]));
        for host in 20..26 {
            lab.introduce(INSIDE, Ipv4Addr::new(192, 0, 2, host));
        }
        for (host, port, destination, action) in steps {
            let from = (Ipv4Addr::new(192, 0, 2, host), port);
            let to = (Ipv4Addr::new(198, 51, 100, destination), 9);
            match action {
                0 => lab.wait(core::time::Duration::from_secs(121)),
                1 => {
                    lab.box_.clear_conns(|conn| conn.higher.real.0 == from.0 || conn.lower.real.0 == from.0, lab.now);
                }
                2 => {
                    lab.box_.clear_xlates(|view| view.real.contains(from.0), lab.now);
                    prop_assert!(lab.box_.xlates(lab.now).all(|view| !view.real.contains(from.0)));
                }
                _ => {
                    let seen = lab.pass(INSIDE, &ethernet(INSIDE, &udp(from, to, b"x")), OUTSIDE);
                    let back = ethernet(OUTSIDE, &udp(to, seen.from(), b"y"));
                    prop_assert_eq!(lab.pass(OUTSIDE, &back, INSIDE).to(), from);
                }
            }
            let mut seen: Vec<_> = lab.box_.conns(lab.now).map(|conn| {
                let (opener, other) = if conn.opened_by_lower { (conn.lower, conn.higher) } else { (conn.higher, conn.lower) };
                (opener.mapped, other.real)
            }).collect();
            let flows = seen.len();
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), flows);
        }
    }
}

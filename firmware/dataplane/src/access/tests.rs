//! The compiled form against the model, on lists and packets made to collide.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::compiled::{Compiled, Estimate};
use super::ranked::Ranked;
use super::{Candidate, Index, linear};
use crate::policy::{
    AccessList, Ace, AceLog, AclId, Action, AddressRange, Policy, PortMatch, Service, Transport,
};
use crate::v6::{Ace6, AddressRange6};
use crate::view::AccessForm;

/// Few addresses, so that elements overlap and packets hit them; the ends of the line are in.
fn address() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => 0x0a00_0000u32..0x0a00_0020,
        1 => Just(0u32),
        1 => Just(u32::MAX),
        1 => any::<u32>(),
    ]
}

fn range() -> impl Strategy<Value = AddressRange> {
    prop_oneof![
        2 => Just(AddressRange::ANY),
        3 => address().prop_map(|address| AddressRange::host(Ipv4Addr::from_bits(address))),
        3 => (address(), 0u8..=32).prop_map(|(address, len)| {
            AddressRange::network(Ipv4Addr::from_bits(address), len)
        }),
        // Often no prefix, sometimes empty.
        2 => (address(), address()).prop_map(|(first, last)| AddressRange {
            first: Ipv4Addr::from_bits(first),
            last: Ipv4Addr::from_bits(last),
        }),
    ]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![6 => 0u16..6, 1 => Just(u16::MAX), 1 => Just(u16::MAX - 1)]
}

fn condition() -> impl Strategy<Value = PortMatch> {
    prop_oneof![
        2 => Just(PortMatch::ANY),
        2 => port().prop_map(PortMatch::eq),
        2 => (port(), port(), any::<bool>()).prop_map(|(first, last, is_negated)| PortMatch {
            first,
            last,
            is_negated,
        }),
    ]
}

fn service() -> impl Strategy<Value = Service> {
    prop_oneof![
        1 => Just(Service::Any),
        1 => prop::sample::select(vec![0u8, 1, 6, 17, 47, 255]).prop_map(Service::Protocol),
        5 => (any::<bool>(), condition(), condition()).prop_map(|(is_tcp, source, destination)| {
            Service::Ports {
                transport: if is_tcp { Transport::Tcp } else { Transport::Udp },
                source,
                destination,
            }
        }),
        2 => (prop::option::of(0u8..4), prop::option::of(0u8..3))
            .prop_map(|(kind, code)| Service::Icmp { kind, code }),
    ]
}

fn element() -> impl Strategy<Value = Ace> {
    (
        any::<bool>(),
        range(),
        range(),
        service(),
        prop::bool::weighted(0.9),
    )
        .prop_map(|(permits, source, destination, service, is_active)| Ace {
            action: if permits {
                Action::Permit
            } else {
                Action::Deny
            },
            source,
            destination,
            service,
            log: AceLog::Default,
            is_active,
        })
}

fn candidate() -> impl Strategy<Value = Candidate> {
    (
        (address(), address()),
        prop::sample::select(vec![0u8, 1, 6, 17, 47, 255]),
        (port(), port()),
        (0u8..4, 0u8..3),
    )
        .prop_map(|((source, destination), protocol, ports, icmp)| Candidate {
            source: Ipv4Addr::from_bits(source),
            destination: Ipv4Addr::from_bits(destination),
            protocol,
            source_port: ports.0,
            destination_port: ports.1,
            icmp_kind: icmp.0,
            icmp_code: icmp.1,
        })
}

fn named(elements: Vec<Ace>) -> AccessList {
    AccessList {
        name: "outside_in".into(),
        elements,
    }
}

fn compile(list: &AccessList) -> Compiled {
    Compiled::new(list, Estimate::of(list))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_compiled_list_decides_as_the_model(
        elements in prop::collection::vec(element(), 0..120),
        candidates in prop::collection::vec(candidate(), 200),
    ) {
        let list = named(elements);
        let compiled = compile(&list);
        prop_assert!(compiled.bytes() <= Estimate::of(&list).bytes_at_most());
        for candidate in candidates {
            let expected = linear::decide(&list, &candidate).map(|(index, _)| index);
            prop_assert_eq!(compiled.first_match(&list.elements, &candidate), expected);
        }
    }

    /// One pair of prefixes, hence one long group and the tables of services.
    #[test]
    fn many_services_between_two_networks_decide_as_the_model(
        services in prop::collection::vec((service(), any::<bool>()), 0..60),
        candidates in prop::collection::vec(candidate(), 200),
    ) {
        let elements = services.into_iter().map(|(service, is_active)| Ace {
            action: Action::Permit,
            source: AddressRange::ANY,
            destination: AddressRange::ANY,
            service,
            log: AceLog::Default,
            is_active,
        });
        let list = named(elements.collect());
        let compiled = compile(&list);
        prop_assert!(compiled.bytes() <= Estimate::of(&list).bytes_at_most());
        for candidate in candidates {
            let expected = linear::decide(&list, &candidate).map(|(index, _)| index);
            prop_assert_eq!(compiled.first_match(&list.elements, &candidate), expected);
        }
    }
}

/// A policy whose global list permits TCP to each of `count` ports.
fn policy(count: u16) -> Policy {
    let elements = (0..count).map(|port| Ace {
        action: Action::Permit,
        source: AddressRange::ANY,
        destination: AddressRange::host(Ipv4Addr::new(192, 0, 2, 11)),
        service: Service::Ports {
            transport: Transport::Tcp,
            source: PortMatch::ANY,
            destination: PortMatch::eq(port),
        },
        log: AceLog::Default,
        is_active: true,
    });
    Policy {
        access_lists: alloc::vec![named(elements.collect())],
        access_global: Some(AclId(0)),
        ..Policy::default()
    }
}

fn to_port(port: u16) -> Candidate {
    Candidate {
        source: Ipv4Addr::new(198, 51, 100, 20),
        destination: Ipv4Addr::new(192, 0, 2, 11),
        protocol: crate::wire::PROTOCOL_TCP,
        source_port: 40_000,
        destination_port: port,
        icmp_kind: 0,
        icmp_code: 0,
    }
}

#[test]
fn only_long_bound_lists_are_compiled() {
    let mut index = Index::new(1 << 20);
    let (short, mut long) = (policy(16), policy(17));
    index.rebuild(&Policy::default(), &short);
    assert_eq!(index.form(AclId(0)), AccessForm::Plain);
    index.rebuild(&short, &long);
    assert!(matches!(index.form(AclId(0)), AccessForm::Compiled { .. }));
    assert_eq!(
        index.decide(&long, AclId(0), &to_port(16)),
        Some((16, Action::Permit))
    );
    assert_eq!(index.decide(&long, AclId(0), &to_port(17)), None);
    let before = long.clone();
    long.access_global = None;
    index.rebuild(&before, &long);
    assert_eq!(index.form(AclId(0)), AccessForm::Plain);
    assert_eq!(index.usage().bytes, 0);
}

#[test]
fn a_list_beyond_the_bound_is_searched_all_the_same() {
    let mut index = Index::new(20_000);
    let (small, large) = (policy(100), policy(5_000));
    index.rebuild(&Policy::default(), &small);
    assert!(matches!(index.form(AclId(0)), AccessForm::Compiled { .. }));
    index.rebuild(&small, &large);
    assert_eq!(index.form(AclId(0)), AccessForm::TooLarge);
    assert_eq!((index.usage().bytes, index.usage().too_large), (0, 1));
    assert_eq!(
        index.decide(&large, AclId(0), &to_port(4_999)),
        Some((4_999, Action::Permit))
    );
}

#[test]
fn a_list_that_did_not_change_keeps_its_form_and_a_changed_one_does_not() {
    let mut index = Index::new(1 << 20);
    let first = policy(40);
    index.rebuild(&Policy::default(), &first);
    let bytes = index.usage().bytes;
    // The same list at another place, behind a new one.
    let mut second = first.clone();
    second.access_lists.insert(0, AccessList::default());
    second.access_global = Some(AclId(1));
    index.rebuild(&first, &second);
    assert_eq!(index.usage().bytes, bytes);
    assert_eq!(
        index.decide(&second, AclId(1), &to_port(7)),
        Some((7, Action::Permit))
    );
    // Element 7 falls out of its time range.
    let mut third = second.clone();
    third.access_lists[1].elements[7].is_active = false;
    index.rebuild(&second, &third);
    assert_eq!(index.decide(&third, AclId(1), &to_port(7)), None);
    index.rebuild(&third, &second);
    assert_eq!(
        index.decide(&second, AclId(1), &to_port(7)),
        Some((7, Action::Permit))
    );
}

/// Few addresses, the ends of the line among them.
fn address6() -> impl Strategy<Value = Ipv6Addr> {
    prop_oneof![
        6 => 0u128..0x20,
        1 => Just(0u128),
        1 => Just(u128::MAX),
        1 => any::<u128>(),
    ]
    .prop_map(|bits| match bits {
        low @ 0..0x20 => Ipv6Addr::from_bits(0x2001_0db8 << 96 | low),
        bits => Ipv6Addr::from_bits(bits),
    })
}

fn range6() -> impl Strategy<Value = AddressRange6> {
    prop_oneof![
        2 => Just(AddressRange6::ANY),
        3 => address6().prop_map(AddressRange6::host),
        3 => (address6(), 100u8..=128).prop_map(|(address, len)| AddressRange6::network(address, len)),
        // Sometimes empty.
        2 => (address6(), address6()).prop_map(|(first, last)| AddressRange6 { first, last }),
    ]
}

type Icmp6 = Option<(Option<u8>, Option<u8>)>;

fn side() -> impl Strategy<Value = (Ace, AddressRange6, AddressRange6, Icmp6)> {
    let icmp = prop::option::weighted(0.2, (prop::option::of(0u8..4), prop::option::of(0u8..3)));
    (element(), range6(), range6(), icmp).prop_map(|(mut element, source, destination, icmp)| {
        if icmp.is_some() {
            element.service = Service::Protocol(58);
        }
        (element, source, destination, icmp)
    })
}

/// Element by element.
fn model6(
    list: &AccessList,
    sides: &[Ace6],
    (source, destination): (Ipv6Addr, Ipv6Addr),
    candidate: &Candidate,
) -> Option<usize> {
    sides.iter().position(|side| {
        let element = &list.elements[side.element];
        element.is_active
            && side.source.contains(source)
            && side.destination.contains(destination)
            && match side.icmp {
                Some((kind, code)) => {
                    candidate.protocol == 58
                        && kind.is_none_or(|kind| kind == candidate.icmp_kind)
                        && code.is_none_or(|code| code == candidate.icmp_code)
                }
                None => linear::matches_service(&element.service, candidate),
            }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_list_about_ipv6_decides_as_the_model(
        parts in prop::collection::vec(side(), 0..100),
        packets in prop::collection::vec(
            ((address6(), address6()), candidate(), any::<bool>()), 200),
    ) {
        let mut elements = Vec::new();
        let mut sides = Vec::new();
        for (element, source, destination, icmp) in parts {
            // Every third element has no IPv6 side.
            if elements.len() % 3 != 2 {
                sides.push(Ace6 { element: elements.len(), source, destination, icmp });
            }
            elements.push(element);
        }
        let list = named(elements);
        let ranked = Ranked::new(&list, &sides, usize::MAX).expect("memory without bound");
        for (ends, mut candidate, is_icmp) in packets {
            if is_icmp {
                candidate.protocol = 58;
            }
            // ICMP of IPv4 is none of a packet of IPv6, whatever its number says.
            if candidate.protocol == 1 {
                continue;
            }
            let (source, destination) = ends;
            prop_assert_eq!(
                ranked.decide(source, destination, &candidate),
                model6(&list, &sides, ends, &candidate)
            );
        }
    }
}

#[test]
fn a_list_about_ipv6_without_memory_is_not_compiled() {
    let elements: Vec<Ace> = (0..100).map(|_| NOBODY).collect();
    let list = named(elements);
    let sides: Vec<Ace6> = (0..100)
        .map(|element| Ace6 {
            element,
            source: AddressRange6::host(Ipv6Addr::from_bits(element as u128)),
            destination: AddressRange6::ANY,
            icmp: None,
        })
        .collect();
    assert!(Ranked::new(&list, &sides, 1_000).is_none());
    let ranked = Ranked::new(&list, &sides, 1 << 20).expect("memory enough");
    assert!(ranked.bytes() <= 1 << 20);
}

const NOBODY: Ace = Ace {
    action: Action::Permit,
    source: AddressRange::NONE,
    destination: AddressRange::NONE,
    service: Service::Any,
    log: AceLog::Default,
    is_active: true,
};

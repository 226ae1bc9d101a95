//! What `explain` says of a packet is what becomes of it.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use proptest::prelude::*;

const SYN_ACK: u8 = SYN | ACK;

fn hosts() -> impl Strategy<Value = Ipv4Addr> {
    prop::sample::select(vec![
        EDGE,
        NODE,
        NODE_2,
        DESK,
        SERVER,
        GATEWAY,
        PUBLIC,
        OUTSIDE_ADDRESS,
        INSIDE_ADDRESS,
    ])
}

fn addresses() -> impl Strategy<Value = AddressRange> {
    prop_oneof![
        2 => Just(AddressRange::ANY),
        3 => hosts().prop_map(AddressRange::host),
        1 => Just(AddressRange::network(NODE, 24)),
    ]
}

fn services() -> impl Strategy<Value = Service> {
    let udp = Service::Ports {
        transport: Transport::Udp,
        source: PortMatch::ANY,
        destination: PortMatch::ANY,
    };
    prop_oneof![
        3 => Just(Service::Any),
        2 => ports().prop_map(tcp_to),
        1 => Just(udp),
        1 => Just(Service::Icmp { kind: None, code: None }),
    ]
}

fn ports() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![80, 3000, 5061, 5062, 5063, 5269, 15_269])
}

fn lists() -> impl Strategy<Value = Vec<AccessList>> {
    let action = prop::bool::weighted(0.7).prop_map(|permits| match permits {
        true => Action::Permit,
        false => Action::Deny,
    });
    let element = (action, addresses(), addresses(), services()).prop_map(
        |(action, source, destination, service)| ace(action, source, destination, service),
    );
    let list = prop::collection::vec(element, 0..5).prop_map(|elements| AccessList {
        name: "list".into(),
        elements,
    });
    prop::collection::vec(list, 4)
}

/// Rules of which each policy has some.
fn translations() -> Vec<NatRule> {
    let inside = AddressRange::network(NODE, 24);
    let pool = |addresses, interface| PatPool {
        addresses,
        interface,
        ..PatPool::default()
    };
    let mut all = federation().nat;
    all.push(dynamic_rule(inside, pool(vec![], true)));
    all.push(dynamic_rule(AddressRange::host(DESK), pool(vec![], false)));
    all.push(dynamic_rule(
        AddressRange::host(DESK),
        PatPool {
            one_to_one: vec![AddressRange::host(Ipv4Addr::new(203, 0, 113, 13))],
            ..pool(
                vec![AddressRange::host(Ipv4Addr::new(203, 0, 113, 14))],
                false,
            )
        },
    ));
    all.push(static_rule(NODE, Ipv4Addr::new(203, 0, 113, 12), None));
    all.push(NatRule {
        real_interface: None,
        mapped_interface: None,
        ..static_rule(DESK, DESK, None)
    });
    all.push(NatRule {
        destination: Some(DestinationNat {
            mapped: MappedAddress::range(AddressRange::host(GATEWAY)),
            real: vec![AddressRange::host(EDGE)],
        }),
        ..static_rule(DESK, Ipv4Addr::new(203, 0, 113, 13), None)
    });
    all
}

/// The federation guide's box with everything that decides turned at random.
fn policies() -> impl Strategy<Value = Policy> {
    let bound = || prop::option::weighted(0.4, (0u16..4).prop_map(AclId));
    let interface = (prop::sample::select(vec![0u8, 50, 100]), bound(), bound());
    (
        prop::collection::vec(interface, 3),
        lists(),
        prop::option::weighted(0.2, (0u16..4).prop_map(AclId)),
        prop::collection::vec(any::<bool>(), translations().len()),
        any::<[bool; 5]>(),
    )
        .prop_map(|(interfaces, lists, global, chosen, flags)| {
            let mut policy = federation();
            for (interface, (level, inbound, outbound)) in
                policy.interfaces.iter_mut().zip(interfaces)
            {
                interface.security_level = level;
                interface.access_in = inbound;
                interface.access_out = outbound;
            }
            policy.access_lists = lists;
            policy.access_global = global;
            policy.nat = translations()
                .into_iter()
                .zip(chosen)
                .filter_map(|(rule, is_chosen)| is_chosen.then_some(rule))
                .collect();
            let [inter, intra, icmp, ttl, proxied] = flags;
            policy.same_security_inter = inter;
            policy.same_security_intra = intra;
            policy.inspect_icmp = icmp;
            if !proxied {
                policy.inspections.clear();
            }
            policy.icmp = vec![IcmpRule {
                port: OUTSIDE,
                action: Action::Permit,
                source: AddressRange::host(EDGE),
                kind: None,
            }];
            let settings = ConnectionSettings {
                decrement_ttl: ttl,
                most: 6,
                ..unlimited()
            };
            with_class(policy, Some(settings), None)
        })
}

#[derive(Clone, Debug)]
enum Traffic {
    Tcp(u8),
    Udp,
    Icmp(u8),
    Other,
    /// From the responder of the connection of that number, or from its opener, with these TCP flags.
    Known(usize, bool, u8),
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let flags = || prop::sample::select(vec![SYN, SYN, SYN_ACK, ACK, RST, FIN | ACK, FIN | SYN]);
    prop_oneof![
        4 => flags().prop_map(Traffic::Tcp),
        2 => Just(Traffic::Udp),
        2 => prop::sample::select(vec![0u8, 3, 8, 8, 11, 13]).prop_map(Traffic::Icmp),
        1 => Just(Traffic::Other),
        4 => (0usize..8, any::<bool>(), flags())
            .prop_map(|(n, is_answer, flags)| Traffic::Known(n, is_answer, flags)),
    ]
}

type Drawn = (u8, Traffic, Ipv4Addr, Ipv4Addr, (u16, u16), bool);

/// The packet that was drawn, and the port it arrives at; `None` if it needs a connection and there
/// is none.
fn packet(lab: &Lab, drawn: &Drawn) -> Option<(PortId, Vec<u8>)> {
    let (port, traffic, source, destination, (source_port, destination_port), is_dying) = drawn;
    let (mut from, mut to) = ((*source, *source_port), (*destination, *destination_port));
    let mut port = PortId(*port);
    let mut sequence = (1000, 0);
    let mut kind = traffic.clone();
    if let Traffic::Known(number, is_answer, flags) = traffic {
        let conns: Vec<ConnView> = lab.box_.conns(lab.now).collect();
        let conn = conns.get(number % conns.len().max(1))?;
        let (opener, responder) = match conn.opened_by_lower {
            true => (conn.lower, conn.higher),
            false => (conn.higher, conn.lower),
        };
        let (sender, receiver) = match is_answer {
            true => (responder, opener),
            false => (opener, responder),
        };
        (port, from, to) = (sender.port, sender.real, receiver.mapped);
        sequence = if *is_answer {
            (5000, 1001)
        } else {
            (1001, 5001)
        };
        kind = match (conn.protocol, is_answer) {
            (6, _) => Traffic::Tcp(*flags),
            (17, _) => Traffic::Udp,
            (1, true) => Traffic::Icmp(0),
            (1, false) => Traffic::Icmp(8),
            _ => Traffic::Other,
        };
    }
    let mut packet = match kind {
        Traffic::Tcp(flags) => Segment::new(from.0, from.1, to.0, to.1, flags)
            .seq(sequence.0)
            .ack(sequence.1)
            .packet(),
        Traffic::Udp => udp(from, to, b"x"),
        Traffic::Icmp(kind) => echo(kind, from.0, to.0, if kind == 0 { to.1 } else { from.1 }),
        Traffic::Other | Traffic::Known(..) => ipv4(from.0, to.0, 47, b"x"),
    };
    if *is_dying {
        packet[8] = 1;
        packet[10..12].copy_from_slice(&[0, 0]);
        let sum = plain_sum(&packet[..20]);
        packet[10..12].copy_from_slice(&(!sum).to_be_bytes());
    }
    Some((port, packet))
}

fn frame_drops(lab: &Lab) -> Vec<u64> {
    DropReason::ALL
        .iter()
        .map(|&reason| lab.box_.frame_drops(reason))
        .collect()
}

/// Why the frame sent between two readings was dropped. A frame given up while waiting for a next hop
/// is another one's.
fn reason_between(before: &[u64], after: &[u64]) -> Option<DropReason> {
    let mut reasons = DropReason::ALL
        .iter()
        .zip(before.iter().zip(after))
        .filter(|&(&reason, (before, after))| before != after && reason != DropReason::NoAdjacency)
        .map(|(&reason, _)| reason);
    let reason = reasons.next();
    assert_eq!(reasons.next(), None, "one frame, one reason");
    reason
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn what_is_explained_is_what_happens(
        policy in policies(),
        flows in prop_oneof![Just(3u32), Just(64)],
        packets in prop::collection::vec(
            (0u8..3, traffic(), hosts(), hosts(), (ports(), ports()), prop::bool::weighted(0.1)),
            1..40,
        ),
    ) {
        let limits = Limits { ports: 3, flows, ..Limits::default() };
        let mut lab = Lab::with_limits(policy, limits);
        for drawn in &packets {
            let Some((port, packet)) = packet(&lab, drawn) else { continue };
            let before = frame_drops(&lab);
            let usage = (lab.box_.conn_usage(), lab.box_.xlate_usage(), lab.box_.opened());
            let (steps, verdict) = lab.box_.explain(port, &packet);
            prop_assert_eq!(&before, &frame_drops(&lab), "explaining counts nothing");
            prop_assert_eq!(
                usage,
                (lab.box_.conn_usage(), lab.box_.xlate_usage(), lab.box_.opened())
            );
            lab.send(port, &ethernet(port, &packet));
            let happened = match reason_between(&before, &frame_drops(&lab)) {
                None => Ok(()),
                Some(reason) => Err(reason),
            };
            prop_assert_eq!(verdict, happened, "{:?} at {:?}: {:?}", drawn, port, steps);
            // What was told of the new flow is what was made.
            let announced = steps.iter().find_map(|step| match step {
                Step::FlowCreation(id) => Some(*id),
                _ => None,
            });
            if let Some(id) = announced
                && happened.is_ok()
            {
                let conn = lab.box_.conn(id, lab.now).expect("the flow that was announced");
                let opener = if conn.opened_by_lower { conn.lower } else { conn.higher };
                for step in &steps {
                    if let Step::Nat { real, mapped, .. } = step {
                        prop_assert_eq!((opener.real, Some(opener.mapped)), (*real, *mapped));
                    }
                }
            }
        }
    }
}

#[test]
fn a_known_flow_is_named_and_its_next_segment_judged() {
    let mut lab = Lab::new(federation());
    lab.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 80));
    let flow = lab.conn().flow;
    let next = |sequence| {
        Segment::new(DESK, 3000, EDGE, 80, ACK)
            .seq(sequence)
            .ack(5001)
            .packet()
    };
    let gateway = Step::Adjacency(OUTSIDE, GATEWAY, Some(station(GATEWAY)));
    assert_eq!(
        lab.box_.explain(INSIDE, &next(1001)),
        (vec![Step::FlowLookup(Some(flow)), gateway], Ok(()))
    );
    assert_eq!(
        lab.box_.explain(INSIDE, &next(900_000_000)).1,
        Err(DropReason::TcpSeqPastWindow)
    );
    assert_eq!(lab.conn().bytes, 3 * 40, "nothing was counted");
}

#[test]
fn an_exhausted_pool_and_a_way_back_that_differs_are_told_where_they_are_found() {
    let mut policy = federation();
    policy.nat = vec![dynamic_rule(
        AddressRange::network(NODE, 24),
        PatPool::default(),
    )];
    let lab = Lab::new(policy);
    let syn = Segment::new(DESK, 3000, EDGE, 80, SYN).packet();
    let (steps, verdict) = lab.box_.explain(INSIDE, &syn);
    assert_eq!(verdict, Err(DropReason::NatPoolExhausted));
    assert_eq!(
        steps.last(),
        Some(&Step::Nat {
            rule: 0,
            real: (DESK, 3000),
            mapped: None,
            is_dynamic: true
        })
    );
    let mut policy = federation();
    policy.interfaces[0].access_in = None;
    policy.interfaces[0].security_level = 100;
    policy.same_security_inter = true;
    let lab = Lab::new(policy);
    let around = Segment::new(EDGE, 3000, DESK, 80, SYN).packet();
    let (steps, verdict) = lab.box_.explain(OUTSIDE, &around);
    assert_eq!(verdict, Err(DropReason::NatRpfFailed));
    assert_eq!(steps.last(), Some(&Step::ReversePath(Some(4), false)));
}

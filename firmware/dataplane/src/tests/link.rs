//! Neighbours: asking, answering, waiting, proxy ARP; and packets of the box itself.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use core::time::Duration;

const NEWCOMER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 77);

fn answered(lab: &mut Lab, port: PortId, frame: &[u8]) -> Option<[u8; 6]> {
    let sent = lab.send(port, frame);
    let (to, answer) = sent.first()?;
    assert_eq!((sent.len(), *to, answer[21]), (1, port, 2));
    assert_eq!(answer[..6], frame[6..12]);
    assert_eq!(
        (&answer[28..32], &answer[38..42]),
        (&frame[38..42], &frame[28..32])
    );
    answer[22..28].try_into().ok()
}

#[test]
fn arp_is_answered_for_our_address_and_for_mapped_ones_on_their_interface() {
    let mut lab = Lab::new(federation());
    let ours = Some(port_mac(OUTSIDE).0);
    assert_eq!(
        answered(&mut lab, OUTSIDE, &arp(1, GATEWAY, OUTSIDE_ADDRESS)),
        ours
    );
    assert_eq!(answered(&mut lab, OUTSIDE, &arp(1, GATEWAY, PUBLIC)), ours);
    // A probe of one who has no address yet.
    assert_eq!(
        answered(
            &mut lab,
            OUTSIDE,
            &arp(1, Ipv4Addr::UNSPECIFIED, OUTSIDE_ADDRESS)
        ),
        ours
    );
    assert_eq!(
        answered(
            &mut lab,
            OUTSIDE,
            &arp(1, GATEWAY, [203, 0, 113, 11].into())
        ),
        None
    );
    assert_eq!(answered(&mut lab, INSIDE, &arp(1, DESK, PUBLIC)), None);
    let mut policy = federation();
    policy
        .nat
        .iter_mut()
        .for_each(|rule| rule.no_proxy_arp = true);
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    assert_eq!(answered(&mut lab, OUTSIDE, &arp(1, GATEWAY, PUBLIC)), None);
    let mut policy = federation();
    policy.interfaces[0].proxy_arp = false;
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    assert_eq!(answered(&mut lab, OUTSIDE, &arp(1, GATEWAY, PUBLIC)), None);
}

#[test]
fn an_identity_rule_for_everything_does_not_claim_the_neighbours() {
    let mut policy = federation();
    let mut rule = static_rule(NODE, NODE, None);
    rule.source = SourceNat::Static {
        real: vec![AddressRange::ANY],
        mapped: MappedAddress::range(AddressRange::ANY),
    };
    (rule.real_interface, rule.mapped_interface) = (None, None);
    policy.nat = vec![rule];
    let mut lab = Lab::new(policy);
    assert_eq!(answered(&mut lab, INSIDE, &arp(1, DESK, NODE)), None);
}

#[test]
fn implausible_arp_is_dropped() {
    let mut lab = Lab::new(federation());
    let drop = DropReason::L2Acl;
    // From another network, in our own name, from a group address, cut short, no such operation.
    lab.refuse(INSIDE, &arp(1, EDGE, INSIDE_ADDRESS), drop);
    lab.refuse(INSIDE, &arp(1, INSIDE_ADDRESS, INSIDE_ADDRESS), drop);
    let mut group = arp(1, NEWCOMER, INSIDE_ADDRESS);
    group[22] |= 1;
    lab.refuse(INSIDE, &group, drop);
    lab.refuse(INSIDE, &arp(1, NEWCOMER, INSIDE_ADDRESS)[..41], drop);
    lab.refuse(INSIDE, &arp(3, NEWCOMER, INSIDE_ADDRESS), drop);
    assert_eq!(
        lab.box_
            .neighbors(lab.now)
            .filter(|other| other.address == NEWCOMER)
            .count(),
        0
    );
}

#[test]
fn packets_wait_for_their_next_hop_and_leave_in_order() {
    let mut policy = federation();
    policy.nat.clear();
    let mut lab = Lab::new(policy);
    let packet = |n: u8| ethernet(DMZ, &udp((SERVER, 9), (NEWCOMER, 9), &[n]));
    let mut policy = lab.box_.policy().clone();
    policy.interfaces[2].security_level = 100;
    policy.interfaces[1].security_level = 10;
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    let sent = lab.send(DMZ, &packet(0));
    // The question goes out once, to everybody.
    assert_eq!(sent.len(), 1);
    assert_eq!(
        (sent[0].0, &sent[0].1[..6], &sent[0].1[38..42]),
        (INSIDE, &[0xff; 6][..], &NEWCOMER.octets()[..])
    );
    for n in 1..6 {
        assert_eq!(lab.send(DMZ, &packet(n)), []);
    }
    // Four may wait; the oldest two went.
    assert_eq!(lab.box_.frame_drops(DropReason::NoAdjacency), 2);
    let sent = lab.send(INSIDE, &arp(2, NEWCOMER, INSIDE_ADDRESS));
    let order: Vec<_> = sent
        .iter()
        .map(|(port, frame)| (*port, frame[42]))
        .collect();
    assert_eq!(order, [(INSIDE, 2), (INSIDE, 3), (INSIDE, 4), (INSIDE, 5)]);
    assert!(
        sent.iter()
            .all(|(_, frame)| frame[..6] == station(NEWCOMER).0)
    );
    lab.pass(DMZ, &packet(6), INSIDE);
    let view = lab
        .box_
        .neighbors(lab.now)
        .find(|other| other.address == NEWCOMER);
    assert_eq!(view.and_then(|view| view.mac), Some(station(NEWCOMER)));
}

#[test]
fn a_silent_next_hop_costs_three_questions_and_the_packets() {
    let mut lab = Lab::new(federation());
    let packet = ethernet(OUTSIDE, &Segment::new(EDGE, 9, PUBLIC, 5269, SYN).packet());
    lab.box_.clear_neighbors(Some(INSIDE), &mut lab.pool);
    assert_eq!(lab.send(OUTSIDE, &packet).len(), 1);
    assert_eq!(lab.box_.verdicts().waiting, 1);
    for _ in 0..2 {
        lab.wait(Duration::from_secs(1));
        assert_eq!(lab.drain().len(), 1);
    }
    lab.wait(Duration::from_secs(1));
    assert_eq!(lab.drain(), []);
    assert_eq!(
        (
            lab.box_.verdicts().waiting,
            lab.box_.frame_drops(DropReason::NoAdjacency)
        ),
        (0, 1)
    );
}

#[test]
fn an_aged_neighbour_is_asked_again_while_packets_flow() {
    let mut lab = Lab::new(federation());
    lab.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 80));
    lab.wait(Duration::from_secs(3000));
    let data = |sequence| {
        Segment::new(DESK, 3000, EDGE, 80, ACK)
            .seq(sequence)
            .ack(5001)
            .payload(b"x")
    };
    for n in 0..4 {
        lab.pass(INSIDE, &data(1001 + n).frame(INSIDE), OUTSIDE);
        lab.wait(Duration::from_secs(3000));
    }
    // 15,000 s: beyond `arp timeout 14400`.
    let asked = lab.drain();
    assert!(
        asked
            .iter()
            .any(|(port, frame)| *port == OUTSIDE && frame[38..42] == GATEWAY.octets())
    );
    lab.pass(INSIDE, &data(1005).frame(INSIDE), OUTSIDE);
}

#[test]
fn a_new_address_is_announced() {
    let mut lab = Lab::new(federation());
    let mut policy = federation();
    policy.interfaces[1].address = [192, 0, 2, 2].into();
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    let sent = lab.drain();
    assert_eq!(sent.len(), 1);
    let (port, frame) = &sent[0];
    assert_eq!(
        (*port, &frame[28..32], &frame[38..42]),
        (INSIDE, &[192, 0, 2, 2][..], &[192, 0, 2, 2][..])
    );
}

#[test]
fn the_boxs_own_packets_are_routed_and_get_a_source() {
    let mut lab = Lab::new(federation());
    assert_eq!(lab.box_.source_for(EDGE), Some((OUTSIDE, OUTSIDE_ADDRESS)));
    for (source, destination, egress, seen) in [
        (Ipv4Addr::UNSPECIFIED, EDGE, OUTSIDE, OUTSIDE_ADDRESS),
        (INSIDE_ADDRESS, DESK, INSIDE, INSIDE_ADDRESS),
    ] {
        let packet = lab.buffer(&echo(8, source, destination, 0xff00));
        assert_eq!(lab.box_.send_local(packet, &mut lab.pool, lab.now), Ok(()));
        let sent = lab.drain();
        assert_eq!((sent.len(), sent[0].0), (1, egress));
        assert_eq!(Packet::parse(&sent[0].1[14..]).source, seen);
    }
    let mut policy = federation();
    policy.routes.clear();
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    let packet = lab.buffer(&echo(8, Ipv4Addr::UNSPECIFIED, EDGE, 0xff00));
    assert_eq!(
        lab.box_.send_local(packet, &mut lab.pool, lab.now),
        Err(DropReason::NoRoute)
    );
    lab.drain();
}

#[test]
fn a_full_transmit_queue_drops_and_counts() {
    let limits = Limits {
        ports: 3,
        flows: 64,
        transmit_queue: 4,
        ..Limits::default()
    };
    let mut lab = Lab::with_limits(federation(), limits);
    let mut batch = hal::packet::Batch::new();
    for n in 0..6 {
        let frame = lab.buffer(&ethernet(INSIDE, &udp((DESK, 2000 + n), (EDGE, 9), b"x")));
        assert!(batch.push_back(frame).is_ok());
    }
    lab.box_
        .handle_batch(INSIDE, &mut batch, &mut lab.pool, lab.now);
    assert_eq!(lab.box_.frame_drops(DropReason::DispatchQueueLimit), 2);
    assert_eq!(lab.box_.port_counters(OUTSIDE).transmit_overflow, 2);
    assert_eq!(lab.drain().len(), 4);
    let counters = lab.box_.port_counters(INSIDE);
    assert_eq!(counters.dropped, 2);
}

#[test]
fn a_pulled_cable_takes_its_routes_along() {
    let mut lab = Lab::new(federation());
    lab.box_.set_link(OUTSIDE, false, &mut lab.pool);
    assert!(lab.box_.routes().all(|route| route.port != OUTSIDE));
    let out = ethernet(INSIDE, &udp((DESK, 2000), (EDGE, 9), b"x"));
    lab.reject(INSIDE, &out, DropReason::NoRoute);
    lab.box_.set_link(OUTSIDE, true, &mut lab.pool);
    assert_eq!(lab.drain().len(), 1);
    assert_eq!(
        lab.box_
            .routes()
            .filter(|route| route.kind == RouteKind::Static)
            .count(),
        1
    );
}

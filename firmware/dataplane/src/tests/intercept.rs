//! Connections handed to a TLS proxy.

use super::lab::*;
use crate::*;
use hal::packet::PacketBuf;

fn opening(lab: &mut Lab) -> (Opening, PacketBuf) {
    match lab.box_.poll_intercept() {
        Some(Intercepted::Opening(opening, syn)) => (opening, syn),
        other => unreachable!("an opening, not {other:?}"),
    }
}

/// The foreign edge calls the published port of a proxied class.
fn call(lab: &mut Lab) -> (Opening, PacketBuf) {
    let syn = Segment::new(EDGE, 49_368, PUBLIC, 5063, SYN).seq(700);
    let mut frame = syn.frame(OUTSIDE);
    frame.extend([0xaa; 6]); // Ethernet padding
    assert_eq!(lab.send(OUTSIDE, &frame), []);
    opening(lab)
}

#[test]
fn both_legs_are_told_with_wire_addresses() {
    let mut lab = Lab::new(federation());
    let (opening, syn) = call(&mut lab);
    assert_eq!(
        syn.bytes(),
        Segment::new(EDGE, 49_368, PUBLIC, 5063, SYN)
            .seq(700)
            .packet()
    );
    lab.pool.free(syn);
    let (edge, public, node) = ((EDGE, 49_368), (PUBLIC, 5063), (NODE, 5061));
    assert_eq!(
        opening.originator,
        Endpoints {
            local: public,
            remote: edge
        }
    );
    assert_eq!(
        opening.target,
        Endpoints {
            local: edge,
            remote: node
        }
    );
    assert_eq!(
        (opening.proxy, opening.ingress, opening.egress),
        (ProxyId(7), OUTSIDE, INSIDE)
    );
    assert!(lab.conn().is_intercepted);
    // From inside, behind a shared address.
    let call = Segment::new(NODE, 40_000, EDGE, 5061, SYN);
    lab.send(INSIDE, &call.frame(INSIDE));
    let (outbound, syn) = super::intercept::opening(&mut lab);
    lab.pool.free(syn);
    assert_eq!(
        outbound.originator,
        Endpoints {
            local: (EDGE, 5061),
            remote: (NODE, 40_000)
        }
    );
    assert_eq!(
        outbound.target,
        Endpoints {
            local: (PUBLIC, 40_000),
            remote: (EDGE, 5061)
        }
    );
}

#[test]
fn packets_go_up_by_leg_and_come_back_untouched() {
    let mut lab = Lab::new(federation());
    let (opening, syn) = call(&mut lab);
    lab.pool.free(syn);
    for (port, leg, segment) in [
        (
            OUTSIDE,
            Leg::Originator,
            Segment::new(EDGE, 49_368, PUBLIC, 5063, ACK).payload(b"client hello"),
        ),
        (
            INSIDE,
            Leg::Target,
            Segment::new(NODE, 5061, EDGE, 49_368, SYN | ACK),
        ),
    ] {
        assert_eq!(lab.send(port, &segment.frame(port)), []);
        match lab.box_.poll_intercept() {
            Some(Intercepted::Packet {
                flow,
                leg: seen,
                packet,
            }) => {
                assert_eq!((flow, seen), (opening.flow, leg));
                assert_eq!(packet.bytes(), segment.packet());
                lab.pool.free(packet);
            }
            other => unreachable!("a packet, not {other:?}"),
        }
    }
    for (leg, egress, neighbour, segment) in [
        (
            Leg::Originator,
            OUTSIDE,
            GATEWAY,
            Segment::new(PUBLIC, 5063, EDGE, 49_368, SYN | ACK),
        ),
        (
            Leg::Target,
            INSIDE,
            NODE,
            Segment::new(EDGE, 49_368, NODE, 5061, SYN),
        ),
    ] {
        let packet = lab.buffer(&segment.packet());
        let sent = lab
            .box_
            .send_intercepted(opening.flow, leg, packet, &mut lab.pool, lab.now);
        assert_eq!(sent, Ok(()));
        let out = lab.drain();
        assert_eq!(out.len(), 1);
        assert_eq!(
            (out[0].0, &out[0].1[..6]),
            (egress, &station(neighbour).0[..])
        );
        let packet = segment.packet();
        assert_eq!(out[0].1[14..14 + packet.len()], packet);
    }
    // Another connection's packet, or the other leg's, does not leave.
    for segment in [
        Segment::new(PUBLIC, 5063, EDGE, 49_369, ACK),
        Segment::new(EDGE, 49_368, NODE, 5061, ACK),
    ] {
        let packet = lab.buffer(&segment.packet());
        let sent = lab.box_.send_intercepted(
            opening.flow,
            Leg::Originator,
            packet,
            &mut lab.pool,
            lab.now,
        );
        assert_eq!(sent, Err(DropReason::InterceptUnexpected));
    }
    assert_eq!(lab.conn().flags.to_string(), "UIBT");
    assert_eq!(lab.drain(), []);
}

#[test]
fn a_refused_call_gets_a_reset_and_leaves_nothing() {
    let mut lab = Lab::new(federation());
    let (opening, syn) = call(&mut lab);
    lab.box_.refuse_intercept(
        opening.flow,
        syn,
        DropReason::TlsProxySessionLimit,
        &mut lab.pool,
        lab.now,
    );
    let out = lab.drain();
    assert_eq!(out.len(), 1);
    let reset = Packet::parse(&out[0].1[14..]);
    assert_eq!((reset.from(), reset.to()), ((PUBLIC, 5063), (EDGE, 49_368)));
    assert_eq!(reset.bytes[33], RST | ACK);
    assert_eq!(reset.bytes[28..32], 701u32.to_be_bytes());
    assert_eq!(lab.box_.flow_drops(DropReason::TlsProxySessionLimit), 1);
    assert_eq!(lab.box_.conn_usage().in_use, 0);
    assert!(lab.box_.poll_intercept().is_none());
}

#[test]
fn an_intercepted_flow_ends_with_its_session_and_only_then() {
    let mut lab = Lab::new(federation());
    let (opening, syn) = call(&mut lab);
    lab.pool.free(syn);
    lab.wait(core::time::Duration::from_secs(100_000));
    assert!(lab.box_.conn(opening.flow, lab.now).is_some());
    lab.box_.end_intercept(opening.flow, lab.now);
    assert_eq!(lab.box_.conn_usage().in_use, 0);
    lab.box_.end_intercept(opening.flow, lab.now);
    assert!(lab.box_.poll_intercept().is_none());
    // Ended by the operator, the session is told.
    lab.drain();
    lab.introduce(OUTSIDE, GATEWAY);
    let (opening, syn) = call(&mut lab);
    lab.pool.free(syn);
    assert_eq!(lab.box_.clear_conns(|conn| conn.is_intercepted, lab.now), 1);
    assert!(matches!(
        lab.box_.poll_intercept(),
        Some(Intercepted::Closed { flow }) if flow == opening.flow
    ));
    let packet = lab.buffer(&Segment::new(PUBLIC, 5063, EDGE, 49_368, RST).packet());
    let sent = lab.box_.send_intercepted(
        opening.flow,
        Leg::Originator,
        packet,
        &mut lab.pool,
        lab.now,
    );
    assert_eq!(sent, Err(DropReason::InterceptUnexpected));
}

#[test]
fn the_end_of_a_flow_is_told_after_its_opening() {
    let mut lab = Lab::new(federation());
    let syn = Segment::new(EDGE, 49_368, PUBLIC, 5063, SYN);
    lab.send(OUTSIDE, &syn.frame(OUTSIDE));
    lab.box_.clear_conns(|_| true, lab.now);
    let (opening, syn) = opening(&mut lab);
    lab.pool.free(syn);
    assert!(matches!(
        lab.box_.poll_intercept(),
        Some(Intercepted::Closed { flow }) if flow == opening.flow
    ));
}

#[test]
fn a_full_queue_to_the_proxies_refuses_and_forgets() {
    let limits = Limits {
        ports: 3,
        flows: 64,
        handoff_queue: 2,
        ..Limits::default()
    };
    let mut lab = Lab::with_limits(federation(), limits);
    for port in 1..=2 {
        let syn = Segment::new(EDGE, port, PUBLIC, 5063, SYN);
        assert_eq!(lab.send(OUTSIDE, &syn.frame(OUTSIDE)), []);
    }
    let syn = Segment::new(EDGE, 3, PUBLIC, 5063, SYN);
    lab.refuse(OUTSIDE, &syn.frame(OUTSIDE), DropReason::DispatchQueueLimit);
    assert_eq!(lab.box_.conn_usage().in_use, 2);
    let (_, first) = opening(&mut lab);
    lab.pool.free(first);
    lab.send(OUTSIDE, &syn.frame(OUTSIDE));
    assert_eq!(lab.box_.intercepts.len(), 2);
}

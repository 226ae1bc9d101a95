//! How sessions end: both legs together, in order where possible.
#![allow(clippy::unwrap_used, reason = "tests")]

mod lab;

use std::time::Duration;

use lab::certificates::{BOTH_VERSIONS, World};
use lab::peer::PeerTls;
use lab::{Lab, request, request_at_target, response, response_at_caller};
use rustls::version;
use smoltcp::socket::tcp::State;
use tls_proxy::{CloseReason, Event, Leg};

fn open_lab() -> Lab {
    let world = World::new();
    let mut lab = Lab::small(1);
    lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    lab.handshake(0);
    lab
}

#[test]
fn a_goodbye_of_either_leg_reaches_the_other_behind_all_messages() {
    for versions in [&[&version::TLS12][..], &[&version::TLS13][..]] {
        for leg in Leg::BOTH {
            let world = World::new();
            let mut lab = Lab::small(1);
            lab.open(world.roles(versions)).unwrap();
            lab.handshake(0);
            let (sent, expected) = match leg {
                Leg::Originator => (request("bye"), request_at_target("bye")),
                Leg::Target => (response(), response_at_caller()),
            };
            lab.peer(0, leg).send(&sent.repeat(30));
            lab.peer(0, leg).record_bytes = None;
            let now = lab.now;
            lab.peer(0, leg).pump(now);
            lab.peer(0, leg).say_goodbye();
            lab.peer(0, leg).close();
            lab.run_until("goodbye", |lab| lab.peer(0, leg.other()).goodbye_received);
            assert_eq!(lab.peer(0, leg.other()).received, expected.repeat(30));
            // FIN follows the goodbye.
            lab.settle();
            assert_eq!(lab.peer(0, leg.other()).state(), State::CloseWait);
            assert_eq!(lab.closed(0), None);
            lab.peer(0, leg.other()).say_goodbye();
            lab.peer(0, leg.other()).close();
            assert_eq!(lab.end(0), (CloseReason::CloseNotify, leg));
            assert!(lab.peer(0, leg).goodbye_received);
            lab.expect_rest();
        }
    }
}

#[test]
fn what_the_target_still_has_to_say_after_the_callers_goodbye_is_passed_on() {
    let mut lab = open_lab();
    lab.pairs[0].caller.send(&request("last"));
    lab.settle();
    lab.pairs[0].caller.say_goodbye();
    lab.run_until("goodbye", |lab| lab.pairs[0].target.goodbye_received);
    lab.pairs[0].target.send(&response());
    lab.settle();
    lab.pairs[0].target.say_goodbye();
    lab.pairs[0].target.close();
    lab.run_until("goodbye at the caller", |lab| {
        lab.pairs[0].caller.goodbye_received
    });
    assert_eq!(lab.pairs[0].caller.received, response_at_caller());
    lab.pairs[0].caller.close();
    assert_eq!(lab.end(0), (CloseReason::CloseNotify, Leg::Originator));
    let counts = lab.events.iter().find_map(|event| match event {
        Event::Closed {
            messages, bytes, ..
        } => Some((*messages, *bytes)),
        _ => None,
    });
    let bytes = [response().len() as u64, request("last").len() as u64];
    assert_eq!(counts, Some(([1, 1], bytes)));
    lab.expect_rest();
}

#[test]
fn a_target_that_only_closes_tcp_after_our_goodbye_ends_the_session_in_order() {
    let mut lab = open_lab();
    lab.pairs[0].caller.say_goodbye();
    lab.run_until("goodbye", |lab| lab.pairs[0].target.goodbye_received);
    lab.pairs[0].target.close();
    lab.run_until("goodbye", |lab| lab.pairs[0].caller.goodbye_received);
    lab.pairs[0].caller.close();
    assert_eq!(lab.end(0), (CloseReason::CloseNotify, Leg::Originator));
    lab.expect_rest();
}

#[test]
fn a_caller_that_resets_behind_its_goodbye_still_ends_the_session_in_order() {
    let mut lab = open_lab();
    lab.pairs[0].caller.send(&request("last"));
    lab.settle();
    lab.pairs[0].caller.say_goodbye();
    lab.settle();
    lab.pairs[0].caller.reset();
    lab.run_until("goodbye", |lab| lab.pairs[0].target.goodbye_received);
    assert_eq!(lab.pairs[0].target.received, request_at_target("last"));
    lab.pairs[0].target.close();
    assert_eq!(lab.end(0), (CloseReason::CloseNotify, Leg::Originator));
    lab.expect_rest();
}

#[test]
fn a_peer_that_never_answers_a_goodbye_does_not_keep_the_slot() {
    let mut lab = open_lab();
    lab.pairs[0].caller.say_goodbye();
    lab.pass(Duration::from_secs(20));
    assert_eq!(
        lab.closed(0),
        Some((CloseReason::CloseNotify, Leg::Originator))
    );
    assert!(lab.pairs[0].caller.goodbye_received);
    lab.expect_rest();
    assert_eq!(lab.pairs[0].target.state(), State::Closed);
}

#[test]
fn a_reset_of_either_leg_resets_the_other() {
    for leg in Leg::BOTH {
        let mut lab = open_lab();
        lab.peer(0, leg.other()).is_reading = false;
        lab.peer(0, leg).reset();
        assert_eq!(lab.end(0), (CloseReason::TcpReset, leg));
        assert!(!lab.peer(0, leg.other()).goodbye_received);
        assert_eq!(lab.peer(0, leg.other()).state(), State::Closed);
        lab.expect_rest();
    }
}

#[test]
fn a_reset_during_the_handshake_resets_the_other_leg() {
    for leg in Leg::BOTH {
        let world = World::new();
        let mut lab = Lab::small(1);
        lab.open(world.roles(BOTH_VERSIONS)).unwrap();
        lab.peer(0, Leg::Originator).is_reading = false;
        lab.settle();
        lab.peer(0, leg).reset();
        assert_eq!(lab.end(0), (CloseReason::TcpReset, leg));
        lab.expect_rest();
    }
}

#[test]
fn tcp_closed_without_goodbye_is_an_abort_of_both_legs() {
    for leg in Leg::BOTH {
        let mut lab = open_lab();
        lab.peer(0, leg).close();
        assert_eq!(lab.end(0), (CloseReason::TcpTruncated, leg));
        let index = CloseReason::TcpTruncated.index();
        assert_eq!(lab.proxy.counters().closed[index], 1);
        for peer in Leg::BOTH {
            assert!(!lab.peer(0, peer).goodbye_received);
            assert_eq!(lab.peer(0, peer).state(), State::Closed);
        }
        lab.expect_rest();
    }
}

#[test]
fn a_goodbye_in_the_middle_of_a_message_is_named() {
    let mut lab = open_lab();
    let message = request("never complete");
    lab.pairs[0].caller.send(&message[..message.len() - 1]);
    lab.settle();
    lab.pairs[0].caller.say_goodbye();
    lab.pairs[0].caller.close();
    lab.settle();
    lab.pairs[0].target.close();
    assert_eq!(lab.end(0), (CloseReason::SipTruncated, Leg::Originator));
    assert!(lab.pairs[0].target.received.is_empty());
    lab.expect_rest();
}

#[test]
fn silence_ends_a_session_after_the_idle_time_and_packets_put_it_off() {
    let mut lab = open_lab();
    lab.pass(Duration::from_secs(1_000));
    lab.pairs[0].caller.send(&request("still here"));
    lab.pass(Duration::from_secs(1_790));
    assert_eq!(lab.closed(0), None);
    lab.pass(Duration::from_secs(30));
    assert_eq!(
        lab.closed(0).map(|(reason, _)| reason),
        Some(CloseReason::IdleTimeout)
    );
    assert!(lab.pairs[0].caller.goodbye_received);
    assert!(lab.pairs[0].target.goodbye_received);
    lab.expect_rest();
}

#[test]
fn a_command_ends_a_session_with_goodbyes() {
    let mut lab = open_lab();
    let session = lab.pairs[0].session;
    lab.proxy.close(session, lab.now);
    lab.settle();
    lab.pairs[0].caller.close();
    lab.pairs[0].target.close();
    assert_eq!(lab.end(0).0, CloseReason::Administrative);
    assert!(lab.pairs[0].caller.goodbye_received);
    lab.expect_rest();
}

#[test]
fn a_peer_that_vanishes_with_data_unacknowledged_is_given_up() {
    let mut lab = open_lab();
    lab.pairs[0].cut = Some(Leg::Target);
    lab.pairs[0].caller.send(&request("into the void"));
    lab.pass(Duration::from_secs(90));
    assert_eq!(lab.closed(0), None);
    lab.pass(Duration::from_secs(30));
    assert_eq!(lab.closed(0), Some((CloseReason::TcpTimeout, Leg::Target)));
    assert_eq!(lab.pairs[0].caller.state(), State::Closed);
    lab.expect_rest();
}

#[test]
fn a_goodbye_before_the_other_handshake_is_done_ends_both_legs_at_once() {
    let world = World::new();
    let mut lab = Lab::small(1);
    let mut roles = world.roles(BOTH_VERSIONS);
    roles.target = PeerTls::Plain;
    lab.open(roles).unwrap();
    lab.run_until("handshake", |lab| {
        !lab.events.is_empty() && lab.pairs[0].caller.is_open()
    });
    lab.pairs[0].caller.say_goodbye();
    lab.pairs[0].caller.close();
    let before = lab.now;
    assert_eq!(lab.end(0), (CloseReason::CloseNotify, Leg::Originator));
    assert!(lab.now.since(before) < Duration::from_secs(1));
    assert!(lab.pairs[0].caller.goodbye_received);
    assert_eq!(lab.pairs[0].target.state(), State::Closed);
    lab.expect_rest();
}

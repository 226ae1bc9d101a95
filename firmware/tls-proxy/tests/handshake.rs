//! How sessions come up, and how they are refused.
#![allow(clippy::unwrap_used, reason = "tests")]

mod lab;

use std::time::Duration;

use lab::certificates::{BOTH_VERSIONS, Flaw, World, client, server};
use lab::peer::PeerTls;
use lab::{Lab, request, request_at_target, response, response_at_caller};
use rustls::{AlertDescription, Error as TlsError, ProtocolVersion, version};
use smoltcp::socket::tcp::State;
use tls_proxy::{CloseReason, Event, Leg, OpenError};

fn exchange(lab: &mut Lab, index: usize) {
    lab.pairs[index].caller.send(&request("hello"));
    lab.run_until("request", |lab| {
        lab.pairs[index].target.received == request_at_target("hello")
    });
    lab.pairs[index].target.send(&response());
    lab.run_until("response", |lab| {
        lab.pairs[index].caller.received == response_at_caller()
    });
}

fn full_session(offered: &'static rustls::SupportedProtocolVersion, expected: ProtocolVersion) {
    let world = World::new();
    let mut lab = Lab::small(1);
    lab.open(world.roles(&[offered])).unwrap();
    lab.handshake(0);
    assert_eq!(lab.pairs[0].caller.certificates_seen(), 1);
    assert_eq!(lab.pairs[0].target.certificates_seen(), 1);
    for (leg, identity) in [
        (Leg::Originator, &world.caller),
        (Leg::Target, &world.target),
    ] {
        let seen = lab.events.iter().find_map(|event| match event {
            Event::HandshakeDone {
                leg: found,
                version,
                peer_certificate,
                ..
            } if *found == leg => Some((*version, peer_certificate.clone())),
            _ => None,
        });
        assert_eq!(seen, Some((expected, Some(identity.chain[0].clone()))));
    }
    exchange(&mut lab, 0);
    let view = lab.proxy.sessions().next().unwrap();
    assert_eq!(view.originator.version, Some(expected));
    assert_eq!(view.target.received_messages, 1);
    assert_eq!(
        view.originator.received_bytes,
        request("hello").len() as u64
    );
    lab.pairs[0].caller.say_goodbye();
    lab.pairs[0].caller.close();
    lab.run_until("goodbye at the target", |lab| {
        lab.pairs[0].target.goodbye_received
    });
    lab.pairs[0].target.say_goodbye();
    lab.pairs[0].target.close();
    assert_eq!(lab.end(0), (CloseReason::CloseNotify, Leg::Originator));
    let counters = *lab.proxy.counters();
    assert_eq!((counters.total, counters.most), (1, 1));
    assert_eq!((counters.handshakes, counters.messages), (2, 2));
    assert_eq!(counters.closed[CloseReason::CloseNotify.index()], 1);
    lab.expect_rest();
}

#[test]
fn a_session_in_tls_1_2_authenticates_both_peers_and_passes_messages_both_ways() {
    full_session(&version::TLS12, ProtocolVersion::TLSv1_2);
}

#[test]
fn a_session_in_tls_1_3_authenticates_both_peers_and_passes_messages_both_ways() {
    full_session(&version::TLS13, ProtocolVersion::TLSv1_3);
}

#[test]
fn each_leg_negotiates_its_own_version() {
    let world = World::new();
    let mut lab = Lab::small(1);
    let mut roles = world.roles(&[&version::TLS12]);
    roles.target = PeerTls::Server(server(&world.target, &world.authority, &[&version::TLS13]));
    lab.open(roles).unwrap();
    lab.handshake(0);
    exchange(&mut lab, 0);
    let view = lab.proxy.sessions().next().unwrap();
    assert_eq!(view.originator.version, Some(ProtocolVersion::TLSv1_2));
    assert_eq!(view.target.version, Some(ProtocolVersion::TLSv1_3));
}

/// Runs a session that must not come up; returns its end and the laboratory.
fn refused(roles: lab::Roles) -> (CloseReason, Leg, Lab) {
    let mut lab = Lab::small(1);
    lab.open(roles).unwrap();
    let (reason, leg) = lab.end(0);
    assert_eq!(lab.proxy.counters().closed[reason.index()], 1);
    assert_eq!(lab.proxy.counters().messages, 0);
    lab.expect_rest();
    (reason, leg, lab)
}

#[test]
fn an_originator_without_certificate_is_refused_with_an_alert() {
    for (offered, alert) in [
        (&version::TLS13, AlertDescription::CertificateRequired),
        (&version::TLS12, AlertDescription::CertificateRequired),
    ] {
        let world = World::new();
        let mut roles = world.roles(&[offered]);
        roles.caller = PeerTls::Client(client(None, &world.authority, &[offered]));
        let (reason, leg, lab) = refused(roles);
        assert_eq!(
            (reason, leg),
            (CloseReason::CertificateMissing, Leg::Originator)
        );
        assert_eq!(
            lab.pairs[0].caller.error,
            Some(TlsError::AlertReceived(alert))
        );
    }
}

#[test]
fn an_originator_of_an_unknown_authority_is_refused_with_an_alert() {
    let world = World::new();
    let identity = world.stranger.issue(&["edge.example.net"], Flaw::None);
    let mut roles = world.roles(BOTH_VERSIONS);
    roles.caller = PeerTls::Client(client(Some(&identity), &world.authority, BOTH_VERSIONS));
    let (reason, leg, lab) = refused(roles);
    assert_eq!(
        (reason, leg),
        (CloseReason::CertificateUnknownIssuer, Leg::Originator)
    );
    let alert = TlsError::AlertReceived(AlertDescription::UnknownCA);
    assert_eq!(lab.pairs[0].caller.error, Some(alert));
}

#[test]
fn a_target_whose_certificate_is_no_good_is_refused_with_an_alert() {
    for (flaw, expected) in [
        (Flaw::Expired, CloseReason::CertificateExpired),
        (Flaw::Purpose(false), CloseReason::CertificateBadPurpose),
        (Flaw::None, CloseReason::CertificateUnknownIssuer),
    ] {
        let world = World::new();
        let issuer = if flaw == Flaw::None {
            &world.stranger
        } else {
            &world.authority
        };
        let identity = issuer.issue(&["10.20.0.11"], flaw);
        let mut roles = world.roles(BOTH_VERSIONS);
        roles.target = PeerTls::Server(server(&identity, &world.authority, BOTH_VERSIONS));
        let (reason, leg, lab) = refused(roles);
        assert_eq!((reason, leg), (expected, Leg::Target));
        assert!(matches!(
            lab.pairs[0].target.error,
            Some(TlsError::AlertReceived(_))
        ));
    }
}

#[test]
fn a_peer_that_refuses_our_certificate_is_named_by_its_alert() {
    let world = World::new();
    let mut roles = world.roles(BOTH_VERSIONS);
    roles.target = PeerTls::Server(server(&world.target, &world.stranger, BOTH_VERSIONS));
    let (reason, leg, _) = refused(roles);
    assert_eq!(
        (reason, leg),
        (
            CloseReason::AlertReceived(AlertDescription::UnknownCA),
            Leg::Target
        )
    );
}

#[test]
fn peers_without_a_common_version_are_incompatible() {
    let world = World::new();
    let mut roles = world.roles(&[&version::TLS12]);
    roles.server = server(&world.outside, &world.authority, &[&version::TLS13]);
    let (reason, leg, lab) = refused(roles);
    assert_eq!(
        (reason, leg),
        (CloseReason::TlsIncompatible, Leg::Originator)
    );
    let alert = TlsError::AlertReceived(AlertDescription::ProtocolVersion);
    assert_eq!(lab.pairs[0].caller.error, Some(alert));
}

#[test]
fn a_certificate_chain_longer_than_the_buffer_is_refused() {
    let mut world = World::new();
    let certificate = world.caller.chain[0].clone();
    let copies = 24 * 1024 / certificate.len();
    world.caller.chain = vec![certificate; copies];
    let (reason, leg, _) = refused(world.roles(&[&version::TLS12]));
    assert_eq!(
        (reason, leg),
        (CloseReason::HandshakeTooLong, Leg::Originator)
    );
}

#[test]
fn plaintext_is_refused_as_not_tls() {
    let world = World::new();
    let mut lab = Lab::small(1);
    let mut roles = world.roles(BOTH_VERSIONS);
    roles.caller = PeerTls::Plain;
    lab.open(roles).unwrap();
    lab.pairs[0].caller.send(&request("hello"));
    assert_eq!(lab.end(0), (CloseReason::NotTls, Leg::Originator));
    // An alert record: type 21, and a level and description behind the header.
    let alert = &lab.pairs[0].caller.received;
    assert_eq!((alert[0], alert.len()), (21, 7));
    assert!(lab.pairs[0].target.received.is_empty());
    lab.expect_rest();
}

#[test]
fn the_syn_is_answered_only_after_the_target_has_answered() {
    let world = World::new();
    let mut lab = Lab::small(1);
    lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    lab.pairs[0].cut = Some(Leg::Target);
    lab.pass(Duration::from_secs(5));
    assert_eq!(lab.pairs[0].caller.state(), State::SynSent);
    assert_eq!(lab.sent[0], 0);
    lab.pairs[0].cut = None;
    lab.pass(Duration::from_secs(10));
    lab.handshake(0);
}

#[test]
fn a_target_that_refuses_the_connection_has_the_originator_reset() {
    let world = World::new();
    let mut lab = Lab::small(1);
    lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    lab.pairs[0].target.socket().abort();
    assert_eq!(lab.end(0), (CloseReason::ConnectRefused, Leg::Target));
    assert_eq!(lab.pairs[0].caller.state(), State::Closed);
    lab.expect_rest();
}

#[test]
fn a_target_that_never_answers_ends_the_session_after_the_handshake_time() {
    let world = World::new();
    let mut lab = Lab::small(1);
    lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    lab.pairs[0].cut = Some(Leg::Target);
    lab.pass(Duration::from_secs(29));
    assert_eq!(lab.closed(0), None);
    lab.pass(Duration::from_secs(2));
    assert_eq!(
        lab.closed(0),
        Some((CloseReason::ConnectTimeout, Leg::Target))
    );
    assert_eq!(lab.pairs[0].caller.state(), State::Closed);
    lab.expect_rest();
}

#[test]
fn an_originator_that_says_nothing_is_timed_out() {
    let world = World::new();
    let mut lab = Lab::small(1);
    let mut roles = world.roles(BOTH_VERSIONS);
    roles.caller = PeerTls::Plain;
    lab.open(roles).unwrap();
    lab.pass(Duration::from_secs(29));
    assert_eq!(lab.closed(0), None);
    lab.pass(Duration::from_secs(12));
    assert_eq!(
        lab.closed(0),
        Some((CloseReason::HandshakeTimeout, Leg::Originator))
    );
    assert!(lab.pairs[0].target.goodbye_received);
    lab.expect_rest();
}

#[test]
fn a_full_pool_refuses_and_a_freed_slot_is_used_again() {
    let world = World::new();
    let mut lab = Lab::small(2);
    for _ in 0..2 {
        lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    }
    let third = lab.open(world.roles(BOTH_VERSIONS));
    assert_eq!(third, Err(OpenError::SessionLimit));
    assert_eq!(lab.proxy.counters().refused, 1);
    lab.handshake(0);
    lab.pairs[0].caller.reset();
    lab.end(0);
    let again = lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    lab.handshake(again);
    exchange(&mut lab, again);
    assert_eq!(lab.proxy.counters().most, 2);
    let stale = lab.pairs[0].session;
    lab.proxy.close(stale, lab.now);
    lab.settle();
    assert_eq!(lab.closed(again), None);
}

#[test]
fn endpoints_that_are_no_hosts_are_refused() {
    let world = World::new();
    let mut lab = Lab::small(1);
    let roles = world.roles(BOTH_VERSIONS);
    let good = tls_proxy::Endpoints {
        local: lab::PUBLISHED,
        remote: lab::CALLER,
    };
    for bad in [
        ([0, 0, 0, 0], 5_061),
        ([224, 0, 0, 1], 5_061),
        ([255, 255, 255, 255], 5_061),
        ([10, 20, 0, 11], 0),
    ] {
        let opening = tls_proxy::Opening {
            flow: 0,
            originator: good,
            target: tls_proxy::Endpoints {
                local: lab::CALLER,
                remote: (bad.0.into(), bad.1),
            },
            server: roles.server.clone(),
            client: roles.client.clone(),
            idle_timeout: Duration::from_secs(1),
            sequence_seed: 0,
        };
        let refused = lab.proxy.open(opening, lab.now);
        assert_eq!(refused, Err(OpenError::Unaddressable));
    }
    assert_eq!(lab.proxy.counters().active, 0);
}

#[test]
fn sixty_four_sessions_at_a_time_each_get_their_own_messages() {
    let world = World::new();
    let mut lab = Lab::small(64);
    for _ in 0..64 {
        lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    }
    for index in 0..64 {
        lab.handshake(index);
    }
    for index in 0..64 {
        let body = format!("for {index}");
        lab.pairs[index].caller.send(&request(&body));
        lab.pairs[index].target.send(&response());
    }
    lab.run_until("all messages", |lab| {
        (0..64).all(|index| {
            let pair = &lab.pairs[index];
            pair.target.received == request_at_target(&format!("for {index}"))
                && pair.caller.received == response_at_caller()
        })
    });
    assert_eq!(lab.proxy.counters().active, 64);
    for index in 0..64 {
        lab.pairs[index].caller.reset();
    }
    for index in 0..64 {
        assert_eq!(lab.end(index).0, CloseReason::TcpReset);
    }
    lab.expect_rest();
}

//! How bytes and messages pass, whatever the peers do with them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod lab;

use std::time::Duration;

use lab::certificates::{BOTH_VERSIONS, World};
use lab::peer::PeerTls;
use lab::{Lab, Noise, StaticRule, request, request_at_target, response, response_at_caller};
use rustls::version;
use tls_proxy::{CloseReason, Direction, Event, Leg, LegState, Limits};

fn open_lab() -> Lab {
    let world = World::new();
    let mut lab = Lab::small(1);
    lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    lab.handshake(0);
    lab
}

#[test]
fn every_message_is_told_with_its_kind_and_direction() {
    let mut lab = open_lab();
    lab.pairs[0].caller.send(&request("hello"));
    lab.settle();
    lab.pairs[0].target.send(&response());
    lab.settle();
    let told: Vec<_> = lab
        .events
        .iter()
        .filter_map(|event| match event {
            Event::MessagePassed {
                direction,
                kind,
                bytes,
                ..
            } => Some((*direction, *kind, *bytes)),
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [
            (
                Direction::ToTarget,
                sip::MessageKind::Request(sip::Method::Message),
                request("hello").len()
            ),
            (
                Direction::ToOriginator,
                sip::MessageKind::Response(200),
                response().len()
            ),
        ]
    );
}

#[test]
fn a_message_over_many_records_arrives_whole() {
    for versions in [&[&version::TLS12][..], &[&version::TLS13][..]] {
        let world = World::new();
        let mut lab = Lab::small(1);
        lab.open(world.roles(versions)).unwrap();
        lab.handshake(0);
        let body = "0123456789abcdef".repeat(1_000);
        lab.pairs[0].caller.record_bytes = Some(100);
        lab.pairs[0].caller.send(&request(&body));
        lab.run_until("large message", |lab| {
            lab.pairs[0].target.received == request_at_target(&body)
        });
        assert_eq!(lab.proxy.counters().messages, 1);
    }
}

/// A port that coalesces hands up segments as long as the receive window, with partial checksums, in
/// several buffers.
#[test]
fn coalesced_segments_of_any_length_pass() {
    for versions in [&[&version::TLS12][..], &[&version::TLS13][..]] {
        let world = World::new();
        let mut lab = Lab::small(1);
        lab.coalesces = true;
        lab.open(world.roles(versions)).unwrap();
        lab.handshake(0);
        let body = "0123456789abcdef".repeat(1_000);
        lab.pairs[0].caller.send(&request(&body).repeat(3));
        lab.run_until("large messages", |lab| {
            lab.pairs[0].target.received == request_at_target(&body).repeat(3)
        });
        lab.pairs[0].target.send(&response());
        lab.run_until("answer", |lab| {
            lab.pairs[0].caller.received == response_at_caller()
        });
        assert!(lab.longest > 10_000, "{} bytes at most", lab.longest);
        assert_eq!(lab.proxy.counters().packets_ignored, 0);
        assert_eq!(lab.pool.available(), lab.pool.total());
    }
}

#[test]
fn many_messages_in_one_record_arrive_each_rewritten() {
    let mut lab = open_lab();
    let (sent, expected): (Vec<_>, Vec<_>) = (0..40)
        .map(|number| {
            let body = format!("number {number}");
            (request(&body), request_at_target(&body))
        })
        .unzip();
    lab.pairs[0].caller.send(&sent.concat());
    lab.run_until("all messages", |lab| {
        lab.pairs[0].target.received == expected.concat()
    });
    assert_eq!(lab.proxy.counters().messages, 40);
}

#[test]
fn bytes_that_trickle_in_one_by_one_make_the_same_session() {
    let world = World::new();
    let mut lab = Lab::small(1);
    lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    lab.pairs[0].caller.segment_bytes = Some(1);
    lab.pairs[0].target.segment_bytes = Some(1);
    lab.handshake(0);
    lab.pairs[0].caller.record_bytes = Some(1);
    lab.pairs[0].caller.send(&request("x"));
    lab.pairs[0].target.send(&response());
    lab.run_until("both messages", |lab| {
        lab.pairs[0].target.received == request_at_target("x")
            && lab.pairs[0].caller.received == response_at_caller()
    });
}

#[test]
fn keep_alives_pass_between_messages() {
    let mut lab = open_lab();
    lab.pairs[0].caller.send(b"\r\n\r\n");
    lab.settle();
    assert_eq!(lab.pairs[0].target.received, b"\r\n\r\n");
    lab.pairs[0].target.send(b"\r\n");
    lab.settle();
    assert_eq!(lab.pairs[0].caller.received, b"\r\n");
    assert_eq!(lab.proxy.counters().messages, 0);
}

#[test]
fn a_target_that_stops_reading_closes_the_callers_window_and_nothing_grows() {
    let mut lab = open_lab();
    let message = request(&"m".repeat(2_000));
    let expected = request_at_target(&"m".repeat(2_000));
    const MESSAGES: usize = 200;
    lab.pairs[0].target.is_reading = false;
    for _ in 0..MESSAGES {
        lab.pairs[0].caller.send(&message);
    }
    lab.pass(Duration::from_secs(60));
    let stuck = lab.pairs[0].caller.outgoing.len();
    let view = lab.proxy.sessions().next().unwrap();
    let limits = *lab.proxy.limits();
    assert!(stuck > MESSAGES * message.len() / 2);
    assert!(
        view.originator.receive_queue_bytes + view.target.transmit_queue_bytes
            < limits.session_bytes()
    );
    assert_eq!(lab.closed(0), None);
    lab.pass(Duration::from_secs(60));
    assert_eq!(lab.pairs[0].caller.outgoing.len(), stuck);

    // The other direction is not held up by it.
    lab.pairs[0].target.send(&response());
    lab.settle();
    assert_eq!(lab.pairs[0].caller.received, response_at_caller());

    lab.pairs[0].target.is_reading = true;
    lab.run_until("all messages", |lab| {
        lab.pairs[0].target.received.len() == MESSAGES * expected.len()
    });
    assert_eq!(lab.pairs[0].target.received, expected.repeat(MESSAGES));
}

#[test]
fn a_caller_that_stops_reading_closes_the_targets_window() {
    let mut lab = open_lab();
    lab.pairs[0].caller.is_reading = false;
    for _ in 0..2_000 {
        lab.pairs[0].target.send(&response());
    }
    lab.pass(Duration::from_secs(30));
    assert!(!lab.pairs[0].target.outgoing.is_empty());
    lab.pairs[0].caller.is_reading = true;
    lab.run_until("all messages", |lab| {
        lab.pairs[0].caller.received == response_at_caller().repeat(2_000)
    });
}

#[test]
fn garbage_closes_both_legs_and_is_named() {
    for (garbage, expected) in [
        (&b"\x01\x02\x03"[..], sip::Error::ControlCharacter),
        (b"GET / HTTP/1.1\r\n\r\n", sip::Error::VersionUnsupported),
        (
            b"MESSAGE sip:b@x SIP/2.0\r\n\r\n",
            sip::Error::ContentLengthMissing,
        ),
        (
            b"MESSAGE sip:b@x SIP/2.0\r\nl: 1\r\nContent-Length: 1\r\n\r\nx",
            sip::Error::ContentLengthRepeated,
        ),
        (
            b"MESSAGE sip:b@x SIP/2.0\r\nl: 99999\r\n\r\n",
            sip::Error::BodyTooLong,
        ),
    ] {
        for leg in Leg::BOTH {
            let mut lab = open_lab();
            lab.peer(0, leg).send(garbage);
            assert_eq!(lab.end(0), (CloseReason::Sip(expected), leg));
            for peer in Leg::BOTH {
                assert!(lab.peer(0, peer).goodbye_received);
                assert!(lab.peer(0, peer).received.is_empty());
            }
            assert_eq!(lab.proxy.counters().messages, 0);
            lab.expect_rest();
        }
    }
}

#[test]
fn a_header_section_without_end_is_refused_at_its_limit() {
    let mut lab = open_lab();
    lab.pairs[0].caller.send(b"MESSAGE sip:b@x SIP/2.0\r\n");
    lab.pairs[0]
        .caller
        .send(&b"X-Filler: 0123456789\r\n".repeat(100));
    lab.settle();
    assert_eq!(lab.closed(0), None);
    lab.pairs[0].caller.send(&[b'a'; 8_192]);
    assert_eq!(
        lab.end(0),
        (CloseReason::Sip(sip::Error::HeadTooLong), Leg::Originator)
    );
}

#[test]
fn packets_that_span_buffers_are_taken() {
    let world = World::new();
    let mut lab = Lab::small(1);
    lab.split_bytes = Some(33);
    lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    lab.handshake(0);
    lab.pairs[0].caller.send(&request("hello"));
    lab.settle();
    assert_eq!(lab.pairs[0].target.received, request_at_target("hello"));
    assert_eq!(lab.pool.available(), lab.pool.total());
}

#[test]
fn packets_that_are_no_good_are_counted_and_change_nothing() {
    let mut lab = open_lab();
    let session = lab.pairs[0].session;
    lab.pairs[0].caller.send(&request("hello"));
    let now = lab.now;
    assert!(lab.pairs[0].caller.pump(now));
    let good = lab.pairs[0].caller.sent.pop_back().unwrap();
    let mut broken = vec![good.clone(); 6];
    *broken[0].last_mut().unwrap() ^= 1; // TCP checksum
    broken[1][10] ^= 1; // IPv4 checksum
    broken[2][0] = 0x65; // version
    broken[3][9] = 17; // UDP
    broken[4].truncate(30);
    broken[5][6] = 0x20; // more fragments
    let count = broken.len() as u64;
    for frame in broken {
        let mut packet = lab.pool.take().unwrap();
        assert!(packet.extend(&frame));
        lab.proxy.handle_packet(
            session,
            Leg::Originator,
            packet,
            &mut lab.pool,
            &StaticRule,
            now,
        );
    }
    assert_eq!(lab.proxy.counters().packets_ignored, count);
    assert_eq!(lab.proxy.counters().messages, 0);
    // TCP sends the lost segment again.
    lab.run_until("message", |lab| {
        lab.pairs[0].target.received == request_at_target("hello")
    });
}

#[test]
fn without_packet_buffers_sessions_wait_and_go_on() {
    let mut lab = open_lab();
    let mut hoard: Vec<_> = std::iter::from_fn(|| lab.pool.take()).collect();
    lab.pool.free(hoard.pop().unwrap());
    lab.pairs[0].caller.send(&request("hello"));
    lab.pairs[0].target.send(&response());
    for _ in 0..100 {
        lab.settle();
        lab.now += Duration::from_millis(20);
    }
    for buffer in hoard {
        lab.pool.free(buffer);
    }
    lab.run_until("both messages", |lab| {
        lab.pairs[0].target.received == request_at_target("hello")
            && lab.pairs[0].caller.received == response_at_caller()
    });
    assert_eq!(lab.pool.available(), lab.pool.total());
}

#[test]
fn a_short_transmit_queue_only_slows_down() {
    let world = World::new();
    let mut lab = Lab::new(Limits {
        sessions: 1,
        transmit_queue: 1,
        ..Limits::default()
    });
    lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    lab.handshake(0);
    let body = "b".repeat(16_000);
    lab.pairs[0].caller.send(&request(&body));
    lab.run_until("message", |lab| {
        lab.pairs[0].target.received == request_at_target(&body)
    });
}

#[test]
fn the_smallest_limits_pass_the_largest_message_they_allow() {
    let world = World::new();
    let mut lab = Lab::new(Limits {
        sessions: 1,
        sip: sip::Limits {
            head_bytes: 1_024,
            headers: 32,
            body_bytes: 2_048,
        },
        tcp_receive_bytes: 2_048,
        tcp_send_bytes: 2_048,
        mtu_bytes: 576,
        ..Limits::default()
    });
    lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    lab.handshake(0);
    let body = "b".repeat(2_048);
    for _ in 0..3 {
        lab.pairs[0].caller.send(&request(&body));
    }
    lab.run_until("messages", |lab| {
        lab.pairs[0].target.received == request_at_target(&body).repeat(3)
    });
    let view = lab.proxy.sessions().next().unwrap();
    assert_eq!(view.originator.state, LegState::Open);
    lab.pairs[0].caller.send(&request(&"b".repeat(2_049)));
    assert_eq!(lab.end(0).0, CloseReason::Sip(sip::Error::BodyTooLong));
}

#[test]
fn lost_packets_only_delay_a_session() {
    for one_in in [5, 8, 16] {
        let world = World::new();
        let mut lab = Lab::small(1);
        lab.lose_one_in = Some(one_in);
        lab.open(world.roles(BOTH_VERSIONS)).unwrap();
        lab.handshake(0);
        let body = "b".repeat(5_000);
        lab.pairs[0].caller.send(&request(&body).repeat(4));
        lab.pairs[0].target.send(&response().repeat(40));
        lab.run_until("messages", |lab| {
            lab.pairs[0].target.received == request_at_target(&body).repeat(4)
                && lab.pairs[0].caller.received == response_at_caller().repeat(40)
        });
        lab.lose_one_in = None;
        lab.pairs[0].caller.say_goodbye();
        lab.pairs[0].caller.close();
        lab.settle();
        lab.pairs[0].target.close();
        assert_eq!(lab.end(0).0, CloseReason::CloseNotify);
        lab.expect_rest();
    }
}

#[test]
fn noise_in_place_of_records_or_messages_ends_sessions_and_leaves_nothing_behind() {
    let world = World::new();
    let mut noise = Noise(1);
    for round in 0..300 {
        let mut lab = Lab::small(1);
        let mut roles = world.roles(BOTH_VERSIONS);
        let leg = Leg::BOTH[round % 2];
        let is_plain = round % 3 > 0;
        if is_plain {
            match leg {
                Leg::Originator => roles.caller = PeerTls::Plain,
                Leg::Target => roles.target = PeerTls::Plain,
            }
        }
        lab.open(roles).unwrap();
        let len = noise.next() % 400 + 1;
        let mut bytes = noise.bytes(len);
        if is_plain && round % 3 == 2 {
            // The header of a handshake record of that length in front of it.
            let len = (bytes.len() as u16).to_be_bytes();
            bytes.splice(..0, [22, 3, 3, len[0], len[1]]);
        } else if !is_plain {
            lab.handshake(0);
        }
        lab.peer(0, leg).send(&bytes);
        lab.pass(Duration::from_secs(40));
        assert!(
            lab.closed(0).is_some() || !is_plain,
            "round {round}: {:?}",
            lab.events
        );
        lab.peer(0, leg).reset();
        lab.end(0);
        lab.expect_rest();
    }
}

//! Connections that fall silent: idle times of a class, resets, dead connection detection.

use super::lab::*;
use crate::*;
use core::time::Duration;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A lab with an open connection from the desk, and what leaves while time passes.
fn connected(settings: ConnectionSettings) -> (Lab, u16) {
    let mut lab = Lab::new(with_class(federation(), Some(settings), None));
    let (_, port) = lab.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 80));
    (lab, port)
}

fn passing(lab: &mut Lab, time: Duration) -> Vec<(PortId, Packet)> {
    lab.wait(time);
    lab.drain()
        .iter()
        .map(|(port, frame)| (*port, Packet::parse(&frame[14..])))
        .collect()
}

#[test]
fn a_class_has_times_of_its_own() {
    let settings = ConnectionSettings {
        idle: Some(secs(300)),
        embryonic: Some(secs(5)),
        half_closed: Some(secs(30)),
        ..unlimited()
    };
    let (mut lab, _) = connected(settings);
    let syn = Segment::new(DESK, 1, EDGE, 80, SYN).frame(INSIDE);
    lab.pass(INSIDE, &syn, OUTSIDE);
    assert_eq!(passing(&mut lab, secs(6)), []);
    assert_eq!(lab.box_.conns(lab.now).count(), 1);
    lab.wait(secs(290));
    assert_eq!(lab.box_.conns(lab.now).count(), 1);
    let fin = Segment::new(DESK, 3000, EDGE, 80, FIN | ACK)
        .seq(1001)
        .ack(5001);
    lab.pass(INSIDE, &fin.frame(INSIDE), OUTSIDE);
    lab.wait(secs(29));
    assert_eq!(lab.box_.conns(lab.now).count(), 1);
    lab.wait(secs(2));
    assert_eq!(lab.box_.conns(lab.now).count(), 0);
    // Zero is never.
    let (mut lab, _) = connected(ConnectionSettings {
        idle: Some(secs(0)),
        ..unlimited()
    });
    lab.wait(secs(1_000_000));
    assert_eq!(lab.box_.conns(lab.now).count(), 1);
}

#[test]
fn an_idle_connection_is_reset_on_both_sides_if_asked_for() {
    let settings = ConnectionSettings {
        idle: Some(secs(300)),
        reset: true,
        ..unlimited()
    };
    let (mut lab, port) = connected(settings);
    assert_eq!(passing(&mut lab, secs(299)), []);
    let told = passing(&mut lab, secs(2));
    assert_eq!(told.len(), 2);
    let (to_server, to_client) = (&told[0].1, &told[1].1);
    assert_eq!(
        (to_server.from(), to_server.to()),
        ((PUBLIC, port), (EDGE, 80))
    );
    assert_eq!(
        (
            to_server.tcp_flags(),
            to_server.sequence(),
            to_server.acknowledgment()
        ),
        (RST | ACK, 1001, 5001)
    );
    assert_eq!(
        (to_client.from(), to_client.to()),
        ((EDGE, 80), (DESK, 3000))
    );
    assert_eq!(
        (
            to_client.tcp_flags(),
            to_client.sequence(),
            to_client.acknowledgment()
        ),
        (RST | ACK, 5001, 1001)
    );
    assert_eq!(lab.box_.conns(lab.now).count(), 0);
}

fn detecting() -> ConnectionSettings {
    ConnectionSettings {
        idle: Some(secs(300)),
        dead_detection: Some(DeadDetection {
            interval: secs(15),
            retries: 3,
        }),
        ..unlimited()
    }
}

#[test]
fn a_connection_whose_sides_answer_lives_on_and_neither_hears_of_it() {
    let (mut lab, port) = connected(detecting());
    for _ in 0..3 {
        let probes = passing(&mut lab, secs(301));
        assert_eq!(probes.len(), 2);
        assert_eq!(
            (
                probes[0].0,
                probes[0].1.sequence(),
                probes[0].1.acknowledgment()
            ),
            (OUTSIDE, 1000, 5001)
        );
        assert_eq!(
            (
                probes[1].0,
                probes[1].1.sequence(),
                probes[1].1.acknowledgment()
            ),
            (INSIDE, 5000, 1001)
        );
        assert!(
            probes
                .iter()
                .all(|(_, probe)| probe.tcp_flags() == ACK && probe.tcp_payload().is_empty())
        );
        let client = Segment::new(DESK, 3000, EDGE, 80, ACK).seq(1001).ack(5001);
        let server = Segment::new(EDGE, 80, PUBLIC, port, ACK)
            .seq(5001)
            .ack(1001);
        assert_eq!(lab.send(INSIDE, &client.frame(INSIDE)), []);
        // Only the server is asked again.
        let again = passing(&mut lab, secs(16));
        assert_eq!(again.len(), 1);
        assert_eq!(again[0].0, OUTSIDE);
        assert_eq!(lab.send(OUTSIDE, &server.frame(OUTSIDE)), []);
        assert_eq!(passing(&mut lab, secs(100)), []);
        // The same segments, unasked, pass.
        lab.pass(OUTSIDE, &server.frame(OUTSIDE), INSIDE);
    }
    let counts = lab.box_.class_counts(0);
    assert_eq!(
        (counts.client_probes, counts.server_probes, counts.expired),
        (3, 6, 0)
    );
}

#[test]
fn traffic_ends_the_questions() {
    let (mut lab, port) = connected(detecting());
    assert_eq!(passing(&mut lab, secs(301)).len(), 2);
    let data = Segment::new(DESK, 3000, EDGE, 80, ACK)
        .seq(1001)
        .ack(5001)
        .payload(b"here");
    lab.pass(INSIDE, &data.frame(INSIDE), OUTSIDE);
    // What acknowledges it looks like an answer, and is none.
    let ack = Segment::new(EDGE, 80, PUBLIC, port, ACK)
        .seq(5001)
        .ack(1005);
    lab.pass(OUTSIDE, &ack.frame(OUTSIDE), INSIDE);
    assert_eq!(passing(&mut lab, secs(290)), []);
    assert_eq!(passing(&mut lab, secs(11)).len(), 2);
}

#[test]
fn a_side_that_does_not_answer_ends_the_connection_for_both() {
    let (mut lab, _) = connected(detecting());
    assert_eq!(passing(&mut lab, secs(301)).len(), 2);
    let client = Segment::new(DESK, 3000, EDGE, 80, ACK).seq(1001).ack(5001);
    assert_eq!(lab.send(INSIDE, &client.frame(INSIDE)), []);
    assert_eq!(passing(&mut lab, secs(15)).len(), 1);
    assert_eq!(passing(&mut lab, secs(15)).len(), 1);
    let told = passing(&mut lab, secs(15));
    assert_eq!(told.len(), 2);
    assert!(
        told.iter()
            .all(|(_, packet)| packet.tcp_flags() == RST | ACK)
    );
    assert_eq!(lab.box_.conns(lab.now).count(), 0);
    assert_eq!(lab.box_.class_counts(0).expired, 1);
}

//! Limits on connections, exact under churn; SYN cookies when there are too many half-open ones.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use core::time::Duration;
use proptest::prelude::*;

/// The published XMPP server, open to everybody, in a class with `settings`.
fn guarded(settings: ConnectionSettings) -> Policy {
    with_class(federation(), Some(settings), None)
}

fn syn(client: Ipv4Addr, port: u16, sequence: u32) -> Segment {
    Segment::new(client, port, PUBLIC, 5269, SYN).seq(sequence)
}

fn client(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 51, 100, n)
}

#[test]
fn a_class_takes_so_many_connections_and_a_client_so_many() {
    let mut lab = Lab::new(guarded(ConnectionSettings {
        most: 3,
        most_per_client: 2,
        ..unlimited()
    }));
    lab.box_
        .set_event_interest([EventKind::LimitReached].into_iter().collect());
    for (n, port) in [(1, 10), (1, 11)] {
        lab.pass(OUTSIDE, &syn(client(n), port, 1).frame(OUTSIDE), INSIDE);
    }
    let third = syn(client(1), 12, 1).frame(OUTSIDE);
    lab.refuse(OUTSIDE, &third, DropReason::ConnLimit);
    lab.pass(OUTSIDE, &syn(client(2), 10, 1).frame(OUTSIDE), INSIDE);
    let fourth = syn(client(3), 10, 1).frame(OUTSIDE);
    lab.refuse(OUTSIDE, &fourth, DropReason::ConnLimit);
    // Told once a second.
    let event = lab.box_.poll_event();
    assert!(
        matches!(
            event,
            Some(Event::LimitReached {
                limit: ConnectionLimit::ClientConnections,
                count: 2,
                most: 2,
                packet,
            }) if packet.ingress == OUTSIDE
        ),
        "{event:?}"
    );
    assert!(matches!(
        lab.box_.poll_event(),
        Some(Event::LimitReached {
            limit: ConnectionLimit::Connections,
            count: 3,
            most: 3,
            ..
        })
    ));
    let counts = lab.box_.class_counts(0);
    assert_eq!(
        (counts.connections, counts.embryonic, counts.refused),
        (3, 3, 2)
    );
    // UDP is limited as well.
    lab.refuse(
        INSIDE,
        &ethernet(INSIDE, &udp((DESK, 1), (EDGE, 1), b"")),
        DropReason::ConnLimit,
    );
    // What ends makes room.
    assert_eq!(lab.box_.clear_conns(|_| true, lab.now), 3);
    assert_eq!(lab.box_.clients.in_use(), 0);
    lab.pass(OUTSIDE, &fourth, INSIDE);
}

#[test]
fn a_full_table_of_clients_refuses_by_name() {
    let limits = Limits {
        ports: 3,
        flows: 8,
        ..Limits::default()
    };
    let settings = ConnectionSettings {
        most_per_client: 5,
        ..unlimited()
    };
    let mut lab = Lab::with_limits(guarded(settings), limits);
    // A record for every fourth flow, and one.
    for n in 0..3 {
        lab.pass(OUTSIDE, &syn(client(n), 9, 1).frame(OUTSIDE), INSIDE);
    }
    lab.refuse(
        OUTSIDE,
        &syn(client(9), 9, 1).frame(OUTSIDE),
        DropReason::ClientTableFull,
    );
    lab.pass(OUTSIDE, &syn(client(2), 10, 1).frame(OUTSIDE), INSIDE);
}

#[test]
fn above_the_limit_the_box_answers_and_the_server_sees_only_real_clients() {
    let mut lab = Lab::new(guarded(ConnectionSettings {
        most_embryonic: 1,
        ..unlimited()
    }));
    lab.pass(OUTSIDE, &syn(client(1), 10, 1).frame(OUTSIDE), INSIDE);

    // The client: SYN with every option, answered with a closed window and only an MSS.
    let options = [
        2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0,
    ];
    let answer = lab.pass(
        OUTSIDE,
        &syn(EDGE, 4000, 7000).options(&options).frame(OUTSIDE),
        OUTSIDE,
    );
    assert_eq!((answer.from(), answer.to()), ((PUBLIC, 5269), (EDGE, 4000)));
    assert_eq!(answer.tcp_flags(), SYN | ACK);
    assert_eq!((answer.acknowledgment(), answer.window()), (7001, 0));
    assert_eq!(answer.tcp_options(), [2, 4, 5, 0x64]);
    assert_eq!(lab.box_.conns(lab.now).count(), 1);
    assert_eq!(lab.box_.class_counts(0).answered, 1);

    // Its acknowledgment opens the server's side.
    let cookie = answer.sequence();
    let ack = Segment::new(EDGE, 4000, PUBLIC, 5269, ACK)
        .seq(7001)
        .ack(cookie.wrapping_add(1));
    let asked = lab.pass(OUTSIDE, &ack.frame(OUTSIDE), INSIDE);
    assert_eq!((asked.from(), asked.to()), ((EDGE, 4000), (NODE, 5269)));
    assert_eq!((asked.tcp_flags(), asked.sequence()), (SYN, 7000));
    assert_eq!(asked.tcp_options(), [2, 4, 5, 0xb4]);
    lab.refuse(
        OUTSIDE,
        &ack.frame(OUTSIDE),
        DropReason::InterceptUnexpected,
    );

    // A SYN that is lost is sent again.
    lab.wait(Duration::from_millis(1100));
    let again = lab.drain();
    assert_eq!(again.len(), 1);
    assert_eq!(Packet::parse(&again[0].1[14..]).sequence(), 7000);

    // Both sides learn of each other.
    let accepted = Segment::new(NODE, 5269, EDGE, 4000, SYN | ACK)
        .seq(90_000)
        .ack(7001);
    let both = lab.send(INSIDE, &accepted.frame(INSIDE));
    let both: Vec<_> = both
        .iter()
        .map(|(port, frame)| (*port, Packet::parse(&frame[14..])))
        .collect();
    assert_eq!(both.len(), 2);
    let (to_client, to_server) = (&both[0].1, &both[1].1);
    assert_eq!(
        (both[0].0, to_client.from(), to_client.tcp_flags()),
        (OUTSIDE, (PUBLIC, 5269), ACK)
    );
    assert_eq!(
        (
            to_client.sequence(),
            to_client.acknowledgment(),
            to_client.window()
        ),
        (cookie.wrapping_add(1), 7001, 8192)
    );
    assert_eq!(
        (
            to_server.sequence(),
            to_server.acknowledgment(),
            to_server.tcp_flags()
        ),
        (7001, 90_001, ACK)
    );

    // From here on numbers are translated: data, acknowledgment, selective acknowledgment.
    let data = Segment::new(NODE, 5269, EDGE, 4000, ACK)
        .seq(90_001)
        .ack(7001)
        .payload(b"hello");
    let seen = lab.pass(INSIDE, &data.frame(INSIDE), OUTSIDE);
    assert_eq!(seen.sequence(), cookie.wrapping_add(1));
    let edges = [
        cookie.wrapping_add(3).to_be_bytes(),
        cookie.wrapping_add(6).to_be_bytes(),
    ]
    .concat();
    let sack = Segment::new(EDGE, 4000, PUBLIC, 5269, ACK)
        .seq(7001)
        .ack(cookie.wrapping_add(1))
        .options(&[&[1, 1, 5, 10], edges.as_slice()].concat());
    let seen = lab.pass(OUTSIDE, &sack.frame(OUTSIDE), INSIDE);
    assert_eq!(seen.acknowledgment(), 90_001);
    assert_eq!(
        seen.tcp_options()[4..],
        [90_003u32.to_be_bytes(), 90_006u32.to_be_bytes()].concat()
    );
    let whole = Segment::new(EDGE, 4000, PUBLIC, 5269, ACK)
        .seq(7001)
        .ack(cookie.wrapping_add(6));
    let seen = lab.pass(OUTSIDE, &whole.frame(OUTSIDE), INSIDE);
    assert_eq!(seen.acknowledgment(), 90_006);
    let reset = Segment::new(EDGE, 4000, PUBLIC, 5269, RST).seq(7001);
    lab.pass(OUTSIDE, &reset.frame(OUTSIDE), INSIDE);
    assert_eq!(lab.box_.conns(lab.now).count(), 1);
    let opened = lab.box_.opened();
    assert_eq!((opened.answered, opened.proven), (1, 1));
}

#[test]
fn a_cookie_that_is_wrong_opens_nothing() {
    let mut lab = Lab::new(guarded(ConnectionSettings {
        most_embryonic_per_client: 1,
        ..unlimited()
    }));
    let stray = |sequence: u32, acknowledgment| {
        Segment::new(EDGE, 4000, PUBLIC, 5269, ACK)
            .seq(sequence)
            .ack(acknowledgment)
            .frame(OUTSIDE)
    };
    lab.refuse(OUTSIDE, &stray(1, 1), DropReason::TcpNotSyn);
    lab.pass(OUTSIDE, &syn(EDGE, 3999, 1).frame(OUTSIDE), INSIDE);
    let answer = lab.pass(OUTSIDE, &syn(EDGE, 4000, 7000).frame(OUTSIDE), OUTSIDE);
    let next = answer.sequence().wrapping_add(1);
    for wrong in [
        stray(7001, next.wrapping_add(1)),
        stray(9000, next),
        stray(7001, next ^ 1 << 30),
    ] {
        lab.refuse(OUTSIDE, &wrong, DropReason::InterceptUnexpected);
    }
    // Too late.
    lab.wait(Duration::from_secs(25));
    lab.wait(Duration::from_secs(200));
    lab.refuse(OUTSIDE, &stray(7001, next), DropReason::TcpNotSyn);
    let opened = lab.box_.opened();
    assert_eq!(
        (opened.answered, opened.proven, opened.abandoned),
        (1, 0, 1)
    );
}

#[test]
fn a_server_that_is_silent_or_refuses_is_told_to_the_client() {
    let mut lab = Lab::new(guarded(ConnectionSettings {
        most_embryonic: 1,
        ..unlimited()
    }));
    lab.pass(OUTSIDE, &syn(client(1), 10, 1).frame(OUTSIDE), INSIDE);
    for refuses in [true, false] {
        let answer = lab.pass(OUTSIDE, &syn(EDGE, 4000, 7000).frame(OUTSIDE), OUTSIDE);
        let next = answer.sequence().wrapping_add(1);
        let ack = Segment::new(EDGE, 4000, PUBLIC, 5269, ACK)
            .seq(7001)
            .ack(next);
        lab.pass(OUTSIDE, &ack.frame(OUTSIDE), INSIDE);
        let reset = if refuses {
            let refusal = Segment::new(NODE, 5269, EDGE, 4000, RST | ACK).ack(7001);
            lab.pass(INSIDE, &refusal.frame(INSIDE), OUTSIDE)
        } else {
            let mut sent = Vec::new();
            for _ in 0..40 {
                lab.now += Duration::from_secs(1);
                lab.box_.handle_timeout(&mut lab.pool, lab.now);
                sent.extend(lab.drain());
                // The first connection stays half-open.
                let again = syn(client(1), 10, 1).frame(OUTSIDE);
                lab.send(OUTSIDE, &again);
            }
            let asked = sent.iter().filter(|(port, _)| *port == INSIDE).count();
            assert_eq!(asked, 4, "after 1, 3, 7 and 15 seconds");
            let told: Vec<_> = sent.iter().filter(|(port, _)| *port == OUTSIDE).collect();
            assert_eq!(told.len(), 1);
            Packet::parse(&told[0].1[14..])
        };
        assert_eq!((reset.tcp_flags(), reset.to()), (RST | ACK, (EDGE, 4000)));
        assert_eq!((reset.sequence(), reset.acknowledgment()), (next, 7001));
        assert_eq!(lab.box_.conns(lab.now).count(), 1);
        assert_eq!(lab.box_.class_counts(0).connections, 1);
    }
}

/// A flood fills no table and stops no client.
#[test]
fn a_million_syns_leave_nothing_behind() {
    let mut lab = Lab::new(guarded(ConnectionSettings {
        most_embryonic: 50,
        most_per_client: 60,
        ..unlimited()
    }));
    let mut frame = syn(client(1), 1, 1).frame(OUTSIDE);
    let sum_of = |frame: &mut Vec<u8>, n: u32| {
        let address = Ipv4Addr::from_bits(0x0b00_0000 + n % 0x00ff_ffff);
        frame[26..30].copy_from_slice(&address.octets());
        frame[34..36].copy_from_slice(&((n % 60_000) as u16 + 1).to_be_bytes());
        frame[24..26].copy_from_slice(&[0, 0]);
        let sum = !plain_sum(&frame[14..34]);
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
    };
    for n in 0..1_000_000 {
        sum_of(&mut frame, n);
        let mut batch = hal::packet::Batch::new();
        assert!(batch.push_back(lab.buffer(&frame)).is_ok());
        lab.box_
            .handle_batch(OUTSIDE, &mut batch, &mut lab.pool, lab.now);
        while let Some(port) = [OUTSIDE, INSIDE]
            .into_iter()
            .find(|port| !lab.box_.ports[port.index()].transmit.is_empty())
        {
            let mut sent = hal::packet::Batch::new();
            lab.box_.drain_transmit(port, &mut sent);
            while let Some(frame) = sent.pop_front() {
                lab.pool.free(frame);
            }
        }
    }
    let counts = lab.box_.class_counts(0);
    assert_eq!(
        (counts.connections, counts.embryonic, counts.answered),
        (50, 50, 999_950)
    );
    assert_eq!(lab.box_.conns(lab.now).count(), 50);
    assert_eq!(lab.box_.clients.in_use(), 50);
    lab.check_conservation();
    assert_eq!(lab.pool.available(), lab.pool.total());

    // A real client gets through.
    let answer = lab.pass(OUTSIDE, &syn(EDGE, 4000, 7000).frame(OUTSIDE), OUTSIDE);
    let ack = Segment::new(EDGE, 4000, PUBLIC, 5269, ACK)
        .seq(7001)
        .ack(answer.sequence().wrapping_add(1));
    lab.pass(OUTSIDE, &ack.frame(OUTSIDE), INSIDE);
    let accepted = Segment::new(NODE, 5269, EDGE, 4000, SYN | ACK)
        .seq(5)
        .ack(7001);
    assert_eq!(lab.send(INSIDE, &accepted.frame(INSIDE)).len(), 2);
    assert_eq!(lab.box_.class_counts(0).embryonic, 50);
    assert_eq!(lab.box_.class_counts(0).connections, 51);
    lab.wait(Duration::from_secs(31));
    assert_eq!(lab.box_.class_counts(0).embryonic, 0);
    assert_eq!(lab.box_.clients.in_use(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// The counts are those of the flows there are, whatever comes and goes, and zero at the end.
    #[test]
    fn counts_are_exact_under_churn(
        steps in prop::collection::vec((0u8..4, 0u16..6, 0u8..6), 1..120),
        most in 0u32..8,
        most_per_client in 0u32..4,
        most_embryonic in 0u32..5,
    ) {
        let policy = guarded(ConnectionSettings { most, most_per_client, most_embryonic, ..unlimited() });
        let mut lab = Lab::new(policy.clone());
        for (host, port, what) in steps {
            let (host, port) = (client(host), 100 + port);
            let segment = |flags, sequence, acknowledgment| {
                Segment::new(host, port, PUBLIC, 5269, flags).seq(sequence).ack(acknowledgment).frame(OUTSIDE)
            };
            match what {
                0 | 1 => { lab.send(OUTSIDE, &segment(SYN, 1, 0)); }
                2 => {
                    let accepted = Segment::new(NODE, 5269, host, port, SYN | ACK).seq(50).ack(2);
                    lab.send(INSIDE, &accepted.frame(INSIDE));
                    lab.send(OUTSIDE, &segment(ACK, 2, 51));
                }
                3 => { lab.send(OUTSIDE, &segment(RST, 2, 0)); }
                4 => lab.wait(Duration::from_secs(7)),
                _ => {
                    let mut changed = policy.clone();
                    if let Some(settings) = changed.connections[0].settings.as_mut() {
                        settings.most_per_client = most_per_client ^ 1;
                    }
                    lab.box_.set_policy(changed, &mut lab.pool, lab.now);
                    lab.drain();
                }
            }
            lab.drain();
            let conns: Vec<_> = lab.box_.conns(lab.now).collect();
            let half_open = conns.iter().filter(|conn| !conn.flags.contains(ConnFlags::UP)).count();
            let counts = lab.box_.class_counts(0);
            prop_assert_eq!((counts.connections as usize, counts.embryonic as usize), (conns.len(), half_open));
            if most != 0 {
                prop_assert!(counts.connections <= most);
            }
        }
        lab.wait(Duration::from_secs(4000));
        lab.drain();
        let counts = lab.box_.class_counts(0);
        prop_assert_eq!((counts.connections, counts.embryonic), (0, 0));
        prop_assert_eq!(lab.box_.clients.in_use(), 0);
    }
}

#[test]
fn a_flow_leaves_a_class_that_is_gone_and_stays_in_one_that_is_not() {
    let policy = guarded(ConnectionSettings {
        most: 5,
        most_per_client: 5,
        ..unlimited()
    });
    let mut lab = Lab::new(policy.clone());
    lab.pass(OUTSIDE, &syn(client(1), 10, 1).frame(OUTSIDE), INSIDE);
    let mut another = policy.clone();
    another.connections.insert(
        0,
        ConnectionClass {
            name: "other".into(),
            acls: Vec::new(),
            ..policy.connections[0].clone()
        },
    );
    lab.box_.set_policy(another, &mut lab.pool, lab.now);
    assert_eq!(lab.box_.class_counts(0).connections, 0);
    assert_eq!(lab.box_.class_counts(1).connections, 1);
    lab.box_.set_policy(federation(), &mut lab.pool, lab.now);
    lab.drain();
    assert_eq!(lab.box_.clients.in_use(), 0);
    lab.wait(Duration::from_secs(40));
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    lab.drain();
    assert_eq!(lab.box_.class_counts(0).connections, 0);
}

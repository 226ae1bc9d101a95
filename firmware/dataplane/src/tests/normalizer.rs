//! TCP segments that break the rules, each with its own counter; what is cleared on the way.

use super::lab::*;
use crate::*;

const URG: u8 = 0x20;
const SERVER_SIDE: (core::net::Ipv4Addr, u16) = (EDGE, 80);

fn from_client(flags: u8, sequence: u32, acknowledgment: u32) -> Segment {
    Segment::new(DESK, 3000, SERVER_SIDE.0, SERVER_SIDE.1, flags)
        .seq(sequence)
        .ack(acknowledgment)
}

/// A lab whose traffic is checked by `map`.
fn checked(map: TcpMap) -> Lab {
    let mut policy = with_class(federation(), None, Some(TcpChecks::Map(0)));
    policy.tcp_maps.push(map);
    Lab::new(policy)
}

/// What a table row does before its segment.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Nothing,
    Syn,
    SynAck,
    Connected,
}

#[test]
fn every_violation_has_its_counter() {
    use Before::*;
    use DropReason as R;
    let strict = TcpMap {
        drop_exceeding_mss: true,
        drop_syn_data: true,
        drop_shrunk_window: true,
        reserved_bits: Treatment::Drop,
        verify_checksum: true,
        ..TcpMap::default()
    };
    let reserved = |segment: Segment| {
        let mut frame = segment.frame(INSIDE);
        frame[46] |= 0x04;
        // The sum made right again.
        let sum = u16::from_be_bytes([frame[50], frame[51]]);
        let sum = !plain_sum(&[(!sum).to_be_bytes(), [4, 0]].concat());
        frame[50..52].copy_from_slice(&sum.to_be_bytes());
        frame
    };
    let window = |segment: Segment, window: u16| {
        let mut frame = segment.frame(INSIDE);
        let sum = u16::from_be_bytes([frame[50], frame[51]]);
        let change = [
            (!sum).to_be_bytes(),
            (!8192u16).to_be_bytes(),
            window.to_be_bytes(),
        ];
        frame[48..50].copy_from_slice(&window.to_be_bytes());
        frame[50..52].copy_from_slice(&(!plain_sum(&change.concat())).to_be_bytes());
        frame
    };
    let damaged = |segment: Segment| {
        let mut frame = segment.frame(INSIDE);
        frame[51] ^= 1;
        frame
    };
    let client = |flags, sequence, acknowledgment| {
        from_client(flags, sequence, acknowledgment).frame(INSIDE)
    };
    let with = |options: &[u8]| from_client(ACK, 1001, 5001).options(options).frame(INSIDE);
    let cases: Vec<(&str, Before, Vec<u8>, DropReason)> = vec![
        ("no SYN first", Nothing, client(ACK, 1, 1), R::TcpNotSyn),
        (
            "SYN and FIN",
            Nothing,
            client(SYN | FIN, 1, 0),
            R::BadTcpFlags,
        ),
        (
            "SYN and RST",
            Nothing,
            client(SYN | RST, 1, 0),
            R::BadTcpFlags,
        ),
        ("no flag", Nothing, client(0, 1, 0), R::BadTcpFlags),
        ("FIN alone", Connected, client(FIN, 1001, 0), R::BadTcpFlags),
        (
            "data in the SYN",
            Nothing,
            from_client(SYN, 1000, 0).payload(b"x").frame(INSIDE),
            R::TcpSynData,
        ),
        ("another SYN", Syn, client(SYN, 2000, 0), R::TcpSeqSynDiff),
        (
            "ACK before the SYN-ACK",
            Syn,
            client(ACK, 1001, 1),
            R::TcpThreeWayHandshake,
        ),
        (
            "ACK of another SYN-ACK",
            SynAck,
            client(ACK, 1001, 6001),
            R::TcpThreeWayHandshake,
        ),
        (
            "RST elsewhere",
            Syn,
            client(RST, 1000, 0),
            R::TcpRstFinOutOfOrder,
        ),
        (
            "SYN in the window",
            Connected,
            client(SYN, 1500, 0),
            R::TcpRstSynInWindow,
        ),
        (
            "RST in the window",
            Connected,
            client(RST, 1500, 0),
            R::TcpRstSynInWindow,
        ),
        (
            "RST beyond it",
            Connected,
            client(RST, 99_000, 0),
            R::TcpRstFinOutOfOrder,
        ),
        (
            "FIN beyond it",
            Connected,
            client(FIN | ACK, 99_000, 5001),
            R::TcpRstFinOutOfOrder,
        ),
        (
            "data beyond the window",
            Connected,
            client(ACK, 99_000, 5001),
            R::TcpSeqPastWindow,
        ),
        (
            "ACK of the unsent",
            Connected,
            client(ACK, 1001, 5002),
            R::TcpInvalidAck,
        ),
        (
            "SYN-ACK of the client",
            Connected,
            client(SYN | ACK, 1001, 5001),
            R::TcpSynAckOutOfOrder,
        ),
        (
            "an old timestamp",
            Connected,
            with(&[1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0]),
            R::TcpPawsFail,
        ),
        (
            "an option too long",
            Connected,
            with(&[8, 11, 0, 0]),
            R::TcpBadOptionList,
        ),
        (
            "an option of length 1",
            Connected,
            with(&[8, 1, 0, 0]),
            R::TcpBadOptionList,
        ),
        (
            "an option twice",
            Connected,
            with(&[4, 2, 4, 2]),
            R::TcpBadOptionList,
        ),
        (
            "an MSS of three bytes",
            Connected,
            with(&[2, 3, 0, 0]),
            R::TcpBadOptionList,
        ),
        (
            "a reserved bit",
            Connected,
            reserved(from_client(ACK, 1001, 5001)),
            R::TcpReservedSet,
        ),
        (
            "a wrong checksum",
            Connected,
            damaged(from_client(ACK, 1001, 5001)),
            R::BadTransportChecksum,
        ),
        (
            "more than the MSS",
            Connected,
            from_client(ACK, 1001, 5001)
                .payload(&[0; 601])
                .frame(INSIDE),
            R::TcpMssExceeded,
        ),
        (
            "a window taken back",
            Connected,
            window(from_client(ACK, 1001, 5001), 100),
            R::TcpWindowVariation,
        ),
    ];
    for (name, before, frame, reason) in cases {
        let mut lab = checked(strict.clone());
        prepare(&mut lab, before);
        let count = lab.box_.frame_drops(reason);
        assert_eq!(lab.send(INSIDE, &frame), [], "{name}");
        assert_eq!(
            lab.box_.frame_drops(reason),
            count + 1,
            "{name}: {:?}",
            lab.drops()
        );
    }
}

/// Timestamps 100 and 1, a server that takes 600 bytes.
fn prepare(lab: &mut Lab, before: Before) {
    let stamps = [1, 1, 8, 10, 0, 0, 0, 100, 0, 0, 0, 1];
    if before == Before::Nothing {
        return;
    }
    let syn = from_client(SYN, 1000, 0).options(&stamps);
    let seen = lab.pass(INSIDE, &syn.frame(INSIDE), OUTSIDE);
    if before == Before::Syn {
        return;
    }
    let options = [&stamps[..], &[2, 4, 2, 0x58]].concat();
    let back = |flags, sequence, acknowledgment| {
        Segment::new(
            SERVER_SIDE.0,
            SERVER_SIDE.1,
            seen.source,
            seen.source_port,
            flags,
        )
        .seq(sequence)
        .ack(acknowledgment)
    };
    let answer = back(SYN | ACK, 5000, 1001).options(&options);
    let loaded = answer.clone().payload(b"x");
    lab.refuse(OUTSIDE, &loaded.frame(OUTSIDE), DropReason::TcpSynAckData);
    lab.refuse(
        OUTSIDE,
        &back(SYN, 1, 0).frame(OUTSIDE),
        DropReason::TcpDualOpen,
    );
    lab.refuse(
        OUTSIDE,
        &back(SYN | ACK, 1, 9).frame(OUTSIDE),
        DropReason::TcpAckSynDiff,
    );
    lab.pass(OUTSIDE, &answer.frame(OUTSIDE), INSIDE);
    if before == Before::SynAck {
        return;
    }
    lab.pass(
        INSIDE,
        &from_client(ACK, 1001, 5001).options(&stamps).frame(INSIDE),
        OUTSIDE,
    );
}

#[test]
fn a_lenient_map_lets_pass_what_the_default_drops() {
    let mut lab = checked(TcpMap {
        drop_invalid_ack: false,
        drop_past_window: false,
        drop_syn_ack_data: false,
        ..TcpMap::default()
    });
    let syn = from_client(SYN, 1000, 0);
    let seen = lab.pass(INSIDE, &syn.frame(INSIDE), OUTSIDE);
    let answer = Segment::new(EDGE, 80, seen.source, seen.source_port, SYN | ACK)
        .seq(5000)
        .ack(1001)
        .payload(b"x");
    lab.pass(OUTSIDE, &answer.frame(OUTSIDE), INSIDE);
    lab.pass(INSIDE, &from_client(ACK, 1001, 5002).frame(INSIDE), OUTSIDE);
    lab.pass(INSIDE, &from_client(ACK, 1001, 9999).frame(INSIDE), OUTSIDE);
    lab.pass(
        INSIDE,
        &from_client(ACK, 99_000, 5002).frame(INSIDE),
        OUTSIDE,
    );
    // Neither has moved what is tracked.
    lab.pass(
        INSIDE,
        &from_client(ACK, 1001, 5002).payload(b"y").frame(INSIDE),
        OUTSIDE,
    );
}

#[test]
fn what_is_not_wanted_is_cleared_and_the_checksum_stays_right() {
    let mut lab = Lab::new(federation());
    // MSS, multipath TCP, an experiment of odd length, window scale.
    let options = [2, 4, 2, 0, 30, 6, 1, 2, 3, 4, 253, 3, 9, 3, 3, 7];
    let out = lab.pass(
        INSIDE,
        &from_client(SYN, 1000, 0).options(&options).frame(INSIDE),
        OUTSIDE,
    );
    assert_eq!(
        out.tcp_options(),
        [2, 4, 2, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 7]
    );

    let (seen, port) = {
        let mut other = Lab::new(federation());
        let seen = other.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 80));
        let urgent = from_client(ACK | URG, 1001, 5001).payload(b"!");
        let mut frame = urgent.frame(INSIDE);
        frame[53] = 1;
        let sum = u16::from_be_bytes([frame[50], frame[51]]);
        let sum = !plain_sum(&[(!sum).to_be_bytes(), [0, 1]].concat());
        frame[50..52].copy_from_slice(&sum.to_be_bytes());
        let out = other.pass(INSIDE, &frame, OUTSIDE);
        assert_eq!((out.tcp_flags(), &out.bytes[38..40]), (ACK, &[0, 0][..]));
        seen
    };
    assert!(seen == PUBLIC && port != 0);

    // A map may keep both.
    let mut map = TcpMap {
        clear_urgent: false,
        ..TcpMap::default()
    };
    map.cleared_options.remove(30, 30);
    map.dropped_options.add(253, 253);
    let mut lab = checked(map);
    let kept = from_client(SYN, 1000, 0).options(&options[..10]);
    let padded = [&options[..10], &[1, 1]].concat();
    let out = lab.pass(INSIDE, &kept.options(&padded).frame(INSIDE), OUTSIDE);
    assert_eq!(out.tcp_options(), padded);
    let other = Segment::new(DESK, 3001, EDGE, 80, SYN).options(&options);
    lab.refuse(INSIDE, &other.frame(INSIDE), DropReason::TcpBadOptionList);
    // An option that is to be cleared is none.
    let mut map = TcpMap::default();
    map.cleared_options.add(8, 8);
    let mut lab = checked(map);
    prepare(&mut lab, Before::Connected);
    let old = from_client(ACK, 1001, 5001).options(&[1, 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0]);
    let out = lab.pass(INSIDE, &old.frame(INSIDE), OUTSIDE);
    assert_eq!(out.tcp_options(), [1; 12]);
}

#[test]
fn the_ttl_of_a_side_falls_and_never_rises() {
    let ttl = |ttl: u8, segment: Segment| {
        let mut frame = segment.frame(INSIDE);
        frame[22] = ttl;
        frame[24..26].copy_from_slice(&[0, 0]);
        let sum = !plain_sum(&frame[14..34]);
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
        frame
    };
    for (map, expected) in [
        (TcpMap::default(), [60, 60, 50, 50]),
        (
            TcpMap {
                hold_ttl: false,
                ..TcpMap::default()
            },
            [60, 64, 50, 64],
        ),
    ] {
        let mut lab = checked(map);
        let syn = from_client(SYN, 1000, 0);
        let seen: Vec<u8> = [60, 64, 50, 64]
            .map(|value| lab.pass(INSIDE, &ttl(value, syn.clone()), OUTSIDE).bytes[8])
            .into();
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_bypassed_connection_is_not_looked_at() {
    let policy = with_class(federation(), None, Some(TcpChecks::Bypass));
    let mut lab = Lab::new(policy);
    // From the middle, in any order, with any numbers.
    for (flags, sequence) in [(ACK, 9), (SYN, 5), (ACK, 1_000_000), (FIN | ACK, 3)] {
        lab.pass(
            INSIDE,
            &from_client(flags, sequence, 77).frame(INSIDE),
            OUTSIDE,
        );
    }
    assert!(lab.conn().flags.contains(ConnFlags::BYPASSED));
    lab.wait(core::time::Duration::from_secs(3599));
    assert_eq!(lab.box_.conns(lab.now).count(), 1);
    lab.wait(core::time::Duration::from_secs(2));
    assert_eq!(lab.box_.conns(lab.now).count(), 0);
}

#[test]
fn the_first_class_that_matches_decides_each_feature() {
    let mut policy = with_class(
        federation(),
        Some(ConnectionSettings {
            most: 1,
            ..unlimited()
        }),
        None,
    );
    policy = with_class(
        policy,
        Some(ConnectionSettings {
            most: 9,
            ..unlimited()
        }),
        Some(TcpChecks::Map(0)),
    );
    policy.tcp_maps.push(TcpMap {
        drop_syn_data: true,
        ..TcpMap::default()
    });
    let mut lab = Lab::new(policy.clone());
    let loaded = from_client(SYN, 1, 0).payload(b"x").frame(INSIDE);
    // The checks are of the second class; the refused SYN has made a flow that counts in the first.
    lab.refuse(INSIDE, &loaded, DropReason::TcpSynData);
    lab.refuse(
        INSIDE,
        &Segment::new(DESK, 1, EDGE, 80, SYN).frame(INSIDE),
        DropReason::ConnLimit,
    );
    // A class of an interface comes before those of the global policy, wherever it stands.
    policy.connections[1].port = Some(OUTSIDE);
    let mut lab = Lab::new(policy);
    for port in 0..9 {
        lab.pass(
            INSIDE,
            &Segment::new(DESK, 10 + port, EDGE, 80, SYN).frame(INSIDE),
            OUTSIDE,
        );
    }
    lab.refuse(
        INSIDE,
        &Segment::new(DESK, 1, EDGE, 80, SYN).frame(INSIDE),
        DropReason::ConnLimit,
    );
}

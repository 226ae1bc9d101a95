//! Captures of a box at work: what they hold is what crossed the wire.

use super::lab::*;
use crate::*;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::time::Duration;
use hal::packet::Batch;

fn at(ports: &[PortId]) -> CaptureSettings {
    CaptureSettings {
        ports: ports.to_vec(),
        ..CaptureSettings::default()
    }
}

fn drops(reason: Option<DropReason>) -> CaptureSettings {
    CaptureSettings {
        kind: CaptureKind::AspDrop(reason),
        ..CaptureSettings::default()
    }
}

/// A lab with one capture called `c`.
fn lab(settings: CaptureSettings) -> Lab {
    let mut lab = Lab::new(federation());
    lab.box_
        .add_capture("c", 512 << 10, settings)
        .expect("there is room");
    lab
}

fn held(lab: &Lab) -> Vec<(CapturedFrame, Vec<u8>)> {
    let capture = lab.box_.capture("c").expect("a capture");
    let (mut cursor, mut bytes) = (capture.cursor(), Vec::new());
    core::iter::from_fn(|| Some((capture.read(&mut cursor, &mut bytes)?, bytes.clone()))).collect()
}

fn points(lab: &Lab) -> Vec<(Option<PortId>, CapturePoint)> {
    held(lab)
        .iter()
        .map(|(frame, _)| (frame.port, frame.point))
        .collect()
}

fn syn(source: Ipv4Addr, destination: Ipv4Addr, port: u16) -> Segment {
    Segment::new(source, 40_000, destination, port, SYN).seq(1000)
}

#[test]
fn both_sides_of_a_translation_are_seen_as_on_the_wire() {
    let mut lab = lab(at(&[OUTSIDE, INSIDE]));
    let frame = syn(DESK, EDGE, 443).frame(INSIDE);
    lab.wait(Duration::from_millis(1500));
    let sent = lab.send(INSIDE, &frame);
    let [(port, left)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    let held = held(&lab);
    let [(received, first), (leaving, second)] = held.as_slice() else {
        panic!("{held:?}");
    };
    assert_eq!((&frame, left), (first, second));
    assert_eq!(received.point, CapturePoint::Received);
    assert_eq!(received.port, Some(INSIDE));
    assert_eq!(leaving.point, CapturePoint::Sent);
    assert_eq!(leaving.port, Some(*port));
    assert_eq!((received.at, leaving.at), (lab.now, lab.now));
    assert_eq!((received.number, leaving.number), (0, 1));
    assert_eq!(received.frame_len as usize, frame.len());
    assert_eq!(Packet::parse(&first[14..]).source, DESK);
    assert_eq!(Packet::parse(&second[14..]).source, PUBLIC);
}

#[test]
fn only_the_interfaces_named_are_listened_at() {
    let mut lab = lab(at(&[OUTSIDE]));
    lab.send(INSIDE, &syn(DESK, EDGE, 443).frame(INSIDE));
    assert_eq!(points(&lab), [(Some(OUTSIDE), CapturePoint::Sent)]);
}

#[test]
fn an_arp_is_held_only_if_asked_for() {
    let mut plain = lab(at(&[INSIDE]));
    plain.introduce(INSIDE, DESK);
    assert_eq!(points(&plain), []);
    let mut arps = lab(CaptureSettings {
        ethertype: Some(0x0806),
        ..at(&[INSIDE])
    });
    arps.introduce(INSIDE, DESK);
    arps.send(INSIDE, &syn(DESK, EDGE, 443).frame(INSIDE));
    assert_eq!(
        points(&arps),
        [
            (Some(INSIDE), CapturePoint::Received),
            (Some(INSIDE), CapturePoint::Sent)
        ]
    );
}

#[test]
fn a_match_holds_both_ways_and_an_access_list_one_way() {
    let wanted = CaptureMatch {
        protocol: Some(PROTOCOL_TCP),
        source: CaptureAddresses::V4(AddressRange::host(DESK)),
        source_ports: PortMatch::ANY,
        destination: CaptureAddresses::Any,
        destination_ports: PortMatch::eq(443),
    };
    let mut policy = federation();
    let list = AccessList {
        name: "web".into(),
        elements: alloc::vec![ace(
            Action::Permit,
            AddressRange::host(DESK),
            AddressRange::ANY,
            tcp_to(443)
        )],
    };
    policy.access_lists.push(list);
    for (settings, expected) in [
        (
            CaptureSettings {
                matches: alloc::vec![wanted],
                ..at(&[INSIDE])
            },
            3,
        ),
        (
            CaptureSettings {
                access_list: Some("web".into()),
                ..at(&[INSIDE])
            },
            2,
        ),
        (
            CaptureSettings {
                access_list: Some("absent".into()),
                ..at(&[INSIDE])
            },
            0,
        ),
    ] {
        let mut lab = Lab::new(policy.clone());
        lab.box_.add_capture("c", 4096, settings).expect("room");
        lab.connect((INSIDE, DESK, 40_000), (OUTSIDE, EDGE, 443));
        lab.send(INSIDE, &syn(DESK, EDGE, 80).frame(INSIDE));
        assert_eq!(held(&lab).len(), expected);
    }
}

#[test]
fn an_access_list_is_followed_through_changes() {
    let mut lab = lab(CaptureSettings {
        access_list: Some("web".into()),
        ..at(&[INSIDE])
    });
    let frame = syn(DESK, EDGE, 443).frame(INSIDE);
    for action in [None, Some(Action::Permit), Some(Action::Deny), None] {
        let mut policy = federation();
        if let Some(action) = action {
            let any = ace(action, AddressRange::ANY, AddressRange::ANY, tcp_to(443));
            // Not where it was: its number changes.
            policy.access_lists.push(AccessList {
                name: "web".into(),
                elements: alloc::vec![any],
            });
        }
        lab.box_.set_policy(policy, &mut lab.pool, lab.now);
        lab.drain();
        lab.box_.clear_capture("c").expect("it is there");
        lab.send(INSIDE, &frame);
        let expected = usize::from(action == Some(Action::Permit));
        assert_eq!(held(&lab).len(), expected, "{action:?}");
    }
}

#[test]
fn dropped_frames_are_held_with_their_reason() {
    let mut all = lab(drops(None));
    let mut some = lab(drops(Some(DropReason::AclDrop)));
    let stray = Segment::new(DESK, 40_000, EDGE, 443, ACK).frame(INSIDE);
    let denied = syn(EDGE, PUBLIC, 5062).frame(OUTSIDE);
    for lab in [&mut all, &mut some] {
        lab.refuse(INSIDE, &stray, DropReason::TcpNotSyn);
        lab.refuse(OUTSIDE, &denied, DropReason::NatNoXlate);
        lab.refuse(INSIDE, &stray[..10], DropReason::InvalidEncap);
    }
    let expected = [
        (INSIDE, DropReason::TcpNotSyn, stray.clone()),
        (OUTSIDE, DropReason::NatNoXlate, denied),
        (INSIDE, DropReason::InvalidEncap, stray[..10].to_vec()),
    ];
    let seen: Vec<_> = held(&all)
        .into_iter()
        .map(|(frame, bytes)| (frame.port, frame.point, bytes))
        .collect();
    assert_eq!(
        seen,
        expected.map(|(port, reason, bytes)| (Some(port), CapturePoint::Dropped(reason), bytes))
    );
    assert_eq!(points(&some), []);
    let foreign = syn(EDGE, SERVER, 80).frame(OUTSIDE);
    some.refuse(OUTSIDE, &foreign, DropReason::AclDrop);
    assert_eq!(
        points(&some),
        [(Some(OUTSIDE), CapturePoint::Dropped(DropReason::AclDrop))]
    );
}

#[test]
fn a_packet_dropped_before_it_had_an_ethernet_header_gets_a_blank_one() {
    let mut policy = federation();
    policy.routes.clear();
    let mut lab = Lab::new(policy);
    lab.box_.add_capture("c", 4096, drops(None)).expect("room");
    lab.box_.note_time(lab.now);
    let packet = echo(8, OUTSIDE_ADDRESS, EDGE, 0xff00);
    let buffer = lab.buffer(&packet);
    let sent = lab.box_.send_local(buffer, &mut lab.pool, lab.now);
    assert_eq!(sent, Err(DropReason::NoRoute));
    let held = held(&lab);
    let [(frame, bytes)] = held.as_slice() else {
        panic!("{held:?}");
    };
    assert_eq!(frame.port, None);
    assert_eq!(frame.at, lab.now);
    assert_eq!(frame.frame_len as usize, 14 + packet.len());
    assert_eq!(bytes[..14], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0]);
    assert_eq!(bytes[14..], packet);
}

#[test]
fn a_packet_given_up_while_waiting_is_of_no_port() {
    let mut lab = lab(drops(None));
    let unknown = Ipv4Addr::new(203, 0, 113, 140);
    lab.send(INSIDE, &syn(DESK, unknown, 80).frame(INSIDE));
    for _ in 0..10 {
        lab.wait(Duration::from_secs(1));
        lab.drain();
    }
    let held = held(&lab);
    let [(frame, bytes)] = held.as_slice() else {
        panic!("{held:?}");
    };
    let given_up = CapturePoint::Dropped(DropReason::NoAdjacency);
    assert_eq!((frame.port, frame.point), (None, given_up));
    assert_eq!(Packet::parse(&bytes[14..]).destination, unknown);
}

#[test]
fn frames_are_cut_to_length_and_to_their_headers() {
    let payload = [0xab; 400];
    let segment = syn(DESK, EDGE, 443).payload(&payload).frame(INSIDE);
    for (settings, expected) in [
        (at(&[INSIDE]), segment.len()),
        (
            CaptureSettings {
                packet_len: 64,
                ..at(&[INSIDE])
            },
            64,
        ),
        (
            CaptureSettings {
                headers_only: true,
                ..at(&[INSIDE])
            },
            54,
        ),
        (
            CaptureSettings {
                headers_only: true,
                packet_len: 50,
                ..at(&[INSIDE])
            },
            50,
        ),
    ] {
        let mut lab = lab(settings);
        lab.send(INSIDE, &segment);
        let held = held(&lab);
        let [(frame, bytes)] = held.as_slice() else {
            panic!("{held:?}");
        };
        assert_eq!(frame.frame_len as usize, segment.len());
        assert_eq!(bytes[..], segment[..expected]);
    }
}

#[test]
fn a_frame_over_several_buffers_is_held_whole() {
    let mut lab = lab(CaptureSettings {
        packet_len: u16::MAX,
        ..at(&[INSIDE])
    });
    let whole = ethernet(INSIDE, &udp((DESK, 4000), (EDGE, 4000), &[0x5a; 1200]));
    let mut frame = lab.buffer(&whole[..100]);
    for part in whole[100..].chunks(500) {
        let next = lab.buffer(part);
        frame.append(next);
    }
    let mut batch = Batch::new();
    assert!(batch.push_back(frame).is_ok());
    lab.box_
        .handle_batch(INSIDE, &mut batch, &mut lab.pool, lab.now);
    lab.drain();
    let held = held(&lab);
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].1, whole);
}

#[test]
fn a_full_buffer_ends_a_capture_or_goes_around() {
    let frame = syn(DESK, EDGE, 443).frame(INSIDE);
    let per_frame = frame.len() + 17;
    for is_circular in [false, true] {
        let settings = CaptureSettings {
            is_circular,
            ..at(&[INSIDE])
        };
        let mut lab = Lab::new(federation());
        lab.box_
            .add_capture("c", 10 * per_frame + 5, settings)
            .expect("room");
        for _ in 0..25 {
            lab.send(INSIDE, &frame);
        }
        let numbers: Vec<u64> = held(&lab).iter().map(|(frame, _)| frame.number).collect();
        let capture = lab.box_.capture("c").expect("a capture");
        assert_eq!(capture.count(), 10);
        assert_eq!(capture.used(), 10 * per_frame);
        if is_circular {
            assert_eq!(numbers, (15..25).collect::<Vec<_>>());
            assert_eq!((capture.overwritten(), capture.missed()), (15, 0));
            assert_eq!(capture.state(), CaptureState::Capturing);
        } else {
            assert_eq!(numbers, (0..10).collect::<Vec<_>>());
            assert_eq!((capture.overwritten(), capture.missed()), (0, 15));
            assert_eq!(capture.state(), CaptureState::Full);
        }
        lab.box_.clear_capture("c").expect("it is there");
        lab.send(INSIDE, &frame);
        assert_eq!(held(&lab).len(), 1);
    }
}

#[test]
fn a_full_buffer_goes_on_when_it_may_go_around() {
    let frame = syn(DESK, EDGE, 443).frame(INSIDE);
    let mut lab = Lab::new(federation());
    let room = 2 * (frame.len() + 17);
    lab.box_
        .add_capture("c", room, at(&[INSIDE]))
        .expect("room");
    for _ in 0..3 {
        lab.send(INSIDE, &frame);
    }
    let state = |lab: &Lab| lab.box_.capture("c").expect("a capture").state();
    assert_eq!(state(&lab), CaptureState::Full);
    let settings = CaptureSettings {
        is_circular: true,
        ..at(&[INSIDE])
    };
    lab.box_.change_capture("c", settings).expect("it is there");
    lab.send(INSIDE, &frame);
    assert_eq!(state(&lab), CaptureState::Capturing);
    let capture = lab.box_.capture("c").expect("a capture");
    assert_eq!((capture.numbers(), capture.missed()), ((1, 3), 1));
}

#[test]
fn a_frame_longer_than_the_buffer_is_cut_to_it() {
    let frame = syn(DESK, EDGE, 443).payload(&[1; 500]).frame(INSIDE);
    for is_circular in [false, true] {
        let mut lab = Lab::new(federation());
        let settings = CaptureSettings {
            is_circular,
            ..at(&[INSIDE])
        };
        lab.box_.add_capture("c", 300, settings).expect("room");
        lab.send(INSIDE, &frame);
        lab.send(INSIDE, &frame);
        let held = held(&lab);
        assert_eq!(held.len(), 1);
        assert_eq!(held[0].1, frame[..300 - 17]);
    }
}

#[test]
fn a_stopped_capture_holds_what_it_has_until_it_goes_on() {
    let mut lab = lab(at(&[INSIDE]));
    let frame = syn(DESK, EDGE, 443).frame(INSIDE);
    for (is_stopped, expected) in [(false, 1), (true, 1), (true, 1), (false, 2)] {
        lab.box_.stop_capture("c", is_stopped).expect("it is there");
        lab.send(INSIDE, &frame);
        assert_eq!(held(&lab).len(), expected);
        let capture = lab.box_.capture("c").expect("a capture");
        let is_stopped_now = capture.state() == CaptureState::Stopped;
        assert_eq!(is_stopped_now, is_stopped);
    }
}

#[test]
fn memory_is_bounded_and_comes_back() {
    let limits = Limits {
        ports: 3,
        flows: 256,
        capture_bytes: 10_000,
        ..Limits::default()
    };
    let mut lab = Lab::with_limits(federation(), limits);
    let box_ = &mut lab.box_;
    assert_eq!(box_.add_capture("a", 6000, at(&[INSIDE])), Ok(()));
    assert_eq!(
        box_.add_capture("b", 6000, at(&[INSIDE])),
        Err(CaptureError::NoRoom { free: 4000 })
    );
    assert!(box_.capture("b").is_none());
    assert_eq!(box_.add_capture("b", 4000, at(&[INSIDE])), Ok(()));
    assert_eq!(box_.remove_capture("a"), Ok(()));
    assert_eq!(box_.remove_capture("a"), Err(CaptureError::Unknown));
    assert_eq!(box_.add_capture("a", 6000, at(&[])), Ok(()));
    assert_eq!(box_.remove_capture("a"), Ok(()));
    for number in 1..CAPTURES_MAX {
        let name = alloc::format!("n{number}");
        assert_eq!(box_.add_capture(&name, 100, at(&[INSIDE])), Ok(()));
    }
    assert_eq!(
        box_.add_capture("more", 100, at(&[INSIDE])),
        Err(CaptureError::TooMany)
    );
}

#[test]
fn a_cursor_of_a_removed_capture_reads_nothing_of_its_successor() {
    let mut lab = lab(at(&[INSIDE]));
    let frame = syn(DESK, EDGE, 443).frame(INSIDE);
    lab.send(INSIDE, &frame);
    let mut cursor = lab.box_.capture("c").expect("a capture").cursor();
    lab.box_.remove_capture("c").expect("it is there");
    lab.box_
        .add_capture("c", 4096, at(&[INSIDE]))
        .expect("room");
    lab.send(INSIDE, &frame);
    let capture = lab.box_.capture("c").expect("a capture");
    assert_eq!(capture.read(&mut cursor, &mut Vec::new()), None);
}

/// The same traffic with and without captures: the same frames leave, and the captures hold every one
/// that crossed.
#[test]
fn capturing_neither_loses_nor_changes_a_frame() {
    let traffic = |lab: &mut Lab| {
        let mut left = Vec::new();
        lab.connect((INSIDE, DESK, 40_000), (OUTSIDE, EDGE, 443));
        for step in 0..2000u32 {
            let data = Segment::new(DESK, 40_000, EDGE, 443, ACK)
                .seq(1001 + step * 4)
                .ack(5001)
                .payload(&step.to_be_bytes());
            left.extend(lab.send(INSIDE, &data.frame(INSIDE)));
        }
        left
    };
    let mut plain = Lab::new(federation());
    let expected = traffic(&mut plain);
    assert_eq!(expected.len(), 2000);

    let mut captured = lab(at(&[OUTSIDE, INSIDE]));
    captured
        .box_
        .add_capture("drops", 4096, drops(None))
        .expect("room");
    let left = traffic(&mut captured);
    assert_eq!(left, expected);
    assert_eq!(captured.box_.verdicts(), plain.box_.verdicts());
    let held = held(&captured);
    // Three packets of the handshake and the data, on both sides.
    assert_eq!(held.len(), 2 * (3 + 2000));
    let leaving: Vec<_> = held
        .iter()
        .filter(|(frame, _)| frame.point == CapturePoint::Sent)
        .skip(3)
        .map(|(frame, bytes)| (frame.port.expect("a port"), bytes.clone()))
        .collect();
    assert_eq!(leaving, left);
    let dropped = captured.box_.capture("drops").expect("a capture");
    assert_eq!(dropped.count(), 0);
}

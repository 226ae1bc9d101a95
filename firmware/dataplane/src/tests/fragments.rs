//! Fragments: judged together, passed as they came, or dropped to the last one.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use core::time::Duration;

/// Cuts an IPv4 packet into fragments of `size` bytes of payload.
pub(super) fn cut(packet: &[u8], size: usize, id: u16) -> Vec<Vec<u8>> {
    let payload = &packet[20..];
    let pieces = payload.len().div_ceil(size);
    (0..pieces)
        .map(|n| {
            let end = payload.len().min((n + 1) * size);
            piece(
                packet,
                n * size,
                &payload[n * size..end],
                n + 1 < pieces,
                id,
            )
        })
        .collect()
}

/// A fragment with the header of `packet`.
pub(super) fn piece(packet: &[u8], offset: usize, payload: &[u8], more: bool, id: u16) -> Vec<u8> {
    let mut made = packet[..20].to_vec();
    made[2..4].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    made[4..6].copy_from_slice(&id.to_be_bytes());
    let flags = u16::from(made[6] & 0x40) << 8 | u16::from(more) << 13 | (offset / 8) as u16;
    made[6..8].copy_from_slice(&flags.to_be_bytes());
    made[10..12].fill(0);
    let sum = !plain_sum(&made);
    made[10..12].copy_from_slice(&sum.to_be_bytes());
    made.extend(payload);
    made
}

/// Puts the fragments in `sent` together, in the order they left; every header is checked.
fn whole(sent: &[(PortId, Vec<u8>)], egress: PortId) -> Packet {
    let mut made: Vec<u8> = Vec::new();
    for (number, (port, frame)) in sent.iter().enumerate() {
        assert_eq!(*port, egress);
        assert_eq!(frame[6..12], port_mac(egress).0);
        let total = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
        let packet = &frame[14..14 + total];
        assert_eq!(plain_sum(&packet[..20]), 0xffff, "header of piece {number}");
        let flags = u16::from_be_bytes([packet[6], packet[7]]);
        let offset = usize::from(flags & 0x1fff) * 8;
        assert_eq!(
            flags & 0x2000 != 0,
            number + 1 < sent.len(),
            "piece {number}"
        );
        if number == 0 {
            assert_eq!(offset, 0);
            made.extend(packet);
        } else {
            assert_eq!(offset, made.len() - 20, "piece {number}");
            for at in [4, 5, 8, 9, 12, 13, 14, 15, 16, 17, 18, 19] {
                assert_eq!(
                    packet[at], made[at],
                    "byte {at} of the header of piece {number}"
                );
            }
            made.extend(&packet[20..]);
        }
    }
    made[6] &= 0x40;
    let len = made.len() as u16;
    made[2..4].copy_from_slice(&len.to_be_bytes());
    made[10..12].fill(0);
    let sum = !plain_sum(&made[..20]);
    made[10..12].copy_from_slice(&sum.to_be_bytes());
    Packet::parse(&made)
}

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 7 + n / 251) as u8).collect()
}

/// Sends all but the last; nothing may leave. Then the last.
fn send_all(lab: &mut Lab, port: PortId, pieces: &[Vec<u8>]) -> Vec<(PortId, Vec<u8>)> {
    let (last, before) = pieces.split_last().expect("pieces");
    for piece in before {
        assert_eq!(
            lab.send(port, &ethernet(port, piece)),
            [],
            "not before all are there"
        );
    }
    lab.send(port, &ethernet(port, last))
}

fn with_fragments(change: impl FnOnce(&mut FragmentRule)) -> Policy {
    let mut rule = FragmentRule::standard(INSIDE);
    change(&mut rule);
    Policy {
        fragments: vec![rule],
        ..federation()
    }
}

#[test]
fn a_datagram_passes_translated_in_the_pieces_it_came_in_whatever_their_order() {
    let sent = udp((DESK, 5000), (EDGE, 9), &payload(4000));
    let orders: [&[usize]; 4] = [
        &[0, 1, 2, 3, 4],
        &[4, 3, 2, 1, 0],
        &[2, 0, 4, 1, 3],
        &[1, 4, 0, 3, 2],
    ];
    for order in orders {
        let mut lab = Lab::new(federation());
        let pieces = cut(&sent, 1000, 77);
        let pieces: Vec<_> = order.iter().map(|&n| pieces[n].clone()).collect();
        let out = send_all(&mut lab, INSIDE, &pieces);
        let lengths: Vec<_> = out.iter().map(|(_, frame)| frame.len()).collect();
        // The last has eight bytes of payload, and padding.
        assert_eq!(lengths, [1034, 1034, 1034, 1034, 60]);
        let seen = whole(&out, OUTSIDE);
        assert_eq!((seen.from(), seen.to()), ((PUBLIC, 5000), (EDGE, 9)));
        assert_eq!(seen.bytes[28..], sent[28..]);

        // And the answer comes back to the host, with the identification it was sent with.
        let answer = udp((EDGE, 9), (PUBLIC, 5000), &payload(3000));
        let back = send_all(&mut lab, OUTSIDE, &cut(&answer, 1480, 0xbeef));
        assert_eq!(back[0].1[18..20], [0xbe, 0xef]);
        assert_eq!(whole(&back, INSIDE).to(), (DESK, 5000));
        let view = lab.box_.fragments(INSIDE);
        assert_eq!((view.queue, view.assembled, view.fail), (0, 1, 0));
        assert_eq!(lab.conn().bytes, 4028 + 3028);
    }
}

#[test]
fn hosts_behind_one_address_do_not_share_identifications_and_others_keep_theirs() {
    let mut lab = Lab::new(federation());
    let mut ids = Vec::new();
    for host in [DESK, NODE, NODE_2] {
        let sent = udp((host, 5000), (EDGE, 9), &payload(2000));
        let out = send_all(&mut lab, INSIDE, &cut(&sent, 1480, 7));
        whole(&out, OUTSIDE);
        ids.push(out[0].1[18..20].to_vec());
    }
    ids.dedup();
    assert_eq!(ids.len(), 3, "{ids:?}");
    // To the DMZ nothing is translated.
    let sent = udp((DESK, 5000), (SERVER, 9), &payload(2000));
    let out = send_all(&mut lab, INSIDE, &cut(&sent, 1480, 7));
    assert_eq!(out[0].1[18..20], [0, 7]);
}

#[test]
fn dont_fragment_of_a_fragment_is_kept() {
    let mut lab = Lab::new(federation());
    let mut sent = udp((DESK, 5000), (EDGE, 9), &payload(2000));
    sent[6] |= 0x40;
    for (_, frame) in send_all(&mut lab, INSIDE, &cut(&sent, 1480, 7)) {
        assert_eq!(frame[20] & 0x40, 0x40);
    }
}

#[test]
fn the_rules_see_the_datagram_and_a_denied_one_is_dropped_to_the_last_fragment() {
    let mut lab = Lab::new(federation());
    let denied = udp((EDGE, 9), (PUBLIC, 9000), &payload(3000));
    let before = lab.box_.verdicts().dropped;
    assert_eq!(send_all(&mut lab, OUTSIDE, &cut(&denied, 1480, 1)), []);
    assert_eq!(lab.drops(), [("nat-no-xlate-to-pat-pool", 3)]);
    assert_eq!(lab.box_.verdicts().dropped, before + 3);
    assert_eq!(lab.box_.verdicts().joined, 0);
}

#[test]
fn contradictions_drop_everything_that_is_there_and_everything_that_still_comes() {
    let sent = udp((DESK, 5000), (EDGE, 9), &payload(1592));
    let good = cut(&sent, 400, 5);
    let bytes = payload(2000);
    let part = |offset, len, more| piece(&sent, offset, &bytes[..len], more, 5);
    let overlaps: &[(&str, Vec<u8>)] = &[
        ("into the one before", part(792, 400, true)),
        ("into the one behind", part(392, 400, true)),
        ("within (teardrop)", part(104, 96, true)),
        ("around", part(0, 800, true)),
        ("longer than the same before", part(400, 408, true)),
        ("an end within", part(400, 8, false)),
        ("the same as the last one, or not", part(800, 400, false)),
        ("an end before one that is there", part(408, 8, false)),
    ];
    for (name, bad) in overlaps {
        let mut lab = Lab::new(federation());
        for n in [0, 2] {
            assert_eq!(lab.send(INSIDE, &ethernet(INSIDE, &good[n])), []);
        }
        // Only "into the one behind" of 1 needs 1 to be missing.
        if *name != "into the one behind" && *name != "an end before one that is there" {
            lab.send(INSIDE, &ethernet(INSIDE, &good[1]));
        }
        let held = lab.box_.verdicts().held;
        assert!(held >= 2);
        lab.send(INSIDE, &ethernet(INSIDE, bad));
        assert_eq!(lab.drops(), [("fragment-overlap", held + 1)], "{name}");
        assert_eq!(lab.box_.verdicts().held, 0);
        lab.refuse(
            INSIDE,
            &ethernet(INSIDE, &good[3]),
            DropReason::FragmentOverlap,
        );
        assert_eq!(lab.box_.fragments(INSIDE).fail, 1);
        // After its time the identification is free again.
        lab.wait(Duration::from_secs(6));
        assert_eq!(lab.box_.fragments.datagrams(), 0);
        assert_eq!(send_all(&mut lab, INSIDE, &good).len(), 4, "{name}");
    }
}

#[test]
fn what_lies_behind_the_end_is_a_contradiction_too() {
    let sent = udp((DESK, 5000), (EDGE, 9), &payload(2992));
    let good = cut(&sent, 1000, 5);
    for beyond in [
        piece(&sent, 3000, &[0; 8], true, 5),
        piece(&sent, 3000, &[0; 8], false, 5),
        piece(&sent, 1000, &[0; 8], false, 5),
    ] {
        let mut lab = Lab::new(federation());
        lab.send(INSIDE, &ethernet(INSIDE, &good[2]));
        lab.send(INSIDE, &ethernet(INSIDE, &beyond));
        assert_eq!(lab.drops(), [("fragment-overlap", 2)]);
    }
}

#[test]
fn what_is_refused_is_told_to_whoever_asks() {
    let mut lab = Lab::new(with_fragments(|rule| (rule.size, rule.chain) = (3, 2)));
    let kinds = [EventKind::FragmentRefused];
    lab.box_.set_event_interest(kinds.into_iter().collect());
    let sent = udp((DESK, 5000), (EDGE, 9), &payload(3992));
    let good = cut(&sent, 1000, 5);
    for packet in [
        &good[0],
        &good[1],
        // Too many; then an overlap, whose datagram goes; then no room for a fourth.
        &good[2],
        &cut(&sent, 1000, 6)[0],
        &piece(&sent, 8, &[0; 16], true, 6),
        &cut(&sent, 1000, 7)[0],
        &cut(&sent, 1000, 8)[0],
        &cut(&sent, 1000, 9)[0],
        &cut(&sent, 1000, 10)[0],
        &piece(&sent, 65_528, &[0; 16], false, 11),
    ] {
        lab.send(INSIDE, &ethernet(INSIDE, packet));
    }
    let mut told = Vec::new();
    while let Some(Event::FragmentRefused {
        reason,
        fragment,
        limit,
    }) = lab.box_.poll_event()
    {
        assert_eq!((fragment.ingress, fragment.source), (INSIDE, DESK));
        told.push((
            reason,
            fragment.identification,
            fragment.offset,
            fragment.len,
            limit,
        ));
    }
    assert_eq!(
        told,
        [
            (DropReason::FragmentChainLimit, 5, 2000, 1000, 2),
            (DropReason::FragmentOverlap, 6, 8, 16, 0),
            (DropReason::FragmentDatabaseLimit, 10, 0, 1000, 3),
            (DropReason::FragmentInvalid, 11, 65_528, 16, 0),
        ]
    );
}

#[test]
fn a_fragment_sent_twice_is_dropped_alone() {
    let mut lab = Lab::new(federation());
    let pieces = cut(&udp((DESK, 5000), (EDGE, 9), &payload(3000)), 1480, 5);
    for n in [0, 2] {
        lab.send(INSIDE, &ethernet(INSIDE, &pieces[n]));
        lab.refuse(
            INSIDE,
            &ethernet(INSIDE, &pieces[n]),
            DropReason::FragmentDuplicate,
        );
    }
    assert_eq!(lab.send(INSIDE, &ethernet(INSIDE, &pieces[1])).len(), 3);
}

#[test]
fn a_hole_ends_the_wait_after_the_configured_time_from_the_first_fragment_on() {
    let mut lab = Lab::new(with_fragments(|rule| rule.timeout_secs = 3));
    let pieces = cut(&udp((DESK, 5000), (EDGE, 9), &payload(3000)), 1000, 5);
    lab.send(INSIDE, &ethernet(INSIDE, &pieces[0]));
    lab.wait(Duration::from_secs(2));
    lab.send(INSIDE, &ethernet(INSIDE, &pieces[1]));
    assert!(
        lab.box_
            .poll_timeout()
            .is_some_and(|at| at <= lab.now + Duration::from_secs(1))
    );
    lab.wait(Duration::from_millis(900));
    assert_eq!(lab.box_.verdicts().held, 2);
    lab.wait(Duration::from_millis(200));
    assert_eq!(lab.drops(), [("fragment-timeout", 2)]);
    let view = lab.box_.fragments(INSIDE);
    assert_eq!((view.queue, view.assembled, view.fail), (0, 0, 1));
    assert_eq!(lab.box_.fragments.datagrams(), 0);
}

#[test]
fn chain_size_slots_and_the_pool_bound_what_waits() {
    let sent = udp((DESK, 5000), (EDGE, 9), &payload(6000));
    // `fragment chain`: the whole datagram goes.
    let mut lab = Lab::new(with_fragments(|rule| rule.chain = 3));
    for piece in &cut(&sent, 1000, 1)[..3] {
        assert_eq!(lab.send(INSIDE, &ethernet(INSIDE, piece)), []);
    }
    lab.send(INSIDE, &ethernet(INSIDE, &cut(&sent, 1000, 1)[3]));
    assert_eq!(lab.drops(), [("fragment-chain-limit", 4)]);
    let three = udp((DESK, 5000), (EDGE, 9), &payload(2900));
    assert_eq!(send_all(&mut lab, INSIDE, &cut(&three, 1000, 2)).len(), 3);

    // `fragment size`: what is there stays.
    let mut lab = Lab::new(with_fragments(|rule| rule.size = 4));
    for id in 0..4 {
        lab.send(INSIDE, &ethernet(INSIDE, &cut(&sent, 1480, id)[0]));
    }
    let fifth = cut(&sent, 1480, 4);
    lab.refuse(
        INSIDE,
        &ethernet(INSIDE, &fifth[0]),
        DropReason::FragmentDatabaseLimit,
    );
    let view = lab.box_.fragments(INSIDE);
    assert_eq!((view.queue, view.overflow), (4, 1));
    // Another interface has its own.
    lab.send(
        DMZ,
        &ethernet(
            DMZ,
            &cut(&udp((SERVER, 1), (EDGE, 1), &payload(2000)), 1480, 1)[0],
        ),
    );
    assert_eq!(lab.box_.fragments(DMZ).queue, 1);

    // An eighth of the pool, however much is configured.
    let mut lab = Lab::new(with_fragments(|rule| rule.size = 9999));
    let eighth = lab.pool.total() as u16 / 8;
    for id in 0..eighth {
        lab.send(INSIDE, &ethernet(INSIDE, &cut(&sent, 1480, id)[0]));
    }
    lab.refuse(
        INSIDE,
        &ethernet(INSIDE, &fifth[1]),
        DropReason::FragmentDatabaseLimit,
    );

    // Slots.
    let mut lab = Lab::with_limits(
        federation(),
        Limits {
            ports: 3,
            fragments: 2,
            ..Limits::default()
        },
    );
    for id in 0..2 {
        lab.send(INSIDE, &ethernet(INSIDE, &cut(&sent, 1480, id)[0]));
    }
    lab.refuse(
        INSIDE,
        &ethernet(INSIDE, &fifth[0]),
        DropReason::FragmentDatabaseLimit,
    );
    lab.wait(Duration::from_secs(6));
    assert_eq!(
        send_all(
            &mut lab,
            INSIDE,
            &cut(&udp((DESK, 1), (EDGE, 1), &payload(2000)), 1480, 9)
        )
        .len(),
        2
    );
}

#[test]
fn a_ping_of_3000_bytes_to_the_box_is_answered_in_the_pieces_it_came_in() {
    let mut lab = Lab::new(federation());
    let mut message = vec![8, 0, 0, 0, 0, 9, 0, 1];
    message.extend(payload(3000));
    let sent = icmp(DESK, INSIDE_ADDRESS, &message);
    let out = send_all(&mut lab, INSIDE, &cut(&sent, 1480, 5));
    let seen = whole(&out, INSIDE);
    assert_eq!((seen.source, seen.destination), (INSIDE_ADDRESS, DESK));
    assert_eq!(seen.bytes[20], 0);
    assert_eq!(seen.bytes[28..], sent[28..]);
}

#[test]
fn what_the_box_reads_itself_is_handed_up_whole_or_refused() {
    let mut policy = federation();
    policy.local_services.push(LocalService {
        transport: Transport::Udp,
        first: 123,
        last: 123,
    });
    let mut lab = Lab::new(policy);
    let sent = udp((DESK, 5000), (INSIDE_ADDRESS, 123), &payload(1600));
    assert_eq!(send_all(&mut lab, INSIDE, &cut(&sent, 800, 5)), []);
    let local = lab.box_.poll_local().expect("a packet");
    assert!(!local.packet.is_chained());
    let seen = Packet::parse(local.packet.bytes());
    assert_eq!(seen.bytes[28..], sent[28..]);
    lab.pool.free(local.packet);
    let long = udp((DESK, 5000), (INSIDE_ADDRESS, 123), &payload(2500));
    assert_eq!(send_all(&mut lab, INSIDE, &cut(&long, 800, 5)), []);
    assert_eq!(lab.drops(), [("fragment-reassembly-failed", 4)]);
}

#[test]
fn a_connection_that_a_proxy_takes_is_handed_over_whole() {
    let mut lab = Lab::new(federation());
    let syn = Segment::new(EDGE, 40_000, PUBLIC, 5063, SYN)
        .seq(1)
        .payload(&payload(500));
    assert_eq!(send_all(&mut lab, OUTSIDE, &cut(&syn.packet(), 200, 5)), []);
    match lab.box_.poll_intercept() {
        Some(Intercepted::Opening(_, packet)) => {
            assert_eq!(Packet::parse(packet.bytes()).bytes.len(), 540);
            lab.pool.free(packet);
        }
        other => panic!("{other:?}"),
    }
    lab.check_conservation();
}

#[test]
fn full_reassembly_sends_whole_packets_and_cuts_only_what_is_too_long() {
    let mut lab = Lab::new(with_fragments(|rule| rule.is_full = true));
    let short = udp((DESK, 5000), (EDGE, 9), &payload(1300));
    let out = send_all(&mut lab, INSIDE, &cut(&short, 400, 1));
    assert_eq!(out.len(), 1);
    assert_eq!(Packet::parse(&out[0].1[14..]).bytes[28..], short[28..]);
    let long = udp((DESK, 5000), (EDGE, 9), &payload(4000));
    let out = send_all(&mut lab, INSIDE, &cut(&long, 400, 2));
    assert_eq!(
        out.iter().map(|(_, frame)| frame.len()).collect::<Vec<_>>(),
        [1514, 1514, 1082]
    );
    assert_eq!(whole(&out, OUTSIDE).bytes[28..], long[28..]);
}

#[test]
fn a_packet_too_long_for_its_egress_is_cut_unless_it_forbids_it() {
    let mut policy = federation();
    policy.interfaces[0].mtu = 600;
    policy.icmp_error_burst = 10;
    let mut lab = Lab::new(policy);
    let sent = udp((DESK, 5000), (EDGE, 9), &payload(1400));
    let out = lab.send(INSIDE, &ethernet(INSIDE, &sent));
    assert_eq!(
        out.iter()
            .map(|(_, frame)| frame.len() - 14)
            .collect::<Vec<_>>(),
        [596, 596, 276]
    );
    let seen = whole(&out, OUTSIDE);
    assert_eq!(
        (seen.from(), &seen.bytes[28..]),
        ((PUBLIC, 5000), &sent[28..])
    );
    // In fragments already, some too long: all are cut anew.
    let out = send_all(&mut lab, INSIDE, &cut(&sent, 1000, 3));
    assert_eq!(out.len(), 3);
    assert_eq!(whole(&out, OUTSIDE).bytes[28..], sent[28..]);

    for pieces in [vec![sent.clone()], cut(&sent, 1000, 4)] {
        let pieces: Vec<Vec<u8>> = pieces
            .into_iter()
            .map(|mut packet| {
                packet[6] |= 0x40;
                packet[10..12].fill(0);
                let sum = !plain_sum(&packet[..20]);
                packet[10..12].copy_from_slice(&sum.to_be_bytes());
                packet
            })
            .collect();
        let answer = send_all(&mut lab, INSIDE, &pieces);
        assert_eq!(answer.len(), 1, "{:?}", lab.drops());
        // Fragmentation needed, next-hop MTU 600.
        assert_eq!(answer[0].1[34..42][..2], [3, 4]);
        assert_eq!(answer[0].1[40..42], 600u16.to_be_bytes());
    }
    assert_eq!(lab.drops(), [("mtu-exceeded", 3)]);
}

#[test]
fn a_checksum_left_to_the_device_is_finished_before_a_packet_is_cut() {
    let mut policy = federation();
    policy.interfaces[0].mtu = 600;
    let mut lab = Lab::new(policy);
    let mut sent = udp((DESK, 5000), (EDGE, 9), &payload(1401));
    // The pseudo-header alone, as a guest leaves it.
    let len = (sent.len() - 20) as u16;
    let mut pseudo = sent[12..20].to_vec();
    pseudo.extend([0, 17]);
    pseudo.extend(len.to_be_bytes());
    let sum = plain_sum(&pseudo);
    sent[26..28].copy_from_slice(&sum.to_be_bytes());
    let mut frame = lab.buffer(&ethernet(INSIDE, &sent));
    frame.set_offload(hal::packet::Offload {
        checksum_partial: true,
        checksum_start: 34,
        checksum_offset: 6,
        ..Default::default()
    });
    let mut batch = hal::packet::Batch::new();
    assert!(batch.push_back(frame).is_ok());
    lab.box_
        .handle_batch(INSIDE, &mut batch, &mut lab.pool, lab.now);
    let out = lab.drain();
    assert_eq!(out.len(), 3);
    // `Packet::parse` sums it up.
    assert_eq!(whole(&out, OUTSIDE).bytes[28..], sent[28..]);
}

#[test]
fn pieces_wait_for_the_next_hop_together() {
    let mut lab = Lab::new(federation());
    let stranger = Ipv4Addr::new(192, 0, 2, 99);
    let sent = udp((SERVER, 1), (stranger, 9), &payload(2000));
    let mut policy = federation();
    policy.access_lists[0].elements.clear();
    policy.interfaces[2].security_level = 100;
    policy.same_security_inter = true;
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    lab.introduce(DMZ, SERVER);
    let asked = send_all(&mut lab, DMZ, &cut(&sent, 1000, 6));
    assert_eq!(asked.len(), 1, "an ARP request; {:?}", lab.drops());
    assert_eq!(lab.box_.verdicts().waiting, 1);
    let mut reply = arp(2, stranger, INSIDE_ADDRESS);
    reply[..6].copy_from_slice(&port_mac(INSIDE).0);
    reply[32..38].copy_from_slice(&port_mac(INSIDE).0);
    let out = lab.send(INSIDE, &reply);
    assert_eq!(whole(&out, INSIDE).bytes[28..], sent[28..]);
    assert_eq!(lab.box_.verdicts().waiting, 0);
}

#[test]
fn a_full_transmit_queue_takes_all_pieces_or_none() {
    let mut lab = Lab::with_limits(
        federation(),
        Limits {
            ports: 3,
            transmit_queue: 2,
            ..Limits::default()
        },
    );
    let sent = udp((DESK, 5000), (EDGE, 9), &payload(2000));
    assert_eq!(send_all(&mut lab, INSIDE, &cut(&sent, 1000, 6)), []);
    assert_eq!(lab.drops(), [("dispatch-queue-limit", 3)]);
    assert_eq!(send_all(&mut lab, INSIDE, &cut(&sent, 1480, 7)).len(), 2);
}

proptest::proptest! {
    /// Whatever mixture of fragments arrives, no buffer is lost, every frame is counted, what leaves
    /// is a datagram that fits together, and in the end nothing is held.
    #[test]
    fn any_mixture_of_fragments_is_accounted_for(
        steps in proptest::collection::vec(
            (0u16..3, 0usize..12, 1usize..6, proptest::bool::ANY, 0u64..3), 1..80),
    ) {
        let mut lab = Lab::new(with_fragments(|rule| (rule.size, rule.chain) = (12, 6)));
        let model = udp((DESK, 5000), (EDGE, 9), &payload(88));
        for (id, offset, len, more, wait) in steps {
            let bytes = payload(len * 8 - usize::from(!more));
            let bytes = if offset == 0 { [&model[20..28], &bytes].concat() } else { bytes };
            let made = piece(&model, offset * 8, &bytes[..bytes.len() / if more { 8 } else { 1 } * if more { 8 } else { 1 }], more, id);
            let out = lab.send(INSIDE, &ethernet(INSIDE, &made));
            let end = out.last().map(|(_, frame)| frame[20] & 0x20);
            assert!(end.is_none_or(|more| more == 0), "a datagram without end left");
            lab.wait(Duration::from_secs(wait));
        }
        lab.wait(Duration::from_secs(6));
        assert_eq!(lab.box_.verdicts().held, 0);
        assert_eq!(lab.box_.fragments.datagrams(), 0);
        assert_eq!(lab.pool.available(), lab.pool.total());
    }
}

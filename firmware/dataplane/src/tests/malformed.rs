//! Frames that are wrong, each with its own counter.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;

/// A good frame, changed by `change`, with the IPv4 header checksum made right again.
fn changed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut frame = Segment::new(DESK, 3000, EDGE, 80, SYN).frame(INSIDE);
    change(&mut frame);
    if frame.len() >= 34 {
        frame[24..26].copy_from_slice(&[0, 0]);
        let sum = !plain_sum(&frame[14..34]);
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
    }
    frame
}

#[test]
fn every_malformed_frame_has_its_counter() {
    let mut lab = Lab::new(federation());
    let cases: Vec<(&str, Vec<u8>, DropReason)> = vec![
        ("empty", vec![], DropReason::InvalidEncap),
        (
            "shorter than an Ethernet header",
            vec![2; 13],
            DropReason::InvalidEncap,
        ),
        (
            "longer than the MTU",
            {
                let mut frame = ethernet(INSIDE, &udp((DESK, 1), (EDGE, 1), &[0; 1600]));
                frame[16..18].copy_from_slice(&1628u16.to_be_bytes());
                frame
            },
            DropReason::InvalidEncap,
        ),
        (
            "for another station",
            changed(|frame| frame[5] = 99),
            DropReason::L2Acl,
        ),
        (
            "from a group",
            changed(|frame| frame[6] = 1),
            DropReason::L2Acl,
        ),
        (
            "unicast in a broadcast frame",
            changed(|frame| frame[..6].fill(0xff)),
            DropReason::L2Acl,
        ),
        (
            "unknown EtherType",
            changed(|frame| frame[12..14].copy_from_slice(&[0x88, 0xcc])),
            DropReason::L2Acl,
        ),
        (
            "IPv6",
            changed(|frame| frame[12..14].copy_from_slice(&[0x86, 0xdd])),
            DropReason::UnsupportedIpVersion,
        ),
        (
            "version 5",
            changed(|frame| frame[14] = 0x55),
            DropReason::UnsupportedIpVersion,
        ),
        (
            "no IPv4 header",
            changed(|frame| frame.truncate(30)),
            DropReason::InvalidIpLength,
        ),
        (
            "header length 4",
            changed(|frame| frame[14] = 0x41),
            DropReason::InvalidIpHeader,
        ),
        (
            "header beyond the frame",
            changed(|frame| {
                frame.truncate(36);
                frame[14] = 0x4f;
                frame[16..18].copy_from_slice(&22u16.to_be_bytes());
            }),
            DropReason::InvalidIpHeader,
        ),
        (
            "total length beyond the frame",
            changed(|frame| frame[17] = 41),
            DropReason::InvalidIpLength,
        ),
        (
            "total length below the header",
            changed(|frame| frame[17] = 19),
            DropReason::InvalidIpLength,
        ),
        (
            "header checksum",
            {
                let mut frame = changed(|_| ());
                frame[24] ^= 0x80;
                frame
            },
            DropReason::InvalidIpHeader,
        ),
        (
            "TTL 0",
            changed(|frame| frame[22] = 0),
            DropReason::TtlExceeded,
        ),
        (
            "fragment in the middle, not a multiple of eight bytes",
            changed(|frame| frame[20] = 0x20),
            DropReason::FragmentInvalid,
        ),
        (
            "last fragment beyond 65,535",
            changed(|frame| (frame[20], frame[21]) = (0x1f, 0xff)),
            DropReason::FragmentInvalid,
        ),
        (
            "fragment without payload",
            changed(|frame| (frame[17], frame[21]) = (20, 9)),
            DropReason::FragmentInvalid,
        ),
        (
            "first fragment with half a TCP header",
            changed(|frame| (frame[17], frame[20]) = (36, 0x20)),
            DropReason::FragmentTiny,
        ),
        (
            "fragment that would overwrite the TCP flags",
            changed(|frame| frame[21] = 1),
            DropReason::FragmentTiny,
        ),
        (
            "TCP header cut",
            changed(|frame| frame[17] = 39),
            DropReason::InvalidTcpLength,
        ),
        (
            "TCP data offset 4",
            changed(|frame| frame[46] = 0x40),
            DropReason::InvalidTcpLength,
        ),
        (
            "TCP data offset beyond",
            changed(|frame| frame[46] = 0x60),
            DropReason::InvalidTcpLength,
        ),
        (
            "TCP null",
            changed(|frame| frame[47] = 0),
            DropReason::BadTcpFlags,
        ),
        (
            "TCP SYN and FIN",
            changed(|frame| frame[47] = 3),
            DropReason::BadTcpFlags,
        ),
        (
            "TCP SYN and RST",
            changed(|frame| frame[47] = 6),
            DropReason::BadTcpFlags,
        ),
        (
            "TCP FIN alone",
            changed(|frame| frame[47] = 1),
            DropReason::BadTcpFlags,
        ),
        (
            "TCP ACK of nothing",
            changed(|frame| frame[47] = 16),
            DropReason::TcpNotSyn,
        ),
        (
            "UDP length 7",
            ethernet(INSIDE, &{
                let mut packet = udp((DESK, 1), (EDGE, 1), b"");
                packet[25] = 7;
                packet
            }),
            DropReason::InvalidUdpLength,
        ),
        (
            "UDP length beyond",
            ethernet(INSIDE, &{
                let mut packet = udp((DESK, 1), (EDGE, 1), b"");
                packet[25] = 9;
                packet
            }),
            DropReason::InvalidUdpLength,
        ),
        (
            "UDP header cut",
            ethernet(INSIDE, &ipv4(DESK, EDGE, 17, &[0; 7])),
            DropReason::InvalidUdpLength,
        ),
        (
            "ICMP header cut",
            ethernet(INSIDE, &ipv4(DESK, EDGE, 1, &[8, 0, 0])),
            DropReason::InvalidIcmpLength,
        ),
        (
            "echo reply unasked",
            ethernet(INSIDE, &echo(0, DESK, EDGE, 1)),
            DropReason::IcmpReplyUnasked,
        ),
        (
            "redirect",
            ethernet(INSIDE, &icmp(DESK, EDGE, &[5, 0, 0, 0, 0, 0, 0, 0])),
            DropReason::AclDrop,
        ),
    ];
    for (what, frame, reason) in cases {
        let before = lab.box_.frame_drops(reason);
        let sent = lab.send(INSIDE, &frame);
        assert!(
            sent.iter().all(|(_, answer)| answer[23] == 1),
            "{what}: only an error may leave"
        );
        assert_eq!(
            lab.box_.frame_drops(reason),
            before + 1,
            "{what}: {:?}",
            lab.drops()
        );
    }
    assert_eq!(lab.box_.conn_usage().most_used, 0);
}

#[test]
fn impossible_addresses_are_refused() {
    let mut lab = Lab::new(federation());
    let from = |source: [u8; 4]| ethernet(INSIDE, &udp((source.into(), 9), (EDGE, 9), b"x"));
    for source in [
        [0, 0, 0, 0],
        [127, 0, 0, 1],
        [224, 0, 0, 1],
        [240, 0, 0, 1],
        [255, 255, 255, 255],
        [192, 0, 2, 1],
        [192, 0, 2, 255],
        [203, 0, 113, 2],
        EDGE.octets(),
    ] {
        lab.refuse(INSIDE, &from(source), DropReason::SlowpathSecurity);
    }
    let to =
        |destination: [u8; 4]| ethernet(INSIDE, &udp((DESK, 9), (destination.into(), 9), b"x"));
    lab.refuse(INSIDE, &to([127, 0, 0, 1]), DropReason::SlowpathSecurity);
    lab.refuse(
        INSIDE,
        &to([203, 0, 113, 129]),
        DropReason::SlowpathSecurity,
    );
    lab.refuse(
        INSIDE,
        &to([203, 0, 113, 143]),
        DropReason::SlowpathSecurity,
    );
    lab.refuse(INSIDE, &to([240, 0, 0, 1]), DropReason::SlowpathSecurity);
    let mut multicast = to([224, 0, 0, 251]);
    multicast[..6].copy_from_slice(&[1, 0, 0x5e, 0, 0, 251]);
    lab.refuse(INSIDE, &multicast, DropReason::NoMulticastInterface);
    lab.refuse(
        INSIDE,
        &to(INSIDE_ADDRESS.octets()),
        DropReason::NpSocketClosed,
    );
}

#[test]
fn source_routes_are_refused_and_router_alert_passes() {
    let mut lab = Lab::new(federation());
    let with_options = |options: [u8; 4]| {
        let plain = udp((DESK, 9), (EDGE, 9), b"x");
        let mut packet = plain[..20].to_vec();
        packet.extend(options);
        packet.extend(&plain[20..]);
        packet[0] = 0x46;
        packet[3] += 4;
        packet[10..12].copy_from_slice(&[0, 0]);
        let sum = !plain_sum(&packet[..24]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        ethernet(INSIDE, &packet)
    };
    for options in [
        [131, 3, 4, 0],
        [137, 4, 0, 0],
        [148, 5, 0, 0],
        [148, 3, 0, 0],
        [7, 0, 0, 0],
    ] {
        lab.refuse(INSIDE, &with_options(options), DropReason::InvalidIpOption);
    }
    assert_eq!(lab.send(INSIDE, &with_options([148, 4, 0, 0])).len(), 1);
    assert_eq!(lab.send(INSIDE, &with_options([1, 1, 0, 9])).len(), 1);
}

#[test]
fn bad_tcp_options_of_a_syn_are_refused() {
    let mut lab = Lab::new(federation());
    for options in [[2, 0, 0, 0], [2, 9, 0, 0], [3, 2, 0, 0], [2, 3, 0, 0]] {
        let mut segment = Segment::new(DESK, 3000, EDGE, 80, SYN);
        segment.options = options.to_vec();
        lab.refuse(INSIDE, &segment.frame(INSIDE), DropReason::TcpBadOptionList);
    }
    assert_eq!(lab.box_.conn_usage().in_use, 0);
}

#[test]
fn out_of_place_segments_of_a_connection_are_refused() {
    let mut lab = Lab::new(federation());
    let seen = lab.connect((INSIDE, DESK, 3000), (OUTSIDE, EDGE, 80));
    let server = |flags, sequence: u32, acknowledgment: u32| {
        Segment::new(EDGE, 80, seen.0, seen.1, flags)
            .seq(sequence)
            .ack(acknowledgment)
            .frame(OUTSIDE)
    };
    for (frame, reason) in [
        (
            server(ACK, 5001 + 100_000, 1001),
            DropReason::TcpSeqPastWindow,
        ),
        (server(ACK, 5001, 1002), DropReason::TcpInvalidAck),
        (server(RST, 5002, 0), DropReason::TcpRstSynInWindow),
        (server(RST, 4000, 0), DropReason::TcpRstFinOutOfOrder),
        (
            server(FIN | ACK, 90_000, 1001),
            DropReason::TcpRstFinOutOfOrder,
        ),
        (server(SYN, 5001, 0), DropReason::TcpRstSynInWindow),
        (
            server(SYN | ACK, 5555, 1001),
            DropReason::TcpSynAckOutOfOrder,
        ),
    ] {
        lab.refuse(OUTSIDE, &frame, reason);
    }
    assert_eq!(lab.conn().flags.to_string(), "Ux");
    lab.pass(OUTSIDE, &server(RST, 5001, 0), INSIDE);
    assert_eq!(lab.box_.conn_usage().in_use, 0);
    let unspecified = Ipv4Addr::UNSPECIFIED;
    assert!(
        lab.box_
            .conns(lab.now)
            .all(|conn| conn.lower.real.0 != unspecified)
    );
}

//! Partial checksums and coalesced segments through translation: whoever completes them, the
//! receiver finds them right.

use super::lab::*;
use crate::*;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use hal::nic::Offloads;
use hal::offload::Finisher;
use hal::packet::{Batch, Offload, PacketBuf};
use proptest::prelude::*;

/// Ethernet, IPv4 and TCP headers without options.
const HEADERS: usize = 54;
const TCP: Offload = Offload {
    checksum_verified: false,
    checksum_partial: true,
    checksum_start: 34,
    checksum_offset: 16,
    segment_size: 0,
};
const UDP: Offload = Offload {
    checksum_offset: 6,
    ..TCP
};

/// The frame with its transport checksum reduced to the pseudo-header's, in buffers of at most `part`
/// bytes of payload.
fn partial(lab: &mut Lab, frame: &[u8], offload: Offload, part: usize) -> PacketBuf {
    let mut bytes = frame.to_vec();
    let at = usize::from(offload.checksum_start + offload.checksum_offset);
    let len = (frame.len() - 34) as u16;
    let mut pseudo = bytes[26..34].to_vec();
    pseudo.extend([0, frame[23]]);
    pseudo.extend(len.to_be_bytes());
    if let Some(field) = bytes.get_mut(at..at + 2) {
        field.copy_from_slice(&plain_sum(&pseudo).to_be_bytes());
    }
    let (first, rest) = bytes.split_at(bytes.len().min(HEADERS + part / 3));
    let mut frame = lab.buffer(first);
    for part in rest.chunks(part) {
        let next = lab.buffer(part);
        frame.append(next);
    }
    frame.set_offload(offload);
    frame
}

impl Lab {
    /// Hands a frame to the box, and takes what leaves by each port through a port that does
    /// `offloads`.
    pub(super) fn exchange(
        &mut self,
        ingress: PortId,
        frame: PacketBuf,
        offloads: Offloads,
    ) -> Vec<(PortId, Offload, Vec<u8>)> {
        let mut batch = Batch::new();
        assert!(batch.push_back(frame).is_ok());
        self.box_
            .handle_batch(ingress, &mut batch, &mut self.pool, self.now);
        let mut sent = Vec::new();
        for port in [OUTSIDE, INSIDE, DMZ] {
            let mut finisher = Finisher::default();
            loop {
                let mut out = Batch::new();
                finisher.fill(&mut out, offloads, &mut self.pool, |frames| {
                    self.box_.drain_transmit(port, frames);
                });
                if out.is_empty() {
                    break;
                }
                while let Some(frame) = out.pop_front() {
                    let bytes = frame.segments().flatten().copied().collect();
                    sent.push((port, frame.offload(), bytes));
                    self.pool.free(frame);
                }
            }
            assert_eq!(finisher.refused(), 0);
        }
        self.check_conservation();
        sent
    }

    /// A connection whose windows are a mebibyte; returns where the client is seen from.
    fn connect_widely(
        &mut self,
        client: (Ipv4Addr, u16),
        server: (Ipv4Addr, u16),
    ) -> (Ipv4Addr, u16) {
        let scaled = |mut segment: Segment| {
            segment.options = alloc::vec![1, 3, 3, 7];
            segment
        };
        let syn = scaled(Segment::new(client.0, client.1, server.0, server.1, SYN).seq(1000));
        let seen = self.pass(INSIDE, &syn.frame(INSIDE), OUTSIDE).from();
        let back = Segment::new(server.0, server.1, seen.0, seen.1, SYN | ACK);
        let back = scaled(back.seq(5000).ack(1001));
        self.pass(OUTSIDE, &back.frame(OUTSIDE), INSIDE);
        let ack = Segment::new(client.0, client.1, server.0, server.1, ACK);
        self.pass(INSIDE, &ack.seq(1001).ack(5001).frame(INSIDE), OUTSIDE);
        let back = Segment::new(server.0, server.1, seen.0, seen.1, ACK);
        self.pass(OUTSIDE, &back.seq(5001).ack(1001).frame(OUTSIDE), INSIDE);
        seen
    }

    /// A frame that asks for what does not fit it is dropped, counted, and nothing leaves.
    pub(super) fn refuse_offload(&mut self, ingress: PortId, frame: PacketBuf, reason: DropReason) {
        let before = self.box_.frame_drops(reason);
        let sent = self.exchange(ingress, frame, Offloads::ALL);
        assert!(sent.is_empty(), "{sent:?}");
        assert_eq!(
            self.box_.frame_drops(reason),
            before + 1,
            "{:?}",
            self.drops()
        );
    }
}

pub(super) const PORTS: [Offloads; 4] = [
    Offloads {
        checksum: false,
        tcp_segmentation: false,
        ecn_segmentation: false,
    },
    Offloads {
        checksum: true,
        tcp_segmentation: false,
        ecn_segmentation: false,
    },
    Offloads {
        checksum: true,
        tcp_segmentation: true,
        ecn_segmentation: false,
    },
    Offloads::ALL,
];

/// What a receiver makes of the frames, whatever the port left to the next one.
fn receive(frames: &[(PortId, Offload, Vec<u8>)]) -> Vec<Packet> {
    let complete = |(_, offload, bytes): &(PortId, Offload, Vec<u8>)| {
        let mut bytes = bytes.clone();
        if offload.checksum_partial {
            let start = usize::from(offload.checksum_start);
            let at = start + usize::from(offload.checksum_offset);
            let sum = !plain_sum(&bytes[start..]);
            bytes[at..at + 2].copy_from_slice(&sum.to_be_bytes());
        }
        Packet::parse(&bytes[14..])
    };
    frames.iter().map(complete).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// For any segmentation and any translation, through any port, the receiver gets the bytes that
    /// were sent, under right checksums, in segments no longer than the sender's.
    #[test]
    fn coalesced_segments_arrive_as_they_were_sent(
        host in 2u8..254,
        port in 1u16..,
        server in any::<[u8; 2]>(),
        server_port in 1u16..,
        len in 1usize..65_496,
        size in 88u16..=1_460,
        part in 40usize..1_900,
        offloads in 0usize..4,
        is_answer in any::<bool>(),
        seed in any::<u8>(),
    ) {
        // No more buffers than the largest frame of the real rings takes.
        let part = part.max(len.div_ceil(60));
        let mut lab = Lab::new(federation());
        let client = (Ipv4Addr::new(192, 0, 2, host), port);
        let server = (Ipv4Addr::new(198, 18, server[0], server[1]), server_port);
        lab.introduce(INSIDE, client.0);
        let seen = lab.connect_widely(client, server);
        let payload: Vec<u8> = (0..len).map(|at| (at * 7) as u8 ^ seed).collect();
        let (ingress, from, to) = if is_answer {
            (OUTSIDE, server, seen)
        } else {
            (INSIDE, client, server)
        };
        let (sequence, acknowledgment) = if is_answer { (5001, 1001) } else { (1001, 5001) };
        let segment = Segment::new(from.0, from.1, to.0, to.1, ACK)
            .seq(sequence)
            .ack(acknowledgment)
            .payload(&payload);
        let offload = Offload { segment_size: size, ..TCP };
        let is_one = len <= usize::from(size);
        let frame = partial(&mut lab, &segment.frame(ingress), offload, part);
        let sent = lab.exchange(ingress, frame, PORTS[offloads]);
        let is_cut = offloads < 2;
        let expected = if is_cut { len.div_ceil(usize::from(size)) } else { 1 };
        prop_assert_eq!(sent.len(), expected, "{:?}", lab.drops());
        for (_, offload, bytes) in &sent {
            prop_assert_eq!(offload.checksum_partial, offloads > 0);
            let size = if is_cut || is_one { 0 } else { size };
            prop_assert_eq!(offload.segment_size, size);
            prop_assert!(!is_cut || bytes.len() <= HEADERS + usize::from(offload.segment_size.max(1_460)));
        }
        let mut joined = Vec::new();
        for packet in receive(&sent) {
            let expected = if is_answer { (server, client) } else { (seen, server) };
            prop_assert_eq!((packet.from(), packet.to()), expected);
            let at = u32::from_be_bytes(packet.bytes[24..28].try_into().expect("four bytes"));
            prop_assert_eq!(at, sequence + joined.len() as u32);
            joined.extend_from_slice(&packet.bytes[40..]);
        }
        prop_assert!(joined == payload);
        // The connection has counted it all: the answer to it is in place.
        let (back, acknowledged) = (to, sequence + len as u32);
        let ack = if is_answer {
            Segment::new(client.0, client.1, server.0, server.1, ACK).seq(1001)
        } else {
            Segment::new(back.0, back.1, seen.0, seen.1, ACK).seq(5001)
        };
        let (side, other) = if is_answer { (INSIDE, OUTSIDE) } else { (OUTSIDE, INSIDE) };
        lab.pass(side, &ack.ack(acknowledged).frame(side), other);
    }

    #[test]
    fn partial_checksums_of_ordinary_packets_arrive_right(
        port in 1u16..,
        payload in prop::collection::vec(any::<u8>(), 0..1_400),
        offloads in 0usize..4,
        padding in 0usize..6,
        pad in any::<u8>(),
    ) {
        let mut lab = Lab::new(federation());
        let packet = udp((DESK, port), (EDGE, 9), &payload);
        let mut frame = partial(&mut lab, &ethernet(INSIDE, &packet), UDP, 6_000);
        // Padding, of whatever, is no part of the sum.
        prop_assert!(frame.extend(&alloc::vec![pad; padding]));
        let sent = lab.exchange(INSIDE, frame, PORTS[offloads]);
        let received = receive(&sent);
        prop_assert_eq!(received.len(), 1);
        prop_assert_eq!(received[0].source, PUBLIC);
        prop_assert_eq!(&received[0].bytes[28..], &payload[..]);
    }
}

#[test]
fn the_segment_size_of_a_syn_with_a_partial_checksum_is_clamped() {
    let mut lab = Lab::new(federation());
    let mut syn = Segment::new(DESK, 4_000, EDGE, 80, SYN);
    syn.options = alloc::vec![1, 1, 2, 4, 0x05, 0xb4, 0, 0];
    for offloads in PORTS {
        let frame = partial(&mut lab, &syn.frame(INSIDE), TCP, 3_000);
        let sent = lab.exchange(INSIDE, frame, offloads);
        let received = receive(&sent);
        assert_eq!(received[0].source, PUBLIC);
        assert_eq!(received[0].bytes[44..46], 1380u16.to_be_bytes());
    }
}

#[test]
fn what_does_not_fit_the_packet_is_dropped_and_counted() {
    let mut lab = Lab::new(federation());
    lab.connect_widely((DESK, 4_000), (EDGE, 80));
    let data = Segment::new(DESK, 4_000, EDGE, 80, ACK)
        .seq(1001)
        .ack(5001)
        .payload(&[7; 4_000]);
    let long = Offload {
        segment_size: 1_448,
        ..TCP
    };
    let bad = DropReason::InvalidOffload;
    for offload in [
        // Not where the TCP header is; not its checksum; segmented without one.
        Offload {
            checksum_start: 38,
            ..long
        },
        Offload {
            checksum_start: u16::MAX,
            ..long
        },
        Offload {
            checksum_offset: 6,
            ..long
        },
        Offload {
            checksum_offset: u16::MAX,
            ..long
        },
        Offload {
            checksum_partial: false,
            ..long
        },
    ] {
        let mut frame = partial(&mut lab, &data.frame(INSIDE), long, 1_000);
        frame.set_offload(offload);
        lab.refuse_offload(INSIDE, frame, bad);
    }
    // A SYN, and a frame of UDP, are never segmented; ICMP has no pseudo-header.
    let syn = Segment::new(DESK, 4_001, EDGE, 80, SYN).payload(&[7; 4_000]);
    let frame = partial(&mut lab, &syn.frame(INSIDE), long, 1_000);
    lab.refuse_offload(INSIDE, frame, bad);
    let datagram = ethernet(INSIDE, &udp((DESK, 5), (EDGE, 9), &[7; 4_000]));
    let frame = partial(
        &mut lab,
        &datagram,
        Offload {
            segment_size: 1_448,
            ..UDP
        },
        1_000,
    );
    lab.refuse_offload(INSIDE, frame, bad);
    let ping = ethernet(INSIDE, &echo(8, DESK, EDGE, 5));
    let frame = partial(
        &mut lab,
        &ping,
        Offload {
            checksum_offset: 2,
            ..TCP
        },
        3_000,
    );
    lab.refuse_offload(INSIDE, frame, bad);
    // Bytes behind the packet would be summed, or sent, as part of it.
    let mut bytes = data.frame(INSIDE);
    bytes.extend([0; 8]);
    let frame = partial(&mut lab, &bytes, long, 1_000);
    lab.refuse_offload(INSIDE, frame, bad);
    // Segments longer than the medium they come from.
    let jumbo = Offload {
        segment_size: 1_461,
        ..TCP
    };
    let frame = partial(&mut lab, &data.frame(INSIDE), jumbo, 1_000);
    lab.refuse_offload(INSIDE, frame, DropReason::InvalidEncap);
    // One segment that is itself too long is no segmented frame.
    let frame = partial(
        &mut lab,
        &data.frame(INSIDE),
        Offload {
            segment_size: 4_000,
            ..TCP
        },
        1_000,
    );
    lab.refuse_offload(INSIDE, frame, DropReason::InvalidEncap);
}

#[test]
fn segments_too_long_for_the_egress_are_dropped_and_the_sender_learns_why() {
    let mut policy = federation();
    policy.interfaces[0].mtu = 1_000;
    let mut lab = Lab::new(policy);
    lab.connect_widely((DESK, 4_000), (EDGE, 80));
    let data = Segment::new(DESK, 4_000, EDGE, 80, ACK)
        .seq(1001)
        .ack(5001)
        .payload(&[7; 4_000]);
    let mut bytes = data.frame(INSIDE);
    // Don't fragment.
    bytes[20] = 0x40;
    bytes[24..26].copy_from_slice(&[0, 0]);
    let sum = !plain_sum(&bytes[14..34]);
    bytes[24..26].copy_from_slice(&sum.to_be_bytes());
    for (size, is_told) in [(961, true), (960, false)] {
        let offload = Offload {
            segment_size: size,
            ..TCP
        };
        let frame = partial(&mut lab, &bytes, offload, 1_000);
        let sent = lab.exchange(INSIDE, frame, PORTS[0]);
        if is_told {
            // "Fragmentation needed", with the MTU (RFC 1191), quoting what was sent.
            let error = Packet::parse(&sent[0].2[14..]);
            assert_eq!((sent[0].0, error.protocol), (INSIDE, 1));
            assert_eq!(error.bytes[20..22], [3, 4]);
            assert_eq!(error.bytes[26..28], 1_000u16.to_be_bytes());
            assert_eq!(error.bytes[28..48], bytes[14..34]);
        } else {
            assert_eq!(receive(&sent).len(), 5);
            assert!(sent.iter().all(|(port, ..)| *port == OUTSIDE));
        }
    }
    assert_eq!(lab.box_.frame_drops(DropReason::MtuExceeded), 1);
}

#[test]
fn a_proxy_gets_its_packets_with_the_checksum_where_it_looks_for_it() {
    let mut lab = Lab::new(federation());
    let syn = Segment::new(EDGE, 49_368, PUBLIC, 5063, SYN).seq(700);
    let frame = partial(&mut lab, &syn.frame(OUTSIDE), TCP, 3_000);
    assert!(lab.exchange(OUTSIDE, frame, Offloads::ALL).is_empty());
    let Some(Intercepted::Opening(opening, syn)) = lab.box_.poll_intercept() else {
        unreachable!("an opening");
    };
    let expected = Offload {
        checksum_start: 20,
        ..TCP
    };
    assert_eq!(syn.offload(), expected);
    // The refusal is made in the same buffer, and complete.
    let reason = DropReason::TlsProxySessionLimit;
    lab.box_
        .refuse_intercept(opening.flow, syn, reason, &mut lab.pool, lab.now);
    let sent = lab.drain();
    assert_eq!(Packet::parse(&sent[0].1[14..]).bytes[33], RST | ACK);
}

#[test]
fn packets_for_the_box_itself_are_complete() {
    let mut policy = federation();
    policy.local_services = alloc::vec![LocalService {
        transport: Transport::Tcp,
        first: 22,
        last: 22,
    }];
    let mut lab = Lab::new(policy);
    let syn = Segment::new(DESK, 4_000, INSIDE_ADDRESS, 22, SYN).payload(&[7; 999]);
    let frame = partial(&mut lab, &syn.frame(INSIDE), TCP, 3_000);
    assert!(lab.exchange(INSIDE, frame, Offloads::ALL).is_empty());
    let local = lab.box_.poll_local().expect("handed up");
    assert!(local.packet.offload().asks_nothing());
    assert_eq!(local.packet.bytes(), syn.packet());
    lab.pool.free(local.packet);
}

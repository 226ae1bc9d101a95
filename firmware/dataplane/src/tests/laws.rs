//! Laws: translation out and back is identity, mapped tuples are unique, and no bytes whatever
//! make the box lose a buffer or a count.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use core::time::Duration;
use hal::packet::Batch;
use proptest::prelude::*;
use std::collections::BTreeMap;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Checksums are verified from scratch by `Lab::pass`.
    #[test]
    fn out_and_back_is_identity(
        host in 2u8..254,
        port in 1u16..,
        server in any::<[u8; 2]>(),
        server_port in 1u16..,
        payload in prop::collection::vec(any::<u8>(), 0..64),
        answer in prop::collection::vec(any::<u8>(), 0..64),
        without_checksum in any::<bool>(),
    ) {
        let mut lab = Lab::new(federation());
        let client = (Ipv4Addr::new(192, 0, 2, host), port);
        let server = (Ipv4Addr::new(198, 18, server[0], server[1]), server_port);
        lab.introduce(INSIDE, client.0);
        let mut sent = udp(client, server, &payload);
        if without_checksum {
            sent[26..28].copy_from_slice(&[0, 0]);
        }
        let out = lab.pass(INSIDE, &ethernet(INSIDE, &sent), OUTSIDE);
        prop_assert_eq!(out.source, PUBLIC);
        prop_assert_eq!(out.to(), server);
        prop_assert_eq!(&out.bytes[28..], &payload[..]);
        prop_assert_eq!(out.bytes[26..28] == [0, 0], without_checksum);
        let back = udp(server, out.from(), &answer);
        let seen = lab.pass(OUTSIDE, &ethernet(OUTSIDE, &back), INSIDE);
        prop_assert_eq!(&seen.bytes, &udp(server, client, &answer));
        // And an error about the packet quotes it as it was sent.
        let error = icmp_error(server.0, PUBLIC, 3, &out.bytes, 1000);
        let seen = lab.pass(OUTSIDE, &ethernet(OUTSIDE, &error), INSIDE);
        prop_assert_eq!(&seen.bytes[28..], &sent[..]);
    }

    #[test]
    fn no_two_flows_share_a_mapped_tuple(
        clients in prop::collection::vec((2u8..6, 1020u16..1030, 1u8..3, any::<bool>()), 1..80),
    ) {
        let mut lab = Lab::new(federation());
        let mut owners: BTreeMap<_, (Ipv4Addr, u16)> = BTreeMap::new();
        for host in 2..6 {
            lab.introduce(INSIDE, Ipv4Addr::new(192, 0, 2, host));
        }
        for (host, port, server, is_udp) in clients {
            let client = (Ipv4Addr::new(192, 0, 2, host), port);
            let server = (Ipv4Addr::new(198, 51, 100, server), 9);
            let packet = if is_udp {
                udp(client, server, b"x")
            } else {
                Segment::new(client.0, client.1, server.0, server.1, SYN).packet()
            };
            let out = lab.pass(INSIDE, &ethernet(INSIDE, &packet), OUTSIDE);
            let tuple = (out.protocol, out.from(), out.to());
            prop_assert_eq!(*owners.entry(tuple).or_insert(client), client);
        }
    }

    #[test]
    fn random_bytes_never_panic_and_lose_no_buffer(
        frames in prop::collection::vec(
            (0u8..4, any::<[u8; 6]>(), prop::collection::vec(any::<u8>(), 0..120), 0u8..4),
            1..40,
        ),
    ) {
        let mut lab = Lab::new(federation());
        for (port, patch, body, kind) in frames {
            let port = PortId(port);
            let mut frame = match kind {
                // Noise; noise behind a right Ethernet header; noise behind a right IPv4 header.
                0 => body,
                1 => ethernet(port, &body),
                2 => ethernet(port, &ipv4(DESK, PUBLIC, patch[0] % 20, &body)),
                _ => {
                    let mut frame = Segment::new(EDGE, 9, PUBLIC, 5061, patch[1]).payload(&body).frame(port);
                    let at = usize::from(patch[2]) % frame.len();
                    frame[at] ^= patch[3];
                    frame
                }
            };
            if let Some(byte) = frame.get_mut(usize::from(patch[4])) {
                *byte = patch[5];
            }
            lab.send(port, &frame);
            while let Some(intercepted) = lab.box_.poll_intercept() {
                match intercepted {
                    Intercepted::Opening(opening, syn) => lab.box_.refuse_intercept(
                        opening.flow, syn, DropReason::TlsProxySessionLimit, &mut lab.pool, lab.now,
                    ),
                    Intercepted::Packet { packet, .. } => lab.pool.free(packet),
                    Intercepted::Closed { .. } => {}
                }
            }
            while let Some(local) = lab.box_.poll_local() {
                lab.pool.free(local.packet);
            }
            lab.drain();
            lab.wait(Duration::from_millis(u64::from(patch[0])));
        }
        lab.box_.clear_neighbors(None, &mut lab.pool);
        lab.drain();
        prop_assert_eq!(lab.pool.available(), lab.pool.total());
    }

    /// A frame over several buffers is counted, forwarded and freed as one.
    #[test]
    fn frames_of_several_buffers_pass_whole(sizes in prop::collection::vec(1usize..400, 1..5)) {
        let mut lab = Lab::new(federation());
        let payload: Vec<u8> = (0..sizes.iter().sum::<usize>()).map(|n| n as u8).collect();
        let packet = udp((DESK, 5000), (EDGE, 9), &payload);
        let bytes = ethernet(INSIDE, &packet);
        let mut frame = lab.buffer(&bytes[..42]);
        let mut rest = &bytes[42..];
        for size in sizes {
            let (part, more) = rest.split_at(size);
            let next = lab.buffer(part);
            frame.append(next);
            rest = more;
        }
        let mut batch = Batch::new();
        prop_assert!(batch.push_back(frame).is_ok());
        lab.box_.handle_batch(INSIDE, &mut batch, &mut lab.pool, lab.now);
        let sent = lab.drain();
        if packet.len() > 1500 {
            prop_assert_eq!(lab.box_.frame_drops(DropReason::InvalidEncap), 1);
        } else {
            prop_assert_eq!(sent.len(), 1);
            prop_assert_eq!(Packet::parse(&sent[0].1[14..]).source, PUBLIC);
        }
    }
}

//! Partial checksums in IPv6.

use super::lab::{INSIDE, Lab, OUTSIDE, SYN, plain_sum};
use super::offload::PORTS;
use super::v6::{EDGE, NODE, PUBLIC, Packet6, lab, tcp, translated, udp};
use crate::*;
use hal::nic::Offloads;
use hal::packet::{Offload, PacketBuf};

const TCP: Offload = Offload {
    checksum_verified: false,
    checksum_partial: true,
    checksum_start: 54,
    checksum_offset: 16,
    segment_size: 0,
};
const UDP: Offload = Offload {
    checksum_offset: 6,
    ..TCP
};

/// The frame with its transport checksum reduced to the pseudo-header's.
fn partial(lab: &mut Lab, frame: &[u8], offload: Offload) -> PacketBuf {
    let mut bytes = frame.to_vec();
    let mut pseudo = bytes[22..54].to_vec();
    pseudo.extend((frame.len() as u32 - 54).to_be_bytes());
    pseudo.extend([0, 0, 0, frame[20]]);
    let at = usize::from(offload.checksum_start + offload.checksum_offset);
    bytes[at..at + 2].copy_from_slice(&plain_sum(&pseudo).to_be_bytes());
    let mut frame = lab.buffer(&bytes);
    frame.set_offload(offload);
    frame
}

/// Through any port, of the first packet and of the next, translated or not, both ways.
#[test]
fn a_partial_checksum_arrives_right() {
    let mut untranslated = translated();
    untranslated.v6.nat.clear();
    for policy in [translated(), untranslated] {
        let seen = if policy.v6.nat.is_empty() {
            NODE
        } else {
            PUBLIC
        };
        for offloads in PORTS {
            let mut lab = lab(policy.clone());
            let query = udp(INSIDE, (NODE, 7), (EDGE, 9), b"a query");
            let answer = udp(OUTSIDE, (EDGE, 9), (seen, 7), b"an answer");
            for _ in 0..2 {
                for (port, frame, ends) in [
                    (INSIDE, &query, (seen, EDGE)),
                    (OUTSIDE, &answer, (EDGE, NODE)),
                ] {
                    let frame = partial(&mut lab, frame, UDP);
                    let mut sent = lab.exchange(port, frame, offloads);
                    assert_eq!(sent.len(), 1, "{:?}", lab.drops());
                    let (_, offload, mut bytes) = sent.remove(0);
                    assert_eq!(offload.checksum_partial, offloads.checksum);
                    if offload.checksum_partial {
                        let sum = !plain_sum(&bytes[54..]);
                        bytes[60..62].copy_from_slice(&sum.to_be_bytes());
                    }
                    let packet = Packet6::parse(&bytes);
                    assert_eq!((packet.source, packet.destination), ends);
                }
            }
        }
    }
}

#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    let mut lab = lab(translated());
    let syn = tcp(INSIDE, (NODE, 7), (EDGE, 80), (SYN, 1, 0), &[]);
    for offload in [
        // No port was asked to join segments.
        Offload {
            segment_size: 1_440,
            ..TCP
        },
        Offload {
            checksum_start: 34,
            ..TCP
        },
        UDP,
    ] {
        let frame = partial(&mut lab, &syn, offload);
        lab.refuse_offload(INSIDE, frame, DropReason::InvalidOffload);
    }
    let frame = partial(&mut lab, &syn, TCP);
    assert_eq!(lab.exchange(INSIDE, frame, Offloads::ALL).len(), 1);
}

//! Small UDP packets made by hand, for rates no socket would reach.

use std::net::Ipv4Addr;

use crate::network::Frame;

/// Hardware address of the box's inside port, as [`crate::qemu`] gives it.
pub(super) const BOX_INSIDE: [u8; 6] = [0x52, 0x54, 0x00, 0x5a, 0x11, 0x01];

/// Inside address of probes. Nobody has it, and the frames' hardware address is nobody's either, so
/// that no switch or host takes the prober for one of the cast.
const PROBER: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 50);

/// Outside address of probes: behind the outside router, where nobody answers.
const TARGET: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 99);

/// Where probes go.
pub(super) const PROBE_PORT: u16 = 4001;

/// Smallest Ethernet frame without check sequence, in bytes (IEEE 802.3 §4.4.2).
const MIN_FRAME: usize = 60;

/// A minimum-size UDP probe from the inside to the outside.
pub(super) fn probe(source_port: u16) -> Frame {
    let mut frame = Vec::with_capacity(MIN_FRAME);
    frame.extend_from_slice(&BOX_INSIDE);
    let [a, b, c, d] = PROBER.octets();
    frame.extend_from_slice(&[0x06, 0, a, b, c, d]);
    frame.extend_from_slice(&[0x08, 0x00]);
    let payload_bytes = MIN_FRAME - 14 - 20 - 8;
    let udp_bytes = u16::try_from(8 + payload_bytes).unwrap_or(u16::MAX);
    // IPv4 (RFC 791 §3.1): no options, no fragments, TTL 64, UDP.
    let mut header = vec![0x45, 0];
    header.extend_from_slice(&(20 + udp_bytes).to_be_bytes());
    header.extend_from_slice(&[0, 0, 0x40, 0, 64, 17, 0, 0]);
    header.extend_from_slice(&PROBER.octets());
    header.extend_from_slice(&TARGET.octets());
    let sum = checksum(&header);
    header.splice(10..12, sum.to_be_bytes());
    frame.extend_from_slice(&header);
    // UDP (RFC 768) without checksum, which IPv4 allows.
    for field in [source_port, PROBE_PORT, udp_bytes, 0] {
        frame.extend_from_slice(&field.to_be_bytes());
    }
    frame.resize(MIN_FRAME, 0);
    frame
}

/// Tells whether a frame is a probe that the box let through.
pub(super) fn is_probe(frame: &[u8]) -> bool {
    let is_udp = frame.get(12..14) == Some(&[0x08, 0x00]) && frame.get(23) == Some(&17);
    is_udp && frame.get(36..38) == Some(&PROBE_PORT.to_be_bytes())
}

/// The Internet checksum (RFC 1071 §1).
fn checksum(header: &[u8]) -> u16 {
    let words = header
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| u32::from(u16::from_be_bytes(*pair)));
    let mut sum: u32 = words.sum();
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_is_recognised_and_its_header_sums_to_zero() {
        let frame = probe(5000);
        assert_eq!(frame.len(), MIN_FRAME);
        assert!(is_probe(&frame));
        assert_eq!(checksum(&frame[14..34]), 0);
        assert!(!is_probe(&frame[..20]));
    }
}

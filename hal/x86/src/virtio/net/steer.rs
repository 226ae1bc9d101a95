//! Which pair of queues a frame leaves by.
//!
//! All packets of a flow must take the same queue, or they overtake each other; that the two directions
//! of a flow take the same one is what the device goes by when it chooses the queue for the answers
//! (virtio 1.2 §5.1.6.5.5.2). So the choice is a function of addresses and ports that does not change
//! when the two ends are swapped.

const ETHERTYPE: usize = 12;
const TAG_LEN: usize = 4;
const VLAN: [u8; 2] = [0x81, 0x00];
const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];

// RFC 791 §3.1, from the start of the header.
const IPV4_FRAGMENT: usize = 6;
const IPV4_PROTOCOL: usize = 9;
const IPV4_ADDRESSES: usize = 12;
// RFC 8200 §3.
const IPV6_NEXT_HEADER: usize = 6;
const IPV6_ADDRESSES: usize = 8;
const IPV6_LEN: usize = 40;

const TCP: u8 = 6;
const UDP: u8 = 17;

/// The pair, below `pairs`, for a frame that begins with `bytes`. What is no IP takes the first; a
/// fragment is chosen for by its addresses alone, because later ones have no ports.
pub(super) fn pair_of(bytes: &[u8], pairs: usize) -> usize {
    if pairs < 2 {
        return 0;
    }
    // The product spreads neighbours over all bits, of which the upper are the best.
    let spread = flow_word(bytes).unwrap_or(0).wrapping_mul(0x9e37_79b1) >> 16;
    spread as usize % pairs
}

/// A number that all frames of a flow share, those of either direction.
fn flow_word(bytes: &[u8]) -> Option<u32> {
    let (mut kind, mut at) = (pair_at(bytes, ETHERTYPE)?, ETHERTYPE + 2);
    if kind == VLAN {
        (kind, at) = (pair_at(bytes, ETHERTYPE + TAG_LEN)?, at + TAG_LEN);
    }
    let packet = bytes.get(at..)?;
    let (words, protocol, ports_at) = match kind {
        IPV4 => {
            let [more_and_high, low] = pair_at(packet, IPV4_FRAGMENT)?;
            let is_whole = more_and_high & 0x3f == 0 && low == 0;
            let header_len = usize::from(packet.first()? & 0x0f) * 4;
            let addresses = packet.get(IPV4_ADDRESSES..IPV4_ADDRESSES + 8)?;
            let protocol = *packet.get(IPV4_PROTOCOL)?;
            (addresses, protocol, is_whole.then_some(header_len))
        }
        IPV6 => {
            let addresses = packet.get(IPV6_ADDRESSES..IPV6_LEN)?;
            (addresses, *packet.get(IPV6_NEXT_HEADER)?, Some(IPV6_LEN))
        }
        _ => return None,
    };
    let folded = words
        .chunks_exact(4)
        .filter_map(|word| word.first_chunk())
        .fold(0, |sum, word| sum ^ u32::from_be_bytes(*word));
    let ports = match (protocol, ports_at) {
        (TCP | UDP, Some(at)) => {
            let [first, second] = [pair_at(packet, at)?, pair_at(packet, at + 2)?];
            u16::from_be_bytes(first) ^ u16::from_be_bytes(second)
        }
        _ => 0,
    };
    Some(folded ^ u32::from(ports))
}

fn pair_at(bytes: &[u8], at: usize) -> Option<[u8; 2]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn frame(tag: &[u8], source: [u8; 4], destination: [u8; 4], ports: [u16; 2]) -> Vec<u8> {
        let mut bytes = Vec::from([0; 12]);
        bytes.extend_from_slice(tag);
        bytes.extend_from_slice(&[8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0]);
        bytes.extend_from_slice(&source);
        bytes.extend_from_slice(&destination);
        bytes.extend_from_slice(&ports[0].to_be_bytes());
        bytes.extend_from_slice(&ports[1].to_be_bytes());
        bytes
    }

    #[test]
    fn both_directions_of_a_flow_take_one_pair_and_flows_spread() {
        let (inside, outside) = ([10, 20, 0, 40], [192, 0, 2, 80]);
        let mut used = [0; 4];
        for port in 40_000..40_400 {
            let out = pair_of(&frame(&[], inside, outside, [port, 443]), 4);
            let back = pair_of(&frame(&[], outside, inside, [443, port]), 4);
            let tagged = frame(&[0x81, 0, 0, 10], inside, outside, [port, 443]);
            assert_eq!(out, back);
            assert_eq!(out, pair_of(&tagged, 4));
            used[out] += 1;
        }
        assert!(used.iter().all(|&count| count > 50), "{used:?}");
    }

    #[test]
    fn fragments_of_one_datagram_stay_together_and_noise_takes_the_first() {
        let mut first = frame(&[], [10, 0, 0, 1], [10, 0, 0, 2], [1, 2]);
        let mut later = frame(&[], [10, 0, 0, 1], [10, 0, 0, 2], [3, 4]);
        first[20] = 0x20;
        later[21] = 9;
        assert_eq!(pair_of(&first, 4), pair_of(&later, 4));
        let whole = frame(&[], [10, 0, 0, 1], [10, 0, 0, 2], [1, 2]);
        for len in 0..whole.len() {
            assert!(pair_of(&whole[..len], 4) < 4);
        }
        assert_eq!(pair_of(&[0; 60], 4), 0);
    }
}

//! The packet that an operator describes, as it would arrive: from the IPv4 header on, its checksums
//! right.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use dataplane::{IPV4_LEN, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP};
use smoltcp::wire::checksum::{combine, data as sum};

/// TTL of the packet: far from its end.
const TTL: u8 = 255;
/// Bytes of a TCP header without options, in its data offset.
const TCP_DATA_OFFSET: u8 = 5 << 4;
const SYN: u8 = 2;
/// Receive window of the segment.
const WINDOW: u16 = 8192;
/// Of a UDP header.
const UDP_LEN: u16 = 8;
/// Offsets of the checksums.
const IP_CHECKSUM: usize = 10;
const TCP_CHECKSUM: usize = 16;
const UDP_CHECKSUM: usize = 6;
const ICMP_CHECKSUM: usize = 2;

/// What travels in the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// The first segment of a connection: source and destination port.
    TcpSyn(u16, u16),
    /// An empty datagram: source and destination port.
    Udp(u16, u16),
    /// An ICMP message of this type and code, with an identifier.
    Icmp(u8, u8, u16),
    /// Nothing, of the protocol with this number.
    Raw(u8),
}

/// A whole IPv4 packet.
pub(crate) fn build(source: Ipv4Addr, destination: Ipv4Addr, payload: Payload) -> Vec<u8> {
    let (protocol, mut message, checksum_at) = match payload {
        Payload::TcpSyn(from, to) => {
            let mut segment = ports(from, to);
            // Sequence and acknowledgment number.
            segment.extend([0; 8]);
            segment.extend([TCP_DATA_OFFSET, SYN]);
            segment.extend(WINDOW.to_be_bytes());
            // Checksum and urgent pointer.
            segment.extend([0; 4]);
            (PROTOCOL_TCP, segment, Some(TCP_CHECKSUM))
        }
        Payload::Udp(from, to) => {
            let mut datagram = ports(from, to);
            datagram.extend(UDP_LEN.to_be_bytes());
            datagram.extend([0; 2]);
            (PROTOCOL_UDP, datagram, Some(UDP_CHECKSUM))
        }
        Payload::Icmp(kind, code, identifier) => {
            let mut message = Vec::from([kind, code, 0, 0]);
            message.extend(identifier.to_be_bytes());
            // Sequence number.
            message.extend([0; 2]);
            (PROTOCOL_ICMP, message, Some(ICMP_CHECKSUM))
        }
        Payload::Raw(protocol) => (protocol, Vec::new(), None),
    };
    // A transport header at most.
    let length = message.len() as u16;
    if let Some(at) = checksum_at {
        let of_addresses = match protocol {
            PROTOCOL_ICMP => 0,
            _ => combine(&[
                sum(&source.octets()),
                sum(&destination.octets()),
                u16::from(protocol),
                length,
            ]),
        };
        let checksum = !combine(&[of_addresses, sum(&message)]);
        if let Some(place) = message.get_mut(at..at + 2) {
            place.copy_from_slice(&checksum.to_be_bytes());
        }
    }
    let mut packet = Vec::with_capacity(IPV4_LEN + message.len());
    packet.extend([0x45, 0]);
    packet.extend((IPV4_LEN as u16 + length).to_be_bytes());
    packet.extend([0, 0, 0, 0, TTL, protocol, 0, 0]);
    packet.extend(source.octets());
    packet.extend(destination.octets());
    let checksum = !sum(&packet);
    if let Some(place) = packet.get_mut(IP_CHECKSUM..IP_CHECKSUM + 2) {
        place.copy_from_slice(&checksum.to_be_bytes());
    }
    packet.append(&mut message);
    packet
}

fn ports(from: u16, to: u16) -> Vec<u8> {
    [from.to_be_bytes(), to.to_be_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use smoltcp::wire::{Icmpv4Packet, IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};

    #[test]
    fn an_independent_reader_finds_every_checksum_right() {
        let (from, to) = (
            Ipv4Addr::new(10, 20, 0, 40),
            Ipv4Addr::new(198, 51, 100, 20),
        );
        for payload in [
            Payload::TcpSyn(40_000, 443),
            Payload::Udp(53, 53),
            Payload::Icmp(8, 0, 7),
            Payload::Raw(47),
        ] {
            let bytes = build(from, to, payload);
            let packet = Ipv4Packet::new_checked(&bytes[..]).unwrap();
            assert!(packet.verify_checksum(), "{payload:?}");
            let (from, to) = (from.into(), to.into());
            let message = packet.payload();
            let is_right = match packet.next_header() {
                IpProtocol::Tcp => {
                    let segment = TcpPacket::new_checked(message).unwrap();
                    assert!(segment.syn() && !segment.ack());
                    segment.verify_checksum(&from, &to)
                }
                IpProtocol::Udp => UdpPacket::new_checked(message)
                    .unwrap()
                    .verify_checksum(&from, &to),
                IpProtocol::Icmp => Icmpv4Packet::new_checked(message)
                    .unwrap()
                    .verify_checksum(),
                _ => message.is_empty(),
            };
            assert!(is_right, "{payload:?}");
        }
    }
}

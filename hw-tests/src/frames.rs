//! Packets and frames made from scratch, every checksum in place.

use std::net::Ipv4Addr;

use hal::nic::MacAddr;

/// An Ethernet frame.
pub type Frame = Vec<u8>;

/// Puts a packet into a frame.
pub fn ethernet(to: MacAddr, from: MacAddr, packet: &[u8]) -> Frame {
    let mut frame = Vec::with_capacity(14 + packet.len());
    frame.extend(to.0);
    frame.extend(from.0);
    frame.extend([8, 0]);
    frame.extend(packet);
    frame
}

/// A station asks who has `target`.
pub fn arp_request(station: MacAddr, sender: Ipv4Addr, target: Ipv4Addr) -> Frame {
    let mut frame = vec![0xff; 6];
    frame.extend(station.0);
    frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend(station.0);
    frame.extend(sender.octets());
    frame.extend([0; 6]);
    frame.extend(target.octets());
    frame
}

/// An IPv4 packet with a TTL of 64.
pub fn ipv4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = 20 + payload.len() as u16;
    let mut packet = vec![0x45, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 1, 0x40, 0, 64, protocol, 0, 0]);
    packet.extend(source.octets());
    packet.extend(destination.octets());
    let sum = !sum(&packet);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    packet.extend(payload);
    packet
}

/// A UDP datagram.
pub fn udp(source: (Ipv4Addr, u16), destination: (Ipv4Addr, u16), data: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(source.1.to_be_bytes());
    datagram.extend(destination.1.to_be_bytes());
    datagram.extend((8 + data.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(data);
    let sum = match !transport_sum(source.0, destination.0, 17, &datagram) {
        0 => 0xffff,
        sum => sum,
    };
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    ipv4(source.0, destination.0, 17, &datagram)
}

/// A TCP segment without options.
pub fn tcp(
    source: (Ipv4Addr, u16),
    destination: (Ipv4Addr, u16),
    flags: u8,
    (sequence, acknowledgment): (u32, u32),
    data: &[u8],
) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend(source.1.to_be_bytes());
    segment.extend(destination.1.to_be_bytes());
    segment.extend(sequence.to_be_bytes());
    segment.extend(acknowledgment.to_be_bytes());
    segment.extend([5 << 4, flags, 32, 0, 0, 0, 0, 0]);
    segment.extend(data);
    let sum = !transport_sum(source.0, destination.0, 6, &segment);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    ipv4(source.0, destination.0, 6, &segment)
}

/// An ICMP echo message: type 8 asks, 0 answers.
pub fn echo(kind: u8, source: Ipv4Addr, destination: Ipv4Addr, identifier: u16) -> Vec<u8> {
    let [high, low] = identifier.to_be_bytes();
    let mut message = vec![kind, 0, 0, 0, high, low, 0, 1, b'p', b'i', b'n', b'g'];
    let sum = !sum(&message);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    ipv4(source, destination, 1, &message)
}

fn transport_sum(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, segment: &[u8]) -> u16 {
    let mut all = Vec::new();
    all.extend(source.octets());
    all.extend(destination.octets());
    all.extend([0, protocol]);
    all.extend((segment.len() as u16).to_be_bytes());
    all.extend(segment);
    sum(&all)
}

/// The Internet checksum (RFC 1071), not complemented.
fn sum(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

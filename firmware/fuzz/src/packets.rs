//! IPv4 packets made from scratch, and checksums put right (RFC 1071, RFC 9293 §3.1).

use std::net::Ipv4Addr;

/// Bytes of an Ethernet header.
pub const ETHERNET_LEN: usize = 14;

/// A TCP segment to be made.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Source address and port.
    pub from: (Ipv4Addr, u16),
    /// Destination address and port.
    pub to: (Ipv4Addr, u16),
    /// The flag bits.
    pub flags: u8,
    /// Sequence number.
    pub sequence: u32,
    /// Acknowledgment number.
    pub acknowledgment: u32,
    /// What it carries.
    pub payload: &'a [u8],
}

/// FIN.
pub const FIN: u8 = 1;
/// SYN.
pub const SYN: u8 = 2;
/// ACK.
pub const ACK: u8 = 16;

impl Segment<'_> {
    /// The IPv4 packet, checksums right.
    #[must_use]
    pub fn packet(&self) -> Vec<u8> {
        let mut tcp = Vec::with_capacity(20 + self.payload.len());
        tcp.extend(self.from.1.to_be_bytes());
        tcp.extend(self.to.1.to_be_bytes());
        tcp.extend(self.sequence.to_be_bytes());
        tcp.extend(self.acknowledgment.to_be_bytes());
        tcp.extend([0x50, self.flags]);
        tcp.extend(0x4000u16.to_be_bytes());
        tcp.extend([0; 4]);
        tcp.extend(self.payload);
        ipv4(self.from.0, self.to.0, 6, &tcp)
    }
}

/// A UDP datagram as an IPv4 packet, checksums right.
#[must_use]
pub fn udp(from: (Ipv4Addr, u16), to: (Ipv4Addr, u16), payload: &[u8]) -> Vec<u8> {
    let mut udp = Vec::new();
    udp.extend(from.1.to_be_bytes());
    udp.extend(to.1.to_be_bytes());
    udp.extend((8 + payload.len() as u16).to_be_bytes());
    udp.extend([0; 2]);
    udp.extend(payload);
    ipv4(from.0, to.0, 17, &udp)
}

/// An IPv4 packet of `payload`, which is below 64 KiB; checksums right.
#[must_use]
pub fn ipv4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0];
    packet.extend((20 + payload.len() as u16).to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    packet.extend(source.octets());
    packet.extend(destination.octets());
    packet.extend(payload);
    fix_checksums(&mut packet);
    packet
}

/// A frame around `packet`.
#[must_use]
pub fn frame(destination: [u8; 6], source: [u8; 6], packet: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(ETHERNET_LEN + packet.len());
    frame.extend(destination);
    frame.extend(source);
    frame.extend([8, 0]);
    frame.extend(packet);
    frame
}

/// Puts the checksums of an IPv4 packet right, as far as it can be read.
pub fn fix_checksums(packet: &mut [u8]) {
    let Some(&[first, ..]) = packet.first_chunk::<20>() else {
        return;
    };
    let header_len = usize::from(first & 15) * 4;
    if header_len < 20 || header_len > packet.len() {
        return;
    }
    packet[10..12].fill(0);
    let sum = !sum(&packet[..header_len]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    let total_len = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
    if total_len < header_len || total_len > packet.len() {
        return;
    }
    let mut pseudo = packet[12..20].to_vec();
    let protocol = packet[9];
    let payload = &mut packet[header_len..total_len];
    let at = match protocol {
        1 => 2,
        6 => 16,
        17 => 6,
        _ => return,
    };
    if payload.len() < at + 2 {
        return;
    }
    payload[at..at + 2].fill(0);
    if protocol == 1 {
        pseudo.clear();
    } else {
        pseudo.extend([0, protocol]);
        pseudo.extend((payload.len() as u16).to_be_bytes());
    }
    pseudo.extend_from_slice(payload);
    let sum = !self::sum(&pseudo);
    payload[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

/// The ones' complement sum of `bytes`.
#[must_use]
pub fn sum(bytes: &[u8]) -> u16 {
    let mut sum = 0u64;
    for pair in bytes.chunks(2) {
        sum += u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

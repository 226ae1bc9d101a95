//! The networks around the box: packets made with smoltcp's formats, neighbours that answer every ARP
//! request.

use std::net::Ipv4Addr;
use std::time::Duration;

use hal::time::Monotonic;
use smoltcp::wire::{
    IPV4_HEADER_LEN, Icmpv4Message, Icmpv4Packet, IpProtocol, Ipv4Packet, TCP_HEADER_LEN,
    TcpPacket, TcpSeqNumber, UDP_HEADER_LEN, UdpPacket,
};

use super::Box;

/// The ends of the cables.
pub const OUTSIDE: usize = 0;
pub const INSIDE: usize = 1;

/// An address and a port.
pub type Socket = (Ipv4Addr, u16);

/// The Ethernet address of every station that is not the box.
const STATION: [u8; 6] = [2, 0, 0, 0, 0, 0x99];

/// The start of a frame to the box.
fn ethernet(end: usize, kind: [u8; 2]) -> Vec<u8> {
    let mut frame = vec![0x52, 0x54, 0, 0, 0, end as u8 + 1];
    frame.extend(STATION);
    frame.extend(kind);
    frame
}

/// An IPv4 packet around `payload`.
pub fn ipv4(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: IpProtocol,
    payload: &[u8],
) -> Vec<u8> {
    let mut bytes = vec![0; IPV4_HEADER_LEN + payload.len()];
    let total = bytes.len() as u16;
    let mut packet = Ipv4Packet::new_unchecked(&mut bytes);
    packet.set_version(4);
    packet.set_header_len(IPV4_HEADER_LEN as u8);
    packet.set_total_len(total);
    packet.set_hop_limit(64);
    packet.set_next_header(protocol);
    packet.set_src_addr(source);
    packet.set_dst_addr(destination);
    packet.payload_mut().copy_from_slice(payload);
    packet.fill_checksum();
    bytes
}

/// A UDP packet.
pub fn udp(source: Socket, destination: Socket, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; UDP_HEADER_LEN + payload.len()];
    let len = bytes.len() as u16;
    let mut packet = UdpPacket::new_unchecked(&mut bytes);
    packet.set_src_port(source.1);
    packet.set_dst_port(destination.1);
    packet.set_len(len);
    packet.payload_mut().copy_from_slice(payload);
    packet.fill_checksum(&source.0.into(), &destination.0.into());
    ipv4(source.0, destination.0, IpProtocol::Udp, &bytes)
}

/// Flags of a segment, by letters: `S`, `A`, `F`, `R`, `P`.
pub fn tcp(source: Socket, destination: Socket, flags: &str, seq: i32, ack: i32) -> Vec<u8> {
    let mut bytes = vec![0; TCP_HEADER_LEN];
    let mut packet = TcpPacket::new_unchecked(&mut bytes);
    packet.set_src_port(source.1);
    packet.set_dst_port(destination.1);
    packet.set_header_len(TCP_HEADER_LEN as u8);
    packet.set_seq_number(TcpSeqNumber(seq));
    packet.set_ack_number(TcpSeqNumber(ack));
    packet.set_window_len(8192);
    packet.set_syn(flags.contains('S'));
    packet.set_ack(flags.contains('A'));
    packet.set_fin(flags.contains('F'));
    packet.set_rst(flags.contains('R'));
    packet.set_psh(flags.contains('P'));
    packet.fill_checksum(&source.0.into(), &destination.0.into());
    ipv4(source.0, destination.0, IpProtocol::Tcp, &bytes)
}

/// An ICMP message: type, code, and what follows the checksum.
pub fn icmp(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    (kind, code): (u8, u8),
    rest: &[u8],
) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(rest);
    let mut packet = Icmpv4Packet::new_unchecked(&mut bytes);
    packet.set_msg_type(Icmpv4Message::from(kind));
    packet.set_msg_code(code);
    packet.fill_checksum();
    ipv4(source, destination, IpProtocol::Icmp, &bytes)
}

/// An echo message with an identifier.
pub fn echo(source: Ipv4Addr, destination: Ipv4Addr, kind: u8, identifier: u16) -> Vec<u8> {
    let [high, low] = identifier.to_be_bytes();
    icmp(source, destination, (kind, 0), &[high, low, 0, 1, 1, 2])
}

impl Box {
    /// Puts a packet on the cable at `end` and lets the box work; returns the IPv4 packets that
    /// leave, with where.
    pub fn exchange(&mut self, end: usize, packet: &[u8]) -> Vec<(usize, Vec<u8>)> {
        let mut frame = ethernet(end, [8, 0]);
        frame.extend(packet);
        assert!(self.ends[end].send(&frame));
        self.collect()
    }

    /// Lets the box work for `time` with neighbours that answer; returns the packets that leave.
    pub fn listen(&mut self, time: Duration) -> Vec<(usize, Vec<u8>)> {
        let until = self.clock.now() + time;
        let mut packets = self.collect();
        while self.clock.now() < until {
            self.wait(Duration::from_millis(100).min(until.since(self.clock.now())));
            packets.extend(self.collect());
        }
        packets
    }

    /// Answers ARP requests until the box is quiet; returns the packets that left meanwhile.
    pub fn collect(&mut self) -> Vec<(usize, Vec<u8>)> {
        let mut packets = Vec::new();
        loop {
            self.wait(Duration::from_millis(1));
            let mut was_busy = false;
            for end in [OUTSIDE, INSIDE] {
                for frame in self.ends[end].receive_all() {
                    match frame[12..14] {
                        [8, 6] => was_busy |= self.answer_arp(end, &frame[14..]),
                        ref kind => {
                            assert_eq!((kind, &frame[..6]), (&[8, 0][..], &STATION[..]));
                            packets.push((end, frame[14..].to_vec()));
                        }
                    }
                }
            }
            if !was_busy {
                return packets;
            }
        }
    }

    /// Answers a request for any address, not an announcement (RFC 826, RFC 5227).
    fn answer_arp(&mut self, end: usize, arp: &[u8]) -> bool {
        let (operation, sender, target) = (&arp[6..8], &arp[8..18], &arp[24..28]);
        if operation != [0, 1] || sender[6..] == *target {
            return false;
        }
        let mut frame = ethernet(end, [8, 6]);
        frame.extend([0, 1, 8, 0, 6, 4, 0, 2]);
        frame.extend(STATION);
        frame.extend(target);
        frame.extend(sender);
        self.ends[end].send(&frame)
    }
}

//! What a capture sees of a frame. Captures also take frames that no rule would let in, so this reads
//! what it can and refuses nothing.

use core::net::Ipv4Addr;

use super::CaptureMatch;
use crate::access::{self, Candidate};
use crate::policy::{AccessList, Action, PortMatch};
use crate::wire::{
    ETHERNET_LEN, ETHERTYPE_ARP, ETHERTYPE_IPV4, ICMP_LEN, IP_DESTINATION, IP_FRAGMENT,
    IP_PROTOCOL, IP_SOURCE, IPV4_LEN, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, address, be16,
};

/// Bytes of an ARP message about IPv4, RFC 826.
const ARP_LEN: usize = 28;
const UDP_LEN: usize = 8;
const TCP_LEN: usize = 20;

/// A frame, as far as it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// EtherType; 0 if the frame is too short to have one.
    pub(super) ethertype: u16,
    /// Bytes of all headers that were found.
    pub(super) headers_len: usize,
    pub(super) packet: Option<Packet>,
}

/// The IPv4 packet in a frame, with addresses and ports as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    /// Source and destination; a fragment other than the first has none.
    ports: Option<(u16, u16)>,
    /// Type and code.
    icmp: Option<(u8, u8)>,
}

impl Sight {
    /// Reads the first buffer of a frame.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let ethertype = be16(bytes, ETHERNET_LEN - 2).unwrap_or(0);
        let mut sight = Self {
            ethertype,
            headers_len: ETHERNET_LEN,
            packet: None,
        };
        match ethertype {
            ETHERTYPE_IPV4 => sight.read_packet(bytes.get(ETHERNET_LEN..).unwrap_or_default()),
            ETHERTYPE_ARP => sight.headers_len += ARP_LEN,
            _ => {}
        }
        sight
    }

    /// Reads an IPv4 packet as if it were in a frame.
    pub(super) fn of_packet(packet: &[u8]) -> Self {
        let mut sight = Self {
            ethertype: ETHERTYPE_IPV4,
            headers_len: ETHERNET_LEN,
            packet: None,
        };
        sight.read_packet(packet);
        sight
    }

    /// Whether `list` permits the packet.
    pub(super) fn is_permitted(&self, list: &AccessList) -> bool {
        let decided = |packet: Packet| access::decide(list, &packet.candidate());
        self.packet
            .and_then(decided)
            .is_some_and(|(_, action)| action == Action::Permit)
    }

    fn read_packet(&mut self, packet: &[u8]) {
        let (Some(&first), Some(&protocol), Some(source), Some(destination), Some(fragment)) = (
            packet.first(),
            packet.get(IP_PROTOCOL),
            address(packet, IP_SOURCE),
            address(packet, IP_DESTINATION),
            be16(packet, IP_FRAGMENT),
        ) else {
            return;
        };
        if first >> 4 != 4 {
            return;
        }
        let header_len = (usize::from(first & 0x0f) * 4).max(IPV4_LEN);
        let transport = packet.get(header_len..).unwrap_or_default();
        let (mut ports, mut icmp, mut transport_len) = (None, None, 0);
        // The first fragment, or the whole, begins with the transport header.
        if fragment & 0x1fff == 0 {
            let both = || Some((be16(transport, 0)?, be16(transport, 2)?));
            match protocol {
                PROTOCOL_TCP => {
                    ports = both();
                    let words = transport.get(12).map_or(0, |&offset| offset >> 4);
                    transport_len = (usize::from(words) * 4).max(TCP_LEN);
                }
                PROTOCOL_UDP => {
                    ports = both();
                    transport_len = UDP_LEN;
                }
                PROTOCOL_ICMP => {
                    icmp = transport.first_chunk().map(|&[kind, code]| (kind, code));
                    transport_len = ICMP_LEN;
                }
                _ => {}
            }
        }
        self.headers_len += header_len + transport_len;
        self.packet = Some(Packet {
            source,
            destination,
            protocol,
            ports,
            icmp,
        });
    }
}

impl Packet {
    /// Whether `wanted` describes the packet, in either direction.
    pub(super) fn fits(&self, wanted: &CaptureMatch) -> bool {
        wanted
            .protocol
            .is_none_or(|protocol| protocol == self.protocol)
            && (self.fits_one_way(wanted) || self.reversed().fits_one_way(wanted))
    }

    fn fits_one_way(&self, wanted: &CaptureMatch) -> bool {
        let fits_port = |wanted: PortMatch, port: Option<u16>| {
            wanted == PortMatch::ANY || port.is_some_and(|port| wanted.matches(port))
        };
        wanted.source.contains(self.source)
            && wanted.destination.contains(self.destination)
            && fits_port(wanted.source_ports, self.ports.map(|(source, _)| source))
            && fits_port(wanted.destination_ports, self.ports.map(|(_, to)| to))
    }

    fn reversed(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            ports: self
                .ports
                .map(|(source, destination)| (destination, source)),
            ..*self
        }
    }

    /// The packet as access lists look at it. Ports that cannot be seen are 0.
    fn candidate(&self) -> Candidate {
        let (source_port, destination_port) = self.ports.unwrap_or_default();
        let (icmp_kind, icmp_code) = self.icmp.unwrap_or_default();
        Candidate {
            source: self.source,
            destination: self.destination,
            protocol: self.protocol,
            source_port,
            destination_port,
            icmp_kind,
            icmp_code,
        }
    }
}

/// Where the IPv4 packet of a frame starts that the box has not addressed yet: at its first byte, or
/// behind the room for an Ethernet header.
pub(super) fn packet_start(bytes: &[u8], frame_len: usize) -> Option<usize> {
    let starts_at = |at: usize| {
        let is_v4 = bytes.get(at).is_some_and(|first| first >> 4 == 4);
        let total = be16(bytes, at + 2).map(usize::from);
        is_v4 && total.is_some_and(|total| total >= IPV4_LEN && total == frame_len - at)
    };
    [0, ETHERNET_LEN].into_iter().find(|&at| starts_at(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::AddressRange;
    use alloc::vec::Vec;

    const EDGE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);
    const NODE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 11);

    /// A frame from port 40000 of `EDGE` to port 5061 of `NODE`.
    fn call(protocol: u8) -> Vec<u8> {
        let mut frame = alloc::vec![0x66; ETHERNET_LEN];
        frame[12..].copy_from_slice(&ETHERTYPE_IPV4.to_be_bytes());
        frame.extend([0x45, 0, 0, 46, 0, 1, 0, 0, 64, protocol, 0, 0]);
        frame.extend(EDGE.octets());
        frame.extend(NODE.octets());
        frame.extend(40_000u16.to_be_bytes());
        frame.extend(5061u16.to_be_bytes());
        frame.extend([0; 8]);
        frame.extend([0x50, 0x10, 0, 0, 0, 0, 0, 0]);
        frame.extend(b"INVITE");
        frame
    }

    fn to_node(protocol: Option<u8>, ports: PortMatch) -> CaptureMatch {
        CaptureMatch {
            protocol,
            source: AddressRange::ANY,
            source_ports: PortMatch::ANY,
            destination: AddressRange::host(NODE),
            destination_ports: ports,
        }
    }

    #[test]
    fn a_match_holds_in_both_directions_and_for_nothing_else() {
        let packet = Sight::new(&call(PROTOCOL_TCP)).packet.expect("a packet");
        let answer = packet.reversed();
        let from_node_to_node = CaptureMatch {
            source: AddressRange::host(NODE),
            ..to_node(None, PortMatch::ANY)
        };
        let from_lower_port = CaptureMatch {
            source_ports: PortMatch::range(1024, 39_999),
            ..to_node(Some(PROTOCOL_TCP), PortMatch::ANY)
        };
        for (wanted, expected) in [
            (to_node(None, PortMatch::ANY), true),
            (to_node(Some(PROTOCOL_TCP), PortMatch::eq(5061)), true),
            (to_node(Some(PROTOCOL_TCP), PortMatch::eq(5060)), false),
            (to_node(Some(PROTOCOL_UDP), PortMatch::ANY), false),
            (from_node_to_node, false),
            (from_lower_port, false),
        ] {
            assert_eq!(packet.fits(&wanted), expected, "{wanted:?}");
            assert_eq!(answer.fits(&wanted), expected, "the answer: {wanted:?}");
        }
    }

    #[test]
    fn ports_are_not_looked_for_in_later_fragments() {
        let mut bytes = call(PROTOCOL_UDP);
        let whole = Sight::new(&bytes);
        assert_eq!(whole.headers_len, ETHERNET_LEN + IPV4_LEN + UDP_LEN);
        let sip = to_node(Some(PROTOCOL_UDP), PortMatch::eq(5061));
        assert!(whole.packet.expect("a packet").fits(&sip));
        bytes[ETHERNET_LEN + IP_FRAGMENT..][..2].copy_from_slice(&[0x20, 0x10]);
        let sight = Sight::new(&bytes);
        let packet = sight.packet.expect("a packet");
        assert_eq!(sight.headers_len, ETHERNET_LEN + IPV4_LEN);
        assert!(packet.fits(&to_node(Some(PROTOCOL_UDP), PortMatch::ANY)));
        assert!(!packet.fits(&sip));
    }

    #[test]
    fn any_bytes_can_be_looked_at() {
        let whole = call(PROTOCOL_TCP);
        for len in 0..whole.len() {
            let sight = Sight::new(&whole[..len]);
            assert_eq!(sight.packet.is_some(), len >= ETHERNET_LEN + IPV4_LEN);
            let _ = packet_start(&whole[..len], len);
        }
        for (at, value, headers_len) in [
            (14, 0x40, 54),
            (14, 0x4f, 94),
            (14, 0x65, 14),
            (46, 0x00, 54),
            (46, 0xf0, 94),
        ] {
            let mut odd = whole.clone();
            odd[at] = value;
            assert_eq!(Sight::new(&odd).headers_len, headers_len, "{at}: {value:x}");
        }
    }

    #[test]
    fn an_unaddressed_packet_is_found_with_and_without_room_for_a_header() {
        let whole = call(PROTOCOL_TCP);
        let packet = &whole[ETHERNET_LEN..];
        assert_eq!(packet_start(packet, packet.len()), Some(0));
        assert_eq!(packet_start(&whole, whole.len()), Some(ETHERNET_LEN));
        assert_eq!(packet_start(&[0; 60], 60), None);
        assert_eq!(Sight::of_packet(packet), Sight::new(&whole));
    }
}

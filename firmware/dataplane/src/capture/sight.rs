//! What a capture sees of a frame. Captures also take frames that no rule would let in, so this reads
//! what it can and refuses nothing.

use core::net::{IpAddr, Ipv6Addr};

use super::CaptureMatch;
use crate::access::{Candidate, Index};
use crate::policy::{AclId, Action, Policy, PortMatch};
use crate::v6::wire as v6;
use crate::vlan;
use crate::wire::{
    ETHERNET_LEN, ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, ICMP_LEN, IP_DESTINATION,
    IP_FRAGMENT, IP_PROTOCOL, IP_SOURCE, IP_TOTAL_LEN, IPV4_LEN, PROTOCOL_ICMP, PROTOCOL_TCP,
    PROTOCOL_UDP, address, array, be16,
};

/// Bytes of an ARP message about IPv4, RFC 826.
const ARP_LEN: usize = 28;
const UDP_LEN: usize = 8;
const TCP_LEN: usize = 20;

/// A frame, as far as it can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sight {
    /// EtherType, that behind a VLAN tag; 0 if the frame is too short to have one.
    pub(super) ethertype: u16,
    /// Whether there is a VLAN tag before it.
    pub(super) is_tagged: bool,
    /// Bytes of all headers that were found.
    pub(super) headers_len: usize,
    pub(super) packet: Option<Packet>,
}

/// The IP packet in a frame, with addresses and ports as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    source: IpAddr,
    destination: IpAddr,
    /// The protocol; the next header of IPv6, whose extensions are not walked over.
    protocol: u8,
    /// Source and destination; a fragment other than the first has none.
    ports: Option<(u16, u16)>,
    /// Type and code.
    icmp: Option<(u8, u8)>,
}

impl Sight {
    /// Reads the first buffer of a frame.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let is_tagged = vlan::is_tagged(bytes);
        let payload = if is_tagged {
            ETHERNET_LEN + vlan::TAG_LEN
        } else {
            ETHERNET_LEN
        };
        let ethertype = be16(bytes, payload - 2).unwrap_or(0);
        let mut sight = Self {
            ethertype,
            is_tagged,
            headers_len: payload,
            packet: None,
        };
        match ethertype {
            ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => {
                sight.read_packet(bytes.get(payload..).unwrap_or_default());
            }
            ETHERTYPE_ARP => sight.headers_len += ARP_LEN,
            _ => {}
        }
        sight
    }

    /// Reads an IP packet as if it were in a frame of this type.
    pub(super) fn of_packet(ethertype: u16, packet: &[u8]) -> Self {
        let mut sight = Self {
            ethertype,
            is_tagged: false,
            headers_len: ETHERNET_LEN,
            packet: None,
        };
        sight.read_packet(packet);
        sight
    }

    /// The same, of a frame whose VLAN tag was taken off.
    pub(super) const fn with_tag(mut self) -> Self {
        self.is_tagged = true;
        self.headers_len += vlan::TAG_LEN;
        self
    }

    /// Whether list `acl` of `policy`, compiled as `lists`, permits the packet.
    pub(super) fn is_permitted(&self, lists: &Index, policy: &Policy, acl: AclId) -> bool {
        self.packet
            .and_then(|packet| packet.candidate())
            .and_then(|candidate| lists.decide(policy, acl, &candidate))
            .is_some_and(|(_, action)| action == Action::Permit)
    }

    fn read_packet(&mut self, bytes: &[u8]) {
        let version = bytes.first().map(|first| first >> 4);
        let read = match (version, self.ethertype) {
            (Some(4), ETHERTYPE_IPV4) => read_v4(bytes),
            (Some(6), ETHERTYPE_IPV6) => read_v6(bytes),
            _ => None,
        };
        let Some((mut packet, header_len, is_whole)) = read else {
            return;
        };
        self.headers_len += header_len;
        // The first fragment, or the whole, begins with the transport header.
        if is_whole {
            let transport = bytes.get(header_len..).unwrap_or_default();
            self.headers_len += packet.read_transport(transport);
        }
        self.packet = Some(packet);
    }
}

/// An IPv4 packet, the bytes of its header, and whether its transport header follows.
fn read_v4(bytes: &[u8]) -> Option<(Packet, usize, bool)> {
    let packet = Packet {
        source: address(bytes, IP_SOURCE)?.into(),
        destination: address(bytes, IP_DESTINATION)?.into(),
        protocol: *bytes.get(IP_PROTOCOL)?,
        ports: None,
        icmp: None,
    };
    let header_len = (usize::from(bytes.first()? & 0x0f) * 4).max(IPV4_LEN);
    let is_first = be16(bytes, IP_FRAGMENT)? & 0x1fff == 0;
    Some((packet, header_len, is_first))
}

fn read_v6(bytes: &[u8]) -> Option<(Packet, usize, bool)> {
    let address = |at| array::<16>(bytes, at).map(|octets| Ipv6Addr::from(octets).into());
    let packet = Packet {
        source: address(v6::SOURCE)?,
        destination: address(v6::DESTINATION)?,
        protocol: *bytes.get(v6::NEXT_HEADER)?,
        ports: None,
        icmp: None,
    };
    Some((packet, v6::IPV6_LEN, true))
}

impl Packet {
    /// Reads the transport header; returns its length.
    fn read_transport(&mut self, transport: &[u8]) -> usize {
        let both = || Some((be16(transport, 0)?, be16(transport, 2)?));
        match self.protocol {
            PROTOCOL_TCP => {
                self.ports = both();
                let words = transport.get(12).map_or(0, |&offset| offset >> 4);
                (usize::from(words) * 4).max(TCP_LEN)
            }
            PROTOCOL_UDP => {
                self.ports = both();
                UDP_LEN
            }
            PROTOCOL_ICMP => {
                self.icmp = transport.first_chunk().map(|&[kind, code]| (kind, code));
                ICMP_LEN
            }
            v6::PROTOCOL_ICMPV6 => ICMP_LEN,
            _ => 0,
        }
    }

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

    /// The packet as access lists look at it; none for IPv6. Ports that cannot be seen are 0.
    fn candidate(&self) -> Option<Candidate> {
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (self.source, self.destination) else {
            return None;
        };
        let (source_port, destination_port) = self.ports.unwrap_or_default();
        let (icmp_kind, icmp_code) = self.icmp.unwrap_or_default();
        Some(Candidate {
            source,
            destination,
            protocol: self.protocol,
            source_port,
            destination_port,
            icmp_kind,
            icmp_code,
        })
    }
}

/// Where the IP packet of a frame starts that the box has not addressed yet, and its EtherType: at its
/// first byte, or behind the room for an Ethernet header.
pub(super) fn packet_start(bytes: &[u8], frame_len: usize) -> Option<(usize, u16)> {
    let kind_at = |at: usize| {
        let len = frame_len.checked_sub(at)?;
        let promised = |field, more| Some(usize::from(be16(bytes, at + field)?) + more);
        match bytes.get(at)? >> 4 {
            4 if len >= IPV4_LEN && promised(IP_TOTAL_LEN, 0)? == len => Some(ETHERTYPE_IPV4),
            6 if promised(v6::PAYLOAD_LEN, v6::IPV6_LEN)? == len => Some(ETHERTYPE_IPV6),
            _ => None,
        }
    };
    [0, ETHERNET_LEN]
        .into_iter()
        .find_map(|at| Some((at, kind_at(at)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::CaptureAddresses;
    use crate::policy::AddressRange;
    use crate::v6::AddressRange6;
    use alloc::vec::Vec;
    use core::net::Ipv4Addr;

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
            source: CaptureAddresses::Any,
            source_ports: PortMatch::ANY,
            destination: CaptureAddresses::V4(AddressRange::host(NODE)),
            destination_ports: ports,
        }
    }

    #[test]
    fn a_match_holds_in_both_directions_and_for_nothing_else() {
        let packet = Sight::new(&call(PROTOCOL_TCP)).packet.expect("a packet");
        let answer = packet.reversed();
        let from_node_to_node = CaptureMatch {
            source: CaptureAddresses::V4(AddressRange::host(NODE)),
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
    fn ipv6_is_matched_beside_ipv4() {
        let node = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        let mut frame = alloc::vec![0x66; ETHERNET_LEN];
        frame[12..].copy_from_slice(&ETHERTYPE_IPV6.to_be_bytes());
        frame.extend([0x60, 0, 0, 0, 0, 20, PROTOCOL_TCP, 64]);
        frame.extend(node.octets());
        frame.extend(Ipv6Addr::LOCALHOST.octets());
        frame.extend(&call(PROTOCOL_TCP)[34..54]);
        let sight = Sight::new(&frame);
        let packet = sight.packet.expect("a packet");
        assert_eq!(sight.headers_len, 14 + 40 + 20);
        let unaddressed = packet_start(&frame[14..], 60);
        assert_eq!(unaddressed, Some((0, ETHERTYPE_IPV6)));
        let v4 = CaptureAddresses::V4(AddressRange::ANY);
        let v6 = CaptureAddresses::V6(AddressRange6::ANY);
        let host = CaptureAddresses::V6(AddressRange6::host(node));
        for (source, expected) in [
            (CaptureAddresses::Any, true),
            (v4, false),
            (v6, true),
            (host, true),
        ] {
            let wanted = CaptureMatch {
                source,
                destination: CaptureAddresses::Any,
                ..to_node(Some(PROTOCOL_TCP), PortMatch::eq(5061))
            };
            assert_eq!(packet.fits(&wanted), expected, "{source:?}");
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
        let v4 = ETHERTYPE_IPV4;
        assert_eq!(packet_start(packet, packet.len()), Some((0, v4)));
        assert_eq!(packet_start(&whole, whole.len()), Some((ETHERNET_LEN, v4)));
        assert_eq!(packet_start(&[0; 60], 60), None);
        assert_eq!(Sight::of_packet(v4, packet), Sight::new(&whole));
    }
}

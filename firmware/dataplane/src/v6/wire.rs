//! IPv6 and ICMPv6 headers: parsed once, hostile until then. RFC 8200, RFC 4443.

use core::net::Ipv6Addr;

use crate::drop_reason::DropReason;
use crate::wire::{
    ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, ICMP_LEN, Layer4, PROTOCOL_TCP, PROTOCOL_UDP, array,
    checksum, parse_layer4,
};

/// Bytes of the fixed header.
pub(crate) const IPV6_LEN: usize = 40;
/// ICMPv6, RFC 4443.
pub const PROTOCOL_ICMPV6: u8 = 58;

// Offsets in the fixed header, RFC 8200 §3.
pub(crate) const PAYLOAD_LEN: usize = 4;
pub(crate) const NEXT_HEADER: usize = 6;
pub(crate) const HOP_LIMIT: usize = 7;
pub(crate) const SOURCE: usize = 8;
pub(crate) const DESTINATION: usize = 24;

// Extension headers, RFC 8200 §4.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const DESTINATION_OPTIONS: u8 = 60;
/// Extension headers that are walked over; no honest packet has more.
const EXTENSIONS_MAX: usize = 8;

// ICMPv6 types, RFC 4443 and RFC 4861.
pub(crate) const UNREACHABLE: u8 = 1;
pub(crate) const PACKET_TOO_BIG: u8 = 2;
pub(crate) const TIME_EXCEEDED: u8 = 3;
pub(crate) const PARAMETER_PROBLEM: u8 = 4;
pub(crate) const ECHO_REQUEST: u8 = 128;
pub(crate) const ECHO_REPLY: u8 = 129;
pub(crate) const ROUTER_SOLICITATION: u8 = 133;
pub(crate) const ROUTER_ADVERTISEMENT: u8 = 134;
pub(crate) const NEIGHBOR_SOLICITATION: u8 = 135;
pub(crate) const NEIGHBOR_ADVERTISEMENT: u8 = 136;
pub(crate) const REDIRECT: u8 = 137;

/// A parsed packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Headers6 {
    pub(crate) source: Ipv6Addr,
    pub(crate) destination: Ipv6Addr,
    /// As in a [`Tuple`](crate::wire::Tuple): the identifier of an echo stands for the asker's port.
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    /// The first header that is no extension.
    pub(crate) protocol: u8,
    /// ICMPv6 echo has the types of ICMP here; other types are as on the wire.
    pub(crate) layer4: Layer4,
    /// Code of an ICMPv6 message, else 0.
    pub(crate) icmp_code: u8,
    /// Where the IPv6 header starts.
    pub(crate) ip: u16,
    /// Where the transport header starts.
    pub(crate) transport: u16,
    /// Bytes from the IPv6 header to the end of the payload.
    pub(crate) total_len: u16,
    pub(crate) hop_limit: u8,
}

impl Headers6 {
    /// Parses the IPv6 packet that starts at `ip` of `bytes`, the first buffer of a frame of
    /// `frame_len` bytes.
    ///
    /// # Errors
    /// The reason to drop it.
    pub(crate) fn parse(bytes: &[u8], ip: usize, frame_len: usize) -> Result<Self, DropReason> {
        let packet = bytes.get(ip..).ok_or(DropReason::InvalidIpLength)?;
        let fixed: [u8; IPV6_LEN] = array(packet, 0).ok_or(DropReason::InvalidIpLength)?;
        if fixed[0] >> 4 != 6 {
            return Err(DropReason::UnsupportedIpVersion);
        }
        let length = IPV6_LEN + usize::from(u16::from_be_bytes([fixed[4], fixed[5]]));
        // A payload length of 0 would be a jumbogram (RFC 2675), which no link of ours carries.
        if length > frame_len.saturating_sub(ip) || length == IPV6_LEN {
            return Err(DropReason::InvalidIpLength);
        }
        let total_len = u16::try_from(length).map_err(|_| DropReason::InvalidIpLength)?;
        let hop_limit = fixed[HOP_LIMIT];
        if hop_limit == 0 {
            return Err(DropReason::TtlExceeded);
        }
        let available = packet
            .get(..length.min(packet.len()))
            .ok_or(DropReason::InvalidIpLength)?;
        let (protocol, header_len) = skip_extensions(available, fixed[NEXT_HEADER])?;
        let payload = available
            .get(header_len..)
            .ok_or(DropReason::InvalidIpLength)?;
        let mut icmp_code = 0;
        let (layer4, source_port, destination_port) = match protocol {
            PROTOCOL_TCP | PROTOCOL_UDP => parse_layer4(protocol, payload, length - header_len)?,
            PROTOCOL_ICMPV6 => {
                icmp_code = payload.get(1).copied().unwrap_or(0);
                parse_icmp(payload)?
            }
            _ => (Layer4::Other, 0, 0),
        };
        let [source, destination] = [SOURCE, DESTINATION].map(|at| {
            // Both lie within the fixed header.
            Ipv6Addr::from(array::<16>(&fixed, at).unwrap_or_default())
        });
        Ok(Self {
            source,
            destination,
            source_port,
            destination_port,
            protocol,
            layer4,
            icmp_code,
            // A frame's first buffer is shorter than 64 KiB.
            ip: ip as u16,
            transport: (ip + header_len) as u16,
            total_len,
            hop_limit,
        })
    }

    /// Bytes of the transport header and what follows.
    pub(crate) const fn transport_len(&self) -> u16 {
        self.total_len
            .saturating_sub(self.transport.saturating_sub(self.ip))
    }
}

/// Walks over extension headers; returns the protocol behind them and where it starts.
fn skip_extensions(packet: &[u8], first: u8) -> Result<(u8, usize), DropReason> {
    let (mut kind, mut at) = (first, IPV6_LEN);
    for walked in 0..=EXTENSIONS_MAX {
        match kind {
            // Only as the first one: RFC 8200 §4.1.
            HOP_BY_HOP if walked > 0 => return Err(DropReason::InvalidIpOption),
            HOP_BY_HOP | DESTINATION_OPTIONS => {}
            // Routing headers let a sender choose the way (RFC 5095 forbids type 0).
            ROUTING => return Err(DropReason::InvalidIpOption),
            FRAGMENT => return Err(DropReason::FragmentReassemblyFailed),
            protocol => return Ok((protocol, at)),
        }
        let [next, words] = array(packet, at).ok_or(DropReason::InvalidIpLength)?;
        kind = next;
        at += (usize::from(words) + 1) * 8;
    }
    Err(DropReason::InvalidIpOption)
}

fn parse_icmp(payload: &[u8]) -> Result<(Layer4, u16, u16), DropReason> {
    let fixed: [u8; ICMP_LEN] = array(payload, 0).ok_or(DropReason::InvalidIcmpLength)?;
    let identifier = u16::from_be_bytes([fixed[4], fixed[5]]);
    Ok(match fixed[0] {
        ECHO_REQUEST => {
            let kind = ICMP_ECHO_REQUEST;
            (Layer4::IcmpEcho { kind }, identifier, 0)
        }
        ECHO_REPLY => {
            let kind = ICMP_ECHO_REPLY;
            (Layer4::IcmpEcho { kind }, 0, identifier)
        }
        kind @ (UNREACHABLE | PACKET_TOO_BIG | TIME_EXCEEDED | PARAMETER_PROBLEM) => {
            (Layer4::IcmpError { kind }, 0, 0)
        }
        kind => (Layer4::IcmpOther { kind }, 0, 0),
    })
}

/// The sum of a message of `protocol` with its pseudo-header (RFC 8200 §8.1), not complemented;
/// `0xffff` if the checksum within is right.
pub(crate) fn sum(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, message: &[u8]) -> u16 {
    let mut total = checksum::add(
        checksum::sum(&source.octets()),
        checksum::sum(&destination.octets()),
    );
    // Messages are shorter than 64 KiB.
    total = checksum::add(total, message.len() as u16);
    total = checksum::add(total, u16::from(protocol));
    checksum::add(total, checksum::sum(message))
}

/// The fixed header before `payload_len` bytes of `protocol`.
pub(crate) fn emit(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    protocol: u8,
    hop_limit: u8,
    payload_len: u16,
) -> [u8; IPV6_LEN] {
    let mut header = [0; IPV6_LEN];
    header[0] = 0x60;
    header[PAYLOAD_LEN..NEXT_HEADER].copy_from_slice(&payload_len.to_be_bytes());
    header[NEXT_HEADER] = protocol;
    header[HOP_LIMIT] = hop_limit;
    header[SOURCE..DESTINATION].copy_from_slice(&source.octets());
    header[DESTINATION..].copy_from_slice(&destination.octets());
    header
}

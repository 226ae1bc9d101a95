//! The fields of an IP packet, as far as they are there.

use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{array, be16, put};

/// Bytes of an IPv4 header without options, RFC 791; of an IPv6 header, RFC 8200.
const IPV4_LEN: usize = 20;
const IPV6_LEN: usize = 40;

/// Which part of a datagram a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    /// Bytes of the datagram before it.
    pub(super) offset: usize,
    /// Whether more follow.
    pub(super) has_more: bool,
}

/// An IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// The protocol, or the next header.
    pub(super) protocol: u8,
    /// Bytes behind the IP header, as the header has it.
    pub(super) len: usize,
    /// Those of them that were kept.
    pub(super) payload: &'a [u8],
    /// Bytes of the IP header.
    pub(super) header_len: usize,
    /// TTL, or hop limit.
    pub(super) ttl: u8,
    /// TOS, or traffic class.
    pub(super) tos: u8,
    /// Identification; IPv6 has none.
    pub(super) id: Option<u16>,
    pub(super) dont_fragment: bool,
    pub(super) fragment: Option<Fragment>,
}

impl<'a> Packet<'a> {
    /// Reads a packet; `None` if it is cut within its header.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        match bytes.first()? >> 4 {
            4 => Self::parse_v4(bytes),
            6 => Self::parse_v6(bytes),
            _ => None,
        }
    }

    fn parse_v4(bytes: &'a [u8]) -> Option<Self> {
        let fixed: [u8; IPV4_LEN] = array(bytes, 0)?;
        let header_len = usize::from(fixed[0] & 0x0f) * 4;
        if header_len < IPV4_LEN {
            return None;
        }
        let flags = u16::from_be_bytes([fixed[6], fixed[7]]);
        let (offset, has_more) = (usize::from(flags & 0x1fff) * 8, flags & 0x2000 != 0);
        let len = usize::from(u16::from_be_bytes([fixed[2], fixed[3]]));
        let rest = bytes.get(header_len..).unwrap_or_default();
        let len = len.saturating_sub(header_len);
        Some(Self {
            source: Ipv4Addr::from(array::<4>(bytes, 12)?).into(),
            destination: Ipv4Addr::from(array::<4>(bytes, 16)?).into(),
            protocol: fixed[9],
            len,
            // Behind the packet there may be padding of the frame.
            payload: rest.get(..len).unwrap_or(rest),
            header_len,
            ttl: fixed[8],
            tos: fixed[1],
            id: Some(u16::from_be_bytes([fixed[4], fixed[5]])),
            dont_fragment: flags & 0x4000 != 0,
            fragment: (offset > 0 || has_more).then_some(Fragment { offset, has_more }),
        })
    }

    fn parse_v6(bytes: &'a [u8]) -> Option<Self> {
        let fixed: [u8; IPV6_LEN] = array(bytes, 0)?;
        let len = usize::from(be16(bytes, 4)?);
        let rest = bytes.get(IPV6_LEN..).unwrap_or_default();
        Some(Self {
            source: Ipv6Addr::from(array::<16>(bytes, 8)?).into(),
            destination: Ipv6Addr::from(array::<16>(bytes, 24)?).into(),
            protocol: fixed[6],
            len,
            payload: rest.get(..len).unwrap_or(rest),
            header_len: IPV6_LEN,
            ttl: fixed[7],
            tos: fixed[0] << 4 | fixed[1] >> 4,
            id: None,
            dont_fragment: false,
            fragment: None,
        })
    }

    /// What `detail` adds to the line.
    pub(super) fn details(&self, out: &mut String) {
        if self.dont_fragment {
            put!(out, " (DF)");
        }
        if self.tos > 0 {
            put!(out, " [tos 0x{:x}]", self.tos);
        }
        match self.id {
            Some(id) => put!(out, " (ttl {}, id {id})", self.ttl),
            None => put!(out, " (hlim {})", self.ttl),
        }
    }
}

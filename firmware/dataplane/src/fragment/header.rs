//! What a fragment says about itself, and what no fragment may say.

use core::net::Ipv4Addr;

use crate::drop_reason::DropReason;
use crate::wire::{
    IP_DESTINATION, IP_FRAGMENT, IP_IDENTIFICATION, IP_MORE_FRAGMENTS, IP_PROTOCOL, IP_SOURCE,
    IPV4_LEN, Ipv4, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, Tuple, address, be16,
};

/// The longest datagram, RFC 791 §3.1.
pub(crate) const DATAGRAM_MAX: usize = 65_535;

/// A fragment's own header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FragmentHeader {
    /// Addresses; a fragment has no ports.
    pub(crate) tuple: Tuple,
    pub(crate) protocol: u8,
    pub(crate) identification: u16,
    /// Where its payload belongs in that of the datagram, in bytes.
    pub(crate) offset: u16,
    /// Bytes of payload.
    pub(crate) len: u16,
    /// Whether it is not the last.
    pub(crate) has_more: bool,
    /// Bytes of its IPv4 header.
    pub(crate) header_len: usize,
    /// What of the header stands before options.
    pub(crate) fixed: [u8; IPV4_LEN],
}

impl FragmentHeader {
    /// Where its payload ends in that of the datagram.
    pub(crate) fn end(&self) -> u32 {
        u32::from(self.offset) + u32::from(self.len)
    }

    /// Parses the fragment at `ip` of `bytes`.
    ///
    /// # Errors
    /// The reason to drop it: nothing that may be part of a datagram is refused here.
    pub(crate) fn parse(bytes: &[u8], ip: usize, frame_len: usize) -> Result<Self, DropReason> {
        let Ipv4 {
            fixed,
            header_len,
            total_len,
        } = Ipv4::parse(bytes, ip, frame_len)?;
        let header = Self::read(&fixed, header_len, total_len);
        header.check()?;
        Ok(header)
    }

    /// What the fragment at `ip` of `bytes` says, however impossible; `None` if it has no header.
    pub(super) fn of_refused(bytes: &[u8], ip: usize, frame_len: usize) -> Option<Self> {
        let ipv4 = Ipv4::parse(bytes, ip, frame_len).ok()?;
        Some(Self::read(&ipv4.fixed, ipv4.header_len, ipv4.total_len))
    }

    fn read(fixed: &[u8; IPV4_LEN], header_len: usize, total_len: u16) -> Self {
        let word = |at| be16(fixed, at).unwrap_or(0);
        let host = |at| address(fixed, at).unwrap_or(Ipv4Addr::UNSPECIFIED);
        let flags = word(IP_FRAGMENT);
        Self {
            tuple: Tuple {
                source: host(IP_SOURCE),
                destination: host(IP_DESTINATION),
                source_port: 0,
                destination_port: 0,
            },
            protocol: fixed[IP_PROTOCOL],
            identification: word(IP_IDENTIFICATION),
            // Thirteen bits times eight: RFC 791 §3.1.
            offset: (flags & 0x1fff) << 3,
            // `Ipv4::parse` has seen that the header fits.
            len: total_len.saturating_sub(header_len as u16),
            has_more: flags & IP_MORE_FRAGMENTS != 0,
            header_len,
            fixed: *fixed,
        }
    }

    fn check(&self) -> Result<(), DropReason> {
        if [self.tuple.source, self.tuple.destination]
            .iter()
            .any(|address| address.octets()[0] >= 240)
        {
            // As for packets in one piece.
            return Err(DropReason::SlowpathSecurity);
        }
        // Only the last may have a length that is no multiple of eight.
        if self.len == 0 || (self.has_more && !self.len.is_multiple_of(8)) {
            return Err(DropReason::FragmentInvalid);
        }
        if self.end() as usize + self.header_len > DATAGRAM_MAX {
            return Err(DropReason::FragmentInvalid);
        }
        if self.splits_transport_header() {
            return Err(DropReason::FragmentTiny);
        }
        Ok(())
    }

    /// RFC 1858 and RFC 3128: what the rules look at must stand in the first fragment, and no other
    /// may reach it.
    fn splits_transport_header(&self) -> bool {
        let least = match self.protocol {
            PROTOCOL_TCP => 20,
            PROTOCOL_UDP | PROTOCOL_ICMP => 8,
            _ => 0,
        };
        if self.offset == 0 {
            self.len < least
        } else {
            self.offset < least
        }
    }
}

//! Headers of Ethernet, IPv4, TCP, UDP and ICMP: parsed once into [`Headers`], written in place.
//!
//! [`Headers::parse`] is the edge: behind it, offsets are known to lie inside the first buffer and
//! lengths fit the frame. Writing goes through [`put`], which ignores what does not fit, so nothing
//! here can panic. RFC 791, RFC 9293, RFC 768, RFC 792.

pub(crate) mod checksum;
pub(crate) mod patch;

use core::net::Ipv4Addr;

use crate::drop_reason::DropReason;

/// ICMP, RFC 792.
pub const PROTOCOL_ICMP: u8 = 1;
/// TCP, RFC 9293.
pub const PROTOCOL_TCP: u8 = 6;
/// UDP, RFC 768.
pub const PROTOCOL_UDP: u8 = 17;

/// Bytes of an Ethernet II header.
pub const ETHERNET_LEN: usize = 14;
/// Bytes of an IPv4 header without options.
pub const IPV4_LEN: usize = 20;

pub(crate) const ETHERTYPE_IPV4: u16 = 0x0800;
pub(crate) const ETHERTYPE_ARP: u16 = 0x0806;
pub(crate) const ETHERTYPE_IPV6: u16 = 0x86dd;

// Offsets in the IPv4 header, RFC 791 §3.1.
pub(crate) const IP_TOTAL_LEN: usize = 2;
pub(crate) const IP_IDENTIFICATION: usize = 4;
pub(crate) const IP_FRAGMENT: usize = 6;
pub(crate) const IP_TTL: usize = 8;
pub(crate) const IP_PROTOCOL: usize = 9;
pub(crate) const IP_CHECKSUM: usize = 10;
pub(crate) const IP_SOURCE: usize = 12;
pub(crate) const IP_DESTINATION: usize = 16;
/// "Don't fragment" in the flags word.
pub(crate) const IP_DONT_FRAGMENT: u16 = 0x4000;
/// "More fragments" in the flags word.
pub(crate) const IP_MORE_FRAGMENTS: u16 = 0x2000;
/// What tells a fragment in the flags word: "more fragments", or an offset (in units of eight
/// bytes).
pub(crate) const IP_IS_FRAGMENT: u16 = 0x3fff;

// Offsets in the transport headers.
pub(crate) const TCP_CHECKSUM: usize = 16;
pub(crate) const UDP_CHECKSUM: usize = 6;
pub(crate) const ICMP_CHECKSUM: usize = 2;
pub(crate) const ICMP_IDENTIFIER: usize = 4;
/// Bytes of an ICMP header, and what an ICMP error quotes of the transport header at least.
pub(crate) const ICMP_LEN: usize = 8;

// TCP flags, RFC 9293 §3.1.
pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const RST: u8 = 0x04;
pub(crate) const ACK: u8 = 0x10;
pub(crate) const URG: u8 = 0x20;

// ICMP types, RFC 792.
pub(crate) const ICMP_ECHO_REPLY: u8 = 0;
pub(crate) const ICMP_UNREACHABLE: u8 = 3;
pub(crate) const ICMP_SOURCE_QUENCH: u8 = 4;
pub(crate) const ICMP_ECHO_REQUEST: u8 = 8;
pub(crate) const ICMP_TIME_EXCEEDED: u8 = 11;
pub(crate) const ICMP_PARAMETER_PROBLEM: u8 = 12;

/// The `N` bytes at `at`.
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// The big-endian number at `at`.
pub(crate) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

/// The IPv4 address at `at`.
pub(crate) fn address(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    array::<4>(bytes, at).map(Ipv4Addr::from)
}

/// Writes `value` at `at`; nothing happens if it does not fit.
pub(crate) fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(room) = bytes
        .get_mut(at..)
        .and_then(|rest| rest.get_mut(..value.len()))
    {
        room.copy_from_slice(value);
    }
}

/// Addresses and ports of a packet, as on the wire. ICMP echo carries its identifier as the port
/// of the side that asks, and 0 as the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tuple {
    /// Who sent it.
    pub source: Ipv4Addr,
    /// Whom it is for.
    pub destination: Ipv4Addr,
    /// Port of the source.
    pub source_port: u16,
    /// Port of the destination.
    pub destination_port: u16,
}

impl Tuple {
    /// The tuple of an answer.
    pub(crate) const fn reversed(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
        }
    }

    /// The tuple as two words, to be hashed.
    pub(crate) fn words(&self) -> (u64, u64) {
        (
            u64::from(self.source.to_bits()) << 32 | u64::from(self.destination.to_bits()),
            u64::from(self.source_port) << 16 | u64::from(self.destination_port),
        )
    }
}

/// The TCP header fields that decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TcpFields {
    pub(crate) sequence: u32,
    pub(crate) acknowledgment: u32,
    pub(crate) flags: u8,
    pub(crate) window: u16,
    pub(crate) header_len: u8,
}

impl TcpFields {
    /// Whether exactly the flags of `wanted` are set among SYN, ACK, FIN and RST.
    pub(crate) const fn is(&self, wanted: u8) -> bool {
        self.flags & (SYN | ACK | FIN | RST) == wanted
    }

    /// Whether `flag` is set.
    pub(crate) const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// What follows the IPv4 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer4 {
    Tcp(TcpFields),
    Udp,
    /// Echo request or reply.
    IcmpEcho {
        kind: u8,
    },
    /// An error message about another packet.
    IcmpError {
        kind: u8,
    },
    /// Any other ICMP message.
    IcmpOther {
        kind: u8,
    },
    /// A protocol without ports.
    Other,
}

/// A parsed packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Headers {
    pub(crate) tuple: Tuple,
    pub(crate) protocol: u8,
    pub(crate) layer4: Layer4,
    /// Where the IPv4 header starts.
    pub(crate) ip: u16,
    /// Where the transport header starts.
    pub(crate) transport: u16,
    /// Bytes from the IPv4 header to the end of the payload.
    pub(crate) total_len: u16,
    pub(crate) ttl: u8,
    pub(crate) dont_fragment: bool,
}

// Parsing is inlined into the batch loop by force: what it returns is wider than registers, and read back
// from memory in other pieces than it was written in, which stalls the processor for a dozen nanoseconds.
impl Headers {
    /// Parses the IPv4 packet that starts at `ip` of `bytes`, the first buffer of a frame of
    /// `frame_len` bytes.
    ///
    /// # Errors
    /// The reason to drop it.
    #[inline(always)]
    pub(crate) fn parse(bytes: &[u8], ip: usize, frame_len: usize) -> Result<Self, DropReason> {
        let Ipv4 {
            fixed,
            header_len,
            total_len,
        } = Ipv4::parse(bytes, ip, frame_len)?;
        let fragment = u16::from_be_bytes([fixed[IP_FRAGMENT], fixed[IP_FRAGMENT + 1]]);
        // A piece of a datagram: `fragment` collects those.
        if fragment & IP_IS_FRAGMENT != 0 {
            return Err(DropReason::FragmentReassemblyFailed);
        }
        Self::with_ipv4(bytes, ip, &fixed, header_len, total_len)
    }

    /// Parses a datagram that lies in pieces: its first one starts at `ip` of `bytes`, and
    /// `total_len` is the length of the whole.
    ///
    /// # Errors
    /// The reason to drop it.
    pub(crate) fn parse_in_pieces(
        bytes: &[u8],
        ip: usize,
        total_len: u16,
    ) -> Result<Self, DropReason> {
        let Ipv4 {
            fixed, header_len, ..
        } = Ipv4::parse(bytes, ip, bytes.len())?;
        Self::with_ipv4(bytes, ip, &fixed, header_len, total_len)
    }

    #[inline(always)]
    fn with_ipv4(
        bytes: &[u8],
        ip: usize,
        fixed: &[u8; IPV4_LEN],
        header_len: usize,
        total_len: u16,
    ) -> Result<Self, DropReason> {
        let packet = bytes.get(ip..).unwrap_or_default();
        let length = usize::from(total_len);
        let fragment = u16::from_be_bytes([fixed[IP_FRAGMENT], fixed[IP_FRAGMENT + 1]]);
        let ttl = fixed[IP_TTL];
        if ttl == 0 {
            return Err(DropReason::TtlExceeded);
        }
        let protocol = fixed[IP_PROTOCOL];
        // A frame may go on in further buffers, its transport header may not.
        let payload = packet
            .get(header_len..length.min(packet.len()))
            .ok_or(DropReason::InvalidIpLength)?;
        let (layer4, source_port, destination_port) =
            parse_layer4(protocol, payload, length.saturating_sub(header_len))?;
        let [a, b, c, d] = [fixed[12], fixed[13], fixed[14], fixed[15]];
        let [e, f, g, h] = [fixed[16], fixed[17], fixed[18], fixed[19]];
        if a >= 240 || (e >= 240 && [e, f, g, h] != [255; 4]) {
            // Reserved (RFC 1112 §4), and inside the box the names of IPv6 addresses.
            return Err(DropReason::SlowpathSecurity);
        }
        Ok(Self {
            tuple: Tuple {
                source: Ipv4Addr::new(a, b, c, d),
                destination: Ipv4Addr::new(e, f, g, h),
                source_port,
                destination_port,
            },
            protocol,
            layer4,
            // A frame's first buffer is shorter than 64 KiB.
            ip: ip as u16,
            transport: (ip + header_len) as u16,
            total_len,
            ttl,
            dont_fragment: fragment & IP_DONT_FRAGMENT != 0,
        })
    }

    /// Bytes behind the transport header.
    pub(crate) fn payload_len(&self) -> u32 {
        let header_len = match self.layer4 {
            Layer4::Tcp(tcp) => u32::from(tcp.header_len),
            Layer4::Other => 0,
            _ => 8,
        };
        u32::from(self.total_len)
            .saturating_sub(u32::from(self.transport - self.ip))
            .saturating_sub(header_len)
    }
}

/// An IPv4 header by itself, checked.
pub(crate) struct Ipv4 {
    /// What stands before options.
    pub(crate) fixed: [u8; IPV4_LEN],
    /// Bytes, options included.
    pub(crate) header_len: usize,
    /// Bytes of header and payload; they are in the frame.
    pub(crate) total_len: u16,
}

impl Ipv4 {
    /// Parses the header at `ip` of `bytes`, the first buffer of a frame of `frame_len` bytes.
    ///
    /// # Errors
    /// The reason to drop the frame.
    #[inline(always)]
    pub(crate) fn parse(bytes: &[u8], ip: usize, frame_len: usize) -> Result<Self, DropReason> {
        let packet = bytes.get(ip..).ok_or(DropReason::InvalidIpLength)?;
        let fixed: [u8; IPV4_LEN] = array(packet, 0).ok_or(DropReason::InvalidIpLength)?;
        if fixed[0] >> 4 != 4 {
            return Err(DropReason::UnsupportedIpVersion);
        }
        let header_len = usize::from(fixed[0] & 0x0f) * 4;
        let header = packet
            .get(..header_len)
            .ok_or(DropReason::InvalidIpHeader)?;
        if header_len < IPV4_LEN {
            return Err(DropReason::InvalidIpHeader);
        }
        let total_len = u16::from_be_bytes([fixed[2], fixed[3]]);
        let length = usize::from(total_len);
        if length < header_len || length > frame_len.saturating_sub(ip) {
            return Err(DropReason::InvalidIpLength);
        }
        if checksum::sum(header) != 0xffff {
            return Err(DropReason::InvalidIpHeader);
        }
        if header_len > IPV4_LEN {
            check_options(header)?;
        }
        Ok(Self {
            fixed,
            header_len,
            total_len,
        })
    }
}

/// Parses the transport header in `payload`; `length` is what the IPv4 header promises.
#[inline(always)]
pub(crate) fn parse_layer4(
    protocol: u8,
    payload: &[u8],
    length: usize,
) -> Result<(Layer4, u16, u16), DropReason> {
    match protocol {
        PROTOCOL_TCP => {
            let fixed: [u8; 20] = array(payload, 0).ok_or(DropReason::InvalidTcpLength)?;
            let header_len = (fixed[12] >> 4) * 4;
            if header_len < 20 || usize::from(header_len) > payload.len() {
                return Err(DropReason::InvalidTcpLength);
            }
            let tcp = TcpFields {
                sequence: u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]),
                acknowledgment: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
                flags: fixed[13],
                window: u16::from_be_bytes([fixed[14], fixed[15]]),
                header_len,
            };
            check_flags(tcp.flags)?;
            Ok((
                Layer4::Tcp(tcp),
                u16::from_be_bytes([fixed[0], fixed[1]]),
                u16::from_be_bytes([fixed[2], fixed[3]]),
            ))
        }
        PROTOCOL_UDP => {
            let fixed: [u8; 8] = array(payload, 0).ok_or(DropReason::InvalidUdpLength)?;
            let claimed = usize::from(u16::from_be_bytes([fixed[4], fixed[5]]));
            if claimed < 8 || claimed > length {
                return Err(DropReason::InvalidUdpLength);
            }
            Ok((
                Layer4::Udp,
                u16::from_be_bytes([fixed[0], fixed[1]]),
                u16::from_be_bytes([fixed[2], fixed[3]]),
            ))
        }
        PROTOCOL_ICMP => {
            let fixed: [u8; ICMP_LEN] = array(payload, 0).ok_or(DropReason::InvalidIcmpLength)?;
            let identifier = u16::from_be_bytes([fixed[4], fixed[5]]);
            Ok(match fixed[0] {
                kind @ ICMP_ECHO_REQUEST => (Layer4::IcmpEcho { kind }, identifier, 0),
                kind @ ICMP_ECHO_REPLY => (Layer4::IcmpEcho { kind }, 0, identifier),
                kind @ (ICMP_UNREACHABLE
                | ICMP_SOURCE_QUENCH
                | ICMP_TIME_EXCEEDED
                | ICMP_PARAMETER_PROBLEM) => (Layer4::IcmpError { kind }, 0, 0),
                kind => (Layer4::IcmpOther { kind }, 0, 0),
            })
        }
        _ => Ok((Layer4::Other, 0, 0)),
    }
}

/// Refuses combinations that no stack sends and scanners do.
fn check_flags(flags: u8) -> Result<(), DropReason> {
    match flags & (SYN | ACK | FIN | RST) {
        0 => Err(DropReason::BadTcpFlags),
        both if both & SYN != 0 && both & (FIN | RST) != 0 => Err(DropReason::BadTcpFlags),
        both if both & FIN != 0 && both & RST != 0 => Err(DropReason::BadTcpFlags),
        FIN => Err(DropReason::BadTcpFlags),
        _ => Ok(()),
    }
}

/// Lets through only options that change nothing: end of list, no operation, router alert
/// (RFC 2113). Source routes in particular are refused.
fn check_options(header: &[u8]) -> Result<(), DropReason> {
    let mut options = header.get(IPV4_LEN..).unwrap_or_default();
    while let Some((&kind, rest)) = options.split_first() {
        match kind {
            0 => return Ok(()),
            1 => options = rest,
            148 => {
                let len = rest.first().map_or(0, |&len| usize::from(len));
                options = match options.get(len..) {
                    Some(rest) if len == 4 => rest,
                    _ => return Err(DropReason::InvalidIpOption),
                };
            }
            _ => return Err(DropReason::InvalidIpOption),
        }
    }
    Ok(())
}

/// What an ICMP error quotes: the packet it is about, from its IPv4 header on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quoted {
    pub(crate) tuple: Tuple,
    pub(crate) protocol: u8,
    /// Where the quoted IPv4 header starts in the frame.
    pub(crate) ip: usize,
    /// Where the quoted transport header starts in the frame.
    pub(crate) transport: usize,
}

impl Quoted {
    /// Parses what stands behind the ICMP header at `icmp` of `bytes`.
    pub(crate) fn parse(bytes: &[u8], icmp: usize) -> Option<Self> {
        let ip = icmp + ICMP_LEN;
        let first = *bytes.get(ip)?;
        let header_len = usize::from(first & 0x0f) * 4;
        if first >> 4 != 4 || header_len < IPV4_LEN {
            return None;
        }
        // Only a first fragment has ports.
        if be16(bytes, ip + IP_FRAGMENT)? & 0x1fff != 0 {
            return None;
        }
        let transport = ip + header_len;
        let protocol = *bytes.get(ip + IP_PROTOCOL)?;
        let quoted: [u8; ICMP_LEN] = array(bytes, transport)?;
        let (source_port, destination_port) = match protocol {
            PROTOCOL_TCP | PROTOCOL_UDP => (
                u16::from_be_bytes([quoted[0], quoted[1]]),
                u16::from_be_bytes([quoted[2], quoted[3]]),
            ),
            PROTOCOL_ICMP => match quoted[0] {
                ICMP_ECHO_REQUEST => (u16::from_be_bytes([quoted[4], quoted[5]]), 0),
                ICMP_ECHO_REPLY => (0, u16::from_be_bytes([quoted[4], quoted[5]])),
                // RFC 1122 §3.2.2: no errors about errors.
                _ => return None,
            },
            _ => (0, 0),
        };
        Some(Self {
            tuple: Tuple {
                source: address(bytes, ip + IP_SOURCE)?,
                destination: address(bytes, ip + IP_DESTINATION)?,
                source_port,
                destination_port,
            },
            protocol,
            ip,
            transport,
        })
    }
}

/// Finds the value of the TCP option `wanted` in the header at `transport`: its offset and length.
///
/// # Errors
/// [`DropReason::TcpBadOptionList`] if the options do not parse.
pub(crate) fn tcp_option(
    bytes: &[u8],
    transport: usize,
    header_len: u8,
    wanted: u8,
) -> Result<Option<(usize, usize)>, DropReason> {
    let end = transport + usize::from(header_len);
    let mut at = transport + 20;
    while at < end {
        match bytes.get(at) {
            Some(0) | None => return Ok(None),
            Some(1) => at += 1,
            Some(&kind) => {
                let len = usize::from(bytes.get(at + 1).copied().unwrap_or(0));
                if len < 2 || at + len > end {
                    return Err(DropReason::TcpBadOptionList);
                }
                if kind == wanted {
                    return Ok(Some((at + 2, len - 2)));
                }
                at += len;
            }
        }
    }
    Ok(None)
}

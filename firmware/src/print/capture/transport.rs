//! TCP, UDP and ICMP in one line.

use alloc::string::String;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::packet::Packet;
use super::{PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP, array, be16, be32, put};

/// Bytes of a TCP header without options, and of a UDP header.
const TCP_LEN: usize = 20;
const UDP_LEN: usize = 8;

/// TCP flags by bit, from the lowest, as the line has them; ACK is written out.
const FLAGS: [(u8, char); 7] = [
    (0x02, 'S'),
    (0x01, 'F'),
    (0x04, 'R'),
    (0x08, 'P'),
    (0x20, 'U'),
    (0x40, 'E'),
    (0x80, 'W'),
];
const FLAG_ACK: u8 = 0x10;
const FLAG_URG: u8 = 0x20;
/// SYN, FIN, RST: segments whose sequence number is worth printing without data.
const FLAGS_WITH_SEQUENCE: u8 = 0x07;

/// A TCP header.
pub(super) struct Tcp<'a> {
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    pub(super) sequence: u32,
    pub(super) acknowledgment: u32,
    pub(super) flags: u8,
    pub(super) window: u16,
    pub(super) urgent: u16,
    /// Bytes of the header, as it has it.
    pub(super) header_len: usize,
    /// The options that were kept, and whether that is all of them.
    pub(super) options: (&'a [u8], bool),
}

impl<'a> Tcp<'a> {
    /// Reads a header; `None` if it is cut within its fixed part.
    pub(super) fn parse(payload: &'a [u8]) -> Option<Self> {
        let fixed: [u8; TCP_LEN] = array(payload, 0)?;
        let header_len = usize::from(fixed[12] >> 4) * 4;
        let rest = payload.get(TCP_LEN..).unwrap_or_default();
        let options_len = header_len.saturating_sub(TCP_LEN);
        Some(Self {
            source_port: be16(&fixed, 0)?,
            destination_port: be16(&fixed, 2)?,
            sequence: be32(&fixed, 4)?,
            acknowledgment: be32(&fixed, 8)?,
            flags: fixed[13],
            window: be16(&fixed, 14)?,
            urgent: be16(&fixed, 18)?,
            header_len,
            options: (
                rest.get(..options_len).unwrap_or(rest),
                options_len <= rest.len(),
            ),
        })
    }

    /// The flags as letters; `.` for none but ACK.
    pub(super) fn flags(&self, out: &mut String) {
        let start = out.len();
        for (bit, letter) in FLAGS {
            if self.flags & bit != 0 {
                out.push(letter);
            }
        }
        if out.len() == start {
            out.push('.');
        }
    }

    fn line(&self, out: &mut String, packet: &Packet<'_>) {
        put!(
            out,
            "{}.{} > {}.{}: ",
            packet.source,
            self.source_port,
            packet.destination,
            self.destination_port
        );
        self.flags(out);
        let data = packet.len.saturating_sub(self.header_len);
        if data > 0 || self.flags & FLAGS_WITH_SEQUENCE != 0 {
            // A length of memory fits, and numbers wrap.
            let end = self.sequence.wrapping_add(data as u32);
            put!(out, " {}:{end}({data})", self.sequence);
        }
        if self.flags & FLAG_ACK != 0 {
            put!(out, " ack {}", self.acknowledgment);
        }
        put!(out, " win {}", self.window);
        if self.flags & FLAG_URG != 0 {
            put!(out, " urg {}", self.urgent);
        }
        if self.header_len < TCP_LEN {
            put!(out, " [bad hdr length {}]", self.header_len);
        } else if self.header_len > TCP_LEN {
            put!(out, " <");
            self.option_list(out);
            put!(out, ">");
        }
    }

    /// The options, separated by commas. RFC 9293 §3.1, RFC 7323, RFC 2018.
    pub(super) fn option_list(&self, out: &mut String) {
        let (mut rest, is_whole) = self.options;
        let mut separator = "";
        while let Some((&kind, behind)) = rest.split_first() {
            put!(out, "{separator}");
            separator = ",";
            match kind {
                0 => {
                    put!(out, "eol");
                    return;
                }
                1 => {
                    put!(out, "nop");
                    rest = behind;
                    continue;
                }
                _ => {}
            }
            let len = behind.first().map_or(0, |&len| usize::from(len));
            let Some(value) = rest.get(2..len) else {
                put!(out, "{}", if is_whole { "[bad opt]" } else { "[|tcp]" });
                return;
            };
            option(out, kind, value);
            rest = rest.get(len..).unwrap_or_default();
        }
        if !is_whole {
            put!(out, "{separator}[|tcp]");
        }
    }
}

fn option(out: &mut String, kind: u8, value: &[u8]) {
    match (kind, value) {
        (2, &[high, low]) => put!(out, "mss {}", u16::from_be_bytes([high, low])),
        (3, [shift]) => put!(out, "wscale {shift}"),
        (4, []) => put!(out, "sackOK"),
        (5, blocks) => {
            put!(out, "sack {}", blocks.len() / 8);
            for block in blocks.chunks_exact(8) {
                if let (Some(left), Some(right)) = (be32(block, 0), be32(block, 4)) {
                    put!(out, " {{{left}:{right}}}");
                }
            }
        }
        (8, &[a, b, c, d, e, f, g, h]) => put!(
            out,
            "timestamp {} {}",
            u32::from_be_bytes([a, b, c, d]),
            u32::from_be_bytes([e, f, g, h])
        ),
        (kind, value) => {
            put!(out, "opt-{kind}");
            for (index, byte) in value.iter().enumerate() {
                put!(out, "{}{byte:02x}", if index == 0 { ":" } else { "" });
            }
        }
    }
}

/// A packet in one line.
pub(super) fn line(out: &mut String, packet: &Packet<'_>) {
    let (source, destination) = (packet.source, packet.destination);
    let is_first = packet.fragment.is_none_or(|fragment| fragment.offset == 0);
    match packet.protocol {
        _ if !is_first => put!(out, "{source} > {destination}:"),
        PROTOCOL_TCP => match Tcp::parse(packet.payload) {
            Some(tcp) => tcp.line(out, packet),
            None => put!(out, "{source} > {destination}: [|tcp]"),
        },
        PROTOCOL_UDP => udp(out, packet),
        PROTOCOL_ICMP => {
            put!(out, "{source} > {destination}: icmp: ");
            icmp(out, packet.payload);
        }
        PROTOCOL_ICMPV6 => {
            put!(out, "{source} > {destination}: icmp6: ");
            icmp6(out, packet.payload);
        }
        other => put!(
            out,
            "{source} > {destination}:  ip-proto-{other}, length {}",
            packet.len
        ),
    }
    if let Some(fragment) = packet.fragment {
        let more = if fragment.has_more { "+" } else { "" };
        let id = packet.id.unwrap_or_default();
        put!(out, " (frag {id}:{}@{}{more})", packet.len, fragment.offset);
    }
}

fn udp(out: &mut String, packet: &Packet<'_>) {
    let (source, destination) = (packet.source, packet.destination);
    let ports = (be16(packet.payload, 0), be16(packet.payload, 2));
    let (Some(from), Some(to)) = ports else {
        put!(out, "{source} > {destination}: [|udp]");
        return;
    };
    let len = be16(packet.payload, 4).map_or(packet.len, usize::from);
    put!(
        out,
        "{source}.{from} > {destination}.{to}:  udp {}",
        len.saturating_sub(UDP_LEN)
    );
}

/// An ICMP message, RFC 792, RFC 1812 §5.2.7.
fn icmp(out: &mut String, message: &[u8]) {
    let Some([kind, code]) = array::<2>(message, 0) else {
        put!(out, "[|icmp]");
        return;
    };
    match kind {
        0 => put!(out, "echo reply"),
        3 => unreachable(out, code, message),
        4 => put!(out, "source quench"),
        5 => match array::<4>(message, 4).map(Ipv4Addr::from) {
            Some(gateway) => put!(out, "redirect to {gateway}"),
            None => put!(out, "redirect"),
        },
        8 => put!(out, "echo request"),
        9 => put!(out, "router advertisement"),
        10 => put!(out, "router solicitation"),
        11 if code == 0 => put!(out, "time exceeded in-transit"),
        11 if code == 1 => put!(out, "ip reassembly time exceeded"),
        12 => match message.get(4) {
            Some(octet) => put!(out, "parameter problem - octet {octet}"),
            None => put!(out, "parameter problem"),
        },
        13 => put!(out, "time stamp request"),
        14 => put!(out, "time stamp reply"),
        _ => put!(out, "type-#{kind} code-#{code}"),
    }
}

/// An ICMPv6 message, RFC 4443, RFC 4861.
fn icmp6(out: &mut String, message: &[u8]) {
    let target = || array::<16>(message, 8).map(Ipv6Addr::from);
    match message.first() {
        None => put!(out, "[|icmp6]"),
        Some(1) => put!(out, "unreachable"),
        Some(2) => match be32(message, 4) {
            Some(mtu) => put!(out, "packet too big (mtu {mtu})"),
            None => put!(out, "packet too big"),
        },
        Some(3) => put!(out, "time exceeded"),
        Some(4) => put!(out, "parameter problem"),
        Some(128) => put!(out, "echo request"),
        Some(129) => put!(out, "echo reply"),
        Some(133) => put!(out, "router solicitation"),
        Some(134) => put!(out, "router advertisement"),
        Some(135) => match target() {
            Some(target) => put!(out, "neighbor solicitation, who has {target}"),
            None => put!(out, "neighbor solicitation"),
        },
        Some(136) => match target() {
            Some(target) => put!(out, "neighbor advertisement, {target} is here"),
            None => put!(out, "neighbor advertisement"),
        },
        Some(kind) => put!(out, "type-#{kind}"),
    }
}

/// "Unreachable", with what the quoted packet tells.
fn unreachable(out: &mut String, code: u8, message: &[u8]) {
    let quoted = message.get(8..).and_then(Packet::parse);
    let Some(quoted) = quoted else {
        put!(out, "unreachable code-#{code}");
        return;
    };
    let target = quoted.destination;
    match code {
        0 => put!(out, "net {target} unreachable"),
        1 => put!(out, "host {target} unreachable"),
        2 => put!(out, "{target} protocol {} unreachable", quoted.protocol),
        3 => {
            let protocol = match quoted.protocol {
                PROTOCOL_TCP => "tcp",
                PROTOCOL_UDP => "udp",
                _ => "unknown",
            };
            match be16(quoted.payload, 2) {
                Some(port) => put!(out, "{target} {protocol} port {port} unreachable"),
                None => put!(out, "{target} {protocol} port unreachable"),
            }
        }
        4 => match be16(message, 6) {
            Some(mtu) if mtu > 0 => {
                put!(out, "{target} unreachable - need to frag (mtu {mtu})");
            }
            _ => put!(out, "{target} unreachable - need to frag"),
        },
        9 => put!(out, "net {target} unreachable - admin prohibited"),
        10 => put!(out, "host {target} unreachable - admin prohibited"),
        13 => put!(out, "host {target} unreachable - admin prohibited filter"),
        _ => put!(out, "{target} unreachable code-#{code}"),
    }
}

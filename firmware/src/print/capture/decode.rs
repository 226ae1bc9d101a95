//! Every field of a frame's headers, a line for each header.

use alloc::string::String;

use super::packet::Packet;
use super::transport::Tcp;
use super::{
    Contents, DottedMac, ETHERNET_LEN, ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6,
    ETHERTYPE_VLAN, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, array, be16, put, put_line,
};

/// Most characters shown of a payload's first line.
const TEXT_MAX: usize = 100;

const UDP_LEN: usize = 8;
const ICMP_LEN: usize = 8;

/// The headers of a frame of `frame_len` bytes, of which `bytes` were kept.
pub(super) fn headers(out: &mut String, bytes: &[u8], frame_len: usize) {
    let (Some(destination), Some(source), Some(ethertype)) = (
        array::<6>(bytes, 0),
        array::<6>(bytes, 6),
        be16(bytes, ETHERNET_LEN - 2),
    ) else {
        return;
    };
    let name = type_name(ethertype);
    put_line!(
        out,
        "      Ethernet: {} > {}, type 0x{ethertype:04x}{name}, {frame_len} bytes, {} kept",
        DottedMac(source),
        DottedMac(destination),
        bytes.len()
    );
    let Some(Contents {
        vlan,
        ethertype,
        payload,
    }) = Contents::of(bytes)
    else {
        return;
    };
    if let Some(tag) = vlan {
        put_line!(
            out,
            "      {tag}, type 0x{ethertype:04x}{}",
            type_name(ethertype)
        );
    }
    if matches!(ethertype, ETHERTYPE_IPV4 | ETHERTYPE_IPV6)
        && let Some(packet) = Packet::parse(payload)
    {
        network(out, &packet);
        transport(out, &packet);
    }
}

/// The name of an EtherType, in brackets behind a blank.
const fn type_name(ethertype: u16) -> &'static str {
    match ethertype {
        ETHERTYPE_IPV4 => " (IPv4)",
        ETHERTYPE_ARP => " (ARP)",
        ETHERTYPE_IPV6 => " (IPv6)",
        ETHERTYPE_VLAN => " (802.1Q)",
        _ => "",
    }
}

fn network(out: &mut String, packet: &Packet<'_>) {
    let version = if packet.source.is_ipv4() { 4 } else { 6 };
    put!(
        out,
        "      IPv{version}: {} > {}, protocol {}, header {}, total {}, ttl {}, tos 0x{:02x}",
        packet.source,
        packet.destination,
        packet.protocol,
        packet.header_len,
        packet.header_len + packet.len,
        packet.ttl,
        packet.tos
    );
    if let Some(id) = packet.id {
        put!(out, ", id {id}");
    }
    if packet.dont_fragment {
        put!(out, ", DF");
    }
    if let Some(fragment) = packet.fragment {
        let more = if fragment.has_more { ", MF" } else { "" };
        put!(out, ", offset {}{more}", fragment.offset);
    }
    put_line!(out);
}

fn transport(out: &mut String, packet: &Packet<'_>) {
    let bytes = packet.payload;
    let header_len = match packet.protocol {
        // Only the first fragment has the header.
        _ if packet.fragment.is_some_and(|fragment| fragment.offset > 0) => 0,
        PROTOCOL_TCP => {
            let Some(tcp) = Tcp::parse(bytes) else {
                return;
            };
            put!(
                out,
                "      TCP: {} > {}, seq {}, ack {}, flags ",
                tcp.source_port,
                tcp.destination_port,
                tcp.sequence,
                tcp.acknowledgment
            );
            tcp.flags(out);
            put_line!(
                out,
                " (0x{:02x}), window {}, urgent {}, header {}",
                tcp.flags,
                tcp.window,
                tcp.urgent,
                tcp.header_len
            );
            if !tcp.options.0.is_empty() {
                put!(out, "      TCP options: ");
                tcp.option_list(out);
                put_line!(out);
            }
            tcp.header_len
        }
        PROTOCOL_UDP => {
            if let (Some(from), Some(to), Some(len)) =
                (be16(bytes, 0), be16(bytes, 2), be16(bytes, 4))
            {
                put_line!(out, "      UDP: {from} > {to}, length {len}");
            }
            UDP_LEN
        }
        PROTOCOL_ICMP => {
            if let Some([kind, code]) = array::<2>(bytes, 0) {
                put!(out, "      ICMP: type {kind}, code {code}");
                if let (0 | 8, Some(id), Some(sequence)) = (kind, be16(bytes, 4), be16(bytes, 6)) {
                    put!(out, ", id {id}, seq {sequence}");
                }
                put_line!(out);
            }
            ICMP_LEN
        }
        _ => 0,
    };
    let len = packet.len.saturating_sub(header_len);
    if len > 0 {
        put!(out, "      Payload: {len} bytes");
        text(out, bytes.get(header_len..).unwrap_or_default());
        put_line!(out);
    }
}

/// The first line of a payload, if it is text such as SIP.
fn text(out: &mut String, payload: &[u8]) {
    let line = payload
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .next()
        .unwrap_or_default();
    let is_text = line.iter().all(|byte| (b' '..=b'~').contains(byte));
    if line.is_empty() || !is_text {
        return;
    }
    put!(out, ": ");
    out.extend(line.iter().take(TEXT_MAX).copied().map(char::from));
}

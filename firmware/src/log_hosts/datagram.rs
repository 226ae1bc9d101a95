//! A line for a syslog server as a UDP packet (RFC 768, RFC 3164 §2).

use core::net::Ipv4Addr;

use hal::packet::PacketBuf;
use smoltcp::wire::{IpProtocol, checksum};

/// The port lines come from, as on the ASA.
const SOURCE_PORT: u16 = 514;
const IPV4_LEN: u16 = 20;
const UDP_LEN: u16 = 8;
/// RFC 1700.
const TTL: u8 = 64;

/// Writes a datagram, from the IPv4 header on; what is longer than `mtu` allows is cut. Returns false
/// if the packet has no room.
#[must_use]
pub(super) fn write(
    packet: &mut PacketBuf,
    source: Ipv4Addr,
    (destination, port): (Ipv4Addr, u16),
    identification: u16,
    payload: &[u8],
    mtu: u16,
) -> bool {
    let room = usize::from(mtu.saturating_sub(IPV4_LEN + UDP_LEN));
    let payload = payload.get(..room).unwrap_or(payload);
    let Ok(payload_len) = u16::try_from(payload.len()) else {
        return false;
    };
    let Some(udp_len) = payload_len.checked_add(UDP_LEN) else {
        return false;
    };
    let [total_high, total_low] = udp_len.saturating_add(IPV4_LEN).to_be_bytes();
    let [id_high, id_low] = identification.to_be_bytes();
    let mut header = [0; IPV4_LEN as usize];
    header[0] = 0x45;
    header[2..6].copy_from_slice(&[total_high, total_low, id_high, id_low]);
    header[8..10].copy_from_slice(&[TTL, u8::from(IpProtocol::Udp)]);
    header[12..16].copy_from_slice(&source.octets());
    header[16..20].copy_from_slice(&destination.octets());
    let sum = !checksum::data(&header);
    header[10..12].copy_from_slice(&sum.to_be_bytes());

    let mut udp = [0; UDP_LEN as usize];
    udp[0..2].copy_from_slice(&SOURCE_PORT.to_be_bytes());
    udp[2..4].copy_from_slice(&port.to_be_bytes());
    udp[4..6].copy_from_slice(&udp_len.to_be_bytes());
    let sum = !checksum::combine(&[
        checksum::pseudo_header(
            &source.into(),
            &destination.into(),
            IpProtocol::Udp,
            u32::from(udp_len),
        ),
        checksum::data(&udp),
        checksum::data(payload),
    ]);
    // A sum of 0 is sent as all ones: 0 would be none.
    let sum = if sum == 0 { u16::MAX } else { sum };
    udp[6..8].copy_from_slice(&sum.to_be_bytes());
    packet.extend(&header) && packet.extend(&udp) && packet.extend(payload)
}

//! Changing a packet in place: addresses, ports, checksums; and the packet an ICMP error quotes.

use hal::packet::PacketBuf;

use crate::drop_reason::DropReason;
use crate::flow::{Direction, Flow, sequence};
use crate::wire::checksum::{self, Delta};
use crate::wire::{
    Headers, ICMP_CHECKSUM, ICMP_ECHO_REPLY, ICMP_IDENTIFIER, IP_CHECKSUM, IP_DESTINATION,
    IP_SOURCE, IP_TTL, Layer4, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP, Quoted, TCP_CHECKSUM,
    Tuple, UDP_CHECKSUM, array, be16, put,
};

/// Gives a packet of `flow` the addresses and ports it leaves with.
#[inline]
pub(crate) fn translate(
    packet: &mut PacketBuf,
    headers: &Headers,
    flow: &Flow,
    direction: Direction,
) {
    let is_partial = packet.offload().checksum_partial;
    let new = flow.leaving(direction);
    let (ip_delta, transport_delta) = flow.deltas(direction);
    let (ip, transport) = (usize::from(headers.ip), usize::from(headers.transport));
    let bytes = packet.bytes_mut();
    put_addresses(bytes, ip, new);
    update(bytes, ip + IP_CHECKSUM, |sum| ip_delta.apply(sum));
    match headers.layer4 {
        Layer4::Tcp(_) => {
            put_ports(bytes, transport, new);
            update(bytes, transport + TCP_CHECKSUM, |sum| {
                // A partial checksum covers the pseudo-header only, uncomplemented.
                if is_partial {
                    ip_delta.apply_to_sum(sum)
                } else {
                    transport_delta.apply(sum)
                }
            });
        }
        Layer4::Udp => {
            put_ports(bytes, transport, new);
            update(bytes, transport + UDP_CHECKSUM, |sum| {
                if is_partial {
                    ip_delta.apply_to_sum(sum)
                } else {
                    transport_delta.apply_udp(sum)
                }
            });
        }
        Layer4::IcmpEcho { kind } => {
            put_identifier(bytes, transport, kind, new);
            update(bytes, transport + ICMP_CHECKSUM, |sum| {
                transport_delta.apply(sum)
            });
        }
        Layer4::IcmpError { .. } | Layer4::IcmpOther { .. } | Layer4::Other => {}
    }
}

/// Gives the packet another TTL. RFC 1141.
#[inline]
pub(crate) fn set_ttl(packet: &mut PacketBuf, headers: &Headers, ttl: u8) {
    let ip = usize::from(headers.ip);
    let bytes = packet.bytes_mut();
    let present = array::<1>(bytes, ip + IP_TTL).map_or(headers.ttl, |[ttl]| ttl);
    let old = u16::from_be_bytes([present, headers.protocol]);
    let new = u16::from_be_bytes([ttl, headers.protocol]);
    put(bytes, ip + IP_TTL, &new.to_be_bytes());
    update(bytes, ip + IP_CHECKSUM, |sum| {
        Delta::default().word(old, new).apply(sum)
    });
}

/// Lowers the value of the two-byte TCP option at `option` to `most`.
pub(crate) fn clamp_mss(packet: &mut PacketBuf, headers: &Headers, option: usize, most: u16) {
    let is_partial = packet.offload().checksum_partial;
    let transport = usize::from(headers.transport);
    let bytes = packet.bytes_mut();
    let Some(old) = be16(bytes, option).filter(|&old| old > most) else {
        return;
    };
    put(bytes, option, &most.to_be_bytes());
    if !is_partial {
        let delta = Delta::default().word(old, most);
        // An option at an odd offset straddles two words of the sum; swapping bytes is the same.
        let is_odd = (option - transport) % 2 == 1;
        let delta = if is_odd {
            Delta::default().word(old.swap_bytes(), most.swap_bytes())
        } else {
            delta
        };
        update(bytes, transport + TCP_CHECKSUM, |sum| delta.apply(sum));
    }
}

/// Carries an ICMP error across the translation of the flow whose packet it quotes.
///
/// `direction` is that of the error itself: the quoted packet went the other way. The error comes
/// to the sender of the quoted packet as if that had never been translated.
///
/// # Errors
/// [`DropReason::BadTransportChecksum`] if the error arrived damaged, or quotes a damaged header.
pub(crate) fn translate_error(
    packet: &mut PacketBuf,
    headers: &Headers,
    quoted: &Quoted,
    flow: &Flow,
    direction: Direction,
) -> Result<(), DropReason> {
    let (ip, icmp) = (usize::from(headers.ip), usize::from(headers.transport));
    let end = ip + usize::from(headers.total_len);
    let bytes = packet.bytes_mut();
    let message = bytes.get(icmp..end).ok_or(DropReason::InvalidIcmpLength)?;
    if checksum::sum(message) != 0xffff {
        return Err(DropReason::BadTransportChecksum);
    }
    // RFC 5508 REQ-3: a header that is quoted wrong says nothing about the flow. The checksum of the
    // transport is no concern of ours, its end is mostly missing.
    let header = bytes.get(quoted.ip..quoted.transport);
    if header.is_none_or(|header| checksum::sum(header) != 0xffff) {
        return Err(DropReason::BadTransportChecksum);
    }
    // What the quoted packet was before it was translated, and what it became.
    let sent = flow.arriving(direction.other());
    let became = quoted.tuple;

    // The packet in the quotation.
    put_addresses(bytes, quoted.ip, sent);
    let addresses = Delta::default()
        .address(became.source, sent.source)
        .address(became.destination, sent.destination);
    update(bytes, quoted.ip + IP_CHECKSUM, |sum| addresses.apply(sum));
    let ports = Delta::default()
        .word(became.source_port, sent.source_port)
        .word(became.destination_port, sent.destination_port);
    match quoted.protocol {
        PROTOCOL_TCP => {
            put_ports(bytes, quoted.transport, sent);
            let numbers = sequence::restore_quoted(bytes, quoted.transport, end, flow, direction);
            // Often cut off: RFC 792 quotes eight bytes.
            if quoted.transport + TCP_CHECKSUM + 2 <= end {
                let delta = addresses.and(ports).and(numbers);
                update(bytes, quoted.transport + TCP_CHECKSUM, |sum| {
                    delta.apply(sum)
                });
            }
        }
        PROTOCOL_UDP => {
            put_ports(bytes, quoted.transport, sent);
            let delta = addresses.and(ports);
            update(bytes, quoted.transport + UDP_CHECKSUM, |sum| {
                delta.apply_udp(sum)
            });
        }
        PROTOCOL_ICMP => {
            let kind = array::<1>(bytes, quoted.transport).map_or(0, |[kind]| kind);
            put_identifier(bytes, quoted.transport, kind, sent);
            update(bytes, quoted.transport + ICMP_CHECKSUM, |sum| {
                ports.apply(sum)
            });
        }
        _ => {}
    }

    // The error itself. A source behind a translation stays hidden by it, be it the peer or a
    // router before it.
    let old = headers.tuple;
    let is_hidden = sent.destination != became.destination;
    let source = if is_hidden {
        sent.destination
    } else {
        old.source
    };
    let new = Tuple {
        source,
        destination: sent.source,
        source_port: 0,
        destination_port: 0,
    };
    put_addresses(bytes, ip, new);
    let outer = Delta::default()
        .address(old.source, new.source)
        .address(old.destination, new.destination);
    update(bytes, ip + IP_CHECKSUM, |sum| outer.apply(sum));

    // Errors are rare and short: sum the message anew instead of tracking four changes.
    put(bytes, icmp + ICMP_CHECKSUM, &[0, 0]);
    let sum = bytes.get(icmp..end).map_or(0, checksum::sum);
    put(bytes, icmp + ICMP_CHECKSUM, &(!sum).to_be_bytes());
    Ok(())
}

fn put_addresses(bytes: &mut [u8], ip: usize, tuple: Tuple) {
    put(bytes, ip + IP_SOURCE, &tuple.source.octets());
    put(bytes, ip + IP_DESTINATION, &tuple.destination.octets());
}

fn put_ports(bytes: &mut [u8], transport: usize, tuple: Tuple) {
    put(bytes, transport, &tuple.source_port.to_be_bytes());
    put(bytes, transport + 2, &tuple.destination_port.to_be_bytes());
}

fn put_identifier(bytes: &mut [u8], icmp: usize, kind: u8, tuple: Tuple) {
    let identifier = if kind == ICMP_ECHO_REPLY {
        tuple.destination_port
    } else {
        tuple.source_port
    };
    put(bytes, icmp + ICMP_IDENTIFIER, &identifier.to_be_bytes());
}

fn update(bytes: &mut [u8], at: usize, change: impl FnOnce(u16) -> u16) {
    if let Some(field) = be16(bytes, at) {
        put(bytes, at, &change(field).to_be_bytes());
    }
}

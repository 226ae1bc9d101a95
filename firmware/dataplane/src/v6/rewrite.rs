//! Changing an IPv6 packet in place: addresses by name, hop limit, transport checksum.

use core::net::Ipv6Addr;

use hal::packet::PacketBuf;

use super::names::Names;
use super::wire::{DESTINATION, HOP_LIMIT, PROTOCOL_ICMPV6, SOURCE};
use crate::flow::{Direction, Flags, Flow};
use crate::wire::checksum::Delta;
use crate::wire::{
    Headers, ICMP_CHECKSUM, PROTOCOL_TCP, PROTOCOL_UDP, TCP_CHECKSUM, UDP_CHECKSUM, be16, put,
};

/// Where the checksum of a transport header is, if it covers the addresses.
pub(super) const fn checksum_at(protocol: u8) -> Option<usize> {
    match protocol {
        PROTOCOL_TCP => Some(TCP_CHECKSUM),
        PROTOCOL_UDP => Some(UDP_CHECKSUM),
        PROTOCOL_ICMPV6 => Some(ICMP_CHECKSUM),
        _ => None,
    }
}

/// Gives a packet of `flow` the addresses it leaves with. Ports are never translated.
pub(crate) fn translate(
    packet: &mut PacketBuf,
    headers: &Headers,
    flow: &Flow,
    direction: Direction,
    names: &Names,
) {
    let leaving = flow.leaving(direction);
    let (Some(source), Some(destination)) = (
        names.address(leaving.source),
        names.address(leaving.destination),
    ) else {
        return;
    };
    let is_partial = packet.offload().checksum_partial;
    let (_, delta) = flow.deltas(direction);
    let (ip, transport) = (usize::from(headers.ip), usize::from(headers.transport));
    let bytes = packet.bytes_mut();
    put(bytes, ip + SOURCE, &source.octets());
    put(bytes, ip + DESTINATION, &destination.octets());
    let Some(at) = checksum_at(headers.protocol).map(|offset| transport + offset) else {
        return;
    };
    if let Some(old) = be16(bytes, at) {
        let new = match headers.protocol {
            // A partial checksum covers the pseudo-header only, uncomplemented.
            _ if is_partial => delta.apply_to_sum(old),
            PROTOCOL_UDP => delta.apply_udp(old),
            _ => delta.apply(old),
        };
        put(bytes, at, &new.to_be_bytes());
    }
}

/// Gives the packet another hop limit. No checksum covers it.
pub(crate) fn put_hop_limit(packet: &mut PacketBuf, headers: &Headers, hops: u8) {
    let at = usize::from(headers.ip) + HOP_LIMIT;
    put(packet.bytes_mut(), at, &[hops]);
}

/// How the checksum changes when one address becomes another.
pub(super) fn delta_of(before: Delta, old: Ipv6Addr, new: Ipv6Addr) -> Delta {
    old.segments()
        .into_iter()
        .zip(new.segments())
        .fold(before, |delta, (old, new)| delta.word(old, new))
}

impl Flow {
    /// Computes flag and checksum change of a flow whose addresses are names.
    pub(super) fn set_translation6(&mut self, names: &Names) {
        let (old, new) = (
            self.arriving(Direction::Forward),
            self.leaving(Direction::Forward),
        );
        self.flags.clear(Flags::TRANSLATED);
        if old == new {
            return;
        }
        self.flags.set(Flags::TRANSLATED);
        self.ip_delta = Delta::default();
        self.transport_delta = [(old.source, new.source), (old.destination, new.destination)]
            .into_iter()
            .fold(Delta::default(), |delta, (old, new)| {
                match (names.address(old), names.address(new)) {
                    (Some(old), Some(new)) => delta_of(delta, old, new),
                    _ => delta,
                }
            });
    }
}

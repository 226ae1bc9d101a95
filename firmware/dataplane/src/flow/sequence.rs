//! Sequence numbers that differ between the two sides of a connection.
//!
//! A flow holds an offset for each side: what is added to the sequence numbers it sends. The
//! acknowledgments of the other side, and the edges in its selective ones (RFC 2018), have it taken
//! off again. Tracking sees everybody's own numbers. The offset is there because the box chose the
//! numbers of a side anew (RFC 6528: a number of time and a keyed hash of the tuple), or because it
//! answered a SYN before the server did.

use hal::packet::PacketBuf;
use hal::time::Instant;

use super::{Direction, Flow};
use crate::hash::HashKey;
use crate::wire::checksum::Delta;
use crate::wire::patch::Patch;
use crate::wire::{ACK, Headers, SYN, TcpFields, Tuple, array, put, tcp_option};

/// Offsets in the TCP header, RFC 9293 §3.1.
const SEQUENCE: usize = 4;
const ACKNOWLEDGMENT: usize = 8;
/// TCP option kind, RFC 2018 §3.
const OPTION_SACK: u8 = 5;

/// An unpredictable offset for the side that sends with `tuple`. It grows by one every four
/// microseconds, so that a connection that follows another with the same tuple lies behind it.
pub(crate) fn choose_offset(key: &HashKey, tuple: &Tuple, now: Instant) -> u32 {
    let (first, second) = tuple.words();
    let clock = (now.as_micros() / 4) as u32;
    (key.hash(first, second) as u32).wrapping_add(clock)
}

impl Flow {
    /// Whether any number is translated.
    #[inline]
    pub(crate) const fn has_offsets(&self) -> bool {
        self.offsets[0] | self.offsets[1] != 0
    }

    /// The header fields of a segment in the numbers of those who count by them.
    #[inline]
    pub(crate) const fn own_numbers(&self, direction: Direction, fields: &TcpFields) -> TcpFields {
        let mut own = *fields;
        own.acknowledgment = fields
            .acknowledgment
            .wrapping_sub(self.offsets[direction.other().index()]);
        own
    }
}

/// Gives a segment the numbers its receiver knows.
pub(crate) fn translate(
    packet: &mut PacketBuf,
    headers: &Headers,
    fields: &TcpFields,
    flow: &Flow,
    direction: Direction,
) {
    let sent = flow.offsets[direction.index()];
    let acknowledged = flow.offsets[direction.other().index()];
    let transport = usize::from(headers.transport);
    let mut patch = Patch::new(packet, headers);
    if sent != 0 {
        patch.put_long(transport + SEQUENCE, fields.sequence.wrapping_add(sent));
    }
    if acknowledged != 0 && fields.has(ACK) {
        patch.put_long(
            transport + ACKNOWLEDGMENT,
            fields.acknowledgment.wrapping_sub(acknowledged),
        );
        if fields.header_len > 20 && !fields.has(SYN) {
            let found = tcp_option(patch.bytes(), transport, fields.header_len, OPTION_SACK);
            // Options were parsed before.
            if let Ok(Some((at, len))) = found {
                for edge in (at..at + len / 4 * 4).step_by(4) {
                    if let Some(old) = array(patch.bytes(), edge).map(u32::from_be_bytes) {
                        patch.put_long(edge, old.wrapping_sub(acknowledged));
                    }
                }
            }
        }
    }
    patch.finish();
}

/// Gives the TCP header at `transport`, quoted by an ICMP error that goes in `direction`, the
/// numbers it was sent with; returns the change of its checksum. Often only eight bytes are quoted.
pub(crate) fn restore_quoted(
    bytes: &mut [u8],
    transport: usize,
    end: usize,
    flow: &Flow,
    direction: Direction,
) -> Delta {
    let mut delta = Delta::default();
    // The quoted segment went the other way.
    let sent = flow.offsets[direction.other().index()];
    let acknowledged = flow.offsets[direction.index()];
    for (field, change) in [
        (SEQUENCE, sent.wrapping_neg()),
        (ACKNOWLEDGMENT, acknowledged),
    ] {
        let at = transport + field;
        if change == 0 || at + 4 > end {
            continue;
        }
        if let Some(old) = array(bytes, at).map(u32::from_be_bytes) {
            let new = old.wrapping_add(change);
            delta = delta.long(old, new);
            put(bytes, at, &new.to_be_bytes());
        }
    }
    delta
}

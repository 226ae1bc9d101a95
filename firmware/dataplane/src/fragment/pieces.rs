//! A datagram in pieces: one chain of buffers, carried through the engine like any frame.
//!
//! The first buffer is a whole frame, the first fragment with its header; each further buffer holds
//! a piece of payload, with its fixed IPv4 header in the headroom right before it. So the first
//! fragment alone is looked at and translated, and only on the way out every piece gets its header
//! ([`restore_header`]) and goes as a frame of its own. Such a chain is told from an ordinary frame
//! of several buffers by "more fragments" in its first header.

use hal::offload::complete_checksum;
use hal::packet::{PacketBuf, PacketPool, SINGLE_FRAME_MAX};

use super::header::FragmentHeader;
use crate::drop_reason::DropReason;
use crate::wire::checksum::{self, Delta};
use crate::wire::{
    ETHERNET_LEN, Headers, IP_CHECKSUM, IP_DESTINATION, IP_DONT_FRAGMENT, IP_FRAGMENT,
    IP_IDENTIFICATION, IP_MORE_FRAGMENTS, IP_SOURCE, IP_TOTAL_LEN, IP_TTL, IPV4_LEN, array, be16,
    put,
};

/// Leaves of a fragment's frame what is kept: of the first all but padding, of others the payload
/// behind its fixed header.
pub(super) fn prepare(frame: &mut PacketBuf, header: &FragmentHeader) {
    let len = usize::from(header.len);
    if header.offset == 0 {
        frame.truncate(ETHERNET_LEN + header.header_len + len);
        return;
    }
    frame.trim_front(ETHERNET_LEN + header.header_len);
    frame.truncate(len);
    hide_header(frame, &header.fixed);
}

/// Writes a fixed header into the headroom before a piece of payload.
fn hide_header(piece: &mut PacketBuf, fixed: &[u8; IPV4_LEN]) {
    // The headroom held the very header, or is that of an empty buffer.
    if piece.grow_front(IPV4_LEN) {
        put(piece.bytes_mut(), 0, fixed);
        // No options in further fragments: those that are let through concern the first.
        put(piece.bytes_mut(), 0, &[0x45]);
        piece.trim_front(IPV4_LEN);
    }
}

/// Undoes what [`prepare`] has taken off a fragment that is not the first: its frame as it came, but
/// for options and padding.
pub(super) fn uncover(piece: &mut PacketBuf) {
    // Both lie in the headroom.
    let _ = piece.grow_front(IPV4_LEN + ETHERNET_LEN);
}

/// Whether a frame is the chain of a datagram in pieces.
pub(crate) fn is_in_pieces(frame: &PacketBuf) -> bool {
    frame.is_chained()
        // IPv6 has no such flag.
        && frame.bytes().get(ETHERNET_LEN).is_some_and(|&first| first >> 4 == 4)
        && be16(frame.bytes(), ETHERNET_LEN + IP_FRAGMENT)
            .is_some_and(|flags| flags & IP_MORE_FRAGMENTS != 0)
}

/// Parses a frame, in pieces or not.
pub(crate) fn parse(frame: &PacketBuf) -> Result<Headers, DropReason> {
    if is_in_pieces(frame) {
        parse_chain(frame)
    } else {
        Headers::parse(frame.bytes(), ETHERNET_LEN, frame.frame_len())
    }
}

/// Parses a datagram in pieces as the whole that it is.
pub(super) fn parse_chain(frame: &PacketBuf) -> Result<Headers, DropReason> {
    let total_len = frame.frame_len().saturating_sub(ETHERNET_LEN);
    let total_len = u16::try_from(total_len).map_err(|_| DropReason::FragmentInvalid)?;
    Headers::parse_in_pieces(frame.bytes(), ETHERNET_LEN, total_len)
}

/// Whether a packet longer than `mtu` has to be cut, or cut again.
///
/// # Errors
/// [`DropReason::MtuExceeded`] if it must not be.
#[cold]
pub(crate) fn must_cut(frame: &PacketBuf, headers: &Headers, mtu: u16) -> Result<bool, DropReason> {
    if is_in_pieces(frame) {
        let mut segments = frame.segments();
        let first = segments.next().map_or(0, <[u8]>::len) - ETHERNET_LEN.min(frame.len());
        let longest = segments.map(|piece| piece.len() + IPV4_LEN).max();
        if first.max(longest.unwrap_or(0)) <= usize::from(mtu) {
            return Ok(false);
        }
    }
    // A segmented frame is not cut again: its sender learns of the narrow path.
    if headers.dont_fragment || frame.offload().segment_size != 0 {
        Err(DropReason::MtuExceeded)
    } else {
        Ok(true)
    }
}

/// Makes of a packet, whole or in pieces, one whose pieces fit `mtu`, in buffers of the pool, of
/// which it leaves an eighth. The old buffers stay with `frame`.
///
/// # Errors
/// The reason why not.
#[cold]
pub(crate) fn cut(
    frame: &mut PacketBuf,
    headers: &Headers,
    mtu: u16,
    pool: &mut PacketPool,
) -> Result<PacketBuf, DropReason> {
    if !complete_checksum(frame) {
        return Err(DropReason::InvalidOffload);
    }
    let header_len = usize::from(headers.transport - headers.ip);
    let payload_at = ETHERNET_LEN + header_len;
    let payload_len = usize::from(headers.total_len).saturating_sub(header_len);
    // A fragment lies in one buffer.
    let most = usize::from(mtu).min(SINGLE_FRAME_MAX - ETHERNET_LEN);
    let first_len = most.saturating_sub(header_len) & !7;
    let other_len = most.saturating_sub(IPV4_LEN) & !7;
    if first_len == 0 || other_len == 0 {
        return Err(DropReason::MtuExceeded);
    }
    let count = 1 + payload_len.saturating_sub(first_len).div_ceil(other_len);
    if pool.available() < count + pool.total() / 8 {
        return Err(DropReason::DispatchBlockAlloc);
    }
    let front = frame.bytes().get(..payload_at);
    let front = front.ok_or(DropReason::InvalidIpHeader)?;
    let fixed: [u8; IPV4_LEN] = array(front, ETHERNET_LEN).ok_or(DropReason::InvalidIpHeader)?;
    // The buffer being filled, how much it still takes, and the full ones, last first.
    let mut current = pool.take().ok_or(DropReason::DispatchBlockAlloc)?;
    let mut room = first_len;
    let mut done: Option<PacketBuf> = None;
    // A header is shorter than a buffer.
    let _ = current.extend(front);
    let (mut left, mut skip) = (payload_len, payload_at);
    for segment in frame.segments() {
        let mut part = segment.get(skip..).unwrap_or_default();
        part = part.get(..left).unwrap_or(part);
        skip = 0;
        left -= part.len();
        while !part.is_empty() {
            if room == 0 {
                let Some(mut next) = pool.take() else {
                    // Counted above, so it cannot be.
                    break;
                };
                hide_header(&mut next, &fixed);
                push(&mut done, core::mem::replace(&mut current, next));
                room = other_len;
            }
            let (now, later) = part.split_at(part.len().min(room));
            // A piece is shorter than a buffer.
            let _ = current.extend(now);
            room -= now.len();
            part = later;
        }
    }
    push(&mut done, current);
    let mut pieces: Option<PacketBuf> = None;
    while let Some(mut piece) = done.take() {
        done = piece.take_rest();
        push(&mut pieces, piece);
    }
    let mut pieces = pieces.ok_or(DropReason::DispatchBlockAlloc)?;
    let first_total = header_len + first_len.min(payload_len);
    set_length(&mut pieces, first_total as u16, IP_MORE_FRAGMENTS);
    Ok(pieces)
}

/// Puts a buffer before a chain.
fn push(chain: &mut Option<PacketBuf>, mut buffer: PacketBuf) {
    if let Some(rest) = chain.take() {
        buffer.append(rest);
    }
    *chain = Some(buffer);
}

/// Makes a datagram in pieces one frame: in one buffer if it fits, else as a chain if it may be one.
/// Buffers that become free go back to the pool.
///
/// # Errors
/// [`DropReason::FragmentReassemblyFailed`] if it does not fit; nothing has changed then.
pub(super) fn merge(
    frame: &mut PacketBuf,
    headers: &Headers,
    may_be_chained: bool,
    pool: &mut PacketPool,
) -> Result<(), DropReason> {
    let rest: usize = frame.segments().skip(1).map(<[u8]>::len).sum();
    if rest > frame.tailroom() {
        if !may_be_chained {
            return Err(DropReason::FragmentReassemblyFailed);
        }
    } else if let Some(rest) = frame.take_rest() {
        for piece in rest.segments() {
            // There is room, as just seen.
            let _ = frame.extend(piece);
        }
        pool.free(rest);
    }
    set_length(frame, headers.total_len, 0);
    Ok(())
}

/// Sets total length and "more fragments" of the header of a frame.
fn set_length(frame: &mut PacketBuf, total_len: u16, more: u16) {
    let bytes = frame.bytes_mut();
    let word = |bytes: &[u8], at| be16(bytes, ETHERNET_LEN + at).unwrap_or(0);
    let (old_len, old_flags) = (word(bytes, IP_TOTAL_LEN), word(bytes, IP_FRAGMENT));
    let flags = old_flags & !IP_MORE_FRAGMENTS | more;
    let delta = Delta::default()
        .word(old_len, total_len)
        .word(old_flags, flags);
    let sum = delta.apply(word(bytes, IP_CHECKSUM));
    put(bytes, ETHERNET_LEN + IP_TOTAL_LEN, &total_len.to_be_bytes());
    put(bytes, ETHERNET_LEN + IP_FRAGMENT, &flags.to_be_bytes());
    put(bytes, ETHERNET_LEN + IP_CHECKSUM, &sum.to_be_bytes());
}

/// Gives a datagram in pieces another identification.
pub(super) fn set_identification(frame: &mut PacketBuf, identification: u16) {
    let bytes = frame.bytes_mut();
    let at = ETHERNET_LEN + IP_IDENTIFICATION;
    let old = be16(bytes, at).unwrap_or(0);
    let sum = be16(bytes, ETHERNET_LEN + IP_CHECKSUM).unwrap_or(0);
    let sum = Delta::default().word(old, identification).apply(sum);
    put(bytes, at, &identification.to_be_bytes());
    put(bytes, ETHERNET_LEN + IP_CHECKSUM, &sum.to_be_bytes());
}

/// Puts Ethernet room and IPv4 header before a piece: its own, with what has changed in the first
/// fragment's (`first`), at `offset` of the payload.
pub(super) fn restore_header(
    piece: &mut PacketBuf,
    first: &[u8; IPV4_LEN],
    offset: usize,
    has_more: bool,
) {
    let total_len = IPV4_LEN + piece.len();
    if !piece.grow_front(IPV4_LEN) {
        return;
    }
    let more = if has_more { IP_MORE_FRAGMENTS } else { 0 };
    let dont_fragment = be16(first, IP_FRAGMENT).unwrap_or(0) & IP_DONT_FRAGMENT;
    // Both come from lengths below 64 KiB.
    let flags = dont_fragment | more | (offset / 8) as u16;
    let header = piece.bytes_mut();
    put(header, IP_TOTAL_LEN, &(total_len as u16).to_be_bytes());
    for (at, len) in [
        (IP_IDENTIFICATION, 2),
        (IP_TTL, 2),
        (IP_SOURCE, 4),
        (IP_DESTINATION, 4),
    ] {
        put(header, at, first.get(at..at + len).unwrap_or_default());
    }
    put(header, IP_FRAGMENT, &flags.to_be_bytes());
    put(header, IP_CHECKSUM, &[0, 0]);
    let sum = header.get(..IPV4_LEN).map_or(0, checksum::sum);
    put(header, IP_CHECKSUM, &(!sum).to_be_bytes());
    // Before the header there was another, or empty headroom.
    let _ = piece.grow_front(ETHERNET_LEN);
}

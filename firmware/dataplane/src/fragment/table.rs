//! Fragments that wait for the rest of their datagram.
//!
//! A datagram is found by addresses, protocol, identification and ingress, through a keyed hash. Its
//! pieces are a list sorted by offset, in slots claimed at the start; the buffers stay where they
//! were received. What is held is bounded four times: fragments of an interface and fragments of a
//! datagram (both configured), slots, and buffers, of which only a share of the packet pool may wait
//! here. A datagram that has contradicted itself is remembered without its buffers until its time is
//! over, so that what still comes of it is refused at once.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use hal::packet::PacketBuf;

use super::header::FragmentHeader;
use super::pieces;
use crate::buckets::Buckets;
use crate::drop_reason::DropReason;
use crate::hash::HashKey;
use crate::policy::{FragmentRule, PortId};
use crate::wheel::{Tick, Wheel};

const NONE: u32 = u32::MAX;

/// What tells datagrams apart, RFC 791 §3.2; and where they arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    source: Ipv4Addr,
    destination: Ipv4Addr,
    identification: u16,
    protocol: u8,
    port: PortId,
}

impl Key {
    fn new(port: PortId, header: &FragmentHeader) -> Self {
        Self {
            source: header.tuple.source,
            destination: header.tuple.destination,
            identification: header.identification,
            protocol: header.protocol,
            port,
        }
    }

    fn hash(&self, key: &HashKey) -> u64 {
        let addresses =
            u64::from(self.source.to_bits()) << 32 | u64::from(self.destination.to_bits());
        let rest = u64::from(self.identification) << 16
            | u64::from(self.protocol) << 8
            | u64::from(self.port.0);
        key.hash(addresses, rest)
    }
}

/// A datagram of which pieces have come.
struct Datagram {
    key: Key,
    hash: u64,
    /// Lowest and highest piece.
    first: u32,
    last: u32,
    /// Pieces in the list.
    count: u16,
    /// Bytes of payload in the list.
    received: u32,
    /// Bytes of payload of the whole, once the last fragment has come.
    whole: Option<u32>,
    /// Set if no more is taken of it.
    refused: Option<DropReason>,
    /// Next free slot, if this one is free.
    next_free: u32,
    is_free: bool,
}

/// A fragment in its place.
struct Piece {
    frame: Option<PacketBuf>,
    offset: u16,
    len: u16,
    /// The next piece of the datagram, or the next free slot.
    next: u32,
}

/// What a port's fragments have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PortFragments {
    /// Held now.
    pub(crate) held: u32,
    pub(crate) assembled: u64,
    pub(crate) failed: u64,
    pub(crate) overflow: u64,
}

/// What became of a fragment.
pub(crate) enum Taken {
    /// Kept.
    Held,
    /// The datagram is complete: its frames in order, chained, and how many.
    Complete(PacketBuf, u16),
    /// Not taken. If the reason condemns the datagram, its pieces come too, chained.
    Refused(DropReason, PacketBuf, Option<PacketBuf>),
}

/// The table.
pub(crate) struct FragmentTable {
    datagrams: Vec<Datagram>,
    pieces: Vec<Piece>,
    free_datagram: u32,
    free_piece: u32,
    index: Buckets,
    timers: Wheel,
    key: HashKey,
    ports: Vec<PortFragments>,
}

impl FragmentTable {
    /// Slots for `capacity` fragments, and as many datagrams.
    pub(crate) fn new(capacity: u16, ports: u8, key: HashKey) -> Self {
        let capacity = usize::from(capacity);
        let next_of = |slot: usize| {
            if slot + 1 < capacity {
                slot as u32 + 1
            } else {
                NONE
            }
        };
        Self {
            datagrams: (0..capacity)
                .map(|slot| Datagram::unused(next_of(slot)))
                .collect(),
            pieces: (0..capacity)
                .map(|slot| Piece {
                    frame: None,
                    offset: 0,
                    len: 0,
                    next: next_of(slot),
                })
                .collect(),
            free_datagram: if capacity == 0 { NONE } else { 0 },
            free_piece: if capacity == 0 { NONE } else { 0 },
            index: Buckets::new(capacity),
            timers: Wheel::new(capacity),
            key,
            ports: alloc::vec![PortFragments::default(); usize::from(ports)],
        }
    }

    /// Bytes that a table of `capacity` takes.
    pub(crate) const fn memory_bytes(capacity: u16) -> usize {
        let capacity = capacity as usize;
        capacity * (size_of::<Datagram>() + size_of::<Piece>() + Wheel::ENTRY_BYTES)
            + Buckets::memory_bytes(capacity)
    }

    /// Fragments held now.
    pub(crate) fn held(&self) -> u32 {
        self.ports.iter().map(|port| port.held).sum()
    }

    /// What a port's fragments have come to.
    pub(crate) fn port(&self, port: PortId) -> PortFragments {
        self.ports.get(port.index()).copied().unwrap_or_default()
    }

    /// Takes a fragment, of which `frame` holds what `header` says. No more than `share` buffers
    /// wait here.
    pub(crate) fn take(
        &mut self,
        port: PortId,
        header: &FragmentHeader,
        frame: PacketBuf,
        rule: &FragmentRule,
        share: usize,
        now: Tick,
    ) -> Taken {
        let key = Key::new(port, header);
        let hash = key.hash(&self.key);
        let known = self.index.find(hash, |slot| {
            self.datagrams
                .get(slot as usize)
                .is_some_and(|datagram| !datagram.is_free && datagram.key == key)
        });
        if let Some(refused) = known
            .and_then(|slot| self.datagrams.get(slot as usize))
            .and_then(|datagram| datagram.refused)
        {
            return Taken::Refused(refused, frame, None);
        }
        let is_full = self.free_piece == NONE
            || self.held() as usize >= share
            || self
                .ports
                .get(port.index())
                .is_none_or(|state| state.held >= u32::from(rule.size));
        if is_full {
            self.count_overflow(port);
            return Taken::Refused(DropReason::FragmentDatabaseLimit, frame, None);
        }
        let slot = match known {
            Some(slot) => slot,
            None => match self.add_datagram(key, hash, now.saturating_add(rule.timeout_ticks())) {
                Some(slot) => slot,
                None => {
                    self.count_overflow(port);
                    return Taken::Refused(DropReason::FragmentDatabaseLimit, frame, None);
                }
            },
        };
        match self.find_place(slot, header, rule) {
            Ok(before) => self.link(slot, before, header, frame),
            Err(DropReason::FragmentDuplicate) => {
                return Taken::Refused(DropReason::FragmentDuplicate, frame, None);
            }
            Err(reason) => {
                let pieces = self.condemn(slot, reason);
                return Taken::Refused(reason, frame, pieces);
            }
        }
        let is_complete = self
            .datagrams
            .get(slot as usize)
            .is_some_and(|datagram| datagram.whole == Some(datagram.received));
        if !is_complete {
            return Taken::Held;
        }
        let count = self
            .datagrams
            .get(slot as usize)
            .map_or(0, |datagram| datagram.count);
        let pieces = self.unlink_all(slot, false);
        self.remove(slot);
        match pieces {
            Some(first) => {
                if let Some(state) = self.ports.get_mut(port.index()) {
                    state.assembled += 1;
                }
                Taken::Complete(first, count)
            }
            // It has pieces: the one just linked.
            None => Taken::Held,
        }
    }

    /// Pieces of a datagram whose time is over, chained. Call until `None`.
    pub(crate) fn pop_due(&mut self, now: Tick) -> Option<PacketBuf> {
        while let Some(slot) = self.timers.pop_due(now) {
            let port = self
                .datagrams
                .get(slot as usize)
                .map(|found| found.key.port);
            let pieces = self.unlink_all(slot, true);
            self.remove(slot);
            if pieces.is_some() {
                self.count_failed(port.unwrap_or(PortId(0)));
                return pieces;
            }
        }
        None
    }

    /// When [`pop_due`](Self::pop_due) may have something to do.
    pub(crate) fn next_deadline(&self) -> Option<Tick> {
        self.timers.next()
    }

    /// Zeroes the counters of a port.
    pub(crate) fn clear_counters(&mut self, port: PortId) {
        if let Some(state) = self.ports.get_mut(port.index()) {
            *state = PortFragments {
                held: state.held,
                ..PortFragments::default()
            };
        }
    }

    fn count_overflow(&mut self, port: PortId) {
        if let Some(state) = self.ports.get_mut(port.index()) {
            state.overflow += 1;
        }
    }

    /// Where a fragment belongs: the piece it follows, or [`NONE`] for the front.
    fn find_place(
        &self,
        slot: u32,
        header: &FragmentHeader,
        rule: &FragmentRule,
    ) -> Result<u32, DropReason> {
        let Some(datagram) = self.datagrams.get(slot as usize) else {
            return Err(DropReason::FragmentReassemblyFailed);
        };
        let end_of = |piece: &Piece| u32::from(piece.offset) + u32::from(piece.len);
        let last = self.pieces.get(datagram.last as usize);
        let mut before = NONE;
        let mut next = datagram.first;
        if let Some(last) = last
            && last.offset < header.offset
        {
            // Most come in order.
            (before, next) = (datagram.last, NONE);
        } else {
            while let Some(piece) = self.pieces.get(next as usize)
                && piece.offset < header.offset
            {
                (before, next) = (next, piece.next);
            }
        }
        let follower = self.pieces.get(next as usize);
        if follower.is_some_and(|piece| (piece.offset, piece.len) == (header.offset, header.len))
            && header.has_more != (datagram.whole == Some(header.end()))
        {
            return Err(DropReason::FragmentDuplicate);
        }
        let overlaps_before = self
            .pieces
            .get(before as usize)
            .is_some_and(|piece| end_of(piece) > u32::from(header.offset));
        let overlaps_after = follower.is_some_and(|piece| u32::from(piece.offset) < header.end());
        // Only the last fragment ends where the datagram does, and there is one.
        let contradicts_end = match datagram.whole {
            Some(whole) => !header.has_more || header.end() > whole,
            None => {
                !header.has_more && last.is_some_and(|last| end_of(last) > u32::from(header.offset))
            }
        };
        if overlaps_before || overlaps_after || contradicts_end {
            return Err(DropReason::FragmentOverlap);
        }
        if datagram.count >= rule.chain {
            return Err(DropReason::FragmentChainLimit);
        }
        Ok(before)
    }

    fn link(&mut self, slot: u32, before: u32, header: &FragmentHeader, frame: PacketBuf) {
        let place = self.free_piece;
        let Some(datagram) = self.datagrams.get_mut(slot as usize) else {
            return;
        };
        let following = match self.pieces.get_mut(before as usize) {
            Some(leading) => core::mem::replace(&mut leading.next, place),
            None => core::mem::replace(&mut datagram.first, place),
        };
        if following == NONE {
            datagram.last = place;
        }
        // `take` has seen that a slot is free.
        if let Some(piece) = self.pieces.get_mut(place as usize) {
            self.free_piece = piece.next;
            *piece = Piece {
                frame: Some(frame),
                offset: header.offset,
                len: header.len,
                next: following,
            };
        }
        datagram.count += 1;
        datagram.received += u32::from(header.len);
        if !header.has_more {
            datagram.whole = Some(header.end());
        }
        if let Some(state) = self.ports.get_mut(datagram.key.port.index()) {
            state.held += 1;
        }
    }

    /// Gives the pieces of a datagram back and refuses what still comes of it.
    fn condemn(&mut self, slot: u32, reason: DropReason) -> Option<PacketBuf> {
        let pieces = self.unlink_all(slot, true);
        let datagram = self.datagrams.get_mut(slot as usize)?;
        datagram.refused = Some(reason);
        let port = datagram.key.port;
        self.count_failed(port);
        pieces
    }

    /// Takes all pieces of a datagram out; their frames in order, chained. Those that are `given_up`
    /// get their headers back.
    fn unlink_all(&mut self, slot: u32, given_up: bool) -> Option<PacketBuf> {
        let datagram = self.datagrams.get_mut(slot as usize)?;
        let count = core::mem::take(&mut datagram.count);
        let mut place = core::mem::replace(&mut datagram.first, NONE);
        datagram.last = NONE;
        datagram.received = 0;
        if let Some(state) = self.ports.get_mut(datagram.key.port.index()) {
            state.held = state.held.saturating_sub(u32::from(count));
        }
        // Turned round first: to chain from the end takes one step a piece.
        let mut reversed = NONE;
        while let Some(piece) = self.pieces.get_mut(place as usize) {
            let next = core::mem::replace(&mut piece.next, reversed);
            (reversed, place) = (place, next);
        }
        let mut chain: Option<PacketBuf> = None;
        while let Some(piece) = self.pieces.get_mut(reversed as usize) {
            if let Some(mut frame) = piece.frame.take() {
                if given_up && piece.offset != 0 {
                    pieces::uncover(&mut frame);
                }
                if let Some(rest) = chain.take() {
                    frame.append(rest);
                }
                chain = Some(frame);
            }
            let next = core::mem::replace(&mut piece.next, self.free_piece);
            (self.free_piece, reversed) = (reversed, next);
        }
        chain
    }

    fn add_datagram(&mut self, key: Key, hash: u64, deadline: Tick) -> Option<u32> {
        let slot = self.free_datagram;
        let datagram = self.datagrams.get_mut(slot as usize)?;
        if !self.index.insert(hash, slot) {
            return None;
        }
        self.free_datagram = datagram.next_free;
        *datagram = Datagram {
            key,
            hash,
            is_free: false,
            ..Datagram::unused(NONE)
        };
        self.timers.set(slot, deadline);
        Some(slot)
    }

    fn remove(&mut self, slot: u32) {
        let Some(datagram) = self.datagrams.get_mut(slot as usize) else {
            return;
        };
        self.index.remove(datagram.hash, slot);
        self.timers.cancel(slot);
        *datagram = Datagram::unused(self.free_datagram);
        self.free_datagram = slot;
    }

    /// Counts a datagram that came to nothing.
    pub(crate) fn count_failed(&mut self, port: PortId) {
        if let Some(state) = self.ports.get_mut(port.index()) {
            state.failed += 1;
        }
    }

    /// Datagrams that are remembered, refused ones included.
    #[cfg(test)]
    pub(crate) fn datagrams(&self) -> usize {
        self.datagrams
            .iter()
            .filter(|datagram| !datagram.is_free)
            .count()
    }
}

impl Datagram {
    const fn unused(next_free: u32) -> Self {
        Self {
            key: Key {
                source: Ipv4Addr::UNSPECIFIED,
                destination: Ipv4Addr::UNSPECIFIED,
                identification: 0,
                protocol: 0,
                port: PortId(0),
            },
            hash: 0,
            first: NONE,
            last: NONE,
            count: 0,
            received: 0,
            whole: None,
            refused: None,
            next_free,
            is_free: true,
        }
    }
}

//! The flow table: records, the index over both directions, idle timers.

use alloc::vec::Vec;
use core::ops::Range;

use super::{Direction, Flow, NONE, State};
use crate::buckets::Buckets;
use crate::hash::HashKey;
use crate::policy::PortId;
use crate::view::{FlowId, Usage};
use crate::wheel::{Tick, Wheel};
use crate::wire::Tuple;

/// Why a flow could not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InsertError {
    /// Every record is taken.
    Full,
    /// Another flow already receives what one of the directions would.
    Ambiguous,
}

/// All flows. Sized once.
pub(crate) struct FlowTable {
    flows: Vec<Flow>,
    index: Buckets,
    timers: Wheel,
    key: HashKey,
    free: u32,
    in_use: u32,
    most_used: u32,
    /// Flows that ever were, as far as 32 bits count.
    opened: u32,
}

impl FlowTable {
    /// A table for `capacity` flows.
    pub(crate) fn new(capacity: u32, key: HashKey) -> Self {
        // References are an index and a direction bit, below `u32::MAX`.
        let capacity = capacity.min(u32::MAX / 4);
        let mut flows = alloc::vec![Flow::unused(); capacity as usize];
        for (index, flow) in (1..).zip(&mut flows) {
            flow.binding = if index < capacity { index } else { NONE };
        }
        Self {
            flows,
            index: Buckets::new(capacity as usize * 2),
            timers: Wheel::new(capacity as usize),
            key,
            free: if capacity == 0 { NONE } else { 0 },
            in_use: 0,
            most_used: 0,
            opened: 0,
        }
    }

    /// Bytes that a table for `capacity` flows takes.
    pub(crate) const fn memory_bytes(capacity: u32) -> usize {
        let capacity = capacity as usize;
        capacity * (size_of::<Flow>() + Wheel::ENTRY_BYTES) + Buckets::memory_bytes(capacity * 2)
    }

    /// The hash under which packets with `tuple` arriving at `port` are found.
    #[inline]
    pub(crate) fn hash(&self, port: PortId, protocol: u8, tuple: &Tuple) -> u64 {
        let addresses =
            u64::from(tuple.source.to_bits()) << 32 | u64::from(tuple.destination.to_bits());
        let rest = u64::from(tuple.source_port) << 48
            | u64::from(tuple.destination_port) << 32
            | u64::from(protocol) << 8
            | u64::from(port.0);
        self.key.hash(addresses, rest)
    }

    /// Reads the bucket and the record that a look-up of `hash` will read, for their cache lines;
    /// returns a value that depends on both, so that the reads cannot be left out.
    #[inline]
    pub(crate) fn touch_bucket(&self, hash: u64) -> Option<u32> {
        self.index.peek(hash)
    }

    /// See [`touch_bucket`](Self::touch_bucket); `reference` is what it returned.
    #[inline]
    pub(crate) fn touch_record(&self, reference: u32, is_tcp: bool) -> u32 {
        self.flows.get(reference as usize >> 1).map_or(0, |flow| {
            // The second cache line is TCP's.
            flow.last_used ^ if is_tcp { flow.binding } else { 0 }
        })
    }

    /// The flow, and the direction in it, of packets with `tuple` arriving at `port`.
    #[inline]
    pub(crate) fn find(
        &self,
        hash: u64,
        port: PortId,
        protocol: u8,
        tuple: &Tuple,
    ) -> Option<(u32, Direction)> {
        let reference = self.index.find(hash, |reference| {
            let direction = (reference & 1) as usize;
            self.flows.get(reference as usize >> 1).is_some_and(|flow| {
                flow.tuples[direction] == *tuple
                    && flow.protocol == protocol
                    && flow.ports[direction] == port
            })
        })?;
        let direction = if reference & 1 == 0 {
            Direction::Forward
        } else {
            Direction::Reply
        };
        Some((reference >> 1, direction))
    }

    /// As [`find`](Self::find), hashing first.
    pub(crate) fn find_tuple(
        &self,
        port: PortId,
        protocol: u8,
        tuple: &Tuple,
    ) -> Option<(u32, Direction)> {
        self.find(self.hash(port, protocol, tuple), port, protocol, tuple)
    }

    /// Whether there is room for one more.
    pub(crate) const fn is_full(&self) -> bool {
        self.free == NONE
    }

    /// Adds `flow`, to be looked at again at `deadline` (`None`: never).
    ///
    /// # Errors
    /// See [`InsertError`]; nothing is changed then.
    pub(crate) fn insert(
        &mut self,
        mut flow: Flow,
        deadline: Option<Tick>,
    ) -> Result<u32, InsertError> {
        let index = self.free;
        let Some(record) = self.flows.get(index as usize) else {
            return Err(InsertError::Full);
        };
        let next_free = record.binding;
        let hashes = self.hashes(&flow);
        for (direction, hash) in hashes.into_iter().enumerate() {
            let (port, tuple) = (flow.ports[direction], &flow.tuples[direction]);
            if self.find(hash, port, flow.protocol, tuple).is_some() {
                return Err(InsertError::Ambiguous);
            }
        }
        if flow.tuples[0] == flow.tuples[1] && flow.ports[0] == flow.ports[1] {
            // A packet to itself.
            return Err(InsertError::Ambiguous);
        }
        if !self.index.insert(hashes[0], index << 1) {
            return Err(InsertError::Full);
        }
        if !self.index.insert(hashes[1], index << 1 | 1) {
            self.index.remove(hashes[0], index << 1);
            return Err(InsertError::Full);
        }
        self.opened = self.opened.wrapping_add(1);
        flow.generation = self.opened;
        if let Some(record) = self.flows.get_mut(index as usize) {
            *record = flow;
        }
        self.free = next_free;
        self.in_use += 1;
        self.most_used = self.most_used.max(self.in_use);
        self.set_deadline(index, deadline);
        Ok(index)
    }

    /// Takes a flow out and returns its record.
    pub(crate) fn remove(&mut self, index: u32) -> Option<Flow> {
        let record = self.flows.get(index as usize)?;
        if record.state == State::Free {
            return None;
        }
        let removed = record.clone();
        let hashes = self.hashes(&removed);
        self.index.remove(hashes[0], index << 1);
        self.index.remove(hashes[1], index << 1 | 1);
        self.timers.cancel(index);
        let record = self.flows.get_mut(index as usize)?;
        record.state = State::Free;
        record.binding = self.free;
        self.free = index;
        self.in_use -= 1;
        Some(removed)
    }

    fn hashes(&self, flow: &Flow) -> [u64; 2] {
        [0, 1].map(|n| self.hash(flow.ports[n], flow.protocol, &flow.tuples[n]))
    }

    /// The record at `index`.
    #[inline]
    pub(crate) fn get(&self, index: u32) -> Option<&Flow> {
        self.flows.get(index as usize)
    }

    /// The record at `index`.
    #[inline]
    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut Flow> {
        self.flows.get_mut(index as usize)
    }

    /// The index of a flow that still lives.
    pub(crate) fn resolve(&self, id: FlowId) -> Option<u32> {
        let flow = self.get(id.index)?;
        (flow.state != State::Free && flow.generation == id.generation).then_some(id.index)
    }

    /// The name of the flow at `index`.
    pub(crate) fn id(&self, index: u32) -> FlowId {
        FlowId {
            index,
            generation: self.get(index).map_or(0, |flow| flow.generation),
        }
    }

    /// The name the next flow will have.
    pub(crate) fn next_id(&self) -> FlowId {
        FlowId {
            index: self.free,
            generation: self.opened.wrapping_add(1),
        }
    }

    /// Sets when to look at a flow again.
    pub(crate) fn set_deadline(&mut self, index: u32, deadline: Option<Tick>) {
        match deadline {
            Some(deadline) => self.timers.set(index, deadline),
            None => self.timers.cancel(index),
        }
    }

    /// A flow to be looked at by `now`; its timer is off then.
    pub(crate) fn pop_due(&mut self, now: Tick) -> Option<u32> {
        self.timers.pop_due(now)
    }

    /// When the next flow is to be looked at.
    pub(crate) fn next_deadline(&self) -> Option<Tick> {
        self.timers.next()
    }

    /// The flows in use with their indices.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Flow)> {
        (0..)
            .zip(&self.flows)
            .filter(|(_, flow)| flow.state != State::Free)
    }

    /// The flows in use among the records `records`, with their indices.
    pub(crate) fn iter_within(&self, records: Range<u32>) -> impl Iterator<Item = (u32, &Flow)> {
        let end = (records.end as usize).min(self.flows.len());
        let flows = self.flows.get(records.start as usize..end);
        (records.start..)
            .zip(flows.unwrap_or_default())
            .filter(|(_, flow)| flow.state != State::Free)
    }

    /// Records in all, in use or not.
    pub(crate) fn capacity(&self) -> u32 {
        // Cut to 30 bits in `new`.
        self.flows.len() as u32
    }

    /// How full the table is.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            in_use: self.in_use,
            most_used: self.most_used,
            limit: self.capacity(),
        }
    }

    /// Makes the present use the most there ever was.
    pub(crate) fn reset_most_used(&mut self) {
        self.most_used = self.in_use;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn flow(n: u16) -> Flow {
        let tuple = Tuple {
            source: Ipv4Addr::new(192, 0, 2, 1),
            destination: Ipv4Addr::new(198, 51, 100, 1),
            source_port: n,
            destination_port: 80,
        };
        Flow {
            tuples: [tuple, tuple.reversed()],
            ports: [PortId(0), PortId(1)],
            protocol: 17,
            state: State::Stateless,
            ..Flow::unused()
        }
    }

    #[test]
    fn both_directions_lead_to_one_record_and_a_full_table_says_so() {
        let mut table = FlowTable::new(100, HashKey::new([7; 16]));
        for n in 0..100 {
            assert_eq!(table.insert(flow(n), None), Ok(u32::from(n)));
        }
        assert_eq!(table.insert(flow(100), None), Err(InsertError::Full));
        assert!(table.is_full());
        let tuples = flow(42).tuples;
        assert_eq!(
            table.find_tuple(PortId(0), 17, &tuples[0]),
            Some((42, Direction::Forward))
        );
        assert_eq!(
            table.find_tuple(PortId(1), 17, &tuples[1]),
            Some((42, Direction::Reply))
        );
        // The wrong port, protocol or direction is another flow.
        assert_eq!(table.find_tuple(PortId(1), 17, &tuples[0]), None);
        assert_eq!(table.find_tuple(PortId(0), 6, &tuples[0]), None);
        let id = table.id(42);
        assert!(table.remove(42).is_some() && table.remove(42).is_none());
        assert_eq!(table.resolve(id), None);
        assert_eq!(table.find_tuple(PortId(0), 17, &tuples[0]), None);
        assert_eq!(table.insert(flow(7), None), Err(InsertError::Ambiguous));
        assert_eq!(table.insert(flow(100), None), Ok(42));
        assert_eq!(
            table.usage(),
            Usage {
                in_use: 100,
                most_used: 100,
                limit: 100
            }
        );
    }

    #[test]
    fn a_table_without_room_takes_nothing() {
        let mut table = FlowTable::new(0, HashKey::new([7; 16]));
        assert_eq!(table.insert(flow(1), None), Err(InsertError::Full));
    }
}

//! Stages of the packet path by themselves, for the benchmarks. No part of the interface.

use alloc::vec::Vec;

use hal::packet::PacketBuf;

use crate::buckets::Buckets;
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::{Direction, Flow};
use crate::hash::HashKey;
use crate::nat::rewrite;
use crate::policy::PortId;
use crate::slowpath::{Hits, icmp_code};
use crate::wire::{ETHERNET_LEN, Headers, Tuple};

/// Reads the headers of a frame.
///
/// # Errors
/// Why the frame is dropped.
#[inline]
pub fn parse(frame: &[u8]) -> Result<Parsed, DropReason> {
    Headers::parse(frame, ETHERNET_LEN, frame.len()).map(Parsed)
}

/// What [`parse`] found.
pub struct Parsed(Headers);

/// Whether the slow path would let `frame` open a flow.
pub fn decides_to_open(plane: &DataPlane, ingress: PortId, frame: &[u8], parsed: &Parsed) -> bool {
    let code = icmp_code(frame, &parsed.0);
    plane
        .decide(ingress, &parsed.0, code, &mut Hits::default())
        .is_ok()
}

/// The translation of one flow.
pub struct Rewrite(Flow);

impl Rewrite {
    /// From the packet `parsed` to one with the addresses and ports of `leaving`.
    pub fn new(parsed: &Parsed, leaving: &Parsed) -> Self {
        let mut flow = Flow::unused();
        let leaving: Tuple = leaving.0.tuple;
        flow.tuples = [parsed.0.tuple, leaving.reversed()];
        flow.protocol = parsed.0.protocol;
        flow.set_translation();
        Self(flow)
    }

    /// Translates one packet in place.
    #[inline]
    pub fn apply(&self, frame: &mut PacketBuf, parsed: &Parsed) {
        rewrite::translate(frame, &parsed.0, &self.0, Direction::Forward);
    }
}

/// The flow table's index: keys of two words, found as the flow table finds tuples.
pub struct Table {
    keys: Vec<(u64, u64)>,
    index: Buckets,
    hash_key: HashKey,
}

impl Table {
    /// A table of `keys`, each mapped to its place.
    pub fn new(keys: impl Iterator<Item = (u64, u64)>) -> Self {
        let keys: Vec<_> = keys.collect();
        let mut index = Buckets::new(keys.len());
        let hash_key = HashKey::new(*b"an unlikely key.");
        for (place, key) in (0..).zip(&keys) {
            // Sized for them all.
            let _ = index.insert(hash_key.hash(key.0, key.1), place);
        }
        Self {
            keys,
            index,
            hash_key,
        }
    }

    /// The place of `key`.
    #[inline]
    pub fn find(&self, key: (u64, u64)) -> Option<u32> {
        self.find_hashed(self.hash_key.hash(key.0, key.1), key)
    }

    #[inline]
    fn find_hashed(&self, hash: u64, key: (u64, u64)) -> Option<u32> {
        self.index
            .find(hash, |place| self.keys.get(place as usize) == Some(&key))
    }

    /// The sum of the places of the keys of `numbers`, looked up as `handle_batch` does.
    pub fn find_batch(&self, numbers: &[u32], key: impl Fn(u32) -> (u64, u64)) -> u64 {
        let mut keys: heapless::Vec<((u64, u64), u64), 32> = heapless::Vec::new();
        for &number in numbers {
            let key = key(number);
            let _ = keys.push((key, self.hash_key.hash(key.0, key.1)));
        }
        let mut touched = 0u64;
        let mut places: heapless::Vec<u32, 32> = heapless::Vec::new();
        for &(_, hash) in &keys {
            if let Some(place) = self.index.peek(hash) {
                let _ = places.push(place);
            }
        }
        for &place in &places {
            touched ^= self.keys.get(place as usize).map_or(0, |key| key.0);
        }
        core::hint::black_box(touched);
        keys.iter()
            .filter_map(|&(key, hash)| self.find_hashed(hash, key))
            .map(u64::from)
            .sum()
    }
}

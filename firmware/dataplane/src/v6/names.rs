//! Short names for IPv6 addresses, so that one flow engine serves both families.
//!
//! Flows, their index and their timers deal in addresses of 32 bits. An IPv6 address that a flow uses
//! is given a *name* of that size, for as long as a flow uses it: a number in 240.0.0.0/4, which
//! [`Headers::parse`](crate::wire::Headers::parse) lets no IPv4 packet carry. A packet pays two look-ups
//! of its addresses here and is from then on like any other; an IPv4 packet pays nothing.
//!
//! Names are given out only when a flow opens, so there are never more than four a flow, and a stranger
//! who sends from a million addresses fills no table.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use crate::buckets::Buckets;
use crate::flow::NONE;
use crate::hash::HashKey;

/// The bits that tell a name from an IPv4 address.
const MARK: u32 = 0xf000_0000;

/// Whether `address` is the name of an IPv6 address.
#[inline]
pub(crate) const fn is_name(address: Ipv4Addr) -> bool {
    address.to_bits() & MARK == MARK && !address.is_broadcast()
}

struct Entry {
    address: Ipv6Addr,
    /// How many tuples of flows carry it; 0 if the entry is free.
    uses: u32,
    next_free: u32,
}

/// The table of names. Sized once.
pub(crate) struct Names {
    entries: Vec<Entry>,
    index: Buckets,
    key: HashKey,
    free: u32,
}

impl Names {
    /// Room for `capacity` addresses.
    pub(crate) fn new(capacity: u32, key: HashKey) -> Self {
        // The last name of the range would be the broadcast address.
        let capacity = capacity.min(!MARK);
        let mut entries = Vec::new();
        entries.resize_with(capacity as usize, || Entry {
            address: Ipv6Addr::UNSPECIFIED,
            uses: 0,
            next_free: NONE,
        });
        for (next, entry) in (1..capacity).zip(&mut entries) {
            entry.next_free = next;
        }
        Self {
            entries,
            index: Buckets::new(capacity as usize),
            key,
            free: if capacity == 0 { NONE } else { 0 },
        }
    }

    /// Bytes that a table for `capacity` addresses takes.
    pub(crate) const fn memory_bytes(capacity: u32) -> usize {
        capacity as usize * size_of::<Entry>() + Buckets::memory_bytes(capacity as usize)
    }

    /// The name of `address`, if a flow uses it.
    #[inline]
    pub(crate) fn find(&self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        let index = self.index.find(self.hash(address), |index| {
            self.entries
                .get(index as usize)
                .is_some_and(|entry| entry.address == address)
        })?;
        Some(Ipv4Addr::from_bits(MARK | index))
    }

    /// The address behind `name`.
    #[inline]
    pub(crate) fn address(&self, name: Ipv4Addr) -> Option<Ipv6Addr> {
        if !is_name(name) {
            return None;
        }
        self.entries
            .get((name.to_bits() & !MARK) as usize)
            .filter(|entry| entry.uses > 0)
            .map(|entry| entry.address)
    }

    /// The name of `address` for one use more; `None` if every name is taken.
    pub(crate) fn take(&mut self, address: Ipv6Addr) -> Option<Ipv4Addr> {
        if let Some(name) = self.find(address) {
            let entry = self.entries.get_mut((name.to_bits() & !MARK) as usize)?;
            entry.uses = entry.uses.checked_add(1)?;
            return Some(name);
        }
        let index = self.free;
        let next_free = self.entries.get(index as usize)?.next_free;
        if !self.index.insert(self.hash(address), index) {
            return None;
        }
        if let Some(entry) = self.entries.get_mut(index as usize) {
            *entry = Entry {
                address,
                uses: 1,
                next_free: NONE,
            };
        }
        self.free = next_free;
        Some(Ipv4Addr::from_bits(MARK | index))
    }

    /// One use of `name` more. What is no name in use is left alone.
    pub(crate) fn keep(&mut self, name: Ipv4Addr) {
        if self.address(name).is_some()
            && let Some(entry) = self.entries.get_mut((name.to_bits() & !MARK) as usize)
        {
            // Flows and waiting events are far fewer than 2^32.
            entry.uses = entry.uses.saturating_add(1);
        }
    }

    /// One use of `name` less. What is no name is left alone.
    pub(crate) fn release(&mut self, name: Ipv4Addr) {
        let Some(address) = self.address(name) else {
            return;
        };
        let index = name.to_bits() & !MARK;
        let Some(entry) = self.entries.get_mut(index as usize) else {
            return;
        };
        entry.uses -= 1;
        if entry.uses == 0 {
            entry.next_free = self.free;
            self.free = index;
            let hash = self.hash(address);
            self.index.remove(hash, index);
        }
    }

    /// How many addresses have names.
    #[cfg(test)]
    pub(crate) fn in_use(&self) -> usize {
        self.entries.iter().filter(|entry| entry.uses > 0).count()
    }

    #[inline]
    fn hash(&self, address: Ipv6Addr) -> u64 {
        let bits = address.to_bits();
        self.key.hash((bits >> 64) as u64, bits as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn address(n: u16) -> Ipv6Addr {
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n)
    }

    #[test]
    fn a_full_table_refuses_and_a_released_name_is_given_again() {
        let mut names = Names::new(2, HashKey::new([7; 16]));
        let first = names.take(address(1)).expect("room");
        let second = names.take(address(2)).expect("room");
        assert_eq!(names.take(address(3)), None);
        assert_eq!(names.take(address(1)), Some(first));
        names.release(first);
        assert_eq!(names.address(first), Some(address(1)));
        names.release(first);
        assert_eq!((names.address(first), names.find(address(1))), (None, None));
        assert_eq!(names.take(address(3)), Some(first));
        assert_eq!(names.find(address(2)), Some(second));
        assert!(is_name(first) && !is_name(Ipv4Addr::BROADCAST));
    }

    proptest! {
        #[test]
        fn names_are_what_a_map_with_counts_would_be(
            steps in prop::collection::vec((any::<bool>(), 0u16..12), 1..400),
        ) {
            let mut names = Names::new(8, HashKey::new([9; 16]));
            let mut model: BTreeMap<u16, u32> = BTreeMap::new();
            for (takes, n) in steps {
                if takes {
                    let has_room = model.contains_key(&n) || model.len() < 8;
                    prop_assert_eq!(names.take(address(n)).is_some(), has_room);
                    if has_room {
                        *model.entry(n).or_default() += 1;
                    }
                } else if let Some(name) = names.find(address(n)) {
                    names.release(name);
                    let uses = model.get_mut(&n).expect("the model knows it");
                    *uses -= 1;
                    if *uses == 0 {
                        model.remove(&n);
                    }
                }
                prop_assert_eq!(names.in_use(), model.len());
                for &n in model.keys() {
                    let name = names.find(address(n)).expect("it is in use");
                    prop_assert_eq!(names.address(name), Some(address(n)));
                }
            }
        }
    }
}

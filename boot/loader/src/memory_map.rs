//! The machine's memory as the firmware is told about it: the table of PVH start info.
//!
//! UEFI describes memory in a hundred ranges and more, most of them neighbours of the same kind once
//! boot services have ended; the firmware reads [`ENTRIES_MAX`].

use core::ops::Range;

use heapless::Vec;

/// Most entries of the table.
pub const ENTRIES_MAX: usize = 64;

/// Kind of a range, numbered as in Xen's `start_info.h` and ACPI §15.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Free memory.
    Usable = 1,
    /// Anything but memory to be used.
    Reserved = 2,
    /// ACPI tables.
    AcpiTables = 3,
    /// ACPI state that must be kept.
    AcpiState = 4,
}

/// A range of addresses of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The addresses.
    pub range: Range<u64>,
    /// What is there.
    pub kind: Kind,
}

/// The table.
#[derive(Clone, Debug, Default)]
pub struct MemoryMap {
    entries: Vec<Entry, ENTRIES_MAX>,
}

impl MemoryMap {
    /// Adds a range; where it touches one of the same kind, that grows.
    ///
    /// When the table is full, reserved ranges are left out: what no entry calls usable is not used, so
    /// nothing is lost by it. A usable range that finds no room takes the place of a reserved one, or is
    /// memory that the box does without.
    pub fn add(&mut self, range: Range<u64>, kind: Kind) {
        if range.is_empty() {
            return;
        }
        let mut fresh = Entry { range, kind };
        // Merging with one neighbour may make it the neighbour of another.
        while let Some(at) = self.entries.iter().position(|entry| touches(entry, &fresh)) {
            let old = self.entries.swap_remove(at);
            fresh.range.start = fresh.range.start.min(old.range.start);
            fresh.range.end = fresh.range.end.max(old.range.end);
        }
        if let Err(fresh) = self.entries.push(fresh)
            && fresh.kind != Kind::Reserved
            && let Some(victim) = self
                .entries
                .iter_mut()
                .find(|entry| entry.kind == Kind::Reserved)
        {
            *victim = fresh;
        }
    }

    /// The entries, by address.
    #[must_use]
    pub fn sorted(mut self) -> Vec<Entry, ENTRIES_MAX> {
        self.entries.sort_unstable_by_key(|entry| entry.range.start);
        self.entries
    }

    /// Whether all of `range` is usable and nothing else is said of any of it.
    #[must_use]
    pub fn is_usable(&self, range: &Range<u64>) -> bool {
        let is_within = |entry: &Entry| {
            entry.kind == Kind::Usable
                && entry.range.start <= range.start
                && range.end <= entry.range.end
        };
        let is_disputed = |entry: &Entry| {
            entry.kind != Kind::Usable
                && entry.range.start < range.end
                && range.start < entry.range.end
        };
        self.entries.iter().any(is_within) && !self.entries.iter().any(is_disputed)
    }

    /// The highest place for `len` bytes of usable memory within `within`, at a multiple of `align` (a
    /// power of two).
    #[must_use]
    pub fn highest(&self, len: u64, align: u64, within: &Range<u64>) -> Option<u64> {
        let usable = self
            .entries
            .iter()
            .filter(|entry| entry.kind == Kind::Usable);
        let places = usable.filter_map(|entry| {
            let end = entry.range.end.min(within.end);
            let at = end.checked_sub(len)? & !(align - 1);
            (at >= entry.range.start.max(within.start) && self.is_usable(&(at..at + len)))
                .then_some(at)
        });
        places.max()
    }
}

fn touches(one: &Entry, other: &Entry) -> bool {
    one.kind == other.kind
        && one.range.start <= other.range.end
        && other.range.start <= one.range.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn neighbours_of_one_kind_become_one_entry() {
        let mut map = MemoryMap::default();
        for (range, kind) in [
            (0x2000..0x3000, Kind::Usable),
            (0x4000..0x5000, Kind::Usable),
            (0x3000..0x4000, Kind::Usable),
            (0x5000..0x6000, Kind::Reserved),
        ] {
            map.add(range, kind);
        }
        assert!(map.is_usable(&(0x2000..0x5000)));
        assert!(!map.is_usable(&(0x4000..0x5001)));
        assert_eq!(map.highest(0x800, 0x1000, &(0..u64::MAX)), Some(0x4000));
        assert_eq!(map.highest(0x800, 0x1000, &(0..0x3fff)), Some(0x3000));
        assert_eq!(map.highest(0x3001, 1, &(0..u64::MAX)), None);
        assert_eq!(map.sorted().len(), 2);
    }

    #[test]
    fn what_two_entries_call_differently_is_not_used() {
        let mut map = MemoryMap::default();
        map.add(0x1000..0x9000, Kind::Usable);
        map.add(0x4000..0x5000, Kind::AcpiState);
        assert!(!map.is_usable(&(0x4800..0x6000)));
        assert!(map.is_usable(&(0x5000..0x6000)));
    }

    proptest! {
        /// However many ranges there are, only added memory is ever called usable.
        #[test]
        fn a_full_table_never_makes_memory_up(
            starts in proptest::collection::vec((0_u64..2_000, any::<bool>()), 1..200),
        ) {
            let mut map = MemoryMap::default();
            for &(start, is_usable) in &starts {
                let kind = if is_usable { Kind::Usable } else { Kind::Reserved };
                map.add(start * 10..start * 10 + 10, kind);
            }
            for entry in map.sorted().iter().filter(|entry| entry.kind == Kind::Usable) {
                for unit in entry.range.start / 10..entry.range.end / 10 {
                    prop_assert!(starts.contains(&(unit, true)));
                }
            }
        }
    }
}

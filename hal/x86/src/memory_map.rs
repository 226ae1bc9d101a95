//! The loader's memory map, and what of it is left for us.
//!
//! The map is input from outside: entries may be unsorted, overlap, wrap around or be empty.

use core::ops::Range;

use heapless::Vec;

use crate::paging::PAGE;

/// Entries of a memory map that are looked at.
pub const ENTRIES_MAX: usize = 64;

/// What a range of addresses is (ACPI §15.4, table 15.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Free memory.
    Usable,
    /// Memory holding ACPI tables or state.
    Acpi,
    /// Anything else.
    Reserved,
}

/// One entry of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Addresses.
    pub range: Range<u64>,
    /// What is there.
    pub kind: Kind,
}

/// The map as the loader gave it.
pub type Map = Vec<Entry, ENTRIES_MAX>;
/// Free ranges, sorted, apart from one another, in whole pages.
pub type Free = Vec<Range<u64>, ENTRIES_MAX>;

/// Reads entries of 24 bytes: base, length, type, padding (Xen `start_info.h`).
///
/// Empty entries and entries beyond [`ENTRIES_MAX`] are left out; the end of one that would wrap
/// around is cut.
#[must_use]
pub fn parse(bytes: &[u8]) -> Map {
    let (entries, _) = bytes.as_chunks::<24>();
    entries
        .iter()
        .map(|entry| {
            let field = |at: usize| {
                let mut value = [0; 8];
                value.copy_from_slice(&entry[at..at + 8]);
                u64::from_le_bytes(value)
            };
            let base = field(0);
            Entry {
                range: base..base.saturating_add(field(8)),
                kind: match field(16) as u32 {
                    1 => Kind::Usable,
                    3 | 4 => Kind::Acpi,
                    _ => Kind::Reserved,
                },
            }
        })
        .filter(|entry| !entry.range.is_empty())
        .take(ENTRIES_MAX)
        .collect()
}

/// The usable memory of `map` without whatever else `map` says is there, and without `taken`.
#[must_use]
pub fn free(map: &Map, taken: &[Range<u64>]) -> Free {
    let mut free = Free::new();
    for entry in map.iter().filter(|entry| entry.kind == Kind::Usable) {
        let start = entry.range.start.checked_next_multiple_of(PAGE);
        let end = entry.range.end & !(PAGE - 1);
        let mut fresh = Free::new();
        if let Some(start) = start.filter(|&start| start < end) {
            let _ = fresh.push(start..end);
        }
        // Adding the same memory twice would hand it out twice.
        for known in &free {
            fresh = without(fresh, known);
        }
        for range in fresh {
            // Full: memory is left out rather than handed out wrongly.
            let _ = free.push(range);
        }
    }
    let others = map.iter().filter(|entry| entry.kind != Kind::Usable);
    for hole in others.map(|entry| &entry.range).chain(taken) {
        free = without(free, hole);
    }
    free.sort_unstable_by_key(|range| range.start);
    free
}

/// What is left of `ranges` without the pages that `hole` touches.
fn without(ranges: Free, hole: &Range<u64>) -> Free {
    let start = hole.start & !(PAGE - 1);
    let end = hole.end.checked_next_multiple_of(PAGE).unwrap_or(u64::MAX);
    let mut left = Free::new();
    for range in ranges {
        let below = range.start..range.end.min(start);
        let above = range.start.max(end)..range.end;
        for part in [below, above] {
            if !part.is_empty() {
                let _ = left.push(part);
            }
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(base: u64, len: u64, kind: u32) -> [u8; 24] {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&base.to_le_bytes());
        bytes[8..16].copy_from_slice(&len.to_le_bytes());
        bytes[16..20].copy_from_slice(&kind.to_le_bytes());
        bytes
    }

    #[test]
    fn a_pc_map_without_image_and_epitaph() {
        let map = parse(
            &[
                entry(0, 0x9_fc00, 1),
                entry(0x10_0000, 0xfee_0000, 1),
                entry(0xffe_0000, 0x2_0000, 2),
                entry(0x1_0000_0000, 0x1_0000_0000, 1),
            ]
            .concat(),
        );
        let image = 0x20_0000..0x40_1234;
        let free = free(&map, &[0..0x10_0000, 0x1f_f000..0x20_0000, image]);
        assert_eq!(
            free.as_slice(),
            [
                0x10_0000..0x1f_f000,
                0x40_2000..0xffe_0000,
                0x1_0000_0000..0x2_0000_0000
            ]
        );
    }

    #[test]
    fn overlapping_wrapping_and_cut_entries_do_no_harm() {
        let mut bytes = [
            entry(0x1000, 0x4000, 1),
            entry(0x3000, 0x4000, 1),
            entry(0x2000, 0x800, 2),
            entry(u64::MAX - 10, u64::MAX, 1),
            entry(0x9000, 0, 1),
        ]
        .concat();
        bytes.extend_from_slice(&[1; 23]);
        let free = free(&parse(&bytes), &[]);
        assert_eq!(
            free.as_slice(),
            [0x1000..0x2000, 0x3000..0x5000, 0x5000..0x7000]
        );
    }

    proptest! {
        #[test]
        fn free_memory_is_usable_disjoint_and_not_taken(
            entries in prop::collection::vec((0_u64..64, 0_u64..16, 1_u32..4), 0..12),
            taken in prop::collection::vec((0_u64..64, 0_u64..16), 0..4),
        ) {
            let bytes: Vec<_, 12> = entries
                .iter()
                .map(|&(at, len, kind)| entry(at * 0x800, len * 0x800, kind))
                .collect();
            let taken: std::vec::Vec<_> = taken
                .iter()
                .map(|&(at, len)| at * 0x800..(at + len) * 0x800)
                .collect();
            let map = parse(&bytes.concat());
            let free = free(&map, &taken);
            for pair in free.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start);
            }
            // Page by page, against the definition.
            for page in (0..0x3_0000_u64).step_by(PAGE as usize) {
                let page = page..page + PAGE;
                let touches = |r: &Range<u64>| r.start < page.end && page.start < r.end;
                let inside = |r: &Range<u64>| r.start <= page.start && page.end <= r.end;
                let is_free = free.iter().any(inside);
                let is_bad = taken.iter().any(touches)
                    || map.iter().any(|e| e.kind != Kind::Usable && touches(&e.range));
                let is_usable = map.iter().any(|e| e.kind == Kind::Usable && inside(&e.range));
                prop_assert!(!is_free || !is_bad);
                prop_assert_eq!(is_free, is_usable && !is_bad);
            }
        }
    }
}

//! Whole records in a bounded ring of bytes.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::line::LINE_MAX;
use crate::logger::OutOfMemory;

/// Bytes in front of each record: its length, little-endian.
const HEADER: usize = 2;

/// Records, oldest first. The bytes are claimed by [`resize`](Ring::resize) and never grow.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    bytes: VecDeque<u8>,
    capacity: usize,
    count: usize,
}

impl Ring {
    /// Gives the ring room for `capacity` bytes, headers included. The newest records that fit stay.
    /// Returns how many went.
    ///
    /// # Errors
    /// [`OutOfMemory`]; the ring is then as it was.
    pub(crate) fn resize(&mut self, capacity: usize) -> Result<u64, OutOfMemory> {
        if capacity == self.capacity {
            return Ok(0);
        }
        let mut bytes = VecDeque::new();
        bytes
            .try_reserve_exact(capacity)
            .map_err(|_| OutOfMemory { bytes: capacity })?;
        let mut gone = 0;
        while self.bytes.len() > capacity {
            gone += u64::from(self.drop_oldest());
        }
        bytes.extend(&self.bytes);
        self.bytes = bytes;
        self.capacity = capacity;
        Ok(gone)
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Appends a record if there is room for it.
    pub(crate) fn push(&mut self, parts: &[&[u8]]) -> bool {
        let len = parts.iter().map(|part| part.len()).sum::<usize>();
        let Ok(header) = u16::try_from(len) else {
            return false;
        };
        if self.bytes.len() + HEADER + len > self.capacity {
            return false;
        }
        self.bytes.extend(header.to_le_bytes());
        for part in parts {
            self.bytes.extend(*part);
        }
        self.count += 1;
        true
    }

    /// Appends a record in the place of as many old ones as it takes. Returns how many went; the
    /// record itself counts if it is too long for the ring.
    pub(crate) fn push_over(&mut self, record: &[u8]) -> u64 {
        let mut gone = 0;
        while !self.push(&[record]) {
            if !self.drop_oldest() {
                return gone + 1;
            }
            gone += 1;
        }
        gone
    }

    /// A copy of the oldest record.
    pub(crate) fn front(&self) -> Option<Vec<u8>> {
        self.iter().next()
    }

    pub(crate) fn pop(&mut self) -> Option<Vec<u8>> {
        let front = self.front()?;
        self.drop_oldest();
        Some(front)
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    /// Copies of the records, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let mut bytes = self.bytes.iter().copied();
        core::iter::from_fn(move || {
            let len = u16::from_le_bytes([bytes.next()?, bytes.next()?]);
            let mut record = Vec::with_capacity(usize::from(len).min(2 * LINE_MAX));
            record.extend(bytes.by_ref().take(usize::from(len)));
            Some(record)
        })
    }

    fn drop_oldest(&mut self) -> bool {
        let mut header = self.bytes.iter().copied();
        let (Some(low), Some(high)) = (header.next(), header.next()) else {
            return false;
        };
        let len = HEADER + usize::from(u16::from_le_bytes([low, high]));
        self.bytes.drain(..len.min(self.bytes.len()));
        self.count = self.count.saturating_sub(1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    fn ring(capacity: usize) -> Ring {
        let mut ring = Ring::default();
        ring.resize(capacity).unwrap();
        ring
    }

    #[test]
    fn a_record_that_does_not_fit_is_refused_or_takes_the_place_of_old_ones() {
        let mut ring = ring(10);
        assert!(ring.push(&[b"ab", b"c"]) && ring.push(&[b"def"]));
        assert!(!ring.push(&[b"g"]), "10 bytes are taken");
        assert_eq!(ring.push_over(b"ghi"), 1);
        assert_eq!(ring.iter().collect::<Vec<_>>(), [b"def", b"ghi"]);
        assert_eq!(
            ring.push_over(&[0; 9]),
            3,
            "too long: everything went, itself too"
        );
        assert_eq!((ring.len(), ring.pop()), (0, None));
    }

    #[test]
    fn a_smaller_ring_keeps_the_newest() {
        let mut ring = ring(100);
        for record in [b"one", b"two", b"six"] {
            assert!(ring.push(&[record]));
        }
        assert_eq!(ring.resize(10), Ok(1));
        assert_eq!(ring.iter().collect::<Vec<_>>(), [b"two", b"six"]);
        assert_eq!(ring.len(), 2);
    }

    proptest! {
        #[test]
        fn the_ring_holds_the_newest_whole_records(
            capacity in 8usize..64,
            records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 0..50),
        ) {
            let mut ring = ring(capacity);
            let room = ring.bytes.capacity();
            let gone: u64 = records.iter().map(|record| ring.push_over(record)).sum();
            let held: Vec<Vec<u8>> = ring.iter().collect();
            prop_assert_eq!(gone as usize + held.len(), records.len());
            prop_assert_eq!(ring.len(), held.len());
            prop_assert_eq!(&records[records.len() - held.len()..], &held[..]);
            prop_assert_eq!(ring.bytes.capacity(), room, "no growth");
            let next = records.len().checked_sub(held.len() + 1).map(|at| records[at].len() + HEADER);
            let used: usize = held.iter().map(|record| record.len() + HEADER).sum();
            prop_assert!(used <= capacity);
            // The last that went really had to go for the one after it.
            if let Some(next) = next {
                prop_assert!(used + next > capacity, "{} {} {}", used, next, capacity);
            }
        }
    }

    #[test]
    fn lines_pass_through_unchanged() {
        let mut ring = ring(4096);
        ring.push(&[b"x"]);
        assert_eq!(ring.front(), Some(vec![b'x']));
        assert_eq!(ring.pop(), Some(vec![b'x']));
        ring.push(&[b"y"]);
        ring.clear();
        assert_eq!(ring.front(), None);
    }
}

//! A fixed byte queue whose contents always lie in one piece.

use alloc::boxed::Box;
use alloc::vec;

use zeroize::Zeroize;

/// Bytes in at the back, out at the front; the memory is claimed once.
///
/// Taking from the front moves an index. What is left is moved to the start of the memory only when
/// the room behind it does not suffice, so a byte is copied once per pass in the usual case.
pub(crate) struct ByteQueue {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl ByteQueue {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            bytes: vec![0; capacity].into_boxed_slice(),
            start: 0,
            end: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Bytes that can still be added.
    pub(crate) fn room(&self) -> usize {
        self.bytes.len() - self.len()
    }

    pub(crate) fn filled(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    pub(crate) fn filled_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..self.end).unwrap_or_default()
    }

    /// The free memory behind the contents, at least `wanted` bytes if there is that much room.
    pub(crate) fn spare_mut(&mut self, wanted: usize) -> &mut [u8] {
        if self.bytes.len() - self.end < wanted && self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Adds the first `count` bytes of what [`spare_mut`](Self::spare_mut) gave.
    pub(crate) fn commit(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// Adds `data`; returns false, and changes nothing, if there is no room for it.
    #[must_use]
    pub(crate) fn extend(&mut self, data: &[u8]) -> bool {
        match self.spare_mut(data.len()).get_mut(..data.len()) {
            Some(room) => {
                room.copy_from_slice(data);
                self.commit(data.len());
                true
            }
            None => false,
        }
    }

    /// Drops `count` bytes from the front, all of them if there are fewer.
    pub(crate) fn consume(&mut self, count: usize) {
        self.start += count.min(self.len());
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Empties the queue and overwrites its memory.
    pub(crate) fn wipe(&mut self) {
        self.bytes.zeroize();
        self.start = 0;
        self.end = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_in_order_and_in_one_piece() {
        let mut queue = ByteQueue::new(8);
        assert!(queue.extend(b"abcdef"));
        queue.consume(4);
        assert!(queue.extend(b"ghijk"));
        assert_eq!(queue.filled(), b"efghijk");
        assert_eq!(queue.room(), 1);
        assert!(!queue.extend(b"lm"));
        queue.consume(99);
        assert!(queue.is_empty());
        assert_eq!(queue.room(), 8);
    }

    #[test]
    fn a_wiped_queue_holds_nothing_of_what_it_held() {
        let mut queue = ByteQueue::new(8);
        assert!(queue.extend(b"secret"));
        queue.consume(6);
        queue.wipe();
        assert_eq!(queue.spare_mut(8), [0; 8]);
    }
}

//! Byte ring between an interrupt handler and the event loop.
//!
//! One side writes, the other reads; neither waits. Bytes are atomic, so there is no `unsafe` here;
//! a serial line is slow enough to pay for that. A writer may prepare several bytes and publish
//! them at once, or take them back.

use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// A ring of `N` bytes, a power of two.
pub struct ByteRing<const N: usize> {
    bytes: [AtomicU8; N],
    /// Bytes ever published; wraps.
    written: AtomicU32,
    /// Bytes ever taken; wraps.
    taken: AtomicU32,
    /// Bytes ever prepared; runs ahead of `written` between [`prepare`](Self::prepare) and
    /// [`publish`](Self::publish).
    prepared: AtomicU32,
}

impl<const N: usize> ByteRing<N> {
    const MASK: usize = {
        assert!(N.is_power_of_two() && N <= 1 << 30);
        N - 1
    };

    /// An empty ring.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "only ever a static")]
    pub const fn new() -> Self {
        Self {
            bytes: [const { AtomicU8::new(0) }; N],
            written: AtomicU32::new(0),
            taken: AtomicU32::new(0),
            prepared: AtomicU32::new(0),
        }
    }

    /// Bytes to be taken.
    pub fn len(&self) -> usize {
        let written = self.written.load(Ordering::Acquire);
        written.wrapping_sub(self.taken.load(Ordering::Acquire)) as usize
    }

    /// Whether nothing is to be taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that can be written.
    pub fn room(&self) -> usize {
        let prepared = self.prepared.load(Ordering::Relaxed);
        N - prepared.wrapping_sub(self.taken.load(Ordering::Acquire)) as usize
    }

    /// Writer: adds a byte that the reader does not see yet. False if there is no room.
    pub fn prepare(&self, byte: u8) -> bool {
        if self.room() == 0 {
            return false;
        }
        let at = self.prepared.load(Ordering::Relaxed);
        // Masked, so inside the array.
        self.bytes[at as usize & Self::MASK].store(byte, Ordering::Relaxed);
        self.prepared.store(at.wrapping_add(1), Ordering::Relaxed);
        true
    }

    /// Writer: lets the reader see what was prepared.
    pub fn publish(&self) {
        let prepared = self.prepared.load(Ordering::Relaxed);
        self.written.store(prepared, Ordering::Release);
    }

    /// Writer: takes back what was prepared and not published.
    pub fn take_back(&self) {
        let written = self.written.load(Ordering::Relaxed);
        self.prepared.store(written, Ordering::Relaxed);
    }

    /// Writer: adds one byte. False if there is no room.
    pub fn push(&self, byte: u8) -> bool {
        let fitted = self.prepare(byte);
        self.publish();
        fitted
    }

    /// Writer: adds as much of `bytes` as fits and returns how much.
    pub fn write(&self, bytes: &[u8]) -> usize {
        let count = bytes.iter().take_while(|&&byte| self.prepare(byte)).count();
        self.publish();
        count
    }

    /// Reader: takes the oldest byte.
    pub fn pop(&self) -> Option<u8> {
        let mut byte = [0];
        (self.read(&mut byte) == 1).then_some(byte[0])
    }

    /// Reader: takes the oldest bytes, as many as there are and `bytes` holds.
    pub fn read(&self, bytes: &mut [u8]) -> usize {
        let taken = self.taken.load(Ordering::Relaxed);
        let count = self.len().min(bytes.len());
        for (offset, byte) in (0_u32..).zip(bytes.iter_mut().take(count)) {
            let at = taken.wrapping_add(offset) as usize & Self::MASK;
            *byte = self.bytes[at].load(Ordering::Relaxed);
        }
        self.taken
            .store(taken.wrapping_add(count as u32), Ordering::Release);
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_full_ring_refuses_and_keeps_order() {
        let ring = ByteRing::<8>::new();
        assert_eq!(ring.write(b"0123456789"), 8);
        assert_eq!((ring.len(), ring.room()), (8, 0));
        assert!(!ring.push(b'x'));
        let mut out = [0; 5];
        assert_eq!(ring.read(&mut out), 5);
        assert_eq!(&out, b"01234");
        assert_eq!(ring.write(b"abc"), 3);
        let mut out = [0; 16];
        assert_eq!(ring.read(&mut out), 6);
        assert_eq!(&out[..6], b"567abc");
        assert!(ring.is_empty());
        assert_eq!(ring.pop(), None);
    }

    #[test]
    fn prepared_bytes_show_only_when_published() {
        let ring = ByteRing::<4>::new();
        assert!(ring.push(1));
        assert!(ring.prepare(2) && ring.prepare(3));
        assert_eq!((ring.len(), ring.room()), (1, 1));
        ring.take_back();
        assert_eq!((ring.len(), ring.room()), (1, 3));
        assert!(ring.prepare(9));
        ring.publish();
        assert_eq!(
            (ring.pop(), ring.pop(), ring.pop()),
            (Some(1), Some(9), None)
        );
    }

    #[test]
    fn bytes_cross_between_threads_unchanged() {
        const COUNT: u32 = 100_000;
        let ring = Arc::new(ByteRing::<64>::new());
        let writer = Arc::clone(&ring);
        let thread = std::thread::spawn(move || {
            for value in 0..COUNT {
                while !writer.push(value as u8) {
                    std::thread::yield_now();
                }
            }
        });
        let mut expected = 0;
        while expected < COUNT {
            match ring.pop() {
                Some(byte) => {
                    assert_eq!(byte, expected as u8);
                    expected += 1;
                }
                None => std::thread::yield_now(),
            }
        }
        thread.join().expect("writer ends");
    }
}

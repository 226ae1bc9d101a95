//! When which slot is next due: a binary heap that knows where every slot stands in it.

use alloc::vec;
use alloc::vec::Vec;

use hal::time::Instant;

const ABSENT: u32 = u32::MAX;

/// Deadlines of a fixed number of slots; each has one or none.
pub(crate) struct Deadlines {
    /// Ordered as a heap, the earliest first.
    heap: Vec<(Instant, u32)>,
    /// Where each slot stands in `heap`, or [`ABSENT`].
    places: Vec<u32>,
}

impl Deadlines {
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            heap: Vec::with_capacity(slots),
            places: vec![ABSENT; slots],
        }
    }

    /// The earliest deadline and whose it is.
    pub(crate) fn first(&self) -> Option<(Instant, u32)> {
        self.heap.first().copied()
    }

    /// Gives `slot` the deadline `at` in place of what it had.
    pub(crate) fn set(&mut self, slot: u32, at: Instant) {
        let place = match self.place(slot) {
            Some(place) => place,
            None => {
                self.heap.push((at, slot));
                self.heap.len() - 1
            }
        };
        self.heap[place].0 = at;
        self.settle(place);
    }

    /// Takes the deadline of `slot` away.
    pub(crate) fn remove(&mut self, slot: u32) {
        let Some(place) = self.place(slot) else {
            return;
        };
        self.heap.swap_remove(place);
        self.places[slot as usize] = ABSENT;
        if place < self.heap.len() {
            self.settle(place);
        }
    }

    fn place(&self, slot: u32) -> Option<usize> {
        let place = *self.places.get(slot as usize)?;
        (place != ABSENT).then_some(place as usize)
    }

    /// Moves the entry at `place` up or down to where it belongs.
    fn settle(&mut self, mut place: usize) {
        while place > 0 && self.heap[place] < self.heap[(place - 1) / 2] {
            self.heap.swap(place, (place - 1) / 2);
            self.note(place);
            place = (place - 1) / 2;
        }
        loop {
            let left = 2 * place + 1;
            let earliest = [left, left + 1]
                .into_iter()
                .filter(|&child| child < self.heap.len())
                .min_by_key(|&child| self.heap[child]);
            let Some(child) = earliest.filter(|&child| self.heap[child] < self.heap[place]) else {
                break;
            };
            self.heap.swap(place, child);
            self.note(place);
            place = child;
        }
        self.note(place);
    }

    /// Writes down where the entry at `place` is.
    fn note(&mut self, place: usize) {
        let slot = self.heap[place].1;
        // There are fewer slots than ABSENT, and as many places.
        self.places[slot as usize] = place as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_out_by_deadline_whatever_was_changed_and_removed() {
        const SLOTS: u32 = 97;
        let mut deadlines = Deadlines::new(SLOTS as usize);
        // A multiplicative sequence, so that the order of insertion is no order of deadlines.
        for slot in 0..SLOTS {
            deadlines.set(slot, Instant::from_micros(u64::from(slot * 31 % SLOTS)));
        }
        for slot in (0..SLOTS).step_by(3) {
            deadlines.set(slot, Instant::from_micros(u64::from(1_000 - slot)));
        }
        for slot in (0..SLOTS).step_by(5) {
            deadlines.remove(slot);
        }
        let mut last = Instant::ZERO;
        let mut seen = 0;
        while let Some((at, slot)) = deadlines.first() {
            assert!(at >= last && slot % 5 != 0);
            last = at;
            seen += 1;
            deadlines.remove(slot);
            deadlines.remove(slot);
        }
        assert_eq!(seen, SLOTS - SLOTS.div_ceil(5));
    }
}

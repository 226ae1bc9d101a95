//! Timers in constant time: a hierarchical wheel over the numbers `0..capacity`.
//!
//! Four levels of 256 slots cover every 32-bit tick. An entry sits on the level of the highest
//! byte in which its deadline differs from the present; when the present reaches the start of its
//! slot, it moves down, or is due on the lowest level. Setting and cancelling unlink a list node;
//! the next deadline is found in bitmaps. Varghese and Lauck, "Hashed and Hierarchical Timing
//! Wheels", 1987.
//!
//! Owners do not move an entry at every use: they note the time of use, and when the entry comes
//! due look whether it really is, else set it again.

use alloc::vec::Vec;
use core::time::Duration;

use hal::time::Instant;

/// Length of a tick.
pub(crate) const TICK: Duration = Duration::from_millis(100);
const TICK_MICROS: u64 = 100_000;

/// A time on the wheel.
pub(crate) type Tick = u32;

/// The last tick that has begun at `now`.
pub(crate) const fn tick_of(now: Instant) -> Tick {
    // 32 bits of 100 ms are 13 years.
    (now.as_micros() / TICK_MICROS) as Tick
}

/// The start of `tick`.
pub(crate) const fn instant_of(tick: Tick) -> Instant {
    Instant::from_micros(tick as u64 * TICK_MICROS)
}

/// `duration` in ticks, rounded up.
pub(crate) fn ticks(duration: Duration) -> Tick {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    Tick::try_from(micros.div_ceil(TICK_MICROS)).unwrap_or(Tick::MAX / 2)
}

const LEVELS: usize = 4;
const SLOTS: usize = 256;
const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Link {
    next: u32,
    previous: u32,
    deadline: Tick,
    /// Level and slot as one number; [`NONE`] when not set.
    place: u32,
}

/// The wheel.
pub(crate) struct Wheel {
    links: Vec<Link>,
    heads: [[u32; SLOTS]; LEVELS],
    occupied: [[u64; SLOTS / 64]; LEVELS],
    current: Tick,
}

impl Wheel {
    /// A wheel for the entries `0..capacity`.
    pub(crate) fn new(capacity: usize) -> Self {
        let unset = Link {
            next: NONE,
            previous: NONE,
            deadline: 0,
            place: NONE,
        };
        Self {
            links: alloc::vec![unset; capacity],
            heads: [[NONE; SLOTS]; LEVELS],
            occupied: [[0; SLOTS / 64]; LEVELS],
            current: 0,
        }
    }

    /// Bytes per entry.
    pub(crate) const ENTRY_BYTES: usize = size_of::<Link>();

    /// Sets entry `id` to come due at `deadline`, whatever it was set to before.
    pub(crate) fn set(&mut self, id: u32, deadline: Tick) {
        self.cancel(id);
        let deadline = deadline.max(self.current);
        let level = match (deadline ^ self.current).checked_ilog2() {
            Some(bit) => bit as usize / 8,
            None => 0,
        };
        let slot = digit(deadline, level);
        let head = self.heads[level][slot];
        let Some(link) = self.links.get_mut(id as usize) else {
            return;
        };
        *link = Link {
            next: head,
            previous: NONE,
            deadline,
            place: (level * SLOTS + slot) as u32,
        };
        if let Some(following) = self.links.get_mut(head as usize) {
            following.previous = id;
        }
        self.heads[level][slot] = id;
        self.occupied[level][slot / 64] |= 1 << (slot % 64);
    }

    /// Takes entry `id` off, if it is set.
    pub(crate) fn cancel(&mut self, id: u32) {
        let Some(link) = self.links.get_mut(id as usize) else {
            return;
        };
        if link.place == NONE {
            return;
        }
        let Link {
            next,
            previous,
            place,
            ..
        } = *link;
        link.place = NONE;
        if let Some(following) = self.links.get_mut(next as usize) {
            following.previous = previous;
        }
        match self.links.get_mut(previous as usize) {
            Some(leading) => leading.next = next,
            None => {
                let (level, slot) = (place as usize / SLOTS % LEVELS, place as usize % SLOTS);
                self.heads[level][slot] = next;
                if next == NONE {
                    self.occupied[level][slot / 64] &= !(1 << (slot % 64));
                }
            }
        }
    }

    /// When entry `id` comes due, if it is set.
    #[cfg(test)]
    pub(crate) fn deadline(&self, id: u32) -> Option<Tick> {
        self.links
            .get(id as usize)
            .filter(|link| link.place != NONE)
            .map(|link| link.deadline)
    }

    /// Takes off and returns an entry that is due at `now`. Call until `None`.
    pub(crate) fn pop_due(&mut self, now: Tick) -> Option<u32> {
        loop {
            let Some((level, slot, start)) = self.next_slot().filter(|&(_, _, start)| start <= now)
            else {
                // No slot starts up to `now`, so every entry keeps its level and slot.
                self.current = self.current.max(now);
                return None;
            };
            self.current = self.current.max(start);
            let id = self.heads[level][slot];
            if level == 0 {
                self.cancel(id);
                return Some(id);
            }
            // The present has entered this slot: its entries belong further down now.
            while let Some(&Link { deadline, .. }) =
                self.links.get(self.heads[level][slot] as usize)
            {
                let id = self.heads[level][slot];
                self.set(id, deadline);
            }
        }
    }

    /// The earliest tick at which [`pop_due`](Self::pop_due) may have something to do.
    pub(crate) fn next(&self) -> Option<Tick> {
        self.next_slot().map(|(_, _, start)| start)
    }

    /// The occupied slot that starts first. Entries of a lower level come before all of a higher.
    fn next_slot(&self) -> Option<(usize, usize, Tick)> {
        for (level, map) in self.occupied.iter().enumerate() {
            for (word, &bits) in map.iter().enumerate() {
                if bits != 0 {
                    let slot = word * 64 + bits.trailing_zeros() as usize;
                    let shift = 8 * level as u32;
                    let above = match Tick::MAX.checked_shl(shift + 8) {
                        Some(mask) => self.current & mask,
                        None => 0,
                    };
                    return Some((level, slot, above | (slot as Tick) << shift));
                }
            }
        }
        None
    }
}

fn digit(tick: Tick, level: usize) -> usize {
    (tick >> (8 * level)) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    #[test]
    fn an_entry_far_away_comes_due_on_its_tick_and_not_before() {
        for deadline in [
            0,
            1,
            255,
            256,
            257,
            65_535,
            65_536,
            16_777_216,
            Tick::MAX - 1,
        ] {
            let mut wheel = Wheel::new(1);
            wheel.set(0, deadline);
            if let Some(before) = deadline.checked_sub(1) {
                assert_eq!(wheel.pop_due(before), None);
            }
            assert_eq!(wheel.pop_due(deadline), Some(0));
            assert_eq!((wheel.pop_due(Tick::MAX), wheel.next()), (None, None));
        }
    }

    proptest! {
        /// Against a map from entries to deadlines.
        #[test]
        fn it_pops_exactly_what_is_due(
            steps in prop::collection::vec((0u32..16, 0u32..200_000, 0u8..4), 1..200),
        ) {
            let mut wheel = Wheel::new(16);
            let mut model: BTreeMap<u32, Tick> = BTreeMap::new();
            let mut now = 0;
            for (id, delta, kind) in steps {
                match kind {
                    0 => {
                        wheel.cancel(id);
                        model.remove(&id);
                    }
                    1 | 2 => {
                        wheel.set(id, now + delta);
                        model.insert(id, now + delta);
                    }
                    _ => {
                        now += delta;
                        while let Some(id) = wheel.pop_due(now) {
                            let deadline = model.remove(&id);
                            prop_assert!(deadline.is_some_and(|deadline| deadline <= now));
                        }
                        prop_assert!(model.values().all(|&deadline| deadline > now));
                    }
                }
                prop_assert_eq!(wheel.deadline(id), model.get(&id).copied());
                match (wheel.next(), model.values().min()) {
                    (Some(next), Some(&first)) => prop_assert!(next <= first),
                    (next, first) => prop_assert_eq!(next.is_some(), first.is_some()),
                }
            }
        }
    }
}

//! The decision over many starts, with power cuts between and during writes.

use proptest::prelude::*;

use super::{Reason, choose};
use crate::block::{BlockDevice, BlockError, SECTOR};
use crate::gpt::Extent;
use crate::state::{BootState, COPY_STRIDE, Slot};

const PLACE: Extent = Extent {
    first: 3,
    sectors: 2 * COPY_STRIDE,
};

/// A disk whose next write may be cut.
struct Medium {
    sectors: Vec<[u8; SECTOR]>,
    cut: Cut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    Never,
    Before,
    Torn(usize),
    After,
}

impl Medium {
    fn new() -> Self {
        Self {
            sectors: vec![[0; SECTOR]; 32],
            cut: Cut::Never,
        }
    }
}

impl BlockDevice for Medium {
    fn sectors(&self) -> u64 {
        self.sectors.len() as u64
    }

    fn is_writable(&self) -> bool {
        true
    }

    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), BlockError> {
        let sector = self.sectors.get(first as usize);
        data.copy_from_slice(sector.ok_or(BlockError::OutOfRange)?);
        Ok(())
    }

    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), BlockError> {
        let sector = self.sectors.get_mut(first as usize);
        let sector = sector.ok_or(BlockError::OutOfRange)?;
        let cut = std::mem::replace(&mut self.cut, Cut::Never);
        let len = match cut {
            Cut::Before => 0,
            Cut::Torn(len) => len,
            Cut::Never | Cut::After => SECTOR,
        };
        sector[..len].copy_from_slice(&data[..len]);
        match cut {
            Cut::Never => Ok(()),
            _ => Err(BlockError::Device(0)),
        }
    }
}

/// One start up to the jump: loads, decides, writes. `None` where the power went.
fn start(disk: &mut Medium, verifies: [bool; 2]) -> Option<(Slot, Reason)> {
    let state = BootState::load(disk, PLACE);
    let choice = choose(&state, true, |slot| verifies[slot as usize]);
    if let Some(mut next) = choice.state {
        next.store(disk, PLACE).ok()?;
    }
    choice.start
}

fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![
        4 => Just(Cut::Never),
        1 => Just(Cut::Before),
        2 => (0..SECTOR).prop_map(Cut::Torn),
        1 => Just(Cut::After),
    ]
}

#[test]
fn a_trial_that_never_proves_good_ends_with_the_default() {
    let mut disk = Medium::new();
    let mut state = BootState::load(&mut disk, PLACE);
    state.mark_good(Slot::A);
    state.begin_trial(Slot::B, 3);
    state.store(&mut disk, PLACE).unwrap();
    let starts: Vec<_> = (0..5)
        .map(|_| start(&mut disk, [true; 2]).unwrap())
        .collect();
    assert_eq!(
        starts,
        [
            (Slot::B, Reason::Trial(2)),
            (Slot::B, Reason::Trial(1)),
            (Slot::B, Reason::Trial(0)),
            (Slot::A, Reason::Default),
            (Slot::A, Reason::Default),
        ]
    );
    let state = BootState::load(&mut disk, PLACE);
    assert!(state.is_good(Slot::A) && !state.is_good(Slot::B));
    assert_eq!(state.trial, None);
}

#[test]
fn a_trial_that_proves_good_is_the_default_from_then_on() {
    let mut disk = Medium::new();
    let mut state = BootState::default();
    state.begin_trial(Slot::B, 1);
    state.store(&mut disk, PLACE).unwrap();
    assert_eq!(
        start(&mut disk, [true; 2]),
        Some((Slot::B, Reason::Trial(0)))
    );
    let mut state = BootState::load(&mut disk, PLACE);
    state.mark_good(Slot::B);
    state.store(&mut disk, PLACE).unwrap();
    assert_eq!(
        start(&mut disk, [true; 2]),
        Some((Slot::B, Reason::Default))
    );
}

#[test]
fn ordinary_starts_write_nothing() {
    let state = BootState::default();
    assert_eq!(choose(&state, true, |_| true).state, None);
    // The default is refused: the other serves, and the default stays what it is.
    let choice = choose(&state, true, |slot| slot == Slot::B);
    assert_eq!(choice.start, Some((Slot::B, Reason::DefaultRefused)));
    assert_eq!(choice.state, None);
    assert_eq!(choose(&state, true, |_| false).start, None);
}

#[test]
fn what_cannot_be_counted_is_not_tried() {
    let mut state = BootState::default();
    state.begin_trial(Slot::B, 3);
    let choice = choose(&state, false, |_| true);
    assert_eq!(choice.start, Some((Slot::A, Reason::Default)));
    assert_eq!(choice.state, None);
}

#[test]
fn damaged_copies_are_no_state() {
    let mut disk = Medium::new();
    let mut state = BootState {
        default: Slot::B,
        line: "console=9600".try_into().unwrap(),
        ..BootState::default()
    };
    state.store(&mut disk, PLACE).unwrap();
    state.store(&mut disk, PLACE).unwrap();
    assert_eq!(BootState::load(&mut disk, PLACE), state);
    for bit in 0..SECTOR * 8 {
        let mut sector = state.encode();
        sector[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(BootState::decode(&sector), None, "bit {bit}");
    }
}

proptest! {
    /// Whatever the power does, a state is read back that was the newest before or after each write,
    /// a trial starts no more often than it was granted, and the default slot serves afterwards.
    #[test]
    fn trials_are_counted_over_power_cuts(
        tries in 0_u8..5,
        cuts in proptest::collection::vec(cut(), 1..24),
    ) {
        let mut disk = Medium::new();
        let mut state = BootState::default();
        state.begin_trial(Slot::B, tries);
        state.store(&mut disk, PLACE).unwrap();
        let mut trials = 0;
        for cut in cuts {
            let before = BootState::load(&mut disk, PLACE);
            disk.cut = cut;
            match start(&mut disk, [true; 2]) {
                Some((Slot::B, reason)) => {
                    prop_assert!(matches!(reason, Reason::Trial(_)));
                    trials += 1;
                }
                Some((Slot::A, reason)) => prop_assert_eq!(reason, Reason::Default),
                None => {}
            }
            disk.cut = Cut::Never;
            let after = BootState::load(&mut disk, PLACE);
            prop_assert!(after.generation == before.generation || after.generation == before.generation + 1);
            prop_assert!(after.tries_left <= before.tries_left);
        }
        prop_assert!(trials <= tries);
        for _ in 0..=tries {
            start(&mut disk, [true; 2]);
        }
        prop_assert_eq!(start(&mut disk, [true; 2]), Some((Slot::A, Reason::Default)));
    }

    /// If any slot verifies, one that verifies is started, by any state; each slot is looked at once.
    #[test]
    fn a_slot_that_verifies_is_found(
        default in prop_oneof![Just(Slot::A), Just(Slot::B)],
        trial in prop_oneof![Just(None), Just(Some(Slot::A)), Just(Some(Slot::B))],
        tries_left in 0_u8..3,
        is_writable: bool,
        verifies: [bool; 2],
    ) {
        let state = BootState { default, trial, tries_left, ..BootState::default() };
        let mut asked = Vec::new();
        let choice = choose(&state, is_writable, |slot| {
            asked.push(slot);
            verifies[slot as usize]
        });
        match choice.start {
            Some((slot, _)) => {
                prop_assert!(verifies[slot as usize]);
                prop_assert_eq!(asked.last(), Some(&slot));
            }
            None => prop_assert_eq!(verifies, [false; 2]),
        }
        asked.sort_by_key(|slot| slot.letter());
        let count = asked.len();
        asked.dedup();
        prop_assert_eq!(asked.len(), count);
    }

    #[test]
    fn a_state_survives_its_sector(
        generation: u64, default: bool, trial in 0_u8..3, tries_left: u8, good in 0_u8..4, line in "[ -~]{0,256}",
    ) {
        let mut state = BootState {
            generation,
            default: if default { Slot::A } else { Slot::B },
            trial: Slot::of_letter(b'@' + trial),
            tries_left,
            line: line.as_str().try_into().unwrap(),
            ..BootState::default()
        };
        for slot in Slot::ALL {
            if good & (slot as u8 + 1) != 0 && state.trial != Some(slot) {
                state.mark_good(slot);
            }
        }
        prop_assert_eq!(BootState::decode(&state.encode()), Some(state));
    }
}

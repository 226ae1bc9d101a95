use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A disk whose power can fail: unflushed sectors may or may not reach the medium.
#[derive(Clone)]
struct CutDisk {
    medium: Vec<[u8; SECTOR_LEN]>,
    cache: BTreeMap<u64, [u8; SECTOR_LEN]>,
    /// Sector writes and flushes left before power is gone; each fails from then on.
    steps_left: usize,
}

impl CutDisk {
    fn new(sectors: usize) -> Self {
        Self {
            medium: vec![[0; SECTOR_LEN]; sectors],
            cache: BTreeMap::new(),
            steps_left: usize::MAX,
        }
    }

    fn step(&mut self) -> Result<(), DiskError> {
        self.steps_left = self.steps_left.checked_sub(1).ok_or(DiskError::Device)?;
        Ok(())
    }

    /// Power comes back: of the cached sectors those survive that `survives` picks.
    fn power_cycle(mut self, mut survives: impl FnMut(u64) -> bool) -> Self {
        for (sector, data) in std::mem::take(&mut self.cache) {
            if survives(sector) {
                self.medium[sector as usize] = data;
            }
        }
        self.steps_left = usize::MAX;
        self
    }
}

impl Disk for CutDisk {
    fn sectors(&self) -> u64 {
        self.medium.len() as u64
    }

    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), DiskError> {
        for (sector, bytes) in (first..).zip(data.chunks_exact_mut(SECTOR_LEN)) {
            let stored = self
                .medium
                .get(sector as usize)
                .ok_or(DiskError::OutOfRange)?;
            bytes.copy_from_slice(self.cache.get(&sector).unwrap_or(stored));
        }
        Ok(())
    }

    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), DiskError> {
        assert_eq!(data.len() % SECTOR_LEN, 0);
        for (sector, bytes) in (first..).zip(data.chunks_exact(SECTOR_LEN)) {
            assert!(sector < self.sectors());
            self.step()?;
            self.cache.insert(sector, bytes.try_into().unwrap());
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        self.step()?;
        for (sector, data) in std::mem::take(&mut self.cache) {
            self.medium[sector as usize] = data;
        }
        Ok(())
    }
}

fn saved(name: &str, sectors: usize) -> Saved {
    let text: String = name
        .chars()
        .cycle()
        .take(sectors * SECTOR_LEN - 100)
        .collect();
    Saved {
        text,
        keys: name.bytes().rev().collect(),
    }
}

fn disk_with(generations: &[Saved]) -> (CutDisk, Store) {
    let mut disk = CutDisk::new(512);
    let mut store = Store::new(&disk).unwrap();
    assert_eq!(store.load(&mut disk), Loaded::Empty);
    for (index, saved) in generations.iter().enumerate() {
        assert_eq!(store.save(&mut disk, saved), Ok(index as u64 + 1));
    }
    (disk, store)
}

fn load(disk: &mut CutDisk) -> Loaded {
    Store::new(disk).unwrap().load(disk)
}

fn found(loaded: Loaded) -> (u64, Saved) {
    match loaded {
        Loaded::Found {
            saved, generation, ..
        } => (generation, saved),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_latest_generation_is_loaded() {
    let generations = [saved("first", 3), saved("second", 5), saved("third", 2)];
    let (mut disk, _) = disk_with(&generations);
    assert_eq!(
        load(&mut disk),
        Loaded::Found {
            saved: generations[2].clone(),
            generation: 3,
            other_slot: None
        }
    );
}

#[test]
fn saving_goes_on_after_a_restart() {
    let (mut disk, _) = disk_with(&[saved("first", 3), saved("second", 5)]);
    let mut store = Store::new(&disk).unwrap();
    store.load(&mut disk);
    assert_eq!(store.save(&mut disk, &saved("third", 2)), Ok(3));
    assert_eq!(found(load(&mut disk)), (3, saved("third", 2)));
}

/// Cuts the power at every step of a save, and lets every subset of the unflushed sectors (the
/// payload is short enough to try them all) reach the medium.
#[test]
fn a_cut_at_any_step_leaves_the_old_or_the_new_one() {
    let old = [saved("first", 3), saved("second", 4)];
    let new = saved("third", 5);
    let mut seen = [0u32; 2];
    for steps in 0..9 {
        let (mut disk, mut store) = disk_with(&old);
        disk.steps_left = steps;
        let outcome = store.save(&mut disk, &new);
        assert_eq!(
            outcome.is_ok(),
            steps >= 8,
            "five sectors, flush, header, flush"
        );
        for subset in 0u32..1 << disk.cache.len() {
            let mut index = 0;
            let mut after = disk.clone().power_cycle(|_| {
                index += 1;
                subset >> (index - 1) & 1 == 1
            });
            match found(load(&mut after)) {
                (2, saved) if outcome.is_err() => {
                    assert_eq!(saved, old[1]);
                    seen[0] += 1;
                }
                (3, saved) => {
                    assert_eq!(saved, new);
                    seen[1] += 1;
                }
                other => panic!("step {steps}, subset {subset:b}: {other:?}"),
            }
            // Whatever was left, the next save works and wins.
            let mut store = Store::new(&after).unwrap();
            store.load(&mut after);
            store.save(&mut after, &saved("fourth", 1)).unwrap();
            assert_eq!(found(load(&mut after)).1, saved("fourth", 1));
        }
    }
    assert!(seen[0] > 30 && seen[1] >= 2, "{seen:?}");
}

#[test]
fn a_cut_during_the_very_first_save_is_told_from_a_saved_configuration() {
    for steps in 0..6 {
        let mut disk = CutDisk::new(512);
        let mut store = Store::new(&disk).unwrap();
        store.load(&mut disk);
        disk.steps_left = steps;
        store.save(&mut disk, &saved("first", 3)).unwrap_err();
        let mut lost = disk.clone().power_cycle(|_| false);
        assert_eq!(load(&mut lost), Loaded::Empty);
    }
}

#[test]
fn a_damaged_latest_slot_falls_back_to_the_older_one_and_says_so() {
    let generations = [saved("first", 3), saved("second", 5)];
    let (disk, _) = disk_with(&generations);
    // Generation 2 is in slot 0: sector 0 is its header, sector 1 begins its payload.
    for (sector, fault) in [
        (0, SlotFault::HeaderChecksum),
        (1, SlotFault::PayloadChecksum),
    ] {
        let mut disk = disk.clone();
        disk.medium[sector][40] ^= 0x10;
        let loaded = load(&mut disk);
        assert_eq!(
            loaded,
            Loaded::Found {
                saved: generations[0].clone(),
                generation: 1,
                other_slot: Some(fault)
            }
        );
        assert!(
            loaded
                .to_string()
                .contains("generation 1; the other slot was not used")
        );
    }
}

/// The slot that loads must not be the one written next, whatever generation the bad slot claims.
#[test]
fn saving_beside_a_damaged_newer_slot_never_risks_the_whole_one() {
    let generations = [saved("first", 3), saved("second", 5)];
    let (mut disk, _) = disk_with(&generations);
    disk.medium[1][0] ^= 1;
    let mut store = Store::new(&disk).unwrap();
    assert_eq!(found(store.load(&mut disk)).0, 1);
    disk.steps_left = 2;
    store.save(&mut disk, &saved("third", 4)).unwrap_err();
    let mut after = disk.power_cycle(|_| true);
    assert_eq!(found(load(&mut after)), (1, generations[0].clone()));
    let mut store = Store::new(&after).unwrap();
    store.load(&mut after);
    assert_eq!(store.save(&mut after, &saved("third", 4)), Ok(4));
    assert_eq!(found(load(&mut after)), (4, saved("third", 4)));
}

#[test]
fn two_damaged_slots_are_named() {
    let (mut disk, _) = disk_with(&[saved("first", 3), saved("second", 5)]);
    disk.medium[2][0] ^= 1;
    disk.medium[128][0] ^= 1;
    assert_eq!(
        load(&mut disk),
        Loaded::Damaged {
            slots: [SlotFault::PayloadChecksum, SlotFault::HeaderChecksum]
        }
    );
    // And saving still works.
    let mut store = Store::new(&disk).unwrap();
    store.load(&mut disk);
    store.save(&mut disk, &saved("again", 2)).unwrap();
    assert_eq!(found(load(&mut disk)).1, saved("again", 2));
}

#[test]
fn erasing_leaves_nothing_of_text_or_keys() {
    let (mut disk, mut store) = disk_with(&[saved("first", 3), saved("second", 5)]);
    store.erase(&mut disk).unwrap();
    assert!(
        disk.medium[..256]
            .iter()
            .all(|sector| *sector == [0; SECTOR_LEN])
    );
    assert_eq!(store.load(&mut disk), Loaded::Empty);
}

#[test]
fn a_cut_while_erasing_never_brings_half_a_configuration_back() {
    for steps in 0..12 {
        let (mut disk, mut store) = disk_with(&[saved("first", 3), saved("second", 5)]);
        disk.steps_left = steps;
        store.erase(&mut disk).unwrap_err();
        for keep in [false, true] {
            let mut after = disk.clone().power_cycle(|_| keep);
            match load(&mut after) {
                Loaded::Found {
                    saved: text,
                    generation: 2,
                    ..
                } => {
                    assert_eq!(text, saved("second", 5));
                }
                Loaded::Found {
                    saved: text,
                    generation: 1,
                    ..
                } => {
                    assert_eq!(text, saved("first", 3));
                }
                Loaded::Empty => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_disk_too_small_is_refused_with_both_figures() {
    let disk = CutDisk::new(255);
    let error = Store::new(&disk).unwrap_err();
    assert_eq!(
        error,
        StoreError::DiskTooSmall {
            sectors: 255,
            needed: 256
        }
    );
    assert_eq!(
        error.to_string(),
        "the disk has 255 sectors, the store needs 256"
    );
}

#[test]
fn a_configuration_too_large_is_refused_and_changes_nothing() {
    let (mut disk, mut store) = disk_with(&[saved("first", 3)]);
    let before = disk.medium.clone();
    let text = "x".repeat(store.capacity_bytes() + 1);
    let outcome = store.save(
        &mut disk,
        &Saved {
            text,
            keys: Vec::new(),
        },
    );
    assert!(matches!(outcome, Err(StoreError::TooLarge { .. })));
    assert!(disk.cache.is_empty() && disk.medium == before);
}

#[test]
fn the_largest_configuration_fits_exactly() {
    let (mut disk, mut store) = disk_with(&[]);
    // Three bytes of length before the text, one before the keys.
    let largest = Saved {
        text: "x".repeat(store.capacity_bytes() - 4),
        keys: Vec::new(),
    };
    store.save(&mut disk, &largest).unwrap();
    assert_eq!(found(load(&mut disk)).1, largest);
}

proptest! {
    #[test]
    fn any_flipped_bytes_give_an_old_slot_or_a_named_fault(
        flips in prop::collection::vec((0usize..256, 0usize..SECTOR_LEN, 1u8..), 1..8),
    ) {
        let generations = [saved("first", 100), saved("second", 115)];
        let (mut disk, _) = disk_with(&generations);
        for (sector, offset, mask) in flips {
            disk.medium[sector][offset] ^= mask;
        }
        match load(&mut disk) {
            Loaded::Found { saved, generation, .. } => {
                prop_assert_eq!(&saved, &generations[generation as usize - 1]);
            }
            Loaded::Damaged { .. } => {}
            Loaded::Empty => prop_assert!(false, "damage taken for emptiness"),
        }
    }

    #[test]
    fn garbage_never_panics(sectors in prop::collection::vec(any::<u8>(), 512 * 4)) {
        let mut disk = CutDisk::new(256);
        for (index, bytes) in sectors.chunks_exact(SECTOR_LEN).enumerate() {
            disk.medium[index * 64].copy_from_slice(bytes);
        }
        let whole = matches!(load(&mut disk), Loaded::Found { .. });
        prop_assert!(!whole);
    }
}

//! A disk in memory, with a cache that a power cut loses parts of.
//!
//! What is written goes to the cache; [`flush`](Disk::flush) brings it to the medium. At a power cut
//! each cached sector is kept or lost by a coin from the seed, which covers every order in which a
//! device may write sectors back; of several versions of one sector, any may be the last to have
//! made it, but an older one never replaces a newer one. A write that the cut falls into is torn
//! between sectors, never within one: that is the contract of [`Disk`].
//!
//! A [`SimDisk`] is a handle: the test keeps a clone of what it gives to the box, to cut and restore
//! the power.

use std::cell::RefCell;
use std::rc::Rc;

use hal::disk::{Disk, DiskError, SECTOR_LEN, check_range};

use crate::random::SplitMix;

type Sector = [u8; SECTOR_LEN];

/// When the power fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// When this many more sectors have been written to the cache.
    AfterSectors(u64),
    /// During this flush from now (0 is the next): some of the cache makes it, some does not.
    DuringFlush(u64),
}

/// What a disk has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskStats {
    /// Sectors read.
    pub reads: u64,
    /// Sectors written to the cache.
    pub writes: u64,
    /// Flushes that finished.
    pub flushes: u64,
    /// Power cuts.
    pub cuts: u64,
    /// Sector versions that power cuts lost.
    pub lost: u64,
}

#[derive(Debug)]
struct State {
    medium: Vec<Sector>,
    cache: Vec<(usize, Sector)>,
    random: SplitMix,
    cut: Option<Cut>,
    is_powered: bool,
    is_read_only: bool,
    failure: Option<DiskError>,
    stats: DiskStats,
}

/// A simulated disk; clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimDisk(Rc<RefCell<State>>);

impl SimDisk {
    /// A zeroed disk of `sectors` sectors whose losses come from `seed`.
    #[must_use]
    pub fn new(sectors: usize, seed: u64) -> Self {
        Self::with_contents(vec![[0; SECTOR_LEN]; sectors], seed)
    }

    /// A disk that holds `medium`.
    #[must_use]
    pub fn with_contents(medium: Vec<[u8; SECTOR_LEN]>, seed: u64) -> Self {
        Self(Rc::new(RefCell::new(State {
            medium,
            cache: Vec::new(),
            random: SplitMix::new(seed),
            cut: None,
            is_powered: true,
            is_read_only: false,
            failure: None,
            stats: DiskStats::default(),
        })))
    }

    /// Makes the power fail later. Until [`restore_power`](Self::restore_power) every operation then
    /// is [`DiskError::Device`].
    pub fn cut_power(&self, cut: Cut) {
        self.0.borrow_mut().cut = Some(cut);
    }

    /// Makes the power fail now.
    pub fn cut_power_now(&self) {
        self.0.borrow_mut().lose_power();
    }

    /// Brings the power back; cuts still planned are forgotten.
    pub fn restore_power(&self) {
        let mut state = self.0.borrow_mut();
        state.is_powered = true;
        state.cut = None;
    }

    /// Whether the disk has power.
    #[must_use]
    pub fn is_powered(&self) -> bool {
        self.0.borrow().is_powered
    }

    /// Makes every operation fail with `error` until called with `None`.
    pub fn set_failure(&self, error: Option<DiskError>) {
        self.0.borrow_mut().failure = error;
    }

    /// Makes writes fail with [`DiskError::ReadOnly`].
    pub fn set_read_only(&self, is_read_only: bool) {
        self.0.borrow_mut().is_read_only = is_read_only;
    }

    /// Flips the bits of `mask` in a byte of the medium, as a failing cell would. Cached versions
    /// stay as they are. Nothing happens off the disk.
    pub fn flip(&self, sector: u64, offset: usize, mask: u8) {
        let mut state = self.0.borrow_mut();
        let sector = usize::try_from(sector).ok();
        let sector = sector.and_then(|sector| state.medium.get_mut(sector));
        if let Some(byte) = sector.and_then(|sector| sector.get_mut(offset)) {
            *byte ^= mask;
        }
    }

    /// What is on the medium, the cache left out.
    #[must_use]
    pub fn medium(&self) -> Vec<[u8; SECTOR_LEN]> {
        self.0.borrow().medium.clone()
    }

    /// What the disk has done so far.
    #[must_use]
    pub fn stats(&self) -> DiskStats {
        self.0.borrow().stats
    }
}

impl State {
    fn lose_power(&mut self) {
        for (place, sector) in std::mem::take(&mut self.cache) {
            if self.random.chance(500) {
                if let Some(stored) = self.medium.get_mut(place) {
                    *stored = sector;
                }
            } else {
                self.stats.lost += 1;
            }
        }
        self.is_powered = false;
        self.cut = None;
        self.stats.cuts += 1;
    }

    fn check(&self, first: u64, len: usize) -> Result<usize, DiskError> {
        if !self.is_powered {
            return Err(DiskError::Device);
        }
        if let Some(error) = self.failure {
            return Err(error);
        }
        check_range(self.medium.len() as u64, first, len)?;
        // Not beyond the end of a vector.
        Ok(first as usize)
    }

    /// The newest version of a sector.
    fn newest(&self, place: usize) -> Option<&Sector> {
        let cached = self.cache.iter().rev().find(|(at, _)| *at == place);
        cached
            .map(|(_, sector)| sector)
            .or_else(|| self.medium.get(place))
    }
}

impl Disk for SimDisk {
    fn sectors(&self) -> u64 {
        self.0.borrow().medium.len() as u64
    }

    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), DiskError> {
        let mut state = self.0.borrow_mut();
        let first = state.check(first, data.len())?;
        for (position, part) in data.chunks_exact_mut(SECTOR_LEN).enumerate() {
            if let Some(sector) = state.newest(first + position) {
                part.copy_from_slice(sector);
            }
            state.stats.reads += 1;
        }
        Ok(())
    }

    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), DiskError> {
        let mut state = self.0.borrow_mut();
        let first = state.check(first, data.len())?;
        if state.is_read_only {
            return Err(DiskError::ReadOnly);
        }
        let (sectors, _) = data.as_chunks::<SECTOR_LEN>();
        for (position, sector) in sectors.iter().enumerate() {
            match state.cut {
                Some(Cut::AfterSectors(0)) => {
                    state.lose_power();
                    return Err(DiskError::Device);
                }
                Some(Cut::AfterSectors(left)) => state.cut = Some(Cut::AfterSectors(left - 1)),
                _ => {}
            }
            state.cache.push((first + position, *sector));
            state.stats.writes += 1;
        }
        // Without this a cut after the last sector would wait for the next write.
        if state.cut == Some(Cut::AfterSectors(0)) {
            state.lose_power();
            return Err(DiskError::Device);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        let mut state = self.0.borrow_mut();
        state.check(0, 0)?;
        match state.cut {
            Some(Cut::DuringFlush(0)) => {
                state.lose_power();
                return Err(DiskError::Device);
            }
            Some(Cut::DuringFlush(left)) => state.cut = Some(Cut::DuringFlush(left - 1)),
            _ => {}
        }
        for (place, sector) in std::mem::take(&mut state.cache) {
            if let Some(stored) = state.medium.get_mut(place) {
                *stored = sector;
            }
        }
        state.stats.flushes += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn sector(fill: u8) -> Sector {
        [fill; SECTOR_LEN]
    }

    fn first_bytes(disk: &SimDisk) -> Vec<u8> {
        disk.medium().iter().map(|sector| sector[0]).collect()
    }

    #[test]
    fn what_is_written_is_read_back_and_reaches_the_medium_when_flushed() {
        let mut disk = SimDisk::new(4, 1);
        disk.write(1, &[sector(1), sector(2)].concat())
            .expect("written");
        disk.write(2, &sector(3)).expect("written");
        let mut back = [0; 3 * SECTOR_LEN];
        disk.read(1, &mut back).expect("read");
        assert_eq!(
            back[..].as_chunks::<SECTOR_LEN>().0,
            [sector(1), sector(3), sector(0)]
        );
        assert_eq!(first_bytes(&disk), [0, 0, 0, 0]);
        disk.flush().expect("flushed");
        assert_eq!(first_bytes(&disk), [0, 1, 3, 0]);
    }

    #[test]
    fn refusals_change_nothing() {
        let mut disk = SimDisk::new(4, 1);
        assert_eq!(disk.write(3, &[0; 1_024]), Err(DiskError::OutOfRange));
        assert_eq!(disk.write(u64::MAX, &[0; 512]), Err(DiskError::OutOfRange));
        assert_eq!(disk.read(0, &mut [0; 100]), Err(DiskError::Unaligned));
        disk.set_read_only(true);
        assert_eq!(disk.write(0, &sector(1)), Err(DiskError::ReadOnly));
        disk.set_failure(Some(DiskError::Timeout));
        assert_eq!(disk.flush(), Err(DiskError::Timeout));
        assert_eq!(disk.stats(), DiskStats::default());
    }

    #[test]
    fn a_cut_tears_a_write_between_sectors_and_keeps_any_part_of_the_cache() {
        let mut outcomes = BTreeSet::new();
        for seed in 0..200 {
            let mut disk = SimDisk::new(4, seed);
            disk.write(0, &[sector(9), sector(9), sector(9), sector(9)].concat())
                .expect("written");
            disk.flush().expect("flushed");
            disk.cut_power(Cut::AfterSectors(2));
            let data = [sector(1), sector(2), sector(3)].concat();
            assert_eq!(disk.write(0, &data), Err(DiskError::Device));
            assert_eq!(disk.read(0, &mut sector(0)), Err(DiskError::Device));
            disk.restore_power();
            outcomes.insert(first_bytes(&disk));
        }
        let expected = [[1, 2, 9, 9], [1, 9, 9, 9], [9, 2, 9, 9], [9, 9, 9, 9]];
        assert_eq!(outcomes, expected.map(Vec::from).into());
    }

    #[test]
    fn an_older_version_never_replaces_a_newer_one() {
        let mut outcomes = BTreeSet::new();
        for seed in 0..200 {
            let mut disk = SimDisk::new(1, seed);
            for version in 1..=3 {
                disk.write(0, &sector(version)).expect("written");
            }
            disk.cut_power_now();
            disk.restore_power();
            outcomes.insert(first_bytes(&disk)[0]);
        }
        assert_eq!(outcomes, BTreeSet::from([0, 1, 2, 3]));
    }

    #[test]
    fn what_was_flushed_survives_and_a_flush_can_be_cut_itself() {
        let mut disk = SimDisk::new(2, 3);
        disk.cut_power(Cut::DuringFlush(1));
        disk.write(0, &sector(1)).expect("written");
        disk.flush().expect("the first flush");
        disk.write(1, &sector(2)).expect("written");
        assert_eq!(disk.flush(), Err(DiskError::Device));
        assert!(!disk.is_powered());
        disk.restore_power();
        assert_eq!(first_bytes(&disk)[0], 1);
        assert_eq!(disk.stats().cuts, 1);
        disk.write(1, &sector(5)).expect("works again");
    }

    #[test]
    fn a_cut_after_the_last_sector_of_a_write_falls_into_that_write() {
        let mut disk = SimDisk::new(2, 3);
        disk.cut_power(Cut::AfterSectors(1));
        assert_eq!(disk.write(0, &sector(1)), Err(DiskError::Device));
    }

    #[test]
    fn a_flipped_bit_is_read_back() {
        let mut disk = SimDisk::new(2, 3);
        disk.flip(1, 17, 0x80);
        disk.flip(2, 0, 1);
        let mut data = sector(0);
        disk.read(1, &mut data).expect("read");
        assert_eq!(data[17], 0x80);
    }
}

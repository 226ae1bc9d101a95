//! How a disk, or a part of one, is divided.
//!
//! ```text
//! ┌───────────────┬───────────────┬─────────────┬─────────────┬──────────────────────┐
//! │ configuration │ configuration │ directory   │ directory   │ data of files        │
//! │ slot 0        │ slot 1        │ slot 0      │ slot 1      │                      │
//! └───────────────┴───────────────┴─────────────┴─────────────┴──────────────────────┘
//! 0               S              2S           2S+64        2S+128                  end
//!                                 └──────────────── file area ──────────────────────┘
//! ```
//!
//! S, the sectors of a configuration slot, is a quarter of the whole, at least
//! [`SLOT_SECTORS_MIN`] and at most [`SLOT_SECTORS_MAX`]; it is at its largest from 16 MiB on. Files
//! get what is left: on 1 MiB that is 512 KiB. All positions are relative to the range that is given,
//! so a partition serves as well as a disk.

use hal::disk::{Disk, DiskError, SECTOR_LEN};

/// Largest configuration slot, in sectors (4 MiB): 10,000 access-list lines take about 1 MB.
pub const SLOT_SECTORS_MAX: u64 = 8_192;

/// Smallest configuration slot worth having, in sectors (64 KiB).
pub const SLOT_SECTORS_MIN: u64 = 128;

/// Sectors of one directory slot: a header, and room for the longest possible directory.
pub const DIRECTORY_SECTORS: u64 = 64;

/// Fewest sectors of data (32 KiB) a file area is laid out for.
pub const DATA_SECTORS_MIN: u64 = 64;

/// Most sectors of data (2 TiB): extents count them in 32 bits.
pub const DATA_SECTORS_MAX: u64 = u32::MAX as u64;

/// A run of sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The first of them.
    pub first: u64,
    /// How many.
    pub sectors: u64,
}

impl Extent {
    /// All of `disk`.
    #[must_use]
    pub fn whole(disk: &dyn Disk) -> Self {
        Self {
            first: 0,
            sectors: disk.sectors(),
        }
    }

    /// The part that starts at `from` and has at most `sectors`; empty beyond the end.
    #[must_use]
    pub const fn part(self, from: u64, sectors: u64) -> Self {
        let from = if from < self.sectors {
            from
        } else {
            self.sectors
        };
        let left = self.sectors - from;
        Self {
            first: self.first.saturating_add(from),
            sectors: if sectors < left { sectors } else { left },
        }
    }

    /// Reads `data` from sector `from` of this run on.
    ///
    /// # Errors
    /// [`DiskError::OutOfRange`] outside the run; what the disk says.
    pub fn read(self, disk: &mut dyn Disk, from: u64, data: &mut [u8]) -> Result<(), DiskError> {
        disk.read(self.place(from, data.len())?, data)
    }

    /// Writes `data` from sector `from` of this run on.
    ///
    /// # Errors
    /// [`DiskError::OutOfRange`] outside the run; what the disk says.
    pub fn write(self, disk: &mut dyn Disk, from: u64, data: &[u8]) -> Result<(), DiskError> {
        disk.write(self.place(from, data.len())?, data)
    }

    /// Overwrites the whole run with zeros; they are not flushed.
    ///
    /// # Errors
    /// What the disk says.
    pub fn wipe(self, disk: &mut dyn Disk) -> Result<(), DiskError> {
        const CHUNK_SECTORS: u64 = 16;
        static CHUNK: [u8; CHUNK_SECTORS as usize * SECTOR_LEN] =
            [0; CHUNK_SECTORS as usize * SECTOR_LEN];
        let mut from = 0;
        while from < self.sectors {
            let sectors = (self.sectors - from).min(CHUNK_SECTORS);
            let bytes = sectors as usize * SECTOR_LEN;
            self.write(disk, from, CHUNK.get(..bytes).unwrap_or_default())?;
            from += sectors;
        }
        Ok(())
    }

    fn place(self, from: u64, len: usize) -> Result<u64, DiskError> {
        let sectors = len.div_ceil(SECTOR_LEN) as u64;
        let end = from.checked_add(sectors).ok_or(DiskError::OutOfRange)?;
        if end > self.sectors {
            return Err(DiskError::OutOfRange);
        }
        self.first.checked_add(from).ok_or(DiskError::OutOfRange)
    }
}

/// Fewer sectors than something needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall {
    /// Sectors there are.
    pub sectors: u64,
    /// Sectors needed.
    pub needed: u64,
}

/// A divided range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The two configuration slots, of equal size.
    pub startup: [Extent; 2],
    /// The file area, or why there is none.
    pub files: Result<FileArea, TooSmall>,
}

/// Where files are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileArea {
    /// The two slots of the directory.
    pub directory: [Extent; 2],
    /// What the files' extents are cut from.
    pub data: Extent,
}

impl Layout {
    /// Divides `range`.
    ///
    /// # Errors
    /// [`TooSmall`] if it cannot hold two slots of [`SLOT_SECTORS_MIN`].
    pub fn new(range: Extent) -> Result<Self, TooSmall> {
        let slot = (range.sectors / 4).clamp(SLOT_SECTORS_MIN, SLOT_SECTORS_MAX);
        if range.sectors < 2 * slot {
            return Err(TooSmall {
                sectors: range.sectors,
                needed: 2 * SLOT_SECTORS_MIN,
            });
        }
        Ok(Self {
            startup: [range.part(0, slot), range.part(slot, slot)],
            files: FileArea::new(range.part(2 * slot, u64::MAX)),
        })
    }
}

impl FileArea {
    /// Divides `range`.
    ///
    /// # Errors
    /// [`TooSmall`] below two directory slots and [`DATA_SECTORS_MIN`].
    pub fn new(range: Extent) -> Result<Self, TooSmall> {
        let needed = 2 * DIRECTORY_SECTORS + DATA_SECTORS_MIN;
        if range.sectors < needed {
            return Err(TooSmall {
                sectors: range.sectors,
                needed,
            });
        }
        Ok(Self {
            directory: [0, DIRECTORY_SECTORS].map(|at| range.part(at, DIRECTORY_SECTORS)),
            data: range.part(2 * DIRECTORY_SECTORS, DATA_SECTORS_MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(sectors: u64) -> Result<Layout, TooSmall> {
        Layout::new(Extent { first: 0, sectors })
    }

    #[test]
    fn a_disk_of_16_mib_keeps_the_largest_slots_and_half_for_files() {
        for sectors in [32_768, 1 << 30] {
            let layout = of(sectors).unwrap();
            assert_eq!(layout.startup.map(|slot| slot.first), [0, 8_192]);
            assert_eq!(layout.startup.map(|slot| slot.sectors), [8_192; 2]);
            let data = layout.files.unwrap().data;
            assert_eq!((data.first, data.sectors), (16_512, sectors - 16_512));
        }
    }

    #[test]
    fn a_disk_of_1_mib_has_both() {
        let layout = of(2_048).unwrap();
        assert_eq!(layout.startup.map(|slot| slot.sectors), [512; 2]);
        assert_eq!(layout.files.unwrap().data.sectors, 896);
    }

    #[test]
    fn the_smallest_disk_has_no_file_area_and_a_smaller_one_nothing() {
        let nothing = TooSmall {
            sectors: 0,
            needed: 192,
        };
        assert_eq!(of(256).unwrap().files, Err(nothing));
        let needed = TooSmall {
            sectors: 255,
            needed: 256,
        };
        assert_eq!(of(255), Err(needed));
    }

    proptest! {
        #[test]
        fn parts_lie_inside_in_order_and_apart(first in 0u64..1 << 40, sectors in 0u64..1 << 34) {
            if let Ok(layout) = Layout::new(Extent { first, sectors }) {
                let mut parts = layout.startup.to_vec();
                if let Ok(area) = layout.files {
                    parts.extend(area.directory);
                    parts.push(area.data);
                }
                let mut at = first;
                for part in parts {
                    prop_assert_eq!(part.first, at);
                    prop_assert!(part.sectors > 0);
                    at += part.sectors;
                }
                prop_assert!(at <= first + sectors);
            }
        }
    }
}

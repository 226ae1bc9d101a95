//! Which slot is started, and what is on trial.
//!
//! The state is one sector in two copies, [`COPY_STRIDE`] apart. A new state goes where the older copy is and has
//! the next generation; whatever happens to that write, the other copy is untouched.
//!
//! | At | Bytes | Field |
//! | --- | --- | --- |
//! | 0 | 8 | `SLPTBOOT` |
//! | 8 | 4 | format, 1 |
//! | 16 | 8 | generation |
//! | 24 | 1 | default slot, `A` or `B` |
//! | 25 | 1 | slot on trial, or 0 |
//! | 26 | 1 | starts of it that are left |
//! | 27 | 1 | slots that have proved good: bit 0 A, bit 1 B |
//! | 28 | 2 | bytes of the operator's line |
//! | 32 | 256 | the operator's line: words for the firmware's command line, ASCII |
//! | 508 | 4 | CRC-32C of the bytes before |

use core::fmt;

use heapless::String;

use crate::block::{BlockDevice, BlockError, SECTOR};
use crate::field;
use crate::gpt::Extent;

/// Longest operator's line, in bytes.
pub const LINE_MAX: usize = 256;
/// Sectors from one copy to the other: 4 KiB, so that they share no physical sector of any disk.
pub const COPY_STRIDE: u64 = 8;

const MAGIC: [u8; 8] = *b"SLPTBOOT";
const FORMAT: u32 = 1;
const CRC_AT: usize = 508;
const LINE_AT: usize = 32;

/// CRC-32C (Castagnoli).
static CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

/// A place for a firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Its letter.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
        }
    }

    /// The slot of a letter.
    #[must_use]
    pub const fn of_letter(letter: u8) -> Option<Self> {
        match letter {
            b'A' => Some(Self::A),
            b'B' => Some(Self::B),
            _ => None,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::A => 1,
            Self::B => 2,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}

/// What is remembered between two starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootState {
    /// Counts the states that were written.
    pub generation: u64,
    /// The slot that is started when nothing is on trial.
    pub default: Slot,
    /// The slot on trial.
    pub trial: Option<Slot>,
    /// How many more starts the trial gets.
    pub tries_left: u8,
    /// Slots that have proved good: bit 0 A, bit 1 B.
    pub good: u8,
    /// Words for the firmware's command line.
    pub line: String<LINE_MAX>,
}

impl Default for BootState {
    /// Slot A, nothing on trial: what holds when no copy can be read.
    fn default() -> Self {
        Self {
            generation: 0,
            default: Slot::A,
            trial: None,
            tries_left: 0,
            good: 0,
            line: String::new(),
        }
    }
}

impl BootState {
    /// Whether the firmware in `slot` has ever come up healthy.
    #[must_use]
    pub const fn is_good(&self, slot: Slot) -> bool {
        self.good & slot.bit() != 0
    }

    /// Puts `slot`, freshly written, on trial for `tries` starts; the default stays.
    pub const fn begin_trial(&mut self, slot: Slot, tries: u8) {
        self.good &= !slot.bit();
        self.trial = Some(slot);
        self.tries_left = tries;
    }

    /// The firmware in `slot` is healthy: its trial, if it was one, is over and it is the default.
    pub fn mark_good(&mut self, slot: Slot) {
        self.good |= slot.bit();
        if self.trial == Some(slot) {
            self.default = slot;
            self.trial = None;
            self.tries_left = 0;
        }
    }

    /// The trial has failed: the default stays, and nothing is on trial.
    pub const fn fail_trial(&mut self) {
        if let Some(slot) = self.trial {
            self.good &= !slot.bit();
        }
        self.trial = None;
        self.tries_left = 0;
    }

    /// The sector.
    #[must_use]
    pub fn encode(&self) -> [u8; SECTOR] {
        let mut sector = [0; SECTOR];
        let letter = |slot: Slot| slot.letter() as u8;
        field::put(&mut sector, 0, &MAGIC);
        field::put(&mut sector, 8, &FORMAT.to_le_bytes());
        field::put(&mut sector, 16, &self.generation.to_le_bytes());
        let marks = [
            letter(self.default),
            self.trial.map_or(0, letter),
            self.tries_left,
            self.good,
        ];
        field::put(&mut sector, 24, &marks);
        field::put(&mut sector, 28, &(self.line.len() as u16).to_le_bytes());
        field::put(&mut sector, LINE_AT, self.line.as_bytes());
        let sum = checksum(&sector);
        field::put(&mut sector, CRC_AT, &sum.to_le_bytes());
        sector
    }

    /// Reads a sector; `None` if it is no state, or damaged.
    #[must_use]
    pub fn decode(sector: &[u8; SECTOR]) -> Option<Self> {
        if !sector.starts_with(&MAGIC)
            || field::u32(sector, 8) != FORMAT
            || field::u32(sector, CRC_AT) != checksum(sector)
        {
            return None;
        }
        let [default, trial, tries_left, good] = field::bytes(sector, 24);
        let len = usize::from(field::u16(sector, 28));
        let line = sector.get(LINE_AT..LINE_AT + LINE_MAX)?.get(..len)?;
        let line = core::str::from_utf8(line)
            .ok()
            .filter(|line| line.is_ascii())?;
        Some(Self {
            generation: field::u64(sector, 16),
            default: Slot::of_letter(default)?,
            trial: match trial {
                0 => None,
                letter => Some(Slot::of_letter(letter)?),
            },
            tries_left,
            good,
            line: String::try_from(line).ok()?,
        })
    }

    /// Reads the newest copy of the partition at `place`; the default state if neither can be read.
    #[must_use]
    pub fn load(disk: &mut dyn BlockDevice, place: Extent) -> Self {
        let [first, second] = Self::copies(disk, place);
        match (first, second) {
            (Some(first), Some(second)) if second.generation > first.generation => second,
            (Some(state), _) | (None, Some(state)) => state,
            (None, None) => Self::default(),
        }
    }

    /// Writes the state as the newest, over the older copy. `self` gets the generation written.
    ///
    /// # Errors
    /// [`BlockError`]; what was the newest state then still is, or this one.
    pub fn store(&mut self, disk: &mut dyn BlockDevice, place: Extent) -> Result<(), BlockError> {
        let generations = Self::copies(disk, place).map(|copy| copy.map(|copy| copy.generation));
        let newest = generations.iter().flatten().copied().max();
        // A damaged copy counts as the older one.
        let target = match generations {
            [_, None] => 1,
            [Some(first), Some(second)] if second < first => 1,
            _ => 0,
        };
        self.generation = newest.unwrap_or(0).saturating_add(1);
        let sector = target * COPY_STRIDE;
        if sector >= place.sectors {
            return Err(BlockError::OutOfRange);
        }
        disk.write(place.first + sector, &self.encode())
    }

    fn copies(disk: &mut dyn BlockDevice, place: Extent) -> [Option<Self>; 2] {
        [0, COPY_STRIDE].map(|at| {
            let mut sector = [0; SECTOR];
            if at >= place.sectors {
                return None;
            }
            disk.read(place.first.checked_add(at)?, &mut sector).ok()?;
            Self::decode(&sector)
        })
    }
}

fn checksum(sector: &[u8; SECTOR]) -> u32 {
    CRC.checksum(sector.get(..CRC_AT).unwrap_or_default())
}

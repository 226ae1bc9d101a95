//! The saved configuration, in two alternating [slots](crate::slots).
//!
//! The payload is the text of the configuration and an opaque block of private keys, encoded with
//! postcard; every buffer that held the keys is wiped.

#[cfg(test)]
mod power;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use hal::disk::{Disk, DiskError, SECTOR_LEN};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::layout::{Extent, Layout, TooSmall};
pub use crate::slots::SlotFault;
use crate::slots::{Contents, SlotError, Slots};
use crate::words;

pub use crate::layout::SLOT_SECTORS_MIN;

const MAGIC: [u8; 8] = *b"SALLYCFG";

/// What is kept over a restart. Wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct Saved {
    /// The configuration as printed.
    pub text: String,
    /// The private keys, in the key store's own encoding.
    pub keys: Vec<u8>,
}

impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Saved({} bytes of text, {} bytes of keys)",
            self.text.len(),
            self.keys.len()
        )
    }
}

/// Why the store could not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The disk cannot hold two slots of [`SLOT_SECTORS_MIN`].
    DiskTooSmall {
        /// Sectors on the disk.
        sectors: u64,
        /// Sectors needed.
        needed: u64,
    },
    /// The configuration does not fit into a slot.
    TooLarge {
        /// Bytes to save.
        len_bytes: usize,
        /// Bytes that fit.
        limit_bytes: usize,
    },
    /// The payload could not be encoded.
    Encode,
    /// The generation counter is used up.
    GenerationExhausted,
    /// The disk failed.
    Disk(DiskError),
}

impl From<DiskError> for StoreError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DiskTooSmall { sectors, needed } => {
                write!(
                    f,
                    "the disk has {sectors} sectors, the store needs {needed}"
                )
            }
            Self::TooLarge {
                len_bytes,
                limit_bytes,
            } => write!(
                f,
                "the configuration takes {len_bytes} bytes, a slot of this disk holds {limit_bytes}"
            ),
            Self::Encode => f.write_str("the configuration could not be encoded"),
            Self::GenerationExhausted => f.write_str("the generation counter is used up"),
            Self::Disk(error) => f.write_str(words::disk_error(*error)),
        }
    }
}

/// What [`Store::load`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// Nothing was ever saved, or it was erased.
    Empty,
    /// The latest generation that is whole.
    Found {
        /// What was saved.
        saved: Saved,
        /// Its generation, from 1 on.
        generation: u64,
        /// Why the other slot was passed over, if it was not simply older or blank: a later save
        /// may have been cut off.
        other_slot: Option<SlotFault>,
    },
    /// There is something, but neither slot is whole.
    Damaged {
        /// What is wrong with the two slots.
        slots: [SlotFault; 2],
    },
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no configuration is saved"),
            Self::Found {
                generation,
                other_slot: None,
                ..
            } => {
                write!(f, "loaded configuration generation {generation}")
            }
            Self::Found {
                generation,
                other_slot: Some(fault),
                ..
            } => write!(
                f,
                "loaded configuration generation {generation}; the other slot was not used: {fault}"
            ),
            Self::Damaged {
                slots: [first, second],
            } => write!(
                f,
                "no usable configuration: in slot 0 {first}, in slot 1 {second}"
            ),
        }
    }
}

/// The saved configuration of one disk.
#[derive(Clone, Copy, Debug)]
pub struct Store {
    slots: Slots,
}

impl Store {
    /// Lays the slots out on the whole of `disk`; nothing is read or written yet.
    ///
    /// # Errors
    /// [`StoreError::DiskTooSmall`].
    pub fn new(disk: &dyn Disk) -> Result<Self, StoreError> {
        Ok(Self::at(&Layout::new(Extent::whole(disk))?))
    }

    /// The store of a divided range.
    #[must_use]
    pub const fn at(layout: &Layout) -> Self {
        Self {
            slots: Slots::new(layout.startup, MAGIC),
        }
    }

    /// Bytes of text and keys that fit, less a few for the encoding.
    #[must_use]
    pub fn capacity_bytes(&self) -> usize {
        self.slots.capacity_bytes()
    }

    /// Finds the latest whole generation. Must be called before [`save`](Self::save), which goes on
    /// from the generation found here.
    ///
    /// A damaged slot is a finding, not an error.
    pub fn load(&mut self, disk: &mut dyn Disk) -> Loaded {
        let contents = self
            .slots
            .read(disk, |payload| postcard::from_bytes(payload).ok());
        match contents {
            Contents::Empty => Loaded::Empty,
            Contents::Found {
                value: saved,
                generation,
                other_slot,
            } => Loaded::Found {
                saved,
                generation,
                other_slot,
            },
            Contents::Damaged { slots } => Loaded::Damaged { slots },
        }
    }

    /// Saves `saved` as the next generation and returns that generation.
    ///
    /// When this returns `Ok` it survives a power cut. When it fails, or power is cut within, the
    /// generation before it is untouched.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] before anything is written; [`StoreError::Disk`].
    pub fn save(&mut self, disk: &mut dyn Disk, saved: &Saved) -> Result<u64, StoreError> {
        let mut payload = Zeroizing::new(encode(saved)?);
        let len_bytes = payload.len();
        // `encode` left room for the padding, so the keys are not copied to a second place.
        self.slots
            .write(disk, &mut payload)
            .map_err(|error| match error {
                SlotError::TooLarge => StoreError::TooLarge {
                    len_bytes,
                    limit_bytes: self.capacity_bytes(),
                },
                SlotError::GenerationExhausted => StoreError::GenerationExhausted,
                SlotError::Disk(error) => StoreError::Disk(error),
            })
    }

    /// Forgets everything, private keys included: both slots are overwritten with zeros.
    ///
    /// The headers go first, so that a cut in between leaves nothing that loads by half.
    ///
    /// # Errors
    /// [`StoreError::Disk`].
    pub fn erase(&mut self, disk: &mut dyn Disk) -> Result<(), StoreError> {
        Ok(self.slots.erase(disk)?)
    }
}

impl From<TooSmall> for StoreError {
    fn from(TooSmall { sectors, needed }: TooSmall) -> Self {
        Self::DiskTooSmall { sectors, needed }
    }
}

/// Encodes into a buffer large enough for the padding as well, so that it never moves and leaves
/// no copy of the keys behind.
fn encode(saved: &Saved) -> Result<Vec<u8>, StoreError> {
    // Two length prefixes of at most ten bytes each.
    let room = saved
        .text
        .len()
        .saturating_add(saved.keys.len())
        .saturating_add(20)
        .checked_next_multiple_of(SECTOR_LEN)
        .ok_or(StoreError::Encode)?;
    let mut buffer = vec![0; room];
    let len = postcard::to_slice(saved, &mut buffer)
        .map_err(|_| StoreError::Encode)?
        .len();
    buffer.truncate(len);
    Ok(buffer)
}

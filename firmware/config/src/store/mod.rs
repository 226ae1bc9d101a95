//! The saved configuration: two alternating slots on a disk, so that a power cut leaves the old
//! one or the new one, never neither.
//!
//! A slot is one header sector followed by the payload. Saving generation `g` writes slot `g & 1`:
//! payload, flush, header, flush. Until the header is on the medium the slot's old header does not
//! fit the new payload, so the other slot is the one that loads. Loading takes the highest
//! generation whose two checksums (CRC-32C, RFC 3720 §12.1) hold. The payload is the text of the
//! configuration and an opaque block of private keys, encoded with postcard; every buffer that
//! held the keys is wiped.
//!
//! ```text
//! sector 0        slot 0 header   magic, version, generation, payload length, two CRCs
//! sector 1 …      slot 0 payload
//! sector S        slot 1 header
//! sector S+1 …    slot 1 payload
//! ```

mod header;
#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use hal::disk::{Disk, DiskError, SECTOR_LEN};
use header::{Header, HeaderError};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Largest slot used, in sectors (4 MiB): 10,000 access-list lines take about 1 MB.
pub const SLOT_SECTORS_MAX: u64 = 8_192;

/// Smallest slot worth having, in sectors (64 KiB).
pub const SLOT_SECTORS_MIN: u64 = 128;

const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

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
            Self::Disk(DiskError::OutOfRange) => f.write_str("the disk is smaller than it said"),
            Self::Disk(DiskError::Unaligned) => f.write_str("the disk refused the alignment"),
            Self::Disk(DiskError::Device) => f.write_str("the disk reported an error"),
            Self::Disk(DiskError::Timeout) => f.write_str("the disk did not answer in time"),
            Self::Disk(DiskError::ReadOnly) => f.write_str("the disk is read-only"),
        }
    }
}

/// Why a slot does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotFault {
    /// Never written, or erased.
    Blank,
    /// The header sector is damaged.
    HeaderChecksum,
    /// The header is of a format this firmware does not know.
    Version(u16),
    /// The header names a length or a generation that cannot be.
    Implausible,
    /// The payload is damaged, or its writing was cut off.
    PayloadChecksum,
    /// The payload is whole but does not decode.
    Decode,
    /// The slot could not be read.
    Unreadable(DiskError),
}

impl fmt::Display for SlotFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("never written"),
            Self::HeaderChecksum => f.write_str("its header is damaged"),
            Self::Version(version) => write!(f, "its format {version} is not known"),
            Self::Implausible => f.write_str("its header does not make sense"),
            Self::PayloadChecksum => f.write_str("its content is damaged or incomplete"),
            Self::Decode => f.write_str("its content does not decode"),
            Self::Unreadable(_) => f.write_str("it cannot be read"),
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

/// The two slots of one disk.
#[derive(Clone, Copy, Debug)]
pub struct Store {
    slot_sectors: u64,
    /// Highest generation any header on the disk names.
    newest_seen: u64,
    /// The generation that loads now; the next save must leave its slot alone.
    whole: Option<u64>,
}

impl Store {
    /// Lays the slots out on `disk`; nothing is read or written yet.
    ///
    /// # Errors
    /// [`StoreError::DiskTooSmall`].
    pub fn new(disk: &dyn Disk) -> Result<Self, StoreError> {
        let slot_sectors = (disk.sectors() / 2).min(SLOT_SECTORS_MAX);
        if slot_sectors < SLOT_SECTORS_MIN {
            return Err(StoreError::DiskTooSmall {
                sectors: disk.sectors(),
                needed: 2 * SLOT_SECTORS_MIN,
            });
        }
        Ok(Self {
            slot_sectors,
            newest_seen: 0,
            whole: None,
        })
    }

    /// Bytes of text and keys that fit, less a few for the encoding.
    #[must_use]
    pub const fn capacity_bytes(&self) -> usize {
        // At most 4 MiB, so the narrowing keeps the value.
        (self.slot_sectors - 1) as usize * SECTOR_LEN
    }

    /// Finds the latest whole generation. Must be called before [`save`](Self::save), which goes on
    /// from the generation found here.
    ///
    /// A damaged slot is a finding, not an error.
    pub fn load(&mut self, disk: &mut dyn Disk) -> Loaded {
        let slots = [0, 1].map(|slot| self.read_slot(disk, slot));
        self.newest_seen = 0;
        for slot in &slots {
            if let Ok((generation, _)) | Err((Some(generation), _)) = slot {
                self.newest_seen = self.newest_seen.max(*generation);
            }
        }
        let loaded = choose(slots);
        self.whole = match &loaded {
            Loaded::Found { generation, .. } => Some(*generation),
            Loaded::Empty | Loaded::Damaged { .. } => None,
        };
        loaded
    }

    /// Saves `saved` as the next generation and returns that generation.
    ///
    /// When this returns `Ok` it survives a power cut. When it fails, or power is cut within, the
    /// generation before it is untouched.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] before anything is written; [`StoreError::Disk`].
    pub fn save(&mut self, disk: &mut dyn Disk, saved: &Saved) -> Result<u64, StoreError> {
        let payload = Zeroizing::new(encode(saved)?);
        if payload.len() > self.capacity_bytes() {
            return Err(StoreError::TooLarge {
                len_bytes: payload.len(),
                limit_bytes: self.capacity_bytes(),
            });
        }
        let generation = self
            .next_generation()
            .ok_or(StoreError::GenerationExhausted)?;
        let header = Header {
            generation,
            // Not above the capacity, which is at most 4 MiB.
            payload_len: payload.len() as u32,
            payload_crc: CRC.checksum(&payload),
        };
        let first = self.first_sector(generation & 1);
        let mut padded = payload;
        // `encode` left room for this, so the keys are not copied to a second place.
        let padded_len = padded.len().next_multiple_of(SECTOR_LEN);
        padded.resize(padded_len, 0);
        disk.write(first + 1, &padded)?;
        disk.flush()?;
        disk.write(first, &header.to_sector())?;
        disk.flush()?;
        self.newest_seen = generation;
        self.whole = Some(generation);
        Ok(generation)
    }

    /// Forgets everything, private keys included: both slots are overwritten with zeros.
    ///
    /// The headers go first, so that a cut in between leaves nothing that loads by half.
    ///
    /// # Errors
    /// [`StoreError::Disk`].
    pub fn erase(&mut self, disk: &mut dyn Disk) -> Result<(), StoreError> {
        const CHUNK_SECTORS: u64 = 64;
        let zeros = vec![0; CHUNK_SECTORS as usize * SECTOR_LEN];
        let sector = [0; SECTOR_LEN];
        for slot in [0, 1] {
            disk.write(self.first_sector(slot), &sector)?;
        }
        disk.flush()?;
        let end = 2 * self.slot_sectors;
        let mut first = 0;
        while first < end {
            let sectors = CHUNK_SECTORS.min(end - first);
            let bytes = sectors as usize * SECTOR_LEN;
            disk.write(first, zeros.get(..bytes).unwrap_or(&zeros))?;
            first += sectors;
        }
        disk.flush()?;
        self.newest_seen = 0;
        self.whole = None;
        Ok(())
    }

    /// One more than ever seen, or two, so that it does not fall into the slot that loads now.
    fn next_generation(&self) -> Option<u64> {
        let next = self.newest_seen.checked_add(1)?;
        if self.whole.is_some_and(|whole| whole & 1 == next & 1) {
            next.checked_add(1)
        } else {
            Some(next)
        }
    }

    const fn first_sector(&self, slot: u64) -> u64 {
        slot * self.slot_sectors
    }

    fn read_slot(&self, disk: &mut dyn Disk, slot: u64) -> Slot {
        let first = self.first_sector(slot);
        let mut sector = [0; SECTOR_LEN];
        disk.read(first, &mut sector)
            .map_err(|error| (None, SlotFault::Unreadable(error)))?;
        let header = Header::from_sector(&sector).map_err(|error| (None, error.into()))?;
        let generation = header.generation;
        let fault = |fault| (Some(generation), fault);
        let len = header.payload_len as usize;
        if len > self.capacity_bytes() || generation == 0 || generation & 1 != slot {
            return Err((None, SlotFault::Implausible));
        }
        let mut payload = Zeroizing::new(vec![0; len.next_multiple_of(SECTOR_LEN)]);
        disk.read(first + 1, &mut payload)
            .map_err(|error| fault(SlotFault::Unreadable(error)))?;
        let payload = payload.get(..len).unwrap_or_default();
        if CRC.checksum(payload) != header.payload_crc {
            return Err(fault(SlotFault::PayloadChecksum));
        }
        match postcard::from_bytes(payload) {
            Ok(saved) => Ok((generation, saved)),
            Err(_) => Err(fault(SlotFault::Decode)),
        }
    }
}

/// What a slot holds; with the fault comes the generation if the header was whole.
type Slot = Result<(u64, Saved), (Option<u64>, SlotFault)>;

fn choose(slots: [Slot; 2]) -> Loaded {
    match slots {
        [Ok(first), Ok(second)] => {
            let (generation, saved) = if first.0 >= second.0 { first } else { second };
            Loaded::Found {
                saved,
                generation,
                other_slot: None,
            }
        }
        [Ok((generation, saved)), Err((_, fault))] | [Err((_, fault)), Ok((generation, saved))] => {
            let other_slot = (fault != SlotFault::Blank).then_some(fault);
            Loaded::Found {
                saved,
                generation,
                other_slot,
            }
        }
        [Err((_, SlotFault::Blank)), Err((_, SlotFault::Blank))] => Loaded::Empty,
        [Err((_, first)), Err((_, second))] => Loaded::Damaged {
            slots: [first, second],
        },
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

impl From<HeaderError> for SlotFault {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::Blank => Self::Blank,
            HeaderError::Checksum => Self::HeaderChecksum,
            HeaderError::Version(version) => Self::Version(version),
        }
    }
}

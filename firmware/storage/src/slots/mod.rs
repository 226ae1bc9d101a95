//! One opaque payload in two alternating slots, so that a power cut leaves the old one or the new
//! one, never neither.
//!
//! A slot is one header sector followed by the payload. Writing generation `g` fills slot `g & 1`:
//! payload, flush, header, flush. Until the header is on the medium the slot's old header does not
//! fit the new payload, so the other slot is the one that is read. Reading takes the highest
//! generation whose two checksums (CRC-32C) hold.
//!
//! ```text
//! sector 0        slot 0 header   magic, version, generation, payload length, two CRCs
//! sector 1 …      slot 0 payload
//! sector S        slot 1 header
//! sector S+1 …    slot 1 payload
//! ```

mod header;

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use hal::disk::{Disk, DiskError, SECTOR_LEN};
use header::{Header, HeaderError};
use zeroize::Zeroizing;

use crate::CRC;
use crate::layout::Extent;

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

/// Why a payload could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotError {
    /// The payload does not fit into a slot; nothing was written.
    TooLarge,
    /// The generation counter is used up; nothing was written.
    GenerationExhausted,
    /// The disk failed. The payload before it is untouched; the new one may have arrived or not.
    Disk(DiskError),
}

impl From<DiskError> for SlotError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

/// What [`Slots::read`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contents<T> {
    /// Both slots are blank.
    Empty,
    /// The latest generation that is whole.
    Found {
        /// The decoded payload.
        value: T,
        /// Its generation, from 1 on.
        generation: u64,
        /// Why the other slot was passed over, if it was not simply older or blank: a later writing
        /// may have been cut off.
        other_slot: Option<SlotFault>,
    },
    /// There is something, but neither slot is whole.
    Damaged {
        /// What is wrong with the two slots.
        slots: [SlotFault; 2],
    },
}

/// Two slots of one disk.
#[derive(Clone, Copy, Debug)]
pub struct Slots {
    places: [Extent; 2],
    magic: [u8; 8],
    /// Highest generation any header on the disk names.
    newest_seen: u64,
    /// The generation that is read now; the next one must leave its slot alone.
    whole: Option<u64>,
    /// Whether what was read is on the medium, and not only in the cache of the disk.
    is_flushed: bool,
}

impl Slots {
    /// Slots at `places`, told from others by `magic`. Nothing is read or written yet.
    #[must_use]
    pub const fn new(places: [Extent; 2], magic: [u8; 8]) -> Self {
        Self {
            places,
            magic,
            newest_seen: 0,
            whole: None,
            is_flushed: true,
        }
    }

    /// Bytes of payload that fit.
    #[must_use]
    pub fn capacity_bytes(&self) -> usize {
        let [first, second] = self.places.map(|place| place.sectors);
        let sectors = usize::try_from(first.min(second).saturating_sub(1)).unwrap_or(0);
        sectors.saturating_mul(SECTOR_LEN)
    }

    /// Finds the latest whole generation that `decode` accepts. Must be called before
    /// [`write`](Self::write), which goes on from the generation found here.
    ///
    /// A damaged slot is a finding, not an error. Payloads are wiped from memory once decoded.
    pub fn read<T>(
        &mut self,
        disk: &mut dyn Disk,
        decode: impl Fn(&[u8]) -> Option<T>,
    ) -> Contents<T> {
        // A restart without a power cut finds the cache of the disk as it was left.
        self.is_flushed = disk.flush().is_ok();
        let slots = [0, 1].map(|slot| self.read_slot(disk, slot, &decode));
        self.newest_seen = 0;
        for slot in &slots {
            if let Ok((generation, _)) | Err((Some(generation), _)) = slot {
                self.newest_seen = self.newest_seen.max(*generation);
            }
        }
        let contents = choose(slots);
        self.whole = match &contents {
            Contents::Found { generation, .. } => Some(*generation),
            Contents::Empty | Contents::Damaged { .. } => None,
        };
        contents
    }

    /// Whether what was read is known to survive a power cut.
    #[must_use]
    pub const fn is_flushed(&self) -> bool {
        self.is_flushed
    }

    /// Writes `payload` as the next generation and returns that generation.
    ///
    /// When this returns `Ok` it survives a power cut. When it fails, or power is cut within, the
    /// generation before it is untouched. The payload is padded to whole sectors in place: a caller
    /// with secrets in it leaves that much capacity, so that the buffer never moves.
    ///
    /// # Errors
    /// [`SlotError`].
    pub fn write(&mut self, disk: &mut dyn Disk, payload: &mut Vec<u8>) -> Result<u64, SlotError> {
        if payload.len() > self.capacity_bytes() {
            return Err(SlotError::TooLarge);
        }
        let generation = self
            .next_generation()
            .ok_or(SlotError::GenerationExhausted)?;
        let header = Header {
            generation,
            payload_len: u32::try_from(payload.len()).map_err(|_| SlotError::TooLarge)?,
            payload_crc: CRC.checksum(payload),
        };
        payload.resize(payload.len().next_multiple_of(SECTOR_LEN), 0);
        if !self.is_flushed {
            disk.flush()?;
            self.is_flushed = true;
        }
        let place = self.place(generation & 1);
        place.write(disk, 1, payload)?;
        disk.flush()?;
        place.write(disk, 0, &header.to_sector(self.magic))?;
        disk.flush()?;
        self.newest_seen = generation;
        self.whole = Some(generation);
        Ok(generation)
    }

    /// Forgets everything: both slots are overwritten with zeros.
    ///
    /// The headers go first, so that a cut in between leaves nothing that is read by half.
    ///
    /// # Errors
    /// What the disk says.
    pub fn erase(&mut self, disk: &mut dyn Disk) -> Result<(), DiskError> {
        for place in self.places {
            place.write(disk, 0, &[0; SECTOR_LEN])?;
        }
        disk.flush()?;
        for place in self.places {
            place.wipe(disk)?;
        }
        disk.flush()?;
        self.newest_seen = 0;
        self.whole = None;
        Ok(())
    }

    /// One more than ever seen, or two, so that it does not fall into the slot that is read now.
    fn next_generation(&self) -> Option<u64> {
        let next = self.newest_seen.checked_add(1)?;
        if self.whole.is_some_and(|whole| whole & 1 == next & 1) {
            next.checked_add(1)
        } else {
            Some(next)
        }
    }

    const fn place(&self, slot: u64) -> Extent {
        let [even, odd] = self.places;
        if slot == 0 { even } else { odd }
    }

    fn read_slot<T>(
        &self,
        disk: &mut dyn Disk,
        slot: u64,
        decode: &impl Fn(&[u8]) -> Option<T>,
    ) -> Slot<T> {
        let place = self.place(slot);
        let mut sector = [0; SECTOR_LEN];
        place
            .read(disk, 0, &mut sector)
            .map_err(|error| (None, SlotFault::Unreadable(error)))?;
        let header =
            Header::from_sector(&sector, self.magic).map_err(|error| (None, error.into()))?;
        let generation = header.generation;
        let fault = |fault| (Some(generation), fault);
        let len = header.payload_len as usize;
        if len > self.capacity_bytes() || generation == 0 || generation & 1 != slot {
            return Err((None, SlotFault::Implausible));
        }
        let mut payload = Zeroizing::new(vec![0; len.next_multiple_of(SECTOR_LEN)]);
        place
            .read(disk, 1, &mut payload)
            .map_err(|error| fault(SlotFault::Unreadable(error)))?;
        let payload = payload.get(..len).unwrap_or_default();
        if CRC.checksum(payload) != header.payload_crc {
            return Err(fault(SlotFault::PayloadChecksum));
        }
        match decode(payload) {
            Some(value) => Ok((generation, value)),
            None => Err(fault(SlotFault::Decode)),
        }
    }
}

/// What a slot holds; with the fault comes the generation if the header was whole.
type Slot<T> = Result<(u64, T), (Option<u64>, SlotFault)>;

fn choose<T>(slots: [Slot<T>; 2]) -> Contents<T> {
    match slots {
        [Ok(first), Ok(second)] => {
            let (generation, value) = if first.0 >= second.0 { first } else { second };
            Contents::Found {
                value,
                generation,
                other_slot: None,
            }
        }
        [Ok((generation, value)), Err((_, fault))] | [Err((_, fault)), Ok((generation, value))] => {
            Contents::Found {
                value,
                generation,
                other_slot: (fault != SlotFault::Blank).then_some(fault),
            }
        }
        [Err((_, SlotFault::Blank)), Err((_, SlotFault::Blank))] => Contents::Empty,
        [Err((_, first)), Err((_, second))] => Contents::Damaged {
            slots: [first, second],
        },
    }
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

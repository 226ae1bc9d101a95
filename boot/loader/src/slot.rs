//! One slot: read whole, verified, or refused with the reason.

use core::fmt;

use sha2::{Digest, Sha512};
use slots::header::PAYLOAD_SECTOR;
use slots::{BlockError, Extent, Header, HeaderError, SECTOR};

use crate::Surroundings;
use crate::elf::{self, ElfError};
use crate::key::KeyId;

/// Why a slot is not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such partition.
    NoPartition,
    /// The disk cannot be read.
    Disk(BlockError),
    /// There is no header.
    Header(HeaderError),
    /// Another key signed.
    WrongKey(KeyId),
    /// The signature does not hold: the header is not what was signed.
    Signature,
    /// The firmware is longer than the slot or than the memory there is for it, or has no bytes.
    Length(u64),
    /// The firmware's bytes are not those whose digest was signed.
    Digest,
    /// The firmware is what was signed, and cannot be loaded here.
    Elf(ElfError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPartition => f.write_str("there is no such partition"),
            Self::Disk(error) => error.fmt(f),
            Self::Header(error) => error.fmt(f),
            Self::WrongKey(id) => write!(f, "signed with key {id}, which is not trusted"),
            Self::Signature => f.write_str("the signature does not hold"),
            Self::Length(bytes) => write!(f, "a firmware of {bytes} bytes does not fit"),
            Self::Digest => f.write_str("the firmware is not the one that was signed"),
            Self::Elf(error) => error.fmt(f),
        }
    }
}

/// Reads the firmware of the slot at `place` into `staging` and verifies it.
///
/// # Errors
/// [`Refusal`]; `staging` is then unspecified.
pub(crate) fn load(
    around: &mut Surroundings<'_>,
    place: Option<Extent>,
    staging: &mut [u8],
) -> Result<Header, Refusal> {
    let place = place.ok_or(Refusal::NoPartition)?;
    let mut sector = [0; SECTOR];
    around
        .disk
        .read(place.first, &mut sector)
        .map_err(Refusal::Disk)?;
    let header = Header::decode(&sector).map_err(Refusal::Header)?;
    if header.key_id != around.key.id() {
        return Err(Refusal::WrongKey(KeyId(header.key_id)));
    }
    if !around
        .key
        .verifies(&header.signed_bytes(), &header.signature)
    {
        return Err(Refusal::Signature);
    }
    let too_long = Refusal::Length(header.payload_bytes);
    let sectors = header.payload_bytes.div_ceil(SECTOR as u64);
    let room = place.sectors.saturating_sub(PAYLOAD_SECTOR);
    if sectors == 0 || sectors > room {
        return Err(too_long);
    }
    let bytes = usize::try_from(sectors).ok();
    let bytes = bytes.and_then(|sectors| sectors.checked_mul(SECTOR));
    let target = bytes.and_then(|bytes| staging.get_mut(..bytes));
    let target = target.ok_or(too_long)?;
    // The partition is on the disk, so this is a sector number.
    let first = place.first.saturating_add(PAYLOAD_SECTOR);
    around.disk.read(first, target).map_err(Refusal::Disk)?;
    let firmware = loaded(&header, staging).ok_or(too_long)?;
    if Sha512::digest(firmware)[..] != header.digest {
        return Err(Refusal::Digest);
    }
    elf::parse(firmware, around.is_free).map_err(Refusal::Elf)?;
    Ok(header)
}

/// The firmware in `staging`.
pub(crate) fn loaded<'a>(header: &Header, staging: &'a [u8]) -> Option<&'a [u8]> {
    staging.get(..usize::try_from(header.payload_bytes).ok()?)
}

/// The first bytes of a hash, in hexadecimal.
pub struct ShortHash<'a>(pub &'a [u8; 32]);

impl fmt::Display for ShortHash<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .take(6)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

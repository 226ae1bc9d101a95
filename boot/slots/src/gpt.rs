//! Reading a GUID partition table (UEFI §5.3), the primary one or its backup.
//!
//! A table counts only if both of its checksums hold. Whatever else the sectors say is bounded before
//! it is used: the number of entries, their size, and that each partition lies on the disk.

use core::fmt;

use crate::block::{BlockDevice, BlockError, SECTOR};
use crate::field;
use crate::layout::IMAGE_SECTORS;

/// The checksum of headers and entries: CRC-32, as in Ethernet.
pub static CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// First eight bytes of a table's header.
pub const SIGNATURE: [u8; 8] = *b"EFI PART";
/// Bytes of the header that its checksum covers; later versions of the format may have more.
pub const HEADER_BYTES: u32 = 92;
/// Bytes of an entry.
pub const ENTRY_BYTES: u32 = 128;
/// Most entries that are read.
const ENTRIES_MAX: u32 = 128;

/// A GUID as it lies on the disk: three little-endian numbers, then eight bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
    ///
    /// # Panics
    /// At compile time, where all of these are written, if it is none.
    #[must_use]
    pub const fn parse(text: &str) -> Self {
        const fn digit(character: u8) -> u8 {
            if character.is_ascii_digit() {
                character - b'0'
            } else {
                assert!(matches!(character, b'a'..=b'f'));
                character - b'a' + 10
            }
        }
        // Where each byte, in the order of the text, goes.
        const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        let text = text.as_bytes();
        assert!(text.len() == 36);
        let mut bytes = [0; 16];
        let (mut at, mut index) = (0, 0);
        while index < 16 {
            if text[at] == b'-' {
                at += 1;
            }
            bytes[ORDER[index]] = digit(text[at]) << 4 | digit(text[at + 1]);
            at += 2;
            index += 1;
        }
        Self(bytes)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i, rest @ ..] = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-",
            u32::from_le_bytes([a, b, c, d]),
            u16::from_le_bytes([e, g]),
            u16::from_le_bytes([h, i])
        )?;
        for (index, byte) in rest.iter().enumerate() {
            if index == 2 {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A run of sectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The first of them.
    pub first: u64,
    /// How many; at least one.
    pub sectors: u64,
}

/// Why a disk has no partition table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GptError {
    /// The disk cannot be read.
    Disk(BlockError),
    /// There is no header where one should be.
    NoTable,
    /// There is one, and it contradicts itself or its checksum.
    DamagedHeader,
    /// The checksum over the entries does not hold.
    DamagedEntries,
}

impl fmt::Display for GptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => write!(f, "the partition table cannot be read: {error}"),
            Self::NoTable => f.write_str("there is no partition table"),
            Self::DamagedHeader => f.write_str("the partition table's header is damaged"),
            Self::DamagedEntries => f.write_str("the partition table's entries are damaged"),
        }
    }
}

/// Finds the first partition of each `wanted` type.
///
/// The primary table is asked first, then the backup in the last sector of the disk, then the backup
/// where it is when an image was written to a larger disk.
///
/// # Errors
/// What is wrong with the primary table, if no table holds.
pub fn find<const N: usize>(
    disk: &mut dyn BlockDevice,
    wanted: &[Guid; N],
) -> Result<[Option<Extent>; N], GptError> {
    let primary = match find_by(disk, 1, wanted) {
        Ok(found) => return Ok(found),
        Err(error) => error,
    };
    for header in [disk.sectors().saturating_sub(1), IMAGE_SECTORS - 1] {
        if let Ok(found) = find_by(disk, header, wanted) {
            return Ok(found);
        }
    }
    Err(primary)
}

/// Finds partitions by the table whose header is in sector `at`.
fn find_by<const N: usize>(
    disk: &mut dyn BlockDevice,
    at: u64,
    wanted: &[Guid; N],
) -> Result<[Option<Extent>; N], GptError> {
    let mut sector = [0; SECTOR];
    disk.read(at, &mut sector).map_err(GptError::Disk)?;
    let table = Table::parse(&sector, at)?;
    let mut found = [None; N];
    let mut digest = CRC.digest();
    let mut left = table.entries as usize * ENTRY_BYTES as usize;
    let mut next = table.first_entry_sector;
    while left > 0 {
        disk.read(next, &mut sector).map_err(GptError::Disk)?;
        let used = left.min(SECTOR);
        let used_bytes = sector.get(..used).unwrap_or_default();
        digest.update(used_bytes);
        for entry in used_bytes.chunks_exact(ENTRY_BYTES as usize) {
            note(entry, disk.sectors(), wanted, &mut found);
        }
        left -= used;
        next = next.checked_add(1).ok_or(GptError::DamagedHeader)?;
    }
    if digest.finalize() == table.entries_crc {
        Ok(found)
    } else {
        Err(GptError::DamagedEntries)
    }
}

/// Keeps the partition of `entry` if it is the first of a wanted type and lies on the disk.
fn note<const N: usize>(
    entry: &[u8],
    disk_sectors: u64,
    wanted: &[Guid; N],
    found: &mut [Option<Extent>; N],
) {
    let number = |at: usize| {
        let field = entry.get(at..)?.first_chunk()?;
        Some(u64::from_le_bytes(*field))
    };
    let (Some(first), Some(last)) = (number(32), number(40)) else {
        return;
    };
    if first == 0 || last < first || last >= disk_sectors {
        return;
    }
    for (kind, place) in wanted.iter().zip(found) {
        if entry.starts_with(&kind.0) && place.is_none() {
            *place = Some(Extent {
                first,
                sectors: last - first + 1,
            });
        }
    }
}

/// What is used of a header.
struct Table {
    first_entry_sector: u64,
    entries: u32,
    entries_crc: u32,
}

impl Table {
    fn parse(sector: &[u8; SECTOR], at: u64) -> Result<Self, GptError> {
        if !sector.starts_with(&SIGNATURE) {
            return Err(GptError::NoTable);
        }
        let bytes = field::u32(sector, 12);
        let entries = field::u32(sector, 80);
        let mut summed = *sector;
        field::put(&mut summed, 16, &[0; 4]);
        let covered = summed.get(..bytes as usize);
        let is_whole = bytes >= HEADER_BYTES
            && covered.is_some_and(|covered| CRC.checksum(covered) == field::u32(sector, 16))
            && field::u64(sector, 24) == at
            && field::u32(sector, 84) == ENTRY_BYTES
            && (1..=ENTRIES_MAX).contains(&entries);
        if !is_whole {
            return Err(GptError::DamagedHeader);
        }
        Ok(Self {
            first_entry_sector: field::u64(sector, 72),
            entries,
            entries_crc: field::u32(sector, 88),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::layout;

    #[test]
    fn a_guid_lies_on_the_disk_as_uefi_says_and_prints_as_it_is_written() {
        // UEFI appendix A; the bytes are those of every EFI system partition.
        assert_eq!(layout::ESP.0[..6], [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8]);
        assert_eq!(layout::BIOS_BOOT.0, *b"Hah!IdontNeedEFI");
        let text = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
        assert_eq!(layout::ESP.to_string(), text);
    }
}

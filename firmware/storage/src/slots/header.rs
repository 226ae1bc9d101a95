//! The header sector of a slot. All numbers are little-endian.
//!
//! The magic tells what the slots are for, so that one kind is never taken for the other.
//!
//! | Bytes | Holds |
//! | --- | --- |
//! | 0–7 | magic |
//! | 8–9 | format version |
//! | 16–23 | generation |
//! | 24–27 | payload length in bytes |
//! | 28–31 | CRC-32C of the payload |
//! | 508–511 | CRC-32C of bytes 0–507 |

use crate::CRC;
use hal::disk::SECTOR_LEN;

const VERSION: u16 = 1;
const CRC_AT: usize = SECTOR_LEN - 4;

/// What a header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) generation: u64,
    pub(super) payload_len: u32,
    pub(super) payload_crc: u32,
}

/// Why a sector is not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeaderError {
    /// All zeros or all ones.
    Blank,
    /// The magic or the checksum is wrong.
    Checksum,
    /// A whole header of another format.
    Version(u16),
}

impl Header {
    pub(super) fn to_sector(self, magic: [u8; 8]) -> [u8; SECTOR_LEN] {
        let mut sector = [0; SECTOR_LEN];
        put(&mut sector, 0, magic);
        put(&mut sector, 8, VERSION.to_le_bytes());
        put(&mut sector, 16, self.generation.to_le_bytes());
        put(&mut sector, 24, self.payload_len.to_le_bytes());
        put(&mut sector, 28, self.payload_crc.to_le_bytes());
        let crc = CRC.checksum(sector.split_at(CRC_AT).0);
        put(&mut sector, CRC_AT, crc.to_le_bytes());
        sector
    }

    pub(super) fn from_sector(
        sector: &[u8; SECTOR_LEN],
        magic: [u8; 8],
    ) -> Result<Self, HeaderError> {
        if sector.iter().all(|&byte| byte == 0) || sector.iter().all(|&byte| byte == 0xff) {
            return Err(HeaderError::Blank);
        }
        let crc = CRC.checksum(sector.split_at(CRC_AT).0);
        if take(sector, 0) != magic || u32::from_le_bytes(take(sector, CRC_AT)) != crc {
            return Err(HeaderError::Checksum);
        }
        let version = u16::from_le_bytes(take(sector, 8));
        if version != VERSION {
            return Err(HeaderError::Version(version));
        }
        Ok(Self {
            generation: u64::from_le_bytes(take(sector, 16)),
            payload_len: u32::from_le_bytes(take(sector, 24)),
            payload_crc: u32::from_le_bytes(take(sector, 28)),
        })
    }
}

fn put<const N: usize>(sector: &mut [u8; SECTOR_LEN], at: usize, bytes: [u8; N]) {
    if let Some(place) = sector.get_mut(at..at + N) {
        place.copy_from_slice(&bytes);
    }
}

/// The `N` bytes at `at`; zeros outside the sector, which the constant offsets never are.
fn take<const N: usize>(sector: &[u8; SECTOR_LEN], at: usize) -> [u8; N] {
    sector
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}

//! Fields of fixed length at fixed places of a sector.

use crate::block::SECTOR;

/// The `N` bytes at `at`; zeros where they are not all within the sector, which no caller asks for.
pub(crate) fn bytes<const N: usize>(sector: &[u8; SECTOR], at: usize) -> [u8; N] {
    sector
        .get(at..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .unwrap_or([0; N])
}

/// Puts `value` at `at`; what would lie beyond the sector is left out, which no caller asks for.
pub(crate) fn put(sector: &mut [u8; SECTOR], at: usize, value: &[u8]) {
    for (to, from) in sector.iter_mut().skip(at).zip(value) {
        *to = *from;
    }
}

/// A 16-bit number.
pub(crate) fn u16(sector: &[u8; SECTOR], at: usize) -> u16 {
    u16::from_le_bytes(bytes(sector, at))
}

/// A 32-bit number.
pub(crate) fn u32(sector: &[u8; SECTOR], at: usize) -> u32 {
    u32::from_le_bytes(bytes(sector, at))
}

/// A 64-bit number.
pub(crate) fn u64(sector: &[u8; SECTOR], at: usize) -> u64 {
    u64::from_le_bytes(bytes(sector, at))
}

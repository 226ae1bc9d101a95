//! Where a firmware's parts go.
//!
//! A firmware is a 64-bit ELF executable with a PVH entry note. Only what loading takes is read
//! (System V ABI, AMD64 supplement; Xen `include/public/elfnote.h`), and a file that would write where
//! it must not is refused.

use core::fmt;
use core::ops::Range;

use heapless::Vec;

/// Most program headers of a firmware; it has four.
const HEADERS_MAX: usize = 16;
/// Most parts of a firmware.
pub const SEGMENTS_MAX: usize = 8;
/// Most memory that a firmware may take, zero-filled parts included: 64 MiB.
const MEMORY_MAX: u64 = 64 << 20;

const PT_LOAD: u32 = 1;
const PT_NOTE: u32 = 4;
const PF_X: u32 = 1;
/// `XEN_ELFNOTE_PHYS32_ENTRY`.
const PHYS32_ENTRY: u32 = 18;

/// A part of a firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Physical address of its first byte.
    pub address: u64,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// How many zeros follow them.
    pub zeros: u64,
    is_code: bool,
}

impl Segment<'_> {
    /// The addresses it takes.
    #[must_use]
    pub const fn range(&self) -> Range<u64> {
        // Checked by `parse` not to wrap around.
        self.address..self.address + self.bytes.len() as u64 + self.zeros
    }
}

/// A firmware's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firmware<'a> {
    /// What is to be put where.
    pub segments: Vec<Segment<'a>, SEGMENTS_MAX>,
    /// Where to jump, in 32-bit mode.
    pub entry: u32,
}

/// Why a file is no firmware, or not for this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElfError {
    /// It is no 64-bit x86 executable.
    NotExecutable,
    /// A header points outside the file.
    Truncated,
    /// It has no parts, or more than are known.
    Segments,
    /// A part would be put where there is no free memory.
    NotFree(u64),
    /// Two parts would be put over one another.
    Overlap(u64),
    /// It takes more memory than firmware may.
    TooLarge,
    /// There is no entry, or it is not within code.
    Entry,
}

impl fmt::Display for ElfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotExecutable => f.write_str("not a 64-bit x86 executable"),
            Self::Truncated => f.write_str("the executable points outside itself"),
            Self::Segments => f.write_str("the executable has no parts, or too many"),
            Self::NotFree(address) => write!(f, "no free memory at {address:#x} for a part of it"),
            Self::Overlap(address) => write!(f, "two parts of it overlap at {address:#x}"),
            Self::TooLarge => f.write_str("it takes too much memory"),
            Self::Entry => f.write_str("no PVH entry within its code"),
        }
    }
}

/// Reads `file` and checks that all of it can go where it belongs.
///
/// # Errors
/// [`ElfError`].
pub fn parse<'a>(
    file: &'a [u8],
    is_free: &dyn Fn(Range<u64>) -> bool,
) -> Result<Firmware<'a>, ElfError> {
    let is_executable = file.starts_with(b"\x7fELF\x02\x01\x01")
        && number(file, 16, 2) == Some(2)
        && number(file, 18, 2) == Some(62)
        && number(file, 54, 2) == Some(56);
    if !is_executable {
        return Err(ElfError::NotExecutable);
    }
    let table = number(file, 32, 8).ok_or(ElfError::Truncated)?;
    let count = number(file, 56, 2).ok_or(ElfError::Truncated)? as usize;
    if count > HEADERS_MAX {
        return Err(ElfError::Segments);
    }
    let mut segments = Vec::new();
    let mut entry = None;
    let mut memory = 0_u64;
    for index in 0..count {
        let at = (index as u64 * 56).checked_add(table);
        let header = slice(file, at.ok_or(ElfError::Truncated)?, 56).ok_or(ElfError::Truncated)?;
        // The header has 56 bytes, so no field is missing.
        let field = |at, len| number(header, at, len).unwrap_or_default();
        let bytes = slice(file, field(8, 8), field(32, 8)).ok_or(ElfError::Truncated)?;
        match field(0, 4) as u32 {
            PT_NOTE => entry = entry.or_else(|| pvh_entry(bytes)),
            PT_LOAD => {
                let in_memory = field(40, 8);
                let address = field(24, 8);
                let zeros = in_memory.checked_sub(bytes.len() as u64);
                let zeros = zeros.ok_or(ElfError::Truncated)?;
                memory = memory.saturating_add(in_memory);
                if memory > MEMORY_MAX {
                    return Err(ElfError::TooLarge);
                }
                let end = address.checked_add(in_memory);
                let end = end.ok_or(ElfError::NotFree(address))?;
                if in_memory == 0 {
                    continue;
                }
                if !is_free(address..end) {
                    return Err(ElfError::NotFree(address));
                }
                let is_code = field(4, 4) as u32 & PF_X != 0;
                place(
                    &mut segments,
                    Segment {
                        address,
                        bytes,
                        zeros,
                        is_code,
                    },
                )?;
            }
            _ => {}
        }
    }
    let entry = entry.ok_or(ElfError::Entry)?;
    if segments.is_empty() {
        return Err(ElfError::Segments);
    }
    let is_code = segments
        .iter()
        .any(|segment| segment.is_code && segment.range().contains(&u64::from(entry)));
    if !is_code {
        return Err(ElfError::Entry);
    }
    Ok(Firmware { segments, entry })
}

/// Adds a part unless it overlaps one of those before.
fn place<'a>(
    segments: &mut Vec<Segment<'a>, SEGMENTS_MAX>,
    segment: Segment<'a>,
) -> Result<(), ElfError> {
    let range = segment.range();
    let overlaps = |other: &Segment<'_>| {
        let other = other.range();
        other.start < range.end && range.start < other.end
    };
    if segments.iter().any(overlaps) {
        return Err(ElfError::Overlap(range.start));
    }
    segments.push(segment).map_err(|_| ElfError::Segments)
}

/// The 32-bit entry among the notes in `bytes`.
fn pvh_entry(mut bytes: &[u8]) -> Option<u32> {
    loop {
        let name_len = number(bytes, 0, 4)?;
        let len = number(bytes, 4, 4)?;
        let kind = number(bytes, 8, 4)? as u32;
        let name = slice(bytes, 12, name_len)?;
        let at = 12 + name_len.next_multiple_of(4);
        if name == b"Xen\0" && kind == PHYS32_ENTRY {
            return u32::try_from(number(bytes, at as usize, 4)?).ok();
        }
        let next = at + len.next_multiple_of(4);
        bytes = bytes.get(usize::try_from(next).ok()?..)?;
    }
}

/// A little-endian number of `len` bytes.
fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let field = bytes.get(at..)?.get(..len)?;
    let number = field.iter().rev();
    Some(number.fold(0, |number, &byte| number << 8 | u64::from(byte)))
}

fn slice(bytes: &[u8], at: u64, len: u64) -> Option<&[u8]> {
    let bytes = bytes.get(usize::try_from(at).ok()?..)?;
    bytes.get(..usize::try_from(len).ok()?)
}

#[cfg(test)]
mod tests;

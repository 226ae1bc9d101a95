//! Reads the program headers of the linked file and refuses what must not be loaded.

use object::Endianness;
use object::elf::{EM_X86_64, ET_EXEC, FileHeader64, PF_W, PF_X, PT_LOAD, PT_NOTE};
use object::read::elf::{FileHeader, ProgramHeader};

use crate::ImageError;

/// `XEN_ELFNOTE_PHYS32_ENTRY`: the 32-bit physical entry point of a PVH guest.
const PHYS32_ENTRY: u32 = 18;

/// Rights are enforced by page, so segments with different rights must not share one.
const PAGE_BYTES: u64 = 4096;

/// One program header that is carried into the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// `PT_LOAD` or `PT_NOTE`.
    pub kind: u32,
    /// `PF_R`, `PF_W`, `PF_X`.
    pub flags: u32,
    /// Where its bytes begin in the linked file.
    pub offset: u64,
    /// Virtual address.
    pub virtual_address: u64,
    /// Physical address, where a PVH loader puts it.
    pub physical_address: u64,
    /// Bytes in the file.
    pub file_bytes: u64,
    /// Bytes in memory; what exceeds `file_bytes` is zero.
    pub memory_bytes: u64,
    /// Alignment.
    pub align: u64,
}

impl Segment {
    /// Tells whether the segment is loaded into memory.
    pub fn is_load(&self) -> bool {
        self.kind == PT_LOAD.0
    }

    /// Tells whether code may run from it.
    pub fn is_executable(&self) -> bool {
        self.flags & PF_X.0 != 0
    }

    /// Tells whether it may be written.
    pub fn is_writable(&self) -> bool {
        self.flags & PF_W.0 != 0
    }

    fn end(&self) -> u64 {
        self.physical_address.saturating_add(self.memory_bytes)
    }
}

/// What a loader will find in the image.
#[derive(Clone, Debug)]
pub struct Layout {
    /// The ELF entry point.
    pub entry: u64,
    /// The PVH entry point.
    pub pvh_entry: u64,
    /// Loadable segments and notes, in the file's order.
    pub segments: Vec<Segment>,
}

impl Layout {
    /// Memory the loadable segments take, in bytes, zero-filled parts included.
    pub fn memory_bytes(&self) -> u64 {
        self.segments
            .iter()
            .filter(|segment| segment.is_load())
            .map(|segment| segment.memory_bytes)
            .sum()
    }
}

/// Checks `linked` and returns what it would load.
///
/// # Errors
/// The first rule broken, as an [`ImageError`].
pub fn check(linked: &[u8]) -> Result<Layout, ImageError> {
    let header = FileHeader64::<Endianness>::parse(linked).map_err(ImageError::NotElf)?;
    let endian = header.endian().map_err(ImageError::NotElf)?;
    if header.e_machine(endian) != EM_X86_64 || header.e_type(endian) != ET_EXEC {
        return Err(ImageError::NotExecutable);
    }
    let mut segments = Vec::new();
    let mut pvh_entry = None;
    for (index, program) in header
        .program_headers(endian, linked)
        .map_err(ImageError::NotElf)?
        .iter()
        .enumerate()
    {
        let kind = program.p_type(endian);
        if kind != PT_LOAD && kind != PT_NOTE {
            continue;
        }
        if program.data(endian, linked).is_err() {
            return Err(ImageError::TruncatedSegment { index });
        }
        if kind == PT_NOTE {
            let notes = program
                .notes(endian, linked)
                .map_err(ImageError::NotElf)?
                .into_iter()
                .flatten();
            for note in notes {
                let note = note.map_err(ImageError::NotElf)?;
                if note.name() == b"Xen" && note.n_type(endian).0 == PHYS32_ENTRY {
                    pvh_entry = note
                        .desc()
                        .first_chunk::<4>()
                        .map(|bytes| u64::from(u32::from_le_bytes(*bytes)));
                }
            }
        }
        segments.push(Segment {
            kind: kind.0,
            flags: program.p_flags(endian).0,
            offset: program.p_offset(endian),
            virtual_address: program.p_vaddr(endian),
            physical_address: program.p_paddr(endian),
            file_bytes: program.p_filesz(endian),
            memory_bytes: program.p_memsz(endian),
            align: program.p_align(endian),
        });
    }
    let pvh_entry = pvh_entry.ok_or(ImageError::NoPvhNote)?;
    judge(&segments, pvh_entry)?;
    Ok(Layout {
        entry: header.e_entry(endian),
        pvh_entry,
        segments,
    })
}

/// Applies the rules to the loadable segments.
fn judge(segments: &[Segment], pvh_entry: u64) -> Result<(), ImageError> {
    let mut loads: Vec<&Segment> = segments
        .iter()
        .filter(|segment| segment.is_load() && segment.memory_bytes > 0)
        .collect();
    if loads.is_empty() {
        return Err(ImageError::NoSegments);
    }
    loads.sort_by_key(|segment| segment.physical_address);
    for segment in &loads {
        if segment.is_writable() && segment.is_executable() {
            return Err(ImageError::WritableAndExecutable {
                address: segment.virtual_address,
            });
        }
    }
    for (lower, upper) in loads.iter().zip(loads.iter().skip(1)) {
        let limit = if lower.flags == upper.flags {
            lower.end()
        } else {
            lower
                .end()
                .checked_next_multiple_of(PAGE_BYTES)
                .unwrap_or(u64::MAX)
        };
        // The page of the upper segment's first byte must begin at or after the lower one's last page.
        let start = if lower.flags == upper.flags {
            upper.physical_address
        } else {
            upper.physical_address & !(PAGE_BYTES - 1)
        };
        if start < limit {
            return Err(ImageError::Overlap {
                lower: lower.virtual_address,
                upper: upper.virtual_address,
            });
        }
    }
    let entry_is_code = loads.iter().any(|segment| {
        segment.is_executable() && (segment.physical_address..segment.end()).contains(&pvh_entry)
    });
    if entry_is_code {
        Ok(())
    } else {
        Err(ImageError::EntryOutsideCode { entry: pvh_entry })
    }
}

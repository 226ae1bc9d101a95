//! The UEFI loader as UEFI wants it: from a linked position-independent ELF file to PE32+.
//!
//! Every loadable segment becomes a section at the same relative address, and every relative relocation
//! one of PE's, with its addend written in place; there are no others in such a file.
//! Written by hand because the result is this small, and the same bytes each time.
//!
//! Sources: Microsoft PE format; System V ABI, AMD64 supplement (`R_X86_64_RELATIVE`); UEFI §2.1.1.

use object::Endianness;
use object::elf::{FileHeader64, PF_W, PF_X, PT_LOAD, R_X86_64_RELATIVE, SHT_RELA};
use object::read::elf::{FileHeader, ProgramHeader, Rela, SectionHeader};

use super::DiskError;

const SECTION_ALIGN: u32 = 4096;
const FILE_ALIGN: u32 = 512;
/// Offset of the PE signature, behind a DOS header that says no more than that.
const PE_AT: u32 = 64;
const OPTIONAL_BYTES: u16 = 240;
const DIRECTORIES: u32 = 16;
/// Index of the base relocation directory.
const RELOCATIONS: usize = 5;

const CODE: u32 = 0x6000_0020;
const CONSTANTS: u32 = 0x4000_0040;
const DATA: u32 = 0xc000_0040;
const DISCARDABLE: u32 = 0x4200_0040;

/// A section to be.
struct Section {
    name: &'static [u8; 8],
    address: u32,
    memory_bytes: u32,
    bytes: Vec<u8>,
    flags: u32,
}

/// The bytes of the loadable segment at `address` of a linked file.
pub(super) fn bytes_at(linked: &[u8], address: u64) -> Result<&[u8], DiskError> {
    let header = FileHeader64::<Endianness>::parse(linked).map_err(DiskError::Elf)?;
    let endian = header.endian().map_err(DiskError::Elf)?;
    let programs = header
        .program_headers(endian, linked)
        .map_err(DiskError::Elf)?;
    let segment = programs
        .iter()
        .find(|program| program.p_type(endian) == PT_LOAD && program.p_paddr(endian) == address)
        .ok_or(DiskError::Loader("a segment is missing"))?;
    segment
        .data(endian, linked)
        .map_err(|()| DiskError::Loader("a segment is outside the file"))
}

/// Converts a linked loader.
///
/// # Errors
/// [`DiskError::Elf`] and [`DiskError::Loader`] for a file that is no position-independent executable.
pub fn convert(linked: &[u8]) -> Result<Vec<u8>, DiskError> {
    let header = FileHeader64::<Endianness>::parse(linked).map_err(DiskError::Elf)?;
    let endian = header.endian().map_err(DiskError::Elf)?;
    let mut sections = Vec::new();
    for program in header
        .program_headers(endian, linked)
        .map_err(DiskError::Elf)?
    {
        if program.p_type(endian) != PT_LOAD || program.p_memsz(endian) == 0 {
            continue;
        }
        let address = narrow(program.p_vaddr(endian))?;
        if address == 0 || !address.is_multiple_of(SECTION_ALIGN) {
            return Err(DiskError::Loader("a segment does not begin with a page"));
        }
        let flags = program.p_flags(endian).0;
        let (name, flags) = match (flags & PF_X.0 != 0, flags & PF_W.0 != 0) {
            (true, false) => (b".text\0\0\0", CODE),
            (false, false) => (b".rdata\0\0", CONSTANTS),
            (false, true) => (b".data\0\0\0", DATA),
            (true, true) => return Err(DiskError::Loader("a segment is writable and executable")),
        };
        let bytes = program
            .data(endian, linked)
            .map_err(|()| DiskError::Loader("a segment is outside the file"))?;
        sections.push(Section {
            name,
            address,
            memory_bytes: narrow(program.p_memsz(endian))?,
            bytes: bytes.to_vec(),
            flags,
        });
    }
    let mut places = Vec::new();
    let table = header.sections(endian, linked).map_err(DiskError::Elf)?;
    for section in table
        .iter()
        .filter(|section| section.sh_type(endian) == SHT_RELA)
    {
        let Some((relocations, _)) = section.rela(endian, linked).map_err(DiskError::Elf)? else {
            continue;
        };
        for relocation in relocations {
            if relocation.r_type(endian, false) != R_X86_64_RELATIVE {
                return Err(DiskError::Loader("a relocation that is not relative"));
            }
            let place = narrow(relocation.r_offset(endian))?;
            patch(&mut sections, place, relocation.r_addend(endian))?;
            places.push(place);
        }
    }
    places.sort_unstable();
    let end = sections
        .iter()
        .map(|section| section.address + section.memory_bytes)
        .max();
    let bytes = relocation_blocks(&places);
    sections.push(Section {
        name: b".reloc\0\0",
        address: end.unwrap_or(0).next_multiple_of(SECTION_ALIGN),
        memory_bytes: bytes.len() as u32,
        bytes,
        flags: DISCARDABLE,
    });
    Ok(write(&sections, narrow(header.e_entry(endian))?))
}

fn narrow(value: u64) -> Result<u32, DiskError> {
    u32::try_from(value).map_err(|_| DiskError::Loader("an address beyond 4 GiB"))
}

/// Writes the address that a relocation stands for, relative to base 0.
fn patch(sections: &mut [Section], place: u32, addend: i64) -> Result<(), DiskError> {
    let outside = DiskError::Loader("a relocation outside the data");
    for section in sections {
        let Some(at) = place.checked_sub(section.address) else {
            continue;
        };
        if let Some(field) = section.bytes.get_mut(at as usize..at as usize + 8) {
            field.copy_from_slice(&addend.to_le_bytes());
            return Ok(());
        }
    }
    Err(outside)
}

/// PE format, "The .reloc section": a block for each page, entries of type DIR64.
fn relocation_blocks(places: &[u32]) -> Vec<u8> {
    const DIR64: u16 = 10 << 12;
    let mut out = Vec::new();
    for page in places.chunk_by(|one, other| one / SECTION_ALIGN == other / SECTION_ALIGN) {
        let base = page.first().map_or(0, |place| place & !(SECTION_ALIGN - 1));
        let count = page.len().next_multiple_of(2);
        out.extend_from_slice(&base.to_le_bytes());
        out.extend_from_slice(&(8 + 2 * count as u32).to_le_bytes());
        for place in page {
            let entry = DIR64 | (place % SECTION_ALIGN) as u16;
            out.extend_from_slice(&entry.to_le_bytes());
        }
        // Blocks are multiples of four bytes; type 0 is no relocation.
        out.resize(out.len().next_multiple_of(4), 0);
    }
    // A file without relocations could not be moved: an empty block says that it can.
    if out.is_empty() {
        out.extend_from_slice(&[0, 0, 0, 0, 8, 0, 0, 0]);
    }
    out
}

fn write(sections: &[Section], entry: u32) -> Vec<u8> {
    let headers = PE_AT + 24 + u32::from(OPTIONAL_BYTES) + 40 * sections.len() as u32;
    let headers = headers.next_multiple_of(FILE_ALIGN);
    let sized = |flag: u32| -> u32 {
        let of_kind = sections.iter().filter(|section| section.flags & flag != 0);
        of_kind
            .map(|section| (section.bytes.len() as u32).next_multiple_of(FILE_ALIGN))
            .sum()
    };
    let last = sections.last();
    let image_bytes = last.map_or(0, |section| {
        (section.address + section.memory_bytes).next_multiple_of(SECTION_ALIGN)
    });
    let mut out = Vec::new();
    out.extend_from_slice(b"MZ");
    out.resize(60, 0);
    out.extend_from_slice(&PE_AT.to_le_bytes());
    // COFF header: x86-64, no time, no symbols; executable, knows addresses beyond 2 GiB, no debug information.
    out.extend_from_slice(b"PE\0\0");
    for half in [
        0x8664,
        sections.len() as u16,
        0,
        0,
        0,
        0,
        0,
        0,
        OPTIONAL_BYTES,
        0x222,
    ] {
        out.extend_from_slice(&half.to_le_bytes());
    }
    // Optional header: PE32+, linker version 0.
    out.extend_from_slice(&[0x0b, 2, 0, 0]);
    let code = sections.first().map_or(0, |section| section.address);
    for word in [sized(0x20), sized(0x40), 0, entry, code] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    out.extend_from_slice(&0_u64.to_le_bytes()); // preferred base: none
    for word in [
        SECTION_ALIGN,
        FILE_ALIGN,
        0,
        0,
        0,
        0,
        image_bytes,
        headers,
        0,
    ] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    // An EFI application; may be moved, and data need not be executable.
    out.extend_from_slice(&10_u16.to_le_bytes());
    out.extend_from_slice(&0x140_u16.to_le_bytes());
    for size in [0x1000_u64; 4] {
        out.extend_from_slice(&size.to_le_bytes()); // stack and heap: not UEFI's way
    }
    for word in [0, DIRECTORIES] {
        out.extend_from_slice(&word.to_le_bytes());
    }
    for index in 0..DIRECTORIES as usize {
        let (address, len) = match last {
            Some(section) if index == RELOCATIONS => (section.address, section.memory_bytes),
            _ => (0, 0),
        };
        out.extend_from_slice(&address.to_le_bytes());
        out.extend_from_slice(&len.to_le_bytes());
    }
    let mut at = headers;
    for section in sections {
        let len = (section.bytes.len() as u32).next_multiple_of(FILE_ALIGN);
        out.extend_from_slice(section.name);
        for word in [
            section.memory_bytes,
            section.address,
            len,
            at,
            0,
            0,
            0,
            section.flags,
        ] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        at += len;
    }
    out.resize(headers as usize, 0);
    for section in sections {
        out.extend_from_slice(&section.bytes);
        out.resize(out.len().next_multiple_of(FILE_ALIGN as usize), 0);
    }
    out
}

//! Writes the loadable file: headers and segment bytes, no sections, no symbols.
//!
//! Written by hand rather than through a general ELF writer because the result is this small: one
//! file header, one program header per segment, then the bytes.

use object::elf::{EM_X86_64, ET_EXEC, EV_CURRENT};

use crate::check::{Layout, Segment};
use crate::error::ImageError;

/// Size of the 64-bit file header.
const FILE_HEADER_BYTES: u16 = 64;

/// Size of one 64-bit program header.
const PROGRAM_HEADER_BYTES: u16 = 56;

/// File offsets keep the low bits of the address up to this alignment, so that a loader may map
/// the file instead of copying it.
const FILE_ALIGN: u64 = 4096;

/// Returns the loadable file for `layout`, taking bytes from `linked`.
pub(crate) fn strip(linked: &[u8], layout: &Layout) -> Result<Vec<u8>, ImageError> {
    let count = u16::try_from(layout.segments.len()).map_err(|_| ImageError::NoSegments)?;
    let headers_bytes =
        u64::from(FILE_HEADER_BYTES) + u64::from(count) * u64::from(PROGRAM_HEADER_BYTES);

    // Loadable segments first: a note normally lies inside one and then takes no bytes of its own.
    let mut body: Vec<u8> = vec![0; to_index(headers_bytes)];
    let mut offsets = vec![0_u64; layout.segments.len()];
    for (index, segment) in layout
        .segments
        .iter()
        .enumerate()
        .filter(|(_, segment)| segment.is_load())
    {
        place(index, segment, linked, &mut body, &mut offsets)?;
    }
    for (index, segment) in layout
        .segments
        .iter()
        .enumerate()
        .filter(|(_, segment)| !segment.is_load())
    {
        let home = layout
            .segments
            .iter()
            .zip(offsets.clone())
            .find(|(load, _)| {
                load.is_load()
                    && segment.offset >= load.offset
                    && segment.offset + segment.file_bytes <= load.offset + load.file_bytes
            });
        match (home, offsets.get_mut(index)) {
            (Some((load, load_offset)), Some(slot)) => {
                *slot = load_offset + (segment.offset - load.offset)
            }
            _ => place(index, segment, linked, &mut body, &mut offsets)?,
        }
    }

    let mut headers = file_header(layout.entry, count);
    for (segment, offset) in layout.segments.iter().zip(&offsets) {
        push_program_header(&mut headers, segment, *offset);
    }
    for (target, byte) in body.iter_mut().zip(headers) {
        *target = byte;
    }
    Ok(body)
}

/// Appends the bytes of one segment at an offset congruent to its address.
fn place(
    index: usize,
    segment: &Segment,
    linked: &[u8],
    body: &mut Vec<u8>,
    offsets: &mut [u64],
) -> Result<(), ImageError> {
    let start = to_index(segment.offset);
    let bytes = linked
        .get(start..start.saturating_add(to_index(segment.file_bytes)))
        .ok_or(ImageError::TruncatedSegment { index })?;
    let align = if segment.is_load() { FILE_ALIGN } else { 4 };
    while (body.len() as u64) % align != segment.virtual_address % align {
        body.push(0);
    }
    if let Some(slot) = offsets.get_mut(index) {
        *slot = body.len() as u64;
    }
    body.extend_from_slice(bytes);
    Ok(())
}

/// The file header: 64-bit, little-endian, no section table.
fn file_header(entry: u64, program_headers: u16) -> Vec<u8> {
    let mut out = vec![0x7F, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    out.extend_from_slice(&ET_EXEC.0.to_le_bytes());
    out.extend_from_slice(&EM_X86_64.0.to_le_bytes());
    out.extend_from_slice(&u32::from(EV_CURRENT.0).to_le_bytes());
    out.extend_from_slice(&entry.to_le_bytes());
    out.extend_from_slice(&u64::from(FILE_HEADER_BYTES).to_le_bytes()); // program headers follow at once
    out.extend_from_slice(&0_u64.to_le_bytes()); // no section headers
    out.extend_from_slice(&0_u32.to_le_bytes()); // flags
    for field in [
        FILE_HEADER_BYTES,
        PROGRAM_HEADER_BYTES,
        program_headers,
        0,
        0,
        0,
    ] {
        out.extend_from_slice(&field.to_le_bytes());
    }
    out
}

/// Appends one program header that points at `offset` in the new file.
fn push_program_header(out: &mut Vec<u8>, segment: &Segment, offset: u64) {
    out.extend_from_slice(&segment.kind.to_le_bytes());
    out.extend_from_slice(&segment.flags.to_le_bytes());
    for field in [
        offset,
        segment.virtual_address,
        segment.physical_address,
        segment.file_bytes,
        segment.memory_bytes,
        segment.align,
    ] {
        out.extend_from_slice(&field.to_le_bytes());
    }
}

/// File offsets fit `usize` on every host this runs on; a larger one finds no bytes.
fn to_index(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

//! Images made by hand, one rule broken at a time.

use object::elf::{PF_R, PF_W, PF_X, PT_LOAD, PT_NOTE};

use crate::check::check;
use crate::error::ImageError;
use crate::strip::strip;

const CODE: u64 = 0x20_0000;
const DATA: u64 = 0x30_0000;

/// One program header and its bytes.
struct Part {
    kind: u32,
    flags: u32,
    address: u64,
    bytes: Vec<u8>,
    memory: u64,
}

fn pvh_note(entry: u32) -> Vec<u8> {
    let mut note = Vec::new();
    for word in [4_u32, 4, 18] {
        note.extend_from_slice(&word.to_le_bytes());
    }
    note.extend_from_slice(b"Xen\0");
    note.extend_from_slice(&entry.to_le_bytes());
    note
}

fn parts() -> Vec<Part> {
    vec![
        Part {
            kind: PT_NOTE.0,
            flags: PF_R.0,
            address: CODE,
            bytes: pvh_note(0x20_0100),
            memory: 20,
        },
        Part {
            kind: PT_LOAD.0,
            flags: PF_R.0 | PF_X.0,
            address: CODE,
            bytes: vec![0x90; 0x1234],
            memory: 0x1234,
        },
        Part {
            kind: PT_LOAD.0,
            flags: PF_R.0 | PF_W.0,
            address: DATA,
            bytes: vec![7; 100],
            memory: 0x5000,
        },
    ]
}

/// Links `parts` as a linker would, with 5,000 bytes of "debug information" at the end.
fn link(parts: &[Part]) -> Vec<u8> {
    let mut body = vec![0_u8; 64 + 56 * parts.len()];
    let mut table = Vec::new();
    for part in parts {
        let offset = body.len() as u64;
        body.extend_from_slice(&part.bytes);
        table.extend_from_slice(&part.kind.to_le_bytes());
        table.extend_from_slice(&part.flags.to_le_bytes());
        for field in [
            offset,
            part.address,
            part.address,
            part.bytes.len() as u64,
            part.memory,
            1,
        ] {
            table.extend_from_slice(&field.to_le_bytes());
        }
    }
    body.extend_from_slice(&[0xDB; 5000]);
    let mut header = vec![0x7F, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header.extend_from_slice(&2_u16.to_le_bytes());
    header.extend_from_slice(&62_u16.to_le_bytes());
    header.extend_from_slice(&1_u32.to_le_bytes());
    for field in [CODE, 64, 0] {
        header.extend_from_slice(&field.to_le_bytes());
    }
    header.extend_from_slice(&0_u32.to_le_bytes());
    for field in [64_u16, 56, u16::try_from(parts.len()).unwrap(), 0, 0, 0] {
        header.extend_from_slice(&field.to_le_bytes());
    }
    header.extend_from_slice(&table);
    body[..header.len()].copy_from_slice(&header);
    body
}

#[test]
fn a_sound_file_keeps_its_segments_and_loses_the_rest() {
    let linked = link(&parts());
    let layout = check(&linked).unwrap();
    assert_eq!(layout.pvh_entry, 0x20_0100);
    assert_eq!(layout.memory_bytes(), 0x1234 + 0x5000);

    let stripped = strip(&linked, &layout).unwrap();
    assert!(!stripped.contains(&0xDB), "debug bytes are gone");
    let again = check(&stripped).unwrap();
    assert_eq!(again.pvh_entry, layout.pvh_entry);
    assert_eq!(again.segments.len(), 3);
    for (before, after) in layout.segments.iter().zip(&again.segments) {
        assert_eq!((before.kind, before.flags), (after.kind, after.flags));
        assert_eq!(before.virtual_address, after.virtual_address);
        assert_eq!(before.memory_bytes, after.memory_bytes);
        let old = &linked[before.offset as usize..][..before.file_bytes as usize];
        let new = &stripped[after.offset as usize..][..after.file_bytes as usize];
        assert_eq!(old, new);
        if after.is_load() {
            assert_eq!(after.offset % 4096, after.virtual_address % 4096);
        }
    }
}

#[test]
fn a_writable_and_executable_segment_is_refused() {
    let mut parts = parts();
    parts[1].flags |= PF_W.0;
    assert!(matches!(
        check(&link(&parts)),
        Err(ImageError::WritableAndExecutable { address: CODE })
    ));
}

#[test]
fn code_and_data_in_one_page_are_refused() {
    let mut parts = parts();
    parts[2].address = CODE + 0x1300;
    assert!(matches!(
        check(&link(&parts)),
        Err(ImageError::Overlap { .. })
    ));
    parts[2].address = CODE + 0x2000;
    assert!(check(&link(&parts)).is_ok(), "the next page is free");
}

#[test]
fn a_file_without_a_pvh_note_is_refused() {
    let mut parts = parts();
    parts.remove(0);
    assert!(matches!(check(&link(&parts)), Err(ImageError::NoPvhNote)));
}

#[test]
fn an_entry_in_data_is_refused() {
    let mut parts = parts();
    parts[0].bytes = pvh_note(0x30_0000);
    assert!(matches!(
        check(&link(&parts)),
        Err(ImageError::EntryOutsideCode { entry: DATA })
    ));
}

#[test]
fn a_truncated_file_is_refused() {
    let linked = link(&parts());
    for length in [0, 3, 63, 100, 300] {
        assert!(check(&linked[..length]).is_err(), "{length} bytes");
    }
}

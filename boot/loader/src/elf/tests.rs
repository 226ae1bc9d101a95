//! Files that must be refused, and random bytes that must not stop the loader.

use std::ops::Range;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

/// One program header: type, flags, offset, address, bytes in the file, bytes in memory.
type Row = (u32, u32, u64, u64, u64, u64);

const CODE: Row = (PT_LOAD, 5, 0x1000, 0x20_0000, 0x100, 0x100);
const DATA: Row = (PT_LOAD, 6, 0x1100, 0x20_1000, 0x80, 0x2000);
const NOTE: Row = (PT_NOTE, 4, 0x1180, 0x20_3000, 20, 20);

fn file(rows: &[Row], entry: u32) -> Vec<u8> {
    let mut file = vec![0_u8; 0x1200];
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    file[16..20].copy_from_slice(&[2, 0, 62, 0]);
    file[32] = 64;
    file[54] = 56;
    file[56] = rows.len() as u8;
    for (index, row) in rows.iter().enumerate() {
        let at = 64 + index * 56;
        file[at..at + 4].copy_from_slice(&row.0.to_le_bytes());
        file[at + 4..at + 8].copy_from_slice(&row.1.to_le_bytes());
        for (field, value) in [(8, row.2), (24, row.3), (32, row.4), (40, row.5)] {
            file[at + field..at + field + 8].copy_from_slice(&value.to_le_bytes());
        }
    }
    file[0x1180..0x118c].copy_from_slice(&[4, 0, 0, 0, 4, 0, 0, 0, 18, 0, 0, 0]);
    file[0x118c..0x1190].copy_from_slice(b"Xen\0");
    file[0x1190..0x1194].copy_from_slice(&entry.to_le_bytes());
    file
}

fn is_free(range: Range<u64>) -> bool {
    range.start >= 0x20_0000 && range.end <= 0x100_0000
}

fn outcome(rows: &[Row], entry: u32) -> Result<usize, ElfError> {
    parse(&file(rows, entry), &is_free).map(|firmware| firmware.segments.len())
}

#[test]
fn parts_and_entry_of_a_sound_file_are_found() {
    let bytes = file(&[CODE, DATA, NOTE], 0x20_0010);
    let firmware = parse(&bytes, &is_free).unwrap();
    assert_eq!(firmware.entry, 0x20_0010);
    assert_eq!(firmware.segments[1].zeros, 0x1f80);
    assert_eq!(firmware.segments[1].range(), 0x20_1000..0x20_3000);
}

#[test]
fn parts_outside_free_memory_are_refused() {
    let place = |address, memory| (PT_LOAD, 6, 0x1100, address, 0x80, memory);
    for (address, memory) in [
        (0x1000, 0x80),
        (0xff_ff00, 0x200),
        (1 << 40, 0x80),
        (u64::MAX - 0x10, 0x80),
    ] {
        let found = outcome(&[CODE, place(address, memory), NOTE], 0x20_0000);
        assert_eq!(found, Err(ElfError::NotFree(address)), "{address:#x}");
    }
    let found = outcome(&[CODE, place(0x30_0000, u64::MAX), NOTE], 0x20_0000);
    assert_eq!(found, Err(ElfError::TooLarge));
}

#[test]
fn parts_over_one_another_are_refused() {
    let over = (PT_LOAD, 6, 0x1100, 0x20_00ff, 0x80, 0x80);
    assert_eq!(
        outcome(&[CODE, over, NOTE], 0x20_0000),
        Err(ElfError::Overlap(0x20_00ff))
    );
    // Zeros count as well.
    let within = (PT_LOAD, 6, 0x1100, 0x20_2000, 0x80, 0x80);
    assert_eq!(
        outcome(&[CODE, DATA, within, NOTE], 0x20_0000),
        Err(ElfError::Overlap(0x20_2000))
    );
}

#[test]
fn entries_outside_code_are_refused() {
    for entry in [0, 0x20_0100, 0x20_1000] {
        assert_eq!(
            outcome(&[CODE, DATA, NOTE], entry),
            Err(ElfError::Entry),
            "{entry:#x}"
        );
    }
    assert_eq!(outcome(&[CODE, DATA], 0x20_0000), Err(ElfError::Entry));
    assert_eq!(outcome(&[NOTE], 0x20_0000), Err(ElfError::Segments));
}

#[test]
fn headers_that_point_outside_are_refused() {
    let beyond = (PT_LOAD, 6, 0x11ff, 0x20_1000, 0x80, 0x80);
    assert_eq!(
        outcome(&[CODE, beyond, NOTE], 0x20_0000),
        Err(ElfError::Truncated)
    );
    // More bytes in the file than in memory.
    let shrunk = (PT_LOAD, 6, 0x1100, 0x20_1000, 0x80, 0x40);
    assert_eq!(
        outcome(&[CODE, shrunk, NOTE], 0x20_0000),
        Err(ElfError::Truncated)
    );
    let whole = file(&[CODE, DATA, NOTE], 0x20_0000);
    for len in 0..whole.len() {
        let found = parse(&whole[..len], &is_free);
        assert!(found.is_err() || len >= 0x1194, "{len}");
    }
}

proptest! {
    /// Whatever the bytes say, each part is in free memory and apart from the others.
    #[test]
    fn whatever_is_accepted_can_be_loaded(
        changes in proptest::collection::vec((0_usize..0x1200, any::<u8>()), 1..12),
    ) {
        let mut bytes = file(&[CODE, DATA, NOTE], 0x20_0000);
        for (at, value) in changes {
            // Mostly headers.
            let at = if at < 0x1000 { at % 240 } else { at };
            bytes[at] = value;
        }
        if let Ok(firmware) = parse(&bytes, &is_free) {
            for (index, segment) in firmware.segments.iter().enumerate() {
                prop_assert!(is_free(segment.range()));
                for other in &firmware.segments[..index] {
                    let apart = other.range().end <= segment.range().start
                        || segment.range().end <= other.range().start;
                    prop_assert!(apart);
                }
            }
        }
    }
}

//! A disk of arbitrary bytes, read and written as the file system of the box.

use crc::{CRC_32_ISCSI, Crc};
use hal::disk::{Disk, SECTOR_LEN};
use storage::files::{FILES_MAX, FileError, FileSystem, Mounted};
use storage::layout::{DATA_SECTORS_MIN, DIRECTORY_SECTORS, Extent, FileArea};

use crate::input::Input;
use crate::stored_configuration::Memory;

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
const SECTORS: u64 = 2 * DIRECTORY_SECTORS + DATA_SECTORS_MIN;
const SLOT_LEN: usize = DIRECTORY_SECTORS as usize * SECTOR_LEN;
const LIMIT: usize = 1 << 20;
const NAMES: [&str; 5] = ["a", "b", "startup.cfg", "", "x/y"];

/// The first byte chooses whether the directory is arbitrary sectors, or an arbitrary payload below a
/// header that is right; what follows it is what is done with the files.
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut disk = Memory::new(SECTORS);
    let is_raw = input.byte().is_multiple_of(2);
    for slot in [0, 1] {
        let at = slot * SLOT_LEN;
        let payload = input.counted();
        if is_raw {
            disk.put(at, payload);
        } else {
            // Generation 2 belongs to slot 0, generation 1 to slot 1.
            disk.put(at, &header(2 - slot as u64, payload));
            disk.put(at + SECTOR_LEN, payload);
        }
    }
    let whole = Extent::whole(&disk);
    let area = FileArea::new(whole).expect("the disk is large enough");
    let (mut files, _) = FileSystem::mount(&mut disk, area);
    look(&files, &mut disk);
    while !input.is_empty() {
        act(&mut files, &mut disk, &mut input);
    }
    look(&files, &mut disk);
    let (again, mounted) = FileSystem::mount(&mut disk, area);
    assert_eq!(again.list(), files.list(), "{mounted}");
    assert!(!matches!(mounted, Mounted::Damaged { .. }) || files.list().is_empty());
}

/// Whatever the directory says, it says it within bounds.
fn look(files: &FileSystem, disk: &mut Memory) {
    assert!(files.list().len() <= FILES_MAX);
    let totals = files.totals();
    let held: u64 = files.list().iter().map(|file| file.size_bytes()).sum();
    assert!(totals.free_bytes + held <= totals.total_bytes);
    for file in files.list() {
        match files.read(disk, file.name(), LIMIT) {
            Ok(bytes) => assert_eq!(bytes.len() as u64, file.size_bytes()),
            Err(error) => assert_eq!(error, FileError::Damaged),
        }
    }
}

/// One thing done; what succeeded must show.
fn act(files: &mut FileSystem, disk: &mut Memory, input: &mut Input<'_>) {
    let what = input.byte();
    let name = input.one_of(&NAMES);
    match what % 4 {
        0 => {
            let bytes = input.counted();
            if files.write(disk, name, bytes, 1).is_ok() {
                assert_eq!(files.read(disk, name, LIMIT).as_deref(), Ok(bytes));
            }
        }
        1 => {
            let Ok(mut upload) = files.begin(name) else {
                return;
            };
            let bytes = input.counted();
            let block = usize::from(input.word()).max(1);
            let is_whole = bytes
                .chunks(block)
                .all(|block| files.append(disk, &mut upload, block).is_ok());
            if is_whole && files.finish(disk, upload, 2).is_ok() {
                assert_eq!(files.read(disk, name, LIMIT).as_deref(), Ok(bytes));
            }
        }
        2 => {
            if files.delete(disk, name, what >= 128).is_ok() {
                assert!(files.find(name).is_none());
            }
        }
        _ => {
            let to = input.one_of(&NAMES);
            let before = files.find(name).map(|file| file.size_bytes());
            if files.rename(disk, name, to, what >= 128).is_ok() {
                assert_eq!(files.find(to).map(|file| file.size_bytes()), before);
            }
        }
    }
}

/// A slot header whose checksums are right.
fn header(generation: u64, payload: &[u8]) -> [u8; SECTOR_LEN] {
    let mut sector = [0; SECTOR_LEN];
    sector[..8].copy_from_slice(b"SALLYDIR");
    sector[8..10].copy_from_slice(&1u16.to_le_bytes());
    sector[16..24].copy_from_slice(&generation.to_le_bytes());
    sector[24..28].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    sector[28..32].copy_from_slice(&CRC.checksum(payload).to_le_bytes());
    let sum = CRC.checksum(&sector[..SECTOR_LEN - 4]);
    sector[SECTOR_LEN - 4..].copy_from_slice(&sum.to_le_bytes());
    sector
}

/// Every action on an empty disk, and on a directory with two files as the file system writes it.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let mut disk = Memory::new(SECTORS);
    let area = FileArea::new(Extent::whole(&disk)).expect("the disk is large enough");
    let (mut files, _) = FileSystem::mount(&mut disk, area);
    for name in ["a", "b"] {
        // Zeros, as the data area of the fuzzer's disk is.
        files
            .write(&mut disk, name, &[0; 700], 1_800_000_000)
            .expect("it fits");
    }
    // Generation 2 lies in slot 0; its header tells the length of the directory.
    let mut slot = [0; 2 * SECTOR_LEN];
    disk.read(0, &mut slot).expect("the disk never fails");
    let len = usize::from(slot[24]);
    let actions: &[u8] = b"\x00\x00\x00\x05hello\x01\x01\x00\x09an upload\x00\x02\x03\x00\x02\x83\x00\x01\x02\x01\x82\x02";
    let raw = [&[0, 4, 0], &slot[..], &[0, 0], actions].concat();
    let payload = &slot[SECTOR_LEN..SECTOR_LEN + len];
    let right = [&[1, 0, len as u8], payload, &[0, 0], actions].concat();
    let empty = [&[0, 0, 0, 0, 0], actions].concat();
    vec![raw, right, empty]
}

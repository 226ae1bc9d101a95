//! The finished image in the hands of the loader's code, as it is and tampered with.

use std::fmt::Write as _;

use proptest::prelude::*;
use slots::layout::{BIOS_BOOT, BOOT_STATE, CONFIGURATION, ESP, SLOT_A, SLOT_B};
use slots::{Reason, Slot, gpt as table};

use super::*;

const SEED: [u8; 32] = [3; 32];

/// A firmware that can be loaded: code and data at 2 MiB, an entry in the code.
fn firmware() -> Vec<u8> {
    let mut note = Vec::new();
    for word in [4_u32, 4, 18] {
        note.extend_from_slice(&word.to_le_bytes());
    }
    note.extend_from_slice(b"Xen\0");
    note.extend_from_slice(&0x20_0004_u32.to_le_bytes());
    let code = vec![0x90; 5000];
    elf(
        2,
        &[
            (1, 5, 0x20_0000, &code, 5000),
            (1, 6, 0x20_2000, &[7; 600], 9000),
            (4, 4, 0x20_5000, &note, note.len() as u64),
        ],
    )
}

/// An ELF file of `kind` with `parts`: type, rights, address, bytes, bytes in memory.
fn elf(kind: u8, parts: &[(u32, u32, u64, &[u8], u64)]) -> Vec<u8> {
    let mut file = vec![0; 64 + 56 * parts.len()];
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    file[16] = kind;
    file[18] = 62;
    file[20] = 1;
    file[24..32].copy_from_slice(&parts[0].2.to_le_bytes());
    file[32] = 64;
    file[52] = 64;
    file[54] = 56;
    file[56] = parts.len() as u8;
    for (index, (kind, flags, address, bytes, memory)) in parts.iter().enumerate() {
        let offset = file.len() as u64;
        let header = &mut file[64 + 56 * index..][..56];
        header[..4].copy_from_slice(&kind.to_le_bytes());
        header[4..8].copy_from_slice(&flags.to_le_bytes());
        let fields = [offset, *address, *address, bytes.len() as u64, *memory, 1];
        for (field, value) in header[8..].chunks_exact_mut(8).zip(fields) {
            field.copy_from_slice(&value.to_le_bytes());
        }
        file.extend_from_slice(bytes);
    }
    file
}

fn loaders() -> (Vec<u8>, Vec<u8>) {
    let bios = elf(
        2,
        &[
            (1, 7, 0x7c00, &[0x90; 440], 440),
            (1, 7, 0x8000, &[0x91; 70_000], 90_000),
        ],
    );
    let uefi = elf(
        3,
        &[
            (1, 5, 0x1000, &[0xc3; 100], 100),
            (1, 6, 0x2000, &[1; 100], 5000),
        ],
    );
    (bios, uefi)
}

fn assemble(seed: [u8; 32]) -> Result<Medium, DiskError> {
    let (bios, uefi) = loaders();
    Parts {
        firmware: &firmware(),
        bios: &bios,
        uefi: &uefi,
        version: Version::parse("1.2.3").unwrap(),
        line: "console=9600",
        key: &PrivateKey::of_seed(seed),
    }
    .assemble()
}

fn image() -> Medium {
    assemble(SEED).expect("sound parts")
}

/// What the loader does with `disk`: the slot and why, or nothing; and what it says.
fn load(disk: &mut Medium) -> (Option<(Slot, Reason)>, String) {
    let key = PublicKey::new(PrivateKey::of_seed(SEED).public()).expect("a key");
    let mut staging = vec![0; FIRMWARE_MAX];
    let mut said = String::new();
    let mut around = Surroundings {
        path: Path::Uefi,
        disk,
        console: &mut said,
        is_free: &|range| range.start >= 1 << 20 && range.end <= 16 << 20,
        key: &key,
    };
    let outcome = loader::prepare(&mut around, &mut staging).map(|ready| {
        // Nothing else may ever be handed to the jump.
        assert_eq!(ready.firmware.segments[0].bytes, &[0x90; 5000][..]);
        assert_eq!(
            ready.command_line.as_str(),
            format!("slot={} boot=uefi console=9600", ready.slot)
        );
        (ready.slot, ready.reason)
    });
    if let Err(failure) = &outcome {
        let _ = write!(said, "{failure}");
    }
    (outcome.ok(), said)
}

fn start_of(kind: Guid) -> usize {
    partition(kind).first as usize * SECTOR
}

#[test]
fn a_sound_image_starts_slot_a() {
    let (outcome, said) = load(&mut image());
    assert_eq!(outcome, Some((Slot::A, Reason::Default)));
    assert!(said.contains("slot A: version 1.2.3, "), "{said}");
}

#[test]
fn the_same_parts_make_the_same_bytes_and_others_other_guids() {
    assert!(image() == image());
    let other = assemble([4; 32]).unwrap();
    assert!(
        other.bytes()[start_of(SLOT_A)..][..SECTOR]
            != image().bytes()[start_of(SLOT_A)..][..SECTOR]
    );
}

#[test]
fn a_changed_bit_anywhere_in_a_slot_refuses_it_and_the_other_serves() {
    let payload = slots::header::PAYLOAD_SECTOR as usize * SECTOR;
    let mut disk = image();
    // A bit of every byte of the header, and of every 97th behind it.
    for at in (0..SECTOR).chain((payload..payload + firmware().len()).step_by(97)) {
        let byte = start_of(SLOT_A) + at;
        disk.bytes_mut()[byte] ^= 1 << (at % 8);
        let (outcome, said) = load(&mut disk);
        assert_eq!(
            outcome,
            Some((Slot::B, Reason::DefaultRefused)),
            "byte {at}: {said}"
        );
        assert!(said.contains("slot A: refused: "), "{said}");
        disk.bytes_mut()[byte] ^= 1 << (at % 8);
    }
}

#[test]
fn each_way_of_being_wrong_has_its_reason() {
    let stranger = PrivateKey::of_seed([9; 32]);
    let key = PrivateKey::of_seed(SEED);
    let signed = |bytes: &[u8], key: &PrivateKey| {
        slot::sign(bytes, Version::default(), [0; 32], key).unwrap()
    };
    let whole = firmware();
    let low = elf(2, &[(1, 5, 0x1000, &[0x90; 16], 16)]);
    // A header that was signed, over bytes that were not.
    let mut exchanged = signed(&whole, &key);
    exchanged.truncate(slots::header::PAYLOAD_SECTOR as usize * SECTOR);
    exchanged.resize(exchanged.len() + whole.len(), 0);
    let mut unsigned = signed(&whole, &key);
    unsigned[slots::header::SIGNED_BYTES..SECTOR].fill(0);
    // Longer than the slot: the loader must not read on into the next partition.
    let header = slots::Header {
        payload_bytes: 9 << 20,
        ..slots::Header::decode(signed(&whole, &key).first_chunk().unwrap()).unwrap()
    };
    let long = slots::Header {
        signature: key.sign(&header.signed_bytes()),
        ..header
    }
    .encode()
    .to_vec();
    let nothing = slots::Header {
        payload_bytes: 0,
        ..header
    };
    let nothing = slots::Header {
        signature: key.sign(&nothing.signed_bytes()),
        ..nothing
    }
    .encode()
    .to_vec();
    for (bytes, reason) in [
        (vec![0; SECTOR], "the slot is empty"),
        (vec![0xff; SECTOR], "no header of a firmware"),
        (signed(&whole, &stranger), "which is not trusted"),
        (unsigned, "the signature does not hold"),
        (exchanged, "not the one that was signed"),
        (long, "a firmware of 9437184 bytes does not fit"),
        (nothing, "a firmware of 0 bytes does not fit"),
        (signed(b"#!/bin/sh", &key), "not a 64-bit x86 executable"),
        (signed(&low, &key), "no free memory at 0x1000"),
    ] {
        let mut disk = image();
        disk.put(partition(SLOT_A).first, &bytes).unwrap();
        let (outcome, said) = load(&mut disk);
        assert!(
            said.contains("slot A: refused: ") && said.contains(reason),
            "{reason}: {said}"
        );
        assert_eq!(outcome.map(|(slot, _)| slot), Some(Slot::B), "{reason}");
        // Both like that: nothing is started.
        disk.put(partition(SLOT_B).first, &bytes).unwrap();
        let (outcome, said) = load(&mut disk);
        assert_eq!(outcome, None, "{reason}");
        assert!(
            said.ends_with("no slot holds a firmware that may be started"),
            "{said}"
        );
    }
}

#[test]
fn a_damaged_table_has_a_backup_and_without_one_nothing_is_started() {
    let last = image().bytes().len() - SECTOR;
    for at in [SECTOR, SECTOR + 20, 2 * SECTOR, 2 * SECTOR + 130] {
        let mut disk = image();
        disk.bytes_mut()[at] ^= 0x10;
        assert_eq!(load(&mut disk).0, Some((Slot::A, Reason::Default)), "{at}");
        // On a larger disk the backup is where it was.
        let mut larger = disk.bytes().to_vec();
        larger.resize(larger.len() + (8 << 20), 0);
        assert_eq!(
            load(&mut larger.into()).0,
            Some((Slot::A, Reason::Default)),
            "{at}"
        );
        disk.bytes_mut()[last + 20] ^= 0x10;
        let (outcome, said) = load(&mut disk);
        assert_eq!(outcome, None);
        assert!(said.contains("partition table"), "{said}");
    }
}

#[test]
fn a_truncated_disk_is_refused_where_it_ends() {
    for mebibytes in [0, 1, 6, 7, 8, 14] {
        let short = image().bytes()[..mebibytes << 20].to_vec();
        let (outcome, said) = load(&mut short.into());
        assert_eq!(outcome, None, "{mebibytes} MiB: {said}");
    }
    // Slot B is cut off; A is whole.
    let short = image().bytes()[..16 << 20].to_vec();
    assert_eq!(load(&mut short.into()).0, Some((Slot::A, Reason::Default)));
}

#[test]
fn a_trial_is_counted_on_the_disk_and_ends() {
    let mut disk = image();
    let place = partition(BOOT_STATE).extent();
    let mut state = BootState::load(&mut disk, place);
    assert_eq!(state.line, "console=9600");
    state.begin_trial(Slot::B, 2);
    state.store(&mut disk, place).unwrap();
    let starts: Vec<_> = (0..3).map(|_| load(&mut disk).0).collect();
    assert_eq!(
        starts,
        [
            Some((Slot::B, Reason::Trial(1))),
            Some((Slot::B, Reason::Trial(0))),
            Some((Slot::A, Reason::Default)),
        ]
    );
}

#[test]
fn what_other_readers_look_for_is_where_they_look() {
    let image = image();
    let bytes = image.bytes();
    // The boot sector: code, the place of the second stage, a protective partition, the signature.
    assert_eq!(bytes[..PLACE], [0x90; PLACE]);
    assert_eq!(
        bytes[PLACE..PLACE + 8],
        (partition(BIOS_BOOT).first + 2).to_le_bytes()
    );
    assert_eq!(bytes[450], 0xee);
    assert_eq!(bytes[510..512], [0x55, 0xaa]);
    // The CD: volume descriptor, boot record; the BIOS's entry has the loader as it lies in memory.
    assert_eq!(bytes[16 * 2048..][..6], *b"\x01CD001");
    assert_eq!(bytes[17 * 2048 + 7..][..23], *b"EL TORITO SPECIFICATION");
    let catalog = &bytes[19 * 2048..][..128];
    let sum = catalog[..32].chunks_exact(2).fold(0_u16, |sum, word| {
        sum.wrapping_add(u16::from_le_bytes([word[0], word[1]]))
    });
    assert_eq!(sum, 0);
    let first = u32::from_le_bytes(catalog[40..44].try_into().unwrap()) as usize * 2048;
    assert_eq!(bytes[first + 1024..][..70_000], [0x91; 70_000]);
    assert_eq!(bytes[first + PLACE..][..10], [0; 10]);
    // The EFI system partition: FAT16 with one file.
    let esp = &bytes[start_of(ESP)..][..partition(ESP).sectors as usize * SECTOR];
    let files = fatfs::FileSystem::new(std::io::Cursor::new(esp.to_vec()), fatfs::FsOptions::new())
        .unwrap();
    let mut loader = Vec::new();
    let mut file = files.root_dir().open_file("EFI/BOOT/BOOTX64.EFI").unwrap();
    std::io::Read::read_to_end(&mut file, &mut loader).unwrap();
    assert_eq!(loader, pe::convert(&loaders().1).unwrap());
    assert!(loader.starts_with(b"MZ") && loader[64..].starts_with(b"PE\0\0"));
    // Configuration, log and crash are empty.
    assert!(
        bytes[start_of(CONFIGURATION)..48 << 20]
            .iter()
            .all(|&byte| byte == 0)
    );
}

#[test]
fn the_image_for_qemu_and_the_compressed_one_hold_the_same() {
    let image = image();
    let qcow2 = qcow2::convert(image.bytes()).unwrap();
    assert!(qcow2.len() < image.bytes().len() / 2);
    let word = |at: usize| u64::from_be_bytes(qcow2[at..at + 8].try_into().unwrap()) & !(1 << 63);
    let tables = word(word(40) as usize) as usize;
    for (index, cluster) in image.bytes().chunks(1 << 16).enumerate() {
        match word(tables + index * 8) as usize {
            0 => assert!(cluster.iter().all(|&byte| byte == 0)),
            at => assert!(qcow2[at..at + cluster.len()] == *cluster),
        }
    }
    let compressed = ruzstd::encoding::compress_to_vec(
        image.bytes(),
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(&compressed[..]).unwrap();
    let mut again = Vec::new();
    std::io::Read::read_to_end(&mut decoder, &mut again).unwrap();
    assert!(again == image.bytes());
}

#[test]
fn a_loader_that_uefi_could_not_place_is_refused() {
    for (parts, why) in [
        (
            vec![(1, 7, 0x1000, &[0xc3; 10][..], 10)],
            "writable and executable",
        ),
        (
            vec![(1, 5, 0x1010, &[0xc3; 10][..], 10)],
            "does not begin with a page",
        ),
    ] {
        let error = pe::convert(&elf(3, &parts)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is written over table, boot state and headers: the loader starts the firmware that was signed, or nothing.
    #[test]
    fn garbage_never_starts_anything_else(
        changes in proptest::collection::vec((0_usize..6, 0_usize..1024, any::<u8>()), 1..40),
    ) {
        let mut disk = image();
        let last = disk.bytes().len() - SECTOR;
        for (area, at, value) in changes {
            let start = match area {
                0 => SECTOR,
                1 => 2 * SECTOR,
                2 => start_of(BOOT_STATE),
                3 => start_of(SLOT_A),
                4 => start_of(SLOT_B),
                _ => last - SECTOR,
            };
            disk.bytes_mut()[start + at] = value;
        }
        // `load` itself compares what would be started.
        let _ = load_any_line(&mut disk);
    }

    #[test]
    fn tables_of_garbage_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 34 * SECTOR)) {
        let mut disk = Medium::from(bytes);
        disk.bytes_mut()[SECTOR..SECTOR + 8].copy_from_slice(b"EFI PART");
        prop_assert!(table::find(&mut disk, &[SLOT_A]).is_err());
    }
}

/// As [`load`], with any command line.
fn load_any_line(disk: &mut Medium) -> bool {
    let key = PublicKey::new(PrivateKey::of_seed(SEED).public()).expect("a key");
    let mut staging = vec![0; FIRMWARE_MAX];
    let mut around = Surroundings {
        path: Path::Bios,
        disk,
        console: &mut String::new(),
        is_free: &|range| range.start >= 1 << 20 && range.end <= 16 << 20,
        key: &key,
    };
    loader::prepare(&mut around, &mut staging)
        .map(|ready| assert_eq!(ready.firmware.segments[0].bytes, &[0x90; 5000][..]))
        .is_ok()
}

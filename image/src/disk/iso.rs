//! Makes the image a CD as well.
//!
//! A CD's descriptors begin at 32 KiB, behind the partition table and before the first partition, so
//! both fit into one file. The CD has an empty root directory and a boot catalog with two entries
//! without emulation: the BIOS loads the BIOS boot partition's loader whole, UEFI takes the EFI
//! system partition for a disk. Either loader then finds the partition table at its usual place.
//!
//! Sources: ECMA-119 (ISO 9660); El Torito 1.0; UEFI §13.3.2.1.

use slots::layout;

use super::{DiskError, Medium, partition};

/// Bytes of a CD sector.
const CD_SECTOR: usize = 2048;
/// Disk sectors of a CD sector.
const PER_CD_SECTOR: u64 = 4;
const PRIMARY: u64 = 16;
const BOOT_RECORD: u64 = 17;
const TERMINATOR: u64 = 18;
const CATALOG: u64 = 19;
const PATH_TABLE_LITTLE: u32 = 20;
const PATH_TABLE_BIG: u32 = 21;
const ROOT: u32 = 22;
/// Bytes of a path table that has the root only.
const PATH_TABLE_BYTES: u32 = 10;

/// Writes the descriptors; the BIOS is to load `loader_sectors` of the BIOS boot partition.
pub(super) fn write(disk: &mut Medium, loader_sectors: u64) -> Result<(), DiskError> {
    let total = (disk.bytes().len() / CD_SECTOR) as u32;
    for (sector, bytes) in [
        (PRIMARY, primary(total)),
        (BOOT_RECORD, boot_record()),
        (TERMINATOR, descriptor(255)),
        (CATALOG, catalog(loader_sectors)?),
        (
            PATH_TABLE_LITTLE.into(),
            path_table(ROOT.to_le_bytes(), 1_u16.to_le_bytes()),
        ),
        (
            PATH_TABLE_BIG.into(),
            path_table(ROOT.to_be_bytes(), 1_u16.to_be_bytes()),
        ),
        (ROOT.into(), root_directory()),
    ] {
        disk.put(sector * PER_CD_SECTOR, &bytes)?;
    }
    Ok(())
}

fn descriptor(kind: u8) -> [u8; CD_SECTOR] {
    let mut bytes = [0; CD_SECTOR];
    bytes[0] = kind;
    bytes[1..6].copy_from_slice(b"CD001");
    bytes[6] = 1;
    bytes
}

/// ECMA-119 §8.4.
fn primary(total: u32) -> [u8; CD_SECTOR] {
    let mut bytes = descriptor(1);
    // All the texts are blank but the volume's name; all the times say "not given".
    bytes[8..72].fill(b' ');
    bytes[40..49].copy_from_slice(b"SALLYPORT");
    bytes[190..813].fill(b' ');
    for time in [813, 830, 847, 864] {
        bytes[time..time + 16].fill(b'0');
    }
    bytes[80..88].copy_from_slice(&both32(total));
    bytes[120..124].copy_from_slice(&both16(1));
    bytes[124..128].copy_from_slice(&both16(1));
    bytes[128..132].copy_from_slice(&both16(CD_SECTOR as u16));
    bytes[132..140].copy_from_slice(&both32(PATH_TABLE_BYTES));
    bytes[140..144].copy_from_slice(&PATH_TABLE_LITTLE.to_le_bytes());
    bytes[148..152].copy_from_slice(&PATH_TABLE_BIG.to_be_bytes());
    bytes[156..190].copy_from_slice(&directory_record(0));
    bytes[881] = 1;
    bytes
}

/// El Torito, figure 7.
fn boot_record() -> [u8; CD_SECTOR] {
    let mut bytes = descriptor(0);
    bytes[7..30].copy_from_slice(b"EL TORITO SPECIFICATION");
    bytes[71..75].copy_from_slice(&(CATALOG as u32).to_le_bytes());
    bytes
}

/// El Torito, figures 2 to 5: validation, the BIOS's entry, a section with that of UEFI.
fn catalog(loader_sectors: u64) -> Result<[u8; CD_SECTOR], DiskError> {
    const BOOTABLE: u8 = 0x88;
    const UEFI: u8 = 0xef;
    let mut bytes = [0; CD_SECTOR];
    bytes[0] = 1;
    bytes[30..32].copy_from_slice(&[0x55, 0xaa]);
    // The sixteen words of the validation entry add up to 0.
    let sum = bytes[..32].chunks_exact(2).fold(0_u16, |sum, word| {
        sum.wrapping_add(u16::from_le_bytes([word[0], word[1]]))
    });
    bytes[28..30].copy_from_slice(&sum.wrapping_neg().to_le_bytes());
    let mut entry = |at: usize, kind, sectors: u64| {
        let sectors = u16::try_from(sectors).map_err(|_| DiskError::DoesNotFit("a boot image"))?;
        let first = partition(kind).first / PER_CD_SECTOR;
        bytes[at] = BOOTABLE;
        bytes[at + 6..at + 8].copy_from_slice(&sectors.to_le_bytes());
        bytes[at + 8..at + 12].copy_from_slice(&(first as u32).to_le_bytes());
        Ok(())
    };
    entry(32, layout::BIOS_BOOT, loader_sectors)?;
    entry(96, layout::ESP, partition(layout::ESP).sectors)?;
    // The last section, with one entry.
    bytes[64..68].copy_from_slice(&[0x91, UEFI, 1, 0]);
    Ok(bytes)
}

/// ECMA-119 §9.4.
fn path_table(root: [u8; 4], parent: [u8; 2]) -> [u8; CD_SECTOR] {
    let mut bytes = [0; CD_SECTOR];
    bytes[0] = 1;
    bytes[2..6].copy_from_slice(&root);
    bytes[6..8].copy_from_slice(&parent);
    bytes
}

/// The directory itself, and its parent, which is itself too.
fn root_directory() -> [u8; CD_SECTOR] {
    let mut bytes = [0; CD_SECTOR];
    bytes[..34].copy_from_slice(&directory_record(0));
    bytes[34..68].copy_from_slice(&directory_record(1));
    bytes
}

/// ECMA-119 §9.1: the root directory under the name 0 (itself) or 1 (parent).
fn directory_record(name: u8) -> [u8; 34] {
    let mut bytes = [0; 34];
    bytes[0] = 34;
    bytes[2..10].copy_from_slice(&both32(ROOT));
    bytes[10..18].copy_from_slice(&both32(CD_SECTOR as u32));
    // A directory.
    bytes[25] = 2;
    bytes[28..32].copy_from_slice(&both16(1));
    bytes[32] = 1;
    bytes[33] = name;
    bytes
}

/// A number in both byte orders (ECMA-119 §7.2.3).
fn both16(value: u16) -> [u8; 4] {
    let ([a, b], [c, d]) = (value.to_le_bytes(), value.to_be_bytes());
    [a, b, c, d]
}

/// A number in both byte orders (ECMA-119 §7.3.3).
fn both32(value: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&value.to_le_bytes());
    bytes[4..].copy_from_slice(&value.to_be_bytes());
    bytes
}

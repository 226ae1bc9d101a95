//! Writes boot sector and partition tables (UEFI §5.2.3, §5.3).
//!
//! The MBR is the protective one of GPT with boot code in it, and lists nothing else: a second
//! list of the same partitions would be a second truth.

use slots::gpt::{CRC, ENTRY_BYTES, HEADER_BYTES, SIGNATURE};
use slots::layout::PARTITIONS;
use slots::{BlockDevice, SECTOR};

use super::{DiskError, Medium, guid};

/// Bytes of code in a boot sector; the disk signature and the partition list follow.
pub(super) const CODE_BYTES: usize = 440;
/// Entries of a table, as every tool makes them.
const ENTRIES: u32 = 128;
/// Sectors that the entries take.
const ENTRIES_SECTORS: u64 = ENTRIES as u64 * ENTRY_BYTES as u64 / SECTOR as u64;
/// First sector that partitions may use.
const FIRST_USABLE: u64 = 2 + ENTRIES_SECTORS;

/// Writes `boot_sector` and both tables.
pub(super) fn write(
    disk: &mut Medium,
    boot_sector: &[u8; SECTOR],
    build: &[u8; 32],
) -> Result<(), DiskError> {
    let last = disk.sectors() - 1;
    let id = guid(build, "disk").0;
    let mut sector = *boot_sector;
    sector[440..444].copy_from_slice(&id[..4]);
    // One partition of type EEh over all of the disk; its cylinders are beyond what they can say.
    let all = u32::try_from(last).unwrap_or(u32::MAX);
    sector[446..454].copy_from_slice(&[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff]);
    sector[454..458].copy_from_slice(&1_u32.to_le_bytes());
    sector[458..462].copy_from_slice(&all.to_le_bytes());
    disk.put(0, &sector)?;

    let mut entries = vec![0; (ENTRIES * ENTRY_BYTES) as usize];
    for (entry, row) in entries
        .chunks_exact_mut(ENTRY_BYTES as usize)
        .zip(PARTITIONS)
    {
        entry[..16].copy_from_slice(&row.kind.0);
        entry[16..32].copy_from_slice(&guid(build, row.name).0);
        entry[32..40].copy_from_slice(&row.first.to_le_bytes());
        entry[40..48].copy_from_slice(&(row.first + row.sectors - 1).to_le_bytes());
        for (to, unit) in entry[56..].chunks_exact_mut(2).zip(row.name.encode_utf16()) {
            to.copy_from_slice(&unit.to_le_bytes());
        }
    }
    let backup_entries = last - ENTRIES_SECTORS;
    for (own, other, at) in [(1, last, 2), (last, 1, backup_entries)] {
        let mut header = [0; SECTOR];
        header[..8].copy_from_slice(&SIGNATURE);
        header[8..12].copy_from_slice(&0x1_0000_u32.to_le_bytes());
        header[12..16].copy_from_slice(&HEADER_BYTES.to_le_bytes());
        for (offset, value) in [
            (24, own),
            (32, other),
            (40, FIRST_USABLE),
            (48, backup_entries - 1),
            (72, at),
        ] {
            header[offset..offset + 8].copy_from_slice(&u64::to_le_bytes(value));
        }
        header[56..72].copy_from_slice(&id);
        header[80..84].copy_from_slice(&ENTRIES.to_le_bytes());
        header[84..88].copy_from_slice(&ENTRY_BYTES.to_le_bytes());
        header[88..92].copy_from_slice(&CRC.checksum(&entries).to_le_bytes());
        let sum = CRC.checksum(&header[..HEADER_BYTES as usize]);
        header[16..20].copy_from_slice(&sum.to_le_bytes());
        disk.put(own, &header)?;
        disk.put(at, &entries)?;
    }
    Ok(())
}

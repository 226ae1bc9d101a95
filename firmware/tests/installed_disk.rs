//! Requirement: on a disk that the box was installed on, configuration and files are kept in their
//! partition and nothing else of the disk is touched; somebody else's disk is left alone.
//! Needs: nothing; virtual time.

mod common;

use common::Box;
use hal_sim::disk::SimDisk;
use slots::gpt::CRC;
use slots::layout::{CONFIGURATION, PARTITIONS};
use slots::{Guid, SECTOR};

/// Sectors of the disk: 24 MiB.
const SECTORS: usize = 24 << 11;
/// Where the only partition is.
const FIRST: u64 = 2048;
const LAST: u64 = 2048 + (16 << 11) - 1;

/// A disk with one partition of type `kind`; every other byte is 0xa5.
fn disk_with(kind: Guid) -> Vec<[u8; SECTOR]> {
    let mut medium = vec![[0xa5; SECTOR]; SECTORS];
    let mut entries = [0; 128 * 128];
    entries[..16].copy_from_slice(&kind.0);
    entries[16] = 1;
    entries[32..40].copy_from_slice(&FIRST.to_le_bytes());
    entries[40..48].copy_from_slice(&LAST.to_le_bytes());
    let mut header = [0; SECTOR];
    header[..16].copy_from_slice(b"EFI PART\0\0\x01\0\x5c\0\0\0");
    header[24] = 1;
    header[72] = 2;
    header[80..88].copy_from_slice(&[128, 0, 0, 0, 128, 0, 0, 0]);
    header[88..92].copy_from_slice(&CRC.checksum(&entries).to_le_bytes());
    let sum = CRC.checksum(&header[..92]);
    header[16..20].copy_from_slice(&sum.to_le_bytes());
    medium[1] = header;
    for (sector, bytes) in medium[2..].iter_mut().zip(entries.chunks_exact(SECTOR)) {
        sector.copy_from_slice(bytes);
    }
    for sector in &mut medium[FIRST as usize..=LAST as usize] {
        *sector = [0; SECTOR];
    }
    medium
}

#[test]
fn what_is_saved_stays_within_the_partition_and_is_there_again() {
    let before = disk_with(CONFIGURATION);
    let disk = SimDisk::with_contents(before.clone(), 1);
    let mut sallyport = Box::boot_with(disk.clone());
    sallyport.enable();
    sallyport.config("configure terminal\nhostname kept\nend");
    let printed = sallyport.line("write memory");
    assert!(printed.contains("[OK]"), "{printed}");
    let printed = sallyport.line("copy /noconfirm running-config disk0:/one.cfg");
    assert!(printed.contains("bytes copied in"), "{printed}");
    let after = disk.medium();
    let changed = |range: std::ops::Range<usize>| before[range.clone()] != after[range];
    assert!(changed(FIRST as usize..LAST as usize + 1));
    assert!(!changed(0..FIRST as usize), "before the partition");
    assert!(!changed(LAST as usize + 1..SECTORS), "behind the partition");
    let mut again = Box::boot_with(disk);
    let printed = again.type_text("enable\rcisco123\rdir\r");
    assert!(printed.contains("kept# "), "{printed}");
    assert!(printed.contains("one.cfg"), "{printed}");
}

#[test]
fn somebody_elses_disk_is_not_written() {
    let mut listed = vec![[0; SECTOR]; SECTORS];
    listed[0][510..].copy_from_slice(&[0x55, 0xaa]);
    let mut damaged = disk_with(CONFIGURATION);
    damaged[3][7] ^= 1;
    let other = disk_with(PARTITIONS[0].kind);
    for (before, why) in [
        (other, "no partition for a configuration"),
        (damaged, "partition table is damaged"),
        (listed, "holds something else"),
    ] {
        let disk = SimDisk::with_contents(before.clone(), 1);
        let mut sallyport = Box::boot_with(disk.clone());
        sallyport.enable();
        let printed = sallyport.line("show version");
        assert!(printed.contains(why), "{printed}");
        let printed = sallyport.line("write memory");
        assert!(printed.contains("[FAILED]"), "{printed}");
        assert!(disk.medium() == before, "{why}");
    }
}

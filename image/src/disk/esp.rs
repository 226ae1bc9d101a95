//! The EFI system partition: a FAT file system with one file.

use std::io::{Cursor, Write as _};

use fatfs::{FatType, FileSystem, FormatVolumeOptions, FsOptions};
use slots::SECTOR;

use super::{DiskError, guid};

/// Makes the partition's contents with `loader` as `\EFI\BOOT\BOOTX64.EFI` (UEFI §3.5.1.1).
pub(super) fn make(sectors: u64, loader: &[u8], build: &[u8; 32]) -> Result<Vec<u8>, DiskError> {
    let mut bytes = vec![0; sectors as usize * SECTOR];
    let [a, b, c, d, ..] = guid(build, "EFI system volume").0;
    let options = FormatVolumeOptions::new()
        .fat_type(FatType::Fat16)
        .bytes_per_cluster(SECTOR as u32)
        .volume_id(u32::from_le_bytes([a, b, c, d]))
        .volume_label(*b"SALLYPORT  ");
    fatfs::format_volume(Cursor::new(&mut bytes), options).map_err(DiskError::Esp)?;
    fill(&mut bytes, loader).map_err(DiskError::Esp)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8], loader: &[u8]) -> std::io::Result<()> {
    // Without the crate's clock the times of directory entries are all the same.
    let files = FileSystem::new(Cursor::new(bytes), FsOptions::new())?;
    {
        let folder = files.root_dir().create_dir("EFI")?.create_dir("BOOT")?;
        folder.create_file("BOOTX64.EFI")?.write_all(loader)?;
    }
    files.unmount()
}

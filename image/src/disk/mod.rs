//! The disk image: one file that boots as a disk, as a USB stick and as a CD, by BIOS and by UEFI.
//!
//! | Module | Makes |
//! | --- | --- |
//! | [`gpt`] | both partition tables and the boot sector around them |
//! | [`iso`] | the descriptors that make the same file a CD |
//! | [`esp`] | the EFI system partition |
//! | [`pe`] | the UEFI loader's file format |
//! | [`slot`] | a signed slot |
//! | [`key`] | keys from PEM files, detached signatures |
//! | [`qcow2`] | the image for hypervisors |
//! | [`release`] | all files of a release |
//!
//! The image depends on the bytes of firmware and loaders, the key and nothing else: no time, no random numbers. What must be
//! unique, such as GUIDs, is derived from the build hash. Before it is handed out, the loader's own code reads the image and
//! must find a firmware in it.

pub mod esp;
pub mod gpt;
pub mod iso;
pub mod key;
pub mod pe;
pub mod qcow2;
pub mod release;
pub mod slot;

mod error;
mod medium;

use loader::key::PublicKey;
use loader::{FIRMWARE_MAX, Path, Surroundings};
use sha2::{Digest, Sha512};
use slots::layout::{self, IMAGE_SECTORS, PARTITIONS, Row};
use slots::{BootState, Guid, SECTOR, Version};

pub use error::DiskError;
pub use key::PrivateKey;
pub use medium::Medium;

/// Where the BIOS loader's first stage is linked.
const BOOT_SECTOR_ADDRESS: u64 = 0x7c00;
/// Where its second stage is.
const STAGE_ADDRESS: u64 = 0x8000;
/// Offset in the boot sector of the second stage's place: first sector (8 bytes), sectors (2 bytes).
const PLACE: usize = 424;
/// Sectors between the two stages in the BIOS boot partition, as in memory.
const STAGE_SECTOR: u64 = (STAGE_ADDRESS - BOOT_SECTOR_ADDRESS) / SECTOR as u64;

/// What an image is made of.
pub struct Parts<'a> {
    /// The firmware, laid out (`sallyport.elf`).
    pub firmware: &'a [u8],
    /// The linked BIOS loader.
    pub bios: &'a [u8],
    /// The linked UEFI loader.
    pub uefi: &'a [u8],
    /// Version of the firmware.
    pub version: Version,
    /// Words for the firmware's command line.
    pub line: &'a str,
    /// Who signs.
    pub key: &'a PrivateKey,
}

impl Parts<'_> {
    /// The build hash: of every byte that the image is made of.
    #[must_use]
    pub fn build_hash(&self) -> [u8; 32] {
        let mut digest = Sha512::new();
        for part in [self.firmware, self.bios, self.uefi, self.line.as_bytes()] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        digest.finalize().first_chunk().copied().unwrap_or_default()
    }

    /// Makes the image.
    ///
    /// # Errors
    /// [`DiskError`]: a part is not what it should be or does not fit; or the loader refuses the result.
    pub fn assemble(&self) -> Result<Medium, DiskError> {
        let build = self.build_hash();
        let mut disk = Medium::new(IMAGE_SECTORS);
        let (sector, stage) = self.bios_stages()?;
        let stage_sectors = stage.len().div_ceil(SECTOR) as u64;
        let boot = partition(layout::BIOS_BOOT);
        if STAGE_SECTOR + stage_sectors > boot.sectors {
            return Err(DiskError::DoesNotFit("the BIOS loader"));
        }
        // As it lies in memory, for a BIOS that reads it whole from a CD: nothing is left to load.
        disk.put(boot.first, &placed(&sector, 0, 0))?;
        disk.put(boot.first + STAGE_SECTOR, &stage)?;
        gpt::write(
            &mut disk,
            &placed(&sector, boot.first + STAGE_SECTOR, stage_sectors),
            &build,
        )?;
        iso::write(&mut disk, STAGE_SECTOR + stage_sectors)?;
        let esp = partition(layout::ESP);
        disk.put(
            esp.first,
            &esp::make(esp.sectors, &pe::convert(self.uefi)?, &build)?,
        )?;
        let signed = slot::sign(self.firmware, self.version, build, self.key)?;
        for kind in [layout::SLOT_A, layout::SLOT_B] {
            disk.put(partition(kind).first, &signed)?;
        }
        let state = partition(layout::BOOT_STATE);
        let mut first = BootState {
            line: self
                .line
                .try_into()
                .map_err(|_| DiskError::DoesNotFit("the operator's line"))?,
            ..BootState::default()
        };
        // Both copies, so that either may be lost.
        for _ in 0..2 {
            first
                .store(&mut disk, state.extent())
                .map_err(DiskError::State)?;
        }
        self.prove(&mut disk)?;
        Ok(disk)
    }

    /// Lets the loader's code find a firmware in the image.
    fn prove(&self, disk: &mut Medium) -> Result<(), DiskError> {
        let key = PublicKey::new(self.key.public()).ok_or(DiskError::NoKey("no public key"))?;
        let mut staging = vec![0; FIRMWARE_MAX];
        let mut said = String::new();
        let found = loader::prepare(
            &mut Surroundings {
                path: Path::Bios,
                disk,
                console: &mut said,
                is_free: &|range| range.start >= 1 << 20 && range.end <= 1 << 30,
                key: &key,
            },
            &mut staging,
        );
        found.map(drop).map_err(|_| DiskError::Refused(said))
    }

    /// Takes boot sector and second stage out of the linked loader.
    fn bios_stages(&self) -> Result<([u8; SECTOR], Vec<u8>), DiskError> {
        let mut sector = [0; SECTOR];
        let code = pe::bytes_at(self.bios, BOOT_SECTOR_ADDRESS)?;
        if code.len() > gpt::CODE_BYTES {
            return Err(DiskError::DoesNotFit("the boot sector's code"));
        }
        for (to, from) in sector.iter_mut().zip(code) {
            *to = *from;
        }
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        Ok((sector, pe::bytes_at(self.bios, STAGE_ADDRESS)?.to_vec()))
    }
}

/// The boot sector with the place of the second stage in it.
fn placed(sector: &[u8; SECTOR], first: u64, sectors: u64) -> [u8; SECTOR] {
    let mut sector = *sector;
    sector[PLACE..PLACE + 8].copy_from_slice(&first.to_le_bytes());
    // A partition of one MiB has 2048 sectors.
    sector[PLACE + 8..PLACE + 10].copy_from_slice(&(sectors as u16).to_le_bytes());
    sector
}

/// A GUID that depends on the build and on what it is for, in the form of version 8 (RFC 9562 §5.8).
fn guid(build: &[u8; 32], purpose: &str) -> Guid {
    let digest = Sha512::new()
        .chain_update(build)
        .chain_update(purpose)
        .finalize();
    let mut bytes: [u8; 16] = digest.first_chunk().copied().unwrap_or_default();
    bytes[7] = bytes[7] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Guid(bytes)
}

/// The place of a partition.
///
/// # Panics
/// For a type that the layout does not have; all of them are named in this crate.
fn partition(kind: Guid) -> Row {
    let row = PARTITIONS.into_iter().find(|row| row.kind == kind);
    row.expect("only partitions of the layout are asked for")
}

#[cfg(test)]
mod tests;

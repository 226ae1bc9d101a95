//! Which part of the disk is ours.
//!
//! On a disk that the box was installed on it is the configuration partition; an empty disk is ours
//! whole, as is one that held a configuration before. A disk that is divided up without a part for us belongs to
//! somebody else, and nothing is written to it.

use alloc::boxed::Box;
use alloc::string::String;

use hal::disk::{Disk, DiskError, SECTOR_LEN, check_range};
use slots::layout::CONFIGURATION;
use slots::{BlockDevice, BlockError, Extent, GptError, gpt};

/// What became of the disk.
pub(crate) struct Claimed {
    /// The part that is ours.
    pub(crate) disk: Option<Box<dyn Disk>>,
    /// Why there is none, in words.
    pub(crate) absence: &'static str,
}

/// Takes our part of `disk`.
pub(crate) fn claim(disk: Option<Box<dyn Disk>>) -> Claimed {
    let without = |absence| Claimed {
        disk: None,
        absence,
    };
    let Some(mut disk) = disk else {
        return without("there is no disk");
    };
    let found = gpt::find(&mut Blocks(&mut *disk), &[CONFIGURATION]);
    match found {
        Ok([Some(place)]) => Claimed {
            disk: Some(Box::new(Part { disk, place })),
            absence: "",
        },
        Ok([None]) => without("the disk has no partition for a configuration"),
        Err(GptError::DamagedHeader | GptError::DamagedEntries) => {
            without("the disk's partition table is damaged")
        }
        Err(GptError::NoTable) if has_boot_signature(&mut *disk) => {
            without("the disk holds something else")
        }
        // Empty, ours as a whole, or failing, which every use will tell.
        Err(GptError::NoTable | GptError::Disk(_)) => Claimed {
            disk: Some(disk),
            absence: "",
        },
    }
}

/// Whether the first sector ends as boot sectors and partition lists of PCs do.
fn has_boot_signature(disk: &mut dyn Disk) -> bool {
    let mut sector = [0; SECTOR_LEN];
    disk.read(0, &mut sector).is_ok() && sector.ends_with(&[0x55, 0xaa])
}

/// What the loader passed on about how the box was started, for `show version`: image file and loader.
pub(crate) fn origin(command_line: &str) -> (String, &'static str) {
    let word = |name: &str| {
        let mut words = command_line.split_ascii_whitespace();
        words.find_map(|word| word.strip_prefix(name))
    };
    match (word("slot="), word("boot=")) {
        (Some(slot @ ("A" | "B")), Some("bios")) => (alloc::format!("slot {slot}"), "BIOS"),
        (Some(slot @ ("A" | "B")), Some("uefi")) => (alloc::format!("slot {slot}"), "UEFI"),
        _ => (String::from("sallyport.elf"), "PVH"),
    }
}

/// A part of a disk as a disk of its own.
struct Part {
    disk: Box<dyn Disk>,
    place: Extent,
}

impl Part {
    /// The place on the disk of `len` bytes from sector `first` of the part on.
    fn place(&self, first: u64, len: usize) -> Result<u64, DiskError> {
        check_range(self.place.sectors, first, len)?;
        // The part is on the disk, so this does not overflow.
        Ok(self.place.first.saturating_add(first))
    }
}

impl Disk for Part {
    fn sectors(&self) -> u64 {
        self.place.sectors
    }

    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), DiskError> {
        let at = self.place(first, data.len())?;
        self.disk.read(at, data)
    }

    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), DiskError> {
        let at = self.place(first, data.len())?;
        self.disk.write(at, data)
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        self.disk.flush()
    }
}

/// A disk as the reader of partition tables sees it; only read.
struct Blocks<'a>(&'a mut dyn Disk);

impl BlockDevice for Blocks<'_> {
    fn sectors(&self) -> u64 {
        self.0.sectors()
    }

    fn is_writable(&self) -> bool {
        false
    }

    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), BlockError> {
        self.0.read(first, data).map_err(|error| match error {
            DiskError::OutOfRange | DiskError::Unaligned => BlockError::OutOfRange,
            DiskError::Device | DiskError::Timeout | DiskError::ReadOnly => BlockError::Device(0),
        })
    }

    fn write(&mut self, _: u64, _: &[u8]) -> Result<(), BlockError> {
        Err(BlockError::ReadOnly)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_tells_slot_and_way() {
        let line = "slot=B boot=uefi console=9600";
        assert_eq!(origin(line), ("slot B".into(), "UEFI"));
        assert_eq!(origin("boot=bios slot=A"), ("slot A".into(), "BIOS"));
        for other in [
            "",
            "console=9600",
            "slot=A",
            "slot=C boot=bios",
            "slot=A boot=x",
        ] {
            assert_eq!(origin(other), ("sallyport.elf".into(), "PVH"), "{other}");
        }
    }
}

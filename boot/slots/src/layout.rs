//! Partitions of an image: what they are called, where the image builder puts them.
//!
//! Loaders and firmware find partitions by type alone. The places are for the image builder, and for
//! whoever has lost the primary table (the backup's place follows from [`IMAGE_SECTORS`]).
//!
//! The gap between the primary table and the first partition holds the descriptors that make the
//! image a CD as well (see the image builder).

use crate::gpt::{Extent, Guid};

/// Sectors of an image: 49 MiB.
pub const IMAGE_SECTORS: u64 = 49 << 11;

/// One partition of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Partition type.
    pub kind: Guid,
    /// Partition name.
    pub name: &'static str,
    /// First sector.
    pub first: u64,
    /// Sectors.
    pub sectors: u64,
}

impl Row {
    /// Its sectors.
    #[must_use]
    pub const fn extent(&self) -> Extent {
        Extent {
            first: self.first,
            sectors: self.sectors,
        }
    }
}

/// The EFI system partition (UEFI §13.3.3).
pub const ESP: Guid = Guid::parse("c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
/// Code that the boot sector loads ("BIOS boot partition").
pub const BIOS_BOOT: Guid = Guid::parse("21686148-6449-6e6f-744e-656564454649");
/// The boot state, two copies.
pub const BOOT_STATE: Guid = Guid::parse("cdc21e05-b6a8-4c37-bd16-62799ef54f7d");
/// Firmware slot A.
pub const SLOT_A: Guid = Guid::parse("962cb6b3-6ec1-4e13-a6d9-544de1b4d707");
/// Firmware slot B.
pub const SLOT_B: Guid = Guid::parse("9ff7d1c0-f6de-45c9-8fd1-5988afd31b78");
/// Configuration, keys, files.
pub const CONFIGURATION: Guid = Guid::parse("558238ab-c8a9-43aa-aaa5-09d65583592d");
/// Log lines that outlive a restart.
pub const LOG: Guid = Guid::parse("0ad28a47-3a03-4502-ad7b-8eb38ed0b615");
/// What a crash leaves.
pub const CRASH: Guid = Guid::parse("99023319-138f-4de8-9137-a72fc546cfe0");

const fn row(kind: Guid, name: &'static str, first_mebibyte: u64, mebibytes: u64) -> Row {
    Row {
        kind,
        name,
        first: first_mebibyte << 11,
        sectors: mebibytes << 11,
    }
}

/// Size of a slot in MiB.
pub const SLOT_MEBIBYTES: u64 = 8;

/// All partitions, in order of place. The last MiB of the image is the backup table's.
pub const PARTITIONS: [Row; 8] = [
    row(ESP, "EFI system", 1, 4),
    row(BIOS_BOOT, "BIOS boot", 5, 1),
    row(BOOT_STATE, "boot state", 6, 1),
    row(SLOT_A, "slot A", 7, SLOT_MEBIBYTES),
    row(SLOT_B, "slot B", 15, SLOT_MEBIBYTES),
    row(CONFIGURATION, "configuration", 23, 16),
    row(LOG, "log", 39, 8),
    row(CRASH, "crash", 47, 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_do_not_overlap_and_leave_room_for_both_tables() {
        let mut end = 2048;
        for row in PARTITIONS {
            assert!(row.first >= end, "{}", row.name);
            end = row.first + row.sectors;
        }
        assert!(end + 33 <= IMAGE_SECTORS);
        const { assert!(IMAGE_SECTORS <= 64 << 11) };
    }
}

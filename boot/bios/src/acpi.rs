//! Where a BIOS leaves the root of the ACPI tables (ACPI §5.2.5.1).

/// The word in the BIOS data area with the segment of the extended one.
const EXTENDED_DATA_SEGMENT: usize = 0x40e;

/// The physical address of the root pointer; 0 if there is none.
pub(crate) fn root_pointer() -> u64 {
    // SAFETY: the BIOS data area is mapped and always there.
    let segment = unsafe { (EXTENDED_DATA_SEGMENT as *const u16).read_unaligned() };
    let extended = usize::from(segment) << 4;
    let areas = [
        // Its first KiB, if the word makes sense.
        if (0x8_0000..0xa_0000).contains(&extended) {
            extended..extended + 1024
        } else {
            0..0
        },
        0xe_0000..0x10_0000,
    ];
    areas.into_iter().find_map(search).unwrap_or(0)
}

/// Looks at every sixteenth address.
fn search(area: core::ops::Range<usize>) -> Option<u64> {
    let is_root = |&at: &usize| {
        // SAFETY: mapped, below 1 MiB, and nothing writes it.
        let bytes = unsafe { &*(at as *const [u8; 20]) };
        let sum = bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte));
        bytes.starts_with(b"RSD PTR ") && sum == 0
    };
    area.step_by(16).find(is_root).map(|at| at as u64)
}

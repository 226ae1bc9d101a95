//! What the loader tells: command line, ACPI root, memory map.
//!
//! Xen `public/arch-x86/hvm/start_info.h`. The structures lie in low memory, QEMU's partly in the very
//! first page; all is copied out before that page is unmapped.

use heapless::String;

use hal_x86::acpi::Physical;
use hal_x86::memory_map::{self, ENTRIES_MAX, Map};

const MAGIC: u32 = 0x336e_c578;
/// Longest command line that is read.
const COMMAND_LINE_MAX: usize = 2048;
const MEMORY_MAP_ENTRY: usize = 24;
/// End of memory that the entry code has mapped.
const FIRST_MAPPED_END: u64 = 4 << 30;

/// The loader's information.
pub(crate) struct StartInfo {
    /// Physical address of the ACPI root pointer.
    pub(crate) rsdp: u64,
    /// Memory.
    pub(crate) map: Map,
    /// The command line, without what is not ASCII.
    pub(crate) command_line: String<COMMAND_LINE_MAX>,
}

impl StartInfo {
    /// Reads the structure at `address`; `None` if it is not what PVH promises.
    ///
    /// # Safety
    /// `address` is what the loader passed, and its structures have not been overwritten.
    pub(crate) unsafe fn read(address: u64) -> Option<Self> {
        // SAFETY: by the caller, the loader's structure of 56 bytes is there.
        let bytes = unsafe { slice(address, 56)? };
        let word = |at: usize| {
            let field = bytes.get(at..)?.first_chunk()?;
            Some(u32::from_le_bytes(*field))
        };
        let long = |at: usize| Some(u64::from(word(at)?) | u64::from(word(at + 4)?) << 32);
        if word(0)? != MAGIC {
            return None;
        }
        // Version 1 brought the memory map.
        if word(4)? == 0 {
            return None;
        }
        let entries = (word(48)? as usize).min(ENTRIES_MAX);
        // SAFETY: as above, for the map it points to.
        let map = unsafe { slice(long(40)?, entries * MEMORY_MAP_ENTRY)? };
        Some(Self {
            rsdp: long(32)?,
            map: memory_map::parse(map),
            // SAFETY: as above, for the text it points to.
            command_line: unsafe { text(long(24)?) },
        })
    }
}

/// Copies the terminated text at `address`, without what is not ASCII; none at 0.
///
/// # Safety
/// As for [`slice()`]; there need be memory only up to the terminator, because all of it below 4 GiB
/// is mapped.
unsafe fn text(address: u64) -> String<COMMAND_LINE_MAX> {
    // SAFETY: passed on to the caller.
    let bytes = unsafe { slice(address, COMMAND_LINE_MAX) };
    bytes
        .unwrap_or_default()
        .iter()
        .take_while(|&&byte| byte != 0)
        .filter(|byte| byte.is_ascii())
        .map(|&byte| char::from(byte))
        .collect()
}

/// The bytes at a physical address below 4 GiB.
///
/// # Safety
/// There is memory at the range and nothing writes it while the slice lives.
unsafe fn slice<'a>(address: u64, len: usize) -> Option<&'a [u8]> {
    let end = address.checked_add(len as u64)?;
    if address == 0 || end > FIRST_MAPPED_END {
        return None;
    }
    // SAFETY: mapped, not null; the rest is the caller's word.
    Some(unsafe { core::slice::from_raw_parts(address as *const u8, len) })
}

/// Memory as the map describes it, for reading ACPI tables.
pub(crate) struct MappedMemory<'a>(pub(crate) &'a Map);

impl Physical for MappedMemory<'_> {
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        let end = address.checked_add(len as u64)?;
        // The first page is unmapped by now or soon.
        if address < 4096 {
            return None;
        }
        // Registers are in no entry, or in reserved ones above the memory; tables are in memory
        // that the map knows, or in the BIOS area.
        let is_known = end <= 1 << 20
            || self
                .0
                .iter()
                .any(|entry| entry.range.start <= address && end <= entry.range.end);
        if !is_known {
            return None;
        }
        // SAFETY: memory, by the map; tables lie outside what is free, so nothing writes them.
        unsafe { slice(address, len) }
    }
}

//! Page tables: one-to-one, writable or executable but never both (Intel SDM volume 3, chapter 4).
//!
//! [`Tables`] builds them in any memory that [`Frames`] hands out, so it runs on the host too.
//! [`activate`] builds the box's own from a [`Layout`] and loads them; [`map_device`] adds registers
//! that lie above 4 GiB. 2 MiB pages are used wherever permissions allow, 4 KiB pages elsewhere;
//! 1 GiB pages are not, because plain processors lack them.

use core::arch::asm;
use core::cell::UnsafeCell;
use core::ops::Range;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Bytes of a small page.
pub const PAGE: u64 = 4096;
/// Bytes of a large page.
pub const LARGE_PAGE: u64 = 2 << 20;
const FOUR_GIB: u64 = 4 << 30;
/// End of the lower half of the address space, beyond which one-to-one mapping is impossible.
const LOWER_HALF: u64 = 1 << 47;

// Entry bits, SDM table 4-19.
const PRESENT: u64 = 1;
const WRITABLE: u64 = 1 << 1;
const WRITE_THROUGH: u64 = 1 << 3;
const CACHE_DISABLE: u64 = 1 << 4;
const LARGE: u64 = 1 << 7;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// What may be done with a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Code: read and execute.
    Code,
    /// Constants: read.
    Constants,
    /// Memory: read and write.
    Memory,
    /// Device registers: read and write, uncached.
    Device,
}

impl Access {
    const fn bits(self) -> u64 {
        match self {
            Self::Code => PRESENT,
            Self::Constants => PRESENT | NO_EXECUTE,
            Self::Memory => PRESENT | WRITABLE | NO_EXECUTE,
            Self::Device => PRESENT | WRITABLE | NO_EXECUTE | WRITE_THROUGH | CACHE_DISABLE,
        }
    }

    const fn from_bits(bits: u64) -> Self {
        match (bits & NO_EXECUTE != 0, bits & WRITABLE != 0) {
            (false, _) => Self::Code,
            (true, false) => Self::Constants,
            (true, true) if bits & CACHE_DISABLE != 0 => Self::Device,
            (true, true) => Self::Memory,
        }
    }
}

/// Why a range could not be mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapError {
    /// The range is not within the lower half of the address space.
    OutOfRange,
    /// The memory set aside for page tables is used up.
    NoFrames,
}

/// One page table of any level.
pub type Table = [u64; 512];

/// Where page tables live.
pub trait Frames {
    /// Gives the address of a zeroed table, or `None` when there are no more.
    fn allocate(&mut self) -> Option<u64>;
    /// The table at an address that [`allocate`](Self::allocate) gave.
    fn table(&mut self, address: u64) -> &mut Table;
}

/// A tree of page tables.
#[derive(Debug)]
pub struct Tables<F> {
    frames: F,
    root: u64,
}

impl<F: Frames> Tables<F> {
    /// An empty tree.
    ///
    /// # Errors
    /// [`MapError::NoFrames`].
    pub fn new(mut frames: F) -> Result<Self, MapError> {
        let root = frames.allocate().ok_or(MapError::NoFrames)?;
        Ok(Self { frames, root })
    }

    /// The tree whose top is at `root`.
    pub const fn existing(frames: F, root: u64) -> Self {
        Self { frames, root }
    }

    /// Address of the top table, for CR3.
    pub const fn root(&self) -> u64 {
        self.root
    }

    /// Maps the pages that `range` touches to themselves, replacing what was there.
    ///
    /// # Errors
    /// Any [`MapError`]; part of the range may then be mapped.
    pub fn map(&mut self, range: Range<u64>, access: Access) -> Result<(), MapError> {
        self.set(range, access.bits())
    }

    /// Removes the pages that `range` touches.
    ///
    /// # Errors
    /// As [`map`](Self::map), because a large page may have to be split.
    pub fn unmap(&mut self, range: Range<u64>) -> Result<(), MapError> {
        self.set(range, 0)
    }

    /// What may be done at `address`; `None` if nothing.
    pub fn access(&mut self, address: u64) -> Option<Access> {
        let mut table = self.root;
        for level in (0..4).rev() {
            let entry = *self.entry(table, address, level);
            if entry & PRESENT == 0 {
                return None;
            }
            if level == 0 || entry & LARGE != 0 {
                return Some(Access::from_bits(entry));
            }
            table = entry & ADDRESS;
        }
        None
    }

    fn set(&mut self, range: Range<u64>, bits: u64) -> Result<(), MapError> {
        let mut at = range.start & !(PAGE - 1);
        let end = range
            .end
            .checked_next_multiple_of(PAGE)
            .filter(|&end| end <= LOWER_HALF)
            .ok_or(MapError::OutOfRange)?;
        while at < end {
            if at.is_multiple_of(LARGE_PAGE) && end - at >= LARGE_PAGE {
                let table = self.descend(at, 1)?;
                let value = if bits == 0 { 0 } else { at | bits | LARGE };
                *self.entry(table, at, 1) = value;
                at += LARGE_PAGE;
            } else {
                let table = self.descend(at, 0)?;
                *self.entry(table, at, 0) = if bits == 0 { 0 } else { at | bits };
                at += PAGE;
            }
        }
        Ok(())
    }

    /// The table of `level` (0 holds 4 KiB pages) that covers `address`, made if need be.
    fn descend(&mut self, address: u64, level: u32) -> Result<u64, MapError> {
        let mut table = self.root;
        for upper in (level + 1..4).rev() {
            let entry = *self.entry(table, address, upper);
            table = if entry & PRESENT == 0 {
                self.link(table, address, upper)?
            } else if entry & LARGE != 0 {
                let bits = entry & !(ADDRESS | LARGE);
                let small = self.link(table, address, upper)?;
                let first = address & !(LARGE_PAGE - 1);
                for (page, slot) in (0..).zip(self.frames.table(small).iter_mut()) {
                    *slot = (first + page * PAGE) | bits;
                }
                small
            } else {
                entry & ADDRESS
            };
        }
        Ok(table)
    }

    /// Hangs a new table under `table`. Permissions are decided by the lowest entry alone.
    fn link(&mut self, table: u64, address: u64, level: u32) -> Result<u64, MapError> {
        let new = self.frames.allocate().ok_or(MapError::NoFrames)?;
        *self.entry(table, address, level) = new | PRESENT | WRITABLE;
        Ok(new)
    }

    fn entry(&mut self, table: u64, address: u64, level: u32) -> &mut u64 {
        let index = (address >> (12 + 9 * level)) & 0x1ff;
        // Nine bits index 512 entries.
        &mut self.frames.table(table)[index as usize]
    }
}

/// What [`activate`] is to map.
#[derive(Clone, Debug)]
pub struct Layout<'a> {
    /// The image's code.
    pub code: Range<u64>,
    /// The image's constants.
    pub constants: Range<u64>,
    /// The first byte of each guard page.
    pub guards: &'a [u64],
    /// Memory that is cached: what the memory map calls usable or ACPI.
    pub memory: &'a [Range<u64>],
}

/// Fills `tables` from `layout`: everything below 4 GiB, and memory above.
///
/// A large page below 4 GiB that holds no memory is taken for registers and left uncached.
///
/// # Errors
/// Any [`MapError`]. Memory above 4 GiB for which there is no table is left out: the
/// end of what was mapped is returned.
pub fn fill<F: Frames>(tables: &mut Tables<F>, layout: &Layout<'_>) -> Result<u64, MapError> {
    tables.map(0..FOUR_GIB, Access::Device)?;
    for range in layout.memory {
        let start = range.start & !(LARGE_PAGE - 1);
        let end = range.end.next_multiple_of(LARGE_PAGE).min(FOUR_GIB);
        if start < end {
            tables.map(start..end, Access::Memory)?;
        }
    }
    // The first page stays unmapped so that a null pointer faults.
    tables.unmap(0..PAGE)?;
    tables.map(layout.code.clone(), Access::Code)?;
    tables.map(layout.constants.clone(), Access::Constants)?;
    for &guard in layout.guards {
        tables.unmap(guard..guard + PAGE)?;
    }
    let mut mapped = FOUR_GIB;
    for range in layout.memory.iter().filter(|range| range.end > FOUR_GIB) {
        let mut at = range.start.max(FOUR_GIB) & !(LARGE_PAGE - 1);
        while at < range.end {
            let next = (at + (1 << 30)) & !((1 << 30) - 1);
            let end = next.min(range.end.next_multiple_of(LARGE_PAGE));
            // Tables are kept back for devices.
            match tables.map(at..end, Access::Memory) {
                Ok(()) => mapped = mapped.max(end),
                Err(MapError::NoFrames | MapError::OutOfRange) => return Ok(mapped),
            }
            at = end;
        }
    }
    Ok(mapped)
}

/// Tables set aside: about 12 for the first 4 GiB, one for each further GiB of memory, and
/// [`DEVICE_TABLES`] for registers above.
const TABLES: usize = 64;
const DEVICE_TABLES: usize = 16;

#[repr(C, align(4096))]
struct Pool(UnsafeCell<[Table; TABLES]>);

// SAFETY: tables are handed out once each by `Static::allocate`, and changed only under the
// critical section (or before interrupts are on) by the functions below.
unsafe impl Sync for Pool {}

#[unsafe(link_section = ".bss.noinit.page_tables")]
static POOL: Pool = Pool(UnsafeCell::new([[0; 512]; TABLES]));
static TAKEN: AtomicUsize = AtomicUsize::new(0);
static ROOT: AtomicU64 = AtomicU64::new(0);

/// The tables in [`POOL`], up to `limit` of them.
struct Static {
    limit: usize,
}

impl Frames for Static {
    fn allocate(&mut self) -> Option<u64> {
        let index = TAKEN
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                (taken < self.limit).then_some(taken + 1)
            })
            .ok()?;
        let address = POOL.0.get() as u64 + index as u64 * PAGE;
        // Not cleared at start, because the loader need not.
        self.table(address).fill(0);
        Some(address)
    }

    fn table(&mut self, address: u64) -> &mut Table {
        // SAFETY: `Tables` passes only addresses that `allocate` gave, which are aligned tables of
        // the pool; `&mut self` and the critical section make this the only reference.
        unsafe { &mut *(address as *mut Table) }
    }
}

/// Builds the box's page tables and switches to them. Returns where mapped memory ends.
///
/// # Errors
/// Any [`MapError`]; the old tables are then still in force.
///
/// # Safety
/// Called once, on the boot processor, with interrupts off, running one-to-one; `layout` must name
/// the running image's sections, and nothing may execute or write outside what it allows.
pub unsafe fn activate(layout: &Layout<'_>) -> Result<u64, MapError> {
    let mut tables = Tables::new(Static {
        limit: TABLES - DEVICE_TABLES,
    })?;
    let mapped = fill(&mut tables, layout)?;
    ROOT.store(tables.root(), Ordering::Release);
    // SAFETY: the new tables map the running code, its data and its stack to themselves, by the
    // caller's word about `layout`.
    unsafe {
        asm!("mov cr3, {}", in(reg) tables.root(), options(nostack, preserves_flags));
    }
    Ok(mapped)
}

/// Maps device registers that lie above 4 GiB, uncached, in 2 MiB pages. Below, all is mapped.
///
/// # Errors
/// Any [`MapError`].
pub fn map_device(base: u64, len: u64) -> Result<(), MapError> {
    let end = base
        .checked_add(len)
        .filter(|&end| end <= LOWER_HALF)
        .ok_or(MapError::OutOfRange)?;
    let root = ROOT.load(Ordering::Acquire);
    if end <= FOUR_GIB || root == 0 {
        return Ok(());
    }
    critical_section::with(|_| {
        let mut tables = Tables::existing(Static { limit: TABLES }, root);
        let mut at = base.max(FOUR_GIB) & !(LARGE_PAGE - 1);
        while at < end {
            // What is mapped stays: memory must not become uncached by a device's lie. An entry
            // that was absent is not cached by the processor, so nothing needs flushing.
            if tables.access(at).is_none() {
                tables.map(at..at + LARGE_PAGE, Access::Device)?;
            }
            at += LARGE_PAGE;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;

//! The memory map, and a place in it for staging and the jump.

use core::ops::Range;

use handoff::Workspace;
use loader::memory_map::{Kind, MemoryMap};
use r_efi::efi;

use crate::services::{RawMap, Services};
use crate::{STAGING_LEN, WORKSPACE_LEN};

/// Where firmware may go: above the first MiB, below 4 GiB.
pub(crate) const LOADABLE: Range<u64> = 1 << 20..1 << 32;
/// Bytes of the place.
pub(crate) const LEN: usize = STAGING_LEN + WORKSPACE_LEN;

const PAGE: u64 = 4096;
/// The place is looked for above this, so that it is not where firmware goes (2 MiB and up).
const ABOVE_FIRMWARE: u64 = 16 << 20;
/// How often the memory map is read anew before boot services must have ended: the first attempt may
/// change it (UEFI §7.4.6).
const TRIES: u32 = 4;

/// Room for the map as the service gives it: some 1,300 descriptors.
static mut MAP_BUFFER: [u64; 8192] = [0; 8192];

/// Memory of our own for staging, followed by the workspace.
pub(crate) struct Place(u64);

impl Place {
    /// Takes the highest free memory below 4 GiB.
    pub(crate) fn claim(services: &Services) -> Option<Self> {
        let mut free = MemoryMap::default();
        let raw = raw_map(services)?;
        for (range, kind) in descriptors(&raw) {
            if kind == efi::CONVENTIONAL_MEMORY {
                free.add(range, Kind::Usable);
            }
        }
        let within = ABOVE_FIRMWARE..LOADABLE.end;
        let at = free.highest(LEN as u64, PAGE, &within)?;
        services
            .allocate_at(at, LEN.div_ceil(PAGE as usize))
            .then_some(Self(at))
    }

    /// Its addresses.
    pub(crate) fn range(&self) -> Range<u64> {
        self.0..self.0 + LEN as u64
    }

    /// Its parts.
    ///
    /// # Safety
    /// Called once for each claimed place.
    pub(crate) unsafe fn split<'a>(&self) -> (&'a mut [u8], &'a mut Workspace) {
        let staging = self.0 as *mut u8;
        // SAFETY: allocated for us in whole pages and mapped one to one; by the caller, borrowed once.
        unsafe {
            let workspace = staging.add(STAGING_LEN).cast::<Workspace>();
            workspace.write(Workspace::new());
            (
                core::slice::from_raw_parts_mut(staging, STAGING_LEN),
                &mut *workspace,
            )
        }
    }
}

/// The memory as it is once boot services have ended.
pub(crate) fn map(services: &Services) -> MemoryMap {
    raw_map(services).map_or_else(MemoryMap::default, |raw| translate(&raw))
}

/// Ends boot services; returns the memory as it is from then on.
pub(crate) fn leave_boot_services(services: &Services) -> Option<MemoryMap> {
    (0..TRIES).find_map(|_| {
        let raw = raw_map(services)?;
        services.exit(raw.key).then(|| translate(&raw))
    })
}

fn raw_map(services: &Services) -> Option<RawMap<'static>> {
    let buffer = &raw mut MAP_BUFFER;
    // SAFETY: the maps that are read are never kept longer than until the next one.
    let buffer = unsafe { &mut *buffer };
    services.memory_map(buffer)
}

/// What boot services and loaders had is free; what runtime services have is not to be touched.
fn translate(raw: &RawMap<'_>) -> MemoryMap {
    let mut map = MemoryMap::default();
    for (range, kind) in descriptors(raw) {
        let kind = match kind {
            efi::LOADER_CODE
            | efi::LOADER_DATA
            | efi::BOOT_SERVICES_CODE
            | efi::BOOT_SERVICES_DATA
            | efi::CONVENTIONAL_MEMORY => Kind::Usable,
            efi::ACPI_RECLAIM_MEMORY => Kind::AcpiTables,
            efi::ACPI_MEMORY_NVS => Kind::AcpiState,
            _ => Kind::Reserved,
        };
        map.add(range, kind);
    }
    map
}

/// Addresses and type of each descriptor (UEFI §7.2.3).
fn descriptors(raw: &RawMap<'_>) -> impl Iterator<Item = (Range<u64>, u32)> {
    raw.bytes.chunks_exact(raw.stride).map(|descriptor| {
        let long = |at: usize| {
            let field = descriptor.get(at..).and_then(<[u8]>::first_chunk);
            field.map_or(0, |field| u64::from_le_bytes(*field))
        };
        let (kind, start, pages) = (long(0) as u32, long(8), long(24));
        let end = start.saturating_add(pages.saturating_mul(PAGE));
        (start..end, kind)
    })
}

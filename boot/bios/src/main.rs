//! The BIOS loader: from the boot sector to the firmware.
//!
//! | Module | Does |
//! | --- | --- |
//! | `boot_sector` | is loaded by the BIOS, loads the rest |
//! | `real` | real mode, long mode, and the way between them |
//! | `disk` | sectors by INT 13h |
//! | `console` | messages on the serial line and the screen |
//! | `acpi` | finds the root of the ACPI tables |
//!
//! What is done between is in the crate `loader`, and the jump in `handoff`; [`start`] joins them.
#![no_std]
#![no_main]

mod acpi;
mod boot_sector;
mod console;
mod disk;
mod real;

use core::arch::asm;
use core::fmt::Write as _;
use core::ops::Range;
use core::panic::PanicInfo;

use handoff::Workspace;
use handoff::com1::Com1;
use loader::key::{self, PublicKey};
use loader::memory_map::{Kind, MemoryMap};
use loader::{FIRMWARE_MAX, Path, Surroundings};

use crate::console::Console;
use crate::disk::BiosDisk;

/// Where firmware may go: above the first MiB, where this loader and the BIOS are, below 4 GiB.
const LOADABLE: Range<u64> = 1 << 20..1 << 32;
/// What staging is aligned to.
const STAGING_ALIGN: u64 = 4096;

/// Used once, by [`start`].
static mut WORKSPACE: Workspace = Workspace::new();

/// Runs the loader. Called once, in long mode with interrupts off.
extern "C" fn start() -> ! {
    // SAFETY: nothing else drives the port.
    let mut console = Console(unsafe { Com1::initialize() });
    let _ = write!(console, "BIOS loader {}\r\n", env!("CARGO_PKG_VERSION"));
    let map = memory_map();
    let Some(staging_at) = map.highest(FIRMWARE_MAX as u64, STAGING_ALIGN, &LOADABLE) else {
        stop(&mut console, format_args!("not enough memory"));
    };
    let staging_range = staging_at..staging_at + FIRMWARE_MAX as u64;
    // SAFETY: free memory below 4 GiB, mapped, which is used for nothing else.
    let staging = unsafe { core::slice::from_raw_parts_mut(staging_at as *mut u8, FIRMWARE_MAX) };
    let Some(key) = PublicKey::new(key::TRUSTED) else {
        stop(&mut console, format_args!("the key compiled in is no key"));
    };
    let drive = real::drive();
    let mut disk = match BiosDisk::open(drive) {
        Ok(disk) => disk,
        Err(error) => stop(&mut console, format_args!("disk {drive:02x}h: {error}")),
    };
    let is_free = |range: Range<u64>| {
        let is_apart = range.end <= staging_range.start || staging_range.end <= range.start;
        is_apart
            && LOADABLE.start <= range.start
            && range.end <= LOADABLE.end
            && map.is_usable(&range)
    };
    let ready = loader::prepare(
        &mut Surroundings {
            path: Path::Bios,
            disk: &mut disk,
            console: &mut console,
            is_free: &is_free,
            key: &key,
        },
        staging,
    );
    let ready = match ready {
        Ok(ready) => ready,
        Err(failure) => stop(&mut console, format_args!("{failure}")),
    };
    let workspace = &raw mut WORKSPACE;
    // SAFETY: this function runs once.
    let workspace = unsafe { &mut *workspace };
    if workspace.fill(&ready, acpi::root_pointer(), map).is_err() {
        stop(&mut console, format_args!("no room for the jump"));
    }
    // SAFETY: filled; in low memory, mapped one to one without limits; parts go to free memory above
    // 1 MiB apart from staging; interrupts are off in long mode.
    unsafe { workspace.jump() }
}

/// The BIOS's memory map.
fn memory_map() -> MemoryMap {
    let mut map = MemoryMap::default();
    for entry in real::memory() {
        let kind = match entry.kind {
            1 => Kind::Usable,
            3 => Kind::AcpiTables,
            4 => Kind::AcpiState,
            _ => Kind::Reserved,
        };
        map.add(entry.base..entry.base.saturating_add(entry.len), kind);
    }
    map
}

/// Says why, and stays.
fn stop(console: &mut Console, why: core::fmt::Arguments<'_>) -> ! {
    let _ = write!(
        console,
        "cannot start: {why}\r\nThe box stays here. Write its disk anew.\r\n"
    );
    loop {
        // SAFETY: waits; interrupts are off.
        unsafe { asm!("hlt", options(nomem, nostack)) };
    }
}

#[panic_handler]
fn on_panic(info: &PanicInfo<'_>) -> ! {
    // SAFETY: whoever drove the port before does not come back.
    let mut console = Console(unsafe { Com1::initialize() });
    stop(&mut console, format_args!("{info}"))
}

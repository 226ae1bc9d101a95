//! The UEFI loader: `\EFI\BOOT\BOOTX64.EFI`, from the machine's boot manager to the firmware.
//!
//! | Module | Does |
//! | --- | --- |
//! | `services` | calls boot services; the only place that does |
//! | `disk` | the whole disk that the loader's partition is on, by Block I/O |
//! | `console` | messages on the serial line and the machine's console |
//! | `memory` | the memory map, and a place for staging and the jump |
//!
//! What is done between is in the crate `loader`, and the jump in `handoff`; [`efi_main`] joins them.
//!
//! Boot services run interrupts on the caller's stack, below what the compiler takes for its own (the
//! target's ABI has a red zone, UEFI's has none). So interrupts are switched off first thing, and
//! again after each service, which may have switched them on.
//!
//! Source: UEFI 2.10.
#![no_std]
#![no_main]

mod console;
mod disk;
mod memory;
mod services;

use core::arch::asm;
use core::fmt::Write as _;
use core::ops::Range;
use core::panic::PanicInfo;

use handoff::Workspace;
use handoff::com1::Com1;
use loader::key::{self, PublicKey};
use loader::{FIRMWARE_MAX, Path, Surroundings};
use r_efi::efi::{Handle, Status, SystemTable};

use crate::console::Console;
use crate::disk::EfiDisk;
use crate::memory::Place;
use crate::services::Services;

/// Entry. The machine's firmware calls it once, in long mode with memory mapped one to one (UEFI §2.3.4).
///
/// # Safety
/// `image` and `table` are what UEFI passes to an application.
#[unsafe(no_mangle)]
unsafe extern "efiapi" fn efi_main(image: Handle, table: *mut SystemTable) -> Status {
    // SAFETY: the caller's word.
    let services = unsafe { Services::new(image, table) };
    // SAFETY: the machine's own driver of the port, if it has one, runs only within its services.
    let mut console = Console::new(unsafe { Com1::initialize() }, &services);
    let _ = write!(
        console,
        "\r\nSallyport\r\nUEFI loader {}\r\n",
        env!("CARGO_PKG_VERSION")
    );
    // The machine would reset after five minutes; a message is to stay, and a firmware to run.
    services.disarm_watchdog();
    let why = load(&services, &mut console);
    stop(&mut console, why)
}

/// Loads and starts the firmware; returns only if that fails.
fn load(services: &Services, console: &mut Console<'_>) -> &'static str {
    let Some(place) = Place::claim(services) else {
        let _ = write!(
            console,
            "there is no place of {} MiB below 4 GiB\r\n",
            memory::LEN >> 20
        );
        return "not enough memory";
    };
    let Some(key) = PublicKey::new(key::TRUSTED) else {
        return "the key compiled in is no key";
    };
    let Some(mut disk) = EfiDisk::of_loader(services) else {
        return "the disk of this loader was not found";
    };
    let map = memory::map(services);
    let taken = place.range();
    let is_free = |range: Range<u64>| {
        let is_apart = range.end <= taken.start || taken.end <= range.start;
        is_apart && memory::LOADABLE.start <= range.start && map.is_usable(&range)
    };
    // SAFETY: `claim` gave the place to us, and each part of it is borrowed once.
    let (staging, workspace) = unsafe { place.split() };
    let ready = loader::prepare(
        &mut Surroundings {
            path: Path::Uefi,
            disk: &mut disk,
            console: &mut *console,
            is_free: &is_free,
            key: &key,
        },
        staging,
    );
    let ready = match ready {
        Ok(ready) => ready,
        Err(failure) => {
            let _ = write!(console, "{failure}\r\n");
            return "nothing can be started";
        }
    };
    let rsdp = services.acpi_root();
    // The machine's console is gone from here on.
    let Some(map) = memory::leave_boot_services(services) else {
        return "boot services do not end";
    };
    if workspace.fill(&ready, rsdp, map).is_err() {
        return "no room for the jump";
    }
    // SAFETY: filled; below 4 GiB by `claim`, mapped one to one and allocated as code; parts go to memory
    // that is free and apart from the place; boot services have ended, so nobody else needs it or runs.
    unsafe { workspace.jump() }
}

/// Says why, and stays.
fn stop(console: &mut Console<'_>, why: &str) -> ! {
    let _ = write!(
        console,
        "cannot start: {why}\r\nThe box stays here. Write its disk anew.\r\n"
    );
    halt()
}

fn halt() -> ! {
    loop {
        // SAFETY: waits; interrupts are off.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}

#[panic_handler]
fn on_panic(info: &PanicInfo<'_>) -> ! {
    // SAFETY: whoever drove the port before does not come back.
    let mut port = unsafe { Com1::initialize() };
    let _ = write!(port, "{info}\r\n");
    halt()
}

/// Bytes of staging: the longest firmware in whole pages.
const STAGING_LEN: usize = FIRMWARE_MAX.next_multiple_of(4096);
/// Bytes of the workspace.
const WORKSPACE_LEN: usize = size_of::<Workspace>();

//! The bare-metal image: from the loader's entry to the appliance's event loop.
//!
//! | Module | Does |
//! | --- | --- |
//! | `entry` | PVH entry, long mode, first page tables, jump to [`start`] |
//! | `start_info` | reads what the loader passed |
//! | `image` | where the image's parts are |
//! | `heap`, `section`, `libc` | what compiled code needs beneath it |
//! | `fault`, `fault_drill` | exceptions, panics, epitaphs; causing them on purpose |
//! | `log` | the developers' log |
//! | `board` | devices, joined into `firmware::Board` |
//!
//! No policy is here: [`start`] brings the machine up in an order that the comments explain, and then
//! turns the appliance for ever.
#![no_std]
#![no_main]

extern crate alloc;

mod board;
mod entry;
mod fault;
mod fault_drill;
mod heap;
mod image;
mod libc;
mod log;
mod section;
mod start_info;

use alloc::string::{String, ToString};
use core::ops::Range;

use firmware::{Appliance, Turn};
use hal::serial::Baud;
use hal_x86::acpi::Tables;
use hal_x86::descriptors::{self, StackBounds};
use hal_x86::memory_map::{self, Free, Kind, Map};
use hal_x86::paging::{self, Layout};
use hal_x86::{cpu, entropy, exceptions, interrupts, tsc, uart};

use crate::board::Reseeder;
use crate::start_info::{MappedMemory, StartInfo};

/// Runs the box. Called once by the entry code, on the boot processor with interrupts off; other
/// processors stay where the machine's firmware has parked them.
extern "C" fn start(start_info: u64) -> ! {
    // Faults are caught from here on.
    // SAFETY: first thing at boot, interrupts off, once.
    unsafe {
        cpu::enable_simd();
        exceptions::install(fault::on_exception);
    }
    // SAFETY: the loader passed this address, and nothing has been written but our own image.
    let info = unsafe { StartInfo::read(start_info) };
    // The command line chooses the console's speed, so it is read before anything can be said.
    let baud = info.as_ref().map_or(Baud::default(), |info| {
        Baud::of_command_line(&info.command_line)
    });
    // SAFETY: interrupts are off, once.
    unsafe {
        uart::CONSOLE.initialize(baud, true);
        uart::LOG.initialize(Baud::default(), false);
    }
    let info = info.expect("the loader passes PVH start info of version 1 or later");
    let tables = Tables::read(&MappedMemory(&info.map), info.rsdp);
    let mapped_end = protect(&info.map);
    claim_memory(&info.map, mapped_end);
    let command_line = String::from(info.command_line.as_str());
    // SAFETY: exceptions and SIMD state are set up, interrupts are off, once.
    let clock = unsafe { interrupts::initialize(&tables.madt) };
    let epitaph = fault::take_epitaph();
    // SAFETY: every vector has a handler now.
    unsafe { interrupts::enable() };

    let crash = epitaph.as_ref().map(ToString::to_string);
    report(crash.as_deref());
    let is_after_crash = crash.is_some();
    let drill = command_line.clone();
    let (board, reseeder) = board::assemble(&tables, command_line, crash);
    if !entropy::sources().has_hardware() {
        say(
            "% Warning: no hardware source of random numbers. Keys are only as good as timing jitter.\n",
        );
    }
    defmt::info!(
        "up after {=u64} us; TSC {=u64} Hz (measured: {=bool}), {=u64} KiB of heap, crash: {=bool}",
        tsc::now().as_micros(),
        clock.tsc_hz,
        clock.is_measured,
        board.memory_bytes / 1024,
        is_after_crash,
    );
    let appliance = Appliance::new(board);
    if !is_after_crash {
        fault_drill::run(&drill);
    }
    run(appliance, reseeder)
}

/// The event loop: work while there is some, else sleep.
fn run(mut appliance: Appliance, mut reseeder: Reseeder) -> ! {
    let mut frames_dropped = 0;
    loop {
        match appliance.turn() {
            Turn::Busy => {}
            Turn::IdleUntil(deadline) => {
                reseeder.handle_timeout(tsc::now());
                let dropped = log::dropped();
                if dropped != frames_dropped {
                    frames_dropped = dropped;
                    defmt::warn!("{=u32} log frames were dropped so far", dropped);
                }
                interrupts::sleep_until(deadline);
            }
        }
    }
}

/// Puts the final page tables in force. Returns where mapped memory ends.
fn protect(map: &Map) -> u64 {
    let stack = StackBounds::of("main", &entry::STACK);
    let [exception, emergency, device] = descriptors::stacks();
    let memory: Free = map
        .iter()
        .filter(|entry| entry.kind != Kind::Reserved)
        .map(|entry| entry.range.clone())
        .collect();
    let layout = Layout {
        code: image::code(),
        constants: image::constants(),
        guards: &[stack, exception, emergency, device].map(|stack| stack.guard),
        memory: &memory,
    };
    // SAFETY: at boot, once, interrupts off, one-to-one; the linker names the sections.
    let mapped = unsafe { paging::activate(&layout) };
    mapped.expect("set-aside page tables hold the first 4 GiB")
}

/// Gives free memory to the heap: all but the first MiB (the loader's structures and the machine's
/// firmware are there), the epitaph's page, the image, and what is not mapped.
fn claim_memory(map: &Map, mapped_end: u64) {
    const LOW_MEMORY: Range<u64> = 0..1 << 20;
    let taken = [
        LOW_MEMORY,
        image::EPITAPH_PAGE..image::whole().end,
        mapped_end..u64::MAX,
    ];
    for range in &memory_map::free(map, &taken) {
        // SAFETY: the map calls it usable, it is mapped writable, and nothing else is in it.
        unsafe { heap::add(range) };
    }
}

/// Tells the operator about an earlier crash.
fn report(crash: Option<&str>) {
    if let Some(crash) = crash {
        say("\n*** the last run ended in a crash ***\n");
        say(crash);
        say("*** end of crash report ***\n");
    }
}

/// Writes lines to the console as far as its ring has room.
fn say(text: &str) {
    let lines: String = text.replace('\n', "\r\n");
    let _ = uart::CONSOLE.write(lines.as_bytes());
}

//! Joins the machine's drivers into the firmware's [`Board`].

use alloc::boxed::Box;
use alloc::string::String;

use core::time::Duration;

use firmware::Board;
use hal::disk::Disk;
use hal::time::{Instant, Monotonic};
use hal_x86::acpi;
use hal_x86::cpu;
use hal_x86::entropy::{self, SeededEntropy};
use hal_x86::nvme;
use hal_x86::pci::{self, Function, Pc, PortConfig};
use hal_x86::power::MachinePower;
use hal_x86::rtc::CmosClock;
use hal_x86::tsc::TscClock;
use hal_x86::uart::Console;
use hal_x86::virtio;
use hal_x86::virtio::rng::RandomSource;

use crate::{heap, log};

/// Bytes taken from an entropy device each time.
const SEED_LEN: usize = 64;
/// Longest wait for an entropy device. One is asked at boot, where time counts.
const SEED_PATIENCE: Duration = Duration::from_millis(50);
/// Time between two helpings of fresh randomness.
const RESEED_INTERVAL: Duration = Duration::from_secs(300);

/// Finds the devices and puts the board together.
pub(crate) fn assemble(
    tables: &acpi::Tables,
    command_line: String,
    crash: Option<String>,
) -> (Board, Reseeder) {
    // SAFETY: called once at boot; the drivers give devices their own memory only.
    let mut config = unsafe { PortConfig::claim() };
    // SAFETY: page tables and vectors are in force; as above.
    let mut machine = unsafe { Pc::claim() };
    let functions = pci::enumerate(&mut config);
    let found = virtio::probe(&functions, &mut config, &mut machine, &TscClock);
    for (address, _) in &found.refused {
        defmt::warn!(
            "virtio device {=u8:02x}:{=u8:02x}.{=u8} is not usable",
            address.bus,
            address.device,
            address.function
        );
    }
    let disk = found
        .disk
        .or_else(|| nvme_disk(&functions, &mut config, &mut machine));
    let mut reseeder = Reseeder {
        device: found.rng,
        next: Instant::ZERO,
    };
    reseeder.handle_timeout(TscClock.now());
    let mut name = [0; 48];
    let board = Board {
        nics: found.nics,
        disk,
        console: Box::new(Console),
        rtc: Box::new(CmosClock::new(
            tables.fadt.and_then(|fadt| fadt.century_register),
        )),
        entropy: Box::new(SeededEntropy),
        power: Box::new(MachinePower::new(tables)),
        clock: Box::new(TscClock),
        journal: Box::new(log::LineJournal),
        memory_bytes: heap::usage().total as u64,
        heap: heap::usage,
        crash,
        cpu: String::from(cpu::name(&mut name)),
        command_line,
    };
    (board, reseeder)
}

/// The first NVMe disk in PCI order that can be used. A virtio disk goes before: where there is one,
/// a hypervisor's owner meant it for us.
fn nvme_disk(
    functions: &[Function],
    config: &mut PortConfig,
    machine: &mut Pc,
) -> Option<Box<dyn Disk>> {
    for function in functions {
        match nvme::open(function, config, machine, TscClock) {
            None => {}
            Some(Ok(disk)) => return Some(disk),
            Some(Err(_)) => defmt::warn!(
                "NVMe controller {=u8:02x}:{=u8:02x}.{=u8} is not usable",
                function.address.bus,
                function.address.device,
                function.address.function
            ),
        }
    }
    None
}

/// Keeps the generator fresh.
pub(crate) struct Reseeder {
    device: Option<Box<dyn RandomSource>>,
    next: Instant,
}

impl Reseeder {
    /// Mixes fresh bytes in if it is time.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if now < self.next {
            return;
        }
        self.next = now + RESEED_INTERVAL;
        entropy::reseed();
        let mut bytes = [0; SEED_LEN];
        if let Some(device) = &mut self.device
            && device.read(&mut bytes, SEED_PATIENCE).is_ok()
        {
            entropy::add(&bytes);
        }
    }
}

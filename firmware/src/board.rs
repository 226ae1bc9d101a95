//! What the appliance is given at power-on: the devices, and what the boot code found out.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use hal::disk::Disk;
use hal::entropy::Entropy;
use hal::nic::Nic;
use hal::power::Power;
use hal::serial::Serial;
use hal::time::{Monotonic, Rtc};

use crate::journal::Journal;

/// Bytes of the control heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapUse {
    /// Handed out now.
    pub used: usize,
    /// In all.
    pub total: usize,
}

/// The machine, as `boot` or a simulator hands it over. Nothing else reaches the firmware.
pub struct Board {
    /// Network ports; the first is `GigabitEthernet0/0`.
    pub nics: Vec<Box<dyn Nic>>,
    /// Where configuration and keys are kept; without one nothing is.
    pub disk: Option<Box<dyn Disk>>,
    /// The operator's line.
    pub console: Box<dyn Serial>,
    /// The battery-backed clock.
    pub rtc: Box<dyn Rtc>,
    /// The seeded generator.
    pub entropy: Box<dyn Entropy>,
    /// Reset and power-off.
    pub power: Box<dyn Power>,
    /// The monotonic clock.
    pub clock: Box<dyn Monotonic>,
    /// Where developers' events go.
    pub journal: Box<dyn Journal>,
    /// Bytes of memory the appliance may plan with.
    pub memory_bytes: u64,
    /// Reads the use of the heap.
    pub heap: fn() -> HeapUse,
    /// The epitaph of a crash before this boot.
    pub crash: Option<String>,
    /// Name of the processor, for `show version`.
    pub cpu: String,
    /// What the loader passed on.
    pub command_line: String,
}

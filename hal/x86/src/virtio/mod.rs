//! virtio 1.2 devices: network, disk, entropy.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`net`], [`blk`], [`rng`] | the drivers, over any [`transport::Transport`] |
//! | `request` | one polled request at a time, for the latter two |
//! | [`ring`] | the split virtqueue; knows no registers |
//! | [`transport`] | what a driver needs of the bus, bringing a device up |
//! | [`pci`] | the transport of PCI devices |
//! | `fake` | a device that misbehaves on demand, for tests |
//!
//! [`probe`] makes drivers for everything that `crate::pci` found.

pub mod blk;
pub mod net;
pub mod pci;
mod regs;
mod request;
pub mod ring;
pub mod rng;
pub mod transport;

use alloc::boxed::Box;
use alloc::vec::Vec;

use hal::disk::Disk;
use hal::nic::Nic;
use hal::time::Monotonic;

use self::net::PAIRS_MAX;
use self::net::regs::receive_queue;
use self::pci::{PciTransport, Refusal};
use self::regs::{
    MODERN_FIRST, TRANSITIONAL_FIRST, TRANSITIONAL_LAST, VENDOR, device_type as types,
};
use self::rng::RandomSource;
use crate::pci::{Address, ConfigSpace, Function, Machine};

/// A device with its driver.
pub enum Device {
    /// A network port, silent until it is started.
    Nic(Box<dyn Nic>),
    /// A disk.
    Disk(Box<dyn Disk>),
    /// A source of random bytes.
    Rng(Box<dyn RandomSource>),
}

/// Everything that was found.
#[derive(Default)]
pub struct Found {
    /// Network ports in PCI order.
    pub nics: Vec<Box<dyn Nic>>,
    /// The first disk in PCI order.
    pub disk: Option<Box<dyn Disk>>,
    /// The first entropy source in PCI order.
    pub rng: Option<Box<dyn RandomSource>>,
    /// virtio devices that cannot be used, and why.
    pub refused: Vec<(Address, Refusal)>,
}

/// Makes drivers for all virtio devices among `functions`.
///
/// `clock` times resets and requests.
pub fn probe<C: Monotonic + Clone + 'static>(
    functions: &[Function],
    config: &mut impl ConfigSpace,
    machine: &mut impl Machine,
    clock: &C,
) -> Found {
    let mut found = Found::default();
    for function in functions {
        match open(function, config, machine, clock) {
            None => {}
            Some(Ok(Device::Nic(nic))) => found.nics.push(nic),
            Some(Ok(Device::Disk(disk))) => {
                found.disk.get_or_insert(disk);
            }
            Some(Ok(Device::Rng(rng))) => {
                found.rng.get_or_insert(rng);
            }
            Some(Err(refusal)) => found.refused.push((function.address, refusal)),
        }
    }
    found
}

/// Makes a driver for `function`; `None` if it is no virtio device.
pub fn open<C: Monotonic + Clone + 'static>(
    function: &Function,
    config: &mut impl ConfigSpace,
    machine: &mut impl Machine,
    clock: &C,
) -> Option<Result<Device, Refusal>> {
    let kind = device_type(function)?;
    Some(open_as(kind, function, config, machine, clock))
}

fn open_as<C: Monotonic + Clone + 'static>(
    kind: u16,
    function: &Function,
    config: &mut impl ConfigSpace,
    machine: &mut impl Machine,
    clock: &C,
) -> Result<Device, Refusal> {
    if !matches!(kind, types::NET | types::BLOCK | types::ENTROPY) {
        return Err(Refusal::UnknownType(kind));
    }
    let mut transport = PciTransport::open(function, config, machine)?;
    let clock = clock.clone();
    let device = match kind {
        types::NET => {
            let queues: [u16; PAIRS_MAX] = core::array::from_fn(|pair| receive_queue(pair as u16));
            transport.listen(config, machine, &queues)?;
            net::VirtioNet::new(transport, clock).map(|nic| Device::Nic(Box::new(nic)))
        }
        types::BLOCK => {
            blk::VirtioBlk::new(transport, clock).map(|disk| Device::Disk(Box::new(disk)))
        }
        _ => rng::VirtioRng::new(transport, clock).map(|rng| Device::Rng(Box::new(rng))),
    };
    device.map_err(Refusal::Transport)
}

/// The type of a virtio device by its PCI identifiers (§4.1.2), `None` for other functions.
fn device_type(function: &Function) -> Option<u16> {
    match function.device {
        _ if function.vendor != VENDOR => None,
        // A transitional device gives its type as subsystem identifier (§4.1.2.1).
        TRANSITIONAL_FIRST..=TRANSITIONAL_LAST => Some(function.subsystem),
        // Numbers above are other Red Hat devices (ivshmem, QEMU's test device), not virtio.
        device => device
            .checked_sub(MODERN_FIRST)
            .filter(|kind| (1..=0x3f).contains(kind)),
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

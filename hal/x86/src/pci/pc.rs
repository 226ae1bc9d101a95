//! Configuration space, registers and interrupts of PCI devices on a PC.
//!
//! Configuration space is reached by mechanism #1 (ports 0xCF8 and 0xCFC), which every PC has and
//! which covers the first 256 bytes of a function, all that our drivers need. Source: PCI Local Bus
//! Specification 3.0 §3.2.2.3.2.

use super::{Address, ConfigSpace, Machine};
use crate::interrupts;
use crate::mmio::Mmio;
use crate::msix::Message;
use crate::paging::MapError;
use crate::port::{inl, outl};

const CONFIG_ADDRESS: u16 = 0xcf8;
const CONFIG_DATA: u16 = 0xcfc;

/// Configuration mechanism #1.
#[derive(Debug)]
pub struct PortConfig(());

impl PortConfig {
    /// Takes the ports.
    ///
    /// # Safety
    /// Called once, on a machine that has them, in ring 0; and whoever writes through it must not
    /// make a device reach memory that it was not given.
    #[must_use]
    pub const unsafe fn claim() -> Self {
        Self(())
    }

    fn select(function: Address, offset: u8) {
        let address = 1 << 31
            | u32::from(function.bus) << 16
            | u32::from(function.device & 31) << 11
            | u32::from(function.function & 7) << 8
            | u32::from(offset & !3);
        // SAFETY: selecting a register has no effect of its own.
        unsafe { outl(CONFIG_ADDRESS, address) }
    }
}

impl ConfigSpace for PortConfig {
    fn read(&mut self, function: Address, offset: u8) -> u32 {
        Self::select(function, offset);
        // SAFETY: reading configuration space has no side effect in the standard header and the
        // capabilities, all that is read here.
        unsafe { inl(CONFIG_DATA) }
    }

    fn write(&mut self, function: Address, offset: u8, value: u32) {
        Self::select(function, offset);
        // SAFETY: by the contract of `claim`; this crate writes the command register, BARs while
        // decoding is off (to size them; the old value goes back), and MSI-X control.
        unsafe { outl(CONFIG_DATA, value) }
    }
}

/// The registers and interrupts of a PC: windows mapped by `paging`, wake vectors of `interrupts`.
#[derive(Debug)]
pub struct Pc(());

impl Pc {
    /// Takes the machine.
    ///
    /// # Safety
    /// Called after `paging::activate` and `interrupts::initialize`; and whoever maps a window must
    /// name device registers, and must not make the device reach memory that it was not given.
    #[must_use]
    pub const unsafe fn claim() -> Self {
        Self(())
    }
}

impl Machine for Pc {
    fn map(&mut self, base: u64, len: usize) -> Result<Mmio, MapError> {
        // SAFETY: by the contract of `claim`; this crate maps parts of assigned BARs only, and its
        // drivers give devices the addresses of memory that is set aside for them.
        unsafe { Mmio::map(base, len) }
    }

    fn claim_message(&mut self) -> Option<Message> {
        let vector = interrupts::allocate_wake_vector()?;
        Some(Message {
            address: interrupts::message_address(),
            data: u32::from(vector),
        })
    }
}

//! PCI functions: finding them, their BARs and their capabilities.
//!
//! Busses are walked through bridges as the platform's firmware numbered them; nothing is renumbered
//! or assigned here. The order of [`enumerate`], bus then device then function, names the network ports.
//!
//! What a device's configuration space says is not trusted: lists are bounded, and a structure is
//! mapped only where it lies within its BAR. (The crate `pci_types` was the alternative; its walk of
//! the capability list has no bound, so a list that loops would hang the box.)
//!
//! `pci/pc.rs` reaches the configuration space and the interrupts of a PC. Sources: PCI Local Bus
//! Specification 3.0 chapter 6; PCI-to-PCI Bridge Architecture
//! Specification 1.2 §3.2.

mod pc;

use alloc::vec::Vec;
use core::fmt;

use crate::mmio::Mmio;
use crate::msix::Message;
use crate::paging::MapError;

pub use self::pc::{Pc, PortConfig};

// Registers of the configuration header, chapter 6. Byte offsets of the 32-bit word.
const IDENTIFICATION: u8 = 0x00;
const COMMAND: u8 = 0x04;
const CLASS: u8 = 0x08;
const HEADER_TYPE: u8 = 0x0c;
const BAR_0: u8 = 0x10;
const BUS_NUMBERS: u8 = 0x18;
const SUBSYSTEM: u8 = 0x2c;
const CAPABILITIES: u8 = 0x34;

// Bits of the command half of `COMMAND`, §6.2.2; the status half is write-one-to-clear.
const COMMAND_MEMORY: u32 = 1 << 1;
const COMMAND_IO: u32 = 1 << 0;
const COMMAND_MASTER: u32 = 1 << 2;
const COMMAND_NO_INTX: u32 = 1 << 10;
const COMMAND_HALF: u32 = 0xffff;
const STATUS_HAS_CAPABILITIES: u32 = 1 << 20;

const NO_DEVICE: u16 = 0xffff;
const CLASS_BRIDGE: u8 = 0x06;
const SUBCLASS_HOST_BRIDGE: u8 = 0x00;
const HEADER_BRIDGE: u8 = 1;
const MULTI_FUNCTION: u8 = 0x80;

/// Base address registers of an ordinary function.
pub const BARS: usize = 6;

/// The most capabilities that fit between the header and the end of configuration space, at the
/// four bytes of the shortest.
const CAPABILITIES_MAX: usize = (256 - 64) / 4;

/// Where a function is. Ordered by bus, device, function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Bus.
    pub bus: u8,
    /// Device, 0 to 31.
    pub device: u8,
    /// Function, 0 to 7.
    pub function: u8,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bus,
            device,
            function,
        } = self;
        write!(f, "{bus:02x}:{device:02x}.{function}")
    }
}

/// The configuration space of all functions.
pub trait ConfigSpace {
    /// Reads the 32-bit word at byte `offset`, of which the low two bits are ignored; all ones if
    /// there is no such function.
    fn read(&mut self, function: Address, offset: u8) -> u32;

    /// Writes the 32-bit word at byte `offset`, of which the low two bits are ignored.
    fn write(&mut self, function: Address, offset: u8, value: u32);

    /// Reads a byte.
    fn read_u8(&mut self, function: Address, offset: u8) -> u8 {
        let shift = u32::from(offset & 3) * 8;
        (self.read(function, offset) >> shift) as u8
    }
}

/// What drivers of PCI devices need from the machine around them.
pub trait Machine {
    /// Makes device registers at a physical address reachable, uncached. May be asked for pages
    /// that are mapped already.
    ///
    /// # Errors
    /// [`MapError`].
    fn map(&mut self, base: u64, len: usize) -> Result<Mmio, MapError>;

    /// Gives an interrupt message that wakes the processor, or `None` if there are no more. The
    /// same one may be given more than once: an interrupt says only that there is work.
    fn claim_message(&mut self) -> Option<Message>;
}

/// A function that answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// Where it is.
    pub address: Address,
    /// Who made it.
    pub vendor: u16,
    /// What it is, by the maker.
    pub device: u16,
    /// Subsystem identifier (ordinary functions; 0 for bridges).
    pub subsystem: u16,
    /// Base class.
    pub class: u8,
    /// Subclass.
    pub subclass: u8,
    /// Whether the header is that of a PCI-to-PCI bridge.
    pub is_bridge: bool,
}

/// What a base address register decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// Input/output ports.
    Ports {
        /// First port.
        base: u32,
        /// Ports.
        len: u32,
    },
    /// Registers in memory.
    Memory {
        /// Physical address.
        base: u64,
        /// Bytes, a power of two.
        len: u64,
    },
}

/// An entry of a function's capability list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Kind: 0x09 vendor-specific, 0x11 MSI-X.
    pub id: u8,
    /// Where it is in configuration space.
    pub offset: u8,
}

/// Why a part of a BAR cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarError {
    /// There is no such BAR, or it decodes ports.
    NotMemory,
    /// The platform's firmware gave it no address.
    Unassigned,
    /// The part is not within the BAR.
    OutOfRange,
    /// The part could not be mapped.
    Map(MapError),
}

/// Finds every function behind every bridge, in order of [`Address`].
#[must_use]
pub fn enumerate(config: &mut impl ConfigSpace) -> Vec<Function> {
    let mut found = Vec::new();
    let mut seen = [false; 256];
    let mut waiting: heapless::Vec<u8, 256> = heapless::Vec::new();
    visit(0, &mut seen, &mut waiting);
    // Every bus enters `waiting` at most once, so this ends whatever the bridges say.
    while let Some(bus) = waiting.pop() {
        for device in 0..32 {
            for function in functions_of(config, bus, device) {
                if function.is_bridge {
                    let secondary = (config.read(function.address, BUS_NUMBERS) >> 8) as u8;
                    visit(secondary, &mut seen, &mut waiting);
                }
                // Further host bridges in one package: function n of 0:0 owns bus n.
                let is_host_bridge =
                    function.class == CLASS_BRIDGE && function.subclass == SUBCLASS_HOST_BRIDGE;
                if is_host_bridge && bus == 0 && device == 0 {
                    visit(function.address.function, &mut seen, &mut waiting);
                }
                found.push(function);
            }
        }
    }
    found.sort_by_key(|function| function.address);
    found
}

fn visit(bus: u8, seen: &mut [bool; 256], waiting: &mut heapless::Vec<u8, 256>) {
    if let Some(is_seen) = seen.get_mut(usize::from(bus))
        && !core::mem::replace(is_seen, true)
    {
        // Cannot fail: at most 256 different busses.
        let _ = waiting.push(bus);
    }
}

fn functions_of(config: &mut impl ConfigSpace, bus: u8, device: u8) -> heapless::Vec<Function, 8> {
    let mut functions = heapless::Vec::new();
    let mut count = 1;
    let mut function = 0;
    while function < count {
        let address = Address {
            bus,
            device,
            function,
        };
        if let Some(found) = read_function(config, address) {
            if function == 0 && config.read_u8(address, HEADER_TYPE + 2) & MULTI_FUNCTION != 0 {
                count = 8;
            }
            // Cannot fail: at most eight.
            let _ = functions.push(found);
        }
        function += 1;
    }
    functions
}

fn read_function(config: &mut impl ConfigSpace, address: Address) -> Option<Function> {
    let identification = config.read(address, IDENTIFICATION);
    let vendor = identification as u16;
    if vendor == NO_DEVICE || vendor == 0 {
        return None;
    }
    let class = config.read(address, CLASS);
    let is_bridge = config.read_u8(address, HEADER_TYPE + 2) & !MULTI_FUNCTION == HEADER_BRIDGE;
    Some(Function {
        address,
        vendor,
        device: (identification >> 16) as u16,
        subsystem: if is_bridge {
            0
        } else {
            (config.read(address, SUBSYSTEM) >> 16) as u16
        },
        class: (class >> 24) as u8,
        subclass: (class >> 16) as u8,
        is_bridge,
    })
}

impl Function {
    /// Lets the function decode memory and reach memory itself; INTx is turned off, as interrupts
    /// are MSI-X or none.
    pub fn enable(&self, config: &mut impl ConfigSpace) {
        let command = config.read(self.address, COMMAND) & COMMAND_HALF;
        let command = command | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX;
        config.write(self.address, COMMAND, command);
    }

    /// Finds out what the base address registers decode.
    ///
    /// Decoding is off while the sizes are found (§6.2.5.1), so nothing else may use the function
    /// meanwhile. All are read at once, because turning decoding off and on costs an emulated
    /// machine a millisecond.
    pub fn bars(&self, config: &mut impl ConfigSpace) -> Bars {
        let mut bars = Bars([None; BARS]);
        if self.is_bridge {
            return bars;
        }
        let command = config.read(self.address, COMMAND) & COMMAND_HALF;
        let silent = command & !(COMMAND_MEMORY | COMMAND_IO);
        config.write(self.address, COMMAND, silent);
        let mut index = 0;
        while index < BARS {
            let (bar, registers) = self.read_bar(config, index);
            if let Some(place) = bars.0.get_mut(index) {
                *place = bar;
            }
            index += registers;
        }
        config.write(self.address, COMMAND, command);
        bars
    }

    /// Reads one base address register and how many registers it takes. Decoding is off.
    fn read_bar(&self, config: &mut impl ConfigSpace, index: usize) -> (Option<Bar>, usize) {
        // Below 0x28, as `index` is below 6.
        let offset = BAR_0 + 4 * index as u8;
        let low = config.read(self.address, offset);
        let low_mask = self.probe_size(config, offset, low);
        if low & 1 != 0 {
            let mask = low_mask & !0b11;
            let ports = Bar::Ports {
                base: low & !0b11,
                // The upper half need not be decoded (§6.2.5.1).
                len: (!mask & 0xffff).wrapping_add(1),
            };
            return ((mask != 0).then_some(ports), 1);
        }
        let (mut base, mut mask) = (u64::from(low), u64::from(low_mask) | !u64::from(u32::MAX));
        let mut registers = 1;
        if low & 0b110 == 0b100 {
            registers = 2;
            if index + 1 == BARS {
                return (None, registers);
            }
            let high = config.read(self.address, offset + 4);
            let high_mask = self.probe_size(config, offset + 4, high);
            base |= u64::from(high) << 32;
            mask = u64::from(high_mask) << 32 | u64::from(low_mask);
        }
        mask &= !0b1111;
        let len = (!mask).wrapping_add(1);
        // A register that is not there reads 0 whatever is written.
        let is_there = low_mask & !0b1111 != 0 || (registers == 2 && mask != 0);
        let memory = Bar::Memory {
            base: base & !0b1111,
            len,
        };
        (
            (is_there && len.is_power_of_two()).then_some(memory),
            registers,
        )
    }

    fn probe_size(&self, config: &mut impl ConfigSpace, offset: u8, value: u32) -> u32 {
        config.write(self.address, offset, u32::MAX);
        let mask = config.read(self.address, offset);
        config.write(self.address, offset, value);
        mask
    }

    /// The function's capabilities in list order; a list that loops is cut.
    #[must_use]
    pub fn capabilities(
        &self,
        config: &mut impl ConfigSpace,
    ) -> heapless::Vec<Capability, CAPABILITIES_MAX> {
        let mut list = heapless::Vec::new();
        if config.read(self.address, COMMAND) & STATUS_HAS_CAPABILITIES == 0 {
            return list;
        }
        let mut offset = config.read_u8(self.address, CAPABILITIES) & !3;
        while offset >= 0x40 {
            let id = config.read_u8(self.address, offset);
            if list.push(Capability { id, offset }).is_err() {
                break;
            }
            offset = config.read_u8(self.address, offset + 1) & !3;
        }
        list
    }
}

/// What the base address registers of a function decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bars([Option<Bar>; BARS]);

impl Bars {
    /// What register `index` decodes, if anything. The upper half of a 64-bit one decodes nothing.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Bar> {
        self.0.get(index).copied().flatten()
    }

    /// Maps `len` bytes at `offset` of memory BAR `index`.
    ///
    /// # Errors
    /// [`BarError`].
    pub fn map_part(
        &self,
        machine: &mut impl Machine,
        index: usize,
        offset: u64,
        len: u64,
    ) -> Result<Mmio, BarError> {
        let Some(Bar::Memory { base, len: bar_len }) = self.get(index) else {
            return Err(BarError::NotMemory);
        };
        if base == 0 {
            return Err(BarError::Unassigned);
        }
        let end = offset.checked_add(len).ok_or(BarError::OutOfRange)?;
        let start = base.checked_add(offset).ok_or(BarError::OutOfRange)?;
        let len = usize::try_from(len).map_err(|_| BarError::OutOfRange)?;
        if end > bar_len {
            return Err(BarError::OutOfRange);
        }
        machine.map(start, len).map_err(BarError::Map)
    }
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;

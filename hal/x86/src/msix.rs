//! MSI-X: interrupts as memory writes, one per table entry.
//!
//! Every entry is masked until it is given a message. Source: PCI Local Bus Specification 3.0 §6.8.2.

use crate::mmio::Mmio;
use crate::pci::{BarError, Bars, ConfigSpace, Function, Machine};

/// Capability identifier of MSI-X.
const CAPABILITY_ID: u8 = 0x11;
// The word at the capability: control is its upper half.
const CONTROL_SIZE_SHIFT: u32 = 16;
const CONTROL_SIZE_MASK: u32 = 0x7ff;
const CONTROL_FUNCTION_MASK: u32 = 1 << 30;
const CONTROL_ENABLE: u32 = 1 << 31;
/// Table offset and BAR number, 32 bits, within the capability.
const TABLE: u8 = 4;
const TABLE_BAR_MASK: u32 = 0b111;

// Layout of a table entry, §6.8.2.6 to §6.8.2.9.
const ENTRY_LEN: usize = 16;
const ENTRY_ADDRESS_LOW: usize = 0;
const ENTRY_ADDRESS_HIGH: usize = 4;
const ENTRY_DATA: usize = 8;
const ENTRY_CONTROL: usize = 12;
const ENTRY_MASKED: u32 = 1;

/// The write that is an interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where the device writes.
    pub address: u64,
    /// What it writes.
    pub data: u32,
}

/// Why MSI-X cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MsixError {
    /// The function has no MSI-X capability.
    Missing,
    /// The table cannot be reached.
    Table(BarError),
    /// The table has no such entry.
    NoEntry(u16),
}

/// The MSI-X table of one function.
#[derive(Debug)]
pub struct Msix {
    function: Function,
    capability: u8,
    table: Mmio,
    entries: u16,
}

impl Msix {
    /// Finds and maps the table, and masks every entry. Interrupts come after
    /// [`enable`](Self::enable).
    ///
    /// # Errors
    /// [`MsixError::Missing`], [`MsixError::Table`].
    pub fn open(
        function: &Function,
        bars: &Bars,
        config: &mut impl ConfigSpace,
        machine: &mut impl Machine,
    ) -> Result<Self, MsixError> {
        let capabilities = function.capabilities(config);
        let capability = capabilities
            .iter()
            .find(|capability| capability.id == CAPABILITY_ID)
            .ok_or(MsixError::Missing)?
            .offset;
        let control = config.read(function.address, capability) >> CONTROL_SIZE_SHIFT;
        // At most 2,048, by the mask.
        let entries = (control & CONTROL_SIZE_MASK) as u16 + 1;
        let place = config.read(function.address, capability.wrapping_add(TABLE));
        let table = bars
            .map_part(
                machine,
                (place & TABLE_BAR_MASK) as usize,
                u64::from(place & !TABLE_BAR_MASK),
                (usize::from(entries) * ENTRY_LEN) as u64,
            )
            .map_err(MsixError::Table)?;
        let mut msix = Self {
            function: *function,
            capability,
            table,
            entries,
        };
        for entry in 0..entries {
            msix.write(entry, ENTRY_CONTROL, ENTRY_MASKED);
        }
        Ok(msix)
    }

    /// Entries of the table.
    #[must_use]
    pub fn entries(&self) -> u16 {
        self.entries
    }

    /// Gives `entry` its message and unmasks it.
    ///
    /// # Errors
    /// [`MsixError::NoEntry`].
    pub fn route(&mut self, entry: u16, message: Message) -> Result<(), MsixError> {
        // A message must not change while its entry is unmasked (§6.8.3.5).
        self.mask(entry)?;
        self.write(entry, ENTRY_ADDRESS_LOW, message.address as u32);
        self.write(entry, ENTRY_ADDRESS_HIGH, (message.address >> 32) as u32);
        self.write(entry, ENTRY_DATA, message.data);
        self.unmask(entry)
    }

    /// Holds interrupts of `entry` back; the device remembers that there was one.
    ///
    /// # Errors
    /// [`MsixError::NoEntry`].
    pub fn mask(&mut self, entry: u16) -> Result<(), MsixError> {
        self.check(entry)?;
        self.write(entry, ENTRY_CONTROL, ENTRY_MASKED);
        Ok(())
    }

    /// Lets interrupts of `entry` through.
    ///
    /// # Errors
    /// [`MsixError::NoEntry`].
    pub fn unmask(&mut self, entry: u16) -> Result<(), MsixError> {
        self.check(entry)?;
        self.write(entry, ENTRY_CONTROL, 0);
        Ok(())
    }

    /// Turns MSI-X on for the function, which turns its INTx off.
    pub fn enable(&mut self, config: &mut impl ConfigSpace) {
        let word = config.read(self.function.address, self.capability);
        let word = (word & !CONTROL_FUNCTION_MASK) | CONTROL_ENABLE;
        config.write(self.function.address, self.capability, word);
    }

    fn check(&self, entry: u16) -> Result<(), MsixError> {
        if entry < self.entries {
            Ok(())
        } else {
            Err(MsixError::NoEntry(entry))
        }
    }

    fn write(&mut self, entry: u16, field: usize, value: u32) {
        let offset = usize::from(entry) * ENTRY_LEN + field;
        self.table.write32(offset, value);
    }
}

//! Configuration space in memory, with BARs that can be sized, for tests.

use alloc::collections::BTreeMap;

use super::{Address, ConfigSpace, Machine};
use crate::mmio::Mmio;
use crate::msix::Message;
use crate::paging::MapError;

/// The configuration space of one function.
#[derive(Clone, Debug)]
pub(crate) struct FakeFunction {
    pub(crate) bytes: [u8; 256],
    /// Bits of each BAR that can be written.
    pub(crate) bar_masks: [u32; 6],
}

impl FakeFunction {
    pub(crate) fn new(vendor: u16, device: u16) -> Self {
        let mut function = Self {
            bytes: [0; 256],
            bar_masks: [0; 6],
        };
        function.put(0, &vendor.to_le_bytes());
        function.put(2, &device.to_le_bytes());
        function
    }

    pub(crate) fn bridge(secondary: u8) -> Self {
        let mut function = Self::new(0x1b36, 0x000c);
        function.put(0x0a, &[0x04, 0x06]);
        function.put(0x0e, &[1]);
        function.put(0x18, &[0, secondary, secondary]);
        function
    }

    pub(crate) fn put(&mut self, offset: usize, bytes: &[u8]) {
        self.bytes[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    /// A 64-bit memory BAR.
    pub(crate) fn put_bar64(&mut self, index: usize, base: u64, len: u64) {
        self.put(0x10 + 4 * index, &(base | 0b1100).to_le_bytes());
        let mask = !(len - 1);
        self.bar_masks[index] = mask as u32;
        self.bar_masks[index + 1] = (mask >> 32) as u32;
    }

    /// Adds a capability at `offset` to the front of the list.
    pub(crate) fn put_capability(&mut self, offset: u8, body: &[u8]) {
        self.put(usize::from(offset), body);
        self.bytes[usize::from(offset) + 1] = self.bytes[0x34];
        self.bytes[0x34] = offset;
        self.bytes[0x06] |= 0x10;
    }
}

/// All functions of a machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeConfig(pub(crate) BTreeMap<Address, FakeFunction>);

impl FakeConfig {
    pub(crate) fn put(&mut self, bus: u8, device: u8, function: u8, fake: FakeFunction) {
        let address = Address {
            bus,
            device,
            function,
        };
        self.0.insert(address, fake);
    }
}

impl ConfigSpace for FakeConfig {
    fn read(&mut self, function: Address, offset: u8) -> u32 {
        let start = usize::from(offset & !3);
        self.0.get(&function).map_or(u32::MAX, |fake| {
            let word = &fake.bytes[start..start + 4];
            u32::from_le_bytes(word.try_into().expect("four bytes"))
        })
    }

    fn write(&mut self, function: Address, offset: u8, value: u32) {
        let old = self.read(function, offset);
        let start = usize::from(offset & !3);
        let Some(fake) = self.0.get_mut(&function) else {
            return;
        };
        let writable = match start {
            0x04 => 0xffff,
            0x10..0x28 => {
                assert_eq!(fake.bytes[4] & 0b11, 0, "a BAR changes while it is decoded");
                fake.bar_masks[(start - 0x10) / 4]
            }
            0x40.. => u32::MAX,
            _ => 0,
        };
        let value = (old & !writable) | (value & writable);
        fake.put(start, &value.to_le_bytes());
    }
}

/// A machine whose physical memory is this process's.
#[derive(Debug, Default)]
pub(crate) struct FakeMachine {
    pub(crate) messages_left: u32,
    pub(crate) mapped: alloc::vec::Vec<(u64, usize)>,
}

impl Machine for FakeMachine {
    fn map(&mut self, base: u64, len: usize) -> Result<Mmio, MapError> {
        self.mapped.push((base, len));
        // SAFETY: the tests that reach through a window put leaked memory at its base.
        Ok(unsafe { Mmio::new(base, len) })
    }

    fn claim_message(&mut self) -> Option<Message> {
        self.messages_left = self.messages_left.checked_sub(1)?;
        Some(Message {
            address: 0xfee0_0000,
            data: 0x50 + self.messages_left,
        })
    }
}

//! Registers in memory.
//!
//! Physical and virtual addresses are the same here ([`paging`] maps one to one), so
//! a window is an address and a length. Addresses above 4 GiB are mapped by [`Mmio::map`].

use crate::paging::{self, MapError};

/// A window of device registers.
///
/// Reads outside the window give all ones, and writes there vanish, as on a bus where nobody
/// answers: offsets come from device tables and must not be able to panic the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mmio {
    base: usize,
    len: usize,
}

macro_rules! access {
    ($width:literal, $type:ty, $read:ident, $write:ident) => {
        #[doc = concat!("Reads ", $width, " at `offset` bytes into the window.")]
        #[inline]
        #[must_use]
        pub fn $read(&self, offset: usize) -> $type {
            match self.address::<$type>(offset) {
                // SAFETY: the address is aligned and inside a window that `new`'s caller declared to
                // be device registers, mapped for as long as the box runs.
                Some(address) => unsafe { (address as *const $type).read_volatile() },
                None => <$type>::MAX,
            }
        }

        #[doc = concat!("Writes ", $width, " at `offset` bytes into the window.")]
        #[inline]
        pub fn $write(&self, offset: usize, value: $type) {
            if let Some(address) = self.address::<$type>(offset) {
                // SAFETY: as for reading; what the write makes the device do is vouched for by
                // `new`'s caller.
                unsafe { (address as *mut $type).write_volatile(value) }
            }
        }
    };
}

impl Mmio {
    /// The window of `len` bytes at `base`, which is mapped already (below 4 GiB everything is).
    ///
    /// # Safety
    /// The range must be device registers (or, in tests, memory that nothing else uses), and the
    /// code that writes to it must not make the device touch memory that it was not given.
    #[must_use]
    pub const unsafe fn new(base: u64, len: usize) -> Self {
        Self {
            base: base as usize,
            len,
        }
    }

    /// Maps the window of `len` bytes at `base` uncached if it is not yet mapped, and gives it.
    ///
    /// # Errors
    /// [`MapError`] if the range lies outside what page tables can hold.
    ///
    /// # Safety
    /// As for [`new`](Self::new).
    pub unsafe fn map(base: u64, len: usize) -> Result<Self, MapError> {
        paging::map_device(base, len as u64)?;
        // SAFETY: passed on to the caller.
        Ok(unsafe { Self::new(base, len) })
    }

    /// The physical address of the window.
    #[must_use]
    pub const fn base(&self) -> u64 {
        self.base as u64
    }

    /// Bytes of the window.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the window holds no byte.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The window from `offset` on, at most `len` bytes of it.
    #[must_use]
    pub fn part(&self, offset: usize, len: usize) -> Self {
        let offset = offset.min(self.len);
        Self {
            base: self.base + offset,
            len: len.min(self.len - offset),
        }
    }

    access!("a byte", u8, read8, write8);
    access!("16 bits", u16, read16, write16);
    access!("32 bits", u32, read32, write32);
    access!("64 bits", u64, read64, write64);

    /// The address of a whole, aligned `T` at `offset`, if it is inside the window.
    #[inline]
    fn address<T>(&self, offset: usize) -> Option<usize> {
        let end = offset.checked_add(size_of::<T>())?;
        let address = self.base.checked_add(offset)?;
        (end <= self.len && address.is_multiple_of(size_of::<T>())).then_some(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_reads_and_writes_inside_and_is_silent_outside() {
        let mut memory = [0_u64; 4];
        // SAFETY: `memory` outlives the window and is read directly only after the last write.
        let window = unsafe { Mmio::new(memory.as_mut_ptr() as u64, 32) };
        window.write32(4, 0x1122_3344);
        window.write8(31, 7);
        window.write64(32, 1);
        window.write64(usize::MAX, 1);
        assert_eq!(window.read32(4), 0x1122_3344);
        assert_eq!(window.read16(6), 0x1122);
        assert_eq!(window.read32(30), u32::MAX, "beyond the end");
        assert_eq!(window.read32(1), u32::MAX, "unaligned");
        assert_eq!(window.part(4, 4).read32(0), 0x1122_3344);
        assert_eq!(window.part(40, 4).len(), 0);
        assert_eq!(memory[3].to_le_bytes()[7], 7);
    }
}

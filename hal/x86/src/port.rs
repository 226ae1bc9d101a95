//! Port input and output (Intel SDM volume 1, chapter 19).
//!
//! The processor's second address space, where the old devices and PCI configuration live.

use core::arch::asm;

macro_rules! port_functions {
    ($width:literal, $type:ty, $register:tt, $input:ident, $output:ident) => {
        #[doc = concat!("Reads ", $width, " from `port`.")]
        ///
        /// # Safety
        /// The device behind `port` must not, on being read, do anything that breaks memory safety.
        #[inline]
        #[must_use]
        pub unsafe fn $input(port: u16) -> $type {
            let value: $type;
            // SAFETY: the caller vouches for the device; the instruction itself touches no memory.
            unsafe {
                asm!(concat!("in ", $register, ", dx"), in("dx") port, out($register) value,
                    options(nomem, nostack, preserves_flags));
            }
            value
        }

        #[doc = concat!("Writes ", $width, " to `port`.")]
        ///
        /// # Safety
        /// The device behind `port` must not, on being written `value`, do anything that breaks
        /// memory safety (DMA into memory in use, a change of the memory map).
        #[inline]
        pub unsafe fn $output(port: u16, value: $type) {
            // SAFETY: the caller vouches for the device. `nomem` is left out on purpose: memory
            // written before must not be moved behind a write that starts a device.
            unsafe {
                asm!(concat!("out dx, ", $register), in("dx") port, in($register) value,
                    options(nostack, preserves_flags));
            }
        }
    };
}

port_functions!("a byte", u8, "al", inb, outb);
port_functions!("16 bits", u16, "ax", inw, outw);
port_functions!("32 bits", u32, "eax", inl, outl);

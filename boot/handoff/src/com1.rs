//! The first serial port, polled: 115200 8N1, without interrupts (National Semiconductor PC16550D).

use core::arch::asm;
use core::fmt;

const BASE: u16 = 0x3f8;
const LINE_STATUS: u16 = BASE + 5;
/// Line status: the transmitter takes a byte.
const READY: u8 = 1 << 5;
/// Looks at the line status before a byte is sent all the same: a port that is missing or stuck
/// must not stop the box. A byte takes 87 µs, and a look about one.
const PATIENCE: u32 = 10_000;

/// The port as a writer.
#[derive(Clone, Copy, Debug)]
pub struct Com1(());

impl Com1 {
    /// Sets the port up.
    ///
    /// # Safety
    /// Nothing else drives the port now.
    #[must_use]
    pub unsafe fn initialize() -> Self {
        // No interrupts; divisor 1; 8N1; FIFOs on; DTR and RTS.
        for (register, value) in [(1, 0), (3, 0x83), (0, 1), (1, 0), (3, 3), (2, 7), (4, 3)] {
            // SAFETY: registers of the 16550, which is the caller's.
            unsafe { write(BASE + register, value) };
        }
        Self(())
    }

    /// Sends one byte.
    pub fn send(self, byte: u8) {
        for _ in 0..PATIENCE {
            // SAFETY: reading the line status has no effect but on its error bits.
            if unsafe { read(LINE_STATUS) } & READY != 0 {
                break;
            }
        }
        // SAFETY: the data register, by `initialize`.
        unsafe { write(BASE, byte) };
    }
}

impl fmt::Write for Com1 {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.send(byte));
        Ok(())
    }
}

/// # Safety
/// Writing this port does nothing to memory that is in use.
unsafe fn write(port: u16, value: u8) {
    // SAFETY: the caller's word.
    unsafe {
        asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags))
    };
}

/// # Safety
/// As [`write`].
unsafe fn read(port: u16) -> u8 {
    let value;
    // SAFETY: the caller's word.
    unsafe {
        asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack, preserves_flags))
    };
    value
}

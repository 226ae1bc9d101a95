//! Messages of the loader: on the first serial line, and on the screen where there is one.

use core::fmt;

use handoff::com1::Com1;

use crate::real::{self, Registers};

/// INT 10h: write a character as a terminal would.
const TELETYPE: u32 = 0x0e00;

/// Both of them.
pub(crate) struct Console(pub(crate) Com1);

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0.send(byte);
            let registers = Registers {
                eax: TELETYPE | u32::from(byte),
                ebx: 7,
                ..Registers::default()
            };
            // SAFETY: writes the screen, or nothing where there is none.
            unsafe { real::call(0x10, registers) };
        }
        Ok(())
    }
}

//! Messages of the loader: on the first serial line and on the machine's console.
//!
//! Where that console is the serial line, lines appear twice.

use core::fmt;

use handoff::com1::Com1;
use heapless::Vec;

use crate::services::Services;

/// Characters that are handed to the machine's console at once.
const PIECE: usize = 128;

/// Both of them.
pub(crate) struct Console<'a> {
    port: Com1,
    services: &'a Services,
    line: Vec<u16, PIECE>,
}

impl<'a> Console<'a> {
    /// Writes to `port` and by `services`.
    pub(crate) fn new(port: Com1, services: &'a Services) -> Self {
        Self {
            port,
            services,
            line: Vec::new(),
        }
    }

    fn hand_over(&mut self) {
        // One place is always kept for the terminator.
        let _ = self.line.push(0);
        self.services.print(&mut self.line);
        self.line.clear();
    }
}

impl fmt::Write for Console<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.port.write_str(text)?;
        // Messages are ASCII.
        for byte in text.bytes() {
            let _ = self.line.push(byte.into());
            if byte == b'\n' || self.line.len() + 1 == PIECE {
                self.hand_over();
            }
        }
        Ok(())
    }
}

//! A pair of NVMe queues that carries one command at a time.
//!
//! Two entries are the fewest the standard allows and the most that one command at a time needs, so
//! every controller takes them. Nothing here waits; `controller.rs` does.
//!
//! Source: NVM Express 1.4 §4.1, §4.2, §4.6.

use core::sync::atomic::{Ordering, fence};

use super::regs::{COMMAND_LEN, COMPLETION_LEN};
use crate::dma::DmaMemory;

/// Entries of each queue.
pub(super) const ENTRIES: u16 = 2;

/// A command, before it has an identifier.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Command {
    pub(super) opcode: u8,
    pub(super) namespace: u32,
    /// Physical region page entries: where the data is.
    pub(super) prp: [u64; 2],
    /// Command words 10 to 12.
    pub(super) words: [u32; 3],
}

/// A completion that the controller wrote was not one of the command in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BrokenProtocol;

/// A submission queue and its completion queue, at two places of one piece of memory.
#[derive(Debug)]
pub(super) struct QueuePair {
    number: u16,
    submissions: usize,
    completions: usize,
    tail: u16,
    head: u16,
    phase: bool,
    identifier: u16,
}

impl QueuePair {
    /// The pair `number`, at byte offsets of the queue memory, which is zero there.
    pub(super) fn new(number: u16, submissions: usize, completions: usize) -> Self {
        Self {
            number,
            submissions,
            completions,
            tail: 0,
            head: 0,
            // Memory is zero, so the first round of completions has the phase 1 (§4.6).
            phase: true,
            identifier: 0,
        }
    }

    /// Begins again with memory that was zeroed. Identifiers go on, so that a completion of the
    /// time before is not taken for one of now.
    pub(super) fn restart(&mut self) {
        self.tail = 0;
        self.head = 0;
        self.phase = true;
    }

    /// Puts a command into the queue and returns the tail for the doorbell. None is in flight.
    pub(super) fn submit(&mut self, memory: &mut DmaMemory, command: &Command) -> u32 {
        self.identifier = self.identifier.wrapping_add(1);
        let entry = self.submissions + usize::from(self.tail) * COMMAND_LEN;
        let first = u32::from(command.opcode) | u32::from(self.identifier) << 16;
        memory.write(entry, first.to_le());
        memory.write(entry + 4, command.namespace.to_le());
        memory.write(entry + 24, command.prp[0].to_le());
        memory.write(entry + 32, command.prp[1].to_le());
        for (place, word) in (40..).step_by(4).zip(command.words) {
            memory.write(entry + place, word.to_le());
        }
        self.tail = (self.tail + 1) % ENTRIES;
        // The entry and the data are in memory before the doorbell rings.
        fence(Ordering::SeqCst);
        u32::from(self.tail)
    }

    /// Takes the completion of the command in flight if it is there: its status without the phase
    /// bit, and the head for the doorbell.
    ///
    /// # Errors
    /// [`BrokenProtocol`] if it names another command, another queue or another place in it.
    pub(super) fn poll(
        &mut self,
        memory: &DmaMemory,
    ) -> Result<Option<(u16, u32)>, BrokenProtocol> {
        let entry = self.completions + usize::from(self.head) * COMPLETION_LEN;
        let last = u32::from_le(memory.read(entry + 12));
        if (last >> 16 & 1 != 0) != self.phase {
            return Ok(None);
        }
        // What else the controller wrote is read after the phase bit.
        fence(Ordering::SeqCst);
        let place = u32::from_le(memory.read(entry + 8));
        let expected = u32::from(self.number) << 16 | u32::from(self.tail);
        if place != expected || last as u16 != self.identifier {
            return Err(BrokenProtocol);
        }
        self.head = (self.head + 1) % ENTRIES;
        if self.head == 0 {
            self.phase = !self.phase;
        }
        Ok(Some(((last >> 17) as u16, u32::from(self.head))))
    }
}

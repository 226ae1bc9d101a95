//! The control queue: how a card with several pairs of queues is told to use them.
//!
//! One command is ever given, right after the device has been brought up, and it is waited for: until it
//! is carried out the device uses the first pair alone. A command that is late keeps its memory until
//! the next reset; the queue is not used again before.
//!
//! Source: virtio 1.2 §5.1.6.5.

use core::time::Duration;

use hal::time::Monotonic;

use super::regs::control;
use crate::dma::DmaMemory;
use crate::virtio::request::{Piece, Request};
use crate::virtio::ring::Virtqueue;
use crate::virtio::transport::{self, Reset, Transport, TransportError};

/// Longest wait for an answer. It is the hypervisor that answers, at once.
const DEADLINE: Duration = Duration::from_millis(50);

/// Descriptors of the queue: header, data, answer, and to the next power of two.
const QUEUE_SIZE: u16 = 4;

// The command in the queue's memory. Byte offsets.
const CLASS: usize = 0;
const COMMAND: usize = 1;
const PAIRS: usize = 2;
const ANSWER: usize = 4;
const LEN: usize = 5;

/// The control queue of a card.
#[derive(Debug)]
pub(super) struct Control {
    number: u16,
    queue: Virtqueue<Request>,
    memory: DmaMemory,
}

impl Control {
    /// Makes the queue, which is the `number`th of the device.
    pub(super) fn new(transport: &mut impl Transport, number: u16) -> Result<Self, TransportError> {
        let queue = transport::make_queue(transport, number, QUEUE_SIZE)?;
        let memory = DmaMemory::claim(LEN).ok_or(TransportError::OutOfMemory)?;
        Ok(Self {
            number,
            queue,
            memory,
        })
    }

    /// Hands the queue to the device.
    pub(super) fn enable(
        &mut self,
        transport: &mut impl Transport,
        features: u64,
    ) -> Result<(), TransportError> {
        transport::enable_queue(transport, self.number, &mut self.queue, features)
    }

    /// Takes the queue back from a device that has been reset.
    pub(super) fn reclaim(&mut self, reset: &Reset) {
        self.queue.reclaim(reset, drop);
    }

    /// Has the device use `count` pairs, and returns whether it does.
    pub(super) fn use_pairs(
        &mut self,
        transport: &mut impl Transport,
        clock: &impl Monotonic,
        count: u16,
    ) -> bool {
        self.memory.write(CLASS, control::CLASS_MQ);
        self.memory.write(COMMAND, control::MQ_PAIRS_SET);
        self.memory.write(PAIRS, count.to_le());
        self.memory.write(ANSWER, !control::OK);
        let piece = |offset, len, device_writes| Piece {
            offset,
            len,
            device_writes,
        };
        let request = Request::of(
            &self.memory,
            &[
                piece(CLASS, PAIRS - CLASS, false),
                piece(PAIRS, ANSWER - PAIRS, false),
                piece(ANSWER, LEN - ANSWER, true),
            ],
        );
        if self.queue.push(request).is_err() {
            return false;
        }
        if self.queue.publish() {
            transport.notify(self.number);
        }
        let deadline = clock.now() + DEADLINE;
        loop {
            match self.queue.take_used() {
                Ok(Some(_)) => return self.memory.read::<u8>(ANSWER) == control::OK,
                Ok(None) if clock.now() < deadline => core::hint::spin_loop(),
                Ok(None) | Err(_) => return false,
            }
        }
    }
}

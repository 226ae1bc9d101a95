//! One request at a time through one queue: what disk and entropy source have in common.
//!
//! The request's memory is a [`DmaMemory`] of the driver, never memory of a caller. A request that is
//! late is followed by a reset, because only then is the memory free again; if the reset fails too,
//! the device is dead and its memory is never used again.

use core::time::Duration;

use hal::time::{Instant, Monotonic};

use super::ring::{QUEUE_SIZE_MAX, Segment, Transfer, Virtqueue};
use super::transport::{self, Transport, TransportError};
use crate::dma::DmaMemory;

/// The most pieces a request has: header, data, status.
pub(super) const SEGMENTS_MAX: usize = 3;

/// A request: pieces of the driver's own memory.
#[derive(Debug)]
pub(super) struct Request(heapless::Vec<Segment, SEGMENTS_MAX>);

impl Request {
    /// A request made of pieces of `memory`; empty ones are left out.
    pub(super) fn of(memory: &DmaMemory, pieces: &[Piece]) -> Self {
        let base = memory.address();
        let segments = pieces.iter().filter(|piece| piece.len > 0);
        let segments = segments.take(SEGMENTS_MAX).map(|piece| Segment {
            address: base + piece.offset as u64,
            // Never more than the memory, which is far below 4 GiB.
            len: piece.len as u32,
            device_writes: piece.device_writes,
        });
        Self(segments.collect())
    }
}

// SAFETY: `Request::of` makes the segments, from a `DmaMemory` alone, which is never freed and does not
// move; its owner, who has the queue too, leaves it alone while the queue holds the request.
unsafe impl Transfer for Request {
    fn segments(&self) -> impl Iterator<Item = Segment> {
        self.0.iter().copied()
    }
}

/// A piece of a request, by its place in the driver's memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) offset: usize,
    pub(super) len: usize,
    pub(super) device_writes: bool,
}

/// Why a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestError {
    /// The device did not answer in time; it has been reset.
    Timeout,
    /// The device broke the protocol and has been reset, or is dead.
    Device,
}

/// The one queue of a device and the memory of its requests.
#[derive(Debug)]
pub(super) struct Requester<T, C> {
    transport: T,
    clock: C,
    wanted: u64,
    features: u64,
    queue: Virtqueue<Request>,
    pub(super) memory: DmaMemory,
    is_dead: bool,
    resets: u64,
}

const QUEUE: u16 = 0;

impl<T: Transport, C: Monotonic> Requester<T, C> {
    /// Brings the device up with whatever of `wanted` it offers and `memory_len` bytes for requests.
    pub(super) fn new(
        mut transport: T,
        clock: C,
        wanted: u64,
        memory_len: usize,
    ) -> Result<Self, TransportError> {
        transport::reset(&mut transport, &clock)?;
        let features = transport::settle_features(&mut transport, |_| wanted, 0)?;
        let mut queue = transport::make_queue(&mut transport, QUEUE, QUEUE_SIZE_MAX)?;
        if usize::from(queue.size()) < SEGMENTS_MAX {
            return Err(TransportError::BadConfig);
        }
        let memory = DmaMemory::claim(memory_len).ok_or(TransportError::OutOfMemory)?;
        transport::enable_queue(&mut transport, QUEUE, &mut queue, features)?;
        transport::driver_ok(&mut transport);
        Ok(Self {
            transport,
            clock,
            wanted,
            features,
            queue,
            memory,
            is_dead: false,
            resets: 0,
        })
    }

    pub(super) fn transport(&mut self) -> &mut T {
        &mut self.transport
    }

    pub(super) fn has(&self, bit: u64) -> bool {
        self.features & bit != 0
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Times the device was reset because it was late or broke the protocol.
    pub(super) fn resets(&self) -> u64 {
        self.resets
    }

    /// Has the device carry out a request, and returns how many bytes it says it wrote.
    ///
    /// # Errors
    /// [`RequestError`]; the memory is then free for the next request.
    pub(super) fn request(
        &mut self,
        pieces: &[Piece],
        deadline: Duration,
    ) -> Result<usize, RequestError> {
        if self.is_dead {
            return Err(RequestError::Device);
        }
        let request = Request::of(&self.memory, pieces);
        if self.queue.push(request).is_err() {
            return Err(self.recover(RequestError::Device));
        }
        if self.queue.publish() {
            self.transport.notify(QUEUE);
        }
        let give_up = self.clock.now() + deadline;
        loop {
            match self.queue.take_used() {
                Ok(Some(done)) if done.is_overlong => {
                    return Err(self.recover(RequestError::Device));
                }
                Ok(Some(done)) => return Ok(done.len as usize),
                Ok(None) => {}
                Err(_) => return Err(self.recover(RequestError::Device)),
            }
            if self.clock.now() >= give_up {
                return Err(self.recover(RequestError::Timeout));
            }
            core::hint::spin_loop();
        }
    }

    /// Resets the device, so that the memory is free, and passes `error` on.
    fn recover(&mut self, error: RequestError) -> RequestError {
        self.resets += 1;
        self.is_dead = self.restart().is_err();
        error
    }

    fn restart(&mut self) -> Result<(), TransportError> {
        let reset = transport::reset(&mut self.transport, &self.clock)?;
        self.queue.reclaim(&reset, drop);
        self.features = transport::settle_features(&mut self.transport, |_| self.wanted, 0)?;
        transport::enable_queue(&mut self.transport, QUEUE, &mut self.queue, self.features)?;
        transport::driver_ok(&mut self.transport);
        Ok(())
    }
}

//! virtio-rng: random bytes from the host, which feed the seed of our own generator.
//!
//! The bytes are as good as the host; they are mixed with the processor's, never used alone. There
//! is no `regs.rs`: the device has one queue, no configuration and no features (virtio 1.2 §5.4).

use core::time::Duration;

use hal::time::Monotonic;

use super::request::{Piece, RequestError, Requester};
use super::transport::{Transport, TransportError};

/// Bytes asked for at a time.
const CHUNK_LEN: usize = 64;

/// Why there are no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RngError {
    /// The device broke the protocol or is dead.
    Device,
    /// The device had not given enough in time.
    Timeout,
}

/// A virtio entropy source on `T`, with `C` to time its requests.
#[derive(Debug)]
pub struct VirtioRng<T, C> {
    requester: Requester<T, C>,
}

impl<T: Transport, C: Monotonic> VirtioRng<T, C> {
    /// Brings the source up.
    ///
    /// # Errors
    /// Any [`TransportError`].
    pub fn new(transport: T, clock: C) -> Result<Self, TransportError> {
        Ok(Self {
            requester: Requester::new(transport, clock, 0, CHUNK_LEN)?,
        })
    }
}

/// A source of random bytes that may be slow.
pub trait RandomSource {
    /// Fills `bytes` within `deadline`.
    ///
    /// # Errors
    /// [`RngError`]; `bytes` is then to be thrown away.
    fn read(&mut self, bytes: &mut [u8], deadline: Duration) -> Result<(), RngError>;
}

impl<T: Transport, C: Monotonic> RandomSource for VirtioRng<T, C> {
    fn read(&mut self, bytes: &mut [u8], deadline: Duration) -> Result<(), RngError> {
        let give_up = self.requester.now() + deadline;
        let mut rest = bytes;
        while !rest.is_empty() {
            let left = give_up.since(self.requester.now());
            if left.is_zero() {
                return Err(RngError::Timeout);
            }
            let piece = Piece {
                offset: 0,
                len: rest.len().min(CHUNK_LEN),
                device_writes: true,
            };
            let result = self.requester.request(&[piece], left);
            // The device may give less than was asked for, even nothing (§5.4.6).
            let given = result.map_err(|error| match error {
                RequestError::Timeout => RngError::Timeout,
                RequestError::Device => RngError::Device,
            })?;
            let (filled, unfilled) = rest.split_at_mut(given.min(piece.len));
            self.requester.memory.copy_out(0, filled);
            rest = unfilled;
        }
        // What was handed out must not stay readable.
        self.requester.memory.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests;

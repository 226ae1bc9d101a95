//! Changes to a transport header that keep its checksum right.

use hal::packet::PacketBuf;

use super::checksum::Delta;
use super::{Headers, TCP_CHECKSUM, be16, put};

/// The TCP header of a packet, being changed. [`finish`](Self::finish) makes the checksum right.
pub(crate) struct Patch<'a> {
    bytes: &'a mut [u8],
    transport: usize,
    delta: Delta,
    /// A partial checksum does not cover the header.
    is_partial: bool,
}

impl<'a> Patch<'a> {
    /// Begins to change the TCP header of `packet`.
    #[inline]
    pub(crate) fn new(packet: &'a mut PacketBuf, headers: &Headers) -> Self {
        Self {
            is_partial: packet.offload().checksum_partial,
            bytes: packet.bytes_mut(),
            transport: usize::from(headers.transport),
            delta: Delta::default(),
        }
    }

    /// The bytes of the packet.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// Writes four bytes at `at`, counted from the start of the packet.
    #[inline]
    pub(crate) fn put_long(&mut self, at: usize, value: u32) {
        let Some(old) = super::array::<4>(self.bytes, at) else {
            return;
        };
        let new = value.to_be_bytes();
        if self.begins_word(at) {
            self.delta = self.delta.long(u32::from_be_bytes(old), value);
            put(self.bytes, at, &new);
        } else {
            for (offset, byte) in new.into_iter().enumerate() {
                self.put_byte(at + offset, byte);
            }
        }
    }

    /// Writes one byte at `at`.
    pub(crate) fn put_byte(&mut self, at: usize, value: u8) {
        let Some(place) = self.bytes.get_mut(at) else {
            return;
        };
        let old = core::mem::replace(place, value);
        // The first byte of a word of the sum counts 256 times as much.
        let shift = if self.begins_word(at) { 8 } else { 0 };
        self.delta = self
            .delta
            .word(u16::from(old) << shift, u16::from(value) << shift);
    }

    /// Whether a word of the sum begins at `at`.
    #[inline]
    const fn begins_word(&self, at: usize) -> bool {
        (at - self.transport).is_multiple_of(2)
    }

    /// Makes the checksum right.
    #[inline]
    pub(crate) fn finish(self) {
        let at = self.transport + TCP_CHECKSUM;
        if !self.is_partial
            && let Some(sum) = be16(self.bytes, at)
        {
            put(self.bytes, at, &self.delta.apply(sum).to_be_bytes());
        }
    }
}

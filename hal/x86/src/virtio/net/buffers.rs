//! Packet buffers as the rings of a network card see them.

use hal::packet::{BUFFER_LEN, HEADROOM, PacketBuf, PacketPool};

use super::header;
use super::regs::HEADER_LEN;
use super::regs::header::NUM_BUFFERS;
use crate::dma::physical;
use crate::virtio::ring::{Segment, Transfer};

/// Where a received frame begins in its first buffer.
pub(super) const FRAME_OFFSET: usize = HEADROOM;
/// Where the device's header begins, and the frame in buffers after the first.
pub(super) const HEADER_OFFSET: usize = FRAME_OFFSET - HEADER_LEN;

/// The most buffers of one frame: 64 KiB of segmentation offload, its Ethernet header, and one more
/// because the first buffer holds the device's header too.
pub(super) const PIECES_MAX: usize = 65_550_usize.div_ceil(BUFFER_LEN - HEADER_OFFSET) + 1;

/// An empty buffer for the device to fill with its header and a frame.
#[derive(Debug)]
pub(super) struct ReceiveBuffer(pub(super) PacketBuf);

// SAFETY: the buffer is a slot of a `PacketPool`, which leaks its memory; the `PacketBuf` is the only
// reference to it and moves without moving the slot; nothing but the queue holds it.
unsafe impl Transfer for ReceiveBuffer {
    fn segments(&self) -> impl Iterator<Item = Segment> {
        let storage = self.0.storage();
        // The offset lies within the buffer, so the address does too.
        let address = physical(storage.as_ptr()) + HEADER_OFFSET as u64;
        core::iter::once(Segment {
            address,
            len: (BUFFER_LEN - HEADER_OFFSET) as u32,
            device_writes: true,
        })
    }
}

/// A frame on its way out, the device's header in front.
#[derive(Debug)]
pub(super) struct SentFrame(pub(super) PacketBuf);

impl SentFrame {
    /// Descriptors that `frame` will take: one per buffer that holds something, and one for the
    /// header if the headroom is too short for it.
    pub(super) fn descriptors_for(frame: &PacketBuf) -> usize {
        let parts = frame.segments().filter(|part| !part.is_empty()).count();
        if frame.headroom() < HEADER_LEN || frame.is_empty() {
            parts + 1
        } else {
            parts
        }
    }

    /// Puts the header for what `frame` asks in front of it: into its headroom, or into a buffer of
    /// its own if that is too short.
    ///
    /// # Errors
    /// Gives the frame back if it needs a buffer and the pool has none.
    pub(super) fn new(mut frame: PacketBuf, pool: &mut PacketPool) -> Result<Self, PacketBuf> {
        let written = header::write(&frame);
        if !frame.grow_front(HEADER_LEN) {
            let Some(mut header) = pool.take() else {
                return Err(frame);
            };
            header.set_range(HEADER_OFFSET, FRAME_OFFSET);
            header.append(frame);
            frame = header;
        }
        if let Some(header) = frame.bytes_mut().first_chunk_mut::<HEADER_LEN>() {
            *header = written;
        }
        Ok(Self(frame))
    }
}

// SAFETY: as for `ReceiveBuffer`, for every slot of the chain.
unsafe impl Transfer for SentFrame {
    fn segments(&self) -> impl Iterator<Item = Segment> {
        let parts = self.0.segments().filter(|part| !part.is_empty());
        parts.map(|part| Segment {
            address: physical(part.as_ptr()),
            // A part is at most one buffer long.
            len: part.len() as u32,
            device_writes: false,
        })
    }
}

/// What will become of the frame that is being put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fate {
    /// All parts so far are there.
    #[default]
    Whole,
    /// The device gave a length that cannot be.
    Bad,
    /// The device's header asks for what does not fit the frame.
    BadOffload,
    /// There was no buffer to take the place of a part.
    NoBuffer,
}

/// The parts of a frame that spans several receive buffers (`VIRTIO_NET_F_MRG_RXBUF`).
#[derive(Debug, Default)]
pub(super) struct Assembly {
    parts: heapless::Vec<PacketBuf, PIECES_MAX>,
    missing: u16,
    pub(super) fate: Fate,
}

/// The header asked for no buffer, or for more than any frame takes.
#[derive(Debug)]
pub(super) struct BadCount;

impl Assembly {
    /// Whether the next buffer begins a frame.
    pub(super) fn is_idle(&self) -> bool {
        self.missing == 0
    }

    /// Begins a frame with what the header in `first` says.
    pub(super) fn begin(&mut self, first: &PacketBuf, is_mergeable: bool) -> Result<(), BadCount> {
        const COUNT: usize = HEADER_OFFSET + NUM_BUFFERS;
        let [.., low, high] = first
            .storage()
            .first_chunk::<{ COUNT + 2 }>()
            .ok_or(BadCount)?;
        // §5.1.6.1: without the feature the field is 1, but older devices leave it unset.
        let count = if is_mergeable {
            u16::from_le_bytes([*low, *high])
        } else {
            1
        };
        if count == 0 || usize::from(count) > PIECES_MAX {
            return Err(BadCount);
        }
        self.missing = count;
        self.fate = Fate::Whole;
        Ok(())
    }

    /// Keeps a part that was received whole.
    pub(super) fn keep(&mut self, part: PacketBuf) -> Result<(), PacketBuf> {
        self.parts.push(part)
    }

    /// Notes that one buffer has been dealt with; true if it was the frame's last.
    pub(super) fn advance(&mut self) -> bool {
        self.missing = self.missing.saturating_sub(1);
        self.missing == 0
    }

    /// Joins the parts kept. From the last to the first, so each joins a single buffer.
    pub(super) fn join(&mut self) -> Option<PacketBuf> {
        let mut frame = self.parts.pop()?;
        while let Some(mut part) = self.parts.pop() {
            part.append(frame);
            frame = part;
        }
        Some(frame)
    }

    /// Forgets the frame and gives its parts to `pool`.
    pub(super) fn abandon(&mut self, pool: &mut PacketPool) {
        while let Some(part) = self.parts.pop() {
            pool.free(part);
        }
        self.missing = 0;
    }
}

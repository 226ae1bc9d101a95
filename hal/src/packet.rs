//! Packet memory: fixed buffers that move and are never copied.
//!
//! A [`PacketBuf`] owns one buffer of a [`PacketPool`]. It is one pointer wide, so queues and
//! batches of them are small, and it is safe Rust: the pool hands out `&'static mut` slots that
//! were claimed once at boot, and a slot comes back when its `PacketBuf` is freed. Handing a buffer
//! to a device moves it; nothing can touch it until the device gives it back.
//!
//! A frame may span several buffers ([`PacketBuf::append`]), so that merged receive buffers and
//! segmentation offload (64 KiB frames) fit without another type. Everything that looks only at
//! headers uses the first buffer.
//!
//! There is no `Drop`: a pool is not global, so buffers go back by [`PacketPool::free`]. A
//! `PacketBuf` that is dropped is lost to the pool; the tests of every crate that moves buffers
//! assert that `pool.available()` returns to what it was.

use alloc::vec::Vec;
use core::fmt;

use heapless::Deque;

/// Bytes of one buffer, headroom included.
pub const BUFFER_LEN: usize = 2048;

/// Bytes kept free before a received frame, for headers that are put in front later and for the
/// device's own header (virtio-net: 12 bytes).
pub const HEADROOM: usize = 64;

/// The longest frame that one buffer takes.
pub const SINGLE_FRAME_MAX: usize = BUFFER_LEN - HEADROOM;

/// Frames moved in one turn between a device and the data plane.
pub const BATCH: usize = 32;

/// A bounded first-in first-out queue of frames.
pub type Queue<const N: usize> = Deque<PacketBuf, N>;

/// Frames of one turn.
pub type Batch = Queue<BATCH>;

/// What a device found out about a received frame, or is asked to do for a sent one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offload {
    /// The transport checksum was verified (receive), so it need not be again.
    pub checksum_verified: bool,
    /// The transport checksum field holds the pseudo-header sum only; the rest is to be added over
    /// `checksum_start..` and stored at `checksum_start + checksum_offset` (virtio 1.2 §5.1.6.2).
    pub checksum_partial: bool,
    /// Offset of the first byte of the partial checksum, from the start of the frame;
    /// [`PacketBuf::grow_front`] and [`PacketBuf::trim_front`] keep it so.
    pub checksum_start: u16,
    /// Where the sum goes, from `checksum_start`.
    pub checksum_offset: u16,
    /// Payload bytes per segment of a frame longer than the MTU; 0 for an ordinary frame.
    pub segment_size: u16,
}

impl Offload {
    /// Whether the frame is complete as it is.
    #[inline]
    #[must_use]
    pub const fn asks_nothing(&self) -> bool {
        !self.checksum_partial && self.segment_size == 0
    }

    /// Follows the front of the frame when `count` bytes (less than a buffer) are put before it.
    const fn move_front(&mut self, count: i32) {
        if self.checksum_partial {
            let start = self.checksum_start as i32 + count;
            // Headroom and frame together fit into the buffer.
            self.checksum_start = if start < 0 { 0 } else { start as u16 };
        }
    }
}

/// One slot of packet memory. Its contents are reached through [`PacketBuf`] only.
#[repr(C, align(64))]
pub struct PacketMemory {
    bytes: [u8; BUFFER_LEN],
    next: Option<PacketBuf>,
    start: u16,
    end: u16,
    offload: Offload,
}

impl PacketMemory {
    const fn new() -> Self {
        Self {
            bytes: [0; BUFFER_LEN],
            next: None,
            start: 0,
            end: 0,
            offload: Offload {
                checksum_verified: false,
                checksum_partial: false,
                checksum_start: 0,
                checksum_offset: 0,
                segment_size: 0,
            },
        }
    }
}

/// An owned buffer holding a frame, or the first part of one.
///
/// The valid bytes are `start..end` of the buffer; the room before `start` takes headers put in
/// front ([`grow_front`](Self::grow_front)).
pub struct PacketBuf {
    slot: &'static mut PacketMemory,
}

impl PacketBuf {
    /// The valid bytes of this buffer (the first one of a frame that spans several).
    #[inline]
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let (start, end) = (usize::from(self.slot.start), usize::from(self.slot.end));
        self.slot.bytes.get(start..end).unwrap_or_default()
    }

    /// The valid bytes of this buffer, to be changed in place.
    #[inline]
    #[must_use]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let (start, end) = (usize::from(self.slot.start), usize::from(self.slot.end));
        self.slot.bytes.get_mut(start..end).unwrap_or_default()
    }

    /// Valid bytes in this buffer.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.slot.end - self.slot.start)
    }

    /// Whether this buffer holds no valid byte.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slot.start == self.slot.end
    }

    /// Valid bytes of the whole frame, further buffers included.
    #[inline]
    #[must_use]
    pub fn frame_len(&self) -> usize {
        self.segments().map(<[u8]>::len).sum()
    }

    /// The parts of the frame in order, this buffer first.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        let mut next = Some(self);
        core::iter::from_fn(move || {
            let this = next?;
            next = this.slot.next.as_ref();
            Some(this.bytes())
        })
    }

    /// Room before the first valid byte.
    #[must_use]
    pub fn headroom(&self) -> usize {
        usize::from(self.slot.start)
    }

    /// Room behind the last valid byte of this buffer.
    #[must_use]
    pub fn tailroom(&self) -> usize {
        BUFFER_LEN - usize::from(self.slot.end)
    }

    /// The whole buffer, valid or not, for a device or a serializer to fill. Follow it with
    /// [`set_range`](Self::set_range).
    #[must_use]
    pub fn storage_mut(&mut self) -> &mut [u8; BUFFER_LEN] {
        &mut self.slot.bytes
    }

    /// The whole buffer, for a driver that needs its address.
    #[must_use]
    pub fn storage(&self) -> &[u8; BUFFER_LEN] {
        &self.slot.bytes
    }

    /// Makes `start..end` of the buffer the valid bytes; both are cut to the buffer.
    pub fn set_range(&mut self, start: usize, end: usize) {
        let end = end.min(BUFFER_LEN);
        let start = start.min(end);
        // Both are at most BUFFER_LEN, which fits.
        self.slot.start = start as u16;
        self.slot.end = end as u16;
    }

    /// Empties the buffer, leaving `headroom` bytes free in front.
    pub fn reset(&mut self, headroom: usize) {
        self.set_range(headroom, headroom);
        self.slot.offload = Offload::default();
    }

    /// Makes `count` bytes before the first valid one valid too; their contents are what was there.
    /// A partial checksum stays where it is.
    ///
    /// Returns false, and changes nothing, if there is less headroom.
    #[inline]
    #[must_use]
    pub fn grow_front(&mut self, count: usize) -> bool {
        match self.headroom().checked_sub(count) {
            Some(start) => {
                self.slot.start = start as u16;
                self.slot.offload.move_front(count as i32);
                true
            }
            None => false,
        }
    }

    /// Drops the first `count` valid bytes of this buffer (all of them if there are fewer). A
    /// partial checksum stays where it is; with the bytes that it covers it must not be dropped.
    #[inline]
    pub fn trim_front(&mut self, count: usize) {
        let count = count.min(self.len());
        self.slot.start += count as u16;
        self.slot.offload.move_front(-(count as i32));
    }

    /// Keeps the first `len` valid bytes of this buffer; nothing happens if there are fewer.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.slot.end = self.slot.start + len as u16;
        }
    }

    /// Copies `data` behind the valid bytes.
    ///
    /// Returns false, and changes nothing, if it does not fit into this buffer.
    #[inline]
    #[must_use]
    pub fn extend(&mut self, data: &[u8]) -> bool {
        let end = usize::from(self.slot.end);
        match self.slot.bytes.get_mut(end..end + data.len()) {
            Some(room) => {
                room.copy_from_slice(data);
                self.slot.end += data.len() as u16;
                true
            }
            None => false,
        }
    }

    /// Puts `next` (and what it spans) at the end of this frame.
    pub fn append(&mut self, next: PacketBuf) {
        let mut last = self;
        while last.slot.next.is_some() {
            // The loop condition has just seen it.
            let Some(following) = last.slot.next.as_mut() else {
                return;
            };
            last = following;
        }
        last.slot.next = Some(next);
    }

    /// Takes the following buffers of the frame away, leaving the first alone.
    #[must_use]
    pub fn take_rest(&mut self) -> Option<PacketBuf> {
        self.slot.next.take()
    }

    /// Whether the frame spans more than this buffer.
    #[inline]
    #[must_use]
    pub fn is_chained(&self) -> bool {
        self.slot.next.is_some()
    }

    /// What the device found, or is asked to do.
    #[inline]
    #[must_use]
    pub fn offload(&self) -> Offload {
        self.slot.offload
    }

    /// Sets what the device found, or is asked to do.
    #[inline]
    pub fn set_offload(&mut self, offload: Offload) {
        self.slot.offload = offload;
    }
}

impl fmt::Debug for PacketBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketBuf")
            .field("len", &self.len())
            .field("frame_len", &self.frame_len())
            .finish_non_exhaustive()
    }
}

/// All packet buffers of the box: a stack, so the buffer freed last (warm in cache) is used next.
pub struct PacketPool {
    free: Vec<PacketBuf>,
    total: usize,
    lowest: usize,
    refused: u64,
}

impl PacketPool {
    /// Claims memory for `count` buffers, once and for good.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let mut slots = Vec::with_capacity(count);
        slots.resize_with(count, PacketMemory::new);
        let free: Vec<_> = slots
            .leak()
            .iter_mut()
            .map(|slot| PacketBuf { slot })
            .collect();
        Self {
            free,
            total: count,
            lowest: count,
            refused: 0,
        }
    }

    /// Takes an empty buffer with [`HEADROOM`] in front, or `None` (counted) if all are in use.
    pub fn take(&mut self) -> Option<PacketBuf> {
        let Some(mut buf) = self.free.pop() else {
            self.refused += 1;
            return None;
        };
        self.lowest = self.lowest.min(self.free.len());
        buf.reset(HEADROOM);
        Some(buf)
    }

    /// Takes a frame back, all buffers that it spans.
    pub fn free(&mut self, mut buf: PacketBuf) {
        while let Some(rest) = buf.take_rest() {
            self.free.push(buf);
            buf = rest;
        }
        self.free.push(buf);
    }

    /// Buffers free now.
    #[must_use]
    pub fn available(&self) -> usize {
        self.free.len()
    }

    /// Buffers in all.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// The fewest buffers that were ever free.
    #[must_use]
    pub fn lowest(&self) -> usize {
        self.lowest
    }

    /// How often a buffer was wanted and none was free.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

impl fmt::Debug for PacketPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PacketPool")
            .field("available", &self.available())
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_keeps_headers_and_payload_apart() {
        let mut pool = PacketPool::new(1);
        let mut buf = pool.take().expect("one buffer");
        assert!(buf.extend(b"payload"));
        assert!(buf.grow_front(4));
        buf.bytes_mut()[..4].copy_from_slice(b"head");
        assert_eq!(buf.bytes(), b"headpayload");
        buf.trim_front(4);
        buf.truncate(3);
        assert_eq!(buf.bytes(), b"pay");
        assert!(!buf.grow_front(HEADROOM + 1));
        assert_eq!(buf.bytes(), b"pay");
    }

    #[test]
    fn a_partial_checksum_stays_where_it_is_when_headers_come_and_go() {
        let mut pool = PacketPool::new(1);
        let mut buf = pool.take().expect("one buffer");
        assert!(buf.extend(&[0; 60]));
        buf.trim_front(4);
        assert_eq!(buf.offload(), Offload::default());
        buf.set_offload(Offload {
            checksum_partial: true,
            checksum_start: 34,
            checksum_offset: 16,
            ..Offload::default()
        });
        buf.trim_front(14);
        assert_eq!(buf.offload().checksum_start, 20);
        assert!(buf.grow_front(18));
        assert_eq!(buf.offload().checksum_start, 38);
        buf.trim_front(50);
        assert_eq!(buf.offload().checksum_start, 0);
    }

    #[test]
    fn an_overlong_extension_changes_nothing() {
        let mut pool = PacketPool::new(1);
        let mut buf = pool.take().expect("one buffer");
        assert!(!buf.extend(&[0; SINGLE_FRAME_MAX + 1]));
        assert!(buf.is_empty());
        assert!(buf.extend(&[7; SINGLE_FRAME_MAX]));
        assert_eq!(buf.tailroom(), 0);
    }

    #[test]
    fn a_frame_over_three_buffers_comes_back_whole() {
        let mut pool = PacketPool::new(3);
        let mut frame = pool.take().expect("first");
        assert!(frame.extend(b"a"));
        for part in [b"b", b"c"] {
            let mut next = pool.take().expect("next");
            assert!(next.extend(part));
            frame.append(next);
        }
        assert_eq!(frame.frame_len(), 3);
        assert!(frame.segments().eq([b"a", b"b", b"c"]));
        assert!(pool.take().is_none());
        assert_eq!((pool.refused(), pool.lowest()), (1, 0));
        pool.free(frame);
        assert_eq!(pool.available(), 3);
    }

    #[test]
    fn a_range_beyond_the_buffer_is_cut() {
        let mut pool = PacketPool::new(1);
        let mut buf = pool.take().expect("one buffer");
        buf.set_range(BUFFER_LEN + 5, BUFFER_LEN + 9);
        assert!(buf.is_empty());
    }
}

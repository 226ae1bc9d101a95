//! Where captured frames lie: records one behind the other in a ring of bytes, claimed once.
//!
//! A record is a header of fixed length and the bytes kept of the frame; it may wrap around the end
//! of the ring. There is no index: a [`Cursor`] walks from record to record, and one that was
//! overtaken (by overwriting or by clearing) goes on with the oldest record there is.

use alloc::vec::Vec;

use hal::time::Instant;

use super::{CaptureError, CapturePoint};
use crate::drop_reason::DropReason;
use crate::policy::PortId;

/// Bytes of a record before those of its frame.
pub(super) const HEADER_LEN: usize = 17;

/// Stands for "no port" in a record.
const NO_PORT: u8 = u8::MAX;

const RECEIVED: u8 = 0;
const SENT: u8 = 1;
const DROPPED: u8 = 2;

/// What is noted of a frame beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapturedFrame {
    /// Its number among all frames that this capture has ever kept, counted from 0.
    pub number: u64,
    /// When it was seen, to the turn of the loop.
    pub at: Instant,
    /// The port it came in or goes out by; `None` for a packet of the box itself that was dropped.
    pub port: Option<PortId>,
    /// Where on its way it was seen.
    pub point: CapturePoint,
    /// Bytes of the whole frame, those that were not kept included.
    pub frame_len: u32,
}

/// A place in a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaptureCursor {
    pub(super) capture: u32,
    pub(super) number: u64,
    offset: usize,
}

/// The ring.
pub(super) struct Ring {
    bytes: Vec<u8>,
    /// Where the oldest record starts.
    head: usize,
    used: usize,
    /// The number of the oldest record, and the one the next gets.
    oldest: u64,
    next: u64,
}

impl Ring {
    /// Claims `len` bytes.
    ///
    /// # Errors
    /// [`CaptureError::NoMemory`].
    pub(super) fn new(len: usize) -> Result<Self, CaptureError> {
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(len)
            .map_err(|_| CaptureError::NoMemory)?;
        bytes.resize(len, 0);
        Ok(Self {
            bytes,
            head: 0,
            used: 0,
            oldest: 0,
            next: 0,
        })
    }

    /// Bytes there are.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes in use, headers of records included.
    pub(super) const fn used(&self) -> usize {
        self.used
    }

    /// Records held.
    pub(super) const fn count(&self) -> u64 {
        self.next - self.oldest
    }

    /// Numbers of the oldest record and of the next one.
    pub(super) const fn range(&self) -> (u64, u64) {
        (self.oldest, self.next)
    }

    /// Forgets every record.
    pub(super) const fn clear(&mut self) {
        self.head = 0;
        self.used = 0;
        self.oldest = self.next;
    }

    /// Whether a frame of which `kept` bytes are to be kept fits without overwriting.
    pub(super) fn has_room(&self, kept: usize) -> bool {
        HEADER_LEN + kept <= self.capacity() - self.used
    }

    /// Gives the oldest records up until a frame of `kept` bytes fits. Returns how many went.
    pub(super) fn make_room(&mut self, kept: usize) -> u64 {
        let before = self.oldest;
        while !self.has_room(kept) && self.oldest < self.next {
            let len = HEADER_LEN + self.kept_at(self.head);
            self.head = self.wrap(self.head + len);
            self.used = self.used.saturating_sub(len);
            self.oldest += 1;
        }
        self.oldest - before
    }

    /// Appends a record that fits: the first `kept` bytes of `parts`.
    pub(super) fn push<'a>(
        &mut self,
        frame: &CapturedFrame,
        kept: u16,
        parts: impl Iterator<Item = &'a [u8]>,
    ) {
        let mut at = self.wrap(self.head + self.used);
        at = self.write(at, &header(frame, kept));
        let mut left = usize::from(kept);
        for part in parts {
            let part = part.get(..left).unwrap_or(part);
            at = self.write(at, part);
            left -= part.len();
            if left == 0 {
                break;
            }
        }
        self.used += HEADER_LEN + usize::from(kept);
        self.next += 1;
    }

    /// A cursor at the oldest record.
    pub(super) const fn first(&self, capture: u32) -> CaptureCursor {
        CaptureCursor {
            capture,
            number: self.oldest,
            offset: self.head,
        }
    }

    /// Copies the record at `cursor` into `bytes` and moves on; `None` behind the newest.
    pub(super) fn read(
        &self,
        cursor: &mut CaptureCursor,
        bytes: &mut Vec<u8>,
    ) -> Option<CapturedFrame> {
        if cursor.number < self.oldest {
            *cursor = self.first(cursor.capture);
        }
        if cursor.number >= self.next {
            return None;
        }
        let mut fixed = [0; HEADER_LEN];
        self.copy_out(cursor.offset, &mut fixed);
        let (frame, kept) = parse_header(&fixed, cursor.number)?;
        bytes.clear();
        bytes.resize(usize::from(kept), 0);
        self.copy_out(self.wrap(cursor.offset + HEADER_LEN), bytes);
        cursor.number += 1;
        cursor.offset = self.wrap(cursor.offset + HEADER_LEN + usize::from(kept));
        Some(frame)
    }

    fn wrap(&self, offset: usize) -> usize {
        // Never further than once around: a record fits the ring.
        if offset >= self.bytes.len() {
            offset - self.bytes.len()
        } else {
            offset
        }
    }

    /// Writes at `at`, around the end if need be; returns the place behind.
    fn write(&mut self, at: usize, data: &[u8]) -> usize {
        let first = data.len().min(self.bytes.len() - at);
        let (end, start) = data.split_at(first);
        if let Some(room) = self.bytes.get_mut(at..at + first) {
            room.copy_from_slice(end);
        }
        if let Some(room) = self.bytes.get_mut(..start.len()) {
            room.copy_from_slice(start);
        }
        self.wrap(at + data.len())
    }

    fn copy_out(&self, at: usize, into: &mut [u8]) {
        let first = into.len().min(self.bytes.len() - at);
        let (end, start) = into.split_at_mut(first);
        if let Some(data) = self.bytes.get(at..at + first) {
            end.copy_from_slice(data);
        }
        if let Some(data) = self.bytes.get(..start.len()) {
            start.copy_from_slice(data);
        }
    }

    fn kept_at(&self, offset: usize) -> usize {
        let mut kept = [0; 2];
        self.copy_out(self.wrap(offset + HEADER_LEN - 2), &mut kept);
        usize::from(u16::from_le_bytes(kept))
    }
}

fn header(frame: &CapturedFrame, kept: u16) -> [u8; HEADER_LEN] {
    let (point, reason) = match frame.point {
        CapturePoint::Received => (RECEIVED, 0),
        CapturePoint::Sent => (SENT, 0),
        CapturePoint::Dropped(reason) => (DROPPED, reason as u8),
    };
    let [a, b, c, d, e, f, g, h] = frame.at.as_micros().to_le_bytes();
    let [i, j, k, l] = frame.frame_len.to_le_bytes();
    let [m, n] = kept.to_le_bytes();
    let port = frame.port.map_or(NO_PORT, |port| port.0);
    [
        a, b, c, d, e, f, g, h, i, j, k, l, port, point, reason, m, n,
    ]
}

fn parse_header(fixed: &[u8; HEADER_LEN], number: u64) -> Option<(CapturedFrame, u16)> {
    let [
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        j,
        k,
        l,
        port,
        point,
        reason,
        m,
        n,
    ] = *fixed;
    let frame = CapturedFrame {
        number,
        at: Instant::from_micros(u64::from_le_bytes([a, b, c, d, e, f, g, h])),
        port: (port != NO_PORT).then_some(PortId(port)),
        point: match point {
            RECEIVED => CapturePoint::Received,
            SENT => CapturePoint::Sent,
            _ => CapturePoint::Dropped(*DropReason::ALL.get(usize::from(reason))?),
        },
        frame_len: u32::from_le_bytes([i, j, k, l]),
    };
    Some((frame, u16::from_le_bytes([m, n])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::VecDeque;

    fn frame(at: u64) -> CapturedFrame {
        CapturedFrame {
            number: 0,
            at: Instant::from_micros(at),
            port: Some(PortId(at as u8)).filter(|port| port.0 % 3 > 0),
            point: match at % 4 {
                0 => CapturePoint::Sent,
                1 => CapturePoint::Dropped(DropReason::TcpNotSyn),
                _ => CapturePoint::Received,
            },
            frame_len: 70_000 + at as u32,
        }
    }

    /// Every length of ring and frame near the wrap, against a queue of whole frames.
    #[test]
    fn a_ring_holds_what_a_queue_of_whole_frames_would() {
        for capacity in 60..140 {
            let mut ring = Ring::new(capacity).expect("memory");
            let mut model: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
            for step in 0..60u64 {
                let len = (step * 7 % 40) as usize;
                let data: Vec<u8> = (0..len).map(|byte| byte as u8 ^ step as u8).collect();
                let held = |model: &VecDeque<(u64, Vec<u8>)>| -> usize {
                    model.iter().map(|(_, data)| HEADER_LEN + data.len()).sum()
                };
                let mut gone = 0;
                while held(&model) + HEADER_LEN + len > capacity {
                    model.pop_front();
                    gone += 1;
                }
                assert_eq!(ring.make_room(len), gone, "no more than needed goes");
                assert_eq!(ring.used(), held(&model));
                // In two parts, and with more behind than is to be kept.
                let (front, back) = data.split_at(len / 2);
                ring.push(
                    &frame(step),
                    len as u16,
                    [front, back, &[0xff; 9]].into_iter(),
                );
                model.push_back((step, data));

                let mut cursor = ring.first(1);
                let mut bytes = Vec::new();
                for (number, data) in &model {
                    let read = ring.read(&mut cursor, &mut bytes).expect("a record");
                    assert_eq!(
                        read,
                        CapturedFrame {
                            number: *number,
                            ..frame(*number)
                        }
                    );
                    assert_eq!(&bytes, data);
                }
                assert_eq!(ring.read(&mut cursor, &mut bytes), None);
            }
        }
    }

    #[test]
    fn an_overtaken_cursor_goes_on_with_the_oldest_record() {
        let mut ring = Ring::new(3 * (HEADER_LEN + 4)).expect("memory");
        let push = |ring: &mut Ring, at: u64| {
            let gone = ring.make_room(4);
            ring.push(&frame(at), 4, core::iter::once(&[at as u8; 4][..]));
            gone
        };
        for at in 0..3 {
            assert_eq!(push(&mut ring, at), 0);
        }
        let (mut cursor, mut bytes) = (ring.first(0), Vec::new());
        assert_eq!(ring.read(&mut cursor, &mut bytes).expect("0").number, 0);
        assert_eq!(push(&mut ring, 3) + push(&mut ring, 4), 2);
        assert_eq!(ring.read(&mut cursor, &mut bytes).expect("2").number, 2);
        assert_eq!(bytes, [2; 4]);
        ring.clear();
        assert_eq!(ring.read(&mut cursor, &mut bytes), None);
        assert_eq!((ring.used(), ring.count()), (0, 0));
        push(&mut ring, 5);
        assert_eq!(ring.read(&mut cursor, &mut bytes).expect("5").number, 5);
    }

    #[test]
    fn memory_that_is_not_there_is_refused() {
        assert_eq!(
            Ring::new(usize::MAX / 2).err(),
            Some(CaptureError::NoMemory)
        );
    }
}

//! The split virtqueue: moves memory to a device and back, knows no registers.
//!
//! A [`Virtqueue`] owns what it was given ([`push`](Virtqueue::push)) until the device has used it
//! ([`take_used`](Virtqueue::take_used)) or has been reset ([`reclaim`](Virtqueue::reclaim), which
//! wants the proof that only a completed reset yields). Everything the device could overwrite and
//! we would have to read back, the links of chains and their lengths, is kept in private memory.
//! What the device writes is not trusted: a completion that names nothing in flight, or an index
//! that runs ahead of what was handed over, is an error, and stays one until the device is reset.
//!
//! Indices are free-running 16-bit counters (§2.7.6); their differences are taken by wrapping
//! subtraction, in `distance` and `passes_event` alone.
//!
//! Neighbours: `../dma.rs` gives the memory, `net`, `blk` and `rng` the transfers, `transport.rs` tells
//! the device where the rings are. Source: virtio 1.2 §2.7.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{Ordering, fence};

use super::transport::Reset;
use crate::dma::DmaMemory;

/// The largest queue we make; the device may want it smaller.
pub const QUEUE_SIZE_MAX: u16 = 256;

// Layout of the descriptor table, §2.7.5: address 64 bits, length 32, flags 16, next 16.
const DESCRIPTOR_LEN: usize = 16;
const DESCRIPTOR_NEXT: u16 = 1;
const DESCRIPTOR_WRITE: u16 = 2;
// Layout of the available ring, §2.7.6, and of the used ring, §2.7.8.
const FLAGS: usize = 0;
const INDEX: usize = 2;
const ENTRIES: usize = 4;
const AVAILABLE_ENTRY_LEN: usize = 2;
const USED_ENTRY_LEN: usize = 8;
const AVAILABLE_NO_INTERRUPT: u16 = 1;
const USED_NO_NOTIFY: u16 = 1;
/// The used ring starts on its own cache line: the device writes it, the driver the rest.
const CACHE_LINE: usize = 64;

/// One piece of memory that a device reads or writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Physical address.
    pub address: u64,
    /// Bytes.
    pub len: u32,
    /// Whether the device writes it (else it reads it). All that it reads come first.
    pub device_writes: bool,
}

/// Something a queue hands to a device: it names the memory and owns it.
///
/// # Safety
/// Every segment must be memory that the value owns alone, or that the owner of the value promises
/// to leave alone while a queue holds the value; moving the value must not move the memory; and the
/// memory must never be freed, so that even a lost value leaves the device nothing to damage.
pub unsafe trait Transfer {
    /// The memory, in the order the device sees it. The same at every call; never empty.
    fn segments(&self) -> impl Iterator<Item = Segment>;
}

/// A transfer that the device has finished with.
#[derive(Debug)]
pub struct Completed<T> {
    /// What was pushed.
    pub transfer: T,
    /// Bytes the device says it wrote, cut to what it was allowed to write.
    pub len: u32,
    /// Whether the device claimed more than that.
    pub is_overlong: bool,
}

/// How the device broke the protocol; only a reset helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingError {
    /// The device named a buffer that it does not hold: never given, or already returned.
    BadId(u32),
    /// The used index went further than the number of buffers in flight.
    IndexJump {
        /// Completions claimed.
        claimed: u16,
        /// Buffers that were out.
        in_flight: u16,
    },
}

/// How the two sides tell each other when not to interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suppression {
    /// One flag each way, §2.7.7 and §2.7.10 without `VIRTIO_F_EVENT_IDX`.
    Flags,
    /// An index each way, with `VIRTIO_F_EVENT_IDX`.
    EventIndex,
}

/// Physical addresses of the three parts of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueAddresses {
    /// The descriptor table.
    pub descriptors: u64,
    /// The available ring ("driver area").
    pub available: u64,
    /// The used ring ("device area").
    pub used: u64,
}

/// What we know of the chain that starts at a descriptor.
#[derive(Debug)]
struct Chain<T> {
    /// Present while the device holds the chain.
    transfer: Option<T>,
    last: u16,
    descriptors: u16,
    writable: u32,
}

/// A split virtqueue whose buffers are of type `T`.
#[derive(Debug)]
pub struct Virtqueue<T> {
    memory: DmaMemory,
    size: u16,
    available: usize,
    used: usize,
    suppression: Suppression,
    /// Links of free descriptors and, while in flight, of each chain.
    next: Box<[u16]>,
    chains: Box<[Chain<T>]>,
    free_head: u16,
    free: u16,
    in_flight: u16,
    /// Where the next available entry goes, and how far the device has been told.
    available_index: u16,
    published_index: u16,
    /// The next used entry to read, and how far the device was seen to be.
    seen_index: u16,
    known_index: u16,
}

impl<T: Transfer> Virtqueue<T> {
    /// Makes an empty queue of `size` descriptors, interrupts off, or `None` if `size` is not a
    /// power of two up to [`QUEUE_SIZE_MAX`] or there is no memory.
    #[must_use]
    pub fn new(size: u16) -> Option<Self> {
        if !size.is_power_of_two() || size > QUEUE_SIZE_MAX {
            return None;
        }
        let entries = usize::from(size);
        let available = DESCRIPTOR_LEN * entries;
        // Each ring ends with its event index, §2.7.6 and §2.7.8.
        let available_end = available + ENTRIES + AVAILABLE_ENTRY_LEN * entries + 2;
        let used = available_end.next_multiple_of(CACHE_LINE);
        let used_end = used + ENTRIES + USED_ENTRY_LEN * entries + 2;
        let mut chains = Vec::with_capacity(entries);
        chains.resize_with(entries, || Chain {
            transfer: None,
            last: 0,
            descriptors: 0,
            writable: 0,
        });
        let mut queue = Self {
            memory: DmaMemory::claim(used_end)?,
            size,
            available,
            used,
            suppression: Suppression::Flags,
            next: alloc::vec![0; entries].into_boxed_slice(),
            chains: chains.into_boxed_slice(),
            free_head: 0,
            free: 0,
            in_flight: 0,
            available_index: 0,
            published_index: 0,
            seen_index: 0,
            known_index: 0,
        };
        queue.start_over();
        Some(queue)
    }

    /// Where the device finds the rings.
    #[must_use]
    pub fn addresses(&self) -> QueueAddresses {
        let base = self.memory.address();
        QueueAddresses {
            descriptors: base,
            available: base + self.available as u64,
            used: base + self.used as u64,
        }
    }

    /// Descriptors in all.
    #[must_use]
    pub fn size(&self) -> u16 {
        self.size
    }

    /// Descriptors free now.
    #[must_use]
    pub fn free(&self) -> u16 {
        self.free
    }

    /// Transfers the device holds.
    #[must_use]
    pub fn in_flight(&self) -> u16 {
        self.in_flight
    }

    /// Puts `transfer` behind the others; the device sees it after [`publish`](Self::publish).
    ///
    /// # Errors
    /// Gives `transfer` back if there are too few free descriptors.
    pub fn push(&mut self, transfer: T) -> Result<(), T> {
        let count = transfer.segments().count();
        if count == 0 || count > usize::from(self.free) {
            return Err(transfer);
        }
        let head = self.free_head;
        let (mut last, mut following, mut writable) = (head, head, 0_u32);
        for (position, segment) in transfer.segments().take(count).enumerate() {
            last = following;
            following = self.link(last);
            let mut flags = 0;
            if position + 1 < count {
                flags |= DESCRIPTOR_NEXT;
            }
            if segment.device_writes {
                flags |= DESCRIPTOR_WRITE;
                writable = writable.saturating_add(segment.len);
            }
            let offset = DESCRIPTOR_LEN * usize::from(last);
            self.memory.write(offset, segment.address.to_le());
            let rest = u64::from(segment.len) | u64::from(flags) << 32 | u64::from(following) << 48;
            self.memory.write(offset + 8, rest.to_le());
        }
        // `count` is at most `free`, a u16.
        let descriptors = count as u16;
        if let Some(chain) = self.chains.get_mut(usize::from(head)) {
            *chain = Chain {
                transfer: Some(transfer),
                last,
                descriptors,
                writable,
            };
        }
        self.free_head = following;
        self.free -= descriptors;
        self.in_flight += 1;
        let entry = usize::from(self.available_index & (self.size - 1));
        let offset = self.available + ENTRIES + AVAILABLE_ENTRY_LEN * entry;
        self.memory.write(offset, head.to_le());
        self.available_index = self.available_index.wrapping_add(1);
        Ok(())
    }

    /// Shows the device everything pushed so far, and returns whether it wants the doorbell.
    #[must_use]
    pub fn publish(&mut self) -> bool {
        let (old, new) = (self.published_index, self.available_index);
        if old == new {
            return false;
        }
        // Release: the descriptors, the entries and the buffers themselves are written before the
        // index that hands them over (§2.7.13.3).
        self.memory
            .atomic_u16(self.available + INDEX)
            .store(new.to_le(), Ordering::Release);
        self.published_index = new;
        // Our index must be visible before the device's wish is read, else both sides could wait for
        // each other (§2.7.13.4). Only a full fence orders a store before a later load.
        fence(Ordering::SeqCst);
        match self.suppression {
            Suppression::Flags => self.load(self.used + FLAGS) & USED_NO_NOTIFY == 0,
            Suppression::EventIndex => passes_event(self.load(self.event_offset_used()), new, old),
        }
    }

    /// Takes the next transfer that the device has finished with, if there is one.
    ///
    /// # Errors
    /// [`RingError`] if the device named what it does not hold; the queue is then of no use until
    /// the device is reset, and answers the same again.
    pub fn take_used(&mut self) -> Result<Option<Completed<T>>, RingError> {
        if self.seen_index == self.known_index {
            // Acquire: entries and buffers are read after the index that hands them over.
            let index = self.used_index();
            let claimed = distance(self.seen_index, index);
            if claimed == 0 {
                return Ok(None);
            }
            if claimed > self.in_flight {
                return Err(RingError::IndexJump {
                    claimed,
                    in_flight: self.in_flight,
                });
            }
            self.known_index = index;
        }
        let entry = usize::from(self.seen_index & (self.size - 1));
        let offset = self.used + ENTRIES + USED_ENTRY_LEN * entry;
        let id = u32::from_le(self.memory.read(offset));
        let len = u32::from_le(self.memory.read(offset + 4));
        let (head, chain) = u16::try_from(id)
            .ok()
            .and_then(|head| Some((head, self.chains.get_mut(usize::from(head))?)))
            .ok_or(RingError::BadId(id))?;
        let transfer = chain.transfer.take().ok_or(RingError::BadId(id))?;
        let (last, descriptors, writable) = (chain.last, chain.descriptors, chain.writable);
        if let Some(link) = self.next.get_mut(usize::from(last)) {
            *link = self.free_head;
        }
        self.free_head = head;
        self.free += descriptors;
        self.in_flight -= 1;
        self.seen_index = self.seen_index.wrapping_add(1);
        Ok(Some(Completed {
            transfer,
            len: len.min(writable),
            is_overlong: len > writable,
        }))
    }

    /// Asks for an interrupt at the next completion. Returns false if one is there already, for
    /// which no interrupt will come.
    #[must_use]
    pub fn arm_interrupt(&mut self) -> bool {
        match self.suppression {
            Suppression::Flags => self.store(self.available + FLAGS, 0),
            Suppression::EventIndex => {
                self.store(self.event_offset_available(), self.seen_index);
            }
        }
        // The wish must be visible before we look whether it came too late.
        fence(Ordering::SeqCst);
        self.used_index() == self.seen_index
    }

    /// Asks for no interrupts. One may still come, rarely, with [`Suppression::EventIndex`]: after
    /// 65,535 completions the index meets the event again.
    pub fn disarm_interrupt(&mut self) {
        match self.suppression {
            Suppression::Flags => self.store(self.available + FLAGS, AVAILABLE_NO_INTERRUPT),
            // An event that has just passed is as far away as can be.
            Suppression::EventIndex => {
                let passed = self.seen_index.wrapping_sub(1);
                self.store(self.event_offset_available(), passed);
            }
        }
    }

    /// Takes everything back from a device that has been reset, and starts the queue over empty,
    /// with interrupts off.
    pub fn reclaim(&mut self, _: &Reset, mut give: impl FnMut(T)) {
        for chain in &mut self.chains {
            if let Some(transfer) = chain.transfer.take() {
                give(transfer);
            }
        }
        self.start_over();
    }

    /// Settles how interrupts and doorbells are suppressed, before the device sees the queue.
    pub fn set_suppression(&mut self, suppression: Suppression) {
        self.suppression = suppression;
        self.disarm_interrupt();
    }

    fn start_over(&mut self) {
        self.memory.clear();
        for (position, link) in self.next.iter_mut().enumerate() {
            // The last link leads nowhere and is never followed: `free` counts what is left.
            *link = (position as u16).wrapping_add(1);
        }
        self.free_head = 0;
        self.free = self.size;
        self.in_flight = 0;
        self.available_index = 0;
        self.published_index = 0;
        self.seen_index = 0;
        self.known_index = 0;
        self.set_suppression(Suppression::Flags);
    }

    /// The descriptor behind `descriptor`, in its chain or in the list of free ones.
    fn link(&self, descriptor: u16) -> u16 {
        self.next
            .get(usize::from(descriptor))
            .copied()
            .unwrap_or(descriptor)
    }

    fn used_index(&self) -> u16 {
        let index = self.memory.atomic_u16(self.used + INDEX);
        u16::from_le(index.load(Ordering::Acquire))
    }

    fn load(&self, offset: usize) -> u16 {
        u16::from_le(self.memory.atomic_u16(offset).load(Ordering::Relaxed))
    }

    fn store(&self, offset: usize, value: u16) {
        let field = self.memory.atomic_u16(offset);
        field.store(value.to_le(), Ordering::Relaxed);
    }

    /// `used_event`: what the driver wants, behind the available ring.
    fn event_offset_available(&self) -> usize {
        self.available + ENTRIES + AVAILABLE_ENTRY_LEN * usize::from(self.size)
    }

    /// `avail_event`: what the device wants, behind the used ring.
    fn event_offset_used(&self) -> usize {
        self.used + ENTRIES + USED_ENTRY_LEN * usize::from(self.size)
    }
}

/// Steps from `from` to `to` on the 16-bit circle.
fn distance(from: u16, to: u16) -> u16 {
    to.wrapping_sub(from)
}

/// Whether an index that moved from `old` to `new` went past `event` (§2.7.7.2).
fn passes_event(event: u16, new: u16, old: u16) -> bool {
    distance(event, new).wrapping_sub(1) < distance(old, new)
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;

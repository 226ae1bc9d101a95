//! Memory shared with a device: rings, request headers, bounce buffers.
//!
//! [`DmaMemory`] is claimed once and never freed, so that no order of drops can give the allocator
//! memory that a device still writes to. Physical addresses are virtual addresses: `boot` maps all
//! RAM at its own address and runs no IOMMU; `physical` is the one place that says so.
//!
//! Ordering is not this module's business: an access here is volatile, so it happens exactly once
//! and in program order with other accesses here, and nothing more is promised. the rings of the
//! drivers add the fences that theirs want (virtio 1.2 §2.7.13, NVMe queues).

use alloc::alloc::{Layout, alloc_zeroed};
use core::ptr::NonNull;
use core::sync::atomic::AtomicU16;

/// Rings are page-aligned, which satisfies every alignment of virtio 1.2 §2.7 and is what NVMe wants.
const ALIGNMENT: usize = 4096;

/// The address a device uses for memory at `pointer`.
pub(crate) fn physical(pointer: *const u8) -> u64 {
    pointer as usize as u64
}

/// A piece of zeroed, page-aligned memory that lives as long as the box runs.
#[derive(Debug)]
pub struct DmaMemory {
    base: NonNull<u8>,
    len: usize,
}

impl DmaMemory {
    /// Claims `len` bytes for good, or returns `None` if the heap cannot give them.
    #[must_use]
    pub fn claim(len: usize) -> Option<Self> {
        if len == 0 {
            return None;
        }
        let layout = Layout::from_size_align(len, ALIGNMENT).ok()?;
        // SAFETY: the layout has a size above zero, checked above.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { base, len })
    }

    /// Where a device finds the memory.
    #[must_use]
    pub fn address(&self) -> u64 {
        physical(self.base.as_ptr())
    }

    /// Bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never true: [`claim`](Self::claim) gives no empty memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value at byte `offset`.
    pub(crate) fn read<T: Plain>(&self, offset: usize) -> T {
        // SAFETY: `pointer` checked bounds and alignment; the memory is initialised (zeroed when
        // claimed) and every bit pattern is a `T` (contract of `Plain`). Volatile, because a device
        // may write at any time.
        unsafe { self.pointer::<T>(offset).read_volatile() }
    }

    /// Stores `value` at byte `offset`.
    pub(crate) fn write<T: Plain>(&mut self, offset: usize, value: T) {
        // SAFETY: as in `read`; `&mut self` keeps other writers of ours away.
        unsafe { self.pointer::<T>(offset).write_volatile(value) }
    }

    /// The 16-bit field at byte `offset`, for accesses that order others.
    pub(crate) fn atomic_u16(&self, offset: usize) -> &AtomicU16 {
        // SAFETY: in bounds and aligned (checked in `pointer`), valid for the life of the box, and
        // this crate reaches the field through atomics or volatile accesses only.
        unsafe { AtomicU16::from_ptr(self.pointer::<u16>(offset)) }
    }

    /// Copies `data` to byte `offset`; the device must not be using that part.
    pub(crate) fn copy_in(&mut self, offset: usize, data: &[u8]) {
        self.check(offset, data.len());
        // SAFETY: the range is ours (checked above) and apart from `data`, which is a live slice of
        // other memory because nothing hands out slices of this one.
        unsafe {
            let to = self.base.as_ptr().add(offset);
            core::ptr::copy_nonoverlapping(data.as_ptr(), to, data.len());
        }
    }

    /// Copies from byte `offset` into `data`; the device must not be using that part.
    pub(crate) fn copy_out(&self, offset: usize, data: &mut [u8]) {
        self.check(offset, data.len());
        // SAFETY: as in `copy_in`, the other way round.
        unsafe {
            let from = self.base.as_ptr().add(offset);
            core::ptr::copy_nonoverlapping(from, data.as_mut_ptr(), data.len());
        }
    }

    /// Zeroes everything; the device must not be using it.
    pub(crate) fn clear(&mut self) {
        // SAFETY: the whole range is ours.
        unsafe { self.base.as_ptr().write_bytes(0, self.len) }
    }

    fn pointer<T>(&self, offset: usize) -> *mut T {
        self.check(offset, size_of::<T>());
        assert!(
            offset.is_multiple_of(align_of::<T>()),
            "a shared field is aligned"
        );
        // SAFETY: inside the allocation, checked above.
        unsafe { self.base.as_ptr().add(offset).cast() }
    }

    /// Offsets are computed from our own indices, never from a device's, so a miss is our bug.
    fn check(&self, offset: usize, len: usize) {
        assert!(
            len <= self.len && offset <= self.len - len,
            "an access stays inside the shared memory"
        );
    }
}

/// Integers that memory shared with a device holds.
///
/// # Safety
/// Every bit pattern must be a value, without padding.
pub(crate) unsafe trait Plain: Copy {}

// SAFETY: plain integers.
unsafe impl Plain for u8 {}
// SAFETY: plain integers.
unsafe impl Plain for u16 {}
// SAFETY: plain integers.
unsafe impl Plain for u32 {}
// SAFETY: plain integers.
unsafe impl Plain for u64 {}

//! The heap: all free memory, in constant time (TLSF).
//!
//! Interrupt handlers allocate nothing, but the lock turns interrupts off all the same, so that a
//! handler that does one day is slow and not broken.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::RefCell;
use core::ops::Range;
use core::ptr::{self, NonNull};

use critical_section::Mutex;
use firmware::HeapUse;
use rlsf::Tlsf;

/// First-level classes: blocks up to 32 bytes shifted by this, 32 GiB.
const CLASSES: usize = 30;
/// Second-level classes: at most 1/32 of a block is lost to rounding.
const SUBCLASSES: usize = 32;

#[global_allocator]
static HEAP: Heap = Heap(Mutex::new(RefCell::new(State {
    blocks: Tlsf::new(),
    total: 0,
    used: 0,
})));

struct Heap(Mutex<RefCell<State>>);

struct State {
    blocks: Tlsf<'static, u32, u32, CLASSES, SUBCLASSES>,
    total: usize,
    used: usize,
}

/// Gives `range` to the heap. Returns the bytes it is worth.
///
/// # Safety
/// The range is mapped memory that nothing else uses, now or later.
pub(crate) unsafe fn add(range: &Range<u64>) -> usize {
    let len = (range.end - range.start) as usize;
    let Some(start) = NonNull::new(range.start as *mut u8) else {
        return 0;
    };
    critical_section::with(|section| {
        let mut state = HEAP.0.borrow_ref_mut(section);
        let block = NonNull::slice_from_raw_parts(start, len);
        // SAFETY: by the caller the memory is the heap's for good.
        let taken = unsafe { state.blocks.insert_free_block_ptr(block) };
        let taken = taken.map_or(0, core::num::NonZero::get);
        state.total += taken;
        taken
    })
}

/// Reads the use of the heap.
pub(crate) fn usage() -> HeapUse {
    critical_section::with(|section| {
        let state = HEAP.0.borrow_ref(section);
        HeapUse {
            used: state.used,
            total: state.total,
        }
    })
}

/// Bytes that a block for `layout` takes: TLSF's header of 16 bytes, alignment beyond that, all in
/// units of 32. What splitting leaves unusable is not counted.
const fn size_of_block(layout: Layout) -> usize {
    let padding = layout.align().saturating_sub(16);
    (layout.size() + 16 + padding).next_multiple_of(32)
}

// SAFETY: TLSF gives out disjoint blocks of memory that `add` was promised to own; the critical
// section makes each call whole.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        critical_section::with(|section| {
            let mut state = self.0.borrow_ref_mut(section);
            let Some(block) = state.blocks.allocate(layout) else {
                return ptr::null_mut();
            };
            state.used += size_of_block(layout);
            block.as_ptr()
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(block) = NonNull::new(block) else {
            return;
        };
        critical_section::with(|section| {
            let mut state = self.0.borrow_ref_mut(section);
            state.used -= size_of_block(layout);
            // SAFETY: by the trait's contract the block came from `alloc` with the same layout.
            unsafe { state.blocks.deallocate(block, layout.align()) };
        });
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let wanted = Layout::from_size_align(new_size, layout.align());
        let (Some(block), Ok(wanted)) = (NonNull::new(block), wanted) else {
            return ptr::null_mut();
        };
        critical_section::with(|section| {
            let mut state = self.0.borrow_ref_mut(section);
            // SAFETY: by the trait's contract the block came from `alloc` with the same alignment.
            let Some(block) = (unsafe { state.blocks.reallocate(block, wanted) }) else {
                return ptr::null_mut();
            };
            state.used = state.used - size_of_block(layout) + size_of_block(wanted);
            block.as_ptr()
        })
    }
}

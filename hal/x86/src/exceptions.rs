//! Processor exceptions, all of them fatal (Intel SDM volume 3, chapter 6).
//!
//! Each vector saves the registers and calls the one function given to [`install`], which reports
//! and resets. Nothing is recovered from: code that faults is wrong, and a reset is quick.

use core::arch::naked_asm;
use core::sync::atomic::{AtomicPtr, Ordering};

use crate::descriptors::{self, Ist};

/// The registers at an exception, in the order the entry code leaves them on the stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
#[expect(missing_docs, reason = "the registers' own names")]
pub struct Frame {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rbp: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rdx: u64,
    pub rcx: u64,
    pub rbx: u64,
    pub rax: u64,
    /// Which exception.
    pub vector: u64,
    /// What the processor adds to some exceptions; 0 for the others.
    pub error_code: u64,
    pub rip: u64,
    pub cs: u64,
    pub rflags: u64,
    pub rsp: u64,
    pub ss: u64,
}

/// What runs on an exception: reports it and never returns.
pub type Handler = fn(&Frame) -> !;

static HANDLER: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Loads descriptor tables and makes every exception call `handler`.
///
/// # Safety
/// Called once at boot on the boot processor, with interrupts off.
pub unsafe fn install(handler: Handler) {
    HANDLER.store(handler as *mut (), Ordering::Release);
    // SAFETY: passed on to the caller.
    unsafe { descriptors::load() };
    for (vector, entry) in (0..).zip(ENTRIES) {
        let ist = match vector {
            // NMI, double fault, machine check: they can strike inside another handler.
            2 | 8 | 18 => Ist::Emergency,
            _ => Ist::Exception,
        };
        // SAFETY: each entry fits its vector (see `entries!`) and never returns.
        unsafe { descriptors::set_gate(vector, entry as *const () as u64, ist) };
    }
}

/// The architecture's name of an exception.
#[must_use]
pub fn name(vector: u64) -> &'static str {
    // SDM table 6-1.
    const NAMES: [&str; 22] = [
        "divide error",
        "debug exception",
        "non-maskable interrupt",
        "breakpoint",
        "overflow",
        "bound range exceeded",
        "invalid opcode",
        "device not available",
        "double fault",
        "coprocessor segment overrun",
        "invalid TSS",
        "segment not present",
        "stack-segment fault",
        "general protection fault",
        "page fault",
        "reserved exception",
        "x87 floating-point error",
        "alignment check",
        "machine check",
        "SIMD floating-point exception",
        "virtualization exception",
        "control protection exception",
    ];
    usize::try_from(vector)
        .ok()
        .and_then(|vector| NAMES.get(vector))
        .copied()
        .unwrap_or("reserved exception")
}

/// One entry per vector: the ones marked `code` find an error code on the stack, the others push 0.
macro_rules! entries {
    ($($vector:literal $name:ident $kind:ident,)*) => {
        $(
            #[unsafe(naked)]
            extern "C" fn $name() {
                naked_asm!(
                    entries!(@push $kind),
                    concat!("push ", $vector),
                    "jmp {common}",
                    common = sym common,
                )
            }
        )*
        static ENTRIES: [extern "C" fn(); 32] = [$($name),*];
    };
    (@push plain) => { "push 0" };
    (@push code) => { "" };
}

// Which vectors have an error code: SDM table 6-1.
entries! {
    0 vector_0 plain, 1 vector_1 plain, 2 vector_2 plain, 3 vector_3 plain,
    4 vector_4 plain, 5 vector_5 plain, 6 vector_6 plain, 7 vector_7 plain,
    8 vector_8 code, 9 vector_9 plain, 10 vector_10 code, 11 vector_11 code,
    12 vector_12 code, 13 vector_13 code, 14 vector_14 code, 15 vector_15 plain,
    16 vector_16 plain, 17 vector_17 code, 18 vector_18 plain, 19 vector_19 plain,
    20 vector_20 plain, 21 vector_21 code, 22 vector_22 plain, 23 vector_23 plain,
    24 vector_24 plain, 25 vector_25 plain, 26 vector_26 plain, 27 vector_27 plain,
    28 vector_28 plain, 29 vector_29 code, 30 vector_30 code, 31 vector_31 plain,
}

/// Completes the [`Frame`] on the stack and goes to Rust. SIMD state need not be saved: nothing
/// goes back.
#[unsafe(naked)]
extern "C" fn common() {
    naked_asm!(
        "push rax", "push rbx", "push rcx", "push rdx", "push rsi", "push rdi", "push rbp",
        "push r8", "push r9", "push r10", "push r11", "push r12", "push r13", "push r14",
        "push r15",
        "cld",
        "mov rdi, rsp",
        "and rsp, -16",
        "call {entry}",
        "ud2",
        entry = sym entry,
    )
}

extern "C" fn entry(frame: &Frame) -> ! {
    let handler = HANDLER.load(Ordering::Acquire);
    if handler.is_null() {
        crate::cpu::halt();
    }
    // SAFETY: `install` is the only writer and stores a `Handler`.
    let handler: Handler = unsafe { core::mem::transmute::<*mut (), Handler>(handler) };
    handler(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_have_their_names() {
        assert_eq!(name(0), "divide error");
        assert_eq!(name(14), "page fault");
        assert_eq!(name(21), "control protection exception");
        assert_eq!(name(u64::MAX), "reserved exception");
    }

    #[test]
    fn the_frame_matches_what_the_entry_code_pushes() {
        assert_eq!(size_of::<Frame>(), 22 * 8);
        assert_eq!(core::mem::offset_of!(Frame, vector), 15 * 8);
        assert_eq!(core::mem::offset_of!(Frame, rip), 17 * 8);
    }
}

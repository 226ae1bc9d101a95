//! Interrupt vectors, and sleeping until one comes.
//!
//! Device interrupts do no work: they set a flag that ends [`sleep_until`], and the event loop
//! finds out what there is to do. Only the serial lines move bytes in theirs, because their FIFOs
//! hold no more than a millisecond. Vectors: 0x20.. fixed ones below, 0x40..=0xef wake vectors for
//! message-signalled interrupts, 0xff the APIC's spurious one.

use core::arch::{asm, naked_asm};
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use hal::time::Instant;

use crate::acpi::Madt;
use crate::descriptors::{self, Ist};
use crate::{apic, cpu, tsc, uart};

/// Vector of the console line's interrupt.
const CONSOLE_VECTOR: u8 = 0x24;
/// Vector of the log line's interrupt.
const LOG_VECTOR: u8 = 0x23;
const TIMER_VECTOR: u8 = 0x30;
const FIRST_WAKE_VECTOR: u8 = 0x40;
const LAST_WAKE_VECTOR: u8 = 0xef;
const SPURIOUS_VECTOR: u8 = 0xff;

/// Set by every interrupt that ends a sleep.
static WAKE: AtomicBool = AtomicBool::new(false);
/// Interrupts at vectors that nobody asked for.
static UNEXPECTED: AtomicU32 = AtomicU32::new(0);
static NEXT_WAKE_VECTOR: AtomicU8 = AtomicU8::new(FIRST_WAKE_VECTOR);

/// Sets all vectors, the local APIC and the clock up, and routes the serial lines. Interrupts are
/// still off afterwards; [`enable`] turns them on. Takes about 10 ms, for calibration.
///
/// # Safety
/// Called once at boot on the boot processor with interrupts off, after
/// [`exceptions::install`](crate::exceptions::install) and [`cpu::enable_simd`].
pub unsafe fn initialize(madt: &Madt) -> tsc::Frequencies {
    // SAFETY: the handlers below keep all registers and end with IRETQ; device vectors push no
    // error code; interrupts are off by the caller.
    unsafe {
        for vector in 0x20..=0xff {
            descriptors::set_gate(
                vector,
                unexpected_interrupt as *const () as u64,
                Ist::Device,
            );
        }
        descriptors::set_gate(
            TIMER_VECTOR,
            wake_interrupt as *const () as u64,
            Ist::Device,
        );
        descriptors::set_gate(
            CONSOLE_VECTOR,
            console_interrupt as *const () as u64,
            Ist::Device,
        );
        descriptors::set_gate(LOG_VECTOR, log_interrupt as *const () as u64, Ist::Device);
        descriptors::set_gate(
            SPURIOUS_VECTOR,
            spurious_interrupt as *const () as u64,
            Ist::Device,
        );
    }
    // SAFETY: passed on to the caller.
    unsafe { apic::initialize(SPURIOUS_VECTOR) };
    apic::mask_all(madt);
    // SAFETY: passed on to the caller.
    let found = unsafe { apic::calibrate(TIMER_VECTOR) };
    let _ = apic::route_isa(madt, uart::CONSOLE_LINE, CONSOLE_VECTOR);
    let _ = apic::route_isa(madt, uart::LOG_LINE, LOG_VECTOR);
    found
}

/// Takes a vector for a message-signalled interrupt, or `None` if all are taken.
///
/// Its handler only ends a sleep and acknowledges. A device is told to write the vector's number to
/// [`message_address`] (Intel SDM volume 3 §11.11).
pub fn allocate_wake_vector() -> Option<u8> {
    let vector = NEXT_WAKE_VECTOR
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, |next| {
            (next <= LAST_WAKE_VECTOR).then_some(next + 1)
        })
        .ok()?;
    critical_section::with(|_| {
        // SAFETY: the handler keeps all registers and ends with IRETQ; interrupts are off.
        unsafe {
            descriptors::set_gate(vector, wake_interrupt as *const () as u64, Ist::Device);
        }
    });
    Some(vector)
}

/// The address a device writes a vector's number to, to interrupt this processor: fixed
/// destination, edge, no redirection.
#[must_use]
pub fn message_address() -> u64 {
    apic::LOCAL_APIC | u64::from(apic::id()) << 12
}

/// Ends the present or the next sleep.
pub fn wake() {
    WAKE.store(true, Ordering::Release);
}

/// Interrupts that came at vectors nobody asked for.
#[must_use]
pub fn unexpected_count() -> u32 {
    UNEXPECTED.load(Ordering::Relaxed)
}

/// Turns interrupts on.
///
/// # Safety
/// After [`initialize`].
pub unsafe fn enable() {
    // SAFETY: by the caller every vector has a handler.
    unsafe { asm!("sti", options(nostack)) };
}

/// Sleeps until an interrupt, or until `deadline` if there is one. Returns at once if an interrupt
/// came since the last call, so a device that signalled in between is not overlooked.
pub fn sleep_until(deadline: Option<Instant>) {
    // SAFETY: interrupts come back on below, on every path.
    unsafe { asm!("cli", options(nostack)) };
    let mut is_due = WAKE.swap(false, Ordering::AcqRel);
    if !is_due && let Some(deadline) = deadline {
        let left = deadline.since(tsc::now()).as_micros();
        is_due = left == 0;
        if !is_due {
            apic::arm_timer(u64::try_from(left).unwrap_or(u64::MAX));
        }
    }
    if is_due {
        // SAFETY: every vector has a handler: sleeping is called only after `enable`.
        unsafe { asm!("sti", options(nostack)) };
        return;
    }
    // An interrupt that came since `cli` is taken only after HLT has begun, because STI holds
    // interrupts off for one instruction (SDM volume 2, STI); so none is lost.
    // SAFETY: as above.
    unsafe { asm!("sti", "hlt", options(nostack)) };
    if deadline.is_some() {
        apic::disarm_timer();
    }
}

/// Sets the wake flag, acknowledges, returns. Touches one register and no SIMD state.
#[unsafe(naked)]
extern "C" fn wake_interrupt() {
    naked_asm!(
        "push rax",
        "mov byte ptr [rip + {wake}], 1",
        "mov eax, 0xfee000b0",
        "mov dword ptr [rax], 0",
        "pop rax",
        "iretq",
        wake = sym WAKE,
    )
}

/// Counts, acknowledges, returns.
#[unsafe(naked)]
extern "C" fn unexpected_interrupt() {
    naked_asm!(
        "push rax",
        "lock inc dword ptr [rip + {count}]",
        "mov eax, 0xfee000b0",
        "mov dword ptr [rax], 0",
        "pop rax",
        "iretq",
        count = sym UNEXPECTED,
    )
}

/// A spurious interrupt is not in service, so it is not acknowledged (SDM §11.9).
#[unsafe(naked)]
extern "C" fn spurious_interrupt() {
    naked_asm!("iretq")
}

/// A handler that calls Rust: saves all registers and the SIMD state the way the processor can.
macro_rules! full_handler {
    ($name:ident, $function:path) => {
        #[unsafe(naked)]
        extern "C" fn $name() {
            naked_asm!(
                "push rax", "push rbx", "push rcx", "push rdx", "push rsi", "push rdi", "push rbp",
                "push r8", "push r9", "push r10", "push r11",
                "push r12", "push r13", "push r14", "push r15",
                "cld",
                "mov rbx, rsp",
                // XSAVE writes at most 832 bytes for x87, SSE and AVX; FXSAVE writes 512.
                "sub rsp, 896",
                "and rsp, -64",
                "cmp byte ptr [rip + {has_xsave}], 0",
                "je 2f",
                // XRSTOR refuses an area whose header XSAVE has not wholly written (SDM 13.7).
                "xor eax, eax",
                "mov qword ptr [rsp + 512], rax",
                "mov qword ptr [rsp + 520], rax",
                "mov qword ptr [rsp + 528], rax",
                "mov qword ptr [rsp + 536], rax",
                "mov qword ptr [rsp + 544], rax",
                "mov qword ptr [rsp + 552], rax",
                "mov qword ptr [rsp + 560], rax",
                "mov qword ptr [rsp + 568], rax",
                "mov eax, 7",
                "xor edx, edx",
                "xsave64 [rsp]",
                "call {function}",
                "mov eax, 7",
                "xor edx, edx",
                "xrstor64 [rsp]",
                "jmp 3f",
                "2:",
                "fxsave64 [rsp]",
                "call {function}",
                "fxrstor64 [rsp]",
                "3:",
                "mov rsp, rbx",
                "pop r15", "pop r14", "pop r13", "pop r12",
                "pop r11", "pop r10", "pop r9", "pop r8",
                "pop rbp", "pop rdi", "pop rsi", "pop rdx", "pop rcx", "pop rbx", "pop rax",
                "iretq",
                has_xsave = sym cpu::HAS_XSAVE,
                function = sym $function,
            )
        }
    };
}

full_handler!(console_interrupt, on_console);
full_handler!(log_interrupt, on_log);

extern "C" fn on_console() {
    if uart::CONSOLE.on_interrupt() {
        wake();
    }
    apic::end_of_interrupt();
}

extern "C" fn on_log() {
    uart::LOG.on_interrupt();
    apic::end_of_interrupt();
}

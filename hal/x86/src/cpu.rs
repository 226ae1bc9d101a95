//! What the processor is and can do.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering};

use raw_cpuid::CpuId;

/// Whether SIMD state is saved by XSAVE (else by FXSAVE). Read by the interrupt handlers.
pub(crate) static HAS_XSAVE: AtomicBool = AtomicBool::new(false);

const CR4_OSXSAVE: u64 = 1 << 18;
const XCR0_X87_SSE: u32 = 0b011;
const XCR0_AVX: u32 = 0b100;

/// Makes SSE, and AVX where there is one, usable: CR4.OSXSAVE and XCR0.
///
/// CR0 and the other CR4 bits are set by the entry code. Without XSAVE nothing is done, and
/// libraries that ask CPUID for OSXSAVE keep to SSE.
///
/// # Safety
/// Called once at boot before any interrupt.
pub unsafe fn enable_simd() {
    let Some(features) = CpuId::new().get_feature_info() else {
        return;
    };
    if !features.has_xsave() {
        return;
    }
    let mut mask = XCR0_X87_SSE;
    if features.has_avx() {
        mask |= XCR0_AVX;
    }
    // SAFETY: CPUID has said that the processor has XSAVE, so the bit may be set.
    unsafe {
        asm!("mov {t}, cr4", "or {t}, {bit}", "mov cr4, {t}", t = out(reg) _,
            bit = in(reg) CR4_OSXSAVE, options(nostack));
    }
    // SAFETY: OSXSAVE is on, and CPUID has named the state components in `mask`.
    unsafe {
        asm!("xsetbv", in("ecx") 0, in("eax") mask, in("edx") 0, options(nostack));
    }
    HAS_XSAVE.store(true, Ordering::Release);
}

/// Name of the processor as CPUID gives it, in `buffer`.
pub fn name(buffer: &mut [u8; 48]) -> &str {
    let Some(brand) = CpuId::new().get_processor_brand_string() else {
        return "x86-64 processor";
    };
    let text = brand.as_str().trim();
    let Some(room) = buffer.get_mut(..text.len()) else {
        return "x86-64 processor";
    };
    room.copy_from_slice(text.as_bytes());
    core::str::from_utf8(room).unwrap_or("x86-64 processor")
}

/// Stops for good, deaf to everything but NMI and reset.
pub fn halt() -> ! {
    loop {
        // SAFETY: with interrupts off nothing of ours runs again; that is what is wanted.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}

/// Turns interrupts off and returns whether they were on.
#[inline]
#[must_use]
pub fn disable_interrupts() -> bool {
    let flags: u64;
    // SAFETY: reads the flags and clears IF, which delays interrupts and breaks nothing. Memory
    // accesses must not move across, hence no `nomem`.
    unsafe { asm!("pushfq", "pop {}", "cli", out(reg) flags) };
    flags & (1 << 9) != 0
}

/// Turns interrupts on if `were_on`.
///
/// # Safety
/// `were_on` came from the matching [`disable_interrupts`].
#[inline]
pub unsafe fn restore_interrupts(were_on: bool) {
    if were_on {
        // SAFETY: they were on before, so every vector has a handler.
        unsafe { asm!("sti", options(nostack)) };
    }
}

/// The address that a page fault was about.
#[must_use]
pub fn fault_address() -> u64 {
    let address;
    // SAFETY: reading CR2 has no effect.
    unsafe { asm!("mov {}, cr2", out(reg) address, options(nomem, nostack, preserves_flags)) };
    address
}

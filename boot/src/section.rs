//! Critical sections of a single processor: interrupts off.

use hal_x86::cpu;

struct InterruptsOff;
critical_section::set_impl!(InterruptsOff);

// SAFETY: only one processor runs, so with its interrupts off nothing else does.
unsafe impl critical_section::Impl for InterruptsOff {
    unsafe fn acquire() -> u8 {
        u8::from(cpu::disable_interrupts())
    }

    unsafe fn release(were_on: u8) {
        // SAFETY: `were_on` is from the matching `acquire`.
        unsafe { cpu::restore_interrupts(were_on == 1) };
    }
}

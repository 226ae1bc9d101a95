//! The local APIC and the I/O APIC (Intel SDM volume 3, chapter 11; 82093AA data sheet).
//!
//! Only xAPIC (registers in memory) is used: it is there on every 64-bit machine, x2APIC is not.

use core::arch::asm;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::acpi::Madt;
use crate::mmio::Mmio;
use crate::tsc;

/// Where the local APIC's registers are put. The fast interrupt handlers hold this number too.
pub const LOCAL_APIC: u64 = 0xfee0_0000;

const IA32_APIC_BASE: u32 = 0x1b;
const BASE_ENABLE: u64 = 1 << 11;
const BASE_X2APIC: u64 = 1 << 10;

// Local APIC register offsets, SDM table 11-1.
const ID: usize = 0x20;
const TASK_PRIORITY: usize = 0x80;
const EOI: usize = 0xb0;
const SPURIOUS: usize = 0xf0;
const LVT_TIMER: usize = 0x320;
const LVT_LINT0: usize = 0x350;
const LVT_LINT1: usize = 0x360;
const LVT_ERROR: usize = 0x370;
const TIMER_INITIAL: usize = 0x380;
const TIMER_CURRENT: usize = 0x390;
const TIMER_DIVIDE: usize = 0x3e0;

const MASKED: u32 = 1 << 16;
const DELIVER_NMI: u32 = 0b100 << 8;
const DIVIDE_BY_16: u32 = 0b0011;

static TIMER_HZ: AtomicU32 = AtomicU32::new(1_000_000);

fn local() -> Mmio {
    // SAFETY: `initialize` has put the registers there; the code below makes no device write memory.
    unsafe { Mmio::new(LOCAL_APIC, 0x1000) }
}

/// Turns the local APIC on, with the old interrupt controllers silent, and its timer stopped.
///
/// # Safety
/// Called once at boot with interrupts off.
pub unsafe fn initialize(spurious_vector: u8) {
    // SAFETY: by the caller nothing depends on the old controllers; both ports mask all lines.
    unsafe {
        crate::port::outb(0x21, 0xff);
        crate::port::outb(0xa1, 0xff);
    }
    // SAFETY: IA32_APIC_BASE exists on every processor with an APIC, that is every 64-bit one.
    let base = unsafe { read_msr(IA32_APIC_BASE) };
    if base & BASE_X2APIC != 0 {
        // x2APIC can be left only through "disabled" (SDM §11.12.5).
        // SAFETY: interrupts are off; the next write enables the APIC again.
        unsafe { write_msr(IA32_APIC_BASE, base & !(BASE_X2APIC | BASE_ENABLE)) };
    }
    // Bit 8 (boot processor) is read-only; the address is the one that is mapped uncached.
    // SAFETY: no device memory is at that address but the APIC's own.
    unsafe { write_msr(IA32_APIC_BASE, LOCAL_APIC | (base & (1 << 8)) | BASE_ENABLE) };
    let apic = local();
    apic.write32(TASK_PRIORITY, 0);
    apic.write32(LVT_TIMER, MASKED);
    apic.write32(LVT_LINT0, MASKED);
    apic.write32(LVT_LINT1, DELIVER_NMI);
    apic.write32(LVT_ERROR, MASKED);
    apic.write32(TIMER_DIVIDE, DIVIDE_BY_16);
    apic.write32(SPURIOUS, 0x100 | u32::from(spurious_vector));
}

/// The number by which messages reach this processor.
#[must_use]
pub fn id() -> u8 {
    (local().read32(ID) >> 24) as u8
}

/// Tells the APIC that the interrupt in service is done.
pub fn end_of_interrupt() {
    local().write32(EOI, 0);
}

/// Lets the masked timer run down from its highest count, to be measured.
pub fn free_run_timer() {
    local().write32(TIMER_INITIAL, u32::MAX);
}

/// The timer's count, which falls.
#[must_use]
pub fn timer_count() -> u32 {
    local().read32(TIMER_CURRENT)
}

/// Sets the measured frequency and gives the timer its vector, in one-shot mode.
pub fn start_timer(frequency_hz: u64, vector: u8) {
    let hz = u32::try_from(frequency_hz).unwrap_or(u32::MAX).max(1);
    TIMER_HZ.store(hz, Ordering::Relaxed);
    let apic = local();
    apic.write32(TIMER_INITIAL, 0);
    apic.write32(LVT_TIMER, u32::from(vector));
}

/// Asks for one timer interrupt in about `micros`, or earlier if the counter cannot hold that.
pub fn arm_timer(micros: u64) {
    let hz = u64::from(TIMER_HZ.load(Ordering::Relaxed));
    // Sleeping is rare and short of work, so the division does not hurt here.
    let ticks = (u128::from(micros) * u128::from(hz) / 1_000_000).clamp(1, u128::from(u32::MAX));
    local().write32(TIMER_INITIAL, ticks as u32);
}

/// Withdraws what [`arm_timer`] asked for.
pub fn disarm_timer() {
    local().write32(TIMER_INITIAL, 0);
}

/// Sends ISA interrupt line `line` to `vector` on this processor.
///
/// Returns false if no I/O APIC of `madt` has that line.
#[must_use]
pub fn route_isa(madt: &Madt, line: u8, vector: u8) -> bool {
    let input = madt.isa_input(line);
    for io_apic in &madt.io_apics {
        // SAFETY: the MADT names this address as an I/O APIC; it is below 4 GiB, so mapped.
        let window = unsafe { Mmio::new(u64::from(io_apic.address), 0x20) };
        let Some(pin) = input.gsi.checked_sub(io_apic.gsi_base) else {
            continue;
        };
        let pins = (read_io(window, 1) >> 16 & 0xff) + 1;
        if pin >= pins {
            continue;
        }
        let mut low = u32::from(vector);
        low |= u32::from(input.is_active_low) << 13;
        low |= u32::from(input.is_level) << 15;
        write_io(window, 0x11 + 2 * pin, u32::from(id()) << 24);
        write_io(window, 0x10 + 2 * pin, low);
        return true;
    }
    false
}

/// Silences every line of every I/O APIC.
pub fn mask_all(madt: &Madt) {
    for io_apic in &madt.io_apics {
        // SAFETY: as in `route_isa`.
        let window = unsafe { Mmio::new(u64::from(io_apic.address), 0x20) };
        let pins = (read_io(window, 1) >> 16 & 0xff) + 1;
        for pin in 0..pins {
            write_io(window, 0x10 + 2 * pin, MASKED);
        }
    }
}

// 82093AA §3.0: a select register and a data window.
fn read_io(window: Mmio, register: u32) -> u32 {
    window.write32(0, register);
    window.read32(0x10)
}

fn write_io(window: Mmio, register: u32, value: u32) {
    window.write32(0, register);
    window.write32(0x10, value);
}

/// Measures the TSC and the APIC's timer against the PIT and starts the clock.
///
/// # Safety
/// After [`initialize`]; see [`tsc::calibrate`].
pub unsafe fn calibrate(timer_vector: u8) -> tsc::Frequencies {
    free_run_timer();
    // SAFETY: passed on to the caller.
    let found = unsafe { tsc::calibrate(timer_count) };
    start_timer(found.other_hz, timer_vector);
    found
}

/// Reads a model-specific register.
///
/// # Safety
/// The register must exist on this processor.
unsafe fn read_msr(register: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the caller vouches that the register exists.
    unsafe {
        asm!("rdmsr", in("ecx") register, out("eax") low, out("edx") high,
            options(nomem, nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

/// Writes a model-specific register.
///
/// # Safety
/// The register must exist and `value` must not break what the running code relies on.
unsafe fn write_msr(register: u32, value: u64) {
    // SAFETY: the caller vouches for register and value.
    unsafe {
        asm!("wrmsr", in("ecx") register, in("eax") value as u32, in("edx") (value >> 32) as u32,
            options(nostack, preserves_flags));
    }
}

//! Reset and power-off (ACPI §4.8.3; ICH9 data sheet §13.7.5; QEMU's fixed PM ports).
//!
//! Each way is tried in turn, the machine's own description first, until one works.

use core::arch::asm;

use hal::power::Power;

use crate::acpi::{Fadt, GenericAddress, SleepType, Tables};
use crate::mmio::Mmio;
use crate::port::{inb, inw, outb, outw};
use crate::{cpu, tsc, uart};

/// Time for queued console output to leave before the line goes dead.
const FLUSH_MICROS: u64 = 300_000;
/// Time each way gets to work.
const PATIENCE_MICROS: u64 = 50_000;

const RESET_CONTROL: u16 = 0xcf9;
const KEYBOARD_CONTROLLER: u16 = 0x64;
/// Pulses the processor's reset line (8042 command).
const PULSE_RESET: u8 = 0xfe;
const KEYBOARD_BUSY: u8 = 0b10;

const SLEEP_ENABLE: u16 = 1 << 13;
const SCI_ENABLE: u16 = 1;
/// PM1a control register of QEMU's q35 and pc under SeaBIOS, and of its older pc.
const QEMU_PM1A: [u16; 2] = [0x604, 0xb004];
const QEMU_SOFT_OFF: u16 = 0;

/// The machine's power controls.
#[derive(Clone, Copy, Debug, Default)]
pub struct MachinePower {
    fadt: Fadt,
    soft_off: Option<SleepType>,
}

impl MachinePower {
    /// Takes what `tables` say about power.
    #[must_use]
    pub fn new(tables: &Tables) -> Self {
        Self {
            fadt: tables.fadt.unwrap_or_default(),
            soft_off: tables.soft_off,
        }
    }
}

impl Power for MachinePower {
    fn reset(&mut self) {
        flush();
        if let Some((register, value)) = self.fadt.reset {
            match register {
                // SAFETY: the FADT names this port as the one that resets the machine.
                GenericAddress::Port(port) => unsafe { outb(port, value) },
                GenericAddress::Memory(address) => {
                    // SAFETY: the FADT names this byte as the register that resets the machine.
                    if let Ok(window) = unsafe { Mmio::map(address, 1) } {
                        window.write8(0, value);
                    }
                }
            }
            wait();
        }
        reset_now()
    }

    fn power_off(&mut self) {
        flush();
        if let (Some(control), Some(sleep)) = (self.fadt.pm1a_control, self.soft_off) {
            self.enable_acpi(control);
            enter_sleep(control, sleep.a);
            if let Some(control) = self.fadt.pm1b_control {
                enter_sleep(control, sleep.b);
            }
            wait();
        }
        for control in QEMU_PM1A {
            // SAFETY: on QEMU this is PM1a; elsewhere the machine was not off after doing what its
            // tables say, and is stopped for good below, so nothing is left to be broken.
            unsafe { outw(control, SLEEP_ENABLE | QEMU_SOFT_OFF) };
            wait();
        }
        cpu::halt()
    }
}

impl MachinePower {
    /// Makes the PM1 registers ours if the machine's firmware still has them (ACPI §4.8.2.5).
    fn enable_acpi(&self, control: u16) {
        let is_enabled = || {
            // SAFETY: the FADT names this port as PM1a control; reading it has no effect.
            unsafe { inw(control) & SCI_ENABLE != 0 }
        };
        if is_enabled() {
            return;
        }
        if let Some((port, value)) = self.fadt.enable_acpi {
            // SAFETY: the FADT gives port and value for this very purpose.
            unsafe { outb(port, value) };
            let _ = tsc::wait_until(PATIENCE_MICROS, is_enabled);
        }
    }
}

/// Resets without tables and without waiting for output: for a box that is dying.
pub fn reset_now() -> ! {
    // SAFETY: the reset control register; 0x02 chooses a hard reset, the rising edge of bit 2
    // does it. Machines without one have nothing at this port.
    unsafe {
        outb(RESET_CONTROL, 0x02);
        outb(RESET_CONTROL, 0x06);
    }
    wait();
    let is_ready = || {
        // SAFETY: reads the keyboard controller's status.
        unsafe { inb(KEYBOARD_CONTROLLER) & KEYBOARD_BUSY == 0 }
    };
    let _ = tsc::wait_until(PATIENCE_MICROS, is_ready);
    // SAFETY: asks the keyboard controller for a reset, which is what is wanted.
    unsafe { outb(KEYBOARD_CONTROLLER, PULSE_RESET) };
    wait();
    // A fault that finds no handler, twice over, shuts the processor down, which resets a PC.
    let no_table = [0_u8; 10];
    // SAFETY: nothing after this is expected to run.
    unsafe { asm!("lidt [{}]", "ud2", in(reg) no_table.as_ptr(), options(noreturn)) }
}

fn enter_sleep(control: u16, sleep_type: u8) {
    // SAFETY: the FADT names this port; the value asks for soft off, as the caller wants.
    unsafe {
        let kept = inw(control) & !(0b111 << 10);
        outw(control, kept | u16::from(sleep_type) << 10 | SLEEP_ENABLE);
    }
}

fn flush() {
    uart::CONSOLE.flush_polled(FLUSH_MICROS);
    uart::LOG.flush_polled(FLUSH_MICROS);
}

fn wait() {
    let _ = tsc::wait_until(PATIENCE_MICROS, || false);
}

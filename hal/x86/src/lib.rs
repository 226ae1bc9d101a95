//! Drivers of real x86-64 machines, behind the traits of `hal`.
//!
//! This crate and `boot` are the only ones with `unsafe`. What can be pure is (parsers, page
//! tables, rings, conversions) and is tested on the host; the rest is as thin as it gets. The crate
//! serves one processor: interrupt handlers and the event loop share it.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`port`], [`mmio`] | access to registers |
//! | [`paging`] | page tables; virtual addresses equal physical ones |
//! | [`descriptors`], [`exceptions`], [`interrupts`], [`apic`] | vectors, stacks, sleeping |
//! | [`cpu`] | processor features and name |
//! | [`tsc`] | the clock, bounded waits |
//! | [`acpi`] | the firmware's tables |
//! | [`uart`], [`ring`] | serial lines |
//! | [`rtc`], [`power`], [`entropy`] | calendar clock, reset and power-off, random bytes |
//! | [`memory`] | copying, setting and comparing bytes |
//! | [`memory_map`] | what memory is free |
//! | [`epitaph`], [`backtrace`] | what a crash leaves behind |
//! | [`dma`] | memory shared with devices |
//! | [`pci`], [`msix`] | finding devices, their registers and interrupts |
//! | [`virtio`] | network, disk and entropy devices |
//! | [`nvme`] | NVMe disks |
#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod acpi;
pub mod apic;
pub mod backtrace;
pub mod cpu;
pub mod descriptors;
pub mod dma;
pub mod entropy;
pub mod epitaph;
pub mod exceptions;
pub mod interrupts;
pub mod memory;
pub mod memory_map;
pub mod mmio;
pub mod msix;
pub mod nvme;
pub mod paging;
pub mod pci;
pub mod port;
pub mod power;
pub mod ring;
pub mod rtc;
pub mod tsc;
pub mod uart;
pub mod virtio;

#[cfg(test)]
mod test_support {
    //! A critical section for tests on the host, where threads stand for interrupts.

    use std::sync::{Mutex, MutexGuard};

    static LOCK: Mutex<()> = Mutex::new(());

    std::thread_local! {
        static HELD: core::cell::RefCell<Option<MutexGuard<'static, ()>>> =
            const { core::cell::RefCell::new(None) };
    }

    struct HostSection;
    critical_section::set_impl!(HostSection);

    // SAFETY: the outermost section of a thread holds the lock; `u8` 1 marks it.
    unsafe impl critical_section::Impl for HostSection {
        unsafe fn acquire() -> u8 {
            HELD.with_borrow_mut(|held| match held {
                Some(_) => 0,
                None => {
                    let guard = LOCK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                    *held = Some(guard);
                    1
                }
            })
        }

        unsafe fn release(was_outermost: u8) {
            if was_outermost == 1 {
                HELD.with_borrow_mut(|held| *held = None);
            }
        }
    }
}

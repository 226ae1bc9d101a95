//! The last step of a loader: the firmware's parts to their places, and the jump.
//!
//! Both loaders end as a PVH loader does: processor in 32-bit protected mode without paging, EBX at a
//! `hvm_start_info` with command line, ACPI root and memory map, a jump to the entry that the
//! firmware's note names (Xen `docs/misc/pvh.pandoc`, `public/arch-x86/hvm/start_info.h`). So the firmware
//! has one way in, whoever started it.
//!
//! The parts may have to go where a loader's own code, stack or page tables are. Therefore everything
//! that the step needs is in one [`Workspace`], code included, which a loader places where no part goes.
//!
//! [`com1`] and [`routines`] are what the loaders share beneath that: the serial line, and what compiled
//! code calls to move memory.
#![cfg_attr(not(test), no_std)]

pub mod com1;
#[cfg(not(test))]
pub mod routines;
mod workspace;

pub use workspace::{NoRoom, Workspace};

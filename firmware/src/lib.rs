//! The appliance: everything the box does, on whatever [`Board`] it is given.
//!
//! [`Appliance`] owns every part (data plane, TLS proxy, configuration, console) and is the only
//! place where time, devices and protocol cores meet. Nothing here names a driver, a register or an
//! operating system: `boot` runs it on bare metal, `hal-sim` in memory with virtual time.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod appliance;
mod board;
mod journal;

pub use appliance::{Appliance, Turn};
pub use board::{Board, HeapUse};
pub use journal::{Event, Journal};

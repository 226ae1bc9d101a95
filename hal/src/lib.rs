//! The hardware the firmware needs, as traits, and the packet memory that crosses them.
//!
//! This crate touches no device. `hal-x86` implements the traits on real machines, `hal-sim` in
//! memory and over Linux TAP devices; `firmware` sees nothing else of the world. A trait is here
//! only because two real implementations exist.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`packet`] | [`PacketBuf`](packet::PacketBuf), [`PacketPool`](packet::PacketPool), batches |
//! | [`nic`] | network ports |
//! | [`offload`] | checksums and segments that a port leaves to software |
//! | [`checksum`] | the Internet checksum |
//! | [`disk`] | sector storage |
//! | [`serial`] | the console line |
//! | [`flow`] | what XON/XOFF flow control decides |
//! | [`time`] | the monotonic clock and the battery-backed calendar clock |
//! | [`entropy`] | unpredictable bytes |
//! | [`power`] | reset, power-off and what survives a reset |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod checksum;
pub mod disk;
pub mod entropy;
pub mod flow;
pub mod nic;
pub mod offload;
pub mod packet;
pub mod power;
pub mod serial;
pub mod time;

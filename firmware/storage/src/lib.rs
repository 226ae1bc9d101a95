//! Everything kept on the disk.
//!
//! Nothing here is ever half old and half new. What changes is written where nothing is kept yet,
//! brought to the medium, and only then named by a header whose checksum covers it. A cut of power at
//! any moment, with unflushed sectors written in any order or not at all, leaves the state before or
//! the state after.
//!
//! | Module | Does |
//! | --- | --- |
//! | [`layout`] | divides a disk; pure arithmetic |
//! | [`slots`] | one opaque payload in two alternating slots |
//! | [`startup`] | the saved configuration and its keys, in slots |
//! | [`files`] | named files: a directory in slots, data in extents |
//! | [`words`] | what a failing disk is called |
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod files;
pub mod layout;
pub mod slots;
pub mod startup;
pub mod words;

pub use layout::{Extent, Layout};

/// CRC-32C (Castagnoli), as in RFC 3720 §12.1.
static CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISCSI);

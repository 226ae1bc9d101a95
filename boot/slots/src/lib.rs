//! What is on the disk for booting, in the words of loaders, firmware and image builder alike.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`layout`] | partitions of ours: types, names, places |
//! | [`gpt`] | finding partitions on a disk that may be damaged |
//! | [`header`] | the first sector of a slot: which firmware, how long, its digest, who signed it |
//! | [`state`] | which slot is started, which is on trial, kept in two copies |
//! | [`mod@choose`] | the decision, as a function without side effects |
//! | [`block`] | a disk as these modules see one |
//!
//! Records have fixed fields at fixed places, little-endian, in one sector each: what is signed is then
//! the bytes themselves, with no second way to write the same thing. Nothing here allocates, and
//! nothing panics on any bytes.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod block;
pub mod choose;
pub mod gpt;
pub mod header;
pub mod layout;
pub mod state;

mod field;

pub use block::{BlockDevice, BlockError, SECTOR};
pub use choose::{Choice, Reason, choose};
pub use gpt::{Extent, GptError, Guid};
pub use header::{Header, HeaderError, Version};
pub use state::{BootState, Slot};

//! The traits of `hal` in memory, with virtual time and faults on demand; and over Linux TAP.
//!
//! A simulated box is the firmware on these parts. Nothing here reads a real clock or a real random
//! source, so a run is replayed exactly from its seeds. Each part comes with a handle for the test's
//! side: the other end of the cable, the terminal on the line, the disk after the power cut.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`clock`] | time that passes when told to |
//! | [`random`] | the generator behind all faults, and the entropy of a test |
//! | [`cable`], [`nic`] | a cable with loss, delay, reordering; network ports at its ends |
//! | [`coalesce`] | what a port with offloads does to frames |
//! | [`disk`] | a disk with a cache, and power cuts |
//! | [`serial`] | a line with a terminal at the other end |
//! | [`board`] | calendar clock, power controls |
//! | [`tap`] | a network port over a TAP device, in real time |
#![forbid(unsafe_code)]

pub mod board;
pub mod cable;
pub mod clock;
pub mod coalesce;
pub mod disk;
pub mod nic;
pub mod random;
pub mod serial;
pub mod tap;

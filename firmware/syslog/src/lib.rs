//! Operator messages with ASA's numbers: which there are, who wants them, and where they wait.
//!
//! A part of the box makes a [`Message`] (borrowed names, addresses, ports; nothing is formatted yet)
//! and hands it to [`Logger::record`] with the time. A message that no destination wants costs one
//! table look-up. Otherwise it is formatted once, into one line, and put where the [`Settings`] say:
//! the buffer that `show logging` prints, the queues of the console and of other terminals, and the
//! queue of datagrams for syslog servers. Nothing here reads a clock or sends anything: the caller
//! passes the moment in and takes lines and datagrams out.
//!
//! Whatever does not fit is counted and shown: lines the buffer overwrote, messages a full queue
//! refused, messages `logging rate-limit` held back.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`message`] | every message: number, severity, text, fields |
//! | [`settings`] | what the `logging` statements set |
//! | [`logger`] | who wants which message, and the destinations |
//! | [`show`] | `show logging` and its kin |
//! | [`document`] | the table of messages as a document |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod class;
pub mod document;
mod hosts;
mod line;
pub mod logger;
pub mod message;
mod rate;
mod ring;
pub mod settings;
mod severity;
pub mod show;
#[cfg(test)]
mod tests;

pub use class::Class;
pub use hosts::{Datagram, HostOutcome, TcpStats};
pub use logger::{Logger, OutOfMemory, Stamp};
pub use message::{Id, Message};
pub use settings::Settings;
pub use severity::Severity;

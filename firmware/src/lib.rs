//! The appliance: everything the box does, on whatever [`Board`] it is given.
//!
//! [`Appliance`] owns every part (data plane, TLS proxy, configuration, console) and is the only
//! place where time, devices and protocol cores meet. Nothing here names a driver, a register or an
//! operating system: `boot` runs it on bare metal, `hal-sim` in memory with virtual time.
//!
//! | Module | Holds |
//! | --- | --- |
//! | `appliance` | start-up in order, the event loop's body |
//! | `state` | everything the appliance owns, the work of one turn |
//! | `ports` | network devices and their batches |
//! | `policy` | configuration compiled into what the data plane is told |
//! | `federation` | intercepted connections joined to TLS proxy sessions |
//! | `change` | configuration sessions, commits that wait for confirmation |
//! | `flash` | the files of `disk0:` |
//! | `partition` | the part of the disk that is ours |
//! | `tracer` | `packet-tracer`: the engine's steps in the words of the configuration |
//! | `console` | sessions, commands, dialogues |
//! | `print` | what `show` commands print |
//! | `pcapng` | captures as files that other programs read |
//! | `messages`, `events` | what operators are told, and when; what the data plane has to tell |
//! | `log_hosts` | lines on their way to syslog servers |
//! | `load_meter`, `reload` | the processor's time by part; a restart that is planned |
//! | `load`, `logins`, `zone`, `budget`, `ping`, `tasks`, `journal` | one thing each |
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
// The core is borrowed for one step at a time; a borrow that lives on in a `match` would make the
// next one panic.
#![warn(clippy::significant_drop_in_scrutinee)]

extern crate alloc;

mod appliance;
mod board;
mod budget;
mod change;
mod console;
mod events;
mod federation;
mod flash;
mod journal;
mod load;
mod load_meter;
mod log_hosts;
mod log_settings;
mod logins;
mod messages;
mod meter;
mod partition;
mod pcapng;
mod ping;
mod policy;
mod ports;
mod print;
mod reload;
mod state;
mod tasks;
mod threat;
mod tracer;
mod zone;

pub use appliance::{Appliance, Turn};
pub use board::{Board, HeapUse};
pub use journal::{Event, Journal};
#[doc(hidden)]
pub use print::capture::fuzz;

/// Every command with its syntax, help and an example, as Markdown.
#[must_use]
pub fn command_reference() -> alloc::string::String {
    console::reference()
}

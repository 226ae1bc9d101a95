//! Which addresses a name has: a caching stub resolver without I/O.
//!
//! A [`Resolver`] is told the names to follow and the servers to ask. It keeps the addresses of every
//! name fresh for as long as it is followed, and says when they change. It owns no socket, clock or
//! generator: datagrams, `now` and randomness are arguments. The order of calls, after any of them:
//!
//! 1. [`Resolver::handle_timeout`] with the time and a generator,
//! 2. [`Resolver::poll_transmit`] until nothing is left to send,
//! 3. [`Resolver::poll_change`] until no name is left that changed,
//! 4. sleep until [`Resolver::poll_timeout`], or until a datagram for [`Resolver::handle_datagram`].
//!
//! Against forgery (RFC 5452) every datagram has a new random identifier and source port, and the first
//! ones of a question a random mixture of capital and small letters, which the answer has to give back.
//! What does not fit is refused, and counted by its [`Refused`] reason; the question goes on.
//!
//! | Module | Holds |
//! | --- | --- |
//! | `name` | names of hosts, checked |
//! | `message` | questions written, answers read (RFC 1035) |
//! | `settings` | servers and times, as in `dns server-group` |
//! | `counters` | what is counted, and why a datagram is refused |
//! | `entry` | what is known of one name, and until when |
//! | `resolver` | questions under way, and everything together |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod counters;
mod entry;
pub mod message;
mod name;
mod resolver;
mod settings;

#[cfg(test)]
mod tests;

pub use counters::{Counters, Refused};
pub use entry::{ADDRESSES_MAX, Address};
pub use message::Kind;
pub use name::{HostName, LABEL_MAX, NAME_MAX, NameError};
pub use resolver::{
    IN_FLIGHT_MAX, NAMES_MAX, Resolver, SOURCE_PORTS, State, TooManyNames, Transmit,
};
pub use settings::{SERVERS_MAX, Settings};

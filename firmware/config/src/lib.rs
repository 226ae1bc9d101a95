//! The configuration: typed model, text and checked changes.
//!
//! Text and model say the same: what [`print::print`] writes, applied line by line to
//! [`Config::factory`](model::Config::factory), gives the same model again. The `cli` crate reads
//! the words by the rows declared here; `firmware` turns the model into the policy of the data
//! plane and the sessions of the TLS proxy.
//!
//! | Module | Does |
//! | --- | --- |
//! | [`model`] | the configuration as plain data, and what its names stand for |
//! | [`statements`] | one row per statement: syntax, help, checks, effect |
//! | [`mode`] | configuration modes and prompts |
//! | [`refusal`] | what the box answers |
//! | [`mod@print`] | the configuration as text, whole or by section |
//! | [`script`] | a text applied statement by statement, with verdicts |
//! | [`text`] | stored and pasted text, line by line |
//! | [`diff`] | what differs between two printed configurations |
//! | [`unsupported`] | commands known by name only |
//! | [`password`] | the stored form of passwords |
//! | [`names`] | names of protocols, ports, ICMP types, months |
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod diff;
pub mod mode;
pub mod model;
pub mod names;
pub mod password;
pub mod print;
pub mod refusal;
pub mod script;
pub mod statements;
pub mod text;
pub mod unsupported;

pub use mode::{GLOBAL, MODES, Mode};
pub use model::Config;
pub use refusal::{Notice, Refusal};
pub use statements::{FRAGMENTS, Handler, ModeState, Outcome, apply, collect, rows};
pub use text::{LineError, Problem, apply_line, grammar, load};

#[cfg(test)]
mod tests;

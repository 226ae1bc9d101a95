//! The configuration: typed model, text, checked changes, and the store that survives power cuts.
//!
//! Text and model say the same: what [`print::print`] writes, applied line by line to
//! [`Config::factory`](model::Config::factory), gives the same model again. The `cli` crate reads
//! the words by the rows declared here; `firmware` turns the model into the policy of the data
//! plane and the sessions of the TLS proxy.
//!
//! | Module | Does |
//! | --- | --- |
//! | [`model`] | the configuration as plain data |
//! | [`print`](mod@print) | the configuration as text |
//! | [`password`] | the stored form of passwords |
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod model;
pub mod names;
pub mod password;
pub mod print;

pub use model::Config;

//! Fuzz targets: arbitrary bytes for every parser, and the laws that must hold whatever they are.
//!
//! Each module has `run(data)`, which panics when a law is broken, and `seeds()`, the good examples that
//! the fuzzer starts from. The program of the same name under `src/bin` joins `run` to libFuzzer; it
//! builds without any flags, and finds things only with the coverage flags that
//! `cargo xtask test` gives. Inputs that once broke a law are kept in `regressions/<target>` and
//! run first, there and by `cargo test -p fuzz`.
//!
//! | Module | Bytes become |
//! | --- | --- |
//! | [`frames`] | frames, and what an operator does between them, for the data plane |
//! | [`capture_lines`] | captured frames, printed |
//! | [`dns_messages`] | DNS messages that are translated |
//! | [`dns_answers`] | answers to the questions of the resolver |
//! | [`sip_framing`], [`sip_rewriting`] | a SIP byte stream |
//! | [`command_line`] | keys typed at the console, text pasted there |
//! | [`script`] | a pasted configuration, statement by statement |
//! | [`xmodem`] | a serial line with a file transfer on it |
//! | [`stored_configuration`] | the disk of the box, stored text, the key store |
//! | [`stored_files`] | the directory of its files |
//! | [`certificates`] | pasted PEM, certificates, names |
//! | [`tls_records`] | TCP segments into a session of the TLS proxy |
//! | [`input`], [`packets`], [`paste`], [`seeds`] | what the targets share |
#![forbid(unsafe_code)]

pub mod capture_lines;
pub mod certificates;
pub mod command_line;
pub mod dns_answers;
pub mod dns_messages;
pub mod frames;
pub mod input;
pub mod packets;
pub mod paste;
pub mod script;
pub mod seeds;
pub mod sip_framing;
pub mod sip_rewriting;
pub mod stored_configuration;
pub mod stored_files;
pub mod tls_records;
pub mod xmodem;

#[cfg(test)]
mod tests;

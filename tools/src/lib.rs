//! The host side of the project: what `cargo xtask` does, as a library.
//!
//! | Module | Holds | Also used by |
//! | --- | --- | --- |
//! | [`host`] | looking for host programs, installing Debian packages | `hw-tests` |
//! | [`build`] | firmware and image | `hw-tests` |
//! | [`disk`] | loaders and the bootable disk | `hw-tests` |
//! | [`qemu`] | starting, watching and ending a virtual box | `hw-tests` |
//! | [`console`] | the serial console as a client sees it | `hw-tests` |
//! | [`network`] | Ethernet segments and user-space TCP/IP hosts joined to QEMU without privilege | |
//! | [`peers`] | certificates, SIP over TLS and XMPP, as two companies would speak them | |
//! | [`demo`] | the federation shown end to end | |
//! | [`run`], [`logs`], [`symbolise`] | the box at your terminal, its developer log, its backtraces | |
//! | [`check`], [`suite`], [`fuzz`], [`mod@bench`] | what must hold, what must pass, how fast it is | |
//! | [`workspace`], [`progress`] | where things are, and how far a command has come | |
//!
//! Errors are [`anyhow::Error`] with the failing step as context: every one of them ends in front of
//! a person, none is matched on.
#![forbid(unsafe_code)]

pub mod bench;
pub mod build;
pub mod check;
pub mod console;
pub mod demo;
pub mod disk;
pub mod fuzz;
pub mod host;
pub mod logs;
pub mod network;
pub mod peers;
pub mod progress;
pub mod qemu;
pub mod run;
pub mod suite;
pub mod symbolise;
pub mod workspace;

//! Ground for tests that boot the image in QEMU between network namespaces full of real peers.
//!
//! | Module | Does |
//! | --- | --- |
//! | [`sandbox`] | moves the test program into namespaces of its own, so that nothing outlives or meets another run |
//! | [`process`] | peers: in the background, in a dialogue, or run to their end; none without a deadline |
//! | [`namespace`] | one network namespace, a host or a router |
//! | [`topology`] | the networks around the box, with a capture on either side |
//! | [`between`] | a box with nothing else on its wires |
//! | [`frames`], [`netfilter`] | packets made from scratch; the engine and a Linux kernel given the same ones |
//! | [`openssl`] | certificates as OpenSSL makes them |
//! | [`federation`] | a box that was configured as the federation guide says |
//! | [`clients`] | the serial console's own clients: an ssh bridge, Python packages, a box to read |
//! | [`sip`], [`xmpp`] | Kamailio and Prosody, and the users behind them |
//! | [`runner`] | which tests run, and what is kept of one that fails |
//!
//! The tests are in `tests/real_peers`. They need the rights to make namespaces and TAP devices:
//! root, or a kernel that lets users make namespaces and a `/dev/net/tun` open to them.
#![forbid(unsafe_code)]

pub mod between;
pub mod clients;
pub mod federation;
pub mod frames;
pub mod namespace;
pub mod netfilter;
pub mod openssl;
pub mod process;
pub mod runner;
pub mod sandbox;
pub mod sip;
pub mod topology;
pub mod xmpp;

/// The Debian packages of the peers: names and comment lines.
pub const PACKAGES: &str = include_str!("../packages.txt");

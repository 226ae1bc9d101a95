//! Real clients of the serial console, unmodified: what operators have on their desks and servers.
//!
//! | Module | Does |
//! | --- | --- |
//! | [`python`] | the clients' Python packages, at pinned versions, in virtual environments under `target` |
//! | [`bridge`] | an OpenSSH server that joins each session to the serial line, as a console server does |
//! | [`desk`] | a box with something in every table, its networks, and the clients' desk beside it |
//!
//! The clients' scripts are in `hw-tests/clients`. Each is told in a JSON file how to connect and what
//! is true of the box, and fails by its exit status.

pub mod bridge;
pub mod desk;
pub mod python;

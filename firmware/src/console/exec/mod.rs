//! The EXEC commands, a file for each subject.

mod capture;
mod changes;
mod clock;
mod configuration;
mod engine;
mod files;
mod help;
mod interfaces;
mod ipv6;
mod load;
mod logging;
mod mode;
mod objects;
mod ping;
mod power;
mod protection;
mod support;
mod system;
mod tls;

pub(super) use configuration::document;
pub(crate) use power::restart_as_planned;
pub(super) use system::serial_number;

use super::declare::Rows;

/// Every table.
pub(super) const TABLES: &[Rows] = &[
    capture::ROWS,
    changes::ROWS,
    clock::ROWS,
    configuration::ROWS,
    engine::ROWS,
    files::ROWS,
    help::ROWS,
    interfaces::ROWS,
    ipv6::ROWS,
    load::ROWS,
    logging::ROWS,
    mode::ROWS,
    objects::ROWS,
    ping::ROWS,
    power::ROWS,
    protection::ROWS,
    support::ROWS,
    system::ROWS,
    tls::ROWS,
];

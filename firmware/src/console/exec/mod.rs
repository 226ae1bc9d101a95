//! The EXEC commands, a file for each subject.

mod changes;
mod clock;
mod configuration;
mod engine;
mod files;
mod interfaces;
mod load;
mod logging;
mod mode;
mod ping;
mod power;
mod system;
mod tls;

pub(super) use configuration::document;
pub(crate) use power::restart_as_planned;

use super::declare::Rows;

/// Every table.
pub(super) const TABLES: &[Rows] = &[
    changes::ROWS,
    clock::ROWS,
    configuration::ROWS,
    engine::ROWS,
    files::ROWS,
    interfaces::ROWS,
    load::ROWS,
    logging::ROWS,
    mode::ROWS,
    ping::ROWS,
    power::ROWS,
    system::ROWS,
    tls::ROWS,
];

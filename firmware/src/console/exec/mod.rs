//! The EXEC commands, a file for each subject.

mod capture;
mod changes;
mod clock;
mod configuration;
mod conn;
mod drops;
mod engine;
mod files;
mod help;
mod interfaces;
mod ipv6;
mod load;
mod local_host;
mod logging;
mod mode;
mod nat;
mod objects;
mod ping;
mod power;
mod protection;
mod service_policy;
mod support;
mod system;
mod tls;
mod tracer;
mod traffic;
mod xlate;

pub(super) use clock::set_clock;
pub(super) use configuration::{document, save_error, write_memory};
pub(crate) use power::restart_as_planned;
pub(super) use system::serial_number;

use super::declare::Rows;

/// Every table.
pub(super) const TABLES: &[Rows] = &[
    capture::ROWS,
    changes::ROWS,
    clock::ROWS,
    configuration::ROWS,
    conn::ROWS,
    drops::ROWS,
    engine::ROWS,
    files::ROWS,
    help::ROWS,
    interfaces::ROWS,
    ipv6::ROWS,
    load::ROWS,
    local_host::ROWS,
    logging::ROWS,
    mode::ROWS,
    nat::ROWS,
    objects::ROWS,
    ping::ROWS,
    power::ROWS,
    service_policy::ROWS,
    protection::ROWS,
    support::ROWS,
    system::ROWS,
    tls::ROWS,
    tracer::ROWS,
    traffic::ROWS,
    xlate::ROWS,
];

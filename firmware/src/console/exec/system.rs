//! The box itself: version, memory, what a crash left.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::Captures;
use clock::format::ClockLine;

use crate::console::declare::{PRIVILEGED, Rows, USER, answer, show};
use crate::print as printers;
use crate::print::put_line;
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        USER,
        "show version",
        version,
        &[
            ("show", "Show running system information"),
            ("version", "Version of the firmware and the hardware"),
        ]
    ),
    show!(
        USER,
        "show mode",
        mode,
        &[("mode", "Security context mode")]
    ),
    show!(
        USER,
        "show firewall",
        firewall,
        &[("firewall", "Firewall mode")]
    ),
    show!(
        PRIVILEGED,
        "show inventory",
        inventory,
        &[("inventory", "The parts of the box and their serial numbers")]
    ),
    show!(
        USER,
        "show failover",
        failover,
        &[("failover", "Whether a second box stands by")]
    ),
    show!(
        PRIVILEGED,
        "show memory [detail]",
        memory,
        &[
            ("memory", "Use of memory"),
            ("detail", "With what was claimed at boot"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show crashinfo",
        crashinfo,
        &[("crashinfo", "What the last crash left behind"),]
    ),
    answer!(
        PRIVILEGED,
        "clear crashinfo",
        clear_crashinfo,
        &[("crashinfo", "Forget what the last crash left behind"),]
    ),
];

fn memory(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let (total, heap) = (core.budget.memory_bytes, (core.heap)());
    printers::system::memory(out, total, heap);
    if words.has("detail") {
        let budget = &core.budget;
        let in_use = [
            (core.pool.total() - core.pool.available()) as u64,
            u64::from(core.dataplane.conn_usage().in_use),
            core.federation.proxy().sessions().count() as u64,
        ];
        let access = core.dataplane.access_usage();
        printers::system::budget(out, budget, &core.claims, in_use, access, heap);
    }
}

fn inventory(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let serial = serial_number(core);
    let ports: Vec<_> = core
        .ports
        .iter()
        .map(|port| (port.model(), port.mac().0))
        .collect();
    let disk_bytes = core
        .disk
        .as_deref()
        .map(|disk| disk.sectors() * hal::disk::SECTOR_LEN as u64);
    printers::system::inventory(out, &serial, &ports, disk_bytes);
}

fn failover(_: &mut Core, _: &Captures<'_>, out: &mut String) {
    put_line!(out, "Failover Off");
}

fn mode(_: &mut Core, _: &Captures<'_>, out: &mut String) {
    put_line!(out, "Security context mode: single");
}

fn firewall(_: &mut Core, _: &Captures<'_>, out: &mut String) {
    put_line!(out, "Firewall mode: Router");
}

fn crashinfo(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    match &core.crash {
        Some(text) => put_line!(out, "{}", text.trim_end()),
        None => put_line!(out, "No crash file found."),
    }
}

fn clear_crashinfo(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    core.crash = None;
}

fn version(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let now = core.now();
    let modified = core.startup.modified_at.map(|at| {
        let unix_micros = core.wall.unix_micros(at) as i64;
        alloc::format!(
            "{}",
            ClockLine {
                rules: &core.zone,
                unix_micros
            }
        )
    });
    let ports: Vec<_> = core
        .ports
        .iter()
        .map(|port| (port.model(), port.mac().0))
        .collect();
    printers::system::version(
        out,
        &printers::system::Version {
            hostname: &core.config.hostname,
            uptime: now.since(hal::time::Instant::ZERO),
            memory_bytes: core.budget.memory_bytes,
            cpu: &core.cpu,
            origin: (&core.origin.0, core.origin.1),
            startup: &core.startup.report,
            has_startup: core.startup.was_found,
            serial: &serial_number(core),
            ports: &ports,
            modified: modified.as_deref(),
            modified_by: &core.startup.modified_by,
        },
    );
}

/// The serial number of the box: that of its first port.
pub(crate) fn serial_number(core: &Core) -> String {
    let mac = core
        .ports
        .first()
        .map(crate::ports::Port::mac)
        .unwrap_or_default();
    alloc::format!("SP{}", printers::hex_capitals(&mac.0))
}

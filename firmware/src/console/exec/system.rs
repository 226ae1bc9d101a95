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

fn memory(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let (total, heap) = (core.budget.memory_bytes, (core.heap)());
    printers::system::memory(out, total, &core.claims, heap);
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
            startup: &core.startup.report,
            ports: &ports,
            modified: modified.as_deref(),
        },
    );
}

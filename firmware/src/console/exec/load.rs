//! What the processor's time goes to.

use alloc::string::String;

use cli::grammar::Captures;

use crate::console::declare::{PRIVILEGED, Rows, show};
use crate::print::load as printers;
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show cpu [{usage|detailed}]",
        cpu,
        &[
            ("cpu", "Use of the processor"),
            ("usage", "In all"),
            ("detailed", "Packets apart from everything else"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show processes [cpu-usage {sorted|non-zero}*]",
        processes,
        &[
            ("processes", "Parts of the event loop, and their time"),
            ("cpu-usage", "Their shares of the processor"),
            ("sorted", "The busiest first"),
            ("non-zero", "Without those that did nothing"),
        ]
    ),
];

fn cpu(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    if words.has("detailed") {
        printers::detailed(out, &core.load);
    } else {
        printers::usage(out, &core.load);
    }
}

fn processes(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    if words.has("cpu-usage") {
        printers::processes_cpu(out, &core.load, words.has("sorted"), words.has("non-zero"));
    } else {
        printers::processes(out, &core.load);
    }
}

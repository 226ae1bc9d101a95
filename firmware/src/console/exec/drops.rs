//! `show asp drop`, `clear asp drop`.

use alloc::string::String;

use cli::grammar::Captures;
use clock::format::ClockLine;
use dataplane::DropReason;

use crate::console::declare::{EXEC, PRIVILEGED, Rows, show, talk};
use crate::console::session::{Gone, Session};
use crate::print as printers;
use crate::print::put_line;
use crate::state::{Cleared, Core};

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show asp drop [{frame|flow} [<reason:word>]]",
        asp_drop,
        &[
            ("asp", "The packet engine"),
            ("drop", "Why packets and flows were dropped"),
            ("frame", "Only packets"),
            ("flow", "Only flows"),
            ("reason", "Only those dropped for this reason"),
        ]
    )
    .example("show asp drop frame acl-drop"),
    talk!(
        EXEC,
        PRIVILEGED,
        "clear asp drop [{frame|flow}]",
        clear_asp_drop,
        &[
            ("asp", "The packet engine"),
            ("drop", "Zero the counters of what was dropped"),
            ("frame", "Only packets"),
            ("flow", "Only flows"),
        ]
    ),
];

fn asp_drop(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let only = match words.word("reason") {
        None => None,
        Some(name) => match DropReason::ALL.iter().find(|reason| reason.name() == name) {
            Some(&reason) => Some(reason),
            None => {
                put_line!(out, "ERROR: there is no drop reason {name}");
                return;
            }
        },
    };
    let dataplane = &core.dataplane;
    if !words.has("flow") {
        let count = |reason| dataplane.frame_drops(reason);
        let cleared = last_clearing(core, core.drops_cleared.frames.as_ref());
        printers::asp_drop::section(out, printers::asp_drop::FRAME, only, count, &cleared);
    }
    if !words.has("frame") {
        if !words.has("flow") {
            put_line!(out);
        }
        let count = |reason| dataplane.flow_drops(reason);
        let cleared = last_clearing(core, core.drops_cleared.flows.as_ref());
        printers::asp_drop::section(out, printers::asp_drop::FLOW, only, count, &cleared);
    }
}

fn last_clearing(core: &Core, cleared: Option<&Cleared>) -> String {
    let Some(cleared) = cleared else {
        return "Never".into();
    };
    let unix_micros = core.wall.unix_micros(cleared.at) as i64;
    let at = ClockLine {
        rules: &core.zone,
        unix_micros,
    };
    alloc::format!("{at} by {}", cleared.by)
}

async fn clear_asp_drop(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let by = session.name();
    let mut core = session.core();
    let cleared = Cleared { at: core.now(), by };
    if !words.has("flow") {
        core.dataplane.clear_frame_drops();
        core.drops_cleared.frames = Some(cleared.clone());
    }
    if !words.has("frame") {
        core.dataplane.clear_flow_drops();
        core.drops_cleared.flows = Some(cleared);
    }
    Ok(())
}

//! `show conn`, `clear conn`: the flow table, a few records at a time.

mod choice;

use alloc::string::String;
use core::ops::Range;

use cli::grammar::Captures;

use crate::console::declare::{EXEC, PRIVILEGED, Rows, show, talk};
use crate::console::report::Report;
use crate::console::session::{Gone, Session};
use crate::print::conn as printers;
use crate::state::Core;
use crate::tasks::yield_now;
pub(super) use choice::Choice;

/// Records looked at in one step: their lines are some ten kilobytes at most.
const RECORDS_PER_STEP: u32 = 256;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show conn count",
        count,
        &[
            ("conn", "Connections"),
            ("count", "Only how many there are"),
        ]
    ),
    talk!(
        EXEC,
        PRIVILEGED,
        "show conn {all|detail|long|state <states:word>|protocol {tcp|udp}|address <addresses:word> \
         [netmask <mask:mask>]|port <ports:word>}* $filter@filter",
        show_conns,
        &[
            ("all", "Those of the box itself as well"),
            ("detail", "With translated addresses and times, and a legend of the flags"),
            ("long", "The same, each connection on one line"),
            ("state", "Only those in one of some states"),
            (
                "states",
                "up, conn_inbound, data_in, data_out, finin, finout, tcp_embryonic, sip; several with commas",
            ),
            ("protocol", "Only those of a protocol"),
            ("tcp", "TCP"),
            ("udp", "UDP"),
            ("address", "Only those of some addresses, real or mapped"),
            ("addresses", "An address, or the first and the last with a hyphen"),
            ("netmask", "Only some bits of the address count"),
            ("mask", "Network mask"),
            ("port", "Only those of some ports, real or mapped"),
            ("ports", "A port, or the first and the last with a hyphen"),
        ]
    )
    .example("show conn state up,data_in protocol tcp address 10.20.0.0 netmask 255.255.255.0 long"),
    talk!(
        EXEC,
        PRIVILEGED,
        "clear conn {all|protocol {tcp|udp}|address <addresses:word> [netmask <mask:mask>]|port <ports:word>}*",
        clear_conns,
        &[
            ("clear", "Reset functions"),
            ("conn", "End connections"),
            ("all", "Those of the box itself as well"),
            ("protocol", "Only those of a protocol"),
            ("tcp", "TCP"),
            ("udp", "UDP"),
            ("address", "Only those of some addresses, real or mapped"),
            ("addresses", "An address, or the first and the last with a hyphen"),
            ("netmask", "Only some bits of the address count"),
            ("mask", "Network mask"),
            ("port", "Only those of some ports, real or mapped"),
            ("ports", "A port, or the first and the last with a hyphen"),
        ]
    )
    .example("clear conn address 10.20.0.11 port sip"),
];

/// The records below `limit` in steps of `step`.
pub(super) fn steps(limit: u32, step: u32) -> impl Iterator<Item = Range<u32>> {
    (0..limit)
        .step_by(step as usize)
        .map(move |first| first..first.saturating_add(step).min(limit))
}

fn count(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    printers::usage(out, core.dataplane.conn_usage());
}

async fn show_conns(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let choice = match Choice::of(words) {
        Ok(choice) => choice,
        Err(text) => return session.say(&text).await,
    };
    let Some(mut report) = Report::begin(session, words).await? else {
        return Ok(());
    };
    let write = match words.one_of(&["detail", "long"]) {
        Some("detail") => printers::detail,
        Some(_) => printers::long,
        None => printers::brief,
    };
    let mut text = String::new();
    let usage = {
        let mut core = session.core();
        core.settle();
        core.dataplane.conn_usage()
    };
    printers::usage(&mut text, usage);
    if words.has("detail") || words.has("long") {
        printers::legend(&mut text);
    }
    for records in steps(usage.limit, RECORDS_PER_STEP) {
        {
            let core = session.core();
            let conns = core.dataplane.conns_within(records, core.now());
            for conn in conns.filter(|conn| choice.chooses(conn)) {
                write(&mut text, &core.dataplane, &conn);
            }
        }
        if !report.show(session, &text).await? {
            return Ok(());
        }
        text.clear();
        yield_now().await;
    }
    report.end(session).await
}

async fn clear_conns(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let choice = match Choice::of(words) {
        Ok(choice) => choice,
        Err(text) => return session.say(&text).await,
    };
    let count = clear(session, |conn| choice.chooses(conn)).await;
    session
        .say(&alloc::format!("{count} connection(s) deleted.\n"))
        .await
}

/// Ends the connections that `which` chooses; returns how many.
pub(super) async fn clear(
    session: &mut Session,
    which: impl Fn(&dataplane::ConnView) -> bool,
) -> u32 {
    let mut count = 0;
    let limit = session.core().dataplane.conn_usage().limit;
    for records in steps(limit, RECORDS_PER_STEP) {
        {
            let mut core = session.core();
            let now = core.now();
            count += core.dataplane.clear_conns_within(records, &which, now);
        }
        yield_now().await;
    }
    count
}

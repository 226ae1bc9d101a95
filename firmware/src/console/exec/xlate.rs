//! `show xlate`, `clear xlate`: translations, a few records at a time.

use alloc::string::String;

use cli::grammar::Captures;

use super::conn::steps;
use crate::console::declare::{EXEC, PRIVILEGED, Rows, answer, show, talk};
use crate::console::report::Report;
use crate::console::session::{Gone, Session};
use crate::print as printers;
use crate::print::put_line;
use crate::state::Core;
use crate::tasks::yield_now;

/// Records looked at in one step.
const RECORDS_PER_STEP: u32 = 256;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show xlate count",
        count,
        &[
            ("xlate", "Translations in use"),
            ("count", "Only how many there are"),
        ]
    ),
    talk!(
        EXEC,
        PRIVILEGED,
        "show xlate $filter@filter",
        show_xlates,
        &[("xlate", "Translations in use")]
    ),
    answer!(
        PRIVILEGED,
        "clear xlate",
        clear,
        &[("xlate", "Remove translations and end their connections"),]
    ),
];

fn count(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    printers::conn::usage(out, core.dataplane.xlate_usage());
}

async fn show_xlates(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let Some(mut report) = Report::begin(session, words).await? else {
        return Ok(());
    };
    let mut text = String::new();
    let limit = {
        let mut core = session.core();
        core.settle();
        printers::conn::usage(&mut text, core.dataplane.xlate_usage());
        core.dataplane.xlate_records()
    };
    printers::xlate::legend(&mut text);
    let mut was_static = false;
    for records in steps(limit, RECORDS_PER_STEP) {
        {
            let core = session.core();
            let policy = core.dataplane.policy();
            for xlate in core.dataplane.xlates_within(records, core.now()) {
                // Static entries end with an empty line where dynamic ones begin.
                if was_static && !xlate.is_static {
                    put_line!(&mut text);
                }
                was_static = xlate.is_static;
                printers::xlate::xlate(&mut text, policy, &xlate);
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

fn clear(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let now = core.now();
    let count = core.dataplane.clear_xlates(now);
    put_line!(out, "INFO: {count} connection(s) ended");
}

//! What was logged, and where messages go.

use alloc::string::String;

use cli::grammar::Captures;

use crate::console::declare::{PRIVILEGED, Rows, answer, show};
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show logging [{setting|queue}]",
        logging,
        &[
            ("logging", "Settings of logging and the buffered messages"),
            ("setting", "Only the settings"),
            ("queue", "The queue to the syslog servers"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show logging message [{all|<number:100000-999999>}]",
        message,
        &[
            ("message", "Levels of messages that were changed"),
            ("all", "Of every message"),
            ("number", "Of the message of this number"),
        ]
    ),
    answer!(
        PRIVILEGED,
        "clear logging buffer",
        clear,
        &[
            ("logging", "Logged messages"),
            ("buffer", "Empty the buffer"),
        ]
    ),
];

fn logging(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    match words.one_of(&["setting", "queue"]) {
        Some("setting") => syslog::show::setting(out, &core.logger),
        Some(_) => syslog::show::queue(out, &core.logger),
        None => syslog::show::logging(out, &core.logger),
    }
}

fn message(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let settings = core.logger.settings();
    if words.has("all") {
        syslog::show::all_messages(out, settings);
    } else {
        syslog::show::messages(out, settings, words.number("number"));
    }
}

fn clear(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    core.logger.clear_buffer();
}

//! Commands about the session: privilege, modes, terminal.

use alloc::string::String;

use cli::grammar::{Captures, No};

use crate::console::declare::{EXEC, PRIVILEGED, Rows, USER, about, talk};
use crate::console::session::{Gone, Session, UNPRIVILEGED};
use crate::print::put;

pub(super) const ROWS: Rows = &[
    // Also within configuration mode: a client whose line was refused begins anew without leaving.
    talk!(
        EXEC,
        PRIVILEGED,
        "configure [terminal]",
        configure_terminal,
        &[
            ("configure", "Configure using various methods"),
            ("terminal", "Configure from the terminal"),
        ]
    ),
    talk!(
        EXEC,
        USER,
        "terminal pager [lines] <count:0-2147483647>",
        terminal_pager,
        &[
            ("terminal", "Set terminal parameters of this session"),
            ("pager", "Lines shown before --More--"),
            ("lines", "Lines shown before --More--"),
            ("count", "Number of lines, 0 for no pause"),
        ]
    )
    .no(No::Syntax("terminal pager"))
    .example("terminal pager 0"),
    about!(
        USER,
        "show curpriv",
        curpriv,
        &[("curpriv", "Current privilege level")]
    ),
    about!(
        USER,
        "show history",
        history,
        &[("history", "Commands of this session")]
    ),
];

async fn configure_terminal(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    session.configure_terminal();
    Ok(())
}

fn curpriv(session: &Session, out: &mut String) {
    let (user, level) = (session.name(), session.privilege());
    let mode = if level > UNPRIVILEGED {
        "P_PRIV"
    } else {
        "P_UNPR"
    };
    put!(
        out,
        "Username : {user}\nCurrent privilege level : {level}\nCurrent Mode/s : {mode}\n"
    );
}

fn history(session: &Session, out: &mut String) {
    out.push_str(&session.history());
}

async fn terminal_pager(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    // Its `no` form means no pause at all, not the default of 24 lines.
    let lines = if words.negated() {
        Some(0)
    } else {
        words.number("count")
    };
    session.set_pager(lines);
    Ok(())
}

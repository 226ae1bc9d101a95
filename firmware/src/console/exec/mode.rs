//! Commands about the session: privilege, modes, terminal.

use alloc::string::String;

use cli::grammar::Captures;

use crate::console::declare::{EXEC, EXEC_ONLY, PRIVILEGED, Rows, USER, about, talk};
use crate::console::session::{Gone, Session, UNPRIVILEGED};
use crate::print::put;

pub(super) const ROWS: Rows = &[
    talk!(
        EXEC_ONLY,
        USER,
        "enable [<level:0-15>]",
        enable,
        &[
            ("enable", "Turn on privileged commands"),
            ("level", "Privilege level"),
        ]
    ),
    talk!(
        EXEC_ONLY,
        PRIVILEGED,
        "disable",
        disable,
        &[("disable", "Exit from privileged mode")]
    ),
    talk!(
        EXEC_ONLY,
        USER,
        "{exit|logout|quit}",
        leave,
        &[
            ("exit", "Exit from the EXEC"),
            ("logout", "Exit from the EXEC"),
            ("quit", "Exit from the EXEC"),
        ]
    ),
    talk!(
        EXEC,
        USER,
        "help",
        help,
        &[("help", "Description of the interactive help system")]
    ),
    talk!(
        EXEC_ONLY,
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
    ),
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

/// Wrong passwords taken before the command is given up.
const PASSWORD_TRIES: usize = 3;

/// Bounds of a new password, in characters.
const PASSWORD_LENGTHS: core::ops::RangeInclusive<usize> = 3..=127;

async fn enable(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    let hash = session.core().config.enable_password.clone();
    let Some(hash) = hash else {
        return set_first_password(session).await;
    };
    for _ in 0..PASSWORD_TRIES {
        let typed = session.password("Password: ").await?;
        if hash.verify(typed.as_bytes()) {
            session.set_privilege(PRIVILEGED);
            return Ok(());
        }
        session.say("Invalid password\n").await?;
    }
    session.say("Access denied.\n").await
}

/// On a box without a password the first `enable` sets one.
async fn set_first_password(session: &mut Session) -> Result<(), Gone> {
    session
        .say("The enable password is not set.  Please set it now.\n")
        .await?;
    for _ in 0..PASSWORD_TRIES {
        let first = session.password("Enter  Password: ").await?;
        if !PASSWORD_LENGTHS.contains(&first.chars().count()) {
            session
                .say("ERROR: The password must have 3 to 127 characters.\n")
                .await?;
            continue;
        }
        let second = session.password("Repeat Password: ").await?;
        if *first != *second {
            session.say("ERROR: The passwords do not match.\n").await?;
            continue;
        }
        {
            let mut core = session.core();
            let mut salt = [0; config::password::SALT_LEN];
            core.entropy.fill(&mut salt);
            let hash = config::password::PasswordHash::of(first.as_bytes(), salt);
            core.config.enable_password = Some(hash);
            core.note_change();
        }
        session.set_privilege(PRIVILEGED);
        return session
            .say(
                "Note: Save your configuration so that the password persists across reboots\n\
                 (\"write memory\" or \"copy running-config startup-config\").\n",
            )
            .await;
    }
    session.say("Access denied.\n").await
}

async fn disable(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    session.set_privilege(UNPRIVILEGED);
    Ok(())
}

async fn leave(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    session.say("\nLogoff\n\n").await?;
    Err(Gone)
}

async fn help(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    session.say(HELP).await
}

const HELP: &str = "\
Help may be requested at any point in a command by entering a question mark '?'.

Tab completes a word. Keywords may be shortened to any unique beginning.
Ctrl-A/Ctrl-E go to the start or the end of the line, Ctrl-P/Ctrl-N through the
history, Ctrl-U and Ctrl-K delete, Ctrl-Z leaves configuration mode.
";

async fn configure_terminal(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    session.configure_terminal();
    Ok(())
}

fn curpriv(session: &Session, out: &mut String) {
    let (user, level, mode) = match session.privilege() {
        PRIVILEGED => ("enable_15", 15, "P_PRIV"),
        _ => ("enable_1", 1, "P_UNPR"),
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
    session.set_pager(words.number("count"));
    Ok(())
}

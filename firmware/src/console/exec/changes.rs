//! Changing the configuration as a whole: sessions, commits, whole replacement, rehearsals.
//!
//! ```text
//! configure session NAME ──lines──▶ candidate ──commit───────────────▶ running
//!                                       │     ──commit confirmed N──▶ running, before after N minutes
//!                                       └──abort──▶ forgotten             └──commit──▶ kept
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::Captures;
use config::Config;
use config::diff::{self, Change};
use config::print::{Secrets, print};
use config::script::Script;

use crate::change::CONFIRM_MINUTES_MAX;
use crate::console::declare::{EXEC, EXEC_ONLY, PRIVILEGED, Rows, show, talk};
use crate::console::place::{self, Place};
use crate::console::rehearsal::rehearse;
use crate::console::session::{Gone, Session};
use crate::print::put_line;
use crate::state::Core;

/// Name of a configuration session that is given none.
const UNNAMED: &str = "console";

pub(super) const ROWS: Rows = &[
    talk!(
        EXEC_ONLY,
        PRIVILEGED,
        "configure session [<name:word(31)>]",
        open,
        &[
            ("configure", "Configure using various methods"),
            ("session", "Edit a copy that is committed as a whole"),
            ("name", "Name of the session"),
        ]
    ),
    talk!(
        EXEC_ONLY,
        PRIVILEGED,
        "configure replace {startup-config|<source:word>} {force|noconfirm|confirmed <minutes:1-1440>}*",
        replace,
        &[
            (
                "replace",
                "Put a whole configuration in place of the running one"
            ),
            ("startup-config", "The configuration used at the next start"),
            ("source", "A file: disk0:/NAME; or terminal:"),
            ("force", "Leave refused lines out"),
            ("noconfirm", "Do not ask"),
            (
                "confirmed",
                "Take it back unless 'commit' is entered in time"
            ),
            ("minutes", "Minutes to wait"),
        ]
    )
    .example("configure replace disk0:/golden.cfg confirmed 10"),
    talk!(
        EXEC,
        PRIVILEGED,
        "commit {confirmed <minutes:1-1440>|noconfirm}*",
        commit,
        &[
            (
                "commit",
                "Put a configuration session in force, or keep what waits for it"
            ),
            (
                "confirmed",
                "Take it back unless 'commit' is entered again in time"
            ),
            ("minutes", "Minutes to wait"),
            ("noconfirm", "Do not ask"),
        ]
    )
    .example("commit confirmed 5"),
    talk!(
        EXEC,
        PRIVILEGED,
        "abort",
        abort,
        &[(
            "abort",
            "Forget a configuration session, or take back a commit that waits",
        )]
    ),
    talk!(
        EXEC_ONLY,
        PRIVILEGED,
        "dry-run [{startup-config|<source:word>}]",
        dry_run,
        &[
            (
                "dry-run",
                "Tell what each line of a text would do, and change nothing"
            ),
            ("startup-config", "The configuration used at the next start"),
            ("source", "A file: disk0:/NAME; or terminal:, the default"),
        ]
    ),
    talk!(
        EXEC,
        PRIVILEGED,
        "clear configuration session [<name:word>]",
        clear,
        &[
            ("clear", "Reset functions"),
            ("configuration", "Configuration"),
            ("session", "Forget configuration sessions"),
            ("name", "Only the one of this name"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show configuration session [<name:word>]",
        sessions,
        &[
            ("configuration", "Saved and edited configurations"),
            ("session", "Configuration sessions and their lines"),
            ("name", "Only the one of this name"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show configuration diff [session <name:word>]",
        difference,
        &[
            (
                "diff",
                "What differs between the startup and the running configuration",
            ),
            ("session", "What a configuration session would change"),
        ]
    ),
];

async fn open(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let name = words.word("name").unwrap_or(UNNAMED);
    let opened = {
        let mut core = session.core();
        let core = &mut *core;
        core.drafts.open(name, &core.config, core.changes)
    };
    match opened {
        Ok(()) => {
            session.enter_draft(name);
            Ok(())
        }
        Err(error) => session.say(&alloc::format!("{error}\n")).await,
    }
}

async fn commit(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let minutes = words.number("minutes");
    let Some(name) = session.draft().map(String::from) else {
        let waits = session.core().unconfirmed.is_some();
        let text = match (minutes, waits) {
            (_, false) => {
                "ERROR: nothing waits for 'commit'; 'configure session' begins a session\n"
            }
            (Some(_), true) => "ERROR: a commit waits for its confirmation already\n",
            (None, true) => {
                session.core().confirm();
                "INFO: confirmed; 'write memory' keeps it over a restart\n"
            }
        };
        return session.say(text).await;
    };
    if session.core().unconfirmed.is_some() {
        return session
            .say(
                "ERROR: an earlier commit waits for its confirmation; leave the session and enter \
                 'commit' or 'abort'\n",
            )
            .await;
    }
    let is_empty = (session.core().drafts.get(&name)).is_some_and(|draft| draft.text().is_empty());
    if is_empty {
        return session
            .say("ERROR: nothing was entered in the configuration session\n")
            .await;
    }
    let Some(candidate) = candidate(session, &name).await? else {
        return Ok(());
    };
    let by = session.name();
    {
        let mut core = session.core();
        core.replace_running(candidate, minutes, &by);
        core.drafts.remove(&name);
    }
    session.leave_configuration();
    let text = match minutes {
        Some(minutes) => alloc::format!(
            "INFO: in force; taken back in {minutes} minute(s) unless 'commit' is entered\n"
        ),
        None => String::from("INFO: in force; 'write memory' keeps it over a restart\n"),
    };
    session.say(&text).await
}

/// What the session `name` makes of the running configuration; says why if it cannot be.
async fn candidate(session: &mut Session, name: &str) -> Result<Option<Config>, Gone> {
    // The candidate as it stands; or the running configuration and the lines to be entered again.
    let found = {
        let core = session.core();
        core.drafts.get(name).map(|draft| {
            if draft.base == core.changes {
                return (draft.candidate.clone(), None);
            }
            let text = zeroize::Zeroizing::new(String::from(draft.text()));
            (core.config.clone(), Some(text))
        })
    };
    let (running, text) = match found {
        Some((candidate, None)) => return Ok(Some(candidate)),
        Some((running, Some(text))) => (running, text),
        None => {
            session
                .say("ERROR: the configuration session was removed\n")
                .await?;
            return Ok(None);
        }
    };
    let outcome = rehearse(session, Script::typed(&text), running).await?;
    match outcome.first_refused() {
        None => Ok(Some(outcome.config)),
        Some(problem) => {
            let text = alloc::format!(
                "ERROR: the running configuration was changed since the session began, and a line of \
                 it is refused now:\n{problem}ERROR: nothing was changed\n"
            );
            session.say(&text).await?;
            Ok(None)
        }
    }
}

async fn abort(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    if let Some(name) = session.draft().map(String::from) {
        session.core().drafts.remove(&name);
        session.leave_configuration();
        return Ok(());
    }
    let taken_back = session.core().take_back();
    session
        .say(match taken_back {
            Some(_) => "INFO: the commit has been taken back\n",
            None => "ERROR: nothing waits for its confirmation\n",
        })
        .await
}

async fn clear(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let text = {
        let mut core = session.core();
        match words.word("name") {
            Some(name) => match core.drafts.remove(name) {
                true => String::new(),
                false => alloc::format!("ERROR: there is no configuration session {name}\n"),
            },
            None => {
                let count = core.drafts.clear();
                alloc::format!("INFO: {count} configuration session(s) removed\n")
            }
        }
    };
    session.say(&text).await
}

async fn replace(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    if session.core().unconfirmed.is_some() {
        return session
            .say("ERROR: a commit waits for its confirmation; 'commit' or 'abort' first\n")
            .await;
    }
    let Some(text) = source(session, words).await? else {
        return Ok(());
    };
    let factory = session.core().factory();
    let outcome = rehearse(session, Script::whole(&text), factory).await?;
    let mut report = String::new();
    outcome.complain(&mut report);
    session.page(&report).await?;
    if outcome.tally.refused > 0 && !words.has("force") {
        return session
            .say(&alloc::format!(
                "ERROR: {} line(s) are refused, nothing was changed; 'force' leaves them out\n",
                outcome.tally.refused
            ))
            .await;
    }
    let (is_same, changes) = {
        let core = session.core();
        (core.config == outcome.config, core.changes)
    };
    if is_same {
        return session.say("INFO: nothing differs\n").await;
    }
    if !words.has("noconfirm") {
        let shown = {
            let core = session.core();
            between(&core.config, &outcome.config)
        };
        session.page(&shown).await?;
        if !session
            .confirm("Replace the running configuration? [confirm]")
            .await?
        {
            return Ok(());
        }
    }
    let by = session.name();
    let minutes = words.number("minutes");
    let is_done = session
        .core()
        .replace_unchanged(changes, outcome.config, minutes, &by);
    session
        .say(match (is_done, minutes) {
            (false, _) => "ERROR: the running configuration was changed meanwhile; try again\n",
            (true, Some(_)) => "INFO: in force; taken back unless 'commit' is entered in time\n",
            (true, None) => "INFO: in force; 'write memory' keeps it over a restart\n",
        })
        .await
}

async fn dry_run(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let Some(text) = source(session, words).await? else {
        return Ok(());
    };
    let running = session.core().config.clone();
    let outcome = rehearse(session, Script::pasted(&text), running).await?;
    let mut report = String::new();
    outcome.report(&mut report);
    session.page(&report).await
}

/// The text that a command names; says so if there is none.
async fn source(
    session: &mut Session,
    words: &Captures<'_>,
) -> Result<Option<zeroize::Zeroizing<String>>, Gone> {
    let place = match (words.has("startup-config"), words.word("source")) {
        (true, _) => Ok(Place::Startup),
        (false, None) => Ok(Place::Terminal),
        (false, Some(word)) => Place::parse(word),
    };
    match place {
        Ok(place) => place::read_text(session, &place).await,
        Err(error) => {
            session.say(&alloc::format!("{error}\n")).await?;
            Ok(None)
        }
    }
}

fn sessions(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = words.word("name");
    let mut found = false;
    for (name, draft) in core.drafts.iter() {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        found = true;
        put_line!(out, "config-session {name}");
        for line in draft.text().lines() {
            put_line!(out, " {}", config::print::masked(line));
        }
    }
    if let (Some(name), false) = (wanted, found) {
        put_line!(out, "ERROR: there is no configuration session {name}");
    }
    if let Some(waiting) = &core.unconfirmed {
        let left = waiting.deadline.since(core.now()).as_secs();
        put_line!(
            out,
            "A commit of {} waits for its confirmation: {left} of {} seconds are left",
            waiting.by,
            waiting.minutes * 60
        );
    }
}

fn difference(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    if let Some(name) = words.word("name") {
        match core.drafts.get(name) {
            Some(draft) => {
                out.push_str(&between(&core.config, &draft.candidate));
            }
            None => put_line!(out, "ERROR: there is no configuration session {name}"),
        }
        return;
    }
    let Some(startup) = &core.startup.text else {
        put_line!(out, "No Configuration");
        return;
    };
    // Both as they are saved, so that a changed key shows; then keys are hidden.
    let running = print(&core.config, Secrets::Shown);
    let statements = config::text::statements(startup);
    let lines = diff::diff(statements, running.iter().map(String::as_str));
    let lines: Vec<(Change, String)> = lines
        .into_iter()
        .map(|(change, line)| (change, config::print::masked(line)))
        .collect();
    let lines: Vec<(Change, &str)> = lines
        .iter()
        .map(|(change, line)| (*change, line.as_str()))
        .collect();
    out.push_str(&diff::write(&lines));
}

/// What differs between two configurations, as text.
fn between(old: &Config, new: &Config) -> String {
    let (old, new) = (print(old, Secrets::Masked), print(new, Secrets::Masked));
    diff::write(&diff::diff(
        old.iter().map(String::as_str),
        new.iter().map(String::as_str),
    ))
}

// The syntax above and the bound must say the same.
const _: () = assert!(CONFIRM_MINUTES_MAX == 1440);

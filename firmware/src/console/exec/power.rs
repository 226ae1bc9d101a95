//! Restarting and switching off.

use cli::grammar::Captures;

use super::configuration::write_memory;
use crate::console::declare::{EXEC, POWER, PRIVILEGED, Rows, talk};
use crate::console::line;
use crate::console::session::{Gone, Session};

pub(super) const ROWS: Rows = &[
    talk!(
        EXEC,
        PRIVILEGED,
        "reload [noconfirm]",
        reload,
        &[("reload", "Restart the box"), ("noconfirm", "Do not ask"),]
    ),
    talk!(
        POWER,
        PRIVILEGED,
        "shutdown [noconfirm]",
        shutdown,
        &[
            ("shutdown", "Switch the box off"),
            ("noconfirm", "Do not ask"),
        ]
    ),
];

async fn reload(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    if !words.has("noconfirm") {
        let would_lose_changes = {
            let core = session.core();
            core.startup.is_modified && core.has_store()
        };
        if would_lose_changes {
            let answer = session
                .ask("System config has been modified. Save? [Y]es/[N]o:  ")
                .await?;
            if answer.trim().to_ascii_lowercase().starts_with('y') {
                write_memory(session).await?;
            }
        }
        if !session.confirm("Proceed with reload? [confirm]").await? {
            return Ok(());
        }
    }
    session
        .core()
        .log(&syslog::Message::Reloading { origin: "console" });
    farewell(session).await?;
    session.core().reset();
    Err(Gone)
}

async fn shutdown(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    if !words.has("noconfirm") && !session.confirm("Switch the box off? [confirm]").await? {
        return Ok(());
    }
    farewell(session).await?;
    session.core().power_off();
    Err(Gone)
}

/// What is said before the line goes dead; returns when it has been sent.
async fn farewell(session: &mut Session) -> Result<(), Gone> {
    session
        .say("\n\n***\n*** --- START GRACEFUL SHUTDOWN ---\n***\n*** --- SHUTDOWN NOW ---\n")
        .await?;
    line::drain(session.shared()).await;
    Ok(())
}

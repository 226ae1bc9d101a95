//! The configuration as a whole: shown, saved, erased.

use alloc::string::String;

use cli::grammar::Captures;
use config::Config;
use config::print::{self, Cryptochecksum, Extent, Heading, Secrets, Selection};
use syslog::Message;
use syslog::message::field::Outcome;

use super::clock::clock_line;
use crate::console::declare::{EXEC, PRIVILEGED, Rows, USER, show, talk};
use crate::console::session::{Gone, Session};
use crate::print as printers;
use crate::print::put_line;
use crate::state::{Core, SaveError};
use crate::tasks::yield_now;

pub(super) const ROWS: Rows = &[
    talk!(
        EXEC,
        PRIVILEGED,
        "write [memory]",
        save,
        &[
            ("write", "Write the running configuration"),
            ("memory", "Save it to be used at the next start"),
        ]
    ),
    talk!(
        EXEC,
        PRIVILEGED,
        "write terminal",
        write_terminal,
        &[("terminal", "Show it")]
    ),
    talk!(
        EXEC,
        PRIVILEGED,
        "write erase",
        erase,
        &[("erase", "Erase the saved configuration and the saved keys"),]
    ),
    show!(
        USER,
        "show checksum",
        checksum,
        &[("checksum", "Checksum of the running configuration"),]
    ),
    show!(
        PRIVILEGED,
        "show running-config [all] [$section@section]",
        running_config,
        &[
            ("running-config", "The configuration in force"),
            ("all", "With the settings that are at their default"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show startup-config",
        startup_config,
        &[("startup-config", "The configuration used at the next start"),]
    ),
];

/// The whole running configuration; with the name of who writes it, as it is saved.
pub(crate) fn document(core: &Core, secrets: Secrets, written_by: Option<&str>) -> String {
    document_of(core, &core.config, Extent::Configured, secrets, written_by)
}

/// A configuration with heading, checksum and end mark, as this box prints it.
pub(super) fn document_of(
    core: &Core,
    config: &Config,
    extent: Extent,
    secrets: Secrets,
    written_by: Option<&str>,
) -> String {
    let hardware = hardware(core);
    let written = written_by.map(|by| alloc::format!("{by} at {}", clock_line(core)));
    let heading = Heading {
        saved: true,
        hardware: &hardware,
        written: written.as_deref(),
        version: printers::system::VERSION,
    };
    print::document(config, &heading, extent, secrets)
}

fn hardware(core: &Core) -> String {
    alloc::format!(
        "x86-64, {} MB RAM, CPU {}",
        core.budget.memory_bytes >> 20,
        core.cpu
    )
}

fn running_config(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let extent = match words.has("all") {
        true => Extent::All,
        false => Extent::Configured,
    };
    let Some(selection) = Selection::of(&words.group("section")) else {
        let document = document_of(core, &core.config, extent, Secrets::Masked, None);
        out.push_str(&document);
        return;
    };
    for line in print::print_selection(&core.config, Some(&selection), extent, Secrets::Masked) {
        put_line!(out, "{line}");
    }
}

fn startup_config(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    match &core.startup.text {
        Some(text) => out.push_str(text),
        None => put_line!(out, "No Configuration"),
    }
}

fn checksum(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let checksum = Cryptochecksum::of_config(&core.config);
    put_line!(out, "Cryptochecksum: {checksum}");
}

async fn write_terminal(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    let text = document(&session.core(), Secrets::Masked, None);
    session.page(&text).await
}

async fn save(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    write_memory(session).await
}

/// `write memory`. What was saved before stays if this fails.
pub(in crate::console) async fn write_memory(session: &mut Session) -> Result<(), Gone> {
    if session.core().unconfirmed.is_some() {
        return session
            .say(
                "ERROR: a commit waits for its confirmation; 'commit' to keep it or 'abort' to take it \
                 back\n[FAILED]\n",
            )
            .await;
    }
    let by = session.name();
    session.say("Building configuration...\n").await?;
    // In steps, so that packets pass in between; nobody else changes the configuration meanwhile.
    let started = session.core().now();
    let text = document(&session.core(), Secrets::Shown, Some(&by));
    yield_now().await;
    let (checksum, length) = (Cryptochecksum::of_document(&text), text.len());
    let (outcome, took) = {
        let mut core = session.core();
        core.log(&Message::SaveBegun { who: WHO });
        let outcome = core.save(text);
        core.log(&ended(&outcome));
        (outcome, core.now().since(started))
    };
    match outcome {
        Ok(()) => {
            let copied = printers::files::Copied(length as u64, took);
            let checksum = checksum.map_or(String::new(), |sum| alloc::format!("{sum}"));
            session
                .say(&alloc::format!(
                    "Cryptochecksum: {checksum}\n\n{copied}\n[OK]\n"
                ))
                .await
        }
        Err(error) => session.say(&save_error(error)).await,
    }
}

/// Where commands come from, in messages.
const WHO: &str = "console";

/// That saving or erasing is over.
const fn ended(outcome: &Result<(), SaveError>) -> Message<'static> {
    Message::ConfigurationEnded {
        who: WHO,
        outcome: match outcome {
            Ok(()) => Outcome::Ok,
            Err(_) => Outcome::Failed,
        },
    }
}

pub(in crate::console) fn save_error(error: SaveError) -> String {
    match error {
        SaveError::NoDisk => String::from(
            "ERROR: there is no disk to save to; the configuration will be lost at the next start\n[FAILED]\n",
        ),
        SaveError::Store(error) => alloc::format!("ERROR: {error}\n[FAILED]\n"),
    }
}

async fn erase(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    if !session
        .confirm("Erase configuration in flash memory? [confirm]")
        .await?
    {
        return Ok(());
    }
    let outcome = {
        let mut core = session.core();
        core.log(&Message::ConfigurationErased { who: WHO });
        let outcome = core.erase();
        core.log(&ended(&outcome));
        outcome
    };
    match outcome {
        Ok(()) => session.say("[OK]\n").await,
        Err(error) => session.say(&save_error(error)).await,
    }
}

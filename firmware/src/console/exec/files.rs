//! Files on `disk0:`, and `copy` between them, the configurations, the terminal and the line.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use cli::grammar::Captures;
use clock::format::FileDate;
use config::print::{Extent, Secrets};
use config::script::Script;

use super::configuration::{document, document_of, save_error, write_memory};
use crate::console::declare::{EXEC, PRIVILEGED, Rows, answer, show, talk};
use crate::console::place::{self, Place};
use crate::console::rehearsal::rehearse;
use crate::console::session::{Gone, Session};
use crate::console::transfer::{self, Received};
use crate::flash::FlashError;
use crate::print::{self as printers, put_line};
use crate::state::Core;
use crate::tasks::yield_now;

/// Bytes of a file read, hashed or copied in one step.
const BLOCK: usize = 16 << 10;

pub(super) const ROWS: Rows = &[
    talk!(
        EXEC,
        PRIVILEGED,
        "copy [/noconfirm] {running-config|startup-config|<source:word>} \
         {running-config|startup-config|<destination:word>} [stop-on-error]",
        copy,
        &[
            ("copy", "Copy from one place to another"),
            ("/noconfirm", "Do not ask"),
            ("running-config", "The configuration in force"),
            ("startup-config", "The configuration used at the next start"),
            ("source", "disk0:/NAME, terminal: or xmodem:"),
            ("destination", "disk0:/NAME, terminal: or xmodem:"),
            (
                "stop-on-error",
                "Change nothing if a line is refused, instead of leaving it out",
            ),
        ]
    )
    .example("copy running-config disk0:/before-window.cfg"),
    show!(
        PRIVILEGED,
        "dir [<device:word>]",
        dir,
        &[
            ("dir", "List the files of the disk"),
            ("device", "disk0: or flash:"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show {flash:|disk0:}",
        dir,
        &[
            ("flash:", "The files of the disk"),
            ("disk0:", "The files of the disk"),
        ]
    )
    .example("show flash:"),
    talk!(
        EXEC,
        PRIVILEGED,
        "more <source:word>",
        more,
        &[
            ("more", "Show the content of a file"),
            ("source", "disk0:/NAME or system:running-config"),
        ]
    )
    .example("more system:running-config"),
    talk!(
        EXEC,
        PRIVILEGED,
        "delete [/noconfirm] <name:word>",
        delete,
        &[
            ("delete", "Delete a file"),
            ("/noconfirm", "Do not ask"),
            ("name", "disk0:/NAME"),
        ]
    )
    .example("delete disk0:/old.cfg"),
    talk!(
        EXEC,
        PRIVILEGED,
        "rename [/noconfirm] <name:word> <new:word>",
        rename,
        &[
            ("rename", "Give a file another name"),
            ("/noconfirm", "Do not ask"),
            ("name", "disk0:/NAME"),
            ("new", "disk0:/NAME"),
        ]
    )
    .example("rename old.cfg older.cfg"),
    talk!(
        EXEC,
        PRIVILEGED,
        "verify <name:word>",
        verify,
        &[
            ("verify", "Show the hashes of a file"),
            ("name", "disk0:/NAME"),
        ]
    )
    .example("verify disk0:/node.pem"),
    answer!(
        PRIVILEGED,
        "pwd",
        pwd,
        &[("pwd", "Show the present directory")]
    ),
];

/// The file that a word names.
fn file_name(word: Option<&str>) -> Result<String, String> {
    match Place::parse(word.unwrap_or_default()) {
        Ok(Place::File(name)) => Ok(name),
        Ok(_) => Err(String::from("ERROR: that is no file; use disk0:/NAME\n")),
        Err(error) => Err(alloc::format!("{error}\n")),
    }
}

fn dir(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    if let Some(device) = words.word("device")
        && Place::parse(device) != Ok(Place::File(String::new()))
    {
        put_line!(out, "ERROR: there is no directory {device}; use disk0:");
        return;
    }
    match (core.file_list(), core.file_totals()) {
        (Ok(files), Ok(totals)) => printers::files::directory(out, files, totals, |unix_secs| {
            let rules = &core.zone;
            let unix_secs = i64::try_from(unix_secs).unwrap_or(i64::MAX);
            alloc::format!("{}", FileDate { rules, unix_secs })
        }),
        (Err(error), _) | (_, Err(error)) => put_line!(out, "ERROR: {error}"),
    }
}

fn pwd(_: &mut Core, _: &Captures<'_>, out: &mut String) {
    put_line!(out, "disk0:/");
}

async fn verify(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let name = match file_name(words.word("name")) {
        Ok(name) => name,
        Err(text) => return session.say(&text).await,
    };
    let mut hashed = Received::new();
    let read = read_blocks(session, &name, |_, block| {
        hashed.add(block);
        Ok(())
    })
    .await;
    let mut text = String::new();
    match read {
        Ok(bytes) => {
            put_line!(&mut text, "disk0:/{name}: {bytes} bytes");
            hashed.hashes(&mut text);
        }
        Err(error) => put_line!(&mut text, "ERROR: {error}"),
    }
    session.say(&text).await
}

/// Gives a file to `take` block by block, letting packets pass in between. Returns its length.
async fn read_blocks(
    session: &Session,
    name: &str,
    mut take: impl FnMut(&mut Core, &[u8]) -> Result<(), FlashError>,
) -> Result<u64, FlashError> {
    let mut reader = session.core().file_open(name)?;
    let mut block = alloc::vec![0; BLOCK];
    loop {
        {
            let mut core = session.core();
            let count = core.file_read_next(&mut reader, &mut block)?;
            if count == 0 {
                return Ok(reader.offset());
            }
            take(&mut core, block.get(..count).unwrap_or_default())?;
        }
        yield_now().await;
    }
}

async fn more(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    match Place::parse(words.word("source").unwrap_or_default()) {
        Ok(Place::Running) => {
            let by = session.name();
            let text = document(&session.core(), Secrets::Shown, Some(&by));
            session.page(&text).await
        }
        Ok(place @ (Place::File(_) | Place::Startup)) => {
            match place::read_text(session, &place).await? {
                Some(text) => session.page(&text).await,
                None => Ok(()),
            }
        }
        Ok(_) => {
            session
                .say("ERROR: that is no file; use disk0:/NAME\n")
                .await
        }
        Err(error) => session.say(&alloc::format!("{error}\n")).await,
    }
}

async fn delete(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let name = match file_name(words.word("name")) {
        Ok(name) => name,
        Err(text) => return session.say(&text).await,
    };
    if !words.has("/noconfirm") {
        let typed = session
            .ask(&alloc::format!("Delete filename [{name}]? "))
            .await?;
        let is_other = !typed.trim().is_empty() && typed.trim() != name;
        if is_other
            || !session
                .confirm(&alloc::format!("Delete disk0:/{name}? [confirm]"))
                .await?
        {
            return Ok(());
        }
    }
    let deleted = session.core().file_delete(&name, false);
    match deleted {
        Ok(()) => Ok(()),
        Err(error) => session.say(&alloc::format!("ERROR: {error}\n")).await,
    }
}

async fn rename(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let names = (file_name(words.word("name")), file_name(words.word("new")));
    let (name, new) = match names {
        (Ok(name), Ok(new)) => (name, new),
        (Err(text), _) | (_, Err(text)) => return session.say(&text).await,
    };
    let exists = exists(session, &new);
    if exists && !words.has("/noconfirm") && !over_write(session).await? {
        return Ok(());
    }
    let renamed = session.core().file_rename(&name, &new, exists);
    match renamed {
        Ok(()) => Ok(()),
        Err(error) => session.say(&alloc::format!("ERROR: {error}\n")).await,
    }
}

pub(super) fn exists(session: &Session, name: &str) -> bool {
    let core = session.core();
    core.files().is_ok_and(|files| files.find(name).is_some())
}

pub(super) async fn over_write(session: &mut Session) -> Result<bool, Gone> {
    session
        .confirm("Do you want to over write? [confirm]")
        .await
}

/// The two places of a `copy` line; a keyword is the first of its place.
fn places(words: &Captures<'_>) -> Result<(Place, Place), String> {
    let mut named = words.iter().filter_map(|capture| match capture.name {
        "running-config" => Some(Ok(Place::Running)),
        "startup-config" => Some(Ok(Place::Startup)),
        "source" | "destination" => match capture.value {
            cli::grammar::Value::Word(word) => Some(Place::parse(word)),
            _ => None,
        },
        _ => None,
    });
    match (named.next(), named.next()) {
        (Some(Ok(source)), Some(Ok(destination))) => Ok((source, destination)),
        (Some(Err(error)), _) | (_, Some(Err(error))) => Err(alloc::format!("{error}\n")),
        _ => Err(String::from("ERROR: % Incomplete command\n")),
    }
}

async fn copy(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let asks = !words.has("/noconfirm");
    let (source, destination) = match places(words) {
        Ok(places) => places,
        Err(text) => return session.say(&text).await,
    };
    if source == destination && !matches!(source, Place::File(_)) {
        return session
            .say("ERROR: source and destination are the same\n")
            .await;
    }
    // The two ways of saying it are one command.
    if (&source, &destination) == (&Place::Running, &Place::Startup) {
        return write_memory(session).await;
    }
    let Some(source) = with_name(session, source, "Source", "", asks).await? else {
        return Ok(());
    };
    let suggested = match &source {
        Place::File(name) => name.clone(),
        Place::Running => String::from("running-config"),
        Place::Startup => String::from("startup-config"),
        Place::Terminal | Place::Xmodem => String::new(),
    };
    let Some(destination) =
        with_name(session, destination, "Destination", &suggested, asks).await?
    else {
        return Ok(());
    };
    if let Place::File(name) = &destination {
        if exists(session, name) && asks && !over_write(session).await? {
            return Ok(());
        }
        match &source {
            Place::Xmodem => return upload(session, name).await,
            Place::File(from) => return duplicate(session, from, name).await,
            Place::Running | Place::Startup | Place::Terminal => {}
        }
    }
    let Some(bytes) = content(session, &source).await? else {
        return Ok(());
    };
    deliver(session, bytes, &destination, words.has("stop-on-error")).await
}

/// Asks for the name of a file where the command left it out, and lets it be changed where it did not.
pub(super) async fn with_name(
    session: &mut Session,
    place: Place,
    which: &str,
    suggested: &str,
    asks: bool,
) -> Result<Option<Place>, Gone> {
    let Place::File(name) = place else {
        return Ok(Some(place));
    };
    let offered = if name.is_empty() { suggested } else { &name };
    let typed = match asks {
        true => {
            session
                .ask(&alloc::format!("{which} filename [{offered}]? "))
                .await?
        }
        false => String::new(),
    };
    let chosen = match typed.trim() {
        "" => offered,
        typed => typed,
    };
    if chosen.is_empty() {
        session.say("ERROR: a file needs a name\n").await?;
        return Ok(None);
    }
    Ok(Some(Place::File(chosen.into())))
}

/// Receives a file straight to the disk; nothing of it is seen there before it is whole.
async fn upload(session: &mut Session, name: &str) -> Result<(), Gone> {
    let begun = session.core().upload_begin(name);
    let mut upload = match begun {
        Ok(upload) => upload,
        Err(error) => return session.say(&alloc::format!("ERROR: {error}\n")).await,
    };
    let received = transfer::receive(session, usize::MAX, |session, bytes| {
        session
            .core()
            .upload_append(&mut upload, bytes)
            .map_err(|error| alloc::format!("ERROR: {error}\n"))
    })
    .await?;
    let text = match received {
        Ok(received) => {
            let finished = session.core().upload_finish(upload);
            match finished {
                Ok(()) => told(received, &alloc::format!("disk0:/{name}")),
                Err(error) => alloc::format!("ERROR: {error}\n"),
            }
        }
        Err(text) => {
            upload.abandon();
            text
        }
    };
    session.say(&text).await
}

/// Copies a file of any size to another name.
async fn duplicate(session: &mut Session, from: &str, to: &str) -> Result<(), Gone> {
    let started = session.core().now();
    let begun = session.core().upload_begin(to);
    let done = match begun {
        Ok(mut upload) => {
            let read = read_blocks(session, from, |core, block| {
                core.upload_append(&mut upload, block)
            });
            match read.await {
                Ok(bytes) => session.core().upload_finish(upload).map(|()| bytes),
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    };
    let took = session.core().now().since(started);
    session.say(&copied(done, took)).await
}

/// What is said after a copy.
pub(super) fn copied(done: Result<u64, FlashError>, took: Duration) -> String {
    match done {
        Ok(bytes) => alloc::format!("\n{}\n", printers::files::Copied(bytes, took)),
        Err(error) => alloc::format!("ERROR: {error}\n"),
    }
}

/// What is said of a file that came over the line.
fn told(received: Received, to: &str) -> String {
    let mut text = String::new();
    put_line!(
        &mut text,
        "\n{} bytes received to {to}, {} block(s) repeated",
        received.bytes,
        received.retries
    );
    received.hashes(&mut text);
    text
}

/// The bytes of a source; says why if there are none.
async fn content(session: &mut Session, source: &Place) -> Result<Option<Vec<u8>>, Gone> {
    if let Place::File(name) = source {
        let read = session.core().file_read(name);
        return match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => {
                session.say(&alloc::format!("ERROR: {error}\n")).await?;
                Ok(None)
            }
        };
    }
    let text = place::read_text(session, source).await?;
    Ok(text.map(|text| Vec::from(text.as_bytes())))
}

async fn deliver(
    session: &mut Session,
    bytes: Vec<u8>,
    destination: &Place,
    all_or_nothing: bool,
) -> Result<(), Gone> {
    let started = session.core().now();
    let done = match destination {
        Place::Running => return merge(session, &bytes, all_or_nothing).await,
        Place::Startup => return replace_startup(session, &bytes).await,
        Place::Terminal => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            return session.page(&text).await;
        }
        Place::Xmodem => {
            return match transfer::send(session, bytes).await? {
                Ok((bytes, retries)) => {
                    session
                        .say(&alloc::format!(
                            "\n{bytes} bytes sent, {retries} block(s) repeated\n"
                        ))
                        .await
                }
                Err(text) => session.say(&text).await,
            };
        }
        Place::File(name) => session.core().file_write(name, &bytes),
    };
    let took = session.core().now().since(started);
    let length = bytes.len() as u64;
    session.say(&copied(done.map(|()| length), took)).await
}

/// Adds the lines of a text to what runs.
async fn merge(session: &mut Session, bytes: &[u8], all_or_nothing: bool) -> Result<(), Gone> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (running, changes) = {
        let core = session.core();
        (core.config.clone(), core.changes)
    };
    let outcome = rehearse(session, Script::pasted(&text), running).await?;
    let mut report = String::new();
    outcome.complain(&mut report);
    session.page(&report).await?;
    let tally = outcome.tally;
    if tally.refused > 0 && all_or_nothing {
        return session
            .say(&alloc::format!(
                "ERROR: {} line(s) are refused, nothing was changed\n",
                tally.refused
            ))
            .await;
    }
    let by = session.name();
    let is_done = match tally.applied {
        0 => session.core().changes == changes,
        _ => session
            .core()
            .replace_unchanged(changes, outcome.config, None, &by),
    };
    let text = match is_done {
        true => alloc::format!(
            "INFO: {} statements: {} applied, {} no-op, {} unsupported, {} refused\n",
            tally.statements,
            tally.applied,
            tally.unchanged,
            tally.unsupported,
            tally.refused
        ),
        false => String::from(
            "ERROR: the running configuration was changed meanwhile, nothing was copied; try again\n",
        ),
    };
    session.say(&text).await
}

/// Keeps a text for the next start, as this box writes it. Lines that would be refused then are named
/// now, and nothing is saved.
async fn replace_startup(session: &mut Session, bytes: &[u8]) -> Result<(), Gone> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let factory = session.core().factory();
    let outcome = rehearse(session, Script::whole(&text), factory).await?;
    if outcome.tally.refused > 0 {
        let mut report = String::new();
        outcome.complain(&mut report);
        session.page(&report).await?;
        return session
            .say(&alloc::format!(
                "ERROR: {} line(s) are refused, nothing was saved\n",
                outcome.tally.refused
            ))
            .await;
    }
    let by = session.name();
    let saved = {
        let mut core = session.core();
        let document = document_of(
            &core,
            &outcome.config,
            Extent::Configured,
            Secrets::Shown,
            Some(&by),
        );
        let length = document.len();
        let saved = core.save(document).map(|()| length);
        // What runs is not what was saved.
        core.startup.is_modified = core.config != outcome.config;
        saved
    };
    let text = match saved {
        Ok(length) => alloc::format!("\n{length} bytes copied\n[OK]\n"),
        Err(error) => save_error(error),
    };
    session.say(&text).await
}

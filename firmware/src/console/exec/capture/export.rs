//! `copy /pcap`: a capture as a file on the disk or over the line, made piece by piece while packets pass.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::Captures;

use super::{interfaces, named};
use crate::console::exec::files;
use crate::console::place::Place;
use crate::console::session::{Gone, Session};
use crate::console::transfer;
use crate::flash::READ_LIMIT_BYTES;
use crate::pcapng;
use crate::print::system::VERSION;
use crate::state::Core;
use crate::tasks::yield_now;

/// Bytes of a file made in one step, and a frame more.
const PIECE: usize = 16 << 10;

pub(super) async fn copy(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let source = words.word("capture").unwrap_or_default();
    let Some(name) = named(source) else {
        return session
            .say("ERROR: that is no capture; use capture:NAME\n")
            .await;
    };
    if session.core().dataplane.capture(name).is_none() {
        return session
            .say(&alloc::format!("ERROR: capture <{name}> does not exist\n"))
            .await;
    }
    match Place::parse(words.word("destination").unwrap_or_default()) {
        Ok(Place::Xmodem) => send(session, name).await,
        Ok(place @ Place::File(_)) => {
            let asks = !words.has("/noconfirm");
            let suggested = alloc::format!("{name}.pcapng");
            match files::with_name(session, place, "Destination", &suggested, asks).await? {
                Some(Place::File(file)) => keep(session, name, &file, asks).await,
                _ => Ok(()),
            }
        }
        Ok(_) => {
            session
                .say("ERROR: a capture goes to disk0:/NAME or xmodem:\n")
                .await
        }
        Err(error) => session.say(&alloc::format!("{error}\n")).await,
    }
}

/// Writes the capture to the disk; nothing of the file is seen there before it is whole.
async fn keep(session: &mut Session, name: &str, file: &str, asks: bool) -> Result<(), Gone> {
    if files::exists(session, file) && asks && !files::over_write(session).await? {
        return Ok(());
    }
    let started = session.core().now();
    let begun = session.core().upload_begin(file);
    let mut upload = match begun {
        Ok(upload) => upload,
        Err(error) => return session.say(&alloc::format!("ERROR: {error}\n")).await,
    };
    let made = make(session, name, |core, piece| {
        core.upload_append(&mut upload, piece)
            .map_err(|error| alloc::format!("{error}"))
    })
    .await;
    let text = match made {
        Ok(bytes) => {
            let finished = session.core().upload_finish(upload);
            let took = session.core().now().since(started);
            files::copied(finished.map(|()| bytes), took)
        }
        Err(error) => {
            upload.abandon();
            alloc::format!("ERROR: {error}\n")
        }
    };
    session.say(&text).await
}

/// Sends the capture over the console line.
async fn send(session: &mut Session, name: &str) -> Result<(), Gone> {
    let mut file = Vec::new();
    let made = make(session, name, |_, piece| {
        if file.len() + piece.len() > READ_LIMIT_BYTES || file.try_reserve(piece.len()).is_err() {
            return Err(String::from(
                "the capture is too long for xmodem:, which takes 4 MiB; copy it to disk0:",
            ));
        }
        file.extend_from_slice(piece);
        Ok(())
    })
    .await;
    if let Err(error) = made {
        return session.say(&alloc::format!("ERROR: {error}\n")).await;
    }
    match transfer::send(session, file).await? {
        Ok((bytes, retries)) => {
            session
                .say(&alloc::format!(
                    "\n{bytes} bytes sent, {retries} block(s) repeated\n"
                ))
                .await
        }
        Err(text) => session.say(&text).await,
    }
}

/// Makes the file of a capture, as far as it goes now, and gives it to `take` piece by piece. Returns
/// its length.
async fn make(
    session: &Session,
    name: &str,
    mut take: impl FnMut(&mut Core, &[u8]) -> Result<(), String>,
) -> Result<u64, String> {
    let removed = || String::from("the capture was removed");
    let mut piece = Vec::new();
    let (mut cursor, end, ports) = {
        let core = session.core();
        let capture = core.dataplane.capture(name).ok_or_else(removed)?;
        let application = alloc::format!("Sallyport {VERSION}");
        let comment = (!core.wall.is_set())
            .then_some("The clock was not set: times count from the start of the box");
        pcapng::section(&mut piece, &application, comment);
        // The capture may have kept more before its length was changed.
        let kept_max = u32::from(u16::MAX);
        let mut ports = Vec::new();
        for (port, name) in interfaces(&core) {
            pcapng::interface(&mut piece, &name, kept_max);
            ports.push(port);
        }
        (capture.cursor(), capture.numbers().1, ports)
    };
    let (mut length, mut is_done) = (0, false);
    let mut bytes = Vec::new();
    loop {
        {
            let mut core = session.core();
            let capture = core.dataplane.capture(name).ok_or_else(removed)?;
            while piece.len() < PIECE {
                let read = capture.read(&mut cursor, &mut bytes);
                let Some(frame) = read.filter(|frame| frame.number < end) else {
                    is_done = true;
                    break;
                };
                let interface = ports.iter().position(|port| *port == frame.port);
                // There are at most 256 ports.
                let interface = interface.unwrap_or_default() as u32;
                let unix_micros = core.wall.unix_micros(frame.at);
                pcapng::packet(&mut piece, interface, unix_micros, &frame, &bytes);
            }
            take(&mut core, &piece)?;
        }
        length += piece.len() as u64;
        piece.clear();
        if is_done {
            return Ok(length);
        }
        yield_now().await;
    }
}

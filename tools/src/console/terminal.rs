//! This process's terminal joined to the console.
//!
//! The terminal is made raw with `stty`, which every Debian system has, rather than through termios
//! calls, which would need `unsafe` here.

use std::io::Read;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use super::Console;

/// Ctrl-A, as in QEMU's own terminal.
const ESCAPE: u8 = 0x01;

/// How an interactive session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The user typed Ctrl-A x.
    User,
    /// The box closed the line.
    Box,
}

/// The terminal's settings, restored when dropped.
struct RawTerminal {
    saved: String,
}

impl RawTerminal {
    fn enter() -> Result<Self> {
        let saved = stty(&["-g"])?.trim().to_owned();
        stty(&["raw", "-echo"])?;
        Ok(Self { saved })
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        // If this fails the user's shell is left raw, and nothing here can help it.
        let _ = stty(&[&self.saved]);
    }
}

fn stty(arguments: &[&str]) -> Result<String> {
    let output = Command::new("stty")
        .args(arguments)
        .stdin(Stdio::inherit())
        .output()
        .context("cannot run stty")?;
    if !output.status.success() {
        bail!(
            "stty {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Copies keys to the box until Ctrl-A x; the reader task shows what the box prints.
pub(super) async fn interact(mut console: Console) -> Result<Ending> {
    let _raw = RawTerminal::enter()?;
    console.show_output(true);
    let (sender, mut keys) = mpsc::channel::<Vec<u8>>(16);
    // A thread of its own: reading a terminal blocks, and it is abandoned at the end.
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut chunk = [0_u8; 1024];
        while let Ok(length) = stdin.read(&mut chunk) {
            let bytes = chunk.get(..length).unwrap_or_default().to_vec();
            if length == 0 || sender.blocking_send(bytes).is_err() {
                break;
            }
        }
    });
    let mut is_escaped = false;
    loop {
        let record = std::sync::Arc::clone(&console.record);
        let news = record.news.notified();
        if console.is_closed() {
            return Ok(Ending::Box);
        }
        tokio::select! {
            () = news => {}
            typed = keys.recv() => {
                let Some(typed) = typed else { return Ok(Ending::User) };
                let (bytes, wants_out) = filter(&typed, &mut is_escaped);
                if console.writer.write_all(&bytes).await.is_err() {
                    return Ok(Ending::Box);
                }
                console.writer.flush().await.context("the console is closed")?;
                if wants_out {
                    return Ok(Ending::User);
                }
            }
        }
    }
}

/// Takes Ctrl-A sequences out of the keys: `x` leaves, a second Ctrl-A sends one.
pub(super) fn filter(typed: &[u8], is_escaped: &mut bool) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(typed.len());
    for key in typed {
        match (*is_escaped, *key) {
            (false, ESCAPE) => *is_escaped = true,
            (false, other) => bytes.push(other),
            (true, b'x' | b'X') => return (bytes, true),
            (true, other) => {
                *is_escaped = false;
                bytes.push(other);
            }
        }
    }
    (bytes, false)
}

//! The serial console as a client sees it.
//!
//! A reader task collects everything the box prints, so the line is never left unread, whatever the
//! client is doing; the methods of [`Console`] wait for what they need to appear. Two ways to type:
//! [`Console::command`] waits for the prompt after each line, [`Console::paste`] writes everything at
//! once and relies on the box losing nothing.
//!
//! `screen` turns raw output into text; [`Dialogue`] answers the questions a command asks;
//! [`Console::lend`] gives the line to another program for a while.

mod dialogue;
mod lend;
mod screen;
mod terminal;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, WriteHalf, split};
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

pub use dialogue::Dialogue;
use screen::Screen;
pub use screen::{find_error, is_prompt};

/// How long a command may take, unless [`Console::set_patience`] says otherwise. Making an RSA key
/// under emulation is the slowest.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a box on whose disk nothing is saved asks before its first prompt.
const OFFER: &str = "through interactive prompts [yes]? ";

/// The first questions that such a box asks if it was told to: Enter, typed to wake a box that is still
/// starting, says yes to the offer and goes no further than the last of these.
const FIRST_QUESTIONS: [&str; 3] = [
    "Host name [sallyport]: ",
    "Domain name: ",
    "Enable password: ",
];

/// Leaves the questions.
const CTRL_C: &[u8] = b"\x03";

/// What the pager prints when a page is full.
const PAGER: &str = "<--- More --->";

/// Any byte stream that can be a console.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// What the box has printed so far, shared with the reader task.
#[derive(Debug, Default)]
struct Record {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    screen: Screen,
    is_shown: bool,
    is_closed: bool,
    /// Takes a copy of what the box prints, while the console is lent.
    borrower: Option<mpsc::Sender<Vec<u8>>>,
}

impl Record {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A poisoned lock only means that a printing thread panicked; the bytes are still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client of the serial console.
pub struct Console {
    record: Arc<Record>,
    writer: WriteHalf<Box<dyn Stream>>,
    patience: Duration,
}

impl std::fmt::Debug for Console {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Console")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl Console {
    /// Takes a connected stream. Must be called within a tokio runtime.
    pub fn new(stream: impl Stream) -> Self {
        let stream: Box<dyn Stream> = Box::new(stream);
        let (mut reader, writer) = split(stream);
        let record = Arc::new(Record::default());
        let shared = Arc::clone(&record);
        tokio::spawn(async move {
            let mut chunk = [0_u8; 4096];
            loop {
                let length = reader.read(&mut chunk).await.unwrap_or(0);
                let bytes = chunk.get(..length).unwrap_or_default();
                let borrower = {
                    let mut state = shared.lock();
                    state.screen.feed(bytes);
                    state.is_closed = length == 0;
                    if state.is_shown {
                        show(bytes);
                    }
                    if state.is_closed {
                        state.borrower = None;
                    }
                    state.borrower.clone()
                };
                shared.news.notify_waiters();
                if length == 0 {
                    break;
                }
                if let Some(borrower) = borrower
                    && borrower.send(bytes.to_vec()).await.is_err()
                {
                    // Unless the next one has it already.
                    let mut state = shared.lock();
                    if state.borrower.as_ref().is_some_and(mpsc::Sender::is_closed) {
                        state.borrower = None;
                    }
                }
            }
        });
        Self {
            record,
            writer,
            patience: PATIENCE,
        }
    }

    /// Shows on standard output, from now on, what the box prints.
    pub fn show_output(&mut self, is_shown: bool) {
        self.record.lock().is_shown = is_shown;
    }

    /// Sets how long the following calls wait.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Everything printed since power-on, as text.
    pub fn transcript(&self) -> String {
        self.record.lock().screen.text().to_owned()
    }

    /// The last `lines` lines printed, for a failure report.
    pub fn tail(&self, lines: usize) -> String {
        let text = self.transcript();
        let all: Vec<&str> = text.lines().collect();
        all.get(all.len().saturating_sub(lines)..)
            .unwrap_or_default()
            .join("\n")
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// When the line is closed.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let patience = self.patience;
        timeout(patience, self.writer.write_all(bytes))
            .await
            .context("the box does not read its console")??;
        self.writer.flush().await.context("the console is closed")
    }

    /// Waits until `wanted` is printed and consumes the output up to its end; returns that output.
    ///
    /// # Errors
    /// When it does not appear in time, or the line closes.
    pub async fn expect(&mut self, wanted: &str) -> Result<String> {
        let what = format!("`{wanted}`");
        self.wait_for(&what, |text| text.find(wanted).map(|at| at + wanted.len()))
            .await
    }

    /// Waits for the prompt of a box that may still be starting, waking it with Enter. One out of the
    /// factory asks its first questions; they are declined.
    ///
    /// # Errors
    /// When no prompt appears in time.
    pub async fn wait_ready(&mut self) -> Result<()> {
        let deadline = tokio::time::Instant::now() + self.patience;
        let patience = std::mem::replace(&mut self.patience, Duration::from_secs(2));
        let mut result = self.wait_prompt_or_offer().await;
        while result.is_err() && tokio::time::Instant::now() < deadline && !self.is_closed() {
            self.send(b"\r").await?;
            result = self.wait_prompt_or_offer().await;
        }
        self.patience = patience;
        result.context("the box shows no prompt")
    }

    /// Types one line, waits for the next prompt, and returns what was printed between.
    ///
    /// # Errors
    /// When no prompt follows, when a question is asked, or when the output holds an error line.
    pub async fn command(&mut self, line: &str) -> Result<String> {
        self.dialogue(&Dialogue::new(line)).await
    }

    /// Types one line and returns what was printed, error lines included.
    ///
    /// # Errors
    /// When no prompt follows or a question is asked.
    pub async fn try_command(&mut self, line: &str) -> Result<String> {
        self.converse(&Dialogue::new(line)).await
    }

    /// Types every line that is neither empty nor a comment, one prompt at a time.
    ///
    /// # Errors
    /// At the first line that is refused, naming it.
    pub async fn configure(&mut self, lines: &str) -> Result<()> {
        for line in lines
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('!'))
        {
            self.command(line).await?;
        }
        Ok(())
    }

    /// Runs a command that asks questions and returns what was printed.
    ///
    /// # Errors
    /// As [`Console::command`]; also when a question has no answer in `dialogue`.
    pub async fn dialogue(&mut self, dialogue: &Dialogue) -> Result<String> {
        let output = self.converse(dialogue).await?;
        if let Some(error) = find_error(&output) {
            bail!("`{}` was refused: {error}", dialogue.line());
        }
        Ok(output)
    }

    /// Writes all of `text` without waiting, then waits until the box has worked through it; returns
    /// the output. Error lines are left to the caller (see [`find_error`]).
    ///
    /// # Errors
    /// When the box does not come back to a prompt in time.
    pub async fn paste(&mut self, text: &str) -> Result<String> {
        // A comment does nothing, so its echo and the prompt after it mark the end.
        let sentinel = format!("! end of paste {}", self.record.lock().screen.text().len());
        let block = format!(
            "{}\r{sentinel}\r",
            text.trim_end().replace("\r\n", "\n").replace('\n', "\r")
        );
        self.discard();
        self.send(block.as_bytes()).await?;
        let output = self.expect(&sentinel).await?;
        self.wait_prompt().await?;
        Ok(output)
    }

    /// Goes to privileged mode from user mode, setting `password` on a factory box, and turns the
    /// pager off.
    ///
    /// # Errors
    /// When the password is refused.
    pub async fn enable(&mut self, password: &str) -> Result<()> {
        let mut dialogue = Dialogue::new("enable");
        dialogue.answer_always("assword:", password);
        self.dialogue(&dialogue).await.context("`enable` failed")?;
        self.command("terminal pager 0").await.map(drop)
    }

    /// Joins this process's terminal to the console until the user types Ctrl-A x or the box ends.
    ///
    /// # Errors
    /// When the terminal cannot be made raw.
    pub async fn interact(self) -> Result<terminal::Ending> {
        terminal::interact(self).await
    }

    /// Tells whether the other end has closed the line.
    pub fn is_closed(&self) -> bool {
        self.record.lock().is_closed
    }

    /// Forgets what is unread.
    fn discard(&mut self) {
        let mut state = self.record.lock();
        let length = state.screen.unread().len();
        state.screen.take(length);
    }

    /// Waits until the last line printed is a prompt; consumes and returns everything up to it.
    async fn wait_prompt(&mut self) -> Result<String> {
        self.wait_for("a prompt", |text| {
            let last = text.rsplit('\n').next().unwrap_or_default();
            is_prompt(last).then_some(text.len())
        })
        .await
    }

    /// As [`wait_prompt`](Self::wait_prompt); says no if the box offers its first questions instead.
    async fn wait_prompt_or_offer(&mut self) -> Result<()> {
        let shown = self
            .wait_for("a prompt", |text| {
                let last = text.rsplit('\n').next().unwrap_or_default();
                let is_asked = last.ends_with(OFFER) || is_first_question(last);
                (is_prompt(last) || is_asked).then_some(text.len())
            })
            .await?;
        if shown.ends_with(OFFER) {
            self.send(b"no\r").await?;
        } else if is_first_question(&shown) {
            self.send(CTRL_C).await?;
        } else {
            return Ok(());
        }
        self.wait_prompt().await.map(drop)
    }

    /// Waits until `find` returns an end offset in the unread text; consumes and returns up to it.
    async fn wait_for(
        &mut self,
        what: &str,
        find: impl Fn(&str) -> Option<usize>,
    ) -> Result<String> {
        let record = Arc::clone(&self.record);
        let wait = async {
            loop {
                let news = record.news.notified();
                tokio::pin!(news);
                // Registered before looking, so that news between the look and the wait is not missed.
                news.as_mut().enable();
                {
                    let mut state = record.lock();
                    if let Some(end) = find(state.screen.unread()) {
                        return Ok(state.screen.take(end));
                    }
                    if state.is_closed {
                        bail!("the console closed while waiting for {what}");
                    }
                }
                news.await;
            }
        };
        let patience = self.patience;
        match timeout(patience, wait).await {
            Ok(found) => found,
            Err(_) => bail!(
                "waited {} s for {what}; the console's last lines are:\n{}",
                patience.as_secs(),
                self.tail(12)
            ),
        }
    }
}

fn is_first_question(text: &str) -> bool {
    FIRST_QUESTIONS
        .iter()
        .any(|question| text.ends_with(question))
}

/// Prints raw console bytes. A closed standard output must not stop the console.
fn show(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

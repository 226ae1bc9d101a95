//! Lines, keys and pages: the editor and the pager joined to the console line.

use alloc::string::String;
use alloc::vec::Vec;

use cli::editor::{Echo, Editor, Entry, Event, LINE_TOO_LONG};
use cli::grammar::{Completion, Grammar, Scope};
use cli::pager::{Offer, Pager};
use hal::time::Instant;

use super::Action;
use super::line::{self, Arrival};
use super::session::Gone;
use crate::state::Shared;
use crate::tasks::yield_now;

/// Lines written between two turns of the packet path.
const LINES_PER_TURN: usize = 32;

/// How a line ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// With Enter; without its end.
    Line(String),
    /// With Ctrl-C, or it was too long; there is nothing to do.
    Abandoned,
    /// With Ctrl-Z: back to EXEC mode.
    EndOfMode,
}

/// What a command line is read against.
pub(super) struct Commands<'a> {
    pub(super) grammar: &'a Grammar<Action>,
    pub(super) scopes: &'a [Scope],
    pub(super) privilege: u8,
}

/// One terminal.
pub(super) struct Input {
    editor: Editor,
    /// What is being typed.
    entry: Entry,
    echo: Vec<u8>,
    /// When the first byte of the present entry was taken.
    began_at: Option<Instant>,
}

impl Input {
    pub(super) fn new(width: usize) -> Self {
        Self {
            editor: Editor::new(width),
            entry: Entry::Command,
            echo: Vec::new(),
            began_at: None,
        }
    }

    pub(super) fn set_width(&mut self, width: usize) {
        self.editor.set_width(width);
    }

    /// When the first byte of the line entered last was taken.
    pub(super) fn began_at(&self) -> Option<Instant> {
        self.began_at
    }

    /// The screen column of a byte of the line entered last.
    pub(super) fn caret_column(&self, offset: usize) -> usize {
        self.editor.caret_column(offset)
    }

    /// The remembered commands, one a line, oldest first.
    pub(super) fn history(&self) -> String {
        self.editor
            .history()
            .flat_map(|line| ["  ", line, "\n"])
            .collect()
    }

    /// Forgets the command entered last, because it held a secret.
    pub(super) fn forget_last_command(&mut self) {
        self.editor.forget_last_command();
    }

    fn begin(&mut self, prompt: &str, entry: Entry) {
        self.entry = entry;
        self.editor.begin(prompt, entry, &mut self.echo);
    }

    /// Reads a command, answering `?` and Tab meanwhile.
    pub(super) async fn command(
        &mut self,
        shared: &Shared,
        prompt: &str,
        commands: &Commands<'_>,
        deadline: Option<Instant>,
    ) -> Result<LineEnd, Gone> {
        self.begin(prompt, Entry::Command);
        self.began_at = None;
        loop {
            match self.event(shared, deadline).await? {
                Event::Line(line) => return Ok(LineEnd::Line(line)),
                Event::TooLong => {
                    line::write_text(shared, LINE_TOO_LONG).await;
                    return Ok(LineEnd::Abandoned);
                }
                Event::Interrupt => return Ok(LineEnd::Abandoned),
                Event::EndOfMode => return Ok(LineEnd::EndOfMode),
                Event::Help(typed) => {
                    let mut text = String::new();
                    let Commands {
                        grammar,
                        scopes,
                        privilege,
                    } = commands;
                    match grammar.help(&typed, scopes, *privilege) {
                        Ok(help) => help.write(self.editor.width(), &mut text),
                        Err(error) => {
                            let column = |offset| prompt.chars().count() + offset;
                            error.write(&typed, column, &mut text);
                        }
                    }
                    line::write_text(shared, &text).await;
                    self.editor.redraw(&mut self.echo);
                }
                Event::Tab(typed) => {
                    let Commands {
                        grammar,
                        scopes,
                        privilege,
                    } = commands;
                    let completion: Completion = grammar.complete(&typed, scopes, *privilege);
                    self.editor.complete(&completion, &mut self.echo);
                }
                Event::Key(_) => {}
            }
        }
    }

    /// Reads the answer to a question; a secret one shows as asterisks.
    pub(super) async fn answer(
        &mut self,
        shared: &Shared,
        prompt: &str,
        is_secret: bool,
        deadline: Option<Instant>,
    ) -> Result<LineEnd, Gone> {
        let entry = if is_secret {
            Entry::Secret(Echo::Stars)
        } else {
            Entry::Answer
        };
        self.begin(prompt, entry);
        loop {
            match self.event(shared, deadline).await? {
                Event::Line(line) => return Ok(LineEnd::Line(line)),
                Event::TooLong => {
                    line::write_text(shared, LINE_TOO_LONG).await;
                    return Ok(LineEnd::Abandoned);
                }
                Event::Interrupt => return Ok(LineEnd::Abandoned),
                Event::EndOfMode => return Ok(LineEnd::EndOfMode),
                Event::Help(_) | Event::Tab(_) | Event::Key(_) => {}
            }
        }
    }

    /// Reads one key; `None` for Ctrl-C.
    pub(super) async fn key(
        &mut self,
        shared: &Shared,
        prompt: &str,
        deadline: Option<Instant>,
    ) -> Result<Option<u8>, Gone> {
        self.begin(prompt, Entry::Key);
        loop {
            match self.event(shared, deadline).await? {
                Event::Key(key) => return Ok(Some(key)),
                Event::Interrupt => return Ok(None),
                _ => {}
            }
        }
    }

    /// Shows text page by page. A `None` among the lines shows nothing and counts as work done, so that
    /// packets pass while lines are looked for.
    pub(super) async fn page(
        &mut self,
        shared: &Shared,
        text: impl Iterator<Item = Option<impl AsRef<str>>>,
        lines: usize,
        deadline: Option<Instant>,
    ) -> Result<(), Gone> {
        let mut pager = self.pager(lines);
        for (count, line) in text.enumerate() {
            if let Some(line) = &line
                && !self
                    .page_line(shared, &mut pager, line.as_ref(), deadline)
                    .await?
            {
                return Ok(());
            }
            if count % LINES_PER_TURN == LINES_PER_TURN - 1 {
                yield_now().await;
            }
        }
        Ok(())
    }

    /// A pager for pages of so many lines.
    pub(super) fn pager(&self, lines: usize) -> Pager {
        Pager::new(lines, self.editor.width())
    }

    /// Shows a line. Returns false if no more is wanted.
    pub(super) async fn page_line(
        &mut self,
        shared: &Shared,
        pager: &mut Pager,
        line: &str,
        deadline: Option<Instant>,
    ) -> Result<bool, Gone> {
        let mut out = Vec::new();
        loop {
            let offer = pager.line(line, &mut out);
            line::write_bytes(shared, &out).await;
            out.clear();
            match offer {
                Offer::Taken => return Ok(true),
                Offer::Stop => return Ok(false),
                Offer::Wait => loop {
                    let key = self.key(shared, "", deadline).await?;
                    match key {
                        Some(key) if pager.key(key, &mut out) => break,
                        Some(_) => {}
                        None => {
                            pager.stop(&mut out);
                            break;
                        }
                    }
                },
            }
        }
    }

    /// Feeds the editor until something comes of it. The echo is sent before bytes are waited for. Log
    /// lines that come meanwhile are shown above the line being typed, except while one key is asked
    /// for in the middle of other output.
    async fn event(&mut self, shared: &Shared, deadline: Option<Instant>) -> Result<Event, Gone> {
        loop {
            if !self.echo.is_empty() {
                line::write_bytes(shared, &self.echo).await;
                self.echo.clear();
            }
            let byte = match self.entry {
                Entry::Key => line::read_byte(shared, deadline).await.ok_or(Gone)?,
                Entry::Command | Entry::Answer | Entry::Secret(_) => {
                    match line::read_at_prompt(shared, deadline).await {
                        Arrival::Byte(byte) => byte,
                        Arrival::Log => {
                            self.show_log(shared).await;
                            continue;
                        }
                        Arrival::Timeout => return Err(Gone),
                    }
                }
            };
            self.began_at.get_or_insert(shared.borrow().now());
            // While a paste is coming in, a long line is not scrolled at every character.
            self.editor
                .set_more_waiting(shared.borrow().line.has_input());
            if let Some(event) = self.editor.handle_byte(byte, &mut self.echo) {
                line::write_bytes(shared, &self.echo).await;
                self.echo.clear();
                return Ok(event);
            }
        }
    }

    /// Puts log lines above the line being typed.
    async fn show_log(&mut self, shared: &Shared) {
        let mut text = String::new();
        for _ in 0..LINES_PER_TURN {
            let Some(line) = shared.borrow_mut().logger.poll_console() else {
                break;
            };
            text.push_str(&line);
            text.push('\n');
        }
        self.editor.erase(&mut self.echo);
        line::write_bytes(shared, &self.echo).await;
        self.echo.clear();
        line::write_text(shared, &text).await;
        self.editor.redraw(&mut self.echo);
        yield_now().await;
    }
}

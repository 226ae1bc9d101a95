//! The line editor: bytes of a terminal in, echo bytes and [`Event`]s out.
//!
//! The editor does no I/O and knows no command. Its caller loops: [`Editor::begin`] with a prompt, then
//! [`Editor::handle_byte`] for each received byte, sending what was echoed, until an event comes. After
//! [`Event::Line`], [`Event::Interrupt`], [`Event::EndOfMode`], [`Event::TooLong`] and [`Event::Key`]
//! the entry is over: bytes typed ahead wait with the caller until the next `begin`. After
//! [`Event::Help`] and [`Event::Tab`] the same line goes on, by [`Editor::redraw`] and
//! [`Editor::complete`].
//!
//! Output that comes by itself (log lines) is put between [`Editor::erase`] and [`Editor::redraw`].
//!
//! A line holds at most [`LINE_MAX`] characters; a longer one is never split or cut but reported by
//! [`Event::TooLong`]. Only printable ASCII gets into a line: quotes, dashes and blanks of a word
//! processor become theirs, other characters ring the bell. A character typed at the end echoes as
//! that one byte, so a paste costs what its length costs.
//!
//! ```
//! use cli::editor::{Echo, Editor, Entry, Event};
//!
//! let mut editor = Editor::new(80);
//! let mut echo = Vec::new();
//! editor.begin("asa1# ", Entry::Command, &mut echo);
//! let events: Vec<Event> = b"show clokc\x08\x08ck\r\n"
//!     .iter()
//!     .filter_map(|&byte| editor.handle_byte(byte, &mut echo))
//!     .collect();
//! assert_eq!(events, [Event::Line("show clock".into())]);
//! assert_eq!(echo, b"asa1# show clokc\x08 \x08\x08 \x08ck\r\n");
//! ```

mod history;
mod keys;
mod screen;

pub use history::HISTORY_LINES;
pub use screen::Echo;

use crate::grammar::Completion;
use crate::paste::plain_character;
use alloc::string::String;
use alloc::vec::Vec;
use history::History;
use keys::{Key, Keys};
use screen::Screen;
use zeroize::Zeroize;

/// The longest line, in characters.
pub const LINE_MAX: usize = 2048;
/// The widest terminal, in columns.
pub const WIDTH_MAX: usize = 511;
/// The narrowest terminal, in columns.
pub const WIDTH_MIN: usize = 40;
/// What is printed for [`Event::TooLong`].
pub const LINE_TOO_LONG: &str = "ERROR: % Line is longer than 2048 characters and was ignored\n";
/// The most bytes one call adds to the echo, besides the prompt.
pub const ECHO_MAX: usize = 6 * WIDTH_MAX;

const BELL: u8 = 0x07;

/// What is being typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Entry {
    /// A command: history, `?` and Tab work.
    #[default]
    Command,
    /// An answer to a question: `?` is a character, no history.
    Answer,
    /// A secret: shown as told, wiped from the editor's memory when done.
    Secret(Echo),
    /// One key, as for `[confirm]` and the pager.
    Key,
}

/// What the typing amounts to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A line, without its end. Of an [`Entry::Secret`] it is the only copy left; the caller wipes it.
    Line(String),
    /// A line longer than [`LINE_MAX`]; it was ignored as a whole. Print [`LINE_TOO_LONG`].
    TooLong,
    /// `?`: the line up to the cursor.
    Help(String),
    /// Tab: the line up to the cursor.
    Tab(String),
    /// Ctrl-C: the line was dropped.
    Interrupt,
    /// Ctrl-Z: the line was dropped.
    EndOfMode,
    /// The key of an [`Entry::Key`]: printable ASCII, or `\r` for any line end.
    Key(u8),
}

/// One terminal's line editor.
#[derive(Clone, Debug)]
pub struct Editor {
    keys: Keys,
    entry: Entry,
    prompt: String,
    width: usize,
    screen: Screen,
    /// Printable ASCII only. Never grows past its first capacity, so secrets leave no copies.
    text: Vec<u8>,
    cursor: usize,
    quoted: bool,
    overflowed: bool,
    /// The caller holds more bytes, so the row need not scroll yet.
    more_waiting: bool,
    /// The row is behind the text.
    deferred: bool,
    history: History,
    /// Screen and prompt of the line entered last, for carets below it.
    entered: (usize, Screen),
}

impl Editor {
    /// An editor for a terminal `width` columns wide.
    #[must_use]
    pub fn new(width: usize) -> Self {
        let width = width.clamp(WIDTH_MIN, WIDTH_MAX);
        let screen = Screen::new(width, 0, Echo::Text);
        Self {
            keys: Keys::default(),
            entry: Entry::Command,
            prompt: String::new(),
            width,
            screen,
            text: Vec::with_capacity(LINE_MAX),
            cursor: 0,
            quoted: false,
            overflowed: false,
            more_waiting: false,
            deferred: false,
            history: History::default(),
            entered: (0, screen),
        }
    }

    /// Sets the terminal's width in columns, from the next [`Editor::begin`] on.
    pub fn set_width(&mut self, width: usize) {
        self.width = width.clamp(WIDTH_MIN, WIDTH_MAX);
    }

    /// The terminal's width in columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Tells whether the byte given next is followed by others already received. Then a line running over
    /// the right edge does not scroll until they are taken, and the echo of a paste is never longer
    /// than the paste, prompts aside.
    pub fn set_more_waiting(&mut self, more: bool) {
        self.more_waiting = more;
    }

    /// Writes `prompt` (one row, no line end) and starts a new entry behind it.
    pub fn begin(&mut self, prompt: &str, entry: Entry, echo: &mut Vec<u8>) {
        self.prompt.clear();
        self.prompt.push_str(prompt);
        self.entry = entry;
        let shown = match entry {
            Entry::Secret(shown) => shown,
            Entry::Key => Echo::Off,
            Entry::Command | Entry::Answer => Echo::Text,
        };
        self.screen = Screen::new(self.width, self.prompt.chars().count(), shown);
        self.clear();
        self.redraw(echo);
    }

    /// Takes a received byte and adds the echo it causes, at most [`ECHO_MAX`] bytes and the prompt.
    pub fn handle_byte(&mut self, byte: u8, echo: &mut Vec<u8>) -> Option<Event> {
        let key = self.keys.feed(byte)?;
        if self.entry == Entry::Key {
            return match key {
                Key::Character(byte) => Some(Event::Key(byte)),
                Key::Enter => Some(Event::Key(b'\r')),
                Key::Interrupt => Some(Event::Interrupt),
                _ => None,
            };
        }
        if core::mem::take(&mut self.quoted)
            && let Key::Character(byte) = key
        {
            self.insert(&[byte], echo);
            return None;
        }
        match key {
            Key::Character(b'?') if self.entry == Entry::Command => {
                self.leave_row("?", echo);
                return Some(Event::Help(self.before_cursor()));
            }
            Key::Character(byte) => self.insert(&[byte], echo),
            Key::Wide(character) if !matches!(self.entry, Entry::Secret(_)) => {
                match plain_character(character) {
                    Some(plain) => self.insert(plain.as_bytes(), echo),
                    None => echo.push(BELL),
                }
            }
            Key::Enter => return Some(self.enter(echo)),
            Key::Interrupt => {
                self.leave_row("^C", echo);
                self.clear();
                return Some(Event::Interrupt);
            }
            Key::EndOfMode => {
                self.leave_row("^Z", echo);
                self.clear();
                return Some(Event::EndOfMode);
            }
            Key::Tab if self.entry == Entry::Command => {
                return Some(Event::Tab(self.before_cursor()));
            }
            Key::Quote => self.quoted = true,
            Key::Left => self.move_to(self.cursor.saturating_sub(1), echo),
            Key::Right => self.move_to((self.cursor + 1).min(self.text.len()), echo),
            Key::Home => self.move_to(0, echo),
            Key::End => self.move_to(self.text.len(), echo),
            Key::Backspace => self.remove(self.cursor.saturating_sub(1), self.cursor, echo),
            Key::DeleteForward => self.remove(self.cursor, self.cursor + 1, echo),
            Key::KillToEnd => self.remove(self.cursor, self.text.len(), echo),
            Key::KillLine => {
                self.overflowed = false;
                self.remove(0, self.text.len(), echo);
            }
            Key::KillWord => self.remove(self.word_start(), self.cursor, echo),
            Key::Older | Key::Newer if self.entry == Entry::Command => {
                self.recall(key == Key::Older, echo);
            }
            Key::Redraw => {
                echo.extend_from_slice(b"\r\n");
                self.redraw(echo);
            }
            Key::Older | Key::Newer | Key::Tab | Key::Wide(_) | Key::Unknown => echo.push(BELL),
        }
        None
    }

    /// Writes prompt and line again at the left edge, after help or other output.
    pub fn redraw(&mut self, echo: &mut Vec<u8>) {
        echo.extend_from_slice(self.prompt.as_bytes());
        self.screen.repainted();
        self.show(Some(0), echo);
    }

    /// Blanks the row of prompt and line and leaves the cursor at the left edge.
    pub fn erase(&mut self, echo: &mut Vec<u8>) {
        let columns = self.prompt_columns() + self.screen.painted();
        echo.push(b'\r');
        echo.extend(core::iter::repeat_n(b' ', columns));
        echo.push(b'\r');
        self.screen.repainted();
    }

    /// Puts a completion in at the cursor, or rings if there is nothing to add.
    pub fn complete(&mut self, completion: &Completion, echo: &mut Vec<u8>) {
        match completion.suffix() {
            "" => echo.push(BELL),
            suffix => self.insert(suffix.as_bytes(), echo),
        }
    }

    /// The screen column, counted from 0, in which character `offset` of the line entered last was
    /// shown; for the caret of an error.
    #[must_use]
    pub fn caret_column(&self, offset: usize) -> usize {
        let (prompt_columns, screen) = &self.entered;
        prompt_columns + screen.column(offset)
    }

    /// The remembered commands, oldest first.
    pub fn history(&self) -> impl Iterator<Item = &str> {
        self.history.iter()
    }

    /// Forgets the command entered last, because it held a secret.
    pub fn forget_last_command(&mut self) {
        self.history.forget_last();
    }

    fn prompt_columns(&self) -> usize {
        self.prompt.chars().count()
    }

    fn before_cursor(&self) -> String {
        let text = self.text.get(..self.cursor).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    fn clear(&mut self) {
        if matches!(self.entry, Entry::Secret(_)) {
            self.text.zeroize();
        }
        self.text.clear();
        self.cursor = 0;
        self.quoted = false;
        self.overflowed = false;
        self.deferred = false;
        self.history.leave();
    }

    /// Marks what ended the typing, if the row has room, and goes to the next row.
    fn leave_row(&self, mark: &str, echo: &mut Vec<u8>) {
        if self.screen.has_room(mark.len()) {
            echo.extend_from_slice(mark.as_bytes());
        }
        echo.extend_from_slice(b"\r\n");
    }

    fn show(&mut self, changed: Option<usize>, echo: &mut Vec<u8>) {
        let changed = if core::mem::take(&mut self.deferred) {
            Some(0)
        } else {
            changed
        };
        self.screen
            .show(&self.prompt, &self.text, self.cursor, changed, echo);
    }

    fn enter(&mut self, echo: &mut Vec<u8>) -> Event {
        echo.extend_from_slice(b"\r\n");
        self.entered = (self.prompt_columns(), self.screen);
        let event = if self.overflowed {
            Event::TooLong
        } else {
            self.cursor = self.text.len();
            let line = self.before_cursor();
            if self.entry == Entry::Command {
                self.history.add(&line);
            }
            Event::Line(line)
        };
        self.clear();
        event
    }

    fn insert(&mut self, bytes: &[u8], echo: &mut Vec<u8>) {
        if self.text.len() + bytes.len() > LINE_MAX {
            // One ring a line is enough.
            if !core::mem::replace(&mut self.overflowed, true) {
                echo.push(BELL);
            }
            return;
        }
        let at = self.cursor;
        self.text.extend_from_slice(bytes);
        if let Some(tail) = self.text.get_mut(at..) {
            tail.rotate_right(bytes.len());
        }
        self.cursor += bytes.len();
        let at_end = self.cursor == self.text.len();
        if self.more_waiting && at_end && self.screen.is_past_the_edge(self.cursor) {
            // Scrolling now would be overtaken by the next byte.
            self.deferred = true;
            return;
        }
        self.show(Some(at), echo);
    }

    /// Takes out the characters of `from..to` and puts the cursor there.
    fn remove(&mut self, from: usize, to: usize, echo: &mut Vec<u8>) {
        let to = to.min(self.text.len());
        if from >= to {
            return;
        }
        self.text.drain(from..to);
        self.cursor = from;
        self.show(Some(from), echo);
    }

    fn move_to(&mut self, cursor: usize, echo: &mut Vec<u8>) {
        self.cursor = cursor;
        self.show(None, echo);
    }

    fn word_start(&self) -> usize {
        let before = self.text.get(..self.cursor).unwrap_or_default();
        let word_end = before
            .iter()
            .rposition(|&byte| byte != b' ')
            .map_or(0, |at| at + 1);
        let before = before.get(..word_end).unwrap_or_default();
        before
            .iter()
            .rposition(|&byte| byte == b' ')
            .map_or(0, |at| at + 1)
    }

    fn recall(&mut self, older: bool, echo: &mut Vec<u8>) {
        let line = if older {
            let current = String::from_utf8_lossy(&self.text).into_owned();
            self.history.older(&current)
        } else {
            self.history.newer()
        };
        let Some(line) = line else {
            echo.push(BELL);
            return;
        };
        self.text.clear();
        self.text.extend(line.bytes().take(LINE_MAX));
        self.cursor = self.text.len();
        self.overflowed = false;
        self.show(Some(0), echo);
    }
}

#[cfg(test)]
mod tests;

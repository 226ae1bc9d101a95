//! The last commands typed.

use alloc::collections::VecDeque;
use alloc::string::String;

/// Lines kept.
pub const HISTORY_LINES: usize = 20;

/// Remembered lines, oldest first, and where the user is among them.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    lines: VecDeque<String>,
    /// Steps back from the line being typed; 0 is that line.
    back: usize,
    /// The line being typed, while an older one is shown.
    draft: String,
}

impl History {
    /// Remembers a line unless it is blank or repeats the last one.
    pub(super) fn add(&mut self, line: &str) {
        self.back = 0;
        self.draft.clear();
        if line.trim().is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == HISTORY_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(String::from(line));
    }

    pub(super) fn forget_last(&mut self) {
        if let Some(mut line) = self.lines.pop_back() {
            zeroize::Zeroize::zeroize(&mut line);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// Starts anew at the line being typed.
    pub(super) fn leave(&mut self) {
        self.back = 0;
        self.draft.clear();
    }

    /// The next older line; `current` is kept if it is the one being typed.
    pub(super) fn older(&mut self, current: &str) -> Option<&str> {
        let at = self.lines.len().checked_sub(self.back + 1)?;
        if self.back == 0 {
            self.draft.clear();
            self.draft.push_str(current);
        }
        self.back += 1;
        self.lines.get(at).map(String::as_str)
    }

    /// The next newer line, at last the one being typed.
    pub(super) fn newer(&mut self) -> Option<&str> {
        self.back = self.back.checked_sub(1)?;
        if self.back == 0 {
            return Some(&self.draft);
        }
        let at = self.lines.len().checked_sub(self.back)?;
        self.lines.get(at).map(String::as_str)
    }
}

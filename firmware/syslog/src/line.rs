//! One line being written: bounded, on one line whatever is in it.

use alloc::string::String;
use core::fmt;

/// Longest line, in bytes: what RFC 3164 §4.1 lets a datagram have.
pub(crate) const LINE_MAX: usize = 1024;

/// Ends a line that was cut.
const CUT: &str = "...";

/// A text of at most [`LINE_MAX`] bytes. Room is taken once and reused for every line.
#[derive(Debug)]
pub(crate) struct Line {
    text: String,
    is_cut: bool,
}

impl Line {
    pub(crate) fn new() -> Self {
        Self {
            text: String::with_capacity(LINE_MAX),
            is_cut: false,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.is_cut = false;
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Marks the end of a line that did not fit. Returns whether it was cut.
    pub(crate) fn finish(&mut self) -> bool {
        if self.is_cut {
            self.text.push_str(CUT);
        }
        self.is_cut
    }
}

/// Control characters become `?`, so that a name typed by somebody cannot make a line of its own or
/// move the cursor of whoever reads it.
impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let character = if character.is_control() {
                '?'
            } else {
                character
            };
            if self.is_cut || self.text.len() + character.len_utf8() > LINE_MAX - CUT.len() {
                self.is_cut = true;
                break;
            }
            self.text.push(character);
        }
        Ok(())
    }
}

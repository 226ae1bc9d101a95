//! Keeps one screen row showing the part of the line around the cursor, with the fewest bytes.
//!
//! Only backspace, CR, blank, printable characters and `ESC [ K` (erase to the end of the row) are sent.
//! The last column stays free so that the terminal never wraps. What does not fit on a side is marked by
//! `$`.

use alloc::vec::Vec;

/// The fewest columns kept for typing, however long the prompt.
const COLUMNS_MIN: usize = 10;
const BACKSPACE: u8 = 0x08;
/// Erases from the cursor to the end of the row.
const ERASE_TO_END: &[u8] = b"\x1b[K";

/// How typed characters appear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    /// As typed.
    #[default]
    Text,
    /// Each as `*`.
    Stars,
    /// Not at all.
    Off,
}

/// What the terminal shows right of the prompt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    /// Columns for text.
    columns: usize,
    /// First text position shown.
    window: usize,
    /// Columns that hold something.
    painted: usize,
    /// Column the terminal's cursor is in.
    at: usize,
    echo: Echo,
}

impl Screen {
    pub(super) fn new(width: usize, prompt_columns: usize, echo: Echo) -> Self {
        let columns = width.saturating_sub(prompt_columns + 1).max(COLUMNS_MIN);
        Self {
            columns,
            window: 0,
            painted: 0,
            at: 0,
            echo,
        }
    }

    /// Forgets what is painted: the prompt was just written anew.
    pub(super) fn repainted(&mut self) {
        self.painted = 0;
        self.at = 0;
    }

    pub(super) fn painted(&self) -> usize {
        self.painted
    }

    /// The column of a text position, clamped to what is shown.
    pub(super) fn column(&self, position: usize) -> usize {
        position.saturating_sub(self.window).min(self.columns)
    }

    /// Whether `len` characters can be written where the cursor is without wrapping.
    pub(super) fn has_room(&self, len: usize) -> bool {
        self.at + len <= self.columns + 1
    }

    /// Whether a cursor at this position is outside what is shown.
    pub(super) fn is_past_the_edge(&self, cursor: usize) -> bool {
        cursor > self.window + self.columns
    }

    /// Brings the row up to date: the text changed from `changed` on (if at all), the cursor is at
    /// `cursor`. `prompt` is what stands left of it.
    pub(super) fn show(
        &mut self,
        prompt: &str,
        text: &[u8],
        cursor: usize,
        changed: Option<usize>,
        out: &mut Vec<u8>,
    ) {
        if self.echo == Echo::Off {
            return;
        }
        let scrolled = self.scroll(text.len(), cursor);
        let shown_end = text.len().saturating_sub(self.window).min(self.columns);
        if scrolled || changed.is_some() {
            let from = match changed {
                Some(changed) if !scrolled => changed
                    .saturating_sub(self.window)
                    .min(self.columns - 1)
                    .min(shown_end),
                _ => 0,
            };
            self.go_to(prompt, text, from, out);
            for column in from..shown_end {
                out.push(self.cell(text, column));
            }
            self.at = shown_end;
            match self.painted.saturating_sub(shown_end) {
                0 => {}
                1 => {
                    out.push(b' ');
                    self.at += 1;
                }
                _ => out.extend_from_slice(ERASE_TO_END),
            }
            self.painted = shown_end;
        }
        self.go_to(
            prompt,
            text,
            cursor.saturating_sub(self.window).min(shown_end),
            out,
        );
    }

    /// Moves the window if the cursor left it; most of a window at a time, so that typing on stays
    /// cheap.
    fn scroll(&mut self, len: usize, cursor: usize) -> bool {
        let low = if self.window == 0 { 0 } else { self.window + 1 };
        let fits = len <= self.columns;
        let in_view = (low..=self.window + self.columns).contains(&cursor);
        if (in_view && !fits) || (fits && self.window == 0) {
            return false;
        }
        let before = self.window;
        self.window = if fits || cursor < self.columns {
            0
        } else {
            cursor - self.columns / 4
        };
        self.window != before
    }

    fn cell(&self, text: &[u8], column: usize) -> u8 {
        let cut_left = self.window > 0 && column == 0;
        let cut_right = column + 1 == self.columns && text.len() > self.window + self.columns;
        if cut_left || cut_right {
            return b'$';
        }
        match self.echo {
            Echo::Text => text.get(self.window + column).copied().unwrap_or(b' '),
            Echo::Stars => b'*',
            Echo::Off => b' ',
        }
    }

    /// Moves the terminal's cursor; forward over what is there by writing it again, far back by CR.
    fn go_to(&mut self, prompt: &str, text: &[u8], column: usize, out: &mut Vec<u8>) {
        let back = self.at.saturating_sub(column);
        if back > prompt.len() + column + 1 {
            out.push(b'\r');
            out.extend_from_slice(prompt.as_bytes());
            self.at = 0;
        } else {
            out.extend(core::iter::repeat_n(BACKSPACE, back));
            self.at -= back;
        }
        for column in self.at..column {
            out.push(self.cell(text, column));
        }
        self.at = column;
    }
}

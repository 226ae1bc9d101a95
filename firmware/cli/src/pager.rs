//! `<--- More --->`: stops long output page by page.
//!
//! The caller offers line after line. When [`Pager::line`] says [`Offer::Wait`] the line was not taken:
//! the caller gets a key (as an [`Entry::Key`](crate::editor::Entry::Key)), gives it to [`Pager::key`]
//! and offers the same line again.

use alloc::vec::Vec;

/// Lines of a page unless configured otherwise.
pub const LINES_DEFAULT: usize = 24;
/// The prompt of a full page.
pub const MORE: &str = "<--- More --->";
/// What overwrites it: CR, as many blanks, CR.
const ERASE: &[u8] = b"\r              \r";

/// What became of an offered line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// It was written; offer the next.
    Taken,
    /// The page is full; get a key, then offer it again.
    Wait,
    /// The user has seen enough; drop the rest of the output.
    Stop,
}

/// The pager of one command's output.
#[derive(Clone, Copy, Debug)]
pub struct Pager {
    /// Rows of a page, 0 for no paging.
    lines: usize,
    width: usize,
    /// Rows that may be written before the next stop.
    left: usize,
    stopped: bool,
}

impl Pager {
    /// A pager for pages of `lines` rows (0: never stops) on a terminal `width` columns wide.
    #[must_use]
    pub fn new(lines: usize, width: usize) -> Self {
        Self {
            lines,
            width: width.max(1),
            left: lines,
            stopped: false,
        }
    }

    /// Offers a line (without its end); a taken one is added to `out` with CR LF.
    pub fn line(&mut self, line: &str, out: &mut Vec<u8>) -> Offer {
        if self.stopped {
            return Offer::Stop;
        }
        if self.lines > 0 {
            if self.left == 0 {
                out.extend_from_slice(MORE.as_bytes());
                return Offer::Wait;
            }
            // A line wider than the terminal takes several rows.
            let rows = line.chars().count().div_ceil(self.width).max(1);
            self.left = self.left.saturating_sub(rows);
        }
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
        Offer::Taken
    }

    /// Takes the key pressed at the prompt; `false` if it means nothing there (get another).
    ///
    /// Space goes on for a page, Enter for a row, `q` ends the output.
    pub fn key(&mut self, key: u8, out: &mut Vec<u8>) -> bool {
        match key {
            b' ' => self.left = self.lines,
            b'\r' | b'\n' => self.left = 1,
            b'q' | b'Q' => self.stopped = true,
            _ => return false,
        }
        out.extend_from_slice(ERASE);
        true
    }

    /// Ends the output at the prompt, as for Ctrl-C.
    pub fn stop(&mut self, out: &mut Vec<u8>) {
        self.stopped = true;
        out.extend_from_slice(ERASE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `lines` numbered lines through a pager with these keys; returns what the terminal got.
    fn run(lines: usize, page: usize, keys: &[u8]) -> String {
        let mut pager = Pager::new(page, 80);
        let mut keys = keys.iter();
        let mut out = Vec::new();
        'lines: for number in 1..=lines {
            loop {
                match pager.line(&number.to_string(), &mut out) {
                    Offer::Taken => break,
                    Offer::Stop => break 'lines,
                    Offer::Wait => {
                        while keys.next().is_some_and(|&key| !pager.key(key, &mut out)) {}
                    }
                }
            }
        }
        String::from_utf8(out).unwrap()
    }

    const OVER: &str = "<--- More --->\r              \r";

    #[test]
    fn output_of_exactly_a_page_does_not_stop() {
        assert_eq!(run(3, 3, b""), "1\r\n2\r\n3\r\n");
        assert_eq!(run(5, 0, b""), "1\r\n2\r\n3\r\n4\r\n5\r\n");
    }

    #[test]
    fn space_shows_a_page_and_enter_a_line() {
        assert_eq!(
            run(5, 2, b" x "),
            format!("1\r\n2\r\n{OVER}3\r\n4\r\n{OVER}5\r\n")
        );
        assert_eq!(
            run(4, 2, b"\r\r"),
            format!("1\r\n2\r\n{OVER}3\r\n{OVER}4\r\n")
        );
    }

    #[test]
    fn q_ends_the_output() {
        assert_eq!(run(5, 2, b"q"), format!("1\r\n2\r\n{OVER}"));
    }

    #[test]
    fn a_line_wider_than_the_terminal_counts_as_its_rows_and_never_blocks() {
        let mut pager = Pager::new(2, 10);
        let mut out = Vec::new();
        let long = "x".repeat(25);
        assert_eq!(pager.line(&long, &mut out), Offer::Taken);
        assert_eq!(pager.line("y", &mut out), Offer::Wait);
        assert!(pager.key(b'\r', &mut out));
        assert_eq!(pager.line(&long, &mut out), Offer::Taken);
        assert_eq!(pager.line("y", &mut out), Offer::Wait);
    }
}

//! Statements that were wrapped over several lines.
//!
//! The rules, in order:
//!
//! 1. A blank line and a comment stand alone.
//! 2. A line that is a complete command by itself never continues an earlier one.
//! 3. A line is joined with the one or two that follow if the joined text is a complete command; with two
//!    rather than one, so that no rest is left over. They are joined by a blank or, if the first is no
//!    complete command, by nothing, for PDFs that break words.
//! 4. A complete command that ends in free text (a description) is never joined: everything would fit.
//! 5. Otherwise the line stands alone, and the grammar says what is wrong with it.

use alloc::collections::VecDeque;
use alloc::string::{String, ToString};
use core::iter::Enumerate;
use core::str::Lines;

use super::{plain, strip_prompt};
use crate::editor::LINE_MAX;

/// The most lines a statement is looked for in.
pub const JOIN_MAX: usize = 3;
/// Words that nothing but free text accepts.
const PROBE: &str = " zqx1 zqx2 zqx3";

/// What a text is to the grammar, in the mode it would be entered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// A whole command.
    Complete,
    /// The beginning of one.
    Incomplete,
    /// Neither.
    Invalid,
}

/// The lines of a text, one statement at a time. A statement is asked for in the mode that the one before
/// it has led to, so nothing is judged before its turn.
#[derive(Clone, Debug)]
pub struct Joiner<'t> {
    lines: Enumerate<Lines<'t>>,
    /// Lines looked at and not yet given, as they are in the text.
    waiting: VecDeque<(usize, &'t str)>,
    is_verbatim: bool,
}

impl<'t> Joiner<'t> {
    /// Lines to be cleaned and, where they were wrapped, joined.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        Self {
            lines: text.lines().enumerate(),
            waiting: VecDeque::with_capacity(JOIN_MAX),
            is_verbatim: false,
        }
    }

    /// Lines to be taken as they are.
    #[must_use]
    pub fn verbatim(text: &'t str) -> Self {
        Self {
            is_verbatim: true,
            ..Self::new(text)
        }
    }

    /// The next line as it is, with its number from 1. For the inside of a certificate.
    pub fn next_verbatim(&mut self) -> Option<(usize, &'t str)> {
        self.waiting.pop_front().or_else(|| {
            let (index, line) = self.lines.next()?;
            Some((index + 1, line))
        })
    }

    /// The next statement with the number of its first line. `fits` judges a text in the present mode.
    pub fn next_joined(&mut self, fits: impl Fn(&str) -> Fit) -> Option<(usize, String)> {
        let (number, line) = self.next_verbatim()?;
        if self.is_verbatim {
            return Some((number, line.to_string()));
        }
        while self.waiting.len() < JOIN_MAX - 1
            && let Some((index, line)) = self.lines.next()
        {
            self.waiting.push_back((index + 1, line));
        }
        let line = clean(line);
        let Some((text, count)) = self.joined(&line, fits) else {
            return Some((number, line));
        };
        self.waiting.drain(..count);
        Some((number, text))
    }

    /// The text of `line` and of as many following lines as belong to it, and how many those are.
    fn joined(&self, line: &str, fits: impl Fn(&str) -> Fit) -> Option<(String, usize)> {
        if is_apart(line) {
            return None;
        }
        let is_tail = |text: &String| !is_apart(text) && fits(text) != Fit::Complete;
        let following = self.waiting.iter().map(|(_, text)| clean(text));
        let mut tails = following.take_while(is_tail).take(JOIN_MAX - 1);
        let second = tails.next()?;
        let third = tails.next();
        let is_whole = fits(line) == Fit::Complete;
        if is_whole && fits(&concat(&[line, PROBE])) == Fit::Complete {
            return None;
        }
        let glues: &[&str] = if is_whole { &[" "] } else { &[" ", ""] };
        let is_command = |text: &String| text.len() <= LINE_MAX && fits(text) == Fit::Complete;
        let two = |glue: &&str| concat(&[line.trim_end(), glue, second.trim()]);
        if let Some(third) = third {
            for head in glues.iter().map(two) {
                let mut three = glues
                    .iter()
                    .map(|glue| concat(&[&head, glue, third.trim()]));
                if let Some(text) = three.find(is_command) {
                    return Some((text, 2));
                }
            }
        }
        Some((glues.iter().map(two).find(is_command)?, 1))
    }
}

/// A line with plain characters and without a copied prompt.
fn clean(line: &str) -> String {
    strip_prompt(&plain(line)).to_string()
}

/// Whether a line neither begins nor continues a statement.
fn is_apart(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with(['!', ':'])
}

fn concat(parts: &[&str]) -> String {
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grammar of five commands.
    fn fits(text: &str) -> Fit {
        let words: alloc::vec::Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["hostname", _] | ["exit"] | ["description", _, ..] => Fit::Complete,
            ["route", "outside", a, b] if a.len() > 6 && b.len() > 6 => Fit::Complete,
            ["permit", "any", "any"] | ["permit", "any", "any", "eq", _] => Fit::Complete,
            ["hostname" | "description"] | ["permit", ..] => Fit::Incomplete,
            ["route"] | ["route", "outside"] | ["route", "outside", _] => Fit::Incomplete,
            _ => Fit::Invalid,
        }
    }

    fn join(text: &str) -> alloc::vec::Vec<(usize, String)> {
        let mut joiner = Joiner::new(text);
        core::iter::from_fn(|| joiner.next_joined(fits)).collect()
    }

    #[test]
    fn wrapped_statements_are_put_together() {
        let text =
            "route outside\n 192.0.2.0\n 255.255.255.0\nhostname a\npermit any any\neq 5061\nexit";
        let found = join(text);
        let expected = [
            (1, "route outside 192.0.2.0 255.255.255.0"),
            (4, "hostname a"),
            (5, "permit any any eq 5061"),
            (7, "exit"),
        ];
        let expected = expected.map(|(number, text)| (number, String::from(text)));
        assert_eq!(found, expected);
        let broken = join("route outside 192.0.\n2.0 255.255.255.0");
        assert_eq!(broken.len(), 1);
        assert_eq!(broken[0].1, "route outside 192.0.2.0 255.255.255.0");
    }

    #[test]
    fn lines_that_stand_alone_are_left_alone() {
        for text in [
            "hostname a\nhostname b\nexit",
            "hostname\nexit",
            "description one two\nnonsense here",
            "hostname a\njunk",
            "route outside\n!\n192.0.2.0 255.255.255.0",
            "route outside\n\n192.0.2.0 255.255.255.0",
        ] {
            let found = join(text);
            assert_eq!(found.len(), text.lines().count(), "{found:?}");
        }
    }

    #[test]
    fn lines_are_cleaned_unless_they_are_taken_as_they_are() {
        let text = "asa1(config)# route outside\r\nasa1(config)# 192.0.2.0 255.255.255.0\r\n  exit";
        let found = join(text);
        let expected = [
            (1, String::from("route outside 192.0.2.0 255.255.255.0")),
            (3, String::from("  exit")),
        ];
        assert_eq!(found, expected);
        let mut joiner = Joiner::verbatim("asa1# exit\nhostname");
        let first = joiner.next_joined(fits);
        assert_eq!(first, Some((1, String::from("asa1# exit"))));
        // What was looked at ahead is still there as it was.
        let mut joiner = Joiner::new("exit\nasa1# data\n\u{2013}");
        joiner.next_joined(fits);
        assert_eq!(joiner.next_verbatim(), Some((2, "asa1# data")));
        assert_eq!(joiner.next_verbatim(), Some((3, "\u{2013}")));
    }
}

//! Why a line is no command, in the words of an ASA; and why a table does not compile.

use alloc::string::String;
use core::fmt;

/// Why a line was not taken. Offsets are bytes from the start of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// Nothing but blanks or a comment: nothing to do, nothing to print.
    Blank,
    /// The word at `offset` fits nothing.
    Invalid {
        /// Where the first bad word starts.
        offset: usize,
    },
    /// The line ends before the command does.
    Incomplete,
    /// The word at `offset` abbreviates several keywords.
    Ambiguous {
        /// Where that word starts.
        offset: usize,
    },
}

impl ParseError {
    /// Where the word is that is wrong, if it is one word.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        match self {
            Self::Invalid { offset } | Self::Ambiguous { offset } => Some(*offset),
            Self::Blank | Self::Incomplete => None,
        }
    }

    /// Orders errors of several modes: the one that read farther says more.
    pub(super) fn is_farther_than(&self, other: &Self) -> bool {
        self.reach() > other.reach()
    }

    fn reach(&self) -> (usize, u8) {
        match *self {
            Self::Blank => (0, 0),
            Self::Invalid { offset } => (offset, 1),
            Self::Ambiguous { offset } => (offset, 2),
            Self::Incomplete => (usize::MAX, 3),
        }
    }

    /// Writes the error as the console shows it below the typed line, each line ended by `\n`.
    ///
    /// `line` is the line as typed, `caret_column` the screen column of an offset in it (for a line
    /// that was not scrolled: prompt length + offset; see
    /// [`Editor::caret_column`](crate::editor::Editor::caret_column)).
    pub fn write(&self, line: &str, caret_column: impl FnOnce(usize) -> usize, out: &mut String) {
        match *self {
            Self::Blank => {}
            Self::Invalid { offset } => write_caret_error(caret_column(offset), out),
            Self::Incomplete => out.push_str("ERROR: % Incomplete command\n"),
            Self::Ambiguous { .. } => {
                out.push_str("ERROR: % Ambiguous command:  \"");
                out.push_str(line.trim_matches([' ', '\t']));
                out.push_str("\"\n");
            }
        }
    }
}

/// The error in a line of its own, where no caret can point at the word.
impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Blank => "nothing to do",
            Self::Invalid { .. } => "ERROR: % Invalid input",
            Self::Incomplete => "ERROR: % Incomplete command",
            Self::Ambiguous { .. } => "ERROR: % Ambiguous command",
        })
    }
}

/// Writes the caret line and `ERROR: % Invalid input detected at '^' marker.`
pub fn write_caret_error(column: usize, out: &mut String) {
    out.extend(core::iter::repeat_n(' ', column));
    out.push_str("^\nERROR: % Invalid input detected at '^' marker.\n");
}

/// A mistake in a table of commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The row's or fragment's syntax.
    pub syntax: &'static str,
    /// Where in it, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub cause: SyntaxCause,
}

/// What is wrong with a syntax string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyntaxCause {
    /// Nothing where a word was expected, as in `{a|}` or an empty row.
    Empty,
    /// A fragment that uses itself, or nesting beyond reason.
    Recursive,
    /// A repeated part that can match nothing.
    RepeatsNothing,
    /// A row that begins with `no`; give the row a `no` form instead.
    StartsWithNo,
    /// More than 64 alternatives in `{…}*` parts of one row.
    TooManyOptions,
    /// An opened `[`, `{` or `<` without its end.
    Unclosed,
    /// A character out of place.
    Unexpected,
    /// A `$name` that is no fragment.
    UnknownFragment,
    /// A `<name:kind>` whose kind does not exist.
    UnknownKind,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.cause {
            SyntaxCause::Empty => "nothing here",
            SyntaxCause::Recursive => "nested too deeply or in itself",
            SyntaxCause::RepeatsNothing => "repeats a part that can be empty",
            SyntaxCause::StartsWithNo => "begins with no",
            SyntaxCause::TooManyOptions => "more than 64 options",
            SyntaxCause::Unclosed => "bracket not closed",
            SyntaxCause::Unexpected => "character out of place",
            SyntaxCause::UnknownFragment => "unknown fragment",
            SyntaxCause::UnknownKind => "unknown kind of argument",
        };
        write!(f, "`{}`: {text} at {}", self.syntax, self.offset)
    }
}

impl core::error::Error for SyntaxError {}

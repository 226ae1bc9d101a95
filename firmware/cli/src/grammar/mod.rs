//! The command grammar: one [`Row`] per command drives parse, `?`, Tab and errors.
//!
//! # The syntax language
//!
//! | Written | Means |
//! | --- | --- |
//! | `extended` | a keyword, typed whole or shortened to what is unique at its place; any case |
//! | `\|` , `\<` | a keyword that starts with a character of this language |
//! | `<name:kind>` | an argument, captured under `name`; `<name>` is `<name:word>` |
//! | `[ … ]` | optional |
//! | `{ a \| b }` | one of; each branch is itself a sequence |
//! | `{ a \| b }*` | any of, in any order, each at most once, perhaps none |
//! | `{ … }+` | once or more |
//! | `$name` | a shared [`Fragment`] |
//! | `$name@label`, `{…}@label`, `{…}*@label`, `[…]@label` | captures inside are prefixed `label.` |
//!
//! | Kind | Takes | Shown as |
//! | --- | --- | --- |
//! | `word`, `word(n)` | one word, of at most `n` characters | `WORD`, `WORD < n+1 char` |
//! | `text` | the rest of the line from its first non-blank, trailing blanks cut | `LINE` |
//! | `verbatim` | the rest of the line after exactly one blank, all blanks kept | `LINE` |
//! | `1-65535` | a decimal number in that range (u32) | `<1-65535>` |
//! | `ip` | a dotted quad; `0` is 0.0.0.0 | `A.B.C.D` |
//! | `mask` | a dotted quad; `0` is 0.0.0.0 (contiguity is the caller's business) | `A.B.C.D` |
//! | `host` | an address or a host name, captured as a word | `Hostname or A.B.C.D` |
//! | `port` | 0-65535 or a name of [`crate::ports`] | `<0-65535>` and the names |
//! | `time` | `hh:mm:ss` or `hh:mm`; hours up to 1193 | `hh:mm:ss` |
//! | `interface` | `GigabitEthernet0/0`, `gi0/0`, `GigabitEthernet 0/0.10` | the type names |
//! | `pair` | `(inside,outside)`, blanks allowed | `(` |
//! | `mac` | `H.H.H` | `H.H.H` |
//! | `hex` | hexadecimal digits, captured as a word | `Hex-data` |
//!
//! # How a word is read
//!
//! All rows of a mode advance together, word by word. Where a keyword matches exactly, everything else
//! is dropped. Otherwise arguments and keyword abbreviations stay possible side by side; if the line
//! can be read in several ways to its end, at the first difference a typed argument (number, address)
//! is preferred to an abbreviation, and that to a free word. Two keywords that fit an abbreviation make
//! it ambiguous, unless an argument fits as well: then it is taken as that.
//!
//! ```
//! use cli::grammar::{Fragment, Grammar, No, Row, Scope};
//!
//! const CONFIG: u64 = 1;
//! #[derive(Clone, Copy, Debug, PartialEq)]
//! enum Action { Route }
//!
//! let rows = [Row::new(CONFIG, 15, "route <nameif> <network:ip> <mask:mask> <gateway:ip> [<metric:1-255>]",
//!     &[("route", "Configure a static route"), ("nameif", "Interface name")], Action::Route).no(No::Same)];
//! let grammar = Grammar::compile(&rows, &[]).unwrap();
//! let scopes = [Scope { modes: CONFIG, title: "configure" }];
//!
//! let m = grammar.parse("rou outside 0 0 203.0.113.1", &scopes, 15).unwrap();
//! assert_eq!(m.action, Action::Route);
//! assert_eq!(m.word("nameif"), Some("outside"));
//! assert_eq!(m.number("metric"), None);
//! ```

mod capture;
mod compile;
mod error;
mod help;
mod reference;
mod syntax;
mod value;
mod walk;

pub use capture::{Capture, Captures};
pub use error::{ParseError, SyntaxCause, SyntaxError, write_caret_error};
pub use help::{Completion, Help, HelpBlock, HelpItem};
pub use value::{InterfaceKind, InterfaceName, TimeOfDay, Value};

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Deref;

/// A set of modes, one bit each; which bit means what is the caller's.
pub type ModeSet = u64;

/// Whether `no <command>` is taken, and in which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum No {
    /// The command has no `no` form.
    #[default]
    Forbidden,
    /// `no` before the very same syntax.
    Same,
    /// `no` before this syntax, for example `nameif [<name>]` for `nameif <name>`.
    Syntax(&'static str),
}

/// One command: everything the command line knows of it.
#[derive(Clone, Copy, Debug)]
pub struct Row<A: 'static> {
    /// The modes it is typed in.
    pub modes: ModeSet,
    /// The least privilege level (0-15) that sees it.
    pub privilege: u8,
    /// Its syntax, in the language of this module's head.
    pub syntax: &'static str,
    /// Whether and how it is negated.
    pub no: No,
    /// Help by keyword or argument name, in any order. A name inside a labelled part may be given as
    /// `label.name`, an argument that shares its name with a keyword as `<name>`. A word without a text here takes that of its fragment, else of any other row.
    pub help: &'static [(&'static str, &'static str)],
    /// A line that this row takes, for the command reference; empty if nobody wrote one.
    pub example: &'static str,
    /// What the caller wants back when a line matches.
    pub action: A,
}

impl<A: Copy> Row<A> {
    /// A row whose `no` form is forbidden.
    #[must_use]
    pub const fn new(
        modes: ModeSet,
        privilege: u8,
        syntax: &'static str,
        help: &'static [(&'static str, &'static str)],
        action: A,
    ) -> Self {
        Self {
            modes,
            privilege,
            syntax,
            no: No::Forbidden,
            help,
            example: "",
            action,
        }
    }

    /// The same row with this `no` form.
    #[must_use]
    pub const fn no(self, no: No) -> Self {
        Self { no, ..self }
    }

    /// A line of this command: the row's example, or what its syntax begins with if the rest of it
    /// can be left out. `None` if it needs an example and has none.
    #[must_use]
    pub fn example_line(&self) -> Option<&'static str> {
        if !self.example.is_empty() {
            return Some(self.example);
        }
        let end = self
            .syntax
            .find(['[', '{', '<', '$'])
            .unwrap_or(self.syntax.len());
        let (words, rest) = self.syntax.split_at(end);
        let words = words.trim_end();
        (!words.is_empty() && is_optional(rest)).then_some(words)
    }

    /// The same row with this line as its example.
    #[must_use]
    pub const fn example(self, example: &'static str) -> Self {
        Self { example, ..self }
    }

    /// The same row with its action wrapped, so that tables of different owners share one grammar.
    pub fn map<B>(self, wrap: impl FnOnce(A) -> B) -> Row<B> {
        Row {
            modes: self.modes,
            privilege: self.privilege,
            syntax: self.syntax,
            no: self.no,
            help: self.help,
            example: self.example,
            action: wrap(self.action),
        }
    }
}

/// Whether a syntax consists of parts that can be left out; the output filter is one.
fn is_optional(syntax: &str) -> bool {
    let mut depth = 0;
    for piece in syntax.split_inclusive([' ', ']', '[']) {
        depth += piece.matches('[').count();
        let is_inside = depth > 0;
        depth = depth.saturating_sub(piece.matches(']').count());
        let text = piece.trim_matches([' ', '[', ']']);
        if !is_inside && !text.is_empty() && text != "$filter@filter" {
            return false;
        }
    }
    true
}

/// A piece of syntax shared by rows, written `$name` there.
#[derive(Clone, Copy, Debug)]
pub struct Fragment {
    /// The name behind `$`.
    pub name: &'static str,
    /// Its syntax; may use other fragments, but not itself.
    pub syntax: &'static str,
    /// Help by keyword or argument name, for rows that do not say better.
    pub help: &'static [(&'static str, &'static str)],
}

/// One mode in the order a line is tried, with the heading its help goes under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The modes whose rows belong to it.
    pub modes: ModeSet,
    /// The heading's first words: `configure` gives `configure mode commands/options:`.
    pub title: &'static str,
}

/// A compiled table of commands.
#[derive(Debug)]
pub struct Grammar<A: 'static> {
    rows: Vec<Row<A>>,
    program: compile::Program,
}

/// A line that is a command.
#[derive(Clone, Debug)]
pub struct Match<'a, A> {
    /// The row's action.
    pub action: A,
    /// The row's index in the table given to [`Grammar::compile`].
    pub row: usize,
    /// Which of the scopes passed to [`Grammar::parse`] took the line; a sub-mode is left if it was a
    /// later one.
    pub scope: usize,
    /// What the words were.
    pub captures: Captures<'a>,
}

impl<'a, A> Deref for Match<'a, A> {
    type Target = Captures<'a>;

    fn deref(&self) -> &Captures<'a> {
        &self.captures
    }
}

impl<A: Copy> Grammar<A> {
    /// Compiles a table. Done once at start.
    ///
    /// # Errors
    /// The first [`SyntaxError`] in a row's or fragment's syntax.
    pub fn compile(rows: &[Row<A>], fragments: &[Fragment]) -> Result<Self, SyntaxError> {
        let program = compile::Program::compile(rows, fragments)?;
        Ok(Self {
            rows: rows.to_vec(),
            program,
        })
    }

    /// Reads one line, trying `scopes` in order, with the rows `privilege` may see.
    ///
    /// The first scope that takes the line wins, except that a scope in which the command word is
    /// written out in full goes before scopes where it is only an abbreviation.
    ///
    /// # Errors
    /// [`ParseError::Blank`] for an empty line or comment; else the error that got farthest.
    pub fn parse<'a>(
        &'a self,
        line: &'a str,
        scopes: &[Scope],
        privilege: u8,
    ) -> Result<Match<'a, A>, ParseError> {
        if is_blank_or_comment(line) {
            return Err(ParseError::Blank);
        }
        let tokens = walk::tokenize(line);
        let mut best: Option<Match<'a, A>> = None;
        let mut worst: Option<ParseError> = None;
        for (scope_index, scope) in scopes.iter().enumerate() {
            let view = walk::View {
                rows: &self.rows,
                program: &self.program,
                modes: scope.modes,
                privilege,
            };
            match view.read(line, &tokens) {
                Ok(reading) => {
                    let exact = reading.exact_command;
                    if best.is_none() || exact {
                        let Some(row) = self.rows.get(reading.row) else {
                            continue;
                        };
                        best = Some(Match {
                            action: row.action,
                            row: reading.row,
                            scope: scope_index,
                            captures: reading.captures,
                        });
                    }
                    if exact {
                        break;
                    }
                }
                Err(error) => {
                    worst = Some(match worst {
                        Some(other) if !error.is_farther_than(&other) => other,
                        _ => error,
                    });
                }
            }
        }
        match best {
            Some(found) => Ok(found),
            None => Err(worst.unwrap_or(ParseError::Invalid {
                offset: first_non_blank(line),
            })),
        }
    }

    /// The rows, in the order given to [`Grammar::compile`]; for a command reference.
    #[must_use]
    pub fn rows(&self) -> &[Row<A>] {
        &self.rows
    }

    /// The words of a row with their help, in the order of its syntax, each once: name, whether it is
    /// an argument, text.
    #[must_use]
    pub fn words_of(&self, row: usize) -> Vec<(&'static str, bool, &'static str)> {
        self.program.texts_of(&self.rows, row).into_iter().collect()
    }

    /// Words of visible rows for which no help text exists anywhere: (row syntax, word).
    ///
    /// For a unit test beside each table; an empty result is a complete table.
    #[must_use]
    pub fn missing_help(&self) -> Vec<(&'static str, &'static str)> {
        self.program.missing_help(&self.rows)
    }

    /// Help entries that name no word of their row: (row syntax, entry).
    #[must_use]
    pub fn unused_help(&self) -> Vec<(&'static str, &'static str)> {
        self.program.unused_help(&self.rows)
    }
}

/// Whether a line is empty or a comment (`!` or `:` first).
#[must_use]
pub fn is_blank_or_comment(line: &str) -> bool {
    let text = line.trim_matches([' ', '\t']);
    text.is_empty() || text.starts_with(['!', ':'])
}

fn first_non_blank(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// Joins a group path and a name the way captures are asked for.
fn dotted(group: &str, name: &str) -> String {
    let mut path = String::with_capacity(group.len() + name.len() + 1);
    if !group.is_empty() {
        path.push_str(group);
        path.push('.');
    }
    path.push_str(name);
    path
}

#[cfg(test)]
mod tests;

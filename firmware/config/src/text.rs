//! Configuration text, line by line: what is stored, what is pasted.
//!
//! The grammar may be one that other tables were compiled into as well; `handler_of` picks the
//! actions that belong here.

use crate::model::Config;
use crate::password::SALT_LEN;
use crate::refusal::Refusal;
use crate::script::{PRIVILEGE, Script, Verdict, read};
use crate::statements::{FRAGMENTS, Handler, ModeState, Outcome, apply, collect, rows};
use alloc::string::String;
use alloc::vec::Vec;
use cli::grammar::{Grammar, ParseError, SyntaxError};
use core::fmt;

/// Why a line was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It is no configuration command.
    Parse(ParseError),
    /// It is one, and was refused.
    Refused(Refusal),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse(error) => write!(f, "{error}"),
            Self::Refused(refusal) => write!(f, "{refusal}"),
        }
    }
}

/// A line of a stored or pasted text that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Counted from 1.
    pub line_number: usize,
    /// The line.
    pub line: String,
    /// What is wrong with it.
    pub error: LineError,
}

/// The grammar of the configuration rows alone.
///
/// # Errors
/// A [`SyntaxError`] if a row is malformed, which a test rules out.
pub fn grammar() -> Result<Grammar<Handler>, SyntaxError> {
    Grammar::compile(&rows(), FRAGMENTS)
}

/// Reads a stored text onto a box with `ports` ports that nobody has configured.
///
/// Lines that are not taken are left out and reported; the rest stands.
pub fn load<A: Copy>(
    grammar: &Grammar<A>,
    handler_of: impl Fn(A) -> Option<Handler>,
    text: &str,
    ports: u16,
) -> (Config, Vec<Problem>) {
    let mut config = Config::factory(ports);
    let mut script = Script::stored(text);
    let mut problems = Vec::new();
    // Stored passwords are hashes, so no salt is drawn.
    let salt = [0; SALT_LEN];
    while let Some(judged) = script.step(grammar, &handler_of, &[], &mut config, salt) {
        let error = match judged.verdict {
            Verdict::Refused(error) => error,
            Verdict::Unsupported(what) => LineError::Refused(Refusal::Unsupported(what)),
            Verdict::NotConfiguration => LineError::Parse(ParseError::Invalid { offset: 0 }),
            Verdict::Applied | Verdict::Unchanged | Verdict::Ineffective(_) => continue,
        };
        problems.push(Problem {
            line_number: judged.number,
            line: judged.line,
            error,
        });
    }
    (config, problems)
}

/// The lines of a printed configuration that say something: no heading, no checksum.
pub fn statements(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !is_heading(line))
}

/// Applies one line of text: a statement, a line of a certificate, a comment, or a line of the
/// heading, which says nothing.
///
/// # Errors
/// A [`LineError`]; nothing has changed then.
pub fn apply_line<A: Copy>(
    grammar: &Grammar<A>,
    handler_of: impl Fn(A) -> Option<Handler>,
    config: &mut Config,
    state: &mut ModeState,
    line: &str,
    salt: [u8; SALT_LEN],
) -> Result<Outcome, LineError> {
    if state.is_collecting() {
        return match collect(config, state, line) {
            Ok(outcome) => Ok(outcome.unwrap_or_default()),
            Err(refusal) => Err(LineError::Refused(refusal)),
        };
    }
    if is_heading(line) {
        return Ok(Outcome::default());
    }
    let scopes = state.mode().scopes();
    let found = match read(grammar, &scopes, PRIVILEGE, line) {
        Ok((_, found)) => found,
        Err(ParseError::Blank) => return Ok(Outcome::default()),
        Err(error) => return Err(LineError::Parse(error)),
    };
    let Some(handler) = handler_of(found.action) else {
        return Err(LineError::Parse(ParseError::Invalid { offset: 0 }));
    };
    apply(config, state, handler, found.scope, &found.captures, salt).map_err(LineError::Refused)
}

/// Whether the line belongs to the heading or end of a printed configuration: it is accepted
/// anywhere and says nothing.
#[must_use]
pub fn is_heading(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("ASA Version ")
        || line.starts_with("Sallyport Version ")
        || line.starts_with("Cryptochecksum:")
}

/// The line without a trailing `! comment`, if it has one. Tried only after the line as it stands
/// was not understood, so that descriptions keep their exclamation marks.
#[must_use]
pub fn without_comment(line: &str) -> Option<&str> {
    let (statement, _) = line.split_once(" !")?;
    let statement = statement.trim_end();
    (!statement.is_empty()).then_some(statement)
}

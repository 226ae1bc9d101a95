//! A text of many lines applied statement by statement, with a verdict on each.
//!
//! A [`Script`] is how stored text, uploaded files and pasted guides become a configuration. It is
//! driven one statement at a time, so that the caller can let packets pass in between, and it never
//! stops by itself: what to do about a refused line is the caller's decision. Applied to a copy of the
//! configuration it is a dry run.
//!
//! Pasted text is first cleaned of what guides, mail programs and terminals put into it
//! ([`cli::paste`]); stored text is taken as it is.

use crate::mode::Mode;
use crate::model::Config;
use crate::password::SALT_LEN;
use crate::refusal::{Notice, Refusal};
use crate::statements::{Handler, ModeState, apply, collect};
use crate::text::{LineError, is_heading, without_comment};
use crate::unsupported;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use cli::grammar::{Grammar, Match, ParseError, Scope};
use cli::paste::{Fit, Joiner};

/// The privilege of configuration mode.
pub(crate) const PRIVILEGE: u8 = 15;

/// What became of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It changed the configuration.
    Applied,
    /// It was accepted and changed nothing: an empty line, a comment, or what is set already.
    Unchanged,
    /// It was accepted and kept, and nothing acts on it; the notice says of what.
    Ineffective(Notice),
    /// It is a command of EXEC mode, which a configuration has no use for.
    NotConfiguration,
    /// It is known, and this box cannot do it.
    Unsupported(&'static str),
    /// It is wrong.
    Refused(LineError),
}

/// A statement with its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The line it began at, counted from 1.
    pub number: usize,
    /// As it was understood: without prompts, wrapped lines joined.
    pub line: String,
    /// What became of it.
    pub verdict: Verdict,
    /// What the operator should know about an accepted line.
    pub notices: Vec<Notice>,
}

impl Judged {
    /// The word that is wrong, if it is one word.
    #[must_use]
    pub fn word(&self) -> Option<&str> {
        let offset = match &self.verdict {
            Verdict::Refused(LineError::Parse(
                ParseError::Invalid { offset } | ParseError::Ambiguous { offset },
            ))
            | Verdict::Refused(LineError::Refused(Refusal::Invalid { offset })) => *offset,
            _ => return None,
        };
        self.line.get(offset..)?.split_whitespace().next()
    }

    /// Whether there is nothing to say about it.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.verdict == Verdict::Unchanged && cli::grammar::is_blank_or_comment(&self.line)
    }
}

/// How many statements got which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Statements in all, blank lines and comments left out.
    pub statements: usize,
    /// Changed something.
    pub applied: usize,
    /// Changed nothing.
    pub unchanged: usize,
    /// Kept without effect, or not known here, or of EXEC mode.
    pub unsupported: usize,
    /// Wrong.
    pub refused: usize,
}

impl Tally {
    /// Counts a statement.
    pub fn count(&mut self, judged: &Judged) {
        if judged.is_blank() {
            return;
        }
        self.statements += 1;
        match judged.verdict {
            Verdict::Applied => self.applied += 1,
            Verdict::Unchanged => self.unchanged += 1,
            Verdict::Ineffective(_) | Verdict::NotConfiguration | Verdict::Unsupported(_) => {
                self.unsupported += 1;
            }
            Verdict::Refused(_) => self.refused += 1,
        }
    }
}

/// A text on its way into a configuration.
#[derive(Clone, Debug)]
pub struct Script<'t> {
    lines: Joiner<'t>,
    state: ModeState,
    /// A block that this box cannot do: its feature, and the indentation of its head.
    passed_over: Option<(&'static str, usize)>,
}

impl<'t> Script<'t> {
    /// What this box has printed: a whole configuration, taken as it is.
    #[must_use]
    pub fn stored(text: &'t str) -> Self {
        Self {
            lines: Joiner::verbatim(text),
            state: ModeState::for_stored_text(),
            passed_over: None,
        }
    }

    /// A whole configuration from anywhere: cleaned, and an interface without `shutdown` is up.
    #[must_use]
    pub fn whole(text: &'t str) -> Self {
        Self {
            lines: Joiner::new(text),
            state: ModeState::for_stored_text(),
            passed_over: None,
        }
    }

    /// Lines to be added to a configuration, from anywhere: cleaned.
    #[must_use]
    pub fn pasted(text: &'t str) -> Self {
        Self {
            lines: Joiner::new(text),
            state: ModeState::new(),
            passed_over: None,
        }
    }

    /// Lines that were accepted before, taken as they are.
    #[must_use]
    pub fn typed(text: &'t str) -> Self {
        Self {
            lines: Joiner::verbatim(text),
            state: ModeState::new(),
            passed_over: None,
        }
    }

    /// Applies the next statement to `config`; `None` at the end of the text.
    ///
    /// `exec` are the scopes of commands that are no configuration, `salt` is fresh random bytes. A
    /// refused statement changes nothing.
    pub fn step<A: Copy>(
        &mut self,
        grammar: &Grammar<A>,
        handler_of: impl Fn(A) -> Option<Handler>,
        exec: &[Scope],
        config: &mut Config,
        salt: [u8; SALT_LEN],
    ) -> Option<Judged> {
        let (number, line) = if self.state.is_collecting() {
            let (number, line) = self.lines.next_verbatim()?;
            (number, line.to_string())
        } else {
            let scopes = self.state.mode().scopes();
            self.lines
                .next_joined(|line| fit(grammar, &scopes, exec, line))?
        };
        let (verdict, notices) = self.judge(grammar, handler_of, exec, config, &line, salt);
        Some(Judged {
            number,
            line,
            verdict,
            notices,
        })
    }

    fn judge<A: Copy>(
        &mut self,
        grammar: &Grammar<A>,
        handler_of: impl Fn(A) -> Option<Handler>,
        exec: &[Scope],
        config: &mut Config,
        line: &str,
        salt: [u8; SALT_LEN],
    ) -> (Verdict, Vec<Notice>) {
        let outcome = if self.state.is_collecting() {
            collect(config, &mut self.state, line).map(Option::unwrap_or_default)
        } else {
            if is_heading(line) {
                return (Verdict::Unchanged, Vec::new());
            }
            let indent = line.len() - line.trim_start().len();
            if let Some((feature, head)) = self.passed_over {
                if indent > head {
                    return (Verdict::Unsupported(feature), Vec::new());
                }
                self.passed_over = None;
            }
            let scopes = self.state.mode().scopes();
            let found = match read(grammar, &scopes, PRIVILEGE, line) {
                Ok((_, found)) => found,
                Err(ParseError::Blank) => return (Verdict::Unchanged, Vec::new()),
                Err(error) => {
                    if grammar.parse(line, exec, PRIVILEGE).is_ok() {
                        return (Verdict::NotConfiguration, Vec::new());
                    }
                    if let Some(feature) = unsupported::feature(line) {
                        self.passed_over = Some((feature, indent));
                        return (Verdict::Unsupported(feature), Vec::new());
                    }
                    return (Verdict::Refused(LineError::Parse(error)), Vec::new());
                }
            };
            let Some(handler) = handler_of(found.action) else {
                return (Verdict::NotConfiguration, Vec::new());
            };
            let (scope, words) = (found.scope, &found.captures);
            apply(config, &mut self.state, handler, scope, words, salt)
        };
        match outcome {
            Ok(outcome) => {
                if outcome.left {
                    self.state.reset();
                }
                let idle = outcome
                    .notices
                    .iter()
                    .find(|notice| notice.is_ineffective());
                let verdict = match (idle, outcome.changed) {
                    (Some(notice), _) => Verdict::Ineffective(notice.clone()),
                    (None, true) => Verdict::Applied,
                    (None, false) => Verdict::Unchanged,
                };
                (verdict, outcome.notices)
            }
            Err(Refusal::Unsupported(what)) => (Verdict::Unsupported(what), Vec::new()),
            Err(refusal) => (Verdict::Refused(LineError::Refused(refusal)), Vec::new()),
        }
    }

    /// The mode the next statement lands in.
    #[must_use]
    pub const fn mode(&self) -> &Mode {
        self.state.mode()
    }
}

/// Reads a line, with a trailing `! comment` taken off if it is not understood otherwise. Returns the
/// statement and what it means.
///
/// # Errors
/// As [`Grammar::parse`], of the line as it stands.
pub fn read<'a, A: Copy>(
    grammar: &'a Grammar<A>,
    scopes: &[Scope],
    privilege: u8,
    line: &'a str,
) -> Result<(&'a str, Match<'a, A>), ParseError> {
    let parse = |line| Ok((line, grammar.parse(line, scopes, privilege)?));
    parse(line).or_else(|error| match without_comment(line) {
        Some(statement) => parse(statement).map_err(|_| error),
        None => Err(error),
    })
}

/// Whether a line is a command by itself, as the joiner of wrapped lines asks.
pub fn fit<A: Copy>(grammar: &Grammar<A>, scopes: &[Scope], exec: &[Scope], line: &str) -> Fit {
    if is_heading(line) {
        return Fit::Complete;
    }
    match read(grammar, scopes, PRIVILEGE, line) {
        Ok(_) | Err(ParseError::Blank) => Fit::Complete,
        Err(error) => match grammar.parse(line, exec, PRIVILEGE) {
            Ok(_) => Fit::Complete,
            Err(_) if error == ParseError::Incomplete => Fit::Incomplete,
            Err(_) => Fit::Invalid,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;
    use alloc::vec;

    /// The verdicts on `text`, pasted onto a box with two ports.
    fn judge(text: &str) -> (Config, Vec<Judged>) {
        let grammar = text::grammar().unwrap();
        let mut config = Config::factory(2);
        let mut script = Script::pasted(text);
        let mut judged = Vec::new();
        while let Some(next) = script.step(&grammar, Some, &[], &mut config, [7; SALT_LEN]) {
            if !next.is_blank() {
                judged.push(next);
            }
        }
        (config, judged)
    }

    #[test]
    fn every_line_gets_its_verdict_and_none_stops_the_rest() {
        let (config, judged) = judge(
            "hostname asa1\n\n! comment\nsnmp-server location here\nrouter ospf 1\n network 10.0.0.0 \
             255.0.0.0 area 0\nbogus line\nroute nowhere 0 0 192.0.2.1\ndomain-name example.com\n",
        );
        let verdicts: Vec<_> = judged
            .iter()
            .map(|judged| {
                let word = match &judged.verdict {
                    Verdict::Applied => "applied",
                    Verdict::Unchanged => "unchanged",
                    Verdict::Ineffective(_) => "ineffective",
                    Verdict::NotConfiguration => "exec",
                    Verdict::Unsupported(feature) => feature,
                    Verdict::Refused(_) => "refused",
                };
                (judged.number, word)
            })
            .collect();
        assert_eq!(
            verdicts,
            vec![
                (1, "applied"),
                (4, "ineffective"),
                (5, "Dynamic routing"),
                (6, "Dynamic routing"),
                (7, "refused"),
                (8, "refused"),
                (9, "applied"),
            ]
        );
        assert_eq!(judged[4].word(), Some("bogus"));
        assert_eq!(judged[5].word(), None);
        assert_eq!(config.domain_name.as_deref(), Some("example.com"));
        let mut tally = Tally::default();
        judged.iter().for_each(|judged| tally.count(judged));
        assert_eq!(
            tally,
            Tally {
                statements: 7,
                applied: 2,
                unchanged: 0,
                unsupported: 3,
                refused: 2
            }
        );
    }

    #[test]
    fn a_certificate_is_taken_as_it_is() {
        let (_, judged) = judge(
            "crypto ca trustpoint tp\nexit\ncrypto ca certificate chain tp\n certificate ca 01\n  \
             3082 0001\n  quit\nhostname asa1\n",
        );
        let last = judged.last().unwrap();
        assert_eq!((last.number, &last.verdict), (7, &Verdict::Applied));
        let quit = &judged[judged.len() - 2];
        assert!(matches!(
            quit.verdict,
            Verdict::Refused(LineError::Refused(Refusal::BadCertificate))
        ));
    }
}

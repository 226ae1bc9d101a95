//! A text applied to a copy of a configuration, a few statements at a time, with a report.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use cli::grammar::Scope;
use config::Config;
use config::script::{Judged, Script, Tally, Verdict};
use config::text::LineError;

use super::Action;
use super::declare::{EXEC, EXEC_ONLY, POWER};
use super::session::{Gone, Session};
use crate::print::put_line;
use crate::tasks::yield_now;

/// Statements judged between two turns of the packet path.
const STATEMENTS_PER_TURN: usize = 16;

/// The commands that a configuration has no use for, so that a pasted session is told from a mistake.
const NOT_CONFIGURATION: &[Scope] = &[Scope {
    modes: EXEC | EXEC_ONLY | POWER,
    title: "exec",
}];

/// What came of a text.
pub(crate) struct Rehearsal {
    /// The configuration with every accepted statement applied.
    pub(crate) config: Config,
    /// How many statements got which verdict.
    pub(crate) tally: Tally,
    judged: Vec<Judged>,
}

/// Applies `script` to `config`, letting packets pass in between.
pub(crate) async fn rehearse(
    session: &mut Session,
    mut script: Script<'_>,
    config: Config,
) -> Result<Rehearsal, Gone> {
    let grammar = session.grammar();
    let mut rehearsal = Rehearsal {
        config,
        tally: Tally::default(),
        judged: Vec::new(),
    };
    loop {
        for _ in 0..STATEMENTS_PER_TURN {
            let mut salt = [0; config::password::SALT_LEN];
            session.core().entropy.fill(&mut salt);
            let handler_of = |action| match action {
                Action::Config(handler) => Some(handler),
                Action::Exec(_) => None,
            };
            let next = script.step(
                &grammar,
                handler_of,
                NOT_CONFIGURATION,
                &mut rehearsal.config,
                salt,
            );
            let Some(judged) = next else {
                return Ok(rehearsal);
            };
            rehearsal.tally.count(&judged);
            if !judged.is_blank() {
                rehearsal.judged.push(judged);
            }
        }
        yield_now().await;
    }
}

impl Rehearsal {
    /// The first refused statement, as [`complain`](Self::complain) words it.
    pub(crate) fn first_refused(&self) -> Option<String> {
        let judged = self
            .judged
            .iter()
            .find(|judged| matches!(judged.verdict, Verdict::Refused(_)))?;
        Some(alloc::format!("{}", Complaint(judged)))
    }

    /// Names every refused statement: line number, word, reason.
    pub(crate) fn complain(&self, out: &mut String) {
        for judged in &self.judged {
            if matches!(judged.verdict, Verdict::Refused(_)) {
                let _ = write!(out, "{}", Complaint(judged));
            }
        }
    }

    /// A line for every statement, and the sum.
    pub(crate) fn report(&self, out: &mut String) {
        put_line!(out, " line  verdict      statement");
        for judged in &self.judged {
            let word = match judged.verdict {
                Verdict::Applied => "applied",
                Verdict::Unchanged => "no-op",
                Verdict::Ineffective(_) | Verdict::NotConfiguration | Verdict::Unsupported(_) => {
                    "unsupported"
                }
                Verdict::Refused(_) => "refused",
            };
            let line = config::print::masked(&judged.line);
            put_line!(out, "{:>5}  {word:<11}  {line}", judged.number);
            match &judged.verdict {
                Verdict::Applied | Verdict::Unchanged => {}
                Verdict::Ineffective(notice) => remark(out, notice),
                Verdict::NotConfiguration => {
                    remark(out, &"a command of EXEC mode, not part of a configuration");
                }
                Verdict::Unsupported(what) => {
                    remark(out, &alloc::format!("{what} is not supported"))
                }
                Verdict::Refused(error) => remark(out, &Reason(judged, error)),
            }
        }
        let Tally {
            statements,
            applied,
            unchanged,
            unsupported,
            refused,
        } = self.tally;
        put_line!(
            out,
            "{statements} statements: {applied} applied, {unchanged} no-op, {unsupported} \
             unsupported, {refused} refused. This was a rehearsal, nothing has changed."
        );
    }
}

/// A line below a statement, under its text.
fn remark(out: &mut String, text: &dyn fmt::Display) {
    put_line!(out, "{:20}{text}", "");
}

/// `line 17, at "host": ERROR: …`.
struct Complaint<'a>(&'a Judged);

impl fmt::Display for Complaint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(judged) = self;
        let Verdict::Refused(error) = &judged.verdict else {
            return Ok(());
        };
        let line = config::print::masked(&judged.line);
        writeln!(f, "*** line {}, \"{line}\"", judged.number)?;
        writeln!(f, "{}", Reason(judged, error))
    }
}

/// What is wrong with a statement, and with which word.
struct Reason<'a>(&'a Judged, &'a LineError);

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(judged, error) = self;
        if let Some(word) = judged.word() {
            write!(f, "at \"{word}\": ")?;
        }
        write!(f, "{error}")
    }
}

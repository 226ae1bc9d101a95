//! Runs the program over a line: all readings advance together, word by word, so the work is linear
//! in the line and never backtracks. Parse, `?` and Tab all use the same walk.

use super::capture::{Capture, Captures};
use super::compile::{Entry, KeywordFit, Op, Pc, Place, Program, keyword_fit};
use super::error::ParseError;
use super::value::{Fit, Kind, Value};
use super::{ModeSet, Row};
use alloc::vec::Vec;

/// Readings followed at one word beyond this are dropped; no sane table comes near it.
const THREADS_MAX: usize = 4096;

/// A word of the line, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token {
    pub(super) fn text(self, line: &str) -> &str {
        line.get(self.start..self.end).unwrap_or_default()
    }
}

/// Splits a line at blanks; a leading `|` is a word of its own.
pub(super) fn tokenize(line: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = None;
    for (at, byte) in line.bytes().enumerate() {
        let is_blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        match start {
            None if is_blank => {}
            None if byte == b'|' => tokens.push(Token {
                start: at,
                end: at + 1,
            }),
            None => start = Some(at),
            Some(from) if is_blank => {
                tokens.push(Token {
                    start: from,
                    end: at,
                });
                start = None;
            }
            Some(_) => {}
        }
    }
    if let Some(start) = start {
        tokens.push(Token {
            start,
            end: line.len(),
        });
    }
    tokens
}

/// The rows one scope sees.
pub(super) struct View<'a, A: 'static> {
    pub(super) rows: &'a [Row<A>],
    pub(super) program: &'a Program,
    pub(super) modes: ModeSet,
    pub(super) privilege: u8,
}

/// A line read to its end.
pub(super) struct Reading<'a> {
    pub(super) row: usize,
    pub(super) exact_command: bool,
    pub(super) captures: Captures<'a>,
}

/// One way to read the line so far.
#[derive(Clone, Copy, Debug)]
struct Thread {
    pc: Pc,
    /// Bits of [`Op::Once`] passed.
    used: u64,
    /// Last entry of its trail, `None` before the first.
    trail: Option<u32>,
    /// Two bits per word, first word highest: how tightly each fits; less is better.
    looseness: u128,
}

/// Captures form a tree shared by the threads.
#[derive(Clone, Copy, Debug)]
struct Step<'a> {
    before: Option<u32>,
    name: &'static str,
    group: u16,
    value: Value<'a>,
    offset: usize,
}

/// Words that fit tighter are preferred, see [`Thread::looseness`].
const EXACT: u128 = 0;
const TYPED: u128 = 1;
const ABBREVIATED: u128 = 2;
const FREE: u128 = 3;

/// What may come next after some words.
pub(super) enum Next {
    Keyword(&'static str, Place),
    Argument(&'static str, Kind, Place),
    /// The argument has begun and needs more.
    Unfinished(&'static str, Kind, Place),
    End,
}

/// Where a walk stands after its words.
struct Walk<'a> {
    /// Threads after the last word, expanded, best first.
    ends: Vec<Thread>,
    /// Arguments that fit up to the end of the line but need more.
    unfinished: Vec<Pc>,
    steps: Vec<Step<'a>>,
    exact_command: bool,
    error: Option<ParseError>,
}

impl<'a, A: 'static> View<'a, A> {
    /// Whether a row is seen here.
    fn sees(&self, entry: &Entry) -> bool {
        self.rows
            .get(entry.row as usize)
            .is_some_and(|row| row.modes & self.modes != 0 && row.privilege <= self.privilege)
    }

    /// Whether any command can be negated here.
    pub(super) fn has_no(&self) -> bool {
        self.program
            .negated
            .all
            .iter()
            .any(|entry| self.sees(entry))
    }

    /// Reads a whole line.
    pub(super) fn read(&self, line: &'a str, tokens: &[Token]) -> Result<Reading<'a>, ParseError> {
        let (negated, walk) = self.walk(line, tokens);
        let accepted =
            walk.ends
                .iter()
                .find_map(|thread| match self.program.ops.get(thread.pc as usize) {
                    Some(Op::Accept(row)) => Some((*thread, *row)),
                    _ => None,
                });
        let Some((thread, row)) = accepted else {
            return Err(walk.error.unwrap_or(ParseError::Incomplete));
        };
        let mut list = Vec::new();
        let mut at = thread.trail;
        while let Some(step) = at.and_then(|at| walk.steps.get(at as usize)) {
            let group = self
                .program
                .groups
                .get(usize::from(step.group))
                .map_or("", |group| group.as_str());
            list.push(Capture {
                group,
                name: step.name,
                value: step.value,
                offset: step.offset,
            });
            at = step.before;
        }
        list.reverse();
        Ok(Reading {
            row: row as usize,
            exact_command: walk.exact_command,
            captures: Captures { list, negated },
        })
    }

    /// What may follow `tokens`.
    pub(super) fn next(&self, line: &'a str, tokens: &[Token]) -> Result<Vec<Next>, ParseError> {
        let (_, walk) = self.walk(line, tokens);
        let mut next = Vec::new();
        for thread in &walk.ends {
            match self.program.ops.get(thread.pc as usize) {
                Some(Op::Keyword(name, place)) => next.push(Next::Keyword(name, *place)),
                Some(Op::Argument(name, kind, place)) => {
                    next.push(Next::Argument(name, *kind, *place))
                }
                Some(Op::Accept(_)) => next.push(Next::End),
                _ => {}
            }
        }
        for pc in &walk.unfinished {
            if let Some(Op::Argument(name, kind, place)) = self.program.ops.get(*pc as usize) {
                next.push(Next::Unfinished(name, *kind, *place));
            }
        }
        match walk.error {
            Some(error) if next.is_empty() => Err(error),
            _ => Ok(next),
        }
    }

    /// Walks the words; the flag says whether they began with `no`.
    fn walk(&self, line: &'a str, tokens: &[Token]) -> (bool, Walk<'a>) {
        let negated = tokens
            .first()
            .is_some_and(|first| first.text(line).eq_ignore_ascii_case("no"));
        let (index, skipped) = if negated {
            (&self.program.negated, 1)
        } else {
            (&self.program.plain, 0)
        };
        let entries = match tokens.get(skipped) {
            Some(first) => index.candidates(first.text(line)),
            None => index.all.clone(),
        };
        let starts = entries
            .iter()
            .filter(|entry| self.sees(entry))
            .map(|entry| Thread {
                pc: entry.start,
                used: 0,
                trail: None,
                looseness: 0,
            });

        let mut walk = Walk {
            ends: Vec::new(),
            unfinished: Vec::new(),
            steps: Vec::new(),
            exact_command: false,
            error: None,
        };
        let mut waiting: Vec<Vec<Thread>> = Vec::new();
        waiting.resize_with(tokens.len() + 1, Vec::new);
        if let Some(first) = waiting.get_mut(skipped) {
            first.extend(starts);
        }
        for at in skipped..tokens.len() {
            let threads = waiting.get_mut(at).map(core::mem::take).unwrap_or_default();
            if threads.is_empty() && at != skipped {
                continue;
            }
            let expanded = self.expand(threads);
            let exact = self.advance(line, tokens, at, &expanded, &mut waiting, &mut walk);
            if at == skipped {
                walk.exact_command = exact;
            }
        }
        let last = waiting.pop().unwrap_or_default();
        walk.ends = self.expand(last);
        if walk.ends.is_empty() && negated && tokens.len() == skipped {
            // Nothing can be negated here.
            let offset = tokens.first().map_or(0, |first| first.start);
            walk.error = Some(ParseError::Invalid { offset });
        }
        if !walk.ends.is_empty() || !walk.unfinished.is_empty() {
            walk.error = None;
        }
        (negated, walk)
    }

    /// Follows branches up to instructions that consume or accept, best reading first.
    fn expand(&self, mut threads: Vec<Thread>) -> Vec<Thread> {
        threads.sort_by_key(|thread| thread.looseness);
        let mut reached: Vec<Thread> = Vec::with_capacity(threads.len() * 2);
        let mut passed: Vec<(Pc, u64)> = Vec::new();
        let mut stack: Vec<Thread> = Vec::new();
        for thread in threads {
            stack.push(thread);
            while let Some(mut thread) = stack.pop() {
                match self.program.ops.get(thread.pc as usize) {
                    Some(Op::Jump(target)) => {
                        thread.pc = *target;
                        stack.push(thread);
                    }
                    Some(Op::Split(targets)) => {
                        if passed.contains(&(thread.pc, thread.used)) {
                            continue;
                        }
                        passed.push((thread.pc, thread.used));
                        stack.extend(targets.iter().rev().map(|&pc| Thread { pc, ..thread }));
                    }
                    Some(Op::Once(bit)) => {
                        let bit = 1u64.wrapping_shl(*bit);
                        if thread.used & bit == 0 {
                            thread.used |= bit;
                            thread.pc += 1;
                            stack.push(thread);
                        }
                    }
                    Some(_) => {
                        let known = reached
                            .iter()
                            .any(|other| other.pc == thread.pc && other.used == thread.used);
                        if !known && reached.len() < THREADS_MAX {
                            reached.push(thread);
                        }
                    }
                    None => {}
                }
            }
        }
        reached
    }

    /// Moves every thread over the word at `at`; returns whether the word is a keyword in full.
    fn advance(
        &self,
        line: &'a str,
        tokens: &[Token],
        at: usize,
        threads: &[Thread],
        waiting: &mut [Vec<Thread>],
        walk: &mut Walk<'a>,
    ) -> bool {
        let Some(token) = tokens.get(at) else {
            return false;
        };
        let word = token.text(line);
        let mut exact = false;
        let mut abbreviated: Option<&'static str> = None;
        let mut several = false;
        for thread in threads {
            let Some(Op::Keyword(keyword, _)) = self.program.ops.get(thread.pc as usize) else {
                continue;
            };
            match keyword_fit(keyword, word) {
                KeywordFit::Exact => exact = true,
                KeywordFit::Prefix => match abbreviated {
                    Some(other) if !other.eq_ignore_ascii_case(keyword) => several = true,
                    _ => abbreviated = Some(keyword),
                },
                KeywordFit::Not => {}
            }
        }
        let mut moved = false;
        for thread in threads {
            let (name, group, value, count, looseness) =
                match self.program.ops.get(thread.pc as usize) {
                    Some(Op::Keyword(keyword, place)) => {
                        let looseness = match keyword_fit(keyword, word) {
                            KeywordFit::Exact => EXACT,
                            KeywordFit::Prefix if !exact && !several => ABBREVIATED,
                            _ => continue,
                        };
                        (*keyword, place.group, Value::Keyword, 1, looseness)
                    }
                    Some(Op::Argument(name, kind, place)) if !exact => {
                        match kind.fit(line, tokens, at) {
                            Fit::Taken(value, count) => {
                                let looseness = if kind.is_free_form() { FREE } else { TYPED };
                                (*name, place.group, value, count, looseness)
                            }
                            Fit::Partial => {
                                moved = true;
                                walk.unfinished.push(thread.pc);
                                continue;
                            }
                            Fit::Not => continue,
                        }
                    }
                    _ => continue,
                };
            let Some(slot) = waiting.get_mut(at + count) else {
                continue;
            };
            walk.steps.push(Step {
                before: thread.trail,
                name,
                group,
                value,
                offset: token.start,
            });
            // Past the 64th word readings are no longer told apart by how well they fit.
            let shift = 126usize.checked_sub(at * 2);
            slot.push(Thread {
                pc: thread.pc + 1,
                used: thread.used,
                trail: Some(walk.steps.len() as u32 - 1),
                looseness: thread.looseness | shift.map_or(0, |shift| looseness << shift),
            });
            moved = true;
        }
        if !moved {
            let offset = token.start;
            walk.error = Some(if several {
                ParseError::Ambiguous { offset }
            } else {
                ParseError::Invalid { offset }
            });
        }
        exact
    }
}

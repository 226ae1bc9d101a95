//! `?` and Tab, from the same table as the parse.
//!
//! The layouts are those of the ASA: after a blank, a block per mode with a heading, one word a line and
//! its text; within a word, just the words that begin so, in columns.

use super::compile::{KeywordFit, keyword_fit};
use super::error::ParseError;
use super::value::{Fit, InterfaceKind, Kind};
use super::walk::{Next, Token, View, tokenize};
use super::{Grammar, Scope};
use crate::ports;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Blanks before a word, and between the longest word and the texts.
const INDENT: usize = 2;
/// The narrowest column help texts are squeezed into.
const TEXT_COLUMNS_MIN: usize = 16;
/// The text of `no`, which belongs to no row.
const NO_TEXT: &str = "Negate a command or set its defaults";

/// One word that may be typed next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpItem {
    /// The keyword or the argument's place-holder.
    pub word: String,
    /// Its help text, perhaps empty.
    pub text: &'static str,
}

/// What may be typed next in one mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HelpBlock {
    /// The scope's title.
    pub title: &'static str,
    /// Arguments first, then keywords by alphabet.
    pub items: Vec<HelpItem>,
    /// Whether the line may end here, shown as `<cr>`.
    pub ends: bool,
}

/// The answer to `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Help {
    /// After a blank: what may come next, by mode.
    Next(Vec<HelpBlock>),
    /// Within a word: the keywords that begin so.
    Words(Vec<&'static str>),
}

impl Help {
    /// Writes the help as shown between the typed line and the repeated prompt, lines ended by `\n`.
    pub fn write(&self, width: usize, out: &mut String) {
        match self {
            Self::Next(blocks) => {
                for block in blocks {
                    block.write(width, out);
                }
            }
            Self::Words(words) => {
                let column = words.iter().map(|word| word.len()).max().unwrap_or(0) + INDENT;
                let per_line = (width.saturating_sub(INDENT) / column).max(1);
                for line in words.chunks(per_line) {
                    for (at, word) in line.iter().enumerate() {
                        push_blanks(INDENT, out);
                        out.push_str(word);
                        if at + 1 < line.len() {
                            push_blanks(column - INDENT - word.len(), out);
                        }
                    }
                    out.push('\n');
                }
            }
        }
        out.push('\n');
    }
}

impl HelpBlock {
    fn write(&self, width: usize, out: &mut String) {
        out.push('\n');
        out.push_str(self.title);
        out.push_str(" mode commands/options:\n");
        let longest = self
            .items
            .iter()
            .map(|item| item.word.len())
            .max()
            .unwrap_or(0);
        let text_at = INDENT + longest + INDENT;
        let columns = width.saturating_sub(text_at).max(TEXT_COLUMNS_MIN);
        for item in &self.items {
            push_blanks(INDENT, out);
            out.push_str(&item.word);
            let mut room = 0;
            let mut is_first = true;
            for word in item.text.split_ascii_whitespace() {
                let len = word.chars().count();
                if is_first {
                    push_blanks(text_at - INDENT - item.word.len(), out);
                    room = columns;
                } else if len + 1 > room {
                    out.push('\n');
                    push_blanks(text_at, out);
                    room = columns;
                } else {
                    out.push(' ');
                    room -= 1;
                }
                is_first = false;
                out.push_str(word);
                room = room.saturating_sub(len);
            }
            out.push('\n');
        }
        if self.ends {
            out.push_str("  <cr>\n");
        }
    }

    fn add(&mut self, word: &str, text: &'static str) {
        match self.items.iter_mut().find(|item| item.word == word) {
            Some(item) if item.text.is_empty() => item.text = text,
            Some(_) => {}
            None => self.items.push(HelpItem {
                word: word.to_string(),
                text,
            }),
        }
    }
}

/// The answer to Tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// Nothing can be added.
    Nothing,
    /// Several keywords share these next letters.
    Partial(String),
    /// The rest of the only keyword, with a blank behind it.
    Whole(String),
}

impl Completion {
    /// The characters to add to the line.
    #[must_use]
    pub fn suffix(&self) -> &str {
        match self {
            Self::Nothing => "",
            Self::Partial(suffix) | Self::Whole(suffix) => suffix,
        }
    }
}

/// Writes what an ASA answers to `?` behind a line that is no command.
pub(super) fn write_unrecognized(out: &mut String) {
    out.push_str("ERROR: % Unrecognized command\n");
}

/// The words of a line, the last one apart if it is still being typed.
fn split(line: &str) -> (Vec<Token>, Option<Token>) {
    let mut tokens = tokenize(line);
    let partial = if line.is_empty() || line.ends_with([' ', '\t']) {
        None
    } else {
        tokens.pop()
    };
    (tokens, partial)
}

impl<A: Copy> Grammar<A> {
    /// Answers `?` behind `line`.
    ///
    /// # Errors
    /// [`ParseError::Invalid`] or [`ParseError::Ambiguous`] if the words before fit nothing.
    pub fn help(&self, line: &str, scopes: &[Scope], privilege: u8) -> Result<Help, ParseError> {
        let (tokens, partial) = split(line);
        let mut blocks = Vec::new();
        let mut words: Vec<&'static str> = Vec::new();
        let mut error: Option<ParseError> = None;
        for scope in scopes {
            let view = self.view(scope, privilege);
            let mut next = match view.next(line, &tokens) {
                Ok(next) => next,
                Err(other) => {
                    error = Some(match error {
                        Some(known) if !other.is_farther_than(&known) => known,
                        _ => other,
                    });
                    continue;
                }
            };
            let mut block = HelpBlock {
                title: scope.title,
                items: Vec::new(),
                ends: false,
            };
            if let Some(partial) = partial {
                let typed = partial.text(line);
                words.extend(
                    view.keywords(&next, tokens.is_empty())
                        .filter(|k| begins(k, typed)),
                );
                let mut all = tokens.clone();
                all.push(partial);
                next.retain(|next| match next {
                    Next::Argument(_, kind, _) => kind.fit(line, &all, tokens.len()) != Fit::Not,
                    Next::Unfinished(..) => true,
                    Next::Keyword(..) | Next::End => false,
                });
            }
            self.fill(&mut block, &next);
            if partial.is_none() && tokens.is_empty() && view.has_no() {
                block.add("no", NO_TEXT);
            }
            block.sort(&next);
            if !block.items.is_empty() || block.ends {
                blocks.push(block);
            }
        }
        if !words.is_empty() {
            words.sort_unstable();
            words.dedup();
            return Ok(Help::Words(words));
        }
        if !blocks.is_empty() {
            return Ok(Help::Next(blocks));
        }
        Err(error.unwrap_or(ParseError::Invalid {
            offset: partial.map_or(line.len(), |p| p.start),
        }))
    }

    /// Answers `?` as text, errors included: what is shown between the typed line and the prompt.
    pub fn write_help(
        &self,
        line: &str,
        scopes: &[Scope],
        privilege: u8,
        width: usize,
        out: &mut String,
    ) {
        match self.help(line, scopes, privilege) {
            Ok(help) => help.write(width, out),
            Err(error @ ParseError::Ambiguous { .. }) => error.write(line, |offset| offset, out),
            Err(_) => write_unrecognized(out),
        }
    }

    /// Answers Tab behind `line`: completes a keyword, never an argument.
    #[must_use]
    pub fn complete(&self, line: &str, scopes: &[Scope], privilege: u8) -> Completion {
        let (tokens, Some(partial)) = split(line) else {
            return Completion::Nothing;
        };
        let typed = partial.text(line);
        let mut words: Vec<&'static str> = Vec::new();
        for scope in scopes {
            let view = self.view(scope, privilege);
            if let Ok(next) = view.next(line, &tokens) {
                words.extend(
                    view.keywords(&next, tokens.is_empty())
                        .filter(|k| begins(k, typed)),
                );
            }
        }
        words.sort_unstable();
        words.dedup();
        let (Some(first), Some(last)) = (words.first(), words.last()) else {
            return Completion::Nothing;
        };
        // Sorted, so what the first and last share, all share.
        let shared = first
            .bytes()
            .zip(last.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        let suffix = first.get(typed.len()..shared).unwrap_or_default();
        if words.len() == 1 {
            Completion::Whole(alloc::format!("{suffix} "))
        } else if suffix.is_empty() {
            Completion::Nothing
        } else {
            Completion::Partial(suffix.to_string())
        }
    }

    fn view(&self, scope: &Scope, privilege: u8) -> View<'_, A> {
        View {
            rows: &self.rows,
            program: &self.program,
            modes: scope.modes,
            privilege,
        }
    }

    fn fill(&self, block: &mut HelpBlock, next: &[Next]) {
        for item in next {
            match item {
                Next::Keyword(word, place) => {
                    block.add(word, self.program.text(&self.rows, word, false, *place))
                }
                Next::Argument(name, kind, place) => {
                    let text = self.program.text(&self.rows, name, true, *place);
                    match kind {
                        Kind::Interface => {
                            for kind in InterfaceKind::ALL {
                                block.add(kind.name(), text);
                            }
                        }
                        _ => block.add(&kind.placeholder(), text),
                    }
                    if *kind == Kind::Port {
                        for (name, _) in ports::NAMES {
                            block.add(name, "");
                        }
                    }
                }
                Next::Unfinished(name, kind, place) => {
                    let placeholder = match kind {
                        Kind::Pair => "(<real>,<mapped>)".to_string(),
                        _ => kind.placeholder(),
                    };
                    block.add(
                        &placeholder,
                        self.program.text(&self.rows, name, true, *place),
                    );
                }
                Next::End => block.ends = true,
            }
        }
    }
}

impl HelpBlock {
    /// Place-holders in table order first, then words by alphabet.
    fn sort(&mut self, next: &[Next]) {
        let is_keyword = |word: &str| {
            word == "no"
                || ports::NAMES.iter().any(|(name, _)| *name == word)
                || next
                    .iter()
                    .any(|next| matches!(next, Next::Keyword(keyword, _) if *keyword == word))
        };
        self.items.sort_by(|a, b| {
            let (a_keyword, b_keyword) = (is_keyword(&a.word), is_keyword(&b.word));
            a_keyword.cmp(&b_keyword).then_with(|| {
                if a_keyword {
                    a.word.cmp(&b.word)
                } else {
                    core::cmp::Ordering::Equal
                }
            })
        });
    }
}

impl<A: 'static> View<'_, A> {
    /// The keywords among `next`; at the start of a line also `no`.
    fn keywords<'n>(
        &self,
        next: &'n [Next],
        at_start: bool,
    ) -> impl Iterator<Item = &'static str> + 'n {
        let no = (at_start && self.has_no()).then_some("no");
        let listed = next.iter().filter_map(|next| match next {
            Next::Keyword(word, _) => Some(*word),
            _ => None,
        });
        listed.chain(no)
    }
}

fn begins(keyword: &str, typed: &str) -> bool {
    keyword_fit(keyword, typed) != KeywordFit::Not
}

fn push_blanks(count: usize, out: &mut String) {
    out.extend(core::iter::repeat_n(' ', count));
}

//! Reads the syntax language of the tables into a tree. The language is in the module head of
//! [`super`]; what becomes of the tree is [`super::compile`]'s.

use super::error::{SyntaxCause, SyntaxError};
use super::value::Kind;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Brackets inside brackets beyond this are a mistake.
const DEPTH_MAX: usize = 16;

/// A piece of syntax.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Keyword(&'static str),
    Argument { name: &'static str, kind: Kind },
    Fragment { name: &'static str, offset: usize },
    Sequence(Vec<Node>),
    OneOf(Vec<Node>),
    AnyOrder(Vec<Node>),
    Optional(Box<Node>),
    Repeat(Box<Node>, usize),
    Labelled(&'static str, Box<Node>),
}

/// Reads a whole syntax string.
pub(super) fn parse(syntax: &'static str) -> Result<Node, SyntaxError> {
    let mut reader = Reader { syntax, at: 0 };
    let node = reader.sequence(0)?;
    if reader.peek().is_some() {
        return Err(reader.error(SyntaxCause::Unexpected));
    }
    Ok(node)
}

struct Reader {
    syntax: &'static str,
    at: usize,
}

impl Reader {
    fn error(&self, cause: SyntaxCause) -> SyntaxError {
        SyntaxError {
            syntax: self.syntax,
            offset: self.at,
            cause,
        }
    }

    fn rest(&self) -> &'static str {
        self.syntax.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        if self.peek() == Some(wanted) {
            self.at += wanted.len_utf8();
            return true;
        }
        false
    }

    fn skip_blanks(&mut self) {
        while self.take(' ') {}
    }

    /// Takes characters while `keep` holds.
    fn run(&mut self, keep: impl Fn(char) -> bool) -> &'static str {
        let rest = self.rest();
        let len = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        if depth > DEPTH_MAX {
            return Err(self.error(SyntaxCause::Recursive));
        }
        let mut nodes = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None | Some('|' | '}' | ']') => break,
                Some('>' | '@' | '*' | '+') => return Err(self.error(SyntaxCause::Unexpected)),
                Some('[') => {
                    self.at += 1;
                    let inner = self.branches(depth, ']')?;
                    let inner = if inner.len() == 1 {
                        Node::Sequence(inner)
                    } else {
                        Node::OneOf(inner)
                    };
                    let node = Node::Optional(Box::new(inner));
                    nodes.push(self.labelled(node)?);
                }
                Some('{') => {
                    let start = self.at;
                    self.at += 1;
                    let inner = self.branches(depth, '}')?;
                    let node = if self.take('*') {
                        Node::AnyOrder(inner)
                    } else if self.take('+') {
                        Node::Repeat(Box::new(Node::OneOf(inner)), start)
                    } else {
                        Node::OneOf(inner)
                    };
                    nodes.push(self.labelled(node)?);
                }
                Some('<') => nodes.push(self.argument()?),
                Some('$') => {
                    let offset = self.at;
                    self.at += 1;
                    let name = self.run(is_name);
                    if name.is_empty() {
                        return Err(self.error(SyntaxCause::Empty));
                    }
                    nodes.push(self.labelled(Node::Fragment { name, offset })?);
                }
                Some(_) => nodes.push(self.keyword()?),
            }
        }
        if nodes.is_empty() {
            return Err(self.error(SyntaxCause::Empty));
        }
        Ok(Node::Sequence(nodes))
    }

    fn branches(&mut self, depth: usize, end: char) -> Result<Vec<Node>, SyntaxError> {
        let mut branches = Vec::new();
        loop {
            branches.push(self.sequence(depth + 1)?);
            if self.take('|') {
                continue;
            }
            if self.take(end) {
                return Ok(branches);
            }
            return Err(self.error(SyntaxCause::Unclosed));
        }
    }

    fn labelled(&mut self, node: Node) -> Result<Node, SyntaxError> {
        if !self.take('@') {
            return Ok(node);
        }
        let label = self.run(is_name);
        if label.is_empty() {
            return Err(self.error(SyntaxCause::Empty));
        }
        Ok(Node::Labelled(label, Box::new(node)))
    }

    fn argument(&mut self) -> Result<Node, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let name = self.run(is_name);
        let kind_at = self.at;
        let kind = if self.take(':') {
            self.run(|c| c != '>' && c != ' ')
        } else {
            ""
        };
        if !self.take('>') {
            self.at = start;
            return Err(self.error(SyntaxCause::Unclosed));
        }
        if name.is_empty() {
            self.at = start;
            return Err(self.error(SyntaxCause::Empty));
        }
        let Some(kind) = Kind::parse(kind) else {
            self.at = kind_at;
            return Err(self.error(SyntaxCause::UnknownKind));
        };
        Ok(Node::Argument { name, kind })
    }

    fn keyword(&mut self) -> Result<Node, SyntaxError> {
        let escaped = self.take('\\');
        let start = self.at;
        if escaped {
            let Some(first) = self.peek().filter(|&c| c != ' ') else {
                return Err(self.error(SyntaxCause::Empty));
            };
            self.at += first.len_utf8();
        }
        self.run(|c| !matches!(c, ' ' | '<' | '>' | '[' | ']' | '{' | '}' | '|' | '$' | '@'));
        match self.syntax.get(start..self.at) {
            Some(word) if !word.is_empty() => Ok(Node::Keyword(word)),
            _ => Err(self.error(SyntaxCause::Empty)),
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

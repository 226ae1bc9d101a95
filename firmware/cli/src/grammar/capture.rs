//! What the words of a matched line were.

use super::dotted;
use super::value::{InterfaceName, TimeOfDay, Value};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

/// One keyword or argument of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture<'a> {
    /// The labels around it joined by dots, `""` outside all labels.
    pub group: &'a str,
    /// The keyword in the table's spelling, or the argument's name.
    pub name: &'static str,
    /// The keyword marker or the argument's value.
    pub value: Value<'a>,
    /// Where it starts in the line, in bytes.
    pub offset: usize,
}

impl Capture<'_> {
    /// The name with its labels: `source.host`.
    #[must_use]
    pub fn path(&self) -> String {
        dotted(self.group, self.name)
    }

    fn is(&self, path: &str) -> bool {
        match path.rsplit_once('.') {
            Some((group, name)) => self.group == group && self.name == name,
            None => self.group.is_empty() && self.name == path,
        }
    }
}

/// The captures of a line, in order.
///
/// Names are asked for with their labels: `metric`, `source.host`. [`Captures::group`] gives the
/// captures under one label with that label taken off, so that one function can read a fragment
/// wherever it was used.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Captures<'a> {
    pub(super) list: Vec<Capture<'a>>,
    pub(super) negated: bool,
}

impl<'a> Captures<'a> {
    /// Whether the line began with `no`.
    #[must_use]
    pub fn negated(&self) -> bool {
        self.negated
    }

    /// All captures in the order of the line.
    pub fn iter(&self) -> impl Iterator<Item = &Capture<'a>> {
        self.list.iter()
    }

    /// Whether nothing was captured (an optional labelled part was left out).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The captures under `label`, the label taken off their groups.
    #[must_use]
    pub fn group(&self, label: &str) -> Captures<'a> {
        let list = self.list.iter().filter_map(|capture| {
            let rest = capture.group.strip_prefix(label)?;
            let group = if rest.is_empty() {
                rest
            } else {
                rest.strip_prefix('.')?
            };
            Some(Capture { group, ..*capture })
        });
        Captures {
            list: list.collect(),
            negated: self.negated,
        }
    }

    /// Whether the keyword or argument `path` was given.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.list.iter().any(|capture| capture.is(path))
    }

    /// The first argument of that name; a keyword of the same name does not hide it.
    #[must_use]
    pub fn value(&self, path: &str) -> Option<Value<'a>> {
        self.list
            .iter()
            .find(|capture| capture.value != Value::Keyword && capture.is(path))
            .map(|capture| capture.value)
    }

    /// All arguments of that name, for repeated parts.
    pub fn values(&self, path: &str) -> impl Iterator<Item = Value<'a>> {
        self.list
            .iter()
            .filter(move |capture| capture.value != Value::Keyword && capture.is(path))
            .map(|capture| capture.value)
    }

    /// Which of `keywords` was given, the first in the line.
    #[must_use]
    pub fn one_of(&self, keywords: &[&'static str]) -> Option<&'static str> {
        self.keyword_captures()
            .find_map(|capture| keywords.iter().copied().find(|keyword| capture.is(keyword)))
    }

    /// The first keyword outside all labels, in the table's spelling.
    #[must_use]
    pub fn first_keyword(&self) -> Option<&'static str> {
        self.keywords().next()
    }

    /// The keywords outside all labels, in the order of the line.
    pub fn keywords(&self) -> impl Iterator<Item = &'static str> {
        self.keyword_captures()
            .filter(|capture| capture.group.is_empty())
            .map(|capture| capture.name)
    }

    fn keyword_captures(&self) -> impl Iterator<Item = &Capture<'a>> {
        self.list
            .iter()
            .filter(|capture| capture.value == Value::Keyword)
    }

    /// A `word`, `host` or `hex` argument.
    #[must_use]
    pub fn word(&self, path: &str) -> Option<&'a str> {
        match self.value(path)? {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    /// A `text` or `verbatim` argument.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&'a str> {
        match self.value(path)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number argument.
    #[must_use]
    pub fn number(&self, path: &str) -> Option<u32> {
        match self.value(path)? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// An `ip` argument.
    #[must_use]
    pub fn ip(&self, path: &str) -> Option<Ipv4Addr> {
        match self.value(path)? {
            Value::Address(address) => Some(address),
            _ => None,
        }
    }

    /// A `mask` argument, as an address.
    #[must_use]
    pub fn mask(&self, path: &str) -> Option<Ipv4Addr> {
        self.ip(path)
    }

    /// A `port` argument.
    #[must_use]
    pub fn port(&self, path: &str) -> Option<u16> {
        match self.value(path)? {
            Value::Port(port) => Some(port),
            _ => None,
        }
    }

    /// A `time` argument.
    #[must_use]
    pub fn time(&self, path: &str) -> Option<TimeOfDay> {
        match self.value(path)? {
            Value::Time(time) => Some(time),
            _ => None,
        }
    }

    /// An `interface` argument.
    #[must_use]
    pub fn interface(&self, path: &str) -> Option<InterfaceName> {
        match self.value(path)? {
            Value::Interface(name) => Some(name),
            _ => None,
        }
    }

    /// A `pair` argument: real and mapped interface names.
    #[must_use]
    pub fn pair(&self, path: &str) -> Option<(&'a str, &'a str)> {
        match self.value(path)? {
            Value::Pair(real, mapped) => Some((real, mapped)),
            _ => None,
        }
    }

    /// A `mac` argument.
    #[must_use]
    pub fn mac(&self, path: &str) -> Option<[u8; 6]> {
        match self.value(path)? {
            Value::Mac(address) => Some(address),
            _ => None,
        }
    }
}

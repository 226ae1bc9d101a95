//! Which part of the configuration is asked for.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use cli::grammar::{Captures, Value};

/// What stands after `show running-config`: a section, perhaps narrowed by further words and a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The keyword of the family and the words after it, as in the statements.
    words: Vec<&'static str>,
    name: Option<String>,
}

impl Selection {
    /// Reads the captures of [`SECTION`](crate::statements::SECTION); `None` if they are empty.
    #[must_use]
    pub fn of(captures: &Captures<'_>) -> Option<Self> {
        // `id` says that a name follows, and is no word of the statements.
        let words: Vec<_> = captures.keywords().filter(|word| *word != "id").collect();
        words.first()?;
        let name = captures.iter().find_map(|capture| match capture.value {
            Value::Word(name) => Some(name.into()),
            Value::Interface(name) => Some(name.to_string()),
            _ => None,
        });
        Some(Self { words, name })
    }

    /// The keyword of the family.
    pub(super) fn keyword(&self) -> &'static str {
        self.words.first().copied().unwrap_or_default()
    }

    /// Whether lines of the family are wanted that belong to what `words` after the keyword tell and
    /// is called by any of `names`.
    pub(super) fn wants(&self, words: &str, names: &[&str]) -> bool {
        let mut given = words.split(' ');
        let mut wanted = self.words.iter().skip(1);
        wanted.all(|word| given.next() == Some(word))
            && self
                .name
                .as_ref()
                .is_none_or(|name| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
    }
}

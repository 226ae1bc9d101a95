//! Configuration sessions: a copy of the configuration, edited aside.
//!
//! A draft keeps the copy and the lines that made it what it is. If the running configuration has
//! changed since the draft was begun, the lines are applied again to what is running then, so that a
//! commit never undoes somebody else's change.

use alloc::collections::BTreeMap;
use alloc::string::String;

use config::Config;
use zeroize::Zeroizing;

/// Most drafts at a time, as on an ASA.
pub(crate) const DRAFTS_MAX: usize = 3;

/// Longest text of one draft, in bytes.
const TEXT_MAX: usize = 4 << 20;

/// Why a draft cannot be begun or go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DraftError {
    /// There are [`DRAFTS_MAX`] already.
    TooMany,
    /// The draft's text would be longer than [`TEXT_MAX`].
    TooLong,
}

impl core::fmt::Display for DraftError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::TooMany => write!(
                f,
                "ERROR: there are already {DRAFTS_MAX} configuration sessions; \
                 'clear configuration session' removes one"
            ),
            Self::TooLong => write!(
                f,
                "ERROR: a configuration session holds at most {} bytes of lines; commit it first",
                TEXT_MAX
            ),
        }
    }
}

/// One configuration session.
#[derive(Debug)]
pub(crate) struct Draft {
    /// What the running configuration would become.
    pub(crate) candidate: Config,
    /// [`Core::changes`](crate::state::Core) when the copy was made.
    pub(crate) base: u64,
    /// The accepted lines in order; they may hold passwords.
    text: Zeroizing<String>,
}

impl Draft {
    /// A draft of `running`, which has seen `base` changes.
    pub(crate) fn new(running: &Config, base: u64) -> Self {
        Self {
            candidate: running.clone(),
            base,
            text: Zeroizing::new(String::new()),
        }
    }

    /// The accepted lines.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether `line` still finds room.
    ///
    /// # Errors
    /// [`DraftError::TooLong`].
    pub(crate) fn check_room(&self, line: &str) -> Result<(), DraftError> {
        match self.text.len() + line.len() < TEXT_MAX {
            true => Ok(()),
            false => Err(DraftError::TooLong),
        }
    }

    /// Remembers an accepted line.
    pub(crate) fn note(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// All configuration sessions.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    by_name: BTreeMap<String, Draft>,
}

impl Drafts {
    /// Goes on with `name`, or begins it as a copy of `running`.
    ///
    /// # Errors
    /// [`DraftError::TooMany`].
    pub(crate) fn open(
        &mut self,
        name: &str,
        running: &Config,
        base: u64,
    ) -> Result<(), DraftError> {
        if self.by_name.contains_key(name) {
            return Ok(());
        }
        if self.by_name.len() >= DRAFTS_MAX {
            return Err(DraftError::TooMany);
        }
        self.by_name.insert(name.into(), Draft::new(running, base));
        Ok(())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Draft> {
        self.by_name.get(name)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Draft> {
        self.by_name.get_mut(name)
    }

    /// Forgets `name`. Returns whether it was there.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        self.by_name.remove(name).is_some()
    }

    /// Every draft with its name, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Draft)> {
        self.by_name
            .iter()
            .map(|(name, draft)| (name.as_str(), draft))
    }

    /// Forgets every draft. Returns how many there were.
    pub(crate) fn clear(&mut self) -> usize {
        let count = self.by_name.len();
        self.by_name.clear();
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_are_few_and_keep_their_lines() {
        let running = Config::factory(2);
        let mut drafts = Drafts::default();
        for name in ["a", "b", "c"] {
            assert_eq!(drafts.open(name, &running, 7), Ok(()));
        }
        assert_eq!(drafts.open("d", &running, 7), Err(DraftError::TooMany));
        assert_eq!(drafts.open("a", &running, 8), Ok(()), "it goes on");
        assert_eq!(drafts.get("a").map(|draft| draft.base), Some(7));
        let draft = drafts.get_mut("a").unwrap();
        draft.note("hostname x");
        assert_eq!(draft.text(), "hostname x\n");
        assert_eq!(
            draft.check_room(&"x".repeat(TEXT_MAX)),
            Err(DraftError::TooLong)
        );
        assert_eq!(draft.check_room("x"), Ok(()));
        assert!(drafts.remove("a") && !drafts.remove("a"));
        assert_eq!(drafts.clear(), 2);
    }
}

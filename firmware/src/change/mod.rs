//! Changes of the configuration that are made as a whole or not at all.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`draft`] | configuration sessions: candidates that are edited aside and committed |
//! | [`unconfirmed`] | a commit that is taken back unless it is confirmed in time |
//!
//! Nothing here reaches the disk: a commit changes the running configuration only, and while one
//! waits for its confirmation `write memory` is refused. So a power cut in that time finds the
//! configuration of before on the disk, and the commit is taken back by the cut itself.

mod draft;
mod unconfirmed;

pub(crate) use draft::{DraftError, Drafts};
pub(crate) use unconfirmed::Unconfirmed;

use alloc::string::String;
use core::time::Duration;

use config::Config;

use crate::state::Core;

/// Most minutes a commit waits for its confirmation.
pub(crate) const CONFIRM_MINUTES_MAX: u32 = 1440;

impl Core {
    /// Puts `config` in force in place of the running configuration. With `confirm_mins` what was in
    /// force comes back after that time, unless [`confirm`](Self::confirm) is called before.
    pub(crate) fn replace_running(&mut self, config: Config, confirm_mins: Option<u32>, by: &str) {
        let before = core::mem::replace(&mut self.config, config);
        self.unconfirmed = confirm_mins.map(|minutes| Unconfirmed {
            before,
            deadline: self.now() + Duration::from_secs(u64::from(minutes) * 60),
            minutes,
            by: by.into(),
        });
        self.note_change(by);
        self.settle();
    }

    /// As [`replace_running`](Self::replace_running), unless the running configuration has been
    /// changed since it had seen `changes`. Returns whether it was replaced.
    pub(crate) fn replace_unchanged(
        &mut self,
        changes: u64,
        config: Config,
        confirm_mins: Option<u32>,
        by: &str,
    ) -> bool {
        let is_current = self.changes == changes;
        if is_current {
            self.replace_running(config, confirm_mins, by);
        }
        is_current
    }

    /// The configuration of this box when nobody has configured it.
    pub(crate) fn factory(&self) -> Config {
        Config::factory(u16::try_from(self.ports.len()).unwrap_or(u16::MAX))
    }

    /// Keeps a commit that waits. Returns whether one did.
    pub(crate) fn confirm(&mut self) -> bool {
        self.unconfirmed.take().is_some()
    }

    /// Takes a commit that waits back. Returns who made it and how long it was to wait.
    pub(crate) fn take_back(&mut self) -> Option<(String, u32)> {
        let Unconfirmed {
            before,
            minutes,
            by,
            ..
        } = self.unconfirmed.take()?;
        self.config = before;
        self.note_change(&by);
        self.settle();
        Some((by, minutes))
    }

    /// Takes a commit back whose time is over, and leaves word for the console.
    pub(crate) fn take_back_if_due(&mut self) {
        let now = self.now();
        if self
            .unconfirmed
            .as_ref()
            .is_some_and(|waiting| waiting.deadline <= now)
            && let Some((by, minutes)) = self.take_back()
        {
            self.word_left = Some(alloc::format!(
                "WARNING: the commit of {by} was not confirmed within {minutes} minute(s) and has been taken back\n"
            ));
        }
    }
}

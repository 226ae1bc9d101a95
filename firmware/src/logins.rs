//! Who logged in, who failed, who is locked out.
//!
//! Failures in a row are counted per configured user, so that nobody can fill the table by inventing
//! names. A lock holds until an administrator lifts it (`clear aaa local user lockout`), a log-in
//! succeeds or the box restarts. Times are UTC seconds.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;

/// Log-ins remembered per user.
const REMEMBERED: usize = 64;

/// A user of this level cannot be locked out, so that the last key to the box stays.
const UNLOCKABLE_LEVEL: u8 = 15;

/// Everything known of log-ins since the start.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    records: BTreeMap<String, Record>,
}

/// What is known of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Failures since the last success.
    pub(crate) failures: u32,
    /// When the user was locked.
    pub(crate) locked_at: Option<u64>,
    /// Successes, oldest first.
    successes: VecDeque<u64>,
}

/// What a user is told after logging in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct History {
    /// Log-ins within the days asked for, this one included.
    pub(crate) count: usize,
    /// The one before this.
    pub(crate) last: Option<u64>,
    /// Failures between the two.
    pub(crate) failures: u32,
}

impl Logins {
    /// Whether `user` may not log in.
    pub(crate) fn is_locked(&self, user: &str) -> bool {
        self.records
            .get(user)
            .is_some_and(|record| record.locked_at.is_some())
    }

    /// Counts a failure of a configured user of privilege `level`. Returns whether it locked the
    /// user: the last of `max_fail` failures in a row.
    pub(crate) fn failed(&mut self, user: &str, level: u8, max_fail: Option<u8>, now: u64) -> bool {
        let record = self.records.entry(user.into()).or_default();
        record.failures = record.failures.saturating_add(1);
        let is_limit = max_fail.is_some_and(|limit| record.failures >= u32::from(limit));
        if !is_limit || level >= UNLOCKABLE_LEVEL || record.locked_at.is_some() {
            return false;
        }
        record.locked_at = Some(now);
        true
    }

    /// Notes a success and tells of the ones before it in the last `days`.
    pub(crate) fn succeeded(&mut self, user: &str, days: u16, now: u64) -> History {
        let record = self.records.entry(user.into()).or_default();
        let last = record.successes.back().copied();
        if record.successes.len() >= REMEMBERED {
            record.successes.pop_front();
        }
        record.successes.push_back(now);
        let since = now.saturating_sub(u64::from(days) * 86_400);
        let count = record.successes.iter().filter(|&&at| at >= since).count();
        record.locked_at = None;
        History {
            count,
            last,
            failures: core::mem::take(&mut record.failures),
        }
    }

    /// Forgets the failures of `user`. Returns whether that unlocked them.
    pub(crate) fn unlock(&mut self, user: &str) -> bool {
        let Some(record) = self.records.get_mut(user) else {
            return false;
        };
        record.failures = 0;
        record.locked_at.take().is_some()
    }

    /// What is known of `user`.
    pub(crate) fn record(&self, user: &str) -> Record {
        self.records.get(user).cloned().unwrap_or_default()
    }

    /// Forgets users who are not configured any more.
    pub(crate) fn retain(&mut self, is_configured: impl Fn(&str) -> bool) {
        self.records.retain(|name, _| is_configured(name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_failure_in_a_row_locks_and_a_success_starts_afresh() {
        let mut logins = Logins::default();
        assert!(!logins.failed("ann", 2, Some(3), 10));
        assert!(!logins.failed("ann", 2, Some(3), 11));
        assert_eq!(logins.succeeded("ann", 90, 12).failures, 2);
        assert!(!logins.failed("ann", 2, Some(3), 13));
        assert!(!logins.failed("ann", 2, Some(3), 14));
        assert!(logins.failed("ann", 2, Some(3), 15), "the third in a row");
        assert!(logins.is_locked("ann"));
        assert!(!logins.failed("ann", 2, Some(3), 16), "locked only once");
        assert!(!logins.unlock("bob"));
        assert!(logins.unlock("ann"));
        assert!(!logins.is_locked("ann"));
        assert_eq!(logins.record("ann").failures, 0);
    }

    #[test]
    fn without_a_limit_and_at_the_highest_level_nobody_is_locked() {
        let mut logins = Logins::default();
        for second in 0..100 {
            assert!(!logins.failed("ann", 2, None, second));
            assert!(!logins.failed("root", 15, Some(1), second));
        }
        assert!(!logins.is_locked("ann") && !logins.is_locked("root"));
    }

    #[test]
    fn history_counts_days_and_is_bounded() {
        let mut logins = Logins::default();
        let day = 86_400;
        assert_eq!(
            logins.succeeded("ann", 1, day),
            History {
                count: 1,
                last: None,
                failures: 0
            }
        );
        assert_eq!(
            logins.succeeded("ann", 1, 3 * day),
            History {
                count: 1,
                last: Some(day),
                failures: 0
            }
        );
        for second in 0..200 {
            logins.succeeded("ann", 1, 3 * day + second);
        }
        assert_eq!(logins.succeeded("ann", 365, 4 * day).count, REMEMBERED);
        logins.retain(|name| name != "ann");
        assert_eq!(logins.record("ann"), Record::default());
    }
}

//! A restart that is planned: when, by whom, why.
//!
//! `reload in` counts on the monotonic clock, so setting the calendar clock does not move it.
//! `reload at` means what the calendar clock shows, so it does: the moment is looked up again every
//! time. A plan lives in memory only, as on the ASA: a power cut ends it.

use alloc::string::String;
use core::task::Waker;
use core::time::Duration;

use hal::time::Instant;

/// When a restart is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// At this point of the monotonic clock.
    In(Instant),
    /// When the calendar clock shows this many seconds since 1970, UTC.
    At(u64),
}

/// Both clocks as they stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    /// The monotonic clock.
    pub(crate) now: Instant,
    /// The calendar clock, in microseconds since 1970; whatever it shows while nobody has set it.
    pub(crate) unix_micros: u64,
}

impl When {
    /// The time left; zero if the moment has come.
    pub(crate) fn left(self, clocks: Clocks) -> Duration {
        match self {
            Self::In(at) => at.since(clocks.now),
            Self::At(secs) => Duration::from_micros(
                secs.saturating_mul(1_000_000)
                    .saturating_sub(clocks.unix_micros),
            ),
        }
    }
}

/// A planned restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// When.
    pub(crate) when: When,
    /// What is said about it.
    pub(crate) reason: Option<String>,
    /// Without a word when the moment comes.
    pub(crate) is_quick: bool,
    /// The running configuration is saved first.
    pub(crate) saves: bool,
    /// Who planned it.
    pub(crate) by: String,
}

/// Time left at which people are warned.
const WARNINGS: [Duration; 5] = [
    Duration::from_secs(3600),
    Duration::from_secs(1800),
    Duration::from_secs(600),
    Duration::from_secs(300),
    Duration::from_secs(60),
];

/// The plan there is, if any, and who carries it out.
#[derive(Debug, Default)]
pub(crate) struct Reload {
    plan: Option<Plan>,
    /// The warning that comes next: an index of [`WARNINGS`].
    next_warning: usize,
    waiter: Option<Waker>,
}

impl Reload {
    /// Plans a restart in place of what was planned before.
    pub(crate) fn schedule(&mut self, plan: Plan, clocks: Clocks) {
        self.next_warning = first_warning_below(plan.when.left(clocks));
        self.plan = Some(plan);
        self.wake();
    }

    /// Gives the plan up.
    pub(crate) fn cancel(&mut self) -> Option<Plan> {
        self.plan.take()
    }

    /// What is planned.
    pub(crate) const fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// Takes the plan if its moment has come; else wakes `waker` when it may have.
    pub(crate) fn take_due(&mut self, clocks: Clocks, waker: &Waker) -> Option<Plan> {
        self.waiter = Some(waker.clone());
        self.plan.take_if(|plan| plan.when.left(clocks).is_zero())
    }

    /// Wakes whoever carries plans out if the moment has come. Returns the time left if people
    /// should be warned now.
    pub(crate) fn handle_timeout(&mut self, clocks: Clocks) -> Option<Duration> {
        let left = self.plan.as_ref()?.when.left(clocks);
        if left.is_zero() {
            self.wake();
            return None;
        }
        // A clock that was set back makes earlier warnings true again.
        self.next_warning = self.next_warning.min(first_warning_below(left));
        let is_due = |index: usize| WARNINGS.get(index).is_some_and(|&warn| left <= warn);
        if !is_due(self.next_warning) {
            return None;
        }
        while is_due(self.next_warning) {
            self.next_warning += 1;
        }
        Some(left)
    }

    /// When there is something to do next, as the clocks stand.
    pub(crate) fn poll_timeout(&self, clocks: Clocks) -> Option<Instant> {
        let left = self.plan.as_ref()?.when.left(clocks);
        let warning = WARNINGS
            .get(self.next_warning)
            .and_then(|&warning| left.checked_sub(warning));
        Some(clocks.now + warning.unwrap_or(left))
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waiter.take() {
            waker.wake();
        }
    }
}

/// The first warning that still lies ahead with `left` to go. A warning that is due this very
/// moment would only repeat what the command has just said.
fn first_warning_below(left: Duration) -> usize {
    WARNINGS
        .iter()
        .position(|&warning| warning < left)
        .unwrap_or(WARNINGS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_768_478_400;

    /// The clocks after `secs`, the calendar clock ahead by `ahead` seconds.
    fn clocks(secs: u64, ahead: i64) -> Clocks {
        Clocks {
            now: Instant::from_secs(secs),
            unix_micros: (START + secs).saturating_add_signed(ahead) * 1_000_000,
        }
    }

    fn plan(when: When) -> Plan {
        Plan {
            when,
            reason: None,
            is_quick: false,
            saves: false,
            by: "admin".into(),
        }
    }

    #[test]
    fn a_relative_plan_ignores_the_calendar_clock_and_an_absolute_one_follows_it() {
        let relative = When::In(Instant::from_secs(600));
        let absolute = When::At(START + 600);
        for (when, ahead, left) in [
            (relative, 0, 500),
            (relative, 86_400, 500),
            (absolute, 0, 500),
            (absolute, -100, 600),
            (absolute, 86_400, 0),
        ] {
            assert_eq!(
                when.left(clocks(100, ahead)),
                Duration::from_secs(left),
                "{when:?} {ahead}"
            );
        }
    }

    #[test]
    fn a_plan_is_taken_once_and_when_it_is_due() {
        let mut reload = Reload::default();
        let wanted = plan(When::In(Instant::from_secs(30)));
        reload.schedule(wanted.clone(), clocks(0, 0));
        assert_eq!(
            reload.poll_timeout(clocks(10, 0)),
            Some(Instant::from_secs(30))
        );
        assert_eq!(reload.take_due(clocks(29, 0), Waker::noop()), None);
        assert_eq!(reload.take_due(clocks(30, 0), Waker::noop()), Some(wanted));
        assert_eq!(reload.take_due(clocks(31, 0), Waker::noop()), None);
        assert_eq!(reload.poll_timeout(clocks(31, 0)), None);
    }

    #[test]
    fn warnings_come_once_each_and_never_at_the_moment_of_planning() {
        let mut reload = Reload::default();
        reload.schedule(plan(When::In(Instant::from_secs(600))), clocks(0, 0));
        let mut warned = Vec::new();
        for secs in 0..600 {
            let due = reload.poll_timeout(clocks(secs, 0)).expect("planned");
            let warning = reload.handle_timeout(clocks(secs, 0));
            assert_eq!(warning.is_some(), due <= Instant::from_secs(secs), "{secs}");
            warned.extend(warning.map(|left| left.as_secs()));
        }
        assert_eq!(warned, [300, 60], "ten minutes were named by the command");
        assert_eq!(reload.handle_timeout(clocks(600, 0)), None);
    }

    #[test]
    fn a_clock_set_back_warns_again_and_one_set_forward_only_once() {
        let mut reload = Reload::default();
        reload.schedule(plan(When::At(START + 7200)), clocks(0, 0));
        let left = |reload: &mut Reload, secs, ahead| {
            reload
                .handle_timeout(clocks(secs, ahead))
                .map(|left| left.as_secs())
        };
        assert_eq!(left(&mut reload, 1, 7000), Some(199), "the nearest says it");
        assert_eq!(left(&mut reload, 2, 7000), None);
        assert_eq!(left(&mut reload, 3, 0), None, "two hours away again");
        assert_eq!(left(&mut reload, 3600, 0), Some(3600));
        assert!(reload.cancel().is_some());
        assert_eq!(reload.handle_timeout(clocks(7300, 0)), None);
    }
}

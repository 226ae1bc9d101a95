//! `logging rate-limit`: how many messages may pass in a time.

use alloc::vec::Vec;
use core::time::Duration;

use hal::time::Instant;

use crate::settings::{RateLimit, RateTarget};
use crate::severity::Severity;

/// A limit and how far it is used up.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) limit: RateLimit,
    /// When the present period began.
    started: Option<Instant>,
    passed: u32,
    held_back: u64,
}

/// Every configured limit.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    windows: Vec<Window>,
    /// Messages ever held back.
    pub(crate) total: u64,
}

impl Windows {
    /// Takes new limits. Those that stay go on where they are; those that go are returned if they
    /// held something back that was not reported yet.
    pub(crate) fn configure(&mut self, limits: &[RateLimit]) -> Vec<(RateLimit, u64)> {
        let mut old = core::mem::take(&mut self.windows);
        self.windows = limits
            .iter()
            .map(|limit| {
                let at = old.iter().position(|window| window.limit == *limit);
                at.map_or_else(|| Window::new(*limit), |at| old.swap_remove(at))
            })
            .collect();
        old.iter()
            .filter(|window| window.held_back > 0)
            .map(|window| (window.limit, window.held_back))
            .collect()
    }

    /// The limit that holds for a message: its own, else that of its severity.
    pub(crate) fn find(&self, number: u32, severity: Severity) -> Option<usize> {
        let by = |target| {
            self.windows
                .iter()
                .position(|window| window.limit.target == target)
        };
        by(RateTarget::Message(number)).or_else(|| by(RateTarget::Level(severity)))
    }

    /// Whether one more message may pass under limit `index`.
    pub(crate) fn admit(&mut self, index: usize, now: Instant) -> bool {
        let Some(window) = self.windows.get_mut(index) else {
            return true;
        };
        if window.started.is_none() {
            window.started = Some(now);
        }
        if window.passed < window.limit.messages {
            window.passed += 1;
            return true;
        }
        window.held_back += 1;
        self.total += 1;
        false
    }

    /// Ends a period that is over. Returns what it held back, if anything; to be called until
    /// `None`.
    pub(crate) fn poll_ended(&mut self, now: Instant) -> Option<(RateLimit, u64)> {
        for window in &mut self.windows {
            if window.ends().is_some_and(|end| end <= now) {
                window.started = None;
                window.passed = 0;
                let held_back = core::mem::take(&mut window.held_back);
                if held_back > 0 {
                    return Some((window.limit, held_back));
                }
            }
        }
        None
    }

    /// When the next period ends that has something to report.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.windows
            .iter()
            .filter(|window| window.held_back > 0)
            .filter_map(Window::ends)
            .min()
    }
}

impl Window {
    fn new(limit: RateLimit) -> Self {
        Self {
            limit,
            started: None,
            passed: 0,
            held_back: 0,
        }
    }

    fn ends(&self) -> Option<Instant> {
        let period = Duration::from_secs(u64::from(self.limit.period_secs));
        self.started.map(|started| started + period)
    }
}

//! Counting the lines of a paste as it is typed into the console.
//!
//! A person pauses after Enter, a paste does not. Lines that follow each other without a pause are
//! numbered, so that an error deep in a paste says where it is, and a line that a guide has wrapped can
//! wait for its other half.

use alloc::string::String;
use core::time::Duration;

use hal::time::Instant;

/// The longest pause within a paste: twenty characters at 9600 baud. A terminal program that is told to
/// rest after each line rests longer and counts as a person.
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// Lines without a pause between them.
#[derive(Debug, Default)]
pub(super) struct Burst {
    lines: usize,
    ended_at: Option<Instant>,
    /// A line that is no whole command, and its number.
    held: Option<(String, usize)>,
}

impl Burst {
    /// Counts a line whose first byte was there at `began_at` and which ended at `now`.
    pub(super) fn count(&mut self, began_at: Instant, now: Instant) {
        let goes_on = self
            .ended_at
            .is_some_and(|ended_at| began_at <= ended_at + PAUSE_MAX);
        self.lines = if goes_on { self.lines + 1 } else { 1 };
        self.ended_at = Some(now);
    }

    /// The number of the line counted last, if it is part of a paste.
    pub(super) fn number(&self) -> Option<usize> {
        (self.lines > 1).then_some(self.lines)
    }

    /// Until when a line after the last one counts as the same paste.
    pub(super) fn goes_on_until(&self, now: Instant) -> Instant {
        self.ended_at.unwrap_or(now) + PAUSE_MAX
    }

    /// Remembers half a command until the next line is there.
    pub(super) fn hold(&mut self, line: &str) {
        self.held = Some((line.into(), self.lines));
    }

    /// Takes the half that was remembered.
    pub(super) fn take_held(&mut self) -> Option<(String, usize)> {
        self.held.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    #[test]
    fn lines_without_a_pause_are_numbered_and_a_pause_starts_afresh() {
        let mut burst = Burst::default();
        burst.count(at(0), at(10));
        assert_eq!(burst.number(), None, "one line is no paste");
        burst.count(at(11), at(20));
        burst.count(at(40), at(60));
        assert_eq!(burst.number(), Some(3));
        burst.hold("nat (inside,");
        assert_eq!(burst.take_held(), Some(("nat (inside,".into(), 3)));
        assert_eq!(burst.take_held(), None);
        burst.count(at(400), at(410));
        assert_eq!(burst.number(), None);
    }
}

//! Time that passes when told to.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use hal::time::{Instant, Monotonic};

/// A clock that stands still between calls of [`advance`](Self::advance). Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct VirtualClock(Rc<Cell<Instant>>);

impl VirtualClock {
    /// A clock at [`Instant::ZERO`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `by` pass.
    pub fn advance(&self, by: Duration) {
        self.0.set(self.0.get() + by);
    }

    /// Lets time pass until `to`; nothing happens if that is over already.
    pub fn advance_to(&self, to: Instant) {
        self.0.set(self.0.get().max(to));
    }
}

impl Monotonic for VirtualClock {
    fn now(&self) -> Instant {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_for_all_clones_and_never_goes_back() {
        let clock = VirtualClock::new();
        let other = clock.clone();
        clock.advance(Duration::from_millis(5));
        assert_eq!(other.now(), Instant::from_millis(5));
        other.advance_to(Instant::from_secs(1));
        clock.advance_to(Instant::from_millis(7));
        assert_eq!(clock.now(), Instant::from_secs(1));
    }
}

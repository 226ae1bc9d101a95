//! A token bucket for what the box says unasked.

use hal::time::Instant;

/// Lets `rate` things a second pass, `burst` at once.
pub(crate) struct Limiter {
    micros_per_token: u64,
    burst: u64,
    /// When the bucket would be full, had nothing been taken.
    full_at: Instant,
}

impl Limiter {
    pub(crate) fn new(rate: u16, burst: u16) -> Self {
        let mut limiter = Self {
            micros_per_token: 0,
            burst: 0,
            full_at: Instant::ZERO,
        };
        limiter.set_rate(rate, burst);
        limiter
    }

    pub(crate) fn set_rate(&mut self, rate: u16, burst: u16) {
        self.micros_per_token = 1_000_000 / u64::from(rate.max(1));
        self.burst = u64::from(burst.max(1));
    }

    /// Whether one more may pass; takes its token.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let owed = self.full_at.as_micros().saturating_sub(now.as_micros());
        if owed > (self.burst - 1) * self.micros_per_token {
            return false;
        }
        let base = self.full_at.as_micros().max(now.as_micros());
        self.full_at = Instant::from_micros(base + self.micros_per_token);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut limiter = Limiter::new(2, 3);
        let passed = |limiter: &mut Limiter, millis| {
            (0..10)
                .filter(|_| limiter.take(Instant::from_millis(millis)))
                .count()
        };
        assert_eq!(passed(&mut limiter, 0), 3);
        assert_eq!(passed(&mut limiter, 499), 0);
        assert_eq!(passed(&mut limiter, 500), 1);
        assert_eq!(passed(&mut limiter, 60_000), 3);
    }
}

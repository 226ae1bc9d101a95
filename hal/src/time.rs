//! Monotonic time and the calendar clock.
//!
//! Protocol code never reads a clock: it is handed an [`Instant`] by the event loop, which is why
//! the same code runs on hardware and under a simulator's virtual time.

use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// A point on the box's monotonic time line: microseconds since the clock was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The start of the time line.
    pub const ZERO: Self = Self(0);
    /// Later than every deadline.
    pub const FAR_FUTURE: Self = Self(u64::MAX);

    /// The instant `micros` microseconds after the start.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// The instant `millis` milliseconds after the start.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// The instant `secs` seconds after the start.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since the start.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the start.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// Whole seconds since the start.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The time that has passed since `earlier`, or zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        let micros = u64::try_from(rhs.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, rhs: Duration) {
        *self = *self + rhs;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, rhs: Self) -> Duration {
        self.since(rhs)
    }
}

/// The source of [`Instant`]s.
pub trait Monotonic {
    /// The present moment; never earlier than a value returned before.
    fn now(&self) -> Instant;
}

/// Why the calendar clock could not be read or set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RtcError {
    /// The clock lost power, or holds fields that are no date.
    Invalid,
    /// The clock did not finish an update within its documented time.
    Timeout,
    /// The date to be set is outside what the clock can hold.
    OutOfRange,
}

/// The battery-backed calendar clock, kept in UTC.
pub trait Rtc {
    /// Seconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`RtcError::Invalid`] or [`RtcError::Timeout`].
    fn read(&mut self) -> Result<u64, RtcError>;

    /// Sets the clock to `unix_secs` seconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`RtcError::OutOfRange`] or [`RtcError::Timeout`].
    fn write(&mut self, unix_secs: u64) -> Result<(), RtcError>;
}

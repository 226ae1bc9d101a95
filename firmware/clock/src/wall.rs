//! The running wall clock: UTC as an offset from the monotonic clock.
//!
//! [`WallClock`] belongs to the appliance, which sets it (calendar chip at power-on, `clock set`,
//! NTP) and calls [`publish`](WallClock::publish) once in every turn of its loop. A [`ClockReader`]
//! shares what was published with code that has no `now` argument, such as the time source of a TLS
//! library. A clock that was never set has no time at all, so certificate checks fail closed.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};

use hal::time::Instant;

/// 2020-01-01T00:00:00Z. A calendar chip that shows an earlier time has lost its battery.
pub const EARLIEST_PLAUSIBLE_UNIX_SECS: u64 = 1_577_836_800;

/// 2100-01-01T00:00:00Z. The chip holds two digits of the year, and no certificate lives longer.
pub const LATEST_PLAUSIBLE_UNIX_SECS: u64 = 4_102_444_800;

/// Published while there is no time.
const NO_TIME: u64 = 0;

/// Where the time comes from, least trusted first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeSource {
    /// Nowhere: the clock was not set since power-on.
    #[default]
    Unset,
    /// The battery-backed calendar chip.
    HardwareCalendar,
    /// `clock set`.
    UserConfiguration,
    /// A time server.
    Ntp,
}

/// Why the clock was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetError {
    /// Before [`EARLIEST_PLAUSIBLE_UNIX_SECS`], and not what the operator typed.
    TooEarly,
    /// At or after [`LATEST_PLAUSIBLE_UNIX_SECS`].
    TooLate,
}

/// UTC, kept by the monotonic clock.
#[derive(Debug)]
pub struct WallClock {
    /// UTC microseconds since 1970 at [`Instant::ZERO`]; negative for a clock set to a time earlier
    /// than the box has been running.
    at_zero_micros: i64,
    source: TimeSource,
    published: Arc<AtomicU64>,
}

impl Default for WallClock {
    fn default() -> Self {
        Self::new()
    }
}

impl WallClock {
    /// A clock that has not been set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            at_zero_micros: 0,
            source: TimeSource::Unset,
            published: Arc::new(AtomicU64::new(NO_TIME)),
        }
    }

    /// Sets the clock to `unix_micros` (UTC microseconds since 1970) as of `now`, and publishes it.
    ///
    /// What the operator types is believed even if it is long ago.
    ///
    /// # Errors
    /// [`SetError`]; the clock then runs on as before.
    pub fn set(
        &mut self,
        unix_micros: u64,
        source: TimeSource,
        now: Instant,
    ) -> Result<(), SetError> {
        let unix_secs = unix_micros / 1_000_000;
        if unix_secs >= LATEST_PLAUSIBLE_UNIX_SECS {
            return Err(SetError::TooLate);
        }
        if unix_secs < EARLIEST_PLAUSIBLE_UNIX_SECS && source != TimeSource::UserConfiguration {
            return Err(SetError::TooEarly);
        }
        self.at_zero_micros = to_signed(unix_micros).saturating_sub(to_signed(now.as_micros()));
        self.source = source;
        self.publish(now);
        Ok(())
    }

    /// UTC microseconds since 1970 at `now`. Before the clock is set this counts from 1970, which
    /// is for display only: see [`is_set`](Self::is_set).
    #[must_use]
    pub fn unix_micros(&self, now: Instant) -> u64 {
        u64::try_from(
            self.at_zero_micros
                .saturating_add(to_signed(now.as_micros())),
        )
        .unwrap_or(0)
    }

    /// UTC seconds since 1970 at `now`.
    #[must_use]
    pub fn unix_secs(&self, now: Instant) -> u64 {
        self.unix_micros(now) / 1_000_000
    }

    /// Where the time comes from, which is also how far it is to be trusted.
    #[must_use]
    pub fn source(&self) -> TimeSource {
        self.source
    }

    /// Whether the clock was set since power-on, so that dates can be judged by it.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.source != TimeSource::Unset
    }

    /// Lets every [`ClockReader`] see the time of `now`.
    pub fn publish(&self, now: Instant) {
        let unix_secs = if self.is_set() {
            self.unix_secs(now)
        } else {
            NO_TIME
        };
        // Readers need no other memory that this value orders.
        self.published.store(unix_secs, Ordering::Relaxed);
    }

    /// A handle that reads the published time.
    #[must_use]
    pub fn reader(&self) -> ClockReader {
        ClockReader(Arc::clone(&self.published))
    }
}

/// Reads the time that [`WallClock::publish`] left, from anywhere.
#[derive(Clone, Debug)]
pub struct ClockReader(Arc<AtomicU64>);

impl ClockReader {
    /// UTC seconds since 1970, or `None` while the clock is not set.
    #[must_use]
    pub fn unix_secs(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&secs| secs != NO_TIME)
    }
}

fn to_signed(micros: u64) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX)
}

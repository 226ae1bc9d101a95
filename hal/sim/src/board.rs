//! The small parts of a board: calendar clock and power controls.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hal::power::Power;
use hal::time::{Instant, Monotonic, Rtc, RtcError};

use crate::clock::VirtualClock;

/// The last second of 2099, beyond which a PC's calendar clock does not go.
pub const RTC_MAX: u64 = 4_102_444_799;

#[derive(Debug)]
struct Calendar {
    set_to: u64,
    set_at: Instant,
    drift_ppm: i32,
    failure: Option<RtcError>,
}

/// A calendar clock that follows a [`VirtualClock`], with a drift; clones are the same clock, so
/// that it keeps its time over a reset of the box.
#[derive(Clone, Debug)]
pub struct SimRtc {
    clock: VirtualClock,
    calendar: Rc<RefCell<Calendar>>,
}

impl SimRtc {
    /// A clock that shows `unix_secs` seconds since 1970 now.
    #[must_use]
    pub fn new(clock: &VirtualClock, unix_secs: u64) -> Self {
        Self {
            clock: clock.clone(),
            calendar: Rc::new(RefCell::new(Calendar {
                set_to: unix_secs,
                set_at: clock.now(),
                drift_ppm: 0,
                failure: None,
            })),
        }
    }

    /// Makes the clock gain (or lose, if negative) this many microseconds a second since it was set.
    pub fn set_drift_ppm(&self, drift_ppm: i32) {
        self.calendar.borrow_mut().drift_ppm = drift_ppm;
    }

    /// Makes every access fail with `error` until called with `None`.
    pub fn set_failure(&self, error: Option<RtcError>) {
        self.calendar.borrow_mut().failure = error;
    }
}

impl Rtc for SimRtc {
    fn read(&mut self) -> Result<u64, RtcError> {
        let calendar = self.calendar.borrow();
        if let Some(error) = calendar.failure {
            return Err(error);
        }
        let micros = i128::from(self.clock.now().as_micros() - calendar.set_at.as_micros());
        let shown = micros + micros * i128::from(calendar.drift_ppm) / 1_000_000;
        let secs = u64::try_from(shown / 1_000_000).unwrap_or(0);
        Ok(calendar.set_to.saturating_add(secs))
    }

    fn write(&mut self, unix_secs: u64) -> Result<(), RtcError> {
        let mut calendar = self.calendar.borrow_mut();
        if let Some(error) = calendar.failure {
            return Err(error);
        }
        if unix_secs > RTC_MAX {
            return Err(RtcError::OutOfRange);
        }
        calendar.set_to = unix_secs;
        calendar.set_at = self.clock.now();
        Ok(())
    }
}

/// What was asked of the power controls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PowerRequests {
    /// Resets asked for.
    pub resets: u32,
    /// Whether the machine was switched off.
    pub is_off: bool,
}

/// Power controls that remember what was asked of them; clones are the same controls.
#[derive(Clone, Debug, Default)]
pub struct SimPower(Rc<Cell<PowerRequests>>);

impl SimPower {
    /// Controls of which nothing was asked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was asked so far.
    #[must_use]
    pub fn requests(&self) -> PowerRequests {
        self.0.get()
    }
}

impl Power for SimPower {
    fn reset(&mut self) {
        let mut requests = self.0.get();
        requests.resets += 1;
        self.0.set(requests);
    }

    fn power_off(&mut self) {
        let mut requests = self.0.get();
        requests.is_off = true;
        self.0.set(requests);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_calendar_follows_virtual_time_and_its_drift() {
        let clock = VirtualClock::new();
        let mut rtc = SimRtc::new(&clock, 1_000);
        clock.advance(Duration::from_millis(2_999));
        assert_eq!(rtc.read(), Ok(1_002));
        rtc.write(5_000).expect("set");
        rtc.set_drift_ppm(-100);
        clock.advance(Duration::from_secs(100_000));
        assert_eq!(rtc.read(), Ok(104_990));
        let mut same = rtc.clone();
        same.write(7).expect("set");
        assert_eq!(rtc.read(), Ok(7));
    }

    #[test]
    fn dates_it_cannot_hold_and_failures_are_told() {
        let mut rtc = SimRtc::new(&VirtualClock::new(), 1_000);
        assert_eq!(rtc.write(RTC_MAX + 1), Err(RtcError::OutOfRange));
        rtc.set_failure(Some(RtcError::Invalid));
        assert_eq!(rtc.read(), Err(RtcError::Invalid));
        assert_eq!(rtc.write(0), Err(RtcError::Invalid));
        rtc.set_failure(None);
        assert_eq!(rtc.read(), Ok(1_000));
    }

    #[test]
    fn power_requests_are_remembered() {
        let power = SimPower::new();
        let mut controls = power.clone();
        controls.reset();
        controls.reset();
        controls.power_off();
        let expected = PowerRequests {
            resets: 2,
            is_off: true,
        };
        assert_eq!(power.requests(), expected);
    }
}

//! `time-range`: when rules are in force.

use super::DatedMoment;
use alloc::vec::Vec;

/// `time-range NAME`. In force while it is both inside of `absolute` and in one of the `periods`;
/// what is absent does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// `absolute [start …] [end …]`.
    pub absolute: Option<AbsoluteTime>,
    /// `periodic …`, in the order entered.
    pub periods: Vec<Period>,
}

/// `absolute [start HH:MM DAY MONTH YEAR] [end HH:MM DAY MONTH YEAR]`, local time; at least one of
/// the two is there, and `start` is before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsoluteTime {
    /// The first minute.
    pub start: Option<DatedMoment>,
    /// The first minute after it; 23:59 stands for the end of the day.
    pub end: Option<DatedMoment>,
}

/// `periodic DAYS HH:MM to [DAY] HH:MM`, local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// When it begins: on each of these days. One day only if `end_day` is there.
    pub days: Days,
    /// The minute of the day at which it begins.
    pub start: DayTime,
    /// The day of the week on which it ends, if not on that on which it began; 0 is Sunday.
    pub end_day: Option<u8>,
    /// The first minute after it; 23:59 stands for the end of the day.
    pub end: DayTime,
}

/// Days of the week, one or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(u8);

impl Days {
    /// `daily`.
    pub const DAILY: Self = Self(0b111_1111);
    /// `weekdays`: Monday to Friday.
    pub const WEEKDAYS: Self = Self(0b011_1110);
    /// `weekend`: Saturday and Sunday.
    pub const WEEKEND: Self = Self(0b100_0001);

    /// The days of these numbers; 0 is Sunday, 6 is Saturday.
    #[must_use]
    pub fn of(days: impl Iterator<Item = u8>) -> Self {
        Self(days.fold(0, |set, day| set | 1 << (day % 7)))
    }

    /// The days in the order of the week, Sunday first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..7).filter(move |day| self.0 & 1 << day != 0)
    }
}

/// A minute of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DayTime {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

impl DayTime {
    /// The last minute that can be named. As an end it stands for the end of the day, so that
    /// `0:00 to 23:59` leaves no gap at midnight.
    pub const LAST: Self = Self {
        hour: 23,
        minute: 59,
    };

    /// Minutes since the day began.
    #[must_use]
    pub const fn minutes(self) -> u16 {
        self.hour as u16 * 60 + self.minute as u16
    }
}

//! Wall time and the calendar: what time it is, how far that is to be believed, and how ASA writes it.
//!
//! [`WallClock`] turns the box's monotonic [`Instant`](hal::time::Instant) into UTC and hands out a
//! [`ClockReader`] for code that must ask for the time without being given one (certificate checks
//! inside TLS). [`ZoneRules`] holds `clock timezone` and `clock summer-time` and turns UTC into local
//! time and back. [`Civil`] is the Gregorian calendar underneath. Nothing here reads a device: the
//! caller reads the calendar chip, and passes the moment in.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`civil`] | dates, days of the week, seconds since 1970 |
//! | [`zone`] | time zone, summer-time rules, local time |
//! | [`parse`] | the words of the `clock` commands |
//! | [`format`] | the text of `show clock`, certificate dates, running-config lines |
//! | [`wall`] | the running clock, its source and trust |
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod civil;
pub mod format;
pub mod parse;
pub mod wall;
pub mod zone;

pub use civil::{Civil, CivilError, Month, Weekday};
pub use parse::{ParseError, parse_set, parse_summer_time, parse_time_zone};
pub use wall::{ClockReader, TimeSource, WallClock};
pub use zone::{
    LocalTime, RecurringDay, SummerPeriod, SummerRule, SummerTime, TimeZone, Week, ZoneName,
    ZoneRules,
};

#[cfg(test)]
mod tests;

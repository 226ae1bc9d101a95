//! How ASA writes times: `show clock`, certificate and key dates, running-config lines.
//!
//! Everything is a [`Display`](fmt::Display), so that a screen and a file are written alike.

use core::fmt;

use crate::wall::TimeSource;
use crate::zone::{DEFAULT_SUMMER_OFFSET_MINUTES, SummerPeriod};
use crate::zone::{LocalTime, RecurringDay, SummerRule, SummerTime, TimeZone, Week, ZoneRules};

/// Text of `show clock` for a moment given in UTC microseconds since 1970:
/// `19:07:10.431 CET Tue Nov 23 2021`.
#[derive(Clone, Copy, Debug)]
pub struct ClockLine<'a> {
    /// The zone.
    pub rules: &'a ZoneRules,
    /// UTC microseconds since 1970.
    pub unix_micros: i64,
}

impl fmt::Display for ClockLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.rules.local(self.unix_micros.div_euclid(1_000_000));
        let millis = self.unix_micros.rem_euclid(1_000_000) / 1000;
        write_time(f, &local)?;
        write!(f, ".{millis:03} {} ", local.zone)?;
        write_weekday_and_date(f, &local)
    }
}

/// Date of a certificate or key for a moment given in UTC seconds since 1970:
/// `10:00:00 CET Nov 1 2021`.
#[derive(Clone, Copy, Debug)]
pub struct CertificateDate<'a> {
    /// The zone.
    pub rules: &'a ZoneRules,
    /// UTC seconds since 1970.
    pub unix_secs: i64,
}

impl fmt::Display for CertificateDate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.rules.local(self.unix_secs);
        write_time(f, &local)?;
        write!(f, " {} ", local.zone)?;
        write_date(f, &local)
    }
}

/// `10:39:56 Nov 03 2021`: the time of a file, as `dir` shows it.
#[derive(Clone, Copy, Debug)]
pub struct FileDate<'a> {
    /// The zone.
    pub rules: &'a ZoneRules,
    /// UTC seconds since 1970.
    pub unix_secs: i64,
}

impl fmt::Display for FileDate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.rules.local(self.unix_secs);
        write_time(f, &local)?;
        let civil = local.civil;
        write!(
            f,
            " {} {:02} {}",
            civil.month.short_name(),
            civil.day,
            civil.year
        )
    }
}

/// The lines of `show clock detail`, each with its line end.
#[derive(Clone, Copy, Debug)]
pub struct ClockDetail<'a> {
    /// The zone.
    pub rules: &'a ZoneRules,
    /// UTC microseconds since 1970.
    pub unix_micros: i64,
    /// Where the time comes from.
    pub source: TimeSource,
}

impl fmt::Display for ClockDetail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rules, unix_micros, ..
        } = *self;
        writeln!(f, "{}", ClockLine { rules, unix_micros })?;
        match self.source {
            TimeSource::Unset => writeln!(f, "No time source")?,
            source => writeln!(f, "Time source is {source}")?,
        }
        let unix_secs = unix_micros.div_euclid(1_000_000);
        if let Some(SummerPeriod { start, end }) = rules.summer_period(unix_secs) {
            for (verb, local) in [
                ("starts", rules.local_standard(start)),
                ("ends", rules.local_summer(end)),
            ] {
                write!(f, "Summer time {verb} ")?;
                write_time(f, &local)?;
                write!(f, " {} ", local.zone)?;
                write_weekday_and_date(f, &local)?;
                writeln!(f)?;
            }
        }
        Ok(())
    }
}

/// Date of a logged message for a moment given in UTC seconds since 1970, in local time:
/// `Nov 03 2021 04:25:10`.
#[derive(Clone, Copy, Debug)]
pub struct LogDate<'a> {
    /// The zone.
    pub rules: &'a ZoneRules,
    /// UTC seconds since 1970.
    pub unix_secs: i64,
}

impl fmt::Display for LogDate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.rules.local(self.unix_secs);
        let civil = local.civil;
        write!(
            f,
            "{} {:02} {} ",
            civil.month.short_name(),
            civil.day,
            civil.year
        )?;
        write_time(f, &local)
    }
}

/// A moment given in UTC seconds since 1970, in local time, as mail writes it:
/// `Tue, 28 Jun 2016 21:45:09 UTC`.
#[derive(Clone, Copy, Debug)]
pub struct MailDate<'a> {
    /// The zone.
    pub rules: &'a ZoneRules,
    /// UTC seconds since 1970.
    pub unix_secs: i64,
}

impl fmt::Display for MailDate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.rules.local(self.unix_secs);
        let civil = local.civil;
        write!(
            f,
            "{}, {:02} {} {} ",
            civil.weekday().short_name(),
            civil.day,
            civil.month.short_name(),
            civil.year
        )?;
        write_time(f, &local)?;
        write!(f, " {}", local.zone)
    }
}

/// A moment given in UTC seconds since 1970 as RFC 5424 §6.2.3 writes it: `2021-11-03T03:25:10Z`.
#[derive(Clone, Copy, Debug)]
pub struct UtcDate {
    /// UTC seconds since 1970.
    pub unix_secs: i64,
}

impl fmt::Display for UtcDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = ZoneRules::default();
        let local = rules.local(self.unix_secs);
        let civil = local.civil;
        write!(
            f,
            "{:04}-{:02}-{:02}T",
            civil.year,
            civil.month.number(),
            civil.day
        )?;
        write_time(f, &local)?;
        f.write_str("Z")
    }
}

impl fmt::Display for TimeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unset => "not set",
            Self::HardwareCalendar => "hardware calendar",
            Self::UserConfiguration => "user configuration",
            Self::Ntp => "NTP",
        })
    }
}

/// The command's arguments (`CET 1`), as the running configuration has them.
impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.offset_minutes.unsigned_abs();
        let sign = if self.offset_minutes < 0 { "-" } else { "" };
        write!(f, "{} {sign}{}", self.name, minutes / 60)?;
        match minutes % 60 {
            0 => Ok(()),
            minutes => write!(f, " {minutes}"),
        }
    }
}

/// The command's arguments (`CEST recurring last Sun Mar 2:00 last Sun Oct 3:00`), as the running
/// configuration has them.
impl fmt::Display for SummerTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.rule {
            SummerRule::UNITED_STATES => f.write_str(" recurring")?,
            SummerRule::Recurring { start, end } => write!(f, " recurring {start} {end}")?,
            SummerRule::Date { start, end } => {
                f.write_str(" date")?;
                for day in [start, end] {
                    write!(
                        f,
                        " {} {} {} {}:{:02}",
                        day.month.short_name(),
                        day.day,
                        day.year,
                        day.hour,
                        day.minute
                    )?;
                }
            }
        }
        match self.offset_minutes {
            DEFAULT_SUMMER_OFFSET_MINUTES => Ok(()),
            minutes => write!(f, " {minutes}"),
        }
    }
}

impl fmt::Display for RecurringDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let week = match self.week {
            Week::First => "1",
            Week::Second => "2",
            Week::Third => "3",
            Week::Fourth => "4",
            Week::Last => "last",
        };
        write!(
            f,
            "{week} {} {} {}:{:02}",
            self.weekday.short_name(),
            self.month.short_name(),
            self.hour,
            self.minute
        )
    }
}

fn write_time(f: &mut fmt::Formatter<'_>, local: &LocalTime<'_>) -> fmt::Result {
    let civil = local.civil;
    write!(
        f,
        "{:02}:{:02}:{:02}",
        civil.hour, civil.minute, civil.second
    )
}

fn write_date(f: &mut fmt::Formatter<'_>, local: &LocalTime<'_>) -> fmt::Result {
    let civil = local.civil;
    write!(
        f,
        "{} {} {}",
        civil.month.short_name(),
        civil.day,
        civil.year
    )
}

fn write_weekday_and_date(f: &mut fmt::Formatter<'_>, local: &LocalTime<'_>) -> fmt::Result {
    write!(f, "{} ", local.civil.weekday().short_name())?;
    write_date(f, local)
}

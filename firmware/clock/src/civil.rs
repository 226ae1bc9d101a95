//! The proleptic Gregorian calendar and seconds since 1970-01-01T00:00:00Z (POSIX time, no leap
//! seconds). Pure arithmetic in 400-year eras; [`zone`](crate::zone) builds local time on it.

/// Seconds of a day.
pub const DAY_SECS: i64 = 86_400;

/// Days of 400 Gregorian years, after which the calendar repeats.
const ERA_DAYS: i64 = 146_097;

/// Days from 0000-03-01 to 1970-01-01. Years are counted from March so that the leap day is last.
const EPOCH_DAYS: i64 = 719_468;

/// A month of the year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Month {
    January = 1,
    February,
    March,
    April,
    May,
    June,
    July,
    August,
    September,
    October,
    November,
    December,
}

impl Month {
    /// All months in order.
    pub const ALL: [Self; 12] = [
        Self::January,
        Self::February,
        Self::March,
        Self::April,
        Self::May,
        Self::June,
        Self::July,
        Self::August,
        Self::September,
        Self::October,
        Self::November,
        Self::December,
    ];

    /// The month numbered `number` (January is 1).
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The number of the month; January is 1.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The full English name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::January => "January",
            Self::February => "February",
            Self::March => "March",
            Self::April => "April",
            Self::May => "May",
            Self::June => "June",
            Self::July => "July",
            Self::August => "August",
            Self::September => "September",
            Self::October => "October",
            Self::November => "November",
            Self::December => "December",
        }
    }

    /// The name cut to three letters, as ASA prints it.
    #[must_use]
    pub fn short_name(self) -> &'static str {
        self.name().get(..3).unwrap_or_default()
    }

    /// Days of the month in `year`.
    #[must_use]
    pub const fn days(self, year: i32) -> u8 {
        match self {
            Self::April | Self::June | Self::September | Self::November => 30,
            Self::February if is_leap(year) => 29,
            Self::February => 28,
            _ => 31,
        }
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Weekday {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
}

impl Weekday {
    /// All days, Sunday first.
    pub const ALL: [Self; 7] = [
        Self::Sunday,
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
    ];

    /// The day of the week of the day `days` after 1970-01-01 (a Thursday).
    #[must_use]
    pub fn of_day(days: i64) -> Self {
        match (days.saturating_add(4)).rem_euclid(7) {
            0 => Self::Sunday,
            1 => Self::Monday,
            2 => Self::Tuesday,
            3 => Self::Wednesday,
            4 => Self::Thursday,
            5 => Self::Friday,
            _ => Self::Saturday,
        }
    }

    /// Days after Sunday.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The full English name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sunday => "Sunday",
            Self::Monday => "Monday",
            Self::Tuesday => "Tuesday",
            Self::Wednesday => "Wednesday",
            Self::Thursday => "Thursday",
            Self::Friday => "Friday",
            Self::Saturday => "Saturday",
        }
    }

    /// The name cut to three letters, as ASA prints it.
    #[must_use]
    pub fn short_name(self) -> &'static str {
        self.name().get(..3).unwrap_or_default()
    }
}

/// A date and time of day, in whatever zone the holder says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Civil {
    /// Year of the common era.
    pub year: i32,
    /// Month.
    pub month: Month,
    /// Day of the month, from 1.
    pub day: u8,
    /// Hour, 0-23.
    pub hour: u8,
    /// Minute, 0-59.
    pub minute: u8,
    /// Second, 0-59.
    pub second: u8,
}

/// Why a date or time of day does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CivilError {
    /// The month has no such day in that year.
    NoSuchDay,
    /// The hour is above 23, the minute or the second above 59.
    NoSuchTime,
}

impl Civil {
    /// A date and time of day.
    ///
    /// # Errors
    /// [`CivilError`] if there is no such day or time.
    pub const fn new(
        year: i32,
        month: Month,
        day: u8,
        hour: u8,
        minute: u8,
        second: u8,
    ) -> Result<Self, CivilError> {
        if day == 0 || day > month.days(year) {
            return Err(CivilError::NoSuchDay);
        }
        if hour > 23 || minute > 59 || second > 59 {
            return Err(CivilError::NoSuchTime);
        }
        Ok(Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
        })
    }

    /// The date and time `unix_secs` seconds after 1970-01-01T00:00:00.
    #[must_use]
    pub fn from_unix(unix_secs: i64) -> Self {
        let days = unix_secs.div_euclid(DAY_SECS);
        let in_day = unix_secs.rem_euclid(DAY_SECS);
        let (year, month, day) = date_of(days);
        // Each quotient is bounded by the remainder before it.
        Self {
            year,
            month,
            day,
            hour: (in_day / 3600) as u8,
            minute: (in_day % 3600 / 60) as u8,
            second: (in_day % 60) as u8,
        }
    }

    /// Seconds from 1970-01-01T00:00:00 to this date and time.
    #[must_use]
    pub fn to_unix(self) -> i64 {
        days_to(self.year, self.month, self.day) * DAY_SECS
            + i64::from(self.hour) * 3600
            + i64::from(self.minute) * 60
            + i64::from(self.second)
    }

    /// The day of the week.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        Weekday::of_day(days_to(self.year, self.month, self.day))
    }
}

/// Whether `year` has a 29 February.
#[must_use]
pub const fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days from 1970-01-01 to a date.
pub(crate) fn days_to(year: i32, month: Month, day: u8) -> i64 {
    let month = i64::from(month.number());
    // January and February belong to the year that began in the March before.
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    // 153 days in each five months from March: 31, 30, 31, 30, 31.
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * ERA_DAYS + day_of_era - EPOCH_DAYS
}

/// The date `days` days after 1970-01-01.
fn date_of(days: i64) -> (i32, Month, u8) {
    let days = days.saturating_add(EPOCH_DAYS);
    let era = days.div_euclid(ERA_DAYS);
    let day_of_era = days.rem_euclid(ERA_DAYS);
    // Take the leap days out (one in 1460 days, none in 36524, one at the end of the era).
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era
        .saturating_mul(400)
        .saturating_add(year_of_era + i64::from(month <= 2));
    let year = i32::try_from(year).unwrap_or(if year < 0 { i32::MIN } else { i32::MAX });
    let month = Month::from_number(month as u8).unwrap_or(Month::December);
    (year, month, day as u8)
}

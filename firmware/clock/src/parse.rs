//! The words of the `clock` commands, read one by one.
//!
//! The grammar engine has already split the line; these functions take its words. Month and weekday
//! names may be shortened to three letters, in any case.

use crate::civil::{Civil, CivilError, Month, Weekday};
use crate::zone::{
    DEFAULT_SUMMER_OFFSET_MINUTES, RecurringDay, SummerRule, SummerTime, TimeZone, Week,
    ZONE_NAME_MAX, ZoneName,
};

/// Years that `clock set` and `clock summer-time … date` take.
pub const YEARS: core::ops::RangeInclusive<i32> = 1993..=2099;

/// Why the words of a `clock` command were refused. Fields are indices into the words given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// More words are needed.
    Incomplete,
    /// The word at this index is not what can stand there.
    Invalid(usize),
    /// There are more words than the command takes; this is the first of them.
    TooMany(usize),
    /// Every word can stand where it does, but there is no such date or time.
    NoSuchDate(CivilError),
}

/// Reads `HH:MM:SS {MONTH DAY | DAY MONTH} YEAR` of `clock set`; the time is local.
///
/// # Errors
/// [`ParseError`].
pub fn parse_set(words: &[&str]) -> Result<Civil, ParseError> {
    let mut words = Words { words, next: 0 };
    let (hour, minute, second) = words.take(hour_minute_second)?;
    let (month, day) = words.month_and_day()?;
    let year = words.take(year)?;
    words.end()?;
    Civil::new(year, month, day, hour, minute, second).map_err(ParseError::NoSuchDate)
}

/// Reads `ZONE [-]HOURS [MINUTES]` of `clock timezone`.
///
/// # Errors
/// [`ParseError`].
pub fn parse_time_zone(words: &[&str]) -> Result<TimeZone, ParseError> {
    let mut words = Words { words, next: 0 };
    let name = words.take(zone_name)?;
    let (is_west, hours) = words.take(|word| {
        let (is_west, digits) = match word.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, word),
        };
        Some((is_west, number(digits, 0, 23)?))
    })?;
    let minutes = match words.peek() {
        Some(_) => words.take(|word| number(word, 0, 59))?,
        None => 0,
    };
    words.end()?;
    // At most 23 h 59 min, which fits.
    let offset = (hours * 60 + minutes) as i16;
    Ok(TimeZone {
        name,
        offset_minutes: if is_west { -offset } else { offset },
    })
}

/// Reads `ZONE recurring [WEEK WEEKDAY MONTH HH:MM WEEK WEEKDAY MONTH HH:MM] [OFFSET]` and
/// `ZONE date {DAY MONTH | MONTH DAY} YEAR HH:MM {DAY MONTH | MONTH DAY} YEAR HH:MM [OFFSET]` of
/// `clock summer-time`.
///
/// # Errors
/// [`ParseError`].
pub fn parse_summer_time(words: &[&str]) -> Result<SummerTime, ParseError> {
    let mut words = Words { words, next: 0 };
    let name = words.take(zone_name)?;
    let is_recurring = words.take(|word| match word.to_ascii_lowercase().as_str() {
        "recurring" => Some(true),
        "date" => Some(false),
        _ => None,
    })?;
    let rule = if is_recurring {
        // A lone number is the offset of the default rule; two and more words begin a rule.
        if words.left() <= 1 {
            SummerRule::UNITED_STATES
        } else {
            SummerRule::Recurring {
                start: words.recurring_day()?,
                end: words.recurring_day()?,
            }
        }
    } else {
        SummerRule::Date {
            start: words.date()?,
            end: words.date()?,
        }
    };
    let offset_minutes = match words.peek() {
        Some(_) => words.take(|word| number(word, 1, 1440))? as u16,
        None => DEFAULT_SUMMER_OFFSET_MINUTES,
    };
    words.end()?;
    Ok(SummerTime {
        name,
        rule,
        offset_minutes,
    })
}

/// Reads a month's name, whole or shortened to three letters or more.
#[must_use]
pub fn month(word: &str) -> Option<Month> {
    Month::ALL
        .into_iter()
        .find(|month| abbreviates(word, month.name()))
}

/// Reads a weekday's name, whole or shortened to three letters or more.
#[must_use]
pub fn weekday(word: &str) -> Option<Weekday> {
    Weekday::ALL
        .into_iter()
        .find(|day| abbreviates(word, day.name()))
}

/// Reads `1`-`4`, `first` or `last`.
#[must_use]
pub fn week(word: &str) -> Option<Week> {
    match word.to_ascii_lowercase().as_str() {
        "1" | "first" => Some(Week::First),
        "2" => Some(Week::Second),
        "3" => Some(Week::Third),
        "4" => Some(Week::Fourth),
        "last" => Some(Week::Last),
        _ => None,
    }
}

/// Reads `HH:MM`.
#[must_use]
pub fn hour_minute(word: &str) -> Option<(u8, u8)> {
    let (hour, minute) = word.split_once(':')?;
    Some((number(hour, 0, 23)? as u8, number(minute, 0, 59)? as u8))
}

/// Reads `HH:MM:SS`.
#[must_use]
pub fn hour_minute_second(word: &str) -> Option<(u8, u8, u8)> {
    let (rest, second) = word.rsplit_once(':')?;
    let (hour, minute) = hour_minute(rest)?;
    Some((hour, minute, number(second, 0, 59)? as u8))
}

/// Reads a zone's name: a letter, then letters, digits, `+` and `-`.
#[must_use]
pub fn zone_name(word: &str) -> Option<ZoneName> {
    let is_name = word.len() <= ZONE_NAME_MAX
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-'));
    is_name.then(|| ZoneName::try_from(word).ok()).flatten()
}

fn year(word: &str) -> Option<i32> {
    let year = i32::try_from(number(word, 0, 9999)?).ok()?;
    YEARS.contains(&year).then_some(year)
}

fn day(word: &str) -> Option<u8> {
    Some(number(word, 1, 31)? as u8)
}

/// An unsigned decimal number of at most four digits, `least..=most`.
fn number(word: &str, least: u32, most: u32) -> Option<u32> {
    if word.is_empty() || word.len() > 4 || !word.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = word.parse().ok()?;
    (least..=most).contains(&value).then_some(value)
}

fn abbreviates(word: &str, name: &str) -> bool {
    word.len() >= 3
        && name
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// The words of a command and the index of the next one.
struct Words<'a> {
    words: &'a [&'a str],
    next: usize,
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).copied()
    }

    fn left(&self) -> usize {
        self.words.len().saturating_sub(self.next)
    }

    fn take<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Result<T, ParseError> {
        let word = self.peek().ok_or(ParseError::Incomplete)?;
        let value = read(word).ok_or(ParseError::Invalid(self.next))?;
        self.next += 1;
        Ok(value)
    }

    fn end(&self) -> Result<(), ParseError> {
        match self.left() {
            0 => Ok(()),
            _ => Err(ParseError::TooMany(self.next)),
        }
    }

    fn month_and_day(&mut self) -> Result<(Month, u8), ParseError> {
        if self.peek().is_some_and(|word| month(word).is_some()) {
            let month = self.take(month)?;
            Ok((month, self.take(day)?))
        } else {
            let day = self.take(day)?;
            Ok((self.take(month)?, day))
        }
    }

    fn date(&mut self) -> Result<Civil, ParseError> {
        let (month, day) = self.month_and_day()?;
        let year = self.take(year)?;
        let (hour, minute) = self.take(hour_minute)?;
        Civil::new(year, month, day, hour, minute, 0).map_err(ParseError::NoSuchDate)
    }

    fn recurring_day(&mut self) -> Result<RecurringDay, ParseError> {
        let week = self.take(week)?;
        let weekday = self.take(weekday)?;
        let month = self.take(month)?;
        let (hour, minute) = self.take(hour_minute)?;
        Ok(RecurringDay {
            week,
            weekday,
            month,
            hour,
            minute,
        })
    }
}

//! Local time: `clock timezone` and `clock summer-time`.
//!
//! Start of summer time is given in standard time, its end in summer time, as the commands do. A
//! start later in the year than the end means the southern hemisphere.

use alloc::vec::Vec;

use crate::civil::{Civil, DAY_SECS, Month, Weekday, days_to};

/// Longest zone name.
pub const ZONE_NAME_MAX: usize = 7;

/// A zone's name ("CET"); at most [`ZONE_NAME_MAX`] letters, digits and signs.
pub type ZoneName = heapless::String<ZONE_NAME_MAX>;

/// Minutes by which summer time is ahead if the command does not say.
pub const DEFAULT_SUMMER_OFFSET_MINUTES: u16 = 60;

/// `clock timezone`: standard time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone {
    /// What standard time is called.
    pub name: ZoneName,
    /// Minutes ahead of UTC; negative west of Greenwich.
    pub offset_minutes: i16,
}

impl Default for TimeZone {
    fn default() -> Self {
        Self {
            name: name("UTC"),
            offset_minutes: 0,
        }
    }
}

/// `clock summer-time`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummerTime {
    /// What summer time is called.
    pub name: ZoneName,
    /// When it begins and ends.
    pub rule: SummerRule,
    /// Minutes ahead of standard time.
    pub offset_minutes: u16,
}

/// When summer time begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SummerRule {
    /// Every year.
    Recurring {
        /// First moment of summer time, in standard time.
        start: RecurringDay,
        /// End of summer time, in summer time.
        end: RecurringDay,
    },
    /// Once. Seconds are zero.
    Date {
        /// First moment of summer time, in standard time.
        start: Civil,
        /// End of summer time, in summer time.
        end: Civil,
    },
}

impl SummerRule {
    /// The rule of the United States, which `recurring` means when nothing follows it: second Sunday
    /// of March 2:00 to first Sunday of November 2:00.
    pub const UNITED_STATES: Self = Self::Recurring {
        start: RecurringDay {
            week: Week::Second,
            weekday: Weekday::Sunday,
            month: Month::March,
            hour: 2,
            minute: 0,
        },
        end: RecurringDay {
            week: Week::First,
            weekday: Weekday::Sunday,
            month: Month::November,
            hour: 2,
            minute: 0,
        },
    };
}

/// Which one of a month's Sundays (Mondays, …).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Week {
    First,
    Second,
    Third,
    Fourth,
    Last,
}

/// A moment found once in every year ("last Sun Mar 2:00").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecurringDay {
    /// Which such weekday of the month.
    pub week: Week,
    /// The day of the week.
    pub weekday: Weekday,
    /// The month.
    pub month: Month,
    /// Hour, 0-23.
    pub hour: u8,
    /// Minute, 0-59.
    pub minute: u8,
}

impl RecurringDay {
    /// Seconds from 1970-01-01T00:00:00 to this moment of `year`, in the moment's own local time.
    #[must_use]
    pub fn in_year(self, year: i32) -> i64 {
        let first = days_to(year, self.month, 1);
        let to_first = (i64::from(self.weekday.number())
            - i64::from(Weekday::of_day(first).number()))
        .rem_euclid(7);
        let weeks = match self.week {
            Week::First => 0,
            Week::Second => 1,
            Week::Third => 2,
            Week::Fourth => 3,
            Week::Last if to_first + 28 < i64::from(self.month.days(year)) => 4,
            Week::Last => 3,
        };
        (first + to_first + 7 * weeks) * DAY_SECS
            + i64::from(self.hour) * 3600
            + i64::from(self.minute) * 60
    }
}

/// Local time at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime<'a> {
    /// Date and time of day.
    pub civil: Civil,
    /// Name of the zone in force ("CET", "CEST").
    pub zone: &'a str,
    /// Whether summer time is in force.
    pub is_summer: bool,
}

/// One summer-time period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SummerPeriod {
    /// First second of it, UTC seconds since 1970.
    pub start: i64,
    /// First second after it, UTC seconds since 1970.
    pub end: i64,
}

/// The configured zone: standard time and, perhaps, summer time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneRules {
    /// `clock timezone`.
    pub standard: TimeZone,
    /// `clock summer-time`.
    pub summer: Option<SummerTime>,
}

impl ZoneRules {
    /// Local time at `unix_secs` (UTC seconds since 1970).
    #[must_use]
    pub fn local(&self, unix_secs: i64) -> LocalTime<'_> {
        match &self.summer {
            Some(summer) if self.is_summer(unix_secs) => LocalTime {
                civil: Civil::from_unix(unix_secs.saturating_add(self.summer_offset_secs())),
                zone: &summer.name,
                is_summer: true,
            },
            _ => self.local_standard(unix_secs),
        }
    }

    /// Local time as if summer time did not exist; how the start of summer time is announced.
    #[must_use]
    pub fn local_standard(&self, unix_secs: i64) -> LocalTime<'_> {
        LocalTime {
            civil: Civil::from_unix(unix_secs.saturating_add(self.standard_offset_secs())),
            zone: &self.standard.name,
            is_summer: false,
        }
    }

    /// Local time as if summer time were in force; how the end of summer time is announced. Standard
    /// time if none is configured.
    #[must_use]
    pub fn local_summer(&self, unix_secs: i64) -> LocalTime<'_> {
        match &self.summer {
            Some(summer) => LocalTime {
                civil: Civil::from_unix(unix_secs.saturating_add(self.summer_offset_secs())),
                zone: &summer.name,
                is_summer: true,
            },
            None => self.local_standard(unix_secs),
        }
    }

    /// UTC seconds since 1970 of a local date and time.
    ///
    /// An hour that happens twice means the first time; one that is skipped is read in standard time.
    #[must_use]
    pub fn to_unix(&self, local: Civil) -> i64 {
        let local = local.to_unix();
        let summer = local.saturating_sub(self.summer_offset_secs());
        if self.is_summer(summer) {
            summer
        } else {
            local.saturating_sub(self.standard_offset_secs())
        }
    }

    /// Whether summer time is in force at `unix_secs`.
    #[must_use]
    pub fn is_summer(&self, unix_secs: i64) -> bool {
        self.periods(unix_secs)
            .iter()
            .any(|period| (period.start..period.end).contains(&unix_secs))
    }

    /// The summer-time period in force at `unix_secs`, or else the next one.
    #[must_use]
    pub fn summer_period(&self, unix_secs: i64) -> Option<SummerPeriod> {
        self.periods(unix_secs)
            .into_iter()
            .find(|period| period.end > unix_secs)
    }

    /// The periods around `unix_secs`, in order, empty ones left out.
    fn periods(&self, unix_secs: i64) -> Vec<SummerPeriod> {
        let Some(summer) = &self.summer else {
            return Vec::new();
        };
        let (standard, ahead) = (self.standard_offset_secs(), self.summer_offset_secs());
        match summer.rule {
            SummerRule::Date { start, end } => {
                let period = SummerPeriod {
                    start: start.to_unix() - standard,
                    end: end.to_unix() - ahead,
                };
                (period.start < period.end)
                    .then_some(period)
                    .into_iter()
                    .collect()
            }
            SummerRule::Recurring { start, end } => {
                let middle = Civil::from_unix(unix_secs).year;
                let start_in = |year| start.in_year(year) - standard;
                let end_in = |year| end.in_year(year) - ahead;
                // A period that begins two years back can reach no further than last year's end.
                (middle.saturating_sub(2)..=middle.saturating_add(1))
                    .filter_map(|year| {
                        let start = start_in(year);
                        let same_year = end_in(year);
                        let end = if start < same_year {
                            same_year
                        } else {
                            end_in(year.saturating_add(1))
                        };
                        (start < end).then_some(SummerPeriod { start, end })
                    })
                    .collect()
            }
        }
    }

    fn standard_offset_secs(&self) -> i64 {
        i64::from(self.standard.offset_minutes) * 60
    }

    fn summer_offset_secs(&self) -> i64 {
        let ahead = self.summer.as_ref().map_or(0, |s| s.offset_minutes);
        self.standard_offset_secs() + i64::from(ahead) * 60
    }
}

/// A zone name known at build time to fit; an overlong one is left empty.
pub(crate) fn name(text: &str) -> ZoneName {
    ZoneName::try_from(text).unwrap_or_default()
}

//! Time ranges against the box's clock: which are in force, and until when that is known.
//!
//! Ranges are configured in local time, and a moment of it may not exist or exist twice when summer
//! time begins or ends. Whether a range is in force is therefore read off the local time that the
//! box shows, and every moment at which that may change is found from both offsets of the zone: a
//! moment too many only looks once more.

use alloc::collections::BTreeMap;

use clock::zone::ZoneRules;
use clock::{Civil, Month};
use config::Config;
use config::model::{DatedMoment, DayTime, Period, TimeRange};

use crate::zone::WEEKDAY_OF_DAY_ZERO;

const DAY_SECS: i64 = 86_400;
const WEEK_SECS: i64 = 7 * DAY_SECS;

/// The time for which ranges are judged.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    /// UTC seconds since 1970; `None` if the clock was never set.
    pub(crate) unix_secs: Option<i64>,
    /// The zone in which ranges are configured.
    pub(crate) zone: &'a ZoneRules,
}

/// Whether a range is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RangeState {
    Active,
    Inactive,
    /// The clock was never set: permits do not take part, denies do.
    Unknown,
}

/// The states of all ranges of a configuration, and how long they hold.
#[derive(Debug, Default)]
pub(crate) struct Schedule<'a> {
    states: BTreeMap<&'a str, RangeState>,
    pub(crate) validity: Validity,
}

/// From when to when states hold, by the wall clock; it may be set to before or behind that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Validity {
    /// There are no ranges.
    #[default]
    Always,
    /// Until the clock is set.
    ClockUnset,
    /// Both in UTC seconds since 1970.
    Between {
        /// The first second.
        from: i64,
        /// The first second after it, if any.
        until: Option<i64>,
    },
}

impl Validity {
    /// Whether states must be looked at anew at that time; `None` if the clock was never set.
    pub(crate) fn is_over(self, unix_secs: Option<i64>) -> bool {
        match (self, unix_secs) {
            (Self::Always, _) | (Self::ClockUnset, None) => false,
            (Self::ClockUnset, Some(_)) | (Self::Between { .. }, None) => true,
            (Self::Between { from, until }, Some(now)) => {
                now < from || until.is_some_and(|until| until <= now)
            }
        }
    }

    /// UTC seconds since 1970 at which it is over, if nobody sets the clock.
    pub(crate) fn until(self) -> Option<i64> {
        match self {
            Self::Between { until, .. } => until,
            Self::Always | Self::ClockUnset => None,
        }
    }
}

impl<'a> Schedule<'a> {
    /// Judges the ranges of `config`.
    pub(crate) fn new(config: &'a Config, moment: Moment<'_>) -> Self {
        let ranges = &config.time_ranges;
        let states = ranges
            .iter()
            .map(|(name, range)| (name.as_str(), state(range, moment)))
            .collect();
        let validity = match moment.unix_secs {
            _ if ranges.is_empty() => Validity::Always,
            None => Validity::ClockUnset,
            Some(from) => Validity::Between {
                from,
                until: ranges
                    .values()
                    .filter_map(|range| next_edge(range, moment.zone, from))
                    .min(),
            },
        };
        Self { states, validity }
    }

    /// The state of the range `name`.
    pub(crate) fn state(&self, name: &str) -> RangeState {
        let state = self.states.get(name).copied();
        // A range in use cannot be removed.
        state.unwrap_or(RangeState::Unknown)
    }
}

/// Whether `range` is in force.
pub(crate) fn state(range: &TimeRange, moment: Moment<'_>) -> RangeState {
    let Some(now) = moment.unix_secs else {
        return RangeState::Unknown;
    };
    let (start, end) = bounds(range, moment.zone);
    let is_inside = start.is_none_or(|start| start <= now) && end.is_none_or(|end| now < end);
    let local = moment.zone.local(now).civil.to_unix();
    let is_periodic = range.periods.is_empty()
        || range
            .periods
            .iter()
            .any(|period| stretches(*period).any(|(start, length)| since(start, local) < length));
    if is_inside && is_periodic {
        RangeState::Active
    } else {
        RangeState::Inactive
    }
}

/// The first moment after `now` at which the state of `range` may change.
fn next_edge(range: &TimeRange, zone: &ZoneRules, now: i64) -> Option<i64> {
    let offsets = [zone.local_standard(now), zone.local_summer(now)]
        .map(|local| local.civil.to_unix().saturating_sub(now));
    let weekly = range.periods.iter().flat_map(|period| {
        stretches(*period).flat_map(move |(start, length)| {
            [start, start + length].into_iter().flat_map(move |edge| {
                // The time left is a week at most, and not nothing.
                offsets.map(|offset| now + WEEK_SECS - since(edge, now + offset))
            })
        })
    });
    let summer = zone
        .summer_period(now)
        .filter(|_| !range.periods.is_empty());
    let summer = summer.map(|period| [period.start, period.end]);
    let (start, end) = bounds(range, zone);
    weekly
        .chain(summer.into_iter().flatten())
        .chain(start)
        .chain(end)
        .filter(|&edge| edge > now)
        .min()
}

/// Start and end of the absolute part in UTC seconds since 1970.
fn bounds(range: &TimeRange, zone: &ZoneRules) -> (Option<i64>, Option<i64>) {
    let Some(absolute) = range.absolute else {
        return (None, None);
    };
    let unix = |moment: DatedMoment| Some(zone.to_unix(civil(moment)?));
    let end = absolute.end.and_then(|moment| {
        let is_last = moment.hour == DayTime::LAST.hour && moment.minute == DayTime::LAST.minute;
        Some(unix(moment)? + if is_last { 60 } else { 0 })
    });
    (absolute.start.and_then(unix), end)
}

/// The date was checked when it was typed.
fn civil(moment: DatedMoment) -> Option<Civil> {
    let month = Month::from_number(moment.month)?;
    let (year, day) = (i32::from(moment.year), moment.day);
    Civil::new(year, month, day, moment.hour, moment.minute, 0).ok()
}

/// The stretches of a period within a week: seconds from the beginning of Sunday, and how long.
fn stretches(period: Period) -> impl Iterator<Item = (i64, i64)> {
    let secs = |time: DayTime| i64::from(time.minutes()) * 60;
    let end = match period.end {
        DayTime::LAST => DAY_SECS,
        end => secs(end),
    };
    period.days.iter().map(move |day| {
        let start = i64::from(day) * DAY_SECS + secs(period.start);
        let end = i64::from(period.end_day.unwrap_or(day)) * DAY_SECS + end;
        // An end before the start is one of next week.
        let length = if end > start {
            end - start
        } else {
            end + WEEK_SECS - start
        };
        (start, length)
    })
}

/// Seconds since the moment `edge` of a week was last reached at `local`, less than a week.
fn since(edge: i64, local: i64) -> i64 {
    let sunday = local.saturating_add(WEEKDAY_OF_DAY_ZERO * DAY_SECS);
    (sunday - edge).rem_euclid(WEEK_SECS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use clock::Weekday;
    use clock::zone::{RecurringDay, SummerRule, SummerTime, TimeZone, Week, ZoneName};
    use config::model::{AbsoluteTime, Days};

    const HOUR: i64 = 3600;
    /// 2026-11-23T00:00:00Z, a Monday.
    const MONDAY: i64 = 1_795_392_000;

    fn at(hour: u8, minute: u8) -> DayTime {
        DayTime { hour, minute }
    }

    fn periodic(days: Days, start: DayTime, end_day: Option<u8>, end: DayTime) -> TimeRange {
        TimeRange {
            absolute: None,
            periods: Vec::from([Period {
                days,
                start,
                end_day,
                end,
            }]),
        }
    }

    fn cet() -> ZoneRules {
        let day = |month, hour| RecurringDay {
            week: Week::Last,
            weekday: Weekday::Sunday,
            month,
            hour,
            minute: 0,
        };
        let name = |name| ZoneName::try_from(name).unwrap();
        ZoneRules {
            standard: TimeZone {
                name: name("CET"),
                offset_minutes: 60,
            },
            summer: Some(SummerTime {
                name: name("CEST"),
                rule: SummerRule::Recurring {
                    start: day(Month::March, 2),
                    end: day(Month::October, 3),
                },
                offset_minutes: 60,
            }),
        }
    }

    fn is_active(range: &TimeRange, zone: &ZoneRules, unix_secs: i64) -> bool {
        let unix_secs = Some(unix_secs);
        state(range, Moment { unix_secs, zone }) == RangeState::Active
    }

    /// Every change from `from` on, found by going from edge to edge, and checked to be all of
    /// them by looking at every minute in between.
    fn changes(range: &TimeRange, zone: &ZoneRules, from: i64, to: i64) -> Vec<(i64, bool)> {
        let (mut now, mut found) = (from, Vec::new());
        while let Some(edge) = next_edge(range, zone, now).filter(|&edge| edge < to) {
            let before = is_active(range, zone, now);
            for minute in (now..edge).step_by(60).chain([edge - 1]) {
                assert_eq!(is_active(range, zone, minute), before, "{minute}");
            }
            now = edge;
            let after = is_active(range, zone, now);
            if after != before {
                found.push((now, after));
            }
        }
        found
    }

    #[test]
    fn office_hours_begin_and_end_to_the_second_in_local_time() {
        let range = periodic(Days::WEEKDAYS, at(8, 0), None, at(18, 30));
        let zone = cet();
        let (open, close) = (7 * HOUR, 17 * HOUR + 1800);
        assert!(!is_active(&range, &zone, MONDAY + open - 1));
        assert!(is_active(&range, &zone, MONDAY + open));
        assert!(is_active(&range, &zone, MONDAY + close - 1));
        assert!(!is_active(&range, &zone, MONDAY + close));
        let week = changes(&range, &zone, MONDAY, MONDAY + WEEK_SECS + 12 * HOUR);
        let expected: Vec<_> = [0, 1, 2, 3, 4, 7]
            .into_iter()
            .flat_map(|day| {
                let day = MONDAY + day * DAY_SECS;
                [(day + open, true), (day + close, false)]
            })
            .filter(|&(edge, _)| edge < MONDAY + WEEK_SECS + 12 * HOUR)
            .collect();
        assert_eq!(week, expected);
    }

    #[test]
    fn the_last_minute_of_a_day_leaves_no_gap() {
        let range = periodic(Days::DAILY, at(0, 0), None, DayTime::LAST);
        assert_eq!(
            changes(&range, &ZoneRules::default(), MONDAY, MONDAY + WEEK_SECS),
            []
        );
        assert!(is_active(&range, &ZoneRules::default(), MONDAY - 1));
        let weekend = periodic(Days::WEEKEND, at(0, 0), None, DayTime::LAST);
        let saturday = MONDAY + 5 * DAY_SECS;
        assert_eq!(
            changes(
                &weekend,
                &ZoneRules::default(),
                MONDAY,
                MONDAY + WEEK_SECS + 1
            ),
            [(saturday, true), (saturday + 2 * DAY_SECS, false)]
        );
    }

    #[test]
    fn a_period_may_reach_over_the_end_of_the_week() {
        let range = periodic(Days::of([5].into_iter()), at(18, 0), Some(1), at(6, 0));
        let friday = MONDAY + 4 * DAY_SECS + 18 * HOUR;
        let monday = MONDAY + WEEK_SECS + 6 * HOUR;
        let zone = ZoneRules::default();
        assert!(is_active(&range, &zone, MONDAY));
        assert_eq!(
            changes(&range, &zone, MONDAY, MONDAY + WEEK_SECS + DAY_SECS),
            [(MONDAY + 6 * HOUR, false), (friday, true), (monday, false)]
        );
    }

    #[test]
    fn an_hour_that_comes_twice_counts_twice() {
        // 2026-10-25: from 3:00 CEST back to 2:00 CET, at 01:00 UTC.
        let back = MONDAY - 29 * DAY_SECS + HOUR;
        let range = periodic(Days::DAILY, at(2, 15), None, at(2, 45));
        assert_eq!(
            changes(&range, &cet(), back - 3 * HOUR, back + 3 * HOUR),
            [
                (back - 45 * 60, true),
                (back - 15 * 60, false),
                (back + 15 * 60, true),
                (back + 45 * 60, false),
            ]
        );
    }

    #[test]
    fn an_hour_that_is_left_out_takes_the_period_along() {
        // 2027-03-28: from 2:00 CET to 3:00 CEST, at 01:00 UTC.
        let forth = MONDAY + 125 * DAY_SECS + HOUR;
        let range = periodic(Days::DAILY, at(2, 15), None, at(2, 45));
        assert_eq!(
            changes(&range, &cet(), forth - 3 * HOUR, forth + 3 * HOUR),
            []
        );
        let range = periodic(Days::DAILY, at(2, 15), None, at(3, 15));
        assert_eq!(
            changes(&range, &cet(), forth - 3 * HOUR, forth + 3 * HOUR),
            [(forth, true), (forth + 15 * 60, false)]
        );
    }

    #[test]
    fn the_absolute_part_bounds_the_periods() {
        let dated = |day, hour, minute| DatedMoment {
            year: 2026,
            month: 11,
            day,
            hour,
            minute,
        };
        let mut range = periodic(Days::DAILY, at(8, 0), None, at(10, 0));
        range.absolute = Some(AbsoluteTime {
            start: Some(dated(23, 9, 0)),
            end: Some(dated(24, 9, 30)),
        });
        let zone = ZoneRules::default();
        assert_eq!(
            changes(&range, &zone, MONDAY, MONDAY + WEEK_SECS),
            [
                (MONDAY + 9 * HOUR, true),
                (MONDAY + 10 * HOUR, false),
                (MONDAY + DAY_SECS + 8 * HOUR, true),
                (MONDAY + DAY_SECS + 9 * HOUR + 1800, false),
            ]
        );
        range.periods.clear();
        range.absolute = Some(AbsoluteTime {
            start: None,
            end: Some(dated(23, 23, 59)),
        });
        assert_eq!(
            changes(&range, &zone, MONDAY, MONDAY + WEEK_SECS),
            [(MONDAY + DAY_SECS, false)]
        );
        assert_eq!(next_edge(&range, &zone, MONDAY + DAY_SECS), None);
        assert!(is_active(&TimeRange::default(), &zone, MONDAY));
    }

    #[test]
    fn states_hold_until_the_next_edge_or_until_the_clock_is_set() {
        let mut config = Config::factory(0);
        let zone = ZoneRules::default();
        let judge = |config: &Config, unix_secs| {
            let schedule = Schedule::new(
                config,
                Moment {
                    unix_secs,
                    zone: &zone,
                },
            );
            (schedule.state("T"), schedule.validity)
        };
        assert_eq!(judge(&config, Some(MONDAY)).1, Validity::Always);
        let range = periodic(Days::DAILY, at(8, 0), None, at(10, 0));
        config.time_ranges.insert("T".into(), range);
        let (state, validity) = judge(&config, None);
        assert_eq!(
            (state, validity),
            (RangeState::Unknown, Validity::ClockUnset)
        );
        assert!(!validity.is_over(None) && validity.is_over(Some(MONDAY)));
        let (state, validity) = judge(&config, Some(MONDAY));
        assert_eq!(state, RangeState::Inactive);
        let edge = MONDAY + 8 * HOUR;
        assert_eq!(validity.until(), Some(edge));
        for (now, is_over) in [
            (MONDAY - 1, true),
            (MONDAY, false),
            (edge - 1, false),
            (edge, true),
        ] {
            assert_eq!(validity.is_over(Some(now)), is_over, "{now}");
        }
    }
}

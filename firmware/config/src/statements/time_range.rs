//! `time-range`: when rules are in force.

use super::family::Family;
use super::{Change, invalid, row, small, unused, usage, word};
use crate::mode::{GLOBAL, Mode, TIME_RANGE as IN_RANGE};
use crate::model::{AbsoluteTime, Config, DatedMoment, DayTime, Days, Period, TimeRange};
use crate::names;
use crate::print;
use crate::refusal::{Notice, Refusal, Thing};
use alloc::string::String;
use cli::grammar::{Captures, No};

/// Periodic lines that one range holds at most.
const PERIODS_MAX: usize = 32;

pub(super) const TIME_RANGE: Family = Family {
    keyword: "time-range",
    help: "Time ranges",
    narrow: "[<name>]",
    rows: &[
        row(
            GLOBAL,
            "time-range <name:word(64)>",
            No::Same,
            &[
                ("time-range", "Configure when rules are in force"),
                ("name", "Name of up to 64 characters"),
            ],
            enter,
        )
        .example("time-range OFFICE-HOURS"),
        row(
            IN_RANGE,
            "absolute [start { <time:time> <day:1-31> <month> <year:1993-2099> }@start] \
             [end { <time:time> <day:1-31> <month> <year:1993-2099> }@end]",
            No::Syntax("absolute [<rest:text>]"),
            &[
                ("absolute", "Once, from one moment to another"),
                ("start", "The first minute"),
                ("end", "The first minute after it; 23:59 is the end of the day"),
                ("time", "Time of day"),
                ("day", "Day of the month"),
                ("month", "Month"),
                ("year", "Year"),
                ("rest", "The moments to remove"),
            ],
            absolute,
        )
        .example("absolute start 8:00 1 January 2027 end 18:00 30 June 2027"),
        row(
            IN_RANGE,
            "periodic { daily | weekdays | weekend | { monday | tuesday | wednesday | thursday \
             | friday | saturday | sunday }+ }@from <start:time> to [{ monday | tuesday | wednesday \
             | thursday | friday | saturday | sunday }@until] <end:time>",
            No::Same,
            &[
                ("periodic", "Every week"),
                ("daily", "Every day"),
                ("weekdays", "Monday to Friday"),
                ("weekend", "Saturday and Sunday"),
                ("monday", "Monday"),
                ("tuesday", "Tuesday"),
                ("wednesday", "Wednesday"),
                ("thursday", "Thursday"),
                ("friday", "Friday"),
                ("saturday", "Saturday"),
                ("sunday", "Sunday"),
                ("start", "The first minute"),
                ("to", "The end"),
                ("end", "The first minute after it; 23:59 is the end of the day"),
            ],
            periodic,
        )
        .example("periodic weekdays 8:00 to 18:00"),
    ],
    print: print::time_range::ranges,
    clear: Some(clear),
    clear_narrow: "[<name>]",
    ..Family::EMPTY
};

fn enter(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if captures.negated() {
        if !change.config.time_ranges.contains_key(name) {
            return Err(Refusal::Missing(Thing::TimeRange, name.into()));
        }
        is_free(change.config, name)?;
        let removed = change.config.time_ranges.remove(name);
        return change.outcome.removed(removed);
    }
    let ranges = &mut change.config.time_ranges;
    change.outcome.changed |= ranges.make(name, TimeRange::default);
    change.enter(Mode::TimeRange(name.into()));
    Ok(())
}

/// Refuses if a rule has the range.
fn is_free(config: &Config, name: &str) -> Result<(), Refusal> {
    match usage::has_time_range(config, name) {
        true => Err(Refusal::InUse {
            thing: Thing::TimeRange,
            name: name.into(),
            by: "access-list",
        }),
        false => Ok(()),
    }
}

/// The name of the range being configured, and the range.
fn current<'a>(change: &'a mut Change<'_>) -> Result<(String, &'a mut TimeRange), Refusal> {
    let Mode::TimeRange(name) = &change.state.mode else {
        return Err(Refusal::Invalid { offset: 0 });
    };
    let range = change.config.time_ranges.get_mut(name);
    Ok((name.clone(), range.ok_or(Refusal::Invalid { offset: 0 })?))
}

fn absolute(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let wanted = if captures.negated() {
        None
    } else {
        let moment = |label| {
            let captures = captures.group(label);
            match captures.is_empty() {
                true => Ok(None),
                false => dated(&captures).map(Some),
            }
        };
        let (start, end) = (moment("start")?, moment("end")?);
        let order = |moment: DatedMoment| {
            let DatedMoment {
                year,
                month,
                day,
                hour,
                minute,
            } = moment;
            (year, month, day, hour, minute)
        };
        match (start, end) {
            (None, None) => return Err(Refusal::Invalid { offset: 0 }),
            (Some(start), Some(end)) if order(start) >= order(end) => {
                return Err(Refusal::BadRange);
            }
            _ => Some(AbsoluteTime { start, end }),
        }
    };
    let (_, range) = current(change)?;
    if captures.negated() && range.absolute.is_none() {
        return Err(Refusal::NothingToRemove);
    }
    let is_new = range.absolute != wanted;
    range.absolute = wanted;
    change.outcome.changed |= is_new;
    Ok(())
}

fn periodic(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let from = captures.group("from");
    let days = match from.first_keyword() {
        Some("daily") => Days::DAILY,
        Some("weekdays") => Days::WEEKDAYS,
        Some("weekend") => Days::WEEKEND,
        _ => Days::of(from.keywords().filter_map(names::parse_weekday)),
    };
    let until = captures.group("until");
    let period = Period {
        days,
        start: day_time(captures, "start")?,
        end_day: until.first_keyword().and_then(names::parse_weekday),
        end: day_time(captures, "end")?,
    };
    let is_one_day = days.iter().nth(1).is_none();
    match period.end_day {
        Some(_) if !is_one_day => {
            return Err(Refusal::Combination("Several days", "a day of the end"));
        }
        // Over night or over a week's end is said with the day of the end.
        None if period.start >= period.end => return Err(Refusal::BadRange),
        Some(day) if days == Days::of([day].into_iter()) && period.start == period.end => {
            return Err(Refusal::BadRange);
        }
        _ => {}
    }
    let (name, range) = current(change)?;
    let at = range.periods.iter().position(|present| *present == period);
    match (captures.negated(), at) {
        (true, None) => return Err(Refusal::NothingToRemove),
        (true, Some(at)) => {
            range.periods.remove(at);
        }
        (false, Some(_)) => {
            change.notice(Notice::Duplicate(name));
            return Ok(());
        }
        (false, None) if range.periods.len() >= PERIODS_MAX => {
            return Err(Refusal::TooMany("periodic lines", PERIODS_MAX));
        }
        (false, None) => range.periods.push(period),
    }
    change.outcome.changed = true;
    Ok(())
}

fn day_time(captures: &Captures<'_>, name: &str) -> Result<DayTime, Refusal> {
    let time = captures.time(name);
    let time = time.filter(|time| time.hours < 24 && time.seconds == 0);
    let time = time.ok_or_else(|| invalid(captures, name))?;
    Ok(DayTime {
        hour: u8::try_from(time.hours).map_err(|_| invalid(captures, name))?,
        minute: time.minutes,
    })
}

fn dated(captures: &Captures<'_>) -> Result<DatedMoment, Refusal> {
    let DayTime { hour, minute } = day_time(captures, "time")?;
    let month = names::parse_month(word(captures, "month")?);
    let moment = DatedMoment {
        year: small(captures, "year")?,
        month: month.ok_or_else(|| invalid(captures, "month"))?,
        day: small(captures, "day")?,
        hour,
        minute,
    };
    if moment.day > names::days_of_month(moment.year, moment.month) {
        return Err(invalid(captures, "day"));
    }
    Ok(moment)
}

/// Removes the range `only`, or all of them.
fn clear(change: &mut Change<'_>, only: Option<&str>) -> Result<(), Refusal> {
    let config = &mut *change.config;
    if let Some(name) = only
        && !config.time_ranges.contains_key(name)
    {
        return Err(Refusal::Missing(Thing::TimeRange, name.into()));
    }
    let chosen = |name: &str| only.is_none_or(|only| only == name);
    let used = config
        .time_ranges
        .keys()
        .find(|name| chosen(name) && usage::has_time_range(config, name));
    unused(Thing::TimeRange, used, "access-list")?;
    let before = config.time_ranges.len();
    config.time_ranges.retain(|name, _| !chosen(name));
    change.outcome.changed |= config.time_ranges.len() != before;
    Ok(())
}

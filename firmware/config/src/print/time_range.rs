//! Time ranges as text.

use super::Page;
use crate::model::{AbsoluteTime, Config, DatedMoment, DayTime, Days, Period, TimeRange};
use crate::names;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(crate) fn ranges(page: &mut Page<'_>, config: &Config) {
    for (name, range) in &config.time_ranges {
        page.block("", &[name]);
        page.line(format!("time-range {name}"));
        for line in time_range(range) {
            page.line(format!(" {line}"));
        }
    }
}

/// The lines of a time range.
#[must_use]
pub fn time_range(range: &TimeRange) -> Vec<String> {
    let absolute = range.absolute.map(absolute);
    let periods = range.periods.iter().map(|period| periodic(*period));
    absolute.into_iter().chain(periods).collect()
}

fn absolute(time: AbsoluteTime) -> String {
    let mut text = String::from("absolute");
    for (word, moment) in [("start", time.start), ("end", time.end)] {
        if let Some(moment) = moment {
            let DatedMoment {
                year,
                month,
                day,
                hour,
                minute,
            } = moment;
            let month = names::month(month);
            text.push_str(&format!(
                " {word} {hour:02}:{minute:02} {day:02} {month} {year}"
            ));
        }
    }
    text
}

fn periodic(period: Period) -> String {
    let days = match period.days {
        Days::DAILY => "daily".to_string(),
        Days::WEEKDAYS => "weekdays".to_string(),
        Days::WEEKEND => "weekend".to_string(),
        days => {
            let days: Vec<_> = days.iter().map(names::weekday).collect();
            days.join(" ")
        }
    };
    let end_day = period
        .end_day
        .map(|day| format!("{} ", names::weekday(day)));
    let time = |DayTime { hour, minute }| format!("{hour}:{minute:02}");
    format!(
        "periodic {days} {} to {}{}",
        time(period.start),
        end_day.unwrap_or_default(),
        time(period.end)
    )
}

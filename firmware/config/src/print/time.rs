//! Zone, summer time and time servers as text.

use super::{MASK, Page};
use crate::model::{Config, SummerRule, Week, YearlyMoment};
use crate::names;
use alloc::format;
use alloc::string::{String, ToString};

pub(crate) fn clock(page: &mut Page<'_>, config: &Config) {
    if let Some(zone) = &config.clock.timezone {
        let sign = if zone.offset_mins < 0 { "-" } else { "" };
        let minutes = zone.offset_mins.unsigned_abs();
        let tail = if minutes % 60 == 0 {
            String::new()
        } else {
            format!(" {}", minutes % 60)
        };
        page.line(format!(
            "clock timezone {} {sign}{}{tail}",
            zone.name,
            minutes / 60
        ));
    } else {
        page.unless_default(true, "no clock timezone");
    }
    if let Some(summer) = &config.clock.summer_time {
        let offset = if summer.offset_mins == 60 {
            String::new()
        } else {
            format!(" {}", summer.offset_mins)
        };
        page.line(format!(
            "clock summer-time {} {}{offset}",
            summer.name,
            summer_rule(summer.rule)
        ));
    } else {
        page.unless_default(true, "no clock summer-time");
    }
}

pub(crate) fn ntp(page: &mut Page<'_>, config: &Config) {
    for (id, key) in &config.ntp.keys {
        let secret = if page.shows_secrets() {
            key.secret.as_str()
        } else {
            MASK
        };
        page.line(format!(
            "ntp authentication-key {id} {} {secret}",
            key.algorithm.keyword()
        ));
    }
    page.switch(0, "ntp authenticate", config.ntp.authenticate, false);
    for id in &config.ntp.trusted_keys {
        page.line(format!("ntp trusted-key {id}"));
    }
    for (address, server) in &config.ntp.servers {
        let mut line = format!("ntp server {address}");
        if let Some(key) = server.key {
            line.push_str(&format!(" key {key}"));
        }
        if let Some(source) = &server.source {
            line.push_str(&format!(" source {source}"));
        }
        if server.prefer {
            line.push_str(" prefer");
        }
        page.line(line);
    }
}

fn summer_rule(rule: SummerRule) -> String {
    let yearly = |moment: YearlyMoment| {
        let week = match moment.week {
            Week::First => "first".to_string(),
            Week::Nth(number) => number.to_string(),
            Week::Last => "last".to_string(),
        };
        let weekday = names::WEEKDAYS
            .get(usize::from(moment.weekday))
            .copied()
            .unwrap_or("Sun");
        format!(
            "{week} {weekday} {} {}:{:02}",
            month(moment.month),
            moment.hour,
            moment.minute
        )
    };
    match rule {
        SummerRule::Recurring { .. } if rule == SummerRule::DEFAULT => "recurring".into(),
        SummerRule::Recurring { start, end } => {
            format!("recurring {} {}", yearly(start), yearly(end))
        }
        SummerRule::Date { start, end } => {
            let [start, end] = [start, end].map(|moment| {
                let (day, month) = (moment.day, month(moment.month));
                format!(
                    "{month} {day} {} {}:{:02}",
                    moment.year, moment.hour, moment.minute
                )
            });
            format!("date {start} {end}")
        }
    }
}

fn month(number: u8) -> &'static str {
    names::MONTHS
        .get(usize::from(number).wrapping_sub(1))
        .copied()
        .unwrap_or("Jan")
}

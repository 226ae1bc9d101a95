//! Joins the configured time zone to the clock's rules.

use clock::zone::{RecurringDay, SummerRule, SummerTime, TimeZone, Week, ZoneName, ZoneRules};
use clock::{Civil, Month, Weekday};
use config::model::{ClockSettings, DatedMoment, YearlyMoment};

/// 1970-01-01, day 0 of the calendar, was a Thursday.
pub(crate) const WEEKDAY_OF_DAY_ZERO: i64 = 4;

/// The rules of `clock timezone` and `clock summer-time`.
///
/// The configuration was checked when it was typed; what the clock cannot hold all the same falls
/// back to UTC without summer time.
pub(crate) fn rules(settings: &ClockSettings) -> ZoneRules {
    let standard = settings
        .timezone
        .as_ref()
        .and_then(|zone| {
            Some(TimeZone {
                name: name(&zone.name)?,
                offset_minutes: zone.offset_mins,
            })
        })
        .unwrap_or_default();
    let summer = settings.summer_time.as_ref().and_then(|summer| {
        let rule = match summer.rule {
            config::model::SummerRule::Recurring { start, end } => SummerRule::Recurring {
                start: recurring(start)?,
                end: recurring(end)?,
            },
            config::model::SummerRule::Date { start, end } => SummerRule::Date {
                start: dated(start)?,
                end: dated(end)?,
            },
        };
        Some(SummerTime {
            name: name(&summer.name)?,
            rule,
            offset_minutes: summer.offset_mins,
        })
    });
    ZoneRules { standard, summer }
}

fn name(text: &str) -> Option<ZoneName> {
    ZoneName::try_from(text).ok()
}

fn recurring(moment: YearlyMoment) -> Option<RecurringDay> {
    use config::model::Week as Typed;
    let week = match moment.week {
        Typed::First | Typed::Nth(1) => Week::First,
        Typed::Nth(2) => Week::Second,
        Typed::Nth(3) => Week::Third,
        Typed::Nth(_) => Week::Fourth,
        Typed::Last => Week::Last,
    };
    Some(RecurringDay {
        week,
        weekday: Weekday::of_day(i64::from(moment.weekday) - WEEKDAY_OF_DAY_ZERO),
        month: Month::from_number(moment.month)?,
        hour: moment.hour,
        minute: moment.minute,
    })
}

fn dated(moment: DatedMoment) -> Option<Civil> {
    let month = Month::from_number(moment.month)?;
    Civil::new(
        i32::from(moment.year),
        month,
        moment.day,
        moment.hour,
        moment.minute,
        0,
    )
    .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::model::{
        SummerRule as TypedRule, SummerTime as TypedSummer, TimeZone as TypedZone,
    };

    #[test]
    fn central_european_time_changes_on_the_last_sundays() {
        let moment = |month| YearlyMoment {
            week: config::model::Week::Last,
            weekday: 0,
            month,
            hour: 2 + u8::from(month == 10),
            minute: 0,
        };
        let rules = rules(&ClockSettings {
            timezone: Some(TypedZone {
                name: "CET".into(),
                offset_mins: 60,
            }),
            summer_time: Some(TypedSummer {
                name: "CEST".into(),
                rule: TypedRule::Recurring {
                    start: moment(3),
                    end: moment(10),
                },
                offset_mins: 60,
            }),
        });
        // 2022-03-27T01:00:00Z and the second before.
        assert_eq!(rules.local(1_648_342_799).zone, "CET");
        assert_eq!(rules.local(1_648_342_800).zone, "CEST");
        // 2022-10-30T01:00:00Z.
        assert_eq!(rules.local(1_667_091_599).zone, "CEST");
        assert_eq!(rules.local(1_667_091_600).zone, "CET");
    }
}

//! Tests of the whole crate; the calendar is checked against jiff, an independent implementation.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hal::time::Instant;
use proptest::prelude::*;

use crate::CivilError;
use crate::civil::{Civil, Month, Weekday};
use crate::format::{CertificateDate, ClockDetail, ClockLine};
use crate::parse::{ParseError, parse_set, parse_summer_time, parse_time_zone};
use crate::wall::{SetError, TimeSource, WallClock};
use crate::zone::{SummerRule, ZoneRules};

/// Central European time by today's rule.
fn central_europe() -> ZoneRules {
    ZoneRules {
        standard: parse_time_zone(&["CET", "1"]).expect("a zone"),
        summer: Some(
            parse_summer_time(&words("CEST recurring last Sun Mar 2:00 last Sun Oct 3:00"))
                .expect("a rule"),
        ),
    }
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

fn utc(year: i32, month: Month, day: u8, hour: u8, minute: u8, second: u8) -> i64 {
    Civil::new(year, month, day, hour, minute, second)
        .expect("a date")
        .to_unix()
}

#[test]
fn a_clock_line_reads_as_asa_prints_it() {
    let rules = central_europe();
    let unix_secs = utc(2021, Month::November, 23, 18, 7, 10);
    let unix_micros = unix_secs * 1_000_000 + 431_999;
    assert_eq!(
        ClockLine {
            rules: &rules,
            unix_micros
        }
        .to_string(),
        "19:07:10.431 CET Tue Nov 23 2021"
    );
    assert_eq!(
        ClockDetail {
            rules: &rules,
            unix_micros,
            source: TimeSource::Ntp
        }
        .to_string(),
        "19:07:10.431 CET Tue Nov 23 2021\n\
         Time source is NTP\n\
         Summer time starts 02:00:00 CET Sun Mar 27 2022\n\
         Summer time ends 03:00:00 CEST Sun Oct 30 2022\n"
    );
    assert_eq!(
        CertificateDate {
            rules: &rules,
            unix_secs: utc(2021, Month::November, 1, 9, 0, 0)
        }
        .to_string(),
        "10:00:00 CET Nov 1 2021"
    );
}

#[test]
fn detail_names_the_period_in_force_during_summer() {
    let rules = central_europe();
    let detail = ClockDetail {
        rules: &rules,
        unix_micros: utc(2022, Month::July, 1, 0, 0, 0) * 1_000_000,
        source: TimeSource::HardwareCalendar,
    }
    .to_string();
    assert!(detail.contains("02:00:00.000 CEST Fri Jul 1 2022"));
    assert!(detail.contains("Time source is hardware calendar"));
    assert!(detail.contains("starts 02:00:00 CET Sun Mar 27 2022"));
}

#[test]
fn no_summer_time_means_no_summer_lines() {
    let detail = ClockDetail {
        rules: &ZoneRules::default(),
        unix_micros: 0,
        source: TimeSource::Unset,
    }
    .to_string();
    assert_eq!(detail, "00:00:00.000 UTC Thu Jan 1 1970\nNo time source\n");
}

#[test]
fn summer_time_begins_and_ends_on_its_second() {
    let rules = central_europe();
    let start = utc(2022, Month::March, 27, 1, 0, 0);
    let end = utc(2022, Month::October, 30, 1, 0, 0);
    assert!(!rules.is_summer(start - 1));
    assert!(rules.is_summer(start));
    assert!(rules.is_summer(end - 1));
    assert!(!rules.is_summer(end));
    assert_eq!(rules.local(start).civil.hour, 3);
    assert_eq!(rules.local(end).civil.hour, 2);
}

#[test]
fn an_hour_that_happens_twice_means_the_first_time() {
    let rules = central_europe();
    let twice = Civil::new(2022, Month::October, 30, 2, 30, 0).expect("a date");
    assert_eq!(
        rules.to_unix(twice),
        utc(2022, Month::October, 30, 0, 30, 0)
    );
    let skipped = Civil::new(2022, Month::March, 27, 2, 30, 0).expect("a date");
    let shown = rules.local(rules.to_unix(skipped));
    assert_eq!((shown.civil.hour, shown.civil.minute), (3, 30));
}

#[test]
fn southern_summer_spans_the_new_year() {
    let rules = ZoneRules {
        standard: parse_time_zone(&["AEST", "10"]).expect("a zone"),
        summer: Some(
            parse_summer_time(&words(
                "AEDT recurring first Sun Oct 2:00 first Sun Apr 3:00",
            ))
            .expect("a rule"),
        ),
    };
    assert!(rules.is_summer(utc(2021, Month::December, 31, 23, 0, 0)));
    assert!(rules.is_summer(utc(2022, Month::January, 1, 1, 0, 0)));
    assert!(!rules.is_summer(utc(2022, Month::July, 1, 0, 0, 0)));
    let period = rules
        .summer_period(utc(2022, Month::July, 1, 0, 0, 0))
        .expect("a period");
    assert_eq!(
        rules.local_standard(period.start).civil.month,
        Month::October
    );
    assert_eq!(rules.local_summer(period.end).civil.year, 2023);
}

#[test]
fn a_dated_summer_time_is_over_for_good() {
    let line = "CEST date Mar 27 2022 2:00 Oct 30 2022 3:00";
    let rules = ZoneRules {
        standard: parse_time_zone(&["CET", "1"]).expect("a zone"),
        summer: Some(parse_summer_time(&words(line)).expect("a rule")),
    };
    assert!(rules.is_summer(utc(2022, Month::July, 1, 0, 0, 0)));
    assert!(!rules.is_summer(utc(2023, Month::July, 1, 0, 0, 0)));
    assert_eq!(
        rules.summer_period(utc(2023, Month::July, 1, 0, 0, 0)),
        None
    );
    assert_eq!(
        rules.summer.as_ref().map(ToString::to_string).as_deref(),
        Some(line)
    );
}

#[test]
fn printed_arguments_parse_to_what_was_printed() {
    for line in ["CET 1", "NST -3 30", "UTC 0", "IST 5 30", "X -0"] {
        let zone = parse_time_zone(&words(line)).expect("a zone");
        let printed = zone.to_string();
        assert_eq!(parse_time_zone(&words(&printed)), Ok(zone));
    }
    for line in [
        "CEST recurring last Sun Mar 2:00 last Sun Oct 2:00",
        "EDT recurring",
        "EDT recurring 30",
        "LHDT recurring 1 Sun Oct 2:00 1 Sun Apr 2:00 30",
        "CEST date 27 March 2022 02:00 30 October 2022 03:00 120",
    ] {
        let summer = parse_summer_time(&words(line)).expect("a rule");
        let printed = summer.to_string();
        assert_eq!(parse_summer_time(&words(&printed)), Ok(summer), "{line}");
    }
    assert_eq!(
        parse_summer_time(&["EDT", "recurring"]).map(|summer| summer.rule),
        Ok(SummerRule::UNITED_STATES)
    );
}

#[test]
fn clock_set_takes_month_and_day_in_either_order() {
    let expected = Civil::new(2021, Month::November, 23, 13, 32, 0);
    let expected = expected.map_err(ParseError::NoSuchDate);
    assert_eq!(parse_set(&words("13:32:00 nov 23 2021")), expected);
    assert_eq!(parse_set(&words("13:32:00 23 November 2021")), expected);
}

#[test]
fn wrong_words_are_named_by_their_place() {
    for (line, error) in [
        ("13:32:00 nov 23", ParseError::Incomplete),
        ("25:00:00 nov 23 2021", ParseError::Invalid(0)),
        ("13:32 nov 23 2021", ParseError::Invalid(0)),
        ("13:32:00 no 23 2021", ParseError::Invalid(1)),
        ("13:32:00 nov 32 2021", ParseError::Invalid(2)),
        ("13:32:00 nov 23 1992", ParseError::Invalid(3)),
        ("13:32:00 nov 23 2021 x", ParseError::TooMany(4)),
        (
            "13:32:00 feb 29 2021",
            ParseError::NoSuchDate(CivilError::NoSuchDay),
        ),
    ] {
        assert_eq!(parse_set(&words(line)), Err(error), "{line}");
    }
    assert_eq!(parse_time_zone(&["CET", "24"]), Err(ParseError::Invalid(1)));
    assert_eq!(parse_time_zone(&["1CET", "1"]), Err(ParseError::Invalid(0)));
    assert_eq!(
        parse_summer_time(&words("CEST recurring last Sun Mar")),
        Err(ParseError::Incomplete)
    );
}

#[test]
fn a_clock_that_was_never_set_tells_no_reader_a_time() {
    let clock = WallClock::new();
    let reader = clock.reader();
    clock.publish(Instant::from_secs(50));
    assert_eq!(reader.unix_secs(), None);
}

#[test]
fn readers_see_what_was_published() {
    let mut clock = WallClock::new();
    let reader = clock.reader();
    let then = utc(2021, Month::November, 23, 18, 7, 10) as u64;
    clock
        .set(
            then * 1_000_000,
            TimeSource::HardwareCalendar,
            Instant::from_secs(3),
        )
        .expect("plausible");
    assert_eq!(reader.unix_secs(), Some(then));
    clock.publish(Instant::from_secs(10));
    assert_eq!(reader.unix_secs(), Some(then + 7));
    assert_eq!(
        clock.unix_micros(Instant::from_secs(4)),
        (then + 1) * 1_000_000
    );
}

#[test]
fn a_calendar_chip_that_lost_its_battery_is_not_believed() {
    let mut clock = WallClock::new();
    let y2k = utc(2000, Month::January, 1, 0, 0, 0) as u64 * 1_000_000;
    let now = Instant::from_secs(1);
    assert_eq!(
        clock.set(y2k, TimeSource::HardwareCalendar, now),
        Err(SetError::TooEarly)
    );
    assert!(!clock.is_set());
    assert_eq!(clock.set(y2k, TimeSource::UserConfiguration, now), Ok(()));
    assert_eq!(clock.source(), TimeSource::UserConfiguration);
    let far = utc(2100, Month::January, 1, 0, 0, 0) as u64 * 1_000_000;
    assert_eq!(
        clock.set(far, TimeSource::UserConfiguration, now),
        Err(SetError::TooLate)
    );
}

fn jiff_civil(unix_secs: i64, zone: &jiff::tz::TimeZone) -> (Civil, String) {
    let zoned = jiff::Timestamp::from_second(unix_secs)
        .expect("in range")
        .to_zoned(zone.clone());
    let civil = Civil {
        year: i32::from(zoned.year()),
        month: Month::from_number(zoned.month() as u8).expect("a month"),
        day: zoned.day() as u8,
        hour: zoned.hour() as u8,
        minute: zoned.minute() as u8,
        second: zoned.second() as u8,
    };
    let info = zone.to_offset_info(zoned.timestamp());
    (civil, info.abbreviation().to_string())
}

/// The years that jiff holds, well inside.
const JIFF_SECS: core::ops::Range<i64> = -300_000_000_000..250_000_000_000;

/// 1980 to 2100.
const OUR_SECS: core::ops::Range<i64> = 315_532_800..4_102_444_800;

proptest! {
    #[test]
    fn dates_agree_with_jiff(unix_secs in JIFF_SECS) {
        let (expected, _) = jiff_civil(unix_secs, &jiff::tz::TimeZone::UTC);
        let civil = Civil::from_unix(unix_secs);
        prop_assert_eq!(civil, expected);
        prop_assert_eq!(civil.to_unix(), unix_secs);
        let date = jiff::civil::date(
            civil.year as i16,
            civil.month.number() as i8,
            civil.day as i8,
        );
        let weekday = date.weekday().to_sunday_zero_offset();
        prop_assert_eq!(civil.weekday(), Weekday::ALL[weekday as usize]);
    }

    #[test]
    fn every_moment_has_a_date(unix_secs in any::<i64>()) {
        let civil = Civil::from_unix(unix_secs);
        prop_assert!(Civil::new(
            civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
        ).is_ok());
    }

    #[test]
    fn local_time_agrees_with_jiff(unix_secs in OUR_SECS) {
        for (rules, posix) in [
            (central_europe(), "CET-1CEST,M3.5.0/2,M10.5.0/3"),
            (
                ZoneRules {
                    standard: parse_time_zone(&["EST", "-5"]).expect("a zone"),
                    summer: Some(parse_summer_time(&["EDT", "recurring"]).expect("a rule")),
                },
                "EST5EDT,M3.2.0/2,M11.1.0/2",
            ),
            (
                ZoneRules {
                    standard: parse_time_zone(&["LHST", "10", "30"]).expect("a zone"),
                    summer: Some(parse_summer_time(&words(
                        "LHDT recurring 1 Sun Oct 2:00 1 Sun Apr 2:00 30",
                    )).expect("a rule")),
                },
                "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
            ),
        ] {
            let zone = jiff::tz::TimeZone::posix(posix).expect("a POSIX zone");
            let (civil, name) = jiff_civil(unix_secs, &zone);
            let local = rules.local(unix_secs);
            prop_assert_eq!(local.civil, civil);
            prop_assert_eq!(local.zone, name);
            // Back again, but for the second pass of the hour that happens twice.
            let back = rules.to_unix(local.civil);
            prop_assert!(back == unix_secs || (!local.is_summer && back < unix_secs));
            prop_assert_eq!(rules.local(back).civil, local.civil);
        }
    }

    #[test]
    fn parsing_never_panics(line in "[a-zA-Z0-9:+\\- \u{e9}]{0,60}") {
        let words = words(&line);
        let _ = parse_set(&words);
        let _ = parse_time_zone(&words);
        let _ = parse_summer_time(&words);
    }
}

#[test]
fn dates_of_logged_messages_have_fixed_widths() {
    use crate::format::{LogDate, UtcDate};
    let rules = ZoneRules {
        standard: crate::parse_time_zone(&["CET", "1"]).unwrap(),
        summer: None,
    };
    // 2021-11-03T23:25:10Z.
    let unix_secs = 1_635_981_910;
    assert_eq!(
        LogDate {
            rules: &rules,
            unix_secs
        }
        .to_string(),
        "Nov 04 2021 00:25:10"
    );
    assert_eq!(UtcDate { unix_secs }.to_string(), "2021-11-03T23:25:10Z");
}

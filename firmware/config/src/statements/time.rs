//! What time it is: zone, summer time, time servers.

use super::family::Family;
use super::{Change, invalid, number, row, small, word};
use crate::mode::GLOBAL;
use crate::model::{
    DatedMoment, NtpAlgorithm, NtpKey, NtpServer, SummerRule, SummerTime, TimeZone, Week,
    YearlyMoment,
};
use crate::names;
use crate::print;
use crate::refusal::{Notice, Refusal};
use cli::grammar::{Captures, No, Value};

pub(super) const CLOCK: Family = Family {
    keyword: "clock",
    help: "Time zone and summer time",
    rows: &[
        row(
            GLOBAL,
            "clock timezone <zone:word(7)> <hours> [<minutes:0-59>]",
            No::Syntax("clock timezone [<zone>] [<hours>] [<minutes:0-59>]"),
            &[
                ("clock", "Configure time-of-day clock"),
                ("timezone", "Configure time zone"),
                ("zone", "Name of the time zone"),
                ("hours", "Hours east of UTC, -23 to 23"),
                ("minutes", "Minutes added to the hours"),
            ],
            timezone,
        )
        .example("clock timezone CET 1"),
        row(
            GLOBAL,
            "clock summer-time <zone:word(7)> { recurring [{ \
         { first | last | <week:1-4> } <weekday> <month> <time:time> }@start { \
         { first | last | <week:1-4> } <weekday> <month> <time:time> }@end] \
         | date { { <day:1-31> <month> | <month> <day:1-31> } <year:1993-2099> <time:time> }@start \
         { { <day:1-31> <month> | <month> <day:1-31> } <year:1993-2099> <time:time> }@end } \
         [<offset:1-1440>]",
            No::Syntax("clock summer-time [<zone>] [<rule:text>]"),
            &[
                ("summer-time", "Configure summer (daylight savings) time"),
                ("recurring", "Summer time every year"),
                ("date", "Summer time once, on given dates"),
                ("first", "First week of the month"),
                ("last", "Last week of the month"),
                ("week", "Week of the month"),
                ("weekday", "Day of the week"),
                ("month", "Month"),
                ("day", "Day of the month"),
                ("year", "Year"),
                ("time", "Time of day"),
                ("offset", "Minutes the clock is put forward"),
                ("rule", "The rule to remove"),
            ],
            summer_time,
        )
        .example("clock summer-time CEST recurring last Sun Mar 2:00 last Sun Oct 3:00"),
    ],
    print: print::time::clock,
    clear: Some(clear_clock),
    ..Family::EMPTY
};

pub(super) const NTP: Family = Family {
    keyword: "ntp",
    help: "Time servers",
    rows: &[
        row(
        GLOBAL,
        "ntp server <server:ip> { key <key:1-4294967295> | source <interface> | prefer }*",
        No::Same,
        &[
            ("ntp", "Configure NTP"),
            ("server", "Configure an NTP server"),
            ("key", "Authentication key"),
            ("source", "Interface for the source address"),
            ("interface", "Name of interface"),
            ("prefer", "Prefer this server when possible"),
        ],
        ntp_server,
    ).example("ntp server 192.0.2.7 key 1 source inside prefer"),
        row(
        GLOBAL,
        "ntp authenticate",
        No::Same,
        &[("authenticate", "Accept authenticated servers only")],
        ntp_authenticate,
    ).example("ntp authenticate"),
        row(
        GLOBAL,
        "ntp authentication-key <key:1-4294967295> { md5 | sha1 | sha256 | sha512 | cmac } <secret>",
        No::Syntax(
            "ntp authentication-key <key:1-4294967295> \
             [{ md5 | sha1 | sha256 | sha512 | cmac }] [<secret>]",
        ),
        &[
            ("authentication-key", "A key shared with servers"),
            ("md5", "MD5"),
            ("sha1", "SHA-1"),
            ("sha256", "SHA-256"),
            ("sha512", "SHA-512"),
            ("cmac", "AES-CMAC"),
            ("secret", "The key"),
        ],
        ntp_key,
    ).example("ntp authentication-key 1 sha256 S3cret"),
        row(
        GLOBAL,
        "ntp trusted-key <key:1-4294967295>",
        No::Same,
        &[("trusted-key", "A key that proves a trusted server")],
        ntp_trusted_key,
    ).example("ntp trusted-key 1"),
    ],
    print: print::time::ntp,
    clear: Some(clear_ntp),
    ..Family::EMPTY
};

fn timezone(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    if captures.negated() {
        change.outcome.set(&mut change.config.clock.timezone, None);
        return Ok(());
    }
    let hours = word(captures, "hours")?;
    let (sign, digits) = match hours.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, hours.strip_prefix('+').unwrap_or(hours)),
    };
    let hours = names::parse_decimal(digits).and_then(|hours| i16::try_from(hours).ok());
    let hours = hours
        .filter(|hours| *hours <= 23)
        .ok_or_else(|| invalid(captures, "hours"))?;
    let minutes = captures
        .number("minutes")
        .and_then(|minutes| i16::try_from(minutes).ok());
    let zone = TimeZone {
        name: word(captures, "zone")?.into(),
        offset_mins: sign * (hours * 60 + minutes.unwrap_or(0)),
    };
    let slot = &mut change.config.clock.timezone;
    change.outcome.set(slot, Some(zone));
    Ok(())
}

fn summer_time(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    if captures.negated() {
        change
            .outcome
            .set(&mut change.config.clock.summer_time, None);
        return Ok(());
    }
    let (start, end) = (captures.group("start"), captures.group("end"));
    let rule = if captures.has("date") {
        SummerRule::Date {
            start: dated(&start)?,
            end: dated(&end)?,
        }
    } else if start.is_empty() {
        SummerRule::DEFAULT
    } else {
        SummerRule::Recurring {
            start: yearly(&start)?,
            end: yearly(&end)?,
        }
    };
    let summer = SummerTime {
        name: word(captures, "zone")?.into(),
        rule,
        offset_mins: captures
            .number("offset")
            .and_then(|n| u16::try_from(n).ok())
            .unwrap_or(60),
    };
    let slot = &mut change.config.clock.summer_time;
    change.outcome.set(slot, Some(summer));
    Ok(())
}

fn yearly(captures: &Captures<'_>) -> Result<YearlyMoment, Refusal> {
    let week = match captures.one_of(&["first", "last"]) {
        Some("first") => Week::First,
        Some(_) => Week::Last,
        None => Week::Nth(small(captures, "week")?),
    };
    let weekday = names::parse_weekday(word(captures, "weekday")?);
    let (hour, minute) = time_of_day(captures)?;
    Ok(YearlyMoment {
        week,
        weekday: weekday.ok_or_else(|| invalid(captures, "weekday"))?,
        month: month(captures)?,
        hour,
        minute,
    })
}

fn dated(captures: &Captures<'_>) -> Result<DatedMoment, Refusal> {
    let (hour, minute) = time_of_day(captures)?;
    Ok(DatedMoment {
        year: small(captures, "year")?,
        month: month(captures)?,
        day: small(captures, "day")?,
        hour,
        minute,
    })
}

fn month(captures: &Captures<'_>) -> Result<u8, Refusal> {
    names::parse_month(word(captures, "month")?).ok_or_else(|| invalid(captures, "month"))
}

fn time_of_day(captures: &Captures<'_>) -> Result<(u8, u8), Refusal> {
    let time = captures
        .time("time")
        .filter(|time| time.hours < 24 && time.seconds == 0);
    let time = time.ok_or_else(|| invalid(captures, "time"))?;
    let hour = u8::try_from(time.hours).map_err(|_| invalid(captures, "time"))?;
    Ok((hour, time.minutes))
}

fn ntp_server(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let address = captures
        .values("server")
        .find_map(|value| match value {
            Value::Address(address) => Some(address),
            _ => None,
        })
        .ok_or(Refusal::Invalid { offset: 0 })?;
    if captures.negated() {
        return change
            .outcome
            .removed(change.config.ntp.servers.remove(&address));
    }
    let key = captures.values("key").find_map(|value| match value {
        Value::Number(key) => Some(key),
        _ => None,
    });
    let source = captures.word("interface");
    if let Some(nameif) = source
        && change.config.interface_named(nameif).is_none()
    {
        // Time comes before interfaces in the usual order of work, so this is no error.
        change.notice(Notice::InterfaceNotYetNamed(nameif.into()));
    }
    let server = NtpServer {
        key,
        source: source.map(Into::into),
        prefer: captures.has("prefer"),
    };
    let before = change.config.ntp.servers.insert(address, server.clone());
    change.outcome.changed = before != Some(server);
    change.notice(Notice::NtpInactive);
    Ok(())
}

fn ntp_authenticate(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let slot = &mut change.config.ntp.authenticate;
    change.outcome.set(slot, !captures.negated());
    Ok(())
}

fn ntp_key(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let id = number(captures, "key")?;
    if captures.negated() {
        return change.outcome.removed(change.config.ntp.keys.remove(&id));
    }
    let algorithm = NtpAlgorithm::ALL
        .into_iter()
        .find(|algorithm| captures.has(algorithm.keyword()))
        .ok_or(Refusal::Invalid { offset: 0 })?;
    let secret = word(captures, "secret")?.into();
    let key = NtpKey { algorithm, secret };
    let before = change.config.ntp.keys.insert(id, key.clone());
    change.outcome.changed = before != Some(key);
    Ok(())
}

fn ntp_trusted_key(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let id = number(captures, "key")?;
    if captures.negated() {
        if !change.config.ntp.trusted_keys.remove(&id) {
            return Err(Refusal::NothingToRemove);
        }
        change.outcome.changed = true;
    } else {
        change.outcome.changed = change.config.ntp.trusted_keys.insert(id);
    }
    Ok(())
}

fn clear_clock(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.clock, Default::default());
    Ok(())
}

fn clear_ntp(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.ntp, Default::default());
    Ok(())
}

//! The clock as people set and read it.

use alloc::string::String;

use cli::grammar::{Captures, TimeOfDay};
use clock::format::{ClockDetail, ClockLine};
use clock::{Civil, Month, TimeSource};
use syslog::Message;

use crate::console::declare::{EXEC, PRIVILEGED, Rows, USER, show, talk};
use crate::console::session::{Gone, Session};
use crate::print::{put, put_line};
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    talk!(
        EXEC,
        PRIVILEGED,
        "clock set <time:time> {<day:1-31> <month:word> | <month:word> <day:1-31>} <year:1993-2099>",
        set,
        &[
            ("clock", "Manage the clock"),
            ("set", "Set date and time"),
            ("time", "Local time"),
            ("day", "Day of the month"),
            ("month", "Month of the year"),
            ("year", "Year"),
        ]
    )
    .example("clock set 13:32:00 nov 23 2026"),
    show!(
        USER,
        "show clock [detail]",
        show,
        &[
            ("clock", "Date and time"),
            ("detail", "With the source of the time"),
        ]
    ),
];

/// The moment as `show clock` prints it.
pub(crate) fn clock_line(core: &Core) -> String {
    let unix_micros = core.wall.unix_micros(core.now()) as i64;
    alloc::format!(
        "{}",
        ClockLine {
            rules: &core.zone,
            unix_micros
        }
    )
}

fn show(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let unix_micros = core.wall.unix_micros(core.now()) as i64;
    let (rules, source) = (&core.zone, core.wall.source());
    if words.has("detail") {
        put!(
            out,
            "{}",
            ClockDetail {
                rules,
                unix_micros,
                source
            }
        );
    } else {
        // An asterisk marks a time that nobody vouches for.
        let mark = if core.wall.is_set() { "" } else { "*" };
        put_line!(out, "{mark}{}", ClockLine { rules, unix_micros });
    }
}

async fn set(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let unix_secs = {
        let core = session.core();
        typed_time(words).and_then(|civil| u64::try_from(core.zone.to_unix(civil)).ok())
    };
    set_clock(session, unix_secs).await
}

/// Sets the clock and the battery-backed one to a moment that somebody typed; says so if there is no
/// such moment.
pub(in crate::console) async fn set_clock(
    session: &mut Session,
    unix_secs: Option<u64>,
) -> Result<(), Gone> {
    let set = {
        let mut core = session.core();
        unix_secs.and_then(|unix_secs| {
            let now = core.now();
            let before = clock_line(&core);
            core.wall
                .set(unix_secs * 1_000_000, TimeSource::UserConfiguration, now)
                .ok()?;
            let after = clock_line(&core);
            core.log(&Message::ClockSet {
                source: "manual",
                before: &before,
                after: &after,
            });
            // A chip that cannot be set leaves the running clock right until the next start.
            Some(core.rtc.write(unix_secs))
        })
    };
    match set {
        None => session.say("ERROR: there is no such date and time\n").await,
        Some(Err(_)) => {
            session
                .say("WARNING: the battery-backed clock did not take the new time\n")
                .await
        }
        Some(Ok(())) => Ok(()),
    }
}

fn typed_time(words: &Captures<'_>) -> Option<Civil> {
    let month: Month = clock::parse::month(words.word("month")?)?;
    let day = u8::try_from(words.number("day")?).ok()?;
    let year = i32::try_from(words.number("year")?).ok()?;
    civil_at(year, month, day, words.time("time")?)
}

/// A date with a typed time of day, if both exist.
pub(super) fn civil_at(year: i32, month: Month, day: u8, time: TimeOfDay) -> Option<Civil> {
    let secs = time.as_secs();
    let hour = u8::try_from(secs / 3600).ok()?;
    let (minute, second) = ((secs / 60 % 60) as u8, (secs % 60) as u8);
    Civil::new(year, month, day, hour, minute, second).ok()
}

//! Restarting, at once or later, and switching off.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;

use alloc::string::String;

use cli::grammar::Captures;
use clock::{Civil, Month};
use config::print::Secrets;

use super::clock::civil_at;
use super::configuration::{document, save_error, write_memory};
use crate::console::declare::{EXEC, POWER, PRIVILEGED, Rows, show, talk};
use crate::console::line;
use crate::console::session::{Gone, Session};
use crate::print::power as printers;
use crate::reload::{Plan, When};
use crate::state::{Core, Shared};

pub(super) const ROWS: Rows = &[
    talk!(
        EXEC,
        PRIVILEGED,
        "reload {at <time:time> [{<day:1-31> <month:word> | <month:word> <day:1-31>}] | in {<clock:time> | <minutes:1-59999>} | noconfirm | quick | save-config | reason <reason:text>}*",
        reload,
        &[
            ("reload", "Restart the box"),
            ("at", "Restart at a time of day"),
            ("time", "Local time"),
            ("day", "Day of the month"),
            ("month", "Month of the year"),
            ("in", "Restart after some time"),
            ("clock", "Hours and minutes"),
            ("minutes", "Minutes"),
            ("noconfirm", "Do not ask"),
            ("quick", "Without farewell"),
            ("save-config", "Save the running configuration first"),
            ("reason", "Say why; the rest of the line"),
            ("<reason>", "The reason"),
        ]
    )
    .example("reload in 30"),
    talk!(
        EXEC,
        PRIVILEGED,
        "reload cancel",
        cancel,
        &[("cancel", "Give up the restart that is planned")]
    ),
    show!(
        PRIVILEGED,
        "show reload",
        show,
        &[("reload", "The restart that is planned")]
    ),
    talk!(
        POWER,
        PRIVILEGED,
        "shutdown [noconfirm]",
        shutdown,
        &[
            ("shutdown", "Switch the box off"),
            ("noconfirm", "Do not ask"),
        ]
    ),
];

/// Longest reason that is kept, in characters, as on the ASA.
const REASON_MAX: usize = 255;

/// Longest that a planned restart waits for the console: it may be somebody's way out of a lockout,
/// and must not depend on a terminal that holds the line.
const FAREWELL_MAX: Duration = Duration::from_secs(5);

/// Seconds of a day.
const DAY_SECS: i64 = 86_400;

async fn reload(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let wanted = wanted(&session.core(), words);
    let when = match wanted {
        Ok(when) => when,
        Err(complaint) => return session.say(complaint).await,
    };
    let reason = words.text("reason").map(|text| {
        let text = text.trim().trim_matches('"');
        text.chars().take(REASON_MAX).collect::<String>()
    });
    let (is_quick, saves) = (words.has("quick"), words.has("save-config"));
    if !words.has("noconfirm") {
        let would_lose_changes = {
            let core = session.core();
            core.startup.is_modified && core.has_store() && !saves
        };
        if would_lose_changes {
            let answer = session
                .ask("System config has been modified. Save? [Y]es/[N]o:  ")
                .await?;
            if answer.trim().to_ascii_lowercase().starts_with('y') {
                write_memory(session).await?;
            }
        }
        if !session.confirm("Proceed with reload? [confirm]").await? {
            return Ok(());
        }
    }
    if let Some(when) = when {
        let by = session.name();
        let mut text = String::from("\n");
        {
            let mut core = session.core();
            let now = core.now();
            let clocks = core.clocks(now);
            printers::shutdown_in(&mut text, when.left(clocks), reason.as_deref());
            let plan = Plan {
                when,
                reason,
                is_quick,
                saves,
                by,
            };
            core.reload.schedule(plan, clocks);
        }
        return session.say(&text).await;
    }
    if saves {
        write_memory(session).await?;
    }
    session
        .core()
        .log(&syslog::Message::Reloading { origin: "console" });
    if !is_quick {
        farewell(session.shared(), reason.as_deref()).await;
    }
    session.core().reset();
    Err(Gone)
}

/// When the restart is wanted; `None` for at once.
fn wanted(core: &Core, words: &Captures<'_>) -> Result<Option<When>, &'static str> {
    let (at, after) = (words.has("at"), words.has("in"));
    if at && after {
        return Err("ERROR: % 'at' and 'in' exclude each other\n");
    }
    if after {
        let span = match (words.time("clock"), words.number("minutes")) {
            (Some(clock), _) => Duration::from_secs(u64::from(clock.as_secs())),
            (None, Some(minutes)) => Duration::from_secs(u64::from(minutes) * 60),
            (None, None) => return Err("ERROR: % Incomplete command\n"),
        };
        return Ok(Some(When::In(core.now() + span)));
    }
    if !at {
        return Ok(None);
    }
    if !core.wall.is_set() {
        return Err("ERROR: the clock is not set; use 'reload in' or set it first\n");
    }
    let now = i64::try_from(core.wall.unix_secs(core.now())).unwrap_or(i64::MAX);
    moment(core, words, now)
        .and_then(|unix_secs| u64::try_from(unix_secs).ok())
        .map(|unix_secs| Some(When::At(unix_secs)))
        .ok_or("ERROR: there is no such date and time\n")
}

/// The next moment that the typed time and date mean: without a date within a day, else within a
/// year.
fn moment(core: &Core, words: &Captures<'_>, now: i64) -> Option<i64> {
    let time = words.time("time")?;
    let local = core.zone.local(now).civil;
    let of = |year, month, day| Some(core.zone.to_unix(civil_at(year, month, day, time)?));
    let Some(day) = words.number("day") else {
        let tomorrow = core.zone.local(now.checked_add(DAY_SECS)?).civil;
        return [local, tomorrow]
            .into_iter()
            .filter_map(|date: Civil| of(date.year, date.month, date.day))
            .find(|&at| at > now);
    };
    let month: Month = clock::parse::month(words.word("month")?)?;
    let day = u8::try_from(day).ok()?;
    [local.year, local.year + 1]
        .into_iter()
        .filter_map(|year| of(year, month, day))
        .find(|&at| at > now)
}

async fn cancel(session: &mut Session, _: &Captures<'_>) -> Result<(), Gone> {
    let was_planned = session.core().reload.cancel().is_some();
    session
        .say(if was_planned {
            printers::ABORTED
        } else {
            printers::NOT_SCHEDULED
        })
        .await
}

fn show(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let now = core.now();
    let clocks = core.clocks(now);
    let Some(plan) = core.reload.plan() else {
        out.push_str(printers::NOT_SCHEDULED);
        return;
    };
    let left = plan.when.left(clocks);
    let left_micros = u64::try_from(left.as_micros()).unwrap_or(u64::MAX);
    let unix_micros = clocks.unix_micros.saturating_add(left_micros) as i64;
    let local = core.zone.local(unix_micros.div_euclid(1_000_000));
    let (civil, zone) = (local.civil, local.zone);
    let at = alloc::format!(
        "{:02}:{:02}:{:02} {zone} {} {} {} {}",
        civil.hour,
        civil.minute,
        civil.second,
        civil.weekday().short_name(),
        civil.month.short_name(),
        civil.day,
        civil.year
    );
    printers::scheduled(out, &at, left, &plan.by, plan.reason.as_deref());
}

async fn shutdown(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    if !words.has("noconfirm") && !session.confirm("Switch the box off? [confirm]").await? {
        return Ok(());
    }
    farewell(session.shared(), None).await;
    session.core().power_off();
    Err(Gone)
}

/// What is said before the line goes dead; returns when it has been sent.
async fn farewell(shared: &Shared, reason: Option<&str>) {
    let mut text = String::from(printers::SHUTDOWN);
    printers::message(&mut text, reason);
    line::write_text(shared, &text).await;
    line::drain(shared).await;
}

/// Saves the running configuration without a word. A commit that waits for its confirmation is not
/// saved, as with `write memory`: the restart takes it back.
fn save(core: &mut Core, by: &str) -> Result<(), String> {
    if core.unconfirmed.is_some() {
        return Ok(());
    }
    let text = document(core, Secrets::Shown, Some(by));
    core.save(text).map_err(save_error)
}

/// Does `work`, or gives it up after `limit`.
async fn within(shared: &Shared, limit: Duration, work: impl Future<Output = ()>) {
    let deadline = shared.borrow().now() + limit;
    let mut work = pin!(work);
    poll_fn(|context| {
        {
            let core = shared.borrow();
            if core.now() >= deadline {
                return Poll::Ready(());
            }
            // Before the work is polled: what it waits for is sooner, and goes before this.
            core.timers.wake_at(deadline, context.waker());
        }
        work.as_mut().poll(context)
    })
    .await;
}

/// Carries out restarts that were planned. Runs beside the sessions, for ever.
pub(crate) async fn restart_as_planned(shared: Shared) {
    loop {
        let plan = poll_fn(|context| {
            let mut core = shared.borrow_mut();
            let now = core.now();
            let clocks = core.clocks(now);
            match core.reload.take_due(clocks, context.waker()) {
                Some(plan) => Poll::Ready(plan),
                None => Poll::Pending,
            }
        })
        .await;
        if plan.saves {
            let outcome = {
                let mut core = shared.borrow_mut();
                save(&mut core, &plan.by)
            };
            if let Err(complaint) = outcome {
                within(&shared, FAREWELL_MAX, line::write_text(&shared, &complaint)).await;
            }
        }
        if !plan.is_quick {
            within(
                &shared,
                FAREWELL_MAX,
                farewell(&shared, plan.reason.as_deref()),
            )
            .await;
        }
        shared.borrow_mut().reset();
    }
}

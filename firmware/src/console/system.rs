//! EXEC commands about the box itself: saving, restarting, the clock, ping, clearing.

use alloc::string::String;
use core::future::poll_fn;
use core::net::Ipv4Addr;
use core::task::Poll;
use core::time::Duration;

use cli::grammar::Captures;
use clock::{Civil, Month, TimeSource};
use config::print::{Cryptochecksum, Secrets};

use super::commands::Command;
use super::line;
use super::session::{Gone, Session};
use super::show;
use crate::ping::{Echo, EchoRequest};
use crate::state::SaveError;

/// Bytes of an echo request's IP packet, and seconds to wait, if the command does not say.
const PING_SIZE: u32 = 100;
const PING_TIMEOUT_SECS: u32 = 2;
const PING_COUNT: u32 = 5;

/// Runs a command. Returns false if `command` is none of these.
pub(super) async fn run(
    session: &mut Session,
    command: Command,
    words: &Captures<'_>,
) -> Result<bool, Gone> {
    match command {
        Command::ClearAccessListCounters => {
            let name = words.word("name").unwrap_or_default();
            let cleared = {
                let mut core = session.core();
                core.settle();
                let id = core.compiled.lists.get(name).map(|list| list.id);
                if let Some(id) = id {
                    core.dataplane.clear_acl_hits(id);
                }
                id.is_some()
            };
            if !cleared {
                session
                    .say(&alloc::format!(
                        "ERROR: access-list <{name}> does not exist\n"
                    ))
                    .await?;
            }
        }
        Command::ClearArp => {
            let mut core = session.core();
            let core = &mut *core;
            core.dataplane.clear_neighbors(None, &mut core.pool);
        }
        Command::ClearAspDrop => {
            let mut core = session.core();
            core.dataplane.clear_drops();
            core.drops_cleared = Some(core.now());
        }
        Command::ClearConn => clear_conn(session, words).await?,
        Command::ClearCrashinfo => session.core().crash = None,
        Command::ClearInterface => {
            let mut core = session.core();
            let core = &mut *core;
            for port in &core.ports {
                core.dataplane.clear_port_counters(port.id);
            }
        }
        Command::ClearNatCounters => session.core().dataplane.clear_nat_hits(),
        Command::ClearTlsProxySession => {
            let count = {
                let mut core = session.core();
                let now = core.now();
                core.federation.close_all(now)
            };
            session
                .say(&alloc::format!("{count} session(s) cleared\n"))
                .await?;
        }
        Command::ClearXlate => {
            let count = {
                let mut core = session.core();
                let now = core.now();
                core.dataplane.clear_xlates(now)
            };
            session
                .say(&alloc::format!("INFO: {count} connection(s) ended\n"))
                .await?;
        }
        Command::ClockSet => clock_set(session, words).await?,
        Command::CopyRunningStartup | Command::WriteMemory => save(session).await?,
        Command::Ping => ping(session, words).await?,
        Command::Reload => reload(session, words.has("noconfirm")).await?,
        Command::Shutdown => shutdown(session, words.has("noconfirm")).await?,
        Command::WriteErase => erase(session).await?,
        Command::WriteTerminal => {
            let text = show::document(&session.core(), Secrets::Masked, false);
            session.page(&text).await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

async fn clear_conn(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let host = words.ip("host");
    if host.is_none() && !words.has("all") {
        return session.say("ERROR: % Incomplete command\n").await;
    }
    let count = {
        let mut core = session.core();
        let now = core.now();
        core.dataplane.clear_conns(
            |conn| {
                host.is_none_or(|host| {
                    [conn.lower, conn.higher]
                        .iter()
                        .any(|side| side.real.0 == host || side.mapped.0 == host)
                })
            },
            now,
        )
    };
    session
        .say(&alloc::format!("{count} connection(s) deleted.\n"))
        .await
}

async fn clock_set(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let set = {
        let mut core = session.core();
        typed_time(words).and_then(|civil| {
            let unix_secs = u64::try_from(core.zone.to_unix(civil)).ok()?;
            let now = core.now();
            core.wall
                .set(unix_secs * 1_000_000, TimeSource::UserConfiguration, now)
                .ok()?;
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
    let time = words.time("time")?.as_secs();
    let month: Month = clock::parse::month(words.word("month")?)?;
    let day = u8::try_from(words.number("day")?).ok()?;
    let year = i32::try_from(words.number("year")?).ok()?;
    let hour = u8::try_from(time / 3600).ok()?;
    Civil::new(
        year,
        month,
        day,
        hour,
        (time / 60 % 60) as u8,
        (time % 60) as u8,
    )
    .ok()
}

/// `write memory`. What was saved before stays if this fails.
async fn save(session: &mut Session) -> Result<(), Gone> {
    session.say("Building configuration...\n").await?;
    let (checksum, length, outcome, took) = {
        let mut core = session.core();
        let started = core.now();
        let text = show::document(&core, Secrets::Shown, true);
        let (checksum, length) = (Cryptochecksum::of_config(&core.config), text.len());
        let outcome = core.save(text);
        (checksum, length, outcome, core.now().since(started))
    };
    match outcome {
        Ok(()) => {
            let (secs, millis) = (took.as_secs(), took.subsec_millis());
            session
                .say(&alloc::format!(
                    "Cryptochecksum: {checksum}\n\n{length} bytes copied in {secs}.{millis:03} secs\n[OK]\n"
                ))
                .await
        }
        Err(error) => session.say(&save_error(error)).await,
    }
}

fn save_error(error: SaveError) -> String {
    match error {
        SaveError::NoDisk => String::from(
            "ERROR: there is no disk to save to; the configuration will be lost at the next start\n[FAILED]\n",
        ),
        SaveError::Store(error) => alloc::format!("ERROR: {error}\n[FAILED]\n"),
    }
}

async fn erase(session: &mut Session) -> Result<(), Gone> {
    if !session
        .confirm("Erase configuration in flash memory? [confirm]")
        .await?
    {
        return Ok(());
    }
    let outcome = session.core().erase();
    match outcome {
        Ok(()) => session.say("[OK]\n").await,
        Err(error) => session.say(&save_error(error)).await,
    }
}

async fn reload(session: &mut Session, is_sure: bool) -> Result<(), Gone> {
    if !is_sure {
        let would_lose_changes = {
            let core = session.core();
            core.startup.is_modified && core.has_store()
        };
        if would_lose_changes {
            let answer = session
                .ask("System config has been modified. Save? [Y]es/[N]o:  ")
                .await?;
            if answer.trim().to_ascii_lowercase().starts_with('y') {
                save(session).await?;
            }
        }
        if !session.confirm("Proceed with reload? [confirm]").await? {
            return Ok(());
        }
    }
    farewell(session).await?;
    session.core().reset();
    Err(Gone)
}

async fn shutdown(session: &mut Session, is_sure: bool) -> Result<(), Gone> {
    if !is_sure && !session.confirm("Switch the box off? [confirm]").await? {
        return Ok(());
    }
    farewell(session).await?;
    session.core().power_off();
    Err(Gone)
}

/// What is said before the line goes dead; returns when it has been sent.
async fn farewell(session: &mut Session) -> Result<(), Gone> {
    session
        .say("\n\n***\n*** --- START GRACEFUL SHUTDOWN ---\n***\n*** --- SHUTDOWN NOW ---\n")
        .await?;
    line::drain(session.shared()).await;
    Ok(())
}

async fn ping(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let destination = words.ip("host").unwrap_or(Ipv4Addr::UNSPECIFIED);
    let count = words.number("count").unwrap_or(PING_COUNT);
    let size = words.number("bytes").unwrap_or(PING_SIZE);
    let timeout_secs = words.number("secs").unwrap_or(PING_TIMEOUT_SECS);
    let chosen = words.word("nameif");
    let route = {
        let mut core = session.core();
        core.settle();
        let named = chosen.map(|nameif| show::port_named(&core, nameif));
        let route = core.dataplane.source_for(destination);
        match (named, route) {
            (Some(None), _) => Err("ERROR: there is no interface of that name\n"),
            (Some(Some(port)), Some((egress, _))) if port != egress => {
                Err("ERROR: that interface does not lead to the destination\n")
            }
            (_, None) => Err("No route to host\n"),
            (_, Some((_, source))) => Ok(source),
        }
    };
    let source = match route {
        Ok(source) => source,
        Err(text) => return session.say(text).await,
    };
    session
        .say(&alloc::format!(
            "Type escape sequence to abort.\nSending {count}, {size}-byte ICMP Echos to \
             {destination}, timeout is {timeout_secs} seconds:\n"
        ))
        .await?;
    // From the range that interface PAT leaves to the box itself.
    let mut random = [0];
    session.core().entropy.fill(&mut random);
    let identifier = dataplane::LOCAL_ECHO_IDENTIFIERS.start() | u16::from(random[0]);
    let (mut received, mut shortest, mut longest, mut total) = (0_u32, u128::MAX, 0, 0);
    for number in 0..count {
        let request = EchoRequest {
            source,
            destination,
            identifier,
            sequence: number as u16,
            size_bytes: size as usize,
        };
        let sent_at = session.core().now();
        let deadline = sent_at + Duration::from_secs(u64::from(timeout_secs));
        let outcome = match send(session, &request) {
            true => answer(session, deadline).await,
            false => Outcome::Silence,
        };
        let mark = match outcome {
            Outcome::Echo(Echo::Reply) => {
                let millis = session
                    .core()
                    .now()
                    .since(sent_at)
                    .as_micros()
                    .div_ceil(1000)
                    .max(1);
                received += 1;
                shortest = shortest.min(millis);
                longest = longest.max(millis);
                total += millis;
                "!"
            }
            Outcome::Echo(Echo::Unreachable) => "U",
            Outcome::Echo(Echo::Other) => "?",
            Outcome::Silence => ".",
            Outcome::Aborted => break,
        };
        session.say(mark).await?;
    }
    let percent = received * 100 / count.max(1);
    let mut summary = alloc::format!("\nSuccess rate is {percent} percent ({received}/{count})");
    if received > 0 {
        let average = total / u128::from(received);
        summary.push_str(&alloc::format!(
            ", round-trip min/avg/max = {shortest}/{average}/{longest} ms"
        ));
    }
    summary.push('\n');
    session.say(&summary).await
}

/// What came of a request.
enum Outcome {
    Echo(Echo),
    Silence,
    Aborted,
}

fn send(session: &Session, request: &EchoRequest) -> bool {
    let mut core = session.core();
    let now = core.now();
    let core = &mut *core;
    let Some(mut packet) = core.pool.take() else {
        return false;
    };
    if !request.write(&mut packet) {
        core.pool.free(packet);
        return false;
    }
    core.echo
        .expect(request.destination, request.identifier, request.sequence);
    core.dataplane
        .send_local(packet, &mut core.pool, now)
        .is_ok()
}

/// Waits for the answer until `deadline`; Ctrl-C and Ctrl-^ abort.
async fn answer(session: &mut Session, deadline: hal::time::Instant) -> Outcome {
    let shared = session.shared().clone();
    poll_fn(|context| {
        let mut core = shared.borrow_mut();
        if let Some(echo) = core.echo.take_outcome() {
            return Poll::Ready(Outcome::Echo(echo));
        }
        if core.line.take_abort() {
            return Poll::Ready(Outcome::Aborted);
        }
        if core.now() >= deadline {
            return Poll::Ready(Outcome::Silence);
        }
        core.echo.waiter = Some(context.waker().clone());
        core.line.watch(context.waker());
        core.timers.wake_at(deadline, context.waker());
        Poll::Pending
    })
    .await
}

//! `ping`.

use core::future::poll_fn;
use core::net::Ipv4Addr;
use core::task::Poll;
use core::time::Duration;

use cli::grammar::Captures;

use super::interfaces::port_named;
use crate::console::declare::{EXEC, Rows, USER, talk};
use crate::console::session::{Gone, Session};
use crate::ping::{Echo, EchoRequest};

/// Bytes of an echo request's IP packet, and seconds to wait, if the command does not say.
const PING_SIZE: u32 = 100;
const PING_TIMEOUT_SECS: u32 = 2;
const PING_COUNT: u32 = 5;

pub(super) const ROWS: Rows = &[talk!(
    EXEC,
    USER,
    "ping [<nameif:word>] <host:ip> [repeat <count:1-100000>] [size <bytes:28-1500>] [timeout <secs:1-60>]",
    ping,
    &[
        ("ping", "Send echo messages"),
        ("nameif", "Name of the interface to send from"),
        ("host", "Address of the destination"),
        ("repeat", "How many requests to send"),
        ("count", "Number of requests"),
        ("size", "Size of the IP packets"),
        ("bytes", "Bytes of an IP packet"),
        ("timeout", "How long to wait for each answer"),
        ("secs", "Seconds"),
    ]
)
.example("ping inside 10.20.0.11 repeat 2")];

async fn ping(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let destination = words.ip("host").unwrap_or(Ipv4Addr::UNSPECIFIED);
    let count = words.number("count").unwrap_or(PING_COUNT);
    let size = words.number("bytes").unwrap_or(PING_SIZE);
    let timeout_secs = words.number("secs").unwrap_or(PING_TIMEOUT_SECS);
    let chosen = words.word("nameif");
    let route = {
        let mut core = session.core();
        core.settle();
        let named = chosen.map(|nameif| port_named(&core, nameif));
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

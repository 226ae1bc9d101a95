//! Figures of the TLS proxy on this machine: handshakes and 400-byte messages a second.
//!
//! Run with `cargo run --profile host -p tls-proxy --example bench`. Everything runs in one thread: the
//! caller, the target (both rustls over smoltcp) and, in the first rows, the proxy between them. The
//! alternative beside it is the same caller and target with nothing between. "Proxy alone" counts
//! only the time spent inside the proxy's own calls.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "prints figures; a failure ends it"
)]

#[path = "../tests/lab/mod.rs"]
mod lab;

use std::time::{Duration, Instant};

use lab::certificates::{BOTH_VERSIONS, World};
use lab::peer::Peer;
use lab::{CALLER, Lab, PUBLISHED, request, request_at_target};
use rustls::SupportedProtocolVersion;

const HANDSHAKES: usize = 1_024;
const MESSAGES: usize = 32_768;

fn main() {
    let world = World::new();
    println!("P-256 certificates on both sides, mutual authentication, no resumption");
    for (name, versions) in [
        ("TLS 1.2", &[&rustls::version::TLS12][..]),
        ("TLS 1.3", &[&rustls::version::TLS13][..]),
    ] {
        for connections in [1, 64] {
            let (total, inside) = proxied_handshakes(&world, versions, connections);
            row(name, "handshakes", connections, "proxy", HANDSHAKES, total);
            row(
                name,
                "handshakes",
                connections,
                "proxy alone",
                HANDSHAKES,
                inside,
            );
            let total = direct_handshakes(&world, versions, connections);
            row(
                name,
                "handshakes",
                connections,
                "no proxy",
                HANDSHAKES,
                total,
            );
        }
    }
    let message = message();
    println!("messages of {} bytes, one way", message.len());
    for connections in [1, 64] {
        let (total, inside) = proxied_messages(&world, connections, &message);
        row("TLS 1.3", "messages", connections, "proxy", MESSAGES, total);
        row(
            "TLS 1.3",
            "messages",
            connections,
            "proxy alone",
            MESSAGES,
            inside,
        );
        let total = direct_messages(&world, connections, &message);
        row(
            "TLS 1.3",
            "messages",
            connections,
            "no proxy",
            MESSAGES,
            total,
        );
    }
}

fn row(version: &str, what: &str, connections: usize, who: &str, count: usize, time: Duration) {
    let rate = count as f64 / time.as_secs_f64();
    println!(
        "{version} {what:<11} {connections:>2} connection(s)  {who:<12} {rate:>10.0} {what}/s"
    );
}

/// A request of 400 bytes.
fn message() -> Vec<u8> {
    let empty = request("").len();
    // The length of the body has two digits more than that of an empty one.
    let message = request(&"m".repeat(400 - empty - 1));
    assert_eq!(message.len(), 400);
    message
}

fn proxied_handshakes(
    world: &World,
    versions: &[&'static SupportedProtocolVersion],
    connections: usize,
) -> (Duration, Duration) {
    let (mut total, mut inside) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..HANDSHAKES / connections {
        let mut lab = Lab::small(connections);
        let roles: Vec<_> = (0..connections).map(|_| world.roles(versions)).collect();
        let started = Instant::now();
        for role in roles {
            lab.open(role).unwrap();
        }
        for index in 0..connections {
            lab.handshake(index);
        }
        total += started.elapsed();
        inside += lab.proxy_time;
    }
    (total, inside)
}

fn proxied_messages(world: &World, connections: usize, message: &[u8]) -> (Duration, Duration) {
    let mut lab = Lab::small(connections);
    for _ in 0..connections {
        lab.open(world.roles(BOTH_VERSIONS)).unwrap();
    }
    for index in 0..connections {
        lab.handshake(index);
    }
    let each = MESSAGES / connections;
    let expected = each * (message.len() + request_at_target("").len() - request("").len());
    lab.proxy_time = Duration::ZERO;
    let started = Instant::now();
    for pair in &mut lab.pairs {
        pair.caller.record_bytes = Some(message.len());
        for _ in 0..each {
            pair.caller.send(message);
        }
    }
    lab.run_until("all messages", |lab| {
        lab.pairs
            .iter()
            .all(|pair| pair.target.received.len() >= expected)
    });
    (started.elapsed(), lab.proxy_time)
}

/// A caller and a target with nothing between them.
struct Direct {
    caller: Peer,
    target: Peer,
}

impl Direct {
    fn new(world: &World, versions: &[&'static SupportedProtocolVersion]) -> Self {
        let roles = world.roles(versions);
        // The caller checks the name it dials, which is on the box's certificate.
        let target = lab::certificates::server(&world.outside, &world.authority, BOTH_VERSIONS);
        Self {
            caller: Peer::calling(CALLER, PUBLISHED, roles.caller),
            target: Peer::listening(PUBLISHED, lab::peer::PeerTls::Server(target)),
        }
    }

    fn step(&mut self, now: hal::time::Instant) -> bool {
        let mut moved = self.caller.pump(now);
        self.target.received_frames.append(&mut self.caller.sent);
        moved |= self.target.pump(now);
        self.caller.received_frames.append(&mut self.target.sent);
        moved
    }
}

/// Moves packets of all pairs until `done`, with a clock that runs when nothing moves.
fn settle(pairs: &mut [Direct], done: impl Fn(&[Direct]) -> bool) {
    let mut now = hal::time::Instant::from_secs(1);
    while !done(pairs) {
        let mut moved = false;
        for pair in pairs.iter_mut() {
            moved |= pair.step(now);
        }
        if !moved {
            now += Duration::from_millis(10);
        }
    }
}

fn are_open(pairs: &[Direct]) -> bool {
    pairs
        .iter()
        .all(|pair| pair.caller.is_open() && pair.target.is_open())
}

fn direct_handshakes(
    world: &World,
    versions: &[&'static SupportedProtocolVersion],
    connections: usize,
) -> Duration {
    let mut total = Duration::ZERO;
    for _ in 0..HANDSHAKES / connections {
        let mut pairs: Vec<_> = (0..connections)
            .map(|_| Direct::new(world, versions))
            .collect();
        let started = Instant::now();
        settle(&mut pairs, are_open);
        total += started.elapsed();
    }
    total
}

fn direct_messages(world: &World, connections: usize, message: &[u8]) -> Duration {
    let mut pairs: Vec<_> = (0..connections)
        .map(|_| Direct::new(world, BOTH_VERSIONS))
        .collect();
    settle(&mut pairs, are_open);
    let each = MESSAGES / connections;
    let started = Instant::now();
    for pair in &mut pairs {
        pair.caller.record_bytes = Some(message.len());
        for _ in 0..each {
            pair.caller.send(message);
        }
    }
    settle(&mut pairs, |pairs| {
        pairs
            .iter()
            .all(|pair| pair.target.received.len() >= each * message.len())
    });
    started.elapsed()
}

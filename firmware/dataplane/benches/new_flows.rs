//! How fast flows are opened and ended: `cargo bench -p dataplane --bench new_flows`.
//!
//! Every packet is the first of its flow, 64 bytes of UDP, through `handle_batch`; the table fills up
//! to a million. Then all of them are idle too long at once.

mod lab;

use std::time::Instant as Wall;

use core::net::Ipv4Addr;
use core::time::Duration;

use dataplane::{AddressRange, Limits, PatPool, Policy, SourceNat};
use hal::packet::{BATCH, PacketPool};
use hal::time::Instant;
use lab::{INSIDE, OUTSIDE, SERVER, real, udp};

const FLOWS: u32 = 1_000_000;

fn main() {
    lab::with_large_pages(bench);
}

fn bench() {
    println!("opening {FLOWS} flows, one packet each, and ending them all:");
    open_and_end("static translation, host to host", lab::policy());
    open_and_end("dynamic PAT to 32 addresses", shared());
}

/// Dynamic PAT instead of the static rule.
fn shared() -> Policy {
    let mut policy = lab::policy();
    if let Some(rule) = policy.nat.first_mut() {
        rule.source = SourceNat::Dynamic {
            real: rule.source.real().collect(),
            pool: PatPool {
                addresses: vec![AddressRange {
                    first: Ipv4Addr::new(100, 64, 0, 0),
                    last: Ipv4Addr::new(100, 64, 0, 31),
                }],
                ..PatPool::default()
            },
        };
    }
    policy
}

fn open_and_end(name: &str, policy: Policy) {
    let limits = Limits {
        flows: FLOWS,
        ..Limits::default()
    };
    let mut pool = PacketPool::new(1024);
    let mut plane = lab::box_with(limits, policy, &mut pool);
    let now = Instant::from_secs(1);
    let mut spent = Duration::ZERO;
    for first in (0..FLOWS).step_by(BATCH) {
        let mut host = first;
        let frames = [(); BATCH].map(|()| {
            // Neighbouring flows are of hosts far apart.
            let frame = udp(
                INSIDE,
                real(host.wrapping_mul(611_953) % lab::HOSTS),
                SERVER,
            );
            host += 1;
            frame
        });
        let mut batch = lab::fill(&mut pool, frames);
        let start = Wall::now();
        plane.handle_batch(INSIDE, &mut batch, &mut pool, now);
        plane.drain_transmit(OUTSIDE, &mut batch);
        spent += start.elapsed();
        while let Some(frame) = batch.pop_front() {
            pool.free(frame);
        }
    }
    assert_eq!(plane.conn_usage().in_use, FLOWS, "{:?}", plane.verdicts());
    let opening = spent.as_nanos() as f64 / f64::from(FLOWS);
    let start = Wall::now();
    while let Some(due) = plane
        .poll_timeout()
        .filter(|_| plane.conn_usage().in_use > 0)
    {
        plane.handle_timeout(&mut pool, due.max(now));
    }
    let ending = start.elapsed().as_nanos() as f64 / f64::from(FLOWS);
    println!(
        "  {name:<34} opened {:>5.2} million/s ({opening:>6.1} ns), ended {:>5.2} million/s ({ending:>6.1} ns)",
        1_000.0 / opening,
        1_000.0 / ending
    );
}

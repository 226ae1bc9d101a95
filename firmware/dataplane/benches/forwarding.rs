//! How fast established flows are forwarded, and what the flow table costs beside other maps.
//!
//! Prints figures, asserts nothing about time: `cargo bench -p dataplane`. One core, frames in
//! memory, 64-byte UDP packets (60 without FCS), every one translated: outbound packets of flows
//! behind PAT and their answers, alternately, each flow as often as every other, in an order that
//! no prefetcher guesses.

mod lab;

use core::hint::black_box;
use std::collections::HashMap;
use std::time::Instant as Wall;

use dataplane::Limits;
use hal::packet::{BATCH, PacketPool};
use hal::time::Instant;
use lab::{INSIDE, OUTSIDE, SERVER, mapped, median, real, udp};

const PACKETS: usize = 8_000_000;
/// Rounds, or thousands of look-ups, that are timed together.
const SLICE: usize = 50;

fn main() {
    lab::with_large_pages(bench);
}

fn bench() {
    println!("established flows, 64-byte packets, translated both ways, through handle_batch:");
    let mut first = None;
    for flows in [1u32, 1_000, 1_000_000] {
        let nanos = forward(flows);
        let first = *first.get_or_insert(nanos);
        println!(
            "  {flows:>9} flows: {:>6.2} million packets/s, {nanos:>6.1} ns a packet ({:.2} x)",
            1_000.0 / nanos,
            nanos / first
        );
    }
    println!("look-up alone, hits, in random order, 16-byte key to u32:");
    for entries in [1_000u32, 2_000_000] {
        lookups(entries);
    }
}

/// Nanoseconds a packet with `flows` flows.
fn forward(flows: u32) -> f64 {
    let limits = Limits {
        flows: flows.max(1024),
        ..Limits::default()
    };
    let mut pool = PacketPool::new(1024);
    let mut plane = lab::box_with(limits, lab::policy(), &mut pool);
    let now = Instant::from_secs(1);
    for flow in 0..flows {
        let frame = udp(INSIDE, real(flow), SERVER);
        lab::exchange(&mut plane, &mut pool, INSIDE, &[frame], now);
        lab::drain(&mut plane, &mut pool);
    }
    assert_eq!(plane.conn_usage().in_use, flows);

    let mut sequence = 1u32;
    let mut slices = Vec::new();
    let mut spent = core::time::Duration::ZERO;
    let mut rounds = 0usize;
    // Two batches of either direction a round; making the frames is not measured.
    while rounds * BATCH * 2 < PACKETS {
        let mut chosen = [0u32; BATCH];
        for flow in &mut chosen {
            *flow = lab::next(&mut sequence, flows);
        }
        let mut out = lab::fill(
            &mut pool,
            chosen.map(|flow| udp(INSIDE, real(flow), SERVER)),
        );
        let mut back = lab::fill(
            &mut pool,
            chosen.map(|flow| udp(OUTSIDE, SERVER, mapped(flow))),
        );
        let start = Wall::now();
        plane.handle_batch(INSIDE, &mut out, &mut pool, now);
        plane.drain_transmit(OUTSIDE, &mut out);
        plane.handle_batch(OUTSIDE, &mut back, &mut pool, now);
        plane.drain_transmit(INSIDE, &mut back);
        spent += start.elapsed();
        assert_eq!(
            (out.len(), back.len()),
            (BATCH, BATCH),
            "{:?}",
            plane.verdicts()
        );
        for frame in
            core::iter::from_fn(|| out.pop_front()).chain(core::iter::from_fn(|| back.pop_front()))
        {
            pool.free(frame);
        }
        rounds += 1;
        if rounds.is_multiple_of(SLICE) {
            slices.push(spent.as_nanos() as f64 / (SLICE * BATCH * 2) as f64);
            spent = core::time::Duration::ZERO;
        }
    }
    median(slices)
}

/// The table's index beside the standard map (SipHash-1-3) and hashbrown (foldhash), one at a time
/// and, as `handle_batch` does, a batch at a time.
fn lookups(entries: u32) {
    let key = |n: u32| {
        let mixed = u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed, u64::from(n) << 32 | 17)
    };
    let order: Vec<u32> = {
        let mut state = 1u32;
        (0..4_000_000)
            .map(|_| lab::next(&mut state, entries))
            .collect()
    };
    let table = dataplane::bench::Table::new((0..entries).map(key));
    let standard: HashMap<(u64, u64), u32> = (0..entries).map(|n| (key(n), n)).collect();
    let brown: hashbrown::HashMap<(u64, u64), u32> = (0..entries).map(|n| (key(n), n)).collect();
    let measure = |name: &str, look_up: &dyn Fn(&[u32]) -> u64| {
        let mut sum = 0;
        let slices = order.chunks_exact(SLICE * 1_000).map(|slice| {
            let start = Wall::now();
            sum += look_up(slice);
            start.elapsed().as_nanos() as f64 / slice.len() as f64
        });
        let nanos = median(slices.collect());
        println!(
            "  {entries:>9} entries, {name:<38} {nanos:>6.1} ns ({:x})",
            sum & 0xf
        );
    };
    measure("flow table, a batch at a time", &|slice| {
        slice
            .chunks(BATCH)
            .map(|batch| table.find_batch(black_box(batch), key))
            .sum()
    });
    measure("flow table, one at a time", &|slice| {
        slice
            .iter()
            .filter_map(|&n| table.find(black_box(key(n))))
            .map(u64::from)
            .sum()
    });
    measure("std HashMap, SipHash-1-3", &|slice| {
        slice
            .iter()
            .filter_map(|&n| standard.get(&black_box(key(n))))
            .map(|&n| u64::from(n))
            .sum()
    });
    measure("hashbrown, foldhash (not flood-safe)", &|slice| {
        slice
            .iter()
            .filter_map(|&n| brown.get(&black_box(key(n))))
            .map(|&n| u64::from(n))
            .sum()
    });
}

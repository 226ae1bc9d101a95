//! What each stage of a packet's way costs, and what a miss costs with how many rules.
//!
//! `cargo bench -p dataplane --bench stages`. The data is warm: these are instructions, not cache
//! misses, which `forwarding` shows.

mod lab;

use core::hint::black_box;
use core::net::Ipv4Addr;
use std::time::Instant as Wall;

use dataplane::bench::{Rewrite, decides_to_open, parse};
use dataplane::{
    AccessList, Ace, AclId, Action, AddressRange, Limits, Policy, PortMatch, Service, Transport,
};
use hal::packet::{BATCH, PacketPool};
use hal::time::Instant;
use lab::{INSIDE, OUTSIDE, SERVER, mapped, median, real, udp};

/// Runs timed together, and how often.
const RUNS: usize = 20_000;
const SLICES: usize = 50;

fn main() {
    lab::with_large_pages(bench);
}

fn bench() {
    let mut pool = PacketPool::new(1024);
    println!("stages, 64-byte UDP packets:");

    let frame = udp(INSIDE, real(0), SERVER);
    stage("parse: Ethernet, IPv4, UDP into offsets", || {
        black_box(parse(black_box(&frame)).is_ok());
    });

    let arriving = parse(&frame).expect("the frame is sound");
    let leaving = udp(INSIDE, mapped(0), SERVER);
    let rewrite = Rewrite::new(&arriving, &parse(&leaving).expect("so is this one"));
    let mut packet = lab::buffer(&mut pool, &frame);
    stage("rewrite: addresses, ports, checksums in place", || {
        rewrite.apply(black_box(&mut packet), &arriving);
    });
    pool.free(packet);

    let table = dataplane::bench::Table::new((0..1_000u64).map(|n| (n << 40 | 7, n)));
    let mut number = 0u64;
    stage("look-up, hit: hash, bucket, record of 1,000 flows", || {
        number = (number + 1) % 1_000;
        black_box(table.find(black_box((number << 40 | 7, number))));
    });

    let limits = Limits::default();
    let now = Instant::from_secs(1);
    let mut plane = lab::box_with(limits, lab::policy(), &mut pool);
    lab::exchange(&mut plane, &mut pool, INSIDE, &[frame], now);
    lab::drain(&mut plane, &mut pool);
    let nanos = time(RUNS / BATCH, || {
        let mut batch = lab::fill(&mut pool, [frame; BATCH]);
        plane.handle_batch(INSIDE, &mut batch, &mut pool, now);
        plane.drain_transmit(OUTSIDE, &mut batch);
        while let Some(frame) = batch.pop_front() {
            pool.free(frame);
        }
    });
    print(
        "full path, hit, with filling and freeing the buffer",
        nanos / BATCH as f64,
    );

    println!(
        "a miss: un-NAT, route, access list, inspection, NAT, reverse path; the last rule fits:"
    );
    for rules in [10, 1_000, 10_000] {
        let plane = lab::box_with(limits, with_rules(rules), &mut pool);
        let frame = udp(OUTSIDE, SERVER, mapped(0));
        let parsed = parse(&frame).expect("the frame is sound");
        assert!(decides_to_open(&plane, OUTSIDE, &frame, &parsed));
        let nanos = time(2_000, || {
            black_box(decides_to_open(&plane, OUTSIDE, black_box(&frame), &parsed));
        });
        print(&format!("{rules} rules"), nanos);
    }
}

/// A policy with an inbound list of `count` rules, of which only the last permits what is sent.
fn with_rules(count: u32) -> Policy {
    let mut policy = lab::policy();
    let element = |number: u32| Ace {
        source: AddressRange::host(Ipv4Addr::from_bits(0xc633_6500 + number % 251)),
        destination: AddressRange::network(Ipv4Addr::from_bits(0x0a10_0000 + number * 16), 28),
        service: Service::Ports {
            transport: if number.is_multiple_of(3) {
                Transport::Udp
            } else {
                Transport::Tcp
            },
            source: PortMatch::ANY,
            destination: PortMatch::eq((1 + number % 9_000) as u16),
        },
        ..lab::permit_all()
    };
    let mut elements: Vec<Ace> = (1..count).map(element).collect();
    elements.push(Ace {
        action: Action::Permit,
        ..lab::permit_all()
    });
    policy.access_lists.push(AccessList {
        name: "outside_in".into(),
        elements,
    });
    if let Some(interface) = policy
        .interfaces
        .iter_mut()
        .find(|interface| interface.port == OUTSIDE)
    {
        interface.access_in = Some(AclId(0));
    }
    policy
}

fn stage(name: &str, mut run: impl FnMut()) {
    print(name, time(RUNS, &mut run));
}

/// Nanoseconds a run, in the middle of the slices.
fn time(runs: usize, mut run: impl FnMut()) -> f64 {
    let slices = (0..SLICES).map(|_| {
        let start = Wall::now();
        for _ in 0..runs {
            run();
        }
        start.elapsed().as_nanos() as f64 / runs as f64
    });
    median(slices.collect())
}

fn print(name: &str, nanos: f64) {
    println!(
        "  {name:<52} {nanos:>8.1} ns ({:>7.2} million/s)",
        1_000.0 / nanos
    );
}

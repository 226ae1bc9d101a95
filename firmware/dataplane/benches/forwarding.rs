//! How fast established flows are forwarded, and what the flow table costs beside other maps.
//!
//! Prints figures, asserts nothing about time: `cargo bench -p dataplane`. One core, frames in
//! memory, 64-byte UDP packets (60 without FCS), every one translated: outbound packets of flows
//! behind PAT and their answers, alternately, each flow as often as every other, in an order that
//! no prefetcher guesses.

use core::hint::black_box;
use core::net::Ipv4Addr;
use std::collections::HashMap;
use std::time::Instant as Wall;

use dataplane::{
    AddressRange, DataPlane, Interface, Limits, MappedAddress, NatRule, NatSection, Policy, PortId,
    SourceNat,
};
use hal::nic::MacAddr;
use hal::packet::{BATCH, Batch, PacketBuf, PacketPool};
use hal::time::Instant;

const OUTSIDE: PortId = PortId(0);
const INSIDE: PortId = PortId(1);
/// Hosts are spread over a /12 behind the box, and mapped one to one into another.
const REAL: u32 = u32::from_be_bytes([10, 16, 0, 0]);
const MAPPED: u32 = u32::from_be_bytes([100, 64, 0, 0]);
const HOSTS: u32 = 1 << 20;
const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const INNER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);
const PACKETS: usize = 8_000_000;
/// Rounds, or thousands of look-ups, that are timed together.
const SLICE: usize = 50;

fn main() {
    println!("machine: {}", cpu());
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
    let mut plane = DataPlane::new(limits, *b"an unlikely key.");
    let mut pool = PacketPool::new(1024);
    let now = Instant::from_secs(1);
    plane.set_policy(policy(), &mut pool, now);
    for (port, address) in [(OUTSIDE, GATEWAY), (INSIDE, INNER)] {
        exchange(&mut plane, &mut pool, port, &[arp(port, address)], now);
    }
    drain(&mut plane, &mut pool);
    for flow in 0..flows {
        let frame = udp(INSIDE, real(flow), SERVER);
        exchange(&mut plane, &mut pool, INSIDE, &[frame], now);
        drain(&mut plane, &mut pool);
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
            sequence = sequence.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *flow = ((u64::from(sequence) * u64::from(flows)) >> 32) as u32;
        }
        let mut out = fill(
            &mut pool,
            chosen.map(|flow| udp(INSIDE, real(flow), SERVER)),
        );
        let mut back = fill(
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

/// The middle one: slices in which the machine was busy with something else do not count.
fn median(mut slices: Vec<f64>) -> f64 {
    slices.sort_by(f64::total_cmp);
    slices[slices.len() / 2]
}

fn real(flow: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(REAL + flow % HOSTS)
}

fn mapped(flow: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(MAPPED + flow % HOSTS)
}

fn policy() -> Policy {
    let interface = |port: PortId, security_level, address, prefix_len| Interface {
        port,
        name: String::new(),
        security_level,
        mac: MacAddr([2, 0, 0, 0, 0, port.0]),
        address,
        prefix_len,
        mtu: 1500,
        access_in: None,
        access_out: None,
        proxy_arp: true,
    };
    let range = |first| AddressRange {
        first: Ipv4Addr::from_bits(first),
        last: Ipv4Addr::from_bits(first + HOSTS - 1),
    };
    let route = |port, network: u32, prefix_len, gateway| dataplane::StaticRoute {
        port,
        network: Ipv4Addr::from_bits(network),
        prefix_len,
        gateway,
        metric: 1,
    };
    Policy {
        interfaces: vec![
            interface(OUTSIDE, 0, Ipv4Addr::new(203, 0, 113, 2), 28),
            interface(INSIDE, 100, Ipv4Addr::new(192, 0, 2, 1), 24),
        ],
        routes: vec![
            route(OUTSIDE, 0, 0, GATEWAY),
            route(INSIDE, REAL, 12, INNER),
        ],
        nat: vec![NatRule {
            section: NatSection::Manual,
            real_interface: Some(INSIDE),
            mapped_interface: Some(OUTSIDE),
            source: SourceNat::Static {
                real: range(REAL),
                mapped: MappedAddress::Range(range(MAPPED)),
            },
            service: None,
            destination: None,
            destination_service: None,
            unidirectional: false,
            no_proxy_arp: false,
            route_lookup: false,
            inactive: false,
            dns: false,
            net_to_net: false,
            object: String::new(),
            text: String::new(),
        }],
        ..Policy::default()
    }
}

fn fill(pool: &mut PacketPool, frames: [[u8; 60]; BATCH]) -> Batch {
    let mut batch = Batch::new();
    for frame in frames {
        assert!(batch.push_back(buffer(pool, &frame)).is_ok());
    }
    batch
}

fn buffer(pool: &mut PacketPool, bytes: &[u8]) -> PacketBuf {
    let mut frame = pool.take().expect("the pool holds more than the queues");
    assert!(frame.extend(bytes));
    frame
}

fn exchange(
    plane: &mut DataPlane,
    pool: &mut PacketPool,
    port: PortId,
    frames: &[[u8; 60]],
    now: Instant,
) {
    let mut batch = Batch::new();
    for frame in frames {
        assert!(batch.push_back(buffer(pool, frame)).is_ok());
    }
    plane.handle_batch(port, &mut batch, pool, now);
}

fn drain(plane: &mut DataPlane, pool: &mut PacketPool) {
    for port in [OUTSIDE, INSIDE] {
        let mut batch = Batch::new();
        plane.drain_transmit(port, &mut batch);
        while let Some(frame) = batch.pop_front() {
            pool.free(frame);
        }
    }
}

/// A station asks for the box's address, so that it is known.
fn arp(port: PortId, sender: Ipv4Addr) -> [u8; 60] {
    let own = if port == OUTSIDE {
        [203, 0, 113, 2]
    } else {
        [192, 0, 2, 1]
    };
    let mac = [6, 0, 0, 0, 0, port.0];
    let mut frame = [0; 60];
    frame[..6].fill(0xff);
    frame[6..12].copy_from_slice(&mac);
    frame[12..22].copy_from_slice(&[8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    frame[22..28].copy_from_slice(&mac);
    frame[28..32].copy_from_slice(&sender.octets());
    frame[38..42].copy_from_slice(&own);
    frame
}

fn udp(port: PortId, source: Ipv4Addr, destination: Ipv4Addr) -> [u8; 60] {
    let mut frame = [0; 60];
    frame[..6].copy_from_slice(&[2, 0, 0, 0, 0, port.0]);
    frame[6..12].copy_from_slice(&[6, 0, 0, 0, 0, port.0]);
    frame[12..16].copy_from_slice(&[8, 0, 0x45, 0]);
    frame[17] = 46;
    frame[22..24].copy_from_slice(&[64, 17]);
    frame[26..30].copy_from_slice(&source.octets());
    frame[30..34].copy_from_slice(&destination.octets());
    let mut sum: u32 = frame[14..34]
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    frame[24..26].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    frame[34..38].copy_from_slice(&[0x13, 0xc4, 0x13, 0xc4]);
    frame[39] = 26;
    frame[40..42].copy_from_slice(&[0x12, 0x34]);
    frame
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
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((u64::from(state) * u64::from(entries)) >> 32) as u32
            })
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

fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    model.map_or("unknown".into(), |line| {
        line.trim_start_matches([' ', '\t', ':']).into()
    })
}

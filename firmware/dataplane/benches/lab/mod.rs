//! What the benchmarks share: a box between two networks, frames, and large pages.
//!
//! The firmware maps its memory with pages of 2 MiB. So that a process of this system pays for
//! memory what the box pays, [`with_large_pages`] starts the benchmark again with an allocator that
//! asks for them.
#![allow(dead_code, reason = "each benchmark uses its part")]

use core::net::Ipv4Addr;

use dataplane::{
    AddressRange, DataPlane, Interface, MappedAddress, NatRule, NatSection, Policy, PortId,
    SourceNat,
};
use hal::nic::MacAddr;
use hal::packet::{BATCH, Batch, PacketBuf, PacketPool};
use hal::time::Instant;

pub(crate) const OUTSIDE: PortId = PortId(0);
pub(crate) const INSIDE: PortId = PortId(1);
/// Hosts are spread over a /12 behind the box, and mapped one to one into another.
const REAL: u32 = u32::from_be_bytes([10, 16, 0, 0]);
const MAPPED: u32 = u32::from_be_bytes([100, 64, 0, 0]);
pub(crate) const HOSTS: u32 = 1 << 20;
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const INNER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);

/// The setting of glibc's allocator that makes it ask for large pages.
const TUNABLES: &str = "GLIBC_TUNABLES";
const LARGE_PAGES: &str = "glibc.malloc.hugetlb=1";

/// Runs `bench` in a process whose large tables lie in large pages, and tells which machine this is.
pub(crate) fn with_large_pages(bench: fn()) {
    let is_set = std::env::var(TUNABLES).is_ok_and(|value| value == LARGE_PAGES);
    if is_set {
        println!("machine: {}, large pages", cpu());
        return bench();
    }
    let again = std::env::current_exe().and_then(|program| {
        std::process::Command::new(program)
            .env(TUNABLES, LARGE_PAGES)
            .status()
    });
    match again {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => {
            println!("machine: {}, small pages ({error})", cpu());
            bench();
        }
    }
}

/// A box with both neighbours known.
pub(crate) fn box_with(
    limits: dataplane::Limits,
    policy: Policy,
    pool: &mut PacketPool,
) -> DataPlane {
    let now = Instant::from_secs(1);
    let mut plane = DataPlane::new(limits, *b"an unlikely key.");
    plane.set_policy(policy, pool, now);
    for (port, address) in [(OUTSIDE, GATEWAY), (INSIDE, INNER)] {
        exchange(&mut plane, pool, port, &[arp(port, address)], now);
    }
    drain(&mut plane, pool);
    plane
}

/// Where reads of random places go next: a linear congruential generator over `0..below`.
pub(crate) fn next(state: &mut u32, below: u32) -> u32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    ((u64::from(*state) * u64::from(below)) >> 32) as u32
}

/// The middle one: slices in which the machine was busy with something else do not count.
pub(crate) fn median(mut slices: Vec<f64>) -> f64 {
    slices.sort_by(f64::total_cmp);
    slices[slices.len() / 2]
}

pub(crate) fn real(flow: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(REAL + flow % HOSTS)
}

pub(crate) fn mapped(flow: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(MAPPED + flow % HOSTS)
}

pub(crate) fn policy() -> Policy {
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
        access_control: None,
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
            real_interface: Some(INSIDE),
            mapped_interface: Some(OUTSIDE),
            ..NatRule::new(
                NatSection::Manual,
                SourceNat::Static {
                    real: vec![range(REAL)],
                    mapped: MappedAddress::range(range(MAPPED)),
                },
            )
        }],
        ..Policy::default()
    }
}

pub(crate) fn fill(pool: &mut PacketPool, frames: [[u8; 60]; BATCH]) -> Batch {
    let mut batch = Batch::new();
    for frame in frames {
        assert!(batch.push_back(buffer(pool, &frame)).is_ok());
    }
    batch
}

pub(crate) fn buffer(pool: &mut PacketPool, bytes: &[u8]) -> PacketBuf {
    let mut frame = pool.take().expect("the pool holds more than the queues");
    assert!(frame.extend(bytes));
    frame
}

pub(crate) fn exchange(
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

pub(crate) fn drain(plane: &mut DataPlane, pool: &mut PacketPool) {
    for port in [OUTSIDE, INSIDE] {
        let mut batch = Batch::new();
        plane.drain_transmit(port, &mut batch);
        while let Some(frame) = batch.pop_front() {
            pool.free(frame);
        }
    }
}

/// A station asks for the box's address, so that it is known.
pub(crate) fn arp(port: PortId, sender: Ipv4Addr) -> [u8; 60] {
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

pub(crate) fn udp(port: PortId, source: Ipv4Addr, destination: Ipv4Addr) -> [u8; 60] {
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

pub(crate) fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    model.map_or("unknown".into(), |line| {
        line.trim_start_matches([' ', '\t', ':']).into()
    })
}

/// An element that lets everything through; a base for others.
pub(crate) fn permit_all() -> dataplane::Ace {
    dataplane::Ace {
        action: dataplane::Action::Permit,
        source: AddressRange::ANY,
        destination: AddressRange::ANY,
        service: dataplane::Service::Any,
        log: dataplane::AceLog::Default,
        is_active: true,
    }
}

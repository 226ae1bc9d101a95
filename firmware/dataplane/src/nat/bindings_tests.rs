//! Bindings by themselves: ports and addresses given and taken back.

use super::*;
use crate::policy::{AddressRange, PoolOptions};
use crate::wire::{PROTOCOL_TCP, PROTOCOL_UDP};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const SHARED: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const INTERFACE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);

fn endpoint(host: u8, service: u16) -> Endpoint {
    Endpoint {
        protocol: PROTOCOL_UDP,
        address: Ipv4Addr::new(192, 0, 2, host),
        service,
        real_port: PortId(1),
        mapped_port: PortId(0),
    }
}

fn range(first: u8, last: u8) -> AddressRange {
    AddressRange {
        first: Ipv4Addr::new(203, 0, 113, first),
        last: Ipv4Addr::new(203, 0, 113, last),
    }
}

/// Bindings with one pool.
struct Bench {
    table: Bindings,
    whole: Vec<AddressRange>,
    shared: Vec<AddressRange>,
    has_interface: bool,
    options: PoolOptions,
    state: PoolState,
    random: Random,
    now: Tick,
}

impl Bench {
    fn new(whole: &[AddressRange], shared: &[AddressRange], options: PoolOptions) -> Self {
        let key = HashKey::new([3; 16]);
        let mut bench = Self {
            table: Bindings::new(64, key),
            whole: whole.to_vec(),
            shared: shared.to_vec(),
            has_interface: false,
            options,
            state: PoolState::default(),
            random: Random::new(key),
            now: 0,
        };
        bench.begin_policy();
        bench
    }

    fn plain() -> Self {
        Self::new(&[], &[AddressRange::host(SHARED)], PoolOptions::default())
    }

    fn with_capacity(mut self, capacity: u32) -> Self {
        self.table = Bindings::new(capacity, HashKey::new([3; 16]));
        self.begin_policy();
        self
    }

    fn begin_policy(&mut self) {
        self.table.begin_policy();
        let pool = Pool {
            whole: &self.whole,
            shared: &self.shared,
            interface: Some(INTERFACE),
            options: self.options,
        };
        for address in (0..=pool.shared_count()).filter_map(|place| pool.shared_at(place)) {
            let options = if address == INTERFACE {
                PoolOptions::default()
            } else {
                self.options
            };
            self.table.shared.share(address, options, 0);
        }
        self.table.shared.end_policy();
    }

    fn bind_to(
        &mut self,
        endpoint: Endpoint,
        destination: (Ipv4Addr, u16),
        is_per_session: bool,
    ) -> Result<Bound, BindError> {
        let request = Request {
            endpoint,
            destination,
            traits: Traits {
                is_per_session,
                ..Traits::default()
            },
        };
        let pool = Pool {
            whole: &self.whole,
            shared: &self.shared,
            interface: self.has_interface.then_some(INTERFACE),
            options: self.options,
        };
        self.table
            .bind(&request, &pool, &mut self.state, &mut self.random, self.now)
    }

    fn bind(&mut self, endpoint: Endpoint) -> Result<(u32, u16), BindError> {
        self.bind_to(endpoint, (Ipv4Addr::new(198, 51, 100, 1), 9), true)
            .map(|bound| (bound.index, bound.service))
    }

    fn address(&mut self, host: u8, service: u16) -> Option<u8> {
        self.bind_to(
            endpoint(host, service),
            (Ipv4Addr::new(198, 51, 100, 1), 9),
            true,
        )
        .ok()
        .map(|bound| bound.address.octets()[3])
    }

    fn release(&mut self, index: u32) {
        let linger = Linger {
            port: 300,
            address: 108_000,
        };
        self.table.release(index, linger, self.now);
    }

    fn in_use(&self) -> u32 {
        self.table.usage().in_use
    }
}

#[test]
fn one_endpoint_keeps_one_port_and_another_gets_another() {
    let mut bench = Bench::plain();
    let first = bench.bind(endpoint(1, 5000));
    assert_eq!(first, Ok((0, 5000)));
    assert_eq!(bench.bind(endpoint(1, 5000)), first);
    let other = bench.bind(endpoint(2, 5000)).expect("ports are left");
    assert_ne!(other.1, 5000);
    // Two flows hold the first: it goes with the second of them.
    bench.release(0);
    assert_eq!(bench.in_use(), 2);
    bench.release(0);
    assert_eq!(bench.in_use(), 1);
    assert_eq!(
        bench.bind(endpoint(3, 5000)).map(|(_, port)| port),
        Ok(5000)
    );
}

#[test]
fn a_multi_session_binding_stays_its_time() {
    let mut bench = Bench::plain();
    let to = (Ipv4Addr::new(198, 51, 100, 1), 9);
    assert!(bench.bind_to(endpoint(1, 5000), to, false).is_ok());
    bench.now = 100;
    bench.release(0);
    bench.table.run_due(399, |_| unreachable!("not yet"));
    assert_eq!(bench.in_use(), 1);
    assert_eq!(bench.bind(endpoint(1, 5000)), Ok((0, 5000)));
    assert_eq!(bench.table.next_deadline(), None);
    bench.now = 500;
    bench.release(0);
    let mut gone = Vec::new();
    bench
        .table
        .run_due(800, |binding| gone.push((binding.mapped, binding.created)));
    assert_eq!(gone, [((SHARED, 5000), 0)]);
    assert_eq!(bench.in_use(), 0);
}

#[test]
fn a_protocol_without_ports_cannot_share_and_a_full_table_says_so() {
    let mut bench = Bench::plain();
    let esp = Endpoint {
        protocol: 50,
        ..endpoint(1, 0)
    };
    assert_eq!(bench.bind(esp), Err(BindError::Untranslatable));
    assert_eq!(bench.state.exhausted, 0);
    for n in 0..64 {
        assert!(bench.bind(endpoint(1, 2000 + n)).is_ok());
    }
    assert_eq!(bench.bind(endpoint(1, 9)), Err(BindError::Exhausted));
    assert_eq!(bench.state.exhausted, 1);
}

#[test]
fn a_host_keeps_its_whole_address_and_the_others_fall_back() {
    let mut bench = Bench::new(
        &[range(20, 21)],
        &[AddressRange::host(SHARED)],
        PoolOptions::default(),
    );
    bench.has_interface = true;
    assert_eq!(bench.address(1, 5000), Some(20));
    assert_eq!(bench.address(2, 5000), Some(21));
    // Ports stay as they are, protocols without ports pass, and it is one translation.
    assert_eq!(bench.bind(endpoint(1, 7)), Ok((0, 7)));
    let esp = Endpoint {
        protocol: 50,
        ..endpoint(1, 0)
    };
    assert_eq!(bench.bind(esp), Ok((0, 0)));
    assert_eq!(bench.in_use(), 2);
    assert_eq!(bench.address(3, 5000), Some(10));
    assert_eq!(
        bench.bind(Endpoint {
            protocol: 50,
            ..endpoint(3, 0)
        }),
        Err(BindError::Untranslatable)
    );
    // It is reachable by it, and nobody else is.
    let holder = |bench: &Bench, last| {
        let address = Ipv4Addr::new(203, 0, 113, last);
        bench.table.holder(PortId(0), address)
    };
    let host = endpoint(1, 0).address;
    assert_eq!(holder(&bench, 20), Some((0, host, PortId(1))));
    assert_eq!(holder(&bench, 22), None);
    // After its last flow it stays three hours.
    for _ in 0..3 {
        bench.release(0);
    }
    bench.table.run_due(107_999, drop);
    assert_eq!(bench.address(4, 1), Some(10));
    bench.table.run_due(108_000, drop);
    assert_eq!(holder(&bench, 20), None);
    assert_eq!(bench.address(4, 2), Some(20));
    // Who has a port keeps it, though an address is free again.
    assert_eq!(bench.address(3, 5000), Some(10));
}

#[test]
fn an_address_that_a_static_rule_maps_is_given_to_nobody() {
    let mut bench = Bench::new(&[range(20, 22)], &[], PoolOptions::default());
    bench.table.begin_policy();
    bench.table.shared.withhold(&[range(20, 20), range(22, 30)]);
    bench.table.shared.end_policy();
    assert_eq!(bench.address(1, 1), Some(21));
    assert_eq!(bench.address(2, 1), None);
    assert_eq!(bench.address(2, 1), None);
    assert_eq!(bench.state.exhausted, 2);
    bench.begin_policy();
    assert_eq!(bench.address(2, 1), Some(22));
}

#[test]
fn pools_fill_one_address_before_the_next_and_the_interface_last() {
    let mut bench = Bench::new(&[], &[range(10, 11)], PoolOptions::default()).with_capacity(4096);
    bench.has_interface = true;
    // The lowest tier of two addresses and of the interface, which nothing reserves here.
    let mut seen = BTreeMap::new();
    for n in 0..3 * 511u16 {
        let (host, port) = ((n / 511) as u8, 1 + n % 511);
        *seen.entry(bench.address(host, port)).or_insert(0) += 1;
        if n == 510 {
            assert_eq!(seen.len(), 1);
        }
    }
    assert_eq!(
        seen,
        BTreeMap::from([(Some(10), 511), (Some(11), 511), (Some(2), 511)])
    );
    assert_eq!(bench.address(9, 1), None);
    assert_eq!(bench.address(9, 1024), Some(10));
    let allocated: u32 = bench.table.pools().iter().map(|pool| pool.allocated).sum();
    assert_eq!(allocated, 3 * 511 + 1);
}

#[test]
fn round_robin_serves_hosts_in_turn_and_each_stays_where_it_is() {
    let options = PoolOptions {
        round_robin: true,
        ..PoolOptions::default()
    };
    let mut bench = Bench::new(&[], &[range(10, 12)], options).with_capacity(4096);
    for (host, expected) in [(1, 10), (2, 11), (3, 12), (4, 10), (2, 11), (1, 10)] {
        assert_eq!(bench.address(host, 4000 + u16::from(host)), Some(expected));
    }
    assert_eq!(bench.address(2, 9), Some(11));
    // The records of hosts are no translations.
    assert_eq!(bench.in_use(), 5);
    // While the ports of its address last; then the next one.
    for port in 1..=511 {
        assert!(bench.address(5, port).is_some());
    }
    let moved = (1..=511)
        .filter(|&port| bench.address(2, port) != Some(11))
        .count();
    assert_eq!(moved, 510);
    // A host without bindings is forgotten.
    let mut bench = Bench::new(&[], &[range(10, 11)], options);
    let (index, _) = bench.bind(endpoint(1, 1)).expect("ports are left");
    bench.release(index);
    assert_eq!(bench.address(1, 1), Some(11));
}

#[test]
fn extended_pools_give_a_port_once_for_each_destination() {
    let options = PoolOptions {
        extended: true,
        ..PoolOptions::default()
    };
    let mut bench = Bench::new(&[], &[AddressRange::host(SHARED)], options);
    let to = |host: u8| (Ipv4Addr::new(198, 51, 100, host), 443);
    let mut port = |host: u8, destination: u8| {
        bench
            .bind_to(endpoint(host, 5000), to(destination), true)
            .map(|bound| bound.service)
    };
    assert_eq!(port(1, 1), Ok(5000));
    assert_eq!(port(1, 2), Ok(5000));
    assert_eq!(port(2, 3), Ok(5000));
    let other = port(2, 1).expect("ports are left");
    assert_ne!(other, 5000);
    assert_eq!(port(2, 1), Ok(other));
    let pools = bench.table.pools();
    let udp: Vec<_> = pools
        .iter()
        .filter(|pool| pool.protocol == Some(PROTOCOL_UDP) && pool.first_address == SHARED)
        .map(|pool| pool.allocated)
        .collect();
    assert_eq!(udp, [0, 0, 4]);
    // A port bound before, for everybody, stays out of reach.
    let mut bench = Bench::plain();
    assert_eq!(bench.bind(endpoint(1, 5000)), Ok((0, 5000)));
    bench.options = options;
    bench.begin_policy();
    let bound = bench.bind_to(endpoint(2, 5000), to(1), true);
    assert!(bound.is_ok_and(|bound| bound.service != 5000));
}

/// The kinds of pool that the laws below hold for.
fn benches() -> impl Strategy<Value = (PoolOptions, bool, bool)> {
    (any::<[bool; 4]>(), any::<bool>(), any::<bool>()).prop_map(|(options, whole, interface)| {
        let [round_robin, extended, flat, include_reserve] = options;
        let options = PoolOptions {
            round_robin,
            extended,
            flat,
            include_reserve,
        };
        (options, whole, interface && !extended)
    })
}

proptest! {
    /// Whatever comes and goes, in whatever pool: no two endpoints are seen as one (by one
    /// destination, if the pool is extended), one endpoint keeps what it has, counts are right.
    #[test]
    fn what_is_mapped_is_unique(
        (options, has_whole, has_interface) in benches(),
        steps in prop::collection::vec(
            (0u8..8, 1020u16..1028, 0u8..3, any::<bool>(), 0u32..40_000, any::<bool>()),
            1..300,
        ),
    ) {
        let whole = [range(20, 21)];
        let whole = if has_whole { &whole[..] } else { &[] };
        let mut bench = Bench::new(whole, &[range(10, 11)], options);
        bench.has_interface = has_interface;
        // What each endpoint has, and how many flows use it.
        let mut held: BTreeMap<(u8, u16, u8), (Bound, u32)> = BTreeMap::new();
        for (host, service, destination, is_bind, wait, is_tcp) in steps {
            bench.now += wait;
            bench.table.run_due(bench.now, drop);
            let to = (Ipv4Addr::new(198, 51, 100, destination), 9);
            let mut who = endpoint(host, service);
            if is_tcp {
                who.protocol = PROTOCOL_TCP;
            }
            let key = (host, service, destination | u8::from(is_tcp) << 7);
            if is_bind {
                if let Ok(bound) = bench.bind_to(who, to, destination == 0) {
                    let entry = held.entry(key).or_insert((bound, 0));
                    prop_assert_eq!(entry.0, bound);
                    entry.1 += 1;
                }
            } else if let Some((bound, flows)) = held.get_mut(&key) {
                let index = bound.index;
                *flows -= 1;
                if *flows == 0 {
                    held.remove(&key);
                }
                bench.release(index);
            }
            let mut mapped = BTreeMap::new();
            for (&(host, service, destination), (bound, _)) in &held {
                let protocol = destination >> 7;
                let seen_by = options.extended.then_some(destination & 0x7f);
                let seen = (protocol, bound.address, bound.service, seen_by);
                prop_assert_eq!(*mapped.entry(seen).or_insert((host, service)), (host, service));
            }
            let indices: BTreeSet<u32> = held.values().map(|(bound, _)| bound.index).collect();
            prop_assert!(bench.in_use() as usize >= indices.len());
            prop_assert_eq!(bench.in_use() as usize, bench.table.iter().count());
        }
        // Nothing is left behind.
        for (bound, flows) in held.into_values() {
            for _ in 0..flows {
                bench.release(bound.index);
            }
        }
        bench.table.run_due(bench.now + 200_000, drop);
        prop_assert_eq!(bench.in_use(), 0);
        prop_assert!(bench.table.pools().iter().all(|pool| pool.allocated == 0));
        let records = (0..64).filter(|&n| bench.bind(endpoint(1, 2000 + n)).is_ok()).count();
        // A host of a round-robin pool takes a record of its own; extended ones stand in the index
        // twice, which such a small one has no room for.
        let least = if options.extended { 40 } else { 63 };
        prop_assert!(records >= least, "{}", records);
    }
}

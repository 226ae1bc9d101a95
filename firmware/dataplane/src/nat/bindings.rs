//! Dynamic bindings (xlates): a real endpoint holds a port of a shared address.
//!
//! A binding belongs to the real endpoint, not to a flow: every flow of one host and port is seen
//! outside from one port, whatever its destination (RFC 4787 REQ-1), and no other host is. It lives
//! while flows use it; a multi-session one stays for `timeout pat-xlate` more.

use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::ops::Range;

use super::ports::{ICMP_TIER, Ports, TIERS};
use crate::buckets::Buckets;
use crate::flow::NONE;
use crate::hash::{HashKey, Random};
use crate::policy::{AddressRange, PortId};
use crate::view::{PoolView, Usage};
use crate::wheel::{Tick, Wheel};
use crate::wire::{PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP};

/// Why there is no binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BindError {
    /// No port of the tier is free on any address of the pool, or the table is full.
    Exhausted,
    /// The protocol has no ports.
    Untranslatable,
}

/// Who wants a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) protocol: u8,
    pub(crate) address: Ipv4Addr,
    pub(crate) service: u16,
    /// Where the real host is.
    pub(crate) real_port: PortId,
    /// Where it is seen translated.
    pub(crate) mapped_port: PortId,
}

/// A binding.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) endpoint: Endpoint,
    pub(crate) mapped_service: u16,
    pub(crate) is_per_session: bool,
    pub(crate) is_twice: bool,
    /// Index of the shared address.
    pool: u16,
    /// Flows that use it.
    pub(crate) flows: u32,
    pub(crate) last_used: Tick,
    created: Tick,
    is_live: bool,
    next_free: u32,
}

/// What is told of a binding that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) endpoint: Endpoint,
    /// Shared address and port.
    pub(crate) mapped: (Ipv4Addr, u16),
    pub(crate) created: Tick,
}

/// A shared address.
struct SharedAddress {
    address: Ipv4Addr,
    /// TCP, UDP, ICMP.
    ports: [Ports; 3],
    /// Whether the present policy shares it.
    is_current: bool,
}

/// All bindings and the ports they hold.
pub(crate) struct Bindings {
    bindings: Vec<Binding>,
    index: Buckets,
    timers: Wheel,
    shared: Vec<SharedAddress>,
    key: HashKey,
    free: u32,
    in_use: u32,
    most_used: u32,
    /// Since the start.
    made: u64,
}

const PROTOCOLS: [u8; 3] = [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP];

fn slot_of(protocol: u8) -> Option<usize> {
    PROTOCOLS.iter().position(|&known| known == protocol)
}

impl Bindings {
    pub(crate) fn new(capacity: u32, key: HashKey) -> Self {
        let capacity = capacity.min(u32::MAX / 4);
        let unused = Binding {
            endpoint: Endpoint {
                protocol: 0,
                address: Ipv4Addr::UNSPECIFIED,
                service: 0,
                real_port: PortId(0),
                mapped_port: PortId(0),
            },
            mapped_service: 0,
            is_per_session: false,
            is_twice: false,
            pool: 0,
            flows: 0,
            last_used: 0,
            created: 0,
            is_live: false,
            next_free: NONE,
        };
        let mut bindings = alloc::vec![unused; capacity as usize];
        for (next, binding) in (1..).zip(&mut bindings) {
            binding.next_free = if next < capacity { next } else { NONE };
        }
        Self {
            bindings,
            index: Buckets::new(capacity as usize),
            timers: Wheel::new(capacity as usize),
            shared: Vec::new(),
            key,
            free: if capacity == 0 { NONE } else { 0 },
            in_use: 0,
            most_used: 0,
            made: 0,
        }
    }

    /// Bytes that a table of `capacity` bindings takes, shared addresses (48 KiB each) apart.
    pub(crate) const fn memory_bytes(capacity: u32) -> usize {
        let capacity = capacity as usize;
        capacity * (size_of::<Binding>() + Wheel::ENTRY_BYTES) + Buckets::memory_bytes(capacity)
    }

    /// Begins a new policy: no address is shared, nothing is reserved; bindings stay.
    pub(crate) fn begin_policy(&mut self) {
        for shared in &mut self.shared {
            shared.is_current = false;
            for ports in &mut shared.ports {
                ports.reserved_mut().clear();
            }
        }
    }

    /// Shares `address` under the present policy.
    pub(crate) fn share(&mut self, address: Ipv4Addr) {
        if let Some(shared) = self
            .shared
            .iter_mut()
            .find(|shared| shared.address == address)
        {
            shared.is_current = true;
            return;
        }
        // The place of an address that nobody shares or uses any more, else a new one.
        let is_idle = |shared: &SharedAddress| {
            !shared.is_current && shared.ports.iter().all(|ports| ports.taken().is_empty())
        };
        match self.shared.iter_mut().find(|shared| is_idle(shared)) {
            Some(shared) => {
                shared.address = address;
                shared.is_current = true;
            }
            None => self.shared.push(SharedAddress {
                address,
                ports: core::array::from_fn(|_| Ports::new()),
                is_current: true,
            }),
        }
    }

    /// Keeps `first..=last` of `protocol` on the shared ones of `addresses` out of the hands of
    /// [`bind`](Self::bind).
    pub(crate) fn reserve(&mut self, addresses: AddressRange, protocol: u8, first: u16, last: u16) {
        let Some(slot) = slot_of(protocol) else {
            return;
        };
        for shared in self
            .shared
            .iter_mut()
            .filter(|shared| addresses.contains(shared.address))
        {
            shared.ports[slot].reserved_mut().insert_range(first, last);
        }
    }

    /// Whether `address` is shared by port.
    pub(crate) fn is_shared(&self, address: Ipv4Addr) -> bool {
        self.shared
            .iter()
            .any(|shared| shared.is_current && shared.address == address)
    }

    fn hash(&self, endpoint: &Endpoint, pool: u16) -> u64 {
        let who = u64::from(endpoint.address.to_bits()) << 32
            | u64::from(endpoint.service) << 16
            | u64::from(endpoint.protocol);
        let place = u64::from(pool) << 16
            | u64::from(endpoint.real_port.0) << 8
            | u64::from(endpoint.mapped_port.0)
            | 1 << 62;
        self.key.hash(who, place)
    }

    /// The binding of `endpoint` on one of `addresses`, made on the first that has a free port if
    /// there is none. It counts one flow more.
    pub(crate) fn bind(
        &mut self,
        endpoint: Endpoint,
        addresses: impl Iterator<Item = Ipv4Addr> + Clone,
        is_per_session: bool,
        is_twice: bool,
        random: &mut Random,
        now: Tick,
    ) -> Result<(u32, Ipv4Addr, u16), BindError> {
        let slot = slot_of(endpoint.protocol).ok_or(BindError::Untranslatable)?;
        let is_icmp = endpoint.protocol == PROTOCOL_ICMP;
        for address in addresses.clone() {
            let Some(pool) = self.pool_of(address) else {
                continue;
            };
            let found = self.index.find(self.hash(&endpoint, pool), |index| {
                self.bindings
                    .get(index as usize)
                    .is_some_and(|binding| binding.pool == pool && binding.endpoint == endpoint)
            });
            if let Some(index) = found
                && let Some(binding) = self.bindings.get_mut(index as usize)
            {
                binding.flows += 1;
                binding.last_used = now;
                self.timers.cancel(index);
                return Ok((index, address, binding.mapped_service));
            }
        }
        let index = self.free;
        let next_free = self
            .bindings
            .get(index as usize)
            .ok_or(BindError::Exhausted)?
            .next_free;
        for address in addresses {
            let Some(pool) = self.pool_of(address) else {
                continue;
            };
            let hash = self.hash(&endpoint, pool);
            let Some(ports) = self
                .shared
                .get_mut(usize::from(pool))
                .and_then(|shared| shared.ports.get_mut(slot))
            else {
                continue;
            };
            let draw = (random.next() >> 32) as u32;
            let Some(mapped_service) = ports.take(endpoint.service, is_icmp, draw) else {
                continue;
            };
            if !self.index.insert(hash, index) {
                ports.give_back(mapped_service);
                return Err(BindError::Exhausted);
            }
            if let Some(binding) = self.bindings.get_mut(index as usize) {
                *binding = Binding {
                    endpoint,
                    mapped_service,
                    is_per_session,
                    is_twice,
                    pool,
                    flows: 1,
                    last_used: now,
                    created: now,
                    is_live: true,
                    next_free: NONE,
                };
            }
            self.free = next_free;
            self.in_use += 1;
            self.made += 1;
            self.most_used = self.most_used.max(self.in_use);
            return Ok((index, address, mapped_service));
        }
        Err(BindError::Exhausted)
    }

    /// What [`bind`](Self::bind) would give; nothing is changed.
    pub(crate) fn peek(
        &self,
        endpoint: &Endpoint,
        addresses: impl Iterator<Item = Ipv4Addr> + Clone,
        mut random: Random,
    ) -> Result<(Ipv4Addr, u16), BindError> {
        let slot = slot_of(endpoint.protocol).ok_or(BindError::Untranslatable)?;
        let pools = addresses.filter_map(|address| Some((address, self.pool_of(address)?)));
        let standing = pools.clone().find_map(|(address, pool)| {
            let index = self.index.find(self.hash(endpoint, pool), |index| {
                self.bindings
                    .get(index as usize)
                    .is_some_and(|binding| binding.pool == pool && binding.endpoint == *endpoint)
            })?;
            Some((address, self.bindings.get(index as usize)?.mapped_service))
        });
        if let Some(standing) = standing {
            return Ok(standing);
        }
        if self.free == NONE {
            return Err(BindError::Exhausted);
        }
        let is_icmp = endpoint.protocol == PROTOCOL_ICMP;
        pools
            .filter_map(|(address, pool)| {
                let ports = self.shared.get(usize::from(pool))?.ports.get(slot)?;
                let draw = (random.next() >> 32) as u32;
                Some((address, ports.peek(endpoint.service, is_icmp, draw)?))
            })
            .next()
            .ok_or(BindError::Exhausted)
    }

    fn pool_of(&self, address: Ipv4Addr) -> Option<u16> {
        let index = self
            .shared
            .iter()
            .position(|shared| shared.address == address)?;
        u16::try_from(index).ok()
    }

    /// One flow less uses the binding at `index`. It goes now, and is returned, or after `linger`.
    pub(crate) fn release(&mut self, index: u32, linger: Tick, now: Tick) -> Option<Gone> {
        let binding = self.bindings.get_mut(index as usize)?;
        if !binding.is_live {
            return None;
        }
        binding.flows = binding.flows.saturating_sub(1);
        binding.last_used = now;
        if binding.flows > 0 {
            return None;
        }
        if binding.is_per_session {
            self.remove(index)
        } else {
            self.timers.set(index, now.saturating_add(linger));
            None
        }
    }

    fn remove(&mut self, index: u32) -> Option<Gone> {
        let binding = self
            .bindings
            .get(index as usize)
            .filter(|binding| binding.is_live)?;
        let (endpoint, pool, service) = (binding.endpoint, binding.pool, binding.mapped_service);
        let created = binding.created;
        let address = self
            .shared
            .get(usize::from(pool))
            .map_or(Ipv4Addr::UNSPECIFIED, |shared| shared.address);
        let hash = self.hash(&endpoint, pool);
        self.index.remove(hash, index);
        self.timers.cancel(index);
        if let (Some(shared), Some(slot)) = (
            self.shared.get_mut(usize::from(pool)),
            slot_of(endpoint.protocol),
        ) {
            shared.ports[slot].give_back(service);
        }
        if let Some(binding) = self.bindings.get_mut(index as usize) {
            binding.is_live = false;
            binding.next_free = self.free;
        }
        self.free = index;
        self.in_use -= 1;
        Some(Gone {
            endpoint,
            mapped: (address, service),
            created,
        })
    }

    /// Ends the bindings whose time is over; each is told to `ended`.
    pub(crate) fn run_due(&mut self, now: Tick, mut ended: impl FnMut(Gone)) {
        while let Some(index) = self.timers.pop_due(now) {
            self.remove(index).into_iter().for_each(&mut ended);
        }
    }

    /// Ends the bindings that no flow uses, of the real addresses that `which` chooses; each is told to
    /// `ended`.
    pub(crate) fn clear_unused(
        &mut self,
        which: impl Fn(Ipv4Addr) -> bool,
        mut ended: impl FnMut(Gone),
    ) {
        for index in 0..self.bindings.len() as u32 {
            if self
                .bindings
                .get(index as usize)
                .is_some_and(|binding| binding.flows == 0 && which(binding.endpoint.address))
            {
                self.remove(index).into_iter().for_each(&mut ended);
            }
        }
    }

    /// When [`run_due`](Self::run_due) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Tick> {
        self.timers.next()
    }

    /// The bindings among the records `records`, with their shared addresses.
    pub(crate) fn iter_within(
        &self,
        records: Range<u32>,
    ) -> impl Iterator<Item = (&Binding, Ipv4Addr)> {
        let end = (records.end as usize).min(self.bindings.len());
        self.bindings
            .get(records.start as usize..end)
            .unwrap_or_default()
            .iter()
            .filter(|binding| binding.is_live)
            .filter_map(|binding| {
                Some((binding, self.shared.get(usize::from(binding.pool))?.address))
            })
    }

    /// Use of the shared addresses, by protocol and tier.
    pub(crate) fn pools(&self) -> impl Iterator<Item = PoolView> + '_ {
        self.shared
            .iter()
            .filter(|shared| shared.is_current)
            .flat_map(|shared| {
                PROTOCOLS
                    .iter()
                    .zip(&shared.ports)
                    .flat_map(move |(&protocol, ports)| {
                        let tiers = if protocol == PROTOCOL_ICMP {
                            &[ICMP_TIER][..]
                        } else {
                            &TIERS[..]
                        };
                        tiers.iter().map(move |&(first, last)| PoolView {
                            protocol,
                            address: shared.address,
                            first,
                            last,
                            allocated: ports.taken().count(first, last),
                        })
                    })
            })
    }

    /// How many were made since the start.
    pub(crate) const fn made(&self) -> u64 {
        self.made
    }

    pub(crate) fn usage(&self) -> Usage {
        Usage {
            in_use: self.in_use,
            most_used: self.most_used,
            limit: self.bindings.len() as u32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const SHARED: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

    fn endpoint(host: u8, service: u16) -> Endpoint {
        Endpoint {
            protocol: PROTOCOL_UDP,
            address: Ipv4Addr::new(192, 0, 2, host),
            service,
            real_port: PortId(1),
            mapped_port: PortId(0),
        }
    }

    fn bindings() -> (Bindings, Random) {
        let key = HashKey::new([3; 16]);
        let mut bindings = Bindings::new(64, key);
        bindings.share(SHARED);
        (bindings, Random::new(key))
    }

    fn bind(
        (bindings, random): &mut (Bindings, Random),
        endpoint: Endpoint,
        per_session: bool,
    ) -> Result<(u32, u16), BindError> {
        bindings
            .bind(
                endpoint,
                core::iter::once(SHARED),
                per_session,
                false,
                random,
                0,
            )
            .map(|(index, _, service)| (index, service))
    }

    #[test]
    fn one_endpoint_keeps_one_port_and_another_gets_another() {
        let mut table = bindings();
        let first = bind(&mut table, endpoint(1, 5000), true);
        assert_eq!(first, Ok((0, 5000)));
        assert_eq!(bind(&mut table, endpoint(1, 5000), true), first);
        let other = bind(&mut table, endpoint(2, 5000), true).expect("ports are left");
        assert_ne!(other.1, 5000);
        // Two flows hold the first: it goes with the second of them.
        table.0.release(0, 300, 0);
        assert_eq!(table.0.usage().in_use, 2);
        table.0.release(0, 300, 0);
        assert_eq!(table.0.usage().in_use, 1);
        assert_eq!(
            bind(&mut table, endpoint(3, 5000), true).map(|(_, port)| port),
            Ok(5000)
        );
    }

    #[test]
    fn a_multi_session_binding_stays_its_time() {
        let mut table = bindings();
        assert!(bind(&mut table, endpoint(1, 5000), false).is_ok());
        table.0.release(0, 300, 100);
        table.0.run_due(399, |_| unreachable!("not yet"));
        assert_eq!(table.0.usage().in_use, 1);
        assert_eq!(bind(&mut table, endpoint(1, 5000), false), Ok((0, 5000)));
        assert_eq!(table.0.next_deadline(), None);
        table.0.release(0, 300, 500);
        let mut gone = Vec::new();
        table
            .0
            .run_due(800, |binding| gone.push((binding.mapped, binding.created)));
        assert_eq!(gone, [((SHARED, 5000), 0)]);
        assert_eq!(table.0.usage().in_use, 0);
    }

    #[test]
    fn a_protocol_without_ports_cannot_share_and_a_full_table_says_so() {
        let mut table = bindings();
        let esp = Endpoint {
            protocol: 50,
            ..endpoint(1, 0)
        };
        assert_eq!(bind(&mut table, esp, true), Err(BindError::Untranslatable));
        for n in 0..64 {
            assert!(bind(&mut table, endpoint(1, 2000 + n), true).is_ok());
        }
        assert_eq!(
            bind(&mut table, endpoint(1, 9), true),
            Err(BindError::Exhausted)
        );
    }

    proptest! {
        /// Whatever comes and goes, two endpoints never hold one mapped port.
        #[test]
        fn mapped_ports_are_unique(
            steps in prop::collection::vec((0u8..8, 1020u16..1028, any::<bool>()), 1..200),
        ) {
            let mut table = bindings();
            let mut held: BTreeMap<(u8, u16), (u32, u16, u32)> = BTreeMap::new();
            for (host, service, is_bind) in steps {
                if is_bind {
                    if let Ok((index, port)) = bind(&mut table, endpoint(host, service), true) {
                        let entry = held.entry((host, service)).or_insert((index, port, 0));
                        prop_assert_eq!((entry.0, entry.1), (index, port));
                        entry.2 += 1;
                    }
                } else if let Some(entry) = held.get_mut(&(host, service)) {
                    table.0.release(entry.0, 0, 0);
                    entry.2 -= 1;
                    if entry.2 == 0 {
                        held.remove(&(host, service));
                    }
                }
                let mut ports: Vec<u16> = held.values().map(|&(_, port, _)| port).collect();
                ports.sort_unstable();
                ports.dedup();
                prop_assert_eq!(ports.len(), held.len());
                prop_assert_eq!(table.0.usage().in_use as usize, held.len());
            }
        }
    }
}

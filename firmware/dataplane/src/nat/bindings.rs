//! Dynamic bindings (xlates): a real endpoint holds a port of a shared address, or a host holds a
//! whole address.
//!
//! A binding belongs to the real endpoint, not to a flow: every flow of one host and port is seen
//! outside from one port, whatever its destination (RFC 4787 REQ-1), and no other host is. Only
//! pools that are `extended` bind an endpoint once for each destination. A binding lives while
//! flows use it; a multi-session one stays for `timeout pat-xlate` more, an address for
//! `timeout xlate`.
//!
//! All records lie in one table. Its index knows each by its real endpoint; those that must be found
//! from the other side (addresses, and ports of `extended` pools) also by what they hold.

mod peek;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::ops::Range;

use super::list;
use super::pool::{Pool, PoolState};
use super::ports::tier_of;
use super::shared::{SharedAddresses, has_ports};
use crate::buckets::Buckets;
use crate::flow::NONE;
use crate::hash::{HashKey, Random};
use crate::policy::PortId;
use crate::view::{PoolView, Usage};
use crate::wheel::{Tick, Wheel};
use crate::wire::PROTOCOL_ICMP;

/// Why there is no binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BindError {
    /// Nothing of the pool is free, or the table is full.
    Exhausted,
    /// The protocol has no ports, and no whole address is to be had.
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

/// The destination that a binding of an `extended` pool is for; others are for [`ANYBODY`].
type Peer = (Ipv4Addr, u16);

const ANYBODY: Peer = (Ipv4Addr::UNSPECIFIED, 0);

/// A request for a binding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) endpoint: Endpoint,
    /// Address and port of the real destination.
    pub(crate) destination: (Ipv4Addr, u16),
    pub(crate) traits: Traits,
}

/// What else a binding is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits {
    /// It goes with its last flow.
    pub(crate) is_per_session: bool,
    /// A manual rule made it.
    pub(crate) is_twice: bool,
    /// The rule says `dns`.
    pub(crate) is_dns: bool,
}

/// What a flow gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The binding, to be released.
    pub(crate) index: u32,
    pub(crate) address: Ipv4Addr,
    pub(crate) service: u16,
}

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A port of a shared address.
    Port,
    /// A whole address.
    Address,
    /// A host of a `round-robin` pool and the address it is served from; "flows" are its bindings.
    Host,
}

/// A binding.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) endpoint: Endpoint,
    peer: Peer,
    pub(crate) mapped: Ipv4Addr,
    pub(crate) mapped_service: u16,
    pub(crate) kind: Kind,
    pub(crate) traits: Traits,
    is_live: bool,
    /// Place of the shared address, of ports.
    shared: u16,
    /// The record of the host, of ports of `round-robin` pools; of a free record the next free one.
    host: u32,
    /// Flows that use it.
    pub(crate) flows: u32,
    pub(crate) last_used: Tick,
    created: Tick,
}

/// What is told of a binding: protocol and port are 0 for a whole address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) endpoint: Endpoint,
    /// Mapped address and port.
    pub(crate) mapped: (Ipv4Addr, u16),
    pub(crate) created: Tick,
}

impl Binding {
    pub(crate) fn told(&self) -> Gone {
        Gone {
            endpoint: self.endpoint,
            mapped: (self.mapped, self.mapped_service),
            created: self.created,
        }
    }

    pub(crate) fn is_extended(&self) -> bool {
        self.peer != ANYBODY
    }
}

/// How long bindings stay after their last flow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Linger {
    /// Multi-session ports.
    pub(crate) port: Tick,
    /// Addresses.
    pub(crate) address: Tick,
}

/// All bindings and what they hold.
pub(crate) struct Bindings {
    bindings: Vec<Binding>,
    /// Twice the number of a record, plus one where it is entered by what it holds.
    index: Buckets,
    timers: Wheel,
    pub(crate) shared: SharedAddresses,
    key: HashKey,
    free: u32,
    in_use: u32,
    most_used: u32,
    /// Since the start.
    made: u64,
    /// Counts addresses given back.
    returned: u32,
}

/// How many ports of an `extended` address, or addresses of a range, are looked at for one that is
/// free.
const TRIES: u32 = 4096;

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
            peer: ANYBODY,
            mapped: Ipv4Addr::UNSPECIFIED,
            mapped_service: 0,
            kind: Kind::Port,
            traits: Traits::default(),
            is_live: false,
            shared: 0,
            host: NONE,
            flows: 0,
            last_used: 0,
            created: 0,
        };
        let mut bindings = alloc::vec![unused; capacity as usize];
        for (next, binding) in (1..).zip(&mut bindings) {
            binding.host = if next < capacity { next } else { NONE };
        }
        Self {
            bindings,
            index: Buckets::new(capacity as usize),
            timers: Wheel::new(capacity as usize),
            shared: SharedAddresses::default(),
            key,
            free: if capacity == 0 { NONE } else { 0 },
            in_use: 0,
            most_used: 0,
            made: 0,
            returned: 0,
        }
    }

    /// Bytes that a table of `capacity` bindings takes, shared addresses (24 KiB each, twice that
    /// where ports are published) apart.
    pub(crate) const fn memory_bytes(capacity: u32) -> usize {
        let capacity = capacity as usize;
        capacity * (size_of::<Binding>() + Wheel::ENTRY_BYTES) + Buckets::memory_bytes(capacity)
    }

    fn real_hash(&self, kind: Kind, endpoint: &Endpoint, peer: Peer) -> u64 {
        let who = u64::from(endpoint.address.to_bits()) << 32
            | u64::from(endpoint.service) << 16
            | u64::from(endpoint.protocol) << 8
            | kind as u64;
        let place = u64::from(endpoint.real_port.0) << 8 | u64::from(endpoint.mapped_port.0);
        // A flow is bound once, a packet never: two rounds for a third word do not matter.
        let whom = self
            .key
            .hash(u64::from(peer.0.to_bits()), u64::from(peer.1));
        self.key.hash(who, place << 32 ^ whom)
    }

    fn mapped_hash(&self, protocol: u8, port: PortId, mapped: (Ipv4Addr, u16), peer: Peer) -> u64 {
        let what = u64::from(mapped.0.to_bits()) << 32
            | u64::from(mapped.1) << 16
            | u64::from(protocol) << 8
            | u64::from(port.0);
        let whom = u64::from(peer.0.to_bits()) << 16 | u64::from(peer.1) | 1 << 63;
        self.key.hash(what, whom)
    }

    /// The live binding of `endpoint` whose address is good.
    fn find_real(
        &self,
        kind: Kind,
        endpoint: &Endpoint,
        peer: Peer,
        is_good: impl Fn(Ipv4Addr) -> bool,
    ) -> Option<u32> {
        let reference = self
            .index
            .find(self.real_hash(kind, endpoint, peer), |reference| {
                self.bindings
                    .get(reference as usize >> 1)
                    .is_some_and(|binding| {
                        reference & 1 == 0
                            && binding.kind == kind
                            && binding.endpoint == *endpoint
                            && binding.peer == peer
                            && is_good(binding.mapped)
                    })
            })?;
        Some(reference >> 1)
    }

    /// The binding that holds `mapped`, of those entered by what they hold.
    fn find_mapped(
        &self,
        protocol: u8,
        port: PortId,
        mapped: (Ipv4Addr, u16),
        peer: Peer,
    ) -> Option<u32> {
        let hash = self.mapped_hash(protocol, port, mapped, peer);
        let reference = self.index.find(hash, |reference| {
            self.bindings
                .get(reference as usize >> 1)
                .is_some_and(|binding| {
                    reference & 1 == 1
                        && binding.endpoint.protocol == protocol
                        && binding.endpoint.mapped_port == port
                        && (binding.mapped, binding.mapped_service) == mapped
                        && binding.peer == peer
                })
        })?;
        Some(reference >> 1)
    }

    /// The binding of `request` from `pool`, made if there is none. It counts one flow more.
    pub(crate) fn bind(
        &mut self,
        request: &Request,
        pool: &Pool<'_>,
        state: &mut PoolState,
        random: &mut Random,
        now: Tick,
    ) -> Result<Bound, BindError> {
        let bound = self.bind_in(request, pool, state, random, now);
        if bound == Err(BindError::Exhausted) {
            state.exhausted += 1;
        }
        bound
    }

    fn bind_in(
        &mut self,
        request: &Request,
        pool: &Pool<'_>,
        state: &mut PoolState,
        random: &mut Random,
        now: Tick,
    ) -> Result<Bound, BindError> {
        let endpoint = request.endpoint;
        let host = Endpoint {
            protocol: 0,
            service: 0,
            ..endpoint
        };
        let has_ports = has_ports(endpoint.protocol);
        let peer = if pool.options.extended {
            request.destination
        } else {
            ANYBODY
        };
        // Who has a port keeps it, even if his host has got a whole address since.
        if has_ports {
            let held = self.find_real(Kind::Port, &endpoint, peer, |mapped| pool.shares(mapped));
            if let Some(index) = held {
                return self.use_again(index, endpoint.service, now);
            }
        }
        if !pool.whole.is_empty() {
            let held = self.find_real(Kind::Address, &host, ANYBODY, |mapped| pool.gives(mapped));
            if let Some(index) = held {
                return self.use_again(index, endpoint.service, now);
            }
        }
        if let Some(mapped) = self.free_address(endpoint.mapped_port, pool, state) {
            let binding = self.record(host, ANYBODY, mapped, Kind::Address, request.traits, now);
            let index = self.add(binding)?;
            return Ok(Bound {
                index,
                address: mapped,
                service: endpoint.service,
            });
        }
        let is_sharing = !pool.shared.is_empty() || pool.interface.is_some();
        match (has_ports, is_sharing) {
            (true, true) => self.bind_port(request, pool, (host, peer), state, random, now),
            // Some other host has the address that would do.
            (_, false) => Err(BindError::Exhausted),
            (false, true) => Err(BindError::Untranslatable),
        }
    }

    /// The places of the pool's shared addresses in the order they are tried, and the record of the
    /// host if it has been served from one.
    fn places(
        &self,
        pool: &Pool<'_>,
        host: &Endpoint,
        state: &PoolState,
    ) -> (Option<u32>, impl Iterator<Item = u32> + use<>) {
        let count = pool.shared_count();
        let is_turning = pool.options.round_robin && count > 0;
        let known = is_turning
            .then(|| self.find_real(Kind::Host, host, ANYBODY, |mapped| pool.shares(mapped)))
            .flatten();
        let start = match known.and_then(|index| self.bindings.get(index as usize)) {
            // The place is below the count, which is a few hundred.
            Some(binding) => list::place(pool.shared, binding.mapped).unwrap_or(0) as u32,
            None if is_turning => state.turn % count,
            None => 0,
        };
        let places = (0..count)
            .map(move |steps| (start + steps) % count.max(1))
            .chain(pool.interface.map(|_| count));
        (known, places)
    }

    fn use_again(&mut self, index: u32, service: u16, now: Tick) -> Result<Bound, BindError> {
        let binding = self
            .bindings
            .get_mut(index as usize)
            .ok_or(BindError::Exhausted)?;
        binding.flows += 1;
        binding.last_used = now;
        self.timers.cancel(index);
        Ok(Bound {
            index,
            address: binding.mapped,
            service: match binding.kind {
                Kind::Address | Kind::Host => service,
                Kind::Port => binding.mapped_service,
            },
        })
    }

    /// An address of the pool that nobody has.
    fn free_address(
        &self,
        port: PortId,
        pool: &Pool<'_>,
        state: &mut PoolState,
    ) -> Option<Ipv4Addr> {
        let total = list::total(pool.whole);
        if total == 0 || state.whole_full_at == Some(self.returned) {
            return None;
        }
        let start = u64::from(state.turn);
        // No more than `TRIES`.
        let tries = total.min(u64::from(TRIES)) as u32;
        for steps in 0..tries {
            let place = (start + u64::from(steps)) % total;
            let Some(address) = list::at(pool.whole, place) else {
                continue;
            };
            let is_held = self.find_mapped(0, port, (address, 0), ANYBODY).is_some();
            if !is_held && !self.shared.is_withheld(address) {
                state.turn = ((place + 1) % total) as u32;
                return Some(address);
            }
        }
        if u64::from(tries) == total {
            state.whole_full_at = Some(self.returned);
        } else {
            state.turn = ((start + u64::from(tries)) % total) as u32;
        }
        None
    }

    /// A port of a shared address for an endpoint that has none.
    fn bind_port(
        &mut self,
        request: &Request,
        pool: &Pool<'_>,
        (host, peer): (Endpoint, Peer),
        state: &mut PoolState,
        random: &mut Random,
        now: Tick,
    ) -> Result<Bound, BindError> {
        let count = pool.shared_count();
        let is_turning = pool.options.round_robin && count > 0;
        let (known, places) = self.places(pool, &host, state);
        for place in places {
            let Some(mapped) = pool.shared_at(place) else {
                continue;
            };
            let draw = (random.next() >> 32) as u32;
            let Some((shared, service)) = self.take_port(request.endpoint, mapped, peer, draw)
            else {
                continue;
            };
            let host = match known {
                Some(index) => index,
                None if is_turning && place < count => {
                    state.turn = (place + 1) % count;
                    let record =
                        self.record(host, ANYBODY, mapped, Kind::Host, Traits::default(), now);
                    let added = self.add(record).unwrap_or(NONE);
                    // Its bindings are counted instead.
                    self.change_flows(added, |_| 0);
                    added
                }
                None => NONE,
            };
            let mut binding = self.record(
                request.endpoint,
                peer,
                mapped,
                Kind::Port,
                request.traits,
                now,
            );
            (binding.mapped_service, binding.shared, binding.host) = (service, shared, host);
            let added = self.add(binding);
            let Ok(index) = added else {
                let port = (peer == ANYBODY).then_some(service);
                self.shared.release(shared, request.endpoint.protocol, port);
                self.drop_host(host);
                return Err(BindError::Exhausted);
            };
            self.change_flows(host, |bindings| bindings + 1);
            return Ok(Bound {
                index,
                address: mapped,
                service,
            });
        }
        Err(BindError::Exhausted)
    }

    /// Takes a port of `mapped` for `peer`: the place of the address, and the port.
    fn take_port(
        &mut self,
        endpoint: Endpoint,
        mapped: Ipv4Addr,
        peer: Peer,
        draw: u32,
    ) -> Option<(u16, u16)> {
        let (place, port) = if peer == ANYBODY {
            let place = self.shared.place(mapped)?;
            let shared = self.shared.get_mut(place)?;
            let is_icmp = endpoint.protocol == PROTOCOL_ICMP;
            let tier = tier_of(endpoint.service, is_icmp, shared.options);
            let ports = shared.ports_mut(endpoint.protocol)?;
            (place, ports.take(endpoint.service, tier, draw)?)
        } else {
            self.peek_port(endpoint, mapped, peer, draw)?
        };
        self.shared.hold(place);
        Some((place, port))
    }

    fn record(
        &self,
        endpoint: Endpoint,
        peer: Peer,
        mapped: Ipv4Addr,
        kind: Kind,
        traits: Traits,
        now: Tick,
    ) -> Binding {
        Binding {
            endpoint,
            peer,
            mapped,
            mapped_service: 0,
            kind,
            traits,
            is_live: true,
            shared: 0,
            host: NONE,
            flows: 1,
            last_used: now,
            created: now,
        }
    }

    /// Puts a record into the table.
    fn add(&mut self, binding: Binding) -> Result<u32, BindError> {
        let index = self.free;
        let next_free = self
            .bindings
            .get(index as usize)
            .ok_or(BindError::Exhausted)?
            .host;
        let hash = self.real_hash(binding.kind, &binding.endpoint, binding.peer);
        if !self.index.insert(hash, index << 1) {
            return Err(BindError::Exhausted);
        }
        if let Some(other) = self.other_hash(&binding)
            && !self.index.insert(other, index << 1 | 1)
        {
            self.index.remove(hash, index << 1);
            return Err(BindError::Exhausted);
        }
        self.free = next_free;
        if binding.kind != Kind::Host {
            self.in_use += 1;
            self.made += 1;
            self.most_used = self.most_used.max(self.in_use);
        }
        if let Some(record) = self.bindings.get_mut(index as usize) {
            *record = binding;
        }
        Ok(index)
    }

    /// The hash of what a binding holds, if it is entered by that.
    fn other_hash(&self, binding: &Binding) -> Option<u64> {
        let is_entered = match binding.kind {
            Kind::Port => binding.is_extended(),
            Kind::Address => true,
            Kind::Host => false,
        };
        is_entered.then(|| {
            self.mapped_hash(
                binding.endpoint.protocol,
                binding.endpoint.mapped_port,
                (binding.mapped, binding.mapped_service),
                binding.peer,
            )
        })
    }

    /// Whether the binding at `index` is of a port.
    pub(crate) fn is_port(&self, index: u32) -> bool {
        self.get(index)
            .is_some_and(|binding| binding.kind == Kind::Port)
    }

    /// The host that holds `address`, as seen from `port`: who it is and where.
    pub(crate) fn holder(
        &self,
        port: PortId,
        address: Ipv4Addr,
    ) -> Option<(u32, Ipv4Addr, PortId)> {
        let index = self.find_mapped(0, port, (address, 0), ANYBODY)?;
        let endpoint = &self.bindings.get(index as usize)?.endpoint;
        Some((index, endpoint.address, endpoint.real_port))
    }

    /// One flow more uses the binding at `index`.
    pub(crate) fn hold(&mut self, index: u32) {
        self.change_flows(index, |flows| flows + 1);
        self.timers.cancel(index);
    }

    fn change_flows(&mut self, index: u32, change: impl FnOnce(u32) -> u32) {
        if let Some(binding) = self.bindings.get_mut(index as usize) {
            binding.flows = change(binding.flows);
        }
    }

    /// One flow less uses the binding at `index`. It goes now, and is returned, or when its time is
    /// over.
    pub(crate) fn release(&mut self, index: u32, linger: Linger, now: Tick) -> Option<Gone> {
        let binding = self.bindings.get_mut(index as usize)?;
        if !binding.is_live {
            return None;
        }
        binding.flows = binding.flows.saturating_sub(1);
        binding.last_used = now;
        if binding.flows > 0 {
            return None;
        }
        let linger = match binding.kind {
            Kind::Address => linger.address,
            Kind::Port if !binding.traits.is_per_session => linger.port,
            Kind::Port | Kind::Host => 0,
        };
        if linger == 0 {
            return self.remove(index);
        }
        self.timers.set(index, now.saturating_add(linger));
        None
    }

    /// Takes a record out; it is returned unless it is a host's.
    fn remove(&mut self, index: u32) -> Option<Gone> {
        let binding = self
            .bindings
            .get_mut(index as usize)
            .filter(|binding| binding.is_live)?;
        let removed = binding.clone();
        (binding.is_live, binding.host) = (false, self.free);
        self.free = index;
        let hash = self.real_hash(removed.kind, &removed.endpoint, removed.peer);
        self.index.remove(hash, index << 1);
        if let Some(other) = self.other_hash(&removed) {
            self.index.remove(other, index << 1 | 1);
        }
        self.timers.cancel(index);
        match removed.kind {
            Kind::Host => return None,
            Kind::Address => self.returned = self.returned.wrapping_add(1),
            Kind::Port => {
                let port = (!removed.is_extended()).then_some(removed.mapped_service);
                self.shared
                    .release(removed.shared, removed.endpoint.protocol, port);
                self.change_flows(removed.host, |bindings| bindings.saturating_sub(1));
                self.drop_host(removed.host);
            }
        }
        self.in_use -= 1;
        Some(removed.told())
    }

    /// Forgets a host that has no bindings.
    fn drop_host(&mut self, index: u32) {
        let host = self.bindings.get(index as usize);
        if host.is_some_and(|host| host.kind == Kind::Host && host.flows == 0) {
            self.remove(index);
        }
    }

    /// Ends the bindings whose time is over; each is told to `ended`.
    pub(crate) fn run_due(&mut self, now: Tick, mut ended: impl FnMut(Gone)) {
        while let Some(index) = self.timers.pop_due(now) {
            self.remove(index).into_iter().for_each(&mut ended);
        }
    }

    /// Ends those of the bindings of `chosen` (by index) that no flow uses; each is told to `ended`.
    pub(crate) fn clear_unused(
        &mut self,
        chosen: impl Iterator<Item = u32>,
        mut ended: impl FnMut(Gone),
    ) {
        for index in chosen {
            let binding = self.bindings.get(index as usize);
            if binding.is_some_and(|binding| binding.flows == 0 && binding.kind != Kind::Host) {
                self.remove(index).into_iter().for_each(&mut ended);
            }
        }
    }

    /// The binding at `index`.
    pub(crate) fn get(&self, index: u32) -> Option<&Binding> {
        self.bindings.get(index as usize)
    }

    /// A new policy begins: see [`SharedAddresses::begin_policy`].
    pub(crate) fn begin_policy(&mut self) {
        self.shared.begin_policy();
        // What was withheld may be free now.
        self.returned = self.returned.wrapping_add(1);
    }

    /// When [`run_due`](Self::run_due) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Tick> {
        self.timers.next()
    }

    /// The bindings, those of hosts left out, with their indices.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Binding)> {
        self.iter_within(0..u32::MAX)
    }

    /// As [`iter`](Self::iter), of the records `records` only.
    pub(crate) fn iter_within(&self, records: Range<u32>) -> impl Iterator<Item = (u32, &Binding)> {
        let end = (records.end as usize).min(self.bindings.len());
        let chosen = self.bindings.get(records.start as usize..end);
        (records.start..)
            .zip(chosen.unwrap_or_default())
            .filter(|(_, binding)| binding.is_live && binding.kind != Kind::Host)
    }

    /// Bindings made since the start.
    pub(crate) const fn made(&self) -> u64 {
        self.made
    }

    /// Use of the shared addresses, by protocol and tier.
    pub(crate) fn pools(&self) -> Vec<PoolView> {
        let mut views: Vec<PoolView> = self.shared.views().collect();
        // Ports of extended pools are many for one: they are counted by binding.
        let mut first = BTreeMap::new();
        for (index, view) in views.iter().enumerate() {
            first
                .entry((view.first_address, view.protocol))
                .or_insert(index);
        }
        for (_, binding) in self.iter().filter(|(_, binding)| binding.is_extended()) {
            let place = (binding.mapped, Some(binding.endpoint.protocol));
            let view = first
                .get(&place)
                .and_then(|&index| views.get_mut(index..))
                .and_then(|views| {
                    views
                        .iter_mut()
                        .find(|view| binding.mapped_service <= view.last)
                });
            if let Some(view) = view {
                view.allocated += 1;
            }
        }
        views
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
#[path = "bindings_tests.rs"]
mod tests;

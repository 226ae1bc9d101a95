//! The engine: its tables, its face, and what binds the parts together.
//!
//! The methods are spread over the modules by what they do: `input` takes frames in, `slowpath`
//! decides, `output` sends, `arp` and `icmp` speak those protocols, `intercept` serves the proxies,
//! `show` reads everything out.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hal::nic::MacAddr;
use hal::packet::{Batch, PacketBuf, PacketPool};
use hal::time::Instant;

use crate::access;
use crate::access_log::AccessLog;
use crate::capture::CaptureSet;
use crate::connection::cookie::Cookies;
use crate::connection::counts::{Classes, Clients, LIMITS};
use crate::connection::normalize::{self, TcpMap};
use crate::drop_reason::DropCounters;
use crate::event::{EventRing, FlowEnd};
use crate::flow::{Direction, Flags, Flow, FlowTable, State};
use crate::fragment::FragmentTable;
use crate::hash::{HashKey, Random};
use crate::hits::ElementHits;
use crate::limiter::Limiter;
use crate::nat::bindings::{Bindings, Linger};
use crate::nat::rules::NatTable;
use crate::neighbor::NeighborTable;
use crate::own::LOCAL_TCP_PORTS;
use crate::policy::{AddressRange, Interface, Policy, PortId, Timeouts, Transport};
use crate::routes::RouteTable;
use crate::shun::ShunList;
use crate::tell::xlate_ended;
use crate::v6::{PROTOCOL_ICMPV6, V6};
use crate::view::{FlowId, Intercepted, LocalPacket, Opened, PortCounters, Verdicts};
use crate::vlan::{self, Tag, VlanTable};
use crate::wheel::{Tick, instant_of, tick_of, ticks};
use crate::wire::{PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP};

/// Identifiers of echo requests that the box itself sends. PAT to an interface address leaves them
/// alone.
pub const LOCAL_ECHO_IDENTIFIERS: core::ops::RangeInclusive<u16> = 0xff00..=0xffff;

/// Sizes of the tables, claimed once in [`DataPlane::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Physical ports of the box.
    pub ports: u8,
    /// Logical ports beside them ([`VlanPort`](crate::VlanPort)).
    pub subinterfaces: u8,
    /// Concurrent flows; there are twice as many dynamic bindings, because they outlive flows.
    pub flows: u32,
    /// Known neighbours.
    pub neighbors: u16,
    /// Frames waiting in the transmit queue of each port.
    pub transmit_queue: u16,
    /// Packets waiting for the proxies, and as many for the box itself.
    pub handoff_queue: u16,
    /// Most bytes for compiled access lists. They are claimed as lists are configured; a list that
    /// does not fit is searched element by element.
    pub access_bytes: usize,
    /// Bytes that the buffers of captures may take together. They are claimed as captures are made.
    pub capture_bytes: usize,
    /// Fragments waiting for the rest of their datagram, at all ports together.
    pub fragments: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ports: 2,
            subinterfaces: 32,
            flows: 16_384,
            neighbors: 1024,
            transmit_queue: 256,
            handoff_queue: 256,
            access_bytes: 16 << 20,
            capture_bytes: 4 << 20,
            fragments: 1024,
        }
    }
}

impl Limits {
    /// Physical and logical ports.
    #[must_use]
    pub const fn all_ports(&self) -> u8 {
        self.ports.saturating_add(self.subinterfaces)
    }

    const fn bindings(&self) -> u32 {
        self.flows.saturating_mul(2)
    }

    /// Bytes of memory that the tables take, without access lists and captures. Addresses shared by port
    /// take 24 KiB each on top, and as much again where ports are published on them.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        let queues = self.ports as usize * self.transmit_queue as usize * size_of::<PacketBuf>()
            + self.handoff_queue as usize * (size_of::<Intercepted>() + size_of::<LocalPacket>());
        FlowTable::memory_bytes(self.flows)
            + Bindings::memory_bytes(self.bindings())
            + Clients::memory_bytes(self.flows)
            + NeighborTable::<core::net::Ipv4Addr>::memory_bytes(self.neighbors)
            + V6::memory_bytes(self.flows, self.neighbors)
            + EventRing::memory_bytes()
            + AccessLog::memory_bytes()
            + FragmentTable::memory_bytes(self.fragments)
            + queues
    }
}

/// The packet engine. See the crate's head.
pub struct DataPlane {
    pub(crate) limits: Limits,
    pub(crate) policy: Policy,
    /// Counts policies, so that flows notice that routes may have changed.
    pub(crate) epoch: u16,
    pub(crate) idle: IdleTicks,
    /// The physical ports, then the logical ones.
    pub(crate) ports: Vec<Port>,
    pub(crate) vlans: VlanTable,
    pub(crate) routes: RouteTable,
    pub(crate) nat: NatTable,
    /// Hits by access list and element.
    pub(crate) access: access::Index,
    pub(crate) acl_hits: Vec<Vec<ElementHits>>,
    pub(crate) flows: FlowTable,
    pub(crate) bindings: Bindings,
    pub(crate) neighbors: NeighborTable,
    pub(crate) v6: V6,
    pub(crate) drops: DropCounters,
    pub(crate) events: EventRing,
    pub(crate) access_log: AccessLog,
    /// Whether no flow may be opened now.
    pub(crate) refuses_flows: bool,
    /// When a full flow table may be told again.
    pub(crate) table_full_again: Tick,
    pub(crate) verdicts: Verdicts,
    pub(crate) opened: Opened,
    pub(crate) intercepts: VecDeque<Intercepted>,
    /// Intercepted flows that ended from our side, still to be told to the proxies.
    pub(crate) closed: VecDeque<FlowId>,
    pub(crate) locals: VecDeque<LocalPacket>,
    pub(crate) random: Random,
    /// What new sequence numbers are drawn with.
    pub(crate) sequence_key: HashKey,
    pub(crate) cookies: Cookies,
    /// Until when acknowledgments may belong to cookies.
    pub(crate) cookies_until: Instant,
    /// The normalisers by number, the default first.
    pub(crate) normalizers: Vec<TcpMap>,
    pub(crate) classes: Classes,
    pub(crate) clients: Clients,
    /// When each limit may be told again.
    pub(crate) limit_told_again: [Instant; LIMITS],
    pub(crate) icmp_errors: Limiter,
    pub(crate) captures: CaptureSet,
    pub(crate) fragments: FragmentTable,
    /// The last identification given to fragments from a shared address.
    pub(crate) identification: u16,
    pub(crate) shuns: ShunList,
    /// Connections whose handshake was not completed in time.
    pub(crate) handshake_timeouts: u64,
}

/// A port and what waits to leave by it.
pub(crate) struct Port {
    /// Index of its interface in the policy.
    pub(crate) interface: Option<usize>,
    pub(crate) is_link_up: bool,
    // Copied from the interface for the fast path.
    pub(crate) mac: MacAddr,
    pub(crate) mtu: u16,
    /// Of a logical port.
    pub(crate) tag: Option<Tag>,
    /// Of a physical port; logical ones share it.
    pub(crate) transmit: VecDeque<PacketBuf>,
    pub(crate) counters: PortCounters,
    /// Packets dropped by `ip verify reverse-path`.
    pub(crate) reverse_path_drops: u64,
}

impl Port {
    /// Whether frames may pass.
    pub(crate) const fn is_open(&self) -> bool {
        self.interface.is_some() && self.is_link_up
    }
}

/// The timeouts in ticks; `None` is never.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IdleTicks {
    conn: Option<Tick>,
    half_closed: Option<Tick>,
    embryonic: Option<Tick>,
    udp: Option<Tick>,
    icmp: Option<Tick>,
    /// Of bindings.
    pub(crate) xlate: Linger,
}

impl IdleTicks {
    fn new(timeouts: &Timeouts) -> Self {
        let idle = |timeout: core::time::Duration| (!timeout.is_zero()).then(|| ticks(timeout));
        Self {
            conn: idle(timeouts.conn),
            half_closed: idle(timeouts.half_closed),
            embryonic: idle(timeouts.embryonic),
            udp: idle(timeouts.udp),
            icmp: idle(timeouts.icmp),
            xlate: Linger {
                port: ticks(timeouts.pat_xlate),
                address: ticks(timeouts.xlate),
            },
        }
    }
}

impl DataPlane {
    /// Claims the tables. `key` must be unpredictable: it keys the hash of the tables and seeds the
    /// choice of ports. There is no policy yet, so every frame is dropped.
    #[must_use]
    pub fn new(limits: Limits, key: [u8; 16]) -> Self {
        let key = HashKey::new(key);
        let mut ports = Vec::new();
        let queue = usize::from(limits.transmit_queue);
        let port = |queue| Port {
            interface: None,
            is_link_up: true,
            mac: MacAddr::default(),
            mtu: 0,
            tag: None,
            transmit: VecDeque::with_capacity(queue),
            counters: PortCounters::default(),
            reverse_path_drops: 0,
        };
        ports.resize_with(usize::from(limits.ports), || port(queue));
        ports.resize_with(usize::from(limits.all_ports()), || port(0));
        let handoff = usize::from(limits.handoff_queue);
        let policy = Policy::default();
        let mut random = Random::new(key);
        Self {
            limits,
            epoch: 0,
            idle: IdleTicks::new(&policy.timeouts),
            icmp_errors: Limiter::new(policy.icmp_error_rate, policy.icmp_error_burst),
            policy,
            ports,
            vlans: VlanTable::default(),
            routes: RouteTable::default(),
            nat: NatTable::default(),
            access: access::Index::new(limits.access_bytes),
            acl_hits: Vec::new(),
            flows: FlowTable::new(limits.flows, key),
            bindings: Bindings::new(limits.bindings(), key),
            neighbors: NeighborTable::new(limits.neighbors, key),
            v6: V6::new(limits.flows, limits.neighbors, key),
            drops: DropCounters::default(),
            events: EventRing::new(),
            access_log: AccessLog::new(key),
            refuses_flows: false,
            table_full_again: 0,
            verdicts: Verdicts::default(),
            opened: Opened::default(),
            intercepts: VecDeque::with_capacity(handoff),
            closed: VecDeque::new(),
            locals: VecDeque::with_capacity(handoff),
            captures: CaptureSet::new(limits.capture_bytes),
            sequence_key: key.derived(1),
            cookies: Cookies::new(key.derived(2)),
            cookies_until: Instant::from_secs(0),
            normalizers: normalize::compile(&[]),
            classes: Classes::default(),
            clients: Clients::new(limits.flows, key.derived(3)),
            limit_told_again: [Instant::from_secs(0); LIMITS],
            fragments: FragmentTable::new(limits.fragments, limits.all_ports(), key),
            // The low bits of an unpredictable number.
            identification: random.next() as u16,
            shuns: ShunList::default(),
            handshake_timeouts: 0,
            random,
        }
    }

    /// Swaps the policy. Flows live on as they were decided, unless a port of theirs is gone;
    /// hit counters of unchanged rules and elements stay. Interfaces whose address or port is new
    /// announce themselves (gratuitous ARP).
    pub fn set_policy(&mut self, policy: Policy, pool: &mut PacketPool, now: Instant) {
        self.acl_hits = crate::hits::carry_over(&self.policy, &self.acl_hits, &policy);
        self.access.rebuild(&self.policy, &policy);
        let before = core::mem::replace(&mut self.policy, policy);
        self.renew_classes(&before);
        for port in &mut self.ports {
            port.interface = None;
        }
        self.connect_vlans();
        for (index, interface) in self.policy.interfaces.iter().enumerate() {
            let is_physical = interface.port.0 < self.limits.ports;
            if let Some(port) = self.ports.get_mut(interface.port.index())
                && (is_physical || port.tag.is_some())
            {
                port.interface = Some(index);
                port.mac = interface.mac;
                port.mtu = interface.mtu;
            }
        }
        self.idle = IdleTicks::new(&self.policy.timeouts);
        self.icmp_errors
            .set_rate(self.policy.icmp_error_rate, self.policy.icmp_error_burst);
        self.nat = NatTable::new(&self.policy, self.ports_in_use(), &self.nat, now);
        self.share_addresses();
        self.rebuild_routes();
        self.captures.resolve(&self.policy);
        if self.policy.access_lists != before.access_lists {
            // What counted was of other lists.
            self.end_access_log();
        }

        let kept = |port: PortId| {
            let at = |policy: &Policy| {
                let found = policy
                    .interfaces
                    .iter()
                    .find(|interface| interface.port == port);
                let own =
                    found.map(|interface| (interface.address, interface.prefix_len, interface.mac));
                (own, vlan::tag_of(policy, port))
            };
            (at(&before), at(&self.policy))
        };
        let changed: Vec<PortId> = (0..self.limits.all_ports())
            .map(PortId)
            .filter(|&port| {
                let (old, new) = kept(port);
                old != new
            })
            .collect();
        let gone: Vec<PortId> = changed
            .iter()
            .copied()
            .filter(|&port| {
                let (old, new) = kept(port);
                // In another VLAN there are other stations.
                new.0.is_none() || old.1 != new.1
            })
            .collect();
        if !gone.is_empty() {
            self.end_flows(FlowEnd::InterfaceGone, now, |flow| {
                flow.ports.iter().any(|port| gone.contains(port))
            });
        }
        for &port in &changed {
            self.clear_neighbors(Some(port), pool);
            self.announce(port, pool);
        }
        self.begin_policy6(pool, now);
    }

    fn share_addresses(&mut self) {
        self.bindings.begin_policy();
        let shared = &mut self.bindings.shared;
        for (address, options, rule) in self.nat.shared_addresses() {
            shared.share(address, options, rule);
        }
        for (mapped, service) in self.nat.reserved() {
            shared.withhold(mapped);
            match service {
                Some(service) => {
                    let last = service.mapped.saturating_add(service.more);
                    shared.reserve(mapped, service.transport.protocol(), service.mapped, last);
                }
                None => {
                    for protocol in [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP] {
                        shared.reserve(mapped, protocol, 0, u16::MAX);
                    }
                }
            }
        }
        for interface in &self.policy.interfaces {
            let own = &[AddressRange::host(interface.address)];
            shared.withhold(own);
            let (first, last) = (
                *LOCAL_ECHO_IDENTIFIERS.start(),
                *LOCAL_ECHO_IDENTIFIERS.end(),
            );
            shared.reserve(own, PROTOCOL_ICMP, first, last);
            let (first, last) = (*LOCAL_TCP_PORTS.start(), *LOCAL_TCP_PORTS.end());
            shared.reserve(own, PROTOCOL_TCP, first, last);
            for service in &self.policy.local_services {
                let protocol = service.transport.protocol();
                shared.reserve(own, protocol, service.first, service.last);
            }
        }
        shared.end_policy();
    }

    fn rebuild_routes(&mut self) {
        let ports = &self.ports;
        self.routes = RouteTable::new(&self.policy, |port| {
            ports.get(port.index()).is_some_and(Port::is_open)
        });
        self.rebuild_routes6();
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The sizes given at the start.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Tells whether the cable of the physical port `port` is in (it is assumed to be). A port that is
    /// down, and a logical one on it, neither takes nor gives, and its routes are out.
    pub fn set_link(&mut self, port: PortId, is_up: bool, pool: &mut PacketPool) {
        let Some(state) = self.ports.get_mut(port.index()) else {
            return;
        };
        if state.is_link_up == is_up {
            return;
        }
        state.is_link_up = is_up;
        let affected = self.carried_by(port);
        for port in &affected {
            if let Some(state) = self.ports.get_mut(port.index()) {
                state.is_link_up = is_up;
            }
        }
        self.rebuild_routes();
        for port in affected {
            self.clear_neighbors(Some(port), pool);
            if is_up {
                self.announce(port, pool);
                self.link_up6(port);
            }
        }
    }

    /// Moves frames queued for the physical port `port` into `frames` until it is full or the queue is empty.
    pub fn drain_transmit(&mut self, port: PortId, frames: &mut Batch) {
        let (id, waiting) = (port, frames.len());
        let Some(port) = self.ports.get_mut(port.index()) else {
            return;
        };
        while !frames.is_full()
            && let Some(frame) = port.transmit.pop_front()
        {
            // There is room.
            let _ = frames.push_back(frame);
        }
        if self.captures.sees_frames() {
            let leaving = frames.iter().skip(waiting);
            let rules = (&self.access, &self.policy);
            self.captures.sent(id, leaving, rules);
        }
    }

    /// Does what is due: ends idle flows and bindings, asks neighbours again.
    pub fn handle_timeout(&mut self, pool: &mut PacketPool, now: Instant) {
        let tick = tick_of(now);
        while let Some(index) = self.flows.pop_due(tick) {
            self.flow_due(index, pool, now);
        }
        self.bindings
            .run_due(tick, |gone| self.events.push(xlate_ended(&gone, tick)));
        self.access_log
            .run_due(tick, |event| self.events.push(event));
        self.expire_fragments(pool, now);
        self.run_discovery(pool, now);
        self.run_neighbors::<core::net::Ipv4Addr>(pool, now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [
            self.flows.next_deadline().map(instant_of),
            self.bindings.next_deadline().map(instant_of),
            self.access_log.next_deadline().map(instant_of),
            self.fragments.next_deadline().map(instant_of),
            self.neighbors.next_deadline(),
            self.v6.next_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Ends flows: every one `which` chooses. Returns how many.
    pub fn clear_conns(
        &mut self,
        which: impl FnMut(&crate::view::ConnView) -> bool,
        now: Instant,
    ) -> u32 {
        self.clear_conns_within(0..self.flows.capacity(), which, now)
    }

    /// As [`clear_conns`](Self::clear_conns), among the flow records `records` only.
    pub fn clear_conns_within(
        &mut self,
        records: core::ops::Range<u32>,
        mut which: impl FnMut(&crate::view::ConnView) -> bool,
        now: Instant,
    ) -> u32 {
        let chosen: Vec<u32> = self
            .flows
            .iter_within(records)
            .filter(|&(index, flow)| which(&self.conn_view(index, flow, now)))
            .map(|(index, _)| index)
            .collect();
        for &index in &chosen {
            self.end_flow(index, FlowEnd::Cleared, now);
        }
        // At most as many as there are records.
        chosen.len() as u32
    }

    /// Ends the dynamic translations that no connection uses, of one real address or of all.
    pub fn clear_unused_xlates(&mut self, real: Option<core::net::Ipv4Addr>, now: Instant) {
        let tick = tick_of(now);
        let chosen: Vec<u32> = self
            .bindings
            .iter()
            .filter(|(_, binding)| real.is_none_or(|real| real == binding.endpoint.address))
            .map(|(index, _)| index)
            .collect();
        self.bindings.clear_unused(chosen.into_iter(), |gone| {
            self.events.push(xlate_ended(&gone, tick));
        });
    }

    /// Forgets learnt neighbours, of one port or of all.
    pub fn clear_neighbors(&mut self, port: Option<PortId>, pool: &mut PacketPool) {
        let is_chosen = |other| port.is_none_or(|port| port == other);
        self.forget_neighbors::<core::net::Ipv4Addr>(is_chosen, pool);
        self.forget_neighbors::<core::net::Ipv6Addr>(is_chosen, pool);
    }

    /// What the static rules make of an endpoint behind `real_side` when seen from `mapped_side`.
    ///
    /// Without a port only the address is asked for, and a rule for some of its ports will do.
    /// `None` if no static rule translates it.
    #[must_use]
    pub fn translate_endpoint(
        &self,
        real_side: PortId,
        mapped_side: PortId,
        transport: Transport,
        address: core::net::Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(core::net::Ipv4Addr, Option<u16>)> {
        self.nat
            .translate_endpoint(real_side, mapped_side, transport, address, port)
    }

    /// The reverse of [`translate_endpoint`](Self::translate_endpoint): the endpoint behind
    /// `real_side` that `mapped_side` knows as `address` and `port`.
    #[must_use]
    pub fn untranslate_endpoint(
        &self,
        real_side: PortId,
        mapped_side: PortId,
        transport: Transport,
        address: core::net::Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(core::net::Ipv4Addr, Option<u16>)> {
        self.nat
            .untranslate_endpoint(real_side, mapped_side, transport, address, port)
    }

    /// The configured interface of a port that may pass frames.
    pub(crate) fn interface(&self, port: PortId) -> Option<&Interface> {
        let port = self.ports.get(port.index()).filter(|port| port.is_open())?;
        self.policy.interfaces.get(port.interface?)
    }

    /// The idle time that ends `flow`; `None` is never.
    pub(crate) fn idle_ticks(&self, flow: &Flow) -> Option<Tick> {
        if flow.flags.has(Flags::INTERCEPTED) {
            // The session of the proxy has its own.
            return None;
        }
        let class = self.classes.ticks.get(usize::from(flow.class));
        let of_class = class.copied().unwrap_or_default();
        match flow.state {
            State::SynSent | State::Spliced | State::SynReceived => {
                of_class.embryonic.unwrap_or(self.idle.embryonic)
            }
            State::Established => {
                let is_closing = [Direction::Forward, Direction::Reply]
                    .into_iter()
                    .any(|side| flow.flags.has(Flags::fin(side)));
                if is_closing {
                    of_class.half_closed.unwrap_or(self.idle.half_closed)
                } else {
                    of_class.idle.unwrap_or(self.idle.conn)
                }
            }
            State::Stateless | State::Free => of_class.idle.unwrap_or(match flow.protocol {
                PROTOCOL_ICMP | PROTOCOL_ICMPV6 => self.idle.icmp,
                PROTOCOL_TCP => self.idle.conn,
                _ => self.idle.udp,
            }),
        }
    }

    /// Sets the timer of a flow whose state, hence idle time, has changed.
    pub(crate) fn reset_timer(&mut self, index: u32) {
        if let Some(flow) = self.flows.get(index) {
            let deadline = self
                .idle_ticks(flow)
                .map(|idle| flow.last_used.saturating_add(idle));
            self.flows.set_deadline(index, deadline);
        }
    }

    /// Ends a flow, counting it if `end` is to be counted, and tells its proxy.
    pub(crate) fn end_flow(&mut self, index: u32, end: FlowEnd, now: Instant) {
        let id = self.flows.id(index);
        let Some(flow) = self.remove_flow(index, end, now) else {
            return;
        };
        if let Some(reason) = end.drop_reason() {
            self.drops.count_flow(reason);
        }
        if flow.flags.has(Flags::INTERCEPTED) {
            self.closed.push_back(id);
        }
    }

    /// Takes a flow out and gives its binding back.
    pub(crate) fn remove_flow(&mut self, index: u32, end: FlowEnd, now: Instant) -> Option<Flow> {
        let id = self.flows.id(index);
        let flow = self.flows.remove(index)?;
        self.count_ended(&flow);
        let tick = tick_of(now);
        let gone = self.bindings.release(flow.binding, self.idle.xlate, tick);
        self.tell_ended(id, &flow, end, now);
        self.v6.forget_flow(&flow);
        if let Some(gone) = gone {
            self.events.push(xlate_ended(&gone, tick));
        }
        Some(flow)
    }

    pub(crate) fn end_flows(
        &mut self,
        end: FlowEnd,
        now: Instant,
        which: impl Fn(&Flow) -> bool,
    ) -> u32 {
        let chosen: Vec<u32> = self
            .flows
            .iter()
            .filter(|(_, flow)| which(flow))
            .map(|(index, _)| index)
            .collect();
        for &index in &chosen {
            self.end_flow(index, end, now);
        }
        chosen.len() as u32
    }
}

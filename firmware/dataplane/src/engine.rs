//! The engine's face.

use core::net::Ipv4Addr;

use hal::packet::{Batch, PacketBuf, PacketPool};
use hal::time::Instant;

use crate::drop_reason::{DropCounters, DropReason};
use crate::policy::{AclId, Policy, PortId, Transport};
use crate::view::{
    ConnView, FlowId, Intercepted, Leg, LocalPacket, NatRuleView, NeighborView, PoolView,
    PortCounters, RouteView, Usage, Verdicts, XlateView,
};

/// Sizes of the tables, claimed once in [`DataPlane::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Ports of the box.
    pub ports: u8,
    /// Concurrent flows.
    pub flows: u32,
    /// Known neighbours, at most 65,535.
    pub neighbors: u16,
    /// Packets waiting in the transmit queue of each port.
    pub transmit_queue: u16,
    /// Packets waiting for the proxies, and as many for the box itself.
    pub handoff_queue: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ports: 2,
            flows: 16_384,
            neighbors: 1024,
            transmit_queue: 256,
            handoff_queue: 256,
        }
    }
}

/// The packet engine. See the crate's head.
pub struct DataPlane {
    limits: Limits,
    policy: Policy,
    drops: DropCounters,
}

impl DataPlane {
    /// Claims the tables. `key` must be unpredictable: it keys the flow hash and seeds the choice
    /// of ports. There is no policy yet, so every frame is dropped.
    #[must_use]
    pub fn new(limits: Limits, key: [u8; 16]) -> Self {
        let _ = key;
        Self {
            limits,
            policy: Policy::default(),
            drops: DropCounters::default(),
        }
    }

    /// Swaps the policy. Flows live on as they were decided, unless a port of theirs is gone;
    /// hit counters of unchanged rules and elements stay.
    pub fn set_policy(&mut self, policy: Policy, pool: &mut PacketPool, now: Instant) {
        let _ = (pool, now);
        self.policy = policy;
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

    /// Tells whether the cable of `port` is in (it is assumed to be). A port that is down neither
    /// takes nor gives, and its routes are out.
    pub fn set_link(&mut self, port: PortId, is_up: bool, now: Instant) {
        let _ = (port, is_up, now);
    }

    /// Takes every frame of `frames`, received on `port`, to its verdict.
    pub fn handle_batch(
        &mut self,
        port: PortId,
        frames: &mut Batch,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let _ = (port, now);
        while let Some(frame) = frames.pop_front() {
            self.drops.count_frame(DropReason::InterfaceDown);
            pool.free(frame);
        }
    }

    /// Moves frames queued for `port` into `frames` until it is full or the queue is empty.
    pub fn drain_transmit(&mut self, port: PortId, frames: &mut Batch) {
        let _ = (port, frames);
    }

    /// Does what is due: ends idle flows and bindings, asks neighbours again.
    pub fn handle_timeout(&mut self, pool: &mut PacketPool, now: Instant) {
        let _ = (pool, now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// The next thing for a proxy.
    pub fn poll_intercept(&mut self) -> Option<Intercepted> {
        None
    }

    /// Sends a packet of a proxy (from the IPv4 header on, wire addresses, at least 14 bytes of
    /// headroom) on a leg of its flow.
    ///
    /// # Errors
    /// The reason it was dropped, already counted.
    pub fn send_intercepted(
        &mut self,
        flow: FlowId,
        leg: Leg,
        packet: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Result<(), DropReason> {
        let _ = (flow, leg, now);
        pool.free(packet);
        Err(DropReason::InterceptUnexpected)
    }

    /// Refuses an [`Opening`](crate::Opening): answers `syn` with a RST, counts `reason`, ends the flow.
    pub fn refuse_intercept(
        &mut self,
        flow: FlowId,
        syn: PacketBuf,
        reason: DropReason,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let _ = (flow, reason, now);
        pool.free(syn);
    }

    /// Ends an intercepted flow with its session. A stale `flow` is ignored.
    pub fn end_intercept(&mut self, flow: FlowId, now: Instant) {
        let _ = (flow, now);
    }

    /// The next packet for the box itself: echo replies, ICMP errors, and packets to
    /// [`local_services`](Policy::local_services).
    pub fn poll_local(&mut self) -> Option<LocalPacket> {
        None
    }

    /// Routes a packet of the box itself (from the IPv4 header on, complete but for a zero source
    /// address, which is filled in with the header checksum; at least 14 bytes of headroom).
    ///
    /// # Errors
    /// The reason it was dropped, already counted.
    pub fn send_local(
        &mut self,
        packet: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Result<(), DropReason> {
        let _ = now;
        pool.free(packet);
        Err(DropReason::NoRoute)
    }

    /// The port that packets to `destination` leave by, and our address there.
    #[must_use]
    pub fn source_for(&self, destination: Ipv4Addr) -> Option<(PortId, Ipv4Addr)> {
        let _ = destination;
        None
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
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        let _ = (real_side, mapped_side, transport, address, port);
        None
    }

    /// The reverse of [`translate_endpoint`](Self::translate_endpoint): the endpoint behind
    /// `real_side` that `mapped_side` knows as `address` and `port`.
    #[must_use]
    pub fn untranslate_endpoint(
        &self,
        real_side: PortId,
        mapped_side: PortId,
        transport: Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        let _ = (real_side, mapped_side, transport, address, port);
        None
    }

    /// Ends flows: every one `which` chooses. Returns how many.
    pub fn clear_conns(&mut self, which: impl FnMut(&ConnView) -> bool, now: Instant) -> u32 {
        let _ = (which, now);
        0
    }

    /// Ends every dynamic binding and the flows that use a translation. Returns how many flows.
    pub fn clear_xlates(&mut self, now: Instant) -> u32 {
        let _ = now;
        0
    }

    /// Forgets learnt neighbours, of one port or of all.
    pub fn clear_neighbors(&mut self, port: Option<PortId>, pool: &mut PacketPool) {
        let _ = (port, pool);
    }

    /// Zeroes the drop counters.
    pub fn clear_drops(&mut self) {
        self.drops = DropCounters::default();
    }

    /// Zeroes the traffic counters of a port.
    pub fn clear_port_counters(&mut self, port: PortId) {
        let _ = port;
    }

    /// Zeroes the hit counters of an access list.
    pub fn clear_acl_hits(&mut self, acl: AclId) {
        let _ = acl;
    }

    /// Zeroes the hit counters of the translation rules.
    pub fn clear_nat_hits(&mut self) {}

    /// Frames dropped for `reason`.
    #[must_use]
    pub fn frame_drops(&self, reason: DropReason) -> u64 {
        self.drops.frames(reason)
    }

    /// Flows ended for `reason`.
    #[must_use]
    pub fn flow_drops(&self, reason: DropReason) -> u64 {
        self.drops.flows(reason)
    }

    /// Where frames went.
    #[must_use]
    pub fn verdicts(&self) -> Verdicts {
        Verdicts::default()
    }

    /// Traffic of a port.
    #[must_use]
    pub fn port_counters(&self, port: PortId) -> PortCounters {
        let _ = port;
        PortCounters::default()
    }

    /// Routes, in the order of `show route`: by network, connected before local.
    pub fn routes(&self) -> impl Iterator<Item = RouteView> + '_ {
        core::iter::empty()
    }

    /// Neighbours that answered or are being asked.
    pub fn neighbors(&self, now: Instant) -> impl Iterator<Item = NeighborView> + '_ {
        let _ = now;
        core::iter::empty()
    }

    /// Connections, in no particular order.
    pub fn conns(&self, now: Instant) -> impl Iterator<Item = ConnView> + '_ {
        let _ = now;
        core::iter::empty()
    }

    /// A connection by its id, while it lives.
    #[must_use]
    pub fn conn(&self, flow: FlowId, now: Instant) -> Option<ConnView> {
        let _ = (flow, now);
        None
    }

    /// How many connections there are.
    #[must_use]
    pub fn conn_usage(&self) -> Usage {
        Usage::default()
    }

    /// Translations: static ones first, in the order of the rules, then dynamic ones.
    pub fn xlates(&self, now: Instant) -> impl Iterator<Item = XlateView> + '_ {
        let _ = now;
        core::iter::empty()
    }

    /// How many translations there are, static and dynamic.
    #[must_use]
    pub fn xlate_usage(&self) -> Usage {
        Usage::default()
    }

    /// Use of the addresses shared by port.
    pub fn pools(&self) -> impl Iterator<Item = PoolView> + '_ {
        core::iter::empty()
    }

    /// Translation rules in the order they are tried.
    pub fn nat_rules(&self) -> impl Iterator<Item = NatRuleView<'_>> + '_ {
        core::iter::empty()
    }

    /// How often the element `index` of `acl` decided.
    #[must_use]
    pub fn acl_hits(&self, acl: AclId, index: usize) -> u64 {
        let _ = (acl, index);
        0
    }
}

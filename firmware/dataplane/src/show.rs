//! Reading the engine out, for `show` commands; and zeroing counters.

use core::net::{IpAddr, Ipv4Addr};
use core::ops::Range;

use hal::time::Instant;

use crate::drop_reason::{DropCounters, DropReason};
use crate::engine::DataPlane;
use crate::flow::{Direction, Flags, Flow, State};
use crate::hits::ElementHits;
use crate::policy::{AclId, PortId};
use crate::view::{
    AccessForm, AccessUsage, ConnFlags, ConnView, FlowId, NeighborView, Opened, PortCounters,
    RouteView, Usage, Verdicts,
};
use crate::wheel::{TICK, instant_of};
use crate::wire::PROTOCOL_TCP;

impl DataPlane {
    /// Frames dropped for `reason`.
    #[must_use]
    pub fn frame_drops(&self, reason: DropReason) -> u64 {
        self.drops.frames(reason)
    }

    /// Flows ended or refused for `reason`.
    #[must_use]
    pub fn flow_drops(&self, reason: DropReason) -> u64 {
        self.drops.flows(reason)
    }

    /// Where frames went.
    #[must_use]
    pub fn verdicts(&self) -> Verdicts {
        self.verdicts
    }

    /// How an access list is searched.
    #[must_use]
    pub fn access_form(&self, acl: AclId) -> AccessForm {
        self.access.form(acl)
    }

    /// Memory of compiled access lists.
    #[must_use]
    pub fn access_usage(&self) -> AccessUsage {
        self.access.usage()
    }

    /// Traffic of a port.
    #[must_use]
    pub fn port_counters(&self, port: PortId) -> PortCounters {
        self.ports
            .get(port.index())
            .map_or_else(PortCounters::default, |port| port.counters)
    }

    /// Routes in force, in the order of `show route`: by network, connected before local.
    pub fn routes(&self) -> impl Iterator<Item = RouteView> + '_ {
        self.routes.shown().iter().copied()
    }

    /// Neighbours that answered or are being asked.
    pub fn neighbors(&self, now: Instant) -> impl Iterator<Item = NeighborView> + '_ {
        self.neighbors.iter().map(move |neighbor| NeighborView {
            port: neighbor.port,
            address: neighbor.address,
            mac: neighbor.is_known().then_some(neighbor.mac),
            age: now.since(neighbor.heard()),
        })
    }

    /// Connections, in no particular order.
    pub fn conns(&self, now: Instant) -> impl Iterator<Item = ConnView> + '_ {
        self.flows
            .iter()
            .map(move |(index, flow)| self.conn_view(index, flow, now))
    }

    /// Connections whose records are among `records`, so that a long list can be made piece by piece:
    /// records are numbered from 0 to the limit of [`conn_usage`](Self::conn_usage).
    pub fn conns_within(
        &self,
        records: Range<u32>,
        now: Instant,
    ) -> impl Iterator<Item = ConnView> + '_ {
        self.flows
            .iter_within(records)
            .map(move |(index, flow)| self.conn_view(index, flow, now))
    }

    /// What was opened since the start.
    #[must_use]
    pub fn opened(&self) -> Opened {
        Opened {
            xlates: self.bindings.made(),
            intercepted: self.verdicts().intercepted,
            abandoned: self.handshake_timeouts,
            ..self.opened
        }
    }

    /// The address that a view means: connections of IPv6 carry short names for theirs.
    #[must_use]
    pub fn address_shown(&self, address: Ipv4Addr) -> IpAddr {
        match self.v6.names.address(address) {
            Some(address) => address.into(),
            None => address.into(),
        }
    }

    /// A connection by its id, while it lives.
    #[must_use]
    pub fn conn(&self, flow: FlowId, now: Instant) -> Option<ConnView> {
        let index = self.flows.resolve(flow)?;
        Some(self.conn_view(index, self.flows.get(index)?, now))
    }

    /// How many connections there are.
    #[must_use]
    pub fn conn_usage(&self) -> Usage {
        self.flows.usage()
    }

    pub(crate) fn conn_view(&self, index: u32, flow: &Flow, now: Instant) -> ConnView {
        let (lower, higher) = flow.sides();
        let opened_by_lower = flow.flags.has(Flags::OPENED_BY_LOWER);
        let idle = self.idle_ticks(flow).unwrap_or(0);
        ConnView {
            flow: self.flows.id(index),
            protocol: flow.protocol,
            lower,
            higher,
            opened_by_lower,
            idle: now.since(instant_of(flow.last_used)),
            uptime: now.since(instant_of(flow.created)),
            timeout: TICK * idle,
            bytes: flow.bytes,
            flags: conn_flags(flow),
            is_intercepted: flow.flags.has(Flags::INTERCEPTED),
        }
    }

    /// How often the element `index` of `acl` decided.
    #[must_use]
    pub fn acl_hits(&self, acl: AclId, index: usize) -> u64 {
        let list = self.acl_hits.get(usize::from(acl.0));
        let hits = list.and_then(|list| list.get(index));
        hits.map_or(0, |hits| hits.count)
    }

    /// When the element `index` of `acl` last decided; `None` if it never did.
    #[must_use]
    pub fn acl_last_hit(&self, acl: AclId, index: usize) -> Option<Instant> {
        let hits = self.acl_hits.get(usize::from(acl.0))?.get(index)?;
        (hits.count > 0).then_some(hits.last)
    }

    /// TCP connections that ended because their handshake was not completed in time, ever.
    #[must_use]
    pub fn handshake_timeouts(&self) -> u64 {
        self.handshake_timeouts
    }

    /// Packets that `ip verify reverse-path` has dropped at a port.
    #[must_use]
    pub fn reverse_path_drops(&self, port: PortId) -> u64 {
        let port = self.ports.get(port.index());
        port.map_or(0, |port| port.reverse_path_drops)
    }

    /// Zeroes what [`reverse_path_drops`](Self::reverse_path_drops) counts, at every port.
    pub fn clear_reverse_path_drops(&mut self) {
        for port in &mut self.ports {
            port.reverse_path_drops = 0;
        }
    }

    /// Zeroes the drop counters.
    pub fn clear_drops(&mut self) {
        self.drops = DropCounters::default();
    }

    /// Zeroes the counters of dropped frames.
    pub fn clear_frame_drops(&mut self) {
        self.drops.clear_frames();
    }

    /// Zeroes the counters of ended flows.
    pub fn clear_flow_drops(&mut self) {
        self.drops.clear_flows();
    }

    /// Zeroes the traffic counters of a port.
    pub fn clear_port_counters(&mut self, port: PortId) {
        if let Some(port) = self.ports.get_mut(port.index()) {
            port.counters = PortCounters::default();
        }
    }

    /// Zeroes the hit counters of an access list.
    pub fn clear_acl_hits(&mut self, acl: AclId) {
        if let Some(list) = self.acl_hits.get_mut(usize::from(acl.0)) {
            list.fill(ElementHits::NONE);
        }
    }

    /// Makes the present number of connections the most there ever was.
    pub fn clear_most_used(&mut self) {
        self.flows.reset_most_used();
    }
}

/// The flags of a flow from the ASA's point of view: "inside" is the side of higher security.
fn conn_flags(flow: &Flow) -> ConnFlags {
    let mut flags = ConnFlags::default();
    let opened_by_lower = flow.flags.has(Flags::OPENED_BY_LOWER);
    let (inside, outside) = if opened_by_lower {
        (Direction::Reply, Direction::Forward)
    } else {
        (Direction::Forward, Direction::Reply)
    };
    if flow.protocol != PROTOCOL_TCP {
        return flags;
    }
    match (flow.state, opened_by_lower) {
        (State::SynSent | State::Spliced, false) => {
            flags.set(ConnFlags::AWAITING_OUTSIDE_SYN, true);
            flags.set(ConnFlags::AWAITING_OUTSIDE_ACK, true);
            flags.set(ConnFlags::AWAITING_INSIDE_ACK, true);
        }
        (State::SynSent | State::Spliced, true) => {
            flags.set(ConnFlags::AWAITING_INSIDE_SYN, true);
            flags.set(ConnFlags::AWAITING_OUTSIDE_ACK, true);
            flags.set(ConnFlags::AWAITING_INSIDE_ACK, true);
        }
        (State::SynReceived, false) => flags.set(ConnFlags::AWAITING_INSIDE_ACK, true),
        (State::SynReceived, true) => flags.set(ConnFlags::AWAITING_OUTSIDE_ACK, true),
        (State::Stateless, _) => flags.set(ConnFlags::BYPASSED, true),
        _ => flags.set(ConnFlags::UP, true),
    }
    flags.set(ConnFlags::OUTSIDE_FIN, flow.flags.has(Flags::fin(outside)));
    flags.set(ConnFlags::INSIDE_FIN, flow.flags.has(Flags::fin(inside)));
    // Who acknowledged is the other side of the FIN.
    flags.set(
        ConnFlags::OUTSIDE_ACKED_FIN,
        flow.flags.has(Flags::fin_acked(inside)),
    );
    flags.set(
        ConnFlags::INSIDE_ACKED_FIN,
        flow.flags.has(Flags::fin_acked(outside)),
    );
    flags.set(ConnFlags::PER_SESSION, flow.flags.has(Flags::PER_SESSION));
    flags.set(
        ConnFlags::INBOUND_DATA,
        flow.flags.has(Flags::data(outside)),
    );
    flags.set(
        ConnFlags::OUTBOUND_DATA,
        flow.flags.has(Flags::data(inside)),
    );
    flags.set(ConnFlags::OPENED_FROM_OUTSIDE, opened_by_lower);
    flags.set(ConnFlags::SIP, flow.flags.has(Flags::INTERCEPTED));
    flags
}

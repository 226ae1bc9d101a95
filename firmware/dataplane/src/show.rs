//! Reading the engine out, for `show` commands; and zeroing counters.

use core::time::Duration;

use hal::time::Instant;

use crate::drop_reason::{DropCounters, DropReason};
use crate::engine::DataPlane;
use crate::flow::{Direction, Flags, Flow, State};
use crate::hits::ElementHits;
use crate::nat::rules::is_identity;
use crate::policy::{AclId, AddressRange, NatSection, PortId, SourceNat};
use crate::view::{
    AccessForm, AccessUsage, ConnFlags, ConnView, FlowId, NatRuleView, NeighborView, PoolView,
    PortCounters, RouteView, Usage, Verdicts, XlateView,
};
use crate::wheel::{TICK, instant_of, tick_of};
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

    /// Translations: static ones first, in the order of the rules, then dynamic ones.
    pub fn xlates(&self, now: Instant) -> impl Iterator<Item = XlateView> + '_ {
        let statics =
            (0..self.nat.rules().len()).filter_map(move |number| self.static_view(number, now));
        let present = tick_of(now);
        let dynamics = self.bindings.iter().map(move |(binding, address)| {
            let endpoint = &binding.endpoint;
            // A binding that is in use is as fresh as its flows; only the last to leave notes it.
            let idle = if binding.flows > 0 {
                0
            } else {
                present.saturating_sub(binding.last_used)
            };
            XlateView {
                protocol: Some(endpoint.protocol),
                real_port: Some(endpoint.real_port),
                real: AddressRange::host(endpoint.address),
                real_service: Some(endpoint.service),
                mapped_port: Some(endpoint.mapped_port),
                mapped: AddressRange::host(address),
                mapped_service: Some(binding.mapped_service),
                is_static: false,
                is_identity: false,
                is_twice: binding.is_twice,
                idle: TICK * idle,
                timeout: if binding.is_per_session {
                    Duration::ZERO
                } else {
                    self.policy.timeouts.pat_xlate
                },
            }
        });
        statics.chain(dynamics)
    }

    fn static_view(&self, number: usize, now: Instant) -> Option<XlateView> {
        let compiled = self.nat.rules().get(number)?;
        let rule = &compiled.rule;
        if rule.inactive {
            return None;
        }
        let (real, mapped) = self.nat.static_mapping(number)?;
        Some(XlateView {
            protocol: rule.service.map(|service| service.transport.protocol()),
            real_port: rule.real_interface,
            real,
            real_service: rule.service.map(|service| service.real),
            mapped_port: rule.mapped_interface,
            mapped,
            mapped_service: rule.service.map(|service| service.mapped),
            is_static: true,
            is_identity: is_identity(rule),
            is_twice: rule.section != NatSection::Auto,
            idle: now.since(compiled.last_used),
            timeout: Duration::ZERO,
        })
    }

    /// How many translations there are, static and dynamic.
    #[must_use]
    pub fn xlate_usage(&self) -> Usage {
        let is_static = |number: &usize| {
            self.nat.rules().get(*number).is_some_and(|compiled| {
                !compiled.rule.inactive && matches!(compiled.rule.source, SourceNat::Static { .. })
            })
        };
        // Rules are numbered by u16.
        let fixed = (0..self.nat.rules().len()).filter(is_static).count() as u32;
        let dynamic = self.bindings.usage();
        Usage {
            in_use: dynamic.in_use + fixed,
            most_used: dynamic.most_used + fixed,
            limit: dynamic.limit.saturating_add(fixed),
        }
    }

    /// Use of the addresses shared by port.
    pub fn pools(&self) -> impl Iterator<Item = PoolView> + '_ {
        self.bindings.pools()
    }

    /// Translation rules in the order they are tried.
    pub fn nat_rules(&self) -> impl Iterator<Item = NatRuleView<'_>> + '_ {
        self.nat.rules().iter().map(|compiled| NatRuleView {
            rule: &compiled.rule,
            number: compiled.number,
            translate_hits: compiled.translate_hits,
            untranslate_hits: compiled.untranslate_hits,
        })
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

    /// Zeroes the hit counters of the translation rules.
    pub fn clear_nat_hits(&mut self) {
        self.nat.clear_hits();
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
        (State::SynSent, false) => {
            flags.set(ConnFlags::AWAITING_OUTSIDE_SYN, true);
            flags.set(ConnFlags::AWAITING_OUTSIDE_ACK, true);
            flags.set(ConnFlags::AWAITING_INSIDE_ACK, true);
        }
        (State::SynSent, true) => {
            flags.set(ConnFlags::AWAITING_INSIDE_SYN, true);
            flags.set(ConnFlags::AWAITING_OUTSIDE_ACK, true);
            flags.set(ConnFlags::AWAITING_INSIDE_ACK, true);
        }
        (State::SynReceived, false) => flags.set(ConnFlags::AWAITING_INSIDE_ACK, true),
        (State::SynReceived, true) => flags.set(ConnFlags::AWAITING_OUTSIDE_ACK, true),
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
    flags
}

//! What becomes of a packet that belongs to no flow: one function that reads as policy.
//!
//! [`DataPlane::decide`] looks and changes nothing; each stage tells a [`Trace`] what it found, so
//! that the same function explains itself ([`DataPlane::explain`]) and counts hits. What it allows,
//! [`DataPlane::open`] makes true: port, record, counters.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use hal::time::Instant;

use crate::access::{Candidate, transport_of};
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::tcp::{self};
use crate::flow::{Direction, Flags, Flow, InsertError, NONE, State};
use crate::nat::bindings::{BindError, Endpoint};
use crate::nat::rules::{DestinationChoice, DestinationSource, SourceChoice};
use crate::policy::{AclId, Action, Interface, PortId, ProxyId, Transport};
use crate::tell::xlate_ended;
use crate::wheel::tick_of;
use crate::wire::{Headers, ICMP_ECHO_REQUEST, Layer4, PROTOCOL_ICMP, PROTOCOL_TCP, SYN, Tuple};

/// What a stage of the slow path found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The destination is a mapped address: rule (in the order of
    /// [`nat_rules`](DataPlane::nat_rules)), real address and port.
    UnNat(usize, Ipv4Addr, u16),
    /// The packet is for the box itself.
    ToTheBox,
    /// Egress and next hop.
    Route(PortId, Ipv4Addr),
    /// As `Route`, of an IPv6 packet.
    Route6(PortId, core::net::Ipv6Addr),
    /// An access list decided: list, element (`None`: the implicit deny), verdict.
    Access(AclId, Option<usize>, Action),
    /// No access list is bound: the security levels of ingress and egress decided.
    SecurityLevel(u8, u8, Action),
    /// A TLS proxy takes the connection.
    Inspect(ProxyId),
    /// A source rule applies.
    Nat(usize),
    /// The translation of the way back fits.
    ReversePath,
}

/// Takes what the stages find.
pub trait Trace {
    /// Called by each stage that has something to say, in order.
    fn record(&mut self, step: Step);
}

impl Trace for Vec<Step> {
    fn record(&mut self, step: Step) {
        self.push(step);
    }
}

/// Remembers which access-list elements decided, for the hit counters: at most three lists are
/// asked about a packet.
#[derive(Default)]
pub(crate) struct Hits(heapless::Vec<(AclId, usize), 4>);

impl Trace for Hits {
    fn record(&mut self, step: Step) {
        if let Step::Access(acl, Some(index), _) = step {
            // Four places for at most three lists.
            let _ = self.0.push((acl, index));
        }
    }
}

/// What may become of a first packet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Decision {
    /// For the box itself.
    Local,
    /// A flow may be opened.
    Open(NewFlow),
}

/// A flow that is allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewFlow {
    pub(crate) egress: PortId,
    /// The real destination.
    pub(crate) destination: (Ipv4Addr, u16),
    pub(crate) destination_rule: Option<DestinationChoice>,
    pub(crate) source: Source,
    pub(crate) proxy: Option<ProxyId>,
    pub(crate) is_reply_permitted: bool,
    pub(crate) is_opened_by_lower: bool,
}

/// What the source becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Unchanged,
    /// By a static rule; counted there if it is its own.
    Fixed(Option<usize>, Ipv4Addr, u16),
    Dynamic(usize),
}

impl DataPlane {
    /// Decides about a packet that belongs to no flow. `icmp_code` is that of an ICMP packet.
    ///
    /// # Errors
    /// The reason to drop it.
    pub(crate) fn decide(
        &self,
        ingress: PortId,
        headers: &Headers,
        icmp_code: u8,
        trace: &mut impl Trace,
    ) -> Result<Decision, DropReason> {
        let tuple = headers.tuple;
        let from = self.interface(ingress).ok_or(DropReason::InterfaceDown)?;
        self.check_source(&tuple)?;
        self.check_path_of_source(ingress, tuple.source)?;

        // Destination: a mapped address, our own, or somebody's.
        let routed = self
            .routes
            .lookup(tuple.destination, None)
            .map(|hop| hop.port);
        let unnat = self
            .nat
            .untranslate(ingress, headers.protocol, &tuple, routed);
        match &unnat {
            Some(unnat) => trace.record(Step::UnNat(unnat.rule, unnat.address, unnat.port)),
            None => {
                if tuple.destination == from.address {
                    trace.record(Step::ToTheBox);
                    self.check_control_plane(from, headers, icmp_code, trace)?;
                    return Ok(Decision::Local);
                }
                if self.bindings.is_shared(tuple.destination) {
                    return Err(DropReason::NatNoXlate);
                }
            }
        }
        let (address, port) = unnat.map_or((tuple.destination, tuple.destination_port), |unnat| {
            (unnat.address, unnat.port)
        });
        self.check_destination(address)?;
        let opener = opener(headers)?;

        // Route: the rule that un-NATs may dictate the interface, the table then gives the next hop.
        let dictated = unnat.and_then(|unnat| unnat.egress);
        let hop = self
            .routes
            .lookup(address, dictated)
            .ok_or(DropReason::NoRoute)?;
        trace.record(Step::Route(hop.port, hop.address));
        let to = self.interface(hop.port).ok_or(DropReason::InterfaceDown)?;

        // Rules of the interfaces, by real addresses.
        self.check_same_security(from, to)?;
        let candidate = Candidate {
            source: tuple.source,
            destination: address,
            protocol: headers.protocol,
            source_port: tuple.source_port,
            destination_port: port,
            icmp_kind: opener,
            icmp_code,
        };
        self.check_access(from, to, &candidate, trace)?;

        // Inspection: a TLS proxy may take the connection over.
        let proxy = self.proxy_for(from, to, &candidate);
        if let Some(proxy) = proxy {
            trace.record(Step::Inspect(proxy));
        }

        // Source translation, and whether the way back is translated to match.
        let source = self.choose_source(ingress, hop.port, headers.protocol, &tuple, &unnat);
        match source {
            Source::Fixed(Some(rule), ..) | Source::Dynamic(rule) => {
                trace.record(Step::Nat(rule));
            }
            Source::Fixed(None, ..) | Source::Unchanged => {}
        }
        self.check_reverse_path(
            ingress,
            hop.port,
            headers.protocol,
            &tuple,
            (address, port),
            &unnat,
        )?;
        trace.record(Step::ReversePath);

        let is_reply_permitted = headers.protocol != PROTOCOL_ICMP
            || self.policy.inspect_icmp
            || self
                .check_access(to, from, &candidate.answer(), &mut Hits::default())
                .is_ok();
        Ok(Decision::Open(NewFlow {
            egress: hop.port,
            destination: (address, port),
            destination_rule: unnat,
            source,
            proxy,
            is_reply_permitted,
            is_opened_by_lower: from.security_level < to.security_level,
        }))
    }

    /// Source addresses that nobody can have: syslog 106016 and 106017 of the ASA.
    pub(crate) fn check_source(&self, tuple: &Tuple) -> Result<(), DropReason> {
        let source = tuple.source;
        let is_impossible = source.octets()[0] == 0
            || source.is_loopback()
            || source.octets()[0] >= 224
            || source == tuple.destination
            || self.is_own_or_broadcast(source);
        if is_impossible {
            Err(DropReason::SlowpathSecurity)
        } else {
            Ok(())
        }
    }

    /// Destinations that are not forwarded to.
    fn check_destination(&self, destination: Ipv4Addr) -> Result<(), DropReason> {
        let first = destination.octets()[0];
        if destination.is_multicast() || destination.is_broadcast() {
            return Err(DropReason::NoMulticastInterface);
        }
        // Nor does anybody have an address in 240.0.0.0/4 (RFC 1112 §4) or 0.0.0.0/8.
        if first >= 240
            || first == 0
            || destination.is_loopback()
            || self.is_own_or_broadcast(destination)
        {
            // Our far interfaces do not answer through the box either.
            return Err(DropReason::SlowpathSecurity);
        }
        Ok(())
    }

    /// `ip verify reverse-path`: packets to the source would leave by where it came in.
    fn check_path_of_source(&self, ingress: PortId, source: Ipv4Addr) -> Result<(), DropReason> {
        if !self.policy.reverse_path.contains(&ingress) {
            return Ok(());
        }
        match self.routes.lookup(source, None) {
            Some(hop) if hop.port == ingress => Ok(()),
            _ => Err(DropReason::RpfViolated),
        }
    }

    /// Counts what [`check_path_of_source`](Self::check_path_of_source) has refused.
    pub(crate) fn note_reverse_path(&mut self, port: PortId, reason: DropReason) {
        if reason == DropReason::RpfViolated
            && let Some(port) = self.ports.get_mut(port.index())
        {
            port.reverse_path_drops += 1;
        }
    }

    fn is_own_or_broadcast(&self, address: Ipv4Addr) -> bool {
        self.policy.interfaces.iter().any(|interface| {
            // RFC 3021: a /31 or /32 has neither network nor broadcast address.
            let is_edge = interface.prefix_len < 31 && {
                let network = interface.network();
                address == network.first || address == network.last
            };
            interface.address == address || is_edge
        })
    }

    /// `same-security-traffic`: equal levels, and out by the way in, need a permission of their own.
    pub(crate) fn check_same_security(
        &self,
        from: &Interface,
        to: &Interface,
    ) -> Result<(), DropReason> {
        let is_permitted = if from.port == to.port {
            self.policy.same_security_intra
        } else {
            from.security_level != to.security_level || self.policy.same_security_inter
        };
        if is_permitted {
            Ok(())
        } else {
            Err(DropReason::AclDrop)
        }
    }

    /// The inbound list of the ingress, then the global one, then an implicit deny; only if neither
    /// is bound, the security levels. Last the outbound list of the egress.
    fn check_access(
        &self,
        from: &Interface,
        to: &Interface,
        candidate: &Candidate,
        trace: &mut impl Trace,
    ) -> Result<(), DropReason> {
        let inbound = [from.access_in, self.policy.access_global];
        let decision = inbound.into_iter().flatten().find_map(|acl| {
            let (index, action) = self.access.decide(&self.policy, acl, candidate)?;
            trace.record(Step::Access(acl, Some(index), action));
            Some(action)
        });
        let action = match (decision, inbound.into_iter().flatten().last()) {
            (Some(action), _) => action,
            (None, Some(acl)) => {
                trace.record(Step::Access(acl, None, Action::Deny));
                Action::Deny
            }
            (None, None) => {
                let action = if from.security_level < to.security_level {
                    Action::Deny
                } else {
                    Action::Permit
                };
                trace.record(Step::SecurityLevel(
                    from.security_level,
                    to.security_level,
                    action,
                ));
                action
            }
        };
        if action == Action::Deny {
            return Err(DropReason::AclDrop);
        }
        let Some(acl) = to.access_out else {
            return Ok(());
        };
        let decision = self.access.decide(&self.policy, acl, candidate);
        let action = decision.map_or(Action::Deny, |(_, action)| action);
        trace.record(Step::Access(acl, decision.map(|(index, _)| index), action));
        if action == Action::Permit {
            Ok(())
        } else {
            Err(DropReason::AclDrop)
        }
    }

    /// The first class that matches: those of either interface's service policy before the global.
    fn proxy_for(
        &self,
        from: &Interface,
        to: &Interface,
        candidate: &Candidate,
    ) -> Option<ProxyId> {
        if candidate.protocol != PROTOCOL_TCP {
            return None;
        }
        let matching = |is_global: bool| {
            self.policy.inspections.iter().find(move |class| {
                class.port.is_none() == is_global
                    && class
                        .port
                        .is_none_or(|port| port == from.port || port == to.port)
                    && self
                        .access
                        .decide(&self.policy, class.acl, candidate)
                        .is_some_and(|(_, action)| action == Action::Permit)
            })
        };
        matching(false)
            .or_else(|| matching(true))
            .map(|class| class.proxy)
    }

    fn choose_source(
        &self,
        ingress: PortId,
        egress: PortId,
        protocol: u8,
        tuple: &Tuple,
        unnat: &Option<DestinationChoice>,
    ) -> Source {
        let (address, port) = (tuple.source, tuple.source_port);
        let choice = match unnat.map(|unnat| (unnat.source, unnat.rule)) {
            Some((DestinationSource::Translated(address, port), _)) => {
                return Source::Fixed(None, address, port);
            }
            Some((DestinationSource::SameRule, rule)) => self
                .nat
                .translate_source_by(rule, egress, protocol, address, port),
            Some((DestinationSource::Separate, _)) | None => self
                .nat
                .translate_source(ingress, egress, protocol, address, port),
        };
        match choice {
            Some(SourceChoice::Static {
                rule,
                address,
                port,
            }) => Source::Fixed(Some(rule), address, port),
            Some(SourceChoice::Dynamic { rule }) => Source::Dynamic(rule),
            None => Source::Unchanged,
        }
    }

    /// Looks at the answer as if it opened a flow: its source must become what was dialled.
    fn check_reverse_path(
        &self,
        ingress: PortId,
        egress: PortId,
        protocol: u8,
        tuple: &Tuple,
        (address, port): (Ipv4Addr, u16),
        unnat: &Option<DestinationChoice>,
    ) -> Result<(), DropReason> {
        // A rule with a destination clause decided about both sides at once.
        if unnat.is_some_and(|unnat| unnat.source != DestinationSource::Separate) {
            return Ok(());
        }
        match self
            .nat
            .translate_source(egress, ingress, protocol, address, port)
        {
            // The very rule that un-NATed, or another port of the same published address: one host
            // may be published on several ports, and the flow remembers which was dialled.
            Some(SourceChoice::Static { rule, address, .. })
                if unnat.is_some_and(|unnat| unnat.rule == rule)
                    || address == tuple.destination =>
            {
                Ok(())
            }
            None => Ok(()),
            Some(_) => Err(DropReason::NatRpfFailed),
        }
    }

    /// Makes an allowed flow: port of a shared address, record, hit counters.
    ///
    /// # Errors
    /// The limit that stands against it.
    pub(crate) fn open(
        &mut self,
        ingress: PortId,
        headers: &Headers,
        new: &NewFlow,
        window_scale: Option<u8>,
        now: Instant,
    ) -> Result<u32, DropReason> {
        if self.flows.is_full() {
            return Err(DropReason::UnableToCreateFlow);
        }
        let tick = tick_of(now);
        let tuple = headers.tuple;
        let mut flags = Flags::default();
        let (binding, source) = match new.source {
            Source::Unchanged => (NONE, (tuple.source, tuple.source_port)),
            Source::Fixed(_, address, port) => (NONE, (address, port)),
            Source::Dynamic(rule) => {
                let is_per_session = self.is_per_session(headers.protocol, &tuple, new.destination);
                if is_per_session {
                    flags.set(Flags::PER_SESSION);
                }
                let endpoint = Endpoint {
                    protocol: headers.protocol,
                    address: tuple.source,
                    service: tuple.source_port,
                    real_port: ingress,
                    mapped_port: new.egress,
                };
                let bindings_before = self.bindings.usage().in_use;
                let (binding, address, port) = self
                    .bindings
                    .bind(
                        endpoint,
                        self.nat.pool(rule, new.egress),
                        is_per_session,
                        self.nat.rules().get(rule).is_some_and(|compiled| {
                            compiled.rule.section != crate::policy::NatSection::Auto
                        }),
                        &mut self.random,
                        tick,
                    )
                    .map_err(|error| match error {
                        BindError::Exhausted => DropReason::NatPoolExhausted,
                        BindError::Untranslatable => DropReason::NatUntranslatable,
                    })?;
                if self.bindings.usage().in_use > bindings_before {
                    self.tell_bound(&endpoint, (address, port));
                }
                (binding, (address, port))
            }
        };
        if new.is_opened_by_lower {
            flags.set(Flags::OPENED_BY_LOWER);
        }
        if !new.is_reply_permitted {
            flags.set(Flags::REPLY_DENIED);
        }
        if new.proxy.is_some() {
            flags.set(Flags::INTERCEPTED);
        }
        let leaving = Tuple {
            source: source.0,
            destination: new.destination.0,
            source_port: source.1,
            destination_port: new.destination.1,
        };
        let mut flow = Flow {
            tuples: [tuple, leaving.reversed()],
            ports: [ingress, new.egress],
            protocol: headers.protocol,
            state: State::Stateless,
            last_used: tick,
            epoch: self.epoch,
            flags,
            created: tick,
            binding,
            proxy: new.proxy.unwrap_or(ProxyId(0)),
            ..Flow::unused()
        };
        if let Layer4::Tcp(fields) = headers.layer4 {
            tcp::open(&mut flow, &fields, headers.payload_len(), window_scale);
        }
        flow.set_translation();
        let deadline = self.idle_ticks(&flow).map(|idle| tick.saturating_add(idle));
        let index = match self.flows.insert(flow, deadline) {
            Ok(index) => index,
            Err(error) => {
                if let Some(gone) = self.bindings.release(binding, 0, tick) {
                    self.events.push(xlate_ended(&gone, tick));
                }
                return Err(match error {
                    InsertError::Full => DropReason::UnableToCreateFlow,
                    InsertError::Ambiguous => DropReason::NatPoolExhausted,
                });
            }
        };
        self.count_nat_hits(new, now);
        Ok(index)
    }

    fn count_nat_hits(&mut self, new: &NewFlow, now: Instant) {
        let destination = new.destination_rule;
        if let Some(unnat) = destination
            && let Some(compiled) = self.nat.rule_mut(unnat.rule)
        {
            compiled.last_used = now;
            match unnat.source {
                // Opened from the real side; the source part counts it.
                DestinationSource::SameRule => {}
                DestinationSource::Separate | DestinationSource::Translated(..) => {
                    compiled.untranslate_hits += 1;
                }
            }
        }
        if let Source::Fixed(Some(rule), ..) | Source::Dynamic(rule) = new.source
            && let Some(compiled) = self.nat.rule_mut(rule)
        {
            compiled.last_used = now;
            compiled.translate_hits += 1;
        }
    }

    /// Counts the access-list elements that decided.
    pub(crate) fn count_access_hits(&mut self, hits: &Hits, now: Instant) {
        for &(acl, index) in &hits.0 {
            let list = self.acl_hits.get_mut(usize::from(acl.0));
            if let Some(count) = list.and_then(|list| list.get_mut(index)) {
                count.add(now);
            }
        }
    }

    fn is_per_session(&self, protocol: u8, tuple: &Tuple, destination: (Ipv4Addr, u16)) -> bool {
        let Some(transport) = transport_of(protocol) else {
            return false;
        };
        let rule = self.policy.per_session.iter().find(|rule| {
            rule.transport == transport
                && rule.source.contains(tuple.source)
                && rule.destination.contains(destination.0)
                && rule.destination_port.matches(destination.1)
        });
        match (rule, transport) {
            (Some(rule), _) => rule.action == Action::Permit,
            (None, Transport::Tcp) => true,
            // The built-in rule: `xlate per-session permit udp any any eq domain`.
            (None, Transport::Udp) => destination.1 == 53,
        }
    }

    /// What the slow path would decide about an IPv4 packet (from its header on) arriving at
    /// `ingress`, step by step. Nothing is changed or counted.
    pub fn explain(&self, ingress: PortId, packet: &[u8]) -> (Vec<Step>, Result<(), DropReason>) {
        let mut steps = Vec::new();
        let verdict = Headers::parse(packet, 0, packet.len()).and_then(|headers| {
            let code = icmp_code(packet, &headers);
            self.decide(ingress, &headers, code, &mut steps).map(|_| ())
        });
        (steps, verdict)
    }
}

/// The ICMP code of a packet (0 if it is no ICMP).
pub(crate) fn icmp_code(bytes: &[u8], headers: &Headers) -> u8 {
    if headers.protocol == PROTOCOL_ICMP {
        bytes
            .get(usize::from(headers.transport) + 1)
            .copied()
            .unwrap_or(0)
    } else {
        0
    }
}

/// Whether a packet may be the first of a flow; its ICMP type (0 if it is no ICMP).
fn opener(headers: &Headers) -> Result<u8, DropReason> {
    match headers.layer4 {
        Layer4::Tcp(fields) if fields.is(SYN) => Ok(0),
        Layer4::Tcp(_) => Err(DropReason::TcpNotSyn),
        Layer4::Udp | Layer4::Other => Ok(0),
        Layer4::IcmpEcho {
            kind: ICMP_ECHO_REQUEST,
        } => Ok(ICMP_ECHO_REQUEST),
        Layer4::IcmpEcho { .. } => Err(DropReason::IcmpReplyUnasked),
        Layer4::IcmpError { .. } => Err(DropReason::IcmpErrorNoConn),
        // Timestamps, redirects and the like are of no use beyond a link.
        Layer4::IcmpOther { .. } => Err(DropReason::AclDrop),
    }
}

/// The direction of first packets.
pub(crate) const FIRST: Direction = Direction::Forward;

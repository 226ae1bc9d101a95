//! What becomes of a packet that belongs to no flow: one function that reads as policy.
//!
//! [`DataPlane::decide`] looks and changes nothing; each stage tells a [`Trace`] what it found, so
//! that the same function explains itself ([`DataPlane::explain`]) and counts hits. What it allows,
//! [`DataPlane::open`] makes true: port, record, counters.

mod explain;

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use hal::nic::MacAddr;
use hal::time::Instant;

use crate::access::{Candidate, transport_of};
use crate::connection::settings::{BYPASS, FlowSettings};
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::tcp::{self};
use crate::flow::{Direction, Flags, Flow, InsertError, State};
use crate::nat::bindings::{Endpoint, Linger};
use crate::nat::rules::{DestinationChoice, DestinationSource, SourceChoice};
use crate::policy::{AclId, Action, Interface, PortId, ProxyId, Transport};
use crate::tell::xlate_ended;
use crate::view::FlowId;
use crate::wheel::tick_of;
use crate::wire::{Headers, ICMP_ECHO_REQUEST, Layer4, PROTOCOL_ICMP, PROTOCOL_TCP, SYN, Tuple};

/// What a stage of the slow path found. A new stage is a new variant, recorded where it decides;
/// only what was really looked at is recorded.
///
/// Rules are numbered in the order of [`nat_rules`](DataPlane::nat_rules).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The options of the IPv4 header, if it has any, may pass.
    IpOptions,
    /// The flow the packet belongs to, if there is one.
    FlowLookup(Option<FlowId>),
    /// The destination is a mapped address.
    UnNat {
        /// The rule that says so.
        rule: usize,
        /// Address and port as they stand in the packet.
        dialled: (Ipv4Addr, u16),
        /// The real ones.
        real: (Ipv4Addr, u16),
        /// The egress that the rule dictates.
        divert: Option<PortId>,
    },
    /// The packet is for the box itself.
    ToTheBox,
    /// Egress and next hop.
    Route(PortId, Ipv4Addr),
    /// As `Route`, of an IPv6 packet.
    Route6(PortId, core::net::Ipv6Addr),
    /// Ingress and egress are of one security level, or (`true`) the same: `same-security-traffic`
    /// decided.
    SameSecurity(Action, bool),
    /// An access list decided: list, where it is bound, element (`None`: the implicit deny), verdict.
    Access(AclId, AccessPlace, Option<usize>, Action),
    /// No access list is bound: the security levels of ingress and egress decided.
    SecurityLevel(u8, u8, Action),
    /// A TLS proxy takes the connection.
    Inspect(ProxyId),
    /// A source rule applies; what it makes of the source is told apart.
    SourceRule(usize),
    /// ICMP is inspected: only the answer asked for comes back.
    InspectIcmp,
    /// The translation of the way back: the rule that it meets, whether it fits.
    ReversePath(Option<usize>, bool),
    /// The class whose settings the connection has, by its number in
    /// [`Policy::connections`](crate::Policy::connections); its limits are looked at next.
    ConnectionSettings(u16),
    /// Whether a dynamic translation goes with its flow.
    PerSession(bool),
    /// The source is translated.
    Nat {
        /// The rule that says so.
        rule: usize,
        /// Address and port as they stand in the packet.
        real: (Ipv4Addr, u16),
        /// What they become; `None`: the rule has no port to give.
        mapped: Option<(Ipv4Addr, u16)>,
        /// Whether the port was chosen, not configured.
        is_dynamic: bool,
    },
    /// A flow of this name is made.
    FlowCreation(FlowId),
    /// The next hop, and its Ethernet address if it has answered; if not, it is asked first.
    Adjacency(PortId, Ipv4Addr, Option<MacAddr>),
}

/// Where an access list is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessPlace {
    /// At the ingress.
    In(PortId),
    /// At the egress.
    Out(PortId),
    /// Everywhere.
    Global,
    /// At the ingress, for packets to the box itself.
    ToTheBox(PortId),
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
pub(crate) struct Hits(pub(crate) heapless::Vec<(AclId, usize), 4>);

impl Trace for Hits {
    fn record(&mut self, step: Step) {
        if let Step::Access(acl, _, Some(index), _) = step {
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
    pub(crate) settings: FlowSettings,
}

impl NewFlow {
    /// Whether the box may answer its SYN in the server's stead.
    pub(crate) const fn can_answer(&self) -> bool {
        self.proxy.is_none() && self.settings.normalizer != BYPASS
    }
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
            .untranslate(ingress, headers.protocol, &tuple, routed)
            .or_else(|| self.untranslate_held(ingress, headers.protocol, &tuple));
        match &unnat {
            Some(unnat) => trace.record(Step::UnNat {
                rule: unnat.rule,
                dialled: (tuple.destination, tuple.destination_port),
                real: (unnat.address, unnat.port),
                divert: unnat.egress,
            }),
            None => {
                if tuple.destination == from.address {
                    trace.record(Step::ToTheBox);
                    self.check_control_plane(from, headers, icmp_code, trace)?;
                    return Ok(Decision::Local);
                }
                if self.nat.is_given(tuple.destination)
                    || self.bindings.shared.is_shared(tuple.destination)
                {
                    return Err(DropReason::NatNoXlate);
                }
            }
        }
        let (address, port) = unnat.map_or((tuple.destination, tuple.destination_port), |unnat| {
            (unnat.address, unnat.port)
        });
        self.check_ends(tuple.source, address)?;
        let opener = match opener(&headers.layer4) {
            // Whether it needs a SYN is known when its class is.
            Err(DropReason::TcpNotSyn) if self.classes.may_bypass => 0,
            opener => opener?,
        };

        // Route: the rule that un-NATs may dictate the interface, the table then gives the next hop.
        let dictated = unnat.and_then(|unnat| unnat.egress);
        let hop = self
            .routes
            .lookup(address, dictated)
            .ok_or(DropReason::NoRoute)?;
        trace.record(Step::Route(hop.port, hop.address));
        let to = self.interface(hop.port).ok_or(DropReason::InterfaceDown)?;

        // Rules of the interfaces, by real addresses.
        self.check_same_security(from, to, trace)?;
        let candidate = Candidate {
            source: tuple.source,
            destination: address,
            protocol: headers.protocol,
            source_port: tuple.source_port,
            destination_port: port,
            icmp_kind: opener,
            icmp_code,
        };
        let lists_on =
            |candidate: Candidate| move |acl| self.access.decide(&self.policy, acl, &candidate);
        self.check_access(from, to, lists_on(candidate), trace)?;

        // Settings of the connection.
        let settings = self.settings_for(from, to, lists_on(candidate));
        if settings.normalizer != BYPASS
            && matches!(headers.layer4, Layer4::Tcp(fields) if !fields.is(SYN))
        {
            return Err(DropReason::TcpNotSyn);
        }

        // Inspection: a TLS proxy may take the connection over.
        let proxy = match settings.normalizer {
            BYPASS => None,
            _ => self.proxy_for(from, to, &candidate),
        };
        if let Some(proxy) = proxy {
            trace.record(Step::Inspect(proxy));
        }

        if headers.protocol == PROTOCOL_ICMP && self.policy.inspect_icmp {
            trace.record(Step::InspectIcmp);
        }

        // Source translation, and whether the way back is translated to match.
        let source = self.choose_source(ingress, hop.port, headers.protocol, &tuple, &unnat);
        if let Source::Fixed(Some(rule), ..) | Source::Dynamic(rule) = source {
            trace.record(Step::SourceRule(rule));
        }
        let way_back = self.reverse_path(
            ingress,
            hop.port,
            headers.protocol,
            &tuple,
            (address, port),
            &unnat,
        );
        if let Some((rule, is_match)) = way_back {
            trace.record(Step::ReversePath(rule, is_match));
            if !is_match {
                return Err(DropReason::NatRpfFailed);
            }
        }
        if let Source::Fixed(rule, address, port) = source
            && let Some(rule) = rule.or(unnat.map(|unnat| unnat.rule))
        {
            trace.record(Step::Nat {
                rule,
                real: (tuple.source, tuple.source_port),
                mapped: Some((address, port)),
                is_dynamic: false,
            });
        }

        let is_reply_permitted = headers.protocol != PROTOCOL_ICMP
            || self.policy.inspect_icmp
            || self
                .check_access(to, from, lists_on(candidate.answer()), &mut Hits::default())
                .is_ok();
        Ok(Decision::Open(NewFlow {
            egress: hop.port,
            destination: (address, port),
            destination_rule: unnat,
            source,
            proxy,
            is_reply_permitted,
            is_opened_by_lower: from.security_level < to.security_level,
            settings,
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

    /// Sources that may speak with the box but not through it, and destinations that are not
    /// forwarded to.
    fn check_ends(&self, source: Ipv4Addr, destination: Ipv4Addr) -> Result<(), DropReason> {
        let first = destination.octets()[0];
        if destination.is_multicast() || destination.is_broadcast() {
            return Err(DropReason::NoMulticastInterface);
        }
        // Nor does anybody have an address in 240.0.0.0/4 (RFC 1112 §4) or 0.0.0.0/8.
        if first >= 240
            || first == 0
            || destination.is_loopback()
            // Those stay on their link: RFC 3927 §7.
            || destination.is_link_local()
            || source.is_link_local()
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
        trace: &mut impl Trace,
    ) -> Result<(), DropReason> {
        let is_hairpin = from.port == to.port;
        let is_permitted = if is_hairpin {
            self.policy.same_security_intra
        } else if from.security_level == to.security_level {
            self.policy.same_security_inter
        } else {
            return Ok(());
        };
        let (action, outcome) = if is_permitted {
            (Action::Permit, Ok(()))
        } else {
            (Action::Deny, Err(DropReason::AclDrop))
        };
        trace.record(Step::SameSecurity(action, is_hairpin));
        outcome
    }

    /// The inbound list of the ingress, then the global one, then an implicit deny; only if neither
    /// is bound, the security levels. Last the outbound list of the egress. `decide` asks a list: which
    /// element decides, and what it says.
    pub(crate) fn check_access(
        &self,
        from: &Interface,
        to: &Interface,
        decide: impl Fn(AclId) -> Option<(usize, Action)>,
        trace: &mut impl Trace,
    ) -> Result<(), DropReason> {
        let inbound = [
            from.access_in.map(|acl| (acl, AccessPlace::In(from.port))),
            self.policy
                .access_global
                .map(|acl| (acl, AccessPlace::Global)),
        ];
        let decision = inbound.into_iter().flatten().find_map(|(acl, place)| {
            let (index, action) = decide(acl)?;
            trace.record(Step::Access(acl, place, Some(index), action));
            Some(action)
        });
        let action = match (decision, inbound.into_iter().flatten().last()) {
            (Some(action), _) => action,
            (None, Some((acl, place))) => {
                trace.record(Step::Access(acl, place, None, Action::Deny));
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
        let decision = decide(acl);
        let action = decision.map_or(Action::Deny, |(_, action)| action);
        trace.record(Step::Access(
            acl,
            AccessPlace::Out(to.port),
            decision.map(|(index, _)| index),
            action,
        ));
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

    /// Looks at the answer as if it opened a flow: its source must become what was dialled. Returns
    /// the rule that it meets, and whether that fits; `None` if there is nothing to compare.
    fn reverse_path(
        &self,
        ingress: PortId,
        egress: PortId,
        protocol: u8,
        tuple: &Tuple,
        (address, port): (Ipv4Addr, u16),
        unnat: &Option<DestinationChoice>,
    ) -> Option<(Option<usize>, bool)> {
        // A rule with a destination clause decided about both sides at once.
        if unnat.is_some_and(|unnat| unnat.source != DestinationSource::Separate) {
            return None;
        }
        let back = self
            .nat
            .translate_source(egress, ingress, protocol, address, port);
        Some(match back {
            // The very rule that un-NATed, or another port of the same published address: one host
            // may be published on several ports, and the flow remembers which was dialled.
            Some(SourceChoice::Static { rule, address, .. }) => (
                Some(rule),
                unnat.is_some_and(|unnat| unnat.rule == rule) || address == tuple.destination,
            ),
            // A host that is reachable by the whole address it holds.
            Some(SourceChoice::Dynamic { rule }) => {
                (Some(rule), unnat.is_some_and(|unnat| unnat.rule == rule))
            }
            None => (None, true),
        })
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
        self.check_new_flows()?;
        if self.flows.is_full() {
            return Err(DropReason::UnableToCreateFlow);
        }
        let tick = tick_of(now);
        let tuple = headers.tuple;
        let mut flags = Flags::default();
        let (binding, source) = match new.source {
            Source::Unchanged => (
                self.hold_destination(ingress, &tuple, new),
                (tuple.source, tuple.source_port),
            ),
            Source::Fixed(_, address, port) => {
                (self.hold_destination(ingress, &tuple, new), (address, port))
            }
            Source::Dynamic(rule) => {
                let is_per_session = self.is_per_session(headers.protocol, &tuple, new.destination);
                let endpoint = endpoint(ingress, headers, new);
                let bindings_before = self.bindings.usage().in_use;
                let bound = self.bind(endpoint, new.destination, rule, is_per_session, tick)?;
                let (binding, address, port) = (bound.index, bound.address, bound.service);
                if self.bindings.usage().in_use > bindings_before {
                    self.tell_bound(binding);
                }
                if is_per_session && self.bindings.is_port(binding) {
                    flags.set(Flags::PER_SESSION);
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
        if self
            .class_settings(new.settings.class)
            .is_some_and(|settings| settings.decrement_ttl)
        {
            flags.set(Flags::DECREMENTS_TTL);
        }
        if self.inspects_dns(ingress, headers.protocol, &tuple, new) {
            flags.set(Flags::DNS);
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
            class: new.settings.class,
            normalizer: new.settings.normalizer,
            ..Flow::unused()
        };
        if let Layer4::Tcp(fields) = headers.layer4
            && new.settings.normalizer != BYPASS
        {
            tcp::open(&mut flow, &fields, headers.payload_len(), window_scale);
            self.number_anew(&mut flow, now);
        }
        flow.set_translation();
        let deadline = self.idle_ticks(&flow).map(|idle| tick.saturating_add(idle));
        let index = match self.flows.insert(flow, deadline) {
            Ok(index) => index,
            Err(error) => {
                if let Some(gone) = self.bindings.release(binding, Linger::default(), tick) {
                    self.push_event(xlate_ended(&gone, tick));
                }
                return Err(match error {
                    InsertError::Full => DropReason::UnableToCreateFlow,
                    InsertError::Ambiguous => DropReason::NatPoolExhausted,
                });
            }
        };
        self.opened.count_conn(headers.protocol);
        self.count_nat_hits(new, now);
        self.count_opened(index);
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
                && rule.source_port.matches(tuple.source_port)
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
}

/// Who wants a port for a flow.
fn endpoint(ingress: PortId, headers: &Headers, new: &NewFlow) -> Endpoint {
    Endpoint {
        protocol: headers.protocol,
        address: headers.tuple.source,
        service: headers.tuple.source_port,
        real_port: ingress,
        mapped_port: new.egress,
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
pub(crate) fn opener(layer4: &Layer4) -> Result<u8, DropReason> {
    match *layer4 {
        Layer4::Tcp(fields) if fields.is(SYN) => Ok(0),
        Layer4::Tcp(_) => Err(DropReason::TcpNotSyn),
        Layer4::Udp | Layer4::Other => Ok(0),
        Layer4::IcmpEcho {
            kind: ICMP_ECHO_REQUEST,
        } => Ok(ICMP_ECHO_REQUEST),
        Layer4::IcmpEcho { .. } => Err(DropReason::IcmpReplyUnasked),
        Layer4::IcmpError { .. } => Err(DropReason::IcmpErrorNoConn),
        // Timestamps, redirects, neighbour discovery and the like are of no use beyond a link.
        Layer4::IcmpOther { .. } => Err(DropReason::AclDrop),
    }
}

/// The direction of first packets.
pub(crate) const FIRST: Direction = Direction::Forward;

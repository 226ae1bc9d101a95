//! What would become of a packet, step by step: the stages of the real path, none of their effects.
//!
//! Decisions are those of [`DataPlane::decide`] itself. What the real path does while it changes
//! something (taking a port, adding a flow, tracking TCP) is asked here of the same tables without
//! changing them; a property test holds both to the same verdict. Queues are not asked: a verdict is
//! about the packet, not about how busy the box is.

use alloc::vec::Vec;

use super::{Decision, NewFlow, Source, Step, Trace, endpoint, icmp_code};
use crate::connection::counts::Admission;
use crate::connection::normalize;
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::{Direction, Flags, Flow, State};
use crate::input::syn_options;
use crate::policy::PortId;
use crate::wire::checksum;
use crate::wire::{
    Headers, ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, IPV4_LEN, Layer4, Quoted, SYN, Tuple,
};

impl DataPlane {
    /// What would become of an IPv4 packet (from its header on, all of it) arriving at `ingress`, step
    /// by step. Nothing is changed or counted.
    ///
    /// A port taken from a pool is the one that would be tried first; by the time a packet comes it may
    /// be gone.
    pub fn explain(&self, ingress: PortId, packet: &[u8]) -> (Vec<Step>, Result<(), DropReason>) {
        let mut steps = Vec::new();
        let verdict = self.rehearse(ingress, packet, &mut steps);
        (steps, verdict)
    }

    fn rehearse(
        &self,
        ingress: PortId,
        packet: &[u8],
        trace: &mut Vec<Step>,
    ) -> Result<(), DropReason> {
        let from = self.interface(ingress).ok_or(DropReason::InterfaceDown)?;
        if packet.len() > usize::from(from.mtu) {
            return Err(DropReason::InvalidEncap);
        }
        let headers = Headers::parse(packet, 0, packet.len())?;
        if usize::from(headers.transport) > IPV4_LEN {
            trace.record(Step::IpOptions);
        }
        if self.shuns.holds(headers.tuple.source) {
            return Err(DropReason::Shunned);
        }
        if let Layer4::IcmpError { .. } = headers.layer4 {
            return self.rehearse_error(ingress, &headers, packet, trace);
        }
        let found = self
            .flows
            .find_tuple(ingress, headers.protocol, &headers.tuple);
        trace.record(Step::FlowLookup(
            found.map(|(index, _)| self.flows.id(index)),
        ));
        if let Some((index, direction)) = found {
            let flow = self.flows.get(index).ok_or(DropReason::FlowBeingFreed)?;
            self.rehearse_passing(flow, direction, &headers, packet)?;
            return self.rehearse_leaving(flow, direction, trace);
        }
        let code = icmp_code(packet, &headers);
        match self.decide(ingress, &headers, code, trace)? {
            Decision::Local => self.rehearse_local(ingress, &headers, packet),
            Decision::Open(new) => {
                let class = self.class_settings(new.settings.class);
                if class.is_some() {
                    trace.record(Step::ConnectionSettings(new.settings.class));
                }
                let may_answer = new.can_answer();
                if let Admission::Cookie = self.would_admit(new.settings, &headers, may_answer)? {
                    // The box answers for the server.
                    return Ok(());
                }
                syn_options(packet, &headers)?;
                self.rehearse_open(ingress, &headers, &new, trace)?;
                trace.record(Step::FlowCreation(self.flows.next_id()));
                if new.proxy.is_some() {
                    return Ok(());
                }
                let decrements_ttl = class.is_some_and(|settings| settings.decrement_ttl);
                self.check_exit(new.egress, &headers, decrements_ttl)?;
                self.look_for_next_hop(new.egress, new.destination.0, trace)
            }
        }
    }

    /// As [`DataPlane::open`].
    fn rehearse_open(
        &self,
        ingress: PortId,
        headers: &Headers,
        new: &NewFlow,
        trace: &mut Vec<Step>,
    ) -> Result<(), DropReason> {
        if self.flows.is_full() {
            return Err(DropReason::UnableToCreateFlow);
        }
        let tuple = headers.tuple;
        let real = (tuple.source, tuple.source_port);
        let source = match new.source {
            Source::Unchanged => real,
            Source::Fixed(_, address, port) => (address, port),
            Source::Dynamic(rule) => {
                trace.record(Step::PerSession(self.is_per_session(
                    headers.protocol,
                    &tuple,
                    new.destination,
                )));
                let endpoint = endpoint(ingress, headers, new);
                let mapped = self.peek_binding(endpoint, new.destination, rule);
                trace.record(Step::Nat {
                    rule,
                    real,
                    mapped: mapped.ok(),
                    is_dynamic: true,
                });
                mapped?
            }
        };
        let answer = Tuple {
            source: new.destination.0,
            destination: source.0,
            source_port: new.destination.1,
            destination_port: source.1,
        };
        let is_taken = self
            .flows
            .find_tuple(new.egress, headers.protocol, &answer)
            .is_some();
        let is_to_itself = answer == tuple && ingress == new.egress;
        if is_taken || is_to_itself {
            return Err(DropReason::NatPoolExhausted);
        }
        Ok(())
    }

    /// As the path of a packet whose flow is known.
    fn rehearse_passing(
        &self,
        flow: &Flow,
        direction: Direction,
        headers: &Headers,
        packet: &[u8],
    ) -> Result<(), DropReason> {
        if flow.flags.has(Flags::INTERCEPTED) {
            return Ok(());
        }
        let decrements_ttl = flow.flags.has(Flags::DECREMENTS_TTL);
        self.check_exit(flow.egress(direction), headers, decrements_ttl)?;
        match headers.layer4 {
            Layer4::Tcp(fields) if flow.state != State::Stateless => {
                let scale = if fields.has(SYN) {
                    syn_options(packet, headers)?.0
                } else {
                    None
                };
                let map = self
                    .normalizers
                    .get(usize::from(flow.normalizer))
                    .ok_or(DropReason::FlowBeingFreed)?;
                normalize::rehearse(map, flow.clone(), direction, headers, &fields, scale)
            }
            Layer4::IcmpEcho { kind } => {
                let expected = match direction {
                    Direction::Forward => ICMP_ECHO_REQUEST,
                    Direction::Reply => ICMP_ECHO_REPLY,
                };
                if kind != expected {
                    return Err(DropReason::IcmpReplyUnasked);
                }
                if direction == Direction::Reply && flow.flags.has(Flags::REPLY_DENIED) {
                    return Err(DropReason::AclDrop);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// As the end of that path: the next hop remembered by the flow, else the one that routes name.
    fn rehearse_leaving(
        &self,
        flow: &Flow,
        direction: Direction,
        trace: &mut Vec<Step>,
    ) -> Result<(), DropReason> {
        if flow.flags.has(Flags::INTERCEPTED) {
            return Ok(());
        }
        let egress = flow.egress(direction);
        let remembered = self
            .neighbors
            .get(flow.next_hops[direction.index()])
            .filter(|neighbor| neighbor.is_known() && flow.epoch == self.epoch);
        match remembered {
            Some(neighbor) => {
                trace.record(Step::Adjacency(
                    egress,
                    neighbor.address,
                    Some(neighbor.mac),
                ));
                Ok(())
            }
            None => self.look_for_next_hop(egress, flow.leaving(direction).destination, trace),
        }
    }

    /// Whether there is a next hop at `egress`; it need not have answered yet.
    fn look_for_next_hop(
        &self,
        egress: PortId,
        destination: core::net::Ipv4Addr,
        trace: &mut Vec<Step>,
    ) -> Result<(), DropReason> {
        let hop = self
            .routes
            .lookup(destination, Some(egress))
            .ok_or(DropReason::NoRoute)?;
        let known = self
            .neighbors
            .find(egress, hop.address)
            .and_then(|id| self.neighbors.get(id))
            .filter(|neighbor| neighbor.is_known())
            .map(|neighbor| neighbor.mac);
        trace.record(Step::Adjacency(egress, hop.address, known));
        Ok(())
    }

    /// Whether a packet may leave by `egress` as it is.
    fn check_exit(
        &self,
        egress: PortId,
        headers: &Headers,
        decrements_ttl: bool,
    ) -> Result<(), DropReason> {
        let exit = self.interface(egress).ok_or(DropReason::InterfaceDown)?;
        // What may be cut is cut.
        if headers.total_len > exit.mtu && headers.dont_fragment {
            return Err(DropReason::MtuExceeded);
        }
        if decrements_ttl && headers.ttl <= 1 {
            return Err(DropReason::TtlExceeded);
        }
        Ok(())
    }

    /// As the path of a packet for the box itself.
    fn rehearse_local(
        &self,
        ingress: PortId,
        headers: &Headers,
        packet: &[u8],
    ) -> Result<(), DropReason> {
        match headers.layer4 {
            Layer4::IcmpEcho {
                kind: ICMP_ECHO_REQUEST,
            } => {
                if !self.may_ping(ingress, headers) {
                    return Err(DropReason::AclDrop);
                }
                let message =
                    packet.get(usize::from(headers.transport)..usize::from(headers.total_len));
                if message.is_none_or(|message| checksum::sum(message) != 0xffff) {
                    return Err(DropReason::BadTransportChecksum);
                }
                Ok(())
            }
            Layer4::IcmpEcho { .. } => Ok(()),
            Layer4::Tcp(_) | Layer4::Udp => {
                let is_served = self.policy.local_services.iter().any(|service| {
                    service.transport.protocol() == headers.protocol
                        && service.first <= headers.tuple.destination_port
                        && headers.tuple.destination_port <= service.last
                });
                if is_served {
                    Ok(())
                } else {
                    Err(DropReason::NpSocketClosed)
                }
            }
            _ => Err(DropReason::NpSocketClosed),
        }
    }

    /// As the path of an ICMP error; that the quoted packet can be translated is not asked.
    fn rehearse_error(
        &self,
        ingress: PortId,
        headers: &Headers,
        packet: &[u8],
        trace: &mut Vec<Step>,
    ) -> Result<(), DropReason> {
        let quoted = packet
            .get(..usize::from(headers.total_len))
            .and_then(|message| Quoted::parse(message, usize::from(headers.transport)))
            .filter(|quoted| quoted.tuple.source == headers.tuple.destination)
            .ok_or(DropReason::IcmpErrorNoConn)?;
        let answer = quoted.tuple.reversed();
        let found = self.flows.find_tuple(ingress, quoted.protocol, &answer);
        trace.record(Step::FlowLookup(
            found.map(|(index, _)| self.flows.id(index)),
        ));
        match found.and_then(|(index, _)| self.flows.get(index)) {
            Some(flow) if flow.flags.has(Flags::INTERCEPTED) => {
                Err(DropReason::InterceptUnexpected)
            }
            Some(_) => Ok(()),
            None if self
                .interface(ingress)
                .is_some_and(|own| own.address == headers.tuple.destination) =>
            {
                trace.record(Step::ToTheBox);
                Ok(())
            }
            None => Err(DropReason::IcmpErrorNoConn),
        }
    }
}

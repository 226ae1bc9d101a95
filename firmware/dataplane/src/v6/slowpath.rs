//! What becomes of an IPv6 packet that belongs to no flow. The stages are those of
//! [`DataPlane::decide`], with addresses of 128 bits and without sharing addresses by port.

use core::net::Ipv6Addr;

use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

use super::policy::{AddressRange6, StaticNat6};
use super::wire::Headers6;
use crate::access::{Candidate, matches_service};
use crate::connection::settings::{BYPASS, FlowSettings};
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::event::{Event, EventKind};
use crate::input::{Dropped, Outcome, window_scale};
use crate::policy::{AceLog, AclId, Action, PortId};
use crate::slowpath::{FIRST, Hits, NewFlow, Source, Step, Trace, opener};
use crate::tell::{Seen, facts};
use crate::wire::{Headers, ICMP_ECHO_REPLY, ICMP_ECHO_REQUEST, Layer4, SYN, Tuple};

/// What may become of a first packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision6 {
    /// For the box itself.
    Local,
    /// A flow may be opened.
    Open(NewFlow6),
}

/// A flow that is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NewFlow6 {
    egress: PortId,
    /// What leaves the box in the direction of the first packet.
    source: Ipv6Addr,
    destination: Ipv6Addr,
    is_reply_permitted: bool,
    is_opened_by_lower: bool,
    settings: FlowSettings,
    /// The rules that translate destination and source, by their number in the policy.
    untranslated_by: Option<usize>,
    translated_by: Option<usize>,
}

impl DataPlane {
    /// Takes a packet that belongs to no flow to its verdict.
    pub(super) fn handle_miss6(
        &mut self,
        port: PortId,
        headers: &Headers6,
        frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let mut seen = Seen::default();
        let decision = self.decide6(port, headers, &mut seen);
        self.count_access_hits(&seen.hits, now);
        self.tell_hits6(port, headers, &seen);
        let new = match decision {
            Ok(Decision6::Open(new)) => new,
            Ok(Decision6::Local) => return self.handle_local6(port, headers, frame),
            Err(reason) => {
                self.tell_refused6(port, headers, reason, &seen, now);
                return Err(Dropped::new(reason, frame));
            }
        };
        match self.open6(port, headers, &new, &frame, now) {
            Ok((index, named)) => self.forward(index, FIRST, &named, frame, pool, now),
            Err(reason) => {
                self.tell_refused6(port, headers, reason, &seen, now);
                Err(Dropped::new(reason, frame))
            }
        }
    }

    /// A packet that belongs to no flow opened none. Its addresses get names for as long as somebody
    /// may read of them.
    fn tell_refused6(
        &mut self,
        port: PortId,
        headers: &Headers6,
        reason: DropReason,
        seen: &Seen,
        now: Instant,
    ) {
        let is_silent = self.events.is_silent()
            || (reason == DropReason::SlowpathSecurity
                && self.check_source6(port, headers).is_ok());
        if is_silent {
            return;
        }
        self.with_names(headers, |box_, named| {
            box_.tell_refused(port, named, headers.icmp_code, reason, seen, now);
        });
    }

    /// Elements with the log option were hit, each told once for each packet that opens a flow or is
    /// refused: hits of IPv6 are not summed up over an interval.
    fn tell_hits6(&mut self, port: PortId, headers: &Headers6, seen: &Seen) {
        if !self.events.wants(EventKind::AccessLogged) {
            return;
        }
        for &(acl, element) in &seen.hits.0 {
            let list = self.policy.access_lists.get(usize::from(acl.0));
            let rule = list.and_then(|list| list.elements.get(element));
            let Some(action) = rule
                .filter(|rule| matches!(rule.log, AceLog::Flows { .. }))
                .map(|rule| rule.action)
            else {
                continue;
            };
            self.with_names(headers, |box_, named| {
                box_.push_event(Event::AccessLogged {
                    acl,
                    element: u32::try_from(element).unwrap_or(u32::MAX),
                    action,
                    packet: facts(port, named, headers.icmp_code, seen),
                    hits: 1,
                    interval_secs: None,
                });
            });
        }
    }

    /// Does something that needs names for the addresses of a packet; where there is none left, what
    /// is not told is counted.
    fn with_names(&mut self, headers: &Headers6, what: impl FnOnce(&mut Self, &Headers)) {
        let source = self.v6.names.take(headers.source);
        let destination = self.v6.names.take(headers.destination);
        if let (Some(source), Some(destination)) = (source, destination) {
            what(self, &headers.named(source, destination));
        } else {
            self.events.note_lost();
        }
        for name in [source, destination].into_iter().flatten() {
            self.v6.names.release(name);
        }
    }

    /// Decides about a packet that belongs to no flow.
    ///
    /// # Errors
    /// The reason to drop it.
    pub(crate) fn decide6(
        &self,
        ingress: PortId,
        headers: &Headers6,
        trace: &mut impl Trace,
    ) -> Result<Decision6, DropReason> {
        let from = self.interface(ingress).ok_or(DropReason::InterfaceDown)?;
        self.check_source6(ingress, headers)?;

        // Destination: a mapped address, our own, or somebody's.
        let unnat = self.v6_untranslate(ingress, headers.destination);
        if unnat.is_none() && self.is_own6(ingress, headers.destination) {
            trace.record(Step::ToTheBox);
            return Ok(Decision6::Local);
        }
        let (address, dictated) = match unnat {
            Some((rule, address)) => (address, rule.real_interface),
            None => (headers.destination, None),
        };
        self.check_destination6(address)?;
        let kind = match opener(&headers.layer4) {
            // Whether it needs a SYN is known when its class is.
            Err(DropReason::TcpNotSyn) if self.classes.may_bypass => 0,
            kind => kind?,
        };

        let hop = self
            .v6
            .routes
            .lookup(address, dictated)
            .ok_or(DropReason::NoRoute)?;
        trace.record(Step::Route6(hop.port, hop.address));
        let to = self.interface(hop.port).ok_or(DropReason::InterfaceDown)?;

        // Rules of the interfaces, by real addresses.
        self.check_same_security(from, to, trace)?;
        let asked = Asked {
            source: headers.source,
            destination: address,
            candidate: Candidate {
                source: core::net::Ipv4Addr::UNSPECIFIED,
                destination: core::net::Ipv4Addr::UNSPECIFIED,
                protocol: headers.protocol,
                source_port: headers.source_port,
                destination_port: headers.destination_port,
                icmp_kind: kind,
                icmp_code: headers.icmp_code,
            },
        };
        let lists_on = |asked: Asked| move |acl| self.decide_list6(acl, &asked);
        self.check_access(from, to, lists_on(asked), trace)?;
        let settings = self.settings_for(from, to, lists_on(asked));
        if settings.normalizer != BYPASS
            && matches!(headers.layer4, Layer4::Tcp(fields) if !fields.is(SYN))
        {
            return Err(DropReason::TcpNotSyn);
        }

        // Source translation, and whether the way back is translated to match.
        let translated = self.v6_translate_source(ingress, hop.port, headers.source);
        let source = translated.map_or(headers.source, |(_, address)| address);
        let answered = self
            .v6_translate_source(hop.port, ingress, address)
            .map_or(address, |(_, address)| address);
        let is_match = answered == headers.destination;
        trace.record(Step::ReversePath(None, is_match));
        if !is_match {
            return Err(DropReason::NatRpfFailed);
        }

        let is_reply_permitted = !matches!(headers.layer4, Layer4::IcmpEcho { .. })
            || self.policy.inspect_icmp
            || self
                .check_access(to, from, lists_on(asked.answer()), &mut Hits::default())
                .is_ok();
        Ok(Decision6::Open(NewFlow6 {
            egress: hop.port,
            source,
            destination: address,
            is_reply_permitted,
            is_opened_by_lower: from.security_level < to.security_level,
            settings,
            untranslated_by: unnat.map(|(rule, _)| rule.rule),
            translated_by: translated.map(|(rule, _)| rule.rule),
        }))
    }

    /// Source addresses that nobody can have, or that must not leave their link (RFC 4291 §2.5.2,
    /// §2.5.3, §2.5.6, §2.7).
    fn check_source6(&self, ingress: PortId, headers: &Headers6) -> Result<(), DropReason> {
        let source = headers.source;
        // To the box itself a neighbour may speak from its address on the link.
        let is_link_local_talk =
            source.is_unicast_link_local() && self.is_own6(ingress, headers.destination);
        let is_impossible = source.is_unspecified()
            || source.is_loopback()
            || source.is_multicast()
            || source.to_ipv4_mapped().is_some()
            || source == headers.destination
            || (source.is_unicast_link_local() && !is_link_local_talk)
            || self
                .policy
                .v6
                .interfaces
                .iter()
                .flat_map(super::policy::Interface6::own)
                .any(|own| own.address == source);
        if is_impossible {
            Err(DropReason::SlowpathSecurity)
        } else {
            Ok(())
        }
    }

    fn check_destination6(&self, destination: Ipv6Addr) -> Result<(), DropReason> {
        if destination.is_multicast() {
            return Err(DropReason::NoMulticastInterface);
        }
        let is_forbidden = destination.is_unspecified()
            || destination.is_loopback()
            || destination.is_unicast_link_local()
            || destination.to_ipv4_mapped().is_some()
            // Our far interfaces do not answer through the box.
            || self
                .policy
                .v6
                .interfaces
                .iter()
                .flat_map(super::policy::Interface6::own)
                .any(|own| own.address == destination);
        if is_forbidden {
            Err(DropReason::SlowpathSecurity)
        } else {
            Ok(())
        }
    }

    /// The element of a list that decides, and what it says.
    fn decide_list6(&self, acl: AclId, asked: &Asked) -> Option<(usize, Action)> {
        let list = self.policy.access_lists.get(usize::from(acl.0))?;
        let own = self.policy.v6.access.get(usize::from(acl.0))?;
        let compiled = self
            .access
            .decide6(acl, asked.source, asked.destination, &asked.on_wire());
        if let Ok(found) = compiled {
            let ace = own.get(found?)?;
            return Some((ace.element, list.elements.get(ace.element)?.action));
        }
        own.iter().find_map(|ace| {
            let element = list.elements.get(ace.element)?;
            let matches = element.is_active
                && ace.source.contains(asked.source)
                && ace.destination.contains(asked.destination)
                && match ace.icmp {
                    Some((kind, code)) => asked.is_icmp(kind, code),
                    None => matches_service(&element.service, &asked.candidate),
                };
            matches.then_some((ace.element, element.action))
        })
    }

    /// The static rule by which `port` knows a real address as `address`, and the real one.
    fn v6_untranslate(&self, port: PortId, address: Ipv6Addr) -> Option<(&StaticNat6, Ipv6Addr)> {
        self.policy.v6.nat.iter().find_map(|rule| {
            let is_here = rule.mapped_interface.is_none_or(|mapped| mapped == port);
            let real = shift(address, rule.mapped, rule.real).filter(|_| is_here)?;
            Some((rule, real))
        })
    }

    /// What a source behind `real` is called behind `mapped`.
    fn v6_translate_source(
        &self,
        real: PortId,
        mapped: PortId,
        address: Ipv6Addr,
    ) -> Option<(&StaticNat6, Ipv6Addr)> {
        self.policy.v6.nat.iter().find_map(|rule| {
            let fits = rule.real_interface.is_none_or(|port| port == real)
                && rule.mapped_interface.is_none_or(|port| port == mapped);
            let mapped = shift(address, rule.real, rule.mapped).filter(|_| fits)?;
            Some((rule, mapped))
        })
    }

    /// Counts the rules that translate a flow which has just been made.
    fn count_nat_hits6(&mut self, new: &NewFlow6, now: Instant) {
        if let Some(compiled) = new
            .untranslated_by
            .and_then(|rule| self.nat.placed_mut(rule))
        {
            compiled.last_used = now;
            compiled.untranslate_hits += 1;
        }
        if let Some(compiled) = new.translated_by.and_then(|rule| self.nat.placed_mut(rule)) {
            compiled.last_used = now;
            compiled.translate_hits += 1;
        }
    }

    /// Whether solicitations at `port` for `address` are answered because a rule maps it there.
    pub(super) fn proxies6(&self, port: PortId, address: Ipv6Addr) -> bool {
        self.v6_untranslate(port, address)
            .is_some_and(|(rule, real)| !rule.no_proxy && real != address)
    }

    /// Makes an allowed flow: names, then a record like any other. Returns it with the headers under
    /// their names.
    fn open6(
        &mut self,
        ingress: PortId,
        headers: &Headers6,
        new: &NewFlow6,
        frame: &PacketBuf,
        now: Instant,
    ) -> Result<(u32, Headers), DropReason> {
        let addresses = [
            headers.source,
            headers.destination,
            new.source,
            new.destination,
        ];
        let mut names = heapless::Vec::<_, 4>::new();
        for address in addresses {
            match self.v6.names.take(address) {
                // Four places for four addresses.
                Some(name) => drop(names.push(name)),
                None => break,
            }
        }
        let opened = match names[..] {
            [source, destination, leaving_source, leaving_destination] => {
                let named = headers.named(source, destination);
                let flow = NewFlow {
                    egress: new.egress,
                    destination: (leaving_destination, headers.destination_port),
                    destination_rule: None,
                    source: Source::Fixed(None, leaving_source, headers.source_port),
                    proxy: None,
                    is_reply_permitted: new.is_reply_permitted,
                    is_opened_by_lower: new.is_opened_by_lower,
                    settings: new.settings,
                };
                // The box does not answer SYNs of IPv6 in the server's stead.
                self.admit(new.settings, ingress, &named, false, now)
                    .and_then(|_| window_scale(frame.bytes(), &named))
                    .and_then(|scale| self.open(ingress, &named, &flow, scale, now))
                    .map(|index| (index, named))
            }
            _ => Err(DropReason::UnableToCreateFlow),
        };
        match opened {
            Ok((index, named)) => {
                self.count_nat_hits6(new, now);
                if let Some(flow) = self.flows.get_mut(index) {
                    flow.set_translation6(&self.v6.names);
                }
                self.tell_built(index);
                Ok((index, named))
            }
            Err(reason) => {
                for name in names {
                    self.v6.names.release(name);
                }
                Err(reason)
            }
        }
    }
}

/// A packet as access lists see it.
#[derive(Clone, Copy)]
struct Asked {
    source: Ipv6Addr,
    destination: Ipv6Addr,
    /// Protocol, ports, type: as the elements of IPv4 match them.
    candidate: Candidate,
}

impl Asked {
    fn answer(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            candidate: self.candidate.answer(),
        }
    }

    /// With the ICMPv6 type as it is in the packet.
    fn on_wire(&self) -> Candidate {
        Candidate {
            icmp_kind: match self.candidate.icmp_kind {
                ICMP_ECHO_REQUEST => super::wire::ECHO_REQUEST,
                ICMP_ECHO_REPLY => super::wire::ECHO_REPLY,
                other => other,
            },
            ..self.candidate
        }
    }

    fn is_icmp(&self, kind: Option<u8>, code: Option<u8>) -> bool {
        let on_wire = self.on_wire();
        on_wire.protocol == super::wire::PROTOCOL_ICMPV6
            && kind.is_none_or(|kind| kind == on_wire.icmp_kind)
            && code.is_none_or(|code| code == on_wire.icmp_code)
    }
}

/// The address in `after` at the place of `address` in `before`.
fn shift(address: Ipv6Addr, before: AddressRange6, after: AddressRange6) -> Option<Ipv6Addr> {
    if !before.contains(address) {
        return None;
    }
    let offset = address.to_bits() - before.first.to_bits();
    let shifted = Ipv6Addr::from_bits(after.first.to_bits().checked_add(offset)?);
    after.contains(shifted).then_some(shifted)
}

impl Headers6 {
    /// The same headers under the names of their addresses, as flows know them.
    pub(super) fn named(
        &self,
        source: core::net::Ipv4Addr,
        destination: core::net::Ipv4Addr,
    ) -> Headers {
        Headers {
            tuple: Tuple {
                source,
                destination,
                source_port: self.source_port,
                destination_port: self.destination_port,
            },
            protocol: self.protocol,
            layer4: self.layer4,
            ip: self.ip,
            transport: self.transport,
            total_len: self.total_len,
            ttl: self.hop_limit,
            // Routers never fragment: RFC 8200 §5.
            dont_fragment: true,
        }
    }
}

//! Turns what the packet path found out into events, where somebody wants them.
//!
//! Every function here begins with the test that lets the others go on: nothing is looked up for an
//! event that nobody reads.

use hal::time::Instant;

use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::event::{BoxVerdict, ConnEnds, Event, EventKind, FlowEnd, PacketFacts, XlateEnds};
use crate::flow::{Direction, Flags, Flow, State};
use crate::input::{Dropped, Outcome, Verdict};
use crate::nat::bindings::{Binding, Endpoint, Gone};
use crate::nat::ports::tier_of;
use crate::policy::{AceLog, AclId, Action, PortId};
use crate::slowpath::{Hits, Step, Trace};
use crate::wheel::{TICK, Tick, instant_of, tick_of, ticks};
use crate::wire::{Headers, Layer4, PROTOCOL_ICMP, Quoted, SYN};

/// How often a full flow table is told.
const TABLE_FULL_EVERY: core::time::Duration = core::time::Duration::from_secs(1);

/// Remembers of a decision what an event about it needs.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) hits: Hits,
    real_destination: Option<(core::net::Ipv4Addr, u16)>,
    egress: Option<PortId>,
    denied_by: Option<(AclId, Option<usize>)>,
    nat_rule: Option<usize>,
    is_to_box: bool,
}

impl Trace for Seen {
    fn record(&mut self, step: Step) {
        self.hits.record(step);
        match step {
            Step::UnNat { real, .. } => self.real_destination = Some(real),
            Step::Route(port, _) | Step::Route6(port, _) => self.egress = Some(port),
            Step::Access(acl, _, element, Action::Deny) => self.denied_by = Some((acl, element)),
            Step::SourceRule(rule) => self.nat_rule = Some(rule),
            Step::ToTheBox => self.is_to_box = true,
            _ => {}
        }
    }
}

impl DataPlane {
    /// A flow was opened.
    pub(crate) fn tell_built(&mut self, index: u32) {
        let kind = EventKind::FlowBuilt;
        let flow = self.flows.get(index).filter(|_| self.events.wants(kind));
        if let Some(flow) = flow {
            let conn = self.conn_ends(self.flows.id(index), flow);
            self.push_event(Event::FlowBuilt { conn });
        }
    }

    /// `flow` was taken out of the table.
    pub(crate) fn tell_ended(
        &mut self,
        id: crate::view::FlowId,
        flow: &Flow,
        end: FlowEnd,
        now: Instant,
    ) {
        self.tell(EventKind::FlowEnded, |box_| Event::FlowEnded {
            conn: box_.conn_ends(id, flow),
            duration: now.since(instant_of(flow.created)),
            bytes: flow.bytes,
            end,
        });
    }

    /// A binding was made.
    pub(crate) fn tell_bound(&mut self, index: u32) {
        let Some(bound) = self.bindings.get(index).map(Binding::told) else {
            return;
        };
        self.tell(EventKind::XlateBuilt, |_| Event::XlateBuilt {
            xlate: XlateEnds::new(&bound.endpoint, bound.mapped),
        });
    }

    /// A packet that belongs to no flow opened none.
    pub(crate) fn tell_refused(
        &mut self,
        port: PortId,
        headers: &Headers,
        icmp_code: u8,
        reason: DropReason,
        seen: &Seen,
        now: Instant,
    ) {
        if self.events.is_silent() {
            return;
        }
        let mut packet = facts(port, headers, icmp_code, seen);
        let event = match reason {
            DropReason::AclDrop if seen.is_to_box => Event::BoxAccess {
                verdict: BoxVerdict::Denied,
                packet,
            },
            DropReason::AclDrop => match seen.denied_by {
                Some((acl, element)) => {
                    let is_logged = element.is_none_or(|element| self.is_logged(acl, element));
                    if !is_logged {
                        return;
                    }
                    Event::AccessDenied {
                        acl,
                        element: element.and_then(|element| u32::try_from(element).ok()),
                        packet,
                    }
                }
                None => Event::LevelDenied { packet },
            },
            DropReason::TcpNotSyn => Event::NoConnection { packet },
            DropReason::SlowpathSecurity if self.check_source(&headers.tuple).is_err() => {
                Event::Spoofed { packet }
            }
            // Broadcast and multicast are for whoever listens; the box does not.
            DropReason::SlowpathSecurity | DropReason::NoMulticastInterface => {
                if !self.is_to_all(port, headers) {
                    return;
                }
                Event::BoxAccess {
                    verdict: BoxVerdict::Discarded,
                    packet,
                }
            }
            DropReason::RpfViolated => Event::ReversePath { packet },
            DropReason::NoRoute => {
                let unnat = self
                    .nat
                    .untranslate(port, headers.protocol, &headers.tuple, None);
                packet.egress = unnat.and_then(|unnat| unnat.egress);
                Event::NoRoute { packet }
            }
            DropReason::NatNoXlate => Event::NoTranslation { packet },
            DropReason::NatUntranslatable => Event::TranslationFailed { packet },
            DropReason::NatRpfFailed => Event::AsymmetricTranslation { packet },
            DropReason::NatPoolExhausted => match seen.nat_rule {
                Some(rule) => {
                    let (port, is_icmp) =
                        (headers.tuple.source_port, headers.protocol == PROTOCOL_ICMP);
                    let options = self.nat.pool_options(rule);
                    let (first, last) = tier_of(port, is_icmp, options).ports();
                    Event::PoolExhausted {
                        rule: u32::try_from(rule).unwrap_or(u32::MAX),
                        first,
                        last,
                        packet,
                    }
                }
                None => Event::TranslationFailed { packet },
            },
            DropReason::IcmpReplyUnasked => Event::IcmpNoSession { packet },
            DropReason::UnableToCreateFlow => return self.tell_table_full(tick_of(now)),
            _ => return,
        };
        self.push_event(event);
    }

    fn tell_table_full(&mut self, tick: Tick) {
        if tick < self.table_full_again {
            return;
        }
        self.table_full_again = tick.saturating_add(ticks(TABLE_FULL_EVERY));
        let limit = self.limits.flows;
        self.push_event(Event::FlowTableFull { limit });
    }

    /// A packet for the box itself came to its end.
    pub(crate) fn tell_local(
        &mut self,
        port: PortId,
        headers: &Headers,
        icmp_code: u8,
        outcome: &Outcome,
    ) {
        if self.events.is_silent() {
            return;
        }
        let packet = facts(port, headers, icmp_code, &Seen::default());
        let verdict = match outcome {
            Err(dropped) if headers.protocol == PROTOCOL_ICMP => {
                if dropped.reason == DropReason::AclDrop {
                    self.push_event(Event::IcmpToBoxDenied { packet });
                }
                return;
            }
            Err(dropped) if dropped.reason == DropReason::AclDrop => BoxVerdict::Denied,
            Err(dropped) if dropped.reason == DropReason::NpSocketClosed => BoxVerdict::Discarded,
            Ok(Verdict::Local) if is_request(headers) => BoxVerdict::Permitted,
            _ => return,
        };
        self.push_event(Event::BoxAccess { verdict, packet });
    }

    /// An ICMP error was dropped.
    pub(crate) fn tell_icmp_error(
        &mut self,
        port: PortId,
        headers: &Headers,
        icmp_code: u8,
        dropped: &Dropped,
    ) {
        let kind = EventKind::IcmpErrorNoConnection;
        if dropped.reason != DropReason::IcmpErrorNoConn || !self.events.wants(kind) {
            return;
        }
        let quoted = Quoted::parse(dropped.frame.bytes(), usize::from(headers.transport));
        let Some(quoted) = quoted else {
            return;
        };
        let hop = self.routes.lookup(headers.tuple.destination, None);
        let seen = Seen {
            egress: hop.map(|hop| hop.port),
            ..Seen::default()
        };
        self.push_event(Event::IcmpErrorNoConnection {
            packet: facts(port, headers, icmp_code, &seen),
            about_protocol: quoted.protocol,
            about: quoted.tuple,
        });
    }

    /// Why a flow whose time is over ends.
    pub(crate) fn timeout_end(flow: &Flow) -> FlowEnd {
        let is_closing = [Direction::Forward, Direction::Reply]
            .into_iter()
            .any(|side| flow.flags.has(Flags::fin(side)));
        match flow.state {
            State::SynSent | State::Spliced | State::SynReceived => FlowEnd::HandshakeTimeout,
            State::Established if is_closing => FlowEnd::HalfClosedTimeout,
            _ => FlowEnd::Idle,
        }
    }

    fn conn_ends(&self, id: crate::view::FlowId, flow: &Flow) -> ConnEnds {
        let (lower, higher) = flow.sides();
        ConnEnds {
            flow: id,
            protocol: flow.protocol,
            lower,
            higher,
            opened_by_lower: flow.flags.has(Flags::OPENED_BY_LOWER),
        }
    }

    fn is_logged(&self, acl: AclId, element: usize) -> bool {
        self.policy
            .access_lists
            .get(usize::from(acl.0))
            .and_then(|list| list.elements.get(element))
            .is_some_and(|element| element.log == AceLog::Default)
    }

    /// Whether the destination is a group, or the broadcast address of the network it came from.
    fn is_to_all(&self, port: PortId, headers: &Headers) -> bool {
        let destination = headers.tuple.destination;
        destination.is_multicast()
            || destination.is_broadcast()
            || self
                .interface(port)
                .is_some_and(|own| own.prefix_len < 31 && own.network().last == destination)
    }
}

impl XlateEnds {
    fn new(endpoint: &Endpoint, mapped: (core::net::Ipv4Addr, u16)) -> Self {
        Self {
            protocol: endpoint.protocol,
            real_port: endpoint.real_port,
            real: (endpoint.address, endpoint.service),
            mapped_port: endpoint.mapped_port,
            mapped,
        }
    }
}

/// The event of a binding that has ended.
pub(crate) fn xlate_ended(gone: &Gone, now: Tick) -> Event {
    Event::XlateEnded {
        xlate: XlateEnds::new(&gone.endpoint, gone.mapped),
        duration: TICK * now.saturating_sub(gone.created),
    }
}

/// How a flow ended whose last packet was `fields` of `direction`.
pub(crate) fn closing_end(flow_flags: Flags, headers: &Headers, direction: Direction) -> FlowEnd {
    let Layer4::Tcp(fields) = headers.layer4 else {
        return FlowEnd::Idle;
    };
    if !fields.has(crate::wire::RST) {
        return FlowEnd::Fins;
    }
    let is_from_opener = direction == Direction::Forward;
    if is_from_opener == flow_flags.has(Flags::OPENED_BY_LOWER) {
        FlowEnd::ResetByLower
    } else {
        FlowEnd::ResetByHigher
    }
}

/// Whether a packet to a service asks for something: a SYN, or any datagram.
fn is_request(headers: &Headers) -> bool {
    match headers.layer4 {
        Layer4::Tcp(fields) => fields.is(SYN),
        Layer4::Udp => true,
        _ => false,
    }
}

pub(crate) fn facts(ingress: PortId, headers: &Headers, icmp_code: u8, seen: &Seen) -> PacketFacts {
    let tuple = headers.tuple;
    let (tcp_flags, icmp_kind) = match headers.layer4 {
        Layer4::Tcp(fields) => (fields.flags, None),
        Layer4::IcmpEcho { kind } | Layer4::IcmpError { kind } | Layer4::IcmpOther { kind } => {
            (0, Some(kind))
        }
        Layer4::Udp | Layer4::Other => (0, None),
    };
    PacketFacts {
        ingress,
        egress: seen.egress,
        protocol: headers.protocol,
        tcp_flags,
        icmp: icmp_kind.map(|kind| (kind, icmp_code)),
        tuple,
        real_destination: seen
            .real_destination
            .unwrap_or((tuple.destination, tuple.destination_port)),
    }
}

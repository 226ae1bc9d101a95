//! What the data plane tells, made into messages.
//!
//! The data plane makes an event only if one of the messages it may become is wanted
//! ([`interest`]), so the words are looked up for what somebody reads. Events name ports, lists and
//! rules by number; the names are those of the policy in force, which is why all events are told
//! before another policy takes its place.

use alloc::string::{String, ToString};

use config::Config;
use core::net::{IpAddr, Ipv4Addr};
use dataplane::{
    AceLog, AclId, Action, BoxVerdict, ConnEnds, ConnSide, ConnectionLimit, DropReason, Event,
    EventKind, EventKinds, FlowEnd, FragmentFacts, PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP,
    PROTOCOL_UDP, PacketFacts, PortId, SourceNat, XlateEnds,
};
use syslog::message::field::{
    Direction, Elapsed, Endpoint, Hits, Host, HostPort, IcmpDetail, Protocol, RuleHashes, TcpFlags,
    Teardown, TranslationFailure, TranslationKind, Verdict,
};
use syslog::{Id, Logger, Message, Severity};

use crate::messages::Herald;
use crate::policy::{Compiled, interface_at};
use crate::print::access_list;
use crate::state::Core;

/// Events made into messages in one turn of the loop; packets wait meanwhile.
pub(crate) const EVENTS_PER_TURN: usize = 256;

/// Name of an interface that is not in the policy any more.
const NAMELESS: &str = "unknown";

/// What has been said of lost events.
#[derive(Debug, Default)]
pub(crate) struct Untold {
    reported: u64,
}

/// The messages an event may become.
const fn ids(kind: EventKind) -> &'static [Id] {
    match kind {
        EventKind::FlowBuilt => &[Id::TcpBuilt, Id::UdpBuilt, Id::IcmpBuilt],
        EventKind::FlowEnded => &[Id::TcpTeardown, Id::UdpTeardown, Id::IcmpTeardown],
        EventKind::XlateBuilt => &[Id::PortTranslationBuilt, Id::AddressTranslationBuilt],
        EventKind::XlateEnded => &[Id::PortTranslationTeardown, Id::AddressTranslationTeardown],
        EventKind::AccessDenied => &[Id::AccessDenied],
        EventKind::AccessLogged => &[Id::AccessListHit],
        EventKind::DenyFlowsFull => &[Id::DenyFlowsFull],
        EventKind::LevelDenied => &[
            Id::InboundTcpDenied,
            Id::InboundUdpDenied,
            Id::InboundDenied,
            Id::InboundIcmpDenied,
        ],
        EventKind::NoConnection => &[Id::NoTcpConnection],
        EventKind::Spoofed => &[Id::IpSpoof, Id::LandAttack],
        EventKind::ReversePath => &[Id::ReversePathDenied],
        EventKind::FragmentRefused => &[
            Id::FragmentDatabaseFull,
            Id::FragmentSize,
            Id::FragmentChain,
            Id::Teardrop,
        ],
        EventKind::NoRoute => &[Id::NoEgressInterface, Id::NoNextHop],
        EventKind::NoTranslation => &[Id::NoTranslation],
        EventKind::TranslationFailed => &[Id::TranslationFailed],
        EventKind::AsymmetricTranslation => &[Id::AsymmetricNat],
        EventKind::PoolExhausted => &[Id::PatPoolExhausted],
        EventKind::LimitReached => &[
            Id::EmbryonicLimit,
            Id::ConnectionLimit,
            Id::ClientEmbryonicLimit,
            Id::ClientConnectionLimit,
        ],
        EventKind::FlowTableFull => &[Id::ResourceLimit],
        EventKind::BoxAccess => &[
            Id::AccessRequested,
            Id::AccessPermitted,
            Id::AccessToBoxDenied,
            Id::RequestDiscarded,
            Id::ProtocolDiscarded,
        ],
        EventKind::IcmpToBoxDenied => &[Id::IcmpToBoxDenied],
        EventKind::IcmpNoSession => &[Id::IcmpNoSession],
        EventKind::IcmpErrorNoConnection => &[Id::IcmpErrorNoConnection],
    }
}

/// The kinds of events that `logger` has a use for.
pub(crate) fn interest(logger: &Logger) -> EventKinds {
    let is_wanted = |kind: &EventKind| match kind {
        // The rule sets the severity.
        EventKind::AccessLogged => logger.may_want(Id::AccessListHit),
        _ => ids(*kind).iter().any(|&id| logger.wants(id)),
    };
    EventKind::ALL.iter().copied().filter(is_wanted).collect()
}

impl Core {
    /// Makes messages of what the data plane has to tell, of `most` events at most. Returns whether
    /// there were any.
    pub(crate) fn tell_events(&mut self, most: usize) -> bool {
        let mut count = 0;
        let now = self.now();
        let mut has_told = false;
        while count < most
            && let Some(event) = self.dataplane.poll_event()
        {
            count += 1;
            let mut herald = Herald {
                logger: &mut self.logger,
                zone: &self.zone,
                unix_secs: self.wall.unix_secs(now),
                now,
                has_told: false,
            };
            let words = Words {
                dataplane: &self.dataplane,
                config: &self.config,
                compiled: &self.compiled,
            };
            words.tell(&event, &mut herald);
            has_told |= herald.has_told;
        }
        let lost = self.dataplane.events_lost();
        if count < most && lost > self.untold.reported {
            // The ring is empty again, so this is said once for each time it was full.
            let count = lost - self.untold.reported;
            self.untold.reported = lost;
            self.herald()
                .stamped(|logger, stamp| logger.note_untold(count, stamp));
            has_told = true;
        }
        if has_told {
            self.show_console_lines();
        }
        count > 0
    }
}

/// Where the words for the numbers in an event are.
struct Words<'a> {
    dataplane: &'a dataplane::DataPlane,
    config: &'a Config,
    compiled: &'a Compiled,
}

impl<'a> Words<'a> {
    fn tell(&self, event: &Event, herald: &mut Herald<'_>) {
        let message = match event {
            Event::FlowBuilt { conn } => match self.built(conn) {
                Some(message) => message,
                None => return,
            },
            Event::FlowEnded {
                conn,
                duration,
                bytes,
                end,
            } => match self.ended(conn, Elapsed(*duration), *bytes, *end) {
                Some(message) => message,
                None => return,
            },
            // A whole address, without a protocol.
            Event::XlateBuilt { xlate } if xlate.protocol == 0 => {
                Message::AddressTranslationBuilt {
                    kind: TranslationKind::Dynamic,
                    real: self.host(xlate.real_port, xlate.real.0),
                    mapped: self.host(xlate.mapped_port, xlate.mapped.0),
                }
            }
            Event::XlateEnded { xlate, duration } if xlate.protocol == 0 => {
                Message::AddressTranslationTeardown {
                    kind: TranslationKind::Dynamic,
                    real: self.host(xlate.real_port, xlate.real.0),
                    mapped: self.host(xlate.mapped_port, xlate.mapped.0),
                    duration: Elapsed(*duration),
                }
            }
            Event::XlateBuilt { xlate } => Message::PortTranslationBuilt {
                kind: TranslationKind::Dynamic,
                protocol: Protocol(xlate.protocol),
                real: self.real(xlate),
                mapped: self.mapped(xlate),
            },
            Event::XlateEnded { xlate, duration } => Message::PortTranslationTeardown {
                kind: TranslationKind::Dynamic,
                protocol: Protocol(xlate.protocol),
                real: self.real(xlate),
                mapped: self.mapped(xlate),
                duration: Elapsed(*duration),
            },
            Event::AccessDenied {
                acl,
                element,
                packet,
            } => Message::AccessDenied {
                protocol: Protocol(packet.protocol),
                source: self.source(packet),
                destination: self.destination(packet),
                icmp: IcmpDetail(packet.icmp),
                access_group: self.list(*acl),
                hashes: self.hashes(*acl, *element),
            },
            Event::AccessLogged {
                acl,
                element,
                action,
                packet,
                hits,
                interval_secs,
            } => {
                let message = Message::AccessListHit {
                    access_list: self.list(*acl),
                    verdict: match action {
                        Action::Permit => Verdict::Permitted,
                        Action::Deny => Verdict::Denied,
                    },
                    protocol: Protocol(packet.protocol),
                    source: self.logged_source(packet),
                    destination: self.logged_destination(packet),
                    count: *hits,
                    hits: interval_secs.map_or(Hits::First, |secs| Hits::Interval(secs.into())),
                    hashes: self.hashes(*acl, Some(*element)),
                };
                return herald.tell_as(&message, self.level(*acl, *element));
            }
            Event::DenyFlowsFull { limit } => Message::DenyFlowsFull { limit: *limit },
            Event::LevelDenied { packet } => self.level_denied(packet),
            Event::NoConnection { packet } => Message::NoTcpConnection {
                source: self.sender(packet),
                destination: self.arrived_for(packet),
                flags: TcpFlags(packet.tcp_flags),
                interface: self.name(packet.ingress),
            },
            Event::Spoofed { packet } if packet.tuple.source == packet.tuple.destination => {
                Message::LandAttack {
                    source: self.shown(packet.tuple.source),
                    destination: self.shown(packet.tuple.destination),
                }
            }
            Event::Spoofed { packet } => Message::IpSpoof {
                source: self.shown(packet.tuple.source),
                destination: self.shown(packet.tuple.destination),
                interface: self.name(packet.ingress),
            },
            Event::ReversePath { packet } => Message::ReversePathDenied {
                protocol: Protocol(packet.protocol),
                source: self.shown(packet.tuple.source),
                destination: self.shown(packet.tuple.destination),
                interface: self.name(packet.ingress),
            },
            Event::FragmentRefused {
                reason,
                fragment,
                limit,
            } => fragment_refused(*reason, fragment, *limit),
            Event::NoRoute { packet } => match packet.egress {
                None => Message::NoEgressInterface {
                    protocol: Protocol(packet.protocol),
                    source: self.source(packet),
                    destination: self.meant_for(packet),
                },
                Some(_) => Message::NoNextHop {
                    protocol: Protocol(packet.protocol),
                    source: self.source(packet),
                    destination: self.destination(packet),
                },
            },
            Event::NoTranslation { packet } => Message::NoTranslation {
                protocol: Protocol(packet.protocol),
                source: self.source(packet),
                destination: self.destination(packet),
            },
            Event::TranslationFailed { packet } => Message::TranslationFailed {
                failure: TranslationFailure::Portmap,
                protocol: Protocol(packet.protocol),
                source: self.source(packet),
                destination: self.destination(packet),
            },
            Event::AsymmetricTranslation { packet } => Message::AsymmetricNat {
                protocol: Protocol(packet.protocol),
                source: self.source(packet),
                destination: self.destination(packet),
            },
            Event::PoolExhausted {
                rule,
                first,
                last,
                packet,
            } => {
                let pool = self.pool(*rule, packet.egress);
                let message = Message::PatPoolExhausted {
                    pool: &pool,
                    low: *first,
                    high: *last,
                    protocol: Protocol(packet.protocol),
                    source: self.source(packet),
                    destination: self.destination(packet),
                };
                return herald.tell(&message);
            }
            Event::LimitReached {
                limit,
                count,
                most,
                packet,
            } => self.limit_reached(*limit, (*count, *most), packet),
            Event::FlowTableFull { limit } => Message::ResourceLimit {
                resource: "conns",
                limit: *limit,
            },
            Event::BoxAccess { verdict, packet } => self.box_access(*verdict, packet),
            Event::IcmpToBoxDenied { packet } => {
                let (kind, code) = packet.icmp.unwrap_or_default();
                Message::IcmpToBoxDenied {
                    kind,
                    code,
                    source: self.shown(packet.tuple.source),
                    interface: self.name(packet.ingress),
                }
            }
            Event::IcmpNoSession { packet } => Message::IcmpNoSession {
                kind: packet.icmp.unwrap_or_default().0,
                source: self.shown(packet.tuple.source),
                interface: self.name(packet.ingress),
                destination: self.shown(packet.tuple.destination),
            },
            Event::IcmpErrorNoConnection {
                packet,
                about_protocol,
                about,
            } => {
                let (kind, code) = packet.icmp.unwrap_or_default();
                Message::IcmpErrorNoConnection {
                    source: self.host(packet.ingress, packet.tuple.source),
                    destination: self.host(packet.egress_or_ingress(), packet.tuple.destination),
                    kind,
                    code,
                    interface: self.name(packet.ingress),
                    protocol: Protocol(*about_protocol),
                    original_source: self.host_port((about.source, about.source_port)),
                    original_destination: self
                        .host_port((about.destination, about.destination_port)),
                }
            }
        };
        herald.tell(&message);
    }

    /// A flow that was opened. Protocols beside these three have no such message.
    fn built(&self, conn: &ConnEnds) -> Option<Message<'a>> {
        let direction = direction(conn);
        let connection = u64::from(conn.flow.number());
        let (from, to) = (self.side(&conn.lower), self.side(&conn.higher));
        let from_mapped = self.host_port(conn.lower.mapped);
        let to_mapped = self.host_port(conn.higher.mapped);
        Some(match conn.protocol {
            PROTOCOL_TCP => Message::TcpBuilt {
                direction,
                connection,
                from,
                from_mapped,
                to,
                to_mapped,
            },
            PROTOCOL_UDP => Message::UdpBuilt {
                direction,
                connection,
                from,
                from_mapped,
                to,
                to_mapped,
            },
            PROTOCOL_ICMP | PROTOCOL_ICMPV6 => Message::IcmpBuilt {
                direction,
                foreign: self.host_port(conn.lower.real),
                global: to_mapped,
                local: self.host_port(conn.higher.real),
                kind: echo_request(conn.protocol),
                code: 0,
            },
            _ => return None,
        })
    }

    fn ended(
        &self,
        conn: &ConnEnds,
        duration: Elapsed,
        bytes: u64,
        end: FlowEnd,
    ) -> Option<Message<'a>> {
        let connection = u64::from(conn.flow.number());
        let (from, to) = (self.side(&conn.lower), self.side(&conn.higher));
        Some(match conn.protocol {
            PROTOCOL_TCP => Message::TcpTeardown {
                connection,
                from,
                to,
                duration,
                bytes,
                reason: teardown(end),
            },
            PROTOCOL_UDP => Message::UdpTeardown {
                connection,
                from,
                to,
                duration,
                bytes,
            },
            PROTOCOL_ICMP | PROTOCOL_ICMPV6 => Message::IcmpTeardown {
                foreign: self.host_port(conn.lower.real),
                global: self.host_port(conn.higher.mapped),
                local: self.host_port(conn.higher.real),
                kind: echo_request(conn.protocol),
                code: 0,
            },
            _ => return None,
        })
    }

    fn limit_reached(
        &self,
        limit: ConnectionLimit,
        (count, most): (u32, u32),
        packet: &PacketFacts,
    ) -> Message<'a> {
        let (source, destination) = (self.sender(packet), self.meant_for(packet));
        let interface = self.name(packet.ingress);
        match limit {
            ConnectionLimit::Embryonic => Message::EmbryonicLimit {
                count,
                most,
                source,
                destination,
                interface,
            },
            ConnectionLimit::Connections => Message::ConnectionLimit {
                count,
                most,
                source,
                destination,
                interface,
            },
            ConnectionLimit::ClientEmbryonic => Message::ClientEmbryonicLimit {
                count,
                most,
                source,
                destination,
                interface,
            },
            ConnectionLimit::ClientConnections => Message::ClientConnectionLimit {
                count,
                most,
                source,
                destination,
                interface,
            },
        }
    }

    fn level_denied(&self, packet: &PacketFacts) -> Message<'a> {
        match (packet.protocol, packet.icmp) {
            (PROTOCOL_TCP, _) => Message::InboundTcpDenied {
                source: self.sender(packet),
                destination: self.meant_for(packet),
                flags: TcpFlags(packet.tcp_flags),
                interface: self.name(packet.ingress),
            },
            (PROTOCOL_UDP, _) => Message::InboundUdpDenied {
                source: self.sender(packet),
                destination: self.meant_for(packet),
                interface: self.name(packet.ingress),
            },
            (_, Some((kind, code))) => Message::InboundIcmpDenied {
                source: self.host(packet.ingress, packet.tuple.source),
                destination: self.host(packet.egress_or_ingress(), packet.real_destination.0),
                kind,
                code,
            },
            (protocol, None) => Message::InboundDenied {
                protocol: Protocol(protocol),
                source: self.source(packet),
                destination: self.destination(packet),
            },
        }
    }

    fn box_access(&self, verdict: BoxVerdict, packet: &PacketFacts) -> Message<'a> {
        let protocol = Protocol(packet.protocol);
        let source = self.sender(packet);
        let destination = Endpoint {
            interface: self.name(packet.ingress),
            address: self.shown(packet.tuple.destination),
            port: has_ports(packet).then_some(packet.tuple.destination_port),
        };
        match verdict {
            // That a connection was asked for is all that its SYN says.
            BoxVerdict::Permitted if packet.protocol == PROTOCOL_TCP => Message::AccessRequested {
                protocol,
                source,
                destination,
            },
            BoxVerdict::Permitted => Message::AccessPermitted {
                protocol,
                source,
                destination,
            },
            BoxVerdict::Denied => Message::AccessToBoxDenied {
                protocol,
                source,
                destination,
            },
            BoxVerdict::Discarded if has_ports(packet) => Message::RequestDiscarded {
                protocol,
                source,
                destination,
            },
            BoxVerdict::Discarded => Message::ProtocolDiscarded {
                protocol,
                source: self.shown(packet.tuple.source),
                destination: self.host(packet.ingress, packet.tuple.destination),
            },
        }
    }

    /// The name of the interface at `port`.
    fn name(&self, port: PortId) -> &'a str {
        let interfaces = &self.dataplane.policy().interfaces;
        let interface = interfaces.iter().find(|interface| interface.port == port);
        if let Some(interface) = interface {
            return &interface.name;
        }
        interface_at(self.config, port)
            .and_then(|(_, interface)| interface.nameif.as_deref())
            .unwrap_or(NAMELESS)
    }

    /// The address that an event means: those of IPv6 carry short names.
    fn shown(&self, address: Ipv4Addr) -> IpAddr {
        self.dataplane.address_shown(address)
    }

    fn host_port(&self, (address, port): (Ipv4Addr, u16)) -> HostPort {
        HostPort {
            address: self.shown(address),
            port,
        }
    }

    fn sender(&self, packet: &PacketFacts) -> HostPort {
        self.host_port((packet.tuple.source, packet.tuple.source_port))
    }

    /// The destination as it arrived.
    fn arrived_for(&self, packet: &PacketFacts) -> HostPort {
        self.host_port((packet.tuple.destination, packet.tuple.destination_port))
    }

    /// The destination behind its translation.
    fn meant_for(&self, packet: &PacketFacts) -> HostPort {
        self.host_port(packet.real_destination)
    }

    fn host(&self, port: PortId, address: Ipv4Addr) -> Host<'a> {
        Host {
            interface: self.name(port),
            address: self.shown(address),
        }
    }

    fn endpoint(&self, port: PortId, (address, service): (Ipv4Addr, u16)) -> Endpoint<'a> {
        Endpoint {
            interface: self.name(port),
            address: self.shown(address),
            port: Some(service),
        }
    }

    fn side(&self, side: &ConnSide) -> Endpoint<'a> {
        self.endpoint(side.port, side.real)
    }

    fn real(&self, xlate: &XlateEnds) -> Endpoint<'a> {
        self.endpoint(xlate.real_port, xlate.real)
    }

    fn mapped(&self, xlate: &XlateEnds) -> Endpoint<'a> {
        self.endpoint(xlate.mapped_port, xlate.mapped)
    }

    fn source(&self, packet: &PacketFacts) -> Endpoint<'a> {
        Endpoint {
            interface: self.name(packet.ingress),
            address: self.shown(packet.tuple.source),
            port: has_ports(packet).then_some(packet.tuple.source_port),
        }
    }

    fn destination(&self, packet: &PacketFacts) -> Endpoint<'a> {
        let (address, port) = packet.real_destination;
        Endpoint {
            interface: self.name(packet.egress_or_ingress()),
            address: self.shown(address),
            port: has_ports(packet).then_some(port),
        }
    }

    /// As 106100 has it: ICMP type and code stand where others have ports.
    fn logged_source(&self, packet: &PacketFacts) -> Endpoint<'a> {
        let port = packet.icmp.map(|(kind, _)| u16::from(kind));
        Endpoint {
            interface: self.name(packet.ingress),
            address: self.shown(packet.tuple.source),
            port: port.or(Some(packet.tuple.source_port)),
        }
    }

    fn logged_destination(&self, packet: &PacketFacts) -> Endpoint<'a> {
        let (address, port) = packet.real_destination;
        let code = packet.icmp.map(|(_, code)| u16::from(code));
        Endpoint {
            interface: self.name(packet.egress_or_ingress()),
            address: self.shown(address),
            port: code.or(Some(port)),
        }
    }

    /// The severity that an element sets for its hits.
    fn level(&self, acl: AclId, element: u32) -> Severity {
        let lists = &self.dataplane.policy().access_lists;
        let element = usize::try_from(element).ok().and_then(|element| {
            let list = lists.get(usize::from(acl.0))?;
            list.elements.get(element)
        });
        match element.map(|element| element.log) {
            Some(AceLog::Flows { level, .. }) => Severity::from_number(level),
            _ => None,
        }
        .unwrap_or(Severity::Informational)
    }

    fn list(&self, acl: AclId) -> &'a str {
        let lists = &self.dataplane.policy().access_lists;
        let list = lists.get(usize::from(acl.0));
        list.map_or(NAMELESS, |list| &list.name)
    }

    /// The hashes `show access-list` prints for an element.
    fn hashes(&self, acl: AclId, element: Option<u32>) -> RuleHashes {
        let hashes = || {
            let place = usize::try_from(element?).ok()?;
            let compiled = &self.dataplane.policy().access_lists;
            let compiled = compiled.get(usize::from(acl.0))?;
            let list = self.config.access_lists.get(&compiled.name)?;
            let lines = &self.compiled.lists.get(&compiled.name)?.lines;
            let index = lines.iter().position(|line| line.contains(&place))?;
            let count = lines.get(index)?.len();
            let element = compiled.elements.get(place)?;
            let name = &compiled.name;
            let side = access_list::side(self.dataplane.policy(), acl, place);
            let element = (element, side);
            Some(access_list::hashes(name, list, index, count, element))
        };
        let (line, element) = hashes().unwrap_or_default();
        RuleHashes(line, element)
    }

    /// What a pool is called: its first address, which for an interface is the interface's.
    fn pool(&self, rule: u32, egress: Option<PortId>) -> String {
        let rule = usize::try_from(rule).ok();
        let view = rule.and_then(|rule| self.dataplane.nat_rules().nth(rule));
        let first = view.and_then(|view| match &view.rule.source {
            SourceNat::Dynamic { pool, .. } => pool.addresses.first().map(|range| range.first),
            SourceNat::Static { .. } => None,
        });
        match (first, egress) {
            (Some(address), _) => address.to_string(),
            (None, Some(port)) => String::from(self.name(port)),
            (None, None) => String::from(NAMELESS),
        }
    }
}

/// The ICMP type that opens a flow.
const ECHO_REQUEST: u8 = 8;
/// ICMPv6's echo request, RFC 4443 §4.1.
const ECHO_REQUEST_6: u8 = 128;

/// The type that opens a flow of ICMP or of ICMPv6.
const fn echo_request(protocol: u8) -> u8 {
    match protocol {
        PROTOCOL_ICMPV6 => ECHO_REQUEST_6,
        _ => ECHO_REQUEST,
    }
}

const fn direction(conn: &ConnEnds) -> Direction {
    if conn.opened_by_lower {
        Direction::Inbound
    } else {
        Direction::Outbound
    }
}

const fn teardown(end: FlowEnd) -> Teardown {
    match end {
        FlowEnd::Idle => Teardown::ConnTimeout,
        FlowEnd::HandshakeTimeout => Teardown::SynTimeout,
        FlowEnd::HalfClosedTimeout => Teardown::FinTimeout,
        FlowEnd::Fins => Teardown::Fins,
        FlowEnd::ResetByLower => Teardown::ResetOutside,
        FlowEnd::ResetByHigher => Teardown::ResetInside,
        FlowEnd::Cleared => Teardown::XlateClear,
        FlowEnd::InterfaceGone | FlowEnd::Shunned => Teardown::Unknown,
        FlowEnd::Proxy => Teardown::ClosedByInspection,
    }
}

/// The longest datagram (RFC 791 §3.1), in bytes.
const DATAGRAM_MAX: u32 = 65_535;

/// A fragment that was refused, in the words of its reason.
fn fragment_refused<'a>(reason: DropReason, fragment: &FragmentFacts, limit: u32) -> Message<'a> {
    let FragmentFacts {
        source,
        destination,
        identification: id,
        ..
    } = *fragment;
    let protocol = Protocol(fragment.protocol);
    match reason {
        DropReason::FragmentDatabaseLimit => Message::FragmentDatabaseFull {
            limit,
            source,
            destination,
            protocol,
            id,
        },
        DropReason::FragmentChainLimit => Message::FragmentChain {
            limit,
            source,
            destination,
            protocol,
            id,
        },
        DropReason::FragmentOverlap => Message::Teardrop {
            size: fragment.len,
            offset: fragment.offset,
            source,
            destination,
        },
        _ => Message::FragmentSize {
            size: u32::from(fragment.offset) + u32::from(fragment.len),
            limit: DATAGRAM_MAX,
            source,
            destination,
            protocol,
            id,
        },
    }
}

const fn has_ports(packet: &PacketFacts) -> bool {
    matches!(packet.protocol, PROTOCOL_TCP | PROTOCOL_UDP)
}

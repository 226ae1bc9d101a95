//! What happened to packets, flows and translations, for whoever tells the operators.
//!
//! The data plane writes values into a ring of fixed size and formats nothing;
//! [`poll_event`](DataPlane::poll_event) takes them out, oldest first. Only the kinds somebody has
//! asked for ([`set_event_interest`](DataPlane::set_event_interest)) are made at all: an unwanted one
//! costs a test of one bit, and a packet of an established flow not even that. A full ring refuses
//! the event and counts it ([`events_lost`](DataPlane::events_lost)); packets never wait for it.
//!
//! A new event takes three steps: a variant in `events!` below (its doc names the message it
//! becomes), a call of [`DataPlane::tell`] where it happens, and an arm in `firmware`'s `events`,
//! which makes the message. Kind, mask and counting follow from the declaration.

use alloc::collections::VecDeque;
use core::net::Ipv4Addr;
use core::time::Duration;

use crate::connection::counts::ConnectionLimit;
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::policy::{AclId, Action, PortId};
use crate::view::{ConnSide, FlowId};
use crate::wire::Tuple;

/// Events that may wait. A turn of the loop makes a few for each of its frames and then takes them
/// out; what fills the ring is thousands of flows that end at once.
const RING: usize = 2048;

/// Declares the events once: the enum, its kinds, and which kind an event is of.
macro_rules! events {
    ($(
        $(#[$doc:meta])*
        $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),+ $(,)? }
    )+) => {
        /// Something that happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event {
            $($(#[$doc])* $name { $($(#[$field_doc])* $field: $type),+ },)+
        }

        /// Which event, without what is in it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum EventKind { $($(#[$doc])* $name,)+ }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
        }

        impl Event {
            /// Which event it is.
            #[must_use]
            pub const fn kind(&self) -> EventKind {
                match self { $(Self::$name { .. } => EventKind::$name,)+ }
            }
        }
    };
}

events! {
    /// A flow was opened: 302013, 302015, 302020.
    FlowBuilt {
        /// The flow.
        conn: ConnEnds,
    }
    /// A flow ended: 302014, 302016, 302021.
    FlowEnded {
        /// The flow.
        conn: ConnEnds,
        /// Since its first packet.
        duration: Duration,
        /// Bytes of IP packets, both directions.
        bytes: u64,
        /// Why.
        end: FlowEnd,
    }
    /// A real endpoint got a port of a shared address: 305011; a host got a whole address: 305009.
    XlateBuilt {
        /// The translation.
        xlate: XlateEnds,
    }
    /// It gave that back: 305012 or 305010.
    XlateEnded {
        /// The translation.
        xlate: XlateEnds,
        /// How long it lasted.
        duration: Duration,
    }
    /// An access list refused a first packet: 106023.
    AccessDenied {
        /// The list.
        acl: AclId,
        /// The element; `None` is the implicit deny behind the last.
        element: Option<u32>,
        /// The packet.
        packet: PacketFacts,
    }
    /// An element with the `log` option was hit: 106100.
    AccessLogged {
        /// The list.
        acl: AclId,
        /// The element.
        element: u32,
        /// What it said.
        action: Action,
        /// The first packet of the flow.
        packet: PacketFacts,
        /// Packets that hit it.
        hits: u32,
        /// The interval they came in; `None` for the first of a flow.
        interval_secs: Option<u16>,
    }
    /// Refused packets of one more flow would have been logged, but there are too many: 106101.
    DenyFlowsFull {
        /// How many there may be.
        limit: u32,
    }
    /// The security levels refused a first packet, no list was bound: 106001, 106006, 106010, 106014.
    LevelDenied {
        /// The packet.
        packet: PacketFacts,
    }
    /// A TCP segment belongs to no flow and opens none: 106015.
    NoConnection {
        /// The packet.
        packet: PacketFacts,
    }
    /// A source address nobody can have: 106016, or 106017 if source and destination are the same.
    Spoofed {
        /// The packet.
        packet: PacketFacts,
    }
    /// The source is not routed back by where it came in: 106021.
    ReversePath {
        /// The packet.
        packet: PacketFacts,
    }
    /// A fragment was refused, and perhaps its datagram with it: 209003 (no room), 209004 (beyond the
    /// longest datagram, or a length no fragment has), 209005 (too many pieces), 106020 (overlap).
    FragmentRefused {
        /// Which of these.
        reason: DropReason,
        /// The fragment.
        fragment: FragmentFacts,
        /// Most fragments that wait, or of a datagram, if that is the reason.
        limit: u32,
    }
    /// There is no way to the destination: 110002, or 110003 if the egress is known.
    NoRoute {
        /// The packet.
        packet: PacketFacts,
    }
    /// Nobody may open a flow to an address shared by port: 305005.
    NoTranslation {
        /// The packet.
        packet: PacketFacts,
    }
    /// A rule fits but cannot translate the packet: 305006.
    TranslationFailed {
        /// The packet.
        packet: PacketFacts,
    }
    /// The way back would be translated differently: 305013.
    AsymmetricTranslation {
        /// The packet.
        packet: PacketFacts,
    }
    /// No port of the pool is free: 202010.
    PoolExhausted {
        /// The rule, in the order of [`nat_rules`](DataPlane::nat_rules).
        rule: u32,
        /// Lowest port of the range that was tried.
        first: u16,
        /// Highest port of it.
        last: u16,
        /// The packet.
        packet: PacketFacts,
    }
    /// The flow table is full; told once a second: 321001.
    FlowTableFull {
        /// How many flows there can be.
        limit: u32,
    }
    /// A limit of a class stands against a first packet; each limit is told once a second: 201010
    /// (half-open), 201011 (all), 201012 (half-open of one client), 201013 (all of one client).
    LimitReached {
        /// Which limit.
        limit: ConnectionLimit,
        /// How many there are.
        count: u32,
        /// How many there may be.
        most: u32,
        /// The packet.
        packet: PacketFacts,
    }
    /// A packet asked something of the box itself: 710001 to 710006.
    BoxAccess {
        /// What became of it.
        verdict: BoxVerdict,
        /// The packet.
        packet: PacketFacts,
    }
    /// ICMP to the box was refused by its `icmp` rules: 313001.
    IcmpToBoxDenied {
        /// The packet.
        packet: PacketFacts,
    }
    /// An ICMP answer to nothing: 313004.
    IcmpNoSession {
        /// The packet.
        packet: PacketFacts,
    }
    /// An ICMP error about no known flow: 313005.
    IcmpErrorNoConnection {
        /// The packet.
        packet: PacketFacts,
        /// Protocol of the packet it is about.
        about_protocol: u8,
        /// Addresses and ports of the packet it is about.
        about: Tuple,
    }
}

/// A flow as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnEnds {
    /// The flow; it may be gone.
    pub flow: FlowId,
    /// Number of the IP protocol.
    pub protocol: u8,
    /// The side of lower security level (of equals: the responder).
    pub lower: ConnSide,
    /// The other side.
    pub higher: ConnSide,
    /// Whether the lower side opened it.
    pub opened_by_lower: bool,
}

/// A dynamic translation as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XlateEnds {
    /// Number of the IP protocol; 0, as the ports are, of whole addresses.
    pub protocol: u8,
    /// Where the real host is.
    pub real_port: PortId,
    /// Its address and port (ICMP: identifier).
    pub real: (Ipv4Addr, u16),
    /// Where it is seen translated.
    pub mapped_port: PortId,
    /// The address and port it is seen with.
    pub mapped: (Ipv4Addr, u16),
}

/// A packet as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketFacts {
    /// Where it came in.
    pub ingress: PortId,
    /// Where it would have gone, if that was found out.
    pub egress: Option<PortId>,
    /// Number of the IP protocol.
    pub protocol: u8,
    /// Flags of a TCP segment, as in its header.
    pub tcp_flags: u8,
    /// ICMP type and code.
    pub icmp: Option<(u8, u8)>,
    /// Addresses and ports as they arrived.
    pub tuple: Tuple,
    /// Address and port of the destination behind its translation, as far as that was found out.
    pub real_destination: (Ipv4Addr, u16),
}

/// A fragment as messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentFacts {
    /// Where it came in.
    pub ingress: PortId,
    /// Who it says has sent it.
    pub source: Ipv4Addr,
    /// Whom it is for.
    pub destination: Ipv4Addr,
    /// Number of the IP protocol.
    pub protocol: u8,
    /// What it has in common with the other fragments of its datagram.
    pub identification: u16,
    /// Where its payload belongs in the datagram, in bytes.
    pub offset: u16,
    /// Bytes of its payload.
    pub len: u16,
}

impl PacketFacts {
    /// The port beyond which the destination is: until a route was found, that it came in by.
    #[must_use]
    pub fn egress_or_ingress(&self) -> PortId {
        self.egress.unwrap_or(self.ingress)
    }
}

/// Why a flow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowEnd {
    /// Nothing passed for its idle time.
    Idle,
    /// The TCP handshake was not completed in time.
    HandshakeTimeout,
    /// One side had closed, and the other did not in time.
    HalfClosedTimeout,
    /// Both sides closed it.
    Fins,
    /// The side of lower security level reset it.
    ResetByLower,
    /// The side of higher security level reset it.
    ResetByHigher,
    /// The operator ended it.
    Cleared,
    /// An interface of its was taken away or given another address.
    InterfaceGone,
    /// The proxy that held it gave it up.
    Proxy,
    /// The operator shut one of its ends out.
    Shunned,
}

impl FlowEnd {
    /// What is counted in `show asp drop flow`; `None` for ends that are nobody's fault.
    pub(crate) const fn drop_reason(self) -> Option<DropReason> {
        match self {
            Self::Cleared | Self::InterfaceGone => Some(DropReason::FlowBeingFreed),
            Self::Shunned => Some(DropReason::Shunned),
            Self::Idle
            | Self::HandshakeTimeout
            | Self::HalfClosedTimeout
            | Self::Fins
            | Self::ResetByLower
            | Self::ResetByHigher
            | Self::Proxy => None,
        }
    }
}

/// What became of a request to the box itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoxVerdict {
    /// A service of the box takes it: 710001 for the SYN of a connection, 710002 for a datagram.
    Permitted,
    /// A rule forbids it: 710003.
    Denied,
    /// Nothing there takes it: 710005, or 710006 for a protocol without ports.
    Discarded,
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventKinds(u64);

impl EventKinds {
    /// No kind.
    pub const NONE: Self = Self(0);

    /// Whether `kind` is in the set.
    #[must_use]
    pub const fn contains(self, kind: EventKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }
}

impl FromIterator<EventKind> for EventKinds {
    fn from_iter<T: IntoIterator<Item = EventKind>>(kinds: T) -> Self {
        Self(
            kinds
                .into_iter()
                .fold(0, |bits, kind| bits | 1 << kind as u8),
        )
    }
}

/// The ring.
pub(crate) struct EventRing {
    wanted: EventKinds,
    events: VecDeque<Event>,
    lost: u64,
    /// Addresses in the event that was taken out last, for the names of IPv6 addresses among them.
    held: Addresses,
}

/// The addresses of an event.
type Addresses = heapless::Vec<Ipv4Addr, 4>;

impl EventRing {
    pub(crate) fn new() -> Self {
        Self {
            wanted: EventKinds::NONE,
            events: VecDeque::with_capacity(RING),
            lost: 0,
            held: Addresses::new(),
        }
    }

    /// Bytes that the ring takes.
    pub(crate) const fn memory_bytes() -> usize {
        RING * size_of::<Event>()
    }

    #[inline]
    pub(crate) const fn wants(&self, kind: EventKind) -> bool {
        self.wanted.contains(kind)
    }

    /// Whether nobody wants anything.
    #[inline]
    pub(crate) fn is_silent(&self) -> bool {
        self.wanted == EventKinds::NONE
    }

    /// Adds an event without names of IPv6 addresses, if it is wanted; see
    /// [`DataPlane::push_event`].
    pub(crate) fn push(&mut self, event: Event) {
        self.add(event);
    }

    /// Adds an event if it is wanted. Returns whether it was added.
    fn add(&mut self, event: Event) -> bool {
        if !self.wants(event.kind()) {
            return false;
        }
        let has_room = self.events.len() < RING;
        if has_room {
            self.events.push_back(event);
        } else {
            self.lost += 1;
        }
        has_room
    }

    /// Counts an event that could not be made.
    pub(crate) fn note_lost(&mut self) {
        self.lost += 1;
    }
}

impl Event {
    /// The addresses of connections and packets, which may be names of IPv6 addresses.
    fn addresses(&self) -> Addresses {
        let of_packet = |packet: &PacketFacts| {
            let PacketFacts {
                tuple,
                real_destination,
                ..
            } = packet;
            Addresses::from_iter([tuple.source, tuple.destination, real_destination.0])
        };
        match self {
            Self::FlowBuilt { conn } | Self::FlowEnded { conn, .. } => Addresses::from_iter([
                conn.lower.real.0,
                conn.lower.mapped.0,
                conn.higher.real.0,
                conn.higher.mapped.0,
            ]),
            Self::AccessDenied { packet, .. }
            | Self::AccessLogged { packet, .. }
            | Self::LevelDenied { packet }
            | Self::NoConnection { packet }
            | Self::Spoofed { packet }
            | Self::ReversePath { packet }
            | Self::NoRoute { packet }
            | Self::NoTranslation { packet }
            | Self::TranslationFailed { packet }
            | Self::AsymmetricTranslation { packet }
            | Self::LimitReached { packet, .. }
            | Self::BoxAccess { packet, .. }
            | Self::IcmpToBoxDenied { packet }
            | Self::IcmpNoSession { packet } => of_packet(packet),
            // Of IPv4 only.
            Self::XlateBuilt { .. }
            | Self::XlateEnded { .. }
            | Self::DenyFlowsFull { .. }
            | Self::FragmentRefused { .. }
            | Self::PoolExhausted { .. }
            | Self::FlowTableFull { .. }
            | Self::IcmpErrorNoConnection { .. } => Addresses::new(),
        }
    }
}

impl DataPlane {
    /// Makes events of these kinds from now on, and no others. What waits stays.
    pub fn set_event_interest(&mut self, kinds: EventKinds) {
        self.events.wanted = kinds;
    }

    /// The oldest event that was not taken yet. Lists, rules and ports in it are those of the policy
    /// in force when it happened: take all before [`set_policy`](Self::set_policy). What
    /// [`address_shown`](Self::address_shown) tells of its addresses holds until the next call.
    pub fn poll_event(&mut self) -> Option<Event> {
        for address in core::mem::take(&mut self.events.held) {
            self.v6.names.release(address);
        }
        let event = self.events.events.pop_front()?;
        self.events.held = event.addresses();
        Some(event)
    }

    /// Adds an event if it is wanted, and keeps the names of IPv6 addresses in it until it has been
    /// read.
    pub(crate) fn push_event(&mut self, event: Event) {
        if self.events.add(event) {
            for address in event.addresses() {
                self.v6.names.keep(address);
            }
        }
    }

    /// Wanted events that found the ring full, ever.
    #[must_use]
    pub fn events_lost(&self) -> u64 {
        self.events.lost
    }

    /// Makes an event of `kind` if somebody wants it.
    #[inline]
    pub(crate) fn tell(&mut self, kind: EventKind, make: impl FnOnce(&Self) -> Event) {
        if self.events.wants(kind) {
            let event = make(self);
            self.push_event(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(limit: u32) -> Event {
        Event::FlowTableFull { limit }
    }

    #[test]
    fn only_wanted_kinds_are_kept_and_a_full_ring_counts() {
        let mut ring = EventRing::new();
        ring.push(full(1));
        assert!(ring.is_silent() && ring.events.is_empty());
        ring.wanted = [EventKind::FlowTableFull].into_iter().collect();
        let room = ring.events.capacity();
        for n in 0..RING as u32 + 3 {
            ring.push(full(n));
        }
        assert_eq!((ring.events.len(), ring.lost), (RING, 3));
        assert_eq!(ring.events.capacity(), room, "no growth");
        assert_eq!(ring.events.front(), Some(&full(0)), "the oldest stay");
    }

    #[test]
    fn every_kind_has_a_bit_and_an_event_is_small() {
        assert!(EventKind::ALL.len() <= 64);
        let all: EventKinds = EventKind::ALL.iter().copied().collect();
        for (bit, &kind) in EventKind::ALL.iter().enumerate() {
            assert!(all.contains(kind) && !EventKinds::NONE.contains(kind));
            assert_eq!(kind as usize, bit);
        }
        assert!(size_of::<Event>() <= 80, "{}", size_of::<Event>());
    }
}

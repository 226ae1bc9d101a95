//! What `show` commands read: plain values, made on demand, borrowed where large.

use core::fmt;
use core::net::Ipv4Addr;
use core::time::Duration;

use hal::nic::MacAddr;
use hal::packet::PacketBuf;

use crate::policy::{AddressRange, FragmentRule, NatRule, PortId, ProxyId};
use crate::v6::{AddressRange6, StaticNat6};
use crate::wire::{PROTOCOL_TCP, PROTOCOL_UDP};

/// A flow, while it lives; a stale one is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl FlowId {
    /// The number of the connection in messages: connections are counted from the start of the box.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.generation
    }

    /// The id as one number, for parts that carry it without looking at it.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        ((self.generation as u64) << 32) | self.index as u64
    }

    /// The id that [`to_bits`](Self::to_bits) made the number of.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            index: bits as u32,
            generation: (bits >> 32) as u32,
        }
    }
}

/// One side of an intercepted connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// Towards the caller.
    Originator,
    /// Towards the called.
    Target,
}

/// The two ends of a leg; `local` is the address that the box speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoints {
    /// Our end.
    pub local: (Ipv4Addr, u16),
    /// The peer's end.
    pub remote: (Ipv4Addr, u16),
}

/// A connection that a proxy is to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The flow; name it in every later call.
    pub flow: FlowId,
    /// Who takes it.
    pub proxy: ProxyId,
    /// The leg towards the caller.
    pub originator: Endpoints,
    /// The leg towards the called.
    pub target: Endpoints,
    /// Where the caller is.
    pub ingress: PortId,
    /// Where the called is.
    pub egress: PortId,
}

/// What the data plane hands to the proxies. Packets start at the IPv4 header, addresses untouched,
/// padding removed.
#[derive(Debug)]
pub enum Intercepted {
    /// A first SYN.
    Opening(Opening, PacketBuf),
    /// A further packet.
    Packet {
        /// The flow.
        flow: FlowId,
        /// The side it came from.
        leg: Leg,
        /// The packet.
        packet: PacketBuf,
    },
    /// The flow is gone (`clear conn`, or its port lost its policy); the session must end.
    Closed {
        /// The flow; no longer valid.
        flow: FlowId,
    },
}

/// A packet for the box itself, starting at the IPv4 header.
#[derive(Debug)]
pub struct LocalPacket {
    /// Where it came in.
    pub port: PortId,
    /// The packet.
    pub packet: PacketBuf,
}

/// Traffic of an interface since its counters were cleared. Bytes are those of whole frames, but for
/// VLAN tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortCounters {
    /// Frames received.
    pub packets_in: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Frames sent.
    pub packets_out: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Received frames that were dropped.
    pub dropped: u64,
    /// Frames that found the transmit queue full.
    pub transmit_overflow: u64,
}

/// Where a route comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteKind {
    /// `C`: the network of an interface.
    Connected,
    /// `L`: the address of an interface.
    Local,
    /// `S`: configured.
    Static,
}

/// A line of `show route`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteView {
    /// Where it comes from.
    pub kind: RouteKind,
    /// Network address.
    pub network: Ipv4Addr,
    /// Length of the prefix.
    pub prefix_len: u8,
    /// Administrative distance.
    pub metric: u8,
    /// Next hop, unless connected.
    pub gateway: Option<Ipv4Addr>,
    /// Egress.
    pub port: PortId,
}

/// A line of `show arp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighborView {
    /// Where the neighbour is.
    pub port: PortId,
    /// Its IPv4 address.
    pub address: Ipv4Addr,
    /// Its Ethernet address; `None` while it has not answered.
    pub mac: Option<MacAddr>,
    /// Since it was last heard of.
    pub age: Duration,
}

/// One end of a connection, as it is and as the other side sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnSide {
    /// The interface it is behind.
    pub port: PortId,
    /// Its own address and port (ICMP: the identifier on the side that asked, else 0).
    pub real: (Ipv4Addr, u16),
    /// Address and port seen from the other side.
    pub mapped: (Ipv4Addr, u16),
}

/// A line of `show conn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnView {
    /// The flow.
    pub flow: FlowId,
    /// Number of the IP protocol.
    pub protocol: u8,
    /// The side of lower security level (of equals: the responder); printed first.
    pub lower: ConnSide,
    /// The other side.
    pub higher: ConnSide,
    /// Whether the lower side opened it.
    pub opened_by_lower: bool,
    /// Since the last packet.
    pub idle: Duration,
    /// Since the first packet.
    pub uptime: Duration,
    /// Idle time that ends it; zero is never.
    pub timeout: Duration,
    /// Bytes of IP packets, both directions.
    pub bytes: u64,
    /// ASA flags.
    pub flags: ConnFlags,
    /// Whether a proxy holds it.
    pub is_intercepted: bool,
}

/// The flags of `show conn`, printed as the ASA does (`UxIOB`, `saA`, `-`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnFlags(pub(crate) u32);

macro_rules! conn_flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $letter:literal;)*) => {
        impl ConnFlags {
            $($(#[$doc])* pub const $name: Self = Self(1 << $bit);)*
            /// The flags in the order they are printed.
            const LETTERS: &'static [(Self, char)] = &[$((Self::$name, $letter),)*];
        }
    };
}

conn_flags! {
    /// `S`: awaiting the inside SYN.
    AWAITING_INSIDE_SYN = 0, 'S';
    /// `s`: awaiting the outside SYN.
    AWAITING_OUTSIDE_SYN = 1, 's';
    /// `a`: awaiting the outside ACK to SYN.
    AWAITING_OUTSIDE_ACK = 2, 'a';
    /// `A`: awaiting the inside ACK to SYN.
    AWAITING_INSIDE_ACK = 3, 'A';
    /// `U`: up.
    UP = 4, 'U';
    /// `F`: outside FIN.
    OUTSIDE_FIN = 5, 'F';
    /// `R`: outside acknowledged FIN.
    OUTSIDE_ACKED_FIN = 6, 'R';
    /// `f`: inside FIN.
    INSIDE_FIN = 7, 'f';
    /// `r`: inside acknowledged FIN.
    INSIDE_ACKED_FIN = 8, 'r';
    /// `x`: per session.
    PER_SESSION = 9, 'x';
    /// `I`: inbound data.
    INBOUND_DATA = 10, 'I';
    /// `O`: outbound data.
    OUTBOUND_DATA = 11, 'O';
    /// `B`: opened from outside.
    OPENED_FROM_OUTSIDE = 12, 'B';
    /// `T`: SIP, inspected.
    SIP = 13, 'T';
    /// `b`: TCP state bypass.
    BYPASSED = 14, 'b';
}

impl ConnFlags {
    /// Whether every flag of `other` is set.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) fn set(&mut self, other: Self, on: bool) {
        if on {
            self.0 |= other.0;
        }
    }
}

impl fmt::Display for ConnFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        if self.0 == 0 {
            return f.write_char('-');
        }
        for &(flag, letter) in Self::LETTERS {
            if self.contains(flag) {
                f.write_char(letter)?;
            }
        }
        Ok(())
    }
}

/// What was opened since the start, or tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Connections of every protocol.
    pub conns: u64,
    /// Those of TCP.
    pub tcp: u64,
    /// Those of UDP.
    pub udp: u64,
    /// Dynamic translations.
    pub xlates: u64,
    /// Segments handed to a proxy.
    pub intercepted: u64,
    /// SYNs that were answered with a cookie.
    pub answered: u64,
    /// Cookies that came back, each opening a connection.
    pub proven: u64,
    /// Connections whose handshake was not completed in time.
    pub abandoned: u64,
}

impl Opened {
    /// Makes of each count and that of `other` a new one.
    #[must_use]
    pub fn zip(&self, other: &Self, make: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            conns: make(self.conns, other.conns),
            tcp: make(self.tcp, other.tcp),
            udp: make(self.udp, other.udp),
            xlates: make(self.xlates, other.xlates),
            intercepted: make(self.intercepted, other.intercepted),
            answered: make(self.answered, other.answered),
            proven: make(self.proven, other.proven),
            abandoned: make(self.abandoned, other.abandoned),
        }
    }

    pub(crate) fn count_conn(&mut self, protocol: u8) {
        self.conns += 1;
        match protocol {
            PROTOCOL_TCP => self.tcp += 1,
            PROTOCOL_UDP => self.udp += 1,
            _ => {}
        }
    }
}

/// A line of `show xlate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XlateView {
    /// Protocol number, of translations with ports.
    pub protocol: Option<u8>,
    /// Where the real address lives; `None` is `any`.
    pub real_port: Option<PortId>,
    /// Real addresses.
    pub real: AddressRange,
    /// Real transport port or ICMP identifier.
    pub real_service: Option<u16>,
    /// Where the mapped address is seen; `None` is `any`.
    pub mapped_port: Option<PortId>,
    /// Mapped addresses.
    pub mapped: AddressRange,
    /// Mapped transport port or ICMP identifier.
    pub mapped_service: Option<u16>,
    /// How many ports follow the first on both sides.
    pub more: u16,
    /// Flag `s` if set, else `i`.
    pub is_static: bool,
    /// Flag `I`: real and mapped are the same.
    pub is_identity: bool,
    /// Flag `T`: made by a manual rule.
    pub is_twice: bool,
    /// Flag `D`: the rule says `dns`.
    pub is_dns: bool,
    /// Flag `e`: good for one destination only.
    pub is_extended: bool,
    /// Flag `N`: the rule says `net-to-net`.
    pub is_net_to_net: bool,
    /// Since it was last used (static: since the rule was set, if never).
    pub idle: Duration,
    /// Idle time that ends it; zero for static ones, and for those that go with their flow.
    pub timeout: Duration,
}

/// A static translation of IPv6 addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XlateView6 {
    /// Where the real addresses live; `None` is `any`.
    pub real_port: Option<PortId>,
    /// Before translation.
    pub real: AddressRange6,
    /// Where the mapped addresses are seen; `None` is `any`.
    pub mapped_port: Option<PortId>,
    /// After translation.
    pub mapped: AddressRange6,
    /// By a manual rule.
    pub is_twice: bool,
    /// Since a flow was last made by it.
    pub idle: Duration,
}

/// A rule of `show nat`, in the order rules are tried.
#[derive(Clone, Copy, Debug)]
pub struct NatRuleView<'a> {
    /// The rule.
    pub rule: &'a NatRule,
    /// The IPv6 addresses it is about.
    pub v6: &'a [StaticNat6],
    /// Its number within the section, from 1.
    pub number: usize,
    /// Connections opened from the real side.
    pub translate_hits: u64,
    /// Connections opened from the mapped side.
    pub untranslate_hits: u64,
    /// Connections refused because the pool of a dynamic rule had nothing left.
    pub exhausted: u64,
}

/// The use of one address that is shared by port, or of a range given whole, for `show nat pool`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolView {
    /// The (first) rule whose pool it is, in the order of
    /// [`nat_rules`](crate::DataPlane::nat_rules).
    pub rule: usize,
    /// Number of the IP protocol: TCP, UDP or ICMP; `None` if addresses are given whole.
    pub protocol: Option<u8>,
    /// The address, or the first of the range.
    pub first_address: Ipv4Addr,
    /// The last address of the range.
    pub last_address: Ipv4Addr,
    /// Lowest port of the tier.
    pub first: u16,
    /// Highest port of the tier.
    pub last: u16,
    /// Whether the pool is `flat`.
    pub is_flat: bool,
    /// Ports or addresses taken by dynamic bindings. Ports of `extended` pools count once for each
    /// destination.
    pub allocated: u32,
}

/// How an access list is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessForm {
    /// Element by element: it is short, or bound nowhere.
    Plain,
    /// Element by element: compiling it would take more memory than is left for lists.
    TooLarge,
    /// In a time that does not grow with the list.
    Compiled {
        /// Memory that takes, beside the elements themselves.
        bytes: usize,
    },
}

/// Memory of compiled access lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccessUsage {
    /// Bytes taken.
    pub bytes: usize,
    /// Most bytes that may be taken.
    pub bytes_max: usize,
    /// Compiled lists.
    pub compiled: usize,
    /// Lists there was no memory for.
    pub too_large: usize,
}

/// How full a table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// In use now.
    pub in_use: u32,
    /// The most that ever was.
    pub most_used: u32,
    /// How many there can be.
    pub limit: u32,
}

/// A block of `show fragment`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentView {
    /// What applies.
    pub rule: FragmentRule,
    /// Fragments waiting now.
    pub queue: u32,
    /// Datagrams that became complete.
    pub assembled: u64,
    /// Datagrams that came to nothing: late, contradictory, too many pieces.
    pub fail: u64,
    /// Fragments that found no room.
    pub overflow: u64,
}

/// Where every frame went since the start. `received + made` is always
/// `sent + consumed + intercepted + local + waiting + held + joined + dropped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// Frames given to [`handle_batch`](crate::DataPlane::handle_batch).
    pub received: u64,
    /// Frames the box made: its own packets, those of the proxies, ARP requests, ICMP errors, and
    /// of a datagram that leaves in pieces every one but the first.
    pub made: u64,
    /// Queued on a port for sending: forwarded, answered, or made.
    pub sent: u64,
    /// Taken in: ARP that needs no answer.
    pub consumed: u64,
    /// Handed to a proxy.
    pub intercepted: u64,
    /// Handed up for the box itself.
    pub local: u64,
    /// Waiting now for the next hop to answer.
    pub waiting: u64,
    /// Fragments waiting now for the rest of their datagram.
    pub held: u64,
    /// Fragments that went on as part of a datagram, which is counted as the one that completed it.
    pub joined: u64,
    /// Dropped with a reason.
    pub dropped: u64,
}

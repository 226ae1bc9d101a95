//! Flows: one record each, found by the wire addresses of either direction.
//!
//! The record holds the tuple each direction arrives with, and that is the whole translation: what
//! leaves in one direction is the reverse of what arrives in the other. The first cache line has
//! all that forwarding needs, the second TCP tracking and what ends the flow.
//!
//! Idle times are checked when the wheel says so, not at every packet: a packet only notes the
//! tick.

pub(crate) mod sequence;
mod table;
pub(crate) mod tcp;

pub(crate) use table::{FlowTable, InsertError};

use crate::connection::counts::NO_CLIENT;
use crate::connection::settings::NO_CLASS;
use crate::neighbor::NeighborId;
use crate::policy::{PortId, ProxyId};
use crate::view::ConnSide;
use crate::wheel::Tick;
use crate::wire::Tuple;
use crate::wire::checksum::Delta;
use tcp::{Scales, TcpSide};

/// A direction of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From the side that opened it.
    Forward,
    /// From the other side.
    Reply,
}

impl Direction {
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Forward => Self::Reply,
            Self::Reply => Self::Forward,
        }
    }
}

/// Where a flow stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// The record is free.
    #[default]
    Free,
    /// TCP: the SYN has passed.
    SynSent,
    /// TCP: the box has answered the SYN, and asks the server now.
    Spliced,
    /// TCP: the SYN-ACK has passed.
    SynReceived,
    /// TCP: the handshake is complete; FINs are in [`Flags`].
    Established,
    /// Not TCP.
    Stateless,
}

/// Facts about a flow, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u16);

impl Flags {
    /// The addresses or ports differ between the two sides.
    pub(crate) const TRANSLATED: Self = Self(1);
    /// A proxy holds the connection.
    pub(crate) const INTERCEPTED: Self = Self(1 << 1);
    /// The answers of this ICMP flow are forbidden.
    pub(crate) const REPLY_DENIED: Self = Self(1 << 2);
    /// The translation goes with the flow.
    pub(crate) const PER_SESSION: Self = Self(1 << 3);
    /// The side that opened the flow has the lower security level.
    pub(crate) const OPENED_BY_LOWER: Self = Self(1 << 4);
    /// The box takes one from the TTL.
    pub(crate) const DECREMENTS_TTL: Self = Self(1 << 5);
    /// Its packets are DNS messages and looked into.
    pub(crate) const DNS: Self = Self(1 << 6);
    const FIN: Self = Self(1 << 8);
    const FIN_ACKED: Self = Self(1 << 10);
    const DATA: Self = Self(1 << 12);

    /// That side has sent its FIN.
    pub(crate) const fn fin(side: Direction) -> Self {
        Self(Self::FIN.0 << side as u16)
    }

    /// The FIN of that side was acknowledged.
    pub(crate) const fn fin_acked(side: Direction) -> Self {
        Self(Self::FIN_ACKED.0 << side as u16)
    }

    /// That side has sent data.
    pub(crate) const fn data(side: Direction) -> Self {
        Self(Self::DATA.0 << side as u16)
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) const fn set(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) const fn clear(&mut self, other: Self) {
        self.0 &= !other.0;
    }
}

/// Facts about a flow that only its second cache line needs, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Marks(u8);

impl Marks {
    /// It counts as half-open.
    pub(crate) const EMBRYONIC: Self = Self(1);
    /// The SYN had timestamps; with [`Self::TIMESTAMPS`], so had the SYN-ACK.
    pub(crate) const TIMESTAMPS_OFFERED: Self = Self(1 << 1);
    /// Both sides send timestamps.
    pub(crate) const TIMESTAMPS: Self = Self(1 << 2);
    const ANSWERED: Self = Self(1 << 4);

    /// That side has answered the last probe.
    pub(crate) const fn answered(side: Direction) -> Self {
        Self(Self::ANSWERED.0 << side as u8)
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(crate) const fn set(&mut self, other: Self) {
        self.0 |= other.0;
    }

    pub(crate) const fn clear(&mut self, other: Self) {
        self.0 &= !other.0;
    }
}

/// No record: of a translation, of a rule.
pub(crate) const NONE: u32 = u32::MAX;

/// One flow. Arrays are indexed by [`Direction`].
#[repr(C, align(64))]
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// What arrives in each direction.
    pub(crate) tuples: [Tuple; 2],
    /// Where it arrives. What leaves in one direction leaves by the other's port.
    pub(crate) ports: [PortId; 2],
    pub(crate) protocol: u8,
    pub(crate) state: State,
    /// Change of the IPv4 header checksum in the forward direction; inverted for replies.
    pub(crate) ip_delta: Delta,
    /// Change of the transport checksum in the forward direction; inverted for replies.
    pub(crate) transport_delta: Delta,
    /// Next hop of what leaves in each direction.
    pub(crate) next_hops: [NeighborId; 2],
    /// Tick of the last packet.
    pub(crate) last_used: Tick,
    /// The policy its next hops were found under.
    pub(crate) epoch: u16,
    pub(crate) flags: Flags,
    /// Bytes of IP packets, both directions.
    pub(crate) bytes: u64,
    /// The number of the flow, counted from the start of the box: it tells this flow from others that
    /// have had the record.
    pub(crate) generation: u32,
    /// Tick of the first packet.
    pub(crate) created: Tick,

    /// What each side has sent and will take.
    pub(crate) tcp: [TcpSide; 2],
    /// What is added to the sequence numbers of each side; in [`State::Spliced`] the second is the
    /// number the box answered with.
    pub(crate) offsets: [u32; 2],
    /// The timestamp last sent in order by each side, for PAWS.
    pub(crate) timestamps: [u32; 2],
    /// The dynamic binding in use, or [`NONE`]; of a free record the next free one.
    pub(crate) binding: u32,
    /// The proxy that holds it, if [`Flags::INTERCEPTED`].
    pub(crate) proxy: ProxyId,
    /// The class it counts in.
    pub(crate) class: u16,
    /// The record of its client.
    pub(crate) client: u16,
    /// What its segments are checked by.
    pub(crate) normalizer: u8,
    /// Probes, or SYNs of the box itself, since the last answer.
    pub(crate) probes: u8,
    /// The lowest TTL of each side.
    pub(crate) ttls: [u8; 2],
    /// The window shifts of both sides.
    pub(crate) scales: Scales,
    pub(crate) marks: Marks,
}

impl Flow {
    pub(crate) fn unused() -> Self {
        let tuple = Tuple {
            source: core::net::Ipv4Addr::UNSPECIFIED,
            destination: core::net::Ipv4Addr::UNSPECIFIED,
            source_port: 0,
            destination_port: 0,
        };
        Self {
            tuples: [tuple; 2],
            ports: [PortId(0); 2],
            protocol: 0,
            state: State::Free,
            ip_delta: Delta::default(),
            transport_delta: Delta::default(),
            next_hops: [NeighborId::NONE; 2],
            last_used: 0,
            epoch: 0,
            flags: Flags::default(),
            bytes: 0,
            generation: 0,
            created: 0,
            tcp: [TcpSide::default(); 2],
            binding: NONE,
            offsets: [0; 2],
            timestamps: [0; 2],
            proxy: ProxyId(0),
            class: NO_CLASS,
            client: NO_CLIENT,
            normalizer: 0,
            probes: 0,
            ttls: [u8::MAX; 2],
            scales: Scales::default(),
            marks: Marks::default(),
        }
    }

    /// What arrives in `direction`.
    pub(crate) const fn arriving(&self, direction: Direction) -> Tuple {
        self.tuples[direction.index()]
    }

    /// What leaves in `direction`.
    pub(crate) const fn leaving(&self, direction: Direction) -> Tuple {
        self.tuples[direction.other().index()].reversed()
    }

    /// The port that packets of `direction` leave by.
    pub(crate) const fn egress(&self, direction: Direction) -> PortId {
        self.ports[direction.other().index()]
    }

    /// The checksum changes of `direction`: of the IPv4 header, of the transport.
    pub(crate) const fn deltas(&self, direction: Direction) -> (Delta, Delta) {
        match direction {
            Direction::Forward => (self.ip_delta, self.transport_delta),
            Direction::Reply => (self.ip_delta.inverted(), self.transport_delta.inverted()),
        }
    }

    /// Both ends: that of lower security level (of equals: the responder), and the other.
    pub(crate) fn sides(&self) -> (ConnSide, ConnSide) {
        let side = |direction: Direction| {
            // What a side sends carries its real address there, and its mapped one beyond.
            let (arriving, leaving) = (self.arriving(direction), self.leaving(direction));
            ConnSide {
                port: self.ports[direction.index()],
                real: (arriving.source, arriving.source_port),
                mapped: (leaving.source, leaving.source_port),
            }
        };
        let (opener, responder) = (side(Direction::Forward), side(Direction::Reply));
        if self.flags.has(Flags::OPENED_BY_LOWER) {
            (opener, responder)
        } else {
            (responder, opener)
        }
    }

    /// Computes flag and checksum changes from the tuples.
    pub(crate) fn set_translation(&mut self) {
        let (old, new) = (
            self.arriving(Direction::Forward),
            self.leaving(Direction::Forward),
        );
        if old == new {
            self.flags.clear(Flags::TRANSLATED);
            return;
        }
        self.flags.set(Flags::TRANSLATED);
        let addresses = Delta::default()
            .address(old.source, new.source)
            .address(old.destination, new.destination);
        self.ip_delta = addresses;
        let ports = Delta::default()
            .word(old.source_port, new.source_port)
            .word(old.destination_port, new.destination_port);
        // ICMP has no pseudo-header: its checksum does not cover the addresses.
        let base = if self.protocol == crate::wire::PROTOCOL_ICMP {
            Delta::default()
        } else {
            addresses
        };
        self.transport_delta = base.and(ports);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;

    #[test]
    fn what_forwarding_needs_lies_in_one_cache_line() {
        assert_eq!((size_of::<Flow>(), align_of::<Flow>()), (128, 64));
        assert!(offset_of!(Flow, tcp) >= 64);
        for hot in [
            offset_of!(Flow, tuples),
            offset_of!(Flow, ports),
            offset_of!(Flow, next_hops),
            offset_of!(Flow, last_used),
            offset_of!(Flow, flags),
            offset_of!(Flow, bytes),
        ] {
            assert!(hot + 8 <= 64);
        }
    }
}

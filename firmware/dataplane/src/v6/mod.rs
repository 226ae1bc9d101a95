//! IPv6 beside IPv4: its headers, neighbours, routes and rules; flows are shared.
//!
//! ```text
//! frame → wire: parse ─ names: both known? ─┬─ yes → the flow engine, as for IPv4
//!                                           └─ no ──→ nd, icmp, slowpath → names → flow
//! ```
//!
//! Inside the flow engine an IPv6 address is a [name](names) of 32 bits. What depends on the family
//! stands here; the engine asks [`is_name`] where it must know.

mod icmp;
mod input;
mod names;
mod nd;
mod policy;
pub(crate) mod rewrite;
mod routes;
mod slowpath;
pub(crate) mod wire;

use core::net::Ipv6Addr;
use core::time::Duration;

use hal::nic::MacAddr;
use hal::packet::PacketPool;
use hal::time::Instant;

pub(crate) use names::is_name;
pub use nd::AddressState;
pub use policy::{
    Ace6, Address6, AddressRange6, AdvertisedPrefix, IcmpRule6, Interface6, Policy6,
    RouterAdvertisement, StaticNat6, StaticRoute6, prefix_mask6,
};
pub use routes::RouteView6;
pub(crate) use wire::Headers6;
pub use wire::PROTOCOL_ICMPV6;
pub(crate) use wire::{IPV6_LEN as HEADER_LEN, PAYLOAD_LEN};

use crate::engine::DataPlane;
use crate::flow::{Direction, Flow};
use crate::hash::HashKey;
use crate::neighbor::NeighborTable;
use crate::policy::PortId;
use names::Names;
use nd::Discovery;
use routes::Routes6;

/// Tables and state of IPv6.
pub(crate) struct V6 {
    pub(crate) names: Names,
    pub(crate) neighbors: NeighborTable<Ipv6Addr>,
    pub(crate) routes: Routes6,
    discovery: Discovery,
}

impl V6 {
    /// Tables for `flows` flows and `neighbors` neighbours.
    pub(crate) fn new(flows: u32, neighbors: u16, key: HashKey) -> Self {
        Self {
            names: Names::new(Self::names_for(flows), key),
            neighbors: NeighborTable::new(neighbors, key),
            routes: Routes6::default(),
            discovery: Discovery::default(),
        }
    }

    /// Names enough that they run out after the flows do, as long as a flow has a peer in common with
    /// some other one.
    const fn names_for(flows: u32) -> u32 {
        flows / 2
    }

    /// Bytes that the tables take.
    pub(crate) const fn memory_bytes(flows: u32, neighbors: u16) -> usize {
        Names::memory_bytes(Self::names_for(flows))
            + NeighborTable::<Ipv6Addr>::memory_bytes(neighbors)
    }

    /// Gives the names of an ended flow back.
    pub(crate) fn forget_flow(&mut self, flow: &Flow) {
        for direction in [Direction::Forward, Direction::Reply] {
            let tuple = flow.arriving(direction);
            self.names.release(tuple.source);
            self.names.release(tuple.destination);
        }
    }

    /// When something is due.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        [
            self.neighbors.next_deadline(),
            self.discovery.next_deadline(),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}

/// A line of `show ipv6 neighbor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighborView6 {
    /// Where the neighbour is.
    pub port: PortId,
    /// Its IPv6 address.
    pub address: Ipv6Addr,
    /// Its Ethernet address; `None` while it has not answered.
    pub mac: Option<MacAddr>,
    /// Since it was last heard of.
    pub age: Duration,
}

impl DataPlane {
    /// Forgets every IPv6 neighbour.
    pub fn clear_neighbors6(&mut self, pool: &mut PacketPool) {
        self.forget_neighbors::<Ipv6Addr>(|_| true, pool);
    }

    /// IPv6 routes in force, the longest prefix first.
    pub fn routes6(&self) -> impl Iterator<Item = RouteView6> + '_ {
        self.v6.routes.shown().iter().copied()
    }

    /// IPv6 neighbours that answered or are being asked.
    pub fn neighbors6(&self, now: Instant) -> impl Iterator<Item = NeighborView6> + '_ {
        self.v6.neighbors.iter().map(move |neighbor| NeighborView6 {
            port: neighbor.port,
            address: neighbor.address,
            mac: neighbor.is_known().then_some(neighbor.mac),
            age: now.since(neighbor.heard()),
        })
    }
}

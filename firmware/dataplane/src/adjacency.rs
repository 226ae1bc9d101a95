//! What is done with neighbours of either family: wanting, learning, sending or waiting, giving up.
//!
//! [`NeighborTable`] says what to do; how a neighbour is asked differs between ARP and neighbour
//! discovery, and nothing else ([`Family`]).

use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use alloc::vec::Vec;

use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::input::{Dropped, Outcome, Verdict};
use crate::neighbor::{Address, Due, NeighborId, NeighborTable, PENDING, Sighting};
use crate::policy::PortId;
use crate::wire::{ETHERTYPE_IPV4, ETHERTYPE_IPV6};

/// A family of addresses that have neighbours.
pub(crate) trait Family: Address {
    /// What its packets are called in an Ethernet header.
    const ETHERTYPE: u16;

    /// Its neighbours.
    fn table(plane: &mut DataPlane) -> &mut NeighborTable<Self>;

    /// Asks who has `address` behind `port`.
    fn ask(plane: &mut DataPlane, port: PortId, address: Self, pool: &mut PacketPool);
}

impl Family for Ipv4Addr {
    const ETHERTYPE: u16 = ETHERTYPE_IPV4;

    fn table(plane: &mut DataPlane) -> &mut NeighborTable<Self> {
        &mut plane.neighbors
    }

    fn ask(plane: &mut DataPlane, port: PortId, address: Self, pool: &mut PacketPool) {
        plane.ask(port, address, pool);
    }
}

impl Family for Ipv6Addr {
    const ETHERTYPE: u16 = ETHERTYPE_IPV6;

    fn table(plane: &mut DataPlane) -> &mut NeighborTable<Self> {
        &mut plane.v6.neighbors
    }

    fn ask(plane: &mut DataPlane, port: PortId, address: Self, pool: &mut PacketPool) {
        plane.solicit(port, address, pool);
    }
}

/// Packets that waited for an entry given up for another one: one entry holds no more than that.
type Evicted = heapless::Vec<PacketBuf, PENDING>;

impl DataPlane {
    /// The entry of a neighbour; asks for it if it is new.
    pub(crate) fn want<A: Family>(
        &mut self,
        port: PortId,
        address: A,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Option<NeighborId> {
        let mut evicted = Evicted::new();
        let wanted =
            A::table(self).want(port, address, &mut |packet| drop(evicted.push(packet)), now);
        self.give_up(evicted, pool);
        let (id, is_new) = wanted?;
        if is_new {
            A::ask(self, port, address, pool);
        }
        Some(id)
    }

    /// Notes where a neighbour was seen, and sends what waited for it. Unless `create`, only a known or
    /// wanted one is noted.
    pub(crate) fn learn<A: Family>(
        &mut self,
        seen: Sighting<A>,
        create: bool,
        lifetime: Duration,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let (port, mac) = (seen.port, seen.mac);
        let mut evicted = Evicted::new();
        let learnt = A::table(self).learn(
            seen,
            create,
            lifetime,
            &mut |packet| drop(evicted.push(packet)),
            now,
        );
        self.give_up(evicted, pool);
        let Some(mut waiting) = learnt else {
            return;
        };
        while let Some(packet) = waiting.pop_front() {
            self.verdicts.waiting = self.verdicts.waiting.saturating_sub(1);
            let outcome = self.enqueue(port, mac, A::ETHERTYPE, packet);
            // The reason is counted; nobody waits for it here.
            let _ = self.settle(outcome, pool);
        }
    }

    /// Sends a frame to a neighbour, or keeps it until the neighbour answers.
    pub(crate) fn send_to<A: Family>(
        &mut self,
        id: NeighborId,
        egress: PortId,
        frame: PacketBuf,
        pool: &mut PacketPool,
    ) -> Outcome {
        match A::table(self).get(id) {
            Some(neighbor) if neighbor.is_known() => {
                let mac = neighbor.mac;
                return self.enqueue(egress, mac, A::ETHERTYPE, frame);
            }
            Some(_) => {}
            None => return Err(Dropped::new(DropReason::NoAdjacency, frame)),
        }
        // Datagrams in pieces wait only while there is plenty: they take many buffers.
        if frame.is_chained() && pool.available() < pool.total() / 4 {
            return Err(Dropped::new(DropReason::DispatchBlockAlloc, frame));
        }
        if let Some(oldest) = A::table(self).hold(id, frame) {
            self.give_up_waiting(oldest, pool);
        }
        Ok(Verdict::Waiting)
    }

    /// Asks neighbours again, and gives up those that do not answer.
    pub(crate) fn run_neighbors<A: Family>(&mut self, pool: &mut PacketPool, now: Instant) {
        let mut due = Vec::new();
        A::table(self).run_due(now, |entry| due.push(entry));
        for entry in due {
            match entry {
                Due::Ask(port, address) => A::ask(self, port, address, pool),
                Due::GaveUp(mut pending) => {
                    self.give_up(core::iter::from_fn(|| pending.pop_front()), pool);
                }
            }
        }
    }

    /// Forgets the neighbours behind the ports that `which` chooses.
    pub(crate) fn forget_neighbors<A: Family>(
        &mut self,
        which: impl Fn(PortId) -> bool,
        pool: &mut PacketPool,
    ) {
        let mut dropped = Vec::new();
        A::table(self).clear(which, &mut |packet| dropped.push(packet));
        self.give_up(dropped, pool);
    }

    fn give_up(&mut self, packets: impl IntoIterator<Item = PacketBuf>, pool: &mut PacketPool) {
        for packet in packets {
            self.give_up_waiting(packet, pool);
        }
    }
}

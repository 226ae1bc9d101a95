//! Who lives at which Ethernet address: the neighbour table and its timers. RFC 826, RFC 1122 §2.3.2.
//!
//! ```text
//! (none) ─wanted→ Asked ─answer→ Known ─`arp timeout`→ Refreshing ─answer→ Known
//!                   └─ no answer after three requests → (none) ←──┘
//! ```
//!
//! The table holds no frames to send: it says what to do, `arp` does it. An entry that is being
//! refreshed still forwards.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use hal::nic::MacAddr;
use hal::packet::{PacketBuf, Queue};
use hal::time::Instant;

use crate::buckets::Buckets;
use crate::hash::HashKey;
use crate::policy::PortId;

/// Packets kept while a neighbour is asked.
pub(crate) const PENDING: usize = 4;
/// Requests before giving up, one per [`RETRY`].
const ATTEMPTS: u8 = 3;
const RETRY: Duration = Duration::from_secs(1);
/// Entries looked at for one to give up when the table is full.
const EVICTION_REACH: usize = 16;

/// A place in the table; recognises that the neighbour there has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NeighborId {
    index: u16,
    generation: u16,
}

impl NeighborId {
    /// No neighbour.
    pub(crate) const NONE: Self = Self {
        index: u16::MAX,
        generation: 0,
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Asked { attempts: u8 },
    Known,
    Refreshing { attempts: u8 },
}

/// An address that neighbours have.
pub(crate) trait Address: Copy + Eq {
    /// What the entries of an empty table hold.
    const NONE: Self;
    /// The address as two words, to be hashed with the port.
    fn words(self) -> (u64, u64);
}

impl Address for Ipv4Addr {
    const NONE: Self = Self::UNSPECIFIED;

    fn words(self) -> (u64, u64) {
        (u64::from(self.to_bits()), 1 << 63)
    }
}

impl Address for Ipv6Addr {
    const NONE: Self = Self::UNSPECIFIED;

    fn words(self) -> (u64, u64) {
        let bits = self.to_bits();
        ((bits >> 64) as u64, bits as u64)
    }
}

/// One neighbour.
pub(crate) struct Neighbor<A = Ipv4Addr> {
    pub(crate) address: A,
    pub(crate) port: PortId,
    pub(crate) mac: MacAddr,
    state: State,
    generation: u16,
    heard: Instant,
    deadline: Instant,
    pending: Queue<PENDING>,
}

impl<A> Neighbor<A> {
    /// Whether its Ethernet address is known.
    pub(crate) const fn is_known(&self) -> bool {
        matches!(self.state, State::Known | State::Refreshing { .. })
    }

    /// When it was last heard of (or first wanted).
    pub(crate) const fn heard(&self) -> Instant {
        self.heard
    }
}

/// An address seen at an Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sighting<A> {
    pub(crate) port: PortId,
    pub(crate) address: A,
    pub(crate) mac: MacAddr,
}

/// What the owner of the table must do about an entry.
#[derive(Debug)]
pub(crate) enum Due<A> {
    /// Ask who has the address.
    Ask(PortId, A),
    /// The neighbour is gone; these packets go with it.
    GaveUp(Queue<PENDING>),
}

/// The table. Sized once.
pub(crate) struct NeighborTable<A = Ipv4Addr> {
    neighbors: Vec<Neighbor<A>>,
    index: Buckets,
    key: HashKey,
    /// Where the search for a free entry goes on.
    hand: usize,
    next_deadline: Instant,
}

impl<A: Address> NeighborTable<A> {
    pub(crate) fn new(capacity: u16, key: HashKey) -> Self {
        let mut neighbors = Vec::new();
        neighbors.resize_with(usize::from(capacity), || Neighbor {
            address: A::NONE,
            port: PortId(0),
            mac: MacAddr::default(),
            state: State::Free,
            generation: 0,
            heard: Instant::ZERO,
            deadline: Instant::FAR_FUTURE,
            pending: Queue::new(),
        });
        Self {
            neighbors,
            index: Buckets::new(usize::from(capacity)),
            key,
            hand: 0,
            next_deadline: Instant::FAR_FUTURE,
        }
    }

    /// Bytes that a table for `capacity` neighbours takes.
    pub(crate) const fn memory_bytes(capacity: u16) -> usize {
        capacity as usize * size_of::<Neighbor<A>>() + Buckets::memory_bytes(capacity as usize)
    }

    /// The neighbour named `id`, if it is still the same.
    #[inline]
    pub(crate) fn get(&self, id: NeighborId) -> Option<&Neighbor<A>> {
        self.neighbors
            .get(usize::from(id.index))
            .filter(|neighbor| {
                neighbor.generation == id.generation && neighbor.state != State::Free
            })
    }

    fn hash(&self, port: PortId, address: A) -> u64 {
        let (first, second) = address.words();
        self.key.hash(first, second ^ u64::from(port.0) << 32)
    }

    /// The neighbour with `address` behind `port`, if there is an entry.
    pub(crate) fn find(&self, port: PortId, address: A) -> Option<NeighborId> {
        let index = self.index.find(self.hash(port, address), |index| {
            self.neighbors
                .get(index as usize)
                .is_some_and(|neighbor| neighbor.port == port && neighbor.address == address)
        })?;
        self.id(index as usize)
    }

    fn id(&self, index: usize) -> Option<NeighborId> {
        let generation = self.neighbors.get(index)?.generation;
        Some(NeighborId {
            index: u16::try_from(index).ok()?,
            generation,
        })
    }

    /// The entry of a neighbour that is wanted, made now if need be. If the flag is set it must be
    /// asked for. `None`: every entry is taken by neighbours that answered.
    pub(crate) fn want(
        &mut self,
        port: PortId,
        address: A,
        dropped: &mut impl FnMut(PacketBuf),
        now: Instant,
    ) -> Option<(NeighborId, bool)> {
        if let Some(id) = self.find(port, address) {
            return Some((id, false));
        }
        let index = self.take_entry(dropped)?;
        let hash = self.hash(port, address);
        if !self.index.insert(hash, index as u32) {
            return None;
        }
        let deadline = now + RETRY;
        let neighbor = self.neighbors.get_mut(index)?;
        neighbor.address = address;
        neighbor.port = port;
        neighbor.state = State::Asked { attempts: 1 };
        neighbor.heard = now;
        neighbor.deadline = deadline;
        self.next_deadline = self.next_deadline.min(deadline);
        Some((self.id(index)?, true))
    }

    /// A free entry; makes one by giving up a neighbour that has not answered, but never one that
    /// has: a sweep over a network must not push out those who live there.
    fn take_entry(&mut self, dropped: &mut impl FnMut(PacketBuf)) -> Option<usize> {
        let count = self.neighbors.len();
        let mut unanswered = None;
        let mut looked = 0;
        while looked < count {
            let index = (self.hand + looked) % count;
            looked += 1;
            match self.neighbors.get(index)?.state {
                State::Free => {
                    self.hand = (index + 1) % count;
                    return Some(index);
                }
                State::Asked { .. } if unanswered.is_none() => unanswered = Some(index),
                _ => {}
            }
            if looked >= EVICTION_REACH && unanswered.is_some() {
                break;
            }
        }
        let index = unanswered?;
        self.hand = (index + 1) % count;
        self.forget(index, dropped);
        Some(index)
    }

    fn forget(&mut self, index: usize, dropped: &mut impl FnMut(PacketBuf)) {
        let Some(neighbor) = self.neighbors.get(index) else {
            return;
        };
        let hash = self.hash(neighbor.port, neighbor.address);
        self.index.remove(hash, index as u32);
        if let Some(neighbor) = self.neighbors.get_mut(index) {
            neighbor.state = State::Free;
            neighbor.generation = neighbor.generation.wrapping_add(1);
            neighbor.deadline = Instant::FAR_FUTURE;
            while let Some(packet) = neighbor.pending.pop_front() {
                dropped(packet);
            }
        }
    }

    /// Keeps `packet` until `id` answers; gives one back if the queue is full or the id stale.
    pub(crate) fn hold(&mut self, id: NeighborId, packet: PacketBuf) -> Option<PacketBuf> {
        match self.neighbors.get_mut(usize::from(id.index)) {
            Some(neighbor)
                if neighbor.generation == id.generation && neighbor.state != State::Free =>
            {
                // RFC 1122 §2.3.2.2: keep the latest.
                let oldest = if neighbor.pending.is_full() {
                    neighbor.pending.pop_front()
                } else {
                    None
                };
                match neighbor.pending.push_back(packet) {
                    Ok(()) => oldest,
                    Err(packet) => Some(packet),
                }
            }
            _ => Some(packet),
        }
    }

    /// Notes where a neighbour was seen. Unless `create`, only a known or wanted one is noted. Returns the packets that were waiting.
    pub(crate) fn learn(
        &mut self,
        seen: Sighting<A>,
        create: bool,
        lifetime: Duration,
        dropped: &mut impl FnMut(PacketBuf),
        now: Instant,
    ) -> Option<Queue<PENDING>> {
        let Sighting { port, address, mac } = seen;
        let id = match self.find(port, address) {
            Some(id) => id,
            None if create => self.want(port, address, dropped, now)?.0,
            None => return None,
        };
        let neighbor = self.neighbors.get_mut(usize::from(id.index))?;
        neighbor.mac = mac;
        neighbor.state = State::Known;
        neighbor.heard = now;
        neighbor.deadline = if lifetime.is_zero() {
            Instant::FAR_FUTURE
        } else {
            now + lifetime
        };
        self.next_deadline = self.next_deadline.min(neighbor.deadline);
        Some(core::mem::take(&mut neighbor.pending))
    }

    /// When [`run_due`](Self::run_due) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        (self.next_deadline != Instant::FAR_FUTURE).then_some(self.next_deadline)
    }

    /// Calls `act` for everything that is due. The table is searched at most once a second while
    /// somebody is asked for, else when the oldest entry ages out.
    pub(crate) fn run_due(&mut self, now: Instant, mut act: impl FnMut(Due<A>)) {
        if now < self.next_deadline {
            return;
        }
        for index in 0..self.neighbors.len() {
            let Some(neighbor) = self.neighbors.get_mut(index) else {
                break;
            };
            if neighbor.deadline > now {
                continue;
            }
            let attempts = match neighbor.state {
                State::Free => continue,
                State::Known => 0,
                State::Asked { attempts } | State::Refreshing { attempts } => attempts,
            };
            if attempts >= ATTEMPTS {
                let pending = core::mem::take(&mut neighbor.pending);
                self.forget(index, &mut |_| ());
                act(Due::GaveUp(pending));
                continue;
            }
            neighbor.state = match neighbor.state {
                State::Asked { .. } => State::Asked {
                    attempts: attempts + 1,
                },
                _ => State::Refreshing {
                    attempts: attempts + 1,
                },
            };
            neighbor.deadline = now + RETRY;
            act(Due::Ask(neighbor.port, neighbor.address));
        }
        self.next_deadline = self
            .neighbors
            .iter()
            .map(|neighbor| neighbor.deadline)
            .min()
            .unwrap_or(Instant::FAR_FUTURE);
    }

    /// Forgets the neighbours behind `port`, or all.
    pub(crate) fn clear(
        &mut self,
        which: impl Fn(PortId) -> bool,
        dropped: &mut impl FnMut(PacketBuf),
    ) {
        for index in 0..self.neighbors.len() {
            let is_chosen = self
                .neighbors
                .get(index)
                .is_some_and(|neighbor| neighbor.state != State::Free && which(neighbor.port));
            if is_chosen {
                self.forget(index, dropped);
            }
        }
    }

    /// Every neighbour known or asked for.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Neighbor<A>> {
        self.neighbors
            .iter()
            .filter(|neighbor| neighbor.state != State::Free)
    }

    /// Buffers of the packets that wait.
    #[cfg(test)]
    pub(crate) fn waiting_buffers(&self) -> usize {
        let waiting = self
            .neighbors
            .iter()
            .flat_map(|neighbor| neighbor.pending.iter());
        waiting.map(|packet| packet.segments().count()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hal::packet::PacketPool;

    const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 9]);
    const HOUR: Duration = Duration::from_secs(3600);

    fn host(n: u8) -> Ipv4Addr {
        Ipv4Addr::new(192, 0, 2, n)
    }

    fn seen(n: u8) -> Sighting<Ipv4Addr> {
        Sighting {
            port: PortId(0),
            address: host(n),
            mac: MAC,
        }
    }

    fn due(table: &mut NeighborTable, now: Instant) -> Vec<&'static str> {
        let mut seen = Vec::new();
        table.run_due(now, |due| {
            seen.push(match due {
                Due::Ask(..) => "ask",
                Due::GaveUp(_) => "gave up",
            });
        });
        seen
    }

    #[test]
    fn a_neighbour_is_asked_three_times_and_then_given_up() {
        let mut table = NeighborTable::new(4, HashKey::new([1; 16]));
        let wanted = table
            .want(PortId(0), host(1), &mut |_| (), Instant::ZERO)
            .expect("room");
        assert!(wanted.1 && table.get(wanted.0).is_some());
        assert_eq!(
            due(&mut table, Instant::from_millis(999)),
            Vec::<&str>::new()
        );
        assert_eq!(due(&mut table, Instant::from_secs(1)), ["ask"]);
        assert_eq!(due(&mut table, Instant::from_secs(2)), ["ask"]);
        assert_eq!(due(&mut table, Instant::from_secs(3)), ["gave up"]);
        assert!(table.get(wanted.0).is_none());
        assert_eq!(table.next_deadline(), None);
    }

    #[test]
    fn a_known_neighbour_is_refreshed_while_it_goes_on_forwarding() {
        let mut table = NeighborTable::new(4, HashKey::new([1; 16]));
        assert!(
            table
                .learn(seen(1), true, HOUR, &mut |_| (), Instant::ZERO)
                .is_some()
        );
        let id = table.find(PortId(0), host(1)).expect("just learnt");
        assert_eq!(due(&mut table, Instant::from_secs(1)), Vec::<&str>::new());
        assert_eq!(table.next_deadline(), Some(Instant::from_secs(3600)));
        assert_eq!(due(&mut table, Instant::from_secs(3600)), ["ask"]);
        assert!(table.get(id).is_some_and(Neighbor::is_known));
        assert!(
            table
                .learn(seen(1), false, HOUR, &mut |_| (), Instant::from_secs(3601))
                .is_some()
        );
        assert_eq!(table.next_deadline().map(Instant::as_secs), Some(3601));
        assert_eq!(
            due(&mut table, Instant::from_secs(3602)),
            Vec::<&str>::new()
        );
        assert_eq!(table.next_deadline().map(Instant::as_secs), Some(7201));
    }

    #[test]
    fn a_sweep_pushes_out_the_silent_but_never_those_who_answered() {
        let mut table = NeighborTable::new(3, HashKey::new([1; 16]));
        let mut learn = |n| {
            table
                .learn(seen(n), true, HOUR, &mut |_| (), Instant::ZERO)
                .map(|_| ())
        };
        assert_eq!((learn(1), learn(2)), (Some(()), Some(())));
        for n in 10..200 {
            assert!(
                table
                    .want(PortId(0), host(n), &mut |_| (), Instant::ZERO)
                    .is_some()
            );
        }
        assert!(table.find(PortId(0), host(1)).is_some());
        assert!(table.find(PortId(0), host(2)).is_some());
        assert_eq!(table.iter().count(), 3);
        assert!(
            table
                .learn(seen(3), true, HOUR, &mut |_| (), Instant::ZERO)
                .is_some()
        );
        assert!(
            table
                .want(PortId(0), host(4), &mut |_| (), Instant::ZERO)
                .is_none()
        );
    }

    #[test]
    fn the_latest_packets_wait_and_none_is_lost() {
        let mut pool = PacketPool::new(8);
        let mut table = NeighborTable::new(1, HashKey::new([1; 16]));
        let (id, _) = table
            .want(PortId(0), host(1), &mut |_| (), Instant::ZERO)
            .expect("room");
        for n in 0..6u8 {
            let mut packet = pool.take().expect("a buffer");
            assert!(packet.extend(&[n]));
            if let Some(oldest) = table.hold(id, packet) {
                assert_eq!(oldest.bytes(), [n - 4]);
                pool.free(oldest);
            }
        }
        // Another neighbour wants the only entry: what waited comes back.
        table.want(
            PortId(0),
            host(2),
            &mut |packet| pool.free(packet),
            Instant::ZERO,
        );
        assert_eq!(pool.available(), 8);
        assert!(table.get(id).is_none());
    }
}

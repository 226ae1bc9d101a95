//! How many connections there are, by class and by client; the limits on them.
//!
//! A flow that is in a class with settings is counted when its record is made and taken off when
//! that goes; half-open TCP connections are counted once more until their handshake is complete.
//! Clients are counted only in classes that limit them: a bounded table, whose records live as
//! long as the client has a connection.

use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::time::Duration;

use hal::time::Instant;

use crate::buckets::Buckets;
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::event::{Event, EventKind};
use crate::flow::{Flow, Marks, State};
use crate::hash::HashKey;
use crate::policy::{Policy, PortId};
use crate::tell::{Seen, facts};
use crate::wire::{Headers, PROTOCOL_TCP};

use super::settings::{ClassTicks, ConnectionSettings, FlowSettings, NO_CLASS};

/// No record of a client.
pub(crate) const NO_CLIENT: u16 = u16::MAX;

/// Counters of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Connections there are.
    pub connections: u32,
    /// Half-open ones among them.
    pub embryonic: u32,
    /// Connections refused because of a limit.
    pub refused: u64,
    /// SYNs that the box answered in the server's stead.
    pub answered: u64,
    /// Probes sent to the side that opened the connection.
    pub client_probes: u64,
    /// Probes sent to the other side.
    pub server_probes: u64,
    /// Connections that ended because a probe was not answered.
    pub expired: u64,
}

/// A limit of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionLimit {
    /// Connections of the class.
    Connections,
    /// Half-open connections of the class.
    Embryonic,
    /// Connections of one client.
    ClientConnections,
    /// Half-open connections of one client.
    ClientEmbryonic,
}

/// How many limits there are.
pub(crate) const LIMITS: usize = 4;
/// How often a limit is told.
const LIMIT_EVERY: Duration = Duration::from_secs(1);

/// What may happen to a connection that the rules allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is opened.
    Open,
    /// Its SYN is answered with a cookie; the server learns of it later.
    Cookie,
}

/// The counters of the classes in force.
#[derive(Default)]
pub(crate) struct Classes {
    pub(crate) counts: Vec<ClassCounts>,
    pub(crate) ticks: Vec<ClassTicks>,
    /// Whether any class has its TCP unchecked.
    pub(crate) may_bypass: bool,
}

impl Classes {
    fn new(policy: &Policy) -> Self {
        let settings =
            |class: &super::settings::ConnectionClass| class.settings.unwrap_or_default();
        Self {
            counts: alloc::vec![ClassCounts::default(); policy.connections.len()],
            ticks: policy
                .connections
                .iter()
                .map(|class| ClassTicks::new(&settings(class)))
                .collect(),
            may_bypass: policy
                .connections
                .iter()
                .any(|class| class.checks == Some(super::settings::TcpChecks::Bypass)),
        }
    }

    pub(crate) fn count_mut(&mut self, class: u16) -> Option<&mut ClassCounts> {
        self.counts.get_mut(usize::from(class))
    }
}

/// A client with connections in a class.
#[derive(Clone, Copy)]
struct Client {
    address: Ipv4Addr,
    class: u16,
    next_free: u16,
    connections: u32,
    embryonic: u32,
}

/// The clients. Sized once.
pub(crate) struct Clients {
    clients: Vec<Client>,
    index: Buckets,
    key: HashKey,
    free: u16,
}

impl Clients {
    /// Records for clients in a box of `flows` flows.
    pub(crate) const fn capacity(flows: u32) -> u16 {
        let wanted = flows / 4 + 1;
        if wanted < NO_CLIENT as u32 {
            wanted as u16
        } else {
            NO_CLIENT - 1
        }
    }

    /// Bytes that the table takes.
    pub(crate) const fn memory_bytes(flows: u32) -> usize {
        let capacity = Self::capacity(flows) as usize;
        capacity * size_of::<Client>() + Buckets::memory_bytes(capacity)
    }

    pub(crate) fn new(flows: u32, key: HashKey) -> Self {
        let capacity = Self::capacity(flows);
        let clients = (1..=capacity)
            .map(|next| Client {
                address: Ipv4Addr::UNSPECIFIED,
                class: NO_CLASS,
                next_free: if next < capacity { next } else { NO_CLIENT },
                connections: 0,
                embryonic: 0,
            })
            .collect();
        Self {
            clients,
            index: Buckets::new(usize::from(capacity)),
            key,
            free: 0,
        }
    }

    fn hash(&self, class: u16, address: Ipv4Addr) -> u64 {
        self.key
            .hash(u64::from(address.to_bits()), u64::from(class))
    }

    fn find(&self, class: u16, address: Ipv4Addr) -> Option<u16> {
        let found = self.index.find(self.hash(class, address), |place| {
            self.clients
                .get(place as usize)
                .is_some_and(|client| client.address == address && client.class == class)
        })?;
        u16::try_from(found).ok()
    }

    /// The record of a client, made if there is none; `None` if the table is full.
    fn enter(&mut self, class: u16, address: Ipv4Addr) -> Option<u16> {
        if let Some(place) = self.find(class, address) {
            return Some(place);
        }
        let place = self.free;
        let hash = self.hash(class, address);
        let client = self.clients.get_mut(usize::from(place))?;
        if !self.index.insert(hash, u32::from(place)) {
            return None;
        }
        self.free = client.next_free;
        *client = Client {
            address,
            class,
            next_free: NO_CLIENT,
            connections: 0,
            embryonic: 0,
        };
        Some(place)
    }

    fn get(&self, place: u16) -> Option<&Client> {
        self.clients.get(usize::from(place))
    }

    fn get_mut(&mut self, place: u16) -> Option<&mut Client> {
        self.clients.get_mut(usize::from(place))
    }

    /// Takes a connection off a client, and the record out with the last one.
    fn leave(&mut self, place: u16, was_embryonic: bool) {
        let Some(client) = self.clients.get_mut(usize::from(place)) else {
            return;
        };
        client.connections = client.connections.saturating_sub(1);
        client.embryonic = client.embryonic.saturating_sub(u32::from(was_embryonic));
        if client.connections == 0 {
            self.release(place);
        }
    }

    /// Frees a record that nothing counts in.
    fn release(&mut self, place: u16) {
        let Some(client) = self.clients.get(usize::from(place)).copied() else {
            return;
        };
        let hash = self.hash(client.class, client.address);
        self.index.remove(hash, u32::from(place));
        let free = self.free;
        if let Some(client) = self.clients.get_mut(usize::from(place)) {
            client.class = NO_CLASS;
            client.next_free = free;
            self.free = place;
        }
    }

    /// Records in use.
    #[cfg(test)]
    pub(crate) fn in_use(&self) -> usize {
        self.clients
            .iter()
            .filter(|client| client.class != NO_CLASS)
            .count()
    }

    /// Forgets everybody; the caller counts anew.
    fn clear(&mut self) {
        for place in 0..Self::capacity_of(&self.clients) {
            if self
                .get_mut(place)
                .is_some_and(|client| client.class != NO_CLASS)
            {
                self.release(place);
            }
        }
    }

    fn capacity_of(clients: &[Client]) -> u16 {
        u16::try_from(clients.len()).unwrap_or(NO_CLIENT)
    }
}

const fn limits_clients(settings: &ConnectionSettings) -> bool {
    settings.most_per_client != 0 || settings.most_embryonic_per_client != 0
}

/// What the limits say to one connection more.
enum Judgement {
    /// Nothing.
    Open,
    /// Its client cannot be counted.
    ClientTableFull,
    /// This limit, what it is, and what is counted against it.
    Reached(ConnectionLimit, u32, u32),
}

impl Judgement {
    const fn admission(&self, may_answer: bool) -> Result<Admission, DropReason> {
        match self {
            Self::Open => Ok(Admission::Open),
            Self::ClientTableFull => Err(DropReason::ClientTableFull),
            Self::Reached(ConnectionLimit::Embryonic | ConnectionLimit::ClientEmbryonic, ..)
                if may_answer =>
            {
                Ok(Admission::Cookie)
            }
            Self::Reached(..) => Err(DropReason::ConnLimit),
        }
    }
}

impl DataPlane {
    /// Whether the limits let in a connection that the rules allow. `headers` are those of its first
    /// packet; `may_answer` is whether the box can answer for the server.
    ///
    /// # Errors
    /// The limit that stands against it, counted in its class.
    pub(crate) fn admit(
        &mut self,
        settings: FlowSettings,
        port: PortId,
        headers: &Headers,
        may_answer: bool,
        now: Instant,
    ) -> Result<Admission, DropReason> {
        let judgement = self.judge_limits(settings, headers);
        if let Judgement::Reached(limit, most, count) = judgement {
            self.tell_limit(limit, most, count, port, headers, now);
        }
        let admission = judgement.admission(may_answer);
        if admission.is_err() {
            self.count_refused(settings.class);
        }
        admission
    }

    /// As [`admit`](Self::admit), telling and counting nothing.
    ///
    /// # Errors
    /// The limit that would stand against it.
    pub(crate) fn would_admit(
        &self,
        settings: FlowSettings,
        headers: &Headers,
        may_answer: bool,
    ) -> Result<Admission, DropReason> {
        self.judge_limits(settings, headers).admission(may_answer)
    }

    fn judge_limits(&self, settings: FlowSettings, headers: &Headers) -> Judgement {
        let Some(limits) = self.class_settings(settings.class).copied() else {
            return Judgement::Open;
        };
        let of_class = self.class_counts(usize::from(settings.class));
        let (mut connections, mut embryonic) = (0, 0);
        if limits_clients(&limits) {
            match self.clients.find(settings.class, headers.tuple.source) {
                Some(place) => {
                    if let Some(client) = self.clients.get(place) {
                        (connections, embryonic) = (client.connections, client.embryonic);
                    }
                }
                None if self.clients.free == NO_CLIENT => return Judgement::ClientTableFull,
                None => {}
            }
        }
        let is_tcp = headers.protocol == PROTOCOL_TCP;
        let embryonic_limits = [
            (
                ConnectionLimit::Embryonic,
                limits.most_embryonic,
                of_class.embryonic,
            ),
            (
                ConnectionLimit::ClientEmbryonic,
                limits.most_embryonic_per_client,
                embryonic,
            ),
        ];
        // Those that refuse stand before those that make the box answer for the server.
        [
            (
                ConnectionLimit::Connections,
                limits.most,
                of_class.connections,
            ),
            (
                ConnectionLimit::ClientConnections,
                limits.most_per_client,
                connections,
            ),
        ]
        .into_iter()
        .chain(embryonic_limits.into_iter().filter(|_| is_tcp))
        .find(|&(_, limit, count)| limit != 0 && count >= limit)
        .map_or(Judgement::Open, |(limit, most, count)| {
            Judgement::Reached(limit, most, count)
        })
    }

    /// Tells that a limit stands against a packet: each limit once a second, because a flood is what
    /// it is there for.
    fn tell_limit(
        &mut self,
        limit: ConnectionLimit,
        most: u32,
        count: u32,
        port: PortId,
        headers: &Headers,
        now: Instant,
    ) {
        let Some(again) = self.limit_told_again.get_mut(limit as usize) else {
            return;
        };
        if now < *again {
            return;
        }
        *again = now + LIMIT_EVERY;
        self.tell(EventKind::LimitReached, |_| Event::LimitReached {
            limit,
            count,
            most,
            packet: facts(port, headers, 0, &Seen::default()),
        });
    }

    fn count_refused(&mut self, class: u16) {
        if let Some(counts) = self.classes.count_mut(class) {
            counts.refused += 1;
        }
    }

    /// Counts the flow at `index`, which was just made.
    pub(crate) fn count_opened(&mut self, index: u32) {
        let Some(flow) = self.flows.get_mut(index) else {
            return;
        };
        let Some(counts) = self.classes.count_mut(flow.class) else {
            return;
        };
        let is_embryonic = is_embryonic(flow);
        counts.connections += 1;
        counts.embryonic += u32::from(is_embryonic);
        if is_embryonic {
            flow.marks.set(Marks::EMBRYONIC);
        }
        let (class, address) = (flow.class, flow.tuples[0].source);
        let counts_clients = self.class_settings(class).is_some_and(limits_clients);
        if !counts_clients {
            return;
        }
        // Room was found before the flow was made.
        let Some(place) = self.clients.enter(class, address) else {
            return;
        };
        if let Some(client) = self.clients.get_mut(place) {
            client.connections += 1;
            client.embryonic += u32::from(is_embryonic);
        }
        if let Some(flow) = self.flows.get_mut(index) {
            flow.client = place;
        }
    }

    /// Notes that the handshake of a flow is complete, if that was counted.
    pub(crate) fn count_established(&mut self, index: u32) {
        let Some(flow) = self.flows.get_mut(index) else {
            return;
        };
        if !flow.marks.has(Marks::EMBRYONIC) || is_embryonic(flow) {
            return;
        }
        flow.marks.clear(Marks::EMBRYONIC);
        if let Some(counts) = self.classes.count_mut(flow.class) {
            counts.embryonic = counts.embryonic.saturating_sub(1);
        }
        if let Some(client) = self.clients.get_mut(flow.client) {
            client.embryonic = client.embryonic.saturating_sub(1);
        }
    }

    /// Takes a flow off the counts.
    pub(crate) fn count_ended(&mut self, flow: &Flow) {
        let was_embryonic = flow.marks.has(Marks::EMBRYONIC);
        if let Some(counts) = self.classes.count_mut(flow.class) {
            counts.connections = counts.connections.saturating_sub(1);
            counts.embryonic = counts.embryonic.saturating_sub(u32::from(was_embryonic));
        }
        if flow.client != NO_CLIENT {
            self.clients.leave(flow.client, was_embryonic);
        }
    }

    /// Makes the counters of the policy in force, after `before`: flows stay in their class if it
    /// is still there, and are in none if not.
    pub(crate) fn renew_classes(&mut self, before: &Policy) {
        self.normalizers = super::normalize::compile(&self.policy.tcp_maps);
        let mut classes = Classes::new(&self.policy);
        if before.connections.is_empty() && self.policy.connections.is_empty() {
            self.classes = classes;
            return;
        }
        let places: Vec<u16> = before
            .connections
            .iter()
            .map(|old| {
                let place = self.policy.connections.iter().position(|new| {
                    (&new.name, new.port) == (&old.name, old.port) && new.settings.is_some()
                });
                place
                    .and_then(|place| u16::try_from(place).ok())
                    .unwrap_or(NO_CLASS)
            })
            .collect();
        for (old, &place) in self.classes.counts.iter().zip(&places) {
            if let Some(counts) = classes.count_mut(place) {
                *counts = ClassCounts {
                    connections: 0,
                    embryonic: 0,
                    ..*old
                };
            }
        }
        self.classes = classes;
        self.clients.clear();
        for index in 0..self.flows.capacity() {
            let Some(flow) = self.flows.get_mut(index) else {
                continue;
            };
            if flow.state == State::Free {
                continue;
            }
            flow.class = places
                .get(usize::from(flow.class))
                .copied()
                .unwrap_or(NO_CLASS);
            flow.client = NO_CLIENT;
            flow.marks.clear(Marks::EMBRYONIC);
            // Maps go by number, and may be others now; a bypassed flow stays so.
            if flow.normalizer != super::settings::BYPASS {
                flow.normalizer = renumbered(before, &self.policy, flow.normalizer);
            }
            self.count_opened(index);
        }
    }

    /// The counters of a class: its place in [`Policy::connections`](crate::Policy::connections).
    #[must_use]
    pub fn class_counts(&self, class: usize) -> ClassCounts {
        self.classes.counts.get(class).copied().unwrap_or_default()
    }
}

/// The number in `after` of the TCP map that had `number` in `before`; the default's if it is gone.
fn renumbered(before: &Policy, after: &Policy, number: u8) -> u8 {
    let old = usize::from(number)
        .checked_sub(1)
        .and_then(|place| before.tcp_maps.get(place));
    let place = old.and_then(|old| after.tcp_maps.iter().position(|new| new.name == old.name));
    place
        .and_then(|place| u8::try_from(place + 1).ok())
        .unwrap_or(0)
}

fn is_embryonic(flow: &Flow) -> bool {
    matches!(
        flow.state,
        State::SynSent | State::SynReceived | State::Spliced
    )
}

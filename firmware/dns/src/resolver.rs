//! The resolver: names that are followed, questions under way, and what came of them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::ops::RangeInclusive;
use core::time::Duration;

use hal::entropy::Entropy;
use hal::time::Instant;

use crate::counters::{Counters, Refused};
use crate::entry::{Address, Entry};
use crate::message::{Answer, Kind, Question, SERVER_PORT};
use crate::name::HostName;
use crate::settings::Settings;

/// Names followed at once; one followed for both kinds of addresses counts twice.
pub const NAMES_MAX: usize = 256;
/// Questions under way at once. The others wait.
pub const IN_FLIGHT_MAX: usize = 16;
/// Ports that questions are sent from, and answers accepted at.
pub const SOURCE_PORTS: RangeInclusive<u16> = 49_152..=65_023;
/// The wait for an answer stops doubling here.
const TIMEOUT_MAX: Duration = Duration::from_secs(120);

type Key = (HostName, Kind);

/// [`NAMES_MAX`] names are followed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyNames;

/// A datagram to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The server; its port is [`SERVER_PORT`].
    pub server: Ipv4Addr,
    /// One of [`SOURCE_PORTS`].
    pub source_port: u16,
    /// The message.
    pub payload: Vec<u8>,
}

/// How it stands with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State<'a> {
    /// No answer yet, or none any more.
    Unresolved,
    /// The servers say that there is nothing.
    Absent,
    /// Its addresses, never none.
    Resolved(&'a [Address]),
}

#[derive(Debug)]
struct InFlight {
    key: Key,
    question: Question,
    server: Ipv4Addr,
    source_port: u16,
    deadline: Instant,
    /// Which of the servers was asked, and in which round.
    place: Place,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    ToBeSent,
    Sent,
    /// The server said that it cannot help.
    GivenUp,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    server: usize,
    round: u8,
}

/// A caching resolver; see the [crate](crate) for how it is driven.
#[derive(Debug, Default)]
pub struct Resolver {
    settings: Settings,
    names: BTreeMap<Key, Entry>,
    in_flight: Vec<InFlight>,
    changed: BTreeSet<Key>,
    counters: Counters,
}

impl Resolver {
    /// Sets servers and times. Questions under way are given up and asked anew.
    pub fn set(&mut self, settings: Settings, now: Instant) {
        if self.settings == settings {
            return;
        }
        self.settings = settings;
        for question in self.in_flight.drain(..) {
            if let Some(entry) = self.names.get_mut(&question.key) {
                entry.ask_at = now;
            }
        }
        for entry in self.names.values_mut() {
            // What a server did not know, another may; and a shorter `poll` holds at once.
            let latest = if entry.addresses().is_empty() {
                now
            } else {
                now + self.settings.poll
            };
            entry.ask_at = entry.ask_at.min(latest);
        }
    }

    /// Follows a name from now on; one that is followed already stays as it is.
    ///
    /// # Errors
    /// [`TooManyNames`]; nothing has changed.
    pub fn follow(&mut self, name: HostName, kind: Kind, now: Instant) -> Result<(), TooManyNames> {
        let key = (name, kind);
        if self.names.contains_key(&key) {
            return Ok(());
        }
        if self.names.len() >= NAMES_MAX {
            return Err(TooManyNames);
        }
        self.names.insert(key, Entry::new(now));
        Ok(())
    }

    /// Follows only the names that `keep` wants, and forgets the others.
    pub fn retain(&mut self, mut keep: impl FnMut(&HostName, Kind) -> bool) {
        self.names.retain(|(name, kind), _| keep(name, *kind));
        let names = &self.names;
        self.in_flight
            .retain(|question| names.contains_key(&question.key));
        self.changed.retain(|key| names.contains_key(key));
    }

    /// Forgets every address, and asks for all names anew.
    pub fn clear(&mut self, now: Instant) {
        self.in_flight.clear();
        for (key, entry) in &mut self.names {
            if !entry.addresses().is_empty() {
                self.changed.insert(key.clone());
            }
            *entry = Entry::new(now);
        }
    }

    /// How it stands with a name; `None` if it is not followed.
    #[must_use]
    pub fn state(&self, name: &HostName, kind: Kind) -> Option<State<'_>> {
        let entry = self.names.get(&(name.clone(), kind))?;
        Some(state(entry))
    }

    /// Every name that is followed, in order, and how it stands with it.
    pub fn names(&self) -> impl Iterator<Item = (&HostName, Kind, State<'_>)> {
        self.names
            .iter()
            .map(|((name, kind), entry)| (name, *kind, state(entry)))
    }

    /// What happened since the start.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Whether a datagram for this port of the box is for the resolver.
    #[must_use]
    pub fn is_asking_from(&self, port: u16) -> bool {
        self.in_flight
            .iter()
            .any(|question| question.source_port == port)
    }

    /// Takes in a datagram that came from `source` for `port` of the box.
    ///
    /// # Errors
    /// Why it is not used; counted. A question it seems to be about goes on.
    pub fn handle_datagram(
        &mut self,
        source: (IpAddr, u16),
        port: u16,
        payload: &[u8],
        now: Instant,
    ) -> Result<(), Refused> {
        let (at, answer) = self
            .accept(source, port, payload)
            .inspect_err(|reason| self.counters.count(*reason))?;
        match answer {
            Answer::Failed(_) => {
                self.counters.server_failures = self.counters.server_failures.saturating_add(1);
                self.give_up_server(at, now);
            }
            Answer::Truncated => {
                self.counters.truncated = self.counters.truncated.saturating_add(1);
                self.give_up_server(at, now);
            }
            Answer::None(ttl) => {
                self.counters.absent = self.counters.absent.saturating_add(1);
                let question = self.in_flight.swap_remove(at);
                if let Some(entry) = self.names.get_mut(&question.key) {
                    entry.absent(ttl, &self.settings, now);
                }
            }
            Answer::Addresses {
                addresses,
                ttl,
                left_out,
            } => {
                self.counters.resolved = self.counters.resolved.saturating_add(1);
                let question = self.in_flight.swap_remove(at);
                if let Some(entry) = self.names.get_mut(&question.key) {
                    // Those whose time is over make room first.
                    let is_expired = entry.expire(now);
                    let update = entry.resolved(&addresses, ttl, &self.settings, now);
                    let left_out = left_out.saturating_add(update.left_out);
                    self.counters.addresses_left_out = self
                        .counters
                        .addresses_left_out
                        .saturating_add(u64::from(left_out));
                    if is_expired || update.is_changed {
                        self.changed.insert(question.key);
                    }
                }
            }
        }
        Ok(())
    }

    /// Which question a datagram answers, and how.
    fn accept(
        &self,
        source: (IpAddr, u16),
        port: u16,
        payload: &[u8],
    ) -> Result<(usize, Answer), Refused> {
        let is_asked = |asked: &InFlight| asked.stage == Stage::Sent && asked.source_port == port;
        let at = self.in_flight.iter().position(is_asked);
        let (at, asked) = at
            .and_then(|at| Some((at, self.in_flight.get(at)?)))
            .ok_or(Refused::Unasked)?;
        if source != (asked.server.into(), SERVER_PORT) {
            return Err(Refused::Server);
        }
        if !payload.starts_with(&asked.question.id.to_be_bytes()) {
            return Err(Refused::Identifier);
        }
        if !asked.question.is_repeated_in(payload) {
            return Err(Refused::Question);
        }
        let answer = asked.question.read(payload).map_err(Refused::Malformed)?;
        Ok((at, answer))
    }

    /// Leaves out addresses whose time is over, goes on to the next server where one did not answer,
    /// and asks for the names whose turn it is.
    pub fn handle_timeout(&mut self, entropy: &mut dyn Entropy, now: Instant) {
        for (key, entry) in &mut self.names {
            if entry.expire(now) {
                self.changed.insert(key.clone());
            }
        }
        // From the last to the first, as a question that is given up leaves the list.
        for at in (0..self.in_flight.len()).rev() {
            let Some(question) = self.in_flight.get(at) else {
                continue;
            };
            if question.deadline > now {
                continue;
            }
            if question.stage != Stage::GivenUp {
                self.counters.timeouts = self.counters.timeouts.saturating_add(1);
            }
            let InFlight { key, place, .. } = self.in_flight.swap_remove(at);
            match self.next_place(place) {
                Some(next) => self.ask(key, next, entropy, now),
                None => {
                    self.counters.failed = self.counters.failed.saturating_add(1);
                    if let Some(entry) = self.names.get_mut(&key) {
                        entry.failed(&self.settings, now);
                    }
                }
            }
        }
        self.ask_due(entropy, now);
    }

    /// The next moment at which [`handle_timeout`](Self::handle_timeout) has something to do.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let answers = self.in_flight.iter().map(|question| question.deadline);
        let expiries = self.names.values().filter_map(Entry::expires_at);
        let can_ask = self.in_flight.len() < IN_FLIGHT_MAX && !self.settings.servers.is_empty();
        let questions = self
            .names
            .iter()
            .filter(|(key, _)| can_ask && !self.is_asked(key))
            .map(|(_, entry)| entry.ask_at);
        answers.chain(expiries).chain(questions).min()
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        let next = self
            .in_flight
            .iter_mut()
            .find(|question| question.stage == Stage::ToBeSent)?;
        next.stage = Stage::Sent;
        self.counters.sent = self.counters.sent.saturating_add(1);
        Some(Transmit {
            server: next.server,
            source_port: next.source_port,
            payload: next.question.message(),
        })
    }

    /// The next name whose addresses are others than when it was last given here.
    pub fn poll_change(&mut self) -> Option<(HostName, Kind)> {
        self.changed.pop_first()
    }

    fn is_asked(&self, key: &Key) -> bool {
        self.in_flight.iter().any(|question| question.key == *key)
    }

    /// Asks for the names that have waited longest, while there is room.
    fn ask_due(&mut self, entropy: &mut dyn Entropy, now: Instant) {
        while self.in_flight.len() < IN_FLIGHT_MAX {
            let due = self
                .names
                .iter()
                .filter(|(key, entry)| entry.ask_at <= now && !self.is_asked(key))
                .min_by_key(|(_, entry)| entry.ask_at);
            let Some((key, _)) = due else {
                return;
            };
            if self.settings.servers.is_empty() {
                return;
            }
            let key = key.clone();
            self.ask(key, Place::default(), entropy, now);
        }
    }

    /// Puts a question under way, with a new identifier, port and mixture of letters.
    ///
    /// From the second round on the name is sent as it is, for servers that answer in small letters
    /// whatever they were asked.
    fn ask(&mut self, key: Key, place: Place, entropy: &mut dyn Entropy, now: Instant) {
        let Some(&server) = self.settings.servers.get(place.server) else {
            return;
        };
        let mut random = [0; 4];
        entropy.fill(&mut random);
        let [id_high, id_low, port_high, port_low] = random;
        let mut number = u16::from_be_bytes([port_high, port_low]);
        // Ends: there are more ports than questions.
        while self.is_asking_from(port_from(number)) {
            number = number.wrapping_add(1);
        }
        let mut letters = [0; 32];
        if place.round == 0 {
            entropy.fill(&mut letters);
        }
        // A bit for each letter; a name has at most 253.
        let mut bits = letters
            .iter()
            .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
        let (name, kind) = &key;
        let id = u16::from_be_bytes([id_high, id_low]);
        let question = Question::new(id, name, *kind, || bits.next().unwrap_or(false));
        let doubled = 1_u32.checked_shl(place.round.into()).unwrap_or(u32::MAX);
        let wait = self
            .settings
            .timeout
            .saturating_mul(doubled)
            .min(TIMEOUT_MAX);
        self.in_flight.push(InFlight {
            key,
            question,
            server,
            source_port: port_from(number),
            deadline: now + wait,
            place,
            stage: Stage::ToBeSent,
        });
    }

    /// The server after this place, or the first one again, or none if all rounds are over.
    fn next_place(&self, place: Place) -> Option<Place> {
        let server = place.server.saturating_add(1);
        if server < self.settings.servers.len() {
            return Some(Place { server, ..place });
        }
        let round = place.round.checked_add(1)?;
        (round <= self.settings.retries).then_some(Place { server: 0, round })
    }

    /// The server asked cannot help: the next one's turn comes with the next
    /// [`handle_timeout`](Self::handle_timeout), which is due at once.
    fn give_up_server(&mut self, at: usize, now: Instant) {
        if let Some(question) = self.in_flight.get_mut(at) {
            question.deadline = now;
            question.stage = Stage::GivenUp;
        }
    }
}

fn state(entry: &Entry) -> State<'_> {
    match entry.addresses() {
        [] if entry.is_absent => State::Absent,
        [] => State::Unresolved,
        addresses => State::Resolved(addresses),
    }
}

/// One of [`SOURCE_PORTS`] for any number.
fn port_from(number: u16) -> u16 {
    let (first, last) = (*SOURCE_PORTS.start(), *SOURCE_PORTS.end());
    let ports = last.saturating_sub(first).saturating_add(1);
    first.saturating_add(number.checked_rem(ports).unwrap_or(0))
}

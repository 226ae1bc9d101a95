//! The `log` option of access-list elements: what a rule has decided is told at the first hit of a
//! flow, and after that as a count for each interval (106100).
//!
//! A flow here is an element with the addresses and ports of the packets that hit it. It is forgotten
//! after an interval without a hit. There is room for a fixed number; when that is taken, refused
//! packets of further flows are not told, only that there are too many (106101), and permitted ones
//! are told each by itself.

use alloc::vec::Vec;
use core::time::Duration;

use hal::time::Instant;

use crate::buckets::Buckets;
use crate::engine::DataPlane;
use crate::event::{Event, EventKind, PacketFacts};
use crate::flow::NONE;
use crate::hash::HashKey;
use crate::policy::{AceLog, AclId, Action, PortId};
use crate::tell::{Seen, facts};
use crate::wheel::{Tick, Wheel, tick_of, ticks};
use crate::wire::Headers;

/// Flows that may be remembered: what the ASA allows of refused ones (`deny-flow-max`).
const FLOWS_MAX: u32 = 4096;
/// How often it is told that there are too many (`alert-interval`).
const ALERT_INTERVAL: Duration = Duration::from_secs(300);

/// A flow and its hits.
#[derive(Clone, Copy, Debug)]
struct Entry {
    acl: AclId,
    element: u32,
    action: Action,
    packet: PacketFacts,
    interval_secs: u16,
    /// Since the last report.
    hits: u32,
    /// Whether its first interval goes on, whose first hit was told already.
    is_first: bool,
    is_live: bool,
    next_free: u32,
}

impl Entry {
    fn event(&self, hits: u32, interval_secs: Option<u16>) -> Event {
        Event::AccessLogged {
            acl: self.acl,
            element: self.element,
            action: self.action,
            packet: self.packet,
            hits,
            interval_secs,
        }
    }

    fn is_of(&self, other: &Self) -> bool {
        self.acl == other.acl
            && self.element == other.element
            && self.packet.ingress == other.packet.ingress
            && self.packet.protocol == other.packet.protocol
            && self.packet.tuple == other.packet.tuple
    }

    /// The hits that were not told yet.
    const fn untold(&self) -> u32 {
        if self.is_first && self.hits == 1 {
            0
        } else {
            self.hits
        }
    }
}

/// The flows.
pub(crate) struct AccessLog {
    entries: Vec<Entry>,
    index: Buckets,
    timers: Wheel,
    key: HashKey,
    free: u32,
    total: u32,
    denied: u32,
    alert_again: Tick,
}

impl AccessLog {
    pub(crate) fn new(key: HashKey) -> Self {
        Self {
            entries: Vec::with_capacity(FLOWS_MAX as usize),
            index: Buckets::new(FLOWS_MAX as usize),
            timers: Wheel::new(FLOWS_MAX as usize),
            key,
            free: NONE,
            total: 0,
            denied: 0,
            alert_again: 0,
        }
    }

    /// Bytes that the table takes.
    pub(crate) const fn memory_bytes() -> usize {
        FLOWS_MAX as usize * (size_of::<Entry>() + Wheel::ENTRY_BYTES)
            + Buckets::memory_bytes(FLOWS_MAX as usize)
    }

    fn hash(&self, entry: &Entry) -> u64 {
        let tuple = &entry.packet.tuple;
        let addresses =
            u64::from(tuple.source.to_bits()) << 32 | u64::from(tuple.destination.to_bits());
        let ports = u64::from(tuple.source_port) << 48 | u64::from(tuple.destination_port) << 32;
        let rule = u64::from(entry.acl.0) << 16 ^ u64::from(entry.element);
        self.key.hash(addresses, ports | rule & 0xffff_ffff)
    }

    /// Counts a hit. Returns what is to be told of it at once.
    fn hit(&mut self, new: Entry, now: Tick) -> Option<Event> {
        let hash = self.hash(&new);
        let found = self.index.find(hash, |index| {
            let entry = self.entries.get(index as usize);
            entry.is_some_and(|entry| entry.is_live && entry.is_of(&new))
        });
        if let Some(entry) = found.and_then(|index| self.entries.get_mut(index as usize)) {
            entry.hits = entry.hits.saturating_add(1);
            return None;
        }
        if self.add(new, hash, now) || new.action == Action::Permit {
            return Some(new.event(1, None));
        }
        (now >= self.alert_again).then(|| {
            self.alert_again = now.saturating_add(ticks(ALERT_INTERVAL));
            Event::DenyFlowsFull { limit: FLOWS_MAX }
        })
    }

    fn add(&mut self, new: Entry, hash: u64, now: Tick) -> bool {
        let index = match self.entries.get(self.free as usize) {
            Some(_) => self.free,
            None if self.total < FLOWS_MAX => self.total,
            None => return false,
        };
        if !self.index.insert(hash, index) {
            return false;
        }
        match self.entries.get_mut(index as usize) {
            Some(entry) => {
                self.free = entry.next_free;
                *entry = new;
            }
            None => self.entries.push(new),
        }
        self.total += 1;
        self.denied += u32::from(new.action == Action::Deny);
        self.timers
            .set(index, now.saturating_add(interval(new.interval_secs)));
        true
    }

    fn remove(&mut self, index: u32) {
        let Some(&entry) = self.entries.get(index as usize) else {
            return;
        };
        if !entry.is_live {
            return;
        }
        self.index.remove(self.hash(&entry), index);
        self.timers.cancel(index);
        self.total -= 1;
        self.denied -= u32::from(entry.action == Action::Deny);
        if let Some(entry) = self.entries.get_mut(index as usize) {
            entry.is_live = false;
            entry.next_free = self.free;
        }
        self.free = index;
    }

    /// Ends intervals that are over; what they have to tell goes to `tell`.
    pub(crate) fn run_due(&mut self, now: Tick, mut tell: impl FnMut(Event)) {
        while let Some(index) = self.timers.pop_due(now) {
            let Some(entry) = self.entries.get_mut(index as usize) else {
                continue;
            };
            let untold = entry.untold();
            if untold == 0 {
                self.remove(index);
                continue;
            }
            tell(entry.event(untold, Some(entry.interval_secs)));
            entry.hits = 0;
            entry.is_first = false;
            let again = now.saturating_add(interval(entry.interval_secs));
            self.timers.set(index, again);
        }
    }

    /// When [`run_due`](Self::run_due) has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Tick> {
        self.timers.next()
    }

    /// Forgets every flow; what was not told yet goes to `tell`.
    fn clear(&mut self, mut tell: impl FnMut(Event)) {
        for index in 0..self.entries.len() as u32 {
            let entry = self.entries.get(index as usize);
            if let Some(entry) = entry.filter(|entry| entry.is_live && entry.untold() > 0) {
                tell(entry.event(entry.untold(), Some(entry.interval_secs)));
            }
            self.remove(index);
        }
    }
}

fn interval(secs: u16) -> Tick {
    ticks(Duration::from_secs(u64::from(secs)))
}

impl DataPlane {
    /// Notes the elements with the `log` option that decided about a packet.
    pub(crate) fn log_access(
        &mut self,
        port: PortId,
        headers: &Headers,
        icmp_code: u8,
        seen: &Seen,
        now: Instant,
    ) {
        if !self.events.wants(EventKind::AccessLogged) {
            return;
        }
        for &(acl, element) in &seen.hits.0 {
            let list = self.policy.access_lists.get(usize::from(acl.0));
            let Some(rule) = list.and_then(|list| list.elements.get(element)) else {
                continue;
            };
            let AceLog::Flows { interval_secs, .. } = rule.log else {
                continue;
            };
            let entry = Entry {
                acl,
                element: u32::try_from(element).unwrap_or(u32::MAX),
                action: rule.action,
                packet: facts(port, headers, icmp_code, seen),
                interval_secs,
                hits: 1,
                is_first: true,
                is_live: true,
                next_free: NONE,
            };
            if let Some(event) = self.access_log.hit(entry, tick_of(now)) {
                self.push_event(event);
            }
        }
    }

    /// Tells the hits that were not told yet and begins anew: to be called before a policy with other
    /// access lists.
    pub fn end_access_log(&mut self) {
        self.access_log.clear(|event| self.events.push(event));
    }

    /// Flows whose hits are counted for the log option, and how many of them are refused.
    #[must_use]
    pub fn access_log_usage(&self) -> (u32, u32) {
        (self.access_log.total, self.access_log.denied)
    }
}

//! Protocols, ports and ICMP types as steps over one line of keys.
//!
//! A key is the protocol with the destination port behind it, or with the ICMP type and code:
//! 24 bits. Every service without a condition on the source port is one or two ranges of keys
//! (`neq` is two, `ip` is the whole line). Over the elements of one pair of prefixes the line is cut
//! into stretches, and for each the first element is known: finding it is halving, however many
//! elements there are. Services with a condition on the source port only get a line of their own,
//! of protocol and source port. What has a condition on both ports is left to be tried one by one.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::linear::matches_service;
use super::{Candidate, NONE};
use crate::policy::{Ace, PortMatch, Service};
use crate::wire::{PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP};

/// The highest key.
const LAST_KEY: u32 = 0x00ff_ffff;

/// What a packet is looked up by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    destination: u32,
    source: u32,
}

impl Keys {
    pub(super) fn new(candidate: &Candidate) -> Self {
        let (destination, source) = match candidate.protocol {
            PROTOCOL_TCP | PROTOCOL_UDP => (candidate.destination_port, candidate.source_port),
            PROTOCOL_ICMP => (icmp_key(candidate.icmp_kind, candidate.icmp_code), 0),
            _ => (0, 0),
        };
        Self {
            destination: key(candidate.protocol, destination),
            source: key(candidate.protocol, source),
        }
    }
}

const fn key(protocol: u8, low: u16) -> u32 {
    (protocol as u32) << 16 | low as u32
}

const fn icmp_key(kind: u8, code: u8) -> u16 {
    u16::from_be_bytes([kind, code])
}

/// The services of one pair of prefixes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ServiceTable {
    by_destination: Steps,
    by_source: Steps,
    /// Elements with a condition on both ports, in order.
    others: Vec<u32>,
}

impl ServiceTable {
    /// Most bytes that a table of `elements` takes: two ranges each, with two ends.
    pub(super) const fn bytes_at_most(elements: usize) -> usize {
        let ends = elements.saturating_mul(4).saturating_add(2);
        size_of::<Self>().saturating_add(ends.saturating_mul(2 * size_of::<u32>()))
    }

    /// The table of `members`, which are places in `elements` in ascending order.
    pub(super) fn new(members: &[u32], elements: &[Ace]) -> Self {
        let (mut by_destination, mut by_source) = (Vec::new(), Vec::new());
        let mut others = Vec::new();
        for &member in members {
            let Some(element) = elements.get(member as usize) else {
                continue;
            };
            match line(&element.service) {
                Line::Destination(ranges) => add(&mut by_destination, ranges, member),
                Line::Source(ranges) => add(&mut by_source, ranges, member),
                Line::None => others.push(member),
            }
        }
        others.shrink_to_fit();
        Self {
            by_destination: Steps::new(by_destination),
            by_source: Steps::new(by_source),
            others,
        }
    }

    /// The first element that matches, or [`NONE`]. Elements from `before` on are of no interest.
    pub(super) fn first(
        &self,
        elements: &[Ace],
        candidate: &Candidate,
        keys: Keys,
        before: u32,
    ) -> u32 {
        let found = self.by_destination.find(keys.destination);
        let found = found.min(self.by_source.find(keys.source));
        first_of(&self.others, elements, candidate, found.min(before)).min(found)
    }

    /// Bytes taken, without those of the table itself.
    pub(super) fn bytes(&self) -> usize {
        self.by_destination.bytes()
            + self.by_source.bytes()
            + self.others.capacity() * size_of::<u32>()
    }
}

/// The first of `members` whose service matches, or [`NONE`]; those from `before` on are not tried.
pub(super) fn first_of(
    members: &[u32],
    elements: &[Ace],
    candidate: &Candidate,
    before: u32,
) -> u32 {
    for &member in members {
        if member >= before {
            break;
        }
        if elements
            .get(member as usize)
            .is_some_and(|element| matches_service(&element.service, candidate))
        {
            return member;
        }
    }
    NONE
}

type Ranges = [Option<RangeInclusive<u32>>; 2];

/// On which line a service stands.
enum Line {
    Destination(Ranges),
    Source(Ranges),
    None,
}

fn line(service: &Service) -> Line {
    let whole = |protocol, first, last| [Some(key(protocol, first)..=key(protocol, last)), None];
    Line::Destination(match *service {
        Service::Any => [Some(0..=LAST_KEY), None],
        Service::Protocol(protocol) => whole(protocol, 0, u16::MAX),
        Service::Icmp {
            kind: None,
            code: None,
        } => whole(PROTOCOL_ICMP, 0, u16::MAX),
        Service::Icmp {
            kind: Some(kind),
            code,
        } => whole(
            PROTOCOL_ICMP,
            icmp_key(kind, code.unwrap_or(0)),
            icmp_key(kind, code.unwrap_or(u8::MAX)),
        ),
        Service::Icmp {
            kind: None,
            code: Some(_),
        } => return Line::None,
        Service::Ports {
            transport,
            source,
            destination,
        } => {
            let all = [Some(0..=u16::MAX), None];
            let (source, destination) = (ports(source), ports(destination));
            let on_line = |ports: [Option<RangeInclusive<u16>>; 2]| {
                ports.map(|range| {
                    let (first, last) = range?.into_inner();
                    Some(key(transport.protocol(), first)..=key(transport.protocol(), last))
                })
            };
            if source == all {
                on_line(destination)
            } else if destination == all {
                return Line::Source(on_line(source));
            } else {
                return Line::None;
            }
        }
    })
}

/// The ports that fulfil a condition.
fn ports(condition: PortMatch) -> [Option<RangeInclusive<u16>>; 2] {
    let (first, last) = (condition.first, condition.last);
    match (first <= last, condition.is_negated) {
        (true, false) => [Some(first..=last), None],
        (true, true) => {
            let below = first.checked_sub(1).map(|before| 0..=before);
            let above = last.checked_add(1).map(|after| after..=u16::MAX);
            [below, above]
        }
        (false, false) => [None, None],
        (false, true) => [Some(0..=u16::MAX), None],
    }
}

fn add(line: &mut Vec<(RangeInclusive<u32>, u32)>, ranges: Ranges, element: u32) {
    line.extend(ranges.into_iter().flatten().map(|range| (range, element)));
}

/// A line cut into stretches, each with its first element.
#[derive(Debug, Default, PartialEq, Eq)]
struct Steps {
    /// Where the stretches begin, ascending. No element covers what is before the first.
    starts: Vec<u32>,
    /// The first element of each stretch, or [`NONE`].
    elements: Vec<u32>,
}

impl Steps {
    fn new(ranges: Vec<(RangeInclusive<u32>, u32)>) -> Self {
        // Where an element begins or has ended.
        let mut edges: Vec<(u32, bool, u32)> = Vec::with_capacity(ranges.len() * 2);
        for (range, element) in ranges {
            edges.push((*range.start(), true, element));
            // A key has 24 bits.
            edges.push((*range.end() + 1, false, element));
        }
        edges.sort_unstable();
        let mut steps = Self::default();
        // The elements that cover the place where we are. One that has two ranges is never in twice:
        // `neq` leaves a gap between them.
        let mut open = BTreeSet::new();
        let mut edges = edges.into_iter().peekable();
        while let Some((at, begins, element)) = edges.next() {
            if begins {
                open.insert(element);
            } else {
                open.remove(&element);
            }
            if edges.peek().is_some_and(|&(next, ..)| next == at) {
                continue;
            }
            let first = open.first().copied().unwrap_or(NONE);
            if steps.elements.last() != Some(&first) {
                steps.starts.push(at);
                steps.elements.push(first);
            }
        }
        steps.starts.shrink_to_fit();
        steps.elements.shrink_to_fit();
        steps
    }

    fn find(&self, key: u32) -> u32 {
        let stretch = self.starts.partition_point(|&start| start <= key);
        let found = self.elements.get(stretch.wrapping_sub(1)).copied();
        found.unwrap_or(NONE)
    }

    fn bytes(&self) -> usize {
        (self.starts.capacity() + self.elements.capacity()) * size_of::<u32>()
    }
}

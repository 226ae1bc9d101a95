//! A list as pairs of prefixes.
//!
//! Every element says "from this prefix to that one, these services" (a range that is no prefix
//! says so several times). Elements with the same pair of prefixes stand in one group, found by a
//! hash of the pair. A packet's source lies in a few prefixes of the list, nested in each other, and
//! so does its destination; every pair of these is looked up, and the lowest element found decides.
//! Each prefix and each group knows its first element, so that what cannot come before the element
//! already found is not looked at.
//!
//! The cost of a look-up is two searches by halving and one probe for each pair: it depends on how
//! deep prefixes nest (two or three in real lists, 33 at most), not on how many elements there
//! are. Memory is linear in the elements, unlike that of bit vectors over intervals (elements
//! times intervals) or of a decision tree (which copies wide elements into many leaves).

use alloc::vec::Vec;

use super::nest::Nest;
use super::prefix::{Prefix, prefixes};
use super::services::{Keys, ServiceTable, first_of};
use super::{Candidate, NONE};
use crate::policy::{AccessList, Ace, AddressRange};

/// Groups up to this long are tried element by element.
const SHORT_GROUP: usize = 8;

/// A list in the form in which it is searched. Refers to the elements of its list by place.
#[derive(Debug)]
pub(super) struct Compiled {
    sources: Nest,
    destinations: Nest,
    /// The groups by the hash of their pair; a power of two, [`NONE`] where there is none, and
    /// never more than half full, so that a search ends.
    slots: Vec<u32>,
    groups: Vec<Group>,
    /// The elements of the short groups, in order within each.
    members: Vec<u32>,
    tables: Vec<ServiceTable>,
}

/// The elements of one pair of prefixes.
#[derive(Clone, Copy, Debug)]
struct Group {
    source: u32,
    destination: u32,
    first_element: u32,
    services: Services,
}

#[derive(Clone, Copy, Debug)]
enum Services {
    /// Where in `members`.
    Short { start: u32, count: u16 },
    /// Which of `tables`.
    Table(u32),
}

/// What compiling a list would take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Estimate {
    sources: usize,
    destinations: usize,
    /// Pairs of prefixes over all elements.
    pairs: usize,
}

impl Estimate {
    /// What `list` would take. Looks at every element once.
    pub(super) fn of(list: &AccessList) -> Self {
        let mut estimate = Self::default();
        for element in active(list).map(|(_, element)| element) {
            let (sources, destinations) = (pieces(element.source), pieces(element.destination));
            estimate.sources += sources;
            estimate.destinations += destinations;
            estimate.pairs += sources * destinations;
        }
        estimate
    }

    /// Most bytes that the compiled form takes.
    pub(super) const fn bytes_at_most(self) -> usize {
        // A group, four slots (half full, and a power of two), a member or its share of a table.
        let per_pair = size_of::<Group>() + 4 * size_of::<u32>();
        Nest::bytes_at_most(self.sources)
            .saturating_add(Nest::bytes_at_most(self.destinations))
            .saturating_add(self.pairs.saturating_mul(per_pair))
            .saturating_add(ServiceTable::bytes_at_most(self.pairs))
            .saturating_add(4 * size_of::<u32>())
    }
}

fn pieces(range: AddressRange) -> usize {
    prefixes(range).count()
}

fn active(list: &AccessList) -> impl Iterator<Item = (u32, &Ace)> {
    (0..NONE)
        .zip(&list.elements)
        .filter(|(_, element)| element.is_active)
}

impl Compiled {
    /// Compiles `list`.
    pub(super) fn new(list: &AccessList, estimate: Estimate) -> Self {
        let (of_source, of_destination) = (
            sorted_prefixes(list, estimate.sources, |element| element.source),
            sorted_prefixes(list, estimate.destinations, |element| element.destination),
        );
        let (mut sources, mut destinations) = (Nest::new(&of_source), Nest::new(&of_destination));
        let mut pairs = Vec::with_capacity(estimate.pairs);
        for (place, element) in active(list) {
            for source in prefixes(element.source) {
                let source = place_of(&of_source, source);
                sources.add_element(source, place);
                for destination in prefixes(element.destination) {
                    let destination = place_of(&of_destination, destination);
                    destinations.add_element(destination, place);
                    pairs.push(((source, destination), place));
                }
            }
        }
        pairs.sort_unstable();
        let count = pairs.chunk_by(|(a, _), (b, _)| a == b).count();
        let mut compiled = Self {
            sources,
            destinations,
            slots: alloc::vec![NONE; (count * 2).next_power_of_two()],
            groups: Vec::with_capacity(count),
            members: Vec::new(),
            tables: Vec::new(),
        };
        let mut members = Vec::new();
        for group in pairs.chunk_by(|(a, _), (b, _)| a == b) {
            let Some(&((source, destination), first_element)) = group.first() else {
                continue;
            };
            members.clear();
            members.extend(group.iter().map(|&(_, element)| element));
            let services = compiled.services(&members, &list.elements);
            compiled.insert(Group {
                source,
                destination,
                first_element,
                services,
            });
        }
        compiled.members.shrink_to_fit();
        compiled.tables.shrink_to_fit();
        compiled
    }

    fn services(&mut self, members: &[u32], elements: &[Ace]) -> Services {
        if members.len() <= SHORT_GROUP {
            // Both fit: places have 32 bits, and the group is short.
            let (start, count) = (self.members.len() as u32, members.len() as u16);
            self.members.extend_from_slice(members);
            Services::Short { start, count }
        } else {
            self.tables.push(ServiceTable::new(members, elements));
            Services::Table(self.tables.len() as u32 - 1)
        }
    }

    fn insert(&mut self, group: Group) {
        let place = self.groups.len() as u32;
        let mut slot = self.slot(group.source, group.destination);
        while let Some(taken) = self.slots.get(slot)
            && *taken != NONE
        {
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        if let Some(free) = self.slots.get_mut(slot) {
            *free = place;
            self.groups.push(group);
        }
    }

    /// Where the search for a pair begins.
    #[inline]
    fn slot(&self, source: u32, destination: u32) -> usize {
        // Places are not chosen by who sends packets, so that a fixed multiplier will do.
        let pair = u64::from(source) << 32 | u64::from(destination);
        let mixed = (pair ^ pair >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn group(&self, source: u32, destination: u32) -> Option<&Group> {
        let mut slot = self.slot(source, destination);
        loop {
            let group = self.groups.get(*self.slots.get(slot)? as usize)?;
            if group.source == source && group.destination == destination {
                return Some(group);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }

    /// The place of the element of `elements` that decides about `candidate`: those that the form
    /// was compiled from.
    pub(super) fn first_match(&self, elements: &[Ace], candidate: &Candidate) -> Option<usize> {
        let keys = Keys::new(candidate);
        let destinations = self.destinations.holders(candidate.destination.to_bits());
        let mut best = NONE;
        for (source, first_from) in self.sources.holders(candidate.source.to_bits()) {
            if first_from >= best {
                continue;
            }
            for (destination, first_to) in destinations.clone() {
                if first_to >= best {
                    continue;
                }
                let Some(group) = self.group(source, destination) else {
                    continue;
                };
                if group.first_element < best {
                    best = best.min(self.first_of_group(group, elements, candidate, keys, best));
                }
            }
        }
        (best != NONE).then_some(best as usize)
    }

    fn first_of_group(
        &self,
        group: &Group,
        elements: &[Ace],
        candidate: &Candidate,
        keys: Keys,
        before: u32,
    ) -> u32 {
        match group.services {
            Services::Short { start, count } => {
                let start = start as usize;
                let members = self.members.get(start..start + usize::from(count));
                first_of(members.unwrap_or_default(), elements, candidate, before)
            }
            Services::Table(table) => self
                .tables
                .get(table as usize)
                .map_or(NONE, |table| table.first(elements, candidate, keys, before)),
        }
    }

    /// Bytes taken.
    pub(super) fn bytes(&self) -> usize {
        let numbers = self.slots.capacity() + self.members.capacity();
        self.sources.bytes()
            + self.destinations.bytes()
            + numbers * size_of::<u32>()
            + self.groups.capacity() * size_of::<Group>()
            + self.tables.capacity() * size_of::<ServiceTable>()
            + self.tables.iter().map(ServiceTable::bytes).sum::<usize>()
    }
}

/// The different prefixes of one side, in order.
fn sorted_prefixes(
    list: &AccessList,
    most: usize,
    side: impl Fn(&Ace) -> AddressRange,
) -> Vec<Prefix> {
    let mut all = Vec::with_capacity(most);
    for (_, element) in active(list) {
        all.extend(prefixes(side(element)));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// The place of a prefix that is among `sorted`.
fn place_of(sorted: &[Prefix], prefix: Prefix) -> u32 {
    // Places have 32 bits: the estimate bounds them.
    sorted.partition_point(|other| *other < prefix) as u32
}

//! Hit counters of access lists over a change of policy: they belong to an element, known by its
//! list's name and what it matches and does, not to a place. Its hits stay when only its logging or
//! its activity changes.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use hal::time::Instant;

use crate::policy::{AccessList, Policy};

/// How often an element decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ElementHits {
    pub(crate) count: u64,
    /// When it last did; without meaning while `count` is 0.
    pub(crate) last: Instant,
}

impl ElementHits {
    pub(crate) const NONE: Self = Self {
        count: 0,
        last: Instant::ZERO,
    };

    pub(crate) fn add(&mut self, now: Instant) {
        self.count += 1;
        self.last = now;
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.last = self.last.max(other.last);
    }
}

/// The counters for `new`, taken from `hits` of `old` where the element is the same.
pub(crate) fn carry_over(
    old: &Policy,
    hits: &[Vec<ElementHits>],
    new: &Policy,
) -> Vec<Vec<ElementHits>> {
    let known: BTreeMap<&str, (&AccessList, &Vec<ElementHits>)> = old
        .access_lists
        .iter()
        .zip(hits)
        .map(|(list, hits)| (list.name.as_str(), (list, hits)))
        .collect();
    new.access_lists
        .iter()
        .map(|list| match known.get(list.name.as_str()) {
            Some(&(before, hits)) => carry_over_list(before, hits, list),
            None => alloc::vec![ElementHits::NONE; list.elements.len()],
        })
        .collect()
}

fn carry_over_list(
    before: &AccessList,
    hits: &[ElementHits],
    list: &AccessList,
) -> Vec<ElementHits> {
    // The common case: lines were appended, or nothing changed.
    let same = before
        .elements
        .iter()
        .zip(&list.elements)
        .take_while(|(a, b)| a.identity() == b.identity())
        .count();
    // Equal elements share one count, which the first of them takes: only that one can be hit.
    let mut rest: BTreeMap<_, ElementHits> = BTreeMap::new();
    for (element, &hits) in before.elements.iter().zip(hits).skip(same) {
        rest.entry(element.identity())
            .or_insert(ElementHits::NONE)
            .join(hits);
    }
    list.elements
        .iter()
        .enumerate()
        .map(|(index, element)| {
            if index < same {
                hits.get(index).copied().unwrap_or(ElementHits::NONE)
            } else {
                rest.remove(&element.identity())
                    .unwrap_or(ElementHits::NONE)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Ace, AceLog, Action, AddressRange, Service};

    fn list(protocols: &[u8]) -> Policy {
        let elements = protocols
            .iter()
            .map(|&protocol| Ace {
                action: Action::Permit,
                source: AddressRange::ANY,
                destination: AddressRange::ANY,
                service: Service::Protocol(protocol),
                log: AceLog::Default,
                is_active: true,
            })
            .collect();
        let access_lists = alloc::vec![AccessList {
            name: "a".into(),
            elements
        }];
        Policy {
            access_lists,
            ..Policy::default()
        }
    }

    fn hits(counts: &[u64]) -> Vec<ElementHits> {
        let hits = counts.iter().map(|&count| ElementHits {
            count,
            last: Instant::from_secs(count),
        });
        hits.collect()
    }

    fn carried(old: &Policy, hits: &[Vec<ElementHits>], new: &Policy) -> Vec<u64> {
        let carried = carry_over(old, hits, new);
        assert_eq!(carried.len(), 1);
        carried[0].iter().map(|hits| hits.count).collect()
    }

    #[test]
    fn counters_follow_their_element() {
        let old = list(&[1, 6, 17]);
        let hits = [hits(&[10, 60, 170])];
        for (new, expected) in [
            (list(&[1, 6, 17]), alloc::vec![10, 60, 170]),
            (list(&[1, 50, 6, 17, 51]), alloc::vec![10, 0, 60, 170, 0]),
            (list(&[17]), alloc::vec![170]),
        ] {
            assert_eq!(carried(&old, &hits, &new), expected);
        }
        let mut changed = list(&[1, 6, 17]);
        changed.access_lists[0].elements[1].is_active = false;
        changed.access_lists[0].elements[2].log = AceLog::Disabled;
        assert_eq!(carry_over(&old, &hits, &changed), hits);
        let mut renamed = list(&[1]);
        renamed.access_lists[0].name = "b".into();
        assert_eq!(carried(&old, &hits, &renamed), [0]);
    }

    #[test]
    fn equal_elements_keep_their_hits_once() {
        let old = list(&[1, 6, 17, 6]);
        let hits = [hits(&[10, 60, 170, 6])];
        let new = list(&[17, 6, 6, 1]);
        assert_eq!(carried(&old, &hits, &new), [170, 66, 0, 10]);
        assert_eq!(
            carry_over(&old, &hits, &new)[0][1].last,
            Instant::from_secs(60)
        );
    }
}

//! Hit counters of access lists over a change of policy: they belong to an element, known by its
//! list's name and its content, not to a place.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::policy::{AccessList, Ace, Policy};

/// The counters for `new`, taken from `hits` of `old` where the element is the same.
pub(crate) fn carry_over(old: &Policy, hits: &[Vec<u64>], new: &Policy) -> Vec<Vec<u64>> {
    let known: BTreeMap<&str, (&AccessList, &Vec<u64>)> = old
        .access_lists
        .iter()
        .zip(hits)
        .map(|(list, hits)| (list.name.as_str(), (list, hits)))
        .collect();
    new.access_lists
        .iter()
        .map(|list| match known.get(list.name.as_str()) {
            Some(&(before, hits)) => carry_over_list(before, hits, list),
            None => alloc::vec![0; list.elements.len()],
        })
        .collect()
}

fn carry_over_list(before: &AccessList, hits: &[u64], list: &AccessList) -> Vec<u64> {
    // The common case: lines were appended, or nothing changed.
    let same = before
        .elements
        .iter()
        .zip(&list.elements)
        .take_while(|(a, b)| a == b)
        .count();
    let rest: BTreeMap<&Ace, u64> = before
        .elements
        .iter()
        .zip(hits.iter().copied())
        .skip(same)
        .collect();
    list.elements
        .iter()
        .enumerate()
        .map(|(index, element)| {
            if index < same {
                hits.get(index).copied().unwrap_or(0)
            } else {
                rest.get(element).copied().unwrap_or(0)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Action, AddressRange, Service};

    fn list(protocols: &[u8]) -> Policy {
        let elements = protocols
            .iter()
            .map(|&protocol| Ace {
                action: Action::Permit,
                source: AddressRange::ANY,
                destination: AddressRange::ANY,
                service: Service::Protocol(protocol),
                log: false,
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

    #[test]
    fn counters_follow_their_element() {
        let old = list(&[1, 6, 17]);
        let hits = [alloc::vec![10, 60, 170]];
        for (new, expected) in [
            (list(&[1, 6, 17]), alloc::vec![10, 60, 170]),
            (list(&[1, 50, 6, 17, 51]), alloc::vec![10, 0, 60, 170, 0]),
            (list(&[17]), alloc::vec![170]),
        ] {
            assert_eq!(carry_over(&old, &hits, &new), [expected]);
        }
        let mut renamed = list(&[1]);
        renamed.access_lists[0].name = "b".into();
        assert_eq!(carry_over(&old, &hits, &renamed), [[0]]);
    }
}

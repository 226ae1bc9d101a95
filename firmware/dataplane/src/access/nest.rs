//! The prefixes of one side of a list, and which of them hold an address.
//!
//! The prefixes cut the line of addresses into stretches; in each stretch the innermost prefix is
//! one and the same. An address is found among the stretches by halving, and the prefixes around
//! the innermost one by going outwards. Real lists nest two or three deep (host, network, any); 33
//! is the most that can be.

use alloc::vec::Vec;

use super::NONE;
use super::prefix::Prefix;

/// Prefixes, known by their place in ascending order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Nest {
    /// Where the stretches begin, ascending; the first begins at 0.
    starts: Vec<u32>,
    /// The innermost prefix of each stretch, or [`NONE`].
    innermost: Vec<u32>,
    nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    /// The prefix around this one, or [`NONE`].
    around: u32,
    /// The first element of the list that has this prefix on this side.
    first_element: u32,
}

impl Nest {
    /// Most bytes that a nest of `prefixes` takes.
    pub(super) const fn bytes_at_most(prefixes: usize) -> usize {
        let stretch = 2 * size_of::<u32>();
        let per_prefix = 2 * stretch + size_of::<Node>();
        prefixes.saturating_mul(per_prefix).saturating_add(stretch)
    }

    /// Nests `prefixes`, which are in order and all different.
    pub(super) fn new(prefixes: &[Prefix]) -> Self {
        let most = prefixes.len() * 2 + 1;
        let mut nest = Self {
            starts: Vec::with_capacity(most),
            innermost: Vec::with_capacity(most),
            nodes: Vec::with_capacity(prefixes.len()),
        };
        nest.step(0, NONE);
        // The prefixes that hold the place where we are, outermost first.
        let mut open: Vec<(u32, u32)> = Vec::new();
        for (place, prefix) in (0..).zip(prefixes) {
            nest.close(&mut open, Some(prefix.base));
            let around = open.last().map_or(NONE, |&(place, _)| place);
            nest.nodes.push(Node {
                around,
                first_element: NONE,
            });
            nest.step(prefix.base, place);
            open.push((place, prefix.last()));
        }
        nest.close(&mut open, None);
        nest.starts.shrink_to_fit();
        nest.innermost.shrink_to_fit();
        nest
    }

    /// Ends the prefixes that lie wholly before `next`; all of them if there is none.
    fn close(&mut self, open: &mut Vec<(u32, u32)>, next: Option<u32>) {
        while let Some(&(_, last)) = open.last()
            && next.is_none_or(|next| last < next)
        {
            open.pop();
            let around = open.last().map_or(NONE, |&(place, _)| place);
            // Nothing follows the highest address.
            if let Some(after) = last.checked_add(1) {
                self.step(after, around);
            }
        }
    }

    /// From `start` on the innermost prefix is `place`.
    fn step(&mut self, start: u32, place: u32) {
        if self.starts.last() == Some(&start) {
            if let Some(innermost) = self.innermost.last_mut() {
                *innermost = place;
            }
        } else {
            self.starts.push(start);
            self.innermost.push(place);
        }
    }

    /// Tells that `element` has prefix `place` on this side.
    pub(super) fn add_element(&mut self, place: u32, element: u32) {
        if let Some(node) = self.nodes.get_mut(place as usize) {
            node.first_element = node.first_element.min(element);
        }
    }

    /// The prefixes that hold `address`, innermost first, each with the first element that has it.
    #[inline]
    pub(super) fn holders(&self, address: u32) -> Holders<'_> {
        let stretch = self.starts.partition_point(|&start| start <= address);
        let next = self.innermost.get(stretch.wrapping_sub(1)).copied();
        Holders {
            nodes: &self.nodes,
            next: next.unwrap_or(NONE),
        }
    }

    /// Bytes taken.
    pub(super) fn bytes(&self) -> usize {
        (self.starts.capacity() + self.innermost.capacity()) * size_of::<u32>()
            + self.nodes.capacity() * size_of::<Node>()
    }
}

/// Goes outwards from an innermost prefix.
#[derive(Clone)]
pub(super) struct Holders<'a> {
    nodes: &'a [Node],
    next: u32,
}

impl Iterator for Holders<'_> {
    /// The prefix and the first element that has it.
    type Item = (u32, u32);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let place = self.next;
        let node = self.nodes.get(place as usize)?;
        self.next = node.around;
        Some((place, node.first_element))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holders(nest: &Nest, address: u32) -> Vec<u32> {
        nest.holders(address).map(|(place, _)| place).collect()
    }

    #[test]
    fn an_address_is_held_from_the_inside_out() {
        let prefix = |base, len| Prefix { base, len };
        let nest = Nest::new(&[
            prefix(0x0a00_0000, 8),
            prefix(0x0a00_0000, 24),
            prefix(0x0a00_0007, 32),
            prefix(0x0a00_00ff, 32),
            prefix(0xffff_ffff, 32),
        ]);
        assert_eq!(holders(&nest, 0), []);
        assert_eq!(holders(&nest, 0x0a00_0006), [1, 0]);
        assert_eq!(holders(&nest, 0x0a00_0007), [2, 1, 0]);
        assert_eq!(holders(&nest, 0x0a00_00ff), [3, 1, 0]);
        assert_eq!(holders(&nest, 0x0a00_0100), [0]);
        assert_eq!(holders(&nest, 0x0b00_0000), []);
        assert_eq!(holders(&nest, u32::MAX), [4]);
        assert!(nest.bytes() <= Nest::bytes_at_most(5));
        assert_eq!(holders(&Nest::new(&[]), 7), []);
    }
}

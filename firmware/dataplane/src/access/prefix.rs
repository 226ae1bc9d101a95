//! Ranges of addresses as prefixes.
//!
//! Two prefixes are apart, or one lies inside the other. Two ranges may also overlap half, which is
//! why ranges are cut into prefixes before anything is built over them.

use crate::policy::AddressRange;

/// A prefix; one that holds another sorts before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prefix {
    /// The first address.
    pub(super) base: u32,
    /// Length, 0 to 32.
    pub(super) len: u8,
}

impl Prefix {
    /// The last address.
    pub(super) const fn last(self) -> u32 {
        self.base | !crate::policy::prefix_mask(self.len)
    }
}

/// The fewest prefixes that hold the addresses of `range` and no other, in order: one for a
/// network, none for an empty range, 62 for the worst.
pub(super) fn prefixes(range: AddressRange) -> impl Iterator<Item = Prefix> {
    let last = range.last.to_bits();
    let mut next = Some(range.first.to_bits()).filter(|&first| first <= last);
    core::iter::from_fn(move || {
        let base = next?;
        // As large as it can begin here and does not reach beyond the range.
        let left = u64::from(last) - u64::from(base) + 1;
        let bits = base.trailing_zeros().min(left.ilog2());
        let after = u64::from(base) + (1 << bits);
        next = u32::try_from(after).ok().filter(|&next| next <= last);
        Some(Prefix {
            base,
            // 32 at most.
            len: 32 - bits as u8,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use core::net::Ipv4Addr;

    fn cut(first: u32, last: u32) -> Vec<(u32, u8)> {
        let range = AddressRange {
            first: Ipv4Addr::from_bits(first),
            last: Ipv4Addr::from_bits(last),
        };
        prefixes(range)
            .map(|prefix| (prefix.base, prefix.len))
            .collect()
    }

    #[test]
    fn ranges_are_cut_into_the_fewest_prefixes() {
        assert_eq!(cut(0, u32::MAX), [(0, 0)]);
        assert_eq!(cut(7, 7), [(7, 32)]);
        assert_eq!(cut(8, 15), [(8, 29)]);
        assert_eq!(cut(7, 16), [(7, 32), (8, 29), (16, 32)]);
        assert_eq!(cut(u32::MAX, u32::MAX), [(u32::MAX, 32)]);
        assert_eq!(cut(2, 1), []);
        assert_eq!(cut(1, u32::MAX - 1).len(), 62);
    }

    #[test]
    fn the_pieces_join_without_gap_or_overlap() {
        let (first, last) = (0x0a00_0003, 0x0a7f_1234);
        let mut next = first;
        for (base, len) in cut(first, last) {
            assert_eq!(base, next);
            next = Prefix { base, len }.last().wrapping_add(1);
        }
        assert_eq!(next, last + 1);
    }
}

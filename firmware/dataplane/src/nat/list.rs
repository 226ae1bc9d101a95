//! Lists of address ranges as one run of addresses: where an address stands, which one stands where.

use core::net::Ipv4Addr;

use crate::policy::AddressRange;

/// How many addresses `ranges` holds.
pub(crate) fn total(ranges: &[AddressRange]) -> u64 {
    ranges.iter().map(|range| range.size()).sum()
}

/// The place of `address` in `ranges`, counted from 0.
pub(crate) fn place(ranges: &[AddressRange], address: Ipv4Addr) -> Option<u64> {
    let mut before = 0;
    for range in ranges {
        if range.contains(address) {
            return Some(before + u64::from(address.to_bits() - range.first.to_bits()));
        }
        before += range.size();
    }
    None
}

/// The address at `place` of `ranges`.
pub(crate) fn at(ranges: &[AddressRange], mut place: u64) -> Option<Ipv4Addr> {
    for range in ranges {
        if place < range.size() {
            // Below the size of a range of 32-bit numbers.
            return range
                .first
                .to_bits()
                .checked_add(place as u32)
                .map(Ipv4Addr::from_bits);
        }
        place -= range.size();
    }
    None
}

/// The address of `to` at the place that `address` has in `from`; a shorter `to` is used over and
/// over.
pub(crate) fn shift(
    address: Ipv4Addr,
    from: &[AddressRange],
    to: &[AddressRange],
) -> Option<Ipv4Addr> {
    at(to, place(from, address)?.checked_rem(total(to))?)
}

/// Whether one of `ranges` holds `address`.
pub(crate) fn holds(ranges: &[AddressRange], address: Ipv4Addr) -> bool {
    ranges.iter().any(|range| range.contains(address))
}

/// Sorts ranges and joins those that overlap, for [`holds_sorted`].
pub(crate) fn sort(ranges: &mut alloc::vec::Vec<AddressRange>) {
    ranges.retain(|range| range.first <= range.last);
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let overlaps = next.first <= kept.last;
        if overlaps {
            kept.last = kept.last.max(next.last);
        }
        overlaps
    });
}

/// As [`holds`], of ranges that [`sort`] has sorted.
pub(crate) fn holds_sorted(ranges: &[AddressRange], address: Ipv4Addr) -> bool {
    let behind = ranges.partition_point(|range| range.first <= address);
    behind
        .checked_sub(1)
        .and_then(|index| ranges.get(index))
        .is_some_and(|range| address <= range.last)
}

/// Runs of addresses that stand beside each other in both lists, until one of them ends.
pub(crate) fn beside<'a>(
    first: &'a [AddressRange],
    second: &'a [AddressRange],
) -> impl Iterator<Item = (AddressRange, AddressRange)> + 'a {
    let mut done = 0;
    core::iter::from_fn(move || {
        let (a, b) = (rest(first, done)?, rest(second, done)?);
        let size = a.size().min(b.size());
        done += size;
        Some((cut(a, size), cut(b, size)))
    })
}

/// What is left of the range in which `place` lies.
fn rest(ranges: &[AddressRange], place: u64) -> Option<AddressRange> {
    let first = at(ranges, place)?;
    let mut before = 0;
    let range = ranges.iter().find(|range| {
        before += range.size();
        place < before
    })?;
    Some(AddressRange {
        first,
        last: range.last,
    })
}

/// The first `size` addresses of `range`.
fn cut(range: AddressRange, size: u64) -> AddressRange {
    let last = u64::from(range.first.to_bits()) + size.saturating_sub(1);
    let last = u32::try_from(last).map_or(Ipv4Addr::BROADCAST, Ipv4Addr::from_bits);
    AddressRange {
        first: range.first,
        last: range.last.min(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn ranges() -> impl Strategy<Value = Vec<AddressRange>> {
        prop::collection::vec((0u32..200, 0u32..6), 1..4).prop_map(|list| {
            list.into_iter()
                .map(|(first, more)| AddressRange {
                    first: Ipv4Addr::from_bits(first),
                    last: Ipv4Addr::from_bits(first + more),
                })
                .collect()
        })
    }

    fn written_out(ranges: &[AddressRange]) -> Vec<Ipv4Addr> {
        ranges
            .iter()
            .flat_map(|range| range.first.to_bits()..=range.last.to_bits())
            .map(Ipv4Addr::from_bits)
            .collect()
    }

    proptest! {
        /// Against lists written out address by address.
        #[test]
        fn lists_are_what_they_would_be_written_out(from in ranges(), to in ranges(), probe in 0u32..210) {
            let (real, mapped) = (written_out(&from), written_out(&to));
            prop_assert_eq!(total(&from), real.len() as u64);
            let probe = Ipv4Addr::from_bits(probe);
            let expected = real.iter().position(|&address| address == probe);
            prop_assert_eq!(place(&from, probe), expected.map(|place| place as u64));
            prop_assert_eq!(
                shift(probe, &from, &to),
                expected.map(|place| mapped[place % mapped.len()])
            );
            let mut sorted = from.clone();
            sort(&mut sorted);
            prop_assert_eq!(holds_sorted(&sorted, probe), real.contains(&probe));
            let pairs: Vec<_> = beside(&from, &to)
                .flat_map(|(a, b)| {
                    assert_eq!(a.size(), b.size());
                    written_out(&[a]).into_iter().zip(written_out(&[b])).collect::<Vec<_>>()
                })
                .collect();
            prop_assert_eq!(pairs, real.into_iter().zip(mapped).collect::<Vec<_>>());
        }
    }
}

//! A fixed-size hash index: cache-line buckets of tagged references.
//!
//! It maps a 64-bit hash to 32-bit references whose keys live elsewhere; the caller compares them.
//! A bucket is one cache line of seven entries, so a look-up normally costs one miss here and one
//! at the record. An entry that finds its bucket full goes to the next one, and every bucket passed
//! over counts it (`spilled`), so look-ups stop at the first bucket that spilled nothing.
//! There is no deletion mark and no rehash: cost does not drift with age.

use alloc::vec::Vec;

const SLOTS: usize = 7;
/// How far an entry may be from its own bucket. At the load `new` sizes for (four entries a
/// bucket), a run of that many full buckets does not occur.
const REACH: usize = 24;
const EMPTY: u32 = u32::MAX;

#[repr(C, align(64))]
#[derive(Clone)]
struct Bucket {
    tags: [u32; SLOTS],
    references: [u32; SLOTS],
    spilled: u32,
}

impl Bucket {
    /// The slots with this tag, one bit each; without a branch, so that the compiler may compare
    /// them all at once.
    #[inline]
    fn matches(&self, tag: u32) -> u32 {
        let mut bits = 0;
        for (slot, &other) in self.tags.iter().enumerate() {
            bits |= u32::from(other == tag) << slot;
        }
        bits
    }
}

/// The index. References are any numbers below `u32::MAX`.
pub(crate) struct Buckets {
    buckets: Vec<Bucket>,
    mask: usize,
}

impl Buckets {
    /// Room for `entries` entries.
    pub(crate) fn new(entries: usize) -> Self {
        let count = entries.div_ceil(4).next_power_of_two();
        let empty = Bucket {
            tags: [0; SLOTS],
            references: [EMPTY; SLOTS],
            spilled: 0,
        };
        Self {
            buckets: alloc::vec![empty; count],
            mask: count - 1,
        }
    }

    /// Bytes that an index for `entries` entries takes.
    pub(crate) const fn memory_bytes(entries: usize) -> usize {
        entries.div_ceil(4).next_power_of_two() * size_of::<Bucket>()
    }

    /// Reads the bucket of `hash`, so that a later [`find`](Self::find) finds it in the cache.
    /// Returns a reference with the right tag, if there is one.
    #[inline]
    pub(crate) fn peek(&self, hash: u64) -> Option<u32> {
        let bucket = self.buckets.get(hash as usize & self.mask)?;
        let slot = bucket.matches(tag(hash)).trailing_zeros() as usize;
        bucket
            .references
            .get(slot)
            .copied()
            .filter(|&reference| reference != EMPTY)
    }

    /// The reference under `hash` that `is_wanted` recognises.
    #[inline]
    pub(crate) fn find(&self, hash: u64, mut is_wanted: impl FnMut(u32) -> bool) -> Option<u32> {
        let tag = tag(hash);
        for distance in 0..REACH {
            let bucket = self
                .buckets
                .get((hash as usize).wrapping_add(distance) & self.mask)?;
            let mut matches = bucket.matches(tag);
            while let Some(&reference) = bucket.references.get(matches.trailing_zeros() as usize) {
                if reference != EMPTY && is_wanted(reference) {
                    return Some(reference);
                }
                matches &= matches - 1;
            }
            if bucket.spilled == 0 {
                return None;
            }
        }
        None
    }

    /// Adds `reference` under `hash`. Returns false, and changes nothing, if there is no room near.
    #[must_use]
    pub(crate) fn insert(&mut self, hash: u64, reference: u32) -> bool {
        let home = hash as usize;
        for distance in 0..REACH {
            let Some(bucket) = self
                .buckets
                .get_mut(home.wrapping_add(distance) & self.mask)
            else {
                return false;
            };
            let Some(slot) = bucket.references.iter().position(|&slot| slot == EMPTY) else {
                continue;
            };
            bucket.tags[slot] = tag(hash);
            bucket.references[slot] = reference;
            self.adjust_spilled(home, distance, 1);
            return true;
        }
        false
    }

    /// Takes `reference` out that was put in under `hash`.
    pub(crate) fn remove(&mut self, hash: u64, reference: u32) {
        let home = hash as usize;
        for distance in 0..REACH {
            let Some(bucket) = self
                .buckets
                .get_mut(home.wrapping_add(distance) & self.mask)
            else {
                return;
            };
            if let Some(slot) = bucket.references.iter().position(|&slot| slot == reference) {
                bucket.references[slot] = EMPTY;
                self.adjust_spilled(home, distance, u32::MAX);
                return;
            }
        }
    }

    /// Adds `change` (wrapping) to the spill count of the `distance` buckets from `home` on.
    fn adjust_spilled(&mut self, home: usize, distance: usize, change: u32) {
        for passed in 0..distance {
            if let Some(bucket) = self.buckets.get_mut(home.wrapping_add(passed) & self.mask) {
                bucket.spilled = bucket.spilled.wrapping_add(change);
            }
        }
    }
}

/// The bits of the hash that do not choose the bucket.
const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn a_bucket_is_one_cache_line() {
        assert_eq!((size_of::<Bucket>(), align_of::<Bucket>()), (64, 64));
    }

    #[test]
    fn one_bucket_spills_into_the_next_ones_and_recovers() {
        let mut index = Buckets::new(1024);
        let most = (0..).take_while(|&n| index.insert(5, n)).count();
        assert_eq!(most, SLOTS * REACH);
        assert!((0..most as u32).all(|n| index.find(5, |found| found == n).is_some()));
        for n in 0..most as u32 {
            index.remove(5, n);
            assert_eq!(index.find(5, |found| found == n), None);
        }
        assert!(index.buckets.iter().all(|bucket| bucket.spilled == 0));
        assert_eq!(index.peek(5), None);
    }

    proptest! {
        /// Against the standard map; hashes collide often on purpose.
        #[test]
        fn it_holds_what_a_map_holds(
            steps in prop::collection::vec((0u64..6, 0u64..3, 0u32..40, any::<bool>()), 1..300),
        ) {
            let mut index = Buckets::new(64);
            let mut model: HashMap<u32, u64> = HashMap::new();
            for (bucket, tag, reference, insert) in steps {
                let hash = tag << 32 | bucket;
                if insert && !model.contains_key(&reference) {
                    if index.insert(hash, reference) {
                        model.insert(reference, hash);
                    }
                } else if let Some(hash) = model.remove(&reference) {
                    index.remove(hash, reference);
                }
                for reference in 0..40 {
                    for (bucket, tag) in (0..6).flat_map(|b| (0..3).map(move |t| (b, t))) {
                        let hash = tag << 32 | bucket;
                        // As a user does: the tag says where to look, the key decides.
                        let found = index
                            .find(hash, |found| {
                                found == reference && model.get(&found) == Some(&hash)
                            })
                            .is_some();
                        prop_assert_eq!(found, model.get(&reference) == Some(&hash));
                    }
                }
            }
        }
    }
}

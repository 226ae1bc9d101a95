//! Repeatable random numbers: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
//! generators", OOPSLA 2014).
//!
//! Good enough to spread faults and to feed protocol code in tests; of no use where secrets matter,
//! which is why the type that implements [`Entropy`] says so in its name.

use hal::entropy::Entropy;

/// A small generator; equal seeds give equal sequences.
#[derive(Clone, Debug)]
pub struct SplitMix(u64);

impl SplitMix {
    /// Starts at `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 if `bound` is 0. The bias is below `bound` / 2^64.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// True in `permille` of 1,000 cases.
    pub const fn chance(&mut self, permille: u16) -> bool {
        self.below(1_000) < permille as u64
    }
}

/// Entropy that anyone with the seed can repeat: for tests only.
#[derive(Clone, Debug)]
pub struct SimEntropy(SplitMix);

impl SimEntropy {
    /// Starts at `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(SplitMix::new(seed))
    }
}

impl Entropy for SimEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.0.next_u64().to_le_bytes();
            for (byte, random) in chunk.iter_mut().zip(word) {
                *byte = random;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_that_of_the_published_generator() {
        let mut random = SplitMix::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(expected.map(|_| random.next_u64()), expected);
    }

    #[test]
    fn chances_are_about_what_they_say() {
        let mut random = SplitMix::new(7);
        let hits = (0..100_000).filter(|_| random.chance(250)).count();
        assert!((24_000..26_000).contains(&hits), "{hits}");
        assert!((0..1_000).all(|_| !random.chance(0) && random.chance(1_000)));
        assert!((0..1_000).all(|_| random.below(3) < 3));
    }

    #[test]
    fn equal_seeds_give_equal_entropy_and_others_do_not() {
        let draw = |seed| {
            let mut bytes = [0; 37];
            SimEntropy::new(seed).fill(&mut bytes);
            bytes
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}

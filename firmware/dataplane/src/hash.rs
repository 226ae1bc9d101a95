//! The keyed hash of tables that strangers fill: SipHash-1-3 over two words.
//!
//! A peer that cannot guess the key cannot choose packets that fall into one bucket. SipHash:
//! Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; one compression and three
//! finalisation rounds, as the hash tables of several languages use it.

/// The key, drawn at boot.
#[derive(Clone, Copy)]
pub(crate) struct HashKey {
    k0: u64,
    k1: u64,
}

impl HashKey {
    pub(crate) fn new(key: [u8; 16]) -> Self {
        let both = u128::from_le_bytes(key);
        Self {
            k0: both as u64,
            k1: (both >> 64) as u64,
        }
    }

    /// Another key that says nothing about this one, for the use with `number`.
    pub(crate) fn derived(&self, number: u64) -> Self {
        Self {
            k0: self.hash(2 * number, u64::MAX),
            k1: self.hash(2 * number + 1, u64::MAX),
        }
    }

    /// The hash of 16 bytes, given as two little-endian words.
    #[inline]
    pub(crate) fn hash(&self, first: u64, second: u64) -> u64 {
        let mut state = State {
            v0: self.k0 ^ 0x736f_6d65_7073_6575,
            v1: self.k1 ^ 0x646f_7261_6e64_6f6d,
            v2: self.k0 ^ 0x6c79_6765_6e65_7261,
            v3: self.k1 ^ 0x7465_6462_7974_6573,
        };
        // The last word carries the length, 16, in its top byte.
        for word in [first, second, 16 << 56] {
            state.v3 ^= word;
            state.round();
            state.v0 ^= word;
        }
        state.v2 ^= 0xff;
        state.round();
        state.round();
        state.round();
        state.v0 ^ state.v1 ^ state.v2 ^ state.v3
    }
}

/// Unpredictable numbers from the same key: the hash of a counter.
#[derive(Clone)]
pub(crate) struct Random {
    key: HashKey,
    count: u64,
}

impl Random {
    pub(crate) fn new(key: HashKey) -> Self {
        // Another key than the tables', so that numbers seen outside say nothing about buckets.
        Self {
            key: key.derived(0),
            count: 0,
        }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.count = self.count.wrapping_add(1);
        self.key.hash(self.count, 0)
    }
}

struct State {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl State {
    #[inline]
    fn round(&mut self) {
        self.v0 = self.v0.wrapping_add(self.v1);
        self.v1 = self.v1.rotate_left(13) ^ self.v0;
        self.v0 = self.v0.rotate_left(32);
        self.v2 = self.v2.wrapping_add(self.v3);
        self.v3 = self.v3.rotate_left(16) ^ self.v2;
        self.v0 = self.v0.wrapping_add(self.v3);
        self.v3 = self.v3.rotate_left(21) ^ self.v0;
        self.v2 = self.v2.wrapping_add(self.v1);
        self.v1 = self.v1.rotate_left(17) ^ self.v2;
        self.v2 = self.v2.rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::hash::Hasher as _;

    /// The standard library's default hasher is SipHash-1-3 with a zero key.
    #[test]
    fn the_hash_is_siphash_1_3() {
        let zero = HashKey::new([0; 16]);
        for (first, second) in [(0, 0), (1, 2), (u64::MAX, 0x0123_4567_89ab_cdef)] {
            #[allow(deprecated, reason = "the only hasher of std with a fixed key")]
            let mut witness = std::collections::hash_map::DefaultHasher::new();
            witness.write(&u64::to_le_bytes(first));
            witness.write(&u64::to_le_bytes(second));
            assert_eq!(zero.hash(first, second), witness.finish());
        }
    }

    #[test]
    fn the_key_decides() {
        let (a, b) = (HashKey::new([1; 16]), HashKey::new([2; 16]));
        assert_ne!(a.hash(7, 7), b.hash(7, 7));
        let (mut x, mut y) = (Random::new(a), Random::new(a));
        assert_eq!(x.next(), y.next());
        assert_ne!(x.next(), x.next());
    }
}

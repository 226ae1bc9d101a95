//! The search for one prime, cut into steps.
//!
//! A random odd start with its two top bits set (so that two primes multiply to full size) is
//! sieved with small primes over a window; what is left is tried in order: Miller-Rabin to base two,
//! which almost every composite fails, then to random bases. There is no Lucas test: it takes about
//! eight times as long as a base and cannot be cut, and against composites that nobody chose, random
//! bases alone are enough (FIPS 186-5 appendix B.3).

use alloc::vec::Vec;

use crypto_bigint::{CheckedAdd, Odd, Uint};
use crypto_primes::hazmat::MillerRabin;
use hal::entropy::Entropy;
use zeroize::{Zeroize, Zeroizing};

use super::EXPONENT;
use crate::entropy::EntropyRng;

/// Random bases tried, for a chance below 2^-128 that a composite of 1024 bits passes (Damgård,
/// Landrock and Pomerance; a test computes it). Greater numbers need fewer.
const RANDOM_BASES: u8 = 6;

/// Odd numbers in a window. About one in 355 of 1024 bits, one in 710 of 2048, is prime.
const WINDOW: usize = 4096;

/// Sieving with primes below this leaves about one number in nine.
const SIEVE_LIMIT: usize = 1 << 14;

/// FIPS 186-5 §A.1.3: the primes must differ within their top 100 bits.
const FAR_APART_BITS: u32 = 100;

const WORD_BITS: usize = 64;

/// Where the search stands.
enum Stage {
    /// A window is to be drawn and sieved.
    Sieve,
    /// The next number left of the window is to be tried to base two.
    NextCandidate,
    /// The candidate passed; this many random bases are left.
    RandomBases(u8),
    /// The candidate is prime.
    Found,
}

/// A search for a prime of `LIMBS` 64-bit limbs.
pub(super) struct PrimeSearch<const LIMBS: usize> {
    stage: Stage,
    /// First number of the window.
    start: Uint<LIMBS>,
    candidate: Uint<LIMBS>,
    /// One bit per odd number of the window: set if a small prime divides it, or it was tried.
    struck: [u64; WINDOW / WORD_BITS],
}

impl<const LIMBS: usize> PrimeSearch<LIMBS> {
    pub(super) fn start(random: &mut dyn Entropy) -> Self {
        Self {
            stage: Stage::Sieve,
            start: random_start(random),
            candidate: Uint::ZERO,
            struck: [0; WINDOW / WORD_BITS],
        }
    }

    /// The prime, once there is one.
    pub(super) fn found(&self) -> Option<&Uint<LIMBS>> {
        matches!(self.stage, Stage::Found).then_some(&self.candidate)
    }

    /// Sieves a window or tries a candidate once.
    pub(super) fn step(&mut self, random: &mut dyn Entropy) {
        self.stage = match self.stage {
            Stage::Sieve => {
                self.sieve();
                Stage::NextCandidate
            }
            Stage::NextCandidate => match self.next_candidate() {
                Some(candidate) => {
                    self.candidate = candidate;
                    match self.miller_rabin() {
                        Some(test) if !test.test_base_two().is_composite() => {
                            Stage::RandomBases(RANDOM_BASES)
                        }
                        _ => Stage::NextCandidate,
                    }
                }
                None => {
                    self.start = random_start(random);
                    Stage::Sieve
                }
            },
            Stage::RandomBases(left) => match self.miller_rabin() {
                Some(test)
                    if !test
                        .test_random_base(&mut EntropyRng(random))
                        .is_composite() =>
                {
                    match left {
                        0 | 1 => Stage::Found,
                        left => Stage::RandomBases(left - 1),
                    }
                }
                _ => Stage::NextCandidate,
            },
            Stage::Found => Stage::Found,
        };
    }

    fn miller_rabin(&self) -> Option<MillerRabin<Uint<LIMBS>>> {
        odd(self.candidate).map(MillerRabin::new)
    }

    /// Strikes every multiple of a small prime from the window.
    fn sieve(&mut self) {
        self.struck = [0; WINDOW / WORD_BITS];
        for prime in small_primes() {
            let prime = usize::from(prime);
            let remainder = remainder(self.start.as_words(), prime as u64) as usize;
            // start + 2i is divisible when i is -start/2 modulo the prime.
            let half = prime.div_ceil(2);
            let first = (prime - remainder) % prime * half % prime;
            for index in (first..WINDOW).step_by(prime) {
                self.strike(index);
            }
        }
    }

    fn strike(&mut self, index: usize) {
        if let Some(word) = self.struck.get_mut(index / WORD_BITS) {
            *word |= 1 << (index % WORD_BITS);
        }
    }

    /// Takes the next number that is not struck and fits the public exponent.
    fn next_candidate(&mut self) -> Option<Uint<LIMBS>> {
        loop {
            let (place, word) = self
                .struck
                .iter()
                .enumerate()
                .find(|(_, word)| **word != u64::MAX)?;
            let index = place * WORD_BITS + word.trailing_ones() as usize;
            self.strike(index);
            // Overflow means that the window reached the top; a new start is drawn then.
            let candidate: Option<Uint<LIMBS>> =
                self.start.checked_add(&Uint::from(2 * index as u64)).into();
            let candidate = candidate?;
            // The exponent must have an inverse modulo candidate - 1 (the exponent is prime).
            if remainder(candidate.as_words(), EXPONENT) != 1 {
                return Some(candidate);
            }
        }
    }
}

impl<const LIMBS: usize> Drop for PrimeSearch<LIMBS> {
    fn drop(&mut self) {
        self.start.zeroize();
        self.candidate.zeroize();
        self.struck.zeroize();
    }
}

/// Whether two primes differ in their top bits, so that neither can be found from the product's root.
pub(super) fn are_far_apart<const LIMBS: usize>(first: &Uint<LIMBS>, second: &Uint<LIMBS>) -> bool {
    let difference = if first > second {
        first.wrapping_sub(second)
    } else {
        second.wrapping_sub(first)
    };
    difference.bit_width() > Uint::<LIMBS>::BITS - FAR_APART_BITS
}

/// `words` (least significant first) modulo `divisor`, which is below 2^32.
pub(super) fn remainder(words: &[u64], divisor: u64) -> u64 {
    words.iter().rev().fold(0, |rest, word| {
        let high = (rest << 32 | word >> 32) % divisor;
        (high << 32 | word & 0xffff_ffff) % divisor
    })
}

fn odd<const LIMBS: usize>(number: Uint<LIMBS>) -> Option<Odd<Uint<LIMBS>>> {
    Odd::new(number).into()
}

/// A random odd number with its two top bits set.
fn random_start<const LIMBS: usize>(random: &mut dyn Entropy) -> Uint<LIMBS> {
    let mut words = Zeroizing::new([0u64; LIMBS]);
    for word in words.iter_mut() {
        let mut bytes = Zeroizing::new([0; 8]);
        random.fill(bytes.as_mut_slice());
        *word = u64::from_le_bytes(*bytes);
    }
    if let Some(lowest) = words.first_mut() {
        *lowest |= 1;
    }
    if let Some(highest) = words.last_mut() {
        *highest |= 0b11 << 62;
    }
    Uint::from_words(*words)
}

/// The odd primes below [`SIEVE_LIMIT`], by Eratosthenes' sieve; made anew for each window, which
/// costs less than keeping them.
fn small_primes() -> Vec<u16> {
    let mut is_composite = alloc::vec![false; SIEVE_LIMIT];
    let mut primes = Vec::new();
    for number in (3..SIEVE_LIMIT).step_by(2) {
        if is_composite.get(number) == Some(&false) {
            primes.push(number as u16);
            for multiple in (number * number..SIEVE_LIMIT).step_by(number) {
                if let Some(flag) = is_composite.get_mut(multiple) {
                    *flag = true;
                }
            }
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bases_are_enough_for_every_size() {
        for bits in [1024, 1536, 2048] {
            let needed = crypto_primes::hazmat::minimum_mr_iterations(bits, 128);
            assert!(
                needed.is_some_and(|needed| needed <= usize::from(RANDOM_BASES)),
                "{needed:?}"
            );
        }
    }

    #[test]
    fn small_primes_are_the_odd_primes_below_the_limit() {
        let primes = small_primes();
        assert_eq!(primes.first(), Some(&3));
        // π(16384) = 1900, two included.
        assert_eq!(primes.len(), 1899);
        assert_eq!(primes.last(), Some(&16381));
    }

    #[test]
    fn remainder_agrees_with_wide_division() {
        for (words, divisor) in [
            ([5u64, 7], 65_537u64),
            ([u64::MAX, u64::MAX], 16_381),
            ([0, 1], 3),
        ] {
            let wide = u128::from(words[1]) << 64 | u128::from(words[0]);
            let expected = (wide % u128::from(divisor)) as u64;
            assert_eq!(remainder(&words, divisor), expected);
        }
    }
}

//! RSA key generation in short steps, so that it can share the processor with packets.
//!
//! [`RsaGeneration::step`] does one sieve, one primality test or the final assembly, a millisecond or
//! so each for 2048 bits, and is called until it is done. Primes are searched as FIPS 186-5 appendix
//! A.1.3 says, but upwards from a random start instead of drawing each candidate anew, as OpenSSL
//! does. All numbers are of fixed size and live in this state, which is wiped when it goes.

mod assemble;
mod prime;

use alloc::boxed::Box;
use alloc::string::String;

use hal::entropy::Entropy;

use crate::key::{KeyAlgorithm, KeyError, KeyPair, KeyUsage, RsaBits, is_label};
use assemble::private_key;
use prime::PrimeSearch;

/// Public exponent of every key: 2^16 + 1.
pub(crate) const EXPONENT: u64 = 65_537;

/// What a step led to.
#[derive(Debug)]
pub enum Progress {
    /// More steps are needed; nobody knows how many.
    Working,
    /// The key pair is made.
    Done(Box<KeyPair>),
}

/// An RSA key pair in the making.
pub struct RsaGeneration {
    label: String,
    usage: KeyUsage,
    bits: RsaBits,
    generated_at: u64,
    steps: u32,
    search: Search,
}

/// The search, in limbs of the primes.
enum Search {
    B2048(Box<Pair<16>>),
    B3072(Box<Pair<24>>),
    B4096(Box<Pair<32>>),
}

impl RsaGeneration {
    /// Begins a pair of that size and name; `generated_at` is the time it will be said to be made at.
    ///
    /// # Errors
    /// [`KeyError::BadLabel`].
    pub fn start(
        bits: RsaBits,
        label: &str,
        generated_at: u64,
        random: &mut dyn Entropy,
    ) -> Result<Self, KeyError> {
        if !is_label(label) {
            return Err(KeyError::BadLabel);
        }
        Ok(Self {
            label: String::from(label),
            usage: KeyUsage::General,
            bits,
            generated_at,
            steps: 0,
            search: match bits {
                RsaBits::B2048 => Search::B2048(Box::new(Pair::start(random))),
                RsaBits::B3072 => Search::B3072(Box::new(Pair::start(random))),
                RsaBits::B4096 => Search::B4096(Box::new(Pair::start(random))),
            },
        })
    }

    /// The same generation, for a pair with another purpose.
    #[must_use]
    pub fn with_usage(mut self, usage: KeyUsage) -> Self {
        self.usage = usage;
        self
    }

    /// Does a little more.
    ///
    /// # Errors
    /// [`KeyError::Rejected`] if ring does not take the finished key, which would be a fault of this
    /// module; begin again.
    pub fn step(&mut self, random: &mut dyn Entropy) -> Result<Progress, KeyError> {
        self.steps = self.steps.saturating_add(1);
        let private = match &mut self.search {
            Search::B2048(pair) => pair.step(random)?,
            Search::B3072(pair) => pair.step(random)?,
            Search::B4096(pair) => pair.step(random)?,
        };
        let Some(private) = private else {
            return Ok(Progress::Working);
        };
        let pair = KeyPair::from_pkcs8(
            &self.label,
            KeyAlgorithm::Rsa(self.bits),
            self.usage,
            self.generated_at,
            private,
        )?;
        // FIPS 140-3 wants a new pair tried before it is used.
        verify_pair(&pair)?;
        Ok(Progress::Done(Box::new(pair)))
    }

    /// Steps done so far.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// The name of the pair in the making.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }
}

impl core::fmt::Debug for RsaGeneration {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("RsaGeneration")
            .field("label", &self.label)
            .field("bits", &self.bits)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

/// The two primes of one key, of `LIMBS` 64-bit limbs each.
struct Pair<const LIMBS: usize> {
    first: PrimeSearch<LIMBS>,
    second: PrimeSearch<LIMBS>,
}

impl<const LIMBS: usize> Pair<LIMBS> {
    fn start(random: &mut dyn Entropy) -> Self {
        Self {
            first: PrimeSearch::start(random),
            second: PrimeSearch::start(random),
        }
    }

    /// Does a little more; returns the PKCS#8 private key when both primes are there.
    fn step(
        &mut self,
        random: &mut dyn Entropy,
    ) -> Result<Option<zeroize::Zeroizing<alloc::vec::Vec<u8>>>, KeyError> {
        let Some(first) = self.first.found() else {
            self.first.step(random);
            return Ok(None);
        };
        let Some(second) = self.second.found() else {
            self.second.step(random);
            return Ok(None);
        };
        if !prime::are_far_apart(first, second) {
            self.second = PrimeSearch::start(random);
            return Ok(None);
        }
        private_key(first, second).map(Some)
    }
}

/// Signs with the private half and verifies with the public half.
fn verify_pair(pair: &KeyPair) -> Result<(), KeyError> {
    use der::Decode;
    const MESSAGE: &[u8] = b"pairwise consistency";
    let signature = pair.sign(MESSAGE)?;
    let public = spki::SubjectPublicKeyInfoRef::from_der(pair.public_key())
        .map_err(|_| KeyError::Rejected)?;
    ring::signature::UnparsedPublicKey::new(
        &ring::signature::RSA_PKCS1_2048_8192_SHA256,
        public.subject_public_key.raw_bytes(),
    )
    .verify(MESSAGE, &signature)
    .map_err(|_| KeyError::Rejected)
}

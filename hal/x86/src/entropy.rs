//! The one random generator, and where its seed comes from.
//!
//! ChaCha20 output, re-keyed with itself after every request so that captured state tells nothing
//! about bytes handed out before (fast key erasure), and re-seeded with fresh hardware bytes now and
//! then. Sources are hashed together, so the result is as good as the best of them: RDSEED and
//! RDRAND (Intel SDM volume 1 §7.3.17), a device such as virtio-rng, and the jitter of the TSC.

use core::arch::asm;
use core::cell::RefCell;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use critical_section::Mutex;
use hal::entropy::Entropy;
use raw_cpuid::CpuId;
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

use crate::port::inb;
use crate::tsc;

/// Bytes given out under one critical section, so that interrupts are not held off for long.
const CHUNK: usize = 512;
/// TSC readings per seed. Each is worth a fraction of a bit; a thousand are far more than enough
/// beside a hardware source, and the best there is without one.
const JITTER_SAMPLES: usize = 1_024;
/// Bytes given out between two helpings of fresh processor randomness.
const RESEED_BYTES: u32 = 1 << 20;
/// Attempts for one RDRAND or RDSEED word (SDM volume 1 §7.3.17.1 advises 10 for RDRAND).
const ATTEMPTS: u32 = 32;

static GENERATOR: Mutex<RefCell<Option<Generator>>> = Mutex::new(RefCell::new(None));

/// Where the present seed came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The processor's RDSEED.
    pub rdseed: bool,
    /// The processor's RDRAND.
    pub rdrand: bool,
    /// A device, see [`add`].
    pub device: bool,
}

impl Sources {
    /// Whether there is any source but timing jitter.
    #[must_use]
    pub const fn has_hardware(self) -> bool {
        self.rdseed || self.rdrand || self.device
    }
}

/// A generator with its bookkeeping.
struct Generator {
    stream: ChaCha20Rng,
    given: u32,
    sources: Sources,
}

impl Generator {
    fn new(material: &[u8], sources: Sources) -> Self {
        let mut generator = Self {
            stream: ChaCha20Rng::from_seed([0; 32]),
            given: 0,
            sources,
        };
        generator.reseed(material);
        generator
    }

    /// Hashes `material` into the key; nothing that the key held is lost.
    fn reseed(&mut self, material: &[u8]) {
        let mut old = [0; 32];
        self.stream.fill_bytes(&mut old);
        let mut hash = Sha256::new();
        hash.update(old);
        hash.update(material);
        self.stream = ChaCha20Rng::from_seed(hash.finalize().into());
        self.given = 0;
        old.zeroize();
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        self.stream.fill_bytes(bytes);
        let mut next = [0; 32];
        self.stream.fill_bytes(&mut next);
        self.stream = ChaCha20Rng::from_seed(next);
        next.zeroize();
        self.given = self.given.saturating_add(bytes.len() as u32);
    }
}

/// Fills `bytes` from the generator, seeding it first if nobody has.
pub fn fill(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(CHUNK) {
        with_generator(|generator| {
            if generator.given >= RESEED_BYTES {
                let mut material = Material::gather(0);
                generator.reseed(&material.bytes);
                material.bytes.zeroize();
            }
            generator.fill(chunk);
        });
    }
}

/// Mixes bytes of a device into the generator.
pub fn add(bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    with_generator(|generator| {
        generator.reseed(bytes);
        generator.sources.device = true;
    });
}

/// Mixes fresh processor randomness and jitter into the generator.
pub fn reseed() {
    let mut material = Material::gather(64);
    with_generator(|generator| {
        generator.reseed(&material.bytes);
        generator.sources.rdseed |= material.sources.rdseed;
        generator.sources.rdrand |= material.sources.rdrand;
    });
    material.bytes.zeroize();
}

/// Where the generator's state came from.
#[must_use]
pub fn sources() -> Sources {
    with_generator(|generator| generator.sources)
}

/// The generator as the firmware sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct SeededEntropy;

impl Entropy for SeededEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        fill(bytes);
    }
}

fn with_generator<T>(f: impl FnOnce(&mut Generator) -> T) -> T {
    critical_section::with(|section| {
        let mut slot = GENERATOR.borrow_ref_mut(section);
        let generator = slot.get_or_insert_with(|| {
            let mut material = Material::gather(JITTER_SAMPLES);
            let generator = Generator::new(&material.bytes, material.sources);
            material.bytes.zeroize();
            generator
        });
        f(generator)
    })
}

/// Raw seed material: 64 bytes of each processor instruction, and a digest of jitter.
struct Material {
    bytes: [u8; 160],
    sources: Sources,
}

impl Material {
    fn gather(jitter_samples: usize) -> Self {
        let cpuid = CpuId::new();
        let has_rdrand = cpuid.get_feature_info().is_some_and(|f| f.has_rdrand());
        let has_rdseed = cpuid
            .get_extended_feature_info()
            .is_some_and(|f| f.has_rdseed());
        let mut bytes = [0; 160];
        let (seed, rest) = bytes.split_at_mut(64);
        let (random, jitter_digest) = rest.split_at_mut(64);
        let sources = Sources {
            // SAFETY: CPUID says that the instruction exists.
            rdseed: has_rdseed && fill_words(seed, || unsafe { rdseed() }),
            // SAFETY: CPUID says that the instruction exists.
            rdrand: has_rdrand && fill_words(random, || unsafe { rdrand() }),
            device: false,
        };
        jitter_digest.copy_from_slice(&jitter(jitter_samples));
        Self { bytes, sources }
    }
}

/// Fills `bytes` with words from `source`; false if it failed for good before the end.
fn fill_words(bytes: &mut [u8], mut source: impl FnMut() -> Option<u64>) -> bool {
    for word in bytes.as_chunks_mut::<8>().0 {
        let Some(value) = (0..ATTEMPTS).find_map(|_| source()) else {
            return false;
        };
        *word = value.to_le_bytes();
    }
    true
}

/// A digest of how long port reads take, to the TSC tick.
fn jitter(samples: usize) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(tsc::ticks().to_le_bytes());
    for _ in 0..samples {
        // SAFETY: the POST port can be read anywhere; the bus cycle is slow and of uneven length.
        let _ = unsafe { inb(0x80) };
        hash.update(tsc::ticks().to_le_bytes());
    }
    hash.finalize().into()
}

/// One RDRAND word, `None` if the hardware had none ready.
///
/// # Safety
/// The processor must have the instruction.
unsafe fn rdrand() -> Option<u64> {
    let (value, is_valid): (u64, u8);
    // SAFETY: the caller vouches for the instruction, which touches registers and flags only.
    unsafe {
        asm!("rdrand {}", "setc {}", out(reg) value, out(reg_byte) is_valid, options(nomem, nostack))
    };
    (is_valid == 1).then_some(value)
}

/// One RDSEED word, `None` if the hardware had none ready.
///
/// # Safety
/// The processor must have the instruction.
unsafe fn rdseed() -> Option<u64> {
    let (value, is_valid): (u64, u8);
    // SAFETY: the caller vouches for the instruction, which touches registers and flags only.
    unsafe {
        asm!("rdseed {}", "setc {}", out(reg) value, out(reg_byte) is_valid, options(nomem, nostack))
    };
    (is_valid == 1).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(generator: &mut Generator) -> [u8; 64] {
        let mut bytes = [0; 64];
        generator.fill(&mut bytes);
        bytes
    }

    #[test]
    fn output_depends_on_the_seed_and_never_repeats() {
        let mut one = Generator::new(b"one", Sources::default());
        let mut same = Generator::new(b"one", Sources::default());
        let mut two = Generator::new(b"two", Sources::default());
        let first = bytes(&mut one);
        assert_eq!(first, bytes(&mut same));
        assert_ne!(first, bytes(&mut two));
        assert_ne!(first, bytes(&mut one));
    }

    #[test]
    fn reseeding_changes_the_stream_and_keeps_what_was_there() {
        let mut plain = Generator::new(b"seed", Sources::default());
        let mut mixed = Generator::new(b"seed", Sources::default());
        let mut other = Generator::new(b"other", Sources::default());
        mixed.reseed(b"more");
        other.reseed(b"more");
        assert_ne!(bytes(&mut plain), bytes(&mut mixed));
        assert_ne!(
            bytes(&mut other),
            bytes(&mut mixed),
            "the old key still counts"
        );
    }

    #[test]
    fn a_source_that_runs_dry_is_not_counted() {
        let mut left = 3;
        let mut source = || {
            left -= 1;
            (left >= 0).then_some(0x0101_0101_0101_0101)
        };
        assert!(!fill_words(&mut [0; 32], &mut source));
        assert!(fill_words(&mut [0; 24], || Some(7)));
        assert!(!Sources::default().has_hardware());
    }
}

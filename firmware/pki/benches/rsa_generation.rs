//! Steps and time of RSA key generation: `cargo bench --profile host -p pki`.
//!
//! A step is the longest that packets wait for key generation, so its worst case is what counts.
#![allow(missing_docs, reason = "a program")]

use std::time::{Duration, Instant};

use hal::entropy::Entropy;
use pki::{Progress, RsaBits, RsaGeneration};
use ring::rand::{SecureRandom, SystemRandom};

struct HostEntropy;

impl Entropy for HostEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        SystemRandom::new()
            .fill(bytes)
            .expect("the host's random source");
    }
}

fn main() {
    for (bits, keys) in [
        (RsaBits::B2048, 20u32),
        (RsaBits::B3072, 10),
        (RsaBits::B4096, 6),
    ] {
        let (mut steps, mut total, mut longest) = (0, Duration::ZERO, Duration::ZERO);
        let (mut fewest, mut most) = (u32::MAX, 0);
        for _ in 0..keys {
            let mut generation =
                RsaGeneration::start(bits, "bench", 0, &mut HostEntropy).expect("a good label");
            loop {
                let begun = Instant::now();
                let progress = generation.step(&mut HostEntropy).expect("no step fails");
                let taken = begun.elapsed();
                total += taken;
                longest = longest.max(taken);
                if let Progress::Done(_) = progress {
                    break;
                }
            }
            steps += generation.steps();
            fewest = fewest.min(generation.steps());
            most = most.max(generation.steps());
        }
        println!(
            "RSA-{}: {keys} keys, {} steps each ({fewest}..{most}), {:.2} ms a step, longest {:.2} \
             ms, {:.0} ms a key",
            bits.bits(),
            steps / keys,
            total.as_secs_f64() * 1e3 / f64::from(steps),
            longest.as_secs_f64() * 1e3,
            total.as_secs_f64() * 1e3 / f64::from(keys),
        );
    }
}

//! Steps and time of RSA key generation: `cargo bench --profile host -p pki`.
//!
//! A step is the longest that packets wait for key generation. On a busy host the longest step
//! measures the host's scheduler, the median the code.
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
        let (mut taken, mut last, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..keys {
            let mut generation =
                RsaGeneration::start(bits, "bench", 0, &mut HostEntropy).expect("a good label");
            loop {
                let begun = Instant::now();
                let progress = generation.step(&mut HostEntropy).expect("no step fails");
                taken.push(begun.elapsed());
                if let Progress::Done(_) = progress {
                    last.push(begun.elapsed());
                    break;
                }
            }
            steps.push(generation.steps());
        }
        let total: Duration = taken.iter().sum();
        for times in [&mut taken, &mut last] {
            times.sort_unstable();
        }
        steps.sort_unstable();
        println!(
            "RSA-{}: {keys} keys, {}..{} steps (median {}), a step {:.2} ms (median; 99 % within \
             {:.2}, longest {:.2}, the last of a key {:.2}), {:.0} ms a key (mean)",
            bits.bits(),
            steps[0],
            steps[steps.len() - 1],
            steps[steps.len() / 2],
            millis(taken[taken.len() / 2]),
            millis(taken[taken.len() * 99 / 100]),
            millis(taken[taken.len() - 1]),
            millis(last[last.len() / 2]),
            millis(total) / f64::from(keys),
        );
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

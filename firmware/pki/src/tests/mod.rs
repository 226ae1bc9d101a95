//! Tests of the whole crate. Certificates are made by the tests; OpenSSL on the host is the second
//! opinion.

mod enroll;
mod handshake;
mod import;
mod keys;
mod text;

use std::sync::OnceLock;
use std::vec::Vec;

use hal::entropy::Entropy;
use ring::rand::{SecureRandom, SystemRandom};

use crate::key::{Curve, KeyPair, RsaBits};
use crate::rsa::{Progress, RsaGeneration};
use crate::store::KeyStore;

/// 2026-06-01T00:00:00Z.
pub(super) const NOW: u64 = 1_780_272_000;

pub(super) const DAY: u64 = 86_400;

pub(super) struct HostEntropy;

impl Entropy for HostEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        SystemRandom::new()
            .fill(bytes)
            .expect("the host's random source");
    }
}

pub(super) fn generate(bits: RsaBits, label: &str) -> KeyPair {
    let mut random = HostEntropy;
    let mut generation = RsaGeneration::start(bits, label, NOW, &mut random).expect("a good label");
    loop {
        match generation.step(&mut random).expect("no step fails") {
            Progress::Working => {}
            Progress::Done(pair) => return *pair,
        }
    }
}

/// One RSA key for all tests, because making one takes a while.
pub(super) fn rsa_key() -> KeyPair {
    static BLOB: OnceLock<Vec<u8>> = OnceLock::new();
    let blob = BLOB.get_or_init(|| {
        let mut store = KeyStore::new();
        store
            .insert(generate(RsaBits::B2048, "rsa_key"))
            .expect("room");
        store.to_blob().to_vec()
    });
    let mut store = KeyStore::from_blob(blob).expect("our own blob");
    store.take("rsa_key").expect("put in above")
}

pub(super) fn ec_key(label: &str) -> KeyPair {
    KeyPair::generate_ecdsa(label, Curve::P256, NOW).expect("a good label")
}

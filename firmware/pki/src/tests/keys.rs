//! Key pairs, their store, RSA generation.

use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::{HostEntropy, NOW, ec_key, generate, rsa_key};
use crate::key::{Curve, KeyAlgorithm, KeyError, KeyPair, KeyUsage, ModulusChoice, RsaBits};
use crate::rsa::RsaGeneration;
use crate::store::{BlobError, KeyStore, MAX_KEYS, StoreError};

#[test]
fn a_generated_rsa_key_has_the_size_asked_for_and_signs() {
    let pair = rsa_key();
    assert_eq!(pair.algorithm(), KeyAlgorithm::Rsa(RsaBits::B2048));
    assert_eq!(pair.generated_at(), NOW);
    // SubjectPublicKeyInfo of a 2048-bit key with a three-byte exponent.
    assert_eq!(pair.public_key().len(), 294);
    assert_eq!(pair.sign(b"message").expect("signs").len(), 256);
}

#[test]
fn larger_rsa_keys_are_made_too() {
    let pair = generate(RsaBits::B3072, "large");
    assert_eq!(pair.sign(b"message").expect("signs").len(), 384);
}

#[test]
fn short_moduli_are_raised_with_a_warning() {
    let choice = RsaBits::choose(1024).expect("the command takes 1024");
    assert_eq!(choice.bits(), RsaBits::B2048);
    assert!(
        choice
            .warning()
            .expect("a warning")
            .starts_with("WARNING: ")
    );
    assert_eq!(
        RsaBits::choose(4096),
        Some(ModulusChoice::AsAsked(RsaBits::B4096))
    );
    assert_eq!(RsaBits::choose(1000), None);
    assert_eq!(Curve::from_bits(521), None);
}

#[test]
fn labels_that_could_break_a_line_are_refused() {
    for label in ["", "two words", "line\nbreak", "\u{e9}", &"x".repeat(129)] {
        assert_eq!(
            KeyPair::generate_ecdsa(label, Curve::P256, NOW).err(),
            Some(KeyError::BadLabel)
        );
        assert_eq!(
            RsaGeneration::start(RsaBits::B2048, label, NOW, &mut HostEntropy).err(),
            Some(KeyError::BadLabel)
        );
    }
}

#[test]
fn a_store_comes_back_from_its_blob() {
    let mut store = KeyStore::new();
    for pair in [
        rsa_key(),
        ec_key("p256").with_usage(KeyUsage::Signature),
        KeyPair::generate_ecdsa("p384", Curve::P384, 7).expect("a good label"),
    ] {
        store.insert(pair).expect("room");
    }
    let back = KeyStore::from_blob(&store.to_blob()).expect("our own blob");
    let facts = |store: &KeyStore| -> Vec<_> {
        store
            .iter()
            .map(|pair| {
                (
                    String::from(pair.label()),
                    pair.algorithm(),
                    pair.usage(),
                    pair.generated_at(),
                    pair.public_key().to_vec(),
                )
            })
            .collect()
    };
    assert_eq!(facts(&back), facts(&store));
    assert_eq!(back.to_blob(), store.to_blob());
    let empty = KeyStore::from_blob(&KeyStore::new().to_blob()).expect("our own blob");
    assert!(empty.is_empty());
}

#[test]
fn a_pair_of_the_same_name_takes_the_place_of_the_old_one() {
    let mut store = KeyStore::new();
    store.insert(ec_key("key")).expect("room");
    let second = ec_key("key");
    let public = second.public_key().to_vec();
    store.insert(second).expect("in place of the first");
    assert_eq!(store.iter().count(), 1);
    assert_eq!(store.get("key").expect("there").public_key(), public);
}

#[test]
fn a_full_store_refuses_another_name() {
    let mut store = KeyStore::new();
    for index in 0..MAX_KEYS {
        store.insert(ec_key(&format!("key{index}"))).expect("room");
    }
    assert_eq!(store.insert(ec_key("another")), Err(StoreError::Full));
    assert_eq!(store.insert(ec_key("key3")), Ok(()));
}

#[test]
fn zeroize_forgets_by_name_and_by_kind() {
    let mut store = KeyStore::new();
    for pair in [rsa_key(), ec_key("one"), ec_key("two")] {
        store.insert(pair).expect("room");
    }
    assert!(store.zeroize("one"));
    assert!(!store.zeroize("one"));
    let is_rsa = |pair: &KeyPair| matches!(pair.algorithm(), KeyAlgorithm::Rsa(_));
    assert_eq!(store.zeroize_where(is_rsa), 1);
    assert_eq!(
        store.iter().map(KeyPair::label).collect::<Vec<_>>(),
        ["two"]
    );
}

#[test]
fn debug_output_holds_no_key_bytes() {
    let mut store = KeyStore::new();
    store.insert(ec_key("key")).expect("room");
    assert_eq!(
        format!("{store:?}"),
        "[KeyPair { label: \"key\", algorithm: Ecdsa(P256), .. }]"
    );
}

#[test]
fn damaged_blobs_are_told_apart() {
    let mut store = KeyStore::new();
    store.insert(ec_key("key")).expect("room");
    let blob = store.to_blob();
    let error = |bytes: &[u8]| KeyStore::from_blob(bytes).err();
    assert_eq!(error(b""), Some(BlobError::NotAKeyStore));
    assert_eq!(error(b"SPKX\x01\x00"), Some(BlobError::NotAKeyStore));
    assert_eq!(error(b"SPKS\x09\x00"), Some(BlobError::UnknownVersion(9)));
    assert_eq!(error(&blob[..blob.len() - 1]), Some(BlobError::Corrupt));
    let mut longer = blob.to_vec();
    longer.push(0);
    assert_eq!(error(&longer), Some(BlobError::Corrupt));
    assert_eq!(error(&[0; 200_000]), Some(BlobError::TooLarge));
    // The private scalar is in the middle; ring notices that it does not fit the public point.
    let mut flipped = blob.to_vec();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    assert!(matches!(
        error(&flipped),
        Some(BlobError::BadKey { index: 0, .. })
    ));
}

proptest! {
    #[test]
    fn no_blob_makes_the_store_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        with_head in any::<bool>(),
    ) {
        let mut blob = if with_head { b"SPKS\x01".to_vec() } else { Vec::new() };
        blob.extend(bytes);
        let _ = KeyStore::from_blob(&blob);
    }
}

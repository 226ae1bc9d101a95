//! The store of key pairs, and the blob it is kept as.
//!
//! The blob is opaque to everyone else: a magic word, a version, and a postcard list of names, kinds
//! and PKCS#8 keys. It is as secret as the keys: whoever writes it to disk wipes the copy, which
//! [`Zeroizing`] does by itself.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::key::{Curve, KeyAlgorithm, KeyError, KeyPair, KeyUsage, LABEL_MAX, RsaBits};

/// Most key pairs the store takes.
pub const MAX_KEYS: usize = 32;

/// Longest blob that is read. 32 RSA-4096 keys are about 80 KiB.
pub const MAX_BLOB_LEN: usize = 128 * 1024;

const MAGIC: [u8; 4] = *b"SPKS";

/// Goes up when [`Stored`] changes.
const VERSION: u8 = 1;

/// Bytes of a stored key besides its name and the key itself, generously.
const STORED_OVERHEAD: usize = 32;

/// Why the store did not take a key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// It already holds [`MAX_KEYS`].
    Full,
}

/// Why a blob was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobError {
    /// It does not begin as a key store does.
    NotAKeyStore,
    /// It was written by another version.
    UnknownVersion(u8),
    /// It is longer than [`MAX_BLOB_LEN`] or holds more than [`MAX_KEYS`].
    TooLarge,
    /// It is damaged.
    Corrupt,
    /// The key at this place in the list is damaged or of a kind this box does not use.
    BadKey {
        /// Place in the list, from 0.
        index: usize,
        /// What is wrong with it.
        error: KeyError,
    },
}

/// All key pairs of the box, by name.
#[derive(Default)]
pub struct KeyStore {
    pairs: Vec<KeyPair>,
}

impl KeyStore {
    /// An empty store.
    #[must_use]
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    /// Puts a pair in, in place of one of the same name if there is one.
    ///
    /// # Errors
    /// [`StoreError::Full`].
    pub fn insert(&mut self, pair: KeyPair) -> Result<(), StoreError> {
        if let Some(old) = self.pairs.iter_mut().find(|p| p.label() == pair.label()) {
            *old = pair;
            return Ok(());
        }
        if self.pairs.len() >= MAX_KEYS {
            return Err(StoreError::Full);
        }
        self.pairs.push(pair);
        Ok(())
    }

    /// The pair of that name.
    #[must_use]
    pub fn get(&self, label: &str) -> Option<&KeyPair> {
        self.pairs.iter().find(|pair| pair.label() == label)
    }

    /// Takes the pair of that name out.
    pub fn take(&mut self, label: &str) -> Option<KeyPair> {
        let index = self.pairs.iter().position(|pair| pair.label() == label)?;
        Some(self.pairs.remove(index))
    }

    /// Wipes the pair of that name; returns whether there was one.
    pub fn zeroize(&mut self, label: &str) -> bool {
        let before = self.pairs.len();
        self.pairs.retain(|pair| pair.label() != label);
        self.pairs.len() != before
    }

    /// Wipes every pair that `is_meant` picks (all RSA pairs, for instance); returns how many.
    pub fn zeroize_where(&mut self, mut is_meant: impl FnMut(&KeyPair) -> bool) -> usize {
        let before = self.pairs.len();
        self.pairs.retain(|pair| !is_meant(pair));
        before - self.pairs.len()
    }

    /// All pairs, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &KeyPair> {
        self.pairs.iter()
    }

    /// Whether there is no pair.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The store as bytes for the disk.
    #[must_use]
    pub fn to_blob(&self) -> Zeroizing<Vec<u8>> {
        let stored: Vec<Stored<'_>> = self.pairs.iter().map(Stored::from).collect();
        // One allocation of the final size: a growing vector would leave keys in freed memory.
        let room: usize = self
            .pairs
            .iter()
            .map(|pair| pair.label().len() + pair.private().len() + STORED_OVERHEAD)
            .sum();
        let mut blob = Zeroizing::new(vec![0; MAGIC.len() + 1 + STORED_OVERHEAD + room]);
        let (head, body) = blob.split_at_mut(MAGIC.len() + 1);
        head.copy_from_slice(&[MAGIC[0], MAGIC[1], MAGIC[2], MAGIC[3], VERSION]);
        let used = postcard::to_slice(&stored, body)
            .expect("the room was counted above")
            .len();
        blob.truncate(MAGIC.len() + 1 + used);
        blob
    }

    /// Reads what [`to_blob`](Self::to_blob) made. Every key is checked by ring.
    ///
    /// # Errors
    /// [`BlobError`].
    pub fn from_blob(blob: &[u8]) -> Result<Self, BlobError> {
        if blob.len() > MAX_BLOB_LEN {
            return Err(BlobError::TooLarge);
        }
        let (version, body) = blob
            .strip_prefix(&MAGIC)
            .and_then(<[u8]>::split_first)
            .ok_or(BlobError::NotAKeyStore)?;
        if *version != VERSION {
            return Err(BlobError::UnknownVersion(*version));
        }
        let (stored, rest) =
            postcard::take_from_bytes::<Vec<Stored<'_>>>(body).map_err(|_| BlobError::Corrupt)?;
        if !rest.is_empty() {
            return Err(BlobError::Corrupt);
        }
        if stored.len() > MAX_KEYS {
            return Err(BlobError::TooLarge);
        }
        let mut store = Self::new();
        for (index, key) in stored.iter().enumerate() {
            let pair = key
                .to_pair()
                .map_err(|error| BlobError::BadKey { index, error })?;
            if store.get(pair.label()).is_some() {
                return Err(BlobError::Corrupt);
            }
            store.pairs.push(pair);
        }
        Ok(store)
    }
}

impl fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.pairs).finish()
    }
}

/// A key pair in the blob; borrows, so that no copy of the key is made.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    label: &'a str,
    kind: Kind,
    usage: Usage,
    generated_at: u64,
    private: &'a [u8],
}

/// [`KeyAlgorithm`] as stored; the order of variants is the format.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Kind {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    P256,
    P384,
}

/// [`KeyUsage`] as stored; the order of variants is the format.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Usage {
    General,
    Signature,
    Encryption,
}

impl<'a> From<&'a KeyPair> for Stored<'a> {
    fn from(pair: &'a KeyPair) -> Self {
        Self {
            label: pair.label(),
            kind: match pair.algorithm() {
                KeyAlgorithm::Rsa(RsaBits::B2048) => Kind::Rsa2048,
                KeyAlgorithm::Rsa(RsaBits::B3072) => Kind::Rsa3072,
                KeyAlgorithm::Rsa(RsaBits::B4096) => Kind::Rsa4096,
                KeyAlgorithm::Ecdsa(Curve::P256) => Kind::P256,
                KeyAlgorithm::Ecdsa(Curve::P384) => Kind::P384,
            },
            usage: match pair.usage() {
                KeyUsage::General => Usage::General,
                KeyUsage::Signature => Usage::Signature,
                KeyUsage::Encryption => Usage::Encryption,
            },
            generated_at: pair.generated_at(),
            private: pair.private(),
        }
    }
}

impl Stored<'_> {
    fn to_pair(&self) -> Result<KeyPair, KeyError> {
        if self.label.len() > LABEL_MAX {
            return Err(KeyError::BadLabel);
        }
        let algorithm = match self.kind {
            Kind::Rsa2048 => KeyAlgorithm::Rsa(RsaBits::B2048),
            Kind::Rsa3072 => KeyAlgorithm::Rsa(RsaBits::B3072),
            Kind::Rsa4096 => KeyAlgorithm::Rsa(RsaBits::B4096),
            Kind::P256 => KeyAlgorithm::Ecdsa(Curve::P256),
            Kind::P384 => KeyAlgorithm::Ecdsa(Curve::P384),
        };
        let usage = match self.usage {
            Usage::General => KeyUsage::General,
            Usage::Signature => KeyUsage::Signature,
            Usage::Encryption => KeyUsage::Encryption,
        };
        let private = Zeroizing::new(self.private.to_vec());
        KeyPair::from_pkcs8(self.label, algorithm, usage, self.generated_at, private)
    }
}

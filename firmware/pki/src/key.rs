//! One named key pair.
//!
//! The private half is held as PKCS#8 in memory that is wiped on release, and as the signer that
//! ring made of it. [`KeyPair`] signs; nothing returns the private half but the store's blob, and
//! nothing prints it. Ring does not wipe its own copy when the last user of a signer goes: that copy
//! alone may stay in freed memory until it is used again.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
};
use rustls::SignatureScheme;
use rustls::sign::SigningKey;
use zeroize::Zeroizing;

/// Name of the RSA key pair that is made, or used, when the command names none.
pub const DEFAULT_RSA_LABEL: &str = "<Default-RSA-Key>";

/// Name of the ECDSA key pair that is made, or used, when the command names none.
pub const DEFAULT_ECDSA_LABEL: &str = "<Default-ECDSA-Key>";

/// Longest name of a key pair, in bytes.
pub const LABEL_MAX: usize = 128;

/// Size of an RSA modulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RsaBits {
    /// 2048 bits.
    B2048,
    /// 3072 bits.
    B3072,
    /// 4096 bits.
    B4096,
}

/// What `modulus N` of `crypto key generate rsa` leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModulusChoice {
    /// The size asked for.
    AsAsked(RsaBits),
    /// A size that ASA has but TLS no longer takes: 2048 bits are made instead, with a warning.
    Raised {
        /// What was asked for, in bits.
        asked: u16,
        /// What is made.
        made: RsaBits,
    },
}

impl ModulusChoice {
    /// The size to make.
    #[must_use]
    pub const fn bits(self) -> RsaBits {
        match self {
            Self::AsAsked(bits) | Self::Raised { made: bits, .. } => bits,
        }
    }

    /// The line to print, if the size asked for is not the size made.
    #[must_use]
    pub fn warning(self) -> Option<String> {
        match self {
            Self::AsAsked(_) => None,
            Self::Raised { asked, made } => Some(alloc::format!(
                "WARNING: a modulus of {asked} bits is too short for TLS; a modulus of {} bits is \
                 made instead.",
                made.bits()
            )),
        }
    }
}

impl RsaBits {
    /// The size made when the command names none.
    pub const DEFAULT: Self = Self::B2048;

    /// Size in bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        match self {
            Self::B2048 => 2048,
            Self::B3072 => 3072,
            Self::B4096 => 4096,
        }
    }

    /// What `modulus asked` leads to; `None` if the command takes no such number.
    #[must_use]
    pub const fn choose(asked: u16) -> Option<ModulusChoice> {
        match asked {
            2048 => Some(ModulusChoice::AsAsked(Self::B2048)),
            3072 => Some(ModulusChoice::AsAsked(Self::B3072)),
            4096 => Some(ModulusChoice::AsAsked(Self::B4096)),
            512 | 768 | 1024 => Some(ModulusChoice::Raised {
                asked,
                made: Self::B2048,
            }),
            _ => None,
        }
    }
}

/// Curve of an ECDSA key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

impl Curve {
    /// The curve of `elliptic-curve BITS`; `None` for 521, which ring does not have.
    #[must_use]
    pub const fn from_bits(bits: u16) -> Option<Self> {
        match bits {
            256 => Some(Self::P256),
            384 => Some(Self::P384),
            _ => None,
        }
    }

    /// Size in bits.
    #[must_use]
    pub const fn bits(self) -> u16 {
        match self {
            Self::P256 => 256,
            Self::P384 => 384,
        }
    }
}

/// What kind of key pair it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// RSA, public exponent 65537.
    Rsa(RsaBits),
    /// ECDSA.
    Ecdsa(Curve),
}

impl KeyAlgorithm {
    /// The scheme that certificates and requests are signed with.
    const fn scheme(self) -> SignatureScheme {
        match self {
            Self::Rsa(_) => SignatureScheme::RSA_PKCS1_SHA256,
            Self::Ecdsa(Curve::P256) => SignatureScheme::ECDSA_NISTP256_SHA256,
            Self::Ecdsa(Curve::P384) => SignatureScheme::ECDSA_NISTP384_SHA384,
        }
    }
}

/// What the operator said the pair is for. TLS needs a general-purpose key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyUsage {
    /// `general-keys`, the default.
    #[default]
    General,
    /// `usage-keys`, the pair for signatures.
    Signature,
    /// `usage-keys`, the pair for encryption.
    Encryption,
}

/// Why a key pair could not be made or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The name is empty, too long, or holds control characters or spaces.
    BadLabel,
    /// The bytes are no PKCS#8 private key that ring takes.
    Rejected,
    /// The key is of a kind or size this box does not use.
    Unsupported,
    /// The random source failed.
    NoRandomness,
}

/// A named key pair.
pub struct KeyPair {
    label: String,
    algorithm: KeyAlgorithm,
    usage: KeyUsage,
    generated_at: u64,
    private: Zeroizing<Vec<u8>>,
    /// SubjectPublicKeyInfo, DER.
    public: Vec<u8>,
    signer: Arc<dyn SigningKey>,
}

impl KeyPair {
    /// Makes an ECDSA key pair; this takes well under a millisecond.
    ///
    /// # Errors
    /// [`KeyError::BadLabel`] or [`KeyError::NoRandomness`].
    pub fn generate_ecdsa(label: &str, curve: Curve, generated_at: u64) -> Result<Self, KeyError> {
        let algorithm = match curve {
            Curve::P256 => &ECDSA_P256_SHA256_ASN1_SIGNING,
            Curve::P384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        };
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new())
            .map_err(|_| KeyError::NoRandomness)?;
        let private = Zeroizing::new(document.as_ref().to_vec());
        Self::from_pkcs8(
            label,
            KeyAlgorithm::Ecdsa(curve),
            KeyUsage::General,
            generated_at,
            private,
        )
    }

    /// Takes a PKCS#8 private key, after ring has checked it.
    ///
    /// # Errors
    /// [`KeyError::BadLabel`], [`KeyError::Rejected`] or [`KeyError::Unsupported`].
    pub(crate) fn from_pkcs8(
        label: &str,
        algorithm: KeyAlgorithm,
        usage: KeyUsage,
        generated_at: u64,
        private: Zeroizing<Vec<u8>>,
    ) -> Result<Self, KeyError> {
        if !is_label(label) {
            return Err(KeyError::BadLabel);
        }
        // Borrowed, so that no copy is left behind.
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(private.as_slice()));
        let signer =
            rustls::crypto::ring::sign::any_supported_type(&der).map_err(|_| KeyError::Rejected)?;
        let public = signer
            .public_key()
            .ok_or(KeyError::Rejected)?
            .as_ref()
            .to_vec();
        if signer.choose_scheme(&[algorithm.scheme()]).is_none() {
            return Err(KeyError::Unsupported);
        }
        Ok(Self {
            label: String::from(label),
            algorithm,
            usage,
            generated_at,
            private,
            public,
            signer,
        })
    }

    /// The same pair for another purpose.
    #[must_use]
    pub fn with_usage(mut self, usage: KeyUsage) -> Self {
        self.usage = usage;
        self
    }

    /// The pair's name.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What kind of key it is.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }

    /// What it is for.
    #[must_use]
    pub fn usage(&self) -> KeyUsage {
        self.usage
    }

    /// When it was made.
    #[must_use]
    pub fn generated_at(&self) -> u64 {
        self.generated_at
    }

    /// The public half: SubjectPublicKeyInfo, DER (RFC 5280 §4.1.2.7).
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// Signs `message` as certificates and requests are signed: PKCS#1 v1.5 with SHA-256 for RSA,
    /// ECDSA with SHA-256 or SHA-384 (DER) by curve.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`] if the random source failed.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signer = self
            .signer
            .choose_scheme(&[self.algorithm.scheme()])
            .ok_or(KeyError::Unsupported)?;
        signer.sign(message).map_err(|_| KeyError::NoRandomness)
    }

    pub(crate) fn signer(&self) -> Arc<dyn SigningKey> {
        Arc::clone(&self.signer)
    }

    pub(crate) fn private(&self) -> &[u8] {
        &self.private
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair")
            .field("label", &self.label)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Whether `label` can name a key pair.
#[must_use]
pub fn is_label(label: &str) -> bool {
    !label.is_empty() && label.len() <= LABEL_MAX && label.chars().all(|c| c.is_ascii_graphic())
}

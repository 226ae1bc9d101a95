//! ASA's names of cipher suites.
//!
//! The suites that the federation guide names are static-RSA and CBC suites, which the TLS library
//! does not have and modern peers refuse. The words are taken, do nothing, and say so: TLS 1.2 and
//! 1.3 with ECDHE and AES-GCM or ChaCha20-Poly1305 are always offered.

use core::fmt;

/// A cipher word of `ssl encryption` and of `client cipher-suite` that ASA knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CipherWord {
    /// The word.
    pub word: &'static str,
    /// The suite's registered name.
    pub suite: &'static str,
    /// The suite's number (IANA TLS Cipher Suites).
    pub id: u16,
    /// Why it is not offered.
    pub refusal: Refusal,
}

/// Why a suite is not offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It does not encrypt.
    NoEncryption,
    /// Its cipher is broken or too short (RFC 7465, RFC 8996, Sweet32).
    WeakCipher,
    /// Its key exchange has no forward secrecy, and its CBC mode is no AEAD (RFC 9325 §4.1).
    NoForwardSecrecy,
    /// Its finite-field key exchange and CBC mode are discouraged (RFC 9325 §4.1).
    FiniteField,
}

/// Every cipher word ASA knows.
pub const CIPHER_WORDS: [CipherWord; 7] = [
    CipherWord {
        word: "null-sha1",
        suite: "TLS_RSA_WITH_NULL_SHA",
        id: 0x0002,
        refusal: Refusal::NoEncryption,
    },
    CipherWord {
        word: "des-sha1",
        suite: "TLS_RSA_WITH_DES_CBC_SHA",
        id: 0x0009,
        refusal: Refusal::WeakCipher,
    },
    CipherWord {
        word: "3des-sha1",
        suite: "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        id: 0x000a,
        refusal: Refusal::WeakCipher,
    },
    CipherWord {
        word: "aes128-sha1",
        suite: "TLS_RSA_WITH_AES_128_CBC_SHA",
        id: 0x002f,
        refusal: Refusal::NoForwardSecrecy,
    },
    CipherWord {
        word: "aes256-sha1",
        suite: "TLS_RSA_WITH_AES_256_CBC_SHA",
        id: 0x0035,
        refusal: Refusal::NoForwardSecrecy,
    },
    CipherWord {
        word: "dhe-aes128-sha1",
        suite: "TLS_DHE_RSA_WITH_AES_128_CBC_SHA",
        id: 0x0033,
        refusal: Refusal::FiniteField,
    },
    CipherWord {
        word: "dhe-aes256-sha1",
        suite: "TLS_DHE_RSA_WITH_AES_256_CBC_SHA",
        id: 0x0039,
        refusal: Refusal::FiniteField,
    },
];

/// Finds a cipher word.
#[must_use]
pub fn lookup(word: &str) -> Option<&'static CipherWord> {
    CIPHER_WORDS
        .iter()
        .find(|known| known.word.eq_ignore_ascii_case(word))
}

/// The warning line of a word that was taken.
impl fmt::Display for CipherWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "WARNING: {} ({}) is not offered: {}.",
            self.word, self.suite, self.refusal
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoEncryption => "it does not encrypt",
            Self::WeakCipher => "its cipher is broken",
            Self::NoForwardSecrecy => "it has no forward secrecy",
            Self::FiniteField => "its key exchange is obsolete",
        })
    }
}

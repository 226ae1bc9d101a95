//! Signing keys: Ed25519, in the files that `openssl genpkey -algorithm ed25519` writes.
//!
//! RFC 8410: a private key is a fixed frame of sixteen bytes around its seed, a public one a fixed frame of
//! twelve around itself; other frames are refused rather than interpreted.

use std::fmt;
use std::fs;
use std::path::Path;

use ed25519_dalek::{Signer as _, SigningKey};

use super::DiskError;

/// RFC 8410 §7: PKCS #8 version 1, id-Ed25519, a string of 32 bytes.
const PRIVATE_FRAME: [u8; 16] = [
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
];
/// RFC 8410 §4.
const PUBLIC_FRAME: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// A key that signs.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// The key of a seed.
    #[must_use]
    pub fn of_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// Reads a PEM file.
    ///
    /// # Errors
    /// [`DiskError::File`], [`DiskError::NoKey`].
    pub fn read(path: &Path) -> Result<Self, DiskError> {
        let text = fs::read_to_string(path).map_err(|source| DiskError::File {
            path: path.into(),
            source,
        })?;
        Self::parse(&text)
    }

    /// Reads a PEM text.
    ///
    /// # Errors
    /// [`DiskError::NoKey`].
    pub fn parse(text: &str) -> Result<Self, DiskError> {
        let (_, rest) = text
            .split_once("-----BEGIN PRIVATE KEY-----")
            .ok_or(DiskError::NoKey("no PKCS #8 private key in PEM"))?;
        let (body, _) = rest
            .split_once("-----END PRIVATE KEY-----")
            .ok_or(DiskError::NoKey("the PEM text has no end"))?;
        let der = base64(body).ok_or(DiskError::NoKey("not base64"))?;
        let seed = der
            .strip_prefix(&PRIVATE_FRAME)
            .and_then(|seed| <[u8; 32]>::try_from(seed).ok())
            .ok_or(DiskError::NoKey("another kind of key"))?;
        Ok(Self::of_seed(seed))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// The public key as a PEM text, for `openssl pkeyutl -verify`.
    #[must_use]
    pub fn public_pem(&self) -> String {
        let mut der = PUBLIC_FRAME.to_vec();
        der.extend_from_slice(&self.public());
        let body = to_base64(&der);
        format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
    }

    /// Signs.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648 §4, blanks and line ends skipped.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=')
    {
        let digit = DIGITS.iter().position(|&digit| digit == byte)?;
        bits = bits << 6 | digit as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    Some(out)
}

fn to_base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let digit = DIGITS.get((bits >> (18 - 6 * index)) as usize & 63);
            let digit = digit.filter(|_| index <= chunk.len());
            out.push(digit.map_or('=', |&digit| char::from(digit)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8410 §10.3 and §10.1: the example key and its public half.
    #[test]
    fn the_rfcs_example_is_read_and_its_public_key_written() {
        let key = PrivateKey::parse(
            "-----BEGIN PRIVATE KEY-----\n\
             MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
             -----END PRIVATE KEY-----\n",
        )
        .unwrap();
        assert!(
            key.public_pem()
                .contains("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=")
        );
    }

    #[test]
    fn both_halves_of_the_development_key_belong_together() {
        let text = include_str!("../../keys/development.private.pem");
        let key = PrivateKey::parse(text).unwrap();
        assert_eq!(key.public(), loader::key::DEVELOPMENT);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "-----BEGIN PRIVATE KEY-----\nMC4C",
            "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----",
        ] {
            assert!(
                matches!(PrivateKey::parse(text), Err(DiskError::NoKey(_))),
                "{text}"
            );
        }
    }
}

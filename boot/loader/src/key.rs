//! The public key that firmware must be signed with. One key, compiled in.
//!
//! A build without `SALLYPORT_PUBLIC_KEY` (64 hexadecimal digits) trusts the development key, whose private
//! half is in the source tree for everybody to read; the loader says so each time.

use core::fmt;

use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha512};

/// The development key.
pub const DEVELOPMENT: [u8; 32] = parse(include_str!("../../../image/keys/development.public"));

/// The key this loader trusts.
pub const TRUSTED: [u8; 32] = match option_env!("SALLYPORT_PUBLIC_KEY") {
    Some(text) => parse(text),
    None => DEVELOPMENT,
};

/// Reads 64 lower-case hexadecimal digits; stops the compiler at anything else.
const fn parse(text: &str) -> [u8; 32] {
    const fn digit(character: u8) -> u8 {
        if character.is_ascii_digit() {
            character - b'0'
        } else {
            assert!(
                matches!(character, b'a'..=b'f'),
                "a key is 64 hexadecimal digits"
            );
            character - b'a' + 10
        }
    }
    let text = text.trim_ascii().as_bytes();
    assert!(text.len() == 64, "a key is 64 hexadecimal digits");
    let mut key = [0; 32];
    let mut index = 0;
    while index < 32 {
        key[index] = digit(text[2 * index]) << 4 | digit(text[2 * index + 1]);
        index += 1;
    }
    key
}

/// A public key.
#[derive(Clone)]
pub struct PublicKey {
    key: VerifyingKey,
    bytes: [u8; 32],
}

impl PublicKey {
    /// The key of 32 bytes (RFC 8032 §5.1.5); `None` if they are none.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(&bytes).ok()?;
        Some(Self { key, bytes })
    }

    /// Whether this is the development key.
    #[must_use]
    pub fn is_development(&self) -> bool {
        self.bytes == DEVELOPMENT
    }

    /// The key's name in headers: the first bytes of its SHA-512.
    #[must_use]
    pub fn id(&self) -> [u8; 8] {
        let digest = Sha512::digest(self.bytes);
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// Whether `signature` over `message` is this key's. Strict: no key or signature of small order.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        self.key.verify_strict(message, &signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", KeyId(self.id()))
    }
}

/// A key's name, printed in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 §7.1, test 2.
    #[test]
    fn the_rfcs_signature_verifies_and_a_changed_one_does_not() {
        let key = parse("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let half = |text| parse(text);
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&half(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da",
        ));
        signature[32..].copy_from_slice(&half(
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ));
        let key = PublicKey::new(key).unwrap();
        assert!(key.verifies(&[0x72], &signature));
        assert!(!key.verifies(&[0x73], &signature));
        signature[5] ^= 1;
        assert!(!key.verifies(&[0x72], &signature));
        assert!(!key.is_development());
        assert!(PublicKey::new(DEVELOPMENT).unwrap().is_development());
    }
}

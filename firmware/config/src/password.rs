//! The stored form of passwords: PBKDF2 with HMAC-SHA-512 (RFC 8018 §5.2), written the ASA way as
//! `$sha512$ITERATIONS$SALT$HASH`, salt and hash in base64.

use alloc::format;
use alloc::string::String;
use core::fmt;

/// Rounds of a new hash; the value ASA writes.
pub const ITERATIONS: u32 = 5_000;

/// Bounds of a new password, in characters.
pub const LENGTHS: core::ops::RangeInclusive<usize> = 3..=127;

/// Bytes of salt in a new hash.
pub const SALT_LEN: usize = 16;

/// Bytes of a hash: 16 of the 64 that SHA-512 gives, as ASA keeps.
pub const HASH_LEN: usize = 16;

/// Most rounds accepted in pasted text, so that a typing error cannot stall the box.
const MAX_ITERATIONS: u32 = 1_000_000;

/// A password that cannot be read back.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    iterations: u32,
    salt: [u8; SALT_LEN],
    hash: [u8; HASH_LEN],
}

impl PasswordHash {
    /// Hashes `password` with `salt`, which must be fresh random bytes.
    #[must_use]
    pub fn of(password: &[u8], salt: [u8; SALT_LEN]) -> Self {
        Self {
            iterations: ITERATIONS,
            salt,
            hash: derive(password, &salt, ITERATIONS),
        }
    }

    /// Whether `password` is the one that was hashed. Takes the same time for every wrong password
    /// of the same length.
    #[must_use]
    pub fn verify(&self, password: &[u8]) -> bool {
        let hash = derive(password, &self.salt, self.iterations);
        let difference = hash
            .iter()
            .zip(&self.hash)
            .fold(0, |difference, (a, b)| difference | (a ^ b));
        core::hint::black_box(difference) == 0
    }

    /// Reads the stored form. Returns `None` if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut fields = text.strip_prefix("$sha512$")?.splitn(3, '$');
        let iterations = fields.next()?;
        if iterations.is_empty() || !iterations.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let iterations = iterations
            .parse()
            .ok()
            .filter(|n| (1..=MAX_ITERATIONS).contains(n))?;
        let salt = base64_decode(fields.next()?)?;
        let hash = base64_decode(fields.next()?)?;
        Some(Self {
            iterations,
            salt,
            hash,
        })
    }
}

impl fmt::Display for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (salt, hash) = (base64_encode(&self.salt), base64_encode(&self.hash));
        write!(f, "$sha512${}${salt}${hash}", self.iterations)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("PasswordHash({} rounds)", self.iterations))
    }
}

fn derive(password: &[u8], salt: &[u8], iterations: u32) -> [u8; HASH_LEN] {
    pbkdf2::pbkdf2_hmac_array::<sha2::Sha512, HASH_LEN>(password, salt, iterations)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding (RFC 4648 §4).
fn base64_encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let sextet = (bits >> (18 - 6 * place)) & 0x3f;
            match ALPHABET.get(sextet as usize) {
                Some(&letter) if place <= group.len() => text.push(char::from(letter)),
                _ => text.push('='),
            }
        }
    }
    text
}

/// Reads exactly `N` bytes; anything that [`base64_encode`] would not write is refused, so that
/// printing what was read gives the same text.
fn base64_decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = bytes.iter_mut();
    let mut bits: u32 = 0;
    let mut count = 0;
    for letter in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|&candidate| candidate == letter)?;
        bits = bits << 6 | value as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            *filled.next()? = (bits >> count) as u8;
            bits &= (1 << count) - 1;
        }
    }
    (filled.next().is_none() && base64_encode(&bytes) == text).then_some(bytes)
}

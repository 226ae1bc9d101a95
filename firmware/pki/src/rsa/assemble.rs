//! From two primes to a PKCS#8 private key (RFC 8017 appendix A.1.2, RFC 5208).
//!
//! The public exponent is a small prime, so its inverse modulo any m is (1 + k·m) / e with a small
//! k, which needs no long division. Every buffer is wiped.

use alloc::vec;
use alloc::vec::Vec;

use crypto_bigint::{NonZero, Odd, Uint};
use der::asn1::{AnyRef, Null, OctetStringRef, UintRef};
use der::{Encode, Sequence};
use spki::AlgorithmIdentifierRef;
use zeroize::{Zeroize, Zeroizing};

use super::EXPONENT;
use super::prime::remainder;
use crate::certificate::RSA_ENCRYPTION;
use crate::key::KeyError;

/// RSAPrivateKey of two primes.
#[derive(Sequence)]
struct RsaPrivateKey<'a> {
    version: u8,
    modulus: UintRef<'a>,
    public_exponent: UintRef<'a>,
    private_exponent: UintRef<'a>,
    prime1: UintRef<'a>,
    prime2: UintRef<'a>,
    exponent1: UintRef<'a>,
    exponent2: UintRef<'a>,
    coefficient: UintRef<'a>,
}

/// PrivateKeyInfo.
#[derive(Sequence)]
struct PrivateKeyInfo<'a> {
    version: u8,
    algorithm: AlgorithmIdentifierRef<'a>,
    private_key: &'a OctetStringRef,
}

/// Makes the PKCS#8 private key of two primes.
///
/// # Errors
/// [`KeyError::Rejected`] if the exponent has no inverse, which the search has excluded.
pub(super) fn private_key<const LIMBS: usize>(
    first: &Uint<LIMBS>,
    second: &Uint<LIMBS>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    // The greater prime comes first, as ring wants it.
    let (p, q) = if first > second {
        (first, second)
    } else {
        (second, first)
    };
    let mut p_minus_1 = Zeroizing::new(p.wrapping_sub(&Uint::ONE));
    let mut q_minus_1 = Zeroizing::new(q.wrapping_sub(&Uint::ONE));

    let modulus = product(p, q);
    // λ(n) = (p - 1)(q - 1) / gcd(p - 1, q - 1) (FIPS 186-5 appendix A.1.1).
    let mut common = p_minus_1.gcd(&q_minus_1);
    let divisor: Option<NonZero<Uint<LIMBS>>> = NonZero::new(common).into();
    let quotient = Zeroizing::new(q_minus_1.wrapping_div(&divisor.ok_or(KeyError::Rejected)?));
    common.zeroize();
    let lambda = product(&p_minus_1, &quotient);

    let private_exponent = invert_exponent(&lambda)?;
    let exponent1 = invert_exponent(p_minus_1.as_words())?;
    let exponent2 = invert_exponent(q_minus_1.as_words())?;
    p_minus_1.zeroize();
    q_minus_1.zeroize();
    let odd_p: Option<Odd<Uint<LIMBS>>> = Odd::new(*p).into();
    let coefficient: Option<Uint<LIMBS>> =
        q.invert_odd_mod(&odd_p.ok_or(KeyError::Rejected)?).into();
    let coefficient = Zeroizing::new(coefficient.ok_or(KeyError::Rejected)?);

    let numbers = [
        big_endian(&modulus),
        big_endian(&[EXPONENT]),
        big_endian(&private_exponent),
        big_endian(p.as_words()),
        big_endian(q.as_words()),
        big_endian(&exponent1),
        big_endian(&exponent2),
        big_endian(coefficient.as_words()),
    ];
    encode(&numbers).map_err(|_| KeyError::Rejected)
}

fn encode(numbers: &[Zeroizing<Vec<u8>>; 8]) -> Result<Zeroizing<Vec<u8>>, der::Error> {
    let [n, e, d, p, q, dp, dq, qi] = numbers;
    let key = to_der(&RsaPrivateKey {
        version: 0,
        modulus: UintRef::new(n)?,
        public_exponent: UintRef::new(e)?,
        private_exponent: UintRef::new(d)?,
        prime1: UintRef::new(p)?,
        prime2: UintRef::new(q)?,
        exponent1: UintRef::new(dp)?,
        exponent2: UintRef::new(dq)?,
        coefficient: UintRef::new(qi)?,
    })?;
    to_der(&PrivateKeyInfo {
        version: 0,
        algorithm: AlgorithmIdentifierRef {
            oid: RSA_ENCRYPTION,
            parameters: Some(AnyRef::from(Null)),
        },
        private_key: OctetStringRef::new(&key)?,
    })
}

/// Encodes into one buffer of the right size, so that no growing vector leaves copies behind.
fn to_der(value: &impl Encode) -> Result<Zeroizing<Vec<u8>>, der::Error> {
    let len = usize::try_from(value.encoded_len()?)?;
    let mut bytes = Zeroizing::new(vec![0; len]);
    value.encode_to_slice(&mut bytes)?;
    Ok(bytes)
}

/// The product, least significant word first.
fn product<const LIMBS: usize>(a: &Uint<LIMBS>, b: &Uint<LIMBS>) -> Zeroizing<Vec<u64>> {
    let (mut low, mut high) = a.widening_mul(b);
    let mut words = Zeroizing::new(Vec::with_capacity(2 * LIMBS));
    words.extend_from_slice(low.as_words());
    words.extend_from_slice(high.as_words());
    low.zeroize();
    high.zeroize();
    words
}

/// The inverse of the public exponent modulo `modulus` (least significant word first).
fn invert_exponent(modulus: &[u64]) -> Result<Zeroizing<Vec<u64>>, KeyError> {
    let rest = remainder(modulus, EXPONENT);
    if rest == 0 {
        return Err(KeyError::Rejected);
    }
    // k = -1/m modulo e; e is prime, so 1/m = m^(e-2) (Fermat). 1 + k·m is then divisible by e.
    let k = EXPONENT - power(rest, EXPONENT - 2);
    let mut words = Zeroizing::new(Vec::with_capacity(modulus.len() + 1));
    let mut carry = 1u128;
    for &word in modulus {
        let sum = u128::from(word) * u128::from(k) + carry;
        words.push(sum as u64);
        carry = sum >> 64;
    }
    words.push(carry as u64);
    let mut rest = 0;
    for word in words.iter_mut().rev() {
        // In halves, so that 64-bit division is enough.
        let high = rest << 32 | *word >> 32;
        let low = ((high % EXPONENT) << 32) | (*word & 0xffff_ffff);
        *word = ((high / EXPONENT) << 32) | (low / EXPONENT);
        rest = low % EXPONENT;
    }
    debug_assert_eq!(rest, 0, "k was chosen so");
    Ok(words)
}

/// `base` to the power `exponent`, modulo the public exponent.
fn power(base: u64, exponent: u64) -> u64 {
    let (mut result, mut square) = (1, base % EXPONENT);
    for bit in 0..u64::BITS - exponent.leading_zeros() {
        if exponent >> bit & 1 == 1 {
            result = result * square % EXPONENT;
        }
        square = square * square % EXPONENT;
    }
    result
}

fn big_endian(words: &[u64]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(words.len() * 8));
    for word in words.iter().rev() {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_times_the_exponent_is_one() {
        for modulus in [65_536u64, 100_000, 3, u64::MAX - 1, 1 << 63] {
            let inverse = invert_exponent(&[modulus]).expect("coprime");
            let inverse = u128::from(inverse[1]) << 64 | u128::from(inverse[0]);
            assert_eq!(inverse * u128::from(EXPONENT) % u128::from(modulus), 1);
            assert!(inverse < u128::from(modulus));
        }
    }

    #[test]
    fn a_multiple_of_the_exponent_has_no_inverse() {
        assert_eq!(
            invert_exponent(&[EXPONENT * 12]).err(),
            Some(KeyError::Rejected)
        );
    }
}

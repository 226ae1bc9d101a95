//! What a certificate says, what it hashes to, and whether another one issued it.
//!
//! A certificate is hostile until [`CertificateInfo::parse`] has read it, and a parsed one is still
//! only a claim: [`issued_by`] checks the signature.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier};
use der::{Decode, Encode, Reader, Sequence, SliceReader};
use md5::{Digest, Md5};
use x509_cert::certificate::{Certificate, Version};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    BasicConstraints, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage, SubjectAltName,
};

use crate::name::{NamePart, shown};
use crate::pem::MAX_DER_LEN;

/// Most names and addresses kept of each kind; the rest are not shown.
const LIST_MAX: usize = 32;

/// id-kp-serverAuth.
pub(crate) const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
/// id-kp-clientAuth.
pub(crate) const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// Why bytes are no certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateError {
    /// They are not the DER of an X.509 certificate.
    NotACertificate,
    /// A certificate is followed by this many more bytes.
    TrailingData {
        /// How many.
        bytes: usize,
    },
    /// They are more than [`MAX_DER_LEN`].
    TooLarge,
    /// An extension that this box understands is malformed.
    BadExtension,
}

/// Kind of the certified public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicKeyKind {
    /// RSA, with the bits of its modulus.
    Rsa {
        /// Bits of the modulus.
        bits: usize,
    },
    /// An elliptic curve, with its bits.
    Ec {
        /// Bits of the curve's field; 0 for a curve that is not one of NIST's.
        bits: usize,
    },
    /// Anything else.
    Other,
}

impl fmt::Display for PublicKeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA ({bits} bits)"),
            Self::Ec { bits } => write!(f, "ECDSA ({bits} bits)"),
            Self::Other => f.write_str("Unknown"),
        }
    }
}

/// The `Certificate Usage` line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateUsage {
    /// Signatures and key encipherment, or no restriction.
    GeneralPurpose,
    /// Signatures alone.
    Signature,
    /// Encryption alone.
    Encryption,
}

impl fmt::Display for CertificateUsage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GeneralPurpose => "General Purpose",
            Self::Signature => "Signature",
            Self::Encryption => "Encryption",
        })
    }
}

/// Everything this box shows or checks of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// Serial number, as encoded (a leading zero byte included).
    pub serial: Vec<u8>,
    /// Kind and size of the public key.
    pub public_key: PublicKeyKind,
    /// Name of the signature algorithm, as ASA prints it.
    pub signature_algorithm: &'static str,
    /// Issuer, most specific part first.
    pub issuer: Vec<NamePart>,
    /// Subject, most specific part first.
    pub subject: Vec<NamePart>,
    /// First moment of validity.
    pub not_before: u64,
    /// Last moment of validity.
    pub not_after: u64,
    /// URLs of revocation lists.
    pub crl_distribution_points: Vec<String>,
    /// DNS names of the subject alternative name.
    pub dns_names: Vec<String>,
    /// What the key may be used for.
    pub usage: CertificateUsage,
    /// Whether it says that it is a CA's.
    pub is_ca: bool,
    /// Whether issuer and subject are the same name.
    pub is_self_issued: bool,
    /// Whether it may be shown by a TLS server (no extended key usage allows everything).
    pub allows_server: bool,
    /// Whether it may be shown by a TLS client (no extended key usage allows everything).
    pub allows_client: bool,
}

impl CertificateInfo {
    /// Reads a certificate.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        let parsed = decode(der)?;
        let tbs = parsed.tbs_certificate();
        let validity = tbs.validity();
        let constraints = extension::<BasicConstraints>(&parsed)?;
        let purposes = extension::<ExtendedKeyUsage>(&parsed)?;
        let allows = |purpose| {
            purposes
                .as_ref()
                .is_none_or(|list| list.0.contains(&purpose))
        };
        let is_self_issued = tbs.issuer() == tbs.subject();
        Ok(Self {
            serial: tbs.serial_number().as_bytes().to_vec(),
            public_key: public_key_kind(&parsed),
            signature_algorithm: algorithm_name(&parsed.signature_algorithm().oid),
            issuer: shown(tbs.issuer()),
            subject: shown(tbs.subject()),
            not_before: validity.not_before.to_unix_duration().as_secs(),
            not_after: validity.not_after.to_unix_duration().as_secs(),
            crl_distribution_points: distribution_points(&parsed)?,
            dns_names: dns_names(&parsed)?,
            usage: usage(extension::<KeyUsage>(&parsed)?),
            // A version 1 certificate cannot say; a self-issued one is an old root.
            is_ca: match constraints {
                Some(constraints) => constraints.ca,
                None => tbs.version() == Version::V1 && is_self_issued,
            },
            is_self_issued,
            allows_server: allows(SERVER_AUTH),
            allows_client: allows(CLIENT_AUTH),
        })
    }

    /// The serial number in lower-case hexadecimal, as `certificate SERIAL` of the configuration.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        hex(&self.serial)
    }

    /// Whether `now` is within the validity.
    #[must_use]
    pub fn is_valid_at(&self, now: u64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }
}

/// Digests of a certificate, by which people compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprints {
    /// MD5: what ASA shows. Fit for comparing by eye only.
    pub md5: [u8; 16],
    /// SHA-1.
    pub sha1: [u8; 20],
    /// SHA-256.
    pub sha256: [u8; 32],
}

impl Fingerprints {
    /// Digests the DER of a certificate.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
        let (mut sha1, mut sha256) = ([0; 20], [0; 32]);
        sha1.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref());
        sha256.copy_from_slice(digest(&SHA256, der).as_ref());
        Self {
            md5: Md5::digest(der).into(),
            sha1,
            sha256,
        }
    }
}

/// A digest in groups of eight hexadecimal digits: `0a1b2c3d 4e5f6071 8293a4b5 c6d7e8f9`.
#[derive(Clone, Copy, Debug)]
pub struct Grouped<'a>(pub &'a [u8]);

impl fmt::Display for Grouped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.0.chunks(4).enumerate() {
            if index != 0 {
                f.write_str(" ")?;
            }
            for byte in group {
                write!(f, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

/// What [`issued_by`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuance {
    /// The issuer's key verifies the signature.
    Issued,
    /// The issuer's name is another.
    OtherIssuer,
    /// The name fits and the signature does not.
    BadSignature,
    /// The name fits; the signature is of a kind that is not verified (SHA-1, RSA below 2048 bits).
    Unverifiable,
}

/// Whether `issuer` issued `certificate` (both DER).
///
/// # Errors
/// [`CertificateError`] if either is no certificate.
pub fn issued_by(certificate: &[u8], issuer: &[u8]) -> Result<Issuance, CertificateError> {
    let (parsed, parent) = (decode(certificate)?, decode(issuer)?);
    if parsed.tbs_certificate().issuer() != parent.tbs_certificate().subject() {
        return Ok(Issuance::OtherIssuer);
    }
    let outer = Outer::from_der(certificate).map_err(|_| CertificateError::NotACertificate)?;
    let key = parent
        .tbs_certificate()
        .subject_public_key_info()
        .to_der()
        .map_err(|_| CertificateError::NotACertificate)?;
    let key = PublicKey::from_der(&key).map_err(|_| CertificateError::NotACertificate)?;
    let signed = outer
        .tbs
        .to_der()
        .map_err(|_| CertificateError::NotACertificate)?;
    let mut algorithms = webpki::ALL_VERIFICATION_ALGS.iter().filter(|algorithm| {
        algorithm.signature_alg_id().as_ref() == outer.algorithm.value()
            && algorithm.public_key_alg_id().as_ref() == key.algorithm.value()
    });
    let (Some(algorithm), Some(key), Some(signature)) = (
        algorithms.next(),
        key.key.as_bytes(),
        outer.signature.as_bytes(),
    ) else {
        return Ok(Issuance::Unverifiable);
    };
    Ok(match algorithm.verify_signature(key, &signed, signature) {
        Ok(()) => Issuance::Issued,
        // ring refuses short RSA keys with the same error as wrong signatures.
        Err(_) if matches!(public_key_kind(&parent), PublicKeyKind::Rsa { bits } if bits < 2048) => {
            Issuance::Unverifiable
        }
        Err(_) => Issuance::BadSignature,
    })
}

/// The certified public key: SubjectPublicKeyInfo, DER.
///
/// # Errors
/// [`CertificateError`].
pub fn public_key(der: &[u8]) -> Result<Vec<u8>, CertificateError> {
    decode(der)?
        .tbs_certificate()
        .subject_public_key_info()
        .to_der()
        .map_err(|_| CertificateError::NotACertificate)
}

/// The subject's name, DER.
pub(crate) fn subject(der: &[u8]) -> Result<Vec<u8>, CertificateError> {
    decode(der)?
        .tbs_certificate()
        .subject()
        .to_der()
        .map_err(|_| CertificateError::NotACertificate)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0f])
        .map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0'))
        .collect()
}

/// Any signed object of X.509: what is signed, how, the signature.
#[derive(Sequence)]
struct Outer<'a> {
    tbs: AnyRef<'a>,
    algorithm: AnyRef<'a>,
    signature: BitStringRef<'a>,
}

#[derive(Sequence)]
struct PublicKey<'a> {
    algorithm: AnyRef<'a>,
    key: BitStringRef<'a>,
}

pub(crate) fn decode(der: &[u8]) -> Result<Certificate, CertificateError> {
    if der.len() > MAX_DER_LEN {
        return Err(CertificateError::TooLarge);
    }
    let mut reader = SliceReader::new(der).map_err(|_| CertificateError::NotACertificate)?;
    let parsed = Certificate::decode(&mut reader).map_err(|_| CertificateError::NotACertificate)?;
    match usize::try_from(reader.remaining_len()) {
        Ok(0) => Ok(parsed),
        bytes => Err(CertificateError::TrailingData {
            bytes: bytes.unwrap_or(usize::MAX),
        }),
    }
}

fn extension<'a, T>(parsed: &'a Certificate) -> Result<Option<T>, CertificateError>
where
    T: Decode<'a, Error = der::Error> + der::oid::AssociatedOid,
{
    parsed
        .tbs_certificate()
        .get_extension::<T>()
        .map(|found| found.map(|(_, value)| value))
        .map_err(|_| CertificateError::BadExtension)
}

fn distribution_points(parsed: &Certificate) -> Result<Vec<String>, CertificateError> {
    let points = extension::<CrlDistributionPoints>(parsed)?;
    let urls = points
        .iter()
        .flat_map(|points| &points.0)
        .filter_map(|point| match &point.distribution_point {
            Some(DistributionPointName::FullName(names)) => Some(names),
            _ => None,
        });
    Ok(urls
        .flatten()
        .filter_map(|name| match name {
            GeneralName::UniformResourceIdentifier(url) => {
                Some(crate::name::printable(url.as_str()))
            }
            _ => None,
        })
        .take(LIST_MAX)
        .collect())
}

fn dns_names(parsed: &Certificate) -> Result<Vec<String>, CertificateError> {
    let names = extension::<SubjectAltName>(parsed)?;
    Ok(names
        .iter()
        .flat_map(|names| &names.0)
        .filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(crate::name::printable(name.as_str())),
            _ => None,
        })
        .take(LIST_MAX)
        .collect())
}

fn usage(key_usage: Option<KeyUsage>) -> CertificateUsage {
    let Some(usage) = key_usage else {
        return CertificateUsage::GeneralPurpose;
    };
    let enciphers = usage.key_encipherment() || usage.data_encipherment();
    let signs = usage.digital_signature() || usage.key_cert_sign() || usage.crl_sign();
    match (signs, enciphers) {
        (true, false) => CertificateUsage::Signature,
        (false, true) => CertificateUsage::Encryption,
        _ => CertificateUsage::GeneralPurpose,
    }
}

fn public_key_kind(parsed: &Certificate) -> PublicKeyKind {
    let key = parsed.tbs_certificate().subject_public_key_info();
    match key.algorithm.oid.as_bytes() {
        oid if oid == RSA_ENCRYPTION.as_bytes() => {
            let bits = key
                .subject_public_key
                .as_bytes()
                .and_then(|der| RsaPublicKey::from_der(der).ok())
                .map_or(0, |key| bit_length(key.modulus.as_bytes()));
            PublicKeyKind::Rsa { bits }
        }
        oid if oid == EC_PUBLIC_KEY.as_bytes() => {
            let curve = key
                .algorithm
                .parameters
                .as_ref()
                .and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
            let bits = CURVES
                .iter()
                .find(|(oid, _)| Some(*oid) == curve)
                .map_or(0, |(_, bits)| *bits);
            PublicKeyKind::Ec { bits }
        }
        _ => PublicKeyKind::Other,
    }
}

fn bit_length(big_endian: &[u8]) -> usize {
    match big_endian.iter().position(|&byte| byte != 0) {
        Some(first) => {
            let top = big_endian.get(first).copied().unwrap_or(0);
            (big_endian.len() - first) * 8 - top.leading_zeros() as usize
        }
        None => 0,
    }
}

pub(crate) const RSA_ENCRYPTION: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const CURVES: [(ObjectIdentifier, usize); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), 256),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), 384),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), 521),
];

/// RSAPublicKey (RFC 8017 appendix A.1.1).
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: der::asn1::UintRef<'a>,
    exponent: der::asn1::UintRef<'a>,
}

/// Names of signature algorithms, as ASA prints them.
const ALGORITHMS: [(ObjectIdentifier, &str); 11] = [
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4"),
        "MD5 with RSA Encryption",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5"),
        "SHA1 with RSA Encryption",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11"),
        "SHA256 with RSA Encryption",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12"),
        "SHA384 with RSA Encryption",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13"),
        "SHA512 with RSA Encryption",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10"),
        "RSASSA-PSS",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"),
        "SHA1 with ECDSA",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2"),
        "SHA256 with ECDSA",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3"),
        "SHA384 with ECDSA",
    ),
    (
        ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4"),
        "SHA512 with ECDSA",
    ),
    (ObjectIdentifier::new_unwrap("1.3.101.112"), "Ed25519"),
];

fn algorithm_name(oid: &ObjectIdentifier) -> &'static str {
    ALGORITHMS
        .iter()
        .find(|(known, _)| known == oid)
        .map_or("Unknown", |(_, name)| name)
}

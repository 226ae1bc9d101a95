//! Enrolment: self-signed certificates and PKCS#10 signing requests (RFC 2986).
//!
//! Both ask for, or give themselves, server *and* client authentication, because each box of a
//! federation is both. Names are built as ASA does: the typed subject reversed, then one part that
//! holds address, host name and serial number together.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::time::Duration;

use der::asn1::{BitString, GeneralizedTime, Ia5String, ObjectIdentifier, OctetString, UtcTime};
use der::flagset::FlagSet;
use der::oid::AssociatedOid;
use der::{Any, DateTime, Decode, Encode, Sequence};
use hal::entropy::Entropy;
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};
use x509_cert::time::{Time, Validity};

use crate::certificate::{CLIENT_AUTH, SERVER_AUTH};
use crate::key::{Curve, KeyAlgorithm, KeyError, KeyPair};
use crate::name::{
    NameError, SERIAL_NUMBER, UNSTRUCTURED_ADDRESS, UNSTRUCTURED_NAME, X500Name, attribute,
};

/// Years that a self-signed certificate is valid, as ASA's are.
pub const SELF_SIGNED_YEARS: u64 = 10;

/// A day; self-signed certificates begin this much early, for peers whose clocks are behind.
const DAY_SECS: u64 = 86_400;

/// Random bytes of a serial number (RFC 5280 §4.1.2.2: at most 20).
const SERIAL_LEN: usize = 16;

/// pkcs-9-at-extensionRequest (RFC 2985 §5.4.2).
const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");

/// Longest DNS name (RFC 1035 §2.3.4).
const FQDN_MAX: usize = 253;

/// What a trustpoint says about the certificate to be had.
#[derive(Clone, Copy, Debug, Default)]
pub struct Enrollment<'a> {
    /// `subject-name`, if given.
    pub subject_name: Option<&'a str>,
    /// `fqdn NAME`, or the default host name; `None` after `fqdn none`.
    pub fqdn: Option<&'a str>,
    /// `ip-address IP`.
    pub ip_address: Option<Ipv4Addr>,
    /// `email ADDRESS`.
    pub email: Option<&'a str>,
    /// The device's serial number, if the operator wanted it in the subject.
    pub serial_number: Option<&'a str>,
}

/// Why a certificate or request could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrollError {
    /// The subject name is wrong.
    Name(NameError),
    /// Neither a subject name nor anything else that identifies the box.
    NoSubject,
    /// `fqdn` is not a DNS name.
    BadFqdn,
    /// `email` or the serial number cannot stand in a certificate.
    BadText,
    /// The clock is beyond what a certificate can hold (year 9999).
    BadTime,
    /// Signing failed.
    Key(KeyError),
    /// The parts do not fit into DER.
    Encoding,
}

impl From<der::Error> for EnrollError {
    fn from(_: der::Error) -> Self {
        Self::Encoding
    }
}

impl From<NameError> for EnrollError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

/// Makes a self-signed certificate; returns its DER.
///
/// It carries no key usage and is no CA. A key usage with certificate signing is wrong for a
/// certificate that is no CA (RFC 5280 §4.2.1.9), one without makes OpenSSL before 3.0, which
/// federation peers still run, refuse it as its own issuer; and as a CA it would be refused by
/// peers that take no CA certificate from a TLS end.
///
/// # Errors
/// [`EnrollError`].
pub fn self_signed(
    key: &KeyPair,
    enrollment: &Enrollment<'_>,
    random: &mut dyn Entropy,
    now: u64,
) -> Result<Vec<u8>, EnrollError> {
    let name = subject(enrollment)?;
    let mut serial = [0; SERIAL_LEN];
    random.fill(&mut serial);
    // Positive and without a leading zero byte, so that it is as long in every tool.
    serial[0] = serial[0] & 0x7f | 0x40;
    let not_before = now.saturating_sub(DAY_SECS);
    // Ten years with two or three leap days.
    let not_after = now.saturating_add(SELF_SIGNED_YEARS * 365 * DAY_SECS + 2 * DAY_SECS);
    let mut extensions = alloc::vec![
        extension(
            false,
            &BasicConstraints {
                ca: false,
                path_len_constraint: None
            }
        )?,
        extension(false, &both_purposes())?,
        extension(false, &key_identifier(key)?)?,
    ];
    extensions.extend(alternative_names(enrollment)?);
    let tbs = TbsCertificate {
        version: 2,
        serial: der::asn1::Int::new(&serial)?,
        signature: Any::from_der(algorithm(key.algorithm()))?,
        issuer: name.clone(),
        validity: Validity::new(time(not_before)?, time(not_after)?),
        subject: name,
        public_key: Any::from_der(key.public_key())?,
        extensions,
    };
    sign(key, &tbs)
}

/// Makes a PKCS#10 request for a CA; returns its DER.
///
/// # Errors
/// [`EnrollError`].
pub fn signing_request(key: &KeyPair, enrollment: &Enrollment<'_>) -> Result<Vec<u8>, EnrollError> {
    let mut extensions = alloc::vec![
        extension(
            true,
            &KeyUsage(FlagSet::from(KeyUsages::DigitalSignature) | KeyUsages::KeyEncipherment),
        )?,
        extension(false, &both_purposes())?,
    ];
    extensions.extend(alternative_names(enrollment)?);
    let mut attributes = Attributes::default();
    attributes.insert(Attribute {
        oid: EXTENSION_REQUEST,
        values: [Any::encode_from(&extensions)?].try_into()?,
    })?;
    let info = RequestInfo {
        version: 0,
        subject: subject(enrollment)?,
        public_key: Any::from_der(key.public_key())?,
        attributes,
    };
    sign(key, &info)
}

/// The names that a request or certificate will carry, checked before the operator is asked more.
///
/// # Errors
/// [`EnrollError`] as the later call would give.
pub fn check(enrollment: &Enrollment<'_>) -> Result<(), EnrollError> {
    subject(enrollment)?;
    alternative_names(enrollment)?;
    Ok(())
}

/// TBSCertificate (RFC 5280 §4.1) of version 3.
#[derive(Sequence)]
struct TbsCertificate {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    version: u8,
    serial: der::asn1::Int,
    signature: Any,
    issuer: RdnSequence,
    validity: Validity,
    subject: RdnSequence,
    public_key: Any,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

/// CertificationRequestInfo (RFC 2986 §4.1).
#[derive(Sequence)]
struct RequestInfo {
    version: u8,
    subject: RdnSequence,
    public_key: Any,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT")]
    attributes: Attributes,
}

/// Any signed object of X.509.
#[derive(Sequence)]
struct Signed {
    content: Any,
    algorithm: Any,
    signature: BitString,
}

fn sign(key: &KeyPair, content: &impl Encode) -> Result<Vec<u8>, EnrollError> {
    let content = content.to_der()?;
    let signature = key.sign(&content).map_err(EnrollError::Key)?;
    let signed = Signed {
        content: Any::from_der(&content)?,
        algorithm: Any::from_der(algorithm(key.algorithm()))?,
        signature: BitString::from_bytes(&signature)?,
    };
    Ok(signed.to_der()?)
}

/// AlgorithmIdentifier of the signature, DER (RFC 4055 §5, RFC 5758 §3.2).
const fn algorithm(key: KeyAlgorithm) -> &'static [u8] {
    match key {
        // sha256WithRSAEncryption, parameters NULL.
        KeyAlgorithm::Rsa(_) => &[
            0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b, 0x05,
            0x00,
        ],
        // ecdsa-with-SHA256, no parameters.
        KeyAlgorithm::Ecdsa(Curve::P256) => &[
            0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
        ],
        // ecdsa-with-SHA384, no parameters.
        KeyAlgorithm::Ecdsa(Curve::P384) => &[
            0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03,
        ],
    }
}

fn subject(enrollment: &Enrollment<'_>) -> Result<RdnSequence, EnrollError> {
    let mut name = RdnSequence::default();
    if let Some(text) = enrollment.subject_name {
        X500Name::parse(text)?.push_to(&mut name)?;
    }
    let mut device = RelativeDistinguishedName::default();
    if let Some(address) = enrollment.ip_address {
        let text = alloc::format!("{address}");
        device.insert(attribute(UNSTRUCTURED_ADDRESS, &text)?)?;
    }
    if let Some(fqdn) = enrollment.fqdn {
        if !is_dns_name(fqdn) {
            return Err(EnrollError::BadFqdn);
        }
        device.insert(attribute(UNSTRUCTURED_NAME, fqdn)?)?;
    }
    if let Some(serial) = enrollment.serial_number {
        if serial.is_empty() || !serial.chars().all(|c| c.is_ascii_graphic()) {
            return Err(EnrollError::BadText);
        }
        device.insert(attribute(SERIAL_NUMBER, serial)?)?;
    }
    if !device.is_empty() {
        name.push(device);
    }
    if name.is_empty() {
        return Err(EnrollError::NoSubject);
    }
    Ok(name)
}

fn alternative_names(enrollment: &Enrollment<'_>) -> Result<Option<Extension>, EnrollError> {
    let mut names = Vec::new();
    if let Some(fqdn) = enrollment.fqdn {
        if !is_dns_name(fqdn) {
            return Err(EnrollError::BadFqdn);
        }
        names.push(GeneralName::DnsName(Ia5String::new(fqdn)?));
    }
    if let Some(address) = enrollment.ip_address {
        names.push(GeneralName::IpAddress(OctetString::new(address.octets())?));
    }
    if let Some(email) = enrollment.email {
        if email.is_empty() || !email.chars().all(|c| c.is_ascii_graphic()) {
            return Err(EnrollError::BadText);
        }
        names.push(GeneralName::Rfc822Name(Ia5String::new(email)?));
    }
    if names.is_empty() {
        return Ok(None);
    }
    extension(false, &SubjectAltName(names)).map(Some)
}

fn both_purposes() -> ExtendedKeyUsage {
    ExtendedKeyUsage(alloc::vec![SERVER_AUTH, CLIENT_AUTH])
}

/// SHA-1 of the public key's bits (RFC 5280 §4.2.1.2, method 1); an identifier, not a safeguard.
fn key_identifier(key: &KeyPair) -> Result<SubjectKeyIdentifier, EnrollError> {
    let info = spki::SubjectPublicKeyInfoRef::from_der(key.public_key())?;
    let digest = ring::digest::digest(
        &ring::digest::SHA1_FOR_LEGACY_USE_ONLY,
        info.subject_public_key.raw_bytes(),
    );
    Ok(SubjectKeyIdentifier(OctetString::new(digest.as_ref())?))
}

fn extension<T: AssociatedOid + Encode>(
    critical: bool,
    value: &T,
) -> Result<Extension, EnrollError> {
    Ok(Extension {
        extn_id: T::OID,
        critical,
        extn_value: OctetString::new(value.to_der()?)?,
    })
}

/// UTCTime through 2049, GeneralizedTime after (RFC 5280 §4.1.2.5).
fn time(unix_secs: u64) -> Result<Time, EnrollError> {
    let moment = DateTime::from_unix_duration(Duration::from_secs(unix_secs))
        .map_err(|_| EnrollError::BadTime)?;
    Ok(if moment.year() <= UtcTime::MAX_YEAR {
        Time::UtcTime(UtcTime::from_date_time(moment)?)
    } else {
        Time::GeneralTime(GeneralizedTime::from_date_time(moment))
    })
}

/// Whether `name` is a host name by RFC 1123 §2.1.
fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    name.len() <= FQDN_MAX && name.split('.').all(is_label)
}

/// The subject as the enrolment dialogue shows it: `CN=…, O=…`, as typed.
#[must_use]
pub fn shown_subject(enrollment: &Enrollment<'_>) -> String {
    let typed = enrollment.subject_name.unwrap_or_default();
    crate::name::printable(typed)
}

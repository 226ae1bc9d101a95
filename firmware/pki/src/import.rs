//! Checks of certificates that are pasted in.
//!
//! Errors keep a certificate out; warnings are printed and the certificate is taken, because the
//! operator may be right (a clock not yet set, a peer's self-signed certificate that is no CA).

use alloc::vec::Vec;
use core::fmt;

use crate::certificate::{CertificateError, CertificateInfo, Issuance, issued_by, public_key};
use crate::key::KeyPair;
use crate::pem::{self, Label, PemError};

/// Days before its end that a certificate is called soon to expire.
const SOON_SECS: u64 = 30 * 86_400;

/// Why a pasted certificate was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportError {
    /// The text is not base64.
    Pem(PemError),
    /// The bytes are no certificate.
    Certificate(CertificateError),
    /// The certificate is for another key than the trustpoint's key pair.
    KeyMismatch,
    /// None of the CA certificates at hand issued it.
    IssuerUnknown,
    /// The CA certificate of the issuer's name did not sign it.
    BadSignature,
}

/// What is odd about a certificate that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportWarning {
    /// It is not valid yet.
    NotYetValid {
        /// First moment of validity.
        not_before: u64,
    },
    /// It is not valid any more.
    Expired {
        /// Last moment of validity.
        not_after: u64,
    },
    /// It expires within 30 days.
    ExpiresSoon {
        /// Last moment of validity.
        not_after: u64,
    },
    /// The clock is not set, so the dates were not checked.
    ClockNotSet,
    /// It does not say that it is a CA's.
    NotACa,
    /// Its extended key usage does not allow a TLS server.
    NoServerAuth,
    /// Its extended key usage does not allow a TLS client.
    NoClientAuth,
    /// Its signature is of a kind that is not verified.
    SignatureNotVerified,
}

/// A certificate that was taken.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its bytes, for the configuration.
    pub der: Vec<u8>,
    /// What it says.
    pub info: CertificateInfo,
    /// What is odd about it.
    pub warnings: Vec<ImportWarning>,
}

/// Takes the CA certificate of a trustpoint (`crypto ca authenticate`).
///
/// `now` is `None` while the clock is not set.
///
/// # Errors
/// [`ImportError::Pem`] or [`ImportError::Certificate`].
pub fn authority(text: &str, now: Option<u64>) -> Result<Imported, ImportError> {
    let mut imported = read(text, now)?;
    if !imported.info.is_ca {
        imported.warnings.push(ImportWarning::NotACa);
    }
    Ok(imported)
}

/// Takes the identity certificate of a trustpoint (`crypto ca import … certificate`).
///
/// `authorities` are the CA certificates of all trustpoints, the trustpoint's own first.
///
/// # Errors
/// Any [`ImportError`].
pub fn identity<'a>(
    text: &str,
    key: &KeyPair,
    authorities: impl IntoIterator<Item = &'a [u8]>,
    now: Option<u64>,
) -> Result<Imported, ImportError> {
    let mut imported = read(text, now)?;
    let certified = public_key(&imported.der).map_err(ImportError::Certificate)?;
    if certified != key.public_key() {
        return Err(ImportError::KeyMismatch);
    }
    match find_issuer(&imported.der, authorities)? {
        Issuance::Issued => {}
        Issuance::Unverifiable => imported.warnings.push(ImportWarning::SignatureNotVerified),
        Issuance::BadSignature => return Err(ImportError::BadSignature),
        Issuance::OtherIssuer => return Err(ImportError::IssuerUnknown),
    }
    if !imported.info.allows_server {
        imported.warnings.push(ImportWarning::NoServerAuth);
    }
    if !imported.info.allows_client {
        imported.warnings.push(ImportWarning::NoClientAuth);
    }
    Ok(imported)
}

/// The best that any of `authorities` can say about having issued `der`.
fn find_issuer<'a>(
    der: &[u8],
    authorities: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Issuance, ImportError> {
    let mut best = Issuance::OtherIssuer;
    for authority in authorities {
        // A damaged certificate of another trustpoint is no reason to refuse this one.
        match issued_by(der, authority) {
            Ok(Issuance::Issued) => return Ok(Issuance::Issued),
            Ok(Issuance::OtherIssuer) | Err(_) => {}
            Ok(Issuance::Unverifiable) => best = Issuance::Unverifiable,
            Ok(Issuance::BadSignature) if best == Issuance::OtherIssuer => {
                best = Issuance::BadSignature;
            }
            Ok(Issuance::BadSignature) => {}
        }
    }
    Ok(best)
}

fn read(text: &str, now: Option<u64>) -> Result<Imported, ImportError> {
    let der = pem::decode(text, Label::Certificate).map_err(ImportError::Pem)?;
    let info = CertificateInfo::parse(&der).map_err(ImportError::Certificate)?;
    let warnings = date_warning(&info, now).into_iter().collect();
    Ok(Imported {
        der,
        info,
        warnings,
    })
}

fn date_warning(info: &CertificateInfo, now: Option<u64>) -> Option<ImportWarning> {
    let CertificateInfo {
        not_before,
        not_after,
        ..
    } = *info;
    match now {
        None => Some(ImportWarning::ClockNotSet),
        Some(now) if now < not_before => Some(ImportWarning::NotYetValid { not_before }),
        Some(now) if now > not_after => Some(ImportWarning::Expired { not_after }),
        Some(now) if not_after - now < SOON_SECS => Some(ImportWarning::ExpiresSoon { not_after }),
        Some(_) => None,
    }
}

/// The text of the error line, without `ERROR:`.
impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(error) => write!(f, "{error}"),
            Self::Certificate(error) => write!(f, "{error}"),
            Self::KeyMismatch => {
                f.write_str("the certificate's public key is not that of the trustpoint's key pair")
            }
            Self::IssuerUnknown => {
                f.write_str("no trustpoint holds the CA certificate that issued this certificate")
            }
            Self::BadSignature => {
                f.write_str("the certificate was not signed by the CA that it names")
            }
        }
    }
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is no base64 text in it"),
            Self::BadCharacter { line } => write!(f, "line {line} is not base64 text"),
            Self::Truncated => f.write_str("the base64 text is cut off"),
            Self::TrailingText { line } => write!(f, "line {line} should not be there"),
            Self::MissingBoundary => f.write_str("the BEGIN or the END line is missing"),
            Self::WrongLabel { line } => {
                write!(f, "line {line} says that it is not a certificate")
            }
            Self::TooLarge => f.write_str("it is too long for a certificate"),
        }
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotACertificate => f.write_str("it is not an X.509 certificate"),
            Self::TrailingData { bytes } => {
                write!(f, "the certificate is followed by {bytes} more bytes")
            }
            Self::TooLarge => f.write_str("it is too long for a certificate"),
            Self::BadExtension => f.write_str("an extension of the certificate is malformed"),
        }
    }
}

/// The text of the warning line, without `WARNING:`; dates are left to the caller's zone.
impl fmt::Display for ImportWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotYetValid { .. } => "the certificate is not valid yet; check the clock",
            Self::Expired { .. } => "the certificate has expired; check the clock",
            Self::ExpiresSoon { .. } => "the certificate expires within 30 days",
            Self::ClockNotSet => "the clock is not set; the certificate's dates were not checked",
            Self::NotACa => {
                "the certificate is not a CA certificate; it is trusted for itself alone"
            }
            Self::NoServerAuth => {
                "the certificate does not allow TLS server authentication (1.3.6.1.5.5.7.3.1)"
            }
            Self::NoClientAuth => {
                "the certificate does not allow TLS client authentication (1.3.6.1.5.5.7.3.2)"
            }
            Self::SignatureNotVerified => "the CA's signature is of a kind that is not verified",
        })
    }
}

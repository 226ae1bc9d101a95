//! Whom the box trusts: the CA certificates of all trustpoints.
//!
//! A CA certificate is an anchor, whether it is a root or an intermediate: the operator compared its
//! fingerprint. A self-issued certificate is also trusted for itself (pinned), which is how a peer's
//! self-signed certificate is imported. A certificate that is no CA vouches for itself alone. Unlike
//! in web PKI an anchor has dates, and they are checked.

use alloc::vec::Vec;

use pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use rustls::DistinguishedName;
use webpki::{EndEntityCert, KeyUsage, VerifiedPath, anchor_from_trusted_cert};

use crate::certificate::{CertificateError, CertificateInfo, subject};

/// Most certificates that are trusted at once.
pub const TRUST_MAX: usize = 64;

/// Why a certificate cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustError {
    /// It cannot be read.
    Certificate(CertificateError),
    /// It is one more than [`TRUST_MAX`].
    TooMany,
}

/// What the peer is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// It calls us.
    Client,
    /// We call it.
    Server,
}

/// Why a peer's certificate was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// A pinned certificate is not valid yet.
    NotYetValid { now: u64, not_before: u64 },
    /// A pinned certificate is not valid any more.
    Expired { now: u64, not_after: u64 },
    /// A pinned certificate does not allow this use.
    WrongPurpose,
    /// The certificate, or its path to an anchor, does not hold.
    Path(webpki::Error),
}

/// The CA certificates of all trustpoints.
#[derive(Debug)]
pub struct Trust {
    /// In the order of `dates`.
    anchors: Vec<TrustAnchor<'static>>,
    /// First and last moment of validity of each anchor.
    dates: Vec<(u64, u64)>,
    pinned: Vec<(Vec<u8>, CertificateInfo)>,
    subjects: Vec<DistinguishedName>,
}

impl Trust {
    /// Trusts `certificates` (DER), each the CA certificate of some trustpoint.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn new<'a>(certificates: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, TrustError> {
        let mut trust = Self {
            anchors: Vec::new(),
            dates: Vec::new(),
            pinned: Vec::new(),
            subjects: Vec::new(),
        };
        for (index, der) in certificates.into_iter().enumerate() {
            if index >= TRUST_MAX {
                return Err(TrustError::TooMany);
            }
            trust.add(der).map_err(TrustError::Certificate)?;
        }
        Ok(trust)
    }

    /// Whether no certificate is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.anchors.is_empty() && self.pinned.is_empty()
    }

    fn add(&mut self, der: &[u8]) -> Result<(), CertificateError> {
        let info = CertificateInfo::parse(der)?;
        let name = DistinguishedName::from(subject(der)?);
        if info.is_ca {
            let certificate = CertificateDer::from(der);
            let anchor = anchor_from_trusted_cert(&certificate)
                .map_err(|_| CertificateError::NotACertificate)?
                .to_owned();
            self.anchors.push(anchor);
            self.dates.push((info.not_before, info.not_after));
        }
        if info.is_self_issued || !info.is_ca {
            self.pinned.push((der.to_vec(), info));
        }
        if !self
            .subjects
            .iter()
            .any(|known| known.as_ref() == name.as_ref())
        {
            self.subjects.push(name);
        }
        Ok(())
    }

    /// Subjects of what is trusted, for the hint that a server sends.
    pub(super) fn subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    /// Judges a peer's certificate.
    pub(super) fn check(
        &self,
        peer: Peer,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        algorithms: &[&dyn SignatureVerificationAlgorithm],
        now: UnixTime,
    ) -> Result<(), Refused> {
        let pinned = self
            .pinned
            .iter()
            .find(|(der, _)| der.as_slice() == certificate.as_ref());
        if let Some((_, info)) = pinned {
            return check_pinned(peer, info, now.as_secs());
        }
        let end_entity = EndEntityCert::try_from(certificate).map_err(Refused::Path)?;
        let usage = match peer {
            Peer::Client => KeyUsage::client_auth(),
            Peer::Server => KeyUsage::server_auth(),
        };
        end_entity
            .verify_for_usage(
                algorithms,
                &self.anchors,
                intermediates,
                now,
                usage,
                None,
                Some(&|path: &VerifiedPath<'_>| self.check_anchor(path.anchor(), now)),
            )
            .map(|_| ())
            .map_err(Refused::Path)
    }

    /// Checks the dates of the anchor that a path ends at; on an error the search goes on.
    fn check_anchor(&self, anchor: &TrustAnchor<'_>, now: UnixTime) -> Result<(), webpki::Error> {
        let secs = now.as_secs();
        // The same CA may be there twice, renewed with the same key: one valid copy is enough.
        let mut worst = webpki::Error::UnknownIssuer;
        for (_, &(not_before, not_after)) in self
            .anchors
            .iter()
            .zip(&self.dates)
            .filter(|(known, _)| *known == anchor)
        {
            let at = |secs| UnixTime::since_unix_epoch(core::time::Duration::from_secs(secs));
            if secs < not_before {
                worst = webpki::Error::CertNotValidYet {
                    time: now,
                    not_before: at(not_before),
                };
            } else if secs > not_after {
                worst = webpki::Error::CertExpired {
                    time: now,
                    not_after: at(not_after),
                };
            } else {
                return Ok(());
            }
        }
        Err(worst)
    }
}

fn check_pinned(peer: Peer, info: &CertificateInfo, now: u64) -> Result<(), Refused> {
    let CertificateInfo {
        not_before,
        not_after,
        ..
    } = *info;
    if now < not_before {
        return Err(Refused::NotYetValid { now, not_before });
    }
    if now > not_after {
        return Err(Refused::Expired { now, not_after });
    }
    let is_allowed = match peer {
        Peer::Client => info.allows_client,
        Peer::Server => info.allows_server,
    };
    is_allowed.then_some(()).ok_or(Refused::WrongPurpose)
}

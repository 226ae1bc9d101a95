//! TLS settings: TLS 1.2 and 1.3, ring, no resumption, peers judged by our trustpoints and our clock.
//!
//! [`Trust`] is the CA certificates of all trustpoints; [`Identity`] is one trustpoint's key and
//! certificate with the chain found across the other trustpoints. [`server_config`] and
//! [`client_config`] join them. The host name of a peer is not compared, as ASA does not: whoever a
//! trustpoint's CA vouches for may talk, which is why each trustpoint is the operator's decision.
//!
//! Sessions are not resumed: every handshake checks the peer's certificate by the present clock and
//! the present trustpoints, and nothing is kept per peer.

mod trust;
mod verify;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use pki_types::{CertificateDer, UnixTime};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion};

pub use trust::{TRUST_MAX, Trust, TrustError};

use crate::certificate::{CertificateError, CertificateInfo, Issuance, issued_by, public_key};
use crate::key::KeyPair;
use verify::PeerVerifier;

/// Versions offered; older ones are not in the library.
const VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

/// Most certificates sent to a peer.
const CHAIN_MAX: usize = 8;

/// Why a key and a certificate make no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityError {
    /// The certificate, or one of its issuers, cannot be read.
    Certificate(CertificateError),
    /// The certificate is for another key.
    KeyMismatch,
}

/// Why TLS settings could not be made.
#[derive(Clone, Debug, PartialEq)]
pub enum TlsError {
    /// Client certificates are wanted and no trustpoint holds a CA certificate.
    NothingTrusted,
    /// The library refused.
    Library(rustls::Error),
}

/// A key with the certificate chain that is shown to peers.
#[derive(Clone)]
pub struct Identity {
    certified: CertifiedKey,
}

impl Identity {
    /// Joins a key pair with its certificate and the issuers found among `authorities` (the CA
    /// certificates of all trustpoints, DER).
    ///
    /// The chain ends before a self-issued certificate: peers have their own copy of the root.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn new(
        key: &KeyPair,
        certificate: &[u8],
        authorities: &[&[u8]],
    ) -> Result<Self, IdentityError> {
        if public_key(certificate).map_err(IdentityError::Certificate)? != key.public_key() {
            return Err(IdentityError::KeyMismatch);
        }
        let chain = chain(certificate, authorities).map_err(IdentityError::Certificate)?;
        Ok(Self {
            certified: CertifiedKey::new(chain, key.signer()),
        })
    }

    /// The chain as sent, the identity certificate first.
    #[must_use]
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.certified.cert
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("certificates", &self.certified.cert.len())
            .finish_non_exhaustive()
    }
}

/// A time source for the settings: `read` gives UTC seconds since 1970, or `None` while the clock is
/// not set, and then every handshake fails.
pub fn time_source(
    read: impl Fn() -> Option<u64> + Send + Sync + 'static,
) -> Arc<dyn TimeProvider> {
    Arc::new(TimeSource(Box::new(read)))
}

/// Settings for connections in which a peer calls us.
///
/// With `client_auth` the peer must show a certificate that `trust` accepts for a TLS client;
/// without, it is not asked for one.
///
/// # Errors
/// [`TlsError`].
pub fn server_config(
    identity: &Identity,
    trust: &Arc<Trust>,
    client_auth: bool,
    time: Arc<dyn TimeProvider>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = provider();
    let builder = ServerConfig::builder_with_details(Arc::clone(&provider), time)
        .with_protocol_versions(VERSIONS)
        .map_err(TlsError::Library)?;
    let builder = if client_auth {
        if trust.is_empty() {
            return Err(TlsError::NothingTrusted);
        }
        builder.with_client_cert_verifier(Arc::new(PeerVerifier::new(trust, &provider)))
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_cert_resolver(resolver(identity));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// Settings for connections in which we call a peer, whose certificate `trust` must accept for a TLS
/// server. `identity` is shown if the peer asks for a certificate.
///
/// # Errors
/// [`TlsError`].
pub fn client_config(
    identity: Option<&Identity>,
    trust: &Arc<Trust>,
    time: Arc<dyn TimeProvider>,
) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = provider();
    let builder = ClientConfig::builder_with_details(Arc::clone(&provider), time)
        .with_protocol_versions(VERSIONS)
        .map_err(TlsError::Library)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PeerVerifier::new(trust, &provider)));
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(resolver(identity)),
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    // The peer is known by address; there is no name to send.
    config.enable_sni = false;
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn resolver(identity: &Identity) -> Arc<SingleCertAndKey> {
    Arc::new(SingleCertAndKey::from(identity.certified.clone()))
}

/// The certificate and its issuers, up to but without a self-issued one.
fn chain(
    certificate: &[u8],
    authorities: &[&[u8]],
) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let mut chain = alloc::vec![CertificateDer::from(certificate.to_vec())];
    let mut last = certificate;
    while chain.len() < CHAIN_MAX && !CertificateInfo::parse(last)?.is_self_issued {
        // An unreadable certificate of another trustpoint does not break this chain.
        let issuer = authorities
            .iter()
            .find(|authority| issued_by(last, authority) == Ok(Issuance::Issued));
        let Some(issuer) = issuer else {
            break;
        };
        if CertificateInfo::parse(issuer)?.is_self_issued
            || chain.iter().any(|sent| sent.as_ref() == *issuer)
        {
            break;
        }
        chain.push(CertificateDer::from(issuer.to_vec()));
        last = issuer;
    }
    Ok(chain)
}

struct TimeSource(Box<dyn Fn() -> Option<u64> + Send + Sync>);

impl TimeProvider for TimeSource {
    fn current_time(&self) -> Option<UnixTime> {
        (self.0)().map(|secs| UnixTime::since_unix_epoch(core::time::Duration::from_secs(secs)))
    }
}

impl fmt::Debug for TimeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TimeSource")
    }
}

#[cfg(test)]
pub(crate) mod for_tests {
    //! Parts of the settings, for tests that need settings of another kind.

    use super::{Arc, CertificateDer, Identity, PeerVerifier, SingleCertAndKey, Trust, UnixTime};

    pub(crate) fn verifier(
        trust: &Arc<Trust>,
    ) -> Arc<dyn rustls::client::danger::ServerCertVerifier> {
        Arc::new(PeerVerifier::new(trust, &super::provider()))
    }

    pub(crate) fn resolver(identity: &Identity) -> Arc<SingleCertAndKey> {
        super::resolver(identity)
    }

    pub(crate) fn accepts_server(
        trust: Trust,
        certificate: &CertificateDer<'_>,
        now: u64,
    ) -> Result<(), rustls::Error> {
        let now = UnixTime::since_unix_epoch(core::time::Duration::from_secs(now));
        let name = pki_types::ServerName::from(pki_types::Ipv4Addr::from([203, 0, 113, 10]));
        verifier(&Arc::new(trust))
            .verify_server_cert(certificate, &[], &name, &[], now)
            .map(|_| ())
    }
}

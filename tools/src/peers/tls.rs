//! Mutual TLS between the companies: whom each end trusts, and what it saw of the other.

use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, ClientConfig, CommonState, DigitallySignedStruct, DistinguishedName, Error,
    RootCertStore, ServerConfig, SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::TlsSight;
use super::certificates::{Identity, names};

/// Whom an end trusts.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Certificates issued by these authorities; a server's name must match too.
    Authorities(Vec<CertificateDer<'static>>),
    /// Exactly these certificates, as an IM&P node trusts what was put into its *cup-trust*.
    Pinned(Vec<CertificateDer<'static>>),
}

/// The server's end: demands a client certificate.
///
/// # Errors
/// When identity or trust is unusable.
pub fn acceptor(identity: &Identity, trust: &Trust) -> Result<TlsAcceptor> {
    let provider = provider();
    let verifier: Arc<dyn ClientCertVerifier> = match trust {
        Trust::Authorities(roots) => {
            WebPkiClientVerifier::builder_with_provider(root_store(roots)?, Arc::clone(&provider))
                .build()
                .context("cannot check client certificates")?
        }
        Trust::Pinned(certificates) => Arc::new(Pinned::new(certificates, &provider)),
    };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("no TLS version")?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain.clone(), identity.key.clone_key())
        .context("the identity is unusable")?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The client's end: shows `identity` when asked, and never resumes, so that every connection is a
/// whole handshake.
///
/// # Errors
/// When identity or trust is unusable.
pub fn connector(identity: &Identity, trust: &Trust) -> Result<TlsConnector> {
    let provider = provider();
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Authorities(roots) => {
            WebPkiServerVerifier::builder_with_provider(root_store(roots)?, Arc::clone(&provider))
                .build()
                .context("cannot check server certificates")?
        }
        Trust::Pinned(certificates) => Arc::new(Pinned::new(certificates, &provider)),
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("no TLS version")?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
        .context("the identity is unusable")?;
    config.resumption = rustls::client::Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What an established session shows of the other end.
pub fn sight(session: &CommonState) -> TlsSight {
    let version = session
        .protocol_version()
        .map_or_else(String::new, |version| format!("{version:?}"));
    let suite = session
        .negotiated_cipher_suite()
        .map_or_else(String::new, |suite| format!("{:?}", suite.suite()));
    let certificate = session.peer_certificates().and_then(<[_]>::first);
    let (subject, issuer) = certificate.map_or_else(|| ("none".to_owned(), String::new()), names);
    TlsSight {
        session: format!("{version} {suite}"),
        subject,
        issuer,
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn root_store(roots: &[CertificateDer<'static>]) -> Result<Arc<RootCertStore>> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store
            .add(root.clone())
            .context("an authority's certificate is unusable")?;
    }
    Ok(Arc::new(store))
}

/// Accepts exactly the certificates it holds. The other end must still prove that it has the key.
#[derive(Debug)]
struct Pinned {
    certificates: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Pinned {
    fn new(certificates: &[CertificateDer<'static>], provider: &Arc<CryptoProvider>) -> Self {
        Self {
            certificates: certificates.to_vec(),
            provider: Arc::clone(provider),
        }
    }

    fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        if self.certificates.iter().any(|known| known == certificate) {
            Ok(())
        } else {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer))
        }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

impl ClientCertVerifier for Pinned {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity)
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(self)
    }
}

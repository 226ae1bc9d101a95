//! The verifiers that the TLS library calls, and the mapping of our reasons to its errors (and so to
//! TLS alerts).

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::trust::{Peer, Refused, Trust};

/// Judges peers by a [`Trust`].
#[derive(Debug)]
pub(super) struct PeerVerifier {
    trust: Arc<Trust>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PeerVerifier {
    pub(super) fn new(trust: &Arc<Trust>, provider: &CryptoProvider) -> Self {
        Self {
            trust: Arc::clone(trust),
            algorithms: provider.signature_verification_algorithms,
        }
    }

    fn check(
        &self,
        peer: Peer,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        self.trust
            .check(peer, certificate, intermediates, self.algorithms.all, now)
            .map_err(to_error)
    }
}

impl ServerCertVerifier for PeerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(Peer::Server, end_entity, intermediates, now)
            .map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for PeerVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.trust.subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(Peer::Client, end_entity, intermediates, now)
            .map(|()| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn to_error(refused: Refused) -> Error {
    let at = |secs| UnixTime::since_unix_epoch(Duration::from_secs(secs));
    let error = match refused {
        Refused::NotYetValid { now, not_before } => CertificateError::NotValidYetContext {
            time: at(now),
            not_before: at(not_before),
        },
        Refused::Expired { now, not_after } => CertificateError::ExpiredContext {
            time: at(now),
            not_after: at(not_after),
        },
        Refused::WrongPurpose => CertificateError::InvalidPurpose,
        Refused::Path(error) => path_error(error),
    };
    Error::InvalidCertificate(error)
}

fn path_error(error: webpki::Error) -> CertificateError {
    use webpki::Error as Path;
    match error {
        Path::BadDer | Path::BadDerTime | Path::TrailingData(_) => CertificateError::BadEncoding,
        Path::CertNotValidYet { time, not_before } => {
            CertificateError::NotValidYetContext { time, not_before }
        }
        Path::CertExpired { time, not_after } => {
            CertificateError::ExpiredContext { time, not_after }
        }
        Path::InvalidCertValidity => CertificateError::Expired,
        Path::UnknownIssuer => CertificateError::UnknownIssuer,
        Path::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        Path::RequiredEkuNotFoundContext(_) | Path::EmptyEkuExtension => {
            CertificateError::InvalidPurpose
        }
        // A CA's certificate shown by a peer, a CA that may not be one, constraints, search limits.
        _ => CertificateError::ApplicationVerificationFailure,
    }
}

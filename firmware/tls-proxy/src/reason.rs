//! Why sessions end.

use rustls::{AlertDescription, CertificateError, Error as TlsError};

/// What ended a session. The first cause counts; what follows from it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// A command ended it.
    Administrative,
    /// The peer sent a fatal TLS alert.
    AlertReceived(AlertDescription),
    /// The peer's certificate may not be used for this role (extended key usage).
    CertificateBadPurpose,
    /// The peer's certificate is past its end date.
    CertificateExpired,
    /// The peer's certificate is unusable for another reason: encoding, signature, constraints.
    CertificateInvalid,
    /// The peer showed no certificate.
    CertificateMissing,
    /// The peer's certificate is before its start date.
    CertificateNotYetValid,
    /// The peer's certificate was revoked.
    CertificateRevoked,
    /// No trusted authority issued the peer's certificate.
    CertificateUnknownIssuer,
    /// The orderly end: a peer said goodbye, everything before it was passed on.
    CloseNotify,
    /// The target answered the SYN with a reset.
    ConnectRefused,
    /// The target did not answer the SYN in time.
    ConnectTimeout,
    /// The TLS handshake was not done in time.
    HandshakeTimeout,
    /// A handshake message (a certificate chain) is longer than the buffer for it.
    HandshakeTooLong,
    /// No packet came for the idle time.
    IdleTimeout,
    /// The TLS half failed for a reason of ours.
    Internal,
    /// The first bytes of the peer are no TLS record.
    NotTls,
    /// A record could not be decrypted.
    RecordUndecryptable,
    /// What the peer sent is no SIP message that may pass.
    Sip(sip::Error),
    /// The peer said goodbye in the middle of a message.
    SipTruncated,
    /// The peer reset the TCP connection.
    TcpReset,
    /// The peer did not acknowledge in time.
    TcpTimeout,
    /// The peer closed TCP without the TLS goodbye, so the end of its data is unproven (RFC 8446 §6.1).
    TcpTruncated,
    /// No common version, cipher suite, group or signature scheme.
    TlsIncompatible,
    /// The peer broke the TLS protocol.
    TlsProtocol,
}

impl CloseReason {
    /// One name per reason, in the order of [`index`](Self::index).
    pub const NAMES: [&'static str; 25] = [
        "administrative",
        "alert-received",
        "certificate-bad-purpose",
        "certificate-expired",
        "certificate-invalid",
        "certificate-missing",
        "certificate-not-yet-valid",
        "certificate-revoked",
        "certificate-unknown-issuer",
        "close-notify",
        "connect-refused",
        "connect-timeout",
        "handshake-timeout",
        "handshake-too-long",
        "idle-timeout",
        "internal",
        "not-tls",
        "record-undecryptable",
        "sip",
        "sip-truncated",
        "tcp-reset",
        "tcp-timeout",
        "tcp-truncated",
        "tls-incompatible",
        "tls-protocol",
    ];

    /// The place of this reason among [`NAMES`](Self::NAMES) and in
    /// [`Counters::closed`](crate::Counters::closed).
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Administrative => 0,
            Self::AlertReceived(_) => 1,
            Self::CertificateBadPurpose => 2,
            Self::CertificateExpired => 3,
            Self::CertificateInvalid => 4,
            Self::CertificateMissing => 5,
            Self::CertificateNotYetValid => 6,
            Self::CertificateRevoked => 7,
            Self::CertificateUnknownIssuer => 8,
            Self::CloseNotify => 9,
            Self::ConnectRefused => 10,
            Self::ConnectTimeout => 11,
            Self::HandshakeTimeout => 12,
            Self::HandshakeTooLong => 13,
            Self::IdleTimeout => 14,
            Self::Internal => 15,
            Self::NotTls => 16,
            Self::RecordUndecryptable => 17,
            Self::Sip(_) => 18,
            Self::SipTruncated => 19,
            Self::TcpReset => 20,
            Self::TcpTimeout => 21,
            Self::TcpTruncated => 22,
            Self::TlsIncompatible => 23,
            Self::TlsProtocol => 24,
        }
    }

    /// A short name for counters and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self.index()]
    }

    /// The reason that a TLS error stands for.
    #[must_use]
    pub fn from_tls(error: &TlsError) -> Self {
        match error {
            TlsError::AlertReceived(alert) => Self::AlertReceived(*alert),
            TlsError::NoCertificatesPresented => Self::CertificateMissing,
            TlsError::InvalidCertificate(error) => Self::from_certificate(error),
            TlsError::DecryptError => Self::RecordUndecryptable,
            TlsError::PeerIncompatible(_) | TlsError::NoApplicationProtocol => {
                Self::TlsIncompatible
            }
            TlsError::InappropriateMessage { .. }
            | TlsError::InappropriateHandshakeMessage { .. }
            | TlsError::InvalidEncryptedClientHello(_)
            | TlsError::InvalidMessage(_)
            | TlsError::PeerMisbehaved(_)
            | TlsError::PeerSentOversizedRecord => Self::TlsProtocol,
            _ => Self::Internal,
        }
    }

    fn from_certificate(error: &CertificateError) -> Self {
        match error {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Self::CertificateExpired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::CertificateNotYetValid
            }
            CertificateError::Revoked => Self::CertificateRevoked,
            CertificateError::UnknownIssuer => Self::CertificateUnknownIssuer,
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::CertificateBadPurpose
            }
            _ => Self::CertificateInvalid,
        }
    }
}

//! Keys, certificates and the TLS settings made of them.
//!
//! Certificates are public: they travel through this crate as DER bytes and live in the
//! configuration. Private keys are made here, stay here ([`KeyStore`]), and leave only inside the
//! opaque blob that the store writes to disk and inside the TLS settings that sign with them.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`key`], [`store`] | key pairs and the store of them |
//! | [`rsa`] | RSA key generation in short steps |
//! | [`name`] | X.500 names as typed and as shown |
//! | [`enroll`] | self-signed certificates and signing requests |
//! | [`pem`] | the base64 text that people paste and read |
//! | [`certificate`] | what a certificate says, fingerprints, who issued it |
//! | [`import`] | checks of certificates that are pasted in |
//! | [`show`] | the text of `show crypto …` |
//! | [`tls`] | TLS server and client settings, verification of peers |
//! | [`cipher`] | ASA's names of cipher suites |
//!
//! The caller passes the time in; the TLS library alone asks for it itself, through the time source
//! given to [`tls`]. All times are UTC seconds since 1970.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod certificate;
pub mod cipher;
pub mod enroll;
mod entropy;
pub mod import;
pub mod key;
pub mod name;
pub mod pem;
pub mod rsa;
pub mod show;
pub mod store;
pub mod tls;
mod words;

pub use certificate::{CertificateInfo, Fingerprints};
pub use enroll::Enrollment;
pub use key::{Curve, DEFAULT_RSA_LABEL, KeyAlgorithm, KeyPair, KeyUsage, RsaBits};
pub use rsa::{Progress, RsaGeneration};
pub use store::KeyStore;
pub use tls::{Identity, Trust, client_config, server_config, time_source};

#[cfg(test)]
mod tests;

//! Pasted certificates: what is taken, what is warned of, what is refused.

use std::string::String;
use std::vec::Vec;

use der::Decode;
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CrlDistributionPoint, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair as HostKey, KeyUsagePurpose, PublicKeyData, SerialNumber,
};

use super::{DAY, HostEntropy, NOW, ec_key, rsa_key};
use crate::certificate::{
    CertificateError, CertificateInfo, CertificateUsage, Issuance, PublicKeyKind, issued_by,
};
use crate::enroll::{Enrollment, self_signed};
use crate::import::{ImportError, ImportWarning, authority, identity};
use crate::key::{Curve, KeyAlgorithm, KeyPair};
use crate::pem::{self, Label, PemError};

/// A CA of the test's own.
pub(super) struct Authority {
    pub(super) der: Vec<u8>,
    issuer: Issuer<'static, HostKey>,
}

/// What a test wants to differ in a certificate.
#[derive(Clone)]
pub(super) struct Wanted {
    pub(super) name: &'static str,
    pub(super) purposes: Vec<ExtendedKeyUsagePurpose>,
    pub(super) not_before: u64,
    pub(super) not_after: u64,
    pub(super) is_ca: bool,
}

impl Wanted {
    pub(super) fn leaf(name: &'static str) -> Self {
        Self {
            name,
            purposes: [
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ]
            .into(),
            not_before: NOW - 100 * DAY,
            not_after: NOW + 100 * DAY,
            is_ca: false,
        }
    }

    pub(super) fn authority(name: &'static str) -> Self {
        Self {
            purposes: Vec::new(),
            is_ca: true,
            ..Self::leaf(name)
        }
    }

    pub(super) fn params(&self) -> CertificateParams {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, self.name);
        params.extended_key_usages = self.purposes.clone();
        let at = |secs| rcgen::date_time_ymd(1970, 1, 1) + core::time::Duration::from_secs(secs);
        params.not_before = at(self.not_before);
        params.not_after = at(self.not_after);
        if self.is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = [KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign].into();
        }
        params
    }
}

impl Authority {
    pub(super) fn root(wanted: &Wanted) -> Self {
        let key = HostKey::generate().expect("a key");
        let params = wanted.params();
        let der = params.self_signed(&key).expect("signs").der().to_vec();
        Self {
            der,
            issuer: Issuer::new(params, key),
        }
    }

    pub(super) fn subordinate(&self, wanted: &Wanted) -> Self {
        let key = HostKey::generate().expect("a key");
        let params = wanted.params();
        let signed = params.signed_by(&key, &self.issuer).expect("signs");
        Self {
            der: signed.der().to_vec(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Certifies one of our keys.
    pub(super) fn certify(&self, key: &KeyPair, params: &CertificateParams) -> Vec<u8> {
        let public = OurKey::new(key);
        let signed = params.signed_by(&public, &self.issuer).expect("signs");
        signed.der().to_vec()
    }
}

/// One of our public keys, as rcgen wants it.
struct OurKey {
    bits: Vec<u8>,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl OurKey {
    fn new(key: &KeyPair) -> Self {
        let info = spki::SubjectPublicKeyInfoRef::from_der(key.public_key()).expect("our own");
        Self {
            bits: info.subject_public_key.raw_bytes().to_vec(),
            algorithm: match key.algorithm() {
                KeyAlgorithm::Rsa(_) => &rcgen::PKCS_RSA_SHA256,
                KeyAlgorithm::Ecdsa(Curve::P256) => &rcgen::PKCS_ECDSA_P256_SHA256,
                KeyAlgorithm::Ecdsa(Curve::P384) => &rcgen::PKCS_ECDSA_P384_SHA384,
            },
        }
    }
}

impl PublicKeyData for OurKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.algorithm
    }
}

fn paste(der: &[u8]) -> String {
    pem::encode(Label::Certificate, der)
}

#[test]
fn a_ca_certificate_is_taken_without_a_word() {
    let root = Authority::root(&Wanted::authority("Root"));
    let imported = authority(&paste(&root.der), Some(NOW)).expect("taken");
    assert_eq!(imported.der, root.der);
    assert_eq!(imported.warnings, []);
    assert!(imported.info.is_ca);
    assert_eq!(imported.info.usage, CertificateUsage::Signature);
    assert_eq!(imported.info.public_key, PublicKeyKind::Ec { bits: 256 });
    assert_eq!(imported.info.signature_algorithm, "SHA256 with ECDSA");
}

#[test]
fn a_peers_self_signed_certificate_is_taken_with_a_warning() {
    let enrollment = Enrollment {
        subject_name: Some("cn=imp1.example.com"),
        ..Enrollment::default()
    };
    let der = self_signed(&rsa_key(), &enrollment, &mut HostEntropy, NOW).expect("made");
    let imported = authority(&paste(&der), Some(NOW)).expect("taken");
    assert_eq!(imported.warnings, [ImportWarning::NotACa]);
}

#[test]
fn dates_are_warned_of() {
    let root = Authority::root(&Wanted::authority("Root"));
    let text = paste(&root.der);
    let warning = |now| authority(&text, now).expect("taken").warnings;
    assert_eq!(warning(None), [ImportWarning::ClockNotSet]);
    let not_before = NOW - 100 * DAY;
    let not_after = NOW + 100 * DAY;
    assert_eq!(
        warning(Some(not_before - 1)),
        [ImportWarning::NotYetValid { not_before }]
    );
    assert_eq!(
        warning(Some(not_after + 1)),
        [ImportWarning::Expired { not_after }]
    );
    assert_eq!(
        warning(Some(not_after - DAY)),
        [ImportWarning::ExpiresSoon { not_after }]
    );
    assert_eq!(warning(Some(not_before)), []);
}

#[test]
fn an_identity_must_fit_the_key_and_a_ca() {
    let key = rsa_key();
    let root = Authority::root(&Wanted::authority("Root"));
    let other = Authority::root(&Wanted::authority("Other"));
    let namesake = Authority::root(&Wanted::authority("Root"));
    let der = root.certify(&key, &Wanted::leaf("imp-public.example.com").params());
    let text = paste(&der);
    let import = |key: &KeyPair, authorities: &[&Authority]| {
        let authorities = authorities.iter().map(|authority| authority.der.as_slice());
        identity(&text, key, authorities, Some(NOW)).map(|imported| imported.warnings)
    };
    assert_eq!(import(&key, &[&other, &root]), Ok(Vec::new()));
    assert_eq!(import(&key, &[&namesake, &root]), Ok(Vec::new()));
    assert_eq!(import(&key, &[&other]), Err(ImportError::IssuerUnknown));
    assert_eq!(import(&key, &[]), Err(ImportError::IssuerUnknown));
    assert_eq!(import(&key, &[&namesake]), Err(ImportError::BadSignature));
    assert_eq!(
        import(&ec_key("other"), &[&root]),
        Err(ImportError::KeyMismatch)
    );
}

#[test]
fn an_identity_without_both_purposes_is_warned_of() {
    let key = ec_key("key");
    let root = Authority::root(&Wanted::authority("Root"));
    let wanted = Wanted {
        purposes: [ExtendedKeyUsagePurpose::ServerAuth].into(),
        ..Wanted::leaf("leaf")
    };
    let text = paste(&root.certify(&key, &wanted.params()));
    let imported = identity(&text, &key, [root.der.as_slice()], Some(NOW)).expect("taken");
    assert_eq!(imported.warnings, [ImportWarning::NoClientAuth]);
}

#[test]
fn info_holds_serial_and_distribution_points() {
    let root = Authority::root(&Wanted::authority("Root"));
    let mut params = Wanted::leaf("leaf\u{1b}[2J").params();
    // The leading zero byte that keeps the number positive is part of what ASA shows.
    params.serial_number = Some(SerialNumber::from_slice(&[0x00, 0xb9, 0x2f]));
    params.crl_distribution_points = [CrlDistributionPoint {
        uris: ["http://ca.example.com/ca.crl".into()].into(),
    }]
    .into();
    params
        .distinguished_name
        .push(DnType::OrganizationName, "Example");
    let info = CertificateInfo::parse(&root.certify(&ec_key("key"), &params)).expect("readable");
    assert_eq!(info.serial_hex(), "00b92f");
    assert_eq!(
        info.crl_distribution_points,
        ["http://ca.example.com/ca.crl"]
    );
    let subject: Vec<_> = info
        .subject
        .iter()
        .map(|part| part.value.as_str())
        .collect();
    // No escape sequence reaches the terminal.
    assert_eq!(subject, ["Example", "leaf?[2J"]);
}

#[test]
fn what_is_no_certificate_says_so() {
    let root = Authority::root(&Wanted::authority("Root"));
    let error = |der: &[u8]| authority(&paste(der), Some(NOW)).err();
    assert_eq!(
        error(&[0; 40]),
        Some(ImportError::Certificate(CertificateError::NotACertificate))
    );
    assert_eq!(
        error(&root.der[..root.der.len() - 1]),
        Some(ImportError::Certificate(CertificateError::NotACertificate))
    );
    let mut longer = root.der.clone();
    longer.extend([0, 0]);
    assert_eq!(
        error(&longer),
        Some(ImportError::Certificate(CertificateError::TrailingData {
            bytes: 2
        }))
    );
    assert_eq!(
        authority("hello, world", Some(NOW)).err(),
        Some(ImportError::Pem(PemError::BadCharacter { line: 1 }))
    );
}

#[test]
fn issuance_is_proved_by_the_signature() {
    let root = Authority::root(&Wanted::authority("Root"));
    let namesake = Authority::root(&Wanted::authority("Root"));
    let middle = root.subordinate(&Wanted::authority("Middle"));
    assert_eq!(issued_by(&root.der, &root.der), Ok(Issuance::Issued));
    assert_eq!(issued_by(&middle.der, &root.der), Ok(Issuance::Issued));
    assert_eq!(issued_by(&root.der, &middle.der), Ok(Issuance::OtherIssuer));
    assert_eq!(
        issued_by(&middle.der, &namesake.der),
        Ok(Issuance::BadSignature)
    );
}

proptest! {
    #[test]
    fn no_bytes_make_a_certificate_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = CertificateInfo::parse(&bytes);
        let _ = crate::tls::Trust::new([bytes.as_slice()]);
    }

    #[test]
    fn no_flipped_bytes_make_a_certificate_panic(
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut der = sample().to_vec();
        for (index, value) in flips {
            let place = index.index(der.len());
            der[place] = value;
        }
        let _ = authority(&paste(&der), Some(NOW));
        let _ = issued_by(&der, sample());
        let _ = issued_by(sample(), &der);
        if let Ok(trust) = crate::tls::Trust::new([der.as_slice()]) {
            prop_assert!(!trust.is_empty());
        }
    }
}

fn sample() -> &'static [u8] {
    static SAMPLE: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    SAMPLE.get_or_init(|| {
        let root = Authority::root(&Wanted::authority("Root"));
        let mut params = Wanted::leaf("leaf").params();
        params.crl_distribution_points = [CrlDistributionPoint {
            uris: ["http://ca.example.com/ca.crl".into()].into(),
        }]
        .into();
        root.certify(&ec_key("key"), &params)
    })
}

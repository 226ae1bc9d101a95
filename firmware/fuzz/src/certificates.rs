//! What an operator pastes and a peer shows: PEM, certificates, distinguished names.

use std::sync::LazyLock;

use hal::entropy::Entropy;
use pki::certificate::{issued_by, public_key};
use pki::enroll::{self_signed, signing_request};
use pki::import::authority;
use pki::name::X500Name;
use pki::pem::{self, Label};
use pki::show::{self, Role};
use pki::{CertificateInfo, Curve, Enrollment, Fingerprints, Identity, KeyPair, Trust};

use crate::input::Input;

/// UTC seconds at which everything happens.
pub const NOW: u64 = 1_800_000_000;

static KEY: LazyLock<KeyPair> =
    LazyLock::new(|| KeyPair::generate_ecdsa("K", Curve::P256, NOW).expect("good parameters"));

/// The first byte chooses: pasted text, a certificate, or a name.
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 3 {
        0 => {
            if let Ok(text) = std::str::from_utf8(input.all()) {
                for label in [Label::Certificate, Label::CertificateRequest] {
                    if let Ok(der) = pem::decode(text, label) {
                        pem_is_lossless(&der);
                    }
                }
                paste(text);
            }
        }
        1 => {
            let der = input.all();
            if !der.is_empty() && der.len() <= pem::MAX_DER_LEN {
                pem_is_lossless(der);
                paste(&pem::encode(Label::Certificate, der));
            }
            read(der);
        }
        _ => {
            if let Ok(text) = std::str::from_utf8(input.all()) {
                // Names that are refused, and why, are tested beside the parser.
                let _ = X500Name::parse(text);
                let enrollment = Enrollment {
                    subject_name: Some(text),
                    ..Enrollment::default()
                };
                if let Ok(der) = self_signed(&KEY, &enrollment, &mut Counting(0), NOW) {
                    let info = CertificateInfo::parse(&der);
                    assert!(info.is_ok(), "our own certificate: {info:?}");
                    assert!(Identity::new(&KEY, &der, &[]).is_ok());
                }
            }
        }
    }
}

fn pem_is_lossless(der: &[u8]) {
    let text = pem::encode(Label::Certificate, der);
    assert_eq!(pem::decode(&text, Label::Certificate).as_deref(), Ok(der));
}

fn paste(text: &str) {
    let unset = authority(text, None);
    let set = authority(text, Some(NOW));
    assert_eq!(unset.is_ok(), set.is_ok(), "the clock only warns");
    if let Ok(imported) = set {
        read(&imported.der);
    }
}

/// Everything that is done with a certificate somebody else made.
fn read(der: &[u8]) {
    let _ = Fingerprints::of(der);
    let _ = public_key(der);
    let _ = issued_by(der, der);
    let _ = Identity::new(&KEY, der, &[der]);
    let info = CertificateInfo::parse(der);
    if Trust::new([der]).is_ok() {
        assert!(info.is_ok(), "trusted and unreadable: {info:?}");
    }
    if let Ok(info) = info {
        let mut out = String::new();
        let date = &|out: &mut dyn std::fmt::Write, at: u64| write!(out, "{at}");
        for role in [Role::Identity, Role::Authority] {
            let written = show::certificate(&mut out, role, &info, &["T"], date);
            assert!(written.is_ok());
        }
        assert!(
            out.chars()
                .all(|shown| shown == '\n' || !shown.is_control()),
            "a control character reaches the console: {out:?}"
        );
    }
}

/// Bytes that count up.
pub struct Counting(pub u8);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
    }
}

/// A key with a certificate of its own, for `name`.
///
/// # Panics
/// If the parts contradict each other.
#[must_use]
pub fn identity(name: &str) -> (Identity, Vec<u8>) {
    let enrollment = Enrollment {
        subject_name: Some(name),
        fqdn: Some("edge.example.com"),
        ..Enrollment::default()
    };
    let der = self_signed(&KEY, &enrollment, &mut Counting(0), NOW).expect("a good name");
    let identity = Identity::new(&KEY, &der, &[]).expect("its own key");
    (identity, der)
}

/// A certificate and a request, bare and pasted, and names.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let name = "cn=imp-public.example.com,OU=Unit,O=Org,C=NL,St=Province,L=City";
    let (_, der) = identity(name);
    let request = Enrollment {
        subject_name: Some(name),
        ..Enrollment::default()
    };
    let request = signing_request(&KEY, &request).expect("a good name");
    let text = pem::encode(Label::Certificate, &der);
    let bare: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    vec![
        [&[0], text.as_bytes()].concat(),
        [&[0], bare.as_bytes()].concat(),
        [
            &[0],
            pem::encode(Label::CertificateRequest, &request).as_bytes(),
        ]
        .concat(),
        [&[1], der.as_slice()].concat(),
        [&[1], ROOT].concat(),
        [&[2], name.as_bytes()].concat(),
        [&[2], "cn=a\\,b,emailAddress=x@example.com,DC=é".as_bytes()].concat(),
    ]
}

/// The start of a certificate with dates before 1970 and a serial number of zero.
const ROOT: &[u8] = b"\x30\x82\x01\x00\x30\x81\xe0\xa0\x03\x02\x01\x02\x02\x01\x00\x30\x0d\x06\x09\
\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x41\
\x30\x1e\x17\x0d500101000000Z\x17\x0d491231235959Z";

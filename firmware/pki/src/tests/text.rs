//! Names, PEM, cipher words, shown text.

use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::{HostEntropy, NOW, rsa_key};
use crate::certificate::{CertificateInfo, Fingerprints, Grouped};
use crate::cipher;
use crate::enroll::{Enrollment, self_signed};
use crate::name::{NameError, X500Name};
use crate::pem::{self, Label, MAX_DER_LEN, PemError};
use crate::show::{self, Role};

#[test]
fn quoted_and_escaped_commas_belong_to_the_value() {
    for text in [
        r#"O="Example, Inc.",CN=a"#,
        r"O=Example\, Inc.,CN=a",
        " o = Example\\, Inc. , cn = a ",
    ] {
        let name = X500Name::parse(text).expect(text);
        assert_eq!(name.common_name(), Some("a"));
        assert_eq!(
            name,
            X500Name::parse(r"o=Example\, Inc.,cn=a").expect("the same name")
        );
    }
}

#[test]
fn wrong_names_are_told_apart() {
    for (text, error) in [
        ("", NameError::Empty),
        ("  ", NameError::Empty),
        ("cn", NameError::NotTypeAndValue { part: 1 }),
        ("cn=a,", NameError::NotTypeAndValue { part: 2 }),
        ("cn=a,,o=b", NameError::NotTypeAndValue { part: 2 }),
        ("cn=", NameError::BadValue { part: 1 }),
        ("xy=a", NameError::UnknownType { part: 1 }),
        ("cn=a,c=NLD", NameError::BadCountry { part: 2 }),
        (
            "cn=a,ea=\u{e9}@example.com",
            NameError::BadValue { part: 2 },
        ),
        ("cn=\"a", NameError::Unterminated),
        ("cn=a\\", NameError::Unterminated),
    ] {
        assert_eq!(X500Name::parse(text), Err(error), "{text}");
    }
    let long = format!("cn={}", "x".repeat(65));
    assert_eq!(X500Name::parse(&long), Err(NameError::BadValue { part: 1 }));
    let many: Vec<_> = (0..20).map(|_| "ou=x").collect();
    assert_eq!(
        X500Name::parse(&many.join(",")),
        Err(NameError::TooManyParts)
    );
}

#[test]
fn errors_count_parts_as_people_do() {
    let error = X500Name::parse("cn=a,xy=b").expect_err("no such type");
    assert_eq!(
        format!("{error}"),
        "the type of part 2 of the subject name is not known"
    );
}

#[test]
fn pasted_text_is_read_however_the_terminal_mangled_it() {
    let der: Vec<u8> = (0..=255).collect();
    let text = pem::encode(Label::Certificate, &der);
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    for pasted in [
        text.clone(),
        text.replace('\n', "\r\n"),
        text.replace('\n', "  \n\n  "),
        body.clone(),
        body.chars().flat_map(|c| [c, ' ']).collect(),
        text.replace("CERTIFICATE", "X509 CERTIFICATE"),
    ] {
        assert_eq!(
            pem::decode(&pasted, Label::Certificate).as_deref(),
            Ok(der.as_slice()),
            "{pasted}"
        );
    }
}

#[test]
fn broken_pem_is_refused_with_its_line() {
    for (text, error) in [
        ("", PemError::Empty),
        (
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
            PemError::Empty,
        ),
        ("AAAA\nAA!A", PemError::BadCharacter { line: 2 }),
        ("AAAAA", PemError::Truncated),
        ("AB==", PemError::Truncated),
        ("AAA=AAAA", PemError::TrailingText { line: 1 }),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA",
            PemError::MissingBoundary,
        ),
        ("AAAA\n-----END CERTIFICATE-----", PemError::MissingBoundary),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\nAAAA",
            PemError::TrailingText { line: 4 },
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nAAAA",
            PemError::WrongLabel { line: 1 },
        ),
    ] {
        assert_eq!(pem::decode(text, Label::Certificate), Err(error), "{text}");
    }
    let long = "A".repeat(MAX_DER_LEN * 2);
    assert_eq!(
        pem::decode(&long, Label::Certificate),
        Err(PemError::TooLarge)
    );
}

#[test]
fn cipher_words_of_the_guide_are_known_and_refused_with_a_reason() {
    let word = cipher::lookup("AES128-sha1").expect("a known word");
    assert_eq!(word.id, 0x002f);
    assert_eq!(
        format!("{word}"),
        "WARNING: aes128-sha1 (TLS_RSA_WITH_AES_128_CBC_SHA) is not offered: it has no forward \
         secrecy."
    );
    assert!(cipher::lookup("rot13").is_none());
}

#[test]
fn fingerprints_are_grouped_as_asa_shows_them() {
    // MD5, SHA-1 and SHA-256 of nothing (RFC 1321 A.5, FIPS 180-4 examples).
    let prints = Fingerprints::of(b"");
    assert_eq!(
        format!("{}", Grouped(&prints.md5)),
        "d41d8cd9 8f00b204 e9800998 ecf8427e"
    );
    assert_eq!(
        format!("{}", Grouped(&prints.sha1)),
        "da39a3ee 5e6b4b0d 3255bfef 95601890 afd80709"
    );
    assert!(format!("{}", Grouped(&prints.sha256)).starts_with("e3b0c442 98fc1c14"));
}

#[test]
fn certificates_and_keys_are_shown_in_asa_layout() {
    let key = rsa_key();
    let enrollment = Enrollment {
        subject_name: Some("cn=10.20.0.1,o=Example"),
        ..Enrollment::default()
    };
    let der = self_signed(&key, &enrollment, &mut HostEntropy, NOW).expect("a certificate");
    let info = CertificateInfo::parse(&der).expect("our own certificate");
    let date = |out: &mut dyn core::fmt::Write, secs: u64| write!(out, "<{secs}>");
    let mut text = String::new();
    show::certificate(
        &mut text,
        Role::Identity,
        &info,
        &["imp_proxy", "test"],
        &date,
    )
    .expect("strings take everything");
    let expected = format!(
        "Certificate\n  Status: Available\n  Certificate Serial Number: {}\n  \
         Certificate Usage: General Purpose\n  Public Key Type: RSA (2048 bits)\n  \
         Signature Algorithm: SHA256 with RSA Encryption\n  Issuer Name:\n    cn=10.20.0.1\n    \
         o=Example\n  Subject Name:\n    cn=10.20.0.1\n    o=Example\n  Validity Date:\n    \
         start date: <{}>\n    end   date: <{}>\n  Associated Trustpoints: imp_proxy test\n",
        info.serial_hex(),
        info.not_before,
        info.not_after
    );
    assert_eq!(text, expected);

    let mut text = String::new();
    show::key(&mut text, &key, &date).expect("strings take everything");
    assert!(text.starts_with(
        "Key pair was generated at: <1780272000>\nKey name: rsa_key\n Usage: General Purpose Key\n \
         Modulus Size (bits): 2048\n Storage: config\n Key Data:\n\n  30820122 300d0609 2a864886 "
    ));
}

proptest! {
    #[test]
    fn pem_comes_back_as_it_went(der in proptest::collection::vec(any::<u8>(), 1..400)) {
        let text = pem::encode(Label::Certificate, &der);
        prop_assert!(text.lines().all(|line| line.len() <= 64));
        prop_assert_eq!(pem::decode(&text, Label::Certificate), Ok(der));
    }

    #[test]
    fn no_pasted_text_panics(text in "(-----(BEGIN|END) [A-Z ]{0,12}-----|[A-Za-z0-9+/=\n\r ]{0,40}|\\PC{0,10}){0,8}") {
        let _ = pem::decode(&text, Label::Certificate);
    }

    #[test]
    fn no_typed_name_panics(text in "([a-zA-Z]{0,3}=?[a-z0-9,\\\\\" \u{e9}]{0,12},?){0,6}") {
        let _ = X500Name::parse(&text);
    }
}

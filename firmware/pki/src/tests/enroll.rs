//! Certificates and requests that we make, in the eyes of OpenSSL and Java.

use core::net::Ipv4Addr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::string::String;
use std::vec::Vec;
use std::{env, format, fs, process};

use super::{DAY, HostEntropy, NOW, ec_key, rsa_key};
use crate::certificate::CertificateInfo;
use crate::enroll::{EnrollError, Enrollment, self_signed, signing_request};
use crate::key::{Curve, KeyPair};
use crate::name::NameError;
use crate::pem::{self, Label};

/// Runs a host tool with `input`; returns whether it succeeded and all it printed.
fn run(tool: &str, arguments: &[&str], input: &[u8]) -> (bool, String) {
    let mut child = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tests need the host's openssl");
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(input)
        .expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

fn openssl(arguments: &str, input: &[u8]) -> String {
    let arguments: Vec<_> = arguments.split(' ').collect();
    let (is_ok, text) = run("openssl", &arguments, input);
    assert!(is_ok, "openssl {arguments:?}: {text}");
    text
}

/// A file that goes away with the value.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = env::temp_dir().join(format!("pki-test-{}-{name}", process::id()));
        fs::write(&path, bytes).expect("a writable temporary directory");
        Self(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const GUIDE: Enrollment<'_> = Enrollment {
    subject_name: Some("cn=imp-public.example.com,OU=Unit,O=Org,C=NL,St=Province,L=City"),
    fqdn: Some("imp-public.example.com"),
    ip_address: Some(Ipv4Addr::new(203, 0, 113, 10)),
    email: None,
    serial_number: None,
};

#[test]
fn openssl_verifies_the_request_and_reads_what_the_guide_wants() {
    for key in [
        rsa_key(),
        ec_key("p256"),
        KeyPair::generate_ecdsa("p384", Curve::P384, NOW).expect("a good label"),
    ] {
        let request = signing_request(&key, &GUIDE).expect("a request");
        let text = pem::encode(Label::CertificateRequest, &request);
        let shown = openssl("req -verify -noout -text -nameopt RFC2253", text.as_bytes());
        assert!(shown.contains("verify OK"), "{shown}");
        // RFC 2253 shows the reverse of the encoding: the typed order, after the device's own part.
        assert!(
            shown.contains("CN=imp-public.example.com,OU=Unit,O=Org,C=NL,ST=Province,L=City"),
            "{shown}"
        );
        assert!(
            shown.contains("unstructuredName=imp-public.example.com"),
            "{shown}"
        );
        assert!(
            shown.contains("unstructuredAddress=203.0.113.10"),
            "{shown}"
        );
        assert!(
            shown.contains("Digital Signature, Key Encipherment"),
            "{shown}"
        );
        assert!(
            shown.contains("TLS Web Server Authentication, TLS Web Client Authentication"),
            "{shown}"
        );
        assert!(
            shown.contains("DNS:imp-public.example.com, IP Address:203.0.113.10"),
            "{shown}"
        );
    }
}

#[test]
fn openssl_finds_nothing_wrong_with_our_keys() {
    for key in [rsa_key(), ec_key("p256")] {
        let shown = openssl("pkey -inform DER -check -noout", key.private());
        assert!(shown.contains("Key is valid"), "{shown}");
    }
}

#[test]
fn openssl_takes_the_self_signed_certificate_for_server_and_client() {
    let enrollment = Enrollment {
        subject_name: Some("cn=10.20.0.1"),
        ..Enrollment::default()
    };
    for (key, name) in [(rsa_key(), "rsa"), (ec_key("p256"), "ec")] {
        let der = self_signed(&key, &enrollment, &mut HostEntropy, NOW).expect("a certificate");
        let text = pem::encode(Label::Certificate, &der);
        let shown = openssl("x509 -noout -text", text.as_bytes());
        assert!(shown.contains("Issuer: CN = 10.20.0.1"), "{shown}");
        assert!(
            shown.contains("TLS Web Server Authentication, TLS Web Client Authentication"),
            "{shown}"
        );
        let file = TempFile::new(&format!("{name}.pem"), text.as_bytes());
        let path = file.0.display();
        for purpose in ["sslserver", "sslclient"] {
            openssl(
                &format!(
                    "verify -x509_strict -check_ss_sig -attime {NOW} -purpose {purpose} \
                     -CAfile {path} {path}"
                ),
                b"",
            );
        }
    }
}

#[test]
fn java_reads_the_self_signed_certificate() {
    if Command::new("keytool").arg("-help").output().is_err() {
        std::eprintln!("skipped: the host has no keytool");
        return;
    }
    let der = self_signed(&rsa_key(), &GUIDE, &mut HostEntropy, NOW).expect("a certificate");
    let (is_ok, shown) = run("keytool", &["-printcert"], &der);
    assert!(is_ok, "{shown}");
    assert!(shown.contains("SHA256withRSA"), "{shown}");
    assert!(shown.contains("clientAuth"), "{shown}");
}

#[test]
fn a_self_signed_certificate_says_what_was_asked() {
    let enrollment = Enrollment {
        serial_number: Some("JMX1234X0AB"),
        ..GUIDE
    };
    let der = self_signed(&ec_key("key"), &enrollment, &mut HostEntropy, NOW).expect("made");
    let info = CertificateInfo::parse(&der).expect("our own certificate");
    assert_eq!(info.issuer, info.subject);
    assert!(info.is_self_issued && !info.is_ca && info.allows_server && info.allows_client);
    assert_eq!(info.serial.len(), 16);
    assert_eq!(info.not_before, NOW - DAY);
    assert_eq!(info.not_after, NOW + (3650 + 2) * DAY);
    assert_eq!(info.dns_names, ["imp-public.example.com"]);
    let subject: Vec<_> = info.subject.iter().map(|part| format!("{part}")).collect();
    for part in [
        "hostname=imp-public.example.com",
        "ipaddress=203.0.113.10",
        "serialNumber=JMX1234X0AB",
    ] {
        assert!(subject.iter().any(|shown| shown == part), "{subject:?}");
    }
    assert_eq!(
        subject[3..],
        [
            "cn=imp-public.example.com",
            "ou=Unit",
            "o=Org",
            "c=NL",
            "st=Province",
            "l=City"
        ]
    );
}

#[test]
fn dates_after_2049_are_encoded_as_the_profile_wants() {
    let in_2045 = 2_366_841_600;
    let der =
        self_signed(&ec_key("key"), &GUIDE, &mut HostEntropy, in_2045).expect("a certificate");
    let info = CertificateInfo::parse(&der).expect("our own certificate");
    assert_eq!(info.not_after, in_2045 + 3652 * DAY);
    openssl("x509 -inform DER -noout -text", &der);
}

#[test]
fn enrolments_that_name_nobody_or_nonsense_are_refused() {
    let key = ec_key("key");
    let refused = |enrollment: Enrollment<'_>| signing_request(&key, &enrollment).err();
    assert_eq!(refused(Enrollment::default()), Some(EnrollError::NoSubject));
    assert_eq!(
        refused(Enrollment {
            fqdn: Some("not a name"),
            ..GUIDE
        }),
        Some(EnrollError::BadFqdn)
    );
    assert_eq!(
        refused(Enrollment {
            subject_name: Some("cn=a,xx=b"),
            ..GUIDE
        }),
        Some(EnrollError::Name(NameError::UnknownType { part: 2 }))
    );
    assert_eq!(
        refused(Enrollment {
            serial_number: Some("two words"),
            ..GUIDE
        }),
        Some(EnrollError::BadText)
    );
}

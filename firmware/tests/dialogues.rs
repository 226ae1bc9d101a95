//! Requirement: certificate dialogues run as on the ASA, and what is refused changes nothing.
//! Needs: nothing; virtual time.

mod common;

use common::Box;

const TRUSTPOINT: &str = "configure terminal\ncrypto key generate ecdsa label edge\n\
     crypto ca trustpoint own\n enrollment self\n fqdn none\n subject-name cn=10.20.0.1\n keypair edge\nexit\n\
     crypto ca trustpoint peer\n enrollment terminal\nexit";

/// A box with a key pair and two trustpoints, in configuration mode.
fn furnished() -> Box {
    let mut sallyport = Box::boot();
    sallyport.enable();
    sallyport.config(TRUSTPOINT);
    sallyport
}

fn own_certificate(sallyport: &mut Box) -> String {
    let printed = sallyport.type_text("crypto ca enroll own\rno\ryes\r");
    assert!(
        printed.contains("Include the device serial number"),
        "{printed}"
    );
    assert!(
        printed.contains("Generate Self-Signed Certificate? [yes/no]: yes"),
        "{printed}"
    );
    let printed = sallyport.line("crypto ca export own identity-certificate");
    let begin = printed
        .find("-----BEGIN CERTIFICATE-----")
        .expect("a certificate");
    let end = printed.find("-----END CERTIFICATE-----").expect("its end") + 25;
    printed[begin..end].replace("\r\n", "\n")
}

#[test]
fn a_self_signed_certificate_can_be_carried_to_another_trustpoint() {
    let mut sallyport = furnished();
    let pem = own_certificate(&mut sallyport);
    let typed = format!(
        "crypto ca authenticate peer\r{}\rquit\ryes\r",
        pem.replace('\n', "\r")
    );
    let printed = sallyport.type_text(&typed);
    assert!(
        printed.contains("End with the word \"quit\" on a line by itself"),
        "{printed}"
    );
    assert!(printed.contains("Fingerprint:     "), "{printed}");
    assert!(
        printed.contains("Trustpoint CA certificate accepted."),
        "{printed}"
    );
    let shown = sallyport.line("show crypto ca certificates peer");
    assert!(
        shown.contains("CA Certificate") && shown.contains("cn=10.20.0.1"),
        "{shown}"
    );
    let text = sallyport.line("show running-config crypto");
    assert!(text.contains("crypto ca certificate chain peer"), "{text}");
}

#[test]
fn a_broken_paste_is_refused_by_name_and_changes_nothing() {
    let mut sallyport = furnished();
    let pem = own_certificate(&mut sallyport);
    let before = sallyport.line("show running-config");
    let cut = &pem[..pem.len() / 2];
    for broken in [
        "not base64 at all!",
        "",
        cut,
        "-----BEGIN RSA PRIVATE KEY-----\nAAAA",
    ] {
        let typed = format!(
            "crypto ca authenticate peer\r{}\rquit\r",
            broken.replace('\n', "\r")
        );
        let printed = sallyport.type_text(&typed);
        assert!(printed.contains("ERROR: "), "{broken}: {printed}");
        assert!(!printed.contains("Do you accept"), "{broken}: {printed}");
    }
    let printed = sallyport.type_text("crypto ca authenticate peer\rMIIB\x03");
    assert!(printed.contains("nothing was changed"), "{printed}");
    let printed = sallyport.type_text(&format!(
        "crypto ca authenticate peer\r{}\rquit\rno\r",
        pem.replace('\n', "\r")
    ));
    assert!(printed.contains("Certificate not accepted"), "{printed}");
    assert_eq!(before, sallyport.line("show running-config"));
}

#[test]
fn a_certificate_for_another_key_is_not_imported() {
    let mut sallyport = furnished();
    let pem = own_certificate(&mut sallyport).replace('\n', "\r");
    sallyport.type_text(&format!("crypto ca authenticate peer\r{pem}\rquit\ryes\r"));
    sallyport
        .config("crypto key generate ecdsa label other\ncrypto ca trustpoint peer\n keypair other");
    let printed = sallyport.type_text(&format!("crypto ca import peer certificate\r{pem}\rquit\r"));
    assert!(
        printed.contains("ERROR: the certificate's public key is not that of"),
        "{printed}"
    );
}

#[test]
fn removing_an_enrolled_trustpoint_asks_first() {
    let mut sallyport = furnished();
    own_certificate(&mut sallyport);
    let printed = sallyport.type_text("no crypto ca trustpoint own\rno\r");
    assert!(
        printed.contains("WARNING: Removing an enrolled trustpoint"),
        "{printed}"
    );
    assert!(
        sallyport
            .line("show crypto ca trustpoints")
            .contains("Trustpoint own:")
    );
    sallyport.type_text("no crypto ca trustpoint own\ryes\r");
    assert!(
        !sallyport
            .line("show crypto ca trustpoints")
            .contains("Trustpoint own:")
    );
}

#[test]
fn a_signing_request_is_shown_on_the_terminal() {
    let mut sallyport = furnished();
    let pem = own_certificate(&mut sallyport).replace('\n', "\r");
    sallyport.type_text(&format!("crypto ca authenticate peer\r{pem}\rquit\ryes\r"));
    sallyport
        .config("crypto ca trustpoint peer\n fqdn imp-public.example.com\n keypair edge\nexit");
    let printed = sallyport.type_text("crypto ca enroll peer\ryes\rno\ryes\rno\r");
    assert!(
        printed.contains("% WARNING: The certificate enrollment is configured with an fqdn"),
        "{printed}"
    );
    assert!(
        printed.contains("-----BEGIN CERTIFICATE REQUEST-----"),
        "{printed}"
    );
    assert!(
        printed.contains("Redisplay enrollment request? [yes/no]: no"),
        "{printed}"
    );
}

#[test]
fn an_rsa_key_of_the_guides_size_is_raised_to_what_tls_takes() {
    let mut sallyport = furnished();
    let printed = sallyport.line("crypto key generate rsa label imp_proxy_key modulus 1024");
    assert!(
        printed.contains("WARNING: a modulus of 1024 bits"),
        "{printed}"
    );
    assert!(
        printed.contains("INFO: The name for the keys will be: imp_proxy_key"),
        "{printed}"
    );
    let shown = sallyport.line("show crypto key mypubkey rsa");
    assert!(shown.contains("Modulus Size (bits): 2048"), "{shown}");
}

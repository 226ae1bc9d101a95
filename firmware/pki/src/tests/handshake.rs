//! Real handshakes in memory between our own settings, with every kind of peer certificate.

use std::sync::Arc;
use std::vec;
use std::vec::Vec;

use pki_types::ServerName;
use rcgen::ExtendedKeyUsagePurpose;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use rustls::{CertificateError, ClientConfig, Error, ProtocolVersion, ServerConfig};

use super::import::{Authority, Wanted};
use super::{DAY, HostEntropy, NOW, ec_key, rsa_key};
use crate::enroll::{Enrollment, self_signed};
use crate::key::KeyPair;
use crate::tls::{
    Identity, IdentityError, TlsError, Trust, client_config, for_tests, server_config, time_source,
};

/// How a handshake ended on each side.
struct Outcome {
    client: Result<bool, Error>,
    server: Result<bool, Error>,
    version: Option<ProtocolVersion>,
    shown_by_client: usize,
}

impl Outcome {
    fn is_complete(&self) -> bool {
        self.client == Ok(true) && self.server == Ok(true)
    }

    fn client_refusal(&self) -> Option<&CertificateError> {
        refusal(&self.client)
    }

    fn server_refusal(&self) -> Option<&CertificateError> {
        refusal(&self.server)
    }
}

fn refusal(result: &Result<bool, Error>) -> Option<&CertificateError> {
    match result {
        Err(Error::InvalidCertificate(reason)) => Some(reason),
        _ => None,
    }
}

/// Moves one side on as far as its input allows; gives what it sends and whether it is done.
macro_rules! advance {
    ($connection:expr, $incoming:expr, $outgoing:expr) => {{
        let mut outcome = Ok(false);
        loop {
            let UnbufferedStatus { discard, state, .. } =
                $connection.process_tls_records($incoming.as_mut_slice());
            let mut is_stuck = false;
            match state {
                Ok(ConnectionState::EncodeTlsData(mut data)) => {
                    let mut buffer = vec![0; 64];
                    let used = match data.encode(&mut buffer) {
                        Ok(used) => used,
                        Err(EncodeError::InsufficientSize(needed)) => {
                            buffer.resize(needed.required_size, 0);
                            data.encode(&mut buffer).expect("the size asked for")
                        }
                        Err(error) => panic!("{error:?}"),
                    };
                    $outgoing.extend_from_slice(&buffer[..used]);
                }
                Ok(ConnectionState::TransmitTlsData(data)) => data.done(),
                Ok(ConnectionState::WriteTraffic(_)) => {
                    outcome = Ok(true);
                    is_stuck = true;
                }
                Ok(ConnectionState::BlockedHandshake) => is_stuck = true,
                Ok(other) => panic!("{other:?}"),
                Err(error) => {
                    outcome = Err(error);
                    is_stuck = true;
                }
            }
            $incoming.drain(..discard);
            if is_stuck {
                break;
            }
        }
        outcome
    }};
}

fn shake(client: &Arc<ClientConfig>, server: &Arc<ServerConfig>) -> Outcome {
    let name = ServerName::from(pki_types::Ipv4Addr::from([203, 0, 113, 10]));
    let mut client = UnbufferedClientConnection::new(Arc::clone(client), name).expect("a client");
    let mut server = UnbufferedServerConnection::new(Arc::clone(server)).expect("a server");
    let (mut to_client, mut to_server) = (Vec::new(), Vec::new());
    let mut outcome = Outcome {
        client: Ok(false),
        server: Ok(false),
        version: None,
        shown_by_client: 0,
    };
    for _ in 0..6 {
        if outcome.client.is_ok() {
            outcome.client = advance!(client, to_client, to_server);
        }
        if outcome.server.is_ok() {
            outcome.server = advance!(server, to_server, to_client);
        }
    }
    outcome.version = client.protocol_version();
    outcome.shown_by_client = server.peer_certificates().map_or(0, <[_]>::len);
    outcome
}

/// One side of a federation.
struct Party {
    key: KeyPair,
    certificate: Vec<u8>,
    /// CA certificates of its own trustpoints and of those for the other side.
    authorities: Vec<Vec<u8>>,
}

impl Party {
    fn identity(&self) -> Identity {
        let authorities: Vec<_> = self.authorities.iter().map(Vec::as_slice).collect();
        Identity::new(&self.key, &self.certificate, &authorities).expect("key and certificate")
    }

    fn trust(&self) -> Arc<Trust> {
        Arc::new(Trust::new(self.authorities.iter().map(Vec::as_slice)).expect("certificates"))
    }
}

fn meet_at(caller: &Party, called: &Party, now: Option<u64>) -> Outcome {
    let time = time_source(move || now);
    let client = client_config(Some(&caller.identity()), &caller.trust(), Arc::clone(&time));
    let server = server_config(&called.identity(), &called.trust(), true, time);
    shake(&client.expect("settings"), &server.expect("settings"))
}

fn meet(caller: &Party, called: &Party) -> Outcome {
    meet_at(caller, called, Some(NOW))
}

/// Two parties, each certified by a CA of its own; `left` and `right` say what their certificates
/// are like.
fn federation(left: &Wanted, right: &Wanted) -> (Party, Party) {
    let left_root = Authority::root(&Wanted::authority("Left Root"));
    let right_root = Authority::root(&Wanted::authority("Right Root"));
    let authorities = vec![left_root.der.clone(), right_root.der.clone()];
    let party = |root: &Authority, wanted: &Wanted, key: KeyPair| Party {
        certificate: root.certify(&key, &wanted.params()),
        key,
        authorities: authorities.clone(),
    };
    (
        party(&left_root, left, rsa_key()),
        party(&right_root, right, ec_key("right")),
    )
}

#[test]
fn both_sides_authenticate_each_other() {
    let (left, right) = federation(&Wanted::leaf("left"), &Wanted::leaf("right"));
    for (caller, called) in [(&left, &right), (&right, &left)] {
        let outcome = meet(caller, called);
        assert!(outcome.is_complete());
        assert_eq!(outcome.version, Some(ProtocolVersion::TLSv1_3));
        assert_eq!(outcome.shown_by_client, 1);
    }
}

#[test]
fn tls_1_2_works_as_well() {
    let (left, right) = federation(&Wanted::leaf("left"), &Wanted::leaf("right"));
    let time = time_source(|| Some(NOW));
    let client = client_config(Some(&left.identity()), &left.trust(), Arc::clone(&time));
    let server = server_config(&right.identity(), &right.trust(), true, time).expect("settings");
    // The library has no setter; a client of its own kind that knows TLS 1.2 alone stands in.
    let provider = Arc::clone(client.expect("settings").crypto_provider());
    let old = ClientConfig::builder_with_details(provider, time_source(|| Some(NOW)))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .expect("a version")
        .dangerous()
        .with_custom_certificate_verifier(for_tests::verifier(&left.trust()))
        .with_client_cert_resolver(for_tests::resolver(&left.identity()));
    let outcome = shake(&Arc::new(old), &server);
    assert!(outcome.is_complete());
    assert_eq!(outcome.version, Some(ProtocolVersion::TLSv1_2));
}

#[test]
fn an_expired_or_future_certificate_is_refused_by_our_clock() {
    let expired = Wanted {
        not_after: NOW - DAY,
        ..Wanted::leaf("left")
    };
    let future = Wanted {
        not_before: NOW + DAY,
        ..Wanted::leaf("left")
    };
    let (left, right) = federation(&expired, &Wanted::leaf("right"));
    assert!(matches!(
        meet(&left, &right).server_refusal(),
        Some(CertificateError::ExpiredContext { .. })
    ));
    assert!(matches!(
        meet(&right, &left).client_refusal(),
        Some(CertificateError::ExpiredContext { .. })
    ));
    assert!(meet_at(&left, &right, Some(NOW - 2 * DAY)).is_complete());
    let (left, right) = federation(&future, &Wanted::leaf("right"));
    assert!(matches!(
        meet(&right, &left).client_refusal(),
        Some(CertificateError::NotValidYetContext { .. })
    ));
}

#[test]
fn an_expired_anchor_vouches_for_nobody() {
    let root = Authority::root(&Wanted {
        not_after: NOW - DAY,
        ..Wanted::authority("Root")
    });
    let party = |key: KeyPair| Party {
        certificate: root.certify(&key, &Wanted::leaf("leaf").params()),
        key,
        authorities: vec![root.der.clone()],
    };
    let (left, right) = (party(ec_key("left")), party(ec_key("right")));
    assert!(matches!(
        meet(&left, &right).client_refusal(),
        Some(CertificateError::ExpiredContext { .. })
    ));
    assert!(meet_at(&left, &right, Some(NOW - 2 * DAY)).is_complete());
}

#[test]
fn without_a_clock_nobody_is_trusted() {
    let (left, right) = federation(&Wanted::leaf("left"), &Wanted::leaf("right"));
    let outcome = meet_at(&left, &right, None);
    assert!(!outcome.is_complete());
    assert_eq!(outcome.client, Err(Error::FailedToGetCurrentTime));
}

#[test]
fn a_certificate_of_an_unknown_ca_is_refused() {
    let (left, mut right) = federation(&Wanted::leaf("left"), &Wanted::leaf("right"));
    let stranger = Authority::root(&Wanted::authority("Right Root"));
    right.certificate = stranger.certify(&right.key, &Wanted::leaf("right").params());
    // The stranger took the name of a trusted CA, so the signature is what gives it away.
    assert!(matches!(
        meet(&left, &right).client_refusal(),
        Some(CertificateError::BadSignature | CertificateError::UnknownIssuer)
    ));
    let unknown = Authority::root(&Wanted::authority("Unknown"));
    right.certificate = unknown.certify(&right.key, &Wanted::leaf("right").params());
    assert_eq!(
        meet(&left, &right).client_refusal(),
        Some(&CertificateError::UnknownIssuer)
    );
    assert_eq!(
        meet(&right, &left).server_refusal(),
        Some(&CertificateError::UnknownIssuer)
    );
}

#[test]
fn purposes_are_checked_by_role() {
    let with = |purposes: &[ExtendedKeyUsagePurpose]| Wanted {
        purposes: purposes.to_vec(),
        ..Wanted::leaf("left")
    };
    let both = Wanted::leaf("right");
    // (purposes, may call, may be called)
    for (purposes, may_call, may_be_called) in [
        (&[][..], true, true),
        (&[ExtendedKeyUsagePurpose::ServerAuth][..], false, true),
        (&[ExtendedKeyUsagePurpose::ClientAuth][..], true, false),
        (&[ExtendedKeyUsagePurpose::CodeSigning][..], false, false),
    ] {
        let (left, right) = federation(&with(purposes), &both);
        let (calls, is_called) = (meet(&left, &right), meet(&right, &left));
        assert_eq!(calls.is_complete(), may_call, "{purposes:?}");
        assert_eq!(is_called.is_complete(), may_be_called, "{purposes:?}");
        if !may_call {
            let reason = calls.server_refusal();
            assert!(matches!(reason, Some(CertificateError::InvalidPurpose)));
        }
    }
}

#[test]
fn a_self_signed_certificate_is_trusted_if_it_was_imported_and_only_itself() {
    let enrollment = Enrollment {
        subject_name: Some("cn=10.20.0.1"),
        ..Enrollment::default()
    };
    let issue = |key: &KeyPair| {
        self_signed(key, &enrollment, &mut HostEntropy, NOW).expect("a certificate")
    };
    let (left_key, right_key) = (rsa_key(), ec_key("right"));
    let (left_der, right_der) = (issue(&left_key), issue(&right_key));
    let mut left = Party {
        key: left_key,
        certificate: left_der.clone(),
        authorities: vec![right_der.clone()],
    };
    let right = Party {
        key: right_key,
        certificate: right_der,
        authorities: vec![left_der],
    };
    assert!(meet(&left, &right).is_complete());
    assert!(meet(&right, &left).is_complete());
    let ten_years_on = Some(NOW + 3660 * DAY);
    assert!(matches!(
        meet_at(&left, &right, ten_years_on).client_refusal(),
        Some(CertificateError::ExpiredContext { .. })
    ));
    // The same name and key, but another certificate.
    left.certificate = issue(&left.key);
    assert!(meet(&left, &right).server_refusal().is_some());
}

#[test]
fn a_pinned_self_signed_ca_certificate_may_be_a_peers_own() {
    // What Cisco's own self-signed service certificates look like.
    let key = rcgen::KeyPair::generate().expect("a key");
    let mut wanted = Wanted::leaf("imp1.example.com");
    wanted.is_ca = true;
    let der = wanted
        .params()
        .self_signed(&key)
        .expect("signs")
        .der()
        .to_vec();
    let trust = Trust::new([der.as_slice()]).expect("a certificate");
    let certificate = pki_types::CertificateDer::from(der);
    assert_eq!(for_tests::accepts_server(trust, &certificate, NOW), Ok(()));
}

#[test]
fn a_certificate_that_is_no_ca_vouches_for_itself_alone() {
    // The leaf's key certifies another key, as if it were a CA's.
    let false_ca = Authority::root(&Wanted::leaf("not a CA"));
    let key = ec_key("key");
    let party = Party {
        certificate: false_ca.certify(&key, &Wanted::leaf("victim").params()),
        key,
        authorities: vec![false_ca.der.clone()],
    };
    let other = Party {
        key: ec_key("other"),
        certificate: party.certificate.clone(),
        authorities: vec![false_ca.der],
    };
    let time = time_source(|| Some(NOW));
    let client = client_config(None, &other.trust(), Arc::clone(&time)).expect("settings");
    let server = server_config(&party.identity(), &party.trust(), false, time).expect("settings");
    assert_eq!(
        shake(&client, &server).client_refusal(),
        Some(&CertificateError::UnknownIssuer)
    );
}

#[test]
fn chains_are_built_and_found_across_trustpoints() {
    let root = Authority::root(&Wanted::authority("Root"));
    let middle = root.subordinate(&Wanted::authority("Middle"));
    let lower = middle.subordinate(&Wanted::authority("Lower"));
    let key = ec_key("left");
    let mut left = Party {
        certificate: lower.certify(&key, &Wanted::leaf("left").params()),
        key,
        // In no order: each is the CA certificate of some trustpoint.
        authorities: vec![root.der.clone(), lower.der.clone(), middle.der.clone()],
    };
    assert_eq!(
        left.identity().chain().len(),
        3,
        "leaf, lower, middle; no root"
    );
    let key = ec_key("right");
    let mut right = Party {
        certificate: root.certify(&key, &Wanted::leaf("right").params()),
        key,
        authorities: vec![root.der.clone()],
    };
    // The other side knows the root alone: the intermediates are sent.
    assert!(meet(&left, &right).is_complete());
    assert!(meet(&right, &left).is_complete());
    // A side that knows the intermediates needs none sent, nor the root.
    left.authorities = vec![root.der.clone()];
    assert_eq!(left.identity().chain().len(), 1);
    assert!(!meet(&left, &right).is_complete());
    right.authorities = vec![lower.der.clone()];
    assert!(meet(&left, &right).is_complete());
}

#[test]
fn an_expired_intermediate_breaks_the_chain() {
    let root = Authority::root(&Wanted::authority("Root"));
    let middle = root.subordinate(&Wanted {
        not_after: NOW - DAY,
        ..Wanted::authority("Middle")
    });
    let key = ec_key("left");
    let left = Party {
        certificate: middle.certify(&key, &Wanted::leaf("left").params()),
        key,
        authorities: vec![root.der.clone(), middle.der.clone()],
    };
    let outcome = meet(&left, &left);
    assert!(matches!(
        outcome.client_refusal(),
        Some(CertificateError::ExpiredContext { .. } | CertificateError::UnknownIssuer)
    ));
}

#[test]
fn a_caller_without_a_certificate_is_refused_unless_none_is_wanted() {
    let (left, right) = federation(&Wanted::leaf("left"), &Wanted::leaf("right"));
    let time = time_source(|| Some(NOW));
    let client = client_config(None, &left.trust(), Arc::clone(&time)).expect("settings");
    let strict = server_config(&right.identity(), &right.trust(), true, Arc::clone(&time));
    let outcome = shake(&client, &strict.expect("settings"));
    assert_eq!(outcome.server, Err(Error::NoCertificatesPresented));
    let lax = server_config(&right.identity(), &right.trust(), false, time);
    let outcome = shake(&client, &lax.expect("settings"));
    assert!(outcome.is_complete());
    assert_eq!(outcome.shown_by_client, 0);
}

#[test]
fn settings_that_could_never_work_are_refused() {
    let (left, right) = federation(&Wanted::leaf("left"), &Wanted::leaf("right"));
    assert_eq!(
        Identity::new(&left.key, &right.certificate, &[]).err(),
        Some(IdentityError::KeyMismatch)
    );
    let nobody = Arc::new(Trust::new([]).expect("nothing to read"));
    let time = time_source(|| Some(NOW));
    assert_eq!(
        server_config(&left.identity(), &nobody, true, time).err(),
        Some(TlsError::NothingTrusted)
    );
}

//! The two companies against each other on one segment, with nothing between them.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use tokio::time::timeout;

use super::certificates::{Authority, Identity, cut_pem, from_pem, names};
use super::sip::{Client, Message, Party, Server};
use super::tls::{Trust, acceptor, connector};
use super::xmpp;
use crate::network::{Host, Segment};

const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 11);
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);

/// Hosts that take every address for a neighbour, so that no router is needed.
fn hosts() -> (Host, Host) {
    let segment = Segment::new();
    (
        Host::new(&segment, &[(INSIDE, 0)], None),
        Host::new(&segment, &[(OUTSIDE, 0)], None),
    )
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), work).await.unwrap()
}

#[tokio::test]
async fn a_message_crosses_mutual_tls_and_both_ends_see_the_other() {
    let (inside, outside) = hosts();
    let authority = Authority::new("Example Net", "Example Net CA").unwrap();
    let edge = authority
        .issue("Example Net", "edge.example.net", &["edge.example.net"])
        .unwrap();
    let node = Identity::self_signed("Example", "imp1.example.com", &["imp1.example.com"]).unwrap();
    let local = SocketAddrV4::new(OUTSIDE, 5061);
    let trust = Trust::Pinned(node.chain.clone());
    let mut server = Server::start(
        "edge",
        &outside,
        local,
        acceptor(&edge, &trust).unwrap(),
        2,
        true,
    );

    let trust = Trust::Authorities(vec![authority.certificate.clone()]);
    let connector = connector(&node, &trust).unwrap();
    let mut client = within(Client::connect(
        "node",
        &inside,
        INSIDE,
        local,
        &connector,
        "edge.example.net",
    ))
    .await
    .unwrap();
    let party = Party {
        from: "alice@example.com".into(),
        to: "bob@example.net".into(),
        listens_on: SocketAddrV4::new(INSIDE, 5062),
    };
    let response = within(client.request(&Message::instant(&party, 1, "hello")))
        .await
        .unwrap();
    let seen = within(server.sights.recv()).await.unwrap().unwrap();
    assert_eq!(seen.line("body"), Some("hello"));
    assert!(seen.line("Via").unwrap().contains("10.20.0.11:5062"));
    assert!(
        seen.tls
            .as_ref()
            .unwrap()
            .subject
            .contains("imp1.example.com")
    );
    assert_eq!(seen.remote.ip(), INSIDE);
    assert!(
        client
            .sight(&response)
            .tls
            .unwrap()
            .issuer
            .contains("Example Net CA")
    );
    within(client.close()).await.unwrap();
}

#[tokio::test]
async fn a_stranger_is_refused_by_both_kinds_of_trust() {
    let (inside, outside) = hosts();
    let authority = Authority::new("Example Net", "Example Net CA").unwrap();
    let edge = authority
        .issue("Example Net", "edge.example.net", &["edge.example.net"])
        .unwrap();
    let stranger = Identity::self_signed("Stranger", "stranger", &["stranger"]).unwrap();
    let local = SocketAddrV4::new(OUTSIDE, 5061);
    let trust = Trust::Authorities(vec![authority.certificate.clone()]);
    let mut server = Server::start(
        "edge",
        &outside,
        local,
        acceptor(&edge, &trust).unwrap(),
        2,
        true,
    );

    // The server refuses the stranger's certificate.
    let to_edge = connector(&stranger, &trust).unwrap();
    let mut client = within(Client::connect(
        "node",
        &inside,
        INSIDE,
        local,
        &to_edge,
        "edge.example.net",
    ))
    .await
    .unwrap();
    let party = Party {
        from: "a@b".into(),
        to: "c@d".into(),
        listens_on: local,
    };
    assert!(
        within(client.request(&Message::instant(&party, 1, "x")))
            .await
            .is_err()
    );
    assert!(within(server.sights.recv()).await.unwrap().is_err());

    // The stranger, who pins another certificate, refuses the server.
    let pinned = connector(&stranger, &Trust::Pinned(stranger.chain.clone())).unwrap();
    assert!(
        within(Client::connect(
            "node",
            &inside,
            INSIDE,
            local,
            &pinned,
            "edge.example.net"
        ))
        .await
        .is_err()
    );
}

#[tokio::test]
async fn an_xmpp_stream_is_secured_and_delivers_its_message() {
    let (inside, outside) = hosts();
    let authority = Authority::new("Example", "Example CA").unwrap();
    let ours = authority
        .issue("Example", "example.com", &["example.com"])
        .unwrap();
    let theirs = authority
        .issue("Example Org", "example.org", &["example.org"])
        .unwrap();
    let trust = Trust::Authorities(vec![authority.certificate.clone()]);
    let local = SocketAddrV4::new(INSIDE, 5269);
    let mut server = xmpp::Server::start(
        "node",
        "example.com",
        &inside,
        local,
        acceptor(&ours, &trust).unwrap(),
    );
    let connector = connector(&theirs, &trust).unwrap();
    let (from, to) = ("carol@example.org", "alice@example.com");
    let sight = within(xmpp::deliver(
        "peer", &outside, OUTSIDE, local, &connector, from, to, "good day",
    ))
    .await
    .unwrap();
    assert_eq!(sight.line("stream from"), Some("example.com"));
    let seen = within(server.sights.recv()).await.unwrap().unwrap();
    assert_eq!(seen.line("message from"), Some("carol@example.org"));
    assert_eq!(seen.line("body"), Some("good day"));
}

#[test]
fn a_request_is_signed_only_with_proof_of_the_key() {
    let authority = Authority::new("Public", "Example Public CA").unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::new(vec!["ignored.example".into()]).unwrap();
    let pem = request.serialize_request(&key).unwrap().pem().unwrap();
    let signed = authority
        .sign_request(&pem, "Example", "imp-public.example.com")
        .unwrap();
    let (subject, issuer) = names(&from_pem(&signed).unwrap());
    assert!(subject.contains("imp-public.example.com"), "{subject}");
    assert!(issuer.contains("Example Public CA"), "{issuer}");

    // One bit of the signed part changed.
    let mut der: Vec<u8> = pem_body(&pem);
    let at = der
        .windows(7)
        .position(|window| window == b"ignored")
        .unwrap();
    der[at] ^= 1;
    let broken = pem_text(&der);
    assert!(
        authority
            .sign_request(&broken, "Example", "imp-public.example.com")
            .is_err()
    );
}

fn pem_body(pem: &str) -> Vec<u8> {
    use der::{DecodePem, Encode};
    x509_cert::request::CertReq::from_pem(pem)
        .unwrap()
        .to_der()
        .unwrap()
}

fn pem_text(bytes: &[u8]) -> String {
    use der::{Decode, EncodePem};
    x509_cert::request::CertReq::from_der(bytes)
        .unwrap()
        .to_pem(der::pem::LineEnding::LF)
        .unwrap()
}

#[test]
fn a_certificate_is_cut_out_of_console_output() {
    let output = "The PEM follows:\n\n-----BEGIN CERTIFICATE-----\nAAAA\nBBBB \n-----END CERTIFICATE-----\nbox# ";
    let pem = cut_pem(output, "CERTIFICATE").unwrap();
    assert_eq!(
        pem,
        "-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n"
    );
    assert!(cut_pem(output, "CERTIFICATE REQUEST").is_err());
}

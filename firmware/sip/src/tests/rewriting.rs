use core::cell::RefCell;
use core::net::Ipv4Addr;

use crate::{EndpointMap, Error, Message, Transport, rewrite};

/// Maps the node `10.20.0.11` to `203.0.113.10`, port 5062 to 45062, and notes what it was asked.
#[derive(Default)]
struct Node {
    asked: RefCell<Vec<(Transport, Ipv4Addr, Option<u16>)>>,
}

impl EndpointMap for Node {
    fn map(
        &self,
        transport: Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        self.asked.borrow_mut().push((transport, address, port));
        let port = port.map(|port| if port == 5062 { 45_062 } else { port });
        (address == Ipv4Addr::new(10, 20, 0, 11)).then_some((Ipv4Addr::new(203, 0, 113, 10), port))
    }
}

fn rewritten(head: &str) -> Result<String, Error> {
    let bytes = format!("{head}\r\n\r\n10.20.0.11");
    let message = Message::parse(bytes.as_bytes(), bytes.len() - 10)?;
    let mut output = [0; 2_048];
    let len = rewrite(&message, Transport::Tls, &Node::default(), &mut output)?;
    let text = core::str::from_utf8(&output[..len]).expect("text stays text");
    Ok(text
        .strip_suffix("\r\n\r\n10.20.0.11")
        .expect("the body stays")
        .to_owned())
}

/// A header of a request whose own line needs no rewriting.
fn header(line: &str) -> String {
    let head = rewritten(&format!("OPTIONS sip:x SIP/2.0\r\n{line}")).expect("well formed");
    head.strip_prefix("OPTIONS sip:x SIP/2.0\r\n")
        .expect("the start line stays")
        .to_owned()
}

#[test]
fn translated_endpoints_are_replaced_wherever_a_next_hop_is_taken_from() {
    for (before, after) in [
        (
            "Via: SIP/2.0/TLS 10.20.0.11:5062;branch=z9",
            "Via: SIP/2.0/TLS 203.0.113.10:45062;branch=z9",
        ),
        (
            "v: SIP / 2.0 / TCP  10.20.0.11 : 5062 ;rport",
            "v: SIP / 2.0 / TCP  203.0.113.10:45062 ;rport",
        ),
        (
            "Via: SIP/2.0/UDP 10.20.0.11",
            "Via: SIP/2.0/UDP 203.0.113.10",
        ),
        (
            "Via: SIP/2.0/TLS a;x=\"1,2\", SIP/2.0/TLS 10.20.0.11:5062",
            "Via: SIP/2.0/TLS a;x=\"1,2\", SIP/2.0/TLS 203.0.113.10:45062",
        ),
        (
            "Via: SIP/2.0/TLS a.example, SIP/2.0/TLS 10.20.0.11:5062",
            "Via: SIP/2.0/TLS a.example, SIP/2.0/TLS 203.0.113.10:45062",
        ),
        (
            "Via: SIP/2.0/TLS\r\n 10.20.0.11:5062,\r\n\tSIP/2.0/TLS b",
            "Via: SIP/2.0/TLS\r\n 203.0.113.10:45062,\r\n\tSIP/2.0/TLS b",
        ),
        (
            "Contact: <sip:bob@10.20.0.11:5062;transport=tls>",
            "Contact: <sip:bob@203.0.113.10:45062;transport=tls>",
        ),
        (
            "Contact: \"A, <B> \\\" C\" <sip:10.20.0.11:5062>;q=1",
            "Contact: \"A, <B> \\\" C\" <sip:203.0.113.10:45062>;q=1",
        ),
        (
            "Contact: Bob Smith <sips:b@10.20.0.11>, <sip:10.20.0.11:5062>",
            "Contact: Bob Smith <sips:b@203.0.113.10>, <sip:203.0.113.10:45062>",
        ),
        (
            "m: sip:10.20.0.11:5062;expires=60",
            "m: sip:203.0.113.10:45062;expires=60",
        ),
        (
            "m:sip:bob@10.20.0.11,sip:10.20.0.11:1",
            "m:sip:bob@203.0.113.10,sip:203.0.113.10:1",
        ),
        (
            "Record-Route: <sip:10.20.0.11:5062;lr>,<sip:proxy.example;lr>",
            "Record-Route: <sip:203.0.113.10:45062;lr>,<sip:proxy.example;lr>",
        ),
        (
            "ROUTE: <SIP:user;x=y@10.20.0.11:5062;lr>",
            "ROUTE: <SIP:user;x=y@203.0.113.10:45062;lr>",
        ),
        (
            "Route: <sip:10.20.0.11?Subject=a%40b>",
            "Route: <sip:203.0.113.10?Subject=a%40b>",
        ),
    ] {
        assert_eq!(header(before), after);
    }
}

#[test]
fn what_is_no_translated_ipv4_literal_is_left_alone() {
    for line in [
        "Via: SIP/2.0/TLS node.example.com:5062;branch=z9;received=10.20.0.11;rport=5062",
        "Via: SIP/2.0/TLS 10.20.0.12:5062;maddr=10.20.0.11",
        "Via: SIP/2.0/TLS [2001:db8::1]:5062",
        "Via: SIP/2.0/TLS 10.20.0.11:99999",
        "Via: SIP/2.0/TLS 10.20.0.11x",
        "Contact: *",
        "Contact: <tel:+431234;phone-context=10.20.0.11>",
        "Contact: <sip:10.20.0.11@node.example.com;maddr=10.20.0.11>",
        "Contact: <sip:node.example.com>;note=\"sip:10.20.0.11:5062\"",
        "Contact: \"unclosed <sip:10.20.0.11>",
        "Contact: <sip:10.20.0.11.example.com>",
        "Contact:",
        "From: <sip:bob@10.20.0.11:5062>;tag=1",
        "To: <sip:bob@10.20.0.11:5062>",
        "Warning: 307 10.20.0.11:5062 \"text\"",
    ] {
        assert_eq!(header(line), line);
    }
}

#[test]
fn the_request_uri_is_rewritten_and_a_status_line_is_not() {
    for (before, after) in [
        (
            "INVITE sip:bob@10.20.0.11:5062;transport=tls SIP/2.0",
            "INVITE sip:bob@203.0.113.10:45062;transport=tls SIP/2.0",
        ),
        (
            "OPTIONS sips:10.20.0.11 SIP/2.0",
            "OPTIONS sips:203.0.113.10 SIP/2.0",
        ),
        (
            "OPTIONS sip:node.example.com SIP/2.0",
            "OPTIONS sip:node.example.com SIP/2.0",
        ),
        ("SIP/2.0 200 sip:10.20.0.11", "SIP/2.0 200 sip:10.20.0.11"),
    ] {
        let before = format!("{before}\r\nCSeq: 1");
        assert_eq!(rewritten(&before), Ok(format!("{after}\r\nCSeq: 1")));
    }
}

#[test]
fn the_map_is_asked_with_the_transport_the_text_names() {
    let node = Node::default();
    let bytes = b"OPTIONS sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.2:1\r\n\
        Via: SIP/2.0/SCTP 192.0.2.3\r\nContact: <sip:192.0.2.4;lr;Transport=UDP?x=y>, \
        <sips:192.0.2.5:65535>\r\n\r\n";
    let message = Message::parse(bytes, bytes.len()).expect("well formed");
    let mut output = [0; 256];
    rewrite(&message, Transport::Tls, &node, &mut output).expect("fits");
    let address = |last| Ipv4Addr::new(192, 0, 2, last);
    assert_eq!(
        node.asked.into_inner(),
        [
            (Transport::Tls, address(1), None),
            (Transport::Tcp, address(2), Some(1)),
            (Transport::Other, address(3), None),
            (Transport::Udp, address(4), None),
            (Transport::Tls, address(5), Some(65_535)),
        ]
    );
}

#[test]
fn a_via_without_protocol_or_sent_by_is_refused() {
    for line in [
        "Via:",
        "Via: 10.20.0.11",
        "Via: SIP/2.0",
        "Via: SIP/2.0/TLS",
        "Via: SIP/2.0/TLS ;a",
        "Via: SIP/2.0/TLS a,",
    ] {
        let head = format!("OPTIONS sip:x SIP/2.0\r\n{line}");
        assert_eq!(rewritten(&head), Err(Error::ViaMalformed), "{line}");
    }
}

#[test]
fn an_output_that_is_too_short_by_one_byte_is_refused() {
    let bytes = b"OPTIONS sip:10.20.0.11:5062 SIP/2.0\r\n\r\n";
    let message = Message::parse(bytes, bytes.len()).expect("well formed");
    let mut output = [0; 43];
    let node = Node::default();
    assert_eq!(
        rewrite(&message, Transport::Tls, &node, &mut output),
        Ok(42)
    );
    let short = &mut output[..41];
    assert_eq!(
        rewrite(&message, Transport::Tls, &node, short),
        Err(Error::OutputTooShort)
    );
}

/// Answers every question with what was asked.
struct Same;

impl EndpointMap for Same {
    fn map(
        &self,
        _transport: Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        Some((address, port))
    }
}

#[test]
fn an_endpoint_that_stays_the_same_keeps_its_odd_spelling() {
    let bytes = b"OPTIONS sip:10.20.0.11:05062 SIP/2.0\r\n\
        Via: SIP/2.0/TLS 10.20.0.11\t:\r\n 0005062 ;a\r\n\r\n";
    let message = Message::parse(bytes, bytes.len()).expect("well formed");
    let mut output = [0; 256];
    let len = rewrite(&message, Transport::Tls, &Same, &mut output).expect("fits");
    assert_eq!(&output[..len], bytes);
    let len = rewrite(&message, Transport::Tls, &Node::default(), &mut output).expect("fits");
    assert_eq!(
        &output[..len],
        b"OPTIONS sip:203.0.113.10:45062 SIP/2.0\r\nVia: SIP/2.0/TLS 203.0.113.10:45062 ;a\r\n\r\n"
    );
}

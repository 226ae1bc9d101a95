//! What holds for every input.

use core::net::Ipv4Addr;

use proptest::prelude::*;

use crate::{EndpointMap, Message, Transport, fuzz, rewrite};

/// A bijection between the real nodes 10.20.0.0/28 and the mapped 203.0.113.0/28.
struct Pool {
    to_mapped: bool,
}

impl EndpointMap for Pool {
    fn map(
        &self,
        _transport: Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        let octets = address.octets();
        match (self.to_mapped, octets) {
            (true, [10, 20, 0, node]) => Some((
                Ipv4Addr::new(203, 0, 113, node),
                port.map(|port| port.wrapping_add(40_000)),
            )),
            (false, [203, 0, 113, node]) => Some((
                Ipv4Addr::new(10, 20, 0, node),
                port.map(|port| port.wrapping_sub(40_000)),
            )),
            _ => None,
        }
    }
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        (0u8..16).prop_map(|node| format!("10.20.0.{node}")),
        Just("node.example.com".to_owned()),
        Just("[2001:db8::1]".to_owned()),
        Just("192.0.2.1".to_owned()),
    ]
}

fn endpoint() -> impl Strategy<Value = String> {
    (host(), proptest::option::of(any::<u16>())).prop_map(|(host, port)| match port {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

fn uri() -> impl Strategy<Value = String> {
    let user = proptest::option::of("[a-z;=]{1,8}");
    let parameters = prop_oneof![
        Just(""),
        Just(";lr"),
        Just(";transport=tcp;maddr=10.20.0.1")
    ];
    ("sips?", user, endpoint(), parameters).prop_map(|(scheme, user, endpoint, parameters)| {
        let user = user.map_or_else(String::new, |user| format!("{user}@"));
        format!("{scheme}:{user}{endpoint}{parameters}")
    })
}

fn address() -> impl Strategy<Value = String> {
    let name = prop_oneof![Just(""), Just("Bob "), Just("\"B, \\\" <ob>\" ")];
    (name, uri(), prop_oneof![Just(""), Just(";q=0.5;x=\"a,b\"")])
        .prop_map(|(name, uri, parameters)| format!("{name}<{uri}>{parameters}"))
}

fn header() -> impl Strategy<Value = String> {
    let via = (
        endpoint(),
        prop_oneof![Just("SIP/2.0/TLS "), Just("SIP / 2.0 / TCP\t")],
    )
        .prop_map(|(endpoint, protocol)| {
            format!("{protocol}{endpoint};branch=z9;received=10.20.0.3")
        });
    let separator = prop_oneof![Just(","), Just(" , "), Just(",\r\n ")];
    let vias = (
        prop_oneof![Just("Via"), Just("v")],
        proptest::collection::vec(via, 1..4),
    );
    let names = prop_oneof![
        Just("Contact"),
        Just("m"),
        Just("Record-Route"),
        Just("route")
    ];
    let addresses = (names, proptest::collection::vec(address(), 1..4));
    (prop_oneof![vias, addresses], separator)
        .prop_map(|((name, values), separator)| format!("{name}: {}\r\n", values.join(separator)))
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let headers = proptest::collection::vec(header(), 0..6);
    let body = proptest::collection::vec(any::<u8>(), 0..64);
    (uri(), headers, body).prop_map(|(uri, headers, body)| {
        let head = format!(
            "INVITE {uri} SIP/2.0\r\n{}From: <sip:a@10.20.0.1>\r\nl: {}\r\n\r\n",
            headers.concat(),
            body.len()
        );
        [head.as_bytes(), &body].concat()
    })
}

/// Bytes that are often nearly SIP.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        message(),
        message(),
        Just(b"\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..16),
        "[ -~\r\n\t]{0,40}".prop_map(String::into_bytes),
    ];
    (
        proptest::collection::vec(part, 0..5),
        any::<u16>(),
        any::<u8>(),
    )
        .prop_map(|(parts, place, byte)| {
            let mut bytes = parts.concat();
            let place = usize::from(place) % (4 * bytes.len() + 1);
            if let Some(spoilt) = bytes.get_mut(place) {
                *spoilt = byte;
            }
            bytes
        })
}

fn through(bytes: &[u8], to_mapped: bool) -> Vec<u8> {
    let head_len = bytes
        .windows(4)
        .position(|end| end == b"\r\n\r\n")
        .expect("a generated message has a head")
        + 4;
    let message = Message::parse(bytes, head_len).expect("a generated message is well formed");
    let mut output = vec![0; 8_192];
    let len = rewrite(&message, Transport::Tls, &Pool { to_mapped }, &mut output)
        .expect("a generated message fits");
    output.truncate(len);
    output
}

proptest! {
    #[test]
    fn rewriting_there_and_back_changes_nothing(message in message()) {
        let mapped = through(&message, true);
        prop_assert_eq!(through(&mapped, false), message);
    }

    #[test]
    fn no_real_address_is_left_where_a_next_hop_is_taken_from(message in message()) {
        let mapped = through(&message, true);
        let head_len = mapped.windows(4).position(|end| end == b"\r\n\r\n").expect("a head") + 4;
        let text = String::from_utf8_lossy(&mapped[..head_len]).into_owned();
        let text = text
            .replace("received=10.20.0.3", "")
            .replace("maddr=10.20.0.1", "")
            .replace("From: <sip:a@10.20.0.1>", "");
        prop_assert!(!text.contains("10.20.0."), "{}", text);
    }

    #[test]
    fn well_formed_messages_obey_the_fuzzed_laws(messages in proptest::collection::vec(message(), 1..4)) {
        fuzz::framing(&messages.concat());
        fuzz::rewriting(&messages.concat());
    }

    #[test]
    fn any_bytes_obey_the_fuzzed_laws(bytes in nearly()) {
        fuzz::framing(&bytes);
        fuzz::rewriting(&bytes);
    }
}

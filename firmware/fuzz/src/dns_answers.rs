//! What comes back to the resolver instead of an answer.
//!
//! The bytes are what follows the header and question of a response, its flags and counts included.
//! Laws: a message that does not repeat the question is refused; a refused one changes nothing; what is
//! used gives addresses of the kind asked for, within their bound, for a day at most and some.

use std::net::IpAddr;

use dns::{HostName, Kind, Refused, Resolver, Settings, State};
use hal::entropy::Entropy;
use hal::time::Instant;

struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(29).wrapping_add(17);
            *byte = self.0;
        }
    }
}

/// The kind from the first byte, flags and counts from eight more, records from the rest; and all of
/// them as a message of its own.
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    let [kind, rest @ ..] = data else {
        return;
    };
    let Some((fields, records)) = rest.split_at_checked(8) else {
        return;
    };
    let kind = if kind & 1 == 0 { Kind::V4 } else { Kind::V6 };
    let name = HostName::parse("host.example").expect("a good name");
    let server = "192.0.2.53".parse().expect("a good address");
    let mut settings = Settings::default();
    settings.servers.push(server).expect("there is room");
    let mut resolver = Resolver::default();
    resolver.set(settings, Instant::ZERO);
    resolver
        .follow(name.clone(), kind, Instant::ZERO)
        .expect("there is room");
    resolver.handle_timeout(&mut Counting(0), Instant::ZERO);
    let sent = resolver.poll_transmit().expect("a question is sent");
    let from = (IpAddr::from(server), dns::message::SERVER_PORT);

    let alone = resolver.handle_datagram(from, sent.source_port, data, Instant::ZERO);
    if alone.is_err() {
        assert_eq!(resolver.state(&name, kind), Some(State::Unresolved));
        assert_eq!(resolver.poll_change(), None, "refused, and yet a change");
    } else {
        assert!(
            data.get(12..)
                .is_some_and(|rest| rest.starts_with(&sent.payload[12..])),
            "it does not repeat the question"
        );
        return;
    }

    let mut message = sent.payload.clone();
    message[2..4].copy_from_slice(&fields[0..2]);
    message[4..12].copy_from_slice(&[0, 1, fields[2], fields[3], fields[4], fields[5], 0, 0]);
    message.extend(records);
    let done = resolver.handle_datagram(from, sent.source_port, &message, Instant::ZERO);
    match done {
        Err(reason) => {
            assert!(
                matches!(reason, Refused::Question | Refused::Malformed(_)),
                "{reason:?}"
            );
            assert_eq!(resolver.state(&name, kind), Some(State::Unresolved));
            assert!(
                resolver.is_asking_from(sent.source_port),
                "the question ended"
            );
        }
        Ok(()) => {
            if let Some(State::Resolved(addresses)) = resolver.state(&name, kind) {
                assert!(!addresses.is_empty() && addresses.len() <= dns::ADDRESSES_MAX);
                for held in addresses {
                    assert_eq!(held.address.is_ipv4(), kind == Kind::V4);
                    assert!(held.expires <= Instant::from_secs(86_400 + 60));
                }
            }
            let again = resolver.handle_datagram(from, sent.source_port, &message, Instant::ZERO);
            assert_eq!(again, Err(Refused::Unasked), "one question, two answers");
        }
    }
}

/// An address; an alias and its address; nothing, with how long; an IPv6 address; a failure.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let address = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x14\x00\x0b";
    let address6 =
        b"\xc0\x0c\x00\x1c\x00\x01\x00\x00\x00\x3c\x00\x10\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01";
    let alias = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x07\x04real\xc0\x11";
    let target = b"\xc0\x2a\x00\x01\x00\x01\x00\x00\x00\x05\x00\x04\xcb\x00\x71\x0a";
    let soa = b"\xc0\x11\x00\x06\x00\x01\x00\x00\x00\x3c\x00\x18\xc0\x0c\xc0\x0c\
                \0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x04\0\0\0\x05";
    vec![
        [&b"\x00\x81\x80\x00\x01\x00\x00\x00\x00"[..], address].concat(),
        [&b"\x00\x81\x80\x00\x02\x00\x00\x00\x00"[..], alias, target].concat(),
        [&b"\x00\x81\x83\x00\x00\x00\x01\x00\x00"[..], soa].concat(),
        [&b"\x01\x81\x80\x00\x01\x00\x00\x00\x00"[..], address6].concat(),
        b"\x00\x81\x82\x00\x00\x00\x00\x00\x00".to_vec(),
    ]
}

//! DNS messages whose addresses are translated in place.
//!
//! Laws: a message keeps its length; only addresses change; a malformed one is left alone; the same
//! change again gives the message back.

use std::net::Ipv4Addr;

/// Rewrites `data` as a message, there and back.
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    let mut message = data.to_vec();
    let mut places = Vec::new();
    let done = dataplane::rewrite_dns(&mut message, inverted, |at, old, new| {
        places.push((at, old, new));
    });
    assert_eq!(message.len(), data.len(), "the length changed");
    let mut expected = data.to_vec();
    for &(at, old, new) in &places {
        assert_eq!(expected[at..at + 4], old.octets(), "not what stood there");
        expected[at..at + 4].copy_from_slice(&new.octets());
    }
    assert_eq!(message, expected, "more than addresses changed");
    assert!(
        done.is_ok() || places.is_empty(),
        "a malformed message changed"
    );
    let again = dataplane::rewrite_dns(&mut message, inverted, |_, _, _| {});
    assert_eq!(again, done, "an address decides what is well-formed");
    assert_eq!(message, data, "the way back is another");
}

fn inverted(address: Ipv4Addr) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from_bits(!address.to_bits()))
}

/// A question, an answer with two addresses, one with a SRV record and the address of its target.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let question = b"\x04host\x07example\x00\x00\x01\x00\x01";
    let address = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x14\x00\x0b";
    let srv =
        b"\xc0\x0c\x00\x21\x00\x01\x00\x00\x00\x3c\x00\x0c\x00\x01\x00\x01\x13\xc5\x03sip\xc0\x0c";
    let target = b"\x03sip\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xcb\x00\x71\x0a";
    let header = |flags: u8, counts: [u8; 3]| {
        let [answers, authorities, additional] = counts;
        [
            0x12,
            0x34,
            flags,
            0,
            0,
            1,
            0,
            answers,
            0,
            authorities,
            0,
            additional,
        ]
    };
    vec![
        [&header(1, [0, 0, 0])[..], question].concat(),
        [&header(0x81, [2, 0, 0])[..], question, address, address].concat(),
        [&header(0x81, [1, 0, 1])[..], question, srv, target].concat(),
    ]
}

//! DNS over UDP: well-formed messages only, and addresses of answers as their reader knows them.
//!
//! An answer that crosses the box carries addresses from the server's side. Static rules with `dns`
//! change those of A records (RFC 1035 §3.4.1) in place, in every section, so that the address
//! behind a SRV record is changed as well: what arrives from the mapped side names real addresses
//! behind, what arrives from the real side names mapped ones. Nothing grows or shrinks.
//!
//! Names are skipped, never followed: a compression pointer ends a name, and has to point backwards
//! (RFC 1035 §4.1.4). Every record takes some bytes, so a message is walked in one bounded pass.

use core::net::Ipv4Addr;

use hal::packet::PacketBuf;

use crate::access::Candidate;
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::Direction;
use crate::flow::Flow;
use crate::nat::rules::NatTable;
use crate::policy::{Action, DnsInspection, PortId};
use crate::slowpath::NewFlow;
use crate::wire::checksum::Delta;
use crate::wire::{Headers, PROTOCOL_UDP, Tuple, UDP_CHECKSUM, array, be16, put};

/// Bytes of a UDP header.
const UDP_LEN: usize = 8;
/// Bytes of a message header.
const HEADER_LEN: usize = 12;
/// The bit of the flags that tells answers from questions.
const IS_ANSWER: u16 = 1 << 15;
/// Largest name, RFC 1035 §2.3.4.
const NAME_MAX: usize = 255;
/// Type A and class IN.
const ADDRESS: (u16, u16) = (1, 1);

/// The message breaks the format of RFC 1035 §4.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedMessage;

/// A walk over the records of a message.
struct Walk {
    at: usize,
    questions: u32,
    records: u32,
}

impl Walk {
    fn new(message: &[u8]) -> Result<Self, MalformedMessage> {
        let counts: [u8; 8] = array(message, 4).ok_or(MalformedMessage)?;
        let [q1, q0, a1, a0, n1, n0, x1, x0] = counts;
        let count = |high, low| u32::from(u16::from_be_bytes([high, low]));
        Ok(Self {
            at: HEADER_LEN,
            questions: count(q1, q0),
            records: count(a1, a0) + count(n1, n0) + count(x1, x0),
        })
    }

    /// Where the next address stands; `None` when all records are behind.
    fn next_address(&mut self, message: &[u8]) -> Result<Option<usize>, MalformedMessage> {
        while self.questions > 0 {
            self.questions -= 1;
            self.at = behind_name(message, self.at)? + 4;
            if self.at > message.len() {
                return Err(MalformedMessage);
            }
        }
        while self.records > 0 {
            self.records -= 1;
            let fixed = behind_name(message, self.at)?;
            let field = |offset| be16(message, fixed + offset).ok_or(MalformedMessage);
            let (kind, class, len) = (field(0)?, field(2)?, usize::from(field(8)?));
            let data = fixed + 10;
            self.at = data + len;
            if self.at > message.len() {
                return Err(MalformedMessage);
            }
            if (kind, class) == ADDRESS && len != 0 {
                // Without data it is a condition of an update (RFC 2136 §2.4).
                return if len == 4 {
                    Ok(Some(data))
                } else {
                    Err(MalformedMessage)
                };
            }
        }
        Ok(None)
    }
}

/// The offset behind the name at `start`.
fn behind_name(message: &[u8], start: usize) -> Result<usize, MalformedMessage> {
    let mut at = start;
    while at - start < NAME_MAX {
        let &len = message.get(at).ok_or(MalformedMessage)?;
        match len >> 6 {
            0 if len == 0 => return Ok(at + 1),
            0 => at += 1 + usize::from(len),
            0b11 => {
                let pointer = usize::from(be16(message, at).ok_or(MalformedMessage)? & 0x3fff);
                let is_backwards = (HEADER_LEN..at).contains(&pointer);
                return is_backwards.then_some(at + 2).ok_or(MalformedMessage);
            }
            _ => return Err(MalformedMessage),
        }
    }
    Err(MalformedMessage)
}

/// Changes each address of the records of `message` to what `map` makes of it. `changed` is told
/// where, from what, to what.
///
/// # Errors
/// The message is malformed; nothing is changed then.
pub fn rewrite(
    message: &mut [u8],
    mut map: impl FnMut(Ipv4Addr) -> Option<Ipv4Addr>,
    mut changed: impl FnMut(usize, Ipv4Addr, Ipv4Addr),
) -> Result<(), MalformedMessage> {
    check(message)?;
    let mut walk = Walk::new(message)?;
    while let Some(at) = walk.next_address(message)? {
        let old = array::<4>(message, at).map_or(Ipv4Addr::UNSPECIFIED, Ipv4Addr::from);
        if let Some(new) = map(old).filter(|&new| new != old) {
            put(message, at, &new.octets());
            changed(at, old, new);
        }
    }
    Ok(())
}

fn check(message: &[u8]) -> Result<(), MalformedMessage> {
    let mut walk = Walk::new(message)?;
    while walk.next_address(message)?.is_some() {}
    Ok(())
}

/// Inspects a packet of `flow` that is about to leave; `direction` is its own.
///
/// # Errors
/// Why it must not.
pub(crate) fn inspect(
    frame: &mut PacketBuf,
    headers: &Headers,
    (flow, direction): (&Flow, Direction),
    nat: &NatTable,
    settings: &DnsInspection,
) -> Result<(), DropReason> {
    let is_partial = frame.offload().checksum_partial;
    let udp = usize::from(headers.transport);
    let end = usize::from(headers.ip) + usize::from(headers.total_len);
    let is_whole = !frame.is_chained();
    let bytes = frame.bytes_mut();
    let message = bytes.get_mut(udp + UDP_LEN..end).filter(|_| is_whole);
    // What spans buffers is longer than any message over UDP has reason to be.
    let message = message.ok_or(DropReason::DnsTooLong)?;
    if settings
        .length_max
        .is_some_and(|most| message.len() > usize::from(most))
    {
        return Err(DropReason::DnsTooLong);
    }
    let is_answer = be16(message, 2).is_some_and(|flags| flags & IS_ANSWER != 0);
    if !is_answer {
        return check(message).map_err(|_| DropReason::DnsInvalid);
    }
    let (from, to) = (flow.ports[direction.index()], flow.egress(direction));
    let mut delta = Delta::default();
    rewrite(
        message,
        |address| nat.answer(from, to, address),
        |at, old, new| {
            // The header before the message is of even length. What stands at an odd offset
            // straddles the words of the sum, which comes to their bytes being swapped.
            let swap = |half: u32| {
                let half = half as u16;
                if at % 2 == 1 { half.swap_bytes() } else { half }
            };
            let (old, new) = (old.to_bits(), new.to_bits());
            delta = delta
                .word(swap(old >> 16), swap(new >> 16))
                .word(swap(old), swap(new));
        },
    )
    .map_err(|_| DropReason::DnsInvalid)?;
    // A partial checksum does not cover the message yet.
    if !is_partial && let Some(sum) = be16(bytes, udp + UDP_CHECKSUM) {
        let sum = delta.apply_udp(sum);
        put(bytes, udp + UDP_CHECKSUM, &sum.to_be_bytes());
    }
    Ok(())
}

impl DataPlane {
    /// Whether a new flow is of a class with `inspect dns`.
    pub(crate) fn inspects_dns(
        &self,
        ingress: PortId,
        protocol: u8,
        tuple: &Tuple,
        new: &NewFlow,
    ) -> bool {
        let classes = &self.policy.dns.classes;
        if protocol != PROTOCOL_UDP || classes.is_empty() || crate::v6::is_name(tuple.source) {
            return false;
        }
        let candidate = Candidate {
            source: tuple.source,
            destination: new.destination.0,
            protocol,
            source_port: tuple.source_port,
            destination_port: new.destination.1,
            icmp_kind: 0,
            icmp_code: 0,
        };
        classes.iter().any(|&(port, acl)| {
            port.is_none_or(|port| port == ingress || port == new.egress)
                && self
                    .access
                    .decide(&self.policy, acl, &candidate)
                    .is_some_and(|(_, action)| action == Action::Permit)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// A question for `host.example` with its answers: name, type, data.
    fn message(records: &[(&[u8], u16, &[u8])]) -> Vec<u8> {
        let mut message = alloc::vec![0x12, 0x34, 0x81, 0x80, 0, 1];
        message.extend((records.len() as u16).to_be_bytes());
        message.extend([0, 0, 0, 0]);
        message.extend(b"\x04host\x07example\x00\x00\x01\x00\x01");
        for &(name, kind, data) in records {
            message.extend(name);
            message.extend(kind.to_be_bytes());
            message.extend([0, 1, 0, 0, 0, 60]);
            message.extend((data.len() as u16).to_be_bytes());
            message.extend(data);
        }
        message
    }

    const NAME: &[u8] = b"\xc0\x0c";
    const MAPPED: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
    const REAL: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 11);

    fn map(address: Ipv4Addr) -> Option<Ipv4Addr> {
        (address == MAPPED).then_some(REAL)
    }

    #[test]
    fn addresses_are_changed_and_everything_else_stays() {
        let srv = b"\x00\x01\x00\x01\x13\xc5\x03sip\xc0\x0c";
        let target = b"\x03sip\xc0\x0c";
        let mut answer = message(&[
            (NAME, 33, srv),
            (target, 1, &MAPPED.octets()),
            (NAME, 1, &[198, 51, 100, 1]),
            (NAME, 16, &MAPPED.octets()),
            (NAME, 1, &MAPPED.octets()),
        ]);
        let expected = message(&[
            (NAME, 33, srv),
            (target, 1, &REAL.octets()),
            (NAME, 1, &[198, 51, 100, 1]),
            (NAME, 16, &MAPPED.octets()),
            (NAME, 1, &REAL.octets()),
        ]);
        let mut count = 0;
        let done = rewrite(&mut answer, map, |_, old, new| {
            assert_eq!((old, new), (MAPPED, REAL));
            count += 1;
        });
        assert_eq!((done, count), (Ok(()), 2));
        assert_eq!(answer, expected);
    }

    #[test]
    fn malformed_messages_are_told_and_left_alone() {
        let good = message(&[(NAME, 1, &MAPPED.octets())]);
        let long_name: Vec<u8> = [b"\x3f".as_slice(), &[b'a'; 63]].concat().repeat(4);
        let cases: Vec<(&str, Vec<u8>)> = alloc::vec![
            ("no header", good[..11].to_vec()),
            ("cut in the data", good[..good.len() - 1].to_vec()),
            ("more records than there are", {
                let mut message = good.clone();
                message[7] = 2;
                message
            }),
            ("more questions than there are", {
                let mut message = good.clone();
                message[5] = 9;
                message
            }),
            (
                "a pointer to itself",
                message(&[(b"\xc0\x1e", 1, &MAPPED.octets())])
            ),
            (
                "a pointer forwards",
                message(&[(b"\xc1\x00", 1, &MAPPED.octets())])
            ),
            (
                "a pointer into the header",
                message(&[(b"\xc0\x02", 1, &MAPPED.octets())])
            ),
            (
                "an unknown kind of label",
                message(&[(b"\x41a\x00", 1, &MAPPED.octets())])
            ),
            (
                "a name without end",
                message(&[(&long_name, 1, &MAPPED.octets())])
            ),
            (
                "an address of six bytes",
                message(&[(NAME, 1, &[1, 2, 3, 4, 5, 6])])
            ),
        ];
        for (what, bytes) in cases {
            let mut copy = bytes.clone();
            assert_eq!(
                rewrite(&mut copy, |_| Some(REAL), |_, _, _| {}),
                Err(MalformedMessage),
                "{what}"
            );
            assert_eq!(copy, bytes, "{what}");
        }
        // The header alone is a message: servers refuse like that.
        assert_eq!(rewrite(&mut [0; 12], map, |_, _, _| {}), Ok(()));
    }

    proptest! {
        /// Nothing but addresses changes, and mapping back gives the message again.
        #[test]
        fn rewriting_back_is_identity(
            mut bytes in prop::collection::vec(any::<u8>(), 0..96),
            counts in any::<[u8; 4]>(),
            is_shaped in any::<bool>(),
        ) {
            if is_shaped {
                let data: Vec<u8> = bytes.clone();
                bytes = message(&[(NAME, 1, &[10, 0, 0, 1]), (NAME, 16, &data), (NAME, 1, &[10, 0, 0, 2])]);
                bytes[7] = counts[0] % 5;
            }
            let before = bytes.clone();
            let flip = |address: Ipv4Addr| Some(Ipv4Addr::from_bits(!address.to_bits()));
            let mut places = Vec::new();
            let done = rewrite(&mut bytes, flip, |at, _, _| places.push(at));
            prop_assert_eq!(bytes.len(), before.len());
            for (at, (old, new)) in before.iter().zip(&bytes).enumerate() {
                let is_inside = places.iter().any(|&place| (place..place + 4).contains(&at));
                prop_assert_eq!(old != new, is_inside);
            }
            prop_assert!(done.is_ok() || places.is_empty());
            let again = rewrite(&mut bytes, flip, |_, _, _| {});
            prop_assert_eq!(again, done);
            prop_assert_eq!(bytes, before);
        }
    }
}

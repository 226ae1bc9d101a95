//! The box's own ICMP echo: builds requests, recognises what comes back (RFC 792).

use core::net::Ipv4Addr;
use core::task::Waker;

use hal::packet::PacketBuf;
use smoltcp::wire::checksum::data as sum;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Echo {
    /// Answered.
    Reply,
    /// Somebody on the way said it cannot be delivered.
    Unreachable,
    /// Another ICMP error about it came back.
    Other,
}

/// The request waiting for its answer; there is one console, hence one at a time.
#[derive(Default)]
pub(crate) struct PendingEcho {
    expected: Option<(Ipv4Addr, u16, u16)>,
    outcome: Option<Echo>,
    pub(crate) waiter: Option<Waker>,
}

impl PendingEcho {
    /// Begins to wait for the answer to a request.
    pub(crate) fn expect(&mut self, destination: Ipv4Addr, identifier: u16, sequence: u16) {
        *self = Self {
            expected: Some((destination, identifier, sequence)),
            ..Self::default()
        };
    }

    /// What has come back, if anything.
    pub(crate) fn take_outcome(&mut self) -> Option<Echo> {
        self.outcome.take()
    }

    /// Looks at a packet for the box (from the IPv4 header on).
    pub(crate) fn handle_packet(&mut self, packet: &[u8]) {
        let Some(expected) = self.expected else {
            return;
        };
        let Some(outcome) = recognise(packet, expected) else {
            return;
        };
        self.expected = None;
        self.outcome = Some(outcome);
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }
}

/// Decides whether `packet` answers the echo request to `expected`.
fn recognise(packet: &[u8], expected: (Ipv4Addr, u16, u16)) -> Option<Echo> {
    let (source, _, icmp) = icmp_of(packet)?;
    let (&kind, &code) = (icmp.first()?, icmp.get(1)?);
    if kind == ECHO_REPLY {
        let is_ours = source == expected.0 && echo_ids(icmp)? == (expected.1, expected.2);
        return is_ours.then_some(Echo::Reply);
    }
    // An error quotes the packet it is about behind its own 8 bytes (RFC 792).
    let (_, destination, quoted) = icmp_of(icmp.get(8..)?)?;
    let is_ours = quoted.first() == Some(&ECHO_REQUEST)
        && destination == expected.0
        && echo_ids(quoted)? == (expected.1, expected.2);
    is_ours.then_some(if kind == UNREACHABLE && code <= 15 {
        Echo::Unreachable
    } else {
        Echo::Other
    })
}

const ECHO_REPLY: u8 = 0;
const UNREACHABLE: u8 = 3;
const ECHO_REQUEST: u8 = 8;
const PROTOCOL_ICMP: u8 = 1;
const IPV4_HEADER_LEN: usize = 20;
const ECHO_HEADER_LEN: usize = 8;

/// Source, destination and ICMP message of an IPv4 packet.
fn icmp_of(packet: &[u8]) -> Option<(Ipv4Addr, Ipv4Addr, &[u8])> {
    let header_len = usize::from(packet.first()? & 0x0f) * 4;
    if packet.first()? >> 4 != 4 || *packet.get(9)? != PROTOCOL_ICMP {
        return None;
    }
    let address = |at: usize| -> Option<Ipv4Addr> {
        let bytes: [u8; 4] = packet.get(at..at + 4)?.try_into().ok()?;
        Some(bytes.into())
    };
    Some((address(12)?, address(16)?, packet.get(header_len..)?))
}

fn echo_ids(icmp: &[u8]) -> Option<(u16, u16)> {
    let half = |at: usize| Some(u16::from_be_bytes(icmp.get(at..at + 2)?.try_into().ok()?));
    Some((half(4)?, half(6)?))
}

/// An echo request to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EchoRequest {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) identifier: u16,
    pub(crate) sequence: u16,
    /// Bytes of the whole IP packet, as ASA counts the size; at least the two headers.
    pub(crate) size_bytes: usize,
}

impl EchoRequest {
    /// Writes the request, from the IPv4 header on. Returns false if it does not fit.
    #[must_use]
    pub(crate) fn write(&self, packet: &mut PacketBuf) -> bool {
        let size = self.size_bytes.max(IPV4_HEADER_LEN + ECHO_HEADER_LEN);
        let Ok(total) = u16::try_from(size) else {
            return false;
        };
        let mut header = [0; IPV4_HEADER_LEN];
        header[0] = 0x45;
        header[2..4].copy_from_slice(&total.to_be_bytes());
        header[4..6].copy_from_slice(&self.sequence.to_be_bytes());
        header[8] = 255;
        header[9] = PROTOCOL_ICMP;
        header[12..16].copy_from_slice(&self.source.octets());
        header[16..20].copy_from_slice(&self.destination.octets());
        let checksum = !sum(&header);
        header[10..12].copy_from_slice(&checksum.to_be_bytes());
        let mut echo = [0; ECHO_HEADER_LEN];
        echo[0] = ECHO_REQUEST;
        echo[4..6].copy_from_slice(&self.identifier.to_be_bytes());
        echo[6..8].copy_from_slice(&self.sequence.to_be_bytes());
        if !packet.extend(&header) || !packet.extend(&echo) {
            return false;
        }
        // The classic pattern; the ASA fills with 0xabcd as well.
        for index in 0..size - IPV4_HEADER_LEN - ECHO_HEADER_LEN {
            if !packet.extend(&[if index % 2 == 0 { 0xab } else { 0xcd }]) {
                return false;
            }
        }
        let Some(message) = packet.bytes_mut().get_mut(IPV4_HEADER_LEN..) else {
            return false;
        };
        let checksum = !sum(message);
        if let Some(field) = message.get_mut(2..4) {
            field.copy_from_slice(&checksum.to_be_bytes());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use hal::packet::PacketPool;

    const US: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);

    fn request(size_bytes: usize) -> Vec<u8> {
        let mut packet = PacketPool::new(1).take().expect("one buffer");
        let request = EchoRequest {
            source: US,
            destination: PEER,
            identifier: 7,
            sequence: 3,
            size_bytes,
        };
        assert!(request.write(&mut packet));
        packet.bytes().to_vec()
    }

    fn reply() -> Vec<u8> {
        let mut packet = request(100);
        packet[12..16].copy_from_slice(&PEER.octets());
        packet[16..20].copy_from_slice(&US.octets());
        packet[20] = ECHO_REPLY;
        packet
    }

    #[test]
    fn a_request_has_the_size_asked_for_and_valid_checksums() {
        let packet = request(100);
        assert_eq!(packet.len(), 100);
        assert_eq!(sum(&packet[..20]), 0xffff);
        assert_eq!(sum(&packet[20..]), 0xffff);
        assert_eq!(request(5).len(), 28, "never shorter than its headers");
    }

    #[test]
    fn only_the_answer_to_the_request_counts() {
        let mut pending = PendingEcho::default();
        pending.handle_packet(&reply());
        assert_eq!(pending.take_outcome(), None, "nothing was asked");
        pending.expect(PEER, 7, 4);
        pending.handle_packet(&reply());
        assert_eq!(pending.take_outcome(), None, "another sequence number");
        pending.expect(PEER, 7, 3);
        pending.handle_packet(&reply());
        assert_eq!(pending.take_outcome(), Some(Echo::Reply));
    }

    #[test]
    fn an_error_that_quotes_the_request_is_told_apart() {
        let mut error = reply();
        error[12..16].copy_from_slice(&[192, 0, 2, 254]);
        error.truncate(20);
        error.extend([UNREACHABLE, 1, 0, 0, 0, 0, 0, 0]);
        error.extend(request(100));
        let mut pending = PendingEcho::default();
        pending.expect(PEER, 7, 3);
        for len in 0..error.len() {
            pending.handle_packet(&error[..len.min(50)]);
        }
        assert_eq!(pending.take_outcome(), None, "cut short");
        pending.handle_packet(&error);
        assert_eq!(pending.take_outcome(), Some(Echo::Unreachable));
    }
}

//! Captured frames, printed in every style.

/// Bytes of a frame that count: a dump of more is only more of the same.
const LEN_MAX: usize = 2048;

/// See [`firmware::fuzz::capture_lines`].
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    firmware::fuzz::capture_lines(&data[..data.len().min(LEN_MAX)]);
}

/// Frames of each kind that has a line of its own.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    use crate::packets::{ACK, SYN, Segment, udp};
    use std::net::Ipv4Addr;

    let (node, edge) = (
        Ipv4Addr::new(10, 20, 0, 11),
        Ipv4Addr::new(198, 51, 100, 20),
    );
    let ethernet = |kind: [u8; 2], payload: &[u8]| {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        frame.extend(kind);
        frame.extend(payload);
        frame
    };
    let segment = |flags, payload| {
        Segment {
            from: (node, 41_022),
            to: (edge, 5061),
            flags,
            sequence: 1000,
            acknowledgment: 0,
            payload,
        }
        .packet()
    };
    let call = segment(ACK, b"INVITE sip:bob@example.com SIP/2.0\r\n");
    // The options begin the payload: the data offset says so.
    let mut syn = segment(
        SYN,
        &[
            2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 3, 3, 7, 0,
        ],
    );
    syn[32] = 0xa0;
    let datagram = udp((node, 5060), (edge, 53), b"question");
    let icmp = |kind: u8, code: u8, quoted: &[u8]| {
        let mut packet = datagram.get(..20).unwrap_or_default().to_vec();
        packet[9] = 1;
        packet.extend([kind, code, 0, 0, 0, 0, 5, 0x78]);
        packet.extend(quoted);
        let len = packet.len() as u16;
        packet[2..4].copy_from_slice(&len.to_be_bytes());
        packet
    };
    let mut arp = vec![0, 1, 8, 0, 6, 4, 0, 1];
    arp.extend([
        2, 0, 0, 0, 0, 2, 10, 20, 0, 11, 0, 0, 0, 0, 0, 0, 10, 20, 0, 1,
    ]);
    let mut ipv6 = vec![0x60, 0, 0, 0, 0, 8, 17, 64];
    ipv6.extend([0xfe; 32]);
    ipv6.extend(datagram.get(20..).unwrap_or_default());
    vec![
        ethernet([8, 0], &call),
        ethernet([8, 0], &syn),
        ethernet([8, 0], &datagram),
        ethernet([8, 0], &icmp(8, 0, b"ping")),
        ethernet([8, 0], &icmp(3, 4, &call)),
        ethernet([8, 6], &arp),
        ethernet([0x86, 0xdd], &ipv6),
        ethernet([0x88, 0xcc], &[0; 46]),
    ]
}

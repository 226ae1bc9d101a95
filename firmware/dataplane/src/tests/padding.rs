//! Short frames are filled up with zeros, long ones leave without what lay behind the packet.

use super::lab::*;
use crate::*;

/// Frames whose packet ends before 60 bytes, with something else behind it.
fn padded(packet: &[u8], port: PortId, len: usize) -> Vec<u8> {
    let mut frame = ethernet(port, packet);
    frame.resize(len.max(frame.len()), 0xa5);
    frame
}

#[test]
fn no_stale_byte_leaves_behind_a_packet() {
    let mut lab = Lab::new(federation());
    // Buffers of the pool have been used before.
    let mut used = Vec::new();
    while let Some(mut buffer) = lab.pool.take() {
        buffer.storage_mut().fill(0x5a);
        used.push(buffer);
    }
    for buffer in used {
        lab.pool.free(buffer);
    }
    let syn = Segment::new(DESK, 3000, EDGE, 80, SYN).packet();
    let cases: [(&str, Vec<u8>); 4] = [
        ("forwarded, short", padded(&syn, INSIDE, 0)),
        ("forwarded, padded by the sender", padded(&syn, INSIDE, 60)),
        ("forwarded, with a long trailer", padded(&syn, INSIDE, 900)),
        (
            "echo answered",
            padded(&echo(8, DESK, INSIDE_ADDRESS, 5), INSIDE, 60),
        ),
    ];
    for (name, frame) in cases {
        let sent = lab.send(INSIDE, &frame);
        assert_eq!(sent.len(), 1, "{name}");
        let frame = &sent[0].1;
        let end = 14 + usize::from(u16::from_be_bytes([frame[16], frame[17]]));
        assert_eq!(frame.len(), 60, "{name}");
        assert!(
            end < 60 && frame[end..].iter().all(|&byte| byte == 0),
            "{name}"
        );
    }
    // ARP: an answer, and a request of the box.
    let answer = lab.send(INSIDE, &arp(1, DESK, INSIDE_ADDRESS));
    let request = lab.send(
        INSIDE,
        &ethernet(
            INSIDE,
            &udp(
                (DESK, 1),
                (core::net::Ipv4Addr::new(203, 0, 113, 140), 1),
                b"x",
            ),
        ),
    );
    for (name, sent) in [("ARP answer", answer), ("ARP request", request)] {
        let frame = &sent.first().expect(name).1;
        assert_eq!((frame.len(), &frame[12..14]), (60, &[8, 6][..]), "{name}");
        assert!(frame[42..].iter().all(|&byte| byte == 0), "{name}");
    }
    // The last fragment of a datagram is often short.
    let pieces = super::fragments::cut(&udp((DESK, 7), (EDGE, 7), &[1; 1473]), 1480, 3);
    lab.send(INSIDE, &padded(&pieces[0], INSIDE, 0));
    let sent = lab.send(INSIDE, &padded(&pieces[1], INSIDE, 60));
    let frame = &sent[1].1;
    assert_eq!(frame.len(), 60);
    assert!(frame[35..].iter().all(|&byte| byte == 0));
}

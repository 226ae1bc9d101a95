use hal::packet::PacketPool;

use super::*;

const ALL: u64 = feature::GUEST_CSUM | feature::GUEST_TSO4 | feature::GUEST_ECN;
/// Ethernet, IPv4 and TCP headers without options, and a little payload.
const LEN: usize = 70;

/// Flags, kind, header length, segment size, checksum start and offset, buffers.
fn header(flags: u8, kind: u8, size: u16, start: u16, offset: u16) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    header[0] = flags;
    header[1] = kind;
    header[4..6].copy_from_slice(&size.to_le_bytes());
    header[6..8].copy_from_slice(&start.to_le_bytes());
    header[8..10].copy_from_slice(&offset.to_le_bytes());
    header[10] = 1;
    header
}

#[test]
fn what_was_negotiated_is_read() {
    let nothing = Offload::default();
    let verified = Offload {
        checksum_verified: true,
        ..nothing
    };
    let partial = Offload {
        checksum_partial: true,
        checksum_start: 34,
        checksum_offset: 16,
        ..nothing
    };
    let long = Offload {
        segment_size: 1448,
        ..partial
    };
    for (bytes, features, expected) in [
        (header(0, 0, 9, 9, 9), ALL, nothing),
        (header(2, 0, 0, 0, 0), ALL, verified),
        (header(1, 0, 0, 34, 16), ALL, partial),
        (header(1, 1, 1448, 34, 16), ALL, long),
        (header(1, 0x81, 1448, 34, 16), ALL, long),
        // Flags of features that were not negotiated are ignored, as §5.1.6.4.2 wants it.
        (header(4, 0, 0, 0, 0), ALL, nothing),
        (header(0xff, 0xff, 1, 60_000, 60_000), 0, nothing),
        // The last place that the sum fits into.
        (
            header(1, 0, 0, 60, 8),
            ALL,
            Offload {
                checksum_start: 60,
                checksum_offset: 8,
                ..partial
            },
        ),
    ] {
        assert_eq!(read(&bytes, LEN, features), Ok(expected), "{bytes:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let without = |bit: u64| ALL & !bit;
    for (bytes, features) in [
        // The checksum beyond the first buffer, and beyond any.
        (header(1, 0, 0, 60, 9), ALL),
        (header(1, 0, 0, u16::MAX, u16::MAX), ALL),
        // Segmented without a checksum, with segments of nothing, not as negotiated, of kinds that
        // were never negotiated: UDP fragments, TCP in IPv6, UDP segments, unknown.
        (header(0, 1, 1448, 34, 16), ALL),
        (header(2, 1, 1448, 34, 16), ALL),
        (header(1, 1, 0, 34, 16), ALL),
        (header(1, 1, 1448, 34, 16), without(feature::GUEST_TSO4)),
        (header(1, 0x81, 1448, 34, 16), without(feature::GUEST_ECN)),
        (header(1, 3, 1448, 34, 6), ALL),
        (header(1, 4, 1448, 34, 16), ALL),
        (header(1, 5, 1448, 34, 6), ALL),
        (header(1, 0x80, 1448, 34, 16), ALL),
        (header(0, 0x40, 1448, 34, 16), ALL),
    ] {
        assert_eq!(read(&bytes, LEN, features), Err(BadOffload), "{bytes:?}");
    }
}

#[test]
fn what_is_written_is_what_was_read() {
    let mut pool = PacketPool::new(1);
    let mut frame = pool.take().expect("a buffer");
    let mut bytes = [0; LEN];
    bytes[34 + TCP_OFFSET] = 0x80;
    assert!(frame.extend(&bytes));
    for (flags, kind, size) in [(0, 0, 0), (1, 0, 0), (1, 1, 1448), (1, 0x81, 536)] {
        frame.bytes_mut()[34 + TCP_FLAGS] = if kind == 0x81 { 0x90 } else { 0x10 };
        let (start, offset) = if flags == 1 { (34, 16) } else { (0, 0) };
        let received = header(flags, kind, size, start, offset);
        frame.set_offload(read(&received, LEN, ALL).expect("sound"));
        let mut expected = received;
        expected[10] = 0;
        if kind != 0 {
            // Ethernet, IPv4, and a TCP header of 32 bytes.
            expected[2] = 66;
        }
        assert_eq!(write(&frame), expected);
    }
    // A verified checksum asks for nothing.
    frame.set_offload(read(&header(2, 0, 0, 0, 0), LEN, ALL).expect("sound"));
    assert_eq!(write(&frame), [0; HEADER_LEN]);
}

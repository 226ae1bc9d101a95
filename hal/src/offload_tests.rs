use alloc::vec::Vec;

use super::*;

const HEADERS: usize = ETHERNET_LEN + IPV4_LEN + TCP_LEN;

/// A frame of `len` bytes of TCP payload in buffers of `part` bytes, its checksum partial.
fn long_frame(
    pool: &mut PacketPool,
    len: usize,
    part: usize,
    segment_size: u16,
    flags: u8,
) -> PacketBuf {
    let mut bytes = alloc::vec![0u8; ETHERNET_LEN];
    bytes[12] = 8;
    bytes.extend([0x45, 0]);
    bytes.extend(((IPV4_LEN + TCP_LEN + len) as u16).to_be_bytes());
    // The identification wraps within the segments.
    bytes.extend([
        0xff, 0xfe, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 40, 198, 51, 100, 20,
    ]);
    let sum = !checksum::sum(&bytes[ETHERNET_LEN..]);
    put(&mut bytes, ETHERNET_LEN + 10, sum);
    bytes.extend([0x9c, 0x40, 0, 80]);
    // So does the sequence number.
    bytes.extend(0xffff_fff0u32.to_be_bytes());
    bytes.extend([0, 0, 0, 7, 0x50, flags, 16, 0]);
    let tcp_len = (TCP_LEN + len) as u16;
    let pseudo = checksum::add(checksum::sum(&bytes[26..34]), checksum::add(6, tcp_len));
    bytes.extend(pseudo.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend((0..len).map(|at| (at * 31 % 251) as u8));
    let mut frame = pool.take().expect("a buffer");
    let (first, rest) = bytes.split_at(bytes.len().min(HEADERS + part / 2));
    assert!(frame.extend(first));
    for part in rest.chunks(part) {
        let mut next = pool.take().expect("a buffer");
        assert!(next.extend(part));
        frame.append(next);
    }
    frame.set_offload(Offload {
        checksum_partial: true,
        checksum_start: 34,
        checksum_offset: TCP_CHECKSUM,
        segment_size,
        ..Offload::default()
    });
    frame
}

fn bytes_of(frame: &PacketBuf) -> Vec<u8> {
    frame.segments().flatten().copied().collect()
}

/// Checks both checksums of a frame the slow way; returns sequence number, flags, payload.
fn receive(bytes: &[u8]) -> (u32, u8, &[u8]) {
    let naive = |bytes: &[u8], start: u32| {
        let words = bytes.chunks(2);
        let total = words.fold(start, |total, word| {
            let low = word.get(1).copied().unwrap_or(0);
            total + (u32::from(word[0]) << 8 | u32::from(low))
        });
        let total = (total & 0xffff) + (total >> 16);
        (total & 0xffff) + (total >> 16)
    };
    let total_len = usize::from(be16(bytes, 16));
    assert_eq!(total_len, bytes.len() - ETHERNET_LEN);
    assert_eq!(naive(&bytes[14..34], 0), 0xffff, "the IPv4 header");
    let tcp = &bytes[34..];
    let pseudo = naive(&bytes[26..34], 6 + tcp.len() as u32);
    assert_eq!(naive(tcp, pseudo), 0xffff, "the TCP segment");
    let sequence = bytes[38..42].try_into().expect("four bytes");
    (u32::from_be_bytes(sequence), bytes[47], &bytes[HEADERS..])
}

const SOFTWARE: Offloads = Offloads {
    checksum: false,
    tcp_segmentation: false,
    ecn_segmentation: false,
};

fn finish(pool: &mut PacketPool, frame: PacketBuf, port: Offloads) -> Vec<PacketBuf> {
    let mut finisher = Finisher::default();
    let mut frame = Some(frame);
    let mut out = Batch::new();
    let mut all = Vec::new();
    loop {
        finisher.fill(&mut out, port, pool, |batch| {
            if let Some(frame) = frame.take() {
                assert!(batch.push_back(frame).is_ok());
            }
        });
        if out.is_empty() {
            assert!(finisher.is_idle());
            return all;
        }
        all.extend(core::iter::from_fn(|| out.pop_front()));
    }
}

#[test]
fn segments_of_any_size_from_parts_of_any_size_join_to_what_was_cut() {
    let mut pool = PacketPool::new(600);
    for (len, part, size) in [
        (1, 700, 1),
        (1448, 1900, 1448),
        (1449, 1900, 1448),
        (65_495, 1984, 1448),
        (65_495, 1500, 1460),
        (20_001, 333, 87),
        (9_000, 1984, 4_321),
        (40_000, 1984, 9_158),
    ] {
        let frame = long_frame(&mut pool, len, part, size, 0x80 | 0x10 | 0x08 | 0x01);
        let payload = bytes_of(&frame)[HEADERS..].to_vec();
        let segments = finish(&mut pool, frame, SOFTWARE);
        assert_eq!(segments.len(), len.div_ceil(usize::from(size)));
        let mut joined = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            let bytes = bytes_of(segment);
            let (sequence, flags, part) = receive(&bytes);
            assert_eq!(sequence, 0xffff_fff0u32.wrapping_add(joined.len() as u32));
            let (is_first, is_last) = (index == 0, index + 1 == segments.len());
            let cwr = if is_first { 0x80 } else { 0 };
            let end = if is_last { 0x09 } else { 0 };
            assert_eq!(flags, 0x10 | cwr | end);
            assert_eq!(be16(&bytes, 18), 0xfffeu16.wrapping_add(index as u16));
            assert!(segment.offload().asks_nothing());
            assert!(part.len() <= usize::from(size));
            joined.extend_from_slice(part);
        }
        assert!(joined == payload);
        for segment in segments {
            pool.free(segment);
        }
        assert_eq!(pool.available(), pool.total());
    }
}

#[test]
fn a_port_that_sums_but_does_not_cut_gets_segments_with_partial_checksums() {
    let mut pool = PacketPool::new(100);
    let frame = long_frame(&mut pool, 10_001, 1984, 1448, 0x10);
    let port = Offloads {
        checksum: true,
        ..SOFTWARE
    };
    for mut segment in finish(&mut pool, frame, port) {
        assert!(segment.offload().checksum_partial);
        assert_eq!(segment.offload().segment_size, 0);
        assert!(complete_checksum(&mut segment));
        receive(&bytes_of(&segment));
        pool.free(segment);
    }
    assert_eq!(pool.available(), pool.total());
}

#[test]
fn a_port_that_does_everything_gets_the_frame_as_it_is() {
    let mut pool = PacketPool::new(100);
    let frame = long_frame(&mut pool, 10_001, 1984, 1448, 0x90);
    let before = (bytes_of(&frame), frame.offload());
    let mut frames = finish(&mut pool, frame, Offloads::ALL);
    assert_eq!(frames.len(), 1);
    assert!((bytes_of(&frames[0]), frames[0].offload()) == before);
    // CWR is cut in software by a port that does not know it, other frames are not.
    let port = Offloads {
        ecn_segmentation: false,
        ..Offloads::ALL
    };
    assert_eq!(finish(&mut pool, frames.remove(0), port).len(), 7);
    let frame = long_frame(&mut pool, 10_001, 1984, 1448, 0x10);
    assert_eq!(finish(&mut pool, frame, port).len(), 1);
}

#[test]
fn a_partial_checksum_is_completed_over_all_buffers() {
    let mut pool = PacketPool::new(40);
    for part in [1, 3, 700, 1984] {
        let mut frame = long_frame(&mut pool, 20 * part, part, 0, 0x10);
        assert!(complete_checksum(&mut frame));
        receive(&bytes_of(&frame));
        assert!(frame.offload().asks_nothing() && frame.offload().checksum_verified);
        pool.free(frame);
    }
}

#[test]
fn frames_that_ask_for_what_cannot_be_done_are_refused_and_counted() {
    let mut pool = PacketPool::new(100);
    let spoilt: [fn(&mut PacketBuf); 5] = [
        // UDP; IPv6; no partial checksum; a header length beyond the buffer; a start elsewhere.
        |frame| frame.bytes_mut()[23] = 17,
        |frame| frame.bytes_mut()[12..14].copy_from_slice(&[0x86, 0xdd]),
        |frame| {
            frame.set_offload(Offload {
                checksum_partial: false,
                ..frame.offload()
            });
        },
        |frame| frame.truncate(HEADERS - 1),
        |frame| {
            frame.set_offload(Offload {
                checksum_start: 35,
                ..frame.offload()
            });
        },
    ];
    let mut finisher = Finisher::default();
    for spoil in spoilt {
        let mut frame = Some(long_frame(&mut pool, 3_000, 1984, 1448, 0x10));
        spoil(frame.as_mut().expect("made"));
        let mut out = Batch::new();
        finisher.fill(&mut out, SOFTWARE, &mut pool, |batch| {
            if let Some(frame) = frame.take() {
                assert!(batch.push_back(frame).is_ok());
            }
        });
        assert!(out.is_empty());
    }
    let mut frame = long_frame(&mut pool, 100, 1984, 0, 0x10);
    frame.set_offload(Offload {
        checksum_offset: 5_000,
        ..frame.offload()
    });
    assert!(finish(&mut pool, frame, SOFTWARE).is_empty());
    assert_eq!(finisher.refused(), spoilt.len() as u64);
    assert_eq!(pool.available(), pool.total());
}

#[test]
fn a_cut_waits_while_the_pool_is_empty_and_loses_nothing() {
    let mut pool = PacketPool::new(12);
    let frame = long_frame(&mut pool, 14_480, 1984, 1448, 0x10);
    let payload = bytes_of(&frame)[HEADERS..].to_vec();
    let mut frame = Some(frame);
    let mut finisher = Finisher::default();
    let mut joined = Vec::new();
    for _ in 0..40 {
        let mut out = Batch::new();
        finisher.fill(&mut out, SOFTWARE, &mut pool, |batch| {
            if let Some(frame) = frame.take() {
                assert!(batch.push_back(frame).is_ok());
            }
        });
        while let Some(segment) = out.pop_front() {
            joined.extend_from_slice(receive(&bytes_of(&segment)).2);
            pool.free(segment);
        }
    }
    assert!(joined == payload);
    let mut frame = Some(long_frame(&mut pool, 14_480, 1984, 1448, 0x10));
    let mut out = Batch::new();
    finisher.fill(&mut out, SOFTWARE, &mut pool, |batch| {
        if let Some(frame) = frame.take() {
            assert!(batch.push_back(frame).is_ok());
        }
    });
    assert!(!finisher.is_idle(), "four buffers are too few");
    finisher.clear(&mut pool);
    while let Some(segment) = out.pop_front() {
        pool.free(segment);
    }
    assert_eq!(pool.available(), pool.total());
}

#[test]
fn a_segment_behind_a_vlan_tag_is_cut_like_any_other() {
    let mut pool = PacketPool::new(64);
    let cut = |pool: &mut PacketPool, tag: &[u8], port| {
        let mut frame = long_frame(pool, 5_000, 1_900, 1_448, 0x10);
        assert!(frame.grow_front(tag.len()));
        let bytes = frame.bytes_mut();
        bytes.copy_within(tag.len()..tag.len() + 12, 0);
        bytes[12..12 + tag.len()].copy_from_slice(tag);
        let cut = finish(pool, frame, port).into_iter().map(|segment| {
            let (mut bytes, offload) = (bytes_of(&segment), segment.offload());
            pool.free(segment);
            assert_eq!(bytes.drain(12..12 + tag.len()).as_slice(), tag);
            (bytes, offload)
        });
        cut.collect::<Vec<_>>()
    };
    let tag = [0x81, 0, 0xe0, 10];
    let plain = cut(&mut pool, &[], SOFTWARE);
    assert_eq!(plain.len(), 4);
    assert_eq!(cut(&mut pool, &tag, SOFTWARE), plain);
    for (segment, _) in &plain {
        receive(segment);
    }
    // A port that completes checksums is told where they are now.
    let port = Offloads {
        checksum: true,
        ..SOFTWARE
    };
    for (_, offload) in cut(&mut pool, &tag, port) {
        assert_eq!((offload.checksum_start, offload.checksum_offset), (38, 16));
    }
    // Two tags are nobody's.
    let two = [0x81, 0, 0, 10, 0x81, 0, 0, 10];
    assert!(cut(&mut pool, &two, SOFTWARE).is_empty());
}

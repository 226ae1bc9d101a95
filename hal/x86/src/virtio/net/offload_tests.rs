//! Offloads between the rings: what is negotiated, what crosses, what a hostile device can do.

use super::*;

const MERGED: u64 = PLAIN | feature::MRG_RXBUF;
const SEND: u64 = feature::CSUM | feature::HOST_TSO4 | feature::HOST_ECN;
const TAKE: u64 = feature::GUEST_CSUM | feature::GUEST_TSO4 | feature::GUEST_ECN;
const OFFLOADS: u64 = MERGED | SEND | TAKE;
/// Header of a coalesced TCP segment with a partial checksum, in `count` buffers.
const fn coalesced(count: u8) -> [u8; HEADER_LEN] {
    [1, 1, 54, 0, 0xa8, 5, 34, 0, 16, 0, count, 0]
}

impl Bench {
    /// Lets the device fill buffers with `header` and `frame`.
    fn deliver_headed(&self, header: [u8; HEADER_LEN], frame: &[u8]) {
        let mut bytes = header.to_vec();
        bytes.extend_from_slice(frame);
        for part in bytes.chunks(BUFFER_LEN - HEADER_OFFSET) {
            self.deliver_part(part);
        }
    }
}

#[test]
fn a_feature_is_taken_only_with_those_it_needs() {
    let accepted = |offered: u64| {
        let bench = Bench::started(offered);
        let accepted = bench.device.borrow().accepted;
        (accepted & (SEND | TAKE), bench.nic.offloads())
    };
    let sends = |checksum, tcp_segmentation, ecn_segmentation| Offloads {
        checksum,
        tcp_segmentation,
        ecn_segmentation,
    };
    let none = sends(false, false, false);
    assert_eq!(accepted(OFFLOADS), (SEND | TAKE, Offloads::ALL));
    assert_eq!(accepted(PLAIN), (0, none));
    // Segments without checksums, and CWR without segments.
    assert_eq!(accepted(OFFLOADS & !feature::CSUM), (TAKE, none));
    let no_tso = OFFLOADS & !feature::HOST_TSO4;
    assert_eq!(
        accepted(no_tso),
        (TAKE | feature::CSUM, sends(true, false, false))
    );
    let guest_csum = feature::GUEST_CSUM;
    for lacking in [feature::MRG_RXBUF, feature::GUEST_TSO4] {
        let (features, _) = accepted(OFFLOADS & !lacking);
        assert_eq!(features & TAKE, guest_csum);
    }
    assert_eq!(accepted(OFFLOADS & !guest_csum).0 & TAKE, 0);
    // UDP fragmentation, IPv6 segments, queue pairs and their control queue are left alone.
    let more = OFFLOADS | 1 << 8 | 1 << 10 | 1 << 12 | 1 << 14 | 1 << 17 | 1 << 22;
    let bench = Bench::started(more);
    assert_eq!(bench.device.borrow().accepted, OFFLOADS);
}

#[test]
fn a_coalesced_frame_crosses_from_ring_to_ring_with_its_header() {
    let mut bench = Bench::started(OFFLOADS);
    let mut frame: Vec<u8> = (0..60_000u32).map(|at| (at % 253) as u8).collect();
    frame[34 + 12] = 0x50;
    frame[34 + 13] = 0x10;
    bench.deliver_headed(coalesced(31), &frame);
    bench.nic.receive(&mut bench.frames, &mut bench.pool);
    let offload = bench.frames.front().expect("whole").offload();
    assert_eq!((offload.segment_size, offload.checksum_start), (1448, 34));
    bench.nic.transmit(&mut bench.frames, &mut bench.pool);
    let chain = bench.sent().expect("published");
    let sent = chain.read();
    assert_eq!(sent[..10], coalesced(0)[..10]);
    assert!(sent[12..] == frame);
    bench.finish_sent(&chain);
    assert!(bench.receive().is_empty());
    assert_eq!(bench.missing(), 0);
}

#[test]
fn a_partial_checksum_alone_crosses_too_and_a_verified_one_is_told() {
    let mut bench = Bench::started(OFFLOADS);
    bench.deliver_headed([1, 0, 0, 0, 0, 0, 34, 0, 6, 0, 1, 0], &[7; 60]);
    bench.nic.receive(&mut bench.frames, &mut bench.pool);
    bench.nic.transmit(&mut bench.frames, &mut bench.pool);
    let sent = bench.sent().expect("published").read();
    assert_eq!(sent[..12], [1, 0, 0, 0, 0, 0, 34, 0, 6, 0, 0, 0]);
    bench.deliver_headed([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0], &[7; 60]);
    let frames = bench.receive();
    assert!(frames[0].offload().checksum_verified && frames[0].offload().asks_nothing());
}

#[test]
fn an_offload_header_that_does_not_fit_costs_the_frame_and_is_counted() {
    let mut bench = Bench::started(OFFLOADS);
    // The checksum in the second buffer; segments of no length; a kind that was not negotiated.
    let beyond = [1, 1, 0, 0, 0xa8, 5, 0xd0, 7, 16, 0, 2, 0];
    bench.deliver_headed(beyond, &[1; 3_000]);
    bench.deliver_headed([1, 1, 0, 0, 0, 0, 34, 0, 16, 0, 1, 0], &[2; 100]);
    bench.deliver_headed([1, 4, 0, 0, 9, 0, 34, 0, 16, 0, 1, 0], &[3; 100]);
    bench.deliver(b"good", 1);
    let mut frames = bench.receive();
    assert_eq!(frames.len(), 1);
    bench.pool.free(frames.remove(0));
    let stats = bench.nic.stats();
    assert_eq!((stats.rx_bad_offload, stats.rx_errors), (3, 3));
    assert_eq!((stats.resets, bench.missing()), (0, 0));
    assert_eq!(bench.device.borrow().queues[RECEIVE].waiting(), RING);
}

#[test]
fn a_buffer_forgets_what_its_last_frame_asked_for() {
    let mut bench = Bench::started(OFFLOADS);
    for _ in 0..2 * POOL {
        bench.deliver_headed(coalesced(1), &[0x50; 100]);
        bench.deliver(b"plain", 1);
        bench.nic.receive(&mut bench.frames, &mut bench.pool);
        let asks = |frame: &PacketBuf| !frame.offload().asks_nothing();
        assert!(bench.frames.iter().map(asks).eq([true, false]));
        bench.nic.transmit(&mut bench.frames, &mut bench.pool);
        for expected in [coalesced(0)[1], 0] {
            let chain = bench.sent().expect("published");
            assert_eq!(chain.read()[1], expected);
            bench.finish_sent(&chain);
        }
    }
    assert!(bench.receive().is_empty());
    assert_eq!(bench.missing(), 0);
}

#[test]
fn a_batch_of_long_frames_rings_each_doorbell_once() {
    let mut bench = Bench::started(OFFLOADS | common::EVENT_IDX);
    for _ in 0..4 {
        bench.deliver_headed(coalesced(8), &[0x50; 15_000]);
    }
    let before = bench.device.borrow().doorbells;
    bench.nic.receive(&mut bench.frames, &mut bench.pool);
    assert_eq!(bench.frames.len(), 4);
    bench.nic.transmit(&mut bench.frames, &mut bench.pool);
    let rung = bench.device.borrow().doorbells - before;
    // The device has shown with its event index that it takes buffers without being called; it
    // wanted to be called for the first frame to send.
    assert!(rung <= 2, "{rung} doorbells");
    assert_eq!(bench.device.borrow().queues[TRANSMIT].waiting(), 4);
}

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use hal::packet::{BATCH, BUFFER_LEN};

use super::buffers::{HEADER_OFFSET, PIECES_MAX};
use super::regs::HEADER_LEN;
use super::*;
use crate::virtio::fake::{FakeChain, FakeClock, FakeDevice, FakeTransport};
use crate::virtio::regs::{feature as common, status};

#[path = "offload_tests.rs"]
mod offload;
#[path = "pairs_tests.rs"]
mod pairs;

const RECEIVE: usize = 0;
const TRANSMIT: usize = 1;
const RING: u16 = 64;
const POOL: usize = 400;
const PLAIN: u64 = common::VERSION_1 | feature::MAC | feature::STATUS;
/// Address 02:00:00:00:00:07, link up.
const CONFIG: [u8; 17] = [2, 0, 0, 0, 0, 7, 1, 0, 1, 0, 0, 0, 0x10, 0x27, 0, 0, 1];

struct Bench {
    nic: VirtioNet<FakeTransport, FakeClock>,
    device: Rc<RefCell<FakeDevice>>,
    clock: FakeClock,
    pool: PacketPool,
    frames: Batch,
}

impl Bench {
    fn stopped(features: u64) -> Self {
        Self::stopped_with(FakeTransport::new(features, &CONFIG, 2, RING))
    }

    fn stopped_with(transport: FakeTransport) -> Self {
        let device = Rc::clone(&transport.0);
        let clock = FakeClock::default();
        Self {
            nic: VirtioNet::new(transport, clock.clone()).expect("a sound device"),
            device,
            clock,
            pool: PacketPool::new(POOL),
            frames: Batch::new(),
        }
    }

    fn started(features: u64) -> Self {
        let mut bench = Self::stopped(features);
        bench.nic.start(&mut bench.pool);
        bench
    }

    /// Lets the device receive `frame`, told to take `num_buffers` buffers.
    fn deliver(&self, frame: &[u8], num_buffers: u16) {
        let mut device = self.device.borrow_mut();
        let queue = &mut device.queues[RECEIVE];
        let chain = queue.take().expect("the receive ring is never empty");
        let mut bytes = vec![0; HEADER_LEN];
        bytes[10..12].copy_from_slice(&num_buffers.to_le_bytes());
        bytes.extend_from_slice(frame);
        let len = chain.write(&bytes);
        queue.finish(u32::from(chain.id), len);
    }

    /// Lets the device fill a further buffer of a merged frame.
    fn deliver_part(&self, part: &[u8]) {
        let mut device = self.device.borrow_mut();
        let queue = &mut device.queues[RECEIVE];
        let chain = queue.take().expect("the receive ring is never empty");
        let len = chain.write(part);
        queue.finish(u32::from(chain.id), len);
    }

    fn receive(&mut self) -> Vec<PacketBuf> {
        self.nic.receive(&mut self.frames, &mut self.pool);
        core::iter::from_fn(|| self.frames.pop_front()).collect()
    }

    fn frame(&mut self, bytes: &[u8]) -> PacketBuf {
        let mut frame = self.pool.take().expect("a free buffer");
        assert!(frame.extend(bytes));
        frame
    }

    fn send(&mut self, frame: PacketBuf) {
        self.frames.push_back(frame).expect("room in the batch");
        self.nic.transmit(&mut self.frames, &mut self.pool);
    }

    fn sent(&self) -> Option<FakeChain> {
        self.device.borrow_mut().queues[TRANSMIT].take()
    }

    fn finish_sent(&self, chain: &FakeChain) {
        let mut device = self.device.borrow_mut();
        device.queues[TRANSMIT].finish(u32::from(chain.id), 0);
    }

    /// Buffers that neither the pool nor the device has.
    fn missing(&self) -> usize {
        let pairs = self.nic.pairs.iter();
        let in_flight: u16 = pairs
            .map(|pair| pair.receive.in_flight() + pair.transmit.in_flight())
            .sum();
        POOL - self.pool.available() - usize::from(in_flight) - self.frames.len()
    }
}

#[test]
fn nothing_moves_before_start() {
    let mut bench = Bench::stopped(PLAIN);
    assert_eq!(bench.nic.mac(), MacAddr([2, 0, 0, 0, 0, 7]));
    assert!(!bench.device.borrow().is_driven());
    assert!(bench.receive().is_empty());
    let frame = bench.frame(b"too early");
    bench.send(frame);
    assert_eq!(bench.frames.len(), 1, "the frame stays with the caller");
    assert!(
        bench
            .device
            .borrow()
            .queues
            .iter()
            .all(|q| q.addresses.is_none())
    );
}

#[test]
fn a_received_frame_is_the_memory_the_device_wrote() {
    let mut bench = Bench::started(PLAIN);
    assert_eq!(bench.pool.available(), POOL - usize::from(RING));
    let chain = {
        let mut device = bench.device.borrow_mut();
        let queue = &mut device.queues[RECEIVE];
        let chain = queue.take().expect("filled");
        let len = chain.write(b"\0\0\0\0\0\0\0\0\0\0\0\0 hello");
        queue.finish(u32::from(chain.id), len);
        chain
    };
    assert_eq!(chain.writable() as usize, BUFFER_LEN - HEADER_OFFSET);
    let frames = bench.receive();
    assert_eq!(frames[0].bytes(), b" hello");
    let place = frames[0].bytes().as_ptr() as u64;
    assert_eq!(place, chain.segments[0].address + HEADER_LEN as u64);
    assert_eq!(bench.nic.stats().rx_bytes, 6);
    assert_eq!(bench.device.borrow().queues[RECEIVE].waiting(), RING);
}

#[test]
fn a_sent_frame_has_an_empty_header_in_its_own_headroom() {
    let mut bench = Bench::started(PLAIN);
    let frame = bench.frame(b"out");
    bench.send(frame);
    let chain = bench.sent().expect("published");
    assert_eq!(chain.segments.len(), 1);
    assert_eq!(chain.read(), b"\0\0\0\0\0\0\0\0\0\0\0\0out");
    assert_eq!(bench.pool.available(), POOL - usize::from(RING) - 1);
    bench.finish_sent(&chain);
    assert!(bench.receive().is_empty());
    assert_eq!(bench.pool.available(), POOL - usize::from(RING));
    let stats = bench.nic.stats();
    assert_eq!((stats.tx_packets, stats.tx_bytes), (1, 3));
}

#[test]
fn a_frame_without_headroom_gets_a_buffer_for_the_header() {
    let mut bench = Bench::started(PLAIN);
    let mut frame = bench.frame(b"x");
    frame.set_range(HEADER_LEN - 1, HEADER_LEN + 4);
    frame.bytes_mut().copy_from_slice(b"tight");
    bench.send(frame);
    let chain = bench.sent().expect("published");
    assert_eq!(chain.segments.len(), 2);
    assert_eq!(chain.read(), b"\0\0\0\0\0\0\0\0\0\0\0\0tight");
    bench.finish_sent(&chain);
    assert!(bench.receive().is_empty());
    assert_eq!(bench.missing(), 0);
}

#[test]
fn a_frame_over_several_buffers_leaves_as_one_chain() {
    let mut bench = Bench::started(PLAIN);
    let mut frame = bench.frame(b"one ");
    for part in [&b"two "[..], b"", b"three"] {
        let part = bench.frame(part);
        frame.append(part);
    }
    bench.send(frame);
    let chain = bench.sent().expect("published");
    assert_eq!(chain.segments.len(), 3, "an empty part takes no descriptor");
    assert_eq!(chain.read(), b"\0\0\0\0\0\0\0\0\0\0\0\0one two three");
    bench.finish_sent(&chain);
    assert!(bench.receive().is_empty());
    assert_eq!(bench.missing(), 0);
}

#[test]
fn a_batch_rings_the_doorbell_once() {
    let mut bench = Bench::started(PLAIN);
    let before = bench.device.borrow().doorbells;
    for _ in 0..BATCH {
        let frame = bench.frame(b"batched");
        bench.frames.push_back(frame).expect("room");
    }
    bench.nic.transmit(&mut bench.frames, &mut bench.pool);
    assert_eq!(bench.device.borrow().doorbells, before + 1);
    assert_eq!(
        bench.device.borrow().queues[TRANSMIT].waiting(),
        BATCH as u16
    );
}

#[test]
fn frames_beyond_a_full_transmit_ring_stay_and_go_later() {
    let mut bench = Bench::started(PLAIN);
    for _ in 0..RING {
        let frame = bench.frame(b"fills");
        bench.send(frame);
    }
    let frame = bench.frame(b"waits");
    bench.send(frame);
    for _ in 0..3 {
        assert_eq!(bench.frames.len(), 1);
        assert_eq!(bench.nic.stats().tx_ring_full, 1, "counted once");
        bench.nic.transmit(&mut bench.frames, &mut bench.pool);
    }
    // A device that never completes anything costs the frames it holds, not the box.
    assert!(bench.nic.arm_interrupt());
    let chain = bench.sent().expect("published");
    bench.finish_sent(&chain);
    bench.nic.transmit(&mut bench.frames, &mut bench.pool);
    assert!(bench.frames.is_empty());
    assert_eq!(bench.nic.stats().tx_packets, u64::from(RING) + 1);
    assert_eq!(bench.missing(), 0);
}

#[test]
fn without_spare_buffers_frames_are_lost_and_the_ring_stays_full() {
    let mut bench = Bench::started(PLAIN);
    let mut taken: Vec<_> = core::iter::from_fn(|| bench.pool.take()).collect();
    for _ in 0..10 {
        bench.deliver(b"lost", 1);
        assert!(bench.receive().is_empty());
    }
    assert_eq!(bench.nic.stats().rx_no_buffer, 10);
    assert_eq!(bench.device.borrow().queues[RECEIVE].waiting(), RING);
    bench.pool.free(taken.pop().expect("some were taken"));
    bench.deliver(b"heard", 1);
    assert_eq!(bench.receive()[0].bytes(), b"heard");
}

#[test]
fn a_ring_that_started_short_is_topped_up_when_buffers_are_free() {
    let mut bench = Bench::stopped(PLAIN);
    let mut taken: Vec<_> = core::iter::from_fn(|| bench.pool.take()).collect();
    bench.pool.free(taken.pop().expect("some were taken"));
    bench.nic.start(&mut bench.pool);
    assert_eq!(bench.device.borrow().queues[RECEIVE].waiting(), 1);
    for buffer in taken.drain(..) {
        bench.pool.free(buffer);
    }
    assert!(bench.receive().is_empty());
    assert_eq!(bench.device.borrow().queues[RECEIVE].waiting(), RING);
}

#[test]
fn a_merged_frame_comes_back_whole_even_if_its_parts_come_late() {
    let mut bench = Bench::started(PLAIN | feature::MRG_RXBUF);
    bench.deliver(b"first ", 3);
    bench.deliver_part(b"second ");
    assert!(bench.receive().is_empty());
    bench.deliver_part(b"third");
    bench.deliver(b"next", 1);
    let mut frames = bench.receive();
    assert_eq!(frames.len(), 2);
    let parts: Vec<_> = frames[0].segments().collect();
    assert_eq!(parts, [&b"first "[..], b"second ", b"third"]);
    assert_eq!(frames[1].bytes(), b"next");
    let stats = bench.nic.stats();
    assert_eq!((stats.rx_packets, stats.rx_bytes), (2, 22));
    for frame in frames.drain(..) {
        bench.pool.free(frame);
    }
    assert_eq!(bench.missing(), 0);
}

#[test]
fn the_largest_merged_frame_is_taken_and_a_larger_one_is_a_violation() {
    let mut bench = Bench::started(PLAIN | feature::MRG_RXBUF);
    let part = [9; BUFFER_LEN - HEADER_OFFSET];
    bench.deliver(&part[HEADER_LEN..], PIECES_MAX as u16);
    for _ in 1..PIECES_MAX {
        bench.deliver_part(&part);
    }
    let mut frames = bench.receive();
    assert!(frames[0].frame_len() >= 65_550);
    bench.pool.free(frames.remove(0));
    assert_eq!(bench.missing(), 0);
    for count in [0, PIECES_MAX as u16 + 1, u16::MAX] {
        let mut bench = Bench::started(PLAIN | feature::MRG_RXBUF);
        bench.deliver(b"frame", count);
        assert!(bench.receive().is_empty());
        assert_eq!(
            (bench.nic.stats().resets, bench.pool.available()),
            (1, POOL)
        );
    }
}

#[test]
fn a_merged_frame_that_runs_out_of_buffers_is_lost_as_one() {
    let mut bench = Bench::started(PLAIN | feature::MRG_RXBUF);
    let mut taken: Vec<_> = core::iter::from_fn(|| bench.pool.take()).collect();
    bench.pool.free(taken.pop().expect("some were taken"));
    bench.deliver(b"kept", 2);
    bench.deliver_part(b"no buffer for this");
    assert!(bench.receive().is_empty());
    assert_eq!(bench.nic.stats().rx_no_buffer, 1);
    for buffer in taken.drain(..) {
        bench.pool.free(buffer);
    }
    assert_eq!(bench.missing(), 0);
    bench.deliver(b"after", 1);
    assert_eq!(bench.receive()[0].bytes(), b"after");
}

#[test]
fn lengths_that_cannot_be_cost_the_frame_only() {
    let mut bench = Bench::started(PLAIN);
    for len in [0, 11, 12, BUFFER_LEN as u32, u32::MAX] {
        let mut device = bench.device.borrow_mut();
        let queue = &mut device.queues[RECEIVE];
        let chain = queue.take().expect("filled");
        queue.finish(u32::from(chain.id), len);
    }
    bench.deliver(b"good", 1);
    assert_eq!(bench.receive()[0].bytes(), b"good");
    let stats = bench.nic.stats();
    assert_eq!((stats.rx_errors, stats.rx_packets, stats.resets), (5, 1, 0));
}

#[test]
fn a_bad_identifier_resets_the_device_which_works_again_a_second_later() {
    for queue in [RECEIVE, TRANSMIT] {
        let mut bench = Bench::started(PLAIN);
        let frame = bench.frame(b"in flight");
        bench.send(frame);
        let resets = bench.device.borrow().resets;
        bench.device.borrow_mut().queues[queue].finish(4_000, 60);
        assert!(bench.receive().is_empty());
        assert_eq!(bench.pool.available(), POOL, "every buffer came back");
        assert_eq!(bench.device.borrow().resets, resets + 1);
        assert_eq!(
            (bench.nic.stats().resets, bench.nic.stats().rx_errors),
            (1, 1)
        );
        assert!(!bench.device.borrow().is_driven());
        assert!(!bench.nic.link().is_up);
        assert!(bench.nic.arm_interrupt(), "nothing waits");
        assert!(bench.receive().is_empty());
        assert_eq!(bench.device.borrow().resets, resets + 1, "not at once");
        bench.clock.advance(RETRY_AFTER);
        assert!(bench.receive().is_empty());
        bench.deliver(b"again", 1);
        assert_eq!(bench.receive()[0].bytes(), b"again");
        assert!(bench.nic.link().is_up);
    }
}

#[test]
fn a_device_that_asks_for_a_reset_gets_it() {
    let mut bench = Bench::started(PLAIN);
    bench.device.borrow_mut().status |= status::DEVICE_NEEDS_RESET;
    assert!(!bench.nic.link().is_up);
    assert!(bench.receive().is_empty());
    assert_eq!(
        (bench.nic.stats().resets, bench.pool.available()),
        (1, POOL)
    );
}

#[test]
fn a_reset_that_never_ends_leaves_the_buffers_with_the_device() {
    let mut bench = Bench::started(PLAIN);
    bench.device.borrow_mut().ignores_reset = true;
    bench.device.borrow_mut().queues[RECEIVE].finish(4_000, 60);
    assert!(bench.receive().is_empty());
    assert_eq!(bench.pool.available(), POOL - usize::from(RING));
    assert_eq!(bench.nic.link(), Link::default());
    let frame = bench.frame(b"nowhere to go");
    bench.send(frame);
    assert_eq!(bench.frames.len(), 1);
    bench.nic.stop(&mut bench.pool);
    bench.nic.start(&mut bench.pool);
    assert_eq!(bench.receive().len(), 1, "only what could not be sent");
}

#[test]
fn stop_gives_every_buffer_back_and_start_begins_anew() {
    let mut bench = Bench::started(PLAIN | feature::MRG_RXBUF);
    for round in 0..3 {
        let frame = bench.frame(b"in flight");
        bench.send(frame);
        bench.deliver(b"half of a frame", 2);
        assert!(bench.receive().is_empty(), "round {round}");
        bench.nic.stop(&mut bench.pool);
        assert_eq!(bench.pool.available(), POOL);
        assert!(!bench.device.borrow().is_driven());
        bench.nic.start(&mut bench.pool);
        bench.deliver(b"fresh", 1);
        let mut frames = bench.receive();
        bench.pool.free(frames.remove(0));
    }
    assert_eq!(bench.nic.stats().resets, 0);
}

#[test]
fn the_link_follows_the_configuration() {
    let mut bench = Bench::started(PLAIN | feature::SPEED_DUPLEX);
    let up = Link {
        is_up: true,
        speed_mbps: Some(10_000),
        full_duplex: true,
    };
    assert_eq!(bench.nic.link(), up);
    bench.device.borrow_mut().config[config::STATUS] = 0;
    assert!(!bench.nic.link().is_up);
    bench.device.borrow_mut().config[config::SPEED..config::SPEED + 4].fill(0xff);
    assert_eq!(bench.nic.link().speed_mbps, None);
    let mut bench = Bench::started(common::VERSION_1 | feature::MAC);
    bench.device.borrow_mut().config[config::STATUS] = 0;
    assert!(
        bench.nic.link().is_up,
        "without the feature it is always up"
    );
}

#[test]
fn an_interrupt_is_asked_for_only_while_armed() {
    for features in [PLAIN, PLAIN | common::EVENT_IDX] {
        let mut bench = Bench::started(features);
        bench.deliver(b"unasked", 1);
        assert!(!bench.device.borrow().queues[RECEIVE].wants_interrupt());
        assert!(!bench.nic.arm_interrupt(), "a frame waits");
        bench.nic.disarm_interrupt();
        assert_eq!(bench.receive().len(), 1);
        assert!(bench.nic.arm_interrupt());
        bench.deliver(b"asked", 1);
        assert!(bench.device.borrow().queues[RECEIVE].wants_interrupt());
        assert!(!bench.device.borrow().queues[TRANSMIT].is_event_index || features != PLAIN);
    }
}

#[test]
fn devices_that_cannot_be_driven_are_refused_with_the_reason() {
    let refusal = |features, queues, size| {
        let transport = FakeTransport::new(features, &CONFIG, queues, size);
        VirtioNet::new(transport, FakeClock::default()).err()
    };
    assert_eq!(
        refusal(feature::MAC, 2, 64),
        Some(TransportError::NotModern)
    );
    let missing = TransportError::FeaturesMissing(feature::MAC);
    assert_eq!(refusal(common::VERSION_1, 2, 64), Some(missing));
    assert_eq!(refusal(PLAIN, 1, 64), Some(TransportError::QueueMissing(1)));
    assert_eq!(refusal(PLAIN, 2, 0), Some(TransportError::QueueMissing(0)));
    assert_eq!(refusal(PLAIN, 2, 1_000), None);
    let transport = FakeTransport::new(PLAIN, &CONFIG, 2, 64);
    transport.0.borrow_mut().refuses_features = true;
    let refused = VirtioNet::new(transport.clone(), FakeClock::default()).err();
    assert_eq!(refused, Some(TransportError::FeaturesRefused));
    assert_eq!(transport.0.borrow().status, status::FAILED);
    let transport = FakeTransport::new(PLAIN, &CONFIG, 2, 64);
    transport.0.borrow_mut().status = status::ACKNOWLEDGE;
    transport.0.borrow_mut().ignores_reset = true;
    let refused = VirtioNet::new(transport, FakeClock::default()).err();
    assert_eq!(refused, Some(TransportError::ResetTimeout));
}

#[test]
fn no_buffer_is_lost_over_many_frames_in_both_directions() {
    for features in [PLAIN, PLAIN | common::EVENT_IDX | feature::MRG_RXBUF] {
        let mut bench = Bench::started(features);
        for round in 0..50_000_u32 {
            for _ in 0..=(round % 7) {
                bench.deliver(&round.to_le_bytes(), 1);
            }
            // Forwards what it received, as the data plane does.
            bench.nic.receive(&mut bench.frames, &mut bench.pool);
            bench.nic.transmit(&mut bench.frames, &mut bench.pool);
            if round % 3 == 0 {
                while let Some(chain) = bench.sent() {
                    bench.finish_sent(&chain);
                }
            }
            assert_eq!(bench.missing(), 0, "round {round}");
        }
        let stats = bench.nic.stats();
        assert_eq!(stats.rx_packets, 199_997);
        assert_eq!(
            (stats.rx_errors, stats.resets, stats.rx_no_buffer),
            (0, 0, 0)
        );
        bench.nic.stop(&mut bench.pool);
        assert_eq!(bench.pool.available() + bench.frames.len(), POOL);
    }
}

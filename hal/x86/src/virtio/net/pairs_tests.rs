//! Several pairs of queues.

use super::*;

const MQ: u64 = PLAIN | feature::CTRL_VQ | feature::MQ | feature::MRG_RXBUF;
/// As `CONFIG`, with eight pairs; so the control queue is the seventeenth.
const EIGHT_PAIRS: [u8; 17] = [2, 0, 0, 0, 0, 7, 1, 0, 8, 0, 0, 0, 0x10, 0x27, 0, 0, 1];
const CONTROL: u16 = 16;

/// Carries a command out and remembers it.
fn obey(device: &mut FakeDevice, queue: u16) {
    answer(device, queue, 0);
}

fn refuse(device: &mut FakeDevice, queue: u16) {
    answer(device, queue, 1);
}

fn answer(device: &mut FakeDevice, queue: u16, word: u8) {
    if queue == CONTROL {
        let queue = &mut device.queues[usize::from(queue)];
        let chain = queue.take().expect("a command");
        let len = chain.write(&[word]);
        queue.finish(u32::from(chain.id), len);
        device.contents.extend(chain.read());
    }
}

fn bench(behaviour: crate::virtio::fake::Behaviour) -> Bench {
    let transport = FakeTransport::new(MQ, &EIGHT_PAIRS, 17, 256);
    transport.0.borrow_mut().behaviour = behaviour;
    let mut bench = Bench::stopped_with(transport);
    bench.nic.start(&mut bench.pool);
    bench
}

fn deliver(bench: &Bench, pair: usize, frame: &[u8]) {
    let mut device = bench.device.borrow_mut();
    let queue = &mut device.queues[2 * pair];
    let chain = queue.take().expect("the receive ring is never empty");
    let mut bytes = vec![0; HEADER_LEN];
    bytes[10] = 1;
    bytes.extend_from_slice(frame);
    let len = chain.write(&bytes);
    queue.finish(u32::from(chain.id), len);
}

#[test]
fn four_pairs_of_eight_are_used_and_share_the_buffers_of_one() {
    let mut bench = bench(obey);
    assert_eq!(bench.device.borrow().contents, [4, 0, 4, 0], "MQ, set, 4");
    assert_eq!(bench.pool.available(), POOL - 256);
    for pair in 0..PAIRS_MAX {
        let device = bench.device.borrow();
        assert_eq!(device.queues[2 * pair].waiting(), 64, "pair {pair}");
    }
    for pair in 0..PAIRS_MAX {
        deliver(&bench, pair, &[pair as u8; 20]);
    }
    assert!(!bench.nic.arm_interrupt(), "frames wait");
    bench.nic.disarm_interrupt();
    let mut seen: Vec<u8> = bench
        .receive()
        .iter()
        .map(|frame| frame.bytes()[0])
        .collect();
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3]);
    assert!(bench.nic.arm_interrupt());
}

#[test]
fn every_pair_gets_its_turn_when_frames_fill_the_batch() {
    let mut bench = bench(obey);
    let mut from = [0; PAIRS_MAX];
    for _ in 0..8 {
        for pair in 0..PAIRS_MAX {
            for _ in 0..8 {
                deliver(&bench, pair, &[pair as u8; 20]);
            }
        }
        for frame in bench.receive() {
            from[usize::from(frame.bytes()[0])] += 1;
            bench.pool.free(frame);
        }
    }
    assert!(from.iter().all(|&count| count == 64), "{from:?}");
}

#[test]
fn a_flow_leaves_by_one_queue_in_order_and_flows_by_all() {
    let mut bench = bench(obey);
    let mut used = [0; PAIRS_MAX];
    for port in 0..64_u8 {
        let mut bytes = vec![0; 12];
        bytes.extend_from_slice(&[8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0]);
        bytes.extend_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2, port, 1, 0, 53]);
        for number in 0..3 {
            bytes.push(number);
            let frame = bench.frame(&bytes);
            bench.send(frame);
        }
        let pair = (0..PAIRS_MAX)
            .find(|pair| bench.device.borrow().queues[2 * pair + 1].waiting() > 0)
            .expect("sent");
        let mut device = bench.device.borrow_mut();
        let queue = &mut device.queues[2 * pair + 1];
        let lens: Vec<usize> = core::iter::from_fn(|| {
            let chain = queue.take()?;
            queue.finish(u32::from(chain.id), 0);
            Some(chain.read().len())
        })
        .collect();
        assert_eq!(lens.len(), 3, "all by one queue");
        assert!(lens.is_sorted());
        used[pair] += 1;
    }
    assert!(used.iter().all(|&count| count > 5), "{used:?}");
    assert!(bench.receive().is_empty());
    assert_eq!(bench.missing(), 0);
}

#[test]
fn a_device_that_refuses_or_ignores_the_command_works_with_one_pair() {
    for behaviour in [refuse as crate::virtio::fake::Behaviour, |_, _| {}] {
        let mut bench = bench(behaviour);
        assert!(bench.device.borrow().is_driven());
        assert_eq!(bench.device.borrow().accepted & feature::MQ, 0);
        assert!(bench.device.borrow().queues[2].addresses.is_none());
        deliver(&bench, 0, b"still here");
        let mut frames = bench.receive();
        assert_eq!(frames[0].bytes(), b"still here");
        bench.pool.free(frames.remove(0));
        assert_eq!(bench.missing(), 0);
    }
}

#[test]
fn numbers_of_pairs_that_cannot_be_leave_one() {
    for (count, queues) in [
        (0_u16, 17),
        (1, 17),
        (0x8001, 17),
        (8, 7),
        (8, 16),
        (u16::MAX, 3),
    ] {
        let mut config = EIGHT_PAIRS;
        config[config::MAX_PAIRS..config::MAX_PAIRS + 2].copy_from_slice(&count.to_le_bytes());
        let transport = FakeTransport::new(MQ, &config, queues, 256);
        let mut bench = Bench::stopped_with(transport);
        bench.nic.start(&mut bench.pool);
        assert_eq!(bench.nic.pairs.len(), 1, "{count} pairs, {queues} queues");
        assert_eq!(bench.device.borrow().queues[0].waiting(), 256);
        deliver(&bench, 0, b"works");
        assert_eq!(bench.receive().len(), 1);
    }
}

#[test]
fn a_restart_settles_the_pairs_again_and_loses_no_buffer() {
    let mut bench = bench(obey);
    for _ in 0..3 {
        deliver(&bench, 3, b"in the ring");
        bench.nic.stop(&mut bench.pool);
        assert_eq!(bench.pool.available(), POOL);
        bench.nic.start(&mut bench.pool);
    }
    assert_eq!(bench.device.borrow().contents.len(), 4 * 4);
    bench.device.borrow_mut().queues[7].finish(4_000, 60);
    assert!(bench.receive().is_empty());
    assert_eq!(
        bench.pool.available(),
        POOL,
        "a violation in any pair resets the device"
    );
}

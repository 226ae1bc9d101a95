use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::*;
use crate::virtio::fake::{FakeClock, FakeDevice, FakeTransport};
use crate::virtio::regs::feature as common;

const SECTORS: usize = 400;
const PLAIN: u64 = common::VERSION_1 | feature::FLUSH;
/// 400 sectors, segments of at most 1,300 bytes (if the feature says so).
const CONFIG: [u8; 12] = [0x90, 1, 0, 0, 0, 0, 0, 0, 0x14, 0x05, 0, 0];

/// A disk that works.
fn work(device: &mut FakeDevice, queue: u16) {
    answer(device, queue, STATUS_OK);
}

fn answer(device: &mut FakeDevice, queue: u16, status: u8) {
    while let Some(chain) = device.queues[usize::from(queue)].take() {
        let request = chain.read();
        let kind = u32::from_le_bytes(request[..4].try_into().expect("four bytes"));
        let sector = u64::from_le_bytes(request[8..16].try_into().expect("eight bytes"));
        let start = sector as usize * SECTOR_LEN;
        device.requests.push(kind);
        let mut reply = Vec::new();
        match kind {
            request::IN => {
                let len = chain.writable() as usize - 1;
                reply.extend_from_slice(&device.contents[start..start + len]);
            }
            request::OUT => {
                let data = &request[HEADER_LEN..];
                device.contents[start..start + data.len()].copy_from_slice(data);
            }
            _ => {}
        }
        reply.push(status);
        let len = chain.write(&reply);
        device.queues[usize::from(queue)].finish(u32::from(chain.id), len);
    }
}

type Blk = VirtioBlk<FakeTransport, FakeClock>;

fn disk(features: u64) -> (Blk, Rc<RefCell<FakeDevice>>) {
    let transport = FakeTransport::new(features, &CONFIG, 1, 128);
    let device = Rc::clone(&transport.0);
    device.borrow_mut().contents = vec![0; SECTORS * SECTOR_LEN];
    device.borrow_mut().behaviour = work;
    let disk = VirtioBlk::new(transport, FakeClock::default()).expect("a sound device");
    (disk, device)
}

#[test]
fn what_was_written_is_read_back_over_several_requests() {
    for (features, requests) in [(PLAIN, 4), (PLAIN | feature::SIZE_MAX, 200)] {
        let (mut disk, device) = disk(features);
        assert_eq!(disk.sectors(), SECTORS as u64);
        let data: Vec<u8> = (0..SECTORS * SECTOR_LEN).map(|i| (i / 7) as u8).collect();
        disk.write(0, &data).expect("written");
        assert_eq!(device.borrow().requests.len(), requests);
        let mut back = vec![0; 3 * SECTOR_LEN];
        disk.read(150, &mut back).expect("read");
        assert_eq!(back, data[150 * SECTOR_LEN..153 * SECTOR_LEN]);
        disk.flush().expect("flushed");
        assert_eq!(device.borrow().requests.last(), Some(&request::FLUSH));
        assert_eq!(device.borrow().contents, data);
    }
}

#[test]
fn nothing_of_a_transfer_stays_in_the_bounce_buffer() {
    let (mut disk, _) = disk(PLAIN);
    disk.write(0, &[0xa5; SECTOR_LEN]).expect("written");
    let mut left = [0; SECTOR_LEN];
    disk.requester.memory.copy_out(DATA, &mut left);
    assert_eq!(left, [0; SECTOR_LEN]);
    disk.read(0, &mut left).expect("read");
    assert_eq!(left, [0xa5; SECTOR_LEN]);
    disk.requester.memory.copy_out(DATA, &mut left);
    assert_eq!(left, [0; SECTOR_LEN]);
}

#[test]
fn ranges_off_the_disk_and_parts_of_sectors_are_refused_unasked() {
    let (mut disk, device) = disk(PLAIN);
    let mut sector = [0; SECTOR_LEN];
    let end = SECTORS as u64;
    assert_eq!(disk.read(end, &mut sector), Err(DiskError::OutOfRange));
    assert_eq!(disk.write(u64::MAX, &sector), Err(DiskError::OutOfRange));
    assert_eq!(disk.write(0, &sector[1..]), Err(DiskError::Unaligned));
    assert_eq!(disk.read(end - 1, &mut sector), Ok(()));
    assert_eq!(disk.write(end, &[]), Ok(()));
    assert_eq!(device.borrow().requests, [request::IN]);
}

#[test]
fn a_read_only_disk_refuses_writes() {
    let (mut disk, device) = disk(PLAIN | feature::RO);
    assert_eq!(disk.write(0, &[0; SECTOR_LEN]), Err(DiskError::ReadOnly));
    assert!(device.borrow().requests.is_empty());
}

#[test]
fn without_a_cache_a_flush_is_done_at_once() {
    let (mut disk, device) = disk(common::VERSION_1);
    assert_eq!(disk.flush(), Ok(()));
    assert!(device.borrow().requests.is_empty());
}

#[test]
fn errors_and_unwritten_status_are_told() {
    let (mut disk, device) = disk(PLAIN);
    let mut sector = [0; SECTOR_LEN];
    device.borrow_mut().behaviour = |device, queue| answer(device, queue, 1);
    assert_eq!(disk.read(0, &mut sector), Err(DiskError::Device));
    assert_eq!(disk.flush(), Err(DiskError::Device));
    // Says "done" without having written a status.
    device.borrow_mut().behaviour = |device, queue| {
        let queue = &mut device.queues[usize::from(queue)];
        let chain = queue.take().expect("a request");
        queue.finish(u32::from(chain.id), 1);
    };
    assert_eq!(disk.write(0, &sector), Err(DiskError::Device));
    assert_eq!(disk.resets(), 0);
}

#[test]
fn a_late_answer_ends_in_a_reset_after_which_the_disk_works() {
    let (mut disk, device) = disk(PLAIN);
    device.borrow_mut().behaviour = |_, _| {};
    assert_eq!(disk.write(0, &[1; SECTOR_LEN]), Err(DiskError::Timeout));
    assert_eq!(disk.resets(), 1);
    device.borrow_mut().behaviour = work;
    assert_eq!(disk.write(0, &[1; SECTOR_LEN]), Ok(()));
}

#[test]
fn a_broken_ring_ends_in_a_reset_after_which_the_disk_works() {
    let broken: [fn(&mut FakeDevice, u16); 3] = [
        |device, queue| device.queues[usize::from(queue)].finish(77, 1),
        |device, queue| device.queues[usize::from(queue)].set_used_index(9),
        |device, queue| {
            let queue = &mut device.queues[usize::from(queue)];
            let chain = queue.take().expect("a request");
            queue.finish(u32::from(chain.id), 5_000);
        },
    ];
    for behaviour in broken {
        let (mut disk, device) = disk(PLAIN);
        device.borrow_mut().behaviour = behaviour;
        assert_eq!(disk.write(0, &[1; SECTOR_LEN]), Err(DiskError::Device));
        assert_eq!(disk.resets(), 1);
        device.borrow_mut().behaviour = work;
        assert_eq!(disk.write(0, &[1; SECTOR_LEN]), Ok(()));
    }
}

#[test]
fn a_disk_whose_reset_never_ends_is_left_alone() {
    let (mut disk, device) = disk(PLAIN);
    device.borrow_mut().behaviour = |_, _| {};
    device.borrow_mut().ignores_reset = true;
    assert_eq!(disk.flush(), Err(DiskError::Timeout));
    let doorbells = device.borrow().doorbells;
    assert_eq!(disk.flush(), Err(DiskError::Device));
    assert_eq!(device.borrow().doorbells, doorbells);
}

#[test]
fn a_capacity_that_changes_while_it_is_read_is_read_again() {
    let transport = FakeTransport::new(PLAIN, &CONFIG, 1, 128);
    transport.0.borrow_mut().unsettled_reads = 4;
    let disk = VirtioBlk::new(transport, FakeClock::default()).expect("settles");
    assert_eq!(disk.sectors(), SECTORS as u64);
    let transport = FakeTransport::new(PLAIN, &CONFIG, 1, 128);
    transport.0.borrow_mut().unsettled_reads = u8::MAX;
    let refused = VirtioBlk::new(transport, FakeClock::default()).err();
    assert_eq!(refused, Some(TransportError::BadConfig));
}

#[test]
fn segments_shorter_than_a_sector_are_refused() {
    let mut config = CONFIG;
    config[8..].copy_from_slice(&511_u32.to_le_bytes());
    let transport = FakeTransport::new(PLAIN | feature::SIZE_MAX, &config, 1, 128);
    let refused = VirtioBlk::new(transport, FakeClock::default()).err();
    assert_eq!(refused, Some(TransportError::BadConfig));
    let transport = FakeTransport::new(PLAIN, &CONFIG, 1, 2);
    let refused = VirtioBlk::new(transport, FakeClock::default()).err();
    assert_eq!(refused, Some(TransportError::BadConfig));
}

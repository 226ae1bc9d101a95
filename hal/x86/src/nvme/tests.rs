use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::fake::{FakeNvme, FakeRegisters, Fault};
use super::*;
use crate::virtio::fake::FakeClock;

type Fake = Rc<RefCell<FakeNvme>>;

fn disk(power: u8, blocks: u64) -> (Nvme<FakeRegisters, FakeClock>, Fake) {
    let registers = FakeRegisters::new(power, blocks);
    let fake = Rc::clone(&registers.0);
    let disk = Nvme::new(registers, FakeClock::default()).expect("a sound controller");
    (disk, fake)
}

/// What bringing up a controller that was changed by `change` ends in.
fn refusal(change: impl FnOnce(&mut FakeNvme)) -> Option<NvmeError> {
    let registers = FakeRegisters::new(9, 100);
    change(&mut registers.0.borrow_mut());
    Nvme::new(registers, FakeClock::default()).err()
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|index| (index / 7) as u8).collect()
}

#[test]
fn what_was_written_is_read_back_over_several_commands() {
    let (mut disk, fake) = disk(9, 400);
    assert_eq!((disk.sectors(), disk.model()), (400, "FAKE ?DISK"));
    let data = pattern(400 * SECTOR_LEN);
    disk.write(0, &data).expect("written");
    let written: Vec<_> = fake.borrow().commands.clone();
    let expected =
        [0, 128, 256, 384].map(|first| (io::WRITE, first, 128.min(400 - first as usize)));
    assert_eq!(written, expected);
    assert_eq!(fake.borrow().contents, data);
    // One page, two pages, a list of pages.
    for sectors in [1, 8, 9, 16, 17, 100, 129] {
        let mut back = vec![0; sectors * SECTOR_LEN];
        disk.read(150, &mut back).expect("read");
        assert_eq!(back, data[150 * SECTOR_LEN..][..back.len()], "{sectors}");
    }
    disk.flush().expect("flushed");
    assert_eq!(
        fake.borrow().commands.last().map(|last| last.0),
        Some(io::FLUSH)
    );
}

#[test]
fn long_blocks_keep_the_sectors_around_a_write() {
    for power in 9..=12 {
        let (mut disk, fake) = disk(power, 64);
        let mut expected = pattern(64 << power);
        fake.borrow_mut().contents.clone_from(&expected);
        let sectors = disk.sectors();
        assert_eq!(sectors, 64 << (power - 9));
        for (first, count) in [
            (0, 1),
            (7, 1),
            (7, 2),
            (3, 5),
            (8, 8),
            (5, 30),
            (13, 51),
            (0, 64),
        ] {
            let data = vec![(first * 16 + count) as u8; count as usize * SECTOR_LEN];
            disk.write(first, &data).expect("written");
            expected[first as usize * SECTOR_LEN..][..data.len()].copy_from_slice(&data);
            assert_eq!(
                fake.borrow().contents,
                expected,
                "{power}: {count} from {first}"
            );
            let mut back = vec![0; 3 * SECTOR_LEN];
            disk.read(first, &mut back).expect("read");
            assert_eq!(back, expected[first as usize * SECTOR_LEN..][..back.len()]);
        }
        if power == 12 {
            // Across more than one transfer, both ends within a block.
            let data = pattern(200 * SECTOR_LEN);
            disk.write(5, &data).expect("written");
            expected[5 * SECTOR_LEN..][..data.len()].copy_from_slice(&data);
            assert_eq!(fake.borrow().contents, expected);
        }
    }
}

#[test]
fn whole_blocks_are_not_read_before_they_are_written() {
    let (mut disk, fake) = disk(12, 64);
    disk.write(8, &[1; 16 * SECTOR_LEN]).expect("written");
    assert_eq!(fake.borrow().commands, [(io::WRITE, 1, 2)]);
}

#[test]
fn the_longest_transfer_of_the_controller_is_kept() {
    for (power, blocks) in [(1, 16), (2, 32), (4, 128), (60, 128), (255, 128)] {
        let registers = FakeRegisters::new(9, 200);
        registers.0.borrow_mut().of_controller[identity::MDTS] = power;
        let fake = Rc::clone(&registers.0);
        let mut disk = Nvme::new(registers, FakeClock::default()).expect("sound");
        disk.write(0, &pattern(200 * SECTOR_LEN)).expect("written");
        assert_eq!(fake.borrow().commands[0], (io::WRITE, 0, blocks), "{power}");
        assert_eq!(fake.borrow().contents, pattern(200 * SECTOR_LEN));
    }
}

#[test]
fn nothing_of_a_transfer_stays_in_the_bounce_buffer() {
    let (mut disk, _) = disk(9, 100);
    let mut left = [0; SECTOR_LEN];
    disk.write(0, &[0xa5; SECTOR_LEN]).expect("written");
    disk.data.copy_out(0, &mut left);
    assert_eq!(left, [0; SECTOR_LEN]);
    disk.read(0, &mut left).expect("read");
    assert_eq!(left, [0xa5; SECTOR_LEN]);
    disk.data.copy_out(0, &mut left);
    assert_eq!(left, [0; SECTOR_LEN]);
}

#[test]
fn ranges_off_the_disk_and_parts_of_sectors_are_refused_unasked() {
    let (mut disk, fake) = disk(9, 100);
    let mut sector = [0; SECTOR_LEN];
    assert_eq!(disk.read(100, &mut sector), Err(DiskError::OutOfRange));
    assert_eq!(disk.write(u64::MAX, &sector), Err(DiskError::OutOfRange));
    assert_eq!(disk.write(0, &sector[1..]), Err(DiskError::Unaligned));
    assert_eq!(disk.write(100, &[]), Ok(()));
    assert!(fake.borrow().commands.is_empty());
    assert_eq!(disk.read(99, &mut sector), Ok(()));
}

#[test]
fn a_write_protected_namespace_refuses_writes() {
    let registers = FakeRegisters::new(9, 100);
    registers.0.borrow_mut().of_namespace[namespace::NSATTR] = 1;
    let mut disk = Nvme::new(registers, FakeClock::default()).expect("sound");
    assert!(disk.is_read_only());
    assert_eq!(disk.write(0, &[0; SECTOR_LEN]), Err(DiskError::ReadOnly));
}

#[test]
fn without_a_cache_a_flush_is_done_at_once() {
    let registers = FakeRegisters::new(9, 100);
    registers.0.borrow_mut().of_controller[identity::VWC] = 0;
    let fake = Rc::clone(&registers.0);
    let mut disk = Nvme::new(registers, FakeClock::default()).expect("sound");
    assert_eq!(disk.flush(), Ok(()));
    assert!(fake.borrow().commands.is_empty());
}

#[test]
fn a_failed_command_is_tried_again_if_its_status_allows() {
    let last = status::DO_NOT_RETRY;
    let rows = [
        (Fault::Status(0x281, 2), Ok(()), 3),
        (Fault::Status(0x281, 9), Err(DiskError::Device), 3),
        (Fault::Status(0x281 | last, 9), Err(DiskError::Device), 1),
        (Fault::Status(0x020 | last, 9), Err(DiskError::ReadOnly), 1),
        (Fault::Status(0x182 | last, 9), Err(DiskError::ReadOnly), 1),
    ];
    for (fault, result, commands) in rows {
        let (mut disk, fake) = disk(9, 100);
        fake.borrow_mut().fault = fault;
        assert_eq!(disk.write(0, &[1; SECTOR_LEN]), result, "{fault:?}");
        assert_eq!(fake.borrow().commands.len(), commands, "{fault:?}");
        assert_eq!(disk.resets(), 0);
    }
}

#[test]
fn a_late_or_broken_answer_ends_in_a_reset_after_which_the_disk_works() {
    let rows = [
        (Fault::Silent, DiskError::Timeout),
        (Fault::WrongIdentifier, DiskError::Device),
        (Fault::WrongQueue, DiskError::Device),
        (Fault::WrongPlace, DiskError::Device),
        (Fault::Fatal, DiskError::Device),
    ];
    for (fault, error) in rows {
        let (mut disk, fake) = disk(9, 100);
        // An odd number of commands, so that the reset meets the queues in the middle.
        disk.write(3, &[9; SECTOR_LEN]).expect("written");
        fake.borrow_mut().fault = fault;
        assert_eq!(disk.write(0, &[1; SECTOR_LEN]), Err(error), "{fault:?}");
        assert_eq!(disk.resets(), 1);
        fake.borrow_mut().fault = Fault::Nothing;
        if fault == Fault::Silent {
            // Bringing it up again was not answered either.
            assert_eq!(disk.flush(), Err(DiskError::Device));
            continue;
        }
        assert_eq!(fake.borrow().starts, 2);
        disk.write(0, &[2; SECTOR_LEN]).expect("works again");
        assert_eq!(fake.borrow().contents[..SECTOR_LEN], [2; SECTOR_LEN]);
    }
}

#[test]
fn a_controller_that_never_stops_or_is_gone_is_left_alone() {
    for (fault, error) in [
        (Fault::NeverStops, DiskError::Timeout),
        (Fault::Gone, DiskError::Device),
    ] {
        let (mut disk, fake) = disk(9, 100);
        fake.borrow_mut().fault = fault;
        assert_eq!(disk.flush(), Err(error), "{fault:?}");
        let writes = fake.borrow().writes;
        assert_eq!(disk.flush(), Err(DiskError::Device));
        assert_eq!(disk.read(0, &mut [0; SECTOR_LEN]), Err(DiskError::Device));
        assert_eq!(fake.borrow().writes, writes);
    }
}

#[test]
fn controllers_that_cannot_be_used_are_refused_by_reason() {
    let fault = |fault| move |fake: &mut FakeNvme| fake.fault = fault;
    assert_eq!(refusal(fault(Fault::Nothing)), None);
    assert_eq!(refusal(fault(Fault::Gone)), Some(NvmeError::Gone));
    assert_eq!(refusal(fault(Fault::NeverReady)), Some(NvmeError::NotReady));
    assert_eq!(refusal(fault(Fault::Silent)), Some(NvmeError::Command));
    let none = refusal(|fake| fake.namespace = 0);
    assert_eq!(none, Some(NvmeError::NoNamespace));
    // Pages of 8 KiB at least; no NVM command set.
    for high in [1 << 5 | 1 << 16, 0] {
        let refused = refusal(|fake| fake.capabilities[1] = high);
        assert_eq!(refused, Some(NvmeError::Unsupported));
    }
}

#[test]
fn formats_that_cannot_be_used_are_refused() {
    let format = namespace::LBAF + 8;
    // Blocks of 256 bytes, 8 KiB, 2^255 bytes; metadata; more sectors than can be counted.
    for (place, value) in [
        (format + 2, 8),
        (format + 2, 13),
        (format + 2, 255),
        (format, 8),
    ] {
        let refused = refusal(|fake| fake.of_namespace[place] = value);
        assert_eq!(refused, Some(NvmeError::Unsupported), "{place} {value}");
    }
    let refused = refusal(|fake| {
        fake.of_namespace[namespace::NSZE..][..8].fill(0xff);
        fake.of_namespace[format + 2] = 12;
    });
    assert_eq!(refused, Some(NvmeError::Unsupported));
}

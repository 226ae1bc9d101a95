//! An NVMe controller in memory that misbehaves on demand.

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::controller::Registers;
use super::regs::{
    COMMAND_LEN, COMPLETION_LEN, CSTS_FATAL, CSTS_READY, GONE, PAGE, admin, controller, io,
    namespace, register,
};

/// What the controller does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Nothing,
    /// Commands are not answered.
    Silent,
    /// A completion names another command.
    WrongIdentifier,
    /// A completion names another queue.
    WrongQueue,
    /// A completion names a place in the queue that was not reached.
    WrongPlace,
    /// The next I/O command ends in a fatal error.
    Fatal,
    /// Every register reads as all ones.
    Gone,
    /// The next so many I/O commands fail with a status (as in a completion, without phase).
    Status(u16, u32),
    /// Never becomes ready.
    NeverReady,
    /// Commands are not answered and the controller never stops.
    NeverStops,
}

#[derive(Clone, Copy, Debug, Default)]
struct FakeQueue {
    submissions: u64,
    completions: u64,
    head: u16,
    tail: u16,
    round: u16,
}

#[derive(Debug)]
pub(crate) struct FakeNvme {
    pub(crate) fault: Fault,
    /// Capabilities, both halves.
    pub(crate) capabilities: [u32; 2],
    pub(crate) block_len: usize,
    pub(crate) contents: Vec<u8>,
    pub(crate) of_controller: Vec<u8>,
    pub(crate) of_namespace: Vec<u8>,
    pub(crate) namespace: u32,
    /// I/O commands: opcode, first block, blocks.
    pub(crate) commands: Vec<(u8, u64, usize)>,
    pub(crate) starts: u32,
    pub(crate) writes: u32,
    status: u32,
    words: [u32; 0x40 / 4],
    queues: [FakeQueue; 2],
}

/// The registers of a [`FakeNvme`].
#[derive(Clone, Debug)]
pub(crate) struct FakeRegisters(pub(crate) Rc<RefCell<FakeNvme>>);

impl FakeRegisters {
    /// A disk of `blocks` blocks of `1 << power` bytes.
    pub(crate) fn new(power: u8, blocks: u64) -> Self {
        let mut of_controller = vec![0; PAGE];
        of_controller[controller::MODEL..][..controller::MODEL_LEN].fill(b' ');
        of_controller[controller::MODEL..][..10].copy_from_slice(b"FAKE \x07DISK");
        of_controller[controller::VWC] = 1;
        let mut of_namespace = vec![0; PAGE];
        of_namespace[namespace::NSZE..][..8].copy_from_slice(&blocks.to_le_bytes());
        // The third format is in use; the others are not to be looked at.
        of_namespace[namespace::FLBAS] = 0x12;
        of_namespace[namespace::LBAF + 8 + 2] = power;
        let block_len = 1 << power;
        Self(Rc::new(RefCell::new(FakeNvme {
            fault: Fault::Nothing,
            // Two entries a queue, ready within 2 s; the NVM command set, stride 8.
            capabilities: [4 << 24 | 1, 1 << 5 | 1],
            block_len,
            contents: vec![0; block_len * blocks.min(4096) as usize],
            of_controller,
            of_namespace,
            namespace: 7,
            commands: Vec::new(),
            starts: 0,
            writes: 0,
            status: 0,
            words: [0; 0x40 / 4],
            queues: [FakeQueue::default(); 2],
        })))
    }
}

impl Registers for FakeRegisters {
    fn read(&mut self, offset: usize) -> u32 {
        let fake = self.0.borrow();
        match offset {
            _ if fake.fault == Fault::Gone => GONE,
            register::CAP => fake.capabilities[0],
            0x04 => fake.capabilities[1],
            register::CSTS => fake.status,
            _ => fake.words[offset / 4],
        }
    }

    fn write(&mut self, offset: usize, value: u32) {
        let mut fake = self.0.borrow_mut();
        fake.writes += 1;
        match offset {
            register::CC => fake.configure(value),
            register::DOORBELLS.. => {
                let index = (offset - register::DOORBELLS) / 8;
                if index.is_multiple_of(2) {
                    fake.ring(index / 2, value as u16);
                }
            }
            _ => fake.words[offset / 4] = value,
        }
    }
}

impl FakeNvme {
    fn configure(&mut self, value: u32) {
        if value & 1 == 0 {
            if self.fault != Fault::NeverStops {
                self.status = 0;
            }
            return;
        }
        assert_eq!(self.words[register::AQA / 4], 1 << 16 | 1);
        let address =
            |low: usize| u64::from(self.words[low / 4]) | u64::from(self.words[low / 4 + 1]) << 32;
        self.queues = [FakeQueue::default(); 2];
        self.queues[0].submissions = address(register::ASQ);
        self.queues[0].completions = address(register::ACQ);
        if self.fault != Fault::NeverReady {
            self.status = CSTS_READY;
            self.starts += 1;
        }
    }

    fn ring(&mut self, queue: usize, tail: u16) {
        assert!(tail < 2 && self.status == CSTS_READY);
        self.queues[queue].tail = tail;
        if matches!(self.fault, Fault::Silent | Fault::NeverStops | Fault::Gone) {
            return;
        }
        while self.queues[queue].head != tail {
            let entry = usize::from(self.queues[queue].head) * COMMAND_LEN;
            let mut command = [0; COMMAND_LEN];
            get(self.queues[queue].submissions + entry as u64, &mut command);
            self.queues[queue].head = (self.queues[queue].head + 1) % 2;
            let status = if queue == 0 {
                self.administer(&command)
            } else {
                self.serve(&command)
            };
            if self.status & CSTS_FATAL == 0 {
                self.complete(queue, command[2..4].try_into().expect("two bytes"), status);
            }
        }
    }

    fn complete(&mut self, queue: usize, identifier: [u8; 2], status: u16) {
        let is_io = queue == 1;
        let mut entry = [0; COMPLETION_LEN];
        let place = &mut self.queues[queue];
        let (mut head, mut number) = (place.head, queue as u16);
        let mut identifier = u16::from_le_bytes(identifier);
        match self.fault {
            Fault::WrongIdentifier if is_io => identifier ^= 0x100,
            Fault::WrongQueue if is_io => number = 0,
            Fault::WrongPlace if is_io => head = 0x55,
            _ => {}
        }
        let phase = u16::from((place.round / 2).is_multiple_of(2));
        entry[8..10].copy_from_slice(&head.to_le_bytes());
        entry[10..12].copy_from_slice(&number.to_le_bytes());
        entry[12..14].copy_from_slice(&identifier.to_le_bytes());
        entry[14..16].copy_from_slice(&(status << 1 | phase).to_le_bytes());
        let slot = u64::from(place.round % 2) * COMPLETION_LEN as u64;
        put(place.completions + slot, &entry);
        place.round += 1;
    }

    fn administer(&mut self, command: &[u8; COMMAND_LEN]) -> u16 {
        let address = quad(command, 24);
        match command[0] {
            admin::IDENTIFY => match word(command, 40) {
                admin::OF_CONTROLLER => put(address, &self.of_controller),
                admin::ACTIVE_NAMESPACES => put(address, &self.namespace.to_le_bytes()),
                _ => {
                    assert_eq!(word(command, 4), self.namespace);
                    put(address, &self.of_namespace);
                }
            },
            admin::CREATE_COMPLETION_QUEUE => {
                assert_eq!((word(command, 40), word(command, 44)), (1 << 16 | 1, 1));
                self.queues[1].completions = address;
            }
            admin::CREATE_SUBMISSION_QUEUE => {
                assert_eq!(word(command, 40), 1 << 16 | 1);
                assert_eq!(word(command, 44), 1 << 16 | 1);
                assert_ne!(self.queues[1].completions, 0);
                self.queues[1].submissions = address;
            }
            admin::SET_FEATURES => {}
            _ => return 1,
        }
        0
    }

    fn serve(&mut self, command: &[u8; COMMAND_LEN]) -> u16 {
        assert_eq!(word(command, 4), self.namespace);
        let first = quad(command, 40);
        let blocks = usize::from(word(command, 48) as u16) + 1;
        self.commands.push((command[0], first, blocks));
        match self.fault {
            Fault::Fatal => {
                self.status |= CSTS_FATAL;
                return 0;
            }
            Fault::Status(code, left) if left > 0 => {
                self.fault = Fault::Status(code, left - 1);
                return code;
            }
            _ => {}
        }
        if command[0] == io::FLUSH {
            return 0;
        }
        let start = first as usize * self.block_len;
        let len = blocks * self.block_len;
        let pages = pages(quad(command, 24), quad(command, 32), len);
        let part = &mut self.contents[start..start + len];
        for (page, bytes) in pages.into_iter().zip(part.chunks_mut(PAGE)) {
            match command[0] {
                io::READ => put(page, bytes),
                _ => get(page, bytes),
            }
        }
        0
    }
}

/// Where the pages of a transfer of `len` bytes are, by the two entries of its command.
fn pages(first: u64, second: u64, len: usize) -> Vec<u64> {
    assert!(first.is_multiple_of(4) && second.is_multiple_of(8));
    assert!(
        (first as usize % PAGE) + len.min(PAGE) <= PAGE,
        "the first page holds its part"
    );
    let mut pages = vec![first];
    match len.div_ceil(PAGE) {
        0 | 1 => {}
        2 => pages.push(second),
        count => {
            for index in 0..count - 1 {
                let mut entry = [0; 8];
                get(second + index as u64 * 8, &mut entry);
                pages.push(u64::from_le_bytes(entry));
            }
        }
    }
    pages
}

fn word(command: &[u8; COMMAND_LEN], at: usize) -> u32 {
    u32::from_le_bytes(command[at..at + 4].try_into().expect("four bytes"))
}

fn quad(command: &[u8; COMMAND_LEN], at: usize) -> u64 {
    u64::from_le_bytes(command[at..at + 8].try_into().expect("eight bytes"))
}

fn get(address: u64, bytes: &mut [u8]) {
    // SAFETY: the address is one that the driver gave for this length, in memory it never frees;
    // one thread runs both.
    unsafe { core::ptr::copy(address as *const u8, bytes.as_mut_ptr(), bytes.len()) }
}

fn put(address: u64, bytes: &[u8]) {
    // SAFETY: as in `get`.
    unsafe { core::ptr::copy(bytes.as_ptr(), address as *mut u8, bytes.len()) }
}

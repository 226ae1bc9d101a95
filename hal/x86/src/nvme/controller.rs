//! An NVMe controller: reset, its two pairs of queues, one polled command at a time.
//!
//! A command that is late, or answered wrongly, is followed by a reset, because only then is the
//! memory free again; if the reset fails too, the controller is dead and is never spoken to again.
//!
//! Source: NVM Express 1.4 §7.6.1 (initialisation), §9.5 (fatal status).

use core::time::Duration;

use hal::time::Monotonic;

use super::NvmeError;
use super::queue::{Command, ENTRIES, QueuePair};
use super::regs::{CC_ENABLED, CSTS_FATAL, CSTS_READY, GONE, PAGE, admin, register, status};
use crate::dma::DmaMemory;
use crate::mmio::Mmio;

/// The longest wait for the controller to become ready or to stop, whatever longer it asks for.
const READY_MAX: Duration = Duration::from_secs(15);
/// How long an admin command may take.
const ADMIN_DEADLINE: Duration = Duration::from_secs(5);
/// Looks at the completion queue between two looks at the status register, which costs an emulated
/// machine an exit.
const LOOKS_PER_STATUS: u32 = 64;
/// Times a command is given that fails with a status that allows another try.
const TRIES: u32 = 3;

// Places in the queue memory, a page each.
const ADMIN_SUBMISSIONS: usize = 0;
const ADMIN_COMPLETIONS: usize = PAGE;
const IO_SUBMISSIONS: usize = 2 * PAGE;
const IO_COMPLETIONS: usize = 3 * PAGE;
const QUEUE_MEMORY_LEN: usize = 4 * PAGE;

const ADMIN_QUEUE: u16 = 0;
const IO_QUEUE: u16 = 1;

/// The registers of a controller.
pub trait Registers {
    /// Reads 32 bits at a byte offset; all ones where nothing answers.
    fn read(&mut self, offset: usize) -> u32;
    /// Writes 32 bits at a byte offset.
    fn write(&mut self, offset: usize, value: u32);
}

impl Registers for Mmio {
    fn read(&mut self, offset: usize) -> u32 {
        self.read32(offset)
    }

    fn write(&mut self, offset: usize, value: u32) {
        self.write32(offset, value);
    }
}

/// What a controller says it can do (§3.1.1).
#[derive(Clone, Copy, Debug)]
pub(super) struct Capabilities {
    /// Bytes from one doorbell to the next.
    pub(super) doorbell_stride: usize,
    /// Longest time to become ready.
    ready: Duration,
}

impl Capabilities {
    /// Reads them.
    ///
    /// # Errors
    /// [`NvmeError::Unsupported`] without pages of 4 KiB or the NVM command set.
    pub(super) fn read(registers: &mut impl Registers) -> Result<Self, NvmeError> {
        let low = registers.read(register::CAP);
        let high = registers.read(register::CAP + 4);
        if (low, high) == (GONE, GONE) {
            return Err(NvmeError::Gone);
        }
        let smallest_page = high >> 16 & 0xf;
        let has_nvm_commands = high >> 5 & 1 != 0;
        if smallest_page != 0 || !has_nvm_commands {
            return Err(NvmeError::Unsupported);
        }
        let ready = Duration::from_millis(500) * (low >> 24).max(1);
        Ok(Self {
            doorbell_stride: 4 << (high & 0xf),
            ready: ready.min(READY_MAX),
        })
    }
}

/// Why a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CommandError {
    /// No answer in time; the controller has been reset.
    Timeout,
    /// The controller broke the protocol, failed fatally or is dead.
    Device,
    /// It refused, with this status.
    Status(u16),
}

/// A controller with its queues.
#[derive(Debug)]
pub(super) struct Controller<R, C> {
    registers: R,
    clock: C,
    capabilities: Capabilities,
    queues: DmaMemory,
    admin: QueuePair,
    io: QueuePair,
    is_dead: bool,
    resets: u64,
}

impl<R: Registers, C: Monotonic> Controller<R, C> {
    /// Resets the controller and starts its queues.
    ///
    /// # Errors
    /// [`NvmeError`].
    pub(super) fn new(mut registers: R, clock: C) -> Result<Self, NvmeError> {
        let capabilities = Capabilities::read(&mut registers)?;
        let queues = DmaMemory::claim(QUEUE_MEMORY_LEN).ok_or(NvmeError::OutOfMemory)?;
        let mut controller = Self {
            registers,
            clock,
            capabilities,
            queues,
            admin: QueuePair::new(ADMIN_QUEUE, ADMIN_SUBMISSIONS, ADMIN_COMPLETIONS),
            io: QueuePair::new(IO_QUEUE, IO_SUBMISSIONS, IO_COMPLETIONS),
            is_dead: false,
            resets: 0,
        };
        controller.start()?;
        Ok(controller)
    }

    /// Times the controller was reset because it was late or broke the protocol.
    pub(super) fn resets(&self) -> u64 {
        self.resets
    }

    /// Carries out an admin command.
    ///
    /// # Errors
    /// [`CommandError`].
    pub(super) fn admin(&mut self, command: &Command) -> Result<(), CommandError> {
        if self.is_dead {
            return Err(CommandError::Device);
        }
        let result = self.attempt(ADMIN_QUEUE, command, ADMIN_DEADLINE);
        self.recover_from(result)
    }

    /// Carries out an I/O command, again if it fails with a status that allows that.
    ///
    /// # Errors
    /// [`CommandError`].
    pub(super) fn io(&mut self, command: &Command, deadline: Duration) -> Result<(), CommandError> {
        for _ in 1..TRIES {
            match self.io_once(command, deadline) {
                Err(CommandError::Status(code)) if code & status::DO_NOT_RETRY == 0 => {}
                result => return result,
            }
        }
        self.io_once(command, deadline)
    }

    fn io_once(&mut self, command: &Command, deadline: Duration) -> Result<(), CommandError> {
        if self.is_dead {
            return Err(CommandError::Device);
        }
        let result = self.attempt(IO_QUEUE, command, deadline);
        self.recover_from(result)
    }

    fn recover_from(&mut self, result: Result<(), CommandError>) -> Result<(), CommandError> {
        if let Err(CommandError::Timeout | CommandError::Device) = result {
            self.resets += 1;
            self.is_dead = self.start().is_err();
        }
        result
    }

    /// Resets, and sets up both pairs of queues.
    fn start(&mut self) -> Result<(), NvmeError> {
        self.registers.write(register::CC, 0);
        self.wait_for_ready(false)?;
        // The controller has stopped, so the memory is ours alone.
        self.queues.clear();
        self.admin.restart();
        self.io.restart();
        let size = u32::from(ENTRIES - 1);
        self.registers.write(register::AQA, size << 16 | size);
        self.write_address(register::ASQ, ADMIN_SUBMISSIONS);
        self.write_address(register::ACQ, ADMIN_COMPLETIONS);
        self.registers.write(register::CC, CC_ENABLED);
        self.wait_for_ready(true)?;
        self.create_io_queues().map_err(NvmeError::of)
    }

    fn create_io_queues(&mut self) -> Result<(), CommandError> {
        const CONTIGUOUS: u32 = 1;
        let size_and_number = u32::from(ENTRIES - 1) << 16 | u32::from(IO_QUEUE);
        let base = self.queues.address();
        let commands = [
            Command {
                opcode: admin::SET_FEATURES,
                // One of each kind, counted from 0.
                words: [admin::NUMBER_OF_QUEUES, 0, 0],
                ..Command::default()
            },
            Command {
                opcode: admin::CREATE_COMPLETION_QUEUE,
                prp: [base + IO_COMPLETIONS as u64, 0],
                words: [size_and_number, CONTIGUOUS, 0],
                ..Command::default()
            },
            Command {
                opcode: admin::CREATE_SUBMISSION_QUEUE,
                prp: [base + IO_SUBMISSIONS as u64, 0],
                words: [size_and_number, u32::from(IO_QUEUE) << 16 | CONTIGUOUS, 0],
                ..Command::default()
            },
        ];
        commands
            .iter()
            .try_for_each(|command| self.attempt(ADMIN_QUEUE, command, ADMIN_DEADLINE))
    }

    /// Gives one command and waits for its completion, without putting anything right.
    fn attempt(
        &mut self,
        queue: u16,
        command: &Command,
        deadline: Duration,
    ) -> Result<(), CommandError> {
        let pair = match queue {
            ADMIN_QUEUE => &mut self.admin,
            _ => &mut self.io,
        };
        let doorbell = |is_completion: bool| {
            let index = 2 * usize::from(queue) + usize::from(is_completion);
            register::DOORBELLS + index * self.capabilities.doorbell_stride
        };
        let tail = pair.submit(&mut self.queues, command);
        self.registers.write(doorbell(false), tail);
        let give_up = self.clock.now() + deadline;
        let mut looks = 0_u32;
        loop {
            match pair.poll(&self.queues) {
                Ok(Some((code, head))) => {
                    self.registers.write(doorbell(true), head);
                    return match code & status::CODE {
                        0 => Ok(()),
                        _ => Err(CommandError::Status(code)),
                    };
                }
                Ok(None) => {}
                Err(_) => return Err(CommandError::Device),
            }
            if looks.is_multiple_of(LOOKS_PER_STATUS)
                && self.registers.read(register::CSTS) & CSTS_FATAL != 0
            {
                // All ones, of a controller that is gone, have the bit too.
                return Err(CommandError::Device);
            }
            if self.clock.now() >= give_up {
                return Err(CommandError::Timeout);
            }
            looks = looks.wrapping_add(1);
            core::hint::spin_loop();
        }
    }

    fn wait_for_ready(&mut self, is_wanted: bool) -> Result<(), NvmeError> {
        let give_up = self.clock.now() + self.capabilities.ready;
        loop {
            let now = self.registers.read(register::CSTS);
            if now == GONE {
                return Err(NvmeError::Gone);
            }
            if is_wanted && now & CSTS_FATAL != 0 {
                return Err(NvmeError::Fatal);
            }
            if (now & CSTS_READY != 0) == is_wanted {
                return Ok(());
            }
            if self.clock.now() >= give_up {
                return Err(NvmeError::NotReady);
            }
            core::hint::spin_loop();
        }
    }

    fn write_address(&mut self, offset: usize, place: usize) {
        let address = self.queues.address() + place as u64;
        self.registers.write(offset, address as u32);
        self.registers.write(offset + 4, (address >> 32) as u32);
    }
}

//! NVMe disks: sectors through an own bounce buffer, one command at a time.
//!
//! As with virtio-blk, storage is a few kilobytes now and then, so a copy and a polled wait are
//! cheaper than interrupts and queues that would avoid them. Every wait ends at a deadline.
//!
//! | Module | Holds |
//! | --- | --- |
//! | here | the disk: the first active namespace of a controller |
//! | `controller` | reset, start and the wait for a command |
//! | `queue` | a pair of queues in memory; knows no registers |
//! | `regs` | layouts |
//! | `fake` | a controller that misbehaves on demand, for tests |
//!
//! Blocks longer than a sector (4096 bytes are common) are read, changed and written whole. A block
//! is written whole or not at all over a power cut (§6.4.2.1: at least one block), so a sector is
//! still old or new, and its neighbours in the block keep what they hold.
//!
//! Source: NVM Express base specification 1.4.

mod controller;
mod queue;
mod regs;

use alloc::boxed::Box;
use core::time::Duration;

use hal::disk::{Disk, DiskError, SECTOR_LEN, check_range};
use hal::time::Monotonic;

use self::controller::{Capabilities, CommandError, Controller};
use self::queue::Command;
use self::regs::{PAGE, admin, controller as identity, io, namespace, register, status};
use crate::dma::DmaMemory;
use crate::pci::{BarError, ConfigSpace, Function, Machine};

pub use self::controller::Registers;

/// How long a read or write may take. A disk that retries a bad sector takes seconds.
pub const TRANSFER_DEADLINE: Duration = Duration::from_secs(10);
/// How long a flush may take.
pub const FLUSH_DEADLINE: Duration = Duration::from_secs(30);

/// Bytes moved by one command.
const BOUNCE_LEN: usize = 64 * 1024;
/// The list of pages that a long transfer needs lies behind the bounce buffer.
const PAGE_LIST: usize = BOUNCE_LEN;

// PCI class of a controller that speaks NVMe. The programming interface (02) is not in `Function`;
// a controller of another one is refused by its capabilities.
const CLASS_STORAGE: u8 = 0x01;
const SUBCLASS_NVM: u8 = 0x08;

/// Why a controller cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NvmeError {
    /// Its registers cannot be reached.
    Bar(BarError),
    /// Nothing answers.
    Gone,
    /// It does not offer 4 KiB pages or the NVM command set, or its blocks are not 512 to 4096 bytes
    /// without metadata.
    Unsupported,
    /// It did not become ready, or did not stop, in time.
    NotReady,
    /// It reports a fatal error.
    Fatal,
    /// A command failed that brings it up.
    Command,
    /// It has no namespace.
    NoNamespace,
    /// The heap cannot give the queues.
    OutOfMemory,
}

impl NvmeError {
    fn of(_: CommandError) -> Self {
        Self::Command
    }
}

/// Makes a driver for `function`; `None` if it is no NVMe controller.
pub fn open<C: Monotonic + 'static>(
    function: &Function,
    config: &mut impl ConfigSpace,
    machine: &mut impl Machine,
    clock: C,
) -> Option<Result<Box<dyn Disk>, NvmeError>> {
    if (function.class, function.subclass) != (CLASS_STORAGE, SUBCLASS_NVM) {
        return None;
    }
    Some(open_controller(function, config, machine, clock))
}

fn open_controller<C: Monotonic + 'static>(
    function: &Function,
    config: &mut impl ConfigSpace,
    machine: &mut impl Machine,
    clock: C,
) -> Result<Box<dyn Disk>, NvmeError> {
    let bars = function.bars(config);
    function.enable(config);
    let head = register::DOORBELLS as u64;
    let mut registers = bars.map_part(machine, 0, 0, head).map_err(NvmeError::Bar)?;
    // Two doorbells of each pair of queues.
    let stride = Capabilities::read(&mut registers)?.doorbell_stride as u64;
    let registers = bars
        .map_part(machine, 0, 0, head + 4 * stride)
        .map_err(NvmeError::Bar)?;
    Ok(Box::new(Nvme::new(registers, clock)?))
}

/// The first namespace of a controller behind `R`, with `C` to time its commands.
#[derive(Debug)]
pub struct Nvme<R, C> {
    controller: Controller<R, C>,
    data: DmaMemory,
    namespace: u32,
    block_len: usize,
    sectors: u64,
    transfer_max: usize,
    has_cache: bool,
    is_read_only: bool,
    model: heapless::String<{ identity::MODEL_LEN }>,
}

impl<R: Registers, C: Monotonic> Nvme<R, C> {
    /// Brings the controller and its first active namespace up.
    ///
    /// # Errors
    /// [`NvmeError`].
    pub fn new(registers: R, clock: C) -> Result<Self, NvmeError> {
        let controller = Controller::new(registers, clock)?;
        let mut data = DmaMemory::claim(BOUNCE_LEN + PAGE).ok_or(NvmeError::OutOfMemory)?;
        write_page_list(&mut data);
        let mut disk = Self {
            controller,
            data,
            namespace: 0,
            block_len: SECTOR_LEN,
            sectors: 0,
            transfer_max: BOUNCE_LEN,
            has_cache: true,
            is_read_only: false,
            model: heapless::String::new(),
        };
        disk.identify_controller()?;
        disk.identify_namespace()?;
        disk.wipe();
        Ok(disk)
    }

    /// What the maker calls it, printable ASCII.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Whether the namespace is write protected.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    /// Times the controller was reset because it was late or broke the protocol.
    #[must_use]
    pub fn resets(&self) -> u64 {
        self.controller.resets()
    }

    fn identify(&mut self, what: u32, namespace: u32) -> Result<(), NvmeError> {
        let command = Command {
            opcode: admin::IDENTIFY,
            namespace,
            prp: [self.data.address(), 0],
            words: [what, 0, 0],
        };
        self.controller.admin(&command).map_err(NvmeError::of)
    }

    fn identify_controller(&mut self) -> Result<(), NvmeError> {
        self.identify(admin::OF_CONTROLLER, 0)?;
        let mut model = [0; identity::MODEL_LEN];
        self.data.copy_out(identity::MODEL, &mut model);
        for byte in model.trim_ascii() {
            let shown = if byte.is_ascii_graphic() || *byte == b' ' {
                char::from(*byte)
            } else {
                '?'
            };
            // Cannot fail: an ASCII character for each of as many bytes as fit.
            let _ = self.model.push(shown);
        }
        // The smallest page is 4 KiB, or the controller would have been refused.
        self.transfer_max = match self.data.read::<u8>(identity::MDTS) {
            0 => BOUNCE_LEN,
            power => PAGE
                .checked_shl(u32::from(power))
                .filter(|len| (1..BOUNCE_LEN).contains(len))
                .unwrap_or(BOUNCE_LEN),
        };
        self.has_cache = self.data.read::<u8>(identity::VWC) & 1 != 0;
        Ok(())
    }

    fn identify_namespace(&mut self) -> Result<(), NvmeError> {
        self.identify(admin::ACTIVE_NAMESPACES, 0)?;
        self.namespace = u32::from_le(self.data.read(0));
        if self.namespace == 0 {
            return Err(NvmeError::NoNamespace);
        }
        self.identify(admin::OF_NAMESPACE, self.namespace)?;
        let blocks = u64::from_le(self.data.read(namespace::NSZE));
        let format = usize::from(self.data.read::<u8>(namespace::FLBAS) & 0xf);
        let format = u32::from_le(self.data.read(namespace::LBAF + 4 * format));
        let (metadata, power) = (format as u16, format >> 16 & 0xff);
        if metadata != 0 || !(9..=12).contains(&power) {
            return Err(NvmeError::Unsupported);
        }
        self.block_len = 1 << power;
        let sectors_per_block = (self.block_len / SECTOR_LEN) as u64;
        self.sectors = blocks
            .checked_mul(sectors_per_block)
            .ok_or(NvmeError::Unsupported)?;
        self.is_read_only = self.data.read::<u8>(namespace::NSATTR) & 1 != 0;
        Ok(())
    }

    /// How much of `left` bytes from sector `first` on one transfer moves.
    fn part(&self, first: u64, left: usize) -> Part {
        let sectors_per_block = (self.block_len / SECTOR_LEN) as u64;
        let lead = (first % sectors_per_block) as usize * SECTOR_LEN;
        let len = left.min(self.transfer_max - lead);
        Part {
            block: first / sectors_per_block,
            lead,
            len,
            span: (lead + len).next_multiple_of(self.block_len),
        }
    }

    fn read_parts(&mut self, mut first: u64, mut data: &mut [u8]) -> Result<(), DiskError> {
        while !data.is_empty() {
            let part = self.part(first, data.len());
            self.transfer(io::READ, part.block, 0, part.span)?;
            let (now, later) = data.split_at_mut(part.len);
            self.data.copy_out(part.lead, now);
            data = later;
            first += (part.len / SECTOR_LEN) as u64;
        }
        Ok(())
    }

    fn write_parts(&mut self, mut first: u64, mut data: &[u8]) -> Result<(), DiskError> {
        while !data.is_empty() {
            let part = self.part(first, data.len());
            self.fetch_edges(&part)?;
            let (now, later) = data.split_at(part.len);
            self.data.copy_in(part.lead, now);
            self.transfer(io::WRITE, part.block, 0, part.span)?;
            data = later;
            first += (part.len / SECTOR_LEN) as u64;
        }
        Ok(())
    }

    /// Reads the blocks of which a write changes only a part.
    fn fetch_edges(&mut self, part: &Part) -> Result<(), DiskError> {
        let last = part.span - self.block_len;
        let is_tail_partial = part.lead + part.len < part.span;
        if part.lead > 0 || (is_tail_partial && last == 0) {
            self.transfer(io::READ, part.block, 0, self.block_len)?;
        }
        if is_tail_partial && last > 0 {
            let block = part.block + (last / self.block_len) as u64;
            self.transfer(io::READ, block, last, self.block_len)?;
        }
        Ok(())
    }

    /// Moves whole blocks from or to byte `place` of the bounce buffer. `place` is either 0 or a
    /// block that fits into one page.
    fn transfer(
        &mut self,
        opcode: u8,
        block: u64,
        place: usize,
        len: usize,
    ) -> Result<(), DiskError> {
        let base = self.data.address();
        let second = match len {
            0..=PAGE => 0,
            _ if len <= 2 * PAGE => base + PAGE as u64,
            _ => base + PAGE_LIST as u64,
        };
        let command = Command {
            opcode,
            namespace: self.namespace,
            prp: [base + place as u64, second],
            // Counted from 0; a transfer has at least one block.
            words: [
                block as u32,
                (block >> 32) as u32,
                (len / self.block_len - 1) as u32,
            ],
        };
        self.carry_out(&command, TRANSFER_DEADLINE)
    }

    fn carry_out(&mut self, command: &Command, deadline: Duration) -> Result<(), DiskError> {
        self.controller
            .io(command, deadline)
            .map_err(|error| match error {
                CommandError::Timeout => DiskError::Timeout,
                CommandError::Device => DiskError::Device,
                CommandError::Status(code) => match code & status::CODE {
                    status::WRITE_PROTECTED | status::READ_ONLY_RANGE => DiskError::ReadOnly,
                    _ => DiskError::Device,
                },
            })
    }

    /// Forgets what passed through, which may be a private key. A controller that could not be
    /// stopped may still write here, which harms nothing: it is never read again.
    fn wipe(&mut self) {
        self.data.clear();
        write_page_list(&mut self.data);
    }
}

/// One transfer of a longer one.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// The first block.
    block: u64,
    /// Bytes of it before the sectors that are meant.
    lead: usize,
    /// Bytes that are meant.
    len: usize,
    /// Bytes of all blocks.
    span: usize,
}

/// Lists the pages of the bounce buffer after the first (§4.3).
fn write_page_list(data: &mut DmaMemory) {
    let base = data.address();
    for page in 1..BOUNCE_LEN / PAGE {
        let address = base + (page * PAGE) as u64;
        data.write(PAGE_LIST + (page - 1) * 8, address.to_le());
    }
}

impl<R: Registers, C: Monotonic> Disk for Nvme<R, C> {
    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), DiskError> {
        check_range(self.sectors, first, data.len())?;
        let result = self.read_parts(first, data);
        self.wipe();
        result
    }

    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), DiskError> {
        check_range(self.sectors, first, data.len())?;
        if self.is_read_only {
            return Err(DiskError::ReadOnly);
        }
        let result = self.write_parts(first, data);
        self.wipe();
        result
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        // Without a volatile cache everything written is on the medium (§5.15.2.2, VWC).
        if !self.has_cache {
            return Ok(());
        }
        let command = Command {
            opcode: io::FLUSH,
            namespace: self.namespace,
            ..Command::default()
        };
        self.carry_out(&command, FLUSH_DEADLINE)
    }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

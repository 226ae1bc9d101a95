//! The disk that the loader was started from, by the extended functions of INT 13h.
//!
//! Source: Enhanced Disk Drive Specification 3.0.

use slots::{BlockDevice, BlockError, SECTOR};

use crate::real::{self, CARRY, Registers};

/// Physical address of the buffer that the BIOS reads into (see `link.ld`).
const BUFFER: usize = 0x7_0000;
/// Bytes of one transfer: a whole number of blocks of any size, and few enough for every BIOS (some
/// take 127 sectors at most).
const TRANSFER: usize = 32 << 10;
/// Largest block: that of a CD is 2048 bytes.
const BLOCK_MAX: usize = 4096;
/// How often a failing transfer is tried: drives that have just started fail at first.
const TRIES: u32 = 3;

const READ: u32 = 0x4200;
const WRITE: u32 = 0x4300;
const PARAMETERS: u32 = 0x4800;

/// The disk.
pub(crate) struct BiosDisk {
    drive: u8,
    /// Bytes of a block.
    block: usize,
    sectors: u64,
}

impl BiosDisk {
    /// Asks the BIOS about `drive`.
    ///
    /// # Errors
    /// [`BlockError::Device`] if it knows no such disk, or one whose blocks are no multiple of a sector.
    pub(crate) fn open(drive: u8) -> Result<Self, BlockError> {
        // Length of the table that is asked for; sectors at 16, bytes of a block at 24 (EDD 3.0 §8.11).
        let mut table = [0; 30];
        table[0] = 30;
        function(PARAMETERS, drive, &mut table)?;
        let [.., a, b, c, d, e, f, g, h, low, high, _, _, _, _] = table;
        let block = usize::from(u16::from_le_bytes([low, high]));
        if !block.is_multiple_of(SECTOR) || block == 0 || block > BLOCK_MAX {
            return Err(BlockError::Device(0));
        }
        let blocks = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        // Some say 0 or all ones for a CD whose length they do not know.
        let blocks = if blocks == 0 { u64::MAX } else { blocks };
        Ok(Self {
            drive,
            block,
            sectors: blocks.saturating_mul((block / SECTOR) as u64),
        })
    }

    /// Moves `bytes`, whole blocks, between the disk and the buffer.
    fn transfer(&self, operation: u32, first: u64, bytes: usize) -> Result<(), BlockError> {
        let mut result = Ok(());
        for _ in 0..TRIES {
            // Disk address packet: 16 bytes, blocks, offset and segment of the buffer, first block.
            let mut packet = [0; 30];
            packet[0] = 16;
            packet[2..4].copy_from_slice(&((bytes / self.block) as u16).to_le_bytes());
            packet[6..8].copy_from_slice(&((BUFFER >> 4) as u16).to_le_bytes());
            packet[8..16].copy_from_slice(&first.to_le_bytes());
            result = function(operation, self.drive, &mut packet);
            if result.is_ok() {
                break;
            }
        }
        result
    }
}

/// Calls INT 13h with `table` in reach; it is what the BIOS made of it afterwards.
fn function(function: u32, drive: u8, table: &mut [u8; 30]) -> Result<(), BlockError> {
    let (area, offset) = real::scratch_area();
    // SAFETY: the area has 32 bytes and is used only here.
    unsafe { area.copy_from_nonoverlapping(table.as_ptr(), table.len()) };
    let registers = Registers {
        eax: function,
        edx: drive.into(),
        esi: offset,
        ..Registers::default()
    };
    // SAFETY: the function fills the area or the buffer, which nothing refers to meanwhile.
    let answer = unsafe { real::call(0x13, registers) };
    // SAFETY: as above.
    unsafe {
        table
            .as_mut_ptr()
            .copy_from_nonoverlapping(area, table.len())
    };
    if answer.flags & CARRY == 0 {
        Ok(())
    } else {
        Err(BlockError::Device(u64::from(answer.eax >> 8 & 0xff)))
    }
}

impl BlockDevice for BiosDisk {
    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn is_writable(&self) -> bool {
        // CDs are the only media with larger blocks that a BIOS starts from.
        self.block == SECTOR
    }

    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), BlockError> {
        let per_block = (self.block / SECTOR) as u64;
        let wanted = (data.len() / SECTOR) as u64;
        let end = first.checked_add(wanted).ok_or(BlockError::OutOfRange)?;
        if end > self.sectors || !data.len().is_multiple_of(SECTOR) {
            return Err(BlockError::OutOfRange);
        }
        let mut rest = data;
        let mut sector = first;
        while !rest.is_empty() {
            let skipped = (sector % per_block) as usize * SECTOR;
            let len = rest.len().min(TRANSFER - skipped);
            let whole = (skipped + len).next_multiple_of(self.block);
            self.transfer(READ, sector / per_block, whole)?;
            let (part, left) = rest.split_at_mut(len);
            // SAFETY: the BIOS has filled the buffer that far, and nothing writes it now.
            let read = unsafe { core::slice::from_raw_parts((BUFFER + skipped) as *const u8, len) };
            part.copy_from_slice(read);
            rest = left;
            sector += (len / SECTOR) as u64;
        }
        Ok(())
    }

    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), BlockError> {
        if !self.is_writable() {
            return Err(BlockError::ReadOnly);
        }
        let wanted = (data.len() / SECTOR) as u64;
        let end = first.checked_add(wanted).ok_or(BlockError::OutOfRange)?;
        if end > self.sectors || !data.len().is_multiple_of(SECTOR) {
            return Err(BlockError::OutOfRange);
        }
        for (index, part) in data.chunks(TRANSFER).enumerate() {
            // SAFETY: the buffer has `TRANSFER` bytes and is ours alone.
            let buffer = unsafe { core::slice::from_raw_parts_mut(BUFFER as *mut u8, part.len()) };
            buffer.copy_from_slice(part);
            self.transfer(
                WRITE,
                first + (index * (TRANSFER / SECTOR)) as u64,
                part.len(),
            )?;
        }
        Ok(())
    }
}

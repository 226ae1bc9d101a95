//! virtio-blk: sectors through an own bounce buffer, one request at a time.
//!
//! Storage holds configuration, keys and logs, a few kilobytes now and then, so a copy and a polled
//! wait are cheaper than the machinery that would avoid them. Every wait ends at a deadline.
//!
//! Neighbours: `request.rs` does the waiting. Source: virtio 1.2 §5.2.

pub(crate) mod regs;

use core::time::Duration;

use hal::disk::{Disk, DiskError, SECTOR_LEN, check_range};
use hal::time::Monotonic;

use self::regs::{HEADER_LEN, HEADER_SECTOR, STATUS_OK, config, feature, request};
use super::request::{Piece, RequestError, Requester};
use super::transport::{Transport, TransportError};

/// How long a read or write may take. A disk that retries a bad sector takes seconds.
pub const TRANSFER_DEADLINE: Duration = Duration::from_secs(10);
/// How long a flush may take: the host may have much more in its cache than we wrote.
pub const FLUSH_DEADLINE: Duration = Duration::from_secs(30);

/// Bytes moved by one request.
const BOUNCE_LEN: usize = 64 * 1024;

// Layout of the request memory. Data last, so that it begins where a sector would.
const HEADER: usize = 0;
const STATUS: usize = HEADER + HEADER_LEN;
const DATA: usize = SECTOR_LEN;

/// What the status byte holds before the device writes it; no status of the standard.
const STATUS_UNWRITTEN: u8 = 0xff;

/// How often the capacity is read again because it changed meanwhile.
const CONFIG_READS_MAX: u32 = 8;

/// A virtio disk on `T`, with `C` to time its requests.
#[derive(Debug)]
pub struct VirtioBlk<T, C> {
    requester: Requester<T, C>,
    sectors: u64,
    sectors_per_request: usize,
}

impl<T: Transport, C: Monotonic> VirtioBlk<T, C> {
    /// Brings the disk up.
    ///
    /// # Errors
    /// Any [`TransportError`].
    pub fn new(transport: T, clock: C) -> Result<Self, TransportError> {
        let wanted = feature::SIZE_MAX | feature::RO | feature::FLUSH;
        let mut requester = Requester::new(transport, clock, wanted, DATA + BOUNCE_LEN)?;
        let segment_max = if requester.has(feature::SIZE_MAX) {
            requester.transport().config_u32(config::SIZE_MAX) as usize
        } else {
            BOUNCE_LEN
        };
        let sectors_per_request = segment_max.min(BOUNCE_LEN) / SECTOR_LEN;
        if sectors_per_request == 0 {
            return Err(TransportError::BadConfig);
        }
        Ok(Self {
            sectors: read_capacity(requester.transport())?,
            requester,
            sectors_per_request,
        })
    }

    /// Whether the disk cannot be written.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.requester.has(feature::RO)
    }

    /// Times the device was reset because it was late or broke the protocol.
    #[must_use]
    pub fn resets(&self) -> u64 {
        self.requester.resets()
    }

    fn read_parts(&mut self, first: u64, data: &mut [u8]) -> Result<(), DiskError> {
        let mut sector = first;
        for part in data.chunks_mut(self.sectors_per_request * SECTOR_LEN) {
            self.carry_out(request::IN, sector, part.len(), TRANSFER_DEADLINE)?;
            self.requester.memory.copy_out(DATA, part);
            sector += (part.len() / SECTOR_LEN) as u64;
        }
        Ok(())
    }

    fn write_parts(&mut self, first: u64, data: &[u8]) -> Result<(), DiskError> {
        let mut sector = first;
        for part in data.chunks(self.sectors_per_request * SECTOR_LEN) {
            self.requester.memory.copy_in(DATA, part);
            self.carry_out(request::OUT, sector, part.len(), TRANSFER_DEADLINE)?;
            sector += (part.len() / SECTOR_LEN) as u64;
        }
        Ok(())
    }

    /// Carries out one request; the data, if any, is in the bounce buffer.
    fn carry_out(
        &mut self,
        kind: u32,
        sector: u64,
        data_len: usize,
        deadline: Duration,
    ) -> Result<(), DiskError> {
        let memory = &mut self.requester.memory;
        memory.write(HEADER, u64::from(kind).to_le());
        memory.write(HEADER + HEADER_SECTOR, sector.to_le());
        memory.write(STATUS, STATUS_UNWRITTEN);
        let pieces = [
            Piece {
                offset: HEADER,
                len: HEADER_LEN,
                device_writes: false,
            },
            Piece {
                offset: DATA,
                len: data_len,
                device_writes: kind == request::IN,
            },
            Piece {
                offset: STATUS,
                len: 1,
                device_writes: true,
            },
        ];
        match self.requester.request(&pieces, deadline) {
            // The length is not looked at, as devices have long reported it in different ways; the
            // status byte, preset to what no device writes, is the verdict.
            Ok(_) if self.requester.memory.read::<u8>(STATUS) == STATUS_OK => Ok(()),
            Ok(_) | Err(RequestError::Device) => Err(DiskError::Device),
            Err(RequestError::Timeout) => Err(DiskError::Timeout),
        }
    }
}

/// Reads the 64-bit capacity, which cannot be read at once (§2.5.1).
fn read_capacity(transport: &mut impl Transport) -> Result<u64, TransportError> {
    for _ in 0..CONFIG_READS_MAX {
        let before = transport.config_generation();
        let low = transport.config_u32(config::CAPACITY);
        let high = transport.config_u32(config::CAPACITY + 4);
        if transport.config_generation() == before {
            return Ok(u64::from(high) << 32 | u64::from(low));
        }
    }
    Err(TransportError::BadConfig)
}

impl<T: Transport, C: Monotonic> Disk for VirtioBlk<T, C> {
    fn sectors(&self) -> u64 {
        self.sectors
    }

    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), DiskError> {
        check_range(self.sectors, first, data.len())?;
        let result = self.read_parts(first, data);
        // What passed through may be a private key.
        self.requester.memory.clear();
        result
    }

    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), DiskError> {
        check_range(self.sectors, first, data.len())?;
        if self.is_read_only() {
            return Err(DiskError::ReadOnly);
        }
        let result = self.write_parts(first, data);
        self.requester.memory.clear();
        result
    }

    fn flush(&mut self) -> Result<(), DiskError> {
        // Without the feature there is no cache to empty (§5.2.5.2).
        if !self.requester.has(feature::FLUSH) {
            return Ok(());
        }
        self.carry_out(request::FLUSH, 0, 0, FLUSH_DEADLINE)
    }
}

#[cfg(test)]
mod tests;

//! An image in memory.

use slots::{BlockDevice, BlockError, SECTOR};

use super::DiskError;

/// An image in memory, and a disk for the loader's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Medium {
    bytes: Vec<u8>,
}

impl Medium {
    /// All zeros.
    #[must_use]
    pub fn new(sectors: u64) -> Self {
        Self {
            bytes: vec![0; sectors as usize * SECTOR],
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes, to be tampered with.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Puts `bytes` at a sector.
    ///
    /// # Errors
    /// [`DiskError::DoesNotFit`] beyond the end.
    pub fn put(&mut self, sector: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let start = sector as usize * SECTOR;
        let place = self.bytes.get_mut(start..start + bytes.len());
        let place = place.ok_or(DiskError::DoesNotFit("something"))?;
        place.copy_from_slice(bytes);
        Ok(())
    }
}

impl From<Vec<u8>> for Medium {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }
}

impl BlockDevice for Medium {
    fn sectors(&self) -> u64 {
        (self.bytes.len() / SECTOR) as u64
    }

    fn is_writable(&self) -> bool {
        true
    }

    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), BlockError> {
        let start = usize::try_from(first)
            .ok()
            .and_then(|first| first.checked_mul(SECTOR));
        let start = start.ok_or(BlockError::OutOfRange)?;
        let end = start
            .checked_add(data.len())
            .ok_or(BlockError::OutOfRange)?;
        data.copy_from_slice(self.bytes.get(start..end).ok_or(BlockError::OutOfRange)?);
        Ok(())
    }

    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), BlockError> {
        self.put(first, data).map_err(|_| BlockError::OutOfRange)
    }
}

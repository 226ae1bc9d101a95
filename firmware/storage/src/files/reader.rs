//! Reading, with the checksum of the whole file.

use alloc::vec;
use alloc::vec::Vec;

use hal::disk::{Disk, SECTOR_LEN};

use super::directory::{File, Run};
use super::{FileError, FileSystem};
use crate::CRC;

/// A place in a file that is read in blocks, from the beginning.
///
/// The checksum covers the whole file, so the last block is refused if any byte before it was wrong:
/// what acts on a file must have come to its end.
pub struct Reader {
    file: File,
    offset: u64,
    digest: crc::Digest<'static, u32>,
}

impl Reader {
    /// Bytes read so far.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// The file that is read.
    #[must_use]
    pub const fn file(&self) -> &File {
        &self.file
    }
}

impl FileSystem {
    /// Reads a whole file of at most `limit_bytes`.
    ///
    /// # Errors
    /// [`FileError::NotFound`], [`FileError::TooLarge`], [`FileError::Damaged`], [`FileError::Disk`].
    pub fn read(
        &self,
        disk: &mut dyn Disk,
        name: &str,
        limit_bytes: usize,
    ) -> Result<Vec<u8>, FileError> {
        let mut reader = self.open(name)?;
        let size_bytes = reader.file.size_bytes;
        let len = usize::try_from(size_bytes)
            .ok()
            .filter(|len| *len <= limit_bytes)
            .ok_or(FileError::TooLarge {
                size_bytes,
                limit_bytes,
            })?;
        let mut bytes = vec![0; len];
        self.read_next(disk, &mut reader, &mut bytes)?;
        Ok(bytes)
    }

    /// Begins to read a file in blocks.
    ///
    /// # Errors
    /// [`FileError::NotFound`].
    pub fn open(&self, name: &str) -> Result<Reader, FileError> {
        Ok(Reader {
            file: self.find(name).ok_or(FileError::NotFound)?.clone(),
            offset: 0,
            digest: CRC.digest(),
        })
    }

    /// Fills `block` with what comes next and returns how much that was: less than `block` holds only
    /// at the end, where the checksum has been found right.
    ///
    /// # Errors
    /// [`FileError::Changed`] if the file is no longer the one that was opened;
    /// [`FileError::Damaged`]; [`FileError::Disk`]. The content of `block` is then unspecified.
    pub fn read_next(
        &self,
        disk: &mut dyn Disk,
        reader: &mut Reader,
        block: &mut [u8],
    ) -> Result<usize, FileError> {
        if self.find(&reader.file.name) != Some(&reader.file) {
            return Err(FileError::Changed);
        }
        let left = reader.file.size_bytes.saturating_sub(reader.offset);
        let len = usize::try_from(left).map_or(block.len(), |left| left.min(block.len()));
        let block = block.get_mut(..len).unwrap_or_default();
        self.read_runs(disk, &reader.file.runs, reader.offset, block)?;
        reader.digest.update(block);
        reader.offset = reader.offset.saturating_add(len as u64);
        let is_at_end = reader.offset == reader.file.size_bytes;
        if is_at_end && reader.digest.clone().finalize() != reader.file.crc {
            return Err(FileError::Damaged);
        }
        Ok(len)
    }

    /// Fills `bytes` from byte `offset` of what `runs` hold.
    fn read_runs(
        &self,
        disk: &mut dyn Disk,
        runs: &[Run],
        offset: u64,
        mut bytes: &mut [u8],
    ) -> Result<(), FileError> {
        let mut sector = offset / SECTOR_LEN as u64;
        let mut inside = (offset % SECTOR_LEN as u64) as usize;
        while !bytes.is_empty() {
            let (place, sectors) = locate(runs, sector).ok_or(FileError::Damaged)?;
            let whole = u64::min(sectors, (bytes.len() / SECTOR_LEN) as u64);
            bytes = if inside == 0 && whole > 0 {
                let (part, rest) = bytes.split_at_mut(whole as usize * SECTOR_LEN);
                self.data.read(disk, place, part)?;
                sector += whole;
                rest
            } else {
                let mut buffer = [0; SECTOR_LEN];
                self.data.read(disk, place, &mut buffer)?;
                let wanted = buffer.get(inside..).unwrap_or_default();
                let (part, rest) = bytes.split_at_mut(wanted.len().min(bytes.len()));
                part.copy_from_slice(wanted.get(..part.len()).unwrap_or_default());
                sector += 1;
                inside = 0;
                rest
            };
        }
        Ok(())
    }
}

/// Where sector `number` of a file lies, and how many follow in one run, itself included.
fn locate(runs: &[Run], number: u64) -> Option<(u64, u64)> {
    let mut before = 0;
    for run in runs {
        let sectors = u64::from(run.sectors);
        if let Some(inside) = number.checked_sub(before)
            && inside < sectors
        {
            return Some((u64::from(run.first) + inside, sectors - inside));
        }
        before += sectors;
    }
    None
}

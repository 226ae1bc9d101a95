//! Files that arrive in blocks: nothing of one is visible until it is finished.
//!
//! ```text
//! begin ──▶ append … append ──▶ finish      the file is there, whole
//!                          └──▶ abandon     nothing happened
//! ```
//!
//! Memory is bounded by one block: whole sectors go to the disk at once, at most one sector waits. The
//! sectors are held in memory only, so after a restart they are free again.

use alloc::rc::{Rc, Weak};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use hal::disk::{Disk, SECTOR_LEN};

use super::directory::{EXTENTS_MAX, File, Run};
use super::{FileError, FileSystem, Held, bytes_of, check_name};
use crate::CRC;

/// Most uploads open at a time.
pub const UPLOADS_MAX: usize = 4;

/// How much an upload takes at a time (1 MiB), so that it lies in few runs.
const GROWTH_SECTORS: u32 = 2_048;

/// A file that is arriving. Dropping it abandons it.
pub struct Upload {
    name: String,
    held: Rc<Held>,
    /// Sectors already written.
    written: u64,
    /// What does not fill a sector yet.
    tail: Vec<u8>,
    size_bytes: u64,
    digest: crc::Digest<'static, u32>,
    /// Why a block was not taken; the ones after it are not either.
    failure: Option<FileError>,
}

impl Upload {
    /// Bytes received.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Lets everything received go.
    pub fn abandon(self) {}
}

impl FileSystem {
    /// Begins to receive a file that will be called `name`, in the place of one of that name.
    ///
    /// # Errors
    /// [`FileError::Name`], [`FileError::TooManyFiles`], [`FileError::TooManyUploads`].
    pub fn begin(&mut self, name: &str) -> Result<Upload, FileError> {
        let name = check_name(name)?;
        self.check_count(&name)?;
        self.uploads.retain(|held| held.strong_count() > 0);
        if self.uploads.len() >= UPLOADS_MAX {
            return Err(FileError::TooManyUploads);
        }
        let held = Rc::new(RefCell::new(Vec::new()));
        self.uploads.push(Rc::downgrade(&held));
        Ok(Upload {
            name,
            held,
            written: 0,
            tail: Vec::new(),
            size_bytes: 0,
            digest: CRC.digest(),
            failure: None,
        })
    }

    /// Receives the next block.
    ///
    /// # Errors
    /// [`FileError::NoRoom`], [`FileError::Fragmented`], [`FileError::UploadLost`],
    /// [`FileError::Disk`]. The upload can then only be abandoned.
    pub fn append(
        &mut self,
        disk: &mut dyn Disk,
        upload: &mut Upload,
        block: &[u8],
    ) -> Result<(), FileError> {
        self.check_open(upload)?;
        upload.digest.update(block);
        upload.size_bytes = upload.size_bytes.saturating_add(block.len() as u64);
        upload.tail.extend_from_slice(block);
        let whole = upload.tail.len() - upload.tail.len() % SECTOR_LEN;
        let outcome = self.write_out(disk, upload, whole);
        upload.failure = outcome.err();
        outcome
    }

    /// Makes the file received visible; from then on it survives a power cut.
    ///
    /// # Errors
    /// As [`append`](Self::append), and [`FileError::TooManyFiles`]. What was there before is still
    /// there, unless the disk failed in the last step: then it is the old state or the new one.
    pub fn finish(
        &mut self,
        disk: &mut dyn Disk,
        mut upload: Upload,
        modified_unix_secs: u64,
    ) -> Result<(), FileError> {
        self.check_open(&upload)?;
        let len = upload.tail.len();
        self.write_out(disk, &mut upload, len)?;
        self.settle(disk)?;
        self.check_count(&upload.name)?;
        let mut left = upload.written;
        let mut runs = upload.held.take();
        for run in &mut runs {
            run.sectors = u32::try_from(left).map_or(run.sectors, |left| left.min(run.sectors));
            left -= u64::from(run.sectors);
        }
        runs.retain(|run| run.sectors > 0);
        self.put(
            disk,
            File {
                name: upload.name,
                size_bytes: upload.size_bytes,
                modified_unix_secs,
                crc: upload.digest.finalize(),
                runs,
            },
        )
    }

    fn check_open(&self, upload: &Upload) -> Result<(), FileError> {
        if let Some(failure) = upload.failure {
            return Err(failure);
        }
        let held = Rc::downgrade(&upload.held);
        if self.uploads.iter().any(|known| Weak::ptr_eq(known, &held)) {
            Ok(())
        } else {
            Err(FileError::UploadLost)
        }
    }

    /// Writes the first `len` bytes that wait.
    fn write_out(
        &mut self,
        disk: &mut dyn Disk,
        upload: &mut Upload,
        len: usize,
    ) -> Result<(), FileError> {
        if len == 0 {
            return Ok(());
        }
        self.hold(disk, upload, len.div_ceil(SECTOR_LEN) as u64)?;
        let runs = upload.held.borrow().clone();
        let mut rest = upload.tail.get(..len).unwrap_or_default();
        let mut before = 0;
        for run in runs {
            let sectors = u64::from(run.sectors);
            let inside = upload.written.saturating_sub(before);
            before += sectors;
            if inside >= sectors || rest.is_empty() {
                continue;
            }
            let room = usize::try_from(bytes_of(sectors - inside)).unwrap_or(usize::MAX);
            let (part, after) = rest.split_at(room.min(rest.len()));
            self.write_padded(disk, u64::from(run.first) + inside, part)?;
            upload.written += part.len().div_ceil(SECTOR_LEN) as u64;
            rest = after;
        }
        upload.tail.drain(..len);
        Ok(())
    }

    /// Holds enough for `more` sectors behind those written.
    fn hold(&mut self, disk: &mut dyn Disk, upload: &Upload, more: u64) -> Result<(), FileError> {
        let needed = upload.written.saturating_add(more);
        loop {
            let held: u64 = {
                let runs = upload.held.borrow();
                runs.iter().map(|run| u64::from(run.sectors)).sum()
            };
            if held >= needed {
                return Ok(());
            }
            self.settle(disk)?;
            let missing = u32::try_from(needed - held).unwrap_or(u32::MAX);
            let end = upload.held.borrow().last().map(|run| run.end());
            let space = self.space();
            let Some(run) = space.grow(end, missing.max(GROWTH_SECTORS)) else {
                return Err(FileError::NoRoom {
                    free_bytes: 0,
                    needed_bytes: bytes_of(needed - held),
                });
            };
            join(&mut upload.held.borrow_mut(), run)?;
        }
    }
}

/// Adds `run` behind `runs`, to the last of them if it touches.
fn join(runs: &mut Vec<Run>, run: Run) -> Result<(), FileError> {
    if let Some(last) = runs.last_mut()
        && last.end() == u64::from(run.first)
        && let Some(sectors) = last.sectors.checked_add(run.sectors)
    {
        last.sectors = sectors;
        return Ok(());
    }
    if runs.len() >= EXTENTS_MAX {
        return Err(FileError::Fragmented);
    }
    runs.push(run);
    Ok(())
}

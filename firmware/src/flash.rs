//! The files of `disk0:`, as commands reach them.
//!
//! Each call borrows the disk and the file system together and is one step of the loop; times are those
//! of the wall clock. What a command does over several steps keeps an [`Upload`] or a [`Reader`].

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hal::disk::Disk;
use storage::files::{File, FileError, FileSystem, Reader, Totals, Upload};
use storage::{Extent, Layout};

use crate::state::Core;

/// Largest file read into memory at once: a configuration of any size that can be saved.
pub(crate) const READ_LIMIT_BYTES: usize = 4 << 20;

/// Why something could not be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlashError {
    /// There is no disk.
    NoDisk,
    /// The disk has no room for files beside the configuration.
    NoFileArea,
    /// The file system refused.
    File(FileError),
}

impl From<FileError> for FlashError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl fmt::Display for FlashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDisk => f.write_str("there is no disk"),
            Self::NoFileArea => f.write_str("the disk is too small to keep files"),
            Self::File(error) => error.fmt(f),
        }
    }
}

/// The files of the disk, and what was found when it was looked at.
pub(crate) struct Flash {
    files: Option<FileSystem>,
    /// In words.
    report: String,
}

impl Flash {
    /// Looks at the disk, if there is one.
    pub(crate) fn mount(disk: Option<&mut (dyn Disk + 'static)>) -> Self {
        let without = |error: FlashError| Self {
            files: None,
            report: alloc::format!("{error}"),
        };
        let Some(disk) = disk else {
            return without(FlashError::NoDisk);
        };
        let layout = Layout::new(Extent::whole(disk));
        let Ok(area) = layout.and_then(|layout| layout.files) else {
            return without(FlashError::NoFileArea);
        };
        let (files, mounted) = FileSystem::mount(disk, area);
        Self {
            files: Some(files),
            report: alloc::format!("{mounted}"),
        }
    }
}

impl Core {
    /// What was found of files at the start, in words.
    pub(crate) fn files_report(&self) -> &str {
        &self.flash.report
    }

    /// The file system, to look at.
    ///
    /// # Errors
    /// [`FlashError::NoDisk`], [`FlashError::NoFileArea`].
    pub(crate) fn files(&self) -> Result<&FileSystem, FlashError> {
        self.flash.files.as_ref().ok_or_else(|| self.no_files())
    }

    /// All files, in the order they were made.
    ///
    /// # Errors
    /// As [`files`](Self::files).
    pub(crate) fn file_list(&self) -> Result<&[File], FlashError> {
        Ok(self.files()?.list())
    }

    /// Bytes there are and bytes free.
    ///
    /// # Errors
    /// As [`files`](Self::files).
    pub(crate) fn file_totals(&self) -> Result<Totals, FlashError> {
        Ok(self.files()?.totals())
    }

    /// A whole file of at most [`READ_LIMIT_BYTES`].
    ///
    /// # Errors
    /// [`FlashError`].
    pub(crate) fn file_read(&mut self, name: &str) -> Result<Vec<u8>, FlashError> {
        let (disk, files) = self.disk_and_files()?;
        Ok(files.read(disk, name, READ_LIMIT_BYTES)?)
    }

    /// Begins to read a file of any size in blocks.
    ///
    /// # Errors
    /// [`FlashError`].
    pub(crate) fn file_open(&self, name: &str) -> Result<Reader, FlashError> {
        Ok(self.files()?.open(name)?)
    }

    /// The next block: see [`FileSystem::read_next`].
    ///
    /// # Errors
    /// [`FlashError`].
    pub(crate) fn file_read_next(
        &mut self,
        reader: &mut Reader,
        block: &mut [u8],
    ) -> Result<usize, FlashError> {
        let (disk, files) = self.disk_and_files()?;
        Ok(files.read_next(disk, reader, block)?)
    }

    /// Writes a whole file, in the place of one of that name.
    ///
    /// # Errors
    /// [`FlashError`].
    pub(crate) fn file_write(&mut self, name: &str, bytes: &[u8]) -> Result<(), FlashError> {
        let now = self.wall.unix_secs(self.now());
        let (disk, files) = self.disk_and_files()?;
        Ok(files.write(disk, name, bytes, now)?)
    }

    /// Deletes a file; `wipe` overwrites its data too.
    ///
    /// # Errors
    /// [`FlashError`].
    pub(crate) fn file_delete(&mut self, name: &str, wipe: bool) -> Result<(), FlashError> {
        let (disk, files) = self.disk_and_files()?;
        Ok(files.delete(disk, name, wipe)?)
    }

    /// Renames a file; `replace` lets it take another's place.
    ///
    /// # Errors
    /// [`FlashError`].
    pub(crate) fn file_rename(
        &mut self,
        from: &str,
        to: &str,
        replace: bool,
    ) -> Result<(), FlashError> {
        let (disk, files) = self.disk_and_files()?;
        Ok(files.rename(disk, from, to, replace)?)
    }

    /// Begins to receive a file. Dropping the [`Upload`] abandons it.
    ///
    /// # Errors
    /// [`FlashError`].
    pub(crate) fn upload_begin(&mut self, name: &str) -> Result<Upload, FlashError> {
        let (_, files) = self.disk_and_files()?;
        Ok(files.begin(name)?)
    }

    /// Receives the next block.
    ///
    /// # Errors
    /// [`FlashError`].
    pub(crate) fn upload_append(
        &mut self,
        upload: &mut Upload,
        block: &[u8],
    ) -> Result<(), FlashError> {
        let (disk, files) = self.disk_and_files()?;
        Ok(files.append(disk, upload, block)?)
    }

    /// Makes the received file visible.
    ///
    /// # Errors
    /// [`FlashError`].
    pub(crate) fn upload_finish(&mut self, upload: Upload) -> Result<(), FlashError> {
        let now = self.wall.unix_secs(self.now());
        let (disk, files) = self.disk_and_files()?;
        Ok(files.finish(disk, upload, now)?)
    }

    fn disk_and_files(&mut self) -> Result<(&mut dyn Disk, &mut FileSystem), FlashError> {
        let missing = self.no_files();
        match (&mut self.disk, &mut self.flash.files) {
            (Some(disk), Some(files)) => Ok((&mut **disk, files)),
            _ => Err(missing),
        }
    }

    fn no_files(&self) -> FlashError {
        if self.disk.is_none() {
            FlashError::NoDisk
        } else {
            FlashError::NoFileArea
        }
    }
}

//! Why something could not be done with a file, in words.

use core::fmt;

use hal::disk::DiskError;

use super::directory::{EXTENTS_MAX, FILES_MAX};
use super::name::NameError;
use crate::words;

/// Why something could not be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// The name cannot be one.
    Name(NameError),
    /// There is no such file.
    NotFound,
    /// The new name is taken, and replacing was not asked for.
    Exists,
    /// The directory is full.
    TooManyFiles,
    /// The data does not fit.
    NoRoom {
        /// Bytes free.
        free_bytes: u64,
        /// Bytes needed.
        needed_bytes: u64,
    },
    /// There is room, but in too many pieces.
    Fragmented,
    /// The file is larger than the reader takes.
    TooLarge {
        /// Bytes of the file.
        size_bytes: u64,
        /// Bytes the reader takes.
        limit_bytes: usize,
    },
    /// The data read is not what was written.
    Damaged,
    /// The file was replaced or deleted while it was being read.
    Changed,
    /// The file area was erased while the upload was open.
    UploadLost,
    /// As many uploads are open as may be.
    TooManyUploads,
    /// The directory could not be written, for a reason other than the disk.
    Directory,
    /// The disk failed.
    Disk(DiskError),
}

impl From<NameError> for FileError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl From<DiskError> for FileError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::NotFound => f.write_str("there is no such file"),
            Self::Exists => f.write_str("there is already a file of that name"),
            Self::TooManyFiles => write!(f, "there are already {FILES_MAX} files"),
            Self::NoRoom {
                free_bytes,
                needed_bytes,
            } => write!(
                f,
                "the disk has no room: {free_bytes} bytes free, {needed_bytes} needed"
            ),
            Self::Fragmented => write!(
                f,
                "the free room is in small pieces, and a file has at most {EXTENTS_MAX} of them"
            ),
            Self::TooLarge {
                size_bytes,
                limit_bytes,
            } => write!(
                f,
                "the file has {size_bytes} bytes, at most {limit_bytes} can be taken"
            ),
            Self::Damaged => f.write_str("the file is damaged: its checksum does not match"),
            Self::Changed => f.write_str("the file was changed while it was being read"),
            Self::UploadLost => f.write_str("the disk was erased while the file was received"),
            Self::TooManyUploads => f.write_str("too many files are being received"),
            Self::Directory => f.write_str("the directory could not be written"),
            Self::Disk(error) => f.write_str(words::disk_error(*error)),
        }
    }
}

//! Why a linked file cannot become an image.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a linked file cannot become an image.
#[derive(Debug)]
pub enum ImageError {
    /// The linked file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An output could not be written.
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a 64-bit little-endian ELF file.
    NotElf(object::read::Error),
    /// The file is an ELF file, but not an executable for x86-64.
    NotExecutable,
    /// The file has no loadable segment.
    NoSegments,
    /// A program header points outside the file.
    TruncatedSegment {
        /// Index of the program header.
        index: usize,
    },
    /// A segment is both writable and executable.
    WritableAndExecutable {
        /// Virtual address of the segment.
        address: u64,
    },
    /// Two segments share a byte of memory, or a page with different rights.
    Overlap {
        /// Address of the lower segment.
        lower: u64,
        /// Address of the upper segment.
        upper: u64,
    },
    /// There is no PVH entry note, so no loader can start the file.
    NoPvhNote,
    /// The PVH entry is not inside an executable segment.
    EntryOutsideCode {
        /// The entry address of the note.
        entry: u64,
    },
    /// The image is larger than the limit.
    TooLarge {
        /// Its size in bytes.
        size_bytes: u64,
        /// The limit in bytes.
        limit_bytes: u64,
    },
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            Self::Write { path, source } => write!(f, "cannot write {}: {source}", path.display()),
            Self::NotElf(source) => write!(f, "not a 64-bit ELF file: {source}"),
            Self::NotExecutable => f.write_str("not an x86-64 executable"),
            Self::NoSegments => f.write_str("no loadable segment"),
            Self::TruncatedSegment { index } => {
                write!(f, "program header {index} points outside the file")
            }
            Self::WritableAndExecutable { address } => {
                write!(f, "segment at {address:#x} is both writable and executable")
            }
            Self::Overlap { lower, upper } => {
                write!(
                    f,
                    "segments at {lower:#x} and {upper:#x} overlap, or share a page with different rights"
                )
            }
            Self::NoPvhNote => f.write_str("no PVH entry note (Xen, type 18)"),
            Self::EntryOutsideCode { entry } => {
                write!(f, "PVH entry {entry:#x} is not in an executable segment")
            }
            Self::TooLarge {
                size_bytes,
                limit_bytes,
            } => {
                write!(
                    f,
                    "image has {size_bytes} bytes, the limit is {limit_bytes}"
                )
            }
        }
    }
}

impl std::error::Error for ImageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => Some(source),
            Self::NotElf(source) => Some(source),
            _ => None,
        }
    }
}

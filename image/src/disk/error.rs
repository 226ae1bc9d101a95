//! Why an image could not be made.

use std::fmt;
use std::io;
use std::path::PathBuf;

use slots::BlockError;

/// Why an image could not be made.
#[derive(Debug)]
pub enum DiskError {
    /// A part is larger than its place.
    DoesNotFit(&'static str),
    /// A linked loader is not what it should be.
    Loader(&'static str),
    /// A linked loader cannot be read.
    Elf(object::read::Error),
    /// The EFI system partition could not be made.
    Esp(io::Error),
    /// The boot state could not be written.
    State(BlockError),
    /// A file is no key.
    NoKey(&'static str),
    /// A release may not be signed with the key that everybody has.
    DevelopmentKey,
    /// The loader refuses the image; what it said.
    Refused(String),
    /// A file could not be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DoesNotFit(what) => write!(f, "{what} does not fit its place"),
            Self::Loader(what) => write!(f, "a loader is not usable: {what}"),
            Self::Elf(source) => write!(f, "a loader is no ELF file: {source}"),
            Self::Esp(source) => write!(f, "the EFI system partition cannot be made: {source}"),
            Self::State(source) => write!(f, "the boot state cannot be written: {source}"),
            Self::NoKey(why) => write!(f, "not an Ed25519 key: {why}"),
            Self::DevelopmentKey => f.write_str(
                "this is the development key, which everybody has: make one of your own",
            ),
            Self::Refused(said) => write!(f, "the loader refuses the image:\n{said}"),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl std::error::Error for DiskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Esp(source) | Self::File { source, .. } => Some(source),
            _ => None,
        }
    }
}

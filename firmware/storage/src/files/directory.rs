//! The directory: what files there are and where their data lies.
//!
//! It is read from the disk and therefore judged: a directory that names a sector twice, or one that is
//! not there, or a size its sectors do not fit, is refused whole.

use alloc::string::String;
use alloc::vec::Vec;

use hal::disk::SECTOR_LEN;
use serde::{Deserialize, Serialize};

use super::name::{self, NAME_LEN_MAX};
use crate::layout::DIRECTORY_SECTORS;

/// Most files.
pub const FILES_MAX: usize = 128;

/// Most runs of sectors of one file.
pub const EXTENTS_MAX: usize = 16;

/// A run of sectors of the data area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) first: u32,
    pub(super) sectors: u32,
}

impl Run {
    /// The sector after the last.
    pub(super) fn end(self) -> u64 {
        u64::from(self.first) + u64::from(self.sectors)
    }
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub(super) name: String,
    pub(super) size_bytes: u64,
    pub(super) modified_unix_secs: u64,
    pub(super) crc: u32,
    pub(super) runs: Vec<Run>,
}

impl File {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its length.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// When it was written, in seconds since 1970 as the writer told.
    #[must_use]
    pub const fn modified_unix_secs(&self) -> u64 {
        self.modified_unix_secs
    }
}

/// All files, in the order they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Directory {
    pub(super) files: Vec<File>,
}

// The longest directory fits its slot: a varint has at most 5 bytes for 32 bits and 10 for 64.
const FILE_LEN_MAX: usize = 1 + NAME_LEN_MAX + 10 + 10 + 5 + 1 + EXTENTS_MAX * 10;
const _: () =
    assert!(2 + FILES_MAX * FILE_LEN_MAX <= (DIRECTORY_SECTORS as usize - 1) * SECTOR_LEN);

impl Directory {
    pub(super) fn find(&self, name: &str) -> Option<&File> {
        self.files.iter().find(|file| file.name == name)
    }

    /// Decodes and judges a directory of a data area of `sectors`.
    pub(super) fn decode(payload: &[u8], sectors: u64) -> Option<Self> {
        let (directory, rest) = postcard::take_from_bytes::<Self>(payload).ok()?;
        (rest.is_empty() && directory.is_plausible(sectors)).then_some(directory)
    }

    fn is_plausible(&self, sectors: u64) -> bool {
        let mut runs: Vec<Run> = self.runs().collect();
        runs.sort_unstable();
        let are_apart = runs
            .iter()
            .zip(runs.iter().skip(1))
            .all(|(one, next)| one.end() <= u64::from(next.first));
        let are_inside = runs
            .iter()
            .all(|run| run.sectors > 0 && run.end() <= sectors);
        let mut names: Vec<&str> = self.files.iter().map(File::name).collect();
        names.sort_unstable();
        let are_unique = names.iter().zip(names.iter().skip(1)).all(|(a, b)| a != b);
        let is_whole = |file: &File| {
            let held: u64 = file.runs.iter().map(|run| u64::from(run.sectors)).sum();
            name::check(&file.name).is_ok()
                && file.runs.len() <= EXTENTS_MAX
                && held == file.size_bytes.div_ceil(SECTOR_LEN as u64)
        };
        are_apart
            && are_inside
            && are_unique
            && self.files.len() <= FILES_MAX
            && self.files.iter().all(is_whole)
    }

    pub(super) fn runs(&self) -> impl Iterator<Item = Run> {
        self.files.iter().flat_map(|file| file.runs.iter().copied())
    }
}

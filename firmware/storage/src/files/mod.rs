//! Named files in one flat directory.
//!
//! The data of a file goes to sectors that nothing holds; then the directory is written through
//! [`slots`](crate::slots), whose first flush brings the data to the medium too, before the header that
//! makes the new directory count. So a cut leaves the old directory or the new one, each with all its
//! data: what a file was replaced by is written beside it, and the old data is free only afterwards.
//!
//! A directory write that failed may still have arrived. Then the disk is asked again before anything
//! is changed, so that sectors of a directory that might count are never taken for free ones.
//!
//! | Module | Does |
//! | --- | --- |
//! | `name`, `error` | what a name is; what went wrong, in words |
//! | `directory` | the record of files, judged when read |
//! | `space` | free sectors and which are taken next |
//! | `upload` | files that arrive in blocks |
//! | `reader` | files read in blocks, with their checksum |

mod directory;
mod error;
mod name;
mod reader;
mod space;
#[cfg(test)]
mod tests;
mod upload;

use alloc::rc::Weak;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

use hal::disk::{Disk, SECTOR_LEN};

pub use directory::{EXTENTS_MAX, FILES_MAX, File};
pub use error::FileError;
pub use name::{NAME_LEN_MAX, NameError, check as check_name};
pub use reader::Reader;
pub use upload::{UPLOADS_MAX, Upload};

use crate::CRC;
use crate::layout::{Extent, FileArea};
use crate::slots::{Contents, SlotError, SlotFault, Slots};
use directory::{Directory, Run};
use space::Space;

const MAGIC: [u8; 8] = *b"SALLYDIR";

/// The sectors an upload holds.
type Held = RefCell<Vec<Run>>;

/// What [`FileSystem::mount`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mounted {
    /// Nothing was ever kept, or it was erased.
    Empty,
    /// A directory.
    Found {
        /// Files in it.
        files: usize,
        /// Why the other slot was passed over, if it was not simply older: a later change may have
        /// been cut off.
        other_slot: Option<SlotFault>,
    },
    /// No directory is whole. The next write begins a new one, unless the disk merely could not be
    /// read.
    Damaged {
        /// What is wrong with the two slots.
        slots: [SlotFault; 2],
    },
}

impl fmt::Display for Mounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("no files are kept"),
            Self::Found { files, other_slot } => {
                write!(f, "{files} files are kept")?;
                match other_slot {
                    Some(fault) => write!(f, "; the other directory was not used: {fault}"),
                    None => Ok(()),
                }
            }
            Self::Damaged {
                slots: [first, second],
            } => write!(
                f,
                "no usable directory of files: in slot 0 {first}, in slot 1 {second}"
            ),
        }
    }
}

/// Bytes of the data area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Totals {
    /// All of them.
    pub total_bytes: u64,
    /// Those that no file and no open upload holds.
    pub free_bytes: u64,
}

/// The files of one area.
#[derive(Debug)]
pub struct FileSystem {
    data: Extent,
    slots: Slots,
    directory: Directory,
    /// Whether the disk may hold another directory than `directory`.
    is_uncertain: bool,
    uploads: Vec<Weak<Held>>,
}

impl FileSystem {
    /// Reads the directory of `area`. Never fails: what is wrong is told, and kept in mind.
    pub fn mount(disk: &mut dyn Disk, area: FileArea) -> (Self, Mounted) {
        let mut files = Self {
            data: area.data,
            slots: Slots::new(area.directory, MAGIC),
            directory: Directory::default(),
            is_uncertain: false,
            uploads: Vec::new(),
        };
        let mounted = files.load(disk);
        (files, mounted)
    }

    /// All files, in the order they were made.
    #[must_use]
    pub fn list(&self) -> &[File] {
        &self.directory.files
    }

    /// The file called `name`, exactly.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&File> {
        self.directory.find(name)
    }

    /// How much there is, and how much is free.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            total_bytes: bytes_of(self.data.sectors),
            free_bytes: bytes_of(self.space().sectors()),
        }
    }

    /// Writes a whole file, in the place of one of the same name if there is one.
    ///
    /// When this returns `Ok` the file survives a power cut; when it fails, or power is cut within, the
    /// old state or the new one is there. `modified_unix_secs` is kept as it is given.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn write(
        &mut self,
        disk: &mut dyn Disk,
        name: &str,
        bytes: &[u8],
        modified_unix_secs: u64,
    ) -> Result<(), FileError> {
        let name = check_name(name)?;
        self.settle(disk)?;
        self.check_count(&name)?;
        let size_bytes = bytes.len() as u64;
        let sectors = size_bytes.div_ceil(SECTOR_LEN as u64);
        let space = self.space();
        if sectors > space.sectors() {
            return Err(FileError::NoRoom {
                free_bytes: bytes_of(space.sectors()),
                needed_bytes: size_bytes,
            });
        }
        let runs = space.take(sectors).ok_or(FileError::Fragmented)?;
        let mut rest = bytes;
        for run in &runs {
            let len = (run.sectors as usize).saturating_mul(SECTOR_LEN);
            let (part, after) = rest.split_at(len.min(rest.len()));
            self.write_padded(disk, run.first.into(), part)?;
            rest = after;
        }
        self.put(
            disk,
            File {
                name,
                size_bytes,
                modified_unix_secs,
                crc: CRC.checksum(bytes),
                runs,
            },
        )
    }

    /// Deletes a file. With `wipe` its data is overwritten too, after the directory has let go of it;
    /// a cut in between leaves the data on the medium, in free sectors.
    ///
    /// # Errors
    /// [`FileError::NotFound`], [`FileError::Disk`].
    pub fn delete(&mut self, disk: &mut dyn Disk, name: &str, wipe: bool) -> Result<(), FileError> {
        self.settle(disk)?;
        let runs = self.find(name).ok_or(FileError::NotFound)?.runs.clone();
        let mut next = self.directory.clone();
        next.files.retain(|file| file.name != name);
        self.commit(disk, next)?;
        if wipe {
            for run in runs {
                let place = self.data.part(run.first.into(), run.sectors.into());
                place.wipe(disk)?;
            }
            disk.flush()?;
        }
        Ok(())
    }

    /// Gives a file another name; `replace` lets it take the place of another.
    ///
    /// # Errors
    /// [`FileError::NotFound`], [`FileError::Exists`], [`FileError::Name`], [`FileError::Disk`].
    pub fn rename(
        &mut self,
        disk: &mut dyn Disk,
        from: &str,
        to: &str,
        replace: bool,
    ) -> Result<(), FileError> {
        let to = check_name(to)?;
        self.settle(disk)?;
        self.find(from).ok_or(FileError::NotFound)?;
        if from == to {
            return Ok(());
        }
        if !replace && self.find(&to).is_some() {
            return Err(FileError::Exists);
        }
        let mut next = self.directory.clone();
        next.files.retain(|file| file.name != to);
        for file in &mut next.files {
            if file.name == from {
                file.name.clone_from(&to);
            }
        }
        self.commit(disk, next)
    }

    /// Forgets all files and overwrites the whole area with zeros, directories first. Open uploads are
    /// lost.
    ///
    /// # Errors
    /// [`FileError::Disk`].
    pub fn erase(&mut self, disk: &mut dyn Disk) -> Result<(), FileError> {
        self.uploads.clear();
        self.is_uncertain = true;
        self.slots.erase(disk)?;
        self.directory = Directory::default();
        self.is_uncertain = false;
        self.data.wipe(disk)?;
        Ok(disk.flush()?)
    }

    fn load(&mut self, disk: &mut dyn Disk) -> Mounted {
        let sectors = self.data.sectors;
        let contents = self
            .slots
            .read(disk, |payload| Directory::decode(payload, sectors));
        self.is_uncertain = !self.slots.is_flushed();
        self.directory = Directory::default();
        match contents {
            Contents::Empty => Mounted::Empty,
            Contents::Found {
                value, other_slot, ..
            } => {
                self.directory = value;
                Mounted::Found {
                    files: self.directory.files.len(),
                    other_slot,
                }
            }
            Contents::Damaged { slots } => {
                // What cannot be read now may be whole.
                self.is_uncertain |= unreadable(slots).is_some();
                Mounted::Damaged { slots }
            }
        }
    }

    /// Asks the disk again if what it holds is not certain.
    fn settle(&mut self, disk: &mut dyn Disk) -> Result<(), FileError> {
        if !self.is_uncertain {
            return Ok(());
        }
        disk.flush()?;
        if let Mounted::Damaged { slots } = self.load(disk)
            && let Some(error) = unreadable(slots)
        {
            return Err(error);
        }
        if self.is_uncertain {
            return Err(FileError::Directory);
        }
        Ok(())
    }

    /// Puts `file` into the directory, in the place of one of the same name.
    fn put(&mut self, disk: &mut dyn Disk, file: File) -> Result<(), FileError> {
        let mut next = self.directory.clone();
        match next.files.iter_mut().find(|old| old.name == file.name) {
            Some(old) => *old = file,
            None => next.files.push(file),
        }
        self.commit(disk, next)
    }

    fn commit(&mut self, disk: &mut dyn Disk, next: Directory) -> Result<(), FileError> {
        let mut payload = postcard::to_allocvec(&next).map_err(|_| FileError::Directory)?;
        match self.slots.write(disk, &mut payload) {
            Ok(_) => {
                self.directory = next;
                Ok(())
            }
            Err(SlotError::Disk(error)) => {
                self.is_uncertain = true;
                Err(error.into())
            }
            Err(SlotError::TooLarge | SlotError::GenerationExhausted) => Err(FileError::Directory),
        }
    }

    fn check_count(&self, name: &str) -> Result<(), FileError> {
        if self.find(name).is_none() && self.directory.files.len() >= FILES_MAX {
            return Err(FileError::TooManyFiles);
        }
        Ok(())
    }

    fn space(&self) -> Space {
        let uploads = self.uploads.iter().filter_map(Weak::upgrade);
        let held: Vec<Run> = uploads.flat_map(|held| held.borrow().clone()).collect();
        Space::new(self.data.sectors, self.directory.runs().chain(held))
    }

    /// Writes `bytes` from sector `first` of the data area on, the last sector filled with zeros.
    fn write_padded(&self, disk: &mut dyn Disk, first: u64, bytes: &[u8]) -> Result<(), FileError> {
        let (sectors, tail) = bytes.as_chunks::<SECTOR_LEN>();
        self.data.write(disk, first, sectors.as_flattened())?;
        if !tail.is_empty() {
            let mut sector = vec![0; SECTOR_LEN];
            if let Some(place) = sector.get_mut(..tail.len()) {
                place.copy_from_slice(tail);
            }
            self.data
                .write(disk, first.saturating_add(sectors.len() as u64), &sector)?;
        }
        Ok(())
    }
}

const fn bytes_of(sectors: u64) -> u64 {
    sectors.saturating_mul(SECTOR_LEN as u64)
}

fn unreadable(slots: [SlotFault; 2]) -> Option<FileError> {
    slots.into_iter().find_map(|fault| match fault {
        SlotFault::Unreadable(error) => Some(FileError::Disk(error)),
        _ => None,
    })
}

//! The files against a model that is a map, on a disk whose power fails.

mod model;
mod power;
mod single;

use std::collections::BTreeMap;

use hal_sim::disk::SimDisk;
use hal_sim::random::SplitMix;

use super::*;
use crate::layout::{Extent, Layout};

/// What should be there: names, contents, times.
type Model = BTreeMap<String, (Vec<u8>, u64)>;

const LIMIT: usize = 1 << 22;

fn area(disk: &SimDisk) -> FileArea {
    Layout::new(Extent::whole(disk)).unwrap().files.unwrap()
}

fn mount(disk: &SimDisk) -> (FileSystem, Mounted) {
    FileSystem::mount(&mut disk.clone(), area(disk))
}

/// Everything `files` hold, read back.
fn contents(files: &FileSystem, disk: &SimDisk) -> Model {
    files
        .list()
        .iter()
        .map(|file| {
            let bytes = files.read(&mut disk.clone(), file.name(), LIMIT).unwrap();
            assert_eq!(bytes.len() as u64, file.size_bytes());
            (file.name().into(), (bytes, file.modified_unix_secs()))
        })
        .collect()
}

fn noise(random: &mut SplitMix, len: usize) -> Vec<u8> {
    (0..len).map(|_| random.next_u64() as u8).collect()
}

/// One change, as the model and the files understand it.
#[derive(Clone, Debug)]
enum Change {
    Write(String, Vec<u8>, u64),
    Upload(String, Vec<u8>, u64, usize),
    Delete(String, bool),
    Rename(String, String),
}

impl Change {
    fn random(random: &mut SplitMix, now: u64) -> Self {
        let mut name = || format!("file {}", random.below(12));
        let (one, other) = (name(), name());
        let len = match random.below(4) {
            0 => random.below(3) * 512,
            1 => random.below(700),
            _ => random.below(40_000),
        };
        match random.below(10) {
            0..5 => Self::Write(one, noise(random, len as usize), now),
            5..7 => {
                let block = 1 + random.below(1_500) as usize;
                Self::Upload(one, noise(random, len as usize), now, block)
            }
            7 => Self::Delete(one, random.chance(500)),
            _ => Self::Rename(one, other),
        }
    }

    fn apply(&self, files: &mut FileSystem, disk: &mut SimDisk) -> Result<(), FileError> {
        match self {
            Self::Write(name, bytes, now) => files.write(disk, name, bytes, *now),
            Self::Upload(name, bytes, now, block) => {
                let mut upload = files.begin(name)?;
                for block in bytes.chunks(*block) {
                    files.append(disk, &mut upload, block)?;
                }
                files.finish(disk, upload, *now)
            }
            Self::Delete(name, wipe) => files.delete(disk, name, *wipe),
            Self::Rename(from, to) => files.rename(disk, from, to, true),
        }
    }

    fn apply_to(&self, model: &mut Model) {
        match self {
            Self::Write(name, bytes, now) | Self::Upload(name, bytes, now, _) => {
                model.insert(name.clone(), (bytes.clone(), *now));
            }
            Self::Delete(name, _) => {
                model.remove(name);
            }
            Self::Rename(from, to) => {
                if let Some(file) = model.remove(from) {
                    model.insert(to.clone(), file);
                }
            }
        }
    }
}

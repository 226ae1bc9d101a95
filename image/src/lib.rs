//! Lays the linked firmware out as the image a machine loads.
//!
//! The linker leaves one ELF file with code, data, debug information and the tables of the developer
//! log. A loader needs the first two only, so [`lay_out`] writes two files:
//!
//! | File | Holds | Read by |
//! | --- | --- | --- |
//! | `sallyport.elf` | ELF header, program headers, the bytes of each loadable segment and note | QEMU `-kernel`, any PVH loader |
//! | `sallyport.debug` | the linked file unchanged | `cargo xtask symbolise`, `cargo xtask logs` |
//!
//! [`disk`] makes a bootable disk of the first and the two loaders.
//!
//! Nothing is laid out that breaks the rules of [`check`]: no segment both writable and executable,
//! none that overlap, a PVH entry note, and at most [`MAX_IMAGE_BYTES`].
//!
//! Sources: System V ABI, AMD64 supplement (ELF); Xen `include/public/elfnote.h` (`XEN_ELFNOTE_PHYS32_ENTRY`).
#![forbid(unsafe_code)]

pub mod check;
pub mod disk;
mod error;
mod strip;

use std::fs;
use std::path::{Path, PathBuf};

pub use check::{Layout, Segment};
pub use error::ImageError;

/// Largest image accepted, in bytes: the project's aim of 4 MB.
pub const MAX_IMAGE_BYTES: u64 = 4_000_000;

/// File name of the loadable image.
pub const IMAGE_NAME: &str = "sallyport.elf";

/// File name of the unstripped twin.
pub const DEBUG_NAME: &str = "sallyport.debug";

/// What [`lay_out`] wrote.
#[derive(Clone, Debug)]
pub struct Image {
    /// The loadable file.
    pub elf: PathBuf,
    /// The linked file with symbols, line tables and log tables.
    pub debug: PathBuf,
    /// Size of the loadable file in bytes.
    pub size_bytes: u64,
    /// What the loader will find in it.
    pub layout: Layout,
}

/// Writes `sallyport.elf` and `sallyport.debug` into `directory` from the linked file `kernel`.
///
/// # Errors
/// Any [`ImageError`]; nothing is written unless every check holds.
pub fn lay_out(kernel: &Path, directory: &Path) -> Result<Image, ImageError> {
    let linked = fs::read(kernel).map_err(|source| ImageError::Read {
        path: kernel.into(),
        source,
    })?;
    let layout = check::check(&linked)?;
    let stripped = strip::strip(&linked, &layout)?;
    let size_bytes = stripped.len() as u64;
    if size_bytes > MAX_IMAGE_BYTES {
        return Err(ImageError::TooLarge {
            size_bytes,
            limit_bytes: MAX_IMAGE_BYTES,
        });
    }
    let elf = directory.join(IMAGE_NAME);
    let debug = directory.join(DEBUG_NAME);
    fs::create_dir_all(directory).map_err(|source| ImageError::Write {
        path: directory.into(),
        source,
    })?;
    for (path, bytes) in [(&elf, &stripped), (&debug, &linked)] {
        fs::write(path, bytes).map_err(|source| ImageError::Write {
            path: path.clone(),
            source,
        })?;
    }
    Ok(Image {
        elf,
        debug,
        size_bytes,
        layout,
    })
}

#[cfg(test)]
mod tests;

//! A disk as loaders see one.

use core::fmt;

/// Bytes of a sector. Devices with larger blocks (CDs, 4Kn disks) are read through an adapter that
/// counts in these.
pub const SECTOR: usize = 512;

/// Why sectors could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockError {
    /// They are not all on the device, or the length is not a whole number of sectors.
    OutOfRange,
    /// The device, or the machine's firmware before it, reported an error; its code where it has one.
    Device(u64),
    /// The device cannot be written.
    ReadOnly,
}

impl fmt::Display for BlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange => f.write_str("beyond the end of the disk"),
            Self::Device(code) => write!(f, "disk error {code:#x}"),
            Self::ReadOnly => f.write_str("the disk cannot be written"),
        }
    }
}

/// A device of [`SECTOR`]-byte sectors.
pub trait BlockDevice {
    /// Sectors on the device.
    fn sectors(&self) -> u64;

    /// Whether [`write`](Self::write) can succeed.
    fn is_writable(&self) -> bool;

    /// Reads whole sectors from `first` on.
    ///
    /// # Errors
    /// [`BlockError`]; `data` is then unspecified.
    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), BlockError>;

    /// Writes whole sectors from `first` on and brings them to the medium.
    ///
    /// # Errors
    /// [`BlockError`]; each sector is then old or new.
    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), BlockError>;
}

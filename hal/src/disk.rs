//! Sector storage.

/// Bytes of one sector.
pub const SECTOR_LEN: usize = 512;

/// Why a disk operation failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskError {
    /// The sectors are not all on the disk.
    OutOfRange,
    /// The length is not a whole number of sectors.
    Unaligned,
    /// The device reported an error.
    Device,
    /// The device did not answer in time.
    Timeout,
    /// The disk cannot be written.
    ReadOnly,
}

/// Checks that `len` bytes from sector `first` on are whole sectors of a disk of `sectors`.
///
/// # Errors
/// [`DiskError::Unaligned`], [`DiskError::OutOfRange`].
pub const fn check_range(sectors: u64, first: u64, len: usize) -> Result<(), DiskError> {
    if !len.is_multiple_of(SECTOR_LEN) {
        return Err(DiskError::Unaligned);
    }
    match first.checked_add((len / SECTOR_LEN) as u64) {
        Some(end) if end <= sectors => Ok(()),
        _ => Err(DiskError::OutOfRange),
    }
}

/// A disk of [`SECTOR_LEN`]-byte sectors.
///
/// A written sector is old or new after a power cut, never a mixture; the order in which
/// unflushed sectors reach the medium is not defined.
pub trait Disk {
    /// Sectors on the disk.
    fn sectors(&self) -> u64;

    /// Reads whole sectors from `first` on.
    ///
    /// # Errors
    /// Any [`DiskError`] but `ReadOnly`; `data` is then unspecified.
    fn read(&mut self, first: u64, data: &mut [u8]) -> Result<(), DiskError>;

    /// Writes whole sectors from `first` on. They may sit in the device's cache until
    /// [`flush`](Self::flush).
    ///
    /// # Errors
    /// Any [`DiskError`]; each sector is then old or new.
    fn write(&mut self, first: u64, data: &[u8]) -> Result<(), DiskError>;

    /// Returns when everything written before is on the medium.
    ///
    /// # Errors
    /// [`DiskError::Device`] or [`DiskError::Timeout`].
    fn flush(&mut self) -> Result<(), DiskError>;
}

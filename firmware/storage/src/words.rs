//! What a failing disk is called.

use hal::disk::DiskError;

/// `error` as a sentence.
#[must_use]
pub const fn disk_error(error: DiskError) -> &'static str {
    match error {
        DiskError::OutOfRange => "the disk is smaller than it said",
        DiskError::Unaligned => "the disk refused the alignment",
        DiskError::Device => "the disk reported an error",
        DiskError::Timeout => "the disk did not answer in time",
        DiskError::ReadOnly => "the disk is read-only",
    }
}

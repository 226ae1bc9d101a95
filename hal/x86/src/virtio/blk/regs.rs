//! Configuration, features and request layout of a virtio block device. Layout only.
//!
//! Source: virtio 1.2 §5.2.

/// Feature bits, §5.2.3.
pub(crate) mod feature {
    /// The configuration holds the longest segment.
    pub(crate) const SIZE_MAX: u64 = 1 << 1;
    /// The disk cannot be written.
    pub(crate) const RO: u64 = 1 << 5;
    /// The device has a cache, and a request that empties it.
    pub(crate) const FLUSH: u64 = 1 << 9;
}

/// Device-specific configuration, §5.2.4. Byte offsets.
pub(crate) mod config {
    /// Sectors of 512 bytes, 64 bits as two halves.
    pub(crate) const CAPACITY: usize = 0;
    /// Longest segment in bytes, 32 bits.
    pub(crate) const SIZE_MAX: usize = 8;
}

/// Request types, §5.2.6.
pub(crate) mod request {
    /// Device to memory.
    pub(crate) const IN: u32 = 0;
    /// Memory to device.
    pub(crate) const OUT: u32 = 1;
    /// Empty the cache.
    pub(crate) const FLUSH: u32 = 4;
}

/// Request header, §5.2.6: type 32 bits, reserved 32, first sector 64.
pub(crate) const HEADER_LEN: usize = 16;
/// Where the first sector is in it.
pub(crate) const HEADER_SECTOR: usize = 8;
/// Status of a request that was carried out, §5.2.6.
pub(crate) const STATUS_OK: u8 = 0;

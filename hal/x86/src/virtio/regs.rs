//! Registers and constants of a virtio device on PCI. Layout only.
//!
//! Source: virtio 1.2; sections are cited at each item.

/// PCI vendor of every virtio device, §4.1.2.
pub(crate) const VENDOR: u16 = 0x1af4;
/// First device identifier of the transitional range, §4.1.2.1.
pub(crate) const TRANSITIONAL_FIRST: u16 = 0x1000;
/// Last device identifier of the transitional range, §4.1.2.1.
pub(crate) const TRANSITIONAL_LAST: u16 = 0x103f;
/// Modern PCI device identifier less the virtio device type, §4.1.2.
pub(crate) const MODERN_FIRST: u16 = 0x1040;

/// Virtio device types, §5.
pub(crate) mod device_type {
    /// Network card, §5.1.
    pub(crate) const NET: u16 = 1;
    /// Block device, §5.2.
    pub(crate) const BLOCK: u16 = 2;
    /// Entropy source, §5.4.
    pub(crate) const ENTROPY: u16 = 4;
}

/// The vendor-specific capability that says where a structure is, §4.1.4. Byte offsets.
pub(crate) mod capability {
    /// Length of the capability, 8 bits.
    pub(crate) const LEN: u8 = 2;
    /// Which structure, 8 bits.
    pub(crate) const TYPE: u8 = 3;
    /// Which BAR, 8 bits.
    pub(crate) const BAR: u8 = 4;
    /// Offset within the BAR, 32 bits.
    pub(crate) const OFFSET: u8 = 8;
    /// Length of the structure, 32 bits.
    pub(crate) const LENGTH: u8 = 12;
    /// Bytes between the doorbells of consecutive offsets, 32 bits; notification structure only.
    pub(crate) const NOTIFY_MULTIPLIER: u8 = 16;

    /// Structure types, §4.1.4.
    pub(crate) const COMMON: u8 = 1;
    /// Doorbells.
    pub(crate) const NOTIFY: u8 = 2;
    /// Device-specific configuration.
    pub(crate) const DEVICE: u8 = 4;
}

/// The common configuration structure, §4.1.4.3. Byte offsets.
pub(crate) mod common {
    /// Which half of the device features is shown, 32 bits.
    pub(crate) const DEVICE_FEATURE_SELECT: usize = 0x00;
    /// Device features, 32 bits, read-only.
    pub(crate) const DEVICE_FEATURE: usize = 0x04;
    /// Which half of the accepted features is written, 32 bits.
    pub(crate) const DRIVER_FEATURE_SELECT: usize = 0x08;
    /// Accepted features, 32 bits.
    pub(crate) const DRIVER_FEATURE: usize = 0x0c;
    /// MSI-X vector of configuration changes, 16 bits.
    pub(crate) const CONFIG_MSIX_VECTOR: usize = 0x10;
    /// Number of queues, 16 bits, read-only.
    pub(crate) const NUM_QUEUES: usize = 0x12;
    /// Device status, 8 bits; writing 0 resets (§2.1).
    pub(crate) const DEVICE_STATUS: usize = 0x14;
    /// Changes whenever the device-specific configuration may have, 8 bits, read-only.
    pub(crate) const CONFIG_GENERATION: usize = 0x15;
    /// Which queue the following fields are of, 16 bits.
    pub(crate) const QUEUE_SELECT: usize = 0x16;
    /// Largest size when read, chosen size when written, 16 bits.
    pub(crate) const QUEUE_SIZE: usize = 0x18;
    /// MSI-X vector of the queue, 16 bits.
    pub(crate) const QUEUE_MSIX_VECTOR: usize = 0x1a;
    /// Written 1 when the queue is set up, 16 bits.
    pub(crate) const QUEUE_ENABLE: usize = 0x1c;
    /// Doorbell of the queue in units of the multiplier, 16 bits, read-only.
    pub(crate) const QUEUE_NOTIFY_OFF: usize = 0x1e;
    /// Descriptor table, 64 bits as two halves.
    pub(crate) const QUEUE_DESC: usize = 0x20;
    /// Available ring, 64 bits as two halves.
    pub(crate) const QUEUE_DRIVER: usize = 0x28;
    /// Used ring, 64 bits as two halves.
    pub(crate) const QUEUE_DEVICE: usize = 0x30;
    /// Bytes up to the end of the fields above.
    pub(crate) const LEN: u64 = 0x38;
}

/// No vector, §4.1.5.1.2.
pub(crate) const NO_VECTOR: u16 = 0xffff;

/// Bits of the device status, §2.1.
pub(crate) mod status {
    /// The driver has noticed the device.
    pub(crate) const ACKNOWLEDGE: u8 = 1;
    /// The driver knows how to drive it.
    pub(crate) const DRIVER: u8 = 2;
    /// The driver is set up.
    pub(crate) const DRIVER_OK: u8 = 4;
    /// Features are settled.
    pub(crate) const FEATURES_OK: u8 = 8;
    /// The device has failed and wants a reset.
    pub(crate) const DEVICE_NEEDS_RESET: u8 = 64;
    /// The driver has given up.
    pub(crate) const FAILED: u8 = 128;
}

/// Feature bits of every device, §6.
pub(crate) mod feature {
    /// Event indices instead of flags.
    pub(crate) const EVENT_IDX: u64 = 1 << 29;
    /// The device follows virtio 1.0 or later.
    pub(crate) const VERSION_1: u64 = 1 << 32;
    /// Addresses go through the platform's IOMMU, which is off here, so they are physical.
    pub(crate) const ACCESS_PLATFORM: u64 = 1 << 33;
}

//! Configuration, features and packet header of a virtio network card. Layout only.
//!
//! Source: virtio 1.2 §5.1.

/// Receive queue of the first pair, §5.1.2.
pub(crate) const RECEIVE_QUEUE: u16 = 0;
/// Transmit queue of the first pair, §5.1.2.
pub(crate) const TRANSMIT_QUEUE: u16 = 1;

/// Feature bits, §5.1.3.
pub(crate) mod feature {
    /// The configuration holds the address.
    pub(crate) const MAC: u64 = 1 << 5;
    /// A received frame may take several buffers.
    pub(crate) const MRG_RXBUF: u64 = 1 << 15;
    /// The configuration holds the link state.
    pub(crate) const STATUS: u64 = 1 << 16;
    /// The configuration holds speed and duplex.
    pub(crate) const SPEED_DUPLEX: u64 = 1 << 63;
}

/// Device-specific configuration, §5.1.4. Byte offsets.
pub(crate) mod config {
    /// Ethernet address, 6 bytes.
    pub(crate) const MAC: usize = 0;
    /// Status bits, 16 bits.
    pub(crate) const STATUS: usize = 6;
    /// Megabits per second, 32 bits; [`SPEED_MAX`] is the largest known value.
    pub(crate) const SPEED: usize = 12;
    /// 0 half, 1 full, 0xff unknown, 8 bits.
    pub(crate) const DUPLEX: usize = 16;
    /// The link is up, in [`STATUS`].
    pub(crate) const STATUS_LINK_UP: u16 = 1;
    /// "0 to 0x7fffffff" is a speed, all else unknown.
    pub(crate) const SPEED_MAX: u32 = 0x7fff_ffff;
    /// Full duplex.
    pub(crate) const DUPLEX_FULL: u8 = 1;
}

/// The header in front of every frame, §5.1.6: flags, kind of segmentation, header length, segment
/// size, checksum start, checksum offset, number of buffers. All zero asks for nothing.
pub(crate) const HEADER_LEN: usize = 12;
/// `num_buffers` within it, 16 bits.
pub(crate) const HEADER_NUM_BUFFERS: usize = 10;

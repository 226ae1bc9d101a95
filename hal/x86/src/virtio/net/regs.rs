//! Configuration, features and packet header of a virtio network card. Layout only.
//!
//! Source: virtio 1.2 §5.1.

/// Receive queue of the pair `pair`, from 0 on, §5.1.2.
pub(crate) const fn receive_queue(pair: u16) -> u16 {
    2 * pair
}

/// Transmit queue of the pair `pair`, from 0 on, §5.1.2.
pub(crate) const fn transmit_queue(pair: u16) -> u16 {
    2 * pair + 1
}

/// Feature bits, §5.1.3.
pub(crate) mod feature {
    /// The device completes checksums of sent frames.
    pub(crate) const CSUM: u64 = 1;
    /// The driver takes received frames with partial checksums.
    pub(crate) const GUEST_CSUM: u64 = 1 << 1;
    /// The configuration holds the address.
    pub(crate) const MAC: u64 = 1 << 5;
    /// The driver takes coalesced TCP segments in IPv4.
    pub(crate) const GUEST_TSO4: u64 = 1 << 7;
    /// The driver takes coalesced segments of which the first carries CWR.
    pub(crate) const GUEST_ECN: u64 = 1 << 9;
    /// The device cuts TCP segments in IPv4.
    pub(crate) const HOST_TSO4: u64 = 1 << 11;
    /// The device cuts segments that carry CWR as RFC 3168 wants it.
    pub(crate) const HOST_ECN: u64 = 1 << 13;
    /// A received frame may take several buffers.
    pub(crate) const MRG_RXBUF: u64 = 1 << 15;
    /// The configuration holds the link state.
    pub(crate) const STATUS: u64 = 1 << 16;
    /// There is a control queue.
    pub(crate) const CTRL_VQ: u64 = 1 << 17;
    /// There are several pairs of queues.
    pub(crate) const MQ: u64 = 1 << 22;
    /// The configuration holds speed and duplex.
    pub(crate) const SPEED_DUPLEX: u64 = 1 << 63;
}

/// Device-specific configuration, §5.1.4. Byte offsets.
pub(crate) mod config {
    /// Ethernet address, 6 bytes.
    pub(crate) const MAC: usize = 0;
    /// Status bits, 16 bits.
    pub(crate) const STATUS: usize = 6;
    /// Pairs of queues there are, 16 bits, 1 to [`PAIRS_LIMIT`].
    pub(crate) const MAX_PAIRS: usize = 8;
    /// The most pairs that a device may have.
    pub(crate) const PAIRS_LIMIT: u16 = 0x8000;
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

/// Commands of the control queue, §5.1.6.5: class and command, 8 bits each, data, and an answer of
/// 8 bits.
pub(crate) mod control {
    /// Class of commands about several pairs, §5.1.6.5.5.
    pub(crate) const CLASS_MQ: u8 = 4;
    /// Use so many pairs; the data is their number, 16 bits.
    pub(crate) const MQ_PAIRS_SET: u8 = 0;
    /// The answer to a command that was carried out.
    pub(crate) const OK: u8 = 0;
}

/// The header in front of every frame, §5.1.6. All zero asks for nothing.
pub(crate) const HEADER_LEN: usize = 12;

/// Fields of that header. Byte offsets and values.
pub(crate) mod header {
    /// Flags, 8 bits.
    pub(crate) const FLAGS: usize = 0;
    /// Kind of segmentation, 8 bits.
    pub(crate) const GSO_TYPE: usize = 1;
    /// Bytes of all headers of a frame to be segmented, 16 bits. A hint.
    pub(crate) const HDR_LEN: usize = 2;
    /// Payload bytes of a segment, 16 bits.
    pub(crate) const GSO_SIZE: usize = 4;
    /// First byte of the partial checksum, 16 bits.
    pub(crate) const CSUM_START: usize = 6;
    /// Where the sum goes, from there, 16 bits.
    pub(crate) const CSUM_OFFSET: usize = 8;
    /// Buffers of a received frame, 16 bits.
    pub(crate) const NUM_BUFFERS: usize = 10;

    /// The checksum is partial, in [`FLAGS`].
    pub(crate) const NEEDS_CSUM: u8 = 1;
    /// The checksum was found right, in [`FLAGS`].
    pub(crate) const DATA_VALID: u8 = 2;
    /// No segmentation, in [`GSO_TYPE`].
    pub(crate) const GSO_NONE: u8 = 0;
    /// TCP in IPv4, in [`GSO_TYPE`].
    pub(crate) const GSO_TCPV4: u8 = 1;
    /// The first segment carries CWR; added to [`GSO_TYPE`].
    pub(crate) const GSO_ECN: u8 = 0x80;
}

//! Network ports.

use crate::packet::{Batch, PacketPool};

/// An Ethernet address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MacAddr(pub [u8; 6]);

impl MacAddr {
    /// The address of every station.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// Whether a frame to this address goes to a group (broadcast included).
    #[must_use]
    pub const fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }
}

/// State of the cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Whether frames can pass.
    pub is_up: bool,
    /// Megabits per second, if the device knows.
    pub speed_mbps: Option<u32>,
    /// Whether both ends may send at once.
    pub full_duplex: bool,
}

/// What a port has counted since power-on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NicStats {
    /// Frames received without error.
    pub rx_packets: u64,
    /// Bytes of those frames.
    pub rx_bytes: u64,
    /// Frames lost because no buffer was free to refill the receive ring with.
    pub rx_no_buffer: u64,
    /// Frames the device marked bad, or gave back in a form its specification forbids.
    pub rx_errors: u64,
    /// Those of them whose offload header (checksum, segmentation) does not fit the frame.
    pub rx_bad_offload: u64,
    /// Frames handed to the device.
    pub tx_packets: u64,
    /// Bytes of those frames.
    pub tx_bytes: u64,
    /// Frames refused because the transmit ring stayed full.
    pub tx_ring_full: u64,
    /// Times the device was reset.
    pub resets: u64,
}

/// What a port does to frames it sends, if they ask for it ([`Offload`](crate::packet::Offload)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offloads {
    /// Completes partial checksums.
    pub checksum: bool,
    /// Cuts TCP segments in IPv4 that are longer than the medium takes. Implies `checksum`.
    pub tcp_segmentation: bool,
    /// Does so also if they carry CWR, which belongs into the first segment only (RFC 3168 §6.1.2).
    pub ecn_segmentation: bool,
}

impl Offloads {
    /// Everything that can be asked for.
    pub const ALL: Self = Self {
        checksum: true,
        tcp_segmentation: true,
        ecn_segmentation: true,
    };
}

/// A network port: takes and gives batches of whole Ethernet frames (without FCS).
///
/// # Contract
/// A port is silent until [`start`](Self::start): it neither delivers nor sends before, which is how
/// no frame passes before policy.
pub trait Nic {
    /// The chip, for `show interface` ("virtio-net").
    fn model(&self) -> &'static str;

    /// The burned-in address.
    fn mac(&self) -> MacAddr;

    /// What the port does to frames it sends; may change when it is started. The caller does the
    /// rest before [`transmit`](Self::transmit) ([`Finisher`](crate::offload::Finisher)).
    fn offloads(&self) -> Offloads {
        Offloads::default()
    }

    /// State of the cable now.
    fn link(&mut self) -> Link;

    /// What was counted since power-on.
    fn stats(&self) -> NicStats;

    /// Begins to receive, filling the receive ring from `pool`.
    fn start(&mut self, pool: &mut PacketPool);

    /// Ends receiving and sending, and gives every buffer back to `pool`.
    fn stop(&mut self, pool: &mut PacketPool);

    /// Moves received frames into `frames` until it is full or nothing is waiting, and refills the
    /// receive ring from `pool`.
    fn receive(&mut self, frames: &mut Batch, pool: &mut PacketPool);

    /// Moves frames from `frames` to the device in order, with one doorbell for all, and gives
    /// buffers of frames already sent back to `pool`.
    ///
    /// Frames that the transmit ring has no room for stay in `frames`; the caller decides.
    fn transmit(&mut self, frames: &mut Batch, pool: &mut PacketPool);

    /// Asks for an interrupt at the next received frame.
    ///
    /// Returns false if frames are waiting already, so that the caller does not sleep.
    fn arm_interrupt(&mut self) -> bool;

    /// Turns the receive interrupt off; the event loop polls while it is busy.
    fn disarm_interrupt(&mut self);
}

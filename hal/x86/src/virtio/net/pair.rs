//! A receive queue and a transmit queue, and the frames that move through them.

use hal::nic::NicStats;
use hal::packet::{Batch, PacketBuf, PacketPool};

use super::buffers::{Assembly, FRAME_OFFSET, Fate, HEADER_OFFSET, ReceiveBuffer, SentFrame};
use super::header::{self, BadOffload};
use super::regs::{HEADER_LEN, feature, receive_queue, transmit_queue};
use crate::virtio::ring::{Completed, QUEUE_SIZE_MAX, Virtqueue};
use crate::virtio::transport::{self, Reset, Transport, TransportError};

/// The device broke the protocol.
pub(super) struct Violation;

/// What became of a frame that was to be sent.
pub(super) enum Send {
    /// It is in the ring.
    Queued,
    /// The ring has no room for it now, or the pool no buffer; the frame is the caller's.
    Later(PacketBuf),
    /// It was counted and freed: it will never fit.
    Lost,
}

/// The queues of one number, with the features that were settled.
#[derive(Debug)]
pub(super) struct Pair {
    number: u16,
    features: u64,
    pub(super) receive: Virtqueue<ReceiveBuffer>,
    pub(super) transmit: Virtqueue<SentFrame>,
    assembly: Assembly,
}

impl Pair {
    /// Makes both queues, that for receiving of at most `receive_max` descriptors.
    pub(super) fn new(
        transport: &mut impl Transport,
        number: u16,
        receive_max: u16,
    ) -> Result<Self, TransportError> {
        Ok(Self {
            number,
            features: 0,
            receive: transport::make_queue(transport, receive_queue(number), receive_max)?,
            transmit: transport::make_queue(transport, transmit_queue(number), QUEUE_SIZE_MAX)?,
            assembly: Assembly::default(),
        })
    }

    /// Hands both queues to the device.
    pub(super) fn enable(
        &mut self,
        transport: &mut impl Transport,
        features: u64,
    ) -> Result<(), TransportError> {
        self.features = features;
        let (receive, transmit) = (receive_queue(self.number), transmit_queue(self.number));
        transport::enable_queue(transport, receive, &mut self.receive, features)?;
        transport::enable_queue(transport, transmit, &mut self.transmit, features)
    }

    /// Forgets a frame that is not complete: its device is about to be reset.
    pub(super) fn abandon(&mut self, pool: &mut PacketPool) {
        self.assembly.abandon(pool);
    }

    /// Takes every buffer back from a device that has been reset.
    pub(super) fn reclaim(&mut self, reset: &Reset, pool: &mut PacketPool) {
        self.receive.reclaim(reset, |buffer| pool.free(buffer.0));
        self.transmit.reclaim(reset, |frame| pool.free(frame.0));
    }

    fn has(&self, bit: u64) -> bool {
        self.features & bit != 0
    }

    /// Fills the receive ring as far as the pool goes: at the start, and later if the pool was
    /// empty then.
    pub(super) fn top_up(&mut self, pool: &mut PacketPool) {
        while self.receive.free() > 0 && pool.available() > 0 {
            let Some(buffer) = pool.take() else { return };
            if let Err(buffer) = self.receive.push(ReceiveBuffer(buffer)) {
                pool.free(buffer.0);
                return;
            }
        }
    }

    /// Shows the device the buffers it may fill.
    pub(super) fn publish_receive(&mut self, transport: &mut impl Transport) {
        if self.receive.publish() {
            transport.notify(receive_queue(self.number));
        }
    }

    /// Shows the device the frames it is to send.
    pub(super) fn publish_transmit(&mut self, transport: &mut impl Transport) {
        if self.transmit.publish() {
            transport.notify(transmit_queue(self.number));
        }
    }

    /// Gives buffers of sent frames back to the pool.
    pub(super) fn reclaim_sent(&mut self, pool: &mut PacketPool) -> Result<(), Violation> {
        while let Some(done) = self.transmit.take_used().map_err(|_| Violation)? {
            pool.free(done.transfer.0);
        }
        Ok(())
    }

    /// Moves what was received into `frames`, and refills the ring.
    pub(super) fn receive(
        &mut self,
        frames: &mut Batch,
        pool: &mut PacketPool,
        stats: &mut NicStats,
    ) -> Result<(), Violation> {
        while !frames.is_full() {
            let Some(done) = self.receive.take_used().map_err(|_| Violation)? else {
                break;
            };
            if let Some(frame) = self.accept(done, pool, stats)? {
                stats.rx_packets += 1;
                stats.rx_bytes += frame.frame_len() as u64;
                if let Err(frame) = frames.push_back(frame) {
                    pool.free(frame);
                }
            }
        }
        self.top_up(pool);
        Ok(())
    }

    /// Takes one used buffer; returns a frame if that was its last.
    fn accept(
        &mut self,
        done: Completed<ReceiveBuffer>,
        pool: &mut PacketPool,
        stats: &mut NicStats,
    ) -> Result<Option<PacketBuf>, Violation> {
        let ReceiveBuffer(mut buffer) = done.transfer;
        // At most the buffer's length, as the ring cut it.
        let len = done.len as usize;
        let is_first = self.assembly.is_idle();
        if is_first {
            let is_mergeable = self.has(feature::MRG_RXBUF);
            if self.assembly.begin(&buffer, is_mergeable).is_err() {
                pool.free(buffer);
                return Err(Violation);
            }
        }
        // More than the buffer, or a first one without a byte of frame: this frame is lost, the
        // ring goes on.
        if done.is_overlong || (is_first && len <= HEADER_LEN) {
            self.assembly.fate = Fate::Bad;
        }
        if self.assembly.fate == Fate::Whole {
            if let Some(replacement) = pool.take() {
                let start = if is_first {
                    FRAME_OFFSET
                } else {
                    HEADER_OFFSET
                };
                buffer.set_range(start, HEADER_OFFSET + len);
                if is_first && !self.note_offload(&mut buffer) {
                    self.assembly.fate = Fate::BadOffload;
                }
                self.give_back(replacement, pool);
                if let Err(buffer) = self.assembly.keep(buffer) {
                    pool.free(buffer);
                }
            } else {
                self.assembly.fate = Fate::NoBuffer;
                self.give_back(buffer, pool);
            }
        } else {
            self.give_back(buffer, pool);
        }
        if !self.assembly.advance() {
            return Ok(None);
        }
        match self.assembly.fate {
            Fate::Whole => return Ok(self.assembly.join()),
            Fate::Bad => stats.rx_errors += 1,
            Fate::BadOffload => {
                stats.rx_errors += 1;
                stats.rx_bad_offload += 1;
            }
            Fate::NoBuffer => stats.rx_no_buffer += 1,
        }
        self.assembly.abandon(pool);
        Ok(None)
    }

    /// The one way a buffer goes to the device for receiving.
    fn give_back(&mut self, buffer: PacketBuf, pool: &mut PacketPool) {
        // The ring has room, since the buffer (or the one it replaces) has just left it.
        if let Err(buffer) = self.receive.push(ReceiveBuffer(buffer)) {
            pool.free(buffer.0);
        }
    }

    /// Takes what the header says into `first`, the first buffer of a frame. Returns false if it does
    /// not fit.
    fn note_offload(&self, first: &mut PacketBuf) -> bool {
        let storage = first.storage().get(HEADER_OFFSET..);
        let Some(header) = storage.and_then(<[u8]>::first_chunk) else {
            return false;
        };
        match header::read(header, first.len(), self.features) {
            Ok(offload) => {
                first.set_offload(offload);
                true
            }
            Err(BadOffload) => false,
        }
    }

    /// Puts a frame into the ring; the device sees it after
    /// [`publish_transmit`](Self::publish_transmit).
    pub(super) fn send(
        &mut self,
        frame: PacketBuf,
        pool: &mut PacketPool,
        stats: &mut NicStats,
    ) -> Send {
        let descriptors = SentFrame::descriptors_for(&frame);
        if descriptors > usize::from(self.transmit.free()) {
            if descriptors <= usize::from(self.transmit.size()) {
                return Send::Later(frame);
            }
            // More parts than the whole ring: it would wait for ever.
            stats.tx_ring_full += 1;
            pool.free(frame);
            return Send::Lost;
        }
        let bytes = frame.frame_len() as u64;
        let frame = match SentFrame::new(frame, pool) {
            Ok(frame) => frame,
            Err(frame) => return Send::Later(frame),
        };
        match self.transmit.push(frame) {
            Ok(()) => {
                stats.tx_packets += 1;
                stats.tx_bytes += bytes;
                Send::Queued
            }
            // Cannot be, as the room was counted before; if it is, the frame is not lost twice.
            Err(frame) => {
                stats.tx_ring_full += 1;
                pool.free(frame.0);
                Send::Lost
            }
        }
    }
}

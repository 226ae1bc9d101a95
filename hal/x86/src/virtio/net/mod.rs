//! virtio-net: frames move between the packet pool and the device without a copy.
//!
//! A receive buffer is a pool buffer; the device puts its 12-byte header into the headroom, right
//! before the frame. A sent frame's own buffer goes into the ring with the header in its headroom.
//! The receive ring is always full: a frame is delivered only if the pool has a buffer to take its
//! place, else its own buffer goes back and the frame is counted as lost. So no shortage, however
//! long, leaves the device without buffers.
//!
//! Sent frames raise no interrupts at all (their queue has no vector); they are taken back at the
//! next call. Received ones do only while armed.
//!
//! ```text
//! Stopped --start--> Running --the device breaks the protocol--> Faulted
//!    ^                  |  ^----------- a second later ------------/ |
//!    \------stop--------/                                           |
//!    \-------------------------stop---------------------------------/
//! Dead: a reset did not end; the device may still use its memory, so it is never touched again.
//! ```
//!
//! Checksums and segmentation cross in the device's header (`header.rs`): a frame of up to 64 KiB is
//! received into merged buffers and leaves as one chain, and only the device at the far end of the
//! path, or nobody, cuts it. One queue pair is used: one processor forwards, and every further pair
//! would be one more ring to look at for it.
//!
//! Neighbours: `ring.rs` moves the memory, `transport.rs` brings the device up. Source: virtio 1.2
//! §5.1.

mod buffers;
mod header;
pub(crate) mod regs;

use core::time::Duration;

use hal::nic::{Link, MacAddr, Nic, NicStats, Offloads};
use hal::packet::{Batch, PacketBuf, PacketPool};
use hal::time::{Instant, Monotonic};

use self::buffers::{Assembly, FRAME_OFFSET, Fate, HEADER_OFFSET, ReceiveBuffer, SentFrame};
use self::header::BadOffload;
use self::regs::{HEADER_LEN, RECEIVE_QUEUE, TRANSMIT_QUEUE, config, feature};
use super::ring::{Completed, Virtqueue};
use super::transport::{self, Transport, TransportError};

const REQUIRED: u64 = feature::MAC;

/// What a device that offers `offered` is asked for. A feature without those it needs (§5.1.3.1) is
/// not.
fn wanted(offered: u64) -> u64 {
    let mut wanted = offered & (feature::MRG_RXBUF | feature::STATUS | feature::SPEED_DUPLEX);
    let mut add = |bit: u64, needed: u64| {
        if wanted & needed == needed {
            wanted |= offered & bit;
        }
    };
    add(feature::CSUM, 0);
    add(feature::HOST_TSO4, feature::CSUM);
    add(feature::HOST_ECN, feature::HOST_TSO4);
    add(feature::GUEST_CSUM, 0);
    // Without merged buffers every one would have to hold 64 KiB (§5.1.6.3.1).
    add(
        feature::GUEST_TSO4,
        feature::GUEST_CSUM | feature::MRG_RXBUF,
    );
    add(feature::GUEST_ECN, feature::GUEST_TSO4);
    wanted
}

/// A device that broke the protocol is started again after this time, so that one that always does
/// costs next to nothing.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What the driver is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Stopped,
    Running,
    Faulted { retry_at: Instant },
    Dead,
}

/// The device broke the protocol.
struct Violation;

/// A virtio network card on `T`, with `C` to time its resets.
#[derive(Debug)]
pub struct VirtioNet<T, C> {
    transport: T,
    clock: C,
    features: u64,
    mac: MacAddr,
    state: State,
    wants_reset: bool,
    receive: Virtqueue<ReceiveBuffer>,
    transmit: Virtqueue<SentFrame>,
    assembly: Assembly,
    /// Frames that stayed with the caller at the last call, so that each is counted once.
    left: usize,
    stats: NicStats,
}

impl<T: Transport, C: Monotonic> VirtioNet<T, C> {
    /// Brings the device up as far as its features; it stays silent until
    /// [`start`](Nic::start).
    ///
    /// # Errors
    /// Any [`TransportError`].
    pub fn new(mut transport: T, clock: C) -> Result<Self, TransportError> {
        transport::reset(&mut transport, &clock)?;
        let features = transport::settle_features(&mut transport, wanted, REQUIRED)?;
        let receive = transport::make_queue(&mut transport, RECEIVE_QUEUE)?;
        let transmit = transport::make_queue(&mut transport, TRANSMIT_QUEUE)?;
        let mut mac = [0; 6];
        for (position, byte) in mac.iter_mut().enumerate() {
            *byte = transport.config_u8(config::MAC + position);
        }
        Ok(Self {
            transport,
            clock,
            features,
            mac: MacAddr(mac),
            state: State::Stopped,
            wants_reset: false,
            receive,
            transmit,
            assembly: Assembly::default(),
            left: 0,
            stats: NicStats::default(),
        })
    }

    fn has(&self, bit: u64) -> bool {
        self.features & bit != 0
    }

    /// Resets the device, takes every buffer back and settles the features again. Returns whether
    /// that worked.
    fn silence(&mut self, pool: &mut PacketPool) -> bool {
        self.assembly.abandon(pool);
        let Ok(reset) = transport::reset(&mut self.transport, &self.clock) else {
            self.state = State::Dead;
            return false;
        };
        self.receive.reclaim(&reset, |buffer| pool.free(buffer.0));
        self.transmit.reclaim(&reset, |frame| pool.free(frame.0));
        match transport::settle_features(&mut self.transport, wanted, REQUIRED) {
            Ok(features) => {
                self.features = features;
                true
            }
            Err(_) => {
                self.state = State::Dead;
                false
            }
        }
    }

    fn run(&mut self, pool: &mut PacketPool) {
        if !self.silence(pool) {
            return;
        }
        let features = self.features;
        let receive = &mut self.receive;
        let transmit = &mut self.transmit;
        let enabled =
            transport::enable_queue(&mut self.transport, RECEIVE_QUEUE, receive, features).and(
                transport::enable_queue(&mut self.transport, TRANSMIT_QUEUE, transmit, features),
            );
        if enabled.is_err() {
            self.state = State::Dead;
            return;
        }
        self.state = State::Running;
        self.top_up(pool);
        // The rings are filled before the device looks; the doorbell may be rung only after.
        let wants_doorbell = self.receive.publish();
        transport::driver_ok(&mut self.transport);
        if wants_doorbell {
            self.transport.notify(RECEIVE_QUEUE);
        }
    }

    /// Resets a device that broke the protocol; it is started again after [`RETRY_AFTER`].
    fn fault(&mut self, pool: &mut PacketPool) {
        self.stats.rx_errors += 1;
        self.stats.resets += 1;
        self.wants_reset = false;
        if self.silence(pool) {
            self.state = State::Faulted {
                retry_at: self.clock.now() + RETRY_AFTER,
            };
        }
    }

    /// Whether frames can move now; resets a device that asked for it, and starts a faulted one
    /// again when its time has come.
    fn is_running(&mut self, pool: &mut PacketPool) -> bool {
        if self.wants_reset && self.state == State::Running {
            self.fault(pool);
        }
        if let State::Faulted { retry_at } = self.state
            && self.clock.now() >= retry_at
        {
            self.run(pool);
        }
        self.state == State::Running
    }

    /// Fills the receive ring as far as the pool goes: at the start, and later if the pool was
    /// empty then.
    fn top_up(&mut self, pool: &mut PacketPool) {
        while self.receive.free() > 0 && pool.available() > 0 {
            let Some(buffer) = pool.take() else { return };
            if let Err(buffer) = self.receive.push(ReceiveBuffer(buffer)) {
                pool.free(buffer.0);
                return;
            }
        }
    }

    /// The one way a buffer goes to the device for receiving.
    fn give_back(&mut self, buffer: PacketBuf, pool: &mut PacketPool) {
        // The ring has room, since the buffer (or the one it replaces) has just left it.
        if let Err(buffer) = self.receive.push(ReceiveBuffer(buffer)) {
            pool.free(buffer.0);
        }
    }

    fn reclaim_sent(&mut self, pool: &mut PacketPool) -> Result<(), Violation> {
        while let Some(done) = self.transmit.take_used().map_err(|_| Violation)? {
            pool.free(done.transfer.0);
        }
        Ok(())
    }

    fn receive_all(&mut self, frames: &mut Batch, pool: &mut PacketPool) -> Result<(), Violation> {
        while !frames.is_full() {
            let Some(done) = self.receive.take_used().map_err(|_| Violation)? else {
                return Ok(());
            };
            if let Some(frame) = self.accept(done, pool)? {
                self.stats.rx_packets += 1;
                self.stats.rx_bytes += frame.frame_len() as u64;
                if let Err(frame) = frames.push_back(frame) {
                    pool.free(frame);
                }
            }
        }
        Ok(())
    }

    /// Takes one used buffer; returns a frame if that was its last.
    fn accept(
        &mut self,
        done: Completed<ReceiveBuffer>,
        pool: &mut PacketPool,
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
            Fate::Bad => self.stats.rx_errors += 1,
            Fate::BadOffload => {
                self.stats.rx_errors += 1;
                self.stats.rx_bad_offload += 1;
            }
            Fate::NoBuffer => self.stats.rx_no_buffer += 1,
        }
        self.assembly.abandon(pool);
        Ok(None)
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

    fn send_all(&mut self, frames: &mut Batch, pool: &mut PacketPool) {
        while let Some(frame) = frames.front() {
            let descriptors = SentFrame::descriptors_for(frame);
            let has_room = descriptors <= usize::from(self.transmit.free());
            if !has_room && descriptors <= usize::from(self.transmit.size()) {
                break;
            }
            let Some(frame) = frames.pop_front() else {
                break;
            };
            if !has_room {
                // More parts than the whole ring: it would wait for ever.
                self.stats.tx_ring_full += 1;
                pool.free(frame);
                continue;
            }
            let bytes = frame.frame_len() as u64;
            let frame = match SentFrame::new(frame, pool) {
                Ok(frame) => frame,
                Err(frame) => {
                    put_back(frame, frames, pool);
                    break;
                }
            };
            match self.transmit.push(frame) {
                Ok(()) => {
                    self.stats.tx_packets += 1;
                    self.stats.tx_bytes += bytes;
                }
                // Cannot be, as the room was counted before; if it is, the frame is not lost twice.
                Err(frame) => {
                    self.stats.tx_ring_full += 1;
                    pool.free(frame.0);
                    break;
                }
            }
        }
    }
}

/// Puts a frame back to the front of the queue it was just taken from.
fn put_back(frame: PacketBuf, frames: &mut Batch, pool: &mut PacketPool) {
    if let Err(frame) = frames.push_front(frame) {
        pool.free(frame);
    }
}

impl<T: Transport, C: Monotonic> Nic for VirtioNet<T, C> {
    fn model(&self) -> &'static str {
        "virtio-net"
    }

    fn mac(&self) -> MacAddr {
        self.mac
    }

    fn offloads(&self) -> Offloads {
        Offloads {
            checksum: self.has(feature::CSUM),
            tcp_segmentation: self.has(feature::HOST_TSO4),
            ecn_segmentation: self.has(feature::HOST_ECN),
        }
    }

    /// Reads the device's configuration, which costs an exit to the hypervisor: once a second or
    /// after an interrupt, not per packet.
    fn link(&mut self) -> Link {
        let is_working = matches!(self.state, State::Stopped | State::Running);
        self.wants_reset = is_working && transport::needs_reset(&mut self.transport);
        if !is_working || self.wants_reset {
            return Link::default();
        }
        let is_up = !self.has(feature::STATUS)
            || self.transport.config_u16(config::STATUS) & config::STATUS_LINK_UP != 0;
        if !self.has(feature::SPEED_DUPLEX) {
            return Link {
                is_up,
                speed_mbps: None,
                full_duplex: true,
            };
        }
        let speed = self.transport.config_u32(config::SPEED);
        Link {
            is_up,
            speed_mbps: (speed <= config::SPEED_MAX && speed != 0).then_some(speed),
            full_duplex: self.transport.config_u8(config::DUPLEX) == config::DUPLEX_FULL,
        }
    }

    fn stats(&self) -> NicStats {
        self.stats
    }

    fn start(&mut self, pool: &mut PacketPool) {
        if self.state == State::Stopped {
            self.run(pool);
        }
    }

    fn stop(&mut self, pool: &mut PacketPool) {
        if self.state != State::Dead && self.silence(pool) {
            self.state = State::Stopped;
        }
    }

    fn receive(&mut self, frames: &mut Batch, pool: &mut PacketPool) {
        if !self.is_running(pool) {
            return;
        }
        let done = self
            .reclaim_sent(pool)
            .and_then(|()| self.receive_all(frames, pool));
        if done.is_err() {
            self.fault(pool);
            return;
        }
        self.top_up(pool);
        if self.receive.publish() {
            self.transport.notify(RECEIVE_QUEUE);
        }
    }

    fn transmit(&mut self, frames: &mut Batch, pool: &mut PacketPool) {
        let offered = frames.len();
        if self.is_running(pool) {
            if self.reclaim_sent(pool).is_err() {
                self.fault(pool);
            } else {
                self.send_all(frames, pool);
                if self.transmit.publish() {
                    self.transport.notify(TRANSMIT_QUEUE);
                }
            }
        }
        let still_left = self
            .left
            .saturating_sub(offered - frames.len().min(offered));
        self.stats.tx_ring_full += frames.len().saturating_sub(still_left) as u64;
        self.left = frames.len();
    }

    fn arm_interrupt(&mut self) -> bool {
        self.state != State::Running || self.receive.arm_interrupt()
    }

    fn disarm_interrupt(&mut self) {
        if self.state == State::Running {
            self.receive.disarm_interrupt();
        }
    }
}

#[cfg(test)]
mod tests;

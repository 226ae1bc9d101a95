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
//! path, or nobody, cuts it.
//!
//! A device that offers several pairs of queues gets up to four of them driven, so that its
//! side can spread the work over threads of its own; one processor looks at all of ours. They share the
//! receive descriptors that a single pair would have, so more pairs take no more buffers. A flow stays in its
//! pair (`steer.rs`).
//!
//! Neighbours: `../ring.rs` moves the memory, `../transport.rs` brings the device up. Source: virtio 1.2
//! §5.1.

mod buffers;
mod control;
mod header;
mod pair;
pub(crate) mod regs;
mod steer;

use core::time::Duration;

use hal::nic::{Link, MacAddr, Nic, NicStats, Offloads};
use hal::packet::{Batch, PacketBuf, PacketPool};
use hal::time::{Instant, Monotonic};

use self::control::Control;
use self::pair::{Pair, Send, Violation};
use self::regs::{config, feature};
use super::ring::QUEUE_SIZE_MAX;
use super::transport::{self, Transport, TransportError};

/// The most pairs of queues that are driven.
pub(crate) const PAIRS_MAX: usize = 4;

const REQUIRED: u64 = feature::MAC;

/// What a device that offers `offered` is asked for. A feature without those it needs (§5.1.3.1) is
/// not; several pairs only if they are of use.
fn wanted(offered: u64, several_pairs: bool) -> u64 {
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
    if several_pairs {
        add(feature::CTRL_VQ, 0);
        add(feature::MQ, feature::CTRL_VQ);
    }
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

/// A virtio network card on `T`, with `C` to time its resets.
#[derive(Debug)]
pub struct VirtioNet<T, C> {
    transport: T,
    clock: C,
    features: u64,
    mac: MacAddr,
    state: State,
    wants_reset: bool,
    /// At least one.
    pairs: heapless::Vec<Pair, PAIRS_MAX>,
    /// Of those, how many the device uses now.
    in_use: usize,
    /// There if the device offers several pairs and has not refused to use them.
    control: Option<Control>,
    /// The pair that is looked at first when frames are received.
    turn: usize,
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
        let features =
            transport::settle_features(&mut transport, |offered| wanted(offered, true), REQUIRED)?;
        let (pairs, control) = make_queues(&mut transport, features)?;
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
            pairs,
            in_use: 1,
            control,
            turn: 0,
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
        for pair in &mut self.pairs {
            pair.abandon(pool);
        }
        let Ok(reset) = transport::reset(&mut self.transport, &self.clock) else {
            self.state = State::Dead;
            return false;
        };
        for pair in &mut self.pairs {
            pair.reclaim(&reset, pool);
        }
        if let Some(control) = &mut self.control {
            control.reclaim(&reset);
        }
        let several = self.control.is_some();
        let wanted = |offered| wanted(offered, several);
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
        if self.bring_up(pool).is_err() {
            self.state = State::Dead;
            return;
        }
        let Some(control) = &mut self.control else {
            return;
        };
        // At most `PAIRS_MAX`.
        let count = self.pairs.len() as u16;
        if control.use_pairs(&mut self.transport, &self.clock, count) {
            self.in_use = self.pairs.len();
        } else {
            // It offers several pairs and will not use them: it is never asked again.
            self.control = None;
            self.stats.resets += 1;
            self.run(pool);
        }
    }

    /// Hands the queues over, filled, and lets the device work with the first pair.
    fn bring_up(&mut self, pool: &mut PacketPool) -> Result<(), TransportError> {
        let several = self.has(feature::MQ) && self.control.is_some();
        if !several {
            self.control = None;
            self.pairs.truncate(1);
        }
        for pair in &mut self.pairs {
            pair.enable(&mut self.transport, self.features)?;
        }
        if let Some(control) = &mut self.control {
            control.enable(&mut self.transport, self.features)?;
        }
        self.in_use = 1;
        self.state = State::Running;
        let mut doorbells: heapless::Vec<bool, PAIRS_MAX> = heapless::Vec::new();
        for pair in &mut self.pairs {
            pair.top_up(pool);
            // The rings are filled before the device looks; a doorbell may be rung only after.
            let _ = doorbells.push(pair.receive.publish());
        }
        transport::driver_ok(&mut self.transport);
        for (number, wants_doorbell) in (0..).zip(doorbells) {
            if wants_doorbell {
                self.transport.notify(regs::receive_queue(number));
            }
        }
        Ok(())
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

    fn reclaim_sent(&mut self, pool: &mut PacketPool) -> Result<(), Violation> {
        let pairs = self.pairs.iter_mut().take(self.in_use);
        for pair in pairs {
            pair.reclaim_sent(pool)?;
        }
        Ok(())
    }

    /// Takes from every pair in turn, beginning with another one each time.
    fn receive_all(&mut self, frames: &mut Batch, pool: &mut PacketPool) -> Result<(), Violation> {
        self.turn = (self.turn + 1) % self.in_use;
        let (first, rest) = self.pairs.split_at_mut(self.turn);
        let rest_len = self.in_use - self.turn;
        for pair in rest.iter_mut().take(rest_len).chain(first) {
            pair.receive(frames, pool, &mut self.stats)?;
            pair.publish_receive(&mut self.transport);
        }
        Ok(())
    }

    fn send_all(&mut self, frames: &mut Batch, pool: &mut PacketPool) {
        while let Some(frame) = frames.pop_front() {
            let number = steer::pair_of(frame.bytes(), self.in_use);
            let Some(pair) = self.pairs.get_mut(number) else {
                put_back(frame, frames, pool);
                break;
            };
            match pair.send(frame, pool, &mut self.stats) {
                Send::Queued | Send::Lost => {}
                Send::Later(frame) => {
                    put_back(frame, frames, pool);
                    break;
                }
            }
        }
    }
}

/// Makes the pairs of a device with these features, and its control queue if there are several. Those
/// beyond the first are made only if everything they need is there.
fn make_queues(
    transport: &mut impl Transport,
    features: u64,
) -> Result<(heapless::Vec<Pair, PAIRS_MAX>, Option<Control>), TransportError> {
    let offered = match features & feature::MQ {
        0 => 1,
        _ => transport.config_u16(config::MAX_PAIRS),
    };
    let mut pairs = heapless::Vec::new();
    if (2..=config::PAIRS_LIMIT).contains(&offered) {
        let count = offered.min(PAIRS_MAX as u16);
        // Together they have what one would: the number of pairs is no power of two, sizes are.
        let receive_max = QUEUE_SIZE_MAX / count.next_power_of_two();
        for number in 0..count {
            let Ok(pair) = Pair::new(transport, number, receive_max) else {
                break;
            };
            let _ = pairs.push(pair);
        }
        // Behind all pairs there are, used or not (§5.1.2).
        let control = Control::new(transport, regs::receive_queue(offered)).ok();
        if pairs.len() == usize::from(count) && control.is_some() {
            return Ok((pairs, control));
        }
        pairs.clear();
    }
    let _ = pairs.push(Pair::new(transport, 0, QUEUE_SIZE_MAX)?);
    Ok((pairs, None))
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
        }
    }

    fn transmit(&mut self, frames: &mut Batch, pool: &mut PacketPool) {
        let offered = frames.len();
        if self.is_running(pool) {
            if self.reclaim_sent(pool).is_err() {
                self.fault(pool);
            } else {
                self.send_all(frames, pool);
                for pair in self.pairs.iter_mut().take(self.in_use) {
                    pair.publish_transmit(&mut self.transport);
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
        let mut is_quiet = true;
        if self.state == State::Running {
            for pair in self.pairs.iter_mut().take(self.in_use) {
                is_quiet &= pair.receive.arm_interrupt();
            }
        }
        is_quiet
    }

    fn disarm_interrupt(&mut self) {
        if self.state == State::Running {
            for pair in self.pairs.iter_mut().take(self.in_use) {
                pair.receive.disarm_interrupt();
            }
        }
    }
}

#[cfg(test)]
mod tests;

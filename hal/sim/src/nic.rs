//! A network port at the end of a [`Cable`].
//!
//! The cable copies frames, as a wire does, so a port holds no buffers of the pool between calls: a
//! received frame takes one when it is delivered, and is lost and counted when there is none.

use hal::nic::{Link, MacAddr, Nic, NicStats, Offloads};
use hal::packet::{Batch, HEADROOM, Offload, PacketBuf, PacketPool, SINGLE_FRAME_MAX};

use crate::cable::{Cable, End, Side};
use crate::clock::VirtualClock;
use crate::coalesce::{self, Coalesced};

/// Where the IPv4 header of a frame is.
const ETHERNET_LEN: usize = 14;

/// A simulated network port.
#[derive(Debug)]
pub struct SimNic {
    end: End,
    mac: MacAddr,
    is_started: bool,
    is_armed: bool,
    coalesces: bool,
    offloads: Offloads,
    stats: NicStats,
}

impl SimNic {
    /// A port at `end`, silent until it is started.
    #[must_use]
    pub fn new(end: End, mac: MacAddr) -> Self {
        end.set_listening(false);
        Self {
            end,
            mac,
            is_started: false,
            is_armed: false,
            coalesces: false,
            offloads: Offloads::default(),
            stats: NicStats::default(),
        }
    }

    /// The same port, which does `offloads` to sent frames and, if it `coalesces`, joins received TCP
    /// segments and leaves their checksums partial. The cable carries ordinary frames in any case.
    #[must_use]
    pub fn with_offloads(mut self, offloads: Offloads, coalesces: bool) -> Self {
        self.offloads = offloads;
        self.coalesces = coalesces;
        self
    }

    /// Two ports joined by a cable.
    #[must_use]
    pub fn pair(clock: &VirtualClock, seed: u64, macs: [MacAddr; 2]) -> (Self, Self, Cable) {
        let cable = Cable::new(clock, seed);
        let [left, right] = macs;
        (
            Self::new(cable.end(Side::Left), left),
            Self::new(cable.end(Side::Right), right),
            cable,
        )
    }

    /// A port whose cable's other end the test holds: it sends what the port shall receive and takes
    /// what the port sent.
    #[must_use]
    pub fn on_bench(clock: &VirtualClock, mac: MacAddr) -> (Self, End) {
        let cable = Cable::new(clock, 0);
        let nic = Self::new(cable.end(Side::Left), mac);
        (nic, cable.end(Side::Right))
    }

    /// Whether the port would interrupt now: armed, and a frame is due.
    #[must_use]
    pub fn is_interrupting(&self) -> bool {
        self.is_armed && self.end.has_due()
    }
}

/// Copies `bytes` into as many buffers as they need.
fn fill(bytes: &[u8], pool: &mut PacketPool) -> Option<PacketBuf> {
    let mut frame: Option<PacketBuf> = None;
    // The last part first, so that each joins a single buffer.
    for part in bytes.chunks(SINGLE_FRAME_MAX).rev() {
        let Some(mut buf) = pool.take() else {
            if let Some(rest) = frame {
                pool.free(rest);
            }
            return None;
        };
        buf.set_range(HEADROOM, HEADROOM + part.len());
        buf.bytes_mut().copy_from_slice(part);
        if let Some(rest) = frame {
            buf.append(rest);
        }
        frame = Some(buf);
    }
    frame
}

impl Nic for SimNic {
    fn model(&self) -> &'static str {
        "simulated"
    }

    fn mac(&self) -> MacAddr {
        self.mac
    }

    fn offloads(&self) -> Offloads {
        self.offloads
    }

    fn link(&mut self) -> Link {
        Link {
            is_up: self.end.is_plugged(),
            speed_mbps: Some(1_000),
            full_duplex: true,
        }
    }

    fn stats(&self) -> NicStats {
        self.stats
    }

    fn start(&mut self, _pool: &mut PacketPool) {
        self.is_started = true;
        self.end.set_listening(true);
    }

    fn stop(&mut self, _pool: &mut PacketPool) {
        self.is_started = false;
        self.is_armed = false;
        self.end.set_listening(false);
    }

    fn receive(&mut self, frames: &mut Batch, pool: &mut PacketPool) {
        while !frames.is_full() {
            let Some(bytes) = self.end.receive() else {
                return;
            };
            if bytes.is_empty() {
                self.stats.rx_errors += 1;
                continue;
            }
            let (bytes, offload) = if self.coalesces {
                let mut whole = Coalesced::new(bytes, ETHERNET_LEN);
                while self.end.receive_if(|next| whole.join(next)).is_some() {}
                whole.finish()
            } else {
                (bytes, Offload::default())
            };
            let Some(mut frame) = fill(&bytes, pool) else {
                self.stats.rx_no_buffer += 1;
                continue;
            };
            frame.set_offload(offload);
            self.stats.rx_packets += 1;
            self.stats.rx_bytes += bytes.len() as u64;
            if let Err(frame) = frames.push_back(frame) {
                pool.free(frame);
            }
        }
    }

    fn transmit(&mut self, frames: &mut Batch, pool: &mut PacketPool) {
        while self.is_started
            && let Some(frame) = frames.front()
        {
            let bytes: Vec<u8> = frame.segments().flatten().copied().collect();
            let len = bytes.len() as u64;
            let wired = coalesce::put_on_wire(bytes, frame.offload());
            // A ring that is full takes nothing; one that was not takes the frame whole.
            let mut wired = wired.iter();
            if !wired.next().is_some_and(|first| self.end.send(first)) {
                break;
            }
            for segment in wired {
                let _ = self.end.send(segment);
            }
            self.stats.tx_packets += 1;
            self.stats.tx_bytes += len;
            if let Some(frame) = frames.pop_front() {
                pool.free(frame);
            }
        }
        self.stats.tx_ring_full += frames.len() as u64;
    }

    fn arm_interrupt(&mut self) -> bool {
        self.is_armed = true;
        !self.end.has_due()
    }

    fn disarm_interrupt(&mut self) {
        self.is_armed = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);

    struct Bench {
        nic: SimNic,
        wire: End,
        pool: PacketPool,
        frames: Batch,
    }

    fn bench(buffers: usize) -> Bench {
        let (mut nic, wire) = SimNic::on_bench(&VirtualClock::new(), MAC);
        let mut pool = PacketPool::new(buffers);
        nic.start(&mut pool);
        Bench {
            nic,
            wire,
            pool,
            frames: Batch::new(),
        }
    }

    #[test]
    fn a_frame_crosses_from_port_to_port() {
        let clock = VirtualClock::new();
        let other = MacAddr([2, 0, 0, 0, 0, 2]);
        let (mut left, mut right, _) = SimNic::pair(&clock, 1, [MAC, other]);
        let mut pool = PacketPool::new(4);
        let mut frames = Batch::new();
        left.start(&mut pool);
        right.start(&mut pool);
        let mut frame = pool.take().expect("a buffer");
        assert!(frame.extend(b"across"));
        frames.push_back(frame).expect("room");
        left.transmit(&mut frames, &mut pool);
        assert!(frames.is_empty());
        right.receive(&mut frames, &mut pool);
        let frame = frames.pop_front().expect("arrived");
        assert_eq!(frame.bytes(), b"across");
        assert_eq!(frame.headroom(), HEADROOM);
        pool.free(frame);
        assert_eq!(pool.available(), 4);
        assert_eq!((left.stats().tx_bytes, right.stats().rx_bytes), (6, 6));
    }

    #[test]
    fn a_port_is_silent_until_it_is_started_and_after_it_is_stopped() {
        let mut bench = bench(4);
        bench.nic.stop(&mut bench.pool);
        for _ in 0..2 {
            assert!(bench.wire.send(b"early"));
            bench.nic.receive(&mut bench.frames, &mut bench.pool);
            assert!(bench.frames.is_empty());
        }
        let frame = bench.pool.take().expect("a buffer");
        bench.frames.push_back(frame).expect("room");
        bench.nic.transmit(&mut bench.frames, &mut bench.pool);
        assert_eq!(bench.frames.len(), 1);
        assert!(bench.wire.receive().is_none());
    }

    #[test]
    fn a_long_frame_spans_buffers_and_comes_back_whole() {
        let mut bench = bench(4);
        let long: Vec<u8> = (0..5_000_u32).map(|i| (i % 251) as u8).collect();
        assert!(bench.wire.send(&long));
        bench.nic.receive(&mut bench.frames, &mut bench.pool);
        let frame = bench.frames.front().expect("arrived");
        assert_eq!((frame.frame_len(), frame.is_chained()), (5_000, true));
        bench.nic.transmit(&mut bench.frames, &mut bench.pool);
        assert_eq!(bench.wire.receive(), Some(long));
        assert_eq!(bench.pool.available(), 4);
    }

    #[test]
    fn frames_without_a_buffer_are_lost_and_counted_and_nothing_leaks() {
        let mut bench = bench(2);
        assert!(bench.wire.send(&[1; 5_000]));
        assert!(bench.wire.send(&[2; 60]));
        bench.nic.receive(&mut bench.frames, &mut bench.pool);
        assert_eq!(bench.frames.len(), 1, "the short one found a buffer");
        assert_eq!(
            (bench.nic.stats().rx_no_buffer, bench.pool.available()),
            (1, 1)
        );
    }

    #[test]
    fn frames_stay_with_the_caller_while_the_ring_is_full() {
        let mut bench = bench(2);
        bench.nic.end.cable().set_stalled(Side::Left, true);
        let frame = bench.pool.take().expect("a buffer");
        bench.frames.push_back(frame).expect("room");
        bench.nic.transmit(&mut bench.frames, &mut bench.pool);
        assert_eq!((bench.frames.len(), bench.nic.stats().tx_ring_full), (1, 1));
    }

    #[test]
    fn an_interrupt_comes_only_while_armed_and_arming_sees_what_waits() {
        let mut bench = bench(2);
        assert!(bench.nic.arm_interrupt());
        assert!(bench.wire.send(b"wake"));
        assert!(bench.nic.is_interrupting());
        bench.nic.disarm_interrupt();
        assert!(!bench.nic.is_interrupting());
        assert!(!bench.nic.arm_interrupt(), "a frame waits");
    }

    #[test]
    fn the_link_follows_the_plug() {
        let mut bench = bench(1);
        assert!(bench.nic.link().is_up);
        bench.wire.cable().set_plugged(false);
        assert!(!bench.nic.link().is_up);
    }
}

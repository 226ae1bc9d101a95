//! The network ports: devices, their batches, and averages of their traffic.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use dataplane::{DataPlane, Opened, PortCounters, PortId};
use hal::nic::{Link, MacAddr, Nic, NicStats};
use hal::offload::Finisher;
use hal::packet::{Batch, PacketPool};
use hal::time::Instant;

use crate::print::interface::Rates;

/// How often traffic is sampled for the averages.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// Samples kept: five minutes of them, and the one they are compared with.
const SAMPLES: usize = 61;
/// Samples in a minute.
const SAMPLES_PER_MINUTE: usize = 12;

/// A port and what is on its way through it.
pub(crate) struct Port {
    pub(crate) id: PortId,
    nic: Box<dyn Nic>,
    is_started: bool,
    /// The cable as last looked at; unknown until then.
    link: Option<Link>,
    received: Batch,
    /// Taken from the data plane, and asking for what the device does not do.
    finisher: Finisher,
    /// Ready to be sent, but the transmit ring was full.
    unsent: Batch,
    samples: Vec<PortCounters>,
    /// Where `show traffic` counts from: what the counters were, and when.
    counted_from: (PortCounters, Instant),
}

impl Port {
    pub(crate) fn new(number: u8, nic: Box<dyn Nic>) -> Self {
        Self {
            id: PortId(number),
            nic,
            is_started: false,
            link: None,
            received: Batch::new(),
            finisher: Finisher::default(),
            unsent: Batch::new(),
            samples: Vec::with_capacity(SAMPLES),
            counted_from: (PortCounters::default(), Instant::ZERO),
        }
    }

    pub(crate) fn mac(&self) -> MacAddr {
        self.nic.mac()
    }

    pub(crate) fn model(&self) -> &'static str {
        self.nic.model()
    }

    pub(crate) fn link(&self) -> Link {
        self.link.unwrap_or_default()
    }

    pub(crate) fn stats(&self) -> NicStats {
        self.nic.stats()
    }

    /// Starts or stops the device. A stopped one neither receives nor sends. Returns whether that is
    /// a change.
    pub(crate) fn set_running(&mut self, is_running: bool, pool: &mut PacketPool) -> bool {
        if is_running == self.is_started {
            return false;
        }
        self.is_started = is_running;
        if is_running {
            self.nic.start(pool);
        } else {
            self.forget_unsent(pool);
            self.nic.stop(pool);
        }
        true
    }

    /// Looks at the cable. Returns the new state if it has changed.
    pub(crate) fn poll_link(&mut self) -> Option<Link> {
        let link = self.nic.link();
        (self.link.replace(link) != Some(link)).then_some(link)
    }

    /// Takes one batch of received frames through the data plane. Returns whether there were any.
    pub(crate) fn receive(
        &mut self,
        dataplane: &mut DataPlane,
        pool: &mut PacketPool,
        now: Instant,
    ) -> bool {
        if !self.is_started {
            return false;
        }
        self.nic.receive(&mut self.received, pool);
        if self.received.is_empty() {
            return false;
        }
        dataplane.handle_batch(self.id, &mut self.received, pool, now);
        true
    }

    /// Hands what the data plane has queued to the device. Returns whether there was anything.
    pub(crate) fn transmit(&mut self, dataplane: &mut DataPlane, pool: &mut PacketPool) -> bool {
        let mut was_busy = false;
        let offloads = self.nic.offloads();
        loop {
            self.finisher
                .fill(&mut self.unsent, offloads, pool, |frames| {
                    dataplane.drain_transmit(self.id, frames);
                });
            if self.unsent.is_empty() {
                return was_busy;
            }
            if !self.is_started {
                self.forget_unsent(pool);
                continue;
            }
            let waiting = self.unsent.len();
            self.nic.transmit(&mut self.unsent, pool);
            was_busy |= self.unsent.len() < waiting;
            if !self.unsent.is_empty() {
                return was_busy;
            }
        }
    }

    fn forget_unsent(&mut self, pool: &mut PacketPool) {
        self.finisher.clear(pool);
        while let Some(frame) = self.unsent.pop_front() {
            pool.free(frame);
        }
    }

    /// Whether frames wait for room in the transmit ring, or for buffers to be cut into.
    pub(crate) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty() || !self.finisher.is_idle()
    }

    /// Frames that asked for what neither the device nor software can do.
    pub(crate) fn refused(&self) -> u64 {
        self.finisher.refused()
    }

    /// Asks for an interrupt. Returns false if frames are waiting already.
    pub(crate) fn arm_interrupt(&mut self) -> bool {
        !self.is_started || self.nic.arm_interrupt()
    }

    /// Polls from here on.
    pub(crate) fn disarm_interrupt(&mut self) {
        if self.is_started {
            self.nic.disarm_interrupt();
        }
    }

    /// Remembers the counters for the averages; to be called every [`SAMPLE_EVERY`].
    fn sample(&mut self, counters: PortCounters) {
        if self.samples.len() == SAMPLES {
            self.samples.remove(0);
        }
        self.samples.push(counters);
    }

    /// When traffic was last counted anew, and what has passed since, if the counters are `counters`.
    pub(crate) fn traffic(&self, counters: PortCounters) -> (Instant, PortCounters) {
        let (from, since) = self.counted_from;
        (since, passed(&counters, &from))
    }

    /// Counts the traffic anew from `counters` on.
    pub(crate) const fn clear_traffic(&mut self, counters: PortCounters, now: Instant) {
        self.counted_from = (counters, now);
    }

    /// Keeps averages and traffic true although the counters, now at `counters`, go back to zero.
    pub(crate) fn before_zeroing(&mut self, counters: PortCounters) {
        for sample in &mut self.samples {
            *sample = passed(sample, &counters);
        }
        self.counted_from.0 = passed(&self.counted_from.0, &counters);
    }

    /// Averages over the last minute and the last five, as far as the box has been up.
    pub(crate) fn rates(&self) -> [Rates; 2] {
        [SAMPLES_PER_MINUTE, SAMPLES - 1].map(|span| {
            let Some(last) = self.samples.last() else {
                return Rates::default();
            };
            let index = self.samples.len().saturating_sub(span + 1);
            let Some(first) = self.samples.get(index) else {
                return Rates::default();
            };
            let secs = (self.samples.len() - 1 - index) as u64 * SAMPLE_EVERY.as_secs();
            let passed = passed(last, first);
            let per_second = |count: u64| count / secs.max(1);
            Rates {
                packets_in: per_second(passed.packets_in),
                bytes_in: per_second(passed.bytes_in),
                packets_out: per_second(passed.packets_out),
                bytes_out: per_second(passed.bytes_out),
                drops: per_second(passed.dropped),
            }
        })
    }
}

/// What was counted between two readings. Counters go round, as they do when they are zeroed after the
/// first reading was lowered with them.
fn passed(last: &PortCounters, first: &PortCounters) -> PortCounters {
    PortCounters {
        packets_in: last.packets_in.wrapping_sub(first.packets_in),
        bytes_in: last.bytes_in.wrapping_sub(first.bytes_in),
        packets_out: last.packets_out.wrapping_sub(first.packets_out),
        bytes_out: last.bytes_out.wrapping_sub(first.bytes_out),
        dropped: last.dropped.wrapping_sub(first.dropped),
        transmit_overflow: last.transmit_overflow.wrapping_sub(first.transmit_overflow),
    }
}

/// So many in a second, if `opened` took so long.
pub(crate) fn average(opened: &Opened, took: Duration) -> Opened {
    let per_second = |count: u64| count / took.as_secs().max(1);
    Opened {
        conns: per_second(opened.conns),
        tcp: per_second(opened.tcp),
        udp: per_second(opened.udp),
        xlates: per_second(opened.xlates),
    }
}

/// Samples all ports at a fixed pace, and what the data plane opens.
#[derive(Default)]
pub(crate) struct Sampler {
    next: Instant,
    /// The last two readings.
    opened: [Opened; 2],
}

impl Sampler {
    pub(crate) fn poll_timeout(&self) -> Instant {
        self.next
    }

    /// What was opened in a second of the last five.
    pub(crate) fn opening_rate(&self) -> Opened {
        let [before, last] = &self.opened;
        let opened = Opened {
            conns: last.conns - before.conns,
            tcp: last.tcp - before.tcp,
            udp: last.udp - before.udp,
            xlates: last.xlates - before.xlates,
        };
        average(&opened, SAMPLE_EVERY)
    }

    pub(crate) fn handle_timeout(
        &mut self,
        ports: &mut [Port],
        dataplane: &DataPlane,
        now: Instant,
    ) {
        if now < self.next {
            return;
        }
        self.next = now + SAMPLE_EVERY;
        self.opened = [self.opened[1], dataplane.opened()];
        for port in ports {
            let counters = dataplane.port_counters(port.id);
            port.sample(counters);
        }
    }
}

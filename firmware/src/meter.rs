//! How much traffic passes an interface: averages, and counts since somebody asked for them.

use alloc::vec::Vec;
use core::time::Duration;

use dataplane::{DataPlane, Opened, PortCounters, PortId};
use hal::time::Instant;

use crate::print::interface::Rates;

/// How often traffic is sampled for the averages.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);
/// Samples kept: five minutes of them, and the one they are compared with.
const SAMPLES: usize = 61;
/// Samples in a minute.
const SAMPLES_PER_MINUTE: usize = 12;

/// Readings of the counters of one interface.
#[derive(Default)]
pub(crate) struct Meter {
    samples: Vec<PortCounters>,
    /// Where `show traffic` counts from: what the counters were, and when.
    counted_from: (PortCounters, Instant),
}

impl Meter {
    /// Of an interface that is there since `now`.
    pub(crate) fn since(now: Instant) -> Self {
        Self {
            counted_from: (PortCounters::default(), now),
            ..Self::default()
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

/// Samples all interfaces at a fixed pace, and what the data plane opens.
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

    /// What was opened in the last five seconds, and how long those are.
    pub(crate) fn opened(&self) -> (Opened, Duration) {
        let [before, last] = &self.opened;
        let opened = last.zip(before, |last, before| last - before);
        (opened, SAMPLE_EVERY)
    }

    pub(crate) fn handle_timeout(
        &mut self,
        meters: &mut [Meter],
        dataplane: &DataPlane,
        now: Instant,
    ) {
        if now < self.next {
            return;
        }
        self.next = now + SAMPLE_EVERY;
        self.opened = [self.opened[1], dataplane.opened()];
        let ports = dataplane.limits().ports;
        for (number, meter) in (0..).zip(meters) {
            // Numbers of subinterfaces that are not there count nothing.
            let vlans = &dataplane.policy().vlans;
            if number < ports || vlans.iter().any(|vlan| vlan.port.0 == number) {
                meter.sample(dataplane.port_counters(PortId(number)));
            }
        }
    }
}

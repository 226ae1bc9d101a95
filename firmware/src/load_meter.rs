//! What the processor's time goes to: the event loop's laps, summed by part of the loop.
//!
//! The loop reads the clock once at each border between two parts, and [`LoadMeter::lap`] adds what
//! has passed to the part that ends there: six readings a turn, however many packets the turn moved.
//! The clock counts whole microseconds, and parts are often shorter; because every lap begins where
//! the last one ended, nothing is lost and the sums are right on average.
//!
//! Every five seconds the sums are remembered, so that the share of each part over the last five
//! seconds, minute and five minutes is a subtraction.

use alloc::collections::VecDeque;
use core::time::Duration;

use hal::time::Instant;

/// A part of the event loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Frames taken in and carried to their verdicts.
    Receive,
    /// Intercepted connections: TCP, TLS and SIP.
    Federation,
    /// Frames handed to the devices.
    Transmit,
    /// Timers, links, and policy being compiled.
    Timers,
    /// Console bytes, and whatever commands do.
    Console,
    /// Asleep.
    Idle,
}

/// Parts there are, sleep included.
const PARTS: usize = 6;

impl Part {
    /// The parts that are work.
    pub(crate) const WORK: [Self; PARTS - 1] = [
        Self::Receive,
        Self::Federation,
        Self::Transmit,
        Self::Timers,
        Self::Console,
    ];

    /// As `show processes` names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Receive => "Receive",
            Self::Federation => "TLS Proxy",
            Self::Transmit => "Transmit",
            Self::Timers => "Timers and Policy",
            Self::Console => "Console",
            Self::Idle => "Idle",
        }
    }

    /// Whether packets are what it works on.
    pub(crate) const fn is_data_path(self) -> bool {
        matches!(self, Self::Receive | Self::Federation | Self::Transmit)
    }
}

/// How often the sums are remembered.
const SAMPLE_EVERY: Duration = Duration::from_secs(5);

/// Samples kept: five minutes of them, and the one they are compared with.
const SAMPLES: usize = 61;

/// A time over which a share is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// Five seconds.
    FiveSeconds,
    /// A minute.
    Minute,
    /// Five minutes.
    FiveMinutes,
}

impl Window {
    /// All, shortest first.
    pub(crate) const ALL: [Self; 3] = [Self::FiveSeconds, Self::Minute, Self::FiveMinutes];

    const fn samples(self) -> usize {
        match self {
            Self::FiveSeconds => 1,
            Self::Minute => 12,
            Self::FiveMinutes => SAMPLES - 1,
        }
    }
}

/// Microseconds by part, in the order of the enum.
type Sums = [u64; PARTS];

/// Shares of the three windows, in thousandths.
pub(crate) type Shares = [u32; Window::ALL.len()];

/// The sums, and what they were.
#[derive(Debug)]
pub(crate) struct LoadMeter {
    /// Where the present lap began.
    lap_from: Instant,
    sums: Sums,
    /// Oldest first.
    samples: VecDeque<Sums>,
    next_sample: Instant,
}

impl LoadMeter {
    /// A meter that runs from `now` on.
    pub(crate) fn new(now: Instant) -> Self {
        let mut samples = VecDeque::with_capacity(SAMPLES);
        samples.push_back(Sums::default());
        Self {
            lap_from: now,
            sums: Sums::default(),
            samples,
            next_sample: now + SAMPLE_EVERY,
        }
    }

    /// Gives the time since the last lap to `part`.
    pub(crate) fn lap(&mut self, part: Part, now: Instant) {
        let micros = now.as_micros().saturating_sub(self.lap_from.as_micros());
        self.lap_from = now;
        if let Some(sum) = self.sums.get_mut(part as usize) {
            *sum += micros;
        }
    }

    /// Remembers the sums if it is time.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if now < self.next_sample {
            return;
        }
        self.next_sample = now + SAMPLE_EVERY;
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(self.sums);
    }

    /// When the sums are remembered next.
    pub(crate) const fn poll_timeout(&self) -> Instant {
        self.next_sample
    }

    /// Time a part has had since the start.
    pub(crate) fn runtime(&self, part: Part) -> Duration {
        Duration::from_micros(self.sums.get(part as usize).copied().unwrap_or(0))
    }

    /// The shares of the parts that `is_counted` names, as far as the box has been up.
    pub(crate) fn shares(&self, is_counted: impl Fn(Part) -> bool) -> Shares {
        Window::ALL.map(|window| {
            let last = self.samples.len() - 1;
            let first = last.saturating_sub(window.samples());
            let (Some(before), Some(after)) = (self.samples.get(first), self.samples.get(last))
            else {
                return 0;
            };
            let passed = |part: Part| {
                let at = part as usize;
                let of = |sums: &Sums| sums.get(at).copied().unwrap_or(0);
                of(after).saturating_sub(of(before))
            };
            let work: u64 = Part::WORK.into_iter().map(passed).sum();
            let all = (work + passed(Part::Idle)).max(1);
            let counted: u64 = Part::WORK
                .into_iter()
                .filter(|&part| is_counted(part))
                .map(passed)
                .sum();
            // At most 1000, as it counts parts of the whole.
            (counted * 1000 / all) as u32
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs whole seconds in which `busy` thousandths are receiving and as many the console's.
    fn run(meter: &mut LoadMeter, now: &mut Instant, secs: u64, busy: u64) {
        for _ in 0..secs {
            let began = *now;
            for (part, millis) in [
                (Part::Receive, busy),
                (Part::Console, busy),
                (Part::Idle, 1000 - 2 * busy),
            ] {
                *now += Duration::from_millis(millis);
                meter.lap(part, *now);
            }
            assert_eq!(now.since(began), Duration::from_secs(1));
            meter.handle_timeout(*now);
        }
    }

    #[test]
    fn shares_follow_their_windows() {
        let mut now = Instant::from_secs(7);
        let mut meter = LoadMeter::new(now);
        let whole = |meter: &LoadMeter| meter.shares(|_| true);
        assert_eq!(whole(&meter), [0, 0, 0], "nothing is known yet");
        run(&mut meter, &mut now, 5, 400);
        assert_eq!(whole(&meter), [800, 800, 800], "all there is so far");
        run(&mut meter, &mut now, 295, 0);
        assert_eq!(whole(&meter), [0, 0, 13], "4 s of 300");
        run(&mut meter, &mut now, 5, 100);
        assert_eq!(
            whole(&meter),
            [200, 16, 3],
            "the first five seconds are past"
        );
        assert_eq!(
            meter.shares(Part::is_data_path),
            [100, 8, 1],
            "half of it is packets"
        );
        assert_eq!(meter.runtime(Part::Console), Duration::from_millis(2500));
    }

    #[test]
    fn short_laps_are_not_lost() {
        let mut meter = LoadMeter::new(Instant::ZERO);
        for micros in 1..=1_000_000 {
            // Each turn spends a microsecond in one of two parts, never seen whole by either.
            let part = if micros % 4 == 0 {
                Part::Receive
            } else {
                Part::Idle
            };
            meter.lap(part, Instant::from_micros(micros));
        }
        assert_eq!(meter.runtime(Part::Receive), Duration::from_millis(250));
        assert_eq!(meter.runtime(Part::Idle), Duration::from_millis(750));
    }

    #[test]
    fn a_sample_is_due_every_five_seconds() {
        let mut meter = LoadMeter::new(Instant::from_secs(1));
        assert_eq!(meter.poll_timeout(), Instant::from_secs(6));
        meter.handle_timeout(Instant::from_secs(6));
        assert_eq!(meter.poll_timeout(), Instant::from_secs(11));
    }
}

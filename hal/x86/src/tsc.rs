//! The time-stamp counter as the box's clock, calibrated against the PIT.
//!
//! Reading the time is one `rdtsc`, one multiplication and one shift ([`Scale`]). Calibration reads
//! the counters in pairs and keeps the pair that was read fastest, so a host that takes the
//! processor away in the middle does not spoil it. Sources: Intel SDM volume 3 §18.17 (TSC), Intel
//! 8254 data sheet (PIT), 82093/ICH9 data sheets (port 0x61).

use core::arch::x86_64::_rdtsc;
use core::sync::atomic::{AtomicU64, Ordering};

use hal::time::{Instant, Monotonic};

use crate::port::{inb, outb};

/// Input clock of the PIT: 105/88 MHz (8254 in the PC: 14.31818 MHz / 12).
pub const PIT_HZ: u64 = 1_193_182;
/// Ticks over which counters are compared: 10 ms.
const CALIBRATION_TICKS: u16 = (PIT_HZ / 100) as u16;
/// Assumed when the PIT does not count; only waits use it, and they then last too long or short
/// by the ratio of the true frequency to this one.
const FALLBACK_HZ: u64 = 2_000_000_000;
/// Polls of the PIT before it is given up: each is a port read of a microsecond or so.
const PIT_POLLS: u32 = 1_000_000;

const PIT_CHANNEL_2: u16 = 0x42;
const PIT_COMMAND: u16 = 0x43;
const PORT_B: u16 = 0x61;

static FACTOR: AtomicU64 = AtomicU64::new(Scale::from_hz(FALLBACK_HZ).factor);
static START: AtomicU64 = AtomicU64::new(0);

/// Turns counter ticks into microseconds by multiply and shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    factor: u64,
}

impl Scale {
    /// Bits behind the binary point of the factor: below 1 part in 10^9 at 10 GHz.
    const SHIFT: u32 = 44;

    /// The scale of a counter that ticks `hz` times a second.
    #[must_use]
    pub const fn from_hz(hz: u64) -> Self {
        // Below 1 MHz the factor still fits: 2^44 * 10^6 / 1 > 2^63, hence the floor.
        let hz = if hz < 10_000 { 10_000 } else { hz };
        Self {
            factor: ((1_000_000_u128 << Self::SHIFT) / hz as u128) as u64,
        }
    }

    /// Microseconds in `ticks`.
    #[inline]
    #[must_use]
    pub const fn micros(self, ticks: u64) -> u64 {
        ((ticks as u128 * self.factor as u128) >> Self::SHIFT) as u64
    }
}

/// Reads the counter.
#[inline]
#[must_use]
pub fn ticks() -> u64 {
    // SAFETY: RDTSC is there on every 64-bit processor, and CR4.TSD is never set.
    unsafe { _rdtsc() }
}

/// The time since the clock was started.
#[inline]
#[must_use]
pub fn now() -> Instant {
    let scale = Scale {
        factor: FACTOR.load(Ordering::Relaxed),
    };
    let elapsed = ticks().saturating_sub(START.load(Ordering::Relaxed));
    Instant::from_micros(scale.micros(elapsed))
}

/// The box's monotonic clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct TscClock;

impl Monotonic for TscClock {
    fn now(&self) -> Instant {
        now()
    }
}

/// The end of a bounded wait.
///
/// ```no_run
/// # use hal_x86::tsc::Deadline;
/// # fn is_ready() -> bool { true }
/// let deadline = Deadline::after_micros(500);
/// while !is_ready() {
///     if deadline.has_passed() {
///         // report a timeout
///     }
///     core::hint::spin_loop();
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline `micros` microseconds from now.
    #[must_use]
    pub fn after_micros(micros: u64) -> Self {
        Self(Instant::from_micros(
            now().as_micros().saturating_add(micros),
        ))
    }

    /// Whether it is over.
    #[must_use]
    pub fn has_passed(self) -> bool {
        now() >= self.0
    }
}

/// Polls `condition` until it holds or `micros` have passed; returns whether it held.
pub fn wait_until(micros: u64, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Deadline::after_micros(micros);
    loop {
        if condition() {
            return true;
        }
        if deadline.has_passed() {
            return condition();
        }
        core::hint::spin_loop();
    }
}

/// Frequencies found by [`calibrate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frequencies {
    /// Ticks of the TSC in a second.
    pub tsc_hz: u64,
    /// Ticks of the other counter in a second.
    pub other_hz: u64,
    /// Whether the PIT counted; if not, the TSC's frequency is assumed.
    pub is_measured: bool,
}

/// Starts the clock and measures the TSC, and a second counter that counts down, against the PIT.
/// Takes about 10 ms.
///
/// # Safety
/// Called once at boot, while nothing else uses the PIT or port 0x61.
pub unsafe fn calibrate(mut other: impl FnMut() -> u32) -> Frequencies {
    START.store(ticks(), Ordering::Relaxed);
    // SAFETY: by the caller, the PIT is ours; its channel 2 drives nothing but the speaker, which
    // bit 1 keeps silent while bit 0 lets the channel count.
    unsafe {
        let port_b = inb(PORT_B);
        outb(PORT_B, (port_b & !0b10) | 0b01);
        // Channel 2, low byte then high byte, mode 0 (count down once), binary.
        outb(PIT_COMMAND, 0b1011_0000);
        outb(PIT_CHANNEL_2, 0xff);
        outb(PIT_CHANNEL_2, 0xff);
    }
    let first = sample(&mut other);
    let mut polls = 0;
    let mut last = first;
    while first.pit.wrapping_sub(last.pit) < CALIBRATION_TICKS && polls < PIT_POLLS {
        last = sample_once(&mut other);
        polls += 1;
    }
    let last = sample(&mut other);
    let found = frequencies(first, last);
    FACTOR.store(Scale::from_hz(found.tsc_hz).factor, Ordering::Relaxed);
    found
}

/// Three counters read as nearly at once as can be.
#[derive(Clone, Copy, Debug)]
struct Sample {
    tsc: u64,
    pit: u16,
    other: u32,
    /// TSC ticks the reading took: its uncertainty.
    width: u64,
}

/// The most certain of a few samples.
fn sample(other: &mut impl FnMut() -> u32) -> Sample {
    let mut best = sample_once(other);
    for _ in 0..8 {
        let next = sample_once(other);
        if next.width < best.width {
            best = next;
        }
    }
    best
}

fn sample_once(other: &mut impl FnMut() -> u32) -> Sample {
    let before = ticks();
    let other = other();
    // SAFETY: latches and reads the count of channel 2, which `calibrate` owns.
    let pit = unsafe {
        outb(PIT_COMMAND, 0b1000_0000);
        let low = inb(PIT_CHANNEL_2);
        let high = inb(PIT_CHANNEL_2);
        u16::from_le_bytes([low, high])
    };
    let width = ticks().saturating_sub(before);
    Sample {
        tsc: before + width / 2,
        pit,
        other,
        width,
    }
}

/// Works the frequencies out of two samples; all but the TSC count down.
fn frequencies(first: Sample, last: Sample) -> Frequencies {
    let pit = u64::from(first.pit.wrapping_sub(last.pit));
    let tsc = last.tsc.saturating_sub(first.tsc);
    let other = u64::from(first.other.wrapping_sub(last.other));
    let is_measured = pit >= u64::from(CALIBRATION_TICKS) && tsc > 0;
    if is_measured {
        Frequencies {
            tsc_hz: tsc * PIT_HZ / pit,
            other_hz: other * PIT_HZ / pit,
            is_measured,
        }
    } else {
        Frequencies {
            tsc_hz: FALLBACK_HZ,
            // Below 2^32 times 2^31, so it fits.
            other_hz: other * FALLBACK_HZ / tsc.max(1),
            is_measured,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tsc: u64, pit: u16, other: u32) -> Sample {
        Sample {
            tsc,
            pit,
            other,
            width: 10,
        }
    }

    #[test]
    fn a_scale_drifts_by_less_than_a_tenth_of_a_millisecond_a_day() {
        for hz in [1_000_000, 1_193_182, 2_099_999_123, 5_000_000_000] {
            let scale = Scale::from_hz(hz);
            let day = 86_400;
            let error = scale.micros(hz * day).abs_diff(day * 1_000_000);
            assert!(error <= 100, "{hz} Hz is {error} us off in a day");
        }
        assert!(Scale::from_hz(0).micros(1) > 0);
    }

    #[test]
    fn frequencies_follow_from_two_samples_even_when_the_pit_wraps() {
        // 12,000 PIT ticks are 10.057 ms.
        let found = frequencies(at(1_000, 5_000, 90_000), at(20_115_000, 58_536, 60_000));
        assert!(found.is_measured);
        assert_eq!(found.tsc_hz, 20_114_000 * PIT_HZ / 12_000);
        assert_eq!(found.other_hz, 30_000 * PIT_HZ / 12_000);
    }

    #[test]
    fn a_dead_pit_is_reported() {
        let found = frequencies(at(0, 7, 5_000), at(2_000_000, 7, 4_000));
        assert!(!found.is_measured);
        assert_eq!(found.tsc_hz, FALLBACK_HZ);
        assert_eq!(found.other_hz, 1_000_000);
    }

    #[test]
    fn waits_end() {
        assert!(wait_until(1_000_000, || true));
        assert!(!wait_until(10, || false));
    }
}

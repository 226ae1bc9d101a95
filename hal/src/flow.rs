//! The decisions of XON/XOFF flow control, without a device.
//!
//! A driver asks [`XonXoff`] about every byte it receives, before every burst it sends, and whenever the
//! fill of its receive ring changes; it moves the bytes itself. The real driver and the simulated line
//! decide by the same code.
//!
//! **Held output.** XOFF stops our sending before the next byte that is not yet in the chip. It goes on
//! at XON; at Ctrl-C, which somebody types who wants the box back; and [`HELD_MAX`] after the last XOFF,
//! because an XON can get lost and no Ctrl-S typed by mistake may silence a console for good. Other
//! bytes do not end it: a terminal program that is slow to draw sends XOFF in the middle of a paste, and
//! the rest of the paste must not take that back.
//!
//! **Held input.** XOFF is sent ahead of queued output when the receive ring passes its high-water mark,
//! and again for every [`Marks::repeat`] bytes that come in spite of it, in case it got lost. XON is sent
//! at the low-water mark, and once more when the ring is empty, for the same reason.

use core::time::Duration;

use crate::serial::FlowControl;
use crate::time::Instant;

/// DC1, Ctrl-Q: go on.
pub const XON: u8 = 0x11;
/// DC3, Ctrl-S: stop.
pub const XOFF: u8 = 0x13;
/// The longest time an XOFF holds our output.
pub const HELD_MAX: Duration = Duration::from_secs(60);

const INTERRUPT: u8 = 0x03;

/// Fills of a receive ring, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Above this the other side is asked to stop.
    pub high: usize,
    /// Below this it is asked to go on.
    pub low: usize,
    /// Bytes more after which it is asked to stop again.
    pub repeat: usize,
}

impl Marks {
    /// The marks of a ring of `size` bytes: stop at seven eighths, go on at three quarters.
    ///
    /// Of the 256 KiB of the console 32 KiB stay free at the high-water mark: a sender at 115200 may
    /// react 2.8 seconds late, one at 9600 34 seconds. Between the marks there is as much again, so that
    /// the signals do not come at every line.
    #[must_use]
    pub const fn of_ring(size: usize) -> Self {
        Self {
            high: size - size / 8,
            low: size - size / 4,
            repeat: size / 64,
        }
    }
}

/// The state of a line's flow control in the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XonXoff {
    flow: FlowControl,
    /// Our output is held until then at the latest.
    held_until: Option<Instant>,
    /// The other side was asked to stop; the ring's fill when it was last asked.
    stopped_at: Option<usize>,
    /// It was asked to go on, and will be once more.
    repeats_xon: bool,
    /// To be sent ahead of everything else.
    owed: Option<u8>,
}

impl XonXoff {
    /// No flow control, nothing held.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            flow: FlowControl::None,
            held_until: None,
            stopped_at: None,
            repeats_xon: false,
            owed: None,
        }
    }

    /// Changes the kind of flow control. A side that is stopped goes on.
    pub fn set_flow(&mut self, flow: FlowControl) {
        let is_peer_stopped = self.stopped_at.is_some() || self.repeats_xon;
        *self = Self {
            flow,
            owed: is_peer_stopped.then_some(XON),
            ..Self::new()
        };
    }

    /// The kind of flow control.
    #[must_use]
    pub const fn flow(&self) -> FlowControl {
        self.flow
    }

    /// Takes a received byte; returns whether it is input.
    pub fn handle_byte(&mut self, byte: u8, now: Instant) -> bool {
        if self.flow == FlowControl::None {
            return true;
        }
        match byte {
            XOFF => self.held_until = Some(now + HELD_MAX),
            XON | INTERRUPT => self.held_until = None,
            _ => {}
        }
        !matches!(byte, XOFF | XON)
    }

    /// Takes note that the receive ring holds `fill` bytes.
    pub fn handle_fill(&mut self, fill: usize, marks: &Marks) {
        if self.flow == FlowControl::None {
            return;
        }
        match self.stopped_at {
            None if fill > marks.high => self.stop(fill),
            Some(at) if fill >= at.saturating_add(marks.repeat.max(1)) => self.stop(fill),
            Some(_) if fill < marks.low => {
                self.stopped_at = None;
                self.repeats_xon = true;
                self.owed = Some(XON);
            }
            None if fill == 0 && self.repeats_xon => {
                self.repeats_xon = false;
                self.owed = Some(XON);
            }
            _ => {}
        }
    }

    /// Takes back a hold that has lasted too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.held_until.is_some_and(|until| until <= now) {
            self.held_until = None;
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.held_until
    }

    /// The signal to send next, ahead of everything queued and even while output is held.
    pub fn poll_transmit(&mut self) -> Option<u8> {
        self.owed.take()
    }

    /// Whether a signal is to be sent.
    #[must_use]
    pub const fn has_signal(&self) -> bool {
        self.owed.is_some()
    }

    /// Whether queued output may be sent.
    #[must_use]
    pub const fn may_send(&self) -> bool {
        self.held_until.is_none()
    }

    fn stop(&mut self, fill: usize) {
        self.stopped_at = Some(fill);
        self.repeats_xon = false;
        self.owed = Some(XOFF);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const NOW: Instant = Instant::from_secs(7);
    const MARKS: Marks = Marks::of_ring(64);

    fn on() -> XonXoff {
        let mut line = XonXoff::new();
        line.set_flow(FlowControl::XonXoff);
        line
    }

    #[test]
    fn without_it_every_byte_is_data() {
        let mut line = XonXoff::new();
        assert!((0..=255).all(|byte| line.handle_byte(byte, NOW)));
        line.handle_fill(64, &MARKS);
        assert!(line.may_send() && !line.has_signal());
    }

    #[test]
    fn xoff_holds_and_xon_lets_go_and_neither_is_input() {
        let mut line = on();
        assert!(!line.handle_byte(XOFF, NOW));
        assert!(!line.may_send());
        assert!(line.handle_byte(b'x', NOW), "the rest of a paste");
        assert!(!line.may_send());
        assert!(!line.handle_byte(XON, NOW));
        assert!(line.may_send());
    }

    #[test]
    fn a_lost_xon_holds_for_a_bounded_time_and_ctrl_c_ends_it() {
        let mut line = on();
        line.handle_byte(XOFF, NOW);
        let until = line.poll_timeout().unwrap();
        assert_eq!(until, NOW + HELD_MAX);
        line.handle_timeout(Instant::from_micros(until.as_micros() - 1));
        assert!(!line.may_send());
        line.handle_timeout(until);
        assert!(line.may_send());
        assert_eq!(line.poll_timeout(), None);
        line.handle_byte(XOFF, NOW);
        assert!(line.handle_byte(INTERRUPT, NOW), "Ctrl-C is input");
        assert!(line.may_send());
    }

    #[test]
    fn the_other_side_is_stopped_once_per_filling_and_started_twice() {
        let mut line = on();
        let mut said = Vec::new();
        for fill in (0..=62).chain((0..=62).rev()) {
            line.handle_fill(fill, &MARKS);
            said.extend(line.poll_transmit().map(|signal| (fill, signal)));
        }
        // Stopped above 56 and, because it goes on, again for each further byte (64 / 64).
        let stops = (57..=62).map(|fill| (fill, XOFF));
        let expected: Vec<(usize, u8)> = stops.chain([(47, XON), (0, XON)]).collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn a_change_frees_both_sides() {
        let mut line = on();
        line.handle_byte(XOFF, NOW);
        line.handle_fill(60, &MARKS);
        assert_eq!(line.poll_transmit(), Some(XOFF));
        line.set_flow(FlowControl::None);
        assert!(line.may_send());
        assert_eq!(line.poll_transmit(), Some(XON));
        line.set_flow(FlowControl::XonXoff);
        assert_eq!(line.poll_transmit(), None);
    }
}

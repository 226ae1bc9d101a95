//! A serial line with a terminal at the other end.
//!
//! [`SimSerial::new`] is a line without a speed: what is typed is there at once. [`SimSerial::paced`] is
//! one whose bytes take their time on a virtual clock, with the rings of the real driver behind it, and a
//! terminal that obeys XOFF or ignores it. What XON/XOFF means is decided by [`hal::flow`] in both.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use hal::flow::{Marks, XOFF, XON, XonXoff};
use hal::serial::{Baud, FlowControl, Serial};
use hal::time::{Instant, Monotonic};

use crate::clock::VirtualClock;

/// Bytes the line takes before the terminal has read them, unless told otherwise.
pub const ROOM: usize = 4_096;
/// Bytes received and not yet read, as in the real driver. What comes beyond is lost.
pub const RECEIVE_RING: usize = 256 << 10;
/// Bytes written and not yet sent, on a paced line, as in the real driver.
pub const TRANSMIT_RING: usize = 32 << 10;

/// What a terminal does when it is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnXoff {
    /// It stops typing until XON.
    Obeys,
    /// It goes on.
    Ignores,
}

/// The time that bytes take.
#[derive(Debug)]
struct Pace {
    clock: VirtualClock,
    baud: Baud,
    on_xoff: OnXoff,
    /// Typed, and not yet on the line.
    typing: VecDeque<u8>,
    is_stopped: bool,
    /// Times the terminal was asked to stop.
    stops: u32,
    /// Written by the box, and not yet on the line.
    to_send: VecDeque<u8>,
    /// When the line is free again, in each direction.
    free_to_box: Instant,
    free_from_box: Instant,
}

#[derive(Debug)]
struct Line {
    to_box: VecDeque<u8>,
    from_box: VecDeque<u8>,
    room: usize,
    lost: u64,
    is_broken: bool,
    flow: XonXoff,
    pace: Option<Pace>,
}

impl Line {
    fn now(&self) -> Instant {
        let pace = self.pace.as_ref();
        pace.map_or(Instant::ZERO, |pace| pace.clock.now())
    }

    /// A byte has come to the box.
    fn receive(&mut self, byte: u8, now: Instant) {
        if !self.flow.handle_byte(byte, now) {
            return;
        }
        if self.pace.is_some() && self.to_box.len() >= RECEIVE_RING {
            self.lost += 1;
            return;
        }
        self.to_box.push_back(byte);
        self.note_fill();
    }

    fn note_fill(&mut self) {
        if self.pace.is_some() {
            let marks = Marks::of_ring(RECEIVE_RING);
            self.flow.handle_fill(self.to_box.len(), &marks);
        }
    }

    /// Moves the bytes whose time has come, in the order of their times.
    fn advance(&mut self) {
        let now = self.now();
        while let Some(mut pace) = self.pace.take() {
            let byte_time = Duration::from_nanos(pace.baud.nanos_per_byte());
            let is_typing = !pace.typing.is_empty() && !pace.is_stopped;
            let is_sending =
                self.flow.has_signal() || (!pace.to_send.is_empty() && self.flow.may_send());
            let typed_at = is_typing.then_some(pace.free_to_box + byte_time);
            let sent_at = is_sending.then_some(pace.free_from_box + byte_time);
            let next = [typed_at, sent_at].into_iter().flatten().min();
            let Some(at) = next.filter(|&at| at <= now) else {
                if !is_typing {
                    pace.free_to_box = now;
                }
                if !is_sending {
                    pace.free_from_box = now;
                }
                self.pace = Some(pace);
                return;
            };
            let mut received = None;
            if typed_at == Some(at) {
                pace.free_to_box = at;
                received = pace.typing.pop_front();
            } else {
                pace.free_from_box = at;
                match self.flow.poll_transmit() {
                    Some(signal) => {
                        pace.stops += u32::from(signal == XOFF);
                        if pace.on_xoff == OnXoff::Obeys {
                            pace.is_stopped = signal == XOFF;
                        }
                        if signal == XON {
                            pace.free_to_box = pace.free_to_box.max(at);
                        }
                    }
                    None => self.from_box.extend(pace.to_send.pop_front()),
                }
            }
            self.pace = Some(pace);
            if let Some(byte) = received {
                self.receive(byte, at);
            }
        }
    }
}

/// The box's end.
#[derive(Debug)]
pub struct SimSerial(Rc<RefCell<Line>>);

/// The test's end; clones are the same terminal.
#[derive(Clone, Debug)]
pub struct Terminal(Rc<RefCell<Line>>);

impl SimSerial {
    /// A line, as the box and the terminal see it.
    #[must_use]
    pub fn new() -> (Self, Terminal) {
        Self::with(None)
    }

    /// A line at `baud`, in the time of `clock`, to a terminal that reads at once.
    #[must_use]
    pub fn paced(clock: &VirtualClock, baud: Baud, on_xoff: OnXoff) -> (Self, Terminal) {
        Self::with(Some(Pace {
            clock: clock.clone(),
            baud,
            on_xoff,
            typing: VecDeque::new(),
            is_stopped: false,
            stops: 0,
            to_send: VecDeque::new(),
            free_to_box: clock.now(),
            free_from_box: clock.now(),
        }))
    }

    fn with(pace: Option<Pace>) -> (Self, Terminal) {
        let line = Rc::new(RefCell::new(Line {
            to_box: VecDeque::new(),
            from_box: VecDeque::new(),
            room: ROOM,
            lost: 0,
            is_broken: false,
            flow: XonXoff::new(),
            pace,
        }));
        (Self(Rc::clone(&line)), Terminal(line))
    }
}

impl Terminal {
    /// Types `bytes`. The line holds any amount: a test that wants pauses makes them.
    pub fn push_input(&self, bytes: &[u8]) {
        let mut line = self.0.borrow_mut();
        line.advance();
        if let Some(pace) = &mut line.pace {
            pace.typing.extend(bytes);
            return;
        }
        for &byte in bytes {
            line.receive(byte, Instant::ZERO);
        }
    }

    /// How often a paced terminal was asked to stop.
    #[must_use]
    pub fn stops(&self) -> u32 {
        self.0.borrow().pace.as_ref().map_or(0, |pace| pace.stops)
    }

    /// Bytes that never reached the box.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.0.borrow().lost
    }

    /// Takes what the box has written, which makes room for more.
    #[must_use]
    pub fn take_output(&self) -> Vec<u8> {
        let mut line = self.0.borrow_mut();
        line.advance();
        line.from_box.drain(..).collect()
    }

    /// As [`take_output`](Self::take_output), as text.
    #[must_use]
    pub fn take_text(&self) -> String {
        String::from_utf8_lossy(&self.take_output()).into_owned()
    }

    /// Sends a break condition.
    pub fn send_break(&self) {
        self.0.borrow_mut().is_broken = true;
    }

    /// Loses `count` bytes on the way to the box, as an overrun would.
    pub fn lose(&self, count: u64) {
        self.0.borrow_mut().lost += count;
    }

    /// Sets how many bytes the line takes before the terminal has read them: 0 is a terminal that
    /// holds the line.
    pub fn set_room(&self, room: usize) {
        self.0.borrow_mut().room = room;
    }

    /// Whether the box has read everything typed.
    #[must_use]
    pub fn is_read(&self) -> bool {
        let line = self.0.borrow();
        let is_typed = line.pace.as_ref().is_none_or(|pace| pace.typing.is_empty());
        is_typed && line.to_box.is_empty()
    }
}

impl Serial for SimSerial {
    fn read(&mut self, bytes: &mut [u8]) -> usize {
        let mut line = self.0.borrow_mut();
        line.advance();
        let count = bytes.len().min(line.to_box.len());
        for (byte, typed) in bytes.iter_mut().zip(line.to_box.drain(..count)) {
            *byte = typed;
        }
        line.note_fill();
        count
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.write_room());
        let mut line = self.0.borrow_mut();
        line.advance();
        match &mut line.pace {
            Some(pace) => pace.to_send.extend(bytes.iter().take(count)),
            None => line.from_box.extend(bytes.iter().take(count)),
        }
        count
    }

    fn write_room(&self) -> usize {
        let line = self.0.borrow();
        match &line.pace {
            Some(pace) => TRANSMIT_RING.saturating_sub(pace.to_send.len()),
            None if line.flow.may_send() => line.room.saturating_sub(line.from_box.len()),
            None => 0,
        }
    }

    fn is_drained(&self) -> bool {
        let line = self.0.borrow();
        match &line.pace {
            Some(pace) => pace.to_send.is_empty(),
            None => line.from_box.is_empty(),
        }
    }

    fn lost(&self) -> u64 {
        self.0.borrow().lost
    }

    fn take_break(&mut self) -> bool {
        std::mem::take(&mut self.0.borrow_mut().is_broken)
    }

    fn baud(&self) -> Baud {
        let line = self.0.borrow();
        line.pace.as_ref().map_or(Baud::default(), |pace| pace.baud)
    }

    fn set_flow(&mut self, flow: FlowControl) {
        let mut line = self.0.borrow_mut();
        line.advance();
        line.flow.set_flow(flow);
    }

    fn flow(&self) -> FlowControl {
        self.0.borrow().flow.flow()
    }

    fn handle_timeout(&mut self, now: Instant) {
        let mut line = self.0.borrow_mut();
        line.advance();
        line.flow.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.borrow().flow.poll_timeout()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_cross_both_ways_in_order() {
        let (mut line, terminal) = SimSerial::new();
        terminal.push_input(b"show ver");
        let mut bytes = [0; 5];
        assert_eq!((line.read(&mut bytes), &bytes), (5, b"show "));
        assert_eq!((line.read(&mut bytes), &bytes[..3]), (3, &b"ver"[..]));
        assert_eq!(line.read(&mut bytes), 0);
        assert!(terminal.is_read());
        assert_eq!(line.write(b"sallyport>"), 10);
        assert!(!line.is_drained());
        assert_eq!(terminal.take_text(), "sallyport>");
        assert!(line.is_drained());
    }

    #[test]
    fn a_terminal_that_holds_the_line_is_waited_for() {
        let (mut line, terminal) = SimSerial::new();
        terminal.set_room(4);
        assert_eq!((line.write(b"abcdef"), line.write_room()), (4, 0));
        terminal.set_room(2);
        assert_eq!(line.write(b"ef"), 0);
        assert_eq!(terminal.take_output(), b"abcd");
        assert_eq!(line.write(b"ef"), 2);
    }

    #[test]
    fn bytes_take_their_time_and_a_full_ring_loses_or_stops() {
        for (on_xoff, lost) in [(OnXoff::Obeys, 0), (OnXoff::Ignores, 10_000)] {
            let clock = VirtualClock::new();
            let (mut line, terminal) = SimSerial::paced(&clock, Baud::Baud9600, on_xoff);
            line.set_flow(FlowControl::XonXoff);
            terminal.push_input(&vec![b'x'; RECEIVE_RING + 10_000]);
            clock.advance(Duration::from_secs(1));
            let mut bytes = [0; 2_000];
            let count = line.read(&mut bytes);
            assert!((955..=960).contains(&count), "{count} in a second");
            terminal.push_input(&vec![b'x'; count]);
            clock.advance(Duration::from_secs(600));
            line.handle_timeout(clock.now());
            assert_eq!((line.lost(), terminal.lost()), (lost, lost));
            assert!(terminal.stops() > 0);
            let mut taken = 0;
            for _ in 0..1_000 {
                taken += line.read(&mut bytes);
                clock.advance(Duration::from_secs(1));
            }
            assert_eq!(taken as u64, RECEIVE_RING as u64 + 10_000 - lost);
            assert!(terminal.is_read());
            line.write(b"done");
            clock.advance(Duration::from_millis(10));
            assert_eq!(terminal.take_output(), b"done");
        }
    }

    #[test]
    fn xoff_from_the_terminal_holds_the_box() {
        let (mut line, terminal) = SimSerial::new();
        line.set_flow(FlowControl::XonXoff);
        terminal.push_input(&[b'a', XOFF]);
        assert_eq!(line.write(b"x"), 0);
        terminal.push_input(&[XON]);
        assert_eq!(line.write(b"x"), 1);
        let mut bytes = [0; 4];
        assert_eq!(line.read(&mut bytes), 1);
    }

    #[test]
    fn a_break_is_seen_once_and_losses_are_told() {
        let (mut line, terminal) = SimSerial::new();
        terminal.send_break();
        terminal.lose(3);
        assert!(line.take_break() && !line.take_break());
        assert_eq!(line.lost(), 3);
    }
}

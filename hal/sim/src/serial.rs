//! A serial line with a terminal at the other end.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use hal::serial::Serial;

/// Bytes the line takes before the terminal has read them, unless told otherwise.
pub const ROOM: usize = 4_096;

#[derive(Debug)]
struct Line {
    to_box: VecDeque<u8>,
    from_box: VecDeque<u8>,
    room: usize,
    lost: u64,
    is_broken: bool,
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
        let line = Rc::new(RefCell::new(Line {
            to_box: VecDeque::new(),
            from_box: VecDeque::new(),
            room: ROOM,
            lost: 0,
            is_broken: false,
        }));
        (Self(Rc::clone(&line)), Terminal(line))
    }
}

impl Terminal {
    /// Types `bytes`. The line holds any amount: a test that wants pauses makes them.
    pub fn push_input(&self, bytes: &[u8]) {
        self.0.borrow_mut().to_box.extend(bytes);
    }

    /// Takes what the box has written, which makes room for more.
    #[must_use]
    pub fn take_output(&self) -> Vec<u8> {
        self.0.borrow_mut().from_box.drain(..).collect()
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
        self.0.borrow().to_box.is_empty()
    }
}

impl Serial for SimSerial {
    fn read(&mut self, bytes: &mut [u8]) -> usize {
        let mut line = self.0.borrow_mut();
        let count = bytes.len().min(line.to_box.len());
        for (byte, typed) in bytes.iter_mut().zip(line.to_box.drain(..count)) {
            *byte = typed;
        }
        count
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.write_room());
        self.0
            .borrow_mut()
            .from_box
            .extend(bytes.iter().take(count));
        count
    }

    fn write_room(&self) -> usize {
        let line = self.0.borrow();
        line.room.saturating_sub(line.from_box.len())
    }

    fn is_drained(&self) -> bool {
        self.0.borrow().from_box.is_empty()
    }

    fn lost(&self) -> u64 {
        self.0.borrow().lost
    }

    fn take_break(&mut self) -> bool {
        std::mem::take(&mut self.0.borrow_mut().is_broken)
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
    fn a_break_is_seen_once_and_losses_are_told() {
        let (mut line, terminal) = SimSerial::new();
        terminal.send_break();
        terminal.lose(3);
        assert!(line.take_break() && !line.take_break());
        assert_eq!(line.lost(), 3);
    }
}

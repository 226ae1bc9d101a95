//! The console line.

use core::fmt;

use crate::time::Instant;

/// A byte line with buffers on both sides; no call waits.
///
/// After reading and writing, the caller calls [`handle_timeout`](Self::handle_timeout) when
/// [`poll_timeout`](Self::poll_timeout) says so: output that the other side has held for too long goes
/// on then.
pub trait Serial {
    /// Moves received bytes into `bytes` and returns how many.
    fn read(&mut self, bytes: &mut [u8]) -> usize;

    /// Queues bytes for sending and returns how many fitted.
    fn write(&mut self, bytes: &[u8]) -> usize;

    /// Bytes that [`write`](Self::write) would take now.
    fn write_room(&self) -> usize;

    /// Whether everything queued has left.
    fn is_drained(&self) -> bool;

    /// Received bytes that were lost since power-on (overruns, framing errors).
    fn lost(&self) -> u64;

    /// Whether the line saw a break condition since the last call.
    fn take_break(&mut self) -> bool;

    /// The speed of the line, fixed at power-on.
    fn baud(&self) -> Baud;

    /// Chooses how the two sides hold each other off, besides RTS/CTS. With [`FlowControl::None`] all 256
    /// byte values are data; binary transfers need that.
    ///
    /// What was received before keeps the meaning it had.
    fn set_flow(&mut self, flow: FlowControl);

    /// What [`set_flow`](Self::set_flow) chose; [`FlowControl::None`] at first.
    fn flow(&self) -> FlowControl;

    /// Lets output go on that was held for too long.
    fn handle_timeout(&mut self, now: Instant);

    /// When [`handle_timeout`](Self::handle_timeout) is next due.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// How the two sides of a line hold each other off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FlowControl {
    /// Not in the data.
    #[default]
    None,
    /// By the characters XOFF (Ctrl-S) and XON (Ctrl-Q), which are no input then.
    XonXoff,
}

/// The speeds of the console line, 8N1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Baud {
    /// 9600: the speed of Cisco's consoles.
    Baud9600,
    /// 19200.
    Baud19200,
    /// 38400.
    Baud38400,
    /// 57600.
    Baud57600,
    /// 115200.
    #[default]
    Baud115200,
}

impl Baud {
    /// All, slowest first.
    pub const ALL: [Self; 5] = [
        Self::Baud9600,
        Self::Baud19200,
        Self::Baud38400,
        Self::Baud57600,
        Self::Baud115200,
    ];

    /// Bits per second.
    #[must_use]
    pub const fn bits_per_second(self) -> u32 {
        match self {
            Self::Baud9600 => 9_600,
            Self::Baud19200 => 19_200,
            Self::Baud38400 => 38_400,
            Self::Baud57600 => 57_600,
            Self::Baud115200 => 115_200,
        }
    }

    /// Time of a character: a start bit, eight of data and a stop bit.
    #[must_use]
    pub const fn nanos_per_byte(self) -> u64 {
        10 * 1_000_000_000 / self.bits_per_second() as u64
    }

    /// The speed that the loader's command line asks for by its last word `console=N`; the usual one if
    /// there is no such word, or N is no speed that we know.
    ///
    /// ```
    /// use hal::serial::Baud;
    ///
    /// assert_eq!(Baud::of_command_line("quiet console=9600"), Baud::Baud9600);
    /// assert_eq!(Baud::of_command_line("console=300"), Baud::Baud115200);
    /// ```
    #[must_use]
    pub fn of_command_line(command_line: &str) -> Self {
        let speed = command_line
            .split_ascii_whitespace()
            .rev()
            .find_map(|word| word.strip_prefix("console="))
            .and_then(|speed| speed.parse::<u32>().ok());
        Self::ALL
            .into_iter()
            .find(|baud| Some(baud.bits_per_second()) == speed)
            .unwrap_or_default()
    }
}

impl fmt::Display for Baud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.bits_per_second())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_chooses_the_speed() {
        for (line, baud) in [
            ("", Baud::Baud115200),
            ("console=19200", Baud::Baud19200),
            ("fault=page console=9600 x", Baud::Baud9600),
            ("console=9600 console=57600", Baud::Baud57600),
            ("console=ttyS0", Baud::Baud115200),
            ("xconsole=9600 console", Baud::Baud115200),
        ] {
            assert_eq!(Baud::of_command_line(line), baud, "{line}");
        }
        assert_eq!(Baud::Baud9600.nanos_per_byte(), 1_041_666);
    }
}

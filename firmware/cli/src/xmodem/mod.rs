//! XMODEM over the console line: 128-byte and 1K blocks, checksum and CRC-16, both directions.
//!
//! [`Receiver`] takes a file, [`Sender`] gives one; neither does I/O or reads a clock. Both are driven the
//! same way:
//!
//! 1. give every byte that has come to `handle_byte`;
//! 2. send what `poll_transmit` returns, until it returns `None`;
//! 3. take what `poll_event` returns, until it returns `None`; `Done` and `Failed` are the last;
//! 4. wait for a byte or until `poll_timeout`; then call `handle_timeout` if that time has come.
//!
//! The order of 1 and 2 matters to the sender: an answer that came before a block was handed out cannot
//! be the answer to it, and is dropped as a repeated one.
//!
//! The line must be binary while this goes on: no XON/XOFF, no editor, no log lines.
//!
//! ```text
//! receiver:  C … C  NAK … NAK             NAK (damaged)      ACK      NAK      ACK
//! sender:                     SOH 01 FE …            SOH 01 …     EOT      EOT
//! ```
//!
//! What the two sides of the protocol agree on (Christensen 1982; Forsberg, "XMODEM/YMODEM Protocol
//! Reference", 1988), and what this module makes of the places it leaves open:
//!
//! - A block is SOH (128 bytes) or STX (1024 bytes), its number from 1 modulo 256, the complement of the
//!   number, the data, and one byte of sum or two of CRC-16 (polynomial 0x1021, high byte first).
//! - The receiver asks for CRC by `C` and for the checksum by NAK. Ours begins with `C`. While it asks for
//!   checksums it takes a block with a CRC as well, because a sender may have read an old `C`.
//! - The file has no length: the last block is filled with 0x1A. [`Padding`] says what becomes of it.
//! - An EOT counts only between two silences, and the first is answered by NAK and only the second by
//!   ACK, so that no damaged byte ends a file early.
//! - CAN twice between blocks cancels. In the middle of a block it may be data; there only a longer run
//!   followed by silence counts.
//! - When it is over, whatever still comes is swallowed until the line is quiet, so that the rest of a
//!   block is never taken for commands.

mod receiver;
mod sender;

pub use receiver::{ReceiveEvent, Receiver};
pub use sender::{SendEvent, Sender};

use core::fmt;
use core::time::Duration;

use crc::{CRC_16_XMODEM, Crc};

/// Attempts at one block, or at the end, before a transfer is given up (Forsberg §7.1: ten).
pub const RETRIES_MAX: u32 = 10;
/// Data bytes of a block that begins with SOH.
pub const SHORT_BLOCK: usize = 128;
/// Data bytes of a block that begins with STX.
pub const LONG_BLOCK: usize = 1024;

const SOH: u8 = 0x01;
const STX: u8 = 0x02;
/// Ctrl-C: whoever sits at the terminal gives up before the transfer has begun.
const INTERRUPT: u8 = 0x03;
const EOT: u8 = 0x04;
const ACK: u8 = 0x06;
const BACKSPACE: u8 = 0x08;
const NAK: u8 = 0x15;
const CAN: u8 = 0x18;
/// What fills the last block.
const FILL: u8 = 0x1a;
/// Asks for blocks with CRC.
const WANT_CRC: u8 = b'C';

/// CANs that cancel between blocks.
const CANCELS: u32 = 2;
/// CANs that cancel in the middle of a block if silence follows. Senders send five to eight.
const CANCELS_IN_BLOCK: u32 = 5;
/// What cancels the other side; the backspaces take the CANs back from a shell that sees them.
const CANCEL: &[u8] = &[
    CAN, CAN, CAN, CAN, CAN, BACKSPACE, BACKSPACE, BACKSPACE, BACKSPACE, BACKSPACE,
];

/// Silence after which the line counts as quiet. Far more than the pauses of USB adapters (16 ms) and of
/// a byte at 9600 (1 ms).
const QUIET: Duration = Duration::from_millis(300);
/// Longest time the rest of a failed transfer is swallowed.
const CLOSING_MAX: Duration = Duration::from_secs(10);

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// How a block is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The sum of the data bytes, modulo 256.
    Checksum,
    /// CRC-16.
    Crc,
}

impl Check {
    /// Bytes it takes.
    const fn len(self) -> usize {
        match self {
            Self::Checksum => 1,
            Self::Crc => 2,
        }
    }
}

/// What becomes of the 0x1A bytes at the end of the last block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// They stay. For files that know their own length.
    Keep,
    /// All are removed. For text, which never ends in 0x1A; a binary file may lose bytes of its own.
    Strip,
}

/// Why a transfer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The other side cancelled.
    CancelledByPeer,
    /// This side cancelled, or Ctrl-C was typed before the first block.
    CancelledHere,
    /// Nobody answered, or the other side stopped answering.
    Silent,
    /// A block did not get through in [`RETRIES_MAX`] attempts.
    TooManyErrors,
    /// A block arrived that is neither the next one nor a repeated one.
    OutOfStep {
        /// The number the next block has.
        expected: u8,
        /// The number that came.
        received: u8,
    },
    /// The other side ended the file without repeating a damaged block.
    Incomplete,
    /// The file is longer than the caller allows.
    TooLarge {
        /// What it allows, in bytes.
        limit: usize,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CancelledByPeer => f.write_str("cancelled by the other side"),
            Self::CancelledHere => f.write_str("cancelled"),
            Self::Silent => f.write_str("the other side does not answer"),
            Self::TooManyErrors => f.write_str("too many damaged blocks"),
            Self::OutOfStep { expected, received } => {
                write!(f, "block {received} instead of {expected}")
            }
            Self::Incomplete => f.write_str("the other side left a damaged block out"),
            Self::TooLarge { limit } => write!(f, "file is larger than {limit} bytes"),
        }
    }
}

/// The sum that protects a block of the first XMODEM.
fn checksum(data: &[u8]) -> u8 {
    data.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// Counts a run of CANs over the backspaces that follow them.
fn count_cancels(run: u32, byte: u8) -> u32 {
    match byte {
        CAN => run.saturating_add(1),
        BACKSPACE => run,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;

//! The side that gives a file.

use alloc::vec::Vec;
use core::time::Duration;

use hal::time::Instant;

use super::{
    ACK, CAN, CANCEL, CANCELS, CLOSING_MAX, CRC, Check, EOT, FILL, Failure, INTERRUPT, LONG_BLOCK,
    NAK, QUIET, RETRIES_MAX, SHORT_BLOCK, SOH, STX, WANT_CRC, checksum, count_cancels,
};

/// Longest wait for somebody to ask for the file.
const START_WAIT: Duration = Duration::from_secs(90);
/// Longest wait for the answer to a block. Longer than the ten seconds after which a receiver asks
/// again by itself, so that the two do not cross.
const ANSWER_WAIT: Duration = Duration::from_secs(15);
/// Longest wait for the answer to EOT.
const END_WAIT: Duration = Duration::from_secs(5);
/// Time in which a long block can leave at 9600 baud (1.07 s). A `C` that comes sooner after the first
/// block was sent before that block had arrived, and is no answer to it.
const FIRST_BLOCK_TIME: Duration = Duration::from_millis(1_200);
/// Time in which a receiver that does not understand a block refuses it: it has left at 9600 baud, and the
/// line was quiet for a second. One that took it and whose ACK was lost asks after ten seconds.
const REFUSAL_TIME: Duration = Duration::from_secs(6);
/// Refusals of the first block, sent with 1024 bytes, before it is tried with 128: the receiver may not
/// know the long kind. Never if it may have taken the block: it would drop the short one as a repeated one.
/// For the same reason later blocks never change size.
const LONG_REFUSED_MAX: u32 = 4;
/// What remains of a file goes in short blocks from here on: eight would cost more than one long one.
const SHORT_TAIL: usize = 7 * SHORT_BLOCK;

/// How the transfer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendEvent {
    /// The other side has the whole file.
    Done {
        /// Its length, in bytes.
        bytes: usize,
        /// Blocks that were sent again.
        retries: u32,
    },
    /// The transfer is over.
    Failed(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Waits to be asked.
    Starting,
    /// Sends a block with this many bytes of the file, or waits for the answer.
    Block { len: usize },
    /// Sends EOT, or waits for the answer.
    Ending,
    /// Knows how it ended; waits for quiet until `until` at the latest.
    Closing {
        failure: Option<Failure>,
        until: Instant,
    },
    /// Has told.
    Over,
}

/// Gives one file. See the [module](super) for how to drive it.
#[derive(Clone, Debug)]
pub struct Sender<D> {
    data: D,
    /// Bytes the other side has.
    offset: usize,
    number: u8,
    check: Check,
    block_max: usize,
    state: State,
    deadline: Option<Instant>,
    /// What is to be sent, or was sent last.
    frame: Vec<u8>,
    is_to_send: bool,
    errors: u32,
    /// Every attempt at the first block was refused, so the other side does not have it. A `C` says so of
    /// all attempts; a late NAK and silence leave it open.
    is_refused: bool,
    retries: u32,
    cancels: u32,
    event: Option<SendEvent>,
}

impl<D: AsRef<[u8]>> Sender<D> {
    /// A sender of `data`, which waits to be asked for it. A request by `C` is answered with CRC and 1K
    /// blocks, one by NAK with checksums and short blocks.
    #[must_use]
    pub fn new(data: D, now: Instant) -> Self {
        Self {
            data,
            offset: 0,
            number: 1,
            check: Check::Crc,
            block_max: LONG_BLOCK,
            state: State::Starting,
            deadline: Some(now + START_WAIT),
            frame: Vec::new(),
            is_to_send: false,
            errors: 0,
            is_refused: true,
            retries: 0,
            cancels: 0,
            event: None,
        }
    }

    /// Bytes of the file that the other side has taken.
    #[must_use]
    pub fn taken_bytes(&self) -> usize {
        self.offset
    }

    /// Takes a received byte.
    pub fn handle_byte(&mut self, byte: u8, now: Instant) {
        self.cancels = count_cancels(self.cancels, byte);
        if let State::Closing { until, .. } = self.state {
            self.deadline = Some(until.min(now + QUIET));
            return;
        }
        if byte == CAN && self.cancels >= CANCELS {
            return self.fail(Failure::CancelledByPeer, now);
        }
        if self.is_to_send {
            // Came before the block could: a repeated answer to an earlier one.
            return;
        }
        match (self.state, byte) {
            (State::Starting, WANT_CRC) => self.start(Check::Crc, LONG_BLOCK),
            (State::Starting, NAK) => self.start(Check::Checksum, SHORT_BLOCK),
            (State::Starting, INTERRUPT) => self.fail(Failure::CancelledHere, now),
            (State::Block { len }, ACK) => {
                self.offset += len;
                self.number = self.number.wrapping_add(1);
                self.errors = 0;
                self.prepare();
            }
            (State::Block { .. }, NAK) => {
                let prompt = now + (ANSWER_WAIT - REFUSAL_TIME);
                self.is_refused &= self.deadline.is_some_and(|deadline| deadline >= prompt);
                self.send_again(now);
                self.try_short();
            }
            // A receiver that did not understand the first block asks as it did at the start.
            (State::Block { .. }, WANT_CRC) if self.offset == 0 => {
                let sooner = now + (ANSWER_WAIT - FIRST_BLOCK_TIME);
                if self.deadline.is_some_and(|deadline| deadline <= sooner) {
                    self.is_refused = true;
                    self.send_again(now);
                    self.try_short();
                }
            }
            (State::Ending, ACK) => self.close(None, now),
            (State::Ending, NAK) => self.send_again(now),
            _ => {}
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.state {
            State::Starting => self.fail(Failure::Silent, now),
            State::Block { .. } | State::Ending => {
                if self.errors >= RETRIES_MAX {
                    self.fail(Failure::Silent, now);
                } else {
                    self.is_refused = false;
                    self.send_again(now);
                }
            }
            State::Closing { failure, .. } => {
                self.state = State::Over;
                self.deadline = None;
                self.event = Some(match failure {
                    Some(failure) => SendEvent::Failed(failure),
                    None => SendEvent::Done {
                        bytes: self.offset,
                        retries: self.retries,
                    },
                });
            }
            State::Over => self.deadline = None,
        }
    }

    /// Gives the transfer up and tells the other side.
    pub fn cancel(&mut self, now: Instant) {
        self.fail(Failure::CancelledHere, now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next due; `None` when all is over.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// The next bytes to send. They are taken for sent at `now`.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<&[u8]> {
        if !core::mem::take(&mut self.is_to_send) {
            return None;
        }
        match self.state {
            State::Block { .. } => self.deadline = Some(now + ANSWER_WAIT),
            State::Ending => self.deadline = Some(now + END_WAIT),
            State::Starting | State::Closing { .. } | State::Over => {}
        }
        Some(&self.frame)
    }

    /// How it ended.
    pub fn poll_event(&mut self) -> Option<SendEvent> {
        self.event.take()
    }

    fn start(&mut self, check: Check, block_max: usize) {
        self.check = check;
        self.block_max = block_max;
        self.prepare();
    }

    /// Makes the next block, or the end.
    fn prepare(&mut self) {
        let rest = self.data.as_ref().get(self.offset..).unwrap_or_default();
        self.frame.clear();
        self.is_to_send = true;
        if rest.is_empty() {
            self.frame.push(EOT);
            self.state = State::Ending;
            return;
        }
        let (kind, size) = if self.block_max == LONG_BLOCK && rest.len() > SHORT_TAIL {
            (STX, LONG_BLOCK)
        } else {
            (SOH, SHORT_BLOCK)
        };
        let part = rest.get(..size).unwrap_or(rest);
        self.frame.extend([kind, self.number, !self.number]);
        self.frame.extend_from_slice(part);
        self.frame.resize(3 + size, FILL);
        let data = self.frame.get(3..).unwrap_or_default();
        match self.check {
            Check::Checksum => {
                let sum = checksum(data);
                self.frame.push(sum);
            }
            Check::Crc => {
                let crc = CRC.checksum(data).to_be_bytes();
                self.frame.extend(crc);
            }
        }
        self.state = State::Block { len: part.len() };
    }

    fn send_again(&mut self, now: Instant) {
        self.errors += 1;
        self.retries += 1;
        if self.errors > RETRIES_MAX {
            return self.fail(Failure::TooManyErrors, now);
        }
        self.is_to_send = true;
    }

    /// Tries the first block with 128 bytes if it was refused often enough.
    fn try_short(&mut self) {
        let is_first = self.offset == 0 && matches!(self.state, State::Block { .. });
        if is_first
            && self.is_refused
            && self.errors >= LONG_REFUSED_MAX
            && self.block_max == LONG_BLOCK
        {
            self.block_max = SHORT_BLOCK;
            self.prepare();
        }
    }

    fn fail(&mut self, failure: Failure, now: Instant) {
        if matches!(self.state, State::Closing { .. } | State::Over) {
            return;
        }
        self.frame.clear();
        self.frame.extend_from_slice(CANCEL);
        self.is_to_send = true;
        self.close(Some(failure), now);
    }

    fn close(&mut self, failure: Option<Failure>, now: Instant) {
        self.state = State::Closing {
            failure,
            until: now + CLOSING_MAX,
        };
        self.deadline = Some(now + QUIET);
    }
}

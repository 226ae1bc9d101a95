//! The side that takes a file.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use hal::time::Instant;

use super::{
    ACK, CAN, CANCEL, CANCELS, CANCELS_IN_BLOCK, CLOSING_MAX, CRC, Check, EOT, FILL, Failure,
    INTERRUPT, LONG_BLOCK, NAK, Padding, QUIET, RETRIES_MAX, SHORT_BLOCK, SOH, STX, WANT_CRC,
    checksum, count_cancels,
};

/// Time between two requests for the first block (Forsberg §7.4: three seconds).
const START_INTERVAL: Duration = Duration::from_secs(3);
/// Requests for CRC before it falls back to checksums: half a minute, in which a person can have found
/// the file in the menu of a terminal program.
const START_CRC: u32 = 10;
/// Requests in all: one and a half minutes.
const START_MAX: u32 = 30;
/// Longest wait for the next block before it is asked for again (Christensen: ten seconds).
const BLOCK_WAIT: Duration = Duration::from_secs(10);
/// Longest pause inside a block (Christensen: one second).
const BYTE_WAIT: Duration = Duration::from_secs(1);
/// Longest wait for the second EOT.
const END_WAIT: Duration = Duration::from_secs(3);
/// Requests for the second EOT before the first alone counts: a sender in the middle of a file would
/// have answered one of them with a block.
const END_ASKED_MAX: u32 = 3;
/// Silence that must follow an EOT. A byte of a block whose beginning was lost is followed by others.
const END_QUIET: Duration = Duration::from_millis(100);
/// How long an EOT is still answered when all is over.
const LINGER: Duration = Duration::from_millis(500);
/// Bytes that make no sense, between two good blocks, before the transfer is given up.
const NOISE_MAX: u32 = 64 << 10;

/// Bytes of a damaged block from which on it was one, and no damaged EOT.
const BLOCK_SEEN: u32 = 16;

/// Bytes before the data of a block: its kind, its number, the complement.
const HEADER: usize = 3;

/// What has come of the bytes so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiveEvent {
    /// The next bytes of the file.
    Data(Vec<u8>),
    /// The file is complete.
    Done {
        /// Its length, in bytes.
        bytes: usize,
        /// Blocks that had to be asked for again.
        retries: u32,
    },
    /// The transfer is over without a complete file; drop what came before.
    Failed(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Asks for the first block.
    Starting { asked: u32 },
    /// Waits for a block or the end.
    Between,
    /// Inside a block with this many bytes of data.
    Block { len: usize },
    /// After a damaged block: waits for quiet, then asks again. `late_crc` is the check byte of a block
    /// with a wrong sum, which may be the first half of a CRC.
    Purging { late_crc: Option<u8> },
    /// Has an EOT, after `asked` requests for one; waits whether the line is quiet now.
    EndSeen { asked: u32 },
    /// Answered the first EOT by NAK, `asked` times.
    Ending { asked: u32 },
    /// Knows how it ended; waits for quiet until `until` at the latest.
    Closing {
        failure: Option<Failure>,
        until: Instant,
    },
    /// Has told.
    Over,
}

/// Takes one file. See the [module](super) for how to drive it.
#[derive(Clone, Debug)]
pub struct Receiver {
    state: State,
    deadline: Option<Instant>,
    check: Check,
    padding: Padding,
    limit: usize,
    /// The block being received, with header and check.
    block: Vec<u8>,
    /// The last good block, held back because the padding of the last one is special.
    held: Option<Vec<u8>>,
    /// Number of the next block.
    expected: u8,
    bytes: usize,
    errors: u32,
    retries: u32,
    noise: u32,
    /// Bytes of the block that was damaged and has not been repeated yet.
    damaged: u32,
    /// There was noise since the line was last quiet, so an EOT may be noise too.
    is_noisy: bool,
    cancels: u32,
    transmit: VecDeque<&'static [u8]>,
    events: VecDeque<ReceiveEvent>,
}

impl Receiver {
    /// A receiver of a file of at most `limit` bytes, which asks for the first block at once.
    #[must_use]
    pub fn new(limit: usize, padding: Padding, now: Instant) -> Self {
        Self {
            state: State::Starting { asked: 1 },
            deadline: Some(now + START_INTERVAL),
            check: Check::Crc,
            padding,
            limit,
            block: Vec::with_capacity(HEADER + LONG_BLOCK + Check::Crc.len()),
            held: None,
            expected: 1,
            bytes: 0,
            errors: 0,
            retries: 0,
            noise: 0,
            damaged: 0,
            is_noisy: false,
            cancels: 0,
            transmit: VecDeque::from([&[WANT_CRC][..]]),
            events: VecDeque::new(),
        }
    }

    /// Takes a received byte.
    pub fn handle_byte(&mut self, byte: u8, now: Instant) {
        self.cancels = count_cancels(self.cancels, byte);
        match self.state {
            State::Starting { .. } | State::Between | State::Ending { .. } => {
                self.handle_first(byte, now);
            }
            State::Block { len } => self.handle_block_byte(byte, len, now),
            State::EndSeen { .. } if byte == EOT => {
                self.deadline = Some(now + END_QUIET);
                // Some senders repeat it, but none for ever: the line would never be quiet.
                self.noise += 1;
                if self.noise > NOISE_MAX {
                    self.fail(Failure::TooManyErrors, now);
                }
            }
            State::EndSeen { .. } => {
                self.state = State::Purging { late_crc: None };
                self.deadline = Some(now + QUIET);
                self.count_noise(now);
            }
            State::Purging { late_crc } => {
                let first = late_crc;
                self.state = State::Purging { late_crc: None };
                self.deadline = Some(now + QUIET);
                match first {
                    Some(first) if self.is_crc_of_block([first, byte]) => {
                        self.check = Check::Crc;
                        self.handle_good_block(now);
                    }
                    _ => self.count_noise(now),
                }
            }
            State::Closing { failure, until } => {
                if failure.is_none() && byte == EOT {
                    self.transmit.push_back(&[ACK]);
                }
                self.deadline = Some(until.min(now + QUIET));
            }
            State::Over => {}
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        self.is_noisy = false;
        match self.state {
            State::Starting { asked } if asked >= START_MAX => self.fail(Failure::Silent, now),
            State::Starting { asked } => {
                self.state = State::Starting { asked: asked + 1 };
                if asked >= START_CRC {
                    self.check = Check::Checksum;
                }
                self.ask();
                self.deadline = Some(now + START_INTERVAL);
            }
            State::Between | State::Block { .. } | State::Purging { .. } => {
                if matches!(self.state, State::Block { .. }) {
                    self.note_damaged();
                }
                if self.cancels >= CANCELS_IN_BLOCK {
                    self.fail(Failure::CancelledByPeer, now);
                } else {
                    self.ask_again(now);
                }
            }
            // The sender took a stray ACK for the answer to a block that we never got.
            State::EndSeen { .. } if self.damaged >= BLOCK_SEEN => {
                self.fail(Failure::Incomplete, now);
            }
            State::EndSeen { asked: 0 } => {
                self.state = State::Ending { asked: 1 };
                self.transmit.push_back(&[NAK]);
                self.deadline = Some(now + END_WAIT);
            }
            State::EndSeen { .. } => self.finish(now),
            State::Ending { asked } if asked >= END_ASKED_MAX => self.finish(now),
            State::Ending { asked } => {
                self.state = State::Ending { asked: asked + 1 };
                self.transmit.push_back(&[NAK]);
                self.deadline = Some(now + END_WAIT);
            }
            State::Closing { failure, .. } => {
                self.state = State::Over;
                self.deadline = None;
                self.events.push_back(match failure {
                    Some(failure) => ReceiveEvent::Failed(failure),
                    None => ReceiveEvent::Done {
                        bytes: self.bytes,
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

    /// The next bytes to send.
    pub fn poll_transmit(&mut self) -> Option<&'static [u8]> {
        self.transmit.pop_front()
    }

    /// What has happened.
    pub fn poll_event(&mut self) -> Option<ReceiveEvent> {
        self.events.pop_front()
    }

    /// The byte that begins a block, ends the file or cancels.
    fn handle_first(&mut self, byte: u8, now: Instant) {
        match byte {
            SOH | STX => {
                let len = if byte == SOH { SHORT_BLOCK } else { LONG_BLOCK };
                self.block.clear();
                self.block.push(byte);
                self.state = State::Block { len };
                self.deadline = Some(now + BYTE_WAIT);
            }
            EOT if !self.is_noisy => {
                let asked = match self.state {
                    State::Ending { asked } => asked,
                    _ => 0,
                };
                self.state = State::EndSeen { asked };
                self.deadline = Some(now + END_QUIET);
            }
            CAN if self.cancels >= CANCELS => self.fail(Failure::CancelledByPeer, now),
            INTERRUPT if matches!(self.state, State::Starting { .. }) => self.cancel(now),
            _ => {
                // Noise does not hide a block that follows at once; if none does, a block was lost.
                if !matches!(self.state, State::Starting { .. }) && byte != CAN {
                    self.state = State::Between;
                    self.deadline = Some(now + QUIET);
                }
                self.is_noisy = true;
                self.count_noise(now);
            }
        }
    }

    fn handle_block_byte(&mut self, byte: u8, len: usize, now: Instant) {
        self.block.push(byte);
        self.deadline = Some(now + BYTE_WAIT);
        if self.block.len() == HEADER && self.number().is_none() {
            self.purge(None, now);
        }
        if self.block.len() < HEADER + len + self.check.len() {
            return;
        }
        match (self.check, self.block.get(HEADER + len..)) {
            (Check::Crc, Some(&[high, low])) => {
                if self.is_crc_of_block([high, low]) {
                    self.handle_good_block(now);
                } else {
                    self.purge(None, now);
                }
            }
            (Check::Checksum, Some(&[sum])) => {
                if checksum(self.data()) == sum {
                    self.handle_good_block(now);
                } else {
                    self.purge(Some(sum), now);
                }
            }
            // The lengths above are those of the two kinds.
            _ => self.purge(None, now),
        }
    }

    fn handle_good_block(&mut self, now: Instant) {
        let Some(number) = self.number() else {
            return self.purge(None, now);
        };
        self.noise = 0;
        if number == self.expected {
            let block = self.data().to_vec();
            if let Some(earlier) = self.held.replace(block)
                && !self.give(earlier, now)
            {
                return;
            }
            self.expected = self.expected.wrapping_add(1);
            self.errors = 0;
            self.damaged = 0;
            self.is_noisy = false;
        } else if self.held.is_some() && number == self.expected.wrapping_sub(1) {
            // Our answer was lost. Answering again is right, but not for ever.
            self.errors += 1;
            if self.errors > RETRIES_MAX {
                return self.fail(Failure::TooManyErrors, now);
            }
        } else {
            let expected = self.expected;
            let received = number;
            return self.fail(Failure::OutOfStep { expected, received }, now);
        }
        self.transmit.push_back(&[ACK]);
        self.state = State::Between;
        self.deadline = Some(now + BLOCK_WAIT);
    }

    /// Hands bytes to the caller if the limit allows; else fails and returns false.
    fn give(&mut self, data: Vec<u8>, now: Instant) -> bool {
        let limit = self.limit;
        if data.len() > limit.saturating_sub(self.bytes) {
            self.fail(Failure::TooLarge { limit }, now);
            return false;
        }
        self.bytes += data.len();
        if !data.is_empty() {
            self.events.push_back(ReceiveEvent::Data(data));
        }
        true
    }

    fn finish(&mut self, now: Instant) {
        if let Some(mut last) = self.held.take() {
            if self.padding == Padding::Strip {
                let end = last.iter().rposition(|&byte| byte != FILL);
                last.truncate(end.map_or(0, |at| at + 1));
            }
            if !self.give(last, now) {
                return;
            }
        }
        self.transmit.push_back(&[ACK]);
        self.close(None, now);
    }

    fn fail(&mut self, failure: Failure, now: Instant) {
        if matches!(self.state, State::Closing { .. } | State::Over) {
            return;
        }
        self.transmit.clear();
        self.transmit.push_back(CANCEL);
        self.close(Some(failure), now);
    }

    fn close(&mut self, failure: Option<Failure>, now: Instant) {
        self.state = State::Closing {
            failure,
            until: now + CLOSING_MAX,
        };
        self.deadline = Some(now + LINGER);
    }

    fn note_damaged(&mut self) {
        let len = u32::try_from(self.block.len()).unwrap_or(u32::MAX);
        self.damaged = self.damaged.saturating_add(len);
    }

    fn purge(&mut self, late_crc: Option<u8>, now: Instant) {
        self.note_damaged();
        self.state = State::Purging { late_crc };
        self.deadline = Some(now + QUIET);
    }

    fn count_noise(&mut self, now: Instant) {
        if !matches!(self.state, State::Starting { .. }) {
            self.damaged = self.damaged.saturating_add(1);
        }
        self.noise += 1;
        if self.noise > NOISE_MAX {
            self.fail(Failure::TooManyErrors, now);
        }
    }

    /// Asks for a block a further time, or gives up.
    fn ask_again(&mut self, now: Instant) {
        self.errors += 1;
        self.retries += 1;
        if self.errors > RETRIES_MAX {
            return self.fail(Failure::TooManyErrors, now);
        }
        self.ask();
        self.state = State::Between;
        self.deadline = Some(now + BLOCK_WAIT);
    }

    /// Until the first block is in, the request names the check as well.
    fn ask(&mut self) {
        let is_first = self.held.is_none();
        self.transmit
            .push_back(if is_first && self.check == Check::Crc {
                &[WANT_CRC]
            } else {
                &[NAK]
            });
    }

    /// The number of the block, if its complement agrees.
    fn number(&self) -> Option<u8> {
        match self.block.as_slice() {
            [_, number, complement, ..] if *number == !*complement => Some(*number),
            _ => None,
        }
    }

    fn data(&self) -> &[u8] {
        let len = match self.block.first() {
            Some(&STX) => LONG_BLOCK,
            _ => SHORT_BLOCK,
        };
        self.block.get(HEADER..HEADER + len).unwrap_or_default()
    }

    fn is_crc_of_block(&self, check: [u8; 2]) -> bool {
        CRC.checksum(self.data()).to_be_bytes() == check
    }
}

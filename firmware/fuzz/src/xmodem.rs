//! XMODEM over a line that the fuzzer speaks on, or spoils.

use std::collections::VecDeque;
use std::time::Duration;

use cli::xmodem::{
    Failure, LONG_BLOCK, Padding, RETRIES_MAX, ReceiveEvent, Receiver, SHORT_BLOCK, SendEvent,
    Sender,
};
use crc::{CRC_16_XMODEM, Crc};
use hal::time::Instant;

use crate::input::Input;

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);
/// What fills the last block.
const FILL: u8 = 0x1a;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
/// Longest time in which a side ends once nothing more comes: eleven waits of fifteen seconds for an
/// answer, and the end.
const SILENCE_MAX: Duration = Duration::from_secs(180);
/// Largest file that the two sides pass.
const FILE_MAX: usize = 8 * LONG_BLOCK;
/// Bytes of a block by which the receiver knows, at the end of the file, that one is missing. If the last
/// block is lost with fewer while an answer too many is under way, XMODEM cannot tell.
const TOLD_MIN: usize = 20;
/// Bytes that one byte or one timeout may make a side say: a block, or a cancellation and an answer.
const SAID_MAX: usize = 3 + LONG_BLOCK + 2;

/// The first byte chooses who hears what: a receiver the fuzzer, a sender the fuzzer, or the two sides
/// each other.
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 3 {
        0 => receive(&mut input),
        1 => send(&mut input),
        _ => {
            transfer(&mut input);
        }
    }
}

fn padding(choice: u8) -> Padding {
    if choice.is_multiple_of(2) {
        Padding::Keep
    } else {
        Padding::Strip
    }
}

/// A receiver with everything it has said and given.
struct Taking {
    receiver: Receiver,
    limit: usize,
    file: Vec<u8>,
    end: Option<ReceiveEvent>,
}

impl Taking {
    fn new(limit: usize, padding: Padding) -> Self {
        Self {
            receiver: Receiver::new(limit, padding, Instant::ZERO),
            limit,
            file: Vec::new(),
            end: None,
        }
    }

    /// What the receiver says now. What it gives is kept, within its limit, and nothing after its end.
    fn said(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        while let Some(bytes) = self.receiver.poll_transmit() {
            said.extend_from_slice(bytes);
        }
        assert!(said.len() <= SAID_MAX, "{} bytes at once", said.len());
        while let Some(event) = self.receiver.poll_event() {
            assert_eq!(self.end, None, "{event:?} after the end");
            match event {
                ReceiveEvent::Data(bytes) => {
                    self.file.extend_from_slice(&bytes);
                    assert!(self.file.len() <= self.limit, "more than the limit");
                }
                ReceiveEvent::Done { bytes, .. } => {
                    assert_eq!(bytes, self.file.len());
                    self.end = Some(event);
                }
                ReceiveEvent::Failed(_) => self.end = Some(event),
            }
        }
        assert_eq!(self.end.is_some(), self.receiver.poll_timeout().is_none());
        said
    }

    /// Everything due until `until`.
    fn wait(&mut self, until: Instant) {
        while let Some(due) = self.receiver.poll_timeout().filter(|due| *due <= until) {
            self.receiver.handle_timeout(due);
            self.said();
        }
    }
}

/// Bytes, right blocks and pauses for a receiver.
fn receive(input: &mut Input<'_>) {
    let padding = padding(input.byte());
    let mut taking = Taking::new(usize::from(input.word()), padding);
    let mut now = Instant::ZERO;
    while !input.is_empty() {
        let what = input.byte();
        let heard = match what % 5 {
            0 => {
                now += Duration::from_millis(u64::from(input.word()));
                taking.wait(now);
                Vec::new()
            }
            1 => block(input, SHORT_BLOCK, what >= 128),
            2 => block(input, LONG_BLOCK, what >= 128),
            3 => input.counted().to_vec(),
            _ if what == u8::MAX => {
                taking.receiver.cancel(now);
                taking.said();
                Vec::new()
            }
            _ => vec![input.byte()],
        };
        for byte in heard {
            taking.receiver.handle_byte(byte, now);
            taking.said();
        }
    }
    taking.wait(now + SILENCE_MAX);
    assert!(taking.end.is_some(), "waits for ever");
}

/// A block whose check is right.
fn block(input: &mut Input<'_>, size: usize, is_crc: bool) -> Vec<u8> {
    let number = input.byte();
    let len = usize::from(input.byte());
    let mut data = input.take(len).to_vec();
    data.resize(size, FILL);
    let kind = if size == SHORT_BLOCK { 1 } else { 2 };
    let mut block = vec![kind, number, !number];
    block.extend_from_slice(&data);
    if is_crc {
        block.extend(CRC.checksum(&data).to_be_bytes());
    } else {
        block.push(data.iter().fold(0, |sum, byte| sum.wrapping_add(*byte)));
    }
    block
}

/// What a sender says now.
fn said_by(sender: &mut Sender<&[u8]>, now: Instant) -> Option<Vec<u8>> {
    let said = sender.poll_transmit(now).map(<[u8]>::to_vec);
    assert_eq!(sender.poll_transmit(now), None, "two frames at once");
    assert!(said.as_ref().is_none_or(|said| said.len() <= SAID_MAX));
    said
}

/// Answers and pauses for a sender.
fn send(input: &mut Input<'_>) {
    let file = input.counted();
    let mut sender = Sender::new(file, Instant::ZERO);
    let mut now = Instant::ZERO;
    let mut end = None;
    let mut wait = |sender: &mut Sender<&[u8]>, until: Instant| {
        while let Some(due) = sender.poll_timeout().filter(|due| *due <= until) {
            sender.handle_timeout(due);
            said_by(sender, due);
            while let Some(event) = sender.poll_event() {
                assert_eq!(end, None, "{event:?} after the end");
                end = Some(event);
            }
        }
        end
    };
    while !input.is_empty() {
        match input.byte() {
            0 => {
                now += Duration::from_millis(u64::from(input.word()));
                wait(&mut sender, now);
            }
            u8::MAX => sender.cancel(now),
            byte => sender.handle_byte(byte, now),
        }
        said_by(&mut sender, now);
        assert!(sender.taken_bytes() <= file.len());
    }
    let end = wait(&mut sender, now + SILENCE_MAX).expect("it waits for ever");
    if let SendEvent::Done { bytes, .. } = end {
        assert_eq!(bytes, file.len());
    }
    assert_eq!(sender.poll_timeout(), None);
}

/// One direction of a line: what is under way, and when it comes.
#[derive(Default)]
struct Wire {
    under_way: VecDeque<(Instant, Vec<u8>)>,
}

impl Wire {
    /// Bytes never overtake each other.
    fn put(&mut self, bytes: Vec<u8>, at: Instant) {
        let at = self.under_way.back().map_or(at, |(last, _)| at.max(*last));
        if !bytes.is_empty() {
            self.under_way.push_back((at, bytes));
        }
    }

    fn due(&self) -> Option<Instant> {
        self.under_way.front().map(|(at, _)| *at)
    }

    fn take(&mut self, now: Instant) -> Vec<u8> {
        match self.under_way.front() {
            Some((at, _)) if *at <= now => self.under_way.pop_front().unwrap_or_default().1,
            _ => Vec::new(),
        }
    }
}

/// What the line may do to a frame or an answer, besides delaying it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Faults {
    /// It comes as it is.
    Delay,
    /// It comes as it is, or not at all.
    Loss,
    /// Also with one byte changed.
    Change,
    /// Also cut short, of which at least `kept_min` bytes come.
    Any { kept_min: usize },
}

/// What the line does to a frame or an answer: how long it keeps it, and whether it spoilt it. Only what
/// the protocol can tell is done to it: one byte of a frame that becomes another is seen by either check,
/// and a lost end by the silence after it. An answer is lost or becomes one that means nothing; one made up
/// would be believed.
fn spoil(input: &mut Input<'_>, bytes: &mut Vec<u8>, faults: Faults) -> (Duration, bool) {
    let fault = input.byte();
    let delay = Duration::from_millis(u64::from(fault >> 2));
    if fault & 3 == 0 || faults == Faults::Delay {
        return (delay, false);
    }
    let lost_from = match faults {
        Faults::Any { kept_min } => kept_min,
        _ => 0,
    };
    let place = usize::from(input.word()) % bytes.len().max(1);
    match (fault & 3, faults) {
        (2, Faults::Any { .. }) => bytes.truncate(place.max(lost_from)),
        (3, Faults::Change | Faults::Any { .. }) => match bytes.get_mut(place) {
            // The kind of a block is behind no check, and what follows it must not pass for one.
            Some(_) if place == 0 && faults == Faults::Change => bytes.clear(),
            Some(first) if place == 0 => *first = b'?',
            Some(byte) => *byte ^= input.byte().max(1),
            None => {}
        },
        _ => bytes.truncate(lost_from),
    }
    (delay, true)
}

/// What the line may do to a frame.
///
/// * Once the receiver counts sums, the half of a block may be filled up by the next one, and one sum of
///   256 is right by chance. Nothing is cut then; and if the sender still makes CRCs, whose first half the
///   receiver takes for the sum, nothing is changed either.
/// * A frame sent twice may be answered twice, and the second answer be taken for that to the next frame.
///   If that is lost, and is the last, the protocol cannot tell.
fn faults_of_frames(asks_for_sum: bool, sends_crc: bool, is_repeated: bool) -> Faults {
    match (asks_for_sum, is_repeated) {
        (false, false) => Faults::Any { kept_min: 0 },
        (false, true) => Faults::Any { kept_min: TOLD_MIN },
        (true, true) => Faults::Delay,
        (true, false) if sends_crc => Faults::Loss,
        (true, false) => Faults::Change,
    }
}

/// How a transfer ended on both sides.
#[derive(Debug)]
pub struct Ends {
    /// What the receiver told.
    pub received: ReceiveEvent,
    /// What the sender told.
    pub sent: SendEvent,
}

/// A file from one side to the other: both end in time, and if both say that it is done, it is.
///
/// # Panics
/// If a law is broken.
fn transfer(input: &mut Input<'_>) -> Ends {
    let padding = padding(input.byte());
    let repeats = usize::from(input.byte()) + 1;
    let part = input.counted();
    let mut file = part.repeat(repeats);
    file.truncate(FILE_MAX);
    let mut taking = Taking::new(FILE_MAX + LONG_BLOCK, padding);
    let mut sender = Sender::new(file.as_slice(), Instant::ZERO);
    let (mut forth, mut back) = (Wire::default(), Wire::default());
    let mut sent = None;
    let mut is_clean = true;
    // The check that each side has in mind; they need not be the same.
    let (mut asks_for_sum, mut sends_crc) = (false, false);
    let (mut is_repeated, mut last) = (false, Vec::new());
    let mut now = Instant::ZERO;
    let frames_max = (file.len() / SHORT_BLOCK + 3) as u32 * (RETRIES_MAX + 1);
    let until = now + SILENCE_MAX * frames_max;
    loop {
        if let Some(mut frame) = said_by(&mut sender, now) {
            sends_crc |= frame.len() % SHORT_BLOCK == 5;
            is_repeated |= frame == last;
            last.clone_from(&frame);
            let faults = faults_of_frames(asks_for_sum, sends_crc, is_repeated);
            let (delay, spoilt) = spoil(input, &mut frame, faults);
            is_clean &= !spoilt;
            forth.put(frame, now + delay);
        }
        for answer in taking.said() {
            asks_for_sum |= answer == NAK && sender.taken_bytes() == 0;
            let mut answer = vec![answer];
            let (delay, spoilt) = spoil(input, &mut answer, Faults::Any { kept_min: 0 });
            is_clean &= !spoilt;
            back.put(answer, now + delay);
        }
        while let Some(event) = sender.poll_event() {
            assert_eq!(sent, None, "{event:?} after the end");
            sent = Some(event);
        }
        if let (Some(received), Some(sent)) = (&taking.end, sent) {
            let ends = Ends {
                received: received.clone(),
                sent,
            };
            judge(&ends, &taking.file, &file, padding, is_clean);
            return ends;
        }
        let next = [
            sender.poll_timeout(),
            taking.receiver.poll_timeout(),
            forth.due(),
            back.due(),
        ];
        now = next
            .into_iter()
            .flatten()
            .min()
            .expect("a side that has not ended waits for something")
            .max(now);
        assert!(now < until, "no end");
        for byte in forth.take(now) {
            taking.receiver.handle_byte(byte, now);
        }
        for byte in back.take(now) {
            sender.handle_byte(byte, now);
        }
        taking.receiver.handle_timeout(now);
        sender.handle_timeout(now);
    }
}

fn judge(ends: &Ends, received: &[u8], file: &[u8], padding: Padding, is_clean: bool) {
    let is_done = matches!(
        ends,
        Ends {
            received: ReceiveEvent::Done { .. },
            sent: SendEvent::Done { .. },
        }
    );
    assert!(is_done || !is_clean, "{ends:?} on a line without faults");
    assert_ne!(
        ends.sent,
        SendEvent::Failed(Failure::CancelledHere),
        "nobody did"
    );
    if !is_done {
        return;
    }
    let (longer, shorter) = match padding {
        Padding::Keep => (received, file),
        Padding::Strip => (file, received),
    };
    let rest = longer.strip_prefix(shorter);
    assert!(
        rest.is_some_and(|rest| rest.len() < LONG_BLOCK + 1 && rest.iter().all(|b| *b == FILL)),
        "{} bytes sent, {} other ones received",
        file.len(),
        received.len()
    );
}

/// A file with each check for a receiver, answers for a sender, and transfers with every fault.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let file = b"hostname asa1\n";
    let len = file.len() as u8;
    let taken = |first: u8, second: u8| {
        // A block, the same again, another one, EOT, a second of silence, EOT.
        let mut seed = vec![0, 1, 0x10, 0];
        for (kind, number) in [(first, 1), (first, 1), (second, 2)] {
            seed.extend([kind, number, len]);
            seed.extend_from_slice(file);
        }
        seed.extend([4, 4, 0, 3, 0xe8, 4, 4, 0, 3, 0xe8]);
        seed
    };
    let answers = |asks: u8| {
        let mut seed = vec![1, 0, len];
        seed.extend_from_slice(file);
        seed.extend([asks, NAK, ACK, NAK, ACK]);
        seed
    };
    let passed = |padding: u8, repeats: u8, faults: &[u8]| {
        let mut seed = vec![2, padding, repeats, 0, len];
        seed.extend_from_slice(file);
        seed.extend_from_slice(faults);
        seed
    };
    vec![
        taken(131, 131),
        taken(131, 132),
        // After half a minute it asks for checksums.
        [&[0, 0, 0x10, 0, 0, 0x80, 0][..], &taken(1, 1)[4..]].concat(),
        [0, 0, 0x10, 0, 3, 0, 2, 0x18, 0x18].to_vec(),
        answers(b'C'),
        answers(NAK),
        [1, 0, 0, b'C', 0x18, 0x18].to_vec(),
        passed(0, 0, &[]),
        passed(1, 255, &[]),
        passed(1, 200, &[0, 3, 0, 9, 1, 0, 0, 1, 0, 2, 0, 70, 0, 0, 1]),
        // Ten requests are lost, then a checksum is asked for.
        passed(0, 20, &[1; 10]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seeds above do what they are said to do: files are taken and given, and not only refused.
    #[test]
    fn seeds_of_xmodem_reach_the_end_of_a_transfer() {
        let done = seeds()
            .iter()
            .filter(|seed| seed[0] == 2)
            .map(|seed| transfer(&mut Input::new(&seed[1..])))
            .filter(|ends| matches!(ends.received, ReceiveEvent::Done { .. }))
            .count();
        assert_eq!(done, 4);
    }
}

//! Handshakes byte for byte, and both sides over a line that loses, damages, repeats and invents bytes.

use super::*;
use hal::time::Instant;

const LIMIT: usize = 1 << 20;
const START: Instant = Instant::from_millis(5);

fn block(number: u8, data: &[u8], check: Check) -> Vec<u8> {
    let size = if data.len() > SHORT_BLOCK {
        LONG_BLOCK
    } else {
        SHORT_BLOCK
    };
    let kind = if size == LONG_BLOCK { STX } else { SOH };
    let mut bytes = vec![kind, number, !number];
    bytes.extend_from_slice(data);
    bytes.resize(3 + size, FILL);
    match check {
        Check::Checksum => bytes.push(checksum(&bytes[3..])),
        Check::Crc => bytes.extend(CRC.checksum(&bytes[3..]).to_be_bytes()),
    }
    bytes
}

/// A receiver, what it says and what comes of it.
struct Taking {
    receiver: Receiver,
    now: Instant,
    data: Vec<u8>,
    end: Option<ReceiveEvent>,
}

impl Taking {
    fn new(limit: usize, padding: Padding) -> Self {
        Self {
            receiver: Receiver::new(limit, padding, START),
            now: START,
            data: Vec::new(),
            end: None,
        }
    }

    fn said(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        while let Some(bytes) = self.receiver.poll_transmit() {
            said.extend_from_slice(bytes);
        }
        while let Some(event) = self.receiver.poll_event() {
            match event {
                ReceiveEvent::Data(data) => self.data.extend(data),
                end => assert_eq!(self.end.replace(end), None),
            }
        }
        said
    }

    fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        for byte in bytes {
            self.receiver.handle_byte(*byte, self.now);
        }
        self.said()
    }

    /// Hears EOT and then nothing for a while.
    fn hear_end(&mut self) -> Vec<u8> {
        assert_eq!(self.hear(&[EOT]), []);
        self.wait()
    }

    /// Hears the whole handshake of the end.
    fn finish(&mut self) {
        assert_eq!(self.hear_end(), [NAK]);
        assert_eq!(self.hear_end(), [ACK]);
        self.wait();
    }

    /// Lets time pass until something is due.
    fn wait(&mut self) -> Vec<u8> {
        self.now = self.receiver.poll_timeout().expect("it is not over");
        self.receiver.handle_timeout(self.now);
        self.said()
    }
}

#[test]
fn a_file_with_crc_is_taken_block_by_block() {
    let mut taking = Taking::new(LIMIT, Padding::Strip);
    assert_eq!(taking.said(), [WANT_CRC]);
    let first = [7; LONG_BLOCK];
    assert_eq!(taking.hear(&block(1, &first, Check::Crc)), [ACK]);
    assert_eq!(taking.hear(&block(2, b"end", Check::Crc)), [ACK]);
    assert_eq!(taking.hear_end(), [NAK], "one EOT may be a damaged byte");
    assert_eq!(taking.hear_end(), [ACK]);
    assert_eq!(taking.hear(&[EOT]), [ACK], "our answer was lost");
    assert_eq!(taking.end, None);
    taking.wait();
    let done = ReceiveEvent::Done {
        bytes: LONG_BLOCK + 3,
        retries: 0,
    };
    assert_eq!(taking.end, Some(done));
    assert_eq!(taking.data, [&first[..], b"end"].concat());
    assert_eq!(taking.receiver.poll_timeout(), None);
}

#[test]
fn padding_stays_if_the_caller_wants_it() {
    for (padding, len) in [(Padding::Keep, 2 * SHORT_BLOCK), (Padding::Strip, 130)] {
        let mut taking = Taking::new(LIMIT, padding);
        // 0x1A at the end of a block that is not the last is data.
        taking.hear(&block(1, &[FILL; SHORT_BLOCK], Check::Crc));
        taking.hear(&block(2, b"ab\x1a", Check::Crc));
        taking.finish();
        assert_eq!(taking.data.len(), len);
    }
}

#[test]
fn it_asks_for_checksums_when_nobody_answers_to_c() {
    let mut taking = Taking::new(LIMIT, Padding::Keep);
    let mut said = taking.said();
    for _ in 0..10 {
        said.extend(taking.wait());
    }
    assert_eq!(said, b"CCCCCCCCCC\x15");
    assert_eq!(taking.now.since(START), Duration::from_secs(30));
    assert_eq!(taking.hear(&block(1, b"a", Check::Checksum)), [ACK]);
    // A sender that has read one of the old `C`s sends a CRC; it is taken all the same.
    assert_eq!(taking.hear(&block(2, b"b", Check::Crc)), [ACK]);
    assert_eq!(taking.hear(&block(3, b"c", Check::Crc)), [ACK]);
    let mut nobody = Taking::new(LIMIT, Padding::Keep);
    while nobody.end.is_none() {
        nobody.wait();
    }
    assert_eq!(nobody.end, Some(ReceiveEvent::Failed(Failure::Silent)));
    assert!(nobody.now.since(START) < Duration::from_secs(95));
}

#[test]
fn a_damaged_block_is_asked_for_again_ten_times() {
    let mut taking = Taking::new(LIMIT, Padding::Keep);
    taking.said();
    let mut bad = block(1, b"a", Check::Crc);
    bad[40] ^= 1;
    assert_eq!(taking.hear(&bad), []);
    assert_eq!(
        taking.wait(),
        [WANT_CRC],
        "of the first block, by its check"
    );
    assert_eq!(taking.hear(&block(1, b"a", Check::Crc)), [ACK]);
    // Half a block, and then silence.
    assert_eq!(taking.hear(&block(2, b"b", Check::Crc)[..70]), []);
    assert_eq!(taking.wait(), [NAK]);
    for _ in 0..9 {
        assert_eq!(taking.wait(), [NAK]);
    }
    assert_eq!(taking.wait(), CANCEL);
    taking.wait();
    assert_eq!(
        taking.end,
        Some(ReceiveEvent::Failed(Failure::TooManyErrors))
    );
}

#[test]
fn a_repeated_block_is_answered_and_not_taken_twice() {
    let mut taking = Taking::new(LIMIT, Padding::Strip);
    taking.said();
    for number in [1, 1, 2, 2, 2, 3] {
        assert_eq!(taking.hear(&block(number, &[number], Check::Crc)), [ACK]);
    }
    taking.finish();
    // Blocks in the middle keep their filling; what counts is that each is there once.
    let kept: Vec<u8> = taking
        .data
        .into_iter()
        .filter(|&byte| byte != FILL)
        .collect();
    assert_eq!(kept, [1, 2, 3]);
}

#[test]
fn a_block_out_of_step_ends_the_transfer() {
    let mut taking = Taking::new(LIMIT, Padding::Strip);
    taking.said();
    taking.hear(&block(1, b"a", Check::Crc));
    assert_eq!(taking.hear(&block(3, b"c", Check::Crc)), CANCEL);
    // What the sender still says is no typing.
    assert_eq!(taking.hear(b"reload\r"), []);
    taking.wait();
    let failure = Failure::OutOfStep {
        expected: 2,
        received: 3,
    };
    assert_eq!(taking.end, Some(ReceiveEvent::Failed(failure)));
}

#[test]
fn both_sides_can_cancel() {
    for (bytes, failure) in [
        (&[CAN, CAN][..], Failure::CancelledByPeer),
        (&[INTERRUPT], Failure::CancelledHere),
    ] {
        let mut taking = Taking::new(LIMIT, Padding::Keep);
        taking.said();
        taking.hear(bytes);
        taking.wait();
        assert_eq!(taking.end, Some(ReceiveEvent::Failed(failure)));
    }
    // A single one is noise, and so is Ctrl-C once blocks come.
    let mut taking = Taking::new(LIMIT, Padding::Keep);
    taking.hear(&[CAN]);
    taking.hear(&block(1, &[CAN; SHORT_BLOCK], Check::Crc));
    assert_eq!(taking.hear(&[CAN, INTERRUPT]), []);
    assert_eq!(taking.hear(&block(2, b"b", Check::Crc)), [ACK]);
    // In the middle of a block a long run counts, if nothing follows.
    taking.hear(&block(3, b"c", Check::Crc)[..60]);
    taking.hear(CANCEL);
    taking.wait();
    taking.wait();
    let failed = ReceiveEvent::Failed(Failure::CancelledByPeer);
    assert_eq!(taking.end, Some(failed));
    let mut taking = Taking::new(LIMIT, Padding::Keep);
    taking.receiver.cancel(taking.now);
    assert!(taking.said().ends_with(CANCEL));
}

#[test]
fn a_file_too_large_is_refused() {
    let mut taking = Taking::new(SHORT_BLOCK + 2, Padding::Strip);
    taking.hear(&block(1, &[1; SHORT_BLOCK], Check::Crc));
    taking.hear(&block(2, b"ab", Check::Crc));
    taking.finish();
    assert_eq!(taking.data.len(), SHORT_BLOCK + 2);
    let mut taking = Taking::new(SHORT_BLOCK + 1, Padding::Strip);
    taking.hear(&block(1, &[1; SHORT_BLOCK], Check::Crc));
    taking.hear(&block(2, b"ab", Check::Crc));
    assert_eq!(taking.hear_end(), [NAK]);
    assert_eq!(taking.hear_end(), CANCEL);
    taking.wait();
    let limit = SHORT_BLOCK + 1;
    let failed = ReceiveEvent::Failed(Failure::TooLarge { limit });
    assert_eq!(taking.end, Some(failed));
    assert!(taking.data.len() <= limit);
}

#[test]
fn a_sender_that_ends_once_and_for_all_is_believed_in_the_end() {
    let mut taking = Taking::new(LIMIT, Padding::Strip);
    taking.hear(&block(1, b"a", Check::Crc));
    assert_eq!(taking.hear_end(), [NAK]);
    assert_eq!((taking.wait(), taking.wait()), (vec![NAK], vec![NAK]));
    assert_eq!(taking.wait(), [ACK]);
    // But a block instead of the second EOT shows that the first was none.
    let mut taking = Taking::new(LIMIT, Padding::Strip);
    taking.hear(&block(1, b"a", Check::Crc));
    taking.hear_end();
    assert_eq!(taking.hear(&block(2, b"b", Check::Crc)), [ACK]);
}

#[test]
fn a_file_that_ends_before_a_damaged_block_was_repeated_is_incomplete() {
    let mut taking = Taking::new(LIMIT, Padding::Strip);
    taking.hear(&block(1, b"a", Check::Crc));
    let mut bad = block(2, b"b", Check::Crc);
    bad[40] ^= 1;
    taking.hear(&bad);
    assert_eq!(taking.wait(), [NAK]);
    assert_eq!(taking.hear_end(), CANCEL);
    taking.wait();
    assert_eq!(taking.end, Some(ReceiveEvent::Failed(Failure::Incomplete)));
    // An EOT damaged into the start of a block is none.
    let mut taking = Taking::new(LIMIT, Padding::Strip);
    taking.hear(&block(1, b"a", Check::Crc));
    taking.hear(&[SOH]);
    assert_eq!(taking.wait(), [NAK]);
    taking.finish();
}

#[test]
fn an_eot_among_other_bytes_is_none() {
    let mut taking = Taking::new(LIMIT, Padding::Strip);
    taking.hear(&block(1, b"a", Check::Crc));
    // A block whose first byte was lost; its data are full of EOTs.
    let headless = block(2, &[EOT; SHORT_BLOCK], Check::Crc);
    assert_eq!(taking.hear(&headless[1..]), []);
    assert_eq!(taking.wait(), [NAK]);
    assert_eq!(taking.hear(&[&[EOT, EOT], &headless[3..]].concat()), []);
    assert_eq!(taking.wait(), [NAK]);
    assert_eq!(taking.hear(&headless), [ACK]);
    taking.finish();
    assert_eq!(taking.data.len(), 2 * SHORT_BLOCK);
}

#[test]
fn a_line_that_says_eot_for_ever_ends_the_transfer() {
    let mut taking = Taking::new(LIMIT, Padding::Strip);
    taking.hear(&block(1, b"a", Check::Crc));
    let mut heard = 0;
    while taking.hear(&[EOT]) != CANCEL {
        taking.now += Duration::from_millis(50);
        heard += 1;
        assert!(heard <= 1 << 17, "it listens for ever");
    }
    taking.wait();
    let failed = ReceiveEvent::Failed(Failure::TooManyErrors);
    assert_eq!(taking.end, Some(failed));
}

/// What a sender says after it has heard `bytes`.
fn heard(sender: &mut Sender<Vec<u8>>, bytes: &[u8], now: Instant) -> Vec<u8> {
    for byte in bytes {
        sender.handle_byte(*byte, now);
    }
    let mut said = Vec::new();
    while let Some(bytes) = sender.poll_transmit(now) {
        said.extend_from_slice(bytes);
    }
    said
}

#[test]
fn a_sender_uses_long_blocks_and_short_ones_for_the_tail() {
    let file: Vec<u8> = (0..LONG_BLOCK + 200).map(|at| at as u8).collect();
    let mut sender = Sender::new(file.clone(), START);
    assert_eq!(heard(&mut sender, b"", START), []);
    // Requests that piled up are one.
    let said = heard(&mut sender, b"CCCC", START);
    assert_eq!(said, block(1, &file[..LONG_BLOCK], Check::Crc));
    let said = heard(&mut sender, &[ACK, ACK], START);
    assert_eq!(
        said,
        block(2, &file[LONG_BLOCK..][..SHORT_BLOCK], Check::Crc)
    );
    let said = heard(&mut sender, &[NAK], START);
    assert_eq!(
        said,
        block(2, &file[LONG_BLOCK..][..SHORT_BLOCK], Check::Crc)
    );
    let said = heard(&mut sender, &[ACK], START);
    assert_eq!(
        said,
        block(3, &file[LONG_BLOCK + SHORT_BLOCK..], Check::Crc)
    );
    assert_eq!(heard(&mut sender, &[ACK], START), [EOT]);
    assert_eq!(heard(&mut sender, &[NAK], START), [EOT]);
    assert_eq!(heard(&mut sender, &[ACK], START), []);
    let now = sender.poll_timeout().unwrap();
    sender.handle_timeout(now);
    let done = SendEvent::Done {
        bytes: file.len(),
        retries: 2,
    };
    assert_eq!(sender.poll_event(), Some(done));
    assert_eq!(sender.poll_timeout(), None);
}

#[test]
fn a_sender_falls_back_when_asked() {
    let file = vec![b'x'; 3 * LONG_BLOCK];
    let mut sender = Sender::new(file.clone(), START);
    let said = heard(&mut sender, &[NAK], START);
    assert_eq!(said, block(1, &file[..SHORT_BLOCK], Check::Checksum));
    // A receiver that takes CRC but no long blocks.
    let mut sender = Sender::new(file.clone(), START);
    let long = block(1, &file[..LONG_BLOCK], Check::Crc);
    assert_eq!(heard(&mut sender, b"C", START), long);
    for _ in 0..3 {
        assert_eq!(heard(&mut sender, &[NAK], START), long);
    }
    let said = heard(&mut sender, &[NAK], START);
    assert_eq!(said, block(1, &file[..SHORT_BLOCK], Check::Crc));
    // One that took the block, and whose answers were lost: a short one would be dropped as a repeated one.
    let mut sender = Sender::new(file.clone(), START);
    let mut now = START;
    heard(&mut sender, b"C", now);
    for _ in 0..6 {
        now += Duration::from_secs(10);
        assert_eq!(heard(&mut sender, &[NAK], now), long);
    }
    // Nobody there.
    let mut sender = Sender::new(file, START);
    let mut now = sender.poll_timeout().unwrap();
    sender.handle_timeout(now);
    assert_eq!(heard(&mut sender, b"", now), CANCEL);
    now = sender.poll_timeout().unwrap();
    sender.handle_timeout(now);
    let failed = SendEvent::Failed(Failure::Silent);
    assert_eq!(sender.poll_event(), Some(failed));
}

/// A little generator, so that a failing seed fails again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        // Vigna's splitmix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True in `of_a_million` of a million cases.
    fn falls(&mut self, of_a_million: u64) -> bool {
        self.roll() % 1_000_000 < of_a_million
    }
}

/// Chances in a million, per byte.
#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    lost: u64,
    damaged: u64,
    repeated: u64,
    invented: u64,
}

/// One direction of a line, a byte every 87 µs.
#[derive(Default)]
struct Wire {
    /// Bytes under way, with the time of arrival.
    under_way: std::collections::VecDeque<(Instant, u8)>,
    free_at: Instant,
}

impl Wire {
    fn send(&mut self, bytes: &[u8], faults: Faults, dice: &mut Dice, now: Instant) {
        for &byte in bytes {
            let mut arriving = vec![byte];
            if dice.falls(faults.lost) {
                arriving.clear();
            } else if dice.falls(faults.damaged) {
                arriving = vec![dice.roll() as u8];
            } else if dice.falls(faults.repeated) {
                arriving.push(byte);
            } else if dice.falls(faults.invented) {
                arriving.push(dice.roll() as u8);
            }
            for byte in arriving {
                self.free_at = self.free_at.max(now) + Duration::from_micros(87);
                self.under_way.push_back((self.free_at, byte));
            }
        }
    }

    fn take(&mut self, now: Instant) -> Option<u8> {
        let &(at, byte) = self.under_way.front()?;
        (at <= now).then(|| self.under_way.pop_front())?;
        Some(byte)
    }
}

/// One whole transfer of `file`.
fn transfer(file: &[u8], faults: Faults, seed: u64) -> (Vec<u8>, ReceiveEvent, SendEvent) {
    let mut dice = Dice(seed);
    let mut now = START;
    let mut receiver = Receiver::new(LIMIT, Padding::Strip, now);
    let mut sender = Sender::new(file, now);
    let [mut to_receiver, mut to_sender] = [Wire::default(), Wire::default()];
    let (mut data, mut received, mut sent) = (Vec::new(), None, None);
    for _ in 0..1_000_000 {
        while let Some(byte) = to_receiver.take(now) {
            receiver.handle_byte(byte, now);
        }
        while let Some(byte) = to_sender.take(now) {
            sender.handle_byte(byte, now);
        }
        receiver.handle_timeout(now);
        sender.handle_timeout(now);
        while let Some(bytes) = receiver.poll_transmit() {
            to_sender.send(bytes, faults, &mut dice, now);
        }
        while let Some(bytes) = sender.poll_transmit(now) {
            to_receiver.send(bytes, faults, &mut dice, now);
        }
        while let Some(event) = receiver.poll_event() {
            match event {
                ReceiveEvent::Data(part) => data.extend(part),
                end => received = Some(end),
            }
        }
        sent = sent.or(sender.poll_event());
        let next = [
            to_receiver.under_way.front().map(|&(at, _)| at),
            to_sender.under_way.front().map(|&(at, _)| at),
            receiver.poll_timeout(),
            sender.poll_timeout(),
        ];
        match next.into_iter().flatten().min() {
            Some(at) => now = now.max(at),
            None => break,
        }
    }
    (
        data,
        received.expect("the receiver comes to an end"),
        sent.expect("the sender comes to an end"),
    )
}

fn file(len: usize, seed: u64) -> Vec<u8> {
    let mut dice = Dice(!seed);
    let mut file: Vec<u8> = (0..len).map(|_| dice.roll() as u8).collect();
    if let Some(last) = file.last_mut() {
        *last = b'.';
    }
    file
}

#[test]
fn a_clean_line_carries_files_of_every_length() {
    let block_lengths = [0, 1, 127, 128, 129, 896, 897, 1023, 1024, 1025];
    // 300 blocks, so that numbers wrap.
    for len in block_lengths.into_iter().chain([300 * LONG_BLOCK + 1]) {
        let file = file(len, len as u64);
        let (data, received, sent) = transfer(&file, Faults::default(), 1);
        assert_eq!(data, file);
        let (bytes, retries) = (len, 0);
        assert_eq!(received, ReceiveEvent::Done { bytes, retries });
        // The end is always asked for twice.
        let retries = 1;
        assert_eq!(sent, SendEvent::Done { bytes, retries });
    }
}

#[test]
fn a_bad_line_carries_a_file_whole_or_says_that_it_did_not() {
    let mut whole = 0;
    for seed in 0..300 {
        let faults = Faults {
            lost: 40 * (seed % 5),
            damaged: 40 * (seed % 7),
            repeated: 30 * (seed % 3),
            invented: 30 * (seed % 4),
        };
        let file = file((seed as usize * 331) % 30_000, seed);
        let (data, received, sent) = transfer(&file, faults, seed);
        match received {
            ReceiveEvent::Done { bytes, .. } => {
                assert_eq!(bytes, data.len());
                assert!(data == file, "seed {seed}: wrong, {faults:?}, {sent:?}");
                whole += 1;
            }
            end => assert!(
                matches!(end, ReceiveEvent::Failed(_)),
                "seed {seed}: {end:?}"
            ),
        }
        if matches!(sent, SendEvent::Done { .. }) {
            assert!(data == file, "seed {seed}: the sender believes it");
        }
    }
    assert!(whole > 280, "only {whole} of 300 got through");
}

#[test]
fn no_bytes_make_a_receiver_exceed_its_limit() {
    for seed in 0..200 {
        let mut dice = Dice(seed);
        let mut now = START;
        let mut receiver = Receiver::new(4_096, Padding::Keep, now);
        let mut sender = Sender::new(file(5_000, seed), now);
        let mut given = 0;
        for _ in 0..5_000 {
            let byte = match dice.roll() % 3 {
                0 => [SOH, STX, EOT, ACK, NAK, CAN, WANT_CRC][dice.roll() as usize % 7],
                _ => dice.roll() as u8,
            };
            receiver.handle_byte(byte, now);
            sender.handle_byte(byte, now);
            now += Duration::from_millis(dice.roll() % 700);
            receiver.handle_timeout(now);
            sender.handle_timeout(now);
            while let Some(event) = receiver.poll_event() {
                if let ReceiveEvent::Data(data) = event {
                    given += data.len();
                }
            }
            while receiver.poll_transmit().is_some() {}
            while sender.poll_transmit(now).is_some() {}
        }
        assert!(given <= 4_096);
    }
}

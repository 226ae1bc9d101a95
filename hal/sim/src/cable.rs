//! A cable between two ends, with faults from a seed.
//!
//! A frame that is sent gets its fate at once (lost, doubled, corrupted, how late) and waits in the
//! cable until its time has come. [`Cable`] is the test's handle: it changes the faults, unplugs,
//! and says when the next frame is due, so that a simulation can jump to that moment. An [`End`] is
//! plugged into a [`SimNic`](crate::nic::SimNic) or held by the test itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use hal::time::{Instant, Monotonic};

use crate::clock::VirtualClock;
use crate::random::SplitMix;

/// Frames that wait in one direction at most; beyond, the sender's ring fills up.
pub const FRAMES_MAX: usize = 4_096;

/// What goes wrong on a cable. Chances are per frame, in 1/1,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The frame vanishes.
    pub loss_permille: u16,
    /// The frame arrives twice.
    pub duplication_permille: u16,
    /// One bit of the frame is flipped.
    pub corruption_permille: u16,
    /// The frame is held for `reordering_delay` longer, so that later ones overtake it.
    pub reordering_permille: u16,
    /// How long a reordered frame is held.
    pub reordering_delay: Duration,
    /// Every frame takes this long.
    pub delay: Duration,
    /// And up to this much longer. Frames with different extra times overtake each other.
    pub jitter: Duration,
}

/// What a cable has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CableStats {
    /// Frames handed to the cable.
    pub sent: u64,
    /// Frames that came out, second copies included.
    pub delivered: u64,
    /// Frames lost by chance.
    pub lost: u64,
    /// Frames lost because the cable was unplugged or nobody listened.
    pub unheard: u64,
    /// Second copies.
    pub duplicated: u64,
    /// Frames with a flipped bit.
    pub corrupted: u64,
}

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first end.
    Left,
    /// The second end.
    Right,
}

impl Side {
    const fn index(self) -> usize {
        match self {
            Self::Left => 0,
            Self::Right => 1,
        }
    }

    /// The opposite end.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// Frames on their way to one end, by due time and then order of sending.
type Waiting = BTreeMap<(Instant, u64), Vec<u8>>;

#[derive(Debug)]
struct State {
    clock: VirtualClock,
    random: SplitMix,
    faults: Faults,
    is_plugged: bool,
    is_stalled: [bool; 2],
    is_listening: [bool; 2],
    waiting: [Waiting; 2],
    order: u64,
    stats: CableStats,
}

/// The test's handle of a cable.
#[derive(Clone, Debug)]
pub struct Cable(Rc<RefCell<State>>);

/// One end of a cable.
#[derive(Clone, Debug)]
pub struct End {
    cable: Cable,
    side: Side,
}

impl Cable {
    /// A faultless cable, plugged in, whose later faults come from `seed`. Its ends listen.
    #[must_use]
    pub fn new(clock: &VirtualClock, seed: u64) -> Self {
        Self(Rc::new(RefCell::new(State {
            clock: clock.clone(),
            random: SplitMix::new(seed),
            faults: Faults::default(),
            is_plugged: true,
            is_stalled: [false; 2],
            is_listening: [true; 2],
            waiting: [Waiting::new(), Waiting::new()],
            order: 0,
            stats: CableStats::default(),
        })))
    }

    /// An end. There should be one of each side.
    #[must_use]
    pub fn end(&self, side: Side) -> End {
        End {
            cable: self.clone(),
            side,
        }
    }

    /// Changes what goes wrong with frames sent from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.0.borrow_mut().faults = faults;
    }

    /// Plugs the cable in or unplugs it, which loses what was under way.
    pub fn set_plugged(&self, is_plugged: bool) {
        let mut state = self.0.borrow_mut();
        state.is_plugged = is_plugged;
        if !is_plugged {
            for waiting in &mut state.waiting {
                waiting.clear();
            }
        }
    }

    /// Makes the device at `side` take no more frames to send, or take them again.
    pub fn set_stalled(&self, side: Side, is_stalled: bool) {
        if let Some(stalled) = self.0.borrow_mut().is_stalled.get_mut(side.index()) {
            *stalled = is_stalled;
        }
    }

    /// When the next frame is due at either end.
    #[must_use]
    pub fn next_delivery(&self) -> Option<Instant> {
        let state = self.0.borrow();
        let firsts = state.waiting.iter().filter_map(BTreeMap::first_key_value);
        firsts.map(|((due, _), _)| *due).min()
    }

    /// What the cable has done so far.
    #[must_use]
    pub fn stats(&self) -> CableStats {
        self.0.borrow().stats
    }
}

impl State {
    fn waiting(&mut self, side: Side) -> &mut Waiting {
        let [left, right] = &mut self.waiting;
        match side {
            Side::Left => left,
            Side::Right => right,
        }
    }

    /// Draws the fate of a frame and puts it on its way.
    fn carry(&mut self, to: Side, mut frame: Vec<u8>) {
        self.stats.sent += 1;
        if !self.is_plugged || !self.is_listening.get(to.index()).is_some_and(|on| *on) {
            self.stats.unheard += 1;
            return;
        }
        let faults = self.faults;
        if self.random.chance(faults.loss_permille) {
            self.stats.lost += 1;
            return;
        }
        if self.random.chance(faults.corruption_permille) {
            let bit = self.random.below(8 * frame.len() as u64) as usize;
            if let Some(byte) = frame.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
                self.stats.corrupted += 1;
            }
        }
        if self.random.chance(faults.duplication_permille) {
            self.stats.duplicated += 1;
            self.queue(to, frame.clone());
        }
        self.queue(to, frame);
    }

    fn queue(&mut self, to: Side, frame: Vec<u8>) {
        let faults = self.faults;
        let jitter = u64::try_from(faults.jitter.as_micros()).unwrap_or(u64::MAX);
        let extra = Duration::from_micros(self.random.below(jitter.saturating_add(1)));
        let mut due = self.clock.now() + faults.delay + extra;
        if self.random.chance(faults.reordering_permille) {
            due += faults.reordering_delay;
        }
        self.order += 1;
        let order = self.order;
        self.waiting(to).insert((due, order), frame);
    }
}

impl End {
    /// The cable.
    #[must_use]
    pub fn cable(&self) -> &Cable {
        &self.cable
    }

    /// Sends a frame to the other end.
    ///
    /// Returns false if the sender's ring is full: stalled, or [`FRAMES_MAX`] are under way.
    #[must_use]
    pub fn send(&self, frame: &[u8]) -> bool {
        let mut state = self.cable.0.borrow_mut();
        let to = self.side.other();
        let is_stalled = state.is_stalled.get(self.side.index()) == Some(&true);
        if is_stalled || state.waiting(to).len() >= FRAMES_MAX {
            return false;
        }
        state.carry(to, frame.to_vec());
        true
    }

    /// Takes the next frame that is due here.
    #[must_use]
    pub fn receive(&self) -> Option<Vec<u8>> {
        self.receive_if(|_| true)
    }

    /// Takes the next frame that is due here if it is `wanted`; else it stays the next.
    #[must_use]
    pub fn receive_if(&self, wanted: impl FnOnce(&[u8]) -> bool) -> Option<Vec<u8>> {
        let mut state = self.cable.0.borrow_mut();
        let now = state.clock.now();
        let first = state.waiting(self.side).first_entry()?;
        if first.key().0 > now || !wanted(first.get()) {
            return None;
        }
        let frame = first.remove();
        state.stats.delivered += 1;
        Some(frame)
    }

    /// Takes all frames that are due here.
    #[must_use]
    pub fn receive_all(&self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.receive()).collect()
    }

    /// Whether a frame is due here.
    #[must_use]
    pub fn has_due(&self) -> bool {
        let mut state = self.cable.0.borrow_mut();
        let now = state.clock.now();
        let first = state.waiting(self.side).first_key_value();
        first.is_some_and(|((due, _), _)| *due <= now)
    }

    /// Whether the cable is plugged in.
    #[must_use]
    pub fn is_plugged(&self) -> bool {
        self.cable.0.borrow().is_plugged
    }

    /// Says whether this end hears; what is under way to a deaf end is lost.
    pub fn set_listening(&self, is_listening: bool) {
        let mut state = self.cable.0.borrow_mut();
        if let Some(listening) = state.is_listening.get_mut(self.side.index()) {
            *listening = is_listening;
        }
        if !is_listening {
            state.waiting(self.side).clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cable(faults: Faults) -> (VirtualClock, Cable, End, End) {
        let clock = VirtualClock::new();
        let cable = Cable::new(&clock, 42);
        cable.set_faults(faults);
        let (left, right) = (cable.end(Side::Left), cable.end(Side::Right));
        (clock, cable, left, right)
    }

    fn numbers(frames: &[Vec<u8>]) -> Vec<u32> {
        let words = frames.iter().map(|frame| frame.as_slice().try_into());
        words
            .map(|word| u32::from_be_bytes(word.expect("four bytes")))
            .collect()
    }

    fn send_numbers(end: &End, count: u32) {
        for number in 0..count {
            assert!(end.send(&number.to_be_bytes()));
        }
    }

    #[test]
    fn without_faults_frames_arrive_at_once_in_order_and_to_the_other_end_only() {
        let (_, _, left, right) = cable(Faults::default());
        send_numbers(&left, 100);
        assert!(left.receive().is_none());
        assert!(right.has_due());
        assert!(numbers(&right.receive_all()).into_iter().eq(0..100));
    }

    #[test]
    fn a_delayed_frame_arrives_when_its_time_has_come() {
        let delay = Duration::from_millis(30);
        let (clock, cable, left, right) = cable(Faults {
            delay,
            ..Faults::default()
        });
        send_numbers(&left, 1);
        clock.advance(delay - Duration::from_micros(1));
        assert!(!right.has_due() && right.receive().is_none());
        clock.advance_to(cable.next_delivery().expect("one is under way"));
        assert!(right.receive().is_some());
        assert_eq!(cable.next_delivery(), None);
    }

    #[test]
    fn loss_duplication_and_corruption_happen_as_often_as_asked_and_are_counted() {
        let (_, cable, left, right) = cable(Faults {
            loss_permille: 100,
            duplication_permille: 50,
            corruption_permille: 20,
            ..Faults::default()
        });
        let mut arrived = Vec::new();
        for _ in 0..10 {
            send_numbers(&left, 1_000);
            arrived.extend(numbers(&right.receive_all()));
        }
        let stats = cable.stats();
        assert_eq!(stats.sent, 10_000);
        assert!((900..1_100).contains(&stats.lost), "{stats:?}");
        assert!((350..550).contains(&stats.duplicated), "{stats:?}");
        assert!((120..240).contains(&stats.corrupted), "{stats:?}");
        assert_eq!(stats.delivered, stats.sent - stats.lost + stats.duplicated);
        assert_eq!(arrived.len() as u64, stats.delivered);
        assert!(
            arrived.iter().any(|number| *number >= 1_000),
            "a flipped bit"
        );
    }

    #[test]
    fn reordered_frames_are_overtaken_and_none_is_missing() {
        let (clock, _, left, right) = cable(Faults {
            reordering_permille: 200,
            reordering_delay: Duration::from_millis(2),
            ..Faults::default()
        });
        let mut arrived = Vec::new();
        send_numbers(&left, 500);
        arrived.extend(numbers(&right.receive_all()));
        clock.advance(Duration::from_millis(2));
        arrived.extend(numbers(&right.receive_all()));
        assert!(!arrived.is_sorted());
        arrived.sort_unstable();
        assert!(arrived.into_iter().eq(0..500));
    }

    #[test]
    fn equal_seeds_replay_the_same_run() {
        let run = || {
            let (clock, _, left, right) = cable(Faults {
                loss_permille: 300,
                jitter: Duration::from_millis(9),
                ..Faults::default()
            });
            send_numbers(&left, 200);
            clock.advance(Duration::from_millis(5));
            numbers(&right.receive_all())
        };
        assert_eq!(run(), run());
    }

    #[test]
    fn unplugged_and_deaf_ends_hear_nothing() {
        let (_, cable, left, right) = cable(Faults::default());
        send_numbers(&left, 1);
        cable.set_plugged(false);
        assert!(!right.is_plugged());
        send_numbers(&left, 1);
        cable.set_plugged(true);
        right.set_listening(false);
        send_numbers(&left, 1);
        right.set_listening(true);
        assert!(right.receive().is_none());
        assert_eq!(cable.stats().unheard, 2);
    }

    #[test]
    fn a_stalled_or_full_cable_takes_nothing() {
        let (_, cable, left, right) = cable(Faults::default());
        cable.set_stalled(Side::Left, true);
        assert!(!left.send(b"no"));
        assert!(right.send(b"the other way"));
        cable.set_stalled(Side::Left, false);
        send_numbers(&left, FRAMES_MAX as u32);
        assert!(!left.send(b"full"));
        assert_eq!(right.receive_all().len(), FRAMES_MAX);
    }
}

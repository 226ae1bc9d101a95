//! Two endpoints talk through the box with their sequence numbers changed on the way: whatever is
//! lost, repeated or overtaken, each sees one consistent stream.

use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use proptest::prelude::*;

/// A TCP that only counts: it sends bytes whose values say where they belong, keeps what arrives
/// out of order, and reports it by selective acknowledgments.
struct Endpoint {
    /// Its own first number, and the peer's as far as known.
    initial: u32,
    peer: Option<u32>,
    /// Bytes sent, and acknowledged by the peer.
    sent: u32,
    acknowledged: u32,
    /// Bytes received in order, and pieces beyond.
    received: u32,
    pieces: Vec<(u32, u32)>,
    clock: u32,
    echo: u32,
}

const LOCAL: (Ipv4Addr, u16) = (DESK, 4000);
const REMOTE: (Ipv4Addr, u16) = (EDGE, 80);
const SIDES: [PortId; 2] = [INSIDE, OUTSIDE];

fn value(side: usize, at: u32) -> u8 {
    (at as u8).wrapping_mul(31) ^ side as u8
}

impl Endpoint {
    fn new(initial: u32) -> Self {
        Self {
            initial,
            peer: None,
            sent: 0,
            acknowledged: 0,
            received: 0,
            pieces: Vec::new(),
            clock: 1000,
            echo: 0,
        }
    }

    /// A segment with the bytes from `from` on.
    fn segment(
        &mut self,
        side: usize,
        from: u32,
        len: u32,
        flags: u8,
        route: ((Ipv4Addr, u16), (Ipv4Addr, u16)),
    ) -> Segment {
        let (own, peer) = route;
        self.clock += 1;
        let mut options = vec![1, 1, 8, 10];
        options.extend(self.clock.to_be_bytes());
        options.extend(self.echo.to_be_bytes());
        if flags & SYN != 0 {
            options = [&options[2..], &[4, 2]].concat();
        } else if let Some(&(first, last)) = self.pieces.first() {
            let peer = self.peer.expect("connected").wrapping_add(1);
            options.extend([1, 1, 5, 10]);
            options.extend(peer.wrapping_add(first).to_be_bytes());
            options.extend(peer.wrapping_add(last).to_be_bytes());
        }
        let payload: Vec<u8> = (from..from + len).map(|at| value(side, at)).collect();
        let base = if flags & SYN != 0 {
            self.initial
        } else {
            self.initial.wrapping_add(1 + from)
        };
        Segment::new(own.0, own.1, peer.0, peer.1, flags)
            .seq(base)
            .ack(
                self.peer
                    .map_or(0, |peer| peer.wrapping_add(1 + self.received)),
            )
            .options(&options)
            .payload(&payload)
    }

    /// Takes what arrived, and checks every number and byte of it.
    fn take(&mut self, side: usize, packet: &Packet) {
        let options = packet.tcp_options();
        let stamps = options
            .windows(2)
            .position(|pair| pair == [8, 10])
            .expect("timestamps");
        self.echo = u32::from_be_bytes(options[stamps + 2..stamps + 6].try_into().expect("four"));
        if packet.tcp_flags() & SYN != 0 {
            assert_eq!(
                *self.peer.get_or_insert(packet.sequence()),
                packet.sequence()
            );
            if packet.tcp_flags() & ACK != 0 {
                assert_eq!(packet.acknowledgment(), self.initial.wrapping_add(1));
            }
            return;
        }
        let acknowledged = packet
            .acknowledgment()
            .wrapping_sub(self.initial)
            .wrapping_sub(1);
        assert!(
            acknowledged <= self.sent,
            "acknowledges {acknowledged} of {}",
            self.sent
        );
        self.acknowledged = self.acknowledged.max(acknowledged);
        if let Some(at) = options.windows(2).position(|pair| pair == [5, 10]) {
            let edge = |at: usize| {
                u32::from_be_bytes(options[at..at + 4].try_into().expect("four"))
                    .wrapping_sub(self.initial)
                    .wrapping_sub(1)
            };
            let (first, last) = (edge(at + 2), edge(at + 6));
            assert!(
                acknowledged <= first && first < last && last <= self.sent,
                "{first}..{last}"
            );
        }
        let peer = self.peer.expect("connected").wrapping_add(1);
        let from = packet.sequence().wrapping_sub(peer);
        for (at, &byte) in (from..).zip(packet.tcp_payload()) {
            assert_eq!(byte, value(1 - side, at));
        }
        let last = from + packet.tcp_payload().len() as u32;
        if last > self.received && last > from {
            self.pieces.push((from, last));
            self.pieces.sort_unstable();
        }
        self.pieces.retain(|&(first, last)| {
            if first <= self.received {
                self.received = self.received.max(last);
                false
            } else {
                true
            }
        });
    }
}

/// What the wire does with a segment.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Pass,
    Lose,
    Hold,
    Twice,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Pass),
        1 => Just(Fate::Lose),
        2 => Just(Fate::Hold),
        1 => Just(Fate::Twice),
    ]
}

struct Talk {
    lab: Lab,
    ends: [Endpoint; 2],
    /// Where the client is seen from.
    public: (Ipv4Addr, u16),
    held: Vec<(usize, Vec<u8>)>,
}

impl Talk {
    fn route(&self, side: usize) -> ((Ipv4Addr, u16), (Ipv4Addr, u16)) {
        match side {
            0 => (LOCAL, REMOTE),
            _ => (REMOTE, self.public),
        }
    }

    fn carry(&mut self, side: usize, frame: &[u8]) {
        for (port, out) in self.lab.send(SIDES[side], frame) {
            assert_eq!(port, SIDES[1 - side]);
            self.ends[1 - side].take(1 - side, &Packet::parse(&out[14..]));
        }
    }

    fn send(&mut self, side: usize, from: u32, len: u32, flags: u8, fate: Fate) {
        let route = self.route(side);
        let frame = self.ends[side]
            .segment(side, from, len, flags, route)
            .frame(SIDES[side]);
        match fate {
            Fate::Pass => self.carry(side, &frame),
            Fate::Lose => {}
            Fate::Hold => self.held.push((side, frame)),
            Fate::Twice => {
                self.carry(side, &frame);
                self.carry(side, &frame);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn both_ends_see_one_stream(
        initial in any::<[u32; 2]>(),
        steps in prop::collection::vec((0usize..2, 1u32..300, fate(), any::<bool>()), 1..60),
    ) {
        let mut policy = federation();
        policy.randomize_sequences = true;
        let mut talk = Talk {
            lab: Lab::new(policy),
            ends: initial.map(Endpoint::new),
            public: (PUBLIC, 0),
            held: Vec::new(),
        };
        let route = talk.route(0);
        let syn = talk.ends[0].segment(0, 0, 0, SYN, route);
        let out = talk.lab.pass(INSIDE, &syn.frame(INSIDE), OUTSIDE);
        talk.public = out.from();
        prop_assert_ne!(out.sequence(), initial[0], "numbered anew");
        talk.ends[1].take(1, &out);
        talk.send(1, 0, 0, SYN | ACK, Fate::Twice);
        // The side that answers keeps its numbers.
        prop_assert_eq!(talk.ends[0].peer, Some(initial[1]));
        talk.send(0, 0, 0, ACK, Fate::Pass);

        for (side, len, fate, is_repeat) in steps {
            let end = &mut talk.ends[side];
            // No further than the window, which no one moves here.
            let (from, len) = if is_repeat || end.sent + len > end.acknowledged + 8000 {
                (end.acknowledged, (end.sent - end.acknowledged).min(300))
            } else {
                let from = end.sent;
                end.sent += len;
                (from, len)
            };
            talk.send(side, from, len, ACK, fate);
            talk.send(1 - side, talk.ends[1 - side].sent, 0, ACK, Fate::Pass);
            if is_repeat && let Some((side, frame)) = talk.held.pop() {
                talk.carry(side, &frame);
            }
        }
        // Everything lost is sent again until it has arrived.
        for side in [0, 1] {
            for _ in 0..400 {
                let end = &talk.ends[side];
                let (from, left) = (end.acknowledged, end.sent - end.acknowledged);
                if left == 0 {
                    break;
                }
                talk.send(side, from, left.min(300), ACK, Fate::Pass);
                talk.send(1 - side, talk.ends[1 - side].sent, 0, ACK, Fate::Pass);
            }
            prop_assert_eq!(talk.ends[side].acknowledged, talk.ends[side].sent);
            prop_assert_eq!(talk.ends[1 - side].received, talk.ends[side].sent);
        }
        // An error quotes the segment as it was sent.
        let route = talk.route(0);
        let last = talk.ends[0].sent;
        let segment = talk.ends[0].segment(0, last, 0, ACK, route);
        let out = talk.lab.pass(INSIDE, &segment.frame(INSIDE), OUTSIDE);
        for len in [28, 1000] {
            let error = icmp_error(EDGE, PUBLIC, 3, &out.bytes, len);
            let seen = talk.lab.pass(OUTSIDE, &ethernet(OUTSIDE, &error), INSIDE);
            let sent = segment.packet();
            prop_assert_eq!(&seen.bytes[28..], &sent[..len.min(sent.len())]);
        }
        // A reset is believed on the other side.
        let reset = Segment::new(EDGE, 80, PUBLIC, talk.public.1, RST)
            .seq(initial[1].wrapping_add(1 + talk.ends[1].sent));
        talk.lab.pass(OUTSIDE, &reset.frame(OUTSIDE), INSIDE);
        prop_assert_eq!(talk.lab.box_.conns(talk.lab.now).count(), 0);
    }
}

#[test]
fn the_side_of_higher_security_is_numbered_anew_whoever_opens() {
    let mut policy = federation();
    policy.randomize_sequences = true;
    let mut lab = Lab::new(policy.clone());
    let syn = Segment::new(EDGE, 9, PUBLIC, 5269, SYN).seq(100);
    let out = lab.pass(OUTSIDE, &syn.frame(OUTSIDE), INSIDE);
    assert_eq!(out.sequence(), 100);
    let answer = Segment::new(NODE, 5269, EDGE, 9, SYN | ACK).seq(7).ack(101);
    let out = lab.pass(INSIDE, &answer.frame(INSIDE), OUTSIDE);
    assert_ne!(out.sequence(), 7);
    let ack = Segment::new(EDGE, 9, PUBLIC, 5269, ACK)
        .seq(101)
        .ack(out.sequence().wrapping_add(1));
    assert_eq!(
        lab.pass(OUTSIDE, &ack.frame(OUTSIDE), INSIDE)
            .acknowledgment(),
        8
    );

    // A class may forbid it; a connection that follows with the same ports lies behind.
    let mut lab = Lab::new(with_class(policy.clone(), Some(unlimited()), None));
    let syn = Segment::new(DESK, 9, EDGE, 80, SYN).seq(100).frame(INSIDE);
    assert_eq!(lab.pass(INSIDE, &syn, OUTSIDE).sequence(), 100);
    let mut lab = Lab::new(policy);
    let first = lab.pass(INSIDE, &syn, OUTSIDE);
    lab.box_.clear_conns(|_| true, lab.now);
    lab.now += core::time::Duration::from_secs(1);
    let second = lab.pass(INSIDE, &syn, OUTSIDE);
    if first.from() == second.from() {
        assert_eq!(second.sequence().wrapping_sub(first.sequence()), 250_000);
    }
}

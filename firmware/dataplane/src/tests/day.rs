//! A day of virtual time: flows, translations, fragments and neighbours come and go; nothing stays.

use super::fragments::{cut, piece};
use super::lab::*;
use crate::*;
use core::net::Ipv4Addr;
use core::time::Duration;
use hal::packet::Batch;

/// Length of a step; a day has 8,640.
const STEP: Duration = Duration::from_secs(10);
const STEPS: u32 = 8_640;

/// Numbers that look random and are the same every time (xorshift64, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What the day has been made of.
#[derive(Default)]
struct Tally {
    connections: u32,
    datagrams: u32,
    shunned: u32,
}

/// A host behind the inside interface that nobody has introduced.
fn host(dice: &mut Dice) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, 50 + dice.below(100) as u8)
}

/// One thing that happens on a network.
fn happen(lab: &mut Lab, dice: &mut Dice, tally: &mut Tally) {
    let port = 1024 + dice.below(60_000) as u16;
    let id = dice.below(65_536) as u16;
    let from = host(dice);
    let datagram = udp(
        (from, port),
        (EDGE, 9),
        &vec![id as u8; 1500 + dice.below(2000) as usize],
    );
    match dice.below(12) {
        0 => {
            // A connection that is closed, at times only from one side.
            lab.introduce(INSIDE, from);
            let (seen, seen_port) = lab.connect((INSIDE, from, port), (OUTSIDE, EDGE, 443));
            tally.connections += 1;
            let fin = Segment::new(from, port, EDGE, 443, FIN | ACK)
                .seq(1001)
                .ack(5001);
            lab.send(INSIDE, &fin.frame(INSIDE));
            if dice.below(3) > 0 {
                let fin = Segment::new(EDGE, 443, seen, seen_port, FIN | ACK)
                    .seq(5001)
                    .ack(1002);
                lab.send(OUTSIDE, &fin.frame(OUTSIDE));
                let ack = Segment::new(from, port, EDGE, 443, ACK).seq(1002).ack(5002);
                lab.send(INSIDE, &ack.frame(INSIDE));
            }
        }
        1 => {
            // A SYN that nobody answers, and a scan from outside.
            lab.send(
                INSIDE,
                &Segment::new(from, port, EDGE, 81, SYN).frame(INSIDE),
            );
            lab.send(
                OUTSIDE,
                &Segment::new(EDGE, port, PUBLIC, port, SYN).frame(OUTSIDE),
            );
        }
        2 => {
            lab.send(
                INSIDE,
                &ethernet(INSIDE, &udp((from, port), (EDGE, 53), b"?")),
            );
        }
        3 => {
            // The host may be unknown: ARP for it stays unanswered.
            let seen = lab.pass(
                INSIDE,
                &ethernet(INSIDE, &echo(8, from, EDGE, port)),
                OUTSIDE,
            );
            lab.send(
                OUTSIDE,
                &ethernet(OUTSIDE, &echo(0, EDGE, PUBLIC, seen.source_port)),
            );
        }
        4 | 5 => {
            // A whole datagram, out of order.
            let mut pieces = cut(&datagram, 1480, id);
            let turn = dice.below(pieces.len() as u64) as usize;
            pieces.rotate_left(turn);
            let mut sent = 0;
            for piece in pieces.iter() {
                sent += lab.send(INSIDE, &ethernet(INSIDE, piece)).len();
            }
            tally.datagrams += u32::from(sent == pieces.len());
        }
        6 => {
            // A datagram with a hole.
            for piece in cut(&datagram, 1000, id).iter().skip(1) {
                lab.send(INSIDE, &ethernet(INSIDE, piece));
            }
        }
        7 => {
            for offset in [0, 512, 8] {
                let made = piece(&datagram, offset, &[0; 1024], true, id);
                lab.send(OUTSIDE, &ethernet(OUTSIDE, &made));
            }
        }
        8 => {
            // Fragments to hosts that do not answer ARP.
            let stranger = Ipv4Addr::new(203, 0, 113, 131 + dice.below(11) as u8);
            for made in cut(&udp((DESK, port), (stranger, port), &[1; 2000]), 1480, id) {
                lab.send(INSIDE, &ethernet(INSIDE, &made));
            }
        }
        9 => {
            let shun = Shun {
                source: from,
                destination: Ipv4Addr::UNSPECIFIED,
                source_port: 0,
                destination_port: 0,
                protocol: 0,
            };
            assert!(lab.box_.shun(shun, lab.now).is_some());
            lab.send(
                INSIDE,
                &ethernet(INSIDE, &udp((from, port), (EDGE, 9), b"!")),
            );
            tally.shunned += 1;
            assert!(lab.box_.unshun(from));
        }
        10 => {
            let garbage: Vec<u8> = (0..dice.below(200))
                .map(|_| dice.below(256) as u8)
                .collect();
            lab.send(INSIDE, &garbage);
        }
        _ => lab.introduce(INSIDE, from),
    }
    // Nobody reads what the engine hands up here.
    while let Some(local) = lab.box_.poll_local() {
        lab.pool.free(local.packet);
    }
}

#[test]
fn a_day_of_churn_leaves_nothing_behind() {
    let mut lab = Lab::with_limits(
        federation(),
        Limits {
            ports: 3,
            flows: 2048,
            neighbors: 128,
            ..Limits::default()
        },
    );
    let (mut dice, mut tally) = (Dice(0x9e37_79b9_7f4a_7c15), Tally::default());
    let statics = lab.box_.xlate_usage().in_use;
    for step in 0..STEPS {
        for _ in 0..dice.below(6) {
            happen(&mut lab, &mut dice, &mut tally);
        }
        if step % 30 == 0 {
            // The neighbours that everything goes by stay known.
            lab.introduce(OUTSIDE, GATEWAY);
            lab.introduce(DMZ, SERVER);
        }
        lab.wait(STEP);
        lab.drain();
    }
    assert!(tally.connections > 1000 && tally.datagrams > 2000 && tally.shunned > 1000);
    let usage = lab.box_.conn_usage();
    assert!(
        usage.in_use > 10 && usage.most_used < usage.limit,
        "{usage:?}"
    );

    // Then silence, until nothing is due.
    for _ in 0..100_000 {
        let Some(due) = lab.box_.poll_timeout() else {
            break;
        };
        lab.now = lab.now.max(due);
        lab.wait(Duration::ZERO);
        let mut batch = Batch::new();
        for port in [OUTSIDE, INSIDE, DMZ] {
            lab.box_.drain_transmit(port, &mut batch);
            while let Some(frame) = batch.pop_front() {
                lab.pool.free(frame);
            }
        }
    }
    assert_eq!(lab.box_.poll_timeout(), None);
    assert_eq!(lab.box_.conn_usage().in_use, 0);
    assert_eq!(lab.box_.xlate_usage().in_use, statics);
    assert_eq!(lab.box_.pools().map(|pool| pool.allocated).sum::<u32>(), 0);
    assert_eq!(lab.box_.neighbors(lab.now).count(), 0);
    assert_eq!(lab.box_.fragments.datagrams(), 0);
    let verdicts = lab.box_.verdicts();
    assert_eq!((verdicts.held, verdicts.waiting), (0, 0));
    assert_eq!(lab.pool.available(), lab.pool.total());
    // Every drop has a reason that counts it.
    let by_reason: u64 = lab.drops().iter().map(|&(_, count)| count).sum();
    assert_eq!(by_reason, verdicts.dropped);
    for reason in [
        "fragment-overlap",
        "fragment-timeout",
        "shunned",
        "no-adjacency",
    ] {
        assert!(
            lab.drops()
                .iter()
                .any(|&(name, count)| name == reason && count > 100),
            "{reason}"
        );
    }
}

//! The packet engine beside Linux nftables: the same rules, the same packets, the same outcome.

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Result, ensure};
use hw_tests::frames::{echo, tcp, udp};
use hw_tests::netfilter::{PLAIN, PUBLIC, PUBLISHED, Pair, Rule, STRANGERS, Side};

/// Rule sets that are tried, and conversations with each.
const SETS: u32 = 200;
const CONVERSATIONS: u32 = 24;

const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;
const FIN: u8 = 1;

/// A small generator (xorshift, Marsaglia 2003), so that a failure repeats.
struct Dice(u32);

impl Dice {
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u32) as usize]
    }
}

const PORTS: [u16; 5] = [80, 443, 5060, 5061, 5269];

fn rule(dice: &mut Dice) -> Rule {
    let protocol = dice.pick(&[None, Some(6), Some(6), Some(17), Some(1)]);
    let ports = match protocol {
        Some(6 | 17) if dice.roll(3) > 0 => {
            let (a, b) = (dice.pick(&PORTS), dice.pick(&PORTS));
            Some((a.min(b), a.max(b)))
        }
        _ => None,
    };
    let hosts = [PUBLISHED, PLAIN, STRANGERS[0], STRANGERS[1]];
    let host = |dice: &mut Dice| (dice.roll(2) == 0).then(|| dice.pick(&hosts));
    Rule {
        permits: dice.roll(3) > 0,
        protocol,
        source: host(dice),
        destination: host(dice),
        ports,
    }
}

/// Both ends of a conversation: as the opener's side sees them, and as the other side does.
struct Ends {
    opener: Side,
    near: [(Ipv4Addr, u16); 2],
    far: [(Ipv4Addr, u16); 2],
}

impl Ends {
    fn new(dice: &mut Dice, port: u16) -> Self {
        let (inner, seen) = dice.pick(&[(PUBLISHED, PUBLIC), (PLAIN, PLAIN)]);
        let stranger = dice.pick(&STRANGERS);
        let service = dice.pick(&PORTS);
        if dice.roll(2) == 0 {
            Self {
                opener: Side::Inside,
                near: [(inner, port), (stranger, service)],
                far: [(seen, port), (stranger, service)],
            }
        } else {
            Self {
                opener: Side::Outside,
                near: [(stranger, port), (seen, service)],
                far: [(stranger, port), (inner, service)],
            }
        }
    }
}

/// Which packets of a conversation both let through.
#[derive(Default)]
struct Tally {
    forwarded: u32,
    dropped: u32,
}

pub(crate) async fn the_engine_and_nftables_forward_the_same_packets(_: &Path) -> Result<()> {
    let mut pair = Pair::new()?;
    let mut dice = Dice(0x5a11_9047);
    let mut tally = Tally::default();
    let mut port = 20_000;
    for set in 0..SETS {
        let rules: Vec<Rule> = (0..1 + dice.roll(8)).map(|_| rule(&mut dice)).collect();
        pair.set_rules(&rules)?;
        for _ in 0..CONVERSATIONS {
            port += 1;
            let ends = Ends::new(&mut dice, port);
            for (from_opener, packet) in talk(&mut dice, &ends, port) {
                let side = if from_opener {
                    ends.opener
                } else {
                    ends.opener.other()
                };
                let [engine, kernel] = pair.send(side, &packet)?;
                ensure!(
                    engine == kernel,
                    "set {set}: {rules:#?}\nfrom {side:?}: {packet:02x?}\nthe engine: {engine:02x?}\n\
                     the kernel: {kernel:02x?}"
                );
                match engine {
                    Some(_) => tally.forwarded += 1,
                    None => tally.dropped += 1,
                }
            }
        }
    }
    println!(
        "      {} packets forwarded alike, {} dropped alike, under {SETS} rule sets",
        tally.forwarded, tally.dropped
    );
    ensure!(tally.forwarded > 500 && tally.dropped > 500, "one-sided");
    Ok(())
}

/// The packets of a conversation, each with whether the opener sends it.
fn talk(dice: &mut Dice, ends: &Ends, identifier: u16) -> Vec<(bool, Vec<u8>)> {
    let [near, far] = [ends.near, ends.far];
    match dice.roll(5) {
        0 => {
            let ask = echo(8, near[0].0, near[1].0, identifier);
            let answer = echo(0, far[1].0, far[0].0, identifier);
            let stray = echo(0, far[1].0, far[0].0, identifier ^ 0x8000);
            vec![(true, ask), (false, answer), (false, stray)]
        }
        1 => vec![
            (true, udp(near[0], near[1], b"ask")),
            (false, udp(far[1], far[0], b"answer")),
            (true, udp(near[0], near[1], b"again")),
        ],
        2 => {
            // No connection: each of these comes from nowhere.
            let flags = dice.pick(&[ACK, SYN | ACK, FIN | ACK, RST, RST | ACK]);
            vec![
                (true, tcp(near[0], near[1], flags, (7, 9), b"")),
                (false, tcp(far[1], far[0], ACK, (9, 7), b"data")),
            ]
        }
        _ => {
            let (ours, theirs) = (1_000, 5_000);
            let from =
                |flags, numbers, data: &[u8]| (true, tcp(near[0], near[1], flags, numbers, data));
            let back =
                |flags, numbers, data: &[u8]| (false, tcp(far[1], far[0], flags, numbers, data));
            let mut packets = vec![
                from(SYN, (ours, 0), b""),
                back(SYN | ACK, (theirs, ours + 1), b""),
                from(ACK, (ours + 1, theirs + 1), b""),
                from(ACK, (ours + 1, theirs + 1), b"hello"),
                back(ACK, (theirs + 1, ours + 6), b"world"),
                // The same again: a retransmission.
                from(ACK, (ours + 1, theirs + 1), b"hello"),
            ];
            match dice.roll(3) {
                0 => packets.push(from(RST, (ours + 6, 0), b"")),
                1 => packets.extend([
                    from(FIN | ACK, (ours + 6, theirs + 6), b""),
                    back(FIN | ACK, (theirs + 6, ours + 7), b""),
                    from(ACK, (ours + 7, theirs + 7), b""),
                ]),
                _ => {}
            }
            packets
        }
    }
}

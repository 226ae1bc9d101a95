//! How long a large configuration takes from the first byte to being in force, and how long packets
//! wait meanwhile.
//!
//! A whole box on simulated devices, its clock running with real time, forwards one frame a turn from
//! inside to outside. The figure beside each time is the longest real time between two frames that
//! came out: what a caller would have heard as silence.

#[path = "../tests/common/mod.rs"]
mod common;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use common::Box as Lab;

const BASICS: &str = "configure terminal\ninterface gi0/0\n nameif outside\n \
     ip address 203.0.113.2 255.255.255.240\n no shutdown\ninterface gi0/1\n nameif inside\n \
     ip address 10.20.0.1 255.255.255.0\n no shutdown\nend";

const INSIDE: [u8; 6] = [0x52, 0x54, 0, 0, 0, 2];
const HOST: [u8; 6] = [2, 0, 0, 0, 0, 40];
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 9];

fn main() {
    println!("pasted into the console, and in force (largest forwarding gap):");
    for lines in [1_000, 10_000, 40_000] {
        let mut lab = Measured::new();
        let text = configuration(lines);
        lab.run("terminal pager 0\rconfigure terminal\r");
        // A command that looks at the result waits for it to be in force.
        let paste = lab.run(&format!("{}end\rshow nameif\r", text.replace('\n', "\r")));
        println!("  {lines:>6} lines: {paste}");
        let save = lab.run("write memory\r");
        println!("                 write memory: {save}");
        let difference = lab.run("show configuration diff\r");
        println!("                 show configuration diff: {difference}");
        lab.run("configure terminal\rhostname other\rend\r");
        let replace = lab.run("configure replace startup-config noconfirm\r");
        println!("                 configure replace startup-config: {replace}");
        let shown = lab.run("show running-config\r");
        println!("                 show running-config: {shown}");
    }
    let mut lab = Measured::new();
    println!("answers to ? at the console:");
    for line in [
        "",
        "show ",
        "access-list x extended permit tcp any host 192.0.2.1 eq ",
    ] {
        lab.run("configure terminal\r");
        let help = lab.run(&format!("{line}?"));
        println!("  {line:?}: {help}");
        lab.run("\x15end\r");
    }
}

/// Objects, rules with objects and with addresses, translations, routes.
fn configuration(lines: usize) -> String {
    let mut text = String::new();
    let groups = lines / 10;
    for index in 0..groups {
        let (high, low) = (index / 250 % 250, index % 250 + 1);
        let _ = writeln!(text, "object network n{index}\n host 10.30.{high}.{low}");
        let _ = writeln!(
            text,
            "object service s{index}\n service tcp source eq {}",
            1024 + index % 60_000
        );
        for port in 0..5 {
            let _ = writeln!(
                text,
                "access-list big extended permit tcp 198.51.{high}.0 255.255.255.0 host 10.30.{high}.{low} eq {}",
                5061 + port * 7 + index % 1000
            );
        }
        let _ = writeln!(
            text,
            "access-list big extended permit tcp any object n{index} eq 5269"
        );
    }
    text
}

/// A box with traffic, measured.
struct Measured {
    lab: Lab,
    started: Instant,
    frame: Vec<u8>,
}

struct Outcome {
    took: Duration,
    longest_gap: Duration,
    frames: u64,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:.1} ms (gap {:.2} ms, {} frames passed)",
            self.took.as_secs_f64() * 1e3,
            self.longest_gap.as_secs_f64() * 1e3,
            self.frames
        )
    }
}

impl Measured {
    fn new() -> Self {
        let mut lab = Lab::boot();
        lab.enable();
        lab.config(BASICS);
        let mut measured = Self {
            lab,
            started: Instant::now(),
            frame: udp(),
        };
        measured.lab.wait(Duration::from_secs(1));
        // The first frame asks for the peer's address.
        assert!(measured.lab.ends[1].send(&measured.frame));
        measured.lab.settle();
        assert!(measured.lab.ends[0].send(&arp_reply()));
        measured.lab.settle();
        measured.started = Instant::now();
        let probe = measured.run("\r");
        assert!(probe.frames > 0, "no frame passes");
        measured
    }

    /// Types `text` and lets the box work until it is idle and every change is in force.
    fn run(&mut self, text: &str) -> Outcome {
        self.lab.terminal.push_input(text.as_bytes());
        let began = Instant::now();
        let (mut last, mut longest_gap, mut frames) = (began, Duration::ZERO, 0);
        let mut quiet_since = None;
        // The end of what the terminal shows: a silent box may still be at work before its prompt.
        let mut tail = Vec::new();
        let awaited: &[u8] = if text.ends_with('?') { b"" } else { b"# " };
        loop {
            self.lab.clock.advance_to(hal::time::Instant::from_micros(
                60_000_000 + self.started.elapsed().as_micros() as u64,
            ));
            assert!(self.lab.ends[1].send(&self.frame));
            self.lab.appliance.turn();
            let passed = self.lab.ends[0].receive_all().len();
            if passed > 0 {
                let now = Instant::now();
                longest_gap = longest_gap.max(now - last);
                last = now;
                frames += passed as u64;
            }
            drop(self.lab.ends[1].receive_all());
            let output = self.lab.terminal.take_output();
            // The frame of each turn keeps the box busy, so idleness is a silent console.
            tail.extend_from_slice(&output);
            tail.drain(..tail.len().saturating_sub(16));
            let is_quiet = output.is_empty()
                && self.lab.terminal.is_read()
                && (tail.is_empty() || tail.ends_with(awaited));
            match (is_quiet, quiet_since) {
                (false, _) => quiet_since = None,
                (true, None) => quiet_since = Some(Instant::now()),
                // Changes are put in force a quarter of a second after the first of them at most.
                (true, Some(since)) if since.elapsed() > Duration::from_millis(300) => {
                    return Outcome {
                        took: since - began,
                        longest_gap,
                        frames,
                    };
                }
                (true, Some(_)) => {}
            }
        }
    }
}

/// A datagram from 10.20.0.40 to 203.0.113.9.
fn udp() -> Vec<u8> {
    let mut ip = vec![0x45, 0, 0, 46, 0, 0, 0x40, 0, 64, 17, 0, 0];
    ip.extend([10, 20, 0, 40, 203, 0, 113, 9]);
    let sum: u32 = ip
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !(folded as u16 + (folded >> 16) as u16);
    ip[10..12].copy_from_slice(&checksum.to_be_bytes());
    let mut frame = Vec::from(INSIDE);
    frame.extend(HOST);
    frame.extend([8, 0]);
    frame.extend(ip);
    frame.extend([0x30, 0x39, 0x13, 0xc5, 0, 26, 0, 0]);
    frame.extend([0; 18]);
    frame
}

/// 203.0.113.9 answers 203.0.113.2.
fn arp_reply() -> Vec<u8> {
    let mut frame = vec![0x52, 0x54, 0, 0, 0, 1];
    frame.extend(PEER);
    frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 2]);
    frame.extend(PEER);
    frame.extend([203, 0, 113, 9]);
    frame.extend([0x52, 0x54, 0, 0, 0, 1, 203, 0, 113, 2]);
    frame
}

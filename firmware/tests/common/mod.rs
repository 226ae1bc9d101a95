//! A whole box on simulated parts, and somebody typing at its console.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its own part of the box"
)]

pub mod wire;

use std::time::Duration;

use cli::xmodem::{Padding, ReceiveEvent, Receiver};
use firmware::{Appliance, Board, Event, HeapUse, Journal, Turn};
use hal::nic::{MacAddr, Nic, Offloads};
use hal_sim::board::{SimPower, SimRtc};
use hal_sim::cable::End;
use hal_sim::clock::VirtualClock;
use hal_sim::disk::SimDisk;
use hal_sim::nic::SimNic;
use hal_sim::random::SimEntropy;
use hal_sim::serial::{SimSerial, Terminal};

/// 2026-01-15T12:00:00Z.
pub const START: u64 = 1_768_478_400;

/// Keeps the sequence numbers of connections as their ends chose them, for tests that play both ends.
pub const KEEP_SEQUENCES: &str = "configure terminal\nclass-map everything\nmatch any\n\
     policy-map plain\nclass everything\nset connection random-sequence-number disable\n\
     service-policy plain global\nend";

struct NoJournal;

impl Journal for NoJournal {
    fn record(&mut self, _: &Event) {}
}

/// A box with two ports, a disk and a console.
pub struct Box {
    pub appliance: Appliance,
    pub clock: VirtualClock,
    pub terminal: Terminal,
    pub disk: SimDisk,
    pub power: SimPower,
    /// The far ends of the cables: outside, inside.
    pub ends: [End; 2],
}

impl Box {
    /// Boots with an empty disk.
    pub fn boot() -> Self {
        Self::boot_new(Self::boot_with)
    }

    /// Boots with what is on `disk`.
    pub fn boot_with(disk: SimDisk) -> Self {
        let clock = VirtualClock::new();
        let (serial, terminal) = SimSerial::new();
        terminal.set_room(usize::MAX);
        Self::boot_on(&clock, disk, serial, terminal)
    }

    /// Boots with ports that coalesce what they receive, and do `offloads` (outside, inside) to what
    /// they send.
    pub fn boot_coalescing(offloads: [Offloads; 2]) -> Self {
        let (serial, terminal) = SimSerial::new();
        terminal.set_room(usize::MAX);
        Self::boot_new(|disk| {
            Self::boot_with_ports(&VirtualClock::new(), disk, serial, terminal, |nics| {
                let [outside, inside] = nics;
                let [first, second] = offloads;
                [
                    outside.with_offloads(first, true),
                    inside.with_offloads(second, true),
                ]
            })
        })
    }

    /// Boots with a console line of the caller's.
    pub fn boot_on(
        clock: &VirtualClock,
        disk: SimDisk,
        serial: SimSerial,
        terminal: Terminal,
    ) -> Self {
        Self::boot_with_ports(clock, disk, serial, terminal, |nics| nics)
    }

    fn boot_with_ports(
        clock: &VirtualClock,
        disk: SimDisk,
        serial: SimSerial,
        terminal: Terminal,
        equip: impl FnOnce([SimNic; 2]) -> [SimNic; 2],
    ) -> Self {
        let clock = clock.clone();
        let mac = |last| MacAddr([0x52, 0x54, 0, 0, 0, last]);
        let (outside, outside_end) = SimNic::on_bench(&clock, mac(1));
        let (inside, inside_end) = SimNic::on_bench(&clock, mac(2));
        let [outside, inside] = equip([outside, inside]);
        let power = SimPower::new();
        let board = Board {
            nics: vec![
                std::boxed::Box::new(outside) as std::boxed::Box<dyn Nic>,
                std::boxed::Box::new(inside),
            ],
            disk: Some(std::boxed::Box::new(disk.clone())),
            console: std::boxed::Box::new(serial),
            rtc: std::boxed::Box::new(SimRtc::new(&clock, START)),
            entropy: std::boxed::Box::new(SimEntropy::new(11)),
            power: std::boxed::Box::new(power.clone()),
            clock: std::boxed::Box::new(clock.clone()),
            journal: std::boxed::Box::new(NoJournal),
            memory_bytes: 64 << 20,
            heap: || HeapUse {
                used: 0,
                total: 64 << 20,
            },
            crash: None,
            cpu: "Simulated".into(),
            command_line: String::new(),
        };
        let appliance = Appliance::new(board);
        let mut booted = Self {
            appliance,
            clock,
            terminal,
            disk,
            power,
            ends: [outside_end, inside_end],
        };
        booted.settle();
        booted
    }

    /// Boots a box out of the factory, and does without the first questions.
    fn boot_new(boot: impl FnOnce(SimDisk) -> Self) -> Self {
        let mut booted = boot(SimDisk::new(32_768, 7));
        booted.terminal.push_input(b"no\r");
        booted.settle();
        booted
    }

    /// Lets the box work until it has nothing to do.
    pub fn settle(&mut self) -> Turn {
        let mut turns = 0..1_000_000;
        loop {
            assert!(turns.next().is_some(), "the box never gets idle");
            match self.appliance.turn() {
                Turn::Busy => {}
                idle => return idle,
            }
        }
    }

    /// Lets virtual time pass.
    pub fn wait(&mut self, by: Duration) {
        let until = hal::time::Monotonic::now(&self.clock) + by;
        loop {
            match self.settle() {
                Turn::IdleUntil(Some(at)) if at < until => self.clock.advance_to(at),
                _ => {
                    self.clock.advance_to(until);
                    self.settle();
                    return;
                }
            }
        }
    }

    /// Types `text` and returns what the box printed.
    pub fn type_text(&mut self, text: &str) -> String {
        self.terminal.push_input(text.as_bytes());
        self.settle();
        self.terminal.take_text()
    }

    /// Types one line, as a person does: after a pause.
    pub fn line(&mut self, line: &str) -> String {
        self.wait(Duration::from_millis(100));
        self.type_text(&format!("{line}\r"))
    }

    /// Types lines that must be taken without complaint.
    pub fn config(&mut self, lines: &str) {
        for line in lines.lines() {
            let printed = self.line(line);
            assert!(!printed.contains("ERROR"), "{line}: {printed}");
        }
    }

    /// Sets the first password, and enters privileged mode without pages.
    pub fn enable(&mut self) {
        let printed = self.type_text("enable\rcisco123\rcisco123\rterminal pager 0\r");
        assert!(printed.ends_with("sallyport# "), "{printed}");
    }
}

/// Receives a file from the box as `rx -c` does; returns it and what the box printed.
pub fn receive(sallyport: &mut Box) -> (Vec<u8>, String) {
    let now = |sallyport: &Box| hal::time::Monotonic::now(&sallyport.clock);
    let mut receiver = Receiver::new(usize::MAX, Padding::Strip, now(sallyport));
    let (mut bytes, mut shown) = (Vec::new(), Vec::new());
    let mut rounds = 0..1_000_000;
    loop {
        assert!(rounds.next().is_some(), "the transfer never ends");
        while let Some(answer) = receiver.poll_transmit() {
            sallyport.terminal.push_input(answer);
        }
        while let Some(event) = receiver.poll_event() {
            match event {
                ReceiveEvent::Data(block) => bytes.extend(block),
                ReceiveEvent::Done { .. } => {
                    for _ in 0..20 {
                        sallyport.wait(Duration::from_millis(100));
                        shown.extend(sallyport.terminal.take_output());
                    }
                    return (bytes, String::from_utf8_lossy(&shown).into_owned());
                }
                ReceiveEvent::Failed(failure) => return (bytes, format!("receiver: {failure}")),
            }
        }
        sallyport.wait(Duration::from_millis(20));
        let frames = sallyport.terminal.take_output();
        shown.extend(&frames);
        for byte in frames {
            receiver.handle_byte(byte, now(sallyport));
        }
        if receiver
            .poll_timeout()
            .is_some_and(|at| at <= now(sallyport))
        {
            receiver.handle_timeout(now(sallyport));
        }
    }
}

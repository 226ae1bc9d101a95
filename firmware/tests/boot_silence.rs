//! Requirement: no frame is forwarded before the policy is in force and the links start.
//! Needs: nothing; virtual time.
//!
//! Whenever the firmware looks at the clock, which it does from its first step on, both neighbours
//! send a packet that the policy will permit and one that it will refuse.

mod common;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use firmware::{Appliance, Board, Event, HeapUse, Journal, Turn};
use hal::nic::{MacAddr, Nic};
use hal::time::{Instant, Monotonic};
use hal_sim::board::{SimPower, SimRtc};
use hal_sim::cable::End;
use hal_sim::clock::VirtualClock;
use hal_sim::disk::SimDisk;
use hal_sim::nic::SimNic;
use hal_sim::random::SimEntropy;
use hal_sim::serial::SimSerial;

const OUTSIDE_MAC: [u8; 6] = [0x52, 0x54, 0, 0, 0, 1];
const INSIDE_MAC: [u8; 6] = [0x52, 0x54, 0, 0, 0, 2];
const HOST: [u8; 4] = [10, 20, 0, 40];
const PEER: [u8; 4] = [203, 0, 113, 14];
const PERMITTED: &[u8] = b"the policy permits this";
const REFUSED: &[u8] = b"and it refuses this one";

const CONFIGURATION: &str = "configure terminal\ninterface gi0/0\n nameif outside\n \
     ip address 203.0.113.2 255.255.255.240\n no shutdown\ninterface gi0/1\n nameif inside\n \
     ip address 10.20.0.1 255.255.255.0\n no shutdown\nend";

/// Ethernet address of the station with an IPv4 address.
fn station([a, b, c, d]: [u8; 4]) -> [u8; 6] {
    [6, 0, a, b, c, d]
}

/// A UDP packet without checksum in a frame to the box.
fn udp(mac: [u8; 6], from: [u8; 4], to: [u8; 4], payload: &[u8]) -> Vec<u8> {
    let mut header = vec![
        0x45,
        0,
        0,
        28 + payload.len() as u8,
        0,
        1,
        0,
        0,
        64,
        17,
        0,
        0,
    ];
    header.extend(from);
    header.extend(to);
    let mut sum: u32 = header
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    sum = (sum & 0xffff) + (sum >> 16);
    header[10..12].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    let mut frame = mac.to_vec();
    frame.extend(station(from));
    frame.extend([8, 0]);
    frame.extend(header);
    frame.extend([0x10, 0, 0x20, 0, 0, 8 + payload.len() as u8, 0, 0]);
    frame.extend(payload);
    frame
}

/// A station asks for the box, which thereby learns of the station.
fn arp(from: [u8; 4], to: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(station(from));
    frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend(station(from));
    frame.extend(from);
    frame.extend([0; 6]);
    frame.extend(to);
    frame
}

/// The neighbours of the box, and what they have seen.
struct Neighbours {
    ends: [End; 2],
    sent: Cell<u32>,
    frames: RefCell<Vec<Vec<u8>>>,
}

impl Neighbours {
    /// Both send both kinds, and look at what has arrived.
    fn press(&self) {
        let [outside, inside] = &self.ends;
        // A cable that is full loses the frame.
        let _ = inside.send(&arp(HOST, [10, 20, 0, 1]));
        let _ = outside.send(&arp(PEER, [203, 0, 113, 2]));
        let _ = inside.send(&udp(INSIDE_MAC, HOST, PEER, PERMITTED));
        let _ = outside.send(&udp(OUTSIDE_MAC, PEER, HOST, REFUSED));
        self.sent.set(self.sent.get() + 2);
        self.look();
    }

    fn look(&self) {
        for end in &self.ends {
            self.frames.borrow_mut().extend(end.receive_all());
        }
    }

    fn forwarded(&self, payload: &[u8]) -> usize {
        let frames = self.frames.borrow();
        let holds = |frame: &&Vec<u8>| frame.windows(payload.len()).any(|part| part == payload);
        frames.iter().filter(holds).count()
    }
}

/// A clock at whose every reading the neighbours send.
struct PressingClock {
    clock: VirtualClock,
    neighbours: Rc<Neighbours>,
}

impl Monotonic for PressingClock {
    fn now(&self) -> Instant {
        self.neighbours.press();
        self.clock.now()
    }
}

struct NoJournal;

impl Journal for NoJournal {
    fn record(&mut self, _: &Event) {}
}

/// A box that boots with what is on `disk`, under pressure from the first step on.
fn boot(disk: &SimDisk) -> (Appliance, VirtualClock, Rc<Neighbours>) {
    let clock = VirtualClock::new();
    let (serial, terminal) = SimSerial::new();
    terminal.set_room(usize::MAX);
    let (outside, outside_end) = SimNic::on_bench(&clock, MacAddr(OUTSIDE_MAC));
    let (inside, inside_end) = SimNic::on_bench(&clock, MacAddr(INSIDE_MAC));
    let neighbours = Rc::new(Neighbours {
        ends: [outside_end, inside_end],
        sent: Cell::new(0),
        frames: RefCell::default(),
    });
    neighbours.press();
    let appliance = Appliance::new(Board {
        nics: vec![Box::new(outside) as Box<dyn Nic>, Box::new(inside)],
        disk: Some(Box::new(disk.clone())),
        console: Box::new(serial),
        rtc: Box::new(SimRtc::new(&clock, common::START)),
        entropy: Box::new(SimEntropy::new(11)),
        power: Box::new(SimPower::new()),
        clock: Box::new(PressingClock {
            clock: clock.clone(),
            neighbours: neighbours.clone(),
        }),
        journal: Box::new(NoJournal),
        memory_bytes: 64 << 20,
        heap: || HeapUse {
            used: 0,
            total: 64 << 20,
        },
        crash: None,
        cpu: "Simulated".into(),
        command_line: String::new(),
    });
    neighbours.look();
    (appliance, clock, neighbours)
}

/// Turns of the loop while virtual time passes.
fn run(appliance: &mut Appliance, clock: &VirtualClock, time: Duration) {
    let until = clock.now() + time;
    while clock.now() < until {
        let at = match appliance.turn() {
            Turn::IdleUntil(Some(at)) => at,
            // The pressure never lets the box become idle.
            _ => clock.now() + Duration::from_millis(50),
        };
        clock.advance_to(at.min(until).max(clock.now()));
    }
}

#[test]
fn nothing_leaves_a_box_without_configuration() {
    let (mut appliance, clock, neighbours) = boot(&SimDisk::new(32_768, 7));
    run(&mut appliance, &clock, Duration::from_secs(10));
    neighbours.look();
    assert!(neighbours.sent.get() > 100, "{}", neighbours.sent.get());
    assert_eq!(neighbours.frames.borrow().len(), 0);
}

#[test]
fn nothing_is_forwarded_before_the_saved_policy_is_in_force_and_then_only_what_it_permits() {
    let disk = SimDisk::new(32_768, 7);
    let mut prepared = common::Box::boot_with(disk.clone());
    prepared.enable();
    prepared.config(CONFIGURATION);
    assert!(prepared.line("write memory").contains("[OK]"));
    drop(prepared);

    let (mut appliance, clock, neighbours) = boot(&disk);
    assert!(neighbours.sent.get() >= 4, "{}", neighbours.sent.get());
    assert_eq!(neighbours.frames.borrow().len(), 0, "while it boots");
    run(&mut appliance, &clock, Duration::from_secs(5));
    neighbours.look();
    assert!(neighbours.forwarded(PERMITTED) > 0, "the box is up");
    assert_eq!(neighbours.forwarded(REFUSED), 0);
}

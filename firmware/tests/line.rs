//! Requirement: typed-ahead bytes are never lost, at 9600 and 115200, with and without XON/XOFF. Needs:
//! nothing; virtual time.

mod common;

use std::time::Duration;

use common::Box;
use hal::serial::{Baud, FlowControl, Serial};
use hal_sim::clock::VirtualClock;
use hal_sim::disk::SimDisk;
use hal_sim::serial::{OnXoff, SimSerial};

/// Bytes of the paste.
const PASTE: usize = 300_000;
const STEP: Duration = Duration::from_millis(50);

/// Lets time pass in small steps until all that was typed is read and answered. In every `busy.0` steps
/// the box does nothing for `busy.1` of them, as while it signs or writes to a disk.
fn run(sallyport: &mut Box, busy: (u32, u32)) -> String {
    let mut printed = String::new();
    let mut silent = 0;
    let mut steps = 0..1_000_000;
    loop {
        let step = steps.next().expect("the paste ends");
        sallyport.clock.advance(STEP);
        if step % busy.0 < busy.1 {
            continue;
        }
        sallyport.settle();
        let new = sallyport.terminal.take_text();
        silent = if new.is_empty() { silent + 1 } else { 0 };
        printed += &new;
        if silent > 10 && sallyport.terminal.is_read() {
            return printed;
        }
    }
}

fn paste(baud: Baud, flow: FlowControl, on_xoff: OnXoff, busy: (u32, u32)) -> u32 {
    let clock = VirtualClock::new();
    let (mut serial, terminal) = SimSerial::paced(&clock, baud, on_xoff);
    serial.set_flow(flow);
    let disk = SimDisk::new(32_768, 7);
    let mut sallyport = Box::boot_on(&clock, disk, serial, terminal);
    let line = sallyport.terminal.clone();
    line.push_input(b"enable\rcisco123\rcisco123\rterminal pager 0\rconfigure terminal\r");
    run(&mut sallyport, (1, 0));
    let mut text = String::new();
    let mut count = 0_u32;
    while text.len() < PASTE {
        let (high, low) = (count / 250, count % 250 + 1);
        text +=
            &format!("access-list big extended permit tcp any host 10.20.{high}.{low} eq 5269\r");
        count += 1;
    }
    line.push_input(text.as_bytes());
    let printed = run(&mut sallyport, busy);
    assert!(!printed.contains("ERROR"), "a line was damaged");
    assert_eq!(line.lost(), 0);
    line.push_input(b"show access-list big | include elements\r");
    let printed = run(&mut sallyport, (1, 0));
    let expected = format!("access-list big; {count} elements");
    assert!(printed.contains(&expected), "{printed}");
    line.stops()
}

/// Busy for two of every three seconds.
const BUSY: (u32, u32) = (60, 40);

#[test]
fn a_paste_arrives_whole_without_flow_control() {
    for baud in [Baud::Baud9600, Baud::Baud115200] {
        let stops = paste(baud, FlowControl::None, OnXoff::Ignores, BUSY);
        assert_eq!(stops, 0, "XOFF is data without flow control");
    }
}

#[test]
fn a_paste_arrives_whole_with_xon_xoff() {
    for baud in [Baud::Baud9600, Baud::Baud115200] {
        for on_xoff in [OnXoff::Obeys, OnXoff::Ignores] {
            paste(baud, FlowControl::XonXoff, on_xoff, BUSY);
        }
    }
}

#[test]
fn a_box_busy_for_longer_than_its_ring_stops_a_terminal_that_obeys() {
    // Half a minute at a time is more than the ring holds at 115200.
    let stops = paste(
        Baud::Baud115200,
        FlowControl::XonXoff,
        OnXoff::Obeys,
        (620, 600),
    );
    assert!(stops > 0);
}

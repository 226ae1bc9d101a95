//! The two serial lines: console and developers' log (16550 data sheet, TI PC16550D).
//!
//! Interrupts move bytes between the chip's 16-byte FIFOs and rings in memory; the event loop only
//! touches the rings. When the console's receive ring fills up, RTS is dropped and, if that was chosen,
//! XOFF sent; if the other side ignores both, the receive interrupt is turned off too and bytes wait in
//! the FIFO, which is all the back-pressure there is. So a paste is kept whole by any of: the ring
//! (256 KiB), a cable with RTS/CTS, a terminal that obeys XOFF, or a far end (QEMU) that sees a full
//! FIFO. What XON/XOFF means is decided by [`hal::flow`]; this file only moves the bytes.
//!
//! | | at 9600 | at 115200 |
//! | --- | --- | --- |
//! | a byte takes | 1.04 ms | 87 µs |
//! | the receive FIFO (16) interrupts at 8, overruns after a further | 8.3 ms | 0.69 ms |
//! | the receive ring (256 KiB) holds the input of | 273 s | 22.8 s |
//! | the transmit ring (32 KiB) is sent in | 34 s | 2.8 s |
//! | after XOFF, what the transmit FIFO holds still leaves, for at most | 17 ms | 1.4 ms |

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use critical_section::Mutex;
use hal::flow::{Marks, XonXoff};
use hal::serial::{Baud, FlowControl, Serial};
use hal::time::Instant;

use crate::cpu;
use crate::port::{inb, outb};
use crate::ring::ByteRing;
use crate::tsc;

/// ISA interrupt line of the console (COM1).
pub const CONSOLE_LINE: u8 = 4;
/// ISA interrupt line of the log (COM2).
pub const LOG_LINE: u8 = 3;

/// The operator's line, COM1.
pub static CONSOLE: Uart<0x3f8, { 256 << 10 }, { 32 << 10 }> =
    Uart::new(&CONSOLE_RECEIVED, &CONSOLE_TO_SEND);
/// The developers' line, COM2, which only sends.
pub static LOG: Uart<0x2f8, 64, { 16 << 10 }> = Uart::new(&LOG_RECEIVED, &LOG_TO_SEND);

// By themselves the rings are all zeros and take no room in the image.
static CONSOLE_RECEIVED: ByteRing<{ 256 << 10 }> = ByteRing::new();
static CONSOLE_TO_SEND: ByteRing<{ 32 << 10 }> = ByteRing::new();
static LOG_RECEIVED: ByteRing<64> = ByteRing::new();
static LOG_TO_SEND: ByteRing<{ 16 << 10 }> = ByteRing::new();

// Register offsets (data sheet table II).
const DATA: u16 = 0;
const INTERRUPT_ENABLE: u16 = 1;
const INTERRUPT_ID: u16 = 2;
const FIFO_CONTROL: u16 = 2;
const LINE_CONTROL: u16 = 3;
const MODEM_CONTROL: u16 = 4;
const LINE_STATUS: u16 = 5;
const MODEM_STATUS: u16 = 6;
const SCRATCH: u16 = 7;

const ENABLE_RECEIVE: u8 = 1 << 0;
const ENABLE_TRANSMIT: u8 = 1 << 1;
const ENABLE_LINE_STATUS: u8 = 1 << 2;
/// FIFOs on and cleared, interrupt at 8 bytes. A later interrupt (14) would save little and leave 0.17 ms
/// at 115200; an earlier one costs more interrupts, and at 9600 there is time in plenty.
const FIFO_ON: u8 = 0b1000_0111;
const EIGHT_N_ONE: u8 = 0b011;
const DIVISOR_ACCESS: u8 = 1 << 7;
/// 1.8432 MHz / 16: the speed at divisor 1.
const SPEED_MAX: u32 = 115_200;
const DTR: u8 = 1 << 0;
const RTS: u8 = 1 << 1;
/// Connects the chip to its interrupt line.
const OUT2: u8 = 1 << 3;

const DATA_READY: u8 = 1 << 0;
const OVERRUN: u8 = 1 << 1;
const FRAMING: u8 = 1 << 3;
const BREAK: u8 = 1 << 4;
const HOLDING_EMPTY: u8 = 1 << 5;
const ALL_SENT: u8 = 1 << 6;

const FIFO_LEN: usize = 16;
/// Causes served in one interrupt before the chip is taken for broken and left.
const CAUSES_PER_INTERRUPT: u32 = 4_096;

/// The 16550 at port `BASE` with a receive ring of `RX` bytes and a transmit ring of `TX` bytes.
pub struct Uart<const BASE: u16, const RX: usize, const TX: usize> {
    is_present: AtomicBool,
    received: &'static ByteRing<RX>,
    to_send: &'static ByteRing<TX>,
    /// What the interrupt enable register holds.
    enabled: AtomicU8,
    lost: AtomicU64,
    saw_break: AtomicBool,
    baud: Mutex<Cell<Baud>>,
    flow: Mutex<Cell<XonXoff>>,
}

impl<const BASE: u16, const RX: usize, const TX: usize> Uart<BASE, RX, TX> {
    /// Received bytes that make RTS drop, and those below which it rises again.
    const MARKS: Marks = Marks::of_ring(RX);

    const fn new(received: &'static ByteRing<RX>, to_send: &'static ByteRing<TX>) -> Self {
        Self {
            is_present: AtomicBool::new(false),
            received,
            to_send,
            enabled: AtomicU8::new(0),
            lost: AtomicU64::new(0),
            saw_break: AtomicBool::new(false),
            baud: Mutex::new(Cell::new(Baud::Baud115200)),
            flow: Mutex::new(Cell::new(XonXoff::new())),
        }
    }

    /// Sets the chip to `baud` 8N1 with FIFOs, and its interrupts on if `receives`. Returns whether
    /// there is a chip.
    ///
    /// # Safety
    /// Called once per line, at boot, with interrupts off.
    pub unsafe fn initialize(&self, baud: Baud, receives: bool) -> bool {
        for pattern in [0x5a, 0xa5] {
            self.output(SCRATCH, pattern);
            if self.input(SCRATCH) != pattern {
                return false;
            }
        }
        self.output(INTERRUPT_ENABLE, 0);
        self.output(LINE_CONTROL, DIVISOR_ACCESS);
        // At most 12: the slowest speed is 9600. The high byte shares a register with the interrupts.
        let divisor = SPEED_MAX / baud.bits_per_second();
        self.output(DATA, u8::try_from(divisor).unwrap_or(1));
        self.output(INTERRUPT_ENABLE, 0);
        self.output(LINE_CONTROL, EIGHT_N_ONE);
        self.output(FIFO_CONTROL, FIFO_ON);
        self.output(MODEM_CONTROL, DTR | RTS | OUT2);
        critical_section::with(|section| self.baud.borrow(section).set(baud));
        self.is_present.store(true, Ordering::Release);
        if receives {
            self.set_enabled(ENABLE_RECEIVE | ENABLE_LINE_STATUS);
        }
        true
    }

    /// Whether [`initialize`](Self::initialize) found a chip.
    pub fn is_present(&self) -> bool {
        self.is_present.load(Ordering::Acquire)
    }

    /// The speed of the line.
    pub fn baud(&self) -> Baud {
        critical_section::with(|section| self.baud.borrow(section).get())
    }

    /// Serves everything the chip asks for; returns whether the event loop should look.
    pub fn on_interrupt(&self) -> bool {
        let mut is_news = false;
        // The line is edge-triggered: an unserved cause would never interrupt again, so go on
        // until the chip has none.
        for _ in 0..CAUSES_PER_INTERRUPT {
            match self.input(INTERRUPT_ID) & 0b1111 {
                0b0110 => is_news |= self.note_line_status(),
                0b0100 | 0b1100 => {
                    self.receive();
                    is_news = true;
                }
                0b0010 => is_news |= self.refill(),
                0b0000 => {
                    let _ = self.input(MODEM_STATUS);
                }
                _ => return is_news,
            }
        }
        // Something other than a 16550 answers.
        self.set_enabled(0);
        is_news
    }

    /// Sends `bytes` without interrupts or rings, waiting a bounded time for each: for last words.
    pub fn write_polled(&self, bytes: &[u8]) {
        if !self.is_present() {
            return;
        }
        let patience = self.poll_micros();
        for &byte in bytes {
            let is_empty = || self.input(LINE_STATUS) & HOLDING_EMPTY != 0;
            if !tsc::wait_until(patience, is_empty) {
                return;
            }
            self.output(DATA, byte);
        }
    }

    /// Sends what the transmit ring holds, polled, for at most `micros`.
    pub fn flush_polled(&self, micros: u64) {
        let were_on = cpu::disable_interrupts();
        let deadline = tsc::Deadline::after_micros(micros);
        while let Some(byte) = self.to_send.pop() {
            self.write_polled(&[byte]);
            if deadline.has_passed() {
                break;
            }
        }
        if self.is_present() {
            tsc::wait_until(self.poll_micros(), || {
                self.input(LINE_STATUS) & ALL_SENT != 0
            });
        }
        // SAFETY: `were_on` is from the matching call above.
        unsafe { cpu::restore_interrupts(were_on) };
    }

    /// Queues `byte` without letting it go yet. For writers of whole frames.
    pub fn prepare(&self, byte: u8) -> bool {
        self.to_send.prepare(byte)
    }

    /// Drops what was prepared.
    pub fn take_back(&self) {
        self.to_send.take_back();
    }

    /// Lets go what was prepared.
    pub fn publish(&self) {
        self.to_send.publish();
        self.start_sending();
    }

    /// Moves received bytes into `bytes` and returns how many.
    pub fn read(&self, bytes: &mut [u8]) -> usize {
        let count = self.received.read(bytes);
        if self.received.len() < Self::MARKS.low {
            self.resume_receiving();
        }
        self.note_fill();
        self.start_sending();
        count
    }

    /// Queues bytes for sending and returns how many fitted.
    pub fn write(&self, bytes: &[u8]) -> usize {
        if !self.is_present() {
            // Nobody listens; the writer must not be stalled by that.
            return bytes.len();
        }
        let count = self.to_send.write(bytes);
        self.start_sending();
        count
    }

    /// Chooses the flow control in the data.
    pub fn set_flow(&self, flow: FlowControl) {
        self.with_flow(|line| line.set_flow(flow));
        self.note_fill();
        self.start_sending();
    }

    /// Lets output go on that was held for too long.
    pub fn handle_timeout(&self, now: Instant) {
        self.with_flow(|line| line.handle_timeout(now));
        self.start_sending();
    }

    /// Takes bytes from the FIFO until it or the ring's room is at its end.
    fn receive(&self) {
        loop {
            if self.received.room() == 0 {
                self.output(MODEM_CONTROL, DTR | OUT2);
                self.set_enabled(self.enabled() & !(ENABLE_RECEIVE | ENABLE_LINE_STATUS));
                return;
            }
            let status = self.input(LINE_STATUS);
            self.note_errors(status);
            if status & DATA_READY == 0 || status == 0xff {
                break;
            }
            let byte = self.input(DATA);
            // A break arrives as a null byte, a framing error as noise; neither is input.
            let is_good = status & (BREAK | FRAMING) == 0;
            if is_good && self.with_flow(|line| line.handle_byte(byte, tsc::now())) {
                // There is room: seen above, and only this side writes.
                let _ = self.received.push(byte);
            }
        }
        if self.received.len() > Self::MARKS.high {
            self.output(MODEM_CONTROL, DTR | OUT2);
        }
        self.note_fill();
        // An XON came, or a signal of ours is due.
        self.start_sending();
    }

    /// Tells the flow control how full the ring is.
    fn note_fill(&self) {
        let fill = self.received.len();
        self.with_flow(|line| line.handle_fill(fill, &Self::MARKS));
    }

    /// The flow control is touched by the interrupt and by the event loop, so with interrupts off.
    fn with_flow<R>(&self, decide: impl FnOnce(&mut XonXoff) -> R) -> R {
        critical_section::with(|section| {
            let cell = self.flow.borrow(section);
            let mut line = cell.get();
            let result = decide(&mut line);
            cell.set(line);
            result
        })
    }

    /// Longest time a byte takes to leave in [`write_polled`](Self::write_polled): twice that of a full
    /// FIFO.
    fn poll_micros(&self) -> u64 {
        2 * FIFO_LEN as u64 * self.baud().nanos_per_byte() / 1_000
    }

    /// Asks for input again after [`receive`](Self::receive) had to stop.
    fn resume_receiving(&self) {
        if self.enabled() & ENABLE_RECEIVE == 0 {
            self.change_enabled(|enabled| enabled | ENABLE_RECEIVE | ENABLE_LINE_STATUS);
        }
        if self.is_present() && self.input(MODEM_CONTROL) & RTS == 0 {
            self.output(MODEM_CONTROL, DTR | RTS | OUT2);
        }
    }

    /// Fills the transmit FIFO; returns whether the ring has become worth filling again.
    fn refill(&self) -> bool {
        if let Some(signal) = self.with_flow(XonXoff::poll_transmit) {
            // Alone, so that it needs no counting; the chip asks again when it has left.
            self.output(DATA, signal);
            return false;
        }
        if !self.with_flow(|line| line.may_send()) {
            self.set_enabled(self.enabled() & !ENABLE_TRANSMIT);
            return false;
        }
        let mut chunk = [0; FIFO_LEN];
        let before = self.to_send.len();
        let count = self.to_send.read(&mut chunk);
        for byte in chunk.iter().take(count) {
            self.output(DATA, *byte);
        }
        let left = before - count;
        if left == 0 {
            self.set_enabled(self.enabled() & !ENABLE_TRANSMIT);
        }
        // A writer that fills the ring is told early enough to keep the line busy.
        (left == 0 && before > 0) || (left < TX / 2 && before >= TX / 2)
    }

    fn start_sending(&self) {
        let has_bytes = !self.to_send.is_empty();
        let is_wanted = self.with_flow(|line| line.has_signal() || (has_bytes && line.may_send()));
        if self.is_present() && is_wanted && self.enabled() & ENABLE_TRANSMIT == 0 {
            // The chip interrupts at once if its FIFO is empty.
            self.change_enabled(|enabled| enabled | ENABLE_TRANSMIT);
        }
    }

    fn note_line_status(&self) -> bool {
        let status = self.input(LINE_STATUS);
        self.note_errors(status);
        if status & (BREAK | FRAMING) != 0 && status & DATA_READY != 0 {
            // The bad character is at the head of the FIFO.
            let _ = self.input(DATA);
        }
        status & BREAK != 0
    }

    fn note_errors(&self, status: u8) {
        if status & BREAK != 0 {
            self.saw_break.store(true, Ordering::Relaxed);
        } else if status & (OVERRUN | FRAMING) != 0 {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn enabled(&self) -> u8 {
        self.enabled.load(Ordering::Acquire)
    }

    fn change_enabled(&self, change: impl FnOnce(u8) -> u8) {
        let were_on = cpu::disable_interrupts();
        self.set_enabled(change(self.enabled()));
        // SAFETY: `were_on` is from the matching call above.
        unsafe { cpu::restore_interrupts(were_on) };
    }

    fn set_enabled(&self, bits: u8) {
        self.enabled.store(bits, Ordering::Release);
        self.output(INTERRUPT_ENABLE, bits);
    }

    fn input(&self, register: u16) -> u8 {
        // SAFETY: a 16550's registers reach no memory; `BASE` is one of the two standard lines.
        unsafe { inb(BASE + register) }
    }

    fn output(&self, register: u16, value: u8) {
        // SAFETY: as above.
        unsafe { outb(BASE + register, value) }
    }
}

/// The console as the firmware sees it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Console;

impl Serial for Console {
    fn read(&mut self, bytes: &mut [u8]) -> usize {
        CONSOLE.read(bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        CONSOLE.write(bytes)
    }

    fn write_room(&self) -> usize {
        CONSOLE.to_send.room()
    }

    fn is_drained(&self) -> bool {
        CONSOLE.to_send.is_empty()
            && (!CONSOLE.is_present() || CONSOLE.input(LINE_STATUS) & ALL_SENT != 0)
    }

    fn lost(&self) -> u64 {
        CONSOLE.lost.load(Ordering::Relaxed)
    }

    fn take_break(&mut self) -> bool {
        CONSOLE.saw_break.swap(false, Ordering::Relaxed)
    }

    fn baud(&self) -> Baud {
        CONSOLE.baud()
    }

    fn set_flow(&mut self, flow: FlowControl) {
        CONSOLE.set_flow(flow);
    }

    fn flow(&self) -> FlowControl {
        CONSOLE.with_flow(|line| line.flow())
    }

    fn handle_timeout(&mut self, now: Instant) {
        CONSOLE.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        CONSOLE.with_flow(|line| line.poll_timeout())
    }
}

//! The two serial lines: console and developers' log (16550 data sheet, TI PC16550D).
//!
//! Interrupts move bytes between the chip's 16-byte FIFOs and rings in memory; the event loop only
//! touches the rings. When the console's receive ring fills up, RTS is dropped; if the other side
//! ignores that, the receive interrupt is turned off too and bytes wait in the FIFO, which is all
//! the back-pressure there is. So a 200 KB paste is kept whole by any of: the ring (256 KiB), a
//! cable with RTS/CTS, or a far end (QEMU) that sees a full FIFO.

use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use hal::serial::Serial;

use crate::cpu;
use crate::port::{inb, outb};
use crate::ring::ByteRing;
use crate::tsc;

/// ISA interrupt line of the console (COM1).
pub const CONSOLE_LINE: u8 = 4;
/// ISA interrupt line of the log (COM2).
pub const LOG_LINE: u8 = 3;

/// The operator's line, COM1.
pub static CONSOLE: Uart<0x3f8, { 256 << 10 }, { 32 << 10 }> = Uart::new();
/// The developers' line, COM2, which only sends.
pub static LOG: Uart<0x2f8, 64, { 16 << 10 }> = Uart::new();

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
/// FIFOs on and cleared, interrupt at 8 bytes: leaves 0.7 ms at 115200 before an overrun.
const FIFO_ON: u8 = 0b1000_0111;
const EIGHT_N_ONE: u8 = 0b011;
const DIVISOR_ACCESS: u8 = 1 << 7;
/// 1.8432 MHz / 16 / 115200.
const DIVISOR: u8 = 1;
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
/// Longest time a byte takes to leave in [`Uart::write_polled`]: twice that of a full FIFO.
const POLL_MICROS: u64 = 3_000;

/// The 16550 at port `BASE` with a receive ring of `RX` bytes and a transmit ring of `TX` bytes.
///
/// The port is a parameter and no field, so that the rings are zero at start and take no room in
/// the image.
pub struct Uart<const BASE: u16, const RX: usize, const TX: usize> {
    is_present: AtomicBool,
    received: ByteRing<RX>,
    to_send: ByteRing<TX>,
    /// What the interrupt enable register holds.
    enabled: AtomicU8,
    lost: AtomicU64,
    saw_break: AtomicBool,
}

impl<const BASE: u16, const RX: usize, const TX: usize> Uart<BASE, RX, TX> {
    /// Received bytes that make RTS drop.
    const HIGH_WATER: usize = RX - RX / 8;
    /// Received bytes below which RTS rises again.
    const LOW_WATER: usize = RX - RX / 4;

    const fn new() -> Self {
        Self {
            is_present: AtomicBool::new(false),
            received: ByteRing::new(),
            to_send: ByteRing::new(),
            enabled: AtomicU8::new(0),
            lost: AtomicU64::new(0),
            saw_break: AtomicBool::new(false),
        }
    }

    /// Sets the chip to 115200 8N1 with FIFOs, and its interrupts on if `receives`. Returns whether
    /// there is a chip.
    ///
    /// # Safety
    /// Called once per line, at boot, with interrupts off.
    pub unsafe fn initialize(&self, receives: bool) -> bool {
        for pattern in [0x5a, 0xa5] {
            self.output(SCRATCH, pattern);
            if self.input(SCRATCH) != pattern {
                return false;
            }
        }
        self.output(INTERRUPT_ENABLE, 0);
        self.output(LINE_CONTROL, DIVISOR_ACCESS);
        self.output(DATA, DIVISOR);
        self.output(INTERRUPT_ENABLE, 0);
        self.output(LINE_CONTROL, EIGHT_N_ONE);
        self.output(FIFO_CONTROL, FIFO_ON);
        self.output(MODEM_CONTROL, DTR | RTS | OUT2);
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
        for &byte in bytes {
            let is_empty = || self.input(LINE_STATUS) & HOLDING_EMPTY != 0;
            if !tsc::wait_until(POLL_MICROS, is_empty) {
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
            tsc::wait_until(POLL_MICROS, || self.input(LINE_STATUS) & ALL_SENT != 0);
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
        if self.received.len() < Self::LOW_WATER {
            self.resume_receiving();
        }
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
            if status & (BREAK | FRAMING) == 0 {
                // There is room: seen above, and only this side writes.
                let _ = self.received.push(byte);
            }
        }
        if self.received.len() > Self::HIGH_WATER {
            self.output(MODEM_CONTROL, DTR | OUT2);
        }
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
        let is_wanted = self.is_present() && !self.to_send.is_empty();
        if is_wanted && self.enabled() & ENABLE_TRANSMIT == 0 {
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
}

//! The end: exceptions and panics are reported, remembered and followed by a reset.
//!
//! The report goes to the console and, as an [`Epitaph`], to a page that a warm reset leaves alone;
//! the next boot finds it there. Whatever goes wrong while dying resets at once. Nothing here
//! allocates or uses an interrupt.

use core::arch::asm;
use core::fmt::{self, Write as _};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use hal_x86::descriptors::{self, StackBounds};
use hal_x86::epitaph::{Epitaph, PAGE_LEN};
use hal_x86::exceptions::{self, Frame};
use hal_x86::{backtrace, cpu, power, tsc, uart};

use crate::{entry, image};

/// Words of the stack that are searched for return addresses.
const SEARCHED_WORDS: u64 = 4_096;
/// Time for output that is queued already.
const FLUSH_MICROS: u64 = 200_000;

/// Set by the first fault: another one means that dying went wrong.
static IS_DYING: AtomicBool = AtomicBool::new(false);

/// Reports an exception and resets.
pub(crate) fn on_exception(frame: &Frame) -> ! {
    begin_dying();
    let mut epitaph = Epitaph {
        registers: Some(*frame),
        backtrace: search(frame.rsp),
        ..Epitaph::default()
    };
    // The innermost frame is where it happened, which no return address names.
    epitaph
        .backtrace
        .truncate(hal_x86::epitaph::BACKTRACE_MAX - 1);
    let _ = epitaph.backtrace.insert(0, frame.rip);
    describe(&mut epitaph, frame);
    finish(epitaph)
}

#[panic_handler]
fn on_panic(info: &PanicInfo<'_>) -> ! {
    let were_on = cpu::disable_interrupts();
    let _ = were_on;
    begin_dying();
    let stack_pointer: u64;
    // SAFETY: copies a register.
    unsafe { asm!("mov {}, rsp", out(reg) stack_pointer, options(nomem, nostack)) };
    let mut epitaph = Epitaph {
        backtrace: search(stack_pointer),
        ..Epitaph::default()
    };
    match info.location() {
        Some(at) => epitaph.set_cause(format_args!(
            "panic: {} at {}:{}",
            info.message(),
            at.file(),
            at.line()
        )),
        None => epitaph.set_cause(format_args!("panic: {}", info.message())),
    }
    finish(epitaph)
}

/// Takes the epitaph of an earlier boot out of its page.
pub(crate) fn take_epitaph() -> Option<Epitaph> {
    // SAFETY: the page is reserved for this, mapped, and nobody else refers to it.
    let page = unsafe { &mut *(image::EPITAPH_PAGE as *mut [u8; PAGE_LEN]) };
    let found = Epitaph::decode(page);
    Epitaph::erase(page);
    found
}

/// Resets at once if something goes wrong in here a second time.
fn begin_dying() {
    if IS_DYING.swap(true, Ordering::AcqRel) {
        power::reset_now();
    }
}

/// Says in words what an exception was.
fn describe(epitaph: &mut Epitaph, frame: &Frame) {
    const PAGE_FAULT: u64 = 14;
    let name = exceptions::name(frame.vector);
    if frame.vector != PAGE_FAULT {
        epitaph.set_cause(format_args!(
            "{name} (vector {}) at 0x{:x}",
            frame.vector, frame.rip
        ));
        return;
    }
    let address = cpu::fault_address();
    // Error code bits: SDM volume 3, figure 4-12.
    let (is_present, is_write, is_fetch) = (
        frame.error_code & 1 != 0,
        frame.error_code & 2 != 0,
        frame.error_code & 16 != 0,
    );
    let access = match (is_fetch, is_write) {
        (true, _) => "executing",
        (false, true) => "writing",
        (false, false) => "reading",
    };
    if let Some(stack) = stacks().iter().find(|stack| stack.guards(address)) {
        epitaph.set_cause(format_args!(
            "stack overflow: {access} 0x{address:x} on the guard page of the {} stack at 0x{:x}",
            stack.name, frame.rip
        ));
        return;
    }
    let why = match (is_present, address < 4096) {
        (true, _) => "which is not permitted there",
        (false, true) => "a null pointer",
        (false, false) => "where nothing is mapped",
    };
    epitaph.set_cause(format_args!(
        "{name}: {access} 0x{address:x}, {why}, at 0x{:x}",
        frame.rip
    ));
}

fn stacks() -> [StackBounds; 4] {
    let [exception, emergency, device] = descriptors::stacks();
    [
        StackBounds::of("main", &entry::STACK),
        exception,
        emergency,
        device,
    ]
}

/// Return addresses on the stack that `stack_pointer` is in.
fn search(stack_pointer: u64) -> backtrace::Backtrace {
    let Some(words) = stacks().iter().find_map(|stack| stack.from(stack_pointer)) else {
        return backtrace::Backtrace::new();
    };
    let count = ((words.end - words.start) / 8).min(SEARCHED_WORDS);
    // SAFETY: `from` gives whole, aligned words of a mapped stack; the code that wrote them has
    // stopped for good.
    let words = unsafe { core::slice::from_raw_parts(words.start as *const u64, count as usize) };
    backtrace::search(words, image::code_bytes(), image::code().start)
}

/// Leaves the epitaph, tells the console, resets.
fn finish(mut epitaph: Epitaph) -> ! {
    epitaph.uptime_micros = tsc::now().as_micros();
    // SAFETY: as in `take_epitaph`.
    let page = unsafe { &mut *(image::EPITAPH_PAGE as *mut [u8; PAGE_LEN]) };
    epitaph.encode(page);
    uart::CONSOLE.flush_polled(FLUSH_MICROS);
    let _ = write!(
        Polled,
        "\r\n*** sallyport has stopped ***\n{epitaph}*** resetting ***\n"
    );
    uart::LOG.flush_polled(FLUSH_MICROS);
    power::reset_now()
}

/// The console without rings and interrupts.
struct Polled;

impl fmt::Write for Polled {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for line in text.split_inclusive('\n') {
            match line.strip_suffix('\n') {
                Some(line) => {
                    uart::CONSOLE.write_polled(line.as_bytes());
                    uart::CONSOLE.write_polled(b"\r\n");
                }
                None => uart::CONSOLE.write_polled(line.as_bytes()),
            }
        }
        Ok(())
    }
}

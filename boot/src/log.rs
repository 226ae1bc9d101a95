//! The developers' log: defmt frames on the second serial line.
//!
//! A frame is prepared in the line's transmit ring and let go when it is whole. If the ring is full
//! the frame is dropped and counted, because forwarding must not wait for a log.

use core::cell::RefCell;
use core::sync::atomic::{AtomicU32, Ordering};

use critical_section::{Mutex, RestoreState};
use defmt::Encoder;
use firmware::{Event, Journal};
use hal_x86::{tsc, uart};

static DROPPED: AtomicU32 = AtomicU32::new(0);

static STATE: Mutex<RefCell<State>> = Mutex::new(RefCell::new(State {
    encoder: Encoder::new(),
    restore: RestoreState::invalid(),
    is_taken: false,
    is_whole: true,
}));

struct State {
    encoder: Encoder,
    /// What `acquire` has to hand to `release`.
    restore: RestoreState,
    is_taken: bool,
    /// Whether all of the present frame has fitted so far.
    is_whole: bool,
}

impl State {
    fn encode(&mut self, step: impl FnOnce(&mut Encoder, &mut dyn FnMut(&[u8]))) {
        let mut fits = self.is_whole;
        step(&mut self.encoder, &mut |bytes| {
            fits = fits && bytes.iter().all(|&byte| uart::LOG.prepare(byte));
        });
        self.is_whole = fits;
    }
}

defmt::timestamp!("{=u64:us}", tsc::now().as_micros());

#[defmt::global_logger]
struct Line;

// SAFETY: between `acquire` and `release` interrupts are off, so nothing else can log.
unsafe impl defmt::Logger for Line {
    fn acquire() {
        // SAFETY: `release` ends the section that begins here.
        let restore = unsafe { critical_section::acquire() };
        with_state(|state| {
            // Logging while a value is being formatted is a mistake in that value's code.
            assert!(!state.is_taken, "the log is taken already");
            state.is_taken = true;
            state.restore = restore;
            state.is_whole = uart::LOG.is_present();
            state.encode(|encoder, write| encoder.start_frame(write));
        });
    }

    unsafe fn flush() {
        uart::LOG.flush_polled(50_000);
    }

    unsafe fn release() {
        let restore = with_state(|state| {
            state.encode(|encoder, write| encoder.end_frame(write));
            if state.is_whole {
                uart::LOG.publish();
            } else {
                uart::LOG.take_back();
                DROPPED.fetch_add(1, Ordering::Relaxed);
            }
            state.is_taken = false;
            state.restore
        });
        // SAFETY: `restore` is what `acquire` got.
        unsafe { critical_section::release(restore) };
    }

    unsafe fn write(bytes: &[u8]) {
        with_state(|state| state.encode(|encoder, write| encoder.write(bytes, write)));
    }
}

fn with_state<T>(f: impl FnOnce(&mut State) -> T) -> T {
    critical_section::with(|section| f(&mut STATE.borrow_ref_mut(section)))
}

/// Frames that did not fit, since power-on.
pub(crate) fn dropped() -> u32 {
    DROPPED.load(Ordering::Relaxed)
}

/// Sends the firmware's events to the log.
#[derive(Debug)]
pub(crate) struct LineJournal;

impl Journal for LineJournal {
    fn record(&mut self, event: &Event) {
        defmt::info!("{}", event);
    }
}

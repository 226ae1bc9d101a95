//! The appliance: start-up in order, then one turn after the other.

use alloc::rc::Rc;
use alloc::string::String;
use core::cell::RefCell;

use hal::time::Instant;
use pki::KeyStore;

use crate::board::Board;
use crate::console;
use crate::journal::Event;
use crate::load;
use crate::load_meter::Part;
use crate::print::{put_line, system::VERSION};
use crate::state::{Core, RECOVERY_WINDOW, Shared};
use crate::tasks::Tasks;

/// What the caller of [`Appliance::turn`] should do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Call again at once.
    Busy,
    /// Sleep until an interrupt, or until the instant if there is one.
    IdleUntil(Option<Instant>),
}

/// The whole box.
pub struct Appliance {
    shared: Shared,
    tasks: Tasks,
    is_armed: bool,
}

impl Appliance {
    /// Starts the box: claims memory, puts the saved configuration in force, and only then lets
    /// links come up; the console is served from the first turn on.
    #[must_use]
    pub fn new(board: Board) -> Self {
        let mut core = Core::new(board);
        let grammar = Rc::new(console::grammar());
        let mut greeting = String::new();
        put_line!(&mut greeting, "\n\nSallyport Version {VERSION}\n");
        if core.crash.is_some() {
            put_line!(
                &mut greeting,
                "WARNING: the box restarted after a crash; see 'show crashinfo'\n"
            );
        }
        if let Some((saved, generation)) = core.load() {
            let ports = u16::try_from(core.ports.len()).unwrap_or(u16::MAX);
            let (config, refused_lines, report) = load::read(&grammar, &saved.text, ports);
            core.config = config;
            greeting.push_str(&report);
            match KeyStore::from_blob(&saved.keys) {
                Ok(keys) => core.keys = keys,
                Err(error) => {
                    put_line!(&mut greeting, "ERROR: the saved keys are unusable: {error}")
                }
            }
            core.startup.text = Some(saved.text.clone());
            core.startup.was_found = true;
            let interfaces = core.config.interfaces.iter();
            core.startup.addresses = interfaces
                .filter_map(|(&id, known)| Some((id, known.address?)))
                .collect();
            core.record(Event::ConfigurationLoaded {
                generation,
                refused_lines,
            });
        }
        put_line!(&mut greeting, "INFO: {}", core.startup.report);
        put_line!(&mut greeting, "INFO: disk0: {}\n", core.files_report());
        if console::needs_password(&core.config) {
            put_line!(
                &mut greeting,
                "INFO: passwords lost? A break on this line within {} seconds\n",
                RECOVERY_WINDOW.as_secs()
            );
        }
        core.put_policy_in_force();
        let ready = Event::Ready {
            micros: core.now().as_micros(),
            ports: u8::try_from(core.ports.len()).unwrap_or(u8::MAX),
        };
        core.record(ready);
        core.log(&syslog::Message::StartupCompleted);
        let shared: Shared = Rc::new(RefCell::new(core));
        let mut tasks = Tasks::new();
        tasks.spawn(console::serve(shared.clone(), grammar, greeting));
        tasks.spawn(console::restart_as_planned(shared.clone()));
        Self {
            shared,
            tasks,
            is_armed: false,
        }
    }

    /// Does a bounded amount of whatever is waiting.
    ///
    /// When there is nothing, interrupts of the network ports are armed before
    /// [`Turn::IdleUntil`] is returned, so a frame that arrives meanwhile ends the sleep.
    pub fn turn(&mut self) -> Turn {
        if core::mem::take(&mut self.is_armed) {
            let mut core = self.shared.borrow_mut();
            core.lap(Part::Idle);
            core.disarm_interrupts();
        }
        let mut was_busy = self.shared.borrow_mut().work();
        was_busy |= self.tasks.poll();
        let mut core = self.shared.borrow_mut();
        // What a task said last must not wait for the next interrupt.
        was_busy = was_busy || core.exchange_console();
        core.lap(Part::Console);
        if was_busy {
            return Turn::Busy;
        }
        self.is_armed = true;
        if core.arm_interrupts() {
            Turn::IdleUntil(core.poll_timeout())
        } else {
            Turn::Busy
        }
    }
}

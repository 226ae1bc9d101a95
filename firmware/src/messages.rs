//! What the box tells its operators, and when: joins the parts to [`syslog`].

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use clock::ZoneRules;
use clock::format::{LogDate, UtcDate};
use dataplane::PortId;
use hal::time::Instant;
use syslog::{Id, Logger, Message, OutOfMemory, Severity, Stamp};

use crate::events;
use crate::log_settings;
use crate::policy::interface_at;
use crate::state::Core;

impl Core {
    /// Tells operators something, stamped with the present time.
    pub(crate) fn log(&mut self, message: &Message<'_>) {
        if self.logger.wants(message.id()) {
            self.herald().tell(message);
            self.show_console_lines();
        }
    }

    /// Puts the configured `logging` lines in force.
    pub(crate) fn configure_logger(&mut self) {
        let settings = log_settings::of(&self.config);
        let mut herald = self.herald();
        let configured = herald.stamped(|logger, stamp| logger.configure(settings, stamp));
        self.dataplane
            .set_event_interest(events::interest(&self.logger));
        self.configure_log_hosts();
        if let Err(OutOfMemory { .. }) = configured {
            self.log(&Message::OutOfMemory);
        }
    }

    /// Tells that `user` entered a command: 111009 for one that only asks, else 111008, and 111010
    /// as well for a statement of the configuration. `command` must not hold a secret.
    pub(crate) fn executed(&mut self, user: &str, command: &str, effect: Effect) {
        match effect {
            Effect::None => self.log(&Message::QueryExecuted { user, command }),
            Effect::Action => self.log(&Message::CommandExecuted { user, command }),
            Effect::Configuration => {
                self.log(&Message::CommandExecuted { user, command });
                self.log(&Message::ConfigurationChanged {
                    user,
                    application: "CLI",
                    // At the serial line nobody has an address.
                    address: Ipv4Addr::UNSPECIFIED,
                    command,
                });
            }
        }
    }

    /// Whether [`executed`](Self::executed) would say anything of such a command.
    pub(crate) fn tells_of(&self, effect: Effect) -> bool {
        let told: &[Id] = match effect {
            Effect::None => &[Id::QueryExecuted],
            Effect::Action => &[Id::CommandExecuted],
            Effect::Configuration => &[Id::CommandExecuted, Id::ConfigurationChanged],
        };
        told.iter().any(|&id| self.logger.wants(id))
    }

    /// Lets the logger report what it has held back, if that is due.
    pub(crate) fn poll_logger(&mut self) {
        let now = self.now();
        if self.logger.poll_timeout().is_some_and(|at| at <= now) {
            self.herald()
                .stamped(|logger, stamp| logger.handle_timeout(stamp));
            self.show_console_lines();
        }
    }

    /// Wakes the console if there is something for it to print.
    pub(crate) fn show_console_lines(&mut self) {
        if self.logger.has_console_lines() {
            self.line.nudge();
        }
    }

    /// Tells of cables that went in or out. `changes` are ports with whether they are up.
    pub(crate) fn log_links(&mut self, changes: Vec<(u8, bool)>) {
        for (port, is_up) in changes {
            let name = self.interface_name(port);
            let interface = name.as_str();
            self.log(&match is_up {
                true => Message::LinkUp { interface },
                false => Message::LinkDown { interface },
            });
        }
    }

    /// Tells of ports that were put into or taken out of service.
    pub(crate) fn log_ports(&mut self, changes: Vec<(u8, bool)>) {
        for (port, is_running) in changes {
            let name = self.interface_name(port);
            let interface = name.as_str();
            self.log(&match is_running {
                true => Message::InterfaceEnabled { interface },
                false => Message::InterfaceDisabled { interface },
            });
        }
    }

    /// The configured name of a port, or that of the hardware.
    fn interface_name(&self, port: u8) -> String {
        match interface_at(&self.config, PortId(port)) {
            Some((id, interface)) => match &interface.nameif {
                Some(name) => name.clone(),
                None => alloc::format!("{id}"),
            },
            None => alloc::format!("GigabitEthernet0/{port}"),
        }
    }

    pub(crate) fn herald(&mut self) -> Herald<'_> {
        let now = self.now();
        Herald {
            logger: &mut self.logger,
            zone: &self.zone,
            unix_secs: self.wall.unix_secs(now),
            now,
            has_told: false,
        }
    }
}

/// The logger with the present moment, for work that has borrowed other parts of the box.
pub(crate) struct Herald<'a> {
    pub(crate) logger: &'a mut Logger,
    pub(crate) zone: &'a ZoneRules,
    /// UTC seconds since 1970.
    pub(crate) unix_secs: u64,
    pub(crate) now: Instant,
    /// Whether something was told that somebody wanted to know.
    pub(crate) has_told: bool,
}

impl Herald<'_> {
    /// Tells operators something.
    pub(crate) fn tell(&mut self, message: &Message<'_>) {
        if self.logger.wants(message.id()) {
            self.has_told = true;
            self.stamped(|logger, stamp| logger.record(message, stamp));
        }
    }

    /// Tells operators something whose severity was set elsewhere.
    pub(crate) fn tell_as(&mut self, message: &Message<'_>, severity: Severity) {
        self.has_told = true;
        self.stamped(|logger, stamp| logger.record_as(message, severity, stamp));
    }

    pub(crate) fn stamped<T>(&mut self, run: impl FnOnce(&mut Logger, &Stamp<'_>) -> T) -> T {
        let unix_secs = i64::try_from(self.unix_secs).unwrap_or(i64::MAX);
        let classic = LogDate {
            rules: self.zone,
            unix_secs,
        };
        let stamp = Stamp {
            now: self.now,
            classic: &classic,
            rfc5424: &UtcDate { unix_secs },
        };
        run(self.logger, &stamp)
    }
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only asked.
    None,
    /// It did something.
    Action,
    /// It changed the configuration.
    Configuration,
}

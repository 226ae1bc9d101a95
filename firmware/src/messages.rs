//! What the box tells its operators, and when: joins the parts to [`syslog`].

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use clock::format::{LogDate, UtcDate};
use syslog::{Logger, Message, Stamp};

use crate::state::Core;

impl Core {
    /// Tells operators something, stamped with the present time.
    pub(crate) fn log(&mut self, message: &Message<'_>) {
        if self.logger.wants(message.id()) {
            self.stamped(|logger, stamp| logger.record(message, stamp));
            if self.logger.has_console_lines() {
                self.line.nudge();
            }
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

    /// Lets the logger report what it has held back, if that is due.
    pub(crate) fn poll_logger(&mut self) {
        let now = self.now();
        if self.logger.poll_timeout().is_some_and(|at| at <= now) {
            self.stamped(|logger, stamp| logger.handle_timeout(stamp));
        }
    }

    /// Tells of cables that went in or out. `changes` are ports with whether they are up.
    pub(crate) fn log_links(&mut self, changes: Vec<(u8, bool)>) {
        for (port, is_up) in changes {
            let name = self.config.interfaces.get(&u16::from(port));
            let name = name.and_then(|interface| interface.nameif.clone());
            let name: String = name.unwrap_or_else(|| alloc::format!("GigabitEthernet0/{port}"));
            let interface = name.as_str();
            self.log(&match is_up {
                true => Message::LinkUp { interface },
                false => Message::LinkDown { interface },
            });
        }
    }

    fn stamped(&mut self, run: impl FnOnce(&mut Logger, &Stamp<'_>)) {
        let now = self.now();
        let unix_secs = i64::try_from(self.wall.unix_secs(now)).unwrap_or(i64::MAX);
        let classic = LogDate {
            rules: &self.zone,
            unix_secs,
        };
        let stamp = Stamp {
            now,
            classic: &classic,
            rfc5424: &UtcDate { unix_secs },
        };
        run(&mut self.logger, &stamp);
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

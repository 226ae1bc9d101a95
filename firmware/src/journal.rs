//! What developers are told: typed events, formatted by defmt on the second serial port.
//!
//! Operators get ASA syslog and `show` commands; this is the other log. Events are values, so that
//! a simulator can assert on them and only `boot` needs to know how they leave the box.

use defmt::Format;

/// Something a developer may want to know afterwards. Carries no key, message body or address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Format)]
pub enum Event {
    /// The appliance is ready to forward.
    Ready {
        /// Microseconds since the clock was started.
        micros: u64,
        /// Network ports found.
        ports: u8,
    },
    /// A configuration was read from the disk.
    ConfigurationLoaded {
        /// Its generation.
        generation: u64,
        /// Lines that were refused.
        refused_lines: u32,
    },
    /// A configuration was written to the disk.
    ConfigurationSaved {
        /// Its generation.
        generation: u64,
    },
    /// A new policy is in force.
    PolicySwapped {
        /// Access list entries in it.
        access_list_entries: u32,
        /// Translation rules in it.
        nat_rules: u32,
    },
    /// A port's cable went in or out.
    LinkChanged {
        /// Number of the port.
        port: u8,
        /// Whether frames can pass now.
        is_up: bool,
    },
    /// A proxied session began.
    SessionOpened {
        /// Sessions there are now.
        active: u32,
    },
    /// A proxied session ended.
    SessionClosed {
        /// Sessions there are now.
        active: u32,
    },
    /// A connection to be proxied was refused.
    SessionRefused,
    /// The machine will restart as planned.
    ResetPlanned {
        /// In how many seconds.
        secs: u32,
    },
    /// The machine is about to restart.
    Resetting,
    /// The machine is about to switch off.
    PoweringOff,
}

/// Where events go.
pub trait Journal {
    /// Takes one event; must not wait.
    fn record(&mut self, event: &Event);
}

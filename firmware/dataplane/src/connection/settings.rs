//! The settings of connections as the policy gives them, and which of them a flow has.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use hal::time::Instant;

use crate::engine::DataPlane;
use crate::flow::{Direction, Flags, Flow, sequence};
use crate::policy::{AclId, Action, Interface, PortId};
use crate::wheel::{Tick, ticks};

/// A class of a service policy with `set connection` lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionClass {
    /// What it is called; its counters survive a change of policy by this name.
    pub name: String,
    /// The interface whose service policy it is; `None` for the global one.
    pub port: Option<PortId>,
    /// A connection is in the class if one of these lists permits its first packet (real
    /// addresses).
    pub acls: Vec<AclId>,
    /// Limits, times, sequence numbers and TTL, if the class sets any of them.
    pub settings: Option<ConnectionSettings>,
    /// The TCP checks, if the class sets them.
    pub checks: Option<TcpChecks>,
}

/// `set connection …`. A limit of zero is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// `conn-max`: connections of the class.
    pub most: u32,
    /// `embryonic-conn-max`: half-open ones, above which the box answers in the server's stead.
    pub most_embryonic: u32,
    /// `per-client-max`: connections of one client.
    pub most_per_client: u32,
    /// `per-client-embryonic-max`: half-open ones of one client.
    pub most_embryonic_per_client: u32,
    /// `random-sequence-number`.
    pub randomize_sequences: bool,
    /// `set connection decrement-ttl`.
    pub decrement_ttl: bool,
    /// `set connection timeout idle`; zero is never, `None` the box-wide time.
    pub idle: Option<Duration>,
    /// `… half-closed`.
    pub half_closed: Option<Duration>,
    /// `… embryonic`.
    pub embryonic: Option<Duration>,
    /// `… idle TIME reset`: both sides are told when an idle connection ends.
    pub reset: bool,
    /// `… dcd`: whether the sides of an idle connection are asked if they still live.
    pub dead_detection: Option<DeadDetection>,
}

impl Default for ConnectionSettings {
    /// As if the class set nothing.
    fn default() -> Self {
        Self {
            most: 0,
            most_embryonic: 0,
            most_per_client: 0,
            most_embryonic_per_client: 0,
            randomize_sequences: true,
            decrement_ttl: false,
            idle: None,
            half_closed: None,
            embryonic: None,
            reset: false,
            dead_detection: None,
        }
    }
}

/// `dcd RETRY-INTERVAL MAX-RETRIES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadDetection {
    /// Time between probes.
    pub interval: Duration,
    /// Probes without an answer that end the connection.
    pub retries: u8,
}

/// `set connection advanced-options`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TcpChecks {
    /// A TCP map: its place in [`Policy::tcp_maps`](crate::Policy::tcp_maps).
    Map(u8),
    /// `tcp-state-bypass`: no TCP check at all.
    Bypass,
}

/// The number of the class that a flow counts in, and of the TCP map it is checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FlowSettings {
    /// Place in [`Policy::connections`](crate::Policy::connections), or [`NO_CLASS`].
    pub(crate) class: u16,
    /// Place among the normalisers: 0 is the default, [`BYPASS`] none.
    pub(crate) normalizer: u8,
}

/// The flow is in no class with settings.
pub(crate) const NO_CLASS: u16 = u16::MAX;
/// The flow is not checked.
pub(crate) const BYPASS: u8 = u8::MAX;

impl Default for FlowSettings {
    fn default() -> Self {
        Self {
            class: NO_CLASS,
            normalizer: 0,
        }
    }
}

/// The times of a class in ticks. The outer `None` is the box-wide time, the inner one never.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClassTicks {
    pub(crate) idle: Option<Option<Tick>>,
    pub(crate) half_closed: Option<Option<Tick>>,
    pub(crate) embryonic: Option<Option<Tick>>,
}

impl ClassTicks {
    pub(crate) fn new(settings: &ConnectionSettings) -> Self {
        let in_ticks = |time: Duration| (!time.is_zero()).then(|| ticks(time));
        Self {
            idle: settings.idle.map(in_ticks),
            half_closed: settings.half_closed.map(in_ticks),
            embryonic: settings.embryonic.map(in_ticks),
        }
    }
}

impl DataPlane {
    /// The settings of a new connection about which the lists say what `decides` tells: of each kind those of the first class that matches, the
    /// classes of either interface's service policy before the global ones.
    pub(crate) fn settings_for(
        &self,
        from: &Interface,
        to: &Interface,
        decides: impl Fn(AclId) -> Option<(usize, Action)>,
    ) -> FlowSettings {
        let mut found = FlowSettings::default();
        let mut is_checked = false;
        for is_global in [false, true] {
            for (number, class) in (0..).zip(&self.policy.connections) {
                let is_new = (class.settings.is_some() && found.class == NO_CLASS)
                    || (class.checks.is_some() && !is_checked);
                if !is_new
                    || class.port.is_none() != is_global
                    || class
                        .port
                        .is_some_and(|port| port != from.port && port != to.port)
                    || !is_in_class(class, &decides)
                {
                    continue;
                }
                if class.settings.is_some() && found.class == NO_CLASS {
                    found.class = number;
                }
                if let (Some(checks), false) = (class.checks, is_checked) {
                    is_checked = true;
                    found.normalizer = match checks {
                        // Place 0 is the default's.
                        TcpChecks::Map(map) => map.saturating_add(1).min(BYPASS - 1),
                        TcpChecks::Bypass => BYPASS,
                    };
                }
            }
        }
        found
    }

    /// The settings of class `class`.
    pub(crate) fn class_settings(&self, class: u16) -> Option<&ConnectionSettings> {
        self.policy
            .connections
            .get(usize::from(class))?
            .settings
            .as_ref()
    }

    /// Chooses the sequence numbers of the side of higher security anew, unless the class of the
    /// flow forbids it.
    pub(crate) fn number_anew(&self, flow: &mut Flow, now: Instant) {
        let is_wanted = match self.class_settings(flow.class) {
            Some(settings) => settings.randomize_sequences,
            None => self.policy.randomize_sequences,
        };
        if !is_wanted || flow.flags.has(Flags::INTERCEPTED) {
            return;
        }
        let protected = if flow.flags.has(Flags::OPENED_BY_LOWER) {
            Direction::Reply
        } else {
            Direction::Forward
        };
        let offset = sequence::choose_offset(&self.sequence_key, &flow.leaving(protected), now);
        flow.offsets[protected.index()] = offset;
    }
}

/// Whether one of the lists of a class permits.
fn is_in_class(
    class: &ConnectionClass,
    decides: impl Fn(AclId) -> Option<(usize, Action)>,
) -> bool {
    class
        .acls
        .iter()
        .any(|&acl| decides(acl).is_some_and(|(_, action)| action == Action::Permit))
}

//! What the `logging` statements set, as plain data.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use crate::class::Class;
use crate::severity::Severity;

/// Default of `logging buffer-size`, in bytes.
pub const DEFAULT_BUFFER_BYTES: usize = 4096;

/// Default of `logging facility`: local4.
pub const DEFAULT_FACILITY: u8 = 20;

/// Default of `logging queue`, in messages.
pub const DEFAULT_QUEUE_LEN: u16 = 512;

/// Everything the `logging` statements set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `logging enable`.
    pub is_enabled: bool,
    /// `logging timestamp`.
    pub timestamp: Timestamp,
    /// `logging device-id`.
    pub device_id: Option<DeviceId>,
    /// `logging hide username`: names of people whose login failed are not written.
    pub hides_usernames: bool,
    /// `logging standby`.
    pub on_standby: bool,
    /// `logging debug-trace`.
    pub debug_trace: bool,
    /// `logging permit-hostdown`.
    pub permits_host_down: bool,
    /// `logging buffer-size`.
    pub buffer_bytes: usize,
    /// `logging facility`.
    pub facility: u8,
    /// `logging queue`, in messages; 0 is as many as there is room for.
    pub queue_len: u16,
    /// `logging {buffered|console|…} …`: what goes to a destination; nothing to one that is absent.
    pub destinations: BTreeMap<Destination, Filter>,
    /// `logging class`.
    pub classes: Vec<ClassFilter>,
    /// `logging list`.
    pub lists: BTreeMap<String, Vec<ListItem>>,
    /// `logging message` and `no logging message`, by number.
    pub messages: BTreeMap<u32, MessageSetting>,
    /// `logging rate-limit`.
    pub rate_limits: Vec<RateLimit>,
    /// `logging host`.
    pub hosts: Vec<Host>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            is_enabled: false,
            timestamp: Timestamp::Off,
            device_id: None,
            hides_usernames: true,
            on_standby: false,
            debug_trace: false,
            permits_host_down: false,
            buffer_bytes: DEFAULT_BUFFER_BYTES,
            facility: DEFAULT_FACILITY,
            queue_len: DEFAULT_QUEUE_LEN,
            destinations: BTreeMap::new(),
            classes: Vec::new(),
            lists: BTreeMap::new(),
            messages: BTreeMap::new(),
            rate_limits: Vec::new(),
            hosts: Vec::new(),
        }
    }
}

/// Whether and how lines begin with the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Timestamp {
    /// They do not.
    #[default]
    Off,
    /// `Nov 23 2021 04:25:10`, local time.
    Classic,
    /// `2021-11-23T04:25:10Z`, UTC.
    Rfc5424,
}

/// What the box calls itself in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceId {
    /// Where the name comes from.
    pub source: DeviceIdSource,
    /// The name.
    pub text: String,
}

/// Where the name of the box in messages comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceIdSource {
    /// `hostname`.
    Hostname,
    /// `string`.
    Text,
    /// `ipaddress`, with the interface.
    Address(String),
    /// `context-name`.
    Context,
}

/// Where messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// The serial console.
    Console,
    /// Terminals that asked for them.
    Monitor,
    /// The buffer of `show logging`.
    Buffered,
    /// Syslog servers.
    Trap,
    /// SNMP; nothing is sent yet.
    History,
    /// Mail; nothing is sent yet.
    Mail,
    /// The graphical manager; nothing is sent yet.
    Asdm,
}

impl Destination {
    /// Every destination.
    pub const ALL: [Self; 7] = [
        Self::Console,
        Self::Monitor,
        Self::Buffered,
        Self::Trap,
        Self::History,
        Self::Mail,
        Self::Asdm,
    ];

    /// The destination as one bit.
    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What goes to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// This severity and worse.
    Severity(Severity),
    /// What a `logging list` of that name names.
    List(String),
}

/// `logging class CLASS DESTINATION LEVEL`: for that class instead of the destination's filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassFilter {
    /// The class.
    pub class: &'static Class,
    /// The destination.
    pub destination: Destination,
    /// This severity and worse.
    pub severity: Severity,
}

/// One line of a `logging list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListItem {
    /// `level L [class C]`.
    Level {
        /// This severity and worse.
        severity: Severity,
        /// Only of this class.
        class: Option<&'static Class>,
    },
    /// `message A[-B]`.
    Messages {
        /// First number.
        first: u32,
        /// Last number.
        last: u32,
    },
}

/// What is changed about one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageSetting {
    /// `no logging message N`.
    pub is_disabled: bool,
    /// `logging message N level L`.
    pub severity: Option<Severity>,
}

/// `logging rate-limit N SECONDS {level L | message N}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Messages let through …
    pub messages: u32,
    /// … in this many seconds.
    pub period_secs: u32,
    /// Which messages.
    pub target: RateTarget,
}

/// Which messages a rate limit holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateTarget {
    /// All of a severity together.
    Level(Severity),
    /// The message of a number.
    Message(u32),
}

/// A syslog server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Name of the interface it is behind.
    pub interface: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// How it is reached.
    pub transport: Transport,
    /// Its port.
    pub port: u16,
    /// `format emblem`.
    pub is_emblem: bool,
    /// `secure`.
    pub is_secure: bool,
}

/// How a syslog server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are named after the protocols")]
pub enum Transport {
    Tcp,
    Udp,
}

impl Settings {
    /// The severity of a message after `logging message N level L`, or `None` after
    /// `no logging message N`.
    #[must_use]
    pub fn severity_of(&self, number: u32, default: Severity) -> Option<Severity> {
        let setting = self.messages.get(&number).copied().unwrap_or_default();
        (!setting.is_disabled).then(|| setting.severity.unwrap_or(default))
    }

    /// Whether a message goes to a destination.
    #[must_use]
    pub fn wants(&self, destination: Destination, number: u32, severity: Severity) -> bool {
        if !self.is_enabled {
            return false;
        }
        let by_class = self
            .classes
            .iter()
            .find(|filter| filter.destination == destination && filter.class.contains(number));
        if let Some(filter) = by_class {
            return severity <= filter.severity;
        }
        match self.destinations.get(&destination) {
            None => false,
            Some(Filter::Severity(limit)) => severity <= *limit,
            Some(Filter::List(name)) => self
                .lists
                .get(name)
                .is_some_and(|items| items.iter().any(|item| item.matches(number, severity))),
        }
    }
}

impl ListItem {
    fn matches(&self, number: u32, severity: Severity) -> bool {
        match self {
            Self::Level {
                severity: limit,
                class,
            } => severity <= *limit && class.is_none_or(|class| class.contains(number)),
            Self::Messages { first, last } => (*first..=*last).contains(&number),
        }
    }
}

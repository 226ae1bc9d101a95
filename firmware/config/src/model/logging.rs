//! What `logging …` says: which messages go where, and what they look like.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

/// Default of `logging buffer-size`, in bytes.
pub const DEFAULT_LOG_BUFFER_BYTES: u32 = 4096;

/// Default of `logging facility`: local4.
pub const DEFAULT_LOG_FACILITY: u8 = 20;

/// Default of `logging queue`, in messages.
pub const DEFAULT_LOG_QUEUE: u16 = 512;

/// Default port of a syslog server reached by UDP (RFC 5426 §3.3).
pub const DEFAULT_LOG_UDP_PORT: u16 = 514;

/// Default port of a syslog server reached by TCP.
pub const DEFAULT_LOG_TCP_PORT: u16 = 1470;

/// Most syslog servers, as on an ASA.
pub const LOG_HOSTS_MAX: usize = 16;

/// Most lists of messages.
pub const LOG_LISTS_MAX: usize = 32;

/// Most lines of a list.
pub const LOG_LIST_ITEMS_MAX: usize = 32;

/// Most messages with a setting of their own.
pub const LOG_MESSAGES_MAX: usize = 1024;

/// Most rate limits.
pub const LOG_RATE_LIMITS_MAX: usize = 64;

/// Classes of messages, by keyword.
pub const LOG_CLASSES: [&str; 24] = [
    "auth", "bridge", "ca", "config", "dap", "eigrp", "email", "ha", "ids", "ip", "np", "ospf",
    "rip", "rm", "session", "snmp", "ssl", "svc", "sys", "vpdn", "vpn", "vpnc", "vpnlb", "webvpn",
];

/// The `logging` lines.
///
/// Severities are numbers 0 to 7, a smaller one is worse (RFC 5424 §6.2.1). Classes are keywords of
/// [`LOG_CLASSES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggingSettings {
    /// `logging enable`.
    pub is_enabled: bool,
    /// `logging timestamp`.
    pub timestamp: LogTimestamp,
    /// `logging standby`.
    pub on_standby: bool,
    /// `logging debug-trace`.
    pub debug_trace: bool,
    /// `logging hide username`: names of people who failed to log in are not written.
    pub hides_usernames: bool,
    /// `logging permit-hostdown`.
    pub permits_host_down: bool,
    /// `logging flash-bufferwrap`: a full buffer would go to a file.
    pub flash_bufferwrap: bool,
    /// `logging ftp-bufferwrap`: a full buffer would go to an FTP server.
    pub ftp_bufferwrap: bool,
    /// `logging buffer-size`, in bytes.
    pub buffer_bytes: u32,
    /// `logging facility`, 16 to 23.
    pub facility: u8,
    /// `logging queue`, in messages; 0 is as many as there is room for.
    pub queue: u16,
    /// `logging device-id`.
    pub device_id: Option<LogDeviceId>,
    /// `logging {buffered|console|…}`: what goes to a destination; nothing to an absent one.
    pub destinations: BTreeMap<LogDestination, LogFilter>,
    /// `logging class CLASS DESTINATION SEVERITY`.
    pub classes: BTreeMap<(&'static str, LogDestination), u8>,
    /// `logging list`, by name; no list is empty.
    pub lists: BTreeMap<String, Vec<LogListItem>>,
    /// `logging host`, in the order entered; an interface and an address are there once.
    pub hosts: Vec<LogHost>,
    /// `logging message` and `no logging message`, by number; nothing is at its default.
    pub messages: BTreeMap<u32, LogMessage>,
    /// `logging rate-limit`.
    pub rate_limits: BTreeMap<LogRateTarget, LogRate>,
}

impl Default for LoggingSettings {
    fn default() -> Self {
        Self {
            is_enabled: false,
            timestamp: LogTimestamp::Off,
            on_standby: false,
            debug_trace: false,
            hides_usernames: true,
            permits_host_down: false,
            flash_bufferwrap: false,
            ftp_bufferwrap: false,
            buffer_bytes: DEFAULT_LOG_BUFFER_BYTES,
            facility: DEFAULT_LOG_FACILITY,
            queue: DEFAULT_LOG_QUEUE,
            device_id: None,
            destinations: BTreeMap::new(),
            classes: BTreeMap::new(),
            lists: BTreeMap::new(),
            hosts: Vec::new(),
            messages: BTreeMap::new(),
            rate_limits: BTreeMap::new(),
        }
    }
}

impl LoggingSettings {
    /// The destination that the list `name` chooses the messages of.
    #[must_use]
    pub fn destination_of_list(&self, name: &str) -> Option<LogDestination> {
        let mut destinations = self.destinations.iter();
        destinations
            .find(|(_, filter)| matches!(filter, LogFilter::List(used) if used == name))
            .map(|(destination, _)| *destination)
    }
}

/// Whether and how messages begin with the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogTimestamp {
    /// They do not.
    #[default]
    Off,
    /// Local time in ASA's classic form.
    Classic,
    /// UTC in the form of RFC 5424.
    Rfc5424,
}

/// What the box calls itself in messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogDeviceId {
    /// `hostname`.
    Hostname,
    /// `ipaddress IFC`: the address of that interface.
    Address(String),
    /// `string TEXT`.
    Text(String),
    /// `context-name`.
    Context,
}

/// Where messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogDestination {
    /// The serial console.
    Console,
    /// Terminals that asked for them.
    Monitor,
    /// The buffer of `show logging`.
    Buffered,
    /// Syslog servers.
    Trap,
    /// SNMP.
    History,
    /// The graphical manager.
    Asdm,
    /// Mail.
    Mail,
}

impl LogDestination {
    /// Every destination, in the order of the printed text.
    pub const ALL: [Self; 7] = [
        Self::Console,
        Self::Monitor,
        Self::Buffered,
        Self::Trap,
        Self::History,
        Self::Asdm,
        Self::Mail,
    ];

    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Monitor => "monitor",
            Self::Buffered => "buffered",
            Self::Trap => "trap",
            Self::History => "history",
            Self::Asdm => "asdm",
            Self::Mail => "mail",
        }
    }
}

/// What goes to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogFilter {
    /// This severity and worse.
    Severity(u8),
    /// What the list of that name names.
    List(String),
}

/// One line of a `logging list`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogListItem {
    /// `level SEVERITY [class CLASS]`.
    Level {
        /// This severity and worse.
        severity: u8,
        /// Only of this class.
        class: Option<&'static str>,
    },
    /// `message FIRST[-LAST]`.
    Messages {
        /// First number.
        first: u32,
        /// Last number.
        last: u32,
    },
}

/// A syslog server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogHost {
    /// Name of the interface it is behind.
    pub interface: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// How it is reached.
    pub transport: LogTransport,
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
pub enum LogTransport {
    Tcp,
    Udp,
}

impl LogTransport {
    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// The port unless one is configured.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Tcp => DEFAULT_LOG_TCP_PORT,
            Self::Udp => DEFAULT_LOG_UDP_PORT,
        }
    }
}

/// What is changed about one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogMessage {
    /// `no logging message N`.
    pub is_disabled: bool,
    /// `logging message N level SEVERITY`.
    pub severity: Option<u8>,
}

/// Which messages a rate limit holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogRateTarget {
    /// All of a severity together.
    Level(u8),
    /// The message of a number.
    Message(u32),
}

/// `logging rate-limit MESSAGES SECONDS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRate {
    /// Messages let through …
    pub messages: u32,
    /// … in this many seconds.
    pub period_secs: u32,
}

//! What a class asks of its connections, and the TCP checks it may choose.

use alloc::collections::BTreeMap;
use alloc::string::String;

/// The `set connection` lines of a class. What is not set is as for every other connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionActions {
    /// The limits, by [`ConnectionLimit`]; zero is none.
    pub limits: BTreeMap<ConnectionLimit, u32>,
    /// `random-sequence-number {enable|disable}`.
    pub random_sequence_number: Option<bool>,
    /// `timeout embryonic TIME`, in seconds; zero is never.
    pub embryonic_secs: Option<u32>,
    /// `timeout half-closed TIME`, in seconds; zero is never.
    pub half_closed_secs: Option<u32>,
    /// `timeout idle TIME`, in seconds; zero is never.
    pub idle_secs: Option<u32>,
    /// `timeout idle TIME reset`.
    pub idle_reset: bool,
    /// `timeout dcd`.
    pub dead_detection: Option<DeadDetection>,
    /// `decrement-ttl`.
    pub decrement_ttl: bool,
    /// `advanced-options`.
    pub advanced: Option<AdvancedOptions>,
}

impl ConnectionActions {
    /// Whether anything but the TCP checks is set.
    #[must_use]
    pub fn has_settings(&self) -> bool {
        *self
            != Self {
                advanced: self.advanced.clone(),
                ..Self::default()
            }
    }
}

/// A limit on the connections of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum ConnectionLimit {
    ConnMax,
    EmbryonicConnMax,
    PerClientMax,
    PerClientEmbryonicMax,
}

impl ConnectionLimit {
    /// Every limit in the order of printing.
    pub const ALL: [Self; 4] = [
        Self::ConnMax,
        Self::EmbryonicConnMax,
        Self::PerClientMax,
        Self::PerClientEmbryonicMax,
    ];

    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::ConnMax => "conn-max",
            Self::EmbryonicConnMax => "embryonic-conn-max",
            Self::PerClientMax => "per-client-max",
            Self::PerClientEmbryonicMax => "per-client-embryonic-max",
        }
    }
}

/// `dcd [RETRY-INTERVAL [MAX-RETRIES]]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadDetection {
    /// Seconds between probes.
    pub interval_secs: u32,
    /// Probes without an answer that end the connection.
    pub retries: u8,
}

impl Default for DeadDetection {
    fn default() -> Self {
        Self {
            interval_secs: 15,
            retries: 5,
        }
    }
}

/// `set connection advanced-options`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdvancedOptions {
    /// A `tcp-map`.
    Map(String),
    /// `tcp-state-bypass`.
    StateBypass,
}

/// `tcp-map NAME`: how TCP segments are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpMap {
    /// `checksum-verification`.
    pub checksum_verification: bool,
    /// `ttl-evasion-protection`.
    pub ttl_evasion_protection: bool,
    /// The checks that are decided by a word, where they are not at their default.
    pub checks: BTreeMap<TcpCheck, Treatment>,
    /// `tcp-options`: the kinds that are not treated by default.
    pub options: BTreeMap<u8, Treatment>,
    /// `queue-limit PACKETS [timeout SECONDS]`; kept only.
    pub queue_limit: Option<(u8, Option<u8>)>,
}

impl Default for TcpMap {
    fn default() -> Self {
        Self {
            checksum_verification: false,
            ttl_evasion_protection: true,
            checks: BTreeMap::new(),
            options: BTreeMap::new(),
            queue_limit: None,
        }
    }
}

impl TcpMap {
    /// The TCP option kinds with a keyword.
    pub const OPTION_NAMES: [(&'static str, u8); 5] = [
        ("mss", 2),
        ("window-scale", 3),
        ("selective-ack", 4),
        ("timestamp", 8),
        ("md5", 19),
    ];

    /// What happens to segments that a check is about.
    #[must_use]
    pub fn check(&self, check: TcpCheck) -> Treatment {
        self.checks
            .get(&check)
            .copied()
            .unwrap_or(check.default_treatment())
    }

    /// What happens to segments with an option of `kind`.
    #[must_use]
    pub fn option(&self, kind: u8) -> Treatment {
        self.options
            .get(&kind)
            .copied()
            .unwrap_or(Self::default_option(kind))
    }

    /// What happens to an option unless the map says otherwise.
    #[must_use]
    pub const fn default_option(kind: u8) -> Treatment {
        match kind {
            0..=5 | 8 => Treatment::Allow,
            _ => Treatment::Clear,
        }
    }
}

/// A check of a `tcp-map` that is decided by a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum TcpCheck {
    ExceedMss,
    InvalidAck,
    ReservedBits,
    SeqPastWindow,
    SynackData,
    SynData,
    UrgentFlag,
    WindowVariation,
}

impl TcpCheck {
    /// Every check in the order of printing.
    pub const ALL: [Self; 8] = [
        Self::ExceedMss,
        Self::InvalidAck,
        Self::ReservedBits,
        Self::SeqPastWindow,
        Self::SynackData,
        Self::SynData,
        Self::UrgentFlag,
        Self::WindowVariation,
    ];

    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::ExceedMss => "exceed-mss",
            Self::InvalidAck => "invalid-ack",
            Self::ReservedBits => "reserved-bits",
            Self::SeqPastWindow => "seq-past-window",
            Self::SynackData => "synack-data",
            Self::SynData => "syn-data",
            Self::UrgentFlag => "urgent-flag",
            Self::WindowVariation => "window-variation",
        }
    }

    /// What happens unless a map says otherwise.
    #[must_use]
    pub const fn default_treatment(self) -> Treatment {
        match self {
            Self::ExceedMss | Self::ReservedBits | Self::SynData | Self::WindowVariation => {
                Treatment::Allow
            }
            Self::InvalidAck | Self::SeqPastWindow | Self::SynackData => Treatment::Drop,
            Self::UrgentFlag => Treatment::Clear,
        }
    }
}

/// What happens to a segment with something unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum Treatment {
    Allow,
    Clear,
    Drop,
}

impl Treatment {
    /// Every treatment.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Clear, Self::Drop];

    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Clear => "clear",
            Self::Drop => "drop",
        }
    }
}

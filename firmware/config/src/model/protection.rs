//! What is done about fragments, forged sources and rates of drops.

use alloc::vec::Vec;

/// `fragment {size|chain|timeout|reassembly}` of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentSettings {
    /// Most fragments that wait for the rest of their datagram.
    pub size: u16,
    /// Most fragments of a datagram.
    pub chain: u16,
    /// How long the rest of a datagram may take, in seconds.
    pub timeout_secs: u8,
    /// Whether datagrams go on whole instead of as the fragments they came in.
    pub is_full: bool,
}

impl FragmentSettings {
    /// The factory setting.
    pub const DEFAULT: Self = Self {
        size: 200,
        chain: 24,
        timeout_secs: 5,
        is_full: false,
    };
}

impl Default for FragmentSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What drops are counted together as one kind of threat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ThreatClass {
    /// `acl-drop`: refused by access lists.
    AclDrop,
    /// `bad-packet-drop`: malformed.
    BadPacketDrop,
    /// `conn-limit-drop`: limits of connections, also of the box.
    ConnLimitDrop,
    /// `dos-drop`: attacks on services.
    DosDrop,
    /// `fw-drop`: everything the firewall refuses.
    FwDrop,
    /// `icmp-drop`: suspicious ICMP.
    IcmpDrop,
    /// `inspect-drop`: refused by inspection.
    InspectDrop,
    /// `interface-drop`: everything dropped.
    InterfaceDrop,
    /// `scanning-threat`: looking for what is open.
    ScanningThreat,
    /// `syn-attack`: connections that are never completed.
    SynAttack,
}

impl ThreatClass {
    /// Every class, in the order of the keywords.
    pub const ALL: [Self; 10] = [
        Self::AclDrop,
        Self::BadPacketDrop,
        Self::ConnLimitDrop,
        Self::DosDrop,
        Self::FwDrop,
        Self::IcmpDrop,
        Self::InspectDrop,
        Self::InterfaceDrop,
        Self::ScanningThreat,
        Self::SynAttack,
    ];

    /// The keyword.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::AclDrop => "acl-drop",
            Self::BadPacketDrop => "bad-packet-drop",
            Self::ConnLimitDrop => "conn-limit-drop",
            Self::DosDrop => "dos-drop",
            Self::FwDrop => "fw-drop",
            Self::IcmpDrop => "icmp-drop",
            Self::InspectDrop => "inspect-drop",
            Self::InterfaceDrop => "interface-drop",
            Self::ScanningThreat => "scanning-threat",
            Self::SynAttack => "syn-attack",
        }
    }

    /// The factory's rates: average and burst, drops a second, over ten minutes and over an hour.
    #[must_use]
    pub const fn default_rates(self) -> [ThreatRate; 2] {
        let (average, burst) = match self {
            Self::BadPacketDrop | Self::ConnLimitDrop | Self::DosDrop | Self::IcmpDrop => {
                (100, 400)
            }
            Self::ScanningThreat => (5, 10),
            Self::SynAttack => (100, 200),
            Self::AclDrop => (400, 800),
            Self::FwDrop | Self::InspectDrop => (400, 1600),
            Self::InterfaceDrop => (2000, 8000),
        };
        [
            ThreatRate {
                class: self,
                interval_secs: 600,
                average,
                burst,
            },
            // Four fifths over the longer time.
            ThreatRate {
                class: self,
                interval_secs: 3600,
                average: average * 4 / 5,
                burst: burst * 4 / 5,
            },
        ]
    }
}

/// `threat-detection rate CLASS rate-interval S average-rate N burst-rate N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreatRate {
    /// What is counted.
    pub class: ThreatClass,
    /// Over how long the average is taken, in seconds.
    pub interval_secs: u32,
    /// Most drops a second on average.
    pub average: u32,
    /// Most drops a second for a short time.
    pub burst: u32,
}

/// Most configured rates of a class.
pub const THREAT_RATES_MAX: usize = 3;

/// `threat-detection`, as far as it does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreatSettings {
    /// `threat-detection basic-threat`.
    pub is_basic_on: bool,
    /// Configured rates, by class and interval. One with the interval of a default replaces it.
    pub rates: Vec<ThreatRate>,
}

impl ThreatSettings {
    /// The rates in force for a class: the configured ones and the defaults they do not replace, the
    /// shortest interval first.
    #[must_use]
    pub fn rates_of(&self, class: ThreatClass) -> Vec<ThreatRate> {
        let mut rates: Vec<ThreatRate> = self
            .rates
            .iter()
            .filter(|rate| rate.class == class)
            .copied()
            .collect();
        for default in class.default_rates() {
            if rates
                .iter()
                .all(|rate| rate.interval_secs != default.interval_secs)
            {
                rates.push(default);
            }
        }
        rates.sort_by_key(|rate| rate.interval_secs);
        rates
    }
}

impl Default for ThreatSettings {
    /// Basic detection is on.
    fn default() -> Self {
        Self {
            is_basic_on: true,
            rates: Vec::new(),
        }
    }
}

//! Settings of the box itself: time, passwords, banners, idle times, and lines that are only kept.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use core::net::Ipv4Addr;

/// `clock timezone` and `clock summer-time`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClockSettings {
    /// The zone; `None` is UTC.
    pub timezone: Option<TimeZone>,
    /// Summer time; `None` is never.
    pub summer_time: Option<SummerTime>,
}

/// `clock timezone NAME [-]HOURS [MINUTES]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeZone {
    /// The abbreviation shown with times.
    pub name: String,
    /// Minutes east of UTC.
    pub offset_mins: i16,
}

/// `clock summer-time NAME …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummerTime {
    /// The abbreviation shown with times.
    pub name: String,
    /// When it holds.
    pub rule: SummerRule,
    /// Minutes the clock is put forward, 1 to 1440; 60 unless said otherwise.
    pub offset_mins: u16,
}

/// When summer time begins and ends, in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SummerRule {
    /// Every year.
    Recurring {
        /// First moment of summer time.
        start: YearlyMoment,
        /// First moment after it.
        end: YearlyMoment,
    },
    /// Once.
    Date {
        /// First moment of summer time.
        start: DatedMoment,
        /// First moment after it.
        end: DatedMoment,
    },
}

impl SummerRule {
    /// What `recurring` without dates means: the rule of the United States since 2007.
    pub const DEFAULT: Self = Self::Recurring {
        start: YearlyMoment {
            week: Week::Nth(2),
            weekday: 0,
            month: 3,
            hour: 2,
            minute: 0,
        },
        end: YearlyMoment {
            week: Week::First,
            weekday: 0,
            month: 11,
            hour: 2,
            minute: 0,
        },
    };
}

/// `WEEK WEEKDAY MONTH HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YearlyMoment {
    /// Which of the weekdays in the month.
    pub week: Week,
    /// 0 is Sunday, 6 is Saturday.
    pub weekday: u8,
    /// 1 to 12.
    pub month: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// `1`–`4`, `first` or `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Week {
    /// `first`, the same as 1.
    First,
    /// By number, 1 to 4.
    Nth(u8),
    /// `last`.
    Last,
}

/// `DAY MONTH YEAR HH:MM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatedMoment {
    /// 1993 to 2099.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

/// The `ntp …` lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NtpSettings {
    /// `ntp authenticate`.
    pub authenticate: bool,
    /// `ntp authentication-key ID ALGORITHM KEY`.
    pub keys: BTreeMap<u32, NtpKey>,
    /// `ntp trusted-key ID`.
    pub trusted_keys: BTreeSet<u32>,
    /// `ntp server IP …`.
    pub servers: BTreeMap<Ipv4Addr, NtpServer>,
}

impl NtpSettings {
    /// Forgets every shared key, and that servers were asked with one. The servers stay.
    pub fn forget_keys(&mut self) {
        for (_, key) in core::mem::take(&mut self.keys) {
            let mut secret = zeroize::Zeroizing::new(key.secret);
            secret.clear();
        }
        self.trusted_keys.clear();
        self.authenticate = false;
        for server in self.servers.values_mut() {
            server.key = None;
        }
    }
}

/// A shared key of an NTP server.
#[derive(Clone, PartialEq, Eq)]
pub struct NtpKey {
    /// The algorithm.
    pub algorithm: NtpAlgorithm,
    /// The key as typed; shown as `*****` by `show running-config`.
    pub secret: String,
}

impl core::fmt::Debug for NtpKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("NtpKey")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// Algorithms of NTP keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum NtpAlgorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
    Cmac,
}

impl NtpAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha256,
        Self::Sha512,
        Self::Cmac,
    ];

    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
            Self::Cmac => "cmac",
        }
    }
}

/// One `ntp server` line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NtpServer {
    /// `key ID`.
    pub key: Option<u32>,
    /// `source NAMEIF`.
    pub source: Option<String>,
    /// `prefer`.
    pub prefer: bool,
}

/// When a banner is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BannerKind {
    /// Before privileged work begins.
    Exec,
    /// Before the login prompt.
    Login,
    /// On connecting.
    Motd,
    /// In the graphical manager; kept only.
    Asdm,
}

impl BannerKind {
    /// Every kind in the order of printing.
    pub const ALL: [Self; 4] = [Self::Exec, Self::Login, Self::Motd, Self::Asdm];

    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Exec => "exec",
            Self::Login => "login",
            Self::Motd => "motd",
            Self::Asdm => "asdm",
        }
    }
}

/// A timer of the `timeout` command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum Timer {
    Xlate,
    PatXlate,
    Conn,
    HalfClosed,
    Udp,
    Sctp,
    Icmp,
    Sunrpc,
    H323,
    H225,
    Mgcp,
    MgcpPat,
    Sip,
    SipMedia,
    SipInvite,
    SipDisconnect,
    SipProvisionalMedia,
    Uauth,
    TcpProxyReassembly,
    FloatingConn,
    ConnHolddown,
    IgpStaleRoute,
}

/// How a timer is written and which values it takes.
#[derive(Clone, Copy, Debug)]
pub struct TimerRow {
    /// The timer.
    pub timer: Timer,
    /// Its keyword.
    pub keyword: &'static str,
    /// Its value unless configured.
    pub default_secs: u32,
    /// Smallest value accepted besides 0.
    pub min_secs: u32,
    /// Largest value accepted.
    pub max_secs: u32,
    /// Whether 0 (never) is accepted.
    pub zero_allowed: bool,
    /// Which `timeout` line it is printed in.
    pub line: u8,
}

/// Longest time any timer takes: 1193 hours.
pub const TIMER_MAX_SECS: u32 = 1193 * 3600;

impl TimerRow {
    const fn at_most(self, max_secs: u32) -> Self {
        Self { max_secs, ..self }
    }
}

impl Timer {
    /// Every timer in the order of printing.
    pub const ROWS: [TimerRow; 22] = {
        const fn row(
            timer: Timer,
            keyword: &'static str,
            default_secs: u32,
            min_secs: u32,
            zero_allowed: bool,
            line: u8,
        ) -> TimerRow {
            TimerRow {
                timer,
                keyword,
                default_secs,
                min_secs,
                max_secs: TIMER_MAX_SECS,
                zero_allowed,
                line,
            }
        }
        [
            row(Self::Xlate, "xlate", 10_800, 60, false, 0),
            row(Self::PatXlate, "pat-xlate", 30, 30, false, 1).at_most(300),
            row(Self::Conn, "conn", 3_600, 300, true, 2),
            row(Self::HalfClosed, "half-closed", 600, 30, true, 2),
            row(Self::Udp, "udp", 120, 60, true, 2),
            row(Self::Sctp, "sctp", 120, 60, true, 2),
            row(Self::Icmp, "icmp", 2, 2, false, 2),
            row(Self::Sunrpc, "sunrpc", 600, 60, true, 3),
            row(Self::H323, "h323", 300, 0, true, 3),
            row(Self::H225, "h225", 3_600, 0, true, 3),
            row(Self::Mgcp, "mgcp", 300, 0, true, 3),
            row(Self::MgcpPat, "mgcp-pat", 300, 30, true, 3),
            row(Self::Sip, "sip", 1_800, 300, true, 4),
            row(Self::SipMedia, "sip_media", 120, 60, true, 4),
            row(Self::SipInvite, "sip-invite", 180, 60, true, 4).at_most(1_800),
            row(Self::SipDisconnect, "sip-disconnect", 120, 1, false, 4).at_most(600),
            row(
                Self::SipProvisionalMedia,
                "sip-provisional-media",
                120,
                60,
                false,
                5,
            )
            .at_most(1_800),
            row(Self::Uauth, "uauth", 300, 0, true, 5),
            row(
                Self::TcpProxyReassembly,
                "tcp-proxy-reassembly",
                60,
                10,
                true,
                6,
            ),
            row(Self::FloatingConn, "floating-conn", 0, 30, true, 7),
            row(Self::ConnHolddown, "conn-holddown", 15, 0, true, 8).at_most(15),
            row(Self::IgpStaleRoute, "igp stale-route", 70, 10, true, 9).at_most(100),
        ]
    };

    /// How the timer is written and which values it takes.
    #[must_use]
    pub fn row(self) -> &'static TimerRow {
        // The enum and the table list the timers in the same order; a test holds them together.
        const { &Self::ROWS }
            .get(self as usize)
            .unwrap_or(const { &Self::ROWS[0] })
    }
}

/// The values of all timers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    changed: BTreeMap<Timer, u32>,
}

impl Timeouts {
    /// Seconds of `timer`; 0 means never, where the timer allows that.
    #[must_use]
    pub fn secs(&self, timer: Timer) -> u32 {
        self.changed
            .get(&timer)
            .copied()
            .unwrap_or(timer.row().default_secs)
    }

    /// Sets `timer`, in seconds; the range is the caller's to check.
    pub(crate) fn set(&mut self, timer: Timer, secs: u32) {
        if secs == timer.row().default_secs {
            self.changed.remove(&timer);
        } else {
            self.changed.insert(timer, secs);
        }
    }
}

/// Lines that are kept and printed and change nothing else, by the keyword they begin with.
///
/// The inner key is what makes a line one setting: a later line with the same key replaces it.
pub type KeptLines = BTreeMap<&'static str, BTreeMap<String, String>>;

//! The typed configuration: plain data, changed only through [`apply`](crate::apply).
//!
//! | Module | Holds |
//! | --- | --- |
//! | `address` | subnets and ranges |
//! | `interface` | ports and routes |
//! | `interface_id` | which interface is meant |
//! | `ipv6` | IPv6 of ports, and its routes |
//! | `logging` | which messages go where |
//! | `named` | the map that keeps the order of creation |
//! | `object` | named addresses and services, groups |
//! | `number_group` | groups of protocols and ICMP types |
//! | `time_range` | when rules are in force |
//! | `access` | access lists and their bindings |
//! | `nat` | translation rules |
//! | `xlate` | which translations end with their connection |
//! | `policy` | class maps, policy maps, TLS proxies, SSL settings |
//! | `protection` | fragments, forged sources, rates of drops |
//! | `pki` | trustpoints and certificates |
//! | `system` | time, passwords, banners, idle times, kept lines |
//! | `users` | local users and how they log in |
//! | `resolve` | what names stand for, rules in the order of matching |

mod access;
mod address;
mod connection;
mod interface;
mod interface_id;
mod ipv6;
mod logging;
mod named;
mod nat;
mod number_group;
mod object;
mod pki;
mod policy;
mod protection;
mod resolve;
mod system;
mod time_range;
mod users;
mod xlate;

pub use access::{
    AccessGroupPlace, AccessLine, AccessList, AccessRule, Action, AddressMatch, IcmpRule,
    PortSelect, RuleLog, RuleService,
};
pub use address::{AddressRange, Subnet};
pub use connection::{
    AdvancedOptions, ConnectionActions, ConnectionLimit, DeadDetection, TcpCheck, TcpMap, Treatment,
};
pub use interface::{DEFAULT_MTU, Duplex, Interface, Route, Speed};
pub use interface_id::{EnginePort, InterfaceId, SUBINTERFACES_MAX};
pub use ipv6::{
    AddressRange6, AdvertisedPrefix6, DEFAULT_PREFIX_PREFERRED_SECS, DEFAULT_PREFIX_VALID_SECS,
    IcmpRule6, Port6, PortAddress6, Prefix6, Route6,
};
pub use logging::{
    DEFAULT_LOG_BUFFER_BYTES, DEFAULT_LOG_FACILITY, DEFAULT_LOG_QUEUE, DEFAULT_LOG_TCP_PORT,
    DEFAULT_LOG_UDP_PORT, LOG_CLASSES, LOG_HOSTS_MAX, LOG_LIST_ITEMS_MAX, LOG_LISTS_MAX,
    LOG_MESSAGES_MAX, LOG_RATE_LIMITS_MAX, LogDestination, LogDeviceId, LogFilter, LogHost,
    LogListItem, LogMessage, LogRate, LogRateTarget, LogTimestamp, LogTransport, LoggingSettings,
};
pub use named::Named;
pub use nat::{
    AutoNat, AutoNatKind, DynamicMapping, ManualDestination, ManualMapped, ManualNat,
    ManualService, ManualSource, MappedAddress, NatInterfaces, PatPool, PortTranslation,
    RealAddress,
};
pub use number_group::{NumberGroup, NumberKind, NumberMember};
pub use object::{
    GroupTransport, IcmpMatch, NetworkGroup, NetworkMember, NetworkObject, ObjectAddress,
    PortMatch, Service, ServiceGroup, ServiceMember, ServiceObject, Transport,
};
pub use pki::{
    Certificate, ClientType, Enrollment, Fqdn, RevocationMethod, Trustpoint, ValidationUsage,
};
pub use policy::{
    CLASS_DEFAULT, CipherSuite, ClassMap, ClassMatch, InspectEngine, InspectMap, InspectMapKind,
    Inspection, PolicyClass, PolicyMap, PolicyPlace, SipSettings, SslCipherLevel, SslCipherScope,
    SslSettings, TlsProxy, TlsVersion,
};
pub use protection::{FragmentSettings, THREAT_RATES_MAX, ThreatClass, ThreatRate, ThreatSettings};
pub use resolve::{MatchedAddresses, RuleMatch};
pub use system::{
    BannerKind, ClockSettings, DatedMoment, KeptLines, NtpAlgorithm, NtpKey, NtpServer,
    NtpSettings, SummerRule, SummerTime, TIMER_MAX_SECS, TimeZone, Timeouts, Timer, TimerRow, Week,
    YearlyMoment,
};
pub use time_range::{AbsoluteTime, DayTime, Days, Period, TimeRange};

pub use users::{
    AccessSettings, DEFAULT_LOGIN_HISTORY_DAYS, DEFAULT_PRIVILEGE, ServiceType, USERS_MAX, User,
};

pub use xlate::{PerSessionRule, XlateAddress};

use crate::password::PasswordHash;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// The host name of a box nobody has named.
pub const FACTORY_HOSTNAME: &str = "sallyport";

/// Default number of lines between two `<--- More --->`.
pub const DEFAULT_PAGER_LINES: u32 = 24;

/// Default width of the terminal in columns.
pub const DEFAULT_TERMINAL_WIDTH: u16 = 80;

/// Default age at which a neighbour entry is asked for again, in seconds.
pub const DEFAULT_ARP_TIMEOUT_SECS: u32 = 14_400;

/// Default ceiling of the segment size announced in forwarded SYNs, in bytes.
pub const DEFAULT_TCP_MSS: u16 = 1380;

/// Whether lost passwords can be removed unless told otherwise.
pub const DEFAULT_PASSWORD_RECOVERY: bool = true;

/// Default number of concurrent TLS proxy sessions.
pub const DEFAULT_TLS_PROXY_SESSIONS: u32 = 300;

/// The whole running configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `hostname NAME`.
    pub hostname: String,
    /// `domain-name NAME`.
    pub domain_name: Option<String>,
    /// `enable password HASH pbkdf2`; `None` until one is set.
    pub enable_password: Option<PasswordHash>,
    /// `enable password HASH level N pbkdf2` for levels below 15.
    pub enable_level_passwords: BTreeMap<u8, PasswordHash>,
    /// `service password-recovery`: a break while the box starts removes the passwords; otherwise it
    /// offers nothing but to erase all.
    pub password_recovery: bool,
    /// `xlate per-session …`, in order of matching; the built-in rules follow.
    pub per_session: Vec<PerSessionRule>,
    /// `names`.
    pub names: bool,
    /// The ports, whose set is the hardware's and never changes, and their subinterfaces.
    pub interfaces: BTreeMap<InterfaceId, Interface>,
    /// `banner KIND LINE`.
    pub banners: BTreeMap<BannerKind, Vec<String>>,
    /// `ftp mode passive`.
    pub ftp_mode_passive: bool,
    /// `clock timezone` and `clock summer-time`.
    pub clock: ClockSettings,
    /// `time-range`.
    pub time_ranges: Named<TimeRange>,
    /// `same-security-traffic permit inter-interface`.
    pub same_security_inter: bool,
    /// `same-security-traffic permit intra-interface`.
    pub same_security_intra: bool,
    /// `object network`.
    pub network_objects: Named<NetworkObject>,
    /// `object service`.
    pub service_objects: Named<ServiceObject>,
    /// `object-group network`.
    pub network_groups: Named<NetworkGroup>,
    /// `object-group service`.
    pub service_groups: Named<ServiceGroup>,
    /// `object-group protocol`.
    pub protocol_groups: Named<NumberGroup>,
    /// `object-group icmp-type`.
    pub icmp_groups: Named<NumberGroup>,
    /// `access-list`.
    pub access_lists: Named<AccessList>,
    /// `pager lines N`; 0 is off.
    pub pager_lines: u32,
    /// `terminal width N`.
    pub terminal_width: u16,
    /// `logging`.
    pub logging: LoggingSettings,
    /// `icmp {permit|deny} …` in order; an interface without lines answers everybody.
    pub icmp_rules: Vec<IcmpRule>,
    /// `arp timeout SECS`.
    pub arp_timeout_secs: u32,
    /// Section 1 of the translation rules, in order of matching.
    pub nat_before: Vec<ManualNat>,
    /// Section 3 (`after-auto`), in order of matching.
    pub nat_after: Vec<ManualNat>,
    /// `access-group`: the list bound at each place.
    pub access_groups: BTreeMap<AccessGroupPlace, String>,
    /// `route`, in the order entered.
    pub routes: Vec<Route>,
    /// `ipv6 route`, in the order entered.
    pub routes6: Vec<Route6>,
    /// `ipv6 icmp {permit|deny} …` in order; an interface without lines answers everybody.
    pub icmp_rules6: Vec<IcmpRule6>,
    /// `timeout`.
    pub timeouts: Timeouts,
    /// `sysopt connection tcpmss N`; 0 is off.
    pub tcp_mss: u16,
    /// `crypto ca trustpoint` and `crypto ca certificate chain`.
    pub trustpoints: Named<Trustpoint>,
    /// `console timeout MINUTES`; 0 is never.
    pub console_timeout_mins: u8,
    /// `username` and `aaa`.
    pub access: AccessSettings,
    /// `tls-proxy maximum-session N`.
    pub tls_proxy_maximum_sessions: Option<u32>,
    /// `tls-proxy NAME`.
    pub tls_proxies: Named<TlsProxy>,
    /// `ntp`.
    pub ntp: NtpSettings,
    /// `ssl`.
    pub ssl: SslSettings,
    /// `tcp-map`.
    pub tcp_maps: Named<TcpMap>,
    /// `class-map`.
    pub class_maps: Named<ClassMap>,
    /// `policy-map type inspect`.
    pub inspect_maps: Named<InspectMap>,
    /// `policy-map`.
    pub policy_maps: Named<PolicyMap>,
    /// `service-policy`.
    pub service_policies: BTreeMap<PolicyPlace, String>,
    /// `threat-detection`.
    pub threats: ThreatSettings,
    /// Lines that are only kept.
    pub kept: KeptLines,
}

impl Config {
    /// The configuration of a box with `ports` network ports that nobody has configured.
    #[must_use]
    pub fn factory(ports: u16) -> Self {
        Self {
            hostname: FACTORY_HOSTNAME.into(),
            domain_name: None,
            enable_password: None,
            enable_level_passwords: BTreeMap::new(),
            password_recovery: DEFAULT_PASSWORD_RECOVERY,
            per_session: Vec::new(),
            names: true,
            interfaces: (0..ports)
                .map(|port| (InterfaceId::port(port), Interface::default()))
                .collect(),
            banners: BTreeMap::new(),
            ftp_mode_passive: true,
            clock: ClockSettings::default(),
            time_ranges: Named::new(),
            same_security_inter: false,
            same_security_intra: false,
            network_objects: Named::new(),
            service_objects: Named::new(),
            network_groups: Named::new(),
            service_groups: Named::new(),
            protocol_groups: Named::new(),
            icmp_groups: Named::new(),
            access_lists: Named::new(),
            pager_lines: DEFAULT_PAGER_LINES,
            terminal_width: DEFAULT_TERMINAL_WIDTH,
            logging: LoggingSettings::default(),
            icmp_rules: Vec::new(),
            arp_timeout_secs: DEFAULT_ARP_TIMEOUT_SECS,
            nat_before: Vec::new(),
            nat_after: Vec::new(),
            access_groups: BTreeMap::new(),
            routes: Vec::new(),
            routes6: Vec::new(),
            icmp_rules6: Vec::new(),
            timeouts: Timeouts::default(),
            tcp_mss: DEFAULT_TCP_MSS,
            trustpoints: Named::new(),
            console_timeout_mins: 0,
            access: AccessSettings::default(),
            tls_proxy_maximum_sessions: None,
            tls_proxies: Named::new(),
            ntp: NtpSettings::default(),
            ssl: SslSettings::default(),
            tcp_maps: Named::new(),
            class_maps: Named::new(),
            inspect_maps: Named::new(),
            policy_maps: Named::new(),
            service_policies: BTreeMap::new(),
            threats: ThreatSettings::default(),
            kept: KeptLines::new(),
        }
    }
}

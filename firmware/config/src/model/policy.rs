//! Which traffic gets which treatment: class maps, policy maps, TLS proxies and SSL settings.

use super::{ConnectionActions, PortMatch, Transport};
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// `class-map [match-any|match-all] NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassMap {
    /// Whether one condition suffices (`match-any`).
    pub match_any: bool,
    /// `description TEXT`.
    pub description: Option<String>,
    /// The conditions in the order entered.
    pub matches: Vec<ClassMatch>,
}

/// One `match` line of a class map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClassMatch {
    /// `match access-list NAME`.
    AccessList(String),
    /// `match port {tcp|udp} {eq P|range P P}`: destination port.
    Port {
        /// The protocol.
        transport: Transport,
        /// `eq` or `range`.
        port: PortMatch,
    },
    /// `match default-inspection-traffic`.
    DefaultInspectionTraffic,
    /// `match any`.
    Any,
}

/// `policy-map NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyMap {
    /// `description TEXT`.
    pub description: Option<String>,
    /// The classes in the order entered; the first that matches decides.
    pub classes: Vec<PolicyClass>,
}

/// `class NAME` inside a policy map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyClass {
    /// The class map, or `class-default`.
    pub class: String,
    /// The `inspect` lines by engine.
    pub inspections: BTreeMap<InspectEngine, Inspection>,
    /// The `set connection` lines.
    pub connection: ConnectionActions,
}

/// The name of the class every policy map has at its end.
pub const CLASS_DEFAULT: &str = "class-default";

/// What stands after the engine in an `inspect` line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// The inspection map.
    pub map: Option<String>,
    /// `tls-proxy NAME`; SIP only.
    pub tls_proxy: Option<String>,
}

/// An inspection engine that can be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum InspectEngine {
    Dns,
    Ftp,
    H323H225,
    H323Ras,
    Http,
    Icmp,
    IcmpError,
    IpOptions,
    Mgcp,
    Netbios,
    Pptp,
    Rsh,
    Rtsp,
    Skinny,
    Esmtp,
    Snmp,
    Sqlnet,
    Sunrpc,
    Tftp,
    Sip,
    Xdmcp,
}

impl InspectEngine {
    /// Every engine in the order of printing.
    pub const ALL: [Self; 21] = [
        Self::Dns,
        Self::Ftp,
        Self::H323H225,
        Self::H323Ras,
        Self::Http,
        Self::Icmp,
        Self::IcmpError,
        Self::IpOptions,
        Self::Mgcp,
        Self::Netbios,
        Self::Pptp,
        Self::Rsh,
        Self::Rtsp,
        Self::Skinny,
        Self::Esmtp,
        Self::Snmp,
        Self::Sqlnet,
        Self::Sunrpc,
        Self::Tftp,
        Self::Sip,
        Self::Xdmcp,
    ];

    /// The words after `inspect`.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Ftp => "ftp",
            Self::H323H225 => "h323 h225",
            Self::H323Ras => "h323 ras",
            Self::Http => "http",
            Self::Icmp => "icmp",
            Self::IcmpError => "icmp error",
            Self::IpOptions => "ip-options",
            Self::Mgcp => "mgcp",
            Self::Netbios => "netbios",
            Self::Pptp => "pptp",
            Self::Rsh => "rsh",
            Self::Rtsp => "rtsp",
            Self::Skinny => "skinny",
            Self::Esmtp => "esmtp",
            Self::Snmp => "snmp",
            Self::Sqlnet => "sqlnet",
            Self::Sunrpc => "sunrpc",
            Self::Tftp => "tftp",
            Self::Sip => "sip",
            Self::Xdmcp => "xdmcp",
        }
    }
}

/// `policy-map type inspect {sip|dns} NAME`. Both types share one name space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectMap {
    /// What the map is for.
    pub kind: InspectMapKind,
    /// `description TEXT`.
    pub description: Option<String>,
    /// Whether the `parameters` block was opened, which prints it even when it is empty.
    pub has_parameters: bool,
    /// Further lines of the `parameters` block, complete, by the setting they decide.
    pub parameters: BTreeMap<String, String>,
}

/// The two kinds of inspection map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InspectMapKind {
    /// `type inspect dns`.
    Dns,
    /// `type inspect sip`.
    Sip(SipSettings),
}

/// The settings of a SIP inspection map that the box acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SipSettings {
    /// `im`: instant messages pass; on by default.
    pub instant_messages: bool,
    /// `traffic-non-sip`: what is not SIP passes on the SIP port; on by default.
    pub traffic_non_sip: bool,
}

impl Default for SipSettings {
    fn default() -> Self {
        Self {
            instant_messages: true,
            traffic_non_sip: true,
        }
    }
}

/// Where a policy map is applied.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyPlace {
    /// `service-policy NAME global`.
    Global,
    /// `service-policy NAME interface NAMEIF`.
    Interface(String),
}

/// `tls-proxy NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsProxy {
    /// `server trust-point NAME`: the identity shown to the side that calls.
    pub server_trustpoint: Option<String>,
    /// `server authenticate-client`: asks the caller for a certificate; on by default.
    pub authenticate_client: bool,
    /// `server cipher-suite LIST`; empty means the box's own choice.
    pub server_ciphers: Vec<CipherSuite>,
    /// `client trust-point NAME`: the identity shown to the side that is called.
    pub client_trustpoint: Option<String>,
    /// `client cipher-suite LIST`; empty means the box's own choice.
    pub client_ciphers: Vec<CipherSuite>,
}

impl Default for TlsProxy {
    fn default() -> Self {
        Self {
            server_trustpoint: None,
            authenticate_client: true,
            server_ciphers: Vec::new(),
            client_trustpoint: None,
            client_ciphers: Vec::new(),
        }
    }
}

/// A cipher suite that a `cipher-suite` list can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum CipherSuite {
    Tls13Aes256GcmSha384,
    Tls13Aes128GcmSha256,
    Tls13Chacha20Poly1305Sha256,
    EcdheEcdsaAes256GcmSha384,
    EcdheEcdsaAes128GcmSha256,
    EcdheEcdsaChacha20Poly1305,
    EcdheRsaAes256GcmSha384,
    EcdheRsaAes128GcmSha256,
    EcdheRsaChacha20Poly1305,
    DheAes256Sha1,
    DheAes128Sha1,
    Aes256Sha1,
    Aes128Sha1,
    TripleDesSha1,
    DesSha1,
    Rc4Sha1,
    Rc4Md5,
    NullSha1,
}

impl CipherSuite {
    /// Every suite, strongest first.
    pub const ALL: [Self; 18] = [
        Self::Tls13Aes256GcmSha384,
        Self::Tls13Aes128GcmSha256,
        Self::Tls13Chacha20Poly1305Sha256,
        Self::EcdheEcdsaAes256GcmSha384,
        Self::EcdheEcdsaAes128GcmSha256,
        Self::EcdheEcdsaChacha20Poly1305,
        Self::EcdheRsaAes256GcmSha384,
        Self::EcdheRsaAes128GcmSha256,
        Self::EcdheRsaChacha20Poly1305,
        Self::DheAes256Sha1,
        Self::DheAes128Sha1,
        Self::Aes256Sha1,
        Self::Aes128Sha1,
        Self::TripleDesSha1,
        Self::DesSha1,
        Self::Rc4Sha1,
        Self::Rc4Md5,
        Self::NullSha1,
    ];

    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Tls13Aes256GcmSha384 => "tls13-aes256-gcm-sha384",
            Self::Tls13Aes128GcmSha256 => "tls13-aes128-gcm-sha256",
            Self::Tls13Chacha20Poly1305Sha256 => "tls13-chacha20-poly1305-sha256",
            Self::EcdheEcdsaAes256GcmSha384 => "ecdhe-ecdsa-aes256-gcm-sha384",
            Self::EcdheEcdsaAes128GcmSha256 => "ecdhe-ecdsa-aes128-gcm-sha256",
            Self::EcdheEcdsaChacha20Poly1305 => "ecdhe-ecdsa-chacha20-poly1305",
            Self::EcdheRsaAes256GcmSha384 => "ecdhe-rsa-aes256-gcm-sha384",
            Self::EcdheRsaAes128GcmSha256 => "ecdhe-rsa-aes128-gcm-sha256",
            Self::EcdheRsaChacha20Poly1305 => "ecdhe-rsa-chacha20-poly1305",
            Self::DheAes256Sha1 => "dhe-aes256-sha1",
            Self::DheAes128Sha1 => "dhe-aes128-sha1",
            Self::Aes256Sha1 => "aes256-sha1",
            Self::Aes128Sha1 => "aes128-sha1",
            Self::TripleDesSha1 => "3des-sha1",
            Self::DesSha1 => "des-sha1",
            Self::Rc4Sha1 => "rc4-sha1",
            Self::Rc4Md5 => "rc4-md5",
            Self::NullSha1 => "null-sha1",
        }
    }

    /// Whether the suite is too weak (or too old) to be negotiated; it is kept and printed only.
    #[must_use]
    pub const fn is_legacy(self) -> bool {
        matches!(
            self,
            Self::DheAes256Sha1
                | Self::DheAes128Sha1
                | Self::Aes256Sha1
                | Self::Aes128Sha1
                | Self::TripleDesSha1
                | Self::DesSha1
                | Self::Rc4Sha1
                | Self::Rc4Md5
                | Self::NullSha1
        )
    }
}

/// The `ssl …` lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SslSettings {
    /// `ssl server-version`: the oldest version accepted as server.
    pub server_version: TlsVersion,
    /// `ssl client-version`: the oldest version offered as client.
    pub client_version: TlsVersion,
    /// `ssl cipher PROTOCOL LEVEL`.
    pub ciphers: BTreeMap<SslCipherScope, SslCipherLevel>,
    /// `ssl trust-point NAME [NAMEIF]`; `None` is the box-wide one.
    pub trustpoints: BTreeMap<Option<String>, String>,
}

/// A TLS version keyword, oldest first. Versions before 1.2, the default, are kept and printed only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum TlsVersion {
    Any,
    Ssl3,
    Tls1,
    Tls11,
    #[default]
    Tls12,
    Tls13,
}

impl TlsVersion {
    /// Every version keyword, oldest first.
    pub const ALL: [Self; 6] = [
        Self::Any,
        Self::Ssl3,
        Self::Tls1,
        Self::Tls11,
        Self::Tls12,
        Self::Tls13,
    ];

    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Ssl3 => "sslv3",
            Self::Tls1 => "tlsv1",
            Self::Tls11 => "tlsv1.1",
            Self::Tls12 => "tlsv1.2",
            Self::Tls13 => "tlsv1.3",
        }
    }
}

/// Which connections an `ssl cipher` line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum SslCipherScope {
    Default,
    Tls1,
    Tls11,
    Tls12,
    Tls13,
}

impl SslCipherScope {
    /// Every scope in the order of printing.
    pub const ALL: [Self; 5] = [
        Self::Default,
        Self::Tls1,
        Self::Tls11,
        Self::Tls12,
        Self::Tls13,
    ];

    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Tls1 => "tlsv1",
            Self::Tls11 => "tlsv1.1",
            Self::Tls12 => "tlsv1.2",
            Self::Tls13 => "tlsv1.3",
        }
    }
}

/// The strength asked for in an `ssl cipher` line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum SslCipherLevel {
    All,
    Low,
    Medium,
    Fips,
    High,
    /// `custom "LIST"`: OpenSSL names, kept and printed only.
    Custom(String),
}

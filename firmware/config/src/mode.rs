//! Configuration modes: where a typed line lands.

use crate::model::InterfaceId;
use alloc::string::String;
use alloc::vec::Vec;
use cli::grammar::{ModeSet, Scope};

/// Bits of [`ModeSet`] used by the rows of this crate; all others are free for other tables.
pub const MODES: ModeSet = ((1 << 21) - 1) << FIRST_BIT;

/// Global configuration mode, the last scope of every mode here.
pub const GLOBAL: ModeSet = 1 << FIRST_BIT;
pub(crate) const INTERFACE: ModeSet = 1 << (FIRST_BIT + 1);
pub(crate) const NETWORK_OBJECT: ModeSet = 1 << (FIRST_BIT + 2);
pub(crate) const SERVICE_OBJECT: ModeSet = 1 << (FIRST_BIT + 3);
pub(crate) const NETWORK_GROUP: ModeSet = 1 << (FIRST_BIT + 4);
pub(crate) const SERVICE_GROUP: ModeSet = 1 << (FIRST_BIT + 5);
pub(crate) const TRUSTPOINT: ModeSet = 1 << (FIRST_BIT + 6);
pub(crate) const CRL: ModeSet = 1 << (FIRST_BIT + 7);
pub(crate) const CERTIFICATE_CHAIN: ModeSet = 1 << (FIRST_BIT + 8);
pub(crate) const TLS_PROXY: ModeSet = 1 << (FIRST_BIT + 9);
pub(crate) const CLASS_MAP: ModeSet = 1 << (FIRST_BIT + 10);
pub(crate) const POLICY_MAP: ModeSet = 1 << (FIRST_BIT + 11);
pub(crate) const POLICY_CLASS: ModeSet = 1 << (FIRST_BIT + 12);
pub(crate) const INSPECT_MAP: ModeSet = 1 << (FIRST_BIT + 13);
pub(crate) const INSPECT_PARAMETERS: ModeSet = 1 << (FIRST_BIT + 14);
pub(crate) const USERNAME: ModeSet = 1 << (FIRST_BIT + 15);
pub(crate) const PROTOCOL_GROUP: ModeSet = 1 << (FIRST_BIT + 16);
pub(crate) const ICMP_GROUP: ModeSet = 1 << (FIRST_BIT + 17);
pub(crate) const TIME_RANGE: ModeSet = 1 << (FIRST_BIT + 18);
pub(crate) const TCP_MAP: ModeSet = 1 << (FIRST_BIT + 19);
pub(crate) const SUBINTERFACE: ModeSet = 1 << (FIRST_BIT + 20);

const FIRST_BIT: u32 = 16;

/// The modes with their names, as the chapters of a command reference.
pub const TITLES: [(ModeSet, &str); 21] = [
    (GLOBAL, "Global configuration mode"),
    (INTERFACE, "Interface"),
    (SUBINTERFACE, "Subinterface"),
    (NETWORK_OBJECT, "Network object"),
    (SERVICE_OBJECT, "Service object"),
    (NETWORK_GROUP, "Network object group"),
    (SERVICE_GROUP, "Service object group"),
    (PROTOCOL_GROUP, "Protocol object group"),
    (ICMP_GROUP, "ICMP type object group"),
    (TIME_RANGE, "Time range"),
    (TRUSTPOINT, "Trustpoint"),
    (CRL, "Revocation lists of a trustpoint"),
    (CERTIFICATE_CHAIN, "Certificate chain"),
    (TLS_PROXY, "TLS proxy"),
    (TCP_MAP, "TCP map"),
    (CLASS_MAP, "Class map"),
    (POLICY_MAP, "Policy map"),
    (POLICY_CLASS, "Class of a policy map"),
    (INSPECT_MAP, "Inspection map"),
    (INSPECT_PARAMETERS, "Parameters of an inspection map"),
    (USERNAME, "User attributes"),
];

/// A configuration mode with what it configures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// After `configure terminal`.
    #[default]
    Global,
    /// `interface GigabitEthernet0/N`, or `GigabitEthernet0/N.M`.
    Interface(InterfaceId),
    /// `object network NAME`.
    NetworkObject(String),
    /// `object service NAME`.
    ServiceObject(String),
    /// `object-group network NAME`.
    NetworkGroup(String),
    /// `object-group service NAME`.
    ServiceGroup(String),
    /// `object-group protocol NAME`.
    ProtocolGroup(String),
    /// `object-group icmp-type NAME`.
    IcmpGroup(String),
    /// `time-range NAME`.
    TimeRange(String),
    /// `crypto ca trustpoint NAME`.
    Trustpoint(String),
    /// `crl configure` in a trustpoint.
    Crl(String),
    /// `crypto ca certificate chain NAME`.
    CertificateChain(String),
    /// `tls-proxy NAME`.
    TlsProxy(String),
    /// `tcp-map NAME`.
    TcpMap(String),
    /// `class-map NAME`.
    ClassMap(String),
    /// `policy-map NAME`.
    PolicyMap(String),
    /// `class CLASS` in a policy map.
    PolicyClass {
        /// The policy map.
        policy: String,
        /// The class.
        class: String,
    },
    /// `policy-map type inspect … NAME`.
    InspectMap(String),
    /// `parameters` in an inspection map.
    InspectParameters(String),
    /// `username NAME attributes`.
    Username(String),
}

impl Mode {
    /// What stands in the brackets of the prompt: `config-if` in `asa1(config-if)#`.
    #[must_use]
    pub const fn prompt(&self) -> &'static str {
        match self {
            Self::Global => "config",
            Self::Interface(id) if id.is_sub() => "config-subif",
            Self::Interface(_) => "config-if",
            Self::NetworkObject(_) => "config-network-object",
            Self::ServiceObject(_) => "config-service-object",
            Self::NetworkGroup(_) => "config-network-object-group",
            Self::ServiceGroup(_) => "config-service-object-group",
            Self::ProtocolGroup(_) => "config-protocol-object-group",
            Self::IcmpGroup(_) => "config-icmp-object-group",
            Self::TimeRange(_) => "config-time-range",
            Self::Trustpoint(_) => "config-ca-trustpoint",
            Self::Crl(_) => "config-ca-crl",
            Self::CertificateChain(_) => "config-cert-chain",
            Self::TlsProxy(_) => "config-tlsp",
            Self::TcpMap(_) => "config-tcp-map",
            Self::ClassMap(_) => "config-cmap",
            Self::PolicyMap(_) | Self::InspectMap(_) => "config-pmap",
            Self::PolicyClass { .. } => "config-pmap-c",
            Self::InspectParameters(_) => "config-pmap-p",
            Self::Username(_) => "config-username",
        }
    }

    /// The mode that `exit` returns to; `None` from global configuration mode.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        match self {
            Self::Global => None,
            Self::Crl(name) => Some(Self::Trustpoint(name.clone())),
            Self::PolicyClass { policy, .. } => Some(Self::PolicyMap(policy.clone())),
            Self::InspectParameters(name) => Some(Self::InspectMap(name.clone())),
            _ => Some(Self::Global),
        }
    }

    /// The scopes in which a line typed here is tried, innermost first, global mode last.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes = Vec::from([self.scope()]);
        let mut mode = self.parent();
        while let Some(outer) = mode {
            scopes.push(outer.scope());
            mode = outer.parent();
        }
        scopes
    }

    /// The mode `levels` scopes out from here.
    pub(crate) fn outer(&self, levels: usize) -> Self {
        let mut mode = self.clone();
        for _ in 0..levels {
            mode = mode.parent().unwrap_or_default();
        }
        mode
    }

    const fn scope(&self) -> Scope {
        let (modes, title) = match self {
            Self::Global => (GLOBAL, "configure"),
            Self::Interface(id) if id.is_sub() => (SUBINTERFACE, "interface"),
            Self::Interface(_) => (INTERFACE, "interface"),
            Self::NetworkObject(_) => (NETWORK_OBJECT, "network-object"),
            Self::ServiceObject(_) => (SERVICE_OBJECT, "service-object"),
            Self::NetworkGroup(_) => (NETWORK_GROUP, "network-object-group"),
            Self::ServiceGroup(_) => (SERVICE_GROUP, "service-object-group"),
            Self::ProtocolGroup(_) => (PROTOCOL_GROUP, "protocol-object-group"),
            Self::IcmpGroup(_) => (ICMP_GROUP, "icmp-object-group"),
            Self::TimeRange(_) => (TIME_RANGE, "time-range"),
            Self::Trustpoint(_) => (TRUSTPOINT, "crypto-ca-trustpoint"),
            Self::Crl(_) => (CRL, "crypto-ca-crl"),
            Self::CertificateChain(_) => (CERTIFICATE_CHAIN, "crypto-ca-cert-chain"),
            Self::TlsProxy(_) => (TLS_PROXY, "tls-proxy"),
            Self::TcpMap(_) => (TCP_MAP, "tcp-map"),
            Self::ClassMap(_) => (CLASS_MAP, "mpf-class-map"),
            Self::PolicyMap(_) => (POLICY_MAP, "mpf-policy-map"),
            Self::PolicyClass { .. } => (POLICY_CLASS, "mpf-policy-map-class"),
            Self::InspectMap(_) => (INSPECT_MAP, "mpf-policy-map"),
            Self::InspectParameters(_) => (INSPECT_PARAMETERS, "mpf-policy-map-param"),
            Self::Username(_) => (USERNAME, "username"),
        };
        Scope { modes, title }
    }
}

//! Translation rules: the one of a network object ("auto") and the free-standing ones ("manual").

use super::Transport;
use alloc::string::String;
use core::net::{Ipv4Addr, Ipv6Addr};

/// `(real,mapped)`; `None` is `any`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NatInterfaces {
    /// Where the real addresses live.
    pub real: Option<String>,
    /// Where the mapped addresses are seen.
    pub mapped: Option<String>,
}

/// The `nat` line of a network object; the real address is the object's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoNat {
    /// The interface pair.
    pub interfaces: NatInterfaces,
    /// What becomes of the address.
    pub kind: AutoNatKind,
    /// `net-to-net`, static rules only.
    pub net_to_net: bool,
    /// `dns`.
    pub dns: bool,
    /// `no-proxy-arp`, static rules only.
    pub no_proxy_arp: bool,
    /// `route-lookup`, static rules only.
    pub route_lookup: bool,
}

/// The two kinds of object translation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AutoNatKind {
    /// `static MAPPED [service …]`.
    Static {
        /// What the address becomes.
        mapped: MappedAddress,
        /// Translates only this port, if present.
        service: Option<PortTranslation>,
    },
    /// `dynamic MAPPED`.
    Dynamic(DynamicMapping),
}

/// `service {tcp|udp} REAL MAPPED`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortTranslation {
    /// The protocol.
    pub transport: Transport,
    /// The port the host listens on.
    pub real: u16,
    /// The port seen on the mapped side.
    pub mapped: u16,
}

/// The mapped side of a static object rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MappedAddress {
    /// An address; for a network, the first address of an equal network.
    Address(Ipv4Addr),
    /// An IPv6 address, likewise.
    Address6(Ipv6Addr),
    /// A network object or group.
    Object(String),
    /// The address of the mapped interface.
    Interface,
}

/// The mapped side of a dynamic rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DynamicMapping {
    /// One address shared by port; object rules only.
    Address(Ipv4Addr),
    /// A host object (shared by port), a range (one to one) or a group.
    Object {
        /// Network object or group.
        name: String,
        /// `interface`: falls back to the address of the mapped interface.
        interface_fallback: bool,
    },
    /// The address of the mapped interface, shared by port.
    Interface,
    /// `pat-pool`.
    PatPool(PatPool),
}

/// `pat-pool NAME …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatPool {
    /// Network object or group holding the addresses.
    pub name: String,
    /// `round-robin`.
    pub round_robin: bool,
    /// `extended`.
    pub extended: bool,
    /// `flat`.
    pub flat: bool,
    /// `include-reserve`, only with `flat`.
    pub include_reserve: bool,
    /// `interface`: falls back to the address of the mapped interface.
    pub interface_fallback: bool,
}

/// `nat (real,mapped) … source …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualNat {
    /// The interface pair.
    pub interfaces: NatInterfaces,
    /// The source translation.
    pub source: ManualSource,
    /// `destination static MAPPED REAL`.
    pub destination: Option<ManualDestination>,
    /// `service A B`: service objects, see [`ManualService`].
    pub service: Option<ManualService>,
    /// `net-to-net`.
    pub net_to_net: bool,
    /// `dns`.
    pub dns: bool,
    /// `unidirectional`.
    pub unidirectional: bool,
    /// `no-proxy-arp`.
    pub no_proxy_arp: bool,
    /// `route-lookup`.
    pub route_lookup: bool,
    /// `inactive`.
    pub inactive: bool,
    /// `description TEXT`.
    pub description: Option<String>,
}

/// A network object or group, or every address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RealAddress {
    /// `any`.
    Any,
    /// Network object or group.
    Object(String),
}

/// The mapped side of a static manual rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManualMapped {
    /// `any`: identity.
    Any,
    /// Network object or group.
    Object(String),
    /// The address of the interface.
    Interface,
}

/// The source part of a manual rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManualSource {
    /// `source static REAL MAPPED`.
    Static {
        /// Before translation.
        real: RealAddress,
        /// After translation.
        mapped: ManualMapped,
    },
    /// `source dynamic REAL MAPPED`.
    Dynamic {
        /// Before translation.
        real: RealAddress,
        /// After translation.
        mapped: DynamicMapping,
    },
}

/// The destination part of a manual rule: what arrives first, what it becomes second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualDestination {
    /// What the packet carries when it arrives on the real interface.
    pub mapped: ManualMapped,
    /// What it is translated to.
    pub real: RealAddress,
}

/// The two service objects of a manual rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualService {
    /// Real source or mapped destination.
    pub real: String,
    /// Mapped source or real destination.
    pub mapped: String,
}

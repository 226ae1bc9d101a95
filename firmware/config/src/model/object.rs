//! Named addresses and services, and groups of them.
//!
//! All four kinds share one name space. What refers to a name by string is checked when the
//! statement is applied: a name in use exists and has content.

use super::{AddressRange, AddressRange6, AutoNat, Prefix6, Subnet};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

/// `object network NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkObject {
    /// The address; `None` until one is entered.
    pub address: Option<ObjectAddress>,
    /// `description TEXT`.
    pub description: Option<String>,
    /// The object's own translation rule, printed in the second appearance of the object.
    pub nat: Option<AutoNat>,
}

/// The address of a network object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectAddress {
    /// `host IP`.
    Host(Ipv4Addr),
    /// `subnet NETWORK MASK`, without host bits.
    Subnet(Subnet),
    /// `range FIRST LAST`.
    Range(AddressRange),
    /// `host IP` of IPv6.
    Host6(Ipv6Addr),
    /// `subnet PREFIX`, without host bits.
    Subnet6(Prefix6),
    /// `range FIRST LAST` of IPv6.
    Range6(AddressRange6),
}

impl ObjectAddress {
    /// The IPv4 addresses meant. `host 0.0.0.0` stands for every address, as the federation guide
    /// uses it.
    #[must_use]
    pub const fn range(self) -> Option<AddressRange> {
        match self {
            Self::Host(Ipv4Addr::UNSPECIFIED) => Some(AddressRange::EVERYTHING),
            Self::Host(address) => Some(AddressRange::host(address)),
            Self::Subnet(subnet) => Some(subnet.range()),
            Self::Range(range) => Some(range),
            Self::Host6(_) | Self::Subnet6(_) | Self::Range6(_) => None,
        }
    }

    /// The IPv6 addresses meant.
    #[must_use]
    pub fn range6(self) -> Option<AddressRange6> {
        match self {
            Self::Host6(address) => Some(AddressRange6::host(address)),
            Self::Subnet6(prefix) => Some(prefix.range()),
            Self::Range6(range) => Some(range),
            Self::Host(_) | Self::Subnet(_) | Self::Range(_) => None,
        }
    }
}

/// `object service NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceObject {
    /// The service; `None` until one is entered.
    pub service: Option<Service>,
    /// `description TEXT`.
    pub description: Option<String>,
}

/// A transport protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP, protocol 6.
    Tcp,
    /// UDP, protocol 17.
    Udp,
}

impl Transport {
    /// The keyword of the transport.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    /// The protocol number in the IPv4 header.
    #[must_use]
    pub const fn protocol(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }
}

/// A protocol with what narrows it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// TCP or UDP with optional conditions on the ports.
    Ports {
        /// Which of the two.
        transport: Transport,
        /// Condition on the source port.
        source: Option<PortMatch>,
        /// Condition on the destination port.
        destination: Option<PortMatch>,
    },
    /// ICMP, all of it or one type.
    Icmp(Option<IcmpMatch>),
    /// ICMPv6, all of it or one type.
    Icmp6(Option<IcmpMatch>),
    /// Any other protocol by number; 0 stands for all of IP.
    Protocol(u8),
}

/// An ICMP type with an optional code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IcmpMatch {
    /// The type.
    pub kind: u8,
    /// The code; `None` matches every code.
    pub code: Option<u8>,
}

/// A condition on a port number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PortMatch {
    /// `eq P`.
    Equal(u16),
    /// `neq P`.
    NotEqual(u16),
    /// `lt P`.
    Less(u16),
    /// `gt P`.
    Greater(u16),
    /// `range FIRST LAST`, inclusive.
    Range(u16, u16),
}

impl PortMatch {
    /// Whether `port` fulfils the condition.
    #[must_use]
    pub const fn matches(self, port: u16) -> bool {
        match self {
            Self::Equal(wanted) => port == wanted,
            Self::NotEqual(unwanted) => port != unwanted,
            Self::Less(bound) => port < bound,
            Self::Greater(bound) => port > bound,
            Self::Range(first, last) => first <= port && port <= last,
        }
    }

    /// The matching ports as one or two inclusive ranges; both `None` if no port matches.
    #[must_use]
    pub const fn ranges(self) -> [Option<(u16, u16)>; 2] {
        const fn below(bound: u16) -> Option<(u16, u16)> {
            match bound.checked_sub(1) {
                Some(last) => Some((0, last)),
                None => None,
            }
        }
        const fn above(bound: u16) -> Option<(u16, u16)> {
            match bound.checked_add(1) {
                Some(first) => Some((first, u16::MAX)),
                None => None,
            }
        }
        match self {
            Self::Equal(port) => [Some((port, port)), None],
            Self::NotEqual(port) => [below(port), above(port)],
            Self::Less(bound) => [below(bound), None],
            Self::Greater(bound) => [above(bound), None],
            Self::Range(first, last) => [Some((first, last)), None],
        }
    }
}

/// `object-group network NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkGroup {
    /// `description TEXT`.
    pub description: Option<String>,
    /// The members in the order entered.
    pub members: Vec<NetworkMember>,
}

/// One line of a network group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkMember {
    /// `network-object host IP`.
    Host(Ipv4Addr),
    /// `network-object NETWORK MASK`.
    Subnet(Subnet),
    /// `network-object host IP` of IPv6.
    Host6(Ipv6Addr),
    /// `network-object PREFIX`, without host bits.
    Subnet6(Prefix6),
    /// `network-object object NAME`.
    Object(String),
    /// `group-object NAME`.
    Group(String),
}

/// `object-group service NAME [tcp|udp|tcp-udp]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceGroup {
    /// The protocol of a group of ports; `None` for a group of whole services.
    pub transport: Option<GroupTransport>,
    /// `description TEXT`.
    pub description: Option<String>,
    /// The members in the order entered.
    pub members: Vec<ServiceMember>,
}

/// The protocol word after the name of a service group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupTransport {
    /// `tcp`.
    Tcp,
    /// `udp`.
    Udp,
    /// `tcp-udp`.
    TcpUdp,
}

/// One line of a service group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceMember {
    /// `port-object {eq P|range P P}`; only in groups with a transport.
    Port(PortMatch),
    /// `service-object …`; only in groups without a transport.
    Service(Service),
    /// `service-object tcp-udp …`: both, with the same conditions.
    TcpUdp {
        /// Condition on the source port.
        source: Option<PortMatch>,
        /// Condition on the destination port.
        destination: Option<PortMatch>,
    },
    /// `service-object object NAME`.
    Object(String),
    /// `group-object NAME`.
    Group(String),
}

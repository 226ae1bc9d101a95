//! What the data plane is told to do: the configuration, flattened to numbers.
//!
//! `firmware` compiles the configuration into a [`Policy`] and hands it over whole
//! ([`DataPlane::set_policy`](crate::DataPlane::set_policy)). Names of objects are resolved,
//! objects and groups are flattened into address ranges and services; names appear only where a
//! `show` command prints them. Nothing here looks at packets: `compiled` turns it into look-up
//! structures.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::time::Duration;

use hal::nic::MacAddr;

use crate::connection::normalize::TcpMap;
use crate::connection::settings::ConnectionClass;

/// A network port: the physical ones are numbered in the order of the box's devices, behind them the
/// logical ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub u8);

impl PortId {
    /// The number as an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An access list: its place in [`Policy::access_lists`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AclId(pub u16);

/// A TLS proxy, numbered by `firmware`; opaque here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProxyId(pub u16);

/// An inclusive range of addresses; empty if `first` is above `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    /// Lowest address.
    pub first: Ipv4Addr,
    /// Highest address.
    pub last: Ipv4Addr,
}

impl AddressRange {
    /// No address.
    pub const NONE: Self = Self {
        first: Ipv4Addr::BROADCAST,
        last: Ipv4Addr::UNSPECIFIED,
    };

    /// Every address.
    pub const ANY: Self = Self {
        first: Ipv4Addr::UNSPECIFIED,
        last: Ipv4Addr::BROADCAST,
    };

    /// One address.
    #[must_use]
    pub const fn host(address: Ipv4Addr) -> Self {
        Self {
            first: address,
            last: address,
        }
    }

    /// The addresses of a network; bits of `address` behind the prefix are ignored, and a prefix
    /// longer than 32 counts as 32.
    #[must_use]
    pub const fn network(address: Ipv4Addr, prefix_len: u8) -> Self {
        let mask = prefix_mask(prefix_len);
        let bits = address.to_bits();
        Self {
            first: Ipv4Addr::from_bits(bits & mask),
            last: Ipv4Addr::from_bits(bits | !mask),
        }
    }

    /// Whether `address` is one of them.
    #[must_use]
    pub fn contains(self, address: Ipv4Addr) -> bool {
        self.first <= address && address <= self.last
    }

    /// How many addresses there are.
    #[must_use]
    pub const fn size(self) -> u64 {
        let (first, last) = (self.first.to_bits() as u64, self.last.to_bits() as u64);
        (last + 1).saturating_sub(first)
    }
}

/// The network mask of `prefix_len` (32 at most), as a number.
#[must_use]
pub const fn prefix_mask(prefix_len: u8) -> u32 {
    match u32::MAX.checked_shl(32u32.saturating_sub(prefix_len as u32)) {
        Some(mask) => mask,
        None => 0,
    }
}

/// A transport protocol with ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Transport {
    /// The number in the IPv4 header.
    #[must_use]
    pub const fn protocol(self) -> u8 {
        match self {
            Self::Tcp => crate::wire::PROTOCOL_TCP,
            Self::Udp => crate::wire::PROTOCOL_UDP,
        }
    }
}

/// A condition on a port: `first..=last`, or everything else if `is_negated` (`neq`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortMatch {
    /// Lowest port.
    pub first: u16,
    /// Highest port.
    pub last: u16,
    /// Whether the range is what must not match.
    pub is_negated: bool,
}

impl PortMatch {
    /// Every port.
    pub const ANY: Self = Self {
        first: 0,
        last: u16::MAX,
        is_negated: false,
    };

    /// One port.
    #[must_use]
    pub const fn eq(port: u16) -> Self {
        Self {
            first: port,
            last: port,
            is_negated: false,
        }
    }

    /// The ports `first..=last`.
    #[must_use]
    pub const fn range(first: u16, last: u16) -> Self {
        Self {
            first,
            last,
            is_negated: false,
        }
    }

    /// Whether `port` fulfils the condition.
    #[must_use]
    pub const fn matches(self, port: u16) -> bool {
        (self.first <= port && port <= self.last) != self.is_negated
    }
}

/// The protocol part of an access-list element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// `ip`.
    Any,
    /// A protocol by its number, whatever its ports.
    Protocol(u8),
    /// TCP or UDP with conditions on the ports.
    Ports {
        /// Which of the two.
        transport: Transport,
        /// Condition on the source port.
        source: PortMatch,
        /// Condition on the destination port.
        destination: PortMatch,
    },
    /// ICMP; `None` matches every type or code.
    Icmp {
        /// ICMP type.
        kind: Option<u8>,
        /// ICMP code.
        code: Option<u8>,
    },
}

/// Permit or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// `permit`.
    Permit,
    /// `deny`.
    Deny,
}

/// What is told of an element's hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AceLog {
    /// `log` absent or `log default`: every denied packet is told (106023), nothing of permits.
    #[default]
    Default,
    /// `log disable`: nothing is told.
    Disabled,
    /// `log [LEVEL] [interval SECS]`: the first hit of a flow, and the count of the rest at each
    /// interval (106100), be it permitted or denied.
    Flows {
        /// Syslog severity, 0 to 7.
        level: u8,
        /// Seconds between two reports of a flow, 1 to 600.
        interval_secs: u16,
    },
}

/// One element of an access list, objects and groups already expanded. Addresses and ports are the
/// real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ace {
    /// What happens to a match.
    pub action: Action,
    /// Source addresses.
    pub source: AddressRange,
    /// Destination addresses.
    pub destination: AddressRange,
    /// Protocol and ports.
    pub service: Service,
    /// What is told of its hits.
    pub log: AceLog,
    /// Whether the element takes part (neither `inactive` nor outside of its time range).
    pub is_active: bool,
}

impl Ace {
    /// What tells the element from others of its list: what it matches and does. Logging and
    /// activity may change without its being another element.
    pub(crate) const fn identity(&self) -> (Action, AddressRange, AddressRange, Service) {
        (self.action, self.source, self.destination, self.service)
    }
}

/// An access list: first match wins, no match denies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList {
    /// The name; hit counters survive a change of policy by name and element.
    pub name: String,
    /// The elements in order; counters are read by index.
    pub elements: Vec<Ace>,
}

/// A configured port. A port without one of these forwards nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Which port.
    pub port: PortId,
    /// `nameif`.
    pub name: String,
    /// `security-level`, 0 to 100.
    pub security_level: u8,
    /// The address frames are sent from.
    pub mac: MacAddr,
    /// The IPv4 address; unspecified if the port speaks IPv6 alone.
    pub address: Ipv4Addr,
    /// Length of the network prefix, 0 to 32.
    pub prefix_len: u8,
    /// Largest IP packet sent, in bytes.
    pub mtu: u16,
    /// `access-group … in interface`.
    pub access_in: Option<AclId>,
    /// `access-group … out interface`.
    pub access_out: Option<AclId>,
    /// `access-group … in interface … control-plane`: packets for the box itself. What it says
    /// nothing about goes on; there is no implicit deny.
    pub access_control: Option<AclId>,
    /// `sysopt noproxyarp` absent.
    pub proxy_arp: bool,
}

impl Interface {
    /// The network the interface is connected to.
    #[must_use]
    pub const fn network(&self) -> AddressRange {
        AddressRange::network(self.address, self.prefix_len)
    }
}

/// `route NAMEIF NETWORK MASK GATEWAY [METRIC]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StaticRoute {
    /// Egress.
    pub port: PortId,
    /// Network address.
    pub network: Ipv4Addr,
    /// Length of the prefix, 0 to 32.
    pub prefix_len: u8,
    /// Next hop.
    pub gateway: Ipv4Addr,
    /// Administrative distance; the lowest of equal prefixes wins.
    pub metric: u8,
}

/// Which table of translation rules a rule belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NatSection {
    /// Section 1: manual rules.
    Manual,
    /// Section 2: rules of network objects; the data plane sorts them.
    Auto,
    /// Section 3: manual rules `after-auto`.
    AfterAuto,
}

/// What an address becomes by a static rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MappedAddress {
    /// The address at the same place of this list. The shorter of both lists is used over and over:
    /// of several addresses that fall together the first answers for all.
    Ranges(Vec<AddressRange>),
    /// The address of the mapped interface (which must then be named).
    Interface,
}

impl MappedAddress {
    /// The addresses of one range.
    #[must_use]
    pub fn range(range: AddressRange) -> Self {
        Self::Ranges(alloc::vec![range])
    }
}

/// The addresses that a dynamic rule hands out: whole ones first, then ports of shared ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatPool {
    /// Each given whole to one host, while there are any left.
    pub one_to_one: Vec<AddressRange>,
    /// Shared by port; tried in order.
    pub addresses: Vec<AddressRange>,
    /// Whether the address of the mapped interface is shared, after `addresses`.
    pub interface: bool,
    /// How `addresses` are shared.
    pub options: PoolOptions,
    /// Name of the object, for printing; empty where an address or the interface stands alone.
    pub name: String,
}

/// How the addresses of a `pat-pool` are shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolOptions {
    /// Each new host gets the next address and stays with it while its ports last.
    pub round_robin: bool,
    /// A port is taken for one destination only, and free for others.
    pub extended: bool,
    /// Ports 1024 to 65535 serve whatever the source port is, instead of three tiers.
    pub flat: bool,
    /// With `flat`: ports 1 to 1023 as well.
    pub include_reserve: bool,
}

/// The source part of a translation rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceNat {
    /// One to one, both directions.
    Static {
        /// Before translation.
        real: Vec<AddressRange>,
        /// After translation.
        mapped: MappedAddress,
    },
    /// Many to few, opened from the real side first.
    Dynamic {
        /// Before translation.
        real: Vec<AddressRange>,
        /// After translation.
        pool: PatPool,
    },
}

impl SourceNat {
    /// The real addresses.
    pub fn real(&self) -> impl Iterator<Item = AddressRange> + '_ {
        let (Self::Static { real, .. } | Self::Dynamic { real, .. }) = self;
        real.iter().copied()
    }

    /// The mapped addresses, that of the interface apart.
    pub fn mapped(&self) -> impl Iterator<Item = AddressRange> + '_ {
        let (first, second): (&[AddressRange], &[AddressRange]) = match self {
            Self::Static {
                mapped: MappedAddress::Ranges(mapped),
                ..
            } => (mapped, &[]),
            Self::Static { .. } => (&[], &[]),
            Self::Dynamic { pool, .. } => (&pool.one_to_one, &pool.addresses),
        };
        first.iter().chain(second).copied()
    }
}

/// `destination static MAPPED REAL`: what the packet carries when it arrives on the real interface,
/// and what it becomes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DestinationNat {
    /// As the real side knows it; `Interface` is the address of the *real* interface.
    pub mapped: MappedAddress,
    /// As it is.
    pub real: Vec<AddressRange>,
}

/// A port of a static rule, or a run of ports, and what it is seen as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortTranslation {
    /// Protocol.
    pub transport: Transport,
    /// The (first) port that the host uses.
    pub real: u16,
    /// The (first) port seen on the other side.
    pub mapped: u16,
    /// How many ports follow the first, on both sides.
    pub more: u16,
}

/// A translation rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NatRule {
    /// Which table.
    pub section: NatSection,
    /// Where the real addresses live; `None` is `any`.
    pub real_interface: Option<PortId>,
    /// Where the mapped addresses are seen; `None` is `any`.
    pub mapped_interface: Option<PortId>,
    /// The source translation.
    pub source: SourceNat,
    /// The source ports, static rules only.
    pub service: Option<PortTranslation>,
    /// The destination translation, manual rules only.
    pub destination: Option<DestinationNat>,
    /// The destination ports: `mapped` is what arrives on the real interface.
    pub destination_service: Option<PortTranslation>,
    /// Only flows opened from the real side.
    pub unidirectional: bool,
    /// No ARP answers for the mapped addresses.
    pub no_proxy_arp: bool,
    /// The route table decides the egress even if the rule names it.
    pub route_lookup: bool,
    /// Takes no part.
    pub inactive: bool,
    /// `dns`: the inspection of DNS translates addresses in answers by it.
    pub dns: bool,
    /// `net-to-net`: carried for printing.
    pub net_to_net: bool,
    /// Name of the network object (auto rules; decides the order among equals).
    pub object: String,
    /// What `show nat` prints after `(real) to (mapped) `, made by `firmware`.
    pub text: String,
}

impl NatRule {
    /// A rule from anywhere to anywhere that translates sources by `source`, with nothing else said.
    #[must_use]
    pub fn new(section: NatSection, source: SourceNat) -> Self {
        Self {
            section,
            real_interface: None,
            mapped_interface: None,
            source,
            service: None,
            destination: None,
            destination_service: None,
            unidirectional: false,
            no_proxy_arp: false,
            route_lookup: false,
            inactive: false,
            dns: false,
            net_to_net: false,
            object: String::new(),
            text: String::new(),
        }
    }
}

/// A class whose connections are handed to a TLS proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InspectionClass {
    /// The interface whose service policy it is; `None` for the global one.
    pub port: Option<PortId>,
    /// Matches connections whose first packet this list permits (real addresses).
    pub acl: AclId,
    /// Who takes them.
    pub proxy: ProxyId,
}

/// `inspect dns`: which flows, and what is allowed in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsInspection {
    /// The classes: the interface whose service policy it is (`None`: the global one), and the list
    /// that permits the first packets of its flows (real addresses).
    pub classes: Vec<(Option<PortId>, AclId)>,
    /// `message-length maximum`, bytes.
    pub length_max: Option<u16>,
}

/// `icmp {permit|deny} ADDRESS [TYPE] NAMEIF`: ICMP to the box itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpRule {
    /// The interface it belongs to.
    pub port: PortId,
    /// What happens to a match.
    pub action: Action,
    /// Who sends.
    pub source: AddressRange,
    /// ICMP type; `None` matches all.
    pub kind: Option<u8>,
}

/// Ports of the box itself: packets to them are handed up, and PAT to an interface address leaves
/// them alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalService {
    /// Protocol.
    pub transport: Transport,
    /// Lowest port.
    pub first: u16,
    /// Highest port.
    pub last: u16,
}

/// `timeout …`. Zero means never, as on the ASA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Idle TCP connection.
    pub conn: Duration,
    /// Connection that one side has closed.
    pub half_closed: Duration,
    /// Connection whose handshake is not complete.
    pub embryonic: Duration,
    /// UDP, and every protocol without a timer of its own.
    pub udp: Duration,
    /// ICMP echo.
    pub icmp: Duration,
    /// How long a port stays taken after its last multi-session flow.
    pub pat_xlate: Duration,
    /// How long a host keeps a whole address after its last flow.
    pub xlate: Duration,
}

impl Default for Timeouts {
    /// The factory settings of the ASA.
    fn default() -> Self {
        Self {
            conn: Duration::from_secs(3600),
            half_closed: Duration::from_secs(600),
            embryonic: Duration::from_secs(30),
            udp: Duration::from_secs(120),
            icmp: Duration::from_secs(2),
            pat_xlate: Duration::from_secs(30),
            xlate: Duration::from_secs(10_800),
        }
    }
}

/// `xlate per-session {permit|deny} …`: whether a PAT binding ends with its flow. First match wins;
/// the built-in rules (TCP, and UDP to port 53, are per session) follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerSessionRule {
    /// `permit` is per session, `deny` multi-session.
    pub action: Action,
    /// Protocol.
    pub transport: Transport,
    /// Real source addresses.
    pub source: AddressRange,
    /// Source ports.
    pub source_port: PortMatch,
    /// Destination addresses.
    pub destination: AddressRange,
    /// Destination ports.
    pub destination_port: PortMatch,
}

/// `fragment {size | chain | timeout | reassembly} … INTERFACE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentRule {
    /// Where the fragments come in.
    pub port: PortId,
    /// Most fragments that wait.
    pub size: u16,
    /// Most fragments of a datagram.
    pub chain: u16,
    /// How long the rest of a datagram may take after the first that comes of it, in seconds.
    pub timeout_secs: u8,
    /// Whether datagrams go on whole (`full`) and not as the fragments they came in (`virtual`).
    pub is_full: bool,
}

impl FragmentRule {
    /// What applies if nothing is configured: the factory setting of the ASA.
    #[must_use]
    pub const fn standard(port: PortId) -> Self {
        Self {
            port,
            size: 200,
            chain: 24,
            timeout_secs: 5,
            is_full: false,
        }
    }

    pub(crate) fn timeout_ticks(&self) -> crate::wheel::Tick {
        crate::wheel::ticks(Duration::from_secs(u64::from(self.timeout_secs)))
    }
}

/// Everything that decides about packets. Swapped as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The ports in use: named, addressed and not shut down.
    pub interfaces: Vec<Interface>,
    /// Which of their ports are VLANs of which.
    pub vlans: Vec<crate::vlan::VlanPort>,
    /// Static routes; connected ones come from the interfaces.
    pub routes: Vec<StaticRoute>,
    /// Every access list that an interface or class refers to (others may be here too).
    pub access_lists: Vec<AccessList>,
    /// `access-group … global`.
    pub access_global: Option<AclId>,
    /// Translation rules: each section in configured order.
    pub nat: Vec<NatRule>,
    /// `xlate per-session` lines of the operator.
    pub per_session: Vec<PerSessionRule>,
    /// Classes with a TLS proxy, in order of evaluation.
    pub inspections: Vec<InspectionClass>,
    /// Classes with `set connection` lines, in order of evaluation.
    pub connections: Vec<ConnectionClass>,
    /// The TCP maps that classes refer to; 253 at most.
    pub tcp_maps: Vec<TcpMap>,
    /// Whether the side of higher security is numbered anew where no class says otherwise.
    pub randomize_sequences: bool,
    /// `inspect dns`.
    pub dns: DnsInspection,
    /// `inspect icmp`: replies come back without a rule.
    pub inspect_icmp: bool,
    /// `icmp permit|deny` lines.
    pub icmp: Vec<IcmpRule>,
    /// Ports that the box itself serves or uses.
    pub local_services: Vec<LocalService>,
    /// `same-security-traffic permit inter-interface`.
    pub same_security_inter: bool,
    /// `same-security-traffic permit intra-interface`.
    pub same_security_intra: bool,
    /// `timeout …`.
    pub timeouts: Timeouts,
    /// `arp timeout`.
    pub arp_timeout: Duration,
    /// `sysopt connection tcpmss`; 0 leaves the option alone.
    pub tcp_mss: u16,
    /// `icmp unreachable rate-limit`: ICMP errors of the box itself, per second.
    pub icmp_error_rate: u16,
    /// `icmp unreachable … burst-size`.
    pub icmp_error_burst: u16,
    /// Everything with IPv6 addresses.
    pub v6: crate::v6::Policy6,
    /// What applies to fragments, at ports where it is not the standard.
    pub fragments: Vec<FragmentRule>,
    /// Ports with `ip verify reverse-path`.
    pub reverse_path: Vec<PortId>,
}

impl Default for Policy {
    /// No interface, hence no traffic; everything else at its factory setting.
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            vlans: Vec::new(),
            routes: Vec::new(),
            access_lists: Vec::new(),
            access_global: None,
            nat: Vec::new(),
            per_session: Vec::new(),
            inspections: Vec::new(),
            connections: Vec::new(),
            tcp_maps: Vec::new(),
            randomize_sequences: true,
            dns: DnsInspection::default(),
            inspect_icmp: false,
            icmp: Vec::new(),
            local_services: Vec::new(),
            same_security_inter: false,
            same_security_intra: false,
            timeouts: Timeouts::default(),
            arp_timeout: Duration::from_secs(14_400),
            tcp_mss: 1380,
            icmp_error_rate: 1,
            icmp_error_burst: 1,
            v6: crate::v6::Policy6::default(),
            fragments: Vec::new(),
            reverse_path: Vec::new(),
        }
    }
}

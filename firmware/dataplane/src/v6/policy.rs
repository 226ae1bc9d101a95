//! What the data plane is told about IPv6: the counterpart of [`crate::Policy`], flattened to numbers.
//!
//! Interfaces, lists and security levels are those of the policy; here stands what has an address of
//! 128 bits.

use alloc::vec::Vec;
use core::net::Ipv6Addr;
use core::time::Duration;

use crate::policy::{Action, PortId};

/// An inclusive range of IPv6 addresses; empty if `first` is above `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange6 {
    /// Lowest address.
    pub first: Ipv6Addr,
    /// Highest address.
    pub last: Ipv6Addr,
}

impl AddressRange6 {
    /// Every address.
    pub const ANY: Self = Self {
        first: Ipv6Addr::UNSPECIFIED,
        last: Ipv6Addr::from_bits(u128::MAX),
    };

    /// One address.
    #[must_use]
    pub const fn host(address: Ipv6Addr) -> Self {
        Self {
            first: address,
            last: address,
        }
    }

    /// The addresses of a network; bits of `address` behind the prefix are ignored, and a prefix
    /// longer than 128 counts as 128.
    #[must_use]
    pub const fn network(address: Ipv6Addr, prefix_len: u8) -> Self {
        let mask = prefix_mask6(prefix_len);
        let bits = address.to_bits();
        Self {
            first: Ipv6Addr::from_bits(bits & mask),
            last: Ipv6Addr::from_bits(bits | !mask),
        }
    }

    /// Whether `address` is one of them.
    #[must_use]
    pub fn contains(self, address: Ipv6Addr) -> bool {
        self.first <= address && address <= self.last
    }
}

/// The network mask of `prefix_len` (128 at most), as a number.
#[must_use]
pub const fn prefix_mask6(prefix_len: u8) -> u128 {
    match u128::MAX.checked_shl(128u32.saturating_sub(prefix_len as u32)) {
        Some(mask) => mask,
        None => 0,
    }
}

/// `ipv6 address ADDRESS/LENGTH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address6 {
    /// The address of the box.
    pub address: Ipv6Addr,
    /// Length of the network prefix, 0 to 128.
    pub prefix_len: u8,
}

impl Address6 {
    /// The network it is in.
    #[must_use]
    pub const fn network(&self) -> AddressRange6 {
        AddressRange6::network(self.address, self.prefix_len)
    }
}

/// A prefix in router advertisements (RFC 4861 §4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisedPrefix {
    /// The network.
    pub network: Ipv6Addr,
    /// Its length.
    pub prefix_len: u8,
    /// How long it is valid; [`Duration::MAX`] is for ever.
    pub valid: Duration,
    /// How long addresses made from it are preferred.
    pub preferred: Duration,
    /// Whether its addresses are on the link.
    pub on_link: bool,
    /// Whether hosts may make addresses from it.
    pub autonomous: bool,
}

/// What the box advertises as a router (RFC 4861 §6.2.1). Absent with `ipv6 nd suppress-ra`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouterAdvertisement {
    /// `ipv6 nd ra-interval`: between two unasked ones.
    pub interval: Duration,
    /// `ipv6 nd ra-lifetime`: how long the box serves as a default router; zero: it does not.
    pub lifetime: Duration,
    /// `ipv6 nd managed-config-flag`.
    pub managed: bool,
    /// `ipv6 nd other-config-flag`.
    pub other: bool,
    /// The prefixes.
    pub prefixes: Vec<AdvertisedPrefix>,
}

/// IPv6 on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface6 {
    /// Which port.
    pub port: PortId,
    /// Its address on the link, always there.
    pub link_local: Ipv6Addr,
    /// Its other addresses.
    pub addresses: Vec<Address6>,
    /// `ipv6 nd dad attempts`: solicitations that must stay unanswered before an address is used; 0 uses
    /// it at once.
    pub dad_attempts: u8,
    /// `ipv6 nd ns-interval`: between two solicitations.
    pub solicitation_interval: Duration,
    /// `ipv6 nd reachable-time`: how long a neighbour that answered counts as there.
    pub reachable_time: Duration,
    /// What it advertises.
    pub advertisement: Option<RouterAdvertisement>,
}

/// `ipv6 route NAMEIF NETWORK/LENGTH GATEWAY [METRIC]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaticRoute6 {
    /// Egress.
    pub port: PortId,
    /// Network address.
    pub network: Ipv6Addr,
    /// Length of the prefix, 0 to 128.
    pub prefix_len: u8,
    /// Next hop.
    pub gateway: Ipv6Addr,
    /// Administrative distance; the lowest of equal prefixes wins.
    pub metric: u8,
}

/// The IPv6 side of an element of an access list. `any` has one beside its IPv4 ranges; an element for
/// IPv4 only has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ace6 {
    /// Which element of the list.
    pub element: usize,
    /// Source addresses.
    pub source: AddressRange6,
    /// Destination addresses.
    pub destination: AddressRange6,
    /// For `icmp6`: type and code, where given, as on the wire.
    pub icmp: Option<(Option<u8>, Option<u8>)>,
}

/// The IPv6 side of a translation rule that has no IPv4 addresses: host to host at the same offset (RFC 6296 without its
/// checksum-neutral mapping: checksums are updated instead).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaticNat6 {
    /// Which rule of [`Policy::nat`](crate::Policy::nat), for its counters and its place.
    pub rule: usize,
    /// Where the real addresses live; `None` is `any`.
    pub real_interface: Option<PortId>,
    /// Where the mapped addresses are seen; `None` is `any`.
    pub mapped_interface: Option<PortId>,
    /// Before translation.
    pub real: AddressRange6,
    /// After translation; as many as the smaller of both ranges holds.
    pub mapped: AddressRange6,
    /// Whether solicitations for the mapped addresses stay unanswered.
    pub no_proxy: bool,
}

/// `ipv6 icmp {permit|deny} SOURCE [TYPE] NAMEIF`: ICMPv6 echo to the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpRule6 {
    /// The interface it belongs to.
    pub port: PortId,
    /// What happens to a match.
    pub action: Action,
    /// Who sends.
    pub source: AddressRange6,
    /// ICMPv6 type; `None` matches all.
    pub kind: Option<u8>,
}

/// Everything about IPv6 that decides about packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy6 {
    /// The ports with IPv6. Each is also in [`Policy::interfaces`](crate::Policy::interfaces).
    pub interfaces: Vec<Interface6>,
    /// Static routes; connected ones come from the addresses.
    pub routes: Vec<StaticRoute6>,
    /// For each list of [`Policy::access_lists`](crate::Policy::access_lists), in its order.
    pub access: Vec<Vec<Ace6>>,
    /// Static translations, in order.
    pub nat: Vec<StaticNat6>,
    /// `ipv6 icmp` lines.
    pub icmp: Vec<IcmpRule6>,
}

impl Policy6 {
    /// IPv6 on `port`.
    pub(crate) fn interface(&self, port: PortId) -> Option<&Interface6> {
        self.interfaces
            .iter()
            .find(|interface| interface.port == port)
    }
}

impl Interface6 {
    /// Every address of the box here, with the prefix that is on the link.
    pub(crate) fn own(&self) -> impl Iterator<Item = Address6> + '_ {
        let link_local = Address6 {
            address: self.link_local,
            prefix_len: 64,
        };
        core::iter::once(link_local).chain(self.addresses.iter().copied())
    }

    /// Whether `address` is on this link.
    pub(crate) fn is_on_link(&self, address: Ipv6Addr) -> bool {
        self.own().any(|own| own.network().contains(address))
    }
}

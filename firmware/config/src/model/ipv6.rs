//! IPv6 on ports, and its routes.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::net::Ipv6Addr;

use super::Action;

/// A prefix of IPv6 addresses, or an address with the prefix it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix6 {
    /// The address, host bits included.
    pub address: Ipv6Addr,
    /// Length of the prefix, 0 to 128.
    pub len: u8,
}

impl Prefix6 {
    /// Every address.
    pub const EVERYTHING: Self = Self {
        address: Ipv6Addr::UNSPECIFIED,
        len: 0,
    };

    /// Reads `ADDRESS/LENGTH`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, len) = text.split_once('/')?;
        let is_decimal = !len.is_empty() && len.bytes().all(|byte| byte.is_ascii_digit());
        Some(Self {
            address: address.parse().ok()?,
            len: len
                .parse()
                .ok()
                .filter(|&len: &u8| len <= 128 && is_decimal)?,
        })
    }

    /// The address without its host bits.
    #[must_use]
    pub fn network(self) -> Ipv6Addr {
        let mask = u128::MAX
            .checked_shl(128 - u32::from(self.len.min(128)))
            .unwrap_or(0);
        Ipv6Addr::from_bits(self.address.to_bits() & mask)
    }

    /// Whether the address has no host bits.
    #[must_use]
    pub fn is_network(self) -> bool {
        self.network() == self.address
    }

    /// All addresses of the network.
    #[must_use]
    pub fn range(self) -> AddressRange6 {
        let first = self.network();
        let host_bits = u128::MAX
            .checked_shr(u32::from(self.len.min(128)))
            .unwrap_or(0);
        AddressRange6 {
            first,
            last: Ipv6Addr::from_bits(first.to_bits() | host_bits),
        }
    }

    /// Whether two prefixes have addresses in common.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        let len = self.len.min(other.len);
        let cut = |prefix: Self| Self { len, ..prefix }.network();
        cut(self) == cut(other)
    }
}

impl fmt::Display for Prefix6 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.len)
    }
}

/// An inclusive range of IPv6 addresses; `first` is not above `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange6 {
    /// Lowest address.
    pub first: Ipv6Addr,
    /// Highest address.
    pub last: Ipv6Addr,
}

impl AddressRange6 {
    /// Every IPv6 address.
    pub const EVERYTHING: Self = Self {
        first: Ipv6Addr::UNSPECIFIED,
        last: Ipv6Addr::from_bits(u128::MAX),
    };

    /// The range of one address.
    #[must_use]
    pub const fn host(address: Ipv6Addr) -> Self {
        Self {
            first: address,
            last: address,
        }
    }

    /// How many addresses stand behind the first.
    #[must_use]
    pub const fn more(self) -> u128 {
        self.last.to_bits().saturating_sub(self.first.to_bits())
    }

    /// As many addresses from `first` on, if there are so many.
    #[must_use]
    pub fn moved_to(self, first: Ipv6Addr) -> Option<Self> {
        let last = first.to_bits().checked_add(self.more())?;
        Some(Self {
            first,
            last: Ipv6Addr::from_bits(last),
        })
    }

    /// Whether `address` lies in the range.
    #[must_use]
    pub fn contains(self, address: Ipv6Addr) -> bool {
        self.first <= address && address <= self.last
    }
}

/// `ipv6 address …` of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortAddress6 {
    /// The address with its prefix; with `eui-64` the prefix alone.
    pub prefix: Prefix6,
    /// Whether the last 64 bits are made from the MAC address (RFC 4291, appendix A).
    pub is_eui64: bool,
}

/// `ipv6 nd prefix PREFIX …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisedPrefix6 {
    /// The prefix.
    pub prefix: Prefix6,
    /// `no-advertise`: left out of advertisements.
    pub is_hidden: bool,
    /// How long it is valid, in seconds.
    pub valid_secs: u32,
    /// How long addresses made from it are preferred, in seconds.
    pub preferred_secs: u32,
    /// `off-link` absent.
    pub on_link: bool,
    /// `no-autoconfig` absent.
    pub autonomous: bool,
}

/// Default lifetime of an advertised prefix (RFC 4861 §6.2.1): 30 days, in seconds.
pub const DEFAULT_PREFIX_VALID_SECS: u32 = 2_592_000;
/// Default time in which it is preferred: 7 days, in seconds.
pub const DEFAULT_PREFIX_PREFERRED_SECS: u32 = 604_800;

/// IPv6 of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port6 {
    /// `ipv6 enable`: an address on the link, even without others.
    pub is_enabled: bool,
    /// `ipv6 address ADDRESS link-local`; `None`: made from the MAC address.
    pub link_local: Option<Ipv6Addr>,
    /// `ipv6 address …`, in the order entered.
    pub addresses: Vec<PortAddress6>,
    /// `ipv6 nd dad attempts N`.
    pub dad_attempts: u16,
    /// `ipv6 nd ns-interval MILLISECONDS`.
    pub ns_interval_millis: u32,
    /// `ipv6 nd reachable-time MILLISECONDS`; 0: half a minute.
    pub reachable_millis: u32,
    /// `ipv6 nd suppress-ra`.
    pub suppress_ra: bool,
    /// `ipv6 nd ra-interval`, in milliseconds.
    pub ra_interval_millis: u32,
    /// `ipv6 nd ra-lifetime SECONDS`.
    pub ra_lifetime_secs: u16,
    /// `ipv6 nd managed-config-flag`.
    pub managed: bool,
    /// `ipv6 nd other-config-flag`.
    pub other: bool,
    /// `ipv6 nd prefix …`, in the order entered.
    pub prefixes: Vec<AdvertisedPrefix6>,
}

impl Default for Port6 {
    fn default() -> Self {
        Self {
            is_enabled: false,
            link_local: None,
            addresses: Vec::new(),
            dad_attempts: 1,
            ns_interval_millis: 1_000,
            reachable_millis: 0,
            suppress_ra: false,
            ra_interval_millis: 200_000,
            ra_lifetime_secs: 1_800,
            managed: false,
            other: false,
            prefixes: Vec::new(),
        }
    }
}

impl Port6 {
    /// Whether the port speaks IPv6.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.is_enabled || self.link_local.is_some() || !self.addresses.is_empty()
    }
}

/// `ipv6 route NAMEIF PREFIX GATEWAY [METRIC]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route6 {
    /// Egress interface.
    pub interface: String,
    /// Where the route leads; has no host bits.
    pub destination: Prefix6,
    /// Next hop.
    pub gateway: Ipv6Addr,
    /// Administrative distance, 1 to 254; the lowest wins.
    pub metric: u8,
}

/// `ipv6 icmp {permit|deny} SOURCE [TYPE] NAMEIF`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpRule6 {
    /// What happens to a match.
    pub action: Action,
    /// Who sends.
    pub source: Prefix6,
    /// ICMPv6 type; `None` matches all.
    pub kind: Option<u8>,
    /// The interface it belongs to.
    pub interface: String,
}

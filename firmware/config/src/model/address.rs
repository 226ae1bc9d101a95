//! IPv4 addresses, subnets and ranges as they are written in the configuration.

use core::fmt;
use core::net::Ipv4Addr;

/// An IPv4 address with the length of its network prefix.
///
/// Printed the ASA way, as `ADDRESS MASK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subnet {
    address: Ipv4Addr,
    prefix_len: u8,
}

impl Subnet {
    /// Every IPv4 address: `0.0.0.0 0.0.0.0`.
    pub const EVERYTHING: Self = Self {
        address: Ipv4Addr::UNSPECIFIED,
        prefix_len: 0,
    };

    /// Pairs `address` with `prefix_len`; host bits in the address are kept.
    ///
    /// Returns `None` if the prefix is longer than 32 bits.
    #[must_use]
    pub const fn new(address: Ipv4Addr, prefix_len: u8) -> Option<Self> {
        if prefix_len <= 32 {
            Some(Self {
                address,
                prefix_len,
            })
        } else {
            None
        }
    }

    /// Pairs `address` with a network mask. Returns `None` if the mask has a hole.
    #[must_use]
    pub const fn from_mask(address: Ipv4Addr, mask: Ipv4Addr) -> Option<Self> {
        let bits = mask.to_bits();
        let ones = bits.leading_ones();
        // At most 32, so the narrowing keeps the value.
        if bits.count_ones() == ones {
            Self::new(address, ones as u8)
        } else {
            None
        }
    }

    /// The address as written, with its host bits.
    #[must_use]
    pub const fn address(self) -> Ipv4Addr {
        self.address
    }

    /// Length of the prefix in bits, 0 to 32.
    #[must_use]
    pub const fn prefix_len(self) -> u8 {
        self.prefix_len
    }

    /// The network mask.
    #[must_use]
    pub const fn mask(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.mask_bits())
    }

    /// First address of the network.
    #[must_use]
    pub const fn network(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address.to_bits() & self.mask_bits())
    }

    /// Last address of the network.
    #[must_use]
    pub const fn broadcast(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.address.to_bits() | !self.mask_bits())
    }

    /// Whether the address has no host bits, as access lists, routes and objects require.
    #[must_use]
    pub fn is_network(self) -> bool {
        self.network() == self.address
    }

    /// Whether `address` lies in the network.
    #[must_use]
    pub const fn contains(self, address: Ipv4Addr) -> bool {
        address.to_bits() & self.mask_bits() == self.address.to_bits() & self.mask_bits()
    }

    /// Whether the two networks share an address.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.contains(other.network()) || other.contains(self.network())
    }

    /// All addresses of the network.
    #[must_use]
    pub const fn range(self) -> AddressRange {
        AddressRange {
            first: self.network(),
            last: self.broadcast(),
        }
    }

    const fn mask_bits(self) -> u32 {
        match u32::MAX.checked_shl(32 - self.prefix_len as u32) {
            Some(bits) => bits,
            None => 0,
        }
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.address, self.mask())
    }
}

/// An inclusive range of addresses; `first` is not above `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange {
    /// Lowest address.
    pub first: Ipv4Addr,
    /// Highest address.
    pub last: Ipv4Addr,
}

impl AddressRange {
    /// Every IPv4 address.
    pub const EVERYTHING: Self = Subnet::EVERYTHING.range();

    /// The range of one address.
    #[must_use]
    pub const fn host(address: Ipv4Addr) -> Self {
        Self {
            first: address,
            last: address,
        }
    }

    /// How many addresses the range holds.
    #[must_use]
    pub const fn size(self) -> u64 {
        (self.last.to_bits() as u64).saturating_sub(self.first.to_bits() as u64) + 1
    }

    /// Whether `address` lies in the range.
    #[must_use]
    pub fn contains(self, address: Ipv4Addr) -> bool {
        self.first <= address && address <= self.last
    }
}

//! What a dynamic rule hands out, and what is remembered of handing it out.

use core::net::Ipv4Addr;

use super::list;
use crate::policy::{AddressRange, PoolOptions};

/// The most addresses that one pool shares by port: each takes 24 KiB for its ports.
pub const POOL_ADDRESSES_MAX: u64 = 256;

/// The pool of a rule, seen from one egress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool<'a> {
    /// Addresses given whole.
    pub(crate) whole: &'a [AddressRange],
    /// Addresses shared by port.
    pub(crate) shared: &'a [AddressRange],
    /// The address of the egress, shared when nothing else is left.
    pub(crate) interface: Option<Ipv4Addr>,
    /// How `shared` is shared.
    pub(crate) options: PoolOptions,
}

impl Pool<'_> {
    /// How many addresses are shared, the interface apart.
    pub(crate) fn shared_count(&self) -> u32 {
        // Cut to a few hundred.
        list::total(self.shared).min(POOL_ADDRESSES_MAX) as u32
    }

    /// The shared address at `place`; the interface comes behind the others.
    pub(crate) fn shared_at(&self, place: u32) -> Option<Ipv4Addr> {
        if place < self.shared_count() {
            list::at(self.shared, u64::from(place))
        } else {
            self.interface
        }
    }

    /// Whether `address` is one of those shared.
    pub(crate) fn shares(&self, address: Ipv4Addr) -> bool {
        list::holds(self.shared, address) || self.interface == Some(address)
    }

    /// Whether `address` is one of those given whole.
    pub(crate) fn gives(&self, address: Ipv4Addr) -> bool {
        list::holds(self.whole, address)
    }
}

/// What a rule remembers of its pool.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PoolState {
    /// Where the next new host is served from.
    pub(crate) turn: u32,
    /// The count of addresses given back when none was left.
    pub(crate) whole_full_at: Option<u32>,
    /// How often nothing was left.
    pub(crate) exhausted: u64,
}

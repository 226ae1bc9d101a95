//! The packet engine: neighbours, routes, access lists, translation, flows, interception.
//!
//! [`DataPlane`] does no I/O and reads no clock. Frames go in by
//! [`handle_batch`](DataPlane::handle_batch), come out by
//! [`drain_transmit`](DataPlane::drain_transmit), and every frame ends in exactly one counted
//! verdict ([`Verdicts`], [`DropReason`]). What is allowed is a [`Policy`], swapped whole.
//!
//! ```text
//! frames → input: parse, hash ─┬─ flow known ────────────────────┐
//!                              └─ slowpath: decide → open a flow ─┴→ forward: check, translate
//!            arp, icmp, local ←┘       (rules, routes, access, NAT)        │         │
//!                                                            proxy ← intercept     output → frames
//! ```
//!
//! Tables are claimed once, in [`DataPlane::new`]; a packet allocates nothing. Only `set_policy`,
//! timers and the operator's `clear` commands do.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod access;
mod arp;
mod buckets;
mod drop_reason;
mod engine;
mod flow;
mod hash;
mod hits;
mod icmp;
mod input;
mod intercept;
mod limiter;
mod nat;
mod neighbor;
mod offload;
mod output;
mod policy;
mod routes;
mod show;
mod slowpath;
mod view;
mod wheel;
mod wire;

#[cfg(test)]
mod tests;

pub use drop_reason::DropReason;
pub use engine::{DataPlane, LOCAL_ECHO_IDENTIFIERS, Limits};
pub use policy::{
    AccessList, Ace, AclId, Action, AddressRange, DestinationNat, IcmpRule, InspectionClass,
    Interface, LocalService, MappedAddress, NatRule, NatSection, PatPool, PerSessionRule, Policy,
    PortId, PortMatch, PortTranslation, ProxyId, Service, SourceNat, StaticRoute, Timeouts,
    Transport, prefix_mask,
};
pub use slowpath::{Step, Trace};
pub use view::{
    ConnFlags, ConnSide, ConnView, Endpoints, FlowId, Intercepted, Leg, LocalPacket, NatRuleView,
    NeighborView, Opening, PoolView, PortCounters, RouteKind, RouteView, Usage, Verdicts,
    XlateView,
};
pub use wire::{ETHERNET_LEN, IPV4_LEN, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP};

/// The flow table's index by itself, for the benchmark that puts it beside other maps.
#[doc(hidden)]
pub mod bench {
    use alloc::vec::Vec;

    use crate::buckets::Buckets;
    use crate::hash::HashKey;

    /// Keys of two words, found as the flow table finds tuples.
    pub struct Table {
        keys: Vec<(u64, u64)>,
        index: Buckets,
        hash_key: HashKey,
    }

    impl Table {
        /// A table of `keys`, each mapped to its place.
        pub fn new(keys: impl Iterator<Item = (u64, u64)>) -> Self {
            let keys: Vec<_> = keys.collect();
            let mut index = Buckets::new(keys.len());
            let hash_key = HashKey::new(*b"an unlikely key.");
            for (place, key) in (0..).zip(&keys) {
                // Sized for them all.
                let _ = index.insert(hash_key.hash(key.0, key.1), place);
            }
            Self {
                keys,
                index,
                hash_key,
            }
        }

        /// The place of `key`.
        #[inline]
        pub fn find(&self, key: (u64, u64)) -> Option<u32> {
            self.find_hashed(self.hash_key.hash(key.0, key.1), key)
        }

        #[inline]
        fn find_hashed(&self, hash: u64, key: (u64, u64)) -> Option<u32> {
            self.index
                .find(hash, |place| self.keys.get(place as usize) == Some(&key))
        }

        /// The sum of the places of the keys of `numbers`, looked up as `handle_batch` does.
        pub fn find_batch(&self, numbers: &[u32], key: impl Fn(u32) -> (u64, u64)) -> u64 {
            let mut keys: heapless::Vec<((u64, u64), u64), 32> = heapless::Vec::new();
            for &number in numbers {
                let key = key(number);
                let _ = keys.push((key, self.hash_key.hash(key.0, key.1)));
            }
            let mut touched = 0u64;
            let mut places: heapless::Vec<u32, 32> = heapless::Vec::new();
            for &(_, hash) in &keys {
                if let Some(place) = self.index.peek(hash) {
                    let _ = places.push(place);
                }
            }
            for &place in &places {
                touched ^= self.keys.get(place as usize).map_or(0, |key| key.0);
            }
            core::hint::black_box(touched);
            keys.iter()
                .filter_map(|&(key, hash)| self.find_hashed(hash, key))
                .map(u64::from)
                .sum()
        }
    }
}

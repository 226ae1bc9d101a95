//! The addresses that are shared by port, with the ports of each.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use super::list;
use super::ports::{Ports, tiers};
use crate::policy::{AddressRange, PoolOptions};
use crate::view::PoolView;
use crate::wire::{PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP};

const PROTOCOLS: [u8; 3] = [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP];

/// A shared address.
pub(crate) struct SharedAddress {
    pub(crate) address: Ipv4Addr,
    /// How it is shared: as the first rule says that shares it.
    pub(crate) options: PoolOptions,
    /// That rule.
    rule: usize,
    /// TCP, UDP, ICMP.
    ports: [Ports; 3],
    /// Whether the present policy shares it.
    is_current: bool,
    /// Bindings on it, those of `extended` pools included.
    bindings: u32,
}

impl SharedAddress {
    pub(crate) fn ports(&self, protocol: u8) -> Option<&Ports> {
        self.ports.get(slot_of(protocol)?)
    }

    pub(crate) fn ports_mut(&mut self, protocol: u8) -> Option<&mut Ports> {
        self.ports.get_mut(slot_of(protocol)?)
    }
}

/// Whether `protocol` has ports to share an address by.
pub(crate) fn has_ports(protocol: u8) -> bool {
    slot_of(protocol).is_some()
}

fn slot_of(protocol: u8) -> Option<usize> {
    PROTOCOLS.iter().position(|&known| known == protocol)
}

/// All shared addresses. Bindings name them by their place, which does not change.
#[derive(Default)]
pub(crate) struct SharedAddresses {
    addresses: Vec<SharedAddress>,
    /// Places by address.
    sorted: Vec<(Ipv4Addr, u16)>,
    /// Addresses of static rules, which are not given to anybody whole.
    withheld: Vec<AddressRange>,
}

impl SharedAddresses {
    /// Begins a new policy: no address is shared, nothing is reserved; bindings stay.
    pub(crate) fn begin_policy(&mut self) {
        self.withheld.clear();
        for shared in &mut self.addresses {
            shared.is_current = false;
            for ports in &mut shared.ports {
                ports.clear_reserved();
            }
        }
    }

    /// Shares `address` under the present policy, on behalf of `rule`.
    pub(crate) fn share(&mut self, address: Ipv4Addr, options: PoolOptions, rule: usize) {
        if let Some(place) = self.place(address)
            && let Some(shared) = self.addresses.get_mut(usize::from(place))
        {
            if !shared.is_current {
                (shared.is_current, shared.options, shared.rule) = (true, options, rule);
            }
            return;
        }
        // The place of an address that nobody shares or uses any more, else a new one.
        let idle = self
            .addresses
            .iter()
            .position(|shared| !shared.is_current && shared.bindings == 0);
        let place = idle.unwrap_or(self.addresses.len());
        let Ok(number) = u16::try_from(place) else {
            return;
        };
        let shared = SharedAddress {
            address,
            options,
            rule,
            ports: core::array::from_fn(|_| Ports::new()),
            is_current: true,
            bindings: 0,
        };
        match self.addresses.get_mut(place) {
            Some(old) => {
                self.sorted.retain(|&(_, old)| old != number);
                *old = shared;
            }
            None => self.addresses.push(shared),
        }
        let at = self.sorted.partition_point(|&(other, _)| other < address);
        self.sorted.insert(at, (address, number));
    }

    /// Keeps `first..=last` of `protocol` on `addresses` out of the hands of bindings. Addresses
    /// with anything reserved are not given whole either.
    pub(crate) fn reserve(
        &mut self,
        addresses: &[AddressRange],
        protocol: u8,
        first: u16,
        last: u16,
    ) {
        for shared in &mut self.addresses {
            if list::holds(addresses, shared.address)
                && let Some(ports) = shared.ports_mut(protocol)
            {
                ports.reserve(first, last);
            }
        }
    }

    /// Keeps `addresses` from being given to one host.
    pub(crate) fn withhold(&mut self, addresses: &[AddressRange]) {
        self.withheld.extend_from_slice(addresses);
    }

    /// The policy is complete.
    pub(crate) fn end_policy(&mut self) {
        list::sort(&mut self.withheld);
    }

    /// Whether no host may have `address` for itself.
    pub(crate) fn is_withheld(&self, address: Ipv4Addr) -> bool {
        list::holds_sorted(&self.withheld, address) || self.is_shared(address)
    }

    /// Whether `address` is shared by port.
    pub(crate) fn is_shared(&self, address: Ipv4Addr) -> bool {
        self.place(address)
            .and_then(|place| self.get(place))
            .is_some_and(|shared| shared.is_current)
    }

    pub(crate) fn place(&self, address: Ipv4Addr) -> Option<u16> {
        let at = self
            .sorted
            .binary_search_by_key(&address, |&(address, _)| address)
            .ok()?;
        self.sorted.get(at).map(|&(_, place)| place)
    }

    pub(crate) fn get(&self, place: u16) -> Option<&SharedAddress> {
        self.addresses.get(usize::from(place))
    }

    pub(crate) fn get_mut(&mut self, place: u16) -> Option<&mut SharedAddress> {
        self.addresses.get_mut(usize::from(place))
    }

    /// A binding uses the address at `place`.
    pub(crate) fn hold(&mut self, place: u16) {
        if let Some(shared) = self.get_mut(place) {
            shared.bindings += 1;
        }
    }

    /// A binding is gone; its port is free again, unless others shared it (`extended`).
    pub(crate) fn release(&mut self, place: u16, protocol: u8, port: Option<u16>) {
        if let Some(shared) = self.get_mut(place) {
            shared.bindings = shared.bindings.saturating_sub(1);
            if let (Some(port), Some(ports)) = (port, shared.ports_mut(protocol)) {
                ports.give_back(port);
            }
        }
    }

    /// Use of the addresses that the present policy shares, by protocol and tier. What `extended`
    /// pools have given out is not counted here: see [`PoolView::allocated`].
    pub(crate) fn views(&self) -> impl Iterator<Item = PoolView> + '_ {
        self.addresses
            .iter()
            .filter(|shared| shared.is_current)
            .flat_map(|shared| {
                PROTOCOLS
                    .iter()
                    .zip(&shared.ports)
                    .flat_map(move |(&protocol, ports)| {
                        let tiers = tiers(protocol == PROTOCOL_ICMP, shared.options);
                        tiers.iter().map(move |tier| PoolView {
                            rule: shared.rule,
                            protocol: Some(protocol),
                            first_address: shared.address,
                            last_address: shared.address,
                            first: tier.first,
                            last: tier.last,
                            is_flat: shared.options.flat && protocol != PROTOCOL_ICMP,
                            allocated: ports.taken().count(tier.first, tier.last),
                        })
                    })
            })
    }
}

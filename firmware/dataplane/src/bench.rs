//! Stages of the packet path by themselves, for the benchmarks. No part of the interface.

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use hal::packet::PacketBuf;

use crate::access;
use crate::buckets::Buckets;
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::{Direction, Flow};
use crate::hash::HashKey;
use crate::nat::rewrite;
use crate::policy::{AccessList, AclId, AddressRange, Policy, PortId};
use crate::slowpath::{Hits, icmp_code};
use crate::v6::{Ace6, AddressRange6};
use crate::wire::{ETHERNET_LEN, Headers, Tuple};

/// Reads the headers of a frame.
///
/// # Errors
/// Why the frame is dropped.
#[inline]
pub fn parse(frame: &[u8]) -> Result<Parsed, DropReason> {
    Headers::parse(frame, ETHERNET_LEN, frame.len()).map(Parsed)
}

/// What [`parse`] found.
pub struct Parsed(Headers);

/// Whether the slow path would let `frame` open a flow.
pub fn decides_to_open(plane: &DataPlane, ingress: PortId, frame: &[u8], parsed: &Parsed) -> bool {
    let code = icmp_code(frame, &parsed.0);
    plane
        .decide(ingress, &parsed.0, code, &mut Hits::default())
        .is_ok()
}

/// The translation of one flow.
pub struct Rewrite(Flow);

impl Rewrite {
    /// From the packet `parsed` to one with the addresses and ports of `leaving`.
    pub fn new(parsed: &Parsed, leaving: &Parsed) -> Self {
        let mut flow = Flow::unused();
        let leaving: Tuple = leaving.0.tuple;
        flow.tuples = [parsed.0.tuple, leaving.reversed()];
        flow.protocol = parsed.0.protocol;
        flow.set_translation();
        Self(flow)
    }

    /// Translates one packet in place.
    #[inline]
    pub fn apply(&self, frame: &mut PacketBuf, parsed: &Parsed) {
        rewrite::translate(frame, &parsed.0, &self.0, Direction::Forward);
    }
}

/// The flow table's index: keys of two words, found as the flow table finds tuples.
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

/// A packet as access lists see it.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the names say it all")]
pub struct Probe {
    pub source: core::net::Ipv4Addr,
    pub destination: core::net::Ipv4Addr,
    pub protocol: u8,
    pub source_port: u16,
    pub destination_port: u16,
}

/// One access list in both of its forms.
pub struct AccessLookup {
    policy: Policy,
    index: access::Index,
}

impl AccessLookup {
    /// Compiles `list`, however short.
    pub fn new(list: AccessList) -> Self {
        let policy = Policy {
            access_lists: alloc::vec![list],
            access_global: Some(AclId(0)),
            ..Policy::default()
        };
        let mut index = access::Index::new(usize::MAX);
        index.compile_all(&policy);
        Self { policy, index }
    }

    /// The element that decides.
    pub fn compiled(&self, probe: &Probe) -> Option<usize> {
        let found = self
            .index
            .decide(&self.policy, AclId(0), &Self::candidate(probe));
        found.map(|(index, _)| index)
    }

    /// The same, element by element.
    pub fn linear(&self, probe: &Probe) -> Option<usize> {
        let list = self.policy.access_lists.first()?;
        access::linear::decide(list, &Self::candidate(probe)).map(|(index, _)| index)
    }

    /// Bytes of the compiled form.
    pub fn bytes(&self) -> usize {
        self.index.usage().bytes
    }

    fn candidate(probe: &Probe) -> access::Candidate {
        access::Candidate {
            source: probe.source,
            destination: probe.destination,
            protocol: probe.protocol,
            source_port: probe.source_port,
            destination_port: probe.destination_port,
            icmp_kind: 0,
            icmp_code: 0,
        }
    }
}

/// One access list about IPv6 in both of its forms: the addresses of an IPv4 list in 2001:db8::/96.
pub struct AccessLookup6 {
    policy: Policy,
    index: access::Index,
}

impl AccessLookup6 {
    /// Compiles the IPv6 twin of `list`.
    pub fn new(list: AccessList) -> Self {
        let sides = list.elements.iter().enumerate().map(|(element, ace)| Ace6 {
            element,
            source: twin_range(ace.source),
            destination: twin_range(ace.destination),
            icmp: None,
        });
        let mut policy = Policy {
            access_global: Some(AclId(0)),
            ..Policy::default()
        };
        policy.v6.access = alloc::vec![sides.collect()];
        policy.access_lists = alloc::vec![list];
        let mut index = access::Index::new(usize::MAX);
        index.rebuild(&Policy::default(), &policy);
        Self { policy, index }
    }

    /// Which element decides; `None` also if the list is too short to be compiled.
    pub fn compiled(&self, probe: &Probe) -> Option<usize> {
        let (source, destination) = (twin(probe.source), twin(probe.destination));
        let candidate = AccessLookup::candidate(probe);
        let found = self
            .index
            .decide6(AclId(0), source, destination, &candidate);
        found.ok().flatten()
    }

    /// The same, element by element.
    pub fn linear(&self, probe: &Probe) -> Option<usize> {
        let (source, destination) = (twin(probe.source), twin(probe.destination));
        let candidate = AccessLookup::candidate(probe);
        let elements = &self.policy.access_lists.first()?.elements;
        self.policy.v6.access.first()?.iter().position(|side| {
            side.source.contains(source)
                && side.destination.contains(destination)
                && elements.get(side.element).is_some_and(|element| {
                    element.is_active && access::matches_service(&element.service, &candidate)
                })
        })
    }
}

fn twin(address: Ipv4Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(address.to_bits()))
}

fn twin_range(range: AddressRange) -> AddressRange6 {
    match range {
        AddressRange::ANY => AddressRange6::ANY,
        range => AddressRange6 {
            first: twin(range.first),
            last: twin(range.last),
        },
    }
}

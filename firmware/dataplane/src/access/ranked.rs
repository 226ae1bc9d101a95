//! Lists about IPv6: addresses by their rank.
//!
//! What a list can tell apart are the intervals between the ends of its ranges, a few thousand of
//! 2^128 addresses. The intervals are numbered in order; an address becomes the number of the interval
//! it lies in, found by halving, and a range of addresses a range of numbers. These are numbers of 32
//! bits, so the list is compiled and searched as one about IPv4 ([`compiled`](super::compiled)).
//!
//! The protocols trade places likewise: ICMPv6 stands where that form looks for ICMP.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::Candidate;
use super::compiled::{Compiled, Estimate};
use crate::policy::{AccessList, Ace, AddressRange, Service};
use crate::v6::{Ace6, AddressRange6, PROTOCOL_ICMPV6};
use crate::wire::PROTOCOL_ICMP;

/// Where intervals begin, in order; the first, from the lowest address on, is not kept.
#[derive(Debug)]
struct Ranks(Vec<u128>);

impl Ranks {
    fn of(ranges: impl Iterator<Item = AddressRange6>) -> Self {
        let mut begins: Vec<u128> = ranges
            .filter(|range| range.first <= range.last)
            .flat_map(|range| {
                let first = Some(range.first.to_bits()).filter(|&first| first > 0);
                [first, range.last.to_bits().checked_add(1)]
            })
            .flatten()
            .collect();
        begins.sort_unstable();
        begins.dedup();
        begins.shrink_to_fit();
        Self(begins)
    }

    fn rank(&self, address: Ipv6Addr) -> u32 {
        let bits = address.to_bits();
        // Two for each element of a list that memory holds: far below 2^32.
        self.0.partition_point(|&begin| begin <= bits) as u32
    }

    fn range(&self, range: AddressRange6) -> AddressRange {
        if range.first > range.last {
            return AddressRange::NONE;
        }
        // Everything stays everything, and so one prefix.
        if range == AddressRange6::ANY {
            return AddressRange::ANY;
        }
        AddressRange {
            first: Ipv4Addr::from_bits(self.rank(range.first)),
            last: Ipv4Addr::from_bits(self.rank(range.last)),
        }
    }

    fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<u128>()
    }
}

/// A list about IPv6 in the form in which it is searched.
#[derive(Debug)]
pub(super) struct Ranked {
    sources: Ranks,
    destinations: Ranks,
    list: AccessList,
    compiled: Compiled,
}

impl Ranked {
    /// Compiles the IPv6 sides `own` of elements of `list`, unless that takes more than `bytes_max`.
    pub(super) fn new(list: &AccessList, own: &[Ace6], bytes_max: usize) -> Option<Self> {
        let sources = Ranks::of(own.iter().map(|ace| ace.source));
        let destinations = Ranks::of(own.iter().map(|ace| ace.destination));
        let elements = own.iter().map(|ace| Ace {
            source: sources.range(ace.source),
            destination: destinations.range(ace.destination),
            ..list
                .elements
                .get(ace.element)
                .map_or(NOTHING, |element| Ace {
                    service: service(element.service, ace.icmp),
                    ..*element
                })
        });
        let list = AccessList {
            name: String::new(),
            elements: elements.collect(),
        };
        let estimate = Estimate::of(&list);
        let own_bytes =
            sources.bytes() + destinations.bytes() + list.elements.capacity() * size_of::<Ace>();
        if estimate.bytes_at_most().saturating_add(own_bytes) > bytes_max {
            return None;
        }
        let compiled = Compiled::new(&list, estimate);
        Some(Self {
            sources,
            destinations,
            list,
            compiled,
        })
    }

    pub(super) fn bytes(&self) -> usize {
        self.sources.bytes()
            + self.destinations.bytes()
            + self.list.elements.capacity() * size_of::<Ace>()
            + self.compiled.bytes()
    }

    /// Which of the IPv6 sides decides about a packet; `candidate` has its protocol, ports, type as on
    /// the wire.
    pub(super) fn decide(
        &self,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        candidate: &Candidate,
    ) -> Option<usize> {
        let ranked = Candidate {
            source: Ipv4Addr::from_bits(self.sources.rank(source)),
            destination: Ipv4Addr::from_bits(self.destinations.rank(destination)),
            protocol: swapped(candidate.protocol),
            ..*candidate
        };
        self.compiled.first_match(&self.list.elements, &ranked)
    }
}

/// An element that takes no part, for a side without its element.
const NOTHING: Ace = Ace {
    action: crate::policy::Action::Deny,
    source: AddressRange::NONE,
    destination: AddressRange::NONE,
    service: Service::Any,
    log: crate::policy::AceLog::Default,
    is_active: false,
};

fn service(service: Service, icmp: Option<(Option<u8>, Option<u8>)>) -> Service {
    match (service, icmp) {
        (_, Some((kind, code))) => Service::Icmp { kind, code },
        (Service::Protocol(PROTOCOL_ICMPV6), None) => Service::Icmp {
            kind: None,
            code: None,
        },
        (Service::Protocol(protocol), None) => Service::Protocol(swapped(protocol)),
        // ICMP of IPv4 within IPv6, which only a broken packet has: by its number.
        (Service::Icmp { .. }, None) => Service::Protocol(PROTOCOL_ICMPV6),
        (Service::Any | Service::Ports { .. }, None) => service,
    }
}

/// ICMP and ICMPv6 in each other's place.
const fn swapped(protocol: u8) -> u8 {
    match protocol {
        PROTOCOL_ICMPV6 => PROTOCOL_ICMP,
        PROTOCOL_ICMP => PROTOCOL_ICMPV6,
        other => other,
    }
}

//! Which translation rule applies. Order and semantics: the three sections of the ASA, first match
//! wins; a `destination` clause makes source and destination one decision, otherwise the two are
//! looked up apart.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use hal::time::Instant;

use super::list::{self, shift};
use super::pool::{Pool, PoolState};
use crate::access::transport_of;
use crate::policy::{
    AddressRange, MappedAddress, NatRule, NatSection, Policy, PoolOptions, PortId, PortTranslation,
    SourceNat, Transport,
};
use crate::wire::Tuple;

/// A rule with its counters.
pub(crate) struct CompiledRule {
    pub(crate) rule: NatRule,
    /// Its number within its section, from 1.
    pub(crate) number: usize,
    /// Where it stands in the policy.
    pub(crate) in_policy: usize,
    pub(crate) translate_hits: u64,
    pub(crate) untranslate_hits: u64,
    pub(crate) last_used: Instant,
    /// Of dynamic rules.
    pub(crate) pool: PoolState,
}

/// What a packet's destination becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DestinationChoice {
    pub(crate) rule: usize,
    pub(crate) address: Ipv4Addr,
    pub(crate) port: u16,
    /// The egress the rule dictates.
    pub(crate) egress: Option<PortId>,
    /// What the source becomes, if the same rule decides that.
    pub(crate) source: DestinationSource,
}

/// How a destination rule treats the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DestinationSource {
    /// Looked up apart.
    Separate,
    /// The packet is in the rule's own direction: its source part applies.
    SameRule,
    /// The packet comes from the mapped side of a rule with a destination part.
    Translated(Ipv4Addr, u16),
}

/// What a packet's source becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SourceChoice {
    /// By a static rule.
    Static {
        rule: usize,
        address: Ipv4Addr,
        port: u16,
    },
    /// By an address or port of the rule's pool.
    Dynamic { rule: usize },
}

/// The rules in the order they are tried, indexed by interface.
#[derive(Default)]
pub(crate) struct NatTable {
    rules: Vec<CompiledRule>,
    ports: usize,
    /// Address of each port that has one.
    addresses: Vec<Option<AddressRange>>,
    /// Rules from the real side `a` to the mapped side `b`, at `a * ports + b`.
    by_pair: Vec<Vec<u16>>,
    /// Rules that may decide about the destination of what arrives at a port.
    by_ingress: Vec<Vec<u16>>,
    /// Addresses to answer ARP for at a port: sorted, not overlapping.
    answered: Vec<Vec<AddressRange>>,
    /// Addresses that dynamic rules give whole: sorted, not overlapping.
    given: Vec<AddressRange>,
    /// Where each rule of the policy stands here.
    places: Vec<usize>,
}

impl NatTable {
    /// Sorts and indexes the rules of `policy` for a box of `ports` ports. Equal rules of `before`
    /// keep their counters.
    pub(crate) fn new(policy: &Policy, ports: usize, before: &Self, now: Instant) -> Self {
        let mut addresses = alloc::vec![None; ports];
        for interface in &policy.interfaces {
            if let Some(address) = addresses.get_mut(interface.port.index()) {
                *address = Some(AddressRange::host(interface.address));
            }
        }
        let mut sorted: Vec<(usize, &NatRule)> = policy.nat.iter().enumerate().collect();
        // Stable: manual sections keep their order.
        sorted.sort_by(|(_, a), (_, b)| {
            a.section.cmp(&b.section).then_with(|| {
                if a.section == NatSection::Auto {
                    // Rules of IPv6 come in their order, behind the others.
                    let families = (is_of_ipv6(a), is_of_ipv6(b));
                    match families {
                        (false, false) => auto_order(a).cmp(&auto_order(b)),
                        (a, b) => a.cmp(&b),
                    }
                } else {
                    core::cmp::Ordering::Equal
                }
            })
        });
        let counters: BTreeMap<&NatRule, &CompiledRule> = before
            .rules
            .iter()
            .map(|compiled| (&compiled.rule, compiled))
            .collect();
        let mut numbers: BTreeMap<NatSection, usize> = BTreeMap::new();
        let mut places = alloc::vec![usize::MAX; sorted.len()];
        for (place, (number, _)) in sorted.iter().enumerate() {
            if let Some(known) = places.get_mut(*number) {
                *known = place;
            }
        }
        let rules: Vec<CompiledRule> = sorted
            .into_iter()
            .map(|(in_policy, rule)| {
                let number = numbers.entry(rule.section).or_default();
                *number += 1;
                let known = counters.get(rule);
                CompiledRule {
                    rule: rule.clone(),
                    number: *number,
                    in_policy,
                    translate_hits: known.map_or(0, |known| known.translate_hits),
                    untranslate_hits: known.map_or(0, |known| known.untranslate_hits),
                    last_used: known.map_or(now, |known| known.last_used),
                    pool: known.map_or_else(PoolState::default, |known| PoolState {
                        whole_full_at: None,
                        ..known.pool
                    }),
                }
            })
            .collect();
        let mut table = Self {
            rules,
            ports,
            addresses,
            by_pair: alloc::vec![Vec::new(); ports * ports],
            by_ingress: alloc::vec![Vec::new(); ports],
            answered: alloc::vec![Vec::new(); ports],
            given: Vec::new(),
            places,
        };
        table.index();
        table.collect_answered(policy);
        table
    }

    fn index(&mut self) {
        for compiled in self.rules.iter().filter(|compiled| !compiled.rule.inactive) {
            if let SourceNat::Dynamic { pool, .. } = &compiled.rule.source {
                self.given.extend_from_slice(&pool.one_to_one);
            }
        }
        list::sort(&mut self.given);
        for (number, compiled) in (0u16..).zip(&self.rules) {
            let rule = &compiled.rule;
            if rule.inactive || is_of_ipv6(rule) {
                continue;
            }
            for real in 0..self.ports {
                if !is_on(rule.real_interface, real) {
                    continue;
                }
                for mapped in 0..self.ports {
                    // `any` to `any` covers every pair, itself included.
                    if is_on(rule.mapped_interface, mapped) {
                        self.by_pair[real * self.ports + mapped].push(number);
                    }
                }
            }
            for (port, list) in self.by_ingress.iter_mut().enumerate() {
                if is_on(rule.real_interface, port) || is_on(rule.mapped_interface, port) {
                    list.push(number);
                }
            }
        }
    }

    /// Proxy ARP: mapped addresses within the network of the mapped interface, but not its own
    /// address, and not where real and mapped are the same host behind that very interface.
    fn collect_answered(&mut self, policy: &Policy) {
        for interface in policy
            .interfaces
            .iter()
            .filter(|interface| interface.proxy_arp)
        {
            let port = interface.port.index();
            let network = interface.network();
            let mut ranges = Vec::new();
            for compiled in &self.rules {
                let rule = &compiled.rule;
                if rule.inactive || rule.no_proxy_arp || !is_on(rule.mapped_interface, port) {
                    continue;
                }
                match &rule.source {
                    SourceNat::Static {
                        real,
                        mapped: MappedAddress::Ranges(mapped),
                    } => {
                        // An identity rule of `any` would claim the interface's own neighbours.
                        let is_neighbours = real == mapped
                            && rule
                                .real_interface
                                .is_none_or(|real| real == interface.port)
                            && real.iter().any(|real| {
                                real.first <= network.last && network.first <= real.last
                            });
                        if !is_neighbours && list::total(real) > 0 {
                            ranges.extend_from_slice(mapped);
                        }
                    }
                    SourceNat::Static {
                        mapped: MappedAddress::Interface,
                        ..
                    } => {}
                    SourceNat::Dynamic { pool, .. } => {
                        ranges.extend(pool.addresses.iter().chain(&pool.one_to_one));
                    }
                }
            }
            for range in &mut ranges {
                range.first = range.first.max(network.first);
                range.last = range.last.min(network.last);
            }
            list::sort(&mut ranges);
            if let Some(answered) = self.answered.get_mut(port) {
                *answered = ranges;
            }
        }
    }

    /// Whether ARP for `address` is answered at `port`.
    pub(crate) fn answers_for(&self, port: PortId, address: Ipv4Addr) -> bool {
        self.answered
            .get(port.index())
            .is_some_and(|ranges| list::holds_sorted(ranges, address))
    }

    /// The ranges that ARP is answered for at `port`.
    pub(crate) fn answered(&self, port: PortId) -> &[AddressRange] {
        self.answered
            .get(port.index())
            .map_or(&[], |ranges| ranges.as_slice())
    }

    /// Whether a dynamic rule gives `address` whole to one host at a time.
    pub(crate) fn is_given(&self, address: Ipv4Addr) -> bool {
        list::holds_sorted(&self.given, address)
    }

    /// The addresses shared by port, of every active dynamic rule, and how; with the rule.
    pub(crate) fn shared_addresses(
        &self,
    ) -> impl Iterator<Item = (Ipv4Addr, PoolOptions, usize)> + '_ {
        self.rules
            .iter()
            .enumerate()
            .filter(|(_, compiled)| !compiled.rule.inactive)
            .flat_map(move |(rule, compiled)| {
                let mapped = compiled.rule.mapped_interface;
                (0..self.ports)
                    .filter(move |&port| is_on(mapped, port))
                    // The number of ports is that of a u8.
                    .filter_map(move |port| self.pool(rule, PortId(port as u8)))
                    .flat_map(move |pool| {
                        (0..=pool.shared_count()).filter_map(move |place| {
                            let address = pool.shared_at(place)?;
                            // The interface is shared in the plain way, whoever falls back to it.
                            let options = if place < pool.shared_count() {
                                pool.options
                            } else {
                                PoolOptions::default()
                            };
                            Some((address, options, rule))
                        })
                    })
            })
    }

    /// Mapped addresses and ports of static rules, which no binding may use.
    pub(crate) fn reserved(
        &self,
    ) -> impl Iterator<Item = (&[AddressRange], Option<PortTranslation>)> + '_ {
        self.rules
            .iter()
            .filter(|compiled| !compiled.rule.inactive)
            .flat_map(move |compiled| {
                let rule = &compiled.rule;
                (0..self.ports)
                    .filter(|&port| is_on(rule.mapped_interface, port))
                    .filter_map(move |port| match &rule.source {
                        SourceNat::Static { mapped, .. } if !is_identity(rule) => {
                            Some((self.resolve(mapped, PortId(port as u8))?, rule.service))
                        }
                        _ => None,
                    })
            })
    }

    /// The pool of dynamic rule `rule` when packets leave by `egress`.
    pub(crate) fn pool(&self, rule: usize, egress: PortId) -> Option<Pool<'_>> {
        let SourceNat::Dynamic { pool, .. } = &self.rules.get(rule)?.rule.source else {
            return None;
        };
        let own = || self.addresses.get(egress.index()).copied().flatten();
        Some(Pool {
            whole: &pool.one_to_one,
            shared: &pool.addresses,
            interface: pool
                .interface
                .then(own)
                .flatten()
                .map(|address| address.first),
            options: pool.options,
        })
    }

    /// How the pool of `rule` is shared.
    pub(crate) fn pool_options(&self, rule: usize) -> PoolOptions {
        match self.rules.get(rule).map(|compiled| &compiled.rule.source) {
            Some(SourceNat::Dynamic { pool, .. }) => pool.options,
            _ => PoolOptions::default(),
        }
    }

    fn resolve<'a>(
        &'a self,
        mapped: &'a MappedAddress,
        port: PortId,
    ) -> Option<&'a [AddressRange]> {
        match mapped {
            MappedAddress::Ranges(ranges) => Some(ranges),
            MappedAddress::Interface => self
                .addresses
                .get(port.index())?
                .as_ref()
                .map(core::slice::from_ref),
        }
    }

    /// Un-NAT: what the destination of a new packet arriving at `ingress` becomes. `routed` is
    /// where the packet would go as it is.
    pub(crate) fn untranslate(
        &self,
        ingress: PortId,
        protocol: u8,
        tuple: &Tuple,
        routed: Option<PortId>,
    ) -> Option<DestinationChoice> {
        // Set once an earlier rule has claimed the source: later rules with a destination clause
        // cannot apply, though later rules may still know the destination as a mapped address.
        let mut is_source_taken = false;
        for &number in self.by_ingress.get(ingress.index())? {
            let number = usize::from(number);
            let rule = &self.rules.get(number)?.rule;
            if is_on(rule.mapped_interface, ingress.index())
                && let Some((address, port, source)) =
                    self.untranslate_by(rule, ingress, protocol, tuple)
            {
                let egress = rule.real_interface.filter(|_| !rule.route_lookup);
                return Some(DestinationChoice {
                    rule: number,
                    address,
                    port,
                    egress,
                    source,
                });
            }
            if is_source_taken || !is_on(rule.real_interface, ingress.index()) {
                continue;
            }
            if !matches_source(rule, protocol, tuple.source, tuple.source_port) {
                continue;
            }
            match &rule.destination {
                Some(destination) => {
                    let Some(mapped) = self.resolve(&destination.mapped, ingress) else {
                        continue;
                    };
                    let Some(address) = shift(tuple.destination, mapped, &destination.real) else {
                        continue;
                    };
                    let Some(port) = forward_port(
                        rule.destination_service.map(PortTranslation::swapped),
                        protocol,
                        tuple.destination_port,
                    ) else {
                        continue;
                    };
                    let egress = rule.mapped_interface.filter(|_| !rule.route_lookup);
                    let source = DestinationSource::SameRule;
                    return Some(DestinationChoice {
                        rule: number,
                        address,
                        port,
                        egress,
                        source,
                    });
                }
                None => {
                    is_source_taken = rule.section != NatSection::Auto
                        && rule
                            .mapped_interface
                            .is_none_or(|mapped| Some(mapped) == routed);
                }
            }
        }
        None
    }

    /// The reverse of a static rule: the packet comes from its mapped side.
    fn untranslate_by(
        &self,
        rule: &NatRule,
        ingress: PortId,
        protocol: u8,
        tuple: &Tuple,
    ) -> Option<(Ipv4Addr, u16, DestinationSource)> {
        let SourceNat::Static { real, mapped } = &rule.source else {
            return None;
        };
        if rule.unidirectional {
            return None;
        }
        let mapped = self.resolve(mapped, ingress)?;
        let address = shift(tuple.destination, mapped, real)?;
        let port = forward_port(
            rule.service.map(PortTranslation::swapped),
            protocol,
            tuple.destination_port,
        )?;
        let source = match &rule.destination {
            None => DestinationSource::Separate,
            Some(destination) => {
                let side = rule.real_interface.unwrap_or(ingress);
                let seen = self.resolve(&destination.mapped, side)?;
                let source = shift(tuple.source, &destination.real, seen)?;
                let port = forward_port(rule.destination_service, protocol, tuple.source_port)?;
                DestinationSource::Translated(source, port)
            }
        };
        Some((address, port, source))
    }

    /// What the source of a new packet from `ingress` to `egress` becomes, by rules without a
    /// destination clause.
    pub(crate) fn translate_source(
        &self,
        ingress: PortId,
        egress: PortId,
        protocol: u8,
        address: Ipv4Addr,
        port: u16,
    ) -> Option<SourceChoice> {
        self.pair(ingress, egress)
            .filter(|&number| {
                self.rules
                    .get(number)
                    .is_some_and(|compiled| compiled.rule.destination.is_none())
            })
            .find_map(|number| self.translate_source_by(number, egress, protocol, address, port))
    }

    /// What rule `number` makes of a source when packets leave by `egress`.
    pub(crate) fn translate_source_by(
        &self,
        number: usize,
        egress: PortId,
        protocol: u8,
        address: Ipv4Addr,
        port: u16,
    ) -> Option<SourceChoice> {
        let rule = &self.rules.get(number)?.rule;
        if !matches_source(rule, protocol, address, port) {
            return None;
        }
        match &rule.source {
            SourceNat::Dynamic { .. } => Some(SourceChoice::Dynamic { rule: number }),
            SourceNat::Static { real, mapped } => Some(SourceChoice::Static {
                rule: number,
                address: shift(address, real, self.resolve(mapped, egress)?)?,
                port: forward_port(rule.service, protocol, port)?,
            }),
        }
    }

    /// Rules from the real side `real` to the mapped side `mapped`, in order.
    fn pair(&self, real: PortId, mapped: PortId) -> impl Iterator<Item = usize> + '_ {
        let is_inside = real.index() < self.ports && mapped.index() < self.ports;
        let list = is_inside
            .then(|| self.by_pair.get(real.index() * self.ports + mapped.index()))
            .flatten();
        list.into_iter()
            .flatten()
            .map(|&number| usize::from(number))
    }

    /// See [`DataPlane::translate_endpoint`](crate::DataPlane::translate_endpoint).
    pub(crate) fn translate_endpoint(
        &self,
        real_side: PortId,
        mapped_side: PortId,
        transport: Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        self.map_endpoint(
            real_side,
            mapped_side,
            transport,
            port,
            |real, mapped, service| (shift(address, real, mapped), service),
        )
    }

    /// See [`DataPlane::untranslate_endpoint`](crate::DataPlane::untranslate_endpoint).
    pub(crate) fn untranslate_endpoint(
        &self,
        real_side: PortId,
        mapped_side: PortId,
        transport: Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        self.map_endpoint(
            real_side,
            mapped_side,
            transport,
            port,
            |real, mapped, service| {
                (
                    shift(address, mapped, real),
                    service.map(PortTranslation::swapped),
                )
            },
        )
    }

    fn map_endpoint(
        &self,
        real_side: PortId,
        mapped_side: PortId,
        transport: Transport,
        port: Option<u16>,
        map: impl Fn(
            &[AddressRange],
            &[AddressRange],
            Option<PortTranslation>,
        ) -> (Option<Ipv4Addr>, Option<PortTranslation>),
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        let mut address_only = None;
        for number in self.pair(real_side, mapped_side) {
            let Some(CompiledRule { rule, .. }) = self.rules.get(number) else {
                continue;
            };
            let SourceNat::Static { real, mapped } = &rule.source else {
                continue;
            };
            let Some(mapped) = self.resolve(mapped, mapped_side) else {
                continue;
            };
            let (Some(address), service) = map(real, mapped, rule.service) else {
                continue;
            };
            match (port, service) {
                (Some(port), _) => {
                    if let Some(port) = forward_port(service, transport.protocol(), port) {
                        return Some((address, Some(port)));
                    }
                }
                (None, None) => return Some((address, None)),
                (None, Some(service)) if service.transport == transport => {
                    address_only = address_only.or(Some((address, None)));
                }
                (None, Some(_)) => {}
            }
        }
        address_only
    }

    /// What an address in a DNS answer from `from` to `to` becomes, by static rules with `dns`. Those
    /// who ask know the host by its real address if they are on the real side, else by its mapped one.
    pub(crate) fn answer(&self, from: PortId, to: PortId, address: Ipv4Addr) -> Option<Ipv4Addr> {
        let rules = self.rules.iter().map(|compiled| &compiled.rule);
        rules
            .filter(|rule| rule.dns && !rule.inactive && rule.service.is_none())
            .find_map(|rule| {
                let SourceNat::Static { real, mapped } = &rule.source else {
                    return None;
                };
                let (real_side, mapped_side) = (rule.real_interface, rule.mapped_interface);
                if is_on(mapped_side, from.index()) && is_on(real_side, to.index()) {
                    let mapped = self.resolve(mapped, from)?;
                    if let Some(address) = shift(address, mapped, real) {
                        return Some(address);
                    }
                }
                if is_on(real_side, from.index()) && is_on(mapped_side, to.index()) {
                    return shift(address, real, self.resolve(mapped, to)?);
                }
                None
            })
    }

    /// The rules in the order they are tried.
    pub(crate) fn rules(&self) -> &[CompiledRule] {
        &self.rules
    }

    /// The rule that stands at `number` in the policy.
    pub(crate) fn placed_mut(&mut self, number: usize) -> Option<&mut CompiledRule> {
        self.rules.get_mut(*self.places.get(number)?)
    }

    pub(crate) fn rule_mut(&mut self, number: usize) -> Option<&mut CompiledRule> {
        self.rules.get_mut(number)
    }

    pub(crate) fn clear_hits(&mut self) {
        for compiled in &mut self.rules {
            compiled.translate_hits = 0;
            compiled.untranslate_hits = 0;
            compiled.pool.exhausted = 0;
        }
    }

    /// The real and the mapped addresses of static rule `number`, where it names a mapped interface
    /// or address.
    pub(crate) fn static_mapping(
        &self,
        number: usize,
    ) -> Option<(&[AddressRange], &[AddressRange])> {
        let rule = &self.rules.get(number)?.rule;
        let SourceNat::Static { real, mapped } = &rule.source else {
            return None;
        };
        let mapped = match (rule.mapped_interface, mapped) {
            (Some(port), _) => self.resolve(mapped, port)?,
            (None, MappedAddress::Ranges(ranges)) => ranges,
            (None, MappedAddress::Interface) => return None,
        };
        Some((real, mapped))
    }
}

impl PortTranslation {
    /// The translation the other way.
    const fn swapped(self) -> Self {
        Self {
            transport: self.transport,
            real: self.mapped,
            mapped: self.real,
            more: self.more,
        }
    }
}

/// Whether a rule leaves addresses and ports as they are.
pub(crate) fn is_identity(rule: &NatRule) -> bool {
    match &rule.source {
        SourceNat::Static {
            real,
            mapped: MappedAddress::Ranges(mapped),
        } => {
            real == mapped
                && rule
                    .service
                    .is_none_or(|service| service.real == service.mapped)
        }
        _ => false,
    }
}

/// Whether a rule has no IPv4 addresses; then its IPv6 side has those it is about
/// ([`StaticNat6`](crate::StaticNat6)).
pub(crate) fn is_of_ipv6(rule: &NatRule) -> bool {
    matches!(&rule.source, SourceNat::Static { real, .. } if real.is_empty())
}

/// The order of auto rules: static before dynamic, fewer addresses, lower address, name.
fn auto_order(rule: &NatRule) -> (bool, u64, Ipv4Addr, &str) {
    let (is_dynamic, ranges) = match &rule.source {
        SourceNat::Static { real, .. } => (false, real),
        SourceNat::Dynamic { real, .. } => (true, real),
    };
    let size = list::total(ranges);
    let first = ranges
        .iter()
        .map(|range| range.first)
        .min()
        .unwrap_or(Ipv4Addr::UNSPECIFIED);
    (is_dynamic, size, first, &rule.object)
}

fn is_on(interface: Option<PortId>, port: usize) -> bool {
    interface.is_none_or(|interface| interface.index() == port)
}

fn matches_source(rule: &NatRule, protocol: u8, address: Ipv4Addr, port: u16) -> bool {
    let (SourceNat::Static { real, .. } | SourceNat::Dynamic { real, .. }) = &rule.source;
    list::holds(real, address) && forward_port(rule.service, protocol, port).is_some()
}

/// `port` after `service`, or `None` if the service is about another protocol or port.
fn forward_port(service: Option<PortTranslation>, protocol: u8, port: u16) -> Option<u16> {
    let Some(service) = service else {
        return Some(port);
    };
    let place = port.checked_sub(service.real)?;
    let is_meant = transport_of(protocol) == Some(service.transport) && place <= service.more;
    is_meant
        .then(|| service.mapped.checked_add(place))
        .flatten()
}

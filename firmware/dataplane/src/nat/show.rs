//! Reading translation out, and clearing it.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

use hal::time::Instant;

use super::bindings::{Binding, Kind};
use super::list;
use super::rules::{CompiledRule, is_identity};
use crate::engine::DataPlane;
use crate::event::FlowEnd;
use crate::flow::{Direction, Flags, Flow, NONE};
use crate::policy::{AddressRange, NatSection, PortId, SourceNat};
use crate::tell::xlate_ended;
use crate::v6::StaticNat6;
use crate::view::{NatRuleView, PoolView, Usage, XlateView, XlateView6};
use crate::wheel::{TICK, Tick, tick_of};

impl DataPlane {
    /// Translations: static ones first, in the order of the rules, then dynamic ones.
    pub fn xlates(&self, now: Instant) -> impl Iterator<Item = XlateView> + '_ {
        self.xlates_within(0..self.xlate_records(), now)
    }

    /// Records of translations, so that a long list can be made piece by piece: those of the rules
    /// first, then those of dynamic ones.
    #[must_use]
    pub fn xlate_records(&self) -> u32 {
        // Rules are numbered by u16.
        (self.nat.rules().len() as u32).saturating_add(self.bindings.usage().limit)
    }

    /// Translations whose records are among `records`.
    pub fn xlates_within(
        &self,
        records: Range<u32>,
        now: Instant,
    ) -> impl Iterator<Item = XlateView> + '_ {
        let rules = self.nat.rules().len() as u32;
        let of_rules = records.start.min(rules)..records.end.min(rules);
        let of_bindings = records.start.saturating_sub(rules)..records.end.saturating_sub(rules);
        let statics = of_rules.flat_map(move |number| self.static_views(number as usize, now));
        let present = tick_of(now);
        let dynamics = self
            .bindings
            .iter_within(of_bindings)
            .map(move |(_, binding)| self.dynamic_view(binding, present));
        statics.chain(dynamics)
    }

    fn dynamic_view(&self, binding: &Binding, now: Tick) -> XlateView {
        let endpoint = &binding.endpoint;
        // A binding that is in use is as fresh as its flows; only the last to leave notes it.
        let idle = if binding.flows > 0 {
            0
        } else {
            now.saturating_sub(binding.last_used)
        };
        let is_port = binding.kind == Kind::Port;
        let timeouts = &self.policy.timeouts;
        XlateView {
            protocol: is_port.then_some(endpoint.protocol),
            real_port: Some(endpoint.real_port),
            real: AddressRange::host(endpoint.address),
            real_service: is_port.then_some(endpoint.service),
            mapped_port: Some(endpoint.mapped_port),
            mapped: AddressRange::host(binding.mapped),
            mapped_service: is_port.then_some(binding.mapped_service),
            more: 0,
            is_static: false,
            is_identity: false,
            is_twice: binding.traits.is_twice,
            is_dns: binding.traits.is_dns,
            is_extended: binding.is_extended(),
            is_net_to_net: false,
            idle: TICK * idle,
            timeout: match (is_port, binding.traits.is_per_session) {
                (false, _) => timeouts.xlate,
                (true, true) => Duration::ZERO,
                (true, false) => timeouts.pat_xlate,
            },
        }
    }

    /// One view for each run of addresses that stand beside each other in both lists; one in all
    /// where lists of one range differ in length.
    fn static_views(&self, number: usize, now: Instant) -> impl Iterator<Item = XlateView> + '_ {
        let compiled = self.nat.rules().get(number);
        let mapping = compiled
            .filter(|compiled| !compiled.rule.inactive)
            .and_then(|_| self.nat.static_mapping(number));
        let whole = match mapping {
            Some(([real], [mapped])) => Some((*real, *mapped)),
            _ => None,
        };
        let runs = mapping
            .filter(|_| whole.is_none())
            .into_iter()
            .flat_map(|(real, mapped)| list::beside(real, mapped));
        whole
            .into_iter()
            .chain(runs)
            .filter_map(move |(real, mapped)| {
                let compiled = compiled?;
                let rule = &compiled.rule;
                Some(XlateView {
                    protocol: rule.service.map(|service| service.transport.protocol()),
                    real_port: rule.real_interface,
                    real,
                    real_service: rule.service.map(|service| service.real),
                    mapped_port: rule.mapped_interface,
                    mapped,
                    mapped_service: rule.service.map(|service| service.mapped),
                    more: rule.service.map_or(0, |service| service.more),
                    is_static: true,
                    is_identity: is_identity(rule),
                    is_twice: rule.section != NatSection::Auto,
                    is_dns: rule.dns,
                    is_extended: false,
                    is_net_to_net: rule.net_to_net,
                    idle: now.since(compiled.last_used),
                    timeout: Duration::ZERO,
                })
            })
    }

    /// How many translations there are, static and dynamic.
    #[must_use]
    pub fn xlate_usage(&self) -> Usage {
        let fixed = (0..self.nat.rules().len())
            .map(|number| self.static_views(number, Instant::from_secs(0)).count())
            .sum::<usize>()
            .saturating_add(self.policy.v6.nat.len());
        // Rules are numbered by u16, and their ranges are few.
        let fixed = u32::try_from(fixed).unwrap_or(u32::MAX);
        let dynamic = self.bindings.usage();
        Usage {
            in_use: dynamic.in_use.saturating_add(fixed),
            most_used: dynamic.most_used.saturating_add(fixed),
            limit: dynamic.limit.saturating_add(fixed),
        }
    }

    /// Use of the addresses that dynamic rules hand out.
    pub fn pools(&self) -> impl Iterator<Item = PoolView> + '_ {
        let mut views = self.bindings.pools();
        let whole = views.len();
        for (rule, compiled) in self.nat.rules().iter().enumerate() {
            if let SourceNat::Dynamic { pool, .. } = &compiled.rule.source
                && !compiled.rule.inactive
            {
                views.extend(pool.one_to_one.iter().map(|range| PoolView {
                    rule,
                    protocol: None,
                    first_address: range.first,
                    last_address: range.last,
                    first: 0,
                    last: 0,
                    is_flat: false,
                    allocated: 0,
                }));
            }
        }
        let given = self.bindings.iter().map(|(_, binding)| binding);
        for binding in given.filter(|binding| binding.kind == Kind::Address) {
            for view in views.iter_mut().skip(whole) {
                let range = AddressRange {
                    first: view.first_address,
                    last: view.last_address,
                };
                view.allocated += u32::from(range.contains(binding.mapped));
            }
        }
        views.into_iter()
    }

    /// The IPv6 sides of a rule.
    fn v6_sides(&self, compiled: &CompiledRule) -> &[StaticNat6] {
        // They stand in the order of the rules.
        let all = &self.policy.v6.nat;
        let first = all.partition_point(|side| side.rule < compiled.in_policy);
        let end = all.partition_point(|side| side.rule <= compiled.in_policy);
        all.get(first..end).unwrap_or_default()
    }

    /// Static translations of IPv6 addresses, in the order of the rules.
    pub fn xlates6(&self, now: Instant) -> impl Iterator<Item = XlateView6> + '_ {
        self.nat.rules().iter().flat_map(move |compiled| {
            self.v6_sides(compiled).iter().map(move |side| XlateView6 {
                real_port: side.real_interface,
                real: side.real,
                mapped_port: side.mapped_interface,
                mapped: side.mapped,
                is_twice: compiled.rule.section != NatSection::Auto,
                idle: now.since(compiled.last_used),
            })
        })
    }

    /// Translation rules in the order they are tried.
    pub fn nat_rules(&self) -> impl Iterator<Item = NatRuleView<'_>> + '_ {
        self.nat.rules().iter().map(|compiled| NatRuleView {
            rule: &compiled.rule,
            v6: self.v6_sides(compiled),
            number: compiled.number,
            translate_hits: compiled.translate_hits,
            untranslate_hits: compiled.untranslate_hits,
            exhausted: compiled.pool.exhausted,
        })
    }

    /// The addresses that ARP is answered for at `port` on behalf of translation rules.
    #[must_use]
    pub fn proxied(&self, port: PortId) -> &[AddressRange] {
        self.nat.answered(port)
    }

    /// Zeroes the hit counters of the translation rules.
    pub fn clear_nat_hits(&mut self) {
        self.nat.clear_hits();
    }

    /// Ends the translations that `which` chooses, and the flows that use them. Static ones are
    /// there again at once. Returns how many flows ended.
    pub fn clear_xlates(&mut self, mut which: impl FnMut(&XlateView) -> bool, now: Instant) -> u32 {
        let present = tick_of(now);
        let bindings: BTreeSet<u32> = self
            .bindings
            .iter()
            .filter(|(_, binding)| which(&self.dynamic_view(binding, present)))
            .map(|(index, _)| index)
            .collect();
        let statics: Vec<XlateView> = (0..self.nat.rules().len())
            .flat_map(|number| self.static_views(number, now))
            .filter(which)
            .collect();
        let ended = self.end_flows(FlowEnd::Cleared, now, |flow| {
            flow.flags.has(Flags::TRANSLATED)
                && if flow.binding == NONE {
                    statics.iter().any(|view| uses(flow, view))
                } else {
                    bindings.contains(&flow.binding)
                }
        });
        self.bindings.clear_unused(bindings.into_iter(), |gone| {
            self.events.push(xlate_ended(&gone, present));
        });
        ended
    }
}

/// Whether one side of the flow is seen through the static translation.
fn uses(flow: &Flow, view: &XlateView) -> bool {
    let is_meant = |port: u16, first: Option<u16>| {
        first.is_none_or(|first| {
            port.checked_sub(first)
                .is_some_and(|place| place <= view.more)
        })
    };
    view.protocol
        .is_none_or(|protocol| protocol == flow.protocol)
        && [Direction::Forward, Direction::Reply]
            .into_iter()
            .any(|direction| {
                let (real, mapped) = (flow.arriving(direction), flow.leaving(direction));
                view.real.contains(real.source)
                    && view.mapped.contains(mapped.source)
                    && is_meant(real.source_port, view.real_service)
                    && is_meant(mapped.source_port, view.mapped_service)
            })
}

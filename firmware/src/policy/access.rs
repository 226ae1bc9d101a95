//! Access lists: names resolved, objects and groups expanded.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use config::Config;
use config::model::{
    AccessLine, AccessList, AccessRule, Action, MatchedAddresses, PortMatch, RuleLog, RuleMatch,
    Service,
};
use dataplane::{Ace, Ace6, AceLog, AclId, AddressRange, AddressRange6, PROTOCOL_ICMPV6};

use super::schedule::{RangeState, Schedule};
use super::{CompiledList, port_named, range, transport};

/// The access lists of a policy while they are collected.
pub(super) struct Lists {
    pub(super) elements: Vec<dataplane::AccessList>,
    /// For each of them, the elements that decide about IPv6 as well.
    pub(super) elements6: Vec<Vec<Ace6>>,
    pub(super) index: BTreeMap<String, CompiledList>,
    /// How many elements there is memory for.
    left: usize,
}

impl Lists {
    /// No lists; they will have `elements_max` elements together at most.
    pub(super) fn new(elements_max: usize) -> Self {
        Self {
            elements: Vec::new(),
            elements6: Vec::new(),
            index: BTreeMap::new(),
            left: elements_max,
        }
    }

    /// Adds a configured list. One that does not fit ends with the first line that does not, and
    /// denies whatever no line before has decided: nothing passes that a line left out would deny.
    pub(super) fn add(
        &mut self,
        config: &Config,
        schedule: &Schedule<'_>,
        name: &str,
        list: &AccessList,
    ) {
        let mut elements = Vec::new();
        let mut elements6 = Vec::new();
        let mut lines = Vec::with_capacity(list.lines().len());
        let mut cut_at = None;
        for (number, line) in (1..).zip(list.lines()) {
            let first = elements.len();
            if cut_at.is_none() {
                let fits = add_line(
                    config,
                    schedule,
                    line,
                    self.left,
                    &mut elements,
                    &mut elements6,
                );
                cut_at = (!fits).then_some(number);
            }
            self.left -= elements.len() - first;
            lines.push(first..elements.len());
        }
        if cut_at.is_some() {
            elements6.push(of_everybody(elements.len()));
            elements.push(DENY_ALL);
        }
        if let Some(id) = self.add_elements(name, elements) {
            if let Some(own) = self.elements6.get_mut(usize::from(id.0)) {
                *own = elements6;
            }
            self.index
                .insert(name.into(), CompiledList { id, lines, cut_at });
        }
    }

    /// Adds a list that has no name of its own, such as the ports of a class map.
    pub(super) fn add_elements(&mut self, name: &str, elements: Vec<Ace>) -> Option<AclId> {
        let id = AclId(u16::try_from(self.elements.len()).ok()?);
        // What is from anybody to anybody is so for both families.
        let of_both = (0..)
            .zip(&elements)
            .filter(|(_, ace)| {
                (ace.source, ace.destination) == (AddressRange::ANY, AddressRange::ANY)
            })
            .map(|(element, _)| of_everybody(element));
        self.elements6.push(of_both.collect());
        self.elements.push(dataplane::AccessList {
            name: name.into(),
            elements,
        });
        Some(id)
    }

    pub(super) fn id(&self, name: &str) -> Option<AclId> {
        self.index.get(name).map(|list| list.id)
    }
}

/// The IPv6 side of an element from anybody to anybody.
const fn of_everybody(element: usize) -> Ace6 {
    Ace6 {
        element,
        source: AddressRange6::ANY,
        destination: AddressRange6::ANY,
        icmp: None,
    }
}

/// The end of a list that does not fit.
const DENY_ALL: Ace = Ace {
    action: dataplane::Action::Deny,
    source: AddressRange::ANY,
    destination: AddressRange::ANY,
    service: dataplane::Service::Any,
    log: AceLog::Default,
    is_active: true,
};

/// Adds the elements of a line, and the IPv6 sides of those that have one. Returns false, and adds
/// nothing, if they are more than `left`.
fn add_line(
    config: &Config,
    schedule: &Schedule<'_>,
    line: &AccessLine,
    left: usize,
    elements: &mut Vec<Ace>,
    elements6: &mut Vec<Ace6>,
) -> bool {
    let AccessLine::Rule(rule) = line else {
        return true;
    };
    let Some(conditions) = config.expand_at_most(rule, left) else {
        return false;
    };
    let log = log(rule.log);
    let is_active = is_active(rule, schedule);
    for condition in conditions {
        let Some(service) = services(&condition) else {
            continue;
        };
        let element = elements.len();
        let (source, destination) = match condition.addresses {
            MatchedAddresses::Everybody => {
                elements6.push(of_everybody(element));
                (AddressRange::ANY, AddressRange::ANY)
            }
            MatchedAddresses::V4 {
                source,
                destination,
            } => (range(source), range(destination)),
            MatchedAddresses::V6 {
                source,
                destination,
            } => {
                elements6.push(Ace6 {
                    element,
                    source: range6(source),
                    destination: range6(destination),
                    icmp: match condition.service {
                        Service::Icmp6(kind) => {
                            Some((kind.map(|kind| kind.kind), kind.and_then(|kind| kind.code)))
                        }
                        _ => None,
                    },
                });
                (AddressRange::NONE, AddressRange::NONE)
            }
        };
        elements.push(Ace {
            action: action(rule.action),
            source,
            destination,
            service,
            log,
            is_active,
        });
    }
    true
}

/// IPv6 addresses in the words of the engine.
pub(super) const fn range6(range: config::model::AddressRange6) -> AddressRange6 {
    AddressRange6 {
        first: range.first,
        last: range.last,
    }
}

/// Whether the rule takes part now. While nobody knows the time, a rule with a time range denies
/// what it may deny, and permits nothing.
fn is_active(rule: &AccessRule, schedule: &Schedule<'_>) -> bool {
    let is_in_time = match rule.time_range.as_deref().map(|name| schedule.state(name)) {
        None | Some(RangeState::Active) => true,
        Some(RangeState::Inactive) => false,
        Some(RangeState::Unknown) => rule.action == Action::Deny,
    };
    is_in_time && !rule.inactive
}

pub(super) fn action(action: Action) -> dataplane::Action {
    match action {
        Action::Permit => dataplane::Action::Permit,
        Action::Deny => dataplane::Action::Deny,
    }
}

fn log(log: RuleLog) -> AceLog {
    match log {
        RuleLog::Default => AceLog::Default,
        RuleLog::Disable => AceLog::Disabled,
        RuleLog::Flows {
            level,
            interval_secs,
        } => AceLog::Flows {
            level,
            interval_secs,
        },
    }
}

/// A condition's service; none if its ports exclude every port.
fn services(condition: &RuleMatch) -> Option<dataplane::Service> {
    Some(match condition.service {
        Service::Protocol(0) => dataplane::Service::Any,
        Service::Protocol(number) => dataplane::Service::Protocol(number),
        Service::Icmp6(_) => dataplane::Service::Protocol(PROTOCOL_ICMPV6),
        Service::Icmp(kind) => dataplane::Service::Icmp {
            kind: kind.map(|kind| kind.kind),
            code: kind.and_then(|kind| kind.code),
        },
        Service::Ports {
            transport: of,
            source,
            destination,
        } => dataplane::Service::Ports {
            transport: transport(of),
            source: ports(source)?,
            destination: ports(destination)?,
        },
    })
}

/// A condition on a port as a range, possibly negated; none if no port fulfils it.
pub(super) fn ports(condition: Option<PortMatch>) -> Option<dataplane::PortMatch> {
    Some(match condition {
        None => dataplane::PortMatch::ANY,
        Some(PortMatch::Equal(port)) => dataplane::PortMatch::eq(port),
        Some(PortMatch::NotEqual(port)) => dataplane::PortMatch {
            is_negated: true,
            ..dataplane::PortMatch::eq(port)
        },
        Some(PortMatch::Less(bound)) => dataplane::PortMatch::range(0, bound.checked_sub(1)?),
        Some(PortMatch::Greater(bound)) => {
            dataplane::PortMatch::range(bound.checked_add(1)?, u16::MAX)
        }
        Some(PortMatch::Range(first, last)) => dataplane::PortMatch::range(first, last),
    })
}

/// The `icmp {permit|deny}` lines.
pub(super) fn icmp_rules(config: &Config) -> Vec<dataplane::IcmpRule> {
    config
        .icmp_rules
        .iter()
        .filter_map(|rule| {
            Some(dataplane::IcmpRule {
                port: port_named(config, &rule.interface)?,
                action: action(rule.action),
                source: range(rule.source.range()),
                kind: rule.kind,
            })
        })
        .collect()
}

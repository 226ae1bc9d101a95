//! Access lists: names resolved, objects and groups expanded.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use config::Config;
use config::model::{AccessLine, AccessList, Action, PortMatch, RuleLog, RuleMatch, Service};
use dataplane::{Ace, AceLog, AclId};

use super::{CompiledList, port_id, range, transport};

/// The access lists of a policy while they are collected.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) elements: Vec<dataplane::AccessList>,
    pub(super) index: BTreeMap<String, CompiledList>,
}

impl Lists {
    /// Adds a configured list.
    pub(super) fn add(&mut self, config: &Config, name: &str, list: &AccessList) {
        let mut elements = Vec::new();
        let lines = list
            .lines()
            .iter()
            .map(|line| add_line(config, line, &mut elements))
            .collect();
        if let Some(id) = self.add_elements(name, elements) {
            self.index.insert(name.into(), CompiledList { id, lines });
        }
    }

    /// Adds a list that has no name of its own, such as the ports of a class map.
    pub(super) fn add_elements(&mut self, name: &str, elements: Vec<Ace>) -> Option<AclId> {
        let id = AclId(u16::try_from(self.elements.len()).ok()?);
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

fn add_line(config: &Config, line: &AccessLine, elements: &mut Vec<Ace>) -> Range<usize> {
    let first = elements.len();
    if let AccessLine::Rule(rule) = line {
        let log = log(rule.log);
        for condition in config.expand(rule) {
            elements.extend(services(&condition).map(|service| Ace {
                action: action(rule.action),
                source: range(condition.source),
                destination: range(condition.destination),
                service,
                log,
                is_active: !rule.inactive,
            }));
        }
    }
    first..elements.len()
}

fn action(action: Action) -> dataplane::Action {
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
            let (number, _) = config.interface_named(&rule.interface)?;
            Some(dataplane::IcmpRule {
                port: port_id(number),
                action: action(rule.action),
                source: range(rule.source.range()),
                kind: rule.kind,
            })
        })
        .collect()
}

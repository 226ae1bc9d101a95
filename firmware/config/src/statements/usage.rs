//! What in the configuration refers to a name.

use crate::model::{
    AccessGroupPlace, AccessLine, AddressMatch, AdvancedOptions, AutoNat, AutoNatKind, ClassMatch,
    Config, DynamicMapping, LogDeviceId, ManualMapped, ManualNat, ManualSource, MappedAddress,
    NatInterfaces, NetworkMember, NumberKind, NumberMember, PolicyPlace, PortSelect, RealAddress,
    RuleService, ServiceMember,
};
use alloc::collections::BTreeSet;

/// Which statement uses the network object or group `name`. Groups are named last, so that the
/// answer `object-group` means that nothing but groups does.
pub(super) fn of_network(config: &Config, name: &str) -> Option<&'static str> {
    if network_in_nat(config, name) {
        return Some("nat");
    }
    let is_name = |address: &AddressMatch| matches!(address, AddressMatch::Object(used) | AddressMatch::Group(used) if used == name);
    let in_list = config
        .access_lists
        .values()
        .flat_map(|list| list.rules())
        .any(|rule| is_name(&rule.source) || is_name(&rule.destination));
    if in_list {
        return Some("access-list");
    }
    let in_group = config.network_groups.values().flat_map(|group| &group.members).any(|member| {
        matches!(member, NetworkMember::Object(used) | NetworkMember::Group(used) if used == name)
    });
    in_group.then_some("object-group")
}

/// Which statement uses the service object or group `name`, groups last as in [`of_network`].
pub(super) fn of_service(config: &Config, name: &str) -> Option<&'static str> {
    if service_in_nat(config, name) {
        return Some("nat");
    }
    let is_group =
        |port: &Option<PortSelect>| matches!(port, Some(PortSelect::Group(used)) if used == name);
    let in_list = config
        .access_lists
        .values()
        .flat_map(|list| list.rules())
        .any(|rule| match &rule.service {
            RuleService::Object(used) | RuleService::Group(used) => used == name,
            RuleService::Ports {
                source,
                destination,
                ..
            }
            | RuleService::ProtocolGroup {
                source,
                destination,
                ..
            } => is_group(source) || is_group(destination),
            RuleService::Ip
            | RuleService::Protocol(_)
            | RuleService::Icmp(_)
            | RuleService::Icmp6(_)
            | RuleService::Icmp6Group(_)
            | RuleService::IcmpGroup(_) => false,
        });
    if in_list {
        return Some("access-list");
    }
    let in_group = config.service_groups.values().flat_map(|group| &group.members).any(|member| {
        matches!(member, ServiceMember::Object(used) | ServiceMember::Group(used) if used == name)
    });
    in_group.then_some("object-group")
}

/// Which statement uses the group of protocols or ICMP types `name`, groups last as in
/// [`of_network`].
pub(super) fn of_number_group(
    config: &Config,
    kind: NumberKind,
    name: &str,
) -> Option<&'static str> {
    let in_list = config
        .access_lists
        .values()
        .flat_map(|list| list.rules())
        .any(|rule| match &rule.service {
            RuleService::ProtocolGroup { name: used, .. } => {
                kind == NumberKind::Protocol && used == name
            }
            RuleService::IcmpGroup(used) | RuleService::Icmp6Group(used) => {
                kind == NumberKind::IcmpType && used == name
            }
            _ => false,
        });
    if in_list {
        return Some("access-list");
    }
    let mut members = config
        .number_groups(kind)
        .values()
        .flat_map(|group| &group.members);
    let in_group =
        members.any(|member| matches!(member, NumberMember::Group(used) if used == name));
    in_group.then_some("object-group")
}

/// Whether a rule has the time range `name`.
pub(super) fn has_time_range(config: &Config, name: &str) -> bool {
    config
        .access_lists
        .values()
        .flat_map(|list| list.rules())
        .any(|rule| rule.time_range.as_deref() == Some(name))
}

/// Whether a translation uses the network object or group `name`, other than its own.
pub(super) fn network_in_nat(config: &Config, name: &str) -> bool {
    let is_name = |used: &str| used == name;
    let mut own_rules = config.network_objects.values();
    manual_rules(config).any(|rule| manual_uses(rule, &is_name))
        || own_rules.any(|object| {
            let rule = object.nat.as_ref();
            rule.is_some_and(|rule| auto_uses(rule, &is_name))
        })
}

/// Whether the rule uses a network object or group that `is_name` knows.
pub(super) fn manual_uses(rule: &ManualNat, is_name: &dyn Fn(&str) -> bool) -> bool {
    let is_real = |real: &RealAddress| matches!(real, RealAddress::Object(used) if is_name(used));
    let is_mapped =
        |mapped: &ManualMapped| matches!(mapped, ManualMapped::Object(used) if is_name(used));
    let in_source = match &rule.source {
        ManualSource::Static { real, mapped } => is_real(real) || is_mapped(mapped),
        ManualSource::Dynamic { real, mapped } => is_real(real) || dynamic_uses(mapped, is_name),
    };
    let in_destination = rule
        .destination
        .as_ref()
        .is_some_and(|destination| is_mapped(&destination.mapped) || is_real(&destination.real));
    in_source || in_destination
}

/// Whether the rule of an object uses another object or group that `is_name` knows.
pub(super) fn auto_uses(rule: &AutoNat, is_name: &dyn Fn(&str) -> bool) -> bool {
    match &rule.kind {
        AutoNatKind::Static {
            mapped: MappedAddress::Object(used),
            ..
        } => is_name(used),
        AutoNatKind::Static { .. } => false,
        AutoNatKind::Dynamic(mapping) => dynamic_uses(mapping, is_name),
    }
}

fn dynamic_uses(mapping: &DynamicMapping, is_name: &dyn Fn(&str) -> bool) -> bool {
    match mapping {
        DynamicMapping::Object { name, .. } => is_name(name),
        DynamicMapping::PatPool(pool) => is_name(&pool.name),
        DynamicMapping::Address(_) | DynamicMapping::Interface => false,
    }
}

/// `name` and every network group that holds it, however deep.
pub(super) fn with_holders<'a>(config: &'a Config, name: &'a str) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::from([name]);
    // A group stands after the groups it holds, so one pass finds them all.
    for (group, content) in &config.network_groups {
        let holds = content.members.iter().any(|member| match member {
            NetworkMember::Object(held) => held == name,
            NetworkMember::Group(held) => names.contains(held.as_str()),
            NetworkMember::Host(_)
            | NetworkMember::Subnet(_)
            | NetworkMember::Host6(_)
            | NetworkMember::Subnet6(_) => false,
        });
        if holds {
            names.insert(group);
        }
    }
    names
}

/// Whether a translation uses the service object `name`.
pub(super) fn service_in_nat(config: &Config, name: &str) -> bool {
    manual_rules(config).any(|rule| service_used(rule, name))
}

/// Whether the rule uses the service object `name`.
pub(super) fn service_used(rule: &ManualNat, name: &str) -> bool {
    let service = rule.service.as_ref();
    service.is_some_and(|used| used.real == name || used.mapped == name)
}

/// Which statement uses the access list `name`.
pub(super) fn of_access_list(config: &Config, name: &str) -> Option<&'static str> {
    if config.access_groups.values().any(|bound| bound == name) {
        return Some("access-group");
    }
    let matched = config
        .class_maps
        .values()
        .flat_map(|class| &class.matches)
        .any(|condition| matches!(condition, ClassMatch::AccessList(used) if used == name));
    matched.then_some("class-map")
}

/// Whether a policy map has the class map `name`.
pub(super) fn class_in_policy(config: &Config, name: &str) -> bool {
    config
        .policy_maps
        .values()
        .flat_map(|policy| &policy.classes)
        .any(|class| class.class == name)
}

/// Whether a `set connection advanced-options` line names the TCP map.
pub(super) fn tcp_map_used(config: &Config, name: &str) -> bool {
    config
        .policy_maps
        .values()
        .flat_map(|policy| &policy.classes)
        .any(|class| {
            matches!(&class.connection.advanced, Some(AdvancedOptions::Map(map)) if map == name)
        })
}

/// Whether an `inspect` line names the inspection map.
pub(super) fn inspect_map_used(config: &Config, name: &str) -> bool {
    inspections(config).any(|inspection| inspection.map.as_deref() == Some(name))
}

/// Whether an `inspect` line names the TLS proxy.
pub(super) fn tls_proxy_used(config: &Config, name: &str) -> bool {
    inspections(config).any(|inspection| inspection.tls_proxy.as_deref() == Some(name))
}

/// Which statement uses the trustpoint `name`.
pub(super) fn of_trustpoint(config: &Config, name: &str) -> Option<&'static str> {
    let in_proxy = config.tls_proxies.values().any(|proxy| {
        [&proxy.server_trustpoint, &proxy.client_trustpoint]
            .into_iter()
            .any(|used| used.as_deref() == Some(name))
    });
    if in_proxy {
        return Some("tls-proxy");
    }
    config
        .ssl
        .trustpoints
        .values()
        .any(|used| used == name)
        .then_some("ssl trust-point")
}

/// The access list with a rule that names the interface.
pub(super) fn access_list_naming_interface<'a>(
    config: &'a Config,
    nameif: &str,
) -> Option<&'a str> {
    let is_name =
        |address: &AddressMatch| matches!(address, AddressMatch::Interface(used) if used == nameif);
    config
        .access_lists
        .iter()
        .find(|(_, list)| {
            list.rules()
                .any(|rule| is_name(&rule.source) || is_name(&rule.destination))
        })
        .map(|(name, _)| name.as_str())
}

/// Removes every line that names the interface, but for access lists and time servers. Returns
/// whether there was one.
pub(super) fn remove_interface(config: &mut Config, nameif: &str) -> bool {
    let lines = |config: &Config| {
        config.routes.len()
            + config.icmp_rules.len()
            + config.routes6.len()
            + config.icmp_rules6.len()
            + config.access_groups.len()
            + config.nat_before.len()
            + config.nat_after.len()
            + config
                .network_objects
                .values()
                .filter(|object| object.nat.is_some())
                .count()
            + config.service_policies.len()
            + config.ssl.trustpoints.len()
            + config.logging.hosts.len()
            + usize::from(config.logging.device_id.is_some())
    };
    let names = |pair: &NatInterfaces| {
        [&pair.real, &pair.mapped]
            .into_iter()
            .any(|used| used.as_deref() == Some(nameif))
    };
    let before = lines(config);
    config.routes.retain(|route| route.interface != nameif);
    config.icmp_rules.retain(|rule| rule.interface != nameif);
    config.routes6.retain(|route| route.interface != nameif);
    config.icmp_rules6.retain(|rule| rule.interface != nameif);
    config.access_groups.retain(|place, _| match place {
        AccessGroupPlace::In(used)
        | AccessGroupPlace::Out(used)
        | AccessGroupPlace::ControlPlane(used) => used != nameif,
        AccessGroupPlace::Global => true,
    });
    config.nat_before.retain(|rule| !names(&rule.interfaces));
    config.nat_after.retain(|rule| !names(&rule.interfaces));
    for object in config.network_objects.values_mut() {
        object.nat.take_if(|rule| names(&rule.interfaces));
    }
    config
        .service_policies
        .retain(|place, _| !matches!(place, PolicyPlace::Interface(used) if used == nameif));
    config
        .ssl
        .trustpoints
        .retain(|place, _| place.as_deref() != Some(nameif));
    let logging = &mut config.logging;
    logging.hosts.retain(|host| host.interface != nameif);
    logging
        .device_id
        .take_if(|id| matches!(id, LogDeviceId::Address(used) if used == nameif));
    lines(config) != before
}

/// Gives the interface its new name in every line that names it.
pub(super) fn rename_interface(config: &mut Config, old: &str, new: &str) {
    let rename = |name: &mut alloc::string::String| {
        if name == old {
            *name = new.into();
        }
    };
    let rename_pair = |pair: &mut NatInterfaces| {
        for name in [&mut pair.real, &mut pair.mapped].into_iter().flatten() {
            rename(name);
        }
    };
    config
        .routes
        .iter_mut()
        .for_each(|route| rename(&mut route.interface));
    config
        .icmp_rules
        .iter_mut()
        .for_each(|rule| rename(&mut rule.interface));
    config
        .routes6
        .iter_mut()
        .for_each(|route| rename(&mut route.interface));
    config
        .icmp_rules6
        .iter_mut()
        .for_each(|rule| rename(&mut rule.interface));
    config.access_groups = core::mem::take(&mut config.access_groups)
        .into_iter()
        .map(|(mut place, list)| {
            match &mut place {
                AccessGroupPlace::In(name)
                | AccessGroupPlace::Out(name)
                | AccessGroupPlace::ControlPlane(name) => rename(name),
                AccessGroupPlace::Global => {}
            }
            (place, list)
        })
        .collect();
    let manual = config.nat_before.iter_mut().chain(&mut config.nat_after);
    manual.for_each(|rule| rename_pair(&mut rule.interfaces));
    for rule in config
        .network_objects
        .values_mut()
        .filter_map(|object| object.nat.as_mut())
    {
        let AutoNat { interfaces, .. } = rule;
        rename_pair(interfaces);
    }
    config.service_policies = core::mem::take(&mut config.service_policies)
        .into_iter()
        .map(|(mut place, policy)| {
            if let PolicyPlace::Interface(name) = &mut place {
                rename(name);
            }
            (place, policy)
        })
        .collect();
    config.ssl.trustpoints = core::mem::take(&mut config.ssl.trustpoints)
        .into_iter()
        .map(|(mut place, trustpoint)| {
            if let Some(name) = &mut place {
                rename(name);
            }
            (place, trustpoint)
        })
        .collect();
    for host in &mut config.logging.hosts {
        rename(&mut host.interface);
    }
    if let Some(LogDeviceId::Address(name)) = &mut config.logging.device_id {
        rename(name);
    }
    config
        .ntp
        .servers
        .values_mut()
        .filter_map(|server| server.source.as_mut())
        .for_each(rename);
    for list in config.access_lists.values_mut() {
        let named = list.lines().iter().any(|line| match line {
            AccessLine::Rule(rule) => [&rule.source, &rule.destination]
                .into_iter()
                .any(|side| matches!(side, AddressMatch::Interface(name) if name == old)),
            AccessLine::Remark(_) => false,
        });
        if named {
            list.rename_interface(old, new);
        }
    }
}

pub(super) fn manual_rules(config: &Config) -> impl Iterator<Item = &ManualNat> {
    config.nat_before.iter().chain(&config.nat_after)
}

fn inspections(config: &Config) -> impl Iterator<Item = &crate::model::Inspection> {
    config
        .policy_maps
        .values()
        .flat_map(|policy| &policy.classes)
        .flat_map(|class| class.inspections.values())
}

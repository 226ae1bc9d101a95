//! Objects, groups, access lists, translations and routes as text.

use super::statement::{access_line, auto_nat, manual_nat, port_match, service};
use super::{Page, Section};
use crate::model::{
    AccessGroupPlace, Config, GroupTransport, NetworkGroup, NetworkMember, ObjectAddress,
    ServiceGroup, ServiceMember, Transport,
};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;

pub(super) fn objects(page: &mut Page, config: &Config) {
    page.section(Section::Object);
    for (name, object) in &config.network_objects {
        page.block(name);
        page.line(format!("object network {name}"));
        match object.address {
            Some(ObjectAddress::Host(address)) => page.line(format!(" host {address}")),
            Some(ObjectAddress::Subnet(subnet)) => page.line(format!(" subnet {subnet}")),
            Some(ObjectAddress::Range(range)) => {
                page.line(format!(" range {} {}", range.first, range.last));
            }
            None => {}
        }
        page.optional(" description", object.description.as_ref());
    }
    for (name, object) in &config.service_objects {
        page.block(name);
        page.line(format!("object service {name}"));
        page.optional(" service", object.service.map(service));
        page.optional(" description", object.description.as_ref());
    }
    page.section(Section::ObjectGroup);
    // A group follows the groups it holds, so that the text can be read back from top to bottom.
    let inner = |group: &NetworkGroup| {
        group
            .members
            .iter()
            .filter_map(|member| match member {
                NetworkMember::Group(name) => Some(name.clone()),
                _ => None,
            })
            .collect()
    };
    in_order(&config.network_groups, &inner, &mut |name, group| {
        network_group(page, name, group);
    });
    let inner = |group: &ServiceGroup| {
        group
            .members
            .iter()
            .filter_map(|member| match member {
                ServiceMember::Group(name) => Some(name.clone()),
                _ => None,
            })
            .collect()
    };
    in_order(&config.service_groups, &inner, &mut |name, group| {
        service_group(page, name, group);
    });
}

pub(super) fn lists(page: &mut Page, config: &Config) {
    page.section(Section::AccessList);
    for (name, list) in &config.access_lists {
        page.block(name);
        for line in list.lines() {
            page.line(format!("access-list {name} {}", access_line(line)));
        }
    }
}

pub(super) fn nat(page: &mut Page, config: &Config) {
    page.section(Section::Nat);
    for rule in &config.nat_before {
        page.line(manual_nat(rule, false));
    }
    page.separator();
    for (name, object) in &config.network_objects {
        if let Some(rule) = &object.nat {
            page.line(format!("object network {name}"));
            page.line(format!(" {}", auto_nat(rule)));
        }
    }
    page.separator();
    for rule in &config.nat_after {
        page.line(manual_nat(rule, true));
    }
}

pub(super) fn bindings_and_routes(page: &mut Page, config: &Config) {
    page.section(Section::AccessGroup);
    for (place, list) in &config.access_groups {
        page.line(match place {
            AccessGroupPlace::In(interface) => {
                format!("access-group {list} in interface {interface}")
            }
            AccessGroupPlace::Out(interface) => {
                format!("access-group {list} out interface {interface}")
            }
            AccessGroupPlace::Global => format!("access-group {list} global"),
        });
    }
    page.section(Section::Route);
    for route in &config.routes {
        let (destination, gateway) = (route.destination, route.gateway);
        page.line(format!(
            "route {} {destination} {gateway} {}",
            route.interface, route.metric
        ));
    }
}

fn network_group(page: &mut Page, name: &str, group: &NetworkGroup) {
    page.block(name);
    page.line(format!("object-group network {name}"));
    page.optional(" description", group.description.as_ref());
    for member in &group.members {
        page.line(match member {
            NetworkMember::Host(address) => format!(" network-object host {address}"),
            NetworkMember::Subnet(subnet) => format!(" network-object {subnet}"),
            NetworkMember::Object(name) => format!(" network-object object {name}"),
            NetworkMember::Group(name) => format!(" group-object {name}"),
        });
    }
}

fn service_group(page: &mut Page, name: &str, group: &ServiceGroup) {
    // Port names of a mixed group are those of TCP, as ASA prints them.
    let (word, transport) = match group.transport {
        None => ("", Transport::Tcp),
        Some(GroupTransport::Tcp) => (" tcp", Transport::Tcp),
        Some(GroupTransport::Udp) => (" udp", Transport::Udp),
        Some(GroupTransport::TcpUdp) => (" tcp-udp", Transport::Tcp),
    };
    page.block(name);
    page.line(format!("object-group service {name}{word}"));
    page.optional(" description", group.description.as_ref());
    for member in &group.members {
        page.line(match member {
            ServiceMember::Port(port) => format!(" port-object {}", port_match(transport, *port)),
            ServiceMember::Service(member) => format!(" service-object {}", service(*member)),
            ServiceMember::Object(name) => format!(" service-object object {name}"),
            ServiceMember::Group(name) => format!(" group-object {name}"),
        });
    }
}

/// Visits `groups` by name, each after the groups that `inner` says it holds.
fn in_order<G>(
    groups: &BTreeMap<String, G>,
    inner: &dyn Fn(&G) -> BTreeSet<String>,
    visit: &mut dyn FnMut(&str, &G),
) {
    fn place<G>(
        name: &str,
        groups: &BTreeMap<String, G>,
        inner: &dyn Fn(&G) -> BTreeSet<String>,
        visit: &mut dyn FnMut(&str, &G),
        placed: &mut BTreeSet<String>,
    ) {
        let Some(group) = groups.get(name) else {
            return;
        };
        if placed.insert(name.into()) {
            for held in inner(group) {
                place(&held, groups, inner, visit, placed);
            }
            visit(name, group);
        }
    }
    let mut placed = BTreeSet::new();
    for name in groups.keys() {
        place(name, groups, inner, visit, &mut placed);
    }
}

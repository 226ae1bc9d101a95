//! Objects, groups, access lists and translations as text.

use super::Page;
use super::statement::{access_line, auto_nat, manual_nat, port_match, ports, service};
use crate::model::{
    AccessGroupPlace, Config, GroupTransport, NetworkGroup, NetworkMember, NumberGroup, NumberKind,
    NumberMember, ObjectAddress, ServiceGroup, ServiceMember, Transport,
};
use crate::names;
use alloc::format;
use alloc::string::String;

pub(crate) fn objects(page: &mut Page<'_>, config: &Config) {
    for (name, object) in &config.network_objects {
        page.block("network", &[name]);
        page.line(format!("object network {name}"));
        match object.address {
            Some(ObjectAddress::Host(address)) => page.line(format!(" host {address}")),
            Some(ObjectAddress::Subnet(subnet)) => page.line(format!(" subnet {subnet}")),
            Some(ObjectAddress::Host6(address)) => page.line(format!(" host {address}")),
            Some(ObjectAddress::Subnet6(prefix)) => page.line(format!(" subnet {prefix}")),
            Some(ObjectAddress::Range6(range)) => {
                page.line(format!(" range {} {}", range.first, range.last));
            }
            Some(ObjectAddress::Range(range)) => {
                page.line(format!(" range {} {}", range.first, range.last));
            }
            None => {}
        }
        page.optional(" description", object.description.as_ref());
    }
    for (name, object) in &config.service_objects {
        page.block("service", &[name]);
        page.line(format!("object service {name}"));
        page.optional(" service", object.service.map(service));
        page.optional(" description", object.description.as_ref());
    }
}

pub(crate) fn groups(page: &mut Page<'_>, config: &Config) {
    for (name, group) in &config.network_groups {
        network_group(page, name, group);
    }
    for (name, group) in &config.service_groups {
        service_group(page, name, group);
    }
    for kind in NumberKind::ALL {
        for (name, group) in config.number_groups(kind) {
            number_group(page, kind, name, group);
        }
    }
}

pub(crate) fn lists(page: &mut Page<'_>, config: &Config) {
    for (name, list) in &config.access_lists {
        page.block("", &[name]);
        for line in list.lines() {
            page.line(format!("access-list {name} {}", access_line(line)));
        }
    }
}

pub(crate) fn nat(page: &mut Page<'_>, config: &Config) {
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

pub(crate) fn bindings(page: &mut Page<'_>, config: &Config) {
    for (place, list) in &config.access_groups {
        page.line(match place {
            AccessGroupPlace::In(interface) => {
                format!("access-group {list} in interface {interface}")
            }
            AccessGroupPlace::Out(interface) => {
                format!("access-group {list} out interface {interface}")
            }
            AccessGroupPlace::ControlPlane(interface) => {
                format!("access-group {list} in interface {interface} control-plane")
            }
            AccessGroupPlace::Global => format!("access-group {list} global"),
        });
    }
}

fn network_group(page: &mut Page<'_>, name: &str, group: &NetworkGroup) {
    page.block("network", &[name]);
    page.line(format!("object-group network {name}"));
    page.optional(" description", group.description.as_ref());
    for member in &group.members {
        page.line(format!(" {}", network_member(member)));
    }
}

/// A member of a network group.
#[must_use]
pub fn network_member(member: &NetworkMember) -> String {
    match member {
        NetworkMember::Host(address) => format!("network-object host {address}"),
        NetworkMember::Subnet(subnet) => format!("network-object {subnet}"),
        NetworkMember::Host6(address) => format!("network-object host {address}"),
        NetworkMember::Subnet6(prefix) => format!("network-object {prefix}"),
        NetworkMember::Object(name) => format!("network-object object {name}"),
        NetworkMember::Group(name) => format!("group-object {name}"),
    }
}

fn service_group(page: &mut Page<'_>, name: &str, group: &ServiceGroup) {
    // Port names of a mixed group are those of TCP, as ASA prints them.
    let (word, transport) = match group.transport {
        None => ("", Transport::Tcp),
        Some(GroupTransport::Tcp) => (" tcp", Transport::Tcp),
        Some(GroupTransport::Udp) => (" udp", Transport::Udp),
        Some(GroupTransport::TcpUdp) => (" tcp-udp", Transport::Tcp),
    };
    page.block("service", &[name]);
    page.line(format!("object-group service {name}{word}"));
    page.optional(" description", group.description.as_ref());
    for member in &group.members {
        page.line(format!(" {}", service_member(transport, member)));
    }
}

fn service_member(transport: Transport, member: &ServiceMember) -> String {
    match member {
        ServiceMember::Port(port) => format!("port-object {}", port_match(transport, *port)),
        ServiceMember::Service(member) => format!("service-object {}", service(*member)),
        ServiceMember::TcpUdp {
            source,
            destination,
        } => {
            let ports = ports(transport, *source, *destination);
            format!("service-object tcp-udp{ports}")
        }
        ServiceMember::Object(name) => format!("service-object object {name}"),
        ServiceMember::Group(name) => format!("group-object {name}"),
    }
}

fn number_group(page: &mut Page<'_>, kind: NumberKind, name: &str, group: &NumberGroup) {
    page.block(kind.keyword(), &[name]);
    page.line(format!("object-group {} {name}", kind.keyword()));
    page.optional(" description", group.description.as_ref());
    for member in &group.members {
        page.line(match member {
            NumberMember::Group(name) => format!(" group-object {name}"),
            NumberMember::Number(number) => {
                let number = match kind {
                    NumberKind::Protocol => names::protocol(*number),
                    NumberKind::IcmpType => names::icmp_type(*number),
                };
                format!(" {} {number}", kind.member())
            }
        });
    }
}

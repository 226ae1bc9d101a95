//! Ports, routes and what is said to a named interface as text.

use super::{Page, mac_address, statement};
use crate::model::{Config, Duplex, Interface, InterfaceId, Speed};
use alloc::format;
use alloc::string::ToString;

pub(crate) fn interfaces(page: &mut Page<'_>, config: &Config) {
    page.separator();
    for (id, interface) in &config.interfaces {
        interface_block(page, *id, interface);
    }
}

fn interface_block(page: &mut Page<'_>, id: InterfaceId, interface: &Interface) {
    let name = id.to_string();
    let names = [name.as_str(), interface.nameif.as_deref().unwrap_or(&name)];
    page.block("", &names);
    page.line(format!("interface {name}"));
    if id.is_sub() {
        match interface.vlan {
            Some(vlan) => page.line(format!(" vlan {vlan}")),
            None => page.line(" no vlan"),
        }
    }
    page.optional(" description", interface.description.as_ref());
    if !id.is_sub() {
        medium(page, interface);
    }
    match interface.mac_address {
        Some(mac) => page.line(format!(" mac-address {}", mac_address(mac))),
        None => page.unless_default(true, " no mac-address"),
    }
    // What is stored has no `no shutdown`: there, a block without `shutdown` is up.
    page.switch(1, "shutdown", interface.shutdown, false);
    match &interface.nameif {
        Some(nameif) => page.line(format!(" nameif {nameif}")),
        None => page.line(" no nameif"),
    }
    match interface.security_level {
        Some(level) => page.line(format!(" security-level {level}")),
        None => page.line(" no security-level"),
    }
    match interface.address {
        Some(address) => page.line(format!(" ip address {address}")),
        None => page.line(" no ip address"),
    }
    super::ipv6::port(page, &interface.ipv6);
    page.line("!");
}

/// How a port speaks to its cable.
fn medium(page: &mut Page<'_>, interface: &Interface) {
    match interface.speed {
        Speed::Auto => page.unless_default(true, " speed auto"),
        Speed::Mbps10 => page.line(" speed 10"),
        Speed::Mbps100 => page.line(" speed 100"),
        Speed::Mbps1000 => page.line(" speed 1000"),
    }
    match interface.duplex {
        Duplex::Auto => page.unless_default(true, " duplex auto"),
        Duplex::Full => page.line(" duplex full"),
        Duplex::Half => page.line(" duplex half"),
    }
}

pub(crate) fn mtu(page: &mut Page<'_>, config: &Config) {
    for interface in config.interfaces.values() {
        if let Some(nameif) = &interface.nameif {
            page.line(format!("mtu {nameif} {}", interface.mtu));
        }
    }
}

pub(crate) fn icmp(page: &mut Page<'_>, config: &Config) {
    page.kept(config);
    for rule in &config.icmp_rules {
        page.line(statement::icmp_rule(rule));
    }
}

pub(crate) fn routes(page: &mut Page<'_>, config: &Config) {
    for route in &config.routes {
        let (destination, gateway) = (route.destination, route.gateway);
        page.line(format!(
            "route {} {destination} {gateway} {}",
            route.interface, route.metric
        ));
    }
}

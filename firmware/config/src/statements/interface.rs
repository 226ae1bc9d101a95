//! Ports, routes and what is said to a named interface.

use super::family::Family;
use super::{Change, invalid, ip, ipv6, kept, network, row, small, subinterface, usage, word};
use crate::mode::{GLOBAL, INTERFACE, Mode, SUBINTERFACE};
use crate::model::{
    Action, DEFAULT_MTU, Duplex, FragmentSettings, IcmpRule, Interface, InterfaceId, Route, Speed,
    Subnet,
};
use crate::names;
use crate::print;
use crate::refusal::{Notice, Refusal};
use alloc::string::String;
use alloc::vec::Vec;
use cli::grammar::{Captures, ModeSet, No};
use core::net::Ipv4Addr;

/// Where both ports and subinterfaces are configured.
pub(super) const EITHER: ModeSet = INTERFACE | SUBINTERFACE;

/// Longest name of an interface, in characters.
const NAMEIF_MAX: usize = 48;

pub(super) const INTERFACES: Family = Family {
    keyword: "interface",
    help: "Interfaces",
    narrow: "[{ <port:interface> | <name> }]",
    rows: &[
        row(
            GLOBAL,
            "interface <port:interface>",
            No::Same,
            &[
                ("interface", "Select an interface to configure"),
                (
                    "port",
                    "Hardware name, with a number behind a dot for a subinterface",
                ),
            ],
            subinterface::interface,
        )
        .example("interface GigabitEthernet0/2"),
        subinterface::VLAN,
        row(
            EITHER,
            "nameif <name:word(48)>",
            No::Syntax("nameif [<name>]"),
            &[
                ("nameif", "Assign a name to the interface"),
                ("name", "A name up to 48 characters"),
            ],
            nameif,
        )
        .example("nameif dmz"),
        row(
            EITHER,
            "security-level <level:0-100>",
            No::Syntax("security-level [<level:0-100>]"),
            &[
                (
                    "security-level",
                    "Specify the security level of the interface",
                ),
                ("level", "Security level"),
            ],
            security_level,
        )
        .example("security-level 50"),
        row(
            EITHER,
            "ip address <address:ip> <mask:mask>",
            No::Syntax("ip address [<address:ip> [<mask:mask>]]"),
            &[
                ("ip", "Configure the interface's IP parameters"),
                ("address", "IP address"),
                ("mask", "Network mask"),
            ],
            ip_address,
        )
        .example("ip address 192.0.2.1 255.255.255.0"),
        row(
            EITHER,
            "description <description:text>",
            No::Syntax("description [<description:text>]"),
            &[("description", "Description of up to 200 characters")],
            description,
        )
        .example("description to the servers"),
        row(
            EITHER,
            "shutdown",
            No::Same,
            &[("shutdown", "Shut down the interface")],
            shutdown,
        )
        .example("shutdown"),
        row(
            INTERFACE,
            "speed { auto | 10 | 100 | 1000 }",
            No::Syntax("speed [{ auto | 10 | 100 | 1000 }]"),
            &[
                ("speed", "Configure the speed"),
                ("auto", "Negotiate"),
                ("10", "10 Mbit/s"),
                ("100", "100 Mbit/s"),
                ("1000", "1000 Mbit/s"),
            ],
            speed,
        )
        .example("speed 100"),
        row(
            INTERFACE,
            "duplex { auto | full | half }",
            No::Syntax("duplex [{ auto | full | half }]"),
            &[
                ("duplex", "Configure duplex operation"),
                ("auto", "Negotiate"),
                ("full", "Full duplex"),
                ("half", "Half duplex"),
            ],
            duplex,
        )
        .example("duplex full"),
        row(
            EITHER,
            "mac-address <mac:mac>",
            No::Syntax("mac-address [<mac:mac>]"),
            &[
                ("mac-address", "Assign a MAC address"),
                ("mac", "MAC address"),
            ],
            mac_address,
        )
        .example("mac-address 0200.1234.abcd"),
        ipv6::ENABLE,
        ipv6::ADDRESS,
        ipv6::NEIGHBOURS,
        ipv6::ADVERTISING,
        ipv6::PREFIX,
    ],
    print: print::interface::interfaces,
    clear: Some(clear_interfaces),
    ..Family::EMPTY
};

pub(super) const MTU: Family = Family {
    keyword: "mtu",
    help: "Largest packet of an interface",
    rows: &[row(
        GLOBAL,
        "mtu <interface> <bytes:300-9198>",
        No::Syntax("mtu <interface> [<bytes:300-9198>]"),
        &[
            ("mtu", "Specify the largest packet of an interface"),
            ("bytes", "Bytes"),
        ],
        mtu,
    )
    .example("mtu inside 1400")],
    print: print::interface::mtu,
    clear: Some(clear_mtu),
    ..Family::EMPTY
};

pub(super) const ICMP: Family = Family {
    keyword: "icmp",
    help: "Access rules for ICMP",
    rows: &[row(
        GLOBAL,
        "icmp { permit | deny } { any | host <host-address:ip> | <address:ip> <mask:mask> } \
         [<icmp-type>] <interface>",
        No::Same,
        &[
            ("icmp", "Configure access rules for ICMP to an interface"),
            ("permit", "Permit the packets"),
            ("deny", "Deny the packets"),
            ("any", "Any address"),
            ("host", "One host"),
            ("host-address", "Address of the host"),
            ("address", "Network"),
            ("icmp-type", "ICMP type by number or name"),
        ],
        icmp,
    )
    .example("icmp permit any echo outside")],
    kept: kept::ICMP,
    print: print::interface::icmp,
    clear: Some(clear_icmp),
    ..Family::EMPTY
};

pub(super) const ROUTE: Family = Family {
    keyword: "route",
    help: "Static routes",
    rows: &[row(
        GLOBAL,
        "route <interface> <network:ip> <mask:mask> <gateway:ip> [<metric:1-255>]",
        No::Syntax("route <interface> <network:ip> <mask:mask> [<gateway:ip> [<metric:1-255>]]"),
        &[
            ("route", "Configure a static route"),
            ("network", "Where the route leads"),
            ("mask", "Mask of the network"),
            ("gateway", "Next hop"),
            ("metric", "Distance, 1 unless given"),
        ],
        route,
    )
    .example("route outside 10.30.0.0 255.255.0.0 203.0.113.1")],
    print: print::interface::routes,
    clear: Some(clear_routes),
    ..Family::EMPTY
};

/// The interface being configured.
fn current<'a>(change: &'a mut Change<'_>) -> Result<(InterfaceId, &'a mut Interface), Refusal> {
    let Mode::Interface(id) = change.state.mode else {
        return Err(Refusal::Invalid { offset: 0 });
    };
    let interface = change.config.interfaces.get_mut(&id);
    Ok((id, interface.ok_or(Refusal::Invalid { offset: 0 })?))
}

/// The interface being configured, borrowed from the configuration alone.
macro_rules! current {
    ($change:expr) => {{
        let Mode::Interface(id) = $change.state.mode else {
            return Err(Refusal::Invalid { offset: 0 });
        };
        let interface = $change.config.interfaces.get_mut(&id);
        interface.ok_or(Refusal::Invalid { offset: 0 })?
    }};
}

fn nameif(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (id, interface) = current(change)?;
    let old = interface.nameif.clone();
    if captures.negated() {
        let Some(old) = old else {
            return Ok(());
        };
        release_name(change, &old)?;
        let (_, interface) = current(change)?;
        interface.nameif = None;
        interface.security_level = None;
        interface.mtu = DEFAULT_MTU;
        interface.fragment = FragmentSettings::DEFAULT;
        interface.verifies_reverse_path = false;
        change.outcome.changed = true;
        return Ok(());
    }
    let name = word(captures, "name")?;
    if old.as_deref() == Some(name) {
        return Ok(());
    }
    let fits = name.len() <= NAMEIF_MAX
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && name != "any"
        && name != "global";
    if !fits {
        return Err(Refusal::BadName(name.into()));
    }
    if let Some((id, _)) = change.config.interface_named(name) {
        return Err(Refusal::NameifTaken {
            name: name.into(),
            id,
        });
    }
    if let Some(old) = old {
        usage::rename_interface(change.config, &old, name);
    }
    let Some(interface) = change.config.interfaces.get_mut(&id) else {
        return Ok(());
    };
    interface.nameif = Some(name.into());
    change.outcome.changed = true;
    if interface.security_level.is_none() {
        let level = if name == "inside" { 100 } else { 0 };
        interface.security_level = Some(level);
        change.notice(Notice::DefaultSecurityLevel {
            nameif: name.into(),
            level,
        });
    }
    Ok(())
}

/// Removes every line that names an interface which is about to lose its name.
pub(super) fn release_name(change: &mut Change<'_>, name: &str) -> Result<(), Refusal> {
    if let Some(list) = usage::access_list_naming_interface(change.config, name) {
        return Err(Refusal::InterfaceInAccessList(list.into()));
    }
    if usage::remove_interface(change.config, name) {
        change.notice(Notice::InterfaceLinesRemoved(name.into()));
    }
    Ok(())
}

fn security_level(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let level = if captures.negated() {
        None
    } else {
        Some(small(captures, "level")?)
    };
    let interface = current!(change);
    let level = match (level, interface.nameif.as_deref()) {
        (Some(level), _) => Some(level),
        (None, Some("inside")) => Some(100),
        (None, Some(_)) => Some(0),
        (None, None) => None,
    };
    change.outcome.set(&mut interface.security_level, level);
    Ok(())
}

fn ip_address(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (id, interface) = current(change)?;
    let before = interface.address;
    let after = if captures.negated() {
        None
    } else {
        let (address, mask) = (ip(captures, "address")?, ip(captures, "mask")?);
        Some(host_address(address, mask)?)
    };
    if let Some(address) = after {
        let overlap = change.config.interfaces.iter().find(|(other, interface)| {
            **other != id
                && interface
                    .address
                    .is_some_and(|other| other.overlaps(address))
        });
        if let Some((&other, _)) = overlap {
            return Err(Refusal::NetworkOverlap { id, other });
        }
        let ours = change
            .config
            .routes
            .iter()
            .any(|route| route.gateway == address.address());
        if ours {
            return Err(Refusal::NextHopIsOurs(address.address()));
        }
    }
    change.outcome.set(&mut current!(change).address, after);
    if let Err(refusal) = super::nat_check::check_all(change.config) {
        current(change)?.1.address = before;
        return Err(refusal);
    }
    Ok(())
}

/// An address a port can have in its network.
fn host_address(address: Ipv4Addr, mask: Ipv4Addr) -> Result<Subnet, Refusal> {
    let subnet = Subnet::from_mask(address, mask).ok_or(Refusal::BadMask(mask))?;
    let is_edge =
        subnet.prefix_len() < 31 && (address == subnet.network() || address == subnet.broadcast());
    if !is_host(address) || is_edge || subnet.prefix_len() == 0 {
        return Err(Refusal::BadHostAddress(address));
    }
    Ok(subnet)
}

fn is_host(address: Ipv4Addr) -> bool {
    let [first, ..] = address.octets();
    first != 0 && first < 224 && !address.is_loopback()
}

fn description(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let description = super::object::description_text(captures)?;
    change
        .outcome
        .set(&mut current!(change).description, description);
    Ok(())
}

fn shutdown(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let shutdown = !captures.negated();
    change.outcome.set(&mut current!(change).shutdown, shutdown);
    Ok(())
}

fn speed(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let speed = match captures.one_of(&["10", "100", "1000"]) {
        Some("10") if !captures.negated() => Speed::Mbps10,
        Some("100") if !captures.negated() => Speed::Mbps100,
        Some("1000") if !captures.negated() => Speed::Mbps1000,
        _ => Speed::Auto,
    };
    change.outcome.set(&mut current!(change).speed, speed);
    Ok(())
}

fn duplex(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let duplex = match captures.one_of(&["full", "half"]) {
        Some("full") if !captures.negated() => Duplex::Full,
        Some("half") if !captures.negated() => Duplex::Half,
        _ => Duplex::Auto,
    };
    change.outcome.set(&mut current!(change).duplex, duplex);
    Ok(())
}

fn mac_address(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let mac = captures.mac("mac").filter(|_| !captures.negated());
    if let Some([first, ..]) = mac
        && first & 1 == 1
    {
        // The lowest bit of the first octet marks a group (IEEE 802-2014 §8.2).
        return Err(invalid(captures, "mac"));
    }
    change.outcome.set(&mut current!(change).mac_address, mac);
    Ok(())
}

fn mtu(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let nameif = word(captures, "interface")?;
    change.require_interface(nameif)?;
    let bytes = if captures.negated() {
        DEFAULT_MTU
    } else {
        small(captures, "bytes")?
    };
    let mut interfaces = change.config.interfaces.values_mut();
    if let Some(interface) =
        interfaces.find(|interface| interface.nameif.as_deref() == Some(nameif))
    {
        change.outcome.set(&mut interface.mtu, bytes);
    }
    Ok(())
}

fn route(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let nameif = word(captures, "interface")?;
    let destination = network(ip(captures, "network")?, ip(captures, "mask")?)?;
    if captures.negated() {
        let gateway = captures.ip("gateway");
        let at = change.config.routes.iter().position(|route| {
            route.interface == nameif
                && route.destination == destination
                && gateway.is_none_or(|gateway| gateway == route.gateway)
        });
        change
            .config
            .routes
            .remove(at.ok_or(Refusal::NothingToRemove)?);
        change.outcome.changed = true;
        return Ok(());
    }
    change.require_interface(nameif)?;
    let gateway = ip(captures, "gateway")?;
    if !is_host(gateway) {
        return Err(Refusal::BadHostAddress(gateway));
    }
    let metric = if captures.has("metric") {
        small(captures, "metric")?
    } else {
        1
    };
    let route = Route {
        interface: nameif.into(),
        destination,
        gateway,
        metric,
    };
    if change.config.routes.contains(&route) {
        return Ok(());
    }
    let ours = change.config.interfaces.values().any(|interface| {
        interface
            .address
            .is_some_and(|address| address.address() == gateway)
    });
    if ours {
        return Err(Refusal::NextHopIsOurs(gateway));
    }
    let conflict = change.config.routes.iter().any(|present| {
        present.destination == destination
            && (present.metric == metric || present.gateway == gateway)
    });
    if conflict {
        return Err(Refusal::RouteConflict);
    }
    change.config.routes.push(route);
    change.outcome.changed = true;
    Ok(())
}

fn icmp(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let source = match (captures.ip("host-address"), captures.ip("address")) {
        (Some(host), _) => network(host, Ipv4Addr::BROADCAST)?,
        (_, Some(address)) => network(address, ip(captures, "mask")?)?,
        _ => Subnet::EVERYTHING,
    };
    let kind = match captures.word("icmp-type") {
        Some(name) => {
            Some(names::parse_icmp_type(name).ok_or_else(|| invalid(captures, "icmp-type"))?)
        }
        None => None,
    };
    let action = if captures.has("permit") {
        Action::Permit
    } else {
        Action::Deny
    };
    let rule = IcmpRule {
        action,
        source,
        kind,
        interface: word(captures, "interface")?.into(),
    };
    if !captures.negated() {
        change.require_interface(&rule.interface)?;
    }
    let rules = &mut change.config.icmp_rules;
    change.outcome.keep(rules, rule, captures.negated())
}

/// Removes every subinterface, gives every port its factory settings, and removes the lines that name
/// one of them, as `no nameif` does.
fn clear_interfaces(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let (config, outcome) = (&mut *change.config, &mut change.outcome);
    let interfaces = config.interfaces.values();
    let names: Vec<String> = interfaces.filter_map(|port| port.nameif.clone()).collect();
    for name in &names {
        if let Some(list) = usage::access_list_naming_interface(config, name) {
            return Err(Refusal::InterfaceInAccessList(list.into()));
        }
    }
    for name in names {
        if usage::remove_interface(config, &name) {
            outcome.notices.push(Notice::InterfaceLinesRemoved(name));
        }
    }
    let before = config.interfaces.len();
    config.interfaces.retain(|id, _| !id.is_sub());
    outcome.changed |= config.interfaces.len() != before;
    for interface in config.interfaces.values_mut() {
        outcome.set(interface, Interface::default());
    }
    Ok(())
}

fn clear_mtu(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    for interface in change.config.interfaces.values_mut() {
        change.outcome.set(&mut interface.mtu, DEFAULT_MTU);
    }
    Ok(())
}

fn clear_icmp(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let rules = &mut change.config.icmp_rules;
    change.outcome.set(rules, Vec::new());
    Ok(())
}

fn clear_routes(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change.outcome.set(&mut change.config.routes, Vec::new());
    Ok(())
}

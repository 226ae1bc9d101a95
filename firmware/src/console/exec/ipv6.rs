//! IPv6: addresses of ports, routes, neighbours.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::Captures;

use crate::console::declare::{PRIVILEGED, Rows, answer, show};
use crate::policy::ipv6::{address_of, link_local};
use crate::policy::logical::mac;
use crate::policy::port_id;
use crate::print as printers;
use crate::print::put_line;
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show ipv6 interface [brief] [<nameif:word>]",
        interfaces,
        &[
            ("ipv6", "IPv6"),
            (
                "interface",
                "Addresses of the ports, and how they discover neighbors"
            ),
            ("brief", "Only addresses"),
            ("nameif", "The name of a port"),
        ]
    )
    .example("show ipv6 interface outside"),
    show!(
        PRIVILEGED,
        "show ipv6 route",
        routes,
        &[("ipv6", "IPv6"), ("route", "The IPv6 routing table")]
    ),
    show!(
        PRIVILEGED,
        "show ipv6 neighbor",
        neighbors,
        &[
            ("ipv6", "IPv6"),
            ("neighbor", "IPv6 neighbors' Ethernet addresses"),
        ]
    ),
    answer!(
        PRIVILEGED,
        "clear ipv6 neighbors",
        clear_neighbors,
        &[("ipv6", "IPv6"), ("neighbors", "Forget IPv6 neighbors")]
    ),
];

fn interfaces(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    core.settle();
    let wanted = words.word("nameif");
    let mut found = false;
    for (&id, interface) in &core.config.interfaces {
        let Some(name) = interface.nameif.as_deref() else {
            continue;
        };
        if !interface.ipv6.is_on() || wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let Some(port) = core.ports.get(usize::from(id.port)) else {
            continue;
        };
        found = true;
        let mac = mac(&core.config, id, port.mac());
        let number = port_id(id, interface);
        let state = |address| core.dataplane.address_state6(number, address);
        let on_link = link_local(&interface.ipv6, mac);
        let addresses: Vec<_> = interface
            .ipv6
            .addresses
            .iter()
            .map(|own| {
                let address = address_of(own, mac);
                (address, own.prefix.len, state(address))
            })
            .collect();
        let port = printers::ipv6::Port {
            name,
            is_enabled: !interface.shutdown,
            is_link_up: port.link().is_up && core.config.is_enabled(id),
            ipv6: &interface.ipv6,
            link_local: (on_link, state(on_link)),
            addresses: &addresses,
        };
        if words.has("brief") {
            printers::ipv6::brief(out, &port);
        } else {
            printers::ipv6::block(out, &port);
        }
    }
    if !found && wanted.is_some() {
        put_line!(out, "ERROR: there is no such interface with IPv6");
    }
}

fn routes(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    core.settle();
    let policy = core.dataplane.policy();
    let named = core
        .dataplane
        .routes6()
        .map(|route| (route, printers::nameif(policy, Some(route.port))));
    printers::ipv6::routes(out, named);
}

fn neighbors(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    core.settle();
    let policy = core.dataplane.policy();
    out.push_str(printers::ipv6::NEIGHBOR_HEADING);
    for neighbor in core.dataplane.neighbors6(core.now()) {
        let name = printers::nameif(policy, Some(neighbor.port));
        printers::ipv6::neighbor(out, &neighbor, name);
    }
}

fn clear_neighbors(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    core.dataplane.clear_neighbors6(&mut core.pool);
}

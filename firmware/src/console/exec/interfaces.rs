//! Ports: state, counters, names.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::{Captures, InterfaceKind, InterfaceName};

use crate::console::declare::{PRIVILEGED, Rows, answer, show};
use crate::policy;
use crate::print as printers;
use crate::print::put_line;
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show interface ip brief",
        brief,
        &[
            ("interface", "State and counters of the ports"),
            ("ip", "Addresses of the ports"),
            ("brief", "One line for each port"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show interface [{<port:interface>|<nameif:word>}] [detail]",
        interfaces,
        &[
            ("interface", "State and counters of the ports"),
            ("port", "A port"),
            ("nameif", "The name of a port"),
            ("detail", "With the state of each port in the control plane"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show ip address",
        addresses,
        &[
            ("ip", "Internet Protocol"),
            ("address", "Addresses of the interfaces"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show nameif",
        nameif,
        &[("nameif", "Names and security levels")]
    ),
    answer!(
        PRIVILEGED,
        "clear interface",
        clear,
        &[("interface", "Zero the counters of all interfaces"),]
    ),
];

fn brief(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    out.push_str(printers::interface::BRIEF_HEADING);
    for port in ports(core) {
        printers::interface::brief(out, &port);
    }
}

fn addresses(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    // Addresses are configured, never learnt: what is in force is what the system has.
    for heading in ["System", "Current"] {
        printers::interface::addresses_heading(out, heading);
        for port in ports(core) {
            printers::interface::address(out, &port);
        }
    }
}

fn nameif(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    out.push_str(printers::interface::NAMEIF_HEADING);
    for (number, interface) in &core.config.interfaces {
        printers::interface::named(out, *number, interface);
    }
}

fn clear(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    for port in &mut core.ports {
        port.before_zeroing(core.dataplane.port_counters(port.id));
        core.dataplane.clear_port_counters(port.id);
    }
}

fn interfaces(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let (wanted, nameif) = (words.interface("port"), words.word("nameif"));
    let mut found = false;
    for port in ports(core) {
        let is_wanted = match (wanted, nameif) {
            (Some(wanted), _) => is_port(wanted, port.number),
            (None, Some(nameif)) => port.interface.nameif.as_deref() == Some(nameif),
            (None, None) => true,
        };
        if is_wanted {
            found = true;
            printers::interface::block(out, &port);
            if words.has("detail") {
                printers::interface::control_point(out, &port);
            }
        }
    }
    if !found && (wanted.is_some() || nameif.is_some()) {
        put_line!(out, "ERROR: there is no such interface");
    }
}

/// Everything that is known of the ports.
fn ports(core: &Core) -> Vec<printers::interface::Port<'_>> {
    core.config
        .interfaces
        .iter()
        .filter_map(|(&number, interface)| {
            let port = core.ports.get(usize::from(number))?;
            Some(printers::interface::Port {
                number,
                interface,
                model: port.model(),
                burned_in: port.mac(),
                link: port.link(),
                device: port.stats(),
                unsendable: port.refused(),
                traffic: core.dataplane.port_counters(port.id),
                rates: port.rates(),
                is_from_startup: core.startup.addresses.get(&number).copied() == interface.address,
            })
        })
        .collect()
}

/// Whether a typed interface name means `GigabitEthernet0/number`.
fn is_port(name: InterfaceName, number: u16) -> bool {
    let wanted = InterfaceName {
        kind: InterfaceKind::GigabitEthernet,
        slot: 0,
        port: number,
        subinterface: None,
    };
    name == wanted
}

/// The port that policy calls `nameif`.
pub(crate) fn port_named(core: &Core, nameif: &str) -> Option<dataplane::PortId> {
    core.config
        .interface_named(nameif)
        .map(|(number, _)| policy::port_id(number))
}

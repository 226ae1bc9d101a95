//! Ports: state, counters, names.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::{Captures, InterfaceName};
use config::model::{Interface, InterfaceId};
use dataplane::PortId;
use hal::nic::Link;

use crate::console::declare::{PRIVILEGED, Rows, answer, show};
use crate::meter::Meter;
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
    show!(
        PRIVILEGED,
        "show vlan",
        vlan,
        &[("vlan", "The VLANs of all subinterfaces")]
    ),
    answer!(
        PRIVILEGED,
        "clear interface [{<port:interface>|<nameif:word>}]",
        clear,
        &[
            ("interface", "Zero the counters of all interfaces"),
            ("port", "Only those of a port or subinterface"),
            ("nameif", "Only those of the interface with this name"),
        ]
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
    for (&id, interface) in &core.config.interfaces {
        printers::interface::named(out, id, interface);
    }
}

fn vlan(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let subinterfaces = core.config.subinterfaces();
    let vlans: BTreeSet<u16> = subinterfaces.filter_map(|(_, known)| known.vlan).collect();
    printers::interface::vlans(out, &vlans);
}

/// Which interface a command is about.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    All,
    Hardware(InterfaceName),
    Named(&'a str),
}

impl<'a> Wanted<'a> {
    fn of(words: &Captures<'a>) -> Self {
        match (words.interface("port"), words.word("nameif")) {
            (Some(name), _) => Self::Hardware(name),
            (None, Some(nameif)) => Self::Named(nameif),
            (None, None) => Self::All,
        }
    }

    fn fits(self, id: InterfaceId, interface: &Interface) -> bool {
        match self {
            Self::All => true,
            Self::Hardware(name) => InterfaceId::named(name) == Some(id),
            Self::Named(nameif) => interface.nameif.as_deref() == Some(nameif),
        }
    }
}

fn clear(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    core.settle();
    let wanted = Wanted::of(words);
    let chosen: Vec<PortId> = core
        .config
        .interfaces
        .iter()
        .filter(|(id, interface)| wanted.fits(**id, interface))
        .map(|(&id, interface)| policy::port_id(id, interface))
        .collect();
    if chosen.is_empty() {
        put_line!(out, "{NO_SUCH}");
    }
    for port in chosen {
        if let Some(meter) = core.meters.get_mut(port.index()) {
            meter.before_zeroing(core.dataplane.port_counters(port));
            core.dataplane.clear_port_counters(port);
        }
    }
}

fn interfaces(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    core.settle();
    let wanted = Wanted::of(words);
    let mut found = false;
    for port in ports(core)
        .iter()
        .filter(|port| wanted.fits(port.id, port.interface))
    {
        found = true;
        printers::interface::block(out, port);
        if words.has("detail") {
            printers::interface::control_point(out, port);
        }
    }
    if !found {
        put_line!(out, "{NO_SUCH}");
    }
}

const NO_SUCH: &str = "ERROR: there is no such interface";

/// Everything that is known of the ports.
fn ports(core: &Core) -> Vec<printers::interface::Port<'_>> {
    core.config
        .interfaces
        .iter()
        .filter_map(|(&id, interface)| {
            let device = core.ports.get(usize::from(id.port))?;
            let port = policy::port_id(id, interface);
            let link = device.link();
            Some(printers::interface::Port {
                id,
                number: port.0,
                interface,
                model: device.model(),
                mac: policy::logical::mac(&core.config, id, device.mac()),
                link: Link {
                    // A subinterface has the link of its port, if that is in use.
                    is_up: link.is_up && (!id.is_sub() || core.config.is_enabled(id)),
                    ..link
                },
                device: device.stats(),
                unsendable: device.refused(),
                traffic: core.dataplane.port_counters(port),
                rates: core
                    .meters
                    .get(port.index())
                    .map(Meter::rates)
                    .unwrap_or_default(),
                is_from_startup: core.startup.addresses.get(&id).copied() == interface.address,
            })
        })
        .collect()
}

/// The port that policy calls `nameif`.
pub(crate) fn port_named(core: &Core, nameif: &str) -> Option<PortId> {
    policy::port_named(&core.config, nameif)
}

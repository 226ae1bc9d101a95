//! `show traffic`, `clear traffic`, `show perfmon`: how much passes, and how fast.

use alloc::string::String;

use cli::grammar::Captures;

use crate::console::declare::{PRIVILEGED, Rows, answer, show};
use crate::print::traffic as printers;
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show traffic",
        traffic,
        &[("traffic", "Packets and bytes of each interface, and rates")]
    ),
    show!(
        PRIVILEGED,
        "show perfmon",
        perfmon,
        &[(
            "perfmon",
            "Connections and translations made in a second: of the last five seconds, since the start"
        )]
    ),
    answer!(
        PRIVILEGED,
        "clear traffic",
        clear,
        &[(
            "traffic",
            "Begin to count the traffic of the interfaces anew"
        )]
    ),
];

fn traffic(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let now = core.now();
    for (&number, interface) in &core.config.interfaces {
        let (Some(name), Some(port)) = (&interface.nameif, core.ports.get(usize::from(number)))
        else {
            continue;
        };
        let counters = core.dataplane.port_counters(port.id);
        let (since, traffic) = port.traffic(counters);
        printers::interface(out, name, now.since(since), &traffic, &port.rates());
    }
}

fn clear(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    let now = core.now();
    for port in &mut core.ports {
        let counters = core.dataplane.port_counters(port.id);
        port.clear_traffic(counters, now);
    }
}

fn perfmon(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let (current, since_start) = core.opening_rates();
    printers::perfmon(out, &current, &since_start);
}

//! `show traffic`, `clear traffic`, `show perfmon`: how much passes, and how fast.

use alloc::string::String;

use cli::grammar::Captures;
use dataplane::PortId;

use crate::console::declare::{PRIVILEGED, Rows, answer, show};
use crate::policy::port_id;
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
    for (&id, interface) in &core.config.interfaces {
        let port = port_id(id, interface);
        let (Some(name), Some(meter)) = (&interface.nameif, core.meters.get(port.index())) else {
            continue;
        };
        let (since, traffic) = meter.traffic(core.dataplane.port_counters(port));
        printers::interface(out, name, now.since(since), &traffic, &meter.rates());
    }
}

fn clear(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    let now = core.now();
    for (number, meter) in (0..).zip(&mut core.meters) {
        let counters = core.dataplane.port_counters(PortId(number));
        meter.clear_traffic(counters, now);
    }
}

fn perfmon(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    printers::perfmon(out, &core.opened());
}

//! What the packet engine holds: connections, rules, neighbours, routes, drops.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::Captures;
use clock::format::ClockLine;
use dataplane::{AccessForm, AclId};

use crate::console::declare::{PRIVILEGED, Rows, answer, show};
use crate::print as printers;
use crate::print::put_line;
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show route",
        routes,
        &[("route", "The routing table")]
    ),
    show!(
        PRIVILEGED,
        "show arp",
        neighbors,
        &[("arp", "Neighbours' Ethernet addresses")]
    ),
    show!(
        PRIVILEGED,
        "show conn [{count|detail|long}] [address <host:ip>] [port <port:port>]",
        conns,
        &[
            ("conn", "Connections"),
            ("count", "Only how many there are"),
            ("detail", "With translated addresses and times"),
            ("long", "With translated addresses and times"),
            ("address", "Only those of a host"),
            ("host", "Address of the host"),
            ("port", "Only those of a port"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show access-list [<name:word> [brief]]",
        access_lists,
        &[
            ("access-list", "Access lists and how often they matched"),
            ("name", "Name of an access list"),
            ("brief", "Hashes, hits and last hits in hexadecimal"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show asp drop [{frame|flow}]",
        asp_drop,
        &[
            ("asp", "The packet engine"),
            ("drop", "Why packets and flows were dropped"),
            ("frame", "Only packets"),
            ("flow", "Only flows"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show blocks",
        blocks,
        &[("blocks", "Packet buffers")]
    ),
    answer!(
        PRIVILEGED,
        "clear conn [{all|address <host:ip>}]",
        clear_conn,
        &[
            ("clear", "Reset functions"),
            ("conn", "End connections"),
            ("all", "All connections"),
            ("address", "Those of a host"),
            ("host", "Address of the host"),
        ]
    ),
    answer!(
        PRIVILEGED,
        "clear arp",
        clear_arp,
        &[("arp", "Forget neighbours")]
    ),
    answer!(
        PRIVILEGED,
        "clear asp drop",
        clear_asp_drop,
        &[
            ("asp", "The packet engine"),
            ("drop", "Zero the counters of dropped packets"),
        ]
    ),
    answer!(
        PRIVILEGED,
        "clear access-list <name:word> counters",
        clear_access_list_counters,
        &[
            ("access-list", "Access lists"),
            ("name", "Name of an access list"),
            ("counters", "Zero the counters"),
        ]
    )
    .example("clear access-list outside_in counters"),
];

fn routes(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let routes: Vec<_> = core.dataplane.routes().collect();
    printers::route::table(out, core.dataplane.policy(), routes.into_iter());
}

fn neighbors(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let now = core.now();
    for neighbor in core.dataplane.neighbors(now) {
        printers::neighbor::neighbor(out, core.dataplane.policy(), &neighbor);
    }
}

fn blocks(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    printers::system::blocks(out, &core.pool);
}

fn access_lists(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = words.word("name");
    if let Some(name) = wanted
        && !core.config.access_lists.contains_key(name)
    {
        put_line!(out, "ERROR: access-list <{name}> does not exist");
        return;
    }
    if wanted.is_none() {
        out.push_str(printers::access_list::HEADER);
    }
    let policy = core.dataplane.policy();
    for (name, list) in &core.config.access_lists {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let Some(compiled) = core.compiled.lists.get(name) else {
            continue;
        };
        let elements = policy
            .access_lists
            .get(usize::from(compiled.id.0))
            .map_or(&[][..], |list| list.elements.as_slice());
        let (dataplane, wall) = (&core.dataplane, &core.wall);
        let elements_of = |line: usize| {
            let range = compiled.lines.get(line).cloned().unwrap_or_default();
            let first = range.start;
            let id: AclId = compiled.id;
            let elements = elements.get(range).unwrap_or_default();
            elements.iter().enumerate().map(move |(index, element)| {
                let last_hit = dataplane.acl_last_hit(id, first + index);
                printers::access_list::Shown {
                    element,
                    hits: dataplane.acl_hits(id, first + index),
                    last_hit: last_hit.map(|at| wall.unix_secs(at)),
                }
            })
        };
        if words.has("brief") {
            printers::access_list::brief(out, name, list, elements_of);
        } else {
            printers::access_list::list(out, name, list, elements_of);
        }
        if let Some(line) = compiled.cut_at {
            printers::access_list::cut(out, name, line);
        }
        if dataplane.access_form(compiled.id) == AccessForm::TooLarge {
            put_line!(
                out,
                "WARNING: access-list {name} is too large to be compiled and is searched line by line"
            );
        }
    }
}

fn asp_drop(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let cleared = match core.drops_cleared {
        None => String::from("Never"),
        Some(at) => {
            let unix_micros = core.wall.unix_micros(at) as i64;
            alloc::format!(
                "{} by enable_15",
                ClockLine {
                    rules: &core.zone,
                    unix_micros
                }
            )
        }
    };
    let dataplane = &core.dataplane;
    if !words.has("flow") {
        let count = |reason| dataplane.frame_drops(reason);
        printers::asp_drop::section(out, printers::asp_drop::FRAME, count, &cleared);
    }
    if !words.has("frame") {
        if !words.has("flow") {
            put_line!(out);
        }
        let count = |reason| dataplane.flow_drops(reason);
        printers::asp_drop::section(out, printers::asp_drop::FLOW, count, &cleared);
    }
}

fn conns(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    printers::conn::usage(out, core.dataplane.conn_usage());
    if words.has("count") {
        return;
    }
    let is_detailed = words.has("detail") || words.has("long");
    if is_detailed {
        printers::conn::legend(out);
    }
    let (host, port) = (words.ip("host"), words.port("port"));
    let policy = core.dataplane.policy();
    for conn in core.dataplane.conns(core.now()) {
        let sides = [conn.lower, conn.higher];
        let matches = host.is_none_or(|host| {
            sides
                .iter()
                .any(|side| side.real.0 == host || side.mapped.0 == host)
        }) && port.is_none_or(|port| {
            sides
                .iter()
                .any(|side| side.real.1 == port || side.mapped.1 == port)
        });
        if !matches {
            continue;
        }
        if is_detailed {
            printers::conn::detail(out, policy, &conn);
        } else {
            printers::conn::brief(out, policy, &conn);
        }
    }
}

fn clear_conn(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let host = words.ip("host");
    if host.is_none() && !words.has("all") {
        put_line!(out, "ERROR: % Incomplete command");
        return;
    }
    let now = core.now();
    let count = core.dataplane.clear_conns(
        |conn| {
            host.is_none_or(|host| {
                [conn.lower, conn.higher]
                    .iter()
                    .any(|side| side.real.0 == host || side.mapped.0 == host)
            })
        },
        now,
    );
    put_line!(out, "{count} connection(s) deleted.");
}

fn clear_arp(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    core.dataplane.clear_neighbors(None, &mut core.pool);
}

fn clear_asp_drop(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    core.dataplane.clear_drops();
    core.drops_cleared = Some(core.now());
}

fn clear_access_list_counters(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let name = words.word("name").unwrap_or_default();
    match core.compiled.lists.get(name).map(|list| list.id) {
        Some(id) => core.dataplane.clear_acl_hits(id),
        None => put_line!(out, "ERROR: access-list <{name}> does not exist"),
    }
}

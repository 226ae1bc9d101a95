//! What the packet engine is told and has learnt: access lists, routes, neighbours.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::Captures;
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
        "show blocks",
        blocks,
        &[("blocks", "Packet buffers")]
    ),
    answer!(
        PRIVILEGED,
        "clear arp",
        clear_arp,
        &[("clear", "Reset functions"), ("arp", "Forget neighbours")]
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
        printers::access_list::header(out, core.dataplane.access_log_usage());
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
                    side: printers::access_list::side(policy, id, first + index),
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

fn clear_arp(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    core.dataplane.clear_neighbors(None, &mut core.pool);
}

fn clear_access_list_counters(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let name = words.word("name").unwrap_or_default();
    match core.compiled.lists.get(name).map(|list| list.id) {
        Some(id) => core.dataplane.clear_acl_hits(id),
        None => put_line!(out, "ERROR: access-list <{name}> does not exist"),
    }
}

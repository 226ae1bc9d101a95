//! Object groups and how often their members matched; time ranges and whether they are in force.

use alloc::string::String;

use cli::grammar::Captures;
use config::model::{AccessLine, AddressMatch, NetworkMember};

use crate::console::declare::{PRIVILEGED, Rows, show};
use crate::policy::schedule::{self, RangeState};
use crate::print::{self, put_line};
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show object-group [network] [id <name:word>]",
        network_groups,
        &[
            ("object-group", "Object groups and how often they matched"),
            ("network", "Groups of addresses"),
            ("id", "Only the one of this name"),
            ("name", "Name of the group"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show time-range [<name:word>]",
        time_ranges,
        &[
            ("time-range", "Time ranges and whether they are in force"),
            ("name", "Name of the time range"),
        ]
    ),
];

fn time_ranges(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = words.word("name");
    let ranges = &core.config.time_ranges;
    if let Some(name) = wanted
        && !ranges.contains_key(name)
    {
        put_line!(out, "ERROR: time-range {name} does not exist");
        return;
    }
    let moment = core.moment(core.now());
    for (name, range) in ranges {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let state = match schedule::state(range, moment) {
            RangeState::Active => "active",
            RangeState::Inactive => "inactive",
            RangeState::Unknown => "the clock is not set",
        };
        put_line!(out, "time-range entry: {name} ({state})");
        for line in config::print::time_range(range) {
            put_line!(out, "   {line}");
        }
        let mut lists = core.config.access_lists.values();
        let is_used = lists.any(|list| {
            list.rules()
                .any(|rule| rule.time_range.as_deref() == Some(name))
        });
        if is_used {
            put_line!(out, "   used in: IP ACL entry");
        }
    }
}

fn network_groups(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = words.word("name");
    let mut found = false;
    for (name, group) in &core.config.network_groups {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        found = true;
        put_line!(out, "object-group network {name}");
        if let Some(description) = &group.description {
            put_line!(out, "  description: {description}");
        }
        for member in &group.members {
            let hits = hits(core, name, member);
            let text = config::print::network_member(member);
            put_line!(out, " {text} (hitcnt={hits})");
        }
    }
    if let (Some(name), false) = (wanted, found) {
        put_line!(out, "ERROR: object-group {name} does not exist");
    }
}

/// How often rules that name the group matched by this member: by the elements they expand to whose
/// address is the member's.
fn hits(core: &Core, name: &str, member: &NetworkMember) -> u64 {
    let ranges = core.config.addresses_of_member(member);
    let ranges6 = core.config.addresses6_of_member(member);
    let is_ours = |range: &dataplane::AddressRange| {
        ranges
            .iter()
            .any(|ours| ours.first == range.first && ours.last == range.last)
    };
    let is_ours6 = |range: dataplane::AddressRange6| {
        let mut ours = ranges6.iter();
        ours.any(|ours| ours.first == range.first && ours.last == range.last)
    };
    let names =
        |address: &AddressMatch| matches!(address, AddressMatch::Group(used) if used == name);
    let mut sum = 0;
    for (list_name, list) in &core.config.access_lists {
        let Some(compiled) = core.compiled.lists.get(list_name) else {
            continue;
        };
        let elements = core
            .dataplane
            .policy()
            .access_lists
            .get(usize::from(compiled.id.0))
            .map_or(&[][..], |list| list.elements.as_slice());
        for (line, places) in list.lines().iter().zip(&compiled.lines) {
            let AccessLine::Rule(rule) = line else {
                continue;
            };
            for at in places.clone() {
                let Some(element) = elements.get(at) else {
                    continue;
                };
                let side = print::access_list::side(core.dataplane.policy(), compiled.id, at);
                let matched = (names(&rule.source)
                    && (is_ours(&element.source)
                        || side.is_some_and(|side| is_ours6(side.source))))
                    || (names(&rule.destination)
                        && (is_ours(&element.destination)
                            || side.is_some_and(|side| is_ours6(side.destination))));
                if matched {
                    sum += core.dataplane.acl_hits(compiled.id, at);
                }
            }
        }
    }
    sum
}

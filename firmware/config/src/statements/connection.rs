//! `set connection` in a class of a policy map, and `tcp-map`.

use super::family::Family;
use super::object::current;
use super::{Change, refusing, row, usage, word};
use crate::mode::{GLOBAL, Mode, POLICY_CLASS, TCP_MAP};
use crate::model::{
    AdvancedOptions, ConnectionActions, ConnectionLimit, DeadDetection, TIMER_MAX_SECS, TcpCheck,
    TcpMap, Treatment,
};
use crate::print;
use crate::refusal::{Notice, Refusal, Thing};
use crate::statements::Handler;
use cli::grammar::{Captures, No, Row, Value};

/// Most TCP maps: flows name theirs in a byte.
const TCP_MAPS_MAX: usize = 250;

pub(super) const LIMITS: Row<Handler> = row(
    POLICY_CLASS,
    "set connection { conn-max <limit:0-2000000> | embryonic-conn-max <limit:0-2000000> \
     | per-client-max <limit:0-2000000> | per-client-embryonic-max <limit:0-2000000> \
     | random-sequence-number { enable | disable } }+",
    No::Syntax(
        "set connection { conn-max [<limit:0-2000000>] | embryonic-conn-max [<limit:0-2000000>] \
         | per-client-max [<limit:0-2000000>] | per-client-embryonic-max [<limit:0-2000000>] \
         | random-sequence-number [{ enable | disable }] }+",
    ),
    &[
        ("set", "Settings of the traffic"),
        ("connection", "Settings of connections"),
        ("conn-max", "Most connections of the class"),
        (
            "embryonic-conn-max",
            "Most half-open connections of the class",
        ),
        ("per-client-max", "Most connections of one client"),
        (
            "per-client-embryonic-max",
            "Most half-open connections of one client",
        ),
        ("limit", "Connections, 0 for no limit"),
        (
            "random-sequence-number",
            "Choose the sequence numbers of the inside anew",
        ),
        ("enable", "Choose them anew"),
        ("disable", "Leave them"),
    ],
    limits,
)
.example("set connection conn-max 1000 embryonic-conn-max 100");

pub(super) const TIMEOUTS: Row<Handler> = row(
    POLICY_CLASS,
    "set connection timeout { embryonic <duration:time> | half-closed <duration:time> \
     | idle <duration:time> [reset] | dcd [<interval:time> [<retries:1-255>]] }+",
    No::Syntax(
        "set connection timeout { embryonic [<duration:time>] | half-closed [<duration:time>] \
         | idle [<duration:time>] [reset] | dcd [<interval:time> [<retries:1-255>]] }+",
    ),
    &[
        ("timeout", "Times of connections"),
        ("embryonic", "Time for the handshake"),
        ("half-closed", "Idle time when one side has closed"),
        ("idle", "Idle time"),
        (
            "duration",
            "Time as hours, minutes and seconds, 0 for never",
        ),
        ("reset", "Tell both sides when an idle connection ends"),
        (
            "dcd",
            "Ask the sides of an idle connection whether they live",
        ),
        ("interval", "Time between questions"),
        ("retries", "Questions without an answer that end it"),
    ],
    timeouts,
)
.example("set connection timeout idle 2:00:00 reset dcd 0:00:15 5");

pub(super) const DECREMENT_TTL: Row<Handler> = row(
    POLICY_CLASS,
    "set connection decrement-ttl",
    No::Same,
    &[("decrement-ttl", "Count the box as a hop")],
    decrement_ttl,
)
.example("set connection decrement-ttl");

pub(super) const ADVANCED_OPTIONS: Row<Handler> = row(
    POLICY_CLASS,
    "set connection advanced-options { tcp-state-bypass | <tcp-map> }",
    No::Syntax("set connection advanced-options [{ tcp-state-bypass | <tcp-map> }]"),
    &[
        ("advanced-options", "How TCP is checked"),
        ("tcp-state-bypass", "Not at all"),
        ("tcp-map", "Name of a TCP map"),
    ],
    advanced_options,
)
.example("set connection advanced-options STRICT");

pub(super) const TCP_MAPS: Family = Family {
    keyword: "tcp-map",
    help: "How TCP is checked",
    narrow: "[<name>]",
    rows: &[
        row(
            GLOBAL,
            "tcp-map <name:word(40)>",
            No::Same,
            &[
                ("tcp-map", "Configure how TCP is checked"),
                ("name", "Name of the map"),
            ],
            tcp_map,
        )
        .example("tcp-map STRICT"),
        refusing(
            TCP_MAP,
            "check-retransmission",
            &[("check-retransmission", "Compare repeated data (not supported)")],
            check_retransmission,
        )
        .example("check-retransmission"),
        row(
            TCP_MAP,
            "{ checksum-verification | ttl-evasion-protection }",
            No::Same,
            &[
                ("checksum-verification", "Drop segments with a wrong checksum"),
                ("ttl-evasion-protection", "Let the TTL of a side never rise"),
            ],
            switch,
        )
        .example("checksum-verification"),
        row(
            TCP_MAP,
            "{ { exceed-mss | invalid-ack | seq-past-window | synack-data | syn-data \
             | window-variation } { allow | drop } | reserved-bits { allow | clear | drop } \
             | urgent-flag { allow | clear } }",
            No::Syntax(
                "{ { exceed-mss | invalid-ack | seq-past-window | synack-data | syn-data \
                 | window-variation } [{ allow | drop }] | reserved-bits [{ allow | clear | drop }] \
                 | urgent-flag [{ allow | clear }] }",
            ),
            &[
                ("exceed-mss", "More data than the receiver announced to take"),
                ("invalid-ack", "Acknowledgments of what was never sent"),
                ("seq-past-window", "Data beyond the window"),
                ("synack-data", "Data in a SYN-ACK"),
                ("syn-data", "Data in a SYN"),
                ("window-variation", "Windows that are taken back"),
                ("reserved-bits", "Reserved bits of the header"),
                ("urgent-flag", "Urgent data"),
                ("allow", "Let it pass"),
                ("clear", "Let it pass without"),
                ("drop", "Drop the segment"),
            ],
            check,
        )
        .example("exceed-mss drop"),
        row(
            TCP_MAP,
            "tcp-options { mss | window-scale | selective-ack | timestamp | md5 \
             | range <first:6-255> <last:6-255> } { allow | clear | drop }",
            No::Syntax(
                "tcp-options { mss | window-scale | selective-ack | timestamp | md5 \
                 | range <first:6-255> <last:6-255> } [{ allow | clear | drop }]",
            ),
            &[
                ("tcp-options", "Options of the header"),
                ("mss", "Largest segment size"),
                ("window-scale", "Window scale"),
                ("selective-ack", "Selective acknowledgments"),
                ("timestamp", "Timestamps"),
                ("md5", "Signatures"),
                ("range", "Options by number"),
                ("first", "First number"),
                ("last", "Last number"),
            ],
            option,
        )
        .example("tcp-options range 30 30 allow"),
        row(
            TCP_MAP,
            "queue-limit <packets:0-250> [timeout <secs:1-20>]",
            No::Syntax("queue-limit [<packets:0-250> [timeout <secs:1-20>]]"),
            &[
                ("queue-limit", "Segments kept until a missing one arrives"),
                ("packets", "Segments"),
                ("timeout", "How long they are kept"),
                ("secs", "Seconds"),
            ],
            queue_limit,
        )
        .example("queue-limit 10 timeout 4"),
    ],
    print: print::connection::tcp_maps,
    clear: Some(clear_tcp_maps),
    ..Family::EMPTY
};

/// The actions of the class that is being configured.
fn actions<'a>(change: &'a mut Change<'_>) -> Result<&'a mut ConnectionActions, Refusal> {
    let Mode::PolicyClass { policy, class } = &change.state.mode else {
        return Err(Refusal::Invalid { offset: 0 });
    };
    change
        .config
        .policy_maps
        .get_mut(policy)
        .and_then(|map| map.classes.iter_mut().find(|entry| entry.class == *class))
        .map(|entry| &mut entry.connection)
        .ok_or(Refusal::Invalid { offset: 0 })
}

/// Replaces the actions of the class by `new`.
fn replace(change: &mut Change<'_>, new: ConnectionActions) -> Result<(), Refusal> {
    let present = actions(change)?;
    let differs = *present != new;
    *present = new;
    change.outcome.changed |= differs;
    Ok(())
}

fn limits(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let mut new = actions(change)?.clone();
    let mut current = None;
    for capture in captures.iter() {
        match capture.value {
            Value::Keyword => {
                let limit = ConnectionLimit::ALL
                    .into_iter()
                    .find(|limit| limit.keyword() == capture.name);
                match (limit, capture.name) {
                    (Some(limit), _) if captures.negated() => {
                        new.limits.remove(&limit);
                    }
                    (Some(limit), _) => current = Some(limit),
                    (None, _) if captures.negated() => {
                        if capture.name == "random-sequence-number" {
                            new.random_sequence_number = None;
                        }
                    }
                    (None, "enable") => new.random_sequence_number = Some(true),
                    (None, "disable") => new.random_sequence_number = Some(false),
                    (None, _) => {}
                }
            }
            Value::Number(most) => {
                if let Some(limit) = current.take() {
                    new.limits.insert(limit, most);
                }
            }
            _ => {}
        }
    }
    replace(change, new)
}

fn timeouts(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let mut new = actions(change)?.clone();
    let mut current = "";
    for capture in captures.iter() {
        match capture.value {
            Value::Keyword if captures.negated() => match capture.name {
                "embryonic" => new.embryonic_secs = None,
                "half-closed" => new.half_closed_secs = None,
                "idle" => (new.idle_secs, new.idle_reset) = (None, false),
                "dcd" => new.dead_detection = None,
                _ => {}
            },
            Value::Keyword => {
                current = capture.name;
                match current {
                    // A new time is without it unless it follows.
                    "idle" => new.idle_reset = false,
                    "reset" => new.idle_reset = true,
                    "dcd" => new.dead_detection = Some(DeadDetection::default()),
                    _ => {}
                }
            }
            Value::Time(time) if !captures.negated() => {
                let secs = time.as_secs();
                let (low, high, zero) = match current {
                    "embryonic" => (5, TIMER_MAX_SECS, true),
                    "half-closed" => (30, TIMER_MAX_SECS, true),
                    "dcd" => (1, 24 * 3600, false),
                    _ => (1, TIMER_MAX_SECS, true),
                };
                if !((low..=high).contains(&secs) || zero && secs == 0) {
                    return Err(Refusal::OutOfRange { low, high });
                }
                match current {
                    "embryonic" => new.embryonic_secs = Some(secs),
                    "half-closed" => new.half_closed_secs = Some(secs),
                    "idle" => new.idle_secs = Some(secs),
                    _ => {
                        if let Some(dcd) = &mut new.dead_detection {
                            dcd.interval_secs = secs;
                        }
                    }
                }
            }
            Value::Number(retries) if !captures.negated() => {
                if let Some(dcd) = &mut new.dead_detection {
                    dcd.retries = u8::try_from(retries).unwrap_or(u8::MAX);
                }
            }
            _ => {}
        }
    }
    replace(change, new)
}

fn decrement_ttl(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let new = ConnectionActions {
        decrement_ttl: !captures.negated(),
        ..actions(change)?.clone()
    };
    replace(change, new)
}

fn advanced_options(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let named = captures.values("tcp-map").find_map(|value| match value {
        Value::Word(name) => Some(name),
        _ => None,
    });
    let advanced = match named {
        Some(name) if !change.config.tcp_maps.contains_key(name) => {
            return Err(Refusal::Missing(Thing::TcpMap, name.into()));
        }
        Some(name) => Some(AdvancedOptions::Map(name.into())),
        None if captures.has("tcp-state-bypass") => Some(AdvancedOptions::StateBypass),
        None => None,
    };
    let present = actions(change)?.clone();
    if captures.negated() {
        if present.advanced.is_none() || advanced.is_some() && advanced != present.advanced {
            return Err(Refusal::NothingToRemove);
        }
        return replace(
            change,
            ConnectionActions {
                advanced: None,
                ..present
            },
        );
    }
    replace(
        change,
        ConnectionActions {
            advanced,
            ..present
        },
    )
}

fn tcp_map(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if captures.negated() {
        if !change.config.tcp_maps.contains_key(name) {
            return Err(Refusal::Missing(Thing::TcpMap, name.into()));
        }
        if usage::tcp_map_used(change.config, name) {
            let (thing, by) = (Thing::TcpMap, "policy-map");
            return Err(Refusal::InUse {
                thing,
                name: name.into(),
                by,
            });
        }
        return change.outcome.removed(change.config.tcp_maps.remove(name));
    }
    if name == "tcp-state-bypass" {
        return Err(Refusal::BadName(name.into()));
    }
    let is_new = !change.config.tcp_maps.contains_key(name);
    if is_new && change.config.tcp_maps.len() >= TCP_MAPS_MAX {
        return Err(Refusal::Unsupported("More TCP maps"));
    }
    change.outcome.changed = change.config.tcp_maps.make(name, TcpMap::default);
    change.enter(Mode::TcpMap(name.into()));
    Ok(())
}

fn check_retransmission(_: &Captures<'_>) -> Refusal {
    Refusal::Unsupported("Comparing repeated data, which needs a copy of all data in flight,")
}

fn switch(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, map) = current!(change, TcpMap, tcp_maps);
    let slot = if captures.has("checksum-verification") {
        &mut map.checksum_verification
    } else {
        &mut map.ttl_evasion_protection
    };
    change.outcome.set(slot, !captures.negated());
    Ok(())
}

fn treatment(captures: &Captures<'_>) -> Option<Treatment> {
    Treatment::ALL
        .into_iter()
        .find(|treatment| captures.has(treatment.keyword()))
        .filter(|_| !captures.negated())
}

fn check(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let check = TcpCheck::ALL
        .into_iter()
        .find(|check| captures.has(check.keyword()))
        .ok_or(Refusal::Invalid { offset: 0 })?;
    let chosen = treatment(captures).unwrap_or(check.default_treatment());
    let (_, map) = current!(change, TcpMap, tcp_maps);
    change.outcome.changed = map.check(check) != chosen;
    if chosen == check.default_treatment() {
        map.checks.remove(&check);
    } else {
        map.checks.insert(check, chosen);
    }
    Ok(())
}

fn option(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let named = TcpMap::OPTION_NAMES
        .into_iter()
        .find(|(keyword, _)| captures.has(keyword));
    let kinds = match named {
        Some((_, kind)) => kind..=kind,
        None => super::small(captures, "first")?..=super::small(captures, "last")?,
    };
    if kinds.is_empty() {
        return Err(Refusal::OutOfRange {
            low: u32::from(*kinds.start()),
            high: 255,
        });
    }
    let chosen = treatment(captures);
    let (_, map) = current!(change, TcpMap, tcp_maps);
    for kind in kinds {
        // Timestamps have a word of their own.
        if kind == 8 && named.is_none() {
            continue;
        }
        let default = TcpMap::default_option(kind);
        let chosen = chosen.unwrap_or(default);
        change.outcome.changed |= map.option(kind) != chosen;
        if chosen == default {
            map.options.remove(&kind);
        } else {
            map.options.insert(kind, chosen);
        }
    }
    Ok(())
}

fn queue_limit(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let limit = match captures.negated() {
        true => None,
        false => {
            let secs = captures.number("secs");
            let secs = secs.and_then(|secs| u8::try_from(secs).ok());
            Some((super::small(captures, "packets")?, secs))
        }
    };
    if limit.is_some() {
        change.notice(Notice::KeptOnly("queue-limit"));
    }
    let (_, map) = current!(change, TcpMap, tcp_maps);
    change.outcome.set(&mut map.queue_limit, limit);
    Ok(())
}

fn clear_tcp_maps(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let config = &mut *change.config;
    let used = config
        .tcp_maps
        .keys()
        .find(|name| usage::tcp_map_used(config, name));
    super::unused(Thing::TcpMap, used, "policy-map")?;
    change.outcome.set(&mut config.tcp_maps, Default::default());
    Ok(())
}

//! Fragments, forged sources, sources that are shut out, rates of drops.

use alloc::string::String;
use core::net::Ipv4Addr;

use cli::grammar::{Captures, No, Row};
use config::model::ThreatClass;
use dataplane::{PortId, SHUNS_MAX, Shun};
use syslog::Message;

use crate::console::declare::{Exec, POWER, PRIVILEGED, Rows, answer, show};
use crate::print::protection as print;
use crate::print::put_line;
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show fragment [<interface>]",
        fragments,
        &[(
            "fragment",
            "Fragments that wait for the rest of their packet"
        )]
    ),
    show!(
        PRIVILEGED,
        "show ip verify statistics [interface <interface>]",
        verify_statistics,
        &[
            ("ip", "IP information"),
            ("verify", "Checks of source addresses"),
            ("statistics", "Packets dropped by the checks"),
            ("interface", "Only those of an interface"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show shun [{statistics|<source:ip>}]",
        show_shun,
        &[
            ("shun", "Sources that are shut out"),
            ("statistics", "With what was dropped"),
            ("source", "Only this source"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show threat-detection rate [{acl-drop|bad-packet-drop|conn-limit-drop|dos-drop|fw-drop\
         |icmp-drop|inspect-drop|interface-drop|scanning-threat|syn-attack}]",
        threat_rates,
        &[
            ("threat-detection", "Detection of threats"),
            ("rate", "How fast packets are dropped"),
            ("acl-drop", "Refused by access lists"),
            ("bad-packet-drop", "Malformed packets"),
            ("conn-limit-drop", "Limits of connections"),
            ("dos-drop", "Attacks on services"),
            ("fw-drop", "Everything the firewall refuses"),
            ("icmp-drop", "Suspicious ICMP packets"),
            ("inspect-drop", "Refused by inspection"),
            ("interface-drop", "Everything that is dropped"),
            ("scanning-threat", "Looking for what is open"),
            ("syn-attack", "Connections that are never completed"),
        ]
    ),
    // Behind the others, so that `sh` goes on meaning `show`.
    Row::new(
        POWER,
        PRIVILEGED,
        "shun <source:ip> [<destination:ip> <source-port:port> <destination-port:port> \
         [<protocol:0-255>]]",
        &[
            ("shun", "Shut a source out"),
            ("source", "Whose packets are dropped"),
            ("destination", "Destination of the connection to end"),
            ("source-port", "Its source port, 0 for any"),
            ("destination-port", "Its destination port, 0 for any"),
            ("protocol", "Number of its protocol, 0 for any"),
        ],
        Exec::Answer(shun),
    )
    .no(No::Syntax("shun <source:ip>"))
    .example("shun 198.51.100.27"),
    answer!(
        PRIVILEGED,
        "clear shun [statistics]",
        clear_shun,
        &[
            ("shun", "Let all sources in again"),
            ("statistics", "Only zero what was counted"),
        ]
    ),
    answer!(
        PRIVILEGED,
        "clear ip verify statistics",
        clear_verify_statistics,
        &[
            ("ip", "IP information"),
            ("verify", "Checks of source addresses"),
            ("statistics", "Zero the counters"),
        ]
    ),
    answer!(
        PRIVILEGED,
        "clear fragment statistics [<interface>]",
        clear_fragments,
        &[
            ("fragment", "Fragments"),
            ("statistics", "Zero the counters"),
        ]
    ),
    answer!(
        PRIVILEGED,
        "clear threat-detection rate",
        clear_threat_rates,
        &[
            ("threat-detection", "Detection of threats"),
            ("rate", "Begin the rates anew"),
        ]
    ),
];

/// Ports with a policy, and their names; only the wanted one if one is named.
fn interfaces<'a>(
    core: &'a Core,
    wanted: Option<&'a str>,
) -> impl Iterator<Item = (PortId, &'a str)> + 'a {
    let used = core.dataplane.policy().interfaces.iter();
    used.map(|used| (used.port, used.name.as_str()))
        .filter(move |&(_, name)| wanted.is_none_or(|wanted| wanted == name))
}

/// Says so if there is no interface of the name that was given.
fn is_known(core: &Core, wanted: Option<&str>, out: &mut String) -> bool {
    match wanted {
        Some(name) if core.config.interface_named(name).is_none() => {
            put_line!(out, "ERROR: interface <{name}> does not exist");
            false
        }
        _ => true,
    }
}

fn fragments(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = words.word("interface");
    if is_known(core, wanted, out) {
        for (port, name) in interfaces(core, wanted) {
            print::fragments(out, name, &core.dataplane.fragments(port));
        }
    }
}

fn clear_fragments(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = words.word("interface");
    if is_known(core, wanted, out) {
        let ports: alloc::vec::Vec<PortId> =
            interfaces(core, wanted).map(|(port, _)| port).collect();
        for port in ports {
            core.dataplane.clear_fragment_counters(port);
        }
    }
}

fn verify_statistics(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = words.word("interface");
    if is_known(core, wanted, out) {
        for (port, name) in interfaces(core, wanted) {
            let drops = core.dataplane.reverse_path_drops(port);
            put_line!(out, "interface {name}: {drops} unicast rpf drops");
        }
    }
}

fn clear_verify_statistics(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    core.dataplane.clear_reverse_path_drops();
}

fn shun(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let Some(source) = words.ip("source") else {
        return;
    };
    if words.negated() {
        if core.dataplane.unshun(source) {
            put_line!(out, "Shun {source} deleted");
            core.log(&Message::ShunDeleted { source });
        } else {
            put_line!(out, "ERROR: {source} is not shunned");
        }
        return;
    }
    let now = core.now();
    let number = |name| {
        words
            .number(name)
            .and_then(|number| u8::try_from(number).ok())
    };
    let entry = Shun {
        source,
        destination: words.ip("destination").unwrap_or(Ipv4Addr::UNSPECIFIED),
        source_port: words.port("source-port").unwrap_or(0),
        destination_port: words.port("destination-port").unwrap_or(0),
        protocol: number("protocol").unwrap_or(0),
    };
    match core.dataplane.shun(entry, now) {
        Some(ended) => {
            put_line!(out, "Shun {source} added, {ended} connection(s) ended");
            core.log(&Message::ShunAdded {
                source,
                destination: entry.destination,
                source_port: entry.source_port,
                destination_port: entry.destination_port,
            });
        }
        None => put_line!(out, "ERROR: {SHUNS_MAX} sources are shunned already"),
    }
}

fn show_shun(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let dataplane = &core.dataplane;
    let behind = |source| dataplane.source_for(source).map(|(port, _)| port);
    if words.has("statistics") {
        for (port, name) in interfaces(core, None) {
            let its = dataplane.shuns().iter();
            let its = its.filter(|entry| behind(entry.shun.source) == Some(port));
            let (count, hits) = its.fold((0, 0), |(count, hits), entry| {
                (count + 1, hits + entry.hits)
            });
            print::shun_interface(out, name, count > 0, hits);
        }
        let now = core.now();
        for entry in dataplane.shuns() {
            print::shun_counters(out, entry, now);
        }
        return;
    }
    let wanted = words.ip("source");
    let policy = dataplane.policy();
    for entry in dataplane.shuns() {
        if wanted.is_none_or(|wanted| wanted == entry.shun.source) {
            let name = crate::print::nameif(policy, behind(entry.shun.source));
            print::shun(out, name, &entry.shun);
        }
    }
}

fn clear_shun(core: &mut Core, words: &Captures<'_>, _: &mut String) {
    if words.has("statistics") {
        core.dataplane.clear_shun_hits();
    } else {
        core.dataplane.clear_shuns();
    }
}

fn threat_rates(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = ThreatClass::ALL
        .into_iter()
        .find(|class| words.has(class.keyword()));
    print::threat_rates_header(out);
    for view in core.threats.views() {
        if wanted.is_none_or(|wanted| wanted == view.rate.class) {
            print::threat_rate(out, &view);
        }
    }
}

fn clear_threat_rates(core: &mut Core, _: &Captures<'_>, _: &mut String) {
    let now = core.now();
    core.threats.clear(now);
}

//! Fragments, forged sources, rates of drops that count as threats.

use super::family::Family;
use super::{Change, kept, number, row, small, word};
use crate::mode::GLOBAL;
use crate::model::{FragmentSettings, THREAT_RATES_MAX, ThreatClass, ThreatRate, ThreatSettings};
use crate::print;
use crate::refusal::Refusal;
use cli::grammar::{Captures, No};

pub(super) const FRAGMENT: Family = Family {
    keyword: "fragment",
    help: "Reassembly of fragments",
    rows: &[
        row(
            GLOBAL,
            "fragment { size <fragments:1-30000> | chain <pieces:1-8200> \
             | timeout <seconds:1-30> } [<interface>]",
            No::Syntax(
                "fragment { size [<fragments:1-30000>] | chain [<pieces:1-8200>] \
                 | timeout [<seconds:1-30>] } [<interface>]",
            ),
            &[
                ("fragment", "Configure the reassembly of fragments"),
                ("size", "Fragments that may wait at an interface"),
                ("fragments", "Fragments, 200 unless given"),
                ("chain", "Fragments that a packet may have"),
                ("pieces", "Fragments, 24 unless given"),
                ("timeout", "Time that the rest of a packet may take"),
                ("seconds", "Seconds, 5 unless given"),
            ],
            fragment,
        )
        .example("fragment chain 1 outside"),
        row(
            GLOBAL,
            "fragment reassembly { full | virtual } [<interface>]",
            No::Same,
            &[
                ("reassembly", "What becomes of packets in fragments"),
                ("full", "They go on whole"),
                ("virtual", "They are checked whole and go on in fragments"),
            ],
            reassembly,
        )
        .example("fragment reassembly full outside"),
    ],
    print: print::protection::fragments,
    clear: Some(clear_fragments),
    ..Family::EMPTY
};

pub(super) const IP: Family = Family {
    keyword: "ip",
    help: "Checks of source addresses",
    narrow: "[verify reverse-path]",
    rows: &[row(
        GLOBAL,
        "ip verify reverse-path interface <interface>",
        No::Same,
        &[
            ("ip", "Configure checks of IP packets"),
            ("verify", "Check where packets come from"),
            (
                "reverse-path",
                "Drop packets whose source is not behind the interface they come in by",
            ),
            ("interface", "At an interface"),
        ],
        reverse_path,
    )
    .example("ip verify reverse-path interface outside")],
    print: print::protection::reverse_path,
    clear: Some(clear_reverse_path),
    ..Family::EMPTY
};

pub(super) const THREAT_DETECTION: Family = Family {
    keyword: "threat-detection",
    help: "Detection of threats",
    rows: &[
        row(
            GLOBAL,
            "threat-detection basic-threat",
            No::Same,
            &[
                ("threat-detection", "Configure the detection of threats"),
                ("basic-threat", "Tell when rates of drops are exceeded"),
            ],
            basic_threat,
        )
        .example("threat-detection basic-threat"),
        row(
            GLOBAL,
            "threat-detection rate { acl-drop | bad-packet-drop | conn-limit-drop | dos-drop \
             | fw-drop | icmp-drop | inspect-drop | interface-drop | scanning-threat | syn-attack } \
             rate-interval <interval:600-2592000> average-rate <average:0-2147483647> \
             burst-rate <burst:0-2147483647>",
            No::Syntax(
                "threat-detection rate { acl-drop | bad-packet-drop | conn-limit-drop | dos-drop \
                 | fw-drop | icmp-drop | inspect-drop | interface-drop | scanning-threat \
                 | syn-attack } rate-interval <interval:600-2592000> \
                 [average-rate <average:0-2147483647> [burst-rate <burst:0-2147483647>]]",
            ),
            &[
                ("rate", "Rates that count as a threat"),
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
                ("rate-interval", "Time over which the average is taken"),
                ("interval", "Seconds"),
                ("average-rate", "Most drops a second on average"),
                ("average", "Drops a second"),
                ("burst-rate", "Most drops a second for a short time"),
                ("burst", "Drops a second"),
            ],
            rate,
        )
        .example(
            "threat-detection rate acl-drop rate-interval 1200 average-rate 250 burst-rate 550",
        ),
    ],
    kept: kept::THREAT_DETECTION,
    print: print::protection::threats,
    clear: Some(clear_threats),
    ..Family::EMPTY
};

/// Changes the settings of one interface, or of all that have a name.
fn for_interfaces(
    change: &mut Change<'_>,
    captures: &Captures<'_>,
    set: impl Fn(&mut FragmentSettings),
) -> Result<(), Refusal> {
    let wanted = captures.word("interface");
    if let Some(nameif) = wanted {
        change.require_interface(nameif)?;
    }
    for interface in change.config.interfaces.values_mut() {
        let is_meant = match (&interface.nameif, wanted) {
            (Some(nameif), Some(wanted)) => nameif == wanted,
            (nameif, None) => nameif.is_some(),
            (None, Some(_)) => false,
        };
        if is_meant {
            let mut settings = interface.fragment;
            set(&mut settings);
            change.outcome.set(&mut interface.fragment, settings);
        }
    }
    Ok(())
}

fn fragment(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let default = FragmentSettings::DEFAULT;
    if captures.has("size") {
        let size = value(captures, "fragments", default.size)?;
        return for_interfaces(change, captures, |settings| settings.size = size);
    }
    if captures.has("chain") {
        let chain = value(captures, "pieces", default.chain)?;
        return for_interfaces(change, captures, |settings| settings.chain = chain);
    }
    let secs = value(captures, "seconds", default.timeout_secs)?;
    for_interfaces(change, captures, |settings| settings.timeout_secs = secs)
}

/// The number of a statement, or what applies without it.
fn value<T: TryFrom<u32>>(captures: &Captures<'_>, name: &str, default: T) -> Result<T, Refusal> {
    if captures.negated() {
        Ok(default)
    } else {
        small(captures, name)
    }
}

fn reassembly(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    // Without either it is virtual.
    let is_full = captures.has("full") && !captures.negated();
    for_interfaces(change, captures, |settings| settings.is_full = is_full)
}

fn reverse_path(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let nameif = word(captures, "interface")?;
    change.require_interface(nameif)?;
    let is_on = !captures.negated();
    for interface in change.config.interfaces.values_mut() {
        if interface.nameif.as_deref() == Some(nameif) {
            let setting = &mut interface.verifies_reverse_path;
            change.outcome.set(setting, is_on);
        }
    }
    Ok(())
}

fn basic_threat(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let is_on = !captures.negated();
    let setting = &mut change.config.threats.is_basic_on;
    change.outcome.set(setting, is_on);
    Ok(())
}

fn rate(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let class = ThreatClass::ALL
        .into_iter()
        .find(|class| captures.has(class.keyword()))
        .ok_or(Refusal::Invalid { offset: 0 })?;
    let interval_secs = number(captures, "interval")?;
    let mut rates = change.config.threats.rates.clone();
    let place = rates.binary_search_by_key(&(class, interval_secs), |rate| {
        (rate.class, rate.interval_secs)
    });
    match (place, captures.negated()) {
        (Ok(place), true) => drop(rates.remove(place)),
        (Err(_), true) => return Err(Refusal::NothingToRemove),
        (place, false) => {
            let rate = ThreatRate {
                class,
                interval_secs,
                average: number(captures, "average")?,
                burst: number(captures, "burst")?,
            };
            let count = rates.iter().filter(|rate| rate.class == class).count();
            match place {
                Ok(place) => {
                    if let Some(known) = rates.get_mut(place) {
                        *known = rate;
                    }
                }
                Err(_) if count >= THREAT_RATES_MAX => {
                    return Err(Refusal::TooMany("rates of this class", THREAT_RATES_MAX));
                }
                Err(place) => rates.insert(place, rate),
            }
        }
    }
    change.outcome.set(&mut change.config.threats.rates, rates);
    Ok(())
}

fn clear_fragments(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    for interface in change.config.interfaces.values_mut() {
        change
            .outcome
            .set(&mut interface.fragment, FragmentSettings::DEFAULT);
    }
    Ok(())
}

fn clear_reverse_path(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    for interface in change.config.interfaces.values_mut() {
        change
            .outcome
            .set(&mut interface.verifies_reverse_path, false);
    }
    Ok(())
}

fn clear_threats(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let settings = &mut change.config.threats;
    change.outcome.set(settings, ThreatSettings::default());
    Ok(())
}

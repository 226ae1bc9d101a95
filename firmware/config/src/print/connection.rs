//! `set connection` lines and TCP maps as text.

use super::Page;
use super::system::clock_time;
use crate::model::{
    AdvancedOptions, Config, ConnectionActions, ConnectionLimit, TcpCheck, TcpMap, Treatment,
};
use alloc::format;
use alloc::string::String;

/// The `set connection` lines of a class.
pub(super) fn actions(page: &mut Page<'_>, actions: &ConnectionActions) {
    if let Some(line) = limits(actions) {
        page.line(format!("  set connection {line}"));
    }
    if let Some(line) = timeouts(actions) {
        page.line(format!("  set connection timeout {line}"));
    }
    match &actions.advanced {
        Some(AdvancedOptions::Map(name)) => {
            page.line(format!("  set connection advanced-options {name}"));
        }
        Some(AdvancedOptions::StateBypass) => {
            page.line("  set connection advanced-options tcp-state-bypass");
        }
        None => {}
    }
    if actions.decrement_ttl {
        page.line("  set connection decrement-ttl");
    }
}

/// What stands behind `set connection` in the line of limits, if there is any.
#[must_use]
pub fn limits(actions: &ConnectionActions) -> Option<String> {
    let mut words = String::new();
    for limit in ConnectionLimit::ALL {
        if let Some(most) = actions.limits.get(&limit) {
            words.push_str(&format!(" {} {most}", limit.keyword()));
        }
    }
    if let Some(enabled) = actions.random_sequence_number {
        let word = if enabled { "enable" } else { "disable" };
        words.push_str(&format!(" random-sequence-number {word}"));
    }
    (!words.is_empty()).then(|| words.split_off(1))
}

fn timeouts(actions: &ConnectionActions) -> Option<String> {
    let mut words = String::new();
    for (keyword, secs) in [
        ("embryonic", actions.embryonic_secs),
        ("half-closed", actions.half_closed_secs),
        ("idle", actions.idle_secs),
    ] {
        if let Some(secs) = secs {
            words.push_str(&format!(" {keyword} {}", clock_time(secs)));
        }
    }
    if actions.idle_reset {
        words.push_str(" reset");
    }
    if let Some(dcd) = actions.dead_detection {
        let interval = clock_time(dcd.interval_secs);
        words.push_str(&format!(" dcd {interval} {}", dcd.retries));
    }
    (!words.is_empty()).then(|| words.split_off(1))
}

pub(crate) fn tcp_maps(page: &mut Page<'_>, config: &Config) {
    if !config.tcp_maps.is_empty() {
        page.separator();
    }
    for (name, map) in &config.tcp_maps {
        page.block("", &[name]);
        page.line(format!("tcp-map {name}"));
        tcp_map(page, map);
    }
}

fn tcp_map(page: &mut Page<'_>, map: &TcpMap) {
    let shows_all = page.shows_defaults();
    page.switch(2, "checksum-verification", map.checksum_verification, false);
    for check in TcpCheck::ALL {
        let treatment = map.check(check);
        if shows_all || treatment != check.default_treatment() {
            page.line(format!("  {} {}", check.keyword(), treatment.keyword()));
        }
    }
    if let Some((packets, timeout)) = map.queue_limit {
        let timeout = timeout.map_or(String::new(), |secs| format!(" timeout {secs}"));
        page.line(format!("  queue-limit {packets}{timeout}"));
    }
    // Kinds with a keyword stand alone; between them runs of kinds that are treated alike.
    let named = |kind: u8| TcpMap::OPTION_NAMES.iter().any(|&(_, other)| other == kind);
    let mut run: Option<(u8, u8, Treatment)> = None;
    for kind in 6..=u8::MAX {
        let treatment = map.option(kind);
        let is_printed = !named(kind) && (shows_all || treatment != TcpMap::default_option(kind));
        run = match run {
            Some((first, _, of)) if is_printed && of == treatment => Some((first, kind, of)),
            other => {
                range(page, other);
                is_printed.then_some((kind, kind, treatment))
            }
        };
    }
    range(page, run);
    for (keyword, kind) in TcpMap::OPTION_NAMES {
        let treatment = map.option(kind);
        if shows_all || treatment != TcpMap::default_option(kind) {
            page.line(format!("  tcp-options {keyword} {}", treatment.keyword()));
        }
    }
    page.switch(
        2,
        "ttl-evasion-protection",
        map.ttl_evasion_protection,
        true,
    );
}

fn range(page: &mut Page<'_>, run: Option<(u8, u8, Treatment)>) {
    if let Some((first, last, treatment)) = run {
        let word = treatment.keyword();
        page.line(format!("  tcp-options range {first} {last} {word}"));
    }
}

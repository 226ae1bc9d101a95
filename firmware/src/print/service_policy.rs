//! `show service-policy`: what is applied where, and what it counts.

use alloc::string::String;

use config::model::{AdvancedOptions, ConnectionActions, Inspection, PolicyClass, PolicyPlace};
use dataplane::ClassCounts;

use super::{put, put_line};
use crate::federation::ClassCounters;

/// The heading of a policy.
pub(crate) fn place(out: &mut String, place: &PolicyPlace, policy: &str) {
    match place {
        PolicyPlace::Global => put_line!(out, "\nGlobal policy:"),
        PolicyPlace::Interface(name) => put_line!(out, "\nInterface {name}:"),
    }
    put_line!(out, "  Service-policy: {policy}");
}

/// A class of a policy map; `proxied` are the counters of its TLS proxy.
pub(crate) fn class(
    out: &mut String,
    class: &PolicyClass,
    counts: ClassCounts,
    proxied: ClassCounters,
) {
    put_line!(out, "    Class-map: {}", class.class);
    for (engine, inspection) in &class.inspections {
        inspect(out, engine.keyword(), inspection, &proxied);
    }
    connection(out, &class.connection, counts);
}

fn inspect(out: &mut String, engine: &str, inspection: &Inspection, proxied: &ClassCounters) {
    put!(out, "      Inspect: {engine}");
    if let Some(map) = &inspection.map {
        put!(out, " {map}");
    }
    let Some(proxy) = &inspection.tls_proxy else {
        put_line!(out);
        return;
    };
    put_line!(out, " tls-proxy {proxy}");
    put_line!(
        out,
        "               tls-proxy: active sess {}, most sess {}, byte {}",
        proxied.active,
        proxied.most,
        proxied.bytes
    );
}

fn connection(out: &mut String, actions: &ConnectionActions, counts: ClassCounts) {
    if actions.has_settings() {
        put_line!(
            out,
            "      Set connection policy: {}",
            config::print::connection_limits(actions).unwrap_or_default()
        );
        put_line!(
            out,
            "        current embryonic conns {}, current conns {}, drop {}",
            counts.embryonic,
            counts.connections,
            counts.refused
        );
        if counts.answered > 0 {
            put_line!(
                out,
                "        SYNs answered with cookies {}",
                counts.answered
            );
        }
    }
    let times = [
        ("embryonic", actions.embryonic_secs),
        ("half-closed", actions.half_closed_secs),
        ("idle", actions.idle_secs),
    ];
    if times.iter().any(|(_, secs)| secs.is_some()) || actions.dead_detection.is_some() {
        put_line!(out, "      Set connection timeout policy:");
    }
    for (keyword, secs) in times {
        if let Some(secs) = secs {
            let reset = match actions.idle_reset && keyword == "idle" {
                true => " reset",
                false => "",
            };
            put_line!(out, "        {keyword} {}{reset}", clock_time(secs));
        }
    }
    if let Some(detection) = actions.dead_detection {
        put_line!(
            out,
            "        DCD: enabled, retry-interval {}, max-retries {}",
            clock_time(detection.interval_secs),
            detection.retries
        );
        put_line!(
            out,
            "        DCD: client-probe {}, server-probe {}, conn-expiration {}",
            counts.client_probes,
            counts.server_probes,
            counts.expired
        );
    }
    match &actions.advanced {
        Some(AdvancedOptions::Map(name)) => {
            put_line!(out, "      Set connection advanced-options: {name}");
        }
        Some(AdvancedOptions::StateBypass) => {
            put_line!(
                out,
                "      Set connection advanced-options: tcp-state-bypass"
            );
        }
        None => {}
    }
    if actions.decrement_ttl {
        put_line!(out, "      Set connection decrement-ttl");
    }
}

/// Seconds as `h:mm:ss`.
fn clock_time(secs: u32) -> String {
    alloc::format!("{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

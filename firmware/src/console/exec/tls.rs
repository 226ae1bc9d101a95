//! TLS proxies and their sessions.

use alloc::string::String;
use alloc::vec::Vec;

use cli::grammar::Captures;

use crate::console::declare::{PRIVILEGED, Rows, answer, show};
use crate::print as printers;
use crate::print::put_line;
use crate::state::Core;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show tls-proxy [<name:word>]",
        proxies,
        &[
            ("tls-proxy", "TLS proxies"),
            ("name", "Name of a TLS proxy"),
        ]
    ),
    show!(
        PRIVILEGED,
        "show tls-proxy session [{count|detail|statistics}]",
        sessions,
        &[
            ("session", "Sessions in progress"),
            ("count", "Only how many there are"),
            ("detail", "With the state of both halves"),
            ("statistics", "Counters, and how the last sessions ended"),
        ]
    ),
    answer!(
        PRIVILEGED,
        "clear tls-proxy session",
        clear_sessions,
        &[
            ("tls-proxy", "TLS proxies"),
            ("session", "End all sessions"),
        ]
    ),
];

fn proxies(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let wanted = words.word("name");
    let limit = core.config.tls_proxy_maximum_sessions.unwrap_or(u32::MAX);
    printers::tls_proxy::maximum(out, u64::from(limit).min(u64::from(core.budget.sessions)));
    let names: Vec<String> = core.config.tls_proxies.keys().cloned().collect();
    for (index, name) in names.iter().enumerate() {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let complaint = core.federation.check(&core.config, &core.keys, name).err();
        let complaint = complaint.map(|error| alloc::format!("{error}"));
        let users: Vec<_> = core
            .compiled
            .proxies
            .iter()
            .filter(|user| user.tls_proxy == *name)
            .map(|user| {
                (
                    user.class.as_str(),
                    core.federation.class_counters(&user.class),
                )
            })
            .collect();
        let Some(proxy) = core.config.tls_proxies.get(name) else {
            continue;
        };
        printers::tls_proxy::proxy(out, index + 1, name, proxy, &users, complaint.as_deref());
    }
}

fn sessions(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let proxy = core.federation.proxy();
    if words.has("statistics") {
        let now = core.now();
        let ago = |ended: &crate::federation::Ended| now.since(ended.at).as_secs();
        let counters = proxy.counters();
        printers::tls_proxy::statistics(out, counters, core.federation.ended(), ago);
        return;
    }
    printers::tls_proxy::usage(out, proxy.counters());
    if words.has("count") {
        return;
    }
    for view in proxy.sessions() {
        let Some(session) = core.federation.session(view.flow) else {
            continue;
        };
        let sides = (session.ingress, session.egress);
        let name = &session.class.tls_proxy;
        let policy = core.dataplane.policy();
        printers::tls_proxy::session(out, policy, &view, sides, name, words.has("detail"));
    }
}

fn clear_sessions(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    let now = core.now();
    let count = core.federation.close_all(now);
    put_line!(out, "{count} session(s) cleared");
}

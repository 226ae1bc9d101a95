//! `show local-host`, `clear local-host`: what each host holds, read off the tables.
//!
//! There is no table of hosts. A pass over the flow table collects the next few hosts in order, with
//! their counts, in memory that does not grow with the tables; then each is shown with its translations
//! and connections.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::net::Ipv4Addr;

use cli::grammar::Captures;
use dataplane::{ConnFlags, ConnView, PROTOCOL_TCP, PROTOCOL_UDP, PortId, XlateView};

use super::conn::{clear, steps};
use crate::console::declare::{EXEC, PRIVILEGED, Rows, talk};
use crate::console::report::Report;
use crate::console::session::{Gone, Session};
use crate::print as printers;
use crate::print::local_host::HostCounts;
use crate::state::Core;
use crate::tasks::yield_now;

/// Hosts collected in one pass.
const HOSTS_PER_PASS: usize = 64;
/// Records looked at in one step.
const RECORDS_PER_STEP: u32 = 1024;

/// A host, and the interface it is behind.
type Host = (PortId, Ipv4Addr);

pub(super) const ROWS: Rows = &[
    talk!(
        EXEC,
        PRIVILEGED,
        "show local-host [<host:ip>] [{all|detail|connection|xlate}] $filter@filter",
        show_hosts,
        &[
            ("local-host", "Hosts, their translations and connections"),
            ("host", "Only this one"),
            ("all", "Translations and connections, as without a word"),
            (
                "detail",
                "With translated addresses and times of connections"
            ),
            ("connection", "Without translations"),
            ("xlate", "Without connections"),
        ]
    )
    .example("show local-host 10.20.0.11 detail"),
    talk!(
        EXEC,
        PRIVILEGED,
        "clear local-host [<host:ip>]",
        clear_hosts,
        &[
            (
                "local-host",
                "End the connections and translations of hosts"
            ),
            ("host", "Only those of this one"),
        ]
    )
    .example("clear local-host 10.20.0.11"),
];

async fn show_hosts(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let Some(mut report) = Report::begin(session, words).await? else {
        return Ok(());
    };
    session.core().settle();
    let only = words.ip("host");
    let mut shown: Option<Host> = None;
    loop {
        let hosts = next_hosts(session, shown, only).await;
        for (&host, counts) in &hosts {
            let mut text = String::new();
            {
                let core = session.core();
                if shown.map(|(port, _)| port) != Some(host.0) {
                    let name = printers::nameif(core.dataplane.policy(), Some(host.0));
                    printers::local_host::interface(&mut text, name);
                }
                let address = core.dataplane.address_shown(host.1);
                printers::local_host::host(&mut text, address, counts);
            }
            shown = Some(host);
            let goes_on = report.show(session, &text).await?
                && (words.has("connection") || show_xlates(session, &mut report, host).await?)
                && (words.has("xlate")
                    || show_conns(session, &mut report, host, words.has("detail")).await?);
            if !goes_on {
                return Ok(());
            }
        }
        if hosts.len() < HOSTS_PER_PASS {
            return report.end(session).await;
        }
    }
}

/// The first hosts behind `after`, in order of interface and address.
async fn next_hosts(
    session: &Session,
    after: Option<Host>,
    only: Option<Ipv4Addr>,
) -> BTreeMap<Host, HostCounts> {
    let mut hosts: BTreeMap<Host, HostCounts> = BTreeMap::new();
    let limit = session.core().dataplane.conn_usage().limit;
    for records in steps(limit, RECORDS_PER_STEP) {
        {
            let core = session.core();
            for conn in core.dataplane.conns_within(records, core.now()) {
                for (side, is_responder) in [
                    (&conn.lower, !conn.opened_by_lower),
                    (&conn.higher, conn.opened_by_lower),
                ] {
                    let host = (side.port, side.real.0);
                    if only.is_some_and(|only| only != host.1) || Some(host) <= after {
                        continue;
                    }
                    count(hosts.entry(host).or_default(), &conn, is_responder);
                    // Whoever is among the first in the end has never been taken out.
                    if hosts.len() > HOSTS_PER_PASS {
                        hosts.pop_last();
                    }
                }
            }
        }
        yield_now().await;
    }
    hosts
}

fn count(counts: &mut HostCounts, conn: &ConnView, is_responder: bool) {
    match conn.protocol {
        PROTOCOL_TCP => {
            counts.tcp += 1;
            if is_responder && !conn.flags.contains(ConnFlags::UP) {
                counts.embryonic += 1;
            }
        }
        PROTOCOL_UDP => counts.udp += 1,
        _ => counts.other += 1,
    }
}

fn is_of(conn: &ConnView, host: Host) -> bool {
    [&conn.lower, &conn.higher]
        .iter()
        .any(|side| (side.port, side.real.0) == host)
}

async fn show_conns(
    session: &mut Session,
    report: &mut Report,
    host: Host,
    is_detailed: bool,
) -> Result<bool, Gone> {
    let write = if is_detailed {
        printers::conn::detail
    } else {
        printers::conn::brief
    };
    show_part(
        session,
        report,
        "Conn",
        |core| core.dataplane.conn_usage().limit,
        |core, records, text| {
            let conns = core.dataplane.conns_within(records, core.now());
            for conn in conns.filter(|conn| is_of(conn, host)) {
                write(text, &core.dataplane, &conn);
            }
        },
    )
    .await
}

async fn show_xlates(
    session: &mut Session,
    report: &mut Report,
    (port, address): Host,
) -> Result<bool, Gone> {
    let is_of = |xlate: &XlateView| {
        xlate.real_port.is_none_or(|real| real == port) && xlate.real.contains(address)
    };
    show_part(
        session,
        report,
        "Xlate",
        |core| core.dataplane.xlate_records(),
        |core, records, text| {
            let policy = core.dataplane.policy();
            let xlates = core.dataplane.xlates_within(records, core.now());
            for xlate in xlates.filter(is_of) {
                printers::xlate::xlate(text, policy, &xlate);
            }
        },
    )
    .await
}

/// Shows what `write` finds in a table of as many records as `limit` says, a few records at a time,
/// under a heading if there is anything. Returns false if nobody wants more.
async fn show_part(
    session: &mut Session,
    report: &mut Report,
    heading: &str,
    limit: impl Fn(&Core) -> u32,
    write: impl Fn(&Core, core::ops::Range<u32>, &mut String),
) -> Result<bool, Gone> {
    let limit = limit(&session.core());
    let mut is_begun = false;
    let mut text = String::new();
    for records in steps(limit, RECORDS_PER_STEP) {
        write(&session.core(), records, &mut text);
        if !text.is_empty() {
            let mut part = String::new();
            if !is_begun {
                is_begun = true;
                printers::local_host::part(&mut part, heading);
            }
            printers::local_host::indented(&mut part, &text);
            if !report.show(session, &part).await? {
                return Ok(false);
            }
            text.clear();
        }
        yield_now().await;
    }
    Ok(true)
}

async fn clear_hosts(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let only = words.ip("host");
    clear(session, |conn| {
        only.is_none_or(|only| {
            [&conn.lower, &conn.higher]
                .iter()
                .any(|side| side.real.0 == only)
        })
    })
    .await;
    let mut core = session.core();
    let now = core.now();
    core.dataplane.clear_unused_xlates(only, now);
    Ok(())
}

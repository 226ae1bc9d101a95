//! `show` commands: looks up what is asked for and hands it to the printers.

use alloc::string::String;
use alloc::vec::Vec;

use clock::format::{CertificateDate, ClockDetail, ClockLine};
use config::print::{self, Extent, Heading, Secrets, Selection};
use dataplane::{AclId, DataPlane};
use pki::CertificateInfo;
use pki::show::Role;

use super::commands::Command;
use crate::print::{put, put_line};
use crate::state::Core;
use crate::{policy, print as printers};
use cli::grammar::{Captures, InterfaceKind, InterfaceName};

/// Answers a `show` command. `None` if `command` is none of those answered here.
pub(crate) fn answer(core: &mut Core, command: Command, words: &Captures<'_>) -> Option<String> {
    core.settle();
    let mut out = String::new();
    match command {
        Command::ShowAccessList => access_lists(core, words.word("name"), &mut out),
        Command::ShowArp => {
            let now = core.now();
            for neighbor in core.dataplane.neighbors(now) {
                printers::neighbor::neighbor(&mut out, core.dataplane.policy(), &neighbor);
            }
        }
        Command::ShowAspDrop => asp_drop(core, words, &mut out),
        Command::ShowBlocks => printers::system::blocks(&mut out, &core.pool),
        Command::ShowChecksum => {
            let checksum = print::Cryptochecksum::of_config(&core.config);
            put_line!(&mut out, "Cryptochecksum: {checksum}");
        }
        Command::ShowClock => clock(core, words.has("detail"), &mut out),
        Command::ShowConn => conns(core, words, &mut out),
        Command::ShowCrashinfo => match &core.crash {
            Some(text) => put_line!(&mut out, "{}", text.trim_end()),
            None => put_line!(&mut out, "No crash file found."),
        },
        Command::ShowCryptoCertificates => certificates(core, words.word("trustpoint"), &mut out),
        Command::ShowCryptoKeys => keys(core, words.has("rsa"), &mut out),
        Command::ShowCryptoTrustpoints => trustpoints(core, words.word("trustpoint"), &mut out),
        Command::ShowFirewall => put_line!(&mut out, "Firewall mode: Router"),
        Command::ShowInterface => interfaces(core, words, &mut out),
        Command::ShowInterfaceBrief => {
            out.push_str(printers::interface::BRIEF_HEADING);
            for port in ports(core) {
                printers::interface::brief(&mut out, &port);
            }
        }
        Command::ShowMemory => printers::system::memory(
            &mut out,
            core.budget.memory_bytes,
            &core.claims,
            (core.heap)(),
        ),
        Command::ShowMode => put_line!(&mut out, "Security context mode: single"),
        Command::ShowNameif => {
            out.push_str(printers::interface::NAMEIF_HEADING);
            for (number, interface) in &core.config.interfaces {
                printers::interface::named(&mut out, *number, interface);
            }
        }
        Command::ShowNat => {
            let policy = core.dataplane.policy();
            let rules = core.dataplane.nat_rules();
            printers::nat::rules(&mut out, policy, rules, words.has("detail"));
        }
        Command::ShowNatPool => nat_pools(&core.dataplane, &mut out),
        Command::ShowRoute => {
            let routes: Vec<_> = core.dataplane.routes().collect();
            printers::route::table(&mut out, core.dataplane.policy(), routes.into_iter());
        }
        Command::ShowRunningConfig => running_config(core, words, &mut out),
        Command::ShowStartupConfig => match &core.startup.text {
            Some(text) => out.push_str(text),
            None => put_line!(&mut out, "No Configuration"),
        },
        Command::ShowTlsProxy => tls_proxies(core, words.word("name"), &mut out),
        Command::ShowTlsProxySession => tls_sessions(core, words, &mut out),
        Command::ShowVersion => version(core, &mut out),
        Command::ShowXlate => xlates(core, words.has("count"), &mut out),
        _ => return None,
    }
    Some(out)
}

/// The moment as `show clock` prints it.
pub(crate) fn clock_line(core: &Core) -> String {
    let unix_micros = core.wall.unix_micros(core.now()) as i64;
    alloc::format!(
        "{}",
        ClockLine {
            rules: &core.zone,
            unix_micros
        }
    )
}

/// The whole running configuration, as it is saved.
pub(crate) fn document(core: &Core, secrets: Secrets, is_saved: bool) -> String {
    document_of(core, Extent::Configured, secrets, is_saved)
}

fn document_of(core: &Core, extent: Extent, secrets: Secrets, is_saved: bool) -> String {
    let hardware = hardware(core);
    let written = is_saved.then(|| alloc::format!("enable_15 at {}", clock_line(core)));
    let heading = Heading {
        saved: true,
        hardware: &hardware,
        written: written.as_deref(),
        version: printers::system::VERSION,
    };
    print::document(&core.config, &heading, extent, secrets)
}

fn hardware(core: &Core) -> String {
    alloc::format!(
        "x86-64, {} MB RAM, CPU {}",
        core.budget.memory_bytes >> 20,
        core.cpu
    )
}

fn access_lists(core: &Core, wanted: Option<&str>, out: &mut String) {
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
        let dataplane = &core.dataplane;
        printers::access_list::list(out, name, list, |line| {
            let range = compiled.lines.get(line).cloned().unwrap_or_default();
            let first = range.start;
            let id: AclId = compiled.id;
            elements
                .get(range)
                .unwrap_or_default()
                .iter()
                .enumerate()
                .map(move |(index, element)| (element, dataplane.acl_hits(id, first + index)))
        });
    }
}

fn asp_drop(core: &Core, words: &Captures<'_>, out: &mut String) {
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
        printers::asp_drop::section(out, "Frame", count, &cleared);
    }
    if !words.has("frame") {
        if !words.has("flow") {
            put_line!(out);
        }
        let count = |reason| dataplane.flow_drops(reason);
        printers::asp_drop::section(out, "Flow", count, &cleared);
    }
}

fn clock(core: &Core, is_detailed: bool, out: &mut String) {
    let unix_micros = core.wall.unix_micros(core.now()) as i64;
    let (rules, source) = (&core.zone, core.wall.source());
    if is_detailed {
        put!(
            out,
            "{}",
            ClockDetail {
                rules,
                unix_micros,
                source
            }
        );
    } else {
        // An asterisk marks a time that nobody vouches for.
        let mark = if core.wall.is_set() { "" } else { "*" };
        put_line!(out, "{mark}{}", ClockLine { rules, unix_micros });
    }
}

fn conns(core: &Core, words: &Captures<'_>, out: &mut String) {
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

/// Writes moments in the configured zone, as certificates and keys show them.
fn date_writer(core: &Core) -> impl Fn(&mut dyn core::fmt::Write, u64) -> core::fmt::Result {
    |writer, unix_secs| {
        let unix_secs = unix_secs as i64;
        let rules = &core.zone;
        write!(writer, "{}", CertificateDate { rules, unix_secs })
    }
}

fn certificates(core: &Core, wanted: Option<&str>, out: &mut String) {
    let date = date_writer(core);
    let mut is_first = true;
    for (name, trustpoint) in &core.config.trustpoints {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        let held = [
            (Role::Identity, &trustpoint.identity_certificate),
            (Role::Authority, &trustpoint.ca_certificate),
        ];
        for (role, certificate) in held {
            let Some(certificate) = certificate else {
                continue;
            };
            let Ok(info) = CertificateInfo::parse(&certificate.der) else {
                continue;
            };
            if !core::mem::take(&mut is_first) {
                put_line!(out);
            }
            let _ = pki::show::certificate(out, role, &info, &[name.as_str()], &date);
        }
    }
}

fn keys(core: &Core, is_rsa: bool, out: &mut String) {
    let date = date_writer(core);
    for pair in core.keys.iter() {
        if matches!(pair.algorithm(), pki::KeyAlgorithm::Rsa(_)) == is_rsa {
            let _ = pki::show::key(out, pair, &date);
        }
    }
}

fn trustpoints(core: &Core, wanted: Option<&str>, out: &mut String) {
    for (name, trustpoint) in &core.config.trustpoints {
        if wanted.is_some_and(|wanted| wanted != name) {
            continue;
        }
        put_line!(out, "Trustpoint {name}:");
        let authority = trustpoint
            .ca_certificate
            .as_ref()
            .and_then(|certificate| CertificateInfo::parse(&certificate.der).ok());
        match authority {
            Some(info) => {
                put_line!(out, "    Subject Name:");
                for name in &info.subject {
                    put_line!(out, "    {name}");
                }
                put_line!(out, "          Serial Number: {}", info.serial_hex());
                put_line!(out, "    Certificate configured.");
            }
            None if trustpoint.enrollment == config::model::Enrollment::SelfSigned => {
                put_line!(
                    out,
                    "    Configured for self-signed certificate generation."
                );
            }
            None => put_line!(out, "    Not authenticated."),
        }
        put_line!(out);
    }
}

/// Everything that is known of the ports.
fn ports(core: &Core) -> Vec<printers::interface::Port<'_>> {
    core.config
        .interfaces
        .iter()
        .filter_map(|(&number, interface)| {
            let port = core.ports.get(usize::from(number))?;
            Some(printers::interface::Port {
                number,
                interface,
                model: port.model(),
                burned_in: port.mac(),
                link: port.link(),
                device: port.stats(),
                traffic: core.dataplane.port_counters(port.id),
                rates: port.rates(),
                is_from_startup: core.startup.addresses.get(&number).copied() == interface.address,
            })
        })
        .collect()
}

fn interfaces(core: &Core, words: &Captures<'_>, out: &mut String) {
    let (wanted, nameif) = (words.interface("port"), words.word("nameif"));
    let mut found = false;
    for port in ports(core) {
        let is_wanted = match (wanted, nameif) {
            (Some(wanted), _) => is_port(wanted, port.number),
            (None, Some(nameif)) => port.interface.nameif.as_deref() == Some(nameif),
            (None, None) => true,
        };
        if is_wanted {
            found = true;
            printers::interface::detail(out, &port);
        }
    }
    if !found && (wanted.is_some() || nameif.is_some()) {
        put_line!(out, "ERROR: there is no such interface");
    }
}

/// Whether a typed interface name means `GigabitEthernet0/number`.
fn is_port(name: InterfaceName, number: u16) -> bool {
    let wanted = InterfaceName {
        kind: InterfaceKind::GigabitEthernet,
        slot: 0,
        port: number,
        subinterface: None,
    };
    name == wanted
}

fn nat_pools(dataplane: &DataPlane, out: &mut String) {
    for pool in dataplane.pools() {
        let address = pool.address;
        let outside = dataplane
            .policy()
            .interfaces
            .iter()
            .find(|used| used.network().contains(address))
            .map_or("any", |used| used.name.as_str());
        put_line!(
            out,
            "{} PAT pool {outside}, address {address}, range {}-{}, allocated {}",
            printers::protocol_name(pool.protocol),
            pool.first,
            pool.last,
            pool.allocated
        );
    }
}

fn running_config(core: &Core, words: &Captures<'_>, out: &mut String) {
    let extent = match words.has("all") {
        true => Extent::All,
        false => Extent::Configured,
    };
    let Some(selection) = Selection::of(&words.group("section")) else {
        out.push_str(&document_of(core, extent, Secrets::Masked, false));
        return;
    };
    for line in print::print_selection(&core.config, Some(&selection), extent, Secrets::Masked) {
        put_line!(out, "{line}");
    }
}

fn tls_proxies(core: &mut Core, wanted: Option<&str>, out: &mut String) {
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

fn tls_sessions(core: &Core, words: &Captures<'_>, out: &mut String) {
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

fn version(core: &Core, out: &mut String) {
    let now = core.now();
    let modified = core.startup.modified_at.map(|at| {
        let unix_micros = core.wall.unix_micros(at) as i64;
        alloc::format!(
            "{}",
            ClockLine {
                rules: &core.zone,
                unix_micros
            }
        )
    });
    let ports: Vec<_> = core
        .ports
        .iter()
        .map(|port| (port.model(), port.mac().0))
        .collect();
    printers::system::version(
        out,
        &printers::system::Version {
            hostname: &core.config.hostname,
            uptime: now.since(hal::time::Instant::ZERO),
            memory_bytes: core.budget.memory_bytes,
            cpu: &core.cpu,
            startup: &core.startup.report,
            ports: &ports,
            modified: modified.as_deref(),
        },
    );
}

fn xlates(core: &Core, is_count: bool, out: &mut String) {
    printers::conn::usage(out, core.dataplane.xlate_usage());
    if is_count {
        return;
    }
    printers::xlate::legend(out);
    let policy = core.dataplane.policy();
    let mut was_static = false;
    for xlate in core.dataplane.xlates(core.now()) {
        // Static entries end with an empty line where dynamic ones begin.
        if was_static && !xlate.is_static {
            put_line!(out);
        }
        was_static = xlate.is_static;
        printers::xlate::xlate(out, policy, &xlate);
    }
}

/// The port that policy calls `nameif`.
pub(crate) fn port_named(core: &Core, nameif: &str) -> Option<dataplane::PortId> {
    core.config
        .interface_named(nameif)
        .map(|(number, _)| policy::port_id(number))
}

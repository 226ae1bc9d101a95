//! `show xlate`, `clear xlate`: translations, a few records at a time.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use cli::grammar::Captures;
use dataplane::{AddressRange, PortId, XlateView, XlateView6};

use super::conn::steps;
use crate::console::declare::{EXEC, PRIVILEGED, Rows, answer, show, talk};
use crate::console::report::Report;
use crate::console::session::{Gone, Session};
use crate::print as printers;
use crate::print::put_line;
use crate::state::Core;
use crate::tasks::yield_now;

/// Records looked at in one step.
const RECORDS_PER_STEP: u32 = 256;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "show xlate count",
        count_all,
        &[
            ("xlate", "Translations in use"),
            ("count", "Only how many there are"),
        ]
    ),
    talk!(
        EXEC,
        PRIVILEGED,
        "show xlate { global <addresses> [netmask <mask:mask>] }*@global \
         { local <addresses> [netmask <mask:mask>] }*@local \
         { gport <global-ports> | lport <local-ports> | interface <nameif> \
         | state { static | portmap | identity }@state \
         | type { static | dynamic | portmap | twice-nat }@type }* [{ count | detail }] \
         $filter@filter",
        show_xlates,
        &[
            ("xlate", "Translations in use"),
            ("count", "Only how many there are"),
            ("detail", "All there is to tell"),
            ("global", "Only those seen as these addresses"),
            ("local", "Only those of these addresses"),
            ("addresses", "An address, or FIRST-LAST"),
            ("netmask", "The address is that of a network"),
            ("mask", "Network mask"),
            ("gport", "Only those seen as these ports"),
            ("lport", "Only those of these ports"),
            ("global-ports", "A port, or FIRST-LAST"),
            ("local-ports", "A port, or FIRST-LAST"),
            ("interface", "Only those of an interface"),
            ("nameif", "Name of the interface"),
            ("state", "Only those of a kind"),
            ("type", "Only those of a kind"),
            ("static", "Of a static rule"),
            ("dynamic", "Of a dynamic rule"),
            ("portmap", "By port"),
            ("identity", "That change nothing"),
            ("twice-nat", "Of a manual rule"),
        ]
    )
    .example("show xlate local 10.20.0.40 lport 5060-5070"),
    answer!(
        PRIVILEGED,
        "clear xlate { global <addresses> [netmask <mask:mask>] }*@global \
         { local <addresses> [netmask <mask:mask>] }*@local \
         { gport <global-ports> | lport <local-ports> | interface <nameif> \
         | state { static | portmap | identity }@state \
         | type { static | dynamic | portmap | twice-nat }@type }*",
        clear_xlate,
        &[("xlate", "Remove translations and end their connections"),]
    )
    .example("clear xlate global 203.0.113.10-203.0.113.20"),
];

/// Which translations are asked for.
struct Filter {
    global: Option<AddressRange>,
    local: Option<AddressRange>,
    global_ports: Option<(u16, u16)>,
    local_ports: Option<(u16, u16)>,
    interface: Option<PortId>,
    kinds: Vec<&'static str>,
}

impl Filter {
    /// What `words` say, or the word that means nothing.
    fn new<'w>(core: &Core, words: &Captures<'w>) -> Result<Self, &'w str> {
        let range = |label: &str| -> Result<Option<AddressRange>, &'w str> {
            let words = words.group(label);
            words
                .word("addresses")
                .map(|word| parse_addresses(word, words.ip("mask")).ok_or(word))
                .transpose()
        };
        let ports = |name: &str| {
            words
                .word(name)
                .map(|word| parse_ports(word).ok_or(word))
                .transpose()
        };
        let interface = words.word("nameif").map(|name| {
            let mut interfaces = core.dataplane.policy().interfaces.iter();
            interfaces
                .find(|interface| interface.name == name)
                .map(|interface| interface.port)
                .ok_or(name)
        });
        let (state, kind) = (words.group("state"), words.group("type"));
        let kinds = ["static", "dynamic", "portmap", "identity", "twice-nat"];
        Ok(Self {
            global: range("global")?,
            local: range("local")?,
            global_ports: ports("global-ports")?,
            local_ports: ports("local-ports")?,
            interface: interface.transpose()?,
            kinds: kinds
                .into_iter()
                .filter(|word| state.has(word) || kind.has(word))
                .collect(),
        })
    }

    fn is_everything(&self) -> bool {
        self.global.is_none()
            && self.local.is_none()
            && self.global_ports.is_none()
            && self.local_ports.is_none()
            && self.interface.is_none()
            && self.kinds.is_empty()
    }

    /// Whether a translation of IPv6 addresses is asked for; those named by address are not of IPv6.
    fn takes6(&self, xlate: &XlateView6) -> bool {
        let is_of = |kind: &&str| match *kind {
            "static" => true,
            "identity" => xlate.real == xlate.mapped,
            "twice-nat" => xlate.is_twice,
            _ => false,
        };
        let at = |port: Option<PortId>| port.is_none() || port == self.interface;
        self.global.is_none()
            && self.local.is_none()
            && self.global_ports.is_none()
            && self.local_ports.is_none()
            && (self.interface.is_none() || at(xlate.real_port) || at(xlate.mapped_port))
            && self.kinds.iter().all(is_of)
    }

    fn takes(&self, xlate: &XlateView) -> bool {
        let overlaps = |wanted: Option<AddressRange>, range: AddressRange| {
            wanted.is_none_or(|wanted| wanted.first <= range.last && range.first <= wanted.last)
        };
        let meets = |wanted: Option<(u16, u16)>, port: Option<u16>| {
            wanted.is_none_or(|(first, last)| {
                port.is_some_and(|port| first <= port.saturating_add(xlate.more) && port <= last)
            })
        };
        let is_of = |kind: &&str| match *kind {
            "static" => xlate.is_static,
            "dynamic" => !xlate.is_static,
            "portmap" => xlate.protocol.is_some(),
            "identity" => xlate.is_identity,
            _ => xlate.is_twice,
        };
        let at = |port: Option<PortId>| port.is_none() || port == self.interface;
        overlaps(self.global, xlate.mapped)
            && overlaps(self.local, xlate.real)
            && meets(self.global_ports, xlate.mapped_service)
            && meets(self.local_ports, xlate.real_service)
            && (self.interface.is_none() || at(xlate.real_port) || at(xlate.mapped_port))
            && self.kinds.iter().all(is_of)
    }
}

/// `A`, `A-B`, or the network of `A` under `mask`.
fn parse_addresses(word: &str, mask: Option<Ipv4Addr>) -> Option<AddressRange> {
    match (word.split_once('-'), mask) {
        (Some((first, last)), None) => {
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some(AddressRange { first, last })
        }
        (Some(_), Some(_)) => None,
        (None, mask) => {
            let ones = mask.map_or(32, |mask| mask.to_bits().leading_ones());
            Some(AddressRange::network(word.parse().ok()?, ones as u8))
        }
    }
}

/// `P` or `P-Q`.
fn parse_ports(word: &str) -> Option<(u16, u16)> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

fn count_all(core: &mut Core, _: &Captures<'_>, out: &mut String) {
    printers::conn::usage(out, core.dataplane.xlate_usage());
}

async fn show_xlates(session: &mut Session, words: &Captures<'_>) -> Result<(), Gone> {
    let filter = Filter::new(&session.core(), words);
    let filter = match filter {
        Ok(filter) => filter,
        Err(word) => {
            let text = alloc::format!("ERROR: {word} is not what may stand there\n");
            return session.say(&text).await;
        }
    };
    let Some(mut report) = Report::begin(session, words).await? else {
        return Ok(());
    };
    let (limit, mut usage) = {
        let mut core = session.core();
        core.settle();
        (core.dataplane.xlate_records(), core.dataplane.xlate_usage())
    };
    if !filter.is_everything() {
        usage.in_use = count(session, &filter, limit).await;
    }
    let mut text = String::new();
    printers::conn::usage(&mut text, usage);
    if words.has("count") {
        report.show(session, &text).await?;
        return report.end(session).await;
    }
    printers::xlate::legend(&mut text);
    {
        let core = session.core();
        let policy = core.dataplane.policy();
        let xlates = core.dataplane.xlates6(core.now());
        for xlate in xlates.filter(|xlate| filter.takes6(xlate)) {
            printers::xlate::xlate6(&mut text, policy, &xlate);
        }
    }
    let mut was_static = false;
    for records in steps(limit, RECORDS_PER_STEP) {
        {
            let core = session.core();
            let policy = core.dataplane.policy();
            let xlates = core.dataplane.xlates_within(records, core.now());
            for xlate in xlates.filter(|xlate| filter.takes(xlate)) {
                // Static entries end with an empty line where dynamic ones begin.
                if was_static && !xlate.is_static {
                    put_line!(&mut text);
                }
                was_static = xlate.is_static;
                printers::xlate::xlate(&mut text, policy, &xlate);
            }
        }
        if !report.show(session, &text).await? {
            return Ok(());
        }
        text.clear();
        yield_now().await;
    }
    report.end(session).await
}

/// How many translations the filter takes.
async fn count(session: &Session, filter: &Filter, limit: u32) -> u32 {
    let mut found = 0u32;
    {
        let core = session.core();
        let xlates = core.dataplane.xlates6(core.now());
        for _ in xlates.filter(|xlate| filter.takes6(xlate)) {
            found = found.saturating_add(1);
        }
    }
    for records in steps(limit, RECORDS_PER_STEP) {
        {
            let core = session.core();
            let xlates = core.dataplane.xlates_within(records, core.now());
            for _ in xlates.filter(|xlate| filter.takes(xlate)) {
                found = found.saturating_add(1);
            }
        }
        yield_now().await;
    }
    found
}

fn clear_xlate(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let now = core.now();
    match Filter::new(core, words) {
        Ok(filter) => {
            let count = core
                .dataplane
                .clear_xlates(|xlate| filter.takes(xlate), now);
            put_line!(out, "INFO: {count} connection(s) ended");
        }
        Err(word) => put_line!(out, "ERROR: {word} is not what may stand there"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_ports_are_single_or_from_to() {
        let range = |first: [u8; 4], last: [u8; 4]| AddressRange {
            first: first.into(),
            last: last.into(),
        };
        assert_eq!(
            parse_addresses("10.0.0.1-10.0.0.9", None),
            Some(range([10, 0, 0, 1], [10, 0, 0, 9]))
        );
        assert_eq!(
            parse_addresses("10.0.0.7", Some(Ipv4Addr::new(255, 255, 255, 0))),
            Some(range([10, 0, 0, 0], [10, 0, 0, 255]))
        );
        assert_eq!(
            parse_addresses("10.0.0.7", None),
            Some(range([10, 0, 0, 7], [10, 0, 0, 7]))
        );
        for bad in ["10.0.0.9-10.0.0.1", "10.0.0", "-", "10.0.0.1-"] {
            assert_eq!(parse_addresses(bad, None), None, "{bad}");
        }
        assert_eq!(
            parse_addresses("10.0.0.1-10.0.0.2", Some(Ipv4Addr::BROADCAST)),
            None
        );
        assert_eq!(parse_ports("5060"), Some((5060, 5060)));
        assert_eq!(parse_ports("0-65535"), Some((0, 65_535)));
        for bad in ["9-8", "65536", "", "a-b"] {
            assert_eq!(parse_ports(bad), None, "{bad}");
        }
    }
}

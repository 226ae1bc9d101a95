//! Families of statements: one declaration each, from which everything else follows.
//!
//! A [`Family`] is what begins with one keyword: `access-list`, `object`, `crypto`. [`FAMILIES`] holds
//! them in the order of `show running-config`. Taken from this table alone are the rows of the grammar,
//! the order and content of the printed text, what `show running-config SECTION` and
//! `clear configure SECTION` accept, and the command reference.
//!
//! # Adding a family
//!
//! 1. Write a file in this folder with a `pub(super) const NAME: Family`: its rows (syntax, help, `no`
//!    form, example, handler), its `print` function, and its `clear` function if it can be cleared.
//!    What is stored goes into [`Config`]. Handlers change it through [`Outcome::set`] and its
//!    siblings, so that `changed` is exact. A family of lines that are only stored needs nothing but
//!    `kept` rules, as in `kept`.
//! 2. Enter it in [`FAMILIES`] where an ASA prints it.
//!
//! The tests then ask for the help of every word and for an example that is accepted, print and read
//! it back (with and without `all`), clear it, and show its printed form in `tests/examples.txt`.
//!
//! [`Outcome::set`]: super::Outcome::set

use super::kept::KeptRule;
use super::{
    Change, Handler, HelpTexts, access, connection, interface, ipv6, kept, logging, nat, object,
    object_group, pki, policy, protection, service,
};
use super::{row, system, time, time_range, tls, users, xlate};
use crate::mode::{GLOBAL, Mode};
use crate::model::Config;
use crate::print::Page;
use crate::refusal::Refusal;
use cli::grammar::{Captures, Fragment, No, Row};

/// The statements that begin with one keyword.
pub(crate) struct Family {
    /// The word after `show running-config` and `clear configure`.
    pub(crate) keyword: &'static str,
    /// What the statements are about, in `?`.
    pub(super) help: &'static str,
    /// What may follow the keyword in `show running-config`, in the syntax language; its keywords are
    /// the words that [`Page::block`] tells, its argument is `name`.
    pub(super) narrow: &'static str,
    /// The statements, those of sub-modes included.
    pub(super) rows: &'static [Row<Handler>],
    /// Statements that are stored and printed and do nothing else.
    pub(super) kept: &'static [KeptRule],
    /// Writes the statements, the [`kept`](Page::kept) ones included.
    pub(crate) print: fn(&mut Page<'_>, &Config),
    /// Removes all of them, or those of one name, unless they are in use. Kept lines go by themselves.
    pub(super) clear: Option<ClearFn>,
    /// What may follow the keyword in `clear configure`.
    pub(super) clear_narrow: &'static str,
}

/// How a family is cleared; the name is there if one was given.
pub(super) type ClearFn = fn(&mut Change<'_>, Option<&str>) -> Result<(), Refusal>;

impl Family {
    /// Nothing said yet.
    pub(super) const EMPTY: Self = Self {
        keyword: "",
        help: "",
        narrow: "",
        rows: &[],
        kept: &[],
        print: crate::print::kept,
        clear: None,
        clear_narrow: "",
    };
}

/// Every family in the order of `show running-config`.
pub(crate) const FAMILIES: &[Family] = &[
    system::HOSTNAME,
    system::DOMAIN_NAME,
    system::ENABLE,
    xlate::XLATE,
    system::NAMES,
    kept::MAC_ADDRESS,
    interface::INTERFACES,
    time_range::TIME_RANGE,
    system::BANNER,
    system::FTP,
    time::CLOCK,
    kept::DNS,
    system::SAME_SECURITY_TRAFFIC,
    object::OBJECT,
    object_group::OBJECT_GROUP,
    access::ACCESS_LIST,
    system::PAGER,
    system::TERMINAL,
    logging::LOGGING,
    interface::MTU,
    protection::IP,
    protection::FRAGMENT,
    interface::ICMP,
    kept::ASDM,
    system::ARP,
    nat::NAT,
    access::ACCESS_GROUP,
    interface::ROUTE,
    ipv6::IPV6,
    system::TIMEOUT,
    kept::USER_IDENTITY,
    users::AAA,
    kept::HTTP,
    kept::SNMP_SERVER,
    system::SYSOPT,
    service::SERVICE,
    pki::CRYPTO,
    kept::TELNET,
    kept::SSH,
    system::CONSOLE,
    tls::TLS_PROXIES,
    protection::THREAT_DETECTION,
    time::NTP,
    tls::SSL,
    kept::DYNAMIC_ACCESS_POLICY_RECORD,
    users::USERNAMES,
    connection::TCP_MAPS,
    policy::CLASS_MAPS,
    policy::POLICY_MAPS,
    policy::SERVICE_POLICY,
    kept::PROMPT,
    kept::CALL_HOME,
];

/// `clear configure`, made of the families that can be cleared.
pub(super) const CLEAR: Row<Handler> = row(
    GLOBAL,
    "clear configure { all | $cleared@section }",
    No::Forbidden,
    &[
        ("clear", "Clear"),
        ("configure", "Remove configuration"),
        ("all", "Everything"),
    ],
    clear,
)
.example("clear configure route");

/// Removes whole sections, as if every line of theirs had been negated.
fn clear(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let section = captures.group("section");
    let Some(keyword) = section.first_keyword() else {
        let ports = change.config.port_count();
        change.outcome.set(change.config, Config::factory(ports));
        change.enter(Mode::Global);
        return Ok(());
    };
    let family = FAMILIES.iter().find(|family| family.keyword == keyword);
    let clear = family.and_then(|family| family.clear);
    let name = section.word("name");
    clear.ok_or(Refusal::Invalid { offset: 0 })?(change, name)?;
    if name.is_none() {
        let removed = change.config.kept.remove(keyword);
        change.outcome.changed |= removed.is_some();
    }
    Ok(())
}

/// The sections of `show running-config`: `$section@section`, read with
/// [`Selection::of`](crate::print::Selection::of).
pub const SECTION: Fragment = Fragment {
    name: "section",
    syntax: SECTION_SYNTAX.as_str(),
    help: &SECTION_HELP,
};

/// The sections of `clear configure`.
pub(super) const CLEARED: Fragment = Fragment {
    name: "cleared",
    syntax: CLEARED_SYNTAX.as_str(),
    help: &CLEARED_HELP,
};

const SECTION_SYNTAX: &Syntax = &Syntax::choice(Part::Shown);
const CLEARED_SYNTAX: &Syntax = &Syntax::choice(Part::Cleared);
const SECTION_HELP: [(&str, &str); FAMILIES.len() + NARROW_HELP.len()] =
    help(NARROW_HELP, Part::Shown);
const CLEARED_HELP: [(&str, &str); count(Part::Cleared) + NAME_HELP.len()] =
    help(NAME_HELP, Part::Cleared);

const NAME_HELP: HelpTexts = &[("name", "Only what has this name")];

/// Help for the words of `narrow` that are no keyword of a family.
const NARROW_HELP: HelpTexts = &[
    ("name", "Only what has this name"),
    ("port", "Only this port"),
    ("id", "Only what has this name"),
    ("network", "Only those of addresses"),
    ("protocol", "Only those of protocols"),
    ("icmp-type", "Only those of ICMP types"),
    ("ca", "Only certification authorities"),
    ("trustpoint", "Only trustpoints"),
    ("certificate", "Only certificates"),
    ("chain", "Those of a trustpoint"),
    ("trustpool", "Only the built-in CA certificates"),
    ("ipsec", "Only IPsec"),
];

/// Which command a fragment is for.
#[derive(Clone, Copy)]
enum Part {
    Shown,
    Cleared,
}

impl Part {
    /// What may follow the keyword of the family; `None` if the command does not take it.
    const fn narrow(self, family: &Family) -> Option<&'static str> {
        match self {
            Self::Shown => Some(family.narrow),
            Self::Cleared if family.clear.is_some() => Some(family.clear_narrow),
            Self::Cleared => None,
        }
    }
}

const fn count(part: Part) -> usize {
    let (mut count, mut at) = (0, 0);
    while at < FAMILIES.len() {
        if part.narrow(&FAMILIES[at]).is_some() {
            count += 1;
        }
        at += 1;
    }
    count
}

/// `words` and the families of the command, each with its text.
const fn help<const N: usize>(words: HelpTexts, part: Part) -> [(&'static str, &'static str); N] {
    let mut texts = [("", ""); N];
    let mut used = 0;
    while used < words.len() {
        texts[used] = words[used];
        used += 1;
    }
    let mut at = 0;
    while at < FAMILIES.len() {
        if part.narrow(&FAMILIES[at]).is_some() {
            texts[used] = (FAMILIES[at].keyword, FAMILIES[at].help);
            used += 1;
        }
        at += 1;
    }
    texts
}

/// A choice between families, written while compiling: a [`Fragment`] wants a static text.
struct Syntax {
    bytes: [u8; Self::LEN_MAX],
    len: usize,
}

impl Syntax {
    /// Longest choice; a longer one does not compile.
    const LEN_MAX: usize = 4096;

    const fn choice(part: Part) -> Self {
        let mut text = Self {
            bytes: [0; Self::LEN_MAX],
            len: 0,
        };
        let mut at = 0;
        while at < FAMILIES.len() {
            if let Some(narrow) = part.narrow(&FAMILIES[at]) {
                text.push(if text.len == 0 { "{ " } else { " | " });
                text.push(FAMILIES[at].keyword);
                text.push(" ");
                text.push(narrow);
            }
            at += 1;
        }
        text.push(" }");
        text
    }

    const fn push(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            self.bytes[self.len] = bytes[at];
            self.len += 1;
            at += 1;
        }
    }

    const fn as_str(&self) -> &str {
        let (text, _) = self.bytes.split_at(self.len);
        match core::str::from_utf8(text) {
            Ok(text) => text,
            // Whole texts joined are a text.
            Err(_) => "",
        }
    }
}

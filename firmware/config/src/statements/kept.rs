//! Statements of pasted ASA configurations that are stored and printed and have no effect here.
//!
//! A rule says which part of a line is the setting and which its value; a second line of the same
//! setting replaces the first, and `no` of a setting that is absent is accepted silently, as pasted
//! configurations are full of it.

use super::{Change, Handler, HelpTexts, Run};
use crate::mode::GLOBAL;
use crate::model::KeptSection;
use crate::refusal::{Notice, Refusal};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use cli::grammar::{Captures, No, Row, Value};

/// One kind of kept line.
#[derive(Debug)]
pub(super) struct KeptRule {
    syntax: &'static str,
    no: No,
    help: HelpTexts,
    section: KeptSection,
    /// Words of the line that name the setting; the rest is its value.
    key_words: usize,
    /// What is said about it; `None` if nothing would change even on an ASA of this kind.
    warning: Option<&'static str>,
}

impl KeptRule {
    pub(super) fn row(&'static self) -> Row<Handler> {
        Row::new(GLOBAL, 15, self.syntax, self.help, Handler(Run::Keep(self))).no(self.no)
    }
}

const fn rule(
    section: KeptSection,
    key_words: usize,
    warning: Option<&'static str>,
    syntax: &'static str,
    no: No,
    help: HelpTexts,
) -> KeptRule {
    KeptRule {
        syntax,
        no,
        help,
        section,
        key_words,
        warning,
    }
}

/// As many words as a line can have: the whole line is the setting.
const ALL: usize = usize::MAX;

use KeptSection::{Access, Dns, Lines, Link, Logging, Snmp, Sysopt, Tail, Threat, Xlate};

pub(super) const RULES: &[KeptRule] = &[
    rule(
        Xlate,
        ALL,
        Some("xlate per-session"),
        "xlate per-session { permit | deny } { tcp | udp } <flows:text>",
        No::Same,
        &[
            ("xlate", "Configure translations"),
            ("per-session", "Translations that end with their connection"),
            ("flows", "Source and destination with ports"),
        ],
    ),
    rule(
        Dns,
        ALL,
        Some("dns"),
        "dns { domain-lookup <interface> | name-server <server:ip> | server-group <group> }",
        No::Same,
        &[
            ("dns", "Configure DNS"),
            ("domain-lookup", "Look names up through an interface"),
            ("name-server", "Address of a name server"),
            ("server-group", "Group of name servers"),
            ("group", "Name of the group"),
        ],
    ),
    rule(
        Logging,
        2,
        Some("logging"),
        "logging { enable | timestamp [rfc5424] | standby | debug-trace | permit-hostdown \
         | hide username | buffer-size <bytes:4096-1048576> | facility <facility:16-23> \
         | queue <messages:0-8192> | device-id <device-id:text> \
         | { buffered | console | monitor | trap | history | asdm | mail } <severity> }",
        No::Syntax(
            "logging { enable | timestamp [rfc5424] | standby | debug-trace | permit-hostdown \
             | hide username | buffer-size [<bytes:4096-1048576>] | facility [<facility:16-23>] \
             | queue [<messages:0-8192>] | device-id [<device-id:text>] \
             | { buffered | console | monitor | trap | history | asdm | mail } [<severity>] }",
        ),
        &[
            ("logging", "Configure logging"),
            ("enable", "Enable logging"),
            ("timestamp", "Put the time into messages"),
            ("rfc5424", "Time in the form of RFC 5424"),
            ("standby", "Log on the standby unit"),
            ("debug-trace", "Log debug output"),
            (
                "permit-hostdown",
                "Let connections pass when the TCP host is down",
            ),
            ("hide", "Hide fields"),
            ("username", "Names of users"),
            ("buffer-size", "Size of the buffer"),
            ("bytes", "Bytes"),
            ("facility", "Syslog facility"),
            ("queue", "Messages waiting"),
            ("messages", "Messages"),
            ("device-id", "Name of the box in messages"),
            ("buffered", "Log to the buffer"),
            ("console", "Log to the console"),
            ("monitor", "Log to terminals"),
            ("trap", "Log to hosts"),
            ("history", "Log to SNMP"),
            ("asdm", "Log to the graphical manager"),
            ("mail", "Log by mail"),
            ("severity", "Severity by number or name"),
        ],
    ),
    rule(
        Logging,
        4,
        Some("logging host"),
        "logging host <interface> <server:ip> [<transport>]",
        No::Same,
        &[
            ("host", "Send messages to a host"),
            ("interface", "Name of the interface"),
            ("server", "Address of the host"),
            ("transport", "Protocol and port"),
        ],
    ),
    rule(
        Logging,
        3,
        Some("logging message"),
        "logging message <message:100000-999999> [level <severity>]",
        No::Same,
        &[("message", "One message"), ("level", "Change its severity")],
    ),
    rule(
        Link,
        ALL,
        None,
        "asdm history enable",
        No::Same,
        &[
            ("asdm", "The graphical manager"),
            ("history", "Keep figures for graphs"),
        ],
    ),
    rule(
        Link,
        2,
        None,
        "asdm image <file>",
        No::Syntax("asdm image [<file>]"),
        &[
            ("image", "File of the manager"),
            ("file", "Name of the file"),
        ],
    ),
    rule(
        Link,
        2,
        Some("arp permit-nonconnected"),
        "arp permit-nonconnected",
        No::Same,
        &[
            ("arp", "Change ARP parameters"),
            ("permit-nonconnected", "Answer for other networks"),
        ],
    ),
    rule(
        Link,
        2,
        None,
        "arp rate-limit <rate:50-32768>",
        No::Syntax("arp rate-limit [<rate:50-32768>]"),
        &[
            ("rate-limit", "Limit ARP packets"),
            ("rate", "Packets per second"),
        ],
    ),
    rule(
        Link,
        2,
        None,
        "icmp unreachable rate-limit <rate:1-100> burst-size <burst:1-10>",
        No::Syntax("icmp unreachable [rate-limit <rate:1-100> burst-size <burst:1-10>]"),
        &[
            ("icmp", "Configure ICMP"),
            ("unreachable", "Unreachable messages"),
            ("burst-size", "Messages at once"),
            ("burst", "Messages"),
        ],
    ),
    rule(
        Access,
        ALL,
        Some("aaa"),
        "aaa { authentication | authorization | accounting | local } <aaa-rule:text>",
        No::Same,
        &[
            ("aaa", "Configure who may do what"),
            ("authentication", "Who may log in"),
            ("authorization", "What they may do"),
            ("accounting", "What they did"),
            ("local", "Local accounts"),
            ("aaa-rule", "The rule"),
        ],
    ),
    rule(
        Access,
        2,
        None,
        "user-identity default-domain <domain>",
        No::Syntax("user-identity default-domain [<domain>]"),
        &[
            ("user-identity", "Identity of users"),
            ("default-domain", "Their domain"),
            ("domain", "Name of the domain"),
        ],
    ),
    rule(
        Access,
        ALL,
        Some("http"),
        "http { server enable [<port:port>] | <network:ip> <mask:mask> <interface> }",
        No::Same,
        &[
            ("http", "The web server"),
            ("server", "Serve"),
            ("port", "Port"),
            ("network", "Who may connect"),
            ("mask", "Network mask"),
        ],
    ),
    rule(
        Snmp,
        2,
        Some("snmp-server"),
        "snmp-server { location <place:text> | contact <person:text> }",
        No::Syntax("snmp-server { location [<place:text>] | contact [<person:text>] }"),
        &[
            ("snmp-server", "Configure SNMP"),
            ("location", "Where the box stands"),
            ("place", "Place"),
            ("contact", "Who looks after it"),
            ("person", "Person"),
        ],
    ),
    rule(
        Snmp,
        2,
        Some("snmp-server"),
        "snmp-server enable traps <traps:text>",
        No::Syntax("snmp-server enable [traps [<traps:text>]]"),
        &[("traps", "Messages sent unasked")],
    ),
    rule(
        Sysopt,
        ALL,
        Some("sysopt noproxyarp"),
        "sysopt noproxyarp <interface>",
        No::Same,
        &[("noproxyarp", "Do not answer ARP for mapped addresses")],
    ),
    rule(
        Sysopt,
        2,
        None,
        "service { password-recovery | resetoutside }",
        No::Same,
        &[
            ("service", "Services of the box"),
            ("password-recovery", "Recovery from a lost password"),
            ("resetoutside", "Reset connections refused outside"),
        ],
    ),
    rule(
        Sysopt,
        4,
        Some("crypto ipsec"),
        "crypto ipsec security-association <association:text>",
        No::Same,
        &[
            ("ipsec", "IPsec"),
            ("security-association", "Settings of associations"),
            ("association", "The setting"),
        ],
    ),
    rule(
        Sysopt,
        4,
        None,
        "crypto ca trustpool policy",
        No::Same,
        &[
            ("trustpool", "Built-in CA certificates"),
            ("policy", "How they are used"),
        ],
    ),
    rule(
        Lines,
        2,
        None,
        "telnet timeout <minutes:1-1440>",
        No::Syntax("telnet timeout [<minutes:1-1440>]"),
        &[
            ("telnet", "The Telnet server"),
            ("timeout", "Idle time"),
            ("minutes", "Minutes"),
        ],
    ),
    rule(
        Lines,
        2,
        None,
        "ssh { timeout <minutes:1-60> | version <version:1-2> | stricthostkeycheck \
         | key-exchange group <group> }",
        No::Syntax(
            "ssh { timeout [<minutes:1-60>] | version [<version:1-2>] | stricthostkeycheck \
             | key-exchange [group <group>] }",
        ),
        &[
            ("ssh", "The SSH server"),
            ("version", "Version of the protocol"),
            ("stricthostkeycheck", "Check the keys of hosts"),
            ("key-exchange", "Key exchange"),
            ("group", "Group of the key exchange"),
        ],
    ),
    rule(
        Lines,
        ALL,
        Some("remote access by telnet or ssh"),
        "{ telnet | ssh } <network:ip> <mask:mask> <interface>",
        No::Same,
        &[("network", "Who may connect"), ("mask", "Network mask")],
    ),
    rule(
        Threat,
        ALL,
        Some("threat-detection"),
        "threat-detection { basic-threat | scanning-threat [<scanning:text>] \
         | statistics [<statistics:text>] | rate <rates:text> }",
        No::Same,
        &[
            ("threat-detection", "Detection of threats"),
            ("basic-threat", "Rates of drops"),
            ("scanning-threat", "Scans"),
            ("scanning", "What to do about them"),
            ("statistics", "Statistics"),
            ("rate", "Rates that count as threats"),
            ("rates", "The rates"),
        ],
    ),
    rule(
        Tail,
        1,
        None,
        "prompt <parts:text>",
        No::Syntax("prompt [<parts:text>]"),
        &[
            ("prompt", "Parts of the prompt"),
            ("parts", "hostname, context, priority, state"),
        ],
    ),
    rule(
        Tail,
        ALL,
        None,
        "call-home reporting anonymous",
        No::Same,
        &[
            ("call-home", "Reports to the vendor"),
            ("reporting", "Reporting"),
            ("anonymous", "Without names"),
        ],
    ),
    rule(
        Tail,
        ALL,
        None,
        "dynamic-access-policy-record <record>",
        No::Same,
        &[
            ("dynamic-access-policy-record", "A policy for remote users"),
            ("record", "Its name"),
        ],
    ),
    rule(
        Tail,
        ALL,
        None,
        "mac-address auto",
        No::Same,
        &[
            ("mac-address", "MAC addresses"),
            ("auto", "Automatic for contexts"),
        ],
    ),
];

/// Stores or removes a kept line.
pub(super) fn keep(
    change: &mut Change<'_>,
    rule: &KeptRule,
    captures: &Captures<'_>,
) -> Result<(), Refusal> {
    let words = words(captures);
    let key = words
        .iter()
        .take(rule.key_words)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" ");
    let lines = change.config.kept.entry(rule.section).or_default();
    if captures.negated() {
        let removed = lines.remove(&key).is_some();
        if lines.is_empty() {
            change.config.kept.remove(&rule.section);
        }
        change.outcome.changed = removed;
        return Ok(());
    }
    lines.insert(key, words.join(" "));
    if let Some(what) = rule.warning {
        change.notice(Notice::KeptOnly(what));
    }
    Ok(())
}

/// The line in full keywords, single blanks and plain numbers.
pub(super) fn canonical(captures: &Captures<'_>) -> String {
    words(captures).join(" ")
}

fn words(captures: &Captures<'_>) -> Vec<String> {
    captures
        .iter()
        .map(|capture| match capture.value {
            Value::Keyword => capture.name.into(),
            Value::Word(text) | Value::Text(text) => text.into(),
            Value::Number(number) => number.to_string(),
            Value::Address(address) => address.to_string(),
            Value::Port(port) => port.to_string(),
            Value::Time(time) => {
                alloc::format!("{}:{:02}:{:02}", time.hours, time.minutes, time.seconds)
            }
            Value::Interface(name) => name.to_string(),
            Value::Pair(real, mapped) => alloc::format!("({real},{mapped})"),
            Value::Mac(mac) => crate::print::mac_address(mac),
        })
        .collect()
}

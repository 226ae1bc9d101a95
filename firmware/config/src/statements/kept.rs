//! Statements of pasted ASA configurations that are stored and printed and have no effect here.
//!
//! They belong to the family of their first keyword. A rule says which part of a line is the setting and which its value; a second line of the same
//! setting replaces the first, and `no` of a setting that is absent is accepted silently, as pasted
//! configurations are full of it.

use super::family::Family;
use super::{Change, Handler, HelpTexts, Run};
use crate::mode::GLOBAL;
use crate::print;
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
    /// Words of the line that name the setting; the rest is its value.
    key_words: usize,
    /// What is said about it; `None` if nothing would change even on an ASA of this kind.
    warning: Option<&'static str>,
    example: &'static str,
}

impl KeptRule {
    pub(super) fn row(&'static self) -> Row<Handler> {
        Row::new(GLOBAL, 15, self.syntax, self.help, Handler(Run::Keep(self)))
            .no(self.no)
            .example(self.example)
    }
}

const fn rule(
    key_words: usize,
    warning: Option<&'static str>,
    syntax: &'static str,
    no: No,
    help: HelpTexts,
    example: &'static str,
) -> KeptRule {
    KeptRule {
        syntax,
        no,
        help,
        key_words,
        warning,
        example,
    }
}

/// As many words as a line can have: the whole line is the setting.
const ALL: usize = usize::MAX;

pub(super) const MAC_ADDRESS: Family = Family {
    keyword: "mac-address",
    help: "Automatic MAC addresses",
    kept: &[rule(
        ALL,
        None,
        "mac-address auto",
        No::Same,
        &[
            ("mac-address", "MAC addresses"),
            ("auto", "Automatic for contexts"),
        ],
        "mac-address auto",
    )],
    print: print::kept,
    clear: Some(clear_nothing_else),
    ..Family::EMPTY
};

pub(super) const DNS: Family = Family {
    keyword: "dns",
    help: "Name servers",
    kept: &[rule(
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
        "dns domain-lookup outside",
    )],
    print: print::kept,
    clear: Some(clear_nothing_else),
    ..Family::EMPTY
};

pub(super) const ASDM: Family = Family {
    keyword: "asdm",
    help: "The graphical manager",
    kept: &[
        rule(
            ALL,
            None,
            "asdm history enable",
            No::Same,
            &[
                ("asdm", "The graphical manager"),
                ("history", "Keep figures for graphs"),
            ],
            "asdm history enable",
        ),
        rule(
            2,
            None,
            "asdm image <file>",
            No::Syntax("asdm image [<file>]"),
            &[
                ("image", "File of the manager"),
                ("file", "Name of the file"),
            ],
            "asdm image disk0:/asdm.bin",
        ),
    ],
    print: print::kept,
    clear: Some(clear_nothing_else),
    ..Family::EMPTY
};

pub(super) const USER_IDENTITY: Family = Family {
    keyword: "user-identity",
    help: "Identity of users",
    kept: &[rule(
        2,
        None,
        "user-identity default-domain <domain>",
        No::Syntax("user-identity default-domain [<domain>]"),
        &[
            ("user-identity", "Identity of users"),
            ("default-domain", "Their domain"),
            ("domain", "Name of the domain"),
        ],
        "user-identity default-domain LOCAL",
    )],
    print: print::kept,
    clear: Some(clear_nothing_else),
    ..Family::EMPTY
};

/// `aaa` lines that nothing acts on; those that something does are in `users`.
pub(super) const AAA_RULES: &[KeptRule] = &[rule(
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
    "aaa authentication ssh console LOCAL",
)];

pub(super) const HTTP: Family = Family {
    keyword: "http",
    help: "The web server",
    kept: &[rule(
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
        "http server enable",
    )],
    print: print::kept,
    clear: Some(clear_nothing_else),
    ..Family::EMPTY
};

pub(super) const SNMP_SERVER: Family = Family {
    keyword: "snmp-server",
    help: "SNMP",
    kept: &[
        rule(
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
            "snmp-server location Cellar 2",
        ),
        rule(
            2,
            Some("snmp-server"),
            "snmp-server enable traps <traps:text>",
            No::Syntax("snmp-server enable [traps [<traps:text>]]"),
            &[("traps", "Messages sent unasked")],
            "snmp-server enable traps snmp authentication",
        ),
    ],
    print: print::kept,
    clear: Some(clear_nothing_else),
    ..Family::EMPTY
};

pub(super) const SERVICE_RULES: &[KeptRule] = &[rule(
    2,
    None,
    "service resetoutside",
    No::Same,
    &[("resetoutside", "Reset connections refused outside")],
    "service resetoutside",
)];

pub(super) const TELNET: Family = Family {
    keyword: "telnet",
    help: "The Telnet server",
    kept: &[
        rule(
            2,
            None,
            "telnet timeout <minutes:1-1440>",
            No::Syntax("telnet timeout [<minutes:1-1440>]"),
            &[
                ("telnet", "The Telnet server"),
                ("timeout", "Idle time"),
                ("minutes", "Minutes"),
            ],
            "telnet timeout 5",
        ),
        rule(
            ALL,
            Some("remote access by telnet"),
            "telnet <network:ip> <mask:mask> <interface>",
            No::Same,
            &[("network", "Who may connect"), ("mask", "Network mask")],
            "telnet 10.20.0.0 255.255.255.0 inside",
        ),
    ],
    print: print::kept,
    clear: Some(clear_nothing_else),
    ..Family::EMPTY
};

pub(super) const SSH: Family = Family {
    keyword: "ssh",
    help: "The SSH server",
    kept: &[
        rule(
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
            "ssh timeout 30",
        ),
        rule(
            ALL,
            Some("remote access by ssh"),
            "ssh <network:ip> <mask:mask> <interface>",
            No::Same,
            &[("network", "Who may connect"), ("mask", "Network mask")],
            "ssh 10.20.0.0 255.255.255.0 inside",
        ),
    ],
    print: print::kept,
    clear: Some(clear_nothing_else),
    ..Family::EMPTY
};

/// Statements of the family of `protection`.
pub(super) const THREAT_DETECTION: &[KeptRule] = &[rule(
    ALL,
    Some("threat-detection"),
    "threat-detection { scanning-threat [<scanning:text>] | statistics [<statistics:text>] }",
    No::Same,
    &[
        ("threat-detection", "Detection of threats"),
        ("scanning-threat", "Scans"),
        ("scanning", "What to do about them"),
        ("statistics", "Statistics"),
    ],
    "threat-detection statistics access-list",
)];

pub(super) const DYNAMIC_ACCESS_POLICY_RECORD: Family = Family {
    keyword: "dynamic-access-policy-record",
    help: "Policies for remote users",
    kept: &[rule(
        ALL,
        None,
        "dynamic-access-policy-record <record>",
        No::Same,
        &[
            ("dynamic-access-policy-record", "A policy for remote users"),
            ("record", "Its name"),
        ],
        "dynamic-access-policy-record DfltAccessPolicy",
    )],
    print: print::kept,
    clear: Some(clear_nothing_else),
    ..Family::EMPTY
};

pub(super) const PROMPT: Family = Family {
    keyword: "prompt",
    help: "Parts of the prompt",
    kept: &[rule(
        1,
        None,
        "prompt <parts:text>",
        No::Syntax("prompt [<parts:text>]"),
        &[
            ("prompt", "Parts of the prompt"),
            ("parts", "hostname, context, priority, state"),
        ],
        "prompt hostname priority",
    )],
    print: print::kept,
    clear: Some(clear_nothing_else),
    ..Family::EMPTY
};

pub(super) const CALL_HOME: Family = Family {
    keyword: "call-home",
    help: "Reports to the vendor",
    kept: &[rule(
        ALL,
        None,
        "call-home reporting anonymous",
        No::Same,
        &[
            ("call-home", "Reports to the vendor"),
            ("reporting", "Reporting"),
            ("anonymous", "Without names"),
        ],
        "call-home reporting anonymous",
    )],
    print: print::kept,
    clear: Some(clear_nothing_else),
    ..Family::EMPTY
};

/// Kept lines of the family of this name.
pub(super) const ARP: &[KeptRule] = &[
    rule(
        2,
        Some("arp permit-nonconnected"),
        "arp permit-nonconnected",
        No::Same,
        &[
            ("arp", "Change ARP parameters"),
            ("permit-nonconnected", "Answer for other networks"),
        ],
        "arp permit-nonconnected",
    ),
    rule(
        2,
        None,
        "arp rate-limit <rate:50-32768>",
        No::Syntax("arp rate-limit [<rate:50-32768>]"),
        &[
            ("rate-limit", "Limit ARP packets"),
            ("rate", "Packets per second"),
        ],
        "arp rate-limit 8192",
    ),
];

/// Kept lines of the family of this name.
pub(super) const ICMP: &[KeptRule] = &[rule(
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
    "icmp unreachable rate-limit 1 burst-size 1",
)];

/// Kept lines of the family of this name.
pub(super) const SYSOPT: &[KeptRule] = &[rule(
    ALL,
    Some("sysopt noproxyarp"),
    "sysopt noproxyarp <interface>",
    No::Same,
    &[("noproxyarp", "Do not answer ARP for mapped addresses")],
    "sysopt noproxyarp inside",
)];

/// Kept lines of the family of this name.
pub(super) const CRYPTO: &[KeptRule] = &[
    rule(
        4,
        Some("crypto ipsec"),
        "crypto ipsec security-association <association:text>",
        No::Same,
        &[
            ("ipsec", "IPsec"),
            ("security-association", "Settings of associations"),
            ("association", "The setting"),
        ],
        "crypto ipsec security-association pmtu-aging infinite",
    ),
    rule(
        4,
        None,
        "crypto ca trustpool policy",
        No::Same,
        &[
            ("trustpool", "Built-in CA certificates"),
            ("policy", "How they are used"),
        ],
        "crypto ca trustpool policy",
    ),
];

/// Clears a family of kept lines, which go by themselves.
fn clear_nothing_else(_: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    Ok(())
}

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
    let keyword = captures.first_keyword().unwrap_or_default();
    let lines = change.config.kept.entry(keyword).or_default();
    if captures.negated() {
        change.outcome.changed = lines.remove(&key).is_some();
        if lines.is_empty() {
            change.config.kept.remove(keyword);
        }
        return Ok(());
    }
    change
        .outcome
        .set(lines.entry(key).or_default(), words.join(" "));
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

//! Names of ports, protocols and ICMP types, as ASA reads and prints them.
//!
//! Where a number has several names the first in the table is printed. The numbers are those of
//! the IANA registries but for a few old habits of ASA (Kerberos 750, RADIUS 1645/1646).

use crate::model::Transport;
use alloc::string::{String, ToString};

const BOTH: &[(&str, u16)] = &[
    ("cifs", 3020),
    ("discard", 9),
    ("domain", 53),
    ("echo", 7),
    ("kerberos", 750),
    ("nfs", 2049),
    ("pim-auto-rp", 496),
    ("sip", 5060),
    ("sunrpc", 111),
    ("tacacs", 49),
    ("talk", 517),
    ("www", 80),
    ("http", 80),
];

const TCP: &[(&str, u16)] = &[
    ("aol", 5190),
    ("bgp", 179),
    ("chargen", 19),
    ("citrix-ica", 1494),
    ("rsh", 514),
    ("cmd", 514),
    ("ctiqbe", 2748),
    ("daytime", 13),
    ("exec", 512),
    ("finger", 79),
    ("ftp", 21),
    ("ftp-data", 20),
    ("gopher", 70),
    ("h323", 1720),
    ("hostname", 101),
    ("https", 443),
    ("ident", 113),
    ("imap4", 143),
    ("irc", 194),
    ("klogin", 543),
    ("kshell", 544),
    ("ldap", 389),
    ("ldaps", 636),
    ("login", 513),
    ("lotusnotes", 1352),
    ("lpd", 515),
    ("netbios-ssn", 139),
    ("nntp", 119),
    ("pcanywhere-data", 5631),
    ("pop2", 109),
    ("pop3", 110),
    ("pptp", 1723),
    ("rtsp", 554),
    ("smtp", 25),
    ("sqlnet", 1521),
    ("ssh", 22),
    ("telnet", 23),
    ("uucp", 540),
    ("whois", 43),
];

const UDP: &[(&str, u16)] = &[
    ("biff", 512),
    ("bootpc", 68),
    ("bootps", 67),
    ("dnsix", 195),
    ("isakmp", 500),
    ("mobile-ip", 434),
    ("nameserver", 42),
    ("netbios-dgm", 138),
    ("netbios-ns", 137),
    ("ntp", 123),
    ("pcanywhere-status", 5632),
    ("radius", 1645),
    ("radius-acct", 1646),
    ("rip", 520),
    ("secureid-udp", 5510),
    ("snmp", 161),
    ("snmptrap", 162),
    ("syslog", 514),
    ("tftp", 69),
    ("time", 37),
    ("vxlan", 4789),
    ("who", 513),
    ("xdmcp", 177),
];

const PROTOCOLS: &[(&str, u8)] = &[
    ("ip", 0),
    ("icmp", 1),
    ("igmp", 2),
    ("ipinip", 4),
    ("tcp", 6),
    ("igrp", 9),
    ("udp", 17),
    ("gre", 47),
    ("pptp", 47),
    ("esp", 50),
    ("ipsec", 50),
    ("ah", 51),
    ("icmp6", 58),
    ("eigrp", 88),
    ("ospf", 89),
    ("nos", 94),
    ("pim", 103),
    ("pcp", 108),
    ("snp", 109),
    ("sctp", 132),
];

const ICMP_TYPES: &[(&str, u8)] = &[
    ("echo-reply", 0),
    ("unreachable", 3),
    ("source-quench", 4),
    ("redirect", 5),
    ("alternate-address", 6),
    ("echo", 8),
    ("router-advertisement", 9),
    ("router-solicitation", 10),
    ("time-exceeded", 11),
    ("parameter-problem", 12),
    ("timestamp-request", 13),
    ("timestamp-reply", 14),
    ("information-request", 15),
    ("information-reply", 16),
    ("mask-request", 17),
    ("mask-reply", 18),
    ("traceroute", 30),
    ("conversion-error", 31),
    ("mobile-redirect", 32),
];

const LEVELS: [&str; 8] = [
    "emergencies",
    "alerts",
    "critical",
    "errors",
    "warnings",
    "notifications",
    "informational",
    "debugging",
];

/// Abbreviated month names, January first, as ASA prints them.
pub const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Abbreviated names of the days of the week, Sunday first.
pub const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// Every port name of `transport` with its number; for help and completion.
pub fn port_names(transport: Transport) -> impl Iterator<Item = (&'static str, u16)> {
    let own = match transport {
        Transport::Tcp => TCP,
        Transport::Udp => UDP,
    };
    BOTH.iter().chain(own).copied()
}

/// Reads a port by number or by a name of `transport`.
#[must_use]
pub fn parse_port(transport: Transport, text: &str) -> Option<u16> {
    match parse_decimal(text) {
        Some(number) => u16::try_from(number).ok(),
        None => find(port_names(transport), text),
    }
}

/// The name of `port`, or its number.
#[must_use]
pub fn port(transport: Transport, port: u16) -> String {
    name_of(port_names(transport), port).map_or_else(|| port.to_string(), String::from)
}

/// Reads an IP protocol by number or name; 0 is all of IP.
#[must_use]
pub fn parse_protocol(text: &str) -> Option<u8> {
    match parse_decimal(text) {
        Some(number) => u8::try_from(number).ok(),
        None => find(PROTOCOLS.iter().copied(), text),
    }
}

/// The name of an IP protocol, or its number.
#[must_use]
pub fn protocol(number: u8) -> String {
    name_of(PROTOCOLS.iter().copied(), number).map_or_else(|| number.to_string(), String::from)
}

/// Reads an ICMP type by number or name.
#[must_use]
pub fn parse_icmp_type(text: &str) -> Option<u8> {
    match parse_decimal(text) {
        Some(number) => u8::try_from(number).ok(),
        None => find(ICMP_TYPES.iter().copied(), text),
    }
}

/// The name of an ICMP type, or its number.
#[must_use]
pub fn icmp_type(kind: u8) -> String {
    name_of(ICMP_TYPES.iter().copied(), kind).map_or_else(|| kind.to_string(), String::from)
}

/// Reads a syslog severity by number or by a unique beginning of its name.
#[must_use]
pub fn parse_level(text: &str) -> Option<u8> {
    if let Some(number) = parse_decimal(text) {
        return u8::try_from(number).ok().filter(|&level| level <= 7);
    }
    let mut levels = (0u8..)
        .zip(LEVELS)
        .filter(|(_, name)| starts_with(name, text));
    let (level, _) = levels.next()?;
    levels.next().is_none().then_some(level)
}

/// The name of a syslog severity.
#[must_use]
pub fn level(level: u8) -> &'static str {
    LEVELS
        .get(usize::from(level))
        .copied()
        .unwrap_or("debugging")
}

/// Reads a month by a unique beginning of its name; 1 is January.
#[must_use]
pub fn parse_month(text: &str) -> Option<u8> {
    const LONG: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    unique(LONG, text).map(|index| index + 1)
}

/// Reads a day of the week by a unique beginning of its name; 0 is Sunday.
#[must_use]
pub fn parse_weekday(text: &str) -> Option<u8> {
    const LONG: [&str; 7] = [
        "sunday",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
    ];
    unique(LONG, text)
}

/// Reads an unsigned decimal number; `None` if there is anything but digits.
#[must_use]
pub(crate) fn parse_decimal(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Too long for 32 bits is still a number, one no caller accepts.
    digits.then(|| text.parse().unwrap_or(u32::MAX))
}

fn unique<const N: usize>(names: [&str; N], text: &str) -> Option<u8> {
    let mut hits = (0u8..)
        .zip(names)
        .filter(|(_, name)| text.len() >= 3 && starts_with(name, text));
    let (index, _) = hits.next()?;
    hits.next().is_none().then_some(index)
}

fn starts_with(name: &str, text: &str) -> bool {
    !text.is_empty()
        && name
            .get(..text.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(text))
}

fn find<T>(mut names: impl Iterator<Item = (&'static str, T)>, text: &str) -> Option<T> {
    names
        .find(|(name, _)| name.eq_ignore_ascii_case(text))
        .map(|(_, number)| number)
}

fn name_of<T: PartialEq>(
    mut names: impl Iterator<Item = (&'static str, T)>,
    number: T,
) -> Option<&'static str> {
    names
        .find(|(_, candidate)| *candidate == number)
        .map(|(name, _)| name)
}

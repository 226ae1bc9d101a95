//! Names of protocols, ICMP types, syslog severities and dates, as ASA reads and prints them.
//!
//! Where a number has several names the first in the table is printed. Port names are those of
//! [`cli::ports`], which the grammar reads.

use crate::model::Transport;
use alloc::string::{String, ToString};
use cli::ports;

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

const ICMP6_TYPES: &[(&str, u8)] = &[
    ("unreachable", 1),
    ("packet-too-big", 2),
    ("time-exceeded", 3),
    ("parameter-problem", 4),
    ("echo", 128),
    ("echo-reply", 129),
    ("membership-query", 130),
    ("membership-report", 131),
    ("membership-reduction", 132),
    ("router-solicitation", 133),
    ("router-advertisement", 134),
    ("neighbor-solicitation", 135),
    ("neighbor-advertisement", 136),
    ("neighbor-redirect", 137),
    ("router-renumbering", 138),
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

/// The name of `port`, or its number.
#[must_use]
pub fn port(transport: Transport, port: u16) -> String {
    let transport = match transport {
        Transport::Tcp => ports::Transport::Tcp,
        Transport::Udp => ports::Transport::Udp,
    };
    ports::name(port, transport).map_or_else(|| port.to_string(), String::from)
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

/// Reads an ICMPv6 type by number or name.
#[must_use]
pub fn parse_icmp6_type(text: &str) -> Option<u8> {
    match parse_decimal(text) {
        Some(number) => u8::try_from(number).ok(),
        None => find(ICMP6_TYPES.iter().copied(), text),
    }
}

/// The name of an ICMPv6 type, or its number.
#[must_use]
pub fn icmp6_type(kind: u8) -> String {
    name_of(ICMP6_TYPES.iter().copied(), kind).map_or_else(|| kind.to_string(), String::from)
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

const LONG_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const LONG_WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Reads a month by a unique beginning of its name; 1 is January.
#[must_use]
pub fn parse_month(text: &str) -> Option<u8> {
    unique(LONG_MONTHS, text).map(|index| index + 1)
}

/// The whole name of a month; 1 is January.
#[must_use]
pub fn month(number: u8) -> &'static str {
    let month = LONG_MONTHS.get(usize::from(number).wrapping_sub(1));
    month.copied().unwrap_or("January")
}

/// How many days a month has; 1 is January.
#[must_use]
pub const fn days_of_month(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Reads a day of the week by a unique beginning of its name; 0 is Sunday.
#[must_use]
pub fn parse_weekday(text: &str) -> Option<u8> {
    unique(LONG_WEEKDAYS, text)
}

/// The whole name of a day of the week; 0 is Sunday.
#[must_use]
pub fn weekday(number: u8) -> &'static str {
    let day = LONG_WEEKDAYS.get(usize::from(number));
    day.copied().unwrap_or("Sunday")
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

pub(crate) fn starts_with(name: &str, text: &str) -> bool {
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

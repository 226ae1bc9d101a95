//! Argument kinds: how each is written, what value it gives, how help shows it.

use super::walk::Token;
use crate::ports;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

/// The most tokens an argument other than the rest of the line may span: `( a , b )`.
const PAIR_TOKENS_MAX: usize = 5;

/// A captured value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A keyword, in the table's spelling.
    Keyword,
    /// A `word`, `host`, `hex`, `ip6` or `prefix6` as typed.
    Word(&'a str),
    /// A `text` or `verbatim` as typed.
    Text(&'a str),
    /// A number.
    Number(u32),
    /// An `ip` or `mask`.
    Address(Ipv4Addr),
    /// A port number.
    Port(u16),
    /// A `time`.
    Time(TimeOfDay),
    /// An `interface`.
    Interface(InterfaceName),
    /// A `pair`, without brackets and blanks.
    Pair(&'a str, &'a str),
    /// A `mac`.
    Mac([u8; 6]),
}

/// Hours, minutes, seconds; hours may pass 23 because idle times are written the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay {
    /// 0-1193, as the longest timeouts need.
    pub hours: u16,
    /// 0-59.
    pub minutes: u8,
    /// 0-59.
    pub seconds: u8,
}

impl TimeOfDay {
    /// The whole in seconds.
    #[must_use]
    pub const fn as_secs(self) -> u32 {
        self.hours as u32 * 3600 + self.minutes as u32 * 60 + self.seconds as u32
    }
}

/// The hardware part of an interface name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InterfaceKind {
    /// `GigabitEthernet`.
    GigabitEthernet,
    /// `Management`.
    Management,
    /// `TenGigabitEthernet`.
    TenGigabitEthernet,
}

impl InterfaceKind {
    /// All kinds, in help order.
    pub const ALL: [Self; 3] = [
        Self::GigabitEthernet,
        Self::Management,
        Self::TenGigabitEthernet,
    ];

    /// The name as printed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GigabitEthernet => "GigabitEthernet",
            Self::Management => "Management",
            Self::TenGigabitEthernet => "TenGigabitEthernet",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        Self::ALL
            .into_iter()
            .find(|kind| starts_with_ignore_case(kind.name(), text))
    }
}

/// A hardware interface name such as `GigabitEthernet0/0.10`; `Display` gives the ASA spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InterfaceName {
    /// The kind of port.
    pub kind: InterfaceKind,
    /// The slot, before the slash.
    pub slot: u16,
    /// The port, after the slash.
    pub port: u16,
    /// The subinterface number after the dot.
    pub subinterface: Option<u32>,
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}/{}", self.kind.name(), self.slot, self.port)?;
        match self.subinterface {
            Some(number) => write!(f, ".{number}"),
            None => Ok(()),
        }
    }
}

impl InterfaceName {
    /// Reads `gi0/0`, `GigabitEthernet0/0.10` and the like, without blanks inside.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.find(|c: char| c.is_ascii_digit())?;
        let (kind, numbers) = text.split_at_checked(digits)?;
        Self::from_parts(InterfaceKind::parse(kind)?, numbers)
    }

    fn from_parts(kind: InterfaceKind, numbers: &str) -> Option<Self> {
        let (slot, rest) = numbers.split_once('/')?;
        let (port, subinterface) = match rest.split_once('.') {
            Some((port, number)) => (port, Some(decimal(number).filter(|&n| n > 0)?)),
            None => (rest, None),
        };
        let slot = u16::try_from(decimal(slot)?).ok()?;
        let port = u16::try_from(decimal(port)?).ok()?;
        Some(Self {
            kind,
            slot,
            port,
            subinterface,
        })
    }
}

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word { max: Option<u16> },
    Text,
    Verbatim,
    Number { low: u32, high: u32 },
    Ip,
    Mask,
    Ip6,
    Prefix6,
    Host,
    Port,
    Time,
    Interface,
    Pair,
    Mac,
    Hex,
}

/// How tokens fit an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit<'a> {
    /// Taken: the value, and how many tokens.
    Taken(Value<'a>, usize),
    /// Everything to the end of the line fits, but more is needed.
    Partial,
    /// Not this.
    Not,
}

impl Kind {
    /// Reads a kind as written after the colon.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "" | "word" => Self::Word { max: None },
            "text" => Self::Text,
            "verbatim" => Self::Verbatim,
            "ip" => Self::Ip,
            "mask" => Self::Mask,
            "ip6" => Self::Ip6,
            "prefix6" => Self::Prefix6,
            "host" => Self::Host,
            "port" => Self::Port,
            "time" => Self::Time,
            "interface" => Self::Interface,
            "pair" => Self::Pair,
            "mac" => Self::Mac,
            "hex" => Self::Hex,
            _ => {
                if let Some(max) = text
                    .strip_prefix("word(")
                    .and_then(|rest| rest.strip_suffix(')'))
                {
                    return max.parse().ok().map(|max| Self::Word { max: Some(max) });
                }
                let (low, high) = text.split_once('-')?;
                let (low, high) = (decimal(low)?, decimal(high)?);
                if low > high {
                    return None;
                }
                Self::Number { low, high }
            }
        })
    }

    /// Whether a token is taken as is, so that a keyword abbreviation is the better reading.
    pub(super) const fn is_free_form(self) -> bool {
        matches!(
            self,
            Self::Word { .. } | Self::Text | Self::Verbatim | Self::Host
        )
    }

    /// Tries the kind on the tokens from `at` on.
    pub(super) fn fit<'a>(self, line: &'a str, tokens: &[Token], at: usize) -> Fit<'a> {
        let rest = tokens.get(at..).unwrap_or_default();
        let Some(first) = rest.first() else {
            return Fit::Not;
        };
        let word = first.text(line);
        let one = |value: Option<Value<'a>>| value.map_or(Fit::Not, |value| Fit::Taken(value, 1));
        match self {
            Self::Word { max } => {
                let fits = max.is_none_or(|max| word.len() <= usize::from(max));
                one(fits.then_some(Value::Word(word)))
            }
            Self::Text => {
                let text = line.get(first.start..).unwrap_or_default();
                Fit::Taken(
                    Value::Text(text.trim_end_matches([' ', '\t', '\r', '\n'])),
                    rest.len(),
                )
            }
            Self::Verbatim => {
                let start = match at.checked_sub(1).and_then(|before| tokens.get(before)) {
                    Some(before) => before.end + 1,
                    None => 0,
                };
                let text = line.get(start..).unwrap_or_default();
                Fit::Taken(Value::Text(text.trim_end_matches(['\r', '\n'])), rest.len())
            }
            Self::Number { low, high } => one(decimal(word)
                .filter(|n| (low..=high).contains(n))
                .map(Value::Number)),
            Self::Ip | Self::Mask => one(address(word).map(Value::Address)),
            Self::Ip6 => one(is_ip6(word).then_some(Value::Word(word))),
            Self::Prefix6 => one(is_prefix6(word).then_some(Value::Word(word))),
            Self::Host => {
                let is_host = word
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b));
                one(is_host.then_some(Value::Word(word)))
            }
            Self::Port => one(ports::parse(word).map(Value::Port)),
            Self::Time => one(time(word).map(Value::Time)),
            Self::Mac => one(mac(word).map(Value::Mac)),
            Self::Hex => one(word
                .bytes()
                .all(|b| b.is_ascii_hexdigit())
                .then_some(Value::Word(word))),
            Self::Interface => {
                if let Some(name) = InterfaceName::parse(word) {
                    return Fit::Taken(Value::Interface(name), 1);
                }
                let Some(kind) = InterfaceKind::parse(word) else {
                    return Fit::Not;
                };
                let Some(numbers) = rest.get(1) else {
                    return Fit::Partial;
                };
                match InterfaceName::from_parts(kind, numbers.text(line)) {
                    Some(name) => Fit::Taken(Value::Interface(name), 2),
                    None => Fit::Not,
                }
            }
            Self::Pair => pair(line, rest),
        }
    }

    /// The place-holder of the help column; `port` and `interface` add their names below it.
    pub(super) fn placeholder(self) -> alloc::string::String {
        use alloc::format;
        use alloc::string::ToString;
        match self {
            Self::Word { max: None } => "WORD".to_string(),
            Self::Word { max: Some(max) } => format!("WORD < {} char", u32::from(max) + 1),
            Self::Text | Self::Verbatim => "LINE".to_string(),
            Self::Number { low, high } => format!("<{low}-{high}>"),
            Self::Ip | Self::Mask => "A.B.C.D".to_string(),
            Self::Ip6 => "X:X:X:X::X".to_string(),
            Self::Prefix6 => "X:X:X:X::X/<0-128>".to_string(),
            Self::Host => "Hostname or A.B.C.D".to_string(),
            Self::Port => "<0-65535>".to_string(),
            Self::Time => "hh:mm:ss".to_string(),
            Self::Interface => "slot/port".to_string(),
            Self::Pair => "(".to_string(),
            Self::Mac => "H.H.H".to_string(),
            Self::Hex => "Hex-data".to_string(),
        }
    }
}

/// Whether `whole` starts with `prefix`, ASCII case aside.
pub(super) fn starts_with_ignore_case(whole: &str, prefix: &str) -> bool {
    whole
        .as_bytes()
        .get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
}

fn decimal(text: &str) -> Option<u32> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn address(text: &str) -> Option<Ipv4Addr> {
    if text == "0" {
        return Some(Ipv4Addr::UNSPECIFIED);
    }
    text.parse().ok()
}

fn is_ip6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

fn is_prefix6(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(address, len)| is_ip6(address) && decimal(len).is_some_and(|len| len <= 128))
}

fn time(text: &str) -> Option<TimeOfDay> {
    let mut parts = text.split(':');
    let hours = decimal(parts.next()?).filter(|&n| n <= 1193)?;
    let minutes = decimal(parts.next()?).filter(|&n| n < 60)?;
    let seconds = match parts.next() {
        Some(part) => decimal(part).filter(|&n| n < 60)?,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    Some(TimeOfDay {
        hours: u16::try_from(hours).ok()?,
        minutes: u8::try_from(minutes).ok()?,
        seconds: u8::try_from(seconds).ok()?,
    })
}

fn mac(text: &str) -> Option<[u8; 6]> {
    let mut address = [0u8; 6];
    let mut groups = text.split('.');
    for out in address.chunks_exact_mut(2) {
        let group = groups.next()?;
        if group.is_empty() || group.len() > 4 || !group.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        out.copy_from_slice(&u16::from_str_radix(group, 16).ok()?.to_be_bytes());
    }
    groups.next().is_none().then_some(address)
}

/// `(real,mapped)` over one to five tokens.
fn pair<'a>(line: &'a str, rest: &[Token]) -> Fit<'a> {
    let Some(first) = rest.first() else {
        return Fit::Not;
    };
    if !first.text(line).starts_with('(') {
        return Fit::Not;
    }
    for (index, token) in rest.iter().enumerate().take(PAIR_TOKENS_MAX) {
        if !token.text(line).ends_with(')') {
            continue;
        }
        let inner = line.get(first.start + 1..token.end - 1).unwrap_or_default();
        let Some((real, mapped)) = inner.split_once(',') else {
            return Fit::Not;
        };
        let (real, mapped) = (real.trim(), mapped.trim());
        let is_name = |name: &str| !name.is_empty() && !name.contains([' ', '\t', ',', '(', ')']);
        return if is_name(real) && is_name(mapped) {
            Fit::Taken(Value::Pair(real, mapped), index + 1)
        } else {
            Fit::Not
        };
    }
    if rest.len() < PAIR_TOKENS_MAX {
        Fit::Partial
    } else {
        Fit::Not
    }
}

//! Access lists and where they are bound.

use super::{IcmpMatch, PortMatch, Prefix6, Subnet, Transport};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::hash::{Hash, Hasher};
use core::net::{Ipv4Addr, Ipv6Addr};

/// `access-list NAME …`: the lines of one list in order.
///
/// Keeps a digest of every line beside the lines: whether a line is new is answered without a look at
/// the list, and where it is by comparing numbers. Lists with equal lines are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessList {
    lines: Vec<AccessLine>,
    /// The digest of every line, in the same order.
    places: Vec<u64>,
    /// How many lines have a digest; a digest only says where to look closer.
    digests: BTreeMap<u64, u32>,
}

impl AccessList {
    /// The lines in order; line numbers shown to the operator start at 1.
    #[must_use]
    pub fn lines(&self) -> &[AccessLine] {
        &self.lines
    }

    /// The rules in order, without the remarks.
    pub fn rules(&self) -> impl Iterator<Item = &AccessRule> {
        self.lines.iter().filter_map(|line| match line {
            AccessLine::Rule(rule) => Some(&**rule),
            AccessLine::Remark(_) => None,
        })
    }

    /// The index of the line with `line`'s content; when a rule is active and what it logs are not
    /// content.
    #[must_use]
    pub fn position(&self, line: &AccessLine) -> Option<usize> {
        let wanted = digest(line);
        if !self.digests.contains_key(&wanted) {
            return None;
        }
        let is_same = |present: &AccessLine| match (present, line) {
            (AccessLine::Rule(present), AccessLine::Rule(rule)) => present.same_match(rule),
            (AccessLine::Remark(present), AccessLine::Remark(remark)) => present == remark,
            _ => false,
        };
        let mut places = self.places.iter().zip(&self.lines);
        places.position(|(place, present)| *place == wanted && is_same(present))
    }

    /// Puts `line` at `index`, or at the end if the list is shorter.
    pub(crate) fn insert(&mut self, index: usize, line: AccessLine) {
        let digest = digest(&line);
        *self.digests.entry(digest).or_default() += 1;
        self.places.insert(index.min(self.places.len()), digest);
        self.lines.insert(index.min(self.lines.len()), line);
    }

    /// Changes what the rule at `index` does besides matching.
    pub(crate) fn update(&mut self, index: usize, as_in: &AccessRule) {
        if let Some(AccessLine::Rule(rule)) = self.lines.get_mut(index) {
            rule.log = as_in.log;
            rule.time_range.clone_from(&as_in.time_range);
            rule.inactive = as_in.inactive;
        }
    }

    /// Takes the line at `index` out.
    pub(crate) fn remove(&mut self, index: usize) {
        if index >= self.lines.len() {
            return;
        }
        self.lines.remove(index);
        let digest = self.places.remove(index);
        if let Some(count) = self.digests.get_mut(&digest) {
            *count -= 1;
            if *count == 0 {
                self.digests.remove(&digest);
            }
        }
    }

    /// Gives interface `old` its new name wherever a rule refers to it.
    pub(crate) fn rename_interface(&mut self, old: &str, new: &str) {
        let lines = core::mem::take(&mut self.lines);
        self.places.clear();
        self.digests.clear();
        for mut line in lines {
            if let AccessLine::Rule(rule) = &mut line {
                for side in [&mut rule.source, &mut rule.destination] {
                    if matches!(side, AddressMatch::Interface(name) if name == old) {
                        *side = AddressMatch::Interface(new.into());
                    }
                }
            }
            self.insert(usize::MAX, line);
        }
    }
}

/// One line of an access list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessLine {
    /// `remark TEXT`.
    Remark(String),
    /// `extended …`.
    Rule(Box<AccessRule>),
}

/// `extended {permit|deny} …`. Addresses and ports are the real ones, before translation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRule {
    /// What happens to a match.
    pub action: Action,
    /// The protocol and ports.
    pub service: RuleService,
    /// The source address.
    pub source: AddressMatch,
    /// The destination address.
    pub destination: AddressMatch,
    /// Logging of hits.
    pub log: RuleLog,
    /// `time-range NAME`: when the rule takes part; always if absent.
    pub time_range: Option<String>,
    /// Whether the rule is switched off.
    pub inactive: bool,
}

impl AccessRule {
    /// Whether the two decide the same packets the same way.
    #[must_use]
    pub fn same_match(&self, other: &Self) -> bool {
        self.action == other.action
            && self.service == other.service
            && self.source == other.source
            && self.destination == other.destination
    }
}

/// Permit or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// `permit`.
    Permit,
    /// `deny`.
    Deny,
}

impl Action {
    /// The keyword of the action.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Deny => "deny",
        }
    }
}

/// The protocol part of a rule, with the ports that stand after the addresses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RuleService {
    /// `ip`.
    Ip,
    /// A protocol by number that is none of the others.
    Protocol(u8),
    /// `tcp` or `udp`.
    Ports {
        /// Which of the two.
        transport: Transport,
        /// Condition on the source port.
        source: Option<PortSelect>,
        /// Condition on the destination port.
        destination: Option<PortSelect>,
    },
    /// `icmp` with an optional type.
    Icmp(Option<IcmpMatch>),
    /// `icmp6` with an optional type.
    Icmp6(Option<IcmpMatch>),
    /// `icmp6` with `object-group NAME` behind the addresses, a group of ICMP types.
    Icmp6Group(String),
    /// `icmp` with `object-group NAME` behind the addresses, a group of ICMP types.
    IcmpGroup(String),
    /// `object-group NAME`, a group of protocols, with conditions on the ports of those that have
    /// ports; the others then match nothing.
    ProtocolGroup {
        /// The group.
        name: String,
        /// Condition on the source port.
        source: Option<PortSelect>,
        /// Condition on the destination port.
        destination: Option<PortSelect>,
    },
    /// `object NAME`, a service object.
    Object(String),
    /// `object-group NAME`, a service group without a transport.
    Group(String),
}

/// Ports of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PortSelect {
    /// `eq`, `neq`, `lt`, `gt` or `range`.
    Match(PortMatch),
    /// `object-group NAME`, a service group with a transport.
    Group(String),
}

/// An address of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AddressMatch {
    /// `any`, of either family.
    Any,
    /// `any4`: every IPv4 address.
    Any4,
    /// `any6`: every IPv6 address.
    Any6,
    /// `host IP`.
    Host(Ipv4Addr),
    /// `NETWORK MASK`.
    Subnet(Subnet),
    /// `host IP` of IPv6.
    Host6(Ipv6Addr),
    /// `PREFIX`, without host bits.
    Subnet6(Prefix6),
    /// `object NAME`.
    Object(String),
    /// `object-group NAME`.
    Group(String),
    /// `interface NAMEIF`: the addresses of the interface.
    Interface(String),
}

/// The `log` part of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleLog {
    /// Nothing said: a deny is logged as 106023.
    #[default]
    Default,
    /// `log disable`.
    Disable,
    /// `log [LEVEL] [interval SECS]`: logged as 106100.
    Flows {
        /// Syslog severity, 0 to 7; 6 unless said otherwise.
        level: u8,
        /// Seconds between reports, 1 to 600; 300 unless said otherwise.
        interval_secs: u16,
    },
}

/// Where an access list is bound. One list per place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessGroupPlace {
    /// `access-group NAME in interface NAMEIF`.
    In(String),
    /// `access-group NAME out interface NAMEIF`.
    Out(String),
    /// `access-group NAME in interface NAMEIF control-plane`: packets for the box itself.
    ControlPlane(String),
    /// `access-group NAME global`.
    Global,
}

/// `icmp {permit|deny} ADDRESS [TYPE] NAMEIF`: ICMP to the box itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpRule {
    /// What happens to a match.
    pub action: Action,
    /// Who sends: any, host or subnet.
    pub source: Subnet,
    /// The ICMP type; `None` matches all.
    pub kind: Option<u8>,
    /// The receiving interface.
    pub interface: String,
}

fn digest(line: &AccessLine) -> u64 {
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    match line {
        AccessLine::Remark(text) => text.hash(&mut hasher),
        AccessLine::Rule(rule) => {
            (rule.action, &rule.service, &rule.source, &rule.destination).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// FNV-1a, 64 bit. Digests only save a search, so they need not withstand an adversary.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

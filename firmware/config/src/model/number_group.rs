//! Groups of protocols and of ICMP types: numbers, and other groups of the same kind.

use super::{Config, Named};
use alloc::string::String;
use alloc::vec::Vec;

/// What the numbers of a group stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NumberKind {
    /// `object-group protocol`: IP protocols, 0 for all of them.
    Protocol,
    /// `object-group icmp-type`.
    IcmpType,
}

impl NumberKind {
    /// Both kinds, in the order in which they are printed.
    pub const ALL: [Self; 2] = [Self::Protocol, Self::IcmpType];

    /// The word after `object-group`.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
            Self::IcmpType => "icmp-type",
        }
    }

    /// The word before a member.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::Protocol => "protocol-object",
            Self::IcmpType => "icmp-object",
        }
    }
}

/// `object-group {protocol|icmp-type} NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberGroup {
    /// `description TEXT`.
    pub description: Option<String>,
    /// The members in the order entered.
    pub members: Vec<NumberMember>,
}

/// One line of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberMember {
    /// `protocol-object P` or `icmp-object T`.
    Number(u8),
    /// `group-object NAME`.
    Group(String),
}

impl Config {
    /// The groups of one kind.
    #[must_use]
    pub const fn number_groups(&self, kind: NumberKind) -> &Named<NumberGroup> {
        match kind {
            NumberKind::Protocol => &self.protocol_groups,
            NumberKind::IcmpType => &self.icmp_groups,
        }
    }

    pub(crate) const fn number_groups_mut(&mut self, kind: NumberKind) -> &mut Named<NumberGroup> {
        match kind {
            NumberKind::Protocol => &mut self.protocol_groups,
            NumberKind::IcmpType => &mut self.icmp_groups,
        }
    }

    /// The numbers of a group, those of the groups it holds in their place.
    #[must_use]
    pub fn numbers_of(&self, kind: NumberKind, name: &str) -> Vec<u8> {
        let members = self.number_groups(kind).get(name);
        let members = members.map_or(&[][..], |group| group.members.as_slice());
        let numbers = members.iter().flat_map(|member| match member {
            NumberMember::Number(number) => Vec::from([*number]),
            // Groups hold no cycles, so this ends.
            NumberMember::Group(name) => self.numbers_of(kind, name),
        });
        numbers.collect()
    }
}

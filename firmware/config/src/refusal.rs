//! What the box says to a command: why it was refused, or what to know about an accepted one.
//!
//! The texts are ASA's where ASA has one. A refused command has changed nothing.

use crate::model::InterfaceId;
use alloc::string::String;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr};

/// A kind of named thing, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are named after their statements")]
pub enum Thing {
    AccessList,
    ClassMap,
    Group,
    InspectMap,
    Interface,
    LogList,
    Object,
    PolicyMap,
    TcpMap,
    TimeRange,
    TlsProxy,
    Trustpoint,
    User,
}

impl Thing {
    const fn words(self) -> &'static str {
        match self {
            Self::AccessList => "access-list",
            Self::ClassMap => "class-map",
            Self::Group => "object-group",
            Self::InspectMap => "inspect policy-map",
            Self::Interface => "interface",
            Self::LogList => "logging list",
            Self::Object => "object",
            Self::PolicyMap => "policy-map",
            Self::TcpMap => "tcp-map",
            Self::TimeRange => "time-range",
            Self::TlsProxy => "tls-proxy",
            Self::Trustpoint => "trustpoint",
            Self::User => "username",
        }
    }
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A word is not what may stand there. The console marks it with a caret.
    Invalid {
        /// Where the word starts in the line, in bytes.
        offset: usize,
    },
    /// There is no such thing.
    Missing(Thing, String),
    /// A line to be removed is not there.
    NothingToRemove,
    /// The thing is named elsewhere in the configuration.
    InUse {
        /// What it is.
        thing: Thing,
        /// Its name.
        name: String,
        /// What names it: a statement.
        by: &'static str,
    },
    /// The name belongs to something of another kind.
    NameTaken(String),
    /// The name cannot be used.
    BadName(String),
    /// The group would contain itself.
    GroupLoop(String),
    /// The last member of a group in use, or the content of an object in use.
    WouldBeEmpty(String),
    /// The object or group has no address yet.
    NoAddress(String),
    /// A group of services in the place of a group of ports, or the other way round.
    WrongGroupKind(String),
    /// The mask has a hole.
    BadMask(Ipv4Addr),
    /// Address and mask do not fit: there are host bits.
    NotPaired(Ipv4Addr, Ipv4Addr),
    /// The address cannot be that of a host.
    BadHostAddress(Ipv4Addr),
    /// Not an IPv6 address that a host can have there.
    BadHostAddress6(core::net::Ipv6Addr),
    /// The first of two numbers or addresses is above the second.
    BadRange,
    /// The network is connected to another interface already.
    NetworkOverlap {
        /// The interface being configured.
        id: InterfaceId,
        /// The interface that has the network.
        other: InterfaceId,
    },
    /// The name belongs to another interface.
    NameifTaken {
        /// The name.
        name: String,
        /// Who has it.
        id: InterfaceId,
    },
    /// The VLAN belongs to another subinterface of the port.
    VlanTaken {
        /// The VLAN.
        vlan: u16,
        /// Who has it.
        other: InterfaceId,
    },
    /// A port cannot be removed.
    PhysicalInterface,
    /// An access list names the interface.
    InterfaceInAccessList(String),
    /// Another route with that destination and metric is there.
    RouteConflict,
    /// The next hop is an address of the box.
    NextHopIsOurs(Ipv4Addr),
    /// The list has no rule to bind or match by.
    EmptyAccessList(String),
    /// `match access-list` names no usable list.
    UnmatchableAccessList(String),
    /// The list is bound or matched by, and this is its last rule.
    LastRule(String),
    /// A class map that needs every condition takes one.
    SecondMatch,
    /// The class map has conditions and cannot change how they combine.
    MatchModeFixed(String),
    /// A TLS proxy needs a class that matches by access list or port.
    ProxyOnDefaultTraffic,
    /// The class has another inspection of that engine.
    InspectionPresent,
    /// The inspection map is for another engine.
    WrongInspectMap(String),
    /// Another policy map is applied there.
    PolicyApplied(String),
    /// The mapped address is the address of an interface.
    MappedIsInterface {
        /// The address.
        address: IpAddr,
        /// The interface.
        nameif: String,
    },
    /// `interface` as mapped address needs a named mapped interface.
    MappedInterfaceUnnamed,
    /// Dynamic translation cannot use a subnet as mapped address.
    MappedSubnet(String),
    /// A shared address must be one host.
    MappedNotHost(String),
    /// The pool is in another rule already, shared in another way.
    PoolOptionsDiffer(String),
    /// The pool has more addresses than can be shared by port.
    PoolTooLarge(String, u64),
    /// The option goes with translations only that leave the address as it is.
    OnlyIdentity(&'static str),
    /// A service object used in a translation has no single protocol and side, or uses `neq`.
    BadNatService(String),
    /// The two service objects differ in protocol or side.
    NatServiceMismatch,
    /// The two words cannot be combined.
    Combination(&'static str, &'static str),
    /// The old form of a translation; the words name the form to use.
    OldNat(&'static str),
    /// The text of a stored password is not of the form this box writes.
    BadPasswordHash,
    /// The password is too short or too long.
    PasswordLength,
    /// The certificate text is not hexadecimal, or not one whole certificate.
    BadCertificate,
    /// Another certificate of that kind is in the trustpoint.
    CertificatePresent(String),
    /// The value is outside the range.
    OutOfRange {
        /// Smallest accepted.
        low: u32,
        /// Largest accepted.
        high: u32,
    },
    /// The table of what is named holds no more than that many.
    TooMany(&'static str, usize),
    /// This box has no such feature.
    Unsupported(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ERROR: ")?;
        match self {
            Self::Invalid { .. } => f.write_str("% Invalid input"),
            Self::Missing(Thing::Object | Thing::Group, name) => {
                write!(f, "{name} doesn't match an existing object or object-group")
            }
            Self::Missing(Thing::AccessList, name) => {
                write!(f, "access-list <{name}> does not exist")
            }
            Self::Missing(thing, name) => write!(f, "{} {name} does not exist", thing.words()),
            Self::NothingToRemove => f.write_str("The line to be removed does not exist"),
            Self::InUse {
                thing: Thing::Object | Thing::Group,
                name,
                by,
            } => {
                write!(
                    f,
                    "Removing object ({name}) not allowed, it is being used by {by}"
                )
            }
            Self::InUse { thing, name, by } => {
                write!(
                    f,
                    "{} {name} cannot be removed, it is being used by {by}",
                    thing.words()
                )
            }
            Self::NameTaken(name) => {
                write!(
                    f,
                    "An object or object-group of another type has the name {name}"
                )
            }
            Self::BadName(name) => write!(f, "{name} cannot be used as a name"),
            Self::GroupLoop(name) => {
                write!(
                    f,
                    "Adding object-group {name} would make the group contain itself"
                )
            }
            Self::WouldBeEmpty(name) => {
                write!(f, "{name} is being used and cannot be left without content")
            }
            Self::NoAddress(name) => write!(f, "{name} does not contain an address"),
            Self::WrongGroupKind(name) => {
                write!(
                    f,
                    "object-group {name} is of a type that cannot be used here"
                )
            }
            Self::BadMask(mask) => write!(f, "{mask} is not a network mask"),
            Self::NotPaired(address, mask) => {
                write!(f, "IP address,mask <{address},{mask}> doesn't pair")
            }
            Self::BadHostAddress(address) => write!(f, "{address} is not a valid host address"),
            Self::BadHostAddress6(address) => {
                write!(f, "{address} is not a valid host address")
            }
            Self::BadRange => f.write_str("The start of the range is above its end"),
            Self::NetworkOverlap { id, other } => write!(
                f,
                "Failed to apply IP address to interface {id}, as the network overlaps with \
                 interface {other}. Two interfaces cannot be in the same subnet."
            ),
            Self::NameifTaken { name, id } => {
                write!(f, "Name \"{name}\" has been assigned to interface {id}")
            }
            Self::VlanTaken { vlan, other } => {
                write!(f, "VLAN {vlan} has been assigned to interface {other}")
            }
            Self::PhysicalInterface => {
                f.write_str("Removal of physical interfaces is not permitted")
            }
            Self::InterfaceInAccessList(list) => {
                write!(
                    f,
                    "access-list {list} names the interface; remove those lines first"
                )
            }
            Self::RouteConflict => {
                f.write_str("Cannot add route entry, conflict with existing routes")
            }
            Self::NextHopIsOurs(address) => {
                write!(
                    f,
                    "Invalid next hop address {address}, it belongs to one of our interfaces"
                )
            }
            Self::EmptyAccessList(name) => write!(f, "access-list <{name}> has no rules"),
            Self::UnmatchableAccessList(name) => write!(
                f,
                "Specified ACL ({name}) either does not exist or its type is not supported by the \
                 match command."
            ),
            Self::LastRule(name) => write!(
                f,
                "access-list {name} is being used and cannot be left without rules"
            ),
            Self::SecondMatch => f.write_str(
                "Multiple match commands are not supported except in a match-any class-map",
            ),
            Self::MatchModeFixed(name) => {
                write!(
                    f,
                    "class-map {name} has match commands and cannot change its match mode"
                )
            }
            Self::ProxyOnDefaultTraffic => {
                f.write_str("A tls-proxy needs a class-map that matches by access-list or port")
            }
            Self::InspectionPresent => f.write_str(
                "Inspect configuration of this type exists, first remove that configuration and \
                 then add the new configuration",
            ),
            Self::WrongInspectMap(name) => {
                write!(f, "policy-map {name} is of a type that cannot be used here")
            }
            Self::PolicyApplied(name) => {
                write!(
                    f,
                    "Policy map {name} is already configured as a service policy"
                )
            }
            Self::MappedIsInterface { address, nameif } => {
                write!(
                    f,
                    "Address {address} overlaps with {nameif} interface address"
                )
            }
            Self::MappedInterfaceUnnamed => {
                f.write_str("Option interface requires a specific mapped interface")
            }
            Self::MappedSubnet(name) => {
                write!(
                    f,
                    "{name} is a subnet and cannot be used as a dynamic mapped address"
                )
            }
            Self::MappedNotHost(name) => write!(f, "{name} must hold ranges or hosts"),
            Self::PoolOptionsDiffer(name) => write!(
                f,
                "PAT pool {name} is used by another rule with other options; all rules of a pool \
                 need the same"
            ),
            Self::PoolTooLarge(name, most) => {
                write!(
                    f,
                    "{name} has more than {most} addresses to be shared by port"
                )
            }
            Self::OnlyIdentity(option) => {
                write!(
                    f,
                    "Option {option} is only allowed for static identity translation"
                )
            }
            Self::BadNatService(name) => write!(
                f,
                "object service {name} needs tcp or udp with exactly one of source and destination, \
                 eq or range"
            ),
            Self::NatServiceMismatch => {
                f.write_str("The two service objects differ in protocol, side or number of ports")
            }
            Self::Combination(first, second) => {
                write!(f, "{first} and {second} cannot be used together")
            }
            Self::OldNat(form) => write!(
                f,
                "This syntax of nat command has been deprecated. Please use \"{form}\""
            ),
            Self::BadPasswordHash => {
                f.write_str("The password is not of the form $sha512$ITERATIONS$SALT$HASH pbkdf2")
            }
            Self::PasswordLength => f.write_str("Password length must be 3 to 127 characters"),
            Self::BadCertificate => {
                f.write_str("The data is not one whole certificate in hexadecimal digits")
            }
            Self::CertificatePresent(serial) => {
                write!(
                    f,
                    "The trustpoint already has the certificate {serial}; remove it first"
                )
            }
            Self::OutOfRange { low, high } => write!(f, "Value must be from {low} to {high}"),
            Self::TooMany(what, limit) => write!(f, "There are already {limit} {what}"),
            Self::Unsupported(what) => write!(f, "{what} is not supported"),
        }
    }
}

/// What to know about an accepted command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// `nameif` gave the interface its level.
    DefaultSecurityLevel {
        /// The new name.
        nameif: String,
        /// The level it gave.
        level: u8,
    },
    /// Lines that named the interface went with its name.
    InterfaceLinesRemoved(String),
    /// The interface named does not exist yet.
    InterfaceNotYetNamed(String),
    /// The line is there already.
    Duplicate(String),
    /// The line is kept and printed, nothing acts on it.
    KeptOnly(&'static str),
    /// Log-in by local users is switched on, and there are none.
    NoUsers,
    /// From now on a break at the console leads to nothing but erasing all.
    RecoveryErasesAll,
    /// The trustpoint has no certificate of its own yet.
    NotEnrolled(String),
    /// The cipher suite is never negotiated.
    LegacyCipher(&'static str),
    /// No named suite can be negotiated, so the box chooses itself.
    OnlyLegacyCiphers,
    /// The version is never negotiated; 1.2 is the oldest.
    LegacyTlsVersion(&'static str),
    /// The clock is set from the hardware calendar; time servers are not asked yet.
    NtpInactive,
    /// The trustpoint's certificates went with it.
    CertificatesRemoved,
    /// The CA certificate went, so the identity certificate cannot be verified.
    CaRemoved,
    /// The inspection is stored but not performed.
    InspectionInactive(&'static str),
    /// A member of the list is an empty object.
    EmptyObject(String),
}

impl Notice {
    /// Whether the notice says that nothing acts on the line.
    #[must_use]
    pub const fn is_ineffective(&self) -> bool {
        matches!(
            self,
            Self::KeptOnly(_)
                | Self::LegacyCipher(_)
                | Self::OnlyLegacyCiphers
                | Self::LegacyTlsVersion(_)
                | Self::NtpInactive
                | Self::InspectionInactive(_)
        )
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DefaultSecurityLevel { nameif, level } => write!(
                f,
                "INFO: Security level for \"{nameif}\" set to {level} by default."
            ),
            Self::InterfaceLinesRemoved(name) => {
                write!(f, "WARNING: Lines that named interface {name} have been removed")
            }
            Self::InterfaceNotYetNamed(name) => {
                write!(f, "WARNING: interface {name} is not configured yet")
            }
            Self::Duplicate(name) => write!(f, "WARNING: <{name}> found duplicate element"),
            Self::NoUsers => f.write_str(
                "WARNING: local database is empty! Use 'username' command to define local users.",
            ),
            Self::RecoveryErasesAll => f.write_str(
                "WARNING: passwords can no longer be removed at the console. If they are lost, the only way \
                 back is to erase\nthe configuration, the keys and the files of this box.",
            ),
            Self::KeptOnly(what) => {
                write!(f, "WARNING: {what} is kept in the configuration but has no effect")
            }
            Self::NotEnrolled(name) => {
                write!(f, "WARNING: Trustpoint {name} is not enrolled; handshakes will fail")
            }
            Self::LegacyCipher(keyword) => {
                write!(f, "WARNING: cipher {keyword} is never negotiated, it is too weak")
            }
            Self::OnlyLegacyCiphers => f.write_str(
                "WARNING: none of these ciphers can be negotiated, the default list is used",
            ),
            Self::LegacyTlsVersion(keyword) => {
                write!(f, "WARNING: {keyword} is never negotiated, the oldest version is tlsv1.2")
            }
            Self::NtpInactive => f.write_str(
                "WARNING: the server is kept but not asked yet, the clock is not disciplined by NTP",
            ),
            Self::CertificatesRemoved => f.write_str(
                "WARNING: Removing an enrolled trustpoint will destroy all certificates received \
                 from the related Certificate Authority.",
            ),
            Self::CaRemoved => f.write_str(
                "WARNING: The CA certificate is disassociated from this trustpoint; its identity \
                 certificate has been removed as well.",
            ),
            Self::InspectionInactive(engine) => {
                write!(f, "WARNING: inspect {engine} is kept in the configuration but has no effect")
            }
            Self::EmptyObject(name) => write!(f, "WARNING: {name} is empty and matches nothing"),
        }
    }
}

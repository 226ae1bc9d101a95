//! Which translations by port end with their connection.

use super::{Action, AddressRange, PortMatch, Subnet, Transport};

/// `xlate per-session {permit|deny} {tcp|udp} SOURCE [PORTS] DESTINATION [PORTS]`. `permit` ends the
/// translation with the connection, `deny` keeps it for `timeout pat-xlate` more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerSessionRule {
    /// What happens to a match.
    pub action: Action,
    /// Protocol.
    pub transport: Transport,
    /// Real source.
    pub source: XlateAddress,
    /// Condition on the source port.
    pub source_port: Option<PortMatch>,
    /// Destination.
    pub destination: XlateAddress,
    /// Condition on the destination port.
    pub destination_port: Option<PortMatch>,
}

/// An address of such a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XlateAddress {
    /// `any4`, also entered as `any`.
    Any4,
    /// `any6`: matches nothing that is translated here.
    Any6,
    /// `host IP` or `NETWORK MASK`.
    Subnet(Subnet),
}

impl XlateAddress {
    /// The IPv4 addresses meant.
    #[must_use]
    pub const fn range(self) -> Option<AddressRange> {
        match self {
            Self::Any4 => Some(AddressRange::EVERYTHING),
            Self::Any6 => None,
            Self::Subnet(subnet) => Some(subnet.range()),
        }
    }
}

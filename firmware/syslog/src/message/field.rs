//! What stands in messages: addresses, protocols, durations and the like, written as ASA does.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

/// Something that can be a field of a message.
pub trait Field: fmt::Display {
    /// How values look, for the document; empty for free text, which is shown by the field's name.
    const SHAPE: &'static str;
}

impl Field for &str {
    const SHAPE: &'static str = "";
}

macro_rules! numbers {
    ($($type:ty),+) => {
        $(impl Field for $type {
            const SHAPE: &'static str = "N";
        })+
    };
}

numbers!(u8, u16, u32, u64);

impl Field for Ipv4Addr {
    const SHAPE: &'static str = "A";
}

impl Field for IpAddr {
    const SHAPE: &'static str = "A";
}

/// An address and a port: `A/P`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// The address.
    pub address: IpAddr,
    /// The port, or the identifier of an ICMP echo.
    pub port: u16,
}

impl Field for HostPort {
    const SHAPE: &'static str = "A/P";
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.port)
    }
}

/// An address and the interface it is behind: `IF:A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host<'a> {
    /// Name of the interface.
    pub interface: &'a str,
    /// The address.
    pub address: IpAddr,
}

impl Field for Host<'_> {
    const SHAPE: &'static str = "IF:A";
}

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.interface, self.address)
    }
}

/// One end of a connection: `IF:A/P`, or `IF:A` where the protocol has no ports. The alternate form
/// is that of message 106100: `IF/A(P)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint<'a> {
    /// Name of the interface.
    pub interface: &'a str,
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: Option<u16>,
}

impl Field for Endpoint<'_> {
    const SHAPE: &'static str = "IF:A/P";
}

impl fmt::Display for Endpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            interface,
            address,
            port,
        } = self;
        if f.alternate() {
            return write!(f, "{interface}/{address}({})", port.unwrap_or(0));
        }
        write!(f, "{interface}:{address}")?;
        match port {
            Some(port) => write!(f, "/{port}"),
            None => Ok(()),
        }
    }
}

/// An IP protocol: `tcp`, `udp`, `icmp`, else `protocol 47`. The alternate form is in capitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocol(pub u8);

impl Field for Protocol {
    const SHAPE: &'static str = "PROTO";
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.0, f.alternate()) {
            (1, false) => "icmp",
            (1, true) => "ICMP",
            (6, false) => "tcp",
            (6, true) => "TCP",
            (17, false) => "udp",
            (17, true) => "UDP",
            (number, _) => return write!(f, "protocol {number}"),
        })
    }
}

/// Flags of a TCP segment: `SYN`, `PSH ACK`. The byte is that of the header (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl Field for TcpFlags {
    const SHAPE: &'static str = "FLAGS";
}

impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG"];
        let mut blank = "";
        for (bit, name) in names.iter().enumerate() {
            if self.0 & (1 << bit) != 0 {
                write!(f, "{blank}{name}")?;
                blank = " ";
            }
        }
        Ok(())
    }
}

/// ICMP type and code behind a denied packet: ` (type N, code N)`; nothing for other protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpDetail(pub Option<(u8, u8)>);

impl Field for IcmpDetail {
    const SHAPE: &'static str = "[ (type N, code N)]";
}

impl fmt::Display for IcmpDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((kind, code)) => write!(f, " (type {kind}, code {code})"),
            None => Ok(()),
        }
    }
}

/// Which rule it was: `[0x8ed66b60, 0xf8852875]`, the hashes of the rule and of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleHashes(pub u32, pub u32);

impl Field for RuleHashes {
    const SHAPE: &'static str = "[0xN, 0xN]";
}

impl fmt::Display for RuleHashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:#x}, {:#x}]", self.0, self.1)
    }
}

/// Which hits a 106100 counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hits {
    /// The first of a flow.
    First,
    /// Those of an interval of so many seconds.
    Interval(u32),
}

impl Field for Hits {
    const SHAPE: &'static str = "{first hit|N-second interval}";
}

impl fmt::Display for Hits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("first hit"),
            Self::Interval(secs) => write!(f, "{secs}-second interval"),
        }
    }
}

/// An Ethernet address: `0050.56aa.0001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac(pub [u8; 6]);

impl Field for Mac {
    const SHAPE: &'static str = "MAC";
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}{b:02x}.{c:02x}{d:02x}.{e:02x}{g:02x}")
    }
}

/// How long something lasted: `0:00:15`, hours unbounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(pub Duration);

impl Field for Elapsed {
    const SHAPE: &'static str = "H:MM:SS";
}

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.as_secs();
        write!(f, "{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
    }
}

/// Which way somebody logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginPath<'a> {
    /// At the serial console.
    Serial,
    /// Over the network.
    Network {
        /// The caller.
        from: HostPort,
        /// The address called.
        to: Host<'a>,
        /// The service called, as `ssh`.
        service: &'a str,
    },
}

impl Field for LoginPath<'_> {
    const SHAPE: &'static str = "{serial to console|A/P to IF:A/SERVICE}";
}

impl fmt::Display for LoginPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial => f.write_str("serial to console"),
            Self::Network { from, to, service } => write!(f, "{from} to {to}/{service}"),
        }
    }
}

/// Declares enums whose values are fixed words.
macro_rules! words {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident { $first:ident = $first_word:literal $(, $rest:ident = $word:literal)* $(,)? }
    )+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            #[expect(missing_docs, reason = "the variants are named after their words")]
            pub enum $name { $first $(, $rest)* }

            impl Field for $name {
                const SHAPE: &'static str = concat!("{", $first_word $(, "|", $word)*, "}");
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(match self {
                        Self::$first => $first_word,
                        $(Self::$rest => $word,)*
                    })
                }
            }
        )+
    };
}

words! {
    /// `inbound` when opened from the side of the lower security level.
    Direction { Inbound = "inbound", Outbound = "outbound" }
    /// How something ended.
    Outcome { Ok = "OK", Failed = "FAILED" }
    /// What an access list says of a flow.
    Verdict { Permitted = "permitted", Denied = "denied", Established = "est-allowed" }
    /// Whether a translation is configured or made on demand.
    TranslationKind { Dynamic = "dynamic", Static = "static" }
    /// Which kind of translation failed.
    TranslationFailure {
        OutboundStatic = "outbound static",
        Identity = "identity",
        Portmap = "portmap",
        Regular = "regular",
    }
    /// What becomes of new connections.
    Permission { Permitted = "permitted", Denied = "denied" }
    /// Kinds of ARP packets.
    ArpKind { Request = "request", Response = "response" }
    /// What the other end of a TLS session is.
    TlsPeer { Client = "client", Server = "server" }
    /// Why a TCP connection ended.
    Teardown {
        ConnTimeout = "Conn-timeout",
        DenyTerminate = "Deny Terminate",
        FinTimeout = "FIN Timeout",
        ClosedByInspection = "Flow closed by inspection",
        Loopback = "Flow is a loopback",
        IdleTimeout = "Idle Timeout",
        InvalidSyn = "Invalid SYN",
        NoAdjacency = "No valid adjacency",
        PinholeTimeout = "Pinhole Timeout",
        RouteChange = "Route change",
        SynControl = "SYN Control",
        SynTimeout = "SYN Timeout",
        BadRetransmission = "TCP bad retransmission",
        Fins = "TCP FINs",
        TcpInvalidSyn = "TCP Invalid SYN",
        ResetAppliance = "TCP Reset-APPLIANCE",
        ResetInside = "TCP Reset-I",
        ResetOutside = "TCP Reset-O",
        PartialOverlap = "TCP segment partial overlap",
        WindowVariation = "TCP unexpected window size variation",
        Unknown = "Unknown",
        XlateClear = "Xlate Clear",
    }
    /// How a certificate chain passed.
    ChainWarning { None = "", Some = " with warning" }
    /// Kinds of certificates of a trustpoint.
    CertificateKind { Ca = "CA", Identity = "ID" }
}

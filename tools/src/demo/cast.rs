//! The two companies of the demonstration: who is where, and with which certificates.
//!
//! ```text
//!  Example (inside)                     box                        Example Net, Example Org (outside)
//!  imp1 10.20.0.11  ─┐  Gi0/1 10.20.0.1   Gi0/0 203.0.113.2  ┌─ 203.0.113.1 router
//!  imp2 10.20.0.12  ─┴──────────────────────────────────────┴─── 198.51.100.20 edge, SIP
//!                        public address 203.0.113.10             198.51.100.30 XMPP server
//! ```

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::Result;

use crate::network::{Host, Segment};
use crate::peers::certificates::{Authority, Identity};

/// First IM&P node of the inside company.
pub const NODE_1: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 11);
/// Its second node.
pub const NODE_2: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 12);
/// The box's inside address.
pub const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 20, 0, 1);
/// The address under which the inside company is published.
pub const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
/// The outside router.
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// SIP edge of the outside company.
pub const EDGE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);
/// XMPP server of the second outside company.
pub const XMPP: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 30);

/// Name of the inside company as the world knows it.
pub const PUBLIC_NAME: &str = "imp-public.example.com";
/// Name of the SIP edge.
pub const EDGE_NAME: &str = "edge.example.net";

/// Where the first node listens for SIP over TLS.
pub const NODE_SIP: SocketAddrV4 = SocketAddrV4::new(NODE_1, 5062);
/// Where the world reaches it.
pub const PUBLIC_SIP: SocketAddrV4 = SocketAddrV4::new(PUBLIC, 5061);
/// Where the edge listens.
pub const EDGE_SIP: SocketAddrV4 = SocketAddrV4::new(EDGE, 5061);

/// Networks, hosts and certificates of everybody but the box.
pub struct Cast {
    /// The outside network, GigabitEthernet0/0.
    pub outside: Segment,
    /// The inside network, GigabitEthernet0/1.
    pub inside: Segment,
    /// First inside node.
    pub node_1: Host,
    /// Second inside node.
    pub node_2: Host,
    /// Router, edge and XMPP server in one host.
    pub world: Host,
    /// The authority whose certificates the world trusts; signs the box's request.
    pub public_authority: Authority,
    /// The outside company's own authority.
    pub edge_authority: Authority,
    /// Certificates of the XMPP servers, whose TLS is end to end.
    pub xmpp_authority: Authority,
    /// The first node's self-signed certificate.
    pub node_identity: Identity,
    /// The edge's certificate.
    pub edge_identity: Identity,
}

impl Cast {
    /// Sets everything up but the servers. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When certificates cannot be made.
    pub fn new() -> Result<Self> {
        let (outside, inside) = (Segment::new(), Segment::new());
        let edge_authority = Authority::new("Example Net", "Example Net Root CA")?;
        Ok(Self {
            node_1: Host::new(&inside, &[(NODE_1, 24)], Some(INSIDE)),
            node_2: Host::new(&inside, &[(NODE_2, 24)], Some(INSIDE)),
            world: Host::new(&outside, &[(ROUTER, 28), (EDGE, 32), (XMPP, 32)], None),
            outside,
            inside,
            public_authority: Authority::new("Example Trust", "Example Public Root CA")?,
            xmpp_authority: Authority::new("Example Trust", "Example XMPP Root CA")?,
            node_identity: Identity::self_signed(
                "Example",
                "imp1.example.com",
                &["imp1.example.com"],
            )?,
            edge_identity: edge_authority.issue("Example Net", EDGE_NAME, &[EDGE_NAME])?,
            edge_authority,
        })
    }
}

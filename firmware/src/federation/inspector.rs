//! What the NAT rules make of an address inside a SIP message.

use alloc::collections::BTreeMap;
use core::net::Ipv4Addr;

use dataplane::{DataPlane, FlowId};
use tls_proxy::{Direction, Inspector};

use super::Session;

/// Answers from the session's own endpoints first, then from the static rules.
pub(super) struct NatInspector<'a> {
    pub(super) dataplane: &'a DataPlane,
    pub(super) sessions: &'a BTreeMap<FlowId, Session>,
}

impl Inspector for NatInspector<'_> {
    /// A message leaves the side it came from for the other one. Addresses of nodes on the side it
    /// leaves are written as the other side sees them; addresses by which the side it leaves knows
    /// nodes of the other side are written as they really are.
    fn map(
        &self,
        flow: u64,
        direction: Direction,
        transport: sip::Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        let session = self.sessions.get(&FlowId::from_bits(flow))?;
        let (from, to, leaves, enters) = match direction {
            Direction::ToTarget => (
                session.ingress,
                session.egress,
                session.originator,
                session.target,
            ),
            Direction::ToOriginator => (
                session.egress,
                session.ingress,
                session.target,
                session.originator,
            ),
        };
        if let Some(port) = port {
            let known = [(leaves.remote, enters.local), (leaves.local, enters.remote)];
            let own = known.into_iter().find(|(seen, _)| *seen == (address, port));
            if let Some((_, (address, port))) = own {
                return Some((address, Some(port)));
            }
        }
        let transport = match transport {
            sip::Transport::Udp => dataplane::Transport::Udp,
            _ => dataplane::Transport::Tcp,
        };
        self.dataplane
            .translate_endpoint(from, to, transport, address, port)
            .or_else(|| {
                self.dataplane
                    .untranslate_endpoint(to, from, transport, address, port)
            })
    }
}

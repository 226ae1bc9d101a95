//! IPv6 frames in: to a flow by the names of their addresses, or the long way.

use core::net::Ipv6Addr;

use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

use super::wire::{ECHO_REQUEST, Headers6};
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::Direction;
use crate::input::{Arrival, Dropped, Outcome, Verdict};
use crate::policy::PortId;
use crate::view::LocalPacket;
use crate::wire::{ETHERNET_LEN, ETHERTYPE_IPV6, ICMP_ECHO_REQUEST, Layer4};

impl DataPlane {
    /// What an IPv6 frame is. `is_group`: it was sent to a group of stations.
    ///
    /// # Errors
    /// The reason to drop it.
    pub(crate) fn classify6(
        &self,
        port: PortId,
        bytes: &[u8],
        frame_len: usize,
        is_group: bool,
    ) -> Result<Arrival, DropReason> {
        if self.policy.v6.interface(port).is_none() {
            return Err(DropReason::UnsupportedIpVersion);
        }
        let headers = Headers6::parse(bytes, ETHERNET_LEN, frame_len)?;
        if is_group != headers.destination.is_multicast() {
            // RFC 2464 §7: groups, and only they, are sent to Ethernet groups.
            return Err(DropReason::L2Acl);
        }
        let may_have_flow = !matches!(
            headers.layer4,
            Layer4::IcmpError { .. } | Layer4::IcmpOther { .. }
        );
        let names = (
            self.v6.names.find(headers.source),
            self.v6.names.find(headers.destination),
        );
        match names {
            (Some(source), Some(destination)) if may_have_flow => {
                let headers = headers.named(source, destination);
                let hash = self.flows.hash(port, headers.protocol, &headers.tuple);
                Ok(Arrival::Ip { headers, hash })
            }
            _ => Ok(Arrival::Ip6),
        }
    }

    /// A packet that belongs to no flow.
    pub(crate) fn handle_ip6(
        &mut self,
        port: PortId,
        frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let headers = match Headers6::parse(frame.bytes(), ETHERNET_LEN, frame.frame_len()) {
            Ok(headers) => headers,
            Err(reason) => return Err(Dropped::new(reason, frame)),
        };
        match headers.layer4 {
            Layer4::IcmpOther { kind } if super::nd::is_discovery(kind) => {
                self.handle_discovery(port, &headers, frame, pool, now)
            }
            Layer4::IcmpError { .. } => self.handle_icmp6_error(port, &headers, frame, pool, now),
            _ => self.handle_miss6(port, &headers, frame, pool, now),
        }
    }

    /// Packets for the box itself: answers echo, hands up what somebody may wait for.
    pub(super) fn handle_local6(
        &mut self,
        port: PortId,
        headers: &Headers6,
        frame: PacketBuf,
    ) -> Outcome {
        match headers.layer4 {
            Layer4::IcmpEcho {
                kind: ICMP_ECHO_REQUEST,
            } if self.may_icmp6(port, headers.source, ECHO_REQUEST) => {
                self.answer_echo6(port, headers, frame)
            }
            Layer4::IcmpEcho {
                kind: ICMP_ECHO_REQUEST,
            } => Err(Dropped::new(DropReason::AclDrop, frame)),
            Layer4::IcmpEcho { .. } => self.hand_up6(port, headers, frame),
            _ => Err(Dropped::new(DropReason::NpSocketClosed, frame)),
        }
    }

    /// Queues a packet for the box itself, from its IPv6 header on.
    pub(super) fn hand_up6(
        &mut self,
        port: PortId,
        headers: &Headers6,
        mut frame: PacketBuf,
    ) -> Outcome {
        if self.locals.len() >= usize::from(self.limits.handoff_queue) {
            return Err(Dropped::new(DropReason::DispatchQueueLimit, frame));
        }
        crate::offload::complete(&mut frame);
        frame.trim_front(usize::from(headers.ip));
        if !frame.is_chained() {
            frame.truncate(usize::from(headers.total_len));
        }
        self.locals.push_back(LocalPacket {
            port,
            packet: frame,
        });
        Ok(Verdict::Local)
    }

    /// Sends a frame of an IPv6 flow to the next hop of `direction`.
    pub(crate) fn send_along6(
        &mut self,
        index: u32,
        direction: Direction,
        frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let Some(flow) = self.flows.get(index) else {
            return Err(Dropped::new(DropReason::FlowBeingFreed, frame));
        };
        let (id, egress) = (flow.next_hops[direction.index()], flow.egress(direction));
        if let Some(neighbor) = self
            .v6
            .neighbors
            .get(id)
            .filter(|neighbor| neighbor.is_known())
        {
            let mac = neighbor.mac;
            return self.enqueue(egress, mac, ETHERTYPE_IPV6, frame);
        }
        let destination = flow.leaving(direction).destination;
        let hop = self
            .v6
            .names
            .address(destination)
            .and_then(|address| self.v6.routes.lookup(address, Some(egress)));
        let Some(hop) = hop else {
            return Err(Dropped::new(DropReason::NoRoute, frame));
        };
        match self.want(egress, hop.address, pool, now) {
            Some(id) => {
                if let Some(flow) = self.flows.get_mut(index) {
                    flow.next_hops[direction.index()] = id;
                }
                self.send_to::<Ipv6Addr>(id, egress, frame, pool)
            }
            None => Err(Dropped::new(DropReason::NoAdjacency, frame)),
        }
    }
}

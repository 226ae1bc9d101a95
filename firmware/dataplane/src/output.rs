//! Packets out: next hop, Ethernet header, transmit queue; and packets of the box itself.

use core::net::Ipv4Addr;

use hal::nic::MacAddr;
use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::Direction;
use crate::fragment::pieces;
use crate::input::{Dropped, Outcome, Verdict};
use crate::neighbor::NeighborId;
use crate::policy::PortId;
use crate::v6;
use crate::wire::checksum;
use crate::wire::{
    ETHERNET_LEN, ETHERTYPE_IPV4, ETHERTYPE_IPV6, IP_CHECKSUM, IP_DESTINATION, IP_SOURCE,
    IP_TOTAL_LEN, IPV4_LEN, address, be16, put,
};

/// Bytes of the shortest Ethernet frame, without its check sequence: IEEE 802.3 §4.2.3.3.
const FRAME_MIN: usize = 60;
/// Bytes of ARP for IPv4 over Ethernet, RFC 826.
const ARP_LEN: usize = 28;

/// Cuts off what a frame carries behind its packet, and fills a short one up with zeros: what others
/// or this box had in memory before does not leave as padding.
#[inline]
pub(crate) fn pad(frame: &mut PacketBuf, ethertype: u16) {
    if frame.is_chained() {
        return;
    }
    let field = |at| be16(frame.bytes(), ETHERNET_LEN + at).map_or(0, usize::from);
    let packet_len = match ethertype {
        ETHERTYPE_IPV4 => field(IP_TOTAL_LEN),
        ETHERTYPE_IPV6 => v6::HEADER_LEN + field(v6::PAYLOAD_LEN),
        _ => ARP_LEN,
    };
    frame.truncate(ETHERNET_LEN + packet_len);
    if let Some(missing) = FRAME_MIN.checked_sub(frame.len()) {
        // A buffer is longer than that.
        let _ = frame.extend([0; FRAME_MIN].get(..missing).unwrap_or_default());
    }
}

/// Writes the Ethernet header into the first 14 bytes of `frame`.
#[inline(always)]
pub(crate) fn put_ethernet(
    frame: &mut PacketBuf,
    destination: MacAddr,
    source: MacAddr,
    ethertype: u16,
) {
    if let Some(header) = frame.bytes_mut().first_chunk_mut::<ETHERNET_LEN>() {
        header[..6].copy_from_slice(&destination.0);
        header[6..12].copy_from_slice(&source.0);
        header[12..].copy_from_slice(&ethertype.to_be_bytes());
    }
}

impl DataPlane {
    /// Sends a frame of a flow (its first 14 bytes are room for the Ethernet header) to the next
    /// hop of `direction`.
    pub(crate) fn send_along(
        &mut self,
        index: u32,
        direction: Direction,
        frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let epoch = self.epoch;
        let Some(flow) = self.flows.get_mut(index) else {
            return Err(Dropped::new(DropReason::FlowBeingFreed, frame));
        };
        if flow.epoch != epoch {
            // Routes may have changed: look the next hops up again.
            flow.epoch = epoch;
            flow.next_hops = [NeighborId::NONE; 2];
        }
        if v6::is_name(flow.arriving(direction).source) {
            return self.send_along6(index, direction, frame, pool, now);
        }
        let id = flow.next_hops[direction.index()];
        let egress = flow.egress(direction);
        if let Some(neighbor) = self
            .neighbors
            .get(id)
            .filter(|neighbor| neighbor.is_known())
        {
            let mac = neighbor.mac;
            return self.enqueue(egress, mac, ETHERTYPE_IPV4, frame);
        }
        // The flow keeps its egress; only the next hop there is a matter of routes.
        let destination = flow.leaving(direction).destination;
        let Some(hop) = self.routes.lookup(destination, Some(egress)) else {
            return Err(Dropped::new(DropReason::NoRoute, frame));
        };
        match self.want(egress, hop.address, pool, now) {
            Some(id) => {
                if let Some(flow) = self.flows.get_mut(index) {
                    flow.next_hops[direction.index()] = id;
                }
                self.send_to::<Ipv4Addr>(id, egress, frame, pool)
            }
            None => Err(Dropped::new(DropReason::NoAdjacency, frame)),
        }
    }

    /// Drops a packet that had been waiting.
    pub(crate) fn give_up_waiting(&mut self, packet: PacketBuf, pool: &mut PacketPool) {
        self.verdicts.waiting = self.verdicts.waiting.saturating_sub(1);
        // It is not of the batch being handled.
        let batch = self.captures.end_batch();
        // The reason is counted; nobody waits for it here.
        let _ = self.settle(Err(Dropped::new(DropReason::NoAdjacency, packet)), pool);
        self.captures.resume_batch(batch);
    }

    /// Writes the Ethernet header into the first 14 bytes of `frame` and queues it on port `id`.
    #[inline]
    pub(crate) fn enqueue(
        &mut self,
        id: PortId,
        destination: MacAddr,
        ethertype: u16,
        mut frame: PacketBuf,
    ) -> Outcome {
        if frame.is_chained() && pieces::is_in_pieces(&frame) {
            return self.enqueue_pieces(id, destination, frame);
        }
        let limit = usize::from(self.limits.transmit_queue);
        let Some(port) = self.ports.get_mut(id.index()).filter(|port| port.is_open()) else {
            return Err(Dropped::new(DropReason::InterfaceDown, frame));
        };
        if let Some(tag) = port.tag {
            return self.enqueue_tagged(id, tag, destination, ethertype, frame);
        }
        if port.transmit.len() >= limit {
            port.counters.transmit_overflow += 1;
            return Err(Dropped::new(DropReason::DispatchQueueLimit, frame));
        }
        put_ethernet(&mut frame, destination, port.mac, ethertype);
        pad(&mut frame, ethertype);
        let len = if frame.is_chained() {
            frame.frame_len()
        } else {
            frame.len()
        };
        port.counters.packets_out += 1;
        port.counters.bytes_out += len as u64;
        port.transmit.push_back(frame);
        Ok(Verdict::Sent)
    }

    /// Routes a packet of the box itself (from the IPv4 header on, complete but for a zero source
    /// address, which is filled in with the header checksum; at least 14 bytes of headroom).
    ///
    /// # Errors
    /// The reason it was dropped, already counted.
    pub fn send_local(
        &mut self,
        packet: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Result<(), DropReason> {
        self.verdicts.made += 1;
        let outcome = self.route_local(packet, pool, now);
        self.settle(outcome, pool)
    }

    fn route_local(
        &mut self,
        mut packet: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let bytes = packet.bytes_mut();
        if bytes.first().is_some_and(|first| first >> 4 == 6) {
            return self.route_local6(packet, pool, now);
        }
        let (Some(source), Some(destination)) =
            (address(bytes, IP_SOURCE), address(bytes, IP_DESTINATION))
        else {
            return Err(Dropped::new(DropReason::InvalidIpHeader, packet));
        };
        let Some(hop) = self.routes.lookup(destination, None) else {
            return Err(Dropped::new(DropReason::NoRoute, packet));
        };
        if source.is_unspecified()
            && let Some(interface) = self.interface(hop.port)
        {
            put(bytes, IP_SOURCE, &interface.address.octets());
            put(bytes, IP_CHECKSUM, &[0, 0]);
            let sum = bytes.get(..IPV4_LEN).map_or(0, checksum::sum);
            put(bytes, IP_CHECKSUM, &(!sum).to_be_bytes());
        }
        if !packet.grow_front(ETHERNET_LEN) {
            return Err(Dropped::new(DropReason::InvalidEncap, packet));
        }
        match self.want(hop.port, hop.address, pool, now) {
            Some(id) => self.send_to::<Ipv4Addr>(id, hop.port, packet, pool),
            None => Err(Dropped::new(DropReason::NoAdjacency, packet)),
        }
    }

    /// The port that packets to `destination` leave by, and our address there.
    #[must_use]
    pub fn source_for(&self, destination: Ipv4Addr) -> Option<(PortId, Ipv4Addr)> {
        let port = self.routes.lookup(destination, None)?.port;
        Some((port, self.interface(port)?.address))
    }
}

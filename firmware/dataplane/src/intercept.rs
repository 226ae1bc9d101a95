//! Connections that a TLS proxy holds: packets go up as they came, and come back as they leave.
//!
//! To the data plane such a connection is one translated flow. What arrives on either side belongs
//! to the proxy's own TCP; what the proxy sends leaves along the flow's next hops untouched.

use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::event::FlowEnd;
use crate::flow::{Direction, Flags};
use crate::input::{Dropped, Outcome, Verdict, strip};
use crate::view::{Endpoints, FlowId, Intercepted, Leg, Opening};
use crate::wire::checksum;
use crate::wire::{
    ACK, ETHERNET_LEN, Headers, IP_CHECKSUM, IP_DESTINATION, IP_FRAGMENT, IP_SOURCE, IP_TOTAL_LEN,
    IP_TTL, IPV4_LEN, Layer4, PROTOCOL_TCP, RST, SYN, TCP_CHECKSUM, Tuple, put,
};

/// Bytes of a TCP header without options.
const TCP_LEN: usize = 20;

impl DataPlane {
    /// Queues a packet of an intercepted flow for its proxy.
    pub(crate) fn hand_to_proxy(
        &mut self,
        index: u32,
        direction: Direction,
        headers: &Headers,
        mut frame: PacketBuf,
        now: Instant,
    ) -> Outcome {
        if self.intercepts.len() >= usize::from(self.limits.handoff_queue) {
            self.drop_unopened(index, now);
            return Err(Dropped::new(DropReason::DispatchQueueLimit, frame));
        }
        let id = self.flows.id(index);
        let Some(flow) = self.flows.get(index) else {
            return Err(Dropped::new(DropReason::FlowBeingFreed, frame));
        };
        // Until its first packet has passed, nobody knows the flow.
        let opening = (flow.bytes == 0).then(|| {
            let leg = |leaving: Tuple| Endpoints {
                local: (leaving.source, leaving.source_port),
                remote: (leaving.destination, leaving.destination_port),
            };
            Opening {
                flow: id,
                proxy: flow.proxy,
                originator: leg(flow.leaving(Direction::Reply)),
                target: leg(flow.leaving(Direction::Forward)),
                ingress: flow.ports[0],
                egress: flow.ports[1],
            }
        });
        self.note_intercepted(index, direction, headers, now);
        strip(&mut frame, headers);
        self.intercepts.push_back(match opening {
            Some(opening) => Intercepted::Opening(opening, frame),
            None => {
                let leg = match direction {
                    Direction::Forward => Leg::Originator,
                    Direction::Reply => Leg::Target,
                };
                Intercepted::Packet {
                    flow: id,
                    leg,
                    packet: frame,
                }
            }
        });
        Ok(Verdict::Intercepted)
    }

    /// Forgets a flow that no proxy has been told of: its SYN will come again.
    fn drop_unopened(&mut self, index: u32, now: Instant) {
        if self.flows.get(index).is_some_and(|flow| flow.bytes == 0) {
            self.end_quietly(index, now);
        }
    }

    /// The next thing for a proxy. That a flow has ended comes after its last packet.
    pub fn poll_intercept(&mut self) -> Option<Intercepted> {
        self.intercepts.pop_front().or_else(|| {
            let flow = self.closed.pop_front()?;
            Some(Intercepted::Closed { flow })
        })
    }

    /// Sends a packet of a proxy (from the IPv4 header on, wire addresses, at least 14 bytes of
    /// headroom) on a leg of its flow.
    ///
    /// # Errors
    /// The reason it was dropped, already counted. [`DropReason::InterceptUnexpected`] if the flow
    /// is gone, not intercepted, or not what the packet belongs to.
    pub fn send_intercepted(
        &mut self,
        flow: FlowId,
        leg: Leg,
        packet: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Result<(), DropReason> {
        self.verdicts.made += 1;
        let outcome = self.send_on_leg(flow, leg, packet, pool, now);
        self.settle(outcome, pool)
    }

    fn send_on_leg(
        &mut self,
        id: FlowId,
        leg: Leg,
        mut packet: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let direction = match leg {
            Leg::Originator => Direction::Reply,
            Leg::Target => Direction::Forward,
        };
        let index = self.flows.resolve(id);
        let flow = index.and_then(|index| self.flows.get(index));
        let (Some(index), Some(flow)) = (index, flow) else {
            return Err(Dropped::new(DropReason::InterceptUnexpected, packet));
        };
        let belongs = flow.flags.has(Flags::INTERCEPTED)
            && Headers::parse(packet.bytes(), 0, packet.frame_len()).is_ok_and(|headers| {
                headers.tuple == flow.leaving(direction) && headers.protocol == PROTOCOL_TCP
            });
        if !belongs {
            return Err(Dropped::new(DropReason::InterceptUnexpected, packet));
        }
        if !packet.grow_front(ETHERNET_LEN) {
            return Err(Dropped::new(DropReason::InvalidEncap, packet));
        }
        self.send_along(index, direction, packet, pool, now)
    }

    /// Refuses an [`Opening`]: answers `syn` with a RST, counts `reason`, ends the
    /// flow.
    pub fn refuse_intercept(
        &mut self,
        flow: FlowId,
        syn: PacketBuf,
        reason: DropReason,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        // The SYN itself was counted when it was handed up; the RST is a packet of our own.
        self.drops.count_flow(reason);
        self.verdicts.made += 1;
        let outcome = match make_reset(syn) {
            Ok(reset) => self.send_on_leg(flow, Leg::Originator, reset, pool, now),
            Err(syn) => Err(Dropped::new(DropReason::InterceptUnexpected, syn)),
        };
        // If the RST is lost the caller repeats its SYN.
        let _ = self.settle(outcome, pool);
        self.end_intercept(flow, now);
    }

    /// Ends an intercepted flow with its session. A stale `flow` is ignored.
    pub fn end_intercept(&mut self, flow: FlowId, now: Instant) {
        let index = self.flows.resolve(flow).filter(|&index| {
            self.flows
                .get(index)
                .is_some_and(|flow| flow.flags.has(Flags::INTERCEPTED))
        });
        if let Some(index) = index {
            self.end_quietly(index, now);
        }
    }

    /// Ends a flow whose proxy knows already, or never knew.
    fn end_quietly(&mut self, index: u32, now: Instant) {
        self.remove_flow(index, FlowEnd::Proxy, now);
    }
}

/// Turns a SYN into the RST that refuses it (RFC 9293 §3.10.7.1). Gives anything else back.
fn make_reset(mut syn: PacketBuf) -> Result<PacketBuf, PacketBuf> {
    let Ok(headers) = Headers::parse(syn.bytes(), 0, syn.frame_len()) else {
        return Err(syn);
    };
    let Layer4::Tcp(fields) = headers.layer4 else {
        return Err(syn);
    };
    if !fields.has(SYN) || syn.is_chained() {
        return Err(syn);
    }
    let acknowledgment = fields
        .sequence
        .wrapping_add(headers.payload_len())
        .wrapping_add(1);
    let back = headers.tuple.reversed();
    syn.truncate(IPV4_LEN + TCP_LEN);
    let mut packet = [0; IPV4_LEN + TCP_LEN];
    packet[0] = 0x45;
    put(
        &mut packet,
        IP_TOTAL_LEN,
        &((IPV4_LEN + TCP_LEN) as u16).to_be_bytes(),
    );
    put(
        &mut packet,
        IP_FRAGMENT,
        &crate::wire::IP_DONT_FRAGMENT.to_be_bytes(),
    );
    packet[IP_TTL] = 64;
    packet[crate::wire::IP_PROTOCOL] = PROTOCOL_TCP;
    put(&mut packet, IP_SOURCE, &back.source.octets());
    put(&mut packet, IP_DESTINATION, &back.destination.octets());
    let sum = checksum::sum(packet.get(..IPV4_LEN).unwrap_or_default());
    put(&mut packet, IP_CHECKSUM, &(!sum).to_be_bytes());
    put(&mut packet, IPV4_LEN, &back.source_port.to_be_bytes());
    put(
        &mut packet,
        IPV4_LEN + 2,
        &back.destination_port.to_be_bytes(),
    );
    put(&mut packet, IPV4_LEN + 8, &acknowledgment.to_be_bytes());
    put(
        &mut packet,
        IPV4_LEN + 12,
        &[(TCP_LEN as u8 / 4) << 4, RST | ACK],
    );
    let sum = checksum::add(
        checksum::pseudo_sum(back.source, back.destination, PROTOCOL_TCP, TCP_LEN as u16),
        checksum::sum(packet.get(IPV4_LEN..).unwrap_or_default()),
    );
    put(&mut packet, IPV4_LEN + TCP_CHECKSUM, &(!sum).to_be_bytes());
    put(syn.bytes_mut(), 0, &packet);
    syn.set_offload(hal::packet::Offload::default());
    Ok(syn)
}

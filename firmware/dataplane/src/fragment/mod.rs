//! Virtual reassembly: fragments are judged as the datagram they make, and go on as fragments.
//!
//! ```text
//! fragment → header: may it be one? → table: hold ─ complete → pieces: one chain → the usual way
//!                                      └ overlap, too many, late: dropped, all of them
//!            the usual way: flow or rules by the first fragment → output: a header for every piece
//! ```
//!
//! Nothing of a datagram passes before all of it is there and fits together, so no rule can be
//! evaded by what two receivers would reassemble differently. What an interface may hold, and for
//! how long, is a [`FragmentRule`]; of the packet pool no more than an eighth waits here.
//!
//! Some datagrams go on whole: with `fragment reassembly full` all of them, else those that the box
//! itself or a proxy takes, and those that open a TCP connection. A packet too long for its egress
//! is cut ([`pieces::cut`]) unless it says not to.
//!
//! RFC 791, 815, 1858, 3128, 5722 (whose rule for overlaps is kept for IPv4 too), 6864.

mod header;
pub(crate) mod pieces;
mod table;

use hal::nic::MacAddr;
use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

pub(crate) use header::FragmentHeader;
pub(crate) use table::FragmentTable;
use table::Taken;

use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::event::{Event, EventKind, FragmentFacts};
use crate::flow::{Direction, Flags, NONE};
use crate::input::{Dropped, Outcome, Verdict};
use crate::policy::{FragmentRule, PortId};
use crate::view::FragmentView;
use crate::wheel::tick_of;
use crate::wire::{
    ETHERNET_LEN, ETHERTYPE_IPV4, Headers, ICMP_ECHO_REQUEST, IP_TOTAL_LEN, IPV4_LEN, Layer4, SYN,
    array, be16,
};

/// Of the buffers of the pool, one in so many may hold waiting fragments.
const SHARE: usize = 8;

impl DataPlane {
    /// Takes a fragment: keeps it, or carries the datagram that it completes to its verdict.
    pub(crate) fn handle_fragment(
        &mut self,
        port: PortId,
        mut frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let parsed = FragmentHeader::parse(frame.bytes(), ETHERNET_LEN, frame.frame_len());
        let header = match &parsed {
            Ok(header) => header,
            Err(reason) => return Err(Dropped::new(*reason, frame)),
        };
        // What is refused anyway does not wait first.
        if let Err(reason) = self.check_shuns(&header.tuple) {
            return Err(Dropped::new(reason, frame));
        }
        if let Err(reason) = self.check_source(&header.tuple) {
            return Err(Dropped::new(reason, frame));
        }
        if frame.is_chained() || frame.offload().checksum_partial {
            return Err(Dropped::new(DropReason::FragmentReassemblyFailed, frame));
        }
        pieces::prepare(&mut frame, header);
        let rule = self.fragment_rule(port);
        let share = pool.total() / SHARE;
        match self
            .fragments
            .take(port, header, frame, &rule, share, tick_of(now))
        {
            Taken::Held => Ok(Verdict::Held),
            Taken::Refused(reason, frame, others) => {
                self.tell_fragment(port, header, reason, &rule);
                let mut frame = frame;
                if header.offset != 0 {
                    pieces::uncover(&mut frame);
                }
                if let Some(others) = others {
                    self.drop_held(others, reason, pool);
                }
                Err(Dropped::new(reason, frame))
            }
            Taken::Complete(frame, count) => {
                let others = u64::from(count.saturating_sub(1));
                self.verdicts.held = self.verdicts.held.saturating_sub(others);
                self.verdicts.joined += others;
                let mut outcome = self.handle_datagram(port, &rule, frame, pool, now);
                if let Err(dropped) = &mut outcome {
                    // The reason is that of every fragment; the caller counts the first.
                    self.drop_rest(port, dropped, pool, now);
                }
                outcome
            }
        }
    }

    /// The usual way for a datagram that has come in pieces.
    fn handle_datagram(
        &mut self,
        port: PortId,
        rule: &FragmentRule,
        mut frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let headers = match pieces::parse_chain(&frame) {
            Ok(headers) => headers,
            Err(reason) => return Err(Dropped::new(reason, frame)),
        };
        let is_taken_in = self.is_taken_in(port, &headers);
        if (is_taken_in || rule.is_full)
            && let Err(reason) = pieces::merge(&mut frame, &headers, !is_taken_in, pool)
        {
            return Err(Dropped::new(reason, frame));
        }
        let hash = self.flows.hash(port, headers.protocol, &headers.tuple);
        self.handle_ip(port, &headers, hash, frame, pool, now)
    }

    /// Whether somebody here wants to read the whole datagram. An echo request is answered in the
    /// pieces it came in.
    fn is_taken_in(&self, port: PortId, headers: &Headers) -> bool {
        if let Some((index, _)) = self
            .flows
            .find_tuple(port, headers.protocol, &headers.tuple)
        {
            return self
                .flows
                .get(index)
                .is_some_and(|flow| flow.flags.has(Flags::INTERCEPTED));
        }
        let is_ours = self
            .interface(port)
            .is_some_and(|own| own.address == headers.tuple.destination);
        match headers.layer4 {
            // It may be intercepted; no stack sends one in fragments.
            Layer4::Tcp(fields) if fields.has(SYN) => true,
            Layer4::IcmpError { .. } => true,
            Layer4::IcmpEcho {
                kind: ICMP_ECHO_REQUEST,
            } => false,
            _ => is_ours,
        }
    }

    /// Makes a packet of a flow that is cut, or in pieces, ready to leave.
    ///
    /// Hosts that share an address choose identifications without knowing of each other; in
    /// fragments from that address those would mix (RFC 6864 §5.3), so the box chooses.
    ///
    /// # Errors
    /// The frame, and why it cannot be cut.
    #[cold]
    pub(crate) fn make_pieces(
        &mut self,
        index: u32,
        direction: Direction,
        headers: &Headers,
        cut_to: Option<u16>,
        mut frame: PacketBuf,
        pool: &mut PacketPool,
    ) -> Result<PacketBuf, Dropped> {
        if let Some(mtu) = cut_to {
            match pieces::cut(&mut frame, headers, mtu, pool) {
                Ok(pieces) => pool.free(core::mem::replace(&mut frame, pieces)),
                Err(reason) => return Err(Dropped::new(reason, frame)),
            }
        }
        let is_shared = direction == Direction::Forward
            && self
                .flows
                .get(index)
                .is_some_and(|flow| flow.binding != NONE);
        if is_shared && pieces::is_in_pieces(&frame) {
            self.identification = self.identification.wrapping_add(1);
            pieces::set_identification(&mut frame, self.identification);
        }
        Ok(frame)
    }

    /// Queues a datagram in pieces: each as a frame of its own, all or none.
    #[cold]
    pub(crate) fn enqueue_pieces(
        &mut self,
        port: PortId,
        destination: MacAddr,
        mut first: PacketBuf,
    ) -> Outcome {
        let count = first.segments().count();
        let has_room = self.has_room(port, count);
        let header: Option<[u8; IPV4_LEN]> = array(first.bytes(), ETHERNET_LEN);
        let (true, Some(header)) = (has_room, header) else {
            if let Some(port) = self.ports.get_mut(port.index()) {
                port.counters.transmit_overflow += 1;
            }
            return Err(Dropped::new(DropReason::DispatchQueueLimit, first));
        };
        let total_len = be16(&header, IP_TOTAL_LEN).map_or(0, usize::from);
        let mut offset = total_len.saturating_sub(usize::from(header[0] & 0x0f) * 4);
        let mut rest = first.take_rest();
        let mut outcome = self.enqueue(port, destination, ETHERTYPE_IPV4, first);
        while let Some(mut piece) = rest {
            rest = piece.take_rest();
            let len = piece.len();
            pieces::restore_header(&mut piece, &header, offset, rest.is_some());
            offset += len;
            match outcome {
                Ok(_) => {
                    self.verdicts.made += 1;
                    self.verdicts.sent += 1;
                    outcome = self.enqueue(port, destination, ETHERTYPE_IPV4, piece);
                }
                // There is room and the port is open, so this cannot be; nothing is lost by it.
                Err(ref mut dropped) => dropped.frame.append(piece),
            }
        }
        outcome
    }

    /// Drops what has waited too long.
    pub(crate) fn expire_fragments(&mut self, pool: &mut PacketPool, now: Instant) {
        while let Some(pieces) = self.fragments.pop_due(tick_of(now)) {
            self.drop_held(pieces, DropReason::FragmentTimeout, pool);
        }
    }

    /// Drops the further fragments of a datagram that is still in pieces as they came.
    fn drop_rest(
        &mut self,
        port: PortId,
        dropped: &mut Dropped,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        if !pieces::is_in_pieces(&dropped.frame) {
            return;
        }
        // The first fragment alone says too little for that.
        self.explain_to_sender(port, dropped, pool, now);
        let mut rest = dropped.frame.take_rest();
        while let Some(mut piece) = rest {
            rest = piece.take_rest();
            pieces::uncover(&mut piece);
            self.verdicts.joined = self.verdicts.joined.saturating_sub(1);
            if let Some(port) = self.ports.get_mut(port.index()) {
                port.counters.dropped += 1;
            }
            // The reason is counted; nobody waits for it here.
            let _ = self.settle(Err(Dropped::new(dropped.reason, piece)), pool);
        }
    }

    /// Drops fragments that were held, chained.
    fn drop_held(&mut self, chain: PacketBuf, reason: DropReason, pool: &mut PacketPool) {
        let mut next = Some(chain);
        while let Some(mut piece) = next {
            next = piece.take_rest();
            self.verdicts.held = self.verdicts.held.saturating_sub(1);
            // The reason is counted; nobody waits for it here.
            let _ = self.settle(Err(Dropped::new(reason, piece)), pool);
        }
    }

    /// Tells of a fragment that was refused before it was known to be one that can be.
    pub(crate) fn tell_bad_fragment(&mut self, port: PortId, dropped: &Dropped) {
        let kind = EventKind::FragmentRefused;
        if dropped.reason != DropReason::FragmentInvalid || !self.events.wants(kind) {
            return;
        }
        let (bytes, frame_len) = (dropped.frame.bytes(), dropped.frame.frame_len());
        if let Some(header) = FragmentHeader::of_refused(bytes, ETHERNET_LEN, frame_len) {
            let rule = self.fragment_rule(port);
            self.tell_fragment(port, &header, dropped.reason, &rule);
        }
    }

    fn tell_fragment(
        &mut self,
        port: PortId,
        header: &FragmentHeader,
        reason: DropReason,
        rule: &FragmentRule,
    ) {
        let limit = match reason {
            DropReason::FragmentDatabaseLimit => rule.size,
            DropReason::FragmentChainLimit => rule.chain,
            DropReason::FragmentInvalid | DropReason::FragmentOverlap => 0,
            // A repeated fragment is nobody's fault.
            _ => return,
        };
        self.tell(EventKind::FragmentRefused, |_| Event::FragmentRefused {
            reason,
            fragment: FragmentFacts {
                ingress: port,
                source: header.tuple.source,
                destination: header.tuple.destination,
                protocol: header.protocol,
                identification: header.identification,
                offset: header.offset,
                len: header.len,
            },
            limit: u32::from(limit),
        });
    }

    /// What applies to the fragments of a port.
    fn fragment_rule(&self, port: PortId) -> FragmentRule {
        let configured = self.policy.fragments.iter().find(|rule| rule.port == port);
        configured.copied().unwrap_or(FragmentRule::standard(port))
    }

    /// What the fragments of a port have come to.
    #[must_use]
    pub fn fragments(&self, port: PortId) -> FragmentView {
        let counters = self.fragments.port(port);
        FragmentView {
            rule: self.fragment_rule(port),
            queue: counters.held,
            assembled: counters.assembled,
            fail: counters.failed,
            overflow: counters.overflow,
        }
    }

    /// Zeroes the counters of a port's fragments.
    pub fn clear_fragment_counters(&mut self, port: PortId) {
        self.fragments.clear_counters(port);
    }
}

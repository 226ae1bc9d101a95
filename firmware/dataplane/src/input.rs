//! Frames in: a batch is parsed, looked up and carried to its verdicts.
//!
//! The look-ups of a batch are started together: first every header is parsed and hashed, then
//! every bucket is read, then every record. The reads do not depend on each other, so the
//! processor overlaps their cache misses; the packets are then handled one by one, in order, from
//! a warm cache.

use core::hint::black_box;

use hal::packet::{BATCH, Batch, Offload, PacketBuf, PacketPool};
use hal::time::Instant;

use crate::connection::counts::Admission;
use crate::connection::normalize;
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::tcp::Tracked;
use crate::flow::{Direction, Flags, State, sequence};
use crate::fragment::{FragmentHeader, pieces};
use crate::inspect::dns;
use crate::nat::rewrite;
use crate::offload;
use crate::policy::PortId;
use crate::slowpath::{Decision, FIRST, icmp_code};
use crate::tell::{Seen, closing_end};
use crate::v6;
use crate::view::LocalPacket;
use crate::vlan;
use crate::wheel::tick_of;
use crate::wire::{
    self, ETHERNET_LEN, ETHERTYPE_ARP, ETHERTYPE_IPV4, ETHERTYPE_IPV6, Headers, ICMP_ECHO_REPLY,
    ICMP_ECHO_REQUEST, Layer4, SYN, be16,
};

/// TCP options, RFC 9293 §3.2 and RFC 7323 §2.
const OPTION_MSS: u8 = 2;
const OPTION_WINDOW_SCALE: u8 = 3;

/// How a frame's way ended, other than by being dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Queued on a port.
    Sent,
    /// Taken in.
    Consumed,
    /// Handed to a proxy.
    Intercepted,
    /// Handed up.
    Local,
    /// Kept until the next hop answers.
    Waiting,
    /// A fragment, kept until the rest of its datagram has come.
    Held,
}

/// A frame to be dropped, and why.
pub(crate) struct Dropped {
    pub(crate) reason: DropReason,
    pub(crate) frame: PacketBuf,
}

impl Dropped {
    pub(crate) const fn new(reason: DropReason, frame: PacketBuf) -> Self {
        Self { reason, frame }
    }
}

/// Where a frame's way ended.
pub(crate) type Outcome = Result<Verdict, Dropped>;

/// What a frame is.
pub(crate) enum Arrival {
    Ip {
        headers: Headers,
        hash: u64,
    },
    /// IPv6 that can belong to no flow yet. Its headers are read again when its turn comes, so that
    /// those of IPv4 are not carried through the batch in the room they would need; so are those of
    /// fragments.
    Ip6,
    Fragment,
    Arp,
    /// A frame with a VLAN tag.
    Tagged,
    Bad(DropReason),
}

impl DataPlane {
    /// Takes every frame of `frames`, received on the physical port `port`, to its verdict.
    pub fn handle_batch(
        &mut self,
        port: PortId,
        frames: &mut Batch,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        if self.captures.is_active() {
            let rules = (&self.access, &self.policy);
            self.captures.begin_batch(port, frames, rules, now);
        }
        self.handle_frames(port, frames, pool, now);
        if !frames.is_empty() {
            self.handle_tagged(port, frames, pool, now);
        }
        self.captures.end_batch();
    }

    /// Takes every frame of `frames` without a VLAN tag to its verdict, as received on the physical or
    /// logical port `port`. The others stay.
    pub(crate) fn handle_frames(
        &mut self,
        port: PortId,
        frames: &mut Batch,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let mut arrivals: heapless::Vec<Arrival, BATCH> = heapless::Vec::new();
        for frame in frames.iter_mut() {
            // A batch holds no more than its capacity.
            let _ = arrivals.push(self.classify(port, frame));
        }
        self.warm_up(&arrivals);
        for arrival in arrivals {
            let Some(frame) = frames.pop_front() else {
                break;
            };
            if let Arrival::Tagged = arrival {
                // In the room it has left.
                let _ = frames.push_back(frame);
                continue;
            }
            let len = frame.frame_len();
            if let Some(port) = self.ports.get_mut(port.index()) {
                port.counters.packets_in += 1;
                port.counters.bytes_in += len as u64;
            }
            self.verdicts.received += 1;
            let outcome = match arrival {
                Arrival::Ip { headers, hash } => {
                    self.handle_ip(port, &headers, hash, frame, pool, now)
                }
                Arrival::Ip6 => self.handle_ip6(port, frame, pool, now),
                Arrival::Fragment => self.handle_fragment(port, frame, pool, now),
                Arrival::Arp => self.handle_arp(port, frame, pool, now),
                Arrival::Tagged => Err(Dropped::new(DropReason::VlanUnknown, frame)),
                Arrival::Bad(reason) => Err(Dropped::new(reason, frame)),
            };
            if let Err(dropped) = &outcome {
                if let Some(port) = self.ports.get_mut(port.index()) {
                    port.counters.dropped += 1;
                }
                self.tell_bad_fragment(port, dropped);
                self.explain_to_sender(port, dropped, pool, now);
            }
            // The reason is counted; nobody waits for it here.
            let _ = self.settle(outcome, pool);
        }
    }

    /// Starts the reads that the batch will wait for. Only a hint: nothing is decided by it.
    fn warm_up(&self, arrivals: &heapless::Vec<Arrival, BATCH>) {
        let mut references: heapless::Vec<(u32, bool), BATCH> = heapless::Vec::new();
        for arrival in arrivals {
            if let Arrival::Ip { hash, headers } = arrival
                && let Some(reference) = self.flows.touch_bucket(*hash)
            {
                let is_tcp = matches!(headers.layer4, Layer4::Tcp(_));
                let _ = references.push((reference, is_tcp));
            }
        }
        let mut sum = 0u32;
        for &(reference, is_tcp) in &references {
            sum = sum.wrapping_add(self.flows.touch_record(reference, is_tcp));
        }
        black_box(sum);
    }

    /// The one place where a verdict is counted and a dropped frame goes back to the pool.
    pub(crate) fn settle(
        &mut self,
        outcome: Outcome,
        pool: &mut PacketPool,
    ) -> Result<(), DropReason> {
        match outcome {
            Ok(Verdict::Sent) => self.verdicts.sent += 1,
            Ok(Verdict::Consumed) => self.verdicts.consumed += 1,
            Ok(Verdict::Intercepted) => self.verdicts.intercepted += 1,
            Ok(Verdict::Local) => self.verdicts.local += 1,
            Ok(Verdict::Waiting) => self.verdicts.waiting += 1,
            Ok(Verdict::Held) => self.verdicts.held += 1,
            Err(Dropped { reason, frame }) => {
                self.verdicts.dropped += 1;
                self.drops.count_frame(reason);
                if self.captures.sees_drops() {
                    let rules = (&self.access, &self.policy);
                    self.captures.dropped(reason, &frame, rules);
                }
                pool.free(frame);
                return Err(reason);
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn classify(&self, port: PortId, frame: &mut PacketBuf) -> Arrival {
        match self.parse_frame(port, frame) {
            Ok(arrival) => arrival,
            // Whatever was wrong with it: with its tag it was not for this port.
            Err(_) if vlan::is_tagged(frame.bytes()) => Arrival::Tagged,
            Err(reason) => Arrival::Bad(reason),
        }
    }

    /// Layer 2: is the frame whole, ours, and of a protocol we speak.
    #[inline(always)]
    fn parse_frame(&self, port_id: PortId, frame: &mut PacketBuf) -> Result<Arrival, DropReason> {
        let port = self
            .ports
            .get(port_id.index())
            .filter(|port| port.is_open())
            .ok_or(DropReason::InterfaceDown)?;
        let bytes = frame.bytes();
        let header: &[u8; ETHERNET_LEN] = bytes.first_chunk().ok_or(DropReason::InvalidEncap)?;
        let frame_len = if frame.is_chained() {
            frame.frame_len()
        } else {
            bytes.len()
        };
        // A merged frame of segmentation offload is longer than the medium's, not its segments.
        if frame_len > ETHERNET_LEN + usize::from(port.mtu) && frame.offload().segment_size == 0 {
            return Err(DropReason::InvalidEncap);
        }
        let is_group = header[0] & 1 == 1;
        if !is_group && header[..6] != port.mac.0 {
            return Err(DropReason::L2Acl);
        }
        // No station sends from a group address.
        if header[6] & 1 == 1 {
            return Err(DropReason::L2Acl);
        }
        match u16::from_be_bytes([header[12], header[13]]) {
            ETHERTYPE_IPV4 => {
                let headers = match Headers::parse(bytes, ETHERNET_LEN, frame_len) {
                    Err(DropReason::FragmentReassemblyFailed) => {
                        let header = FragmentHeader::parse(bytes, ETHERNET_LEN, frame_len)?;
                        let destination = header.tuple.destination;
                        if is_group && !is_group_address(destination, self.interface(port_id)) {
                            return Err(DropReason::L2Acl);
                        }
                        return Ok(Arrival::Fragment);
                    }
                    headers => headers?,
                };
                if is_group && !is_group_address(headers.tuple.destination, self.interface(port_id))
                {
                    // RFC 1122 §3.3.6: a unicast packet in a broadcast frame is a forgery.
                    return Err(DropReason::L2Acl);
                }
                if !frame.offload().asks_nothing() {
                    offload::admit(frame, &headers, port.mtu)?;
                }
                let hash = self.flows.hash(port_id, headers.protocol, &headers.tuple);
                Ok(Arrival::Ip { headers, hash })
            }
            ETHERTYPE_ARP => {
                // Nothing in it is summed or cut.
                frame.set_offload(Offload::default());
                Ok(Arrival::Arp)
            }
            ETHERTYPE_IPV6 => {
                let arrival = self.classify6(port_id, bytes, frame_len, is_group)?;
                if !frame.offload().asks_nothing() {
                    offload::admit6(frame)?;
                }
                Ok(arrival)
            }
            _ => Err(DropReason::L2Acl),
        }
    }

    pub(crate) fn handle_ip(
        &mut self,
        port: PortId,
        headers: &Headers,
        hash: u64,
        frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        if let Err(reason) = self.check_shuns(&headers.tuple) {
            return Err(Dropped::new(reason, frame));
        }
        if let Layer4::IcmpError { .. } = headers.layer4 {
            let code = icmp_code(frame.bytes(), headers);
            let outcome = self.handle_icmp_error(port, headers, frame, pool, now);
            if let Err(dropped) = &outcome {
                self.tell_icmp_error(port, headers, code, dropped);
            }
            return outcome;
        }
        if let Some((index, direction)) =
            self.flows
                .find(hash, port, headers.protocol, &headers.tuple)
        {
            return self.forward(index, direction, headers, frame, pool, now);
        }
        if v6::is_name(headers.tuple.source) {
            return self.handle_ip6(port, frame, pool, now);
        }
        if self.is_answer_to_us(port, headers) {
            return self.hand_up(port, headers, frame);
        }
        let code = icmp_code(frame.bytes(), headers);
        let mut seen = Seen::default();
        let decision = self.decide(port, headers, code, &mut seen);
        self.count_access_hits(&seen.hits, now);
        self.log_access(port, headers, code, &seen, now);
        let new = match decision {
            Ok(Decision::Open(new)) => new,
            Ok(Decision::Local) => {
                let outcome = self.handle_local(port, headers, frame);
                self.tell_local(port, headers, code, &outcome);
                return outcome;
            }
            Err(DropReason::TcpNotSyn) if self.may_have_cookie(headers, now) => {
                return self.accept_cookie(port, headers, frame, pool, now);
            }
            Err(reason) => {
                self.note_reverse_path(port, reason);
                self.tell_refused(port, headers, code, reason, &seen, now);
                return Err(Dropped::new(reason, frame));
            }
        };
        match self.admit(new.settings, port, headers, new.can_answer(), now) {
            Ok(Admission::Open) => {}
            Ok(Admission::Cookie) => {
                return self.answer_with_cookie(port, headers, new.settings, frame, pool, now);
            }
            Err(reason) => return Err(Dropped::new(reason, frame)),
        }
        let opened = window_scale(frame.bytes(), headers)
            .and_then(|scale| self.open(port, headers, &new, scale, now));
        match opened {
            Ok(index) => {
                self.tell_built(index);
                self.forward(index, FIRST, headers, frame, pool, now)
            }
            Err(reason) => {
                self.tell_refused(port, headers, code, reason, &seen, now);
                Err(Dropped::new(reason, frame))
            }
        }
    }

    /// Applies what was decided for the flow: checks, translation, next hop.
    pub(crate) fn forward(
        &mut self,
        index: u32,
        direction: Direction,
        headers: &Headers,
        mut frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let tcp_mss = self.policy.tcp_mss;
        let Some(flow) = self.flows.get_mut(index) else {
            return Err(Dropped::new(DropReason::FlowBeingFreed, frame));
        };
        if flow.flags.has(Flags::INTERCEPTED) {
            return self.hand_to_proxy(index, direction, headers, frame, now);
        }
        let egress = flow.egress(direction);
        let Some(exit) = self.ports.get(egress.index()).filter(|port| port.is_open()) else {
            return Err(Dropped::new(DropReason::InterfaceDown, frame));
        };
        let mut cut_to = None;
        if headers.total_len > exit.mtu && offload::is_too_long(&frame, headers, exit.mtu) {
            match pieces::must_cut(&frame, headers, exit.mtu) {
                Ok(is_cut) => cut_to = is_cut.then_some(exit.mtu),
                Err(reason) => return Err(Dropped::new(reason, frame)),
            }
        }
        let decrements_ttl = flow.flags.has(Flags::DECREMENTS_TTL);
        if decrements_ttl && headers.ttl <= 1 {
            return Err(Dropped::new(DropReason::TtlExceeded, frame));
        }

        let mut tracked = Tracked::Same;
        let mut mss = None;
        let mut held_ttl = headers.ttl;
        match headers.layer4 {
            Layer4::Tcp(fields) if flow.state != State::Stateless => {
                let Some(map) = self.normalizers.get(usize::from(flow.normalizer)) else {
                    return Err(Dropped::new(DropReason::FlowBeingFreed, frame));
                };
                let tick = tick_of(now);
                match normalize::pass(map, flow, direction, headers, &fields, &mut frame, tick) {
                    Ok(passed) if passed.is_answer => {
                        self.note_answer(index, direction, now);
                        pool.free(frame);
                        return Ok(Verdict::Consumed);
                    }
                    Ok(passed) => (tracked, mss) = (passed.tracked, passed.mss),
                    Err(reason) => return Err(Dropped::new(reason, frame)),
                }
                if let Tracked::Spliced | Tracked::Refused = tracked {
                    let is_accepted = tracked == Tracked::Spliced;
                    return self.finish_handshake(index, is_accepted, frame, pool, now);
                }
                if let Some(ttl) = normalize::held_ttl(map, flow, direction, headers.ttl) {
                    put_ttl(&mut frame, headers, ttl);
                    held_ttl = ttl;
                }
                if flow.has_offsets() {
                    sequence::translate(&mut frame, headers, &fields, flow, direction);
                }
            }
            Layer4::IcmpEcho { kind } => {
                let expected = match direction {
                    Direction::Forward => ICMP_ECHO_REQUEST,
                    Direction::Reply => ICMP_ECHO_REPLY,
                };
                if kind != expected {
                    return Err(Dropped::new(DropReason::IcmpReplyUnasked, frame));
                }
                if direction == Direction::Reply && flow.flags.has(Flags::REPLY_DENIED) {
                    return Err(Dropped::new(DropReason::AclDrop, frame));
                }
            }
            _ => flow.flags.set(Flags::data(direction)),
        }

        if flow.flags.has(Flags::DNS)
            && let Err(reason) = dns::inspect(
                &mut frame,
                headers,
                (flow, direction),
                &self.nat,
                &self.policy.dns,
            )
        {
            return Err(Dropped::new(reason, frame));
        }
        flow.bytes += u64::from(headers.total_len);
        flow.last_used = tick_of(now);
        if flow.flags.has(Flags::TRANSLATED) {
            if v6::is_name(headers.tuple.source) {
                v6::rewrite::translate(&mut frame, headers, flow, direction, &self.v6.names);
            } else {
                rewrite::translate(&mut frame, headers, flow, direction);
            }
        }
        if decrements_ttl {
            put_ttl(&mut frame, headers, held_ttl.saturating_sub(1));
        }
        if let Some(option) = mss
            && tcp_mss != 0
        {
            rewrite::clamp_mss(&mut frame, headers, option, tcp_mss);
        }
        if cut_to.is_some() || frame.is_chained() {
            frame = self.make_pieces(index, direction, headers, cut_to, frame, pool)?;
        }
        let outcome = self.send_along(index, direction, frame, pool, now);
        match tracked {
            Tracked::Same | Tracked::Spliced | Tracked::Refused => {}
            Tracked::TimeoutChanged => {
                self.count_established(index);
                self.reset_timer(index);
            }
            Tracked::Closed => {
                let flags = self
                    .flows
                    .get(index)
                    .map_or(Flags::default(), |flow| flow.flags);
                self.end_flow(index, closing_end(flags, headers, direction), now);
            }
        }
        outcome
    }

    /// Packets for the box itself: answers echo, hands up what somebody may wait for.
    fn handle_local(&mut self, port: PortId, headers: &Headers, frame: PacketBuf) -> Outcome {
        match headers.layer4 {
            Layer4::IcmpEcho {
                kind: ICMP_ECHO_REQUEST,
            } => self.answer_echo(port, headers, frame),
            Layer4::IcmpEcho { .. } => self.hand_up(port, headers, frame),
            Layer4::Tcp(_) | Layer4::Udp => {
                let is_served = self.policy.local_services.iter().any(|service| {
                    service.transport.protocol() == headers.protocol
                        && service.first <= headers.tuple.destination_port
                        && headers.tuple.destination_port <= service.last
                });
                if is_served {
                    self.hand_up(port, headers, frame)
                } else {
                    Err(Dropped::new(DropReason::NpSocketClosed, frame))
                }
            }
            _ => Err(Dropped::new(DropReason::NpSocketClosed, frame)),
        }
    }

    /// Queues a packet for the box itself.
    pub(crate) fn hand_up(
        &mut self,
        port: PortId,
        headers: &Headers,
        mut frame: PacketBuf,
    ) -> Outcome {
        if self.locals.len() >= usize::from(self.limits.handoff_queue) {
            return Err(Dropped::new(DropReason::DispatchQueueLimit, frame));
        }
        offload::complete(&mut frame);
        strip(&mut frame, headers);
        self.locals.push_back(LocalPacket {
            port,
            packet: frame,
        });
        Ok(Verdict::Local)
    }

    /// The next packet for the box itself: echo replies, ICMP errors, and packets to
    /// [`local_services`](crate::Policy::local_services).
    pub fn poll_local(&mut self) -> Option<LocalPacket> {
        self.locals.pop_front()
    }

    /// Notes a packet that a proxy takes, in its flow.
    pub(crate) fn note_intercepted(
        &mut self,
        index: u32,
        direction: Direction,
        headers: &Headers,
        now: Instant,
    ) {
        if let Some(flow) = self.flows.get_mut(index) {
            flow.bytes += u64::from(headers.total_len);
            flow.last_used = tick_of(now);
            if headers.payload_len() > 0 {
                flow.flags.set(Flags::data(direction));
            }
            if let Layer4::Tcp(fields) = headers.layer4
                && !fields.has(SYN)
                && flow.state == State::SynSent
            {
                flow.state = State::Established;
            }
            self.count_established(index);
        }
    }
}

/// Gives a packet of either family another TTL.
#[inline]
fn put_ttl(frame: &mut PacketBuf, headers: &Headers, ttl: u8) {
    if v6::is_name(headers.tuple.source) {
        v6::rewrite::put_hop_limit(frame, headers, ttl);
    } else {
        rewrite::set_ttl(frame, headers, ttl);
    }
}

/// Leaves of a frame what is the IPv4 packet: no link header, no padding.
pub(crate) fn strip(frame: &mut PacketBuf, headers: &Headers) {
    frame.trim_front(usize::from(headers.ip));
    if !frame.is_chained() {
        frame.truncate(usize::from(headers.total_len));
    }
}

/// Whether `address` may stand in a frame to a group.
fn is_group_address(
    address: core::net::Ipv4Addr,
    interface: Option<&crate::policy::Interface>,
) -> bool {
    address.is_multicast()
        || address.is_broadcast()
        || interface.is_some_and(|interface| interface.network().last == address)
}

/// The window scale of a SYN.
pub(crate) fn window_scale(bytes: &[u8], headers: &Headers) -> Result<Option<u8>, DropReason> {
    Ok(syn_options(bytes, headers)?.0)
}

/// Window scale, and the offset of the MSS, of a TCP header.
pub(crate) fn syn_options(
    bytes: &[u8],
    headers: &Headers,
) -> Result<(Option<u8>, Option<usize>), DropReason> {
    let Layer4::Tcp(fields) = headers.layer4 else {
        return Ok((None, None));
    };
    let transport = usize::from(headers.transport);
    let option = |kind| wire::tcp_option(bytes, transport, fields.header_len, kind);
    let scale = match option(OPTION_WINDOW_SCALE)? {
        Some((at, 1)) => bytes.get(at).copied(),
        Some(_) => return Err(DropReason::TcpBadOptionList),
        None => None,
    };
    let mss = match option(OPTION_MSS)? {
        Some((at, 2)) if be16(bytes, at).is_some() => Some(at),
        Some(_) => return Err(DropReason::TcpBadOptionList),
        None => None,
    };
    Ok((scale, mss))
}

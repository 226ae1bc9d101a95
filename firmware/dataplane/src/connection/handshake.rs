//! TCP intercept: while a class has too many half-open connections, the box answers SYNs itself.
//!
//! ```text
//! client            box             server
//!   │──── SYN ───────▶│                │    the limit is reached
//!   │◀── SYN-ACK ─────│                │    a cookie, window 0; nothing is stored
//!   │──── ACK ───────▶│──── SYN ──────▶│    the cookie is right: a flow, Spliced
//!   │                 │◀── SYN-ACK ────│    the difference of both numbers is kept
//!   │◀── ACK ─────────│──── ACK ──────▶│    the window opens; from here on an ordinary flow
//! ```
//!
//! The closed window keeps the client from sending before the server is there, so nothing has to
//! be queued. If the acknowledgment that opens it is lost, the client's window probe, answered by
//! the server, does the same.

use hal::nic::MacAddr;
use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::event::FlowEnd;
use crate::flow::{Direction, Flags, State};
use crate::input::{Dropped, Outcome, Verdict, syn_options};
use crate::policy::PortId;
use crate::slowpath::{Decision, Hits};
use crate::wheel::{Tick, tick_of};
use crate::wire::{ACK, ETHERTYPE_IPV4, Headers, Layer4, SYN, TcpFields, array, be16};

use super::segment::Segment;
use super::settings::FlowSettings;

/// What a SYN without the option allows, RFC 9293 §3.7.1.
const SEGMENT_SIZE_DEFAULT: u16 = 536;
/// Time until the SYN to the server is repeated first; it doubles.
const RETRY_TICKS: Tick = 10;
/// How long after the last cookie acknowledgments are looked at, in seconds.
const COOKIE_LIFE_SECS: u64 = 128;

impl DataPlane {
    /// Turns a SYN into its answer, with a cookie, back to the station it came from.
    pub(crate) fn answer_with_cookie(
        &mut self,
        port: PortId,
        headers: &Headers,
        settings: FlowSettings,
        mut frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let Layer4::Tcp(fields) = headers.layer4 else {
            return Err(Dropped::new(DropReason::TcpNotSyn, frame));
        };
        let announced = match syn_options(frame.bytes(), headers) {
            Ok((_, mss)) => mss.and_then(|at| be16(frame.bytes(), at)),
            Err(reason) => return Err(Dropped::new(reason, frame)),
        };
        let Some(station) = array(frame.bytes(), 6).map(MacAddr) else {
            return Err(Dropped::new(DropReason::InvalidEncap, frame));
        };
        let mtu = self.interface(port).map_or(0, |interface| interface.mtu);
        let (cookie, _) = self.cookies.make(
            &headers.tuple,
            fields.sequence,
            announced.unwrap_or(SEGMENT_SIZE_DEFAULT),
            now,
        );
        let own_size = match self.policy.tcp_mss {
            0 => mtu.saturating_sub(40),
            most => most.min(mtu.saturating_sub(40)),
        };
        let answer = Segment::plain(cookie, fields.sequence.wrapping_add(1), SYN | ACK, 0)
            .announcing(own_size);
        if let Some(rest) = frame.take_rest() {
            pool.free(rest);
        }
        if !answer.write(&headers.tuple.reversed(), &mut frame) {
            return Err(Dropped::new(DropReason::InvalidEncap, frame));
        }
        self.cookies_until = now + core::time::Duration::from_secs(COOKIE_LIFE_SECS);
        if let Some(counts) = self.classes.count_mut(settings.class) {
            counts.answered += 1;
        }
        self.opened.answered += 1;
        self.enqueue(port, station, ETHERTYPE_IPV4, frame)
    }

    /// Whether a segment of no flow may acknowledge a cookie.
    pub(crate) fn may_have_cookie(&self, headers: &Headers, now: Instant) -> bool {
        now <= self.cookies_until && matches!(headers.layer4, Layer4::Tcp(fields) if fields.is(ACK))
    }

    /// Takes a segment of no flow: if it acknowledges a cookie, the connection is opened as if its
    /// SYN came now, and the server is asked.
    pub(crate) fn accept_cookie(
        &mut self,
        port: PortId,
        headers: &Headers,
        mut frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let Layer4::Tcp(fields) = headers.layer4 else {
            return Err(Dropped::new(DropReason::TcpNotSyn, frame));
        };
        let cookie = fields.acknowledgment.wrapping_sub(1);
        // A probe of the closed window comes with the number before: RFC 9293 §3.8.4.
        let known = [fields.sequence.wrapping_sub(1), fields.sequence]
            .into_iter()
            .find_map(|sequence| {
                let size = self.cookies.check(&headers.tuple, sequence, cookie, now)?;
                Some((sequence, size))
            });
        let Some((sequence, segment_size)) = known else {
            return Err(Dropped::new(DropReason::InterceptUnexpected, frame));
        };
        let syn = Headers {
            layer4: Layer4::Tcp(TcpFields {
                sequence,
                acknowledgment: 0,
                flags: SYN,
                window: fields.window,
                header_len: 20,
            }),
            // Without what it carried.
            total_len: headers.transport - headers.ip + 20,
            ..*headers
        };
        let mut hits = Hits::default();
        let decision = self.decide(port, &syn, 0, &mut hits);
        self.count_access_hits(&hits, now);
        let new = match decision {
            Ok(Decision::Open(new)) => new,
            Ok(Decision::Local) => return Err(Dropped::new(DropReason::TcpNotSyn, frame)),
            Err(reason) => return Err(Dropped::new(reason, frame)),
        };
        if !new.can_answer() {
            // The policy has changed since.
            return Err(Dropped::new(DropReason::InterceptUnexpected, frame));
        }
        let opened = self
            .admit(new.settings, port, &syn, true, now)
            .and_then(|_| self.open(port, &syn, &new, None, now));
        let index = match opened {
            Ok(index) => index,
            Err(reason) => return Err(Dropped::new(reason, frame)),
        };
        let Some(flow) = self.flows.get_mut(index) else {
            return Err(Dropped::new(DropReason::FlowBeingFreed, frame));
        };
        flow.state = State::Spliced;
        flow.offsets[1] = cookie;
        flow.tcp[0].segment_size = segment_size;
        let deadline = tick_of(now).saturating_add(RETRY_TICKS);
        let tuple = flow.leaving(Direction::Forward);
        let segment = syn_to_server(flow);
        self.flows.set_deadline(index, Some(deadline));
        self.opened.proven += 1;
        self.tell_built(index);
        if let Some(rest) = frame.take_rest() {
            pool.free(rest);
        }
        if !segment.write(&tuple, &mut frame) {
            return Err(Dropped::new(DropReason::InvalidEncap, frame));
        }
        self.send_along(index, Direction::Forward, frame, pool, now)
    }

    /// Goes on when the server has answered: both sides learn of each other, or of the refusal. The
    /// server's segment goes no further.
    pub(crate) fn finish_handshake(
        &mut self,
        index: u32,
        is_accepted: bool,
        frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        pool.free(frame);
        if !is_accepted {
            if let Some(flow) = self.flows.get(index) {
                let end = if flow.flags.has(Flags::OPENED_BY_LOWER) {
                    FlowEnd::ResetByHigher
                } else {
                    FlowEnd::ResetByLower
                };
                let reset = flow.reset(Direction::Reply);
                self.send_segment(index, Direction::Reply, &reset, pool, now);
                self.end_flow(index, end, now);
            }
            return Ok(Verdict::Consumed);
        }
        self.count_established(index);
        self.reset_timer(index);
        for direction in [Direction::Forward, Direction::Reply] {
            let segment = self
                .flows
                .get(index)
                .map(|flow| flow.acknowledgment(direction));
            if let Some(segment) = segment {
                self.send_segment(index, direction, &segment, pool, now);
            }
        }
        Ok(Verdict::Consumed)
    }

    /// Repeats the SYN to a server that does not answer, until the time is up.
    pub(crate) fn ask_server_again(&mut self, index: u32, pool: &mut PacketPool, now: Instant) {
        let tick = tick_of(now);
        let Some(flow) = self.flows.get(index) else {
            return;
        };
        let end = self
            .idle_ticks(flow)
            .map(|idle| flow.created.saturating_add(idle));
        if end.is_some_and(|end| end <= tick) || flow.state != State::Spliced {
            let reset = flow.reset(Direction::Reply);
            self.send_segment(index, Direction::Reply, &reset, pool, now);
            self.end_flow(index, FlowEnd::HandshakeTimeout, now);
            return;
        }
        let segment = syn_to_server(flow);
        let Some(flow) = self.flows.get_mut(index) else {
            return;
        };
        flow.probes = flow.probes.saturating_add(1);
        let wait = RETRY_TICKS << flow.probes.min(6);
        let next = tick.saturating_add(wait);
        self.flows
            .set_deadline(index, Some(end.map_or(next, |end| end.min(next))));
        self.send_segment(index, Direction::Forward, &segment, pool, now);
    }
}

/// The SYN that opens the server's side.
fn syn_to_server(flow: &crate::flow::Flow) -> Segment {
    let opener = &flow.tcp[0];
    let sequence = opener.end.wrapping_sub(1).wrapping_add(flow.offsets[0]);
    Segment::plain(sequence, 0, SYN, opener.max_window).announcing(opener.segment_size)
}

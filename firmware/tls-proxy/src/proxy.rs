//! The pool of sessions.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use hal::packet::{PacketBuf, PacketPool, SINGLE_FRAME_MAX};
use hal::time::Instant;

use crate::deadline::Deadlines;
use crate::events::Events;
use crate::half::{RECORD_MAX, plaintext_bytes, records_out_bytes, rewritten_bytes};
use crate::host;
use crate::session::{Session, Turn};
use crate::{
    Counters, Event, Inspector, Leg, Limits, OpenError, Opening, SessionId, SessionView, Transmit,
};

/// Sessions served in one [`TlsProxy::handle_timeout`].
const SESSIONS_PER_TURN: usize = 8;

/// The longest IPv4 packet, and so the longest frame that spans several buffers.
const PACKET_MAX: usize = 65_535;

/// The least IPv4 packet every host takes (RFC 791).
const MTU_MIN: usize = 576;

/// All sessions of the box.
///
/// The order of calls in one turn of the event loop: packets in, [`handle_timeout`](Self::handle_timeout),
/// [`poll_transmit`](Self::poll_transmit) until it is empty, then [`poll_event`](Self::poll_event) until
/// it is.
pub struct TlsProxy {
    limits: Limits,
    sessions: Vec<Session>,
    free: Vec<u32>,
    deadlines: Deadlines,
    transmit: VecDeque<Transmit>,
    events: Events,
    counters: Counters,
    scratch: Box<[u8]>,
    spare: Box<[u8]>,
    linear: Box<[u8]>,
}

impl Limits {
    /// Memory of one session that [`TlsProxy::new`] claims, in bytes. rustls adds some 10 KiB while
    /// the session lives.
    #[must_use]
    pub const fn session_bytes(&self) -> usize {
        let leg = self.tcp_receive_bytes
            + self.tcp_send_bytes
            + self.records_bytes
            + records_out_bytes(self)
            + plaintext_bytes(self);
        2 * leg + size_of::<Session>()
    }
}

impl TlsProxy {
    /// Claims the memory of `limits.sessions` sessions, once and for good. Limits that no session could
    /// work with are raised to the least that does.
    #[must_use]
    pub fn new(mut limits: Limits) -> Self {
        limits.mtu_bytes = limits.mtu_bytes.clamp(MTU_MIN, SINGLE_FRAME_MAX);
        limits.records_bytes = limits.records_bytes.max(RECORD_MAX);
        limits.transmit_queue = limits.transmit_queue.max(1);
        let slots = u32::try_from(limits.sessions).unwrap_or(u32::MAX - 1);
        Self {
            sessions: (0..slots).map(|slot| Session::new(slot, &limits)).collect(),
            free: (0..slots).rev().collect(),
            deadlines: Deadlines::new(limits.sessions),
            transmit: VecDeque::with_capacity(limits.transmit_queue),
            events: Events::new(limits.sessions),
            counters: Counters::default(),
            scratch: vec![0; rewritten_bytes(&limits)].into_boxed_slice(),
            spare: vec![0; limits.mtu_bytes].into_boxed_slice(),
            linear: vec![0; PACKET_MAX].into_boxed_slice(),
            limits,
        }
    }

    /// Takes a slot for a new session. The SYN that caused it follows in
    /// [`handle_packet`](Self::handle_packet).
    ///
    /// # Errors
    /// [`OpenError`]; the connection should be answered with a reset.
    pub fn open(&mut self, opening: Opening, now: Instant) -> Result<SessionId, OpenError> {
        let slot = self.free.last().copied();
        let Some(session) = slot.and_then(|slot| self.sessions.get_mut(slot as usize)) else {
            self.counters.refused += 1;
            return Err(OpenError::SessionLimit);
        };
        session.open(opening, &self.limits, now)?;
        self.free.pop();
        self.deadlines.set(session.id.slot, now);
        self.counters.total += 1;
        self.counters.active += 1;
        self.counters.most = self.counters.most.max(self.counters.active);
        Ok(session.id)
    }

    /// Takes one IPv4 packet that arrived on `leg`, and lets the session work on it.
    pub fn handle_packet(
        &mut self,
        session: SessionId,
        leg: Leg,
        packet: PacketBuf,
        pool: &mut PacketPool,
        inspector: &dyn Inspector,
        now: Instant,
    ) {
        let Some(session) = self
            .sessions
            .get_mut(session.slot as usize)
            .filter(|found| found.id == session && !found.is_over())
        else {
            self.counters.packets_ignored += 1;
            pool.free(packet);
            return;
        };
        let bytes = if packet.is_chained() {
            linearize(&packet, &mut self.linear)
        } else {
            packet.bytes()
        };
        let checked = host::check(bytes, packet.offload(), session.endpoints(leg));
        if let Some(bytes) = checked {
            let mut turn = Turn {
                pool,
                inspector,
                transmit: &mut self.transmit,
                events: &mut self.events,
                counters: &mut self.counters,
                scratch: &mut self.scratch,
                spare: &mut self.spare,
                limits: &self.limits,
                now,
            };
            session.handle_packet(leg, bytes, &mut turn);
            serve(session, &mut self.deadlines, &mut turn);
        } else {
            self.counters.packets_ignored += 1;
        }
        pool.free(packet);
    }

    /// Lets sessions work whose time has come, a bounded number of them; call again while
    /// [`poll_timeout`](Self::poll_timeout) is not after `now`.
    pub fn handle_timeout(
        &mut self,
        pool: &mut PacketPool,
        inspector: &dyn Inspector,
        now: Instant,
    ) {
        let mut turn = Turn {
            pool,
            inspector,
            transmit: &mut self.transmit,
            events: &mut self.events,
            counters: &mut self.counters,
            scratch: &mut self.scratch,
            spare: &mut self.spare,
            limits: &self.limits,
            now,
        };
        for _ in 0..SESSIONS_PER_TURN {
            let Some((at, slot)) = self.deadlines.first() else {
                return;
            };
            if at > now {
                return;
            }
            match self.sessions.get_mut(slot as usize) {
                Some(session) => serve(session, &mut self.deadlines, &mut turn),
                None => self.deadlines.remove(slot),
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next due; `None` without sessions.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| at)
    }

    /// The next packet to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmit.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        let event = self.events.pop()?;
        if let Event::Closed { session, .. } = event {
            self.free.push(session.slot);
        }
        Some(event)
    }

    /// Ends a session in order (`clear tls-proxy session`); its [`Event::Closed`] follows.
    pub fn close(&mut self, session: SessionId, now: Instant) {
        if let Some(found) = self
            .sessions
            .get_mut(session.slot as usize)
            .filter(|found| found.id == session && !found.is_over())
        {
            found.close(now);
            self.deadlines.set(session.slot, now);
        }
    }

    /// The sessions there are, in slot order.
    pub fn sessions(&self) -> impl Iterator<Item = SessionView> {
        self.sessions
            .iter()
            .filter(|session| !session.is_over())
            .map(Session::view)
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The sizes in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}

/// Gives a session its turn and notes when it wants the next.
fn serve(session: &mut Session, deadlines: &mut Deadlines, turn: &mut Turn<'_>) {
    let at = session.run(turn);
    if session.is_over() {
        deadlines.remove(session.id.slot);
        session.finish(turn);
        turn.counters.active -= 1;
    } else {
        deadlines.set(session.id.slot, at);
    }
}

/// Copies a frame that spans several buffers into one piece.
fn linearize<'a>(packet: &PacketBuf, linear: &'a mut [u8]) -> &'a [u8] {
    let mut len = 0;
    for segment in packet.segments() {
        let Some(room) = linear.get_mut(len..len + segment.len()) else {
            // Longer than any IPv4 packet: what follows is no part of it.
            break;
        };
        room.copy_from_slice(segment);
        len += segment.len();
    }
    linear.get(..len).unwrap_or_default()
}

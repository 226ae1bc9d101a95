//! The pool of sessions.

use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

use crate::{
    Counters, Event, Inspector, Leg, Limits, OpenError, Opening, SessionId, SessionView, Transmit,
};

/// All sessions of the box.
///
/// The order of calls in one turn of the event loop: packets in, [`handle_timeout`](Self::handle_timeout),
/// [`poll_transmit`](Self::poll_transmit) until it is empty, then [`poll_event`](Self::poll_event) until
/// it is.
pub struct TlsProxy {
    counters: Counters,
}

impl TlsProxy {
    /// Claims the memory of `limits.sessions` sessions, once and for good.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let _ = limits;
        Self {
            counters: Counters::default(),
        }
    }

    /// Takes a slot for a new session. The SYN that caused it follows in
    /// [`handle_packet`](Self::handle_packet).
    ///
    /// # Errors
    /// [`OpenError`]; the connection should be answered with a reset.
    pub fn open(&mut self, opening: Opening, now: Instant) -> Result<SessionId, OpenError> {
        let _ = (opening, now);
        self.counters.refused += 1;
        Err(OpenError::SessionLimit)
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
        let _ = (session, leg, inspector, now);
        self.counters.packets_ignored += 1;
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
        let _ = (pool, inspector, now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is next due; `None` without sessions.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }

    /// The next packet to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }

    /// Ends a session in order (`clear tls-proxy session`); its [`Event::Closed`] follows.
    pub fn close(&mut self, session: SessionId, now: Instant) {
        let _ = (session, now);
    }

    /// The sessions there are, in slot order.
    pub fn sessions(&self) -> impl Iterator<Item = SessionView> {
        core::iter::empty()
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

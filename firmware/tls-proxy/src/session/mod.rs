//! One session: when its legs open, how bytes move, how it ends.
//!
//! ```text
//!            target's SYN-ACK           close_notify of a leg          both connections gone
//!  Live: connecting ──▶ handshakes, messages ──▶ Draining ──────────────▶ Over
//!            │                   │                  │ not done in time       ▲
//!            └───── a cause that ends it ───────────┴──▶ Ending ─────────────┘
//! ```
//!
//! *Draining* still passes on what either side has to say. *Ending* only flushes alerts and goodbyes.
//! How that goes is in `ending`.

mod ending;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::time::Duration;

use hal::packet::PacketPool;
use hal::time::Instant;
use rustls::{ClientConfig, ServerConfig};
use smoltcp::socket::tcp::State;

use self::ending::DRAIN_LIMIT;
use crate::events::Events;
use crate::half::Half;
use crate::host::{Egress, Host, RETRY};
use crate::relay::{FlowMap, Relay, RelayError, Relayed};
use crate::{
    CloseReason, Counters, Endpoints, Event, Inspector, Leg, LegState, LegView, Limits, OpenError,
    Opening, SessionId, SessionView, Transmit,
};

/// Rounds of moving bytes in one turn.
const ROUNDS: usize = 4;

/// What a session works with during one turn.
pub(crate) struct Turn<'a> {
    pub(crate) pool: &'a mut PacketPool,
    pub(crate) inspector: &'a dyn Inspector,
    pub(crate) transmit: &'a mut VecDeque<Transmit>,
    pub(crate) events: &'a mut Events,
    pub(crate) counters: &'a mut Counters,
    /// Room for one rewritten message.
    pub(crate) scratch: &'a mut [u8],
    /// Room for one packet.
    pub(crate) spare: &'a mut [u8],
    pub(crate) limits: &'a Limits,
    pub(crate) now: Instant,
}

/// How a leg is being ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    /// It is not.
    No,
    /// Records go out, a goodbye first if it is due; then FIN.
    Flushing { goodbye_due: bool },
    /// FIN is on its way.
    Finishing,
    /// RST is on its way.
    Aborting,
    /// No connection is left.
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Live,
    Draining {
        first: Leg,
        until: Instant,
    },
    Ending {
        reason: CloseReason,
        leg: Leg,
        until: Instant,
    },
    Over {
        reason: CloseReason,
        leg: Leg,
    },
}

/// One leg but for its socket.
struct Connection {
    endpoints: Endpoints,
    half: Half,
    /// Messages that arrive on this leg.
    relay: Relay,
    closing: Closing,
    /// The TCP connection came up.
    is_connected: bool,
    /// The socket left its first state.
    is_called: bool,
    /// What arrived was passed on, but for part of a message.
    is_drained: bool,
}

/// A slot of the pool.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) flow: u64,
    host: Host,
    originator: Connection,
    target: Connection,
    configs: Option<(Arc<ServerConfig>, Arc<ClientConfig>)>,
    stage: Stage,
    opened: Instant,
    last_packet: Instant,
    idle_timeout: Duration,
    handshake_deadline: Instant,
}

impl Session {
    pub(crate) fn new(slot: u32, limits: &Limits) -> Self {
        let nobody = (core::net::Ipv4Addr::UNSPECIFIED, 0);
        let connection = || Connection {
            endpoints: Endpoints {
                local: nobody,
                remote: nobody,
            },
            half: Half::new(limits),
            relay: Relay::new(limits.sip),
            closing: Closing::Gone,
            is_connected: false,
            is_called: false,
            is_drained: true,
        };
        Self {
            id: SessionId {
                slot,
                generation: 0,
            },
            flow: 0,
            host: Host::new(limits),
            originator: connection(),
            target: connection(),
            configs: None,
            stage: Stage::Over {
                reason: CloseReason::Administrative,
                leg: Leg::Originator,
            },
            opened: Instant::ZERO,
            last_packet: Instant::ZERO,
            idle_timeout: Duration::ZERO,
            handshake_deadline: Instant::ZERO,
        }
    }

    pub(crate) fn open(
        &mut self,
        opening: Opening,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), OpenError> {
        self.host.open(&opening, limits.mtu_bytes, now)?;
        self.id.generation = self.id.generation.wrapping_add(1);
        self.flow = opening.flow;
        for (leg, endpoints) in [
            (Leg::Originator, opening.originator),
            (Leg::Target, opening.target),
        ] {
            let connection = self.leg(leg);
            connection.endpoints = endpoints;
            connection.relay.reset();
            connection.closing = Closing::No;
            connection.is_connected = false;
            connection.is_called = leg == Leg::Target;
            connection.is_drained = true;
        }
        self.configs = Some((opening.server, opening.client));
        self.stage = Stage::Live;
        self.opened = now;
        self.last_packet = now;
        self.idle_timeout = opening.idle_timeout;
        self.handshake_deadline = now + limits.handshake_timeout;
        Ok(())
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over { .. })
    }

    pub(crate) fn endpoints(&self, leg: Leg) -> &Endpoints {
        match leg {
            Leg::Originator => &self.originator.endpoints,
            Leg::Target => &self.target.endpoints,
        }
    }

    /// Takes a checked packet of `leg`.
    pub(crate) fn handle_packet(&mut self, leg: Leg, packet: &[u8], turn: &mut Turn<'_>) {
        self.last_packet = turn.now;
        let now = turn.now;
        let mut egress = egress(self.id, self.flow, leg, turn);
        self.host.ingress(leg, packet, &mut egress, now);
        self.watch_socket(leg, CloseReason::TcpReset, now);
    }

    /// Moves what can be moved, and returns when to be called again. Afterwards the session may be over.
    pub(crate) fn run(&mut self, turn: &mut Turn<'_>) -> Instant {
        let now = turn.now;
        let force = self.watch_deadlines(now);
        let mut moved = true;
        for _ in 0..ROUNDS {
            moved = false;
            self.open_halves(now);
            for leg in Leg::BOTH {
                moved |= self.receive(leg, turn);
            }
            for leg in Leg::BOTH {
                moved |= self.relay(leg, turn);
            }
            self.pass_goodbyes(now);
            for leg in Leg::BOTH {
                moved |= self.transmit(leg, now);
                let mut egress = egress(self.id, self.flow, leg, turn);
                self.host.egress(leg, &mut egress, now);
                self.watch_socket(leg, CloseReason::TcpTimeout, now);
            }
            if !moved {
                break;
            }
        }
        self.finish_if_gone(force);
        self.next_deadline(moved, now)
    }

    /// Tells of the end and forgets everything the session held.
    pub(crate) fn finish(&mut self, turn: &mut Turn<'_>) {
        let Stage::Over { reason, leg } = self.stage else {
            return;
        };
        let (to_target, to_originator) = (&self.originator.relay, &self.target.relay);
        turn.events.push(Event::Closed {
            session: self.id,
            flow: self.flow,
            reason,
            leg,
            bytes: [to_originator.bytes, to_target.bytes],
            messages: [to_originator.messages, to_target.messages],
            duration: turn.now.since(self.opened),
        });
        if let Some(count) = turn.counters.closed.get_mut(reason.index()) {
            *count += 1;
        }
        self.configs = None;
        self.originator.half.wipe();
        self.target.half.wipe();
    }

    pub(crate) fn view(&self) -> SessionView {
        SessionView {
            session: self.id,
            flow: self.flow,
            opened: self.opened,
            last_packet: self.last_packet,
            originator: self.leg_view(Leg::Originator),
            target: self.leg_view(Leg::Target),
        }
    }

    fn leg_view(&self, leg: Leg) -> LegView {
        let connection = match leg {
            Leg::Originator => &self.originator,
            Leg::Target => &self.target,
        };
        let (half, socket) = (&connection.half, self.host.socket_ref(leg));
        let state = match connection.closing {
            Closing::Gone => LegState::Closed,
            Closing::Aborting | Closing::Finishing | Closing::Flushing { .. } => LegState::Closing,
            Closing::No if half.is_open => LegState::Open,
            Closing::No if connection.is_connected => LegState::Handshaking,
            Closing::No => LegState::Connecting,
        };
        LegView {
            endpoints: connection.endpoints,
            state,
            version: half.version(),
            cipher_suite: half.cipher_suite(),
            received_bytes: connection.relay.bytes,
            received_messages: connection.relay.messages,
            receive_queue_bytes: socket.recv_queue() + half.records_in.len() + half.plaintext.len(),
            transmit_queue_bytes: socket.send_queue() + half.records_out.len(),
        }
    }

    fn leg(&mut self, leg: Leg) -> &mut Connection {
        match leg {
            Leg::Originator => &mut self.originator,
            Leg::Target => &mut self.target,
        }
    }

    /// Starts the TLS half of a leg whose TCP connection has come up; the target's coming up lets the
    /// originator's come up too.
    fn open_halves(&mut self, now: Instant) {
        if self.stage != Stage::Live {
            return;
        }
        for leg in Leg::BOTH {
            let is_up = matches!(
                self.host.socket(leg).state(),
                State::Established | State::CloseWait
            );
            let connection = self.leg(leg);
            if !is_up || connection.is_connected {
                continue;
            }
            connection.is_connected = true;
            let address = connection.endpoints.remote.0;
            let Some((server, client)) = self.configs.clone() else {
                return;
            };
            let half = &mut self.leg(leg).half;
            let opened = match leg {
                Leg::Originator => half.serve(server),
                Leg::Target => half.call(client, address),
            };
            if leg == Leg::Target {
                self.host.answer_originator();
            }
            if let Err(reason) = opened {
                self.fail(reason, leg, now);
            }
        }
    }

    /// TCP → records → plaintext.
    fn receive(&mut self, leg: Leg, turn: &mut Turn<'_>) -> bool {
        if let Stage::Ending { .. } | Stage::Over { .. } = self.stage {
            // Nothing of it is wanted, but the FIN behind it is.
            let socket = self.host.socket(leg);
            while socket.can_recv() && socket.recv(|data| (data.len(), data.len())) != Ok(0) {}
            return false;
        }
        let socket = self.host.socket(leg);
        let connection = match leg {
            Leg::Originator => &mut self.originator,
            Leg::Target => &mut self.target,
        };
        let half = &mut connection.half;
        if !half.is_present() {
            return false;
        }
        let mut moved = false;
        if half.peer_closed {
            // RFC 8446 §6.1: data after the goodbye is ignored.
            while socket.can_recv() && socket.recv(|data| (data.len(), data.len())) != Ok(0) {}
        } else {
            loop {
                let appetite = half.appetite();
                if appetite == 0 || !socket.can_recv() {
                    break;
                }
                let taken = socket.recv(|data| {
                    let part = data.get(..appetite).unwrap_or(data);
                    let taken = if half.records_in.extend(part) {
                        part.len()
                    } else {
                        0
                    };
                    (taken, taken)
                });
                match taken {
                    Ok(taken) if taken > 0 => moved = true,
                    _ => break,
                }
            }
        }
        let was_open = half.is_open;
        let worked = half.work();
        let is_open = half.is_open;
        if is_open && !was_open {
            turn.counters.handshakes += 1;
            if let (Some(version), Some(cipher_suite)) = (half.version(), half.cipher_suite()) {
                turn.events.push(Event::HandshakeDone {
                    session: self.id,
                    flow: self.flow,
                    leg,
                    version,
                    cipher_suite,
                    peer_certificate: half.peer_certificate().cloned(),
                });
            }
        }
        // The peer sends no more, and all it sent was worked on.
        let is_at_end = connection.is_connected
            && !socket.may_recv()
            && !matches!(socket.state(), State::Closed | State::Listen)
            && !half.is_blocked
            && worked.is_ok();
        let mut truncated = false;
        if is_at_end && !half.peer_closed {
            // Having heard our goodbye it need not say its own.
            truncated = !half.goodbye_sent;
            half.peer_closed = half.goodbye_sent;
            moved |= half.peer_closed;
        }
        let peer_closed = half.peer_closed;
        match worked {
            Ok(worked) => moved |= worked,
            Err(reason) => {
                self.fail(reason, leg, turn.now);
                return true;
            }
        }
        if truncated {
            self.fail(CloseReason::TcpTruncated, leg, turn.now);
            return true;
        }
        if peer_closed && self.stage == Stage::Live {
            self.stage = Stage::Draining {
                first: leg,
                until: turn.now + DRAIN_LIMIT,
            };
        }
        moved
    }

    /// Plaintext of `leg` → messages → records of the other leg.
    fn relay(&mut self, leg: Leg, turn: &mut Turn<'_>) -> bool {
        if let Stage::Ending { .. } | Stage::Over { .. } = self.stage {
            return false;
        }
        let (from, to) = match leg {
            Leg::Originator => (&mut self.originator, &mut self.target),
            Leg::Target => (&mut self.target, &mut self.originator),
        };
        if to.closing != Closing::No {
            // Nobody is there to read it; only our goodbye to `leg` can follow.
            from.half.plaintext.consume(usize::MAX);
            from.is_drained = true;
            return false;
        }
        let map = FlowMap {
            inspector: turn.inspector,
            flow: self.flow,
            direction: leg.inbound(),
        };
        let before = from.relay.bytes;
        let (events, counters) = (&mut *turn.events, &mut *turn.counters);
        let (session, flow) = (self.id, self.flow);
        let relayed = from.relay.turn(
            &mut from.half,
            &mut to.half,
            &map,
            turn.scratch,
            |kind, bytes| {
                counters.messages += 1;
                let event = Event::MessagePassed {
                    session,
                    flow,
                    direction: leg.inbound(),
                    kind,
                    bytes,
                };
                if !events.push_message(event) {
                    counters.events_lost += 1;
                }
            },
        );
        let passed = from.relay.bytes - before;
        counters.bytes += passed;
        from.is_drained = relayed == Ok(Relayed::Drained);
        match relayed {
            Ok(_) => passed > 0,
            Err(RelayError::Sip(error)) => {
                self.fail(CloseReason::Sip(error), leg, turn.now);
                true
            }
            Err(RelayError::Receiver(reason)) => {
                self.fail(reason, leg.other(), turn.now);
                true
            }
        }
    }

    /// Records → TCP, and the FIN behind the last of them.
    fn transmit(&mut self, leg: Leg, now: Instant) -> bool {
        let connection = self.leg(leg);
        if let Closing::Flushing { goodbye_due: true } = connection.closing {
            match connection.half.say_goodbye() {
                Ok(goodbye_sent) => {
                    connection.closing = Closing::Flushing {
                        goodbye_due: !goodbye_sent,
                    };
                }
                Err(reason) => {
                    connection.closing = Closing::Flushing { goodbye_due: false };
                    self.fail(reason, leg, now);
                }
            }
        }
        let socket = self.host.socket(leg);
        let connection = match leg {
            Leg::Originator => &mut self.originator,
            Leg::Target => &mut self.target,
        };
        let mut moved = false;
        while socket.can_send() && !connection.half.records_out.is_empty() {
            let records = &mut connection.half.records_out;
            let Ok(sent) = socket.send_slice(records.filled()) else {
                break;
            };
            records.consume(sent);
            moved = true;
        }
        if connection.closing == (Closing::Flushing { goodbye_due: false })
            && connection.half.records_out.is_empty()
        {
            socket.close();
            connection.closing = Closing::Finishing;
            moved = true;
        }
        moved
    }

    fn is_open(&self) -> bool {
        self.originator.half.is_open && self.target.half.is_open
    }

    /// The earliest of the stage's deadline and both sockets' timers; now, if work is left.
    fn next_deadline(&mut self, moved: bool, now: Instant) -> Instant {
        if moved {
            return now;
        }
        let mut at = match self.stage {
            Stage::Over { .. } => return Instant::FAR_FUTURE,
            Stage::Ending { until, .. } | Stage::Draining { until, .. } => until,
            Stage::Live if !self.is_open() => self.handshake_deadline,
            Stage::Live => self.last_packet + self.idle_timeout,
        };
        for leg in Leg::BOTH {
            if self.leg(leg).closing != Closing::Gone
                && let Some(due) = self.host.poll_at(leg, now)
            {
                // What is due already was just tried, and lacked a packet buffer.
                at = at.min(due.max(now + RETRY));
            }
        }
        at
    }
}

fn egress<'a>(id: SessionId, flow: u64, leg: Leg, turn: &'a mut Turn<'_>) -> Egress<'a> {
    Egress {
        pool: turn.pool,
        queue: turn.transmit,
        queue_limit: turn.limits.transmit_queue,
        spare: turn.spare,
        session: id,
        flow,
        leg,
    }
}

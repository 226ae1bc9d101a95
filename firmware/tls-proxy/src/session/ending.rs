//! How a session ends: deadlines, resets, goodbyes.
//!
//! What ends in which way is the one table in [`Session::fail`]. RFC 8446 §6.1 (closure alerts), RFC 9293
//! §3.6 (closing) and §3.5.3 (reset).

use core::time::Duration;

use hal::time::Instant;
use smoltcp::socket::tcp::State;

use super::{Closing, Session, Stage};
use crate::{CloseReason, Leg};

/// After a goodbye the other side has this long to answer with its own.
pub(super) const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// A session that ends has this long to get alerts and FINs across.
const LINGER_LIMIT: Duration = Duration::from_secs(5);

impl Session {
    /// Ends the session because of a command.
    pub(crate) fn close(&mut self, now: Instant) {
        self.fail(CloseReason::Administrative, Leg::Originator, now);
    }

    /// A goodbye of one leg goes to the other once everything before it has.
    pub(super) fn pass_goodbyes(&mut self, now: Instant) {
        for leg in Leg::BOTH {
            let Stage::Draining { .. } = self.stage else {
                return;
            };
            let other_is_open = self.leg(leg.other()).closing == Closing::No;
            let connection = self.leg(leg);
            if !connection.half.peer_closed || !connection.is_drained || !other_is_open {
                continue;
            }
            if connection.half.plaintext.is_empty() {
                self.shut(leg.other());
            } else {
                self.fail(CloseReason::SipTruncated, leg, now);
            }
        }
    }

    /// Ends one leg in order: goodbye, FIN. A leg whose handshake is not done is reset.
    pub(super) fn shut(&mut self, leg: Leg) {
        if !self.leg(leg).half.is_open {
            self.abort(leg);
        } else if self.leg(leg).closing == Closing::No {
            self.leg(leg).closing = Closing::Flushing { goodbye_due: true };
        }
    }

    fn abort(&mut self, leg: Leg) {
        if self.leg(leg).closing != Closing::Gone {
            self.host.socket(leg).abort();
            self.leg(leg).closing = Closing::Aborting;
        }
    }

    /// Ends the session because of what happened on `leg`. The first cause counts.
    pub(super) fn fail(&mut self, reason: CloseReason, leg: Leg, now: Instant) {
        if let Stage::Ending { .. } | Stage::Over { .. } = self.stage {
            return;
        }
        self.stage = Stage::Ending {
            reason,
            leg,
            until: now + LINGER_LIMIT,
        };
        let other = leg.other();
        match reason {
            // The leg is gone already; what it sent is not to be trusted to be whole.
            CloseReason::ConnectRefused | CloseReason::TcpReset | CloseReason::TcpTimeout => {
                self.abort(other);
            }
            CloseReason::ConnectTimeout | CloseReason::TcpTruncated => {
                self.abort(leg);
                self.abort(other);
            }
            // Both peers did nothing wrong in TLS.
            CloseReason::Administrative
            | CloseReason::CloseNotify
            | CloseReason::HandshakeTimeout
            | CloseReason::IdleTimeout
            | CloseReason::Sip(_)
            | CloseReason::SipTruncated => {
                self.shut(leg);
                self.shut(other);
            }
            // The alert is in the leg's records already; after one there is no goodbye.
            CloseReason::AlertReceived(_)
            | CloseReason::CertificateBadPurpose
            | CloseReason::CertificateExpired
            | CloseReason::CertificateInvalid
            | CloseReason::CertificateMissing
            | CloseReason::CertificateNotYetValid
            | CloseReason::CertificateRevoked
            | CloseReason::CertificateUnknownIssuer
            | CloseReason::HandshakeTooLong
            | CloseReason::Internal
            | CloseReason::NotTls
            | CloseReason::RecordUndecryptable
            | CloseReason::TlsIncompatible
            | CloseReason::TlsProtocol => {
                if self.leg(leg).closing == Closing::No {
                    self.leg(leg).closing = Closing::Flushing { goodbye_due: false };
                }
                self.shut(other);
            }
        }
    }

    /// Notices what became of the leg's socket. `cause` is what it means if it closed unasked.
    pub(super) fn watch_socket(&mut self, leg: Leg, cause: CloseReason, now: Instant) {
        let socket = self.host.socket(leg);
        let (state, is_forgotten) = (socket.state(), socket.remote_endpoint().is_none());
        let connection = self.leg(leg);
        // A reset before the connection is up puts a listening socket back to its first state.
        let is_closed = match state {
            State::Closed | State::TimeWait => true,
            State::Listen => connection.is_called,
            _ => {
                connection.is_called = true;
                false
            }
        };
        if !is_closed {
            return;
        }
        match connection.closing {
            Closing::Gone => {}
            Closing::Aborting => {
                if is_forgotten {
                    connection.half.peer_closed = true;
                    connection.closing = Closing::Gone;
                }
            }
            Closing::Finishing => {
                connection.half.peer_closed = true;
                connection.closing = Closing::Gone;
            }
            Closing::Flushing { .. } | Closing::No => {
                let had_said_all = connection.half.peer_closed;
                connection.half.peer_closed = true;
                connection.closing = Closing::Gone;
                if !had_said_all {
                    let reason = match leg {
                        Leg::Target if !connection.is_connected => CloseReason::ConnectRefused,
                        _ => cause,
                    };
                    self.fail(reason, leg, now);
                }
            }
        }
    }

    /// Acts on deadlines that have passed. Returns whether the session is to be over at once.
    pub(super) fn watch_deadlines(&mut self, now: Instant) -> bool {
        match self.stage {
            Stage::Over { .. } => {}
            Stage::Ending { until, .. } => {
                if now >= until {
                    self.abort(Leg::Originator);
                    self.abort(Leg::Target);
                    return true;
                }
            }
            Stage::Draining { first, until } => {
                if now >= until {
                    self.fail(CloseReason::CloseNotify, first, now);
                }
            }
            Stage::Live => {
                if !self.is_open() {
                    if now >= self.handshake_deadline {
                        let (reason, leg) = if !self.target.is_connected {
                            (CloseReason::ConnectTimeout, Leg::Target)
                        } else if !self.target.half.is_open {
                            (CloseReason::HandshakeTimeout, Leg::Target)
                        } else {
                            (CloseReason::HandshakeTimeout, Leg::Originator)
                        };
                        self.fail(reason, leg, now);
                    }
                } else if now >= self.last_packet + self.idle_timeout {
                    self.fail(CloseReason::IdleTimeout, Leg::Originator, now);
                }
            }
        }
        false
    }

    pub(super) fn finish_if_gone(&mut self, force: bool) {
        let are_gone =
            self.originator.closing == Closing::Gone && self.target.closing == Closing::Gone;
        if !(are_gone || force) {
            return;
        }
        let (reason, leg) = match self.stage {
            Stage::Ending { reason, leg, .. } | Stage::Over { reason, leg } => (reason, leg),
            Stage::Draining { first, .. } => (CloseReason::CloseNotify, first),
            Stage::Live => (CloseReason::TcpReset, Leg::Originator),
        };
        self.stage = Stage::Over { reason, leg };
    }
}

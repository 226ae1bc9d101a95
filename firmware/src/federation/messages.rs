//! What operators are told of TLS sessions: handshakes and ends, never single messages.

use rustls::ProtocolVersion;
use syslog::Message;
use syslog::message::field::{Endpoint, HostPort, TlsPeer};
use tls_proxy::Leg;

use super::{Session, Surroundings};
use crate::policy::interface_at;

/// A handshake begins. Its version is not known before it is over.
pub(super) fn starting(around: &mut Surroundings<'_>, session: &Session, leg: Leg) {
    let (peer, from, to) = ends(around, session, leg);
    let version = "TLS";
    around.herald.tell(&Message::TlsStarting {
        peer,
        from,
        to,
        version,
    });
}

/// A handshake is over.
pub(super) fn completed(
    around: &mut Surroundings<'_>,
    session: &Session,
    leg: Leg,
    version: ProtocolVersion,
) {
    let (peer, from, to) = ends(around, session, leg);
    let version = match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        _ => "TLS",
    };
    around.herald.tell(&Message::TlsCompleted {
        peer,
        from,
        to,
        version,
    });
}

/// Both TLS sessions ended; where the handshake was not over it has failed.
pub(super) fn ended(around: &mut Surroundings<'_>, session: &Session) {
    let legs = [Leg::Originator, Leg::Target];
    for (leg, is_handshaken) in legs.into_iter().zip(session.handshaken) {
        let (peer, from, to) = ends(around, session, leg);
        around.herald.tell(&match is_handshaken {
            true => Message::TlsTerminated { peer, from, to },
            false => Message::TlsFailed { peer, from, to },
        });
    }
}

/// What is at the other end of a leg, and the leg's two ends: who calls, and who is called.
fn ends<'a>(
    around: &Surroundings<'a>,
    session: &Session,
    leg: Leg,
) -> (TlsPeer, Endpoint<'a>, HostPort) {
    let (peer, port, from, to) = match leg {
        Leg::Originator => {
            let ends = &session.originator;
            (TlsPeer::Client, session.ingress, ends.remote, ends.local)
        }
        Leg::Target => {
            let ends = &session.target;
            (TlsPeer::Server, session.egress, ends.local, ends.remote)
        }
    };
    let interface = interface_at(around.config, port);
    let interface = interface.and_then(|(_, interface)| interface.nameif.as_deref());
    let from = Endpoint {
        interface: interface.unwrap_or("unnamed"),
        address: from.0.into(),
        port: Some(from.1),
    };
    let to = HostPort {
        address: to.0.into(),
        port: to.1,
    };
    (peer, from, to)
}

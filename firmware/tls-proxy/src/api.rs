//! What crosses the border of this crate.

use alloc::sync::Arc;
use core::net::Ipv4Addr;
use core::time::Duration;

use hal::packet::PacketBuf;
use hal::time::Instant;
use rustls::pki_types::CertificateDer;
use rustls::{CipherSuite, ClientConfig, ProtocolVersion, ServerConfig};
use sip::{MessageKind, Transport};

use crate::CloseReason;

/// One of the two connections of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leg {
    /// The connection of the caller, to whom the session is the server.
    Originator,
    /// The connection to whom was called, to whom the session is the client.
    Target,
}

impl Leg {
    /// Both legs.
    pub const BOTH: [Self; 2] = [Self::Originator, Self::Target];

    /// The other leg.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Originator => Self::Target,
            Self::Target => Self::Originator,
        }
    }

    /// The direction in which bytes that arrive on this leg go.
    #[must_use]
    pub const fn inbound(self) -> Direction {
        match self {
            Self::Originator => Direction::ToTarget,
            Self::Target => Direction::ToOriginator,
        }
    }
}

/// Which way a message crosses the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the target to the originator.
    ToOriginator,
    /// From the originator to the target.
    ToTarget,
}

/// The addresses and ports of one leg, as on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoints {
    /// The end the session speaks for.
    pub local: (Ipv4Addr, u16),
    /// The peer.
    pub remote: (Ipv4Addr, u16),
}

/// Names a session. An identifier is never used again, so a stale one finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// Sizes of the pool and of every session, fixed for its life.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Sessions at a time.
    pub sessions: usize,
    /// What is accepted as a SIP message.
    pub sip: sip::Limits,
    /// TCP receive buffer of each leg, in bytes: the widest window offered.
    pub tcp_receive_bytes: usize,
    /// TCP send buffer of each leg, in bytes.
    pub tcp_send_bytes: usize,
    /// Received TLS records of each leg, in bytes. A whole handshake message has to fit: with 18 KiB,
    /// certificate chains up to that length. Not below the longest record, 16,645 bytes.
    pub records_bytes: usize,
    /// The longest IPv4 packet sent, in bytes.
    pub mtu_bytes: usize,
    /// Packets waiting for [`TlsProxy::poll_transmit`](crate::TlsProxy::poll_transmit) at most.
    pub transmit_queue: usize,
    /// From the first SYN until both TLS handshakes are done.
    pub handshake_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 100,
            sip: sip::Limits::default(),
            tcp_receive_bytes: 16 * 1024,
            tcp_send_bytes: 16 * 1024,
            records_bytes: 18 * 1024 + 64,
            mtu_bytes: 1_500,
            transmit_queue: 256,
            handshake_timeout: Duration::from_secs(30),
        }
    }
}

/// All that a new session needs to know.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The caller's name for the flow; comes back with packets and events.
    pub flow: u64,
    /// The leg the SYN came from.
    pub originator: Endpoints,
    /// The leg to open.
    pub target: Endpoints,
    /// Identity shown to the originator and demands on its certificate.
    pub server: Arc<ServerConfig>,
    /// Identity shown to the target and demands on its certificate.
    pub client: Arc<ClientConfig>,
    /// The session ends when no packet came for this long (`timeout sip`, 30 minutes by default).
    pub idle_timeout: Duration,
    /// Unpredictable bits for the initial sequence numbers (RFC 6528).
    pub sequence_seed: u64,
}

/// Why a session could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Every slot is in use.
    SessionLimit,
    /// An endpoint has port 0 or an address that is no host's.
    Unaddressable,
}

/// What the address translation makes of addresses inside messages.
///
/// Same question as [`sip::EndpointMap`], with the flow and the direction that say which rules to ask.
pub trait Inspector {
    /// The address and port to write in place of `address` and `port` in a message of `flow` that
    /// crosses in `direction`, or `None` to leave both.
    fn map(
        &self,
        flow: u64,
        direction: Direction,
        transport: Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)>;
}

/// A packet to be sent: an IPv4 packet with wire addresses, [`hal::packet::HEADROOM`] bytes free in
/// front of it.
#[derive(Debug)]
pub struct Transmit {
    /// The session that made it, which may have ended since.
    pub session: SessionId,
    /// The flow it belongs to.
    pub flow: u64,
    /// The leg to send it on.
    pub leg: Leg,
    /// The packet.
    pub packet: PacketBuf,
}

/// What happened in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The TLS handshake of a leg is complete.
    HandshakeDone {
        /// The session.
        session: SessionId,
        /// Its flow.
        flow: u64,
        /// The leg.
        leg: Leg,
        /// TLS 1.2 or 1.3.
        version: ProtocolVersion,
        /// What was negotiated.
        cipher_suite: CipherSuite,
        /// The peer's own certificate; none if it was not asked for one.
        peer_certificate: Option<CertificateDer<'static>>,
    },
    /// A SIP message was handed to the other leg.
    MessagePassed {
        /// The session.
        session: SessionId,
        /// Its flow.
        flow: u64,
        /// Which way it went.
        direction: Direction,
        /// Method or status.
        kind: MessageKind,
        /// Bytes as received.
        bytes: usize,
    },
    /// The session is over; its slot is free again once this event was taken.
    ///
    /// Packets of its last moments (FIN, RST) may still wait in
    /// [`poll_transmit`](crate::TlsProxy::poll_transmit): take those before the flow is removed.
    Closed {
        /// The session.
        session: SessionId,
        /// Its flow.
        flow: u64,
        /// What ended it.
        reason: CloseReason,
        /// The leg where that happened.
        leg: Leg,
        /// Plaintext bytes passed, `[to originator, to target]`.
        bytes: [u64; 2],
        /// Messages passed, `[to originator, to target]`.
        messages: [u64; 2],
        /// From opening to end.
        duration: Duration,
    },
}

/// How far a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LegState {
    /// The TCP connection is being made.
    Connecting,
    /// The TLS handshake runs.
    Handshaking,
    /// Messages pass.
    Open,
    /// The leg is being ended.
    Closing,
    /// Nothing is left of the connection.
    Closed,
}

/// One leg as `show tls-proxy session detail` prints it.
#[derive(Clone, Copy, Debug)]
pub struct LegView {
    /// Addresses.
    pub endpoints: Endpoints,
    /// How far it is.
    pub state: LegState,
    /// TLS version once known.
    pub version: Option<ProtocolVersion>,
    /// Cipher suite once known.
    pub cipher_suite: Option<CipherSuite>,
    /// Plaintext bytes of complete messages received on this leg.
    pub received_bytes: u64,
    /// Messages received on this leg.
    pub received_messages: u64,
    /// Bytes received and not yet passed on.
    pub receive_queue_bytes: usize,
    /// Bytes to be sent and not yet acknowledged.
    pub transmit_queue_bytes: usize,
}

/// One session as `show tls-proxy session` prints it.
#[derive(Clone, Copy, Debug)]
pub struct SessionView {
    /// The session.
    pub session: SessionId,
    /// Its flow.
    pub flow: u64,
    /// When it was opened.
    pub opened: Instant,
    /// When the last packet came.
    pub last_packet: Instant,
    /// The leg of the caller.
    pub originator: LegView,
    /// The leg to the target.
    pub target: LegView,
}

/// What was counted since power-on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sessions now.
    pub active: u64,
    /// Most sessions at a time.
    pub most: u64,
    /// Sessions ever opened.
    pub total: u64,
    /// Sessions refused because the pool was full.
    pub refused: u64,
    /// Handshakes completed, both legs counted.
    pub handshakes: u64,
    /// Messages passed.
    pub messages: u64,
    /// Plaintext bytes passed.
    pub bytes: u64,
    /// Packets for sessions that are over, or that are no TCP segment with a right checksum.
    pub packets_ignored: u64,
    /// [`Event::MessagePassed`] events lost because nobody took events.
    pub events_lost: u64,
    /// Sessions ended, by [`CloseReason::index`].
    pub closed: [u64; CloseReason::NAMES.len()],
}

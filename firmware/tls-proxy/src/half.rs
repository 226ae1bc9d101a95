//! One TLS half: a rustls connection and the fixed buffers around it.
//!
//! Records come in through `records_in` and leave through `records_out`; plaintext received waits in
//! `plaintext`. The owner of the TCP socket moves records; [`Half`] keeps one promise for it: if no
//! more is put into `records_in` than [`Half::appetite`] says, decrypting never lacks room, so the
//! connection can always be asked for output whatever the other direction does.

use alloc::boxed::Box;
use alloc::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::{CertificateDer, IpAddr, ServerName};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::{CipherSuite, ClientConfig, Error as TlsError, ProtocolVersion, ServerConfig};

use crate::buffer::ByteQueue;
use crate::{CloseReason, Limits};

/// Longest record: 2^14 bytes, header, and the 256 bytes of expansion of RFC 8446 §5.2.
pub(crate) const RECORD_MAX: usize = 16_384 + 5 + 256;

/// Room kept for alerts and key updates once the handshake is done.
const CONTROL_ROOM: usize = 512;

/// What sealing a message adds at most, for each record it takes (header, nonce, type, tag).
const RECORD_OVERHEAD: usize = 5 + 8 + 1 + 16;

/// Most endpoints in one message that may grow to their longest form.
const GROWN_ENDPOINTS: usize = 64;

/// Bytes of the longest message after rewriting.
pub(crate) const fn rewritten_bytes(limits: &Limits) -> usize {
    limits.sip.rewritten_bytes(GROWN_ENDPOINTS)
}

/// Bytes of `records_out`: the longest rewritten message sealed, or a handshake record.
pub(crate) const fn records_out_bytes(limits: &Limits) -> usize {
    let message = sealed_bytes(rewritten_bytes(limits)) + CONTROL_ROOM;
    if message > RECORD_MAX {
        message
    } else {
        RECORD_MAX
    }
}

/// Bytes of `plaintext`: all but the last byte of a message, and what a buffer full of records holds.
pub(crate) const fn plaintext_bytes(limits: &Limits) -> usize {
    limits.sip.message_bytes() + limits.records_bytes
}

/// At most this many bytes of records carry `len` bytes of plaintext.
const fn sealed_bytes(len: usize) -> usize {
    len + ((len >> 14) + 1) * RECORD_OVERHEAD
}

enum Connection {
    Absent,
    Client(Box<UnbufferedClientConnection>),
    Server(Box<UnbufferedServerConnection>),
}

/// What happens to the bytes a [`Half::send`] was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// They are in `records_out`.
    All,
    /// Nothing was taken: no room, or the handshake is not done.
    NoRoom,
}

/// What to do once the connection accepts application data.
#[derive(Clone, Copy)]
enum Want<'a> {
    Nothing,
    Goodbye,
    Seal(&'a [u8]),
}

/// One TLS half.
pub(crate) struct Half {
    connection: Connection,
    pub(crate) records_in: ByteQueue,
    pub(crate) records_out: ByteQueue,
    pub(crate) plaintext: ByteQueue,
    /// The handshake is done.
    pub(crate) is_open: bool,
    /// The peer said goodbye (close_notify): nothing follows.
    pub(crate) peer_closed: bool,
    /// We said goodbye.
    pub(crate) goodbye_sent: bool,
    /// Records wait for room in `records_out`.
    pub(crate) is_blocked: bool,
    /// The connection failed; rustls must not be asked again.
    has_failed: bool,
    first_byte: Option<u8>,
}

impl Half {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            connection: Connection::Absent,
            records_in: ByteQueue::new(limits.records_bytes),
            records_out: ByteQueue::new(records_out_bytes(limits)),
            plaintext: ByteQueue::new(plaintext_bytes(limits)),
            is_open: false,
            peer_closed: false,
            goodbye_sent: false,
            is_blocked: false,
            has_failed: false,
            first_byte: None,
        }
    }

    /// Becomes the server of a new connection.
    pub(crate) fn serve(&mut self, config: Arc<ServerConfig>) -> Result<(), CloseReason> {
        let connection =
            UnbufferedServerConnection::new(config).map_err(|_| CloseReason::Internal)?;
        self.connection = Connection::Server(Box::new(connection));
        Ok(())
    }

    /// Becomes the client of a new connection to the host at `address`.
    pub(crate) fn call(
        &mut self,
        config: Arc<ClientConfig>,
        address: core::net::Ipv4Addr,
    ) -> Result<(), CloseReason> {
        let name = ServerName::IpAddress(IpAddr::V4(address.octets().into()));
        let connection =
            UnbufferedClientConnection::new(config, name).map_err(|_| CloseReason::Internal)?;
        self.connection = Connection::Client(Box::new(connection));
        Ok(())
    }

    /// Whether there is a connection.
    pub(crate) fn is_present(&self) -> bool {
        !matches!(self.connection, Connection::Absent)
    }

    /// Ends whatever was, and overwrites what it left.
    pub(crate) fn wipe(&mut self) {
        self.connection = Connection::Absent;
        self.records_in.wipe();
        self.records_out.wipe();
        self.plaintext.wipe();
        self.is_open = false;
        self.peer_closed = false;
        self.goodbye_sent = false;
        self.is_blocked = false;
        self.has_failed = false;
        self.first_byte = None;
    }

    /// Bytes that may be put into `records_in` now.
    pub(crate) fn appetite(&self) -> usize {
        let decryptable = self.plaintext.room().saturating_sub(self.records_in.len());
        self.records_in.room().min(decryptable)
    }

    /// Works on what came in, up to where more is needed. Returns whether anything moved.
    ///
    /// After an error the alert that tells the peer is in `records_out`.
    pub(crate) fn work(&mut self) -> Result<bool, CloseReason> {
        if let (None, Some(&byte)) = (self.first_byte, self.records_in.filled().first()) {
            self.first_byte = Some(byte);
        }
        self.drive(Want::Nothing)
    }

    /// Seals `message` into `records_out`.
    pub(crate) fn send(&mut self, message: &[u8]) -> Result<Sent, CloseReason> {
        if !self.is_open || self.records_out.room() < sealed_bytes(message.len()) + CONTROL_ROOM {
            return Ok(Sent::NoRoom);
        }
        self.drive(Want::Seal(message))
            .map(|done| if done { Sent::All } else { Sent::NoRoom })
    }

    /// Says goodbye (close_notify) to the peer. Returns false if there is no room for it yet.
    pub(crate) fn say_goodbye(&mut self) -> Result<bool, CloseReason> {
        if self.goodbye_sent || self.has_failed || !self.is_open {
            return Ok(true);
        }
        self.goodbye_sent = self.drive(Want::Goodbye)?;
        Ok(self.goodbye_sent)
    }

    pub(crate) fn version(&self) -> Option<ProtocolVersion> {
        match &self.connection {
            Connection::Absent => None,
            Connection::Client(connection) => connection.protocol_version(),
            Connection::Server(connection) => connection.protocol_version(),
        }
    }

    pub(crate) fn cipher_suite(&self) -> Option<CipherSuite> {
        let suite = match &self.connection {
            Connection::Absent => None,
            Connection::Client(connection) => connection.negotiated_cipher_suite(),
            Connection::Server(connection) => connection.negotiated_cipher_suite(),
        };
        suite.map(|suite| suite.suite())
    }

    /// The peer's own certificate.
    pub(crate) fn peer_certificate(&self) -> Option<&CertificateDer<'static>> {
        let chain = match &self.connection {
            Connection::Absent => None,
            Connection::Client(connection) => connection.peer_certificates(),
            Connection::Server(connection) => connection.peer_certificates(),
        };
        chain?.first()
    }

    /// Runs the connection until it needs input, or has done what is wanted. For `Nothing` returns
    /// whether anything moved, else whether it was done.
    fn drive(&mut self, want: Want<'_>) -> Result<bool, CloseReason> {
        let mut moved = false;
        if self.has_failed {
            return Ok(false);
        }
        loop {
            let needed = if self.is_open {
                CONTROL_ROOM
            } else {
                RECORD_MAX
            };
            // A record that rustls has made is lost if there is no room to encode it.
            self.is_blocked = self.records_out.room() < needed;
            if self.is_blocked {
                return Ok(moved && matches!(want, Want::Nothing));
            }
            let step = self.step(want);
            match step {
                Step::Again => moved = true,
                Step::NeedsInput => {
                    if self.records_in.room() == 0 {
                        self.has_failed = true;
                        return Err(CloseReason::HandshakeTooLong);
                    }
                    return Ok(moved && matches!(want, Want::Nothing));
                }
                Step::PeerClosed => {
                    moved = true;
                    self.peer_closed = true;
                }
                Step::Closed => {
                    self.peer_closed = true;
                    return Ok(moved && matches!(want, Want::Nothing));
                }
                Step::Open { done } => {
                    if !self.is_open && self.is_handshaking() {
                        return Ok(moved && matches!(want, Want::Nothing));
                    }
                    moved |= !self.is_open;
                    self.is_open = true;
                    return Ok(match want {
                        Want::Nothing => moved,
                        Want::Goodbye | Want::Seal(_) => done,
                    });
                }
                Step::Unexpected => {
                    self.has_failed = true;
                    return Err(CloseReason::Internal);
                }
                Step::Failed(error) => {
                    self.fetch_alert();
                    return Err(self.reason(&error));
                }
            }
        }
    }

    fn step(&mut self, want: Want<'_>) -> Step {
        let records = self.records_in.filled_mut();
        let (out, plaintext) = (&mut self.records_out, &mut self.plaintext);
        let (discard, step) = match &mut self.connection {
            Connection::Absent => return Step::NeedsInput,
            Connection::Client(connection) => advance(
                connection.process_tls_records(records),
                out,
                plaintext,
                want,
            ),
            Connection::Server(connection) => advance(
                connection.process_tls_records(records),
                out,
                plaintext,
                want,
            ),
        };
        self.records_in.consume(discard);
        step
    }

    /// After an error, what was queued before it and the alert are all the connection has to say.
    fn fetch_alert(&mut self) {
        self.has_failed = true;
        // Input would be looked at again, and the same alert queued again.
        while self.wants_write() && self.records_out.room() >= CONTROL_ROOM {
            if !matches!(self.step(Want::Nothing), Step::Again) {
                return;
            }
        }
    }

    fn wants_write(&self) -> bool {
        match &self.connection {
            Connection::Absent => false,
            Connection::Client(connection) => connection.wants_write(),
            Connection::Server(connection) => connection.wants_write(),
        }
    }

    fn is_handshaking(&self) -> bool {
        match &self.connection {
            Connection::Absent => true,
            Connection::Client(connection) => connection.is_handshaking(),
            Connection::Server(connection) => connection.is_handshaking(),
        }
    }

    fn reason(&self, error: &TlsError) -> CloseReason {
        // Content types alert and handshake: what a TLS peer may begin with (RFC 8446 §5.1).
        let begins_as_tls = matches!(self.first_byte, Some(21 | 22));
        match error {
            TlsError::InvalidMessage(_) if !begins_as_tls => CloseReason::NotTls,
            _ => CloseReason::from_tls(error),
        }
    }
}

/// What one look at the connection came to.
enum Step {
    Again,
    Closed,
    Failed(TlsError),
    NeedsInput,
    Open { done: bool },
    PeerClosed,
    Unexpected,
}

/// Handles one state of a connection; returns how many bytes of `records_in` are done with.
fn advance<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    records_out: &mut ByteQueue,
    plaintext: &mut ByteQueue,
    want: Want<'_>,
) -> (usize, Step) {
    let UnbufferedStatus {
        mut discard, state, ..
    } = status;
    let state = match state {
        Ok(state) => state,
        Err(error) => return (discard, Step::Failed(error)),
    };
    let step = match state {
        ConnectionState::ReadTraffic(mut traffic) => {
            let mut step = Step::Again;
            while let Some(record) = traffic.next_record() {
                match record {
                    Ok(record) => {
                        discard += record.discard;
                        if !plaintext.extend(record.payload) {
                            step = Step::Unexpected;
                        }
                    }
                    Err(error) => return (discard, Step::Failed(error)),
                }
            }
            step
        }
        ConnectionState::EncodeTlsData(mut data) => {
            match data.encode(records_out.spare_mut(RECORD_MAX)) {
                Ok(len) => {
                    records_out.commit(len);
                    Step::Again
                }
                Err(_) => Step::Unexpected,
            }
        }
        ConnectionState::TransmitTlsData(data) => {
            data.done();
            Step::Again
        }
        ConnectionState::WriteTraffic(mut traffic) => {
            let sealed = match want {
                Want::Nothing => return (discard, Step::Open { done: false }),
                Want::Goodbye => traffic.queue_close_notify(records_out.spare_mut(CONTROL_ROOM)),
                Want::Seal(message) => {
                    let room = sealed_bytes(message.len()) + CONTROL_ROOM;
                    traffic.encrypt(message, records_out.spare_mut(room))
                }
            };
            match sealed {
                Ok(len) => {
                    records_out.commit(len);
                    Step::Open { done: true }
                }
                Err(_) => Step::Unexpected,
            }
        }
        ConnectionState::BlockedHandshake => Step::NeedsInput,
        ConnectionState::PeerClosed => Step::PeerClosed,
        ConnectionState::Closed => Step::Closed,
        // Early data is never offered nor accepted; the type may grow further states.
        _ => Step::Unexpected,
    };
    (discard, step)
}

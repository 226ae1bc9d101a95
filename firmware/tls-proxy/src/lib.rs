//! The TLS proxy: a pool of sessions, each two TLS halves with SIP messages passing between them.
//!
//! ```text
//!  originator                      one session                            target
//!  ── TCP ── records ── plaintext ── SIP message, rewritten ── records ── TCP ──▶
//!  ◀─ TCP ── records ── SIP message, rewritten ── plaintext ── records ── TCP ───
//! ```
//!
//! The caller that dials is the *originator*; towards it the session is a TLS server under the address
//! that was dialled. The *target* is who was dialled; towards it the session is a TLS client under the
//! caller's (translated) address. Packets of both legs go in and out as bare IPv4 packets; finding
//! the flow they belong to, and the Ethernet header, are the data plane's.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`proxy`](TlsProxy) | the pool: slots, deadlines, queues of packets and events, counters |
//! | `session` | one session: when legs open, how they end |
//! | `host` | the session's own TCP/IP host (two smoltcp sockets) and its packets |
//! | `half` | one rustls connection and the buffers around it |
//! | `relay` | whole SIP messages from one half to the other |
//! | [`reason`](CloseReason) | why sessions end, and how TLS errors map to that |
//! | `buffer`, `deadline`, `events` | a byte queue; a heap of deadlines; a queue of events |
//!
//! # Memory
//! Everything a session needs, but for what rustls allocates during its handshake and per record, is
//! claimed in [`TlsProxy::new`]; [`Limits::session_bytes`] says how much. Bytes are read from a leg only
//! while there is room for them further on, so a receiver that stops reading closes the sender's
//! TCP window and nothing grows.
//!
//! # Sources
//! RFC 9293 (TCP), RFC 5246 and RFC 8446 (TLS; closure alerts: §6.1), RFC 3261 §18 (SIP on streams).
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod api;
mod buffer;
mod deadline;
mod events;
mod half;
mod host;
mod proxy;
mod reason;
mod relay;
mod session;

pub use api::{
    Counters, Direction, Endpoints, Event, Inspector, Leg, LegState, LegView, Limits, OpenError,
    Opening, SessionId, SessionView, Transmit,
};
pub use proxy::TlsProxy;
pub use reason::CloseReason;

//! Whole SIP messages from one half to the other.
//!
//! What crosses is a parsed message, never raw bytes: a message leaves `plaintext` of one half only
//! when it is complete and rewritten, and in the same step it is sealed into the other half's records.

use core::net::Ipv4Addr;

use sip::{EndpointMap, Frame, Framer, Message, MessageKind, Transport};
use zeroize::Zeroize;

use crate::half::{Half, Sent};
use crate::{CloseReason, Direction, Inspector};

/// Messages moved in one turn of one direction.
const MESSAGES_PER_TURN: usize = 8;

/// One direction of a session.
pub(crate) struct Relay {
    framer: Framer,
    /// The frame at the front of the plaintext, once found.
    pending: Option<Frame>,
    /// Plaintext bytes passed.
    pub(crate) bytes: u64,
    /// Messages passed.
    pub(crate) messages: u64,
}

/// Where a turn of one direction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relayed {
    /// No complete message is left.
    Drained,
    /// There is more, and room for it: call again.
    More,
    /// The receiving half has no room.
    Stalled,
}

/// Takes the inspector's answers for one flow and direction.
pub(crate) struct FlowMap<'a> {
    pub(crate) inspector: &'a dyn Inspector,
    pub(crate) flow: u64,
    pub(crate) direction: Direction,
}

impl EndpointMap for FlowMap<'_> {
    fn map(
        &self,
        transport: Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        self.inspector
            .map(self.flow, self.direction, transport, address, port)
    }
}

impl Relay {
    pub(crate) fn new(limits: sip::Limits) -> Self {
        Self {
            framer: Framer::new(limits),
            pending: None,
            bytes: 0,
            messages: 0,
        }
    }

    pub(crate) fn reset(&mut self) {
        self.framer.reset();
        self.pending = None;
        self.bytes = 0;
        self.messages = 0;
    }

    /// Moves up to [`MESSAGES_PER_TURN`] messages. `scratch` holds a rewritten message and is left
    /// overwritten; `passed` is told of each.
    ///
    /// # Errors
    /// [`CloseReason::Sip`], or why the receiving half failed.
    pub(crate) fn turn(
        &mut self,
        from: &mut Half,
        to: &mut Half,
        map: &FlowMap<'_>,
        scratch: &mut [u8],
        mut passed: impl FnMut(MessageKind, usize),
    ) -> Result<Relayed, RelayError> {
        for _ in 0..MESSAGES_PER_TURN {
            if self.pending.is_none() {
                self.pending = self
                    .framer
                    .next(from.plaintext.filled())
                    .map_err(RelayError::Sip)?;
            }
            let Some(frame) = self.pending else {
                return Ok(Relayed::Drained);
            };
            let bytes = from
                .plaintext
                .filled()
                .get(..frame.len())
                .unwrap_or_default();
            let (kind, sent) = match frame {
                Frame::KeepAlive => (None, to.send(bytes)),
                Frame::Message { head_len, .. } => {
                    // Sealing a message grown to the full is checked again by `send`; this avoids
                    // rewriting it over and over while the receiver does not read.
                    if !to.is_open || to.records_out.room() < bytes.len() {
                        return Ok(Relayed::Stalled);
                    }
                    let message = Message::parse(bytes, head_len).map_err(RelayError::Sip)?;
                    let len = sip::rewrite(&message, Transport::Tls, map, scratch)
                        .map_err(RelayError::Sip)?;
                    let rewritten = scratch.get_mut(..len).unwrap_or_default();
                    let sent = to.send(rewritten);
                    rewritten.zeroize();
                    (Some(message.kind()), sent)
                }
            };
            if sent.map_err(RelayError::Receiver)? == Sent::NoRoom {
                return Ok(Relayed::Stalled);
            }
            from.plaintext.consume(frame.len());
            self.pending = None;
            // A length of memory fits.
            self.bytes += frame.len() as u64;
            if let Some(kind) = kind {
                self.messages += 1;
                passed(kind, frame.len());
            }
        }
        Ok(Relayed::More)
    }
}

/// Why a direction cannot go on, and whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelayError {
    /// The sender's bytes are no SIP message that may pass.
    Sip(sip::Error),
    /// The receiving half failed.
    Receiver(CloseReason),
}

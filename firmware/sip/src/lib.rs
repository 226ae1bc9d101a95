//! SIP as a firewall sees it: framing of a byte stream, a view of the header, and the rewriting of
//! translated addresses.
//!
//! [`Framer`] cuts a stream into messages, [`Message`] is a view of one that copies nothing, and
//! [`rewrite()`] writes it again with the addresses of translated nodes replaced. Which address becomes
//! which is asked of an [`EndpointMap`], so this crate knows no NAT rule; bodies are never touched.
//! Nothing here allocates, keeps time or does I/O.
//!
//! Follows RFC 3261 (§7 messages, §18.3 framing, §25 grammar) and RFC 5626 §3.5.1 (CRLF keep-alives).
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod fuzz;

mod frame;
mod message;
mod rewrite;
mod scan;

#[cfg(test)]
mod tests;

pub use frame::{Frame, Framer};
pub use message::{Header, HeaderName, Message, MessageKind, Method, StartLine};
pub use rewrite::{EndpointMap, Transport, rewrite};

/// Bounds of what is accepted as a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the start line and all headers, the empty line included.
    pub head_bytes: usize,
    /// Header lines, folded continuation lines counted too.
    pub headers: usize,
    /// Bytes of the body.
    pub body_bytes: usize,
}

impl Limits {
    /// The longest message these limits let pass, in bytes.
    #[must_use]
    pub const fn message_bytes(&self) -> usize {
        self.head_bytes + self.body_bytes
    }
}

impl Default for Limits {
    /// 8 KiB and 128 lines of headers, 16 KiB of body: several times what presence documents of large
    /// contact lists need.
    fn default() -> Self {
        Self {
            head_bytes: 8 * 1024,
            headers: 128,
            body_bytes: 16 * 1024,
        }
    }
}

/// Why bytes are no SIP message that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// The body announced is longer than [`Limits::body_bytes`].
    BodyTooLong,
    /// A carriage return without line feed, or a line feed without carriage return (RFC 3261 §7).
    BareLineBreak,
    /// A control character in the start line or a header.
    ControlCharacter,
    /// Content-Length is no decimal number (§20.14).
    ContentLengthInvalid,
    /// More than one Content-Length: two readers could disagree where the message ends.
    ContentLengthRepeated,
    /// No Content-Length on a stream (§18.3, §20.14).
    ContentLengthMissing,
    /// The header section is longer than [`Limits::head_bytes`].
    HeadTooLong,
    /// A header line without a name or a colon (§7.3.1).
    HeaderMalformed,
    /// The rewritten message is longer than the buffer given for it.
    OutputTooShort,
    /// The first line is neither a request line nor a status line (§7.1, §7.2).
    StartLineMalformed,
    /// More header lines than [`Limits::headers`].
    TooManyHeaders,
    /// The bytes given are not exactly one message.
    Truncated,
    /// The first line names another version than SIP/2.0.
    VersionUnsupported,
    /// A Via value without protocol or sent-by (§20.42).
    ViaMalformed,
}

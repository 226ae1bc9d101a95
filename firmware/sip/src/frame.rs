//! Cutting a byte stream into messages.
//!
//! [`Framer`] remembers how far it has looked, so bytes that trickle in one by one are each scanned
//! once. It owns no bytes: the caller keeps the stream in its own buffer and drops a frame's bytes
//! from the front when it is done with it. RFC 3261 §18.3; keep-alives: RFC 5626 §3.5.1.

use crate::message::{HeaderName, Lines, StartLine};
use crate::scan::{decimal, is_token, trim};
use crate::{Error, Limits};

/// What stands at the front of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One CRLF between messages (half a ping, or a pong): two bytes.
    KeepAlive,
    /// A whole message.
    Message {
        /// Bytes of start line, headers and the empty line.
        head_len: usize,
        /// Bytes of the whole message, body included.
        len: usize,
    },
}

impl Frame {
    /// Bytes of the frame.
    #[must_use]
    pub const fn len(&self) -> usize {
        match *self {
            Self::KeepAlive => 2,
            Self::Message { len, .. } => len,
        }
    }

    /// Whether the frame holds no byte; never true.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Finds the messages of one direction of one stream.
#[derive(Clone, Debug)]
pub struct Framer {
    limits: Limits,
    /// Bytes of the front message that were looked at.
    scanned: usize,
    line_start: usize,
    lines: usize,
    /// Set once the header section is complete.
    found: Option<Frame>,
}

impl Framer {
    /// A framer at the start of a stream.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            scanned: 0,
            line_start: 0,
            lines: 0,
            found: None,
        }
    }

    /// Forgets everything, for a new stream.
    pub fn reset(&mut self) {
        *self = Self::new(self.limits);
    }

    /// Looks at `stream`, the bytes received and not yet consumed, and returns the frame at its front
    /// if it is complete.
    ///
    /// After a frame the caller drops its [`len`](Frame::len) bytes from the front; after `None` it
    /// calls again with the same bytes and more behind them.
    ///
    /// # Errors
    /// The stream is lost: any [`Error`] but `OutputTooShort`, `Truncated` and `ViaMalformed`.
    pub fn next(&mut self, stream: &[u8]) -> Result<Option<Frame>, Error> {
        if self.found.is_none() {
            let Some(frame) = self.scan(stream)? else {
                return Ok(None);
            };
            self.found = Some(frame);
        }
        let complete = self.found.filter(|frame| stream.len() >= frame.len());
        if complete.is_some() {
            self.reset();
        }
        Ok(complete)
    }

    /// Looks for the end of the header section from where the last call stopped.
    fn scan(&mut self, stream: &[u8]) -> Result<Option<Frame>, Error> {
        while let Some(&byte) = stream.get(self.scanned) {
            if self.scanned >= self.limits.head_bytes {
                return Err(Error::HeadTooLong);
            }
            match byte {
                b'\r' => {
                    match stream.get(self.scanned + 1) {
                        None => return Ok(None),
                        Some(b'\n') => {}
                        Some(_) => return Err(Error::BareLineBreak),
                    }
                    if let Some(frame) = self.end_line(stream)? {
                        return Ok(Some(frame));
                    }
                }
                b'\n' => return Err(Error::BareLineBreak),
                b'\t' if self.lines > 0 => self.scanned += 1,
                0..0x20 | 0x7f => return Err(Error::ControlCharacter),
                // A stream that is no SIP at all is refused at its first byte, not after 8 KiB of it.
                _ if self.scanned == 0 && !is_token(byte) => return Err(Error::StartLineMalformed),
                _ => self.scanned += 1,
            }
        }
        Ok(None)
    }

    /// Takes the line that ends with the CRLF at `scanned`.
    fn end_line(&mut self, stream: &[u8]) -> Result<Option<Frame>, Error> {
        let is_empty = self.line_start == self.scanned;
        let is_first = self.lines == 0;
        let line = stream
            .get(self.line_start..self.scanned)
            .unwrap_or_default();
        self.scanned += 2;
        if is_empty && is_first {
            return Ok(Some(Frame::KeepAlive));
        }
        if is_empty {
            let head_len = self.scanned;
            if head_len > self.limits.head_bytes {
                return Err(Error::HeadTooLong);
            }
            let body_len = self.content_length(stream.get(..head_len).unwrap_or_default())?;
            return Ok(Some(Frame::Message {
                head_len,
                len: head_len + body_len,
            }));
        }
        if is_first {
            StartLine::parse(line)?;
        }
        self.lines += 1;
        if self.lines > self.limits.headers + 1 {
            return Err(Error::TooManyHeaders);
        }
        self.line_start = self.scanned;
        Ok(None)
    }

    fn content_length(&self, head: &[u8]) -> Result<usize, Error> {
        let mut length = None;
        for header in Lines::after_start_line(head) {
            let header = header?;
            if header.name != HeaderName::ContentLength {
                continue;
            }
            let value = decimal(trim(header.value)).ok_or(Error::ContentLengthInvalid)?;
            let value = usize::try_from(value).map_err(|_| Error::BodyTooLong)?;
            if length.replace(value).is_some() {
                return Err(Error::ContentLengthRepeated);
            }
        }
        let length = length.ok_or(Error::ContentLengthMissing)?;
        if length > self.limits.body_bytes {
            return Err(Error::BodyTooLong);
        }
        Ok(length)
    }
}

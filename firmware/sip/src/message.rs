//! A view of one SIP message that copies nothing. RFC 3261 §7.

use crate::Error;
use crate::scan::{decimal, is_space, is_token, skip_while};

/// The request methods this appliance tells apart (RFC 3261, 3262, 3265, 3311, 3428, 3515, 3903, 6086).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are the protocol's own")]
pub enum Method {
    Ack,
    Bye,
    Cancel,
    Info,
    Invite,
    Message,
    Notify,
    Options,
    Prack,
    Publish,
    Refer,
    Register,
    Subscribe,
    Update,
    /// Any other method.
    Unknown,
}

impl Method {
    /// The method that `name` (as on the wire; methods are case-sensitive) stands for.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Self {
        match name {
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"INFO" => Self::Info,
            b"INVITE" => Self::Invite,
            b"MESSAGE" => Self::Message,
            b"NOTIFY" => Self::Notify,
            b"OPTIONS" => Self::Options,
            b"PRACK" => Self::Prack,
            b"PUBLISH" => Self::Publish,
            b"REFER" => Self::Refer,
            b"REGISTER" => Self::Register,
            b"SUBSCRIBE" => Self::Subscribe,
            b"UPDATE" => Self::Update,
            _ => Self::Unknown,
        }
    }
}

/// What kind of message a start line announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// A request with its method.
    Request(Method),
    /// A response with its status code, 100 to 699.
    Response(u16),
}

/// The first line of a message, without its CRLF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// `METHOD URI SIP/2.0`
    Request {
        /// The method as on the wire.
        method: &'a [u8],
        /// The Request-URI as on the wire.
        uri: &'a [u8],
    },
    /// `SIP/2.0 CODE REASON`
    Status {
        /// 100 to 699.
        code: u16,
        /// The reason phrase, possibly empty.
        reason: &'a [u8],
    },
}

const VERSION: &[u8] = b"SIP/2.0";

impl<'a> StartLine<'a> {
    /// Parses the line (without CRLF).
    ///
    /// # Errors
    /// [`Error::StartLineMalformed`] or [`Error::VersionUnsupported`].
    pub fn parse(line: &'a [u8]) -> Result<Self, Error> {
        let (first, rest) = split_at_space(line).ok_or(Error::StartLineMalformed)?;
        if is_version(first) {
            if !first.eq_ignore_ascii_case(VERSION) {
                return Err(Error::VersionUnsupported);
            }
            let (code, reason) = match split_at_space(rest) {
                Some((code, reason)) => (code, reason),
                // The space behind the code is mandatory, but some write none with an empty phrase.
                None => (rest, &[][..]),
            };
            let code = decimal(code)
                .filter(|number| code.len() == 3 && (100..700).contains(number))
                .and_then(|number| u16::try_from(number).ok())
                .ok_or(Error::StartLineMalformed)?;
            return Ok(Self::Status { code, reason });
        }
        let (uri, version) = split_at_space(rest).ok_or(Error::StartLineMalformed)?;
        if first.is_empty() || uri.is_empty() || !first.iter().all(|&byte| is_token(byte)) {
            return Err(Error::StartLineMalformed);
        }
        if version.eq_ignore_ascii_case(VERSION) {
            Ok(Self::Request { method: first, uri })
        } else if version.contains(&b'/') && !version.contains(&b' ') {
            Err(Error::VersionUnsupported)
        } else {
            Err(Error::StartLineMalformed)
        }
    }

    /// What kind of message the line announces.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        match *self {
            Self::Request { method, .. } => MessageKind::Request(Method::from_name(method)),
            Self::Status { code, .. } => MessageKind::Response(code),
        }
    }
}

fn is_version(text: &[u8]) -> bool {
    text.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
}

fn split_at_space(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|&byte| byte == b' ')?;
    let (first, rest) = line.split_at_checked(at)?;
    Some((first, rest.get(1..)?))
}

/// The headers that framing and rewriting look at, whatever form their name is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the protocol's own")]
pub enum HeaderName {
    Contact,
    ContentLength,
    RecordRoute,
    Route,
    Via,
    /// Any other header.
    Other,
}

impl HeaderName {
    /// The header that `name` stands for: case-insensitive, long or compact form (RFC 3261 §7.3.3).
    #[must_use]
    pub fn from_name(name: &[u8]) -> Self {
        const NAMES: [(&[u8], HeaderName); 8] = [
            (b"via", HeaderName::Via),
            (b"v", HeaderName::Via),
            (b"contact", HeaderName::Contact),
            (b"m", HeaderName::Contact),
            (b"content-length", HeaderName::ContentLength),
            (b"l", HeaderName::ContentLength),
            (b"record-route", HeaderName::RecordRoute),
            (b"route", HeaderName::Route),
        ];
        NAMES
            .iter()
            .find(|(text, _)| name.eq_ignore_ascii_case(text))
            .map_or(Self::Other, |&(_, found)| found)
    }
}

/// One header, folded lines included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Which header it is.
    pub name: HeaderName,
    /// The name as on the wire.
    pub text: &'a [u8],
    /// Everything behind the colon up to the last CRLF, which is left out; folds are still in it.
    pub value: &'a [u8],
    /// Where the value starts, from the start of the message.
    pub value_offset: usize,
}

/// A view of one whole message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    bytes: &'a [u8],
    head: &'a [u8],
    start_line: StartLine<'a>,
    start_line_len: usize,
}

impl<'a> Message<'a> {
    /// Looks at `bytes`, a message whose header section (empty line included) is `head_len` bytes, as
    /// [`Frame::Message`](crate::Frame::Message) says.
    ///
    /// # Errors
    /// `Truncated`, `StartLineMalformed`, `VersionUnsupported` or `HeaderMalformed`.
    pub fn parse(bytes: &'a [u8], head_len: usize) -> Result<Self, Error> {
        let head = bytes.get(..head_len).ok_or(Error::Truncated)?;
        let start_line_len = line_len(head).ok_or(Error::Truncated)?;
        let start_line = StartLine::parse(head.get(..start_line_len).unwrap_or_default())?;
        if !head.ends_with(b"\r\n\r\n") {
            return Err(Error::Truncated);
        }
        for header in Lines::after_start_line(head) {
            header?;
        }
        Ok(Self {
            bytes,
            head,
            start_line,
            start_line_len,
        })
    }

    /// The first line.
    #[must_use]
    pub fn start_line(&self) -> StartLine<'a> {
        self.start_line
    }

    /// What kind of message it is.
    #[must_use]
    pub fn kind(&self) -> MessageKind {
        self.start_line.kind()
    }

    /// The headers in order.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        // `parse` has seen every line to be well formed.
        Lines::after_start_line(self.head).filter_map(Result::ok)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.bytes.get(self.head.len()..).unwrap_or_default()
    }

    /// The whole message.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Bytes of the start line without its CRLF.
    pub(crate) fn start_line_len(&self) -> usize {
        self.start_line_len
    }
}

/// The headers of a header section.
pub(crate) struct Lines<'a> {
    head: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    /// The headers of `head`, which ends with its empty line.
    pub(crate) fn after_start_line(head: &'a [u8]) -> Self {
        Self {
            head,
            at: line_len(head).map_or(head.len(), |len| len + 2),
        }
    }

    /// The end of the header that starts at `at`: the CRLF that no continuation line follows (§7.3.1).
    fn end(&self) -> Option<usize> {
        let mut end = self.at;
        loop {
            end += line_len(self.head.get(end..)?)?;
            match self.head.get(end + 2) {
                Some(b' ' | b'\t') => end += 2,
                _ => return Some(end),
            }
        }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Result<Header<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let end = self.end().filter(|&end| end > self.at)?;
        let start = self.at;
        self.at = end + 2;
        let line = self.head.get(start..end)?;
        let name_len = skip_while(line, 0, is_token);
        let colon = skip_while(line, name_len, |byte| {
            is_space(byte) && byte != b'\r' && byte != b'\n'
        });
        let (Some(text), Some(b':'), Some(value)) = (
            line.get(..name_len).filter(|text| !text.is_empty()),
            line.get(colon),
            line.get(colon + 1..),
        ) else {
            self.at = self.head.len();
            return Some(Err(Error::HeaderMalformed));
        };
        Some(Ok(Header {
            name: HeaderName::from_name(text),
            text,
            value,
            value_offset: start + colon + 1,
        }))
    }
}

/// Bytes before the first CRLF.
fn line_len(text: &[u8]) -> Option<usize> {
    text.windows(2).position(|pair| pair == b"\r\n")
}

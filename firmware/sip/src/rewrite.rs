//! Writing a message again with the addresses of translated nodes replaced.
//!
//! Looked at are the Request-URI, the sent-by of Via, and the URIs of Contact, Record-Route and
//! Route: the places a peer takes the next hop from (RFC 3261 §16.6, §18.2). Only IPv4 literals can be
//! translated; names, IPv6 literals, `received`, `rport` and `maddr` stay as they are, and so does
//! every byte that is not a replaced `host[:port]`.

use core::fmt::Write;
use core::net::Ipv4Addr;
use core::ops::Range;

use crate::message::{HeaderName, Message, StartLine};
use crate::scan::{
    decimal, find_unquoted, is_space, is_token, skip_quoted, skip_space, skip_while,
};
use crate::{Error, Limits};

/// The transport an address is to be used with, from Via's protocol or a URI's `transport` parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// TLS over TCP, also that of a `sips` URI.
    Tls,
    /// UDP.
    Udp,
    /// SCTP and others.
    Other,
}

impl Transport {
    fn from_name(name: &[u8]) -> Self {
        if name.eq_ignore_ascii_case(b"TLS") {
            Self::Tls
        } else if name.eq_ignore_ascii_case(b"TCP") {
            Self::Tcp
        } else if name.eq_ignore_ascii_case(b"UDP") {
            Self::Udp
        } else {
            Self::Other
        }
    }
}

/// What the address translation makes of an address in a header, for one direction of crossing:
/// real to mapped one way, mapped to real the other.
pub trait EndpointMap {
    /// The address and port to write in place of `address` and `port`, or `None` to leave both.
    ///
    /// `port` is `None` where the header gives none; a port of `None` in the answer writes none.
    fn map(
        &self,
        transport: Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)>;
}

/// Writes `message` to `output` with every translated address replaced, and returns the bytes written.
///
/// `carrier` is the transport the message came over; it holds for URIs that name none. The body is
/// copied untouched, so Content-Length stays right. If `map` changes nothing the output equals the
/// input byte for byte.
///
/// # Errors
/// [`Error::OutputTooShort`] or [`Error::ViaMalformed`]; `output` then holds part of the message.
pub fn rewrite(
    message: &Message<'_>,
    carrier: Transport,
    map: &dyn EndpointMap,
    output: &mut [u8],
) -> Result<usize, Error> {
    Rewriter::new(message.bytes(), carrier, map, output).run(message)
}

/// A rewriting under way: how much of the message was copied, and to where.
struct Rewriter<'a> {
    bytes: &'a [u8],
    copied: usize,
    carrier: Transport,
    map: &'a dyn EndpointMap,
    output: &'a mut [u8],
    written: usize,
}

impl<'a> Rewriter<'a> {
    fn new(
        bytes: &'a [u8],
        carrier: Transport,
        map: &'a dyn EndpointMap,
        output: &'a mut [u8],
    ) -> Self {
        Self {
            bytes,
            copied: 0,
            carrier,
            map,
            output,
            written: 0,
        }
    }

    fn run(mut self, message: &Message<'_>) -> Result<usize, Error> {
        if let StartLine::Request { method, uri } = message.start_line() {
            let start = method.len() + 1;
            debug_assert!(start + uri.len() <= message.start_line_len());
            self.uri(start..start + uri.len())?;
        }
        for header in message.headers() {
            let range = header.value_offset..header.value_offset + header.value.len();
            match header.name {
                HeaderName::Via => self.via(range)?,
                HeaderName::Contact | HeaderName::RecordRoute | HeaderName::Route => {
                    self.addresses(range)?;
                }
                HeaderName::ContentLength | HeaderName::Other => {}
            }
        }
        self.copy_to(self.bytes.len())?;
        Ok(self.written)
    }

    /// Via: `SIP / 2.0 / TLS host[:port] ;params`, several separated by commas (§25.1 `via-parm`).
    fn via(&mut self, range: Range<usize>) -> Result<(), Error> {
        let bytes = self.bytes;
        let text = bytes.get(..range.end).unwrap_or_default();
        let mut at = range.start;
        loop {
            for _ in 0..2 {
                at = skip_while(text, skip_space(text, at), is_token);
                at = skip_space(text, at);
                if text.get(at) != Some(&b'/') {
                    return Err(Error::ViaMalformed);
                }
                at += 1;
            }
            let transport = skip_space(text, at);
            at = skip_while(text, transport, is_token);
            let transport = Transport::from_name(text.get(transport..at).unwrap_or_default());
            let host = skip_space(text, at);
            if host == at {
                return Err(Error::ViaMalformed);
            }
            let end = find_unquoted(text, host, b";,");
            if host == end {
                return Err(Error::ViaMalformed);
            }
            self.endpoint(host..end, transport)?;
            at = find_unquoted(text, end, b",");
            if at >= text.len() {
                return Ok(());
            }
            at += 1;
        }
    }

    /// Contact, Record-Route, Route: `["name"] <uri>;params` or a bare URI, separated by commas.
    fn addresses(&mut self, range: Range<usize>) -> Result<(), Error> {
        let bytes = self.bytes;
        let text = bytes.get(..range.end).unwrap_or_default();
        let mut at = range.start;
        while at < text.len() {
            at = skip_space(text, at);
            if text.get(at) == Some(&b'"') {
                at = skip_quoted(text, at);
            }
            // An unquoted display name is tokens and spaces, so none of these stands before the '<'.
            let open = find_unquoted(text, at, b"<,;");
            if text.get(open) == Some(&b'<') {
                let close = skip_while(text, open, |byte| byte != b'>');
                self.uri(open + 1..close)?;
                at = close;
            } else {
                // RFC 3261 §20.10: without brackets, what follows ';' '?' or ',' is not of the URI.
                let end = skip_while(text, at, |byte| {
                    !is_space(byte) && !matches!(byte, b',' | b';' | b'?')
                });
                self.uri(at..end)?;
                at = end;
            }
            at = find_unquoted(text, at, b",") + 1;
        }
        Ok(())
    }

    /// A `sip:` or `sips:` URI; others are left alone.
    fn uri(&mut self, range: Range<usize>) -> Result<(), Error> {
        let bytes = self.bytes;
        let text = bytes.get(..range.end).unwrap_or_default();
        let colon = skip_while(text, range.start, |byte| byte.is_ascii_alphanumeric());
        let scheme = text.get(range.start..colon).unwrap_or_default();
        let is_sips = scheme.eq_ignore_ascii_case(b"sips");
        if text.get(colon) != Some(&b':') || !(is_sips || scheme.eq_ignore_ascii_case(b"sip")) {
            return Ok(());
        }
        // The user part may hold ';' and '?', but '@' is escaped everywhere else (§25.1).
        let at_sign = skip_while(text, colon + 1, |byte| byte != b'@');
        let host = if at_sign < text.len() {
            at_sign + 1
        } else {
            colon + 1
        };
        let end = skip_while(text, host, |byte| !matches!(byte, b';' | b'?'));
        let transport = match uri_transport(text.get(end..).unwrap_or_default()) {
            Some(named) => named,
            None if is_sips => Transport::Tls,
            None => self.carrier,
        };
        self.endpoint(host..end, transport)
    }

    /// Replaces the `host[:port]` in `range` if it is an IPv4 literal that the map translates.
    fn endpoint(&mut self, range: Range<usize>, transport: Transport) -> Result<(), Error> {
        let bytes = self.bytes;
        let text = bytes.get(..range.end).unwrap_or_default();
        let host_end = skip_while(text, range.start, |byte| {
            byte.is_ascii_digit() || byte == b'.'
        });
        let Some(address) = ipv4(text.get(range.start..host_end).unwrap_or_default()) else {
            return Ok(());
        };
        let colon = skip_space(text, host_end);
        let (port, end) = if text.get(colon) == Some(&b':') {
            let digits = skip_space(text, colon + 1);
            let end = skip_while(text, digits, |byte| byte.is_ascii_digit());
            let port = decimal(text.get(digits..end).unwrap_or_default())
                .and_then(|number| u16::try_from(number).ok());
            // Not a port: the whole is no endpoint we understand, and stays.
            let Some(port) = port else {
                return Ok(());
            };
            (Some(port), end)
        } else {
            (None, host_end)
        };
        // Something else than white space behind it makes it a name ("10.20.0.11a") or garbage.
        if skip_space(text, end) != text.len() {
            return Ok(());
        }
        match self.map.map(transport, address, port) {
            None => Ok(()),
            Some(mapped) if mapped == (address, port) => Ok(()),
            Some((address, port)) => {
                self.copy_to(range.start)?;
                self.copied = end;
                match port {
                    Some(port) => write!(self, "{address}:{port}"),
                    None => write!(self, "{address}"),
                }
                .map_err(|_| Error::OutputTooShort)
            }
        }
    }

    /// Copies the message as it is up to `end`.
    fn copy_to(&mut self, end: usize) -> Result<(), Error> {
        let bytes = self.bytes;
        let verbatim = bytes.get(self.copied..end).unwrap_or_default();
        self.push(verbatim)?;
        self.copied = end;
        Ok(())
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let end = self.written + bytes.len();
        self.output
            .get_mut(self.written..end)
            .ok_or(Error::OutputTooShort)?
            .copy_from_slice(bytes);
        self.written = end;
        Ok(())
    }
}

impl Write for Rewriter<'_> {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.push(text.as_bytes()).map_err(|_| core::fmt::Error)
    }
}

/// Most bytes that one replaced endpoint adds: from `1.1.1.1` to `255.255.255.255:65535`.
const GROWTH_BYTES: usize = 14;

impl Limits {
    /// Room for the longest message with `endpoints` of its addresses grown to their longest form.
    #[must_use]
    pub const fn rewritten_bytes(&self, endpoints: usize) -> usize {
        self.message_bytes() + endpoints * GROWTH_BYTES
    }
}

fn ipv4(text: &[u8]) -> Option<Ipv4Addr> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

/// The `transport` among the parameters of a URI, which start with ';'.
fn uri_transport(parameters: &[u8]) -> Option<Transport> {
    let parameters = parameters
        .split(|&byte| byte == b'?')
        .next()
        .unwrap_or_default();
    parameters
        .split(|&byte| byte == b';')
        .find_map(|parameter| {
            let (name, value) = parameter.split_at_checked(b"transport=".len())?;
            name.eq_ignore_ascii_case(b"transport=")
                .then(|| Transport::from_name(value))
        })
}

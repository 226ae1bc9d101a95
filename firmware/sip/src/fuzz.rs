//! Entries for fuzz targets: arbitrary bytes in, the laws of this crate asserted.

use alloc::vec;
use core::net::Ipv4Addr;

use crate::{EndpointMap, Frame, Framer, Limits, Message, Transport, rewrite};

/// A map that translates nothing.
struct Identity;

impl EndpointMap for Identity {
    fn map(
        &self,
        _transport: Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        Some((address, port))
    }
}

/// A map under which every address and port becomes the longest one.
struct Longest;

impl EndpointMap for Longest {
    fn map(
        &self,
        _transport: Transport,
        _address: Ipv4Addr,
        _port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        Some((Ipv4Addr::new(203, 203, 203, 203), Some(65_535)))
    }
}

/// Frames `data` at once and byte by byte; both must give the same frames and the same end.
///
/// # Panics
/// If they do not.
pub fn framing(data: &[u8]) {
    let limits = Limits::default();
    let mut whole = Framer::new(limits);
    let mut trickled = Framer::new(limits);
    let (mut start, mut shown) = (0, 0);
    loop {
        let rest = data.get(start..).unwrap_or_default();
        let expected = whole.next(rest);
        shown = shown.max(start);
        let found = loop {
            match trickled.next(data.get(start..shown).unwrap_or_default()) {
                Ok(None) if shown < data.len() => shown += 1,
                other => break other,
            }
        };
        assert_eq!(expected, found, "framing depends on how bytes arrive");
        match expected {
            Ok(Some(frame)) => start += frame.len(),
            Ok(None) | Err(_) => return,
        }
    }
}

/// Rewrites every message of `data`: the identity must change nothing, and what any map makes of a
/// message must be one message again, with the same body.
///
/// # Panics
/// If it is not so.
pub fn rewriting(data: &[u8]) {
    let limits = Limits::default();
    let mut framer = Framer::new(limits);
    let mut rest = data;
    let mut output = vec![0; 4 * limits.message_bytes()];
    while let Ok(Some(frame)) = framer.next(rest) {
        let Some((bytes, behind)) = rest.split_at_checked(frame.len()) else {
            return;
        };
        rest = behind;
        let Frame::Message { head_len, .. } = frame else {
            continue;
        };
        let Ok(message) = Message::parse(bytes, head_len) else {
            continue;
        };
        if let Ok(len) = rewrite(&message, Transport::Tls, &Identity, &mut output) {
            assert_eq!(
                output.get(..len),
                Some(bytes),
                "the identity changed a message"
            );
        }
        if let Ok(len) = rewrite(&message, Transport::Tls, &Longest, &mut output) {
            let rewritten = output.get(..len).unwrap_or_default();
            let head_len = len - message.body().len();
            let again = Message::parse(rewritten, head_len);
            assert_eq!(again.map(|message| message.body()), Ok(message.body()));
        }
    }
}

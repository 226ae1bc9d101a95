//! What must hold for the lines of any frame.

use alloc::string::String;

use clock::ZoneRules;
use dataplane::{CapturePoint, CapturedFrame, DropReason, PortId};
use hal::time::Instant;

use super::{Moment, Style, frame};

/// Prints a frame of these bytes in every style, as received and as dropped.
///
/// # Panics
/// If it has no lines, or what is printed is not printable.
pub fn capture_lines(bytes: &[u8]) {
    let rules = ZoneRules::default();
    let dropped = CapturePoint::Dropped(DropReason::AclDrop);
    for (style, point) in (0..8).flat_map(|bits| {
        let style = Style {
            detail: bits & 1 != 0,
            decode: bits & 2 != 0,
            dump: bits & 4 != 0,
        };
        [(style, CapturePoint::Received), (style, dropped)]
    }) {
        let seen = CapturedFrame {
            number: 0,
            at: Instant::ZERO,
            port: Some(PortId(0)),
            point,
            frame_len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        };
        let moment = Moment {
            rules: &rules,
            unix_micros: 0,
        };
        let mut out = String::new();
        frame(&mut out, 1, &moment, "inside", &seen, bytes, style);
        assert!(out.ends_with('\n'), "a line has an end");
        let is_printable = |c: char| c == '\n' || (' '..='~').contains(&c);
        assert!(out.chars().all(is_printable), "a terminal can show it");
    }
}

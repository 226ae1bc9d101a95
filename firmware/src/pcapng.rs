//! Captures as pcapng, the file format that other programs read
//! (draft-ietf-opsawg-pcapng, §4.1 to §4.3): one section, a description of each interface, a block
//! for each frame with its direction, and the reason if it was dropped.
//!
//! Blocks are appended to a buffer of the caller's, who takes them out piece by piece.

use alloc::string::String;
use alloc::vec::Vec;

use dataplane::{CapturePoint, CapturedFrame};

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

/// Tells readers that numbers have their lowest byte first.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Link type Ethernet.
const LINKTYPE_ETHERNET: u16 = 1;

// Options; `OPTION_COMMENT` and `OPTION_END` are those of every block.
const OPTION_END: u16 = 0;
const OPTION_COMMENT: u16 = 1;
const SECTION_APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const INTERFACE_TIME_RESOLUTION: u16 = 9;
const PACKET_FLAGS: u16 = 2;

/// Time stamps count microseconds: ten to the power of minus six.
const MICROSECONDS: u8 = 6;

/// Directions, in the flags of a packet.
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

/// The header of the only section. `comment` is for whoever reads the file.
pub(crate) fn section(out: &mut Vec<u8>, application: &str, comment: Option<&str>) {
    block(out, SECTION_HEADER, |out| {
        out.extend(BYTE_ORDER_MAGIC.to_le_bytes());
        // Version 1.0, of unknown length.
        out.extend([1, 0, 0, 0]);
        out.extend(u64::MAX.to_le_bytes());
        option(out, SECTION_APPLICATION, application.as_bytes());
        if let Some(comment) = comment {
            option(out, OPTION_COMMENT, comment.as_bytes());
        }
        option(out, OPTION_END, &[]);
    });
}

/// An interface, numbered from 0 in the order they are described. `kept_max` is the most bytes kept
/// of a frame.
pub(crate) fn interface(out: &mut Vec<u8>, name: &str, kept_max: u32) {
    block(out, INTERFACE_DESCRIPTION, |out| {
        out.extend(LINKTYPE_ETHERNET.to_le_bytes());
        out.extend([0; 2]);
        out.extend(kept_max.to_le_bytes());
        option(out, INTERFACE_NAME, name.as_bytes());
        option(out, INTERFACE_TIME_RESOLUTION, &[MICROSECONDS]);
        option(out, OPTION_END, &[]);
    });
}

/// A frame seen at an interface at `unix_micros`, of which `bytes` were kept.
pub(crate) fn packet(
    out: &mut Vec<u8>,
    interface: u32,
    unix_micros: u64,
    frame: &CapturedFrame,
    bytes: &[u8],
) {
    block(out, ENHANCED_PACKET, |out| {
        out.extend(interface.to_le_bytes());
        let [high, low] = [unix_micros >> 32, unix_micros & 0xffff_ffff];
        // Both halves have 32 bits now, and a frame fewer bytes than that.
        out.extend((high as u32).to_le_bytes());
        out.extend((low as u32).to_le_bytes());
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(frame.frame_len.to_le_bytes());
        out.extend(bytes);
        pad(out);
        let direction = match (frame.point, frame.port) {
            (CapturePoint::Sent, _) => OUTBOUND,
            (CapturePoint::Received, _) | (CapturePoint::Dropped(_), Some(_)) => INBOUND,
            // The box's own packet had no direction yet.
            (CapturePoint::Dropped(_), None) => 0,
        };
        option(out, PACKET_FLAGS, &direction.to_le_bytes());
        if let CapturePoint::Dropped(reason) = frame.point {
            let (name, text) = (reason.name(), reason.text());
            let comment: String = alloc::format!("Drop-reason: ({name}) {text}");
            option(out, OPTION_COMMENT, comment.as_bytes());
        }
        option(out, OPTION_END, &[]);
    });
}

/// A block: its type, its length before and behind, and what `write` puts between.
fn block(out: &mut Vec<u8>, kind: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_le_bytes());
    out.extend([0; 4]);
    write(out);
    // Pieces of memory are shorter than 4 GiB.
    let len = ((out.len() - start + 4) as u32).to_le_bytes();
    if let Some(field) = out.get_mut(start + 4..start + 8) {
        field.copy_from_slice(&len);
    }
    out.extend(len);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    // The texts above are short.
    let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
    out.extend(code.to_le_bytes());
    out.extend(len.to_le_bytes());
    out.extend(value.iter().take(usize::from(len)));
    pad(out);
}

/// Fills up to a multiple of four. Blocks start at one in the caller's buffer, too.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests;

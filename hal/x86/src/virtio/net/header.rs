//! The header in front of every frame: what the device found out, and what it is asked to do.
//!
//! A received one is the device's word, hence checked: offsets lie inside the frame's first buffer,
//! and only what was negotiated is taken. Whether the offsets are those of a transport header is for
//! the data plane, which parses them. Source: virtio 1.2 §5.1.6.2 (sent), §5.1.6.4 (received).

use hal::packet::{Offload, PacketBuf};

use super::regs::HEADER_LEN;
use super::regs::feature;
use super::regs::header::{
    CSUM_OFFSET, CSUM_START, DATA_VALID, FLAGS, GSO_ECN, GSO_NONE, GSO_SIZE, GSO_TCPV4, GSO_TYPE,
    HDR_LEN, NEEDS_CSUM,
};

/// Where data offset and flags are in a TCP header, and CWR in the flags.
const TCP_OFFSET: usize = 12;
const TCP_FLAGS: usize = 13;
const TCP_CWR: u8 = 0x80;

/// The header contradicts itself, the frame, or what was negotiated.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadOffload;

/// Reads the header of a received frame whose first buffer holds `len` bytes of it.
pub(super) fn read(
    header: &[u8; HEADER_LEN],
    len: usize,
    features: u64,
) -> Result<Offload, BadOffload> {
    let (flags, gso_type) = (header[FLAGS], header[GSO_TYPE]);
    // Without the feature the device sets nothing (§5.1.6.4.1), and older ones leave it unset.
    if features & feature::GUEST_CSUM == 0 || (flags == 0 && gso_type == GSO_NONE) {
        return Ok(Offload::default());
    }
    let mut offload = Offload {
        checksum_verified: flags & DATA_VALID != 0,
        ..Offload::default()
    };
    if flags & NEEDS_CSUM != 0 {
        offload.checksum_partial = true;
        offload.checksum_start = field(header, CSUM_START);
        offload.checksum_offset = field(header, CSUM_OFFSET);
        let at = usize::from(offload.checksum_start) + usize::from(offload.checksum_offset);
        if at + 2 > len {
            return Err(BadOffload);
        }
    }
    let may_have_ecn = features & feature::GUEST_ECN != 0;
    match gso_type {
        GSO_NONE => return Ok(offload),
        kind if kind == GSO_TCPV4 || (kind == GSO_TCPV4 | GSO_ECN && may_have_ecn) => {}
        _ => return Err(BadOffload),
    }
    offload.segment_size = field(header, GSO_SIZE);
    // §5.1.6.4.1: a segmented frame has a partial checksum.
    let is_sound = features & feature::GUEST_TSO4 != 0
        && offload.checksum_partial
        && offload.segment_size != 0;
    is_sound.then_some(offload).ok_or(BadOffload)
}

/// Makes the header for what `frame` asks of the device, which does it: the caller has seen to that
/// ([`Offloads`](hal::nic::Offloads)).
pub(super) fn write(frame: &PacketBuf) -> [u8; HEADER_LEN] {
    // `num_buffers` is zero in sent frames (§5.1.6.2.1).
    let mut header = [0; HEADER_LEN];
    let offload = frame.offload();
    if !offload.checksum_partial {
        return header;
    }
    header[FLAGS] = NEEDS_CSUM;
    put(&mut header, CSUM_START, offload.checksum_start);
    put(&mut header, CSUM_OFFSET, offload.checksum_offset);
    if offload.segment_size == 0 {
        return header;
    }
    let start = usize::from(offload.checksum_start);
    let of_tcp = |at: usize| frame.bytes().get(start + at).copied().unwrap_or(0);
    header[GSO_TYPE] = if of_tcp(TCP_FLAGS) & TCP_CWR != 0 {
        GSO_TCPV4 | GSO_ECN
    } else {
        GSO_TCPV4
    };
    let tcp_len = u16::from(of_tcp(TCP_OFFSET) >> 4) * 4;
    put(
        &mut header,
        HDR_LEN,
        offload.checksum_start.saturating_add(tcp_len),
    );
    put(&mut header, GSO_SIZE, offload.segment_size);
    header
}

fn field(header: &[u8; HEADER_LEN], at: usize) -> u16 {
    let bytes = header.get(at..).and_then(|rest| rest.first_chunk());
    bytes.map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

fn put(header: &mut [u8; HEADER_LEN], at: usize, value: u16) {
    if let Some(field) = header.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *field = value.to_le_bytes();
    }
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;

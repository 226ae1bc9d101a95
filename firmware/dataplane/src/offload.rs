//! Frames that ask their egress port for a checksum or for segmentation.
//!
//! Such frames come from ports that coalesce TCP segments, and from neighbours that share a machine
//! with us and leave the checksum to whoever needs it. They are carried as they are, one flow
//! look-up and one rewrite for up to 64 KiB: [`rewrite`](crate::nat::rewrite) keeps the partial
//! checksum right, and the port, or [`hal::offload`] before it, does what is asked for.
//!
//! [`admit`] is the edge: behind it a partial checksum is that of the TCP or UDP header that was
//! parsed, and a segmented frame is a TCP segment whose payload fills it.

use hal::offload::{TCP_CHECKSUM, complete_checksum};
use hal::packet::{Offload, PacketBuf};

use crate::drop_reason::DropReason;
use crate::v6::Headers6;
use crate::wire::{ETHERNET_LEN, Headers, Layer4, RST, SYN, UDP_CHECKSUM};

/// Checks what `frame`, received on a medium of `mtu`, asks for against what it is.
///
/// # Errors
/// [`DropReason::InvalidOffload`] if it does not fit; [`DropReason::InvalidEncap`] if the segments
/// are longer than the medium takes.
pub(crate) fn admit(frame: &mut PacketBuf, headers: &Headers, mtu: u16) -> Result<(), DropReason> {
    let end = usize::from(headers.ip) + usize::from(headers.total_len);
    admit_checksum(frame, end, headers.transport, headers.layer4)?;
    let offload = frame.offload();
    if offload.segment_size == 0 {
        return Ok(());
    }
    let Layer4::Tcp(fields) = headers.layer4 else {
        return Err(DropReason::InvalidOffload);
    };
    if fields.has(SYN) || fields.has(RST) || headers.payload_len() == 0 {
        return Err(DropReason::InvalidOffload);
    }
    if headers.payload_len() <= u32::from(offload.segment_size) {
        // One segment: an ordinary packet, judged as such.
        frame.set_offload(Offload {
            segment_size: 0,
            ..offload
        });
        return if headers.total_len > mtu {
            Err(DropReason::InvalidEncap)
        } else {
            Ok(())
        };
    }
    if segment_len(headers, offload) > u32::from(mtu) {
        return Err(DropReason::InvalidEncap);
    }
    Ok(())
}

/// As [`admit`], for IPv6: no port is asked to coalesce it, so none may.
///
/// # Errors
/// [`DropReason::InvalidOffload`].
pub(crate) fn admit6(frame: &mut PacketBuf) -> Result<(), DropReason> {
    let headers = Headers6::parse(frame.bytes(), ETHERNET_LEN, frame.frame_len())?;
    if frame.offload().segment_size != 0 {
        return Err(DropReason::InvalidOffload);
    }
    let end = usize::from(headers.ip) + usize::from(headers.total_len);
    admit_checksum(frame, end, headers.transport, headers.layer4)
}

/// Whether the checksum is partial, and that of the header of `layer4` at `transport` in a packet that
/// ends at `end`. Padding behind is cut off, since the sum runs to the end of the frame.
fn admit_checksum(
    frame: &mut PacketBuf,
    end: usize,
    transport: u16,
    layer4: Layer4,
) -> Result<(), DropReason> {
    if frame.frame_len() > end {
        if frame.is_chained() {
            return Err(DropReason::InvalidOffload);
        }
        frame.truncate(end);
    }
    let expected = match layer4 {
        Layer4::Tcp(_) => TCP_CHECKSUM,
        // The offset of a field fits.
        Layer4::Udp => UDP_CHECKSUM as u16,
        _ => return Err(DropReason::InvalidOffload),
    };
    let offload = frame.offload();
    let fits = offload.checksum_partial
        && offload.checksum_start == transport
        && offload.checksum_offset == expected;
    fits.then_some(()).ok_or(DropReason::InvalidOffload)
}

/// Bytes of the longest packet that a segmented frame is cut into.
fn segment_len(headers: &Headers, offload: Offload) -> u32 {
    let headers_len = u32::from(headers.total_len).saturating_sub(headers.payload_len());
    headers_len + u32::from(offload.segment_size)
}

/// Whether a frame longer than `mtu` is too long for it, or cut into packets that are not.
///
/// Segments are not made smaller than the sender made them: it learns of the narrow path from the
/// error, as it would have if they had come one by one.
pub(crate) fn is_too_long(frame: &PacketBuf, headers: &Headers, mtu: u16) -> bool {
    let offload = frame.offload();
    offload.segment_size == 0 || segment_len(headers, offload) > u32::from(mtu)
}

/// Completes the checksum of a frame that stays in the box, so that whoever takes it need not know
/// of partial ones. A segmented frame becomes one long packet.
pub(crate) fn complete(frame: &mut PacketBuf) {
    // Admitted: the header lies in the first buffer.
    let _ = complete_checksum(frame);
}

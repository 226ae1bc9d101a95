//! What a port does not do to the frames it sends, done in software.
//!
//! A frame may ask the port that sends it for two things ([`Offload`]): to
//! complete its transport checksum, and to cut a TCP segment longer than the medium takes. Frames
//! from ports that coalesce ask for both, and go out as they came if the other port does both
//! ([`Offloads`]). If it does not, a [`Finisher`] between the queue and the port does, at the last
//! moment, so that all before it handles one frame and not forty.
//!
//! Reference: virtio 1.2 §5.1.6.2 (what is asked for), RFC 9293 §3.1 (checksum).

use crate::checksum::{self, RunningSum};
use crate::nic::Offloads;
use crate::packet::{BUFFER_LEN, Batch, HEADROOM, Offload, PacketBuf, PacketPool};

const ETHERNET_LEN: usize = 14;
const ETHERTYPE_IPV4: u16 = 0x0800;
/// What stands where an EtherType would, if a VLAN tag follows (IEEE 802.1Q-2022 table 9-1), and the
/// bytes that come with it.
const ETHERTYPE_VLAN: u16 = 0x8100;
const VLAN_TAG_LEN: usize = 4;
const IPV4_LEN: usize = 20;
const PROTOCOL_TCP: u8 = 6;
const TCP_LEN: usize = 20;
/// Where the checksum of a TCP header is.
pub const TCP_CHECKSUM: u16 = 16;
/// Flags of a TCP header that belong to the last segment only: FIN and PSH.
const LAST_ONLY: u8 = 0x01 | 0x08;
/// The flag that belongs to the first segment only: CWR (RFC 3168 §6.1.2).
const CWR: u8 = 0x80;

/// The bytes of the transport segment that `offload` is about, from all buffers of `frame`, summed.
fn sum_from(frame: &PacketBuf, start: usize) -> u16 {
    let mut running = RunningSum::default();
    let mut skip = start;
    for part in frame.segments() {
        let counted = part.get(skip..).unwrap_or_default();
        skip = skip.saturating_sub(part.len());
        running.add(counted);
    }
    running.get()
}

/// Completes the partial checksum of `frame`, if it has one; the frame then asks for nothing and is
/// known to be right. Segmentation is not done: a long segment stays one, with one checksum.
///
/// Returns false, and changes nothing, if the checksum does not lie in the first buffer.
#[must_use]
pub fn complete_checksum(frame: &mut PacketBuf) -> bool {
    let offload = frame.offload();
    if !offload.checksum_partial {
        return true;
    }
    let start = usize::from(offload.checksum_start);
    let at = start + usize::from(offload.checksum_offset);
    if frame.bytes().get(at..at + 2).is_none() {
        return false;
    }
    let sum = sum_from(frame, start);
    put(frame.bytes_mut(), at, complemented(sum));
    frame.set_offload(Offload {
        checksum_verified: true,
        ..Offload::default()
    });
    true
}

/// The checksum field for `sum`. Zero would mean "none" in UDP, and all ones is the same number.
const fn complemented(sum: u16) -> u16 {
    match !sum {
        0 => 0xffff,
        field => field,
    }
}

fn be16(bytes: &[u8], at: usize) -> u16 {
    bytes
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |field| u16::from_be_bytes(*field))
}

fn put(bytes: &mut [u8], at: usize, value: u16) {
    if let Some(field) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *field = value.to_be_bytes();
    }
}

/// A long TCP segment that is being cut.
#[derive(Debug)]
pub struct Segmenter {
    frame: PacketBuf,
    /// Where the IPv4 and the TCP header begin, and where the payload does.
    ip: usize,
    tcp: usize,
    payload: usize,
    /// Payload bytes of a segment, of all, and of the segments made so far.
    segment_len: usize,
    payload_len: usize,
    done: usize,
    /// Segments made so far, which counts up the IPv4 identification.
    made: u16,
    /// Whether the port completes the checksums of the segments.
    leaves_checksum: bool,
}

impl Segmenter {
    /// Begins to cut `frame`. The port completes checksums if `leaves_checksum`.
    ///
    /// # Errors
    /// Gives the frame back if it is no TCP segment in IPv4 with a partial checksum, or its headers
    /// are not in its first buffer.
    pub fn new(frame: PacketBuf, leaves_checksum: bool) -> Result<Self, PacketBuf> {
        match Self::measure(&frame) {
            Some((ip, tcp, payload)) => {
                let frame_len = frame.frame_len();
                Ok(Self {
                    segment_len: usize::from(frame.offload().segment_size),
                    payload_len: frame_len.saturating_sub(payload),
                    frame,
                    ip,
                    tcp,
                    payload,
                    done: 0,
                    made: 0,
                    leaves_checksum,
                })
            }
            None => Err(frame),
        }
    }

    /// Where IPv4 header, TCP header and payload begin.
    fn measure(frame: &PacketBuf) -> Option<(usize, usize, usize)> {
        let offload = frame.offload();
        let bytes = frame.bytes();
        let ip = match be16(bytes, ETHERNET_LEN - 2) {
            ETHERTYPE_VLAN => ETHERNET_LEN + VLAN_TAG_LEN,
            _ => ETHERNET_LEN,
        };
        let header = bytes.get(ip..)?.first_chunk::<IPV4_LEN>()?;
        let tcp = ip + usize::from(header[0] & 0x0f) * 4;
        let payload = tcp + usize::from(bytes.get(tcp + 12)? >> 4) * 4;
        let is_cut = be16(bytes, ip - 2) == ETHERTYPE_IPV4
            && header[0] >> 4 == 4
            && header[9] == PROTOCOL_TCP
            && tcp >= ip + IPV4_LEN
            && payload >= tcp + TCP_LEN
            && payload <= bytes.len()
            && offload.checksum_partial
            && usize::from(offload.checksum_start) == tcp
            && offload.checksum_offset == TCP_CHECKSUM
            && offload.segment_size != 0;
        is_cut.then_some((ip, tcp, payload))
    }

    /// Whether all segments were made.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.made > 0 && self.done >= self.payload_len
    }

    /// The frame that was cut.
    #[must_use]
    pub fn into_frame(self) -> PacketBuf {
        self.frame
    }

    /// Makes the next segment; `None` if it is the end, or if `pool` is empty now.
    pub fn next(&mut self, pool: &mut PacketPool) -> Option<PacketBuf> {
        if self.is_done() {
            return None;
        }
        let len = self.segment_len.min(self.payload_len - self.done);
        let mut segment = self.copy(len, pool)?;
        self.fit_headers(&mut segment, len);
        self.done += len;
        self.made = self.made.wrapping_add(1);
        Some(segment)
    }

    /// The headers, and `len` bytes of payload behind those already sent.
    fn copy(&self, len: usize, pool: &mut PacketPool) -> Option<PacketBuf> {
        let mut segment = pool.take()?;
        let headers = self.frame.bytes().get(..self.payload)?;
        let mut is_whole = segment.extend(headers);
        let mut skip = self.payload + self.done;
        let mut left = len;
        for part in self.frame.segments() {
            let found = part.get(skip..).unwrap_or_default();
            skip = skip.saturating_sub(part.len());
            let found = found.get(..left.min(found.len())).unwrap_or_default();
            left -= found.len();
            is_whole = is_whole && append(&mut segment, found, pool);
            if left == 0 || !is_whole {
                break;
            }
        }
        if is_whole {
            return Some(segment);
        }
        pool.free(segment);
        None
    }

    fn fit_headers(&self, segment: &mut PacketBuf, len: usize) {
        let is_last = self.done + len >= self.payload_len;
        let (ip, tcp) = (self.ip, self.tcp);
        let bytes = segment.bytes_mut();
        // A segment is no longer than the packet it is cut from.
        let total_len = (self.payload - ip + len) as u16;
        let tcp_len = (self.payload - tcp + len) as u16;
        put(bytes, ip + 2, total_len);
        let identification = be16(bytes, ip + 4).wrapping_add(self.made);
        put(bytes, ip + 4, identification);
        put(bytes, ip + 10, 0);
        let header = bytes.get(ip..tcp).unwrap_or_default();
        let sum = checksum::sum(header);
        put(bytes, ip + 10, !sum);
        if let Some(sequence) = bytes.get_mut(tcp + 4..).and_then(<[u8]>::first_chunk_mut) {
            let first = u32::from_be_bytes(*sequence);
            // Less than 64 KiB.
            *sequence = first.wrapping_add(self.done as u32).to_be_bytes();
        }
        if let Some(flags) = bytes.get_mut(tcp + 13) {
            if !is_last {
                *flags &= !LAST_ONLY;
            }
            if self.made > 0 {
                *flags &= !CWR;
            }
        }
        // The pseudo-header is summed anew, as its length has changed.
        let addresses = checksum::sum(bytes.get(ip + 12..ip + 20).unwrap_or_default());
        let pseudo =
            checksum::fold(u64::from(addresses) + u64::from(PROTOCOL_TCP) + u64::from(tcp_len));
        put(bytes, tcp + usize::from(TCP_CHECKSUM), pseudo);
        segment.set_offload(Offload {
            checksum_partial: true,
            checksum_start: tcp as u16,
            checksum_offset: TCP_CHECKSUM,
            ..Offload::default()
        });
        if !self.leaves_checksum {
            // The headers were just written into the first buffer.
            let _ = complete_checksum(segment);
        }
    }
}

/// Copies `bytes` behind `frame`, into further buffers where the first is full.
fn append(frame: &mut PacketBuf, bytes: &[u8], pool: &mut PacketPool) -> bool {
    if !frame.is_chained() && frame.extend(bytes) {
        return true;
    }
    for part in bytes.chunks(BUFFER_LEN - HEADROOM) {
        let Some(mut next) = pool.take() else {
            return false;
        };
        // A chunk fits into an empty buffer.
        let _ = next.extend(part);
        frame.append(next);
    }
    true
}

/// Between a queue of frames and a port: makes of each frame what the port can send.
#[derive(Debug, Default)]
pub struct Finisher {
    waiting: Batch,
    cutting: Option<Segmenter>,
    refused: u64,
}

impl Finisher {
    /// Fills `out` with frames that ask for nothing that `port` does not do. `take` is asked for
    /// more frames as they come.
    ///
    /// While the pool is empty the rest of a frame that is being cut waits, and what is behind it.
    pub fn fill(
        &mut self,
        out: &mut Batch,
        port: Offloads,
        pool: &mut PacketPool,
        mut take: impl FnMut(&mut Batch),
    ) {
        if port == Offloads::ALL && self.is_idle() {
            take(out);
            return;
        }
        while !out.is_full() {
            if let Some(segmenter) = &mut self.cutting {
                match segmenter.next(pool) {
                    Some(segment) => {
                        // There is room.
                        let _ = out.push_back(segment);
                    }
                    None if segmenter.is_done() => {
                        if let Some(segmenter) = self.cutting.take() {
                            pool.free(segmenter.into_frame());
                        }
                    }
                    None => return,
                }
                continue;
            }
            if self.waiting.is_empty() {
                take(&mut self.waiting);
            }
            let Some(frame) = self.waiting.pop_front() else {
                return;
            };
            if let Some(frame) = self.finish(frame, port, pool) {
                let _ = out.push_back(frame);
            }
        }
    }

    /// The frame as the port can send it, unless it has to be cut or cannot be sent at all.
    fn finish(
        &mut self,
        mut frame: PacketBuf,
        port: Offloads,
        pool: &mut PacketPool,
    ) -> Option<PacketBuf> {
        let offload = frame.offload();
        if offload.segment_size != 0 && !may_leave_whole(&frame, port) {
            match Segmenter::new(frame, port.checksum) {
                Ok(segmenter) => self.cutting = Some(segmenter),
                Err(frame) => self.refuse(frame, pool),
            }
            return None;
        }
        if offload.checksum_partial && !port.checksum && !complete_checksum(&mut frame) {
            self.refuse(frame, pool);
            return None;
        }
        Some(frame)
    }

    fn refuse(&mut self, frame: PacketBuf, pool: &mut PacketPool) {
        self.refused += 1;
        pool.free(frame);
    }

    /// Gives all frames back to `pool`, because the port has stopped.
    pub fn clear(&mut self, pool: &mut PacketPool) {
        while let Some(frame) = self.waiting.pop_front() {
            pool.free(frame);
        }
        if let Some(segmenter) = self.cutting.take() {
            pool.free(segmenter.into_frame());
        }
    }

    /// Whether no frame waits here.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.cutting.is_none()
    }

    /// Frames that asked for what nobody can do.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

/// Whether `port` cuts this segment itself.
fn may_leave_whole(frame: &PacketBuf, port: Offloads) -> bool {
    let flags = usize::from(frame.offload().checksum_start) + 13;
    let has_cwr = frame
        .bytes()
        .get(flags)
        .is_some_and(|flags| flags & CWR != 0);
    port.tcp_segmentation && (port.ecn_segmentation || !has_cwr)
}

#[cfg(test)]
#[path = "offload_tests.rs"]
mod tests;

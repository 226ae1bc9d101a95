//! What a port with offloads does to frames: joins received TCP segments, cuts and sums sent ones.
//!
//! Written from the standards and not from `hal::offload`, which the tests hold against it.
//! IPv4 without options only; everything else passes as it is.

use hal::packet::Offload;

const IPV4_LEN: usize = 20;
const TCP: u8 = 6;
/// Where the checksum of a TCP header is.
const CHECKSUM: usize = 16;
const FIN: u8 = 0x01;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;
const CWR: u8 = 0x80;
/// The longest IPv4 packet.
const PACKET_MAX: usize = 65_535;

/// The ones'-complement sum of `bytes`, RFC 1071.
fn sum(bytes: &[u8], start: u64) -> u16 {
    let mut total = start;
    for pair in bytes.chunks(2) {
        let low = pair.get(1).copied().unwrap_or(0);
        total += u64::from(u16::from_be_bytes([pair[0], low]));
    }
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}

/// The sum of the pseudo-header of the packet at `ip`.
fn pseudo(bytes: &[u8], ip: usize) -> u16 {
    let addresses = &bytes[ip + 12..ip + IPV4_LEN];
    let len = (bytes.len() - ip - IPV4_LEN) as u64;
    sum(addresses, u64::from(bytes[ip + 9]) + len)
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn put(bytes: &mut [u8], at: usize, value: u16) {
    bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
}

/// Puts the IPv4 length of the packet at `ip` right, and the header's checksum.
fn fit_ipv4(bytes: &mut [u8], ip: usize) {
    let len = (bytes.len() - ip) as u16;
    put(bytes, ip + 2, len);
    put(bytes, ip + 10, 0);
    let field = !sum(&bytes[ip..ip + IPV4_LEN], 0);
    put(bytes, ip + 10, field);
}

/// Where the payload of the TCP segment in the packet at `ip` begins, if it is one that may be joined
/// to others: data under ACK, whole, with right checksums.
fn payload(bytes: &[u8], ip: usize) -> Option<usize> {
    let header = bytes.get(ip..ip + IPV4_LEN)?;
    let is_plain = header[0] == 0x45 && header[9] == TCP && header[6] & 0x3f == 0 && header[7] == 0;
    let len = usize::from(u16::from_be_bytes([header[2], header[3]]));
    if !is_plain || sum(header, 0) != 0xffff || ip + len != bytes.len() {
        return None;
    }
    let tcp = ip + IPV4_LEN;
    let payload = tcp + usize::from(bytes.get(tcp + 12)? >> 4) * 4;
    let is_data = bytes[tcp + 13] & !(PSH | CWR) == ACK && payload < bytes.len();
    let is_right = sum(&bytes[tcp..], u64::from(pseudo(bytes, ip))) == 0xffff;
    (is_data && is_right && payload >= tcp + 20).then_some(payload)
}

/// A received frame, and what is joined to it.
#[derive(Debug)]
pub struct Coalesced {
    bytes: Vec<u8>,
    ip: usize,
    /// Where the payload begins, if this frame can be joined at all.
    payload: Option<usize>,
    segment_len: usize,
    is_full: bool,
}

impl Coalesced {
    /// Begins with a frame whose IPv4 header is at `ip`.
    #[must_use]
    pub fn new(bytes: Vec<u8>, ip: usize) -> Self {
        let payload = payload(&bytes, ip);
        Self {
            segment_len: payload.map_or(0, |at| bytes.len() - at),
            is_full: payload.is_none_or(|_| bytes[ip + IPV4_LEN + 13] & PSH != 0),
            bytes,
            ip,
            payload,
        }
    }

    /// Joins `next` if it is the segment that follows; returns whether it is.
    pub fn join(&mut self, next: &[u8]) -> bool {
        let (Some(start), Some(from)) = (self.payload, payload(next, self.ip)) else {
            return false;
        };
        let tcp = self.ip + IPV4_LEN;
        let (data, joined) = (&next[from..], self.bytes.len() - start);
        let follows = be32(&self.bytes, tcp + 4).wrapping_add(joined as u32) == be32(next, tcp + 4);
        let is_like = from == start
            && self.bytes[self.ip + 12..tcp + 4] == next[self.ip + 12..tcp + 4]
            && self.bytes[tcp + 8..tcp + 13] == next[tcp + 8..tcp + 13]
            && self.bytes[tcp + 20..start] == next[tcp + 20..from]
            && next[tcp + 13] & CWR == 0;
        let fits =
            self.bytes.len() - self.ip + data.len() <= PACKET_MAX && data.len() <= self.segment_len;
        if self.is_full || !follows || !is_like || !fits {
            return false;
        }
        self.bytes[tcp + 13] |= next[tcp + 13] & PSH;
        self.is_full = data.len() < self.segment_len || next[tcp + 13] & PSH != 0;
        self.bytes.extend_from_slice(data);
        true
    }

    /// The frame as a port delivers it: what could have been joined has a partial checksum.
    #[must_use]
    pub fn finish(mut self) -> (Vec<u8>, Offload) {
        let Some(payload) = self.payload else {
            return (self.bytes, Offload::default());
        };
        fit_ipv4(&mut self.bytes, self.ip);
        let tcp = self.ip + IPV4_LEN;
        let partial = pseudo(&self.bytes, self.ip);
        put(&mut self.bytes, tcp + CHECKSUM, partial);
        let is_long = self.bytes.len() - payload > self.segment_len;
        let offload = Offload {
            checksum_partial: true,
            checksum_start: tcp as u16,
            checksum_offset: CHECKSUM as u16,
            segment_size: if is_long { self.segment_len as u16 } else { 0 },
            ..Offload::default()
        };
        (self.bytes, offload)
    }
}

/// The frames that a port puts on the wire for `bytes`, doing what `offload` asks.
///
/// # Panics
/// If what is asked for does not fit the frame: a real device might do anything.
#[must_use]
pub fn put_on_wire(bytes: Vec<u8>, offload: Offload) -> Vec<Vec<u8>> {
    if !offload.checksum_partial {
        assert_eq!(offload.segment_size, 0, "segments without a checksum");
        return vec![bytes];
    }
    let start = usize::from(offload.checksum_start);
    let complete = |mut bytes: Vec<u8>| {
        let at = start + usize::from(offload.checksum_offset);
        let field = !sum(&bytes[start..], 0);
        put(&mut bytes, at, field);
        bytes
    };
    if offload.segment_size == 0 {
        return vec![complete(bytes)];
    }
    let (ip, tcp) = (start - IPV4_LEN, start);
    assert_eq!(bytes[ip + 9], TCP, "only TCP is cut");
    let payload = tcp + usize::from(bytes[tcp + 12] >> 4) * 4;
    let (headers, data) = bytes.split_at(payload);
    let size = usize::from(offload.segment_size);
    let count = data.len().div_ceil(size);
    let cut = |(index, part): (usize, &[u8])| {
        let mut segment = headers.to_vec();
        segment.extend_from_slice(part);
        fit_ipv4(&mut segment, ip);
        let sequence = be32(headers, tcp + 4).wrapping_add((index * size) as u32);
        segment[tcp + 4..tcp + 8].copy_from_slice(&sequence.to_be_bytes());
        if index + 1 < count {
            segment[tcp + 13] &= !(FIN | PSH);
        }
        if index > 0 {
            segment[tcp + 13] &= !CWR;
        }
        let partial = pseudo(&segment, ip);
        put(&mut segment, tcp + CHECKSUM, partial);
        complete(segment)
    };
    data.chunks(size).enumerate().map(cut).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IP: usize = 14;

    fn segment(sequence: u32, flags: u8, data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; IP];
        bytes.extend([0x45, 0, 0, 0, 0, 1, 0, 0, 64, TCP, 0, 0]);
        bytes.extend([10, 0, 0, 1, 10, 0, 0, 2, 0x9c, 0x40, 0, 80]);
        bytes.extend(sequence.to_be_bytes());
        bytes.extend([0, 0, 0, 9, 0x50, flags, 1, 0, 0, 0, 0, 0]);
        bytes.extend(data);
        fit_ipv4(&mut bytes, IP);
        let sum = !sum(&bytes[IP + IPV4_LEN..], u64::from(pseudo(&bytes, IP)));
        put(&mut bytes, IP + IPV4_LEN + CHECKSUM, sum);
        bytes
    }

    #[test]
    fn segments_in_order_are_joined_and_come_out_again_as_they_were() {
        let data: Vec<u8> = (0..1_001u32).map(|at| at as u8).collect();
        let parts = data.chunks(300).enumerate();
        let segments: Vec<_> = parts
            .map(|(index, part)| {
                let flags = if index == 3 { ACK | PSH } else { ACK };
                let sequence = (u32::MAX - 400).wrapping_add(300 * index as u32);
                segment(sequence, flags, part)
            })
            .collect();
        let mut whole = Coalesced::new(segments[0].clone(), IP);
        assert!(segments[1..].iter().all(|next| whole.join(next)));
        let more = segment((u32::MAX - 400).wrapping_add(1_001), ACK, b"more");
        assert!(!whole.join(&more), "PSH ends it");
        let (bytes, offload) = whole.finish();
        assert_eq!((bytes.len(), offload.segment_size), (54 + 1_001, 300));
        assert_eq!(put_on_wire(bytes, offload), segments);
    }

    #[test]
    fn what_does_not_follow_or_is_damaged_is_not_joined() {
        let first = segment(100, ACK, &[1; 50]);
        let mut damaged = segment(150, ACK, &[2; 50]);
        damaged[60] ^= 1;
        let mut elsewhere = segment(150, ACK, &[2; 50]);
        elsewhere[IP + 19] = 3;
        for next in [
            damaged,
            elsewhere,
            segment(151, ACK, &[2; 50]),
            segment(150, ACK, &[2; 51]),
            segment(150, ACK | FIN, &[2; 50]),
            segment(150, ACK, &[]),
        ] {
            assert!(!Coalesced::new(first.clone(), IP).join(&next));
        }
        let (bytes, offload) = Coalesced::new(first.clone(), IP).finish();
        assert!(offload.checksum_partial && offload.segment_size == 0);
        assert_eq!(put_on_wire(bytes, offload), [first]);
    }
}

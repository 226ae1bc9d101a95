//! Frames of the hosts around the box.
#![allow(
    unreachable_pub,
    reason = "each test file that needs frames takes this one in"
)]

/// An Ethernet address of a host, made of its IPv4 address.
pub fn station(address: [u8; 4]) -> [u8; 6] {
    let [a, b, c, d] = address;
    [2, 0, a, b, c, d]
}

/// The box's Ethernet address at a port.
pub fn box_mac(port: u8) -> [u8; 6] {
    [0x52, 0x54, 0, 0, 0, port + 1]
}

/// A host asks for the box's address, by which it becomes known there.
pub fn arp_request(host: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(station(host));
    frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend(station(host));
    frame.extend(host);
    frame.extend([0; 6]);
    frame.extend(target);
    frame
}

/// Address and port.
pub type End = ([u8; 4], u16);

/// A frame to the box at `port` with an IPv4 packet that `via` sends.
fn frame(
    port: u8,
    via: [u8; 4],
    protocol: u8,
    from: [u8; 4],
    to: [u8; 4],
    message: &[u8],
) -> Vec<u8> {
    let mut header = vec![0x45, 0];
    header.extend((20 + message.len() as u16).to_be_bytes());
    header.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    header.extend(from);
    header.extend(to);
    let sum: u32 = header
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]))
        .sum();
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    header[10..12].copy_from_slice(&sum.to_be_bytes());
    let mut frame = box_mac(port).to_vec();
    frame.extend(station(via));
    frame.extend([8, 0]);
    frame.extend(header);
    frame.extend(message);
    frame
}

/// A TCP segment with flags, sequence and acknowledgment number. Nobody between two hosts looks at its
/// checksum.
pub fn tcp(
    port: u8,
    via: [u8; 4],
    from: End,
    to: End,
    flags: u8,
    numbers: [u32; 2],
    payload: &[u8],
) -> Vec<u8> {
    let mut segment = from.1.to_be_bytes().to_vec();
    segment.extend(to.1.to_be_bytes());
    segment.extend(numbers[0].to_be_bytes());
    segment.extend(numbers[1].to_be_bytes());
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    frame(port, via, 6, from.0, to.0, &segment)
}

/// A UDP datagram without checksum.
pub fn udp(port: u8, via: [u8; 4], from: End, to: End, payload: &[u8]) -> Vec<u8> {
    let mut datagram = from.1.to_be_bytes().to_vec();
    datagram.extend(to.1.to_be_bytes());
    datagram.extend((8 + payload.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    frame(port, via, 17, from.0, to.0, &datagram)
}

//! Requirement: bulk TCP crosses in units as long as the ports make them, and is the same on the
//! wire whatever the ports do themselves.
//! Needs: nothing; virtual time.

mod common;

use common::Box;
use hal::nic::Offloads;
use std::time::Duration;

const POLICY: &str = "configure terminal\ninterface gi0/0\n nameif outside\n \
     ip address 203.0.113.2 255.255.255.240\n no shutdown\ninterface gi0/1\n nameif inside\n \
     ip address 10.20.0.1 255.255.255.0\n no shutdown\n exit\n\
     object network all\n subnet 0.0.0.0 0.0.0.0\n nat (inside,outside) dynamic interface\n exit\nend";
const OUTSIDE: usize = 0;
const INSIDE: usize = 1;
const HOST: [u8; 4] = [10, 20, 0, 40];
const SERVER: [u8; 4] = [203, 0, 113, 5];
const OWN: [[u8; 4]; 2] = [[203, 0, 113, 2], [10, 20, 0, 1]];
const SYN: u8 = 2;
const PSH: u8 = 8;
const ACK: u8 = 16;
/// Data bytes of a full segment.
const FULL: usize = 1_400;

const NONE: Offloads = Offloads {
    checksum: false,
    tcp_segmentation: false,
    ecn_segmentation: false,
};
const SUMS: Offloads = Offloads {
    checksum: true,
    ..NONE
};

fn sum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2);
    let total: u32 = words
        .map(|word| u32::from(word[0]) << 8 | u32::from(word.get(1).copied().unwrap_or(0)))
        .sum();
    let total = (total & 0xffff) + (total >> 16);
    ((total & 0xffff) + (total >> 16)) as u16
}

/// The TCP segment `tcp` with its pseudo-header, as its checksum covers it.
fn covered(addresses: &[u8], tcp: &[u8]) -> Vec<u8> {
    let len = (tcp.len() as u16).to_be_bytes();
    [addresses, &[0, 6], &len, tcp].concat()
}

/// Who sends, from which port, to whom, to which port.
type Way = ([u8; 4], u16, [u8; 4], u16);

fn segment(
    side: usize,
    way: Way,
    flags: u8,
    sequence: u32,
    acknowledgment: u32,
    data: &[u8],
) -> Vec<u8> {
    let (source, source_port, destination, destination_port) = way;
    let addresses = [source, destination].concat();
    // A window of a mebibyte: a SYN offers the scale that the others use.
    let options: &[u8] = if flags & SYN != 0 { &[1, 3, 3, 7] } else { &[] };
    let mut tcp = [source_port.to_be_bytes(), destination_port.to_be_bytes()].concat();
    tcp.extend(sequence.to_be_bytes());
    tcp.extend(acknowledgment.to_be_bytes());
    tcp.extend([
        (5 + options.len() as u8 / 4) << 4,
        flags,
        0x20,
        0,
        0,
        0,
        0,
        0,
    ]);
    tcp.extend(options);
    tcp.extend(data);
    let field = !sum(&covered(&addresses, &tcp));
    tcp[16..18].copy_from_slice(&field.to_be_bytes());
    let mut header = vec![0x45, 0];
    header.extend((20 + tcp.len() as u16).to_be_bytes());
    header.extend([0, 1, 0x40, 0, 64, 6, 0, 0]);
    header.extend(addresses);
    let field = !sum(&header);
    header[10..12].copy_from_slice(&field.to_be_bytes());
    let mut frame = vec![0x52, 0x54, 0, 0, 0, side as u8 + 1, 2, 0, 0, 0, 0, 9, 8, 0];
    frame.extend(header);
    frame.extend(tcp);
    frame
}

/// A received segment, every checksum verified.
struct Received {
    way: Way,
    flags: u8,
    sequence: u32,
    data: Vec<u8>,
}

fn receive(frame: &[u8]) -> Option<Received> {
    if frame[12..14] != [8, 0] || frame[23] != 6 {
        return None;
    }
    assert_eq!(sum(&frame[14..34]), 0xffff, "IPv4 header");
    // Short frames are padded to the least that Ethernet carries.
    let end = 14 + usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    assert_eq!(frame.len(), end.max(60));
    let tcp = &frame[34..end];
    assert_eq!(sum(&covered(&frame[26..34], tcp)), 0xffff, "TCP segment");
    let address = |at: usize| frame[at..at + 4].try_into().expect("four bytes");
    let port = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    let sequence = u32::from_be_bytes(address(38));
    Some(Received {
        way: (address(26), port(34), address(30), port(36)),
        flags: frame[47],
        sequence,
        data: tcp[usize::from(tcp[12] >> 4) * 4..].to_vec(),
    })
}

fn arp_request(sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend([
        2, 0, 0, 0, 0, 9, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9,
    ]);
    frame.extend(sender);
    frame.extend([0; 6]);
    frame.extend(target);
    frame
}

struct Connection {
    sallyport: Box,
    /// From inside, and from outside as the server sees it.
    ways: [Way; 2],
}

impl Connection {
    fn open(offloads: [Offloads; 2]) -> Self {
        let mut sallyport = Box::boot_coalescing(offloads);
        sallyport.enable();
        sallyport.config(POLICY);
        sallyport.config(common::KEEP_SEQUENCES);
        for (side, sender) in [(OUTSIDE, SERVER), (INSIDE, HOST)] {
            assert!(sallyport.ends[side].send(&arp_request(sender, OWN[side])));
        }
        sallyport.wait(Duration::from_millis(500));
        let out = (HOST, 40_000, SERVER, 80);
        let mut connection = Self {
            sallyport,
            ways: [out, out],
        };
        connection.received(OUTSIDE);
        let syn = segment(INSIDE, out, SYN, 999, 0, &[]);
        let seen = connection.pass(INSIDE, &[syn]).remove(0).way;
        assert_eq!(seen.0, OWN[OUTSIDE]);
        connection.ways[OUTSIDE] = (seen.2, seen.3, seen.0, seen.1);
        let back = segment(
            OUTSIDE,
            connection.ways[OUTSIDE],
            SYN | ACK,
            4_999,
            1_000,
            &[],
        );
        assert_eq!(connection.pass(OUTSIDE, &[back]).len(), 1);
        let ack = segment(INSIDE, out, ACK, 1_000, 5_000, &[]);
        assert_eq!(connection.pass(INSIDE, &[ack]).len(), 1);
        let ack = segment(OUTSIDE, connection.ways[OUTSIDE], ACK, 5_000, 1_000, &[]);
        assert_eq!(connection.pass(OUTSIDE, &[ack]).len(), 1);
        connection
    }

    fn received(&mut self, side: usize) -> Vec<Received> {
        let frames = self.sallyport.ends[side].receive_all();
        frames.iter().filter_map(|frame| receive(frame)).collect()
    }

    /// Sends frames from one side at once; returns what comes out at the other.
    fn pass(&mut self, side: usize, frames: &[Vec<u8>]) -> Vec<Received> {
        for frame in frames {
            assert!(self.sallyport.ends[side].send(frame));
        }
        self.sallyport.wait(Duration::from_millis(10));
        self.received(1 - side)
    }

    /// Sends `data` in full segments; it must come out at the other side as it went in.
    fn carry(&mut self, side: usize, data: &[u8]) {
        let [first, acknowledgment] = if side == INSIDE {
            [1_000, 5_000]
        } else {
            [5_000, 1_000]
        };
        let count = data.len().div_ceil(FULL);
        let parts = data.chunks(FULL).enumerate();
        let frames: Vec<_> = parts
            .map(|(index, part)| {
                let flags = if index + 1 == count { ACK | PSH } else { ACK };
                let sequence = first + (index * FULL) as u32;
                segment(side, self.ways[side], flags, sequence, acknowledgment, part)
            })
            .collect();
        let received = self.pass(side, &frames);
        assert_eq!(received.len(), count);
        let mut joined = Vec::new();
        for (index, segment) in received.iter().enumerate() {
            assert_eq!(segment.sequence, first + joined.len() as u32);
            let flags = if index + 1 == count { ACK | PSH } else { ACK };
            assert_eq!(segment.flags, flags);
            joined.extend_from_slice(&segment.data);
        }
        assert!(joined == data);
    }

    /// Packets that the box has counted at its inside port.
    fn packets_input(&mut self) -> u64 {
        let shown = self.sallyport.line("show interface gi0/1");
        let line = shown.lines().find(|line| line.contains("packets input"));
        let words = line.and_then(|line| line.split_whitespace().next());
        words.and_then(|count| count.parse().ok()).expect("a count")
    }
}

#[test]
fn bulk_data_is_the_same_on_the_wire_whatever_the_ports_do() {
    let data: Vec<u8> = (0..150_000u32).map(|at| (at * 7 % 251) as u8).collect();
    for offloads in [
        [NONE, NONE],
        [SUMS, NONE],
        [Offloads::ALL, SUMS],
        [Offloads::ALL, Offloads::ALL],
    ] {
        let mut connection = Connection::open(offloads);
        let before = connection.packets_input();
        connection.carry(INSIDE, &data);
        let crossed = connection.packets_input() - before;
        let segments = data.len().div_ceil(FULL) as u64;
        assert!(
            crossed < segments / 20,
            "{crossed} units for {segments} segments"
        );
        connection.carry(OUTSIDE, &data);
        let shown = connection.sallyport.line("show interface");
        assert!(shown.contains("\t0 output errors"), "{shown}");
    }
}

#[test]
fn a_port_that_is_shut_down_while_a_frame_is_cut_gives_every_buffer_back() {
    let mut connection = Connection::open([NONE, NONE]);
    // Size, most, fewest ever free, free now.
    let blocks = |connection: &mut Connection| -> Vec<u64> {
        let shown = connection.sallyport.line("show blocks");
        let line = shown.lines().find(|line| line.starts_with("  2048"));
        let words = line.expect("packet buffers").split_whitespace();
        words.filter_map(|word| word.parse().ok()).collect()
    };
    let before = blocks(&mut connection);
    let cable = connection.sallyport.ends[OUTSIDE].cable().clone();
    cable.set_stalled(hal_sim::cable::Side::Left, true);
    let data = [7; 60_000];
    let parts = data.chunks(FULL).enumerate();
    for (index, part) in parts {
        let sequence = 1_000 + (index * FULL) as u32;
        let frame = segment(INSIDE, connection.ways[INSIDE], ACK, sequence, 5_000, part);
        assert!(connection.sallyport.ends[INSIDE].send(&frame));
    }
    for _ in 0..100 {
        connection.sallyport.appliance.turn();
    }
    cable.set_stalled(hal_sim::cable::Side::Left, false);
    connection
        .sallyport
        .config("configure terminal\ninterface gi0/0\n shutdown\nend");
    let after = blocks(&mut connection);
    assert_eq!(after[3], before[3], "free now");
    assert!(
        after[2] + 30 < before[2],
        "{after:?}: nothing was under way"
    );
}

//! Frames into the data plane, with time and an operator in between.
//!
//! The box has the policy of the federation guide: services published on one address, everything
//! else behind it, an access list on the outside, one class of connections for a proxy. An input is
//! a sequence of operations: raw frames, frames whose checksums are put right, frames between the
//! addresses that the policy knows, answers to and ICMP errors about what the box sent last. A device
//! may say about any of them that its checksum is partial, or that it is to be segmented; what the
//! box lets through of that must be possible to do.

mod policy;

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::time::Duration;

use dataplane::{
    CaptureKind, CaptureSettings, DataPlane, FlowId, Intercepted, Leg, Limits, PortId, Verdicts,
    VlanPort,
};
use hal::nic::Offloads;
use hal::offload::Finisher;
use hal::packet::{BATCH, Batch, Offload, PacketBuf, PacketPool};
use hal::time::Instant;

use policy::policy;

use crate::input::Input;
use crate::packets::{ETHERNET_LEN, Segment, fix_checksums, frame, ipv4, udp};

const OUTSIDE: PortId = PortId(0);
const INSIDE: PortId = PortId(1);
const DMZ: PortId = PortId(2);
const PORTS: [PortId; 3] = [OUTSIDE, INSIDE, DMZ];
/// The DMZ is a VLAN of the inside port.
const DMZ_VLAN: VlanPort = VlanPort {
    port: DMZ,
    carrier: INSIDE,
    vlan: 20,
};
const DMZ_TAG: [u8; 4] = [0x81, 0, 0, 20];
/// Bytes of both addresses of a frame: a tag follows.
const ADDRESSES_LEN: usize = 12;

const NODE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 11);
const NODE_2: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 12);
const DESK: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 40);
const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const EDGE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 130);
const OWN: [Ipv4Addr; 3] = [
    Ipv4Addr::new(203, 0, 113, 2),
    Ipv4Addr::new(192, 0, 2, 1),
    Ipv4Addr::new(203, 0, 113, 129),
];

/// Addresses that the policy tells apart, and some that nobody should send from.
const ADDRESSES: [Ipv4Addr; 14] = [
    NODE,
    EDGE,
    PUBLIC,
    DESK,
    NODE_2,
    GATEWAY,
    SERVER,
    OWN[0],
    OWN[1],
    OWN[2],
    Ipv4Addr::BROADCAST,
    Ipv4Addr::UNSPECIFIED,
    Ipv4Addr::new(224, 0, 0, 5),
    Ipv4Addr::new(192, 0, 2, 255),
];
const SERVICES: [u16; 10] = [5061, 5062, 5063, 5269, 15_269, 40_000, 1024, 53, 22, 0];
const BUFFERS: usize = 256;

thread_local! {
    /// Packet memory is claimed for good, so every input uses the same.
    static POOL: RefCell<PacketPool> = RefCell::new(PacketPool::new(BUFFERS));
}

/// Carries out the operations of `data`. Every frame must end in exactly one verdict, and every
/// buffer must be in the pool or waiting for a neighbour.
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    play(data);
}

/// As [`run`]; tells where the frames went.
pub(crate) fn play(data: &[u8]) -> Verdicts {
    POOL.with_borrow_mut(|pool| {
        let mut lab = Lab::new(pool);
        let mut input = Input::new(data);
        while !input.is_empty() {
            lab.operation(&mut input);
            lab.check();
        }
        lab.finish();
        lab.plane.verdicts()
    })
}

/// Bytes of each capture: a few frames.
const CAPTURE_LEN: usize = 4096;

struct Lab<'a> {
    plane: DataPlane,
    pool: &'a mut PacketPool,
    now: Instant,
    received: u64,
    /// What left the box last, and where.
    last: Option<(PortId, Vec<u8>)>,
    /// The flow handed to a proxy last.
    flow: Option<FlowId>,
    pending: Vec<(PortId, Vec<u8>)>,
    /// What the device says about frames that are received now.
    offload: Offload,
}

impl<'a> Lab<'a> {
    fn new(pool: &'a mut PacketPool) -> Self {
        let limits = Limits {
            ports: 2,
            subinterfaces: 1,
            flows: 64,
            neighbors: 32,
            transmit_queue: 64,
            handoff_queue: 32,
            access_bytes: 1 << 20,
            capture_bytes: 2 * CAPTURE_LEN,
            fragments: 16,
        };
        let mut plane = DataPlane::new(limits, [9; 16]);
        let now = Instant::from_secs(100);
        for (name, kind) in [
            ("wire", CaptureKind::RawData),
            ("drops", CaptureKind::AspDrop(None)),
        ] {
            let settings = CaptureSettings {
                kind,
                ports: match kind {
                    CaptureKind::RawData => PORTS.to_vec(),
                    CaptureKind::AspDrop(_) => Vec::new(),
                },
                is_circular: true,
                ..CaptureSettings::default()
            };
            assert_eq!(plane.add_capture(name, CAPTURE_LEN, settings), Ok(()));
        }
        plane.set_policy(policy(), pool, now);
        let mut lab = Self {
            plane,
            pool,
            now,
            received: 0,
            last: None,
            flow: None,
            pending: Vec::new(),
            offload: Offload::default(),
        };
        for (port, address) in [
            (OUTSIDE, GATEWAY),
            (INSIDE, NODE),
            (INSIDE, NODE_2),
            (INSIDE, DESK),
            (DMZ, SERVER),
        ] {
            lab.receive(port, &[arp(1, address, OWN[port.index()])]);
        }
        lab
    }

    fn operation(&mut self, input: &mut Input<'_>) {
        let code = input.byte();
        let port = PORTS[usize::from(code >> 4) % 3];
        self.offload = match code >> 4 {
            12.. => offload(input),
            _ => Offload::default(),
        };
        match code & 15 {
            0 => {
                let bytes = input.counted().to_vec();
                self.receive(port, &[bytes]);
            }
            1 | 2 => {
                let mut bytes = input.counted().to_vec();
                if let Some(packet) = bytes.get_mut(ETHERNET_LEN..) {
                    fix_checksums(packet);
                }
                bytes = addressed(bytes, port);
                self.receive(port, &[bytes]);
            }
            3..=5 => {
                let packet = composed(input);
                let bytes = frame(mac(port), station(port), &packet);
                self.receive(port, &[bytes]);
            }
            6 => self.answer(input),
            7 => self.icmp_error(input),
            8 => {
                let (operation, from, to) = (input.byte(), pick(input), pick(input));
                self.receive(port, &[arp(u16::from(operation & 3), from, to)]);
            }
            9 => {
                // Held back, and received as one batch with what comes next.
                let packet = composed(input);
                self.pending
                    .push((port, frame(mac(port), station(port), &packet)));
            }
            10 => {
                self.now += Duration::from_millis(1 << (input.byte() & 15));
                self.plane.handle_timeout(self.pool, self.now);
                self.drain();
            }
            11 => {
                if let Some(at) = self.plane.poll_timeout() {
                    self.now = at.max(self.now);
                    self.plane.handle_timeout(self.pool, self.now);
                    self.drain();
                }
            }
            12 => self.operate(port, input),
            13 => self.proxied(input),
            14 => {
                let packet = composed(input);
                if let Some(packet) = self.buffer(&packet) {
                    // A refusal is counted, which is what the check looks at.
                    let _ = self.plane.send_local(packet, self.pool, self.now);
                }
                self.drain();
            }
            _ => {
                let packet = composed(input);
                let before = self.plane.verdicts();
                let _ = self.plane.explain(port, &packet);
                assert_eq!(before, self.plane.verdicts(), "explaining counts nothing");
            }
        }
    }

    /// What an operator or the rest of the firmware may do at any time.
    fn operate(&mut self, port: PortId, input: &mut Input<'_>) {
        match input.byte() % 7 {
            0 => self.plane.set_link(port, input.byte() & 1 == 1, self.pool),
            1 => {
                self.plane.clear_conns(|_| true, self.now);
            }
            2 => {
                self.plane.clear_xlates(|_| true, self.now);
            }
            3 => self.plane.clear_neighbors(Some(port), self.pool),
            4 => {
                let mut changed = policy();
                let bits = input.byte();
                if bits & 1 != 0 {
                    changed.nat.pop();
                }
                if bits & 2 != 0 {
                    changed.inspections.clear();
                }
                if bits & 4 != 0 {
                    changed.interfaces.pop();
                }
                changed.inspect_icmp = bits & 8 != 0;
                if bits & 16 != 0 {
                    changed.connections.clear();
                }
                if bits & 32 != 0 {
                    changed.vlans.clear();
                }
                self.plane.set_policy(changed, self.pool, self.now);
            }
            5 => {
                let seen = self.plane.conns(self.now).count() + self.plane.xlates(self.now).count();
                assert!(seen < 64 * 4, "more than the tables hold");
            }
            _ => {
                if let Some(flow) = self.flow {
                    self.plane.end_intercept(flow, self.now);
                }
            }
        }
        self.drain();
    }

    /// A packet of the proxy, fitting its flow or not.
    fn proxied(&mut self, input: &mut Input<'_>) {
        let leg = if input.byte() & 1 == 0 {
            Leg::Originator
        } else {
            Leg::Target
        };
        let packet = composed(input);
        let Some(flow) = self.flow else {
            return;
        };
        let Some(packet) = self.buffer(&packet) else {
            return;
        };
        let _ = self
            .plane
            .send_intercepted(flow, leg, packet, self.pool, self.now);
        self.drain();
    }

    /// Answers what the box sent last, ends swapped, TCP flags and numbers as the input says.
    fn answer(&mut self, input: &mut Input<'_>) {
        let Some((port, mut bytes)) = self.last.clone() else {
            return;
        };
        let flags = input.byte();
        let Some(packet) = bytes.get_mut(ETHERNET_LEN..) else {
            return;
        };
        if packet.len() < 34 {
            return;
        }
        swap(packet, 12, 16, 4);
        match packet[9] {
            6 => {
                swap(packet, 20, 22, 2);
                packet[33] = flags;
                if flags & 0x80 != 0 {
                    packet[24..32].copy_from_slice(&input.bytes::<8>());
                } else {
                    swap(packet, 24, 28, 4);
                    if flags & 0x40 == 0 {
                        packet[31] = packet[31].wrapping_add(1);
                    }
                }
            }
            17 => swap(packet, 20, 22, 2),
            1 => packet[20] = 0,
            _ => {}
        }
        fix_checksums(packet);
        let bytes = addressed(bytes, port);
        self.receive(port, &[bytes]);
    }

    /// An ICMP error about what the box sent last.
    fn icmp_error(&mut self, input: &mut Input<'_>) {
        let Some((port, bytes)) = self.last.clone() else {
            return;
        };
        let Some(packet) = bytes
            .get(ETHERNET_LEN..)
            .filter(|packet| packet.len() >= 20)
        else {
            return;
        };
        let mut message = vec![input.one_of(&[3, 11, 12, 4, 5]), input.byte() & 15, 0, 0];
        message.extend(input.bytes::<4>());
        let quoted = usize::from(input.byte());
        message.extend(&packet[..packet.len().min(quoted)]);
        let sender = Ipv4Addr::new(packet[12], packet[13], packet[14], packet[15]);
        let packet = ipv4(pick(input), sender, 1, &message);
        self.receive(port, &[frame(mac(port), station(port), &packet)]);
    }

    fn receive(&mut self, port: PortId, frames: &[Vec<u8>]) {
        let held = std::mem::take(&mut self.pending);
        let together: Vec<_> = held
            .iter()
            .filter(|(of, _)| *of == port)
            .map(|(_, bytes)| bytes)
            .chain(frames)
            .take(BATCH)
            .collect();
        let mut batch = Batch::new();
        let carrier = if port == DMZ { INSIDE } else { port };
        for bytes in together {
            let mut bytes = bytes.clone();
            if port == DMZ {
                let at = bytes.len().min(ADDRESSES_LEN);
                bytes.splice(at..at, DMZ_TAG);
            }
            if let Some(mut frame) = self.buffer(&bytes) {
                frame.set_offload(self.offload);
                assert!(batch.push_back(frame).is_ok());
                self.received += 1;
            }
        }
        self.plane
            .handle_batch(carrier, &mut batch, self.pool, self.now);
        assert!(batch.is_empty(), "a frame was left over");
        self.drain();
    }

    /// `bytes` in buffers of the pool, in the smallest parts a device would merge.
    fn buffer(&mut self, bytes: &[u8]) -> Option<PacketBuf> {
        let mut first = self.pool.take()?;
        let mut parts = bytes.chunks(1800);
        assert!(first.extend(parts.next().unwrap_or_default()));
        for part in parts {
            let Some(mut next) = self.pool.take() else {
                break;
            };
            assert!(next.extend(part));
            first.append(next);
        }
        Some(first)
    }

    fn drain(&mut self) {
        while let Some(intercepted) = self.plane.poll_intercept() {
            match intercepted {
                Intercepted::Opening(opening, packet) => {
                    self.flow = Some(opening.flow);
                    self.pool.free(packet);
                }
                Intercepted::Packet { packet, .. } => self.pool.free(packet),
                Intercepted::Closed { .. } => {}
            }
        }
        while let Some(local) = self.plane.poll_local() {
            self.pool.free(local.packet);
        }
        for port in [OUTSIDE, INSIDE] {
            let mut finisher = Finisher::default();
            loop {
                let mut batch = Batch::new();
                finisher.fill(&mut batch, Offloads::default(), self.pool, |frames| {
                    self.plane.drain_transmit(port, frames);
                });
                if batch.is_empty() {
                    break;
                }
                while let Some(frame) = batch.pop_front() {
                    let mut bytes: Vec<u8> = frame.segments().flatten().copied().collect();
                    assert!(bytes.len() >= ETHERNET_LEN, "a frame without a header");
                    let mut port = port;
                    if bytes[ADDRESSES_LEN..].starts_with(&DMZ_TAG) {
                        assert_eq!(port, INSIDE, "the DMZ is behind one port");
                        bytes.drain(ADDRESSES_LEN..ADDRESSES_LEN + DMZ_TAG.len());
                        port = DMZ;
                    }
                    if bytes[12..14] == [8, 0] {
                        self.last = Some((port, bytes));
                    }
                    self.pool.free(frame);
                }
            }
            assert!(finisher.is_idle(), "a frame was not cut to its end");
            assert_eq!(finisher.refused(), 0, "what was let through cannot be done");
        }
    }

    fn check(&self) {
        let verdicts = self.plane.verdicts();
        assert_eq!(verdicts.received, self.received, "{verdicts:?}");
        assert_eq!(
            verdicts.received + verdicts.made,
            verdicts.sent
                + verdicts.consumed
                + verdicts.intercepted
                + verdicts.local
                + verdicts.waiting
                + verdicts.held
                + verdicts.joined
                + verdicts.dropped,
            "{verdicts:?}"
        );
        let out = self.pool.total() - self.pool.available();
        // A waiting frame may span several buffers; a fragment lies in one.
        let waits = verdicts.waiting + verdicts.held;
        assert!(
            out as u64 >= waits && (verdicts.waiting > 0 || out as u64 == verdicts.held),
            "{out} buffers are out, {verdicts:?}"
        );
    }

    /// Captures saw every dropped frame, and hold the last of them whole.
    fn check_captures(&self) {
        let mut bytes = Vec::new();
        for capture in self.plane.captures() {
            let mut cursor = capture.cursor();
            let mut count = 0;
            while let Some(frame) = capture.read(&mut cursor, &mut bytes) {
                assert!(bytes.len() <= frame.frame_len as usize);
                count += 1;
            }
            assert_eq!(count, capture.count(), "{}", capture.name());
            assert_eq!(capture.missed(), 0, "{}", capture.name());
            if capture.name() == "drops" {
                let seen = capture.count() + capture.overwritten();
                assert_eq!(seen, self.plane.verdicts().dropped);
            }
        }
    }

    /// Nothing waits any more, and every buffer is back.
    fn finish(&mut self) {
        self.plane.clear_neighbors(None, self.pool);
        // Longer than any fragment is kept.
        self.now += Duration::from_secs(6);
        self.plane.handle_timeout(self.pool, self.now);
        self.plane.clear_neighbors(None, self.pool);
        self.drain();
        self.check();
        self.check_captures();
        let verdicts = self.plane.verdicts();
        assert_eq!((verdicts.waiting, verdicts.held), (0, 0), "{verdicts:?}");
        assert_eq!(self.pool.available(), self.pool.total(), "{verdicts:?}");
    }
}

/// What a device says: mostly where the checksum of a TCP or UDP header without options is.
fn offload(input: &mut Input<'_>) -> Offload {
    // 38 is behind a VLAN tag, or behind an option.
    let start = input.one_of(&[34, 34, 38, 38, 20, 0, u16::MAX]);
    let offset = input.one_of(&[16, 16, 6, 2, u16::MAX]);
    Offload {
        checksum_verified: false,
        checksum_partial: input.byte() & 7 != 0,
        checksum_start: start,
        checksum_offset: offset,
        segment_size: input.one_of(&[0, 1, 8, 100, 1_448, u16::MAX]),
    }
}

/// A packet between addresses the policy knows.
fn composed(input: &mut Input<'_>) -> Vec<u8> {
    let (from, to) = (pick(input), pick(input));
    let kind = input.byte();
    let (source_port, port) = (input.one_of(&SERVICES), input.one_of(&SERVICES));
    let mut packet = match kind % 8 {
        0..=3 => {
            let flags = input.byte();
            let (sequence, acknowledgment) = match flags & 0xc0 {
                0 => (1000, 0),
                0x40 => (1001, 5001),
                _ => (input.long(), input.long()),
            };
            let count = usize::from(input.byte());
            Segment {
                from: (from, source_port),
                to: (to, port),
                flags: flags & 0x3f,
                sequence,
                acknowledgment,
                payload: input.take(count),
            }
            .packet()
        }
        4 | 5 => {
            let count = usize::from(input.byte());
            udp((from, source_port), (to, port), input.take(count))
        }
        6 => {
            let (kind, code) = (input.one_of(&[8, 0, 3, 11, 5, 13]), input.byte() & 1);
            let mut message = vec![kind, code, 0, 0];
            message.extend(input.bytes::<4>());
            let count = usize::from(input.byte());
            message.extend(input.take(count));
            ipv4(from, to, 1, &message)
        }
        _ => {
            let protocol = input.byte();
            ipv4(from, to, protocol, input.counted())
        }
    };
    if kind & 0x20 != 0 {
        // One of a few datagrams in a few pieces, which sometimes fit together.
        let id = input.byte() & 3;
        let place = input.one_of(&[0x2000, 0x2001, 0x2002, 0x2003, 1, 2, 3, 4]);
        packet[4..6].copy_from_slice(&[0, id]);
        packet[6..8].copy_from_slice(&u16::to_be_bytes(place));
        fix_checksums(&mut packet);
    }
    if kind & 0x80 != 0 {
        // Any byte may be wrong, with the checksums right or not.
        let at = usize::from(input.byte()) % packet.len();
        packet[at] ^= input.byte();
        if kind & 0x40 != 0 {
            fix_checksums(&mut packet);
        }
    }
    packet
}

fn pick(input: &mut Input<'_>) -> Ipv4Addr {
    let choice = input.byte();
    match ADDRESSES.get(usize::from(choice & 15)) {
        Some(&address) => address,
        None => Ipv4Addr::from_bits(input.long()),
    }
}

fn swap(bytes: &mut [u8], first: usize, second: usize, len: usize) {
    for index in 0..len {
        bytes.swap(first + index, second + index);
    }
}

/// The frame, sent to the box's own address on `port`.
fn addressed(mut bytes: Vec<u8>, port: PortId) -> Vec<u8> {
    if bytes.len() >= 12 {
        bytes[..6].copy_from_slice(&mac(port));
        bytes[6..12].copy_from_slice(&station(port));
    }
    bytes
}

fn mac(port: PortId) -> [u8; 6] {
    [2, 0, 0, 0, 0, port.0]
}

fn station(port: PortId) -> [u8; 6] {
    [6, 0, 0, 0, 0, port.0]
}

fn arp(operation: u16, sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let hardware = [6, 0, 0, 0, 1, sender.octets()[3]];
    let mut frame = vec![0xff; 6];
    frame.extend(hardware);
    frame.extend([8, 6, 0, 1, 8, 0, 6, 4]);
    frame.extend(operation.to_be_bytes());
    frame.extend(hardware);
    frame.extend(sender.octets());
    frame.extend([0; 6]);
    frame.extend(target.octets());
    frame.extend([0; 18]);
    frame
}

/// Connections from either side, with answers, data, errors and ends; raw frames.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    // Operation, source, destination, kind, source port, destination port, flags, payload length.
    let out = [0x13, 0, 1, 0, 5, 0, 2, 0];
    let into = [0x03, 1, 2, 0, 5, 0, 2, 0];
    let desk = [0x13, 3, 1, 4, 5, 7, 3, 1, 2, 3];
    let manage = [0x13, 3, 8, 0, 5, 8, 2, 0];
    let ping = [0x13, 3, 1, 6, 0, 0, 0, 0, 0, 1, 0, 1, 2, 9, 9];
    let syn_ack = [0x06, 0x12];
    let ack = [0x06, 0x10];
    let fin = [0x06, 0x11];
    let error = [0x07, 0, 3, 0, 0, 0, 0, 60, 5];
    let wait = [0x0a, 15];
    // Checksum of TCP partial; then data to be cut into segments of eight bytes.
    let partial = [&[0xd3, 0, 0, 1, 0], &out[1..]].concat();
    let long = [0xd3, 0, 0, 1, 2, 0, 1, 0, 5, 0, 0x10, 60];
    let packet = udp((DESK, 40_000), (EDGE, 53), b"a question");
    let bytes = frame(mac(INSIDE), station(INSIDE), &packet);
    let raw = [&[0x10, 0, bytes.len() as u8], bytes.as_slice()].concat();
    let fixed = [&[0x11, 0, bytes.len() as u8], bytes.as_slice()].concat();
    vec![
        [&out[..], &syn_ack, &ack, &fin, &fin, &ack, &wait].concat(),
        [&into[..], &syn_ack, &ack, &error, &fin, &wait].concat(),
        [&into[..], &[0x0d, 0], &out, &[0x0c, 6], &[0x0c, 1]].concat(),
        [&desk[..], &ack, &error, &wait, &ack].concat(),
        [&partial[..], &syn_ack, &long, &partial, &long, &ack].concat(),
        manage.to_vec(),
        [&ping[..], &ack, &error, &[0x0b, 0x0b]].concat(),
        [&raw[..], &fixed, &ack, &[0x0c, 4, 7], &raw, &[0x0c, 0, 0]].concat(),
        [&[0x19], &out[1..], &[0x19], &desk[1..], &ping].concat(),
        [
            &[0x08, 1, 5, 2, 0x08, 2, 5, 7, 0x08, 1, 1, 1][..],
            &desk,
            &[0x0f],
            &desk[1..],
        ]
        .concat(),
    ]
}

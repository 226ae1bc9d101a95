//! VLANs: whatever a box does between physical ports, it does between VLANs of one port, with the tag
//! before every frame and nothing else different.
//!
//! Most tests run two boxes side by side ([`Twins`]). They have the same policy and the same numbers of
//! ports; one has four physical ports, the other two, and `INSIDE` and `DMZ` are VLANs 10 and 20 of the
//! second.

mod tags;

use super::lab::{
    ACK, DESK, EDGE, GATEWAY, Lab, NODE, OUTSIDE, PUBLIC, Packet, SERVER, SYN, Segment, arp, echo,
    federation, icmp_error, ipv4, plain_sum, port_mac, station, udp,
};
use super::offload::PORTS;
use crate::*;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use hal::nic::Offloads;
use hal::offload::Finisher;
use hal::packet::{Batch, Offload, PacketBuf, PacketPool};
use hal::time::Instant;
use proptest::prelude::*;

/// The physical port of the VLANs.
const TRUNK: PortId = PortId(1);
const INSIDE: PortId = PortId(2);
const DMZ: PortId = PortId(3);
const INSIDE_OWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const DMZ_OWN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 129);
const INSIDE_TAG: [u8; 4] = [0x81, 0, 0, 10];
const DMZ_TAG: [u8; 4] = [0x81, 0, 0, 20];

const VLANS: [VlanPort; 2] = [
    VlanPort {
        port: INSIDE,
        carrier: TRUNK,
        vlan: 10,
    },
    VlanPort {
        port: DMZ,
        carrier: TRUNK,
        vlan: 20,
    },
];

/// The policy of the guide, `inside` and `dmz` one port further; `dmz` takes short packets only.
fn policy() -> Policy {
    let moved = |port: PortId| {
        if port == OUTSIDE {
            port
        } else {
            PortId(port.0 + 1)
        }
    };
    let mut policy = federation();
    for interface in &mut policy.interfaces {
        interface.port = moved(interface.port);
        interface.mac = port_mac(interface.port);
    }
    policy.interfaces[2].mtu = 600;
    for rule in &mut policy.nat {
        rule.real_interface = rule.real_interface.map(moved);
        rule.mapped_interface = rule.mapped_interface.map(moved);
    }
    let interface6 = |port: PortId, network| Interface6 {
        port,
        link_local: Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, u16::from(port.0)),
        addresses: alloc::vec![Address6 {
            address: Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, 1),
            prefix_len: 64,
        }],
        dad_attempts: 1,
        solicitation_interval: Duration::from_secs(1),
        reachable_time: Duration::from_secs(30),
        advertisement: Some(RouterAdvertisement {
            interval: Duration::from_secs(200),
            lifetime: Duration::from_secs(1800),
            managed: false,
            other: false,
            prefixes: Vec::new(),
        }),
    };
    policy.v6.interfaces = alloc::vec![interface6(INSIDE, 10), interface6(DMZ, 20)];
    policy.v6.access = alloc::vec![Vec::new(); policy.access_lists.len()];
    policy
}

fn tagged_policy() -> Policy {
    Policy {
        vlans: VLANS.to_vec(),
        ..policy()
    }
}

fn start(policy: Policy, ports: u8, subinterfaces: u8) -> Lab {
    let limits = Limits {
        ports,
        subinterfaces,
        flows: 256,
        ..Limits::default()
    };
    let mut lab = Lab {
        box_: DataPlane::new(limits, [9; 16]),
        pool: PacketPool::new(512),
        now: Instant::from_secs(100),
    };
    lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    lab
}

/// A frame with `tag` between addresses and EtherType.
fn with_tag(frame: &[u8], tag: &[u8]) -> Vec<u8> {
    let (addresses, rest) = frame.split_at(12);
    [addresses, tag, rest].concat()
}

/// A frame on the trunk, as its logical port has it.
fn taken_apart(frame: &[u8]) -> (PortId, Vec<u8>) {
    let port = match frame[12..16] {
        [0x81, 0, 0, 10] => INSIDE,
        [0x81, 0, 0, 20] => DMZ,
        _ => return (TRUNK, frame.to_vec()),
    };
    (port, [&frame[..12], &frame[16..]].concat())
}

/// Gives a frame to a box, and takes what leaves by the physical port `port` of it through a port that
/// does `offloads`.
fn drain(lab: &mut Lab, ports: &[PortId], offloads: Offloads) -> Vec<(PortId, Offload, Vec<u8>)> {
    let mut sent = Vec::new();
    for &port in ports {
        let mut finisher = Finisher::default();
        loop {
            let mut out = Batch::new();
            finisher.fill(&mut out, offloads, &mut lab.pool, |frames| {
                lab.box_.drain_transmit(port, frames);
            });
            if out.is_empty() {
                break;
            }
            while let Some(frame) = out.pop_front() {
                let bytes = frame.segments().flatten().copied().collect();
                sent.push((port, frame.offload(), bytes));
                lab.pool.free(frame);
            }
        }
        assert_eq!(finisher.refused(), 0);
    }
    lab.check_conservation();
    sent
}

/// Two boxes that must not be told apart but by the tags of the second.
struct Twins {
    plain: Lab,
    tagged: Lab,
}

impl Twins {
    fn new() -> Self {
        let mut twins = Self {
            plain: start(policy(), 4, 0),
            tagged: start(tagged_policy(), 2, 2),
        };
        let announced = twins.compare(Offloads::ALL);
        // One announcement of its address by each port, and a probe of each IPv6 address.
        assert_eq!(announced.len(), 3 + 4);
        twins.wait(Duration::from_secs(1));
        for (port, neighbour, own) in [
            (OUTSIDE, GATEWAY, Ipv4Addr::new(203, 0, 113, 2)),
            (INSIDE, NODE, INSIDE_OWN),
            (INSIDE, DESK, INSIDE_OWN),
            (DMZ, SERVER, DMZ_OWN),
        ] {
            assert_eq!(twins.send(port, &arp(1, neighbour, own)).len(), 1);
        }
        twins
    }

    /// What both have to send, compared; the tags of the second are what they must be.
    fn compare(&mut self, offloads: Offloads) -> Vec<(PortId, Vec<u8>)> {
        let plain = drain(&mut self.plain, &[OUTSIDE, TRUNK, INSIDE, DMZ], offloads);
        let tagged = drain(&mut self.tagged, &[OUTSIDE, TRUNK], offloads);
        let mut apart: Vec<_> = tagged
            .into_iter()
            .map(|(port, mut offload, bytes)| {
                if port == OUTSIDE {
                    return (port, offload, bytes);
                }
                let (port, bytes) = taken_apart(&bytes);
                if offload.checksum_partial {
                    offload.checksum_start -= 4;
                }
                (port, offload, bytes)
            })
            .collect();
        apart.sort_by_key(|(port, ..)| *port);
        assert_eq!(apart, plain);
        let (one, other) = (self.plain.box_.verdicts(), self.tagged.box_.verdicts());
        assert_eq!(one, other);
        assert_eq!(self.plain.drops(), self.tagged.drops());
        for port in [OUTSIDE, INSIDE, DMZ] {
            assert_eq!(
                self.plain.box_.port_counters(port),
                self.tagged.box_.port_counters(port),
                "{port:?}"
            );
        }
        plain
            .into_iter()
            .map(|(port, _, bytes)| (port, bytes))
            .collect()
    }

    fn send(&mut self, port: PortId, frame: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        self.send_asking(port, frame, Offload::default(), Offloads::ALL)
    }

    /// Sends a frame that asks for `offload` to both.
    fn send_asking(
        &mut self,
        port: PortId,
        frame: &[u8],
        offload: Offload,
        offloads: Offloads,
    ) -> Vec<(PortId, Vec<u8>)> {
        let plain = chain(&mut self.plain, frame, offload);
        give(&mut self.plain, port, plain);
        let (physical, bytes, shift) = match port {
            INSIDE => (TRUNK, with_tag(frame, &INSIDE_TAG), 4),
            DMZ => (TRUNK, with_tag(frame, &DMZ_TAG), 4),
            _ => (port, frame.to_vec(), 0),
        };
        let offload = Offload {
            checksum_start: match offload.checksum_partial {
                true => offload.checksum_start + shift,
                false => 0,
            },
            ..offload
        };
        let tagged = chain(&mut self.tagged, &bytes, offload);
        give(&mut self.tagged, physical, tagged);
        self.compare(offloads)
    }

    /// The one frame that leaves, by `egress`.
    fn pass(&mut self, ingress: PortId, frame: &[u8], egress: PortId) -> Packet {
        let sent = self.send(ingress, frame);
        let [(port, frame)] = sent.as_slice() else {
            panic!("{sent:?}: {:?}", self.plain.drops());
        };
        assert_eq!(*port, egress);
        assert_eq!(frame[6..12], port_mac(egress).0);
        Packet::parse(&frame[14..])
    }

    fn wait(&mut self, duration: Duration) {
        self.plain.wait(duration);
        self.tagged.wait(duration);
        self.compare(Offloads::ALL);
    }
}

/// A frame in buffers.
fn chain(lab: &mut Lab, bytes: &[u8], offload: Offload) -> PacketBuf {
    let (first, rest) = bytes.split_at(bytes.len().min(1_700));
    let mut frame = lab.buffer(first);
    for part in rest.chunks(1_900) {
        let next = lab.buffer(part);
        frame.append(next);
    }
    frame.set_offload(offload);
    frame
}

fn give(lab: &mut Lab, port: PortId, frame: PacketBuf) {
    let mut batch = Batch::new();
    assert!(batch.push_back(frame).is_ok());
    lab.box_
        .handle_batch(port, &mut batch, &mut lab.pool, lab.now);
}

/// A frame of the station `source` to the box at `port`.
fn frame(port: PortId, source: Ipv4Addr, packet: &[u8]) -> Vec<u8> {
    [&port_mac(port).0[..], &station(source).0, &[8, 0], packet].concat()
}

/// A neighbour solicitation for the box's address in the VLAN of `port`, or a router solicitation.
fn discovery(port: PortId, kind: u8) -> Vec<u8> {
    let network = if port == INSIDE { 10 } else { 20 };
    let own = Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, 1);
    let source = Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, 0x11);
    let (destination, group, mut message) = if kind == 135 {
        let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 1);
        let message = [&[135, 0, 0, 0, 0, 0, 0, 0], &own.octets()[..]].concat();
        (group, [0x33, 0x33, 0xff, 0, 0, 1], message)
    } else {
        let routers = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
        (
            routers,
            [0x33, 0x33, 0, 0, 0, 2],
            alloc::vec![kind, 0, 0, 0, 0, 0, 0, 0],
        )
    };
    message.extend([1, 1, 6, 6, 6, 6, 6, 6]);
    let pseudo = [
        &source.octets()[..],
        &destination.octets(),
        &[0, 0, 0, message.len() as u8, 0, 0, 0, 58],
        &message,
    ];
    let sum = !plain_sum(&pseudo.concat());
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let head = [0x60, 0, 0, 0, 0, message.len() as u8, 58, 255];
    [
        &group[..],
        &[6; 6],
        &[0x86, 0xdd],
        &head,
        &source.octets(),
        &destination.octets(),
        &message,
    ]
    .concat()
}

#[test]
fn vlans_of_one_port_are_routed_to_each_other() {
    let mut twins = Twins::new();
    let syn = Segment::new(DESK, 40_000, SERVER, 443, SYN).seq(1000);
    let out = twins.pass(INSIDE, &frame(INSIDE, DESK, &syn.packet()), DMZ);
    assert_eq!((out.source, out.destination), (DESK, SERVER));
    let answer = Segment::new(SERVER, 443, DESK, 40_000, SYN | ACK).seq(5000);
    let answer = answer.ack(1001).packet();
    twins.pass(DMZ, &frame(DMZ, SERVER, &answer), INSIDE);
    // The other way about the levels decide: nothing leaves, and both boxes say why.
    let refused = Segment::new(SERVER, 443, NODE, 22, SYN).packet();
    assert_eq!(twins.send(DMZ, &frame(DMZ, SERVER, &refused)), []);
}

#[test]
fn a_frame_leaves_with_the_tag_of_its_vlan_and_its_own_bytes() {
    let mut lab = start(tagged_policy(), 2, 2);
    drain(&mut lab, &[OUTSIDE, TRUNK], Offloads::ALL);
    let request = with_tag(&arp(1, SERVER, DMZ_OWN), &[0x81, 0, 0xe0, 20]);
    let arrived = lab.buffer(&request);
    give(&mut lab, TRUNK, arrived);
    let sent = drain(&mut lab, &[OUTSIDE, TRUNK], Offloads::ALL);
    let [(TRUNK, _, answer)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    // To the asking station, in its VLAN, with the lowest priority; as long as ARP in Ethernet is.
    assert_eq!(answer[..6], station(SERVER).0);
    assert_eq!(answer[6..12], port_mac(DMZ).0);
    assert_eq!(answer[12..18], [0x81, 0, 0, 20, 8, 6]);
    assert_eq!(answer.len(), 64);
    assert_eq!(answer[32..36], SERVER_ARP);
}

/// Where the sender of an ARP answer stands: the address that was asked for.
const SERVER_ARP: [u8; 4] = DMZ_OWN.octets();

#[test]
fn between_a_vlan_and_an_untagged_port_addresses_are_translated() {
    let mut twins = Twins::new();
    let syn = Segment::new(DESK, 40_000, EDGE, 443, SYN).seq(1000);
    let out = twins.pass(INSIDE, &frame(INSIDE, DESK, &syn.packet()), OUTSIDE);
    assert_eq!((out.source, out.destination), (PUBLIC, EDGE));
    let answer = Segment::new(EDGE, 443, PUBLIC, out.source_port, SYN | ACK).seq(5000);
    let answer = answer.ack(1001).packet();
    let back = twins.pass(OUTSIDE, &frame(OUTSIDE, GATEWAY, &answer), INSIDE);
    assert_eq!(back.to(), (DESK, 40_000));
    // An error about it finds its way back, too.
    let error = icmp_error(GATEWAY, PUBLIC, 3, &out.bytes, 28);
    let error = twins.pass(OUTSIDE, &frame(OUTSIDE, GATEWAY, &error), INSIDE);
    assert_eq!(error.destination, DESK);
    // What is published is found from outside.
    let call = Segment::new(EDGE, 40_000, PUBLIC, 5269, SYN)
        .seq(1)
        .packet();
    let call = twins.pass(OUTSIDE, &frame(OUTSIDE, GATEWAY, &call), INSIDE);
    assert_eq!(call.to(), (NODE, 5269));
}

#[test]
fn the_box_speaks_in_each_vlan() {
    let mut twins = Twins::new();
    let ping = |own| echo(8, NODE, own, 7);
    let pong = twins.pass(INSIDE, &frame(INSIDE, NODE, &ping(INSIDE_OWN)), INSIDE);
    assert_eq!((pong.source, pong.bytes[20]), (INSIDE_OWN, 0));
    let mut late = echo(8, NODE, EDGE, 7);
    late[8] = 1;
    late[10..12].fill(0);
    let sum = !plain_sum(&late[..20]);
    late[10..12].copy_from_slice(&sum.to_be_bytes());
    twins.send(INSIDE, &frame(INSIDE, NODE, &late));
    // Too long for the other VLAN, and not to be fragmented: the sender is told what would fit.
    let mut long = Segment::new(DESK, 40_000, SERVER, 443, SYN).seq(1000);
    twins.pass(INSIDE, &frame(INSIDE, DESK, &long.packet()), DMZ);
    let answer = Segment::new(SERVER, 443, DESK, 40_000, SYN | ACK).seq(5000);
    twins.pass(DMZ, &frame(DMZ, SERVER, &answer.ack(1001).packet()), INSIDE);
    long.flags = ACK;
    let mut long = long.seq(1001).ack(5001).payload(&[7; 1000]).packet();
    long[6] = 0x40;
    long[10..12].fill(0);
    let sum = !plain_sum(&long[..20]);
    long[10..12].copy_from_slice(&sum.to_be_bytes());
    let told = twins.pass(INSIDE, &frame(INSIDE, DESK, &long), INSIDE);
    assert_eq!(told.bytes[20..22], [3, 4]);
    assert_eq!(told.bytes[26..28], 600u16.to_be_bytes());
    // Its own packets go by the route, in the VLAN that leads to.
    for lab in [&mut twins.plain, &mut twins.tagged] {
        let packet = echo(8, Ipv4Addr::UNSPECIFIED, SERVER, 0xff00);
        let packet = lab.buffer(&packet);
        assert_eq!(lab.box_.send_local(packet, &mut lab.pool, lab.now), Ok(()));
    }
    let sent = twins.compare(Offloads::ALL);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].0, DMZ);
}

#[test]
fn neighbours_of_both_families_are_found_in_their_vlan() {
    let mut twins = Twins::new();
    // Somebody whom nobody has heard of: the packet waits, the question goes to his VLAN.
    let stranger = Ipv4Addr::new(203, 0, 113, 135);
    let packet = udp((DESK, 5000), (stranger, 53), b"?");
    let asked = twins.send(INSIDE, &frame(INSIDE, DESK, &packet));
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].0, &asked[0].1[12..14]), (DMZ, &[8, 6][..]));
    // His answer frees it.
    let sent = twins.send(DMZ, &arp(2, stranger, DMZ_OWN));
    assert_eq!((sent.len(), sent[0].0), (1, DMZ));
    assert_eq!(sent[0].1[..6], station(stranger).0);
    // The same address asked for in another VLAN is nobody's.
    assert_eq!(twins.send(INSIDE, &arp(1, DESK, DMZ_OWN)), []);
    for port in [INSIDE, DMZ] {
        let sent = twins.send(port, &discovery(port, 135));
        assert_eq!((sent.len(), sent[0].0, sent[0].1[54]), (1, port, 136));
        twins.send(port, &discovery(port, 133));
    }
    twins.wait(Duration::from_secs(4));
}

#[test]
fn datagrams_are_cut_and_collected_between_vlans() {
    let mut twins = Twins::new();
    let payload: Vec<u8> = (0..1_400).map(|at| at as u8).collect();
    let packet = udp((DESK, 5000), (SERVER, 6000), &payload);
    let sent = twins.send(INSIDE, &frame(INSIDE, DESK, &packet));
    assert_eq!(sent.len(), 3);
    assert!(
        sent.iter()
            .all(|(port, bytes)| *port == DMZ && bytes.len() <= 614)
    );
    // In pieces from the VLAN, in pieces to the untagged port.
    let (first, second) = payload.split_at(800);
    let whole = udp((DESK, 5001), (EDGE, 6000), &payload);
    let first = super::fragments::piece(&whole, 0, &[&whole[20..28], first].concat(), true, 9);
    let second = super::fragments::piece(&whole, 808, second, false, 9);
    assert_eq!(twins.send(INSIDE, &frame(INSIDE, DESK, &second)), []);
    let sent = twins.send(INSIDE, &frame(INSIDE, DESK, &first));
    assert_eq!(sent.len(), 2, "{:?}", twins.plain.drops());
    // And what never becomes whole is given up alike.
    let lonely = super::fragments::piece(&whole, 808, &payload[800..], false, 10);
    assert_eq!(twins.send(DMZ, &frame(DMZ, SERVER, &lonely)), []);
    twins.wait(Duration::from_secs(10));
}

#[test]
fn a_proxy_answers_into_the_vlan_its_caller_is_in() {
    let mut twins = Twins::new();
    let syn = Segment::new(NODE, 40_000, EDGE, 5061, SYN)
        .seq(1000)
        .packet();
    assert_eq!(twins.send(INSIDE, &frame(INSIDE, NODE, &syn)), []);
    for lab in [&mut twins.plain, &mut twins.tagged] {
        let Some(Intercepted::Opening(opening, syn)) = lab.box_.poll_intercept() else {
            panic!("an opening");
        };
        assert_eq!((opening.ingress, opening.egress), (INSIDE, OUTSIDE));
        lab.box_.refuse_intercept(
            opening.flow,
            syn,
            DropReason::TlsProxySessionLimit,
            &mut lab.pool,
            lab.now,
        );
    }
    let sent = twins.compare(Offloads::ALL);
    assert_eq!((sent.len(), sent[0].0), (1, INSIDE));
    assert_eq!(Packet::parse(&sent[0].1[14..]).tcp_flags(), 4 | ACK);
}

#[test]
fn cookies_are_answered_in_the_vlan() {
    let mut twins = Twins::new();
    let settings = ConnectionSettings {
        most_embryonic: 1,
        ..super::lab::unlimited()
    };
    for lab in [&mut twins.plain, &mut twins.tagged] {
        let policy = lab.box_.policy().clone();
        let mut policy = super::lab::with_class(policy, Some(settings), None);
        policy.v6.access.push(Vec::new());
        lab.box_.set_policy(policy, &mut lab.pool, lab.now);
    }
    twins.compare(Offloads::ALL);
    let mut answers = 0;
    for port in 40_000..40_004 {
        let syn = Segment::new(DESK, port, SERVER, 443, SYN)
            .seq(1000)
            .packet();
        let sent = twins.send(INSIDE, &frame(INSIDE, DESK, &syn));
        answers += sent.iter().filter(|(port, _)| *port == INSIDE).count();
    }
    assert!(answers > 0, "no cookie was sent");
}

#[test]
fn what_frames_ask_for_is_right_behind_a_tag() {
    for offloads in PORTS {
        for (len, size) in [(40_000, 1_400), (5_000, 1_000), (900, 1_400)] {
            let mut twins = Twins::new();
            let scaled = |segment: Segment| segment.options(&[1, 3, 3, 7]);
            let syn = scaled(Segment::new(DESK, 40_000, EDGE, 443, SYN).seq(1000));
            let seen = twins.pass(INSIDE, &frame(INSIDE, DESK, &syn.packet()), OUTSIDE);
            let answer = Segment::new(EDGE, 443, PUBLIC, seen.source_port, SYN | ACK).seq(5000);
            let answer = scaled(answer.ack(1001)).packet();
            twins.pass(OUTSIDE, &frame(OUTSIDE, GATEWAY, &answer), INSIDE);
            // Now both know how wide the windows are.
            let ack = Segment::new(DESK, 40_000, EDGE, 443, ACK)
                .seq(1001)
                .ack(5001);
            twins.pass(INSIDE, &frame(INSIDE, DESK, &ack.packet()), OUTSIDE);
            let ack = Segment::new(EDGE, 443, PUBLIC, seen.source_port, ACK).seq(5001);
            twins.pass(
                OUTSIDE,
                &frame(OUTSIDE, GATEWAY, &ack.ack(1001).packet()),
                INSIDE,
            );
            let payload: Vec<u8> = (0..len).map(|at| (at * 7) as u8).collect();
            let up = Segment::new(DESK, 40_000, EDGE, 443, ACK)
                .seq(1001)
                .ack(5001);
            let down = Segment::new(EDGE, 443, PUBLIC, seen.source_port, ACK)
                .seq(5001)
                .ack(1001);
            for (ingress, from, segment, egress) in [
                (INSIDE, DESK, up, OUTSIDE),
                (OUTSIDE, GATEWAY, down, INSIDE),
            ] {
                let mut bytes = frame(ingress, from, &segment.payload(&payload).packet());
                let pseudo = [
                    &bytes[26..34],
                    &[0, 6],
                    &((bytes.len() - 34) as u16).to_be_bytes(),
                ];
                let sum = plain_sum(&pseudo.concat());
                bytes[50..52].copy_from_slice(&sum.to_be_bytes());
                let offload = Offload {
                    checksum_partial: true,
                    checksum_start: 34,
                    checksum_offset: 16,
                    segment_size: size,
                    ..Offload::default()
                };
                let sent = twins.send_asking(ingress, &bytes, offload, offloads);
                let received: Vec<u8> = sent
                    .iter()
                    .flat_map(|(port, frame)| {
                        assert_eq!(*port, egress);
                        if !offloads.checksum {
                            Packet::parse(&frame[14..]);
                        }
                        frame[54..].to_vec()
                    })
                    .collect();
                assert!(
                    received == payload,
                    "{len} bytes: {:?}",
                    twins.plain.drops()
                );
            }
        }
    }
}

/// Frames that the two boxes are asked with, some of them nonsense.
fn any_frame() -> impl Strategy<Value = (PortId, Vec<u8>)> {
    let port = prop::sample::select(alloc::vec![OUTSIDE, INSIDE, DMZ]);
    let host = prop::sample::select(alloc::vec![
        NODE, DESK, SERVER, EDGE, GATEWAY, PUBLIC, INSIDE_OWN, DMZ_OWN
    ]);
    (
        port,
        host.clone(),
        host,
        0u8..8,
        any::<u8>(),
        prop::collection::vec(any::<u8>(), 0..1_000),
        prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    )
        .prop_map(|(port, from, to, kind, flags, payload, damage)| {
            let segment = Segment::new(from, 40_000, to, 443, flags).payload(&payload);
            let packet = match kind {
                0 => return (port, arp(1, from, to)),
                1 => return (port, arp(2, from, to)),
                2 => echo(8 * (flags & 1), from, to, 7),
                3 => udp((from, 5000), (to, 53), &payload),
                4 => segment.packet(),
                5 => icmp_error(from, to, 3, &udp((to, 5000), (from, 53), &payload), 28),
                6 => ipv4(from, to, flags, &payload),
                _ => {
                    return (
                        port,
                        discovery(port, if flags & 1 == 0 { 135 } else { 133 }),
                    );
                }
            };
            let mut bytes = frame(port, from, &packet);
            if let Some((at, value)) = damage {
                // What is not the place of the tag: it is to be a tag in one box only.
                let at = at.index(bytes.len());
                if !(12..14).contains(&at) {
                    bytes[at] = value;
                }
            }
            (port, bytes)
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever arrives, in whatever order: a VLAN is a port.
    #[test]
    fn a_vlan_is_a_port(frames in prop::collection::vec(any_frame(), 1..40)) {
        let mut twins = Twins::new();
        for (number, (port, frame)) in frames.iter().enumerate() {
            twins.send(*port, frame);
            if number % 8 == 7 {
                twins.wait(Duration::from_millis(700));
            }
        }
        twins.wait(Duration::from_secs(40));
    }
}

//! IPv6: discovery, forwarding, rules, errors, translation; checksums made and checked the slow way.
//!
//! | Port | Level | Addresses |
//! | --- | --- | --- |
//! | outside | 0 | fe80::2, 2001:db8:0:1::2/64, gateway 2001:db8:0:1::1 |
//! | inside | 100 | fe80::1, 2001:db8:0:2::1/64 |

use super::lab::{ACK, INSIDE, Lab, OUTSIDE, SYN, federation, plain_sum, port_mac};
use crate::*;
use alloc::vec::Vec;
use core::net::Ipv6Addr;
use core::time::Duration;
use hal::nic::MacAddr;
use proptest::prelude::*;

const OUTSIDE_ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 2);
const GATEWAY: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 1);
const INSIDE_ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 1);
pub(super) const NODE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 0x11);
pub(super) const EDGE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, 0x20);
pub(super) const PUBLIC: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0x10);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

fn link_local(port: PortId) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, u16::from(port.0) + 2)
}

fn station(address: Ipv6Addr) -> MacAddr {
    let [.., a, b, c, d] = address.octets();
    MacAddr([6, 6, a, b, c, d])
}

fn policy() -> Policy {
    let interface = |port, address| Interface6 {
        port,
        link_local: link_local(port),
        addresses: alloc::vec![Address6 {
            address,
            prefix_len: 64
        }],
        dad_attempts: 1,
        solicitation_interval: Duration::from_secs(1),
        reachable_time: Duration::from_secs(30),
        advertisement: None,
    };
    let mut policy = federation();
    policy.v6 = Policy6 {
        interfaces: alloc::vec![
            interface(OUTSIDE, OUTSIDE_ADDRESS),
            interface(INSIDE, INSIDE_ADDRESS),
        ],
        routes: alloc::vec![StaticRoute6 {
            port: OUTSIDE,
            network: Ipv6Addr::UNSPECIFIED,
            prefix_len: 0,
            gateway: GATEWAY,
            metric: 1,
        }],
        access: alloc::vec![Vec::new(), Vec::new()],
        nat: Vec::new(),
        icmp: Vec::new(),
    };
    policy
}

/// A box whose addresses are detected as its own, with both neighbours known.
pub(super) fn lab(policy: Policy) -> Lab {
    let mut lab = Lab::new(policy);
    lab.wait(Duration::from_secs(1));
    lab.drain();
    for (port, neighbor, own) in [
        (OUTSIDE, GATEWAY, OUTSIDE_ADDRESS),
        (INSIDE, NODE, INSIDE_ADDRESS),
    ] {
        let answers = lab.send(port, &solicitation(port, neighbor, own));
        assert_eq!(answers.len(), 1, "an answer to {neighbor}");
        let (_, frame) = &answers[0];
        assert_eq!(frame[..6], station(neighbor).0);
        let packet = Packet6::parse(frame);
        assert_eq!((packet.source, packet.destination), (own, neighbor));
        assert_eq!(packet.hop_limit, 255);
        // Router, solicited, override; the target; its address on the link.
        assert_eq!(packet.payload[0], 136);
        assert_eq!(packet.payload[4], 0xe0);
        assert_eq!(packet.payload[8..24], own.octets());
        assert_eq!(packet.payload[24..26], [2, 1]);
        assert_eq!(packet.payload[26..], port_mac(port).0);
    }
    lab
}

fn sum6(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, payload: &[u8]) -> u16 {
    let mut all = Vec::new();
    all.extend(source.octets());
    all.extend(destination.octets());
    all.extend((payload.len() as u32).to_be_bytes());
    all.extend([0, 0, 0, protocol]);
    all.extend(payload);
    plain_sum(&all)
}

/// A frame to the box at `port`, from the station of `source`, the checksum at `sum_at` filled in.
fn frame6(
    port: PortId,
    (source, destination): (Ipv6Addr, Ipv6Addr),
    (protocol, hop_limit): (u8, u8),
    payload: &[u8],
    sum_at: Option<usize>,
) -> Vec<u8> {
    let mut payload = payload.to_vec();
    if let Some(at) = sum_at {
        let sum = !sum6(source, destination, protocol, &payload);
        payload[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }
    let mut frame = Vec::new();
    if destination.is_multicast() {
        let [.., a, b, c, d] = destination.octets();
        frame.extend([0x33, 0x33, a, b, c, d]);
    } else {
        frame.extend(port_mac(port).0);
    }
    frame.extend(station(source).0);
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend((payload.len() as u16).to_be_bytes());
    frame.extend([protocol, hop_limit]);
    frame.extend(source.octets());
    frame.extend(destination.octets());
    frame.extend(payload);
    frame
}

fn solicitation(port: PortId, source: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let mut message = alloc::vec![135, 0, 0, 0, 0, 0, 0, 0];
    message.extend(target.octets());
    if !source.is_unspecified() {
        message.extend([1, 1]);
        message.extend(station(source).0);
    }
    let [.., b, c, d] = target.octets();
    let group = Ipv6Addr::from_bits(
        0xff02_0000_0000_0000_0000_0001_ff00_0000 | u128::from(u32::from_be_bytes([0, b, c, d])),
    );
    frame6(port, (source, group), (58, 255), &message, Some(2))
}

fn advertisement(port: PortId, source: Ipv6Addr, flags: u8) -> Vec<u8> {
    let mut message = alloc::vec![136, 0, 0, 0, flags, 0, 0, 0];
    message.extend(source.octets());
    message.extend([2, 1]);
    message.extend(station(source).0);
    frame6(port, (source, ALL_NODES), (58, 255), &message, Some(2))
}

pub(super) fn tcp(
    port: PortId,
    (source, source_port): (Ipv6Addr, u16),
    (destination, destination_port): (Ipv6Addr, u16),
    (flags, sequence, acknowledgment): (u8, u32, u32),
    payload: &[u8],
) -> Vec<u8> {
    let mut segment = Vec::new();
    segment.extend(source_port.to_be_bytes());
    segment.extend(destination_port.to_be_bytes());
    segment.extend(sequence.to_be_bytes());
    segment.extend(acknowledgment.to_be_bytes());
    segment.extend([5 << 4, flags, 32, 0, 0, 0, 0, 0]);
    segment.extend(payload);
    frame6(port, (source, destination), (6, 64), &segment, Some(16))
}

pub(super) fn udp(
    port: PortId,
    source: (Ipv6Addr, u16),
    destination: (Ipv6Addr, u16),
    payload: &[u8],
) -> Vec<u8> {
    let mut datagram = Vec::new();
    datagram.extend(source.1.to_be_bytes());
    datagram.extend(destination.1.to_be_bytes());
    datagram.extend((8 + payload.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    frame6(
        port,
        (source.0, destination.0),
        (17, 64),
        &datagram,
        Some(6),
    )
}

fn echo(port: PortId, kind: u8, source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
    let message = [kind, 0, 0, 0, 0x12, 0x34, 0, 1, b'p', b'i', b'n', b'g'];
    frame6(port, (source, destination), (58, 64), &message, Some(2))
}

/// What left the box, its transport checksum verified.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packet6 {
    pub(super) source: Ipv6Addr,
    pub(super) destination: Ipv6Addr,
    protocol: u8,
    hop_limit: u8,
    payload: Vec<u8>,
}

impl Packet6 {
    pub(super) fn parse(frame: &[u8]) -> Self {
        assert_eq!(frame[12..14], [0x86, 0xdd]);
        let packet = Self::parse_quoted(&frame[14..]);
        if [6, 17, 58].contains(&packet.protocol) {
            let (source, destination) = (packet.source, packet.destination);
            let sum = sum6(source, destination, packet.protocol, &packet.payload);
            assert_eq!(sum, 0xffff, "checksum of {packet:?}");
        }
        packet
    }

    fn parse_quoted(bytes: &[u8]) -> Self {
        let address =
            |at: usize| Ipv6Addr::from(<[u8; 16]>::try_from(&bytes[at..at + 16]).unwrap());
        let len = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
        Self {
            source: address(8),
            destination: address(24),
            protocol: bytes[6],
            hop_limit: bytes[7],
            payload: bytes[40..bytes.len().min(40 + len)].to_vec(),
        }
    }
}

/// Sends a frame of which exactly one must leave, by `egress`.
fn pass(lab: &mut Lab, ingress: PortId, frame: &[u8], egress: PortId) -> Packet6 {
    let sent = lab.send(ingress, frame);
    assert_eq!(sent.len(), 1, "{:?}", lab.drops());
    assert_eq!(sent[0].0, egress);
    assert_eq!(sent[0].1[6..12], port_mac(egress).0);
    Packet6::parse(&sent[0].1)
}

fn permit_from_outside(mut policy: Policy, to: Ipv6Addr, service: Service) -> Policy {
    let list = &mut policy.access_lists[0];
    list.elements.push(Ace {
        // For IPv6 only: no IPv4 address fits.
        source: AddressRange {
            first: core::net::Ipv4Addr::BROADCAST,
            last: core::net::Ipv4Addr::UNSPECIFIED,
        },
        ..super::lab::ace(
            Action::Permit,
            AddressRange::ANY,
            AddressRange::ANY,
            service,
        )
    });
    policy.v6.access[0].push(Ace6 {
        element: list.elements.len() - 1,
        source: AddressRange6::ANY,
        destination: AddressRange6::host(to),
        icmp: None,
    });
    policy
}

#[test]
fn an_address_is_asked_for_before_it_is_used() {
    let mut lab = Lab::new(policy());
    let state = |lab: &Lab, address| lab.box_.address_state6(OUTSIDE, address);
    assert_eq!(state(&lab, OUTSIDE_ADDRESS), Some(AddressState::Tentative));
    // Not yet ours: nobody is answered.
    let asked = solicitation(OUTSIDE, GATEWAY, OUTSIDE_ADDRESS);
    assert_eq!(lab.send(OUTSIDE, &asked), []);
    lab.wait(Duration::from_secs(1));
    assert_eq!(state(&lab, OUTSIDE_ADDRESS), Some(AddressState::Preferred));
    assert_eq!(lab.send(OUTSIDE, &asked).len(), 1);
    assert_eq!(lab.box_.poll_timeout().map(|due| due > lab.now), Some(true));
}

#[test]
fn detection_sends_a_probe_from_nobody_and_yields_to_who_has_the_address() {
    let mut lab = Lab::new(federation());
    lab.box_.set_policy(policy(), &mut lab.pool, lab.now);
    let probes: Vec<Packet6> = lab
        .drain()
        .iter()
        .filter(|(port, frame)| *port == OUTSIDE && frame[12..14] == [0x86, 0xdd])
        .map(|(_, frame)| Packet6::parse(frame))
        .collect();
    assert_eq!(probes.len(), 2, "one for each address");
    for probe in &probes {
        assert_eq!(probe.source, Ipv6Addr::UNSPECIFIED);
        assert_eq!((probe.payload[0], probe.hop_limit), (135, 255));
        assert_eq!(probe.payload.len(), 24, "no option");
    }
    // Another station answers for one, and probes for the other at the same time.
    lab.send(OUTSIDE, &advertisement(OUTSIDE, OUTSIDE_ADDRESS, 0x20));
    let probe = solicitation(OUTSIDE, Ipv6Addr::UNSPECIFIED, link_local(OUTSIDE));
    lab.send(OUTSIDE, &probe);
    lab.wait(Duration::from_secs(5));
    for address in [OUTSIDE_ADDRESS, link_local(OUTSIDE)] {
        assert_eq!(
            lab.box_.address_state6(OUTSIDE, address),
            Some(AddressState::Duplicate)
        );
        let frames = lab.send(OUTSIDE, &echo(OUTSIDE, 128, GATEWAY, address));
        assert_eq!(frames, [], "{address} is not used");
    }
}

#[test]
fn the_box_answers_echo_at_its_near_addresses_only() {
    let mut lab = lab(policy());
    for (own, asker) in [
        (OUTSIDE_ADDRESS, EDGE),
        (
            link_local(OUTSIDE),
            Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9),
        ),
    ] {
        let answer = pass(&mut lab, OUTSIDE, &echo(OUTSIDE, 128, asker, own), OUTSIDE);
        assert_eq!((answer.source, answer.destination), (own, asker));
        assert_eq!(answer.payload[0], 129);
        assert_eq!(
            answer.payload[4..],
            [0x12, 0x34, 0, 1, b'p', b'i', b'n', b'g']
        );
    }
    let far = echo(OUTSIDE, 128, EDGE, INSIDE_ADDRESS);
    lab.refuse(OUTSIDE, &far, DropReason::SlowpathSecurity);
}

#[test]
fn a_connection_passes_both_ways_and_leaves_nothing_behind() {
    let mut lab = lab(policy());
    let (client, server) = ((NODE, 40_000), (EDGE, 5269));
    let syn = tcp(INSIDE, client, server, (SYN, 1000, 0), &[]);
    let out = pass(&mut lab, INSIDE, &syn, OUTSIDE);
    assert_eq!((out.source, out.destination), (NODE, EDGE));
    let answer = tcp(OUTSIDE, server, client, (SYN | ACK, 5000, 1001), &[]);
    pass(&mut lab, OUTSIDE, &answer, INSIDE);
    let data = tcp(INSIDE, client, server, (ACK, 1001, 5001), b"stream");
    assert_eq!(
        pass(&mut lab, INSIDE, &data, OUTSIDE).payload[20..],
        *b"stream"
    );
    assert_eq!(lab.box_.conn_usage().in_use, 1);
    assert_eq!(lab.box_.v6.names.in_use(), 2);
    // Views carry names, which lead back to the addresses.
    let conn = lab.conn();
    for (side, address) in [(conn.higher, NODE), (conn.lower, EDGE)] {
        assert_eq!(lab.box_.address_shown(side.real.0), address);
        assert_eq!(lab.box_.address_shown(side.mapped.0), address);
    }
    // The state machine is that of IPv4.
    let stray = tcp(OUTSIDE, server, client, (ACK, 900_000_000, 1007), b"x");
    lab.refuse(OUTSIDE, &stray, DropReason::TcpSeqPastWindow);
    lab.wait(Duration::from_secs(3700));
    assert_eq!(lab.box_.conn_usage().in_use, 0);
    assert_eq!(lab.box_.v6.names.in_use(), 0);
}

#[test]
fn lists_and_levels_decide_as_for_ipv4() {
    let mut lab = lab(permit_from_outside(
        policy(),
        NODE,
        super::lab::tcp_to(5269),
    ));
    let syn = |port| tcp(OUTSIDE, (EDGE, 40_000), (NODE, port), (SYN, 1, 0), &[]);
    pass(&mut lab, OUTSIDE, &syn(5269), INSIDE);
    lab.refuse(OUTSIDE, &syn(5061), DropReason::AclDrop);
    let element = lab.box_.policy().access_lists[0].elements.len() - 1;
    assert_eq!(lab.box_.acl_hits[0][element].count, 1);
    // An element for IPv6 means nothing to IPv4.
    let v4 = super::lab::Segment::new(super::lab::EDGE, 1, super::lab::DESK, 5269, SYN);
    lab.refuse(OUTSIDE, &v4.frame(OUTSIDE), DropReason::AclDrop);
}

#[test]
fn echo_through_the_box_needs_a_rule_or_inspection_for_its_answer() {
    for is_inspected in [false, true] {
        let mut lab = lab(Policy {
            inspect_icmp: is_inspected,
            ..policy()
        });
        pass(&mut lab, INSIDE, &echo(INSIDE, 128, NODE, EDGE), OUTSIDE);
        let answer = echo(OUTSIDE, 129, EDGE, NODE);
        if is_inspected {
            assert_eq!(pass(&mut lab, OUTSIDE, &answer, INSIDE).payload[0], 129);
        } else {
            lab.refuse(OUTSIDE, &answer, DropReason::AclDrop);
        }
        let unasked = echo(OUTSIDE, 129, EDGE, Ipv6Addr::from_bits(NODE.to_bits() + 1));
        lab.refuse(OUTSIDE, &unasked, DropReason::IcmpReplyUnasked);
    }
}

#[test]
fn a_neighbour_is_asked_for_while_the_packet_waits() {
    let mut lab = lab(permit_from_outside(policy(), INSIDE_ADDRESS, Service::Any));
    let host = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0, 0x77);
    let sent = lab.send(INSIDE, &udp(INSIDE, (NODE, 7), (host, 9), b"hold me"));
    assert_eq!(sent.len(), 1);
    let asked = Packet6::parse(&sent[0].1);
    assert_eq!(asked.source, OUTSIDE_ADDRESS);
    assert_eq!(asked.destination.to_string(), "ff02::1:ff00:77");
    assert_eq!(sent[0].1[..6], [0x33, 0x33, 0xff, 0, 0, 0x77]);
    assert_eq!(asked.payload[8..24], host.octets());
    let released = lab.send(OUTSIDE, &advertisement(OUTSIDE, host, 0x60 & !0x40));
    assert_eq!(released.len(), 1);
    assert_eq!(released[0].1[..6], station(host).0);
    assert_eq!(Packet6::parse(&released[0].1).payload[8..], *b"hold me");
}

#[test]
fn discovery_from_beyond_the_link_is_not_believed() {
    let mut lab = lab(policy());
    let mut message = alloc::vec![136, 0, 0, 0, 0x20, 0, 0, 0];
    message.extend(GATEWAY.octets());
    message.extend([2, 1, 2, 2, 2, 2, 2, 2]);
    let forged = frame6(OUTSIDE, (GATEWAY, ALL_NODES), (58, 64), &message, Some(2));
    lab.refuse(OUTSIDE, &forged, DropReason::L2Acl);
    let broken = frame6(OUTSIDE, (GATEWAY, ALL_NODES), (58, 255), &message, None);
    lab.refuse(OUTSIDE, &broken, DropReason::L2Acl);
    message[25] = 0;
    let endless = frame6(OUTSIDE, (GATEWAY, ALL_NODES), (58, 255), &message, Some(2));
    lab.refuse(OUTSIDE, &endless, DropReason::L2Acl);
    let known = lab
        .box_
        .neighbors6(lab.now)
        .find(|neighbor| neighbor.address == GATEWAY);
    assert_eq!(known.and_then(|known| known.mac), Some(station(GATEWAY)));
}

#[test]
fn advertisements_tell_prefix_lifetime_and_mtu_and_answer_the_asking() {
    let mut policy = policy();
    policy.v6.interfaces[1].advertisement = Some(RouterAdvertisement {
        interval: Duration::from_secs(200),
        lifetime: Duration::from_secs(1800),
        managed: false,
        other: true,
        prefixes: alloc::vec![AdvertisedPrefix {
            network: Ipv6Addr::new(0x2001, 0xdb8, 0, 2, 0, 0, 0, 0),
            prefix_len: 64,
            valid: Duration::from_secs(2_592_000),
            preferred: Duration::MAX,
            on_link: true,
            autonomous: true,
        }],
    });
    let mut lab = Lab::new(policy);
    let advertised = |lab: &mut Lab| -> Vec<Packet6> {
        let sent = lab.drain();
        sent.iter()
            .map(|(port, frame)| {
                assert_eq!(
                    (*port, &frame[..6]),
                    (INSIDE, &[0x33, 0x33, 0, 0, 0, 1][..])
                );
                Packet6::parse(frame)
            })
            .collect()
    };
    lab.wait(Duration::from_secs(1));
    lab.wait(Duration::from_secs(1));
    let first = advertised(&mut lab);
    assert_eq!(first.len(), 1);
    let body = &first[0].payload;
    assert_eq!(first[0].source, link_local(INSIDE));
    assert_eq!(body[0], 134);
    assert_eq!(body[4..8], [64, 0x40, 7, 8]);
    assert_eq!(body[16..24], [1, 1, 2, 0, 0, 0, 0, 1]);
    assert_eq!(body[24..32], [5, 1, 0, 0, 0, 0, 5, 220]);
    assert_eq!(body[32..36], [3, 4, 64, 0xc0]);
    assert_eq!(body[36..44], [0, 0x27, 0x8d, 0, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(body[48..56], [0x20, 1, 0xd, 0xb8, 0, 0, 0, 2]);
    // A host asks: answered, but not more often than every three seconds.
    let ask = |lab: &mut Lab| {
        let host = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x77);
        let all_routers = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
        let message = [133, 0, 0, 0, 0, 0, 0, 0];
        let frame = frame6(INSIDE, (host, all_routers), (58, 255), &message, Some(2));
        assert_eq!(lab.send(INSIDE, &frame), []);
    };
    ask(&mut lab);
    lab.wait(Duration::from_secs(1));
    assert_eq!(advertised(&mut lab), []);
    lab.wait(Duration::from_secs(2));
    assert_eq!(advertised(&mut lab).len(), 1);
}

#[test]
fn a_packet_too_long_is_told_the_mtu() {
    let mut narrow = policy();
    narrow.interfaces[0].mtu = 1300;
    let mut lab = lab(narrow);
    let long = udp(INSIDE, (NODE, 7), (EDGE, 9), &[7; 1400]);
    let told = pass(&mut lab, INSIDE, &long, INSIDE);
    assert_eq!((told.source, told.destination), (INSIDE_ADDRESS, NODE));
    assert_eq!(told.payload[..2], [2, 0]);
    assert_eq!(told.payload[4..8], [0, 0, 5, 20]);
    assert_eq!(told.payload.len() + 40, 1280);
    let quoted = Packet6::parse_quoted(&told.payload[8..]);
    assert_eq!((quoted.source, quoted.destination), (NODE, EDGE));
    assert_eq!(lab.box_.frame_drops(DropReason::MtuExceeded), 1);
}

pub(super) fn translated() -> Policy {
    let mut policy = permit_from_outside(policy(), NODE, Service::Any);
    policy.v6.nat.push(StaticNat6 {
        rule: 0,
        real_interface: Some(INSIDE),
        mapped_interface: Some(OUTSIDE),
        real: AddressRange6::host(NODE),
        mapped: AddressRange6::host(PUBLIC),
        no_proxy: false,
    });
    policy
}

#[test]
fn static_translation_holds_both_ways_and_in_errors() {
    let mut lab = lab(translated());
    // Neighbours outside find the mapped address at the box.
    let answers = lab.send(OUTSIDE, &solicitation(OUTSIDE, GATEWAY, PUBLIC));
    let answer = Packet6::parse(&answers[0].1);
    assert_eq!(answer.payload[4], 0xc0, "it does not override");
    let out = pass(
        &mut lab,
        INSIDE,
        &udp(INSIDE, (NODE, 7), (EDGE, 9), b"query"),
        OUTSIDE,
    );
    assert_eq!((out.source, out.destination), (PUBLIC, EDGE));
    let back = udp(OUTSIDE, (EDGE, 9), (PUBLIC, 7), b"answer");
    let back = pass(&mut lab, OUTSIDE, &back, INSIDE);
    assert_eq!((back.source, back.destination), (EDGE, NODE));
    // Opened from outside as well.
    let syn = tcp(OUTSIDE, (EDGE, 40_000), (PUBLIC, 5269), (SYN, 1, 0), &[]);
    assert_eq!(pass(&mut lab, OUTSIDE, &syn, INSIDE).destination, NODE);
    // The real address is not reachable beside it.
    let direct = tcp(OUTSIDE, (EDGE, 40_001), (NODE, 5269), (SYN, 1, 0), &[]);
    lab.refuse(OUTSIDE, &direct, DropReason::NatRpfFailed);
    // A router far outside has no room for what was sent: the sender learns it in its own terms.
    let mut quoted = udp(OUTSIDE, (PUBLIC, 7), (EDGE, 9), b"query");
    quoted.drain(..14);
    let mut message = alloc::vec![2, 0, 0, 0, 0, 0, 5, 0];
    message.extend(&quoted);
    let router = Ipv6Addr::new(0x2001, 0xdb8, 0xee, 0, 0, 0, 0, 1);
    let error = frame6(OUTSIDE, (router, PUBLIC), (58, 60), &message, Some(2));
    let told = pass(&mut lab, OUTSIDE, &error, INSIDE);
    assert_eq!((told.source, told.destination), (router, NODE));
    let inner = Packet6::parse_quoted(&told.payload[8..]);
    assert_eq!((inner.source, inner.destination), (NODE, EDGE));
    let sum = sum6(NODE, EDGE, 17, &inner.payload);
    assert_eq!(sum, 0xffff, "the quoted datagram is what its sender sent");
    // About a packet that never passed.
    let stranger = udp(OUTSIDE, (PUBLIC, 8), (EDGE, 9), b"query");
    message.truncate(8);
    message.extend(&stranger[14..]);
    let error = frame6(OUTSIDE, (router, PUBLIC), (58, 60), &message, Some(2));
    lab.refuse(OUTSIDE, &error, DropReason::IcmpErrorNoConn);
}

#[test]
fn hostile_headers_end_in_named_counters() {
    let mut lab = lab(permit_from_outside(policy(), NODE, Service::Any));
    let good = udp(OUTSIDE, (EDGE, 7), (NODE, 9), b"x");
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut frame = good.clone();
        change(&mut frame);
        frame
    };
    let extension = |kind: u8, body: &[u8]| {
        let mut frame = good.clone();
        frame.splice(54..54, body.iter().copied());
        frame[20] = kind;
        let len = (frame.len() - 54) as u16;
        frame[18..20].copy_from_slice(&len.to_be_bytes());
        frame
    };
    let cases: Vec<(&str, Vec<u8>, DropReason)> = alloc::vec![
        (
            "version",
            with(&|f| f[14] = 0x50),
            DropReason::UnsupportedIpVersion
        ),
        (
            "longer than the frame",
            with(&|f| f[19] += 1),
            DropReason::InvalidIpLength
        ),
        (
            "no payload",
            with(&|f| f[19] = 0),
            DropReason::InvalidIpLength
        ),
        (
            "no hops left",
            with(&|f| f[21] = 0),
            DropReason::TtlExceeded
        ),
        (
            "cut in the header",
            good[..50].to_vec(),
            DropReason::InvalidIpLength
        ),
        (
            "UDP length",
            with(&|f| f[59] = 3),
            DropReason::InvalidUdpLength
        ),
        (
            "routing header",
            extension(43, &[17, 0, 0, 0, 0, 0, 0, 0]),
            DropReason::InvalidIpOption
        ),
        (
            "fragment",
            extension(44, &[17, 0, 0, 1, 0, 0, 0, 1]),
            DropReason::FragmentReassemblyFailed
        ),
        (
            "late hop-by-hop",
            extension(60, &[0, 0, 1, 4, 0, 0, 0, 0]),
            DropReason::InvalidIpOption
        ),
        (
            "options past the end",
            extension(60, &[17, 200, 1, 4, 0, 0, 0, 0]),
            DropReason::InvalidIpLength
        ),
        (
            "unicast to a group of stations",
            with(&|f| f[0] = 0x33),
            DropReason::L2Acl
        ),
        (
            "from nobody",
            udp(OUTSIDE, (Ipv6Addr::UNSPECIFIED, 7), (NODE, 9), b"x"),
            DropReason::SlowpathSecurity
        ),
        (
            "from loopback",
            udp(OUTSIDE, (Ipv6Addr::LOCALHOST, 7), (NODE, 9), b"x"),
            DropReason::SlowpathSecurity
        ),
        (
            "from a group",
            udp(OUTSIDE, (ALL_NODES, 7), (NODE, 9), b"x"),
            DropReason::SlowpathSecurity
        ),
        (
            "from the box",
            udp(OUTSIDE, (INSIDE_ADDRESS, 7), (NODE, 9), b"x"),
            DropReason::SlowpathSecurity
        ),
        (
            "from the link",
            udp(
                OUTSIDE,
                (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 9), 7),
                (NODE, 9),
                b"x"
            ),
            DropReason::SlowpathSecurity
        ),
        (
            "to a group",
            udp(
                OUTSIDE,
                (EDGE, 7),
                (Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 0, 9), 9),
                b"x"
            ),
            DropReason::NoMulticastInterface
        ),
    ];
    for (what, frame, reason) in cases {
        let before = lab.box_.frame_drops(reason);
        let told = lab.send(OUTSIDE, &frame);
        assert!(
            told.iter().all(|(port, _)| *port == OUTSIDE),
            "{what} passes"
        );
        assert_eq!(
            lab.box_.frame_drops(reason),
            before + 1,
            "{what}: {:?}",
            lab.drops()
        );
    }
    // Eight options headers are walked over; this is a good packet.
    let chain = extension(60, &[17, 0, 1, 4, 0, 0, 0, 0]);
    pass(&mut lab, OUTSIDE, &chain, INSIDE);
}

#[test]
fn names_cannot_be_forged_by_ipv4() {
    let mut lab = lab(policy());
    let syn = tcp(INSIDE, (NODE, 40_000), (EDGE, 5269), (SYN, 1000, 0), &[]);
    pass(&mut lab, INSIDE, &syn, OUTSIDE);
    let name = lab.box_.v6.names.find(EDGE).expect("a flow uses it");
    let node = lab.box_.v6.names.find(NODE).expect("a flow uses it");
    for (source, destination) in [(name, node), (super::lab::EDGE, node)] {
        let forged = super::lab::Segment::new(source, 5269, destination, 40_000, SYN | ACK)
            .seq(1)
            .ack(1001);
        lab.refuse(
            OUTSIDE,
            &forged.frame(OUTSIDE),
            DropReason::SlowpathSecurity,
        );
    }
}

#[test]
fn a_full_table_of_names_refuses_and_loses_nothing() {
    let mut lab = lab(policy());
    let mut opened = 0;
    for host in 0..300u16 {
        let destination = Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 1, host);
        let sent = lab.send(INSIDE, &udp(INSIDE, (NODE, 7), (destination, 9), b"x"));
        opened += u32::from(!sent.is_empty());
    }
    assert_eq!(lab.box_.conn_usage().in_use, opened);
    assert_eq!(lab.box_.v6.names.in_use(), opened as usize + 1);
    let refused = lab.box_.frame_drops(DropReason::UnableToCreateFlow);
    assert_eq!(u64::from(opened) + refused, 300);
    assert!(refused > 0);
    lab.wait(Duration::from_secs(200));
    assert_eq!(lab.box_.v6.names.in_use(), 0);
}

proptest! {
    #[test]
    fn any_bytes_are_counted_and_never_forwarded_damaged(
        mut frame in prop::collection::vec(any::<u8>(), 14..200),
        discovery in any::<bool>(),
    ) {
        let mut lab = lab(permit_from_outside(policy(), NODE, Service::Any));
        frame[..6].copy_from_slice(&port_mac(OUTSIDE).0);
        frame[6] &= 0xfe;
        frame[12..14].copy_from_slice(&[0x86, 0xdd]);
        if frame.len() > 60 {
            let len = (frame.len() - 54) as u16;
            frame[14] = 0x60;
            frame[18..20].copy_from_slice(&len.to_be_bytes());
            if discovery {
                frame[20..22].copy_from_slice(&[58, 255]);
                frame[54] = 133 + frame[54] % 5;
            }
        }
        lab.send(OUTSIDE, &frame);
        lab.wait(Duration::from_secs(1));
    }
}

//! A box between three networks, frames made and checked from scratch.
//!
//! | Port | nameif | Level | Address |
//! | --- | --- | --- | --- |
//! | 0 | outside | 0 | 203.0.113.2/28, gateway 203.0.113.1 |
//! | 1 | inside | 100 | 192.0.2.1/24 |
//! | 2 | dmz | 50 | 203.0.113.129/28 |

use crate::*;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::time::Duration;
use hal::nic::MacAddr;
use hal::packet::{Batch, PacketBuf, PacketPool};
use hal::time::Instant;

pub(super) const OUTSIDE: PortId = PortId(0);
pub(super) const INSIDE: PortId = PortId(1);
pub(super) const DMZ: PortId = PortId(2);

pub(super) const FIN: u8 = 1;
pub(super) const SYN: u8 = 2;
pub(super) const RST: u8 = 4;
pub(super) const ACK: u8 = 16;

/// The routing node, a second node, a desk, the shared public address, a foreign edge.
pub(super) const NODE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 11);
pub(super) const NODE_2: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 12);
pub(super) const DESK: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 40);
pub(super) const PUBLIC: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
pub(super) const EDGE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 20);
pub(super) const GATEWAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
pub(super) const OUTSIDE_ADDRESS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
pub(super) const INSIDE_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 130);

pub(super) fn port_mac(port: PortId) -> MacAddr {
    MacAddr([2, 0, 0, 0, 0, port.0])
}

/// The Ethernet address of the station with an IPv4 address.
pub(super) fn station(address: Ipv4Addr) -> MacAddr {
    let [a, b, c, d] = address.octets();
    MacAddr([6, 0, a, b, c, d])
}

fn interface(port: PortId, name: &str, level: u8, address: [u8; 4], prefix_len: u8) -> Interface {
    Interface {
        port,
        name: name.into(),
        security_level: level,
        mac: port_mac(port),
        address: address.into(),
        prefix_len,
        mtu: 1500,
        access_in: None,
        access_out: None,
        access_control: None,
        proxy_arp: true,
    }
}

pub(super) fn ace(
    action: Action,
    source: AddressRange,
    destination: AddressRange,
    service: Service,
) -> Ace {
    Ace {
        action,
        source,
        destination,
        service,
        log: AceLog::Default,
        is_active: true,
    }
}

pub(super) fn tcp_to(port: u16) -> Service {
    Service::Ports {
        transport: Transport::Tcp,
        source: PortMatch::ANY,
        destination: PortMatch::eq(port),
    }
}

pub(super) fn static_rule(real: Ipv4Addr, mapped: Ipv4Addr, ports: Option<(u16, u16)>) -> NatRule {
    NatRule {
        real_interface: Some(INSIDE),
        mapped_interface: Some(OUTSIDE),
        service: ports.map(|(real, mapped)| PortTranslation {
            transport: Transport::Tcp,
            real,
            mapped,
            more: 0,
        }),
        ..NatRule::new(
            NatSection::Manual,
            SourceNat::Static {
                real: alloc::vec![AddressRange::host(real)],
                mapped: MappedAddress::range(AddressRange::host(mapped)),
            },
        )
    }
}

pub(super) fn dynamic_rule(real: AddressRange, pool: PatPool) -> NatRule {
    NatRule {
        section: NatSection::Auto,
        source: SourceNat::Dynamic {
            real: alloc::vec![real],
            pool,
        },
        ..static_rule(NODE, PUBLIC, None)
    }
}

/// The configuration of the federation guide: SIP and XMPP published on one address, everything
/// else behind it or behind the interface.
pub(super) fn federation() -> Policy {
    let host = AddressRange::host;
    let mut outside = interface(OUTSIDE, "outside", 0, [203, 0, 113, 2], 28);
    outside.access_in = Some(AclId(0));
    Policy {
        interfaces: alloc::vec![
            outside,
            interface(INSIDE, "inside", 100, [192, 0, 2, 1], 24),
            interface(DMZ, "dmz", 50, [203, 0, 113, 129], 28),
        ],
        routes: alloc::vec![StaticRoute {
            port: OUTSIDE,
            network: Ipv4Addr::UNSPECIFIED,
            prefix_len: 0,
            gateway: GATEWAY,
            metric: 1,
        }],
        access_lists: alloc::vec![
            AccessList {
                name: "outside_in".into(),
                elements: alloc::vec![
                    ace(Action::Permit, host(EDGE), host(NODE), tcp_to(5062)),
                    ace(Action::Permit, AddressRange::ANY, host(NODE), tcp_to(5269)),
                    ace(
                        Action::Permit,
                        AddressRange::ANY,
                        host(NODE_2),
                        tcp_to(5269)
                    ),
                    ace(Action::Permit, host(EDGE), host(NODE), tcp_to(5061)),
                    ace(Action::Deny, AddressRange::ANY, host(NODE), Service::Any),
                ],
            },
            AccessList {
                name: "proxied".into(),
                elements: alloc::vec![
                    ace(Action::Permit, host(EDGE), host(NODE), tcp_to(5061)),
                    ace(Action::Permit, host(NODE), host(EDGE), tcp_to(5061)),
                ],
            },
        ],
        nat: alloc::vec![
            dynamic_rule(
                AddressRange::network(NODE, 24),
                PatPool {
                    addresses: alloc::vec![host(PUBLIC)],
                    ..PatPool::default()
                },
            ),
            static_rule(NODE, PUBLIC, Some((5062, 5061))),
            static_rule(NODE, PUBLIC, Some((5061, 5063))),
            static_rule(NODE, PUBLIC, Some((5269, 5269))),
            static_rule(NODE_2, PUBLIC, Some((5269, 15269))),
        ],
        // The tests reckon with the numbers they send; those that do not switch it on.
        randomize_sequences: false,
        inspections: alloc::vec![InspectionClass {
            port: None,
            acl: AclId(1),
            proxy: ProxyId(7)
        }],
        ..Policy::default()
    }
}

/// `policy` with a class of all traffic.
pub(super) fn with_class(
    mut policy: Policy,
    settings: Option<ConnectionSettings>,
    checks: Option<TcpChecks>,
) -> Policy {
    let acl = AclId(policy.access_lists.len() as u16);
    policy.access_lists.push(AccessList {
        name: "everything".into(),
        elements: alloc::vec![ace(
            Action::Permit,
            AddressRange::ANY,
            AddressRange::ANY,
            Service::Any
        )],
    });
    policy.connections.push(ConnectionClass {
        name: "everything".into(),
        port: None,
        acls: alloc::vec![acl],
        settings,
        checks,
    });
    policy
}

/// Settings that limit nothing and leave sequence numbers alone.
pub(super) fn unlimited() -> ConnectionSettings {
    ConnectionSettings {
        randomize_sequences: false,
        ..ConnectionSettings::default()
    }
}

/// The box with a policy, and the world around it.
pub(super) struct Lab {
    pub(super) box_: DataPlane,
    pub(super) pool: PacketPool,
    pub(super) now: Instant,
}

impl Lab {
    pub(super) fn new(policy: Policy) -> Self {
        Self::with_limits(
            policy,
            Limits {
                ports: 3,
                flows: 256,
                ..Limits::default()
            },
        )
    }

    pub(super) fn with_limits(policy: Policy, limits: Limits) -> Self {
        let mut lab = Self {
            box_: DataPlane::new(limits, [9; 16]),
            pool: PacketPool::new(256),
            now: Instant::from_secs(100),
        };
        lab.box_.set_policy(policy, &mut lab.pool, lab.now);
        lab.drain();
        for (port, address) in [
            (OUTSIDE, GATEWAY),
            (INSIDE, NODE),
            (INSIDE, NODE_2),
            (INSIDE, DESK),
            (DMZ, SERVER),
        ] {
            lab.introduce(port, address);
        }
        lab
    }

    /// A neighbour asks for the box's address and is known from then on.
    pub(super) fn introduce(&mut self, port: PortId, address: Ipv4Addr) {
        let own = self.box_.policy().interfaces[port.index()].address;
        let answers = self.send(port, &arp(1, address, own));
        assert_eq!(answers.len(), 1, "an answer to {address}");
    }

    pub(super) fn buffer(&mut self, bytes: &[u8]) -> PacketBuf {
        let mut frame = self.pool.take().expect("a buffer");
        assert!(frame.extend(bytes));
        frame
    }

    /// Sends a frame to the box; returns what leaves, port by port, after checking that no buffer
    /// was lost and every frame was counted once.
    pub(super) fn send(&mut self, port: PortId, bytes: &[u8]) -> Vec<(PortId, Vec<u8>)> {
        let mut batch = Batch::new();
        assert!(batch.push_back(self.buffer(bytes)).is_ok());
        self.box_
            .handle_batch(port, &mut batch, &mut self.pool, self.now);
        assert!(batch.is_empty());
        self.drain()
    }

    pub(super) fn drain(&mut self) -> Vec<(PortId, Vec<u8>)> {
        let mut sent = Vec::new();
        for port in [OUTSIDE, INSIDE, DMZ] {
            loop {
                let mut batch = Batch::new();
                self.box_.drain_transmit(port, &mut batch);
                if batch.is_empty() {
                    break;
                }
                while let Some(frame) = batch.pop_front() {
                    sent.push((port, frame.segments().flatten().copied().collect()));
                    self.pool.free(frame);
                }
            }
        }
        self.check_conservation();
        sent
    }

    /// Every buffer is in the pool, or counted where it is.
    pub(super) fn check_conservation(&self) {
        let verdicts = self.box_.verdicts();
        let queued: usize = self.box_.ports.iter().map(|port| port.transmit.len()).sum();
        let held = queued
            + self.box_.intercepts.len()
            + self.box_.locals.len()
            + self.box_.neighbors.waiting_buffers()
            + self.box_.v6.neighbors.waiting_buffers()
            + usize::try_from(verdicts.held).expect("few");
        assert_eq!(u64::from(self.box_.fragments.held()), verdicts.held);
        assert_eq!(
            self.pool.available() + held,
            self.pool.total(),
            "{verdicts:?}"
        );
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
    }

    /// Sends a frame of which exactly one must leave, by `egress`, with right checksums.
    pub(super) fn pass(&mut self, ingress: PortId, bytes: &[u8], egress: PortId) -> Packet {
        let drops = self.drops();
        let mut sent = self.send(ingress, bytes);
        assert_eq!(
            sent.len(),
            1,
            "drops before {drops:?}, after {:?}",
            self.drops()
        );
        let (port, frame) = sent.remove(0);
        assert_eq!(port, egress);
        assert_eq!(frame[6..12], port_mac(egress).0);
        Packet::parse(&frame[14..])
    }

    /// Sends a frame that must be dropped for `reason`, and for nothing else.
    pub(super) fn refuse(&mut self, ingress: PortId, bytes: &[u8], reason: DropReason) {
        let before = (self.box_.frame_drops(reason), self.box_.verdicts().dropped);
        let sent = self.send(ingress, bytes);
        assert_eq!(sent, [], "{reason:?}: nothing may leave");
        let after = (self.box_.frame_drops(reason), self.box_.verdicts().dropped);
        assert_eq!(
            after,
            (before.0 + 1, before.1 + 1),
            "{reason:?}, not {:?}",
            self.drops()
        );
    }

    /// Sends a frame that must be dropped for `reason`, whatever its sender is told.
    pub(super) fn reject(&mut self, ingress: PortId, bytes: &[u8], reason: DropReason) {
        let before = self.box_.frame_drops(reason);
        let sent = self.send(ingress, bytes);
        assert!(
            sent.iter()
                .all(|(port, frame)| *port == ingress && frame[23] == 1)
        );
        assert_eq!(self.box_.frame_drops(reason), before + 1, "{reason:?}");
    }

    pub(super) fn drops(&self) -> Vec<(&'static str, u64)> {
        DropReason::ALL
            .iter()
            .map(|&reason| (reason.name(), self.box_.frame_drops(reason)))
            .filter(|&(_, count)| count > 0)
            .collect()
    }

    pub(super) fn wait(&mut self, duration: Duration) {
        self.now += duration;
        self.box_.handle_timeout(&mut self.pool, self.now);
        self.check_conservation();
    }

    pub(super) fn conn(&self) -> ConnView {
        let conns: Vec<_> = self.box_.conns(self.now).collect();
        assert_eq!(conns.len(), 1, "{conns:?}");
        conns[0]
    }

    /// Opens a TCP connection; returns the port the client is seen from.
    pub(super) fn connect(
        &mut self,
        (ingress, client, client_port): (PortId, Ipv4Addr, u16),
        (egress, server, server_port): (PortId, Ipv4Addr, u16),
    ) -> (Ipv4Addr, u16) {
        let syn = Segment::new(client, client_port, server, server_port, SYN).seq(1000);
        let out = self.pass(ingress, &syn.frame(ingress), egress);
        let (seen, seen_port) = (out.source, out.source_port);
        let syn_ack = Segment::new(
            out.destination,
            out.destination_port,
            seen,
            seen_port,
            SYN | ACK,
        )
        .seq(5000)
        .ack(1001);
        let back = self.pass(egress, &syn_ack.frame(egress), ingress);
        assert_eq!((back.source, back.source_port), (server, server_port));
        assert_eq!(
            (back.destination, back.destination_port),
            (client, client_port)
        );
        let ack = Segment::new(client, client_port, server, server_port, ACK)
            .seq(1001)
            .ack(5001);
        self.pass(ingress, &ack.frame(ingress), egress);
        (seen, seen_port)
    }
}

/// A TCP segment to be made.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) tuple: (Ipv4Addr, u16, Ipv4Addr, u16),
    pub(super) flags: u8,
    pub(super) sequence: u32,
    pub(super) acknowledgment: u32,
    pub(super) options: Vec<u8>,
    pub(super) payload: Vec<u8>,
}

impl Segment {
    pub(super) fn new(
        source: Ipv4Addr,
        source_port: u16,
        destination: Ipv4Addr,
        destination_port: u16,
        flags: u8,
    ) -> Self {
        Self {
            tuple: (source, source_port, destination, destination_port),
            flags,
            sequence: 0,
            acknowledgment: 0,
            options: Vec::new(),
            payload: Vec::new(),
        }
    }

    pub(super) fn seq(mut self, sequence: u32) -> Self {
        self.sequence = sequence;
        self
    }

    pub(super) fn ack(mut self, acknowledgment: u32) -> Self {
        self.acknowledgment = acknowledgment;
        self
    }

    pub(super) fn payload(mut self, payload: &[u8]) -> Self {
        self.payload = payload.to_vec();
        self
    }

    /// The IPv4 packet.
    pub(super) fn packet(&self) -> Vec<u8> {
        let (source, source_port, destination, destination_port) = self.tuple;
        let mut tcp = Vec::new();
        tcp.extend(source_port.to_be_bytes());
        tcp.extend(destination_port.to_be_bytes());
        tcp.extend(self.sequence.to_be_bytes());
        tcp.extend(self.acknowledgment.to_be_bytes());
        tcp.extend([(5 + self.options.len() as u8 / 4) << 4, self.flags]);
        tcp.extend(8192u16.to_be_bytes());
        tcp.extend([0; 4]);
        tcp.extend(&self.options);
        tcp.extend(&self.payload);
        let sum = transport_sum(source, destination, 6, &tcp);
        tcp[16..18].copy_from_slice(&(!sum).to_be_bytes());
        ipv4(source, destination, 6, &tcp)
    }

    /// The frame, from its sender's side of `port`.
    pub(super) fn frame(&self, port: PortId) -> Vec<u8> {
        ethernet(port, &self.packet())
    }

    pub(super) fn options(mut self, options: &[u8]) -> Self {
        self.options = options.to_vec();
        self
    }
}

/// Puts a packet into a frame to the box at `port`.
pub(super) fn ethernet(port: PortId, packet: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(port_mac(port).0);
    frame.extend(station(GATEWAY).0);
    frame.extend([8, 0]);
    frame.extend(packet);
    frame
}

pub(super) fn ipv4(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut packet = alloc::vec![0x45, 0];
    packet.extend((20 + payload.len() as u16).to_be_bytes());
    packet.extend([0, 1, 0, 0, 64, protocol, 0, 0]);
    packet.extend(source.octets());
    packet.extend(destination.octets());
    let sum = plain_sum(&packet);
    packet[10..12].copy_from_slice(&(!sum).to_be_bytes());
    packet.extend(payload);
    packet
}

pub(super) fn udp(
    source: (Ipv4Addr, u16),
    destination: (Ipv4Addr, u16),
    payload: &[u8],
) -> Vec<u8> {
    let mut udp = Vec::new();
    udp.extend(source.1.to_be_bytes());
    udp.extend(destination.1.to_be_bytes());
    udp.extend((8 + payload.len() as u16).to_be_bytes());
    udp.extend([0, 0]);
    udp.extend(payload);
    let sum = match !transport_sum(source.0, destination.0, 17, &udp) {
        0 => 0xffff,
        sum => sum,
    };
    udp[6..8].copy_from_slice(&sum.to_be_bytes());
    ipv4(source.0, destination.0, 17, &udp)
}

pub(super) fn echo(kind: u8, source: Ipv4Addr, destination: Ipv4Addr, identifier: u16) -> Vec<u8> {
    let [high, low] = identifier.to_be_bytes();
    icmp(
        source,
        destination,
        &[kind, 0, 0, 0, high, low, 0, 1, b'p', b'i', b'n', b'g', b'!'],
    )
}

/// An ICMP message with its checksum filled in.
pub(super) fn icmp(source: Ipv4Addr, destination: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let sum = plain_sum(&message);
    message[2..4].copy_from_slice(&(!sum).to_be_bytes());
    ipv4(source, destination, 1, &message)
}

/// An ICMP error about `packet`, quoting `len` bytes of it.
pub(super) fn icmp_error(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    kind: u8,
    packet: &[u8],
    len: usize,
) -> Vec<u8> {
    let mut message = alloc::vec![kind, 0, 0, 0, 0, 0, 0, 0];
    message.extend(&packet[..len.min(packet.len())]);
    icmp(source, destination, &message)
}

pub(super) fn arp(operation: u16, sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend([0xff; 6]);
    frame.extend(station(sender).0);
    frame.extend([8, 6, 0, 1, 8, 0, 6, 4]);
    frame.extend(operation.to_be_bytes());
    frame.extend(station(sender).0);
    frame.extend(sender.octets());
    frame.extend([0; 6]);
    frame.extend(target.octets());
    frame.extend([0; 18]);
    frame
}

/// The Internet checksum the slow way: the oracle of these tests.
pub(super) fn plain_sum(bytes: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in bytes.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

pub(super) fn transport_sum(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    segment: &[u8],
) -> u16 {
    let mut all = Vec::new();
    all.extend(source.octets());
    all.extend(destination.octets());
    all.extend([0, protocol]);
    all.extend((segment.len() as u16).to_be_bytes());
    all.extend(segment);
    plain_sum(&all)
}

/// What left the box, every checksum verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Packet {
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) protocol: u8,
    pub(super) source_port: u16,
    pub(super) destination_port: u16,
    /// From the IPv4 header on.
    pub(super) bytes: Vec<u8>,
}

impl Packet {
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let total = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        // Behind the packet there is padding.
        let packet = Self::parse_header(&bytes[..total]);
        let payload = &bytes[20..total];
        match packet.protocol {
            6 => assert_eq!(
                transport_sum(packet.source, packet.destination, 6, payload),
                0xffff,
                "TCP"
            ),
            17 if payload[6..8] != [0, 0] => {
                assert_eq!(
                    transport_sum(packet.source, packet.destination, 17, payload),
                    0xffff,
                    "UDP"
                );
            }
            1 => assert_eq!(plain_sum(payload), 0xffff, "ICMP"),
            _ => {}
        }
        packet
    }

    /// As [`parse`](Self::parse) for a quoted packet, whose end may be missing.
    pub(super) fn parse_header(bytes: &[u8]) -> Self {
        assert_eq!(plain_sum(&bytes[..20]), 0xffff, "IPv4 header checksum");
        let at = |n: usize| u16::from_be_bytes([bytes[n], bytes[n + 1]]);
        let address = |n: usize| Ipv4Addr::new(bytes[n], bytes[n + 1], bytes[n + 2], bytes[n + 3]);
        let protocol = bytes[9];
        let (source_port, destination_port) = match (protocol, bytes[20]) {
            (1, 8) => (at(24), 0),
            (1, 0) => (0, at(24)),
            (1, _) => (0, 0),
            _ => (at(20), at(22)),
        };
        Self {
            source: address(12),
            destination: address(16),
            protocol,
            source_port,
            destination_port,
            bytes: bytes.to_vec(),
        }
    }

    fn be32(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.bytes[at..at + 4].try_into().expect("four bytes"))
    }

    pub(super) fn sequence(&self) -> u32 {
        self.be32(24)
    }

    pub(super) fn acknowledgment(&self) -> u32 {
        self.be32(28)
    }

    pub(super) fn tcp_flags(&self) -> u8 {
        self.bytes[33]
    }

    pub(super) fn window(&self) -> u16 {
        u16::from_be_bytes([self.bytes[34], self.bytes[35]])
    }

    /// The TCP options, padding included.
    pub(super) fn tcp_options(&self) -> &[u8] {
        &self.bytes[40..20 + usize::from(self.bytes[32] >> 4) * 4]
    }

    /// What follows the TCP header.
    pub(super) fn tcp_payload(&self) -> &[u8] {
        &self.bytes[20 + usize::from(self.bytes[32] >> 4) * 4..]
    }

    pub(super) fn from(&self) -> (Ipv4Addr, u16) {
        (self.source, self.source_port)
    }

    pub(super) fn to(&self) -> (Ipv4Addr, u16) {
        (self.destination, self.destination_port)
    }
}

//! Neighbour discovery: our addresses, asking, answering, router advertisements. RFC 4861, RFC 4862.
//!
//! An address of the box is *tentative* until duplicate address detection is through: nothing is sent
//! from it or answered for it. One that somebody else has is never used; `show ipv6 interface` says so.
//! The box is a router: it sends advertisements where it is told to, and believes none.

use alloc::vec::Vec;
use core::net::Ipv6Addr;
use core::time::Duration;

use hal::nic::MacAddr;
use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

use super::icmp::is_sound;
use super::policy::{Interface6, RouterAdvertisement};
use super::wire::{
    Headers6, IPV6_LEN, NEIGHBOR_ADVERTISEMENT, NEIGHBOR_SOLICITATION, REDIRECT,
    ROUTER_ADVERTISEMENT, ROUTER_SOLICITATION,
};
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::input::{Dropped, Outcome, Verdict};
use crate::neighbor::Sighting;
use crate::policy::PortId;
use crate::wire::{ETHERNET_LEN, ETHERTYPE_IPV6, Layer4, array};

/// Discovery stays on its link: only packets that no router has touched count (RFC 4861 §3.1).
const HOP_LIMIT_MAX: u8 = 255;
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

// Options, RFC 4861 §4.6.
const SOURCE_LINK_LAYER: u8 = 1;
const TARGET_LINK_LAYER: u8 = 2;
const PREFIX_INFORMATION: u8 = 3;
const MTU: u8 = 5;

// Flags of a neighbour advertisement, RFC 4861 §4.4.
const ROUTER: u8 = 0x80;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;

/// The first advertisements come close together (RFC 4861 §6.2.4).
const INITIAL_ADVERTISEMENTS: u8 = 3;
const INITIAL_INTERVAL: Duration = Duration::from_secs(16);
/// Least time between two advertisements to everybody (RFC 4861 §10).
const ADVERTISEMENT_PAUSE: Duration = Duration::from_secs(3);
/// Octets of options that a message may have; honest ones have under a hundred.
const OPTIONS_MAX: usize = 1024;

/// Where an address of the box stands (RFC 4862 §5.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressState {
    /// Being asked for; not in use yet.
    Tentative,
    /// In use.
    Preferred,
    /// Somebody else has it; not in use.
    Duplicate,
}

/// An address of the box.
#[derive(Clone, Copy, Debug)]
struct Own {
    port: PortId,
    address: Ipv6Addr,
    state: AddressState,
    /// Solicitations still to send.
    attempts: u8,
    /// When the next is due, or the address is ours.
    due: Instant,
}

/// An interface that advertises.
#[derive(Clone, Copy, Debug)]
struct Advertiser {
    port: PortId,
    due: Instant,
    last: Instant,
    sent: u8,
}

/// The state of discovery.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    own: Vec<Own>,
    advertisers: Vec<Advertiser>,
}

impl Discovery {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let own = self
            .own
            .iter()
            .filter(|own| own.state == AddressState::Tentative)
            .map(|own| own.due);
        own.chain(self.advertisers.iter().map(|advertiser| advertiser.due))
            .min()
    }

    fn state(&self, port: PortId, address: Ipv6Addr) -> Option<AddressState> {
        self.own
            .iter()
            .find(|own| own.port == port && own.address == address)
            .map(|own| own.state)
    }
}

/// Whether an ICMPv6 type is one of discovery.
pub(super) const fn is_discovery(kind: u8) -> bool {
    matches!(kind, ROUTER_SOLICITATION..=REDIRECT)
}

/// The group in which everybody with the last 24 bits of `address` listens (RFC 4291 §2.7.1).
fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let group = 0xff02_0000_0000_0000_0000_0001_ff00_0000;
    Ipv6Addr::from_bits(group | (address.to_bits() & 0xff_ffff))
}

/// The Ethernet group of a multicast address (RFC 2464 §7).
fn group_mac(address: Ipv6Addr) -> MacAddr {
    let [.., a, b, c, d] = address.octets();
    MacAddr([0x33, 0x33, a, b, c, d])
}

/// A neighbour solicitation or advertisement, checked.
struct Message {
    target: Ipv6Addr,
    flags: u8,
    link_layer: Option<MacAddr>,
}

impl Message {
    /// Checks what RFC 4861 §7.1.1 and §7.1.2 ask for.
    fn parse(bytes: &[u8], headers: &Headers6, kind: u8) -> Option<Self> {
        let start = usize::from(headers.transport);
        let message = bytes.get(start..start + usize::from(headers.transport_len()))?;
        let target: Ipv6Addr = array::<16>(message, 8)?.into();
        let flags = *message.get(4)?;
        let wanted = if kind == NEIGHBOR_SOLICITATION {
            SOURCE_LINK_LAYER
        } else {
            TARGET_LINK_LAYER
        };
        let link_layer = link_layer_option(message.get(24..)?, wanted)?;
        let is_probe = headers.source.is_unspecified();
        let is_valid = !target.is_multicast()
            && if kind == NEIGHBOR_SOLICITATION {
                !is_probe || (link_layer.is_none() && headers.destination == solicited_node(target))
            } else {
                !(is_probe || headers.destination.is_multicast() && flags & SOLICITED != 0)
            };
        is_valid.then_some(Self {
            target,
            flags,
            link_layer,
        })
    }
}

/// The Ethernet address in the option `wanted`; the outer `None`: the options do not parse.
#[expect(
    clippy::option_option,
    reason = "malformed, absent and present are three things"
)]
fn link_layer_option(mut options: &[u8], wanted: u8) -> Option<Option<MacAddr>> {
    if options.len() > OPTIONS_MAX {
        return None;
    }
    let mut found = None;
    while let [kind, units, ..] = *options {
        let len = usize::from(units) * 8;
        if len == 0 {
            return None;
        }
        let option = options.get(..len)?;
        if kind == wanted {
            let mac = MacAddr(array(option, 2)?);
            if mac.is_multicast() || mac == MacAddr::default() {
                return None;
            }
            found = found.or(Some(mac));
        }
        options = options.get(len..)?;
    }
    options.is_empty().then_some(found)
}

impl DataPlane {
    /// Takes over a new policy: addresses that stay keep their state, new ones become tentative.
    pub(crate) fn begin_policy6(&mut self, pool: &mut PacketPool, now: Instant) {
        let before = core::mem::take(&mut self.v6.discovery);
        for interface in &self.policy.v6.interfaces {
            let port = interface.port;
            for address in interface.own() {
                let known = before
                    .own
                    .iter()
                    .find(|own| own.port == port && own.address == address.address);
                let is_kept = known.is_some_and(|own| own.state != AddressState::Duplicate);
                let own = match known {
                    Some(own) if is_kept => *own,
                    _ => tentative(interface, address.address, now),
                };
                self.v6.discovery.own.push(own);
            }
            if interface.advertisement.is_some() {
                let known = before
                    .advertisers
                    .iter()
                    .find(|advertiser| advertiser.port == port);
                self.v6
                    .discovery
                    .advertisers
                    .push(known.copied().unwrap_or(Advertiser {
                        port,
                        due: now,
                        last: Instant::ZERO,
                        sent: 0,
                    }));
            }
        }
        let gone: Vec<PortId> = (0..self.limits.all_ports())
            .map(PortId)
            .filter(|&port| self.policy.v6.interface(port).is_none())
            .collect();
        self.forget_neighbors::<Ipv6Addr>(|port| gone.contains(&port), pool);
        self.rebuild_routes6();
        self.run_discovery(pool, now);
    }

    /// Collects the routes anew, over ports that are open.
    pub(crate) fn rebuild_routes6(&mut self) {
        let ports = &self.ports;
        self.v6.routes = super::Routes6::new(&self.policy.v6, |port| {
            ports
                .get(port.index())
                .is_some_and(crate::engine::Port::is_open)
        });
    }

    /// The cable of `port` went in: its addresses are asked for again.
    pub(crate) fn link_up6(&mut self, port: PortId) {
        let Some(interface) = self.policy.v6.interface(port) else {
            return;
        };
        for own in &mut self.v6.discovery.own {
            if own.port == port {
                *own = tentative(interface, own.address, Instant::ZERO);
            }
        }
        for advertiser in &mut self.v6.discovery.advertisers {
            if advertiser.port == port {
                (advertiser.due, advertiser.sent) = (Instant::ZERO, 0);
            }
        }
    }

    /// Whether `address` is one of the box on `port`, in use.
    pub(super) fn is_own6(&self, port: PortId, address: Ipv6Addr) -> bool {
        self.v6.discovery.state(port, address) == Some(AddressState::Preferred)
    }

    /// Where the box's address on `port` stands.
    #[must_use]
    pub fn address_state6(&self, port: PortId, address: Ipv6Addr) -> Option<AddressState> {
        self.v6.discovery.state(port, address)
    }

    /// The address of the box that speaks to `destination` behind `port` (RFC 6724, rules 1 and 2): one
    /// in its network, else any of the same scope.
    pub(crate) fn source_for6(&self, port: PortId, destination: Ipv6Addr) -> Option<Ipv6Addr> {
        let interface = self.policy.v6.interface(port)?;
        let is_usable = |address: Ipv6Addr| self.is_own6(port, address);
        if destination.is_unicast_link_local() || destination.is_multicast() {
            return Some(interface.link_local).filter(|&address| is_usable(address));
        }
        let usable = || {
            interface
                .addresses
                .iter()
                .filter(|own| is_usable(own.address))
        };
        usable()
            .find(|own| own.network().contains(destination))
            .or_else(|| usable().next())
            .map(|own| own.address)
    }

    /// A message of discovery. Each is checked before it is believed; a bad one is dropped.
    pub(super) fn handle_discovery(
        &mut self,
        port: PortId,
        headers: &Headers6,
        frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let Layer4::IcmpOther { kind } = headers.layer4 else {
            return Err(Dropped::new(DropReason::L2Acl, frame));
        };
        let is_genuine = headers.hop_limit == HOP_LIMIT_MAX
            && headers.icmp_code == 0
            && !frame.is_chained()
            && is_sound(frame.bytes(), headers);
        if !is_genuine {
            return Err(Dropped::new(DropReason::L2Acl, frame));
        }
        match kind {
            NEIGHBOR_SOLICITATION | NEIGHBOR_ADVERTISEMENT => {
                let Some(message) = Message::parse(frame.bytes(), headers, kind) else {
                    return Err(Dropped::new(DropReason::L2Acl, frame));
                };
                if kind == NEIGHBOR_SOLICITATION {
                    self.handle_solicitation(port, headers, &message, pool, now);
                } else {
                    self.handle_advertisement(port, &message, pool, now);
                }
            }
            ROUTER_SOLICITATION => self.handle_router_solicitation(port, now),
            // We route by what we are told at the console.
            _ => {}
        }
        pool.free(frame);
        Ok(Verdict::Consumed)
    }

    fn handle_solicitation(
        &mut self,
        port: PortId,
        headers: &Headers6,
        message: &Message,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let is_probe = headers.source.is_unspecified();
        let state = self.v6.discovery.state(port, message.target);
        if state == Some(AddressState::Tentative) {
            // Somebody tries the same address at the same time (RFC 4862 §5.4.3).
            if is_probe {
                self.lose(port, message.target);
            }
            return;
        }
        let is_own = state == Some(AddressState::Preferred);
        let is_asked = is_own || self.proxies6(port, message.target);
        if let Some(mac) = message.link_layer {
            // Who asks us will be talked to soon; anybody else is noted only if we know or want him.
            self.learn6(port, headers.source, mac, is_asked, pool, now);
        }
        if !is_asked {
            return;
        }
        let Some(interface) = self.interface(port) else {
            return;
        };
        let (own_mac, target) = (interface.mac, message.target);
        let (destination, flags) = if is_probe {
            (ALL_NODES, ROUTER)
        } else {
            (headers.source, ROUTER | SOLICITED)
        };
        // For a translated address another box may answer as well: it does not override.
        let flags = if is_own { flags | OVERRIDE } else { flags };
        let mut head = [0; 24];
        head[0] = NEIGHBOR_ADVERTISEMENT;
        head[4] = flags;
        head[8..].copy_from_slice(&target.octets());
        let source = if is_own {
            Some(target)
        } else {
            self.source_for6(port, destination)
        };
        let to_mac = if is_probe {
            group_mac(ALL_NODES)
        } else {
            message.link_layer.unwrap_or(group_mac(destination))
        };
        let option = link_layer(TARGET_LINK_LAYER, own_mac);
        match (source, is_probe || message.link_layer.is_some()) {
            (Some(source), true) => {
                self.say(port, source, destination, to_mac, &head, &option, pool);
            }
            // Without the asker's address on the link the answer goes as any packet of ours.
            (Some(source), false) => {
                self.say_routed(port, source, destination, &head, &option, pool, now);
            }
            (None, _) => {}
        }
    }

    fn handle_advertisement(
        &mut self,
        port: PortId,
        message: &Message,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        match self.v6.discovery.state(port, message.target) {
            Some(AddressState::Tentative) => self.lose(port, message.target),
            // Somebody claims what we use: the address stays ours, as nobody may take it over.
            Some(_) => {}
            None => {
                let known = self
                    .v6
                    .neighbors
                    .find(port, message.target)
                    .and_then(|id| self.v6.neighbors.get(id))
                    .filter(|neighbor| neighbor.is_known())
                    .map(|neighbor| neighbor.mac);
                let mac = message.link_layer.or(known);
                // Without "override" a known address is not replaced (RFC 4861 §7.2.5).
                let is_refused =
                    message.flags & OVERRIDE == 0 && known.is_some_and(|known| mac != Some(known));
                if let Some(mac) = mac
                    && !is_refused
                {
                    self.learn6(port, message.target, mac, false, pool, now);
                }
            }
        }
    }

    fn handle_router_solicitation(&mut self, port: PortId, now: Instant) {
        for advertiser in &mut self.v6.discovery.advertisers {
            if advertiser.port == port {
                let earliest = now.max(advertiser.last + ADVERTISEMENT_PAUSE);
                advertiser.due = advertiser.due.min(earliest);
            }
        }
    }

    fn lose(&mut self, port: PortId, address: Ipv6Addr) {
        for own in &mut self.v6.discovery.own {
            if own.port == port && own.address == address {
                own.state = AddressState::Duplicate;
            }
        }
    }

    fn learn6(
        &mut self,
        port: PortId,
        address: Ipv6Addr,
        mac: MacAddr,
        create: bool,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let Some(interface) = self.policy.v6.interface(port) else {
            return;
        };
        if !interface.is_on_link(address) {
            return;
        }
        let lifetime = interface.reachable_time;
        self.learn(Sighting { port, address, mac }, create, lifetime, pool, now);
    }

    /// Does what is due: detection of duplicates, advertisements, asking neighbours again.
    pub(crate) fn run_discovery(&mut self, pool: &mut PacketPool, now: Instant) {
        for index in 0..self.v6.discovery.own.len() {
            self.try_address(index, pool, now);
        }
        for index in 0..self.v6.discovery.advertisers.len() {
            self.advertise(index, pool, now);
        }
        self.run_neighbors::<Ipv6Addr>(pool, now);
    }

    /// A step of duplicate address detection (RFC 4862 §5.4).
    fn try_address(&mut self, index: usize, pool: &mut PacketPool, now: Instant) {
        let Some(own) = self.v6.discovery.own.get_mut(index) else {
            return;
        };
        if own.state != AddressState::Tentative || own.due > now {
            return;
        }
        let (port, address) = (own.port, own.address);
        if own.attempts == 0 {
            own.state = AddressState::Preferred;
            return;
        }
        own.attempts -= 1;
        let pause = self
            .policy
            .v6
            .interface(port)
            .map_or(Duration::from_secs(1), |interface| {
                interface.solicitation_interval
            });
        own.due = now + pause;
        let group = solicited_node(address);
        let head = solicitation(address);
        let source = Ipv6Addr::UNSPECIFIED;
        self.say(port, source, group, group_mac(group), &head, &[], pool);
    }

    /// Asks who has `address` behind `port`.
    pub(crate) fn solicit(&mut self, port: PortId, address: Ipv6Addr, pool: &mut PacketPool) {
        let Some(mac) = self.interface(port).map(|interface| interface.mac) else {
            return;
        };
        // While our own address is tentative nobody can be asked; the timer asks again.
        let Some(source) = self.source_for6(port, address) else {
            return;
        };
        let group = solicited_node(address);
        let head = solicitation(address);
        let option = link_layer(SOURCE_LINK_LAYER, mac);
        self.say(port, source, group, group_mac(group), &head, &option, pool);
    }

    /// Sends the router advertisement that is due.
    fn advertise(&mut self, index: usize, pool: &mut PacketPool, now: Instant) {
        let Some(advertiser) = self.v6.discovery.advertisers.get_mut(index) else {
            return;
        };
        if advertiser.due > now {
            return;
        }
        let port = advertiser.port;
        let Some(interface) = self.policy.v6.interface(port) else {
            return;
        };
        let Some(advertisement) = &interface.advertisement else {
            return;
        };
        if self.v6.discovery.state(port, interface.link_local) != Some(AddressState::Preferred) {
            // An advertisement comes from the address on the link (RFC 4861 §4.2).
            if let Some(advertiser) = self.v6.discovery.advertisers.get_mut(index) {
                advertiser.due = now + Duration::from_secs(1);
            }
            return;
        }
        let interval = advertisement.interval;
        let Some(own) = self.interface(port) else {
            return;
        };
        let body = emit_advertisement(advertisement, own.mac, own.mtu);
        let source = interface.link_local;
        if let Some(advertiser) = self.v6.discovery.advertisers.get_mut(index) {
            advertiser.sent = advertiser.sent.saturating_add(1);
            advertiser.last = now;
            let pause = if advertiser.sent < INITIAL_ADVERTISEMENTS {
                interval.min(INITIAL_INTERVAL)
            } else {
                interval
            };
            advertiser.due = now + pause.max(ADVERTISEMENT_PAUSE);
        }
        self.say(
            port,
            source,
            ALL_NODES,
            group_mac(ALL_NODES),
            &body,
            &[],
            pool,
        );
    }

    /// Sends a message of discovery to a station or group of stations behind `port`.
    #[expect(clippy::too_many_arguments, reason = "each is a field of the packet")]
    fn say(
        &mut self,
        port: PortId,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        mac: MacAddr,
        head: &[u8],
        rest: &[u8],
        pool: &mut PacketPool,
    ) {
        let Some(mut frame) = pool.take() else {
            self.drops.count_frame(DropReason::DispatchBlockAlloc);
            return;
        };
        self.verdicts.made += 1;
        let outcome = if self.compose(&mut frame, source, destination, HOP_LIMIT_MAX, head, rest) {
            self.enqueue(port, mac, ETHERTYPE_IPV6, frame)
        } else {
            Err(Dropped::new(DropReason::InvalidEncap, frame))
        };
        // The reason is counted; discovery repeats itself.
        let _ = self.settle(outcome, pool);
    }

    /// As [`say`](Self::say), to a neighbour whose Ethernet address may have to be asked for.
    #[expect(clippy::too_many_arguments, reason = "each is a field of the packet")]
    fn say_routed(
        &mut self,
        port: PortId,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        head: &[u8],
        rest: &[u8],
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let Some(mut frame) = pool.take() else {
            self.drops.count_frame(DropReason::DispatchBlockAlloc);
            return;
        };
        self.verdicts.made += 1;
        let is_whole = self.compose(&mut frame, source, destination, HOP_LIMIT_MAX, head, rest);
        let outcome = match self.want(port, destination, pool, now) {
            Some(id) if is_whole => self.send_to::<Ipv6Addr>(id, port, frame, pool),
            _ => Err(Dropped::new(DropReason::NoAdjacency, frame)),
        };
        let _ = self.settle(outcome, pool);
    }

    /// Routes an IPv6 packet of the box itself (from its header on, complete but for a zero source,
    /// which is filled in; its ICMPv6 checksum is made here). At least 14 bytes of headroom.
    pub(crate) fn route_local6(
        &mut self,
        mut packet: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        use super::wire::{DESTINATION, NEXT_HEADER, PROTOCOL_ICMPV6, SOURCE, sum};
        use crate::wire::{ICMP_CHECKSUM, put};

        let bytes = packet.bytes_mut();
        let (Some(source), Some(destination)) =
            (array::<16>(bytes, SOURCE), array::<16>(bytes, DESTINATION))
        else {
            return Err(Dropped::new(DropReason::InvalidIpHeader, packet));
        };
        let (mut source, destination) = (Ipv6Addr::from(source), Ipv6Addr::from(destination));
        let Some(hop) = self.v6.routes.lookup(destination, None) else {
            return Err(Dropped::new(DropReason::NoRoute, packet));
        };
        if source.is_unspecified() {
            let Some(own) = self.source_for6(hop.port, destination) else {
                return Err(Dropped::new(DropReason::NoRoute, packet));
            };
            source = own;
            put(bytes, SOURCE, &source.octets());
        }
        if bytes.get(NEXT_HEADER) == Some(&PROTOCOL_ICMPV6) {
            put(bytes, IPV6_LEN + ICMP_CHECKSUM, &[0, 0]);
            let message = bytes.get(IPV6_LEN..).unwrap_or_default();
            let sum = sum(source, destination, PROTOCOL_ICMPV6, message);
            put(bytes, IPV6_LEN + ICMP_CHECKSUM, &(!sum).to_be_bytes());
        }
        if !packet.grow_front(ETHERNET_LEN) {
            return Err(Dropped::new(DropReason::InvalidEncap, packet));
        }
        match self.want(hop.port, hop.address, pool, now) {
            Some(id) => self.send_to::<Ipv6Addr>(id, hop.port, packet, pool),
            None => Err(Dropped::new(DropReason::NoAdjacency, packet)),
        }
    }
}

fn tentative(interface: &Interface6, address: Ipv6Addr, now: Instant) -> Own {
    Own {
        port: interface.port,
        address,
        state: AddressState::Tentative,
        attempts: interface.dad_attempts,
        due: now,
    }
}

/// The fixed part of a neighbour solicitation.
fn solicitation(target: Ipv6Addr) -> [u8; 24] {
    let mut head = [0; 24];
    head[0] = NEIGHBOR_SOLICITATION;
    head[8..].copy_from_slice(&target.octets());
    head
}

fn link_layer(kind: u8, mac: MacAddr) -> [u8; 8] {
    let [a, b, c, d, e, f] = mac.0;
    [kind, 1, a, b, c, d, e, f]
}

/// A router advertisement (RFC 4861 §4.2) with source address, MTU and prefixes. Control plane: it
/// allocates.
fn emit_advertisement(advertisement: &RouterAdvertisement, mac: MacAddr, mtu: u16) -> Vec<u8> {
    let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    let lifetime = u16::try_from(advertisement.lifetime.as_secs()).unwrap_or(u16::MAX);
    let mut body = alloc::vec![0; 16];
    body[0] = ROUTER_ADVERTISEMENT;
    body[4] = super::icmp::HOPS;
    body[5] = u8::from(advertisement.managed) << 7 | u8::from(advertisement.other) << 6;
    body[6..8].copy_from_slice(&lifetime.to_be_bytes());
    body.extend(link_layer(SOURCE_LINK_LAYER, mac));
    body.extend([MTU, 1, 0, 0, 0, 0]);
    body.extend(mtu.to_be_bytes());
    for prefix in &advertisement.prefixes {
        let flags = u8::from(prefix.on_link) << 7 | u8::from(prefix.autonomous) << 6;
        body.extend([PREFIX_INFORMATION, 4, prefix.prefix_len, flags]);
        body.extend(seconds(prefix.valid).to_be_bytes());
        body.extend(seconds(prefix.preferred).to_be_bytes());
        body.extend([0; 4]);
        body.extend(prefix.network.octets());
    }
    body
}

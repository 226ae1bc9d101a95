//! ARP: asking, answering for ourselves and for mapped addresses, learning. RFC 826, RFC 5227.

use core::net::Ipv4Addr;

use hal::nic::MacAddr;
use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::input::{Dropped, Outcome, Verdict};
use crate::neighbor::Sighting;
use crate::policy::{Interface, PortId};
use crate::wire::{ETHERNET_LEN, ETHERTYPE_ARP, array};

/// Bytes of an ARP message for IPv4 over Ethernet.
const ARP_LEN: usize = 28;
/// Hardware type Ethernet, protocol IPv4, address lengths 6 and 4.
const ARP_HEAD: [u8; 6] = [0, 1, 8, 0, 6, 4];
const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// An ARP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arp {
    operation: u16,
    sender_mac: MacAddr,
    sender: Ipv4Addr,
    target_mac: MacAddr,
    target: Ipv4Addr,
}

impl Arp {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let message: [u8; ARP_LEN] = array(bytes, ETHERNET_LEN)?;
        if message[..6] != ARP_HEAD {
            return None;
        }
        Some(Self {
            operation: u16::from_be_bytes([message[6], message[7]]),
            sender_mac: MacAddr(array(&message, 8)?),
            sender: array::<4>(&message, 14)?.into(),
            target_mac: MacAddr(array(&message, 18)?),
            target: array::<4>(&message, 24)?.into(),
        })
    }

    fn emit(&self) -> [u8; ARP_LEN] {
        let mut message = [0; ARP_LEN];
        message[..6].copy_from_slice(&ARP_HEAD);
        message[6..8].copy_from_slice(&self.operation.to_be_bytes());
        message[8..14].copy_from_slice(&self.sender_mac.0);
        message[14..18].copy_from_slice(&self.sender.octets());
        message[18..24].copy_from_slice(&self.target_mac.0);
        message[24..].copy_from_slice(&self.target.octets());
        message
    }
}

impl DataPlane {
    /// Takes an ARP frame.
    pub(crate) fn handle_arp(
        &mut self,
        port: PortId,
        frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let Some(arp) = Arp::parse(frame.bytes()) else {
            return Err(Dropped::new(DropReason::L2Acl, frame));
        };
        let Some(interface) = self.interface(port) else {
            return Err(Dropped::new(DropReason::InterfaceDown, frame));
        };
        if !is_plausible(&arp, interface) {
            return Err(Dropped::new(DropReason::L2Acl, frame));
        }
        let is_for_us = arp.target == interface.address;
        let is_asked = arp.operation == REQUEST
            && (is_for_us || (arp.target != arp.sender && self.nat.answers_for(port, arp.target)));
        let is_probe = arp.sender.is_unspecified();
        if !is_probe {
            // Who asks us will be talked to soon; anybody else is noted only if we know or want
            // him, so that nobody can fill the table by talking.
            let seen = Sighting {
                port,
                address: arp.sender,
                mac: arp.sender_mac,
            };
            self.learn(seen, is_asked, self.policy.arp_timeout, pool, now);
        }
        if !is_asked {
            pool.free(frame);
            return Ok(Verdict::Consumed);
        }
        self.answer(port, &arp, frame)
    }

    /// Turns a request into its answer.
    fn answer(&mut self, port: PortId, arp: &Arp, mut frame: PacketBuf) -> Outcome {
        let Some(mac) = self.interface(port).map(|interface| interface.mac) else {
            return Err(Dropped::new(DropReason::InterfaceDown, frame));
        };
        let reply = Arp {
            operation: REPLY,
            sender_mac: mac,
            sender: arp.target,
            target_mac: arp.sender_mac,
            target: arp.sender,
        };
        crate::wire::put(frame.bytes_mut(), ETHERNET_LEN, &reply.emit());
        self.enqueue(port, arp.sender_mac, ETHERTYPE_ARP, frame)
    }

    /// Asks who has `address` behind `port`.
    pub(crate) fn ask(&mut self, port: PortId, address: Ipv4Addr, pool: &mut PacketPool) {
        if let Some(interface) = self.interface(port) {
            let request = Arp {
                operation: REQUEST,
                sender_mac: interface.mac,
                sender: interface.address,
                target_mac: MacAddr::default(),
                target: address,
            };
            self.broadcast(port, &request, pool);
        }
    }

    /// Tells everybody behind `port` where our address is (gratuitous ARP, RFC 5227 §3).
    pub(crate) fn announce(&mut self, port: PortId, pool: &mut PacketPool) {
        if let Some(address) = self
            .interface(port)
            .map(|interface| interface.address)
            .filter(|address| !address.is_unspecified())
        {
            self.ask(port, address, pool);
        }
    }

    fn broadcast(&mut self, port: PortId, arp: &Arp, pool: &mut PacketPool) {
        let Some(mut frame) = pool.take() else {
            self.drops.count_frame(DropReason::DispatchBlockAlloc);
            return;
        };
        self.verdicts.made += 1;
        let is_whole = frame.extend(&[0; ETHERNET_LEN]) && frame.extend(&arp.emit());
        let outcome = if is_whole {
            self.enqueue(port, MacAddr::BROADCAST, ETHERTYPE_ARP, frame)
        } else {
            Err(Dropped::new(DropReason::InvalidEncap, frame))
        };
        // The reason is counted; the neighbour is asked again anyway.
        let _ = self.settle(outcome, pool);
    }
}

/// Whether a message can come from a neighbour: an address of this network that is not ours (or
/// none: a probe), from a station.
fn is_plausible(arp: &Arp, interface: &Interface) -> bool {
    let network = interface.network();
    let is_edge =
        interface.prefix_len < 31 && (arp.sender == network.first || arp.sender == network.last);
    let is_sender_valid = arp.sender.is_unspecified()
        || (network.contains(arp.sender) && arp.sender != interface.address && !is_edge);
    matches!(arp.operation, REQUEST | REPLY)
        && is_sender_valid
        && !arp.sender_mac.is_multicast()
        && arp.sender_mac != MacAddr::default()
        && arp.sender_mac != interface.mac
}

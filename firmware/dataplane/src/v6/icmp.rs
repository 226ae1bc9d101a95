//! ICMPv6: answering echo, reporting drops, carrying errors to the flows they are about. RFC 4443,
//! RFC 8201 (path MTU), RFC 4890 (what a firewall must let through).

use core::net::Ipv6Addr;

use hal::nic::MacAddr;
use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

use super::wire::{
    self, DESTINATION, ECHO_REPLY, ECHO_REQUEST, HOP_LIMIT, Headers6, IPV6_LEN, PACKET_TOO_BIG,
    PROTOCOL_ICMPV6, SOURCE, TIME_EXCEEDED, UNREACHABLE,
};
use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::{Direction, sequence};
use crate::input::{Dropped, Outcome};
use crate::policy::{Action, PortId};
use crate::wire::checksum::Delta;
use crate::wire::{
    ETHERNET_LEN, ETHERTYPE_IPV6, ICMP_CHECKSUM, ICMP_LEN, Layer4, PROTOCOL_TCP, Tuple, array,
    be16, put,
};

/// Hop limit of packets the box makes.
pub(super) const HOPS: u8 = 64;
/// The least MTU of IPv6; an error stays within it (RFC 4443 §2.4 c).
const MTU_MIN: usize = 1280;

impl DataPlane {
    /// Turns an echo request to the box into its answer, back to the station it came from.
    pub(super) fn answer_echo6(
        &mut self,
        port: PortId,
        headers: &Headers6,
        mut frame: PacketBuf,
    ) -> Outcome {
        let (ip, icmp) = (usize::from(headers.ip), usize::from(headers.transport));
        let is_chained = frame.is_chained();
        let bytes = frame.bytes_mut();
        // What spans buffers is answered as it is: a wrong sum stays wrong.
        if !is_chained && !is_sound(bytes, headers) {
            return Err(Dropped::new(DropReason::BadTransportChecksum, frame));
        }
        let Some(sender) = array(bytes, 6).map(MacAddr) else {
            return Err(Dropped::new(DropReason::InvalidEncap, frame));
        };
        // Addresses change places, which no sum notices.
        put(bytes, ip + SOURCE, &headers.destination.octets());
        put(bytes, ip + DESTINATION, &headers.source.octets());
        put(bytes, ip + HOP_LIMIT, &[HOPS]);
        put(bytes, icmp, &[ECHO_REPLY]);
        let delta = Delta::default().word(u16::from(ECHO_REQUEST) << 8, u16::from(ECHO_REPLY) << 8);
        if let Some(sum) = be16(bytes, icmp + ICMP_CHECKSUM) {
            put(bytes, icmp + ICMP_CHECKSUM, &delta.apply(sum).to_be_bytes());
        }
        self.enqueue(port, sender, ETHERTYPE_IPV6, frame)
    }

    /// `ipv6 icmp {permit|deny}` of the interface: none permits all, one makes the rest denied.
    /// Neighbour discovery is not asked about.
    pub(super) fn may_icmp6(&self, port: PortId, source: Ipv6Addr, kind: u8) -> bool {
        let mut rules = self
            .policy
            .v6
            .icmp
            .iter()
            .filter(|rule| rule.port == port)
            .peekable();
        if rules.peek().is_none() {
            return true;
        }
        rules
            .find(|rule| {
                rule.source.contains(source) && rule.kind.is_none_or(|wanted| wanted == kind)
            })
            .is_some_and(|rule| rule.action == Action::Permit)
    }

    /// An ICMPv6 error: about a packet of a flow it is carried on, with the addresses the quoted
    /// packet had before it was translated; about one of the box itself it is handed up.
    pub(super) fn handle_icmp6_error(
        &mut self,
        port: PortId,
        headers: &Headers6,
        mut frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        if !frame.is_chained() && !is_sound(frame.bytes(), headers) {
            return Err(Dropped::new(DropReason::BadTransportChecksum, frame));
        }
        let quoted_at = usize::from(headers.transport) + ICMP_LEN;
        // The quoted packet is longer than its quotation; its own length says so.
        let Ok(quoted) = Headers6::parse(frame.bytes(), quoted_at, usize::MAX) else {
            return Err(Dropped::new(DropReason::IcmpErrorNoConn, frame));
        };
        let is_about_another = quoted.source != headers.destination;
        let is_about_an_error = matches!(quoted.layer4, Layer4::IcmpError { .. });
        if is_about_another || is_about_an_error {
            return Err(Dropped::new(DropReason::IcmpErrorNoConn, frame));
        }
        // The error comes back the way the answers to the quoted packet come.
        let found = self
            .v6
            .names
            .find(quoted.destination)
            .zip(self.v6.names.find(quoted.source))
            .and_then(|(source, destination)| {
                let answer = Tuple {
                    source,
                    destination,
                    source_port: quoted.destination_port,
                    destination_port: quoted.source_port,
                };
                self.flows.find_tuple(port, quoted.protocol, &answer)
            });
        let Some((index, direction)) = found else {
            let is_ours = self.is_own6(port, headers.destination);
            return if is_ours {
                self.hand_up6(port, headers, frame)
            } else {
                Err(Dropped::new(DropReason::IcmpErrorNoConn, frame))
            };
        };
        self.untranslate_error(index, direction, headers, &quoted, &mut frame);
        self.send_along6(index, direction, frame, pool, now)
    }

    /// Gives an error and its quotation the addresses that the flow's own side knows.
    fn untranslate_error(
        &self,
        index: u32,
        direction: Direction,
        headers: &Headers6,
        quoted: &Headers6,
        frame: &mut PacketBuf,
    ) {
        let Some(flow) = self.flows.get(index) else {
            return;
        };
        let sent = flow.arriving(direction.other());
        let names = &self.v6.names;
        let (Some(source), Some(destination)) =
            (names.address(sent.source), names.address(sent.destination))
        else {
            return;
        };
        let has_numbers = quoted.protocol == PROTOCOL_TCP && flow.has_offsets();
        if (source, destination) == (quoted.source, quoted.destination) && !has_numbers {
            return;
        }
        let (ip, icmp) = (usize::from(headers.ip), usize::from(headers.transport));
        let inner = usize::from(quoted.ip);
        // The reporter keeps its address unless it is the translated peer itself.
        let reporter = if headers.source == quoted.destination {
            destination
        } else {
            headers.source
        };
        let bytes = frame.bytes_mut();
        put(bytes, ip + SOURCE, &reporter.octets());
        put(bytes, ip + DESTINATION, &source.octets());
        put(bytes, inner + SOURCE, &source.octets());
        put(bytes, inner + DESTINATION, &destination.octets());
        // The quoted checksum covered the addresses; it is made to fit them again.
        let mut delta = super::rewrite::delta_of(Delta::default(), quoted.source, source);
        delta = super::rewrite::delta_of(delta, quoted.destination, destination);
        let end = ip + usize::from(headers.total_len);
        if has_numbers {
            let transport = usize::from(quoted.transport);
            let numbers = sequence::restore_quoted(bytes, transport, end, flow, direction);
            delta = delta.and(numbers);
        }
        let quoted_sum = super::rewrite::checksum_at(quoted.protocol)
            .map(|offset| usize::from(quoted.transport) + offset);
        if let Some(at) = quoted_sum
            && let Some(old) = be16(bytes, at)
        {
            put(bytes, at, &delta.apply(old).to_be_bytes());
        }
        put(bytes, icmp + ICMP_CHECKSUM, &[0, 0]);
        let sum = bytes.get(icmp..end).map_or(0, |message| {
            wire::sum(reporter, source, PROTOCOL_ICMPV6, message)
        });
        put(bytes, icmp + ICMP_CHECKSUM, &(!sum).to_be_bytes());
    }

    /// Tells the sender of a dropped packet why, where RFC 4443 asks for it and the rate allows.
    pub(crate) fn explain_to_sender6(
        &mut self,
        port: PortId,
        dropped: &Dropped,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let (kind, code) = match dropped.reason {
            DropReason::TtlExceeded => (TIME_EXCEEDED, 0),
            DropReason::NoRoute => (UNREACHABLE, 0),
            DropReason::MtuExceeded => (PACKET_TOO_BIG, 0),
            DropReason::NoAdjacency => (UNREACHABLE, 3),
            _ => return,
        };
        let bytes = dropped.frame.bytes();
        let Ok(headers) = Headers6::parse(bytes, ETHERNET_LEN, dropped.frame.frame_len()) else {
            return;
        };
        // RFC 4443 §2.4 e: not about errors, nor to who is no single station.
        let is_unfit = matches!(headers.layer4, Layer4::IcmpError { .. })
            || headers.destination.is_multicast()
            || headers.source.is_unspecified()
            || headers.source.is_multicast();
        if is_unfit || !self.icmp_errors.take(now) {
            return;
        }
        let Some(own) = self.source_for6(port, headers.source) else {
            return;
        };
        let mtu = self
            .policy
            .interfaces
            .iter()
            .filter(|interface| self.policy.v6.interface(interface.port).is_some())
            .map(|interface| interface.mtu)
            .min()
            .unwrap_or(0);
        let quote = bytes.get(usize::from(headers.ip)..).unwrap_or_default();
        let len = quote
            .len()
            .min(MTU_MIN - IPV6_LEN - ICMP_LEN)
            .min(usize::from(headers.total_len));
        let quote = quote.get(..len).unwrap_or_default();
        let Some(mut error) = pool.take() else {
            self.drops.count_frame(DropReason::DispatchBlockAlloc);
            return;
        };
        self.verdicts.made += 1;
        let [high, low] = if kind == PACKET_TOO_BIG {
            mtu.to_be_bytes()
        } else {
            [0, 0]
        };
        let header = [kind, code, 0, 0, 0, 0, high, low];
        let outcome = if self.compose(&mut error, own, headers.source, HOPS, &header, quote) {
            let sender = array(bytes, 6).map_or(MacAddr::default(), MacAddr);
            self.enqueue(port, sender, ETHERTYPE_IPV6, error)
        } else {
            Err(Dropped::new(DropReason::InvalidEncap, error))
        };
        // The reason is counted; nobody waits for the error.
        let _ = self.settle(outcome, pool);
    }

    /// Fills an empty buffer with an ICMPv6 message, checksum and all, behind room for the Ethernet
    /// header. False if it does not fit.
    pub(super) fn compose(
        &self,
        packet: &mut PacketBuf,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        hop_limit: u8,
        head: &[u8],
        rest: &[u8],
    ) -> bool {
        let Ok(len) = u16::try_from(head.len() + rest.len()) else {
            return false;
        };
        let header = wire::emit(source, destination, PROTOCOL_ICMPV6, hop_limit, len);
        let is_whole = packet.extend(&[0; ETHERNET_LEN])
            && packet.extend(&header)
            && packet.extend(head)
            && packet.extend(rest);
        let start = ETHERNET_LEN + IPV6_LEN;
        let bytes = packet.bytes_mut();
        let sum = bytes.get(start..).map_or(0, |message| {
            wire::sum(source, destination, PROTOCOL_ICMPV6, message)
        });
        put(bytes, start + ICMP_CHECKSUM, &(!sum).to_be_bytes());
        is_whole
    }
}

/// Whether the checksum of an ICMPv6 message in one buffer is right.
pub(super) fn is_sound(bytes: &[u8], headers: &Headers6) -> bool {
    let start = usize::from(headers.transport);
    bytes
        .get(start..start + usize::from(headers.transport_len()))
        .is_some_and(|message| {
            wire::sum(
                headers.source,
                headers.destination,
                PROTOCOL_ICMPV6,
                message,
            ) == 0xffff
        })
}

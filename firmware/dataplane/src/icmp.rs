//! ICMP: answering echo, reporting drops to the sender, carrying errors across translation.
//! RFC 792, RFC 1122 §3.2.2, RFC 1812 §4.3, RFC 5508.

use hal::nic::MacAddr;
use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;

use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::flow::Flags;
use crate::fragment::pieces;
use crate::input::{Dropped, Outcome};
use crate::nat::rewrite;
use crate::policy::{Action, PortId};
use crate::wire::checksum::{self, Delta};
use crate::wire::{
    ETHERNET_LEN, ETHERTYPE_IPV4, ETHERTYPE_IPV6, Headers, ICMP_CHECKSUM, ICMP_ECHO_REPLY,
    ICMP_ECHO_REQUEST, ICMP_LEN, ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE, IP_CHECKSUM, IP_DESTINATION,
    IP_DONT_FRAGMENT, IP_FRAGMENT, IP_PROTOCOL, IP_SOURCE, IP_TOTAL_LEN, IP_TTL, IPV4_LEN, Layer4,
    PROTOCOL_ICMP, Quoted, array, be16, put,
};

/// TTL of packets the box makes, RFC 1700.
const TTL: u8 = 64;
/// Bytes of the offending packet that an error quotes: the error stays within 576 (RFC 1812
/// §4.3.2.3).
const QUOTE_MAX: usize = 576 - IPV4_LEN - ICMP_LEN;

impl DataPlane {
    /// Turns an echo request to the box into its answer, if `icmp` rules allow. It goes back to the
    /// station it came from.
    pub(crate) fn answer_echo(
        &mut self,
        port: PortId,
        headers: &Headers,
        mut frame: PacketBuf,
    ) -> Outcome {
        if !self.may_ping(port, headers) {
            return Err(Dropped::new(DropReason::AclDrop, frame));
        }
        let (ip, icmp) = (usize::from(headers.ip), usize::from(headers.transport));
        let end = ip + usize::from(headers.total_len);
        let is_chained = frame.is_chained();
        let bytes = frame.bytes_mut();
        // What spans buffers is answered as it is: a wrong sum stays wrong.
        let is_damaged = !is_chained
            && bytes
                .get(icmp..end)
                .is_none_or(|message| checksum::sum(message) != 0xffff);
        if is_damaged {
            return Err(Dropped::new(DropReason::BadTransportChecksum, frame));
        }
        let Some(sender) = array(bytes, 6).map(MacAddr) else {
            return Err(Dropped::new(DropReason::InvalidEncap, frame));
        };
        put(bytes, ip + IP_SOURCE, &headers.tuple.destination.octets());
        put(bytes, ip + IP_DESTINATION, &headers.tuple.source.octets());
        put(bytes, ip + IP_TTL, &[TTL]);
        put(bytes, ip + IP_CHECKSUM, &[0, 0]);
        let sum = bytes.get(ip..icmp).map_or(0, checksum::sum);
        put(bytes, ip + IP_CHECKSUM, &(!sum).to_be_bytes());
        put(bytes, icmp, &[ICMP_ECHO_REPLY]);
        let delta = Delta::default().word(
            u16::from(ICMP_ECHO_REQUEST) << 8,
            u16::from(ICMP_ECHO_REPLY) << 8,
        );
        if let Some(sum) = be16(bytes, icmp + ICMP_CHECKSUM) {
            put(bytes, icmp + ICMP_CHECKSUM, &delta.apply(sum).to_be_bytes());
        }
        self.enqueue(port, sender, ETHERTYPE_IPV4, frame)
    }

    /// `icmp {permit|deny}` of the interface: none permits all, one makes the rest denied.
    pub(crate) fn may_ping(&self, port: PortId, headers: &Headers) -> bool {
        let mut rules = self
            .policy
            .icmp
            .iter()
            .filter(|rule| rule.port == port)
            .peekable();
        if rules.peek().is_none() {
            return true;
        }
        rules
            .find(|rule| {
                rule.source.contains(headers.tuple.source)
                    && rule.kind.is_none_or(|kind| kind == ICMP_ECHO_REQUEST)
            })
            .is_some_and(|rule| rule.action == Action::Permit)
    }

    /// An ICMP error: about a packet of a flow it is carried on, translated; about one of the box
    /// itself it is handed up.
    pub(crate) fn handle_icmp_error(
        &mut self,
        port: PortId,
        headers: &Headers,
        mut frame: PacketBuf,
        pool: &mut PacketPool,
        now: Instant,
    ) -> Outcome {
        let icmp = usize::from(headers.transport);
        let end = usize::from(headers.ip) + usize::from(headers.total_len);
        let message = frame.bytes().get(..end);
        let Some(quoted) = message.and_then(|message| Quoted::parse(message, icmp)) else {
            return Err(Dropped::new(DropReason::IcmpErrorNoConn, frame));
        };
        if quoted.tuple.source != headers.tuple.destination {
            // It reports about somebody else's packet.
            return Err(Dropped::new(DropReason::IcmpErrorNoConn, frame));
        }
        // The error comes back the way the answers to the quoted packet come.
        let answer = quoted.tuple.reversed();
        let Some((index, direction)) = self.flows.find_tuple(port, quoted.protocol, &answer) else {
            let is_ours = self
                .interface(port)
                .is_some_and(|own| own.address == headers.tuple.destination);
            return if is_ours {
                self.hand_up(port, headers, frame)
            } else {
                Err(Dropped::new(DropReason::IcmpErrorNoConn, frame))
            };
        };
        let Some(flow) = self.flows.get(index) else {
            return Err(Dropped::new(DropReason::IcmpErrorNoConn, frame));
        };
        if flow.flags.has(Flags::INTERCEPTED) {
            return Err(Dropped::new(DropReason::InterceptUnexpected, frame));
        }
        if let Err(reason) = rewrite::translate_error(&mut frame, headers, &quoted, flow, direction)
        {
            return Err(Dropped::new(reason, frame));
        }
        self.send_along(index, direction, frame, pool, now)
    }

    /// Tells the sender of a dropped packet why, where the RFCs ask for it and the rate allows.
    pub(crate) fn explain_to_sender(
        &mut self,
        port: PortId,
        dropped: &Dropped,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let bytes = dropped.frame.bytes();
        if be16(bytes, ETHERNET_LEN - 2) == Some(ETHERTYPE_IPV6) {
            return self.explain_to_sender6(port, dropped, pool, now);
        }
        let (kind, code) = match dropped.reason {
            DropReason::TtlExceeded => (ICMP_TIME_EXCEEDED, 0),
            DropReason::NoRoute => (ICMP_UNREACHABLE, 0),
            DropReason::MtuExceeded => (ICMP_UNREACHABLE, 4),
            _ => return,
        };
        let Ok(headers) = pieces::parse(&dropped.frame) else {
            return;
        };
        if kind == ICMP_UNREACHABLE && code == 4 && !headers.dont_fragment {
            return;
        }
        // RFC 1122 §3.2.2: not about errors; the slow path has refused group addresses.
        if matches!(headers.layer4, Layer4::IcmpError { .. }) || !self.icmp_errors.take(now) {
            return;
        }
        let Some(own) = self.interface(port).map(|interface| interface.address) else {
            return;
        };
        // The flow knows which egress was too narrow; all ports of a box rarely differ, and the
        // smallest is what path MTU discovery arrives at anyway.
        let mtu = self
            .policy
            .interfaces
            .iter()
            .map(|interface| interface.mtu)
            .min();
        let Some(mut error) = pool.take() else {
            self.drops.count_frame(DropReason::DispatchBlockAlloc);
            return;
        };
        self.verdicts.made += 1;
        let ip = usize::from(headers.ip);
        let quote = bytes.get(ip..).unwrap_or_default();
        let quote = &quote[..quote
            .len()
            .min(QUOTE_MAX)
            .min(usize::from(headers.total_len))];
        let sender = array(bytes, 6).map_or(MacAddr::default(), MacAddr);
        let message = emit_error(
            kind,
            code,
            if code == 4 { mtu.unwrap_or(0) } else { 0 },
            quote,
        );
        let header = emit_ipv4(own, headers.tuple.source, ICMP_LEN + quote.len());
        let is_whole = error.extend(&[0; ETHERNET_LEN])
            && error.extend(&header)
            && error.extend(&message)
            && error.extend(quote);
        let outcome = if is_whole {
            self.enqueue(port, sender, ETHERTYPE_IPV4, error)
        } else {
            Err(Dropped::new(DropReason::InvalidEncap, error))
        };
        // The reason is counted; nobody waits for the error.
        let _ = self.settle(outcome, pool);
    }
}

/// An IPv4 header before `payload_len` bytes of ICMP.
fn emit_ipv4(
    source: core::net::Ipv4Addr,
    destination: core::net::Ipv4Addr,
    payload_len: usize,
) -> [u8; IPV4_LEN] {
    let mut header = [0; IPV4_LEN];
    header[0] = 0x45;
    // At most 576 bytes.
    put(
        &mut header,
        IP_TOTAL_LEN,
        &((IPV4_LEN + payload_len) as u16).to_be_bytes(),
    );
    put(&mut header, IP_FRAGMENT, &IP_DONT_FRAGMENT.to_be_bytes());
    header[IP_TTL] = TTL;
    header[IP_PROTOCOL] = PROTOCOL_ICMP;
    put(&mut header, IP_SOURCE, &source.octets());
    put(&mut header, IP_DESTINATION, &destination.octets());
    let sum = checksum::sum(&header);
    put(&mut header, IP_CHECKSUM, &(!sum).to_be_bytes());
    header
}

/// The ICMP header of an error quoting `quote`; `mtu` is that of RFC 1191.
fn emit_error(kind: u8, code: u8, mtu: u16, quote: &[u8]) -> [u8; ICMP_LEN] {
    let [high, low] = mtu.to_be_bytes();
    let mut header = [kind, code, 0, 0, 0, 0, high, low];
    let sum = checksum::add(checksum::sum(&header), checksum::sum(quote));
    put(&mut header, ICMP_CHECKSUM, &(!sum).to_be_bytes());
    header
}

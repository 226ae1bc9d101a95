//! The TCP/IP host of one session: one smoltcp interface with two sockets, and the packets between
//! it and the data plane.
//!
//! A host of its own per session keeps the cost of a packet independent of the number of sessions,
//! since smoltcp looks at every socket of a set. Each leg is polled with a socket set of its own,
//! so a packet that comes out belongs to the leg that was polled. Checksums of what comes in are
//! checked here, because a device may have done it already or left it out between virtual machines.

use alloc::collections::VecDeque;
use alloc::vec;
use core::net::Ipv4Addr;
use core::time::Duration;

use hal::packet::{HEADROOM, Offload, PacketBuf, PacketPool};
use hal::time::Instant;
use smoltcp::iface::{
    Config, Interface, PollIngressSingleResult, PollResult, SocketHandle, SocketSet,
};
use smoltcp::phy::{Checksum, Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::{Duration as SmolDuration, Instant as SmolInstant};
use smoltcp::wire::{
    HardwareAddress, IpAddress, IpCidr, IpEndpoint, IpProtocol, Ipv4Packet, TcpPacket,
};

use crate::{Endpoints, Leg, Limits, OpenError, Opening, SessionId, Transmit};

/// Unacknowledged data is retried this long before the connection is given up. RFC 9293 §3.8.3 asks
/// for at least 100 s.
const RETRANSMISSION_LIMIT: SmolDuration = SmolDuration::from_secs(100);

/// One leg's socket, alone in its set.
struct Slot {
    set: SocketSet<'static>,
    handle: SocketHandle,
}

/// The two sockets of a session and the addresses they speak for.
pub(crate) struct Host {
    interface: Interface,
    originator: Slot,
    target: Slot,
}

impl Host {
    pub(crate) fn new(limits: &Limits) -> Self {
        let slot = || {
            let mut socket = Socket::new(
                SocketBuffer::new(vec![0; limits.tcp_receive_bytes]),
                SocketBuffer::new(vec![0; limits.tcp_send_bytes]),
            );
            // A message goes out at once; waiting for more to send would only delay it.
            socket.set_nagle_enabled(false);
            let mut set = SocketSet::new(vec![]);
            let handle = set.add(socket);
            Slot { set, handle }
        };
        Self {
            interface: interface(0, limits.mtu_bytes, Instant::ZERO),
            originator: slot(),
            target: slot(),
        }
    }

    /// Listens for the originator, whose SYN is not answered yet, and calls the target.
    pub(crate) fn open(
        &mut self,
        opening: &Opening,
        mtu_bytes: usize,
        now: Instant,
    ) -> Result<(), OpenError> {
        for endpoints in [opening.originator, opening.target] {
            for (address, port) in [endpoints.local, endpoints.remote] {
                let is_host =
                    !(address.is_unspecified() || address.is_multicast() || address.is_broadcast());
                if port == 0 || !is_host {
                    return Err(OpenError::Unaddressable);
                }
            }
        }
        self.interface = interface(opening.sequence_seed, mtu_bytes, now);
        self.interface.update_ip_addrs(|addresses| {
            for endpoints in [opening.originator, opening.target] {
                let cidr = IpCidr::new(IpAddress::Ipv4(endpoints.local.0), 32);
                // Two addresses fit, and these are all.
                if !addresses.contains(&cidr) {
                    let _ = addresses.push(cidr);
                }
            }
        });
        for leg in Leg::BOTH {
            let socket = self.socket(leg);
            socket.abort();
            socket.set_timeout(None);
        }
        let originator = self.socket(Leg::Originator);
        originator.pause_synack(true);
        originator
            .listen(endpoint(opening.originator.local))
            .map_err(|_| OpenError::Unaddressable)?;
        let Slot { set, handle } = &mut self.target;
        set.get_mut::<Socket<'_>>(*handle)
            .connect(
                self.interface.context(),
                endpoint(opening.target.remote),
                endpoint(opening.target.local),
            )
            .map_err(|_| OpenError::Unaddressable)
    }

    pub(crate) fn socket(&mut self, leg: Leg) -> &mut Socket<'static> {
        let Slot { set, handle } = match leg {
            Leg::Originator => &mut self.originator,
            Leg::Target => &mut self.target,
        };
        set.get_mut(*handle)
    }

    pub(crate) fn socket_ref(&self, leg: Leg) -> &Socket<'static> {
        let Slot { set, handle } = match leg {
            Leg::Originator => &self.originator,
            Leg::Target => &self.target,
        };
        set.get(*handle)
    }

    /// Lets the originator's connection come up.
    pub(crate) fn answer_originator(&mut self) {
        self.socket(Leg::Originator).pause_synack(false);
    }

    /// Hands a checked TCP packet to the leg's socket.
    pub(crate) fn ingress(
        &mut self,
        leg: Leg,
        packet: &[u8],
        egress: &mut Egress<'_>,
        now: Instant,
    ) {
        let mut device = Wire {
            ingress: Some(packet),
            egress,
        };
        let (interface, set) = self.parts(leg);
        match interface.poll_ingress_single(instant(now), &mut device, set) {
            PollIngressSingleResult::None
            | PollIngressSingleResult::PacketProcessed
            | PollIngressSingleResult::SocketStateChanged => {}
        }
    }

    /// Lets the leg's socket send what it has to. Bounded by its send buffer and the peer's window.
    pub(crate) fn egress(&mut self, leg: Leg, egress: &mut Egress<'_>, now: Instant) {
        let socket = self.socket(leg);
        // smoltcp would apply the limit to silence as well.
        let limit = (socket.send_queue() > 0).then_some(RETRANSMISSION_LIMIT);
        socket.set_timeout(limit);
        let mut device = Wire {
            ingress: None,
            egress,
        };
        let (interface, set) = self.parts(leg);
        while let PollResult::SocketStateChanged =
            interface.poll_egress(instant(now), &mut device, set)
        {}
    }

    /// When the leg's socket next wants [`egress`](Self::egress).
    pub(crate) fn poll_at(&mut self, leg: Leg, now: Instant) -> Option<Instant> {
        // A held back SYN-ACK looks due all the time.
        if leg == Leg::Originator
            && matches!(self.socket(leg).state(), State::Listen | State::SynReceived)
            && matches!(self.socket(Leg::Target).state(), State::SynSent)
        {
            return None;
        }
        let (interface, set) = self.parts(leg);
        let at = interface.poll_at(instant(now), set)?;
        let micros = u64::try_from(at.total_micros()).unwrap_or(0);
        Some(Instant::from_micros(micros))
    }

    fn parts(&mut self, leg: Leg) -> (&mut Interface, &mut SocketSet<'static>) {
        let set = match leg {
            Leg::Originator => &mut self.originator.set,
            Leg::Target => &mut self.target.set,
        };
        (&mut self.interface, set)
    }
}

/// The packet's bytes up to its IPv4 length, if it is an unfragmented TCP segment between the leg's
/// endpoints with right checksums.
pub(crate) fn check<'a>(
    bytes: &'a [u8],
    offload: Offload,
    endpoints: &Endpoints,
) -> Option<&'a [u8]> {
    let ip = Ipv4Packet::new_checked(bytes).ok()?;
    let is_whole = !ip.more_frags() && ip.frag_offset() == 0;
    if ip.version() != 4 || ip.next_header() != IpProtocol::Tcp || !is_whole {
        return None;
    }
    let (source, destination) = (ip.src_addr(), ip.dst_addr());
    let tcp = TcpPacket::new_checked(ip.payload()).ok()?;
    if (source, tcp.src_port()) != endpoints.remote
        || (destination, tcp.dst_port()) != endpoints.local
    {
        return None;
    }
    let is_vouched_for = offload.checksum_verified || offload.checksum_partial;
    let is_intact = is_vouched_for
        || (ip.verify_checksum() && tcp.verify_checksum(&source.into(), &destination.into()));
    bytes
        .get(..usize::from(ip.total_len()))
        .filter(|_| is_intact)
}

/// Where packets of a leg go.
pub(crate) struct Egress<'a> {
    pub(crate) pool: &'a mut PacketPool,
    pub(crate) queue: &'a mut VecDeque<Transmit>,
    /// Packets that `queue` may hold.
    pub(crate) queue_limit: usize,
    /// Takes what is sent when there is no buffer; TCP sends it again.
    pub(crate) spare: &'a mut [u8],
    pub(crate) session: SessionId,
    pub(crate) flow: u64,
    pub(crate) leg: Leg,
}

impl Egress<'_> {
    fn has_room(&self) -> bool {
        self.queue.len() < self.queue_limit && self.pool.available() > 0
    }

    fn take(&mut self) -> Option<PacketBuf> {
        if self.queue.len() < self.queue_limit {
            self.pool.take()
        } else {
            None
        }
    }
}

/// The network as smoltcp sees it during one call.
struct Wire<'a, 'b> {
    ingress: Option<&'a [u8]>,
    egress: &'a mut Egress<'b>,
}

impl Device for Wire<'_, '_> {
    type RxToken<'t>
        = Incoming<'t>
    where
        Self: 't;
    type TxToken<'t>
        = Outgoing<'t>
    where
        Self: 't;

    fn receive(&mut self, _: SmolInstant) -> Option<(Incoming<'_>, Outgoing<'_>)> {
        let packet = self.ingress.take()?;
        Some((Incoming(packet), self.outgoing()))
    }

    fn transmit(&mut self, _: SmolInstant) -> Option<Outgoing<'_>> {
        self.egress.has_room().then(|| self.outgoing())
    }

    fn capabilities(&self) -> DeviceCapabilities {
        capabilities(self.egress.spare.len())
    }
}

impl Wire<'_, '_> {
    fn outgoing(&mut self) -> Outgoing<'_> {
        let packet = self.egress.take();
        Outgoing {
            packet,
            queue: self.egress.queue,
            pool: self.egress.pool,
            spare: self.egress.spare,
            session: self.egress.session,
            flow: self.egress.flow,
            leg: self.egress.leg,
        }
    }
}

struct Incoming<'a>(&'a [u8]);

impl RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

struct Outgoing<'a> {
    packet: Option<PacketBuf>,
    queue: &'a mut VecDeque<Transmit>,
    pool: &'a mut PacketPool,
    spare: &'a mut [u8],
    session: SessionId,
    flow: u64,
    leg: Leg,
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(mut self, len: usize, f: F) -> R {
        let Some(mut packet) = self.packet.take() else {
            let room = self.spare.get_mut(..len);
            return f(room.expect("smoltcp sends nothing longer than the MTU, which spare holds"));
        };
        packet.set_range(HEADROOM, HEADROOM + len);
        let result = f(packet.bytes_mut());
        self.queue.push_back(Transmit {
            session: self.session,
            flow: self.flow,
            leg: self.leg,
            packet,
        });
        result
    }
}

impl Drop for Outgoing<'_> {
    fn drop(&mut self) {
        if let Some(packet) = self.packet.take() {
            self.pool.free(packet);
        }
    }
}

/// A device that only says what it can, to build an interface with.
struct Blueprint {
    mtu_bytes: usize,
}

/// A token that cannot exist.
enum Never {}

impl RxToken for Never {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, _: F) -> R {
        match self {}
    }
}

impl TxToken for Never {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, _: usize, _: F) -> R {
        match self {}
    }
}

impl Device for Blueprint {
    type RxToken<'t> = Never;
    type TxToken<'t> = Never;

    fn receive(&mut self, _: SmolInstant) -> Option<(Never, Never)> {
        None
    }

    fn transmit(&mut self, _: SmolInstant) -> Option<Never> {
        None
    }

    fn capabilities(&self) -> DeviceCapabilities {
        capabilities(self.mtu_bytes)
    }
}

fn capabilities(mtu_bytes: usize) -> DeviceCapabilities {
    let mut capabilities = DeviceCapabilities::default();
    capabilities.medium = Medium::Ip;
    capabilities.max_transmission_unit = mtu_bytes;
    capabilities.checksum.ipv4 = Checksum::Tx;
    capabilities.checksum.tcp = Checksum::Tx;
    capabilities
}

fn interface(seed: u64, mtu_bytes: usize, now: Instant) -> Interface {
    let mut config = Config::new(HardwareAddress::Ip);
    config.random_seed = seed;
    Interface::new(config, &mut Blueprint { mtu_bytes }, instant(now))
}

fn endpoint((address, port): (Ipv4Addr, u16)) -> IpEndpoint {
    IpEndpoint::new(IpAddress::Ipv4(address), port)
}

fn instant(now: Instant) -> SmolInstant {
    SmolInstant::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}

/// Shortest time between two attempts of something that could not be done at once (no packet buffer).
pub(crate) const RETRY: Duration = Duration::from_millis(1);

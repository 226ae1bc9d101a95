//! The TCP connection to a syslog server: made, kept, and made again when it is lost.
//!
//! One smoltcp interface with one socket, as small as a connection can be. Packets go in by
//! [`handle_packet`](Channel::handle_packet) and come out by [`transmit`](Channel::transmit); lines go
//! into a bounded send buffer, and one that does not fit is refused.

use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::time::Duration;

use hal::packet::{HEADROOM, PacketBuf, PacketPool};
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

/// Bytes that may wait for the server, some two hundred lines.
const SEND_BYTES: usize = 32 << 10;
/// A server says nothing; what it sends is thrown away.
const RECEIVE_BYTES: usize = 512;
/// Packets made at a time.
const BURST: usize = 24;
/// How long a server may take to accept.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// A silent server is asked this often whether it is there …
const KEEP_ALIVE: SmolDuration = SmolDuration::from_secs(20);
/// … and given up if it has not answered anything for this long.
const SILENCE_LIMIT: SmolDuration = SmolDuration::from_secs(60);
/// Time to the second attempt; it doubles with each that fails …
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// … so many times.
const RETRY_DOUBLINGS: u32 = 6;

/// Where a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) address: Ipv4Addr,
    pub(super) port: u16,
    /// Largest IP packet.
    pub(super) mtu: u16,
    /// Unpredictable; numbers of the connection come of it.
    pub(super) seed: u64,
}

/// What has become of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is there again.
    Restored,
    /// It could not be made.
    Unreachable,
    /// It was lost.
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Waiting { until: Instant },
    Connecting { until: Instant },
    Up,
}

/// A connection to a server, or the attempts to make one.
pub(super) struct Channel {
    peer: (Ipv4Addr, u16),
    link: Link,
    failures: u32,
    /// Whether it was told to be down, and not yet to be up again.
    is_down: bool,
    stack: Option<Stack>,
}

struct Stack {
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    origin: Origin,
}

impl Channel {
    /// A connection to be made at once.
    pub(super) fn new(peer: (Ipv4Addr, u16)) -> Self {
        Self {
            peer,
            link: Link::Waiting {
                until: Instant::ZERO,
            },
            failures: 0,
            is_down: false,
            stack: None,
        }
    }

    pub(super) const fn is_down(&self) -> bool {
        self.is_down
    }

    /// Whether the first attempt is not decided yet.
    pub(super) fn is_starting(&self) -> bool {
        !self.is_down && self.link != Link::Up
    }

    /// Goes a step further, if it is time. `origin` says where a new connection begins, if there is a
    /// way to the server.
    pub(super) fn advance(
        &mut self,
        origin: impl FnOnce() -> Option<Origin>,
        now: Instant,
    ) -> Option<Change> {
        let state = self.state();
        match self.link {
            Link::Waiting { until } if until <= now => {
                self.stack = origin().and_then(|origin| Stack::connect(origin, self.peer, now));
                if self.stack.is_none() {
                    return self.fail(Change::Unreachable, now);
                }
                self.link = Link::Connecting {
                    until: now + CONNECT_LIMIT,
                };
                None
            }
            Link::Waiting { .. } => None,
            Link::Connecting { until } => match state {
                State::Established => {
                    self.link = Link::Up;
                    self.failures = 0;
                    core::mem::take(&mut self.is_down).then_some(Change::Restored)
                }
                State::SynSent if now < until => None,
                _ => self.fail(Change::Unreachable, now),
            },
            Link::Up if state == State::Established => None,
            Link::Up => self.fail(Change::Lost, now),
        }
    }

    /// Gives a line to the connection, whole or not at all.
    pub(super) fn send(&mut self, line: &[u8]) -> bool {
        let is_up = self.link == Link::Up;
        let Some(stack) = self.stack.as_mut().filter(|_| is_up) else {
            return false;
        };
        let socket = stack.socket();
        let room = socket.send_capacity() - socket.send_queue();
        room >= line.len()
            && socket
                .send_slice(line)
                .is_ok_and(|taken| taken == line.len())
    }

    /// Takes a packet for the box (from the IPv4 header on) if it belongs to the connection.
    pub(super) fn handle_packet(
        &mut self,
        packet: &[u8],
        is_verified: bool,
        pool: &mut PacketPool,
        now: Instant,
    ) -> bool {
        let peer = self.peer;
        let Some(stack) = self.stack.as_mut() else {
            return false;
        };
        let Some(packet) = check(packet, is_verified, peer, &stack.origin) else {
            return false;
        };
        let mut wire = Wire {
            ingress: Some(packet),
            out: &mut Vec::new(),
            pool,
            mtu: stack.origin.mtu,
        };
        match stack
            .interface
            .poll_ingress_single(instant(now), &mut wire, &mut stack.sockets)
        {
            PollIngressSingleResult::None
            | PollIngressSingleResult::PacketProcessed
            | PollIngressSingleResult::SocketStateChanged => {}
        }
        // An answer made on the spot is a challenge or a reset; those are sent again if need be.
        for packet in core::mem::take(wire.out) {
            pool.free(packet);
        }
        let socket = stack.socket();
        // Nothing is expected, and nothing is made of it.
        let _ = socket.recv(|bytes| (bytes.len(), ()));
        true
    }

    /// Puts what is to be sent into `out`.
    pub(super) fn transmit(
        &mut self,
        out: &mut Vec<PacketBuf>,
        pool: &mut PacketPool,
        now: Instant,
    ) {
        let Some(stack) = self.stack.as_mut() else {
            return;
        };
        let mut wire = Wire {
            ingress: None,
            out,
            pool,
            mtu: stack.origin.mtu,
        };
        while let PollResult::SocketStateChanged =
            stack
                .interface
                .poll_egress(instant(now), &mut wire, &mut stack.sockets)
        {}
    }

    /// When [`advance`](Self::advance) and [`transmit`](Self::transmit) are next due.
    pub(super) fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let step = match self.link {
            Link::Waiting { until } | Link::Connecting { until } => Some(until),
            Link::Up => None,
        };
        let stack = self.stack.as_mut().and_then(|stack| {
            let at = stack.interface.poll_at(instant(now), &stack.sockets)?;
            let micros = u64::try_from(at.total_micros()).unwrap_or(0);
            Some(Instant::from_micros(micros))
        });
        step.into_iter().chain(stack).min()
    }

    fn state(&mut self) -> State {
        self.stack
            .as_mut()
            .map_or(State::Closed, |stack| stack.socket().state())
    }

    /// Gives the connection up for a while. Tells so once until it is restored.
    fn fail(&mut self, change: Change, now: Instant) -> Option<Change> {
        if let Some(stack) = &mut self.stack {
            stack.socket().abort();
        }
        let delay = RETRY_FIRST * (1 << self.failures.min(RETRY_DOUBLINGS));
        self.failures = self.failures.saturating_add(1);
        self.link = Link::Waiting { until: now + delay };
        let was_down = core::mem::replace(&mut self.is_down, true);
        (!was_down).then_some(change)
    }
}

impl Stack {
    fn connect(origin: Origin, peer: (Ipv4Addr, u16), now: Instant) -> Option<Self> {
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = origin.seed;
        let mut blueprint = Wire {
            ingress: None,
            out: &mut Vec::new(),
            pool: &mut PacketPool::new(0),
            mtu: origin.mtu,
        };
        let mut interface = Interface::new(config, &mut blueprint, instant(now));
        interface.update_ip_addrs(|addresses| {
            // The first of two places.
            let _ = addresses.push(IpCidr::new(IpAddress::Ipv4(origin.address), 32));
        });
        let mut socket = Socket::new(
            SocketBuffer::new(vec![0; RECEIVE_BYTES]),
            SocketBuffer::new(vec![0; SEND_BYTES]),
        );
        socket.set_keep_alive(Some(KEEP_ALIVE));
        socket.set_timeout(Some(SILENCE_LIMIT));
        socket
            .connect(
                interface.context(),
                endpoint(peer),
                endpoint((origin.address, origin.port)),
            )
            .ok()?;
        let mut sockets = SocketSet::new(vec![]);
        let handle = sockets.add(socket);
        Some(Self {
            interface,
            sockets,
            handle,
            origin,
        })
    }

    fn socket(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.handle)
    }
}

/// The packet up to its IPv4 length, if it is an intact TCP segment of the connection.
fn check<'a>(
    bytes: &'a [u8],
    is_verified: bool,
    peer: (Ipv4Addr, u16),
    origin: &Origin,
) -> Option<&'a [u8]> {
    let ip = Ipv4Packet::new_checked(bytes).ok()?;
    if ip.next_header() != IpProtocol::Tcp || ip.more_frags() || ip.frag_offset() != 0 {
        return None;
    }
    let (source, destination) = (ip.src_addr(), ip.dst_addr());
    let tcp = TcpPacket::new_checked(ip.payload()).ok()?;
    let is_ours = (source, tcp.src_port()) == peer
        && (destination, tcp.dst_port()) == (origin.address, origin.port);
    let is_intact = is_verified || tcp.verify_checksum(&source.into(), &destination.into());
    bytes
        .get(..usize::from(ip.total_len()))
        .filter(|_| is_ours && is_intact)
}

/// The network as smoltcp sees it during one call.
struct Wire<'a> {
    ingress: Option<&'a [u8]>,
    out: &'a mut Vec<PacketBuf>,
    pool: &'a mut PacketPool,
    mtu: u16,
}

impl Device for Wire<'_> {
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
        let outgoing = Outgoing {
            out: self.out,
            pool: self.pool,
        };
        Some((Incoming(packet), outgoing))
    }

    fn transmit(&mut self, _: SmolInstant) -> Option<Outgoing<'_>> {
        let has_room = self.out.len() < BURST && self.pool.available() > 0;
        has_room.then_some(Outgoing {
            out: self.out,
            pool: self.pool,
        })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = usize::from(self.mtu);
        capabilities.checksum.ipv4 = Checksum::Tx;
        capabilities.checksum.tcp = Checksum::Tx;
        capabilities
    }
}

struct Incoming<'a>(&'a [u8]);

impl RxToken for Incoming<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

struct Outgoing<'a> {
    out: &'a mut Vec<PacketBuf>,
    pool: &'a mut PacketPool,
}

impl TxToken for Outgoing<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let Some(mut packet) = self.pool.take() else {
            // TCP sends it again.
            return f(&mut vec![0; len]);
        };
        packet.set_range(HEADROOM, HEADROOM + len);
        let result = f(packet.bytes_mut());
        self.out.push(packet);
        result
    }
}

fn endpoint((address, port): (Ipv4Addr, u16)) -> IpEndpoint {
    IpEndpoint::new(IpAddress::Ipv4(address), port)
}

fn instant(now: Instant) -> SmolInstant {
    SmolInstant::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX))
}

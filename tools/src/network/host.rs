//! A host with a user-space TCP/IP stack on a [`Segment`].
//!
//! One task per host polls the stack; sockets share it behind a lock and kick the task when they
//! have given it something to do.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpCidr, IpEndpoint, Ipv4Cidr};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::{Frame, Port, Segment};

/// Frames taken from the segment before the stack is polled again.
const BATCH: usize = 64;

/// Ethernet header and payload.
const FRAME_BYTES: usize = 1514;

/// First of the ports used for outgoing connections (RFC 6335 §6, dynamic ports).
const FIRST_EPHEMERAL: u16 = 49_152;

/// An address and its prefix length.
pub type Address = (Ipv4Addr, u8);

/// A host. Clones are the same host; its task ends with the last of them.
#[derive(Clone, Debug)]
pub struct Host {
    shared: Arc<Shared>,
    _task: Arc<TaskGuard>,
}

#[derive(Debug)]
struct TaskGuard(JoinHandle<()>);

impl Drop for TaskGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The stack and the bell that wakes its task.
pub(super) struct Shared {
    stack: Mutex<Stack>,
    kick: Notify,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shared")
    }
}

/// What the lock guards.
pub(super) struct Stack {
    pub(super) interface: Interface,
    pub(super) sockets: SocketSet<'static>,
    device: Queues,
    /// Sockets whose owner is gone; removed when the connection has ended.
    pub(super) orphans: Vec<SocketHandle>,
    next_port: u16,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Stack> {
        self.stack.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn kick(&self) {
        self.kick.notify_one();
    }
}

impl Stack {
    /// The next local port for an outgoing connection.
    pub(super) fn next_port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = port.checked_add(1).unwrap_or(FIRST_EPHEMERAL);
        port
    }

    fn poll(&mut self, now: Instant) -> Option<Duration> {
        self.interface
            .poll(now, &mut self.device, &mut self.sockets);
        let sockets = &mut self.sockets;
        self.orphans.retain(|handle| {
            let is_open = sockets.get::<tcp::Socket<'_>>(*handle).state() != tcp::State::Closed;
            if !is_open {
                sockets.remove(*handle);
            }
            is_open
        });
        self.interface
            .poll_delay(now, &self.sockets)
            .map(Into::into)
    }
}

impl Host {
    /// Puts a host with `addresses` on `segment`; what is on none of their networks goes to `gateway`.
    ///
    /// The hardware address is made from the first IP address. At most eight addresses are taken.
    pub fn new(segment: &Segment, addresses: &[Address], gateway: Option<Ipv4Addr>) -> Self {
        let first = addresses
            .first()
            .map_or([0; 4], |(address, _)| address.octets());
        let hardware = EthernetAddress([0x02, 0x00, first[0], first[1], first[2], first[3]]);
        let mut config = Config::new(HardwareAddress::Ethernet(hardware));
        config.random_seed =
            u64::from(u32::from_be_bytes(first)) ^ std::process::id().rotate_left(16) as u64;
        let started = std::time::Instant::now();
        let mut device = Queues::default();
        let mut interface = Interface::new(config, &mut device, Instant::ZERO);
        interface.update_ip_addrs(|list| {
            for (address, prefix) in addresses {
                // The list's capacity is the stated limit.
                let _ = list.push(IpCidr::Ipv4(Ipv4Cidr::new(*address, *prefix)));
            }
        });
        if let Some(gateway) = gateway {
            // One route always fits: the table has four places.
            let _ = interface.routes_mut().add_default_ipv4_route(gateway);
        }
        let port_seed = std::process::id() as u16 % 8192;
        let stack = Stack {
            interface,
            sockets: SocketSet::new(Vec::new()),
            device,
            orphans: Vec::new(),
            next_port: FIRST_EPHEMERAL + port_seed,
        };
        let shared = Arc::new(Shared {
            stack: Mutex::new(stack),
            kick: Notify::new(),
        });
        let task = tokio::spawn(drive(Arc::clone(&shared), segment.attach(), started));
        Self {
            shared,
            _task: Arc::new(TaskGuard(task)),
        }
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

/// Runs a host's stack until the task is aborted.
async fn drive(shared: Arc<Shared>, mut port: Port, started: std::time::Instant) {
    loop {
        let (delay, output) = {
            let mut stack = shared.lock();
            for _ in 0..BATCH {
                let Some(frame) = port.try_receive() else {
                    break;
                };
                stack.device.received.push_back(frame);
            }
            let elapsed = i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX);
            let delay = stack.poll(Instant::from_micros(elapsed));
            (delay, std::mem::take(&mut stack.device.sent))
        };
        for frame in output {
            port.send(frame);
        }
        let delay = delay.unwrap_or(Duration::from_secs(1));
        tokio::select! {
            frame = port.receive() => match frame {
                Some(frame) => shared.lock().device.received.push_back(frame),
                None => return,
            },
            () = shared.kick.notified() => {}
            () = tokio::time::sleep(delay) => {}
        }
    }
}

/// Frames between the stack and the segment.
#[derive(Debug, Default)]
struct Queues {
    received: VecDeque<Frame>,
    sent: Vec<Frame>,
}

impl Device for Queues {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let frame = self.received.pop_front()?;
        Some((Received(frame), Sending(&mut self.sent)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Self::TxToken<'_>> {
        Some(Sending(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME_BYTES;
        capabilities
    }
}

struct Received(Frame);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

struct Sending<'a>(&'a mut Vec<Frame>);

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = vec![0; length];
        let result = f(&mut frame);
        self.0.push(frame);
        result
    }
}

/// The stack's endpoint as the standard library writes it.
pub(super) fn socket_address(endpoint: IpEndpoint) -> SocketAddr {
    let IpAddr::V4(address) = IpAddr::from(endpoint.addr) else {
        return SocketAddr::from(([0; 4], 0));
    };
    SocketAddr::V4(SocketAddrV4::new(address, endpoint.port))
}

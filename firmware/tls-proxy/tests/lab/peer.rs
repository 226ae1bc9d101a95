//! A TLS endpoint: a rustls connection over a smoltcp socket over queues of packets.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::sync::Arc;

use hal::time::Instant;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr, IpEndpoint};

/// What a peer speaks over TCP.
#[derive(Clone)]
pub enum PeerTls {
    Client(Arc<ClientConfig>),
    Server(Arc<ServerConfig>),
    /// No TLS at all.
    Plain,
}

pub struct Peer {
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    device: Queues,
    tls: Option<Connection>,
    /// Bytes for the TCP socket.
    records: VecDeque<u8>,
    /// Plaintext to send.
    pub outgoing: VecDeque<u8>,
    /// Plaintext received.
    pub received: Vec<u8>,
    pub error: Option<rustls::Error>,
    /// The other side said goodbye.
    pub goodbye_received: bool,
    /// Whether the peer reads from its socket.
    pub is_reading: bool,
    /// At most this many bytes per segment, if set.
    pub segment_bytes: Option<usize>,
    /// At most this many bytes of plaintext per record, if set.
    pub record_bytes: Option<usize>,
    pub sent: VecDeque<Vec<u8>>,
    pub received_frames: VecDeque<Vec<u8>>,
}

impl Peer {
    pub fn calling(local: (Ipv4Addr, u16), remote: (Ipv4Addr, u16), tls: PeerTls) -> Self {
        let mut peer = Self::new(local.0, tls);
        peer.sockets
            .get_mut::<Socket<'_>>(peer.handle)
            .connect(peer.interface.context(), endpoint(remote), endpoint(local))
            .unwrap();
        peer
    }

    pub fn listening(local: (Ipv4Addr, u16), tls: PeerTls) -> Self {
        let mut peer = Self::new(local.0, tls);
        peer.socket().listen(endpoint(local)).unwrap();
        peer
    }

    fn new(address: Ipv4Addr, tls: PeerTls) -> Self {
        let mut device = Queues::default();
        let config = Config::new(HardwareAddress::Ip);
        let mut interface = Interface::new(config, &mut device, smoltcp::time::Instant::ZERO);
        interface.update_ip_addrs(|list| {
            list.push(IpCidr::new(IpAddress::Ipv4(address), 32))
                .unwrap();
        });
        let buffer = || SocketBuffer::new(vec![0; 16 * 1024]);
        let mut sockets = SocketSet::new(vec![]);
        let mut socket = Socket::new(buffer(), buffer());
        socket.set_nagle_enabled(false);
        let handle = sockets.add(socket);
        let tls: Option<Connection> = match tls {
            PeerTls::Client(config) => {
                let name = ServerName::try_from("203.0.113.10").unwrap();
                Some(ClientConnection::new(config, name).unwrap().into())
            }
            PeerTls::Server(config) => Some(ServerConnection::new(config).unwrap().into()),
            PeerTls::Plain => None,
        };
        Self {
            interface,
            sockets,
            handle,
            device,
            tls,
            records: VecDeque::new(),
            outgoing: VecDeque::new(),
            received: Vec::new(),
            error: None,
            goodbye_received: false,
            is_reading: true,
            segment_bytes: None,
            record_bytes: None,
            sent: VecDeque::new(),
            received_frames: VecDeque::new(),
        }
    }

    pub fn socket(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    pub fn state(&mut self) -> State {
        self.socket().state()
    }

    pub fn is_open(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| !tls.is_handshaking())
    }

    pub fn certificates_seen(&self) -> usize {
        let tls = self.tls.as_ref().unwrap();
        tls.peer_certificates().map_or(0, <[_]>::len)
    }

    pub fn send(&mut self, plaintext: &[u8]) {
        self.outgoing.extend(plaintext);
    }

    pub fn say_goodbye(&mut self) {
        self.tls.as_mut().unwrap().send_close_notify();
    }

    /// FIN once all is sent.
    pub fn close(&mut self) {
        self.flush();
        self.socket().close();
    }

    /// RST.
    pub fn reset(&mut self) {
        self.socket().abort();
    }

    pub fn poll_at(&mut self, now: Instant) -> Option<Instant> {
        let at = self.interface.poll_at(instant(now), &self.sockets)?;
        Some(Instant::from_micros(at.total_micros() as u64))
    }

    /// Works on everything there is; returns whether anything moved.
    pub fn pump(&mut self, now: Instant) -> bool {
        let mut moved = !self.received_frames.is_empty();
        self.device.incoming.append(&mut self.received_frames);
        self.poll(now);
        if self.is_reading {
            moved |= self.read();
        }
        while self.flush() {
            moved = true;
            self.poll(now);
        }
        self.poll(now);
        moved |= !self.device.outgoing.is_empty();
        self.sent.append(&mut self.device.outgoing);
        moved
    }

    fn poll(&mut self, now: Instant) {
        self.interface
            .poll(instant(now), &mut self.device, &mut self.sockets);
    }

    fn read(&mut self) -> bool {
        let mut moved = false;
        let mut bytes = vec![0; 4096];
        while self.socket().can_recv() {
            let len = self.socket().recv_slice(&mut bytes).unwrap();
            moved = true;
            let Some(tls) = &mut self.tls else {
                self.received.extend(&bytes[..len]);
                continue;
            };
            let mut rest = &bytes[..len];
            while !rest.is_empty() && self.error.is_none() {
                if tls.read_tls(&mut rest).unwrap() == 0 {
                    break;
                }
                match tls.process_new_packets() {
                    Ok(state) => self.goodbye_received |= state.peer_has_closed(),
                    Err(error) => self.error = Some(error),
                }
                // An error here is the end of the data, which `goodbye_received` tells.
                let _ = tls.reader().read_to_end(&mut self.received);
            }
        }
        moved
    }

    /// Plaintext → records → socket; returns whether anything moved.
    fn flush(&mut self) -> bool {
        if let Some(tls) = &mut self.tls {
            if !tls.is_handshaking() && !self.outgoing.is_empty() && self.records.len() < 32_768 {
                let most = self.record_bytes.unwrap_or(16_384).min(self.outgoing.len());
                let part: Vec<u8> = self.outgoing.drain(..most).collect();
                tls.writer().write_all(&part).unwrap();
            }
            while tls.wants_write() {
                tls.write_tls(&mut self.records).unwrap();
            }
        } else {
            self.records.append(&mut self.outgoing);
        }
        let most = self.segment_bytes.unwrap_or(usize::MAX);
        let handle = self.handle;
        let socket: &mut Socket<'_> = self.sockets.get_mut(handle);
        if !socket.can_send() || self.records.is_empty() {
            return false;
        }
        let records = self.records.make_contiguous();
        let part = &records[..records.len().min(most)];
        let sent = socket.send_slice(part).unwrap();
        self.records.drain(..sent);
        sent > 0
    }
}

#[derive(Default)]
struct Queues {
    incoming: VecDeque<Vec<u8>>,
    outgoing: VecDeque<Vec<u8>>,
}

impl Device for Queues {
    type RxToken<'t> = Frame;
    type TxToken<'t> = Out<'t>;

    fn receive(&mut self, _: smoltcp::time::Instant) -> Option<(Frame, Out<'_>)> {
        let frame = self.incoming.pop_front()?;
        Some((Frame(frame), Out(&mut self.outgoing)))
    }

    fn transmit(&mut self, _: smoltcp::time::Instant) -> Option<Out<'_>> {
        Some(Out(&mut self.outgoing))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = 1_500;
        capabilities
    }
}

struct Frame(Vec<u8>);

impl RxToken for Frame {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

struct Out<'t>(&'t mut VecDeque<Vec<u8>>);

impl TxToken for Out<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let mut frame = vec![0; len];
        let result = f(&mut frame);
        self.0.push_back(frame);
        result
    }
}

fn endpoint((address, port): (Ipv4Addr, u16)) -> IpEndpoint {
    IpEndpoint::new(IpAddress::Ipv4(address), port)
}

fn instant(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(now.as_micros() as i64)
}

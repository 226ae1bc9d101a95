//! A laboratory: the proxy between callers and targets that are real TLS endpoints (rustls over
//! smoltcp), on virtual time and links in memory.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::panic,
    clippy::unwrap_used,
    reason = "shared by several test programs, none of which uses all of it"
)]

pub mod certificates;
pub mod peer;

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use hal::packet::{Offload, PacketPool, SINGLE_FRAME_MAX};
use hal::time::Instant;
use hal_sim::coalesce::Coalesced;
use rustls::{ClientConfig, ServerConfig};
use sip::Transport;
use tls_proxy::{
    Direction, Endpoints, Event, Inspector, Leg, Limits, OpenError, Opening, SessionId, TlsProxy,
};

use peer::{Peer, PeerTls};

/// Where the caller dials from.
pub const CALLER: (Ipv4Addr, u16) = (Ipv4Addr::new(198, 51, 100, 20), 49_368);
/// What it dials.
pub const PUBLISHED: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 10), 5_061);
/// Who that is.
pub const TARGET: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 20, 0, 11), 5_062);

/// The static rule `10.20.0.11:5062 ↔ 203.0.113.10:5061`; the originator is outside.
pub struct StaticRule;

impl Inspector for StaticRule {
    fn map(
        &self,
        _flow: u64,
        direction: Direction,
        _transport: Transport,
        address: Ipv4Addr,
        port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        let (from, to) = match direction {
            Direction::ToTarget => (PUBLISHED, TARGET),
            Direction::ToOriginator => (TARGET, PUBLISHED),
        };
        ((address, port) == (from.0, Some(from.1))).then_some((to.0, Some(to.1)))
    }
}

/// One caller and one target with a session between them.
pub struct Pair {
    pub caller: Peer,
    pub target: Peer,
    pub session: SessionId,
    /// Packets of this leg vanish.
    pub cut: Option<Leg>,
}

pub struct Lab {
    pub now: Instant,
    pub proxy: TlsProxy,
    pub pool: PacketPool,
    pub pairs: Vec<Pair>,
    pub events: Vec<Event>,
    /// Packets seen leaving the proxy, per leg.
    pub sent: [usize; 2],
    /// Packets handed to the proxy span buffers of this many bytes, if set.
    pub split_bytes: Option<usize>,
    /// Consecutive segments are handed to the proxy as one, with a partial checksum, as a port that
    /// coalesces does.
    pub coalesces: bool,
    /// The longest packet handed to the proxy.
    pub longest: usize,
    /// One packet in so many is lost, if set, with no pattern.
    pub lose_one_in: Option<u64>,
    /// Time spent inside the proxy, by the real clock.
    pub proxy_time: Duration,
    noise: Noise,
    index: HashMap<u64, usize>,
}

pub struct Roles {
    pub caller: PeerTls,
    pub target: PeerTls,
    pub server: Arc<ServerConfig>,
    pub client: Arc<ClientConfig>,
}

impl Lab {
    pub fn new(limits: Limits) -> Self {
        Self {
            now: Instant::from_secs(1),
            proxy: TlsProxy::new(limits),
            pool: PacketPool::new(512),
            pairs: Vec::new(),
            events: Vec::new(),
            sent: [0; 2],
            split_bytes: None,
            coalesces: false,
            longest: 0,
            lose_one_in: None,
            proxy_time: Duration::ZERO,
            noise: Noise(1),
            index: HashMap::new(),
        }
    }

    pub fn small(sessions: usize) -> Self {
        Self::new(Limits {
            sessions,
            ..Limits::default()
        })
    }

    /// Opens a session for a new caller, whose SYN is on its way.
    pub fn open(&mut self, roles: Roles) -> Result<usize, OpenError> {
        let flow = self.pairs.len() as u64;
        let port = CALLER.1.wrapping_add(flow as u16);
        let caller_address = (CALLER.0, port);
        let session = self.proxy.open(
            Opening {
                flow,
                originator: Endpoints {
                    local: PUBLISHED,
                    remote: caller_address,
                },
                target: Endpoints {
                    local: caller_address,
                    remote: TARGET,
                },
                server: roles.server,
                client: roles.client,
                idle_timeout: Duration::from_secs(1_800),
                sequence_seed: 7 + flow,
            },
            self.now,
        )?;
        self.index.insert(flow, self.pairs.len());
        self.pairs.push(Pair {
            caller: Peer::calling(caller_address, PUBLISHED, roles.caller),
            target: Peer::listening(TARGET, roles.target),
            session,
            cut: None,
        });
        Ok(self.pairs.len() - 1)
    }

    /// Moves packets until nothing moves any more, without letting more than a millisecond pass.
    pub fn settle(&mut self) {
        for _ in 0..20_000 {
            if !self.step() {
                return;
            }
        }
        panic!("the network does not come to rest");
    }

    /// Lets time pass, stopping at every timer on the way.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.settle();
            let next = self
                .pairs
                .iter_mut()
                .flat_map(|pair| [&mut pair.caller, &mut pair.target])
                .filter_map(|peer| peer.poll_at(self.now))
                .chain(self.proxy.poll_timeout())
                .min()
                .unwrap_or(end)
                .max(self.now + Duration::from_millis(1));
            if next > end {
                self.now = end;
                self.settle();
                return;
            }
            self.now = next;
        }
    }

    /// Settles, and passes time until `done` or a minute is over.
    pub fn run_until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        for _ in 0..6_000 {
            self.settle();
            if done(self) {
                return;
            }
            self.now += Duration::from_millis(10);
        }
        panic!("never: {what}; {:?}", self.events);
    }

    fn step(&mut self) -> bool {
        let mut moved = false;
        for index in 0..self.pairs.len() {
            for leg in Leg::BOTH {
                let pair = &mut self.pairs[index];
                let peer = match leg {
                    Leg::Originator => &mut pair.caller,
                    Leg::Target => &mut pair.target,
                };
                moved |= peer.pump(self.now);
                let (session, cut) = (pair.session, pair.cut == Some(leg));
                while let Some(frame) = self.peer(index, leg).sent.pop_front() {
                    moved = true;
                    if cut || self.is_lost() {
                        continue;
                    }
                    let (frame, offload) = if self.coalesces {
                        let mut whole = Coalesced::new(frame, 0);
                        let waiting = &mut self.peer(index, leg).sent;
                        while waiting.pop_front_if(|next| whole.join(next)).is_some() {}
                        whole.finish()
                    } else {
                        (frame, Offload::default())
                    };
                    self.longest = self.longest.max(frame.len());
                    let Some(mut packet) = self.packet(&frame) else {
                        continue;
                    };
                    packet.set_offload(offload);
                    let started = std::time::Instant::now();
                    self.proxy.handle_packet(
                        session,
                        leg,
                        packet,
                        &mut self.pool,
                        &StaticRule,
                        self.now,
                    );
                    self.proxy_time += started.elapsed();
                    self.deliver();
                }
            }
        }
        while self.proxy.poll_timeout().is_some_and(|at| at <= self.now) {
            let started = std::time::Instant::now();
            self.proxy
                .handle_timeout(&mut self.pool, &StaticRule, self.now);
            self.proxy_time += started.elapsed();
            self.deliver();
            moved = true;
        }
        moved |= self.deliver();
        moved
    }

    fn is_lost(&mut self) -> bool {
        let number = self.noise.next();
        self.lose_one_in
            .is_some_and(|many| number.is_multiple_of(many))
    }

    fn packet(&mut self, frame: &[u8]) -> Option<hal::packet::PacketBuf> {
        let split = self.split_bytes.unwrap_or(SINGLE_FRAME_MAX);
        let mut packet: Option<hal::packet::PacketBuf> = None;
        for part in frame.chunks(split) {
            let Some(mut buffer) = self.pool.take() else {
                if let Some(packet) = packet {
                    self.pool.free(packet);
                }
                return None;
            };
            assert!(buffer.extend(part));
            match &mut packet {
                Some(first) => first.append(buffer),
                None => packet = Some(buffer),
            }
        }
        packet
    }

    fn deliver(&mut self) -> bool {
        let mut moved = false;
        while let Some(out) = self.proxy.poll_transmit() {
            moved = true;
            assert!(out.packet.headroom() >= 14);
            self.sent[usize::from(out.leg == Leg::Target)] += 1;
            let index = self.index[&out.flow];
            let cut = self.pairs[index].cut == Some(out.leg);
            if !cut && !self.is_lost() {
                let bytes = out.packet.bytes().to_vec();
                self.peer(index, out.leg).received_frames.push_back(bytes);
            }
            self.pool.free(out.packet);
        }
        while let Some(event) = self.proxy.poll_event() {
            self.events.push(event);
            moved = true;
        }
        moved
    }

    pub fn peer(&mut self, index: usize, leg: Leg) -> &mut Peer {
        match leg {
            Leg::Originator => &mut self.pairs[index].caller,
            Leg::Target => &mut self.pairs[index].target,
        }
    }

    /// Settles until both handshakes of the session are done, as both peers see it too.
    pub fn handshake(&mut self, index: usize) {
        self.run_until("handshake", |lab| {
            let done = lab
                .events
                .iter()
                .filter(|event| {
                    matches!(event, Event::HandshakeDone { flow, .. } if *flow == index as u64)
                })
                .count();
            done == 2 && lab.pairs[index].caller.is_open() && lab.pairs[index].target.is_open()
        });
    }

    /// How the session ended, if it has.
    pub fn closed(&self, index: usize) -> Option<(tls_proxy::CloseReason, Leg)> {
        self.events.iter().find_map(|event| match event {
            Event::Closed {
                flow, reason, leg, ..
            } if *flow == index as u64 => Some((*reason, *leg)),
            _ => None,
        })
    }

    /// Waits for the session's end and returns its cause.
    pub fn end(&mut self, index: usize) -> (tls_proxy::CloseReason, Leg) {
        self.run_until("end of session", |lab| lab.closed(index).is_some());
        self.closed(index).unwrap()
    }

    /// Checks that nothing is left: every buffer back, no session, no deadline.
    pub fn expect_rest(&mut self) {
        self.settle();
        assert_eq!(self.pool.available(), self.pool.total());
        assert_eq!(self.proxy.counters().active, 0);
        assert_eq!(self.proxy.sessions().count(), 0);
        assert_eq!(self.proxy.poll_timeout(), None);
    }
}

/// A multiplicative congruential sequence (Lehmer), enough to make bytes that look like nothing.
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0 * 48_271 % 0x7fff_ffff;
        self.0
    }

    pub fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// A request as the caller sends it.
pub fn request(body: &str) -> Vec<u8> {
    format!(
        "MESSAGE sip:bob@203.0.113.10:5061;transport=tls SIP/2.0\r\n\
         Via: SIP/2.0/TLS edge.example.net:5061;branch=z9hG4bK776\r\n\
         Route: <sip:203.0.113.10:5061;transport=tls;lr>\r\n\
         From: <sip:alice@example.net>;tag=1\r\n\
         To: <sip:bob@example.com>\r\n\
         Call-ID: a84b4c76e66710\r\n\
         CSeq: 1 MESSAGE\r\n\
         Content-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// What the target receives of it.
pub fn request_at_target(body: &str) -> Vec<u8> {
    String::from_utf8(request(body))
        .unwrap()
        .replace("203.0.113.10:5061", "10.20.0.11:5062")
        .into_bytes()
}

/// A response as the target sends it.
pub fn response() -> Vec<u8> {
    b"SIP/2.0 200 OK\r\nv: SIP/2.0/TLS edge.example.net:5061;branch=z9hG4bK776\r\n\
      m: <sip:bob@10.20.0.11:5062;transport=tls>\r\nCSeq: 1 MESSAGE\r\nl: 0\r\n\r\n"
        .to_vec()
}

/// What the caller receives of it.
pub fn response_at_caller() -> Vec<u8> {
    String::from_utf8(response())
        .unwrap()
        .replace("10.20.0.11:5062", "203.0.113.10:5061")
        .into_bytes()
}

//! TCP segments of a caller and a target into a session of the TLS proxy between them.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use hal::packet::{PacketBuf, PacketPool};
use hal::time::Instant;
use pki::{Trust, client_config, server_config, time_source};
use tls_proxy::{
    Direction, Endpoints, Event, Inspector, Leg, LegState, Limits, Opening, SessionId, TlsProxy,
};

use crate::certificates::{NOW, identity};
use crate::input::Input;
use crate::packets::{ACK, FIN, SYN, Segment, fix_checksums};

const CALLER: (Ipv4Addr, u16) = (Ipv4Addr::new(198, 51, 100, 20), 49_368);
const PUBLISHED: (Ipv4Addr, u16) = (Ipv4Addr::new(203, 0, 113, 10), 5_061);
const TARGET: (Ipv4Addr, u16) = (Ipv4Addr::new(10, 20, 0, 11), 5_062);
const BUFFERS: usize = 128;

/// A map that translates nothing.
struct Identity;

impl Inspector for Identity {
    fn map(
        &self,
        _flow: u64,
        _direction: Direction,
        _transport: sip::Transport,
        _address: Ipv4Addr,
        _port: Option<u16>,
    ) -> Option<(Ipv4Addr, Option<u16>)> {
        None
    }
}

/// One peer, as far as TCP goes.
struct Peer {
    from: (Ipv4Addr, u16),
    to: (Ipv4Addr, u16),
    sequence: u32,
    acknowledgment: u32,
}

struct Bench {
    proxy: TlsProxy,
    pool: PacketPool,
    session: SessionId,
    now: Instant,
    caller: Peer,
    target: Peer,
    closed: bool,
}

thread_local! {
    /// The proxy's memory is claimed once; each input gets a session of its own.
    static BENCH: std::cell::RefCell<Option<(TlsProxy, PacketPool)>> =
        const { std::cell::RefCell::new(None) };
}

/// Plays a caller and a target that speak TCP well and TLS badly. The session must end when its time is over,
/// and every buffer must come back.
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    BENCH.with_borrow_mut(|bench| {
        let (proxy, pool) = bench.take().unwrap_or_else(|| {
            let limits = Limits {
                sessions: 1,
                ..Limits::default()
            };
            (TlsProxy::new(limits), PacketPool::new(BUFFERS))
        });
        *bench = Some(play(proxy, pool, Input::new(data)));
    });
}

fn play(mut proxy: TlsProxy, pool: PacketPool, mut input: Input<'_>) -> (TlsProxy, PacketPool) {
    let now = Instant::from_secs(1);
    let session = open(&mut proxy, now);
    let peer = |from, to| Peer {
        from,
        to,
        sequence: 1000,
        acknowledgment: 0,
    };
    let mut bench = Bench {
        proxy,
        pool,
        session,
        now,
        caller: peer(CALLER, PUBLISHED),
        target: peer(TARGET, CALLER),
        closed: false,
    };
    bench.connect();
    while !input.is_empty() && !bench.closed {
        match input.byte() % 6 {
            0 => bench.pass(Duration::from_millis(u64::from(input.word()))),
            1 => {
                let leg = if input.byte() & 1 == 0 {
                    Leg::Originator
                } else {
                    Leg::Target
                };
                bench.segment(leg, ACK | FIN, &[]);
            }
            2 => {
                let mut packet = input.counted().to_vec();
                fix_checksums(&mut packet);
                bench.packet(Leg::Originator, &packet);
            }
            3 => bench.send(Leg::Target, input.counted()),
            _ => bench.send(Leg::Originator, input.counted()),
        }
    }
    bench.proxy.close(session, bench.now);
    for _ in 0..64 {
        if bench.closed {
            break;
        }
        bench.pass(Duration::from_secs(60));
    }
    assert!(bench.closed, "the session does not end");
    assert_eq!(bench.proxy.counters().active, 0);
    assert_eq!(bench.pool.available(), BUFFERS, "a buffer was lost");
    (bench.proxy, bench.pool)
}

fn open(proxy: &mut TlsProxy, now: Instant) -> SessionId {
    thread_local! {
        static SETTINGS: Opening = opening();
    }
    let opening = SETTINGS.with(Clone::clone);
    proxy.open(opening, now).expect("the one slot is free")
}

fn opening() -> Opening {
    let (identity, der) = identity("cn=203.0.113.10");
    let trust = Arc::new(Trust::new([der.as_slice()]).expect("our own certificate"));
    let time = || time_source(|| Some(NOW));
    Opening {
        flow: 1,
        originator: Endpoints {
            local: PUBLISHED,
            remote: CALLER,
        },
        target: Endpoints {
            local: CALLER,
            remote: TARGET,
        },
        server: server_config(&identity, &trust, true, time()).expect("good settings"),
        client: client_config(Some(&identity), &trust, time()).expect("good settings"),
        idle_timeout: Duration::from_secs(600),
        sequence_seed: 7,
    }
}

impl Bench {
    /// Makes both TCP connections: the caller is answered once the target has answered.
    fn connect(&mut self) {
        self.segment(Leg::Originator, SYN, &[]);
        self.pass(Duration::from_millis(1));
        self.segment(Leg::Target, SYN | ACK, &[]);
        self.segment(Leg::Originator, ACK, &[]);
        let connected = self
            .proxy
            .sessions()
            .any(|view| view.originator.state == LegState::Handshaking);
        assert!(connected, "no connection to fuzz");
    }

    fn send(&mut self, leg: Leg, data: &[u8]) {
        for part in data.chunks(1400) {
            self.segment(leg, ACK, part);
        }
    }

    fn peer(&mut self, leg: Leg) -> &mut Peer {
        match leg {
            Leg::Originator => &mut self.caller,
            Leg::Target => &mut self.target,
        }
    }

    /// The peer of `leg` sends what comes next.
    fn segment(&mut self, leg: Leg, flags: u8, payload: &[u8]) {
        let peer = self.peer(leg);
        let packet = Segment {
            from: peer.from,
            to: peer.to,
            flags,
            sequence: peer.sequence,
            acknowledgment: peer.acknowledgment,
            payload,
        }
        .packet();
        let len = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
        peer.sequence = peer.sequence.wrapping_add(len);
        self.packet(leg, &packet);
    }

    fn packet(&mut self, leg: Leg, bytes: &[u8]) {
        let mut packet: Option<PacketBuf> = None;
        for part in bytes.chunks(1900) {
            let Some(mut buffer) = self.pool.take() else {
                break;
            };
            assert!(buffer.extend(part));
            match &mut packet {
                Some(first) => first.append(buffer),
                None => packet = Some(buffer),
            }
        }
        if let Some(packet) = packet {
            self.proxy.handle_packet(
                self.session,
                leg,
                packet,
                &mut self.pool,
                &Identity,
                self.now,
            );
        }
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        // A timer that is always due would not let time pass.
        for _ in 0..1_000 {
            let next = self.proxy.poll_timeout().filter(|&at| at <= end);
            self.now = next.unwrap_or(end).max(self.now);
            self.proxy
                .handle_timeout(&mut self.pool, &Identity, self.now);
            self.drain();
            if next.is_none() || self.closed {
                return;
            }
        }
        assert!(self.now >= end, "timers do not come to rest");
    }

    fn drain(&mut self) {
        while let Some(transmit) = self.proxy.poll_transmit() {
            let packet = transmit.packet.bytes();
            if let Some(tcp) = packet.get(20..)
                && let Some(&[.., a, b, c, d, _, _, _, _, offset, flags]) = tcp.first_chunk::<14>()
            {
                let data = tcp.len().saturating_sub(usize::from(offset >> 4) * 4) as u32;
                let length = data + u32::from(flags & (SYN | FIN) != 0);
                let next = u32::from_be_bytes([a, b, c, d]).wrapping_add(length);
                self.peer(transmit.leg).acknowledgment = next;
            }
            self.pool.free(transmit.packet);
        }
        while let Some(event) = self.proxy.poll_event() {
            self.closed |= matches!(event, Event::Closed { .. });
        }
    }
}

/// The first flight of a caller, whole and in two parts, an alert, and plain SIP.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let counted = |kind: u8, bytes: &[u8]| {
        let mut operation = vec![kind];
        operation.extend((bytes.len() as u16).to_be_bytes());
        operation.extend(bytes);
        operation
    };
    let hello = client_hello();
    let (front, back) = hello.split_at(40);
    vec![
        counted(4, &hello),
        [counted(4, front), vec![0, 1, 0], counted(4, back)].concat(),
        [
            counted(4, &hello),
            counted(4, b"\x15\x03\x03\x00\x02\x02\x28"),
            vec![1],
        ]
        .concat(),
        [counted(4, &hello), counted(4, b"\x14\x03\x03\x00\x01\x01")].concat(),
        counted(4, b"OPTIONS sip:10.20.0.11 SIP/2.0\r\n\r\n"),
        [
            counted(3, &hello),
            counted(4, b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc"),
        ]
        .concat(),
    ]
}

/// A ClientHello that both TLS 1.3 and TLS 1.2 can go on from (RFC 8446 §4.1.2).
fn client_hello() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([0x5a; 32]);
    body.push(0);
    // TLS_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    body.extend([0, 4, 0x13, 0x01, 0xc0, 0x2b, 1, 0]);
    let mut extensions = Vec::new();
    // supported_groups: secp256r1, x25519
    extensions.extend([0, 10, 0, 6, 0, 4, 0, 23, 0, 29]);
    extensions.extend([0, 11, 0, 2, 1, 0]);
    // signature_algorithms: ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256
    extensions.extend([0, 13, 0, 6, 0, 4, 4, 3, 8, 4]);
    // extended_master_secret, supported_versions: 1.3, 1.2
    extensions.extend([0, 23, 0, 0, 0, 43, 0, 5, 4, 3, 4, 3, 3]);
    // key_share: x25519, the base point
    extensions.extend([0, 51, 0, 38, 0, 36, 0, 29, 0, 32, 9]);
    extensions.extend([0; 31]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut record = vec![22, 3, 1];
    record.extend((body.len() as u16 + 4).to_be_bytes());
    record.extend([1, 0]);
    record.extend((body.len() as u16).to_be_bytes());
    record.extend(body);
    record
}

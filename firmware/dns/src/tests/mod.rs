//! A resolver between hand-written servers, under virtual time.

mod forged;
mod lasting;
mod names;
mod retries;
mod wire;

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};
use core::time::Duration;

use hal::entropy::Entropy;
use hal::time::Instant;

use crate::message::SERVER_PORT;
use crate::{HostName, Kind, Refused, Resolver, Settings, State, Transmit};

pub(super) const FIRST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub(super) const SECOND: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
pub(super) const NO_ERROR: u16 = 0x8180;
pub(super) const NO_SUCH_NAME: u16 = 0x8183;
pub(super) const SERVER_FAILURE: u16 = 0x8182;
pub(super) const TRUNCATED: u16 = 0x8380;

/// Xorshift, for tests that are the same every time.
pub(super) struct Dice(pub(super) u64);

impl Entropy for Dice {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_le_bytes()[3];
        }
    }
}

/// A resolver and its clock.
pub(super) struct Bench {
    pub(super) resolver: Resolver,
    pub(super) now: Instant,
    pub(super) dice: Dice,
}

impl Bench {
    pub(super) fn new(servers: &[Ipv4Addr]) -> Self {
        let mut resolver = Resolver::default();
        let settings = Settings {
            servers: servers.iter().copied().collect(),
            ..Settings::default()
        };
        resolver.set(settings, Instant::ZERO);
        Self {
            resolver,
            now: Instant::ZERO,
            dice: Dice(0x9E37_79B9_7F4A_7C15),
        }
    }

    /// One that follows the IPv4 addresses of `host.example`.
    pub(super) fn following(servers: &[Ipv4Addr]) -> Self {
        let mut bench = Self::new(servers);
        bench.resolver.follow(host(), Kind::V4, bench.now).unwrap();
        bench
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// What is sent now.
    pub(super) fn sent(&mut self) -> Vec<Transmit> {
        self.resolver.handle_timeout(&mut self.dice, self.now);
        core::iter::from_fn(|| self.resolver.poll_transmit()).collect()
    }

    /// The one question that is sent now.
    pub(super) fn question(&mut self) -> Transmit {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "one question: {sent:?}");
        sent.remove(0)
    }

    pub(super) fn answer(&mut self, to: &Transmit, payload: &[u8]) -> Result<(), Refused> {
        let from = (IpAddr::from(to.server), SERVER_PORT);
        self.resolver
            .handle_datagram(from, to.source_port, payload, self.now)
    }

    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        match self.resolver.state(&host(), Kind::V4) {
            Some(State::Resolved(addresses)) => addresses.iter().map(|held| held.address).collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn has_changed(&mut self) -> bool {
        self.resolver.poll_change() == Some((host(), Kind::V4))
    }
}

pub(super) fn host() -> HostName {
    HostName::parse("host.example").unwrap()
}

pub(super) fn v4(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A response to `question` with `answers` and `authorities`.
pub(super) fn response(
    question: &Transmit,
    flags: u16,
    answers: &[Vec<u8>],
    authorities: &[Vec<u8>],
) -> Vec<u8> {
    let mut message = question.payload.clone();
    message[2..4].copy_from_slice(&flags.to_be_bytes());
    message[7] = u8::try_from(answers.len()).unwrap();
    message[9] = u8::try_from(authorities.len()).unwrap();
    for record in answers.iter().chain(authorities) {
        message.extend(record);
    }
    message
}

pub(super) fn wire_name(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes
}

pub(super) fn record(owner: &str, kind: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = wire_name(owner);
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1]);
    bytes.extend(ttl.to_be_bytes());
    bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend(data);
    bytes
}

pub(super) fn a(owner: &str, ttl: u32, address: [u8; 4]) -> Vec<u8> {
    record(owner, 1, ttl, &address)
}

pub(super) fn alias(owner: &str, ttl: u32, target: &str) -> Vec<u8> {
    record(owner, 5, ttl, &wire_name(target))
}

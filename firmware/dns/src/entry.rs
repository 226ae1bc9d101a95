//! What is known of one name, and until when.

use core::net::IpAddr;
use core::time::Duration;

use hal::time::Instant;
use heapless::Vec;

use crate::settings::Settings;

/// Addresses kept of one name. A datagram of 512 bytes has room for 28 records of the same name.
pub const ADDRESSES_MAX: usize = 32;
/// Bounds of a time to live, in seconds: a server that says 0 is asked once in a second, and none is
/// believed for more than a day.
const TTL: core::ops::RangeInclusive<u32> = 1..=86_400;
/// Bounds of how long the absence of a name is believed, in seconds (RFC 2308 §5 advises three hours
/// at most).
const NEGATIVE_TTL: core::ops::RangeInclusive<u32> = 5..=10_800;
/// How long it is believed if the server does not say, in seconds.
const NEGATIVE_TTL_UNSAID: u32 = 60;
/// Pause after all servers have been asked in vain.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(60);

/// An address of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub address: IpAddr,
    /// When it is no longer used, unless an answer gives it again.
    pub expires: Instant,
}

/// What is known of a name.
#[derive(Debug)]
pub(crate) struct Entry {
    addresses: Vec<Address, ADDRESSES_MAX>,
    /// When it is asked for again; not while a question is under way.
    pub(crate) ask_at: Instant,
    /// The last answer was that there is nothing.
    pub(crate) is_absent: bool,
}

/// What an answer did to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    pub(crate) is_changed: bool,
    /// Addresses that found no room beside older ones.
    pub(crate) left_out: u16,
}

impl Entry {
    /// Nothing is known, and it is asked for at once.
    pub(crate) const fn new(now: Instant) -> Self {
        Self {
            addresses: Vec::new(),
            ask_at: now,
            is_absent: false,
        }
    }

    pub(crate) fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Takes in an answer. Addresses that it does not give stay until they expire, so that a name whose
    /// answers take turns among many addresses has them all.
    pub(crate) fn resolved(
        &mut self,
        given: &[IpAddr],
        ttl: u32,
        settings: &Settings,
        now: Instant,
    ) -> Update {
        let ttl = Duration::from_secs(u64::from(ttl.clamp(*TTL.start(), *TTL.end())));
        let expires = now + ttl.saturating_add(settings.expire_entry);
        let mut update = Update {
            is_changed: false,
            left_out: 0,
        };
        for &address in given {
            let known = self
                .addresses
                .iter_mut()
                .find(|held| held.address == address);
            if let Some(known) = known {
                known.expires = expires;
            } else if self.addresses.push(Address { address, expires }).is_ok() {
                update.is_changed = true;
            } else {
                update.left_out = update.left_out.saturating_add(1);
            }
        }
        self.is_absent = false;
        self.ask_at = now + ttl.min(settings.poll);
        update
    }

    /// Takes in that there is nothing; `ttl` in seconds, if the server said how long.
    pub(crate) fn absent(&mut self, ttl: Option<u32>, settings: &Settings, now: Instant) {
        let ttl = ttl
            .unwrap_or(NEGATIVE_TTL_UNSAID)
            .clamp(*NEGATIVE_TTL.start(), *NEGATIVE_TTL.end());
        self.is_absent = true;
        self.ask_at = now + Duration::from_secs(u64::from(ttl)).min(settings.poll);
    }

    /// No server answered.
    pub(crate) fn failed(&mut self, settings: &Settings, now: Instant) {
        self.ask_at = now + PAUSE_AFTER_FAILURE.min(settings.poll);
    }

    /// Leaves out the addresses whose time is over; whether there were any.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let before = self.addresses.len();
        self.addresses.retain(|held| held.expires > now);
        self.addresses.len() != before
    }

    /// When the next address expires.
    pub(crate) fn expires_at(&self) -> Option<Instant> {
        self.addresses.iter().map(|held| held.expires).min()
    }
}

//! The ports of one shared address, per protocol: what is taken, what static rules reserve.
//!
//! A port is kept if it is free, else one of the same tier is drawn at random (RFC 6056 §3.3.1),
//! so that privileged ports map to privileged ones as on the ASA. `flat` pools have one tier.

use alloc::boxed::Box;

use crate::policy::PoolOptions;

const WORDS: usize = 65_536 / 64;

/// A range of ports that stand in for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tier {
    pub(crate) first: u16,
    pub(crate) last: u16,
    /// Its bit in [`Ports::full`].
    bit: u8,
}

impl Tier {
    const fn new(first: u16, last: u16, bit: u8) -> Self {
        Self { first, last, bit }
    }

    /// The lowest and the highest.
    pub(crate) const fn ports(self) -> (u16, u16) {
        (self.first, self.last)
    }

    const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    const fn size(self) -> u32 {
        self.last as u32 - self.first as u32 + 1
    }

    /// The port at `draw` (any number) of the tier, without a division.
    fn drawn(self, draw: u32) -> u16 {
        // Below the size, so the sum is a port.
        self.first + ((u64::from(draw) * u64::from(self.size())) >> 32) as u16
    }

    /// The port `steps` behind `port`, going round.
    const fn after(self, port: u16, steps: u32) -> u16 {
        let place = (port as u32 - self.first as u32 + steps) % self.size();
        self.first + place as u16
    }
}

/// The tiers of TCP and UDP ports.
const TIERS: [Tier; 3] = [
    Tier::new(1, 511, 1),
    Tier::new(512, 1023, 2),
    Tier::new(1024, 65_535, 4),
];
const FLAT: [Tier; 1] = [Tier::new(1024, 65_535, 8)];
/// ICMP identifiers have no tiers.
const ALL: [Tier; 1] = [Tier::new(1, 65_535, 16)];

/// The tiers of an address shared with `options`.
pub(crate) const fn tiers(is_icmp: bool, options: PoolOptions) -> &'static [Tier] {
    match (is_icmp, options.flat, options.include_reserve) {
        (true, ..) | (_, true, true) => &ALL,
        (_, true, false) => &FLAT,
        _ => &TIERS,
    }
}

/// The tier whose ports stand in for `port`.
pub(crate) fn tier_of(port: u16, is_icmp: bool, options: PoolOptions) -> Tier {
    match (tiers(is_icmp, options), port) {
        ([low, _, _], 0..=511) => *low,
        ([_, middle, _], 512..=1023) => *middle,
        ([.., high], _) => *high,
        ([], _) => ALL[0],
    }
}

/// A set of ports as a bitmap.
#[derive(Clone)]
pub(crate) struct PortSet(Box<[u64; WORDS]>);

impl PortSet {
    pub(crate) fn new() -> Self {
        Self(Box::new([0; WORDS]))
    }

    pub(crate) fn contains(&self, port: u16) -> bool {
        self.0[usize::from(port) / 64] & 1 << (port % 64) != 0
    }

    pub(crate) fn insert(&mut self, port: u16) {
        self.0[usize::from(port) / 64] |= 1 << (port % 64);
    }

    pub(crate) fn remove(&mut self, port: u16) {
        self.0[usize::from(port) / 64] &= !(1 << (port % 64));
    }

    pub(crate) fn insert_range(&mut self, first: u16, last: u16) {
        for port in first..=last {
            self.insert(port);
        }
    }

    pub(crate) fn count(&self, first: u16, last: u16) -> u32 {
        // At most 65,536.
        (first..=last).filter(|&port| self.contains(port)).count() as u32
    }
}

/// The ports of one address and protocol.
#[derive(Clone)]
pub(crate) struct Ports {
    taken: PortSet,
    /// There only if something is reserved: most addresses have nothing published on them.
    reserved: Option<PortSet>,
    /// Tiers found full since a port was last given back.
    full: u8,
}

impl Ports {
    pub(crate) fn new() -> Self {
        Self {
            taken: PortSet::new(),
            reserved: None,
            full: 0,
        }
    }

    /// What dynamic bindings hold.
    pub(crate) const fn taken(&self) -> &PortSet {
        &self.taken
    }

    /// Forgets what was reserved: a new policy begins.
    pub(crate) fn clear_reserved(&mut self) {
        self.reserved = None;
        self.full = 0;
    }

    /// Keeps ports from being handed out.
    pub(crate) fn reserve(&mut self, first: u16, last: u16) {
        self.reserved
            .get_or_insert_with(PortSet::new)
            .insert_range(first, last);
    }

    /// Takes `wanted` if it is free and of `tier`, else a free port of the tier near a random one.
    /// `None`: the tier is exhausted.
    pub(crate) fn take(&mut self, wanted: u16, tier: Tier, random: u32) -> Option<u16> {
        let Some(port) = self.peek(wanted, tier, random) else {
            self.full |= tier.bit;
            return None;
        };
        self.taken.insert(port);
        Some(port)
    }

    /// What [`take`](Self::take) would take.
    pub(crate) fn peek(&self, wanted: u16, tier: Tier, random: u32) -> Option<u16> {
        if self.full & tier.bit != 0 {
            return None;
        }
        if tier.contains(wanted) && self.is_free(wanted) {
            return Some(wanted);
        }
        let start = tier.drawn(random);
        self.first_free(start, tier.last)
            .or_else(|| self.first_free(tier.first, start))
    }

    /// As [`take`](Self::take), but a port may be taken many times, as long as `is_usable`: the
    /// taker keeps the account. No more than `tries` ports are looked at.
    pub(crate) fn find(
        &self,
        wanted: u16,
        tier: Tier,
        random: u32,
        tries: u32,
        mut is_usable: impl FnMut(u16) -> bool,
    ) -> Option<u16> {
        let mut is_good = |port| self.is_free(port) && is_usable(port);
        if tier.contains(wanted) && is_good(wanted) {
            return Some(wanted);
        }
        let start = tier.drawn(random);
        (0..tier.size().min(tries))
            .map(|steps| tier.after(start, steps))
            .find(|&port| is_good(port))
    }

    pub(crate) fn give_back(&mut self, port: u16) {
        self.taken.remove(port);
        self.full = 0;
    }

    fn is_free(&self, port: u16) -> bool {
        let is_reserved = |set: &PortSet| set.contains(port);
        !self.taken.contains(port) && !self.reserved.as_ref().is_some_and(is_reserved)
    }

    /// The first free port of `first..=last`, 64 at a time.
    fn first_free(&self, first: u16, last: u16) -> Option<u16> {
        let (first_word, last_word) = (usize::from(first) / 64, usize::from(last) / 64);
        for word in first_word..=last_word {
            let reserved = self.reserved.as_ref().map_or(0, |set| set.0[word]);
            let mut free = !(self.taken.0[word] | reserved);
            if word == first_word {
                free &= u64::MAX << (first % 64);
            }
            if word == last_word {
                free &= u64::MAX >> (63 - last % 64);
            }
            if free != 0 {
                // `word` is below 1024, so this is a port.
                return Some((word * 64) as u16 + free.trailing_zeros() as u16);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn take(ports: &mut Ports, wanted: u16, is_icmp: bool, random: u32) -> Option<u16> {
        let tier = tier_of(wanted, is_icmp, PoolOptions::default());
        ports.take(wanted, tier, random)
    }

    #[test]
    fn a_free_port_is_kept_and_a_taken_one_replaced_within_its_tier() {
        let mut ports = Ports::new();
        assert_eq!(take(&mut ports, 5060, false, 0), Some(5060));
        assert_eq!(take(&mut ports, 5060, false, 0), Some(1024));
        assert_eq!(take(&mut ports, 5060, false, u32::MAX), Some(65_535));
        assert_eq!(take(&mut ports, 5060, false, u32::MAX), Some(1025));
        assert_eq!(take(&mut ports, 500, false, 0), Some(500));
        assert_eq!(take(&mut ports, 500, false, 0), Some(1));
        assert_eq!(take(&mut ports, 0, false, 0), Some(2));
        assert_eq!(take(&mut ports, 0, true, 0), Some(3));
    }

    #[test]
    fn a_reserved_port_is_never_handed_out_and_exhaustion_is_told() {
        let mut ports = Ports::new();
        ports.reserve(512, 520);
        for n in 0u32..(1023 - 520) {
            let port = take(&mut ports, 512, false, n.wrapping_mul(0x0123_4567))
                .expect("free ports are left");
            assert!((521..=1023).contains(&port));
        }
        assert_eq!(take(&mut ports, 512, false, 7), None);
        assert_eq!(take(&mut ports, 600, false, 7), None);
        assert_eq!(ports.taken().count(512, 1023), 1023 - 520);
        ports.give_back(600);
        assert_eq!(take(&mut ports, 512, false, 9), Some(600));
        // A new policy may free what was reserved.
        assert_eq!(take(&mut ports, 512, false, 9), None);
        ports.clear_reserved();
        assert_eq!(take(&mut ports, 512, false, 9), Some(512));
    }

    #[test]
    fn flat_pools_have_one_tier() {
        let flat = |include_reserve| PoolOptions {
            flat: true,
            include_reserve,
            ..PoolOptions::default()
        };
        for (options, wanted, expected) in [
            (PoolOptions::default(), 0, (1, 511)),
            (PoolOptions::default(), 511, (1, 511)),
            (PoolOptions::default(), 1023, (512, 1023)),
            (PoolOptions::default(), 1024, (1024, 65_535)),
            (flat(false), 80, (1024, 65_535)),
            (flat(false), 2000, (1024, 65_535)),
            (flat(true), 80, (1, 65_535)),
        ] {
            let tier = tier_of(wanted, false, options);
            assert_eq!((tier.first, tier.last), expected, "{wanted}");
        }
        let mut ports = Ports::new();
        let taken = ports.take(80, tier_of(80, false, flat(false)), 0);
        assert_eq!(taken, Some(1024));
        assert_eq!(ports.take(80, tier_of(80, false, flat(true)), 0), Some(80));
    }

    proptest! {
        #[test]
        fn no_port_is_handed_out_twice(wants in prop::collection::vec((0u16.., 0u32..), 1..600)) {
            let mut ports = Ports::new();
            let mut taken = BTreeSet::new();
            for (wanted, random) in wants {
                let wanted = wanted % 600;
                if let Some(port) = take(&mut ports, wanted, false, random) {
                    prop_assert!(taken.insert(port));
                    prop_assert!(tier_of(wanted, false, PoolOptions::default()).contains(port));
                }
            }
        }
    }
}

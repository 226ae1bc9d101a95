//! The ports of one shared address, per protocol: what is taken, what static rules reserve.
//!
//! A port is kept if it is free, else one of the same tier is drawn at random (RFC 6056 §3.3.1),
//! so that privileged ports map to privileged ones as on the ASA.

use alloc::boxed::Box;

const WORDS: usize = 65_536 / 64;

/// The tiers of TCP and UDP ports.
pub(crate) const TIERS: [(u16, u16); 3] = [(1, 511), (512, 1023), (1024, 65_535)];
/// ICMP identifiers have no tiers.
pub(crate) const ICMP_TIER: (u16, u16) = (1, 65_535);

/// A set of ports as a bitmap.
#[derive(Clone)]
pub(crate) struct PortSet(Box<[u64; WORDS]>);

impl PortSet {
    pub(crate) fn new() -> Self {
        Self(Box::new([0; WORDS]))
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
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
    reserved: PortSet,
}

impl Ports {
    pub(crate) fn new() -> Self {
        Self {
            taken: PortSet::new(),
            reserved: PortSet::new(),
        }
    }

    /// What dynamic bindings hold.
    pub(crate) const fn taken(&self) -> &PortSet {
        &self.taken
    }

    /// What must never be handed out, to be filled anew with each policy.
    pub(crate) const fn reserved_mut(&mut self) -> &mut PortSet {
        &mut self.reserved
    }

    /// Takes `wanted` if it is free, else a free port of its tier near a `random` one. `None`: the
    /// tier is exhausted.
    pub(crate) fn take(&mut self, wanted: u16, is_icmp: bool, random: u32) -> Option<u16> {
        let port = self.peek(wanted, is_icmp, random)?;
        self.taken.insert(port);
        Some(port)
    }

    /// What [`take`](Self::take) would take.
    pub(crate) fn peek(&self, wanted: u16, is_icmp: bool, random: u32) -> Option<u16> {
        let (first, last) = tier_of(wanted, is_icmp);
        let in_tier = first <= wanted && wanted <= last;
        if in_tier && self.is_free(wanted) {
            return Some(wanted);
        }
        let size = u64::from(last - first) + 1;
        // Scales `random` to 0..size without a division.
        let start = first + ((u64::from(random) * size) >> 32) as u16;
        self.first_free(start, last)
            .or_else(|| self.first_free(first, start))
    }

    pub(crate) fn give_back(&mut self, port: u16) {
        self.taken.remove(port);
    }

    fn is_free(&self, port: u16) -> bool {
        !self.taken.contains(port) && !self.reserved.contains(port)
    }

    /// The first free port of `first..=last`, 64 at a time.
    fn first_free(&self, first: u16, last: u16) -> Option<u16> {
        let (first_word, last_word) = (usize::from(first) / 64, usize::from(last) / 64);
        for word in first_word..=last_word {
            let mut free = !(self.taken.0[word] | self.reserved.0[word]);
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

/// The range that a port, or an ICMP identifier, is translated within.
pub(crate) fn tier_of(port: u16, is_icmp: bool) -> (u16, u16) {
    if is_icmp {
        return ICMP_TIER;
    }
    match port {
        0..=511 => TIERS[0],
        512..=1023 => TIERS[1],
        _ => TIERS[2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_free_port_is_kept_and_a_taken_one_replaced_within_its_tier() {
        let mut ports = Ports::new();
        assert_eq!(ports.take(5060, false, 0), Some(5060));
        assert_eq!(ports.take(5060, false, 0), Some(1024));
        assert_eq!(ports.take(5060, false, u32::MAX), Some(65_535));
        assert_eq!(ports.take(5060, false, u32::MAX), Some(1025));
        assert_eq!(ports.take(500, false, 0), Some(500));
        assert_eq!(ports.take(500, false, 0), Some(1));
        assert_eq!(ports.take(0, false, 0), Some(2));
        assert_eq!(ports.take(0, true, 0), Some(3));
    }

    #[test]
    fn a_reserved_port_is_never_handed_out_and_exhaustion_is_told() {
        let mut ports = Ports::new();
        ports.reserved_mut().insert_range(512, 520);
        for n in 0u32..(1023 - 520) {
            let port = ports
                .take(512, false, n.wrapping_mul(0x0123_4567))
                .expect("free ports are left");
            assert!((521..=1023).contains(&port));
        }
        assert_eq!(ports.take(512, false, 7), None);
        assert_eq!(ports.taken().count(512, 1023), 1023 - 520);
        ports.give_back(600);
        assert_eq!(ports.take(512, false, 9), Some(600));
    }

    proptest! {
        #[test]
        fn no_port_is_handed_out_twice(wants in prop::collection::vec((0u16.., 0u32..), 1..600)) {
            let mut ports = Ports::new();
            let mut taken = BTreeSet::new();
            for (wanted, random) in wants {
                if let Some(port) = ports.take(wanted % 600, false, random) {
                    prop_assert!(taken.insert(port));
                    prop_assert_eq!(tier_of(port, false), tier_of(wanted % 600, false));
                }
            }
        }
    }
}

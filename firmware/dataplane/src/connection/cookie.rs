//! SYN cookies: what a SYN-ACK must remember, folded into its sequence number.
//!
//! ```text
//! 31     29 28  27 26                                   0
//! ┌────────┬──────┬──────────────────────────────────────┐
//! │  MSS   │ time │ keyed hash of all that must come back │
//! └────────┴──────┴──────────────────────────────────────┘
//! ```
//!
//! Nothing is stored for a SYN that is answered so: the acknowledgment of the SYN-ACK brings the
//! number back, and the hash shows that the box made it, for this client, not long ago. Bernstein's
//! scheme (1996); RFC 4987 §3.6. Window scale, timestamps and selective acknowledgments are not
//! offered, because there is no room to remember them.

use hal::time::Instant;

use crate::hash::HashKey;
use crate::wire::Tuple;

/// Largest segment sizes that a cookie can tell, ascending: what links of today lead to.
const SIZES: [u16; 8] = [536, 1024, 1220, 1300, 1360, 1400, 1440, 1460];
/// How long one value of the time field lasts.
const SLOT_SECS: u64 = 64;
const HASH_BITS: u32 = 27;
const HASH_MASK: u32 = (1 << HASH_BITS) - 1;
const SLOT_MASK: u32 = 3;

/// Makes and checks cookies.
pub(crate) struct Cookies {
    key: HashKey,
}

impl Cookies {
    /// `key` must be unknown outside.
    pub(crate) const fn new(key: HashKey) -> Self {
        Self { key }
    }

    /// The sequence number of the SYN-ACK to a SYN with `tuple`, `sequence` and the announced
    /// `segment_size`, and the size that the cookie remembers (never larger, unless smaller than
    /// any it can).
    pub(crate) fn make(
        &self,
        tuple: &Tuple,
        sequence: u32,
        segment_size: u16,
        now: Instant,
    ) -> (u32, u16) {
        let mut choice = (0, SIZES[0]);
        for (code, size) in (0..).zip(SIZES) {
            if size <= segment_size {
                choice = (code, size);
            }
        }
        let slot = slot(now);
        let hash = self.hash(tuple, sequence, choice.0, slot);
        let cookie = choice.0 << 29 | (slot as u32 & SLOT_MASK) << HASH_BITS | hash;
        (cookie, choice.1)
    }

    /// The segment size in `cookie`, if the box made it for `tuple` and `sequence` within the last
    /// one to two minutes.
    pub(crate) fn check(
        &self,
        tuple: &Tuple,
        sequence: u32,
        cookie: u32,
        now: Instant,
    ) -> Option<u16> {
        let code = cookie >> 29;
        let present = slot(now);
        [Some(present), present.checked_sub(1)]
            .into_iter()
            .flatten()
            .find(|&slot| slot as u32 & SLOT_MASK == cookie >> HASH_BITS & SLOT_MASK)
            .filter(|&slot| self.hash(tuple, sequence, code, slot) == cookie & HASH_MASK)
            .and_then(|_| SIZES.get(code as usize).copied())
    }

    fn hash(&self, tuple: &Tuple, sequence: u32, code: u32, slot: u64) -> u32 {
        let (addresses, ports) = tuple.words();
        let rest = u64::from(sequence) << 32 | (slot << 3 & 0xffff_ffff) | u64::from(code);
        self.key.hash(self.key.hash(addresses, ports), rest) as u32 & HASH_MASK
    }
}

const fn slot(now: Instant) -> u64 {
    now.as_micros() / (SLOT_SECS * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;
    use core::time::Duration;

    fn tuple(port: u16) -> Tuple {
        Tuple {
            source: Ipv4Addr::new(198, 51, 100, 20),
            destination: Ipv4Addr::new(203, 0, 113, 10),
            source_port: port,
            destination_port: 5269,
        }
    }

    #[test]
    fn a_cookie_is_known_again_for_one_to_two_minutes() {
        let cookies = Cookies::new(HashKey::new([3; 16]));
        let start = Instant::from_secs(6400 + 10);
        for (announced, remembered) in [
            (0, 536),
            (536, 536),
            (1399, 1360),
            (1460, 1460),
            (9000, 1460),
        ] {
            let (cookie, size) = cookies.make(&tuple(7), 99, announced, start);
            assert_eq!(size, remembered);
            for (secs, expected) in [
                (0, Some(remembered)),
                (117, Some(remembered)),
                (118, None),
                (300, None),
            ] {
                let now = start + Duration::from_secs(secs);
                assert_eq!(
                    cookies.check(&tuple(7), 99, cookie, now),
                    expected,
                    "{secs}"
                );
            }
        }
    }

    #[test]
    fn what_the_box_did_not_make_is_not_believed() {
        let cookies = Cookies::new(HashKey::new([3; 16]));
        let now = Instant::from_secs(6400);
        let (cookie, _) = cookies.make(&tuple(7), 99, 1460, now);
        assert_eq!(cookies.check(&tuple(8), 99, cookie, now), None);
        assert_eq!(cookies.check(&tuple(7), 100, cookie, now), None);
        for bit in 0..32 {
            assert_eq!(
                cookies.check(&tuple(7), 99, cookie ^ 1 << bit, now),
                None,
                "{bit}"
            );
        }
        let others = Cookies::new(HashKey::new([4; 16]));
        assert_eq!(others.check(&tuple(7), 99, cookie, now), None);
    }
}

//! The Internet checksum and how it changes when a header does. RFC 1071, RFC 1624.

use core::net::Ipv4Addr;

use hal::checksum::fold;
pub(crate) use hal::checksum::{add, sum};

/// The sum of a TCP or UDP segment of `len` bytes with its pseudo-header (RFC 9293 §3.1).
pub(crate) fn pseudo_sum(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, len: u16) -> u16 {
    fold(
        u64::from(source.to_bits())
            + u64::from(destination.to_bits())
            + u64::from(protocol)
            + u64::from(len),
    )
}

/// By how much a set of header fields changes the checksum over them: the sum of `!old + new`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delta(u16);

impl Delta {
    /// Adds the change of one 16-bit field.
    pub(crate) fn word(self, old: u16, new: u16) -> Self {
        Self(fold(u64::from(self.0) + u64::from(!old) + u64::from(new)))
    }

    /// Adds the change of an address.
    pub(crate) fn address(self, old: Ipv4Addr, new: Ipv4Addr) -> Self {
        self.long(old.to_bits(), new.to_bits())
    }

    /// Adds the change of one aligned 32-bit field.
    pub(crate) fn long(self, old: u32, new: u32) -> Self {
        Self(fold(u64::from(self.0) + u64::from(!old) + u64::from(new)))
    }

    /// Both changes together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(add(self.0, other.0))
    }

    /// The change in the other direction.
    pub(crate) const fn inverted(self) -> Self {
        Self(!self.0)
    }

    /// The checksum that `checksum` becomes: RFC 1624, equation 3.
    pub(crate) fn apply(self, checksum: u16) -> u16 {
        !add(!checksum, self.0)
    }

    /// As [`apply`](Self::apply), for UDP: zero means "none" and stays, and a computed zero is sent
    /// as all ones (RFC 768).
    pub(crate) fn apply_udp(self, checksum: u16) -> u16 {
        if checksum == 0 {
            return 0;
        }
        match self.apply(checksum) {
            0 => 0xffff,
            other => other,
        }
    }

    /// The change of a plain sum, as a partial checksum holds it.
    pub(crate) fn apply_to_sum(self, sum: u16) -> u16 {
        add(sum, self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn an_absent_udp_checksum_stays_absent_and_a_zero_is_sent_as_ones() {
        let delta = Delta::default().word(1, 2);
        assert_eq!(delta.apply_udp(0), 0);
        // !0xfffe + (!0x0001 + 0x0002) = 2, complemented 0xfffd; find one that gives zero.
        let zero = (1..=u16::MAX)
            .find(|&field| delta.apply(field) == 0)
            .expect("one does");
        assert_eq!(delta.apply_udp(zero), 0xffff);
    }

    proptest! {
        #[test]
        fn a_delta_gives_what_summing_again_gives(
            bytes in prop::collection::vec(any::<u8>(), 8..64),
            new in any::<[u8; 4]>(),
        ) {
            let mut bytes: Vec<u8> = bytes;
            bytes[0] = 0;
            bytes[1] = 0;
            let field = !sum(&bytes);
            bytes[..2].copy_from_slice(&field.to_be_bytes());
            prop_assert_eq!(sum(&bytes), 0xffff);
            let old: [u8; 4] = bytes[4..8].try_into().expect("four bytes");
            let delta = Delta::default().address(old.into(), new.into());
            bytes[4..8].copy_from_slice(&new);
            bytes[..2].copy_from_slice(&delta.apply(field).to_be_bytes());
            // All bytes zero is the one case where the two zeros of ones' complement differ.
            prop_assume!(bytes[2..].iter().any(|&byte| byte != 0));
            prop_assert_eq!(sum(&bytes), 0xffff);
            bytes[4..8].copy_from_slice(&old);
            let back = delta.inverted().apply(delta.apply(field));
            bytes[..2].copy_from_slice(&back.to_be_bytes());
            prop_assert_eq!(sum(&bytes), 0xffff);
        }
    }
}

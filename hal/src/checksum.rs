//! The Internet checksum. RFC 1071.
//!
//! A *sum* is ones'-complement and not yet complemented: what a partial checksum holds, and what
//! is `0xffff` over a range that holds its own right checksum.

/// The sum of `bytes`, which start at an even offset of what is summed.
#[must_use]
#[inline]
pub fn sum(bytes: &[u8]) -> u16 {
    let mut total: u64 = 0;
    let (words, tail) = bytes.as_chunks::<4>();
    for &word in words {
        total += u64::from(u32::from_be_bytes(word));
    }
    let mut last = [0; 4];
    if let Some(room) = last.get_mut(..tail.len()) {
        room.copy_from_slice(tail);
    }
    total += u64::from(u32::from_be_bytes(last));
    fold(total)
}

/// Adds two sums.
#[must_use]
#[inline]
pub fn add(a: u16, b: u16) -> u16 {
    fold(u64::from(a) + u64::from(b))
}

/// Carries the high bits of `total` round until sixteen are left.
#[must_use]
#[inline]
pub fn fold(mut total: u64) -> u16 {
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}

/// A sum over bytes that come in pieces of any length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunningSum {
    sum: u16,
    /// Whether an odd number of bytes has been added.
    is_odd: bool,
}

impl RunningSum {
    /// A sum that starts with `sum`.
    #[must_use]
    pub const fn new(sum: u16) -> Self {
        Self { sum, is_odd: false }
    }

    /// Adds the next `bytes`.
    pub fn add(&mut self, bytes: &[u8]) {
        let mut more = sum(bytes);
        if self.is_odd {
            // The bytes of every word have changed places, hence those of the sum (§2, B).
            more = more.swap_bytes();
        }
        self.sum = add(self.sum, more);
        self.is_odd ^= bytes.len() % 2 == 1;
    }

    /// The sum of everything added.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_example_of_rfc_1071_holds() {
        assert_eq!(
            sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]),
            0xddf2
        );
    }

    #[test]
    fn pieces_of_any_length_sum_to_the_whole() {
        let bytes: alloc::vec::Vec<u8> = (0..97u8).map(|byte| byte.wrapping_mul(37)).collect();
        for first in 0..bytes.len() {
            for second in first..bytes.len() {
                let mut running = RunningSum::default();
                running.add(&bytes[..first]);
                running.add(&bytes[first..second]);
                running.add(&bytes[second..]);
                assert_eq!(running.get(), sum(&bytes), "{first}, {second}");
            }
        }
    }
}

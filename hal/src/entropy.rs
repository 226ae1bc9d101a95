//! Unpredictable bytes.

/// A cryptographically secure generator, seeded by the hardware.
pub trait Entropy {
    /// Fills `bytes`. The generator was seeded before it was handed out, so this cannot fail.
    fn fill(&mut self, bytes: &mut [u8]);
}

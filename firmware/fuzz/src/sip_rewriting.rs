//! A SIP byte stream whose addresses are translated.

/// See [`sip::fuzz::rewriting`].
///
/// # Panics
/// If a law is broken.
pub fn run(data: &[u8]) {
    sip::fuzz::rewriting(data);
}

/// The same messages as for framing.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    crate::sip_framing::seeds()
}

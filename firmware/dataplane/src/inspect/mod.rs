//! Inspection of what packets carry, for flows whose class asks for it.

pub(crate) mod dns;

pub use dns::{MalformedMessage, rewrite as rewrite_dns};

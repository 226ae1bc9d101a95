//! A commit on probation.

use alloc::string::String;

use config::Config;
use hal::time::Instant;

/// What comes back unless somebody confirms.
#[derive(Debug)]
pub(crate) struct Unconfirmed {
    /// The configuration before the commit.
    pub(crate) before: Config,
    /// When it comes back.
    pub(crate) deadline: Instant,
    /// How long the commit was to wait.
    pub(crate) minutes: u32,
    /// Who committed.
    pub(crate) by: String,
}

//! Whom to ask, and how long.

use core::net::Ipv4Addr;
use core::time::Duration;

use heapless::Vec;

/// Servers of a group, as on the ASA.
pub const SERVERS_MAX: usize = 6;

/// What `dns server-group` sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Servers, asked in this order. Without any nothing is asked.
    pub servers: Vec<Ipv4Addr, SERVERS_MAX>,
    /// Wait for an answer before the next server is asked. It doubles every time the whole list has
    /// been asked.
    pub timeout: Duration,
    /// How often the whole list is asked again.
    pub retries: u8,
    /// How long an address is used after its time to live has run out.
    pub expire_entry: Duration,
    /// A name is asked for again at the latest after this time.
    pub poll: Duration,
}

impl Default for Settings {
    /// The figures of an ASA that was told nothing.
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            timeout: Duration::from_secs(2),
            retries: 2,
            expire_entry: Duration::from_secs(60),
            poll: Duration::from_secs(240 * 60),
        }
    }
}

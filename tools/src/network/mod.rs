//! Networks without privilege: Ethernet segments in this process, hosts on them with a user-space
//! TCP/IP stack, and uplinks that join a segment to a port of the virtual box.
//!
//! ```text
//! Host ─┐
//! Host ─┼─ Segment ── Uplink ── unix socket ── QEMU `-netdev stream` ── virtio-net
//! Port ─┘
//! ```

mod host;
mod segment;
mod tcp;
#[cfg(test)]
mod tests;
mod uplink;

pub use host::{Address, Host};
pub use segment::{Frame, Port, Segment};
pub use tcp::{Listener, TcpStream};
pub use uplink::Uplink;

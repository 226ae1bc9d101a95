//! The memory budget: claimed once at boot from what the machine has, printed by `show memory`.
//!
//! Every table of the box has a fixed size that follows from the memory found. What is left over
//! is the control heap: configuration text, TLS handshakes, certificates, command output.

use dataplane::Limits;
use hal::packet::BUFFER_LEN;

use crate::board::HeapUse;

/// Bytes of a packet buffer with its slot's own fields, rounded as the pool is laid out.
const PACKET_SLOT_LEN: u64 = BUFFER_LEN as u64 + 64;

/// Most that is claimed however much memory there is: claiming clears it, which takes time at boot.
const PACKETS_MAX: u64 = 16_384;
const FLOWS_MAX: u64 = 1 << 20;
const SESSIONS_MAX: u64 = 1_000;
/// Least and most that the buffers of captures may take together.
const CAPTURE_BYTES: core::ops::RangeInclusive<u64> = 1 << 20..=64 << 20;

/// The part of memory that compiled access lists may take of the control heap: some 15,000 elements
/// on the smallest box. What does not fit is searched element by element.
const ACCESS_SHARE: u64 = 32;
const ACCESS_BYTES_MAX: u64 = 64 << 20;

/// Most elements of access lists however much memory there is: a million.
const ELEMENTS_MAX: u64 = 1 << 20;

/// Bytes that rustls takes from the heap for one handshake of a session, both halves together,
/// rounded up.
const HANDSHAKE_LEN: u64 = 16 * 1024;

/// Sizes of everything that is claimed at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Bytes the machine has for the appliance.
    pub(crate) memory_bytes: u64,
    /// Packet buffers.
    pub(crate) packet_buffers: usize,
    /// Concurrent flows.
    pub(crate) flows: u32,
    /// Known neighbours.
    pub(crate) neighbors: u16,
    /// Concurrent TLS proxy sessions.
    pub(crate) sessions: u16,
    /// Bytes of the control heap that captures may take.
    pub(crate) capture_bytes: usize,
}

impl Budget {
    /// Plans for `memory_bytes` and `ports`: an eighth for packets, a quarter for flows, a quarter
    /// for TLS sessions; the rest stays control heap, an eighth of which captures may take while there
    /// are any.
    pub(crate) fn plan(memory_bytes: u64, ports: usize) -> Self {
        let packets = (memory_bytes / 8 / PACKET_SLOT_LEN).clamp(1024, PACKETS_MAX);
        // Both rings of every port full, and as many again on their way.
        let least = ports as u64 * 1024 + 512;
        let flows = (memory_bytes / 4 / flow_len()).clamp(4096, FLOWS_MAX);
        let flows = 1 << flows.ilog2();
        let sessions = (memory_bytes / 4 / session_len()).clamp(16, SESSIONS_MAX);
        let captures = (memory_bytes / 32).clamp(*CAPTURE_BYTES.start(), *CAPTURE_BYTES.end());
        Self {
            memory_bytes,
            packet_buffers: packets.max(least) as usize,
            flows,
            neighbors: 1024,
            sessions: sessions as u16,
            capture_bytes: captures as usize,
        }
    }

    /// The data plane's share.
    pub(crate) fn dataplane(&self, ports: u8) -> Limits {
        Limits {
            ports,
            subinterfaces: crate::policy::logical::SUBINTERFACES,
            flows: self.flows,
            neighbors: self.neighbors,
            access_bytes: (self.memory_bytes / ACCESS_SHARE).min(ACCESS_BYTES_MAX) as usize,
            capture_bytes: self.capture_bytes,
            ..Limits::default()
        }
    }

    /// How many elements all access lists may have together: 65,536 on a box of 64 MB. One takes
    /// some 130 bytes, compiled and with its counters.
    pub(crate) fn elements(&self) -> usize {
        (self.memory_bytes / 1024).min(ELEMENTS_MAX) as usize
    }

    /// What was planned for each part: name, count, bytes.
    pub(crate) fn rows(&self) -> [Claim; 3] {
        let packets = self.packet_buffers as u64;
        let (flows, sessions) = (u64::from(self.flows), u64::from(self.sessions));
        [
            Claim {
                name: "Packet buffers",
                count: packets,
                bytes: packets * PACKET_SLOT_LEN,
            },
            Claim {
                name: "Flow table",
                count: flows,
                bytes: flows * flow_len(),
            },
            Claim {
                name: "TLS proxy sessions",
                count: sessions,
                bytes: sessions * session_len(),
            },
        ]
    }
}

/// Bytes that a flow takes in the data plane: entries, record, timer, its share of the bindings.
fn flow_len() -> u64 {
    const MANY: u32 = 1 << 16;
    let limits = Limits {
        flows: MANY,
        ..Limits::default()
    };
    (limits.memory_bytes() as u64).div_ceil(u64::from(MANY))
}

/// Bytes that a TLS session takes: buffers of both legs, and what a handshake adds.
fn session_len() -> u64 {
    tls_proxy::Limits::default().session_bytes() as u64 + HANDSHAKE_LEN
}

/// A part's share of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The part.
    pub(crate) name: &'static str,
    /// How many of whatever it holds.
    pub(crate) count: u64,
    /// Bytes.
    pub(crate) bytes: u64,
}

impl Claim {
    /// Makes a part and replaces what was planned for it by what it really took from the heap.
    pub(crate) fn measure<T>(&mut self, heap: fn() -> HeapUse, make: impl FnOnce() -> T) -> T {
        let before = heap().used;
        let made = make();
        self.bytes = heap().used.saturating_sub(before) as u64;
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_leaves_a_quarter_to_the_control_heap() {
        for mebibytes in [40, 60, 250, 1000, 16_000] {
            let memory = mebibytes << 20;
            let budget = Budget::plan(memory, 4);
            let claimed: u64 = budget.rows().iter().map(|claim| claim.bytes).sum();
            assert!(
                claimed <= memory / 4 * 3,
                "{mebibytes} MiB: {claimed} bytes claimed"
            );
            assert!(budget.flows.is_power_of_two());
            assert!(budget.capture_bytes as u64 * 8 <= memory / 4, "captures");
        }
    }
}

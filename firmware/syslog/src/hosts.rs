//! Messages on their way to syslog servers.
//!
//! A message waits once, whatever the number of servers; each server gets its datagram made from it.

use alloc::string::String;
use alloc::vec::Vec;

use crate::class::Class;
use crate::line::LINE_MAX;
use crate::logger::OutOfMemory;
use crate::ring::Ring;
use crate::settings::{Host, Transport};

/// Room for waiting messages is never more than this, in bytes.
const ROOM_MAX: usize = 2 << 20;

/// Room claimed for each message of `logging queue`: messages are a good hundred bytes long, and one
/// in four may be as long as a message can be.
const ROOM_PER_MESSAGE: usize = 256;

/// What became of a message for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostOutcome {
    /// It was handed to the network.
    Sent,
    /// The network refused it.
    Failed,
    /// There was no connection, or no room in it.
    Dropped,
}

/// What connections to servers that are reached by TCP have been through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpStats {
    /// Messages that found the send buffer of a connection full.
    pub not_putable: u64,
    /// Messages for which there was no connection.
    pub channel_down: u64,
    /// Connections that were lost.
    pub flaps: u64,
}

/// What was sent to a server and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostCounts {
    /// Messages handed to the network.
    pub sent: u64,
    /// Messages the network refused.
    pub errors: u64,
    /// Messages that found the queue full.
    pub dropped: u64,
}

/// A message for one server.
#[derive(Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// The server, as its place in the settings' list.
    pub index: usize,
    /// The server.
    pub host: &'a Host,
    /// `<PRI>` and the line; for TCP with a line feed behind it.
    pub bytes: Vec<u8>,
}

/// The queue and the servers' counters.
#[derive(Debug, Default)]
pub(crate) struct HostQueue {
    ring: Ring,
    /// The server whose turn it is for the oldest message.
    next: usize,
    pub(crate) counts: Vec<HostCounts>,
    /// Since when a server reached by TCP is not connected, as it is to be shown.
    pub(crate) down_since: Vec<Option<String>>,
    pub(crate) tcp: TcpStats,
    /// Most messages that ever waited.
    pub(crate) most: usize,
    /// Messages that found no room.
    pub(crate) refused: u64,
    limit: usize,
}

/// A line in its parts: both forms of a datagram are made of them.
pub(crate) struct Parts<'a> {
    /// `facility * 8 + severity`.
    pub(crate) priority: u8,
    /// The message's number.
    pub(crate) number: u32,
    /// The whole line as other destinations show it.
    pub(crate) line: &'a str,
    /// Bytes of the time at its start.
    pub(crate) time_len: usize,
    /// Where `%ASA` begins.
    pub(crate) body_at: usize,
}

impl HostQueue {
    /// Takes new servers and a new limit of waiting messages (0: as many as there is room for).
    /// A server that stays keeps its counters. Without servers nothing waits.
    pub(crate) fn configure(
        &mut self,
        old: &[Host],
        new: &[Host],
        queue_len: u16,
    ) -> Result<(), OutOfMemory> {
        self.limit = match queue_len {
            0 => usize::MAX,
            len => usize::from(len),
        };
        if old != new {
            let counts = new.iter().map(|host| {
                let at = old.iter().position(|old| {
                    (&old.interface, old.address) == (&host.interface, host.address)
                });
                at.and_then(|at| self.counts.get(at).copied())
                    .unwrap_or_default()
            });
            self.counts = counts.collect();
            self.down_since.clear();
            self.down_since.resize(new.len(), None);
            // Who had the oldest message already cannot be told any more.
            self.next = 0;
        }
        let room = match (new.is_empty(), queue_len) {
            (true, _) => 0,
            (false, 0) => ROOM_MAX,
            (false, len) => (usize::from(len) * ROOM_PER_MESSAGE + LINE_MAX).min(ROOM_MAX),
        };
        let gone = self.ring.resize(room)?;
        self.refuse(gone);
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    /// Lets a message wait. Returns false, and counts, if there is no room.
    pub(crate) fn push(&mut self, parts: &Parts<'_>) -> bool {
        let byte = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
        let header = [parts.priority, byte(parts.time_len), byte(parts.body_at)];
        let pushed = self.ring.len() < self.limit
            && self
                .ring
                .push(&[&header, &parts.number.to_le_bytes(), parts.line.as_bytes()]);
        if pushed {
            self.most = self.most.max(self.ring.len());
        } else {
            self.refuse(1);
        }
        pushed
    }

    /// The next datagram. It counts as sent or failed when the caller says so.
    pub(crate) fn poll<'a>(&mut self, hosts: &'a [Host]) -> Option<Datagram<'a>> {
        let index = self.next;
        let host = hosts.get(index)?;
        let record = self.ring.front()?;
        self.next += 1;
        if self.next >= hosts.len() {
            self.next = 0;
            self.ring.pop();
        }
        Some(Datagram {
            index,
            host,
            bytes: frame(&record, host),
        })
    }

    fn refuse(&mut self, count: u64) {
        self.refused += count;
        for host in &mut self.counts {
            host.dropped += count;
        }
    }
}

/// `<166>Nov 23 2021 04:25:10 asa1 : %ASA-6-302013: …`, or in the EMBLEM form
/// `<166>:Nov 23 2021 04:25:10: %ASA-session-6-302013: …`, which has no device ID.
fn frame(record: &[u8], host: &Host) -> Vec<u8> {
    let Some((&[priority, time_len, body_at, a, b, c, d], line)) = record.split_first_chunk()
    else {
        return Vec::new();
    };
    let mut bytes = Vec::with_capacity(record.len() + 24);
    bytes.extend(alloc::format!("<{priority}>").as_bytes());
    if host.is_emblem {
        let time = line.get(..usize::from(time_len)).unwrap_or_default();
        let body = line.get(usize::from(body_at)..).unwrap_or_default();
        bytes.push(b':');
        if !time.is_empty() {
            bytes.extend(time);
            bytes.extend(b": ");
        }
        let class = Class::of(u32::from_le_bytes([a, b, c, d]));
        let rest = body.strip_prefix(b"%ASA-").unwrap_or(body);
        bytes.extend(b"%ASA-");
        if let Some(class) = class {
            bytes.extend(class.keyword.as_bytes());
            bytes.push(b'-');
        }
        bytes.extend(rest);
    } else {
        bytes.extend(line);
    }
    if host.transport == Transport::Tcp {
        // RFC 6587 §3.4.2: a line feed ends a message on a stream.
        bytes.push(b'\n');
    }
    bytes
}

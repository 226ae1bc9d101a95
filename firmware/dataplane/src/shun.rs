//! Sources the operator has shut out: `shun`.
//!
//! A short sorted list, asked before anything else as long as it is not empty. It is no part of the
//! configuration and ends with the box.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use hal::time::Instant;

use crate::drop_reason::DropReason;
use crate::engine::DataPlane;
use crate::event::FlowEnd;
use crate::wire::Tuple;

/// The most sources that are shut out at once.
pub const SHUNS_MAX: usize = 1024;

/// A source that is shut out, and the connection that it was named with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shun {
    /// Whose packets are dropped.
    pub source: Ipv4Addr,
    /// Destination of the connection to end; unspecified if none was named.
    pub destination: Ipv4Addr,
    /// Its source port; 0 if none was named.
    pub source_port: u16,
    /// Its destination port; 0 if none was named.
    pub destination_port: u16,
    /// Its protocol; 0 if none was named.
    pub protocol: u8,
}

/// A line of `show shun statistics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShunView {
    /// What was said.
    pub shun: Shun,
    /// Packets dropped.
    pub hits: u64,
    /// When it was said.
    pub since: Instant,
}

/// The list, sorted by source.
#[derive(Default)]
pub(crate) struct ShunList(Vec<ShunView>);

impl ShunList {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, source: Ipv4Addr) -> Result<usize, usize> {
        self.0
            .binary_search_by_key(&source, |entry| entry.shun.source)
    }

    /// Whether `source` is shut out.
    pub(crate) fn holds(&self, source: Ipv4Addr) -> bool {
        self.find(source).is_ok()
    }

    /// Whether `source` is shut out; counts it.
    pub(crate) fn blocks(&mut self, source: Ipv4Addr) -> bool {
        let found = self.find(source).ok();
        let Some(entry) = found.and_then(|place| self.0.get_mut(place)) else {
            return false;
        };
        entry.hits += 1;
        true
    }
}

impl DataPlane {
    /// Refuses a packet that no table need be asked about.
    #[inline]
    pub(crate) fn check_shuns(&mut self, tuple: &Tuple) -> Result<(), DropReason> {
        if !self.shuns.is_empty() && self.shuns.blocks(tuple.source) {
            return Err(DropReason::Shunned);
        }
        Ok(())
    }

    /// Shuts a source out and ends its connections; a source that is named again is only renewed.
    /// Returns how many connections ended, or `None` if the list is full.
    pub fn shun(&mut self, shun: Shun, now: Instant) -> Option<u32> {
        match self.shuns.find(shun.source) {
            Ok(place) => {
                if let Some(entry) = self.shuns.0.get_mut(place) {
                    entry.shun = shun;
                }
            }
            Err(_) if self.shuns.0.len() >= SHUNS_MAX => return None,
            Err(place) => self.shuns.0.insert(
                place,
                ShunView {
                    shun,
                    hits: 0,
                    since: now,
                },
            ),
        }
        let is_its =
            |flow: &crate::flow::Flow| flow.tuples.iter().any(|tuple| tuple.source == shun.source);
        Some(self.end_flows(FlowEnd::Shunned, now, is_its))
    }

    /// Lets a source in again. Returns whether it was shut out.
    pub fn unshun(&mut self, source: Ipv4Addr) -> bool {
        match self.shuns.find(source) {
            Ok(place) => {
                self.shuns.0.remove(place);
                true
            }
            Err(_) => false,
        }
    }

    /// Lets all in again.
    pub fn clear_shuns(&mut self) {
        self.shuns.0.clear();
    }

    /// Zeroes what was dropped of each.
    pub fn clear_shun_hits(&mut self) {
        for entry in &mut self.shuns.0 {
            entry.hits = 0;
        }
    }

    /// Who is shut out, by address.
    #[must_use]
    pub fn shuns(&self) -> &[ShunView] {
        &self.shuns.0
    }
}

//! Access lists: may this flow be opened, and which element says so.
//!
//! The first active element that matches decides ([`linear`] says what that means). Long lists are
//! compiled when the policy is set, so that a look-up does not grow with the list ([`compiled`] has
//! the idea); short ones, and those for which there is no memory, are searched element by element.
//!
//! | Module | Holds |
//! | --- | --- |
//! | [`linear`] | the model: element by element |
//! | [`prefix`] | ranges of addresses as prefixes |
//! | [`nest`] | the prefixes of one side, and which of them hold an address |
//! | [`services`] | protocols and ports as steps over one line of keys |
//! | [`compiled`] | a list as pairs of prefixes |
//! | [`ranked`] | lists about IPv6, by the ranks of addresses |
//! | [`index`] | the forms of all lists, within a bound of memory |

mod compiled;
mod index;
pub(crate) mod linear;
mod nest;
mod prefix;
mod ranked;
mod services;

#[cfg(test)]
mod tests;

use core::net::Ipv4Addr;

use crate::policy::Transport;
use crate::wire::{PROTOCOL_TCP, PROTOCOL_UDP};

pub(crate) use index::Index;
pub(crate) use linear::matches_service;

/// "No element", "no prefix", "no group" where a number is stored.
const NONE: u32 = u32::MAX;

/// What access lists see of a packet: real addresses and ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) protocol: u8,
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) icmp_kind: u8,
    pub(crate) icmp_code: u8,
}

impl Candidate {
    /// An echo reply to this echo request; for any other protocol, the packet the other way.
    pub(crate) fn answer(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            icmp_kind: crate::wire::ICMP_ECHO_REPLY,
            ..self
        }
    }
}

/// The transport of a protocol number, if it has ports.
pub(crate) const fn transport_of(protocol: u8) -> Option<Transport> {
    match protocol {
        PROTOCOL_TCP => Some(Transport::Tcp),
        PROTOCOL_UDP => Some(Transport::Udp),
        _ => None,
    }
}

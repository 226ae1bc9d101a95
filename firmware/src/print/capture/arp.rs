//! ARP in one line, RFC 826.

use alloc::string::String;
use core::net::Ipv4Addr;

use super::{DottedMac, array, be16, put};

const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// Hardware type Ethernet, protocol type IPv4, their address lengths.
const ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];

pub(super) fn line(out: &mut String, message: &[u8]) {
    let address = |at| array::<4>(message, at).map(Ipv4Addr::from);
    let (Some(kind), Some(operation), Some(sender_mac), Some(sender), Some(target)) = (
        array::<6>(message, 0),
        be16(message, 6),
        array::<6>(message, 8),
        address(14),
        address(24),
    ) else {
        put!(out, "[|arp]");
        return;
    };
    match operation {
        _ if kind != ETHERNET_IPV4 => put!(out, "arp-#{operation} for other addresses"),
        REQUEST => put!(out, "arp who-has {target} tell {sender}"),
        REPLY => put!(out, "arp reply {sender} is-at {}", DottedMac(sender_mac)),
        other => put!(out, "arp-#{other}"),
    }
}

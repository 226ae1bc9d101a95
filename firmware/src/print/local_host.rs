//! `show local-host`.

use alloc::string::String;
use core::net::IpAddr;

use super::put_line;

/// The connections of a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HostCounts {
    pub(crate) tcp: u32,
    /// TCP connections to the host that are not up yet.
    pub(crate) embryonic: u32,
    pub(crate) udp: u32,
    /// Of any other protocol.
    pub(crate) other: u32,
}

/// Above the hosts behind an interface.
pub(crate) fn interface(out: &mut String, name: &str) {
    put_line!(out, "Interface {name}:");
}

/// One host.
pub(crate) fn host(out: &mut String, address: IpAddr, counts: &HostCounts) {
    put_line!(out, "local host: <{address}>,");
    put_line!(out, "    TCP flow count = {}", counts.tcp);
    put_line!(
        out,
        "    TCP embryonic count to host = {}",
        counts.embryonic
    );
    put_line!(out, "    UDP flow count = {}", counts.udp);
    put_line!(out, "    Other flow count = {}", counts.other);
}

/// Above its translations or connections.
pub(crate) fn part(out: &mut String, heading: &str) {
    put_line!(out);
    put_line!(out, "  {heading}:");
}

/// Lines that another printer made, below such a heading.
pub(crate) fn indented(out: &mut String, text: &str) {
    for line in text.lines() {
        put_line!(out, "    {line}");
    }
}

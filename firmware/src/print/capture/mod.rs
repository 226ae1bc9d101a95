//! `show capture`: frames as lines, in the manner of tcpdump as the ASA has it.
//!
//! Whatever a frame holds makes a line: what is cut short is printed as far as it goes and ends in
//! `[|tcp]` or the like. Nothing here can panic; the fuzz target `capture_lines` holds it to that.
//!
//! | Module | Holds |
//! | --- | --- |
//! | `packet` | the fields of an IP packet, version 4 or 6 |
//! | `transport` | TCP, UDP, ICMP in one line |
//! | `arp` | ARP in one line |
//! | `decode` | every field, a line for each header |
//! | `dump` | bytes |
//! | `fuzz` | what must hold for any frame |
//! | `settings` | `show capture` without a name |

mod arp;
mod decode;
mod dump;
#[doc(hidden)]
pub mod fuzz;
mod packet;
pub(crate) mod settings;
mod transport;

use alloc::string::String;
use core::fmt;

use clock::ZoneRules;
use dataplane::{CapturePoint, CapturedFrame};

use super::{DottedMac, put, put_line};
use packet::Packet;

/// Bytes of an Ethernet header.
const ETHERNET_LEN: usize = 14;

/// What stands where an EtherType would, if a VLAN tag follows (IEEE 802.1Q-2022 table 9-1).
const ETHERTYPE_VLAN: u16 = 0x8100;
/// Bytes of a VLAN tag.
const VLAN_TAG_LEN: usize = 4;
const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;

const PROTOCOL_ICMP: u8 = 1;
const PROTOCOL_TCP: u8 = 6;
const PROTOCOL_UDP: u8 = 17;
const PROTOCOL_ICMPV6: u8 = 58;

/// What is printed beside the line itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    /// Ethernet addresses, interface, TTL, identification.
    pub(crate) detail: bool,
    /// Every field of every header.
    pub(crate) decode: bool,
    /// The bytes.
    pub(crate) dump: bool,
}

/// A time of day to the microsecond, in the box's zone.
pub(crate) struct Moment<'a> {
    pub(crate) rules: &'a ZoneRules,
    /// UTC microseconds since 1970.
    pub(crate) unix_micros: u64,
}

impl fmt::Display for Moment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unix_secs = i64::try_from(self.unix_micros / 1_000_000).unwrap_or(i64::MAX);
        let civil = self.rules.local(unix_secs).civil;
        let micros = self.unix_micros % 1_000_000;
        let (hour, minute, second) = (civil.hour, civil.minute, civil.second);
        write!(f, "{hour:02}:{minute:02}:{second:02}.{micros:06}")
    }
}

/// A frame as lines: `number` counts from 1, `interface` is where it was seen.
pub(crate) fn frame(
    out: &mut String,
    number: u64,
    moment: &Moment<'_>,
    interface: &str,
    frame: &CapturedFrame,
    bytes: &[u8],
    style: Style,
) {
    put!(out, "{number:>4}: {moment} ");
    if style.detail {
        link(out, interface, frame, bytes);
        put!(out, "\n      ");
    } else {
        put!(out, "      ");
    }
    summary(out, bytes, style.detail);
    if let CapturePoint::Dropped(reason) = frame.point {
        put!(out, " Drop-reason: ({}) {}", reason.name(), reason.text());
    }
    put_line!(out);
    if style.decode {
        decode::headers(out, bytes, frame.frame_len as usize);
    }
    if style.dump {
        dump::hex(out, bytes);
    }
}

/// The Ethernet header, and where the frame was seen.
fn link(out: &mut String, interface: &str, frame: &CapturedFrame, bytes: &[u8]) {
    if let (Some(source), Some(destination), Some(ethertype)) = (
        array::<6>(bytes, 6),
        array::<6>(bytes, 0),
        be16(bytes, ETHERNET_LEN - 2),
    ) {
        let (source, destination) = (DottedMac(source), DottedMac(destination));
        put!(out, "{source} {destination} 0x{ethertype:04x} ");
    }
    let point = match frame.point {
        CapturePoint::Received => "received",
        CapturePoint::Sent => "sent",
        CapturePoint::Dropped(_) => "dropped",
    };
    put!(out, "Length: {} {interface} {point}", frame.frame_len);
}

/// What the frame is, in one line.
fn summary(out: &mut String, bytes: &[u8], is_detailed: bool) {
    let Some(Contents {
        vlan,
        ethertype,
        payload,
    }) = Contents::of(bytes)
    else {
        put!(out, "[|ether] length {}", bytes.len());
        return;
    };
    if let Some(tag) = vlan {
        put!(out, "{tag} ");
    }
    match ethertype {
        ETHERTYPE_ARP => arp::line(out, payload),
        ETHERTYPE_IPV4 | ETHERTYPE_IPV6 => match Packet::parse(payload) {
            Some(packet) => {
                transport::line(out, &packet);
                if is_detailed {
                    packet.details(out);
                }
            }
            None => put!(out, "[|ip] length {}", payload.len()),
        },
        other => put!(out, "ethertype 0x{other:04x}, length {}", payload.len()),
    }
}

/// A VLAN tag, as the ASA writes it: `802.1Q vlan#10 P0`.
struct VlanTag(u16);

impl fmt::Display for VlanTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (vlan, priority) = (self.0 & 0x0fff, self.0 >> 13);
        write!(f, "802.1Q vlan#{vlan} P{priority}")
    }
}

/// What stands behind the addresses of a frame.
struct Contents<'a> {
    vlan: Option<VlanTag>,
    ethertype: u16,
    payload: &'a [u8],
}

impl<'a> Contents<'a> {
    /// `None` if the frame ends before that.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let at = |start: usize| {
            let payload = bytes.get(start..)?;
            Some((be16(bytes, start - 2)?, payload))
        };
        let (ethertype, payload) = at(ETHERNET_LEN)?;
        if ethertype != ETHERTYPE_VLAN {
            return Some(Self {
                vlan: None,
                ethertype,
                payload,
            });
        }
        let vlan = be16(bytes, ETHERNET_LEN).map(VlanTag);
        let (ethertype, payload) = at(ETHERNET_LEN + VLAN_TAG_LEN)?;
        Some(Self {
            vlan,
            ethertype,
            payload,
        })
    }
}

/// The `N` bytes at `at`.
fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests;

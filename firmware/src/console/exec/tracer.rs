//! `packet-tracer`.

use alloc::string::String;
use core::net::Ipv4Addr;

use cli::grammar::Captures;

use super::interfaces::port_named;
use crate::console::declare::{PRIVILEGED, Rows, show};
use crate::print::{put_line, tracer as printer};
use crate::state::Core;
use crate::tracer::packet::{self, Payload};
use crate::tracer::trace;

pub(super) const ROWS: Rows = &[
    show!(
        PRIVILEGED,
        "packet-tracer input <nameif:word> {tcp|udp} <source:ip> <source-port:port> <destination:ip> \
         <destination-port:port> [detailed]",
        ports,
        &[
            ("packet-tracer", "Follow a packet through the box without sending it"),
            ("input", "Where it arrives"),
            ("nameif", "Name of an interface"),
            ("tcp", "The first segment of a TCP connection"),
            ("udp", "A UDP datagram"),
            ("source", "Source address"),
            ("source-port", "Source port"),
            ("destination", "Destination address, as it stands in the packet"),
            ("destination-port", "Destination port"),
            ("detailed", "With the counters of the rules that decide"),
        ]
    )
    .example("packet-tracer input outside tcp 198.51.100.20 49368 203.0.113.10 https"),
    show!(
        PRIVILEGED,
        "packet-tracer input <nameif:word> icmp <source:ip> <type:0-255> <code:0-255> [<identifier:0-65535>] \
         <destination:ip> [detailed]",
        icmp,
        &[
            ("icmp", "An ICMP message"),
            ("type", "Its type"),
            ("code", "Its code"),
            ("identifier", "Its identifier"),
        ]
    )
    .example("packet-tracer input inside icmp 10.20.0.40 8 0 7 198.51.100.20"),
    show!(
        PRIVILEGED,
        "packet-tracer input <nameif:word> rawip <source:ip> <protocol:0-255> <destination:ip> [detailed]",
        raw,
        &[
            ("rawip", "A packet of any protocol"),
            ("protocol", "Number of the protocol"),
        ]
    )
    .example("packet-tracer input inside rawip 10.20.0.40 47 198.51.100.20"),
];

fn ports(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let port = |name| words.port(name).unwrap_or(0);
    let (from, to) = (port("source-port"), port("destination-port"));
    let payload = if words.has("tcp") {
        Payload::TcpSyn(from, to)
    } else {
        Payload::Udp(from, to)
    };
    follow(core, words, payload, out);
}

fn icmp(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    // The grammar keeps them within a byte.
    let byte = |name| words.number(name).unwrap_or(0) as u8;
    let identifier = words.number("identifier").unwrap_or(0) as u16;
    let payload = Payload::Icmp(byte("type"), byte("code"), identifier);
    follow(core, words, payload, out);
}

fn raw(core: &mut Core, words: &Captures<'_>, out: &mut String) {
    let payload = Payload::Raw(words.number("protocol").unwrap_or(0) as u8);
    follow(core, words, payload, out);
}

fn follow(core: &mut Core, words: &Captures<'_>, payload: Payload, out: &mut String) {
    let Some(ingress) = port_named(core, words.word("nameif").unwrap_or_default()) else {
        put_line!(out, "ERROR: there is no interface of that name");
        return;
    };
    let address = |name| words.ip(name).unwrap_or(Ipv4Addr::UNSPECIFIED);
    let packet = packet::build(address("source"), address("destination"), payload);
    let traced = trace(core, ingress, &packet, words.has("detailed"));
    printer::traced(out, &traced);
}

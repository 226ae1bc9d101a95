//! `show xlate` (reference: NAT displays).

use alloc::string::String;

use core::time::Duration;

use dataplane::{AddressRange, Policy, XlateView, XlateView6};

use super::{Hms, nameif, prefix_len, prefix_len6, protocol_name, put, put_line};

/// One line: readers of this display know a legend by its first word.
const LEGEND: &str = "Flags: D - DNS, e - extended, I - identity, i - dynamic, r - portmap, \
                      s - static, T - twice, N - net-to-net\n";

/// The legend, after the line of usage.
pub(crate) fn legend(out: &mut String) {
    out.push_str(LEGEND);
}

/// One translation: those of ports on one line, those of addresses with their flags on the next.
pub(crate) fn xlate(out: &mut String, policy: &Policy, xlate: &XlateView) {
    match xlate.protocol {
        Some(protocol) => put!(out, "{} PAT", protocol_name(protocol)),
        None => put!(out, "NAT"),
    }
    let sides = [
        (" from", xlate.real_port, xlate.real, xlate.real_service),
        (" to", xlate.mapped_port, xlate.mapped, xlate.mapped_service),
    ];
    for (word, port, addresses, service) in sides {
        put!(out, "{word} {}:", nameif(policy, port));
        range(out, addresses);
        match service {
            Some(service) if xlate.is_static => {
                put!(out, " {service}-{}", service.saturating_add(xlate.more));
            }
            Some(service) => put!(out, "/{service}"),
            None => {}
        }
    }
    put!(
        out,
        "{}flags ",
        if xlate.protocol.is_some() || !xlate.is_static {
            " "
        } else {
            "\n    "
        }
    );
    for (is_set, letter) in [
        (xlate.is_dns, 'D'),
        (xlate.is_extended, 'e'),
        (xlate.is_static, 's'),
        (xlate.is_identity, 'I'),
        (xlate.protocol.is_some(), 'r'),
        (!xlate.is_static, 'i'),
        (xlate.is_twice, 'T'),
        (xlate.is_net_to_net, 'N'),
    ] {
        if is_set {
            out.push(letter);
        }
    }
    put_line!(
        out,
        " idle {} timeout {}",
        Hms(xlate.idle),
        Hms(xlate.timeout)
    );
}

/// A static translation of IPv6 addresses.
pub(crate) fn xlate6(out: &mut String, policy: &Policy, xlate: &XlateView6) {
    put!(out, "NAT");
    for (word, port, addresses) in [
        ("from", xlate.real_port, xlate.real),
        ("to", xlate.mapped_port, xlate.mapped),
    ] {
        put!(out, " {word} {}:", nameif(policy, port));
        match prefix_len6(addresses) {
            Some(128) => put!(out, "{}", addresses.first),
            Some(len) => put!(out, "{}/{len}", addresses.first),
            None => put!(out, "{}-{}", addresses.first, addresses.last),
        }
    }
    put!(out, "\n    flags s");
    for (is_set, letter) in [(xlate.real == xlate.mapped, 'I'), (xlate.is_twice, 'T')] {
        if is_set {
            out.push(letter);
        }
    }
    put_line!(
        out,
        " idle {} timeout {}",
        Hms(xlate.idle),
        Hms(Duration::ZERO)
    );
}

/// An address, a network with its prefix length, or a range.
pub(crate) fn range(out: &mut String, range: AddressRange) {
    match prefix_len(range) {
        Some(32) => put!(out, "{}", range.first),
        Some(len) => put!(out, "{}/{len}", range.first),
        None => put!(out, "{}-{}", range.first, range.last),
    }
}

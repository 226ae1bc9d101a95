//! `show conn` (reference: connection table, layout and flags).

use alloc::string::String;
use core::fmt;
use core::net::SocketAddr;
use core::time::Duration;

use dataplane::{ConnSide, ConnView, DataPlane, Usage};

use super::{Hms, nameif, protocol_name, put, put_line};

const LEGEND: &str = "\
Flags: A - awaiting inside ACK to SYN, a - awaiting outside ACK to SYN,
       B - initial SYN from outside, F - outside FIN, f - inside FIN,
       I - inbound data, O - outbound data, R - outside acknowledged FIN,
       r - inside acknowledged FIN, S - awaiting inside SYN,
       s - awaiting outside SYN, T - SIP, U - up, x - per session
";

/// Line 1: `N in use, M most used`.
pub(crate) fn usage(out: &mut String, usage: Usage) {
    put_line!(
        out,
        "{} in use, {} most used",
        usage.in_use,
        usage.most_used
    );
}

/// The legend of the longer forms.
pub(crate) fn legend(out: &mut String) {
    out.push_str(LEGEND);
}

/// One connection on one line, the side of lower security first.
pub(crate) fn brief(out: &mut String, dataplane: &DataPlane, conn: &ConnView) {
    let policy = dataplane.policy();
    put!(out, "{}", protocol_name(conn.protocol));
    for side in [&conn.lower, &conn.higher] {
        let (address, port) = side.real;
        // IPv6 in brackets.
        let end = SocketAddr::new(dataplane.address_shown(address), port);
        put!(out, " {} {end}", nameif(policy, Some(side.port)));
    }
    put_line!(
        out,
        ", idle {}, bytes {}, flags {}",
        Hms(conn.idle),
        conn.bytes,
        conn.flags
    );
}

/// One connection with its translated addresses and times.
pub(crate) fn detail(out: &mut String, dataplane: &DataPlane, conn: &ConnView) {
    sides(out, dataplane, conn);
    put_line!(out, ",");
    put!(out, "    flags {}, ", conn.flags);
    times(out, conn);
    put_line!(
        out,
        "{}",
        if conn.is_intercepted {
            ", TLS proxy"
        } else {
            ""
        }
    );
    initiator(out, dataplane, conn);
}

/// As [`detail`], on one line.
pub(crate) fn long(out: &mut String, dataplane: &DataPlane, conn: &ConnView) {
    sides(out, dataplane, conn);
    put!(out, ", flags {} , ", conn.flags);
    times(out, conn);
    put_line!(out);
    initiator(out, dataplane, conn);
}

fn sides(out: &mut String, dataplane: &DataPlane, conn: &ConnView) {
    let policy = dataplane.policy();
    let shown = |address| dataplane.address_shown(address);
    put!(out, "{}", protocol_name(conn.protocol));
    for side in [&conn.lower, &conn.higher] {
        let ConnSide { port, real, mapped } = side;
        let name = nameif(policy, Some(*port));
        put!(
            out,
            " {name}: {}/{} ({}/{})",
            shown(real.0),
            real.1,
            shown(mapped.0),
            mapped.1
        );
    }
}

fn times(out: &mut String, conn: &ConnView) {
    put!(
        out,
        "idle {}, uptime {}, timeout {}, bytes {}",
        Short(conn.idle),
        Short(conn.uptime),
        Short(conn.timeout),
        conn.bytes
    );
}

fn initiator(out: &mut String, dataplane: &DataPlane, conn: &ConnView) {
    let (initiator, responder) = if conn.opened_by_lower {
        (conn.lower.real.0, conn.higher.real.0)
    } else {
        (conn.higher.real.0, conn.lower.real.0)
    };
    let (initiator, responder) = (
        dataplane.address_shown(initiator),
        dataplane.address_shown(responder),
    );
    put_line!(out, "  Initiator: {initiator}, Responder: {responder}");
}

/// A duration by its two largest units: `7s`, `4m0s`, `1h0m`, `2D5h`.
struct Short(Duration);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.as_secs();
        let (minutes, hours, days) = (secs / 60, secs / 3600, secs / 86_400);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{secs}s"),
            (0, 0, minutes) => write!(f, "{minutes}m{}s", secs % 60),
            (0, hours, _) => write!(f, "{hours}h{}m", minutes % 60),
            (days, ..) => write!(f, "{days}D{}h", hours % 24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn durations_show_their_two_largest_units() {
        for (secs, text) in [
            (0, "0s"),
            (39, "39s"),
            (240, "4m0s"),
            (3600, "1h0m"),
            (86_399, "23h59m"),
            (2 * 86_400 + 5 * 3600 + 59, "2D5h"),
        ] {
            assert_eq!(Short(Duration::from_secs(secs)).to_string(), text);
        }
    }
}

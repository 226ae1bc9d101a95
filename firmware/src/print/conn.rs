//! `show conn` (reference: connection table, layout and flags).

use alloc::string::String;

use dataplane::{ConnSide, ConnView, Policy, Usage};

use super::{Hms, nameif, protocol_name, put, put_line};

const LEGEND: &str = "\
Flags: A - awaiting responder ACK to SYN, a - awaiting initiator ACK to SYN,
       B - initial SYN from outside, F - initiator FIN, f - responder FIN,
       I - initiator data, O - responder data, R - initiator acknowledged FIN,
       r - responder acknowledged FIN, S - awaiting inside SYN,
       s - awaiting outside SYN, U - up, x - per session
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

/// The legend of the detailed form.
pub(crate) fn legend(out: &mut String) {
    out.push_str(LEGEND);
}

/// One connection on one line, the side of lower security first.
pub(crate) fn brief(out: &mut String, policy: &Policy, conn: &ConnView) {
    put!(out, "{}", protocol_name(conn.protocol));
    for side in [&conn.lower, &conn.higher] {
        let (address, port) = side.real;
        put!(out, " {} {address}:{port}", nameif(policy, Some(side.port)));
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
pub(crate) fn detail(out: &mut String, policy: &Policy, conn: &ConnView) {
    put!(out, "{}", protocol_name(conn.protocol));
    for side in [&conn.lower, &conn.higher] {
        let ConnSide { port, real, mapped } = side;
        let name = nameif(policy, Some(*port));
        put!(
            out,
            " {name}: {}/{} ({}/{})",
            real.0,
            real.1,
            mapped.0,
            mapped.1
        );
    }
    put_line!(out, ",");
    put_line!(
        out,
        "    flags {}, idle {}, uptime {}, timeout {}, bytes {}{}",
        conn.flags,
        Hms(conn.idle),
        Hms(conn.uptime),
        Hms(conn.timeout),
        conn.bytes,
        if conn.is_intercepted {
            ", TLS proxy"
        } else {
            ""
        }
    );
    let (initiator, responder) = if conn.opened_by_lower {
        (conn.lower.real.0, conn.higher.real.0)
    } else {
        (conn.higher.real.0, conn.lower.real.0)
    };
    put_line!(out, "  Initiator: {initiator}, Responder: {responder}");
}

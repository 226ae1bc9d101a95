//! `show tls-proxy`, its sessions and its statistics.

use alloc::string::String;

use config::model::TlsProxy;
use dataplane::{Policy, PortId};
use tls_proxy::{CloseReason, Counters, LegState, LegView, SessionView};

use super::{nameif, put, put_line};
use crate::federation::{Cause, ClassCounters, Ended};

/// The line above all proxies.
pub(crate) fn maximum(out: &mut String, sessions: u64) {
    put_line!(out, "Maximum number of sessions: {sessions}");
}

/// One configured proxy; `classes` are those that use it.
pub(crate) fn proxy(
    out: &mut String,
    number: usize,
    name: &str,
    proxy: &TlsProxy,
    classes: &[(&str, ClassCounters)],
    complaint: Option<&str>,
) {
    put_line!(out);
    put_line!(
        out,
        "TLS-Proxy '{name}': ref_cnt {}, seq# {number}",
        classes.len()
    );
    let sides = [
        ("Server", &proxy.server_trustpoint, &proxy.server_ciphers),
        ("Client", &proxy.client_trustpoint, &proxy.client_ciphers),
    ];
    for (side, trustpoint, ciphers) in sides {
        put_line!(out, "\t{side} proxy:");
        put_line!(
            out,
            "\t\tTrust-point: {}",
            trustpoint.as_deref().unwrap_or("(none)")
        );
        if !ciphers.is_empty() {
            put!(out, "\t\tCipher suite:");
            for cipher in ciphers {
                put!(out, " {}", cipher.keyword());
            }
            put_line!(out);
        }
    }
    if let Some(complaint) = complaint {
        put_line!(out, "\tNot ready: {complaint}");
    }
    if !classes.is_empty() {
        put_line!(out, "\tRun-time proxies:");
    }
    for (class, counters) in classes {
        put_line!(out, "\t\tProxy {name}: Class-map: {class}, Inspect: sip");
        put_line!(
            out,
            "\t\t\tActive sess {}, most sess {}, byte {}",
            counters.active,
            counters.most,
            counters.bytes
        );
    }
}

/// `N in use, M most used`.
pub(crate) fn usage(out: &mut String, counters: &Counters) {
    put_line!(
        out,
        "{} in use, {} most used",
        counters.active,
        counters.most
    );
}

/// One session, with its two TLS halves if `is_detailed`.
pub(crate) fn session(
    out: &mut String,
    policy: &Policy,
    view: &SessionView,
    sides: (PortId, PortId),
    name: &str,
    is_detailed: bool,
) {
    let (originator, target) = (
        view.originator.endpoints.remote,
        view.target.endpoints.remote,
    );
    let (ingress, egress) = sides;
    let level = |port| {
        policy
            .interfaces
            .iter()
            .find(|used| used.port == port)
            .map_or(0, |used| used.security_level)
    };
    let from = (nameif(policy, Some(ingress)), originator);
    let to = (nameif(policy, Some(egress)), target);
    // The side of lower security stands first, as in `show conn`.
    let (low, high) = if level(ingress) <= level(egress) {
        (from, to)
    } else {
        (to, from)
    };
    put_line!(
        out,
        "{} {}:{} {} {}:{} P:{name} S:{:#x} byte {}",
        low.0,
        low.1.0,
        low.1.1,
        high.0,
        high.1.0,
        high.1.1,
        view.flow,
        view.originator.received_bytes + view.target.received_bytes
    );
    if is_detailed {
        leg(out, "Client", &view.originator);
        leg(out, "Server", &view.target);
    }
}

fn leg(out: &mut String, side: &str, leg: &LegView) {
    let state = match leg.state {
        LegState::Connecting => "CONNECT",
        LegState::Handshaking => "SSLHANDSHAKE",
        LegState::Open => "SSLOK",
        LegState::Closing => "CLOSING",
        LegState::Closed => "CLOSED",
    };
    put!(out, "    {side}: State {state}");
    if let (Some(version), Some(cipher)) = (leg.version, leg.cipher_suite) {
        let version = version.as_str().unwrap_or("?");
        put!(out, "  {version} Cipher {}", cipher.as_str().unwrap_or("?"));
    }
    put_line!(
        out,
        " Messages {} RxQSize {} TxQSize {}",
        leg.received_messages,
        leg.receive_queue_bytes,
        leg.transmit_queue_bytes
    );
}

/// `show tls-proxy session statistics`: what was counted, and how the last sessions ended.
pub(crate) fn statistics<'a>(
    out: &mut String,
    counters: &Counters,
    ended: impl Iterator<Item = &'a Ended>,
    ago: impl Fn(&Ended) -> u64,
) {
    put_line!(
        out,
        "Sessions: {} active, {} most, {} total",
        counters.active,
        counters.most,
        counters.total
    );
    put_line!(out, "Refused, no session free: {}", counters.refused);
    put_line!(out, "TLS handshakes: {}", counters.handshakes);
    put_line!(
        out,
        "SIP messages: {}, {} bytes",
        counters.messages,
        counters.bytes
    );
    put_line!(out, "Packets ignored: {}", counters.packets_ignored);
    put_line!(out, "Ended:");
    for (name, count) in CloseReason::NAMES.iter().zip(&counters.closed) {
        if *count > 0 {
            put_line!(out, "    {name:<30} {count:>10}");
        }
    }
    put_line!(out, "Last sessions ended:");
    for end in ended {
        let (from, to) = (end.originator, end.target);
        put!(
            out,
            "    {} s ago, {}: {}:{} to {}:{}: ",
            ago(end),
            end.class,
            from.0,
            from.1,
            to.0,
            to.1
        );
        match &end.cause {
            Cause::NoSession => put_line!(out, "refused, every session was in use"),
            Cause::Settings(error) => put_line!(out, "refused, {error}"),
            Cause::Ended {
                reason,
                leg,
                messages,
            } => {
                let side = match leg {
                    tls_proxy::Leg::Originator => "caller",
                    tls_proxy::Leg::Target => "called",
                };
                put!(out, "{}", reason.name());
                if let CloseReason::AlertReceived(alert) = reason {
                    put!(out, " ({alert:?})");
                }
                if let CloseReason::Sip(error) = reason {
                    put!(out, " ({error:?})");
                }
                put_line!(out, " by the {side}, {messages} messages");
            }
        }
    }
}

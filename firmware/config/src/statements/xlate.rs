//! Which translations by port end with their connection.

use super::family::Family;
use super::object::port_match;
use super::{Change, ip, network, row};
use crate::mode::GLOBAL;
use crate::model::{Action, PerSessionRule, Subnet, Transport, XlateAddress};
use crate::print;
use crate::refusal::{Notice, Refusal};
use alloc::vec::Vec;
use cli::grammar::{Captures, No};

pub(super) const XLATE: Family = Family {
    keyword: "xlate",
    help: "Translations that end with their connection",
    rows: &[row(
        GLOBAL,
        "xlate per-session { permit | deny } { tcp | udp } \
         { any | any4 | any6 | host <host-address:ip> | <address:ip> <mask:mask> }@from \
         [$ports@from-port] \
         { any | any4 | any6 | host <host-address:ip> | <address:ip> <mask:mask> }@to \
         [$ports@to-port]",
        No::Same,
        &[
            ("xlate", "Configure translations"),
            ("per-session", "Translations that end with their connection"),
            ("permit", "The translation ends with its connection"),
            ("deny", "The translation stays for timeout pat-xlate"),
            ("tcp", "TCP"),
            ("udp", "UDP"),
            ("any", "Any IPv4 address"),
            ("any4", "Any IPv4 address"),
            ("any6", "Any IPv6 address"),
            ("host", "One host"),
            ("host-address", "Address of the host"),
            ("address", "Network address"),
            ("mask", "Network mask"),
        ],
        per_session,
    )
    .example("xlate per-session deny tcp any4 host 203.0.113.20 eq 5061")],
    print: print::xlate::per_session,
    clear: Some(clear_per_session),
    ..Family::EMPTY
};

fn per_session(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let rule = PerSessionRule {
        action: if captures.has("permit") {
            Action::Permit
        } else {
            Action::Deny
        },
        transport: if captures.has("tcp") {
            Transport::Tcp
        } else {
            Transport::Udp
        },
        source: address(&captures.group("from"))?,
        source_port: port_match(&captures.group("from-port"))?,
        destination: address(&captures.group("to"))?,
        destination_port: port_match(&captures.group("to-port"))?,
    };
    let rules = &mut change.config.per_session;
    let present = rules.iter().position(|present| *present == rule);
    if captures.negated() {
        let removed = present.map(|at| rules.remove(at));
        return change.outcome.removed(removed);
    }
    if present.is_some() {
        change.notice(Notice::Duplicate("xlate".into()));
    } else {
        rules.push(rule);
        change.outcome.changed = true;
    }
    Ok(())
}

fn address(captures: &Captures<'_>) -> Result<XlateAddress, Refusal> {
    if let Some(host) = captures.ip("host-address") {
        let host = Subnet::new(host, 32).ok_or(Refusal::BadHostAddress(host))?;
        return Ok(XlateAddress::Subnet(host));
    }
    if let Some(address) = captures.ip("address") {
        let subnet = network(address, ip(captures, "mask")?)?;
        // Every address has one name, so that what is printed is what is compared.
        return Ok(if subnet == Subnet::EVERYTHING {
            XlateAddress::Any4
        } else {
            XlateAddress::Subnet(subnet)
        });
    }
    Ok(if captures.has("any6") {
        XlateAddress::Any6
    } else {
        XlateAddress::Any4
    })
}

fn clear_per_session(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let (config, outcome) = (&mut *change.config, &mut change.outcome);
    outcome.set(&mut config.per_session, Vec::new());
    Ok(())
}

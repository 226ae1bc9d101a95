//! IPv6: addresses and discovery of a port, routes, access to the box by ICMPv6.

use super::family::Family;
use super::interface::EITHER;
use super::{Change, invalid, network6, number, row, small, word};
use crate::mode::{GLOBAL, Mode};
use crate::model::{
    Action, AdvertisedPrefix6, DEFAULT_PREFIX_PREFERRED_SECS, DEFAULT_PREFIX_VALID_SECS, IcmpRule6,
    Port6, PortAddress6, Prefix6, Route6,
};
use crate::names;
use crate::print;
use crate::refusal::Refusal;
use alloc::vec::Vec;
use cli::grammar::{Captures, No, Row};
use core::net::Ipv6Addr;

use super::Handler;

/// Addresses of one port.
const ADDRESSES_MAX: usize = 8;
/// Prefixes that a port advertises beside those of its addresses.
const PREFIXES_MAX: usize = 8;
/// Routes in all.
const ROUTES_MAX: usize = 1_024;

pub(super) const ENABLE: Row<Handler> = row(
    EITHER,
    "ipv6 enable",
    No::Same,
    &[
        ("ipv6", "Configure the interface's IPv6 parameters"),
        ("enable", "Speak IPv6 with an address on the link alone"),
    ],
    enable,
)
.example("ipv6 enable");

pub(super) const ADDRESS: Row<Handler> = row(
    EITHER,
    "ipv6 address <prefix:word(49)> [{ link-local | eui-64 }]",
    No::Syntax("ipv6 address [<prefix:word(49)> [{ link-local | eui-64 }]]"),
    &[
        ("ipv6", "Configure the interface's IPv6 parameters"),
        ("address", "IPv6 address"),
        ("prefix", "X:X:X:X::X/<0-128>; without length if link-local"),
        ("link-local", "The address on the link, FE80::/10"),
        ("eui-64", "Make the last 64 bits from the MAC address"),
    ],
    address,
)
.example("ipv6 address 2001:db8:0:2::1/64");

pub(super) const NEIGHBOURS: Row<Handler> = row(
    EITHER,
    "ipv6 nd { dad attempts <attempts:0-600> | ns-interval <interval:1000-3600000> | \
     reachable-time <time:0-3600000> }",
    No::Syntax(
        "ipv6 nd { dad attempts [<attempts:0-600>] | ns-interval [<interval:1000-3600000>] | \
         reachable-time [<time:0-3600000>] }",
    ),
    &[
        ("ipv6", "Configure the interface's IPv6 parameters"),
        ("nd", "Configure neighbor discovery"),
        ("dad", "Duplicate address detection"),
        (
            "attempts",
            "Solicitations before an address is used, 0 to use it at once",
        ),
        ("ns-interval", "Time between two solicitations"),
        ("interval", "Milliseconds"),
        (
            "reachable-time",
            "How long a neighbor that answered counts as there",
        ),
        ("time", "Milliseconds, 0 for half a minute"),
    ],
    neighbours,
)
.example("ipv6 nd dad attempts 2");

pub(super) const ADVERTISING: Row<Handler> = row(
    EITHER,
    "ipv6 nd { suppress-ra | managed-config-flag | other-config-flag | \
     ra-interval { <seconds:3-1800> | msec <millis:500-1800000> } | ra-lifetime <lifetime:0-9000> }",
    No::Syntax(
        "ipv6 nd { suppress-ra | managed-config-flag | other-config-flag | \
         ra-interval [{ <seconds:3-1800> | msec <millis:500-1800000> }] | \
         ra-lifetime [<lifetime:0-9000>] }",
    ),
    &[
        ("ipv6", "Configure the interface's IPv6 parameters"),
        ("nd", "Configure neighbor discovery"),
        ("suppress-ra", "Send no router advertisements"),
        ("managed-config-flag", "Hosts ask DHCPv6 for addresses"),
        ("other-config-flag", "Hosts ask DHCPv6 for everything but addresses"),
        ("ra-interval", "Time between two router advertisements"),
        ("seconds", "Seconds"),
        ("msec", "In milliseconds"),
        ("millis", "Milliseconds"),
        ("ra-lifetime", "How long the box serves as a default router"),
        ("lifetime", "Seconds, 0 for no default router"),
    ],
    advertising,
)
.example("ipv6 nd ra-interval 300");

pub(super) const PREFIX: Row<Handler> = row(
    EITHER,
    "ipv6 nd prefix <prefix:word(49)> [{ no-advertise | \
     <valid:0-4294967295> <preferred:0-4294967295> [off-link] [no-autoconfig] }]",
    No::Syntax("ipv6 nd prefix <prefix:word(49)> [<rest:text>]"),
    &[
        ("ipv6", "Configure the interface's IPv6 parameters"),
        ("nd", "Configure neighbor discovery"),
        (
            "prefix",
            "A prefix in router advertisements, X:X:X:X::X/<0-128>",
        ),
        ("no-advertise", "Leave it out"),
        ("valid", "Seconds it is valid"),
        ("preferred", "Seconds it is preferred"),
        ("off-link", "Its addresses are not on the link"),
        ("no-autoconfig", "Hosts make no addresses from it"),
        ("rest", "The rest of the line"),
    ],
    prefix,
)
.example("ipv6 nd prefix 2001:db8:0:3::/64 86400 43200 no-autoconfig");

pub(super) const IPV6: Family = Family {
    keyword: "ipv6",
    help: "IPv6 routes and access by ICMPv6",
    rows: &[
        row(
            GLOBAL,
            "ipv6 route <interface> <prefix:word(49)> <gateway:word(45)> [<metric:1-254>]",
            No::Syntax(
                "ipv6 route <interface> <prefix:word(49)> [<gateway:word(45)> [<metric:1-254>]]",
            ),
            &[
                ("ipv6", "Configure IPv6"),
                ("route", "Configure a static route"),
                ("prefix", "Where the route leads, X:X:X:X::X/<0-128>"),
                ("gateway", "Next hop, X:X:X:X::X"),
                ("metric", "Distance, 1 unless given"),
            ],
            route,
        )
        .example("ipv6 route outside ::/0 2001:db8:0:1::1"),
        row(
            GLOBAL,
            "ipv6 icmp { permit | deny } { any | host <host:word(45)> | <prefix:word(49)> } \
             [<icmp-type>] <interface>",
            No::Same,
            &[
                ("ipv6", "Configure IPv6"),
                ("icmp", "Configure access rules for ICMPv6 to an interface"),
                ("permit", "Permit the packets"),
                ("deny", "Deny the packets"),
                ("any", "Any address"),
                ("host", "One host, X:X:X:X::X"),
                ("prefix", "A network, X:X:X:X::X/<0-128>"),
                ("icmp-type", "ICMPv6 type by number or name"),
            ],
            icmp,
        )
        .example("ipv6 icmp permit any echo outside"),
    ],
    print: print::ipv6::ipv6,
    clear: Some(clear),
    ..Family::EMPTY
};

/// IPv6 of the port being configured.
macro_rules! current {
    ($change:expr) => {{
        let Mode::Interface(id) = $change.state.mode else {
            return Err(Refusal::Invalid { offset: 0 });
        };
        let interface = $change.config.interfaces.get_mut(&id);
        &mut interface.ok_or(Refusal::Invalid { offset: 0 })?.ipv6
    }};
}

fn enable(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let is_on = !captures.negated();
    change.outcome.set(&mut current!(change).is_enabled, is_on);
    Ok(())
}

fn address(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let Some(text) = captures.word("prefix") else {
        let ipv6 = current!(change);
        change.outcome.changed |= ipv6.link_local.is_some() || !ipv6.addresses.is_empty();
        (ipv6.link_local, ipv6.addresses) = (None, Vec::new());
        return Ok(());
    };
    if captures.has("link-local") {
        let address: Ipv6Addr = text.parse().map_err(|_| invalid(captures, "prefix"))?;
        if !address.is_unicast_link_local() {
            return Err(Refusal::BadHostAddress6(address));
        }
        let after = Some(address).filter(|_| !captures.negated());
        if captures.negated() && current!(change).link_local != Some(address) {
            return Err(Refusal::NothingToRemove);
        }
        change.outcome.set(&mut current!(change).link_local, after);
        return Ok(());
    }
    let address = PortAddress6 {
        prefix: Prefix6::parse(text).ok_or_else(|| invalid(captures, "prefix"))?,
        is_eui64: captures.has("eui-64"),
    };
    let ipv6 = current!(change);
    let at = ipv6
        .addresses
        .iter()
        .position(|present| *present == address);
    if captures.negated() {
        ipv6.addresses.remove(at.ok_or(Refusal::NothingToRemove)?);
        change.outcome.changed = true;
        return Ok(());
    }
    if at.is_some() {
        return Ok(());
    }
    check_address(change, address)?;
    let ipv6 = current!(change);
    if ipv6.addresses.len() >= ADDRESSES_MAX {
        return Err(Refusal::TooMany(
            "IPv6 addresses on the interface",
            ADDRESSES_MAX,
        ));
    }
    ipv6.addresses.push(address);
    change.outcome.changed = true;
    Ok(())
}

/// What an address of a port must be: a host's, in a network that is nowhere else.
fn check_address(change: &Change<'_>, address: PortAddress6) -> Result<(), Refusal> {
    let Prefix6 { address: host, len } = address.prefix;
    let is_sound = is_host(host)
        && if address.is_eui64 {
            len <= 64 && address.prefix.is_network()
        } else {
            // The first address of a network is the routers' anycast address (RFC 4291 §2.6.1).
            len > 0 && (len >= 127 || !address.prefix.is_network())
        };
    if !is_sound {
        return Err(Refusal::BadHostAddress6(host));
    }
    let Mode::Interface(id) = change.state.mode else {
        return Err(Refusal::Invalid { offset: 0 });
    };
    let overlap = change.config.interfaces.iter().find(|(other, interface)| {
        **other != id
            && interface
                .ipv6
                .addresses
                .iter()
                .any(|present| present.prefix.overlaps(address.prefix))
    });
    match overlap {
        Some((&other, _)) => Err(Refusal::NetworkOverlap { id, other }),
        None => Ok(()),
    }
}

fn is_host(address: Ipv6Addr) -> bool {
    !(address.is_unspecified()
        || address.is_loopback()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || address.to_ipv4_mapped().is_some())
}

fn neighbours(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let default = Port6::default();
    let is_removed = captures.negated();
    let attempts = match captures.number("attempts") {
        Some(_) if !is_removed => small(captures, "attempts")?,
        _ => default.dad_attempts,
    };
    let millis = |name, default| {
        captures
            .number(name)
            .filter(|_| !is_removed)
            .unwrap_or(default)
    };
    let ipv6 = current!(change);
    if captures.has("dad") {
        change.outcome.set(&mut ipv6.dad_attempts, attempts);
    } else if captures.has("ns-interval") {
        let interval = millis("interval", default.ns_interval_millis);
        change.outcome.set(&mut ipv6.ns_interval_millis, interval);
    } else {
        let time = millis("time", default.reachable_millis);
        change.outcome.set(&mut ipv6.reachable_millis, time);
    }
    Ok(())
}

fn advertising(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let default = Port6::default();
    let is_on = !captures.negated();
    let interval = captures
        .number("seconds")
        .map(|seconds| seconds * 1_000)
        .or_else(|| captures.number("millis"))
        .filter(|_| is_on)
        .unwrap_or(default.ra_interval_millis);
    let lifetime = match captures.number("lifetime") {
        Some(_) if is_on => small(captures, "lifetime")?,
        _ => default.ra_lifetime_secs,
    };
    let ipv6 = current!(change);
    let outcome = &mut change.outcome;
    if captures.has("suppress-ra") {
        outcome.set(&mut ipv6.suppress_ra, is_on);
    } else if captures.has("managed-config-flag") {
        outcome.set(&mut ipv6.managed, is_on);
    } else if captures.has("other-config-flag") {
        outcome.set(&mut ipv6.other, is_on);
    } else if captures.has("ra-interval") {
        outcome.set(&mut ipv6.ra_interval_millis, interval);
    } else {
        outcome.set(&mut ipv6.ra_lifetime_secs, lifetime);
    }
    Ok(())
}

fn prefix(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let prefix = network6(captures, "prefix")?;
    let ipv6 = current!(change);
    let at = ipv6
        .prefixes
        .iter()
        .position(|present| present.prefix == prefix);
    if captures.negated() {
        ipv6.prefixes.remove(at.ok_or(Refusal::NothingToRemove)?);
        change.outcome.changed = true;
        return Ok(());
    }
    let has_times = captures.has("valid");
    let time = |name, default| {
        if has_times {
            number(captures, name)
        } else {
            Ok(default)
        }
    };
    let advertised = AdvertisedPrefix6 {
        prefix,
        is_hidden: captures.has("no-advertise"),
        valid_secs: time("valid", DEFAULT_PREFIX_VALID_SECS)?,
        preferred_secs: time("preferred", DEFAULT_PREFIX_PREFERRED_SECS)?,
        on_link: !captures.has("off-link"),
        autonomous: !captures.has("no-autoconfig"),
    };
    if advertised.preferred_secs > advertised.valid_secs {
        // RFC 4861 §6.2.1.
        return Err(invalid(captures, "preferred"));
    }
    if let Some(present) = at.and_then(|at| ipv6.prefixes.get_mut(at)) {
        change.outcome.set(present, advertised);
        return Ok(());
    }
    if ipv6.prefixes.len() >= PREFIXES_MAX {
        return Err(Refusal::TooMany(
            "IPv6 prefixes on the interface",
            PREFIXES_MAX,
        ));
    }
    ipv6.prefixes.push(advertised);
    change.outcome.changed = true;
    Ok(())
}

/// A prefix without host bits.
fn route(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let nameif = word(captures, "interface")?;
    let destination = network6(captures, "prefix")?;
    let gateway: Option<Ipv6Addr> = match captures.word("gateway") {
        Some(text) => Some(text.parse().map_err(|_| invalid(captures, "gateway"))?),
        None => None,
    };
    if captures.negated() {
        let at = change.config.routes6.iter().position(|route| {
            route.interface == nameif
                && route.destination == destination
                && gateway.is_none_or(|gateway| gateway == route.gateway)
        });
        change
            .config
            .routes6
            .remove(at.ok_or(Refusal::NothingToRemove)?);
        change.outcome.changed = true;
        return Ok(());
    }
    change.require_interface(nameif)?;
    let gateway = gateway.ok_or_else(|| invalid(captures, "gateway"))?;
    if !is_host(gateway) && !gateway.is_unicast_link_local() {
        return Err(Refusal::BadHostAddress6(gateway));
    }
    let metric = if captures.has("metric") {
        small(captures, "metric")?
    } else {
        1
    };
    let route = Route6 {
        interface: nameif.into(),
        destination,
        gateway,
        metric,
    };
    let routes = &change.config.routes6;
    if routes.contains(&route) {
        return Ok(());
    }
    let conflict = routes.iter().any(|present| {
        present.destination == destination
            && (present.metric == metric || present.gateway == gateway)
    });
    if conflict {
        return Err(Refusal::RouteConflict);
    }
    if routes.len() >= ROUTES_MAX {
        return Err(Refusal::TooMany("IPv6 routes", ROUTES_MAX));
    }
    change.config.routes6.push(route);
    change.outcome.changed = true;
    Ok(())
}

fn icmp(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let source = if let Some(host) = captures.word("host") {
        let address = host.parse().map_err(|_| invalid(captures, "host"))?;
        Prefix6 { address, len: 128 }
    } else if captures.word("prefix").is_some() {
        network6(captures, "prefix")?
    } else {
        Prefix6::EVERYTHING
    };
    let kind = match captures.word("icmp-type") {
        Some(name) => {
            Some(names::parse_icmp6_type(name).ok_or_else(|| invalid(captures, "icmp-type"))?)
        }
        None => None,
    };
    let action = if captures.has("permit") {
        Action::Permit
    } else {
        Action::Deny
    };
    let rule = IcmpRule6 {
        action,
        source,
        kind,
        interface: word(captures, "interface")?.into(),
    };
    if !captures.negated() {
        change.require_interface(&rule.interface)?;
    }
    let rules = &mut change.config.icmp_rules6;
    change.outcome.keep(rules, rule, captures.negated())
}

fn clear(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let config = &mut *change.config;
    change.outcome.set(&mut config.routes6, Vec::new());
    change.outcome.set(&mut config.icmp_rules6, Vec::new());
    Ok(())
}

//! `show ipv6 interface`, `show ipv6 route`, `show ipv6 neighbor`.

use alloc::string::String;
use core::net::Ipv6Addr;

use config::model::Port6;
use dataplane::{AddressState, NeighborView6, RouteKind, RouteView6};

use super::{DottedMac, put_line};

/// IPv6 of a named port.
pub(crate) struct Port<'a> {
    /// `nameif`.
    pub(crate) name: &'a str,
    /// Whether the port is switched on.
    pub(crate) is_enabled: bool,
    /// Whether its cable is in.
    pub(crate) is_link_up: bool,
    /// As configured.
    pub(crate) ipv6: &'a Port6,
    /// Its address on the link, and where that stands.
    pub(crate) link_local: (Ipv6Addr, Option<AddressState>),
    /// Its other addresses with their networks.
    pub(crate) addresses: &'a [(Ipv6Addr, u8, Option<AddressState>)],
}

impl Port<'_> {
    const fn status(&self) -> (&'static str, &'static str) {
        match (self.is_enabled, self.is_link_up) {
            (false, _) => ("administratively down", "down"),
            (true, true) => ("up", "up"),
            (true, false) => ("down", "down"),
        }
    }
}

/// What stands behind an address that is not in use; nothing if it is.
const fn mark(state: Option<AddressState>) -> &'static str {
    match state {
        Some(AddressState::Preferred) => "",
        Some(AddressState::Duplicate) => " [DUPLICATE]",
        Some(AddressState::Tentative) | None => " [TENTATIVE]",
    }
}

/// One block of `show ipv6 interface`.
pub(crate) fn block(out: &mut String, port: &Port<'_>) {
    let (status, protocol) = port.status();
    put_line!(
        out,
        "{} is {status}, line protocol is {protocol}",
        port.name
    );
    let (link_local, state) = port.link_local;
    put_line!(
        out,
        "  IPv6 is enabled, link-local address is {link_local}{}",
        mark(state)
    );
    if port.addresses.is_empty() {
        put_line!(out, "  No global unicast address is configured");
    } else {
        put_line!(out, "  Global unicast address(es):");
        for &(address, len, state) in port.addresses {
            let network = dataplane::AddressRange6::network(address, len).first;
            put_line!(
                out,
                "    {address}, subnet is {network}/{len}{}",
                mark(state)
            );
        }
    }
    let ipv6 = port.ipv6;
    match ipv6.dad_attempts {
        0 => put_line!(out, "  ND DAD is not enabled"),
        attempts => put_line!(
            out,
            "  ND DAD is enabled, number of DAD attempts: {attempts}"
        ),
    }
    let reachable = match ipv6.reachable_millis {
        0 => 30_000,
        millis => millis,
    };
    put_line!(out, "  ND reachable time is {reachable} milliseconds");
    put_line!(
        out,
        "  ND solicitation interval is {} milliseconds",
        ipv6.ns_interval_millis
    );
    if ipv6.suppress_ra {
        put_line!(out, "  ND router advertisements are suppressed");
        return;
    }
    put_line!(
        out,
        "  ND router advertisements are sent every {} milliseconds",
        ipv6.ra_interval_millis
    );
    put_line!(
        out,
        "  ND router advertisements live for {} seconds",
        ipv6.ra_lifetime_secs
    );
    if ipv6.managed {
        put_line!(out, "  Hosts use DHCP to obtain routable addresses.");
    } else {
        put_line!(out, "  Hosts use stateless autoconfig for addresses.");
    }
}

/// The lines of a port in `show ipv6 interface brief`.
pub(crate) fn brief(out: &mut String, port: &Port<'_>) {
    let (status, protocol) = port.status();
    put_line!(out, "{} [{status}/{protocol}]", port.name);
    put_line!(out, "    {}", port.link_local.0);
    for (address, ..) in port.addresses {
        put_line!(out, "    {address}");
    }
}

/// `show ipv6 route`.
pub(crate) fn routes<'a>(out: &mut String, routes: impl Iterator<Item = (RouteView6, &'a str)>) {
    let routes: alloc::vec::Vec<_> = routes.collect();
    put_line!(out);
    put_line!(out, "IPv6 Routing Table - {} entries", routes.len());
    put_line!(out, "Codes: C - Connected, L - Local, S - Static");
    for (route, name) in routes {
        let code = match route.kind {
            RouteKind::Connected => 'C',
            RouteKind::Local => 'L',
            RouteKind::Static => 'S',
        };
        put_line!(
            out,
            "{code}   {}/{} [{}/0]",
            route.network,
            route.prefix_len,
            route.metric
        );
        let gateway = route.gateway.unwrap_or(Ipv6Addr::UNSPECIFIED);
        put_line!(out, "     via {gateway}, {name}");
    }
}

/// The heading of [`neighbor`].
pub(crate) const NEIGHBOR_HEADING: &str =
    "IPv6 Address                              Age Link-layer Addr State Interface\n";

/// A line of `show ipv6 neighbor`; the age is in minutes.
pub(crate) fn neighbor(out: &mut String, neighbor: &NeighborView6, name: &str) {
    let age = neighbor.age.as_secs() / 60;
    let address = alloc::format!("{}", neighbor.address);
    match neighbor.mac {
        Some(mac) => {
            let mac = alloc::format!("{}", DottedMac(mac.0));
            put_line!(out, "{address:<39} {age:>5} {mac:<15} REACH {name}");
        }
        None => put_line!(out, "{address:<39} {age:>5} {:<15} INCMP {name}", "-"),
    }
}

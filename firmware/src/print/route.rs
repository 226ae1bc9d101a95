//! `show route`.

use alloc::string::String;
use core::net::Ipv4Addr;

use dataplane::{Policy, RouteKind, RouteView, prefix_mask};

use super::{nameif, put, put_line};

const CODES: &str = "\
Codes: L - local, C - connected, S - static, R - RIP, M - mobile, B - BGP
       D - EIGRP, EX - EIGRP external, O - OSPF, IA - OSPF inter area
       N1 - OSPF NSSA external type 1, N2 - OSPF NSSA external type 2
       E1 - OSPF external type 1, E2 - OSPF external type 2, V - VPN
       i - IS-IS, su - IS-IS summary, L1 - IS-IS level-1, L2 - IS-IS level-2
       ia - IS-IS inter area, * - candidate default, U - per-user static route
       o - ODR, P - periodic downloaded static route, + - replicated route
";

/// The whole table: codes, gateway of last resort, routes.
pub(crate) fn table(
    out: &mut String,
    policy: &Policy,
    routes: impl Iterator<Item = RouteView> + Clone,
) {
    out.push_str(CODES);
    let default = routes
        .clone()
        .find(|route| route.prefix_len == 0)
        .and_then(|route| route.gateway);
    match default {
        Some(gateway) => {
            put_line!(
                out,
                "Gateway of last resort is {gateway} to network 0.0.0.0"
            );
        }
        None => put_line!(out, "Gateway of last resort is not set"),
    }
    put_line!(out);
    for route in routes {
        line(out, policy, &route);
    }
}

fn line(out: &mut String, policy: &Policy, route: &RouteView) {
    let code = match route.kind {
        RouteKind::Connected => "C",
        RouteKind::Local => "L",
        RouteKind::Static if route.prefix_len == 0 => "S*",
        RouteKind::Static => "S",
    };
    let mask = Ipv4Addr::from_bits(prefix_mask(route.prefix_len));
    put!(out, "{code:<9}{} {mask} ", route.network);
    let name = nameif(policy, Some(route.port));
    match route.gateway {
        Some(gateway) => put_line!(out, "[{}/0] via {gateway}, {name}", route.metric),
        None => put_line!(out, "is directly connected, {name}"),
    }
}

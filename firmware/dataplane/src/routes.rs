//! The route table: longest prefix first, lowest metric among equals.

use alloc::vec::Vec;
use core::net::Ipv4Addr;

use crate::policy::{Policy, PortId, prefix_mask};
use crate::view::{RouteKind, RouteView};

/// Where to send a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NextHop {
    /// Egress.
    pub(crate) port: PortId,
    /// The neighbour to hand it to.
    pub(crate) address: Ipv4Addr,
}

/// All usable routes. Looked up once per flow; a binary search per prefix length in use.
#[derive(Debug, Default)]
pub(crate) struct RouteTable {
    /// Longest prefix first, then by network, then the better one first. Local routes are not here.
    routes: Vec<RouteView>,
    /// Prefix lengths in use with the end of their routes in `routes`.
    lengths: Vec<(u8, usize)>,
    /// What `show route` prints, in its order.
    shown: Vec<RouteView>,
}

impl RouteTable {
    /// Collects the routes of `policy` over ports whose link is up.
    pub(crate) fn new(policy: &Policy, is_up: impl Fn(PortId) -> bool) -> Self {
        let mut routes = Vec::new();
        let mut shown = Vec::new();
        for interface in policy
            .interfaces
            .iter()
            .filter(|interface| is_up(interface.port) && !interface.address.is_unspecified())
        {
            let connected = RouteView {
                kind: RouteKind::Connected,
                network: interface.network().first,
                prefix_len: interface.prefix_len.min(32),
                metric: 0,
                gateway: None,
                port: interface.port,
            };
            routes.push(connected);
            shown.push(connected);
            shown.push(RouteView {
                kind: RouteKind::Local,
                network: interface.address,
                prefix_len: 32,
                ..connected
            });
        }
        for route in &policy.routes {
            let has_interface = policy
                .interfaces
                .iter()
                .any(|interface| interface.port == route.port);
            if !has_interface || !is_up(route.port) {
                continue;
            }
            let prefix_len = route.prefix_len.min(32);
            let network = route.network.to_bits() & prefix_mask(prefix_len);
            routes.push(RouteView {
                kind: RouteKind::Static,
                network: Ipv4Addr::from_bits(network),
                prefix_len,
                metric: route.metric,
                gateway: Some(route.gateway),
                port: route.port,
            });
        }
        // Stable, so that of equal routes the one configured first wins.
        routes.sort_by_key(|route| {
            (
                core::cmp::Reverse(route.prefix_len),
                route.network,
                route.metric,
            )
        });
        for (index, route) in routes.iter().enumerate() {
            let is_best = routes[..index].last().is_none_or(|better| {
                (better.prefix_len, better.network) != (route.prefix_len, route.network)
                    || better.metric == route.metric
            });
            if route.kind == RouteKind::Static && is_best {
                shown.push(*route);
            }
        }
        shown.sort_by_key(|route| (route.network, route.prefix_len, route.kind));
        let mut lengths: Vec<(u8, usize)> = Vec::new();
        for (index, route) in routes.iter().enumerate() {
            match lengths.last_mut() {
                Some((length, end)) if *length == route.prefix_len => *end = index + 1,
                _ => lengths.push((route.prefix_len, index + 1)),
            }
        }
        Self {
            routes,
            lengths,
            shown,
        }
    }

    /// The way to `destination`; by `port` only, if one is given.
    pub(crate) fn lookup(&self, destination: Ipv4Addr, port: Option<PortId>) -> Option<NextHop> {
        let mut start = 0;
        for &(prefix_len, end) in &self.lengths {
            let routes = self.routes.get(start..end)?;
            start = end;
            let network = Ipv4Addr::from_bits(destination.to_bits() & prefix_mask(prefix_len));
            let first = routes.partition_point(|route| route.network < network);
            let found = routes
                .get(first..)?
                .iter()
                .take_while(|route| route.network == network)
                .find(|route| port.is_none_or(|port| route.port == port));
            if let Some(route) = found {
                let address = route.gateway.unwrap_or(destination);
                return Some(NextHop {
                    port: route.port,
                    address,
                });
            }
        }
        None
    }

    /// What `show route` prints.
    pub(crate) fn shown(&self) -> &[RouteView] {
        &self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Interface, StaticRoute};
    use alloc::string::String;
    use hal::nic::MacAddr;

    fn table(routes: &[(&str, u8, &str, u8, u8)], up: impl Fn(PortId) -> bool) -> RouteTable {
        let interface = |port, address: &str| Interface {
            port: PortId(port),
            name: String::new(),
            security_level: 0,
            mac: MacAddr([2; 6]),
            address: address.parse().expect("address"),
            prefix_len: 24,
            mtu: 1500,
            access_in: None,
            access_out: None,
            access_control: None,
            proxy_arp: true,
        };
        let policy = Policy {
            interfaces: vec![interface(0, "203.0.113.2"), interface(1, "192.0.2.1")],
            routes: routes
                .iter()
                .map(
                    |&(network, prefix_len, gateway, port, metric)| StaticRoute {
                        port: PortId(port),
                        network: network.parse().expect("network"),
                        prefix_len,
                        gateway: gateway.parse().expect("gateway"),
                        metric,
                    },
                )
                .collect(),
            ..Policy::default()
        };
        RouteTable::new(&policy, up)
    }

    fn via(table: &RouteTable, destination: &str, port: Option<u8>) -> Option<String> {
        let found = table.lookup(destination.parse().expect("address"), port.map(PortId))?;
        Some(std::format!("{} {}", found.port.0, found.address))
    }

    #[test]
    fn the_longest_prefix_wins_then_the_lowest_metric() {
        let routes = [
            ("0.0.0.0", 0, "203.0.113.1", 0, 1),
            ("198.51.100.0", 24, "192.0.2.9", 1, 5),
            ("198.51.100.0", 24, "192.0.2.8", 1, 2),
            ("198.51.100.128", 25, "203.0.113.7", 0, 9),
        ];
        let table = table(&routes, |_| true);
        for (destination, port, expected) in [
            ("203.0.113.77", None, Some("0 203.0.113.77")),
            ("198.51.100.1", None, Some("1 192.0.2.8")),
            ("198.51.100.200", None, Some("0 203.0.113.7")),
            ("198.51.100.200", Some(1), Some("1 192.0.2.8")),
            ("8.8.8.8", None, Some("0 203.0.113.1")),
            ("8.8.8.8", Some(1), None),
        ] {
            assert_eq!(
                via(&table, destination, port).as_deref(),
                expected,
                "{destination}"
            );
        }
        // The worse of two equal prefixes is not shown; each interface has a C and an L line.
        assert_eq!(table.shown().len(), 4 + 3);
    }

    #[test]
    fn routes_over_a_dead_link_are_out() {
        let routes = [
            ("0.0.0.0", 0, "203.0.113.1", 0, 1),
            ("0.0.0.0", 0, "192.0.2.254", 1, 200),
        ];
        assert_eq!(
            via(&table(&routes, |_| true), "8.8.8.8", None).as_deref(),
            Some("0 203.0.113.1")
        );
        let backup = table(&routes, |port| port == PortId(1));
        assert_eq!(
            via(&backup, "8.8.8.8", None).as_deref(),
            Some("1 192.0.2.254")
        );
        assert_eq!(
            via(&backup, "203.0.113.9", None).as_deref(),
            Some("1 192.0.2.254")
        );
    }
}

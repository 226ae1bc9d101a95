//! The IPv6 route table: longest prefix first, lowest metric among equals.

use alloc::vec::Vec;
use core::net::Ipv6Addr;

use super::policy::{AddressRange6, Policy6};
use crate::policy::PortId;
use crate::view::RouteKind;

/// Where to send a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NextHop6 {
    /// Egress.
    pub(crate) port: PortId,
    /// The neighbour to hand it to.
    pub(crate) address: Ipv6Addr,
}

/// A line of `show ipv6 route`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteView6 {
    /// Where it comes from.
    pub kind: RouteKind,
    /// Network address.
    pub network: Ipv6Addr,
    /// Length of the prefix.
    pub prefix_len: u8,
    /// Next hop, if the network is not connected.
    pub gateway: Option<Ipv6Addr>,
    /// Administrative distance.
    pub metric: u8,
    /// Egress.
    pub port: PortId,
}

/// All usable routes, best first. Looked up once per flow; there are tens of them.
#[derive(Debug, Default)]
pub(crate) struct Routes6(Vec<RouteView6>);

impl Routes6 {
    /// Collects the routes of `policy` over ports whose link is up.
    pub(crate) fn new(policy: &Policy6, is_up: impl Fn(PortId) -> bool) -> Self {
        let connected = policy.interfaces.iter().flat_map(|interface| {
            interface.addresses.iter().map(|own| RouteView6 {
                kind: RouteKind::Connected,
                network: own.network().first,
                prefix_len: own.prefix_len.min(128),
                gateway: None,
                metric: 0,
                port: interface.port,
            })
        });
        let fixed = policy
            .routes
            .iter()
            .filter(|route| policy.interface(route.port).is_some())
            .map(|route| RouteView6 {
                kind: RouteKind::Static,
                network: AddressRange6::network(route.network, route.prefix_len).first,
                prefix_len: route.prefix_len.min(128),
                gateway: Some(route.gateway),
                metric: route.metric,
                port: route.port,
            });
        let mut routes: Vec<RouteView6> = connected
            .chain(fixed)
            .filter(|route| is_up(route.port))
            .collect();
        // Stable, so that of equal routes the one configured first wins.
        routes.sort_by_key(|route| (core::cmp::Reverse(route.prefix_len), route.metric));
        Self(routes)
    }

    /// The way to `destination`; by `port` only, if one is given.
    pub(crate) fn lookup(&self, destination: Ipv6Addr, port: Option<PortId>) -> Option<NextHop6> {
        self.0
            .iter()
            .filter(|route| port.is_none_or(|port| port == route.port))
            .find(|route| {
                AddressRange6::network(route.network, route.prefix_len).contains(destination)
            })
            .map(|route| NextHop6 {
                port: route.port,
                address: route.gateway.unwrap_or(destination),
            })
    }

    /// What `show ipv6 route` prints.
    pub(crate) fn shown(&self) -> &[RouteView6] {
        &self.0
    }
}

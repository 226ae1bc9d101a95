//! IPv6: addresses made from MAC addresses where they are not given, routes, advertisements.

use alloc::vec::Vec;
use core::net::Ipv6Addr;
use core::time::Duration;

use config::Config;
use config::model::{Action, InterfaceId, Port6, PortAddress6, Prefix6};
use dataplane::{
    Address6, AddressRange6, AdvertisedPrefix, IcmpRule6, Interface6, Policy6, PortId,
    RouterAdvertisement, StaticRoute6,
};
use hal::nic::MacAddr;

use super::{port_id, port_named};

/// How long a neighbour counts as there if nothing is configured (RFC 4861 §10).
const REACHABLE: Duration = Duration::from_secs(30);

/// Compiles what has IPv6 addresses; `mac` tells the Ethernet address of a port.
pub(super) fn compile(config: &Config, mac: impl Fn(InterfaceId) -> MacAddr) -> Policy6 {
    let interfaces = config
        .interfaces
        .iter()
        .filter(|(id, interface)| {
            interface.ipv6.is_on() && interface.nameif.is_some() && config.is_enabled(**id)
        })
        .map(|(&id, interface)| port(port_id(id, interface), &interface.ipv6, mac(id)))
        .collect();
    let routes = config.routes6.iter().filter_map(|route| {
        Some(StaticRoute6 {
            port: port_named(config, &route.interface)?,
            network: route.destination.address,
            prefix_len: route.destination.len,
            gateway: route.gateway,
            metric: route.metric,
        })
    });
    let icmp = config.icmp_rules6.iter().filter_map(|rule| {
        Some(IcmpRule6 {
            port: port_named(config, &rule.interface)?,
            action: match rule.action {
                Action::Permit => dataplane::Action::Permit,
                Action::Deny => dataplane::Action::Deny,
            },
            source: range(rule.source),
            kind: rule.kind,
        })
    });
    Policy6 {
        interfaces,
        routes: routes.collect(),
        icmp: icmp.collect(),
        ..Policy6::default()
    }
}

fn port(id: PortId, port: &Port6, mac: MacAddr) -> Interface6 {
    let addresses: Vec<Address6> = port
        .addresses
        .iter()
        .map(|address| Address6 {
            address: address_of(address, mac),
            prefix_len: address.prefix.len,
        })
        .collect();
    Interface6 {
        port: id,
        link_local: link_local(port, mac),
        advertisement: (!port.suppress_ra).then(|| advertisement(port)),
        addresses,
        dad_attempts: u8::try_from(port.dad_attempts).unwrap_or(u8::MAX),
        solicitation_interval: Duration::from_millis(u64::from(port.ns_interval_millis)),
        reachable_time: match port.reachable_millis {
            0 => REACHABLE,
            millis => Duration::from_millis(u64::from(millis)),
        },
    }
}

/// The address of a port on its link.
pub(crate) fn link_local(port: &Port6, mac: MacAddr) -> Ipv6Addr {
    let prefix = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0);
    port.link_local.unwrap_or_else(|| eui64(prefix, mac))
}

/// An address of a port in full.
pub(crate) fn address_of(address: &PortAddress6, mac: MacAddr) -> Ipv6Addr {
    if address.is_eui64 {
        eui64(address.prefix.network(), mac)
    } else {
        address.prefix.address
    }
}

/// The address of the station `mac` in the network `prefix` (RFC 4291, appendix A).
fn eui64(prefix: Ipv6Addr, mac: MacAddr) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac.0;
    let host = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    Ipv6Addr::from_bits(prefix.to_bits() | u128::from(host))
}

/// The prefixes of the port's own addresses, and those that are configured.
fn advertisement(port: &Port6) -> RouterAdvertisement {
    let seconds = |secs: u32| Duration::from_secs(u64::from(secs));
    let configured = port.prefixes.iter();
    let is_told = |prefix: Prefix6| {
        port.prefixes
            .iter()
            .any(|told| told.prefix.network() == prefix.network() && told.prefix.len == prefix.len)
    };
    let own = port
        .addresses
        .iter()
        .map(|address| address.prefix)
        .filter(|&prefix| !is_told(prefix))
        .map(|prefix| AdvertisedPrefix {
            network: prefix.network(),
            prefix_len: prefix.len,
            valid: seconds(config::model::DEFAULT_PREFIX_VALID_SECS),
            preferred: seconds(config::model::DEFAULT_PREFIX_PREFERRED_SECS),
            on_link: true,
            // Hosts make addresses of 64 bits (RFC 4862 §5.5.3 d).
            autonomous: prefix.len == 64,
        });
    let told = configured
        .filter(|told| !told.is_hidden)
        .map(|told| AdvertisedPrefix {
            network: told.prefix.network(),
            prefix_len: told.prefix.len,
            valid: seconds(told.valid_secs),
            preferred: seconds(told.preferred_secs),
            on_link: told.on_link,
            autonomous: told.autonomous,
        });
    RouterAdvertisement {
        interval: Duration::from_millis(u64::from(port.ra_interval_millis)),
        lifetime: seconds(u32::from(port.ra_lifetime_secs)),
        managed: port.managed,
        other: port.other,
        prefixes: own.chain(told).collect(),
    }
}

fn range(prefix: Prefix6) -> AddressRange6 {
    AddressRange6::network(prefix.address, prefix.len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_made_from_the_mac_as_rfc_4291_shows() {
        let mac = MacAddr([0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde]);
        let made = link_local(&Port6::default(), mac);
        assert_eq!(made.to_string(), "fe80::3656:78ff:fe9a:bcde");
        let prefix = Prefix6::parse("2001:db8:0:2::/64").expect("a prefix");
        let address = PortAddress6 {
            prefix,
            is_eui64: true,
        };
        assert_eq!(
            address_of(&address, mac).to_string(),
            "2001:db8:0:2:3656:78ff:fe9a:bcde"
        );
    }

    #[test]
    fn own_prefixes_are_advertised_unless_told_otherwise() {
        let prefix = |text| Prefix6::parse(text).expect("a prefix");
        let mut port = Port6::default();
        for text in [
            "2001:db8:0:2::1/64",
            "2001:db8:0:3::1/64",
            "2001:db8:1::1/48",
        ] {
            port.addresses.push(PortAddress6 {
                prefix: prefix(text),
                is_eui64: false,
            });
        }
        port.prefixes.push(config::model::AdvertisedPrefix6 {
            prefix: prefix("2001:db8:0:3::/64"),
            is_hidden: true,
            valid_secs: 0,
            preferred_secs: 0,
            on_link: true,
            autonomous: true,
        });
        let told: Vec<_> = advertisement(&port)
            .prefixes
            .iter()
            .map(|prefix| (prefix.network.to_string(), prefix.autonomous))
            .collect();
        assert_eq!(
            told,
            [
                ("2001:db8:0:2::".into(), true),
                ("2001:db8:1::".into(), false)
            ]
        );
    }
}

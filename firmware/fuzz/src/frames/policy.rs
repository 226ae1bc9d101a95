//! The policy of the box that frames are sent to.

use std::net::Ipv4Addr;
use std::time::Duration;

use dataplane::{
    AccessList, Ace, AceLog, AclId, Action, AddressRange, ConnectionClass, ConnectionSettings,
    DeadDetection, InspectionClass, Interface, LocalService, MappedAddress, NatRule, NatSection,
    PatPool, Policy, PortId, PortMatch, PortTranslation, ProxyId, Service, SourceNat, StaticRoute,
    Transport,
};
use hal::nic::MacAddr;

use super::{DMZ, DMZ_VLAN, EDGE, GATEWAY, INSIDE, NODE, NODE_2, OUTSIDE, OWN, PUBLIC, mac};

pub(super) fn policy() -> Policy {
    let interface = |port: PortId, name: &str, security_level, prefix_len| Interface {
        port,
        name: name.to_owned(),
        security_level,
        mac: MacAddr(mac(port)),
        address: OWN[port.index()],
        prefix_len,
        mtu: 1500,
        access_in: (port == OUTSIDE).then_some(AclId(0)),
        access_out: None,
        access_control: None,
        proxy_arp: true,
    };
    let host = AddressRange::host;
    let tcp = |source, destination, port| Ace {
        action: Action::Permit,
        source,
        destination,
        service: Service::Ports {
            transport: Transport::Tcp,
            source: PortMatch::ANY,
            destination: PortMatch::eq(port),
        },
        log: AceLog::Default,
        is_active: true,
    };
    let list = |name: &str, elements| AccessList {
        name: name.to_owned(),
        elements,
    };
    let published = |real, (port, mapped)| {
        let service = PortTranslation {
            transport: Transport::Tcp,
            real: port,
            mapped,
            more: 0,
        };
        let source = SourceNat::Static {
            real: vec![host(real)],
            mapped: MappedAddress::range(host(PUBLIC)),
        };
        rule(NatSection::Manual, source, Some(service))
    };
    let hidden = |real, addresses, interface| {
        let source = SourceNat::Dynamic {
            real: vec![real],
            pool: PatPool {
                addresses,
                interface,
                ..PatPool::default()
            },
        };
        rule(NatSection::Auto, source, None)
    };
    Policy {
        vlans: vec![DMZ_VLAN],
        interfaces: vec![
            interface(OUTSIDE, "outside", 0, 28),
            interface(INSIDE, "inside", 100, 24),
            interface(DMZ, "dmz", 50, 28),
        ],
        routes: vec![StaticRoute {
            port: OUTSIDE,
            network: Ipv4Addr::UNSPECIFIED,
            prefix_len: 0,
            gateway: GATEWAY,
            metric: 1,
        }],
        access_lists: vec![
            list(
                "outside_in",
                vec![
                    tcp(host(EDGE), host(NODE), 5061),
                    tcp(host(EDGE), host(NODE), 5062),
                    tcp(AddressRange::ANY, host(NODE), 5269),
                    tcp(AddressRange::ANY, host(NODE_2), 5269),
                ],
            ),
            list(
                "proxied",
                vec![
                    tcp(host(EDGE), host(NODE), 5061),
                    tcp(host(NODE), host(EDGE), 5061),
                ],
            ),
        ],
        nat: vec![
            published(NODE, (5062, 5061)),
            published(NODE, (5061, 5063)),
            published(NODE, (5269, 5269)),
            published(NODE_2, (5269, 15_269)),
            hidden(AddressRange::network(NODE, 28), vec![host(PUBLIC)], false),
            hidden(AddressRange::network(NODE, 24), Vec::new(), true),
        ],
        inspections: vec![InspectionClass {
            port: None,
            acl: AclId(1),
            proxy: ProxyId(7),
        }],
        inspect_icmp: true,
        local_services: vec![LocalService {
            transport: Transport::Tcp,
            first: 22,
            last: 22,
        }],
        icmp_error_rate: 100,
        icmp_error_burst: 10,
        // Every limit is within reach, cookies are made, probes sent.
        connections: vec![ConnectionClass {
            name: "published".into(),
            port: None,
            acls: vec![AclId(0)],
            settings: Some(ConnectionSettings {
                most: 12,
                most_embryonic: 2,
                most_per_client: 8,
                decrement_ttl: true,
                reset: true,
                idle: Some(Duration::from_secs(300)),
                dead_detection: Some(DeadDetection {
                    interval: Duration::from_secs(15),
                    retries: 2,
                }),
                ..ConnectionSettings::default()
            }),
            checks: None,
        }],
        ..Policy::default()
    }
}

fn rule(section: NatSection, source: SourceNat, service: Option<PortTranslation>) -> NatRule {
    NatRule {
        real_interface: Some(INSIDE),
        mapped_interface: Some(OUTSIDE),
        service,
        ..NatRule::new(section, source)
    }
}

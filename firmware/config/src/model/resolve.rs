//! What names stand for, and rules in the order in which they match.
//!
//! The data plane is fed from here: it knows neither objects nor groups.

use super::{
    AccessRule, AddressMatch, AddressRange, AddressRange6, AutoNat, AutoNatKind, Config,
    GroupTransport, IcmpMatch, Interface, InterfaceId, ManualNat, ManualSource, NetworkMember,
    NetworkObject, NumberKind, PortMatch, PortSelect, RealAddress, RuleService, Service,
    ServiceMember, Transport,
};
use alloc::vec;
use alloc::vec::Vec;

/// One plain condition of a rule after names are resolved; a rule matches if any of its
/// conditions does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleMatch {
    /// Protocol and ports.
    pub service: Service,
    /// Source and destination addresses.
    pub addresses: MatchedAddresses,
}

/// Source and destination addresses of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchedAddresses {
    /// From anybody to anybody, of either family.
    Everybody,
    /// IPv4.
    V4 {
        /// Who sends.
        source: AddressRange,
        /// Who receives.
        destination: AddressRange,
    },
    /// IPv6.
    V6 {
        /// Who sends.
        source: AddressRange6,
        /// Who receives.
        destination: AddressRange6,
    },
}

impl MatchedAddresses {
    /// Every pair of the ranges, families apart; those of IPv4 first.
    fn pairs(sources: &Addresses, destinations: &Addresses) -> Vec<Self> {
        let mut pairs = Vec::with_capacity(Self::count(sources, destinations));
        for &source in &sources.v4 {
            let of = |&destination| Self::V4 {
                source,
                destination,
            };
            pairs.extend(destinations.v4.iter().map(of));
        }
        for &source in &sources.v6 {
            let of = |&destination| Self::V6 {
                source,
                destination,
            };
            pairs.extend(destinations.v6.iter().map(of));
        }
        pairs
    }

    fn count(sources: &Addresses, destinations: &Addresses) -> usize {
        let product = |first: usize, second: usize| first.saturating_mul(second);
        product(sources.v4.len(), destinations.v4.len())
            .saturating_add(product(sources.v6.len(), destinations.v6.len()))
    }

    /// What is left of the addresses for a service that only one family has.
    const fn with(self, service: Service) -> Option<Self> {
        match (service, self) {
            (Service::Icmp(_), Self::Everybody) => Some(Self::V4 {
                source: AddressRange::EVERYTHING,
                destination: AddressRange::EVERYTHING,
            }),
            (Service::Icmp6(_), Self::Everybody) => Some(Self::V6 {
                source: AddressRange6::EVERYTHING,
                destination: AddressRange6::EVERYTHING,
            }),
            (Service::Icmp(_), Self::V6 { .. }) | (Service::Icmp6(_), Self::V4 { .. }) => None,
            _ => Some(self),
        }
    }
}

/// What a name or an address of a rule stands for.
#[derive(Default)]
struct Addresses {
    v4: Vec<AddressRange>,
    v6: Vec<AddressRange6>,
}

impl Config {
    /// The interface named `nameif`, and which it is.
    #[must_use]
    pub fn interface_named(&self, nameif: &str) -> Option<(InterfaceId, &Interface)> {
        self.interfaces
            .iter()
            .find(|(_, interface)| interface.nameif.as_deref() == Some(nameif))
            .map(|(&id, interface)| (id, interface))
    }

    /// The IPv4 addresses of a network object or group, in the order of its members.
    ///
    /// Empty if there is none of that name or it has none.
    #[must_use]
    pub fn addresses_of(&self, name: &str) -> Vec<AddressRange> {
        if let Some(object) = self.network_objects.get(name) {
            return object
                .address
                .iter()
                .filter_map(|address| address.range())
                .collect();
        }
        let Some(group) = self.network_groups.get(name) else {
            return Vec::new();
        };
        group
            .members
            .iter()
            .flat_map(|member| self.addresses_of_member(member))
            .collect()
    }

    /// The IPv6 addresses of a network object or group, as [`addresses_of`](Self::addresses_of).
    #[must_use]
    pub fn addresses6_of(&self, name: &str) -> Vec<AddressRange6> {
        if let Some(object) = self.network_objects.get(name) {
            let address = object.address.iter();
            return address.filter_map(|address| address.range6()).collect();
        }
        let group = self.network_groups.get(name);
        let members = group.into_iter().flat_map(|group| &group.members);
        members
            .flat_map(|member| self.addresses6_of_member(member))
            .collect()
    }

    /// The IPv6 addresses of one member of a network group.
    #[must_use]
    pub fn addresses6_of_member(&self, member: &NetworkMember) -> Vec<AddressRange6> {
        match member {
            NetworkMember::Host6(address) => vec![AddressRange6::host(*address)],
            NetworkMember::Subnet6(prefix) => vec![prefix.range()],
            NetworkMember::Host(_) | NetworkMember::Subnet(_) => Vec::new(),
            // Groups hold no cycles, so this ends.
            NetworkMember::Object(name) | NetworkMember::Group(name) => self.addresses6_of(name),
        }
    }

    /// The IPv4 addresses of one member of a network group.
    #[must_use]
    pub fn addresses_of_member(&self, member: &NetworkMember) -> Vec<AddressRange> {
        match member {
            NetworkMember::Host(address) => vec![AddressRange::host(*address)],
            NetworkMember::Subnet(subnet) => vec![subnet.range()],
            NetworkMember::Host6(_) | NetworkMember::Subnet6(_) => Vec::new(),
            // Groups hold no cycles, so this ends.
            NetworkMember::Object(name) | NetworkMember::Group(name) => self.addresses_of(name),
        }
    }

    /// Whether the network object or group of that name stands for any address.
    #[must_use]
    pub fn has_address(&self, name: &str) -> bool {
        if let Some(object) = self.network_objects.get(name) {
            return object.address.is_some();
        }
        let group = self.network_groups.get(name);
        group.is_some_and(|group| {
            group.members.iter().any(|member| match member {
                NetworkMember::Host(_)
                | NetworkMember::Subnet(_)
                | NetworkMember::Host6(_)
                | NetworkMember::Subnet6(_) => true,
                NetworkMember::Object(name) | NetworkMember::Group(name) => self.has_address(name),
            })
        })
    }

    /// The addresses an address of a rule stands for. An interface stands for those that are typed:
    /// one made from the MAC address is not known here.
    fn addresses_matched(&self, address: &AddressMatch) -> Addresses {
        let v4 = |v4| Addresses {
            v4,
            ..Addresses::default()
        };
        let v6 = |v6| Addresses {
            v6,
            ..Addresses::default()
        };
        match address {
            AddressMatch::Any => Addresses {
                v4: vec![AddressRange::EVERYTHING],
                v6: vec![AddressRange6::EVERYTHING],
            },
            AddressMatch::Any4 => v4(vec![AddressRange::EVERYTHING]),
            AddressMatch::Any6 => v6(vec![AddressRange6::EVERYTHING]),
            AddressMatch::Host(address) => v4(vec![AddressRange::host(*address)]),
            AddressMatch::Subnet(subnet) => v4(vec![subnet.range()]),
            AddressMatch::Host6(address) => v6(vec![AddressRange6::host(*address)]),
            AddressMatch::Subnet6(prefix) => v6(vec![prefix.range()]),
            AddressMatch::Object(name) | AddressMatch::Group(name) => Addresses {
                v4: self.addresses_of(name),
                v6: self.addresses6_of(name),
            },
            AddressMatch::Interface(nameif) => {
                let Some((_, interface)) = self.interface_named(nameif) else {
                    return Addresses::default();
                };
                let address = interface.address.iter();
                let addresses6 = interface.ipv6.addresses.iter();
                Addresses {
                    v4: address
                        .map(|subnet| AddressRange::host(subnet.address()))
                        .collect(),
                    v6: addresses6
                        .filter(|address| !address.is_eui64)
                        .map(|address| AddressRange6::host(address.prefix.address))
                        .collect(),
                }
            }
        }
    }

    /// The services a service object or a group without transport stands for.
    #[must_use]
    pub fn services_of(&self, name: &str) -> Vec<Service> {
        if let Some(object) = self.service_objects.get(name) {
            return object.service.into_iter().collect();
        }
        let Some(group) = self.service_groups.get(name) else {
            return Vec::new();
        };
        group
            .members
            .iter()
            .flat_map(|member| match member {
                ServiceMember::Service(service) => vec![*service],
                ServiceMember::TcpUdp {
                    source,
                    destination,
                } => [Transport::Tcp, Transport::Udp]
                    .map(|transport| Service::Ports {
                        transport,
                        source: *source,
                        destination: *destination,
                    })
                    .into(),
                ServiceMember::Object(name) | ServiceMember::Group(name) => self.services_of(name),
                // `eq` and `range` of a group with transport; not reachable from here.
                ServiceMember::Port(_) => Vec::new(),
            })
            .collect()
    }

    /// The port conditions of a service group with a transport that covers `transport`.
    #[must_use]
    pub fn ports_of(&self, name: &str, transport: Transport) -> Vec<PortMatch> {
        let Some(group) = self.service_groups.get(name) else {
            return Vec::new();
        };
        let covered = match group.transport {
            Some(GroupTransport::Tcp) => transport == Transport::Tcp,
            Some(GroupTransport::Udp) => transport == Transport::Udp,
            Some(GroupTransport::TcpUdp) => true,
            None => false,
        };
        if !covered {
            return Vec::new();
        }
        group
            .members
            .iter()
            .flat_map(|member| match member {
                ServiceMember::Port(port) => vec![*port],
                ServiceMember::Group(name) => self.ports_of(name, transport),
                ServiceMember::Service(_)
                | ServiceMember::TcpUdp { .. }
                | ServiceMember::Object(_) => Vec::new(),
            })
            .collect()
    }

    /// A rule of an access list as plain conditions: services, then sources, then destinations.
    #[must_use]
    pub fn expand(&self, rule: &AccessRule) -> Vec<RuleMatch> {
        self.expand_at_most(rule, usize::MAX).unwrap_or_default()
    }

    /// As [`expand`](Self::expand); `None`, before memory is taken, if there are more than `limit`.
    #[must_use]
    pub fn expand_at_most(&self, rule: &AccessRule, limit: usize) -> Option<Vec<RuleMatch>> {
        let services = self.services_matched(&rule.service);
        let pairs = match (&rule.source, &rule.destination) {
            (AddressMatch::Any, AddressMatch::Any) => vec![MatchedAddresses::Everybody],
            (source, destination) => {
                let sources = self.addresses_matched(source);
                let destinations = self.addresses_matched(destination);
                let count = MatchedAddresses::count(&sources, &destinations);
                if services.len().saturating_mul(count) > limit {
                    return None;
                }
                MatchedAddresses::pairs(&sources, &destinations)
            }
        };
        let count = services.len().saturating_mul(pairs.len());
        if count > limit {
            return None;
        }
        let mut conditions = Vec::with_capacity(count);
        for service in services {
            let addresses = pairs.iter().filter_map(|pair| pair.with(service));
            conditions.extend(addresses.map(|addresses| RuleMatch { service, addresses }));
        }
        Some(conditions)
    }

    /// Whether the real addresses of a manual rule are of IPv6, at least some.
    #[must_use]
    pub fn is_of_ipv6(&self, rule: &ManualNat) -> bool {
        let (ManualSource::Static { real, .. } | ManualSource::Dynamic { real, .. }) = &rule.source;
        match real {
            RealAddress::Any => false,
            RealAddress::Object(name) => !self.addresses6_of(name).is_empty(),
        }
    }

    /// Section 2 of the translation rules in order of matching: static before dynamic, then fewer
    /// real addresses, then the lower first address, then the name of the object.
    #[must_use]
    pub fn auto_nat(&self) -> Vec<(&str, &NetworkObject, &AutoNat)> {
        let mut rules: Vec<_> = self
            .network_objects
            .iter()
            .filter_map(|(name, object)| {
                let nat = object.nat.as_ref()?;
                let address = object.address?;
                let (more, first) = match (address.range(), address.range6()) {
                    (Some(range), _) => (
                        u128::from(range.size()).saturating_sub(1),
                        u128::from(range.first.to_bits()),
                    ),
                    (None, range) => range.map(|range| (range.more(), range.first.to_bits()))?,
                };
                let dynamic = matches!(nat.kind, AutoNatKind::Dynamic(_));
                Some(((dynamic, more, first, name.as_str()), object, nat))
            })
            .collect();
        rules.sort_by_key(|(key, ..)| *key);
        rules
            .into_iter()
            .map(|((.., name), object, nat)| (name, object, nat))
            .collect()
    }

    fn services_matched(&self, service: &RuleService) -> Vec<Service> {
        match service {
            RuleService::Ip => vec![Service::Protocol(0)],
            RuleService::Protocol(number) => vec![Service::Protocol(*number)],
            RuleService::Icmp(kind) => vec![Service::Icmp(*kind)],
            RuleService::Icmp6(kind) => vec![Service::Icmp6(*kind)],
            RuleService::Object(name) | RuleService::Group(name) => self.services_of(name),
            RuleService::IcmpGroup(name) => self.icmp_types_of(name).map(Service::Icmp).collect(),
            RuleService::Icmp6Group(name) => self.icmp_types_of(name).map(Service::Icmp6).collect(),
            RuleService::Ports {
                transport,
                source,
                destination,
            } => self.services_by_ports(*transport, source.as_ref(), destination.as_ref()),
            RuleService::ProtocolGroup {
                name,
                source,
                destination,
            } => {
                let has_ports = source.is_some() || destination.is_some();
                let numbers = self.numbers_of(NumberKind::Protocol, name).into_iter();
                let ports = |transport| {
                    self.services_by_ports(transport, source.as_ref(), destination.as_ref())
                };
                numbers
                    .flat_map(|number| match number {
                        6 => ports(Transport::Tcp),
                        17 => ports(Transport::Udp),
                        // All of IP, of which these have ports.
                        0 if has_ports => [ports(Transport::Tcp), ports(Transport::Udp)].concat(),
                        _ if has_ports => Vec::new(),
                        1 => vec![Service::Icmp(None)],
                        58 => vec![Service::Icmp6(None)],
                        number => vec![Service::Protocol(number)],
                    })
                    .collect()
            }
        }
    }

    fn icmp_types_of(&self, name: &str) -> impl Iterator<Item = Option<IcmpMatch>> {
        let kinds = self.numbers_of(NumberKind::IcmpType, name).into_iter();
        kinds.map(|kind| Some(IcmpMatch { kind, code: None }))
    }

    fn services_by_ports(
        &self,
        transport: Transport,
        source: Option<&PortSelect>,
        destination: Option<&PortSelect>,
    ) -> Vec<Service> {
        let sources = self.ports_matched(source, transport);
        let destinations = self.ports_matched(destination, transport);
        sources
            .iter()
            .flat_map(|&source| {
                destinations.iter().map(move |&destination| Service::Ports {
                    transport,
                    source,
                    destination,
                })
            })
            .collect()
    }

    fn ports_matched(
        &self,
        select: Option<&PortSelect>,
        transport: Transport,
    ) -> Vec<Option<PortMatch>> {
        match select {
            None => vec![None],
            Some(PortSelect::Match(port)) => vec![Some(*port)],
            Some(PortSelect::Group(name)) => self
                .ports_of(name, transport)
                .into_iter()
                .map(Some)
                .collect(),
        }
    }
}

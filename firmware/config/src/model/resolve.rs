//! What names stand for, and rules in the order in which they match.
//!
//! The data plane is fed from here: it knows neither objects nor groups.

use super::{
    AccessRule, AddressMatch, AddressRange, AutoNat, AutoNatKind, Config, GroupTransport,
    IcmpMatch, Interface, InterfaceId, NetworkMember, NetworkObject, NumberKind, PortMatch,
    PortSelect, RuleService, Service, ServiceMember, Transport,
};
use alloc::vec;
use alloc::vec::Vec;

/// One plain condition of a rule after names are resolved; a rule matches if any of its
/// conditions does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleMatch {
    /// Protocol and ports.
    pub service: Service,
    /// Source addresses.
    pub source: AddressRange,
    /// Destination addresses.
    pub destination: AddressRange,
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

    /// The addresses of a network object or group, in the order of its members.
    ///
    /// Empty if there is none of that name or it has no address yet.
    #[must_use]
    pub fn addresses_of(&self, name: &str) -> Vec<AddressRange> {
        if let Some(object) = self.network_objects.get(name) {
            return object
                .address
                .iter()
                .map(|address| address.range())
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

    /// The addresses of one member of a network group.
    #[must_use]
    pub fn addresses_of_member(&self, member: &NetworkMember) -> Vec<AddressRange> {
        match member {
            NetworkMember::Host(address) => vec![AddressRange::host(*address)],
            NetworkMember::Subnet(subnet) => vec![subnet.range()],
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
                NetworkMember::Host(_) | NetworkMember::Subnet(_) => true,
                NetworkMember::Object(name) | NetworkMember::Group(name) => self.has_address(name),
            })
        })
    }

    /// The addresses an address of a rule stands for; an interface without address has none.
    #[must_use]
    pub fn addresses_matched(&self, address: &AddressMatch) -> Vec<AddressRange> {
        match address {
            AddressMatch::Any6 => Vec::new(),
            AddressMatch::Any | AddressMatch::Any4 => vec![AddressRange::EVERYTHING],
            AddressMatch::Host(address) => vec![AddressRange::host(*address)],
            AddressMatch::Subnet(subnet) => vec![subnet.range()],
            AddressMatch::Object(name) | AddressMatch::Group(name) => self.addresses_of(name),
            AddressMatch::Interface(nameif) => self
                .interface_named(nameif)
                .and_then(|(_, interface)| interface.address)
                .map(|subnet| AddressRange::host(subnet.address()))
                .into_iter()
                .collect(),
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
        let sources = self.addresses_matched(&rule.source);
        let destinations = self.addresses_matched(&rule.destination);
        let count = services.len().saturating_mul(sources.len());
        let count = count.saturating_mul(destinations.len());
        if count > limit {
            return None;
        }
        let mut conditions = Vec::with_capacity(count);
        for service in services {
            for &source in &sources {
                for &destination in &destinations {
                    conditions.push(RuleMatch {
                        service,
                        source,
                        destination,
                    });
                }
            }
        }
        Some(conditions)
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
                let range = object.address?.range();
                let dynamic = matches!(nat.kind, AutoNatKind::Dynamic(_));
                Some((
                    (dynamic, range.size(), range.first, name.as_str()),
                    object,
                    nat,
                ))
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
            RuleService::Icmp(kind) => {
                let kind: Option<IcmpMatch> = *kind;
                vec![Service::Icmp(kind)]
            }
            RuleService::Object(name) | RuleService::Group(name) => self.services_of(name),
            RuleService::IcmpGroup(name) => {
                let kinds = self.numbers_of(NumberKind::IcmpType, name).into_iter();
                kinds
                    .map(|kind| Service::Icmp(Some(IcmpMatch { kind, code: None })))
                    .collect()
            }
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
                        number => vec![Service::Protocol(number)],
                    })
                    .collect()
            }
        }
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

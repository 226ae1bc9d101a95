//! Access lists: does an element match, and may this flow be opened.

use core::net::Ipv4Addr;

use crate::policy::{AccessList, Ace, AclId, Action, Policy, Service, Transport};
use crate::wire::{PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP};

/// What access lists see of a packet: real addresses and ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) protocol: u8,
    pub(crate) source_port: u16,
    pub(crate) destination_port: u16,
    pub(crate) icmp_kind: u8,
    pub(crate) icmp_code: u8,
}

impl Candidate {
    /// An echo reply to this echo request; for any other protocol, the packet the other way.
    pub(crate) fn answer(self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            icmp_kind: crate::wire::ICMP_ECHO_REPLY,
            ..self
        }
    }
}

/// The element of `list` that decides about `candidate`, and what it says.
pub(crate) fn decide(list: &AccessList, candidate: &Candidate) -> Option<(usize, Action)> {
    list.elements
        .iter()
        .position(|element| matches(element, candidate))
        .and_then(|index| Some((index, list.elements.get(index)?.action)))
}

fn matches(element: &Ace, candidate: &Candidate) -> bool {
    element.is_active
        && element.source.contains(candidate.source)
        && element.destination.contains(candidate.destination)
        && matches_service(&element.service, candidate)
}

pub(crate) fn matches_service(service: &Service, candidate: &Candidate) -> bool {
    match *service {
        Service::Any => true,
        Service::Protocol(protocol) => candidate.protocol == protocol,
        Service::Ports {
            transport,
            source,
            destination,
        } => {
            candidate.protocol == transport.protocol()
                && source.matches(candidate.source_port)
                && destination.matches(candidate.destination_port)
        }
        Service::Icmp { kind, code } => {
            candidate.protocol == PROTOCOL_ICMP
                && kind.is_none_or(|kind| kind == candidate.icmp_kind)
                && code.is_none_or(|code| code == candidate.icmp_code)
        }
    }
}

/// The transport of a protocol number, if it has ports.
pub(crate) const fn transport_of(protocol: u8) -> Option<Transport> {
    match protocol {
        PROTOCOL_TCP => Some(Transport::Tcp),
        PROTOCOL_UDP => Some(Transport::Udp),
        _ => None,
    }
}

/// A list by its id.
pub(crate) fn list(policy: &Policy, acl: AclId) -> Option<&AccessList> {
    policy.access_lists.get(usize::from(acl.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{AceLog, AddressRange, PortMatch};

    fn web() -> Candidate {
        Candidate {
            source: Ipv4Addr::new(198, 51, 100, 20),
            destination: Ipv4Addr::new(192, 0, 2, 11),
            protocol: PROTOCOL_TCP,
            source_port: 40_000,
            destination_port: 443,
            icmp_kind: 0,
            icmp_code: 0,
        }
    }

    fn ace(action: Action, service: Service) -> Ace {
        Ace {
            action,
            source: AddressRange::ANY,
            destination: AddressRange::ANY,
            service,
            log: AceLog::Default,
            is_active: true,
        }
    }

    fn tcp(destination: PortMatch) -> Service {
        Service::Ports {
            transport: Transport::Tcp,
            source: PortMatch::ANY,
            destination,
        }
    }

    #[test]
    fn the_first_active_match_decides() {
        let mut list = AccessList {
            name: "a".into(),
            elements: alloc::vec![
                ace(Action::Permit, tcp(PortMatch::eq(80))),
                ace(Action::Deny, tcp(PortMatch::range(400, 500))),
                ace(Action::Permit, Service::Any),
            ],
        };
        assert_eq!(decide(&list, &web()), Some((1, Action::Deny)));
        list.elements[1].is_active = false;
        assert_eq!(decide(&list, &web()), Some((2, Action::Permit)));
        list.elements[2].source = AddressRange::network(Ipv4Addr::new(203, 0, 113, 0), 24);
        assert_eq!(decide(&list, &web()), None);
    }

    #[test]
    fn services_match_what_they_say() {
        let neq = PortMatch {
            is_negated: true,
            ..PortMatch::eq(443)
        };
        let icmp = Candidate {
            protocol: PROTOCOL_ICMP,
            icmp_kind: 8,
            icmp_code: 1,
            ..web()
        };
        for (service, candidate, expected) in [
            (tcp(neq), web(), false),
            (
                tcp(PortMatch {
                    is_negated: true,
                    ..PortMatch::eq(80)
                }),
                web(),
                true,
            ),
            (Service::Protocol(6), web(), true),
            (Service::Protocol(17), web(), false),
            (
                Service::Icmp {
                    kind: None,
                    code: None,
                },
                web(),
                false,
            ),
            (
                Service::Icmp {
                    kind: None,
                    code: None,
                },
                icmp,
                true,
            ),
            (
                Service::Icmp {
                    kind: Some(8),
                    code: Some(0),
                },
                icmp,
                false,
            ),
            (
                Service::Icmp {
                    kind: Some(8),
                    code: Some(1),
                },
                icmp,
                true,
            ),
        ] {
            assert_eq!(
                matches_service(&service, &candidate),
                expected,
                "{service:?}"
            );
        }
    }
}

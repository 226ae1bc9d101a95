//! What it means to match: one element after the other, the first that matches decides.
//!
//! This is the model that the compiled form must equal, and how short lists are searched.

use super::Candidate;
use crate::policy::{AccessList, Ace, Action, Service};
use crate::wire::PROTOCOL_ICMP;

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

/// Whether protocol, ports, type and code are what `service` wants.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{AceLog, AddressRange, PortMatch, Transport};
    use crate::wire::PROTOCOL_TCP;
    use core::net::Ipv4Addr;

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

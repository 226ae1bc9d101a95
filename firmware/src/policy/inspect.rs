//! Service policies: which connections go to which TLS proxy, and which flows are inspected.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use config::Config;
use config::model::{ClassMap, ClassMatch, InspectEngine, PolicyPlace};
use dataplane::{
    Ace, AceLog, Action, AddressRange, DnsInspection, InspectionClass, ProxyId, Service,
};

use super::access::{Lists, ports};
use super::{InspectedClass, port_named, transport};

/// Where name servers listen.
const DNS_PORT: u16 = 53;

/// The classes with a TLS proxy in order of evaluation (an interface's policy before the global
/// one), and what each is called.
pub(super) fn compile(
    config: &Config,
    lists: &mut Lists,
) -> (Vec<InspectionClass>, Vec<InspectedClass>) {
    let mut places: Vec<_> = config.service_policies.iter().collect();
    places.sort_by_key(|(place, _)| matches!(place, PolicyPlace::Global));
    let (mut classes, mut names) = (Vec::new(), Vec::new());
    for (place, policy_map) in places {
        let port = match place {
            PolicyPlace::Global => None,
            PolicyPlace::Interface(nameif) => match port_named(config, nameif) {
                Some(port) => Some(port),
                None => continue,
            },
        };
        let Some(policy_map) = config.policy_maps.get(policy_map) else {
            continue;
        };
        for class in &policy_map.classes {
            let Some(tls_proxy) = class
                .inspections
                .get(&InspectEngine::Sip)
                .and_then(|inspection| inspection.tls_proxy.as_ref())
            else {
                continue;
            };
            let Some(class_map) = config.class_maps.get(&class.class) else {
                continue;
            };
            let Ok(number) = u16::try_from(names.len()) else {
                continue;
            };
            names.push(InspectedClass {
                class: class.class.clone(),
                tls_proxy: tls_proxy.clone(),
            });
            // TLS is not default inspection traffic: SIP is inspected there on port 5060 only.
            let conditions = conditions(class_map, &class.class, lists, None);
            classes.extend(conditions.into_iter().map(|acl| InspectionClass {
                port,
                acl,
                proxy: ProxyId(number),
            }));
        }
    }
    (classes, names)
}

/// Which flows are inspected as DNS. The length is that of the first map that limits it, and none if
/// it says `auto`: then the messages themselves say what they may be.
pub(super) fn dns(config: &Config, lists: &mut Lists) -> DnsInspection {
    let default = Service::Ports {
        transport: dataplane::Transport::Udp,
        source: dataplane::PortMatch::ANY,
        destination: dataplane::PortMatch::eq(DNS_PORT),
    };
    let mut dns = DnsInspection::default();
    for (place, policy_map) in &config.service_policies {
        let port = match place {
            PolicyPlace::Global => None,
            PolicyPlace::Interface(nameif) => match port_named(config, nameif) {
                Some(port) => Some(port),
                None => continue,
            },
        };
        let classes = config.policy_maps.get(policy_map);
        for class in classes.into_iter().flat_map(|map| &map.classes) {
            let (Some(inspection), Some(class_map)) = (
                class.inspections.get(&InspectEngine::Dns),
                config.class_maps.get(&class.class),
            ) else {
                continue;
            };
            let conditions = conditions(class_map, &class.class, lists, Some(default));
            dns.classes
                .extend(conditions.into_iter().map(|acl| (port, acl)));
            let map = inspection
                .map
                .as_ref()
                .and_then(|map| config.inspect_maps.get(map));
            dns.length_max = dns.length_max.or(map.and_then(message_length));
        }
    }
    dns
}

/// `message-length maximum N`, unless a side's own limit counts.
fn message_length(map: &config::model::InspectMap) -> Option<u16> {
    let is_auto = ["client", "server"].iter().any(|side| {
        map.parameters
            .contains_key(&format!("message-length{side}"))
    });
    let line = map.parameters.get("message-length").filter(|_| !is_auto)?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Whether any policy in force inspects with `engine`.
pub(super) fn is_on(config: &Config, engine: InspectEngine) -> bool {
    config
        .service_policies
        .values()
        .filter_map(|name| config.policy_maps.get(name))
        .any(|map| {
            map.classes
                .iter()
                .any(|class| class.inspections.contains_key(&engine))
        })
}

/// The lists of which one must permit a connection for it to be in the class. `default` is what is
/// default inspection traffic to the engine.
pub(super) fn conditions(
    class_map: &ClassMap,
    name: &str,
    lists: &mut Lists,
    default: Option<Service>,
) -> Vec<dataplane::AclId> {
    class_map
        .matches
        .iter()
        .filter_map(|condition| match condition {
            ClassMatch::AccessList(list) => lists.id(list),
            ClassMatch::Port {
                transport: of,
                port,
            } => {
                let service = Service::Ports {
                    transport: transport(*of),
                    source: dataplane::PortMatch::ANY,
                    destination: ports(Some(*port))?,
                };
                lists.add_elements(name, vec![permit(service)])
            }
            ClassMatch::Any => lists.add_elements(name, vec![permit(Service::Any)]),
            ClassMatch::DefaultInspectionTraffic => {
                lists.add_elements(name, vec![permit(default?)])
            }
        })
        .collect()
}

pub(super) fn permit(service: Service) -> Ace {
    Ace {
        action: Action::Permit,
        source: AddressRange::ANY,
        destination: AddressRange::ANY,
        service,
        log: AceLog::Default,
        is_active: true,
    }
}

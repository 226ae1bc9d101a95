//! `packet-tracer`: what the packet engine tells of a packet, in the words of the configuration.
//!
//! The engine decides and says what it looked at ([`dataplane::Step`]); this module only finds the
//! statements that the numbers in those steps came from. What follows the engine, the TLS proxy, is
//! asked last.

pub(crate) mod packet;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

use config::model::{AccessLine, InspectEngine, PolicyPlace, RuleLog};
use dataplane::{AccessPlace, AclId, Action, DropReason, FlowId, PortId, ProxyId, Step};

use crate::policy::{interface_at, nat_statement};
use crate::print::{self, DottedMac, nameif};
use crate::state::Core;

/// Name of the box itself as an interface.
const IDENTITY: &str = "NP Identity Ifc";

/// One phase of the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Phase {
    pub(crate) kind: &'static str,
    pub(crate) subtype: &'static str,
    pub(crate) is_drop: bool,
    /// Lines of the configuration that decided.
    pub(crate) config: Vec<String>,
    pub(crate) information: Vec<String>,
}

/// Where the packet comes in or leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) name: String,
    pub(crate) is_enabled: bool,
    pub(crate) is_link_up: bool,
}

/// A packet's whole way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Traced {
    pub(crate) phases: Vec<Phase>,
    pub(crate) input: End,
    pub(crate) output: Option<End>,
    pub(crate) verdict: Result<(), DropReason>,
}

/// Follows a packet that arrives at `ingress`. Nothing is changed or counted.
pub(crate) fn trace(core: &mut Core, ingress: PortId, packet: &[u8], is_detailed: bool) -> Traced {
    let (steps, mut verdict) = core.dataplane.explain(ingress, packet);
    let narrator = Narrator {
        core,
        ingress,
        is_detailed,
    };
    let mut phases: Vec<Phase> = steps
        .iter()
        .filter_map(|&step| narrator.phase(step))
        .collect();
    let input = narrator.end(ingress);
    let output = steps.iter().rev().find_map(|&step| narrator.output(step));
    let proxy = steps.iter().find_map(|step| match step {
        Step::Inspect(proxy) => Some(*proxy),
        _ => None,
    });
    if let (Ok(()), Some(proxy)) = (verdict, proxy)
        && let Some((phase, outcome)) = tls_proxy(core, proxy)
    {
        phases.push(phase);
        verdict = outcome;
    }
    Traced {
        phases,
        input,
        output,
        verdict,
    }
}

/// Whether the TLS proxy could take the connection now, by what it looks at when one comes.
fn tls_proxy(core: &mut Core, proxy: ProxyId) -> Option<(Phase, Result<(), DropReason>)> {
    let name = &core.compiled.proxies.get(usize::from(proxy.0))?.tls_proxy;
    let complaint = core.federation.check(&core.config, &core.keys, name).err();
    let (used, limit) = core.federation.session_usage(&core.config);
    let mut config = vec![format!("tls-proxy {name}")];
    if let Some(settings) = core.config.tls_proxies.get(name) {
        let sides = [
            ("server", &settings.server_trustpoint),
            ("client", &settings.client_trustpoint),
        ];
        config.extend(sides.into_iter().filter_map(|(side, trustpoint)| {
            Some(format!(" {side} trust-point {}", trustpoint.as_ref()?))
        }));
    }
    let (information, outcome) = match complaint {
        Some(error) => (error.to_string(), Err(DropReason::InspectFail)),
        None if used >= limit => (
            format!("Every session is taken: {used} of {limit}"),
            Err(DropReason::TlsProxySessionLimit),
        ),
        None => (
            format!("The trust-points are ready to serve, {used} of {limit} sessions in use"),
            Ok(()),
        ),
    };
    let phase = Phase {
        kind: "INSPECT",
        subtype: "tls-proxy",
        is_drop: outcome.is_err(),
        config,
        information: vec![information],
    };
    Some((phase, outcome))
}

/// Finds the words for steps.
struct Narrator<'a> {
    core: &'a Core,
    ingress: PortId,
    is_detailed: bool,
}

impl Narrator<'_> {
    /// The phase that a step is; none if it says nothing to a person.
    fn phase(&self, step: Step) -> Option<Phase> {
        Some(match step {
            Step::IpOptions => Phase {
                kind: "IP-OPTIONS",
                ..Phase::default()
            },
            Step::FlowLookup(flow) => Phase {
                kind: "FLOW-LOOKUP",
                information: self.flow(flow),
                ..Phase::default()
            },
            Step::UnNat {
                rule,
                dialled,
                real,
                divert,
            } => {
                let mut information = Vec::new();
                if let Some(port) = divert {
                    information.push(format!(
                        "NAT divert to egress interface {}",
                        self.name(port)
                    ));
                }
                information.push(format!("Untranslate {} to {}", Pair(dialled), Pair(real)));
                self.nat(rule, "static", false, information, "UN-NAT")
            }
            Step::ToTheBox => route("found next-hop this box using egress ifc  identity".into()),
            Step::Route(port, next_hop) => route(format!(
                "found next-hop {next_hop} using egress ifc  {}",
                self.name(port)
            )),
            Step::Route6(port, next_hop) => route(format!(
                "found next-hop {next_hop} using egress ifc  {}",
                self.name(port)
            )),
            Step::SameSecurity(action, is_hairpin) => {
                let (word, information) = if is_hairpin {
                    (
                        "intra",
                        "The packet would leave by the interface it came in by",
                    )
                } else {
                    ("inter", "Both interfaces have the same security level")
                };
                Phase {
                    kind: "ACCESS-LIST",
                    is_drop: action == Action::Deny,
                    config: vec![match action {
                        Action::Permit => format!("same-security-traffic permit {word}-interface"),
                        Action::Deny => "Implicit Rule".into(),
                    }],
                    information: vec![information.into()],
                    ..Phase::default()
                }
            }
            Step::Access(acl, place, element, action) => self.access(acl, place, element, action),
            Step::SecurityLevel(from, to, action) => Phase {
                kind: "ACCESS-LIST",
                is_drop: action == Action::Deny,
                config: vec!["Implicit Rule".into()],
                information: vec![format!("From security level {from} to {to}")],
                ..Phase::default()
            },
            Step::Inspect(proxy) => Phase {
                kind: "INSPECT",
                subtype: "inspect-sip",
                config: self.inspection(Some(proxy), InspectEngine::Sip),
                ..Phase::default()
            },
            Step::InspectIcmp => Phase {
                kind: "INSPECT",
                subtype: "inspect-icmp",
                config: self.inspection(None, InspectEngine::Icmp),
                ..Phase::default()
            },
            // What it makes of the source follows.
            Step::SourceRule(_) => return None,
            Step::ReversePath(rule, is_match) => {
                // Nothing translates the answer, and nothing has to.
                let rule = rule?;
                self.nat(rule, "rpf-check", !is_match, Vec::new(), "NAT")
            }
            Step::ConnectionSettings(class) => {
                let policy = self.core.dataplane.policy();
                let name = &policy.connections.get(usize::from(class))?.name;
                Phase {
                    kind: "CONN-SETTINGS",
                    information: vec![format!("Class {name}")],
                    ..Phase::default()
                }
            }
            Step::PerSession(ends_with_flow) => Phase {
                kind: "NAT",
                subtype: "per-session",
                information: vec![
                    match ends_with_flow {
                        true => "The translation ends with its connection",
                        false => "The translation outlives its connection",
                    }
                    .into(),
                ],
                ..Phase::default()
            },
            Step::Nat {
                rule,
                real,
                mapped,
                is_dynamic,
            } => {
                let word = if is_dynamic { "Dynamic" } else { "Static" };
                let information = match mapped {
                    Some(mapped) => format!("{word} translate {} to {}", Pair(real), Pair(mapped)),
                    None => format!("No address and port is free for {}", Pair(real)),
                };
                let subtype = if is_dynamic { "" } else { "static" };
                self.nat(rule, subtype, mapped.is_none(), vec![information], "NAT")
            }
            Step::FlowCreation(flow) => Phase {
                kind: "FLOW-CREATION",
                information: vec![format!(
                    "New flow created with id {}, packet dispatched to next module",
                    flow.number()
                )],
                ..Phase::default()
            },
            Step::Adjacency(port, address, mac) => Phase {
                kind: "ADJACENCY-LOOKUP",
                subtype: "Resolve Nexthop IP address to MAC",
                information: self.adjacency(port, address, mac.map(|mac| mac.0)),
                ..Phase::default()
            },
        })
    }

    fn adjacency(&self, port: PortId, address: Ipv4Addr, mac: Option<[u8; 6]>) -> Vec<String> {
        let name = self.name(port);
        match mac {
            Some(mac) => vec![
                format!("Found adjacency entry for Next-hop {address} on interface {name}"),
                "Adjacency :Active".into(),
                format!("MAC address {}", DottedMac(mac)),
            ],
            None => vec![format!(
                "Found no adjacency entry for Next-hop {address} on interface {name}: it would be asked first"
            )],
        }
    }

    fn flow(&self, flow: Option<FlowId>) -> Vec<String> {
        let Some(flow) = flow else {
            return vec!["Found no matching flow, creating a new flow".into()];
        };
        let mut lines = vec![format!(
            "Found flow with id {}, using existing flow",
            flow.number()
        )];
        if let Some(conn) = self.core.dataplane.conn(flow, self.core.now()) {
            let mut text = String::new();
            print::conn::brief(&mut text, &self.core.dataplane, &conn);
            lines.push(text.trim_end().into());
        }
        lines
    }

    fn nat(
        &self,
        rule: usize,
        subtype: &'static str,
        is_drop: bool,
        mut information: Vec<String>,
        kind: &'static str,
    ) -> Phase {
        let view = self.core.dataplane.nat_rules().nth(rule);
        if let (Some(view), true) = (&view, self.is_detailed) {
            information.push(format!(
                "translate_hits = {}, untranslate_hits = {}",
                view.translate_hits, view.untranslate_hits
            ));
        }
        Phase {
            kind,
            subtype,
            is_drop,
            config: view
                .map(|view| nat_statement(&self.core.config, view.rule))
                .unwrap_or_default(),
            information,
        }
    }

    fn access(
        &self,
        acl: AclId,
        place: AccessPlace,
        element: Option<usize>,
        action: Action,
    ) -> Phase {
        let lists = &self.core.dataplane.policy().access_lists;
        let list = lists
            .get(usize::from(acl.0))
            .map_or("", |list| list.name.as_str());
        let group = match place {
            AccessPlace::In(port) => {
                format!("access-group {list} in interface {}", self.name(port))
            }
            AccessPlace::Out(port) => {
                format!("access-group {list} out interface {}", self.name(port))
            }
            AccessPlace::Global => format!("access-group {list} global"),
            AccessPlace::ToTheBox(port) => format!(
                "access-group {list} in interface {} control-plane",
                self.name(port)
            ),
        };
        let mut phase = Phase {
            kind: "ACCESS-LIST",
            is_drop: action == Action::Deny,
            config: vec![group],
            ..Phase::default()
        };
        let Some(element) = element else {
            phase.config.push("Implicit Rule".into());
            phase
                .information
                .push(format!("No entry of access-list {list} matches"));
            return phase;
        };
        let line = self.core.compiled.lists.get(list).and_then(|compiled| {
            compiled
                .lines
                .iter()
                .position(|elements| elements.contains(&element))
        });
        let rule = line.and_then(|line| {
            match self.core.config.access_lists.get(list)?.lines().get(line)? {
                AccessLine::Rule(rule) => Some(rule),
                AccessLine::Remark(_) => None,
            }
        });
        if let Some(rule) = rule {
            phase.config.push(format!(
                "access-list {list} {}",
                config::print::access_rule(rule)
            ));
            if let RuleLog::Flows { .. } = rule.log {
                phase.subtype = "log";
            }
        }
        if self.is_detailed {
            let hits = self.core.dataplane.acl_hits(acl, element);
            phase.information.push(format!(
                "Element {} of access-list {list}, hits = {hits}",
                element + 1
            ));
        }
        phase
    }

    /// The statements that bring a packet to an inspection.
    fn inspection(&self, proxy: Option<ProxyId>, engine: InspectEngine) -> Vec<String> {
        let config = &self.core.config;
        let wanted = proxy.and_then(|proxy| self.core.compiled.proxies.get(usize::from(proxy.0)));
        let mut places: Vec<_> = config.service_policies.iter().collect();
        places.sort_by_key(|(place, _)| matches!(place, PolicyPlace::Global));
        let found = places.into_iter().find_map(|(place, map)| {
            let classes = &config.policy_maps.get(map)?.classes;
            let class = classes.iter().find(|class| {
                class.inspections.get(&engine).is_some_and(|inspection| {
                    wanted.is_none_or(|wanted| {
                        wanted.class == class.class
                            && inspection.tls_proxy.as_ref() == Some(&wanted.tls_proxy)
                    })
                })
            })?;
            Some((place, map, class))
        });
        let Some((place, map, class)) = found else {
            return Vec::new();
        };
        let mut inspect = format!("  inspect {}", engine.keyword());
        if let Some(wanted) = wanted {
            inspect.push_str(&format!(" tls-proxy {}", wanted.tls_proxy));
        }
        vec![
            format!("class-map {}", class.class),
            format!("policy-map {map}"),
            format!(" class {}", class.class),
            inspect,
            match place {
                PolicyPlace::Global => format!("service-policy {map} global"),
                PolicyPlace::Interface(name) => format!("service-policy {map} interface {name}"),
            },
        ]
    }

    fn name(&self, port: PortId) -> &str {
        nameif(self.core.dataplane.policy(), Some(port))
    }

    /// Where a step says the packet leaves.
    fn output(&self, step: Step) -> Option<End> {
        match step {
            Step::Route(port, _) | Step::Adjacency(port, ..) => Some(self.end(port)),
            Step::ToTheBox => Some(End {
                name: IDENTITY.into(),
                is_enabled: true,
                is_link_up: true,
            }),
            Step::FlowLookup(Some(flow)) => {
                let conn = self.core.dataplane.conn(flow, self.core.now())?;
                let port = if conn.lower.port == self.ingress {
                    conn.higher.port
                } else {
                    conn.lower.port
                };
                Some(self.end(port))
            }
            _ => None,
        }
    }

    fn end(&self, port: PortId) -> End {
        let Some((id, interface)) = interface_at(&self.core.config, port) else {
            return End {
                name: String::new(),
                is_enabled: false,
                is_link_up: false,
            };
        };
        let device = self.core.ports.get(usize::from(id.port));
        End {
            name: interface.nameif.clone().unwrap_or_default(),
            is_enabled: !interface.shutdown,
            is_link_up: device.is_some_and(|device| device.link().is_up)
                && (interface.shutdown || self.core.config.is_enabled(id)),
        }
    }
}

fn route(information: String) -> Phase {
    Phase {
        kind: "ROUTE-LOOKUP",
        subtype: "Resolve Egress Interface",
        information: vec![information],
        ..Phase::default()
    }
}

/// An address and port as `10.20.0.40/9876`.
struct Pair((Ipv4Addr, u16));

impl core::fmt::Display for Pair {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (address, port) = self.0;
        write!(f, "{address}/{port}")
    }
}

//! Groups of objects, addresses and services.

use super::family::Family;
use super::object::{
    Kind, Table, current, description, enter, name_is_free, port_match, removable, service,
};
use super::{Change, ip, ip6, network, network6, number_group, row, usage, word};
use crate::mode::{GLOBAL, ICMP_GROUP, Mode, NETWORK_GROUP, PROTOCOL_GROUP, SERVICE_GROUP};
use crate::model::{
    Config, GroupTransport, Named, NetworkGroup, NetworkMember, NumberKind, ServiceGroup,
    ServiceMember,
};
use crate::print;
use crate::refusal::{Notice, Refusal, Thing};
use alloc::string::String;
use alloc::vec::Vec;
use cli::grammar::{Captures, No};

pub(super) const OBJECT_GROUP: Family = Family {
    keyword: "object-group",
    help: "Groups of objects",
    narrow: "[{ network | service | protocol | icmp-type }] [id <name>]",
    rows: &[
        row(
            GLOBAL,
            "object-group network <name:word(64)>",
            No::Same,
            &[("object-group", "Configure a group of objects")],
            enter_network_group,
        )
        .example("object-group network PEERS"),
        row(
            GLOBAL,
            "object-group service <name:word(64)> [{ tcp | udp | tcp-udp }]",
            No::Same,
            &[
                ("tcp", "A group of TCP ports"),
                ("udp", "A group of UDP ports"),
                ("tcp-udp", "A group of ports of both"),
            ],
            enter_service_group,
        )
        .example("object-group service PORTS tcp"),
        number_group::ENTER_PROTOCOL,
        number_group::ENTER_ICMP,
        row(
            NETWORK_GROUP | SERVICE_GROUP | PROTOCOL_GROUP | ICMP_GROUP,
            "description <description:text>",
            No::Syntax("description [<description:text>]"),
            &[("description", "Description of up to 200 characters")],
            description,
        )
        .example("description our peers"),
        row(
            NETWORK_GROUP,
            "network-object { host { <address:ip> | <address6:ip6> } | object <member> \
             | <network:ip> <mask:mask> | <prefix:prefix6> }",
            No::Same,
            &[
                ("network-object", "Add an address"),
                ("object", "Add a network object"),
                ("member", "Name of the object or group"),
            ],
            network_member,
        )
        .example("network-object host 198.51.100.21"),
        row(
            NETWORK_GROUP | SERVICE_GROUP | PROTOCOL_GROUP | ICMP_GROUP,
            "group-object <member>",
            No::Same,
            &[("group-object", "Add another group")],
            group_member,
        )
        .example("group-object PARTNERS"),
        row(
            SERVICE_GROUP,
            "port-object { eq <port:port> | range <first:port> <last:port> }",
            No::Same,
            &[
                ("port-object", "Add a port"),
                ("eq", "One port"),
                ("port", "Port by number or name"),
                ("first", "First port"),
                ("last", "Last port"),
            ],
            port_member,
        )
        .example("port-object eq 5061"),
        row(
            SERVICE_GROUP,
            "service-object { object <member> \
             | tcp-udp [source $ports@source-port] [destination $ports@destination-port] | $service }",
            No::Same,
            &[
                ("service-object", "Add a service"),
                ("tcp-udp", "TCP and UDP"),
                ("source", "Source port"),
                ("destination", "Destination port"),
            ],
            service_member,
        )
        .example("service-object tcp destination eq 5062"),
        number_group::PROTOCOL_MEMBER,
        number_group::ICMP_MEMBER,
    ],
    print: print::access::groups,
    clear: Some(clear_groups),
    ..Family::EMPTY
};

fn enter_network_group(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let table = Table {
        of: |config| &mut config.network_groups,
        used_by: usage::of_network,
        thing: Thing::Group,
        kind: Kind::NetworkGroup,
        mode: Mode::NetworkGroup,
    };
    enter(change, captures, table)
}

fn enter_service_group(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    let transport = captures
        .one_of(&["tcp", "udp", "tcp-udp"])
        .map(|keyword| match keyword {
            "tcp" => GroupTransport::Tcp,
            "udp" => GroupTransport::Udp,
            _ => GroupTransport::TcpUdp,
        });
    if captures.negated() {
        let exists = change.config.service_groups.contains_key(name);
        let by = usage::of_service(change.config, name);
        removable(Thing::Group, name, exists, by)?;
        return change
            .outcome
            .removed(change.config.service_groups.remove(name));
    }
    name_is_free(change.config, name, Kind::ServiceGroup)?;
    let present = change.config.service_groups.get(name);
    if present.is_some_and(|group| transport.is_some() && group.transport != transport) {
        return Err(Refusal::NameTaken(name.into()));
    }
    change.outcome.changed |= change.config.service_groups.make(name, || ServiceGroup {
        transport,
        ..ServiceGroup::default()
    });
    change.enter(Mode::ServiceGroup(name.into()));
    Ok(())
}

fn network_member(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let member = if let Some(name) = captures.word("member") {
        if !change.config.network_objects.contains_key(name) {
            return Err(Refusal::Missing(Thing::Object, name.into()));
        }
        NetworkMember::Object(name.into())
    } else if captures.has("address6") {
        NetworkMember::Host6(ip6(captures, "address6")?)
    } else if captures.has("prefix") {
        NetworkMember::Subnet6(network6(captures, "prefix")?)
    } else if let Some(address) = captures.ip("address") {
        NetworkMember::Host(address)
    } else {
        NetworkMember::Subnet(network(ip(captures, "network")?, ip(captures, "mask")?)?)
    };
    edit_network_group(change, captures.negated(), member)
}

fn group_member(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let inner = word(captures, "member")?;
    match change.state.mode.clone() {
        Mode::NetworkGroup(name) => {
            if !change.config.network_groups.contains_key(inner) {
                return Err(Refusal::Missing(Thing::Group, inner.into()));
            }
            if network_group_holds(change.config, inner, &name) {
                return Err(Refusal::GroupLoop(inner.into()));
            }
            edit_network_group(
                change,
                captures.negated(),
                NetworkMember::Group(inner.into()),
            )
        }
        Mode::ServiceGroup(name) => {
            let groups = &change.config.service_groups;
            let group = groups.get(inner);
            let group = group.ok_or_else(|| Refusal::Missing(Thing::Group, inner.into()))?;
            if groups
                .get(&name)
                .is_none_or(|outer| outer.transport != group.transport)
            {
                return Err(Refusal::WrongGroupKind(inner.into()));
            }
            if service_group_holds(change.config, inner, &name) {
                return Err(Refusal::GroupLoop(inner.into()));
            }
            edit_service_group(
                change,
                captures.negated(),
                ServiceMember::Group(inner.into()),
            )
        }
        _ => number_group::hold(change, captures.negated(), inner),
    }
}

fn port_member(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let port = port_match(captures)?.ok_or(Refusal::Invalid { offset: 0 })?;
    let (_, group) = current!(change, ServiceGroup, service_groups);
    if group.transport.is_none() {
        return Err(Refusal::Unsupported("A port in a group of whole services"));
    }
    edit_service_group(change, captures.negated(), ServiceMember::Port(port))
}

fn service_member(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let member = match captures.word("member") {
        Some(name) if change.config.service_objects.contains_key(name) => {
            ServiceMember::Object(name.into())
        }
        Some(name) => return Err(Refusal::Missing(Thing::Object, name.into())),
        None if captures.has("tcp-udp") => ServiceMember::TcpUdp {
            source: port_match(&captures.group("source-port"))?,
            destination: port_match(&captures.group("destination-port"))?,
        },
        None => ServiceMember::Service(service(captures)?),
    };
    let (_, group) = current!(change, ServiceGroup, service_groups);
    if group.transport.is_some() {
        return Err(Refusal::Unsupported("A whole service in a group of ports"));
    }
    edit_service_group(change, captures.negated(), member)
}

fn edit_network_group(
    change: &mut Change<'_>,
    negated: bool,
    member: NetworkMember,
) -> Result<(), Refusal> {
    let (name, group) = current!(change, NetworkGroup, network_groups);
    let group: &mut NetworkGroup = group;
    let at = group.members.iter().position(|present| *present == member);
    let inner = match &member {
        NetworkMember::Group(inner) if !negated => Some(inner.clone()),
        _ => None,
    };
    // Where the member is put back, or from where it is taken out again, if a check fails.
    let at = match (negated, at) {
        (true, None) => return Err(Refusal::NothingToRemove),
        (true, Some(at)) => {
            group.members.remove(at);
            at
        }
        (false, None) => {
            group.members.push(member.clone());
            group.members.len() - 1
        }
        (false, Some(_)) => {
            change.notice(Notice::Duplicate(name));
            return Ok(());
        }
    };
    let is_empty = group.members.is_empty();
    let checked = if is_empty && usage::of_network(change.config, &name).is_some() {
        Err(Refusal::WouldBeEmpty(name.clone()))
    } else {
        super::nat_check::check_network(change.config, &name)
    };
    if let Err(refusal) = checked {
        let (_, group) = current!(change, NetworkGroup, network_groups);
        if negated {
            group.members.insert(at, member);
        } else {
            group.members.remove(at);
        }
        return Err(refusal);
    }
    if let Some(inner) = inner {
        let groups = &mut change.config.network_groups;
        place_after(groups, &name, &inner, &|group, name| {
            let held = NetworkMember::Group(name.into());
            group.members.contains(&held)
        });
    }
    change.outcome.changed = true;
    Ok(())
}

fn edit_service_group(
    change: &mut Change<'_>,
    negated: bool,
    member: ServiceMember,
) -> Result<(), Refusal> {
    let (name, group) = current!(change, ServiceGroup, service_groups);
    let at = group.members.iter().position(|present| *present == member);
    if !negated {
        if at.is_some() {
            change.notice(Notice::Duplicate(name));
        } else {
            let inner = match &member {
                ServiceMember::Group(inner) => Some(inner.clone()),
                _ => None,
            };
            group.members.push(member);
            if let Some(inner) = inner {
                let groups = &mut change.config.service_groups;
                place_after(groups, &name, &inner, &|group, name| {
                    let held = ServiceMember::Group(name.into());
                    group.members.contains(&held)
                });
            }
            change.outcome.changed = true;
        }
        return Ok(());
    }
    let at = at.ok_or(Refusal::NothingToRemove)?;
    if group.members.len() == 1 && usage::of_service(change.config, &name).is_some() {
        return Err(Refusal::WouldBeEmpty(name));
    }
    let (_, group) = current!(change, ServiceGroup, service_groups);
    group.members.remove(at);
    change.outcome.changed = true;
    Ok(())
}

fn clear_groups(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let (config, outcome) = (&mut *change.config, &mut change.outcome);
    // A group used only by another group goes together with it.
    let outside = |by: &&'static str| *by != "object-group";
    for name in config.network_groups.keys() {
        let by = usage::of_network(config, name).filter(outside);
        removable(Thing::Group, name, true, by)?;
    }
    for name in config.service_groups.keys() {
        let by = usage::of_service(config, name).filter(outside);
        removable(Thing::Group, name, true, by)?;
    }
    for kind in NumberKind::ALL {
        for name in config.number_groups(kind).keys() {
            let by = usage::of_number_group(config, kind, name).filter(outside);
            removable(Thing::Group, name, true, by)?;
        }
    }
    for kind in NumberKind::ALL {
        outcome.set(config.number_groups_mut(kind), Default::default());
    }
    outcome.set(&mut config.network_groups, Default::default());
    outcome.set(&mut config.service_groups, Default::default());
    Ok(())
}

/// Makes group `outer` stand after the group `inner` that it holds now, and what holds `outer` after
/// that, so that the groups can be read back from top to bottom.
pub(super) fn place_after<G>(
    groups: &mut Named<G>,
    outer: &str,
    inner: &str,
    holds: &dyn Fn(&G, &str) -> bool,
) {
    if !groups.is_before(outer, inner) {
        return;
    }
    groups.move_to_end(outer);
    let holders: Vec<String> = groups
        .iter()
        .filter(|(_, group)| holds(group, outer))
        .map(|(name, _)| name.clone())
        .collect();
    for holder in holders {
        place_after(groups, &holder, outer, holds);
    }
}

/// Whether group `outer` is `inner` or holds it, however deep.
fn network_group_holds(config: &Config, outer: &str, inner: &str) -> bool {
    outer == inner
        || config.network_groups.get(outer).is_some_and(|group| {
            group.members.iter().any(|member| match member {
                NetworkMember::Group(name) => network_group_holds(config, name, inner),
                _ => false,
            })
        })
}

fn service_group_holds(config: &Config, outer: &str, inner: &str) -> bool {
    outer == inner
        || config.service_groups.get(outer).is_some_and(|group| {
            group.members.iter().any(|member| match member {
                ServiceMember::Group(name) => service_group_holds(config, name, inner),
                _ => false,
            })
        })
}

//! Objects and groups.

use super::family::Family;
use super::{Change, invalid, ip, network, number_group, refusing, row, small, usage, word};
use crate::mode::{
    GLOBAL, ICMP_GROUP, Mode, NETWORK_GROUP, NETWORK_OBJECT, PROTOCOL_GROUP, SERVICE_GROUP,
    SERVICE_OBJECT,
};
use crate::model::{
    AddressRange, Config, GroupTransport, IcmpMatch, Named, NetworkGroup, NetworkMember,
    NetworkObject, NumberKind, ObjectAddress, PortMatch, Service, ServiceGroup, ServiceMember,
    ServiceObject, Transport,
};
use crate::names;
use crate::print;
use crate::refusal::{Notice, Refusal, Thing};
use alloc::string::String;
use alloc::vec::Vec;
use cli::grammar::{Captures, Fragment, No};

/// A protocol with ports or an ICMP type.
pub(super) const SERVICE: Fragment = Fragment {
    name: "service",
    syntax: "{ { tcp | udp } [source $ports@source-port] [destination $ports@destination-port] \
             | icmp [<icmp-type> [<icmp-code:0-255>]] | <protocol> }",
    help: &[
        ("tcp", "TCP"),
        ("udp", "UDP"),
        ("icmp", "ICMP"),
        ("source", "Source port"),
        ("destination", "Destination port"),
        ("icmp-type", "ICMP type by number or name"),
        ("icmp-code", "ICMP code"),
        ("protocol", "IP protocol by number or name"),
    ],
};

pub(super) const OBJECT: Family = Family {
    keyword: "object",
    help: "Objects",
    narrow: "[{ network | service }] [id <name>]",
    rows: &[
        row(
            GLOBAL,
            "object network <name:word(64)>",
            No::Same,
            &[
                ("object", "Configure an object"),
                ("network", "A network object or group"),
                ("name", "Name of up to 64 characters"),
            ],
            enter_network,
        )
        .example("object network IMP"),
        row(
            GLOBAL,
            "object service <name:word(64)>",
            No::Same,
            &[("service", "A service object or group")],
            enter_service,
        )
        .example("object service SIPS"),
        row(
            NETWORK_OBJECT,
            "{ host <address:ip> | subnet <network:ip> <mask:mask> | range <first:ip> <last:ip> }",
            No::Same,
            &[
                ("host", "One address"),
                ("address", "Address of the host"),
                ("subnet", "A network"),
                ("network", "Network address"),
                ("mask", "Network mask"),
                ("range", "A range of addresses"),
                ("first", "First address of the range"),
                ("last", "Last address of the range"),
            ],
            object_address,
        )
        .example("host 10.20.0.12"),
        refusing(
            NETWORK_OBJECT,
            "fqdn <rest:text>",
            &[
                ("fqdn", "An address by domain name (not supported)"),
                ("rest", "Domain name"),
            ],
            fqdn,
        )
        .example("fqdn imp.example.com"),
        row(
            SERVICE_OBJECT,
            "service $service",
            No::Syntax("service [$service]"),
            &[("service", "The protocol and its ports")],
            object_service,
        )
        .example("service tcp source eq 5061"),
        row(
            NETWORK_OBJECT | SERVICE_OBJECT,
            "description <description:text>",
            No::Syntax("description [<description:text>]"),
            &[("description", "Description of up to 200 characters")],
            description,
        )
        .example("description an IM and Presence node"),
    ],
    print: print::access::objects,
    clear: Some(clear_objects),
    ..Family::EMPTY
};

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
            "network-object { host <address:ip> | object <member> | <network:ip> <mask:mask> }",
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

/// The text of a description, none for the `no` form.
pub(super) fn description_text(captures: &Captures<'_>) -> Result<Option<String>, Refusal> {
    if captures.negated() {
        return Ok(None);
    }
    Ok(Some(super::text(captures, "description")?.into()))
}

/// A condition on a port, if there is one among the captures.
pub(super) fn port_match(captures: &Captures<'_>) -> Result<Option<PortMatch>, Refusal> {
    if let (Some(first), Some(last)) = (captures.port("first"), captures.port("last")) {
        if first > last {
            return Err(Refusal::BadRange);
        }
        return Ok(Some(PortMatch::Range(first, last)));
    }
    let Some(port) = captures.port("port") else {
        return Ok(None);
    };
    Ok(Some(match captures.one_of(&["neq", "lt", "gt"]) {
        Some("neq") => PortMatch::NotEqual(port),
        Some("lt") => PortMatch::Less(port),
        Some(_) => PortMatch::Greater(port),
        None => PortMatch::Equal(port),
    }))
}

/// An ICMP type, if there is one among the captures.
pub(super) fn icmp_match(captures: &Captures<'_>) -> Result<Option<IcmpMatch>, Refusal> {
    let Some(name) = captures.word("icmp-type") else {
        return Ok(None);
    };
    let kind = names::parse_icmp_type(name).ok_or_else(|| invalid(captures, "icmp-type"))?;
    let code = if captures.has("icmp-code") {
        Some(small(captures, "icmp-code")?)
    } else {
        None
    };
    Ok(Some(IcmpMatch { kind, code }))
}

/// A service as written with [`SERVICE`].
fn service(captures: &Captures<'_>) -> Result<Service, Refusal> {
    match captures.one_of(&["tcp", "udp", "icmp"]) {
        Some("icmp") => Ok(Service::Icmp(icmp_match(captures)?)),
        Some(transport) => Ok(Service::Ports {
            transport: if transport == "tcp" {
                Transport::Tcp
            } else {
                Transport::Udp
            },
            source: port_match(&captures.group("source-port"))?,
            destination: port_match(&captures.group("destination-port"))?,
        }),
        None => {
            let protocol = names::parse_protocol(word(captures, "protocol")?);
            Ok(
                match protocol.ok_or_else(|| invalid(captures, "protocol"))? {
                    1 => Service::Icmp(None),
                    6 => plain(Transport::Tcp),
                    17 => plain(Transport::Udp),
                    number => Service::Protocol(number),
                },
            )
        }
    }
}

const fn plain(transport: Transport) -> Service {
    Service::Ports {
        transport,
        source: None,
        destination: None,
    }
}

/// Checks that nothing of another kind has the name.
pub(super) fn name_is_free(config: &Config, name: &str, own: Kind) -> Result<(), Refusal> {
    let taken = own != Kind::NetworkObject && config.network_objects.contains_key(name)
        || own != Kind::ServiceObject && config.service_objects.contains_key(name)
        || own != Kind::NetworkGroup && config.network_groups.contains_key(name)
        || own != Kind::ServiceGroup && config.service_groups.contains_key(name)
        || NumberKind::ALL.into_iter().any(|kind| {
            own != Kind::NumberGroup(kind) && config.number_groups(kind).contains_key(name)
        });
    if taken {
        Err(Refusal::NameTaken(name.into()))
    } else {
        Ok(())
    }
}

/// What shares one name space.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    NetworkObject,
    ServiceObject,
    NetworkGroup,
    ServiceGroup,
    NumberGroup(NumberKind),
}

pub(super) fn removable(
    thing: Thing,
    name: &str,
    exists: bool,
    by: Option<&'static str>,
) -> Result<(), Refusal> {
    if !exists {
        return Err(Refusal::Missing(thing, name.into()));
    }
    by.map_or(Ok(()), |by| {
        Err(Refusal::InUse {
            thing,
            name: name.into(),
            by,
        })
    })
}

fn enter_network(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if captures.negated() {
        let exists = change.config.network_objects.contains_key(name);
        let by = usage::of_network(change.config, name);
        removable(Thing::Object, name, exists, by)?;
        return change
            .outcome
            .removed(change.config.network_objects.remove(name));
    }
    name_is_free(change.config, name, Kind::NetworkObject)?;
    change.outcome.changed |= change
        .config
        .network_objects
        .make(name, NetworkObject::default);
    change.enter(Mode::NetworkObject(name.into()));
    Ok(())
}

fn enter_service(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if captures.negated() {
        let exists = change.config.service_objects.contains_key(name);
        let by = usage::of_service(change.config, name);
        removable(Thing::Object, name, exists, by)?;
        return change
            .outcome
            .removed(change.config.service_objects.remove(name));
    }
    name_is_free(change.config, name, Kind::ServiceObject)?;
    change.outcome.changed |= change
        .config
        .service_objects
        .make(name, ServiceObject::default);
    change.enter(Mode::ServiceObject(name.into()));
    Ok(())
}

fn enter_network_group(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if captures.negated() {
        let exists = change.config.network_groups.contains_key(name);
        let by = usage::of_network(change.config, name);
        removable(Thing::Group, name, exists, by)?;
        return change
            .outcome
            .removed(change.config.network_groups.remove(name));
    }
    name_is_free(change.config, name, Kind::NetworkGroup)?;
    change.outcome.changed |= change
        .config
        .network_groups
        .make(name, NetworkGroup::default);
    change.enter(Mode::NetworkGroup(name.into()));
    Ok(())
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

/// The name of what is being configured, and the thing itself.
macro_rules! current {
    ($change:expr, $mode:ident, $table:ident) => {{
        let Mode::$mode(name) = &$change.state.mode else {
            return Err(Refusal::Invalid { offset: 0 });
        };
        let name = name.clone();
        let Some(thing) = $change.config.$table.get_mut(&name) else {
            return Err(Refusal::Invalid { offset: 0 });
        };
        (name, thing)
    }};
}
pub(super) use current;

fn object_address(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let address = if captures.has("subnet") {
        ObjectAddress::Subnet(network(ip(captures, "network")?, ip(captures, "mask")?)?)
    } else if captures.has("range") {
        let (first, last) = (ip(captures, "first")?, ip(captures, "last")?);
        if first > last {
            return Err(Refusal::BadRange);
        }
        ObjectAddress::Range(AddressRange { first, last })
    } else {
        ObjectAddress::Host(ip(captures, "address")?)
    };
    let (name, object) = current!(change, NetworkObject, network_objects);
    let object: &mut NetworkObject = object;
    let before = object.address;
    if captures.negated() {
        if before != Some(address) {
            return Err(Refusal::NothingToRemove);
        }
        if object.nat.is_some() || usage::of_network(change.config, &name).is_some() {
            return Err(Refusal::WouldBeEmpty(name));
        }
        let (_, object) = current!(change, NetworkObject, network_objects);
        object.address = None;
        change.outcome.changed = true;
        return Ok(());
    }
    change.outcome.set(&mut object.address, Some(address));
    // Nothing uses an object that has no address yet.
    let matters = before.is_some() && change.outcome.changed;
    if matters && let Err(refusal) = super::nat_check::check_network(change.config, &name) {
        let (_, object) = current!(change, NetworkObject, network_objects);
        object.address = before;
        return Err(refusal);
    }
    Ok(())
}

fn fqdn(_: &Captures<'_>) -> Refusal {
    Refusal::Unsupported("An object that holds a domain name")
}

fn object_service(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (name, object) = current!(change, ServiceObject, service_objects);
    let object: &mut ServiceObject = object;
    let before = object.service;
    if captures.negated() {
        if before.is_none() {
            return Err(Refusal::NothingToRemove);
        }
        if usage::of_service(change.config, &name).is_some() {
            return Err(Refusal::WouldBeEmpty(name));
        }
        let (_, object) = current!(change, ServiceObject, service_objects);
        object.service = None;
        change.outcome.changed = true;
        return Ok(());
    }
    change
        .outcome
        .set(&mut object.service, Some(service(captures)?));
    let matters = before.is_some() && change.outcome.changed;
    if matters && let Err(refusal) = super::nat_check::check_service(change.config, &name) {
        let (_, object) = current!(change, ServiceObject, service_objects);
        object.service = before;
        return Err(refusal);
    }
    Ok(())
}

fn description(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    if number_group::current(&change.state.mode).is_some() {
        return number_group::describe(change, captures);
    }
    let text = description_text(captures)?;
    let config = &mut *change.config;
    let place = match &change.state.mode {
        Mode::NetworkObject(name) => config
            .network_objects
            .get_mut(name)
            .map(|o| &mut o.description),
        Mode::ServiceObject(name) => config
            .service_objects
            .get_mut(name)
            .map(|o| &mut o.description),
        Mode::NetworkGroup(name) => config
            .network_groups
            .get_mut(name)
            .map(|g| &mut g.description),
        Mode::ServiceGroup(name) => config
            .service_groups
            .get_mut(name)
            .map(|g| &mut g.description),
        _ => None,
    };
    let place = place.ok_or(Refusal::Invalid { offset: 0 })?;
    change.outcome.set(place, text);
    Ok(())
}

fn network_member(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let member = if let Some(name) = captures.word("member") {
        if !change.config.network_objects.contains_key(name) {
            return Err(Refusal::Missing(Thing::Object, name.into()));
        }
        NetworkMember::Object(name.into())
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

fn clear_objects(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let (config, outcome) = (&mut *change.config, &mut change.outcome);
    for name in config.network_objects.keys() {
        removable(Thing::Object, name, true, usage::of_network(config, name))?;
    }
    for name in config.service_objects.keys() {
        removable(Thing::Object, name, true, usage::of_service(config, name))?;
    }
    outcome.set(&mut config.network_objects, Default::default());
    outcome.set(&mut config.service_objects, Default::default());
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

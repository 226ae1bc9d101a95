//! Objects: addresses and services by name. Groups of them are in `object_group`.

use super::family::Family;
use super::{
    Change, invalid, ip, ip6, network, network6, number_group, refusing, row, small, usage, word,
};
use crate::mode::{GLOBAL, Mode, NETWORK_OBJECT, SERVICE_OBJECT};
use crate::model::{
    AddressRange, AddressRange6, Config, IcmpMatch, Named, NetworkObject, NumberKind,
    ObjectAddress, PortMatch, Service, ServiceObject, Transport,
};
use crate::names;
use crate::print;
use crate::refusal::{Refusal, Thing};
use alloc::string::String;
use cli::grammar::{Captures, Fragment, No};

/// A protocol with ports or an ICMP type.
pub(super) const SERVICE: Fragment = Fragment {
    name: "service",
    syntax: "{ { tcp | udp } [source $ports@source-port] [destination $ports@destination-port] \
             | { icmp | icmp6 } [<icmp-type> [<icmp-code:0-255>]] | <protocol> }",
    help: &[
        ("tcp", "TCP"),
        ("udp", "UDP"),
        ("icmp", "ICMP"),
        ("icmp6", "ICMPv6"),
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
            "{ host { <address:ip> | <address6:ip6> } | subnet { <network:ip> <mask:mask> | <prefix:prefix6> } \
             | range { <first:ip> <last:ip> | <first6:ip6> <last6:ip6> } }",
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
                ("address6", "IPv6 address of the host"),
                ("prefix", "IPv6 prefix"),
                ("first6", "First IPv6 address of the range"),
                ("last6", "Last IPv6 address of the range"),
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
    typed_icmp(captures, names::parse_icmp_type)
}

/// As [`icmp_match`], of ICMPv6.
pub(super) fn icmp6_match(captures: &Captures<'_>) -> Result<Option<IcmpMatch>, Refusal> {
    typed_icmp(captures, names::parse_icmp6_type)
}

fn typed_icmp(
    captures: &Captures<'_>,
    parse: fn(&str) -> Option<u8>,
) -> Result<Option<IcmpMatch>, Refusal> {
    let Some(name) = captures.word("icmp-type") else {
        return Ok(None);
    };
    let kind = parse(name).ok_or_else(|| invalid(captures, "icmp-type"))?;
    let code = if captures.has("icmp-code") {
        Some(small(captures, "icmp-code")?)
    } else {
        None
    };
    Ok(Some(IcmpMatch { kind, code }))
}

/// A service as written with [`SERVICE`].
pub(super) fn service(captures: &Captures<'_>) -> Result<Service, Refusal> {
    match captures.one_of(&["tcp", "udp", "icmp", "icmp6"]) {
        Some("icmp") => Ok(Service::Icmp(icmp_match(captures)?)),
        Some("icmp6") => Ok(Service::Icmp6(icmp6_match(captures)?)),
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
                    58 => Service::Icmp6(None),
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

/// A table of named things, and what makes one of its own kind.
pub(super) struct Table<T> {
    pub(super) of: fn(&mut Config) -> &mut Named<T>,
    pub(super) used_by: fn(&Config, &str) -> Option<&'static str>,
    pub(super) thing: Thing,
    pub(super) kind: Kind,
    pub(super) mode: fn(String) -> Mode,
}

/// `KIND NAME` makes one or goes on with it, `no KIND NAME` removes it unless it is in use.
pub(super) fn enter<T: Default + PartialEq>(
    change: &mut Change<'_>,
    captures: &Captures<'_>,
    table: Table<T>,
) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if captures.negated() {
        let exists = (table.of)(change.config).contains_key(name);
        let by = (table.used_by)(change.config, name);
        removable(table.thing, name, exists, by)?;
        return change
            .outcome
            .removed((table.of)(change.config).remove(name));
    }
    name_is_free(change.config, name, table.kind)?;
    change.outcome.changed |= (table.of)(change.config).make(name, T::default);
    change.enter((table.mode)(name.into()));
    Ok(())
}

fn enter_network(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let table = Table {
        of: |config| &mut config.network_objects,
        used_by: usage::of_network,
        thing: Thing::Object,
        kind: Kind::NetworkObject,
        mode: Mode::NetworkObject,
    };
    enter(change, captures, table)
}

fn enter_service(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let table = Table {
        of: |config| &mut config.service_objects,
        used_by: usage::of_service,
        thing: Thing::Object,
        kind: Kind::ServiceObject,
        mode: Mode::ServiceObject,
    };
    enter(change, captures, table)
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
    let address = if captures.has("prefix") {
        ObjectAddress::Subnet6(network6(captures, "prefix")?)
    } else if captures.has("address6") {
        ObjectAddress::Host6(ip6(captures, "address6")?)
    } else if captures.has("first6") {
        let (first, last) = (ip6(captures, "first6")?, ip6(captures, "last6")?);
        if first > last {
            return Err(Refusal::BadRange);
        }
        ObjectAddress::Range6(AddressRange6 { first, last })
    } else if captures.has("subnet") {
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

pub(super) fn description(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
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

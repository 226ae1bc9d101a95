//! Access lists and their bindings.

use super::family::Family;
use super::object::{icmp_match, icmp6_match, port_match};
use super::{
    Change, invalid, ip, ip6, network, network6, number, refusing, row, text, usage, word,
};
use crate::mode::GLOBAL;
use crate::model::{
    AccessGroupPlace, AccessLine, AccessRule, Action, AddressMatch, Config, PortSelect, RuleLog,
    RuleService, Transport,
};
use crate::names;
use crate::print;
use crate::refusal::{Notice, Refusal, Thing};
use alloc::boxed::Box;
use cli::grammar::{Captures, Fragment, No};

/// An address of a rule.
pub(super) const ADDRESS: Fragment = Fragment {
    name: "address",
    syntax: "{ any | any4 | any6 | host { <host-address:ip> | <host-address6:ip6> } | interface <interface> \
             | object <object-name> | object-group <group-name> | <address:ip> <mask:mask> | <prefix:prefix6> }",
    help: &[
        ("any", "Any address"),
        ("any4", "Any IPv4 address"),
        ("any6", "Any IPv6 address"),
        ("host", "One host"),
        ("host-address", "Address of the host"),
        ("host-address6", "IPv6 address of the host"),
        ("prefix", "IPv6 prefix"),
        ("interface", "The addresses of an interface"),
        ("object", "A network object"),
        ("object-name", "Name of the object"),
        ("object-group", "A network group"),
        ("group-name", "Name of the group"),
        ("address", "Network address"),
        ("mask", "Network mask"),
    ],
};

/// A condition on a port.
pub(super) const PORTS: Fragment = Fragment {
    name: "ports",
    syntax: "{ eq <port:port> | neq <port:port> | lt <port:port> | gt <port:port> \
             | range <first:port> <last:port> }",
    help: &[
        ("eq", "Only this port"),
        ("neq", "Every port but this"),
        ("lt", "Ports below this"),
        ("gt", "Ports above this"),
        ("range", "A range of ports"),
        ("port", "Port by number or name"),
        ("first", "First port of the range"),
        ("last", "Last port of the range"),
    ],
};

pub(super) const ACCESS_LIST: Family = Family {
    keyword: "access-list",
    help: "Access lists",
    narrow: "[<name>]",
    rows: &[
        row(
        GLOBAL,
        "access-list <name:word(241)> [line <at:1-2147483647>] remark <remark:text>",
        No::Same,
        &[
            ("access-list", "Configure an access list"),
            ("name", "Name of the list"),
            ("line", "Insert at this place of the list"),
            ("at", "Number of the line, counted from 1"),
            ("remark", "A comment"),
        ],
        remark,
    ).example("access-list OUTSIDE-IN remark calls from partners"),
        row(
        GLOBAL,
        "access-list <name:word(241)> [line <at:1-2147483647>] [extended] { permit | deny } { \
         { tcp | udp | object-group <service-group> } $address@from [{ $ports | object-group <ports-group> }@from-port] \
         $address@to [{ $ports | object-group <ports-group> }@to-port] \
         | { icmp | icmp6 } $address@from $address@to [{ object-group <icmp-group> \
         | <icmp-type> [<icmp-code:0-255>] }] \
         | object <service-object> $address@from $address@to \
         | <protocol> $address@from $address@to } \
         [log [{ disable | default | <level> }] [interval <interval-secs:1-600>]] \
         [time-range <range-name>] [inactive]",
        No::Same,
        &[
            ("extended", "A rule by protocol, addresses and ports"),
            ("permit", "Permit what matches"),
            ("deny", "Deny what matches"),
            ("tcp", "TCP"),
            ("udp", "UDP"),
            ("icmp", "ICMP"),
            ("icmp6", "ICMPv6"),
            ("object", "A service object"),
            ("service-object", "Name of the service object"),
            ("object-group", "A group of services, protocols, ports or ICMP types"),
            ("service-group", "Name of a group of services or protocols"),
            ("icmp-group", "Name of a group of ICMP types"),
            ("ports-group", "Name of a group of ports"),
            ("protocol", "IP protocol by number or name"),
            ("icmp-type", "ICMP type by number or name"),
            ("icmp-code", "ICMP code"),
            ("log", "Log the flows that match"),
            ("disable", "No logging of this rule"),
            ("default", "Logging as without the log option"),
            ("level", "Syslog severity by number or name"),
            ("interval", "Time between two reports of one flow"),
            ("interval-secs", "Seconds"),
            ("time-range", "When the rule is in force"),
            ("range-name", "Name of the time range"),
            ("inactive", "Switch the rule off"),
        ],
        rule,
    ).example("access-list OUTSIDE-IN extended permit tcp object-group PEERS host 10.20.0.11 eq 5061 log"),
        refusing(
        GLOBAL,
        "access-list <name:word(241)> { standard | ethertype | webtype } <rest:text>",
        &[
            ("standard", "A list of destinations (not supported)"),
            ("ethertype", "A list of Ethernet types (not supported)"),
            ("webtype", "A list for clientless access (not supported)"),
            ("rest", "The rule"),
        ],
        other_kind,
    ).example("access-list OLD standard permit 10.20.0.0 255.255.255.0"),
    ],
    print: print::access::lists,
    clear: Some(clear_lists),
    clear_narrow: "[<name>]",
    ..Family::EMPTY
};

pub(super) const ACCESS_GROUP: Family = Family {
    keyword: "access-group",
    help: "Bindings of access lists",
    rows: &[row(
        GLOBAL,
        "access-group <name> { in interface <interface> [control-plane] | out interface <interface> \
         | global }",
        No::Same,
        &[
            ("access-group", "Bind an access list to an interface"),
            ("name", "Name of the list"),
            ("in", "Packets coming in"),
            ("out", "Packets going out"),
            ("interface", "Name of the interface"),
            ("control-plane", "Packets for the box itself"),
            ("global", "Packets coming in at every interface"),
        ],
        access_group,
    )
    .example("access-group OUTSIDE-IN in interface outside")],
    print: print::access::bindings,
    clear: Some(clear_bindings),
    ..Family::EMPTY
};

fn remark(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let line = AccessLine::Remark(text(captures, "remark")?.into());
    if captures.negated() {
        return remove(change, word(captures, "name")?, &line);
    }
    insert(change, captures, line)
}

fn rule(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let config = &*change.config;
    let mut from = address(&captures.group("from"))?;
    let mut to = address(&captures.group("to"))?;
    let service = match captures.one_of(&["tcp", "udp", "icmp", "icmp6", "object", "object-group"])
    {
        Some("icmp") => match captures.word("icmp-group") {
            Some(name) => RuleService::IcmpGroup(name.into()),
            None => RuleService::Icmp(icmp_match(captures)?),
        },
        Some("icmp6") => match captures.word("icmp-group") {
            Some(name) => RuleService::Icmp6Group(name.into()),
            None => RuleService::Icmp6(icmp6_match(captures)?),
        },
        Some("object") => RuleService::Object(word(captures, "service-object")?.into()),
        Some("object-group") => {
            let name = word(captures, "service-group")?;
            let mut from_port = ports(&captures.group("from-port"))?;
            let mut to_port = ports(&captures.group("to-port"))?;
            sort_groups(config, &mut from_port, &mut to, &mut to_port);
            if config.protocol_groups.contains_key(name) {
                RuleService::ProtocolGroup {
                    name: name.into(),
                    source: from_port,
                    destination: to_port,
                }
            } else if from_port.is_none() && to_port.is_none() {
                RuleService::Group(name.into())
            } else {
                return Err(match config.service_groups.contains_key(name) {
                    true => Refusal::WrongGroupKind(name.into()),
                    false => Refusal::Missing(Thing::Group, name.into()),
                });
            }
        }
        Some(transport) => {
            let mut from_port = ports(&captures.group("from-port"))?;
            let mut to_port = ports(&captures.group("to-port"))?;
            sort_groups(config, &mut from_port, &mut to, &mut to_port);
            let transport = if transport == "tcp" {
                Transport::Tcp
            } else {
                Transport::Udp
            };
            RuleService::Ports {
                transport,
                source: from_port,
                destination: to_port,
            }
        }
        None => {
            let protocol = names::parse_protocol(word(captures, "protocol")?);
            match protocol.ok_or_else(|| invalid(captures, "protocol"))? {
                0 => RuleService::Ip,
                1 => RuleService::Icmp(None),
                6 => plain(Transport::Tcp),
                17 => plain(Transport::Udp),
                58 => RuleService::Icmp6(None),
                number => RuleService::Protocol(number),
            }
        }
    };
    for address in [&mut from, &mut to] {
        if let Some(name) = check_address(config, address)? {
            change
                .outcome
                .notices
                .push(Notice::EmptyObject(name.into()));
        }
    }
    check_service(config, &service)?;
    let time_range = captures.word("range-name");
    if let Some(name) = time_range
        && !config.time_ranges.contains_key(name)
    {
        return Err(Refusal::Missing(Thing::TimeRange, name.into()));
    }
    let rule = AccessRule {
        action: if captures.has("permit") {
            Action::Permit
        } else {
            Action::Deny
        },
        service,
        source: from,
        destination: to,
        log: log(captures)?,
        time_range: time_range.map(Into::into),
        inactive: captures.has("inactive"),
    };
    let line = AccessLine::Rule(Box::new(rule));
    if captures.negated() {
        return remove(change, word(captures, "name")?, &line);
    }
    insert(change, captures, line)
}

const fn plain(transport: Transport) -> RuleService {
    RuleService::Ports {
        transport,
        source: None,
        destination: None,
    }
}

fn address(captures: &Captures<'_>) -> Result<AddressMatch, Refusal> {
    if let Some(host) = captures.ip("host-address") {
        return Ok(AddressMatch::Host(host));
    }
    if captures.has("host-address6") {
        return Ok(AddressMatch::Host6(ip6(captures, "host-address6")?));
    }
    if captures.has("prefix") {
        return Ok(AddressMatch::Subnet6(network6(captures, "prefix")?));
    }
    if let Some(name) = captures.word("object-name") {
        return Ok(AddressMatch::Object(name.into()));
    }
    if let Some(name) = captures.word("group-name") {
        return Ok(AddressMatch::Group(name.into()));
    }
    if let Some(name) = captures.word("interface") {
        return Ok(AddressMatch::Interface(name.into()));
    }
    if let Some(address) = captures.ip("address") {
        return Ok(AddressMatch::Subnet(network(
            address,
            ip(captures, "mask")?,
        )?));
    }
    Ok(match captures.one_of(&["any4", "any6"]) {
        Some("any4") => AddressMatch::Any4,
        Some(_) => AddressMatch::Any6,
        None => AddressMatch::Any,
    })
}

fn ports(captures: &Captures<'_>) -> Result<Option<PortSelect>, Refusal> {
    if let Some(name) = captures.word("ports-group") {
        return Ok(Some(PortSelect::Group(name.into())));
    }
    Ok(port_match(captures)?.map(PortSelect::Match))
}

/// `any object-group A object-group B` can be read in two ways; what the groups are decides.
fn sort_groups(
    config: &Config,
    from_port: &mut Option<PortSelect>,
    to: &mut AddressMatch,
    to_port: &mut Option<PortSelect>,
) {
    let is_network = |name: &str| config.network_groups.contains_key(name);
    match (&*from_port, &*to, &*to_port) {
        (Some(PortSelect::Group(first)), AddressMatch::Group(second), None)
            if is_network(first) && !is_network(second) =>
        {
            let ports = PortSelect::Group(second.clone());
            *to = AddressMatch::Group(first.clone());
            *from_port = None;
            *to_port = Some(ports);
        }
        (None, AddressMatch::Group(first), Some(PortSelect::Group(second)))
            if !is_network(first) && is_network(second) =>
        {
            let ports = PortSelect::Group(first.clone());
            *to = AddressMatch::Group(second.clone());
            *from_port = Some(ports);
            *to_port = None;
        }
        _ => {}
    }
}

/// Checks that what the address names exists; returns the name of an empty object.
fn check_address<'a>(
    config: &Config,
    address: &'a AddressMatch,
) -> Result<Option<&'a str>, Refusal> {
    let (name, exists, thing) = match address {
        AddressMatch::Object(name) => (
            name,
            config.network_objects.contains_key(name),
            Thing::Object,
        ),
        AddressMatch::Group(name) => (name, config.network_groups.contains_key(name), Thing::Group),
        AddressMatch::Interface(name) => {
            return match config.interface_named(name) {
                Some(_) => Ok(None),
                None => Err(Refusal::Missing(Thing::Interface, name.clone())),
            };
        }
        AddressMatch::Any
        | AddressMatch::Any4
        | AddressMatch::Any6
        | AddressMatch::Host(_)
        | AddressMatch::Subnet(_)
        | AddressMatch::Host6(_)
        | AddressMatch::Subnet6(_) => {
            return Ok(None);
        }
    };
    if !exists {
        return Err(Refusal::Missing(thing, name.clone()));
    }
    Ok((!config.has_address(name)).then_some(name))
}

fn check_service(config: &Config, service: &RuleService) -> Result<(), Refusal> {
    match service {
        RuleService::Object(name) if !config.service_objects.contains_key(name) => {
            Err(Refusal::Missing(Thing::Object, name.clone()))
        }
        RuleService::Group(name) => {
            let group = config.service_groups.get(name);
            let group = group.ok_or_else(|| Refusal::Missing(Thing::Group, name.clone()))?;
            match group.transport {
                None => Ok(()),
                Some(_) => Err(Refusal::WrongGroupKind(name.clone())),
            }
        }
        RuleService::Ports {
            transport,
            source,
            destination,
        } => {
            for select in [source, destination] {
                if let Some(PortSelect::Group(name)) = select {
                    check_port_group(config, name, Some(*transport))?;
                }
            }
            Ok(())
        }
        // The protocol group is known: it is what told this from a group of services.
        RuleService::ProtocolGroup {
            source,
            destination,
            ..
        } => {
            for select in [source, destination] {
                if let Some(PortSelect::Group(name)) = select {
                    check_port_group(config, name, None)?;
                }
            }
            Ok(())
        }
        RuleService::IcmpGroup(name) | RuleService::Icmp6Group(name)
            if !config.icmp_groups.contains_key(name) =>
        {
            Err(Refusal::Missing(Thing::Group, name.clone()))
        }
        RuleService::Object(_)
        | RuleService::Ip
        | RuleService::Protocol(_)
        | RuleService::Icmp(_)
        | RuleService::Icmp6(_)
        | RuleService::Icmp6Group(_)
        | RuleService::IcmpGroup(_) => Ok(()),
    }
}

/// Checks that the group holds ports of `transport`, or of any if there is none.
fn check_port_group(
    config: &Config,
    name: &str,
    transport: Option<Transport>,
) -> Result<(), Refusal> {
    use crate::model::GroupTransport::{Tcp, TcpUdp, Udp};
    let group = config.service_groups.get(name);
    let group = group.ok_or_else(|| Refusal::Missing(Thing::Group, name.into()))?;
    match (group.transport, transport) {
        (Some(TcpUdp), _)
        | (Some(_), None)
        | (Some(Tcp), Some(Transport::Tcp))
        | (Some(Udp), Some(Transport::Udp)) => Ok(()),
        _ => Err(Refusal::WrongGroupKind(name.into())),
    }
}

fn log(captures: &Captures<'_>) -> Result<RuleLog, Refusal> {
    if !captures.has("log") || captures.has("default") {
        return Ok(RuleLog::Default);
    }
    if captures.has("disable") {
        return Ok(RuleLog::Disable);
    }
    let level = match captures.word("level") {
        Some(name) => names::parse_level(name).ok_or_else(|| invalid(captures, "level"))?,
        None => 6,
    };
    let interval_secs = match captures.number("interval-secs") {
        Some(secs) => u16::try_from(secs).map_err(|_| invalid(captures, "interval-secs"))?,
        None => 300,
    };
    Ok(RuleLog::Flows {
        level,
        interval_secs,
    })
}

fn insert(
    change: &mut Change<'_>,
    captures: &Captures<'_>,
    line: AccessLine,
) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    let at = match captures.has("at") {
        true => number(captures, "at")?.saturating_sub(1) as usize,
        false => usize::MAX,
    };
    let list = change.config.access_lists.get_or_default(name);
    if let AccessLine::Rule(rule) = &line
        && let Some(present) = list.position(&line)
    {
        if list.lines().get(present) == Some(&line) {
            change.notice(Notice::Duplicate(name.into()));
        } else {
            list.update(present, rule);
            change.outcome.changed = true;
        }
        return Ok(());
    }
    list.insert(at, line);
    change.outcome.changed = true;
    Ok(())
}

fn remove(change: &mut Change<'_>, name: &str, line: &AccessLine) -> Result<(), Refusal> {
    let list = change.config.access_lists.get(name);
    let list = list.ok_or_else(|| Refusal::Missing(Thing::AccessList, name.into()))?;
    let at = list.position(line).ok_or(Refusal::NothingToRemove)?;
    let is_last_rule = matches!(line, AccessLine::Rule(_)) && list.rules().nth(1).is_none();
    if is_last_rule && usage::of_access_list(change.config, name).is_some() {
        return Err(Refusal::LastRule(name.into()));
    }
    if let Some(list) = change.config.access_lists.get_mut(name) {
        list.remove(at);
        change.outcome.changed = true;
        if list.lines().is_empty() {
            change.config.access_lists.remove(name);
        }
    }
    Ok(())
}

fn other_kind(_: &Captures<'_>) -> Refusal {
    Refusal::Unsupported("An access list that is not extended")
}

fn access_group(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    let place = match captures.word("interface") {
        None => AccessGroupPlace::Global,
        Some(interface) if captures.has("control-plane") => {
            AccessGroupPlace::ControlPlane(interface.into())
        }
        Some(interface) if captures.has("in") => AccessGroupPlace::In(interface.into()),
        Some(interface) => AccessGroupPlace::Out(interface.into()),
    };
    if captures.negated() {
        if change
            .config
            .access_groups
            .get(&place)
            .is_none_or(|bound| bound != name)
        {
            return Err(Refusal::NothingToRemove);
        }
        return change
            .outcome
            .removed(change.config.access_groups.remove(&place));
    }
    let list = change.config.access_lists.get(name);
    let list = list.ok_or_else(|| Refusal::Missing(Thing::AccessList, name.into()))?;
    if list.rules().next().is_none() {
        return Err(Refusal::EmptyAccessList(name.into()));
    }
    if let AccessGroupPlace::In(interface)
    | AccessGroupPlace::Out(interface)
    | AccessGroupPlace::ControlPlane(interface) = &place
    {
        change.require_interface(interface)?;
    }
    let bound = change.config.access_groups.entry(place).or_default();
    change.outcome.set(bound, name.into());
    Ok(())
}

/// Removes the list `only`, or all of them.
fn clear_lists(change: &mut Change<'_>, only: Option<&str>) -> Result<(), Refusal> {
    let config = &mut *change.config;
    if let Some(name) = only
        && !config.access_lists.contains_key(name)
    {
        return Err(Refusal::Missing(Thing::AccessList, name.into()));
    }
    let chosen = |name: &str| only.is_none_or(|only| only == name);
    for name in config.access_lists.keys().filter(|name| chosen(name)) {
        if let Some(by) = usage::of_access_list(config, name) {
            return Err(Refusal::InUse {
                thing: Thing::AccessList,
                name: name.clone(),
                by,
            });
        }
    }
    let before = config.access_lists.len();
    config.access_lists.retain(|name, _| !chosen(name));
    change.outcome.changed = config.access_lists.len() != before;
    Ok(())
}

fn clear_bindings(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let places = &mut change.config.access_groups;
    change.outcome.set(places, Default::default());
    Ok(())
}

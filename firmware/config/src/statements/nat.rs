//! Translation rules: the statements. What they must not say is in `nat_check`.

use super::family::Family;
use super::nat_check::{check_auto, check_manual};
use super::object::current;
use super::{Change, invalid, nat6_check, refusing, row, word};
use crate::mode::{GLOBAL, Mode, NETWORK_OBJECT};
use crate::model::{
    AutoNat, AutoNatKind, DynamicMapping, ManualDestination, ManualMapped, ManualNat,
    ManualService, ManualSource, MappedAddress, NatInterfaces, NetworkObject, PatPool,
    PortTranslation, RealAddress, Transport,
};
use crate::print;
use crate::refusal::{Notice, Refusal};
use alloc::vec::Vec;
use cli::grammar::{Captures, No};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const NAT: Family = Family {
    keyword: "nat",
    help: "Translation rules",
    rows: &[
        row(
        NETWORK_OBJECT,
        "nat [<interfaces:pair>] { static { interface | <mapped> } [net-to-net] [dns] \
         [service { tcp | udp } <real-port:port> <mapped-port:port>] [no-proxy-arp] [route-lookup] \
         | dynamic { interface | pat-pool <pool> { round-robin | extended | flat [include-reserve] \
         | interface }*@pool | <mapped> [interface]@fallback } [dns] }",
        No::Syntax("nat [<interfaces:pair>] [{ static | dynamic } <rest:text>]"),
        &[
            ("nat", "Translate the addresses of the object"),
            ("interfaces", "Real and mapped interface"),
            ("static", "One to one, both ways"),
            ("dynamic", "Many to few, opened from the real side"),
            ("interface", "The address of the mapped interface"),
            ("mapped", "Mapped address or object"),
            ("net-to-net", "Network to network"),
            ("dns", "Rewrite DNS answers as well"),
            ("service", "Translate one port only"),
            ("tcp", "TCP"),
            ("udp", "UDP"),
            ("real-port", "Port the host listens on"),
            ("mapped-port", "Port seen on the mapped side"),
            ("no-proxy-arp", "Do not answer ARP for the mapped address"),
            (
                "route-lookup",
                "Find the egress interface by the route table",
            ),
            ("pat-pool", "A pool of addresses shared by port"),
            ("pool", "Object or group of the pool"),
            ("round-robin", "Take the addresses in turn"),
            ("extended", "Ports are unique per destination"),
            ("flat", "Use the port range 1024-65535 as a whole"),
            ("include-reserve", "Use ports below 1024 as well"),
            ("rest", "The rule to remove"),
        ],
        auto,
    ).example("nat (inside,outside) static 203.0.113.10"),
        row(
        GLOBAL,
        "nat [<interfaces:pair>] [{ after-auto [<line:1-2147483647>] | <line:1-2147483647> }] source \
         { static <real> { interface | <mapped> } \
         | dynamic <real> { interface | pat-pool <pool> { round-robin | extended \
         | flat [include-reserve] | interface }*@pool | <mapped> [interface]@fallback } } \
         [destination static { interface | <mapped> }@to <to-real>] \
         [service <service-real> <service-mapped>] \
         { net-to-net | dns | unidirectional | no-proxy-arp | route-lookup | inactive }* \
         [description <description:text>]",
        No::Same,
        &[
            ("nat", "Translate source and destination together"),
            ("after-auto", "After the rules of the objects"),
            ("line", "Insert at this place of the section"),
            ("source", "Source translation"),
            ("real", "Real object or group, or any"),
            ("destination", "Destination translation"),
            ("to-real", "Real object or group"),
            ("service", "Port translation by service objects"),
            ("service-real", "Real source or mapped destination service"),
            (
                "service-mapped",
                "Mapped source or real destination service",
            ),
            (
                "unidirectional",
                "Translate flows opened from the real side only",
            ),
            ("inactive", "Switch the rule off"),
            ("description", "Description of the rule"),
        ],
        manual,
    ).example("nat (inside,outside) source static IMP IMP-PUBLIC service SIP5062 SIPS"),
        refusing(
        GLOBAL,
        "nat <brackets> <id:0-2147483647> <old-rule:text>",
        &[
            ("brackets", "The old form names one interface"),
            ("id", "Number of the old form"),
            ("old-rule", "Rule of the old form"),
        ],
        old_nat,
    ).example("nat (inside) 1 10.20.0.0 255.255.255.0"),
        refusing(
        GLOBAL,
        "global <brackets> <old-rule:text>",
        &[("global", "Old form of a mapped address (not supported)")],
        old_global,
    ).example("global (outside) 1 203.0.113.10"),
        refusing(
        GLOBAL,
        "static <interfaces:pair> <old-rule:text>",
        &[("static", "Old form of a static translation (not supported)")],
        old_static,
    ).example("static (inside,outside) 203.0.113.10 10.20.0.11"),
    ],
    print: print::access::nat,
    clear: Some(clear_nat),
    ..Family::EMPTY
};

fn auto(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    if captures.negated() {
        let (_, object) = current!(change, NetworkObject, network_objects);
        return change.outcome.removed(object.nat.take());
    }
    let kind = if captures.has("static") {
        let mapped = match captures.word("mapped") {
            None => MappedAddress::Interface,
            Some(name) => match name.parse() {
                Ok(IpAddr::V4(address)) => MappedAddress::Address(address),
                Ok(IpAddr::V6(address)) => MappedAddress::Address6(address),
                Err(_) => MappedAddress::Object(name.into()),
            },
        };
        let service = match (captures.port("real-port"), captures.port("mapped-port")) {
            (Some(real), Some(mapped)) => {
                let transport = if captures.has("tcp") {
                    Transport::Tcp
                } else {
                    Transport::Udp
                };
                Some(PortTranslation {
                    transport,
                    real,
                    mapped,
                })
            }
            _ => None,
        };
        AutoNatKind::Static { mapped, service }
    } else {
        AutoNatKind::Dynamic(dynamic(captures, true)?)
    };
    let rule = AutoNat {
        interfaces: interfaces(captures),
        kind,
        net_to_net: captures.has("net-to-net"),
        dns: captures.has("dns"),
        no_proxy_arp: captures.has("no-proxy-arp"),
        route_lookup: captures.has("route-lookup"),
    };
    let (name, object) = current!(change, NetworkObject, network_objects);
    let object: NetworkObject = object.clone();
    check_auto(change.config, &name, &object, &rule)?;
    if let Some(object) = change.config.network_objects.get_mut(&name) {
        change.outcome.set(&mut object.nat, Some(rule));
    }
    Ok(())
}

fn manual(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let real = real_address(word(captures, "real")?);
    let source = if captures.has("static") && !captures.has("dynamic") {
        ManualSource::Static {
            real,
            mapped: mapped_address(captures),
        }
    } else {
        ManualSource::Dynamic {
            real,
            mapped: dynamic(captures, false)?,
        }
    };
    let to = captures.group("to");
    let destination = (!to.is_empty())
        .then(|| -> Result<_, Refusal> {
            let real = real_address(word(captures, "to-real")?);
            Ok(ManualDestination {
                mapped: mapped_address(&to),
                real,
            })
        })
        .transpose()?;
    let service = match (
        captures.word("service-real"),
        captures.word("service-mapped"),
    ) {
        (Some(real), Some(mapped)) => Some(ManualService {
            real: real.into(),
            mapped: mapped.into(),
        }),
        _ => None,
    };
    let rule = ManualNat {
        interfaces: interfaces(captures),
        source,
        destination,
        service,
        net_to_net: captures.has("net-to-net"),
        dns: captures.has("dns"),
        unidirectional: captures.has("unidirectional"),
        no_proxy_arp: captures.has("no-proxy-arp"),
        route_lookup: captures.has("route-lookup"),
        inactive: captures.has("inactive"),
        description: captures.text("description").map(Into::into),
    };
    if !captures.negated() {
        check_manual(change.config, &rule)?;
    }
    let after_auto = captures.has("after-auto");
    let section = if after_auto {
        &mut change.config.nat_after
    } else {
        &mut change.config.nat_before
    };
    let present = section
        .iter()
        .position(|present| same_translation(present, &rule));
    if captures.negated() {
        section.remove(present.ok_or(Refusal::NothingToRemove)?);
        change.outcome.changed = true;
        return Ok(());
    }
    if let Some(present) = present.and_then(|at| section.get_mut(at)) {
        // The same translation again may still change its activity or description.
        change.outcome.set(present, rule);
        if !change.outcome.changed {
            change.notice(Notice::Duplicate("nat".into()));
        }
        return Ok(());
    }
    let at = captures
        .number("line")
        .map_or(usize::MAX, |line| line.saturating_sub(1) as usize);
    section.insert(at.min(section.len()), rule);
    change.outcome.changed = true;
    Ok(())
}

fn same_translation(first: &ManualNat, second: &ManualNat) -> bool {
    let core = |rule: &ManualNat| ManualNat {
        inactive: false,
        description: None,
        ..rule.clone()
    };
    // What differs most often is looked at first: a section may hold thousands of rules.
    first.source == second.source
        && first.interfaces == second.interfaces
        && core(first) == core(second)
}

fn old_nat(captures: &Captures<'_>) -> Refusal {
    match captures.word("brackets") {
        Some(brackets) if brackets.contains(',') => invalid(captures, "old-rule"),
        _ => old_global(captures),
    }
}

fn old_global(_: &Captures<'_>) -> Refusal {
    Refusal::OldNat("object network NAME / nat (real,mapped) dynamic ADDRESS")
}

fn old_static(_: &Captures<'_>) -> Refusal {
    Refusal::OldNat("nat (real,mapped) source static REAL MAPPED service REAL MAPPED")
}

fn clear_nat(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let (config, outcome) = (&mut *change.config, &mut change.outcome);
    outcome.set(&mut config.nat_before, Vec::new());
    outcome.set(&mut config.nat_after, Vec::new());
    for object in config.network_objects.values_mut() {
        outcome.set(&mut object.nat, None);
    }
    Ok(())
}

fn interfaces(captures: &Captures<'_>) -> NatInterfaces {
    let name = |name: &str| (name != "any").then(|| name.into());
    match captures.pair("interfaces") {
        Some((real, mapped)) => NatInterfaces {
            real: name(real),
            mapped: name(mapped),
        },
        None => NatInterfaces::default(),
    }
}

fn real_address(name: &str) -> RealAddress {
    if name == "any" {
        RealAddress::Any
    } else {
        RealAddress::Object(name.into())
    }
}

fn mapped_address(captures: &Captures<'_>) -> ManualMapped {
    match captures.word("mapped") {
        None => ManualMapped::Interface,
        Some("any") => ManualMapped::Any,
        Some(name) => ManualMapped::Object(name.into()),
    }
}

fn dynamic(captures: &Captures<'_>, address_allowed: bool) -> Result<DynamicMapping, Refusal> {
    if let Some(name) = captures.word("pool") {
        let options = captures.group("pool");
        return Ok(DynamicMapping::PatPool(PatPool {
            name: name.into(),
            round_robin: options.has("round-robin"),
            extended: options.has("extended"),
            flat: options.has("flat"),
            include_reserve: options.has("include-reserve"),
            interface_fallback: options.has("interface"),
        }));
    }
    let Some(name) = captures.word("mapped") else {
        return Ok(DynamicMapping::Interface);
    };
    let interface_fallback = captures.has("fallback.interface");
    if name.parse::<Ipv6Addr>().is_ok() {
        return Err(nat6_check::DYNAMIC);
    }
    match name.parse::<Ipv4Addr>() {
        Ok(_) if interface_fallback => Err(Refusal::Combination("an address", "interface")),
        Ok(address) if address_allowed => Ok(DynamicMapping::Address(address)),
        _ => Ok(DynamicMapping::Object {
            name: name.into(),
            interface_fallback,
        }),
    }
}

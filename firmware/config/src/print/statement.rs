//! Single statements as text: rules, services, translations.

use crate::model::{
    AccessLine, AccessRule, AddressMatch, AutoNat, AutoNatKind, DynamicMapping, IcmpMatch,
    IcmpRule, ManualMapped, ManualNat, ManualSource, MappedAddress, NatInterfaces, PatPool,
    PortMatch, PortSelect, RealAddress, RuleLog, RuleService, Service, Subnet, Transport,
};
use crate::names;
use alloc::format;
use alloc::string::{String, ToString};

/// What follows the name of an access list: `remark TEXT` or `extended …`.
#[must_use]
pub fn access_line(line: &AccessLine) -> String {
    match line {
        AccessLine::Remark(text) => format!("remark {text}"),
        AccessLine::Rule(rule) => access_rule(rule),
    }
}

/// What follows the name of an access list for a rule: `extended permit …`.
#[must_use]
pub fn access_rule(rule: &AccessRule) -> String {
    access_rule_with(rule, short_log)
}

/// A rule as `show access-list` words it: with what `log` alone stands for.
#[must_use]
pub fn access_rule_in_full(rule: &AccessRule) -> String {
    access_rule_with(rule, log_in_full)
}

/// The `log` part as it is configured, with a blank before it; nothing where nothing was said.
fn short_log(log: RuleLog) -> String {
    match log {
        RuleLog::Default => String::new(),
        RuleLog::Disable => " log disable".into(),
        RuleLog::Flows {
            level: 6,
            interval_secs: 300,
        } => " log".into(),
        RuleLog::Flows {
            level,
            interval_secs: 300,
        } => format!(" log {}", names::level(level)),
        RuleLog::Flows { .. } => log_in_full(log),
    }
}

/// The `log` part with its severity and interval, with a blank before it.
#[must_use]
pub fn log_in_full(log: RuleLog) -> String {
    match log {
        RuleLog::Default | RuleLog::Disable => short_log(log),
        RuleLog::Flows {
            level,
            interval_secs,
        } => format!(" log {} interval {interval_secs}", names::level(level)),
    }
}

fn access_rule_with(rule: &AccessRule, log: fn(RuleLog) -> String) -> String {
    let mut text = format!("extended {} ", rule.action.keyword());
    let mut source_port = None;
    let mut destination_port = None;
    let mut icmp = None;
    match &rule.service {
        RuleService::Ip => text.push_str("ip"),
        RuleService::Protocol(number) => text.push_str(&names::protocol(*number)),
        RuleService::Icmp(kind) => {
            text.push_str("icmp");
            icmp = kind.map(icmp_match);
        }
        RuleService::Icmp6(kind) => {
            text.push_str("icmp6");
            icmp = kind.map(icmp6_match);
        }
        RuleService::Ports {
            transport,
            source,
            destination,
        } => {
            text.push_str(transport.keyword());
            source_port = source.as_ref().map(|port| (*transport, port));
            destination_port = destination.as_ref().map(|port| (*transport, port));
        }
        RuleService::IcmpGroup(_) => text.push_str("icmp"),
        RuleService::Icmp6Group(_) => text.push_str("icmp6"),
        RuleService::ProtocolGroup {
            name,
            source,
            destination,
        } => {
            text.push_str(&format!("object-group {name}"));
            // Port names of several protocols are those of TCP, as in groups.
            source_port = source.as_ref().map(|port| (Transport::Tcp, port));
            destination_port = destination.as_ref().map(|port| (Transport::Tcp, port));
        }
        RuleService::Object(name) => text.push_str(&format!("object {name}")),
        RuleService::Group(name) => text.push_str(&format!("object-group {name}")),
    }
    for (address, port) in [
        (&rule.source, source_port),
        (&rule.destination, destination_port),
    ] {
        text.push(' ');
        text.push_str(&rule_address(address));
        match port {
            Some((transport, PortSelect::Match(port))) => {
                text.push(' ');
                text.push_str(&port_match(transport, *port));
            }
            Some((_, PortSelect::Group(name))) => text.push_str(&format!(" object-group {name}")),
            None => {}
        }
    }
    if let Some(kind) = icmp {
        text.push(' ');
        text.push_str(&kind);
    }
    if let RuleService::IcmpGroup(name) | RuleService::Icmp6Group(name) = &rule.service {
        text.push_str(&format!(" object-group {name}"));
    }
    text.push_str(&log(rule.log));
    if let Some(name) = &rule.time_range {
        text.push_str(&format!(" time-range {name}"));
    }
    if rule.inactive {
        text.push_str(" inactive");
    }
    text
}

/// A service as in `service …` and `service-object …`.
#[must_use]
pub fn service(service: Service) -> String {
    match service {
        Service::Protocol(number) => names::protocol(number),
        Service::Icmp(None) => "icmp".into(),
        Service::Icmp(Some(kind)) => format!("icmp {}", icmp_match(kind)),
        Service::Icmp6(None) => "icmp6".into(),
        Service::Icmp6(Some(kind)) => format!("icmp6 {}", icmp6_match(kind)),
        Service::Ports {
            transport,
            source,
            destination,
        } => {
            let mut text = transport.keyword().to_string();
            text.push_str(&ports(transport, source, destination));
            text
        }
    }
}

/// Conditions on ports as in `service …`, each with a blank before it.
pub(super) fn ports(
    transport: Transport,
    source: Option<PortMatch>,
    destination: Option<PortMatch>,
) -> String {
    let mut text = String::new();
    for (word, port) in [("source", source), ("destination", destination)] {
        if let Some(port) = port {
            text.push_str(&format!(" {word} {}", port_match(transport, port)));
        }
    }
    text
}

/// The `nat` line of an object.
#[must_use]
pub fn auto_nat(nat: &AutoNat) -> String {
    let mut text = format!("nat {}", nat_interfaces(&nat.interfaces));
    let mut translation = None;
    match &nat.kind {
        AutoNatKind::Static { mapped, service } => {
            let mapped = match mapped {
                MappedAddress::Address(address) => address.to_string(),
                MappedAddress::Address6(address) => address.to_string(),
                MappedAddress::Object(name) => name.clone(),
                MappedAddress::Interface => "interface".into(),
            };
            text.push_str(&format!("static {mapped}"));
            translation = *service;
        }
        AutoNatKind::Dynamic(mapping) => {
            text.push_str(&format!("dynamic {}", dynamic_mapping(mapping)));
        }
    }
    if nat.net_to_net {
        text.push_str(" net-to-net");
    }
    if nat.dns {
        text.push_str(" dns");
    }
    if let Some(service) = translation {
        let [real, mapped] =
            [service.real, service.mapped].map(|port| names::port(service.transport, port));
        text.push_str(&format!(
            " service {} {real} {mapped}",
            service.transport.keyword()
        ));
    }
    push_flags(
        &mut text,
        &[
            (nat.no_proxy_arp, "no-proxy-arp"),
            (nat.route_lookup, "route-lookup"),
        ],
    );
    text
}

/// A manual translation rule; `after_auto` for section 3.
#[must_use]
pub fn manual_nat(nat: &ManualNat, after_auto: bool) -> String {
    let mut text = format!("nat {}", nat_interfaces(&nat.interfaces));
    if after_auto {
        text.push_str("after-auto ");
    }
    match &nat.source {
        ManualSource::Static { real, mapped } => {
            let (real, mapped) = (real_address(real), manual_mapped(mapped));
            text.push_str(&format!("source static {real} {mapped}"));
        }
        ManualSource::Dynamic { real, mapped } => {
            let (real, mapped) = (real_address(real), dynamic_mapping(mapped));
            text.push_str(&format!("source dynamic {real} {mapped}"));
        }
    }
    if let Some(destination) = &nat.destination {
        let (mapped, real) = (
            manual_mapped(&destination.mapped),
            real_address(&destination.real),
        );
        text.push_str(&format!(" destination static {mapped} {real}"));
    }
    if let Some(service) = &nat.service {
        text.push_str(&format!(" service {} {}", service.real, service.mapped));
    }
    push_flags(
        &mut text,
        &[
            (nat.net_to_net, "net-to-net"),
            (nat.dns, "dns"),
            (nat.unidirectional, "unidirectional"),
            (nat.no_proxy_arp, "no-proxy-arp"),
            (nat.route_lookup, "route-lookup"),
            (nat.inactive, "inactive"),
        ],
    );
    if let Some(description) = &nat.description {
        text.push_str(&format!(" description {description}"));
    }
    text
}

/// The mapped side of a dynamic rule.
pub(super) fn dynamic_mapping(mapping: &DynamicMapping) -> String {
    match mapping {
        DynamicMapping::Address(address) => address.to_string(),
        DynamicMapping::Interface => "interface".into(),
        DynamicMapping::Object {
            name,
            interface_fallback,
        } => {
            if *interface_fallback {
                format!("{name} interface")
            } else {
                name.clone()
            }
        }
        DynamicMapping::PatPool(pool) => pat_pool(pool),
    }
}

/// An `icmp permit|deny` line.
pub(super) fn icmp_rule(rule: &IcmpRule) -> String {
    let source = match rule.source {
        Subnet::EVERYTHING => "any".into(),
        source if source.prefix_len() == 32 => format!("host {}", source.address()),
        source => source.to_string(),
    };
    let kind = rule
        .kind
        .map(|kind| format!(" {}", names::icmp_type(kind)))
        .unwrap_or_default();
    format!(
        "icmp {} {source}{kind} {}",
        rule.action.keyword(),
        rule.interface
    )
}

/// A condition on a port.
pub(super) fn port_match(transport: Transport, port: PortMatch) -> String {
    let name = |number| names::port(transport, number);
    match port {
        PortMatch::Equal(port) => format!("eq {}", name(port)),
        PortMatch::NotEqual(port) => format!("neq {}", name(port)),
        PortMatch::Less(port) => format!("lt {}", name(port)),
        PortMatch::Greater(port) => format!("gt {}", name(port)),
        PortMatch::Range(first, last) => format!("range {} {}", name(first), name(last)),
    }
}

fn pat_pool(pool: &PatPool) -> String {
    let mut text = format!("pat-pool {}", pool.name);
    push_flags(
        &mut text,
        &[
            (pool.interface_fallback, "interface"),
            (pool.extended, "extended"),
            (pool.flat, "flat"),
            (pool.include_reserve, "include-reserve"),
            (pool.round_robin, "round-robin"),
        ],
    );
    text
}

fn rule_address(address: &AddressMatch) -> String {
    match address {
        AddressMatch::Any => "any".into(),
        AddressMatch::Any4 => "any4".into(),
        AddressMatch::Any6 => "any6".into(),
        AddressMatch::Host(address) => format!("host {address}"),
        AddressMatch::Subnet(subnet) => subnet.to_string(),
        AddressMatch::Host6(address) => format!("host {address}"),
        AddressMatch::Subnet6(prefix) => prefix.to_string(),
        AddressMatch::Object(name) => format!("object {name}"),
        AddressMatch::Group(name) => format!("object-group {name}"),
        AddressMatch::Interface(name) => format!("interface {name}"),
    }
}

fn icmp_match(kind: IcmpMatch) -> String {
    icmp_named(names::icmp_type(kind.kind), kind)
}

fn icmp6_match(kind: IcmpMatch) -> String {
    icmp_named(names::icmp6_type(kind.kind), kind)
}

fn icmp_named(name: String, kind: IcmpMatch) -> String {
    match kind.code {
        Some(code) => format!("{name} {code}"),
        None => name,
    }
}

/// The interface pair with the blank after it; nothing for `(any,any)`.
fn nat_interfaces(interfaces: &NatInterfaces) -> String {
    if interfaces.real.is_none() && interfaces.mapped.is_none() {
        return String::new();
    }
    let real = interfaces.real.as_deref().unwrap_or("any");
    let mapped = interfaces.mapped.as_deref().unwrap_or("any");
    format!("({real},{mapped}) ")
}

fn real_address(address: &RealAddress) -> &str {
    match address {
        RealAddress::Any => "any",
        RealAddress::Object(name) => name,
    }
}

fn manual_mapped(address: &ManualMapped) -> &str {
    match address {
        ManualMapped::Any => "any",
        ManualMapped::Object(name) => name,
        ManualMapped::Interface => "interface",
    }
}

fn push_flags(text: &mut String, flags: &[(bool, &str)]) {
    for (_, word) in flags.iter().filter(|(set, _)| *set) {
        text.push(' ');
        text.push_str(word);
    }
}

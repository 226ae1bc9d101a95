//! Compiles the configuration into what the data plane is told to do.
//!
//! The configuration knows names; the data plane knows numbers. Everything is checked when a
//! statement is applied, so compiling cannot fail: a rule that refers to something without an
//! address simply matches nothing.

mod access;
mod connection;
mod inspect;
pub(crate) mod ipv6;
pub(crate) mod logical;
mod nat;
mod nat6;
pub(crate) mod schedule;

pub(crate) use connection::class_name;
pub(crate) use logical::{interface_at, port_id, port_named};
pub(crate) use nat::statement as nat_statement;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;
use core::ops::Range;
use core::time::Duration;

use config::Config;
use config::model::{AccessGroupPlace, InterfaceId, Timer};
use dataplane::{AclId, Policy, PortId};
use hal::nic::MacAddr;

use schedule::{Moment, Schedule, Validity};

/// A policy, and how to find the configuration's names in it again.
pub(crate) struct Compiled {
    /// For the data plane.
    pub(crate) policy: Policy,
    /// Where each access list went.
    pub(crate) lists: BTreeMap<String, CompiledList>,
    /// How long the time ranges stay as they were judged.
    pub(crate) validity: Validity,
    /// Names of the TLS proxies, by [`dataplane::ProxyId`].
    pub(crate) proxies: Vec<InspectedClass>,
}

/// An access list in the policy.
pub(crate) struct CompiledList {
    /// Its number.
    pub(crate) id: AclId,
    /// The elements of each configured line; empty for remarks.
    pub(crate) lines: Vec<Range<usize>>,
    /// The first line for which there was no memory: from there on everything is denied.
    pub(crate) cut_at: Option<usize>,
}

/// A class that hands its connections to a TLS proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InspectedClass {
    /// The class map.
    pub(crate) class: String,
    /// The TLS proxy.
    pub(crate) tls_proxy: String,
}

/// Compiles `config` for ports with the burned-in addresses `macs`, as it is in force at `moment`,
/// with `elements_max` elements of access lists at most.
pub(crate) fn compile(
    config: &Config,
    macs: &[MacAddr],
    moment: Moment<'_>,
    elements_max: usize,
) -> Compiled {
    let schedule = Schedule::new(config, moment);
    let mut lists = access::Lists::new(elements_max);
    for (name, list) in &config.access_lists {
        lists.add(config, &schedule, name, list);
    }
    let bound = |lists: &access::Lists, place: AccessGroupPlace| {
        config
            .access_groups
            .get(&place)
            .and_then(|name| lists.id(name))
    };
    let mac_of = |id: InterfaceId| {
        let burned_in = macs.get(usize::from(id.port)).copied().unwrap_or_default();
        logical::mac(config, id, burned_in)
    };
    let interfaces = config
        .interfaces
        .iter()
        .filter_map(|(&id, interface)| {
            let (Some(name), Some(level), true) = (
                &interface.nameif,
                interface.security_level,
                config.is_enabled(id),
            ) else {
                return None;
            };
            // A port may speak IPv6 alone.
            let (address, prefix_len) = match interface.address {
                Some(address) => (address.address(), address.prefix_len()),
                None if interface.ipv6.is_on() => (Ipv4Addr::UNSPECIFIED, 32),
                None => return None,
            };
            Some(dataplane::Interface {
                port: port_id(id, interface),
                name: name.clone(),
                security_level: level,
                mac: mac_of(id),
                address,
                prefix_len,
                mtu: interface.mtu,
                access_in: bound(&lists, AccessGroupPlace::In(name.clone())),
                access_out: bound(&lists, AccessGroupPlace::Out(name.clone())),
                access_control: bound(&lists, AccessGroupPlace::ControlPlane(name.clone())),
                proxy_arp: true,
            })
        })
        .collect();
    let fragments = fragment_rules(config);
    let access_global = bound(&lists, AccessGroupPlace::Global);
    let (inspections, proxies) = inspect::compile(config, &mut lists);
    let (connections, tcp_maps) = connection::compile(config, &mut lists);
    let dns = inspect::dns(config, &mut lists);
    let (nat, nat6) = nat::compile(config);
    let secs = |timer| Duration::from_secs(u64::from(config.timeouts.secs(timer)));
    let policy = Policy {
        interfaces,
        vlans: logical::vlans(config),
        routes: routes(config),
        access_global,
        nat,
        per_session: nat::per_session(config),
        inspections,
        connections,
        tcp_maps,
        dns,
        inspect_icmp: inspect::is_on(config, config::model::InspectEngine::Icmp),
        icmp: access::icmp_rules(config),
        same_security_inter: config.same_security_inter,
        same_security_intra: config.same_security_intra,
        timeouts: dataplane::Timeouts {
            conn: secs(Timer::Conn),
            half_closed: secs(Timer::HalfClosed),
            udp: secs(Timer::Udp),
            icmp: secs(Timer::Icmp),
            pat_xlate: secs(Timer::PatXlate),
            xlate: secs(Timer::Xlate),
            ..dataplane::Timeouts::default()
        },
        arp_timeout: Duration::from_secs(u64::from(config.arp_timeout_secs)),
        tcp_mss: config.tcp_mss,
        v6: dataplane::Policy6 {
            access: lists.elements6,
            nat: nat6,
            ..ipv6::compile(config, mac_of)
        },
        fragments,
        reverse_path: reverse_path(config),
        access_lists: lists.elements,
        ..Policy::default()
    };
    Compiled {
        policy,
        lists: lists.index,
        validity: schedule.validity,
        proxies,
    }
}

/// Ports whose fragments are not treated as usual.
fn fragment_rules(config: &Config) -> Vec<dataplane::FragmentRule> {
    let changed = config
        .interfaces
        .iter()
        .filter(|(_, interface)| interface.fragment != config::model::FragmentSettings::DEFAULT);
    changed
        .map(|(&id, interface)| {
            let settings = interface.fragment;
            dataplane::FragmentRule {
                port: port_id(id, interface),
                size: settings.size,
                chain: settings.chain,
                timeout_secs: settings.timeout_secs,
                is_full: settings.is_full,
            }
        })
        .collect()
}

/// Ports with `ip verify reverse-path`.
fn reverse_path(config: &Config) -> Vec<PortId> {
    let verifying = config
        .interfaces
        .iter()
        .filter(|(_, interface)| interface.verifies_reverse_path);
    verifying
        .map(|(&id, interface)| port_id(id, interface))
        .collect()
}

fn routes(config: &Config) -> Vec<dataplane::StaticRoute> {
    config
        .routes
        .iter()
        .filter_map(|route| {
            Some(dataplane::StaticRoute {
                port: port_named(config, &route.interface)?,
                network: route.destination.network(),
                prefix_len: route.destination.prefix_len(),
                gateway: route.gateway,
                metric: route.metric,
            })
        })
        .collect()
}

fn range(range: config::model::AddressRange) -> dataplane::AddressRange {
    dataplane::AddressRange {
        first: range.first,
        last: range.last,
    }
}

fn transport(transport: config::model::Transport) -> dataplane::Transport {
    match transport {
        config::model::Transport::Tcp => dataplane::Transport::Tcp,
        config::model::Transport::Udp => dataplane::Transport::Udp,
    }
}

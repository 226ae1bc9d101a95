//! Service policies: the settings of connections and the TCP checks.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use config::Config;
use config::model::{
    AdvancedOptions, CLASS_DEFAULT, ClassMatch, ConnectionActions, ConnectionLimit, PolicyPlace,
    TcpCheck, Treatment,
};
use dataplane::{AclId, PortMatch, Service, TcpChecks, Transport};

use super::access::Lists;
use super::inspect::{conditions, permit};
use super::port_named;

/// The ports and protocols of `match default-inspection-traffic`.
const DEFAULT_INSPECTION_TCP: [(u16, u16); 9] = [
    (21, 21),
    (25, 25),
    (514, 514),
    (554, 554),
    (1521, 1521),
    (1720, 1720),
    (2000, 2000),
    (2748, 2748),
    (5060, 5060),
];
const DEFAULT_INSPECTION_UDP: [(u16, u16); 8] = [
    (53, 53),
    (69, 69),
    (111, 111),
    (137, 138),
    (177, 177),
    (1718, 1719),
    (2427, 2427),
    (5060, 5060),
];

/// The classes with `set connection` lines in order of evaluation, and the TCP maps they name.
pub(super) fn compile(
    config: &Config,
    lists: &mut Lists,
) -> (Vec<dataplane::ConnectionClass>, Vec<dataplane::TcpMap>) {
    let maps = config
        .tcp_maps
        .iter()
        .map(|(name, map)| tcp_map(name, map))
        .collect();
    let mut classes = Vec::new();
    for (place, policy_name) in &config.service_policies {
        let port = match place {
            PolicyPlace::Global => None,
            PolicyPlace::Interface(nameif) => match port_named(config, nameif) {
                Some(port) => Some(port),
                None => continue,
            },
        };
        let Some(policy) = config.policy_maps.get(policy_name) else {
            continue;
        };
        for class in &policy.classes {
            let actions = &class.connection;
            let settings = actions.has_settings().then(|| settings(actions));
            let checks = actions
                .advanced
                .as_ref()
                .and_then(|advanced| checks(config, advanced));
            if settings.is_none() && checks.is_none() {
                continue;
            }
            classes.push(dataplane::ConnectionClass {
                name: class_name(policy_name, &class.class),
                port,
                acls: acls(config, &class.class, lists),
                settings,
                checks,
            });
        }
    }
    (classes, maps)
}

/// What a class of a policy map is called in the data plane.
pub(crate) fn class_name(policy: &str, class: &str) -> alloc::string::String {
    format!("{policy}/{class}")
}

/// The lists of which one must permit a connection for it to be in the class.
fn acls(config: &Config, class: &str, lists: &mut Lists) -> Vec<AclId> {
    if class == CLASS_DEFAULT {
        let everything = lists.add_elements(class, vec![permit(Service::Any)]);
        return everything.into_iter().collect();
    }
    let Some(class_map) = config.class_maps.get(class) else {
        return Vec::new();
    };
    let mut acls = conditions(class_map, class, lists, None);
    if class_map
        .matches
        .contains(&ClassMatch::DefaultInspectionTraffic)
    {
        let of = |transport, ports: &'static [(u16, u16)]| {
            ports.iter().map(move |&(first, last)| Service::Ports {
                transport,
                source: PortMatch::ANY,
                destination: PortMatch::range(first, last),
            })
        };
        let elements = of(Transport::Tcp, &DEFAULT_INSPECTION_TCP)
            .chain(of(Transport::Udp, &DEFAULT_INSPECTION_UDP))
            .chain([Service::Icmp {
                kind: None,
                code: None,
            }])
            .map(permit)
            .collect();
        acls.extend(lists.add_elements(class, elements));
    }
    acls
}

fn settings(actions: &ConnectionActions) -> dataplane::ConnectionSettings {
    let limit = |limit| actions.limits.get(&limit).copied().unwrap_or(0);
    let time = |secs: Option<u32>| secs.map(|secs| Duration::from_secs(u64::from(secs)));
    dataplane::ConnectionSettings {
        most: limit(ConnectionLimit::ConnMax),
        most_embryonic: limit(ConnectionLimit::EmbryonicConnMax),
        most_per_client: limit(ConnectionLimit::PerClientMax),
        most_embryonic_per_client: limit(ConnectionLimit::PerClientEmbryonicMax),
        randomize_sequences: actions.random_sequence_number.unwrap_or(true),
        decrement_ttl: actions.decrement_ttl,
        idle: time(actions.idle_secs),
        half_closed: time(actions.half_closed_secs),
        embryonic: time(actions.embryonic_secs),
        reset: actions.idle_reset,
        dead_detection: actions
            .dead_detection
            .map(|detection| dataplane::DeadDetection {
                interval: Duration::from_secs(u64::from(detection.interval_secs)),
                retries: detection.retries,
            }),
    }
}

fn checks(config: &Config, advanced: &AdvancedOptions) -> Option<TcpChecks> {
    match advanced {
        AdvancedOptions::StateBypass => Some(TcpChecks::Bypass),
        AdvancedOptions::Map(name) => {
            let place = config.tcp_maps.keys().position(|other| other == name)?;
            u8::try_from(place).ok().map(TcpChecks::Map)
        }
    }
}

fn tcp_map(name: &str, map: &config::model::TcpMap) -> dataplane::TcpMap {
    let drops = |check| map.check(check) == Treatment::Drop;
    let mut compiled = dataplane::TcpMap {
        name: name.into(),
        verify_checksum: map.checksum_verification,
        drop_exceeding_mss: drops(TcpCheck::ExceedMss),
        drop_invalid_ack: drops(TcpCheck::InvalidAck),
        reserved_bits: match map.check(TcpCheck::ReservedBits) {
            Treatment::Allow => dataplane::Treatment::Allow,
            Treatment::Clear => dataplane::Treatment::Clear,
            Treatment::Drop => dataplane::Treatment::Drop,
        },
        drop_past_window: drops(TcpCheck::SeqPastWindow),
        drop_syn_ack_data: drops(TcpCheck::SynackData),
        drop_syn_data: drops(TcpCheck::SynData),
        cleared_options: dataplane::OptionSet::default(),
        dropped_options: dataplane::OptionSet::default(),
        hold_ttl: map.ttl_evasion_protection,
        clear_urgent: map.check(TcpCheck::UrgentFlag) == Treatment::Clear,
        drop_shrunk_window: drops(TcpCheck::WindowVariation),
    };
    for kind in 2..=u8::MAX {
        // Selective acknowledgments go with their permission.
        let decided_by = if kind == 5 { 4 } else { kind };
        match map.option(decided_by) {
            Treatment::Allow => {}
            Treatment::Clear => compiled.cleared_options.add(kind, kind),
            Treatment::Drop => compiled.dropped_options.add(kind, kind),
        }
    }
    compiled
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A map that says nothing is what the data plane does without one.
    #[test]
    fn the_defaults_of_both_sides_agree() {
        let compiled = tcp_map("", &config::model::TcpMap::default());
        assert_eq!(compiled, dataplane::TcpMap::default());
        let actions = ConnectionActions::default();
        assert_eq!(settings(&actions), dataplane::ConnectionSettings::default());
    }
}

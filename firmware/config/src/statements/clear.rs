//! `clear configure`: removes whole sections, as if every line of theirs had been negated.

use super::{Change, Handler, row, usage};
use crate::mode::{GLOBAL, Mode};
use crate::model::{Config, KeptSection};
use crate::refusal::{Refusal, Thing};
use cli::grammar::{Captures, No, Row};

pub(super) const ROWS: &[Row<Handler>] = &[row(
    GLOBAL,
    "clear configure { all | access-group | access-list [<list>] | banner | class-map | icmp \
     | logging | nat | ntp | object | object-group | policy-map | route | service-policy | ssl \
     | timeout | tls-proxy }",
    No::Forbidden,
    &[
        ("clear", "Clear"),
        ("configure", "Remove configuration"),
        ("all", "Everything"),
        ("access-group", "Bindings of access lists"),
        ("access-list", "Access lists"),
        ("list", "Only the list of this name"),
        ("banner", "Banners"),
        ("class-map", "Class maps"),
        ("icmp", "Access rules for ICMP"),
        ("logging", "Logging"),
        ("nat", "Translation rules"),
        ("ntp", "Time servers"),
        ("object", "Objects"),
        ("object-group", "Groups of objects"),
        ("policy-map", "Policy maps"),
        ("route", "Static routes"),
        ("service-policy", "Applied policies"),
        ("ssl", "SSL settings"),
        ("timeout", "Idle times"),
        ("tls-proxy", "TLS proxies"),
    ],
    clear,
)];

fn clear(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let config = &mut *change.config;
    let section = captures.keywords().nth(2).unwrap_or_default();
    match section {
        "all" => {
            let ports = u16::try_from(config.interfaces.len()).unwrap_or(u16::MAX);
            *config = Config::factory(ports);
            change.enter(Mode::Global);
        }
        "access-group" => config.access_groups.clear(),
        "access-list" => return access_list(config, captures.word("list")),
        "banner" => config.banners.clear(),
        "class-map" => {
            unused(config, Thing::ClassMap, "policy-map", |config| {
                config
                    .class_maps
                    .keys()
                    .find(|name| usage::class_in_policy(config, name))
            })?;
            config.class_maps.clear();
        }
        "icmp" => config.icmp_rules.clear(),
        "logging" => {
            config.kept.remove(&KeptSection::Logging);
        }
        "nat" => {
            config.nat_before.clear();
            config.nat_after.clear();
            config
                .network_objects
                .values_mut()
                .for_each(|object| object.nat = None);
        }
        "ntp" => config.ntp = Default::default(),
        "object" => return objects(config),
        "object-group" => return groups(config),
        "policy-map" => {
            unused(config, Thing::PolicyMap, "service-policy", |config| {
                config.service_policies.values().next()
            })?;
            config.policy_maps.clear();
            config.inspect_maps.clear();
        }
        "route" => config.routes.clear(),
        "service-policy" => config.service_policies.clear(),
        "ssl" => config.ssl = Default::default(),
        "timeout" => config.timeouts = Default::default(),
        "tls-proxy" => {
            unused(config, Thing::TlsProxy, "policy-map", |config| {
                config
                    .tls_proxies
                    .keys()
                    .find(|name| usage::tls_proxy_used(config, name))
            })?;
            config.tls_proxies.clear();
            config.tls_proxy_maximum_sessions = None;
        }
        _ => return Err(Refusal::Invalid { offset: 0 }),
    }
    Ok(())
}

/// Refuses if `used` finds a name that something else still refers to.
fn unused<'a>(
    config: &'a Config,
    thing: Thing,
    by: &'static str,
    used: impl Fn(&'a Config) -> Option<&'a alloc::string::String>,
) -> Result<(), Refusal> {
    match used(config) {
        Some(name) => Err(Refusal::InUse {
            thing,
            name: name.clone(),
            by,
        }),
        None => Ok(()),
    }
}

fn access_list(config: &mut Config, only: Option<&str>) -> Result<(), Refusal> {
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
    config.access_lists.retain(|name, _| !chosen(name));
    Ok(())
}

fn objects(config: &mut Config) -> Result<(), Refusal> {
    for name in config.network_objects.keys() {
        if let Some(by) = usage::of_network(config, name) {
            return Err(Refusal::InUse {
                thing: Thing::Object,
                name: name.clone(),
                by,
            });
        }
    }
    for name in config.service_objects.keys() {
        if let Some(by) = usage::of_service(config, name) {
            return Err(Refusal::InUse {
                thing: Thing::Object,
                name: name.clone(),
                by,
            });
        }
    }
    config.network_objects.clear();
    config.service_objects.clear();
    Ok(())
}

fn groups(config: &mut Config) -> Result<(), Refusal> {
    // A group used only by another group goes together with it.
    let outside = |by: &&'static str| *by != "object-group";
    for name in config.network_groups.keys() {
        if let Some(by) = usage::of_network(config, name).filter(outside) {
            return Err(Refusal::InUse {
                thing: Thing::Group,
                name: name.clone(),
                by,
            });
        }
    }
    for name in config.service_groups.keys() {
        if let Some(by) = usage::of_service(config, name).filter(outside) {
            return Err(Refusal::InUse {
                thing: Thing::Group,
                name: name.clone(),
                by,
            });
        }
    }
    config.network_groups.clear();
    config.service_groups.clear();
    Ok(())
}

//! Class maps, policy maps and where they are applied as text.

use super::Page;
use crate::model::{ClassMatch, Config, InspectMap, InspectMapKind, PolicyPlace};
use alloc::format;

pub(crate) fn class_maps(page: &mut Page<'_>, config: &Config) {
    page.separator();
    for (name, class) in &config.class_maps {
        page.block("", &[name]);
        let word = match class.match_any {
            true => "match-any ",
            false if page.shows_defaults() => "match-all ",
            false => "",
        };
        page.line(format!("class-map {word}{name}"));
        page.optional(" description", class.description.as_ref());
        for condition in &class.matches {
            page.line(match condition {
                ClassMatch::AccessList(list) => format!(" match access-list {list}"),
                ClassMatch::Port { transport, port } => {
                    let port = super::statement::port_match(*transport, *port);
                    format!(" match port {} {port}", transport.keyword())
                }
                ClassMatch::DefaultInspectionTraffic => " match default-inspection-traffic".into(),
                ClassMatch::Any => " match any".into(),
            });
        }
    }
}

pub(crate) fn policy_maps(page: &mut Page<'_>, config: &Config) {
    page.separator();
    for (name, map) in &config.inspect_maps {
        inspect_map(page, name, map);
    }
    for (name, policy) in &config.policy_maps {
        page.block("", &[name]);
        page.line(format!("policy-map {name}"));
        page.optional(" description", policy.description.as_ref());
        for class in &policy.classes {
            page.line(format!(" class {}", class.class));
            for (engine, inspection) in &class.inspections {
                let mut line = format!("  inspect {}", engine.keyword());
                if let Some(map) = &inspection.map {
                    line.push_str(&format!(" {map}"));
                }
                if let Some(proxy) = &inspection.tls_proxy {
                    line.push_str(&format!(" tls-proxy {proxy}"));
                }
                page.line(line);
            }
            super::connection::actions(page, &class.connection);
        }
    }
}

pub(crate) fn service_policies(page: &mut Page<'_>, config: &Config) {
    page.separator();
    for (place, policy) in &config.service_policies {
        page.line(match place {
            PolicyPlace::Global => format!("service-policy {policy} global"),
            PolicyPlace::Interface(name) => format!("service-policy {policy} interface {name}"),
        });
    }
}

fn inspect_map(page: &mut Page<'_>, name: &str, map: &InspectMap) {
    page.block("", &[name]);
    let (word, settings) = match map.kind {
        InspectMapKind::Dns => ("dns", None),
        InspectMapKind::Sip(settings) => ("sip", Some(settings)),
    };
    page.line(format!("policy-map type inspect {word} {name}"));
    page.optional(" description", map.description.as_ref());
    if !map.has_parameters {
        return;
    }
    page.line(" parameters");
    if let Some(settings) = settings {
        page.switch(2, "im", settings.instant_messages, true);
        page.switch(2, "traffic-non-sip", settings.traffic_non_sip, true);
    }
    for line in map.parameters.values() {
        page.line(format!("  {line}"));
    }
}

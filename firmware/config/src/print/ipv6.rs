//! IPv6 as text.

use super::Page;
use crate::model::{
    Action, Config, DEFAULT_PREFIX_PREFERRED_SECS, DEFAULT_PREFIX_VALID_SECS, Port6, Prefix6,
};
use crate::names;
use alloc::format;
use alloc::string::String;

/// The lines of a port's block.
pub(super) fn port(page: &mut Page<'_>, port: &Port6) {
    for address in &port.addresses {
        let eui64 = if address.is_eui64 { " eui-64" } else { "" };
        page.line(format!(" ipv6 address {}{eui64}", address.prefix));
    }
    if let Some(address) = port.link_local {
        page.line(format!(" ipv6 address {address} link-local"));
    }
    page.switch(1, "ipv6 enable", port.is_enabled, false);
    let default = Port6::default();
    page.unless_default(
        port.dad_attempts == default.dad_attempts,
        format!(" ipv6 nd dad attempts {}", port.dad_attempts),
    );
    page.unless_default(
        port.ns_interval_millis == default.ns_interval_millis,
        format!(" ipv6 nd ns-interval {}", port.ns_interval_millis),
    );
    page.unless_default(
        port.reachable_millis == default.reachable_millis,
        format!(" ipv6 nd reachable-time {}", port.reachable_millis),
    );
    for advertised in &port.prefixes {
        let mut line = format!(" ipv6 nd prefix {}", advertised.prefix);
        let (valid, preferred) = (advertised.valid_secs, advertised.preferred_secs);
        let is_default = valid == DEFAULT_PREFIX_VALID_SECS
            && preferred == DEFAULT_PREFIX_PREFERRED_SECS
            && advertised.on_link
            && advertised.autonomous;
        if advertised.is_hidden {
            line.push_str(" no-advertise");
        } else if !is_default {
            line.push_str(&format!(" {valid} {preferred}"));
            if !advertised.on_link {
                line.push_str(" off-link");
            }
            if !advertised.autonomous {
                line.push_str(" no-autoconfig");
            }
        }
        page.line(line);
    }
    page.switch(1, "ipv6 nd suppress-ra", port.suppress_ra, false);
    page.unless_default(
        port.ra_interval_millis == default.ra_interval_millis,
        interval(port.ra_interval_millis),
    );
    page.unless_default(
        port.ra_lifetime_secs == default.ra_lifetime_secs,
        format!(" ipv6 nd ra-lifetime {}", port.ra_lifetime_secs),
    );
    page.switch(1, "ipv6 nd managed-config-flag", port.managed, false);
    page.switch(1, "ipv6 nd other-config-flag", port.other, false);
}

fn interval(millis: u32) -> String {
    if millis.is_multiple_of(1_000) && millis >= 3_000 {
        format!(" ipv6 nd ra-interval {}", millis / 1_000)
    } else {
        format!(" ipv6 nd ra-interval msec {millis}")
    }
}

pub(crate) fn ipv6(page: &mut Page<'_>, config: &Config) {
    for route in &config.routes6 {
        page.line(format!(
            "ipv6 route {} {} {} {}",
            route.interface, route.destination, route.gateway, route.metric
        ));
    }
    for rule in &config.icmp_rules6 {
        let action = match rule.action {
            Action::Permit => "permit",
            Action::Deny => "deny",
        };
        let source = match rule.source {
            Prefix6::EVERYTHING => "any".into(),
            Prefix6 { address, len: 128 } => format!("host {address}"),
            prefix => format!("{prefix}"),
        };
        let kind = rule
            .kind
            .map_or_else(String::new, |kind| format!(" {}", names::icmp6_type(kind)));
        page.line(format!(
            "ipv6 icmp {action} {source}{kind} {}",
            rule.interface
        ));
    }
}

//! Trustpoints, TLS proxies, time servers, SSL settings, class maps and policy maps as text.

use super::{Page, Secrets, Section};
use crate::model::{
    Certificate, CipherSuite, ClassMatch, ClientType, Config, Enrollment, Fqdn, InspectMap,
    InspectMapKind, PolicyPlace, RevocationMethod, SslCipherLevel, TlsProxy, Trustpoint,
};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub(super) fn trustpoints(page: &mut Page, config: &Config) {
    page.section(Section::Crypto);
    for (name, trustpoint) in &config.trustpoints {
        page.block(name);
        page.line(format!("crypto ca trustpoint {name}"));
        trustpoint_lines(page, trustpoint);
    }
    for (name, trustpoint) in &config.trustpoints {
        if trustpoint.ca_certificate.is_none() && trustpoint.identity_certificate.is_none() {
            continue;
        }
        page.block(name);
        page.line(format!("crypto ca certificate chain {name}"));
        if let Some(certificate) = &trustpoint.ca_certificate {
            certificate_lines(page, "certificate ca", certificate);
        }
        if let Some(certificate) = &trustpoint.identity_certificate {
            certificate_lines(page, "certificate", certificate);
        }
    }
}

fn trustpoint_lines(page: &mut Page, trustpoint: &Trustpoint) {
    match &trustpoint.enrollment {
        Enrollment::None => {}
        Enrollment::SelfSigned => page.line(" enrollment self"),
        Enrollment::Terminal => page.line(" enrollment terminal"),
        Enrollment::Url(url) => page.line(format!(" enrollment url {url}")),
    }
    page.optional(" enrollment retry count", trustpoint.retry_count);
    page.optional(" enrollment retry period", trustpoint.retry_period_mins);
    match &trustpoint.fqdn {
        Fqdn::Default => {}
        Fqdn::Absent => page.line(" fqdn none"),
        Fqdn::Name(name) => page.line(format!(" fqdn {name}")),
    }
    page.optional(" email", trustpoint.email.as_ref());
    page.optional(" subject-name", trustpoint.subject_name.as_ref());
    if trustpoint.serial_number {
        page.line(" serial-number");
    }
    page.optional(" ip-address", trustpoint.ip_address);
    page.optional(" keypair", trustpoint.keypair.as_ref());
    if !trustpoint.client_types.is_empty() {
        let words = trustpoint.client_types.iter().map(|kind| match kind {
            ClientType::Ipsec => "ipsec",
            ClientType::Ssl => "ssl",
        });
        page.line(format!(
            " client-types {}",
            words.collect::<Vec<_>>().join(" ")
        ));
    }
    if !trustpoint.validation_usage.is_empty() {
        let words = trustpoint
            .validation_usage
            .iter()
            .map(|usage| usage.keyword());
        page.line(format!(
            " validation-usage {}",
            words.collect::<Vec<_>>().join(" ")
        ));
    }
    if !trustpoint.revocation_check.is_empty() {
        let words = trustpoint
            .revocation_check
            .iter()
            .map(|method| match method {
                RevocationMethod::None => "none",
                RevocationMethod::Crl => "crl",
                RevocationMethod::Ocsp => "ocsp",
            });
        page.line(format!(
            " revocation-check {}",
            words.collect::<Vec<_>>().join(" ")
        ));
    }
    if !trustpoint.ca_check {
        page.line(" no ca-check");
    }
    for line in trustpoint.extra.values() {
        page.line(format!(" {line}"));
    }
    if trustpoint.has_crl {
        page.line(" crl configure");
        for line in trustpoint.crl.values() {
            page.line(format!("  {line}"));
        }
    }
}

fn certificate_lines(page: &mut Page, words: &str, certificate: &Certificate) {
    page.line(format!(" {words} {}", certificate.serial));
    for row in certificate.der.chunks(32) {
        let mut line = String::from("   ");
        for group in row.chunks(4) {
            line.push(' ');
            for byte in group {
                line.push_str(&format!("{byte:02x}"));
            }
        }
        page.line(line);
    }
    page.line("  quit");
}

pub(super) fn tls_proxies(page: &mut Page, config: &Config) {
    page.section(Section::TlsProxy);
    if let Some(sessions) = config.tls_proxy_maximum_sessions {
        page.separator();
        page.line(format!("tls-proxy maximum-session {sessions}"));
    }
    page.separator();
    for (name, proxy) in &config.tls_proxies {
        page.block(name);
        page.line(format!("tls-proxy {name}"));
        tls_proxy_lines(page, proxy);
    }
    if !config.tls_proxies.is_empty() {
        page.separator();
    }
}

fn tls_proxy_lines(page: &mut Page, proxy: &TlsProxy) {
    let ciphers = |suites: &[CipherSuite]| {
        (!suites.is_empty()).then(|| {
            suites
                .iter()
                .map(|suite| suite.keyword())
                .collect::<Vec<_>>()
                .join(" ")
        })
    };
    page.optional(" server trust-point", proxy.server_trustpoint.as_ref());
    if !proxy.authenticate_client {
        page.line(" no server authenticate-client");
    }
    page.optional(" server cipher-suite", ciphers(&proxy.server_ciphers));
    page.optional(" client trust-point", proxy.client_trustpoint.as_ref());
    page.optional(" client cipher-suite", ciphers(&proxy.client_ciphers));
}

pub(super) fn ntp(page: &mut Page, config: &Config) {
    page.section(Section::Ntp);
    for (id, key) in &config.ntp.keys {
        let secret = if page.secrets == Secrets::Shown {
            key.secret.as_str()
        } else {
            "*****"
        };
        page.line(format!(
            "ntp authentication-key {id} {} {secret}",
            key.algorithm.keyword()
        ));
    }
    if config.ntp.authenticate {
        page.line("ntp authenticate");
    }
    for id in &config.ntp.trusted_keys {
        page.line(format!("ntp trusted-key {id}"));
    }
    for (address, server) in &config.ntp.servers {
        let mut line = format!("ntp server {address}");
        if let Some(key) = server.key {
            line.push_str(&format!(" key {key}"));
        }
        if let Some(source) = &server.source {
            line.push_str(&format!(" source {source}"));
        }
        if server.prefer {
            line.push_str(" prefer");
        }
        page.line(line);
    }
}

pub(super) fn ssl(page: &mut Page, config: &Config) {
    page.section(Section::Ssl);
    page.optional(
        "ssl server-version",
        config.ssl.server_version.map(|v| v.keyword()),
    );
    page.optional(
        "ssl client-version",
        config.ssl.client_version.map(|v| v.keyword()),
    );
    for (scope, level) in &config.ssl.ciphers {
        let level = match level {
            SslCipherLevel::All => "all".into(),
            SslCipherLevel::Low => "low".into(),
            SslCipherLevel::Medium => "medium".into(),
            SslCipherLevel::Fips => "fips".into(),
            SslCipherLevel::High => "high".into(),
            SslCipherLevel::Custom(list) => format!("custom \"{list}\""),
        };
        page.line(format!("ssl cipher {} {level}", scope.keyword()));
    }
    for (interface, trustpoint) in &config.ssl.trustpoints {
        match interface {
            Some(interface) => page.line(format!("ssl trust-point {trustpoint} {interface}")),
            None => page.line(format!("ssl trust-point {trustpoint}")),
        }
    }
}

pub(super) fn maps(page: &mut Page, config: &Config) {
    page.section(Section::ClassMap);
    for (name, class) in &config.class_maps {
        page.block(name);
        let word = if class.match_any { "match-any " } else { "" };
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
    page.separator();
    page.section(Section::PolicyMap);
    for (name, map) in &config.inspect_maps {
        inspect_map(page, name, map);
    }
    for (name, policy) in &config.policy_maps {
        page.block(name);
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
        }
    }
    page.separator();
    page.section(Section::ServicePolicy);
    for (place, policy) in &config.service_policies {
        page.line(match place {
            PolicyPlace::Global => format!("service-policy {policy} global"),
            PolicyPlace::Interface(name) => format!("service-policy {policy} interface {name}"),
        });
    }
}

fn inspect_map(page: &mut Page, name: &str, map: &InspectMap) {
    page.block(name);
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
        if !settings.instant_messages {
            page.line("  no im");
        }
        if !settings.traffic_non_sip {
            page.line("  no traffic-non-sip");
        }
    }
    for line in map.parameters.values() {
        page.line(format!("  {line}"));
    }
}

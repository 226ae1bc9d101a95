//! TLS proxies and SSL settings as text.

use super::Page;
use crate::model::{CipherSuite, Config, SslCipherLevel, TlsProxy, TlsVersion};
use alloc::format;
use alloc::vec::Vec;

pub(crate) fn proxies(page: &mut Page<'_>, config: &Config) {
    if let Some(sessions) = config.tls_proxy_maximum_sessions {
        page.separator();
        page.line(format!("tls-proxy maximum-session {sessions}"));
    } else {
        page.unless_default(true, "no tls-proxy maximum-session");
    }
    page.separator();
    for (name, proxy) in &config.tls_proxies {
        page.block("", &[name]);
        page.line(format!("tls-proxy {name}"));
        tls_proxy_lines(page, proxy);
    }
    if !config.tls_proxies.is_empty() {
        page.separator();
    }
}

fn tls_proxy_lines(page: &mut Page<'_>, proxy: &TlsProxy) {
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
    let asks = proxy.authenticate_client;
    page.switch(1, "server authenticate-client", asks, true);
    page.optional(" server cipher-suite", ciphers(&proxy.server_ciphers));
    page.optional(" client trust-point", proxy.client_trustpoint.as_ref());
    page.optional(" client cipher-suite", ciphers(&proxy.client_ciphers));
}

pub(crate) fn ssl(page: &mut Page<'_>, config: &Config) {
    for (side, version) in [
        ("server", config.ssl.server_version),
        ("client", config.ssl.client_version),
    ] {
        let is_default = version == TlsVersion::default();
        let line = format!("ssl {side}-version {}", version.keyword());
        page.unless_default(is_default, line);
    }
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

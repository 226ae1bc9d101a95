//! TLS proxies and SSL settings.

use super::family::Family;
use super::object::current;
use super::{Change, number, row, usage, word};
use crate::mode::{GLOBAL, Mode, TLS_PROXY};
use crate::model::{CipherSuite, SslCipherLevel, SslCipherScope, TlsProxy, TlsVersion};
use crate::print;
use crate::refusal::{Notice, Refusal, Thing};
use alloc::string::String;
use alloc::vec::Vec;
use cli::grammar::{Captures, No};

/// The syntax of a cipher list, between `$open` and `$close`.
macro_rules! cipher_syntax {
    ($side:literal, $open:literal, $close:literal) => {
        concat!(
            $side,
            " cipher-suite ",
            $open,
            "{ tls13-aes256-gcm-sha384 | tls13-aes128-gcm-sha256 \
             | tls13-chacha20-poly1305-sha256 | ecdhe-ecdsa-aes256-gcm-sha384 \
             | ecdhe-ecdsa-aes128-gcm-sha256 | ecdhe-ecdsa-chacha20-poly1305 \
             | ecdhe-rsa-aes256-gcm-sha384 | ecdhe-rsa-aes128-gcm-sha256 \
             | ecdhe-rsa-chacha20-poly1305 | dhe-aes256-sha1 | dhe-aes128-sha1 | aes256-sha1 \
             | aes128-sha1 | 3des-sha1 | des-sha1 | rc4-sha1 | rc4-md5 | null-sha1 }+",
            $close
        )
    };
}

pub(super) const TLS_PROXIES: Family = Family {
    keyword: "tls-proxy",
    help: "TLS proxies",
    narrow: "[<name>]",
    rows: &[
        row(
            GLOBAL,
            "tls-proxy <name:word(63)>",
            No::Same,
            &[
                ("tls-proxy", "Configure a TLS proxy"),
                ("name", "Name of the proxy"),
            ],
            tls_proxy,
        )
        .example("tls-proxy INBOUND"),
        row(
            GLOBAL,
            "tls-proxy maximum-session <sessions:1-13000>",
            No::Syntax("tls-proxy maximum-session [<sessions:1-13000>]"),
            &[
                ("maximum-session", "Limit the sessions of all proxies"),
                ("sessions", "Sessions"),
            ],
            maximum_session,
        )
        .example("tls-proxy maximum-session 300"),
        row(
            TLS_PROXY,
            "server trust-point <trustpoint>",
            No::Syntax("server trust-point [<trustpoint>]"),
            &[
                ("server", "The side that is called"),
                ("trust-point", "The trustpoint whose certificate is shown"),
                ("trustpoint", "Name of the trustpoint"),
            ],
            server_trustpoint,
        )
        .example("server trust-point PROXY"),
        row(
            TLS_PROXY,
            "server authenticate-client",
            No::Same,
            &[("authenticate-client", "Ask the caller for a certificate")],
            authenticate_client,
        )
        .example("server authenticate-client"),
        row(
            TLS_PROXY,
            cipher_syntax!("server", "", ""),
            No::Syntax(cipher_syntax!("server", "[", "]")),
            CIPHER_HELP,
            server_ciphers,
        )
        .example("server cipher-suite ecdhe-rsa-aes256-gcm-sha384"),
        row(
            TLS_PROXY,
            "client trust-point <trustpoint>",
            No::Syntax("client trust-point [<trustpoint>]"),
            &[("client", "The side that calls")],
            client_trustpoint,
        )
        .example("client trust-point PROXY"),
        row(
            TLS_PROXY,
            cipher_syntax!("client", "", ""),
            No::Syntax(cipher_syntax!("client", "[", "]")),
            CIPHER_HELP,
            client_ciphers,
        )
        .example("client cipher-suite ecdhe-rsa-aes128-gcm-sha256 aes128-sha1"),
    ],
    print: print::tls::proxies,
    clear: Some(clear_proxies),
    ..Family::EMPTY
};

pub(super) const SSL: Family = Family {
    keyword: "ssl",
    help: "SSL settings",
    rows: &[
        row(
            GLOBAL,
            "ssl { server-version | client-version } \
         { any | sslv3 | tlsv1 | tlsv1.1 | tlsv1.2 | tlsv1.3 }@version",
            No::Syntax(
                "ssl { server-version | client-version } \
             [{ any | sslv3 | tlsv1 | tlsv1.1 | tlsv1.2 | tlsv1.3 }@version]",
            ),
            &[
                ("ssl", "Configure SSL options"),
                ("server-version", "Oldest version accepted"),
                ("client-version", "Oldest version offered"),
                ("any", "Any version"),
                ("sslv3", "SSL 3.0 (never negotiated)"),
                ("tlsv1", "TLS 1.0 (never negotiated)"),
                ("tlsv1.1", "TLS 1.1 (never negotiated)"),
                ("tlsv1.2", "TLS 1.2"),
                ("tlsv1.3", "TLS 1.3"),
            ],
            version,
        )
        .example("ssl server-version tlsv1.3"),
        row(
            GLOBAL,
            "ssl cipher { default | tlsv1 | tlsv1.1 | tlsv1.2 | tlsv1.3 }@scope \
         { all | low | medium | fips | high | custom <list:text> }",
            No::Syntax(
                "ssl cipher { default | tlsv1 | tlsv1.1 | tlsv1.2 | tlsv1.3 }@scope \
             [{ all | low | medium | fips | high | custom <list:text> }]",
            ),
            &[
                ("cipher", "Strength of the ciphers"),
                ("default", "Where nothing else is said"),
                ("all", "All ciphers"),
                ("low", "Low strength and up"),
                ("medium", "Medium strength and up"),
                ("fips", "Approved ciphers"),
                ("high", "High strength"),
                ("custom", "A list of names"),
                ("list", "Names, between quotation marks"),
            ],
            cipher,
        )
        .example("ssl cipher default fips"),
        row(
            GLOBAL,
            "ssl trust-point <trustpoint> [<interface>]",
            No::Syntax("ssl trust-point [<trustpoint> [<interface>]]"),
            &[("interface", "Name of the interface")],
            ssl_trustpoint,
        )
        .example("ssl trust-point PROXY outside"),
    ],
    print: print::tls::ssl,
    clear: Some(clear_ssl),
    ..Family::EMPTY
};

const CIPHER_HELP: super::HelpTexts = &[
    ("cipher-suite", "The cipher suites, best first"),
    ("tls13-aes256-gcm-sha384", "TLS 1.3"),
    ("tls13-aes128-gcm-sha256", "TLS 1.3"),
    ("tls13-chacha20-poly1305-sha256", "TLS 1.3"),
    (
        "ecdhe-ecdsa-aes256-gcm-sha384",
        "TLS 1.2, ECDSA certificate",
    ),
    (
        "ecdhe-ecdsa-aes128-gcm-sha256",
        "TLS 1.2, ECDSA certificate",
    ),
    (
        "ecdhe-ecdsa-chacha20-poly1305",
        "TLS 1.2, ECDSA certificate",
    ),
    ("ecdhe-rsa-aes256-gcm-sha384", "TLS 1.2, RSA certificate"),
    ("ecdhe-rsa-aes128-gcm-sha256", "TLS 1.2, RSA certificate"),
    ("ecdhe-rsa-chacha20-poly1305", "TLS 1.2, RSA certificate"),
    ("dhe-aes256-sha1", "Never negotiated"),
    ("dhe-aes128-sha1", "Never negotiated"),
    ("aes256-sha1", "Never negotiated"),
    ("aes128-sha1", "Never negotiated"),
    ("3des-sha1", "Never negotiated"),
    ("des-sha1", "Never negotiated"),
    ("rc4-sha1", "Never negotiated"),
    ("rc4-md5", "Never negotiated"),
    ("null-sha1", "Never negotiated"),
];

fn tls_proxy(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = word(captures, "name")?;
    if !captures.negated() {
        change.outcome.changed = change.config.tls_proxies.make(name, TlsProxy::default);
        change.enter(Mode::TlsProxy(name.into()));
        return Ok(());
    }
    if !change.config.tls_proxies.contains_key(name) {
        return Err(Refusal::Missing(Thing::TlsProxy, name.into()));
    }
    if usage::tls_proxy_used(change.config, name) {
        let (thing, by) = (Thing::TlsProxy, "policy-map");
        return Err(Refusal::InUse {
            thing,
            name: name.into(),
            by,
        });
    }
    change
        .outcome
        .removed(change.config.tls_proxies.remove(name))
}

fn maximum_session(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let sessions = if captures.negated() {
        None
    } else {
        Some(number(captures, "sessions")?)
    };
    let limit = &mut change.config.tls_proxy_maximum_sessions;
    change.outcome.set(limit, sessions);
    Ok(())
}

/// Checks that a trustpoint exists and warns if it has nothing to show yet.
fn trustpoint(change: &mut Change<'_>, name: &str) -> Result<(), Refusal> {
    let trustpoint = change.config.trustpoints.get(name);
    let trustpoint = trustpoint.ok_or_else(|| Refusal::Missing(Thing::Trustpoint, name.into()))?;
    if trustpoint.identity_certificate.is_none() {
        change.notice(Notice::NotEnrolled(name.into()));
    }
    Ok(())
}

/// The checked trustpoint that a line of a TLS proxy names; none for its `no` form.
fn named_trustpoint(
    change: &mut Change<'_>,
    captures: &Captures<'_>,
) -> Result<Option<String>, Refusal> {
    if captures.negated() {
        return Ok(None);
    }
    let name = word(captures, "trustpoint")?;
    trustpoint(change, name)?;
    Ok(Some(name.into()))
}

fn server_trustpoint(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = named_trustpoint(change, captures)?;
    let (_, proxy) = current!(change, TlsProxy, tls_proxies);
    change.outcome.set(&mut proxy.server_trustpoint, name);
    Ok(())
}

fn client_trustpoint(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let name = named_trustpoint(change, captures)?;
    let (_, proxy) = current!(change, TlsProxy, tls_proxies);
    change.outcome.set(&mut proxy.client_trustpoint, name);
    Ok(())
}

fn authenticate_client(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let (_, proxy) = current!(change, TlsProxy, tls_proxies);
    let asked = !captures.negated();
    change.outcome.set(&mut proxy.authenticate_client, asked);
    Ok(())
}

fn server_ciphers(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let ciphers = ciphers(change, captures);
    let (_, proxy) = current!(change, TlsProxy, tls_proxies);
    change.outcome.set(&mut proxy.server_ciphers, ciphers);
    Ok(())
}

fn client_ciphers(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let ciphers = ciphers(change, captures);
    let (_, proxy) = current!(change, TlsProxy, tls_proxies);
    change.outcome.set(&mut proxy.client_ciphers, ciphers);
    Ok(())
}

fn ciphers(change: &mut Change<'_>, captures: &Captures<'_>) -> Vec<CipherSuite> {
    let mut suites = Vec::new();
    if captures.negated() {
        return suites;
    }
    for keyword in captures.keywords() {
        let suite = CipherSuite::ALL
            .into_iter()
            .find(|suite| suite.keyword() == keyword);
        if let Some(suite) = suite.filter(|suite| !suites.contains(suite)) {
            suites.push(suite);
            if suite.is_legacy() {
                change.notice(Notice::LegacyCipher(suite.keyword()));
            }
        }
    }
    if suites.iter().all(|suite| suite.is_legacy()) {
        change.notice(Notice::OnlyLegacyCiphers);
    }
    suites
}

fn version(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let named = captures.group("version");
    let version = TlsVersion::ALL
        .into_iter()
        // Versions have dots in their names, which `has` takes for labels.
        .find(|version| named.keywords().any(|word| word == version.keyword()))
        .filter(|_| !captures.negated())
        .unwrap_or_default();
    if version < TlsVersion::Tls12 && version != TlsVersion::Any {
        change.notice(Notice::LegacyTlsVersion(version.keyword()));
    }
    let ssl = &mut change.config.ssl;
    let slot = if captures.has("server-version") {
        &mut ssl.server_version
    } else {
        &mut ssl.client_version
    };
    change.outcome.set(slot, version);
    Ok(())
}

fn cipher(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let named = captures.group("scope");
    let scope = SslCipherScope::ALL
        .into_iter()
        .find(|scope| named.keywords().any(|word| word == scope.keyword()))
        .ok_or(Refusal::Invalid { offset: 0 })?;
    if captures.negated() {
        let removed = change.config.ssl.ciphers.remove(&scope);
        change.outcome.changed = removed.is_some();
        return Ok(());
    }
    let level = match captures.one_of(&["all", "low", "medium", "fips", "high"]) {
        Some("all") => SslCipherLevel::All,
        Some("low") => SslCipherLevel::Low,
        Some("medium") => SslCipherLevel::Medium,
        Some("fips") => SslCipherLevel::Fips,
        Some(_) => SslCipherLevel::High,
        None => {
            let list = super::text(captures, "list")?;
            SslCipherLevel::Custom(list.trim_matches('"').into())
        }
    };
    let before = change.config.ssl.ciphers.insert(scope, level.clone());
    change.outcome.changed = before != Some(level);
    change.notice(Notice::KeptOnly("ssl cipher"));
    Ok(())
}

fn ssl_trustpoint(change: &mut Change<'_>, captures: &Captures<'_>) -> Result<(), Refusal> {
    let place = captures.word("interface");
    if captures.negated() {
        let key = place.map(Into::into);
        return change
            .outcome
            .removed(change.config.ssl.trustpoints.remove(&key));
    }
    if let Some(interface) = place {
        change.require_interface(interface)?;
    }
    let name = word(captures, "trustpoint")?;
    trustpoint(change, name)?;
    let places = &mut change.config.ssl.trustpoints;
    let place = places.entry(place.map(Into::into)).or_default();
    change.outcome.set(place, name.into());
    Ok(())
}

fn clear_proxies(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    let config = &mut *change.config;
    let is_used = |name: &&String| usage::tls_proxy_used(config, name);
    let used = config.tls_proxies.keys().find(is_used);
    super::unused(Thing::TlsProxy, used, "policy-map")?;
    let outcome = &mut change.outcome;
    outcome.set(&mut config.tls_proxies, Default::default());
    outcome.set(&mut config.tls_proxy_maximum_sessions, None);
    Ok(())
}

fn clear_ssl(change: &mut Change<'_>, _: Option<&str>) -> Result<(), Refusal> {
    change
        .outcome
        .set(&mut change.config.ssl, Default::default());
    Ok(())
}

//! TLS settings of each `tls-proxy`, made from trustpoints and keys when first needed.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use clock::ClockReader;
use config::Config;
use pki::{DEFAULT_RSA_LABEL, Identity, KeyStore, Trust};
use rustls::{ClientConfig, ServerConfig};

/// What a session is opened with.
pub(super) type Pair = (Arc<ServerConfig>, Arc<ClientConfig>);

/// Why a TLS proxy cannot serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettingsError {
    /// There is no TLS proxy of that name (any more).
    NoProxy,
    /// It names no server trustpoint.
    NoServerTrustpoint,
    /// It names no client trustpoint.
    NoClientTrustpoint,
    /// The server trustpoint holds no identity certificate.
    ServerNotEnrolled,
    /// The client trustpoint holds no identity certificate.
    ClientNotEnrolled,
    /// The key pair of a trustpoint is gone, or its certificate is for another key.
    KeyMismatch,
    /// A CA certificate cannot be read, or there are too many.
    BadAuthority,
    /// Peers must show certificates and no trustpoint holds a CA certificate to judge them by.
    NothingTrusted,
    /// The TLS library refused the settings.
    Refused,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoProxy => "the TLS proxy does not exist",
            Self::NoServerTrustpoint => "no server trust-point is configured",
            Self::NoClientTrustpoint => "no client trust-point is configured",
            Self::ServerNotEnrolled => "the server trust-point is not enrolled",
            Self::ClientNotEnrolled => "the client trust-point is not enrolled",
            Self::KeyMismatch => "the key pair and the certificate of a trust-point do not match",
            Self::BadAuthority => "a CA certificate cannot be used",
            Self::NothingTrusted => "no trust-point holds a CA certificate to judge peers by",
            Self::Refused => "the TLS settings were refused",
        })
    }
}

/// Settings made so far.
pub(super) struct Settings {
    clock: ClockReader,
    made: BTreeMap<String, Result<Pair, SettingsError>>,
}

impl Settings {
    pub(super) fn new(clock: ClockReader) -> Self {
        Self {
            clock,
            made: BTreeMap::new(),
        }
    }

    pub(super) fn forget(&mut self) {
        self.made.clear();
    }

    /// The settings of TLS proxy `name`.
    ///
    /// # Errors
    /// [`SettingsError`], remembered until the configuration or the keys change.
    pub(super) fn of(
        &mut self,
        config: &Config,
        keys: &KeyStore,
        name: &str,
    ) -> Result<Pair, SettingsError> {
        if let Some(made) = self.made.get(name) {
            return made.clone();
        }
        let made = make(config, keys, name, &self.clock);
        self.made.insert(name.into(), made.clone());
        made
    }
}

fn make(
    config: &Config,
    keys: &KeyStore,
    name: &str,
    clock: &ClockReader,
) -> Result<Pair, SettingsError> {
    let proxy = config.tls_proxies.get(name).ok_or(SettingsError::NoProxy)?;
    let server = proxy
        .server_trustpoint
        .as_ref()
        .ok_or(SettingsError::NoServerTrustpoint)?;
    let client = proxy
        .client_trustpoint
        .as_ref()
        .ok_or(SettingsError::NoClientTrustpoint)?;
    let authorities: Vec<&[u8]> = config
        .trustpoints
        .values()
        .filter_map(|trustpoint| Some(trustpoint.ca_certificate.as_ref()?.der.as_slice()))
        .collect();
    let trust = Trust::new(authorities.iter().copied()).map_err(|_| SettingsError::BadAuthority)?;
    let trust = Arc::new(trust);
    let server = identity(
        config,
        keys,
        server,
        &authorities,
        SettingsError::ServerNotEnrolled,
    )?;
    let client = identity(
        config,
        keys,
        client,
        &authorities,
        SettingsError::ClientNotEnrolled,
    )?;
    let time = || {
        let clock = clock.clone();
        pki::time_source(move || clock.unix_secs())
    };
    let refused = |error| match error {
        pki::tls::TlsError::NothingTrusted => SettingsError::NothingTrusted,
        pki::tls::TlsError::Library(_) => SettingsError::Refused,
    };
    let server = pki::server_config(&server, &trust, proxy.authenticate_client, time());
    let client = pki::client_config(Some(&client), &trust, time());
    Ok((server.map_err(refused)?, client.map_err(refused)?))
}

fn identity(
    config: &Config,
    keys: &KeyStore,
    trustpoint: &str,
    authorities: &[&[u8]],
    not_enrolled: SettingsError,
) -> Result<Identity, SettingsError> {
    let trustpoint = config.trustpoints.get(trustpoint).ok_or(not_enrolled)?;
    let certificate = trustpoint
        .identity_certificate
        .as_ref()
        .ok_or(not_enrolled)?;
    let label = trustpoint.keypair.as_deref().unwrap_or(DEFAULT_RSA_LABEL);
    let key = keys.get(label).ok_or(SettingsError::KeyMismatch)?;
    Identity::new(key, &certificate.der, authorities).map_err(|_| SettingsError::KeyMismatch)
}

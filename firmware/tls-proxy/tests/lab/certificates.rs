//! Certificates and TLS configurations, made anew by each test.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use super::Roles;
use super::peer::PeerTls;

pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

/// A certificate chain and its key.
pub struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    None,
    Expired,
    /// The other role's extended key usage only.
    Purpose(bool),
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap().der().clone();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    pub fn issue(&self, names: &[&str], flaw: Flaw) -> Identity {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = match flaw {
            Flaw::Purpose(is_server) if is_server => vec![ExtendedKeyUsagePurpose::ServerAuth],
            Flaw::Purpose(_) => vec![ExtendedKeyUsagePurpose::ClientAuth],
            _ => vec![
                ExtendedKeyUsagePurpose::ServerAuth,
                ExtendedKeyUsagePurpose::ClientAuth,
            ],
        };
        if flaw == Flaw::Expired {
            params.not_after = date_time_ymd(2001, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Identity {
            chain: vec![certificate.der().clone()],
            key: key.serialize_der(),
        }
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        Arc::new(roots)
    }
}

fn key(identity: &Identity) -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(identity.key.clone()).unwrap()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub fn server(
    identity: &Identity,
    trusted: &Authority,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let verifier = WebPkiClientVerifier::builder_with_provider(trusted.roots(), provider())
        .build()
        .unwrap();
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain.clone(), key(identity))
        .unwrap();
    Arc::new(config)
}

pub fn client(
    identity: Option<&Identity>,
    trusted: &Authority,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(trusted.roots());
    let mut config = match identity {
        Some(identity) => builder
            .with_client_auth_cert(identity.chain.clone(), key(identity))
            .unwrap(),
        None => builder.with_no_client_auth(),
    };
    config.resumption = rustls::client::Resumption::disabled();
    Arc::new(config)
}

/// Everything two companies and the box between them need; tests spoil single parts.
pub struct World {
    pub authority: Authority,
    pub stranger: Authority,
    pub caller: Identity,
    pub target: Identity,
    pub outside: Identity,
    pub inside: Identity,
}

pub const BOTH_VERSIONS: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

impl World {
    pub fn new() -> Self {
        let authority = Authority::new("Example CA");
        Self {
            caller: authority.issue(&["edge.example.net"], Flaw::None),
            target: authority.issue(&["10.20.0.11"], Flaw::None),
            outside: authority.issue(&["203.0.113.10"], Flaw::None),
            inside: authority.issue(&["10.20.0.1"], Flaw::None),
            stranger: Authority::new("Unknown CA"),
            authority,
        }
    }

    pub fn roles(&self, versions: &[&'static SupportedProtocolVersion]) -> Roles {
        Roles {
            caller: PeerTls::Client(client(Some(&self.caller), &self.authority, versions)),
            target: PeerTls::Server(server(&self.target, &self.authority, versions)),
            server: server(&self.outside, &self.authority, BOTH_VERSIONS),
            client: client(Some(&self.inside), &self.authority, BOTH_VERSIONS),
        }
    }
}

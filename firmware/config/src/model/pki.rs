//! Trustpoints and the certificates that belong to them.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::Ipv4Addr;

/// `crypto ca trustpoint NAME` and the certificates under `crypto ca certificate chain NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trustpoint {
    /// `enrollment …`.
    pub enrollment: Enrollment,
    /// `enrollment retry count N`, 1 to 100.
    pub retry_count: Option<u8>,
    /// `enrollment retry period MINUTES`, 1 to 60.
    pub retry_period_mins: Option<u8>,
    /// `fqdn`.
    pub fqdn: Fqdn,
    /// `subject-name X500` as typed.
    pub subject_name: Option<String>,
    /// `ip-address IP`.
    pub ip_address: Option<Ipv4Addr>,
    /// `email ADDRESS`.
    pub email: Option<String>,
    /// `serial-number`: puts the serial number of the box into the subject.
    pub serial_number: bool,
    /// `keypair NAME`; `None` means the default key pair.
    pub keypair: Option<String>,
    /// `client-types`: `ipsec` and `ssl` in that order.
    pub client_types: BTreeSet<ClientType>,
    /// `validation-usage`.
    pub validation_usage: BTreeSet<ValidationUsage>,
    /// `revocation-check` methods in order; empty is the default, `none`.
    pub revocation_check: Vec<RevocationMethod>,
    /// `ca-check`: refuses CA certificates that lack `CA:TRUE`; on by default.
    pub ca_check: bool,
    /// Further accepted lines, complete, by the setting they decide.
    pub extra: BTreeMap<String, String>,
    /// Lines of the `crl configure` block, complete, by the setting they decide.
    pub crl: BTreeMap<String, String>,
    /// Whether `crl configure` was entered.
    pub has_crl: bool,
    /// `certificate ca SERIAL`: the certificate of the issuer.
    pub ca_certificate: Option<Certificate>,
    /// `certificate SERIAL`: our own certificate.
    pub identity_certificate: Option<Certificate>,
}

impl Default for Trustpoint {
    fn default() -> Self {
        Self {
            enrollment: Enrollment::None,
            retry_count: None,
            retry_period_mins: None,
            fqdn: Fqdn::Default,
            subject_name: None,
            ip_address: None,
            email: None,
            serial_number: false,
            keypair: None,
            client_types: BTreeSet::new(),
            validation_usage: BTreeSet::new(),
            revocation_check: Vec::new(),
            ca_check: true,
            extra: BTreeMap::new(),
            crl: BTreeMap::new(),
            has_crl: false,
            ca_certificate: None,
            identity_certificate: None,
        }
    }
}

/// `enrollment {self|terminal|url URL}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Enrollment {
    /// Not said.
    #[default]
    None,
    /// `enrollment self`: we sign our own certificate.
    SelfSigned,
    /// `enrollment terminal`: certificates are pasted.
    Terminal,
    /// `enrollment url URL`: kept and printed only.
    Url(String),
}

/// `fqdn {NAME|none}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fqdn {
    /// Host name and domain of the box.
    #[default]
    Default,
    /// `fqdn none`.
    Absent,
    /// `fqdn NAME`.
    Name(String),
}

/// `client-types {ipsec|ssl}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum ClientType {
    Ipsec,
    Ssl,
}

/// `revocation-check` methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum RevocationMethod {
    None,
    Crl,
    Ocsp,
}

/// A certificate as it stands in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The serial number in lower-case hexadecimal, as after `certificate`.
    pub serial: String,
    /// The DER bytes.
    pub der: Vec<u8>,
}

/// What a trustpoint certificate may be used to validate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the variants are named after their keywords")]
pub enum ValidationUsage {
    IpsecClient,
    SslClient,
    SslServer,
}

impl ValidationUsage {
    /// Every usage in the order of printing.
    pub const ALL: [Self; 3] = [Self::IpsecClient, Self::SslClient, Self::SslServer];

    /// The keyword in the configuration.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::IpsecClient => "ipsec-client",
            Self::SslClient => "ssl-client",
            Self::SslServer => "ssl-server",
        }
    }
}

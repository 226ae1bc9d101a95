//! Certificates of the companies, and the public authority that signs the box's request.

use anyhow::{Context, Result, bail};
use der::{Decode, DecodePem, Encode};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData,
    SignatureAlgorithm, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use x509_cert::Certificate;
use x509_cert::request::CertReq;

/// `rsaEncryption` (RFC 8017 appendix A.1).
const RSA_ENCRYPTION: der::oid::ObjectIdentifier =
    der::oid::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// A certificate chain and its private key.
#[derive(Debug)]
pub struct Identity {
    /// End entity first.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key.
    pub key: PrivateKeyDer<'static>,
    /// The end entity's certificate as text.
    pub pem: String,
}

/// A certificate authority.
pub struct Authority {
    /// Its certificate.
    pub certificate: CertificateDer<'static>,
    /// Its certificate as text.
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// A self-signed root.
    ///
    /// # Errors
    /// When key or certificate cannot be made.
    pub fn new(organisation: &str, common_name: &str) -> Result<Self> {
        let mut params = params(organisation, common_name, &[])?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages.clear();
        let key = KeyPair::generate().context("cannot make a key")?;
        let certificate = params
            .self_signed(&key)
            .context("cannot sign a root certificate")?;
        Ok(Self {
            certificate: certificate.der().clone(),
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// A new key with a certificate of this authority for server and client use.
    ///
    /// # Errors
    /// When key or certificate cannot be made.
    pub fn issue(&self, organisation: &str, common_name: &str, names: &[&str]) -> Result<Identity> {
        let key = KeyPair::generate().context("cannot make a key")?;
        let certificate = params(organisation, common_name, names)?
            .signed_by(&key, &self.issuer)
            .context("cannot sign")?;
        Ok(identity(certificate, &key))
    }

    /// Signs the box's request for `name`, after checking that the requester holds the key.
    ///
    /// As public authorities do, it takes nothing but the public key from the request: what the
    /// certificate says is this authority's decision.
    ///
    /// # Errors
    /// When the request is not one, is not signed by its own key, or has an unknown kind of key.
    pub fn sign_request(
        &self,
        request_pem: &str,
        organisation: &str,
        name: &str,
    ) -> Result<String> {
        let request = CertReq::from_pem(request_pem).context("not a certificate request")?;
        let public = &request.info.public_key;
        let bits = public
            .subject_public_key
            .as_bytes()
            .context("the request's key has stray bits")?;
        let signature = request
            .signature
            .as_bytes()
            .context("the request's signature has stray bits")?;
        let message = request
            .info
            .to_der()
            .context("cannot encode the request again")?;
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        if !algorithms.all.iter().any(|algorithm| {
            algorithm
                .verify_signature(bits, &message, signature)
                .is_ok()
        }) {
            bail!("the request is not signed by the key it names");
        }
        let algorithm = if public.algorithm.oid == RSA_ENCRYPTION {
            &PKCS_RSA_SHA256
        } else {
            &PKCS_ECDSA_P256_SHA256
        };
        let key = RequestedKey {
            bits: bits.to_vec(),
            algorithm,
        };
        let certificate = params(organisation, name, &[name])?
            .signed_by(&key, &self.issuer)
            .context("cannot sign")?;
        Ok(certificate.pem())
    }
}

impl Identity {
    /// A new key with a self-signed certificate that is no authority, as IM&P nodes make it.
    ///
    /// # Errors
    /// When key or certificate cannot be made.
    pub fn self_signed(organisation: &str, common_name: &str, names: &[&str]) -> Result<Self> {
        let key = KeyPair::generate().context("cannot make a key")?;
        let certificate = params(organisation, common_name, names)?
            .self_signed(&key)
            .context("cannot self-sign")?;
        Ok(identity(certificate, &key))
    }
}

/// The public key of a request.
struct RequestedKey {
    bits: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
}

impl PublicKeyData for RequestedKey {
    fn der_bytes(&self) -> &[u8] {
        &self.bits
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

/// Reads one certificate from text.
///
/// # Errors
/// When it is not one.
pub fn from_pem(pem: &str) -> Result<CertificateDer<'static>> {
    let certificate = Certificate::from_pem(pem).context("not a certificate")?;
    Ok(CertificateDer::from(
        certificate
            .to_der()
            .context("cannot encode the certificate again")?,
    ))
}

/// Subject and issuer of a certificate, as RFC 4514 writes them.
pub fn names(certificate: &CertificateDer<'_>) -> (String, String) {
    match Certificate::from_der(certificate) {
        Ok(parsed) => {
            let body = parsed.tbs_certificate();
            (body.subject().to_string(), body.issuer().to_string())
        }
        Err(error) => (format!("unreadable: {error}"), String::new()),
    }
}

/// Takes the first PEM block with this label out of console output.
///
/// # Errors
/// When there is none.
pub fn cut_pem(text: &str, label: &str) -> Result<String> {
    let (begin, end) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    let start = text
        .find(&begin)
        .with_context(|| format!("no `{begin}` in the box's answer"))?;
    let rest = text.get(start..).unwrap_or_default();
    let stop = rest
        .find(&end)
        .with_context(|| format!("no `{end}` in the box's answer"))?;
    let block = rest.get(..stop + end.len()).unwrap_or_default();
    Ok(block.lines().map(str::trim).collect::<Vec<_>>().join("\n") + "\n")
}

/// What all our certificates have in common: twenty years, and both key uses, because either end may
/// start the handshake.
fn params(organisation: &str, common_name: &str, names: &[&str]) -> Result<CertificateParams> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).context("not a name")?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, organisation);
    subject.push(DnType::CommonName, common_name);
    params.distinguished_name = subject;
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2044, 1, 1);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(params)
}

fn identity(certificate: rcgen::Certificate, key: &KeyPair) -> Identity {
    Identity {
        chain: vec![certificate.der().clone()],
        pem: certificate.pem(),
        key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
    }
}

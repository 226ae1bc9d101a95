//! Certificates as OpenSSL makes them: authorities, peers, and the signature under the box's request.
//!
//! Files are `NAME.pem` (certificate) and `NAME.key` in one folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::process::command;

/// A certificate and its key, as file names.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Identity {
    /// The certificate as text.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn pem(&self) -> Result<String> {
        read(&self.certificate)
    }
}

/// A folder of certificates.
#[derive(Debug)]
pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Uses `folder`, which is made if need be.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// The path of a file here.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Keeps a certificate that came from elsewhere, and returns its path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, name: &str, pem: &str) -> Result<PathBuf> {
        let path = self.file(&format!("{name}.pem"));
        fs::write(&path, pem).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// A self-signed authority.
    ///
    /// # Errors
    /// When OpenSSL fails.
    pub fn authority(&self, name: &str, common_name: &str) -> Result<Identity> {
        self.self_signed(name, common_name, &[])
    }

    /// A self-signed certificate of a node, for server and client use.
    ///
    /// # Errors
    /// When OpenSSL fails.
    pub fn node(&self, name: &str, common_name: &str) -> Result<Identity> {
        let alternative = format!("subjectAltName=DNS:{common_name}");
        self.self_signed(
            name,
            common_name,
            &[
                "-addext",
                &alternative,
                "-addext",
                "extendedKeyUsage=serverAuth,clientAuth",
            ],
        )
    }

    fn self_signed(&self, name: &str, common_name: &str, more: &[&str]) -> Result<Identity> {
        let identity = self.identity(name);
        let subject = format!("/O=Example/CN={common_name}");
        let (certificate, key) = (show(&identity.certificate), show(&identity.key));
        let mut words = vec!["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"];
        words.extend(["-days", "30", "-subj", &subject, "-keyout", &key]);
        words.extend(["-out", &certificate]);
        words.extend(more);
        openssl(&words)?;
        Ok(identity)
    }

    /// A certificate signed by `authority`; names beyond the first are further DNS names. It ended
    /// yesterday if `is_expired`.
    ///
    /// # Errors
    /// When OpenSSL fails.
    pub fn issue(
        &self,
        authority: &Identity,
        name: &str,
        dns_names: &[&str],
        is_expired: bool,
    ) -> Result<Identity> {
        let identity = self.identity(name);
        let common_name = dns_names.first().context("a certificate has a name")?;
        let subject = format!("/O=Example/CN={common_name}");
        let request = show(&self.file(&format!("{name}.csr")));
        let key = show(&identity.key);
        let mut words = vec!["openssl", "req", "-newkey", "rsa:2048", "-nodes"];
        words.extend(["-subj", &subject, "-keyout", &key, "-out", &request]);
        openssl(&words)?;
        self.sign(authority, name, dns_names, is_expired)?;
        Ok(identity)
    }

    /// Signs the request that a box printed, and returns the certificate.
    ///
    /// # Errors
    /// When the request is not one, or is not signed by the key it names.
    pub fn sign_request(
        &self,
        authority: &Identity,
        request_pem: &str,
        dns_name: &str,
    ) -> Result<String> {
        let request = self.file("box.csr");
        fs::write(&request, request_pem).context("cannot write the request")?;
        let path = show(&request);
        openssl(&["openssl", "req", "-in", &path, "-noout", "-verify"])
            .context("the box's request does not verify")?;
        self.sign(authority, "box", &[dns_name], false)?;
        self.identity("box").pem()
    }

    fn sign(
        &self,
        authority: &Identity,
        name: &str,
        dns_names: &[&str],
        is_expired: bool,
    ) -> Result<()> {
        let names: Vec<String> = dns_names.iter().map(|name| format!("DNS:{name}")).collect();
        let extensions = self.file(&format!("{name}.ext"));
        let text = format!(
            "subjectAltName={}\nextendedKeyUsage=serverAuth,clientAuth\n",
            names.join(",")
        );
        fs::write(&extensions, text).context("cannot write extensions")?;
        let days = if is_expired { "-1" } else { "30" };
        openssl(&[
            "openssl",
            "x509",
            "-req",
            "-in",
            &show(&self.file(&format!("{name}.csr"))),
            "-CA",
            &show(&authority.certificate),
            "-CAkey",
            &show(&authority.key),
            "-CAcreateserial",
            "-days",
            days,
            "-extfile",
            &show(&extensions),
            "-out",
            &show(&self.identity(name).certificate),
        ])
    }

    fn identity(&self, name: &str) -> Identity {
        Identity {
            certificate: self.file(&format!("{name}.pem")),
            key: self.file(&format!("{name}.key")),
        }
    }
}

/// A path as an argument.
pub fn show(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn openssl(words: &[&str]) -> Result<()> {
    let output = command(words)
        .stdin(Stdio::null())
        .output()
        .context("cannot run openssl")?;
    if !output.status.success() {
        bail!(
            "`{}` failed: {}",
            words.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issued_certificate_verifies_and_an_expired_one_does_not() {
        let folder = std::env::temp_dir().join(format!("hw-tests-pki-{}", std::process::id()));
        let certificates = Certificates::new(folder.clone()).unwrap();
        let authority = certificates.authority("ca", "Example Root CA").unwrap();
        let verify = |identity: &Identity| {
            let (ca, leaf) = (show(&authority.certificate), show(&identity.certificate));
            openssl(&["openssl", "verify", "-CAfile", &ca, &leaf])
        };
        let good = certificates.issue(&authority, "good", &["a.example"], false);
        verify(&good.unwrap()).unwrap();
        let expired = certificates.issue(&authority, "old", &["b.example"], true);
        let error = verify(&expired.unwrap()).unwrap_err().to_string();
        assert!(error.contains("expired"), "{error}");
        fs::remove_dir_all(&folder).unwrap();
    }
}

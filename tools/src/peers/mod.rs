//! Two companies' servers, as far as a demonstration and a measurement need them.
//!
//! [`certificates`] makes identities and signs requests, [`tls`] turns them into mutual TLS,
//! [`sip`] and [`xmpp`] are the two conversations, and a [`Sight`] is what one end saw of the other.
//! They share no code with the firmware, so that a mistake there is not repeated here.

pub mod certificates;
pub mod sip;
#[cfg(test)]
mod tests;
pub mod tls;
pub mod xmpp;

use std::fmt;
use std::net::SocketAddr;

/// What one end saw of the other.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Who is looking, as `name (address:port)`.
    pub who: String,
    /// The other end's address as it appeared here.
    pub remote: SocketAddr,
    /// The TLS session, if there was one.
    pub tls: Option<TlsSight>,
    /// What was said: header or element, and its text.
    pub lines: Vec<(String, String)>,
}

/// What a TLS session showed of the other end.
#[derive(Clone, Debug)]
pub struct TlsSight {
    /// Version and cipher suite.
    pub session: String,
    /// Subject of the other end's certificate.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
}

impl Sight {
    /// The text said under `name`.
    pub fn line(&self, name: &str) -> Option<&str> {
        self.lines
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, text)| text.as_str())
    }
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, text: &str| {
            writeln!(f, "    {name:<14} {text}")
        };
        writeln!(f, "  {} saw", self.who)?;
        row(f, "talked to", &self.remote.to_string())?;
        if let Some(tls) = &self.tls {
            row(f, "TLS", &tls.session)?;
            row(f, "certificate", &tls.subject)?;
            row(f, "issued by", &tls.issuer)?;
        }
        for (name, text) in &self.lines {
            row(f, name, text)?;
        }
        Ok(())
    }
}

//! Prosody as a company's XMPP server, dnsmasq as a side's name server, and users.
//!
//! Servers federate over TLS with certificates of a common authority. Users are on the server's
//! loopback without TLS: their streams are not what is tested.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::namespace::Namespace;
use crate::openssl::{Identity, show};
use crate::process::{Daemon, Talker};

/// Password of every user.
const PASSWORD: &str = "secret";

/// A server's published place: domain, host name, address, port.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The domain in users' names.
    pub domain: &'a str,
    /// The name behind its SRV record.
    pub host: &'a str,
    /// The address of that name.
    pub address: Ipv4Addr,
    /// The port in the SRV record.
    pub port: u16,
}

/// Starts a name server that knows `places` and nothing else.
///
/// # Errors
/// When it does not come up.
pub async fn start_names(
    host: &Namespace,
    address: Ipv4Addr,
    places: &[Place<'_>],
) -> Result<Daemon> {
    let mut words: Vec<String> = [
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        "--log-queries",
        "--log-facility=-",
        "--user=root",
        "--pid-file=",
        "--local=/example/",
    ]
    .map(str::to_owned)
    .to_vec();
    words.push(format!("--listen-address={address}"));
    for place in places {
        let Place {
            domain,
            host,
            address,
            port,
        } = place;
        words.push(format!("--host-record={host},{address}"));
        words.push(format!(
            "--srv-host=_xmpp-server._tcp.{domain},{host},{port}"
        ));
        words.push(format!("--local=/{domain}/"));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut daemon = host.daemon(&format!("dnsmasq-{}", host.name()), &words)?;
    daemon.wait_for("started", Duration::from_secs(10)).await?;
    Ok(daemon)
}

/// What a server is.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// Its domain.
    pub domain: &'a str,
    /// Its only user.
    pub user: &'a str,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its name server.
    pub names: Ipv4Addr,
    /// Its certificate.
    pub identity: &'a Identity,
    /// Whom it trusts.
    pub authority: &'a Identity,
}

/// Starts a server.
///
/// # Errors
/// When it does not come up.
pub async fn start(host: &Namespace, server: &Server<'_>, folder: &Path) -> Result<Daemon> {
    let Server {
        domain,
        user,
        address,
        names,
        identity,
        authority,
    } = *server;
    let name = format!("prosody-{}", host.name());
    let own = folder.join(&name);
    let accounts = own.join(domain.replace('.', "%2e")).join("accounts");
    fs::create_dir_all(&accounts)?;
    fs::write(
        accounts.join(format!("{user}.dat")),
        format!("return {{ [\"password\"] = \"{PASSWORD}\"; }};\n"),
    )?;
    let resolver = own.join("resolv.conf");
    fs::write(&resolver, format!("nameserver {names}\n"))?;
    let settings = own.join("prosody.cfg.lua");
    let (certificate, key) = (show(&identity.certificate), show(&identity.key));
    let authority = show(&authority.certificate);
    fs::write(
        &settings,
        format!(
            "run_as_root = true\ndaemonize = false\npidfile = \"{own}/prosody.pid\"\n\
             data_path = \"{own}\"\nlog = {{ {{ levels = {{ min = \"debug\" }}; to = \"console\" }} }}\n\
             modules_enabled = {{ \"roster\"; \"saslauth\"; \"tls\"; \"dialback\"; \"message\"; \"presence\" }}\n\
             modules_disabled = {{ \"offline\" }}\n\
             authentication = \"internal_plain\"\nallow_unencrypted_plain_auth = true\n\
             c2s_require_encryption = false\nc2s_ports = {{ 5222 }}\nc2s_interfaces = {{ \"127.0.0.1\" }}\n\
             s2s_require_encryption = true\ns2s_secure_auth = true\ns2s_ports = {{ 5269 }}\n\
             s2s_interfaces = {{ \"{address}\" }}\n\
             ssl = {{ certificate = \"{certificate}\"; key = \"{key}\"; cafile = \"{authority}\" }}\n\
             VirtualHost \"{domain}\"\n\
             ssl = {{ certificate = \"{certificate}\"; key = \"{key}\"; cafile = \"{authority}\" }}\n",
            own = show(&own)
        ),
    )?;
    // The resolver's settings are a file of the mount namespace.
    let script = "mount --bind \"$1\" /etc/resolv.conf && exec prosody --config \"$2\" -F";
    let (resolver, settings) = (show(&resolver), show(&settings));
    let words = [
        "unshare", "--mount", "sh", "-ec", script, "sh", &resolver, &settings,
    ];
    let daemon = host.daemon(&name, &words)?;
    let loopback = Ipv4Addr::LOCALHOST;
    for (address, port) in [(address, 5269), (loopback, 5222)] {
        crate::sip::wait_listening(host, address, port)
            .await
            .with_context(|| format!("{name}: {}", daemon.output()))?;
    }
    Ok(daemon)
}

/// A user's stream to the server on the same host.
#[derive(Debug)]
pub struct User {
    talker: Talker,
    address: String,
}

impl User {
    /// Signs in.
    ///
    /// # Errors
    /// When the server refuses or does not answer.
    pub async fn sign_in(host: &Namespace, user: &str, domain: &str) -> Result<Self> {
        let words = ["socat", "-t", "1", "-", "TCP4:127.0.0.1:5222"];
        let mut talker = host.talk(&words, Duration::from_secs(30), true)?;
        let header = format!(
            "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' \
             xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        );
        let plain = base64(format!("\0{user}\0{PASSWORD}").as_bytes());
        let steps = [
            (header.clone(), "</stream:features>"),
            (
                format!(
                    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>"
                ),
                "<success",
            ),
            (header, "</stream:features>"),
            (
                "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>\
                 <resource>r</resource></bind></iq>"
                    .to_owned(),
                "</jid>",
            ),
            ("<presence/>".to_owned(), "<presence"),
        ];
        for (sent, wanted) in steps {
            talker.line.send(sent.as_bytes()).await?;
            talker
                .line
                .expect(wanted)
                .await
                .with_context(|| format!("{user}@{domain} signing in"))?;
        }
        Ok(Self {
            talker,
            address: format!("{user}@{domain}"),
        })
    }

    /// Sends a message.
    ///
    /// # Errors
    /// When the stream is closed.
    pub async fn say(&mut self, to: &Self, text: &str) -> Result<()> {
        let stanza = format!(
            "<message to='{}/r' type='chat'><body>{text}</body></message>",
            to.address
        );
        self.talker.line.send(stanza.as_bytes()).await
    }

    /// Waits for a message, and returns everything that came up to it.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn hear(&mut self, text: &str) -> Result<String> {
        let body = format!("<body>{text}</body>");
        self.talker
            .line
            .expect(&body)
            .await
            .with_context(|| format!("{} waits", self.address))
    }
}

/// Base64 (RFC 4648 §4).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place > chunk.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}

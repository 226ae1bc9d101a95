//! Kamailio as a company's SIP server, and a user agent behind it.
//!
//! The server takes messages from its own users over UDP and from the other company over mutual TLS.
//! It relays those for the other domain, answers those for its own, and prints what it got.

use std::fs;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::namespace::Namespace;
use crate::openssl::{Identity, show};
use crate::process::Daemon;

/// Where a server takes its own users' messages.
const USER_PORT: u16 = 5060;

/// What a server is.
#[derive(Clone, Copy, Debug)]
pub struct Company<'a> {
    /// Its domain.
    pub domain: &'a str,
    /// Its address.
    pub address: Ipv4Addr,
    /// Where it takes the other company's TLS.
    pub tls_port: u16,
    /// The other company's domain.
    pub other_domain: &'a str,
    /// Where to send what is for it, as address and port.
    pub next_hop: (Ipv4Addr, u16),
    /// Its certificate.
    pub identity: &'a Identity,
    /// Whom it trusts.
    pub trusts: &'a Path,
}

/// Starts a server.
///
/// # Errors
/// When it does not come up.
pub async fn start(host: &Namespace, company: &Company<'_>, folder: &Path) -> Result<Daemon> {
    let name = format!("kamailio-{}", host.name());
    let own = folder.join(&name);
    fs::create_dir_all(&own)?;
    let (settings, tls) = (own.join("kamailio.cfg"), own.join("tls.cfg"));
    let side = format!(
        "method = TLSv1.2+\nverify_certificate = yes\nrequire_certificate = yes\n\
         private_key = {}\ncertificate = {}\nca_list = {}\n",
        show(&company.identity.key),
        show(&company.identity.certificate),
        show(company.trusts)
    );
    fs::write(
        &tls,
        format!("[server:default]\n{side}[client:default]\n{side}"),
    )?;
    let Company {
        address,
        tls_port,
        other_domain,
        next_hop: (next_address, next_port),
        ..
    } = company;
    let modules: String = ["tls", "tm", "sl", "rr", "pv", "xlog", "textops", "siputils"]
        .iter()
        .map(|module| format!("loadmodule \"{module}.so\"\n"))
        .collect();
    let text = format!(
        "#!KAMAILIO\ndebug=2\nlog_stderror=yes\nfork=yes\nchildren=1\ntcp_children=2\n\
         enable_tls=yes\nauto_aliases=no\n\
         listen=udp:{address}:{USER_PORT}\nlisten=tls:{address}:{tls_port}\n{modules}\
         modparam(\"tls\",\"config\",\"{}\")\n\
         request_route {{\n\
           xlog(\"L_WARN\", \"GOT $rm ru=$ru from=$fu src=$si:$sp proto=$proto \
peer=$tls_peer_subject_cn body=$rb END\\n\");\n\
           xlog(\"L_WARN\", \"MESSAGE $mb ENDMESSAGE\\n\");\n\
           if ($rd == \"{other_domain}\") {{\n\
             $du = \"sip:{next_address}:{next_port};transport=tls\";\n\
             record_route();\n t_on_reply(\"SEEN\");\n t_relay();\n exit;\n }}\n\
           append_to_reply(\"Contact: <sip:{address}:{tls_port};transport=tls>\\r\\n\");\n\
           sl_send_reply(\"200\",\"OK\");\n}}\n\
         onreply_route[SEEN] {{\n\
           xlog(\"L_WARN\", \"REPLY $rs src=$si:$sp contact=$hdr(Contact) END\\n\");\n}}\n",
        show(&tls)
    );
    fs::write(&settings, text)?;
    let (settings, own) = (show(&settings), show(&own));
    let words = [
        "kamailio", "-f", &settings, "-DD", "-E", "-m", "32", "-M", "8", "-Y", &own, "-w", &own,
    ];
    let daemon = host.daemon(&name, &words)?;
    wait_listening(host, *address, *tls_port)
        .await
        .with_context(|| format!("{name}: {}", daemon.output()))?;
    Ok(daemon)
}

/// Waits until somebody listens on a TCP port of a host.
///
/// # Errors
/// When nobody does within ten seconds.
pub async fn wait_listening(host: &Namespace, address: Ipv4Addr, port: u16) -> Result<()> {
    let wanted = format!("{address}:{port}");
    for _ in 0..100 {
        let words = ["ss", "-Hltn"];
        let output = host.run(&words, Duration::from_secs(5)).await?.output;
        if output.contains(&wanted) || output.contains(&format!("0.0.0.0:{port}")) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("nobody listens on {wanted}")
}

/// A MESSAGE as a user agent writes it.
pub fn message(from: &str, to: &str, via: &str, call: &str, body: &str) -> String {
    format!(
        "MESSAGE sip:{to} SIP/2.0\r\n\
         Via: SIP/2.0/{via};branch=z9hG4bK{call};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:{from}>;tag={call}\r\n\
         To: <sip:{to}>\r\n\
         Call-ID: {call}\r\n\
         CSeq: 1 MESSAGE\r\n\
         Content-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends a user's message to the server on the same host, and returns the reply.
///
/// # Errors
/// When there is no final reply in ten seconds.
pub async fn send(host: &Namespace, server: Ipv4Addr, message: &str) -> Result<String> {
    let target = format!("UDP4:{server}:{USER_PORT},bind={server}:5070");
    let words = ["socat", "-t", "10", "-", &target];
    let mut talker = host.talk(&words, Duration::from_secs(10), true)?;
    talker.line.send(message.as_bytes()).await?;
    let status = talker.line.expect("CSeq:").await;
    let reply = talker.line.transcript();
    talker.kill().await;
    status.context("no reply")?;
    Ok(reply)
}

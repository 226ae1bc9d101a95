//! XMPP between servers: one stream, STARTTLS, SASL EXTERNAL, one message (RFC 6120 §5, §6, §8).
//!
//! TLS is end to end here, so the box in the middle can show nothing of itself but its address
//! translation. Elements are found by their text, not parsed: both ends are ours.

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context, Result, bail};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{Sight, tls};
use crate::network::{Host, TcpStream};

/// Most a peer may send before the element waited for, in bytes.
const MAX_BYTES: usize = 64 << 10;

const STARTTLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const PROCEED: &str = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// A server waiting for streams; ends when dropped.
#[derive(Debug)]
pub struct Server {
    /// What it saw, one entry per message, and why streams failed.
    pub sights: mpsc::UnboundedReceiver<Result<Sight>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Serves `domain` at `local` on `host`.
    pub fn start(
        name: &str,
        domain: &str,
        host: &Host,
        local: SocketAddrV4,
        acceptor: TlsAcceptor,
    ) -> Self {
        let (sender, sights) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let mut listener = host.listen(local, 4);
        let (who, domain) = (format!("{name} ({local})"), domain.to_owned());
        tasks.spawn(async move {
            while let Ok(stream) = listener.accept().await {
                let result = receive(stream, &acceptor, &who, &domain).await;
                // The receiver may have gone; then nobody wants to know.
                let _ = sender.send(result.with_context(|| format!("{who} lost a stream")));
            }
        });
        Self {
            sights,
            _tasks: tasks,
        }
    }
}

/// Opens a stream from `local` to `remote`, secures it, and delivers one message from domain to
/// domain; returns what this end saw.
///
/// # Errors
/// When any step of the stream fails.
#[allow(clippy::too_many_arguments)]
pub async fn deliver(
    name: &str,
    host: &Host,
    local: Ipv4Addr,
    remote: SocketAddrV4,
    connector: &TlsConnector,
    from: &str,
    to: &str,
    text: &str,
) -> Result<Sight> {
    let mut stream = host
        .connect(local, remote)
        .await
        .with_context(|| format!("TCP connection to {remote}"))?;
    let who = format!("{name} ({})", stream.local);
    let (from_domain, to_domain) = (domain(from), domain(to));
    let header = stream_header(from_domain, to_domain);
    send(&mut stream, &header).await?;
    receive_until(&mut stream, "</stream:features>")
        .await
        .context("no stream features")?;
    send(&mut stream, STARTTLS).await?;
    receive_until(&mut stream, "<proceed")
        .await
        .context("no TLS offered")?;
    let server = ServerName::try_from(to_domain.to_owned()).context("not a domain")?;
    let mut stream = connector
        .connect(server, stream)
        .await
        .context("TLS handshake")?;
    let sight = tls::sight(stream.get_ref().1);
    send(&mut stream, &header).await?;
    receive_until(&mut stream, "</stream:features>")
        .await
        .context("no features after TLS")?;
    send(
        &mut stream,
        &format!("<auth xmlns='{SASL}' mechanism='EXTERNAL'>=</auth>"),
    )
    .await?;
    receive_until(&mut stream, "<success")
        .await
        .context("authentication refused")?;
    send(&mut stream, &header).await?;
    let answer = receive_until(&mut stream, "<stream:features/>")
        .await
        .context("no stream after authentication")?;
    send(
        &mut stream,
        &format!("<message from='{from}' to='{to}'><body>{text}</body></message></stream:stream>"),
    )
    .await?;
    receive_until(&mut stream, "</stream:stream>")
        .await
        .context("the stream was not closed")?;
    let lines = vec![("stream from".to_owned(), attribute(&answer, "from")?)];
    Ok(Sight {
        who,
        remote: remote.into(),
        tls: Some(sight),
        lines,
    })
}

async fn receive(
    mut stream: TcpStream,
    acceptor: &TlsAcceptor,
    who: &str,
    domain: &str,
) -> Result<Sight> {
    let remote = stream.remote;
    let opened = receive_until(&mut stream, "version='1.0'>")
        .await
        .context("no stream header")?;
    let (from, to) = (attribute(&opened, "from")?, attribute(&opened, "to")?);
    if to != domain {
        bail!("a stream to `{to}`, which is not served here");
    }
    let header = stream_header(domain, &from);
    send(
        &mut stream,
        &format!("{header}<stream:features>{STARTTLS}</stream:features>"),
    )
    .await?;
    receive_until(&mut stream, "<starttls").await?;
    send(&mut stream, PROCEED).await?;
    let mut stream = acceptor.accept(stream).await.context("TLS handshake")?;
    let tls = tls::sight(stream.get_ref().1);
    receive_until(&mut stream, "version='1.0'>")
        .await
        .context("no stream header after TLS")?;
    let mechanisms =
        format!("<mechanisms xmlns='{SASL}'><mechanism>EXTERNAL</mechanism></mechanisms>");
    send(
        &mut stream,
        &format!("{header}<stream:features>{mechanisms}</stream:features>"),
    )
    .await?;
    receive_until(&mut stream, "</auth>")
        .await
        .context("no authentication")?;
    send(&mut stream, &format!("<success xmlns='{SASL}'/>")).await?;
    receive_until(&mut stream, "version='1.0'>")
        .await
        .context("no stream header after authentication")?;
    send(&mut stream, &format!("{header}<stream:features/>")).await?;
    let message = receive_until(&mut stream, "</stream:stream>")
        .await
        .context("no message")?;
    send(&mut stream, "</stream:stream>").await?;
    // The message has arrived; closing is best effort.
    let _ = stream.shutdown().await;
    let body = message
        .split("<body>")
        .nth(1)
        .and_then(|rest| rest.split("</body>").next())
        .unwrap_or_default();
    let lines = vec![
        ("stream from".to_owned(), from),
        ("message from".to_owned(), attribute(&message, "from")?),
        ("body".to_owned(), body.to_owned()),
    ];
    Ok(Sight {
        who: who.to_owned(),
        remote,
        tls: Some(tls),
        lines,
    })
}

fn stream_header(from: &str, to: &str) -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' \
         from='{from}' to='{to}' version='1.0'>"
    )
}

fn domain(address: &str) -> &str {
    address.split('@').next_back().unwrap_or(address)
}

fn attribute(text: &str, name: &str) -> Result<String> {
    let value = text
        .split(&format!(" {name}='"))
        .nth(1)
        .and_then(|rest| rest.split('\'').next());
    value
        .map(str::to_owned)
        .with_context(|| format!("no `{name}` in `{text}`"))
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), text: &str) -> Result<()> {
    stream
        .write_all(text.as_bytes())
        .await
        .context("cannot send")?;
    stream.flush().await.context("cannot send")
}

/// Reads up to and including `token`. Neither end sends anything behind one before it has been
/// answered, so nothing is lost by reading in pieces.
async fn receive_until(stream: &mut (impl AsyncRead + Unpin), token: &str) -> Result<String> {
    let mut text = String::new();
    let mut chunk = [0_u8; 2048];
    while !text.contains(token) {
        let length = stream.read(&mut chunk).await.context("cannot receive")?;
        if length == 0 {
            bail!("the stream ended; it had sent `{text}`");
        }
        text.push_str(&String::from_utf8_lossy(
            chunk.get(..length).unwrap_or_default(),
        ));
        if text.len() > MAX_BYTES {
            bail!("more than {MAX_BYTES} bytes without `{token}`");
        }
    }
    Ok(text)
}

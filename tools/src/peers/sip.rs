//! SIP over TLS, as far as MESSAGE needs it (RFC 3261, RFC 3428).
//!
//! A [`Server`] answers every request with 200 and reports what it saw; a [`Client`] keeps one
//! connection and sends requests over it.

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::{Context, Result, bail};
use rustls::pki_types::ServerName;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader,
};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::{Sight, tls};
use crate::network::{Host, Listener, TcpStream};

/// Largest body and longest header line accepted, in bytes.
const MAX_BYTES: usize = 64 << 10;

/// The headers a response copies from its request (RFC 3261 §8.2.6.2).
const COPIED: [&str; 5] = ["Via", "From", "To", "Call-ID", "CSeq"];

/// A message: start line, headers in order, body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Request or status line.
    pub start: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Who sends a MESSAGE to whom, and from where.
#[derive(Clone, Debug)]
pub struct Party {
    /// The sender, such as `alice@example.com`.
    pub from: String,
    /// The receiver.
    pub to: String,
    /// Where the sender's server listens; named in Via and Contact.
    pub listens_on: SocketAddrV4,
}

impl Message {
    /// A MESSAGE request (RFC 3428 §4).
    pub fn instant(party: &Party, number: u32, text: &str) -> Self {
        let Party {
            from,
            to,
            listens_on,
        } = party;
        let user = from.split('@').next().unwrap_or_default();
        let headers = [
            (
                "Via",
                format!("SIP/2.0/TLS {listens_on};branch=z9hG4bKd{number:06x}"),
            ),
            ("Max-Forwards", "70".to_owned()),
            ("From", format!("<sip:{from}>;tag=f{number:06x}")),
            ("To", format!("<sip:{to}>")),
            ("Call-ID", format!("{number:08x}@{}", listens_on.ip())),
            ("CSeq", format!("{number} MESSAGE")),
            (
                "Contact",
                format!("<sip:{user}@{listens_on};transport=tls>"),
            ),
            ("Content-Type", "text/plain".to_owned()),
        ];
        Self {
            start: format!("MESSAGE sip:{to} SIP/2.0"),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            body: text.to_owned(),
        }
    }

    /// The 200 response to a request, with our own contact.
    pub fn accepted(&self, contact: SocketAddrV4) -> Self {
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| COPIED.iter().any(|c| name.eq_ignore_ascii_case(c)))
            .cloned()
            .collect();
        headers.push((
            "Contact".to_owned(),
            format!("<sip:{contact};transport=tls>"),
        ));
        Self {
            start: "SIP/2.0 200 OK".to_owned(),
            headers,
            body: String::new(),
        }
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The message on the wire; Content-Length is added.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.start);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!(
            "Content-Length: {}\r\n\r\n{}",
            self.body.len(),
            self.body
        ));
        text.into_bytes()
    }

    /// Reads the next message, or `None` at the end of the stream.
    ///
    /// # Errors
    /// When the stream breaks within a message or carries something else.
    pub async fn read(reader: &mut (impl AsyncBufRead + Unpin)) -> Result<Option<Self>> {
        let mut message = Self::default();
        let mut length = 0_usize;
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut *reader).take(MAX_BYTES as u64);
            if limited.read_until(b'\n', &mut line).await? == 0 {
                if message.start.is_empty() {
                    return Ok(None);
                }
                bail!("the stream ended within a message");
            }
            let line = String::from_utf8(line).context("not SIP: bytes that are no text")?;
            let line = line.trim_end_matches(['\r', '\n']);
            if message.start.is_empty() {
                // Empty lines between messages keep connections alive (RFC 3261 §7.5).
                line.clone_into(&mut message.start);
            } else if line.is_empty() {
                break;
            } else {
                let (name, value) = line
                    .split_once(':')
                    .with_context(|| format!("not a header: {line}"))?;
                let (name, value) = (name.trim(), value.trim());
                if name.eq_ignore_ascii_case("Content-Length") || name == "l" {
                    length = value
                        .parse()
                        .with_context(|| format!("not a length: {value}"))?;
                }
                message.headers.push((name.to_owned(), value.to_owned()));
            }
        }
        if length > MAX_BYTES {
            bail!("a body of {length} bytes");
        }
        let mut body = vec![0; length];
        reader
            .read_exact(&mut body)
            .await
            .context("the stream ended within a body")?;
        message.body = String::from_utf8(body).context("the body is no text")?;
        Ok(Some(message))
    }

    /// The parts a report shows.
    fn seen(&self) -> Vec<(String, String)> {
        let mut lines = vec![("start line".to_owned(), self.start.clone())];
        for name in ["Via", "From", "Contact"] {
            if let Some(value) = self.header(name) {
                lines.push((name.to_owned(), value.to_owned()));
            }
        }
        if !self.body.is_empty() {
            lines.push(("body".to_owned(), self.body.clone()));
        }
        lines
    }
}

/// A listening server; ends when dropped.
#[derive(Debug)]
pub struct Server {
    /// What it saw, one entry per request, and why connections failed.
    pub sights: mpsc::UnboundedReceiver<Result<Sight>>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Serves `local` on `host`. With `reports` off it answers without telling, for measurements.
    pub fn start(
        name: &str,
        host: &Host,
        local: SocketAddrV4,
        acceptor: TlsAcceptor,
        backlog: usize,
        reports: bool,
    ) -> Self {
        let (sender, sights) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let who = format!("{name} ({local})");
        let listener = host.listen(local, backlog);
        tasks.spawn(serve(
            listener,
            local,
            acceptor,
            who,
            reports.then_some(sender),
        ));
        Self {
            sights,
            _tasks: tasks,
        }
    }
}

type Reports = Option<mpsc::UnboundedSender<Result<Sight>>>;

async fn serve(
    mut listener: Listener,
    local: SocketAddrV4,
    acceptor: TlsAcceptor,
    who: String,
    reports: Reports,
) {
    let mut connections = JoinSet::new();
    while let Ok(stream) = listener.accept().await {
        let (acceptor, who, reports) = (acceptor.clone(), who.clone(), reports.clone());
        connections.spawn(async move {
            if let Err(error) = answer(stream, local, acceptor, &who, reports.as_ref()).await
                && let Some(reports) = &reports
            {
                // The receiver may have gone; then nobody wants to know.
                let _ = reports.send(Err(error.context(format!("{who} lost a connection"))));
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    stream: TcpStream,
    local: SocketAddrV4,
    acceptor: TlsAcceptor,
    who: &str,
    reports: Option<&mpsc::UnboundedSender<Result<Sight>>>,
) -> Result<()> {
    let remote = stream.remote;
    let stream = acceptor
        .accept(stream)
        .await
        .with_context(|| format!("TLS handshake with {remote}"))?;
    let tls = tls::sight(stream.get_ref().1);
    let mut stream = BufReader::new(stream);
    while let Some(request) = Message::read(&mut stream).await? {
        if let Some(reports) = reports {
            let lines = request.seen();
            let _ = reports.send(Ok(Sight {
                who: who.to_owned(),
                remote,
                tls: Some(tls.clone()),
                lines,
            }));
        }
        write(&mut stream, &request.accepted(local)).await?;
    }
    // The other end has closed; closing in turn is best effort.
    let _ = stream.shutdown().await;
    Ok(())
}

/// A connection to the other company's server.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TlsStream<TcpStream>>,
    who: String,
}

impl Client {
    /// Connects from `local` on `host` to `remote`, whose certificate should name `server`.
    ///
    /// # Errors
    /// When TCP or TLS fails.
    pub async fn connect(
        name: &str,
        host: &Host,
        local: Ipv4Addr,
        remote: SocketAddrV4,
        connector: &TlsConnector,
        server: &str,
    ) -> Result<Self> {
        let stream = host
            .connect(local, remote)
            .await
            .with_context(|| format!("TCP connection to {remote}"))?;
        let who = format!("{name} ({})", stream.local);
        let server = ServerName::try_from(server.to_owned()).context("not a server name")?;
        let stream = connector
            .connect(server, stream)
            .await
            .with_context(|| format!("TLS handshake with {remote}"))?;
        Ok(Self {
            stream: BufReader::new(stream),
            who,
        })
    }

    /// Sends a request and waits for its response.
    ///
    /// # Errors
    /// When the connection ends or the answer is not 200.
    pub async fn request(&mut self, request: &Message) -> Result<Message> {
        write(&mut self.stream, request).await?;
        let response = Message::read(&mut self.stream)
            .await?
            .context("the connection ended without an answer")?;
        if !response.start.starts_with("SIP/2.0 200") {
            bail!("the answer is `{}`", response.start);
        }
        Ok(response)
    }

    /// What this end saw of the other, with the response it got.
    pub fn sight(&self, response: &Message) -> Sight {
        let (tcp, session) = self.stream.get_ref().get_ref();
        Sight {
            who: self.who.clone(),
            remote: tcp.remote,
            tls: Some(tls::sight(session)),
            lines: response.seen(),
        }
    }

    /// Closes the connection properly.
    ///
    /// # Errors
    /// When it is already broken.
    pub async fn close(mut self) -> Result<()> {
        self.stream.shutdown().await.context("cannot close")
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), message: &Message) -> Result<()> {
    stream
        .write_all(&message.to_bytes())
        .await
        .context("cannot send")?;
    stream.flush().await.context("cannot send")
}

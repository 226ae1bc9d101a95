//! The box between the two companies: booted, configured, and talked through.
//!
//! [`Lab`] is what the demonstration and the measurements have in common.

use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustls::pki_types::CertificateDer;
use tokio::time::timeout;

use super::cast::{self, Cast};
use super::script;
use crate::console::{Console, Dialogue, find_error};
use crate::network::Uplink;
use crate::peers::certificates::{cut_pem, from_pem};
use crate::peers::sip::{self, Message, Party};
use crate::peers::tls::{Trust, acceptor, connector};
use crate::peers::{Sight, xmpp};
use crate::qemu::{Config, Machine, Qemu};
use crate::workspace;

/// Privileged password of a demonstration box.
const PASSWORD: &str = "demonstration";

/// How long a conversation between the companies may take.
const CONVERSATION: Duration = Duration::from_secs(30);

/// What the box is made of.
#[derive(Clone, Debug)]
pub struct Shape {
    /// Machine model.
    pub machine: Machine,
    /// Guest memory in MiB.
    pub memory_mib: u32,
    /// Disk file, if any.
    pub disk: Option<PathBuf>,
    /// Writes blocks of configuration at once instead of line by line.
    pub pastes: bool,
    /// Shows the console while it works.
    pub is_shown: bool,
}

/// A running box between two companies.
pub struct Lab {
    /// The emulator.
    pub qemu: Qemu,
    /// The serial console.
    pub console: Console,
    /// Everybody else.
    pub cast: Cast,
    /// The certificate the box shows to the inside, once it is made.
    pub proxy_certificate: Option<CertificateDer<'static>>,
    pastes: bool,
    /// The cables between the box and its networks.
    pub uplinks: Vec<Uplink>,
}

impl Lab {
    /// Starts the box; does not wait for its prompt.
    ///
    /// # Errors
    /// When QEMU does not start.
    pub async fn boot(shape: &Shape) -> Result<Self> {
        let cast = Cast::new()?;
        let folder = workspace::run_directory();
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let mut config = Config::new(workspace::image());
        config.machine = shape.machine;
        config.memory_mib = shape.memory_mib;
        config.disk.clone_from(&shape.disk);
        config.developer_log = Some(folder.join("defmt.bin"));
        let segments = [cast.outside.clone(), cast.inside.clone()];
        let (qemu, mut console, uplinks) = Qemu::start_joined(&config, &segments).await?;
        console.show_output(shape.is_shown);
        Ok(Self {
            qemu,
            console,
            cast,
            proxy_certificate: None,
            pastes: shape.pastes,
            uplinks,
        })
    }

    /// Waits for the prompt and goes to privileged mode.
    ///
    /// # Errors
    /// When there is no prompt, or the password is refused.
    pub async fn enter(&mut self) -> Result<()> {
        self.console.wait_ready().await?;
        self.console.enable(PASSWORD).await
    }

    /// Types configuration lines; each must be accepted.
    ///
    /// # Errors
    /// At the first refused line.
    pub async fn configure(&mut self, lines: &str) -> Result<()> {
        // The first `configure terminal` of a factory box may ask about error reporting.
        let mut rest = lines;
        if let Some(tail) = lines.strip_prefix("configure terminal\n") {
            let first = Dialogue::new("configure terminal").answer("[A]sk later", "N");
            self.console.dialogue(&first).await?;
            rest = tail;
        }
        if !self.pastes {
            return self.console.configure(rest).await;
        }
        let output = self.console.paste(rest).await?;
        match find_error(&output) {
            Some(error) => bail!("a pasted line was refused: {error}"),
            None => Ok(()),
        }
    }

    /// Makes the inside identity, exchanges certificates with the inside node.
    ///
    /// # Errors
    /// When a dialogue goes wrong.
    pub async fn certificates_inside(&mut self) -> Result<()> {
        self.configure(script::INSIDE_TRUSTPOINT).await?;
        let enroll = Dialogue::new("crypto ca enroll imp_proxy")
            .answer("serial number in the subject name", "no")
            .answer("Self-Signed Certificate", "yes")
            .answer("continue with this enrollment", "yes");
        self.console.dialogue(&enroll).await?;
        let exported = self
            .console
            .command("crypto ca export imp_proxy identity-certificate")
            .await?;
        self.proxy_certificate = Some(from_pem(&cut_pem(&exported, "CERTIFICATE")?)?);
        self.configure(script::NODE_TRUSTPOINT).await?;
        let pem = self.cast.node_identity.pem.clone();
        self.paste_certificate("crypto ca authenticate cert_from_imp", &pem)
            .await
    }

    /// Has the outside identity signed by the public authority, and takes the outside company's
    /// authority on.
    ///
    /// # Errors
    /// When a dialogue goes wrong.
    pub async fn certificates_outside(&mut self) -> Result<()> {
        self.configure(script::OUTSIDE_TRUSTPOINT).await?;
        let authority = self.cast.public_authority.pem.clone();
        self.paste_certificate("crypto ca authenticate outside_tp", &authority)
            .await?;
        let enroll = Dialogue::new("crypto ca enroll outside_tp")
            .answer("continue with this enrollment", "yes")
            .answer("serial number in the subject name", "no")
            .answer("Display Certificate Request", "yes")
            .answer("Redisplay enrollment request", "no");
        let printed = self.console.dialogue(&enroll).await?;
        let request = cut_pem(&printed, "CERTIFICATE REQUEST")?;
        let signed =
            self.cast
                .public_authority
                .sign_request(&request, "Example", cast::PUBLIC_NAME)?;
        self.paste_certificate("crypto ca import outside_tp certificate", &signed)
            .await?;
        self.configure(script::FOREIGN_TRUSTPOINT).await?;
        let foreign = self.cast.edge_authority.pem.clone();
        self.paste_certificate("crypto ca authenticate example_net_ca", &foreign)
            .await
    }

    /// Everything an administrator types, from the first line to the last.
    ///
    /// # Errors
    /// At the first thing that goes wrong.
    pub async fn configure_all(&mut self) -> Result<()> {
        self.enter().await?;
        self.configure(script::BASICS)
            .await
            .context("names, interfaces, routes")?;
        self.certificates_inside()
            .await
            .context("certificates inside")?;
        self.certificates_outside()
            .await
            .context("certificates outside")?;
        for part in [script::TRANSLATION, script::ACCESS, script::INSPECTION] {
            self.configure(part).await?;
        }
        Ok(())
    }

    /// Starts the inside node's SIP server.
    ///
    /// # Errors
    /// When the box has not shown its certificate yet.
    pub fn node_server(&self, backlog: usize, reports: bool) -> Result<sip::Server> {
        let acceptor = acceptor(&self.cast.node_identity, &self.node_trust()?)?;
        Ok(sip::Server::start(
            "imp1.example.com",
            &self.cast.node_1,
            cast::NODE_SIP,
            acceptor,
            backlog,
            reports,
        ))
    }

    /// Starts the outside edge's SIP server.
    ///
    /// # Errors
    /// When its identity is unusable.
    pub fn edge_server(&self, backlog: usize, reports: bool) -> Result<sip::Server> {
        let acceptor = acceptor(&self.cast.edge_identity, &self.edge_trust())?;
        Ok(sip::Server::start(
            cast::EDGE_NAME,
            &self.cast.world,
            cast::EDGE_SIP,
            acceptor,
            backlog,
            reports,
        ))
    }

    /// The edge calls the published address.
    ///
    /// # Errors
    /// When TCP or TLS fails.
    pub async fn call_from_outside(&self) -> Result<sip::Client> {
        let connector = connector(&self.cast.edge_identity, &self.edge_trust())?;
        let host = &self.cast.world;
        let (name, target, peer) = (cast::EDGE_NAME, cast::PUBLIC_SIP, cast::PUBLIC_NAME);
        within(sip::Client::connect(
            name,
            host,
            cast::EDGE,
            target,
            &connector,
            peer,
        ))
        .await
    }

    /// The inside node calls the edge.
    ///
    /// # Errors
    /// When TCP or TLS fails.
    pub async fn call_from_inside(&self) -> Result<sip::Client> {
        let connector = connector(&self.cast.node_identity, &self.node_trust()?)?;
        let host = &self.cast.node_1;
        let (name, target, peer) = ("imp1.example.com", cast::EDGE_SIP, cast::EDGE_NAME);
        within(sip::Client::connect(
            name,
            host,
            cast::NODE_1,
            target,
            &connector,
            peer,
        ))
        .await
    }

    /// Delivers one XMPP message from the world to a published port, and returns what both ends saw.
    ///
    /// # Errors
    /// When the stream fails on either end.
    pub async fn xmpp(&self, is_second: bool, public_port: u16) -> Result<[Sight; 2]> {
        let (name, host, address) = if is_second {
            ("imp2.example.com", &self.cast.node_2, cast::NODE_2)
        } else {
            ("imp1.example.com", &self.cast.node_1, cast::NODE_1)
        };
        let trust = Trust::Authorities(vec![self.cast.xmpp_authority.certificate.clone()]);
        let ours =
            self.cast
                .xmpp_authority
                .issue("Example", "example.com", &["example.com", name])?;
        let theirs =
            self.cast
                .xmpp_authority
                .issue("Example Org", "example.org", &["example.org"])?;
        let local = SocketAddrV4::new(address, 5269);
        let mut server =
            xmpp::Server::start(name, "example.com", host, local, acceptor(&ours, &trust)?);
        let connector = connector(&theirs, &trust)?;
        let target = SocketAddrV4::new(cast::PUBLIC, public_port);
        let (from, to) = ("carol@example.org", "alice@example.com");
        let text = format!("Good day through port {public_port}");
        let world = &self.cast.world;
        let sent = within(xmpp::deliver(
            "xmpp.example.org",
            world,
            cast::XMPP,
            target,
            &connector,
            from,
            to,
            &text,
        ));
        let sight = sent.await?;
        let seen =
            within(async { server.sights.recv().await.context("the server is gone")? }).await?;
        if seen.line("body") != Some(&text) {
            bail!("the message arrived changed: {:?}", seen.line("body"));
        }
        Ok([seen, sight])
    }

    /// The inside user's message.
    pub fn message_from_inside(number: u32, text: &str) -> Message {
        let party = Party {
            from: "alice@example.com".into(),
            to: "bob@example.net".into(),
            listens_on: cast::NODE_SIP,
        };
        Message::instant(&party, number, text)
    }

    /// The outside user's message.
    pub fn message_from_outside(number: u32, text: &str) -> Message {
        let party = Party {
            from: "bob@example.net".into(),
            to: "alice@example.com".into(),
            listens_on: cast::EDGE_SIP,
        };
        Message::instant(&party, number, text)
    }

    /// Sends one message, waits for both ends, and returns what the called and the calling end saw.
    ///
    /// # Errors
    /// When the message or its answer is lost.
    pub async fn exchange(
        client: &mut sip::Client,
        server: &mut sip::Server,
        message: &Message,
    ) -> Result<[Sight; 2]> {
        let answered = within(client.request(message)).await;
        let response = match answered {
            Ok(response) => response,
            Err(error) => {
                // The other end often knows better why.
                return Err(match server.sights.try_recv() {
                    Ok(Err(cause)) => error.context(format!("{cause:#}")),
                    _ => error,
                });
            }
        };
        let seen =
            within(async { server.sights.recv().await.context("the server is gone")? }).await?;
        if seen.line("body") != Some(message.body.as_str()) {
            bail!("the message arrived changed: {:?}", seen.line("body"));
        }
        let sight = client.sight(&response);
        Ok([seen, sight])
    }

    async fn paste_certificate(&mut self, command: &str, pem: &str) -> Result<()> {
        let dialogue = Dialogue::new(command)
            .answer("End with the word", &format!("{}\nquit", pem.trim()))
            .answer("Do you accept this certificate", "yes")
            .answer("[yes/no]:", "yes");
        self.console.dialogue(&dialogue).await.map(drop)
    }

    fn node_trust(&self) -> Result<Trust> {
        let certificate = self
            .proxy_certificate
            .clone()
            .context("the box's inside certificate is not known yet")?;
        Ok(Trust::Pinned(vec![certificate]))
    }

    fn edge_trust(&self) -> Trust {
        Trust::Authorities(vec![self.cast.public_authority.certificate.clone()])
    }
}

async fn within<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let seconds = CONVERSATION.as_secs();
    timeout(CONVERSATION, work)
        .await
        .with_context(|| format!("no answer in {seconds} s"))?
}

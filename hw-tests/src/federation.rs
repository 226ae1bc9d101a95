//! A box between real networks, configured over its serial line as the federation guide says.
//!
//! The lines are the demonstration's; the certificates are OpenSSL's, and the box's request is
//! signed by an authority made here.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tools::console::{Console, Dialogue};
use tools::demo::cast::{EDGE_NAME, PUBLIC_NAME};
use tools::demo::script;
use tools::peers::certificates::cut_pem;
use tools::qemu::{Config, Qemu};
use tools::workspace;

use crate::openssl::{Certificates, Identity};
use crate::runner::Ground;
use crate::topology::Topology;

/// Privileged password of a box under test.
pub const PASSWORD: &str = "real peers";

/// Lets the answers to inside pings back in.
const ECHO: &str = "\
configure terminal
policy-map global_policy
 class class-default
  inspect icmp
exit
exit
end
";

/// Who holds which certificate.
#[derive(Debug)]
pub struct Cards {
    /// The folder of them all.
    pub folder: Certificates,
    /// The authority that the world trusts and that signs the box's request.
    pub public_authority: Identity,
    /// The foreign company's authority.
    pub edge_authority: Identity,
    /// An authority that nobody trusts.
    pub stranger_authority: Identity,
    /// The inside node's self-signed certificate.
    pub node: Identity,
    /// The foreign edge's.
    pub edge: Identity,
    /// What the box shows inside, once it has exported it.
    pub inside_proxy: PathBuf,
}

/// The box, its networks, its operator.
#[derive(Debug)]
pub struct Federation {
    /// Everybody else's namespaces.
    pub topology: Topology,
    /// Certificates.
    pub cards: Cards,
    /// The serial console, in privileged mode.
    pub console: Console,
    /// Logs and captures.
    pub folder: PathBuf,
    _qemu: Qemu,
}

impl Ground for Federation {
    async fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let topology = Topology::new(folder).await?;
        let cards = Cards::new(folder)?;
        let mut config = Config::new(workspace::image());
        config.ports = topology.links();
        config.wrapper = topology.bridges.wrapper();
        config.developer_log = Some(folder.join("defmt.bin"));
        config.output = Some(folder.join("qemu.log"));
        let (qemu, console) = Qemu::start(&config).await?;
        let mut federation = Self {
            topology,
            cards,
            console,
            folder: folder.to_owned(),
            _qemu: qemu,
        };
        let outcome = federation.configure().await;
        fs::write(folder.join("console.txt"), federation.console.transcript())?;
        outcome.with_context(|| format!("console:\n{}", federation.console.tail(25)))?;
        Ok(federation)
    }

    fn console(&mut self) -> &mut Console {
        &mut self.console
    }

    async fn dumps(&mut self) -> String {
        dumps(&mut self.console, COMMANDS).await
    }
}

/// What a failure report shows of a federation.
const COMMANDS: &[&str] = &[
    "show clock",
    "show interface",
    "show arp",
    "show conn detail",
    "show xlate",
    "show asp drop",
    "show access-list",
    "show tls-proxy session detail",
    "show tls-proxy session statistics",
    "show memory",
];

/// The output of some commands, wherever the console was left, for a failure report.
pub async fn dumps(console: &mut Console, commands: &[&str]) -> String {
    let mut text = String::new();
    console.set_patience(Duration::from_secs(10));
    // Wherever the test stopped, an end of input leads back to a prompt.
    let _ = console.send(b"\x03\x1a\r").await;
    for command in commands {
        let shown = console.try_command(command).await;
        let shown = shown.unwrap_or_else(|error| format!("{error:#}"));
        text.push_str(&format!("### {command}\n{shown}\n"));
    }
    text
}

impl Federation {
    async fn configure(&mut self) -> Result<()> {
        let Self { console, cards, .. } = self;
        console.wait_ready().await?;
        console.enable(PASSWORD).await?;
        type_lines(console, script::BASICS).await?;
        type_lines(console, script::INSIDE_TRUSTPOINT).await?;
        let enroll = Dialogue::new("crypto ca enroll imp_proxy")
            .answer("serial number in the subject name", "no")
            .answer("Self-Signed Certificate", "yes")
            .answer("continue with this enrollment", "yes");
        console.dialogue(&enroll).await?;
        let exported = console
            .command("crypto ca export imp_proxy identity-certificate")
            .await?;
        cards.inside_proxy = cards
            .folder
            .keep("inside_proxy", &cut_pem(&exported, "CERTIFICATE")?)?;
        type_lines(console, script::NODE_TRUSTPOINT).await?;
        give(console, "authenticate cert_from_imp", &cards.node.pem()?).await?;

        type_lines(console, script::OUTSIDE_TRUSTPOINT).await?;
        let authority = cards.public_authority.pem()?;
        give(console, "authenticate outside_tp", &authority).await?;
        let enroll = Dialogue::new("crypto ca enroll outside_tp")
            .answer("continue with this enrollment", "yes")
            .answer("serial number in the subject name", "no")
            .answer("Display Certificate Request", "yes")
            .answer("Redisplay enrollment request", "no");
        let printed = console.dialogue(&enroll).await?;
        let request = cut_pem(&printed, "CERTIFICATE REQUEST")?;
        let authority = &cards.public_authority;
        let signed = cards
            .folder
            .sign_request(authority, &request, PUBLIC_NAME)?;
        give(console, "import outside_tp certificate", &signed).await?;
        type_lines(console, script::FOREIGN_TRUSTPOINT).await?;
        let foreign = cards.edge_authority.pem()?;
        give(console, "authenticate example_net_ca", &foreign).await?;
        for part in [
            script::TRANSLATION,
            script::ACCESS,
            script::INSPECTION,
            ECHO,
        ] {
            type_lines(console, part).await?;
        }
        Ok(())
    }

    /// The number printed in a line of `show tls-proxy session statistics` that begins with `label`;
    /// 0 if there is no such line.
    ///
    /// # Errors
    /// When the box does not answer.
    pub async fn statistic(&mut self, label: &str) -> Result<u64> {
        let output = self
            .console
            .command("show tls-proxy session statistics")
            .await?;
        let line = output.lines().map(str::trim).find_map(|line| {
            let rest = line.strip_prefix(label)?;
            let digits = rest.trim_start_matches([':', ' ']);
            let end = digits
                .find(|letter: char| !letter.is_ascii_digit())
                .unwrap_or(digits.len());
            digits.get(..end)?.parse().ok()
        });
        Ok(line.unwrap_or(0))
    }

    /// Waits until a statistic has grown to `least`.
    ///
    /// # Errors
    /// When it has not within ten seconds.
    pub async fn expect_statistic(&mut self, label: &str, least: u64) -> Result<()> {
        for _ in 0..20 {
            if self.statistic(label).await? >= least {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        let shown = self
            .console
            .command("show tls-proxy session statistics")
            .await?;
        anyhow::bail!("`{label}` did not reach {least}:\n{shown}")
    }
}

impl Cards {
    fn new(folder: &Path) -> Result<Self> {
        let folder = Certificates::new(folder.join("certificates"))?;
        let edge_authority = folder.authority("edge_ca", "Example Net Root CA")?;
        Ok(Self {
            public_authority: folder.authority("public_ca", "Example Public Root CA")?,
            stranger_authority: folder.authority("stranger_ca", "Stranger Root CA")?,
            node: folder.node("node", "imp1.example.com")?,
            edge: folder.issue(&edge_authority, "edge", &[EDGE_NAME], false)?,
            edge_authority,
            inside_proxy: folder.file("inside_proxy.pem"),
            folder,
        })
    }
}

/// Types configuration lines; each must be accepted.
///
/// # Errors
/// At the first refused line.
pub async fn type_lines(console: &mut Console, lines: &str) -> Result<()> {
    let mut rest = lines;
    if let Some(tail) = lines.strip_prefix("configure terminal\n") {
        // The first one on a factory box may ask about error reporting.
        let first = Dialogue::new("configure terminal").answer("[A]sk later", "N");
        console.dialogue(&first).await?;
        rest = tail;
    }
    console.configure(rest).await
}

/// Answers a `crypto ca` command with a certificate.
async fn give(console: &mut Console, command: &str, pem: &str) -> Result<()> {
    let dialogue = Dialogue::new(&format!("crypto ca {command}"))
        .answer("End with the word", &format!("{}\nquit", pem.trim()))
        .answer("[yes/no]:", "yes");
    console.dialogue(&dialogue).await.map(drop)
}
